/* text_test.c - encodings and notations: RFC vectors, malformed input, memory running out. */
#include "base/text.h"
#include "tests/harness/test.h"

#include <locale.h>
#include <math.h>

static struct lb_buf buf_of(struct test *t)
{
	struct lb_buf buf;

	lb_buf_init(&buf, t->mem, 1 << 16);
	return buf;
}

TEST(utf8_accepts_what_rfc_3629_does)
{
	static const char *const good[] = { "",
		                            "plain",
		                            "\xc2\x80",
		                            "\xdf\xbf",
		                            "\xe0\xa0\x80",
		                            "\xed\x9f\xbf",
		                            "\xee\x80\x80",
		                            "\xef\xbf\xbf",
		                            "\xf0\x90\x80\x80",
		                            "\xf4\x8f\xbf\xbf",
		                            "12345678\xc3\xa9" };
	static const struct {
		const char *text;
		size_t at;
	} bad[] = {
		{ "\x80", 0 },
		{ "ab\xbf", 2 },
		{ "\xc0\x80", 0 },         /* overlong */
		{ "\xc1\xbf", 0 },         /* overlong */
		{ "\xe0\x9f\xbf", 0 },     /* overlong */
		{ "\xf0\x8f\xbf\xbf", 0 }, /* overlong */
		{ "\xed\xa0\x80", 0 },     /* surrogate */
		{ "\xf4\x90\x80\x80", 0 }, /* past U+10FFFF */
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 },
		{ "12345678\xc3", 8 },
		{ "123456789012\xe2\x82", 12 },
		{ "\xe2\x82\xac\xe2(", 3 },
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct lb_bytes exact = test_exact(lb_bytes_of(good[i]));

		CHECK(lb_utf8_check(exact) == SIZE_MAX);
		test_exact_free(exact);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct lb_bytes exact = test_exact(lb_bytes_of(bad[i].text));

		CHECK(lb_utf8_check(exact) == bad[i].at);
		test_exact_free(exact);
	}
}

TEST(utf8_round_trips_every_code_point)
{
	struct lb_buf buf = buf_of(t);
	size_t wrong = 0;

	for (uint32_t c = 0; c <= 0x110000; c++) {
		uint32_t want = c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0xfffd : c;
		struct lb_bytes rest;

		lb_buf_reset(&buf);
		lb_utf8_add(&buf, c);
		rest = lb_buf_bytes(&buf);
		wrong += lb_utf8_check(rest) != SIZE_MAX || lb_utf8_next(&rest) != want ||
		         rest.len != 0;
	}
	CHECK(wrong == 0);
	lb_buf_release(&buf);
}

TEST(utf8_next_steps_one_byte_over_what_is_malformed)
{
	struct lb_bytes rest = LB_LIT("\xe2\x82z");

	CHECK(lb_utf8_next(&rest) == 0xfffd && rest.len == 2);
	CHECK(lb_utf8_next(&rest) == 0xfffd && rest.len == 1);
	CHECK(lb_utf8_next(&rest) == 'z' && rest.len == 0);
}

TEST(hex_reads_what_it_writes_and_no_other_length)
{
	struct lb_buf buf = buf_of(t);
	unsigned char bytes[3] = { 0 };

	lb_hex_add(&buf, LB_B("\x00\x9f\xff"));
	CHECK_TEXT(lb_buf_text(&buf), "009fff");
	CHECK_OK(lb_hex_read(bytes, 3, LB_B("009fFF")));
	CHECK(bytes[0] == 0 && bytes[1] == 0x9f && bytes[2] == 0xff);
	CHECK(lb_where(lb_hex_read(bytes, 3, LB_B("00g0ff"))) == 2);
	CHECK(lb_code_of(lb_hex_read(bytes, 3, LB_B("009f"))) == LB_E_MALFORMED);
	CHECK(lb_code_of(lb_hex_read(bytes, 3, LB_B("009ff"))) == LB_E_MALFORMED);
	CHECK(lb_code_of(lb_hex_read(bytes, 3, LB_B("009fff00"))) == LB_E_MALFORMED);
	CHECK(lb_hex_is(LB_B("09af"), 4) && !lb_hex_is(LB_B("09aF"), 4));
	CHECK(!lb_hex_is(LB_B("09a"), 4) && !lb_hex_is(LB_B("09ag"), 4));
	lb_buf_release(&buf);
}

TEST(base64_passes_the_vectors_of_rfc_4648)
{
	static const char *const plain[] = { "", "f", "fo", "foo", "foob", "fooba", "foobar" };
	static const char *const coded[] = { "",         "Zg==",     "Zm8=",    "Zm9v",
		                             "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };

	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		struct lb_bytes exact = test_exact(lb_bytes_of(coded[i]));
		struct lb_buf buf = buf_of(t);

		lb_base64_add(&buf, lb_bytes_of(plain[i]));
		CHECK_TEXT(lb_buf_text(&buf), coded[i]);
		lb_buf_reset(&buf);
		CHECK_OK(lb_base64_read(&buf, exact));
		CHECK_TEXT(lb_buf_text(&buf), plain[i]);
		lb_buf_release(&buf);
		test_exact_free(exact);
	}
}

TEST(base64url_has_its_alphabet_and_no_padding)
{
	struct lb_buf buf = buf_of(t);

	lb_base64url_add(&buf, LB_B("\xfb\xff\xfe\xff"));
	CHECK_TEXT(lb_buf_text(&buf), "-__-_w");
	lb_buf_reset(&buf);
	lb_base64_add(&buf, LB_B("\xfb\xff\xfe\xff"));
	CHECK_TEXT(lb_buf_text(&buf), "+//+/w==");
	lb_buf_reset(&buf);
	CHECK_OK(lb_base64url_read(&buf, LB_B("-__-_w")));
	CHECK_TEXT(lb_buf_text(&buf), "\xfb\xff\xfe\xff");
	CHECK(lb_failed(lb_base64url_read(&buf, LB_B("-__-_w=="))));
	CHECK(lb_failed(lb_base64url_read(&buf, LB_B("+//+"))));
	lb_buf_release(&buf);
}

TEST(base64_refuses_every_other_notation)
{
	static const struct {
		const char *text;
		size_t at;
	} bad[] = {
		{ "Z", 0 },          { "Zg", 2 },
		{ "Zg=", 3 },        { "Zh==", 1 }, /* stray bits */
		{ "Zm9=", 2 },       { "Zg===", 2 },
		{ "====", 0 },       { "Zm9v=", 5 },
		{ "Zm9vZg==Zg", 6 }, { "Zm 9", 2 },
		{ "Zm9v\n", 4 },     { "Zm-_", 2 },
		{ "Zm9v====", 4 },   { "Zm9vZm9vZ=g=", 9 },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct lb_buf buf = buf_of(t);
		lb_err err;

		lb_buf_add_text(&buf, "kept");
		err = lb_base64_read(&buf, lb_bytes_of(bad[i].text));
		if (lb_code_of(err) != LB_E_MALFORMED || lb_where(err) != bad[i].at)
			printf("# %s at %zu\n", bad[i].text, (size_t)lb_where(err));
		CHECK(lb_code_of(err) == LB_E_MALFORMED && lb_where(err) == bad[i].at);
		CHECK_TEXT(lb_buf_text(&buf), "kept");
		lb_buf_release(&buf);
	}
}

TEST(base64_and_hex_round_trip_random_bytes)
{
	struct lb_buf coded = buf_of(t), back = buf_of(t);

	for (size_t len = 0; len < 70; len++) {
		unsigned char bytes[70], again[70];
		struct lb_bytes in = { bytes, len };

		for (size_t i = 0; i < len; i++)
			bytes[i] = (unsigned char)test_random(t);
		lb_buf_reset(&coded);
		lb_buf_reset(&back);
		lb_base64url_add(&coded, in);
		CHECK_OK(lb_base64url_read(&back, lb_buf_bytes(&coded)));
		CHECK(lb_bytes_eq(lb_buf_bytes(&back), in));
		lb_buf_reset(&coded);
		lb_hex_add(&coded, in);
		CHECK_OK(lb_hex_read(again, len, lb_buf_bytes(&coded)));
		CHECK(lb_bytes_eq((struct lb_bytes){ again, len }, in));
	}
	lb_buf_release(&coded);
	lb_buf_release(&back);
}

TEST(url_escapes_and_reads)
{
	struct lb_buf buf = buf_of(t);

	lb_url_add(&buf, LB_B("a b/\xc3\xa9~-._+%\0"), "/");
	CHECK_TEXT(lb_buf_text(&buf), "a%20b/%C3%A9~-._%2B%25%00");
	lb_buf_reset(&buf);
	lb_url_add(&buf, LB_B("a/b"), NULL);
	CHECK_TEXT(lb_buf_text(&buf), "a%2Fb");
	lb_buf_reset(&buf);
	CHECK_OK(lb_url_read(&buf, LB_B("a%2fb+%C3%A9")));
	CHECK_TEXT(lb_buf_text(&buf), "a/b+\xc3\xa9");
	CHECK(lb_where(lb_url_read(&buf, LB_B("ok%4"))) == 2);
	CHECK(lb_where(lb_url_read(&buf, LB_B("okk%"))) == 3);
	CHECK(lb_where(lb_url_read(&buf, LB_B("%zz"))) == 0);
	CHECK(lb_where(lb_url_read(&buf, LB_B("%20%2g"))) == 3);
	CHECK_TEXT(lb_buf_text(&buf), "a/b+\xc3\xa9");
	lb_buf_release(&buf);
}

TEST(html_leaves_no_way_out_of_an_attribute)
{
	struct lb_buf buf = buf_of(t);

	lb_html_add(&buf, LB_B("<a href=\"x\">'&'</a> plain"));
	CHECK_TEXT(lb_buf_text(&buf),
	           "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt; plain");
	lb_buf_release(&buf);
}

TEST(json_strings_are_escaped_and_well_formed)
{
	struct lb_buf buf = buf_of(t);

	lb_json_string_add(&buf, LB_B("q\" b\\ \b\f\n\r\t \x01\x1f \x7f \xc3\xa9 \xff/\0z"));
	CHECK_TEXT(lb_buf_text(&buf), "\"q\\\" b\\\\ \\b\\f\\n\\r\\t \\u0001\\u001f \x7f \xc3\xa9 "
	                              "\xef\xbf\xbd/\\u0000z\"");
	lb_buf_reset(&buf);
	lb_json_string_add(&buf, (struct lb_bytes){ 0 });
	CHECK_TEXT(lb_buf_text(&buf), "\"\"");
	lb_buf_release(&buf);
}

static void check_number(struct test *t, double number, const char *want)
{
	struct lb_buf buf = buf_of(t);

	lb_number_add(&buf, number);
	CHECK_TEXT(lb_buf_text(&buf), want);
	lb_buf_release(&buf);
}

TEST(numbers_are_short_and_exact)
{
	check_number(t, 0, "0");
	check_number(t, -0.0, "0");
	check_number(t, 1e15, "1000000000000000");
	check_number(t, 9007199254740992.0, "9007199254740992");
	check_number(t, -12, "-12");
	check_number(t, 0.1, "0.1");
	check_number(t, 0.1 + 0.2, "0.30000000000000004");
	check_number(t, 1.0 / 3, "0.3333333333333333");
	check_number(t, 1e300, "1e+300");
	check_number(t, 5e-324, "4.94065645841247e-324");
	check_number(t, (double)NAN, "NaN");
	check_number(t, -(double)INFINITY, "-Infinity");
	check_number(t, (double)INFINITY, "Infinity");
}

TEST(numbers_do_not_depend_on_the_locale)
{
	if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL &&
	    setlocale(LC_NUMERIC, "fr_FR.UTF-8") == NULL)
		SKIP("no locale with a decimal comma here");
	check_number(t, -2.5e-9, "-2.5e-09");
	(void)setlocale(LC_NUMERIC, "C");
}

TEST(times_are_rfc_3339)
{
	static const uint64_t s = 1000000000;
	char out[LB_TIME_SIZE];

	CHECK_TEXT(lb_time_text(out, 0, 0), "1970-01-01T00:00:00Z");
	CHECK_TEXT(lb_time_text(out, 951782399 * s + 123456789, 3), "2000-02-28T23:59:59.123Z");
	CHECK_TEXT(lb_time_text(out, 951782400 * s, 0), "2000-02-29T00:00:00Z");
	CHECK_TEXT(lb_time_text(out, 951868800 * s + 5, 9), "2000-03-01T00:00:00.000000005Z");
	CHECK_TEXT(lb_time_text(out, 1798761599 * s, 1), "2026-12-31T23:59:59.0Z");
	CHECK_TEXT(lb_time_text(out, 4107542400 * s, 0), "2100-03-01T00:00:00Z");
	CHECK_TEXT(lb_time_text(out, UINT64_MAX, 12), "2554-07-21T23:34:33.709551615Z");
}

TEST(durations_are_readable)
{
	static const uint64_t ms = 1000000;
	char out[LB_TIME_SIZE];

	CHECK_TEXT(lb_duration_text(out, 0), "0 ms");
	CHECK_TEXT(lb_duration_text(out, 999 * ms + 999999), "999 ms");
	CHECK_TEXT(lb_duration_text(out, 4250 * ms), "4.2 s");
	CHECK_TEXT(lb_duration_text(out, 59999 * ms), "59.9 s");
	CHECK_TEXT(lb_duration_text(out, 185000 * ms), "3m 05s");
	CHECK_TEXT(lb_duration_text(out, 8040000 * ms), "2h 14m");
	CHECK_TEXT(lb_duration_text(out, UINT64_MAX), "5124095h 34m");
}

TEST(text_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_buf buf = buf_of(t);
		lb_err err;

		for (int i = 0; i < 40; i++) {
			lb_hex_add(&buf, LB_B("abc"));
			lb_base64_add(&buf, LB_B("abc"));
			lb_url_add(&buf, LB_B("a b"), "");
			lb_html_add(&buf, LB_B("a<b"));
			lb_json_string_add(&buf, LB_B("a\nb"));
			lb_number_add(&buf, 0.5);
			lb_utf8_add(&buf, 0x20ac);
		}
		err = lb_base64_read(&buf, LB_B("Zm9v"));
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(lb_code_of(err) == (t->heap.failed ? LB_E_NOMEM : LB_E_NONE));
		CHECK(lb_failed(lb_url_read(&buf, LB_B("abc"))) == t->heap.failed);
		lb_buf_release(&buf);
	}
}

TEST(readers_stop_at_the_maximum)
{
	struct lb_buf buf;

	lb_buf_init(&buf, t->mem, 4);
	CHECK(lb_code_of(lb_base64_read(&buf, LB_B("Zm9vYmFy"))) == LB_E_LIMIT);
	lb_buf_reset(&buf);
	CHECK(lb_code_of(lb_url_read(&buf, LB_B("abcdef"))) == LB_E_LIMIT);
	lb_buf_reset(&buf);
	lb_hex_add(&buf, LB_B("abc"));
	CHECK(lb_code_of(lb_buf_check(&buf)) == LB_E_LIMIT);
	lb_buf_release(&buf);
}
