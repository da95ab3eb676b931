/* random_test.c - any order and any restart give the same plan: on graphs drawn by chance, with
 * matrices, conditions, calls, limits, failures and cancelling. */
#include "tests/workflows/plan/run.h"

enum { JOBS_MAX = 12, ROUNDS = 150 };

static struct files called = {
	.path = { ".github/workflows/c.yml" },
	.text = { "on: {workflow_call: {outputs: {o: {value: '${{ jobs.y.outputs.o "
	          "}}'}}}}\njobs:\n" JOB("x")
	                  STEPS JOB("y") "    needs: x\n    if: '!cancelled()'\n    outputs: {o: "
	                                 "z}\n" STEPS },
};

static bool chance(struct test *t, unsigned in) { return test_random(t) % in == 0; }

static void write_needs(struct lb_buf *out, struct test *t, unsigned job)
{
	const char *between = "    needs: [";

	for (unsigned i = 0; i < job; i++) {
		if (!chance(t, 3))
			continue;
		lb_buf_addf(out, "%sj%u", between, i);
		between = ", ";
	}
	if (between[0] == ',')
		lb_buf_add_text(out, "]\n");
}

static void write_condition(struct lb_buf *out, struct test *t)
{
	static const char *const conditions[] = {
		"always()",    "failure()", "'!cancelled()'",
		"cancelled()", "'true'",    "contains(toJSON(needs), 'v1')"
	};

	if (chance(t, 2))
		lb_buf_addf(out, "    if: %s\n", conditions[test_random(t) % 6]);
}

static void write_strategy(struct lb_buf *out, struct test *t)
{
	if (chance(t, 2))
		return;
	lb_buf_add_text(out, "    strategy:\n");
	if (chance(t, 2))
		lb_buf_addf(out, "      max-parallel: %u\n", (unsigned)(test_random(t) % 3 + 1));
	if (chance(t, 2))
		lb_buf_add_text(out, "      fail-fast: false\n");
	if (chance(t, 3))
		lb_buf_add_text(out,
		                "      matrix: \"${{ fromJSON(contains(toJSON(needs), 'v0') && "
		                "'{\\\"k\\\": [1, 2, 3]}' || '{\\\"k\\\": [1]}') }}\"\n");
	else
		lb_buf_add_text(out,
		                "      matrix: {k: [1, 2], include: [{k: 1, m: x}, {k: 9}]}\n");
}

static const char *draw_workflow(struct test *t, struct lb_arena *arena)
{
	unsigned jobs = (unsigned)(test_random(t) % JOBS_MAX + 1);
	struct lb_buf out;
	const char *text;

	lb_buf_init(&out, arena->under, 1 << 16);
	lb_buf_add_text(&out, HEAD);
	for (unsigned i = 0; i < jobs; i++) {
		lb_buf_addf(&out, "  j%u:\n", i);
		write_needs(&out, t, i);
		write_condition(&out, t);
		write_strategy(&out, t);
		if (chance(t, 4)) {
			lb_buf_add_text(&out, "    uses: ./.github/workflows/c.yml\n");
			continue;
		}
		lb_buf_add_text(&out, "    runs-on: x\n    outputs: {v: o}\n");
		if (chance(t, 4))
			lb_buf_add_text(&out, "    continue-on-error: true\n");
		lb_buf_add_text(&out, STEPS);
	}
	text = lb_arena_text(arena, lb_buf_bytes(&out));
	lb_buf_release(&out);
	return text;
}

/* How a job ends depends on the job alone, and on the seed of the round. */
static uint64_t fate(struct lb_bytes id, uint64_t salt)
{
	uint64_t hash = salt;

	for (size_t i = 0; i < id.len; i++)
		hash = (hash ^ id.at[i]) * UINT64_C(0x100000001b3);
	return hash >> 32;
}

static const struct workflow_instance *draw_ready(struct test *t, const struct workflow_plan *plan)
{
	size_t count = workflow_plan_count(plan), start = test_random(t) % count;

	for (size_t i = 0; i < count; i++) {
		const struct workflow_instance *at = workflow_plan_at(plan, (start + i) % count);

		if (at->state == WORKFLOW_READY ||
		    (at->cancel && at->state == WORKFLOW_WAITING && !at->calls && !at->placeholder))
			return at;
	}
	return NULL;
}

/* One end, drawn among what can end; false: nothing can. */
static bool end_one(struct run *run, uint64_t salt)
{
	const struct workflow_instance *at = draw_ready(run->t, run->plan);
	enum workflow_result result = GOOD;
	char id[128];

	if (at == NULL)
		return false;
	if (at->cancel)
		result = STOPPED;
	else if (fate(at->id, salt) % 4 == 0)
		result = BAD;
	(void)snprintf(id, sizeof id, "%.*s", LB_FMT(at->id));
	run_finish(run, id, result, fate(at->id, salt) % 2 == 0 ? "{'v': 'v0'}" : "{'v': 'v1'}");
	return true;
}

static void check_restart(struct test *t, struct run *run, const char *text)
{
	struct run again = run_new(t, text, &called);

	CHECK_OK(workflow_plan_restore(again.plan, workflow_plan_save(&run->arena, run->plan),
	                               NULL));
	CHECK_TEXT(run_described(&again), run_described(run));
	run_close(&again);
}

static unsigned failures_of(struct test *t, const char *text)
{
	if (t->failures > 0)
		printf("# in this workflow:\n%s\n", text);
	return t->failures;
}

/* fail-fast and max-parallel make the end depend on the order, so those are for the next test. */
static bool is_free_of_order(const char *text)
{
	return strstr(text, "matrix") == NULL || (strstr(text, "max-parallel") == NULL &&
	                                          strstr(text, "strategy:\n      matrix") == NULL);
}

TEST(any_order_gives_the_same_plan_where_order_cannot_matter)
{
	unsigned compared = 0;

	for (unsigned round = 0; round < ROUNDS * 4 && t->failures == 0; round++) {
		struct lb_arena arena;
		uint64_t salt = test_random(t);
		struct run first, second;
		const char *text;

		lb_arena_init(&arena, t->mem);
		text = draw_workflow(t, &arena);
		if (is_free_of_order(text)) {
			first = run_new(t, text, &called);
			second = run_new(t, text, &called);
			while (end_one(&first, salt))
				continue;
			while (end_one(&second, salt))
				continue;
			CHECK_TEXT(run_described(&first), run_described(&second));
			CHECK(workflow_plan_conclusion(first.plan) != WORKFLOW_RESULT_NONE);
			compared++;
			run_close(&first);
			run_close(&second);
		}
		(void)failures_of(t, text);
		lb_arena_release(&arena);
	}
	printf("# %u workflows, each in two orders\n", compared);
	CHECK(compared > 20);
}

TEST(a_restart_after_any_end_gives_the_same_plan)
{
	for (unsigned round = 0; round < ROUNDS && t->failures == 0; round++) {
		uint64_t salt = test_random(t), ends = 0, cancel_at = test_random(t) % 20;
		struct lb_arena arena;
		const char *text;
		struct run run;

		lb_arena_init(&arena, t->mem);
		text = draw_workflow(t, &arena);
		run = run_new(t, text, &called);
		do {
			if (ends++ == cancel_at)
				CHECK_OK(workflow_plan_cancel(run.plan, NULL));
			check_restart(t, &run, text);
		} while (end_one(&run, salt));
		CHECK(workflow_plan_conclusion(run.plan) != WORKFLOW_RESULT_NONE);
		(void)failures_of(t, text);
		run_close(&run);
		lb_arena_release(&arena);
	}
}
