/* output.c - what a step prints: lines for the log, and commands to the runner. */
#include "ci-runner/execute/execution_priv.h"

#include "ci-runner/text/command.h"

#include <stdarg.h>
#include <stdio.h>

struct lb_bytes runner_hidden(struct runner_execution *x, struct lb_bytes text)
{
	struct lb_buf hidden;
	struct lb_bytes copy;
	size_t covered = 0;

	lb_buf_init(&hidden, x->host->mem, RUNNER_LINE_HARD_MAX * 2);
	(void)runner_mask_apply(x->mask, &hidden, &covered, text, true);
	copy = lb_arena_bytes(x->arena, lb_buf_bytes(&hidden));
	lb_buf_release(&hidden);
	return copy;
}

/* ---- annotations ---- */

static const char *const levels[] = { "notice", "warning", "error" };

void runner_annotate(struct runner_execution *x, const char *level, struct lb_bytes message,
                     const struct lb_value *more)
{
	struct lb_value *one = lb_value_object(x->arena);

	for (size_t i = 0; x->running != NULL && i < 3; i++) {
		if (strcmp(level, levels[i]) == 0 &&
		    ++x->running->annotations[i] > RUNNER_ANNOTATIONS_MAX)
			return;
	}
	lb_value_set_text(x->arena, one, "level", level);
	lb_value_set_string(x->arena, one, "message", runner_hidden(x, message));
	for (uint32_t i = 0; more != NULL && i < more->count; i++) {
		struct lb_value *value = lb_value_copy(x->arena, more->members[i].value);

		if (value != NULL && value->kind == LB_STRING)
			value->string = runner_hidden(x, value->string);
		lb_value_set(x->arena, one, more->members[i].key, value);
	}
	lb_value_set_number(x->arena, one, "step", x->running != NULL ? x->running->number : 1);
	lb_value_add(x->arena, x->annotations, one);
}

void runner_say(struct runner_execution *x, const char *level, const char *text)
{
	runner_log_linef(x->log, "##[%s]%s", level, text);
	runner_annotate(x, level, lb_bytes_of(text), NULL);
}

void runner_say_error(struct runner_execution *x, const char *format, ...)
{
	char text[2048];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (len < 0)
		return;
	runner_log_linef(x->log, "##[error]%s", text);
	runner_annotate(x, "error", lb_bytes_of(text), NULL);
}

/* ---- commands ---- */

static void log_with(struct runner_execution *x, const char *mark, struct lb_bytes data)
{
	struct lb_bytes rest = data, line;

	while (lb_bytes_split(&line, &rest, '\n'))
		runner_log_line(x->log,
		                lb_arena_format(&x->line, "##[%s]%.*s", mark, LB_FMT(line)));
}

static void annotation(struct runner_execution *x, const struct runner_line_command *command,
                       const char *level)
{
	static const struct {
		const char *property, *member;
		bool number;
	} members[] = {
		{ "file", "file", false }, { "title", "title", false },
		{ "line", "line", true },  { "endLine", "end_line", true },
		{ "col", "column", true }, { "endColumn", "end_column", true },
	};
	struct lb_value *more = lb_value_object(&x->line);

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		struct lb_bytes value = runner_line_command_get(command, members[i].property);
		uint64_t number;

		if (value.len == 0)
			continue;
		if (!members[i].number)
			lb_value_set_string(&x->line, more, members[i].member, value);
		else if (!lb_failed(lb_bytes_u64(&number, value, UINT32_MAX)))
			lb_value_set_number(&x->line, more, members[i].member, (double)number);
	}
	log_with(x, level, command->data);
	runner_annotate(x, level, command->data, more);
}

static void on_error(struct runner_execution *x, const struct runner_line_command *c)
{
	annotation(x, c, "error");
}

static void on_warning(struct runner_execution *x, const struct runner_line_command *c)
{
	annotation(x, c, "warning");
}

static void on_notice(struct runner_execution *x, const struct runner_line_command *c)
{
	annotation(x, c, "notice");
}

static void on_debug(struct runner_execution *x, const struct runner_line_command *c)
{
	if (x->debug)
		log_with(x, "debug", c->data);
}

static void on_group(struct runner_execution *x, const struct runner_line_command *c)
{
	log_with(x, "group", c->data);
}

static void on_endgroup(struct runner_execution *x, const struct runner_line_command *c)
{
	(void)c;
	runner_log_line(x->log, LB_B("##[endgroup]"));
}

static void on_add_mask(struct runner_execution *x, const struct runner_line_command *c)
{
	lb_err err = LB_OK;

	if (lb_bytes_trim(c->data).len == 0)
		runner_log_line(x->log, LB_B("##[warning]Can't add secret mask for empty string in "
		                             "##[add-mask] command."));
	else
		err = runner_mask_add(x->mask, c->data);
	/* Going on would show what was to be hidden. */
	if (lb_failed(err))
		x->failure = err;
}

static void on_set_output(struct runner_execution *x, const struct runner_line_command *c)
{
	struct lb_bytes name = runner_line_command_get(c, "name");

	if (name.len == 0)
		runner_say_error(x, "Required field 'name' is missing in ##[set-output] command.");
	else
		lb_value_set(x->arena, x->running->outputs, name,
		             lb_value_string(x->arena, c->data));
}

static void on_save_state(struct runner_execution *x, const struct runner_line_command *c)
{
	struct lb_bytes name = runner_line_command_get(c, "name");

	if (name.len == 0)
		runner_say_error(x, "Required field 'name' is missing in ##[save-state] command.");
	else
		lb_value_set(x->arena, x->running->state, name, lb_value_string(x->arena, c->data));
}

static void on_echo(struct runner_execution *x, const struct runner_line_command *c)
{
	struct lb_bytes how = lb_bytes_trim(c->data);

	if (lb_bytes_eq_nocase(how, LB_B("on")))
		x->running->echo = true;
	else if (lb_bytes_eq_nocase(how, LB_B("off")))
		x->running->echo = false;
	else
		runner_say_error(x,
		                 "Invalid echo command value. Possible values can be: 'on', "
		                 "'off'. Current value is: '%.*s'",
		                 LB_FMT(lb_bytes_upto(how, 100)));
}

static void on_stop(struct runner_execution *x, const struct runner_line_command *c)
{
	if (lb_bytes_trim(c->data).len == 0) {
		runner_say_error(x, "Invalid stop-commands token: it is empty");
		return;
	}
	x->running->stop_token = lb_arena_text(x->arena, c->data);
}

static void on_unsecure(struct runner_execution *x, const struct runner_line_command *c)
{
	runner_say_error(x,
	                 "The `%.*s` command is disabled. Please upgrade to using Environment "
	                 "Files.",
	                 LB_FMT(c->name));
}

static void on_add_matcher(struct runner_execution *x, const struct runner_line_command *c)
{
	runner_matchers_command_add(x, c->data);
}

static void on_remove_matcher(struct runner_execution *x, const struct runner_line_command *c)
{
	runner_matchers_command_remove(x, runner_line_command_get(c, "owner"), c->data);
}

static const struct {
	const char *name;
	void (*run)(struct runner_execution *x, const struct runner_line_command *command);
	bool shown; /* with `::echo::on` the command itself is shown too */
} commands[] = {
	{ "error", on_error, false },
	{ "warning", on_warning, false },
	{ "notice", on_notice, false },
	{ "debug", on_debug, false },
	{ "group", on_group, false },
	{ "endgroup", on_endgroup, false },
	{ "add-mask", on_add_mask, true },
	{ "set-output", on_set_output, true },
	{ "save-state", on_save_state, true },
	{ "echo", on_echo, false },
	{ "stop-commands", on_stop, true },
	{ "set-env", on_unsecure, true },
	{ "add-path", on_unsecure, true },
	{ "add-matcher", on_add_matcher, true },
	{ "remove-matcher", on_remove_matcher, true },
};

/* Obeyed, and so not a line of the log. */
static bool obey(struct runner_execution *x, struct lb_bytes text)
{
	struct runner_line_command command;

	/* What runs for no step says nothing to the runner. */
	if (x->running == NULL || !runner_line_command_read(&command, &x->line, text))
		return false;
	if (x->running->stop_token != NULL) {
		if (!lb_bytes_is(command.name, x->running->stop_token))
			return false;
		x->running->stop_token = NULL;
		return true;
	}
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (!lb_bytes_eq_nocase(command.name, lb_bytes_of(commands[i].name)))
			continue;
		commands[i].run(x, &command);
		if (x->running->echo && commands[i].shown)
			runner_log_line(x->log, text);
		return true;
	}
	return false;
}

static bool may_be_command(struct lb_bytes text)
{
	return lb_bytes_find(text, LB_B("::")) != SIZE_MAX ||
	       lb_bytes_find(text, LB_B("##[")) != SIZE_MAX;
}

size_t runner_output_line(void *ctx, struct lb_bytes text, bool ended)
{
	struct runner_execution *x = ctx;

	if (!ended)
		return runner_log_piece(x->log, text);
	if ((!may_be_command(text) || !obey(x, text)) &&
	    (!runner_matchers_any(x->matchers) || !runner_problem_line(x, text)))
		runner_log_line(x->log, text);
	if (x->line.failed)
		x->failure = lb_err_of(LB_E_NOMEM);
	if (x->line.last != NULL)
		lb_arena_release(&x->line);
	return text.len;
}

/* Where the first line stands that may be a command, or a problem; SIZE_MAX: nowhere. */
static size_t find_odd(const struct runner_execution *x, struct lb_bytes lines)
{
	size_t now = lb_bytes_find(lines, LB_B("::")), old = lb_bytes_find(lines, LB_B("##["));
	size_t at = now < old ? now : old, begin;

	if (runner_matchers_any(x->matchers))
		return 0;
	if (at == SIZE_MAX)
		return SIZE_MAX;
	begin = lb_bytes_rfind_byte(lb_bytes_upto(lines, at), '\n');
	return begin == SIZE_MAX ? 0 : begin + 1;
}

void runner_output_block(void *ctx, struct lb_bytes lines)
{
	struct runner_execution *x = ctx;

	while (lines.len > 0) {
		size_t begin = find_odd(x, lines), end;

		if (begin != 0)
			runner_log_lines(x->log, lb_bytes_upto(lines, begin));
		lines = lb_bytes_from(lines, begin);
		end = lb_bytes_find_byte(lines, '\n');
		if (lines.len > 0)
			(void)runner_output_line(x, lb_bytes_upto(lines, end), true);
		lines = lb_bytes_from(lines, end == SIZE_MAX ? end : end + 1);
	}
}

void runner_output_part(void *ctx, struct lb_bytes part)
{
	struct runner_execution *x = ctx;
	lb_err err = runner_lines_add(x->lines, part);

	if (lb_failed(err))
		x->failure = err;
	runner_log_flush(x->log);
}

void runner_output_end(struct runner_execution *x)
{
	runner_lines_end(x->lines);
	runner_matchers_reset(x->matchers); /* what one process began no other ends */
	runner_log_flush(x->log);
}
