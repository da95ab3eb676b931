/* shrink_test.c - texts are made as short as they can be made. */
#include "tests/workflows/shrink.h"
#include "tests/workflows/support.h"

static size_t holds_both(void *self, const struct lb_bytes *texts, size_t count)
{
	size_t *asked = self;

	(*asked)++;
	for (size_t i = 0; i < count; i++) {
		if (lb_bytes_find(texts[i], LB_B("one")) != SIZE_MAX &&
		    lb_bytes_find(texts[i], LB_B("two")) != SIZE_MAX)
			return i;
	}
	return SIZE_MAX;
}

TEST(what_does_not_matter_is_left_out)
{
	struct lb_arena arena;
	struct lb_buf text;
	size_t asked = 0;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&text, t->mem, 1 << 20);
	for (unsigned i = 0; i < 500; i++)
		lb_buf_addf(&text, "line %u%s\n", i, i == 17 ? " one" : i == 480 ? " two" : "");
	CHECK_BYTES(shrink(&arena, lb_buf_bytes(&text), SHRINK_LINES, holds_both, &asked),
	            "line 17 one\nline 480 two\n");
	CHECK(asked < 60);
	CHECK_BYTES(shrink(&arena, LB_B("a && f('x, one', [b.two(3)])"), SHRINK_WORDS, holds_both,
	                   &asked),
	            "'x, one'two");
	CHECK_BYTES(shrink(&arena, LB_B("one two"), SHRINK_WORDS, holds_both, &asked), "onetwo");
	lb_buf_release(&text);
	lb_arena_release(&arena);
}
