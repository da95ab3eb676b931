/* process_linux.c - see sandbox.h: following a sandboxed process to its end.
 *
 * Bubblewrap is two processes: the outer one, ours to wait for, and the inner one, first process of
 * the sandbox, whose end is the end of all in it.  A signal to the outer one would end the sandbox
 * at once (it dies with its parent), so the polite signals go to the inner one's group: as
 * first process it is deaf to them itself, and the command, which shares its group, hears them.
 */
#include "ci-runner/sandbox/process_priv.h"

#include "base/platform/plat.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t now_ns(void) { return plat_host.ops->now_ns(&plat_host); }

/* ---- bubblewrap's report ---- */

static bool number_behind(int *out, const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at != NULL && sscanf(at + strlen(key), " %d", out) == 1;
}

/* {"child-pid": 12} once the sandbox stands, {"exit-code": 0} once the command ended. */
static void read_report(struct runner_process *process)
{
	size_t room = sizeof process->report - 1 - process->report_len;
	ssize_t got = read(process->status, process->report + process->report_len, room);
	int code;

	if (got < 0 && errno == EINTR)
		return;
	if (got <= 0 || room == 0) {
		(void)close(process->status);
		process->status = -1;
		return;
	}
	process->report_len += (size_t)got;
	process->report[process->report_len] = '\0';
	if (process->inner == 0 &&
	    number_behind(&process->inner, process->report, "\"child-pid\":"))
		process->inner_fd = (int)syscall(SYS_pidfd_open, process->inner, 0);
	process->reported_exit = number_behind(&code, process->report, "\"exit-code\":");
}

/* ---- ending ---- */

enum phase { PHASE_RUNS, PHASE_INTERRUPTED, PHASE_TERMINATED, PHASE_KILLED };

struct following {
	struct runner_process *process;
	const struct runner_watch *watch;
	enum phase phase;
	uint64_t next_ns; /* when the next phase begins; 0: never */
	uint64_t disk_ns; /* when the disk is looked at next; 0: never */
	enum runner_ending how;
	lb_err limit; /* what was reached */
	struct lb_diag *diag;
};

static void tell(const struct following *f, enum plat_signal signal)
{
	const struct plat_process inner = { .pid = f->process->inner,
		                            .pidfd = -1,
		                            .own_group = true };

	if (inner.pid > 0 && f->process->inner_fd >= 0)
		plat_process_signal(&inner, signal);
	if (signal == PLAT_KILL || inner.pid <= 0)
		plat_process_signal(&f->process->outer, PLAT_KILL);
}

static void advance(struct following *f)
{
	switch (f->phase) {
	case PHASE_RUNS:
		tell(f, PLAT_INTERRUPT);
		f->next_ns = now_ns() + RUNNER_INTERRUPT_MS * UINT64_C(1000000);
		f->phase = PHASE_INTERRUPTED;
		break;
	case PHASE_INTERRUPTED:
		tell(f, PLAT_TERMINATE);
		f->next_ns = now_ns() + RUNNER_TERMINATE_MS * UINT64_C(1000000);
		f->phase = PHASE_TERMINATED;
		break;
	case PHASE_TERMINATED:
	case PHASE_KILLED:
		tell(f, PLAT_KILL);
		f->next_ns = 0;
		f->phase = PHASE_KILLED;
		break;
	}
}

static void look_at_wishes(struct following *f)
{
	const struct runner_watch *watch = f->watch;
	enum runner_stop_level level =
		watch->stop != NULL ? runner_stop_level(watch->stop) : RUNNER_STOP_NONE;

	if (level == RUNNER_STOP_FORGET && f->phase != PHASE_KILLED) {
		f->how = RUNNER_STOPPED;
		f->phase = PHASE_TERMINATED;
		advance(f);
	} else if (f->phase == PHASE_RUNS && level > watch->obey) {
		f->how = RUNNER_STOPPED;
		advance(f);
	} else if (f->phase == PHASE_RUNS && watch->deadline_ns != 0 &&
	           now_ns() >= watch->deadline_ns) {
		f->how = RUNNER_TIMED_OUT;
		advance(f);
	} else if (f->next_ns != 0 && now_ns() >= f->next_ns) {
		advance(f);
	}
}

static void look_at_disk(struct following *f)
{
	if (f->disk_ns == 0 || f->phase != PHASE_RUNS || now_ns() < f->disk_ns)
		return;
	f->limit = runner_disk_check(f->process, f->diag);
	f->disk_ns = now_ns() + RUNNER_DISK_MS * UINT64_C(1000000);
	if (lb_failed(f->limit)) {
		f->phase = PHASE_TERMINATED;
		advance(f);
	}
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a | b;
	return a < b ? a : b;
}

static int wait_ms(const struct following *f)
{
	uint64_t until = f->next_ns, now = now_ns();

	if (f->phase == PHASE_RUNS)
		until = sooner(f->watch->deadline_ns, f->disk_ns);
	if (until == 0)
		return -1;
	if (until <= now)
		return 0;
	/* Rounded up: waking too early would spin. */
	until = (until - now) / 1000000 + 1;
	return until > 3600000 ? 3600000 : (int)until;
}

/* ---- following ---- */

static bool pass_output(const struct following *f)
{
	unsigned char *part = f->process->part;
	ssize_t got = read(f->process->output, part, RUNNER_PART_BYTES);

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (got > 0 && f->watch->output != NULL)
		f->watch->output(f->watch->ctx, (struct lb_bytes){ part, (size_t)got });
	return got > 0;
}

static void follow(struct following *f)
{
	struct runner_process *process = f->process;
	bool runs = true, open = process->output >= 0;

	/* What the command started ends with it, so the output ends too: nothing to time here. */
	while (runs || open || process->status >= 0) {
		struct pollfd fds[] = {
			{ .fd = open ? process->output : -1, .events = POLLIN },
			{ .fd = runs ? process->outer.pidfd : -1, .events = POLLIN },
			{ .fd = process->status, .events = POLLIN },
			{ .fd = f->watch->stop != NULL ? f->watch->stop->wake_read : -1,
			  .events = POLLIN },
		};

		if (poll(fds, 4, wait_ms(f)) < 0 && errno != EINTR)
			break;
		if (fds[2].revents != 0)
			read_report(process);
		if (fds[0].revents != 0)
			open = pass_output(f);
		if (fds[1].revents != 0)
			runs = false;
		if (fds[3].revents != 0)
			runner_stop_drain(f->watch->stop);
		look_at_wishes(f);
		look_at_disk(f);
	}
}

/* The sandbox's first process ends when all others in it are gone. */
static void await_inner(const struct runner_process *process)
{
	struct pollfd inner = { .fd = process->inner_fd, .events = POLLIN };

	while (inner.fd >= 0 && poll(&inner, 1, -1) < 0 && errno == EINTR) {}
}

lb_err runner_process_watch(struct runner_end *out, struct runner_process *process,
                            const struct runner_watch *watch, struct lb_diag *diag)
{
	struct following f = {
		.process = process, .watch = watch, .how = RUNNER_EXITED, .diag = diag
	};
	struct plat_exit exit = { .number = 0 };
	lb_err err;

	if (process->sandbox->limits.disk > 0)
		f.disk_ns = now_ns() + RUNNER_DISK_MS * UINT64_C(1000000);
	follow(&f);
	err = plat_process_wait(&exit, &process->outer, UINT64_MAX);
	await_inner(process);
	if (process->output >= 0)
		(void)close(process->output);
	if (process->inner_fd >= 0)
		(void)close(process->inner_fd);
	process->output = process->inner_fd = -1;
	LB_DROP(process->mem, process->part, RUNNER_PART_BYTES);
	process->part = NULL;
	*out = (struct runner_end){ .how = f.how, .status = plat_exit_status(exit) };
	if (!lb_failed(err))
		err = f.limit;
	if (!lb_failed(err) && out->status != 0 && f.how == RUNNER_EXITED &&
	    runner_groups_kills(&process->sandbox->groups) > process->kills)
		return lb_fail(diag, LB_E_LIMIT,
		               "exit code %d: a process was ended because the job's memory, %llu "
		               "MiB, was used up (--limit memory=)",
		               out->status,
		               (unsigned long long)(process->sandbox->limits.memory >> 20));
	if (!lb_failed(err) && f.how == RUNNER_EXITED && !process->reported_exit)
		err = lb_fail(diag, LB_E_UNSUPPORTED,
		              exit.signaled ? "the sandbox of this command was killed from outside"
		                            : "the command could not be started in its sandbox");
	return err;
}
