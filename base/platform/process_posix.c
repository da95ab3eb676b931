/* process_posix.c - the parts of process.h that POSIX systems share. */
#include "base/platform/process.h"

#include <stdlib.h>

int plat_exit_status(struct plat_exit exit)
{
	return exit.signaled ? 128 + exit.number : exit.number;
}

const char *plat_getenv(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}
