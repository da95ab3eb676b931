console.log(`node says ${process.env.INPUT_WHO} with dash ${process.env['INPUT_WITH-DASH']}, state ${process.env.STATE_s ?? 'none'}`);
require('fs').appendFileSync(process.env.GITHUB_STATE, 's=kept\n');
