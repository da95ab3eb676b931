/* inside_priv.h - what the kinds of request share. */
#ifndef RUNNER_INSIDE_INSIDE_PRIV_H
#define RUNNER_INSIDE_INSIDE_PRIV_H

#include "ci-runner/inside/inside.h"

/* A string of the request, terminated, in the arena; NULL where there is none. */
const char *runner_inside_text(struct runner_inside *in, const char *name);
lb_err runner_inside_need(const char **out, struct runner_inside *in, const char *name,
                          struct lb_diag *diag);

lb_err runner_inside_hash(struct runner_inside *in, struct lb_diag *diag);
lb_err runner_inside_pack(struct runner_inside *in, struct lb_diag *diag);
lb_err runner_inside_unpack(struct runner_inside *in, struct lb_diag *diag);
lb_err runner_inside_save(struct runner_inside *in, struct lb_diag *diag);
lb_err runner_inside_restore(struct runner_inside *in, struct lb_diag *diag);
/* What a request for a checkout asks for beyond the files of a commit. */
lb_err runner_inside_extras(struct runner_inside *in, const char *folder, struct lb_diag *diag);
lb_err runner_inside_checkout(struct runner_inside *in, struct lb_diag *diag);

#endif
