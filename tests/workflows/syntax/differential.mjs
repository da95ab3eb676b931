#!/usr/bin/env node
// differential.mjs - workflow files, real ones and ones spoilt at random, and what GitHub's own package makes of each.
//
//   differential.mjs MODULES CORPUS SEED EVERY COUNT     every EVERY-th file, then COUNT spoilt ones; a JSON object a line:
//   differential.mjs MODULES --texts FILE                given ones, a JSON string a line
//       {"name", "source" of a spoilt one, "yaml": why it is no YAML, "errors": [[line, column, message], ...] of reading it by
//       the schema, "tree": what was read, "converted": the errors of converting it, where reading found none}
import { readdirSync, readFileSync, existsSync } from "node:fs";
import { register } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, corpus, seedText, everyText, countText] = process.argv.slice(2);
// The package imports JSON without saying so, which Node refuses: say it for it.
register("data:text/javascript," + encodeURIComponent(`
	export function load(url, context, next) {
		return next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context);
	}`));
const load = (path) => import(pathToFileURL(join(modules, "@actions", path)));
const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = await load("workflow-parser/dist/index.js");
const { TemplateContext, TemplateValidationErrors } = await load("workflow-parser/dist/templates/template-context.js");
const { getWorkflowSchema } = await load("workflow-parser/dist/workflows/workflow-schema.js");
const { YamlObjectReader } = await load("workflow-parser/dist/workflows/yaml-object-reader.js");
const { FeatureFlags } = await load("expressions/dist/features.js");

// An editor wants the text of a scalar as it stands in the file, GitHub's service the text that it means.
const literal = YamlObjectReader.getLiteralToken;
YamlObjectReader.getLiteralToken = (...args) => Object.assign(literal(...args), { source: undefined, blockScalarHeader: undefined });

// ---- what the package makes of a file ----

const bits = new DataView(new ArrayBuffer(8));
function number(value) {
	bits.setFloat64(0, value);
	return bits.getBigUint64(0).toString(16);
}

// As differential_test.c writes it: kind, place, value, 0x01.
const kinds = "SLMEIBN0";
function tree(token) {
	const kind = kinds[token.templateTokenType];
	const head = kind === "0" || token.value === "" ? `${kind}0:0 ` : `${kind}${token.line}:${token.col} `;
	switch (kind) {
	case "S": return `${head}${token.value}\u0001`;
	case "E": return `${head}${token.expression}\u0001`;
	case "B": return `${head}${token.value}\u0001`;
	case "N": return `${head}${number(token.value)}\u0001`;
	case "L": return `${head}[${Array.from({ length: token.count }, (_, i) => tree(token.get(i))).join("")}]`;
	case "M": return `${head}{${Array.from({ length: token.count }, (_, i) => tree(token.get(i).key) + tree(token.get(i).value)).join("")}}`;
	default: return head;
	}
}

const plain = (errors) => errors.map((error) => {
	const place = /\(Line: (\d+), Col: (\d+)\)$/.exec(error.prefix);
	return [place ? Number(place[1]) : 0, place ? Number(place[2]) : 0, error.rawMessage];
});

async function outcome(name, content) {
	const { errors: wrong } = new YamlObjectReader(1, content).doc;
	if (wrong.length > 0) return { yaml: wrong[0].code };
	const context = new TemplateContext(new TemplateValidationErrors(), getWorkflowSchema(), new NoOperationTraceWriter());
	context.state.featureFlags = new FeatureFlags({ all: true });
	try {
		const { value } = parseWorkflow({ name, content }, context);
		const errors = plain(context.errors.getErrors());
		if (errors.length > 0 || value === undefined) return { errors };
		const text = tree(value);
		await convertWorkflowTemplate(context, value, undefined, { featureFlags: context.state.featureFlags });
		return { errors, tree: text, converted: plain(context.errors.getErrors()) };
	} catch (error) {
		return { crash: String(error.message) };
	}
}

const show = async (name, content, extra) => console.log(JSON.stringify({ name, ...extra, ...await outcome(name, content) }));
if (corpus === "--texts") {
	for (const line of readFileSync(seedText, "utf8").split("\n").filter(Boolean))
		await show("given", JSON.parse(line), { source: JSON.parse(line) });
	process.exit(0);
}

// ---- files ----

const files = [];
for (const repository of readdirSync(corpus).sort()) {
	const folder = join(corpus, repository, ".github/workflows");
	if (!existsSync(folder)) continue;
	for (const name of readdirSync(folder).sort())
		if (/\.ya?ml$/.test(name)) files.push(join(folder, name));
}

// A small generator with a state that the seed decides (mulberry32).
let state = Number(BigInt(seedText ?? 0) & 0xffffffffn);
function random(below) {
	state = (state + 0x6d2b79f5) | 0;
	let x = Math.imul(state ^ (state >>> 15), state | 1);
	x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
	return ((x ^ (x >>> 14)) >>> 0) % below;
}
const pick = (list) => list[random(list.length)];

const keys = ["name", "on", "jobs", "env", "if", "needs", "strategy", "matrix", "include", "exclude", "fail-fast", "max-parallel", "runs-on",
	"steps", "uses", "with", "run", "shell", "working-directory", "id", "timeout-minutes", "continue-on-error", "container", "services",
	"environment", "permissions", "concurrency", "outputs", "defaults", "secrets", "snapshot", "background", "parallel", "wait", "wait-all",
	"cancel", "group", "labels", "cancel-in-progress", "queue", "url", "deployment", "types", "branches", "paths-ignore", "tags", "inputs",
	"required", "default", "type", "description", "image", "ports", "credentials", "contents", "id-token", "nonsense", "run-name"];
const values = ["", "null", "~", "true", "false", "no", "0", "1.5", "0x1F", "1e3", ".inf", ".nan", "-3", "''", "\"\"", "text", "'quoted'", "[]", "{}",
	"[a, b]", "{ a: b }", "write", "read-all", "inherit", "max", "push", "2024-01-01", "08", "1_000", "!!str 3", "a #b", "\"\\u00e9\\n\"",
	"${{ github.ref }}", "${{ matrix.os }}", "x-${{ inputs.a }}-${{ vars.B }}", "${{ secrets.TOKEN }}", "${{ needs.a.outputs.b == 1 }}",
	"${{ fromJSON('{}') }}", "${{ success() }}", "${{ always() }}", "${{ hashFiles('a') }}", "${{ steps.a.outputs.b }}", "${{ env.A }}",
	"${{ nothing }}", "${{ 'text' }}", "${{", "${{ }}", "${{ a b }}", "${{ insert }}", "${{ case(true, 1, 2) }}", "success() && a", "!cancelled()",
	"./.github/workflows/a.yml", "$/a", "owner/repo@v1", "docker://alpine:3", "ubuntu-latest", "|", ">-"];

// Lines, so that what comes out is mostly still YAML.
function spoil(source) {
	const lines = source.split("\n");
	for (let left = 1 + random(3); left > 0; left--) {
		const at = random(lines.length);
		const line = lines[at];
		const indent = /^[ -]*/.exec(line)[0];
		const pair = /^([ -]*)([\w-]+):( .*)?$/.exec(line);
		switch (random(10)) {
		case 0: lines.splice(at, 1); break;
		case 1: lines.splice(at, 0, line); break;
		case 2: lines.splice(at, 0, `${" ".repeat(indent.length)}${pick(keys)}: ${pick(values)}`); break;
		case 3: [lines[at], lines[(at + 1) % lines.length]] = [lines[(at + 1) % lines.length], line]; break;
		case 4: lines[at] = random(2) === 0 ? `  ${line}` : line.replace(/^ {2}/, ""); break;
		case 5: if (pair) lines[at] = `${pair[1]}${pick(keys)}:${pair[3] ?? ""}`; break;
		case 6: if (/^ *- /.test(line)) lines[at] = `${/^ */.exec(line)[0]}- ${pick(values)}`; break;
		default: if (pair) lines[at] = `${pair[1]}${pair[2]}: ${pick(values)}`; break;
		}
	}
	return lines.join("\n");
}

// The differences that the test knows of.
const job = (text) => `on: push\njobs:\n  a:\n    runs-on: x\n${text}`;
const known = [job("    steps:\n      - name: x\n"), job("    env: ${{ fromJSON('{}') }}\n"), job("    steps:\n      - uses: text\n"),
	"on: { schedule: [{ cron: '0 6 * * * ' }] }\njobs: { a: { runs-on: x } }\n", "on: { push: { nothing: '${{ a }}' } }\njobs: { a: { runs-on: x } }\n",
	job("    if: a '\n"), job("    timeout-minutes: !!str 3\n"), job("    if: >-\n      ${{ true\n       || false }}\n"),
	job("    if: !cancelled()\n"), job("    name: \"a\nb\"\n"), job("    steps:\n      - run: |\n          x"), job("    name: &a x\n")];
for (const source of known) await show("known", source, { source });
for (let i = 0; i < files.length; i += Number(everyText)) await show(files[i], readFileSync(files[i], "utf8"));
const small = files.filter((file) => readFileSync(file).length < 6000);
for (let left = Number(countText); left > 0; left--) {
	const source = spoil(readFileSync(pick(small), "utf8"));
	await show(`spoilt-${left}.yml`, source, { source });
}
