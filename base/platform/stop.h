/* stop.h - being asked to end: Ctrl-C, or what a service manager sends.
 *
 * Layer: platform.  The one place where the process as a whole has a state:
 * signals are the process's.  Threads: any, after plat_stop_install.
 */
#ifndef PLAT_STOP_H
#define PLAT_STOP_H

#include "base/err.h"

/* From now on SIGINT and SIGTERM ask instead of ending, and a closed pipe is an error, not an end.
 */
lb_err plat_stop_install(void);

/* How often it was asked; a second time means: now. */
unsigned plat_stop_asked(void);

/* Wait until asked, at most timeout_ms (UINT64_MAX: for ever); whether it was asked. */
bool plat_stop_wait(uint64_t timeout_ms);

#endif
