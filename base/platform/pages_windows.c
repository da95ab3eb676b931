/* pages_windows.c - pages.h by VirtualAlloc. */
#include "base/platform/pages.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static lb_err last_error(void)
{
	DWORD code = GetLastError();

	return code == ERROR_NOT_ENOUGH_MEMORY || code == ERROR_COMMITMENT_LIMIT
	               ? lb_err_of(LB_E_NOMEM)
	               : lb_err_at(LB_E_IO, (uintptr_t)code);
}

size_t plat_page_size(void)
{
	SYSTEM_INFO info;

	GetSystemInfo(&info);
	return info.dwPageSize;
}

lb_err plat_pages_reserve(void **out, size_t len)
{
	*out = VirtualAlloc(NULL, len, MEM_RESERVE, PAGE_NOACCESS);
	return *out != NULL ? LB_OK : last_error();
}

lb_err plat_pages_allow(void *at, size_t len, enum plat_access access)
{
	static const DWORD protection[] = {
		[PLAT_ACCESS_NONE] = PAGE_NOACCESS,
		[PLAT_ACCESS_READ] = PAGE_READONLY,
		[PLAT_ACCESS_READ_WRITE] = PAGE_READWRITE,
		[PLAT_ACCESS_EXECUTE] = PAGE_EXECUTE_READ,
	};
	DWORD before;

	if (len == 0)
		return LB_OK;
	if (access != PLAT_ACCESS_NONE && VirtualAlloc(at, len, MEM_COMMIT, PAGE_READWRITE) == NULL)
		return last_error();
	return VirtualProtect(at, len, protection[access], &before) ? LB_OK : last_error();
}

lb_err plat_pages_zero(void *at, size_t len)
{
	if (len == 0)
		return LB_OK;
	if (!VirtualFree(at, len, MEM_DECOMMIT) ||
	    VirtualAlloc(at, len, MEM_COMMIT, PAGE_READWRITE) == NULL)
		return last_error();
	return LB_OK;
}

void plat_pages_release(void *at, size_t len)
{
	(void)len;
	if (at != NULL)
		(void)VirtualFree(at, 0, MEM_RELEASE);
}
