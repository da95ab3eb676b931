#!/usr/bin/env node
// github_accepts.mjs - GitHub's own parser accepts our workflow files, and .github/workflows holds the same files.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { register } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const top = process.env.LB_TOP ?? ".";
const modules = join(process.cwd(), "build/node/node_modules");
let count = 0;
let failed = 0;

function report(good, name, detail = "") {
	count++;
	if (!good) failed++;
	console.log(`${good ? "" : "not "}ok ${count} - ${name}`);
	for (const line of detail ? detail.split("\n") : []) console.log(`# ${line}`);
}

const files = readdirSync(join(top, "workflows")).filter((name) => name.endsWith(".yml"));
for (const name of files) {
	const ours = readFileSync(join(top, "workflows", name));
	const theirs = join(top, ".github/workflows", name);
	report(existsSync(theirs) && ours.equals(readFileSync(theirs)), `.github/workflows/${name} is workflows/${name}`);
}

const parser = join(modules, "@actions/workflow-parser/dist/index.js");
if (existsSync(parser)) {
	// The package imports JSON without saying so, which Node refuses: say it for it.
	register("data:text/javascript," + encodeURIComponent(`
		export function load(url, context, next) {
			return next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context);
		}`));
	const { parseWorkflow, NoOperationTraceWriter } = await import(pathToFileURL(parser));
	const trace = NoOperationTraceWriter ? new NoOperationTraceWriter() : { info() {}, verbose() {}, error() {} };
	const check = (name, content) => parseWorkflow({ name, content }, trace).context.errors.getErrors();
	for (const name of files) {
		const errors = check(name, readFileSync(join(top, "workflows", name), "utf8"));
		report(errors.length === 0, `GitHub's parser accepts ${name}`, errors.map((error) => error.message).join("\n"));
	}
	report(check("bad.yml", "on: push\njobs:\n  a:\n    runs-on: x\n    stepps: []\n").length > 0, "and refuses a file that is wrong");
} else {
	console.log(`ok ${++count} - GitHub's parser # SKIP ${parser} is not there (.ci/setup test)`);
}
console.log(`1..${count}`);
process.exitCode = failed ? 1 : 0;
