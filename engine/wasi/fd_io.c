/* fd_io.c - fd_*: content, where it stands, and the names in a folder. */
#include "base/platform/dir.h"
#include "base/platform/socket.h"
#include "engine/wasi/wasi_priv.h"

/* ---- content ---- */

typedef lb_err (*stream_call)(size_t *done, int file, const struct plat_span *spans, size_t count);
typedef lb_err (*offset_call)(size_t *done, int file, const struct plat_span *spans, size_t count,
                              uint64_t offset);

static enum wasi_errno move(struct wasi_call *call, const union engine_value *args, uint64_t rights,
                            stream_call transfer)
{
	struct wasi_pieces pieces;
	struct wasi_fd *fd;
	unsigned char *answer;
	size_t done;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, rights));
	WASI_TRY(wasi_guest(&answer, call, args[3].i32, 4));
	WASI_TRY(wasi_pieces(&pieces, call, args[1].i32, args[2].i32));
	WASI_TRY(wasi_errno_of(transfer(&done, fd->host, pieces.at, pieces.count)));
	wasi_store_u32(answer, (uint32_t)done);
	return WASI_OK;
}

static enum wasi_errno move_at(struct wasi_call *call, const union engine_value *args,
                               uint64_t rights, offset_call transfer)
{
	struct wasi_pieces pieces;
	struct wasi_fd *fd;
	unsigned char *answer;
	size_t done;

	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, rights));
	WASI_TRY(wasi_guest(&answer, call, args[4].i32, 4));
	WASI_TRY(wasi_pieces(&pieces, call, args[1].i32, args[2].i32));
	WASI_TRY(wasi_errno_of(transfer(&done, fd->host, pieces.at, pieces.count, args[3].i64)));
	wasi_store_u32(answer, (uint32_t)done);
	return WASI_OK;
}

enum wasi_errno wasi_fd_read(struct wasi_call *call, const union engine_value *args)
{
	return move(call, args, WASI_RIGHT_FD_READ, plat_handle_read);
}

enum wasi_errno wasi_fd_write(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;

	/* A socket that nobody reads is an errno in any case (plat_handle_write raises SIGPIPE). */
	WASI_TRY(wasi_fd_find(&fd, call, args[0].i32, WASI_RIGHT_FD_WRITE));
	return move(call, args, WASI_RIGHT_FD_WRITE,
	            fd->type == WASI_FILETYPE_SOCKET_STREAM ? plat_socket_send : plat_handle_write);
}

enum wasi_errno wasi_fd_pread(struct wasi_call *call, const union engine_value *args)
{
	return move_at(call, args, WASI_RIGHT_FD_READ | WASI_RIGHT_FD_SEEK, plat_handle_read_at);
}

enum wasi_errno wasi_fd_pwrite(struct wasi_call *call, const union engine_value *args)
{
	return move_at(call, args, WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_SEEK, plat_handle_write_at);
}

/* ---- where it stands ---- */

/* Like a pipe's natively: there is no place to seek to. */
static enum wasi_errno find_seekable(struct wasi_fd **out, const struct wasi_call *call,
                                     uint32_t number, uint64_t rights)
{
	WASI_TRY(wasi_fd_find(out, call, number, 0));
	if ((wasi_rights_of((*out)->type) & WASI_RIGHT_FD_SEEK) == 0)
		return (*out)->type == WASI_FILETYPE_DIRECTORY ? WASI_EBADF : WASI_ESPIPE;
	return ((*out)->rights & rights) == rights ? WASI_OK : WASI_ENOTCAPABLE;
}

enum wasi_errno wasi_fd_seek(struct wasi_call *call, const union engine_value *args)
{
	/* ORDER: the numbers of preview 1. */
	static const enum plat_whence whences[] = { PLAT_FROM_START, PLAT_FROM_HERE,
		                                    PLAT_FROM_END };
	/* Asking where one stands is tell. */
	bool tells = args[1].i64 == 0 && args[2].i32 == 1;
	unsigned char *answer;
	struct wasi_fd *fd;
	uint64_t offset;

	WASI_TRY(find_seekable(&fd, call, args[0].i32,
	                       tells ? WASI_RIGHT_FD_TELL : WASI_RIGHT_FD_SEEK));
	WASI_TRY(wasi_guest(&answer, call, args[3].i32, 8));
	if (args[2].i32 >= sizeof whences / sizeof whences[0])
		return WASI_EINVAL;
	WASI_TRY(wasi_errno_of(
		plat_handle_seek(&offset, fd->host, (int64_t)args[1].i64, whences[args[2].i32])));
	wasi_store_u64(answer, offset);
	return WASI_OK;
}

enum wasi_errno wasi_fd_tell(struct wasi_call *call, const union engine_value *args)
{
	unsigned char *answer;
	struct wasi_fd *fd;
	uint64_t offset;

	WASI_TRY(find_seekable(&fd, call, args[0].i32, WASI_RIGHT_FD_TELL));
	WASI_TRY(wasi_guest(&answer, call, args[1].i32, 8));
	WASI_TRY(wasi_errno_of(plat_handle_seek(&offset, fd->host, 0, PLAT_FROM_HERE)));
	wasi_store_u64(answer, offset);
	return WASI_OK;
}

/* ---- names ---- */

enum { DIRENT_SIZE = 24 };

struct listing {
	unsigned char *to;
	size_t len, size;
};

/* As much as fits. */
static void list_bytes(struct listing *listing, const void *from, size_t len)
{
	size_t room = listing->size - listing->len, part = len < room ? len : room;

	memcpy(listing->to + listing->len, from, part);
	listing->len += part;
}

/* The last record may be cut: a buffer that is full says that there is more. */
static lb_err list_entry(void *ctx, const struct plat_dir_entry *entry)
{
	struct listing *listing = ctx;
	unsigned char head[DIRENT_SIZE] = { 0 };
	size_t name_len = strlen(entry->name);

	wasi_store_u64(head, entry->next);
	wasi_store_u64(head + 8, entry->inode);
	wasi_store_u32(head + 16, (uint32_t)name_len);
	head[20] = (unsigned char)wasi_filetype_of(entry->node);
	list_bytes(listing, head, sizeof head);
	list_bytes(listing, entry->name, name_len);
	return listing->len < listing->size ? LB_OK : lb_err_of(LB_E_END);
}

enum wasi_errno wasi_fd_readdir(struct wasi_call *call, const union engine_value *args)
{
	struct listing listing = { .size = args[2].i32 };
	unsigned char *answer;
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find_folder(&fd, call, args[0].i32, WASI_RIGHT_FD_READDIR));
	WASI_TRY(wasi_guest(&listing.to, call, args[1].i32, listing.size));
	WASI_TRY(wasi_guest(&answer, call, args[4].i32, 4));
	if (listing.size > 0)
		WASI_TRY(wasi_errno_of(plat_dir_list(fd->host, args[3].i64, list_entry, &listing)));
	wasi_store_u32(answer, (uint32_t)listing.len);
	return WASI_OK;
}
