/* matcher_test.c - problem matchers: patterns, several lines, loops, what is wrong with a config.
 */
#include "base/data/json.h"
#include "ci-runner/text/matcher.h"
#include "tests/harness/test.h"

struct matching {
	struct runner_matchers *matchers;
	struct lb_arena arena;
	struct lb_diag diag;
};

static bool begin(struct test *t, struct matching *m)
{
	lb_arena_init(&m->arena, t->mem);
	return CHECK_OK(runner_matchers_new(&m->matchers, t->mem));
}

static void end(struct matching *m)
{
	runner_matchers_free(m->matchers);
	lb_arena_release(&m->arena);
}

static lb_err add(struct test *t, struct matching *m, const char *json)
{
	struct lb_value *config;

	m->diag.text[0] = '\0';
	if (!CHECK_OK(lb_json_read(&config, &m->arena, lb_bytes_of(json), &m->diag)))
		return lb_err_of(LB_E_MALFORMED);
	return runner_matchers_add(m->matchers, config, &m->diag);
}

/* "level|message|file|line|column|code|fromPath", or "" */
static struct lb_bytes look(struct matching *m, const char *line)
{
	struct lb_bytes exact = test_exact(lb_bytes_of(line)), out = LB_B("");
	struct runner_problem p;

	if (runner_matchers_line(&p, m->matchers, &m->arena, exact))
		out = lb_arena_format(&m->arena, "%.*s|%.*s|%.*s|%u|%u|%.*s|%.*s", LB_FMT(p.level),
		                      LB_FMT(p.message), LB_FMT(p.file), (unsigned)p.line,
		                      (unsigned)p.column, LB_FMT(p.code), LB_FMT(p.from_path));
	else if (p.removed.len > 0)
		out = lb_arena_format(&m->arena, "removed %.*s", LB_FMT(p.removed));
	test_exact_free(exact);
	return out;
}

#define GCC \
	"{\"problemMatcher\": [{\"owner\": \"gcc\", \"pattern\": [{\"regexp\": " \
	"\"^(.*):(\\\\d+):(\\\\d+):\\\\s+(?:fatal )?(warning|error):\\\\s+(.*?)(?: " \
	"\\\\[(.*)\\\\])?$\", \"file\": 1, \"line\": 2, \"column\": 3, \"severity\": 4, " \
	"\"message\": 5, \"code\": 6}]}]}"

TEST(a_line_of_a_compiler_is_a_problem)
{
	struct matching m;

	if (begin(t, &m)) {
		CHECK(!runner_matchers_any(m.matchers));
		CHECK_OK(add(t, &m, GCC));
		CHECK_BYTES(look(&m, "a/b.c:3:14: warning: unused x [-Wunused]"),
		            "warning|unused x|a/b.c|3|14|-Wunused|");
		CHECK_BYTES(look(&m, "a.c:3:1: fatal error: no"), "error|no|a.c|3|1||");
		CHECK_BYTES(look(&m, "a.c:99999999999:1: error: no"), "error|no|a.c|0|1||");
		CHECK_BYTES(look(&m, "nothing"), "");
		CHECK_BYTES(look(&m, ""), "");
		runner_matchers_remove(m.matchers, LB_B("GCC"));
		CHECK_BYTES(look(&m, "a.c:3:1: error: no"), "");
	}
	end(&m);
}

#define LINT \
	"{\"problemMatcher\": [{\"owner\": \"lint\", \"severity\": \"warning\", \"fromPath\": " \
	"\"p/x.proj\", \"pattern\": [{\"regexp\": \"^(\\\\S+)$\", \"file\": 1}, {\"regexp\": " \
	"\"^\\\\s+(\\\\d+):(\\\\d+)\\\\s+(.*)$\", \"line\": 1, \"column\": 2, \"message\": 3, " \
	"\"loop\": true}]}]}"

TEST(several_lines_are_one_problem_and_a_loop_gives_many)
{
	struct matching m;

	if (begin(t, &m)) {
		CHECK_OK(add(t, &m, LINT));
		CHECK_BYTES(look(&m, "  1:2  without a file"), "");
		CHECK_BYTES(look(&m, "src/a.js"), "");
		CHECK_BYTES(look(&m, "  1:2  first"), "warning|first|src/a.js|1|2||p/x.proj");
		CHECK_BYTES(look(&m, "  3:4  second"), "warning|second|src/a.js|3|4||p/x.proj");
		CHECK_BYTES(look(&m, "something else"), "");
		CHECK_BYTES(look(&m, "  5:6  third"), "");
		CHECK_BYTES(look(&m, "src/b.js"), "");
		runner_matchers_reset(m.matchers);
		CHECK_BYTES(look(&m, "  1:2  of another process"), "");
	}
	end(&m);
}

TEST(the_newest_matcher_comes_first_and_resets_the_others)
{
	struct matching m;

	if (begin(t, &m)) {
		CHECK_OK(add(t, &m, LINT));
		CHECK_OK(add(t, &m,
		             "{\"problemMatcher\": [{\"owner\": \"x\", \"pattern\": [{\"regexp\": "
		             "\"^!(.*)$\", \"message\": 1}]}]}"));
		CHECK_BYTES(look(&m, "src/a.js"), "");
		CHECK_BYTES(look(&m, "!mine"), "error|mine||0|0||");
		CHECK_BYTES(look(&m, "  1:2  first"), "");
		CHECK_BYTES(look(&m, "! "), ""); /* no message */
		CHECK_OK(add(t, &m,
		             "{\"problemMatcher\": [{\"owner\": \"X\", \"severity\": \"notice\", "
		             "\"pattern\": [{\"regexp\": \"^[?](.*)$\", \"message\": 1}]}]}"));
		CHECK_BYTES(look(&m, "!mine"), "");
		CHECK_BYTES(look(&m, "?new"), "notice|new||0|0||");
	}
	end(&m);
}

TEST(what_is_wrong_with_a_config_is_said_as_on_github)
{
	static const struct {
		const char *config, *says;
	} bad[] = {
		{ "{}", "it has no list 'problemMatcher'" },
		{ "{\"problemMatcher\": [{}]}", "Owner must not be empty" },
		{ "{\"problemMatcher\": [{\"owner\": \"o\"}]}",
		  "Matcher 'o' does not contain any patterns" },
		{ "{\"problemMatcher\": [{\"owner\": \"o\", \"severity\": \"bad\"}]}",
		  "Matcher 'o' contains unexpected default severity 'bad'" },
		{ "{\"problemMatcher\": [{\"owner\": \"o\", \"pattern\": [{\"regexp\": \"x\"}]}]}",
		  "At least one pattern must set 'message'" },
		{ "{\"problemMatcher\": [{\"owner\": \"o\", \"pattern\": [{\"regexp\": \"x\", "
		  "\"message\": 1}]}]}",
		  "The property 'message' is set to 1 which is out of range" },
		{ "{\"problemMatcher\": [{\"owner\": \"o\", \"pattern\": [{\"regexp\": \"(x)\", "
		  "\"message\": 1}, {\"regexp\": \"(x)\", \"message\": 1}]}]}",
		  "The property 'message' is set twice" },
		{ "{\"problemMatcher\": [{\"owner\": \"o\", \"pattern\": [{\"regexp\": \"(x)\", "
		  "\"message\": 1, \"loop\": true}]}]}",
		  "Only the last pattern in a multiline matcher may set 'loop'" },
		{ "{\"problemMatcher\": [{\"owner\": \"o\", \"pattern\": [{\"regexp\": \"(x)\", "
		  "\"message\": 1}, {\"regexp\": \"x\", \"loop\": true}]}]}",
		  "The loop pattern must set 'message'" },
		{ "{\"problemMatcher\": [{\"owner\": \"o\", \"pattern\": [{\"regexp\": \"(\", "
		  "\"message\": 1}]}]}",
		  "Invalid pattern '(' at offset 1" },
	};
	struct matching m;

	if (begin(t, &m)) {
		CHECK_OK(add(t, &m, GCC));
		for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
			CHECK(lb_code_of(add(t, &m, bad[i].config)) == LB_E_INVALID);
			CHECK_TEXT(m.diag.text, bad[i].says);
		}
		CHECK(lb_code_of(add(t, &m,
		                     "{\"problemMatcher\": [{\"owner\": \"a\", \"pattern\": "
		                     "[{\"regexp\": \"x\", \"message\": 0}]}, {\"owner\": \"A\", "
		                     "\"pattern\": [{\"regexp\": \"x\", \"message\": 0}]}]}")) ==
		      LB_E_INVALID);
		CHECK_TEXT(m.diag.text, "Duplicate owner name 'A'");
		CHECK_BYTES(look(&m, "a.c:3:1: error: no"), "error|no|a.c|3|1||");
	}
	end(&m);
}

TEST(a_matcher_that_takes_too_long_is_removed)
{
	static char line[64];
	struct matching m;

	memset(line, 'a', 40);
	if (begin(t, &m)) {
		CHECK_OK(add(t, &m,
		             "{\"problemMatcher\": [{\"owner\": \"slow\", \"pattern\": "
		             "[{\"regexp\": \"^(a+)+$\", \"message\": 1}]}]}"));
		line[40] = '!';
		CHECK_BYTES(look(&m, line), "");
		CHECK_BYTES(look(&m, line), "");
		CHECK_BYTES(look(&m, line), "removed slow");
		CHECK(!runner_matchers_any(m.matchers));
	}
	end(&m);
}

TEST(colours_are_taken_away)
{
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_BYTES(runner_without_colours(&arena, LB_B("plain")), "plain");
	CHECK_BYTES(runner_without_colours(&arena, LB_B("\x1b[01;31ma.c\x1b[K:\x1b[0m1")), "a.c:1");
	CHECK_BYTES(runner_without_colours(&arena, LB_B("\x1b[2Jx\x1b[")), "\x1b[2Jx\x1b[");
	lb_arena_release(&arena);
}

TEST(matchers_survive_every_oom)
{
	EACH_OOM (t) {
		struct matching m = { 0 };
		struct lb_value *config = NULL;
		lb_err err = LB_OK;

		lb_arena_init(&m.arena, t->mem);
		err = lb_json_read(&config, &m.arena, LB_B(LINT), &m.diag);
		if (!lb_failed(err))
			err = runner_matchers_new(&m.matchers, t->mem);
		if (!lb_failed(err))
			err = runner_matchers_add(m.matchers, config, &m.diag);
		if (!lb_failed(err)) {
			(void)look(&m, "src/a.js");
			(void)look(&m, "  1:2  first");
		}
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		end(&m);
	}
}
