/* plan_fuzz.c - a workflow planned to its end: the first line decides what ends when and how, the
 * rest is the file.  A plan made anew from what ended is the same. */
#include "tests/fuzz/failing.h"
#include "workflows/event/payload.h"
#include "workflows/plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 24, TEXT_MAX = 1 << 24 };

struct planning {
	struct lb_mem *mem;
	struct workflow *workflow;
	struct workflow_plan_options options;
	struct lb_bytes source;
	bool failing;
};

/* Every file that is called is the file itself. */
static lb_err read_file(struct lb_bytes *out, void *self, struct lb_arena *arena,
                        struct lb_bytes path, struct lb_diag *diag)
{
	(void)arena;
	(void)path;
	(void)diag;
	*out = ((struct planning *)self)->source;
	return LB_OK;
}

static lb_err read_remote(struct lb_bytes *out, void *self, struct lb_arena *arena,
                          const struct workflow_reference *what, struct lb_diag *diag)
{
	return read_file(out, self, arena, what->path, diag);
}

static struct lb_bytes described(struct lb_arena *arena, const struct workflow_plan *plan)
{
	struct lb_value *value = NULL;
	struct lb_buf text;

	lb_buf_init(&text, &arena->mem, TEXT_MAX);
	if (!lb_failed(workflow_plan_describe(&value, arena, plan)))
		lb_value_write(&text, value, false);
	return lb_buf_bytes(&text);
}

static void check_anew(struct planning *p, const struct workflow_plan *plan)
{
	struct workflow_plan *anew;
	struct lb_arena arena;

	lb_arena_init(&arena, p->mem);
	if (!lb_failed(workflow_plan_new(&anew, p->mem, p->workflow, &p->options, NULL))) {
		lb_err err = workflow_plan_restore(anew, workflow_plan_save(&arena, plan), NULL);

		if (!p->failing && (lb_failed(err) ||
		                    !lb_bytes_eq(described(&arena, anew), described(&arena, plan))))
			abort();
		workflow_plan_free(anew);
	}
	lb_arena_release(&arena);
}

static void end_one(struct workflow_plan *plan, struct lb_arena *arena, unsigned char choice)
{
	static const enum workflow_result results[] = { WORKFLOW_RESULT_SUCCESS,
		                                        WORKFLOW_RESULT_FAILURE,
		                                        WORKFLOW_RESULT_SUCCESS,
		                                        WORKFLOW_RESULT_CANCELLED };
	struct lb_value *outputs = lb_value_object(arena);
	size_t count = workflow_plan_count(plan);

	lb_value_set_text(arena, outputs, "o", "{\"k\": [1, 2]}");
	for (size_t i = 0; i < count; i++) {
		const struct workflow_instance *at = workflow_plan_at(plan, (i + choice) % count);

		if (at->state != WORKFLOW_READY)
			continue;
		if (choice % 16 == 15)
			lb_ignore(workflow_plan_suppose(plan, at->id, NULL));
		else
			lb_ignore(workflow_plan_finish(plan, at->id, results[choice / 16 % 4],
			                               outputs, NULL));
		return;
	}
}

static void drive(struct planning *p, struct workflow_plan *plan, struct lb_bytes choices)
{
	struct lb_arena arena;
	bool supposed = false;

	lb_arena_init(&arena, p->mem);
	for (size_t i = 0; i < choices.len && i < STEPS_MAX; i++) {
		unsigned char choice = choices.at[i];

		supposed = supposed || choice % 16 == 15;
		if (choice == 'c')
			lb_ignore(workflow_plan_cancel(plan, NULL));
		else
			end_one(plan, &arena, choice);
	}
	if (!supposed)
		check_anew(p, plan);
	(void)workflow_plan_conclusion(plan);
	lb_arena_release(&arena);
}

static void target(struct lb_mem *mem, struct lb_bytes input, bool failing)
{
	size_t end = lb_bytes_find_byte(input, '\n');
	struct planning p = { .mem = mem,
		              .failing = failing,
		              .source = lb_bytes_from(input, end != SIZE_MAX ? end + 1 : input.len),
		              .options = { .read_file = read_file,
		                           .read_remote = read_remote,
		                           .call_depth_max = 3 } };
	struct workflow_event event = { .name = LB_LIT("push"), .ref = LB_LIT("refs/heads/main") };
	struct workflow_mismatch why;
	struct workflow_plan *plan;

	p.options.self = &p;
	if (lb_failed(workflow_parse(&p.workflow, mem, p.source, "fuzz.yml", NULL)))
		return;
	(void)workflow_matches_event(p.workflow, &event, &why);
	if (!lb_failed(workflow_plan_new(&plan, mem, p.workflow, &p.options, NULL))) {
		drive(&p, plan, lb_bytes_upto(input, end));
		workflow_plan_free(plan);
	}
	workflow_free(p.workflow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_twice(target, data, size);
}
