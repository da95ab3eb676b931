/* inside.h - requests that the runner makes of itself inside a job's sandbox.
 *
 * A request is an object with `do` and what belongs to it; so is the answer.
 *
 *   hash      root patterns                     -> hash
 *   pack      root home paths hidden to         -> count      (a zip of the files found)
 *   unpack    from into
 *   save      root home paths to                -> count      (a tar.zst of what was found)
 *   restore   from root home scratch
 *   checkout  folder url ref [sha] [header] scratch [overlay files] [keep tags sparse cone
 * submodules modules lfs]                                                              -> sha
 *
 * Threads: one request at a time.
 */
#ifndef RUNNER_INSIDE_INSIDE_H
#define RUNNER_INSIDE_INSIDE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/platform/plat.h"
#include "base/value.h"

#include <stdio.h>

struct runner_inside {
	struct lb_arena *arena;
	struct lb_mem *mem;
	struct plat *plat;
	FILE *out; /* becomes the step's log */
	const struct lb_value *request;
	struct lb_value *answer; /* object, to be filled */
};

/* Do what is asked.  INVALID for an unknown `do`. */
lb_err runner_inside_do(struct runner_inside *in, struct lb_diag *diag);

/* The whole of `lifeboat-runner inside`: the request from standard input, the answer into the file
 * that it names.  Where the request failed, *failed, the answer's member `error` says why. */
lb_err runner_inside_serve(bool *failed, struct lb_mem *mem, struct plat *plat, FILE *out,
                           struct lb_diag *diag);

#endif
