/* node.c - actions of JavaScript: `using: node20`, with what they do before and after. */
#include "ci-runner/execute/execution_priv.h"

#include "base/io/file.h"
#include "base/platform/process.h"

struct script {
	const char *node, *file;
	struct lb_value *more;      /* INPUT_... and what says where the action is from */
	const struct lb_value *env; /* NULL: what the frame has when it runs */
};

/* ---- which Node.js ---- */

struct search {
	struct runner_execution *x;
	const char *folder;
	struct lb_bytes major; /* "20" */
	uint64_t minor;
	const char *found;
};

static lb_err look_at_version(void *ctx, const char *name)
{
	struct search *s = ctx;
	struct lb_bytes rest = lb_bytes_of(name), major, minor;
	uint64_t number;
	const char *node;

	if (!lb_bytes_split(&major, &rest, '.') || !lb_bytes_eq(major, s->major) ||
	    rest.at == NULL || !lb_bytes_split(&minor, &rest, '.') ||
	    lb_failed(lb_bytes_u64(&number, minor, 100000)) ||
	    (s->found != NULL && number <= s->minor))
		return LB_OK;
	node = (const char *)lb_arena_format(
		       s->x->arena, "%s/%s/%.*s/bin/node", s->folder, name,
		       LB_FMT(lb_value_get_string(lb_value_get(s->x->frame.contexts, "runner"),
	                                          "arch")))
	               .at;
	if (node == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!lb_file_exists(s->x->host->plat, node))
		return LB_OK;
	s->found = node;
	s->minor = number;
	return LB_OK;
}

/* Of the version that the action asks for where the tool cache has it, else the machine's own. */
static lb_err find_node(const char **out, struct runner_execution *x, struct lb_bytes using,
                        struct lb_diag *diag)
{
	const char *path = plat_getenv("PATH");
	struct search s = { .x = x,
		            .folder = runner_path(x->arena, x->folders.tools, "node"),
		            .major = lb_bytes_from(using, 4) };
	struct lb_bytes rest = lb_bytes_of(path != NULL ? path : "/usr/local/bin:/usr/bin"), part;

	if (s.folder == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (lb_file_exists(x->host->plat, s.folder))
		LB_TRY(x->host->plat->ops->list(x->host->plat, s.folder, look_at_version, &s));
	while (s.found == NULL && lb_bytes_split(&part, &rest, ':')) {
		const char *node =
			(const char *)lb_arena_format(x->arena, "%.*s/node", LB_FMT(part)).at;

		if (node == NULL)
			return lb_err_of(LB_E_NOMEM);
		if (node[0] == '/' && lb_file_exists(x->host->plat, node))
			s.found = node;
	}
	*out = s.found;
	if (s.found == NULL)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "the action runs on %.*s, and this machine has no Node.js; install "
		               "nodejs, or seed the tool cache with node/%.*s.x.y",
		               LB_FMT(using), LB_FMT(s.major));
	return LB_OK;
}

/* ---- what it sees ---- */

/* INPUT_FETCH-DEPTH: capitals, blanks become underscores, all else stays. */
static void put_input(struct runner_execution *x, struct lb_value *more, struct lb_bytes name,
                      struct lb_bytes value)
{
	char *text = (char *)(uintptr_t)lb_arena_format(x->arena, "INPUT_%.*s", LB_FMT(name)).at;

	for (char *p = text; p != NULL && *p != '\0'; p++) {
		if (*p == ' ')
			*p = '_';
		else if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	}
	if (text != NULL)
		lb_value_set_string(x->arena, more, text, value);
}

static lb_err describe(struct script *out, struct runner_execution *x,
                       const struct runner_frame *frame, const struct workflow_step_plan *plan,
                       const struct runner_action *action, const char *file, struct lb_diag *diag)
{
	const struct lb_value *inputs;

	LB_TRY(runner_action_inputs(&inputs, x, frame, plan, action, diag));
	LB_TRY(find_node(&out->node, x, action->manifest->using, diag));
	out->file = file;
	out->more = lb_value_object(x->arena);
	for (uint32_t i = 0; i < inputs->count; i++)
		put_input(x, out->more, inputs->members[i].key, inputs->members[i].value->string);
	if (frame->action_path == NULL)
		lb_value_set_text(x->arena, out->more, "GITHUB_ACTION_PATH", action->folder);
	lb_value_set_string(x->arena, out->more, "GITHUB_ACTION_REPOSITORY", action->repository);
	lb_value_set_string(x->arena, out->more, "GITHUB_ACTION_REF", action->ref);
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static struct lb_value *with_state(struct runner_execution *x, const struct script *script,
                                   const struct runner_step_run *run)
{
	struct lb_value *more = lb_value_copy(x->arena, script->more);

	for (uint32_t i = 0; i < run->state->count; i++)
		lb_value_set(x->arena, more,
		             lb_arena_format(x->arena, "STATE_%.*s",
		                             LB_FMT(run->state->members[i].key)),
		             run->state->members[i].value);
	return more;
}

/* ---- running ---- */

static lb_err execute(struct runner_execution *x, struct runner_step_run *run, void *ctx,
                      struct lb_diag *diag)
{
	const struct script *script = ctx;
	const char *const argv[] = { script->node, script->file, NULL };
	struct runner_command how;

	if (!lb_file_exists(x->host->plat, script->file))
		return lb_fail(diag, LB_E_NOTFOUND, "File not found: '%s'", script->file);
	run->more = with_state(x, script, run);
	run->runtime = true;
	LB_TRY(runner_command_of(&how, x, run,
	                         script->env != NULL ? script->env
	                                             : lb_value_get(run->frame->contexts, "env"),
	                         diag));
	how.argv = argv;
	return runner_execute_command(x, run, &how, diag);
}

static const char *file_of(struct runner_execution *x, const struct runner_action *action,
                           struct lb_bytes name)
{
	return (const char *)lb_arena_format(x->arena, "%s/%.*s", action->folder, LB_FMT(name)).at;
}

lb_err runner_node_run(struct runner_execution *x, struct runner_frame *frame,
                       struct runner_step_run *run, const struct workflow_step_plan *plan,
                       const struct runner_action *action, struct lb_diag *diag)
{
	const struct workflow_action *manifest = action->manifest;
	struct script *script = LB_ARENA_NEW(x->arena, struct script, 1);
	struct script *after = LB_ARENA_NEW(x->arena, struct script, 1);

	if (script == NULL || after == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(describe(script, x, frame, plan, action, file_of(x, action, manifest->main), diag));
	if (!action->remote && manifest->pre.len > 0)
		runner_log_linef(
			x->log,
			"##[warning]`pre` execution is not supported for local action from '%.*s'",
			LB_FMT(plan->uses));
	*after = *script;
	script->env = plan->env;
	if (manifest->post.len > 0) {
		after->file = file_of(x, action, manifest->post);
		LB_TRY(runner_post_add(x, run, manifest->post_if, execute, after));
	}
	return execute(x, run, script, diag);
}

lb_err runner_node_pre(struct runner_post *out, struct runner_execution *x,
                       struct runner_frame *frame, struct runner_intra *intra,
                       const struct workflow_step_plan *plan, const struct runner_action *action,
                       struct lb_diag *diag)
{
	struct script *script = LB_ARENA_NEW(x->arena, struct script, 1);

	if (script == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(describe(script, x, frame, plan, action, file_of(x, action, action->manifest->pre),
	                diag));
	*out = (struct runner_post){ .name = LB_LIT("Pre"),
		                     .frame = frame,
		                     .step = intra->step,
		                     .top = intra->step,
		                     .condition = action->manifest->pre_if,
		                     .intra = intra,
		                     .run = execute,
		                     .ctx = script };
	return LB_OK;
}
