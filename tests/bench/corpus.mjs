#!/usr/bin/env node
// corpus.mjs - how long GitHub's own package takes for workflow files, in nanoseconds of CPU.
//
//   corpus.mjs MODULES LIST      LIST has a line "ROUNDS GROUP PATH" for each file; printed is, for each round of each group,
//       "GROUP yaml NS" (the npm package `yaml` alone, which it reads with) and "GROUP check NS" (parsed and checked)
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, list] = process.argv.slice(2);
// The package imports JSON without saying so, which Node refuses: say it for it.
register("data:text/javascript," + encodeURIComponent(`
	export function load(url, context, next) {
		return next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context);
	}`));
const load = (path) => import(pathToFileURL(join(modules, path)));
const { parseWorkflow, NoOperationTraceWriter } = await load("@actions/workflow-parser/dist/index.js");
const { parseDocument, LineCounter } = (await load("yaml/dist/index.js")).default;

const groups = new Map();
for (const line of readFileSync(list, "utf8").split("\n").filter(Boolean)) {
	const [rounds, group, ...path] = line.split(" ");
	if (!groups.has(group)) groups.set(group, { rounds: Number(rounds), texts: [] });
	groups.get(group).texts.push(readFileSync(path.join(" "), "utf8"));
}

function measure(label, texts, work) {
	const before = process.cpuUsage();
	for (const text of texts) work(text);
	const { user, system } = process.cpuUsage(before);
	console.log(`${label} ${(user + system) * 1000}`);
}

const trace = new NoOperationTraceWriter();
for (const [group, { rounds, texts }] of groups) {
	for (let round = 0; round < rounds; round++) {
		measure(`${group} yaml`, texts, (text) => parseDocument(text, { lineCounter: new LineCounter(), keepSourceTokens: true }));
		measure(`${group} check`, texts, (content) => parseWorkflow({ name: "workflow.yml", content }, trace));
	}
}
