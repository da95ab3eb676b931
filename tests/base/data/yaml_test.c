/* yaml_test.c - reading YAML: nodes and their places, aliases, limits, hostile input. */
#include "base/data/yaml.h"
#include "tests/harness/test.h"

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

TEST(yaml_reads_block_collections)
{
	check_shown(t, "a:\n- b\n-\n- - c\n  - d\ne:\n    -\n     f: g\n",
	            "map@1:1[p@1:1(a)=seq@2:1[p@2:3(b) p@3:2() seq@4:3[p@4:5(c) p@5:5(d)]] "
	            "p@6:1(e)=seq@7:5[map@8:6[p@8:6(f)=p@8:9(g)]]]");
	check_shown(t, "? a\n: b\n? - c\n: - d\n? e\nf: g\n? |\n h\n:\n- i\n",
	            "map@1:1[p@1:3(a)=p@2:3(b) seq@3:3[p@3:5(c)]=seq@4:3[p@4:5(d)] "
	            "p@5:3(e)=p@5:2() p@6:1(f)=p@6:4(g) |@7:3(h\n)=seq@10:1[p@10:3(i)]]");
	check_shown(t, ": a\n", "map@1:1[p@1:1()=p@1:3(a)]");
	check_shown(t, "'a': 1\n\"b\" : 2\n[c]: 3\n{d: e}: 4\n&x f: 5\n*x : 6\n!!str g: 7\n",
	            "map@1:1['@1:1(a)=p@1:6(1) \"@2:1(b)=p@2:7(2) seq@3:1[p@3:2(c)]=p@3:6(3) "
	            "map@4:1[p@4:2(d)=p@4:5(e)]=p@4:9(4) *p@5:1(f)=p@5:7(5) *p@5:1(f)=p@6:6(6) "
	            "<tag:yaml.org,2002:str>p@7:1(g)=p@7:10(7)]");
	check_shown(t, " - a\n - b\n", "seq@1:2[p@1:4(a) p@2:4(b)]");
	check_shown(t, "a: # one\n  # two\n\n  b # three\n# four\n", "map@1:1[p@1:1(a)=p@4:3(b)]");
	check_shown(t, "a:\tb\nc: \t d\t# e\n-f: g\n?h: i\n",
	            "map@1:1[p@1:1(a)=p@1:4(b) p@2:1(c)=p@2:6(d) p@3:1(-f)=p@3:5(g) "
	            "p@4:1(?h)=p@4:5(i)]");
}

TEST(yaml_refuses_what_is_no_block_collection)
{
	static const struct {
		const char *text, *prose;
	} cases[] = {
		{ "a: b: c", "line 1, column 5: a mapping cannot begin on this line; quote it if "
		             "it is a text" },
		{ "--- a: b", "line 1, column 6: a mapping cannot begin on this line; quote it if "
		              "it is a text" },
		{ "a: - b",
		  "line 1, column 4: a sequence cannot begin on this line; quote it if it "
		  "is a text" },
		{ "- &a - b", "line 1, column 6: a sequence cannot begin on this line; quote it if "
		              "it is a text" },
		{ "a: b\n  c: d", "line 2, column 4: a key of more than one line; is the "
		                  "indentation right?" },
		{ "a: 'b'\n  c: d", "line 2, column 3: expected a key in column 1, or less "
		                    "indentation" },
		{ "a:\n  b: 1\n c: 2", "line 3, column 2: expected a key in column 1, or less "
		                       "indentation" },
		{ "- 'a'\n - c", "line 2, column 2: expected - in column 1, or less "
		                 "indentation" },
		{ "- a\nb: c", "line 2, column 1: expected - in column 1, or less indentation" },
		{ "a: 1\n- b", "line 2, column 1: an item of a sequence among the keys of a "
		               "mapping" },
		{ "a: 1\nb\n", "line 2, column 2: expected a colon behind the key" },
		{ "a: 'b' c", "line 1, column 8: text behind the end of a value" },
		{ "a: [b] : c", "line 1, column 8: a mapping cannot begin on this line; quote it "
		                "if it is a text" },
		{ "'a':b", "line 1, column 4: a colon that does not belong here; quote the text "
		           "around it" },
		{ "-\t- a", "line 1, column 3: a tab where only blanks can indent" },
		{ "-\ta: b", "line 1, column 4: a tab where only blanks can indent" },
		{ "a:\n\t- b", "line 2, column 2: a tab where only blanks can indent" },
		{ "a: |\n\tb", "line 2, column 1: a tab where only blanks can indent" },
		{ "a: b # c\n d", "line 2, column 2: expected a key in column 1, or less "
		                  "indentation" },
		{ "a: @b", "line 1, column 4: @ cannot begin a value; quote the text" },
		{ "a: %b", "line 1, column 4: % cannot begin a value; quote the text" },
		{ "a: }", "line 1, column 4: } cannot begin a value; quote the text" },
		{ "&a &b c", "line 1, column 4: a second anchor for one value" },
		{ "&a\n&b\nc: d", "line 3, column 1: a second anchor for one value" },
		{ "a: !x !y z", "line 1, column 7: a second tag for one value" },
		{ "a: &x\nb: &y *x", "line 2, column 7: an alias cannot have a tag or an anchor "
		                     "of its own" },
		{ "a: &x 1\nb: !y\n *x\n", "line 3, column 4: an alias cannot have a tag or an "
		                           "anchor of its own" },
		{ "a: & b", "line 1, column 4: & without the name of an anchor" },
		{ "a: !<x y",
		  "line 1, column 4: a tag that begins with !< and does not end with >" },
		{ "a: !x!y!z b", "line 1, column 4: tag with the handle !x!, which no %TAG "
		                 "explains" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_refused(t, cases[i].text, (size_t)(cases[i].prose[5] - '0'), cases[i].prose);
}

TEST(yaml_reads_flow_collections)
{
	check_shown(t, "[a b, 'c' , [], {}, ]", "seq@1:1[p@1:2(a b) '@1:7(c) seq@1:13 map@1:17]");
	check_shown(t, "{a: 1, b, 'c':2, ? d : 3, ? , : 4, e:}",
	            "map@1:1[p@1:2(a)=p@1:5(1) p@1:8(b)=p@1:9() '@1:11(c)=p@1:15(2) "
	            "p@1:20(d)=p@1:24(3) p@1:28()=p@1:29() p@1:31()=p@1:33(4) p@1:36(e)=p@1:38()]");
	check_shown(t, "[a: b, [c]:d, ? e, : f, {g: h}: i]",
	            "seq@1:1[map@1:2[p@1:2(a)=p@1:5(b)] map@1:8[seq@1:8[p@1:9(c)]=p@1:12(d)] "
	            "map@1:15[p@1:17(e)=p@1:18()] map@1:20[p@1:20()=p@1:22(f)] "
	            "map@1:25[map@1:25[p@1:26(g)=p@1:29(h)]=p@1:33(i)]]");
	check_shown(t, "{a\n : b, c:\n\n d # e\n , f\n  g}",
	            "map@1:1[p@1:2(a)=p@2:4(b) p@2:7(c)=p@4:2(d) p@5:4(f g)=p@6:4()]");
	check_shown(t, "[a:b, ::c, -d, http://e/f#g, h?i]",
	            "seq@1:1[p@1:2(a:b) p@1:7(::c) p@1:12(-d) p@1:16(http://e/f#g) p@1:30(h?i)]");
	check_shown(t, "[&a , !!str , *a ]",
	            "seq@1:1[*p@1:2() <tag:yaml.org,2002:str>p@1:7() *p@1:2()]");
}

TEST(yaml_refuses_what_is_no_flow_collection)
{
	static const struct {
		const char *text, *prose;
	} cases[] = {
		{ "[,]", "line 1, column 2: , cannot begin a value; quote the text" },
		{ "[a,,]", "line 1, column 4: , cannot begin a value; quote the text" },
		{ "[-]", "line 1, column 2: - is not expected here; quote it if it is a text" },
		{ "[- a]", "line 1, column 2: - is not expected here; quote it if it is a text" },
		{ "[a\n--- ]", "line 1, column 1: this [ is never closed by a ]" },
		{ "['a' 'b']", "line 1, column 6: expected , or the ] that closes the [ of line 1, "
		               "column 1" },
		{ "[a]]", "line 1, column 4: text behind the end of a value" },
		{ "['a'\n: b]", "line 2, column 1: expected , or the ] that closes the [ of line "
		                "1, column 1" },
		{ "[a\n b: c]", "line 2, column 3: a key of more than one line or 1024 bytes" },
		{ "[a, #b\n c #d", "line 1, column 1: this [ is never closed by a ]" },
		{ "{a: |\n b}", "line 1, column 5: | cannot begin a value; quote the text" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_refused(t, cases[i].text, (size_t)(cases[i].prose[5] - '0'), cases[i].prose);
}

TEST(yaml_folds_plain_scalars)
{
	check_shown(t, "a: b\n  c\n\n\n  d\t\n \te\nf: g#h i:j\n",
	            "map@1:1[p@1:1(a)=p@1:4(b c\n\nd e) p@7:1(f)=p@7:4(g#h i:j)]");
	check_shown(t, "a\nb\n  - c\n...\n", "p@1:1(a b - c)");
	check_shown(t, "- a\n -b\n- --- c\n", "seq@1:1[p@1:3(a -b) p@3:3(--- c)]");
	check_shown(t, "a: b, [c] {d}\r\n", "map@1:1[p@1:1(a)=p@1:4(b, [c] {d})]");
}

TEST(yaml_reads_escapes)
{
	check_shown(t,
	            "\"\\a\\b\\t\\n\\v\\f\\r\\e\\ \\\"\\/\\\\\\N\\_\\L\\P\\x41\\u20ac\\U0001f600\"",
	            "\"@1:1(\a\b\t\n\v\f\r\x1b \"/\\\xc2\x85\xc2\xa0\xe2\x80\xa8\xe2\x80\xa9"
	            "A\xe2\x82\xac\xf0\x9f\x98\x80)");
	check_shown(t, "\"\\ud83d\\ude00\"", "\"@1:1(\xf0\x9f\x98\x80)");
	check_shown(t, "\" a \\\n   b\\ \n\n \\  c\\\n\n d \"", "\"@1:1( a b \n  c\nd )");
	check_refused(t, "\"\\ud83d\"", 1,
	              "line 1, column 2: \\u with a number that is no character's");
	check_refused(t, "\"\\U00110000\"", 1,
	              "line 1, column 2: \\U with a number that is no character's");
	check_refused(t, "\"a\\x4\"", 1,
	              "line 1, column 3: expected 2 hexadecimal digits behind \\x");
	check_refused(t, "'a\n--- b'", 1, "line 1, column 1: this ' is never closed by another");
}

TEST(yaml_reads_block_headers)
{
	check_shown(t, "- |-\n a\n- >2-\n   b\n- |+ # c\n d\n\n- >-2 \n  e\n",
	            "seq@1:1[|@1:3(a) >@3:3( b) |@5:3(d\n\n) >@8:3(e)]");
	check_shown(t, "a:\n  - |\n\n\n   b\n  - c\n",
	            "map@1:1[p@1:1(a)=seq@2:3[|@2:5(\n\nb\n) p@6:5(c)]]");
	check_refused(t, "a: |--\n b", 1,
	              "line 1, column 6: expected + or -, a digit from 1 to 9, or the end of the "
	              "line behind | or >");
	check_refused(t, "a: |#b\n b", 1,
	              "line 1, column 5: expected + or -, a digit from 1 to 9, or the end of the "
	              "line behind | or >");
	check_refused(t, "a: | b\n c", 1,
	              "line 1, column 6: the text of a block begins on the line behind its | or "
	              ">");
	check_refused(t, "a: |\n    \n  b\n", 2,
	              "line 2, column 1: a blank line before a block's text that is longer than "
	              "the text's indentation of 2");
}

TEST(yaml_reads_documents_and_directives)
{
	check_shown(t, "%YAML 1.1 # old\n%TAG !e! tag:e,2000:\n%FOO bar\n--- !e!x%41 a\n...\n# b\n",
	            "<tag:e,2000:xA>p@4:5(a)");
	check_shown(t, "%TAG ! tag:e,2000:\n--- !y\n- !!int 1\n",
	            "<tag:e,2000:y>seq@3:1[<tag:yaml.org,2002:int>p@3:3(1)]");
	check_shown(t, "--- # a\n- b\n", "seq@2:1[p@2:3(b)]");
	check_shown(t, "---\n", "p@1:4()");
	check_shown(t, "...\n", "");
	check_shown(t, "# a\n...\n...\n%YAML 1.2\n---\nb\n", "p@6:1(b)");
	check_shown(t, "a: !<tag:x,1:y> b\nc: ! d\n",
	            "map@1:1[p@1:1(a)=<tag:x,1:y>p@1:4(b) p@2:1(c)=<!>p@2:4(d)]");
	check_refused(t, "%YAML 2.0\n---\n", 1, "line 1, column 10: expected %YAML 1.2");
	check_refused(t, "%YAML 1.2\n%YAML 1.2\n---\n", 2, "line 2, column 10: a second %YAML");
	check_refused(t, "%TAG e x\n---\n", 1,
	              "line 1, column 9: expected %TAG, a handle like !x! and a prefix");
	check_refused(t, "%YAML 1.2\na: b\n", 2,
	              "line 2, column 1: expected --- behind the directives");
	check_refused(t, "a\n... b\n", 2, "line 2, column 5: text behind the end of a value");
	check_refused(t, "a\n...\nb\n", 3,
	              "line 3, column 1: a second document; only one is expected");
	check_refused(t, "a: !b%4 c", 1,
	              "line 1, column 4: a tag with a % that two hexadecimal digits do not follow");
	check_refused(t, "%TAG !e! \xc3\xa9\n--- !e!%ff a", 2,
	              "line 2, column 5: a tag whose % stand for what is not UTF-8");
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
	check_refused(t, "a: [1,\n  2\n", 1, "line 1, column 4: this [ is never closed by a ]");
	check_refused(t, "a: {b: [1}", 1,
	              "line 1, column 10: expected , or the ] that closes the [ of line 1, "
	              "column 8");
	check_refused(t, "a: b\n\tc: d\n", 2,
	              "line 2, column 2: a tab where only blanks can indent");
	check_refused(t, "a: \"x\n", 1, "line 1, column 4: this \" is never closed by another");
	check_refused(t, "a: 1\nb: *x\n", 2, "line 2, column 4: no anchor &x before this alias");
	check_refused(t, "a: &x [1, *x]\n", 1,
	              "line 1, column 11: alias *x stands inside of what it stands for");
	check_refused(t, "a: 1\n---\nb: 2\n", 2,
	              "line 2, column 1: a second document; only one is expected");
	check_refused(t, "a:\n  b: |2\n   c\n  d\n", 3,
	              "line 3, column 4: expected a key in column 3, or less indentation");
	check_refused(t, "a: >0\n", 1,
	              "line 1, column 5: expected + or -, a digit from 1 to 9, or the end of the "
	              "line behind | or >");
	check_refused(t, "a: !e!z 1\n", 1,
	              "line 1, column 4: tag with the handle !e!, which no %TAG explains");
	check_refused(t, "ok: 1\nb: \xc3\xa9\xff\n", 2, "line 2, column 5: byte 0xff is not UTF-8");
	check_refused(t, "\xc3\xa9: \"\xe2\x82\xac\\q\"", 1,
	              "line 1, column 6: an escape that YAML does not have; \\\\ is a backslash");
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

/* Reading is linear in what is repeated here, and recursive no deeper than the limit. */
TEST(yaml_long_runs_are_read)
{
	static const struct {
		const char *start, *repeated, *end;
		enum lb_code code;
	} cases[] = {
		{ "a: |\n", "\n", "", LB_E_NONE },    { "a: >\n x\n", "  \n", " y", LB_E_NONE },
		{ "a: b\r", " \r", " c", LB_E_NONE }, { "a: \"", "\n", "\"", LB_E_NONE },
		{ "a: '", "''", "'", LB_E_NONE },     { "", "- \n", "", LB_E_NONE },
		{ "k:\n", "- |\n", "", LB_E_NONE },   { "[", "\xc3\xa9, ", "]", LB_E_NONE },
		{ "{", "a : b, ", "}", LB_E_NONE },   { "%", "%", "\n---\n", LB_E_NONE },
		{ "# ", "# ", "", LB_E_NONE },        { "", "[", "", LB_E_LIMIT },
		{ "", "- ", "", LB_E_LIMIT },         { "", "? ", "", LB_E_LIMIT },
		{ "", "{a: ", "", LB_E_LIMIT },       { "", "&a ", "", LB_E_MALFORMED },
		{ "a:", " b:", "", LB_E_MALFORMED },
	};
	static const struct lb_yaml_limits deep = { .depth_max = LB_YAML_DEPTH_MAX };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lb_yaml_node *root;
		struct lb_arena arena;
		struct lb_buf text;

		lb_buf_init(&text, t->mem, 1 << 20);
		lb_arena_init(&arena, t->mem);
		lb_buf_add_text(&text, cases[i].start);
		while (text.len + 16 < 1 << 20)
			lb_buf_add_text(&text, cases[i].repeated);
		lb_buf_add_text(&text, cases[i].end);
		CHECK(lb_code_of(lb_yaml_read(&root, &arena, lb_buf_bytes(&text), &deep, NULL)) ==
		      cases[i].code);
		lb_arena_release(&arena);
		lb_buf_release(&text);
	}
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

/* Something of each kind that allocates. */
static const char sample[] =
	"%TAG !e! tag:e:\n---\nname: CI\non: {push: {branches: [main]}}\njobs:\n  build: &b\n"
	"    runs-on: 'ubu''ntu'\n    steps:\n      - run: |\n          make\n"
	"      - run: |\n      - [a]# b\n      - !e!t \"\\n\"\n      - c\n        d\n  test: *b\n";

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
