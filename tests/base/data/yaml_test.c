/* yaml_test.c - reading YAML: nodes and their places, aliases, limits, hostile input. */
#include "base/data/yaml.h"
#include "tests/harness/test.h"

#include <unistd.h>

/* Read from a block of exact size, so that an over-read is seen. */
static lb_err read_exact(struct lb_yaml_node **out, struct lb_arena *arena, struct lb_bytes text,
                         const struct lb_yaml_limits *limits, struct lb_diag *diag)
{
	struct lb_bytes exact = test_exact(text);
	lb_err err = lb_yaml_read(out, arena, exact, limits, diag);

	test_exact_free(exact);
	return err;
}

/* A notation in which the tests say what they expect: KIND@LINE:COLUMN, then what is in it. */
static void show(struct lb_buf *out, const struct lb_yaml_node *node)
{
	static const char styles[] = "p'\"|>";

	if (node->aliased)
		lb_buf_add_text(out, "*");
	if (node->tag.len > 0)
		lb_buf_addf(out, "<%.*s>", LB_FMT(node->tag));
	if (node->kind == LB_YAML_SCALAR) {
		lb_buf_addf(out, "%c@%u:%u(%.*s)", styles[node->style], node->line, node->column,
		            LB_FMT(node->text));
		return;
	}
	lb_buf_addf(out, "%s@%u:%u", node->kind == LB_YAML_SEQUENCE ? "seq" : "map", node->line,
	            node->column);
	for (uint32_t i = 0; i < node->count; i++) {
		lb_buf_add_text(out, i == 0                                        ? "["
		                     : i % 2 == 1 && node->kind == LB_YAML_MAPPING ? "="
		                                                                   : " ");
		show(out, node->items[i]);
	}
	lb_buf_add_text(out, node->count > 0 ? "]" : "");
}

static void check_shown(struct test *t, const char *text, const char *want)
{
	struct lb_diag diag = { 0 };
	struct lb_yaml_node *root;
	struct lb_arena arena;
	struct lb_buf out;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&out, t->mem, 1 << 20);
	CHECK_OK(read_exact(&root, &arena, lb_bytes_of(text), NULL, &diag));
	CHECK_TEXT(diag.text, "");
	if (root != NULL)
		show(&out, root);
	CHECK_TEXT(lb_buf_text(&out), want);
	lb_buf_release(&out);
	lb_arena_release(&arena);
}

static void check_refused_with(struct test *t, struct lb_bytes text,
                               const struct lb_yaml_limits *limits, enum lb_code code, size_t line,
                               const char *prose)
{
	struct lb_diag diag = { 0 };
	struct lb_yaml_node *root = NULL;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, t->mem);
	err = read_exact(&root, &arena, text, limits, &diag);
	CHECK(lb_code_of(err) == code && root == NULL);
	CHECK(lb_where(err) == line);
	CHECK_TEXT(diag.text, prose);
	CHECK(lb_code_of(lb_yaml_read(&root, &arena, text, limits, NULL)) == code);
	lb_arena_release(&arena);
}

static void check_refused(struct test *t, const char *text, size_t line, const char *prose)
{
	check_refused_with(t, lb_bytes_of(text), NULL, LB_E_MALFORMED, line, prose);
}

TEST(yaml_nodes_know_their_places)
{
	check_shown(t, "name: CI\non: [push, pull_request]\n",
	            "map@1:1[p@1:1(name)=p@1:7(CI) p@2:1(on)=seq@2:5[p@2:6(push) "
	            "p@2:12(pull_request)]]");
	check_shown(
		t, "a:\n  - 1\n  - k: v\n    l: w\n",
		"map@1:1[p@1:1(a)=seq@2:3[p@2:5(1) map@3:5[p@3:5(k)=p@3:8(v) p@4:5(l)=p@4:8(w)]]]");
	check_shown(t, "'\xc3\xa9\xe2\x82\xac': {\xc3\xa9: 1}",
	            "map@1:1['@1:1(\xc3\xa9\xe2\x82\xac)=map@1:7[p@1:8(\xc3\xa9)=p@1:11(1)]]");
	check_shown(t, "plain", "p@1:1(plain)");
}

TEST(yaml_scalars_keep_their_style)
{
	check_shown(t, "[a, 'b', \"c\\u00e9\\0\"]",
	            "seq@1:1[p@1:2(a) '@1:5(b) \"@1:10(c\xc3\xa9)]");
	check_shown(t, "run: |\n  one\n  two\n", "map@1:1[p@1:1(run)=|@1:6(one\ntwo\n)]");
	check_shown(t, "run: >-\n  one\n  two\n", "map@1:1[p@1:1(run)=>@1:6(one two)]");
	check_shown(t, "t: !!str 1\nu: !mine x\n",
	            "map@1:1[p@1:1(t)=<tag:yaml.org,2002:str>p@1:4(1) p@2:1(u)=<!mine>p@2:4(x)]");
}

TEST(yaml_single_quotes_are_unfolded_and_unescaped)
{
	check_shown(t, "'a''''b'''", "'@1:1(a''b')");
	check_shown(t, "''''''''''''''''''''''''''''''''''''''''''", "'@1:1('''''''''''''''''''')");
	check_shown(t, "''", "'@1:1()");
	check_shown(t, "k: ' one \n  \n \n two\r\n  three '",
	            "map@1:1[p@1:1(k)='@1:4( one\n\ntwo three )]");
}

TEST(yaml_blocks_keep_their_text)
{
	check_shown(t, "- |\n a\n\n  b\n\n- >\n a\n b\n\n c\n  d\n- |+\n x\n\n",
	            "seq@1:1[|@1:3(a\n\n b\n) >@6:3(a b\nc\n d\n) |@12:3(x\n\n)]");
	check_shown(t, "- |2-\r\n   a\r\n\r\n  b\r\n- >+1\r\n a\r\n",
	            "seq@1:1[|@1:3( a\n\nb) >@5:3(a\n)]");
	check_shown(t, "k: |1\n  \nl: 1\n", "map@1:1[p@1:1(k)=|@1:4( \n) p@3:1(l)=p@3:4(1)]");
	check_shown(t, "--- |\na\n...\n", "|@1:5(a\n)");
	check_shown(t, "a:\n- |\n b\n# c\n", "map@1:1[p@1:1(a)=seq@2:1[|@2:3(b\n)]]");
}

TEST(yaml_folded_blocks_keep_the_ends_of_deeper_lines)
{
	check_shown(t, "k: >\n a\n\n  b\n\n  c\n\n d\n e\n",
	            "map@1:1[p@1:1(k)=>@1:4(a\n\n b\n\n c\n\nd e\n)]");
	check_shown(t, "k: >\n\n  a\n   \n  b\n", "map@1:1[p@1:1(k)=>@1:4(\na\n \nb\n)]");
	check_shown(t, "k: >\n \ta\n b\n", "map@1:1[p@1:1(k)=>@1:4(\ta\nb\n)]");
}

TEST(yaml_blocks_at_the_end_of_the_text_get_no_line_end)
{
	check_shown(t, "k: |\n a\n b", "map@1:1[p@1:1(k)=|@1:4(a\nb)]");
	check_shown(t, "k: >+\n a\n ", "map@1:1[p@1:1(k)=>@1:4(a\n)]");
	check_shown(t, "k: |", "map@1:1[p@1:1(k)=|@1:4()]");
	check_shown(t, "k: |\n", "map@1:1[p@1:1(k)=|@1:4()]");
	check_shown(t, "k: |+\n\n \n", "map@1:1[p@1:1(k)=|@1:4(\n\n)]");
}

TEST(yaml_empty_blocks_end_where_the_next_key_begins)
{
	check_shown(t, "k: |\nl: >\n", "map@1:1[p@1:1(k)=|@1:4() p@2:1(l)=>@2:4()]");
	check_shown(t, "a:\n  b: |\n\n  c: >2- # |\n  d: |+\n\n  e: f\n",
	            "map@1:1[p@1:1(a)=map@2:3[p@2:3(b)=|@2:6() p@4:3(c)=>@4:6() "
	            "p@5:3(d)=|@5:6(\n) p@7:3(e)=p@7:6(f)]]");
	check_shown(t, "a:\n- |\n- !!str >\n- x: |\n  y: z\n",
	            "map@1:1[p@1:1(a)=seq@2:1[|@2:3() <tag:yaml.org,2002:str>>@3:3() "
	            "map@4:3[p@4:3(x)=|@4:6() p@5:3(y)=p@5:6(z)]]]");
	check_shown(t, "a: ~\nb: |\nc: '|'\n",
	            "map@1:1[p@1:1(a)=p@1:4(~) p@2:1(b)=|@2:4() p@3:1(c)='@3:4(|)]");
}

TEST(yaml_places_of_blocks_are_those_of_their_marks)
{
	check_shown(t, "\"\xc3\xa9 | # >\": | # > x\n a\n",
	            "map@1:1[\"@1:1(\xc3\xa9 | # >)=|@1:12(a\n)]");
	check_shown(t, "- !<tag:x> &y |\n  a\n- &z >\n  b\n",
	            "seq@1:1[<tag:x>|@1:3(a\n) >@3:3(b\n)]");
}

TEST(yaml_brackets_and_quotes_may_stand_at_the_margin)
{
	check_shown(t, "a: [\n  b,\n]\nc: {\nd: e\n}\n",
	            "map@1:1[p@1:1(a)=seq@1:4[p@2:3(b)] p@4:1(c)=map@4:4[p@5:1(d)=p@5:4(e)]]");
	check_shown(t, "a: \"b\nc\"\nd: 'e\nf'\n",
	            "map@1:1[p@1:1(a)=\"@1:4(b c) p@3:1(d)='@3:4(e f)]");
}

TEST(yaml_comments_may_touch_a_closing_bracket)
{
	check_shown(t, "a: [b]# ], |\nc: {}#\nd: '# e'\n",
	            "map@1:1[p@1:1(a)=seq@1:4[p@1:5(b)] p@2:1(c)=map@2:4 p@3:1(d)='@3:4(# e)]");
}

TEST(yaml_values_that_are_not_written_are_plain_and_empty)
{
	check_shown(t, "on:\n  push:\njobs:\n",
	            "map@1:1[p@1:1(on)=map@2:3[p@2:3(push)=p@2:8()] p@3:1(jobs)=p@3:6()]");
	check_shown(t, "a: !!null\nb: \"\"\n",
	            "map@1:1[p@1:1(a)=<tag:yaml.org,2002:null>p@1:4() p@2:1(b)=\"@2:4()]");
}

TEST(yaml_may_be_empty)
{
	check_shown(t, "", "");
	check_shown(t, "# nothing but a comment\n\n", "");
	check_shown(t, "---\n...\n", "p@1:4()");
}

TEST(yaml_accepts_what_editors_leave)
{
	check_shown(t,
	            "\xef\xbb\xbf"
	            "a: 1\r\nb: 2\r\n",
	            "map@1:1[p@1:1(a)=p@1:4(1) p@2:1(b)=p@2:4(2)]");
	check_shown(t, "%YAML 1.2\n---\na: 1\n...\n", "map@3:1[p@3:1(a)=p@3:4(1)]");
}

TEST(yaml_aliases_share_one_node)
{
	struct lb_yaml_node *root;
	struct lb_arena arena;

	check_shown(t, "a: &x {k: 1}\nb: *x\nc: &x 2\nd: *x\n",
	            "map@1:1[p@1:1(a)=*map@1:7[p@1:8(k)=p@1:11(1)] "
	            "p@2:1(b)=*map@1:7[p@1:8(k)=p@1:11(1)] "
	            "p@3:1(c)=*p@3:4(2) p@4:1(d)=*p@3:4(2)]");
	lb_arena_init(&arena, t->mem);
	CHECK_OK(read_exact(&root, &arena, LB_B("- &x []\n- *x\n- <<: *x\n"), NULL, NULL));
	CHECK(root->count == 3 && root->items[0] == root->items[1]);
	CHECK(lb_yaml_find(root->items[2], "<<") == root->items[0]);
	lb_arena_release(&arena);
}

TEST(yaml_find_takes_the_first_of_equal_keys)
{
	struct lb_yaml_node *root;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(read_exact(&root, &arena, LB_B("{[a]: 0, a: 1, b: 2, a: 3}"), NULL, NULL));
	CHECK_BYTES(lb_yaml_find(root, "a")->text, "1");
	CHECK(root->count == 8);
	CHECK(lb_yaml_find(root, "c") == NULL && lb_yaml_find(NULL, "c") == NULL);
	CHECK(lb_yaml_find(root->items[1], "c") == NULL);
	lb_arena_release(&arena);
}

TEST(yaml_errors_name_the_place)
{
	check_refused(t, "a: [1,\n  2\n", 3,
	              "line 3, column 1: flow sequence without a closing bracket");
	check_refused(t, "a: b\n\tc: d\n", 1, "line 1, column 4: invalid multiline plain key");
	check_refused(t, "a: \"x\n", 1,
	              "line 1, column 5: double-quoted scalar without closing quote");
	check_refused(t, "a: 1\nb: *x\n", 2, "line 2, column 4: no anchor &x before this alias");
	check_refused(t, "a: &x [1, *x]\n", 1,
	              "line 1, column 11: alias *x stands inside of what it stands for");
	check_refused(t, "a: 1\n---\nb: 2\n", 2,
	              "line 2, column 1: a second document; only one is expected");
	check_refused(t, "a:\n  b: |2\n   c\n  d\n", 3,
	              "line 3, column 1: block scalar with wrongly indented line after spaces "
	              "only");
	check_refused(t, "k:\n      |\n   text\n", 2,
	              "line 2, column 7: a block of text that cannot be made out; write its | or > "
	              "on its key's line");
	check_refused(t, "a: 1\n- ? b:\t>", 2,
	              "line 2, column 1: a tab in a line that begins with ?");
	check_refused(t, "\xef\xbb\xbf? a:\t>", 1,
	              "line 1, column 1: a tab in a line that begins with ?");
	check_refused(t, "a: >0\n", 1, "line 1, column 2: indentation indicator 0");
	check_refused(t, "a: !e!z 1\n", 1, "line 1, column 4: undefined tag prefix");
	check_refused(t, "ok: 1\nb: \xc3\xa9\xff\n", 2, "line 2, column 5: byte 0xff is not UTF-8");
	check_refused_with(t, LB_B("a: 1\nb\0: 2\n"), NULL, LB_E_MALFORMED, 2,
	                   "line 2, column 2: control character 0x00");
}

TEST(yaml_limits_hold)
{
	static const struct lb_yaml_limits small = { .bytes_max = 40,
		                                     .depth_max = 3,
		                                     .events_max = 10 };

	check_refused_with(t, LB_B("[[[[1]]]]"), &small, LB_E_LIMIT, 1,
	                   "line 1, column 4: nested more than 3 deep");
	check_refused_with(t, LB_B("- &a [[1]]\n- [*a]"), &small, LB_E_LIMIT, 2,
	                   "line 2, column 4: nested more than 3 deep");
	check_refused_with(t, LB_B("[1, 2, 3,\n4, 5, 6, 7, 8, 9, 10]"), &small, LB_E_LIMIT, 2,
	                   "line 2, column 19: more than 10 values, with aliases expanded");
	check_refused_with(t, LB_B("# a comment that is far too long for this"), &small, LB_E_LIMIT,
	                   0, "41 bytes of YAML; at most 40 are read");
}

/* Unchecked, libfyaml would take many minutes for each. */
TEST(yaml_quadratic_inputs_are_refused_at_once)
{
	static const struct {
		const char *start, *repeated, *prose;
		size_t line;
	} cases[] = {
		{ "a: |\n", "\n", "line 1002, column 1: more than 1000 blank lines in a row",
		  1002 },
		{ "a: >\n x\n", "  \n", "line 1003, column 1: more than 1000 blank lines in a row",
		  1003 },
		{ "a: |\n", "\r", "line 1002, column 1: more than 1000 blank lines in a row",
		  1002 },
		{ "a: 1\r", "%", "line 2, column 1: a directive of more than 256 bytes", 2 },
		{ "", "%", "line 1, column 1: a directive of more than 256 bytes", 1 },
		{ "a: 1\n", "% ", "line 2, column 1: a directive of more than 256 bytes", 2 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lb_buf text;

		lb_buf_init(&text, t->mem, 1 << 20);
		lb_buf_add_text(&text, cases[i].start);
		while (text.len + 16 < 1 << 20)
			lb_buf_add_text(&text, cases[i].repeated);
		check_refused_with(t, lb_buf_bytes(&text), NULL, LB_E_LIMIT, cases[i].line,
		                   cases[i].prose);
		lb_buf_release(&text);
	}
}

/* Each is a reading of its own. */
TEST(yaml_empty_blocks_are_limited)
{
	struct lb_yaml_node *root;
	struct lb_arena arena;
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 1 << 20);
	lb_buf_add_text(&text, "a:\n");
	for (int i = 1; i <= 16; i++)
		lb_buf_addf(&text, "  k%d: |\n", i);
	lb_buf_add_text(&text, "  l: 1\n");
	lb_arena_init(&arena, t->mem);
	CHECK_OK(read_exact(&root, &arena, lb_buf_bytes(&text), NULL, NULL));
	CHECK(root->items[1]->count == 34);
	lb_arena_release(&arena);
	lb_buf_add_text(&text, "  m: |\n  n: |\n");
	check_refused_with(t, lb_buf_bytes(&text), NULL, LB_E_LIMIT, 19,
	                   "line 19, column 6: more than 16 empty blocks of text; write \"\" for "
	                   "them");
	lb_buf_release(&text);
}

/* Nine levels of nine aliases each would be 400 million values. */
TEST(yaml_billion_laughs_end_in_limit)
{
	struct lb_yaml_node *root;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 1 << 16);
	lb_arena_init(&arena, t->mem);
	lb_buf_add_text(&text, "a0: &a0 lol\n");
	for (int i = 1; i <= 9; i++) {
		lb_buf_addf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			lb_buf_addf(&text, "*a%d%s", i - 1, k < 8 ? ", " : "]\n");
	}
	CHECK(lb_code_of(lb_yaml_read(&root, &arena, lb_buf_bytes(&text), NULL, &diag)) ==
	      LB_E_LIMIT);
	CHECK(strstr(diag.text, "line 8, ") != NULL);
	CHECK(arena.bytes_used < 1 << 16);
	lb_arena_release(&arena);
	lb_buf_release(&text);
}

/* A chain in which each line wraps the one before is as deep as it is long. */
TEST(yaml_depth_through_aliases_is_bounded)
{
	struct lb_yaml_node *root;
	struct lb_arena arena;
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 1 << 16);
	lb_arena_init(&arena, t->mem);
	lb_buf_add_text(&text, "- &a0 x\n");
	for (int i = 1; i <= 100; i++)
		lb_buf_addf(&text, "- &a%d [*a%d]\n", i, i - 1);
	CHECK(lb_code_of(lb_yaml_read(&root, &arena, lb_buf_bytes(&text), NULL, NULL)) ==
	      LB_E_LIMIT);
	lb_arena_release(&arena);
	lb_buf_release(&text);
}

static const char sample[] = "name: CI\non: {push: {branches: [main]}}\njobs:\n  build: &b\n"
			     "    runs-on: 'ubuntu'\n    steps:\n      - run: |\n          make\n"
			     "      - run: |\n      - [a]# b\n  test: *b\n";

/* Some prefixes are documents of their own; none may crash, leak or be read past its end. */
TEST(yaml_every_truncation_is_read_or_refused)
{
	for (size_t len = 0; len < sizeof sample - 1; len++) {
		struct lb_yaml_node *root;
		struct lb_diag diag = { 0 };
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = read_exact(&root, &arena, lb_bytes_upto(lb_bytes_of(sample), len), NULL,
		                 &diag);
		CHECK(!lb_failed(err) || (lb_code_of(err) == LB_E_MALFORMED && root == NULL &&
		                          strncmp(diag.text, "line ", 5) == 0));
		lb_arena_release(&arena);
	}
}

TEST(yaml_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_yaml_node *root;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = lb_yaml_read(&root, &arena, lb_bytes_of(sample), NULL, NULL);
		CHECK(lb_failed(err) == t->heap.failed && (root == NULL) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_arena_release(&arena);
	}
}

/* libfyaml prints by default; a library does not. */
TEST(yaml_prints_nothing)
{
	int saved = dup(2), ends[2];
	struct lb_yaml_node *root;
	struct lb_arena arena;
	char got;

	CHECK(saved >= 0 && pipe(ends) == 0 && dup2(ends[1], 2) == 2);
	(void)close(ends[1]);
	lb_arena_init(&arena, t->mem);
	for (size_t len = 0; len < sizeof sample - 1; len++)
		lb_ignore(read_exact(&root, &arena, lb_bytes_upto(lb_bytes_of(sample), len), NULL,
		                     NULL));
	lb_ignore(read_exact(&root, &arena, LB_B("a: [}\n"), NULL, NULL));
	lb_arena_release(&arena);
	CHECK(dup2(saved, 2) == 2);
	(void)close(saved);
	CHECK(read(ends[0], &got, 1) == 0);
	(void)close(ends[0]);
}
