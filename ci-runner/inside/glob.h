/* glob.h - files found by patterns, as @actions/glob does it.
 *
 *   dist/          a folder: everything below it
 *   out/x*.tgz     * and ? and [a-z] within one name, ** for any number of folders
 *   !out/old*      takes away what an earlier pattern found
 *   ~/x  /x        the home; an absolute path; everything else is relative to the root
 *
 * Links to folders are found, not followed; with `descendants`, links that lead nowhere are left
 * out. Threads: any.
 */
#ifndef RUNNER_INSIDE_GLOB_H
#define RUNNER_INSIDE_GLOB_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/platform/plat.h"
#include "base/value.h"

struct runner_glob {
	const char *root, *home;         /* absolute */
	const struct lb_value *patterns; /* array of strings */
	bool hidden;                     /* names that begin with '.' count too */
	bool descendants; /* a folder that matches stands for the files below it, else for itself */
};

struct runner_match {
	const char *path; /* absolute */
	bool folder;      /* or a link to one */
};

struct runner_matches {
	struct runner_match *at; /* sorted by path, each once */
	size_t count;
	const char *top; /* the deepest folder that holds all the patterns search */
};

/* Everything is in `arena`.  INVALID for a pattern with "..", LIMIT, NOMEM, IO. */
lb_err runner_glob_find(struct runner_matches *out, struct lb_arena *arena, struct lb_mem *mem,
                        struct plat *plat, const struct runner_glob *glob, struct lb_diag *diag);

/* Does an absolute path match one absolute pattern? */
bool runner_glob_match(const char *pattern, const char *path);

#endif
