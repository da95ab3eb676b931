/* uploads.c - see uploads.h. */
#include "release/signer/uploads.h"

#include "base/io/file.h"
#include "base/text.h"
#include "release/keys/crypto.h"

#include <pthread.h>

#define SECOND_NS UINT64_C(1000000000)

struct release_uploads {
	struct lb_mem *mem;
	struct plat *plat;
	const struct release_tree *tree;
	pthread_mutex_t lock;
	struct release_upload *first; /* those being published as well */
	unsigned count;
};

struct release_receipt {
	struct release_uploads *uploads;
	struct release_upload *upload; /* held */
	const struct release_file *want;
	struct lb_digest *digest;
	struct lb_arena arena;
	const char *part_path, *path;
	uint64_t size;
	int file;
	bool ended;
};

lb_err release_uploads_new(struct release_uploads **out, struct lb_mem *mem, struct plat *plat,
                           const struct release_tree *tree)
{
	struct release_uploads *uploads = LB_NEW(mem, struct release_uploads, 1);

	*out = uploads;
	if (uploads == NULL)
		return lb_err_of(LB_E_NOMEM);
	*uploads = (struct release_uploads){ .mem = mem, .plat = plat, .tree = tree };
	pthread_mutex_init(&uploads->lock, NULL);
	return LB_OK;
}

static void drop(struct release_uploads *uploads, struct release_upload *upload)
{
	if (upload->stage != NULL)
		lb_ignore(lb_file_remove_tree(uploads->plat, upload->stage, NULL));
	lb_arena_release(&upload->arena);
	LB_DROP(uploads->mem, upload, 1);
}

void release_uploads_free(struct release_uploads *uploads)
{
	if (uploads == NULL)
		return;
	while (uploads->first != NULL) {
		struct release_upload *upload = uploads->first;

		uploads->first = upload->next;
		drop(uploads, upload);
	}
	pthread_mutex_destroy(&uploads->lock);
	LB_DROP(uploads->mem, uploads, 1);
}

/* Cut the link that leads to an upload.  With the lock held. */
static void unlink_upload(struct release_uploads *uploads, struct release_upload *upload)
{
	struct release_upload **link = &uploads->first;

	while (*link != upload)
		link = &(*link)->next;
	*link = upload->next;
	uploads->count--;
}

/* Those whose time is over and that nobody holds, as a list of their own.  With the lock held. */
static struct release_upload *cut_expired(struct release_uploads *uploads)
{
	uint64_t now_ns = uploads->plat->ops->now_ns(uploads->plat);
	struct release_upload *expired = NULL, *next;

	for (struct release_upload *upload = uploads->first; upload != NULL; upload = next) {
		next = upload->next;
		if (upload->users > 0 || upload->publishing || upload->expires_ns > now_ns)
			continue;
		unlink_upload(uploads, upload);
		upload->next = expired;
		expired = upload;
	}
	return expired;
}

static lb_err fill_upload(struct release_upload *upload, struct release_uploads *uploads,
                          const struct release_manifest *manifest,
                          const struct release_origin *origin)
{
	unsigned char chance[RELEASE_UPLOAD_ID / 2];
	struct lb_buf id;

	LB_TRY(release_random(chance, sizeof chance));
	lb_buf_init(&id, &upload->arena.mem, RELEASE_UPLOAD_ID);
	lb_hex_add(&id, (struct lb_bytes){ chance, sizeof chance });
	LB_TRY(lb_buf_check(&id));
	memcpy(upload->id, lb_buf_text(&id), RELEASE_UPLOAD_ID);
	LB_TRY(release_manifest_copy(&upload->manifest, &upload->arena, manifest));
	upload->origin = (struct release_origin){ origin->issuer,
		                                  lb_value_copy(&upload->arena, origin->claims) };
	upload->received = LB_ARENA_NEW(&upload->arena, bool, manifest->count);
	upload->expires_ns =
		uploads->plat->ops->now_ns(uploads->plat) + RELEASE_UPLOAD_S * SECOND_NS;
	upload->stage = release_tree_stage(uploads->tree, &upload->arena, lb_bytes_of(upload->id));
	if (upload->arena.failed) {
		upload->stage = NULL;
		return lb_err_of(LB_E_NOMEM);
	}
	return uploads->plat->ops->make_folder(uploads->plat, upload->stage);
}

lb_err release_uploads_begin(char id[RELEASE_UPLOAD_ID], struct release_uploads *uploads,
                             const struct release_manifest *manifest,
                             const struct release_origin *origin, struct lb_diag *diag)
{
	struct release_upload *upload = LB_NEW(uploads->mem, struct release_upload, 1);
	struct release_upload *expired;
	lb_err err;

	if (upload == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_arena_init(&upload->arena, uploads->mem);
	err = fill_upload(upload, uploads, manifest, origin);
	pthread_mutex_lock(&uploads->lock);
	expired = cut_expired(uploads);
	if (!lb_failed(err) && uploads->count >= RELEASE_UPLOADS_MAX)
		err = lb_fail(diag, LB_E_BUSY, "%d uploads are open, which is as many as may be",
		              RELEASE_UPLOADS_MAX);
	if (!lb_failed(err)) {
		memcpy(id, upload->id, RELEASE_UPLOAD_ID);
		upload->next = uploads->first;
		uploads->first = upload;
		uploads->count++;
		upload = NULL;
	}
	pthread_mutex_unlock(&uploads->lock);
	if (upload != NULL)
		drop(uploads, upload);
	while (expired != NULL) {
		struct release_upload *next = expired->next;

		drop(uploads, expired);
		expired = next;
	}
	return err;
}

/* With the lock held.  The name is a secret, so its comparison tells nothing by its time. */
static lb_err find(struct release_upload **out, struct release_uploads *uploads, struct lb_bytes id,
                   struct lb_diag *diag)
{
	uint64_t now_ns = uploads->plat->ops->now_ns(uploads->plat);

	for (*out = uploads->first; *out != NULL; *out = (*out)->next) {
		if (lb_bytes_eq_secret(lb_bytes_of((*out)->id), id))
			break;
	}
	if (*out == NULL || (!(*out)->publishing && (*out)->expires_ns <= now_ns))
		return lb_fail(diag, LB_E_NOTFOUND,
		               "there is no such upload; it may be over, or the signer was "
		               "restarted: begin anew");
	if ((*out)->publishing)
		return lb_fail(diag, LB_E_STALE, "this upload is being published");
	return LB_OK;
}

/* ---- receiving ---- */

static lb_err hold(struct release_receipt *receipt, struct lb_bytes id, struct lb_bytes name,
                   uint64_t *part, struct lb_diag *diag)
{
	struct release_uploads *uploads = receipt->uploads;
	lb_err err;

	pthread_mutex_lock(&uploads->lock);
	err = find(&receipt->upload, uploads, id, diag);
	if (lb_failed(err)) {
		receipt->upload = NULL;
	} else {
		receipt->upload->users++;
		*part = ++receipt->upload->parts;
	}
	pthread_mutex_unlock(&uploads->lock);
	LB_TRY(err);
	receipt->want = release_manifest_find(&receipt->upload->manifest, name);
	if (receipt->want == NULL)
		return lb_fail(diag, LB_E_NOTFOUND, "\"%.*s\" is not in this release's manifest",
		               LB_FMT(lb_bytes_upto(name, 200)));
	return LB_OK;
}

static lb_err open_part(struct release_receipt *receipt, struct lb_bytes id, struct lb_bytes name,
                        struct lb_diag *diag)
{
	struct plat *plat = receipt->uploads->plat;
	uint64_t part = 0;

	LB_TRY(hold(receipt, id, name, &part, diag));
	receipt->path = (const char *)lb_arena_format(&receipt->arena, "%s/%.*s",
	                                              receipt->upload->stage, LB_FMT(name))
	                        .at;
	receipt->part_path =
		(const char *)lb_arena_format(&receipt->arena, "%s.%llu", receipt->upload->stage,
	                                      (unsigned long long)part)
			.at;
	if (receipt->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_digest_new(&receipt->digest, receipt->uploads->mem, LB_SHA256));
	return plat->ops->open(&receipt->file, plat, receipt->part_path,
	                       PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE);
}

lb_err release_receive_begin(struct release_receipt **out, struct release_uploads *uploads,
                             struct lb_bytes id, struct lb_bytes name, struct lb_diag *diag)
{
	struct release_receipt *receipt = LB_NEW(uploads->mem, struct release_receipt, 1);
	lb_err err;

	*out = NULL;
	if (receipt == NULL)
		return lb_err_of(LB_E_NOMEM);
	receipt->uploads = uploads;
	receipt->file = -1;
	lb_arena_init(&receipt->arena, uploads->mem);
	err = open_part(receipt, id, name, diag);
	if (lb_failed(err)) {
		receipt->part_path = receipt->file >= 0 ? receipt->part_path : NULL;
		release_receive_free(receipt);
	} else {
		*out = receipt;
	}
	return err;
}

lb_err release_receive_part(struct release_receipt *receipt, struct lb_bytes part,
                            struct lb_diag *diag)
{
	struct plat *plat = receipt->uploads->plat;
	lb_err err;

	if (part.len > receipt->want->size - receipt->size)
		return lb_fail(diag, LB_E_MISMATCH,
		               "%.*s has more than the %llu bytes of the manifest",
		               LB_FMT(receipt->want->name),
		               (unsigned long long)receipt->want->size);
	err = plat->ops->write_at(plat, receipt->file, part.at, part.len, receipt->size);
	if (lb_failed(err)) {
		lb_diag_set(diag, "%.*s could not be stored: %s", LB_FMT(receipt->want->name),
		            lb_err_text(err));
		return err;
	}
	lb_digest_add(receipt->digest, part);
	receipt->size += part.len;
	return LB_OK;
}

/* The bytes are right: give them their name, unless the upload has gone on meanwhile. */
static lb_err admit(struct release_receipt *receipt, struct lb_diag *diag)
{
	struct release_uploads *uploads = receipt->uploads;
	struct release_upload *upload = receipt->upload;
	lb_err err;

	pthread_mutex_lock(&uploads->lock);
	err = upload->publishing ? lb_fail(diag, LB_E_STALE, "this upload is being published")
	                         : uploads->plat->ops->rename(uploads->plat, receipt->part_path,
	                                                      receipt->path);
	if (!lb_failed(err)) {
		upload->received[receipt->want - upload->manifest.files] = true;
		receipt->ended = true;
	}
	pthread_mutex_unlock(&uploads->lock);
	return err;
}

lb_err release_receive_end(struct release_receipt *receipt, struct lb_diag *diag)
{
	unsigned char sha256[LB_DIGEST_SIZE_MAX];
	size_t len;

	if (receipt->size != receipt->want->size)
		return lb_fail(diag, LB_E_MISMATCH, "%.*s has %llu bytes, the manifest says %llu",
		               LB_FMT(receipt->want->name), (unsigned long long)receipt->size,
		               (unsigned long long)receipt->want->size);
	lb_digest_end(receipt->digest, sha256, &len);
	if (memcmp(sha256, receipt->want->sha256, LB_SHA256_SIZE) != 0)
		return lb_fail(diag, LB_E_MISMATCH,
		               "%.*s does not have the manifest's SHA-256 digest",
		               LB_FMT(receipt->want->name));
	return admit(receipt, diag);
}

void release_receive_free(struct release_receipt *receipt)
{
	struct plat *plat;

	if (receipt == NULL)
		return;
	plat = receipt->uploads->plat;
	if (receipt->file >= 0)
		plat->ops->close(plat, receipt->file);
	if (!receipt->ended && receipt->part_path != NULL)
		lb_ignore(plat->ops->remove(plat, receipt->part_path));
	if (receipt->upload != NULL) {
		pthread_mutex_lock(&receipt->uploads->lock);
		receipt->upload->users--;
		pthread_mutex_unlock(&receipt->uploads->lock);
	}
	lb_digest_free(receipt->digest);
	lb_arena_release(&receipt->arena);
	LB_DROP(receipt->uploads->mem, receipt, 1);
}

/* ---- publishing ---- */

static lb_err check_received(const struct release_upload *upload, struct lb_diag *diag)
{
	for (uint32_t i = 0; i < upload->manifest.count; i++) {
		if (!upload->received[i])
			return lb_fail(diag, LB_E_INVALID, "%.*s has not been uploaded",
			               LB_FMT(upload->manifest.files[i].name));
	}
	return upload->users == 0
	               ? LB_OK
	               : lb_fail(diag, LB_E_STALE, "a file of this upload is on its way");
}

lb_err release_uploads_take(struct release_upload **out, struct release_uploads *uploads,
                            struct lb_bytes id, struct lb_diag *diag)
{
	lb_err err;

	pthread_mutex_lock(&uploads->lock);
	err = find(out, uploads, id, diag);
	if (!lb_failed(err))
		err = check_received(*out, diag);
	if (!lb_failed(err))
		(*out)->publishing = true;
	else
		*out = NULL;
	pthread_mutex_unlock(&uploads->lock);
	return err;
}

void release_uploads_end(struct release_uploads *uploads, struct release_upload *upload)
{
	pthread_mutex_lock(&uploads->lock);
	unlink_upload(uploads, upload);
	pthread_mutex_unlock(&uploads->lock);
	drop(uploads, upload);
}
