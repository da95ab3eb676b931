/* number_test.c - the text format's literals. */
#include "engine/text/number.h"
#include "tests/harness/test.h"

#include <stdlib.h>

static enum engine_number_kind kind(const char *text)
{
	return engine_number_kind(lb_bytes_of(text));
}

TEST(words_are_numbers_or_not)
{
	static const char *const nats[] = { "0", "10", "1_000", "0xff", "0xF_f", "007" };
	static const char *const ints[] = { "+0", "-1", "-0x8000_0000", "+1_0" };
	static const char *const floats[] = {
		"1.",  "1.5",  "-1e9", "1E+1_0",   "0x1.8p-3", "0x1.",
		"inf", "-inf", "nan",  "+nan:0x1", "0x1p1",    "1.e3"
	};
	static const char *const none[] = { "",      "_1",     "1_",    "1__0",   "0x",   "0x_1",
		                            "+",     ".5",     "1._5",  "1.5_",   "1e",   "1e+",
		                            "0x1.p", "0x1p_1", "nan:1", "nan:0x", "infx", "1.5.5",
		                            "0xg",   "1e1.5",  "--1" };

	for (size_t i = 0; i < sizeof nats / sizeof nats[0]; i++)
		CHECK(kind(nats[i]) == ENGINE_NUMBER_NAT);
	for (size_t i = 0; i < sizeof ints / sizeof ints[0]; i++)
		CHECK(kind(ints[i]) == ENGINE_NUMBER_INT);
	for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++)
		CHECK(kind(floats[i]) == ENGINE_NUMBER_FLOAT);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		CHECK(kind(none[i]) == ENGINE_NUMBER_NONE);
}

TEST(integers_have_the_range_of_both_signs)
{
	uint64_t value = 7;

	CHECK(engine_number_int(&value, LB_B("4294967295"), 32) && value == UINT32_MAX);
	CHECK(engine_number_int(&value, LB_B("-2147483648"), 32) && value == 0x80000000);
	CHECK(engine_number_int(&value, LB_B("-1"), 8) && value == 0xff);
	CHECK(!engine_number_int(&value, LB_B("4294967296"), 32));
	CHECK(!engine_number_int(&value, LB_B("-2147483649"), 32));
	CHECK(engine_number_int(&value, LB_B("0xffffffffffffffff"), 64) && value == UINT64_MAX);
	CHECK(!engine_number_int(&value, LB_B("0x10000000000000000"), 64));
	CHECK(!engine_number_int(&value, LB_B("99999999999999999999999999"), 64));
	CHECK(engine_number_int(&value, LB_B("-9223372036854775808"), 64) &&
	      value == (uint64_t)INT64_MIN);
	CHECK(!engine_number_nat(&value, LB_B("256"), 255));
	CHECK(engine_number_nat(&value, LB_B("255"), 255) && value == 255);
}

static uint64_t bits_of(struct test *t, const char *text, unsigned width)
{
	uint64_t bits = 0;

	CHECK(engine_number_float(&bits, lb_bytes_of(text), width));
	return bits;
}

TEST(floats_at_the_edges)
{
	uint64_t bits;

	CHECK(bits_of(t, "0x1p-149", 32) == 1);
	CHECK(bits_of(t, "0x0.8p-149", 32) == 0); /* a tie, to even */
	CHECK(bits_of(t, "0x0.8000001p-149", 32) == 1);
	CHECK(bits_of(t, "0x1.fffffep127", 32) == 0x7f7fffff);
	CHECK(!engine_number_float(&bits, LB_B("0x1.ffffffp127"), 32));
	CHECK(bits_of(t, "0x1.fffffefffffffffffffp127", 32) == 0x7f7fffff);
	CHECK(bits_of(t, "340282356779733661637539395458142568447.9999", 32) == 0x7f7fffff);
	CHECK(!engine_number_float(&bits, LB_B("340282356779733661637539395458142568448"), 32));
	CHECK(bits_of(t, "16777217", 32) == 0x4b800000);
	CHECK(bits_of(t, "16777217.0000000000000000000000000000000001", 32) == 0x4b800001);
	CHECK(bits_of(t, "-0", 64) == UINT64_C(1) << 63);
	CHECK(bits_of(t, "4.9406564584124654e-324", 64) == 1);
	CHECK(bits_of(t, "1e-999999999999", 64) == 0);
	CHECK(!engine_number_float(&bits, LB_B("1e999999999999"), 64));
	CHECK(bits_of(t, "0e999999999999", 64) == 0);
	CHECK(bits_of(t, "0x0p99999999999", 64) == 0);
	CHECK(bits_of(t, "inf", 32) == 0x7f800000);
	CHECK(bits_of(t, "-nan", 32) == 0xffc00000);
	CHECK(bits_of(t, "nan:0x1", 64) == UINT64_C(0x7ff0000000000001));
	CHECK(!engine_number_float(&bits, LB_B("nan:0x0"), 64));
	CHECK(!engine_number_float(&bits, LB_B("nan:0x800000"), 32));
}

/* The C library rounds rightly, and the tests' locale is "C". */
TEST(floats_as_the_c_library_reads_them)
{
	for (int i = 0; i < 20000; i++) {
		char text[64];
		double want;
		float narrow;
		uint64_t bits = 0, want_bits;
		uint32_t narrow_bits;

		(void)snprintf(text, sizeof text, "%llu.%llue%d",
		               (unsigned long long)(test_random(t) >> (test_random(t) % 64)),
		               (unsigned long long)(test_random(t) >> (test_random(t) % 64)),
		               (int)(test_random(t) % 700) - 350);
		want = strtod(text, NULL);
		narrow = strtof(text, NULL);
		memcpy(&want_bits, &want, sizeof want);
		memcpy(&narrow_bits, &narrow, sizeof narrow);
		if (engine_number_float(&bits, lb_bytes_of(text), 64))
			CHECK(bits == want_bits);
		else
			CHECK(want_bits == UINT64_C(0x7ff0000000000000));
		if (engine_number_float(&bits, lb_bytes_of(text), 32))
			CHECK(bits == narrow_bits);
		else
			CHECK(narrow_bits == 0x7f800000);
	}
}

static void check_back(struct test *t, uint64_t bits, unsigned width)
{
	uint64_t back = 0;
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 100);
	engine_number_add_float(&text, bits, width);
	CHECK(engine_number_kind(lb_buf_bytes(&text)) != ENGINE_NUMBER_NONE);
	CHECK(engine_number_float(&back, lb_buf_bytes(&text), width) && back == bits);
	lb_buf_release(&text);
}

TEST(floats_there_and_back)
{
	static const uint64_t edges[] = { 0,          1,          0x7f7fffff,
		                          0x7f800000, 0x7fc00000, 0x7f800001,
		                          0x80000000, 0xff800000, 0xffffffff };

	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
		check_back(t, edges[i], 32);
	for (int i = 0; i < 2000; i++) {
		check_back(t, test_random(t) & UINT32_MAX, 32);
		check_back(t, test_random(t), 64);
	}
}
