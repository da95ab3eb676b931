#!/usr/bin/env node
// yaml_differential.mjs - YAML texts, and what the npm package `yaml`, with which GitHub's own reads workflows, makes of each:
// a JSON object a line.
//
//   yaml_differential.mjs MODULES CORPUS SEED COUNT
//
// First the texts whose difference is known, then the files of CORPUS (- for none), then COUNT texts made at random.
// {"yaml", and "error" or "nodes": kind, line, column, tag, and text or count, node after node}
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, corpus, seedText, countText] = process.argv.slice(2);
const YAML = await import(pathToFileURL(join(modules, "yaml/dist/index.js")));
const { Alias, LineCounter, isMap, isPair, isScalar, isSeq, parseDocument } = YAML.default ?? YAML;

// A small generator with a state that the seed decides (mulberry32).
let state = Number(BigInt(seedText) & 0xffffffffn);
function random(below) {
	state = (state + 0x6d2b79f5) | 0;
	let x = Math.imul(state ^ (state >>> 15), state | 1);
	x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
	return ((x ^ (x >>> 14)) >>> 0) % below;
}
const pick = (list) => list[random(list.length)];
const some = (most, make) => Array.from({ length: random(most + 1) }, make);

// ---- what the package makes of a text ----

const styles = { PLAIN: "plain", QUOTE_SINGLE: "single", QUOTE_DOUBLE: "double", BLOCK_LITERAL: "literal", BLOCK_FOLDED: "folded" };
const LIMITS = { nodes: 1000000, depth: 50 };

function outcome(text) {
	const lines = new LineCounter();
	const document = parseDocument(text, { version: "1.2", schema: "failsafe", uniqueKeys: false, merge: false, logLevel: "error",
		prettyErrors: false, lineCounter: lines });
	if (document.errors.length > 0) return { error: document.errors[0].code };
	const nodes = [], open = new Set();
	let count = 0;

	// Columns in code points; [0, 0] where the place is a matter of taste.
	function place(node, paired) {
		const first = isMap(node) ? node.items[0]?.key : node;
		if (!node?.range || (!isSeq(node) && (first?.tag || first?.anchor)) || node.range[0] === node.range[1]) return [0, 0];
		if ((isMap(node) && !(first?.range[0] < first?.range[1])) || (paired && first.range[0] === node.range[0])) return [0, 0];
		const { line } = lines.linePos(node.range[0]);
		return [line, [...text.slice(lines.lineStarts[line - 1], node.range[0])].length + 1];
	}
	function walk(node, depth, paired = false) {
		if (node instanceof Alias) {
			const target = node.resolve(document);
			if (target === undefined) throw new Error("UNRESOLVED_ALIAS");
			if (open.has(target)) throw new Error("RECURSIVE_ALIAS");
			return walk(target, depth);
		}
		if (++count > LIMITS.nodes || depth > LIMITS.depth) throw new Error("LIMIT");
		if (isPair(node)) return walk(node.key, depth), walk(node.value, depth);
		if (!isMap(node) && !isSeq(node)) {
			nodes.push(styles[node?.type ?? "PLAIN"], ...place(node), node?.tag ?? "", (node?.value ?? "").toWellFormed());
			return undefined;
		}
		open.add(node);
		const items = node.items.filter((item) => item !== null);
		nodes.push(isMap(node) ? "map" : "seq", ...place(node, paired), node.tag ?? "", isMap(node) ? 2 * items.length : items.length);
		for (const item of items) walk(item, depth + 1, isSeq(node) && node.flow);
		open.delete(node);
		return undefined;
	}
	try {
		if (document.contents !== null) walk(document.contents, 1);
		return { nodes };
	} catch (error) {
		if (!/^[A-Z_]+$/.test(error.message)) throw error;
		return { error: error.message };
	}
}

// ---- texts ----

const files = [];
function collect(folder) {
	for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
		if (entry.isDirectory()) collect(join(folder, entry.name));
		else if (/\.ya?ml$/.test(entry.name)) files.push(join(folder, entry.name));
	}
}

const words = ["a", "b c", "on", "x-1", "1", "~", "é", "\u{1f600}", "a#b", "a:b", "--x", "$" + "{{ a }}", "http://a/b?c=d&e", "*", "?a"];
const tokens = [...words, "- ", "-", "? ", ": ", ":", ", ", ",", "[", "]", "{", "}", "#", " # c", "&a ", "*a", "!t ", "!!str ", "|", ">", "|-", ">+", "|2",
	"'", "''", "\"", "\\n", "\\", "\\x41", "\\u00e9", "%", "@", "`", "---", "...", "%YAML 1.2", "\t", " ", "  ", "    ", "\n", "\n", "\n", "\n ",
	"\n  ", "\n    ", "\n\n", "\r\n"];
const soup = () => some(14, () => pick(tokens)).join("");

const indented = (text, by) => text.split("\n").map((line) => (line ? " ".repeat(by) + line : line)).join("\n");
const gap = () => pick(["\n", "\n", "\n", "\n\n", " # c\n", "\n# c\n", "\t\n"]);
function quoted() {
	const inside = some(5, () => pick([...words, " ", "\n  ", "\n\n  ", "  \n \t", "''", "\\\"", "\\n", "\\\n  ", "\\ ", "\\t"])).join("");
	return pick([`"${inside.replaceAll("''", "'")}"`, `'${inside.replace(/\\./g, "")}'`]);
}
function flow(depth) {
	const kind = depth <= 0 ? random(3) : random(6);
	if (kind < 2) return pick(words);
	if (kind < 3) return quoted();
	const blank = () => pick(["", "", " ", "\n ", " # c\n "]);
	const item = () => blank() + pick(["", "", "&a ", "!t ", "? "]) + flow(depth - 1) + pick(["", ": ", " : ", ":"]) + blank() + pick(["", flow(depth - 1)]);
	return pick(["[]", "{}"]).split("").join(some(3, item).join(pick([",", ", ", " ,"])) + pick(["", "", ","]) + blank());
}
function block() {
	const body = some(4, () => pick(["a\n", "b c\n", "  d\n", "\n", "\t e\n", "# f\n", " \n", "- g\n", "h: i\n"])).join("");
	return pick(["|", ">"]) + pick(["", "", "-", "+", "2", "1-"]) + pick(["", " ", " # c"]) + "\n" + indented(body, 1 + random(3));
}
function node(depth) {
	const kind = depth <= 0 ? random(4) : random(9);
	if (kind < 1) return pick(["", "&a ", "!t ", "!!str "]) + pick(words);
	if (kind < 2) return quoted();
	if (kind < 3) return flow(2);
	if (kind < 4) return block();
	const by = random(3);
	const value = () => pick(["", "", "", "&a ", "!t "]) + node(depth - 1);
	const inner = (text) => (/^[|>'"[{]|^[^\n]*$/.test(text) ? " " + text : (random(2) ? "\n" : " ") + indented(text, by));
	const end = (text) => (text.endsWith("\n") ? text : text + gap());
	if (kind < 6) return some(3, () => end(`-${inner(value())}`)).join("");
	return some(3, () => end(pick([`${pick(words)}:`, `${quoted()}:`, `? ${flow(1)}\n:`, ":"]) + inner(value()))).join("");
}

// A few lines of a real file, spoilt once or twice.
function mutated() {
	const lines = readFileSync(pick(files), "utf8").split("\n");
	const from = random(lines.length);
	const letters = [...lines.slice(from, from + 1 + random(20)).join("\n")];
	for (let times = random(3); times > 0; times--) {
		letters.splice(random(letters.length + 1), random(3), ...pick(["", pick(tokens), pick(tokens), quoted(), flow(1)]));
	}
	return letters.join("");
}

const show = (text) => console.log(JSON.stringify({ yaml: text, ...outcome(text) }));
const ended = (text) => (text.endsWith("\n") ? text : `${text}\n`);

// One for each difference that the test knows of.
for (const text of ["a: [b,\nc]\n", "a: 'b\nc'\n", "[a]#b\n", "\ta\n", "...\na\n", "...\n%b\n", "a: |\n b", "|1\n  \n", "\"a\\\n\n b\"\n", "'a''",
	"? a\n- b\n", "? a\n\t\n ]b\n", ":\n: b\n", "[{!t {}\n}: a]\n", "a:\rb", "- >\r#\n", "a\rb\n",  "a: \u0001\n", "\"\\ud800\"\n"]) show(text);
if (corpus !== "-") collect(corpus);
for (const file of files) show(readFileSync(file, "utf8"));
const kinds = [soup, soup, () => node(3), () => flow(3), files.length > 0 ? mutated : soup];
for (let left = Number(countText); left > 0; left--) show(ended(pick(kinds)()));
