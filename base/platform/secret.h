/* secret.h - what a process that holds secrets asks of the system.
 *
 * Layer: platform.  Threads: plat_secret_process before others are started; the
 * rest from one.
 */
#ifndef PLAT_SECRET_H
#define PLAT_SECRET_H

#include "base/err.h"

/* From now on this process leaves no core file, and other processes of the same user can
 * neither trace it nor read its memory or environment. */
lb_err plat_secret_process(void);

/* Whether what is typed on the terminal at standard input is shown; nothing where there is
 * none. */
void plat_secret_echo(bool shown);

/* The key of that name in the keyrings that this process has, at most `size` bytes: NOTFOUND,
 * LIMIT, UNSUPPORTED where the system has none. */
lb_err plat_secret_find(unsigned char *to, size_t *len, size_t size, const char *name);

#endif
