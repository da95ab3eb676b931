/* fixture.h - a queue over a temporary state folder, a clock that tests turn, commits in a mirror.
 */
#ifndef LB_TESTS_COORDINATOR_FIXTURE_H
#define LB_TESTS_COORDINATOR_FIXTURE_H

#include "base/platform/plat.h"
#include "coordinator/queue/queue.h"
#include "coordinator/store/read.h"
#include "tests/harness/test.h"

/* The host's world, but for its clocks, which are ahead by what the test says; and with a disk that
 * is full when the test says so. */
struct fixture_world {
	struct plat plat; /* first member */
	struct plat_ops ops;
	uint64_t ahead_ns;
	bool disk_full;
};

struct fixture {
	struct test *t;
	struct fixture_world world;
	struct coord_store *store;
	struct coord_queue *queue;
	struct lb_arena arena; /* lives as long as the fixture */
	char state[512], logs[600], repositories[600];
	char sha[41];
	unsigned wakes;
};

void fixture_world_init(struct fixture_world *world);
void fixture_advance(struct fixture *f, uint64_t ms);

/* A state folder, open; reopen is what a killed coordinator's successor does. */
bool fixture_open(struct fixture *f, struct test *t);
bool fixture_reopen(struct fixture *f);
void fixture_close(struct fixture *f);

/* Commit a file to the mirror acme/demo, as refs/heads/main; its sha in `sha`.  A function of its
 * own needs no fixture. */
bool fixture_commit(struct fixture *f, const char *path, const char *content);
bool fixture_commit_in(char sha[41], struct test *t, const char *repositories, const char *path,
                       const char *content);

/* ---- short forms; each reports where it fails ---- */

uint64_t fixture_submit(struct fixture *f); /* .github/workflows/ci.yml of the last commit; 0 */

/* What was leased: empty `lease` where there was nothing. */
struct fixture_lease {
	struct coord_claim claim;
	uint64_t run_id, job_id, attempt;
	struct lb_bytes key;
	struct lb_value *message;
};
struct lb_bytes fixture_session(struct fixture *f, const char *name, const char *labels);
struct fixture_lease fixture_lease(struct fixture *f, struct lb_bytes session);
lb_err fixture_log(struct fixture *f, const struct fixture_lease *lease, uint64_t offset,
                   const char *text);
lb_err fixture_complete(struct fixture *f, const struct fixture_lease *lease,
                        const char *conclusion, const char *outputs, uint64_t log_size);

struct lb_value *fixture_run(struct fixture *f, uint64_t run_id);
/* The job of that key in a run as fixture_run has it; NULL. */
const struct lb_value *fixture_job(const struct lb_value *run, const char *key);

#endif
