/* secret_linux.c - see secret.h. */
#include "base/platform/secret.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

lb_err plat_secret_process(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return lb_err_errno(errno);
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? LB_OK : lb_err_errno(errno);
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
