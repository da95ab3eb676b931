/* release.c - see release.h. */
#include "release/site/release.h"

#include "base/io/file.h"
#include "base/text.h"
#include "release/keys/file.h"
#include "release/site/page_priv.h"

enum { CONTENT_MAX = 16 << 20 };

struct work {
	const struct release_tree *tree;
	const char *stage;
	const struct release_secret_key *key;
	const struct release_manifest *manifest;
	const struct release_origin *origin;
	struct lb_arena arena;
	struct lb_diag *diag;
	uint64_t now_ns;
};

static lb_err in_stage(const char **out, struct work *w, struct lb_bytes name, const char *suffix)
{
	struct lb_bytes path =
		lb_arena_format(&w->arena, "%s/%.*s%s", w->stage, LB_FMT(name), suffix);

	*out = (const char *)path.at;
	return w->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* A file of the stage, whole and on the disk. */
static lb_err write_file(struct work *w, struct lb_bytes name, const char *suffix,
                         const struct lb_buf *content)
{
	const char *path;

	LB_TRY(lb_buf_check(content));
	LB_TRY(in_stage(&path, w, name, suffix));
	return lb_file_write(w->tree->plat, path, lb_buf_bytes(content), 0, w->diag);
}

/* ---- signatures ---- */

static struct lb_bytes trusted_comment(struct work *w, struct lb_bytes name)
{
	const struct release_manifest *m = w->manifest;

	return lb_arena_format(
		&w->arena,
		"timestamp:%llu\tfile:%.*s\tproject:%.*s\tversion:%.*s\tchannel:%.*s\thashed",
		(unsigned long long)(w->now_ns / 1000000000), LB_FMT(name), LB_FMT(m->project),
		LB_FMT(m->version), LB_FMT(m->channel));
}

static lb_err write_signature(struct work *w, struct lb_bytes name,
                              const unsigned char prehash[RELEASE_PREHASH_SIZE])
{
	struct release_signature signature;
	struct lb_bytes comment = trusted_comment(w, name);
	struct lb_buf text;

	if (w->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(release_signature_make(&signature, &w->arena.mem, w->key, prehash, comment,
	                              w->diag));
	lb_buf_init(&text, &w->arena.mem, RELEASE_SIGNATURE_FILE_MAX);
	release_signature_write(&text, &signature);
	return write_file(w, name, ".minisig", &text);
}

/* Hash through `file`, compare, sync: afterwards what is signed is on the disk. */
static lb_err check_uploaded(struct release_hashes *hashes, struct work *w,
                             const struct release_file *want, int file)
{
	struct plat *plat = w->tree->plat;

	LB_TRY(release_hash_file(hashes, w->tree->mem, plat, file, true));
	if (hashes->size != want->size || memcmp(hashes->sha256, want->sha256, LB_SHA256_SIZE) != 0)
		return lb_fail(w->diag, LB_E_MISMATCH,
		               "%.*s changed after it was uploaded; nothing is signed",
		               LB_FMT(want->name));
	return plat->ops->sync(plat, file);
}

static lb_err sign_uploaded(struct work *w, const struct release_file *want)
{
	struct plat *plat = w->tree->plat;
	struct release_hashes hashes;
	const char *path;
	lb_err err;
	int file;

	LB_TRY(in_stage(&path, w, want->name, ""));
	err = plat->ops->open(&file, plat, path, PLAT_READ | PLAT_WRITE | PLAT_NOFOLLOW);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		lb_diag_set(w->diag, "%.*s has not been uploaded", LB_FMT(want->name));
	LB_TRY(err);
	err = check_uploaded(&hashes, w, want, file);
	plat->ops->close(plat, file);
	return lb_failed(err) ? err : write_signature(w, want->name, hashes.prehash);
}

/* A file of the signer's own, and its signature. */
static lb_err write_signed(struct work *w, const char *name, const struct lb_buf *content)
{
	unsigned char prehash[LB_DIGEST_SIZE_MAX];
	struct lb_digest *digest;
	size_t len;

	LB_TRY(lb_buf_check(content));
	LB_TRY(lb_digest_new(&digest, w->tree->mem, LB_BLAKE2B_512));
	lb_digest_add(digest, lb_buf_bytes(content));
	lb_digest_end(digest, prehash, &len);
	lb_digest_free(digest);
	LB_TRY(write_file(w, lb_bytes_of(name), "", content));
	return write_signature(w, lb_bytes_of(name), prehash);
}

/* ---- the signer's own files ---- */

static lb_err write_sums(struct work *w)
{
	struct lb_buf sums;

	lb_buf_init(&sums, &w->arena.mem, CONTENT_MAX);
	for (uint32_t i = 0; i < w->manifest->count; i++) {
		const struct release_file *file = &w->manifest->files[i];

		lb_hex_add(&sums, (struct lb_bytes){ file->sha256, LB_SHA256_SIZE });
		lb_buf_add_text(&sums, "  ");
		lb_buf_add(&sums, file->name);
		lb_buf_add_byte(&sums, '\n');
	}
	return write_signed(w, "SHA256SUMS", &sums);
}

static lb_err write_json(struct work *w, const char *name, const struct lb_value *value)
{
	struct lb_buf text;

	if (w->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, &w->arena.mem, CONTENT_MAX);
	lb_value_write(&text, value, true);
	lb_buf_add_byte(&text, '\n');
	return write_signed(w, name, &text);
}

static struct lb_value *source_of(struct work *w)
{
	static const char *const names[] = { "repository",   "ref",    "sha",
		                             "workflow_ref", "run_id", "run_attempt" };
	struct lb_value *source = lb_value_object(&w->arena);

	lb_value_set_string(&w->arena, source, "issuer", w->origin->issuer->url);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		lb_value_set_string(&w->arena, source, names[i],
		                    lb_value_get_string(w->origin->claims, names[i]));
	return source;
}

static struct lb_value *record_of(struct work *w)
{
	struct release_public_key key = release_secret_key_public(w->key);
	struct lb_value *record = release_manifest_value(&w->arena, w->manifest);
	char time[LB_TIME_SIZE];
	struct lb_buf line;

	lb_buf_init(&line, &w->arena.mem, RELEASE_KEY_BASE64);
	release_public_key_base64(&line, &key);
	lb_value_set_text(&w->arena, record, "published_at", lb_time_text(time, w->now_ns, 0));
	lb_value_set_string(&w->arena, record, "public_key", lb_buf_bytes(&line));
	lb_value_put(&w->arena, record, "source", source_of(w));
	return record;
}

static lb_err write_page(struct work *w, const struct lb_value *record)
{
	struct lb_buf page;

	lb_buf_init(&page, &w->arena.mem, CONTENT_MAX);
	release_page_release(&page, record);
	return write_file(w, LB_B("index.html"), "", &page);
}

static lb_err complete(struct work *w)
{
	struct lb_value *record = record_of(w);

	for (uint32_t i = 0; i < w->manifest->count; i++)
		LB_TRY(sign_uploaded(w, &w->manifest->files[i]));
	LB_TRY(write_sums(w));
	LB_TRY(write_json(w, "provenance.json",
	                  release_provenance(&w->arena, w->manifest, w->origin)));
	LB_TRY(write_json(w, "release.json", record));
	LB_TRY(write_page(w, record));
	return w->tree->plat->ops->sync_folder(w->tree->plat, w->stage);
}

lb_err release_complete(const struct release_tree *tree, const char *stage,
                        const struct release_secret_key *key,
                        const struct release_manifest *manifest,
                        const struct release_origin *origin, struct lb_diag *diag)
{
	struct work w = { tree, stage, key, manifest, origin, .diag = diag };
	lb_err err;

	w.now_ns = tree->plat->ops->wall_ns(tree->plat);
	lb_arena_init(&w.arena, tree->mem);
	err = complete(&w);
	lb_arena_release(&w.arena);
	return err;
}

struct lb_value *release_summary(struct lb_arena *arena, const struct release_tree *tree,
                                 const struct release_manifest *manifest,
                                 struct lb_bytes public_key)
{
	struct lb_value *summary = release_manifest_value(arena, manifest);
	struct lb_value *answer = lb_value_object(arena), *files = lb_value_array(arena);
	const struct lb_value *from = lb_value_get(summary, "files");
	struct lb_bytes url = release_tree_url(tree, arena, manifest);

	lb_value_set_string(arena, answer, "url", url);
	lb_value_set_string(arena, answer, "public_key", public_key);
	lb_value_put(arena, answer, "files", files);
	for (uint32_t i = 0; from != NULL && i < from->count; i++) {
		struct lb_value *file = lb_value_object(arena);
		struct lb_bytes name = lb_value_get_string(from->items[i], "name");

		lb_value_set_string(arena, file, "name", name);
		lb_value_set_string(arena, file, "url",
		                    lb_arena_format(arena, "%.*s/%.*s", LB_FMT(url), LB_FMT(name)));
		lb_value_set_string(arena, file, "sha256",
		                    lb_value_get_string(from->items[i], "sha256"));
		lb_value_add(arena, files, file);
	}
	return answer;
}
