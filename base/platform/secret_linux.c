/* secret_linux.c - see secret.h. */
#include "base/platform/secret.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

lb_err plat_secret_process(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return lb_err_errno(errno);
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? LB_OK : lb_err_errno(errno);
}

lb_err plat_secret_find(unsigned char *to, size_t *len, size_t size, const char *name)
{
	long key = syscall(SYS_request_key, "user", name, NULL, 0), got;

	*len = 0;
	if (key < 0)
		return errno == ENOSYS ? lb_err_of(LB_E_UNSUPPORTED) : lb_err_of(LB_E_NOTFOUND);
	got = syscall(SYS_keyctl, KEYCTL_READ, key, to, size);
	if (got < 0)
		return lb_err_errno(errno);
	if ((size_t)got > size)
		return lb_err_at(LB_E_LIMIT, size);
	*len = (size_t)got;
	return LB_OK;
}

void plat_secret_echo(bool shown)
{
	struct termios state;

	if (tcgetattr(STDIN_FILENO, &state) != 0)
		return;
	if (shown)
		state.c_lflag |= ECHO;
	else
		state.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &state);
}
