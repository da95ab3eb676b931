/* args.h - a command line as tables: parsing, help, manual page and completion.
 *
 * A program is a table of commands, a command a table of options.  lb_main does
 * the rest: `PROGRAM help [COMMAND]`, `--help` and `COMMAND --help`, `--version`,
 * `PROGRAM completion bash|zsh|fish`, and `PROGRAM manual`, which prints the
 * manual page (mdoc, dated by SOURCE_DATE_EPOCH where that is set) from the same
 * tables.  Long options only as --name VALUE or --name=VALUE, short ones as
 * -n VALUE; `--` ends the options.
 *
 * A command that fails is reported as "PROGRAM COMMAND: prose" on cli->err, with
 * the prose of cli->diag or else the error's text; a USAGE error is followed by
 * "see PROGRAM COMMAND --help".  Nothing is reported of one that returns LB_OK.
 *
 * Exit statuses: 0 success, 1 the answer is no, 2 usage, 3 bad input, 4 memory,
 * disk or network; a command may say another through cli->exit_status.
 */
#ifndef LB_IO_ARGS_H
#define LB_IO_ARGS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/diag.h"
#include "base/platform/plat.h"

#include <stdio.h>

struct lb_option {
	const char *name; /* without dashes; NULL ends the table */
	char letter;      /* 0: none */
	/* What to call its value ("FILE"); NULL: a flag.  Words that it can be are completed: those
	 * of "one|two", or what stands behind a line end, with blanks between, and is not shown
	 * ("EVENT\npush pull_request"). */
	const char *value;
	const char *about; /* one line */
};

struct lb_cli {
	const struct lb_program *program;
	const struct lb_command *command;
	struct lb_mem *mem;
	struct plat *plat;
	struct lb_arena arena; /* lives as long as the command */
	FILE *out, *err;
	struct lb_diag diag;   /* what a failing command says */
	const char **operands; /* what is left beside the options; ends with NULL */
	int operand_count;
	int exit_status;            /* -1: from the error's class */
	struct lb_cli_given *given; /* options as they came */
	int given_count;
};

struct lb_command {
	const char *name;                /* NULL ends the table */
	const char *operands;            /* "FILE [ARG...]"; "" for none */
	const char *about;               /* one line */
	const struct lb_option *options; /* NULL: none */
	int operands_min, operands_max;  /* max -1: any number */
	bool stop_at_operand; /* everything from the first operand on belongs to it (run FILE ARGS)
	                       */
	lb_err (*run)(struct lb_cli *cli);
	/* Paragraphs for help and manual, an empty line between them; lines that start with a blank
	 * are shown as they are.  NULL: none. */
	const char *details;
};

struct lb_program {
	const char *name, *about;
	const struct lb_command *commands;
	const char *details; /* NULL: none */
	/* Called for a first word that is no command, with argv[0] being that word (`help WORD`
	 * calls it with "--help" behind the word).  NOTFOUND without prose: there is no such
	 * command. NULL: an unknown command is a usage error. */
	lb_err (*otherwise)(struct lb_cli *cli, int argc, char **argv);
};

/* The whole of main(): returns the exit status. */
int lb_main(const struct lb_program *program, int argc, char **argv);

/* The same against given memory, world and streams, for tests. */
int lb_main_with(const struct lb_program *program, struct lb_mem *mem, struct plat *plat, FILE *out,
                 FILE *err, int argc, char **argv);

bool lb_cli_flag(const struct lb_cli *cli, const char *name);
const char *lb_cli_value(const struct lb_cli *cli,
                         const char *name); /* the last one; NULL: not given */

/* Repeated options: start with *at = 0; NULL when there are no more. */
const char *lb_cli_next(const struct lb_cli *cli, const char *name, int *at);

/* A whole number between min and max; `otherwise` when not given; USAGE with prose when it is none.
 */
lb_err lb_cli_number(uint64_t *out, struct lb_cli *cli, const char *name, uint64_t otherwise,
                     uint64_t min, uint64_t max);

#endif
