/* runs.c - the page of all runs. */
#include "coordinator/pages/page_priv.h"

#include <inttypes.h>

static void add_row(struct lb_buf *out, const struct lb_value *run, uint64_t now_ns)
{
	struct lb_bytes sha = lb_value_get_string(run, "sha"),
			ref = lb_value_get_string(run, "ref");
	struct lb_bytes heads = LB_LIT("refs/heads/"), tags = LB_LIT("refs/tags/");

	if (lb_bytes_starts(ref, heads))
		ref = lb_bytes_from(ref, heads.len);
	else if (lb_bytes_starts(ref, tags))
		ref = lb_bytes_from(ref, tags.len);
	lb_buf_add_text(out, "<tr><td>");
	coord_html_badge(out, coord_html_state(run));
	lb_buf_addf(out, "</td><td class=\"wide\"><a href=\"/runs/%.0f\">",
	            lb_value_get_number(run, "id"));
	coord_html_text(out, lb_value_get_string(run, "name"));
	lb_buf_add_text(out, "</a><div class=\"dim\">");
	coord_html_text(out, lb_value_get_string(run, "repository"));
	lb_buf_add_text(out, " · ");
	coord_html_text(out, lb_value_get_string(run, "workflow"));
	lb_buf_addf(out, " #%.0f · ", lb_value_get_number(run, "number"));
	coord_html_text(out, lb_value_get_string(run, "event"));
	lb_buf_add_text(out, "</div></td><td><span class=\"ref\">");
	coord_html_text(out, ref);
	lb_buf_add_text(out, "</span> <code>");
	coord_html_text(out, lb_bytes_upto(sha, 7));
	lb_buf_add_text(out, "</code></td><td class=\"number\">");
	coord_html_duration(out, run, now_ns);
	lb_buf_add_text(out, "</td><td class=\"number dim\">");
	coord_html_ago(out, lb_value_get_string(run, "created_at"), now_ns);
	lb_buf_add_text(out, "</td></tr>\n");
}

static void add_counts(struct lb_buf *out, const struct lb_value *status)
{
	const struct lb_value *jobs = lb_value_get(status, "jobs");

	lb_buf_addf(
		out,
		"<p class=\"counts\">Jobs: <strong>%.0f</strong> running, <strong>%.0f</strong> "
		"queued. Runners: <strong>%.0f</strong> online.</p>\n",
		lb_value_get_number(jobs, "in_progress"), lb_value_get_number(jobs, "queued"),
		lb_value_get_number(lb_value_get(status, "runners"), "online"));
}

static void add_runners(struct lb_buf *out, const struct lb_value *runners)
{
	if (runners == NULL || runners->kind != LB_ARRAY || runners->count == 0)
		return;
	lb_buf_add_text(out, "<h2>Runners</h2>\n<ul class=\"runners\">\n");
	for (uint32_t i = 0; i < runners->count; i++) {
		const struct lb_value *runner = runners->items[i];
		const struct lb_value *labels = coord_items(runner, "labels");
		bool online = lb_bytes_is(lb_value_get_string(runner, "status"), "online") ||
		              lb_value_get_bool(runner, "online");

		lb_buf_addf(out, "<li class=\"%s\"><strong>", online ? "online" : "offline");
		coord_html_text(out, lb_value_get_string(runner, "name"));
		lb_buf_addf(out, "</strong> %s <span class=\"dim\">",
		            online ? "online" : "offline");
		for (uint32_t k = 0; k < labels->count; k++) {
			lb_buf_add_text(out, k > 0 ? " · " : "");
			if (labels->items[k]->kind == LB_STRING)
				coord_html_text(out, labels->items[k]->string);
		}
		lb_buf_add_text(out, "</span></li>\n");
	}
	lb_buf_add_text(out, "</ul>\n");
}

void coord_page_runs(struct lb_buf *out, const struct coord_page_runs *what, uint64_t now_ns)
{
	const struct lb_value *runs = what->runs;

	coord_html_begin(out, "Runs", "poll");
	lb_buf_add_text(out, "<h1>Runs</h1>\n");
	add_counts(out, what->status);
	if (runs == NULL || runs->count == 0) {
		lb_buf_add_text(out,
		                "<p>No runs yet. <code>lifeboat submit</code> starts one.</p>\n");
	} else {
		lb_buf_add_text(
			out,
			"<div class=\"scroll\"><table class=\"runs\">\n<thead><tr><th "
			"scope=\"col\">State</th>"
			"<th scope=\"col\">Run</th><th scope=\"col\">Commit</th>"
			"<th scope=\"col\" class=\"number\">Time</th>"
			"<th scope=\"col\" class=\"number\">Started</th></tr></thead>\n<tbody>\n");
		for (uint32_t i = 0; i < runs->count; i++)
			add_row(out, runs->items[i], now_ns);
		lb_buf_add_text(out, "</tbody>\n</table></div>\n");
		if (runs->count == what->limit)
			lb_buf_addf(out, "<p><a href=\"/?before=%.0f\">Older runs</a></p>\n",
			            lb_value_get_number(runs->items[runs->count - 1], "id"));
	}
	add_runners(out, what->runners);
	coord_html_end(out);
}
