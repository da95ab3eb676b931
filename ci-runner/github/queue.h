/* queue.h - what only GitHub can do and jobs asked for: the file that replay.c fills, seen and
 * sent.
 *
 * A line of JSON each; see replay.c.  Threads: one at a time; the file may grow meanwhile.
 */
#ifndef RUNNER_GITHUB_QUEUE_H
#define RUNNER_GITHUB_QUEUE_H

#include "base/diag.h"
#include "base/mem.h"
#include "base/platform/plat.h"

#include <stdio.h>

struct runner_queue {
	struct lb_mem *mem;
	struct plat *plat;
	const char *file;
	const char *api;   /* "https://api.github.com", or NULL: only say what is there */
	const char *token; /* of somebody who may do it */
	FILE *out;         /* a line for each */
};

/* Say each request, in order, and send it where `api` is set.  What was accepted, or refused for
 * good (a status of 400 and above, but for 401, 403, 429 and 500 on), leaves the queue; at the
 * first of the others sending ends with an error and it and all behind it stay.  *left is what
 * stays. */
lb_err runner_queue_replay(size_t *left, const struct runner_queue *queue, struct lb_diag *diag);

#endif
