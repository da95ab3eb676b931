/* store.c - see store.h.
 *
 * Invariants:
 *  1. A file below blobs/ was complete, hashed and synced before it got its name.
 *  2. Only the process that holds FOLDER/lock writes below FOLDER.
 *  3. `seen` holds a blob only after its content was hashed in the state it remembers.
 */
#include "artifact-cache/store.h"

#include "base/arena.h"
#include "base/io/file.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERSION = 1, SEEN_MAX = 1 << 16, LIST_MAX = 10000000, PATH_SIZE = 1024 };

struct cache_store {
	struct lb_mem *mem;
	struct plat *plat;
	char *folder;
	size_t folder_len;
	int lock;
	pthread_mutex_t mutex;      /* guards what follows */
	struct lb_arena seen_arena; /* keys and states of `seen` */
	struct lb_map seen;         /* digest -> struct state */
	uint64_t next_temporary;
};

struct state {
	uint64_t size, mtime_ns;
};

struct cache_writer {
	struct cache_store *store;
	struct lb_digest *digest;
	uint64_t size, bytes_max;
	int file;
	char path[PATH_SIZE];
};

/* ---- paths ---- */

static lb_err path_of(char *out, size_t size, const struct cache_store *store, const char *rest)
{
	int len = snprintf(out, size, "%s/%s", store->folder, rest);

	return len > 0 && (size_t)len < size ? LB_OK : lb_err_of(LB_E_LIMIT);
}

static lb_err blob_path(char *out, size_t size, const struct cache_store *store, const char *sha256)
{
	char rest[LB_SHA256_HEX + 16];

	if (!lb_hex_is(lb_bytes_of(sha256), LB_SHA256_HEX))
		return lb_err_of(LB_E_NOTFOUND);
	(void)snprintf(rest, sizeof rest, "blobs/%.2s/%s", sha256, sha256);
	return path_of(out, size, store, rest);
}

/* ---- opening ---- */

static lb_err check_version(struct cache_store *store, struct lb_diag *diag)
{
	char path[PATH_SIZE];
	struct lb_buf text;
	uint64_t version = 0;
	lb_err err;

	LB_TRY(path_of(path, sizeof path, store, "version"));
	if (!lb_file_exists(store->plat, path))
		return lb_file_write(store->plat, path, LB_B("1\n"), 0, diag);
	lb_buf_init(&text, store->mem, 64);
	err = lb_file_read(&text, store->plat, path, diag);
	if (!lb_failed(err) &&
	    lb_failed(lb_bytes_u64(&version, lb_bytes_trim(lb_buf_bytes(&text)), UINT32_MAX)))
		err = lb_fail(diag, LB_E_MALFORMED, "%s: expected the store's version, a number",
		              path);
	lb_buf_release(&text);
	if (!lb_failed(err) && version > VERSION)
		err = lb_fail(diag, LB_E_NEWER,
		              "%s: the store has version %llu, this program knows %d",
		              store->folder, (unsigned long long)version, VERSION);
	return err;
}

/* Writers of processes that are gone left these; nothing names them. */
static lb_err sweep_temporary(struct cache_store *store, struct lb_diag *diag)
{
	char path[PATH_SIZE];

	LB_TRY(path_of(path, sizeof path, store, "temporary"));
	LB_TRY(lb_file_remove_tree(store->plat, path, diag));
	return lb_file_make_folders(store->plat, path, diag);
}

static lb_err prepare(struct cache_store *store, struct lb_diag *diag)
{
	char path[PATH_SIZE];

	LB_TRY(path_of(path, sizeof path, store, "blobs"));
	LB_TRY(lb_file_make_folders(store->plat, path, diag));
	LB_TRY(path_of(path, sizeof path, store, "lock"));
	LB_TRY(lb_file_lock(&store->lock, path, diag));
	LB_TRY(check_version(store, diag));
	return sweep_temporary(store, diag);
}

lb_err cache_store_open(struct cache_store **out, struct lb_mem *mem, struct plat *plat,
                        const char *folder, struct lb_diag *diag)
{
	struct cache_store *store = LB_NEW(mem, struct cache_store, 1);
	lb_err err;

	*out = NULL;
	if (store == NULL)
		return lb_err_of(LB_E_NOMEM);
	store->mem = mem;
	store->plat = plat;
	store->lock = -1;
	store->folder_len = strlen(folder);
	lb_arena_init(&store->seen_arena, mem);
	lb_map_init(&store->seen, mem);
	(void)pthread_mutex_init(&store->mutex, NULL);
	store->folder = lb_mem_text(mem, folder, store->folder_len);
	err = store->folder == NULL ? lb_err_of(LB_E_NOMEM) : prepare(store, diag);
	if (lb_failed(err))
		cache_store_close(store);
	else
		*out = store;
	return err;
}

void cache_store_close(struct cache_store *store)
{
	if (store == NULL)
		return;
	lb_map_release(&store->seen);
	lb_arena_release(&store->seen_arena);
	(void)pthread_mutex_destroy(&store->mutex);
	if (store->lock >= 0)
		lb_file_unlock(store->lock);
	lb_mem_drop(store->mem, store->folder, store->folder_len + 1, 1);
	LB_DROP(store->mem, store, 1);
}

/* ---- what was verified ---- */

static bool is_seen(struct cache_store *store, const char *sha256, const struct plat_info *info)
{
	const struct state *state;
	bool same;

	(void)pthread_mutex_lock(&store->mutex);
	state = lb_map_get(&store->seen, lb_bytes_of(sha256));
	same = state != NULL && state->size == info->size && state->mtime_ns == info->mtime_ns;
	(void)pthread_mutex_unlock(&store->mutex);
	return same;
}

/* Forgetting is always right, so a full or failing table is emptied. */
static void forget_all(struct cache_store *store)
{
	lb_map_release(&store->seen);
	lb_arena_release(&store->seen_arena);
	lb_map_init(&store->seen, store->mem);
	lb_arena_init(&store->seen_arena, store->mem);
}

static void remember(struct cache_store *store, const char *sha256, const struct plat_info *info)
{
	struct state *state;
	struct lb_bytes key = lb_bytes_of(sha256);

	(void)pthread_mutex_lock(&store->mutex);
	if (store->seen.count >= SEEN_MAX)
		forget_all(store);
	state = lb_map_get(&store->seen, key);
	if (state == NULL) {
		key = lb_arena_bytes(&store->seen_arena, key);
		state = LB_ARENA_NEW(&store->seen_arena, struct state, 1);
		if (store->seen_arena.failed || lb_failed(lb_map_put(&store->seen, key, state))) {
			forget_all(store);
			state = NULL;
		}
	}
	if (state != NULL)
		*state = (struct state){ info->size, info->mtime_ns };
	(void)pthread_mutex_unlock(&store->mutex);
}

/* ---- writing ---- */

lb_err cache_writer_new(struct cache_writer **out, struct cache_store *store, uint64_t bytes_max)
{
	struct cache_writer *writer = LB_NEW(store->mem, struct cache_writer, 1);
	char rest[48];
	uint64_t number;
	lb_err err;

	*out = NULL;
	if (writer == NULL)
		return lb_err_of(LB_E_NOMEM);
	writer->store = store;
	writer->bytes_max = bytes_max;
	writer->file = -1;
	(void)pthread_mutex_lock(&store->mutex);
	number = store->next_temporary++;
	(void)pthread_mutex_unlock(&store->mutex);
	(void)snprintf(rest, sizeof rest, "temporary/%llu", (unsigned long long)number);
	err = path_of(writer->path, sizeof writer->path, store, rest);
	if (!lb_failed(err))
		err = lb_digest_new(&writer->digest, store->mem, LB_SHA256);
	if (!lb_failed(err))
		err = store->plat->ops->open(&writer->file, store->plat, writer->path,
		                             PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE);
	if (lb_failed(err))
		cache_writer_abandon(writer);
	else
		*out = writer;
	return err;
}

lb_err cache_writer_add(struct cache_writer *writer, struct lb_bytes part)
{
	struct plat *plat = writer->store->plat;

	if (part.len > writer->bytes_max - writer->size)
		return lb_err_at(LB_E_LIMIT, (uintptr_t)writer->bytes_max);
	LB_TRY(plat->ops->write_at(plat, writer->file, part.at, part.len, writer->size));
	lb_digest_add(writer->digest, part);
	writer->size += part.len;
	return LB_OK;
}

void cache_writer_abandon(struct cache_writer *writer)
{
	struct plat *plat;

	if (writer == NULL)
		return;
	plat = writer->store->plat;
	if (writer->file >= 0) {
		plat->ops->close(plat, writer->file);
		lb_ignore(plat->ops->remove(plat, writer->path));
	}
	lb_digest_free(writer->digest);
	LB_DROP(writer->store->mem, writer, 1);
}

/* The two-digit folder of a blob, its name durable in the folder above. */
static lb_err make_shelf(const struct cache_store *store, const char *sha256, char shelf[PATH_SIZE])
{
	struct plat *plat = store->plat;
	char rest[16], above[PATH_SIZE];
	lb_err err;

	(void)snprintf(rest, sizeof rest, "blobs/%.2s", sha256);
	LB_TRY(path_of(shelf, PATH_SIZE, store, rest));
	err = plat->ops->make_folder(plat, shelf);
	if (lb_code_of(err) == LB_E_EXISTS)
		return LB_OK;
	LB_TRY(err);
	LB_TRY(path_of(above, sizeof above, store, "blobs"));
	return plat->ops->sync_folder(plat, above);
}

/* Renaming over a blob of the same name is right: it is the same content, and if the old one was
 * damaged it is whole again. */
static lb_err give_name(struct cache_writer *writer, const char *sha256)
{
	struct plat *plat = writer->store->plat;
	char shelf[PATH_SIZE], path[PATH_SIZE];
	struct plat_info info;

	LB_TRY(plat->ops->sync(plat, writer->file));
	LB_TRY(make_shelf(writer->store, sha256, shelf));
	LB_TRY(blob_path(path, sizeof path, writer->store, sha256));
	LB_TRY(plat->ops->file_info(&info, plat, writer->file));
	LB_TRY(plat->ops->rename(plat, writer->path, path));
	LB_TRY(plat->ops->sync_folder(plat, shelf));
	remember(writer->store, sha256, &info);
	return LB_OK;
}

lb_err cache_writer_end(char sha256[LB_SHA256_HEX + 1], uint64_t *size, struct cache_writer *writer)
{
	unsigned char digest[LB_DIGEST_SIZE_MAX];
	struct lb_buf hex;
	size_t len;
	lb_err err;

	lb_digest_end(writer->digest, digest, &len);
	lb_buf_init(&hex, writer->store->mem, LB_SHA256_HEX);
	lb_hex_add(&hex, (struct lb_bytes){ digest, len });
	err = lb_buf_check(&hex);
	if (!lb_failed(err)) {
		(void)snprintf(sha256, LB_SHA256_HEX + 1, "%s", lb_buf_text(&hex));
		*size = writer->size;
		err = give_name(writer, sha256);
	}
	lb_buf_release(&hex);
	cache_writer_abandon(writer); /* after the rename there is nothing left to remove */
	return err;
}

/* ---- reading ---- */

static lb_err quarantine(const struct cache_store *store, const char *path, const char *sha256)
{
	struct plat *plat = store->plat;
	char folder[PATH_SIZE], to[PATH_SIZE], rest[LB_SHA256_HEX + 16];

	LB_TRY(path_of(folder, sizeof folder, store, "quarantine"));
	LB_TRY(lb_file_make_folders(plat, folder, NULL));
	(void)snprintf(rest, sizeof rest, "quarantine/%s", sha256);
	LB_TRY(path_of(to, sizeof to, store, rest));
	return plat->ops->rename(plat, path, to);
}

lb_err cache_store_find(char *path, size_t size, uint64_t *bytes, struct cache_store *store,
                        const char *sha256)
{
	char found[LB_SHA256_HEX + 1];
	struct plat_info info;
	uint64_t hashed;

	LB_TRY(blob_path(path, size, store, sha256));
	LB_TRY(store->plat->ops->info(&info, store->plat, path));
	*bytes = info.size;
	if (is_seen(store, sha256, &info))
		return LB_OK;
	LB_TRY(lb_sha256_file(found, &hashed, store->plat, path));
	if (strcmp(found, sha256) != 0) {
		LB_TRY(quarantine(store, path, sha256));
		return lb_err_of(LB_E_MISMATCH);
	}
	remember(store, sha256, &info);
	return LB_OK;
}

/* ---- all blobs ---- */

struct name {
	char sha256[LB_SHA256_HEX + 1];
};

static lb_err collect_name(void *ctx, const char *name)
{
	struct lb_vec *names = ctx;
	struct name *slot;

	if (!lb_hex_is(lb_bytes_of(name), LB_SHA256_HEX))
		return LB_OK;
	slot = lb_vec_add(names);
	if (slot == NULL)
		return lb_vec_check(names);
	memcpy(slot->sha256, name, sizeof slot->sha256);
	return LB_OK;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->sha256, ((const struct name *)b)->sha256);
}

static lb_err list_shelf(struct cache_store *store, unsigned shelf, struct lb_vec *names)
{
	char path[PATH_SIZE], rest[16];
	lb_err err;

	names->count = 0;
	(void)snprintf(rest, sizeof rest, "blobs/%02x", shelf);
	LB_TRY(path_of(path, sizeof path, store, rest));
	err = store->plat->ops->list(store->plat, path, collect_name, names);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return LB_OK;
	if (!lb_failed(err) && names->count > 1)
		qsort(names->at, names->count, sizeof(struct name), compare_names);
	return err;
}

lb_err cache_store_list(struct cache_store *store,
                        lb_err (*each)(void *ctx, const char *sha256, uint64_t bytes), void *ctx)
{
	struct lb_vec names;
	lb_err err = LB_OK;

	lb_vec_init(&names, store->mem, sizeof(struct name), LIST_MAX);
	for (unsigned shelf = 0; shelf < 256 && !lb_failed(err); shelf++) {
		err = list_shelf(store, shelf, &names);
		for (size_t i = 0; i < names.count && !lb_failed(err); i++) {
			const char *sha256 = LB_VEC_AT(&names, struct name, i)->sha256;
			char path[PATH_SIZE];
			struct plat_info info;

			err = blob_path(path, sizeof path, store, sha256);
			if (!lb_failed(err))
				err = store->plat->ops->info(&info, store->plat, path);
			if (!lb_failed(err))
				err = each(ctx, sha256, info.size);
			else if (lb_code_of(err) == LB_E_NOTFOUND)
				err = LB_OK; /* collected in the meantime */
		}
	}
	lb_vec_release(&names);
	return err;
}

struct verifying {
	struct cache_store *store;
	uint64_t checked, bad;
	void (*each)(void *ctx, const char *sha256);
	void *ctx;
};

static lb_err verify_one(void *ctx, const char *sha256, uint64_t bytes)
{
	struct verifying *v = ctx;
	char path[PATH_SIZE], found[LB_SHA256_HEX + 1];
	uint64_t hashed;

	(void)bytes;
	LB_TRY(blob_path(path, sizeof path, v->store, sha256));
	LB_TRY(lb_sha256_file(found, &hashed, v->store->plat, path));
	v->checked++;
	if (strcmp(found, sha256) == 0)
		return LB_OK;
	v->bad++;
	if (v->each != NULL)
		v->each(v->ctx, sha256);
	return quarantine(v->store, path, sha256);
}

lb_err cache_store_verify(uint64_t *checked, uint64_t *bad, struct cache_store *store,
                          void (*each)(void *ctx, const char *sha256), void *ctx)
{
	struct verifying v = { .store = store, .each = each, .ctx = ctx };
	lb_err err = cache_store_list(store, verify_one, &v);

	*checked = v.checked;
	*bad = v.bad;
	return err;
}

struct collecting {
	struct cache_store *store;
	bool (*keep)(void *ctx, const char *sha256);
	void *ctx;
	uint64_t newest_ns, removed, bytes;
};

static lb_err collect_one(void *ctx, const char *sha256, uint64_t bytes)
{
	struct collecting *c = ctx;
	char path[PATH_SIZE];
	struct plat_info info;

	LB_TRY(blob_path(path, sizeof path, c->store, sha256));
	LB_TRY(c->store->plat->ops->info(&info, c->store->plat, path));
	if (info.mtime_ns > c->newest_ns || c->keep(c->ctx, sha256))
		return LB_OK;
	LB_TRY(c->store->plat->ops->remove(c->store->plat, path));
	c->removed++;
	c->bytes += bytes;
	return LB_OK;
}

lb_err cache_store_collect(uint64_t *removed, uint64_t *bytes, struct cache_store *store,
                           bool (*keep)(void *ctx, const char *sha256), void *ctx,
                           uint64_t min_age_s)
{
	uint64_t now = store->plat->ops->wall_ns(store->plat), age = min_age_s * 1000000000u;
	struct collecting c = { .store = store, .keep = keep, .ctx = ctx };
	lb_err err;

	c.newest_ns = age < now ? now - age : 0;
	err = cache_store_list(store, collect_one, &c);
	*removed = c.removed;
	*bytes = c.bytes;
	return err;
}
