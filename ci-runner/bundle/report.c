/* report.c - see test.h: JUnit for other programs, Markdown for people. */
#include "ci-runner/bundle/test.h"

#include "base/io/file.h"

enum { REPORT_BYTES_MAX = 256 * 1024 * 1024, SHOWN_MAX = 100 };

static void add_attribute(struct lb_buf *out, const char *name, struct lb_bytes value)
{
	lb_buf_addf(out, " %s=\"", name);
	runner_xml_add(out, value);
	lb_buf_add_byte(out, '"');
}

static void add_verdict(struct lb_buf *out, enum runner_verdict verdict, struct lb_bytes why,
                        struct lb_bytes output)
{
	if (verdict == RUNNER_PASSED) {
		lb_buf_add_text(out, "/>\n");
		return;
	}
	lb_buf_add_text(out, verdict == RUNNER_FAILED_TEST ? "><failure" : "><skipped");
	add_attribute(out, "message", why);
	if (verdict == RUNNER_FAILED_TEST) {
		lb_buf_add_byte(out, '>');
		runner_xml_add(out, output);
		lb_buf_add_text(out, "</failure></testcase>\n");
	} else {
		lb_buf_add_text(out, "/></testcase>\n");
	}
}

static void begin_case(struct lb_buf *out, struct lb_bytes class, struct lb_bytes name,
                       double seconds)
{
	lb_buf_add_text(out, "<testcase");
	add_attribute(out, "classname", class);
	add_attribute(out, "name", name);
	lb_buf_addf(out, " time=\"%.4f\"", seconds);
}

/* One that failed before it passed: as Maven's Surefire says it. */
static void add_flaky(struct lb_buf *out, const struct runner_test_end *end)
{
	lb_buf_add_text(out, "><flakyFailure");
	add_attribute(out, "message", end->why);
	lb_buf_add_byte(out, '>');
	runner_xml_add(out, end->output);
	lb_buf_add_text(out, "</flakyFailure></testcase>\n");
}

static void add_test(struct lb_buf *out, const char *name, const struct runner_test_end *end)
{
	/* What came without a case of its own (a crash, a missing plan) is a case of that name. */
	bool own = end->case_count == 0, failed = false;

	for (size_t i = 0; i < end->case_count; i++) {
		const struct runner_case *one = &end->cases[i];

		failed = failed || one->verdict == RUNNER_FAILED_TEST;
		begin_case(out, lb_bytes_of(name), one->name, one->seconds);
		add_verdict(out, one->verdict, one->why, LB_B(""));
	}
	if (!own && (end->flaky || (end->verdict == RUNNER_FAILED_TEST && !failed)))
		own = true;
	if (!own)
		return;
	begin_case(out, LB_B("bundle"), lb_bytes_of(name), end->seconds);
	if (end->flaky)
		add_flaky(out, end);
	else
		add_verdict(out, end->verdict, end->why, end->output);
}

lb_err runner_report_junit(struct lb_mem *mem, struct plat *plat, const char *path,
                           const struct runner_bundle *bundle, const size_t *chosen,
                           const struct runner_test_end *ends, size_t count, struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, mem, REPORT_BYTES_MAX);
	lb_buf_add_text(&text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
	                       "<testsuite name=\"bundle\">\n");
	for (size_t i = 0; i < count; i++) {
		if (ends[i].ran)
			add_test(&text, bundle->tests[chosen[i]].name, &ends[i]);
	}
	lb_buf_add_text(&text, "</testsuite>\n</testsuites>\n");
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_file_write(plat, path, lb_buf_bytes(&text), 0, diag);
	lb_buf_release(&text);
	return err;
}

static const char *word_of(const struct runner_test_end *end)
{
	if (end->flaky)
		return "flaky";
	return end->quarantined ? "broken, in quarantine" : "broken";
}

/* Added at the end, in one write: GitHub's summary file has a step's own lines in it. */
static lb_err append(const char *path, struct lb_bytes text, struct lb_diag *diag)
{
	FILE *file = fopen(path, "ae");
	bool good = file != NULL && fwrite(text.at, 1, text.len, file) == text.len;

	if (file != NULL)
		good = fclose(file) == 0 && good;
	return good ? LB_OK : lb_fail(diag, LB_E_IO, "%s cannot be written to", path);
}

lb_err runner_report_summary(struct lb_mem *mem, const char *path,
                             const struct runner_bundle *bundle, const size_t *chosen,
                             const struct runner_test_end *ends, size_t count,
                             const struct runner_test_counts *counts, struct lb_diag *diag)
{
	struct lb_buf text;
	size_t shown = 0;
	lb_err err;

	lb_buf_init(&text, mem, REPORT_BYTES_MAX);
	lb_buf_addf(&text,
	            "### Tests\n\n%zu passed, %zu broken, %zu in quarantine, %zu flaky, %zu "
	            "skipped\n\n",
	            counts->passed, counts->failed, counts->quarantined, counts->flaky,
	            counts->skipped);
	for (size_t i = 0; i < count && shown < SHOWN_MAX; i++) {
		if (!ends[i].ran || (!ends[i].flaky && ends[i].verdict != RUNNER_FAILED_TEST))
			continue;
		if (shown++ == 0)
			lb_buf_add_text(&text, "| test | | why |\n|---|---|---|\n");
		lb_buf_addf(&text, "| `%s` | %s | %.*s |\n", bundle->tests[chosen[i]].name,
		            word_of(&ends[i]), LB_FMT(lb_bytes_upto(ends[i].why, 200)));
	}
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = append(path, lb_buf_bytes(&text), diag);
	lb_buf_release(&text);
	return err;
}
