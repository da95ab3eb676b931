/* remote.c - see remote_priv.h.
 *
 * Each request is tried again while the coordinator is away: all of them may be made twice.  A file
 * that was received in part begins again.
 */
#include "ci-runner/serve/remote_priv.h"

#include "base/data/json.h"
#include "base/text.h"

#include <stdio.h>

enum {
	ANSWER_BYTES_MAX = 16 * 1024 * 1024,
	TRY_MS = 120000, /* how long a coordinator that is away is waited for */
	PAUSE_MS_FIRST = 50,
	PAUSE_MS_MAX = 2000,
	TRANSFER_MS = 3600000
};

lb_err runner_remote_head(struct runner_remote_head *out, const struct runner_remote *remote,
                          const char *what, const char *type)
{
	int len = what[0] == '/'
	                  ? snprintf(out->url, sizeof out->url, "%s%s", remote->coordinator, what)
	                  : snprintf(out->url, sizeof out->url, "%s/api/v1/leases/%s/%s",
	                             remote->coordinator, remote->lease.id, what);
	int token = snprintf(out->authorization, sizeof out->authorization,
	                     "Authorization: Bearer %s", remote->lease.token);

	if (len < 0 || (size_t)len >= sizeof out->url || token < 0 ||
	    (size_t)token >= sizeof out->authorization)
		return lb_err_at(LB_E_LIMIT, RUNNER_URL_BYTES_MAX);
	(void)snprintf(out->fence, sizeof out->fence, "Lifeboat-Fence: %llu",
	               (unsigned long long)remote->lease.fence);
	out->headers[0] = out->authorization;
	out->headers[1] = out->fence;
	out->headers[2] = out->headers[3] = NULL;
	if (type != NULL) {
		(void)snprintf(out->type, sizeof out->type, "Content-Type: %s", type);
		out->headers[2] = out->type;
	}
	return LB_OK;
}

/* ---- files as bodies ---- */

struct transfer {
	struct plat *plat;
	int file;
	uint64_t at;
};

static lb_err read_part(size_t *got, void *ctx, void *to, size_t size, uint64_t at)
{
	struct transfer *t = ctx;

	return t->plat->ops->read_at(got, t->plat, t->file, to, size, at);
}

static lb_err write_part(void *ctx, struct lb_bytes part)
{
	struct transfer *t = ctx;

	LB_TRY(t->plat->ops->write_at(t->plat, t->file, part.at, part.len, t->at));
	t->at += part.len;
	return LB_OK;
}

/* ---- one request ---- */

static bool worth_another_try(lb_err err, int status)
{
	if (lb_failed(err))
		return lb_code_of(err) == LB_E_NETWORK || lb_code_of(err) == LB_E_TIMEOUT ||
		       lb_code_of(err) == LB_E_CLOSED;
	return status >= 500;
}

/* Ask until there is an answer; a transfer begins again with each try. */
static lb_err ask(struct lb_http_answer *answer, struct runner_remote *remote,
                  struct lb_http_ask *how, struct transfer *transfer, struct lb_diag *diag)
{
	struct plat *plat = remote->plat;
	uint64_t until = plat->ops->now_ns(plat) + TRY_MS * UINT64_C(1000000);
	uint64_t pause_ms = PAUSE_MS_FIRST;
	lb_err err;

	how->cancel = remote->give_up;
	for (;;) {
		lb_buf_reset(&answer->body);
		lb_buf_reset(&answer->headers);
		if (transfer != NULL)
			transfer->at = 0;
		err = lb_http_ask(remote->client, how, answer, diag);
		if (!worth_another_try(err, answer->status) || *remote->give_up ||
		    runner_stop_level(remote->stop) == RUNNER_STOP_FORGET ||
		    plat->ops->now_ns(plat) >= until)
			return err;
		plat->ops->sleep_ns(plat, pause_ms * UINT64_C(1000000));
		pause_ms = pause_ms * 2 < PAUSE_MS_MAX ? pause_ms * 2 : PAUSE_MS_MAX;
	}
}

/* The answer's error with its words; 409 says whether a name is taken or the lease is gone. */
static lb_err judge(const struct lb_http_answer *answer, lb_err conflict, struct lb_diag *diag)
{
	struct lb_arena arena;
	struct lb_value *value;

	if (answer->status < 400)
		return LB_OK;
	lb_arena_init(&arena, answer->body.mem);
	lb_diag_set(diag, "the coordinator answered %d", answer->status);
	if (!lb_failed(lb_json_read(&value, &arena, lb_buf_bytes(&answer->body), NULL))) {
		struct lb_bytes message = lb_value_get_string(value, "message");

		if (message.len > 0)
			lb_diag_set(diag, "%.*s", LB_FMT(message));
	}
	lb_arena_release(&arena);
	if (answer->status == 507) /* else people look at the wrong disk */
		lb_diag_prefix(diag, "the coordinator cannot store it");
	if (answer->status == 404)
		return lb_err_of(LB_E_NOTFOUND);
	if (answer->status == 409)
		return conflict;
	return lb_err_at(LB_E_HTTP, (uintptr_t)answer->status);
}

/* The answer as JSON, in the arena; NULL for 204. */
static lb_err ask_json(struct lb_value **out, struct runner_remote *remote, struct lb_arena *arena,
                       const char *method, const char *what, const char *path, lb_err conflict,
                       struct lb_diag *diag)
{
	struct transfer transfer = { .plat = remote->plat, .file = -1 };
	struct lb_http_ask how = { .method = method, .timeout_ms = TRANSFER_MS };
	struct lb_http_answer answer = { .status = 0 };
	struct runner_remote_head head;
	struct plat_info info;
	lb_err err = LB_OK;

	*out = NULL;
	LB_TRY(runner_remote_head(&head, remote, what,
	                          path != NULL ? "application/octet-stream" : NULL));
	how.url = head.url;
	how.headers = head.headers;
	lb_buf_init(&answer.body, remote->mem, ANSWER_BYTES_MAX);
	lb_buf_init(&answer.headers, remote->mem, ANSWER_BYTES_MAX);
	if (path != NULL) {
		err = remote->plat->ops->open(&transfer.file, remote->plat, path,
		                              PLAT_READ | PLAT_NOFOLLOW);
		if (!lb_failed(err))
			err = remote->plat->ops->file_info(&info, remote->plat, transfer.file);
		if (lb_failed(err))
			lb_diag_set(diag, "%s: %s", path, lb_err_text(err));
		how.read = read_part;
		how.ctx = &transfer;
		how.read_size = lb_failed(err) ? 0 : info.size;
	}
	if (!lb_failed(err))
		err = ask(&answer, remote, &how, NULL, diag);
	if (!lb_failed(err))
		err = judge(&answer, conflict, diag);
	if (!lb_failed(err) && answer.status != 204)
		err = lb_json_read(out, arena, lb_buf_bytes(&answer.body), diag);
	if (transfer.file >= 0)
		remote->plat->ops->close(remote->plat, transfer.file);
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
	return err;
}

static lb_err ask_file(struct runner_remote *remote, const char *what, const char *to,
                       struct lb_diag *diag)
{
	struct transfer transfer = { .plat = remote->plat, .file = -1 };
	struct lb_http_ask how = { .timeout_ms = TRANSFER_MS, .sink = write_part };
	struct lb_http_answer answer = { .status = 0 };
	struct runner_remote_head head;
	lb_err err;

	LB_TRY(runner_remote_head(&head, remote, what, NULL));
	how.url = head.url;
	how.headers = head.headers;
	how.ctx = &transfer;
	lb_ignore(remote->plat->ops->remove(remote->plat, to));
	err = remote->plat->ops->open(&transfer.file, remote->plat, to,
	                              PLAT_READ | PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE);
	if (lb_failed(err)) {
		lb_diag_set(diag, "%s: %s", to, lb_err_text(err));
		return err;
	}
	lb_buf_init(&answer.body, remote->mem, ANSWER_BYTES_MAX);
	lb_buf_init(&answer.headers, remote->mem, ANSWER_BYTES_MAX);
	err = ask(&answer, remote, &how, &transfer, diag);
	if (!lb_failed(err))
		err = judge(&answer, lb_err_of(LB_E_STALE), diag);
	if (!lb_failed(err))
		err = remote->plat->ops->truncate(remote->plat, transfer.file, transfer.at);
	remote->plat->ops->close(remote->plat, transfer.file);
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
	return err;
}

/* ---- artifacts ---- */

static struct runner_remote *remote_of(struct runner_link *link)
{
	return (struct runner_remote *)link; /* its first member */
}

/* "artifacts/NAME" and the like, each value escaped. */
static const char *path_of(struct lb_arena *arena, const char *before, const char *value,
                           const char *behind)
{
	struct lb_buf text;

	lb_buf_init(&text, &arena->mem, RUNNER_URL_BYTES_MAX);
	lb_buf_add_text(&text, before);
	lb_url_add(&text, lb_bytes_of(value), "");
	lb_buf_add_text(&text, behind);
	return lb_failed(lb_buf_check(&text)) ? NULL : lb_buf_text(&text);
}

/* An id may be a number or a string on the wire. */
static struct lb_bytes id_of(struct lb_arena *arena, const struct lb_value *object)
{
	const struct lb_value *id = lb_value_get(object, "id");

	if (id != NULL && id->kind == LB_NUMBER)
		return lb_arena_format(arena, "%.0f", id->number);
	return lb_value_get_string(object, "id");
}

lb_err runner_remote_artifact_put(struct runner_found *out, struct runner_link *self,
                                  struct lb_arena *arena, const char *name, const char *path,
                                  bool overwrite, struct lb_diag *diag)
{
	const char *what = path_of(arena, "artifacts/", name,
	                           overwrite ? "?overwrite=true" : "?overwrite=false");
	struct lb_value *answer;

	if (what == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(ask_json(&answer, remote_of(self), arena, "PUT", what, path, lb_err_of(LB_E_EXISTS),
	                diag));
	out->id = id_of(arena, answer);
	out->name = lb_value_get_string(answer, "name");
	out->size = (uint64_t)lb_value_get_number(answer, "size");
	return LB_OK;
}

lb_err runner_remote_artifact_list(struct runner_found **out, size_t *count,
                                   struct runner_link *self, struct lb_arena *arena,
                                   struct lb_diag *diag)
{
	struct lb_value *answer;
	const struct lb_value *list;

	*count = 0;
	LB_TRY(ask_json(&answer, remote_of(self), arena, "GET", "artifacts", NULL,
	                lb_err_of(LB_E_STALE), diag));
	list = lb_value_get(answer, "artifacts");
	if (list == NULL || list->kind != LB_ARRAY)
		return lb_fail(diag, LB_E_MALFORMED, "the coordinator's list has no artifacts");
	*out = LB_ARENA_NEW(arena, struct runner_found, (size_t)list->count + 1);
	if (*out == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < list->count; i++)
		(*out)[(*count)++] = (struct runner_found){
			.id = id_of(arena, list->items[i]),
			.name = lb_value_get_string(list->items[i], "name"),
			.size = (uint64_t)lb_value_get_number(list->items[i], "size"),
		};
	return LB_OK;
}

lb_err runner_remote_artifact_get(struct runner_link *self, const char *name, const char *to,
                                  struct lb_diag *diag)
{
	struct runner_remote *remote = remote_of(self);
	struct lb_arena arena;
	const char *what;
	lb_err err;

	lb_arena_init(&arena, remote->mem);
	what = path_of(&arena, "artifacts/", name, "");
	err = what != NULL ? ask_file(remote, what, to, diag) : lb_err_of(LB_E_NOMEM);
	lb_arena_release(&arena);
	return err;
}

/* ---- caches ---- */

lb_err runner_remote_cache_find(struct runner_found *out, struct runner_link *self,
                                struct lb_arena *arena, const char *key,
                                const char *const *restores, const char *version,
                                struct lb_diag *diag)
{
	struct lb_value *answer;
	struct lb_buf what;

	lb_buf_init(&what, &arena->mem, RUNNER_URL_BYTES_MAX * 4);
	lb_buf_addf(&what, "cache?version=%s&key=", version);
	lb_url_add(&what, lb_bytes_of(key), "");
	for (; *restores != NULL; restores++) {
		lb_buf_add_text(&what, "&restore=");
		lb_url_add(&what, lb_bytes_of(*restores), "");
	}
	LB_TRY(lb_buf_check(&what));
	LB_TRY(ask_json(&answer, remote_of(self), arena, "GET", lb_buf_text(&what), NULL,
	                lb_err_of(LB_E_STALE), diag));
	if (answer == NULL)
		return lb_err_of(LB_E_NOTFOUND);
	out->id = id_of(arena, answer);
	out->name = lb_value_get_string(answer, "key");
	out->size = (uint64_t)lb_value_get_number(answer, "size");
	return LB_OK;
}

lb_err runner_remote_cache_get(struct runner_link *self, const struct runner_found *entry,
                               const char *to, struct lb_diag *diag)
{
	struct runner_remote *remote = remote_of(self);
	struct lb_arena arena;
	const char *id, *what = NULL;
	lb_err err;

	lb_arena_init(&arena, remote->mem);
	id = lb_arena_text(&arena, entry->id);
	if (id != NULL)
		what = path_of(&arena, "cache/", id, "");
	err = what != NULL ? ask_file(remote, what, to, diag) : lb_err_of(LB_E_NOMEM);
	lb_arena_release(&arena);
	return err;
}

lb_err runner_remote_cache_put(struct runner_link *self, const char *key, const char *version,
                               const char *path, struct lb_diag *diag)
{
	struct runner_remote *remote = remote_of(self);
	struct lb_arena arena;
	struct lb_value *answer;
	const char *what;
	lb_err err;

	lb_arena_init(&arena, remote->mem);
	what = path_of(&arena, "cache?key=", key,
	               (const char *)lb_arena_format(&arena, "&version=%s", version).at);
	err = what != NULL && !arena.failed ? ask_json(&answer, remote, &arena, "PUT", what, path,
	                                               lb_err_of(LB_E_EXISTS), diag)
	                                    : lb_err_of(LB_E_NOMEM);
	lb_arena_release(&arena);
	return err;
}

/* ---- what a coordinator tells everybody ---- */

lb_err runner_remote_ask(struct lb_value **out, struct runner_link *self, struct lb_arena *arena,
                         const char *what, struct lb_diag *diag)
{
	const char *path = (const char *)lb_arena_format(arena, "/api/v1/%s", what).at;

	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(ask_json(out, remote_of(self), arena, "GET", path, NULL, lb_err_of(LB_E_STALE),
	                diag));
	return *out != NULL ? LB_OK : lb_err_of(LB_E_NOTFOUND);
}

lb_err runner_remote_fetch(struct runner_link *self, const char *what, const char *to,
                           struct lb_diag *diag)
{
	struct runner_remote *remote = remote_of(self);
	struct lb_arena arena;
	const char *path;
	lb_err err;

	lb_arena_init(&arena, remote->mem);
	path = (const char *)lb_arena_format(&arena, "/api/v1/%s", what).at;
	err = path != NULL ? ask_file(remote, path, to, diag) : lb_err_of(LB_E_NOMEM);
	lb_arena_release(&arena);
	return err;
}
