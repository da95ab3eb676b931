/* job.c - the page of one job: its steps, each with its part of the log. */
#include "coordinator/pages/page_priv.h"

#include <inttypes.h>
#include <stdio.h>

static void add_head(struct lb_buf *out, const struct lb_value *job, uint64_t now_ns)
{
	const struct lb_value *run = lb_value_get(job, "run");

	lb_buf_addf(out, "<p class=\"crumbs\"><a href=\"/\">Runs</a> / <a href=\"/runs/%.0f\">",
	            lb_value_get_number(run, "id"));
	coord_html_text(out, lb_value_get_string(run, "title"));
	lb_buf_addf(out, " #%.0f</a></p>\n<h1>", lb_value_get_number(run, "number"));
	coord_html_badge(out, coord_html_state(job));
	lb_buf_add_text(out, " ");
	coord_html_text(out, lb_value_get_string(job, "name"));
	lb_buf_add_text(out, "</h1>\n<p class=\"dim\">");
	if (lb_value_get_string(job, "runner").len > 0) {
		lb_buf_add_text(out, "on ");
		coord_html_text(out, lb_value_get_string(job, "runner"));
		lb_buf_add_text(out, " · ");
	}
	lb_buf_addf(out, "attempt %.0f · ", lb_value_get_number(job, "attempt"));
	coord_html_duration(out, job, now_ns);
	lb_buf_addf(out, " · <a href=\"/api/v1/jobs/%.0f/log\">raw log</a></p>\n",
	            lb_value_get_number(job, "id"));
}

/* The part of the shown text that belongs to a step; a step that runs has what is left. */
static struct lb_bytes part_of(const struct lb_value *step, struct lb_bytes text)
{
	bool over = lb_bytes_is(lb_value_get_string(step, "status"), "completed");
	double begin = lb_value_get_number(step, "log_begin");

	if (lb_value_get(step, "log_begin") == NULL || begin < 0)
		return (struct lb_bytes){ 0 };
	if (over)
		text = lb_bytes_upto(text, (size_t)lb_value_get_number(step, "log_end"));
	return lb_bytes_from(text, (size_t)begin);
}

/* A step is open when it runs or went wrong: that is what people came to see. */
static bool is_open(struct lb_bytes state)
{
	return lb_bytes_is(state, "in_progress") || lb_bytes_is(state, "failure");
}

static uint64_t add_step(struct lb_buf *out, const struct lb_value *step, struct lb_bytes text,
                         uint64_t first, uint64_t now_ns)
{
	struct lb_bytes state = coord_html_state(step);
	uint64_t lines;

	lb_buf_addf(out, "<details class=\"step\"%s><summary>", is_open(state) ? " open" : "");
	coord_html_badge(out, state);
	lb_buf_add_text(out, " <span class=\"title\">");
	coord_html_text(out, lb_value_get_string(step, "name"));
	lb_buf_add_text(out, "</span><span class=\"dim\">");
	coord_html_duration(out, step, now_ns);
	lb_buf_add_text(out, "</span></summary>\n<ol class=\"log\">\n");
	lines = coord_page_lines(out, part_of(step, text), first);
	lb_buf_add_text(out, "</ol></details>\n");
	return lines;
}

void coord_page_job(struct lb_buf *out, const struct lb_value *job,
                    const struct coord_page_log *log, uint64_t now_ns)
{
	const struct lb_value *steps = coord_items(job, "steps");
	bool over = lb_bytes_is(lb_value_get_string(job, "status"), "completed");
	char live[96], title[256];
	uint64_t first = 1;

	(void)snprintf(live, sizeof live, "/api/v1/runs/%.0f/events",
	               lb_value_get_number(lb_value_get(job, "run"), "id"));
	(void)snprintf(title, sizeof title, "%.*s",
	               LB_FMT(lb_bytes_upto(lb_value_get_string(job, "name"), 200)));
	coord_html_begin(out, title, over ? NULL : live);
	add_head(out, job, now_ns);
	lb_buf_addf(out, "<div class=\"steps\" data-size=\"%zu\"", log->text.len);
	if (!over)
		lb_buf_addf(out,
		            " data-log=\"/api/v1/jobs/%.0f/log/live\" "
		            "data-lines=\"/runs/%.0f/jobs/%.0f/lines\"",
		            lb_value_get_number(job, "id"),
		            lb_value_get_number(lb_value_get(job, "run"), "id"),
		            lb_value_get_number(job, "id"));
	lb_buf_add_text(out, ">\n");
	for (uint32_t i = 0; i < steps->count; i++)
		first += add_step(out, steps->items[i], log->text, first, now_ns);
	lb_buf_add_text(out, "</div>\n");
	if (steps->count == 0) {
		lb_buf_add_text(out, "<p class=\"dim\">No step has begun");
		if (lb_value_get_string(job, "waiting").len > 0) {
			lb_buf_add_text(out, ": ");
			coord_html_text(out, lb_value_get_string(job, "waiting"));
		}
		lb_buf_add_text(out, ".</p>\n");
	}
	if (log->size > log->text.len)
		lb_buf_addf(out,
		            "<p>The first %zu of %" PRIu64
		            " bytes are shown; the <a href=\"/api/v1/jobs/%.0f/log\">"
		            "raw log</a> has all.</p>\n",
		            log->text.len, log->size, lb_value_get_number(job, "id"));
	coord_html_end(out);
}
