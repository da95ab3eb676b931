/* plat_posix.c - plat_host, the real world, by POSIX. */
#include "base/platform/plat.h"

#include "base/platform/plat_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const uint64_t ns_per_s = 1000000000;

/* Once more for as long as a signal came between.  `expr` is -1 on failure. */
#define AGAIN(result, expr) \
	do { \
		(result) = (expr); \
	} while ((result) < 0 && errno == EINTR)

static lb_err result_of(int result) { return result < 0 ? lb_err_errno(errno) : LB_OK; }

/* ---- time, chance ---- */

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now); /* cannot fail for these clocks */
	return (uint64_t)now.tv_sec * ns_per_s + (uint64_t)now.tv_nsec;
}

static uint64_t posix_now_ns(struct plat *self)
{
	(void)self;
	return read_clock(CLOCK_MONOTONIC);
}

static uint64_t posix_wall_ns(struct plat *self)
{
	(void)self;
	return read_clock(CLOCK_REALTIME);
}

static void posix_sleep_ns(struct plat *self, uint64_t ns)
{
	struct timespec left = { .tv_sec = (time_t)(ns / ns_per_s),
		                 .tv_nsec = (long)(ns % ns_per_s) };
	int failed;

	(void)self;
	do {
		failed = nanosleep(&left, &left) != 0 ? errno : 0;
	} while (failed == EINTR);
}

static lb_err posix_entropy(void *out, struct plat *self, size_t len)
{
	enum { AT_ONCE_MAX = 256 };

	(void)self;
	for (size_t at = 0; at < len; at += AT_ONCE_MAX) {
		size_t part = len - at < AT_ONCE_MAX ? len - at : AT_ONCE_MAX;

		if (getentropy((char *)out + at, part) != 0)
			return lb_err_errno(errno);
	}
	return LB_OK;
}

/* ---- files ---- */

static int open_flags(unsigned flags)
{
	int how = O_CLOEXEC | O_NOCTTY;

	if ((flags & PLAT_WRITE) != 0)
		how |= (flags & PLAT_READ) != 0 ? O_RDWR : O_WRONLY;
	if ((flags & PLAT_CREATE) != 0)
		how |= O_CREAT;
	if ((flags & PLAT_EXCLUSIVE) != 0)
		how |= O_EXCL;
	if ((flags & PLAT_TRUNCATE) != 0)
		how |= O_TRUNC;
	if ((flags & PLAT_APPEND) != 0)
		how |= O_APPEND;
	if ((flags & PLAT_NOFOLLOW) != 0)
		how |= O_NOFOLLOW;
	return how;
}

static mode_t open_mode(unsigned flags)
{
	mode_t mode = (flags & PLAT_EXECUTABLE) != 0 ? 0755 : 0644;

	return (flags & PLAT_PRIVATE) != 0 ? mode & 0700 : mode;
}

static lb_err posix_open(int *file, struct plat *self, const char *path, unsigned flags)
{
	(void)self;
	assert((flags & (PLAT_READ | PLAT_WRITE)) != 0);
	AGAIN(*file, open(path, open_flags(flags), open_mode(flags)));
	if (*file < 0 && errno == ELOOP && (flags & PLAT_NOFOLLOW) != 0)
		return lb_err_at(LB_E_DENIED, ELOOP);
	return result_of(*file);
}

static void posix_close(struct plat *self, int file)
{
	(void)self;
	if (file >= 0)
		(void)close(file); /* not again after EINTR: the number may be another's by then */
}

static lb_err posix_read_at(size_t *got, struct plat *self, int file, void *to, size_t len,
                            uint64_t offset)
{
	ssize_t n;

	(void)self;
	*got = 0;
	AGAIN(n, pread(file, to, len, (off_t)offset));
	if (n < 0 && errno == ESPIPE)
		AGAIN(n, read(file, to, len));
	if (n < 0)
		return lb_err_errno(errno);
	*got = (size_t)n;
	return LB_OK;
}

static lb_err posix_write_at(struct plat *self, int file, const void *from, size_t len,
                             uint64_t offset)
{
	const char *at = from;

	(void)self;
	while (len > 0) {
		ssize_t n;

		AGAIN(n, pwrite(file, at, len, (off_t)offset));
		if (n < 0 && errno == ESPIPE)
			AGAIN(n, write(file, at, len));
		if (n <= 0)
			return lb_err_errno(n < 0 ? errno : ENOSPC);
		at += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return LB_OK;
}

static lb_err posix_sync(struct plat *self, int file)
{
	(void)self;
	return plat_file_sync(file);
}

static lb_err posix_truncate(struct plat *self, int file, uint64_t size)
{
	int result;

	(void)self;
	AGAIN(result, ftruncate(file, (off_t)size));
	return result_of(result);
}

static void take_info(struct plat_info *out, const struct stat *info)
{
	*out = (struct plat_info){
		.type = S_ISREG(info->st_mode)   ? PLAT_FILE
		        : S_ISDIR(info->st_mode) ? PLAT_DIRECTORY
		        : S_ISLNK(info->st_mode) ? PLAT_LINK
		                                 : PLAT_OTHER,
		.size = (uint64_t)info->st_size,
		.mtime_ns =
			(uint64_t)info->st_mtim.tv_sec * ns_per_s + (uint64_t)info->st_mtim.tv_nsec,
		.mode = info->st_mode & 07777,
	};
}

static lb_err posix_info(struct plat_info *out, struct plat *self, const char *path)
{
	struct stat info = { 0 };
	int result = lstat(path, &info);

	(void)self;
	take_info(out, &info);
	return result_of(result);
}

static lb_err posix_file_info(struct plat_info *out, struct plat *self, int file)
{
	struct stat info = { 0 };
	int result = fstat(file, &info);

	(void)self;
	take_info(out, &info);
	return result_of(result);
}

/* ---- names ---- */

static lb_err posix_rename(struct plat *self, const char *from, const char *to)
{
	(void)self;
	return result_of(rename(from, to));
}

static lb_err posix_link(struct plat *self, const char *from, const char *to)
{
	(void)self;
	return result_of(linkat(AT_FDCWD, from, AT_FDCWD, to, 0));
}

static lb_err posix_remove(struct plat *self, const char *path)
{
	int number;

	(void)self;
	if (unlink(path) == 0)
		return LB_OK;
	number = errno;
	/* What unlink says of a folder differs between systems. */
	if ((number == EISDIR || number == EPERM) && rmdir(path) == 0)
		return LB_OK;
	return lb_err_errno(number == EISDIR || errno != ENOTDIR ? errno : number);
}

static lb_err posix_remove_tree(struct plat *self, const char *path)
{
	(void)self;
	return plat_tree_remove(path);
}

static lb_err posix_make_folder(struct plat *self, const char *path)
{
	(void)self;
	return result_of(mkdir(path, 0755));
}

static lb_err posix_sync_folder(struct plat *self, const char *path)
{
	lb_err err = LB_OK;
	int folder, result;

	(void)self;
	AGAIN(folder, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (folder < 0)
		return lb_err_errno(errno);
	AGAIN(result, fsync(folder));
	/* Some file systems keep names safe by themselves and refuse to be asked. */
	if (result < 0 && errno != EINVAL)
		err = lb_err_errno(errno);
	(void)close(folder);
	return err;
}

static lb_err posix_list(struct plat *self, const char *path,
                         lb_err (*each)(void *ctx, const char *name), void *ctx)
{
	lb_err err = LB_OK;
	DIR *folder = opendir(path);

	(void)self;
	if (folder == NULL)
		return lb_err_errno(errno);
	while (!lb_failed(err)) {
		const struct dirent *entry;

		errno = 0; /* the only way to tell the end from a failure */
		entry = readdir(folder);
		if (entry == NULL) {
			err = errno != 0 ? lb_err_errno(errno) : LB_OK;
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = each(ctx, entry->d_name);
	}
	(void)closedir(folder);
	return err;
}

static lb_err posix_set_mode(struct plat *self, const char *path, uint32_t mode)
{
	(void)self;
	return result_of(chmod(path, (mode_t)mode & 07777));
}

static lb_err posix_make_link(struct plat *self, const char *target, const char *path)
{
	(void)self;
	return result_of(symlink(target, path));
}

static lb_err posix_read_link(size_t *len, struct plat *self, const char *path, char *to,
                              size_t size)
{
	ssize_t n = readlink(path, to, size);

	(void)self;
	*len = 0;
	if (n < 0)
		return lb_err_errno(errno);
	if ((size_t)n >= size)
		return lb_err_at(LB_E_LIMIT, size);
	to[n] = '\0';
	*len = (size_t)n;
	return LB_OK;
}

static const struct plat_ops posix_ops = {
	.name = "posix",
	.now_ns = posix_now_ns,
	.wall_ns = posix_wall_ns,
	.sleep_ns = posix_sleep_ns,
	.entropy = posix_entropy,
	.open = posix_open,
	.close = posix_close,
	.read_at = posix_read_at,
	.write_at = posix_write_at,
	.sync = posix_sync,
	.truncate = posix_truncate,
	.info = posix_info,
	.file_info = posix_file_info,
	.rename = posix_rename,
	.link = posix_link,
	.remove = posix_remove,
	.remove_tree = posix_remove_tree,
	.make_folder = posix_make_folder,
	.sync_folder = posix_sync_folder,
	.list = posix_list,
	.set_mode = posix_set_mode,
	.make_link = posix_make_link,
	.read_link = posix_read_link,
};

struct plat plat_host = { &posix_ops };
