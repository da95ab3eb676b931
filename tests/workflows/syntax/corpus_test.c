/* corpus_test.c - real workflows: nearly all are accepted, and those that are not are known. */
#include "tests/workflows/support.h"

#include "workflows/step/action.h"

#include <time.h>

/* Refused, by GitHub as well. */
static const char *const refused[] = {
	/* a text in double quotes in an expression */
	"pinojs__pino/.github/workflows/target-main.yml",
	NULL,
};

struct count {
	size_t files, bytes, refused;
};

static bool is_refused(const char *path)
{
	for (size_t i = 0; refused[i] != NULL; i++) {
		if (lb_bytes_ends(lb_bytes_of(path), lb_bytes_of(refused[i])))
			return true;
	}
	return false;
}

static void check_file(struct test *t, struct lb_arena *arena, struct count *count,
                       const char *path)
{
	struct lb_bytes source = support_file(arena, path);
	struct workflow *workflow;
	struct lb_diag diag = { 0 };
	lb_err err = workflow_parse(&workflow, t->mem, source, path, &diag);

	count->files++;
	count->bytes += source.len;
	count->refused += lb_failed(err);
	if (lb_failed(err) != is_refused(path)) {
		t->failures++;
		printf("# %s\n", lb_failed(err) ? diag.text : path);
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

static const char **repositories(size_t *count, struct lb_arena *arena)
{
	const char *folder = support_path(arena, "%s/workflow-corpus", test_suites());

	return support_list(count, arena, folder, "");
}

TEST(real_workflows_are_accepted)
{
	struct lb_arena arena;
	struct count count = { 0 };
	const char **names;
	size_t repository_count;
	clock_t start = clock();

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	lb_arena_init(&arena, t->mem);
	names = repositories(&repository_count, &arena);
	for (size_t i = 0; i < repository_count; i++)
		check_repository(t, &count,
		                 support_path(&arena, "%s/workflow-corpus/%s/.github/workflows",
		                              test_suites(), names[i]));
	printf("# %zu files, %zu bytes, %zu refused, %.0f ms\n", count.files, count.bytes,
	       count.refused, (double)(clock() - start) * 1000 / CLOCKS_PER_SEC);
	CHECK(count.files > 900);
	CHECK(count.refused * 100 < count.files);
	lb_arena_release(&arena);
}

/* Manifests at the usual places: a repository's own, and its local actions. */
static void check_action(struct test *t, struct lb_arena *arena, size_t *found, const char *path)
{
	struct lb_bytes source = support_file(arena, path);
	struct workflow_action *action;
	struct lb_diag diag = { 0 };

	if (source.at == NULL)
		return;
	(*found)++;
	if (lb_failed(workflow_action_parse(&action, t->mem, source, path, &diag))) {
		t->failures++;
		printf("# %s\n", diag.text);
	}
	workflow_action_free(action);
}

TEST(real_actions_are_accepted)
{
	struct lb_arena arena;
	size_t repository_count, found = 0;
	const char **names;

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	lb_arena_init(&arena, t->mem);
	names = repositories(&repository_count, &arena);
	for (size_t i = 0; i < repository_count; i++) {
		const char *top =
			support_path(&arena, "%s/workflow-corpus/%s", test_suites(), names[i]);
		const char *folder = support_path(&arena, "%s/.github/actions", top);
		size_t count;
		const char **actions = support_list(&count, &arena, folder, "");

		check_action(t, &arena, &found, support_path(&arena, "%s/action.yml", top));
		for (size_t k = 0; k < count; k++)
			check_action(t, &arena, &found,
			             support_path(&arena, "%s/%s/action.yml", folder, actions[k]));
	}
	printf("# %zu actions\n", found);
	CHECK(found > 50);
	lb_arena_release(&arena);
}
