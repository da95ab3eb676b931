/* dir_linux.c - see dir.h: openat2 with RESOLVE_BENEATH does the resolving.
 *
 * What changes names opens the folder that holds the last one that way and
 * then names it alone: the calls below never follow a link at the last name.
 */
#include "base/platform/dir.h"

#include "base/platform/handle_io_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RACES_MAX = 128 }; /* renames that came between */

static lb_err result_of(int result) { return result < 0 ? lb_err_errno(errno) : LB_OK; }

static int number_of(int dir) { return dir & ~(int)PLAT_DIR_FREE; }

static lb_err open_beneath(int *out, int dir, const char *path, uint64_t flags, uint64_t mode)
{
	struct open_how how = { .flags = flags | O_CLOEXEC | O_NOCTTY,
		                .mode = mode,
		                .resolve = RESOLVE_NO_MAGICLINKS };
	int races = 0;
	long file;

	if ((dir & PLAT_DIR_FREE) == 0)
		how.resolve |= RESOLVE_BENEATH;
	if ((flags & O_PATH) != 0)
		how.flags &= ~(uint64_t)O_NOCTTY;
	do {
		file = syscall(SYS_openat2, number_of(dir), path, &how, sizeof how);
	} while (file < 0 && (errno == EINTR || (errno == EAGAIN && races++ < RACES_MAX)));
	*out = (int)file;
	if (file >= 0)
		return LB_OK;
	return errno == EXDEV ? lb_err_at(LB_E_DENIED, EXDEV) : lb_err_errno(errno);
}

/* ---- opening ---- */

lb_err plat_dir_open_root(int *out, const char *path)
{
	int probe = -1;
	lb_err err;

	do {
		*out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} while (*out < 0 && errno == EINTR);
	if (*out < 0)
		return lb_err_errno(errno);
	/* Linux before 5.6, and some emulators, have no openat2: better said once than for each
	 * name. */
	err = open_beneath(&probe, *out, ".", O_PATH, 0);
	if (!lb_failed(err)) {
		(void)close(probe);
		return LB_OK;
	}
	(void)close(*out);
	*out = -1;
	return lb_where(err) == ENOSYS ? lb_err_at(LB_E_UNSUPPORTED, ENOSYS) : err;
}

static uint64_t open_bits(unsigned how)
{
	static const struct {
		unsigned flag;
		int bits;
	} known[] = {
		{ PLAT_DIR_CREATE, O_CREAT },
		{ PLAT_DIR_EXCLUSIVE, O_EXCL },
		{ PLAT_DIR_TRUNCATE, O_TRUNC },
		{ PLAT_DIR_FOLDER, O_DIRECTORY },
	};
	int bits = (how & PLAT_DIR_FOLLOW) != 0 ? 0 : O_NOFOLLOW;

	if ((how & PLAT_DIR_WRITE) != 0)
		bits |= (how & PLAT_DIR_READ) != 0 ? O_RDWR : O_WRONLY;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if ((how & known[i].flag) != 0)
			bits |= known[i].bits;
	return (uint64_t)(unsigned)bits;
}

lb_err plat_dir_open(int *out, int dir, const char *path, unsigned how, unsigned flags)
{
	uint64_t bits = open_bits(how) | (uint64_t)(unsigned)plat_bits_of_flags(flags);

	return open_beneath(out, dir, path, bits, (how & PLAT_DIR_CREATE) != 0 ? 0666 : 0);
}

/* ---- what is known of a name ---- */

/* A number for what the name stands for, good for asking only. */
static lb_err open_node(int *out, int dir, const char *path, bool follow)
{
	return open_beneath(out, dir, path, O_PATH | (follow ? 0 : (uint64_t)O_NOFOLLOW), 0);
}

lb_err plat_dir_stat(struct plat_stat *out, int dir, const char *path, bool follow)
{
	lb_err err;
	int node;

	*out = (struct plat_stat){ 0 };
	LB_TRY(open_node(&node, dir, path, follow));
	err = plat_stat_of_file(out, node);
	(void)close(node);
	return err;
}

lb_err plat_dir_set_times(int dir, const char *path, bool follow, struct plat_time accessed,
                          struct plat_time modified)
{
	struct timespec times[2] = { plat_timespec_of(accessed), plat_timespec_of(modified) };
	lb_err err;
	int node;

	LB_TRY(open_node(&node, dir, path, follow));
	err = result_of(utimensat(node, "", times, AT_EMPTY_PATH));
	(void)close(node);
	return err;
}

lb_err plat_dir_read_link(size_t *len, int dir, const char *path, char *to, size_t size)
{
	lb_err err = LB_OK;
	ssize_t n;
	int node;

	*len = 0;
	LB_TRY(open_node(&node, dir, path, false));
	n = readlinkat(node, "", to, size);
	if (n < 0)
		err = lb_err_errno(errno == ENOENT ? EINVAL : errno); /* ENOENT: it is no link */
	else
		*len = (size_t)n;
	(void)close(node);
	return err;
}

/* ---- changing names ---- */

enum { PARENT_SIZE = PATH_MAX - 256 }; /* so that it fits on the stack */

struct place {
	int folder;
	bool opened;             /* folder is not the one that was passed */
	char name[NAME_MAX + 2]; /* the last name, with a slash behind it where there was one */
};

/* The folder that a path's last name stands in. */
static lb_err find_place(struct place *place, int dir, const char *path)
{
	char parent[PARENT_SIZE];
	size_t len = strlen(path), end = len, start;

	*place = (struct place){ .folder = number_of(dir) };
	if (len == 0)
		return lb_err_errno(ENOENT);
	if (path[0] == '/' && (dir & PLAT_DIR_FREE) == 0)
		return lb_err_at(LB_E_DENIED, EXDEV);
	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		continue;
	if (end - start > NAME_MAX || start >= sizeof parent)
		return lb_err_errno(ENAMETOOLONG);
	memcpy(place->name, path + start, end - start);
	if (end < len)
		place->name[end - start] = '/';
	if (start == 0)
		return LB_OK;
	memcpy(parent, path, start);
	parent[start] = '\0';
	place->opened = true;
	return open_beneath(&place->folder, dir, parent, O_PATH | O_DIRECTORY, 0);
}

static void close_place(const struct place *place)
{
	if (place->opened)
		(void)close(place->folder);
}

static lb_err leave_place(const struct place *place, int result)
{
	lb_err err = result_of(result);

	close_place(place);
	return err;
}

lb_err plat_dir_make_folder(int dir, const char *path)
{
	struct place place;

	LB_TRY(find_place(&place, dir, path));
	return leave_place(&place, mkdirat(place.folder, place.name, 0777));
}

lb_err plat_dir_remove_folder(int dir, const char *path)
{
	struct place place;

	LB_TRY(find_place(&place, dir, path));
	return leave_place(&place, unlinkat(place.folder, place.name, AT_REMOVEDIR));
}

lb_err plat_dir_unlink(int dir, const char *path)
{
	struct place place;

	LB_TRY(find_place(&place, dir, path));
	return leave_place(&place, unlinkat(place.folder, place.name, 0));
}

/* Linux says that a name is there before it looks at the slash behind it, which nothing but a
 * folder may have. */
static bool is_slashed_file(struct place *place)
{
	char *slash = strchr(place->name, '/');
	struct stat info;

	if (slash == NULL)
		return false;
	*slash = '\0';
	return fstatat(place->folder, place->name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !S_ISDIR(info.st_mode);
}

lb_err plat_dir_make_link(const char *target, int dir, const char *path)
{
	struct place place;
	lb_err err;

	LB_TRY(find_place(&place, dir, path));
	err = result_of(symlinkat(target, place.folder, place.name));
	if (lb_code_of(err) == LB_E_EXISTS && is_slashed_file(&place))
		err = lb_err_errno(ENOTDIR);
	close_place(&place);
	return err;
}

lb_err plat_dir_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	struct place source, target;
	lb_err err;

	LB_TRY(find_place(&source, from_dir, from));
	err = find_place(&target, to_dir, to);
	if (!lb_failed(err))
		err = leave_place(&target,
		                  renameat(source.folder, source.name, target.folder, target.name));
	close_place(&source);
	return err;
}

lb_err plat_dir_link(int from_dir, const char *from, int to_dir, const char *to)
{
	struct place source, target;
	lb_err err;

	LB_TRY(find_place(&source, from_dir, from));
	err = find_place(&target, to_dir, to);
	/* A slash behind it would follow a link there; and a folder has no other names. */
	if (!lb_failed(err) && strchr(source.name, '/') != NULL) {
		close_place(&target);
		err = lb_err_errno(ENOTDIR);
	} else if (!lb_failed(err)) {
		err = leave_place(&target, linkat(source.folder, source.name, target.folder,
		                                  target.name, 0));
	}
	close_place(&source);
	return err;
}

/* ---- listing ---- */

static enum plat_node node_of_entry(int dir, const struct dirent64 *entry)
{
	struct stat info;

	if (entry->d_type != DT_UNKNOWN)
		return plat_node_of_mode((mode_t)DTTOIF(entry->d_type));
	if (fstatat(dir, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return PLAT_NODE_UNKNOWN;
	return plat_node_of_mode(info.st_mode);
}

lb_err plat_dir_list(int dir, uint64_t from,
                     lb_err (*each)(void *ctx, const struct plat_dir_entry *entry), void *ctx)
{
	_Alignas(struct dirent64) char buffer[2048];
	ssize_t len;

	if (lseek(dir, (off_t)from, SEEK_SET) < 0)
		return lb_err_errno(errno);
	while ((len = getdents64(dir, buffer, sizeof buffer)) > 0) {
		for (ssize_t at = 0; at < len;) {
			const struct dirent64 *entry = (const void *)(buffer + at);
			struct plat_dir_entry out = { .name = entry->d_name,
				                      .inode = entry->d_ino,
				                      .next = (uint64_t)entry->d_off,
				                      .node = node_of_entry(dir, entry) };
			lb_err err = each(ctx, &out);

			if (lb_failed(err))
				return lb_code_of(err) == LB_E_END ? LB_OK : err;
			at += entry->d_reclen;
		}
	}
	return len < 0 ? lb_err_errno(errno) : LB_OK;
}
