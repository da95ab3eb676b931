#!/usr/bin/env node
// differential.mjs - expressions made at random, and what GitHub's own package makes of each, a JSON object a line.
//
//   differential.mjs MODULES SEED COUNT       {"expr", and "error", "number" or "value"}; the contexts come first
//   differential.mjs MODULES --texts FILE     the same for given ones, a JSON string a line
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, seedText, countText] = process.argv.slice(2);
const { Lexer, Parser, Evaluator, data } = await import(
	pathToFileURL(join(modules, "@actions/expressions/dist/index.js")));

const contexts = {
	github: { ref: "refs/heads/main", sha: "0a1b", actor: "Mona", event: { number: 7, draft: false, label: null,
		labels: [{ name: "Bug", id: 1 }, { name: "docs", id: 2.5 }, { id: -3 }] } },
	env: { A: "1", b: " 2 ", EMPTY: "", HEX: "0xff", Text: "Text", JSON: "{\"k\": [1, null, true, \"x\"]}" },
	matrix: { os: ["linux", "Windows", "macOS"], n: [0, 1, 1.5, -2], nested: { a: { c: 1 }, b: { c: "two" } } },
};

// A small generator with a state that the seed decides (mulberry32).
let state = seedText === "--texts" ? 0 : Number(BigInt(seedText) & 0xffffffffn);
function random(below) {
	state = (state + 0x6d2b79f5) | 0;
	let x = Math.imul(state ^ (state >>> 15), state | 1);
	x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
	return ((x ^ (x >>> 14)) >>> 0) % below;
}
const pick = (list) => list[random(list.length)];

const literals = ["true", "false", "null", "0", "1", "-1", "1.5", "-.5", "+3", "1e3", "0x1F", "0o17", "NaN", "Infinity", "-Infinity",
	"''", "'a'", "'A'", "'1'", "' 1 '", "'0x10'", "'it''s'", "'refs/heads/main'", "'{0}-{1}'", "'{{{0}}}'", "'['", "'true'",
	"'Bug'", "'linux'", "'[1,2]'", "'é'", "'SS'", "'\u{1f600}'"];
const paths = ["github", "github.ref", "github.REF", "github.event.number", "github.event.labels", "github.event.labels.*.name",
	"github.event.labels[0].name", "github.event['draft']", "github.event.nothing.at.all", "GitHub.Actor", "env.A", "env.b", "env.EMPTY",
	"env.HEX", "env.Text", "env.JSON", "matrix.os", "matrix.os[1]", "matrix.os[9]", "matrix.os['0']", "matrix.n.*", "matrix.n[1.5]",
	"matrix.nested.*.c", "matrix.nested['a']", "matrix.nested.*", "unknown", "unknown.a"];
const operators = ["==", "!=", "<", "<=", ">", ">=", "&&", "||"];
const blank = () => pick(["", "", "", " ", "  ", "\n", "\t"]);

function call(depth) {
	const name = pick(["contains", "startsWith", "endsWith", "format", "join", "toJSON", "fromJSON", "case", "CONTAINS", "tojson", "nope"]);
	const usual = { contains: 2, CONTAINS: 2, startsWith: 2, endsWith: 2, format: 3, join: 2, toJSON: 1, tojson: 1, fromJSON: 1, case: 3 };
	const count = random(12) === 0 ? random(5) : usual[name] ?? 1;
	return `${name}(${Array.from({ length: count }, () => expression(depth - 1)).join(`,${blank()}`)})`;
}

function expression(depth) {
	const kind = depth <= 0 ? random(2) : random(10);
	if (kind < 1) return pick(literals);
	if (kind < 3) return pick(paths);
	if (kind < 6) return `${expression(depth - 1)}${blank()}${pick(operators)}${blank()}${expression(depth - 1)}`;
	if (kind < 7) return `(${blank()}${expression(depth - 1)}${blank()})`;
	if (kind < 8) return `!${blank()}${expression(depth - 1)}`;
	if (kind < 9) return call(depth);
	return `${pick(["matrix", "github.event", "fromJSON(env.JSON)"])}[${expression(depth - 1)}]`;
}

// One in eight is spoilt.
function spoil(text) {
	const letters = [...text];
	const at = random(letters.length + 1);
	const other = pick(["(", ")", "[", "]", ".", ",", "*", "'", "!", "=", "&", "|", "-", "_", "$", "0", "a", "\"", "%"]);
	return [...letters.slice(0, at), ...(random(2) === 0 ? letters.slice(at + 1) : [other, ...letters.slice(at)])].join("");
}

function outcome(text) {
	const dictionary = JSON.parse(JSON.stringify(contexts), data.reviver);
	try {
		const tree = new Parser(new Lexer(text).lex().tokens, Object.keys(contexts), []).parse();
		const value = new Evaluator(tree, dictionary).evaluate();
		// JSON has no NaN and no infinity.
		if (value instanceof data.NumberData) return { number: String(value.number()) };
		return { value: JSON.parse(JSON.stringify(value, data.replacer)) };
	} catch (error) {
		return { error: String(error.message) };
	}
}

const show = (text) => console.log(JSON.stringify({ expr: text, ...outcome(text) }));

console.log(JSON.stringify({ contexts }));
if (seedText === "--texts") {
	for (const line of readFileSync(countText, "utf8").split("\n").filter(Boolean)) show(JSON.parse(line));
	process.exit(0);
}
// The differences that the test knows of.
for (const text of ["", "format('a', fromJSON(''))", "join(1, fromJSON(''))", "'ß' < 'T'", "format('a',)", "'a''b''c'", "format('{0!}', 1)"]) show(text);
for (let left = Number(countText); left > 0; left--) {
	const text = expression(random(5));
	show(random(8) === 0 ? spoil(text) : text);
}
