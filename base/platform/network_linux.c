/* network_linux.c - see network.h: a user namespace and a network namespace that it owns.
 *
 * They are made by a child that shares this process's memory and descriptors and lives for some
 * system calls: what it opens is this process's.  It may call nothing but system calls, and the
 * thread that started it waits meanwhile.
 */
#include "base/platform/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The address sanitizer would leave its marks on a stack that is never unwound. */
#define IN_CHILD __attribute__((no_sanitize("address")))

enum { STACK_SIZE = 64 * 1024, WAITING_MAX = 128, LOOPBACK_INDEX = 1 };

struct maker {
	struct plat_network made;
	struct plat_listen *listens;
	size_t count, at; /* `at`: the listener being made */
	char users[32], groups[32];
	bool ran;   /* the child's writes are seen here */
	int failed; /* errno */
};

/* struct in6_ifreq stands in a header that clashes with libc's. */
struct address_six {
	struct in6_addr address;
	uint32_t prefix;
	int index;
};

/* ---- listening ---- */

union any_address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

IN_CHILD static socklen_t address_of(union any_address *out, const struct plat_listen *listen)
{
	for (size_t i = 0; i < sizeof *out; i++)
		((volatile unsigned char *)out)[i] = 0;
	if (listen->six) {
		out->six.sin6_family = AF_INET6;
		out->six.sin6_port = htons(listen->port);
		for (size_t i = 0; i < 16; i++)
			out->six.sin6_addr.s6_addr[i] = listen->address[i];
		return sizeof out->six;
	}
	out->four.sin_family = AF_INET;
	out->four.sin_port = htons(listen->port);
	for (size_t i = 0; i < 4; i++)
		((unsigned char *)&out->four.sin_addr)[i] = listen->address[i];
	return sizeof out->four;
}

/* Bound although a new address is the interface's only some moments later. */
IN_CHILD static bool only_six(int file)
{
	int yes = 1;

	return setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) == 0 &&
	       setsockopt(file, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof yes) == 0;
}

IN_CHILD static bool listen_on(struct plat_listen *how)
{
	enum { HOW = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK };
	union any_address address;
	socklen_t len = address_of(&address, how);
	int yes = 1;

	how->socket = socket(how->six ? AF_INET6 : AF_INET, HOW, 0);
	if (how->socket < 0)
		return false;
	if (setsockopt(how->socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
	    (how->six && !only_six(how->socket)) || bind(how->socket, &address.any, len) != 0 ||
	    listen(how->socket, WAITING_MAX) != 0 ||
	    getsockname(how->socket, &address.any, &len) != 0)
		return false;
	how->port = ntohs(how->six ? address.six.sin6_port : address.four.sin_port);
	return true;
}

lb_err plat_listen(struct plat_listen *how)
{
	lb_err err = LB_OK;

	if (!listen_on(how)) {
		err = lb_err_errno(errno);
		if (how->socket >= 0)
			(void)close(how->socket);
		how->socket = -1;
	}
	return err;
}

/* ---- in the child ---- */

IN_CHILD static bool put(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = 0;
	bool done;

	while (text[len] != '\0')
		len++;
	if (file < 0)
		return false;
	done = write(file, text, len) == (ssize_t)len;
	(void)close(file);
	return done;
}

IN_CHILD static void name_loopback(struct ifreq *request, size_t alias)
{
	static const char digits[] = "0123456789";
	size_t at = 0;

	for (size_t i = 0; i < sizeof *request; i++)
		((volatile char *)request)[i] = 0;
	request->ifr_name[at++] = 'l';
	request->ifr_name[at++] = 'o';
	if (alias > 0) {
		request->ifr_name[at++] = ':';
		request->ifr_name[at++] = digits[alias / 100 % 10];
		request->ifr_name[at++] = digits[alias / 10 % 10];
		request->ifr_name[at++] = digits[alias % 10];
	}
}

IN_CHILD static bool raise_loopback(void)
{
	int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request;
	bool done;

	name_loopback(&request, 0);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	done = file >= 0 && ioctl(file, SIOCSIFFLAGS, &request) == 0;
	if (file >= 0)
		(void)close(file);
	return done;
}

/* One address, not the net around it. */
IN_CHILD static bool give_four(int file, const struct plat_listen *listen, size_t number)
{
	struct sockaddr_in *to;
	struct ifreq request;
	union any_address address;

	name_loopback(&request, number + 1);
	(void)address_of(&address, listen);
	address.four.sin_port = 0;
	to = (struct sockaddr_in *)(void *)&request.ifr_addr;
	*to = address.four;
	if (ioctl(file, SIOCSIFADDR, &request) != 0)
		return errno == EEXIST;
	to->sin_addr.s_addr = UINT32_MAX;
	return ioctl(file, SIOCSIFNETMASK, &request) == 0;
}

IN_CHILD static bool give_six(int file, const struct plat_listen *listen)
{
	struct address_six request;

	for (size_t i = 0; i < 16; i++)
		request.address.s6_addr[i] = listen->address[i];
	request.prefix = 128;
	request.index = LOOPBACK_INDEX;
	return ioctl(file, SIOCSIFADDR, &request) == 0 || errno == EEXIST;
}

IN_CHILD static bool is_there(const struct plat_listen *listen)
{
	bool zeros = true;

	for (size_t i = 0; i < 15; i++)
		zeros = zeros && listen->address[i] == 0;
	return listen->six ? zeros && listen->address[15] == 1 : listen->address[0] == 127;
}

IN_CHILD static bool give_address(const struct plat_listen *listen, size_t number)
{
	int file = socket(listen->six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done = file >= 0 &&
	            (listen->six ? give_six(file, listen) : give_four(file, listen, number));
	int number_kept = errno;

	if (file >= 0)
		(void)close(file);
	errno = number_kept;
	return done;
}

IN_CHILD static bool make_all(struct maker *maker)
{
	enum { HOW = O_RDONLY | O_CLOEXEC };

	if (!put("/proc/self/setgroups", "deny") || !put("/proc/self/uid_map", maker->users) ||
	    !put("/proc/self/gid_map", maker->groups))
		return false;
	maker->made.user = open("/proc/self/ns/user", HOW);
	maker->made.net = open("/proc/self/ns/net", HOW);
	if (maker->made.user < 0 || maker->made.net < 0 || !raise_loopback())
		return false;
	for (maker->at = 0; maker->at < maker->count; maker->at++) {
		struct plat_listen *listen = &maker->listens[maker->at];

		if ((!is_there(listen) && !give_address(listen, maker->at)) || !listen_on(listen))
			return false;
	}
	return true;
}

IN_CHILD static int child_main(void *ctx)
{
	struct maker *maker = ctx;

	maker->ran = true;
	maker->failed = make_all(maker) ? 0 : errno;
	_exit(0);
}

/* ---- in the parent ---- */

static int clone_blocked(struct maker *maker, char *stack)
{
	enum {
		HOW = CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWUSER | CLONE_NEWNET | SIGCHLD
	};
	sigset_t all, before;
	int pid, number;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = clone(child_main, stack + STACK_SIZE, HOW, maker);
	number = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = number;
	return pid;
}

static lb_err run_child(struct maker *maker)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	lb_err err = LB_OK;
	int pid;

	if (stack == MAP_FAILED)
		return lb_err_errno(errno);
	pid = clone_blocked(maker, stack);
	if (pid < 0)
		err = lb_err_errno(errno);
	while (pid >= 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	(void)munmap(stack, STACK_SIZE);
	if (!lb_failed(err) && !maker->ran)
		err = lb_err_of(LB_E_UNSUPPORTED);
	if (!lb_failed(err) && maker->failed != 0)
		err = lb_err_errno(maker->failed);
	return err;
}

lb_err plat_network_make(struct plat_network *out, struct plat_listen *listens, size_t count,
                         size_t *failed)
{
	struct maker maker = {
		.made = PLAT_NETWORK_NONE, .listens = listens, .count = count, .at = count
	};
	lb_err err;

	*out = PLAT_NETWORK_NONE;
	if (failed != NULL)
		*failed = count;
	if (count > PLAT_LISTEN_MAX)
		return lb_err_at(LB_E_LIMIT, PLAT_LISTEN_MAX);
	for (size_t i = 0; i < count; i++)
		listens[i].socket = -1;
	(void)snprintf(maker.users, sizeof maker.users, "%u %u 1", geteuid(), geteuid());
	(void)snprintf(maker.groups, sizeof maker.groups, "%u %u 1", getegid(), getegid());
	err = run_child(&maker);
	if (!lb_failed(err)) {
		*out = maker.made;
		return LB_OK;
	}
	if (failed != NULL)
		*failed = maker.at;
	plat_network_close(&maker.made);
	for (size_t i = 0; i < count; i++) {
		if (listens[i].socket >= 0)
			(void)close(listens[i].socket);
		listens[i].socket = -1;
	}
	return err;
}

void plat_network_close(struct plat_network *network)
{
	if (network->user >= 0)
		(void)close(network->user);
	if (network->net >= 0)
		(void)close(network->net);
	*network = PLAT_NETWORK_NONE;
}
