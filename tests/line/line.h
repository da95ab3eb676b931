/* line.h - the real programs on loopback, for tests that span folders.
 *
 * A line is a coordinator with a state folder of its own, runners, and a
 * repository that is pushed to it.  Everything lives below one test folder and ends with
 * line_stop.  Failures are checked in the test and make the function return false.
 */
#ifndef LB_TESTS_LINE_H
#define LB_TESTS_LINE_H

#include "base/http/client.h"
#include "base/platform/process.h"
#include "base/value.h"
#include "tests/harness/test.h"

enum { LINE_RUNNERS_MAX = 4 };

struct line {
	struct test *t;
	struct lb_arena arena;
	struct lb_http_client *http;
	char folder[512], url[64], token[128], sha[64];
	char secret[128]; /* secrets.SECRET, when set before the coordinator is started */
	uint16_t port;
	struct plat_process coordinator, runners[LINE_RUNNERS_MAX];
	bool coordinator_runs, runner_runs[LINE_RUNNERS_MAX];
};

/* Make the folders; nothing runs yet. */
bool line_init(struct line *line, struct test *t);

/* Start (again) on the port it had before; waits until it answers. */
bool line_start_coordinator(struct line *line);
void line_kill_coordinator(struct line *line); /* kill -9, waited for */

bool line_start_runner(struct line *line, unsigned index);
void line_kill_runner(struct line *line, unsigned index);

/* All of that, with so many runners. */
bool line_up(struct line *line, struct test *t, unsigned runners);

/* Ends everything, kindly first; on a failure the last of what the programs said is printed. */
void line_stop(struct line *line);

/* A file of the repository, for the next push. */
bool line_write(struct line *line, const char *path, struct lb_bytes text);

/* Commit `workflow` as .github/workflows/test.yml (and a file README) and push it as main. */
bool line_push(struct line *line, const char *workflow);

/* Start a run of it; 0 when refused (the answer's message is in *message if wanted, in the arena).
 */
uint64_t line_submit(struct line *line, struct lb_bytes *message);

/* Push `workflow`, run it and wait for its end: the run, or NULL (checked). */
const struct lb_value *line_run(struct line *line, const char *workflow, unsigned timeout_s);

/* Any request with the person's token; *status 0 where nothing answered.  The body in the arena,
 * NULL if no JSON. */
const struct lb_value *line_ask(struct line *line, int *status, const char *method,
                                const char *path, const char *body);

/* Wait until a job of the run has this status; NULL after timeout_s. */
const struct lb_value *line_wait_job(struct line *line, uint64_t run, const char *key,
                                     const char *status, unsigned timeout_s);

/* POST /api/v1/runs/RUN/VERB with a JSON body; the answer's status. */
int line_post(struct line *line, uint64_t run, const char *verb, const char *body);

/* The run as JSON once completed, or NULL after timeout_s. */
const struct lb_value *line_wait(struct line *line, uint64_t run, unsigned timeout_s);

const struct lb_value *line_job(const struct lb_value *run, const char *key);

/* Checks how a job of the run ended. */
void line_check_job(struct line *line, const struct lb_value *run, const char *key,
                    const char *conclusion);

/* A job's log (last attempt), as bytes in the arena; false when it cannot be had. */
bool line_log(struct line *line, struct lb_bytes *log, const struct lb_value *job);

/* How many lines of the log are `text` behind their time. */
size_t line_count(struct lb_bytes log, const char *text);

/* The same of a job's log; 0 when there is none. */
size_t line_said(struct line *line, const struct lb_value *run, const char *key, const char *text);

#endif
