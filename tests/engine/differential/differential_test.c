/* differential_test.c - random modules give here what they give in V8, and ends like it.
 *
 * LB_MODULES says how many (make test: a few; tests/long: many), LB_SEED where to begin, LB_NODE
 * which command runs Node.  A difference is made smaller: the same seed with less code.
 */
#include "engine/instance.h"
#include "tests/engine/differential/generate.h"
#include "tests/harness/test.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	RUNS = 5,
	NODES = 150,
	BATCH = 250,
	MODULES = 500,
	MODULES_LONG = 10000,
	SHOWN_MAX = 5,
	LINE = 512
};

/* ---- ours ---- */

/* As differential.mjs has them: V8 tells fewer apart. */
static const char *class_of(lb_err err)
{
	static const char *const classes[ENGINE_TRAP_COUNT] = {
		[ENGINE_TRAP_UNREACHABLE] = "unreachable",
		[ENGINE_TRAP_DIVIDE_BY_ZERO] = "zero",
		[ENGINE_TRAP_INTEGER_OVERFLOW] = "overflow",
		[ENGINE_TRAP_INVALID_CONVERT] = "overflow",
		[ENGINE_TRAP_MEMORY_BOUNDS] = "memory",
		[ENGINE_TRAP_TABLE_BOUNDS] = "table",
		[ENGINE_TRAP_UNDEFINED_ELEMENT] = "table",
		[ENGINE_TRAP_UNINITIALIZED] = "type",
		[ENGINE_TRAP_INDIRECT_TYPE] = "type",
		[ENGINE_TRAP_STACK] = "stack",
	};
	const char *text = classes[engine_trap_of(err)];

	return text != NULL ? text : lb_err_text(err);
}

static uint32_t hash(const struct engine_memory *memory)
{
	const unsigned char *at = engine_memory_base(memory);
	uint32_t words = (uint32_t)(engine_memory_size(memory) / 4), sum = words, word;

	for (uint32_t i = 0; i < words; i++) {
		memcpy(&word, at + 4 * (size_t)i, sizeof word);
		sum = (sum ^ word) * 0x01000193;
	}
	return sum;
}

static void run(struct lb_buf *out, struct engine_instance *instance, unsigned module)
{
	struct engine_func *go = engine_instance_find_func(instance, LB_B("go"));
	struct engine_memory *memory = engine_instance_find_memory(instance, LB_B("memory"));

	for (uint32_t i = 0; i < RUNS; i++) {
		union engine_value argument = { .i32 = i }, result = { 0 };
		lb_err err = engine_func_call(go, &argument, 1, &result, 1);

		lb_buf_addf(out, "%u %" PRIu32 " ", module, i);
		if (lb_failed(err))
			lb_buf_add_text(out, class_of(err));
		else
			lb_buf_addf(out, "%" PRIx64, result.i64);
		lb_buf_addf(out, " %" PRIx32 "\n", hash(memory));
	}
}

static void run_module(struct lb_buf *out, struct test *t, struct lb_bytes bytes, unsigned number)
{
	struct engine_instance *instance;
	struct engine_module *module;
	struct engine_store *store;
	struct lb_diag diag = { 0 };

	if (!CHECK_OK(engine_module_new(&module, t->mem, bytes, NULL, &diag))) {
		printf("# %s\n", diag.text);
		return;
	}
	CHECK_OK(engine_store_new(&store, t->mem, NULL));
	if (CHECK_OK(engine_instance_new(&instance, store, module, NULL, 0, NULL)))
		run(out, instance, number);
	engine_store_free(store);
	engine_module_free(module);
}

/* ---- theirs, beside ours ---- */

struct batch {
	char path[512];
	struct lb_buf modules, ours;
};

static void add_module(struct batch *batch, struct test *t, uint64_t seed, uint32_t nodes,
                       unsigned number)
{
	struct lb_buf bytes;
	uint32_t size;

	lb_buf_init(&bytes, &lb_mem_host, 1 << 22);
	generate_module(&bytes, seed, nodes);
	size = (uint32_t)lb_buf_bytes(&bytes).len;
	lb_buf_add(&batch->modules, (struct lb_bytes){ (const unsigned char *)&size, sizeof size });
	lb_buf_add(&batch->modules, lb_buf_bytes(&bytes));
	run_module(&batch->ours, t, lb_buf_bytes(&bytes), number);
	lb_buf_release(&bytes);
}

static FILE *run_theirs(const struct batch *batch)
{
	const char *node = getenv("LB_NODE");
	FILE *file = fopen(batch->path, "wb");
	char command[1500];
	struct lb_bytes all = lb_buf_bytes(&batch->modules);

	if (file == NULL || fwrite(all.at, 1, all.len, file) != all.len || fclose(file) != 0)
		return NULL;
	(void)snprintf(command, sizeof command,
	               "%s %s/tests/engine/differential/differential.mjs %s %d",
	               node != NULL ? node : "node", test_top(), batch->path, RUNS);
	return popen(command, "r");
}

/* Where either side ran out of stack, the two need not agree. */
static bool agrees(struct lb_bytes ours, struct lb_bytes theirs)
{
	return lb_bytes_eq(ours, theirs) || lb_bytes_find(ours, LB_B(" stack ")) != SIZE_MAX ||
	       lb_bytes_find(theirs, LB_B(" stack ")) != SIZE_MAX;
}

/* The number of the first module with a difference, or -1; it is printed. */
static long first_difference(struct batch *batch, bool shown)
{
	struct lb_bytes rest = lb_buf_bytes(&batch->ours), ours;
	FILE *from = run_theirs(batch);
	long found = from == NULL ? 0 : -1;
	char line[LINE];

	while (from != NULL && fgets(line, sizeof line, from) != NULL) {
		struct lb_bytes theirs = lb_bytes_trim(lb_bytes_of(line));

		if (found >= 0)
			continue;
		if (!lb_bytes_split(&ours, &rest, '\n'))
			ours = LB_B("nothing");
		if (agrees(ours, theirs))
			continue;
		found = strtol(line, NULL, 10);
		if (shown)
			printf("# theirs: %.*s\n#   ours: %.*s\n", LB_FMT(theirs), LB_FMT(ours));
	}
	if (from != NULL && pclose(from) != 0)
		found = found < 0 ? 0 : found;
	if (found < 0 && rest.len > 0)
		found = 0;
	return found;
}

static void batch_begin(struct batch *batch)
{
	lb_buf_reset(&batch->modules);
	lb_buf_reset(&batch->ours);
}

/* The first module of the batch, to be looked at. */
static void keep(const struct batch *batch, uint64_t seed, uint32_t nodes)
{
	struct lb_bytes bytes = lb_bytes_from(lb_buf_bytes(&batch->modules), 4);
	char path[600];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/differential.wasm", test_build());
	file = fopen(path, "wb");
	if (file != NULL && fwrite(bytes.at, 1, bytes.len, file) == bytes.len)
		printf("# seed %" PRIu64 ", nodes %" PRIu32 ": %s\n", seed, nodes, path);
	if (file != NULL)
		(void)fclose(file);
}

/* The least code of this seed that still shows it. */
static void shrink(struct batch *batch, struct test *t, uint64_t seed)
{
	for (uint32_t nodes = 1; nodes <= NODES; nodes++) {
		batch_begin(batch);
		add_module(batch, t, seed, nodes, 0);
		if (first_difference(batch, false) >= 0 || nodes == NODES) {
			keep(batch, seed, nodes);
			return;
		}
	}
}

static void check_batch(struct batch *batch, struct test *t, uint64_t seed, unsigned count)
{
	long found;

	batch_begin(batch);
	for (unsigned i = 0; i < count; i++)
		add_module(batch, t, seed + i, NODES, i);
	found = first_difference(batch, true);
	if (found < 0)
		return;
	if (t->failures++ < SHOWN_MAX)
		shrink(batch, t, seed + (uint64_t)found);
}

TEST(random_modules_run_as_in_v8)
{
	const char *asked = getenv("LB_MODULES");
	unsigned long count = asked != NULL               ? strtoul(asked, NULL, 10)
	                      : getenv("LB_LONG") != NULL ? MODULES_LONG
	                                                  : MODULES;
	uint64_t seed = getenv("LB_SEED") != NULL ? t->seed : 1;
	struct batch batch;

	if (system("node --version >/dev/null 2>&1") != 0)
		SKIP("Node is not here");
	(void)snprintf(batch.path, sizeof batch.path, "%s/modules", test_folder(t));
	lb_buf_init(&batch.modules, &lb_mem_host, 1 << 28);
	lb_buf_init(&batch.ours, &lb_mem_host, 1 << 26);
	for (unsigned long at = 0; at < count && t->failures < SHOWN_MAX; at += BATCH)
		check_batch(&batch, t, seed + at,
		            (unsigned)(count - at < BATCH ? count - at : BATCH));
	lb_buf_release(&batch.modules);
	lb_buf_release(&batch.ours);
	printf("# %lu modules from seed %" PRIu64 ", %d runs each\n", count, seed, RUNS);
}
