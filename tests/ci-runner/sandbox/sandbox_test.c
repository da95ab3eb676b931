/* sandbox_test.c - what a sandboxed command can reach, and that nothing of it stays. */
#include "base/io/file.h"
#include "base/platform/plat.h"
#include "ci-runner/sandbox/sandbox.h"
#include "tests/ci-runner/sandbox/probe.h"
#include "tests/harness/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/tmp",
	                           "SECRET=in the environment", NULL };

struct output {
	struct lb_buf text;
};

static void keep(void *ctx, struct lb_bytes part)
{
	struct output *output = ctx;

	lb_buf_add(&output->text, part);
}

struct box {
	struct runner_sandbox *sandbox;
	const char *folder; /* writable */
	struct output output;
	struct runner_end end;
	struct runner_stop *stop;
	uint64_t deadline_ns;
};

static bool open_box(struct test *t, struct box *box)
{
	struct lb_diag diag;
	lb_err err;

	*box = (struct box){ .folder = test_folder(t) };
	lb_buf_init(&box->output.text, t->mem, 16 * 1024 * 1024);
	err = runner_sandbox_new(&box->sandbox, t->mem, NULL, &diag);
	if (!lb_failed(err))
		err = runner_sandbox_check(box->sandbox, RUNNER_NETWORK_NONE, &diag);
	if (lb_failed(err))
		printf("# %s\n", lb_diag_text(&diag, err));
	CHECK(!lb_failed(err));
	return !lb_failed(err);
}

static void close_box(struct box *box)
{
	lb_buf_release(&box->output.text);
	runner_sandbox_free(box->sandbox);
}

/* Run a shell script; its exit status, its output in the box. */
static int run(struct test *t, struct box *box, enum runner_network network, const char *script)
{
	const char *const argv[] = { "bash", "-c", script, NULL };
	const char *const writable[] = { box->folder, NULL };
	struct runner_process process;
	struct lb_diag diag;

	lb_buf_reset(&box->output.text);
	if (!CHECK_OK(runner_process_start(&process, box->sandbox,
	                                   &(struct runner_command){ .argv = argv,
	                                                             .env = env,
	                                                             .cwd = box->folder,
	                                                             .writable = writable,
	                                                             .network = network },
	                                   &diag)))
		return -1;
	if (!CHECK_OK(
		    runner_process_watch(&box->end, &process,
	                                 &(struct runner_watch){ .output = keep,
	                                                         .ctx = &box->output,
	                                                         .stop = box->stop,
	                                                         .deadline_ns = box->deadline_ns },
	                                 &diag)))
		return -1;
	if (box->end.status != 0)
		printf("# status %d: %s\n", box->end.status, lb_buf_text(&box->output.text));
	return box->end.status;
}

/* Run this program in the sandbox, as a probe (probe.h). */
static int run_probe(struct test *t, struct box *box, enum runner_network network, const char *what)
{
	char path[512], script[64];

	(void)snprintf(path, sizeof path, "%s/probe", box->folder);
	(void)snprintf(script, sizeof script, "LB_PROBE=%s ./probe", what);
	if (!lb_file_exists(&plat_host, path))
		CHECK_OK(lb_file_copy(&plat_host, path, "/proc/self/exe", NULL));
	return run(t, box, network, script);
}

TEST(status_and_output_come_through)
{
	struct box box;

	if (open_box(t, &box)) {
		CHECK(run(t, &box, RUNNER_NETWORK_FULL, "echo out; echo err >&2; exit 7") == 7);
		CHECK_BYTES(lb_buf_bytes(&box.output.text), "out\nerr\n");
		CHECK(run(t, &box, RUNNER_NETWORK_FULL, "kill -9 $$") == 137);
	}
	close_box(&box);
}

TEST(environment_is_what_was_given)
{
	struct box box;

	if (open_box(t, &box)) {
		(void)setenv("LIFEBOAT_TEST_TOKEN", "of the runner", 1);
		CHECK(run(t, &box, RUNNER_NETWORK_FULL,
		          "env | sort | grep -v -e ^_= -e ^SHLVL= -e ^PWD= -e ^OLDPWD=") == 0);
		CHECK_BYTES(lb_buf_bytes(&box.output.text),
		            "HOME=/tmp\nPATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin\n"
		            "SECRET=in the environment\n");
		/* Nor does any list of processes show it. */
		CHECK(run(t, &box, RUNNER_NETWORK_FULL,
		          "! cat /proc/1/cmdline | tr '\\0' ' ' | grep 'i[n] the env'") == 0);
		(void)unsetenv("LIFEBOAT_TEST_TOKEN");
	}
	close_box(&box);
}

TEST(a_library_in_the_environment_stays_inside)
{
	static const char *const preload[] = { "PATH=/usr/bin:/bin", "LD_PRELOAD=/nowhere/evil.so",
		                               NULL };
	static const char *const argv[] = { "true", NULL };
	struct runner_process process;
	struct lb_diag diag;
	struct box box;

	if (open_box(t, &box)) {
		CHECK_OK(runner_process_start(
			&process, box.sandbox,
			&(struct runner_command){ .argv = argv, .env = preload }, &diag));
		CHECK_OK(runner_process_watch(
			&box.end, &process,
			&(struct runner_watch){ .output = keep, .ctx = &box.output }, &diag));
		/* One complaint, of the command's own loader: bubblewrap did not see the variable.
		 */
		CHECK(lb_bytes_find(lb_buf_bytes(&box.output.text), LB_B("evil.so")) != SIZE_MAX);
		CHECK(lb_bytes_find(lb_bytes_from(lb_buf_bytes(&box.output.text),
		                                  lb_bytes_find(lb_buf_bytes(&box.output.text),
		                                                LB_B("evil.so")) +
		                                          1),
		                    LB_B("evil.so")) == SIZE_MAX);
	}
	close_box(&box);
}

TEST(the_disk_is_hidden_or_read_only)
{
	struct box box;

	if (open_box(t, &box)) {
		CHECK(run(t, &box, RUNNER_NETWORK_FULL,
		          "echo ok > file && cat file && test \"$(ls -A \"$PWD\")\" = file") == 0);
		CHECK(run(t, &box, RUNNER_NETWORK_FULL,
		          "for d in / /usr /usr/bin /etc /opt /var /var/lib /home /root; do"
		          "  if touch $d/lifeboat-was-here 2>/dev/null; then echo wrote $d; fi; "
		          "done;"
		          "for d in /root /home /var/log /var/cache /srv /mnt /sys /boot; do"
		          "  if ls -A $d 2>/dev/null | grep .; then echo saw $d; fi; done;"
		          "ls -A /run | grep -v '^lifeboat$'; true") == 0);
		CHECK_BYTES(lb_buf_bytes(&box.output.text), "");
		CHECK(run(t, &box, RUNNER_NETWORK_FULL,
		          "for f in /etc/shadow /etc/gshadow /etc/sudoers; do"
		          "  if test -s $f && cat $f 2>/dev/null; then echo read $f; fi; done;"
		          "ls -A /etc/ssl/private 2>/dev/null; true") == 0);
		CHECK_BYTES(lb_buf_bytes(&box.output.text), "");
	}
	close_box(&box);
}

TEST(ordinary_work_goes_on)
{
	struct box box;

	if (open_box(t, &box)) {
		CHECK(run(t, &box, RUNNER_NETWORK_NONE,
		          "set -e; test \"$(id -u)\" = 1001; ! grep -q 'Cap...:.*[1-9a-f]' "
		          "/proc/self/status; dpkg-query -W bash >/dev/null; git init -q r; cd r;"
		          "git config user.name n; git config user.email e; echo 'int main(void)"
		          "{return 0;}' > a.c; git add a.c; git commit -q -m m; printf 'a: "
		          "a.c\\n\\tcc "
		          "-o a a.c\\n' > Makefile; make -s; ./a; echo x > /tmp/y; echo x > "
		          "/dev/shm/y;"
		          "test -c /dev/null; test -r /dev/urandom") == 0);
	}
	close_box(&box);
}

TEST(no_network_means_none)
{
	struct box box;

	if (open_box(t, &box)) {
		CHECK(run(t, &box, RUNNER_NETWORK_NONE,
		          "grep -v -e lo: -e '|' /proc/net/dev; true") == 0);
		CHECK_BYTES(lb_buf_bytes(&box.output.text), "");
		CHECK(run_probe(t, &box, RUNNER_NETWORK_NONE, PROBE_NETWORK) == 0);
		CHECK_BYTES(lb_buf_bytes(&box.output.text), "loopback\n");
		CHECK(run(t, &box, RUNNER_NETWORK_NONE,
		          "if command -v curl >/dev/null; then ! curl -sS -m 3 http://192.0.2.1/; "
		          "fi") == 0);
	}
	close_box(&box);
}

TEST(calls_that_lead_around_namespaces_are_refused)
{
	struct box box;

	if (open_box(t, &box)) {
		CHECK(run_probe(t, &box, RUNNER_NETWORK_FULL, PROBE_CALLS) == 0);
		CHECK_BYTES(lb_buf_bytes(&box.output.text), "");
	}
	close_box(&box);
}

/* The host's loopback and abstract sockets are the host's. */
TEST(no_network_hides_the_hosts_own)
{
	struct box box;

	if (open_box(t, &box)) {
		CHECK(run(t, &box, RUNNER_NETWORK_NONE, "readlink /proc/self/ns/net > ns") == 0);
		CHECK(run(t, &box, RUNNER_NETWORK_FULL,
		          "test \"$(readlink /proc/self/ns/net)\" != \"$(cat ns)\"") == 0);
		CHECK(run(t, &box, RUNNER_NETWORK_NONE, "grep -c @ /proc/net/unix; true") == 0);
		CHECK_BYTES(lb_buf_bytes(&box.output.text), "0\n");
	}
	close_box(&box);
}

/* How many processes of this machine have this text in their command line. */
static unsigned count_processes(struct test *t, const char *text)
{
	unsigned count = 0;

	for (unsigned pid = 1; pid < 4194304; pid++) {
		struct lb_buf line;
		char path[64];

		(void)snprintf(path, sizeof path, "/proc/%u", pid);
		if (access(path, F_OK) != 0) {
			if (pid > 400000)
				break;
			continue;
		}
		(void)snprintf(path, sizeof path, "/proc/%u/cmdline", pid);
		lb_buf_init(&line, t->mem, 1 << 20);
		if (!lb_failed(lb_file_read(&line, &plat_host, path, NULL)) &&
		    lb_bytes_find(lb_buf_bytes(&line), lb_bytes_of(text)) != SIZE_MAX)
			count++;
		lb_buf_release(&line);
	}
	return count;
}

TEST(survivors_end_with_their_command)
{
	struct box box;

	if (open_box(t, &box)) {
		char mark[64], script[512];

		(void)snprintf(mark, sizeof mark, "98765.%d", (int)getpid());
		(void)snprintf(script, sizeof script,
		               "setsid sleep %s </dev/null >/dev/null 2>&1 & (sleep %s &) & "
		               "sleep 0.1; echo done",
		               mark, mark);
		CHECK(run(t, &box, RUNNER_NETWORK_FULL, script) == 0);
		CHECK_BYTES(lb_buf_bytes(&box.output.text), "done\n");
		CHECK(count_processes(t, mark) == 0);
	}
	close_box(&box);
}

struct raising {
	struct runner_stop *stop;
	struct output *output;
};

static void keep_and_raise(void *ctx, struct lb_bytes part)
{
	struct raising *raising = ctx;

	keep(raising->output, part);
	runner_stop_raise(raising->stop, RUNNER_STOP_CANCEL);
}

TEST(a_cancelled_command_hears_it_first)
{
	static const char *const argv[] = {
		"bash", "-c", "trap 'echo interrupted; exit 3' INT; echo begun; sleep 60 & wait",
		NULL
	};
	struct runner_process process;
	struct runner_stop stop;
	struct box box;

	CHECK_OK(runner_stop_init(&stop));
	if (open_box(t, &box)) {
		struct raising raising = { &stop, &box.output };
		uint64_t begin = plat_host.ops->now_ns(&plat_host);

		CHECK_OK(runner_process_start(&process, box.sandbox,
		                              &(struct runner_command){ .argv = argv, .env = env },
		                              NULL));
		CHECK_OK(runner_process_watch(&box.end, &process,
		                              &(struct runner_watch){ .output = keep_and_raise,
		                                                      .ctx = &raising,
		                                                      .stop = &stop },
		                              NULL));
		CHECK(box.end.how == RUNNER_STOPPED && box.end.status == 3);
		CHECK_BYTES(lb_buf_bytes(&box.output.text), "begun\ninterrupted\n");
		CHECK(plat_host.ops->now_ns(&plat_host) - begin < UINT64_C(3000000000));
	}
	close_box(&box);
	runner_stop_release(&stop);
}

TEST(a_deadline_ends_what_does_not_listen)
{
	struct box box;

	if (open_box(t, &box)) {
		uint64_t begin = plat_host.ops->now_ns(&plat_host), took;

		box.deadline_ns = begin + 200000000;
		(void)run(t, &box, RUNNER_NETWORK_FULL,
		          "trap '' INT TERM; sleep 60 & while :; do wait; "
		          "sleep 0.2; done");
		took = plat_host.ops->now_ns(&plat_host) - begin;
		CHECK(box.end.how == RUNNER_TIMED_OUT);
		CHECK(took > UINT64_C(10000000000) && took < UINT64_C(14000000000));
	}
	close_box(&box);
}

TEST(forgetting_kills_at_once)
{
	struct runner_stop stop;
	struct box box;

	CHECK_OK(runner_stop_init(&stop));
	if (open_box(t, &box)) {
		uint64_t begin = plat_host.ops->now_ns(&plat_host);

		box.stop = &stop;
		runner_stop_raise(&stop, RUNNER_STOP_FORGET);
		(void)run(t, &box, RUNNER_NETWORK_FULL, "trap '' INT TERM; sleep 60");
		CHECK(box.end.how == RUNNER_STOPPED);
		CHECK(plat_host.ops->now_ns(&plat_host) - begin < UINT64_C(2000000000));
	}
	close_box(&box);
	runner_stop_release(&stop);
}

TEST(what_cannot_be_set_up_is_an_error)
{
	static const char *const argv[] = { "true", NULL };
	static const char *const nowhere[] = { "/nowhere/at/all", NULL };
	struct runner_process process;
	struct lb_diag diag;
	struct box box;

	if (open_box(t, &box)) {
		CHECK_OK(runner_process_start(
			&process, box.sandbox,
			&(struct runner_command){ .argv = argv, .env = env, .writable = nowhere },
			&diag));
		CHECK(lb_code_of(runner_process_watch(&box.end, &process,
		                                      &(struct runner_watch){ .output = keep,
		                                                              .ctx = &box.output },
		                                      &diag)) == LB_E_UNSUPPORTED);
		CHECK(lb_bytes_find(lb_buf_bytes(&box.output.text), LB_B("/nowhere/at/all")) !=
		      SIZE_MAX);
	}
	close_box(&box);
}

TEST(without_bubblewrap_nothing_runs)
{
	const char *path = getenv("PATH");
	char *kept = lb_mem_text(&lb_mem_host, path, strlen(path));
	struct runner_sandbox *sandbox;
	struct lb_diag diag;

	(void)setenv("PATH", "/nowhere", 1);
	CHECK(lb_code_of(runner_sandbox_new(&sandbox, t->mem, NULL, &diag)) == LB_E_UNSUPPORTED);
	CHECK(sandbox == NULL);
	CHECK(lb_bytes_find(lb_bytes_of(diag.text), LB_B("bwrap")) != SIZE_MAX);
	(void)setenv("PATH", kept, 1);
	lb_mem_drop(&lb_mem_host, kept, strlen(kept) + 1, 1);
}

TEST(large_output_is_whole)
{
	struct box box;

	if (open_box(t, &box)) {
		CHECK(run(t, &box, RUNNER_NETWORK_FULL, "seq 1 500000") == 0);
		CHECK(box.output.text.len == 3388895);
	}
	close_box(&box);
}

TEST(starting_survives_every_oom)
{
	static const char *const argv[] = { "true", NULL };

	EACH_OOM (t) {
		struct runner_sandbox *sandbox;
		struct runner_process process;
		struct runner_end end;
		lb_err err = runner_sandbox_new(&sandbox, t->mem, NULL, NULL);

		if (!lb_failed(err)) {
			err = runner_process_start(
				&process, sandbox,
				&(struct runner_command){ .argv = argv, .env = env }, NULL);
			if (!lb_failed(err))
				err = runner_process_watch(&end, &process,
				                           &(struct runner_watch){ 0 }, NULL);
		}
		runner_sandbox_free(sandbox);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
	}
}
