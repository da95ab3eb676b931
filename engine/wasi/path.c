/* path.c - path_*: names below a folder that the program has open.
 *
 * Two paths of one call are copied to different places before anything is
 * done: the program's memory is read once.
 */
#include "base/platform/dir.h"
#include "engine/wasi/wasi_priv.h"

enum { NAME_SIZE = 256 };

/* A folder and a path below it. */
struct below {
	struct wasi_fd *folder;
	const char *path;
};

/* wasi-libc takes the slash off before it asks, and then "tmp/x" may have been "/tmp/x": where
 * every file is allowed, a first name that is at the root and not here means the one there. */
static bool means_root(const struct wasi_fd *folder, const char *path)
{
	size_t len = strcspn(path, "/");
	char first[NAME_SIZE + 1] = "/";
	struct plat_stat stat;

	if (!folder->free || !lb_bytes_is(folder->granted_as, ".") || len == 0 || len >= NAME_SIZE)
		return false;
	memcpy(first + 1, path, len);
	first[1 + len] = '\0';
	return lb_failed(plat_dir_stat(&stat, wasi_dir(folder), first + 1, false)) &&
	       !lb_failed(plat_dir_stat(&stat, wasi_dir(folder), first, false));
}

static enum wasi_errno find_below(struct below *out, const struct wasi_call *call, unsigned which,
                                  uint32_t number, uint32_t at, uint32_t len, uint64_t rights)
{
	char *path = call->wasi->paths[which];

	WASI_TRY(wasi_fd_find_folder(&out->folder, call, number, rights));
	WASI_TRY(wasi_path(&out->path, call, which, at, len));
	if (means_root(out->folder, path) && len + 1 < WASI_PATH_SIZE) {
		memmove(path + 1, path, len + 1);
		path[0] = '/';
	}
	return WASI_OK;
}

/* The same for what is to be changed. */
static enum wasi_errno find_changeable(struct below *out, const struct wasi_call *call,
                                       unsigned which, uint32_t number, uint32_t at, uint32_t len,
                                       uint64_t rights)
{
	WASI_TRY(find_below(out, call, which, number, at, len, rights));
	return out->folder->read_only ? WASI_EROFS : WASI_OK;
}

/* ---- opening ---- */

/* ORDER: as path_open has them. */
struct opening {
	struct below below;
	uint32_t lookup, oflags, fdflags;
	uint64_t rights, inheriting;
};

static const uint64_t writing = WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_ALLOCATE |
                                WASI_RIGHT_FD_FILESTAT_SET_SIZE | WASI_RIGHT_FD_DATASYNC;

static unsigned how_to_open(const struct opening *o)
{
	static const struct {
		uint32_t oflag;
		unsigned how;
	} known[] = {
		{ WASI_OFLAG_CREAT, PLAT_DIR_CREATE },
		{ WASI_OFLAG_DIRECTORY, PLAT_DIR_FOLDER },
		{ WASI_OFLAG_EXCL, PLAT_DIR_EXCLUSIVE },
		{ WASI_OFLAG_TRUNC, PLAT_DIR_TRUNCATE },
	};
	unsigned how = (o->lookup & WASI_LOOKUP_FOLLOW) != 0 ? PLAT_DIR_FOLLOW : 0U;

	if ((o->rights & writing) != 0)
		how |= PLAT_DIR_WRITE;
	if ((o->rights & (WASI_RIGHT_FD_READ | WASI_RIGHT_FD_READDIR)) != 0)
		how |= PLAT_DIR_READ;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if ((o->oflags & known[i].oflag) != 0)
			how |= known[i].how;
	return how;
}

static enum wasi_errno check_opening(const struct opening *o)
{
	uint64_t needed = WASI_RIGHT_PATH_OPEN;

	if ((o->lookup & ~(uint32_t)WASI_LOOKUP_FOLLOW) != 0 || o->oflags > WASI_OFLAGS_ALL ||
	    o->fdflags > WASI_FDFLAGS_ALL)
		return WASI_EINVAL;
	/* A folder is made by path_create_directory, and cannot be cut. */
	if ((o->oflags & WASI_OFLAG_DIRECTORY) != 0 &&
	    (o->oflags & (WASI_OFLAG_CREAT | WASI_OFLAG_EXCL | WASI_OFLAG_TRUNC)) != 0)
		return WASI_EINVAL;
	if ((o->oflags & WASI_OFLAG_CREAT) != 0)
		needed |= WASI_RIGHT_PATH_CREATE_FILE;
	if ((o->oflags & WASI_OFLAG_TRUNC) != 0)
		needed |= WASI_RIGHT_PATH_FILESTAT_SET_SIZE;
	if ((o->below.folder->rights & needed) != needed ||
	    ((o->rights | o->inheriting) & ~o->below.folder->inheriting) != 0)
		return WASI_ENOTCAPABLE;
	return WASI_OK;
}

/* In a read-only folder: as on a file system that is mounted so. */
static enum wasi_errno open_read_only(int *host, const struct opening *o)
{
	unsigned how = how_to_open(o);
	enum wasi_errno number;

	if ((how & (PLAT_DIR_WRITE | PLAT_DIR_TRUNCATE | PLAT_DIR_EXCLUSIVE)) != 0)
		return WASI_EROFS;
	number = wasi_errno_of(plat_dir_open(host, wasi_dir(o->below.folder), o->below.path,
	                                     how & ~(unsigned)PLAT_DIR_CREATE,
	                                     wasi_handle_flags(o->fdflags)));
	return number == WASI_ENOENT && (how & PLAT_DIR_CREATE) != 0 ? WASI_EROFS : number;
}

static enum wasi_errno open_host(int *host, const struct opening *o)
{
	if (o->below.folder->read_only)
		return open_read_only(host, o);
	return wasi_errno_of(plat_dir_open(host, wasi_dir(o->below.folder), o->below.path,
	                                   how_to_open(o), wasi_handle_flags(o->fdflags)));
}

enum wasi_errno wasi_path_open(struct wasi_call *call, const union engine_value *args)
{
	struct opening o = { .lookup = args[1].i32,
		             .oflags = args[4].i32,
		             .rights = args[5].i64,
		             .inheriting = args[6].i64,
		             .fdflags = args[7].i32 };
	struct wasi_fd fd = { .in_use = true, .owned = true };
	struct plat_stat stat = { 0 };
	unsigned char *answer;
	uint32_t number;
	lb_err err;

	WASI_TRY(find_below(&o.below, call, 0, args[0].i32, args[2].i32, args[3].i32, 0));
	WASI_TRY(wasi_guest(&answer, call, args[8].i32, 4));
	WASI_TRY(check_opening(&o));
	WASI_TRY(open_host(&fd.host, &o));
	err = plat_handle_stat(&stat, fd.host);
	if (lb_failed(err)) {
		call->wasi->plat->ops->close(call->wasi->plat, fd.host);
		return wasi_errno_of(err);
	}
	fd.type = wasi_filetype_of(stat.node);
	fd.read_only = o.below.folder->read_only;
	fd.free = o.below.folder->free;
	fd.rights = o.rights & wasi_rights_of(fd.type);
	fd.inheriting = o.inheriting;
	WASI_TRY(wasi_errno_of(wasi_fd_add(&number, call->wasi, &fd)));
	wasi_store_u32(answer, number);
	return WASI_OK;
}

/* ---- what is known of a name ---- */

enum wasi_errno wasi_path_filestat_get(struct wasi_call *call, const union engine_value *args)
{
	struct plat_stat stat;
	struct below below;
	unsigned char *to;

	WASI_TRY(find_below(&below, call, 0, args[0].i32, args[2].i32, args[3].i32,
	                    WASI_RIGHT_PATH_FILESTAT_GET));
	WASI_TRY(wasi_guest(&to, call, args[4].i32, WASI_FILESTAT_SIZE));
	if ((args[1].i32 & ~(uint32_t)WASI_LOOKUP_FOLLOW) != 0)
		return WASI_EINVAL;
	WASI_TRY(wasi_errno_of(plat_dir_stat(&stat, wasi_dir(below.folder), below.path,
	                                     (args[1].i32 & WASI_LOOKUP_FOLLOW) != 0)));
	wasi_store_filestat(to, &stat);
	return WASI_OK;
}

enum wasi_errno wasi_path_filestat_set_times(struct wasi_call *call, const union engine_value *args)
{
	struct plat_time accessed, modified;
	struct below below;

	WASI_TRY(find_changeable(&below, call, 0, args[0].i32, args[2].i32, args[3].i32,
	                         WASI_RIGHT_PATH_FILESTAT_SET_TIMES));
	if ((args[1].i32 & ~(uint32_t)WASI_LOOKUP_FOLLOW) != 0)
		return WASI_EINVAL;
	WASI_TRY(wasi_times(&accessed, &modified, args[4].i64, args[5].i64, args[6].i32));
	return wasi_errno_of(plat_dir_set_times(wasi_dir(below.folder), below.path,
	                                        (args[1].i32 & WASI_LOOKUP_FOLLOW) != 0, accessed,
	                                        modified));
}

enum wasi_errno wasi_path_readlink(struct wasi_call *call, const union engine_value *args)
{
	unsigned char *to, *answer;
	struct below below;
	size_t len;

	WASI_TRY(find_below(&below, call, 0, args[0].i32, args[1].i32, args[2].i32,
	                    WASI_RIGHT_PATH_READLINK));
	WASI_TRY(wasi_guest(&to, call, args[3].i32, args[4].i32));
	WASI_TRY(wasi_guest(&answer, call, args[5].i32, 4));
	WASI_TRY(wasi_errno_of(plat_dir_read_link(&len, wasi_dir(below.folder), below.path,
	                                          (char *)to, args[4].i32)));
	wasi_store_u32(answer, (uint32_t)len);
	return WASI_OK;
}

/* ---- changing names ---- */

enum wasi_errno wasi_path_create_directory(struct wasi_call *call, const union engine_value *args)
{
	struct below below;

	WASI_TRY(find_changeable(&below, call, 0, args[0].i32, args[1].i32, args[2].i32,
	                         WASI_RIGHT_PATH_CREATE_DIRECTORY));
	return wasi_errno_of(plat_dir_make_folder(wasi_dir(below.folder), below.path));
}

enum wasi_errno wasi_path_remove_directory(struct wasi_call *call, const union engine_value *args)
{
	struct below below;

	WASI_TRY(find_changeable(&below, call, 0, args[0].i32, args[1].i32, args[2].i32,
	                         WASI_RIGHT_PATH_REMOVE_DIRECTORY));
	return wasi_errno_of(plat_dir_remove_folder(wasi_dir(below.folder), below.path));
}

enum wasi_errno wasi_path_unlink_file(struct wasi_call *call, const union engine_value *args)
{
	struct below below;

	WASI_TRY(find_changeable(&below, call, 0, args[0].i32, args[1].i32, args[2].i32,
	                         WASI_RIGHT_PATH_UNLINK_FILE));
	return wasi_errno_of(plat_dir_unlink(wasi_dir(below.folder), below.path));
}

enum wasi_errno wasi_path_rename(struct wasi_call *call, const union engine_value *args)
{
	struct below from, to;

	WASI_TRY(find_changeable(&from, call, 0, args[0].i32, args[1].i32, args[2].i32,
	                         WASI_RIGHT_PATH_RENAME_SOURCE));
	WASI_TRY(find_changeable(&to, call, 1, args[3].i32, args[4].i32, args[5].i32,
	                         WASI_RIGHT_PATH_RENAME_TARGET));
	return wasi_errno_of(
		plat_dir_rename(wasi_dir(from.folder), from.path, wasi_dir(to.folder), to.path));
}

/* Both sides must be changeable: a second name in a folder that is not read-only would be a way to
 * write to the file. */
enum wasi_errno wasi_path_link(struct wasi_call *call, const union engine_value *args)
{
	struct below from, to;

	WASI_TRY(find_changeable(&from, call, 0, args[0].i32, args[2].i32, args[3].i32,
	                         WASI_RIGHT_PATH_LINK_SOURCE));
	WASI_TRY(find_changeable(&to, call, 1, args[4].i32, args[5].i32, args[6].i32,
	                         WASI_RIGHT_PATH_LINK_TARGET));
	/* Another name for what a link points to cannot be had without a race. */
	if (args[1].i32 != 0)
		return WASI_EINVAL;
	return wasi_errno_of(
		plat_dir_link(wasi_dir(from.folder), from.path, wasi_dir(to.folder), to.path));
}

enum wasi_errno wasi_path_symlink(struct wasi_call *call, const union engine_value *args)
{
	struct below below;
	const char *target;

	WASI_TRY(wasi_path(&target, call, 0, args[0].i32, args[1].i32));
	WASI_TRY(find_changeable(&below, call, 1, args[2].i32, args[3].i32, args[4].i32,
	                         WASI_RIGHT_PATH_SYMLINK));
	/* It could not be followed here, and would mean something else to others. */
	if (target[0] == '/' && !below.folder->free)
		return WASI_ENOTCAPABLE;
	return wasi_errno_of(plat_dir_make_link(target, wasi_dir(below.folder), below.path));
}
