/* stop_posix.c - stop.h by signals and a pipe. */
#include "base/platform/stop.h"

#include "base/platform/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_uint asked;
static int wake_read = -1, wake_write = -1;

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	atomic_fetch_add(&asked, 1);
	if (write(wake_write, "", 1) < 0)
		errno = 0; /* the pipe is full: whoever waits is awake already */
	errno = saved;
}

lb_err plat_stop_install(void)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	LB_TRY(plat_pipe(&wake_read, &wake_write));
	(void)sigemptyset(&act.sa_mask);
	(void)sigemptyset(&ignore.sa_mask);
	if (sigaction(SIGINT, &act, NULL) != 0 || sigaction(SIGTERM, &act, NULL) != 0 ||
	    sigaction(SIGPIPE, &ignore, NULL) != 0)
		return lb_err_errno(errno);
	return LB_OK;
}

unsigned plat_stop_asked(void) { return atomic_load(&asked); }

bool plat_stop_wait(uint64_t timeout_ms)
{
	struct pollfd wait = { .fd = wake_read, .events = POLLIN };
	int most = timeout_ms > INT32_MAX ? -1 : (int)timeout_ms;

	if (plat_stop_asked() == 0)
		(void)poll(&wait, 1,
		           most); /* an interrupted wait was interrupted by what it waits for */
	return plat_stop_asked() > 0;
}
