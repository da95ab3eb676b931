/* corpus_test.c - real workflows: nearly all are accepted, and those that are not are known. */
#include "tests/workflows/support.h"

#include "workflows/syntax/workflow.h"

#include <time.h>

struct count {
	size_t files, bytes, refused;
};

static void check_file(struct test *t, struct lb_arena *arena, struct count *count,
                       const char *path)
{
	struct lb_bytes source = support_file(arena, path);
	struct workflow *workflow;
	struct lb_diag diag = { 0 };
	lb_err err = workflow_parse(&workflow, t->mem, source, path, &diag);

	count->files++;
	count->bytes += source.len;
	if (lb_failed(err)) {
		printf("# refused: %s\n", diag.text);
		count->refused++;
		CHECK(lb_code_of(err) == LB_E_INVALID && workflow == NULL && diag.text[0] != 0);
	}
	workflow_free(workflow);
}

static void check_repository(struct test *t, struct count *count, const char *folder)
{
	static const char *const endings[] = { ".yml", ".yaml" };
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	for (size_t e = 0; e < 2; e++) {
		size_t file_count;
		const char **files = support_list(&file_count, &arena, folder, endings[e]);

		for (size_t i = 0; i < file_count; i++)
			check_file(t, &arena, count,
			           support_path(&arena, "%s/%s", folder, files[i]));
	}
	lb_arena_release(&arena);
}

TEST(real_workflows_are_accepted)
{
	struct lb_arena arena;
	struct count count = { 0 };
	const char **repositories;
	size_t repository_count;
	clock_t start = clock();

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	lb_arena_init(&arena, t->mem);
	repositories = support_list(&repository_count, &arena,
	                            support_path(&arena, "%s/workflow-corpus", test_suites()), "");
	for (size_t i = 0; i < repository_count; i++)
		check_repository(t, &count,
		                 support_path(&arena, "%s/workflow-corpus/%s/.github/workflows",
		                              test_suites(), repositories[i]));
	printf("# %zu files, %zu bytes, %zu refused, %.0f ms\n", count.files, count.bytes,
	       count.refused, (double)(clock() - start) * 1000 / CLOCKS_PER_SEC);
	CHECK(count.files > 900);
	CHECK(count.refused * 100 < count.files);
	lb_arena_release(&arena);
}
