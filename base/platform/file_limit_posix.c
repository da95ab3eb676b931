/* file_limit_posix.c - see file_limit.h. */
#include "base/platform/file_limit.h"

#include <signal.h>

void plat_file_limit_install(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGXFSZ, &ignore, NULL);
}
