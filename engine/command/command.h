/* command.h - what the commands of lifeboat-engine share. */
#ifndef ENGINE_COMMAND_COMMAND_H
#define ENGINE_COMMAND_COMMAND_H

#include "base/buf.h"
#include "base/io/args.h"
#include "engine/linker.h"
#include "engine/plugin/load.h"
#include "engine/wasi/wasi.h"

enum { ENGINE_FILE_BYTES_MAX = 1 << 30 }; /* of a module's file */

/* Exit statuses beside the program's own (see `run --help`). */
enum { ENGINE_EXIT_ENV = 4, ENGINE_EXIT_TIMEOUT = 124, ENGINE_EXIT_TRAP = 134 };

/* Report a failure that is not the program's: with the name (NULL: none) before the prose, and
 * never with status 1, which is one that programs end with. */
lb_err engine_command_fail(struct lb_cli *cli, lb_err err, const char *name);

/* A file's bytes. */
lb_err engine_command_read(struct lb_buf *out, struct lb_cli *cli, const char *path);

/* The same of a module, in the binary form also where the file has the text. */
lb_err engine_command_read_module(struct lb_buf *out, struct lb_cli *cli, const char *path);

/* A module from a file, binary or text.  The caller frees it. */
lb_err engine_command_load(struct engine_module **out, struct lb_cli *cli, const char *path);

/* What `-W FEATURE=y|n` allows and refuses; USAGE with prose. */
lb_err engine_command_features(struct engine_module_options *out, struct lb_cli *cli);

#define ENGINE_FEATURE_OPTION \
	{ \
		"wasm", 'W', "FEATURE=y|n", \
			"allow or refuse a part of the language (see features); again for more" \
	}

/* A number from the command line as that type: USAGE with prose where it is none.  Numbers only. */
lb_err engine_command_value(union engine_value *out, const char *text, engine_type type,
                            struct lb_diag *diag);
void engine_command_show_value(FILE *to, union engine_value value, engine_type type);

/* The part of this machine that a program sees, and the options that say which. */
struct engine_world {
	struct wasi *wasi;
	struct engine_plugin **plugins;
	size_t plugin_count;
	int *sockets;
	size_t socket_count;
};

/* clang-format off */
#define ENGINE_WORLD_OPTIONS \
	{ "dir", 0, "HOST[::GUEST][:ro]", "give the program a folder; again for more" }, \
	{ "listen", 0, "[HOST:]PORT", "give it a socket that listens there; again for more" }, \
	{ "allow-host-fs", 0, NULL, "give it every file of this machine" }, \
	{ "allow-net", 0, NULL, "let it make connections of its own (\"lifeboat_net\")" }, \
	{ "env", 0, "NAME[=VALUE]", "give it a variable; without VALUE, the one that is set here" }, \
	{ "trace", 0, NULL, "show each call of WASI on standard error" }, \
	{ "plugin", 0, "LIB[=OPTIONS]", "load a host module from a shared library; again for more" }, \
	{ "argv0", 0, "NAME", "what the program is told its name is; FILE otherwise" }
/* clang-format on */

/* All-zero before; closed in any case, after the store.  USAGE, or why something cannot be had,
 * with prose. */
lb_err engine_world_open(struct engine_world *world, struct lb_cli *cli);
lb_err engine_world_link(struct engine_world *world, struct engine_linker *linker,
                         struct lb_cli *cli);
void engine_world_close(struct engine_world *world, struct lb_cli *cli);

/* Ends what runs in the store `ms` from now, whatever it does, unless freed before.  A run that
 * waits in the system ends with the process. */
struct engine_timeout;
lb_err engine_timeout_new(struct engine_timeout **out, struct lb_mem *mem,
                          struct engine_store *store, uint64_t ms, const char *file);
void engine_timeout_free(struct engine_timeout *timeout); /* NULL is fine */

extern const struct lb_option engine_run_options[], engine_wat2wasm_options[],
	engine_wasm2wat_options[], engine_wizer_options[], engine_feature_options[];

lb_err engine_cmd_run(struct lb_cli *cli);
lb_err engine_cmd_wizer(struct lb_cli *cli);
lb_err engine_cmd_validate(struct lb_cli *cli);
lb_err engine_cmd_inspect(struct lb_cli *cli);
lb_err engine_cmd_ops(struct lb_cli *cli);
lb_err engine_cmd_features(struct lb_cli *cli);
lb_err engine_cmd_wast(struct lb_cli *cli);
lb_err engine_cmd_wat2wasm(struct lb_cli *cli);
lb_err engine_cmd_wasm2wat(struct lb_cli *cli);

#endif
