/* kill_test.c - the coordinator, or the runner, is killed at random moments: every run still ends
 * green, each log line once and in order, and a lost runner costs one attempt. */
#include "base/platform/plat.h"
#include "tests/line/line.h"

enum { ROUNDS = 20, LINES = 150, JOBS = 3 };

/* Three jobs, one after two: about two seconds of lines that can be counted. */
static const char workflow[] =
	"on: workflow_dispatch\n"
	"jobs:\n"
	"  one:\n"
	"    runs-on: ubuntu-latest\n"
	"    outputs: { word: '${{ steps.count.outputs.word }}' }\n"
	"    steps:\n"
	"      - uses: actions/checkout@v4\n"
	"      - id: count\n"
	"        run: |\n"
	"          for i in $(seq 1 150); do echo \"line $i\"; sleep 0.004; done\n"
	"          echo word=kept >> \"$GITHUB_OUTPUT\"\n"
	"      - uses: actions/upload-artifact@v4\n"
	"        with: { name: readme, path: README }\n"
	"  two:\n"
	"    runs-on: ubuntu-latest\n"
	"    steps:\n"
	"      - run: for i in $(seq 1 150); do echo \"line $i\"; done\n"
	"  three:\n"
	"    needs: [one, two]\n"
	"    runs-on: ubuntu-latest\n"
	"    steps:\n"
	"      - uses: actions/download-artifact@v4\n"
	"        with: { name: readme, path: got }\n"
	"      - run: test '${{ needs.one.outputs.word }}' = kept && grep -q test got/README\n"
	"      - run: for i in $(seq 1 150); do echo \"line $i\"; sleep 0.002; done\n";

/* Lines 1 to LINES, each once, in order. */
static bool is_whole(struct lb_bytes log)
{
	struct lb_bytes part, mark = LB_LIT(" line ");
	uint64_t next = 1;

	while (lb_bytes_split(&part, &log, '\n')) {
		size_t blank = lb_bytes_find_byte(part, ' ');
		uint64_t number;

		if (blank == SIZE_MAX || !lb_bytes_starts(lb_bytes_from(part, blank), mark))
			continue;
		if (lb_failed(lb_bytes_u64(&number, lb_bytes_from(part, blank + mark.len), LINES)))
			continue; /* the script itself, as the log shows it */
		if (number != next++)
			return false;
	}
	return next == LINES + 1;
}

static void check_run(struct line *line, const struct lb_value *run, uint64_t attempts_max)
{
	static const char *const keys[JOBS] = { "one", "two", "three" };
	struct test *t = line->t;

	CHECK(run != NULL);
	CHECK_BYTES(lb_value_get_string(run, "conclusion"), "success");
	for (size_t i = 0; i < JOBS; i++) {
		const struct lb_value *job = line_job(run, keys[i]);
		struct lb_bytes log;

		line_check_job(line, run, keys[i], "success");
		CHECK(job != NULL && lb_value_get_number(job, "attempt") <= (double)attempts_max);
		CHECK(line_log(line, &log, job));
		CHECK(is_whole(log));
	}
}

static void pause_at_random(struct test *t, uint64_t most_ms)
{
	plat_host.ops->sleep_ns(&plat_host, test_random(t) % (most_ms * 1000000u));
}

TEST(coordinator_killed_at_random_moments_loses_nothing)
{
	struct line line;
	bool good = line_init(&line, t) && line_start_coordinator(&line) &&
	            line_push(&line, workflow) && line_start_runner(&line, 0);

	for (unsigned round = 0; good && round < ROUNDS && t->failures == 0; round++) {
		uint64_t run = line_submit(&line, NULL);

		CHECK(run != 0);
		pause_at_random(t, 2200);
		line_kill_coordinator(&line);
		pause_at_random(t, 300);
		good = line_start_coordinator(&line);
		check_run(&line, line_wait(&line, run, 60), 1);
	}
	line_stop(&line);
}

TEST(runner_killed_at_random_moments_costs_one_attempt)
{
	struct line line;
	bool good = line_init(&line, t) && line_start_coordinator(&line) &&
	            line_push(&line, workflow) && line_start_runner(&line, 0);

	for (unsigned round = 0; good && round < ROUNDS && t->failures == 0; round++) {
		uint64_t run = line_submit(&line, NULL);

		CHECK(run != 0);
		pause_at_random(t, 2200);
		line_kill_runner(&line, 0);
		good = line_start_runner(&line, 0);
		check_run(&line, line_wait(&line, run, 60), 2);
	}
	line_stop(&line);
}
