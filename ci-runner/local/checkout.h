/* checkout.h - what a checkout is called.
 *
 * Threads: one at a time.
 */
#ifndef RUNNER_LOCAL_CHECKOUT_H
#define RUNNER_LOCAL_CHECKOUT_H

#include "base/git/repo.h"

/* OWNER/NAME by its remote `origin`; local/FOLDER for one that came from a folder, or from nowhere.
 * In the arena. */
struct lb_bytes runner_checkout_name(struct lb_arena *arena, struct lb_repo *repo, const char *top);

#endif
