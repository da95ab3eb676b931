/* differential_test.c - generated expressions: our value is that of GitHub's own package, or both
 * refuse.
 *
 * differential.mjs makes them (LB_SEED, LB_EXPRESSIONS) and says what the package does.  10,000;
 * with LB_LONG 100,000.
 */
#include "tests/workflows/shrink.h"
#include "tests/workflows/support.h"

#include "base/data/json.h"
#include "workflows/expression/expr.h"

#include <math.h>
#include <stdlib.h>

enum { LINE_BYTES_MAX = 1 << 20, SHOWN_MAX = 20, SHRUNK_MAX = 3 };

static const char modules[] = "build/node/node_modules";

struct outcome {
	bool refused;
	const struct lb_value *value;
	struct lb_diag diag;
};

static struct outcome evaluate(struct lb_arena *arena, struct lb_bytes text,
                               const struct lb_value *contexts)
{
	struct workflow_allow allow = { .others = contexts };
	struct workflow_scope scope = { .contexts = contexts };
	const struct workflow_expr *expr;
	struct outcome out = { 0 };
	lb_err err = workflow_expr_parse(&expr, arena, text, &allow, &out.diag);

	if (!lb_failed(err))
		err = workflow_expr_evaluate(&out.value, arena, expr, &scope, &out.diag);
	out.refused = lb_failed(err);
	return out;
}

/* As JavaScript writes it; compared as numbers, for the digits are a matter of taste. */
static bool same_number(double got, struct lb_bytes want)
{
	char text[64];
	double number;

	if (want.len >= sizeof text)
		return false;
	memcpy(text, want.at, want.len);
	text[want.len] = '\0';
	number = strtod(text, NULL);
	return isnan(number) ? isnan(got) : !(got < number) && !(got > number);
}

static bool agrees(const struct outcome *ours, const struct lb_value *theirs)
{
	const struct lb_value *number = lb_value_get(theirs, "number");

	if (lb_value_get(theirs, "error") != NULL || ours->refused)
		return ours->refused && lb_value_get(theirs, "error") != NULL;
	if (number != NULL)
		return ours->value->kind == LB_NUMBER &&
		       same_number(ours->value->number, number->string);
	return lb_value_eq(ours->value, lb_value_get(theirs, "value"));
}

/* ---- the differences that are meant ---- */

static bool is_blank(struct lb_bytes expr, const struct lb_value *theirs)
{
	return lb_bytes_trim(expr).len == 0 && lb_value_get(theirs, "error") != NULL;
}

static bool has(struct lb_bytes expr, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i + len <= expr.len; i++) {
		if (lb_bytes_eq_nocase(lb_bytes_upto(lb_bytes_from(expr, i), len),
		                       lb_bytes_of(name)))
			return true;
	}
	return false;
}

/* An error of evaluating, in a call of a function that may leave an argument alone. */
static bool leaves_argument(struct lb_bytes expr, const struct lb_value *theirs)
{
	static const char *const functions[] = { "contains", "startsWith", "endsWith",
		                                 "format",   "join",       "case" };
	static const char *const errors[] = { "case predicate must", "empty input",
		                              "Error parsing JSON", "The following format string" };
	struct lb_bytes error = lb_value_get_string(theirs, "error");
	bool evaluating = false, calls = false;

	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		evaluating |= lb_bytes_find(error, lb_bytes_of(errors[i])) != SIZE_MAX;
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
		calls |= has(expr, functions[i]);
	return evaluating && calls;
}

static bool has_sharp_s(struct lb_bytes expr, const struct lb_value *theirs)
{
	return lb_value_get(theirs, "error") == NULL && has(expr, "\xc3\x9f");
}

/* "f(a, )" */
static bool has_comma_at_end(struct lb_bytes expr, const struct lb_value *theirs)
{
	struct lb_bytes before;

	for (size_t i = 0; i < expr.len; i++) {
		before = lb_bytes_trim(lb_bytes_upto(expr, i));
		if (expr.at[i] == ')' && lb_bytes_ends(before, LB_B(",")))
			return lb_value_get(theirs, "error") == NULL;
	}
	return false;
}

/* 'a''b''c' */
static bool has_quotes_twice(struct lb_bytes expr, const struct lb_value *theirs)
{
	size_t pairs = 0;

	for (size_t i = 1; i + 2 < expr.len; i++)
		pairs += expr.at[i - 1] != '\'' && expr.at[i] == '\'' && expr.at[i + 1] == '\'' &&
		         expr.at[i + 2] != '\'';
	return pairs > 1 && lb_value_get(theirs, "error") == NULL;
}

/* "{0!}" */
static bool formats_loosely(struct lb_bytes expr, const struct lb_value *theirs)
{
	return has(expr, "format") && lb_value_get(theirs, "error") == NULL;
}

/* GitHub's service does as we do, the package does not. */
static const struct {
	const char *why;
	bool refused; /* by us */
	bool (*applies)(struct lb_bytes expr, const struct lb_value *theirs);
} differences[] = {
	{ "an expression of nothing is null; the package crashes", false, is_blank },
	{ "an argument that is not used is not evaluated, so it cannot fail", false,
	  leaves_argument },
	{ "letters are compared one by one; to the package, \xc3\x9f is SS", false, has_sharp_s },
	{ "each pair of quotes in a string is one; to the package, only the first", false,
	  has_quotes_twice },
	{ "a comma must be followed by an argument", true, has_comma_at_end },
	{ "braces hold a number and nothing else", true, formats_loosely },
};

enum { DIFFERENCES = sizeof differences / sizeof differences[0] };

static bool is_meant(size_t seen[DIFFERENCES], const struct outcome *ours,
                     const struct lb_value *theirs)
{
	struct lb_bytes expr = lb_value_get_string(theirs, "expr");

	for (size_t i = 0; i < DIFFERENCES; i++) {
		if (differences[i].refused == ours->refused &&
		    differences[i].applies(expr, theirs)) {
			seen[i]++;
			return true;
		}
	}
	return false;
}

/* What the package says of an expression, in a line of JSON, against what we say.  Is there a
 * difference that is not meant? */
static bool differs(size_t seen[DIFFERENCES], struct lb_arena *arena, struct lb_bytes line,
                    const struct lb_value *contexts, bool shown, struct lb_bytes *expr)
{
	struct lb_value *theirs;
	struct outcome ours;

	if (lb_failed(lb_json_read(&theirs, arena, line, NULL)))
		return true;
	*expr = lb_value_get_string(theirs, "expr");
	ours = evaluate(arena, *expr, contexts);
	if (agrees(&ours, theirs) || is_meant(seen, &ours, theirs))
		return false;
	if (shown)
		printf("# theirs %.*s\n#   ours %s %s\n", LB_FMT(lb_bytes_trim(line)),
		       ours.refused ? "refused" : support_text(arena, ours.value), ours.diag.text);
	return true;
}

/* ---- the shortest expression with a difference ---- */

struct asking {
	struct test *t;
	const struct lb_value *contexts;
	char *line;
};

static size_t first_that_differs(void *self, const struct lb_bytes *texts, size_t count)
{
	size_t unused[DIFFERENCES], at = 0, found = SIZE_MAX;
	struct asking *asking = self;
	struct lb_arena arena;
	struct lb_bytes expr;
	const char *path;
	FILE *from;

	lb_arena_init(&arena, asking->t->mem);
	path = support_texts(&arena, texts, count);
	from = popen(support_path(&arena,
	                          "node %s/tests/workflows/expression/differential.mjs %s "
	                          "--texts %s",
	                          test_top(), modules, path),
	             "r");
	/* the contexts come first */
	for (; from != NULL && fgets(asking->line, LINE_BYTES_MAX, from) != NULL; at++) {
		if (at > 0 && found == SIZE_MAX &&
		    differs(unused, &arena, lb_bytes_of(asking->line), asking->contexts, false,
		            &expr))
			found = at - 1;
	}
	if (from != NULL)
		(void)pclose(from);
	(void)remove(path);
	lb_arena_release(&arena);
	return found;
}

static void check_line(struct test *t, size_t seen[DIFFERENCES], char *line,
                       const struct lb_value *contexts)
{
	struct asking asking = { t, contexts, line };
	struct lb_bytes expr = { 0 };
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	if (differs(seen, &arena, lb_bytes_of(line), contexts, t->failures < SHOWN_MAX, &expr) &&
	    t->failures++ < SHRUNK_MAX) {
		expr = shrink(&arena, expr, SHRINK_WORDS, first_that_differs, &asking);
		printf("# shortest: %.*s\n", LB_FMT(expr));
	}
	lb_arena_release(&arena);
}

static size_t check_lines(struct test *t, size_t seen[DIFFERENCES], FILE *from, char *line)
{
	const struct lb_value *contexts = NULL;
	struct lb_value *first;
	struct lb_arena arena;
	size_t count = 0;

	lb_arena_init(&arena, t->mem);
	for (; fgets(line, LINE_BYTES_MAX, from) != NULL; count++) {
		if (count > 0) {
			check_line(t, seen, line, contexts);
			continue;
		}
		CHECK_OK(lb_json_read(&first, &arena, lb_bytes_of(line), NULL));
		contexts = lb_value_get(first, "contexts");
		CHECK(contexts != NULL);
	}
	lb_arena_release(&arena);
	return count;
}

TEST(generated_expressions_give_what_github_s_package_gives)
{
	const char *count = getenv("LB_EXPRESSIONS");
	size_t seen[DIFFERENCES] = { 0 };
	char command[512], *line;
	FILE *from;

	(void)snprintf(command, sizeof command, "test -e %s/@actions/expressions", modules);
	if (system(command) != 0)
		SKIP("GitHub's package is not here");
	/* The same ones each time, unless asked for others. */
	(void)snprintf(command, sizeof command,
	               "node %s/tests/workflows/expression/differential.mjs %s %llu %lu",
	               test_top(), modules,
	               getenv("LB_SEED") != NULL ? (unsigned long long)t->seed : 1ULL,
	               count != NULL               ? strtoul(count, NULL, 10)
	               : getenv("LB_LONG") != NULL ? 100000UL
	                                           : 10000UL);
	line = malloc(LINE_BYTES_MAX);
	from = popen(command, "r");
	CHECK(line != NULL && from != NULL);
	printf("# %zu lines\n", check_lines(t, seen, from, line));
	CHECK(pclose(from) == 0);
	free(line);
	for (size_t i = 0; i < DIFFERENCES; i++) {
		CHECK(seen[i] > 0); /* else it is none any more */
		printf("# %zu: %s\n", seen[i], differences[i].why);
	}
}
