/* process_linux.c - processes by clone, pidfd and close_range.
 *
 * The child shares this process's memory until it has become the other program (as with vfork,
 * so that starting does not depend on how much memory there is), on a stack of its own.  It may
 * therefore call nothing but system calls and write nothing but its struct child; a failure to
 * start is left there and known at once.  Valgrind and qemu's user mode make a plain fork of it;
 * for them the failure goes through a pipe as well.
 */
#include "base/platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 64 * 1024, STREAMS = 3, FDS_MAX = STREAMS + PLAT_SPAWN_FDS_MAX };

/* The address sanitizer would leave its marks on a stack that is never unwound. */
#define IN_CHILD __attribute__((no_sanitize("address")))

struct child {
	const struct plat_spawn *how;
	const char *const *envp;
	const char *path; /* the folders to search; NULL: argv[0] has a slash */
	struct plat_fd fds[FDS_MAX];
	size_t fd_count;
	int first_free; /* above every descriptor the child is to have */
	int parent_pid;
	bool ran;   /* the child's writes are seen by the parent */
	int report; /* the pipe for where they are not; closed by exec */
	int scope;  /* the rules that scope it; -1: none */
	int failed; /* errno of what went wrong in the child */
};

/* ---- in the child ---- */

/* Not memcpy, which a sanitizer may have replaced.  Returns the end. */
IN_CHILD static size_t put(char *to, size_t at, const char *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[at++] = from[i];
	return at;
}

IN_CHILD static size_t length_to(const char *text, char end)
{
	size_t len = 0;

	while (text[len] != '\0' && text[len] != end)
		len++;
	return len;
}

/* Sets every signal to its default, so that no handler of ours runs in the child. */
IN_CHILD static void reset_signals(void)
{
	struct sigaction plain;

	plain.sa_handler = SIG_DFL;
	plain.sa_flags = 0;
	(void)sigemptyset(&plain.sa_mask);
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &plain, NULL); /* refused for some: those are at it */
}

/* Every descriptor above the streams will be closed by exec. */
IN_CHILD static void close_on_exec(void)
{
	enum { SEARCHED_MAX = 65536 };

	if (close_range(STREAMS, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int fd = STREAMS; fd < SEARCHED_MAX; fd++) /* before Linux 5.11 */
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* First all out of the way of each other, then each to its place. */
IN_CHILD static bool place_descriptors(struct child *child)
{
	int moved[FDS_MAX], report = fcntl(child->report, F_DUPFD_CLOEXEC, child->first_free);

	if (report < 0)
		return false;
	child->report = report;
	for (size_t i = 0; i < child->fd_count; i++) {
		moved[i] = fcntl(child->fds[i].parent, F_DUPFD_CLOEXEC, child->first_free);
		if (moved[i] < 0)
			return false;
	}
	close_on_exec();
	for (size_t i = 0; i < child->fd_count; i++) {
		if (dup2(moved[i], child->fds[i].child) < 0)
			return false;
	}
	return true;
}

/* Becomes the program, or returns why not. */
IN_CHILD static int exec_at(struct child *child, const char *file)
{
	/* execve changes neither, whatever its type says. */
	(void)execve(file, (char *const *)(uintptr_t)child->how->argv,
	             (char *const *)(uintptr_t)child->envp);
	return errno;
}

/* The first in the path that can be run; that one may not be is only said when none can. */
IN_CHILD static int exec_in_path(struct child *child)
{
	const char *name = child->how->argv[0];
	const char *at = child->path;
	int failed = ENOENT;

	for (;;) {
		char file[PATH_MAX / 2];
		size_t folder = length_to(at, ':'), name_len = length_to(name, '\0'), len = 0;

		if (folder + name_len + 3 <= sizeof file) {
			int number;

			len = folder > 0 ? put(file, 0, at, folder) : put(file, 0, ".", 1);
			len = put(file, len, "/", 1);
			len = put(file, len, name, name_len);
			file[len] = '\0';
			number = exec_at(child, file);
			/* A folder that cannot be looked into is no reason to say so. */
			if (number == EACCES && access(file, F_OK) == 0)
				failed = number;
			else if (number != EACCES && number != ENOENT && number != ENOTDIR)
				return number;
		}
		if (at[folder] == '\0')
			return failed;
		at += folder + 1;
	}
}

IN_CHILD static void offer_first(void)
{
	int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (file >= 0) {
		(void)!write(file, "1000", 4);
		(void)close(file);
	}
}

/* Its groups first, while it may still write there. */
IN_CHILD static bool join(const struct plat_spawn *how)
{
	for (size_t i = 0; i < how->group_count; i++) {
		if (write(how->groups[i], "0", 1) != 1)
			return false;
	}
	if (how->network == NULL)
		return true;
	return setns(how->network->user, CLONE_NEWUSER) == 0 &&
	       setns(how->network->net, CLONE_NEWNET) == 0;
}

IN_CHILD static bool limit(const struct plat_spawn *how)
{
	static const int kinds[] = {
		[PLAT_LIMIT_CORE] = RLIMIT_CORE,
		[PLAT_LIMIT_FILE_SIZE] = RLIMIT_FSIZE,
		[PLAT_LIMIT_DATA] = RLIMIT_DATA,
		[PLAT_LIMIT_PROCESSES] = RLIMIT_NPROC,
	};

	for (size_t i = 0; i < how->limit_count; i++) {
		int kind = kinds[how->limits[i].kind];
		rlim_t most = (rlim_t)how->limits[i].most;
		struct rlimit now;

		if (syscall(SYS_prlimit64, 0, kind, NULL, &now) != 0)
			return false;
		if (now.rlim_max > most)
			now.rlim_max = most;
		if (now.rlim_cur > now.rlim_max)
			now.rlim_cur = now.rlim_max;
		if (syscall(SYS_prlimit64, 0, kind, &now, NULL) != 0)
			return false;
	}
	return true;
}

IN_CHILD static bool scope(const struct child *child)
{
	return child->scope < 0 || (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	                            syscall(SYS_landlock_restrict_self, child->scope, 0) == 0);
}

IN_CHILD static int child_main(void *ctx)
{
	struct child *child = ctx;
	const struct plat_spawn *how = child->how;
	sigset_t none;

	child->ran = true;
	reset_signals();
	if (!how->same_group && setpgid(0, 0) != 0)
		goto failed;
	if (how->expendable)
		offer_first();
	if (!join(how) || !limit(how) || !scope(child))
		goto failed;
	if (how->die_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
			goto failed;
		if (getppid() != child->parent_pid) /* it ended before the line above */
			_exit(127);
	}
	if (!place_descriptors(child))
		goto failed;
	if (how->cwd != NULL && chdir(how->cwd) != 0)
		goto failed;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	errno = child->path != NULL ? exec_in_path(child) : exec_at(child, how->argv[0]);
failed:
	child->failed = errno;
	(void)!write(child->report, &child->failed, sizeof child->failed);
	_exit(127);
}

/* ---- in the parent ---- */

/* Newer than the kernel headers we are built with. */
struct scope_rules {
	uint64_t files, ports, scoped;
};

enum { SCOPE_ABSTRACT_UNIX = 1, SCOPE_SIGNAL = 2, SCOPE_SINCE = 6, ASK_VERSION = 1 };

bool plat_can_scope(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION) >= SCOPE_SINCE;
}

static lb_err make_scope(int *out)
{
	const struct scope_rules rules = { .scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL };

	if (!plat_can_scope())
		return lb_err_of(LB_E_UNSUPPORTED);
	*out = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
	return *out >= 0 ? LB_OK : lb_err_errno(errno);
}

/* The path that the child would see. */
static const char *path_of(const char *const *envp)
{
	for (; *envp != NULL; envp++) {
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	}
	return "/usr/local/bin:/usr/bin:/bin";
}

static void take_descriptors(struct child *child, int null_device)
{
	const struct plat_spawn *how = child->how;
	int streams[STREAMS] = { how->in, how->out, how->err };

	for (int i = 0; i < STREAMS; i++)
		child->fds[child->fd_count++] =
			(struct plat_fd){ streams[i] >= 0 ? streams[i] : null_device, i };
	for (size_t i = 0; i < how->fd_count; i++)
		child->fds[child->fd_count++] = how->fds[i];
	child->first_free = STREAMS;
	for (size_t i = 0; i < child->fd_count; i++) {
		if (child->fds[i].child >= child->first_free)
			child->first_free = child->fds[i].child + 1;
	}
}

/* Start the child with all signals blocked, as none of our handlers may run in it.  Returns when
 * it has become the other program, or has failed to. */
static int clone_blocked(struct child *child, char *stack, int *pidfd)
{
	enum { HOW = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD };
	sigset_t all, before;
	int pid, number;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = clone(child_main, stack + STACK_SIZE, HOW, child, pidfd);
	number = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = number;
	return pid;
}

/* Why the child is none; 0 where it runs. */
static int failure_of(const struct child *child, int told)
{
	int failed = child->failed;
	ssize_t n;

	if (child->ran)
		return failed;
	do { /* a fork: ends when it has become the other program */
		n = read(told, &failed, sizeof failed);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof failed ? failed : 0;
}

static lb_err spawn_on(struct plat_process *out, struct child *child, char *stack)
{
	int told, report, pid, pidfd = -1, failed;

	LB_TRY(plat_pipe(&told, &report));
	child->report = report;
	pid = clone_blocked(child, stack, &pidfd);
	failed = pid < 0 ? errno : 0;
	(void)close(report);
	if (pid >= 0)
		failed = failure_of(child, told);
	(void)close(told);
	if (failed == 0) {
		*out = (struct plat_process){ .pid = pid,
			                      .pidfd = pidfd,
			                      .own_group = !child->how->same_group };
		return LB_OK;
	}
	while (pid >= 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (pidfd >= 0)
		(void)close(pidfd);
	return failed == ENOEXEC ? lb_err_at(LB_E_UNSUPPORTED, ENOEXEC) : lb_err_errno(failed);
}

static lb_err start(struct plat_process *out, struct child *child)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	lb_err err;

	if (stack == MAP_FAILED)
		return lb_err_errno(errno);
	err = spawn_on(out, child, stack);
	(void)munmap(stack, STACK_SIZE);
	return err;
}

lb_err plat_spawn(struct plat_process *out, const struct plat_spawn *how)
{
	const char *const *envp = how->envp != NULL ? how->envp : (const char *const *)environ;
	struct child child = { .how = how, .envp = envp, .parent_pid = getpid(), .scope = -1 };
	int null_device = -1;
	lb_err err;

	*out = (struct plat_process){ .pid = -1, .pidfd = -1, .ended = true };
	if (how->argv[0] == NULL || how->argv[0][0] == '\0')
		return lb_err_errno(ENOENT);
	if (how->fd_count > PLAT_SPAWN_FDS_MAX)
		return lb_err_at(LB_E_LIMIT, PLAT_SPAWN_FDS_MAX);
	if (strchr(how->argv[0], '/') == NULL)
		child.path = path_of(envp);
	if (how->in < 0 || how->out < 0 || how->err < 0) {
		null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null_device < 0)
			return lb_err_errno(errno);
	}
	take_descriptors(&child, null_device);
	err = how->scoped ? make_scope(&child.scope) : LB_OK;
	if (!lb_failed(err))
		err = start(out, &child);
	if (child.scope >= 0)
		(void)close(child.scope);
	if (null_device >= 0)
		(void)close(null_device);
	return err;
}

static uint64_t now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Wait until it may have ended, at most so long. */
static void pause_for(const struct plat_process *process, uint64_t ms)
{
	enum { WITHOUT_PIDFD_MS = 10 };
	struct pollfd pollfd = { .fd = process->pidfd, .events = POLLIN };

	if (process->pidfd < 0 && ms > WITHOUT_PIDFD_MS)
		ms = WITHOUT_PIDFD_MS;
	(void)poll(&pollfd, 1, ms < INT_MAX ? (int)ms : INT_MAX);
}

lb_err plat_process_wait(struct plat_exit *out, struct plat_process *process, uint64_t timeout_ms)
{
	uint64_t start_ms = now_ms(), gone_ms;
	int status = 0, pid;

	*out = (struct plat_exit){ 0 };
	assert(!process->ended);
	for (;;) {
		pid = waitpid(process->pid, &status, timeout_ms == UINT64_MAX ? 0 : WNOHANG);
		if (pid > 0)
			break;
		if (pid < 0 && errno != EINTR)
			return lb_err_errno(errno);
		gone_ms = now_ms() - start_ms;
		if (gone_ms >= timeout_ms)
			return lb_err_of(LB_E_TIMEOUT);
		if (pid == 0)
			pause_for(process, timeout_ms - gone_ms);
	}
	if (process->pidfd >= 0)
		(void)close(process->pidfd);
	process->pidfd = -1;
	process->ended = true;
	out->signaled = WIFSIGNALED(status);
	out->number = out->signaled ? WTERMSIG(status) : WEXITSTATUS(status);
	return LB_OK;
}

void plat_process_signal(const struct plat_process *process, enum plat_signal signal)
{
	static const int numbers[] = {
		[PLAT_INTERRUPT] = SIGINT,
		[PLAT_TERMINATE] = SIGTERM,
		[PLAT_KILL] = SIGKILL,
	};

	if (process->pid <= 0)
		return;
	if (process->own_group)
		(void)kill(-process->pid, numbers[signal]);
	else if (!process->ended)
		(void)kill(process->pid, numbers[signal]);
}

lb_err plat_pipe(int *read_end, int *write_end)
{
	int ends[2] = { -1, -1 };
	lb_err err = pipe2(ends, O_CLOEXEC) == 0 ? LB_OK : lb_err_errno(errno);

	*read_end = ends[0];
	*write_end = ends[1];
	return err;
}
