const fs = require('fs'), path = require('path'), env = process.env;
console.log(`main who=${env['INPUT_WHO_GREETED']} depth=${env['INPUT_FETCH-DEPTH']} state=${env.STATE_from}`);
console.log(`repository=${env.GITHUB_ACTION_REPOSITORY} ref=${env.GITHUB_ACTION_REF} path=${path.basename(env.GITHUB_ACTION_PATH)}`);
console.log(`cwd is the workspace: ${process.cwd() === env.GITHUB_WORKSPACE}, own env: ${env.OWN}`);
console.log('::save-state name=more::kept');
fs.appendFileSync(env.GITHUB_OUTPUT, `out=said to ${env['INPUT_WHO_GREETED']}\n`);
if (env['INPUT_WHO_GREETED'] === 'nobody')
	process.exit(3);
