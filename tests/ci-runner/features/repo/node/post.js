console.log('post of node, state ' + process.env.STATE_s);
