/* run_posix.c - run.h by pipes and poll. */
#include "base/io/run.h"

#include "base/platform/plat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { STREAM_IN, STREAM_OUT, STREAM_ERR, STREAMS };

/* A program that runs, and our ends of its streams. */
struct running {
	struct plat_process process;
	int fds[STREAMS]; /* -1: none, or at its end */
	struct lb_bytes input;
	struct lb_buf *bufs[STREAMS];
	uint64_t ask_at_ms, kill_at_ms; /* UINT64_MAX: never */
	bool timed_out;
	lb_err failure; /* why it is being killed */
};

static uint64_t now_ms(void) { return plat_host.ops->now_ns(&plat_host) / 1000000; }

static void close_stream(struct running *run, int which)
{
	if (run->fds[which] >= 0)
		(void)close(run->fds[which]);
	run->fds[which] = -1;
}

/* ---- writing without a signal when the child does not want it ---- */

static ssize_t write_quietly(int fd, struct lb_bytes bytes)
{
	static const struct timespec at_once = { 0 };
	sigset_t pipe_only, before, pending;
	bool was_pending;
	ssize_t n;
	int number;

	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	(void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	n = write(fd, bytes.at, bytes.len);
	number = errno;
	if (n < 0 && number == EPIPE && !was_pending)
		(void)sigtimedwait(&pipe_only, NULL, &at_once);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = number;
	return n;
}

static void feed(struct running *run)
{
	ssize_t n = write_quietly(run->fds[STREAM_IN], run->input);

	if (n >= 0)
		run->input = lb_bytes_from(run->input, (size_t)n);
	else if (errno == EAGAIN || errno == EINTR)
		return;
	/* It closed its end: how it ends will tell whether it minded. */
	if (n < 0 || run->input.len == 0)
		close_stream(run, STREAM_IN);
}

/* ---- reading ---- */

/* Take what is there.  False when there is no more to be had now. */
static bool gather(struct running *run, int which)
{
	enum { AT_ONCE_MAX = 65536 };
	struct lb_buf *buf = run->bufs[which];
	size_t room = buf->bytes_max - buf->len;
	size_t len = room < AT_ONCE_MAX ? room : AT_ONCE_MAX;
	unsigned char spare, *to = &spare;
	ssize_t n;

	if (len > 0)
		to = lb_buf_reserve(buf, len);
	if (to == NULL) {
		run->failure = lb_buf_check(buf);
		return false;
	}
	n = read(run->fds[which], to, len > 0 ? len : 1);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		close_stream(run, which);
		return false;
	}
	if (len == 0) { /* full, and there is more */
		run->failure = lb_err_at(LB_E_LIMIT, buf->bytes_max);
		return false;
	}
	buf->len += (size_t)n;
	buf->at[buf->len] = '\0';
	return true;
}

/* ---- life ---- */

/* A pipe for one stream: ours does not block, the child's does. */
static lb_err open_stream(struct running *run, int which, int *theirs)
{
	int ours = -1, flags;
	lb_err err = which == STREAM_IN ? plat_pipe(theirs, &ours) : plat_pipe(&ours, theirs);

	if (lb_failed(err))
		return err;
	run->fds[which] = ours;
	flags = fcntl(ours, F_GETFL);
	return flags >= 0 && fcntl(ours, F_SETFL, flags | O_NONBLOCK) == 0 ? LB_OK
	                                                                   : lb_err_errno(errno);
}

static lb_err start(struct running *run, const struct lb_run *how)
{
	int theirs[STREAMS] = { -1, -1, -1 };
	bool one = run->bufs[STREAM_OUT] != NULL && run->bufs[STREAM_OUT] == run->bufs[STREAM_ERR];
	lb_err err = LB_OK;

	if (run->input.len > 0)
		err = open_stream(run, STREAM_IN, &theirs[STREAM_IN]);
	if (!lb_failed(err) && run->bufs[STREAM_OUT] != NULL)
		err = open_stream(run, STREAM_OUT, &theirs[STREAM_OUT]);
	if (!lb_failed(err) && run->bufs[STREAM_ERR] != NULL && !one)
		err = open_stream(run, STREAM_ERR, &theirs[STREAM_ERR]);
	if (!lb_failed(err))
		err = plat_spawn(&run->process,
		                 &(struct plat_spawn){
					 .argv = how->argv,
					 .envp = how->envp,
					 .cwd = how->cwd,
					 .in = theirs[STREAM_IN],
					 .out = theirs[STREAM_OUT],
					 .err = theirs[one ? STREAM_OUT : STREAM_ERR],
				 });
	for (int i = 0; i < STREAMS; i++) {
		if (theirs[i] >= 0)
			(void)close(theirs[i]);
	}
	return err;
}

/* Ask it to end when its time is over, then make it. */
static void enforce_time(struct running *run)
{
	uint64_t now = now_ms();

	if (now >= run->kill_at_ms) {
		plat_process_signal(&run->process, PLAT_KILL);
		run->kill_at_ms = UINT64_MAX;
	} else if (now >= run->ask_at_ms) {
		plat_process_signal(&run->process, PLAT_TERMINATE);
		run->timed_out = true;
		run->ask_at_ms = UINT64_MAX;
		run->kill_at_ms = now + LB_RUN_GRACE_MS;
	}
}

static int poll_timeout(const struct running *run)
{
	enum { WITHOUT_PIDFD_MS = 10 };
	uint64_t at = run->ask_at_ms < run->kill_at_ms ? run->ask_at_ms : run->kill_at_ms;
	uint64_t now = now_ms(), left = at > now ? at - now : 0;

	if (run->process.pidfd < 0)
		return left < WITHOUT_PIDFD_MS ? (int)left : WITHOUT_PIDFD_MS;
	if (at == UINT64_MAX)
		return -1;
	return left < INT32_MAX ? (int)left : INT32_MAX;
}

/* Wait for something to happen, and do it. */
static void step(struct running *run)
{
	struct pollfd polled[STREAMS + 1] = {
		{ .fd = run->fds[STREAM_IN], .events = POLLOUT },
		{ .fd = run->fds[STREAM_OUT], .events = POLLIN },
		{ .fd = run->fds[STREAM_ERR], .events = POLLIN },
		{ .fd = run->process.pidfd, .events = POLLIN },
	};

	if (poll(polled, STREAMS + 1, poll_timeout(run)) <= 0)
		return;
	if (polled[STREAM_IN].revents != 0)
		feed(run);
	for (int i = STREAM_OUT; i <= STREAM_ERR && !lb_failed(run->failure); i++) {
		if (polled[i].revents != 0)
			(void)gather(run, i);
	}
}

/* Until it has ended.  Then what it wrote is in the pipes, whoever else still holds them. */
static lb_err follow(struct plat_exit *status, struct running *run)
{
	lb_err err;

	do {
		step(run);
		enforce_time(run);
		if (lb_failed(run->failure)) {
			plat_process_signal(&run->process, PLAT_KILL);
			LB_TRY(plat_process_wait(status, &run->process, UINT64_MAX));
			return run->failure;
		}
		err = plat_process_wait(status, &run->process, 0);
	} while (lb_code_of(err) == LB_E_TIMEOUT);
	for (int i = STREAM_OUT; i <= STREAM_ERR && !lb_failed(err); i++) {
		while (run->fds[i] >= 0 && gather(run, i))
			continue;
		err = run->failure;
	}
	if (run->timed_out) {
		plat_process_signal(&run->process, PLAT_KILL); /* what it left behind */
		return lb_failed(err) ? err : lb_err_of(LB_E_TIMEOUT);
	}
	return err;
}

/* Why a program could not be started; a missing cwd looks like a missing program. */
static void explain_start(struct lb_diag *diag, const struct lb_run *how, lb_err err)
{
	struct plat_info info;

	if (how->cwd != NULL && lb_failed(plat_host.ops->info(&info, &plat_host, how->cwd)))
		lb_diag_set(diag, "cannot run %s: there is no folder %s", how->argv[0], how->cwd);
	else
		lb_diag_set(diag, "cannot run %s: %s", how->argv[0], lb_err_text(err));
}

static void explain_end(struct lb_diag *diag, const struct lb_run *how, lb_err err)
{
	if (lb_code_of(err) == LB_E_TIMEOUT)
		lb_diag_set(diag, "%s: not ended after %llu ms", how->argv[0],
		            (unsigned long long)how->timeout_ms);
	else if (lb_code_of(err) == LB_E_LIMIT)
		lb_diag_set(diag, "%s: printed more than the %zu bytes allowed", how->argv[0],
		            (size_t)lb_where(err));
	else
		lb_diag_set(diag, "%s: %s", how->argv[0], lb_err_text(err));
}

lb_err lb_run(struct plat_exit *status, const struct lb_run *how, struct lb_buf *out,
              struct lb_buf *err_out, struct lb_diag *diag)
{
	struct running run = {
		.fds = { -1, -1, -1 },
		.input = how->input,
		.bufs = { NULL, out, err_out },
		.ask_at_ms = how->timeout_ms > 0 ? now_ms() + how->timeout_ms : UINT64_MAX,
		.kill_at_ms = UINT64_MAX,
	};
	lb_err err;

	*status = (struct plat_exit){ 0 };
	err = start(&run, how);
	if (lb_failed(err)) {
		explain_start(diag, how, err);
	} else {
		err = follow(status, &run);
		if (lb_failed(err))
			explain_end(diag, how, err);
	}
	for (int i = 0; i < STREAMS; i++)
		close_stream(&run, i);
	return err;
}

/* The last line that says something. */
static struct lb_bytes last_line(struct lb_bytes text)
{
	enum { SHOWN_MAX = 400 };
	size_t end;

	text = lb_bytes_trim(text);
	end = lb_bytes_rfind_byte(text, '\n');
	if (end != SIZE_MAX)
		text = lb_bytes_from(text, end + 1);
	return lb_bytes_upto(lb_bytes_trim(text), SHOWN_MAX);
}

lb_err lb_run_ok(const struct lb_run *how, struct lb_buf *out, struct lb_diag *diag)
{
	enum { ERR_BYTES_MAX = 1 << 24 };
	struct lb_buf err_out;
	struct plat_exit status;
	struct lb_bytes line;
	lb_err err;

	lb_buf_init(&err_out, out != NULL ? out->mem : &lb_mem_host, ERR_BYTES_MAX);
	err = lb_run(&status, how, out, &err_out, diag);
	if (!lb_failed(err) && plat_exit_status(status) != 0) {
		line = last_line(lb_buf_bytes(&err_out));
		err = lb_fail(diag, LB_E_FAILED, "%s: %s %d%s%.*s", how->argv[0],
		              status.signaled ? "ended by signal" : "exit status", status.number,
		              line.len > 0 ? ": " : "", LB_FMT(line));
	}
	lb_buf_release(&err_out);
	return err;
}
