/* library_posix.c - see library.h. */
#include "base/platform/library.h"

#include <dlfcn.h>
#include <string.h>

lb_err plat_library_open(void **out, const char *path, struct lb_diag *diag)
{
	const char *why;

	*out = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (*out != NULL)
		return LB_OK;
	why = dlerror();
	return lb_fail(diag, LB_E_NOTFOUND, "%s", why != NULL ? why : path);
}

plat_function plat_library_function(void *library, const char *name)
{
	void *at = dlsym(library, name);
	plat_function function = NULL;

	static_assert(sizeof function == sizeof at, "POSIX has one kind of pointer");
	memcpy(&function, &at, sizeof function);
	return function;
}

void plat_library_close(void *library)
{
	if (library != NULL)
		(void)dlclose(library);
}
