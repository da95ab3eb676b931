/* archive_unpack.c - see archive.h: untrusted archives onto the disk.
 *
 * Reading has three layers: the file, one decompressor (libarchive reading
 * "raw"), and the reader of tar or zip above it.  The layers are apart so that
 * exactly one compression is undone, what comes out of it is counted, and it is
 * read to its end, where a cut would show.
 *
 * All is unpacked into a fresh folder beside its final place and moved when it is
 * whole.  Invariants:
 *  1. All that is in the fresh folder was made by this call and stands in `made`,
 *     so `made` is what decides whether a parent is a folder or a name is taken.
 *  2. There is no symbolic link in it before all files are written: nothing can be
 *     written through one.
 *  3. A name that the disk takes for another that is there (case, normal forms)
 *     is EXISTS, because files and folders are made exclusively.
 *  4. Nothing outside of the fresh folder changes before the archive was read to its
 *     end and every name was found to have room.
 */
#include "base/data/archive_priv.h"

#include "base/io/file.h"
#include "base/map.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>

enum { NAMES_BYTES_MAX = 256 << 20, TRAILING_MAX = 1 << 20, TAR_BLOCK = 512 };
static const uint64_t ratio_from_bytes = 64 << 20;

struct made {
	const char *name;
	const char *target; /* of a link */
	struct made *parent;
	enum plat_type type;
	bool fresh; /* nothing of that name is at the final place */
	bool moved; /* it is there now */
};

struct unpacker {
	struct lb_arena arena; /* names, entries made */
	struct plat *plat;
	struct lb_diag *diag;
	struct lb_unpack_limits limits;
	struct lb_map made;          /* name to struct made, parents before children */
	struct lb_buf path, path_to; /* of one moment */
	const char *from, *into, *stage;
	struct archive *outer, *inner; /* the reader; the decompressor below it or NULL */
	unsigned char *block;
	lb_err failure; /* met in a callback; libarchive only knows that there was one */
	uint64_t packed_bytes, expanded_bytes, content_bytes, entries;
	uint64_t offset; /* in the file */
	int file;
};

static lb_err at_name(struct unpacker *u, lb_err err, const char *verb, const char *name)
{
	char shown[LB_ARCHIVE_SHOWN_SIZE];

	if (lb_failed(err))
		lb_diag_set(u->diag, "cannot %s %s: %s", verb,
		            lb_archive_show(shown, lb_bytes_of(name)), lb_err_text(err));
	return err;
}

static lb_err refuse(struct unpacker *u, enum lb_code code, const char *name, const char *why)
{
	char shown[LB_ARCHIVE_SHOWN_SIZE];

	return lb_fail(u->diag, code, "%s: %s", lb_archive_show(shown, lb_bytes_of(name)), why);
}

/* ---- the file ---- */

static la_ssize_t on_read(struct archive *archive, void *ctx, const void **out)
{
	struct unpacker *u = ctx;
	size_t got = 0;

	*out = u->block;
	if (!lb_failed(u->failure)) /* libarchive may ask again after a failure */
		u->failure = u->plat->ops->read_at(&got, u->plat, u->file, u->block,
		                                   LB_ARCHIVE_BLOCK_SIZE, u->offset);
	if (lb_failed(at_name(u, u->failure, "read", u->from))) {
		archive_set_error(archive, EIO, "reading failed");
		return -1;
	}
	u->offset += got;
	return (la_ssize_t)got;
}

static la_int64_t on_skip(struct archive *archive, void *ctx, la_int64_t want)
{
	struct unpacker *u = ctx;
	uint64_t left = u->offset < u->packed_bytes ? u->packed_bytes - u->offset : 0;
	uint64_t step = (uint64_t)want < left ? (uint64_t)want : left;

	(void)archive;
	u->offset += step;
	return (la_int64_t)step;
}

static la_int64_t on_seek(struct archive *archive, void *ctx, la_int64_t offset, int whence)
{
	struct unpacker *u = ctx;
	int64_t base = whence == SEEK_CUR   ? (int64_t)u->offset
	               : whence == SEEK_END ? (int64_t)u->packed_bytes
	                                    : 0;
	int64_t to;

	(void)archive;
	if (__builtin_add_overflow(base, offset, &to) || to < 0)
		return ARCHIVE_FATAL;
	u->offset = (uint64_t)to;
	return to;
}

/* ---- what comes out of the decompressor ---- */

static lb_err count_expanded(struct unpacker *u, size_t len)
{
	u->expanded_bytes += len;
	if (u->expanded_bytes > ratio_from_bytes &&
	    u->expanded_bytes / u->limits.ratio_max > u->packed_bytes)
		return lb_fail(u->diag, LB_E_LIMIT,
		               "%s unpacks to more than %u times its size, like a bomb does",
		               u->from, u->limits.ratio_max);
	return LB_OK;
}

static lb_err archive_failed(struct unpacker *u, struct archive *archive, const char *name)
{
	char shown[LB_ARCHIVE_SHOWN_SIZE];

	if (lb_failed(u->failure))
		return u->failure;
	return lb_archive_failure(archive, LB_E_MALFORMED,
	                          lb_archive_show(shown, lb_bytes_of(name)), u->diag);
}

/* The next bytes of the decompressed stream; 0 at its end. */
static lb_err next_expanded(size_t *len, struct unpacker *u, const void **out)
{
	la_int64_t offset;
	int status = archive_read_data_block(u->inner, out, len, &offset);

	if (status == ARCHIVE_EOF && !lb_failed(u->failure)) {
		*len = 0;
		return LB_OK;
	}
	if (status != ARCHIVE_OK)
		return archive_failed(u, u->inner, u->from);
	return count_expanded(u, *len);
}

static la_ssize_t on_expanded(struct archive *archive, void *ctx, const void **out)
{
	struct unpacker *u = ctx;
	size_t len = 0;

	if (!lb_failed(u->failure))
		u->failure = next_expanded(&len, u, out);
	if (lb_failed(u->failure)) {
		archive_set_error(archive, EIO, "decompression failed");
		return -1;
	}
	return (la_ssize_t)len;
}

/* ---- opening ---- */

enum kind { KIND_TAR, KIND_GZIP, KIND_ZSTD, KIND_ZIP };

static lb_err find_kind(enum kind *kind, struct unpacker *u)
{
	unsigned char first[4] = { 0 };
	struct lb_bytes head = { first, 0 };

	LB_TRY(at_name(u,
	               u->plat->ops->read_at(&head.len, u->plat, u->file, first, sizeof first, 0),
	               "read", u->from));
	*kind = lb_bytes_starts(head, LB_B("\x1f\x8b"))           ? KIND_GZIP
	        : lb_bytes_starts(head, LB_B("\x28\xb5\x2f\xfd")) ? KIND_ZSTD
	        : lb_bytes_starts(head, LB_B("PK"))               ? KIND_ZIP
	                                                          : KIND_TAR;
	return LB_OK;
}

static int open_on_file(struct unpacker *u, struct archive *archive)
{
	(void)archive_read_set_callback_data(archive, u);
	(void)archive_read_set_read_callback(archive, on_read);
	(void)archive_read_set_skip_callback(archive, on_skip);
	(void)archive_read_set_seek_callback(archive, on_seek);
	return archive_read_open1(archive);
}

static lb_err open_decompressor(struct unpacker *u, enum kind kind)
{
	struct archive_entry *entry;

	u->inner = archive_read_new();
	if (u->inner == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (archive_read_support_format_raw(u->inner) != ARCHIVE_OK ||
	    archive_read_append_filter(u->inner, kind == KIND_GZIP
	                                                 ? ARCHIVE_FILTER_GZIP
	                                                 : ARCHIVE_FILTER_ZSTD) != ARCHIVE_OK ||
	    open_on_file(u, u->inner) != ARCHIVE_OK ||
	    archive_read_next_header(u->inner, &entry) != ARCHIVE_OK)
		return archive_failed(u, u->inner, u->from);
	return LB_OK;
}

static lb_err open_archive(struct unpacker *u)
{
	enum kind kind;
	int status;

	LB_TRY(find_kind(&kind, u));
	if (kind == KIND_GZIP || kind == KIND_ZSTD)
		LB_TRY(open_decompressor(u, kind));
	u->outer = archive_read_new();
	if (u->outer == NULL)
		return lb_err_of(LB_E_NOMEM);
	status = kind == KIND_ZIP ? archive_read_support_format_zip_seekable(u->outer)
	                          : archive_read_support_format_tar(u->outer);
	if (status != ARCHIVE_OK)
		return archive_failed(u, u->outer, u->from);
	status = u->inner != NULL ? archive_read_open(u->outer, u, NULL, on_expanded, NULL)
	                          : open_on_file(u, u->outer);
	return status == ARCHIVE_OK ? LB_OK : archive_failed(u, u->outer, u->from);
}

/* ---- entries ---- */

/* The path of a name in the fresh folder, or in the final one; valid until the next call. */
static const char *path_in(struct lb_buf *buf, const char *folder, const char *name)
{
	lb_buf_reset(buf);
	lb_buf_addf(buf, "%s/%s", folder, name);
	return lb_failed(lb_buf_check(buf)) ? NULL : lb_buf_text(buf);
}

static lb_err remember(struct made **out, struct unpacker *u, struct lb_bytes name,
                       struct made *parent, enum plat_type type)
{
	struct made *made = LB_ARENA_NEW(&u->arena, struct made, 1);
	struct lb_bytes kept = lb_arena_bytes(&u->arena, name);

	if (made == NULL || kept.at == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (u->arena.bytes_used > NAMES_BYTES_MAX)
		return lb_fail(u->diag, LB_E_LIMIT, "%s: the names take more than %d MiB", u->from,
		               NAMES_BYTES_MAX >> 20);
	*made = (struct made){ .name = (const char *)kept.at, .parent = parent, .type = type };
	LB_TRY(lb_map_put(&u->made, kept, made));
	if (out != NULL)
		*out = made;
	return LB_OK;
}

static lb_err make_folder(struct unpacker *u, const char *name)
{
	const char *path = path_in(&u->path, u->stage, name);

	if (path == NULL)
		return lb_buf_check(&u->path);
	return at_name(u, u->plat->ops->make_folder(u->plat, path), "make the folder", name);
}

/* The folder a name stands in, made with its parents where it is not there; NULL for the top. */
static lb_err find_parent(struct made **out, struct unpacker *u, struct lb_bytes name)
{
	size_t slash = lb_bytes_rfind_byte(name, '/');
	struct lb_bytes folder = lb_bytes_upto(name, slash);

	*out = NULL;
	if (slash == SIZE_MAX)
		return LB_OK;
	*out = lb_map_get(&u->made, folder);
	if (*out != NULL && (*out)->type == PLAT_DIRECTORY)
		return LB_OK;
	if (*out != NULL)
		return refuse(u, LB_E_DENIED, (const char *)name.at,
		              "what it stands in is not a folder");
	for (size_t end = 0; end < folder.len; end++) {
		struct lb_bytes part = lb_bytes_upto(name, end + 1);
		struct made *made;

		if (end + 1 < folder.len && folder.at[end + 1] != '/')
			continue;
		made = lb_map_get(&u->made, part);
		if (made != NULL && made->type != PLAT_DIRECTORY)
			return refuse(u, LB_E_DENIED, (const char *)name.at,
			              "what it stands in is not a folder");
		if (made == NULL) {
			LB_TRY(remember(&made, u, part, *out, PLAT_DIRECTORY));
			LB_TRY(make_folder(u, made->name));
		}
		*out = made;
	}
	return LB_OK;
}

static lb_err add_folder(struct unpacker *u, struct lb_bytes name)
{
	struct made *made = lb_map_get(&u->made, name), *parent;

	if (made != NULL && made->type == PLAT_DIRECTORY)
		return LB_OK; /* made for what stood in it, or said twice */
	if (made != NULL)
		return refuse(u, LB_E_MALFORMED, made->name, "the name comes twice");
	LB_TRY(find_parent(&parent, u, name));
	LB_TRY(remember(&made, u, name, parent, PLAT_DIRECTORY));
	return make_folder(u, made->name);
}

static lb_err write_block(struct unpacker *u, const char *name, int file, const void *from,
                          size_t len, uint64_t offset)
{
	u->content_bytes += len;
	if (u->content_bytes > u->limits.bytes_max)
		return refuse(u, LB_E_LIMIT, name,
		              "with it, the archive unpacks to too many bytes");
	if (u->inner == NULL)
		LB_TRY(count_expanded(u, len));
	return at_name(u, u->plat->ops->write_at(u->plat, file, from, len, offset), "write", name);
}

static lb_err write_content(struct unpacker *u, const char *name, int file,
                            struct archive_entry *entry)
{
	uint64_t written = 0;
	const void *from;
	int64_t offset;
	size_t len;
	int status = archive_read_data_block(u->outer, &from, &len, &offset);

	while (status == ARCHIVE_OK) {
		if (len > 0 && (uint64_t)offset != written)
			return refuse(u, LB_E_UNSUPPORTED, name, "a file with holes");
		if (len > 0)
			LB_TRY(write_block(u, name, file, from, len, written));
		written += len;
		status = archive_read_data_block(u->outer, &from, &len, &offset);
	}
	if (status != ARCHIVE_EOF || lb_failed(u->failure))
		return archive_failed(u, u->outer, name);
	if (archive_entry_size_is_set(entry) && (uint64_t)archive_entry_size(entry) != written)
		return refuse(u, LB_E_MALFORMED, name, "its size is not what was announced");
	return LB_OK;
}

static lb_err claim(struct made **out, struct unpacker *u, struct lb_bytes name,
                    enum plat_type type)
{
	struct made *parent;

	if (lb_map_get(&u->made, name) != NULL)
		return refuse(u, LB_E_MALFORMED, (const char *)name.at, "the name comes twice");
	LB_TRY(find_parent(&parent, u, name));
	return remember(out, u, name, parent, type);
}

static lb_err add_file(struct unpacker *u, struct lb_bytes name, struct archive_entry *entry)
{
	unsigned flags = PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE | PLAT_NOFOLLOW;
	struct made *made;
	const char *path;
	int file = -1;
	lb_err err;

	if (archive_entry_size_is_set(entry) &&
	    (uint64_t)archive_entry_size(entry) > u->limits.bytes_max)
		return refuse(u, LB_E_LIMIT, (const char *)name.at, "the file is too large");
	LB_TRY(claim(&made, u, name, PLAT_FILE));
	path = path_in(&u->path, u->stage, made->name);
	if (path == NULL)
		return lb_buf_check(&u->path);
	if ((archive_entry_perm(entry) & 0100) != 0)
		flags |= PLAT_EXECUTABLE;
	LB_TRY(at_name(u, u->plat->ops->open(&file, u->plat, path, flags), "make", made->name));
	err = write_content(u, made->name, file, entry);
	u->plat->ops->close(u->plat, file);
	return err;
}

/* Made when all files are: see invariant 2. */
static lb_err add_link(struct unpacker *u, struct lb_bytes name, const char *target)
{
	struct made *made;

	if (target == NULL)
		return refuse(u, LB_E_MALFORMED, (const char *)name.at, "a link without a target");
	LB_TRY(lb_archive_check_link(name, lb_bytes_of(target), u->diag));
	LB_TRY(claim(&made, u, name, PLAT_LINK));
	made->target = lb_arena_text(&u->arena, lb_bytes_of(target));
	return made->target != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

static struct lb_bytes without_dots(const char *text)
{
	struct lb_bytes name = lb_bytes_of(text);

	while (lb_bytes_starts(name, LB_B("./")))
		name = lb_bytes_from(name, 2);
	while (name.len > 0 && name.at[name.len - 1] == '/' && name.len > 1)
		name.len--;
	return lb_bytes_is(name, ".") ? LB_B("") : name;
}

static lb_err add_hard_link(struct unpacker *u, struct lb_bytes name, const char *target)
{
	struct made *first = lb_map_get(&u->made, without_dots(target)), *made;
	const char *from, *to;

	if (first == NULL || first->type != PLAT_FILE)
		return refuse(u, LB_E_DENIED, (const char *)name.at,
		              "a hard link to what is no file unpacked before");
	LB_TRY(claim(&made, u, name, PLAT_FILE));
	from = path_in(&u->path, u->stage, first->name);
	to = path_in(&u->path_to, u->stage, made->name);
	if (from == NULL || to == NULL)
		return lb_err_of(LB_E_NOMEM);
	return at_name(u, u->plat->ops->link(u->plat, from, to), "link", made->name);
}

static lb_err add_by_type(struct unpacker *u, struct lb_bytes name, struct archive_entry *entry)
{
	const char *hard = archive_entry_hardlink(entry);
	unsigned type = archive_entry_filetype(entry);

	if (hard != NULL)
		return add_hard_link(u, name, hard);
	if (type == AE_IFREG)
		return add_file(u, name, entry);
	if (type == AE_IFDIR)
		return add_folder(u, name);
	if (type == AE_IFLNK)
		return add_link(u, name, archive_entry_symlink(entry));
	return refuse(u, LB_E_DENIED, (const char *)name.at,
	              "neither a file, a folder nor a link (a device or a pipe)");
}

static lb_err add_entry(struct unpacker *u, struct archive_entry *entry)
{
	const char *text = archive_entry_pathname(entry);
	struct lb_bytes name;
	char *copy;
	lb_err err;

	if (text == NULL)
		return refuse(u, LB_E_MALFORMED, u->from, "an entry whose name is not UTF-8");
	if (++u->entries > u->limits.entries_max)
		return refuse(u, LB_E_LIMIT, text, "too many entries before it");
	name = without_dots(text);
	if (name.len > u->limits.name_max)
		return refuse(u, LB_E_LIMIT, text, "the name is too long");
	if (name.len == 0 && archive_entry_filetype(entry) == AE_IFDIR)
		return LB_OK; /* "./", the top itself */
	LB_TRY(lb_archive_check_name(name, u->diag));
	copy = lb_mem_text(u->arena.under, (const char *)name.at, name.len);
	if (copy == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = add_by_type(u, (struct lb_bytes){ (unsigned char *)copy, name.len }, entry);
	lb_mem_drop(u->arena.under, copy, name.len + 1, 1);
	return err;
}

/* A tar file ends with a block of zeros.  libarchive takes a file that was cut between two entries
 * for a whole one; the end marker shows in how far it has read. */
static lb_err check_end(struct unpacker *u, int64_t content_end)
{
	int64_t padded = (content_end + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	size_t len = 0, trailing = 0;
	const void *from;

	if (archive_format(u->outer) == ARCHIVE_FORMAT_ZIP)
		return LB_OK;
	if (archive_filter_bytes(u->outer, 0) - padded < TAR_BLOCK)
		return refuse(u, LB_E_MALFORMED, u->from,
		              "the archive is cut: it has no end marker");
	if (u->inner == NULL)
		return LB_OK;
	do { /* to the end of the compression, where a cut would show */
		LB_TRY(next_expanded(&len, u, &from));
		trailing += len;
		if (trailing > TRAILING_MAX)
			return refuse(u, LB_E_MALFORMED, u->from, "data behind the archive's end");
	} while (len > 0);
	return LB_OK;
}

static lb_err read_entries(struct unpacker *u)
{
	struct archive_entry *entry;
	int64_t content_end = 0;
	int status = archive_read_next_header(u->outer, &entry);

	while (status == ARCHIVE_OK) {
		LB_TRY(add_entry(u, entry));
		content_end = archive_filter_bytes(u->outer, 0);
		status = archive_read_next_header(u->outer, &entry);
	}
	if (status != ARCHIVE_EOF || lb_failed(u->failure))
		return archive_failed(u, u->outer, u->from);
	return check_end(u, content_end);
}

static struct made *made_at(const struct unpacker *u, size_t index)
{
	return u->made.entries[index].value;
}

static lb_err make_links(struct unpacker *u)
{
	for (size_t i = 0; i < u->made.count; i++) {
		const struct made *made = made_at(u, i);
		const char *path;

		if (made->type != PLAT_LINK)
			continue;
		path = path_in(&u->path, u->stage, made->name);
		if (path == NULL)
			return lb_buf_check(&u->path);
		LB_TRY(at_name(u, u->plat->ops->make_link(u->plat, made->target, path),
		               "make the link", made->name));
	}
	return LB_OK;
}

/* ---- to the final place ---- */

/* A folder joins one that is there; anything else takes the place of what is no folder. */
static lb_err check_room(struct unpacker *u, struct made *made)
{
	const char *path = path_in(&u->path, u->into, made->name);
	struct plat_info info;
	lb_err err;

	if (made->parent != NULL && made->parent->fresh) {
		made->fresh = true;
		return LB_OK;
	}
	if (path == NULL)
		return lb_buf_check(&u->path);
	err = u->plat->ops->info(&info, u->plat, path);
	made->fresh = lb_code_of(err) == LB_E_NOTFOUND;
	if (made->fresh)
		return LB_OK;
	LB_TRY(at_name(u, err, "look at", made->name));
	if ((info.type == PLAT_DIRECTORY) != (made->type == PLAT_DIRECTORY))
		return refuse(u, LB_E_EXISTS, made->name,
		              info.type == PLAT_DIRECTORY ? "a folder of that name is there"
		                                          : "what is there is not a folder");
	return LB_OK;
}

/* What is fresh moves with all that is in it. */
static lb_err move(struct unpacker *u, struct made *made)
{
	const char *from, *to;

	if (made->parent != NULL && made->parent->fresh)
		return LB_OK;
	if (!made->fresh && made->type == PLAT_DIRECTORY)
		return LB_OK;
	from = path_in(&u->path, u->stage, made->name);
	to = path_in(&u->path_to, u->into, made->name);
	if (from == NULL || to == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(at_name(u, u->plat->ops->rename(u->plat, from, to), "make", made->name));
	made->moved = true;
	return LB_OK;
}

static void take_back(struct unpacker *u)
{
	for (size_t i = 0; i < u->made.count; i++) {
		const struct made *made = made_at(u, i);
		const char *path;

		if (!made->moved)
			continue;
		path = path_in(&u->path, u->into, made->name);
		if (path != NULL)
			lb_ignore(u->plat->ops->remove_tree(u->plat, path));
	}
}

static lb_err move_all(struct unpacker *u)
{
	lb_err err = LB_OK;

	for (size_t i = 0; i < u->made.count; i++)
		LB_TRY(check_room(u, made_at(u, i)));
	for (size_t i = 0; i < u->made.count && !lb_failed(err); i++)
		err = move(u, made_at(u, i));
	if (lb_failed(err))
		take_back(u);
	return err;
}

/* ---- the whole ---- */

static lb_err open_file(struct unpacker *u)
{
	struct plat_info info;

	LB_TRY(at_name(u, u->plat->ops->open(&u->file, u->plat, u->from, PLAT_READ), "read",
	               u->from));
	LB_TRY(at_name(u, u->plat->ops->file_info(&info, u->plat, u->file), "look at", u->from));
	u->packed_bytes = info.size;
	u->block = LB_NEW(u->arena.under, unsigned char, LB_ARCHIVE_BLOCK_SIZE);
	return u->block != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

static void close_all(struct unpacker *u)
{
	if (u->outer != NULL)
		(void)archive_read_free(u->outer);
	if (u->inner != NULL)
		(void)archive_read_free(u->inner);
	if (u->file >= 0)
		u->plat->ops->close(u->plat, u->file);
	LB_DROP(u->arena.under, u->block, LB_ARCHIVE_BLOCK_SIZE);
}

static lb_err unpack_into(struct unpacker *u)
{
	char *stage;
	lb_err err;

	LB_TRY(lb_archive_temporary(&stage, &u->arena, u->plat, u->into, "/.unpack-"));
	LB_TRY(at_name(u, u->plat->ops->make_folder(u->plat, stage), "make", stage));
	u->stage = stage;
	err = read_entries(u);
	if (!lb_failed(err))
		err = make_links(u);
	if (!lb_failed(err))
		err = move_all(u);
	lb_ignore(u->plat->ops->remove_tree(u->plat, stage));
	return err;
}

static struct lb_unpack_limits limits_of(const struct lb_unpack_limits *given)
{
	struct lb_unpack_limits limits = given != NULL ? *given : (struct lb_unpack_limits){ 0 };

	if (limits.bytes_max == 0)
		limits.bytes_max = (uint64_t)16 << 30;
	if (limits.entries_max == 0)
		limits.entries_max = 1000000;
	if (limits.ratio_max == 0)
		limits.ratio_max = 1000;
	if (limits.name_max == 0)
		limits.name_max = 4096;
	return limits;
}

lb_err lb_archive_unpack(struct lb_mem *mem, struct plat *plat, const char *from, const char *into,
                         const struct lb_unpack_limits *limits, struct lb_diag *diag)
{
	struct unpacker u = { .plat = plat, .diag = diag, .from = from, .into = into, .file = -1 };
	size_t path_max = strlen(into) + 64;
	locale_t before = lb_archive_enter();
	lb_err err;

	u.limits = limits_of(limits);
	path_max += u.limits.name_max;
	lb_arena_init(&u.arena, mem);
	lb_map_init(&u.made, mem);
	lb_buf_init(&u.path, mem, path_max);
	lb_buf_init(&u.path_to, mem, path_max);
	err = open_file(&u);
	if (!lb_failed(err))
		err = open_archive(&u);
	if (!lb_failed(err))
		err = unpack_into(&u);
	close_all(&u);
	lb_buf_release(&u.path);
	lb_buf_release(&u.path_to);
	lb_map_release(&u.made);
	lb_arena_release(&u.arena);
	lb_archive_leave(before);
	return err;
}
