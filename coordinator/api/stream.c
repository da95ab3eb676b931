/* stream.c - following: a run's changes and a job's log as server-sent events.  See routes.h.
 *
 * A stream owns what it needs and is pulled piece by piece; what does not fit
 * into a piece waits in `pending`.  Between changes a comment is sent now and
 * then, so that both ends notice when the other is gone.
 */
#include "base/text.h"
#include "coordinator/api/routes.h"

enum {
	QUIET_MS = 15000,   /* without news, until a comment is sent */
	CHUNK_BYTES = 2048, /* of a log, an event */
	PENDING_BYTES_MAX = 64 << 20
};

struct stream {
	struct coord_api *api;
	struct lb_buf pending;
	size_t given;     /* of pending */
	uint64_t sent_ns; /* when something was sent last */
	uint64_t run_id, after;
	/* of a log */
	struct coord_attempt_log attempt;
	uint64_t job_id, offset;
	char path[COORD_LOG_PATH_SIZE];
	bool ended;
};

static void free_stream(void *state)
{
	struct stream *stream = state;

	if (stream == NULL)
		return;
	lb_buf_release(&stream->pending);
	LB_DROP(stream->api->mem, stream, 1);
}

/* The exchange owns it from here on. */
static struct stream *new_stream(struct lb_http_exchange *x, struct coord_api *api)
{
	struct stream *stream = LB_NEW(api->mem, struct stream, 1);

	if (stream == NULL)
		return NULL;
	stream->api = api;
	stream->sent_ns = api->plat->ops->now_ns(api->plat);
	lb_buf_init(&stream->pending, api->mem, PENDING_BYTES_MAX);
	x->state = stream;
	x->ended = free_stream;
	return stream;
}

/* Move what is pending; false when there was nothing. */
static bool give(size_t *got, struct stream *stream, unsigned char *to, size_t size)
{
	size_t len = stream->pending.len - stream->given;

	*got = 0;
	if (len == 0)
		return false;
	if (len > size)
		len = size;
	memcpy(to, stream->pending.at + stream->given, len);
	stream->given += len;
	if (stream->given == stream->pending.len) {
		lb_buf_reset(&stream->pending);
		stream->given = 0;
	}
	stream->sent_ns = stream->api->plat->ops->now_ns(stream->api->plat);
	*got = len;
	return true;
}

static void say_alive(struct stream *stream)
{
	uint64_t now_ns = stream->api->plat->ops->now_ns(stream->api->plat);

	if (now_ns - stream->sent_ns >= QUIET_MS * UINT64_C(1000000))
		lb_buf_add_text(&stream->pending, ":\n\n");
}

static void add_event(struct lb_buf *out, uint64_t id, struct lb_bytes name,
                      const struct lb_value *data)
{
	lb_buf_addf(out, "id: %llu\nevent: %.*s\ndata: ", (unsigned long long)id, LB_FMT(name));
	lb_value_write(out, data, false); /* JSON has no line ends outside of escapes */
	lb_buf_add_text(out, "\n\n");
}

/* ---- runs ---- */

static lb_err pull_changes(struct stream *stream)
{
	struct lb_value *changes = NULL;
	struct lb_arena arena;
	bool over = false;
	lb_err err;

	lb_arena_init(&arena, stream->api->mem);
	err = coord_read_changes(&changes, &over, stream->api->store, &arena, stream->run_id,
	                         stream->after);
	for (uint32_t i = 0; !lb_failed(err) && i < changes->count; i++) {
		const struct lb_value *change = changes->items[i];

		stream->after = (uint64_t)lb_value_get_number(change, "seq");
		add_event(&stream->pending, stream->after, lb_value_get_string(change, "event"),
		          lb_value_get(change, "data"));
	}
	if (!lb_failed(err) && over) {
		add_event(&stream->pending, stream->after, LB_B("end"), lb_value_object(&arena));
		stream->ended = true;
	}
	lb_arena_release(&arena);
	return lb_failed(err) ? err : lb_buf_check(&stream->pending);
}

static lb_err pull_run(size_t *got, void *ctx, unsigned char *to, size_t size)
{
	struct stream *stream = ctx;

	if (give(got, stream, to, size))
		return LB_OK;
	if (stream->ended)
		return lb_err_of(LB_E_END);
	LB_TRY(pull_changes(stream));
	say_alive(stream);
	(void)give(got, stream, to, size);
	return LB_OK;
}

/* ?after=SEQ, or where a browser that lost its connection was. */
static lb_err start_of(uint64_t *out, struct lb_http_exchange *x, const char *query)
{
	struct lb_bytes last = lb_http_request_header(x, "Last-Event-ID");

	if (last.len > 0 && !lb_failed(lb_bytes_u64(out, last, INT64_MAX)))
		return LB_OK;
	return coord_query_number(out, x, query, 0);
}

void coord_api_run_events(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *changes = NULL;
	struct stream *stream;
	uint64_t id = 0, after = 0;
	bool over = false;
	lb_err err = coord_param_id(&id, x, "id");

	if (!lb_failed(err))
		err = start_of(&after, x, "after");
	if (!lb_failed(err))
		err = coord_read_changes(&changes, &over, api->store, &x->arena, id, after);
	if (lb_code_of(err) == LB_E_NOTFOUND && x->diag.text[0] == '\0')
		lb_diag_set(&x->diag, "there is no run %llu", (unsigned long long)id);
	if (!lb_failed(err) && over && changes->count == 0) {
		/* Tells a browser that comes again after the end to leave it. */
		lb_http_answer(x, 204, NULL, (struct lb_bytes){ 0 });
		return;
	}
	stream = lb_failed(err) ? NULL : new_stream(x, api);
	if (stream == NULL) {
		lb_http_answer_error(x, lb_failed(err) ? err : lb_err_of(LB_E_NOMEM));
		return;
	}
	stream->run_id = id;
	stream->after = after;
	lb_http_add_header(x, "Cache-Control", "no-store");
	lb_http_answer_stream(x, 200, "text/event-stream", pull_run, stream,
	                      coord_topic(COORD_TOPIC_RUN, id), QUIET_MS);
}

/* ---- logs ---- */

static lb_err open_log(struct stream **out, struct lb_http_exchange *x, struct coord_api *api)
{
	uint64_t attempt = 0, offset = 0, job_id = 0;
	struct coord_attempt_log log = { 0 };
	struct stream *stream;
	lb_err err;

	LB_TRY(coord_param_id(&job_id, x, "id"));
	LB_TRY(coord_query_number(&attempt, x, "attempt", 0));
	LB_TRY(start_of(&offset, x, "offset"));
	err = coord_read_attempt(&log, api->store, job_id, attempt);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return lb_fail(&x->diag, LB_E_NOTFOUND,
		               "job %llu has no such attempt (yet): there is no log",
		               (unsigned long long)job_id);
	LB_TRY(err);
	stream = new_stream(x, api);
	if (stream == NULL)
		return lb_err_of(LB_E_NOMEM);
	stream->attempt = log;
	stream->job_id = job_id;
	stream->offset = offset;
	*out = stream;
	return coord_log_path(stream->path, api->logs,
	                      (struct coord_log_name){ log.run_id, job_id, log.attempt });
}

static lb_err pull_raw(size_t *got, void *ctx, unsigned char *to, size_t size)
{
	struct stream *stream = ctx;

	LB_TRY(coord_log_read(got, stream->api->plat, stream->path, to, size, stream->offset));
	stream->offset += *got;
	return *got > 0 ? LB_OK : lb_err_of(LB_E_END);
}

void coord_api_job_log(struct lb_http_exchange *x, void *ctx)
{
	struct stream *stream = NULL;
	lb_err err = open_log(&stream, x, ctx);

	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_http_add_header(x, "Cache-Control", "no-store");
	lb_http_answer_stream(x, 200, "text/plain; charset=utf-8", pull_raw, stream,
	                      coord_topic(COORD_TOPIC_LOG, stream->attempt.fence), QUIET_MS);
}

/* Whole lines where there are any, else whole characters. */
static size_t whole_part(struct lb_bytes chunk)
{
	size_t line_end = lb_bytes_rfind_byte(chunk, '\n');
	size_t bad;

	if (line_end != SIZE_MAX)
		return line_end + 1;
	bad = lb_utf8_check(chunk);
	return bad != SIZE_MAX && bad > 0 && chunk.len - bad < 4 ? bad : chunk.len;
}

static void add_log_event(struct stream *stream, struct lb_bytes chunk)
{
	struct lb_buf *out = &stream->pending;

	chunk = lb_bytes_upto(chunk, whole_part(chunk));
	stream->offset += chunk.len;
	lb_buf_addf(out,
	            "id: %llu\nevent: log\ndata: {\"text\":", (unsigned long long)stream->offset);
	lb_json_string_add(out, chunk);
	lb_buf_add_text(out, "}\n\n");
}

/* Is the attempt over, and all of its log given? */
static lb_err check_end(struct stream *stream)
{
	struct coord_attempt_log now;

	LB_TRY(coord_read_attempt(&now, stream->api->store, stream->job_id,
	                          stream->attempt.attempt));
	if (!now.over || stream->offset < now.log_size)
		return LB_OK;
	lb_buf_addf(&stream->pending, "id: %llu\nevent: end\ndata: {}\n\n",
	            (unsigned long long)stream->offset);
	stream->ended = true;
	return LB_OK;
}

static lb_err pull_live(size_t *got, void *ctx, unsigned char *to, size_t size)
{
	struct stream *stream = ctx;
	unsigned char chunk[CHUNK_BYTES];
	size_t len = 0;

	if (give(got, stream, to, size))
		return LB_OK;
	if (stream->ended)
		return lb_err_of(LB_E_END);
	LB_TRY(coord_log_read(&len, stream->api->plat, stream->path, chunk, sizeof chunk,
	                      stream->offset));
	if (len > 0)
		add_log_event(stream, (struct lb_bytes){ chunk, len });
	else
		LB_TRY(check_end(stream));
	say_alive(stream);
	LB_TRY(lb_buf_check(&stream->pending));
	(void)give(got, stream, to, size);
	return LB_OK;
}

/* Is this a job whose first attempt is still to come?  Then *run_id is its run. */
static bool will_begin(uint64_t *run_id, struct lb_http_exchange *x, struct coord_api *api)
{
	struct lb_value *job = NULL;
	uint64_t id = 0;

	return !lb_http_has_query(x, "attempt") && !lb_failed(coord_param_id(&id, x, "id")) &&
	       !lb_failed(coord_read_job(&job, api->store, &x->arena, id)) &&
	       !lb_bytes_is(lb_value_get_string(job, "status"), "completed") &&
	       !lb_failed(lb_value_get_u64(run_id, job, "run_id"));
}

void coord_api_job_log_live(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct stream *stream = NULL;
	uint64_t run_id = 0, topic, ticket;
	bool begins = will_begin(&run_id, x, api);
	lb_err err;

	topic = coord_topic(COORD_TOPIC_RUN, run_id);
	ticket = lb_http_ticket(x->server, topic);
	err = open_log(&stream, x, api);
	if (lb_code_of(err) == LB_E_NOTFOUND && begins) {
		lb_http_park(x, topic, ticket, QUIET_MS); /* called again when the run changes */
		return;
	}
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_http_add_header(x, "Cache-Control", "no-store");
	lb_http_answer_stream(x, 200, "text/event-stream", pull_live, stream,
	                      coord_topic(COORD_TOPIC_LOG, stream->attempt.fence), QUIET_MS);
}
