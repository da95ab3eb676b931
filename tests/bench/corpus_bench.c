/* corpus_bench.c - parsing and checking workflow files, beside GitHub's own package: every file of
 * the corpus, and how the time grows with the jobs of one file.  CPU time, ours and theirs.
 */
#include "base/data/yaml.h"
#include "base/vec.h"
#include "tests/bench/bench.h"
#include "tests/workflows/support.h"
#include "workflows/syntax/workflow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, PEER_ROUNDS = 3, FILES_MAX = 5000 };

static const char modules[] = "build/node/node_modules";

/* Files that are measured together. */
struct group {
	const char *name;
	struct lb_arena *arena;
	struct lb_vec files; /* of struct lb_bytes */
	size_t bytes;
	unsigned repeats; /* of all of them in a round: what is short is done more than once */
	struct bench yaml, check, peer_yaml, peer_check;
};

static uint64_t cpu_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void group_init(struct group *group, struct lb_arena *arena, const char *name)
{
	*group = (struct group){ .name = name, .arena = arena, .repeats = 1 };
	lb_vec_init(&group->files, arena->under, sizeof(struct lb_bytes), FILES_MAX);
	group->yaml.name = "lifeboat, YAML alone";
	group->check.name = "lifeboat";
	group->peer_yaml.name = "npm's yaml alone";
	group->peer_check.name = "@actions/workflow-parser";
}

static void add_file(struct group *group, FILE *list, const char *path)
{
	struct lb_bytes *slot = lb_vec_add(&group->files);

	if (slot == NULL)
		return;
	*slot = support_file(group->arena, path);
	group->bytes += slot->len;
	fprintf(list, "%d %s %s\n", PEER_ROUNDS, group->name, path);
}

/* ---- ours ---- */

static void read_yaml(struct lb_bytes text)
{
	struct lb_yaml_node *root;
	struct lb_arena arena;

	lb_arena_init(&arena, &lb_mem_host);
	lb_ignore(lb_yaml_read(&root, &arena, text, NULL, NULL));
	lb_arena_release(&arena);
}

static void check(struct lb_bytes text)
{
	struct workflow *workflow = NULL;

	lb_ignore(workflow_check(&workflow, &lb_mem_host, text, "workflow.yml"));
	workflow_free(workflow);
}

static void round_of(struct bench *bench, const struct group *group, void (*work)(struct lb_bytes))
{
	uint64_t begin = cpu_ns();

	for (unsigned i = 0; i < group->repeats; i++) {
		for (size_t k = 0; k < group->files.count; k++)
			work(*LB_VEC_AT(&group->files, struct lb_bytes, k));
	}
	bench_add(bench, (cpu_ns() - begin) / group->repeats);
}

static void measure(struct group *group)
{
	for (int i = 0; i < ROUNDS; i++) {
		round_of(&group->yaml, group, read_yaml);
		round_of(&group->check, group, check);
	}
}

/* ---- theirs ---- */

static void measure_peer(struct group *groups, size_t count, const char *list)
{
	char command[1024], name[64], what[16];
	uint64_t ns;
	FILE *from;

	(void)snprintf(command, sizeof command, "node %s/tests/bench/corpus.mjs %s %s", test_top(),
	               modules, list);
	from = popen(command, "r");
	while (from != NULL && fscanf(from, "%63s %15s %" SCNu64, name, what, &ns) == 3) {
		for (size_t i = 0; i < count; i++) {
			if (strcmp(groups[i].name, name) == 0)
				bench_add(strcmp(what, "yaml") == 0 ? &groups[i].peer_yaml
				                                    : &groups[i].peer_check,
				          ns);
		}
	}
	if (from == NULL || pclose(from) != 0)
		printf("GitHub's package is not here: no comparison (make bench fetches it)\n");
}

static void print(struct group *group)
{
	printf("%s: %zu files, %zu bytes\n", group->name, group->files.count, group->bytes);
	bench_print(&group->peer_yaml, NULL);
	bench_print(&group->yaml, &group->peer_yaml);
	bench_print(&group->peer_check, NULL);
	bench_print(&group->check, &group->peer_check);
}

/* ---- the corpus ---- */

static void add_folder(struct group *group, FILE *list, const char *folder)
{
	static const char *const endings[] = { ".yml", ".yaml" };

	for (size_t e = 0; e < 2; e++) {
		size_t count;
		const char **files = support_list(&count, group->arena, folder, endings[e]);

		for (size_t i = 0; i < count; i++)
			add_file(group, list,
			         support_path(group->arena, "%s/%s", folder, files[i]));
	}
}

static void add_corpus(struct group *group, FILE *list)
{
	const char *corpus = support_path(group->arena, "%s/workflow-corpus", test_suites());
	size_t count;
	const char **names = support_list(&count, group->arena, corpus, "");

	for (size_t i = 0; i < count; i++)
		add_folder(group, list,
		           support_path(group->arena, "%s/%s/.github/workflows", corpus, names[i]));
}

TEST(the_corpus_is_parsed_and_checked)
{
	static struct group corpus;
	struct lb_arena arena;
	const char *path;
	FILE *list;

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	lb_arena_init(&arena, t->mem);
	path = support_path(&arena, "%s/list", test_folder(t));
	group_init(&corpus, &arena, "corpus");
	list = fopen(path, "w");
	add_corpus(&corpus, list);
	(void)fclose(list);
	measure(&corpus);
	measure_peer(&corpus, 1, path);
	print(&corpus);
	lb_vec_release(&corpus.files);
	lb_arena_release(&arena);
}

/* ---- growth ---- */

/* Each job needs the one before it. */
static const char *write_jobs(struct lb_arena *arena, const char *folder, unsigned jobs)
{
	const char *path = support_path(arena, "%s/%u.yml", folder, jobs);
	FILE *file = fopen(path, "w");

	fprintf(file, "on: push\njobs:\n");
	for (unsigned i = 0; i < jobs; i++) {
		fprintf(file, "  j%u:\n    runs-on: ubuntu-latest\n", i);
		if (i > 0)
			fprintf(file, "    needs: j%u\n", i - 1);
		fprintf(file, "    steps: [run: \"${{ github.ref }}\"]\n");
	}
	(void)fclose(file);
	return path;
}

static void print_growth(struct group *groups, const unsigned *jobs, size_t count)
{
	printf("One file of so many jobs, median time of one job in microseconds:\n");
	printf("%8s %12s %12s %12s %12s %8s\n", "jobs", "npm's yaml", "our YAML", "GitHub's",
	       "ours", "ratio");
	for (size_t i = 0; i < count; i++) {
		struct group *g = &groups[i];
		double per_job = 1e3 * jobs[i];
		double peer = (double)bench_median(&g->peer_check) / per_job;
		double ours = (double)bench_median(&g->check) / per_job;

		printf("%8u %12.2f %12.2f %12.2f %12.2f %8.0f\n", jobs[i],
		       (double)bench_median(&g->peer_yaml) / per_job,
		       (double)bench_median(&g->yaml) / per_job, peer, ours,
		       ours > 0 ? peer / ours : 0);
	}
}

TEST(time_grows_with_the_jobs_of_a_file)
{
	static const unsigned jobs[] = { 1, 10, 100, 1000, 10000 };
	enum { COUNT = sizeof jobs / sizeof jobs[0] };
	static struct group groups[COUNT];
	struct lb_arena arena;
	const char *path;
	FILE *list;

	lb_arena_init(&arena, t->mem);
	path = support_path(&arena, "%s/list", test_folder(t));
	list = fopen(path, "w");
	for (size_t i = 0; i < COUNT; i++) {
		group_init(&groups[i], &arena, support_path(&arena, "%u-jobs", jobs[i]));
		groups[i].repeats = 1 + 2000 / jobs[i];
		add_file(&groups[i], list, write_jobs(&arena, test_folder(t), jobs[i]));
	}
	(void)fclose(list);
	for (size_t i = 0; i < COUNT; i++)
		measure(&groups[i]);
	measure_peer(groups, COUNT, path);
	print_growth(groups, jobs, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		lb_vec_release(&groups[i].files);
	lb_arena_release(&arena);
}
