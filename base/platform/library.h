/* library.h - shared libraries that are loaded at run time.
 *
 * Layer: platform.  Threads: any.
 */
#ifndef PLAT_LIBRARY_H
#define PLAT_LIBRARY_H

#include "base/diag.h"

typedef void (*plat_function)(void);

/* A path with a slash in it is that file, another is looked for as the system does.  NOTFOUND with
 * the system's prose. */
lb_err plat_library_open(void **out, const char *path, struct lb_diag *diag);
plat_function plat_library_function(void *library, const char *name); /* NULL: it has none */
void plat_library_close(void *library);                               /* NULL is fine */

#endif
