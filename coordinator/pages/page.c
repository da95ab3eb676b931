/* page.c - the frame of a page and its small pieces. */
#include "base/text.h"
#include "coordinator/pages/page_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void coord_html_text(struct lb_buf *out, struct lb_bytes text) { lb_html_add(out, text); }

void coord_html_begin(struct lb_buf *out, const char *title, const char *live)
{
	lb_buf_add_text(out,
	                "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	                "<meta name=\"viewport\" content=\"width=device-width, "
	                "initial-scale=1\">\n<title>");
	coord_html_text(out, lb_bytes_of(title));
	lb_buf_add_text(out, " · Lifeboat</title>\n<link rel=\"icon\" href=\"/static/icon.svg\">\n"
	                     "<link rel=\"stylesheet\" href=\"/static/style.css\">\n"
	                     "<script src=\"/static/app.js\" defer></script>\n</head>\n<body>\n"
	                     "<a class=\"skip\" href=\"#main\">Skip to content</a>\n"
	                     "<header class=\"top\"><a class=\"name\" href=\"/\">"
	                     "<img src=\"/static/icon.svg\" alt=\"\" width=\"24\" "
	                     "height=\"24\">Lifeboat</a></header>\n"
	                     "<main id=\"main\"");
	if (live != NULL) {
		lb_buf_add_text(out, " data-live=\"");
		coord_html_text(out, lb_bytes_of(live));
		lb_buf_add_text(out, "\"");
	}
	lb_buf_add_text(out, ">\n");
}

void coord_html_end(struct lb_buf *out)
{
	lb_buf_add_text(out,
	                "</main>\n<footer>Lifeboat " LB_VERSION "</footer>\n</body>\n</html>\n");
}

struct lb_bytes coord_html_state(const struct lb_value *thing)
{
	struct lb_bytes status = lb_value_get_string(thing, "status");
	struct lb_bytes conclusion = lb_value_get_string(thing, "conclusion");

	if (lb_bytes_is(status, "completed") && conclusion.len > 0)
		return conclusion;
	return status.len > 0 ? status : LB_B("queued");
}

/* The sign says what the colour says, for those who do not see it. */
static const char *sign_of(struct lb_bytes state)
{
	static const struct {
		const char *state, *sign;
	} signs[] = {
		{ "success", "✓" }, { "failure", "✗" },     { "cancelled", "⊘" },
		{ "skipped", "–" }, { "in_progress", "●" }, { "queued", "○" },
	};

	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		if (lb_bytes_is(state, signs[i].state))
			return signs[i].sign;
	}
	return "?";
}

static void add_state_words(struct lb_buf *out, struct lb_bytes state)
{
	if (lb_bytes_is(state, "in_progress"))
		lb_buf_add_text(out, "running");
	else
		coord_html_text(out, state);
}

void coord_html_badge(struct lb_buf *out, struct lb_bytes state)
{
	lb_buf_add_text(out, "<span class=\"state ");
	coord_html_text(out, state);
	lb_buf_add_text(out, "\"><span aria-hidden=\"true\">");
	lb_buf_add_text(out, sign_of(state));
	lb_buf_add_text(out, "</span> ");
	add_state_words(out, state);
	lb_buf_add_text(out, "</span>");
}

/* RFC 3339 in UTC, as the store writes it, in nanoseconds since 1970; 0 when it is none. */
static uint64_t time_of(struct lb_bytes text)
{
	char copy[40];
	struct tm tm = { 0 };
	int millis = 0;
	time_t seconds;

	(void)snprintf(copy, sizeof copy, "%.*s", LB_FMT(lb_bytes_upto(text, sizeof copy - 1)));
	if (sscanf(copy, "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
	           &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &millis) < 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm);
	return seconds < 0 ? 0 : (uint64_t)seconds * 1000000000u + (uint64_t)millis * 1000000u;
}

void coord_html_duration(struct lb_buf *out, const struct lb_value *thing, uint64_t now_ns)
{
	uint64_t begin = time_of(lb_value_get_string(thing, "started_at"));
	uint64_t end = time_of(lb_value_get_string(thing, "completed_at"));
	char text[LB_TIME_SIZE];

	if (begin == 0)
		return;
	if (end == 0)
		end = now_ns;
	lb_buf_add_text(out, lb_duration_text(text, end > begin ? end - begin : 0));
}

void coord_html_ago(struct lb_buf *out, struct lb_bytes time, uint64_t now_ns)
{
	uint64_t at = time_of(time);
	char text[LB_TIME_SIZE];

	if (at == 0)
		return;
	lb_buf_add_text(out, "<time datetime=\"");
	coord_html_text(out, time);
	lb_buf_add_text(out, "\" title=\"");
	coord_html_text(out, time);
	lb_buf_addf(out, "\">%s ago</time>", lb_duration_text(text, now_ns > at ? now_ns - at : 0));
}

void coord_html_size(struct lb_buf *out, double bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	size_t unit = 0;

	while (bytes >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
		bytes /= 1000;
		unit++;
	}
	lb_buf_addf(out, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

const struct lb_value *coord_items(const struct lb_value *object, const char *key)
{
	static const struct lb_value none = { .kind = LB_ARRAY };
	const struct lb_value *items = lb_value_get(object, key);

	return items != NULL && items->kind == LB_ARRAY ? items : &none;
}

void coord_page_error(struct lb_buf *out, int status, const char *message)
{
	coord_html_begin(out, message, NULL);
	lb_buf_addf(out, "<h1>%d</h1>\n<p>", status);
	coord_html_text(out, lb_bytes_of(message));
	lb_buf_add_text(out, "</p>\n<p><a href=\"/\">All runs</a></p>\n");
	coord_html_end(out);
}
