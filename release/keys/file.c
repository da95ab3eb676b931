/* file.c - see file.h. */
#include "release/keys/file.h"

#include "base/arena.h"
#include "base/io/file.h"

#include <stdio.h>

enum { PART_SIZE = 256 * 1024 };

/* ---- hashing ---- */

static lb_err hash_parts(uint64_t *size, struct lb_digest *prehash, struct lb_digest *sha256,
                         struct plat *plat, int file, unsigned char *part)
{
	size_t got;

	for (*size = 0;; *size += got) {
		LB_TRY(plat->ops->read_at(&got, plat, file, part, PART_SIZE, *size));
		if (got == 0)
			return LB_OK;
		lb_digest_add(prehash, (struct lb_bytes){ part, got });
		if (sha256 != NULL)
			lb_digest_add(sha256, (struct lb_bytes){ part, got });
	}
}

static void end_digest(unsigned char *out, size_t want, struct lb_digest *digest)
{
	unsigned char bytes[LB_DIGEST_SIZE_MAX];
	size_t len;

	lb_digest_end(digest, bytes, &len);
	assert(len == want);
	memcpy(out, bytes, want);
}

lb_err release_hash_file(struct release_hashes *out, struct lb_mem *mem, struct plat *plat,
                         int file, bool sha256)
{
	struct lb_digest *prehash = NULL, *sha = NULL;
	unsigned char *part = LB_NEW(mem, unsigned char, PART_SIZE);
	lb_err err = part != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);

	*out = (struct release_hashes){ 0 };
	if (!lb_failed(err))
		err = lb_digest_new(&prehash, mem, LB_BLAKE2B_512);
	if (!lb_failed(err) && sha256)
		err = lb_digest_new(&sha, mem, LB_SHA256);
	if (!lb_failed(err))
		err = hash_parts(&out->size, prehash, sha, plat, file, part);
	if (!lb_failed(err)) {
		end_digest(out->prehash, sizeof out->prehash, prehash);
		if (sha256)
			end_digest(out->sha256, sizeof out->sha256, sha);
	}
	lb_digest_free(prehash);
	lb_digest_free(sha);
	LB_DROP(mem, part, PART_SIZE);
	return err;
}

static lb_err open_file(int *file, struct plat *plat, const char *path, struct lb_diag *diag)
{
	lb_err err = plat->ops->open(file, plat, path, PLAT_READ);

	if (lb_failed(err))
		lb_diag_set(diag, "%s: %s", path, lb_err_text(err));
	return err;
}

/* ---- signing ---- */

static lb_err hash_path(struct release_hashes *out, struct lb_mem *mem, struct plat *plat,
                        const char *path, struct lb_diag *diag)
{
	lb_err err;
	int file;

	LB_TRY(open_file(&file, plat, path, diag));
	err = release_hash_file(out, mem, plat, file, false);
	plat->ops->close(plat, file);
	if (lb_failed(err))
		lb_diag_set(diag, "%s: %s", path, lb_err_text(err));
	return err;
}

static struct lb_bytes default_comment(struct lb_arena *arena, struct plat *plat, const char *path)
{
	struct lb_bytes name = lb_path_name(lb_bytes_of(path));

	return lb_arena_format(arena, "timestamp:%llu\tfile:%.*s\thashed",
	                       (unsigned long long)(plat->ops->wall_ns(plat) / 1000000000),
	                       LB_FMT(name));
}

lb_err release_sign_file(struct lb_mem *mem, struct plat *plat,
                         const struct release_secret_key *key, const char *path,
                         const char *trusted_comment, struct lb_diag *diag)
{
	struct release_hashes hashes;
	struct release_signature signature;
	struct lb_bytes comment = lb_bytes_of(trusted_comment), target;
	struct lb_arena arena;
	struct lb_buf text;
	lb_err err;

	lb_arena_init(&arena, mem);
	lb_buf_init(&text, mem, RELEASE_SIGNATURE_FILE_MAX);
	if (trusted_comment == NULL)
		comment = default_comment(&arena, plat, path);
	target = lb_arena_format(&arena, "%s.minisig", path);
	err = arena.failed ? lb_err_of(LB_E_NOMEM) : hash_path(&hashes, mem, plat, path, diag);
	if (!lb_failed(err))
		err = release_signature_make(&signature, mem, key, hashes.prehash, comment, diag);
	if (!lb_failed(err)) {
		release_signature_write(&text, &signature);
		err = lb_buf_check(&text);
	}
	if (!lb_failed(err))
		err = lb_file_write(plat, (const char *)target.at, lb_buf_bytes(&text), 0, diag);
	lb_buf_release(&text);
	lb_arena_release(&arena);
	return err;
}

/* ---- checking ---- */

static lb_err check_prehashed(const struct release_signature *signature, struct lb_mem *mem,
                              struct plat *plat, int file, const struct release_public_key *key,
                              struct lb_diag *diag)
{
	struct release_hashes hashes;

	LB_TRY(release_hash_file(&hashes, mem, plat, file, false));
	return release_signature_check(signature, mem, key,
	                               (struct lb_bytes){ hashes.prehash, RELEASE_PREHASH_SIZE },
	                               diag);
}

static lb_err read_whole(struct lb_buf *out, struct plat *plat, int file)
{
	for (;;) {
		unsigned char *to = lb_buf_reserve(out, PART_SIZE);
		size_t got;

		if (to == NULL)
			return lb_buf_check(out);
		LB_TRY(plat->ops->read_at(&got, plat, file, to, PART_SIZE, out->len));
		if (got == 0)
			return LB_OK;
		out->len += got;
	}
}

static lb_err check_whole(const struct release_signature *signature, struct lb_mem *mem,
                          struct plat *plat, int file, const struct release_public_key *key,
                          struct lb_diag *diag)
{
	struct lb_buf message;
	lb_err err;

	lb_buf_init(&message, mem, RELEASE_MESSAGE_MAX);
	err = read_whole(&message, plat, file);
	if (lb_code_of(err) == LB_E_LIMIT)
		lb_diag_set(diag, "a signature of the old kind is checked for files of less than "
		                  "1 GiB only");
	if (!lb_failed(err))
		err = release_signature_check(signature, mem, key, lb_buf_bytes(&message), diag);
	lb_buf_release(&message);
	return err;
}

static lb_err check_name(struct lb_bytes comment, const char *path, struct lb_diag *diag)
{
	struct lb_bytes name = lb_path_name(lb_bytes_of(path)), signed_name;

	if (!release_comment_field(&signed_name, comment, "file") || lb_bytes_eq(signed_name, name))
		return LB_OK;
	return lb_fail(diag, LB_E_MISMATCH,
	               "the signature is for a file named \"%.*s\", this one is named \"%.*s\"",
	               LB_FMT(signed_name), LB_FMT(name));
}

static lb_err check_file(struct lb_buf *comment, struct lb_mem *mem, struct plat *plat,
                         const struct release_public_key *key, const char *path,
                         struct lb_bytes text, struct lb_diag *diag)
{
	struct release_signature signature;
	lb_err err;
	int file;

	LB_TRY(release_signature_read(&signature, mem, text, diag));
	err = plat->ops->open(&file, plat, path, PLAT_READ);
	LB_TRY(err);
	err = signature.prehashed ? check_prehashed(&signature, mem, plat, file, key, diag)
	                          : check_whole(&signature, mem, plat, file, key, diag);
	plat->ops->close(plat, file);
	LB_TRY(err);
	LB_TRY(check_name(signature.trusted_comment, path, diag));
	lb_buf_reset(comment);
	lb_buf_add(comment, signature.trusted_comment);
	return lb_buf_check(comment);
}

lb_err release_verify_file(struct lb_buf *comment, struct lb_mem *mem, struct plat *plat,
                           const struct release_public_key *key, const char *path,
                           const char *signature_path, struct lb_diag *diag)
{
	struct lb_diag why = { 0 };
	struct lb_arena arena;
	struct lb_buf text;
	lb_err err;

	lb_arena_init(&arena, mem);
	lb_buf_init(&text, mem, RELEASE_SIGNATURE_FILE_MAX);
	if (signature_path == NULL)
		signature_path = (const char *)lb_arena_format(&arena, "%s.minisig", path).at;
	err = arena.failed ? lb_err_of(LB_E_NOMEM)
	                   : lb_file_read(&text, plat, signature_path, diag);
	if (!lb_failed(err)) {
		err = check_file(comment, mem, plat, key, path, lb_buf_bytes(&text), &why);
		if (lb_failed(err))
			lb_diag_set(diag, "%s: %s", path, lb_diag_text(&why, err));
	}
	lb_buf_release(&text);
	lb_arena_release(&arena);
	return err;
}

lb_err release_load_public_key(struct release_public_key *out, struct lb_mem *mem,
                               struct plat *plat, const char *path, struct lb_diag *diag)
{
	struct lb_diag why = { 0 };
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, mem, RELEASE_KEY_FILE_MAX);
	err = lb_file_read(&text, plat, path, diag);
	if (!lb_failed(err)) {
		err = release_public_key_read(out, mem, lb_buf_bytes(&text), &why);
		if (lb_failed(err))
			lb_diag_set(diag, "%s: %s", path, lb_diag_text(&why, err));
	}
	lb_buf_release(&text);
	return err;
}
