/* yaml_fuzz.c - YAML: whatever comes in, the nodes that come out keep to the limits. */
#include "tests/fuzz/failing.h"

#include "base/data/yaml.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len);

enum { DEPTH_MAX = 20, EVENTS_MAX = 10000 };

static size_t count_nodes(const struct lb_yaml_node *node, unsigned depth)
{
	size_t count = 1;

	if (depth > DEPTH_MAX || node->line == 0 || node->column == 0)
		abort();
	if (lb_utf8_check(node->text) != SIZE_MAX || lb_utf8_check(node->tag) != SIZE_MAX)
		abort();
	if (node->kind == LB_YAML_MAPPING && node->count % 2 != 0)
		abort();
	for (uint32_t i = 0; i < node->count; i++)
		count += count_nodes(node->items[i], depth + 1);
	return count;
}

/* A text that is malformed may be refused for that though memory ran out as well. */
static void target(struct lb_mem *mem, struct lb_bytes input, bool failing)
{
	static const struct lb_yaml_limits limits = { .depth_max = DEPTH_MAX,
		                                      .events_max = EVENTS_MAX };
	struct lb_diag diag = { 0 };
	struct lb_yaml_node *root;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, mem);
	err = lb_yaml_read(&root, &arena, input, &limits, &diag);
	if (failing ? !lb_failed(err) : lb_code_of(err) == LB_E_NOMEM)
		abort();
	if (lb_failed(err) &&
	    (root != NULL || (lb_code_of(err) != LB_E_NOMEM && diag.text[0] == '\0')))
		abort();
	if (root != NULL && count_nodes(root, 0) > EVENTS_MAX)
		abort();
	lb_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len)
{
	return fuzz_twice(target, at, len);
}
