/* args_priv.h - what parsing and showing a command line share. */
#ifndef LB_IO_ARGS_PRIV_H
#define LB_IO_ARGS_PRIV_H

#include "base/io/args.h"

struct lb_cli_given {
	const struct lb_option *option;
	const char *value; /* NULL: a flag */
};

/* The index-th command of a program, those that every program has behind its own; NULL past the
 * end. */
const struct lb_command *lb_args_command(const struct lb_program *program, size_t index);

/* The command of that name, or NULL. */
const struct lb_command *lb_args_find(const struct lb_program *program, const char *name);

/* The option at `index`, --help behind the command's own; NULL past the end. */
const struct lb_option *lb_args_option(const struct lb_command *command, size_t index);

/* What to call an option's value, without the words it can be.  pre: it is no flag. */
struct lb_bytes lb_args_value_name(const struct lb_option *option);

/* args_show.c: the tables for people, man and shells. */
void lb_args_show_program(FILE *to, const struct lb_program *program);
void lb_args_show_command(FILE *to, const struct lb_program *program,
                          const struct lb_command *command);
void lb_args_show_manual(FILE *to, const struct lb_program *program, uint64_t wall_ns);

/* args_complete.c: a script for that shell; false where it is not known. */
bool lb_args_show_completion(FILE *to, const struct lb_program *program, const char *shell);

#endif
