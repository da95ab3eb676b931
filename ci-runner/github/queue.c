/* queue.c - see queue.h. */
#include "ci-runner/github/queue.h"

#include "base/arena.h"
#include "base/data/json.h"
#include "base/http/client.h"
#include "base/io/file.h"

enum { FILE_BYTES_MAX = 256 * 1024 * 1024, ANSWER_BYTES_MAX = 1024 * 1024 };

struct sending {
	const struct runner_queue *queue;
	struct lb_http_client *client;
};

static bool is_for_good(int status)
{
	return (status >= 200 && status < 300) ||
	       (status >= 400 && status < 500 && status != 401 && status != 403 && status != 429);
}

static lb_err post(int *status, struct sending *s, struct lb_arena *arena,
                   const struct lb_value *request, struct lb_diag *diag)
{
	const char *const headers[] = {
		(const char *)lb_arena_format(arena, "Authorization: Bearer %s", s->queue->token)
			.at,
		"Content-Type: application/json", "Accept: application/vnd.github+json",
		"User-Agent: lifeboat", NULL
	};
	const struct lb_value *body = lb_value_get(request, "body");
	struct lb_http_answer answer = { .status = 0 };
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, s->queue->mem, ANSWER_BYTES_MAX * 16);
	lb_buf_init(&answer.body, s->queue->mem, ANSWER_BYTES_MAX);
	lb_buf_init(&answer.headers, s->queue->mem, ANSWER_BYTES_MAX);
	if (body != NULL && body->kind != LB_NULL)
		lb_value_write(&text, body, false);
	err = arena->failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_http_ask(
			s->client,
			&(struct lb_http_ask){
				.method = lb_arena_text(arena,
		                                        lb_value_get_string(request, "method")),
				.url = (const char *)lb_arena_format(
					       arena, "%s%.*s", s->queue->api,
					       LB_FMT(lb_value_get_string(request, "path")))
		                               .at,
				.headers = headers,
				.body = lb_buf_bytes(&text) },
			&answer, diag);
	*status = answer.status;
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
	lb_buf_release(&text);
	return err;
}

/* *sent: it leaves the queue. */
static lb_err replay_one(bool *sent, struct sending *s, struct lb_arena *arena,
                         struct lb_bytes line, struct lb_diag *diag)
{
	struct lb_value *request;
	int status = 0;

	*sent = false;
	LB_TRY(lb_json_read(&request, arena, line, diag));
	(void)fprintf(s->queue->out, "%.*s %.*s (run %.*s, %.*s)",
	              LB_FMT(lb_value_get_string(request, "method")),
	              LB_FMT(lb_value_get_string(request, "path")),
	              LB_FMT(lb_value_get_string(request, "run")),
	              LB_FMT(lb_value_get_string(request, "at")));
	if (s->queue->api != NULL) {
		lb_err err = post(&status, s, arena, request, diag);

		(void)fprintf(s->queue->out, lb_failed(err) ? ": no answer\n" : ": %d\n", status);
		LB_TRY(err);
		*sent = is_for_good(status);
		if (!*sent)
			return lb_fail(diag, LB_E_HTTP, "%s answered %d", s->queue->api, status);
		return LB_OK;
	}
	(void)fprintf(s->queue->out, "\n");
	return LB_OK;
}

/* What stays: all from `at`. */
static lb_err keep(const struct runner_queue *queue, struct lb_bytes all, size_t at,
                   struct lb_diag *diag)
{
	return at == 0 ? LB_OK
	               : lb_file_write(queue->plat, queue->file, lb_bytes_from(all, at),
	                               PLAT_PRIVATE, diag);
}

static lb_err replay_all(size_t *left, struct sending *s, struct lb_bytes all, struct lb_diag *diag)
{
	struct lb_bytes rest = all, line;
	size_t at = 0;
	lb_err err = LB_OK, kept;

	while (!lb_failed(err) && rest.len > 0 && lb_bytes_split(&line, &rest, '\n')) {
		struct lb_arena arena;
		bool sent = false;

		if (line.len == 0)
			continue;
		lb_arena_init(&arena, s->queue->mem);
		err = replay_one(&sent, s, &arena, line, diag);
		lb_arena_release(&arena);
		if (sent)
			at = (size_t)(line.at + line.len + 1 - all.at);
		else
			(*left)++;
	}
	while (rest.len > 0 && lb_bytes_split(&line, &rest, '\n'))
		*left += line.len > 0;
	kept = keep(s->queue, all, at < all.len ? at : all.len, lb_failed(err) ? NULL : diag);
	return lb_failed(err) ? err : kept;
}

lb_err runner_queue_replay(size_t *left, const struct runner_queue *queue, struct lb_diag *diag)
{
	struct sending s = { .queue = queue };
	struct lb_buf text;
	lb_err err;

	*left = 0;
	if (!lb_file_exists(queue->plat, queue->file))
		return LB_OK;
	lb_buf_init(&text, queue->mem, FILE_BYTES_MAX);
	err = lb_file_read(&text, queue->plat, queue->file, diag);
	if (!lb_failed(err))
		err = lb_http_client_new(&s.client, queue->mem);
	if (!lb_failed(err)) {
		err = replay_all(left, &s, lb_buf_bytes(&text), diag);
		lb_http_client_free(s.client);
	}
	lb_buf_release(&text);
	return err;
}
