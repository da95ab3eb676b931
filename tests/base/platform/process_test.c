/* process_test.c - starting, waiting, ending: exit codes, signals, groups, descriptors. */
#include "base/platform/plat.h"
#include "base/platform/process.h"
#include "tests/harness/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct plat_spawn shell(const char *const argv[4])
{
	return (struct plat_spawn){ .argv = argv, .in = -1, .out = -1, .err = 2 };
}

#define SH(script) \
	(const char *const[4]) { "sh", "-c", (script), NULL }

/* Run a script to its end and say how it ended, -1 where it could not be started. */
static int status_of(struct test *t, const struct plat_spawn *how)
{
	struct plat_process process;
	struct plat_exit end;

	if (!CHECK_OK(plat_spawn(&process, how)))
		return -1;
	CHECK_OK(plat_process_wait(&end, &process, UINT64_MAX));
	CHECK(process.ended && process.pidfd == -1);
	return plat_exit_status(end);
}

TEST(process_exit_status_and_signal_are_told)
{
	struct plat_spawn how = shell(SH("exit 7"));
	struct plat_process process;
	struct plat_exit end;

	CHECK(status_of(t, &how) == 7);
	how = shell(SH("kill -9 $$"));
	CHECK_OK(plat_spawn(&process, &how));
	CHECK_OK(plat_process_wait(&end, &process, 10000));
	CHECK(end.signaled && end.number == SIGKILL && plat_exit_status(end) == 137);
}

TEST(process_failure_to_start_is_known_at_once)
{
	const char *folder = test_folder(t);
	char plain[256], wrong[256];
	struct plat_process process;
	const char *argv[] = { "no-such-program-here", NULL };
	struct plat_spawn how = { .argv = argv, .in = -1, .out = -1, .err = -1 };
	int file;

	CHECK(lb_code_of(plat_spawn(&process, &how)) == LB_E_NOTFOUND && process.pid == -1);
	argv[0] = "/no/such/program";
	CHECK(lb_code_of(plat_spawn(&process, &how)) == LB_E_NOTFOUND);
	argv[0] = "";
	CHECK(lb_code_of(plat_spawn(&process, &how)) == LB_E_NOTFOUND);
	(void)snprintf(plain, sizeof plain, "%s/plain", folder);
	(void)snprintf(wrong, sizeof wrong, "%s/wrong", folder);
	file = open(plain, O_WRONLY | O_CREAT, 0644);
	CHECK(file >= 0 && close(file) == 0);
	argv[0] = plain;
	CHECK(lb_code_of(plat_spawn(&process, &how)) == LB_E_DENIED);
	file = open(wrong, O_WRONLY | O_CREAT, 0755);
	CHECK(file >= 0 && write(file, "text\n", 5) == 5 && close(file) == 0);
	argv[0] = wrong;
	CHECK(lb_code_of(plat_spawn(&process, &how)) == LB_E_UNSUPPORTED);
	argv[0] = "sh";
	how.cwd = "/no/such/folder";
	CHECK(lb_code_of(plat_spawn(&process, &how)) == LB_E_NOTFOUND);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1); /* none of them was left unwaited for */
}

TEST(process_is_looked_up_in_the_path_it_is_given)
{
	const char *folder = test_folder(t);
	char tool[256], path[600];
	const char *const argv[] = { "lb-test-tool", NULL };
	const char *const envp[] = { path, NULL };
	struct plat_spawn how = { .argv = argv, .envp = envp, .in = -1, .out = -1, .err = 2 };
	struct plat_process process;
	int file;

	(void)snprintf(tool, sizeof tool, "%s/lb-test-tool", folder);
	file = open(tool, O_WRONLY | O_CREAT, 0755);
	CHECK(file >= 0 && write(file, "#!/bin/sh\nexit 3\n", 17) == 17 && close(file) == 0);
	(void)snprintf(path, sizeof path, "PATH=/nowhere:/dev/null:%s", folder);
	CHECK(status_of(t, &how) == 3);
	(void)snprintf(path, sizeof path, "PATH=/nowhere");
	CHECK(lb_code_of(plat_spawn(&process, &how)) == LB_E_NOTFOUND);
	/* A file that may not be run is passed over, and said where no other is found. */
	CHECK(chmod(tool, 0644) == 0);
	(void)snprintf(path, sizeof path, "PATH=%s:/nowhere", folder);
	CHECK(lb_code_of(plat_spawn(&process, &how)) == LB_E_DENIED);
	/* An empty part is the folder it starts in. */
	CHECK(chmod(tool, 0755) == 0);
	(void)snprintf(path, sizeof path, "PATH=:/nowhere");
	how.cwd = folder;
	CHECK(status_of(t, &how) == 3);
}

TEST(process_wait_times_out_and_can_be_repeated)
{
	struct plat_spawn how = shell(SH("exec sleep 30"));
	struct plat_process process;
	struct plat_exit end;
	uint64_t start = plat_host.ops->now_ns(&plat_host), gone;

	CHECK_OK(plat_spawn(&process, &how));
	CHECK(lb_code_of(plat_process_wait(&end, &process, 0)) == LB_E_TIMEOUT);
	CHECK(lb_code_of(plat_process_wait(&end, &process, 50)) == LB_E_TIMEOUT);
	gone = plat_host.ops->now_ns(&plat_host) - start;
	CHECK(gone >= 50000000 && gone < 5000000000);
	CHECK(process.pidfd >= 0 && !process.ended);
	plat_process_signal(&process, PLAT_TERMINATE);
	CHECK_OK(plat_process_wait(&end, &process, 10000));
	CHECK(end.signaled && end.number == SIGTERM);
	plat_process_signal(&process, PLAT_KILL); /* gone: nothing happens */
}

/* Read until the other ends are all closed. */
static size_t read_whole(int fd, char *to, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, to + len, size - 1 - len)) > 0)
		len += (size_t)n;
	to[len] = '\0';
	return len;
}

TEST(process_group_dies_with_grandchildren)
{
	struct plat_spawn how =
		shell(SH("(sleep 60; echo late) & (sleep 60 & wait) & echo up; wait"));
	struct plat_process process;
	struct plat_exit end;
	int ours, theirs;
	char text[64];

	CHECK_OK(plat_pipe(&ours, &theirs));
	how.out = theirs;
	CHECK_OK(plat_spawn(&process, &how));
	(void)close(theirs);
	CHECK(read(ours, text, 3) == 3);
	plat_process_signal(&process, PLAT_KILL);
	CHECK_OK(plat_process_wait(&end, &process, 10000));
	/* The pipe ends only when the last of them is gone. */
	CHECK(read_whole(ours, text, sizeof text) == 0);
	(void)close(ours);
}

TEST(process_group_can_be_ended_after_its_leader)
{
	struct plat_spawn how = shell(SH("sleep 60 & exit 0"));
	struct plat_process process;
	struct plat_exit end;
	int ours, theirs;
	char text[8];

	CHECK_OK(plat_pipe(&ours, &theirs));
	how.out = theirs;
	CHECK_OK(plat_spawn(&process, &how));
	(void)close(theirs);
	CHECK_OK(plat_process_wait(&end, &process, 10000));
	plat_process_signal(&process, PLAT_KILL);
	CHECK(read_whole(ours, text, sizeof text) == 0);
	(void)close(ours);
}

TEST(process_sees_its_descriptors_and_no_others)
{
	/* 3 and 4 cross over, so that neither may be put in place before the other was moved. */
	struct plat_fd fds[2];
	struct plat_spawn how = shell(
		SH("echo three >&3; echo four >&4; cd /proc/self/fd && echo * && pwd >/dev/null"));
	int ends[3][2], stray = open("/dev/null", O_RDONLY); /* not closed on exec by itself */
	char text[3][64];
	int low[2];

	for (int i = 0; i < 3; i++)
		CHECK_OK(plat_pipe(&ends[i][0], &ends[i][1]));
	low[0] = fcntl(ends[0][1], F_DUPFD, 3);
	low[1] = fcntl(ends[1][1], F_DUPFD, 3);
	fds[0] = (struct plat_fd){ low[0], low[1] };
	fds[1] = (struct plat_fd){ low[1], low[0] };
	CHECK(stray > 2 && low[0] > 2 && low[1] > 2);
	/* The shell reaches only descriptors below ten by number. */
	fds[0].child = 3;
	fds[1].child = 4;
	how.fds = fds;
	how.fd_count = 2;
	how.out = ends[2][1];
	CHECK(status_of(t, &how) == 0);
	(void)close(low[0]);
	(void)close(low[1]);
	(void)close(stray);
	for (int i = 0; i < 3; i++) {
		(void)close(ends[i][1]);
		(void)read_whole(ends[i][0], text[i], sizeof text[i]);
		(void)close(ends[i][0]);
	}
	CHECK_TEXT(text[0], "three\n");
	CHECK_TEXT(text[1], "four\n");
	/* 10 or so is the folder the shell lists. */
	CHECK(strncmp(text[2], "0 1 2 3 4", 9) == 0 || strncmp(text[2], "0 1 10 2 3 4", 12) == 0);
	CHECK(strlen(text[2]) <= 13);
}

TEST(process_descriptors_may_change_places)
{
	int ends[2][2], a, b;
	char text[2][16];
	struct plat_spawn how = shell(SH("echo out; echo err >&2"));

	for (int i = 0; i < 2; i++)
		CHECK_OK(plat_pipe(&ends[i][0], &ends[i][1]));
	/* What is to be 2 stands at 1 and the other way around. */
	(void)fflush(stdout);
	a = dup(1);
	b = dup(2);
	CHECK(dup2(ends[0][1], 2) == 2 && dup2(ends[1][1], 1) == 1);
	how.out = 2;
	how.err = 1;
	lb_err err;
	struct plat_process process;
	struct plat_exit end = { 0 };

	err = plat_spawn(&process, &how);
	if (!lb_failed(err))
		err = plat_process_wait(&end, &process, 10000);
	(void)dup2(a, 1);
	(void)dup2(b, 2);
	(void)close(a);
	(void)close(b);
	CHECK_OK(err);
	for (int i = 0; i < 2; i++) {
		(void)close(ends[i][1]);
		(void)read_whole(ends[i][0], text[i], sizeof text[i]);
		(void)close(ends[i][0]);
	}
	CHECK_TEXT(text[0], "out\n");
	CHECK_TEXT(text[1], "err\n");
}

TEST(process_starts_with_plain_signals)
{
	struct plat_spawn how = shell(SH("kill -TERM $$; exit 0"));
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	sigset_t term, mask;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigaction(SIGTERM, &ignore, &before);
	(void)sigprocmask(SIG_BLOCK, &term, &mask);
	CHECK(status_of(t, &how) == 128 + SIGTERM);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)sigaction(SIGTERM, &before, NULL);
}

TEST(process_dies_with_its_parent)
{
	int ours, theirs, parent;
	char text[8];

	CHECK_OK(plat_pipe(&ours, &theirs));
	(void)fflush(stdout);
	parent = fork();
	if (parent == 0) {
		struct plat_spawn how = shell(SH("exec sleep 60"));
		struct plat_process process;

		how.out = theirs;
		how.die_with_parent = true;
		if (lb_failed(plat_spawn(&process, &how)))
			_exit(1);
		_exit(0);
	}
	(void)close(theirs);
	CHECK(parent > 0 && waitpid(parent, NULL, 0) == parent);
	CHECK(read_whole(ours, text, sizeof text) == 0); /* ends when the sleeper is dead */
	(void)close(ours);
}

TEST(process_in_the_same_group_is_signalled_alone)
{
	struct plat_spawn how = shell(SH("exec sleep 60"));
	struct plat_process process;
	struct plat_exit end;

	how.same_group = true;
	CHECK_OK(plat_spawn(&process, &how));
	CHECK(getpgid(process.pid) == getpgrp());
	plat_process_signal(&process, PLAT_INTERRUPT);
	CHECK_OK(plat_process_wait(&end, &process, 10000));
	CHECK(end.signaled && end.number == SIGINT);
}

TEST(process_start_takes_less_than_a_millisecond)
{
	enum { ROUNDS = 100 };
	const char *const argv[] = { "/bin/true", NULL };
	struct plat_spawn how = { .argv = argv, .in = -1, .out = -1, .err = -1 };
	const char *preload = plat_getenv("LD_PRELOAD");
	uint64_t least = UINT64_MAX;

	if (preload != NULL && strstr(preload, "valgrind") != NULL)
		SKIP("time means nothing under valgrind");
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = plat_host.ops->now_ns(&plat_host), gone;
		struct plat_process process;
		struct plat_exit end;

		CHECK_OK(plat_spawn(&process, &how));
		gone = plat_host.ops->now_ns(&plat_host) - start;
		least = gone < least ? gone : least;
		CHECK_OK(plat_process_wait(&end, &process, UINT64_MAX));
	}
	printf("# %llu us at best\n", (unsigned long long)least / 1000);
	CHECK(least < 1000000); /* the best of many: the machine may be busy */
}

TEST(process_knows_itself)
{
	char path[1024], small[4];

	CHECK_OK(plat_self_path(path, sizeof path));
	CHECK(strstr(path, "process_test") != NULL);
	CHECK(lb_code_of(plat_self_path(small, sizeof small)) == LB_E_LIMIT);
	CHECK(plat_getenv("LB_NO_SUCH_VARIABLE") == NULL);
	CHECK(setenv("LB_EMPTY", "", 1) == 0 && plat_getenv("LB_EMPTY") == NULL);
	CHECK(setenv("LB_EMPTY", "x", 1) == 0 && plat_getenv("LB_EMPTY") != NULL);
}
