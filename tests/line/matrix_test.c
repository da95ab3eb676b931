/* matrix_test.c - matrices through the real programs: fail-fast, max-parallel, many jobs. */
#include "tests/line/line.h"

/* The most of a run's jobs that were under way at one time; their times are text of one form, whose
 * order is the times'. */
static unsigned most_at_once(const struct lb_value *run)
{
	const struct lb_value *jobs = lb_value_get(run, "jobs");
	unsigned most = 0;

	for (uint32_t i = 0; jobs != NULL && i < jobs->count; i++) {
		struct lb_bytes now = lb_value_get_string(jobs->items[i], "started_at");
		unsigned count = 0;

		for (uint32_t k = 0; k < jobs->count; k++) {
			struct lb_bytes begin = lb_value_get_string(jobs->items[k], "started_at");
			struct lb_bytes end = lb_value_get_string(jobs->items[k], "completed_at");

			if (begin.len == now.len && end.len == now.len && now.len > 0 &&
			    memcmp(begin.at, now.at, now.len) <= 0 &&
			    memcmp(now.at, end.at, now.len) < 0)
				count++;
		}
		most = count > most ? count : most;
	}
	return most;
}

static unsigned ended_with(const struct lb_value *run, const char *conclusion)
{
	const struct lb_value *jobs = lb_value_get(run, "jobs");
	unsigned count = 0;

	for (uint32_t i = 0; jobs != NULL && i < jobs->count; i++)
		count += lb_bytes_is(lb_value_get_string(jobs->items[i], "conclusion"), conclusion);
	return count;
}

TEST(fail_fast_cancels_the_others)
{
	struct line line;
	const struct lb_value *run = NULL;

	if (line_up(&line, t, 2))
		run = line_run(
			&line,
			"on: workflow_dispatch\n"
			"jobs:\n"
			"  job:\n"
			"    strategy: { matrix: { n: [0, 1, 2, 3] } }\n"
			"    runs-on: ubuntu-latest\n"
			"    steps:\n"
			"      - run: if [ ${{ matrix.n }} = 1 ]; then sleep 0.3; exit 1; fi; "
			"sleep 20\n",
			30);
	CHECK(ended_with(run, "failure") == 1 && ended_with(run, "cancelled") == 3);
	CHECK_BYTES(lb_value_get_string(run, "conclusion"), "failure");
	line_stop(&line);
}

TEST(without_fail_fast_the_others_go_on)
{
	struct line line;
	const struct lb_value *run = NULL;

	if (line_up(&line, t, 2))
		run = line_run(&line,
		               "on: workflow_dispatch\n"
		               "jobs:\n"
		               "  job:\n"
		               "    strategy: { fail-fast: false, matrix: { n: [0, 1, 2, 3] } }\n"
		               "    runs-on: ubuntu-latest\n"
		               "    continue-on-error: ${{ matrix.n == 2 }}\n"
		               "    steps: [{ run: 'test ${{ matrix.n }} -lt 2' }]\n",
		               30);
	CHECK(ended_with(run, "failure") == 2 && ended_with(run, "success") == 2);
	CHECK_BYTES(lb_value_get_string(run, "conclusion"), "failure");
	line_stop(&line);
}

TEST(max_parallel_holds)
{
	struct line line;
	const struct lb_value *run = NULL;

	if (line_up(&line, t, 4))
		run = line_run(
			&line,
			"on: workflow_dispatch\n"
			"jobs:\n"
			"  job:\n"
			"    strategy: { max-parallel: 2, matrix: { n: [0, 1, 2, 3, 4, 5] } }\n"
			"    runs-on: ubuntu-latest\n"
			"    steps: [{ run: sleep 0.3 }]\n",
			30);
	CHECK(ended_with(run, "success") == 6);
	CHECK(most_at_once(run) == 2);
	line_stop(&line);
}

TEST(fifty_jobs_run_each_once)
{
	struct line line;
	const struct lb_value *run = NULL, *jobs;

	if (line_up(&line, t, 4))
		run = line_run(&line,
		               "on: workflow_dispatch\n"
		               "jobs:\n"
		               "  job:\n"
		               "    strategy:\n"
		               "      matrix:\n"
		               "        a: [0, 1, 2, 3, 4, 5, 6]\n"
		               "        b: [0, 1, 2, 3, 4, 5, 6]\n"
		               "        include: [{ a: x, b: y }]\n"
		               "    runs-on: ubuntu-latest\n"
		               "    steps: [{ run: 'echo \"this is\" ${{ matrix.a }}-${{ matrix.b "
		               "}}' }]\n",
		               60);
	jobs = lb_value_get(run, "jobs");
	CHECK(jobs != NULL && jobs->count == 50);
	CHECK(ended_with(run, "success") == 50);
	CHECK(line_said(&line, run, "job (3, 4)", "this is 3-4") == 1);
	CHECK(line_said(&line, run, "job (x, y)", "this is x-y") == 1);
	for (uint32_t i = 0; jobs != NULL && i < jobs->count; i++)
		CHECK((unsigned)lb_value_get_number(jobs->items[i], "attempt") == 1);
	line_stop(&line);
}
