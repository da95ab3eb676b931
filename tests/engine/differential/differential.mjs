#!/usr/bin/env node
// differential.mjs - what V8 makes of modules: a line a run, as differential_test.c makes it of ours.
//
//   differential.mjs FILE RUNS     FILE: modules one behind the other, each with its size before it (u32)
import { readFileSync } from "node:fs";

const [file, runs] = process.argv.slice(2);
const bytes = readFileSync(file);

// V8's texts, as classes that both sides tell apart.
const traps = [[/^unreachable/, "unreachable"], [/(divide|remainder) by zero/, "zero"],
	[/unrepresentable/, "overflow"], [/memory access/, "memory"], [/table (index|access)|table element/, "table"],
	[/null function|signature mismatch/, "type"], [/call stack/i, "stack"]];

function classOf(error) {
	const found = traps.find(([pattern]) => pattern.test(error.message));
	return found ? found[1] : `${error.name}: ${error.message}`;
}

function hash(memory) {
	const words = new Uint32Array(memory.buffer);
	let sum = words.length;
	for (let i = 0; i < words.length; i++)
		sum = Math.imul(sum ^ words[i], 0x01000193);
	return (sum >>> 0).toString(16);
}

function run(exports, argument) {
	try {
		return BigInt.asUintN(64, exports.go(argument)).toString(16);
	} catch (error) {
		return classOf(error);
	}
}

let out = "";
for (let at = 0, module = 0; at < bytes.length; module++) {
	const size = bytes.readUInt32LE(at);
	try {
		const code = new WebAssembly.Module(bytes.subarray(at + 4, at + 4 + size));
		const { exports } = new WebAssembly.Instance(code);
		for (let i = 0; i < Number(runs); i++)
			out += `${module} ${i} ${run(exports, i)} ${hash(exports.memory)}\n`;
	} catch (error) {
		out += `${module} refused: ${error.message}\n`;
	}
	at += 4 + size;
}
process.stdout.write(out);
