/* handle.h - what descriptors can do beyond files: one write, terminals, locks.
 *
 * Layer: platform.  Threads: any.
 */
#ifndef PLAT_HANDLE_H
#define PLAT_HANDLE_H

#include "base/err.h"

/* One write at the file's end or into the pipe, so that those of several threads do not mix.
 * Returns how many bytes went out; 0 when none could. */
size_t plat_write_once(int file, const void *from, size_t len);

bool plat_is_terminal(int file);

/* The terminal at standard input is this process's group's again, after another had it. */
void plat_terminal_take(void);

/* Size of the terminal; 0 where there is none or it does not say. */
unsigned plat_columns(int file);
unsigned plat_rows(int file);

/* An exclusive lock on a file, which is made when missing (mode 0644); BUSY when it is held.  The
 * system gives it back when the process ends, however it does. */
lb_err plat_lock(int *lock, const char *path);
void plat_unlock(int lock);

#endif
