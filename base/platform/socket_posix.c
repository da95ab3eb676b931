/* socket_posix.c - see socket.h. */
#include "base/platform/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static_assert(sizeof(struct plat_span) == sizeof(struct iovec), "a span is passed as an iovec");

/* ---- making ---- */

static lb_err close_failed(int *socket)
{
	lb_err err = lb_err_errno(errno);

	(void)close(*socket);
	*socket = -1;
	return err;
}

static lb_err open_at(int *out, const struct addrinfo *at, bool listens)
{
	int one = 1;

	*out = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
	if (*out < 0)
		return lb_err_errno(errno);
	if (!listens)
		return connect(*out, at->ai_addr, at->ai_addrlen) == 0 ? LB_OK : close_failed(out);
	(void)setsockopt(*out, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(*out, at->ai_addr, at->ai_addrlen) != 0 || listen(*out, BACKLOG) != 0)
		return close_failed(out);
	return LB_OK;
}

/* The first of the host's addresses that does; the last failure where none did. */
static lb_err open_any(int *out, const char *host, uint16_t port, bool listens)
{
	struct addrinfo wanted = { .ai_socktype = SOCK_STREAM,
		                   .ai_flags = listens ? AI_PASSIVE : 0 };
	struct addrinfo *found = NULL;
	lb_err err = lb_err_of(LB_E_NOTFOUND);
	char service[8];
	int failed;

	*out = -1;
	(void)snprintf(service, sizeof service, "%u", (unsigned)port);
	failed = getaddrinfo(host, service, &wanted, &found);
	if (failed == EAI_MEMORY)
		return lb_err_of(LB_E_NOMEM);
	if (failed != 0)
		return failed == EAI_SYSTEM ? lb_err_errno(errno) : err;
	for (const struct addrinfo *at = found; at != NULL && *out < 0; at = at->ai_next)
		err = open_at(out, at, listens);
	freeaddrinfo(found);
	return err;
}

lb_err plat_socket_listen(int *out, const char *host, uint16_t port)
{
	return open_any(out, host, port, true);
}

lb_err plat_socket_connect(int *out, const char *host, uint16_t port)
{
	return open_any(out, host, port, false);
}

lb_err plat_socket_port(uint16_t *out, int socket)
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof at;

	*out = 0;
	if (getsockname(socket, (struct sockaddr *)&at, &len) != 0)
		return lb_err_errno(errno);
	if (at.ss_family == AF_INET)
		*out = ntohs(((const struct sockaddr_in *)(const void *)&at)->sin_port);
	else if (at.ss_family == AF_INET6)
		*out = ntohs(((const struct sockaddr_in6 *)(const void *)&at)->sin6_port);
	return LB_OK;
}

lb_err plat_socket_accept(int *out, int listener, unsigned flags)
{
	do {
		*out = accept(listener, NULL, NULL);
	} while (*out < 0 && errno == EINTR);
	if (*out < 0)
		return lb_err_errno(errno);
	if (fcntl(*out, F_SETFD, FD_CLOEXEC) != 0 ||
	    ((flags & PLAT_HANDLE_NONBLOCK) != 0 && fcntl(*out, F_SETFL, O_NONBLOCK) != 0))
		return close_failed(out);
	return LB_OK;
}

/* ---- using ---- */

static struct msghdr message_of(const struct plat_span *spans, size_t count)
{
	assert(count <= PLAT_SPANS_MAX);
	return (struct msghdr){ .msg_iov = (struct iovec *)(uintptr_t)spans, .msg_iovlen = count };
}

lb_err plat_socket_receive(size_t *got, bool *cut, int socket, const struct plat_span *to,
                           size_t count, unsigned how)
{
	struct msghdr message = message_of(to, count);
	int flags = ((how & PLAT_RECEIVE_PEEK) != 0 ? MSG_PEEK : 0) |
	            ((how & PLAT_RECEIVE_ALL) != 0 ? MSG_WAITALL : 0);
	ssize_t n;

	do {
		n = recvmsg(socket, &message, flags);
	} while (n < 0 && errno == EINTR);
	*got = n < 0 ? 0 : (size_t)n;
	*cut = n >= 0 && (message.msg_flags & MSG_TRUNC) != 0;
	return n < 0 ? lb_err_errno(errno) : LB_OK;
}

lb_err plat_socket_send(size_t *put, int socket, const struct plat_span *from, size_t count)
{
	struct msghdr message = message_of(from, count);
	ssize_t n;

	do {
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	*put = n < 0 ? 0 : (size_t)n;
	return n < 0 ? lb_err_errno(errno) : LB_OK;
}

lb_err plat_socket_shut(int socket, bool reading, bool writing)
{
	int how = reading && writing ? SHUT_RDWR : reading ? SHUT_RD : SHUT_WR;

	return shutdown(socket, how) == 0 ? LB_OK : lb_err_errno(errno);
}
