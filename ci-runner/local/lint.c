/* lint.c - see lint.h. */
#include "ci-runner/local/lint.h"

#include "base/buf.h"
#include "base/io/file.h"
#include "workflows/syntax/workflow.h"

enum { SHOWN_MAX = 160 };

static void show_line(FILE *out, struct lb_bytes source, uint32_t line, uint32_t column)
{
	struct lb_bytes rest = source, text = { 0 };

	for (uint32_t i = 0; i < line; i++) {
		if (!lb_bytes_split(&text, &rest, '\n'))
			return;
	}
	if (text.len > 0 && text.at[text.len - 1] == '\r')
		text.len--;
	text = lb_bytes_upto(text, SHOWN_MAX);
	(void)fprintf(out, "    %.*s\n    ", LB_FMT(text));
	/* Tabs of the line stay tabs, so that the caret stands below its place. */
	for (uint32_t i = 0; i + 1 < column && i < text.len; i++)
		(void)fputc(text.at[i] == '\t' ? '\t' : ' ', out);
	(void)fputs("^\n", out);
}

static void show(FILE *out, const char *file, struct lb_bytes source,
                 const struct workflow_problem *problem)
{
	if (problem->line == 0) {
		(void)fprintf(out, "%s: %.*s\n", file, LB_FMT(problem->message));
		return;
	}
	(void)fprintf(out, "%s:%u:%u: %.*s\n", file, (unsigned)problem->line,
	              (unsigned)problem->column, LB_FMT(problem->message));
	if (problem->column > 0)
		show_line(out, source, problem->line, problem->column);
}

lb_err runner_lint(size_t *problems, struct lb_mem *mem, struct plat *plat, FILE *out,
                   const char *file, struct lb_diag *diag)
{
	struct workflow *workflow = NULL;
	struct lb_buf source;
	lb_err err;

	lb_buf_init(&source, mem, WORKFLOW_FILE_BYTES_MAX);
	err = lb_file_read(&source, plat, file, diag);
	if (!lb_failed(err))
		err = workflow_check(&workflow, mem, lb_buf_bytes(&source), file);
	for (uint32_t i = 0; !lb_failed(err) && i < workflow->problem_count; i++)
		show(out, file, lb_buf_bytes(&source), &workflow->problems[i]);
	if (!lb_failed(err))
		*problems += workflow->problem_count;
	workflow_free(workflow);
	lb_buf_release(&source);
	return err;
}
