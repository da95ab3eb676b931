/* reader_test.c - LEB128, names and counts at their edges. */
#include "engine/binary/reader.h"

#include "tests/harness/test.h"

static struct engine_reader reader_of(struct lb_bytes bytes, struct lb_diag *diag)
{
	return (struct engine_reader){ .at = bytes.at,
		                       .end = bytes.at + bytes.len,
		                       .origin = bytes.at,
		                       .module_end = bytes.at + bytes.len,
		                       .end_text = "unexpected end",
		                       .diag = diag };
}

TEST(unsigned_numbers_have_one_value_and_a_longest_form)
{
	static const struct {
		struct lb_bytes bytes;
		uint32_t value;
		const char *text; /* of the failure */
	} cases[] = {
		{ LB_LIT("\x00"), 0, NULL },
		{ LB_LIT("\x7f"), 127, NULL },
		{ LB_LIT("\x80\x01"), 128, NULL },
		{ LB_LIT("\x80\x80\x80\x80\x00"), 0, NULL },
		{ LB_LIT("\xff\xff\xff\xff\x0f"), UINT32_MAX, NULL },
		{ LB_LIT("\xff\xff\xff\xff\x1f"), 0, "integer too large at byte 0x0" },
		{ LB_LIT("\x80\x80\x80\x80\x80\x00"), 0,
		  "integer representation too long at byte 0x0" },
		{ LB_LIT("\x80\x80"), 0, "unexpected end at byte 0x2" },
		{ LB_LIT(""), 0, "unexpected end at byte 0x0" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lb_bytes exact = test_exact(cases[i].bytes);
		struct lb_diag diag = { 0 };
		struct engine_reader r = reader_of(exact, &diag);
		uint32_t value = 0;
		lb_err err = engine_read_u32(&value, &r);

		if (cases[i].text == NULL) {
			CHECK_OK(err);
			CHECK(value == cases[i].value && r.at == r.end);
		} else {
			CHECK(lb_code_of(err) == LB_E_MALFORMED);
			CHECK_TEXT(diag.text, cases[i].text);
		}
		test_exact_free(exact);
	}
}

TEST(signed_numbers_agree_on_their_sign)
{
	static const struct {
		struct lb_bytes bytes;
		int64_t value;
		bool fails;
	} cases[] = {
		{ LB_LIT("\x7f"), -1, false },
		{ LB_LIT("\x40"), -64, false },
		{ LB_LIT("\xbf\x7f"), -65, false },
		{ LB_LIT("\x80\x80\x80\x80\x78"), INT32_MIN, false },
		{ LB_LIT("\xff\xff\xff\xff\x07"), INT32_MAX, false },
		{ LB_LIT("\x80\x80\x80\x80\x70"), 0, true },
		{ LB_LIT("\xff\xff\xff\xff\x0f"), 0, true },
	};
	struct engine_reader r;
	int64_t wide = 0;
	int32_t value = 0;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		r = reader_of(cases[i].bytes, NULL);
		if (cases[i].fails) {
			CHECK(lb_code_of(engine_read_s32(&value, &r)) == LB_E_MALFORMED);
		} else {
			CHECK_OK(engine_read_s32(&value, &r));
			CHECK(value == cases[i].value);
		}
	}
	r = reader_of(LB_B("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"), NULL);
	CHECK_OK(engine_read_s64(&wide, &r));
	CHECK(wide == INT64_MIN);
	r = reader_of(LB_B("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7e"), NULL);
	CHECK(lb_code_of(engine_read_s64(&wide, &r)) == LB_E_MALFORMED);
	r = reader_of(LB_B("\x80\x80\x80\x80\x70"), NULL);
	CHECK_OK(engine_read_s33(&wide, &r));
	CHECK(wide == -4294967296);
}

TEST(fixed_numbers_are_little_endian)
{
	struct engine_reader r = reader_of(LB_B("\x01\x02\x03\x04\x05\x06\x07\x08\x09"), NULL);
	uint64_t wide = 0;
	uint32_t value = 0;

	CHECK_OK(engine_read_fixed64(&wide, &r));
	CHECK(wide == UINT64_C(0x0807060504030201));
	CHECK(lb_code_of(engine_read_fixed32(&value, &r)) == LB_E_MALFORMED);
	CHECK(lb_where(engine_read_fixed32(&value, &r)) == 8);
}

TEST(names_are_utf8)
{
	static const struct {
		struct lb_bytes text;
		bool valid;
	} cases[] = {
		{ LB_LIT(""), true },
		{ LB_LIT("abc"), true },
		{ LB_LIT("\xc3\xa4"), true },
		{ LB_LIT("\xe2\x82\xac"), true },
		{ LB_LIT("\xf0\x9f\x98\x80"), true },
		{ LB_LIT("\xf4\x8f\xbf\xbf"), true },
		{ LB_LIT("\x80"), false },
		{ LB_LIT("\xc0\x80"), false },
		{ LB_LIT("\xc3"), false },
		{ LB_LIT("\xe0\x80\x80"), false },
		{ LB_LIT("\xed\xa0\x80"), false },
		{ LB_LIT("\xf0\x80\x80\x80"), false },
		{ LB_LIT("\xf4\x90\x80\x80"), false },
		{ LB_LIT("\xf5\x80\x80\x80"), false },
		{ LB_LIT("\xe2\x82\x28"), false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lb_bytes exact = test_exact(cases[i].text);

		CHECK(engine_utf8_valid(exact) == cases[i].valid);
		test_exact_free(exact);
	}
}

TEST(counts_are_bounded)
{
	struct lb_diag diag = { 0 };
	struct engine_reader r = reader_of(LB_B("\x03xxxxxx"), &diag);
	uint32_t count = 0;

	CHECK_OK(engine_read_count(&count, &r, 2, 10, "things"));
	r = reader_of(LB_B("\x03xxxxxx"), &diag);
	CHECK(lb_code_of(engine_read_count(&count, &r, 3, 10, "things")) == LB_E_MALFORMED);
	r = reader_of(LB_B("\x03xxxxxx"), &diag);
	CHECK(lb_code_of(engine_read_count(&count, &r, 1, 2, "things")) == LB_E_LIMIT);
	CHECK_TEXT(diag.text, "too many things: 3, the limit is 2 at byte 0x0");
}
