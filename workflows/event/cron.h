/* cron.h - the times of `schedule`: five fields, as GitHub reads them, and when they strike next.
 *
 * Minute, hour, day of the month, month, day of the week; each `*` or a list of numbers, names
 * (JAN-DEC, SUN-SAT), ranges and steps.  @daily and its like, seconds, years, L, W, # and a Sunday
 * written 7 are refused, as GitHub does; blanks around are let be.  A day counts when it matches
 * the one of the two day fields that is restricted, or either where both are (POSIX, crontab).
 * Threads: pure functions.
 */
#ifndef WORKFLOWS_EVENT_CRON_H
#define WORKFLOWS_EVENT_CRON_H

#include "base/diag.h"
#include "workflows/event/zone.h"

struct workflow_cron {
	uint64_t minutes;                       /* one bit each */
	uint32_t hours, days, months, weekdays; /* days and months from 1; Sunday is 0 */
	bool any_day, any_weekday;              /* the field begins with `*` */
};

/* INVALID with GitHub's text. */
lb_err workflow_cron_parse(struct workflow_cron *out, struct lb_bytes text, struct lb_diag *diag);

/* The first time after `after` (seconds of Unix time).  A time that the clocks skip in spring is
 * that of the change; one that comes twice in autumn counts once.  `zone` NULL is UTC.  NOTFOUND:
 * it never strikes, or not before the year 10000. */
lb_err workflow_cron_next(int64_t *out, const struct workflow_cron *cron,
                          const struct workflow_zone *zone, int64_t after);

#endif
