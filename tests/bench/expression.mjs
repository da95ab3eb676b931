#!/usr/bin/env node
// expression.mjs - how long GitHub's own package takes for expressions, in nanoseconds of CPU.
//
//   expression.mjs MODULES CONTEXTS TEXTS ROUNDS    CONTEXTS is JSON, TEXTS has a JSON string a line; printed are, for each
//       round, "parse NS" and "evaluate NS" of all of them, and at last "refused COUNT"
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, contextsPath, textsPath, rounds] = process.argv.slice(2);
const { Lexer, Parser, Evaluator, data } = await import(pathToFileURL(join(modules, "@actions/expressions/dist/index.js")));
const contexts = JSON.parse(readFileSync(contextsPath, "utf8"), data.reviver);
const names = contexts.pairs().map(({ key }) => key);
const texts = readFileSync(textsPath, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));

function measure(label, work) {
	const before = process.cpuUsage();
	const result = work();
	const { user, system } = process.cpuUsage(before);
	console.log(`${label} ${(user + system) * 1000}`);
	return result;
}

let refused = 0;
function attempt(work) {
	try {
		return work();
	} catch {
		refused++;
		return undefined;
	}
}

for (let round = 0; round < Number(rounds); round++) {
	refused = 0;
	const trees = measure("parse", () => texts.map((text) => attempt(() => new Parser(new Lexer(text).lex().tokens, names, []).parse())));
	measure("evaluate", () => trees.forEach((tree) => tree && attempt(() => new Evaluator(tree, contexts).evaluate())));
}
console.log(`refused ${refused}`);
