console.log(`post who=${process.env['INPUT_WHO_GREETED']} state=${process.env.STATE_from},${process.env.STATE_more}`);
