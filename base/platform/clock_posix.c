/* clock_posix.c - see clock.h. */
#include "base/platform/clock.h"

#include <errno.h>
#include <time.h>

static uint64_t ns_of(struct timespec time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now); /* cannot fail for these clocks */
	return ns_of(now);
}

uint64_t plat_clock_resolution_ns(enum plat_clock clock)
{
	static const clockid_t clocks[] = { [PLAT_CLOCK_WALL] = CLOCK_REALTIME,
		                            [PLAT_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
		                            [PLAT_CLOCK_PROCESS] = CLOCK_PROCESS_CPUTIME_ID,
		                            [PLAT_CLOCK_THREAD] = CLOCK_THREAD_CPUTIME_ID };
	struct timespec step = { 0 };

	(void)clock_getres(clocks[clock], &step);
	return ns_of(step) > 0 ? ns_of(step) : 1;
}

uint64_t plat_clock_now_ns(void) { return read_clock(CLOCK_MONOTONIC); }

void plat_clock_sleep_ns(uint64_t ns)
{
	struct timespec left = { .tv_sec = (time_t)(ns / 1000000000),
		                 .tv_nsec = (long)(ns % 1000000000) };

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}

uint64_t plat_clock_process_ns(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t plat_clock_thread_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
