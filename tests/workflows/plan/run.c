/* run.c - see run.h. */
#include "tests/workflows/plan/run.h"

static lb_err read_file(struct lb_bytes *out, void *self, struct lb_arena *arena,
                        struct lb_bytes path, struct lb_diag *diag)
{
	const struct files *files = self;

	(void)arena;
	(void)diag;
	for (size_t i = 0; i < RUN_FILES_MAX && files->path[i] != NULL; i++) {
		if (lb_bytes_is(path, files->path[i])) {
			*out = lb_bytes_of(files->text[i]);
			return LB_OK;
		}
	}
	return lb_err_of(LB_E_NOTFOUND);
}

static lb_err read_remote(struct lb_bytes *out, void *self, struct lb_arena *arena,
                          const struct workflow_reference *what, struct lb_diag *diag)
{
	return read_file(out, self, arena,
	                 lb_arena_format(arena, "%.*s/%.*s@%.*s", LB_FMT(what->repository),
	                                 LB_FMT(what->path), LB_FMT(what->ref)),
	                 diag);
}

lb_err run_open(struct run *run, struct test *t, const char *text, struct files *files,
                struct lb_diag *diag)
{
	struct workflow_plan_options options = {
		.read_file = files != NULL ? read_file : NULL,
		.read_remote = files != NULL ? read_remote : NULL,
		.self = files,
	};

	*run = (struct run){ .t = t, .files = files };
	lb_arena_init(&run->arena, t->mem);
	options.github =
		support_json(&run->arena, "{'ref': 'refs/heads/main', 'event_name': 'push'}");
	options.inputs = support_json(&run->arena, "{'level': 'high'}");
	if (run->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(workflow_parse(&run->workflow, t->mem, lb_bytes_of(text), "ci.yml", diag));
	return workflow_plan_new(&run->plan, t->mem, run->workflow, &options, diag);
}

void run_close(struct run *run)
{
	workflow_plan_free(run->plan);
	workflow_free(run->workflow);
	lb_arena_release(&run->arena);
}

/* A run that must open. */
struct run run_new(struct test *t, const char *text, struct files *files)
{
	struct lb_diag diag = { 0 };
	struct run run;

	if (lb_failed(run_open(&run, t, text, files, &diag))) {
		printf("# %s\n", diag.text);
		t->failures++;
	}
	return run;
}

/* "build:ready test.0:waiting" */
const char *run_states(struct run *run)
{
	static const char *const names[] = { "waiting", "ready", "done", "skipped" };
	struct lb_buf buf;
	const char *text;

	lb_buf_init(&buf, run->t->mem, 1 << 20);
	for (size_t i = 0; i < workflow_plan_count(run->plan); i++) {
		const struct workflow_instance *at = workflow_plan_at(run->plan, i);

		lb_buf_addf(&buf, "%s%.*s:%s%s", i > 0 ? " " : "", LB_FMT(at->id),
		            at->state == WORKFLOW_DONE ? workflow_result_text(at->result)
		                                       : names[at->state],
		            at->cancel && at->state != WORKFLOW_DONE ? "!" : "");
	}
	text = lb_arena_text(&run->arena, lb_buf_bytes(&buf));
	lb_buf_release(&buf);
	return text;
}

const struct workflow_instance *run_find(struct run *run, const char *id)
{
	const struct workflow_instance *found = workflow_plan_find(run->plan, lb_bytes_of(id));
	static const struct workflow_instance nothing;

	if (found == NULL) {
		printf("# no instance %s\n", id);
		run->t->failures++;
	}
	return found != NULL ? found : &nothing;
}

void run_finish(struct run *run, const char *id, enum workflow_result result, const char *outputs)
{
	struct lb_diag diag = { 0 };
	lb_err err =
		workflow_plan_finish(run->plan, lb_bytes_of(id), result,
	                             outputs != NULL ? support_json(&run->arena, outputs) : NULL,
	                             &diag);

	if (lb_failed(err)) {
		printf("# finish %s: %s\n", id, diag.text);
		run->t->failures++;
	}
}

const char *run_described(struct run *run)
{
	struct lb_value *value = NULL;

	if (lb_failed(workflow_plan_describe(&value, &run->arena, run->plan)))
		run->t->failures++;
	return support_text(&run->arena, value);
}
