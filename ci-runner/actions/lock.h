/* lock.h - .lifeboat/actions.lock: which commit a ref named when it was looked at, and its files.
 *
 *   # comment
 *   actions/checkout@v4 11bd71901bbe5b1630ceea73d27597364c9af683 sha256:4a4f...
 *
 * One line a repository and ref, sorted; the digest is that of the files (source.h).
 * Owner: the caller of read, who calls release.  Threads: one at a time.
 */
#ifndef RUNNER_ACTIONS_LOCK_H
#define RUNNER_ACTIONS_LOCK_H

#include "base/data/digest.h"
#include "base/git/repo.h"
#include "base/vec.h"

#define RUNNER_LOCK_FILE ".lifeboat/actions.lock"

enum { RUNNER_LOCK_ENTRIES_MAX = 10000, RUNNER_LOCK_BYTES_MAX = 4 * 1024 * 1024 };

struct runner_lock_entry {
	struct lb_bytes uses; /* "owner/repo@ref" */
	char sha[LB_SHA_HEX + 1];
	char digest[LB_SHA256_HEX + 1];
};

struct runner_lock {
	struct lb_arena arena; /* of the texts */
	struct lb_vec entries; /* of struct runner_lock_entry, sorted by uses */
};

/* An empty text gives an empty lock.  MALFORMED with the line; LIMIT; NOMEM: nothing is kept. */
lb_err runner_lock_read(struct runner_lock *out, struct lb_mem *mem, struct lb_bytes text,
                        const char *name, struct lb_diag *diag);
void runner_lock_release(struct runner_lock *lock);

/* Names of repositories are compared without regard to case, refs with it; NULL: none. */
const struct runner_lock_entry *runner_lock_find(const struct runner_lock *lock,
                                                 struct lb_bytes repository, struct lb_bytes ref);

/* Add or replace. */
lb_err runner_lock_put(struct runner_lock *lock, struct lb_bytes repository, struct lb_bytes ref,
                       const char *sha, const char *digest);

/* The whole file. */
void runner_lock_write(struct lb_buf *out, const struct runner_lock *lock);

#endif
