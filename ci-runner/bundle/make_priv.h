/* make_priv.h - what the files that make a bundle share. */
#ifndef RUNNER_BUNDLE_MAKE_PRIV_H
#define RUNNER_BUNDLE_MAKE_PRIV_H

#include "base/io/run.h"
#include "base/vec.h"
#include "ci-runner/bundle/make.h"

struct runner_making {
	struct lb_mem *mem;
	struct plat *plat;
	struct lb_arena arena;
	const struct runner_bundle_make *how;
	struct lb_vec tests;     /* of struct runner_test */
	struct lb_vec files;     /* of const char *: absolute, to be shown there again */
	struct lb_vec libraries; /* of const char *: absolute */
	struct lb_diag *diag;
};

/* ---- discover.c ---- */
lb_err runner_discover(struct runner_making *m, const struct runner_source *source);

/* ---- need.c ---- */
/* What a test's command needs: its program where it is no part of the system, the libraries of
 * that, and absolute paths among its arguments. */
lb_err runner_need_command(struct runner_making *m, const char *const *argv);
lb_err runner_need_file(struct runner_making *m, const char *path);

/* The output of a program that has to succeed. */
lb_err runner_output_of(struct lb_buf *out, struct runner_making *m, const char *const *argv,
                        const char *const *env, const char *cwd);

#endif
