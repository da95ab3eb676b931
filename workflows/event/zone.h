/* zone.h - time zones: how far local time is from UTC at an instant, and dates.
 *
 * Reads the files of the system's zoneinfo (RFC 8536), version 2 and later: a table of changes
 * and the rule that holds behind it.
 * Owner: a zone lives in the arena it was read into.  Threads: immutable once read.
 */
#ifndef WORKFLOWS_EVENT_ZONE_H
#define WORKFLOWS_EVENT_ZONE_H

#include "base/arena.h"

struct workflow_zone;

/* "Europe/Berlin": a name that can be looked up below a folder without leaving it. */
bool workflow_zone_is_name(struct lb_bytes name);

/* MALFORMED, with the offset; NOMEM.  Nothing is borrowed from the bytes. */
lb_err workflow_zone_read(const struct workflow_zone **out, struct lb_arena *arena,
                          struct lb_bytes file);

/* Seconds to add to UTC; `zone` NULL is UTC. */
int32_t workflow_zone_offset(const struct workflow_zone *zone, int64_t utc);

/* The instant that local clocks show `local` (seconds since 1970 as if it were UTC): the first
 * where there are two, that of the change where there is none. */
int64_t workflow_zone_instant(const struct workflow_zone *zone, int64_t local);

/* ---- the calendar (Gregorian, also before 1582) ---- */

struct workflow_date {
	int64_t year;
	uint32_t month, day; /* from 1 */
	uint32_t weekday;    /* Sunday is 0 */
};

struct workflow_date workflow_date_of(int64_t day); /* days since 1970-01-01 */
int64_t workflow_day_of(int64_t year, uint32_t month, uint32_t day);

#endif
