/* network_linux.c - see network.h.
 *
 * Invariants:
 *  1. A net's sockets listen inside it; one thread (`serve`) accepts from all of them.
 *  2. What is accepted at a door is the visitor's; what is accepted at a place has a thread of its
 *     own, which looks the host up, connects and passes bytes on.  A name that takes long to look
 *     up so keeps nobody waiting but its caller.
 *  3. A net is in the list, or the spare, or its maker's; only the thread makes a spare, and one
 *     at a time.
 *  4. `lock` guards both lists.  A conversation takes itself out of its list, closing its sockets
 *     while it holds the lock, so that whoever shuts them down never meets another's.
 */
#include "ci-runner/sandbox/network.h"

#include "base/platform/process.h"
#include "ci-runner/sandbox/network_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HOSTS_BYTES_MAX = 256 * 1024,
	PART_BYTES = 16 * 1024,
	TALK_STACK_BYTES = 256 * 1024, /* the C library looks names up on it */
	CONNECT_MS = 30000
};

/* A net that is kept, or lent to one command. */
struct net {
	struct runner_net net; /* first member */
	struct net *next;
	enum runner_network network;
	const char *const *hosts; /* of HOSTS, to find it again */
	struct lb_arena arena;
	struct lb_buf text;  /* of /etc/hosts */
	char file[PATH_MAX]; /* that holds it; empty: none yet */
	struct plat_listen listens[RUNNER_DOORS_MAX + RUNNER_PLACES_MAX];
	struct runner_place places[RUNNER_PLACES_MAX];
	size_t door_count, place_count;
};

struct talk {
	struct talk *next;
	struct runner_networks *networks;
	const char *host;
	uint16_t port;
	int inner, outer; /* sockets; -1 */
	unsigned char part[PART_BYTES];
};

struct runner_networks {
	struct lb_mem *mem;
	struct runner_networks_options options;
	pthread_mutex_t lock;
	pthread_cond_t fewer; /* talks */
	pthread_t thread;
	bool serving, ending;
	int poll;                  /* of all listening sockets, and: */
	int wake_read, wake_write; /* a pipe, closed at its writing end to end the thread */
	struct net *nets;
	struct net *spare; /* for the next command under NONE; in no list */
	bool wanted;       /* one that the thread is to make */
	struct talk *talks;
	unsigned talk_count;
};

/* ---- passing on ---- */

/* What came from one side goes to the other.  False: it will not go on. */
static bool pass(struct talk *talk, int from, int to)
{
	ssize_t got = recv(from, talk->part, sizeof talk->part, MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	if (got == 0) {
		(void)shutdown(to, SHUT_WR);
		return false;
	}
	for (ssize_t sent = 0; sent < got;) {
		ssize_t now = send(to, talk->part + sent, (size_t)(got - sent), MSG_NOSIGNAL);

		if (now < 0 && errno == EAGAIN) {
			struct pollfd room = { .fd = to, .events = POLLOUT };

			(void)poll(&room, 1, -1);
		} else if (now < 0 && errno != EINTR) {
			(void)shutdown(from, SHUT_RD);
			return false;
		} else if (now > 0) {
			sent += now;
		}
	}
	return true;
}

static void converse(struct talk *talk)
{
	bool out = true, back = true;

	while (out || back) {
		struct pollfd fds[] = {
			{ .fd = out ? talk->inner : -1, .events = POLLIN },
			{ .fd = back ? talk->outer : -1, .events = POLLIN },
		};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents != 0)
			out = pass(talk, talk->inner, talk->outer);
		if (fds[1].revents != 0)
			back = pass(talk, talk->outer, talk->inner);
		if ((fds[0].revents | fds[1].revents) & POLLERR)
			break;
	}
}

static bool connected(int file, const struct addrinfo *to)
{
	struct pollfd done = { .fd = file, .events = POLLOUT };
	int failed = 0;
	socklen_t len = sizeof failed;

	if (connect(file, to->ai_addr, to->ai_addrlen) == 0)
		return true;
	return errno == EINPROGRESS && poll(&done, 1, CONNECT_MS) == 1 &&
	       getsockopt(file, SOL_SOCKET, SO_ERROR, &failed, &len) == 0 && failed == 0;
}

/* Remembered before it is used, so that it can be shut down from elsewhere. */
static void hold_outer(struct talk *talk, int file)
{
	(void)pthread_mutex_lock(&talk->networks->lock);
	if (talk->outer >= 0)
		(void)close(talk->outer);
	talk->outer = talk->networks->ending ? -1 : file;
	if (talk->networks->ending && file >= 0)
		(void)close(file);
	(void)pthread_mutex_unlock(&talk->networks->lock);
}

static bool connect_out(struct talk *talk)
{
	const struct addrinfo how = { .ai_socktype = SOCK_STREAM,
		                      .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG };
	struct addrinfo *found = NULL;
	char port[8];
	bool done = false;

	(void)snprintf(port, sizeof port, "%u", talk->port);
	if (getaddrinfo(talk->host, port, &how, &found) != 0)
		return false;
	for (const struct addrinfo *at = found; at != NULL && !done; at = at->ai_next) {
		hold_outer(talk,
		           socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		                  at->ai_protocol));
		done = talk->outer >= 0 && connected(talk->outer, at);
	}
	freeaddrinfo(found);
	return done;
}

static void end_talk(struct talk *talk)
{
	struct runner_networks *networks = talk->networks;
	struct talk **at = &networks->talks;
	struct linger abort = { .l_onoff = 1 };

	(void)pthread_mutex_lock(&networks->lock);
	while (*at != talk)
		at = &(*at)->next;
	*at = talk->next;
	/* Nobody was reached: the caller is to see a reset, not an empty answer. */
	if (talk->outer < 0)
		(void)setsockopt(talk->inner, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
	else
		(void)close(talk->outer);
	(void)close(talk->inner);
	LB_DROP(networks->mem, talk, 1);
	networks->talk_count--;
	(void)pthread_cond_broadcast(&networks->fewer);
	(void)pthread_mutex_unlock(&networks->lock);
}

static void *talk_main(void *ctx)
{
	struct talk *talk = ctx;

	if (connect_out(talk))
		converse(talk);
	else
		hold_outer(talk, -1);
	end_talk(talk);
	return NULL;
}

/* ---- accepting ---- */

/* The signals that the program waits for are not for these threads. */
static bool start_thread(pthread_t *out, size_t stack, void *(*run)(void *), void *ctx)
{
	pthread_attr_t how;
	pthread_t detached;
	sigset_t all, before;
	bool done;

	if (pthread_attr_init(&how) != 0)
		return false;
	(void)pthread_attr_setstacksize(&how, stack);
	if (out == NULL)
		(void)pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	done = pthread_create(out != NULL ? out : &detached, &how, run, ctx) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&how);
	return done;
}

/* With the lock held.  One too many is closed at once. */
static void begin_talk(struct runner_networks *networks, const struct runner_place *place,
                       int socket)
{
	struct talk *talk = networks->talk_count < RUNNER_CONVERSATIONS_MAX && !networks->ending
	                            ? LB_NEW(networks->mem, struct talk, 1)
	                            : NULL;

	if (talk == NULL) {
		(void)close(socket);
		return;
	}
	talk->networks = networks;
	talk->host = place->host;
	talk->port = place->port;
	talk->inner = socket;
	talk->outer = -1;
	talk->next = networks->talks;
	networks->talks = talk;
	networks->talk_count++;
	if (!start_thread(NULL, TALK_STACK_BYTES, talk_main, talk)) {
		networks->talks = talk->next;
		networks->talk_count--;
		LB_DROP(networks->mem, talk, 1);
		(void)close(socket);
	}
}

static void accept_at(struct runner_networks *networks, const struct net *net, size_t index)
{
	int socket = accept4(net->listens[index].socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (socket < 0)
		return;
	if (index < net->door_count)
		networks->options.doors[index].visitor(networks->options.doors[index].ctx, socket);
	else
		begin_talk(networks, &net->places[index - net->door_count], socket);
}

static size_t listen_count(const struct net *net) { return net->door_count + net->place_count; }

/* With the lock held: the net may have been left meanwhile, but accepting does not block. */
static void accept_from(struct runner_networks *networks, int socket)
{
	for (const struct net *net = networks->nets; net != NULL; net = net->next) {
		for (size_t i = 0; i < listen_count(net); i++) {
			if (net->listens[i].socket == socket)
				accept_at(networks, net, i);
		}
	}
}

static lb_err make_net(struct net **out, struct runner_networks *networks,
                       const struct runner_reach *reach, struct lb_diag *diag);

/* What made the pipe readable. */
static void swallow(const struct runner_networks *networks)
{
	struct pollfd there = { .fd = networks->wake_read, .events = POLLIN };
	char bytes[64];

	if (poll(&there, 1, 0) == 1 && (there.revents & POLLIN) != 0)
		(void)!read(networks->wake_read, bytes, sizeof bytes);
}

/* The next command's network while this one's runs: what it takes is nobody's waiting.  Where it
 * cannot be made, that is said to who asks for it. */
static void make_spare(struct runner_networks *networks)
{
	static const struct runner_reach none = { .network = RUNNER_NETWORK_NONE };
	struct net *made = NULL;
	bool wanted;

	(void)pthread_mutex_lock(&networks->lock);
	wanted = networks->wanted && !networks->ending && networks->spare == NULL;
	networks->wanted = false;
	(void)pthread_mutex_unlock(&networks->lock);
	if (!wanted || lb_failed(make_net(&made, networks, &none, NULL)))
		return;
	(void)pthread_mutex_lock(&networks->lock);
	networks->spare = made;
	(void)pthread_mutex_unlock(&networks->lock);
}

static void *serve(void *ctx)
{
	enum { EVENTS_MAX = 16 };
	struct runner_networks *networks = ctx;
	bool ending = false;

	while (!ending) {
		struct epoll_event events[EVENTS_MAX];
		int count = epoll_wait(networks->poll, events, EVENTS_MAX, -1);

		(void)pthread_mutex_lock(&networks->lock);
		ending = networks->ending;
		for (int i = 0; !ending && i < count; i++)
			accept_from(networks, events[i].data.fd);
		(void)pthread_mutex_unlock(&networks->lock);
		swallow(networks);
		make_spare(networks);
	}
	return NULL;
}

/* ---- one net ---- */

/* With the lock held: no thread accepts from it any more. */
static void shut(struct net *net)
{
	for (size_t i = 0; i < listen_count(net); i++) {
		if (net->listens[i].socket >= 0)
			(void)close(net->listens[i].socket);
	}
	plat_network_close(&net->net.network);
}

static void free_net(struct lb_mem *mem, struct net *net)
{
	if (net->file[0] != '\0')
		(void)unlink(net->file);
	lb_buf_release(&net->text);
	lb_arena_release(&net->arena);
	LB_DROP(mem, net, 1);
}

static void add_doors(struct net *net, const struct runner_networks *networks)
{
	for (size_t i = 0; i < networks->options.door_count; i++)
		net->listens[i] = (struct plat_listen){ .address = { 127, 0, 0, 1 },
			                                .port = networks->options.doors[i].port,
			                                .socket = -1 };
	net->door_count = networks->options.door_count;
}

static void tell_doors(struct net *net, const struct runner_networks *networks)
{
	for (size_t i = 0; i < net->door_count; i++) {
		const unsigned char *at = net->listens[i].address;

		lb_buf_addf(&net->text, "%u.%u.%u.%u %s\n", at[0], at[1], at[2], at[3],
		            networks->options.doors[i].names);
		net->net.door_ports[i] = net->listens[i].port;
	}
}

/* A loopback with doors and places on it. */
static lb_err make_private(struct net *net, const struct runner_networks *networks,
                           const char *const *hosts, struct lb_diag *diag)
{
	char name[HOST_NAME_MAX + 1] = "";
	size_t failed;
	lb_err err;

	(void)gethostname(name, sizeof name - 1);
	lb_buf_add_text(&net->text, "127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
	if (name[0] != '\0' && strcmp(name, "localhost") != 0)
		lb_buf_addf(&net->text, "127.0.1.1 %s\n", name);
	LB_TRY(runner_places_read(net->places, &net->place_count, &net->arena, &net->text, hosts,
	                          diag));
	for (size_t i = 0; i < net->place_count; i++)
		net->listens[net->door_count + i] = net->places[i].listen;
	err = plat_network_make(&net->net.network, net->listens, listen_count(net), &failed);
	if (lb_failed(err) && failed < listen_count(net))
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "nothing can listen at port %u of a job's own network: %s",
		               net->listens[failed].port, lb_err_text(err));
	if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "no network of its own can be made for a job here (%s): allow user "
		               "and network namespaces (sysctl user.max_user_namespaces, "
		               "user.max_net_namespaces, kernel.unprivileged_userns_clone)",
		               lb_err_text(err));
	LB_TRY(err);
	tell_doors(net, networks);
	return lb_buf_check(&net->text);
}

/* The machine's hosts and the doors, each at a loopback address that is this job's alone where the
 * port may be had there, else at any port. */
static lb_err make_full(struct net *net, const struct runner_networks *networks,
                        struct lb_diag *diag)
{
	FILE *file = fopen("/etc/hosts", "re");
	unsigned number = (unsigned)getpid();
	char line[1024];

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		lb_buf_add_text(&net->text, line);
	if (file != NULL)
		(void)fclose(file);
	if (net->text.len > 0 && net->text.at[net->text.len - 1] != '\n')
		lb_buf_add_byte(&net->text, '\n');
	for (size_t i = 0; i < net->door_count; i++) {
		struct plat_listen *listen = &net->listens[i];
		lb_err err;

		listen->address[1] = 65;
		listen->address[2] = (unsigned char)(number >> 8);
		listen->address[3] = (unsigned char)(number | 1);
		err = plat_listen(listen);
		if (lb_failed(err)) {
			listen->port = 0;
			err = plat_listen(listen);
		}
		if (lb_failed(err))
			return lb_fail(diag, LB_E_UNSUPPORTED,
			               "nothing can listen on this machine's loopback: %s",
			               lb_err_text(err));
	}
	tell_doors(net, networks);
	return lb_buf_check(&net->text);
}

/* A file on a disk: one in memory that has no name could not be covered by a sandbox within the
 * sandbox. */
static lb_err write_hosts(struct net *net, struct lb_diag *diag)
{
	const char *tmp = plat_getenv("TMPDIR");
	int len = snprintf(net->file, sizeof net->file, "%s/lifeboat-hosts-XXXXXX",
	                   tmp != NULL ? tmp : "/tmp");
	int file = len < (int)sizeof net->file ? mkostemp(net->file, O_CLOEXEC) : -1;
	bool good = file >= 0 && fchmod(file, 0644) == 0 &&
	            write(file, net->text.at, net->text.len) == (ssize_t)net->text.len;

	if (file >= 0)
		(void)close(file);
	else
		net->file[0] = '\0';
	return good ? LB_OK
	            : lb_fail(diag, LB_E_IO, "no file can be made in %s",
	                      tmp != NULL ? tmp : "/tmp");
}

static lb_err make_net(struct net **out, struct runner_networks *networks,
                       const struct runner_reach *reach, struct lb_diag *diag)
{
	struct net *net = LB_NEW(networks->mem, struct net, 1);
	const char *const *hosts = reach->network == RUNNER_NETWORK_CACHE ? networks->options.cache
	                           : reach->network == RUNNER_NETWORK_HOSTS ? reach->hosts
	                                                                    : NULL;
	lb_err err;

	if (net == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_arena_init(&net->arena, networks->mem);
	lb_buf_init(&net->text, networks->mem, HOSTS_BYTES_MAX);
	net->network = reach->network;
	net->net.network = PLAT_NETWORK_NONE;
	add_doors(net, networks);
	err = reach->network == RUNNER_NETWORK_FULL ? make_full(net, networks, diag)
	                                            : make_private(net, networks, hosts, diag);
	if (!lb_failed(err) && (reach->network != RUNNER_NETWORK_FULL || net->door_count > 0)) {
		err = write_hosts(net, diag);
		net->net.hosts = net->file;
	}
	if (lb_failed(err)) {
		shut(net);
		free_net(networks->mem, net);
		return err;
	}
	*out = net;
	return LB_OK;
}

/* ---- a job's networks ---- */

static lb_err keep_hosts(struct net *net, const char *const *hosts)
{
	const char **kept;
	size_t count = 0;

	while (hosts != NULL && hosts[count] != NULL)
		count++;
	kept = LB_ARENA_NEW(&net->arena, const char *, count + 1);
	for (size_t i = 0; kept != NULL && i < count; i++)
		kept[i] = lb_arena_text(&net->arena, lb_bytes_of(hosts[i]));
	net->hosts = kept;
	return net->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static bool same_hosts(const char *const *a, const char *const *b)
{
	static const char *const none[] = { NULL };

	a = a != NULL ? a : none;
	b = b != NULL ? b : none;
	while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
		a++;
		b++;
	}
	return *a == NULL && *b == NULL;
}

/* With the lock held. */
static struct net *find_kept(const struct runner_networks *networks,
                             const struct runner_reach *reach)
{
	for (struct net *net = networks->nets; net != NULL; net = net->next) {
		if (net->network == reach->network && reach->network != RUNNER_NETWORK_NONE &&
		    (reach->network != RUNNER_NETWORK_HOSTS ||
		     same_hosts(net->hosts, reach->hosts)))
			return net;
	}
	return NULL;
}

/* Level-triggered; what is closed leaves by itself. */
static lb_err watch(const struct runner_networks *networks, int file)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = file };

	return epoll_ctl(networks->poll, EPOLL_CTL_ADD, file, &event) == 0 ? LB_OK
	                                                                   : lb_err_errno(errno);
}

/* The thread is there from the first net that has anything to serve. */
static lb_err add_net(struct runner_networks *networks, struct net *net)
{
	for (size_t i = 0; i < listen_count(net); i++)
		LB_TRY(watch(networks, net->listens[i].socket));
	net->next = networks->nets;
	networks->nets = net;
	if (listen_count(net) == 0 && net->network != RUNNER_NETWORK_NONE)
		return LB_OK;
	if (!networks->serving &&
	    !start_thread(&networks->thread, TALK_STACK_BYTES, serve, networks)) {
		networks->nets = net->next;
		return lb_err_of(LB_E_NOMEM);
	}
	if (!networks->serving && networks->wanted)
		(void)!write(networks->wake_write, "", 1);
	networks->serving = true;
	return LB_OK;
}

/* With the lock held: the one that stands ready, and the next is begun. */
static struct net *take_spare(struct runner_networks *networks, const struct runner_reach *reach)
{
	struct net *net = networks->spare;

	if (reach->network != RUNNER_NETWORK_NONE)
		return NULL;
	networks->spare = NULL;
	networks->wanted = true;
	if (networks->serving)
		(void)!write(networks->wake_write, "", 1);
	return net;
}

lb_err runner_networks_enter(const struct runner_net **out, struct runner_networks *networks,
                             const struct runner_reach *reach, struct lb_diag *diag)
{
	struct net *net;
	lb_err err = LB_OK;

	*out = NULL;
	(void)pthread_mutex_lock(&networks->lock);
	net = find_kept(networks, reach);
	if (net == NULL) {
		net = take_spare(networks, reach);
		if (net == NULL)
			err = make_net(&net, networks, reach, diag);
		if (!lb_failed(err))
			err = keep_hosts(net, reach->hosts);
		if (!lb_failed(err))
			err = add_net(networks, net);
		if (lb_failed(err) && net != NULL) {
			shut(net);
			free_net(networks->mem, net);
		}
	}
	if (!lb_failed(err))
		*out = &net->net;
	(void)pthread_mutex_unlock(&networks->lock);
	return err;
}

void runner_networks_leave(struct runner_networks *networks, const struct runner_net *left)
{
	struct net **at = &networks->nets;

	if (left == NULL)
		return;
	(void)pthread_mutex_lock(&networks->lock);
	while (*at != NULL && &(*at)->net != left)
		at = &(*at)->next;
	assert(*at != NULL);
	if ((*at)->network == RUNNER_NETWORK_NONE) {
		struct net *net = *at;

		*at = net->next;
		shut(net);
		free_net(networks->mem, net);
	}
	(void)pthread_mutex_unlock(&networks->lock);
}

static lb_err open_poll(struct runner_networks *networks)
{
	networks->poll = epoll_create1(EPOLL_CLOEXEC);
	if (networks->poll < 0)
		return lb_err_errno(errno);
	LB_TRY(plat_pipe(&networks->wake_read, &networks->wake_write));
	return watch(networks, networks->wake_read);
}

static void close_if(int file)
{
	if (file >= 0)
		(void)close(file);
}

lb_err runner_networks_new(struct runner_networks **out, struct lb_mem *mem,
                           const struct runner_networks_options *options, struct lb_diag *diag)
{
	struct runner_networks *networks = LB_NEW(mem, struct runner_networks, 1);
	lb_err err;

	*out = NULL;
	if (networks == NULL)
		return lb_err_of(LB_E_NOMEM);
	networks->mem = mem;
	if (options != NULL)
		networks->options = *options;
	assert(networks->options.door_count <= RUNNER_DOORS_MAX);
	networks->poll = networks->wake_read = networks->wake_write = -1;
	(void)pthread_mutex_init(&networks->lock, NULL);
	(void)pthread_cond_init(&networks->fewer, NULL);
	err = open_poll(networks);
	if (lb_failed(err)) {
		lb_diag_set(diag, "no pipe: %s", lb_err_text(err));
		runner_networks_free(networks);
		return err;
	}
	*out = networks;
	return LB_OK;
}

static void end_talks(struct runner_networks *networks)
{
	(void)pthread_mutex_lock(&networks->lock);
	networks->ending = true;
	for (const struct talk *talk = networks->talks; talk != NULL; talk = talk->next) {
		(void)shutdown(talk->inner, SHUT_RDWR);
		if (talk->outer >= 0)
			(void)shutdown(talk->outer, SHUT_RDWR);
	}
	while (networks->talk_count > 0)
		(void)pthread_cond_wait(&networks->fewer, &networks->lock);
	(void)pthread_mutex_unlock(&networks->lock);
}

void runner_networks_free(struct runner_networks *networks)
{
	if (networks == NULL)
		return;
	end_talks(networks);
	close_if(networks->wake_write);
	if (networks->serving)
		(void)pthread_join(networks->thread, NULL);
	if (networks->spare != NULL) {
		networks->spare->next = networks->nets;
		networks->nets = networks->spare;
	}
	while (networks->nets != NULL) {
		struct net *net = networks->nets;

		networks->nets = net->next;
		shut(net);
		free_net(networks->mem, net);
	}
	close_if(networks->wake_read);
	close_if(networks->poll);
	(void)pthread_cond_destroy(&networks->fewer);
	(void)pthread_mutex_destroy(&networks->lock);
	LB_DROP(networks->mem, networks, 1);
}
