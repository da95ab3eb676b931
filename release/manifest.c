/* manifest.c - see manifest.h. */
#include "release/manifest.h"

#include "base/text.h"

#include <stdlib.h>

/* What the site puts into its folders itself. */
static const char *const reserved[] = { "index.html", "style.css",    "minisign.pub",
	                                "SHA256SUMS", "release.json", "provenance.json",
	                                "SHA512SUMS", "robots.txt",   "favicon.ico" };

static bool is_alphanumeric(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool release_name_is_good(struct lb_bytes name)
{
	if (name.len == 0 || name.len > RELEASE_NAME_MAX || !is_alphanumeric(name.at[0]))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = name.at[i];

		if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-' && c != '+')
			return false;
	}
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
		if (lb_bytes_eq_nocase(name, lb_bytes_of(reserved[i])))
			return false;
	}
	return true;
}

static lb_err bad_name(const char *member, struct lb_bytes name, struct lb_diag *diag)
{
	struct lb_bytes shown = lb_bytes_upto(name, 200);

	return lb_fail(diag, LB_E_INVALID,
	               "%s: \"%.*s\" cannot be used; a name is 1 to %d letters, digits and . _ - + "
	               "that begins with a letter or digit and is not one of the site's own",
	               member, LB_FMT(shown), RELEASE_NAME_MAX);
}

static lb_err read_name(struct lb_bytes *out, const struct lb_value *object, const char *member,
                        struct lb_diag *diag)
{
	const struct lb_value *value = lb_value_get(object, member);

	if (value == NULL || value->kind != LB_STRING)
		return lb_fail(diag, LB_E_MALFORMED, "%s: expected a string", member);
	*out = value->string;
	return release_name_is_good(*out) ? LB_OK : bad_name(member, *out, diag);
}

static lb_err read_file(struct release_file *out, const struct lb_value *value,
                        struct lb_diag *diag)
{
	if (value->kind != LB_OBJECT)
		return lb_fail(diag, LB_E_MALFORMED,
		               "files: each is an object of name, size and sha256");
	LB_TRY(read_name(&out->name, value, "name", diag));
	if (lb_bytes_ends(out->name, LB_B(".minisig")))
		return lb_fail(diag, LB_E_INVALID,
		               "name: \"%.*s\" is a signature's name, and signing is the signer's",
		               LB_FMT(out->name));
	if (lb_failed(lb_value_get_u64(&out->size, value, "size")) ||
	    out->size > RELEASE_FILE_SIZE_MAX)
		return lb_fail(diag, LB_E_INVALID,
		               "size: expected the bytes of \"%.*s\", at most 64 GiB",
		               LB_FMT(out->name));
	if (!lb_hex_is(lb_value_get_string(value, "sha256"), LB_SHA256_HEX))
		return lb_fail(diag, LB_E_INVALID,
		               "sha256: expected 64 lower-case hexadecimal digits for \"%.*s\"",
		               LB_FMT(out->name));
	return lb_hex_read(out->sha256, LB_SHA256_SIZE, lb_value_get_string(value, "sha256"));
}

static int by_name(const void *a, const void *b)
{
	return lb_bytes_cmp(((const struct release_file *)a)->name,
	                    ((const struct release_file *)b)->name);
}

/* Names that differ in case only are one name on some disks of those who download. */
static lb_err check_distinct(const struct release_manifest *manifest, struct lb_diag *diag)
{
	for (uint32_t i = 0; i < manifest->count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (lb_bytes_eq_nocase(manifest->files[i].name, manifest->files[k].name))
				return lb_fail(
					diag, LB_E_INVALID,
					"files: \"%.*s\" is there twice (case does not count)",
					LB_FMT(manifest->files[i].name));
		}
	}
	return LB_OK;
}

lb_err release_manifest_read(struct release_manifest *out, struct lb_arena *arena,
                             const struct lb_value *value, struct lb_diag *diag)
{
	const struct lb_value *files = lb_value_get(value, "files");

	*out = (struct release_manifest){ 0 };
	if (value == NULL || value->kind != LB_OBJECT)
		return lb_fail(diag, LB_E_MALFORMED,
		               "expected an object of project, channel, version and files");
	LB_TRY(read_name(&out->project, value, "project", diag));
	LB_TRY(read_name(&out->channel, value, "channel", diag));
	LB_TRY(read_name(&out->version, value, "version", diag));
	if (files == NULL || files->kind != LB_ARRAY || files->count == 0 ||
	    files->count > RELEASE_FILES_MAX)
		return lb_fail(diag, LB_E_MALFORMED, "files: expected a list of 1 to %d files",
		               RELEASE_FILES_MAX);
	out->files = LB_ARENA_NEW(arena, struct release_file, files->count);
	if (out->files == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (; out->count < files->count; out->count++)
		LB_TRY(read_file(&out->files[out->count], files->items[out->count], diag));
	qsort(out->files, out->count, sizeof *out->files, by_name);
	return check_distinct(out, diag);
}

struct lb_value *release_manifest_value(struct lb_arena *arena,
                                        const struct release_manifest *manifest)
{
	struct lb_value *value = lb_value_object(arena), *files = lb_value_array(arena);

	lb_value_set_string(arena, value, "project", manifest->project);
	lb_value_set_string(arena, value, "channel", manifest->channel);
	lb_value_set_string(arena, value, "version", manifest->version);
	lb_value_put(arena, value, "files", files);
	for (uint32_t i = 0; i < manifest->count; i++) {
		const struct release_file *from = &manifest->files[i];
		struct lb_value *file = lb_value_object(arena);
		struct lb_buf hex;

		lb_buf_init(&hex, &arena->mem, LB_SHA256_HEX);
		lb_hex_add(&hex, (struct lb_bytes){ from->sha256, LB_SHA256_SIZE });
		lb_value_set_string(arena, file, "name", from->name);
		lb_value_set_number(arena, file, "size", (double)from->size);
		lb_value_set_string(arena, file, "sha256", lb_buf_bytes(&hex));
		lb_value_add(arena, files, file);
	}
	return value;
}

lb_err release_manifest_copy(struct release_manifest *out, struct lb_arena *arena,
                             const struct release_manifest *from)
{
	*out = *from;
	out->project = lb_arena_bytes(arena, from->project);
	out->channel = lb_arena_bytes(arena, from->channel);
	out->version = lb_arena_bytes(arena, from->version);
	out->files = LB_ARENA_NEW(arena, struct release_file, from->count);
	for (uint32_t i = 0; out->files != NULL && i < from->count; i++) {
		out->files[i] = from->files[i];
		out->files[i].name = lb_arena_bytes(arena, from->files[i].name);
	}
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

bool release_manifest_eq(const struct release_manifest *a, const struct release_manifest *b)
{
	if (!lb_bytes_eq(a->project, b->project) || !lb_bytes_eq(a->channel, b->channel) ||
	    !lb_bytes_eq(a->version, b->version) || a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct release_file *x = &a->files[i], *y = &b->files[i];

		if (!lb_bytes_eq(x->name, y->name) || x->size != y->size ||
		    memcmp(x->sha256, y->sha256, LB_SHA256_SIZE) != 0)
			return false;
	}
	return true;
}

const struct release_file *release_manifest_find(const struct release_manifest *manifest,
                                                 struct lb_bytes name)
{
	for (uint32_t i = 0; i < manifest->count; i++) {
		if (lb_bytes_eq(manifest->files[i].name, name))
			return &manifest->files[i];
	}
	return NULL;
}
