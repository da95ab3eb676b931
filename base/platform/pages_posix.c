/* pages_posix.c - pages.h by mmap. */
#include "base/platform/pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static lb_err from_errno(void)
{
	return errno == ENOMEM ? lb_err_of(LB_E_NOMEM) : lb_err_at(LB_E_IO, (uintptr_t)errno);
}

size_t plat_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

lb_err plat_pages_reserve(void **out, size_t len)
{
	*out = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (*out != MAP_FAILED)
		return LB_OK;
	*out = NULL;
	return from_errno();
}

lb_err plat_pages_allow(void *at, size_t len, enum plat_access access)
{
	static const int protection[] = {
		[PLAT_ACCESS_NONE] = PROT_NONE,
		[PLAT_ACCESS_READ] = PROT_READ,
		[PLAT_ACCESS_READ_WRITE] = PROT_READ | PROT_WRITE,
		[PLAT_ACCESS_EXECUTE] = PROT_READ | PROT_EXEC,
	};

	return len == 0 || mprotect(at, len, protection[access]) == 0 ? LB_OK : from_errno();
}

lb_err plat_pages_zero(void *at, size_t len)
{
	return len == 0 || madvise(at, len, MADV_DONTNEED) == 0 ? LB_OK : from_errno();
}

void plat_pages_release(void *at, size_t len)
{
	if (at != NULL)
		(void)munmap(at, len);
}
