/* sock.c - sock_*: sockets that the program was given, or (where it may) made itself. */
#include "base/platform/socket.h"
#include "engine/wasi/wasi_priv.h"

static enum wasi_errno find_socket(struct wasi_fd **out, const struct wasi_call *call,
                                   uint32_t number, uint64_t rights)
{
	WASI_TRY(wasi_fd_find(out, call, number, 0));
	if ((*out)->type != WASI_FILETYPE_SOCKET_STREAM &&
	    (*out)->type != WASI_FILETYPE_SOCKET_DGRAM)
		return WASI_ENOTSOCK;
	return ((*out)->rights & rights) == rights ? WASI_OK : WASI_ENOTCAPABLE;
}

/* ---- preview 1 ---- */

static enum wasi_errno add_socket(struct wasi_call *call, int host, unsigned char *answer)
{
	const struct wasi_fd fd = { .in_use = true,
		                    .owned = true,
		                    .host = host,
		                    .type = WASI_FILETYPE_SOCKET_STREAM,
		                    .rights = WASI_RIGHTS_SOCKET };
	uint32_t number;

	WASI_TRY(wasi_errno_of(wasi_fd_add(&number, call->wasi, &fd)));
	wasi_store_u32(answer, number);
	return WASI_OK;
}

enum wasi_errno wasi_sock_accept(struct wasi_call *call, const union engine_value *args)
{
	unsigned char *answer;
	struct wasi_fd *fd;
	int host;

	WASI_TRY(find_socket(&fd, call, args[0].i32, WASI_RIGHT_SOCK_ACCEPT));
	WASI_TRY(wasi_guest(&answer, call, args[2].i32, 4));
	if ((args[1].i32 & ~(uint32_t)WASI_FDFLAG_NONBLOCK) != 0)
		return WASI_EINVAL;
	WASI_TRY(
		wasi_errno_of(plat_socket_accept(&host, fd->host, wasi_handle_flags(args[1].i32))));
	return add_socket(call, host, answer);
}

enum wasi_errno wasi_sock_recv(struct wasi_call *call, const union engine_value *args)
{
	unsigned char *size_answer, *flags_answer;
	struct wasi_pieces pieces;
	struct wasi_fd *fd;
	size_t got;
	bool cut;

	WASI_TRY(find_socket(&fd, call, args[0].i32, WASI_RIGHT_FD_READ));
	WASI_TRY(wasi_guest(&size_answer, call, args[4].i32, 4));
	WASI_TRY(wasi_guest(&flags_answer, call, args[5].i32, 2));
	if (args[3].i32 > WASI_RIFLAGS_ALL)
		return WASI_EINVAL;
	WASI_TRY(wasi_pieces(&pieces, call, args[1].i32, args[2].i32));
	WASI_TRY(wasi_errno_of(plat_socket_receive(
		&got, &cut, fd->host, pieces.at, pieces.count,
		((args[3].i32 & WASI_RIFLAG_PEEK) != 0 ? PLAT_RECEIVE_PEEK : 0U) |
			((args[3].i32 & WASI_RIFLAG_WAITALL) != 0 ? PLAT_RECEIVE_ALL : 0U))));
	wasi_store_u32(size_answer, (uint32_t)got);
	wasi_store_u16(flags_answer, cut ? WASI_ROFLAG_TRUNCATED : 0);
	return WASI_OK;
}

enum wasi_errno wasi_sock_send(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_pieces pieces;
	unsigned char *answer;
	struct wasi_fd *fd;
	size_t put;

	WASI_TRY(find_socket(&fd, call, args[0].i32, WASI_RIGHT_FD_WRITE));
	WASI_TRY(wasi_guest(&answer, call, args[4].i32, 4));
	if (args[3].i32 != 0)
		return WASI_EINVAL;
	WASI_TRY(wasi_pieces(&pieces, call, args[1].i32, args[2].i32));
	WASI_TRY(wasi_errno_of(plat_socket_send(&put, fd->host, pieces.at, pieces.count)));
	wasi_store_u32(answer, (uint32_t)put);
	return WASI_OK;
}

enum wasi_errno wasi_sock_shutdown(struct wasi_call *call, const union engine_value *args)
{
	uint32_t how = args[1].i32;
	struct wasi_fd *fd;

	WASI_TRY(find_socket(&fd, call, args[0].i32, WASI_RIGHT_SOCK_SHUTDOWN));
	if (how == 0 || how > WASI_SHUT_ALL)
		return WASI_EINVAL;
	return wasi_errno_of(plat_socket_shut(fd->host, (how & WASI_SHUT_READ) != 0,
	                                      (how & WASI_SHUT_WRITE) != 0));
}

/* ---- "lifeboat_net": what preview 1 has no call for ---- */

typedef lb_err (*make_socket)(int *out, const char *host, uint16_t port);

/* (host, host_len, port, answer): the socket's number is written to `answer`. */
static enum wasi_errno make(struct wasi_call *call, const union engine_value *args, make_socket how)
{
	unsigned char *answer;
	const char *name;
	int host;

	WASI_TRY(wasi_path(&name, call, 0, args[0].i32, args[1].i32));
	WASI_TRY(wasi_guest(&answer, call, args[3].i32, 4));
	if (args[2].i32 > UINT16_MAX)
		return WASI_EINVAL;
	WASI_TRY(wasi_errno_of(how(&host, name, (uint16_t)args[2].i32)));
	return add_socket(call, host, answer);
}

enum wasi_errno wasi_net_connect(struct wasi_call *call, const union engine_value *args)
{
	return make(call, args, plat_socket_connect);
}

enum wasi_errno wasi_net_listen(struct wasi_call *call, const union engine_value *args)
{
	return make(call, args, plat_socket_listen);
}

/* (socket, answer): the port it has here. */
enum wasi_errno wasi_net_port(struct wasi_call *call, const union engine_value *args)
{
	struct wasi_fd *fd;
	unsigned char *answer;
	uint16_t port;

	WASI_TRY(find_socket(&fd, call, args[0].i32, 0));
	WASI_TRY(wasi_guest(&answer, call, args[1].i32, 4));
	WASI_TRY(wasi_errno_of(plat_socket_port(&port, fd->host)));
	wasi_store_u32(answer, port);
	return WASI_OK;
}
