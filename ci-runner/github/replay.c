/* replay.c - what only GitHub can do, kept for when it is back: a line of JSON each.
 *
 *   {"method": "POST", "path": "/repos/o/r/issues/1/comments", "body": {...}, "at": TIME,
 *    "run": ID, "actor": NAME}
 *
 * The step is answered with 201 (204 for a deletion) and what it sent, marked as queued, so that
 * scripts go on.  A queue that cannot be written is an error.
 */
#include "ci-runner/github/service_priv.h"

#include "base/data/json.h"
#include "base/text.h"

static lb_err append(struct runner_github *g, const struct lb_value *line, struct lb_diag *diag)
{
	struct plat_info info;
	struct lb_buf text;
	int file = -1;
	lb_err err;

	lb_buf_init(&text, g->mem, RUNNER_GITHUB_JSON_BYTES_MAX);
	lb_value_write(&text, line, false);
	lb_buf_add_byte(&text, '\n');
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = g->plat->ops->open(&file, g->plat, g->options.queue,
		                         PLAT_WRITE | PLAT_CREATE | PLAT_PRIVATE | PLAT_NOFOLLOW);
	if (!lb_failed(err)) {
		err = g->plat->ops->file_info(&info, g->plat, file);
		if (!lb_failed(err))
			err = g->plat->ops->write_at(g->plat, file, text.at, text.len, info.size);
		if (!lb_failed(err))
			err = g->plat->ops->sync(g->plat, file);
		g->plat->ops->close(g->plat, file);
	}
	lb_buf_release(&text);
	if (lb_failed(err))
		lb_diag_set(diag, "%s: %s", g->options.queue, lb_err_text(err));
	return err;
}

static lb_err keep(struct lb_http_exchange *x, struct runner_github *g, struct lb_value *body)
{
	struct lb_value *line = lb_value_object(&x->arena);
	struct lb_bytes path = lb_bytes_of(x->path);
	char time[LB_TIME_SIZE];
	lb_err err;

	lb_value_set_text(&x->arena, line, "method", x->method);
	lb_value_set_string(&x->arena, line, "path", path);
	lb_value_put(&x->arena, line, "body", body);
	lb_value_set_text(&x->arena, line, "at",
	                  lb_time_text(time, g->plat->ops->wall_ns(g->plat), 0));
	lb_value_set_string(&x->arena, line, "run", runner_github_context(g, "run_id"));
	lb_value_set_string(&x->arena, line, "actor", runner_github_context(g, "actor"));
	if (x->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	(void)pthread_mutex_lock(&g->mutex);
	err = append(g, line, &x->diag);
	if (!lb_failed(err)) {
		lb_value_add(&g->arena, g->queued,
		             lb_value_string(&g->arena, lb_arena_format(&x->arena, "%s %.*s",
		                                                        x->method, LB_FMT(path))));
		err = g->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
	}
	(void)pthread_mutex_unlock(&g->mutex);
	return err;
}

static struct lb_value *answer_of(struct lb_http_exchange *x, const struct lb_value *body)
{
	struct lb_value *answer = body->kind == LB_OBJECT ? lb_value_copy(&x->arena, body)
	                                                  : lb_value_object(&x->arena);

	if (lb_value_get(answer, "id") == NULL)
		lb_value_set_number(&x->arena, answer, "id", 0);
	lb_value_set_bool(&x->arena, answer, "queued", true);
	lb_value_set_text(&x->arena, answer, "html_url", runner_github_base(x));
	return answer;
}

void runner_github_queue(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct lb_value *body = lb_value_null(&x->arena);
	lb_err err;

	if (!lb_bytes_eq_nocase(lb_http_param(x, "owner"), g->owner) ||
	    !lb_bytes_eq_nocase(lb_http_param(x, "name"), g->name)) {
		runner_github_refuse(x, 404, "Not Found");
		return;
	}
	if (g->options.queue == NULL) {
		runner_github_refuse(x, 501, "this can only be done on GitHub");
		return;
	}
	if (x->body.len > 0 && lb_failed(lb_json_read(&body, &x->arena, x->body, &x->diag))) {
		runner_github_refuse(x, 400, "Problems parsing JSON");
		return;
	}
	err = keep(x, g, body);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else if (strcmp(x->method, "DELETE") == 0)
		lb_http_answer(x, 204, NULL, (struct lb_bytes){ 0 });
	else
		lb_http_answer_json(x, strcmp(x->method, "POST") == 0 ? 201 : 200,
		                    answer_of(x, body));
}
