/* routes.c - answering a browser: pages, the lines that are new, and the files they refer to. */
#include "coordinator/api/routes.h"

#include "coordinator/logs/log.h"
#include "coordinator/pages/asset.h"
#include "coordinator/pages/page.h"

#include <inttypes.h>
#include <stdio.h>

enum { PAGE_MAX = 64 << 20, SHOWN_MAX = 1 << 20, RUNS_SHOWN = 50 };

static uint64_t wall_ns(const struct coord_api *api) { return api->plat->ops->wall_ns(api->plat); }

/* Answer with the page in `out`, or with a page about the error; releases `out`. */
static void answer_page(struct lb_http_exchange *x, struct lb_buf *out, lb_err err)
{
	int status = 200;

	if (!lb_failed(err))
		err = lb_buf_check(out);
	if (lb_failed(err)) {
		status = lb_err_http(err);
		lb_buf_reset(out);
		coord_page_error(out, status, lb_diag_text(&x->diag, err));
	}
	if (lb_failed(lb_buf_check(out)))
		lb_http_answer_error(x, lb_buf_check(out));
	else
		lb_http_answer(x, status, "text/html; charset=utf-8", lb_buf_bytes(out));
	lb_buf_release(out);
}

void coord_api_page_runs(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *runs = NULL, *status = NULL, *runners = NULL;
	struct coord_page_runs what = { .limit = RUNS_SHOWN };
	struct lb_buf out;
	uint64_t before = 0;
	lb_err err = coord_query_number(&before, x, "before", 0);

	lb_buf_init(&out, api->mem, PAGE_MAX);
	if (!lb_failed(err))
		err = coord_read_runs(&runs, api->store, &x->arena, before, RUNS_SHOWN);
	if (!lb_failed(err))
		err = coord_read_status(&status, api->store, &x->arena);
	if (!lb_failed(err))
		err = coord_read_runners(&runners, api->store, &x->arena);
	if (!lb_failed(err)) {
		what.runs = runs;
		what.status = status;
		what.runners = runners;
		coord_page_runs(&out, &what, wall_ns(api));
	}
	answer_page(x, &out, err);
}

void coord_api_page_run(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *run = NULL, *artifacts = NULL;
	struct lb_buf out;
	uint64_t id = 0;
	lb_err err = coord_param_id(&id, x, "id");

	lb_buf_init(&out, api->mem, PAGE_MAX);
	if (!lb_failed(err))
		err = coord_read_run(&run, api->store, &x->arena, id);
	if (!lb_failed(err))
		err = coord_read_artifacts(&artifacts, api->store, &x->arena, id);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		lb_diag_set(&x->diag, "There is no run %" PRIu64 ".", id);
	if (!lb_failed(err))
		coord_page_run(&out, run, artifacts, wall_ns(api));
	answer_page(x, &out, err);
}

/* A job's newest log from `offset`, whole lines only, at most SHOWN_MAX bytes. */
static lb_err read_lines(struct lb_bytes *out, uint64_t *size, struct lb_http_exchange *x,
                         struct coord_api *api, uint64_t job, uint64_t offset)
{
	struct coord_attempt_log attempt = { 0 };
	char *path = lb_arena_alloc(&x->arena, COORD_LOG_PATH_SIZE, 1);
	unsigned char *text = lb_arena_alloc(&x->arena, SHOWN_MAX, 1);
	size_t got = 0, part = 0;
	lb_err err = coord_read_attempt(&attempt, api->store, job, 0);

	*out = (struct lb_bytes){ 0 };
	*size = 0;
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return LB_OK; /* it has not begun */
	LB_TRY(err);
	if (x->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(coord_log_path(path, api->logs,
	                      (struct coord_log_name){ attempt.run_id, job, attempt.attempt }));
	do {
		LB_TRY(coord_log_read(&part, api->plat, path, text + got, SHOWN_MAX - got,
		                      offset + got));
		got += part;
	} while (part > 0 && got < SHOWN_MAX);
	*size = attempt.log_size > offset + got ? attempt.log_size : offset + got;
	*out = (struct lb_bytes){ text, got };
	part = lb_bytes_rfind_byte(*out, '\n');
	*out = lb_bytes_upto(*out, part == SIZE_MAX ? 0 : part + 1);
	return LB_OK;
}

void coord_api_page_job(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct coord_page_log log = { 0 };
	struct lb_value *job = NULL;
	struct lb_buf out;
	uint64_t id = 0;
	lb_err err = coord_param_id(&id, x, "job");

	lb_buf_init(&out, api->mem, PAGE_MAX);
	if (!lb_failed(err))
		err = coord_read_job(&job, api->store, &x->arena, id);
	if (!lb_failed(err))
		err = read_lines(&log.text, &log.size, x, api, id, 0);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		lb_diag_set(&x->diag, "There is no job %" PRIu64 ".", id);
	if (!lb_failed(err))
		coord_page_job(&out, job, &log, wall_ns(api));
	answer_page(x, &out, err);
}

/* What app.js puts at the end of a log that grows; `Lifeboat-Offset` is where to go on. */
void coord_api_page_lines(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_bytes text = { 0 };
	uint64_t id = 0, offset = 0, first = 1, size;
	char next[24];
	struct lb_buf out;
	lb_err err = coord_param_id(&id, x, "job");

	if (!lb_failed(err))
		err = coord_query_number(&offset, x, "offset", 0);
	if (!lb_failed(err))
		err = coord_query_number(&first, x, "first", 1);
	if (!lb_failed(err))
		err = read_lines(&text, &size, x, api, id, offset);
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_buf_init(&out, api->mem, PAGE_MAX);
	(void)coord_page_lines(&out, text, first);
	(void)snprintf(next, sizeof next, "%" PRIu64, offset + text.len);
	lb_http_add_header(x, "Lifeboat-Offset", next);
	answer_page(x, &out, LB_OK);
}

void coord_api_page_asset(struct lb_http_exchange *x, void *ctx)
{
	struct lb_bytes content;
	const char *type;

	(void)ctx;
	if (!coord_asset_find(&content, &type, lb_http_param(x, "name"))) {
		lb_http_answer_error(x, lb_fail(&x->diag, LB_E_NOTFOUND, "there is no such file"));
		return;
	}
	lb_http_add_header(x, "Cache-Control", "no-cache");
	lb_http_answer(x, 200, type, content);
}
