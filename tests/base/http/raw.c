/* raw.c - see raw.h. */
#include "tests/base/http/raw.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

uint64_t raw_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		                     .sin_port = htons(port),
		                     .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

int raw_connect(uint16_t port)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

bool raw_send(int fd, const char *text)
{
	size_t len = strlen(text), sent = 0;

	while (sent < len) {
		ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		sent += (size_t)n;
	}
	return true;
}

/* 1: something was read, 0: closed, -1: nothing came in time. */
static int read_some(int fd, struct lb_buf *out)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char part[2048];
	ssize_t got;

	if (poll(&wait, 1, PATIENCE_MS) <= 0)
		return -1;
	got = recv(fd, part, sizeof part, 0);
	if (got <= 0)
		return 0;
	lb_buf_add(out, (struct lb_bytes){ (const unsigned char *)part, (size_t)got });
	return 1;
}

bool raw_read_until(int fd, struct lb_buf *out, const char *want)
{
	while (lb_bytes_find(lb_buf_bytes(out), lb_bytes_of(want)) == SIZE_MAX) {
		if (read_some(fd, out) <= 0)
			return false;
	}
	return true;
}

bool raw_read_all(int fd, struct lb_buf *out)
{
	int got;

	do {
		got = read_some(fd, out);
	} while (got > 0);
	return got == 0;
}

static int listen_any(uint16_t *port)
{
	struct sockaddr_in at = loopback(0);
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(fd, 8) != 0 || getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		return -1;
	*port = ntohs(at.sin_port);
	return fd;
}

static void *serve_one(void *ctx)
{
	struct raw_server *server = ctx;
	struct lb_buf request;
	int fd = accept(server->fd, NULL, NULL);

	if (fd < 0)
		return NULL;
	lb_buf_init(&request, &lb_mem_host, 1 << 20);
	(void)raw_read_until(fd, &request, "\r\n\r\n");
	lb_buf_release(&request);
	if (server->bytes != NULL)
		(void)raw_send(fd, server->bytes);
	else
		(void)poll(NULL, 0, 1000); /* says nothing for a while */
	(void)shutdown(fd, SHUT_WR);
	(void)close(fd);
	return NULL;
}

bool raw_serve(struct raw_server *server, const char *bytes)
{
	server->bytes = bytes;
	server->fd = listen_any(&server->port);
	return server->fd >= 0 && pthread_create(&server->thread, NULL, serve_one, server) == 0;
}

void raw_serve_end(struct raw_server *server)
{
	(void)shutdown(server->fd, SHUT_RDWR);
	(void)pthread_join(server->thread, NULL);
	(void)close(server->fd);
}

uint16_t raw_free_port(void)
{
	uint16_t port = 0;
	int fd = listen_any(&port);

	(void)close(fd);
	return port;
}

bool raw_wait_for(_Atomic int *value, int want)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(value) < want; i++)
		(void)poll(NULL, 0, 1);
	return atomic_load(value) >= want;
}
