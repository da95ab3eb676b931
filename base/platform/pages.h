/* pages.h - address space: reserve, commit, protect.
 *
 * Layer: platform.  Addresses and lengths are multiples of plat_page_size().
 * Threads: any.  Failures are NOMEM or IO with the system's number.
 */
#ifndef PLAT_PAGES_H
#define PLAT_PAGES_H

#include "base/err.h"

enum plat_access {
	PLAT_ACCESS_NONE,
	PLAT_ACCESS_READ,
	PLAT_ACCESS_READ_WRITE,
	PLAT_ACCESS_EXECUTE
};

size_t plat_page_size(void); /* a power of two */

/* Address space without memory behind it: touching it faults. */
lb_err plat_pages_reserve(void **out, size_t len);

/* Give part of a reservation memory (zeroed where new) and that access. */
lb_err plat_pages_allow(void *at, size_t len, enum plat_access access);

/* Give back the memory of part of a reservation: it reads as zero again. */
lb_err plat_pages_zero(void *at, size_t len);

/* End a whole reservation. */
void plat_pages_release(void *at, size_t len);

#endif
