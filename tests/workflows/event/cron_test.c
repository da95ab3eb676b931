/* cron_test.c - schedules: what is accepted, when it strikes, and time zones against the C library.
 */
#include "tests/workflows/support.h"

#include "workflows/event/cron.h"

#include <stdlib.h>
#include <time.h>

static const char *const zones[] = { "Europe/Berlin",    "America/New_York",
	                             "Asia/Kolkata",     "Australia/Sydney",
	                             "America/Santiago", "Africa/Casablanca",
	                             "Pacific/Apia",     "UTC" };

static const struct workflow_zone *zone_of(struct lb_arena *arena, const char *name)
{
	const struct workflow_zone *zone = NULL;

	if (strcmp(name, "UTC") == 0)
		return NULL;
	lb_ignore(workflow_zone_read(
		&zone, arena,
		support_file(arena, support_path(arena, "/usr/share/zoneinfo/%s", name))));
	return zone;
}

static bool has_zones(void)
{
	FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");

	if (file != NULL)
		(void)fclose(file);
	return file != NULL;
}

TEST(schedules_are_read_as_github_reads_them)
{
	static const char *const good[] = {
		"0 0 * * *",      "*/5 * * * *",   "0 4,17 * * *",
		"30 5-7/2 1 * *", "20/15 * * * *", "0 0 * JAN-mar Sun,sat",
		"0  0 * *   1-5", "59 23 31 12 6", "0 0 1,15 * SUN-FRI/2",
		" 0 0 * * * "
	};
	static const char *const bad[] = {
		"",           "@daily",       "0 0 * *",       "0 0 * * * *",  "60 * * * *",
		"* 24 * * *", "* * 0 * *",    "* * 32 * *",    "* * * 13 *",   "* * * * 7",
		"* * * * MO", "5-1 * * * *",  "*/0 * * * *",   "*/60 * * * *", "1, * * * *",
		",1 * * * *", "1//2 * * * *", "1-2-3 * * * *", "- * * * *",    "L * * * *",
		"0 0 ? * *",  "-1 * * * *"
	};
	struct workflow_cron cron;
	struct lb_diag diag;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK_OK(workflow_cron_parse(&cron, lb_bytes_of(good[i]), &diag));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (!lb_failed(workflow_cron_parse(&cron, lb_bytes_of(bad[i]), &diag))) {
			printf("# accepted: '%s'\n", bad[i]);
			t->failures++;
		}
		CHECK_TEXT(diag.text, "Invalid cron expression. Expected format: '* * * * *' "
		                      "(minute hour day month weekday)");
	}
}

/* "2026-03-29 02:30" in UTC. */
static const char *shown(char out[64], int64_t utc)
{
	time_t seconds = (time_t)utc;
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(out, 64, "%Y-%m-%d %H:%M", &tm);
	return out;
}

static int64_t at(int64_t year, uint32_t month, uint32_t day, int64_t hour, int64_t minute)
{
	return workflow_day_of(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

static void strikes(struct test *t, const char *line, const char *zone, int64_t after,
                    const char *want)
{
	struct workflow_cron cron;
	struct lb_arena arena;
	int64_t next = 0;
	char text[64] = "never";

	lb_arena_init(&arena, t->mem);
	CHECK_OK(workflow_cron_parse(&cron, lb_bytes_of(line), NULL));
	if (!lb_failed(workflow_cron_next(&next, &cron, zone_of(&arena, zone), after)))
		(void)shown(text, next);
	CHECK_TEXT(text, want);
	lb_arena_release(&arena);
}

TEST(schedules_strike_at_their_next_time)
{
	int64_t noon = at(2026, 11, 28, 12, 0); /* a Saturday */

	strikes(t, "0 0 * * *", "UTC", noon, "2026-11-29 00:00");
	strikes(t, "*/5 * * * *", "UTC", noon, "2026-11-28 12:05");
	strikes(t, "0 12 * * *", "UTC", noon, "2026-11-29 12:00");
	strikes(t, "0 12 * * *", "UTC", noon - 1, "2026-11-28 12:00");
	strikes(t, "20/15 12 * * *", "UTC", noon + 25 * 60, "2026-11-28 12:35");
	strikes(t, "0 0 * * MON", "UTC", noon, "2026-11-30 00:00");
	strikes(t, "0 0 1 * MON", "UTC", at(2026, 11, 30, 1, 0), "2026-12-01 00:00"); /* either */
	strikes(t, "0 0 29 2 *", "UTC", noon, "2028-02-29 00:00");
	strikes(t, "0 0 29 2 *", "UTC", at(2096, 3, 1, 0, 0), "2104-02-29 00:00");
	strikes(t, "0 0 30 2 *", "UTC", noon, "never");
	strikes(t, "59 23 31 12 *", "UTC", at(9999, 12, 31, 23, 59), "never");
}

TEST(schedules_strike_in_their_time_zone)
{
	if (!has_zones())
		SKIP("this machine has no time zones");
	strikes(t, "30 5 * * 1-5", "America/New_York", at(2026, 11, 28, 12, 0), "2026-11-30 10:30");
	strikes(t, "30 5 * * 1-5", "America/New_York", at(2026, 7, 1, 12, 0), "2026-07-02 09:30");
	/* The clocks go from 02:00 to 03:00: what is skipped strikes at the change. */
	strikes(t, "30 2 * * *", "Europe/Berlin", at(2026, 3, 28, 12, 0), "2026-03-29 01:00");
	strikes(t, "30 2 * * *", "Europe/Berlin", at(2026, 3, 29, 1, 0), "2026-03-30 00:30");
	/* From 03:00 back to 02:00: once. */
	strikes(t, "30 2 * * *", "Europe/Berlin", at(2026, 10, 24, 12, 0), "2026-10-25 00:30");
	strikes(t, "30 2 * * *", "Europe/Berlin", at(2026, 10, 25, 0, 30), "2026-10-26 01:30");
	strikes(t, "0 9 * * *", "Asia/Kolkata", at(2026, 1, 1, 0, 0), "2026-01-01 03:30");
	/* Far behind the table of changes, by the rule. */
	strikes(t, "0 12 1 7 *", "Europe/Berlin", at(2090, 1, 1, 0, 0), "2090-07-01 10:00");
}

TEST(dates_are_counted_both_ways)
{
	for (int64_t day = -800000; day < 800000; day += 37) {
		struct workflow_date date = workflow_date_of(day);

		CHECK(workflow_day_of(date.year, date.month, date.day) == day);
	}
	CHECK(workflow_date_of(0).weekday == 4 && workflow_date_of(0).year == 1970);
}

TEST(zones_are_those_of_the_c_library)
{
	const char *before = getenv("TZ");
	struct lb_arena arena;

	if (!has_zones())
		SKIP("this machine has no time zones");
	lb_arena_init(&arena, t->mem);
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		const struct workflow_zone *zone = zone_of(&arena, zones[i]);

		CHECK(zone != NULL || strcmp(zones[i], "UTC") == 0);
		(void)setenv("TZ", zones[i], 1);
		tzset();
		for (unsigned round = 0; round < 5000; round++) {
			int64_t utc = (int64_t)(test_random(t) % UINT64_C(4000000000));
			time_t seconds = (time_t)utc;
			struct tm tm;

			(void)localtime_r(&seconds, &tm);
			if (workflow_zone_offset(zone, utc) != tm.tm_gmtoff) {
				printf("# %s at %lld\n", zones[i], (long long)utc);
				t->failures++;
			}
		}
	}
	(void)(before != NULL ? setenv("TZ", before, 1) : unsetenv("TZ"));
	tzset();
	lb_arena_release(&arena);
}

TEST(broken_zones_are_refused_at_every_cut)
{
	const struct workflow_zone *zone;
	struct lb_arena arena;
	struct lb_bytes file;

	if (!has_zones())
		SKIP("this machine has no time zones");
	lb_arena_init(&arena, t->mem);
	file = support_file(&arena, "/usr/share/zoneinfo/Europe/Berlin");
	for (size_t len = 0; len + 1 < file.len; len++) {
		struct lb_bytes cut = test_exact(lb_bytes_upto(file, len));

		lb_ignore(workflow_zone_read(&zone, &arena, cut));
		test_exact_free(cut);
		/* Without the rule behind the changes a file is whole. */
		CHECK(zone == NULL ||
		      lb_bytes_is(lb_bytes_from(file, len), "\nCET-1CEST,M3.5.0,M10.5.0/3\n"));
	}
	CHECK(workflow_zone_is_name(LB_B("America/Argentina/Buenos_Aires")));
	CHECK(!workflow_zone_is_name(LB_B("../secret")) && !workflow_zone_is_name(LB_B("/etc/x")));
	CHECK(!workflow_zone_is_name(LB_B("")));
	lb_arena_release(&arena);
}

TEST(zones_survive_every_oom)
{
	struct lb_arena files;
	struct lb_bytes file;

	if (!has_zones())
		SKIP("this machine has no time zones");
	lb_arena_init(&files, &lb_mem_host);
	file = support_file(&files, "/usr/share/zoneinfo/Europe/Berlin");
	EACH_OOM (t) {
		const struct workflow_zone *zone;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = workflow_zone_read(&zone, &arena, file);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_arena_release(&arena);
	}
	lb_arena_release(&files);
}
