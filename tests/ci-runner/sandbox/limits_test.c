/* limits_test.c - limits as they are written, control groups of both versions on folders that stand
 * for them, and a /proc that is partly covered. */
#include "base/io/file.h"
#include "base/platform/plat.h"
#include "ci-runner/sandbox/groups_priv.h"
#include "ci-runner/sandbox/sandbox.h"
#include "tests/harness/test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(limits_are_read)
{
	struct runner_limits limits = { .cpus = 3 };

	CHECK_OK(runner_limits_read(&limits, LB_B("memory=1.5G, processes=500,disk=20M"), NULL));
	CHECK(limits.memory == UINT64_C(3) << 29 && limits.processes == 500 &&
	      limits.disk == 20 << 20 && limits.cpus > 2.9);
	CHECK_OK(runner_limits_read(&limits, LB_B("cpus=0.5,memory=none"), NULL));
	CHECK(limits.memory == 0 && limits.cpus > 0.49 && limits.cpus < 0.51);
}

TEST(what_is_no_limit_is_said)
{
	static const char *const wrong[] = { "memory",
		                             "memory=",
		                             "memory=x",
		                             "memory=0",
		                             "time=3",
		                             "processes=-1",
		                             "cpus=0",
		                             "memory=1.2.3",
		                             "memory=99999999999T",
		                             "disk=1P",
		                             "=4" };

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct runner_limits limits = { 0 };
		struct lb_diag diag = { 0 };

		if (lb_code_of(runner_limits_read(&limits, lb_bytes_of(wrong[i]), &diag)) !=
		    LB_E_USAGE)
			printf("# %s\n", wrong[i]);
		CHECK(lb_bytes_find(lb_bytes_of(diag.text), lb_bytes_of(wrong[i])) != SIZE_MAX);
	}
}

TEST(the_usual_limits_leave_the_machine_something)
{
	struct runner_limits limits = runner_limits_usual();

	CHECK(limits.memory > 0 && limits.processes > 0 && limits.disk == 0);
	CHECK(limits.memory < (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
}

/* ---- control groups ---- */

static void put(struct test *t, const char *root, const char *path, const char *text)
{
	char whole[600], *slash;

	(void)snprintf(whole, sizeof whole, "%s%s", root, path);
	slash = strrchr(whole, '/');
	*slash = '\0';
	CHECK_OK(lb_file_make_folders(&plat_host, whole, NULL));
	*slash = '/';
	CHECK_OK(lb_file_write(&plat_host, whole, lb_bytes_of(text), 0, NULL));
}

static void check_file(struct test *t, const char *folder, const char *name, const char *want)
{
	struct lb_buf text;
	char path[1200];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	lb_buf_init(&text, t->mem, 4096);
	CHECK_OK(lb_file_read(&text, &plat_host, path, NULL));
	CHECK_BYTES(lb_buf_bytes(&text), want);
	lb_buf_release(&text);
}

static const struct runner_limits all = { .memory = 64 << 20, .processes = 30, .cpus = 1.5 };

/* The file that is open already, to write to. */
static int events_of(const struct runner_groups *groups)
{
	char path[1200];

	(void)snprintf(path, sizeof path, "%s/memory.events", groups->folders[0]);
	return open(path, O_WRONLY | O_CLOEXEC);
}

TEST(one_group_of_version_two_holds_all)
{
	const char *root = test_folder(t);
	static struct runner_groups groups; /* large for a stack */

	put(t, root, "/proc/self/cgroup", "0::/user.slice/unit\n");
	put(t, root, "/proc/self/mountinfo",
	    "30 23 0:26 / /cg rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
	put(t, root, "/cg/user.slice/unit/cgroup.controllers", "cpuset cpu io memory pids\n");
	CHECK_OK(runner_groups_make(&groups, t->mem, &all, root));
	CHECK(groups.version == 2 && groups.count == 1 && groups.memory && groups.processes &&
	      groups.cpus);
	if (groups.count == 1) {
		check_file(t, groups.folders[0], "memory.max", "67108864");
		check_file(t, groups.folders[0], "memory.swap.max", "0");
		check_file(t, groups.folders[0], "pids.max", "30");
		check_file(t, groups.folders[0], "cpu.max", "150000 100000");
		CHECK(pwrite(events_of(&groups), "low 0\noom 3\noom_kill 2\n", 23, 0) == 23);
		CHECK(runner_groups_kills(&groups) == 2);
	}
	runner_groups_remove(&groups);
}

TEST(version_one_has_a_group_for_each_limit)
{
	const char *root = test_folder(t);
	static struct runner_groups groups; /* large for a stack */

	put(t, root, "/proc/self/cgroup",
	    "8:pids:/a\n4:memory:/docker/x/b\n1:cpu,cpuacct:/\n0::/\n");
	put(t, root, "/proc/self/mountinfo",
	    "31 23 0:28 / /t rw - tmpfs tmpfs rw\n"
	    "32 31 0:29 / /t/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
	    "33 31 0:30 /docker/x /t/memory rw - cgroup cgroup rw,memory\n"
	    "34 31 0:31 / /t/pids rw shared:9 - cgroup cgroup rw,pids\n"
	    "35 31 0:32 / /t/unified rw - cgroup2 cgroup2 rw\n");
	put(t, root, "/t/cpu/tasks", "");
	put(t, root, "/t/memory/b/tasks", ""); /* the mount begins at /docker/x */
	put(t, root, "/t/pids/a/tasks", "");
	CHECK_OK(runner_groups_make(&groups, t->mem, &all, root));
	CHECK(groups.version == 1 && groups.count == 3);
	if (groups.count == 3) {
		check_file(t, groups.folders[0], "memory.limit_in_bytes", "67108864");
		check_file(t, groups.folders[1], "pids.max", "30");
		check_file(t, groups.folders[2], "cpu.cfs_quota_us", "150000");
	}
	runner_groups_remove(&groups);
}

TEST(without_groups_there_are_none)
{
	static struct runner_groups groups; /* large for a stack */

	CHECK_OK(runner_groups_make(&groups, t->mem, &all, test_folder(t)));
	CHECK(groups.version == 0 && groups.count == 0 && !groups.memory);
	runner_groups_remove(&groups);
}

TEST(groups_need_little_memory)
{
	EACH_OOM (t) {
		static struct runner_groups groups;

		lb_ignore(runner_groups_make(&groups, t->mem, &all, "/nowhere"));
		runner_groups_remove(&groups);
	}
}

/* Says by which means, and what is missing. */
TEST(the_text_names_what_holds)
{
	struct runner_sandbox *sandbox;

	CHECK_OK(runner_sandbox_new(&sandbox, t->mem, NULL, NULL));
	CHECK_OK(runner_sandbox_limit(
		sandbox, &(struct runner_limits){ .memory = 64 << 20, .processes = 500 }, NULL));
	CHECK(lb_bytes_find(lb_bytes_of(runner_sandbox_text(sandbox)), LB_B("64 MiB of memory")) !=
	      SIZE_MAX);
	CHECK(lb_bytes_find(lb_bytes_of(runner_sandbox_text(sandbox)), LB_B("held by ")) !=
	      SIZE_MAX);
	runner_sandbox_free(sandbox);
}

/* ---- a covered /proc ---- */

static bool cover_proc(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       (mount("none", "/proc/acpi", "tmpfs", 0, NULL) == 0 ||
	        mount("none", "/proc/fs", "tmpfs", 0, NULL) == 0);
}

/* In the child: 0 all well, 77 cannot be tried here. */
static int work_under_a_covered_proc(struct lb_mem *mem)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	static const char *const argv[] = {
		"sh", "-c",
		"test -r /proc/self/status && "
		"! cat /proc/*/environ 2>/dev/null | grep -q LB_COVERED && "
		"! ls -d /proc/[0-9]*/root/var/log 2>/dev/null && ! echo 1 > "
		"/proc/sys/vm/drop_caches",
		NULL
	};
	struct runner_sandbox *sandbox;
	struct runner_process process;
	struct runner_end end = { .status = -1 };
	const char *text;
	struct lb_diag diag = { 0 };
	int status = 0;

	if (!cover_proc())
		return 77;
	(void)setenv("LB_COVERED", "1", 1);
	if (lb_failed(runner_sandbox_new(&sandbox, mem, NULL, &diag)))
		return 1;
	text = runner_sandbox_text(sandbox);
	if (strstr(text, "no new /proc may be mounted here") == NULL)
		status = 2;
	if (lb_failed(runner_process_start(
		    &process, sandbox,
		    &(struct runner_command){
			    .argv = argv, .env = env, .network = RUNNER_NETWORK_NONE },
		    &diag)) ||
	    lb_failed(runner_process_watch(&end, &process, &(struct runner_watch){ 0 }, &diag)) ||
	    end.status != 0)
		status = 3;
	if (status != 0)
		printf("# %d: %s; %s\n", status, diag.text, text);
	runner_sandbox_free(sandbox);
	(void)fflush(stdout);
	return status;
}

TEST(a_covered_proc_is_shown_as_it_is)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(work_under_a_covered_proc(t->mem));
	(void)waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("nothing may be mounted here");
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
