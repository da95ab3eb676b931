/* cron.c - see cron.h. */
#include "workflows/event/cron.h"

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60, MARGIN_S = 4 * HOUR_S, YEAR_MAX = 9999 };

#define YEAR_0_S INT64_C(-62167219200)
#define YEAR_10000_S INT64_C(253402300800)

/* ---- parsing ---- */

struct field {
	uint32_t least, most;
	const char *names; /* three letters each, the first of them for `first_name`; NULL: none */
	uint32_t first_name;
};

static bool read_name(uint32_t *out, const struct field *field, struct lb_bytes text)
{
	for (uint32_t i = 0; field->names != NULL && field->names[3 * i] != '\0'; i++) {
		struct lb_bytes name = { (const unsigned char *)&field->names[3 * i], 3 };

		if (lb_bytes_eq_nocase(text, name)) {
			*out = field->first_name + i;
			return true;
		}
	}
	return false;
}

static bool read_number(uint32_t *out, const struct field *field, struct lb_bytes text)
{
	uint64_t number;

	if (lb_failed(lb_bytes_u64(&number, text, field->most)) || number < field->least)
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool read_one(uint32_t *out, const struct field *field, struct lb_bytes text)
{
	return read_name(out, field, text) || read_number(out, field, text);
}

/* "*", "5", "MON", "1-5": from where to where.  A number alone reaches to the end when a step
 * follows. */
static bool read_range(uint32_t *from, uint32_t *to, const struct field *field,
                       struct lb_bytes text, bool stepped)
{
	size_t dash = lb_bytes_find_byte(text, '-');

	if (lb_bytes_is(text, "*")) {
		*from = field->least;
		*to = field->most;
		return true;
	}
	if (!read_one(from, field, lb_bytes_upto(text, dash)))
		return false;
	*to = stepped ? field->most : *from;
	return dash == SIZE_MAX ||
	       (read_one(to, field, lb_bytes_from(text, dash + 1)) && *to >= *from);
}

/* A range with or without a step: "1-10/3". */
static bool read_item(uint64_t *bits, const struct field *field, struct lb_bytes text)
{
	size_t slash = lb_bytes_find_byte(text, '/');
	uint32_t from, to, step = 1;

	if (slash != SIZE_MAX &&
	    (!read_number(&step, field, lb_bytes_from(text, slash + 1)) || step == 0))
		return false;
	if (!read_range(&from, &to, field, lb_bytes_upto(text, slash), slash != SIZE_MAX))
		return false;
	for (uint32_t at = from; at <= to; at += step)
		*bits |= UINT64_C(1) << at;
	return true;
}

static bool read_field(uint64_t *bits, const struct field *field, struct lb_bytes text)
{
	struct lb_bytes item, rest = text;
	bool good = text.len > 0 && !lb_bytes_ends(text, LB_B(","));

	*bits = 0;
	while (good && lb_bytes_split(&item, &rest, ','))
		good = read_item(bits, field, item);
	return good;
}

/* Fields are divided by one blank or more; there is none around them. */
static size_t split_fields(struct lb_bytes out[5], struct lb_bytes text)
{
	struct lb_bytes rest = text, part;
	size_t count = 0;

	while (lb_bytes_split(&part, &rest, ' ')) {
		if (part.len == 0 && count > 0 && rest.len > 0)
			continue;
		if (count == 5)
			return 6;
		out[count++] = part;
	}
	return count;
}

lb_err workflow_cron_parse(struct workflow_cron *out, struct lb_bytes text, struct lb_diag *diag)
{
	static const struct field fields[5] = {
		{ 0, 59, NULL, 0 },
		{ 0, 23, NULL, 0 },
		{ 1, 31, NULL, 0 },
		{ 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", 1 },
		{ 0, 6, "SUNMONTUEWEDTHUFRISAT", 0 },
	};
	struct lb_bytes parts[5];
	uint64_t bits[5] = { 0 };
	bool good = split_fields(parts, lb_bytes_trim(text)) == 5;

	for (size_t i = 0; good && i < 5; i++)
		good = read_field(&bits[i], &fields[i], parts[i]);
	if (!good)
		return lb_fail(diag, LB_E_INVALID,
		               "Invalid cron expression. Expected format: '* * * * *' (minute "
		               "hour day month weekday)");
	*out = (struct workflow_cron){
		.minutes = bits[0],
		.hours = (uint32_t)bits[1],
		.days = (uint32_t)bits[2],
		.months = (uint32_t)bits[3],
		.weekdays = (uint32_t)bits[4],
		.any_day = parts[2].at[0] == '*',
		.any_weekday = parts[4].at[0] == '*',
	};
	return LB_OK;
}

/* ---- striking ---- */

static bool has(uint64_t bits, uint32_t at) { return (bits >> at & 1) != 0; }

static bool is_its_day(const struct workflow_cron *cron, const struct workflow_date *date)
{
	bool day = has(cron->days, date->day), weekday = has(cron->weekdays, date->weekday);

	if (!has(cron->months, date->month))
		return false;
	return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* The first of the day's times behind `after`. */
static bool strikes(int64_t *out, const struct workflow_cron *cron,
                    const struct workflow_zone *zone, int64_t day, int64_t after)
{
	for (uint32_t hour = 0; hour < 24; hour++) {
		if (!has(cron->hours, hour) ||
		    workflow_zone_instant(zone, day * DAY_S + hour * HOUR_S + HOUR_S - 1) <= after)
			continue;
		for (uint32_t minute = 0; minute < 60; minute++) {
			if (!has(cron->minutes, minute))
				continue;
			*out = workflow_zone_instant(zone, day * DAY_S + hour * HOUR_S +
			                                           minute * MINUTE_S);
			if (*out > after)
				return true;
		}
	}
	return false;
}

static int64_t day_floor(int64_t seconds)
{
	return (seconds >= 0 ? seconds : seconds - DAY_S + 1) / DAY_S;
}

lb_err workflow_cron_next(int64_t *out, const struct workflow_cron *cron,
                          const struct workflow_zone *zone, int64_t after)
{
	/* The longest wait is for a 29th of February over a year like 1900: eight years. */
	enum { DAYS_MAX = 9 * 366 };
	int64_t day;

	if (after < YEAR_0_S || after > YEAR_10000_S)
		return lb_err_of(LB_E_NOTFOUND);
	day = day_floor(after + workflow_zone_offset(zone, after) - MARGIN_S);
	for (unsigned i = 0; i < DAYS_MAX; i++, day++) {
		struct workflow_date date = workflow_date_of(day);

		if (date.year > YEAR_MAX)
			break;
		if (is_its_day(cron, &date) && strikes(out, cron, zone, day, after))
			return LB_OK;
	}
	return lb_err_of(LB_E_NOTFOUND);
}
