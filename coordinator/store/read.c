/* read.c - see read.h. */
#include "coordinator/store/read.h"

#include "base/data/json.h"
#include "base/text.h"
#include "coordinator/store/store_priv.h"

#include <stdio.h>

/* What building needs: where values live, whose rows they come from. */
struct view {
	struct coord_store *store;
	struct coord_sql *sql;
	struct lb_arena *arena;
	struct lb_value *runners; /* read at most once a view; NULL: not yet */
};

static struct coord_param number(uint64_t value) { return coord_param_number(value); }

static lb_err begin_view(struct view *view, struct coord_store *store, struct lb_arena *arena)
{
	*view = (struct view){ .store = store, .arena = arena };
	return coord_store_begin_read(&view->sql, store);
}

static lb_err end_view(struct view *view, lb_err err)
{
	coord_store_end_read(view->store, view->sql);
	/* Without memory a text can look malformed: what came first counts. */
	return view->arena->failed ? lb_err_of(LB_E_NOMEM) : err;
}

/* ---- members ---- */

static void put_text(struct view *view, struct lb_value *object, const char *key,
                     const struct coord_query *query, int column)
{
	struct lb_bytes text = coord_column_text(query, column);

	lb_value_put(view->arena, object, key,
	             text.at != NULL ? lb_value_string(view->arena, text)
	                             : lb_value_null(view->arena));
}

static void put_number(struct view *view, struct lb_value *object, const char *key,
                       const struct coord_query *query, int column)
{
	lb_value_set_number(view->arena, object, key, (double)coord_column_number(query, column));
}

static void put_time(struct view *view, struct lb_value *object, const char *key,
                     const struct coord_query *query, int column)
{
	char text[LB_TIME_SIZE];

	if (coord_column_null(query, column))
		lb_value_put(view->arena, object, key, lb_value_null(view->arena));
	else
		lb_value_set_text(view->arena, object, key,
		                  lb_time_text(text, coord_column_number(query, column) * 1000000u,
		                               3));
}

/* A column that holds JSON of our own writing. */
static lb_err put_json(struct view *view, struct lb_value *object, const char *key,
                       const struct coord_query *query, int column)
{
	struct lb_value *value;

	LB_TRY(lb_json_read(&value, view->arena, coord_column_copy(query, column, view->arena),
	                    NULL));
	lb_value_put(view->arena, object, key, value);
	return LB_OK;
}

static void put_url(struct view *view, struct lb_value *object, struct lb_bytes path)
{
	lb_value_set_string(view->arena, object, "url",
	                    lb_arena_format(view->arena, "%s%.*s", view->store->address,
	                                    LB_FMT(path)));
}

/* ---- runs ---- the columns of VIEW_RUN and VIEW_RUNS */

static struct lb_value *run_of(struct view *view, const struct coord_query *query)
{
	static const char *const texts[] = { "repository", "path",   "workflow", "title",
		                             "event",      "ref",    "sha",      "status",
		                             "conclusion", "waiting" };
	struct lb_value *run = lb_value_object(view->arena);

	put_number(view, run, "id", query, 0);
	put_number(view, run, "number", query, 1);
	put_number(view, run, "attempt", query, 2);
	for (int i = 0; i < (int)(sizeof texts / sizeof texts[0]); i++)
		put_text(view, run, texts[i], query, 3 + i);
	lb_value_set_string(view->arena, run, "name",
	                    coord_column_text(query, 6).len > 0 ? coord_column_text(query, 6)
	                                                        : coord_column_text(query, 5));
	put_time(view, run, "created_at", query, 13);
	put_time(view, run, "started_at", query, 14);
	put_time(view, run, "completed_at", query, 15);
	put_number(view, run, "seq", query, 16);
	put_url(view, run,
	        lb_arena_format(view->arena, "/runs/%llu",
	                        (unsigned long long)coord_column_number(query, 0)));
	return run;
}

static lb_err view_run(struct lb_value **out, struct view *view, uint64_t run_id)
{
	struct coord_query query;
	bool found;

	COORD_QUERY(&query, view->sql, VIEW_RUN, number(run_id));
	found = coord_query_next(&query);
	if (found)
		*out = run_of(view, &query);
	LB_TRY(coord_query_end(&query));
	return found ? LB_OK : lb_err_of(LB_E_NOTFOUND);
}

/* ---- runners ---- */

static lb_err view_runners(struct lb_value **out, struct view *view)
{
	struct coord_query query;
	lb_err err = LB_OK, end;

	*out = lb_value_array(view->arena);
	coord_query_begin(&query, view->sql, COORD_SQL_RUNNERS, NULL, 0);
	while (!lb_failed(err) && coord_query_next(&query)) {
		struct lb_value *runner = lb_value_object(view->arena);
		struct lb_value *job = lb_value_null(view->arena);

		put_number(view, runner, "id", &query, 0);
		put_text(view, runner, "name", &query, 1);
		err = put_json(view, runner, "labels", &query, 2);
		put_text(view, runner, "version", &query, 3);
		put_text(view, runner, "os", &query, 4);
		put_text(view, runner, "arch", &query, 5);
		put_time(view, runner, "session_at", &query, 7);
		lb_value_set_bool(view->arena, runner, "online",
		                  coord_column_number(&query, 8) != 0);
		put_time(view, runner, "seen_at", &query, 9);
		if (!coord_column_null(&query, 10)) {
			job = lb_value_object(view->arena);
			put_number(view, job, "id", &query, 10);
			put_number(view, job, "run_id", &query, 11);
			put_text(view, job, "name", &query, 12);
		}
		lb_value_put(view->arena, runner, "job", job);
		lb_value_add(view->arena, *out, runner);
	}
	end = coord_query_end(&query);
	return lb_failed(err) ? err : end;
}

static bool has_label(const struct lb_value *labels, struct lb_bytes wanted)
{
	for (uint32_t i = 0; i < labels->count; i++)
		if (labels->items[i]->kind == LB_STRING &&
		    lb_bytes_eq_nocase(labels->items[i]->string, wanted))
			return true;
	return false;
}

bool coord_labels_fit(const struct lb_value *has, const struct lb_value *wanted)
{
	for (uint32_t i = 0; i < wanted->count; i++)
		if (wanted->items[i]->kind != LB_STRING ||
		    !has_label(has, wanted->items[i]->string))
			return false;
	return true;
}

/* What a queued job waits for, in words: no runner at all, or just its turn. */
static lb_err put_waiting_for_runner(struct view *view, struct lb_value *job)
{
	const struct lb_value *labels = lb_value_get(job, "labels");
	struct lb_buf text;

	if (view->runners == NULL)
		LB_TRY(view_runners(&view->runners, view));
	for (uint32_t i = 0; i < view->runners->count; i++)
		if (lb_value_get_bool(view->runners->items[i], "online") &&
		    coord_labels_fit(lb_value_get(view->runners->items[i], "labels"), labels)) {
			lb_value_set_text(view->arena, job, "waiting", "waiting for a free runner");
			return LB_OK;
		}
	lb_buf_init(&text, &view->arena->mem, 65536);
	lb_buf_add_text(&text, "waiting for a runner with labels ");
	for (uint32_t i = 0; i < labels->count; i++) {
		lb_buf_add_text(&text, i > 0 ? ", " : "");
		lb_buf_add(&text, labels->items[i]->string);
	}
	lb_value_set_string(view->arena, job, "waiting", lb_buf_bytes(&text));
	return lb_buf_check(&text);
}

/* ---- jobs ---- */

static lb_err view_steps(struct view *view, struct lb_value *job, uint64_t fence)
{
	struct lb_value *steps = lb_value_array(view->arena);
	struct coord_query query;
	lb_err err = LB_OK, end;

	COORD_QUERY(&query, view->sql, VIEW_STEPS, number(fence));
	while (!lb_failed(err) && coord_query_next(&query)) {
		struct lb_value *step = NULL;

		err = lb_json_read(&step, view->arena, coord_column_copy(&query, 0, view->arena),
		                   NULL);
		if (!lb_failed(err))
			lb_value_add(view->arena, steps, step);
	}
	end = coord_query_end(&query);
	lb_value_put(view->arena, job, "steps", steps);
	return lb_failed(err) ? err : end;
}

/* The attempts, and what the newest one says about its job. */
static lb_err view_attempts(struct view *view, struct lb_value *job, uint64_t job_id)
{
	struct lb_value *attempts = lb_value_array(view->arena);
	struct coord_query query;
	lb_err err = LB_OK, end;
	uint64_t newest = 0;

	lb_value_set_number(view->arena, job, "attempt", 0);
	lb_value_put(view->arena, job, "runner", lb_value_null(view->arena));
	lb_value_put(view->arena, job, "annotations", lb_value_array(view->arena));
	lb_value_set_text(view->arena, job, "summary", "");
	COORD_QUERY(&query, view->sql, VIEW_ATTEMPTS, number(job_id));
	while (!lb_failed(err) && coord_query_next(&query)) {
		struct lb_value *attempt = lb_value_object(view->arena);

		newest = coord_column_number(&query, 0);
		put_number(view, attempt, "number", &query, 1);
		put_text(view, attempt, "conclusion", &query, 2);
		put_text(view, attempt, "reason", &query, 3);
		put_text(view, attempt, "runner", &query, 4);
		put_time(view, attempt, "started_at", &query, 5);
		put_time(view, attempt, "completed_at", &query, 6);
		put_number(view, attempt, "log_size", &query, 7);
		lb_value_add(view->arena, attempts, attempt);
		put_number(view, job, "attempt", &query, 1);
		put_text(view, job, "runner", &query, 4);
		err = put_json(view, job, "annotations", &query, 8);
		put_text(view, job, "summary", &query, 9);
	}
	end = coord_query_end(&query);
	LB_TRY(lb_failed(err) ? err : end);
	lb_value_put(view->arena, job, "attempts", attempts);
	return view_steps(view, job, newest);
}

static const char *public_status(enum coord_job_state state)
{
	if (state == COORD_JOB_COMPLETED)
		return "completed";
	return state == COORD_JOB_LEASED ? "in_progress" : "queued";
}

/* The columns of VIEW_JOB, VIEW_JOBS and VIEW_CHANGED. */
static lb_err job_of(struct lb_value **out, struct view *view, const struct coord_query *query)
{
	struct lb_value *job = lb_value_object(view->arena);
	enum coord_job_state state = coord_job_state_read(coord_column_text(query, 4));

	put_number(view, job, "id", query, 0);
	put_number(view, job, "run_id", query, 1);
	put_text(view, job, "key", query, 2);
	put_text(view, job, "name", query, 3);
	lb_value_set_text(view->arena, job, "status", public_status(state));
	put_text(view, job, "conclusion", query, 5);
	put_text(view, job, "reason", query, 6);
	put_text(view, job, "waiting", query, 7);
	LB_TRY(put_json(view, job, "needs", query, 8));
	LB_TRY(put_json(view, job, "labels", query, 9));
	put_time(view, job, "created_at", query, 10);
	put_time(view, job, "started_at", query, 11);
	put_time(view, job, "completed_at", query, 12);
	put_number(view, job, "seq", query, 13);
	put_url(view, job,
	        lb_arena_format(view->arena, "/runs/%llu/jobs/%llu",
	                        (unsigned long long)coord_column_number(query, 1),
	                        (unsigned long long)coord_column_number(query, 0)));
	if (state == COORD_JOB_READY)
		LB_TRY(put_waiting_for_runner(view, job));
	*out = job;
	return LB_OK;
}

/* The rows of a statement about jobs, then for each what hangs below it. */
static lb_err view_jobs(struct lb_value **out, struct view *view, struct coord_query *query)
{
	lb_err err = LB_OK, end;

	*out = lb_value_array(view->arena);
	while (!lb_failed(err) && coord_query_next(query)) {
		struct lb_value *job = NULL;

		err = job_of(&job, view, query);
		if (!lb_failed(err))
			lb_value_add(view->arena, *out, job);
	}
	end = coord_query_end(query);
	LB_TRY(lb_failed(err) ? err : end);
	for (uint32_t i = 0; i < (*out)->count; i++) {
		struct lb_value *job = (*out)->items[i];

		LB_TRY(view_attempts(view, job, (uint64_t)lb_value_get_number(job, "id")));
	}
	return LB_OK;
}

static lb_err view_whole_run(struct lb_value **out, struct view *view, uint64_t run_id)
{
	struct lb_value *jobs;
	struct coord_query query;

	LB_TRY(view_run(out, view, run_id));
	COORD_QUERY(&query, view->sql, VIEW_JOBS, number(run_id));
	LB_TRY(view_jobs(&jobs, view, &query));
	lb_value_put(view->arena, *out, "jobs", jobs);
	return LB_OK;
}

/* ---- what is asked ---- */

lb_err coord_read_runs(struct lb_value **out, struct coord_store *store, struct lb_arena *arena,
                       uint64_t before, uint64_t limit)
{
	struct coord_query query;
	struct view view;

	LB_TRY(begin_view(&view, store, arena));
	*out = lb_value_array(arena);
	COORD_QUERY(&query, view.sql, VIEW_RUNS,
	            number(before > 0 && before < INT64_MAX ? before : INT64_MAX),
	            number(limit < COORD_RUNS_MAX ? limit : COORD_RUNS_MAX));
	while (coord_query_next(&query))
		lb_value_add(arena, *out, run_of(&view, &query));
	return end_view(&view, coord_query_end(&query));
}

lb_err coord_read_run(struct lb_value **out, struct coord_store *store, struct lb_arena *arena,
                      uint64_t run_id)
{
	struct view view;

	LB_TRY(begin_view(&view, store, arena));
	return end_view(&view, view_whole_run(out, &view, run_id));
}

static lb_err view_job(struct lb_value **out, struct view *view, uint64_t job_id)
{
	struct lb_value *jobs, *run = NULL;
	struct coord_query query;

	COORD_QUERY(&query, view->sql, VIEW_JOB, number(job_id));
	LB_TRY(view_jobs(&jobs, view, &query));
	if (jobs->count == 0)
		return lb_err_of(view->arena->failed ? LB_E_NOMEM : LB_E_NOTFOUND);
	*out = jobs->items[0];
	LB_TRY(view_run(&run, view, (uint64_t)lb_value_get_number(*out, "run_id")));
	lb_value_put(view->arena, *out, "run", run);
	return LB_OK;
}

lb_err coord_read_job(struct lb_value **out, struct coord_store *store, struct lb_arena *arena,
                      uint64_t job_id)
{
	struct view view;

	LB_TRY(begin_view(&view, store, arena));
	return end_view(&view, view_job(out, &view, job_id));
}

static void add_change(struct view *view, struct lb_value *list, const char *event,
                       struct lb_value *object)
{
	struct lb_value *change = lb_value_object(view->arena);

	lb_value_set_number(view->arena, change, "seq", lb_value_get_number(object, "seq"));
	lb_value_set_text(view->arena, change, "event", event);
	lb_value_put(view->arena, change, "data", object);
	lb_value_add(view->arena, list, change);
}

static lb_err view_changes(struct lb_value **out, bool *over, struct view *view, uint64_t run_id,
                           uint64_t after)
{
	struct lb_value *run, *jobs;
	struct coord_query query;
	bool run_pending;

	*out = lb_value_array(view->arena);
	LB_TRY(view_run(&run, view, run_id));
	*over = lb_bytes_is(lb_value_get_string(run, "status"), "completed");
	run_pending = lb_value_get_number(run, "seq") > (double)after;
	if (run_pending)
		LB_TRY(view_whole_run(&run, view, run_id));
	COORD_QUERY(&query, view->sql, VIEW_CHANGED, number(run_id), number(after));
	LB_TRY(view_jobs(&jobs, view, &query));
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (run_pending &&
		    lb_value_get_number(run, "seq") < lb_value_get_number(jobs->items[i], "seq")) {
			add_change(view, *out, "run", run);
			run_pending = false;
		}
		add_change(view, *out, "job", jobs->items[i]);
	}
	if (run_pending)
		add_change(view, *out, "run", run);
	return LB_OK;
}

lb_err coord_read_changes(struct lb_value **out, bool *over, struct coord_store *store,
                          struct lb_arena *arena, uint64_t run_id, uint64_t after)
{
	struct view view;

	LB_TRY(begin_view(&view, store, arena));
	return end_view(&view, view_changes(out, over, &view, run_id, after));
}

lb_err coord_read_runners(struct lb_value **out, struct coord_store *store, struct lb_arena *arena)
{
	struct view view;

	LB_TRY(begin_view(&view, store, arena));
	return end_view(&view, view_runners(out, &view));
}

lb_err coord_read_artifacts(struct lb_value **out, struct coord_store *store,
                            struct lb_arena *arena, uint64_t run_id)
{
	struct coord_query query;
	struct view view;

	LB_TRY(begin_view(&view, store, arena));
	*out = lb_value_array(arena);
	COORD_QUERY(&query, view.sql, ARTIFACTS_OF_RUN, number(run_id));
	while (coord_query_next(&query)) {
		struct lb_value *artifact = lb_value_object(arena);

		put_number(&view, artifact, "id", &query, 0);
		put_text(&view, artifact, "name", &query, 1);
		put_number(&view, artifact, "size", &query, 2);
		put_text(&view, artifact, "sha256", &query, 3);
		put_time(&view, artifact, "created_at", &query, 4);
		lb_value_add(arena, *out, artifact);
	}
	return end_view(&view, coord_query_end(&query));
}

lb_err coord_read_status(struct lb_value **out, struct coord_store *store, struct lb_arena *arena)
{
	struct lb_value *runs = lb_value_object(arena), *jobs = lb_value_object(arena);
	struct lb_value *runners = lb_value_object(arena);
	struct coord_query query;
	struct view view;

	LB_TRY(begin_view(&view, store, arena));
	coord_query_begin(&query, view.sql, COORD_SQL_VIEW_COUNTS, NULL, 0);
	if (coord_query_next(&query)) {
		put_number(&view, runs, "queued", &query, 0);
		put_number(&view, runs, "in_progress", &query, 1);
		put_number(&view, jobs, "queued", &query, 2);
		put_number(&view, jobs, "in_progress", &query, 3);
		put_number(&view, runners, "online", &query, 4);
	}
	*out = lb_value_object(arena);
	lb_value_put(arena, *out, "runs", runs);
	lb_value_put(arena, *out, "jobs", jobs);
	lb_value_put(arena, *out, "runners", runners);
	return end_view(&view, coord_query_end(&query));
}

lb_err coord_read_attempt(struct coord_attempt_log *out, struct coord_store *store, uint64_t job_id,
                          uint64_t attempt)
{
	struct coord_sql *reader;
	struct coord_query query;
	lb_err err;
	bool found;

	LB_TRY(coord_store_begin_read(&reader, store));
	COORD_QUERY(&query, reader, ATTEMPT_LOG, number(job_id), number(attempt));
	found = coord_query_next(&query);
	if (found)
		*out = (struct coord_attempt_log){
			.fence = coord_column_number(&query, 0),
			.attempt = coord_column_number(&query, 1),
			.run_id = coord_column_number(&query, 2),
			.over = coord_column_number(&query, 3) != 0,
			.log_size = coord_column_number(&query, 4),
		};
	err = coord_query_end(&query);
	coord_store_end_read(store, reader);
	return lb_failed(err) || found ? err : lb_err_of(LB_E_NOTFOUND);
}

/* ---- blobs ---- the columns id, name or key, size, sha256 of every statement about them */

static bool take_blob(struct coord_blob *out, struct coord_query *query, int size_column,
                      struct lb_arena *arena)
{
	if (!coord_query_next(query))
		return false;
	*out = (struct coord_blob){
		.id = coord_column_number(query, 0),
		.name = coord_column_copy(query, 1, arena),
		.size = coord_column_number(query, size_column),
		.sha256 = coord_column_copy(query, size_column + 1, arena),
	};
	return true;
}

/* `found` in the words of an error, the connection given back. */
static lb_err end_blob(struct coord_store *store, struct coord_sql *reader, lb_err err, bool found,
                       const struct lb_arena *arena)
{
	coord_store_end_read(store, reader);
	if (lb_failed(err))
		return err;
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	return found ? LB_OK : lb_err_of(LB_E_NOTFOUND);
}

lb_err coord_read_artifact(struct coord_blob *out, struct coord_store *store,
                           struct lb_arena *arena, uint64_t id)
{
	struct coord_sql *reader;
	struct coord_query query;
	bool found;

	LB_TRY(coord_store_begin_read(&reader, store));
	COORD_QUERY(&query, reader, ARTIFACT_GET, number(id));
	found = take_blob(out, &query, 2, arena);
	return end_blob(store, reader, coord_query_end(&query), found, arena);
}

lb_err coord_read_artifact_named(struct coord_blob *out, struct coord_store *store,
                                 struct lb_arena *arena, uint64_t run_id, struct lb_bytes name)
{
	struct coord_sql *reader;
	struct coord_query query;
	bool found = false;

	LB_TRY(coord_store_begin_read(&reader, store));
	COORD_QUERY(&query, reader, ARTIFACT_NAMED, number(run_id), coord_param_text(name));
	found = take_blob(out, &query, 2, arena);
	return end_blob(store, reader, coord_query_end(&query), found, arena);
}

/* The order is GitHub's: in each scope the exact key, then each prefix; then the next scope. */
static lb_err look_in_scope(struct coord_blob *out, bool *found, struct coord_sql *reader,
                            struct lb_arena *arena, const struct coord_cache_wish *wish,
                            struct lb_bytes scope)
{
	struct coord_query query;

	COORD_QUERY(&query, reader, CACHE_EXACT, number(wish->repository_id),
	            coord_param_text(scope), coord_param_text(wish->version),
	            coord_param_text(wish->key));
	*found = take_blob(out, &query, 2, arena);
	LB_TRY(coord_query_end(&query));
	/* The key itself counts as the first prefix. */
	for (size_t i = 0; i <= wish->prefix_count && !*found; i++) {
		struct lb_bytes prefix = i == 0 ? wish->key : wish->prefixes[i - 1];

		COORD_QUERY(&query, reader, CACHE_PREFIX, number(wish->repository_id),
		            coord_param_text(scope), coord_param_text(wish->version),
		            coord_param_text(prefix));
		*found = take_blob(out, &query, 2, arena);
		LB_TRY(coord_query_end(&query));
	}
	return LB_OK;
}

lb_err coord_read_cache(struct coord_blob *out, struct coord_store *store, struct lb_arena *arena,
                        const struct coord_cache_wish *wish)
{
	struct coord_sql *reader;
	lb_err err = LB_OK;
	bool found = false;

	LB_TRY(coord_store_begin_read(&reader, store));
	for (size_t i = 0; i < wish->scope_count && !found && !lb_failed(err); i++)
		err = look_in_scope(out, &found, reader, arena, wish, wish->scopes[i]);
	return end_blob(store, reader, err, found, arena);
}

lb_err coord_read_cache_entry(struct coord_blob *out, struct coord_store *store,
                              struct lb_arena *arena, uint64_t id,
                              const struct coord_cache_wish *wish)
{
	struct coord_sql *reader;
	struct coord_query query;
	bool found, allowed = false;

	LB_TRY(coord_store_begin_read(&reader, store));
	COORD_QUERY(&query, reader, CACHE_GET, number(id), number(wish->repository_id));
	found = take_blob(out, &query, 2, arena);
	for (size_t i = 0; found && i < wish->scope_count; i++)
		allowed |= lb_bytes_eq(coord_column_text(&query, 4), wish->scopes[i]);
	return end_blob(store, reader, coord_query_end(&query), found && allowed, arena);
}
