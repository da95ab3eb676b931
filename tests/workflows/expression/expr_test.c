/* expr_test.c - the expression language beyond GitHub's cases: places, callbacks, limits, memory.
 */
#include "tests/workflows/support.h"

#include "workflows/expression/expr.h"

struct calls {
	size_t hashed;
};

static lb_err hash_files(struct lb_bytes *out, void *self, struct lb_arena *arena,
                         const struct lb_bytes *patterns, size_t count, struct lb_diag *diag)
{
	(void)arena;
	(void)diag;
	(void)patterns;
	((struct calls *)self)->hashed += count;
	*out = LB_B("abc");
	return LB_OK;
}

static lb_err status_of(bool *out, void *self, bool success, const struct lb_bytes *jobs,
                        size_t count)
{
	(void)self;
	*out = success == (count > 0 && lb_bytes_is(jobs[0], "good"));
	return LB_OK;
}

static lb_err evaluate(const struct lb_value **out, struct lb_arena *arena, const char *text,
                       const struct workflow_scope *scope, struct lb_diag *diag)
{
	const struct workflow_expr *expr;

	LB_TRY(workflow_expr_parse(&expr, arena, lb_bytes_of(text), NULL, diag));
	return workflow_expr_evaluate(out, arena, expr, scope, diag);
}

static void gives(struct test *t, const char *text, const struct workflow_scope *scope,
                  const char *want)
{
	const struct lb_value *value = NULL;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	if (lb_failed(evaluate(&value, &arena, text, scope, &diag)))
		CHECK_TEXT(diag.text, want);
	else
		CHECK_TEXT(support_text(&arena, value), want);
	lb_arena_release(&arena);
}

TEST(functions_of_the_caller_are_called)
{
	struct calls calls = { 0 };
	struct workflow_scope scope = { .hash_files = hash_files,
		                        .status_of = status_of,
		                        .self = &calls };

	gives(t, "hashFiles('a', 'b')", &scope, "\"abc\"");
	CHECK(calls.hashed == 2);
	gives(t, "success('good')", &scope, "true");
	gives(t, "failure('good')", &scope, "false");
	gives(t, "hashFiles('a')", NULL, "hashFiles cannot be evaluated here");
}

/* Half a million letters in a million of them, which agree nearly everywhere. */
TEST(searching_takes_no_longer_than_reading)
{
	enum { LETTERS = 1 << 20 };
	struct lb_value *contexts, *env;
	struct workflow_scope scope = { 0 };
	struct lb_buf hay, needle;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&hay, t->mem, 2 * LETTERS);
	lb_buf_init(&needle, t->mem, 2 * LETTERS);
	for (size_t i = 0; i < LETTERS; i++)
		lb_buf_add_byte(&hay, i % 3 == 0 ? 'a' : 'A');
	for (size_t i = 0; i < LETTERS / 2; i++)
		lb_buf_add_byte(&needle, 'a');
	lb_buf_add_byte(&needle, 'b');
	contexts = lb_value_object(&arena);
	env = lb_value_object(&arena);
	lb_value_set_string(&arena, env, "hay", lb_buf_bytes(&hay));
	lb_value_set_string(&arena, env, "needle", lb_buf_bytes(&needle));
	lb_value_put(&arena, contexts, "env", env);
	scope.contexts = contexts;
	gives(t, "contains(env.hay, env.needle)", &scope, "false");
	gives(t, "contains(format('{0}B', env.hay), env.needle)", &scope, "true");
	gives(t, "contains(format('{0}\xc3\x89x', env.hay), format('{0}\xc3\xa9X', env.hay))",
	      &scope, "true");
	lb_buf_release(&hay);
	lb_buf_release(&needle);
	lb_arena_release(&arena);
}

TEST(time_is_bounded)
{
	static const char *const dear[] = {
		"env.t == 'x'",
		"contains(env.t, 'x')",
		"endsWith(env.t, 'x')",
		"contains(env.list, 'x')",

	};
	struct workflow_scope scope = { .looks_max = 40 };
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	scope.contexts = support_json(&arena, "{'env': {'t': '12345678901234567890', 'list': "
	                                      "[[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1]]}}");
	for (size_t i = 0; i < sizeof dear / sizeof dear[0]; i++) {
		char text[512], want[600];

		(void)snprintf(text, sizeof text, "%s", dear[i]);
		for (int k = 0; k < 4; k++)
			(void)snprintf(text + strlen(text), sizeof text - strlen(text), " || %s",
			               dear[i]);
		(void)snprintf(want, sizeof want, "The following expression takes too long: %s",
		               text);
		gives(t, text, &scope, want);
	}
	lb_arena_release(&arena);
}

TEST(status_functions_go_by_the_status)
{
	struct workflow_scope scope = { .status = WORKFLOW_STATUS_SUCCESS };

	gives(t, "success() && !failure() && !cancelled() && always()", &scope, "true");
	scope.status = WORKFLOW_STATUS_FAILURE;
	gives(t, "!success() && failure() && !cancelled() && always()", &scope, "true");
	scope.status = WORKFLOW_STATUS_CANCELLED;
	gives(t, "!success() && !failure() && cancelled() && always()", &scope, "true");
}

static void parses(struct test *t, const char *text, uint32_t contexts, uint32_t calls,
                   const char *want)
{
	struct workflow_allow allow = { .contexts = contexts, .calls = calls };
	const struct workflow_expr *expr;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	lb_ignore(workflow_expr_parse(&expr, &arena, lb_bytes_of(text), &allow, &diag));
	CHECK_TEXT(diag.text, want);
	lb_arena_release(&arena);
}

TEST(a_place_allows_what_it_allows)
{
	uint32_t github = WORKFLOW_CONTEXT(github);

	parses(t, "GitHub.ref", github, 0, "");
	parses(t, "env.X", github, 0,
	       "Unrecognized named-value: 'env'. Located at position 1 within expression: env.X");
	parses(t, "always()", github, 0,
	       "Unrecognized function: 'always'. Located at position 1 within expression: "
	       "always()");
	parses(t, "always()", 0, WORKFLOW_CALL_STATUS, "");
	parses(t, "failure('a')", 0, WORKFLOW_CALL_STATUS_OF, "");
	parses(t, "failure('a')", 0, WORKFLOW_CALL_STATUS,
	       "Too many parameters supplied: 'failure'. Located at position 1 within expression: "
	       "failure('a')");
	parses(t, "hashFiles('x')", 0, WORKFLOW_CALL_HASH_FILES, "");
}

/* ---- expressions made of others ---- */

static lb_err after_success(const struct workflow_expr **out, struct lb_arena *arena,
                            const char *condition, struct lb_diag *diag)
{
	const struct workflow_expr *expr;

	LB_TRY(workflow_expr_parse(&expr, arena, lb_bytes_of(condition), NULL, diag));
	return workflow_expr_after_success(out, arena, expr, NULL, diag);
}

/* The same text, contexts and calls, and the same value: what parsing the text gives. */
static void is_parsed(struct test *t, struct lb_arena *arena, const struct workflow_expr *made)
{
	const struct lb_value *contexts = support_json(arena, "{'github': {'a': 'A', 'b': 2}}");
	const struct lb_value *ours = NULL, *theirs = NULL;
	struct workflow_scope scope = { .contexts = contexts };
	const struct workflow_expr *parsed = NULL;

	if (!CHECK_OK(workflow_expr_parse(&parsed, arena, made->text, NULL, NULL)))
		return;
	CHECK(lb_bytes_eq(made->text, parsed->text));
	CHECK(made->contexts == parsed->contexts && made->calls == parsed->calls);
	for (int status = WORKFLOW_STATUS_SUCCESS; status <= WORKFLOW_STATUS_CANCELLED; status++) {
		scope.status = (enum workflow_status)status;
		CHECK_OK(workflow_expr_evaluate(&ours, arena, made, &scope, NULL));
		CHECK_OK(workflow_expr_evaluate(&theirs, arena, parsed, &scope, NULL));
		CHECK_TEXT(support_text(arena, ours), support_text(arena, theirs));
	}
}

TEST(success_before_a_condition_is_what_it_says)
{
	static const char *const conditions[] = {
		"",
		"true",
		"github.a == 'A' && github.b",
		"github.a == 'B' || matrix.x",
		"!github.a",
		"(github.a && github.b) && needs.y == null",
	};

	for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
		const struct workflow_expr *made = NULL;
		struct lb_arena arena;

		lb_arena_init(&arena, t->mem);
		if (CHECK_OK(after_success(&made, &arena, conditions[i], NULL))) {
			CHECK_BYTES(made->text, i == 0 ? "success()"
			                               : support_path(&arena, "success() && (%s)",
			                                              conditions[i]));
			is_parsed(t, &arena, made);
		}
		lb_arena_release(&arena);
	}
}

/* As deep and as long as an expression may be by itself. */
TEST(expressions_made_of_others_keep_to_the_limits)
{
	const struct workflow_expr *made;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;
	struct lb_buf text;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&text, t->mem, 1 << 16);
	for (int i = 1; i < WORKFLOW_EXPR_DEPTH_MAX; i++)
		lb_buf_add_byte(&text, '!');
	lb_buf_add_text(&text, "a");
	CHECK(lb_code_of(after_success(&made, &arena, lb_buf_text(&text), &diag)) == LB_E_INVALID);
	CHECK_TEXT(diag.text, "Unrecognized named-value: 'a'. Located at position 50 within "
	                      "expression: !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!a");
	text.at[text.len - 1] = '1';
	CHECK(lb_code_of(after_success(&made, &arena, lb_buf_text(&text), &diag)) == LB_E_INVALID);
	CHECK_TEXT(diag.text, "Exceeded max expression depth 50");
	lb_buf_reset(&text);
	lb_buf_add_byte(&text, '\'');
	while (text.len < WORKFLOW_EXPR_LENGTH_MAX - 1)
		lb_buf_add_byte(&text, 'a');
	lb_buf_add_byte(&text, '\'');
	CHECK(lb_code_of(after_success(&made, &arena, lb_buf_text(&text), &diag)) == LB_E_INVALID);
	CHECK_TEXT(diag.text, "Exceeded max expression length 21000");
	lb_buf_release(&text);
	lb_arena_release(&arena);
}

static lb_err format_of(const struct workflow_expr **out, struct lb_arena *arena)
{
	const struct workflow_expr *parts[2];

	LB_TRY(workflow_expr_parse(&parts[0], arena, LB_B("github.a"), NULL, NULL));
	LB_TRY(workflow_expr_parse(&parts[1], arena, LB_B("failure() || github.b"), NULL, NULL));
	return workflow_expr_format(
		out, arena, LB_B("format('it''s {0}{{}} {1}', github.a, failure() || github.b)"),
		LB_B("it''s {0}{{}} {1}"), parts, 2, NULL, NULL);
}

TEST(formats_are_what_they_say)
{
	const struct workflow_expr *made = NULL;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	if (CHECK_OK(format_of(&made, &arena)))
		is_parsed(t, &arena, made);
	lb_arena_release(&arena);
}

TEST(making_expressions_of_others_survives_every_oom)
{
	EACH_OOM (t) {
		const struct workflow_expr *made = NULL;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = after_success(&made, &arena, "github.a && github.b", NULL);
		if (!lb_failed(err))
			err = format_of(&made, &arena);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_arena_release(&arena);
	}
}

TEST(numbers_print_as_github_prints_them)
{
	static const struct {
		double number;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "0" },
		{ 1.5, "1.5" },
		{ 1e20, "1E+20" },
		{ 0.1, "0.1" },
		{ 1e-5, "1E-05" },
		{ 123456789, "123456789" },
		{ 1.0 / 3, "0.333333333333333" },
	};
	char text[WORKFLOW_NUMBER_SIZE];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)workflow_number_text(text, cases[i].number);
		CHECK_TEXT(text, cases[i].text);
	}
}

TEST(nesting_brackets_takes_no_stack)
{
	struct lb_arena arena;
	unsigned char *text;
	const struct lb_value *value;
	const struct workflow_expr *expr;
	enum { DEEP = 10000 };

	lb_arena_init(&arena, t->mem);
	text = LB_ARENA_NEW(&arena, unsigned char, 2 * DEEP + 1);
	memset(text, '(', DEEP);
	text[DEEP] = '1';
	memset(text + DEEP + 1, ')', DEEP);
	CHECK_OK(workflow_expr_parse(&expr, &arena, (struct lb_bytes){ text, 2 * DEEP + 1 }, NULL,
	                             NULL));
	CHECK_OK(workflow_expr_evaluate(&value, &arena, expr, NULL, NULL));
	CHECK(value->kind == LB_NUMBER);
	lb_arena_release(&arena);
}

static const char busy[] = "format('{0}-{1}', join(github.list.*.name, ', '), toJSON(github)) == "
			   "'x' || contains(fromJSON('[1,2]'), 2)";

TEST(evaluating_survives_every_oom)
{
	EACH_OOM (t) {
		struct workflow_scope scope = { 0 };
		const struct lb_value *value = NULL;
		struct lb_arena arena;
		lb_err err = LB_OK;

		lb_arena_init(&arena, t->mem);
		scope.contexts =
			support_json(&arena,
		                     "{'github': {'list': [{'name': 'a'}, {'name': 'b'}]}}");
		err = arena.failed ? lb_err_of(LB_E_NOMEM)
		                   : evaluate(&value, &arena, busy, &scope, NULL);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(lb_failed(err) || value->boolean);
		lb_arena_release(&arena);
	}
}

TEST(every_cut_is_an_error_or_a_value)
{
	struct lb_arena arena;

	for (size_t len = 0; len < sizeof busy; len++) {
		struct lb_bytes text =
			test_exact((struct lb_bytes){ (const unsigned char *)busy, len });
		const struct workflow_expr *expr;
		const struct lb_value *value;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = workflow_expr_parse(&expr, &arena, text, NULL, NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_INVALID);
		if (!lb_failed(err))
			lb_ignore(workflow_expr_evaluate(&value, &arena, expr, NULL, NULL));
		lb_arena_release(&arena);
		test_exact_free(text);
	}
}
