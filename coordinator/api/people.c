/* people.c - what people ask: runs, jobs, runners.  See routes.h. */
#include "coordinator/api/routes.h"

static void answer_list(struct lb_http_exchange *x, lb_err err, const char *key,
                        struct lb_value *list)
{
	struct lb_value *answer = lb_value_object(&x->arena);

	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_value_put(&x->arena, answer, key, list);
	lb_http_answer_json(x, 200, answer);
}

static void answer_value(struct lb_http_exchange *x, lb_err err, const struct lb_value *value)
{
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer_json(x, 200, value);
}

/* ---- runs ---- */

static lb_err check_object(struct lb_http_exchange *x, const struct lb_value *value,
                           const char *name)
{
	if (value == NULL || value->kind == LB_OBJECT || value->kind == LB_NULL)
		return LB_OK;
	return lb_fail(&x->diag, LB_E_INVALID, "%s: expected an object", name);
}

static const struct lb_value *object_or_null(const struct lb_value *value)
{
	return value != NULL && value->kind == LB_OBJECT ? value : NULL;
}

static void answer_unknown_commit(struct lb_http_exchange *x, lb_err err)
{
	struct lb_value *answer = lb_value_object(&x->arena);

	lb_value_set_text(&x->arena, answer, "message", lb_diag_text(&x->diag, err));
	lb_value_set_text(&x->arena, answer, "code", "unknown_commit");
	lb_http_answer_json(x, 404, answer);
}

static void answer_submitted(struct lb_http_exchange *x, const struct coord_api *api, uint64_t id,
                             uint64_t number)
{
	struct lb_value *answer = lb_value_object(&x->arena);

	lb_value_set_number(&x->arena, answer, "id", (double)id);
	lb_value_set_number(&x->arena, answer, "number", (double)number);
	lb_value_put(&x->arena, answer, "url",
	             lb_value_string(&x->arena,
	                             lb_arena_format(&x->arena, "%s/runs/%llu", api->address,
	                                             (unsigned long long)id)));
	lb_http_answer_json(x, 201, answer);
}

void coord_api_submit(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *body = NULL;
	uint64_t id = 0, number = 0;
	bool unknown_commit = false;
	lb_err err = coord_body_object(&body, x);

	if (!lb_failed(err))
		err = check_object(x, lb_value_get(body, "inputs"), "inputs");
	if (!lb_failed(err))
		err = check_object(x, lb_value_get(body, "payload"), "payload");
	if (!lb_failed(err)) {
		struct coord_submission what = {
			.repository = lb_value_get_string(body, "repository"),
			.ref = lb_value_get_string(body, "ref"),
			.sha = lb_value_get_string(body, "sha"),
			.workflow = lb_value_get_string(body, "workflow"),
			.event = lb_value_get_string(body, "event"),
			.actor = lb_value_get_string(body, "actor"),
			.inputs = object_or_null(lb_value_get(body, "inputs")),
			.payload = object_or_null(lb_value_get(body, "payload")),
		};

		if (what.actor.len == 0)
			what.actor = lb_bytes_of("lifeboat");
		err = coord_queue_submit(&id, &number, &unknown_commit, api->queue, &what,
		                         &x->diag);
	}
	if (!lb_failed(err))
		answer_submitted(x, api, id, number);
	else if (unknown_commit)
		answer_unknown_commit(x, err);
	else
		lb_http_answer_error(x, err);
}

void coord_api_runs(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *runs = NULL;
	uint64_t limit = 0, before = 0;
	lb_err err = coord_query_number(&limit, x, "limit", 50);

	if (!lb_failed(err))
		err = coord_query_number(&before, x, "before", 0);
	if (!lb_failed(err))
		err = coord_read_runs(&runs, api->store, &x->arena, before, limit);
	answer_list(x, err, "runs", runs);
}

/* "there is no run 7" where the store only says that it is not there. */
static lb_err name_missing(struct lb_http_exchange *x, lb_err err, const char *what, uint64_t id)
{
	if (lb_code_of(err) == LB_E_NOTFOUND && x->diag.text[0] == '\0')
		lb_diag_set(&x->diag, "there is no %s %llu", what, (unsigned long long)id);
	return err;
}

typedef lb_err read_one(struct lb_value **out, struct coord_store *store, struct lb_arena *arena,
                        uint64_t id);

static lb_err read_by_id(struct lb_value **out, struct lb_http_exchange *x, struct coord_api *api,
                         read_one *read, const char *what)
{
	uint64_t id = 0;

	LB_TRY(coord_param_id(&id, x, "id"));
	return name_missing(x, read(out, api->store, &x->arena, id), what, id);
}

void coord_api_run(struct lb_http_exchange *x, void *ctx)
{
	struct lb_value *run = NULL;
	lb_err err = read_by_id(&run, x, ctx, coord_read_run, "run");

	answer_value(x, err, run);
}

void coord_api_job(struct lb_http_exchange *x, void *ctx)
{
	struct lb_value *job = NULL;
	lb_err err = read_by_id(&job, x, ctx, coord_read_job, "job");

	answer_value(x, err, job);
}

void coord_api_run_artifacts(struct lb_http_exchange *x, void *ctx)
{
	struct lb_value *artifacts = NULL;
	lb_err err = read_by_id(&artifacts, x, ctx, coord_read_artifacts, "run");

	answer_list(x, err, "artifacts", artifacts);
}

void coord_api_cancel(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	uint64_t id = 0;
	lb_err err = coord_param_id(&id, x, "id");

	if (!lb_failed(err))
		err = name_missing(x, coord_queue_cancel(api->queue, id, &x->diag), "run", id);
	answer_value(x, err, lb_value_object(&x->arena));
}

void coord_api_rerun(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *body = NULL;
	uint64_t id = 0, job_id = 0;
	lb_err err = coord_param_id(&id, x, "id");

	if (!lb_failed(err))
		err = coord_body_object(&body, x);
	if (!lb_failed(err) && lb_value_get(body, "job") != NULL &&
	    (lb_failed(lb_value_get_u64(&job_id, body, "job")) || job_id == 0))
		err = lb_fail(&x->diag, LB_E_INVALID, "job: expected a job's id");
	if (!lb_failed(err))
		err = name_missing(x,
		                   coord_queue_rerun(api->queue, id, job_id,
		                                     lb_value_get_bool(body, "failed"), &x->diag),
		                   "run", id);
	answer_value(x, err, lb_value_object(&x->arena));
}

/* ---- the rest ---- */

void coord_api_runners(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *runners = NULL;
	lb_err err = coord_read_runners(&runners, api->store, &x->arena);

	answer_list(x, err, "runners", runners);
}

void coord_api_status(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *status = NULL;
	lb_err err = coord_read_status(&status, api->store, &x->arena);

	if (!lb_failed(err)) {
		lb_value_set_text(&x->arena, status, "version", LB_VERSION);
		lb_value_set_text(&x->arena, status, "address", api->address);
	}
	answer_value(x, err, status);
}
