/* json_test.c - reading JSON: what is accepted, what is refused and where, memory running out. */
#include "base/data/json.h"
#include "tests/harness/test.h"

/* Read from a block of exact size, so that an over-read is seen. */
static lb_err read_exact(struct lb_value **out, struct lb_arena *arena, struct lb_bytes text,
                         struct lb_diag *diag)
{
	struct lb_bytes exact = test_exact(text);
	lb_err err = lb_json_read(out, arena, exact, diag);

	test_exact_free(exact);
	return err;
}

/* What is read, written again. */
static void check_same(struct test *t, const char *text, const char *want)
{
	struct lb_diag diag = { 0 };
	struct lb_value *value;
	struct lb_arena arena;
	struct lb_buf out;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&out, t->mem, 1 << 20);
	CHECK_OK(read_exact(&value, &arena, lb_bytes_of(text), &diag));
	lb_value_write(&out, value, false);
	CHECK_TEXT(lb_buf_text(&out), want);
	lb_buf_release(&out);
	lb_arena_release(&arena);
}

static void check_refused(struct test *t, struct lb_bytes text, enum lb_code code, size_t offset,
                          const char *prose)
{
	struct lb_diag diag = { 0 };
	struct lb_value *value = NULL;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, t->mem);
	err = read_exact(&value, &arena, text, &diag);
	CHECK(lb_code_of(err) == code && value == NULL);
	CHECK_TEXT(diag.text, prose);
	if (lb_where(err) != offset) {
		printf("# offset %zu, expected %zu\n", (size_t)lb_where(err), offset);
		t->failures++;
	}
	CHECK(lb_code_of(lb_json_read(&value, &arena, text, NULL)) == code);
	lb_arena_release(&arena);
}

TEST(json_reads_every_kind_of_value)
{
	check_same(t, "null", "null");
	check_same(t, " true ", "true");
	check_same(t, "[false,{}]", "[false,{}]");
	check_same(t, "-12.5e1", "-125");
	check_same(t, "\"a\\u00e9\\ud83d\\ude00\\n\"", "\"a\xc3\xa9\xf0\x9f\x98\x80\\n\"");
	check_same(t, "{\"z\":1,\"a\":[{\"b\":null}],\"\":2}",
	           "{\"z\":1,\"a\":[{\"b\":null}],\"\":2}");
}

TEST(json_strings_may_hold_nul)
{
	struct lb_value *value;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(read_exact(&value, &arena, LB_B("\"a\\u0000b\""), NULL));
	CHECK(value->kind == LB_STRING && lb_bytes_eq(value->string, LB_B("a\0b")));
	lb_arena_release(&arena);
}

static bool is_number(const struct lb_value *value, double want)
{
	return value->kind == LB_NUMBER && memcmp(&value->number, &want, sizeof want) == 0;
}

TEST(json_large_numbers_become_doubles)
{
	struct lb_value *value;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(read_exact(&value, &arena,
	                    LB_B("[9007199254740993,1e308,123456789012345678901234567890]"), NULL));
	CHECK(is_number(value->items[0], 9007199254740992.0));
	CHECK(is_number(value->items[1], 1e308));
	CHECK(is_number(value->items[2], 123456789012345678901234567890.0));
	lb_arena_release(&arena);
	check_refused(t, LB_B("[1e400]"), LB_E_MALFORMED, 1,
	              "line 1, column 2: a number too large: '1e400'");
}

TEST(json_errors_name_the_place)
{
	check_refused(t, LB_B(""), LB_E_MALFORMED, 0,
	              "line 1, column 1: a JSON value expected, found nothing");
	check_refused(t, LB_B("{\"a\": 1,\n \"b\": }"), LB_E_MALFORMED, 15,
	              "line 2, column 7: a JSON value expected, found '}'");
	check_refused(t, LB_B("{\"a\": 1,\n \"\xc3\xa9\": x}"), LB_E_MALFORMED, 16,
	              "line 2, column 7: a JSON value expected, found 'x'");
	check_refused(t, LB_B("[1, 2"), LB_E_MALFORMED, 5,
	              "line 1, column 6: ',' or ']' expected, found nothing");
	check_refused(t, LB_B("[1] 2"), LB_E_MALFORMED, 4,
	              "line 1, column 5: the end expected, found '2'");
	check_refused(t, LB_B("{\"a\":1,\"a\":2}"), LB_E_MALFORMED, 7,
	              "line 1, column 8: duplicate key 'a'");
	check_refused(t, LB_B("[\"\xff\"]"), LB_E_MALFORMED, 2,
	              "line 1, column 3: byte 0xff is not UTF-8");
	check_refused(t, LB_B("[1\0]"), LB_E_MALFORMED, 2,
	              "line 1, column 3: control character 0x00");
	check_refused(t, LB_B("[\"a\0b\"]"), LB_E_MALFORMED, 3,
	              "line 1, column 4: control character 0x00");
}

TEST(json_strings_are_decoded_or_refused)
{
	check_same(t, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uD83D\\uDe00\"",
	           "\"\\\"\\\\/\\b\\f\\n\\r\\tA\xf0\x9f\x98\x80\"");
	check_refused(t, LB_B("[\"\\x\"]"), LB_E_MALFORMED, 3,
	              "line 1, column 4: one of \"\\/bfnrtu expected, found 'x'");
	check_refused(t, LB_B("\"\\u12g4\""), LB_E_MALFORMED, 3,
	              "line 1, column 4: four hexadecimal digits expected behind \\u");
	check_refused(t, LB_B("\"\\ud800\""), LB_E_MALFORMED, 1,
	              "line 1, column 2: half of a surrogate pair");
	check_refused(t, LB_B("\"\\udc00\\ud800\""), LB_E_MALFORMED, 1,
	              "line 1, column 2: half of a surrogate pair");
	check_refused(t, LB_B("\"a"), LB_E_MALFORMED, 2,
	              "line 1, column 3: '\"' expected, found nothing");
	check_refused(t, LB_B("\"\\"), LB_E_MALFORMED, 2,
	              "line 1, column 3: one of \"\\/bfnrtu expected, found nothing");
	check_refused(t, LB_B("{\"\\u0000\":1}"), LB_E_MALFORMED, 1,
	              "line 1, column 2: a key with \\u0000 in it");
}

TEST(json_numbers_are_those_of_the_standard)
{
	static const char *const wrong[] = { "01",  "-",  "1.",  ".5",  "1e",       "1e+", "+1",
		                             "0x1", "-a", "1_0", "NaN", "Infinity", "1a" };

	check_same(t, "[0,-0,1,-1,1.5,-2.25e-2,1E3,12345678901234567]",
	           "[0,0,1,-1,1.5,-0.0225,1000,12345678901234568]");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct lb_value *value;
		struct lb_arena arena;

		lb_arena_init(&arena, t->mem);
		CHECK(lb_code_of(read_exact(&value, &arena, lb_bytes_of(wrong[i]), NULL)) ==
		      LB_E_MALFORMED);
		lb_arena_release(&arena);
	}
}

TEST(json_depth_is_bounded)
{
	char text[2 * (LB_JSON_DEPTH_MAX + 1)];
	struct lb_value *value;
	struct lb_arena arena;

	memset(text, '[', LB_JSON_DEPTH_MAX + 1);
	memset(text + LB_JSON_DEPTH_MAX + 1, ']', LB_JSON_DEPTH_MAX + 1);
	lb_arena_init(&arena, t->mem);
	CHECK_OK(read_exact(&value, &arena,
	                    (struct lb_bytes){ (unsigned char *)text + 1, 2 * LB_JSON_DEPTH_MAX },
	                    NULL));
	lb_arena_release(&arena);
	check_refused(t, (struct lb_bytes){ (unsigned char *)text, sizeof text }, LB_E_LIMIT,
	              LB_JSON_DEPTH_MAX, "line 1, column 513: nested more than 512 deep");
	check_same(t, "[\"[[[{{\\\"[[\", 1]", "[\"[[[{{\\\"[[\",1]");
}

/* Among them a text that needs decoding and is longer than any first block. */
static const char sample[] =
	"{\"jobs\": [{\"id\": \"build\", \"needs\": [], \"n\": 17},"
	" {\"id\": \"t\\u00e9st "
	"\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\ ab\", "
	"\"needs\": [\"build\"], \"on\": true}]}";

TEST(json_refuses_every_truncation)
{
	for (size_t len = 0; len < sizeof sample - 1; len++) {
		struct lb_value *value;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = read_exact(&value, &arena, lb_bytes_upto(lb_bytes_of(sample), len), NULL);
		CHECK(lb_code_of(err) == LB_E_MALFORMED && lb_where(err) <= len && value == NULL);
		lb_arena_release(&arena);
	}
}

TEST(json_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_value *value;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = lb_json_read(&value, &arena, lb_bytes_of(sample), NULL);
		CHECK(lb_failed(err) == t->heap.failed && (value == NULL) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_arena_release(&arena);
	}
	CHECK(t->heap.calls == 0);
}

/* Objects change the way they are searched when they are large. */
TEST(json_members_are_found_and_added_whatever_their_number)
{
	for (unsigned count = 0; count < 100; count++) {
		struct lb_value *value;
		struct lb_arena arena;
		struct lb_buf text;
		char key[16];

		lb_buf_init(&text, t->mem, 1 << 20);
		lb_arena_init(&arena, t->mem);
		lb_buf_add_byte(&text, '{');
		for (unsigned i = 0; i < count; i++)
			lb_buf_addf(&text, "%s\"k%u\":%u", i == 0 ? "" : ",", i, i);
		lb_buf_add_byte(&text, '}');
		CHECK_OK(lb_json_read(&value, &arena, lb_buf_bytes(&text), NULL));
		for (unsigned i = count; i < count + 40; i++) {
			(void)snprintf(key, sizeof key, "k%u", i);
			CHECK(lb_value_get(value, key) == NULL);
			lb_value_set_number(&arena, value, key, i);
		}
		for (unsigned i = 0; i < count + 40; i++) {
			(void)snprintf(key, sizeof key, "k%u", i);
			CHECK((unsigned)lb_value_get_number(value, key) == i);
		}
		lb_arena_release(&arena);
		lb_buf_release(&text);
	}
}

/* A hundred thousand members take a moment, not a minute. */
TEST(json_large_objects_are_read_in_linear_time)
{
	struct lb_value *value;
	struct lb_arena arena;
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 1 << 24);
	lb_arena_init(&arena, t->mem);
	for (int i = 0; i < 100000; i++)
		lb_buf_addf(&text, "%c\"k%d\":%d", i == 0 ? '{' : ',', i, i);
	lb_buf_add_byte(&text, '}');
	CHECK_OK(lb_json_read(&value, &arena, lb_buf_bytes(&text), NULL));
	CHECK(value != NULL && value->count == 100000);
	CHECK(lb_bytes_is(value->members[99999].key, "k99999"));
	CHECK(lb_value_get(value, "k77777") != NULL);
	lb_arena_release(&arena);
	lb_buf_release(&text);
}
