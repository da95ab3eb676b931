/* runs.c - repositories, tokens, runners and runs; see store.h. */
#include "coordinator/store/store_priv.h"

static struct coord_param number(uint64_t value) { return coord_param_number(value); }
static struct coord_param text(struct lb_bytes value) { return coord_param_text(value); }

/* ---- repositories ---- */

static lb_err get_repository(struct coord_repository *out, struct coord_store *store,
                             struct lb_arena *arena, struct lb_bytes name)
{
	struct coord_query query;
	bool found;

	COORD_QUERY(&query, store->writer, REPOSITORY_GET, text(name));
	found = coord_query_next(&query);
	if (found)
		*out = (struct coord_repository){ coord_column_number(&query, 0),
			                          coord_column_number(&query, 1),
			                          coord_column_copy(&query, 2, arena) };
	LB_TRY(coord_query_end(&query));
	return found ? LB_OK : lb_err_of(LB_E_NOTFOUND);
}

lb_err coord_store_repository(struct coord_repository *out, struct coord_store *store,
                              struct lb_arena *arena, struct lb_bytes name)
{
	struct lb_bytes owner = lb_bytes_upto(name, lb_bytes_find_byte(name, '/'));
	lb_err err = get_repository(out, store, arena, name);

	if (lb_code_of(err) != LB_E_NOTFOUND)
		return err;
	LB_TRY(COORD_SQL_RUN(store->writer, OWNER_ADD, text(owner)));
	LB_TRY(COORD_SQL_RUN(store->writer, REPOSITORY_ADD, text(owner), text(name)));
	return get_repository(out, store, arena, name);
}

lb_err coord_store_owner(uint64_t *id, struct coord_store *store, struct lb_bytes name)
{
	struct coord_query query;

	LB_TRY(COORD_SQL_RUN(store->writer, OWNER_ADD, text(name)));
	COORD_QUERY(&query, store->writer, OWNER_GET, text(name));
	if (coord_query_next(&query))
		*id = coord_column_number(&query, 0);
	return coord_query_end(&query);
}

/* ---- tokens ---- */

lb_err coord_store_add_token(struct coord_store *store, struct lb_bytes hash, const char *kind,
                             uint64_t now_ms)
{
	return COORD_SQL_RUN(store->writer, TOKEN_ADD, text(hash), text(lb_bytes_of(kind)),
	                     number(now_ms));
}

lb_err coord_store_each_token(struct coord_store *store,
                              lb_err (*each)(void *ctx, struct lb_bytes hash, struct lb_bytes kind),
                              void *ctx)
{
	struct coord_query query;
	lb_err err = LB_OK, end;

	coord_query_begin(&query, store->writer, COORD_SQL_TOKENS, NULL, 0);
	while (!lb_failed(err) && coord_query_next(&query))
		err = each(ctx, coord_column_text(&query, 0), coord_column_text(&query, 1));
	end = coord_query_end(&query);
	return lb_failed(err) ? err : end;
}

/* ---- runners ---- */

lb_err coord_store_set_runner(uint64_t *id, struct coord_store *store,
                              const struct coord_runner *runner, uint64_t now_ms)
{
	struct coord_query query;

	COORD_QUERY(&query, store->writer, RUNNER_SET, text(runner->name), text(runner->labels),
	            text(runner->version), text(runner->os), text(runner->arch),
	            text(runner->session), number(now_ms));
	if (coord_query_next(&query))
		*id = coord_column_number(&query, 0);
	while (coord_query_next(&query)) {}
	return coord_query_end(&query);
}

lb_err coord_store_set_online(struct coord_store *store, uint64_t id, bool online, uint64_t now_ms)
{
	return COORD_SQL_RUN(store->writer, RUNNER_ONLINE, number(id), number(online),
	                     number(now_ms));
}

lb_err coord_store_each_runner(struct coord_store *store,
                               lb_err (*each)(void *ctx, const struct coord_runner *runner),
                               void *ctx)
{
	struct coord_query query;
	lb_err err = LB_OK, end;

	coord_query_begin(&query, store->writer, COORD_SQL_RUNNERS, NULL, 0);
	while (!lb_failed(err) && coord_query_next(&query)) {
		struct coord_runner runner = {
			.id = coord_column_number(&query, 0),
			.name = coord_column_text(&query, 1),
			.labels = coord_column_text(&query, 2),
			.version = coord_column_text(&query, 3),
			.os = coord_column_text(&query, 4),
			.arch = coord_column_text(&query, 5),
			.session = coord_column_text(&query, 6),
			.online = coord_column_number(&query, 8) != 0,
		};

		err = each(ctx, &runner);
	}
	end = coord_query_end(&query);
	return lb_failed(err) ? err : end;
}

/* ---- runs ---- */

static lb_err next_number(uint64_t *out, struct coord_store *store, const struct coord_run *run)
{
	struct coord_query query;

	COORD_QUERY(&query, store->writer, RUN_NUMBER, number(run->repository.id), text(run->path));
	if (coord_query_next(&query))
		*out = coord_column_number(&query, 0);
	return coord_query_end(&query);
}

lb_err coord_store_add_run(uint64_t *id, uint64_t *run_number, struct coord_store *store,
                           const struct coord_run *run)
{
	LB_TRY(next_number(run_number, store, run));
	LB_TRY(COORD_SQL_RUN(store->writer, RUN_ADD, number(run->repository.id),
	                     number(*run_number), text(run->path), text(run->workflow),
	                     text(run->event), text(run->ref), text(run->sha), number(run->trusted),
	                     text(run->source), text(run->inputs), text(run->vars),
	                     number(run->created_ms), coord_store_next_change(store)));
	*id = coord_sql_last_id(store->writer);
	return LB_OK;
}

lb_err coord_store_set_run(struct coord_store *store, uint64_t id, struct lb_bytes github,
                           struct lb_bytes title, struct lb_bytes concurrency)
{
	return COORD_SQL_RUN(store->writer, RUN_GITHUB, number(id), text(github), text(title),
	                     text(concurrency));
}

static struct coord_run run_of(const struct coord_query *query, struct lb_arena *arena)
{
	return (struct coord_run){
		.id = coord_column_number(query, 0),
		.repository = { coord_column_number(query, 1), coord_column_number(query, 2),
		                coord_column_copy(query, 3, arena) },
		.number = coord_column_number(query, 4),
		.attempt = coord_column_number(query, 5),
		.path = coord_column_copy(query, 6, arena),
		.workflow = coord_column_copy(query, 7, arena),
		.title = coord_column_copy(query, 8, arena),
		.event = coord_column_copy(query, 9, arena),
		.ref = coord_column_copy(query, 10, arena),
		.sha = coord_column_copy(query, 11, arena),
		.status = coord_column_copy(query, 12, arena),
		.conclusion = coord_column_copy(query, 13, arena),
		.waiting = coord_column_copy(query, 14, arena),
		.trusted = coord_column_number(query, 15) != 0,
		.cancelled = coord_column_number(query, 16) != 0,
		.concurrency = coord_column_copy(query, 17, arena),
		.source = coord_column_copy(query, 18, arena),
		.github = coord_column_copy(query, 19, arena),
		.inputs = coord_column_copy(query, 20, arena),
		.vars = coord_column_copy(query, 21, arena),
		.created_ms = coord_column_number(query, 22),
		.started_ms = coord_column_number(query, 23),
		.completed_ms = coord_column_number(query, 24),
	};
}

lb_err coord_store_find_run(struct coord_run *out, struct coord_store *store,
                            struct lb_arena *arena, uint64_t id)
{
	struct coord_query query;
	bool found;

	COORD_QUERY(&query, store->writer, RUN_GET, number(id));
	found = coord_query_next(&query);
	if (found)
		*out = run_of(&query, arena);
	LB_TRY(coord_query_end(&query));
	if (!found)
		return lb_err_of(LB_E_NOTFOUND);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err coord_store_set_called(struct coord_store *store, uint64_t id, struct lb_bytes called)
{
	return COORD_SQL_RUN(store->writer, RUN_CALLED, number(id), text(called));
}

lb_err coord_store_called(struct lb_bytes *out, struct coord_store *store, struct lb_arena *arena,
                          uint64_t id)
{
	struct coord_query query;
	bool found;

	COORD_QUERY(&query, store->writer, RUN_CALLED_GET, number(id));
	found = coord_query_next(&query);
	if (found)
		*out = coord_column_copy(&query, 0, arena);
	LB_TRY(coord_query_end(&query));
	if (!found)
		return lb_err_of(LB_E_NOTFOUND);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err coord_store_wait_run(struct coord_store *store, uint64_t id, struct lb_bytes waiting)
{
	return COORD_SQL_RUN(store->writer, RUN_WAIT, number(id), text(waiting),
	                     coord_store_next_change(store));
}

lb_err coord_store_start_run(struct coord_store *store, uint64_t id, uint64_t now_ms)
{
	return COORD_SQL_RUN(store->writer, RUN_START, number(id), number(now_ms),
	                     coord_store_next_change(store));
}

lb_err coord_store_end_run(struct coord_store *store, uint64_t id, const char *conclusion,
                           uint64_t now_ms)
{
	return COORD_SQL_RUN(store->writer, RUN_END, number(id), text(lb_bytes_of(conclusion)),
	                     number(now_ms), coord_store_next_change(store));
}

lb_err coord_store_cancel_run(struct coord_store *store, uint64_t id)
{
	return COORD_SQL_RUN(store->writer, RUN_CANCEL, number(id), coord_store_next_change(store));
}

lb_err coord_store_repeat_run(struct coord_store *store, uint64_t id, struct lb_bytes github)
{
	return COORD_SQL_RUN(store->writer, RUN_AGAIN, number(id), text(github),
	                     coord_store_next_change(store));
}

lb_err coord_store_touch_run(struct coord_store *store, uint64_t id)
{
	return COORD_SQL_RUN(store->writer, RUN_TOUCH, number(id), coord_store_next_change(store));
}

/* ---- lists of runs ---- */

static void add_id(struct coord_ids *ids, struct lb_arena *arena, uint64_t id)
{
	/* Grows at powers of two: an arena's blocks stay until it is released. */
	if ((ids->count & (ids->count - 1)) == 0) {
		uint64_t *grown =
			LB_ARENA_NEW(arena, uint64_t, ids->count < 4 ? 8 : ids->count * 2);

		if (grown == NULL)
			return;
		if (ids->count > 0)
			memcpy(grown, ids->at, ids->count * sizeof *grown);
		ids->at = grown;
	}
	ids->at[ids->count++] = id;
}

lb_err coord_store_open_runs(struct coord_ids *out, struct coord_store *store,
                             struct lb_arena *arena)
{
	struct coord_query query;

	*out = (struct coord_ids){ 0 };
	coord_query_begin(&query, store->writer, COORD_SQL_RUNS_OPEN, NULL, 0);
	while (!arena->failed && coord_query_next(&query))
		add_id(out, arena, coord_column_number(&query, 0));
	LB_TRY(coord_query_end(&query));
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err coord_store_group_runs(struct coord_ids *running, struct coord_ids *waiting,
                              struct coord_store *store, struct lb_arena *arena,
                              uint64_t repository_id, struct lb_bytes group, uint64_t except)
{
	struct coord_query query;

	*running = *waiting = (struct coord_ids){ 0 };
	COORD_QUERY(&query, store->writer, RUNS_OF_GROUP, number(repository_id), text(group),
	            number(except));
	while (!arena->failed && coord_query_next(&query))
		add_id(coord_column_number(&query, 1) != 0 ? waiting : running, arena,
		       coord_column_number(&query, 0));
	LB_TRY(coord_query_end(&query));
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}
