/* target_test.c - request targets: paths, queries, escapes, and every cut of them. */
#include "base/http/target_priv.h"
#include "tests/harness/test.h"

static lb_err read_text(struct lb_http_target *out, struct lb_arena *arena, const char *text,
                        struct lb_diag *diag)
{
	struct lb_bytes exact = test_exact(lb_bytes_of(text));
	lb_err err = lb_http_target_read(out, arena, exact, diag);

	test_exact_free(exact); /* everything that is kept is in the arena */
	return err;
}

TEST(target_is_split_and_decoded)
{
	struct lb_http_target target;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(read_text(&target, &arena, "/a%20b/c?x=1+2&y&=z&&w=%26%3d", NULL));
	CHECK_TEXT(target.path, "/a%20b/c");
	CHECK_BYTES(target.query, "x=1+2&y&=z&&w=%26%3d");
	CHECK(target.pair_count == 4);
	CHECK_BYTES(target.pairs[0].name, "x");
	CHECK_BYTES(target.pairs[0].value, "1 2");
	CHECK_BYTES(target.pairs[1].name, "y");
	CHECK_BYTES(target.pairs[1].value, "");
	CHECK_BYTES(target.pairs[2].name, "");
	CHECK_BYTES(target.pairs[2].value, "z");
	CHECK_BYTES(target.pairs[3].value, "&=");
	CHECK_OK(read_text(&target, &arena, "HTTPS://host:80/p?q", NULL));
	CHECK_TEXT(target.path, "/p");
	CHECK_OK(read_text(&target, &arena, "http://host", NULL));
	CHECK_TEXT(target.path, "/");
	CHECK_OK(read_text(&target, &arena, "/?", NULL));
	CHECK(target.pair_count == 0);
	lb_arena_release(&arena);
}

TEST(target_that_is_malformed_is_refused)
{
	static const char *const cases[] = { "",       "x",      "*",       "?a",
		                             "/?%",    "/?%1",   "/?%g1",   "/?%00",
		                             "/?a=%0", "/?\x7f", "/?a=\x01" };
	struct lb_http_target target;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK(lb_code_of(read_text(&target, &arena, cases[i], &diag)) == LB_E_MALFORMED);
		CHECK(diag.text[0] != '\0' && target.path != NULL);
	}
	lb_arena_release(&arena);
}

TEST(path_is_decoded_with_plus_as_it_is)
{
	struct lb_bytes out;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(lb_http_decode(&out, &arena, LB_B("a+b%2Bc%2fd%FF"), false, NULL));
	CHECK_BYTES(out, "a+b+c/d\xff");
	CHECK_OK(lb_http_decode(&out, &arena, LB_B(""), false, NULL));
	CHECK(out.len == 0 && out.at != NULL);
	lb_arena_release(&arena);
}

TEST(target_limits_its_pairs)
{
	struct lb_http_target target;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;
	struct lb_buf text;

	for (int pairs = LB_HTTP_PAIRS_MAX; pairs <= LB_HTTP_PAIRS_MAX + 1; pairs++) {
		lb_arena_init(&arena, t->mem);
		lb_buf_init(&text, t->mem, 10000);
		lb_buf_add_text(&text, "/?a");
		for (int i = 1; i < pairs; i++)
			lb_buf_add_text(&text, "&a");
		CHECK(lb_code_of(read_text(&target, &arena, lb_buf_text(&text), &diag)) ==
		      (pairs > LB_HTTP_PAIRS_MAX ? LB_E_LIMIT : LB_E_NONE));
		lb_buf_release(&text);
		lb_arena_release(&arena);
	}
}

TEST(target_survives_every_cut_and_every_oom)
{
	static const char whole[] = "http://h/a%20b/c?x=%41&y=2&z";

	for (size_t len = 0; len < sizeof whole; len++) {
		char part[sizeof whole];

		memcpy(part, whole, len);
		part[len] = '\0';
		EACH_OOM (t) {
			struct lb_http_target target;
			struct lb_arena arena;
			lb_err err;

			lb_arena_init(&arena, t->mem);
			err = read_text(&target, &arena, part, NULL);
			CHECK(!t->heap.failed || lb_code_of(err) == LB_E_NOMEM);
			CHECK(t->heap.failed || !lb_failed(err) ||
			      lb_code_of(err) == LB_E_MALFORMED);
			lb_arena_release(&arena);
		}
	}
}
