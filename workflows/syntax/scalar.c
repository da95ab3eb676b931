/* scalar.c - what a YAML scalar means: null, boolean, number, string or expression.
 *
 * Plain scalars go by YAML 1.2's core schema; explicit tags must fit.  Text with
 * ${{ }} in it becomes one expression: alone it is that expression, with
 * text around it it is format('...{0}...', a), as GitHub has it.
 */
#include "workflows/syntax/scalar.h"

#include "base/text.h"

#include <math.h>

#define TAG "tag:yaml.org,2002:"

/* ---- literals ---- */

static bool is_one_of(struct lb_bytes text, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (lb_bytes_is(text, *words))
			return true;
	}
	return false;
}

static bool all_digits(struct lb_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	}
	return text.len > 0;
}

static bool read_null(struct workflow_token *out, struct lb_bytes text)
{
	static const char *const words[] = { "", "null", "Null", "NULL", "~", NULL };

	if (!is_one_of(text, words))
		return false;
	out->kind = WORKFLOW_NULL;
	out->text = LB_B("");
	return true;
}

static bool read_boolean(struct workflow_token *out, struct lb_bytes text)
{
	static const char *const yes[] = { "true", "True", "TRUE", NULL };
	static const char *const no[] = { "false", "False", "FALSE", NULL };

	out->boolean = is_one_of(text, yes);
	if (!out->boolean && !is_one_of(text, no))
		return false;
	out->kind = WORKFLOW_BOOLEAN;
	out->text = out->boolean ? LB_B("true") : LB_B("false");
	return true;
}

static bool is_radix(struct lb_bytes text)
{
	return text.len > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'o');
}

/* A point or an exponent makes a float; the expression language reads the same forms. */
static bool read_number(struct workflow_token *out, struct lb_bytes text, bool whole)
{
	unsigned char first = text.len > 0 ? text.at[0] : 0;
	bool signed_ = first == '+' || first == '-';
	struct lb_bytes digits = lb_bytes_from(text, signed_ ? 1 : 0);

	if (!is_radix(text) && !all_digits(digits)) {
		if (whole || digits.len == 0 ||
		    (digits.at[0] != '.' && (digits.at[0] < '0' || digits.at[0] > '9')))
			return false;
	}
	out->number = workflow_parse_number(text);
	if (isnan(out->number))
		return false;
	out->kind = WORKFLOW_NUMBER;
	return true;
}

static bool read_special(struct workflow_token *out, struct lb_bytes text)
{
	static const char *const plus[] = {
		".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL
	};
	static const char *const minus[] = { "-.inf", "-.Inf", "-.INF", NULL };
	static const char *const none[] = { ".nan", ".NaN", ".NAN", NULL };

	if (is_one_of(text, plus))
		out->number = (double)INFINITY;
	else if (is_one_of(text, minus))
		out->number = -(double)INFINITY;
	else if (is_one_of(text, none))
		out->number = (double)NAN;
	else
		return false;
	out->kind = WORKFLOW_NUMBER;
	return true;
}

static bool has_type(struct workflow_token *out, struct lb_bytes text, struct lb_bytes tag)
{
	if (lb_bytes_is(tag, TAG "null"))
		return read_null(out, text);
	if (lb_bytes_is(tag, TAG "bool"))
		return read_boolean(out, text);
	if (lb_bytes_is(tag, TAG "int"))
		return read_number(out, text, true);
	return read_special(out, text) || read_number(out, text, false);
}

static bool is_known_tag(struct lb_bytes tag)
{
	return lb_bytes_is(tag, TAG "null") || lb_bytes_is(tag, TAG "bool") ||
	       lb_bytes_is(tag, TAG "int") || lb_bytes_is(tag, TAG "float");
}

static const char *style_name(enum lb_yaml_style style)
{
	static const char *const names[] = {
		[LB_YAML_PLAIN] = "Plain",
		[LB_YAML_SINGLE_QUOTED] = "SingleQuoted",
		[LB_YAML_DOUBLE_QUOTED] = "DoubleQuoted",
		[LB_YAML_LITERAL] = "Literal",
		[LB_YAML_FOLDED] = "Folded",
	};

	return names[style];
}

/* An explicit tag that does not fit ends the reading of the file: false. */
static bool read_tagged(struct workflow_token *out, const struct lb_yaml_node *node,
                        struct problems *problems)
{
	struct lb_bytes tag = node->tag;

	if (lb_bytes_is(tag, TAG "str"))
		return true;
	if (node->style != LB_YAML_PLAIN) {
		workflow_problem(
			problems, NULL,
			"The scalar style '%s' on line %u and column %u is not valid with the "
			"tag '%.*s'",
			style_name(node->style), node->line, node->column, LB_FMT(tag));
		return false;
	}
	if (!is_known_tag(tag)) {
		workflow_problem(problems, NULL, "Unexpected tag '%.*s'", LB_FMT(tag));
		return false;
	}
	if (!has_type(out, node->text, tag)) {
		workflow_problem(
			problems, NULL,
			"The value '%.*s' on line %u and column %u is invalid for the type "
			"'%.*s'",
			LB_FMT(node->text), node->line, node->column, LB_FMT(tag));
		return false;
	}
	return true;
}

/* Null, booleans and numbers begin with one of these, or are empty. */
static bool may_be_literal(struct lb_bytes text)
{
	return text.len == 0 || strchr("nN~tTfF.+-0123456789", text.at[0]) != NULL;
}

bool workflow_scalar_literal(struct workflow_token *out, struct lb_arena *arena,
                             const struct lb_yaml_node *node, struct problems *problems)
{
	bool good = true;

	out->kind = WORKFLOW_STRING;
	out->text = out->raw = node->text;
	if (node->tag.len > 0)
		good = read_tagged(out, node, problems);
	else if (node->style == LB_YAML_PLAIN && may_be_literal(node->text) &&
	         !read_null(out, node->text) && !read_boolean(out, node->text) &&
	         !read_special(out, node->text))
		(void)read_number(out, node->text, false);
	if (out->kind == WORKFLOW_NUMBER) {
		char text[WORKFLOW_NUMBER_SIZE];
		size_t len = workflow_number_text(text, out->number);

		out->text = lb_arena_bytes(arena, (struct lb_bytes){ (unsigned char *)text, len });
	}
	return good;
}

/* ---- expressions ---- */

static const struct lb_bytes opening = LB_LIT("${{");

/* Where the expression that starts at `start` ends: behind its "}}"; SIZE_MAX: it does not. */
static size_t expression_end(struct lb_bytes raw, size_t start)
{
	bool in_string = false;

	for (size_t i = start + opening.len; i < raw.len; i++) {
		if (raw.at[i] == '\'')
			in_string = !in_string;
		else if (!in_string && raw.at[i] == '}' && raw.at[i - 1] == '}')
			return i + 1;
	}
	return SIZE_MAX;
}

/* 'it''s' and nothing else: the text it stands for, in the arena. */
static bool quoted_text(struct lb_bytes *out, struct lb_arena *arena, struct lb_bytes expression)
{
	unsigned char *text = LB_ARENA_NEW(arena, unsigned char, expression.len + 1);
	bool in_string = false;
	size_t len = 0;

	for (size_t i = 0; i < expression.len && text != NULL; i++) {
		if (expression.at[i] == '\'') {
			in_string = !in_string;
			if (in_string && i != 0)
				text[len++] = '\'';
		} else if (!in_string) {
			return false;
		} else {
			text[len++] = expression.at[i];
		}
	}
	*out = (struct lb_bytes){ text, len };
	return text != NULL;
}

/* What an expression is built from while its text is cut into segments. */
struct template
{
	struct lb_arena *arena;
	struct workflow_token *token;
	const struct workflow_allow *allow;
	struct problems *problems;
	struct lb_buf format, arguments;
	struct lb_vec parts;              /* const struct workflow_expr *, of the arguments */
	bool whole;                       /* there is no text beside the expression */
	const struct workflow_expr *expr; /* the last one */
};

/* Quotes and braces are doubled. */
static void add_text(struct template *t, struct lb_bytes text)
{
	size_t from = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];

		if (c == '\'' || c == '{' || c == '}') {
			lb_buf_add(&t->format, lb_bytes_from(lb_bytes_upto(text, i + 1), from));
			from = i; /* it comes once more */
		}
	}
	lb_buf_add(&t->format, lb_bytes_from(text, from));
}

static bool is_insert(struct lb_bytes expression)
{
	struct lb_bytes word = LB_LIT("insert"), rest = expression;

	if (!lb_bytes_starts(expression, word))
		return false;
	rest = lb_bytes_from(expression, word.len);
	return rest.len == 0 || workflow_is_space(lb_utf8_next(&rest));
}

/* Words behind a directive; parentheses and strings keep together what is in them. */
static uint32_t count_parameters(struct lb_bytes text)
{
	uint32_t count = 0, depth = 0;
	bool in_string = false, in_word = false;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];

		if (c == '\'')
			in_string = !in_string;
		else if (c == '(' && !in_string)
			depth++;
		else if (c == ')' && !in_string && depth > 0)
			depth--;
		if ((c == ' ' || c == '\t' || c == '\n' || c == '\r') && !in_string && depth == 0) {
			in_word = false;
		} else if (!in_word) {
			in_word = true;
			count++;
		}
	}
	return count;
}

static bool add_insert(struct template *t, struct lb_bytes expression)
{
	uint32_t parameters = count_parameters(lb_bytes_from(expression, sizeof "insert" - 1));

	if (parameters != 0)
		workflow_problem(t->problems, t->token,
		                 "Exactly 0 parameter(s) were expected following the directive "
		                 "'insert'. Actual parameter count: %u",
		                 parameters);
	else if (!t->whole)
		workflow_problem(
			t->problems, t->token,
			"The directive 'insert' is not allowed in this context. Directives "
			"are not supported for expressions that are embedded within a "
			"string. Directives are only supported when the entire value is an "
			"expression.");
	else
		t->token->kind = WORKFLOW_INSERT;
	return t->token->kind == WORKFLOW_INSERT;
}

static bool noted(struct template *t, lb_err err, const struct lb_diag *diag)
{
	if (lb_code_of(err) == LB_E_NOMEM)
		t->arena->failed = true;
	else if (lb_failed(err))
		workflow_problem(t->problems, t->token, "%s", diag->text);
	return !lb_failed(err);
}

/* "{0}" in the format, ", a" behind it. */
static void add_part(struct template *t, struct lb_bytes expression)
{
	const struct workflow_expr **slot;

	lb_buf_addf(&t->format, "{%zu}", t->parts.count);
	lb_buf_add_text(&t->arguments, ", ");
	lb_buf_add(&t->arguments, expression);
	slot = lb_vec_add(&t->parts);
	if (slot != NULL)
		*slot = t->expr;
}

static bool add_expression(struct template *t, struct lb_bytes inside)
{
	struct lb_bytes expression = workflow_trim(inside);
	struct lb_diag diag;
	lb_err err;

	if (expression.len == 0) {
		workflow_problem(t->problems, t->token, "An expression was expected");
		return false;
	}
	if (is_insert(expression))
		return add_insert(t, expression);
	err = workflow_expr_parse(&t->expr, t->arena, expression, t->allow, &diag);
	if (!noted(t, err, &diag))
		return false;
	if (!t->whole)
		add_part(t, expression);
	return true;
}

/* All that is wrong is reported, not only what is wrong first. */
static bool add_segments(struct template *t, struct lb_bytes raw)
{
	bool good = true;
	size_t at = 0;

	while (at < raw.len) {
		size_t start = lb_bytes_find(lb_bytes_from(raw, at), opening);
		size_t end;

		if (start == SIZE_MAX) {
			add_text(t, lb_bytes_from(raw, at));
			break;
		}
		add_text(t, lb_bytes_upto(lb_bytes_from(raw, at), start));
		start += at;
		end = expression_end(raw, start);
		if (end == SIZE_MAX) {
			workflow_problem(
				t->problems, t->token,
				"The expression is not closed. An unescaped ${{ sequence was "
				"found, but the closing }} sequence was not found.");
			return false;
		}
		t->whole = start == 0 && end == raw.len;
		good &= add_expression(t, lb_bytes_upto(lb_bytes_from(raw, start + opening.len),
		                                        end - start - opening.len - 2));
		at = end;
	}
	return good;
}

/* Several segments: format('text{0}text{1}', first, second). */
static bool join_segments(struct template *t)
{
	const struct workflow_expr *const *parts = t->parts.at;
	struct lb_diag diag;
	struct lb_buf whole;
	lb_err err;

	lb_buf_init(&whole, t->arena->under, t->format.bytes_max * 2);
	lb_buf_add_text(&whole, "format('");
	lb_buf_add(&whole, lb_buf_bytes(&t->format));
	lb_buf_add_byte(&whole, '\'');
	lb_buf_add(&whole, lb_buf_bytes(&t->arguments));
	lb_buf_add_byte(&whole, ')');
	err = lb_err_of(LB_E_NOMEM);
	if (!lb_failed(lb_buf_check(&whole)))
		err = workflow_expr_format(&t->expr, t->arena, lb_buf_bytes(&whole),
		                           lb_buf_bytes(&t->format), parts, t->parts.count,
		                           t->allow, &diag);
	lb_buf_release(&whole);
	return noted(t, err, &diag);
}

static void finish(struct template *t)
{
	struct workflow_token *token = t->token;
	struct lb_bytes text;

	if (token->kind == WORKFLOW_INSERT)
		return;
	if (t->whole) {
		if (quoted_text(&text, t->arena, t->expr->text)) {
			token->text = text;
			return;
		}
	} else if (!join_segments(t)) {
		return;
	}
	token->kind = WORKFLOW_EXPRESSION;
	token->expr = t->expr;
	token->text = t->expr->text;
}

void workflow_scalar_expression(struct workflow_token *token, struct lb_arena *arena,
                                const struct workflow_allow *allow, struct problems *problems)
{
	struct template t = {
		.arena = arena, .token = token, .allow = allow, .problems = problems
	};
	size_t bytes_max = 8 * token->text.len + 64;

	if (token->kind != WORKFLOW_STRING || lb_bytes_find(token->text, opening) == SIZE_MAX)
		return;
	lb_buf_init(&t.format, arena->under, bytes_max);
	lb_buf_init(&t.arguments, arena->under, bytes_max);
	lb_vec_init(&t.parts, arena->under, sizeof(const struct workflow_expr *), bytes_max);
	if (add_segments(&t, token->text)) {
		if (lb_failed(lb_buf_check(&t.format)) || lb_failed(lb_buf_check(&t.arguments)) ||
		    lb_failed(lb_vec_check(&t.parts)))
			arena->failed = true;
		else
			finish(&t);
	}
	lb_buf_release(&t.format);
	lb_buf_release(&t.arguments);
	lb_vec_release(&t.parts);
}

bool workflow_scalar_segment(struct workflow_segment *segment, struct lb_bytes text)
{
	size_t start = lb_bytes_find(lb_bytes_from(text, segment->end), opening), end;

	if (start == SIZE_MAX)
		return false;
	start += segment->end;
	end = expression_end(text, start);
	if (end == SIZE_MAX)
		return false;
	segment->start = start;
	segment->end = end;
	segment->inside = lb_bytes_upto(lb_bytes_from(text, start + opening.len),
	                                end - start - opening.len - 2);
	return true;
}
