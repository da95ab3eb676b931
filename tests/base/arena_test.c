/* arena_test.c - arenas, budgets and diagnostics: alignment, growth, limits. */
#include "base/arena.h"
#include "tests/harness/test.h"

TEST(arena_gives_aligned_zeroed_blocks)
{
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	for (size_t size = 1; size < 100000; size = size * 3 + 1) {
		unsigned char *at = lb_arena_alloc(&arena, size, 1);

		CHECK(at != NULL && (uintptr_t)at % 16 == 0 && at[0] == 0 && at[size - 1] == 0);
		if (at != NULL)
			memset(at, 0xff, size);
	}
	CHECK_BYTES(lb_arena_format(&arena, "%s-%d", "x", 7), "x-7");
	CHECK_TEXT(lb_arena_text(&arena, LB_B("copy")), "copy");
	CHECK(lb_arena_alloc(&arena, SIZE_MAX, 2) == NULL && arena.failed);
	CHECK(lb_arena_alloc(&arena, 1, 1) == NULL);
	lb_arena_release(&arena);
}

TEST(arena_serves_as_memory)
{
	struct lb_arena arena;
	struct lb_buf buf;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&buf, &arena.mem, 1 << 20);
	for (int i = 0; i < 1000; i++)
		lb_buf_addf(&buf, "%d,", i);
	CHECK(!lb_failed(lb_buf_check(&buf)) &&
	      lb_bytes_ends(lb_buf_bytes(&buf), LB_B("998,999,")));
	lb_arena_release(&arena);
}

TEST(arena_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_arena arena;

		lb_arena_init(&arena, t->mem);
		for (size_t i = 0; i < 20; i++)
			(void)lb_arena_alloc(&arena, i, 1000);
		CHECK(arena.failed == t->heap.failed);
		lb_arena_release(&arena);
	}
}

TEST(budget_refuses_what_is_over_and_recovers)
{
	struct lb_budget budget;
	char *a, *b;

	lb_budget_init(&budget, t->mem, 100);
	a = LB_NEW(&budget.mem, char, 60);
	b = LB_NEW(&budget.mem, char, 41);
	CHECK(a != NULL && b == NULL && budget.bytes_used == 60);
	LB_DROP(&budget.mem, a, 60);
	b = LB_NEW(&budget.mem, char, 100);
	CHECK(b != NULL);
	LB_DROP(&budget.mem, b, 100);
	CHECK(budget.bytes_used == 0);
}

TEST(diag_is_cut_at_a_whole_character)
{
	struct lb_diag diag = { 0 };
	char text[LB_DIAG_SIZE + 1];

	memset(text, 'a', sizeof text);
	memcpy(text + LB_DIAG_SIZE - 3, "\xe2\x82\xac", 4);
	lb_diag_set(&diag, "%s", text);
	CHECK(strlen(diag.text) == LB_DIAG_SIZE - 3);
	lb_diag_set(&diag, "low");
	lb_diag_prefix(&diag, "file %d", 3);
	CHECK_TEXT(diag.text, "file 3: low");
	CHECK_TEXT(lb_diag_text(NULL, lb_err_of(LB_E_NOTFOUND)), "not found");
}
