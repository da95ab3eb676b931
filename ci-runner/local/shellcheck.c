/* shellcheck.c - see shellcheck.h.
 *
 * The script goes in by standard input, behind a line that says `set -e` as GitHub's shells do.
 * Not asked for: sourced files that are not there (SC1090, SC1091), and variables that are not
 * assigned (SC2154), for they come from `env`.
 */
#include "ci-runner/local/shellcheck.h"

#include "base/data/json.h"
#include "base/io/run.h"
#include "base/text.h"
#include "workflows/lint/place.h"

#include <stdlib.h>

enum { REPORT_BYTES_MAX = 16 << 20, SCRIPT_BYTES_MAX = 2 << 20 };

static const char preamble[] = "set -e\n";

/* Offset of a place in the script; columns count code points. */
static size_t offset_of(struct lb_bytes text, uint32_t line, uint32_t column)
{
	struct lb_bytes rest = text, part;

	for (; line > 1; line--) {
		if (!lb_bytes_split(&part, &rest, '\n'))
			return text.len;
	}
	for (; column > 1 && rest.len > 0; column--)
		(void)lb_utf8_next(&rest);
	return text.len - rest.len;
}

static int by_place(const void *a, const void *b)
{
	const struct runner_shellcheck_finding *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->column > y->column) - (x->column < y->column);
}

static void convert(struct runner_shellcheck_finding *out, struct lb_arena *arena,
                    const struct lb_value *comment, const struct workflow_script *script,
                    struct lb_bytes source)
{
	uint32_t line = (uint32_t)lb_value_get_number(comment, "line");
	uint32_t column = (uint32_t)lb_value_get_number(comment, "column");
	struct lb_bytes message = lb_value_get_string(comment, "message");
	struct workflow_place place;

	workflow_place_init(&place, source, script->run);
	if (line > 1)
		workflow_place_go(&place, offset_of(script->text, line - 1, column));
	out->line = place.line;
	out->column = place.column;
	out->message =
		lb_arena_format(arena, "SC%u: %.*s", (unsigned)lb_value_get_number(comment, "code"),
	                        LB_FMT(message));
}

static lb_err read_report(const struct runner_shellcheck_finding **out, uint32_t *count,
                          struct lb_arena *arena, struct lb_bytes report,
                          const struct workflow_script *script, struct lb_bytes source)
{
	struct runner_shellcheck_finding *found;
	const struct lb_value *comments;
	struct lb_value *json;

	LB_TRY(lb_json_read(&json, arena, report, NULL));
	comments = lb_value_get(json, "comments");
	if (comments == NULL || comments->kind != LB_ARRAY)
		return lb_err_of(LB_E_MALFORMED);
	found = LB_ARENA_NEW(arena, struct runner_shellcheck_finding, comments->count);
	if (found == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < comments->count; i++)
		convert(&found[i], arena, comments->items[i], script, source);
	if (comments->count > 0)
		qsort(found, comments->count, sizeof *found, by_place);
	*out = found;
	*count = comments->count;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err run(struct lb_buf *report, struct lb_buf *complaint,
                  const struct workflow_script *script, struct lb_bytes input, struct lb_diag *diag)
{
	const char *argv[] = {
		"shellcheck", "--norc", "-f",          "json1", "-S",
		"warning",    "-s",     script->shell, "-e",    "SC1090,SC1091,SC2154",
		"-",          NULL
	};
	struct lb_run how = { .argv = argv, .input = input, .timeout_ms = RUNNER_SHELLCHECK_MS };
	struct plat_exit status = { 0 };

	LB_TRY(lb_run(&status, &how, report, complaint, diag));
	if (plat_exit_status(status) > 1)
		return lb_fail(diag, LB_E_FAILED, "%.200s", lb_buf_text(complaint));
	return LB_OK;
}

lb_err runner_shellcheck(const struct runner_shellcheck_finding **out, uint32_t *count,
                         struct lb_arena *arena, const struct workflow_script *script,
                         struct lb_bytes source, struct lb_diag *diag)
{
	struct lb_buf input, report, complaint;
	lb_err err;

	*out = NULL;
	*count = 0;
	lb_buf_init(&input, arena->under, SCRIPT_BYTES_MAX);
	lb_buf_init(&report, arena->under, REPORT_BYTES_MAX);
	lb_buf_init(&complaint, arena->under, REPORT_BYTES_MAX);
	lb_buf_add_text(&input, preamble);
	lb_buf_add(&input, script->text);
	err = lb_buf_check(&input);
	if (!lb_failed(err))
		err = run(&report, &complaint, script, lb_buf_bytes(&input), diag);
	if (!lb_failed(err))
		err = read_report(out, count, arena, lb_buf_bytes(&report), script, source);
	lb_buf_release(&complaint);
	lb_buf_release(&report);
	lb_buf_release(&input);
	return err;
}
