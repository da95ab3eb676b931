/* number.c - see number.h. */
#include "engine/text/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- shapes ---- */

static int digit_of(unsigned char c, unsigned base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Cut digits off the front, underscores between them; false where there are none. */
static bool skip_digits(struct lb_bytes *word, unsigned base)
{
	size_t i = 0;

	while (i < word->len) {
		if (word->at[i] == '_' && i > 0 && word->at[i - 1] != '_')
			i++;
		else if (digit_of(word->at[i], base) >= 0)
			i++;
		else
			break;
	}
	if (i == 0 || word->at[i - 1] == '_')
		return false;
	*word = lb_bytes_from(*word, i);
	return true;
}

static bool skip_char(struct lb_bytes *word, char lower)
{
	if (word->len == 0 || (word->at[0] | 0x20) != (lower | 0x20))
		return false;
	*word = lb_bytes_from(*word, 1);
	return true;
}

static bool skip_sign(struct lb_bytes *word)
{
	if (word->len == 0 || (word->at[0] != '+' && word->at[0] != '-'))
		return false;
	*word = lb_bytes_from(*word, 1);
	return true;
}

static bool skip_hex_prefix(struct lb_bytes *word)
{
	if (!lb_bytes_starts(*word, LB_B("0x")))
		return false;
	*word = lb_bytes_from(*word, 2);
	return true;
}

static bool is_point(struct lb_bytes word) { return word.len > 0 && word.at[0] == '.'; }

static bool is_special(struct lb_bytes word)
{
	if (lb_bytes_is(word, "inf") || lb_bytes_is(word, "nan"))
		return true;
	if (!lb_bytes_starts(word, LB_B("nan:0x")))
		return false;
	word = lb_bytes_from(word, 6);
	return skip_digits(&word, 16) && word.len == 0;
}

enum engine_number_kind engine_number_kind(struct lb_bytes word)
{
	bool has_sign = skip_sign(&word);
	unsigned base;

	if (is_special(word))
		return ENGINE_NUMBER_FLOAT;
	base = skip_hex_prefix(&word) ? 16 : 10;
	if (!skip_digits(&word, base))
		return ENGINE_NUMBER_NONE;
	if (word.len == 0)
		return has_sign ? ENGINE_NUMBER_INT : ENGINE_NUMBER_NAT;
	if (is_point(word)) {
		word = lb_bytes_from(word, 1);
		if (word.len > 0 && digit_of(word.at[0], base) >= 0 && !skip_digits(&word, base))
			return ENGINE_NUMBER_NONE;
	}
	if (skip_char(&word, base == 16 ? 'p' : 'e')) {
		(void)skip_sign(&word);
		if (!skip_digits(&word, 10))
			return ENGINE_NUMBER_NONE;
	}
	return word.len == 0 ? ENGINE_NUMBER_FLOAT : ENGINE_NUMBER_NONE;
}

/* ---- whole numbers ---- */

bool engine_number_nat(uint64_t *out, struct lb_bytes word, uint64_t max)
{
	unsigned base = skip_hex_prefix(&word) ? 16 : 10;
	uint64_t value = 0;

	for (size_t i = 0; i < word.len; i++) {
		uint64_t digit;

		if (word.at[i] == '_')
			continue;
		digit = (uint64_t)digit_of(word.at[i], base);
		if (value > (max - digit) / base || digit > max)
			return false;
		value = value * base + digit;
	}
	*out = value;
	return true;
}

bool engine_number_int(uint64_t *out, struct lb_bytes word, unsigned bits)
{
	uint64_t all = ~(uint64_t)0 >> (64 - bits), value = 0;
	bool negative = word.at[0] == '-';

	(void)skip_sign(&word);
	if (!engine_number_nat(&value, word, negative ? all / 2 + 1 : all))
		return false;
	*out = (negative ? 0 - value : value) & all;
	return true;
}

/* ---- floats ---- */

struct format {
	unsigned precision; /* bits of a significand, the hidden one included */
	int ulp_min;        /* exponent of the smallest number */
	uint64_t infinity;
};

static const struct format single = { 24, -149, UINT64_C(0x7f800000) };
static const struct format twice = { 53, -1074, UINT64_C(0x7ff0000000000000) };

/* significand * 2^exponent, and a bit more where `rest`, to the nearest float's bits.
 * pre: the significand's top bit is set.  False where it is too large. */
static bool round_float(uint64_t *out, uint64_t significand, int exponent, bool rest,
                        const struct format *f)
{
	int ulp = exponent + 64 - (int)f->precision, shift;
	uint64_t kept, half, below;

	if (ulp < f->ulp_min)
		ulp = f->ulp_min;
	shift = ulp - exponent;
	if (shift > 64) {
		*out = 0; /* less than half of the smallest */
		return true;
	}
	kept = shift == 64 ? 0 : significand >> shift;
	half = (uint64_t)1 << (shift - 1);
	below = significand & (half * 2 - 1);
	if (below > half || (below == half && (rest || (kept & 1) != 0)))
		kept++;
	/* The hidden bit of `kept` adds one to the exponent's field, or two when it carried. */
	if (ulp - f->ulp_min > 4096)
		return false;
	*out = ((uint64_t)(ulp - f->ulp_min) << (f->precision - 1)) + kept;
	return *out < f->infinity;
}

enum { EXPONENT_FAR = 1 << 28 }; /* beyond all: texts have at most 2^30 bytes */

static int read_exponent(struct lb_bytes word)
{
	bool negative = word.len > 0 && word.at[0] == '-';
	int64_t value = 0;

	(void)skip_sign(&word);
	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] != '_' && value < EXPONENT_FAR)
			value = value * 10 + (int64_t)digit_of(word.at[i], 10);
	if (value > EXPONENT_FAR)
		value = EXPONENT_FAR;
	return negative ? -(int)value : (int)value;
}

static bool read_hex_float(uint64_t *out, struct lb_bytes word, const struct format *f)
{
	uint64_t significand = 0;
	bool rest = false, behind_point = false;
	int64_t exponent = 0;
	size_t i;

	for (i = 0; i < word.len && (word.at[i] | 0x20) != 'p'; i++) {
		unsigned digit;

		if (word.at[i] == '_')
			continue;
		if (word.at[i] == '.') {
			behind_point = true;
			continue;
		}
		digit = (unsigned)digit_of(word.at[i], 16);
		if (significand >> 60 == 0) {
			significand = significand << 4 | digit;
			exponent -= behind_point ? 4 : 0;
		} else {
			rest = rest || digit != 0;
			exponent += behind_point ? 0 : 4;
		}
	}
	exponent += read_exponent(lb_bytes_from(word, i + 1));
	*out = 0;
	if (significand == 0)
		return true;
	while (significand >> 63 == 0) {
		significand <<= 1;
		exponent--;
	}
	if (exponent > 5000)
		return false;
	return exponent < -5000 || round_float(out, significand, (int)exponent, rest, f);
}

/* 0.DIGITS * 10^point, exact but for `rest`: no halfway point between two floats has as many
 * digits as are kept. */
enum { DIGITS_MAX = 800, SHIFT_MAX = 60, SHIFT_DIGITS_MAX = 19 };

struct decimal {
	unsigned char digits[DIGITS_MAX + SHIFT_DIGITS_MAX];
	int count, point;
	bool rest;
};

static void trim(struct decimal *d)
{
	for (; d->count > DIGITS_MAX; d->count--)
		d->rest = d->rest || d->digits[d->count - 1] != 0;
	while (d->count > 0 && d->digits[d->count - 1] == 0)
		d->count--;
	if (d->count == 0)
		d->point = 0;
}

/* Multiply by 2^bits, digit by digit from the end. */
static void shift_left(struct decimal *d, unsigned bits)
{
	int to = d->count + SHIFT_DIGITS_MAX;
	uint64_t carry = 0;

	for (int from = d->count - 1; from >= 0; from--) {
		carry += (uint64_t)d->digits[from] << bits;
		d->digits[--to] = (unsigned char)(carry % 10);
		carry /= 10;
	}
	for (; carry > 0; carry /= 10)
		d->digits[--to] = (unsigned char)(carry % 10);
	d->point += SHIFT_DIGITS_MAX - to;
	d->count += SHIFT_DIGITS_MAX - to;
	memmove(d->digits, d->digits + to, (size_t)d->count);
	trim(d);
}

static void put_digit(struct decimal *d, int *to, unsigned digit)
{
	if (*to == 0 && digit == 0)
		d->point--;
	else if (*to < DIGITS_MAX)
		d->digits[(*to)++] = (unsigned char)digit;
	else
		d->rest = d->rest || digit != 0;
}

/* Divide by 2^bits, digit by digit from the front. */
static void shift_right(struct decimal *d, unsigned bits)
{
	uint64_t mask = ((uint64_t)1 << bits) - 1, left = 0;
	int from = 0, to = 0, count = d->count;

	for (; from < count; from++) {
		left = left * 10 + d->digits[from];
		put_digit(d, &to, (unsigned)(left >> bits));
		left &= mask;
	}
	for (; left > 0; left &= mask) {
		left *= 10;
		put_digit(d, &to, (unsigned)(left >> bits));
	}
	d->count = to;
	trim(d);
}

static void read_decimal(struct decimal *d, struct lb_bytes word)
{
	bool behind_point = false;
	int64_t point = 0;
	size_t i;

	*d = (struct decimal){ 0 };
	for (i = 0; i < word.len && (word.at[i] | 0x20) != 'e'; i++) {
		unsigned char digit;

		if (word.at[i] == '_')
			continue;
		if (word.at[i] == '.') {
			behind_point = true;
			continue;
		}
		digit = (unsigned char)digit_of(word.at[i], 10);
		if (d->count == 0 && digit == 0) {
			point -= behind_point;
			continue;
		}
		point += !behind_point;
		if (d->count < DIGITS_MAX)
			d->digits[d->count++] = digit;
		else
			d->rest = d->rest || digit != 0;
	}
	point += read_exponent(lb_bytes_from(word, i + 1));
	/* Far outside of all formats is far enough. */
	d->point = (int)(point > 5000 ? 5000 : point < -5000 ? -5000 : point);
}

/* How far to shift so that the point moves by about `digits`. */
static unsigned shift_for(int digits)
{
	static const unsigned char bits[] = { 1, 3, 6, 9, 13, 16, 19, 23, 26 };

	return digits < (int)sizeof bits ? bits[digits] : 27;
}

static bool read_decimal_float(uint64_t *out, struct lb_bytes word, const struct format *f)
{
	uint64_t significand = 0;
	struct decimal d;
	int exponent = 0;

	read_decimal(&d, word);
	*out = 0;
	if (d.count == 0 || d.point < -400)
		return true;
	if (d.point > 400)
		return false;
	while (d.point > 0) {
		unsigned bits = shift_for(d.point);

		shift_right(&d, bits);
		exponent += (int)bits;
	}
	while (d.point < 0 || d.digits[0] < 5) {
		unsigned bits = shift_for(-d.point);

		shift_left(&d, bits);
		exponent -= (int)bits;
	}
	/* A half or more and below one: 64 bits of it, with the top bit set. */
	shift_left(&d, SHIFT_MAX);
	shift_left(&d, 64 - SHIFT_MAX);
	for (int i = 0; i < d.point; i++)
		significand = significand * 10 + (i < d.count ? d.digits[i] : 0);
	return round_float(out, significand, exponent - 64, d.rest || d.count > d.point, f);
}

static bool read_nan(uint64_t *out, struct lb_bytes word, const struct format *f)
{
	uint64_t quiet = (uint64_t)1 << (f->precision - 2), payload = quiet;

	if (word.len > 3 && !engine_number_nat(&payload, lb_bytes_from(word, 4), quiet * 2 - 1))
		return false;
	*out = f->infinity | payload;
	return payload != 0;
}

bool engine_number_float(uint64_t *out, struct lb_bytes word, unsigned width)
{
	const struct format *f = width == 32 ? &single : &twice;
	uint64_t sign = word.at[0] == '-' ? (uint64_t)1 << (width - 1) : 0;
	bool fits = true;

	(void)skip_sign(&word);
	if (lb_bytes_is(word, "inf"))
		*out = f->infinity;
	else if (lb_bytes_starts(word, LB_B("nan")))
		fits = read_nan(out, word, f);
	else if (skip_hex_prefix(&word))
		fits = read_hex_float(out, word, f);
	else
		fits = read_decimal_float(out, word, f);
	*out |= sign;
	return fits;
}

/* ---- writing ---- */

static double value_of(uint64_t bits, unsigned width)
{
	uint32_t low = (uint32_t)bits;
	double value;
	float narrow;

	if (width == 64) {
		memcpy(&value, &bits, sizeof value);
		return value;
	}
	memcpy(&narrow, &low, sizeof narrow);
	return (double)narrow;
}

/* The C library writes the point as the locale has it, in one byte or more. */
static struct lb_bytes plain_point(char *text)
{
	size_t before = strspn(text, "0123456789+-e"), behind = before;

	behind += strcspn(text + before, "0123456789+-e");
	if (behind > before) {
		text[before] = '.';
		memmove(text + before + 1, text + behind, strlen(text + behind) + 1);
	}
	return lb_bytes_of(text);
}

void engine_number_add_float(struct lb_buf *out, uint64_t bits, unsigned width)
{
	const struct format *f = width == 32 ? &single : &twice;
	uint64_t sign = (uint64_t)1 << (width - 1), rest = bits & (sign - 1), back = 0;
	uint64_t payload = rest & ~f->infinity;
	int most = width == 32 ? 9 : 17;
	struct lb_bytes shown = { 0 };
	char text[64];

	if ((rest & f->infinity) == f->infinity) {
		lb_buf_add_text(out, (bits & sign) != 0 ? "-" : "");
		if (payload == 0)
			lb_buf_add_text(out, "inf");
		else if (payload == (uint64_t)1 << (f->precision - 2))
			lb_buf_add_text(out, "nan");
		else
			lb_buf_addf(out, "nan:0x%llx", (unsigned long long)payload);
		return;
	}
	for (int digits = 0; digits <= most; digits++) {
		double value = value_of(bits, width);

		/* Whole numbers as such while they are short. */
		if (digits == 0 && fabs(value) < 1e15)
			(void)snprintf(text, sizeof text, "%.0f", value);
		else
			(void)snprintf(text, sizeof text, "%.*g", digits, value);
		shown = plain_point(text);
		if (engine_number_float(&back, shown, width) && back == bits)
			break;
	}
	lb_buf_add(out, shown);
}
