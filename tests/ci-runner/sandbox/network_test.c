/* network_test.c - what each policy reaches, and that the sockets of a job's networks do their
 * work. */
#include "ci-runner/sandbox/network.h"

#include "base/platform/plat.h"
#include "ci-runner/sandbox/sandbox.h"
#include "tests/harness/test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", NULL };

/* ---- a server on the machine's own loopback: it answers "outside" to whoever comes ---- */

struct server {
	int socket;
	uint16_t port;
	pthread_t thread;
};

static void *answer_all(void *ctx)
{
	struct server *server = ctx;
	int client;

	while ((client = accept(server->socket, NULL, NULL)) >= 0) {
		char part[2048];
		ssize_t got;

		/* What it is sent, and then a word of its own. */
		while ((got = read(client, part, sizeof part)) > 0)
			(void)!write(client, part, (size_t)got);
		(void)!write(client, "outside\n", 8);
		(void)close(client);
	}
	return NULL;
}

static bool start_server(struct test *t, struct server *server)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	server->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(server->socket, (struct sockaddr *)&at, len) == 0);
	CHECK(listen(server->socket, 16) == 0);
	CHECK(getsockname(server->socket, (struct sockaddr *)&at, &len) == 0);
	server->port = ntohs(at.sin_port);
	return pthread_create(&server->thread, NULL, answer_all, server) == 0;
}

static void stop_server(struct server *server)
{
	(void)shutdown(server->socket, SHUT_RDWR);
	(void)pthread_join(server->thread, NULL);
	(void)close(server->socket);
}

/* ---- a job's networks, with one door ---- */

struct scene {
	struct runner_sandbox *sandbox;
	struct runner_networks *networks;
	struct runner_door door;
	struct lb_buf text;
};

static void greet(void *ctx, int socket)
{
	(void)ctx;
	(void)!write(socket, "door\n", 5);
	(void)close(socket);
}

static void keep(void *ctx, struct lb_bytes part)
{
	struct scene *s = ctx;

	lb_buf_add(&s->text, part);
}

static bool open_scene(struct test *t, struct scene *s, const char *const *cache)
{
	struct lb_diag diag;
	struct runner_networks_options options = { .doors = &s->door,
		                                   .door_count = 1,
		                                   .cache = cache };

	*s = (struct scene){ .door = { .names = "github.localhost api.github.localhost",
		                       .port = 80,
		                       .visitor = greet } };
	lb_buf_init(&s->text, t->mem, 1 << 20);
	return CHECK_OK(runner_sandbox_new(&s->sandbox, t->mem, NULL, &diag)) &&
	       CHECK_OK(runner_networks_new(&s->networks, t->mem, &options, &diag));
}

static void close_scene(struct scene *s)
{
	runner_networks_free(s->networks);
	runner_sandbox_free(s->sandbox);
	lb_buf_release(&s->text);
}

/* Status of the script in this net; its output in the scene. */
static int run_in(struct test *t, struct scene *s, const struct runner_net *net, const char *script)
{
	const char *const argv[] = { "bash", "-c", script, NULL };
	struct runner_process process;
	struct runner_end end = { .status = -1 };
	struct lb_diag diag;

	lb_buf_reset(&s->text);
	if (CHECK_OK(runner_process_start(
		    &process, s->sandbox,
		    &(struct runner_command){ .argv = argv, .env = env, .net = net }, &diag)))
		CHECK_OK(runner_process_watch(
			&end, &process, &(struct runner_watch){ .output = keep, .ctx = s }, &diag));
	if (end.status != 0)
		printf("# status %d: %s\n", end.status, lb_buf_text(&s->text));
	return end.status;
}

static const struct runner_net *enter(struct test *t, struct scene *s, enum runner_network network,
                                      const char *const *hosts)
{
	const struct runner_reach reach = { network, hosts };
	const struct runner_net *net = NULL;
	struct lb_diag diag;

	CHECK_OK(runner_networks_enter(&net, s->networks, &reach, &diag));
	return net;
}

static int run(struct test *t, struct scene *s, enum runner_network network,
               const char *const *hosts, const char *script)
{
	const struct runner_net *net = enter(t, s, network, hosts);
	int status = net != NULL ? run_in(t, s, net, script) : -1;

	runner_networks_leave(s->networks, net);
	return status;
}

/* ---- doors ---- */

TEST(a_door_is_open_under_every_private_policy)
{
	static const enum runner_network all[] = { RUNNER_NETWORK_NONE, RUNNER_NETWORK_LOOPBACK,
		                                   RUNNER_NETWORK_CACHE };
	struct scene s;

	if (open_scene(t, &s, NULL)) {
		for (size_t i = 0; i < 3; i++) {
			CHECK(run(t, &s, all[i], NULL,
			          "cat </dev/tcp/github.localhost/80; "
			          "cat </dev/tcp/api.github.localhost/80") == 0);
			CHECK_BYTES(lb_buf_bytes(&s.text), "door\ndoor\n");
		}
	}
	close_scene(&s);
}

TEST(a_door_is_open_under_full_at_the_port_it_says)
{
	const struct runner_net *net;
	char script[128];
	struct scene s;

	if (open_scene(t, &s, NULL)) {
		net = enter(t, &s, RUNNER_NETWORK_FULL, NULL);
		(void)snprintf(script, sizeof script, "cat </dev/tcp/github.localhost/%u",
		               net->door_ports[0]);
		CHECK(run_in(t, &s, net, script) == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text), "door\n");
		runner_networks_leave(s.networks, net);
	}
	close_scene(&s);
}

TEST(without_doors_full_is_the_machine_as_it_is)
{
	const struct runner_reach reach = { RUNNER_NETWORK_FULL, NULL };
	struct runner_networks *networks;
	const struct runner_net *net;

	CHECK_OK(runner_networks_new(&networks, t->mem, NULL, NULL));
	CHECK_OK(runner_networks_enter(&net, networks, &reach, NULL));
	CHECK(net->hosts == NULL && net->network.net == -1);
	runner_networks_leave(networks, net);
	runner_networks_free(networks);
}

/* ---- which loopback is whose ---- */

TEST(loopback_is_the_jobs_and_none_the_steps)
{
	static const char *const which = "readlink /proc/self/ns/net";
	struct scene s;
	char first[64];

	if (open_scene(t, &s, NULL)) {
		CHECK(run(t, &s, RUNNER_NETWORK_LOOPBACK, NULL, which) == 0);
		(void)snprintf(first, sizeof first, "%s", lb_buf_text(&s.text));
		CHECK(run(t, &s, RUNNER_NETWORK_LOOPBACK, NULL, which) == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text), first);
		CHECK(run(t, &s, RUNNER_NETWORK_CACHE, NULL, which) == 0);
		CHECK(!lb_bytes_is(lb_buf_bytes(&s.text), first));
		/* Two at once: the first's number may be used again once it is gone. */
		const struct runner_net *held = enter(t, &s, RUNNER_NETWORK_NONE, NULL);

		CHECK(run_in(t, &s, held, which) == 0);
		(void)snprintf(first, sizeof first, "%s", lb_buf_text(&s.text));
		CHECK(run(t, &s, RUNNER_NETWORK_NONE, NULL, which) == 0);
		CHECK(!lb_bytes_is(lb_buf_bytes(&s.text), first));
		runner_networks_leave(s.networks, held);
	}
	close_scene(&s);
}

TEST(a_server_in_one_step_is_reached_by_another_of_the_same_policy)
{
	struct scene s;

	if (open_scene(t, &s, NULL)) {
		const struct runner_net *net = enter(t, &s, RUNNER_NETWORK_LOOPBACK, NULL);
		static const char *const argv[] = {
			"perl", "-MIO::Socket::INET", "-e",
			"$s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 4444, "
			"Listen => 1) or die; $| = 1; print \"up\\n\"; $c = $s->accept; "
			"print $c \"from the other step\\n\"; close $c",
			NULL
		};
		struct runner_process process;
		struct runner_end end;
		char up[4];

		CHECK_OK(runner_process_start(
			&process, s.sandbox,
			&(struct runner_command){ .argv = argv, .env = env, .net = net }, NULL));
		CHECK(read(process.output, up, 3) == 3);
		CHECK(run_in(t, &s, net, "cat </dev/tcp/127.0.0.1/4444") == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text), "from the other step\n");
		CHECK_OK(runner_process_watch(&end, &process, &(struct runner_watch){ 0 }, NULL));
		CHECK(end.status == 0);
		runner_networks_leave(s.networks, net);
	}
	close_scene(&s);
}

/* A runner in a job: its sandbox covers the files that this one covered. */
TEST(a_sandbox_within_has_networks_of_its_own)
{
	char path[600], script[1200];
	struct scene s;

	(void)snprintf(path, sizeof path, "%s/lifeboat-runner", test_build());
	if (access(path, X_OK) != 0)
		SKIP("lifeboat-runner is not built");
	if (open_scene(t, &s, NULL)) {
		const struct runner_net *net = enter(t, &s, RUNNER_NETWORK_NONE, NULL);
		char *real = realpath(path, NULL);
		const char *const readable[] = { real, NULL };
		const char *argv[] = { "bash", "-c", script, NULL };
		struct runner_process process;
		struct runner_end end = { .status = -1 };

		(void)snprintf(script, sizeof script,
		               "cd /tmp; %s exec --network 127.0.0.1:9 -- sh -c '"
		               "grep -c localhost /etc/hosts; grep -vc -e lo: -e \"|\" "
		               "/proc/net/dev; true'; stat -c %%a /etc/hosts",
		               real);
		CHECK_OK(runner_process_start(
			&process, s.sandbox,
			&(struct runner_command){
				.argv = argv, .env = env, .readable = readable, .net = net },
			NULL));
		CHECK_OK(runner_process_watch(
			&end, &process, &(struct runner_watch){ .output = keep, .ctx = &s }, NULL));
		CHECK(end.status == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text), "2\n0\n644\n");
		free(real);
		runner_networks_leave(s.networks, net);
	}
	close_scene(&s);
}

/* ---- hosts that are named ---- */

/* Says "outside" where the machine's server is reached. */
static const char *talk_to(char script[256], const char *host, uint16_t port)
{
	(void)snprintf(script, 256,
	               "exec 3<>/dev/tcp/%s/%u && perl -e 'open S, \"+<&=\", 3; "
	               "shutdown S, 1; print <S>'",
	               host, port);
	return script;
}

TEST(a_named_host_is_reached_and_no_other)
{
	char address[32], name[32], script[256];
	const char *const hosts[] = { address, NULL }, *const names[] = { name, NULL };
	struct server named = { .socket = -1 }, other = { .socket = -1 };
	struct scene s;

	if (start_server(t, &named) && start_server(t, &other) && open_scene(t, &s, hosts)) {
		(void)snprintf(address, sizeof address, "127.0.0.1:%u", named.port);
		(void)snprintf(name, sizeof name, "localhost:%u", named.port);
		CHECK(run(t, &s, RUNNER_NETWORK_HOSTS, hosts,
		          talk_to(script, "127.0.0.1", named.port)) == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text), "outside\n");
		CHECK(run(t, &s, RUNNER_NETWORK_HOSTS, names,
		          talk_to(script, "localhost", named.port)) == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text), "outside\n");
		CHECK(run(t, &s, RUNNER_NETWORK_CACHE, NULL,
		          talk_to(script, "127.0.0.1", named.port)) == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text), "outside\n");
		CHECK(run(t, &s, RUNNER_NETWORK_HOSTS, hosts,
		          talk_to(script, "127.0.0.1", other.port)) != 0);
		CHECK(run(t, &s, RUNNER_NETWORK_LOOPBACK, NULL,
		          talk_to(script, "127.0.0.1", named.port)) != 0);
		CHECK(run(t, &s, RUNNER_NETWORK_NONE, NULL,
		          talk_to(script, "127.0.0.1", named.port)) != 0);
		/* The check can fail: the machine's network reaches both. */
		CHECK(run(t, &s, RUNNER_NETWORK_FULL, NULL,
		          talk_to(script, "127.0.0.1", other.port)) == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text), "outside\n");
		close_scene(&s);
	}
	stop_server(&named);
	stop_server(&other);
}

TEST(a_name_leads_to_an_address_of_its_own)
{
	static const char *const hosts[] = { "one.example",      "two.example:8443", "192.0.2.7:99",
		                             "[2001:db8::7]:99", "one.example:81",   NULL };
	struct scene s;

	if (open_scene(t, &s, NULL)) {
		/* Connected to the runner, which then finds no such host: reset. */
		CHECK(run(t, &s, RUNNER_NETWORK_HOSTS, hosts,
		          "getent hosts one.example two.example | sed 's/  */ /';"
		          "for at in one.example/443 one.example/80 one.example/81 "
		          "two.example/8443 192.0.2.7/99 2001:db8::7/99; do"
		          "  (: </dev/tcp/$at) 2>/dev/null || echo no $at; done;"
		          "for at in two.example/443 one.example/8443 192.0.2.8/99 192.0.2.7/98; do"
		          "  (: </dev/tcp/$at) 2>/dev/null && echo yes $at; done; true") == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text),
		            "127.64.0.1 one.example\n127.64.0.2 two.example\n");
	}
	close_scene(&s);
}

TEST(a_large_answer_comes_through_whole)
{
	char address[32], script[512];
	const char *const hosts[] = { address, NULL };
	struct server server = { .socket = -1 };
	struct scene s;

	if (start_server(t, &server) && open_scene(t, &s, NULL)) {
		(void)snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
		(void)snprintf(
			script, sizeof script,
			"perl -MIO::Socket::INET -e '"
			"$s = IO::Socket::INET->new(\"127.0.0.1:%u\") or die; "
			"if (fork) { $n = 0; while ($k = sysread $s, $b, 65536) { $n += $k } "
			"print \"$n\\n\" } "
			"else { print $s \"0123456789abcdef\" x 524288; $s->shutdown(1) }'",
			server.port);
		CHECK(run(t, &s, RUNNER_NETWORK_HOSTS, hosts, script) == 0);
		CHECK_BYTES(lb_buf_bytes(&s.text), "8388616\n");
		close_scene(&s);
	}
	stop_server(&server);
}

TEST(what_is_no_host_is_said)
{
	static const char *const wrong[] = {
		"*.example.org", "a b.c", "example.org:0", "example.org:70000", "[::1",
		"-x.y",          ":80"
	};
	struct runner_networks *networks;

	CHECK_OK(runner_networks_new(&networks, t->mem, NULL, NULL));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const char *const hosts[] = { wrong[i], NULL };
		const struct runner_reach reach = { RUNNER_NETWORK_HOSTS, hosts };
		const struct runner_net *net;
		struct lb_diag diag;

		CHECK(lb_code_of(runner_networks_enter(&net, networks, &reach, &diag)) ==
		      LB_E_INVALID);
		CHECK(lb_bytes_find(lb_bytes_of(diag.text), lb_bytes_of(wrong[i])) != SIZE_MAX);
	}
	runner_networks_free(networks);
}

/* Ending while a conversation is under way ends it. */
TEST(networks_end_with_talk_still_going)
{
	char address[32];
	const char *const hosts[] = { address, NULL };
	const struct runner_reach reach = { RUNNER_NETWORK_HOSTS, hosts };
	struct server server = { .socket = -1 };
	const struct runner_net *net;
	struct scene s;

	if (start_server(t, &server) && open_scene(t, &s, NULL)) {
		static const char *const argv[] = { "bash", "-c",
			                            "exec 3<>/dev/tcp/127.0.0.1/$PORT; echo ping "
			                            ">&3; head -1 <&3; sleep 60",
			                            NULL };
		char port[16], pong[5] = "";
		const char *const with_port[] = { env[0], port, NULL };
		struct runner_process process;
		struct runner_end end;

		(void)snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
		(void)snprintf(port, sizeof port, "PORT=%u", server.port);
		CHECK_OK(runner_networks_enter(&net, s.networks, &reach, NULL));
		CHECK_OK(runner_process_start(&process, s.sandbox,
		                              &(struct runner_command){
						      .argv = argv, .env = with_port, .net = net },
		                              NULL));
		CHECK(read(process.output, pong, 5) == 5 && memcmp(pong, "ping\n", 5) == 0);
		runner_networks_leave(s.networks, net);
		runner_networks_free(s.networks);
		s.networks = NULL;
		plat_process_signal(&process.outer, PLAT_KILL);
		lb_ignore(runner_process_watch(&end, &process, &(struct runner_watch){ 0 }, NULL));
		close_scene(&s);
	}
	stop_server(&server);
}

TEST(out_of_memory_is_said_and_nothing_stays)
{
	static const char *const hosts[] = { "one.example", "127.0.0.1:9", NULL };
	const struct runner_reach reach = { RUNNER_NETWORK_HOSTS, hosts };
	const struct runner_door door = { .names = "github.localhost",
		                          .port = 80,
		                          .visitor = greet };
	const struct runner_networks_options options = { .doors = &door, .door_count = 1 };

	EACH_OOM (t) {
		struct runner_networks *networks;
		const struct runner_net *net;
		lb_err err = runner_networks_new(&networks, t->mem, &options, NULL);

		if (!lb_failed(err))
			err = runner_networks_enter(&net, networks, &reach, NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		if (!lb_failed(err))
			runner_networks_leave(networks, net);
		runner_networks_free(networks);
	}
}
