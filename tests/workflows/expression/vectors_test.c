/* vectors_test.c - GitHub's own cases for expressions: value, kind and error text. */
#include "tests/workflows/support.h"

#include "base/data/json.h"
#include "workflows/expression/expr.h"

#include <math.h>

static bool same(const struct lb_value *got, const struct lb_value *want)
{
	if (got->kind == LB_NUMBER && want->kind == LB_STRING) /* JSON has no NaN */
		return lb_bytes_is(want->string, isnan(got->number) ? "NaN"
		                                 : got->number > 0  ? "Infinity"
		                                                    : "-Infinity");
	return lb_value_eq(got, want);
}

static lb_err evaluate(const struct lb_value **out, struct lb_arena *arena,
                       const struct lb_value *test, struct lb_diag *diag)
{
	const struct lb_value *contexts = lb_value_get(test, "contexts");
	struct workflow_allow allow = { .others = contexts };
	struct workflow_scope scope = { .contexts = contexts, .bytes_max = 1 << 20 };
	const struct workflow_expr *expr;

	LB_TRY(workflow_expr_parse(&expr, arena, lb_value_get_string(test, "expr"), &allow, diag));
	return workflow_expr_evaluate(out, arena, expr, &scope, diag);
}

static void run_case(struct test *t, struct lb_arena *arena, const struct lb_value *test)
{
	const struct lb_value *want = lb_value_get(test, "result"), *got = NULL;
	struct lb_bytes message = lb_value_get_string(lb_value_get(test, "err"), "value");
	struct lb_diag diag = { 0 };
	lb_err err = evaluate(&got, arena, test, &diag);
	bool right;

	if (want == NULL)
		right = lb_code_of(err) == LB_E_INVALID &&
		        lb_bytes_find(lb_bytes_of(diag.text), message) != SIZE_MAX;
	else
		right = !lb_failed(err) && same(got, lb_value_get(want, "value"));
	if (right)
		return;
	t->failures++;
	printf("# %s\n#   got %s\n#   %s\n", support_text(arena, test),
	       got != NULL ? support_text(arena, got) : "an error", diag.text);
}

TEST(every_case_gives_github_s_value_or_error)
{
	struct lb_arena arena;
	const char *folder, **files;
	size_t file_count, cases = 0;

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	lb_arena_init(&arena, t->mem);
	folder = support_path(&arena, "%s/github-conformance/expressions", test_suites());
	files = support_list(&file_count, &arena, folder, ".json");
	for (size_t i = 0; i < file_count; i++) {
		struct lb_value *groups;
		const char *path = support_path(&arena, "%s/%s", folder, files[i]);
		struct lb_diag diag = { 0 };

		if (lb_failed(lb_json_read(&groups, &arena, support_file(&arena, path), &diag))) {
			printf("# %s: %s\n", files[i], diag.text);
			t->failures++;
			continue;
		}
		for (uint32_t g = 0; g < groups->count; g++) {
			const struct lb_value *group = groups->members[g].value;

			for (uint32_t c = 0; c < group->count; c++, cases++)
				run_case(t, &arena, group->items[c]);
		}
	}
	CHECK(cases == 1020);
	lb_arena_release(&arena);
}
