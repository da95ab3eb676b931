/* source.h - the files of actions of other repositories, from bare mirrors.
 *
 *   MIRRORS/OWNER/REPO.git   a bare repository with the branches and tags that were asked for
 *   MIRRORS/recorded.lock    what was fetched where no project's lock said what to take
 *
 * A mirror is filled from SOURCE/OWNER/REPO when it lacks what is asked for, unless offline.  With
 * a lock of the project only what stands in it is given out; without one, what was fetched first
 * is recorded, and is what will be given out from then on.  Either way the files have the digest
 * that stands there, and a ref that names another commit in the mirror by now is refused by name.
 *
 * The digest is SHA-256 over a line for each file, sorted by path: its kind (x, f, l), the SHA-256
 * of its content (of a link: of its target), and its path.  It does not rest on Git's SHA-1.
 *
 * Threads: one at a time; several processes may share MIRRORS.
 */
#ifndef RUNNER_ACTIONS_SOURCE_H
#define RUNNER_ACTIONS_SOURCE_H

#include "base/platform/plat.h"
#include "ci-runner/actions/lock.h"
#include "ci-runner/actions/reference.h"

#define RUNNER_ACTIONS_PUBLISHED "https://github.com"

struct runner_actions;

struct runner_actions_options {
	const char *mirrors;  /* folder, made when it is needed */
	const char *source;   /* address or folder; NULL: RUNNER_ACTIONS_PUBLISHED */
	struct lb_bytes lock; /* the project's, as text; read at once */
	bool locked;          /* the project has one */
	bool offline;         /* nothing is fetched */
};

/* Texts are borrowed.  MALFORMED: a lock that cannot be read. */
lb_err runner_actions_new(struct runner_actions **out, struct lb_mem *mem, struct plat *plat,
                          const struct runner_actions_options *options, struct lb_diag *diag);
void runner_actions_free(struct runner_actions *actions); /* NULL is fine */

/* The files of the repository at `ref` into the folder `into`, which must not exist; on failure it
 * does not.  DENIED: not in the lock, moved, or other files than it says; NOTFOUND: no such
 * repository or ref, or not there and offline; NETWORK and the like. */
lb_err runner_actions_export(char sha[LB_SHA_HEX + 1], struct runner_actions *actions,
                             struct lb_bytes repository, struct lb_bytes ref, const char *into,
                             struct lb_diag *diag);

/* What the ref names where it is published, now (the mirror is brought up to date, unless offline):
 * commit, digest, and the files in `into`, as for export. */
lb_err runner_actions_look_up(char sha[LB_SHA_HEX + 1], char digest[LB_SHA256_HEX + 1],
                              struct runner_actions *actions, struct lb_bytes repository,
                              struct lb_bytes ref, const char *into, struct lb_diag *diag);

/* The files of a commit in `into`, and their digest. */
lb_err runner_actions_digest_of(char digest[LB_SHA256_HEX + 1], struct runner_actions *actions,
                                struct lb_bytes repository, const char *sha, const char *into,
                                struct lb_diag *diag);

#endif
