/* command.h - workflow commands: "::error file=a.c,line=3::text" in a step's output.
 *
 * The old form "##[error file=a.c;line=3]text" is read too.  Threads: pure functions.
 */
#ifndef RUNNER_TEXT_COMMAND_H
#define RUNNER_TEXT_COMMAND_H

#include "base/arena.h"
#include "base/bytes.h"

enum { RUNNER_PROPERTIES_MAX = 16 };

struct runner_property {
	struct lb_bytes key, value; /* the value unescaped */
};

struct runner_line_command {
	struct lb_bytes name; /* as written */
	struct runner_property properties[RUNNER_PROPERTIES_MAX];
	size_t property_count;
	struct lb_bytes data; /* unescaped */
};

/* Is this line a command?  Names and values live in `line` or `arena`; with the arena out of memory
 * (it keeps that) the answer is no. */
bool runner_line_command_read(struct runner_line_command *out, struct lb_arena *arena,
                              struct lb_bytes line);

/* The value of a property, names compared without regard to case; empty where there is none. */
struct lb_bytes runner_line_command_get(const struct runner_line_command *command, const char *key);

#endif
