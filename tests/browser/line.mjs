// line.mjs - the real programs on loopback, for browser tests: coordinator, runner, a repository with a workflow.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const build = resolve(process.env.LB_BUILD ?? "build");

export async function until(what, seconds, condition) {
	const end = Date.now() + seconds * 1000;
	while (Date.now() < end) {
		const value = await condition();
		if (value) return value;
		await new Promise((done) => setTimeout(done, 20));
	}
	throw new Error(`timed out waiting for ${what}`);
}

export class Line {
	folder = mkdtempSync(join(tmpdir(), "lifeboat-browser-"));
	children = [];

	start(name, args) {
		const log = openSync(join(this.folder, `${name}.log`), "a");
		const child = spawn(join(build, args[0]), args.slice(1), { stdio: ["ignore", log, log] });
		this.children.push(child);
		return child;
	}

	async coordinator() {
		const ready = join(this.folder, "ready");
		this.start("coordinator", ["lifeboat-coordinator", "serve", "--state", join(this.folder, "state"),
			"--listen", "127.0.0.1:0", "--ready-file", ready]);
		await until("the coordinator", 20, () => existsSync(ready));
		this.url = readFileSync(ready, "utf8").trim();
		this.token = readFileSync(join(this.folder, "state/token"), "utf8").trim();
	}

	runner() {
		this.start("runner", ["lifeboat-runner", "serve", "--coordinator", this.url, "--name", "runner", "--labels", "ubuntu-latest",
			"--token-file", join(this.folder, "state/runner-token"), "--work", join(this.folder, "work")]);
	}

	push(workflow) {
		const folder = join(this.folder, "repository");
		const git = (...words) => execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost",
			"-c", "init.defaultBranch=main", ...words], { cwd: folder, encoding: "utf8" }).trim();
		mkdirSync(join(folder, ".github/workflows"), { recursive: true });
		writeFileSync(join(folder, ".github/workflows/test.yml"), workflow);
		git("init", "-q");
		git("add", ".");
		git("commit", "-q", "-m", "test: a workflow");
		git("push", "-q", this.url.replace("http://", `http://x:${this.token}@`) + "/git/test/line.git", "HEAD:refs/heads/main");
		this.sha = git("rev-parse", "HEAD");
	}

	async submit() {
		const answer = await fetch(`${this.url}/api/v1/runs`, {
			method: "POST",
			headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
			body: JSON.stringify({ repository: "test/line", ref: "refs/heads/main", sha: this.sha, workflow: ".github/workflows/test.yml" }),
		});
		if (answer.status !== 201) throw new Error(`submit: ${answer.status} ${await answer.text()}`);
		return (await answer.json()).id;
	}

	async run(id) {
		return (await fetch(`${this.url}/api/v1/runs/${id}`)).json();
	}

	stop() {
		for (const child of this.children) child.kill("SIGTERM");
		const ended = this.children.map((child) => child.exitCode ?? new Promise((done) => child.once("exit", done)));
		return Promise.all(ended).then(() => rmSync(this.folder, { recursive: true, force: true }));
	}
}
