/* wast.h - runs the official tests' scripts.
 *
 * Threads: one at a time.
 */
#ifndef ENGINE_COMMAND_WAST_H
#define ENGINE_COMMAND_WAST_H

#include "base/bytes.h"
#include "base/diag.h"
#include "base/mem.h"
#include "engine/module.h"

#include <stdio.h>

struct engine_wast_options {
	const struct engine_module_options *features; /* NULL: all that is on */
	const struct engine_store_options *limits;    /* NULL: the defaults */
	FILE *to;                                     /* a line for each failure; NULL: none */
	const char *prefix;                           /* before each line; NULL: nothing */
	/* Whether the command at that line is known to fail: it must then.  NULL: none is. */
	bool (*is_known)(void *ctx, size_t line);
	void *ctx;
};

struct engine_wast_counts {
	unsigned commands, assertions; /* of all commands, those that assert */
	unsigned failures;             /* and those known to fail that passed */
	unsigned known;                /* failed as they were said to */
};

/* Run all commands of `text`; `name` is the file's, for messages.  What fails is counted (added
 * to *counts) and the run goes on.  An error is memory, or a script that cannot be read further. */
lb_err engine_wast_run(struct engine_wast_counts *counts, struct lb_mem *mem, struct lb_bytes text,
                       const char *name, const struct engine_wast_options *options,
                       struct lb_diag *diag);

#endif
