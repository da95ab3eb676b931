/* run.c - the page of one run: the graph, the jobs, what they said and left. */
#include "coordinator/pages/page_priv.h"

#include <inttypes.h>
#include <stdio.h>

static void add_fact(struct lb_buf *out, const char *name, struct lb_bytes value)
{
	lb_buf_addf(out, "<div><dt>%s</dt><dd>", name);
	coord_html_text(out, value);
	lb_buf_add_text(out, "</dd></div>\n");
}

static void add_head(struct lb_buf *out, const struct lb_value *run, uint64_t now_ns)
{
	lb_buf_add_text(out, "<p class=\"crumbs\"><a href=\"/\">Runs</a></p>\n<h1>");
	coord_html_badge(out, coord_html_state(run));
	lb_buf_add_text(out, " ");
	coord_html_text(out, lb_value_get_string(run, "title"));
	lb_buf_addf(out, " <span class=\"dim\">#%.0f</span></h1>\n<dl class=\"facts\">\n",
	            lb_value_get_number(run, "number"));
	add_fact(out, "Repository", lb_value_get_string(run, "repository"));
	add_fact(out, "Workflow", lb_value_get_string(run, "workflow"));
	add_fact(out, "Event", lb_value_get_string(run, "event"));
	add_fact(out, "Ref", lb_value_get_string(run, "ref"));
	add_fact(out, "Commit", lb_bytes_upto(lb_value_get_string(run, "sha"), 12));
	lb_buf_add_text(out, "<div><dt>Started</dt><dd>");
	coord_html_ago(out, lb_value_get_string(run, "created_at"), now_ns);
	lb_buf_add_text(out, "</dd></div>\n<div><dt>Time</dt><dd>");
	coord_html_duration(out, run, now_ns);
	lb_buf_addf(out, "</dd></div>\n<div><dt>Attempt</dt><dd>%.0f</dd></div>\n</dl>\n",
	            lb_value_get_number(run, "attempt"));
}

/* Why a job is not running, or how it came to its end, where that is not the usual way. */
static void add_reason(struct lb_buf *out, const struct lb_value *job)
{
	const struct lb_value *attempts = coord_items(job, "attempts");
	struct lb_bytes waiting = lb_value_get_string(job, "waiting"),
			reason = lb_value_get_string(job, "reason");

	if (waiting.len > 0 || reason.len > 0) {
		lb_buf_add_text(out, "<div class=\"dim\">");
		coord_html_text(out, waiting.len > 0 ? waiting : reason);
		lb_buf_add_text(out, "</div>");
	}
	for (uint32_t i = 0; i < attempts->count; i++) {
		struct lb_bytes why = lb_value_get_string(attempts->items[i], "reason");

		if (why.len == 0)
			continue;
		lb_buf_addf(out, "<div class=\"dim\">attempt %.0f: ",
		            lb_value_get_number(attempts->items[i], "number"));
		coord_html_text(out, why);
		lb_buf_add_text(out, "</div>");
	}
}

static void add_job(struct lb_buf *out, const struct lb_value *job, uint64_t now_ns)
{
	lb_buf_add_text(out, "<tr><td>");
	coord_html_badge(out, coord_html_state(job));
	lb_buf_add_text(out, "</td><td class=\"wide\"><a href=\"");
	coord_html_text(out, lb_value_get_string(job, "url"));
	lb_buf_add_text(out, "\">");
	coord_html_text(out, lb_value_get_string(job, "name"));
	lb_buf_add_text(out, "</a>");
	add_reason(out, job);
	lb_buf_add_text(out, "</td><td>");
	coord_html_text(out, lb_value_get_string(job, "runner"));
	lb_buf_add_text(out, "</td><td class=\"number\">");
	coord_html_duration(out, job, now_ns);
	lb_buf_add_text(out, "</td></tr>\n");
}

static void add_jobs(struct lb_buf *out, const struct lb_value *run, uint64_t now_ns)
{
	const struct lb_value *jobs = coord_items(run, "jobs");

	lb_buf_add_text(out,
	                "<h2>Jobs</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th "
	                "scope=\"col\">State</th>"
	                "<th scope=\"col\">Job</th><th scope=\"col\">Runner</th>"
	                "<th scope=\"col\" class=\"number\">Time</th></tr></thead>\n<tbody>\n");
	for (uint32_t i = 0; i < jobs->count; i++)
		add_job(out, jobs->items[i], now_ns);
	lb_buf_add_text(out, "</tbody>\n</table></div>\n");
}

static void add_annotation(struct lb_buf *out, const struct lb_value *job,
                           const struct lb_value *note)
{
	struct lb_bytes file = lb_value_get_string(note, "file"),
			title = lb_value_get_string(note, "title");

	lb_buf_add_text(out, "<li class=\"note ");
	coord_html_text(out, lb_value_get_string(note, "level"));
	lb_buf_add_text(out, "\"><strong>");
	coord_html_text(out, title.len > 0 ? title : lb_value_get_string(note, "level"));
	lb_buf_add_text(out, "</strong> <span class=\"dim\">");
	coord_html_text(out, lb_value_get_string(job, "name"));
	if (file.len > 0) {
		lb_buf_add_text(out, " · ");
		coord_html_text(out, file);
		if (lb_value_get_number(note, "line") > 0)
			lb_buf_addf(out, ":%.0f", lb_value_get_number(note, "line"));
	}
	lb_buf_add_text(out, "</span><pre>");
	coord_html_text(out, lb_value_get_string(note, "message"));
	lb_buf_add_text(out, "</pre></li>\n");
}

static void add_annotations(struct lb_buf *out, const struct lb_value *run)
{
	const struct lb_value *jobs = coord_items(run, "jobs");
	bool any = false;

	for (uint32_t i = 0; i < jobs->count; i++) {
		const struct lb_value *notes = coord_items(jobs->items[i], "annotations");

		for (uint32_t k = 0; k < notes->count; k++) {
			lb_buf_add_text(out,
			                any ? "" : "<h2>Annotations</h2>\n<ul class=\"notes\">\n");
			any = true;
			add_annotation(out, jobs->items[i], notes->items[k]);
		}
	}
	lb_buf_add_text(out, any ? "</ul>\n" : "");
}

static void add_summaries(struct lb_buf *out, const struct lb_value *run)
{
	const struct lb_value *jobs = coord_items(run, "jobs");

	for (uint32_t i = 0; i < jobs->count; i++) {
		struct lb_bytes summary = lb_value_get_string(jobs->items[i], "summary");

		if (summary.len == 0)
			continue;
		lb_buf_add_text(out, "<h2>Summary of ");
		coord_html_text(out, lb_value_get_string(jobs->items[i], "name"));
		lb_buf_add_text(out, "</h2>\n<pre class=\"summary\">");
		coord_html_text(out, summary);
		lb_buf_add_text(out, "</pre>\n");
	}
}

static void add_artifacts(struct lb_buf *out, const struct lb_value *artifacts)
{
	if (artifacts == NULL || artifacts->kind != LB_ARRAY || artifacts->count == 0)
		return;
	lb_buf_add_text(out, "<h2>Artifacts</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th "
	                     "scope=\"col\">Name</th>"
	                     "<th scope=\"col\" class=\"number\">Size</th><th "
	                     "scope=\"col\">SHA-256</th></tr></thead>\n"
	                     "<tbody>\n");
	for (uint32_t i = 0; i < artifacts->count; i++) {
		const struct lb_value *artifact = artifacts->items[i];

		lb_buf_addf(out, "<tr><td class=\"wide\"><a href=\"/api/v1/artifacts/%.0f\">",
		            lb_value_get_number(artifact, "id"));
		coord_html_text(out, lb_value_get_string(artifact, "name"));
		lb_buf_add_text(out, "</a></td><td class=\"number\">");
		coord_html_size(out, lb_value_get_number(artifact, "size"));
		lb_buf_add_text(out, "</td><td><code class=\"digest\">");
		coord_html_text(out, lb_value_get_string(artifact, "sha256"));
		lb_buf_add_text(out, "</code></td></tr>\n");
	}
	lb_buf_add_text(out, "</tbody>\n</table></div>\n");
}

void coord_page_run(struct lb_buf *out, const struct lb_value *run,
                    const struct lb_value *artifacts, uint64_t now_ns)
{
	char live[64], title[256];
	bool over = lb_bytes_is(lb_value_get_string(run, "status"), "completed");

	(void)snprintf(live, sizeof live, "/api/v1/runs/%.0f/events",
	               lb_value_get_number(run, "id"));
	(void)snprintf(title, sizeof title, "%.*s #%.0f",
	               LB_FMT(lb_bytes_upto(lb_value_get_string(run, "title"), 200)),
	               lb_value_get_number(run, "number"));
	coord_html_begin(out, title, over ? NULL : live);
	add_head(out, run, now_ns);
	coord_html_graph(out, run);
	add_jobs(out, run, now_ns);
	add_annotations(out, run);
	add_summaries(out, run);
	add_artifacts(out, artifacts);
	coord_html_end(out);
}
