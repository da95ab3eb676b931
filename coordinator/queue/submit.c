/* submit.c - a run made from an event; see queue.h.
 *
 * What can be found out before anything is written is: the commit, the file,
 * its faults, the trigger, the inputs.  Then one transaction makes the run and
 * its jobs, so that a run that is answered for is planned already.
 */
#include "base/git/repo.h"
#include "base/io/file.h"
#include "base/text.h"
#include "coordinator/queue/queue_priv.h"
#include "workflows/event/payload.h"

enum { CONTEXT_BYTES_MAX = 8 << 20, TITLE_BYTES_MAX = 500, EVENT_BYTES_MAX = 50 };

/* What is gathered on the way. */
struct submit {
	struct coord_queue *queue;
	const struct coord_submission *what;
	struct live_run *run; /* becomes the queue's own in the end */
	struct lb_arena *arena;
	struct lb_repo *repo;
	struct lb_value *event;
	struct lb_bytes subject; /* of the commit */
	struct lb_diag *diag;
	char sha[LB_SHA_HEX + 1];
	bool unknown_commit;
};

/* ---- the request ---- */

static bool is_event_name(struct lb_bytes name)
{
	if (name.len == 0 || name.len > EVENT_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!((name.at[i] >= 'a' && name.at[i] <= 'z') || name.at[i] == '_'))
			return false;
	return true;
}

static lb_err check_request(struct submit *s)
{
	const struct coord_submission *what = s->what;

	if (!coord_repository_is_name(what->repository))
		return lb_fail(s->diag, LB_E_INVALID,
		               "repository: expected OWNER/NAME of letters, digits, '-', '_' and "
		               "'.', got '%.*s'",
		               LB_FMT(what->repository));
	if (what->ref.len == 0)
		return lb_fail(s->diag, LB_E_INVALID,
		               "ref: expected a branch or tag, like refs/heads/main");
	if (what->workflow.len == 0)
		return lb_fail(s->diag, LB_E_INVALID,
		               "workflow: expected a file, like .github/workflows/ci.yml");
	if (what->sha.len > 0 && !lb_hex_is(what->sha, LB_SHA_HEX))
		return lb_fail(s->diag, LB_E_INVALID,
		               "sha: expected %d hex digits in lower case, got '%.*s'", LB_SHA_HEX,
		               LB_FMT(what->sha));
	if (!is_event_name(s->run->row.event))
		return lb_fail(s->diag, LB_E_INVALID,
		               "event: expected the name of an event, like push, got '%.*s'",
		               LB_FMT(s->run->row.event));
	return LB_OK;
}

static void take_names(struct submit *s)
{
	const struct coord_submission *what = s->what;
	struct coord_run *row = &s->run->row;

	row->repository.name = lb_arena_bytes(s->arena, what->repository);
	row->ref = lb_bytes_starts(what->ref, LB_B("refs/"))
	                   ? lb_arena_bytes(s->arena, what->ref)
	                   : lb_arena_format(s->arena, "refs/heads/%.*s", LB_FMT(what->ref));
	row->event = what->event.len > 0 ? lb_arena_bytes(s->arena, what->event)
	                                 : lb_bytes_of("workflow_dispatch");
	row->path = lb_bytes_find_byte(what->workflow, '/') != SIZE_MAX
	                    ? lb_arena_bytes(s->arena, what->workflow)
	                    : lb_arena_format(s->arena, ".github/workflows/%.*s",
	                                      LB_FMT(what->workflow));
}

/* ---- the commit and the file ---- */

static lb_err find_commit(struct submit *s)
{
	const struct coord_run *row = &s->run->row;
	struct lb_commit commit;
	char folder[COORD_FOLDER_SIZE];
	lb_err err;

	s->unknown_commit = true;
	LB_TRY(coord_repository_path(folder, sizeof folder, s->queue->config.repositories,
	                             row->repository.name));
	err = lb_repo_open(&s->repo, s->queue->mem, folder, false, NULL);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return lb_fail(s->diag, LB_E_NOTFOUND,
		               "there is no repository %.*s here yet: push to %s/git/%.*s.git",
		               LB_FMT(row->repository.name), s->queue->config.address,
		               LB_FMT(row->repository.name));
	LB_TRY(err);
	if (s->what->sha.len > 0) {
		memcpy(s->sha, s->what->sha.at, LB_SHA_HEX);
		if (!lb_repo_has_commit(s->repo, s->sha))
			return lb_fail(s->diag, LB_E_NOTFOUND,
			               "%.*s has no commit %s here: push it to %s/git/%.*s.git",
			               LB_FMT(row->repository.name), s->sha,
			               s->queue->config.address, LB_FMT(row->repository.name));
	} else {
		LB_TRY(lb_repo_resolve(s->sha, s->repo, lb_arena_text(s->arena, row->ref),
		                       s->diag));
	}
	s->unknown_commit = false;
	s->run->row.sha = lb_bytes_of(lb_arena_text(s->arena, lb_bytes_of(s->sha)));
	LB_TRY(lb_repo_commit(&commit, s->arena, s->repo, s->sha, s->diag));
	s->subject = commit.subject;
	return LB_OK;
}

/* "ci.yml, release.yml": what could have been meant. */
static void name_workflows(struct submit *s)
{
	struct lb_value *names;
	struct lb_buf list;

	if (lb_failed(lb_repo_list(&names, s->arena, s->repo, s->sha, ".github/workflows", NULL)))
		return;
	lb_buf_init(&list, &s->arena->mem, LB_DIAG_SIZE / 2);
	for (uint32_t i = 0; i < names->count; i++)
		lb_buf_addf(&list, "%s%.*s", i > 0 ? ", " : "", LB_FMT(names->items[i]->string));
	lb_diag_set(s->diag, "%.*s: commit %s has no such file; its workflows are: %s",
	            LB_FMT(s->run->row.path), s->sha,
	            names->count > 0 ? lb_buf_text(&list) : "none");
}

static lb_err read_workflow(struct submit *s)
{
	struct coord_run *row = &s->run->row;
	char *path = lb_arena_text(s->arena, row->path);
	struct lb_buf source;
	lb_err err;

	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!lb_path_is_inside(row->path))
		return lb_fail(s->diag, LB_E_INVALID,
		               "workflow: expected a path inside the repository, got '%s'", path);
	lb_buf_init(&source, &s->arena->mem, WORKFLOW_FILE_BYTES_MAX);
	err = lb_repo_read(&source, s->repo, s->sha, path, s->diag);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		name_workflows(s);
	LB_TRY(err);
	row->source = lb_buf_bytes(&source);
	LB_TRY(workflow_parse(&s->run->workflow, s->queue->mem, row->source, path, s->diag));
	row->workflow = s->run->workflow->name.len > 0
	                        ? lb_arena_bytes(s->arena, s->run->workflow->name)
	                        : row->path;
	return LB_OK;
}

/* ---- the event ---- */

static const struct lb_value *side_of(const struct lb_value *event, const char *side)
{
	return lb_value_get(lb_value_get(event, "pull_request"), side);
}

/* A fork's pull request brings code of a stranger: it gets no secrets and writes where no trusted
 * run reads. pull_request_target runs the base's own files. */
static bool is_trusted(const struct coord_run *row, const struct lb_value *event)
{
	struct lb_bytes head =
		lb_value_get_string(lb_value_get(side_of(event, "head"), "repo"), "full_name");

	if (!lb_bytes_starts(row->event, LB_B("pull_request")) ||
	    lb_bytes_is(row->event, "pull_request_target"))
		return true;
	return lb_bytes_eq_nocase(head, row->repository.name);
}

/* The payload that was sent, or what a run by hand has. */
static void make_event(struct submit *s)
{
	struct lb_value *sender;

	if (s->what->payload != NULL) {
		s->event = lb_value_copy(s->arena, s->what->payload);
		return;
	}
	s->event = lb_value_object(s->arena);
	if (s->what->inputs != NULL)
		lb_value_put(s->arena, s->event, "inputs",
		             lb_value_copy(s->arena, s->what->inputs));
	lb_value_set_string(s->arena, s->event, "ref", s->run->row.ref);
	lb_value_set_string(s->arena, s->event, "workflow", s->run->row.path);
	sender = lb_value_object(s->arena);
	lb_value_set_string(s->arena, sender, "login", s->what->actor);
	lb_value_put(s->arena, s->event, "sender", sender);
}

/* The files that a push changed; unknown for a new branch. */
static lb_err find_paths(struct workflow_event *event, struct submit *s)
{
	struct lb_bytes before = lb_value_get_string(s->event, "before");
	struct lb_bytes *paths;
	struct lb_value *names;
	char *from;

	if (before.len == 0)
		before = lb_value_get_string(side_of(s->event, "base"), "sha");
	from = lb_arena_text(s->arena, before);
	event->paths_unknown = true;
	if (!lb_hex_is(before, LB_SHA_HEX) || !lb_repo_has_commit(s->repo, from))
		return LB_OK;
	LB_TRY(lb_repo_changed(&names, s->arena, s->repo, from, s->sha, s->diag));
	paths = LB_ARENA_NEW(s->arena, struct lb_bytes, names->count);
	if (paths == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < names->count; i++)
		paths[i] = names->items[i]->string;
	event->paths = paths;
	event->path_count = names->count;
	event->paths_unknown = false;
	return LB_OK;
}

static lb_err match_event(struct submit *s)
{
	const struct coord_run *row = &s->run->row;
	struct workflow_event event = workflow_payload_event(row->event, s->event, row->ref);
	struct workflow_mismatch why = { 0 };

	LB_TRY(find_paths(&event, s));
	if (s->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (workflow_matches_event(s->run->workflow, &event, &why))
		return LB_OK;
	return lb_fail(s->diag, LB_E_INVALID,
	               "%.*s (Line: %u, Col: %u) does not run on %.*s of %.*s: %s",
	               LB_FMT(row->path), why.line, why.column, LB_FMT(row->event),
	               LB_FMT(row->ref), why.diag.text);
}

static lb_err take_inputs(struct submit *s)
{
	const struct workflow_trigger *trigger;
	const struct lb_value *inputs = NULL;
	struct workflow_scope scope = { 0 };
	struct lb_value *contexts = lb_value_object(s->arena);

	s->run->vars = lb_value_copy(s->arena, s->queue->config.vars);
	s->run->inputs = lb_value_object(s->arena);
	if (!lb_bytes_is(s->run->row.event, "workflow_dispatch")) {
		if (s->what->inputs == NULL || s->what->inputs->count == 0)
			return LB_OK;
		return lb_fail(s->diag, LB_E_INVALID,
		               "inputs: only workflow_dispatch takes any, the event is %.*s",
		               LB_FMT(s->run->row.event));
	}
	trigger = workflow_trigger_find(s->run->workflow, "workflow_dispatch");
	lb_value_put(s->arena, contexts, "vars", s->run->vars);
	scope.contexts = contexts;
	LB_TRY(workflow_inputs(&inputs, s->arena, trigger, s->what->inputs, &scope, s->diag));
	s->run->inputs = lb_value_copy(s->arena, inputs);
	return LB_OK;
}

/* ---- the run ---- */

static lb_err json_of(struct lb_bytes *out, struct lb_arena *arena, const struct lb_value *value)
{
	struct lb_buf text;

	lb_buf_init(&text, &arena->mem, CONTEXT_BYTES_MAX);
	lb_value_write(&text, value, false);
	*out = lb_buf_bytes(&text);
	return lb_buf_check(&text);
}

/* As GitHub lists it: run-name, else what the commit or the pull request says. */
static struct lb_bytes title_of(const struct submit *s)
{
	struct lb_bytes title = workflow_plan_run_name(s->run->plan);
	struct lb_bytes pull = lb_value_get_string(lb_value_get(s->event, "pull_request"), "title");

	if (title.len == 0)
		title = pull;
	if (title.len == 0)
		title = s->subject;
	return title.len > 0 ? lb_bytes_upto(title, TITLE_BYTES_MAX) : lb_bytes_of("");
}

static lb_err make_github(struct submit *s, struct change *change)
{
	struct lb_bytes actor = lb_value_get_string(lb_value_get(s->event, "sender"), "login");
	uint64_t actor_id;

	if (actor.len == 0)
		actor = s->what->actor;
	LB_TRY(coord_store_owner(&actor_id, change->queue->config.store, actor));
	s->run->github =
		coord_github_context(s->arena, s->queue, &s->run->row, actor, actor_id, s->event);
	return s->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err add_run(struct submit *s, struct change *change)
{
	struct coord_store *store = change->queue->config.store;
	struct coord_run *row = &s->run->row;

	LB_TRY(coord_store_repository(&row->repository, store, s->arena, row->repository.name));
	row->attempt = 1;
	row->trusted = is_trusted(row, s->event);
	row->created_ms = change->now_ms;
	row->status = lb_bytes_of("queued");
	LB_TRY(json_of(&row->inputs, s->arena, s->run->inputs));
	LB_TRY(json_of(&row->vars, s->arena, s->run->vars));
	LB_TRY(coord_store_add_run(&row->id, &row->number, store, row));
	s->run->id = row->id;
	return LB_OK;
}

static lb_err start_run(struct submit *s, struct change *change)
{
	struct coord_store *store = change->queue->config.store;
	struct coord_run *row = &s->run->row;
	bool cancel, queue_all, waits;
	struct lb_bytes group;

	LB_TRY(add_run(s, change));
	LB_TRY(make_github(s, change));
	LB_TRY(coord_live_run_plan(s->run, s->diag));
	LB_TRY(coord_called_keep(s->run, s->arena));
	group = workflow_plan_concurrency(s->run->plan, &cancel, &queue_all);
	row->concurrency = group.len > 0 ? group : (struct lb_bytes){ 0 };
	LB_TRY(json_of(&row->github, s->arena, s->run->github));
	LB_TRY(coord_store_set_run(store, row->id, row->github, title_of(s), row->concurrency));
	LB_TRY(coord_group_enter_run(&waits, change, s->run, s->diag));
	if (waits) {
		row->waiting = lb_arena_format(s->arena, "waiting for concurrency group %.*s",
		                               LB_FMT(group));
		LB_TRY(coord_store_wait_run(store, row->id, row->waiting));
	}
	return coord_run_settle(change, s->run, s->diag);
}

static lb_err prepare(struct submit *s)
{
	take_names(s);
	if (s->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(check_request(s));
	LB_TRY(find_commit(s));
	LB_TRY(read_workflow(s));
	make_event(s);
	LB_TRY(match_event(s));
	return take_inputs(s);
}

lb_err coord_queue_submit(uint64_t *run_id, uint64_t *number, bool *unknown_commit,
                          struct coord_queue *queue, const struct coord_submission *what,
                          struct lb_diag *diag)
{
	struct submit s = { .queue = queue, .what = what, .diag = diag };
	struct change change;
	lb_err err;

	LB_TRY(coord_live_run_new(&s.run, queue, 0));
	s.arena = &s.run->arena;
	err = prepare(&s);
	*unknown_commit = s.unknown_commit && lb_code_of(err) == LB_E_NOTFOUND;
	if (!lb_failed(err))
		err = coord_change_begin(&change, queue);
	if (lb_failed(err)) {
		coord_live_run_free(s.run);
		lb_repo_free(s.repo);
		return err;
	}
	/* From here on the queue owns it, and forgets it when the change fails. */
	coord_live_run_keep(queue, s.run);
	err = start_run(&s, &change);
	*run_id = s.run->row.id;
	*number = s.run->row.number;
	err = coord_change_end(&change, err);
	lb_repo_free(s.repo);
	return err;
}
