/* plan.c - see plan.h. */
#include "ci-runner/local/plan.h"

#include "base/git/repo.h"
#include "base/io/file.h"
#include "ci-runner/local/checkout.h"
#include "workflows/event/cron.h"
#include "workflows/event/payload.h"
#include "workflows/show/show.h"

#define ZONES "/usr/share/zoneinfo"

enum { ZONE_BYTES_MAX = 1 << 20, TEXT_BYTES_MAX = 256 << 20 };

/* One workflow. */
struct planned {
	struct runner_planning *p;
	const char *file;
	struct lb_bytes event, ref;
	const struct lb_value *payload, *github, *inputs, *times;
	struct workflow *workflow;
	struct workflow_plan *plan;
	struct workflow_mismatch why_not;
	bool runs;
};

static struct lb_bytes bytes_or(const char *text, const char *otherwise)
{
	return lb_bytes_of(text != NULL ? text : otherwise);
}

/* ---- the checkout ---- */

struct checkout {
	const char *top;
	struct lb_bytes name, ref; /* OWNER/NAME, refs/heads/main */
};

/* A file in DIR/.github/workflows calls others of DIR, wherever that is. */
static void find_root(struct runner_planning *p)
{
	struct lb_bytes file = bytes_or(p->file, "");
	size_t at = lb_bytes_find(file, LB_B("/.github/workflows/"));

	if (at != SIZE_MAX && at > 0)
		p->checkout = lb_arena_text(p->arena, lb_bytes_upto(file, at));
}

static lb_err find_checkout(struct checkout *out, struct runner_planning *p, struct lb_diag *diag)
{
	struct lb_repo *repo;
	struct lb_buf ref;
	lb_err err = lb_repo_open(&repo, p->mem, p->checkout, true, NULL);

	*out = (struct checkout){ p->checkout, LB_LIT("local/here"), LB_LIT("refs/heads/main") };
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (lb_failed(err))
		return LB_OK;
	lb_buf_init(&ref, p->mem, 4096);
	out->top = lb_arena_text(p->arena, lb_bytes_of(lb_repo_top(repo)));
	out->name = runner_checkout_name(p->arena, repo, out->top);
	err = lb_repo_head_ref(&ref, repo, diag);
	if (!lb_failed(err) && ref.len > 0)
		out->ref = lb_arena_bytes(p->arena, lb_buf_bytes(&ref));
	lb_buf_release(&ref);
	lb_repo_free(repo);
	if (p->file != NULL && strstr(p->file, ".github/workflows/") == NULL)
		p->checkout = out->top; /* of a file that stands elsewhere in it */
	return p->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err read_text(struct lb_bytes *out, struct runner_planning *p, struct lb_arena *arena,
                        const char *path, size_t bytes_max, struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, p->mem, bytes_max);
	err = lb_file_read(&text, p->plat, path, diag);
	*out = lb_arena_bytes(arena, lb_buf_bytes(&text));
	lb_buf_release(&text);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : err;
}

/* The project's, if it has one. */
static lb_err read_lock(struct runner_planning *p, struct lb_diag *diag)
{
	struct lb_bytes path = lb_arena_format(p->arena, "%s/" RUNNER_LOCK_FILE, p->checkout);

	if (path.at == NULL)
		return lb_err_of(LB_E_NOMEM);
	p->called.options.locked = lb_file_exists(p->plat, (const char *)path.at);
	if (!p->called.options.locked)
		return LB_OK;
	return read_text(&p->called.options.lock, p, p->arena, (const char *)path.at,
	                 RUNNER_LOCK_BYTES_MAX, diag);
}

static lb_err read_file(struct lb_bytes *out, void *self, struct lb_arena *arena,
                        struct lb_bytes path, struct lb_diag *diag)
{
	struct runner_planning *p = self;
	struct lb_bytes full;

	if (!lb_path_is_inside(path))
		return lb_fail(diag, LB_E_INVALID, "%.*s leads out of the checkout", LB_FMT(path));
	full = lb_arena_format(arena, "%s/%.*s", p->checkout, LB_FMT(path));
	if (full.at == NULL)
		return lb_err_of(LB_E_NOMEM);
	return read_text(out, p, arena, (const char *)full.at, WORKFLOW_FILE_BYTES_MAX, diag);
}

static lb_err read_remote(struct lb_bytes *out, void *self, struct lb_arena *arena,
                          const struct workflow_reference *what, struct lb_diag *diag)
{
	return runner_called_read(out, &((struct runner_planning *)self)->called, arena, what,
	                          diag);
}

/* ---- the event ---- */

static void set(struct lb_arena *arena, struct lb_value *object, const char *key,
                struct lb_bytes text)
{
	lb_value_set_string(arena, object, key, text);
}

/* Short names are branches. */
static struct lb_bytes full_ref(struct lb_arena *arena, struct lb_bytes ref)
{
	return lb_bytes_starts(ref, LB_B("refs/"))
	               ? ref
	               : lb_arena_format(arena, "refs/heads/%.*s", LB_FMT(ref));
}

static void add_pull(struct lb_arena *arena, struct lb_value *payload, struct lb_bytes base,
                     struct lb_bytes head)
{
	struct lb_value *pull = lb_value_object(arena), *sides[2];
	struct lb_bytes refs[2] = { base, head };

	for (size_t i = 0; i < 2; i++) {
		sides[i] = lb_value_object(arena);
		set(arena, sides[i], "ref", refs[i]);
		lb_value_put(arena, pull, i == 0 ? "base" : "head", sides[i]);
	}
	lb_value_set_number(arena, pull, "number", 1);
	lb_value_set_number(arena, payload, "number", 1);
	lb_value_put(arena, payload, "pull_request", pull);
}

static void add_merge(struct lb_arena *arena, struct lb_value *payload, struct lb_bytes base,
                      struct lb_bytes ref)
{
	struct lb_value *group = lb_value_object(arena);

	set(arena, group, "base_ref", full_ref(arena, base));
	set(arena, group, "head_ref",
	    ref.len > 0 ? full_ref(arena, ref)
	                : lb_arena_format(arena, "refs/heads/gh-readonly-queue/%.*s/pr-1",
	                                  LB_FMT(base)));
	lb_value_put(arena, payload, "merge_group", group);
}

/* The least that the event's filters and contexts ask for. */
static const struct lb_value *make_payload(struct planned *w, const struct checkout *checkout)
{
	const struct runner_planning *p = w->p;
	struct lb_arena *arena = p->arena;
	struct lb_value *payload = lb_value_object(arena), *repository = lb_value_object(arena);
	struct lb_bytes ref = bytes_or(p->ref, ""), base = bytes_or(p->base, "main");
	struct lb_bytes head = ref.len > 0 ? ref : checkout->ref;

	if (p->action != NULL)
		set(arena, payload, "action", lb_bytes_of(p->action));
	set(arena, repository, "full_name", checkout->name);
	set(arena, repository, "default_branch", base);
	lb_value_put(arena, payload, "repository", repository);
	if (lb_bytes_starts(w->event, LB_B("pull_request")))
		add_pull(arena, payload, base,
		         lb_bytes_starts(head, LB_B("refs/heads/")) ? lb_bytes_from(head, 11)
		                                                    : head);
	else if (lb_bytes_is(w->event, "merge_group"))
		add_merge(arena, payload, base, ref);
	else if (lb_bytes_is(w->event, "push") || lb_bytes_is(w->event, "workflow_dispatch"))
		set(arena, payload, "ref", full_ref(arena, head));
	if (p->inputs != NULL)
		lb_value_put(arena, payload, "inputs", lb_value_copy(arena, p->inputs));
	return payload;
}

/* As GitHub has it when nobody says otherwise. */
static const char *default_action(struct lb_bytes event)
{
	return lb_bytes_starts(event, LB_B("pull_request")) ? "opened"
	       : lb_bytes_is(event, "merge_group")          ? "checks_requested"
	                                                    : NULL;
}

static void make_github(struct planned *w, const struct checkout *checkout)
{
	struct lb_arena *arena = w->p->arena;
	struct lb_value *github = workflow_payload_github(arena, w->event, w->payload, w->ref);

	if (w->p->repository != NULL || lb_value_get_string(github, "repository").len == 0) {
		set(arena, github, "repository", checkout->name);
		set(arena, github, "repository_owner",
		    lb_bytes_upto(checkout->name, lb_bytes_find_byte(checkout->name, '/')));
	}
	set(arena, github, "workflow",
	    w->workflow->name.len > 0 ? w->workflow->name : w->workflow->file_name);
	lb_value_set_text(arena, github, "run_id", "1");
	lb_value_set_text(arena, github, "run_number", "1");
	lb_value_set_text(arena, github, "run_attempt", "1");
	lb_value_set_text(arena, github, "server_url", "https://github.com");
	lb_value_set_text(arena, github, "api_url", "https://api.github.com");
	w->github = github;
}

static struct lb_bytes default_event(const struct workflow *workflow)
{
	if (workflow_trigger_find(workflow, "workflow_dispatch") != NULL ||
	    workflow->trigger_count == 0)
		return LB_B("workflow_dispatch");
	return workflow_trigger_find(workflow, "push") != NULL ? LB_B("push")
	                                                       : workflow->triggers[0].event;
}

static lb_err make_event(struct planned *w, struct lb_diag *diag)
{
	struct runner_planning *p = w->p;
	struct checkout checkout;

	LB_TRY(find_checkout(&checkout, p, diag));
	LB_TRY(read_lock(p, diag));
	if (p->repository != NULL)
		checkout.name = lb_bytes_of(p->repository);
	w->event = p->event != NULL ? lb_bytes_of(p->event) : default_event(w->workflow);
	if (p->action == NULL && p->payload == NULL)
		p->action = default_action(w->event);
	w->payload = p->payload != NULL ? p->payload : make_payload(w, &checkout);
	w->ref = workflow_payload_ref(p->arena, w->event, w->payload);
	if (p->ref != NULL && (p->payload != NULL || w->ref.len == 0 ||
	                       !lb_bytes_starts(w->event, LB_B("pull_request"))))
		w->ref = full_ref(p->arena, lb_bytes_of(p->ref));
	make_github(w, &checkout);
	return p->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* ---- schedules ---- */

static lb_err zone_named(const struct workflow_zone **out, struct planned *w,
                         const struct workflow_token *name, struct lb_diag *diag)
{
	struct lb_arena *arena = w->p->arena;
	struct lb_bytes path, file;

	*out = NULL;
	if (name == NULL || lb_bytes_is(name->text, "UTC"))
		return LB_OK;
	path = lb_arena_format(arena, ZONES "/%.*s", LB_FMT(name->text));
	if (path.at == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!workflow_zone_is_name(name->text) ||
	    !lb_file_exists(w->p->plat, (const char *)path.at))
		return lb_fail(diag, LB_E_INVALID,
		               "%s (Line: %u, Col: %u): '%.*s' is no time zone that is known here",
		               w->file, name->line, name->column, LB_FMT(name->text));
	LB_TRY(read_text(&file, w->p, arena, (const char *)path.at, ZONE_BYTES_MAX, diag));
	return workflow_zone_read(out, arena, file);
}

static struct lb_bytes shown_time(struct lb_arena *arena, int64_t utc)
{
	int64_t day = (utc >= 0 ? utc : utc - 86399) / 86400;
	unsigned second = (unsigned)(utc - day * 86400);
	struct workflow_date date = workflow_date_of(day);

	return lb_arena_format(arena, "%lld-%02u-%02uT%02u:%02uZ", (long long)date.year, date.month,
	                       date.day, second / 3600, second / 60 % 60);
}

static lb_err time_of(struct lb_value **out, struct planned *w, const struct workflow_token *cron,
                      const struct workflow_token *zone_name, struct lb_diag *diag)
{
	struct lb_arena *arena = w->p->arena;
	int64_t now = (int64_t)(w->p->plat->ops->wall_ns(w->p->plat) / 1000000000), next;
	struct lb_value *value = lb_value_object(arena);
	const struct workflow_zone *zone;
	struct workflow_cron times;
	lb_err err = workflow_cron_parse(&times, cron->text, diag);

	if (lb_failed(err)) {
		lb_diag_prefix(diag, "%s (Line: %u, Col: %u)", w->file, cron->line, cron->column);
		return err;
	}
	LB_TRY(zone_named(&zone, w, zone_name, diag));
	set(arena, value, "cron", cron->text);
	if (zone_name != NULL)
		set(arena, value, "timezone", zone_name->text);
	set(arena, value, "next",
	    lb_failed(workflow_cron_next(&next, &times, zone, now)) ? LB_B("never")
	                                                            : shown_time(arena, next));
	*out = value;
	return LB_OK;
}

static lb_err make_times(struct planned *w, struct lb_diag *diag)
{
	const struct workflow_trigger *trigger = workflow_trigger_find(w->workflow, "schedule");
	struct lb_value *times = lb_value_array(w->p->arena);

	if (trigger == NULL || !lb_bytes_is(w->event, "schedule"))
		return LB_OK;
	for (uint32_t i = 0; i < trigger->crons.count; i++) {
		struct lb_value *value;

		if (trigger->crons.at[i] == NULL)
			continue;
		LB_TRY(time_of(&value, w, trigger->crons.at[i], trigger->timezones.at[i], diag));
		lb_value_add(w->p->arena, times, value);
	}
	w->times = times;
	return LB_OK;
}

/* ---- one workflow ---- */

/* Of a run by hand, and of a called workflow that is looked at alone. */
static const struct workflow_trigger *trigger_with_inputs(const struct planned *w)
{
	bool by_hand = lb_bytes_is(w->event, "workflow_dispatch");

	if (!by_hand && !lb_bytes_is(w->event, "workflow_call"))
		return NULL;
	return workflow_trigger_find(w->workflow, by_hand ? "workflow_dispatch" : "workflow_call");
}

static lb_err make_inputs(struct planned *w, struct lb_diag *diag)
{
	const struct workflow_trigger *trigger = trigger_with_inputs(w);
	struct workflow_scope scope = { .contexts = lb_value_object(w->p->arena) };
	const struct lb_value *given = w->p->inputs;

	w->inputs = given;
	if (given == NULL)
		given = lb_value_get(w->payload, "inputs");
	if (trigger == NULL)
		return LB_OK;
	return workflow_inputs(&w->inputs, w->p->arena, trigger, given, &scope, diag);
}

static bool does_run(struct planned *w)
{
	struct workflow_event event = workflow_payload_event(w->event, w->payload, w->ref);

	event.paths_unknown = w->p->changed == NULL;
	event.paths = w->p->changed;
	event.path_count = w->p->changed_count;
	w->runs = workflow_matches_event(w->workflow, &event, &w->why_not);
	return w->runs;
}

static lb_err plan_one(struct planned *w, struct lb_bytes source, struct lb_diag *diag)
{
	struct runner_planning *p = w->p;
	struct workflow_plan_options options = {
		.vars = p->vars, .read_file = read_file, .read_remote = read_remote, .self = p
	};

	LB_TRY(workflow_parse(&w->workflow, p->mem, source, w->file, diag));
	LB_TRY(make_event(w, diag));
	LB_TRY(make_times(w, diag));
	if (!does_run(w))
		return LB_OK;
	LB_TRY(make_inputs(w, diag));
	options.github = w->github;
	options.inputs = w->inputs;
	LB_TRY(workflow_plan_new(&w->plan, p->mem, w->workflow, &options, diag));
	return workflow_plan_look_ahead(w->plan, p->outputs, p->results, diag);
}

/* ---- showing ---- */

static struct workflow_shown shown_of(const struct planned *w)
{
	return (struct workflow_shown){ .workflow = w->workflow,
		                        .event = w->event,
		                        .ref = w->ref,
		                        .why_not = w->runs ? NULL : &w->why_not,
		                        .plan = w->plan,
		                        .times = w->times };
}

static lb_err show(struct planned *w, struct lb_value *list, struct lb_diag *diag)
{
	struct runner_planning *p = w->p;
	struct workflow_tree_options tree = { .colours = p->colours, .all = p->all };
	struct workflow_shown shown = shown_of(w);
	struct lb_value *value;
	struct lb_buf text;
	lb_err err;

	if (p->format == RUNNER_PLAN_JSON) {
		LB_TRY(workflow_show_json(&value, p->arena, &shown));
		lb_value_add(p->arena, list, value);
		return LB_OK;
	}
	lb_buf_init(&text, p->mem, TEXT_BYTES_MAX);
	err = p->format == RUNNER_PLAN_SVG ? workflow_show_drawing(&text, p->mem, &shown, diag)
	                                   : workflow_show_tree(&text, p->mem, &shown, &tree);
	if (!lb_failed(err) && fwrite(text.at, 1, text.len, p->out) != text.len)
		err = lb_err_of(LB_E_IO);
	lb_buf_release(&text);
	return err;
}

static lb_err plan_file(bool *runs, struct runner_planning *p, const char *file,
                        struct lb_value *list, struct lb_diag *diag)
{
	struct planned w = { .p = p, .file = file };
	struct lb_bytes source;
	lb_err err;

	LB_TRY(read_text(&source, p, p->arena, file, WORKFLOW_FILE_BYTES_MAX, diag));
	err = plan_one(&w, source, diag);
	if (!lb_failed(err))
		err = show(&w, list, diag);
	*runs = *runs || w.runs;
	workflow_plan_free(w.plan);
	workflow_free(w.workflow);
	return err;
}

/* ---- all of them ---- */

struct folder {
	struct lb_arena *arena;
	struct lb_value *names;
};

static lb_err look_at(void *ctx, const char *name, const struct plat_info *info)
{
	struct folder *folder = ctx;
	struct lb_bytes text = lb_bytes_of(name);

	if (info->type == PLAT_FILE && lb_bytes_find_byte(text, '/') == SIZE_MAX &&
	    (lb_bytes_ends(text, LB_B(".yml")) || lb_bytes_ends(text, LB_B(".yaml"))))
		lb_value_add(folder->arena, folder->names,
		             lb_value_string(folder->arena,
		                             lb_arena_format(folder->arena, ".github/workflows/%s",
		                                             name)));
	return LB_OK;
}

static lb_err plan_all(bool *runs, struct runner_planning *p, struct lb_value *list,
                       struct lb_diag *diag)
{
	struct folder folder = { p->arena, lb_value_array(p->arena) };

	if (lb_file_exists(p->plat, ".github/workflows"))
		LB_TRY(lb_file_walk(p->mem, p->plat, ".github/workflows", look_at, &folder, diag));
	if (p->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (folder.names->count == 0)
		return lb_fail(diag, LB_E_NOTFOUND,
		               ".github/workflows holds no workflow; name a file");
	if (p->format == RUNNER_PLAN_SVG && folder.names->count > 1)
		return lb_fail(diag, LB_E_USAGE,
		               "a drawing is of one workflow: name one of the %u in "
		               ".github/workflows",
		               folder.names->count);
	for (uint32_t i = 0; i < folder.names->count; i++) {
		const char *file = (const char *)folder.names->items[i]->string.at;

		if (i > 0 && p->format == RUNNER_PLAN_TREE)
			(void)fputc('\n', p->out);
		LB_TRY(plan_file(runs, p, file, list, diag));
	}
	return LB_OK;
}

static lb_err print_json(struct runner_planning *p, struct lb_value *list)
{
	struct lb_value *whole = lb_value_object(p->arena);
	struct lb_buf text;
	lb_err err;

	lb_value_put(p->arena, whole, "workflows", list);
	if (p->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, p->mem, TEXT_BYTES_MAX);
	lb_value_write(&text, whole, true);
	lb_buf_add_byte(&text, '\n');
	err = lb_buf_check(&text);
	if (!lb_failed(err) && fwrite(text.at, 1, text.len, p->out) != text.len)
		err = lb_err_of(LB_E_IO);
	lb_buf_release(&text);
	return err;
}

lb_err runner_plan(bool *runs, struct runner_planning *p, struct lb_diag *diag)
{
	struct lb_value *list = lb_value_array(p->arena);

	*runs = false;
	find_root(p);
	if (p->checkout == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (p->file != NULL)
		LB_TRY(plan_file(runs, p, p->file, list, diag));
	else
		LB_TRY(plan_all(runs, p, list, diag));
	return p->format == RUNNER_PLAN_JSON ? print_json(p, list) : LB_OK;
}
