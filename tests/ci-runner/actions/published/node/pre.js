console.log('pre who=' + process.env['INPUT_WHO_GREETED']);
require('fs').appendFileSync(process.env.GITHUB_STATE, 'from=pre\n');
