/* rerun_test.c - runs that are run again, cancelled, timed out, or stand in one another's way. */
#include "base/platform/plat.h"
#include "tests/line/line.h"

#include <dirent.h>
#include <unistd.h>

static unsigned attempt_of(const struct lb_value *run, const char *key)
{
	return (unsigned)lb_value_get_number(line_job(run, key), "attempt");
}

TEST(a_rerun_does_again_what_it_is_asked_to)
{
	static const char workflow[] =
		"on: workflow_dispatch\n"
		"jobs:\n"
		"  good:\n"
		"    runs-on: ubuntu-latest\n"
		"    outputs: { word: '${{ steps.say.outputs.word }}' }\n"
		"    steps:\n"
		"      - { id: say, run: 'echo word=kept >> \"$GITHUB_OUTPUT\"' }\n"
		"  bad:\n"
		"    runs-on: ubuntu-latest\n"
		"    steps:\n"
		"      - run: echo \"attempt is\" $GITHUB_RUN_ATTEMPT; test $GITHUB_RUN_ATTEMPT "
		"-gt 1\n"
		"  after:\n"
		"    needs: [good, bad]\n"
		"    runs-on: ubuntu-latest\n"
		"    steps:\n"
		"      - run: echo \"word is\" ${{ needs.good.outputs.word }}\n";
	struct line line;
	const struct lb_value *run;
	struct lb_bytes log;
	uint64_t id = 0;
	char path[64];
	int status;

	if (line_up(&line, t, 2) && line_push(&line, workflow))
		id = line_submit(&line, NULL);
	run = line_wait(&line, id, 30);
	CHECK_BYTES(lb_value_get_string(run, "conclusion"), "failure");
	line_check_job(&line, run, "good", "success");
	line_check_job(&line, run, "bad", "failure");
	line_check_job(&line, run, "after", "skipped");

	CHECK(line_post(&line, id, "rerun", "{\"failed\": true}") == 200);
	CHECK(line_post(&line, id, "rerun", "{}") == 409); /* one is under way */
	run = line_wait(&line, id, 30);
	CHECK_BYTES(lb_value_get_string(run, "conclusion"), "success");
	CHECK((unsigned)lb_value_get_number(run, "attempt") == 2);
	CHECK(attempt_of(run, "good") == 1 && attempt_of(run, "bad") == 2);
	CHECK(line_said(&line, run, "bad", "attempt is 2") == 1);
	CHECK(line_said(&line, run, "after", "word is kept") == 1); /* of the first attempt */
	(void)snprintf(path, sizeof path, "/api/v1/jobs/%.0f/log?attempt=1",
	               lb_value_get_number(line_job(run, "bad"), "id"));
	(void)line_ask(&line, &status, "GET", path, NULL);
	CHECK(status == 200);

	CHECK(line_post(&line, id, "rerun", "{}") == 200);
	run = line_wait(&line, id, 30);
	CHECK_BYTES(lb_value_get_string(run, "conclusion"), "success");
	CHECK(attempt_of(run, "good") == 2 && attempt_of(run, "bad") == 3 &&
	      attempt_of(run, "after") == 2);
	CHECK(line_said(&line, run, "bad", "attempt is 3") == 1);
	CHECK(line_log(&line, &log, line_job(run, "good")));
	CHECK(line_post(&line, 99, "rerun", "{}") == 404);
	line_stop(&line);
}

/* How many processes of this machine have the word among their arguments. */
static unsigned processes_with(const char *word)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	unsigned count = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char path[300], arguments[2048] = "";
		FILE *file;
		size_t len;

		(void)snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
		file = fopen(path, "re");
		if (file == NULL)
			continue;
		len = fread(arguments, 1, sizeof arguments, file);
		(void)fclose(file);
		count += lb_bytes_find((struct lb_bytes){ (const unsigned char *)arguments, len },
		                       lb_bytes_of(word)) != SIZE_MAX;
	}
	if (folder != NULL)
		(void)closedir(folder);
	return count;
}

/* Within ten seconds: a process that was just started may still carry its parent's arguments. */
static bool wait_for_processes(const char *word, unsigned least, unsigned most)
{
	for (unsigned i = 0; i < 500; i++) {
		unsigned count = processes_with(word);

		if (count >= least && count <= most)
			return true;
		plat_host.ops->sleep_ns(&plat_host, 20000000);
	}
	return false;
}

static bool wait_for_line(struct line *line, uint64_t run, const char *key, const char *text)
{
	for (unsigned i = 0; i < 500; i++) {
		const struct lb_value *job = line_wait_job(line, run, key, "in_progress", 10);
		struct lb_bytes log;

		if (job != NULL && line_log(line, &log, job) && line_count(log, text) > 0)
			return true;
		plat_host.ops->sleep_ns(&plat_host, 20000000);
	}
	return false;
}

/* A second sleep has left its step's session, a third ignores what it is sent. */
TEST(a_cancelled_run_leaves_no_process)
{
	static const char form[] = "on: workflow_dispatch\n"
				   "jobs:\n"
				   "  long:\n"
				   "    runs-on: ubuntu-latest\n"
				   "    steps:\n"
				   "      - run: |\n"
				   "          setsid sleep %s &\n"
				   "          (trap '' TERM INT HUP; sleep %s) &\n"
				   "          echo \"it\" runs\n"
				   "          sleep %s\n"
				   "      - run: echo \"never\" reached\n"
				   "      - { if: cancelled(), run: 'echo \"cleans\" up' }\n"
				   "      - { if: failure(), run: 'echo \"not a\" failure' }\n"
				   "  after:\n"
				   "    needs: long\n"
				   "    runs-on: ubuntu-latest\n"
				   "    steps:\n"
				   "      - run: echo \"never\" reached\n";
	char word[32], workflow[1024]; /* a number that no other run of this test has */
	struct line line;
	const struct lb_value *run;
	uint64_t id = 0;

	(void)snprintf(word, sizeof word, "4817.%06u", (unsigned)getpid());
	(void)snprintf(workflow, sizeof workflow, form, word, word, word);
	if (line_up(&line, t, 1) && line_push(&line, workflow))
		id = line_submit(&line, NULL);
	CHECK(id != 0 && wait_for_line(&line, id, "long", "it runs"));
	CHECK(wait_for_processes(word, 3, 99));
	CHECK(line_post(&line, id, "cancel", "{}") == 200);
	run = line_wait(&line, id, 40);
	CHECK_BYTES(lb_value_get_string(run, "conclusion"), "cancelled");
	line_check_job(&line, run, "long", "cancelled");
	CHECK(line_said(&line, run, "long", "cleans up") == 1);
	CHECK(line_said(&line, run, "long", "never reached") == 0);
	CHECK(line_said(&line, run, "long", "not a failure") == 0);
	CHECK(wait_for_processes(word, 0, 0));
	CHECK(line_post(&line, id, "cancel", "{}") == 200); /* asked twice is asked once */
	line_stop(&line);
}

TEST(a_queued_run_can_be_cancelled)
{
	struct line line;
	const struct lb_value *run;
	uint64_t id = 0;

	if (line_up(&line, t, 0) &&
	    line_push(&line, "on: workflow_dispatch\njobs:\n  a:\n    runs-on: ubuntu-latest\n"
	                     "    steps: [{ run: 'true' }]\n"))
		id = line_submit(&line, NULL);
	CHECK(line_post(&line, id, "cancel", "{}") == 200);
	run = line_wait(&line, id, 10);
	CHECK_BYTES(lb_value_get_string(run, "conclusion"), "cancelled");
	line_check_job(&line, run, "a", "cancelled");
	line_stop(&line);
}

#define SLOW \
	"jobs:\n" \
	"  a:\n" \
	"    runs-on: ubuntu-latest\n" \
	"    steps:\n" \
	"      - run: 'echo \"it\" runs; sleep 1'\n"

TEST(a_group_cancels_what_is_in_progress)
{
	struct line line;
	uint64_t first = 0, second;

	if (line_up(&line, t, 1) &&
	    line_push(&line, "on: workflow_dispatch\n"
	                     "concurrency: { group: g, cancel-in-progress: true }\n" SLOW))
		first = line_submit(&line, NULL);
	CHECK(first != 0 && wait_for_line(&line, first, "a", "it runs"));
	second = line_submit(&line, NULL);
	CHECK_BYTES(lb_value_get_string(line_wait(&line, first, 30), "conclusion"), "cancelled");
	CHECK_BYTES(lb_value_get_string(line_wait(&line, second, 30), "conclusion"), "success");
	line_stop(&line);
}

TEST(a_group_runs_one_and_keeps_the_newest_waiting)
{
	struct line line;
	const struct lb_value *runs[3];
	uint64_t ids[3] = { 0 };

	if (line_up(&line, t, 2) &&
	    line_push(&line, "on: workflow_dispatch\nconcurrency: g\n" SLOW)) {
		ids[0] = line_submit(&line, NULL);
		CHECK(wait_for_line(&line, ids[0], "a", "it runs"));
		ids[1] = line_submit(&line, NULL);
		ids[2] = line_submit(&line, NULL);
	}
	for (size_t i = 0; i < 3; i++)
		runs[i] = line_wait(&line, ids[i], 30);
	CHECK_BYTES(lb_value_get_string(runs[0], "conclusion"), "success");
	CHECK_BYTES(lb_value_get_string(runs[1], "conclusion"), "cancelled");
	CHECK_BYTES(lb_value_get_string(runs[2], "conclusion"), "success");
	if (t->failures == 0) { /* times of one form: their text has their order */
		struct lb_bytes ended = lb_value_get_string(line_job(runs[0], "a"), "completed_at");
		struct lb_bytes began = lb_value_get_string(line_job(runs[2], "a"), "started_at");

		CHECK(began.len == ended.len && memcmp(ended.at, began.at, ended.len) <= 0);
	}
	line_stop(&line);
}

TEST(time_limits_end_steps_and_jobs)
{
	static const char workflow[] = "on: workflow_dispatch\n"
				       "jobs:\n"
				       "  step:\n"
				       "    runs-on: ubuntu-latest\n"
				       "    steps:\n"
				       "      - { timeout-minutes: 0.01, run: 'sleep 4818.25' }\n"
				       "      - { if: failure(), run: 'echo \"saw a\" failure' }\n"
				       "  job:\n"
				       "    runs-on: ubuntu-latest\n"
				       "    timeout-minutes: 0.01\n"
				       "    steps:\n"
				       "      - run: sleep 4818.25\n"
				       "      - { if: always(), run: 'echo \"cleans\" up' }\n";
	struct line line;
	const struct lb_value *run = NULL;

	if (line_up(&line, t, 2))
		run = line_run(&line, workflow, 40);
	line_check_job(&line, run, "step", "failure");
	CHECK(line_said(&line, run, "step", "saw a failure") == 1);
	CHECK(!lb_bytes_is(lb_value_get_string(line_job(run, "job"), "conclusion"), "success"));
	CHECK(line_said(&line, run, "job", "cleans up") == 1);
	CHECK(processes_with("4818.25") == 0);
	line_stop(&line);
}
