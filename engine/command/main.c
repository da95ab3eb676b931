/* main.c - lifeboat-engine: runs, checks and shows WebAssembly modules. */
#include "engine/command/command.h"

static const char run_details[] =
	"Calls `_start`, or with --invoke any exported function: `_initialize` first where there "
	"is "
	"one, then the function with numbers from the command line; its results are printed, one "
	"a line.\n\n"
	"A program sees of this machine what it is given: its arguments, the three standard "
	"streams, the variables of --env and the folders of --dir, and nothing above or beside "
	"them. HOST:ro and HOST::GUEST:ro give a folder that cannot be changed. Without GUEST the "
	"program knows the folder by the name it has here. --listen gives sockets that listen, "
	"from "
	"descriptor 3 on. Two options hand out more than WASI has: --allow-host-fs every file, as "
	"/ "
	"and ., and --allow-net functions to listen and connect. --plugin loads a host module from "
	"a "
	"shared library (docs/examples/plugin), which can do what this process can.\n\n"
	"--trace shows each call of WASI with its answer. What is behind a trap is shown below it: "
	"the "
	"functions that were under way, the innermost first, with their names where the module has "
	"them.\n\n"
	"The exit status is the program's own. Else: 134 it trapped (128 + SIGABRT, as a native "
	"program that crashes), 124 --timeout ended it, 2 the command line is wrong, 3 FILE is no "
	"module that can be run, 4 a file cannot be read or memory ran out.";

static const char wizer_details[] =
	"Instantiates FILE, calls `_initialize` where there is one, then the export that --init "
	"names, "
	"and writes the module as it stands then: its memory and globals are what they came to, "
	"and it "
	"has no start function. What the start-up allocated, read and computed need not be done "
	"again. "
	"The two functions are no exports any more, unless --keep-init is given.\n\n"
	"Functions that FILE imports need not be there as long as they are not called; with --wasi "
	"it "
	"can use WASI, and sees what the options for that say. Refused are modules that import a "
	"memory, "
	"a table or a mutable global, and what cannot be written down: tables that the start-up "
	"changed, "
	"references of the host.\n\n"
	"Exits 0, or: 134 it trapped, 124 --timeout ended it, 2 the command line is wrong, 3 FILE "
	"is no "
	"module that this can be done to, 4 a file cannot be read or written or memory ran out.";

static const struct lb_command commands[] = {
	{ .name = "run",
	  .operands = "FILE [ARG...]",
	  .about = "run a module: a WASI program, or one function of it",
	  .options = engine_run_options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .stop_at_operand = true,
	  .run = engine_cmd_run,
	  .details = run_details },
	{ .name = "validate",
	  .operands = "FILE...",
	  .about = "check modules; say where and why they are not valid",
	  .options = engine_feature_options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .run = engine_cmd_validate,
	  .details = "Prints nothing where all is well. Exits 3 when one is not valid, 4 when one "
	             "cannot be read." },
	{ .name = "inspect",
	  .operands = "FILE",
	  .about = "show what a module has, takes and gives",
	  .options = engine_feature_options,
	  .operands_min = 1,
	  .operands_max = 1,
	  .run = engine_cmd_inspect },
	{ .name = "wat2wasm",
	  .operands = "FILE",
	  .about = "turn the text of a module into its binary",
	  .options = engine_wat2wasm_options,
	  .operands_min = 1,
	  .operands_max = 1,
	  .run = engine_cmd_wat2wasm,
	  .details = "Checks the syntax only; `validate` checks the rest. The identifiers of the "
	             "text become the names of functions, locals and so on." },
	{ .name = "wasm2wat",
	  .operands = "FILE",
	  .about = "turn the binary of a module into its text",
	  .options = engine_wasm2wat_options,
	  .operands_min = 1,
	  .operands_max = 1,
	  .run = engine_cmd_wasm2wat,
	  .details = "Takes a text, too, and writes it as it writes all. wat2wasm makes the same "
	             "binary of it again." },
	{ .name = "wast",
	  .operands = "FILE...",
	  .about = "run scripts of the official test suite",
	  .options = engine_feature_options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .run = engine_cmd_wast,
	  .details = "Prints each assertion that fails, with its place, and how many there were. "
	             "Exits 0 when all hold, 1 when one does not, 3 when a file is no script, 4 "
	             "when it "
	             "cannot be read." },
	{ .name = "wizer",
	  .operands = "FILE",
	  .about = "run a module's start-up and write the module as it stands then",
	  .options = engine_wizer_options,
	  .operands_min = 1,
	  .operands_max = 1,
	  .run = engine_cmd_wizer,
	  .details = wizer_details },
	{ .name = "features",
	  .operands = "",
	  .about = "list the parts of the language that -W allows and refuses",
	  .run = engine_cmd_features,
	  .details = "One a line, as -W takes it: its name, and =y where it is allowed unless "
	             "refused." },
	{ .name = "ops",
	  .operands = "",
	  .about = "list the instructions that are known",
	  .run = engine_cmd_ops,
	  .details = "One a line: its bytes in hexadecimal, its name." },
	{ 0 },
};

static const struct lb_program program = {
	.name = "lifeboat-engine",
	.about = "run, check and show WebAssembly modules",
	.commands = commands,
};

int main(int argc, char **argv) { return lb_main(&program, argc, argv); }
