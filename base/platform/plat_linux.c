/* plat_linux.c - what Linux does in a way of its own. */
#include "base/platform/plat_priv.h"

#include "base/platform/process.h"

#include <errno.h>
#include <unistd.h>

lb_err plat_file_sync(int file)
{
	int failed;

	do {
		failed = fdatasync(file) != 0 ? errno : 0;
	} while (failed == EINTR);
	return failed == 0 ? LB_OK : lb_err_errno(failed);
}

lb_err plat_self_path(char *out, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", out, size);

	if (len < 0)
		return lb_err_errno(errno);
	if ((size_t)len >= size)
		return lb_err_at(LB_E_LIMIT, size);
	out[len] = '\0';
	return LB_OK;
}
