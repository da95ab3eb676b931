/* raw.h - what the tests of base/http share: plain sockets, and an event to wait for. */
#ifndef LB_TESTS_HTTP_RAW_H
#define LB_TESTS_HTTP_RAW_H

#include "tests/harness/test.h"

#include <pthread.h>

/* A connection to a loopback port, -1 when refused. */
int raw_connect(uint16_t port);
bool raw_send(int fd, const char *text);

/* Read until `out` has `want`, the other side closes, or five seconds are over. */
bool raw_read_until(int fd, struct lb_buf *out, const char *want);

/* The same until the other side closes; false when it did not. */
bool raw_read_all(int fd, struct lb_buf *out);

/* A server that answers one connection with fixed bytes and closes it. */
struct raw_server {
	uint16_t port;
	int fd;
	const char *bytes;
	pthread_t thread;
};
bool raw_serve(struct raw_server *server, const char *bytes);
void raw_serve_end(struct raw_server *server);

/* A loopback port at which nobody listens. */
uint16_t raw_free_port(void);

/* Wait, at most five seconds, until `*value` is at least `want`. */
bool raw_wait_for(_Atomic int *value, int want);

uint64_t raw_now_us(void);

#endif
