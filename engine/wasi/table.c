/* table.c - the program's descriptors: numbers, kinds, rights.
 *
 * 1. Numbers are given out lowest first, as POSIX has it.
 * 2. Rights only ever shrink: what is opened has no more than its folder hands on, and no more
 *    than its kind can use.
 * 3. What is opened below a read-only folder is read-only.
 */
#include "base/platform/dir.h"
#include "engine/wasi/wasi_priv.h"

/* ---- finding ---- */

enum wasi_errno wasi_fd_find(struct wasi_fd **out, const struct wasi_call *call, uint32_t number,
                             uint64_t rights)
{
	struct lb_vec *fds = &call->wasi->fds;
	struct wasi_fd *fd;

	*out = NULL;
	if (number >= fds->count)
		return WASI_EBADF;
	fd = LB_VEC_AT(fds, struct wasi_fd, number);
	if (!fd->in_use)
		return WASI_EBADF;
	*out = fd;
	return (fd->rights & rights) == rights ? WASI_OK : WASI_ENOTCAPABLE;
}

enum wasi_errno wasi_fd_find_folder(struct wasi_fd **out, const struct wasi_call *call,
                                    uint32_t number, uint64_t rights)
{
	WASI_TRY(wasi_fd_find(out, call, number, 0));
	if ((*out)->type != WASI_FILETYPE_DIRECTORY)
		return WASI_ENOTDIR;
	return ((*out)->rights & rights) == rights ? WASI_OK : WASI_ENOTCAPABLE;
}

enum wasi_errno wasi_fd_find_changeable(struct wasi_fd **out, const struct wasi_call *call,
                                        uint32_t number, uint64_t rights)
{
	WASI_TRY(wasi_fd_find(out, call, number, rights));
	return (*out)->read_only ? WASI_EROFS : WASI_OK;
}

int wasi_dir(const struct wasi_fd *fd) { return fd->host | (fd->free ? (int)PLAT_DIR_FREE : 0); }

/* ---- giving out and taking back ---- */

static void close_host(struct wasi *wasi, const struct wasi_fd *fd)
{
	if (fd->in_use && fd->owned)
		wasi->plat->ops->close(wasi->plat, fd->host);
}

void wasi_fd_close_host(struct wasi *wasi, struct wasi_fd *fd)
{
	close_host(wasi, fd);
	*fd = (struct wasi_fd){ 0 };
}

lb_err wasi_fd_add(uint32_t *number, struct wasi *wasi, const struct wasi_fd *fd)
{
	struct lb_vec *fds = &wasi->fds;
	struct wasi_fd *free_one = NULL;
	lb_err err;

	for (*number = 0; *number < fds->count && free_one == NULL; *number += 1)
		if (!LB_VEC_AT(fds, struct wasi_fd, *number)->in_use)
			free_one = LB_VEC_AT(fds, struct wasi_fd, *number);
	if (free_one == NULL)
		free_one = lb_vec_add(fds);
	else
		*number -= 1; /* the loop went one past it */
	if (free_one == NULL) {
		err = lb_vec_check(fds);
		fds->failure = LB_OK; /* the program may close some and go on */
		close_host(wasi, fd);
		return err;
	}
	*free_one = *fd;
	return LB_OK;
}

/* ---- kinds ---- */

enum wasi_filetype wasi_filetype_of(enum plat_node node)
{
	switch (node) {
	case PLAT_NODE_BLOCK_DEVICE: return WASI_FILETYPE_BLOCK_DEVICE;
	case PLAT_NODE_CHARACTER_DEVICE: return WASI_FILETYPE_CHARACTER_DEVICE;
	case PLAT_NODE_FOLDER: return WASI_FILETYPE_DIRECTORY;
	case PLAT_NODE_FILE: return WASI_FILETYPE_REGULAR_FILE;
	case PLAT_NODE_STREAM_SOCKET: return WASI_FILETYPE_SOCKET_STREAM;
	case PLAT_NODE_DATAGRAM_SOCKET: return WASI_FILETYPE_SOCKET_DGRAM;
	case PLAT_NODE_LINK: return WASI_FILETYPE_SYMBOLIC_LINK;
	case PLAT_NODE_PIPE: /* preview 1 has no name for it */
	case PLAT_NODE_UNKNOWN: break;
	}
	return WASI_FILETYPE_UNKNOWN;
}

uint64_t wasi_rights_of(enum wasi_filetype type)
{
	switch (type) {
	case WASI_FILETYPE_DIRECTORY: return WASI_RIGHTS_DIRECTORY;
	case WASI_FILETYPE_REGULAR_FILE:
	case WASI_FILETYPE_BLOCK_DEVICE: return WASI_RIGHTS_FILE;
	case WASI_FILETYPE_SOCKET_STREAM: return WASI_RIGHTS_SOCKET;
	case WASI_FILETYPE_CHARACTER_DEVICE: /* without SEEK, so that programs see a terminal */
	case WASI_FILETYPE_SOCKET_DGRAM:
	case WASI_FILETYPE_SYMBOLIC_LINK:
	case WASI_FILETYPE_UNKNOWN: break;
	}
	return WASI_RIGHTS_STREAM;
}

/* ---- records and flags ---- */

void wasi_store_filestat(unsigned char *to, const struct plat_stat *stat)
{
	memset(to, 0, WASI_FILESTAT_SIZE);
	wasi_store_u64(to, stat->device);
	wasi_store_u64(to + 8, stat->inode);
	to[16] = (unsigned char)wasi_filetype_of(stat->node);
	wasi_store_u64(to + 24, stat->link_count);
	wasi_store_u64(to + 32, stat->size);
	wasi_store_u64(to + 40, stat->atime_ns);
	wasi_store_u64(to + 48, stat->mtime_ns);
	wasi_store_u64(to + 56, stat->ctime_ns);
}

static enum wasi_errno one_time(struct plat_time *out, uint64_t ns, bool set, bool now)
{
	if (set && now)
		return WASI_EINVAL;
	*out = (struct plat_time){ .kind = set   ? PLAT_TIME_SET
		                           : now ? PLAT_TIME_NOW
		                                 : PLAT_TIME_KEEP,
		                   .ns = ns };
	return WASI_OK;
}

enum wasi_errno wasi_times(struct plat_time *accessed, struct plat_time *modified,
                           uint64_t accessed_ns, uint64_t modified_ns, uint32_t flags)
{
	if (flags > WASI_FST_ALL)
		return WASI_EINVAL;
	WASI_TRY(one_time(accessed, accessed_ns, (flags & WASI_FST_ATIM) != 0,
	                  (flags & WASI_FST_ATIM_NOW) != 0));
	return one_time(modified, modified_ns, (flags & WASI_FST_MTIM) != 0,
	                (flags & WASI_FST_MTIM_NOW) != 0);
}

unsigned wasi_handle_flags(uint32_t fdflags)
{
	return ((fdflags & WASI_FDFLAG_APPEND) != 0 ? PLAT_HANDLE_APPEND : 0U) |
	       ((fdflags & WASI_FDFLAG_NONBLOCK) != 0 ? PLAT_HANDLE_NONBLOCK : 0U) |
	       ((fdflags & WASI_FDFLAG_DSYNC) != 0 ? PLAT_HANDLE_DATA_SYNC : 0U) |
	       /* Reading as it is on the disk is what the host calls the same. */
	       ((fdflags & (WASI_FDFLAG_SYNC | WASI_FDFLAG_RSYNC)) != 0 ? PLAT_HANDLE_SYNC : 0U);
}

uint16_t wasi_fdflags(unsigned handle_flags)
{
	unsigned flags = 0;

	if ((handle_flags & PLAT_HANDLE_APPEND) != 0)
		flags |= WASI_FDFLAG_APPEND;
	if ((handle_flags & PLAT_HANDLE_NONBLOCK) != 0)
		flags |= WASI_FDFLAG_NONBLOCK;
	if ((handle_flags & PLAT_HANDLE_DATA_SYNC) != 0)
		flags |= WASI_FDFLAG_DSYNC;
	if ((handle_flags & PLAT_HANDLE_SYNC) != 0)
		flags |= WASI_FDFLAG_SYNC | WASI_FDFLAG_RSYNC;
	return (uint16_t)flags;
}
