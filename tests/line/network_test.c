/* network_test.c - LIFEBOAT_NETWORK end to end: under `none` a step reaches its own loopback and
 * nothing else, said at any level; under `full` it reaches what the machine reaches. */
#include "base/platform/plat.h"
#include "base/platform/process.h"
#include "tests/line/line.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Tries every way out that is worth trying; says "WAY reached" or "WAY nowhere".  Perl's base is on
 * every Debian and speaks every kind of socket.  The words come from the environment so
 * that the log's copy of the script has none of the lines that are counted. */
#define PROBE \
	"        shell: perl {0}\n" \
	"        run: |\n" \
	"          use strict; use Socket qw(:all); my ($s, $l); $| = 1; $SIG{ALRM} = sub { die " \
	"};\n" \
	"          sub try { my ($way, $code) = @_;\n" \
	"            my $good = eval { alarm 1; my $r = $code->(); alarm 0; $r }; alarm 0;\n" \
	"            print $way, ' ', ($good ? 'reached' : 'nowhere'), \"\\n\" }\n" \
	"          sub stream { my ($family, $address) = @_;\n" \
	"            socket($s, $family, SOCK_STREAM, 0) && connect($s, $address) }\n" \
	"          sub packet { my ($family, $address) = @_;\n" \
	"            socket($s, $family, SOCK_DGRAM, 0) && defined send($s, 'x', 0, $address) " \
	"}\n" \
	"          sub own { my ($family, $address) = @_;\n" \
	"            socket($l, $family, SOCK_STREAM, 0) && bind($l, $address) && listen($l, " \
	"1)\n" \
	"              && stream($family, getsockname($l)) }\n" \
	"          my $outside = inet_pton(AF_INET, '192.0.2.1');\n" \
	"          my $outside6 = inet_pton(AF_INET6, '2001:db8::1');\n" \
	"          try('curl', sub { system(qw(curl -s -m 3 -o /dev/null), " \
	"\"$ENV{COORDINATOR}/api/v1/status\") == 0 });\n" \
	"          try('curl-outside', sub { system(qw(curl -s -m 1 -o /dev/null " \
	"http://192.0.2.1/)) == 0 });\n" \
	"          try('tcp', sub { stream(AF_INET, pack_sockaddr_in(80, $outside)) });\n" \
	"          try('udp', sub { packet(AF_INET, pack_sockaddr_in(53, $outside)) });\n" \
	"          try('tcp6', sub { stream(AF_INET6, pack_sockaddr_in6(80, $outside6)) });\n" \
	"          try('udp6', sub { packet(AF_INET6, pack_sockaddr_in6(53, $outside6)) });\n" \
	"          try('raw', sub { socket($s, AF_INET, SOCK_RAW, 1)\n" \
	"            && defined send($s, 'x' x 8, 0, pack_sockaddr_in(0, $outside)) });\n" \
	"          try('frame', sub { socket($s, 17, SOCK_RAW, 0x300) });\n" \
	"          try('dns', sub { my ($e, @r) = getaddrinfo('lifeboat-test.example', 80); " \
	"!$e && @r });\n" \
	"          try('abstract', sub { stream(AF_UNIX, pack_sockaddr_un($ENV{ABSTRACT} =~ " \
	"s/^@/\\0/r)) });\n" \
	"          try('file', sub { stream(AF_UNIX, pack_sockaddr_un($ENV{FILE})) });\n" \
	"          try('run', sub { grep { -S $_ && stream(AF_UNIX, pack_sockaddr_un($_)) }\n" \
	"            split /\\0/, `find /run /var/run/ -type s -print0 2>/dev/null` });\n" \
	"          try('loopback', sub { own(AF_INET, pack_sockaddr_in(0, INADDR_LOOPBACK)) });\n" \
	"          try('loopback6', sub { own(AF_INET6, pack_sockaddr_in6(0, inet_pton(AF_INET6, " \
	"'::1'))) });\n" \
	"          try('own-abstract', sub { own(AF_UNIX, pack_sockaddr_un(\"\\0own-$$\")) });\n"

static const char *const ways_out[] = { "curl", "curl-outside", "tcp", "udp",      "tcp6", "udp6",
	                                "raw",  "frame",        "dns", "abstract", "file", "run" };
static const char *const own_ways[] = { "loopback", "loopback6", "own-abstract" };

/* A listening socket of this machine's; -1 where there can be none. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(len < sizeof address.sun_path);
	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	if (bind(fd, (const struct sockaddr *)&address,
	         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0 ||
	    listen(fd, 16) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The line and the sockets of this machine that a step could find. */
struct scene {
	struct line line;
	char abstract[64], file[600], in_run[64];
	int sockets[3];
};

static bool scene_init(struct scene *s, struct test *t)
{
	bool good = line_init(&s->line, t) && line_start_coordinator(&s->line) &&
	            line_start_runner(&s->line, 0);

	(void)snprintf(s->abstract, sizeof s->abstract, "@lifeboat-%d", (int)getpid());
	(void)snprintf(s->file, sizeof s->file, "/tmp/lifeboat-test-%d.socket", (int)getpid());
	(void)snprintf(s->in_run, sizeof s->in_run, "/run/lifeboat-test-%d.socket", (int)getpid());
	s->sockets[0] = listen_at(s->abstract);
	s->sockets[1] = listen_at(s->file);
	s->sockets[2] = listen_at(s->in_run); /* only root can */
	CHECK(s->sockets[0] >= 0 && s->sockets[1] >= 0);
	return good;
}

static void scene_release(struct scene *s)
{
	for (size_t i = 0; i < 3; i++) {
		if (s->sockets[i] >= 0)
			close(s->sockets[i]);
	}
	(void)unlink(s->file);
	(void)unlink(s->in_run);
	line_stop(&s->line);
}

/* Runs jobs under a workflow's environment that says where the sockets are, after `policy`. */
static const struct lb_value *go(struct scene *s, const char *policy, const char *jobs)
{
	struct lb_bytes text =
		lb_arena_format(&s->line.arena,
	                        "on: workflow_dispatch\n"
	                        "env: { %s COORDINATOR: '%s', ABSTRACT: '%s', FILE: '%s' }\n"
	                        "%s",
	                        policy, s->line.url, s->abstract, s->file, jobs);

	return line_run(&s->line, lb_arena_text(&s->line.arena, text), 60);
}

static bool said(struct lb_bytes log, const char *way, const char *what)
{
	char text[64];

	(void)snprintf(text, sizeof text, "%s %s", way, what);
	return line_count(log, text) == 1;
}

static void check_cut_off(struct scene *s, const struct lb_value *run, const char *key)
{
	struct test *t = s->line.t;
	const struct lb_value *job = line_job(run, key);
	struct lb_bytes log = { 0 };

	CHECK(job != NULL && line_log(&s->line, &log, job));
	if (t->failures > 0)
		return;
	CHECK_BYTES(lb_value_get_string(job, "conclusion"), "success");
	for (size_t i = 0; i < sizeof ways_out / sizeof ways_out[0]; i++) {
		if (!said(log, ways_out[i], "nowhere"))
			printf("# %s: %s\n", key, ways_out[i]);
		CHECK(said(log, ways_out[i], "nowhere"));
	}
	for (size_t i = 0; i < sizeof own_ways / sizeof own_ways[0]; i++) {
		if (!said(log, own_ways[i], "reached"))
			printf("# %s: %s\n", key, own_ways[i]);
		CHECK(said(log, own_ways[i], "reached"));
	}
	if (t->failures > 0)
		printf("# %.*s\n", LB_FMT(log));
}

TEST(none_for_a_workflow_reaches_nothing)
{
	struct scene s;
	const struct lb_value *run = NULL;
	struct lb_bytes log;

	if (scene_init(&s, t))
		run = go(&s, "LIFEBOAT_NETWORK: none,",
		         "jobs:\n"
		         "  cut:\n"
		         "    runs-on: ubuntu-latest\n"
		         "    steps:\n"
		         "      - name: probe\n" PROBE "  open:\n"
		         "    runs-on: ubuntu-latest\n"
		         "    env: { LIFEBOAT_NETWORK: full }\n"
		         "    steps:\n"
		         "      - name: probe\n" PROBE);
	if (run != NULL) {
		check_cut_off(&s, run, "cut");
		/* The same probe where nothing holds it: it can say the other word. */
		CHECK(line_log(&s.line, &log, line_job(run, "open")));
		CHECK(said(log, "curl", "reached"));
		/* Not even there, where the system can say so. */
		CHECK(said(log, "abstract", plat_can_scope() ? "nowhere" : "reached"));
		CHECK(said(log, "loopback", "reached"));
		CHECK(said(log, "file", "nowhere")); /* the folder is not the job's */
		CHECK(said(log, "frame", "nowhere"));
	}
	scene_release(&s);
}

TEST(none_for_a_job_or_a_step_reaches_nothing)
{
	struct scene s;
	const struct lb_value *run = NULL;
	struct lb_bytes log;

	if (scene_init(&s, t))
		run = go(&s, "",
		         "jobs:\n"
		         "  job:\n"
		         "    runs-on: ubuntu-latest\n"
		         "    env: { LIFEBOAT_NETWORK: none }\n"
		         "    steps:\n"
		         "      - name: probe\n" PROBE "      - env: { LIFEBOAT_NETWORK: full }\n"
		         "        run: curl -sSf -o /dev/null \"$COORDINATOR/api/v1/status\" && "
		         "echo \"step in\" the open\n"
		         "  step:\n"
		         "    runs-on: ubuntu-latest\n"
		         "    steps:\n"
		         "      - run: curl -sSf -o /dev/null \"$COORDINATOR/api/v1/status\" && "
		         "echo \"step in\" the open\n"
		         "      - name: probe\n"
		         "        env: { LIFEBOAT_NETWORK: none }\n" PROBE);
	if (run != NULL) {
		check_cut_off(&s, run, "job");
		check_cut_off(&s, run, "step");
		CHECK(line_log(&s.line, &log, line_job(run, "job")) &&
		      line_count(log, "step in the open") == 1);
		CHECK(line_log(&s.line, &log, line_job(run, "step")) &&
		      line_count(log, "step in the open") == 1);
	}
	scene_release(&s);
}

/* A child that outlives its step must not live on in the next one's network. */
TEST(what_a_step_leaves_running_gets_nowhere_either)
{
	struct scene s;
	const struct lb_value *run = NULL;
	struct lb_bytes log;

	if (scene_init(&s, t))
		run = go(
			&s, "",
			"jobs:\n"
			"  job:\n"
			"    runs-on: ubuntu-latest\n"
			"    steps:\n"
			"      - env: { LIFEBOAT_NETWORK: none }\n"
			"        run: |\n"
			"          (sleep 0.5; curl -s -m 2 -o got \"$COORDINATOR/api/v1/status\") "
			">/dev/null 2>&1 &\n"
			"          disown\n"
			"      - run: sleep 1; test ! -e got && echo \"nothing\" got\n");
	if (run != NULL) {
		CHECK_BYTES(lb_value_get_string(run, "conclusion"), "success");
		CHECK(line_log(&s.line, &log, line_job(run, "job")) &&
		      line_count(log, "nothing got") == 1);
	}
	scene_release(&s);
}

TEST(an_unknown_policy_fails_and_names_the_known)
{
	struct scene s;
	const struct lb_value *run = NULL;
	struct lb_bytes log;

	if (scene_init(&s, t))
		run = go(&s, "",
		         "jobs:\n"
		         "  job:\n"
		         "    runs-on: ubuntu-latest\n"
		         "    steps:\n"
		         "      - env: { LIFEBOAT_NETWORK: nothing }\n"
		         "        run: echo \"it\" ran\n");
	if (run != NULL) {
		CHECK_BYTES(lb_value_get_string(run, "conclusion"), "failure");
		CHECK(line_log(&s.line, &log, line_job(run, "job")));
		CHECK(lb_bytes_find(log, LB_B("LIFEBOAT_NETWORK is 'nothing'; it can be "
		                              "'none', 'loopback', ")) != SIZE_MAX);
		CHECK(line_count(log, "it ran") == 0);
	}
	scene_release(&s);
}
