/* library_windows.c - see library.h. */
#include "base/platform/library.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

lb_err plat_library_open(void **out, const char *path, struct lb_diag *diag)
{
	*out = (void *)LoadLibraryA(path);
	return *out != NULL ? LB_OK
	                    : lb_fail(diag, LB_E_NOTFOUND, "%s: error %lu of Windows", path,
	                              (unsigned long)GetLastError());
}

plat_function plat_library_function(void *library, const char *name)
{
	return (plat_function)GetProcAddress((HMODULE)library, name);
}

void plat_library_close(void *library)
{
	if (library != NULL)
		(void)FreeLibrary((HMODULE)library);
}
