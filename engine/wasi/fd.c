/* fd.c - fd_*: what is asked of and done to a descriptor, but for its content. */
#include "engine/wasi/wasi_priv.h"

/* ---- life ---- */

enum wasi_errno wasi_fd_close(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, 0));
	wasi_fd_close_host(call->wasi, fd);
	return WASI_OK;
}

enum wasi_errno wasi_fd_renumber(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *from, *to;

	WASI_TRY(wasi_fd_find(&from, call, args[0].i32, 0));
	WASI_TRY(wasi_fd_find(&to, call, args[1].i32, 0));
	if (from == to)
		return WASI_OK;
	wasi_fd_close_host(call->wasi, to);
	*to = *from;
	*from = (struct wasi_fd){ 0 };
	return WASI_OK;
}

/* ---- fdstat ---- */

enum wasi_errno wasi_fd_fdstat_get(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;
	unsigned char *to;
	unsigned flags;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, 0));
	WASI_TRY(wasi_guest(&to, call, args[1].i32, 24));
	WASI_TRY(wasi_errno_of(plat_handle_flags(&flags, fd->host)));
	memset(to, 0, 24);
	to[0] = (unsigned char)fd->type;
	wasi_store_u16(to + 2, wasi_fdflags(flags));
	wasi_store_u64(to + 8, fd->rights);
	wasi_store_u64(to + 16, fd->inheriting);
	return WASI_OK;
}

enum wasi_errno wasi_fd_fdstat_set_flags(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, WASI_RIGHT_FD_FDSTAT_SET_FLAGS));
	if (args[1].i32 > WASI_FDFLAGS_ALL)
		return WASI_EINVAL;
	return wasi_errno_of(plat_handle_set_flags(fd->host, wasi_handle_flags(args[1].i32)));
}

enum wasi_errno wasi_fd_fdstat_set_rights(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, 0));
	if ((args[1].i64 & ~fd->rights) != 0 || (args[2].i64 & ~fd->inheriting) != 0)
		return WASI_ENOTCAPABLE;
	fd->rights = args[1].i64;
	fd->inheriting = args[2].i64;
	return WASI_OK;
}

/* ---- granted folders ---- */

static enum wasi_errno find_granted(struct wasi_fd **out, const struct wasi_call *call,
                                    uint32_t number)
{
	WASI_TRY(wasi_fd_find(out, call, number, 0));
	return (*out)->granted_as.at != NULL ? WASI_OK : WASI_EBADF;
}

enum wasi_errno wasi_fd_prestat_get(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;
	unsigned char *to;

	WASI_TRY(find_granted(&fd, call, args[0].i32));
	WASI_TRY(wasi_guest(&to, call, args[1].i32, 8));
	wasi_store_u32(to, 0); /* a directory, the one kind there is */
	wasi_store_u32(to + 4, (uint32_t)fd->granted_as.len);
	return WASI_OK;
}

enum wasi_errno wasi_fd_prestat_dir_name(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;
	unsigned char *to;

	WASI_TRY(find_granted(&fd, call, args[0].i32));
	if (args[2].i32 < fd->granted_as.len)
		return WASI_ENAMETOOLONG;
	WASI_TRY(wasi_guest(&to, call, args[1].i32, fd->granted_as.len));
	memcpy(to, fd->granted_as.at, fd->granted_as.len);
	return WASI_OK;
}

/* ---- filestat, space, times ---- */

enum wasi_errno wasi_fd_filestat_get(struct wasi_call *call, const union engine_value *args)
{
	struct plat_stat stat;
	struct wasi_fd *fd;
	unsigned char *to;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, WASI_RIGHT_FD_FILESTAT_GET));
	WASI_TRY(wasi_guest(&to, call, args[1].i32, WASI_FILESTAT_SIZE));
	WASI_TRY(wasi_errno_of(plat_handle_stat(&stat, fd->host)));
	wasi_store_filestat(to, &stat);
	return WASI_OK;
}

enum wasi_errno wasi_fd_filestat_set_size(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find_changeable(&fd, call, args[0].i32, WASI_RIGHT_FD_FILESTAT_SET_SIZE));
	return wasi_errno_of(plat_handle_set_size(fd->host, args[1].i64));
}

enum wasi_errno wasi_fd_filestat_set_times(struct wasi_call *call, const union engine_value *args)
{
	struct plat_time accessed, modified;
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find_changeable(&fd, call, args[0].i32, WASI_RIGHT_FD_FILESTAT_SET_TIMES));
	WASI_TRY(wasi_times(&accessed, &modified, args[1].i64, args[2].i64, args[3].i32));
	return wasi_errno_of(plat_handle_set_times(fd->host, accessed, modified));
}

enum wasi_errno wasi_fd_allocate(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find_changeable(&fd, call, args[0].i32, WASI_RIGHT_FD_ALLOCATE));
	return wasi_errno_of(plat_handle_allocate(fd->host, args[1].i64, args[2].i64));
}

enum wasi_errno wasi_fd_advise(struct wasi_call *call, const union engine_value *args)
{
	/* ORDER: the numbers of preview 1. */
	static const enum plat_advice advices[] = { PLAT_ADVICE_NORMAL,    PLAT_ADVICE_SEQUENTIAL,
		                                    PLAT_ADVICE_RANDOM,    PLAT_ADVICE_WILL_NEED,
		                                    PLAT_ADVICE_DONT_NEED, PLAT_ADVICE_NO_REUSE };
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, WASI_RIGHT_FD_ADVISE));
	if (args[3].i32 >= sizeof advices / sizeof advices[0])
		return WASI_EINVAL;
	if (fd->type == WASI_FILETYPE_DIRECTORY)
		return WASI_EBADF;
	return wasi_errno_of(
		plat_handle_advise(fd->host, args[1].i64, args[2].i64, advices[args[3].i32]));
}

enum wasi_errno wasi_fd_sync(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, WASI_RIGHT_FD_SYNC));
	return wasi_errno_of(plat_handle_sync(fd->host));
}

enum wasi_errno wasi_fd_datasync(struct wasi_call *call, const union engine_value *args)
{
	struct plat *plat = call->wasi->plat;
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, WASI_RIGHT_FD_DATASYNC));
	return wasi_errno_of(plat->ops->sync(plat, fd->host));
}
