/* files.c - files on their way: uploads in one piece or in blocks, as to a blob store, and
 * downloads.
 *
 *   PUT ?                          the whole file
 *   PUT ?comp=block&blockid=ID     a block, in any order, several at once
 *   PUT ?comp=blocklist            <BlockList><Latest>ID</Latest>...: the blocks that make the file
 */
#include "ci-runner/github/service_priv.h"

#include "base/io/file.h"
#include "base/text.h"

#include <stdio.h>

enum { COPY_BYTES = 1024 * 1024, LIST_BYTES_MAX = 16 * 1024 * 1024 };

/* ---- what is on its way ---- */

lb_err runner_github_file_add(struct runner_github_file **out, struct runner_github *g,
                              enum runner_github_file_kind kind, struct lb_bytes name,
                              struct lb_bytes version)
{
	unsigned char random[16];
	struct runner_github_file *file, **slot = NULL;
	lb_err err = g->plat->ops->entropy(random, g->plat, sizeof random);

	LB_TRY(err);
	(void)pthread_mutex_lock(&g->mutex);
	file = LB_ARENA_NEW(&g->arena, struct runner_github_file, 1);
	if (file != NULL) {
		*file = (struct runner_github_file){ .id = ++g->next_id, .kind = kind };
		for (size_t i = 0; i < sizeof random; i++)
			(void)snprintf(file->secret + 2 * i, 3, "%02x", (unsigned)random[i]);
		file->name = lb_arena_bytes(&g->arena, name);
		file->version = lb_arena_bytes(&g->arena, version);
		file->path =
			(const char *)lb_arena_format(&g->arena, "%s/file-%llu", g->options.folder,
		                                      (unsigned long long)file->id)
				.at;
		slot = g->arena.failed ? NULL : lb_vec_add(&g->files);
	}
	if (slot != NULL)
		*slot = file;
	(void)pthread_mutex_unlock(&g->mutex);
	*out = file;
	return slot != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

/* The newest of that name. */
struct runner_github_file *runner_github_file_find(struct runner_github *g,
                                                   enum runner_github_file_kind kind,
                                                   struct lb_bytes name, struct lb_bytes version)
{
	struct runner_github_file *found = NULL;

	(void)pthread_mutex_lock(&g->mutex);
	for (size_t i = g->files.count; i > 0 && found == NULL; i--) {
		struct runner_github_file *file =
			*LB_VEC_AT(&g->files, struct runner_github_file *, i - 1);

		if (file->kind == kind && lb_bytes_eq(file->name, name) &&
		    lb_bytes_eq(file->version, version))
			found = file;
	}
	(void)pthread_mutex_unlock(&g->mutex);
	return found;
}

struct runner_github_file *runner_github_file_at(struct runner_github *g, uint64_t id)
{
	struct runner_github_file *found = NULL;

	(void)pthread_mutex_lock(&g->mutex);
	for (size_t i = 0; i < g->files.count && found == NULL; i++) {
		struct runner_github_file *file =
			*LB_VEC_AT(&g->files, struct runner_github_file *, i);

		if (file->id == id)
			found = file;
	}
	(void)pthread_mutex_unlock(&g->mutex);
	return found;
}

const char *runner_github_file_url(struct lb_http_exchange *x,
                                   const struct runner_github_file *file)
{
	return (const char *)lb_arena_format(&x->arena, "%s/_files/%llu-%s", runner_github_base(x),
	                                     (unsigned long long)file->id, file->secret)
	        .at;
}

/* By its address, which only who was given it knows; NULL was answered with 404. */
static struct runner_github_file *file_of(struct lb_http_exchange *x, struct runner_github *g)
{
	struct lb_bytes id = lb_http_param(x, "id");
	size_t dash = lb_bytes_find_byte(id, '-');
	struct runner_github_file *file = NULL;
	uint64_t number;

	if (!lb_failed(lb_bytes_u64(&number, lb_bytes_upto(id, dash), UINT64_MAX)))
		file = runner_github_file_at(g, number);
	if (file != NULL &&
	    lb_bytes_eq_secret(lb_bytes_from(id, dash == SIZE_MAX ? SIZE_MAX : dash + 1),
	                       lb_bytes_of(file->secret)))
		return file;
	return NULL;
}

/* ---- receiving ---- */

struct receiving {
	struct runner_github *g;
	int file;
	uint64_t at;
};

static void end_receiving(void *state)
{
	struct receiving *r = state;

	if (r == NULL)
		return;
	if (r->file >= 0)
		r->g->plat->ops->close(r->g->plat, r->file);
	LB_DROP(r->g->mem, r, 1);
}

lb_err runner_github_receive(struct lb_http_exchange *x, struct runner_github *g, const char *path,
                             uint64_t at, struct lb_bytes part)
{
	struct receiving *r = x->state;
	lb_err err;

	if (r == NULL) {
		r = LB_NEW(g->mem, struct receiving, 1);
		if (r == NULL)
			return lb_err_of(LB_E_NOMEM);
		*r = (struct receiving){ g, -1, at };
		x->state = r;
		x->ended = end_receiving;
		LB_TRY(g->plat->ops->open(&r->file, g->plat, path,
		                          PLAT_READ | PLAT_WRITE | PLAT_CREATE | PLAT_PRIVATE));
	}
	err = part.len > 0 ? g->plat->ops->write_at(g->plat, r->file, part.at, part.len, r->at)
	                   : LB_OK;
	r->at += part.len;
	return err;
}

/* A block's file: its name in hexadecimal, behind the file's. */
static const char *block_path(struct lb_arena *arena, const struct runner_github_file *file,
                              struct lb_bytes id)
{
	struct lb_buf hex;

	lb_buf_init(&hex, &arena->mem, 4096);
	lb_hex_add(&hex, lb_bytes_upto(id, 120));
	return (const char *)lb_arena_format(arena, "%s.%s", file->path, lb_buf_text(&hex)).at;
}

static const char *list_path(struct lb_arena *arena, const struct runner_github_file *file)
{
	return (const char *)lb_arena_format(arena, "%s-list", file->path).at;
}

lb_err runner_github_put_file_receive(struct lb_http_exchange *x, void *ctx, struct lb_bytes part)
{
	struct runner_github *g = ctx;
	struct runner_github_file *file = file_of(x, g);
	struct lb_bytes comp = lb_http_query(x, "comp");
	const char *path;

	if (file == NULL || file->kind == RUNNER_GITHUB_TO_GET)
		return lb_fail(&x->diag, LB_E_NOTFOUND, "there is no such upload");
	path = lb_bytes_is(comp, "block") ? block_path(&x->arena, file, lb_http_query(x, "blockid"))
	       : lb_bytes_is(comp, "blocklist") ? list_path(&x->arena, file)
	                                        : file->path;
	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	return runner_github_receive(x, g, path, 0, part);
}

static lb_err append(struct runner_github *g, int to, uint64_t *at, const char *from,
                     unsigned char *room)
{
	int file;
	uint64_t offset = 0;
	size_t got = 1;
	lb_err err = g->plat->ops->open(&file, g->plat, from, PLAT_READ | PLAT_NOFOLLOW);

	LB_TRY(err);
	while (!lb_failed(err) && got > 0) {
		err = g->plat->ops->read_at(&got, g->plat, file, room, COPY_BYTES, offset);
		if (!lb_failed(err) && got > 0)
			err = g->plat->ops->write_at(g->plat, to, room, got, *at);
		offset += got;
		*at += got;
	}
	g->plat->ops->close(g->plat, file);
	if (!lb_failed(err))
		err = g->plat->ops->remove(g->plat, from);
	return err;
}

static lb_err join_blocks(struct lb_http_exchange *x, struct runner_github *g,
                          const struct runner_github_file *file, struct lb_bytes list)
{
	unsigned char *room = lb_arena_alloc(&x->arena, COPY_BYTES, 1);
	struct lb_bytes open = LB_B("<Latest>");
	uint64_t at = 0;
	int to;
	lb_err err;

	if (room == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(g->plat->ops->open(&to, g->plat, file->path,
	                          PLAT_WRITE | PLAT_CREATE | PLAT_TRUNCATE | PLAT_PRIVATE));
	err = LB_OK;
	for (size_t found = lb_bytes_find(list, open); found != SIZE_MAX && !lb_failed(err);
	     found = lb_bytes_find(list, open)) {
		struct lb_bytes id = lb_bytes_from(list, found + open.len);
		const char *path;

		list = lb_bytes_from(id, lb_bytes_find_byte(id, '<'));
		id = lb_bytes_upto(id, lb_bytes_find_byte(id, '<'));
		path = block_path(&x->arena, file, id);
		err = path != NULL ? append(g, to, &at, path, room) : lb_err_of(LB_E_NOMEM);
	}
	g->plat->ops->close(g->plat, to);
	return err;
}

static lb_err finish_upload(struct lb_http_exchange *x, struct runner_github *g,
                            struct runner_github_file *file)
{
	struct lb_bytes comp = lb_http_query(x, "comp");
	const char *path = list_path(&x->arena, file);
	struct lb_buf list;
	lb_err err;

	if (lb_bytes_is(comp, "block"))
		return LB_OK;
	if (!lb_bytes_is(comp, "blocklist")) {
		file->done = true;
		return LB_OK;
	}
	lb_buf_init(&list, g->mem, LIST_BYTES_MAX);
	err = path != NULL ? lb_file_read(&list, g->plat, path, &x->diag) : lb_err_of(LB_E_NOMEM);
	if (!lb_failed(err))
		err = join_blocks(x, g, file, lb_buf_bytes(&list));
	lb_buf_release(&list);
	if (!lb_failed(err))
		err = g->plat->ops->remove(g->plat, path);
	file->done = !lb_failed(err);
	return err;
}

void runner_github_put_file(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct runner_github_file *file = file_of(x, g);
	lb_err err;

	if (file == NULL) {
		runner_github_refuse(x, 404, "there is no such upload");
		return;
	}
	/* An empty file has no part. */
	err = x->state == NULL ? runner_github_receive(x, g, file->path, 0, (struct lb_bytes){ 0 })
	                       : LB_OK;
	if (!lb_failed(err))
		err = finish_upload(x, g, file);
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_http_add_header(x, "x-ms-request-id", "0");
	lb_http_add_header(x, "x-ms-version", "2024-11-04");
	lb_http_answer(x, 201, NULL, (struct lb_bytes){ 0 });
}

/* ---- downloads ---- */

void runner_github_send_file(struct lb_http_exchange *x, struct runner_github *g, const char *type,
                             const char *path)
{
	lb_http_answer_file(x, type, path, NULL);
	lb_ignore(g->plat->ops->remove(g->plat, path)); /* it is open, and goes with the answer */
}

static lb_err take(struct runner_github *g, const struct runner_github_file *file, const char *to,
                   struct lb_diag *diag)
{
	struct runner_link *link = g->options.link;
	const char *name = (const char *)file->name.at;
	struct runner_found entry = { .id = file->name };
	lb_err err;

	(void)pthread_mutex_lock(g->options.lock);
	if (file->of == RUNNER_GITHUB_ARTIFACT)
		err = link->ops->artifact_get(link, name, to, diag);
	else if (file->of == RUNNER_GITHUB_CACHE)
		err = link->ops->cache_get(link, &entry, to, diag);
	else
		err = link->ops->fetch(link, name, to, diag);
	(void)pthread_mutex_unlock(g->options.lock);
	return err;
}

void runner_github_get_file(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct runner_github_file *file = file_of(x, g);
	const char *to = runner_github_path(g, &x->arena, "get");
	lb_err err;

	if (file == NULL || file->kind != RUNNER_GITHUB_TO_GET) {
		runner_github_refuse(x, 404, "there is no such file");
		return;
	}
	err = to != NULL ? take(g, file, to, &x->diag) : lb_err_of(LB_E_NOMEM);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		runner_github_send_file(x, g,
		                        file->of == RUNNER_GITHUB_CACHE ? "application/octet-stream"
		                                                        : "application/zip",
		                        to);
}
