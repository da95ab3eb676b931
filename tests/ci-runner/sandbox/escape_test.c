/* escape_test.c - ways out of a sandbox, each tried from inside under every policy that has to hold
 * it, and from outside, where it has to lead somewhere: a way that leads nowhere proves nothing.
 *
 * This program is its own probe: with LB_ESCAPE=NAME it tries that way and ends, 0 where it got
 * out. LB_BAIT says what lies outside for it: ports, sockets, files, a process.
 */
#include "base/io/file.h"
#include "base/platform/plat.h"
#include "ci-runner/sandbox/sandbox.h"
#include "tests/harness/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what lies outside ---- */

struct bait {
	unsigned port, udp, pid, fd;
	char abstract[64], named[200], file[200];
};

static struct bait bait;

#define BAIT_FORMAT "%u %u %u %u %63s %199s %199s"

static bool read_bait(void)
{
	const char *text = getenv("LB_BAIT");

	return text != NULL && sscanf(text, BAIT_FORMAT, &bait.port, &bait.udp, &bait.pid, &bait.fd,
	                              bait.abstract, bait.named, bait.file) == 7;
}

/* ---- ways out ---- */

static bool reaches(int family, int kind, const void *address, size_t len)
{
	int file = socket(family, kind, 0);

	return file >= 0 && connect(file, address, (socklen_t)len) == 0 &&
	       (kind != SOCK_STREAM || write(file, "x", 1) == 1);
}

static bool by_ipv4(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)bait.port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return reaches(AF_INET, SOCK_STREAM, &to, sizeof to);
}

static bool by_ipv6(void)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
		                   .sin6_port = htons((uint16_t)bait.port),
		                   .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return reaches(AF_INET6, SOCK_STREAM, &to, sizeof to);
}

/* Connected alone says nothing: the answer "port unreachable" is waited for. */
static bool by_udp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)bait.udp),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int file = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	if (file < 0 || connect(file, (struct sockaddr *)&to, sizeof to) != 0 ||
	    send(file, "x", 1, 0) != 1)
		return false;
	(void)usleep(10000);
	return recv(file, &byte, 1, MSG_DONTWAIT) >= 0 || errno == EAGAIN;
}

static bool by_raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0 || socket(AF_PACKET, SOCK_RAW, 3) >= 0;
}

static bool by_unix_name(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	memcpy(to.sun_path, name, len);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	return reaches(AF_UNIX, SOCK_STREAM, &to, offsetof(struct sockaddr_un, sun_path) + len);
}

static bool by_abstract_socket(void) { return by_unix_name(bait.abstract); }
static bool by_named_socket(void) { return by_unix_name(bait.named); }

/* Both forms of a bus's address, and where the system's own is. */
static bool by_dbus(void)
{
	return by_unix_name(bait.abstract) || by_unix_name(bait.named) ||
	       by_unix_name("/run/dbus/system_bus_socket");
}

static bool by_inherited_descriptor(void)
{
	char byte;

	return pread((int)bait.fd, &byte, 1, 0) == 1;
}

static bool by_proc(void)
{
	char path[320];
	static const char *const files[] = { "environ", "mem", "maps" };

	for (size_t i = 0; i < 3; i++) {
		char byte;
		int file;

		(void)snprintf(path, sizeof path, "/proc/%u/%s", bait.pid, files[i]);
		file = open(path, O_RDONLY);
		if (file >= 0 && (i == 1 || read(file, &byte, 1) == 1))
			return true;
	}
	(void)snprintf(path, sizeof path, "/proc/%u/root%s", bait.pid, bait.file);
	if (access(path, F_OK) == 0)
		return true;
	(void)snprintf(path, sizeof path, "/proc/%u/cwd/.", bait.pid);
	return access(path, F_OK) == 0;
}

static bool by_proc_of_the_first(void)
{
	return open("/proc/kcore", O_RDONLY) >= 0 ||
	       open("/proc/sys/kernel/core_pattern", O_WRONLY) >= 0 ||
	       open("/proc/sysrq-trigger", O_WRONLY) >= 0;
}

static bool by_signal(void) { return kill((pid_t)bait.pid, 0) == 0; }

static bool by_ptrace(void)
{
	char here[8], byte;
	struct iovec to = { here, 1 }, from = { &byte, 1 };

	if (ptrace(PTRACE_SEIZE, (pid_t)bait.pid, NULL, NULL) == 0) {
		(void)ptrace(PTRACE_DETACH, (pid_t)bait.pid, NULL, NULL);
		return true;
	}
	/* Refused with "no such process", not with "bad address". */
	return process_vm_readv((pid_t)bait.pid, &to, 1, &from, 1, 0) >= 0 || errno == EFAULT;
}

static bool by_setns(void)
{
	static const char *const kinds[] = { "net", "mnt", "user", "pid" };

	for (size_t i = 0; i < 4; i++) {
		char path[64];
		int file;

		(void)snprintf(path, sizeof path, "/proc/%u/ns/%s", bait.pid, kinds[i]);
		file = open(path, O_RDONLY);
		if (file >= 0 && setns(file, 0) == 0)
			return true;
	}
	return false;
}

static bool by_mount(void)
{
	if (mount("none", "/tmp", "tmpfs", 0, NULL) == 0) {
		(void)umount("/tmp");
		return true;
	}
	/* In a namespace of its own: what is read-only has to stay so. */
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       (mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL) == 0 ||
	        umount2("/etc", MNT_DETACH) == 0 || umount2("/proc", MNT_DETACH) == 0) &&
	       (access("/usr", W_OK) == 0 || access(bait.file, F_OK) == 0);
}

static bool by_tiocsti(void) { return ioctl(0, TIOCSTI, "x") == 0; }

static bool by_device(void)
{
	static const char *const nodes[] = { "/dev/mem", "/dev/kmsg", "/dev/port", "/dev/fuse",
		                             "/dev/kvm", "/dev/vda",  "/dev/sda",  "/dev/nvme0n1" };

	for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
		if (open(nodes[i], O_RDONLY | O_NONBLOCK) >= 0)
			return true;
	}
	(void)unlink("node");
	return mknod("node", S_IFCHR | 0600, makedev(1, 1)) == 0 && open("node", O_RDONLY) >= 0;
}

static bool by_core_dump(void)
{
	const struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct rlimit now;

		(void)getrlimit(RLIMIT_CORE, &now);
		if (setrlimit(RLIMIT_CORE, &most) != 0) {
			now.rlim_cur = now.rlim_max;
			(void)setrlimit(RLIMIT_CORE, &now);
		}
		(void)signal(SIGABRT, SIG_DFL);
		abort();
	}
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WCOREDUMP(status);
}

static bool by_reading_a_file(void) { return open(bait.file, O_RDONLY) >= 0; }

static bool by_writing_a_file(void)
{
	static const char *const folders[] = {
		"/",     "/usr",  "/etc",           "/opt", "/var",
		"/root", "/home", "/usr/local/bin", "/sys", "/boot"
	};

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		int folder = open(folders[i], O_RDONLY | O_DIRECTORY);

		if (folder >= 0 &&
		    openat(folder, "lifeboat-was-here", O_CREAT | O_EXCL | O_RDWR, 0600) >= 0 &&
		    unlinkat(folder, "lifeboat-was-here", 0) == 0)
			return true;
	}
	return open(bait.file, O_WRONLY) >= 0;
}

/* Upwards by descriptors, as out of a chroot. */
static bool by_going_up(void)
{
	int folder = open(".", O_RDONLY | O_DIRECTORY);

	for (int i = 0; i < 64 && folder >= 0; i++)
		folder = openat(folder, "..", O_RDONLY | O_DIRECTORY);
	return folder >= 0 && faccessat(folder, bait.file + 1, F_OK, 0) == 0;
}

static const struct way {
	const char *name;
	bool (*out)(void);
	bool even_full; /* holds under the policy full too */
	bool root;      /* leads somewhere outside for root alone */
} ways[] = {
	{ "ipv4", by_ipv4, false, false },
	{ "ipv6", by_ipv6, false, false },
	{ "udp", by_udp, false, false },
	{ "raw", by_raw, true, true },
	{ "abstract", by_abstract_socket, true, false },
	{ "named", by_named_socket, true, false },
	{ "dbus", by_dbus, true, false },
	{ "descriptor", by_inherited_descriptor, true, false },
	{ "proc", by_proc, true, false },
	{ "first", by_proc_of_the_first, true, true },
	{ "signal", by_signal, true, false },
	{ "ptrace", by_ptrace, true, false },
	{ "setns", by_setns, true, true },
	{ "mount", by_mount, true, true },
	{ "tiocsti", by_tiocsti, true, true },
	{ "device", by_device, true, true },
	{ "core", by_core_dump, true, false },
	{ "read", by_reading_a_file, true, false },
	{ "write", by_writing_a_file, true, false },
	{ "up", by_going_up, true, false },
};

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	}
	return NULL;
}

__attribute__((constructor)) static void try_one(void)
{
	const char *name = getenv("LB_ESCAPE");

	if (name == NULL)
		return;
	_exit(!read_bait() || find_way(name) == NULL ? 77 : find_way(name)->out() ? 0 : 1);
}

/* ---- the scene ---- */

struct scene {
	struct runner_sandbox *sandbox;
	const char *folder;
	char probe[300], text[700];
	int sockets[5], terminal, secret;
	pid_t sleeper;
	struct lb_buf output;
};

static int listen_at(const void *address, size_t len, int family, int kind)
{
	int file = socket(family, kind | SOCK_CLOEXEC, 0), yes = 1;

	(void)setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(file, address, (socklen_t)len) != 0 ||
	    (kind == SOCK_STREAM && listen(file, 64) != 0)) {
		(void)close(file);
		return -1;
	}
	return file;
}

static unsigned port_of(int file)
{
	struct sockaddr_in at = { 0 };
	socklen_t len = sizeof at;

	(void)getsockname(file, (struct sockaddr *)&at, &len);
	return ntohs(at.sin_port);
}

static int listen_unix(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	memcpy(at.sun_path, name, strlen(name));
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	return listen_at(&at, offsetof(struct sockaddr_un, sun_path) + strlen(name), AF_UNIX,
	                 SOCK_STREAM);
}

static void lay_sockets(struct test *t, struct scene *s)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	s->sockets[0] = listen_at(&four, sizeof four, AF_INET, SOCK_STREAM);
	bait.port = port_of(s->sockets[0]);
	six.sin6_port = htons((uint16_t)bait.port);
	s->sockets[1] = listen_at(&six, sizeof six, AF_INET6, SOCK_STREAM);
	s->sockets[2] = listen_at(&four, sizeof four, AF_INET, SOCK_DGRAM);
	bait.udp = port_of(s->sockets[2]);
	(void)snprintf(bait.abstract, sizeof bait.abstract, "@lifeboat-escape-%d", (int)getpid());
	(void)snprintf(bait.named, sizeof bait.named, "/tmp/lifeboat-escape-%d", (int)getpid());
	(void)snprintf(bait.file, sizeof bait.file, "/tmp/lifeboat-escape-%d.secret",
	               (int)getpid());
	s->sockets[3] = listen_unix(bait.abstract);
	s->sockets[4] = listen_unix(bait.named);
	for (size_t i = 0; i < 5; i++)
		CHECK(s->sockets[i] >= 0);
}

/* A process of this user to look into; this one has its own for what has to be ended. */
static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	return pid;
}

static bool open_scene(struct test *t, struct scene *s)
{
	struct lb_diag diag;

	*s = (struct scene){ .folder = test_folder(t), .terminal = -1 };
	lb_buf_init(&s->output, t->mem, 1 << 20);
	lay_sockets(t, s);
	CHECK_OK(lb_file_write(&plat_host, bait.file, LB_B("secret\n"), 0, NULL));
	s->secret = open(bait.file, O_RDONLY); /* not closed on exec */
	s->sleeper = start_sleeper();
	bait.fd = (unsigned)fcntl(s->secret, F_DUPFD, 40);
	bait.pid = (unsigned)s->sleeper;
	s->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	(void)snprintf(s->probe, sizeof s->probe, "%s/probe", s->folder);
	(void)snprintf(s->text, sizeof s->text, "LB_BAIT=%u %u %u %u %s %s %s", bait.port, bait.udp,
	               bait.pid, bait.fd, bait.abstract, bait.named, bait.file);
	return CHECK_OK(lb_file_copy(&plat_host, s->probe, "/proc/self/exe", NULL)) &&
	       CHECK_OK(runner_sandbox_new(&s->sandbox, t->mem, NULL, &diag)) &&
	       CHECK_OK(runner_sandbox_limit(s->sandbox,
	                                     &(struct runner_limits){ .memory = 256 << 20,
	                                                              .processes = 300,
	                                                              .disk = 64 << 20 },
	                                     &diag));
}

static void close_scene(struct scene *s)
{
	for (size_t i = 0; i < 5; i++)
		(void)close(s->sockets[i]);
	(void)kill(s->sleeper, SIGKILL);
	(void)waitpid(s->sleeper, NULL, 0);
	(void)close(s->secret);
	(void)close((int)bait.fd);
	(void)close(s->terminal);
	(void)unlink(bait.named);
	(void)unlink(bait.file);
	runner_sandbox_free(s->sandbox);
	lb_buf_release(&s->output);
}

static void keep(void *ctx, struct lb_bytes part) { lb_buf_add(ctx, part); }

/* What became of a command in the sandbox: its status, or the error's code negated. */
static int run_inside(struct test *t, struct scene *s, enum runner_network network,
                      const char *const *argv, const char *escape, int in)
{
	char name[64];
	const char *const env[] = { "PATH=/usr/bin:/bin", s->text, name, NULL };
	const char *const writable[] = { s->folder, NULL };
	struct runner_command how = { .argv = argv,
		                      .env = env,
		                      .cwd = s->folder,
		                      .writable = writable,
		                      .network = network,
		                      .streams = in >= 0,
		                      .in = in,
		                      .out = 1,
		                      .err = 2 };
	struct runner_process process;
	struct runner_end end = { .status = -1 };
	struct lb_diag diag = { 0 };
	lb_err err;

	(void)snprintf(name, sizeof name, "LB_ESCAPE=%s", escape);
	lb_buf_reset(&s->output);
	if (!CHECK_OK(runner_process_start(&process, s->sandbox, &how, &diag)))
		return -1;
	err = runner_process_watch(&end, &process,
	                           &(struct runner_watch){
					   .output = keep,
					   .ctx = &s->output,
					   .deadline_ns = plat_host.ops->now_ns(&plat_host) +
	                                                  UINT64_C(30000000000) },
	                           &diag);
	if (lb_failed(err))
		printf("# %s\n", lb_diag_text(&diag, err));
	return lb_failed(err) ? -(int)lb_code_of(err) : end.status;
}

/* The runner goes on as before. */
static void check_health(struct test *t, struct scene *s)
{
	static const char *const argv[] = { "sh", "-c", "echo well", NULL };

	CHECK(run_inside(t, s, RUNNER_NETWORK_NONE, argv, "", -1) == 0);
	CHECK_BYTES(lb_buf_bytes(&s->output), "well\n");
	CHECK(runner_sandbox_check(s->sandbox, RUNNER_NETWORK_FULL, NULL).word == 0);
}

/* The same way from here, in a session of its own with the terminal as its own. */
static int run_outside(const struct scene *s, const char *name, const char *terminal)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		(void)setsid();
		(void)close(0);
		if (terminal == NULL || open(terminal, O_RDWR) != 0)
			(void)open("/dev/null", O_RDONLY);
		(void)!chdir(s->folder);
		(void)setenv("LB_ESCAPE", name, 1);
		(void)setenv("LB_BAIT", s->text + strlen("LB_BAIT="), 1);
		(void)execl(s->probe, s->probe, (char *)NULL);
		_exit(78);
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void check_way(struct test *t, const char *name)
{
	const struct way *way = find_way(name);
	const char *terminal = NULL;
	struct scene s;
	int in = -1, outside;

	if (open_scene(t, &s)) {
		const char *const argv[] = { s.probe, NULL };

		if (s.terminal >= 0 && grantpt(s.terminal) == 0 && unlockpt(s.terminal) == 0)
			terminal = ptsname(s.terminal);
		if (way->out == by_tiocsti && terminal != NULL)
			in = open(terminal, O_RDWR | O_NOCTTY);
		CHECK(run_inside(t, &s, RUNNER_NETWORK_NONE, argv, name, in) == 1);
		if (way->even_full &&
		    (plat_can_scope() || (way->out != by_abstract_socket && way->out != by_dbus)))
			CHECK(run_inside(t, &s, RUNNER_NETWORK_FULL, argv, name, in) == 1);
		check_health(t, &s);
		outside = run_outside(&s, name, terminal);
		if (way->root && outside == 1)
			printf("# %s: leads nowhere outside either, as this user\n", name);
		else
			CHECK(outside == 0);
		if (in >= 0)
			(void)close(in);
	}
	close_scene(&s);
}

#define WAY(name) \
	TEST(name##_leads_nowhere) { check_way(t, #name); }

WAY(ipv4)
WAY(ipv6)
WAY(udp)
WAY(raw)
WAY(abstract)
WAY(named)
WAY(dbus)
WAY(descriptor)
WAY(proc)
WAY(first)
WAY(signal)
WAY(ptrace)
WAY(setns)
WAY(mount)
WAY(tiocsti)
WAY(device)
WAY(core)
WAY(read)
WAY(write)
WAY(up)

/* ---- bombs ---- */

static int explode(struct test *t, struct scene *s, const char *script)
{
	const char *const argv[] = { "bash", "-c", script, NULL };

	return run_inside(t, s, RUNNER_NETWORK_NONE, argv, "", -1);
}

TEST(a_fork_bomb_is_contained)
{
	struct scene s;

	if (open_scene(t, &s)) {
		CHECK(explode(t, &s,
		              "perl -e 'for (1..1000) { $p = fork; last if !defined $p; "
		              "if (!$p) { sleep 20; exit } $n++ } exit($n < 300 ? 3 : 9)'") == 3);
		check_health(t, &s);
		(void)explode(t, &s, "b() { b | b & }; b; sleep 1; kill -9 -1");
		check_health(t, &s);
	}
	close_scene(&s);
}

TEST(a_memory_bomb_is_contained)
{
	struct scene s;

	if (open_scene(t, &s)) {
		int status = explode(t, &s, "perl -e '$x = \"x\" x (1 << 30); print length $x'");

		CHECK(status != 0);
		CHECK(lb_bytes_find(lb_buf_bytes(&s.output), LB_B("1073741824")) == SIZE_MAX);
		check_health(t, &s);
		/* Files in memory count as well: /dev/shm and an empty /tmp. */
		CHECK(explode(t, &s, "head -c 1G /dev/zero > /dev/shm/x && exit 9; exit 3") != 9);
		check_health(t, &s);
	}
	close_scene(&s);
}

TEST(a_disk_bomb_is_contained)
{
	struct scene s;

	if (open_scene(t, &s)) {
		CHECK(explode(t, &s,
		              "i=0; while :; do i=$((i+1)); head -c 4M /dev/zero > f$i || exit 9; "
		              "test $i -lt 200 || exit 0; sleep 0.01; done") == -(int)LB_E_LIMIT);
		CHECK(explode(t, &s, "rm -f f*; head -c 1G /dev/zero > one") != 0);
		CHECK(explode(t, &s, "rm -f one; test $(ls | wc -l) -le 2") == 0);
		check_health(t, &s);
	}
	close_scene(&s);
}
