// main.mjs - what the packages @actions/* are asked to do; each part says "good: ..." for what held.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const modules = process.env.INPUT_MODULES;
const resolve = createRequire(path.join(modules, 'x.js')).resolve;
const load = async (name) => {
	const folder = path.join(modules, '@actions', name);
	const about = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
	const entry = about.exports?.['.']?.import ?? about.exports?.import ?? about.main;
	const file = typeof entry === 'string' ? entry : entry?.default;
	return import(pathToFileURL(file ? path.join(folder, file) : resolve('@actions/' + name)));
};
const good = (what, held) => {
	if (!held) throw new Error('not so: ' + what);
	console.log('good: ' + what);
};
const sizes = [0, 5, 12 * 1024 * 1024];
const bytes = (size) => Buffer.alloc(size, 'abcdefghij\n');

const parts = {
	async core() {
		const core = await load('core');
		good('an input', core.getInput('part') === 'core');
		core.setOutput('from-core', { a: 1 });
		core.exportVariable('FROM_CORE', 'two\nlines');
		core.addPath('/tmp/from-core');
		core.setSecret('shibboleth');
		console.log('this is shibboleth');
		core.warning('a warning', { file: 'a.c', startLine: 3, title: 'T' });
		await core.group('a group', async () => core.info('inside'));
		await core.summary.addHeading('From core').write();
		core.saveState('x', 'y');
	},
	async exec() {
		const { getExecOutput } = await load('exec');
		const { stdout, exitCode } = await getExecOutput('echo', ['from', 'exec'], { silent: true });
		good('a program that ran', stdout === 'from exec\n' && exitCode === 0);
	},
	async glob() {
		const { create, hashFiles } = await load('glob');
		fs.mkdirSync('g/sub', { recursive: true });
		fs.writeFileSync('g/a.txt', 'a');
		fs.writeFileSync('g/sub/b.txt', 'b');
		const found = await (await create('g/**/*.txt')).glob();
		good('files found by a pattern', found.length === 2);
		fs.appendFileSync(process.env.GITHUB_OUTPUT, `hash=${await hashFiles('g/**/*.txt')}\n`);
	},
	async 'tool-cache'() {
		const tc = await load('tool-cache');
		fs.mkdirSync('tool', { recursive: true });
		fs.writeFileSync('tool/run', 'x');
		await tc.cacheDir('tool', 'mine', '1.2.3');
		good('a tool kept and found', fs.existsSync(path.join(tc.find('mine', '1.x'), 'run')));
		good('a tool that was seeded', tc.find('seeded', '2.x').endsWith('seeded/2.0.0/' + os.arch()));
	},
	async cache() {
		const cache = await load('cache');
		for (const size of sizes.slice(1)) {
			fs.mkdirSync('kept', { recursive: true });
			fs.writeFileSync('kept/file', bytes(size));
			const key = `key-${size}-${process.env.ACTIONS_CACHE_SERVICE_V2 ?? 'v1'}`;
			good('a miss', (await cache.restoreCache(['kept'], key)) === undefined);
			good('a cache kept', (await cache.saveCache(['kept'], key)) > 0);
			good('the same key again is no new one', (await cache.saveCache(['kept'], key)) === -1);
			fs.rmSync('kept', { recursive: true });
			good('a hit', (await cache.restoreCache(['kept'], key)) === key);
			good('with its bytes', fs.readFileSync('kept/file').equals(bytes(size)));
			good('a hit by a beginning', (await cache.restoreCache(['kept'], 'other', [key.slice(0, 6)])) === key);
		}
	},
	async 'cache-v1'() {
		delete process.env.ACTIONS_CACHE_SERVICE_V2;
		await parts.cache();
	},
	async artifact() {
		const { DefaultArtifactClient } = await load('artifact');
		const client = new DefaultArtifactClient();
		for (const size of sizes) {
			fs.writeFileSync('file.bin', bytes(size));
			const { id, digest } = await client.uploadArtifact(`a-${size}`, ['file.bin'], '.');
			good('an artifact kept', id > 0 && digest.length === 64);
			const { artifact } = await client.getArtifact(`a-${size}`);
			good('and found', artifact.id === id);
			fs.rmSync('back', { recursive: true, force: true });
			await client.downloadArtifact(id, { path: 'back', expectedHash: `sha256:${digest}` });
			good('and back', fs.readFileSync('back/file.bin').equals(bytes(size)));
		}
		const { artifacts } = await client.listArtifacts();
		good('all listed', artifacts.length === sizes.length);
		await client.uploadArtifact('a-5', ['file.bin'], '.').then(
			() => good('a name that is taken is refused', false),
			() => good('a name that is taken is refused', true));
		const [owner, name] = process.env.GITHUB_REPOSITORY.split('/');
		const findBy = { token: process.env.TOKEN, workflowRunId: Number(process.env.GITHUB_RUN_ID), repositoryOwner: owner, repositoryName: name };
		const byRun = await client.listArtifacts({ findBy });
		good('listed by the number of the run', byRun.artifacts.length === sizes.length);
		fs.rmSync('back', { recursive: true, force: true });
		await client.downloadArtifact(byRun.artifacts.find((one) => one.name === 'a-5').id, { path: 'back', findBy });
		good('and downloaded', fs.readFileSync('back/file.bin').equals(bytes(5)));
	},
	async outside() {
		const tried = await new Promise((done) => {
			const socket = net.connect({ host: '192.0.2.1', port: 80, timeout: 2000 });
			socket.on('error', (error) => done(error.code));
			socket.on('connect', () => done('connected'));
			socket.on('timeout', () => done('timeout'));
		});
		good('no outside route', tried === 'ENETUNREACH');
		good('only the loopback', Object.keys(os.networkInterfaces()).every((name) => name === 'lo'));
		const answer = await fetch(process.env.GITHUB_API_URL + '/repos/' + process.env.GITHUB_REPOSITORY);
		good('nothing without a token', answer.status === 401);
	},
};

await parts[process.env.INPUT_PART]();
