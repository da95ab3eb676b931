/* lint.c - see lint.h. */
#include "ci-runner/local/lint.h"

#include "base/buf.h"
#include "base/io/file.h"
#include "base/text.h"
#include "ci-runner/local/shellcheck.h"
#include "workflows/lint/advice.h"
#include "workflows/step/action.h"

#include <stdarg.h>
#include <stdlib.h>

enum { SHOWN_MAX = 160, REPORT_BYTES_MAX = 256 << 20, FINDINGS_MAX = 100000 };

struct finding {
	const char *file;
	uint32_t line, column; /* 0: the file as a whole */
	bool warning;
	const char *rule; /* "syntax": what GitHub itself refuses or warns of */
	struct lb_bytes message;
	size_t order; /* of those at one place */
};

bool runner_lint_format_of(enum runner_lint_format *out, const char *name)
{
	static const char *const names[] = { "text", "json", "sarif" };

	*out = RUNNER_LINT_TEXT;
	for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
		*out = (enum runner_lint_format)i;
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return name == NULL;
}

void runner_lint_init(struct runner_lint *lint, struct lb_mem *mem, struct plat *plat, FILE *out,
                      enum runner_lint_format format)
{
	*lint = (struct runner_lint){ .mem = mem, .plat = plat, .out = out, .format = format };
	lb_arena_init(&lint->arena, mem);
	lint->findings = lb_value_array(&lint->arena);
	lb_vec_init(&lint->found, mem, sizeof(struct finding), FINDINGS_MAX);
}

void runner_lint_release(struct runner_lint *lint)
{
	lb_vec_release(&lint->found);
	lb_arena_release(&lint->arena);
}

/* ---- text ---- */

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
	for (; column > 1 && text.len > 0; column--)
		(void)fputc(lb_utf8_next(&text) == '\t' ? '\t' : ' ', out);
	(void)fputs("^\n", out);
}

static void show(FILE *out, struct lb_bytes source, const struct finding *f)
{
	(void)fputs(f->file, out);
	if (f->line > 0)
		(void)fprintf(out, ":%u:%u", (unsigned)f->line, (unsigned)f->column);
	(void)fprintf(out, ": %s%.*s%s%s%s\n", f->warning ? "warning: " : "", LB_FMT(f->message),
	              f->warning ? " [" : "", f->warning ? f->rule : "", f->warning ? "]" : "");
	if (f->column > 0)
		show_line(out, source, f->line, f->column);
}

/* ---- JSON ---- */

static void keep_json(struct runner_lint *lint, const struct finding *f)
{
	struct lb_arena *arena = &lint->arena;
	struct lb_value *object = lb_value_object(arena);

	lb_value_set_text(arena, object, "file", f->file);
	if (f->line > 0)
		lb_value_set_number(arena, object, "line", f->line);
	if (f->column > 0)
		lb_value_set_number(arena, object, "column", f->column);
	lb_value_set_text(arena, object, "severity", f->warning ? "warning" : "error");
	lb_value_set_text(arena, object, "rule", f->rule);
	lb_value_set_string(arena, object, "message", f->message);
	lb_value_add(arena, lint->findings, object);
}

/* ---- SARIF ---- */

static struct lb_value *message_of(struct lb_arena *arena, struct lb_bytes text)
{
	struct lb_value *message = lb_value_object(arena);

	lb_value_set_string(arena, message, "text", text);
	return message;
}

static struct lb_value *location_of(struct lb_arena *arena, const struct finding *f)
{
	struct lb_value *location = lb_value_object(arena), *physical = lb_value_object(arena);
	struct lb_value *artifact = lb_value_object(arena), *region = lb_value_object(arena);

	lb_value_set_text(arena, artifact, "uri", f->file);
	lb_value_put(arena, physical, "artifactLocation", artifact);
	if (f->line > 0) {
		lb_value_set_number(arena, region, "startLine", f->line);
		if (f->column > 0)
			lb_value_set_number(arena, region, "startColumn", f->column);
		lb_value_put(arena, physical, "region", region);
	}
	lb_value_put(arena, location, "physicalLocation", physical);
	return location;
}

static void keep_sarif(struct runner_lint *lint, const struct finding *f)
{
	struct lb_arena *arena = &lint->arena;
	struct lb_value *result = lb_value_object(arena), *locations = lb_value_array(arena);

	lb_value_set_text(arena, result, "ruleId", f->rule);
	lb_value_set_text(arena, result, "level", f->warning ? "warning" : "error");
	lb_value_put(arena, result, "message", message_of(arena, f->message));
	lb_value_add(arena, locations, location_of(arena, f));
	lb_value_put(arena, result, "locations", locations);
	lb_value_add(arena, lint->findings, result);
}

static void add_rule(struct lb_arena *arena, struct lb_value *rules, const char *name,
                     const char *about)
{
	struct lb_value *rule = lb_value_object(arena);

	lb_value_set_text(arena, rule, "id", name);
	lb_value_put(arena, rule, "shortDescription", message_of(arena, lb_bytes_of(about)));
	lb_value_add(arena, rules, rule);
}

static struct lb_value *sarif_tool(struct lb_arena *arena)
{
	struct lb_value *tool = lb_value_object(arena), *driver = lb_value_object(arena);
	struct lb_value *rules = lb_value_array(arena);

	add_rule(arena, rules, "syntax", "The file is not what GitHub accepts as a workflow.");
	for (int i = 0; i < WORKFLOW_RULE_COUNT; i++)
		add_rule(arena, rules, workflow_rule_name((enum workflow_rule)i),
		         workflow_rule_about((enum workflow_rule)i));
	add_rule(arena, rules, "shellcheck", "A script that shellcheck has doubts about.");
	lb_value_set_text(arena, driver, "name", "lifeboat lint");
	lb_value_set_text(arena, driver, "version", LB_VERSION);
	lb_value_put(arena, driver, "rules", rules);
	lb_value_put(arena, tool, "driver", driver);
	return tool;
}

static struct lb_value *sarif_report(struct lb_arena *arena, struct lb_value *results)
{
	struct lb_value *report = lb_value_object(arena), *run = lb_value_object(arena);
	struct lb_value *runs = lb_value_array(arena);

	lb_value_set_text(arena, report, "$schema",
	                  "https://json.schemastore.org/sarif-2.1.0.json");
	lb_value_set_text(arena, report, "version", "2.1.0");
	lb_value_put(arena, run, "tool", sarif_tool(arena));
	lb_value_set_text(arena, run, "columnKind", "unicodeCodePoints");
	lb_value_put(arena, run, "results", results);
	lb_value_add(arena, runs, run);
	lb_value_put(arena, report, "runs", runs);
	return report;
}

/* ---- a file ---- */

static void emit(struct runner_lint *lint, struct lb_bytes source, const struct finding *f)
{
	*(f->warning ? &lint->warnings : &lint->errors) += 1;
	switch (lint->format) {
	case RUNNER_LINT_TEXT: show(lint->out, source, f); break;
	case RUNNER_LINT_JSON: keep_json(lint, f); break;
	case RUNNER_LINT_SARIF: keep_sarif(lint, f); break;
	}
}

static void report(struct runner_lint *lint, const struct finding *f)
{
	struct finding *slot = lb_vec_add(&lint->found);

	if (slot != NULL) {
		*slot = *f;
		slot->order = lint->found.count;
	}
}

static int by_place(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* All of a file from its top down, while what their messages live in does. */
static lb_err emit_all(struct runner_lint *lint, struct lb_bytes source)
{
	LB_TRY(lb_vec_check(&lint->found));
	if (lint->found.count > 0)
		qsort(lint->found.at, lint->found.count, sizeof(struct finding), by_place);
	for (size_t i = 0; i < lint->found.count; i++)
		emit(lint, source, LB_VEC_AT(&lint->found, struct finding, i));
	lint->found.count = 0;
	return LB_OK;
}

/* ---- scripts ---- */

static void report_scripts(struct runner_lint *lint, const char *file,
                           const struct runner_shellcheck_finding *found, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		report(lint, &(struct finding){ .file = file,
		                                .line = found[i].line,
		                                .column = found[i].column,
		                                .warning = true,
		                                .rule = "shellcheck",
		                                .message = found[i].message });
}

__attribute__((format(printf, 2, 3))) static void note(struct runner_lint *lint, const char *format,
                                                       ...)
{
	va_list args;

	va_start(args, format);
	if (lint->notes != NULL)
		(void)vfprintf(lint->notes, format, args);
	va_end(args);
}

/* That shellcheck is missing, slow or odd is no error of the file. */
static lb_err check_script(struct runner_lint *lint, struct lb_arena *arena, struct lb_bytes source,
                           const char *file, const struct workflow_script *script)
{
	const struct runner_shellcheck_finding *found;
	struct lb_diag diag = { 0 };
	uint32_t count;
	lb_err err = runner_shellcheck(&found, &count, arena, script, source, &diag);

	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (lb_code_of(err) == LB_E_NOTFOUND) {
		lint->no_scripts = true;
		note(lint, "shellcheck is not installed: scripts are not looked at\n");
	} else if (lb_failed(err)) {
		note(lint, "%s:%u: shellcheck: %s\n", file, script->run->line,
		     lb_diag_text(&diag, err));
	} else {
		report_scripts(lint, file, found, count);
	}
	return LB_OK;
}

static lb_err check_scripts(struct runner_lint *lint, struct lb_arena *arena,
                            struct lb_bytes source, const char *file,
                            const struct workflow *workflow)
{
	const struct workflow_script *scripts;
	uint32_t count;

	LB_TRY(workflow_scripts(&scripts, &count, arena, workflow));
	for (uint32_t i = 0; i < count && !lint->no_scripts; i++)
		LB_TRY(check_script(lint, arena, source, file, &scripts[i]));
	return LB_OK;
}

/* ---- kinds of files ---- */

static void report_problems(struct runner_lint *lint, const char *file,
                            const struct workflow_problem *problems, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct workflow_problem *p = &problems[i];

		report(lint, &(struct finding){ .file = file,
		                                .line = p->line,
		                                .column = p->column,
		                                .warning = p->warning,
		                                .rule = "syntax",
		                                .message = p->message });
	}
}

static lb_err check_workflow(struct runner_lint *lint, struct lb_bytes source, const char *file)
{
	const struct workflow_advice *advice;
	struct workflow *workflow;
	struct lb_arena arena;
	uint32_t count;
	lb_err err;

	LB_TRY(workflow_check(&workflow, lint->mem, source, file));
	lb_arena_init(&arena, lint->mem);
	report_problems(lint, file, workflow->problems, workflow->problem_count);
	err = workflow_advise(&advice, &count, &arena, workflow, source);
	for (uint32_t i = 0; !lb_failed(err) && i < count; i++)
		report(lint, &(struct finding){ .file = file,
		                                .line = advice[i].line,
		                                .column = advice[i].column,
		                                .warning = true,
		                                .rule = workflow_rule_name(advice[i].rule),
		                                .message = advice[i].message });
	if (!lb_failed(err))
		err = check_scripts(lint, &arena, source, file, workflow);
	if (!lb_failed(err))
		err = emit_all(lint, source);
	lb_arena_release(&arena);
	workflow_free(workflow);
	return err;
}

static lb_err check_action(struct runner_lint *lint, struct lb_bytes source, const char *file)
{
	struct workflow_action *action;
	lb_err err;

	LB_TRY(workflow_action_check(&action, lint->mem, source));
	report_problems(lint, file, action->problems, action->problem_count);
	err = emit_all(lint, source);
	workflow_action_free(action);
	return err;
}

/* action.yml is what it is wherever it stands. */
static bool is_action(const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file;

	return strcmp(name, "action.yml") == 0 || strcmp(name, "action.yaml") == 0;
}

lb_err runner_lint_file(struct runner_lint *lint, const char *file, struct lb_diag *diag)
{
	struct lb_buf source;
	lb_err err;

	lb_buf_init(&source, lint->mem, WORKFLOW_FILE_BYTES_MAX);
	err = lb_file_read(&source, lint->plat, file, diag);
	if (!lb_failed(err))
		err = is_action(file) ? check_action(lint, lb_buf_bytes(&source), file)
		                      : check_workflow(lint, lb_buf_bytes(&source), file);
	lb_buf_release(&source);
	return err;
}

lb_err runner_lint_end(struct runner_lint *lint)
{
	struct lb_arena *arena = &lint->arena;
	struct lb_value *whole;
	struct lb_buf text;
	lb_err err;

	if (lint->format == RUNNER_LINT_TEXT)
		return LB_OK;
	if (lint->format == RUNNER_LINT_SARIF) {
		whole = sarif_report(arena, lint->findings);
	} else {
		whole = lb_value_object(arena);
		lb_value_put(arena, whole, "findings", lint->findings);
	}
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, lint->mem, REPORT_BYTES_MAX);
	lb_value_write(&text, whole, true);
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		(void)fprintf(lint->out, "%.*s\n", LB_FMT(lb_buf_bytes(&text)));
	lb_buf_release(&text);
	return err;
}
