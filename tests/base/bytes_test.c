/* bytes_test.c - borrowed bytes: comparing, searching, splitting, numbers. */
#include "base/bytes.h"
#include "tests/harness/test.h"

TEST(bytes_compare_by_content_and_length)
{
	CHECK(lb_bytes_eq(LB_B("ab"), LB_B("ab")) && !lb_bytes_eq(LB_B("ab"), LB_B("abc")));
	CHECK(lb_bytes_eq_nocase(LB_B("aBz"), LB_B("AbZ")) &&
	      !lb_bytes_eq_nocase(LB_B("[a"), LB_B("{a")));
	CHECK(lb_bytes_cmp(LB_B("a"), LB_B("ab")) < 0 && lb_bytes_cmp(LB_B("b"), LB_B("ab")) > 0);
	CHECK(lb_bytes_eq_secret(LB_B("secret"), LB_B("secret")));
	CHECK(!lb_bytes_eq_secret(LB_B("secret"), LB_B("secreT")));
	CHECK(lb_bytes_starts(LB_B("abc"), LB_B("ab")) && !lb_bytes_starts(LB_B("a"), LB_B("ab")));
	CHECK(lb_bytes_ends(LB_B("abc"), LB_B("bc")) && !lb_bytes_ends(LB_B("c"), LB_B("bc")));
}

TEST(bytes_are_found_where_they_are)
{
	CHECK(lb_bytes_find(LB_B("aabaac"), LB_B("aac")) == 3);
	CHECK(lb_bytes_find(LB_B("aab"), LB_B("aabb")) == SIZE_MAX);
	CHECK(lb_bytes_find(LB_B("abc"), LB_B("c")) == 2 &&
	      lb_bytes_find(LB_B("abc"), LB_B("d")) == SIZE_MAX);
	CHECK(lb_bytes_find(LB_B(""), LB_B("")) == 0);
	CHECK(lb_bytes_find_byte(LB_B("a/b/c"), '/') == 1 &&
	      lb_bytes_rfind_byte(LB_B("a/b/c"), '/') == 3);
}

TEST(bytes_split_gives_every_part)
{
	static const char *const want[] = { "a", "", "b", "" };
	struct lb_bytes rest = LB_LIT("a,,b,"), part;
	size_t count = 0;

	while (lb_bytes_split(&part, &rest, ',')) {
		CHECK(count < 4 && lb_bytes_is(part, want[count]));
		count++;
	}
	CHECK(count == 4);
	rest = (struct lb_bytes){ 0 };
	CHECK(lb_bytes_split(&part, &rest, ',') && part.len == 0);
	CHECK(!lb_bytes_split(&part, &rest, ','));
}

TEST(bytes_numbers_refuse_what_is_not_one)
{
	uint64_t value;

	CHECK_OK(lb_bytes_u64(&value, LB_B("18446744073709551615"), UINT64_MAX));
	CHECK(value == UINT64_MAX);
	CHECK(lb_code_of(lb_bytes_u64(&value, LB_B("18446744073709551616"), UINT64_MAX)) ==
	      LB_E_RANGE);
	CHECK(lb_code_of(lb_bytes_u64(&value, LB_B("256"), 255)) == LB_E_RANGE);
	CHECK(lb_code_of(lb_bytes_u64(&value, LB_B(""), 9)) == LB_E_MALFORMED);
	CHECK(lb_code_of(lb_bytes_u64(&value, LB_B("1x"), 9)) == LB_E_MALFORMED);
	CHECK(lb_code_of(lb_bytes_u64(&value, LB_B("-1"), 9)) == LB_E_MALFORMED);
}
