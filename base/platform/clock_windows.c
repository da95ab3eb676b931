/* clock_windows.c - see clock.h. */
#include "base/platform/clock.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

/* Windows counts processor time and time of day in steps of 100 ns. */
enum { STEP_NS = 100 };

static uint64_t ticks_a_second(void)
{
	LARGE_INTEGER frequency;

	(void)QueryPerformanceFrequency(&frequency); /* cannot fail since XP */
	return (uint64_t)frequency.QuadPart;
}

uint64_t plat_clock_now_ns(void)
{
	LARGE_INTEGER now;
	uint64_t frequency = ticks_a_second(), ticks;

	(void)QueryPerformanceCounter(&now);
	ticks = (uint64_t)now.QuadPart;
	return ticks / frequency * 1000000000 + ticks % frequency * 1000000000 / frequency;
}

/* To the millisecond, rounded up. */
void plat_clock_sleep_ns(uint64_t ns) { Sleep((DWORD)((ns + 999999) / 1000000)); }

uint64_t plat_clock_resolution_ns(enum plat_clock clock)
{
	uint64_t step = 1000000000 / ticks_a_second();

	if (clock != PLAT_CLOCK_MONOTONIC)
		return STEP_NS;
	return step > 0 ? step : 1;
}

static uint64_t ns_of(FILETIME time)
{
	return ((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) * STEP_NS;
}

uint64_t plat_clock_process_ns(void)
{
	FILETIME started, ended, kernel = { 0 }, user = { 0 };

	(void)GetProcessTimes(GetCurrentProcess(), &started, &ended, &kernel, &user);
	return ns_of(kernel) + ns_of(user);
}

uint64_t plat_clock_thread_ns(void)
{
	FILETIME started, ended, kernel = { 0 }, user = { 0 };

	(void)GetThreadTimes(GetCurrentThread(), &started, &ended, &kernel, &user);
	return ns_of(kernel) + ns_of(user);
}
