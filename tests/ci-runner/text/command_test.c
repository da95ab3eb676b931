/* command_test.c - workflow commands, as GitHub's runner reads them. */
#include "ci-runner/text/command.h"
#include "tests/harness/test.h"

static bool is_command(struct test *t, struct lb_arena *arena, struct runner_line_command *out,
                       const char *line)
{
	struct lb_bytes exact = test_exact(lb_bytes_of(line));
	struct lb_bytes kept = lb_arena_bytes(arena, exact);

	(void)t;
	/* Read from a block of exact size, then from one that lasts. */
	(void)runner_line_command_read(out, arena, exact);
	test_exact_free(exact);
	return runner_line_command_read(out, arena, kept);
}

TEST(a_command_has_name_properties_and_data)
{
	struct runner_line_command c;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK(is_command(t, &arena, &c, "::error file=a.c,line=3,col=7,title=Oh no::it broke"));
	CHECK_BYTES(c.name, "error");
	CHECK(c.property_count == 4);
	CHECK_BYTES(runner_line_command_get(&c, "file"), "a.c");
	CHECK_BYTES(runner_line_command_get(&c, "LINE"), "3");
	CHECK_BYTES(runner_line_command_get(&c, "title"), "Oh no");
	CHECK_BYTES(runner_line_command_get(&c, "nothing"), "");
	CHECK_BYTES(c.data, "it broke");

	CHECK(is_command(t, &arena, &c, "  \t::endgroup::"));
	CHECK_BYTES(c.name, "endgroup");
	CHECK_BYTES(c.data, "");
	CHECK(is_command(t, &arena, &c, "::debug::a::b"));
	CHECK_BYTES(c.data, "a::b");
	CHECK(is_command(t, &arena, &c, "::set-output name=x::"));
	CHECK_BYTES(runner_line_command_get(&c, "name"), "x");
	lb_arena_release(&arena);
}

TEST(escapes_are_read_once)
{
	struct runner_line_command c;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK(is_command(t, &arena, &c,
	                 "::warning title=a%3Ab%2Cc%25,file=%0D%0A::x%0Ay%250A%3A%2"));
	CHECK_BYTES(runner_line_command_get(&c, "title"), "a:b,c%");
	CHECK_BYTES(runner_line_command_get(&c, "file"), "\r\n");
	CHECK_BYTES(c.data, "x\ny%0A%3A%2");
	lb_arena_release(&arena);
}

TEST(the_old_form_is_read)
{
	struct runner_line_command c;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK(is_command(t, &arena, &c, "##[group]Things"));
	CHECK_BYTES(c.name, "group");
	CHECK_BYTES(c.data, "Things");
	CHECK(is_command(t, &arena, &c, "text ##[set-output name=a;x=%3B%5D]value"));
	CHECK_BYTES(runner_line_command_get(&c, "x"), ";]");
	CHECK_BYTES(c.data, "value");
	lb_arena_release(&arena);
}

TEST(other_lines_are_no_commands)
{
	static const char *const lines[] = { "",        ":",         "::",           "::::",
		                             "::error", ":error::x", "a ::error::x", "# [x]",
		                             "##[",     "##[]x",     "##[error" };
	struct runner_line_command c;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (is_command(t, &arena, &c, lines[i])) {
			t->failures++;
			printf("# a command: '%s'\n", lines[i]);
		}
	}
	lb_arena_release(&arena);
}

TEST(reading_a_command_survives_every_oom)
{
	EACH_OOM (t) {
		struct runner_line_command c;
		struct lb_arena arena;
		bool is;

		lb_arena_init(&arena, t->mem);
		is = runner_line_command_read(&c, &arena, LB_B("::error title=%25::%0A"));
		CHECK(is == !t->heap.failed);
		CHECK(arena.failed == t->heap.failed);
		lb_arena_release(&arena);
	}
}
