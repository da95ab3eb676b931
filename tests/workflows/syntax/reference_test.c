/* reference_test.c - docs/workflow-syntax.md is what the tables say.  LB_UPDATE=1 writes it anew.
 */
#include "tests/workflows/support.h"

#include "workflows/syntax/reference.h"

#include <stdlib.h>

TEST(the_reference_is_up_to_date)
{
	struct lb_arena arena;
	struct lb_buf page;
	const char *path;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&page, t->mem, 1 << 20);
	path = support_path(&arena, "%s/docs/workflow-syntax.md", test_top());
	CHECK_OK(workflow_reference(&page, t->mem));
	if (getenv("LB_UPDATE") != NULL) {
		FILE *file = fopen(path, "w");

		CHECK(file != NULL && fwrite(page.at, 1, page.len, file) == page.len);
		if (file != NULL)
			CHECK(fclose(file) == 0);
	}
	if (!lb_bytes_eq(support_file(&arena, path), lb_buf_bytes(&page))) {
		t->failures++;
		printf("# %s is old: LB_UPDATE=1 and run this again\n", path);
	}
	lb_buf_release(&page);
	lb_arena_release(&arena);
}

TEST(the_reference_knows_what_is_where)
{
	struct lb_buf page;

	lb_buf_init(&page, t->mem, 1 << 20);
	CHECK_OK(workflow_reference(&page, t->mem));
	CHECK(lb_bytes_find(
		      lb_buf_bytes(&page),
		      LB_B("\n| `jobs.NAME.if` | text | github, inputs, vars, needs | status, "
	                   "of jobs |\n")) != SIZE_MAX);
	CHECK(lb_bytes_find(lb_buf_bytes(&page), LB_B("\n| `push` | branches,")) != SIZE_MAX);
	lb_buf_release(&page);
}

TEST(the_reference_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_buf page;
		lb_err err;

		lb_buf_init(&page, t->mem, 1 << 20);
		err = workflow_reference(&page, t->mem);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_buf_release(&page);
	}
}
