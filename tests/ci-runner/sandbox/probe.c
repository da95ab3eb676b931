/* probe.c - see probe.h. */
#include "tests/ci-runner/sandbox/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct place {
	const char *name;
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

static struct place place_of(int family, const char *text, uint16_t port)
{
	struct place place = { .name = text };

	if (family == AF_INET) {
		place.v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		place.len = sizeof place.v4;
		(void)inet_pton(AF_INET, text, &place.v4.sin_addr);
	} else {
		place.v6 =
			(struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		place.len = sizeof place.v6;
		(void)inet_pton(AF_INET6, text, &place.v6.sin6_addr);
	}
	return place;
}

/* Only "there is no way" counts as refused: a time-out would mean that something was sent. */
static void try_out(int kind, int family, const char *text, uint16_t port)
{
	struct place place = place_of(family, text, port);
	struct timeval most = { .tv_sec = 2 };
	int file = socket(family, kind, 0);

	if (file < 0)
		return;
	(void)setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
	if (connect(file, &place.any, place.len) == 0 &&
	    (kind != SOCK_DGRAM || send(file, "x", 1, 0) == 1))
		printf("reached %s\n", text);
	else if (errno != ENETUNREACH && errno != EADDRNOTAVAIL)
		printf("%s: %s\n", text, strerror(errno));
	(void)close(file);
}

static void try_raw(int family, int protocol)
{
	int file = socket(family, SOCK_RAW, protocol);

	if (file >= 0)
		printf("raw socket of family %d\n", family);
}

static void try_name(void)
{
	struct addrinfo *found = NULL;

	if (getaddrinfo("example.org", "80", NULL, &found) == 0)
		printf("resolved a name\n");
}

static bool own_loopback(int family, const char *text)
{
	struct place place = place_of(family, text, 0);
	int server = socket(family, SOCK_STREAM, 0), client = socket(family, SOCK_STREAM, 0);

	return server >= 0 && client >= 0 && bind(server, &place.any, place.len) == 0 &&
	       listen(server, 1) == 0 && getsockname(server, &place.any, &place.len) == 0 &&
	       connect(client, &place.any, place.len) == 0 && accept(server, NULL, NULL) >= 0;
}

static void probe_network(void)
{
	static const int kinds[] = { SOCK_STREAM, SOCK_DGRAM };

	for (size_t i = 0; i < 2; i++) {
		try_out(kinds[i], AF_INET, "192.0.2.1", 80);
		try_out(kinds[i], AF_INET, "8.8.8.8", 53);
		try_out(kinds[i], AF_INET6, "2001:db8::1", 80);
	}
	try_raw(AF_INET, 1);
	try_raw(AF_PACKET, 3);
	try_name();
	if (own_loopback(AF_INET, "127.0.0.1") && own_loopback(AF_INET6, "::1"))
		printf("loopback\n");
}

static void probe_calls(void)
{
	enum { FAMILIES = 46, KEYCTL_GET_KEYRING_ID = 0, KEY_SPEC_SESSION = -3 };

	for (int family = 0; family < FAMILIES; family++) {
		bool allowed = family == AF_UNIX || family == AF_INET ||
		               (family >= AF_INET6 && family <= AF_NETLINK);
		int file = allowed ? -1 : socket(family, SOCK_STREAM, 0);

		if (!allowed && (file >= 0 || errno != EAFNOSUPPORT))
			printf("socket of family %d: %s\n", family,
			       file >= 0 ? "made" : strerror(errno));
	}
	if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION, 0, 0, 0) != -1 ||
	    errno != EPERM)
		printf("keyrings\n");
	if (ioctl(0, TIOCSTI, "x") != -1 || errno != EPERM)
		printf("TIOCSTI\n");
}

__attribute__((constructor)) static void probe(void)
{
	const char *what = getenv("LB_PROBE");

	if (what == NULL)
		return;
	if (strcmp(what, PROBE_NETWORK) == 0)
		probe_network();
	else if (strcmp(what, PROBE_CALLS) == 0)
		probe_calls();
	else
		printf("no probe: %s\n", what);
	(void)fflush(stdout);
	_exit(0);
}
