/* jobs.c - jobs, their attempts and leases, steps; see store.h. */
#include "coordinator/store/store_priv.h"

static struct coord_param number(uint64_t value) { return coord_param_number(value); }
static struct coord_param text(struct lb_bytes value) { return coord_param_text(value); }

/* ---- states ---- */

static const char *const states[] = {
	[COORD_JOB_WAITING] = "waiting",     [COORD_JOB_PENDING] = "pending",
	[COORD_JOB_READY] = "ready",         [COORD_JOB_LEASED] = "leased",
	[COORD_JOB_COMPLETED] = "completed",
};

enum coord_job_state coord_job_state_read(struct lb_bytes name)
{
	unsigned state = COORD_JOB_WAITING;

	while (state < COORD_JOB_COMPLETED && !lb_bytes_is(name, states[state]))
		state++;
	return (enum coord_job_state)state;
}

/* ---- jobs ---- */

lb_err coord_store_add_job(uint64_t *id, struct coord_store *store, const struct coord_job *job)
{
	LB_TRY(COORD_SQL_RUN(store->writer, JOB_ADD, number(job->run_id), number(job->position),
	                     text(job->key), text(job->name), text(job->job), text(job->file),
	                     text(job->needs), number(job->created_ms),
	                     coord_store_next_change(store)));
	*id = coord_sql_last_id(store->writer);
	return LB_OK;
}

lb_err coord_store_rename_job(struct coord_store *store, const struct coord_job *job)
{
	return COORD_SQL_RUN(store->writer, JOB_RENAME, number(job->id), number(job->position),
	                     text(job->name), text(job->needs), coord_store_next_change(store));
}

lb_err coord_store_remove_job(struct coord_store *store, uint64_t id)
{
	return COORD_SQL_RUN(store->writer, JOB_REMOVE, number(id));
}

lb_err coord_store_set_job(struct coord_store *store, uint64_t id, enum coord_job_state state,
                           struct lb_bytes waiting, struct lb_bytes labels,
                           struct lb_bytes concurrency)
{
	return COORD_SQL_RUN(store->writer, JOB_STATE, number(id), text(lb_bytes_of(states[state])),
	                     text(waiting), text(labels), text(concurrency),
	                     coord_store_next_change(store));
}

lb_err coord_store_end_job(struct coord_store *store, uint64_t id, const char *conclusion,
                           struct lb_bytes reason, struct lb_bytes outputs, bool reported,
                           uint64_t now_ms)
{
	return COORD_SQL_RUN(store->writer, JOB_END, number(id), text(lb_bytes_of(conclusion)),
	                     text(reason), text(outputs), number(reported), number(now_ms),
	                     coord_store_next_change(store));
}

lb_err coord_store_reset_job(struct coord_store *store, uint64_t id)
{
	return COORD_SQL_RUN(store->writer, JOB_RESET, number(id), coord_store_next_change(store));
}

lb_err coord_store_touch_job(struct coord_store *store, uint64_t id)
{
	return COORD_SQL_RUN(store->writer, JOB_TOUCH, number(id), coord_store_next_change(store));
}

static struct coord_job job_of(const struct coord_query *query, struct lb_arena *arena)
{
	return (struct coord_job){
		.id = coord_column_number(query, 0),
		.run_id = coord_column_number(query, 1),
		.position = (uint32_t)coord_column_number(query, 2),
		.key = coord_column_copy(query, 3, arena),
		.name = coord_column_copy(query, 4, arena),
		.job = coord_column_copy(query, 5, arena),
		.file = coord_column_copy(query, 6, arena),
		.state = coord_job_state_read(coord_column_text(query, 7)),
		.conclusion = coord_column_copy(query, 8, arena),
		.reason = coord_column_copy(query, 9, arena),
		.waiting = coord_column_copy(query, 10, arena),
		.needs = coord_column_copy(query, 11, arena),
		.labels = coord_column_copy(query, 12, arena),
		.outputs = coord_column_copy(query, 13, arena),
		.concurrency = coord_column_copy(query, 14, arena),
		.reported = coord_column_number(query, 15) != 0,
		.after_cancel = coord_column_number(query, 15) == 2,
		.lost = (uint32_t)coord_column_number(query, 16),
		.created_ms = coord_column_number(query, 17),
		.started_ms = coord_column_number(query, 18),
		.completed_ms = coord_column_number(query, 19),
	};
}

/* ---- lists ---- the same shape for each: rows into an array that grows in the arena */

/* Room for one more item; the array is moved at powers of two. */
static void *grow(struct lb_arena *arena, void *at, size_t count, size_t size)
{
	char *grown = at;

	if ((count & (count - 1)) == 0) {
		grown = lb_arena_alloc(arena, count < 4 ? 8 : count * 2, size);
		if (grown != NULL && count > 0)
			memcpy(grown, at, count * size);
	}
	return grown;
}

static lb_err end_list(struct coord_query *query, const struct lb_arena *arena)
{
	LB_TRY(coord_query_end(query));
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err coord_store_jobs(struct coord_job **out, size_t *count, struct coord_store *store,
                        struct lb_arena *arena, uint64_t run_id)
{
	struct coord_query query;

	*out = NULL;
	*count = 0;
	COORD_QUERY(&query, store->writer, JOBS_OF_RUN, number(run_id));
	while (!arena->failed && coord_query_next(&query)) {
		*out = grow(arena, *out, *count, sizeof **out);
		if (*out != NULL)
			(*out)[(*count)++] = job_of(&query, arena);
	}
	return end_list(&query, arena);
}

lb_err coord_store_ready_jobs(struct coord_ready **out, size_t *count, struct coord_store *store,
                              struct lb_arena *arena)
{
	struct coord_query query;

	*out = NULL;
	*count = 0;
	coord_query_begin(&query, store->writer, COORD_SQL_JOBS_READY, NULL, 0);
	while (!arena->failed && coord_query_next(&query)) {
		*out = grow(arena, *out, *count, sizeof **out);
		if (*out != NULL)
			(*out)[(*count)++] =
				(struct coord_ready){ coord_column_number(&query, 0),
				                      coord_column_number(&query, 1),
				                      coord_column_copy(&query, 2, arena) };
	}
	return end_list(&query, arena);
}

lb_err coord_store_group_jobs(struct coord_group_job **out, size_t *count,
                              struct coord_store *store, struct lb_arena *arena,
                              uint64_t repository_id, struct lb_bytes group, uint64_t except)
{
	struct coord_query query;

	*out = NULL;
	*count = 0;
	COORD_QUERY(&query, store->writer, JOBS_OF_GROUP, number(repository_id), text(group),
	            number(except));
	while (!arena->failed && coord_query_next(&query)) {
		*out = grow(arena, *out, *count, sizeof **out);
		if (*out != NULL)
			(*out)[(*count)++] = (struct coord_group_job){
				coord_column_number(&query, 0), coord_column_number(&query, 1),
				coord_job_state_read(coord_column_text(&query, 2))
			};
	}
	return end_list(&query, arena);
}

/* ---- leases ---- */

lb_err coord_store_grant(uint64_t *fence, uint64_t *attempt, struct coord_store *store,
                         const struct coord_lease_row *row)
{
	struct coord_query query;

	COORD_QUERY(&query, store->writer, ATTEMPT_ADD, number(row->job_id), number(row->runner_id),
	            text(row->lease), number(row->started_ms));
	if (coord_query_next(&query)) {
		*fence = coord_column_number(&query, 0);
		*attempt = coord_column_number(&query, 1);
	}
	while (coord_query_next(&query)) {}
	LB_TRY(coord_query_end(&query));
	return COORD_SQL_RUN(store->writer, JOB_LEASED, number(row->job_id),
	                     number(row->started_ms), coord_store_next_change(store));
}

lb_err coord_store_leases(struct coord_lease_row **out, size_t *count, struct coord_store *store,
                          struct lb_arena *arena)
{
	struct coord_query query;

	*out = NULL;
	*count = 0;
	coord_query_begin(&query, store->writer, COORD_SQL_LEASES, NULL, 0);
	while (!arena->failed && coord_query_next(&query)) {
		*out = grow(arena, *out, *count, sizeof **out);
		if (*out != NULL)
			(*out)[(*count)++] = (struct coord_lease_row){
				.fence = coord_column_number(&query, 0),
				.attempt = coord_column_number(&query, 1),
				.lease = coord_column_copy(&query, 2, arena),
				.job_id = coord_column_number(&query, 3),
				.run_id = coord_column_number(&query, 4),
				.runner_id = coord_column_number(&query, 5),
				.started_ms = coord_column_number(&query, 6),
			};
	}
	return end_list(&query, arena);
}

lb_err coord_store_end_attempt(struct coord_store *store, uint64_t fence,
                               const struct coord_end *end, uint64_t now_ms)
{
	return COORD_SQL_RUN(store->writer, ATTEMPT_END, number(fence),
	                     text(lb_bytes_of(end->conclusion)), text(end->reason),
	                     text(end->report_hash), number(now_ms), number(end->log_size),
	                     text(end->annotations), text(end->summary));
}

lb_err coord_store_requeue(struct coord_store *store, uint64_t job_id)
{
	return COORD_SQL_RUN(store->writer, JOB_LOST, number(job_id),
	                     coord_store_next_change(store));
}

lb_err coord_store_report(char hash[LB_SHA256_HEX + 1], struct coord_store *store,
                          struct lb_bytes lease, uint64_t fence)
{
	struct coord_query query;
	struct lb_bytes found = { 0 };

	hash[0] = '\0';
	COORD_QUERY(&query, store->writer, ATTEMPT_REPORT, text(lease), number(fence));
	if (coord_query_next(&query))
		found = coord_column_text(&query, 0);
	if (found.len == LB_SHA256_HEX) {
		memcpy(hash, found.at, LB_SHA256_HEX);
		hash[LB_SHA256_HEX] = '\0';
	}
	LB_TRY(coord_query_end(&query));
	return hash[0] != '\0' ? LB_OK : lb_err_of(LB_E_NOTFOUND);
}

lb_err coord_store_set_step(struct coord_store *store, uint64_t fence, uint64_t step,
                            struct lb_bytes detail)
{
	return COORD_SQL_RUN(store->writer, STEP_SET, number(fence), number(step), text(detail));
}
