/* handle_posix.c - see handle.h. */
#include "base/platform/handle.h"

#include <string.h>
#include <signal.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

size_t plat_write_once(int file, const void *from, size_t len)
{
	ssize_t n;

	do {
		n = write(file, from, len);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}

bool plat_is_terminal(int file) { return file >= 0 && isatty(file) == 1; }

unsigned plat_columns(int file)
{
	struct winsize size = { 0 };

	return ioctl(file, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

unsigned plat_rows(int file)
{
	struct winsize size = { 0 };

	return ioctl(file, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

lb_err plat_lock(int *lock, const char *path)
{
	int file, failed;

	*lock = -1;
	do {
		file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	} while (file < 0 && errno == EINTR);
	if (file < 0)
		return lb_err_errno(errno);
	do {
		failed = flock(file, LOCK_EX | LOCK_NB) != 0 ? errno : 0;
	} while (failed == EINTR);
	if (failed != 0) {
		(void)close(file);
		return failed == EWOULDBLOCK ? lb_err_at(LB_E_BUSY, (uintptr_t)failed)
		                             : lb_err_errno(failed);
	}
	*lock = file;
	return LB_OK;
}

void plat_unlock(int lock)
{
	if (lock >= 0)
		(void)close(lock);
}

/* A process in the background may do so only while it does not hear the signal for it. */
void plat_terminal_take(void)
{
	struct sigaction before, deaf;

	memset(&deaf, 0, sizeof deaf);
	deaf.sa_handler = SIG_IGN;
	if (isatty(STDIN_FILENO) != 1 || sigaction(SIGTTOU, &deaf, &before) != 0)
		return;
	(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	(void)sigaction(SIGTTOU, &before, NULL);
}
