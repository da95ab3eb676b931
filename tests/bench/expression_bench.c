/* expression_bench.c - parsing and evaluating expressions, beside GitHub's own package: every one
 * of the corpus that calls nothing but general functions.  CPU time, ours and theirs.
 */
#include "base/data/json.h"
#include "base/vec.h"
#include "tests/bench/bench.h"
#include "tests/workflows/support.h"
#include "workflows/syntax/scalar.h"

#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 21, EXPRESSIONS_MAX = 100000 };

static const char modules[] = "build/node/node_modules";

static const char contexts_json[] =
	"{'github': {'ref': 'refs/heads/main', 'ref_name': 'main', 'sha': '0a1b2c', 'event_name': "
	"'push', 'repository': 'o/r', 'actor': 'mona', 'workflow': 'CI', 'event': {'number': 7, "
	"'pull_request': {'number': 7, 'labels': [{'name': 'bug'}, {'name': 'docs'}]}}}, "
	"'matrix': {'os': 'ubuntu-latest', 'version': [1, 2, 3]}, 'env': {'A': '1'}, "
	"'secrets': {'GITHUB_TOKEN': 'x'}, 'inputs': {'level': 'high'}, 'vars': {}, "
	"'runner': {'os': 'Linux', 'temp': '/tmp'}, 'needs': {'build': {'result': 'success', "
	"'outputs': {'x': '[1,2]'}}}, 'steps': {'a': {'outputs': {'b': 'c'}}}, 'job': {}, "
	"'strategy': {}, 'jobs': {}}";

struct measured {
	struct lb_arena arena; /* what lasts */
	struct lb_vec texts;   /* struct lb_bytes */
	struct lb_bytes contexts;
	struct workflow_scope scope;
	size_t refused;
	struct bench parse, evaluate, peer_parse, peer_evaluate;
};

static uint64_t cpu_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- the expressions ---- */

static bool is_general(struct measured *m, struct lb_bytes text)
{
	const struct workflow_expr *expr;
	struct lb_arena arena;
	bool general;

	lb_arena_init(&arena, m->arena.under);
	general = !lb_failed(workflow_expr_parse(&expr, &arena, text, NULL, NULL)) &&
	          expr->calls == 0;
	lb_arena_release(&arena);
	return general;
}

static void add_file(struct measured *m, const char *path)
{
	struct lb_bytes source = support_file(&m->arena, path);
	struct workflow_segment segment = { 0 };

	while (workflow_scalar_segment(&segment, source)) {
		struct lb_bytes text = workflow_trim(segment.inside), *slot;

		if (text.len == 0 || !is_general(m, text))
			continue;
		slot = lb_vec_add(&m->texts);
		if (slot != NULL)
			*slot = text;
	}
}

static void add_corpus(struct measured *m)
{
	const char *folder = support_path(&m->arena, "%s/workflow-corpus", test_suites());
	size_t count, files;
	const char **names = support_list(&count, &m->arena, folder, "");

	for (size_t i = 0; i < count; i++) {
		const char *below =
			support_path(&m->arena, "%s/%s/.github/workflows", folder, names[i]);
		const char **list = support_list(&files, &m->arena, below, ".yml");

		for (size_t k = 0; k < files; k++)
			add_file(m, support_path(&m->arena, "%s/%s", below, list[k]));
	}
}

/* ---- ours ---- */

static void measure_ours(struct measured *m)
{
	const struct workflow_expr **exprs =
		LB_ARENA_NEW(&m->arena, const struct workflow_expr *, m->texts.count);
	const struct lb_value *value;
	struct lb_arena arena;
	uint64_t start;

	for (unsigned round = 0; round < ROUNDS && exprs != NULL; round++) {
		m->refused = 0;
		lb_arena_init(&arena, m->arena.under);
		start = cpu_ns();
		for (size_t i = 0; i < m->texts.count; i++)
			m->refused += lb_failed(workflow_expr_parse(
				&exprs[i], &arena, *LB_VEC_AT(&m->texts, struct lb_bytes, i), NULL,
				NULL));
		bench_add(&m->parse, cpu_ns() - start);
		start = cpu_ns();
		for (size_t i = 0; i < m->texts.count; i++) {
			if (exprs[i] != NULL)
				m->refused +=
					lb_failed(workflow_expr_evaluate(&value, &arena, exprs[i],
				                                         &m->scope, NULL));
		}
		bench_add(&m->evaluate, cpu_ns() - start);
		lb_arena_release(&arena);
	}
}

/* ---- theirs ---- */

static void measure_theirs(struct measured *m)
{
	const char *contexts = support_texts(&m->arena, NULL, 0);
	const char *texts = support_texts(&m->arena, m->texts.at, m->texts.count);
	FILE *file = contexts != NULL ? fopen(contexts, "w") : NULL, *from;
	unsigned long long number;
	char word[16];

	if (file == NULL || texts == NULL)
		return;
	(void)fprintf(file, "%.*s", LB_FMT(m->contexts));
	(void)fclose(file);
	from = popen(support_path(&m->arena, "node %s/tests/bench/expression.mjs %s %s %s %d",
	                          test_top(), modules, contexts, texts, ROUNDS),
	             "r");
	while (from != NULL && fscanf(from, "%15s %llu", word, &number) == 2) {
		if (strcmp(word, "parse") == 0)
			bench_add(&m->peer_parse, number);
		else if (strcmp(word, "evaluate") == 0)
			bench_add(&m->peer_evaluate, number);
		else
			printf("# refused: %zu by us, %llu by the package\n", m->refused, number);
	}
	if (from != NULL)
		(void)pclose(from);
	(void)remove(contexts);
	(void)remove(texts);
}

TEST(expressions_of_the_corpus)
{
	static struct measured m = { .parse = { .name = "lifeboat, parsed" },
		                     .evaluate = { .name = "lifeboat, evaluated" },
		                     .peer_parse = { .name = "@actions/expressions, parsed" },
		                     .peer_evaluate = { .name = "@actions/..., evaluated" } };
	const struct lb_value *contexts;

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	lb_arena_init(&m.arena, t->mem);
	lb_vec_init(&m.texts, t->mem, sizeof(struct lb_bytes), EXPRESSIONS_MAX);
	contexts = support_json(&m.arena, contexts_json);
	m.scope.contexts = contexts;
	m.contexts = lb_bytes_of(support_text(&m.arena, contexts));
	add_corpus(&m);
	measure_ours(&m);
	measure_theirs(&m);
	printf("# %zu expressions\n", m.texts.count);
	bench_print(&m.parse, &m.peer_parse);
	bench_print(&m.evaluate, &m.peer_evaluate);
	bench_print(&m.peer_parse, NULL);
	bench_print(&m.peer_evaluate, NULL);
	lb_vec_release(&m.texts);
	lb_arena_release(&m.arena);
}
