/* archive_pack.c - see archive.h: folders and files into an archive, the same bytes each time.
 *
 * First all entries are collected and sorted, then written one by one to a
 * temporary file, which takes the archive's name when it is whole.
 *
 * Every field that libarchive would take from the system is set: owner and group
 * 0 without names, the time given, modes 0755 and 0644.  Zip stores local times,
 * so there no time is set and libarchive writes the least, 1980-01-01: anything
 * else would depend on the time zone.
 */
#include "base/data/archive_priv.h"

#include "base/io/file.h"
#include "base/text.h"
#include "base/vec.h"

#include <errno.h>
#include <stdlib.h>

enum { ENTRIES_MAX = 1000000, LINKS_MAX = 40, TARGET_SIZE = 4096 };
enum { EPOCH_OF_ZIP = 315532800 }; /* 1980-01-01 */

struct entry {
	const char *name, *path; /* in the archive, on the disk */
	const char *target;      /* of a symbolic link */
	enum plat_type type;
	uint64_t size;
	bool executable;
};

struct packer {
	struct lb_arena arena; /* names */
	struct plat *plat;
	const struct lb_pack *how;
	struct lb_diag *diag;
	struct lb_vec entries;
	struct archive *archive;
	struct archive_entry *header;
	unsigned char *block;
	lb_err write_failure; /* what the callback met; libarchive only knows that it failed */
	uint64_t offset;
	int file;
};

static lb_err at_path(struct packer *p, lb_err err, const char *verb, const char *path)
{
	if (lb_failed(err))
		lb_diag_set(p->diag, "cannot %s %s: %s", verb, path, lb_err_text(err));
	return err;
}

/* ---- collecting ---- */

static lb_err read_target(struct lb_bytes *out, struct packer *p, const char *path)
{
	char *target = LB_ARENA_NEW(&p->arena, char, TARGET_SIZE);
	size_t len = 0;

	*out = (struct lb_bytes){ 0 };
	if (target == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(at_path(p, p->plat->ops->read_link(&len, p->plat, path, target, TARGET_SIZE - 1),
	               "read the link", path));
	target[len] = '\0';
	*out = (struct lb_bytes){ (unsigned char *)target, len };
	return LB_OK;
}

/* Where a link leads, links behind links included.  Resolved step by step, because opening would
 * hang on a pipe. */
static lb_err follow(const char **path, struct plat_info *info, struct packer *p)
{
	for (int i = 0; info->type == PLAT_LINK; i++) {
		struct lb_bytes target, folder = lb_bytes_of(*path), next;
		size_t slash = lb_bytes_rfind_byte(folder, '/');

		if (i == LINKS_MAX)
			return lb_fail(p->diag, LB_E_INVALID, "%s: too many links in a row", *path);
		LB_TRY(read_target(&target, p, *path));
		folder = slash == SIZE_MAX ? LB_B("") : lb_bytes_upto(folder, slash + 1);
		if (target.len > 0 && target.at[0] == '/')
			folder = LB_B("");
		next = lb_arena_format(&p->arena, "%.*s%.*s", LB_FMT(folder), LB_FMT(target));
		if (next.at == NULL)
			return lb_err_of(LB_E_NOMEM);
		*path = (const char *)next.at;
		LB_TRY(at_path(p, p->plat->ops->info(info, p->plat, *path), "look at", *path));
	}
	return LB_OK;
}

static lb_err add_entry(struct packer *p, const char *name, const char *path)
{
	struct plat_info info;
	struct lb_bytes target = { 0 };
	struct entry *entry;

	if (name == NULL || path == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (name[0] != '\0')
		LB_TRY(lb_archive_check_name(lb_bytes_of(name), p->diag));
	LB_TRY(at_path(p, p->plat->ops->info(&info, p->plat, path), "look at", path));
	if (p->how->follow_links)
		LB_TRY(follow(&path, &info, p));
	if (info.type == PLAT_OTHER)
		return lb_fail(p->diag, LB_E_UNSUPPORTED,
		               "%s is neither a file, a folder nor a link", path);
	if (name[0] == '\0' && info.type != PLAT_DIRECTORY)
		return lb_fail(p->diag, LB_E_INVALID, "%s: only a folder can go without a name",
		               path);
	if (info.type == PLAT_LINK) {
		LB_TRY(read_target(&target, p, path));
		LB_TRY(lb_archive_check_link(lb_bytes_of(name), target, p->diag));
	}
	entry = lb_vec_add(&p->entries);
	if (entry == NULL) {
		lb_diag_set(p->diag, "more than %d files to pack", ENTRIES_MAX);
		return lb_vec_check(&p->entries);
	}
	*entry = (struct entry){ .name = name,
		                 .path = path,
		                 .target = (const char *)target.at,
		                 .type = info.type,
		                 .size = info.size,
		                 .executable = (info.mode & 0111) != 0 };
	return LB_OK;
}

struct listing {
	struct packer *packer;
	struct entry folder;
};

static lb_err add_child(void *ctx, const char *name)
{
	const struct listing *listing = ctx;
	struct lb_arena *arena = &listing->packer->arena;
	const char *in = listing->folder.name;

	return add_entry(
		listing->packer,
		(const char *)lb_arena_format(arena, "%s%s%s", in, in[0] ? "/" : "", name).at,
		(const char *)lb_arena_format(arena, "%s/%s", listing->folder.path, name).at);
}

/* The vector is its own list of work: what a folder holds is added behind all that is there. */
static lb_err collect(struct packer *p, const struct lb_archive_member *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		LB_TRY(add_entry(p, members[i].name, members[i].path));
	for (size_t i = 0; i < p->entries.count; i++) {
		struct listing listing = { p, *LB_VEC_AT(&p->entries, struct entry, i) };

		if (listing.folder.type == PLAT_DIRECTORY)
			LB_TRY(p->plat->ops->list(p->plat, listing.folder.path, add_child,
			                          &listing));
	}
	return LB_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static lb_err sort(struct packer *p)
{
	if (p->entries.count > 0)
		qsort(p->entries.at, p->entries.count, sizeof(struct entry), by_name);
	for (size_t i = 1; i < p->entries.count; i++) {
		const struct entry *entry = LB_VEC_AT(&p->entries, struct entry, i);

		if (strcmp(entry->name, entry[-1].name) == 0 && entry->name[0] != '\0')
			return lb_fail(p->diag, LB_E_INVALID, "%s would be packed twice: %s and %s",
			               entry->name, entry[-1].path, entry->path);
	}
	return LB_OK;
}

/* ---- writing ---- */

static la_ssize_t on_write(struct archive *archive, void *ctx, const void *from, size_t len)
{
	struct packer *p = ctx;

	if (!lb_failed(p->write_failure)) /* it is called again when the archive is closed */
		p->write_failure = p->plat->ops->write_at(p->plat, p->file, from, len, p->offset);
	if (lb_failed(p->write_failure)) {
		archive_set_error(archive, EIO, "writing failed");
		return -1;
	}
	p->offset += len;
	return (la_ssize_t)len;
}

static lb_err write_failed(struct packer *p, const char *what)
{
	if (lb_failed(p->write_failure))
		return at_path(p, p->write_failure, "write the archive at", what);
	return lb_archive_failure(p->archive, LB_E_FAILED, what, p->diag);
}

static int set_level(struct packer *p, const char *module, int otherwise)
{
	int level = p->how->fast ? 1 : p->how->level != 0 ? p->how->level : otherwise;
	char text[16];

	(void)snprintf(text, sizeof text, "%d", level);
	return archive_write_set_option(p->archive, module, "compression-level", text);
}

/* The sum of libarchive's answers: 0 when all went well, they are negative otherwise. */
static int set_format(struct packer *p)
{
	struct archive *a = p->archive;
	int status = 0;

	if (p->how->format == LB_ARCHIVE_ZIP) {
		status += archive_write_set_format_zip(a);
		status += set_level(p, "zip", 6);
		return status;
	}
	status += archive_write_set_format_gnutar(a);
	if (p->how->format == LB_ARCHIVE_TAR_GZ) {
		status += archive_write_add_filter_gzip(a);
		status += archive_write_set_filter_option(a, "gzip", "timestamp", NULL);
		status += set_level(p, "gzip", 6);
	} else if (p->how->format == LB_ARCHIVE_TAR_ZST) {
		status += archive_write_add_filter_zstd(a);
		status += set_level(p, "zstd", 3);
	}
	return status;
}

static lb_err open_archive(struct packer *p, const char *path)
{
	p->archive = archive_write_new();
	p->header = archive_entry_new();
	if (p->archive == NULL || p->header == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (set_format(p) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(p->archive, LB_ARCHIVE_BLOCK_SIZE) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(p->archive, 1) != ARCHIVE_OK)
		return lb_archive_failure(p->archive, LB_E_INVALID, path, p->diag);
	LB_TRY(at_path(p,
	               p->plat->ops->open(&p->file, p->plat, path,
	                                  PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE),
	               "make", path));
	if (archive_write_open2(p->archive, p, NULL, on_write, NULL, NULL) != ARCHIVE_OK)
		return write_failed(p, path);
	return LB_OK;
}

static void fill_header(struct packer *p, const struct entry *entry)
{
	static const unsigned types[] = {
		[PLAT_FILE] = AE_IFREG, [PLAT_DIRECTORY] = AE_IFDIR, [PLAT_LINK] = AE_IFLNK
	};
	bool executable = entry->executable && !p->how->plain_modes;
	unsigned mode = entry->type != PLAT_FILE || executable ? 0755 : 0644;
	uint64_t mtime_s = p->how->mtime_s != 0 ? p->how->mtime_s : EPOCH_OF_ZIP;

	(void)archive_entry_clear(p->header);
	archive_entry_set_pathname(p->header, entry->name);
	archive_entry_set_filetype(p->header, types[entry->type]);
	archive_entry_set_perm(p->header, entry->type == PLAT_LINK ? 0777 : (__LA_MODE_T)mode);
	archive_entry_set_uid(p->header, 0);
	archive_entry_set_gid(p->header, 0);
	archive_entry_set_size(p->header, entry->type == PLAT_FILE ? (int64_t)entry->size : 0);
	if (entry->target != NULL)
		archive_entry_set_symlink(p->header, entry->target);
	if (p->how->format != LB_ARCHIVE_ZIP)
		archive_entry_set_mtime(p->header, (time_t)mtime_s, 0);
}

/* Exactly as many bytes as the header has announced. */
static lb_err write_content(struct packer *p, const struct entry *entry, int file)
{
	uint64_t offset = 0;
	size_t got = 0;

	do {
		LB_TRY(at_path(p,
		               p->plat->ops->read_at(&got, p->plat, file, p->block,
		                                     LB_ARCHIVE_BLOCK_SIZE, offset),
		               "read", entry->path));
		if (got > entry->size - offset || (got == 0 && offset < entry->size))
			return lb_fail(p->diag, LB_E_FAILED, "%s changed while it was packed",
			               entry->path);
		if (got > 0 && archive_write_data(p->archive, p->block, got) != (la_ssize_t)got)
			return write_failed(p, entry->name);
		offset += got;
	} while (got > 0);
	return LB_OK;
}

static lb_err write_entry(struct packer *p, const struct entry *entry)
{
	int file = -1;
	lb_err err;

	if (entry->name[0] == '\0')
		return LB_OK; /* the folder that is the top itself */
	fill_header(p, entry);
	if (archive_write_header(p->archive, p->header) != ARCHIVE_OK)
		return write_failed(p, entry->name);
	if (entry->type != PLAT_FILE)
		return LB_OK;
	LB_TRY(at_path(p, p->plat->ops->open(&file, p->plat, entry->path, PLAT_READ), "read",
	               entry->path));
	err = write_content(p, entry, file);
	p->plat->ops->close(p->plat, file);
	return err;
}

static lb_err write_archive(struct packer *p, const char *path)
{
	p->block = LB_NEW(p->arena.under, unsigned char, LB_ARCHIVE_BLOCK_SIZE);
	if (p->block == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(open_archive(p, path));
	for (size_t i = 0; i < p->entries.count; i++)
		LB_TRY(write_entry(p, LB_VEC_AT(&p->entries, struct entry, i)));
	if (archive_write_close(p->archive) != ARCHIVE_OK)
		return write_failed(p, path);
	return at_path(p, p->plat->ops->sync(p->plat, p->file), "write", path);
}

static void close_archive(struct packer *p)
{
	archive_entry_free(p->header);
	if (p->archive != NULL)
		(void)archive_write_free(p->archive);
	if (p->file >= 0)
		p->plat->ops->close(p->plat, p->file);
	p->archive = NULL;
	LB_DROP(p->arena.under, p->block, LB_ARCHIVE_BLOCK_SIZE);
}

static lb_err pack_to(struct packer *p, const char *to)
{
	struct lb_bytes path = lb_bytes_of(to);
	size_t slash = lb_bytes_rfind_byte(path, '/');
	struct lb_bytes folder = slash == SIZE_MAX ? LB_B(".") : lb_bytes_upto(path, slash + 1);
	char *temporary;
	lb_err err;

	LB_TRY(lb_archive_temporary(&temporary, &p->arena, p->plat, to, "."));
	err = write_archive(p, temporary);
	close_archive(p);
	if (!lb_failed(err))
		err = at_path(p, p->plat->ops->rename(p->plat, temporary, to), "make", to);
	if (lb_failed(err)) {
		lb_ignore(p->plat->ops->remove(p->plat, temporary));
		return err;
	}
	folder.at = (unsigned char *)lb_arena_text(&p->arena, folder);
	err = folder.at == NULL ? lb_err_of(LB_E_NOMEM)
	                        : p->plat->ops->sync_folder(p->plat, (const char *)folder.at);
	if (lb_failed(err))
		lb_ignore(p->plat->ops->remove(p->plat, to));
	return at_path(p, err, "make", to);
}

lb_err lb_archive_pack(struct lb_mem *mem, struct plat *plat, const char *to,
                       const struct lb_archive_member *members, size_t count,
                       const struct lb_pack *how, struct lb_diag *diag)
{
	struct packer p = { .plat = plat, .how = how, .diag = diag, .file = -1 };
	locale_t before = lb_archive_enter();
	lb_err err;

	lb_arena_init(&p.arena, mem);
	lb_vec_init(&p.entries, mem, sizeof(struct entry), ENTRIES_MAX);
	err = collect(&p, members, count);
	if (!lb_failed(err))
		err = sort(&p);
	if (!lb_failed(err))
		err = pack_to(&p, to);
	lb_vec_release(&p.entries);
	lb_arena_release(&p.arena);
	lb_archive_leave(before);
	return err;
}
