/* watch.c - following a run with progress. */
#include "base/data/json.h"
#include "base/io/progress.h"
#include "base/platform/stop.h"
#include "coordinator/client/client.h"

#include <inttypes.h>

enum { EVENT_MAX = 16 << 20, TICK_MS = 500, AWAY_S_MAX = 120 };

struct watch {
	struct coord_client *client;
	struct lb_progress *progress;
	struct lb_buf pending; /* of the event stream, up to the next empty line */
	struct lb_arena arena; /* of one event */
	uint64_t seen;         /* the last event's number */
	bool completed;
	char conclusion[32];
};

static enum lb_task_state state_of(const struct lb_value *job)
{
	struct lb_bytes status = lb_value_get_string(job, "status");
	struct lb_bytes conclusion = lb_value_get_string(job, "conclusion");

	if (lb_bytes_is(status, "in_progress"))
		return LB_TASK_RUNNING;
	if (!lb_bytes_is(status, "completed"))
		return LB_TASK_WAITING;
	if (lb_bytes_is(conclusion, "success"))
		return LB_TASK_GOOD;
	return lb_bytes_is(conclusion, "skipped") ? LB_TASK_SKIPPED : LB_TASK_BAD;
}

/* What it waits for, the step that runs now, or the one that went wrong. */
static struct lb_bytes note_of(const struct lb_value *job)
{
	const struct lb_value *steps = lb_value_get(job, "steps");
	enum lb_task_state state = state_of(job);

	if (state == LB_TASK_WAITING)
		return lb_value_get_string(job, "waiting");
	for (uint32_t i = 0; steps != NULL && steps->kind == LB_ARRAY && i < steps->count; i++) {
		const struct lb_value *step = steps->items[i];

		if ((state == LB_TASK_RUNNING &&
		     lb_bytes_is(lb_value_get_string(step, "status"), "in_progress")) ||
		    (state == LB_TASK_BAD &&
		     lb_bytes_is(lb_value_get_string(step, "conclusion"), "failure")))
			return lb_value_get_string(step, "name");
	}
	return (struct lb_bytes){ 0 };
}

static lb_err show_job(struct watch *w, const struct lb_value *job)
{
	return lb_progress_set(w->progress, lb_value_get_string(job, "name"), state_of(job),
	                       note_of(job));
}

static bool is_job(const void *jobs, struct lb_bytes name)
{
	const struct lb_value *list = jobs;

	for (uint32_t i = 0; i < list->count; i++) {
		if (lb_bytes_eq(lb_value_get_string(list->items[i], "name"), name))
			return true;
	}
	return false;
}

/* A matrix stands as one job until it is expanded: then that one is gone. */
static lb_err show_run(struct watch *w, const struct lb_value *run)
{
	const struct lb_value *jobs = lb_value_get(run, "jobs");

	if (jobs != NULL && jobs->kind == LB_ARRAY)
		lb_progress_keep(w->progress, is_job, jobs);

	for (uint32_t i = 0; jobs != NULL && jobs->kind == LB_ARRAY && i < jobs->count; i++)
		LB_TRY(show_job(w, jobs->items[i]));
	if (lb_bytes_is(lb_value_get_string(run, "status"), "completed")) {
		struct lb_bytes conclusion = lb_value_get_string(run, "conclusion");

		w->completed = true;
		(void)snprintf(w->conclusion, sizeof w->conclusion, "%.*s", LB_FMT(conclusion));
	}
	return LB_OK;
}

/* One event: its lines "id:", "event:" and "data:" (HTML standard, 9.2). */
static lb_err take_event(struct watch *w, struct lb_bytes event)
{
	struct lb_bytes line, data = { 0 }, kind = { 0 };
	struct lb_value *value = NULL;
	uint64_t number = 0;

	while (lb_bytes_split(&line, &event, '\n')) {
		struct lb_bytes name;

		if (!lb_bytes_split(&name, &line, ':') || line.at == NULL || line.len == 0)
			continue;
		if (line.at[0] == ' ')
			line = lb_bytes_from(line, 1);
		if (lb_bytes_is(name, "data"))
			data = line;
		else if (lb_bytes_is(name, "event"))
			kind = line;
		else if (lb_bytes_is(name, "id") &&
		         !lb_failed(lb_bytes_u64(&number, line, UINT64_MAX)))
			w->seen = number;
	}
	if (data.len == 0)
		return LB_OK; /* a comment that keeps the connection alive */
	LB_TRY(lb_json_read(&value, &w->arena, data, w->client->diag));
	return lb_bytes_is(kind, "job") ? show_job(w, value) : show_run(w, value);
}

static lb_err take_part(void *ctx, struct lb_bytes part)
{
	struct watch *w = ctx;
	size_t end;

	lb_buf_add(&w->pending, part);
	LB_TRY(lb_buf_check(&w->pending));
	while ((end = lb_bytes_find(lb_buf_bytes(&w->pending), LB_B("\n\n"))) != SIZE_MAX) {
		LB_TRY(take_event(w, lb_bytes_upto(lb_buf_bytes(&w->pending), end)));
		lb_arena_release(&w->arena);
		lb_arena_init(&w->arena, w->client->arena.under);
		lb_buf_consume(&w->pending, end + 2);
	}
	return LB_OK;
}

/* Listen for a moment; the next call goes on behind the last event that was seen. */
static lb_err listen(struct watch *w, uint64_t run)
{
	char url[512];
	const char *headers[] = { w->client->auth, "Accept: text/event-stream", NULL };
	struct lb_http_ask ask = {
		.url = url, .headers = headers, .sink = take_part, .ctx = w, .timeout_ms = TICK_MS
	};
	struct lb_http_answer answer = { 0 };
	lb_err err;

	(void)snprintf(url, sizeof url, "%s/api/v1/runs/%" PRIu64 "/events?after=%" PRIu64,
	               w->client->url, run, w->seen);
	lb_buf_reset(&w->pending);
	lb_buf_init(&answer.body, w->client->arena.under, 1 << 16);
	lb_buf_init(&answer.headers, w->client->arena.under, 1 << 16);
	err = lb_http_ask_ok(w->client->http, &ask, &answer, w->client->diag);
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
	return err;
}

/* A coordinator that is away or restarts is no reason to stop watching, for a while. */
static bool is_away(lb_err err)
{
	return lb_code_of(err) == LB_E_NETWORK || lb_code_of(err) == LB_E_CLOSED;
}

static lb_err follow(struct watch *w, uint64_t run)
{
	struct plat *plat = w->client->plat;
	uint64_t heard_ns = plat->ops->now_ns(plat);

	while (!w->completed) {
		lb_err err = listen(w, run);

		if (plat_stop_asked() > 0)
			return lb_fail(w->client->diag, LB_E_CANCELLED, "stopped; the run goes on");
		if (!is_away(err))
			heard_ns = plat->ops->now_ns(plat);
		else if (plat->ops->now_ns(plat) - heard_ns > AWAY_S_MAX * UINT64_C(1000000000))
			return err;
		else
			(void)plat_stop_wait(TICK_MS);
		if (lb_failed(err) && !is_away(err) && lb_code_of(err) != LB_E_TIMEOUT)
			return err;
		lb_progress_tick(w->progress);
	}
	return LB_OK;
}

lb_err coord_watch(struct coord_client *client, struct lb_cli *cli, uint64_t run)
{
	struct watch w = { .client = client };
	lb_err err;

	LB_TRY(lb_progress_new(&w.progress, cli->mem, cli->plat, cli->out));
	lb_buf_init(&w.pending, cli->mem, EVENT_MAX);
	lb_arena_init(&w.arena, cli->mem);
	err = follow(&w, run);
	lb_arena_release(&w.arena);
	lb_buf_release(&w.pending);
	lb_progress_free(w.progress);
	LB_TRY(err);
	lb_diag_set(client->diag, "%s", "");
	if (strcmp(w.conclusion, "success") == 0)
		return LB_OK;
	return lb_fail(client->diag,
	               strcmp(w.conclusion, "cancelled") == 0 ? LB_E_CANCELLED : LB_E_FAILED,
	               "run %" PRIu64 " ended with %s", run, w.conclusion);
}
