/* cron_fuzz.c - any bytes as a schedule and a time zone: the first line the times, behind it eight
 * bytes of an instant and a zone's file.  What strikes is later, and what the fields say. */
#include "tests/fuzz/failing.h"
#include "workflows/event/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fields(const struct workflow_cron *cron, int64_t at)
{
	int64_t day = (at >= 0 ? at : at - 86399) / 86400, second = at - day * 86400;
	struct workflow_date date = workflow_date_of(day);

	if ((cron->hours >> (second / 3600) & 1) == 0 ||
	    (cron->minutes >> (second / 60 % 60) & 1) == 0 || second % 60 != 0 ||
	    (cron->months >> date.month & 1) == 0 ||
	    ((cron->days >> date.day & 1) == 0 && (cron->weekdays >> date.weekday & 1) == 0))
		abort();
}

static void strike(const struct workflow_cron *cron, const struct workflow_zone *zone,
                   int64_t after)
{
	for (unsigned i = 0; i < 3; i++) {
		int64_t next;

		if (lb_failed(workflow_cron_next(&next, cron, zone, after)))
			return;
		if (next <= after)
			abort();
		if (zone == NULL)
			check_fields(cron, next);
		after = next;
	}
}

static void target(struct lb_mem *mem, struct lb_bytes input, bool failing)
{
	size_t end = lb_bytes_find_byte(input, '\n');
	struct lb_bytes rest = end != SIZE_MAX ? lb_bytes_from(input, end + 1) : lb_bytes_of("");
	const struct workflow_zone *zone = NULL;
	struct workflow_cron cron;
	struct lb_arena arena;
	struct lb_diag diag;
	int64_t after = 0;

	(void)failing;
	(void)workflow_zone_is_name(rest);
	for (size_t i = 0; i < 8 && i < rest.len; i++)
		after = (int64_t)((uint64_t)after << 8 | rest.at[i]);
	lb_arena_init(&arena, mem);
	lb_ignore(workflow_zone_read(&zone, &arena, lb_bytes_from(rest, 8)));
	if (!lb_failed(workflow_cron_parse(&cron, lb_bytes_upto(input, end), &diag))) {
		strike(&cron, NULL, after);
		if (zone != NULL)
			strike(&cron, zone, after);
	}
	lb_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_twice(target, data, size);
}
