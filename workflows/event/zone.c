/* zone.c - see zone.h. */
#include "workflows/event/zone.h"

#include "base/text.h"

enum { DAY_S = 86400, HEADER_BYTES = 44, CHANGES_MAX = 100000, TYPES_MAX = 256 };

struct change {
	int64_t at;
	int32_t offset;
};

/* The nth (5: last) weekday of a month; or a day of the year, as is (0-365) or without leap days
 * (1-365). */
struct turn {
	enum { TURN_WEEKDAY, TURN_DAY, TURN_DAY_NO_LEAP } kind;
	uint32_t month, nth, weekday, day;
	int32_t time; /* seconds from midnight, of the local time that ends then */
};

struct workflow_zone {
	struct change *changes;
	size_t count;
	int32_t before; /* the first change */

	/* behind the last change */
	bool has_rule, has_summer;
	int32_t standard, summer;
	struct turn to_summer, to_standard;
};

/* ---- the calendar ---- */

/* Years are counted from March, so that the leap day is the last of its year; 400 of them are
 * 146,097 days. */
struct workflow_date workflow_date_of(int64_t day)
{
	int64_t shifted = day + 719468; /* since 0000-03-01 */
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	uint32_t of_era = (uint32_t)(shifted - era * 146097);
	uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint32_t month = (5 * of_year + 2) / 153;
	struct workflow_date date = { .day = of_year - (153 * month + 2) / 5 + 1,
		                      .month = month < 10 ? month + 3 : month - 9 };

	date.year = year + era * 400 + (date.month <= 2);
	date.weekday = (uint32_t)(((day + 4) % 7 + 7) % 7);
	return date;
}

int64_t workflow_day_of(int64_t year, uint32_t month, uint32_t day)
{
	int64_t from_march = year - (month <= 2);
	int64_t era = (from_march >= 0 ? from_march : from_march - 399) / 400;
	int64_t of_era = from_march - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/* ---- the rule: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

struct reader {
	struct lb_bytes rest;
	bool bad;
};

static bool take(struct reader *r, char c)
{
	if (r->rest.len == 0 || r->rest.at[0] != (unsigned char)c)
		return false;
	r->rest = lb_bytes_from(r->rest, 1);
	return true;
}

static uint32_t take_number(struct reader *r, uint32_t most)
{
	uint32_t number = 0;
	size_t digits = 0;

	while (digits < r->rest.len && digits < 3 && r->rest.at[digits] >= '0' &&
	       r->rest.at[digits] <= '9')
		number = number * 10 + (uint32_t)(r->rest.at[digits++] - '0');
	r->bad = r->bad || digits == 0 || number > most;
	r->rest = lb_bytes_from(r->rest, digits);
	return number;
}

/* "-3:30", "167:59:59": seconds. */
static int32_t take_time(struct reader *r, uint32_t hours_max)
{
	bool negative = take(r, '-');
	uint32_t seconds;

	if (!negative)
		(void)take(r, '+');
	seconds = take_number(r, hours_max) * 3600;
	if (take(r, ':'))
		seconds += take_number(r, 59) * 60;
	if (take(r, ':'))
		seconds += take_number(r, 59);
	return negative ? -(int32_t)seconds : (int32_t)seconds;
}

static void skip_name(struct reader *r)
{
	bool quoted = take(r, '<');
	size_t len = 0;

	while (len < r->rest.len &&
	       (quoted ? r->rest.at[len] != '>'
	               : (r->rest.at[len] | 32) >= 'a' && (r->rest.at[len] | 32) <= 'z'))
		len++;
	r->bad = r->bad || len == 0;
	r->rest = lb_bytes_from(r->rest, len);
	if (quoted && !take(r, '>'))
		r->bad = true;
}

static void take_turn(struct turn *turn, struct reader *r)
{
	*turn = (struct turn){ .time = 7200 };
	if (!take(r, ','))
		r->bad = true;
	if (take(r, 'M')) {
		turn->month = take_number(r, 12);
		r->bad = r->bad || turn->month == 0 || !take(r, '.');
		turn->nth = take_number(r, 5);
		r->bad = r->bad || turn->nth == 0 || !take(r, '.');
		turn->weekday = take_number(r, 6);
	} else {
		turn->kind = take(r, 'J') ? TURN_DAY_NO_LEAP : TURN_DAY;
		turn->day = take_number(r, 365);
		r->bad = r->bad || (turn->kind == TURN_DAY_NO_LEAP && turn->day == 0);
	}
	if (take(r, '/'))
		turn->time = take_time(r, 167);
}

static bool read_rule(struct workflow_zone *zone, struct lb_bytes text)
{
	struct reader r = { .rest = text };

	if (text.len == 0)
		return true;
	skip_name(&r);
	zone->standard = -take_time(&r, 24);
	zone->summer = zone->standard + 3600;
	zone->has_rule = true;
	if (r.rest.len == 0)
		return !r.bad;
	zone->has_summer = true;
	skip_name(&r);
	if (r.rest.len > 0 && r.rest.at[0] != ',')
		zone->summer = -take_time(&r, 24);
	take_turn(&zone->to_summer, &r);
	take_turn(&zone->to_standard, &r);
	return !r.bad && r.rest.len == 0;
}

/* Local seconds since 1970 of a turn in a year. */
static int64_t turn_in(const struct turn *turn, int64_t year)
{
	int64_t day = workflow_day_of(year, 1, 1);
	int64_t first, next;

	if (turn->kind == TURN_DAY)
		return (day + turn->day) * DAY_S + turn->time;
	if (turn->kind == TURN_DAY_NO_LEAP)
		return (day + turn->day - 1 + (is_leap(year) && turn->day >= 60)) * DAY_S +
		       turn->time;
	first = workflow_day_of(year, turn->month, 1);
	next = turn->month < 12 ? workflow_day_of(year, turn->month + 1, 1)
	                        : workflow_day_of(year + 1, 1, 1);
	day = first + (7 + turn->weekday - workflow_date_of(first).weekday) % 7 +
	      7 * (int64_t)(turn->nth - 1);
	return (day < next ? day : day - 7) * DAY_S + turn->time;
}

static int32_t offset_by_rule(const struct workflow_zone *zone, int64_t utc)
{
	int64_t local = utc + zone->standard, year, summer, standard;

	if (!zone->has_summer)
		return zone->standard;
	year = workflow_date_of((local >= 0 ? local : local - DAY_S + 1) / DAY_S).year;
	summer = turn_in(&zone->to_summer, year) - zone->standard;
	standard = turn_in(&zone->to_standard, year) - zone->summer;
	if (summer < standard)
		return utc >= summer && utc < standard ? zone->summer : zone->standard;
	return utc >= standard && utc < summer ? zone->standard : zone->summer;
}

/* ---- the file ---- */

static uint64_t big_endian(const unsigned char *at, size_t bytes)
{
	uint64_t number = 0;

	for (size_t i = 0; i < bytes; i++)
		number = number << 8 | at[i];
	return number;
}

struct header {
	uint32_t utc_flags, wall_flags, leaps, changes, types, letters;
	unsigned char version;
};

static bool read_header(struct header *out, struct lb_bytes file)
{
	const unsigned char *at = file.at;

	if (file.len < HEADER_BYTES || memcmp(at, "TZif", 4) != 0)
		return false;
	*out = (struct header){ .version = at[4],
		                .utc_flags = (uint32_t)big_endian(at + 20, 4),
		                .wall_flags = (uint32_t)big_endian(at + 24, 4),
		                .leaps = (uint32_t)big_endian(at + 28, 4),
		                .changes = (uint32_t)big_endian(at + 32, 4),
		                .types = (uint32_t)big_endian(at + 36, 4),
		                .letters = (uint32_t)big_endian(at + 40, 4) };
	return out->types > 0 && out->types <= TYPES_MAX && out->changes <= CHANGES_MAX;
}

/* Bytes of the data behind a header, with times of so many bytes. */
static uint64_t data_bytes(const struct header *h, size_t time_bytes)
{
	return (uint64_t)h->changes * (time_bytes + 1) + (uint64_t)h->types * 6 + h->letters +
	       (uint64_t)h->leaps * (time_bytes + 4) + h->wall_flags + h->utc_flags;
}

static bool is_offset(int32_t seconds) { return seconds > -26 * 3600 && seconds < 27 * 3600; }

static lb_err read_changes(struct workflow_zone *zone, struct lb_arena *arena,
                           const struct header *h, const unsigned char *at)
{
	const unsigned char *indices = at + (size_t)h->changes * 8;
	const unsigned char *types = indices + h->changes;

	zone->changes = LB_ARENA_NEW(arena, struct change, h->changes);
	if (zone->changes == NULL)
		return lb_err_of(LB_E_NOMEM);
	zone->count = h->changes;
	zone->before = (int32_t)big_endian(types, 4);
	if (!is_offset(zone->before))
		return lb_err_of(LB_E_MALFORMED);
	for (uint32_t i = 0; i < h->changes; i++) {
		if (indices[i] >= h->types)
			return lb_err_of(LB_E_MALFORMED);
		zone->changes[i] = (struct change){
			.at = (int64_t)big_endian(at + (size_t)i * 8, 8),
			.offset = (int32_t)big_endian(types + (size_t)indices[i] * 6, 4),
		};
		if (!is_offset(zone->changes[i].offset) ||
		    (i > 0 && zone->changes[i].at <= zone->changes[i - 1].at))
			return lb_err_of(LB_E_MALFORMED);
	}
	return LB_OK;
}

lb_err workflow_zone_read(const struct workflow_zone **out, struct lb_arena *arena,
                          struct lb_bytes file)
{
	struct workflow_zone *zone = LB_ARENA_NEW(arena, struct workflow_zone, 1);
	struct header h;
	struct lb_bytes rest = file;
	size_t end;

	*out = NULL;
	if (zone == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!read_header(&h, rest) || h.version < '2' ||
	    data_bytes(&h, 4) > rest.len - HEADER_BYTES)
		return lb_err_of(LB_E_MALFORMED);
	rest = lb_bytes_from(rest, HEADER_BYTES + (size_t)data_bytes(&h, 4));
	if (!read_header(&h, rest) || data_bytes(&h, 8) > rest.len - HEADER_BYTES)
		return lb_err_at(LB_E_MALFORMED, (uint64_t)(rest.at - file.at));
	LB_TRY(read_changes(zone, arena, &h, rest.at + HEADER_BYTES));
	rest = lb_bytes_from(rest, HEADER_BYTES + (size_t)data_bytes(&h, 8));
	if (rest.len > 0 && rest.at[0] == '\n') {
		rest = lb_bytes_from(rest, 1);
		end = lb_bytes_find_byte(rest, '\n');
		if (end == SIZE_MAX || !read_rule(zone, lb_bytes_upto(rest, end)))
			return lb_err_at(LB_E_MALFORMED, (uint64_t)(rest.at - file.at));
	}
	*out = zone;
	return LB_OK;
}

bool workflow_zone_is_name(struct lb_bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = name.at[i];
		bool letter = ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9');

		if (!letter && c != '_' && c != '-' && c != '+' && c != '/')
			return false;
	}
	return name.len > 0 && name.len < 100 && name.at[0] != '/';
}

/* ---- asking ---- */

int32_t workflow_zone_offset(const struct workflow_zone *zone, int64_t utc)
{
	size_t low = 0, high;

	if (zone == NULL)
		return 0;
	high = zone->count;
	while (low < high) { /* changes below low have been, those from high on have not */
		size_t middle = low + (high - low) / 2;

		if (zone->changes[middle].at <= utc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->count && zone->has_rule)
		return offset_by_rule(zone, utc);
	return low == 0 ? zone->before : zone->changes[low - 1].offset;
}

int64_t workflow_zone_instant(const struct workflow_zone *zone, int64_t local)
{
	int32_t before = workflow_zone_offset(zone, local - DAY_S);
	int32_t after = workflow_zone_offset(zone, local + DAY_S);
	int64_t low = local - after, high = local - before;

	if (workflow_zone_offset(zone, high) == before)
		return high;
	if (workflow_zone_offset(zone, low) == after)
		return low;
	while (high - low > 1) { /* the change is behind low, and not behind high */
		int64_t middle = low + (high - low) / 2;

		if (workflow_zone_offset(zone, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}
