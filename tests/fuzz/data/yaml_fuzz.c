/* yaml_fuzz.c - YAML: whatever comes in, the nodes that come out keep to the limits. */
#include "base/data/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len);

enum { DEPTH_MAX = 20, EVENTS_MAX = 10000 };

static size_t count_nodes(const struct lb_yaml_node *node, unsigned depth)
{
	size_t count = 1;

	if (depth > DEPTH_MAX || node->line == 0 || node->column == 0)
		abort();
	for (uint32_t i = 0; i < node->count; i++)
		count += count_nodes(node->items[i], depth + 1);
	return count;
}

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len)
{
	static const struct lb_yaml_limits limits = { .depth_max = DEPTH_MAX,
		                                      .events_max = EVENTS_MAX };
	struct lb_diag diag = { 0 };
	struct lb_yaml_node *root;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, &lb_mem_host);
	err = lb_yaml_read(&root, &arena, (struct lb_bytes){ at, len }, &limits, &diag);
	if (lb_failed(err) && (root != NULL || diag.text[0] == '\0'))
		abort();
	if (root != NULL && count_nodes(root, 0) > EVENTS_MAX)
		abort();
	lb_arena_release(&arena);
	return 0;
}
