/* clock.h - clocks that only measure: time spent on the processor, and how fine clocks are.
 *
 * Layer: platform.  Time of day and monotonic time are plat_ops' (base/platform/plat.h), for code
 * that was given a world; plat_clock_now_ns and its sleep are the real ones for code that has none.
 * Threads: any.
 */
#ifndef PLAT_CLOCK_H
#define PLAT_CLOCK_H

#include "base/err.h"

enum plat_clock { PLAT_CLOCK_WALL, PLAT_CLOCK_MONOTONIC, PLAT_CLOCK_PROCESS, PLAT_CLOCK_THREAD };

uint64_t plat_clock_resolution_ns(enum plat_clock clock); /* at least 1 */

/* Monotonic; never fails, never goes back. */
uint64_t plat_clock_now_ns(void);
void plat_clock_sleep_ns(uint64_t ns);

/* Processor time of this process, of the calling thread. */
uint64_t plat_clock_process_ns(void);
uint64_t plat_clock_thread_ns(void);

#endif
