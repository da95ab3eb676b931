/* number.c - numbers of the expression language: reading text, printing. */
#include "workflows/expression/expr_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Digits beyond this many cannot change which double is nearest by more than a unit. */
enum { DECIMAL_BYTES_MAX = 1100 };

static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

static size_t digits(struct lb_bytes text, size_t at)
{
	size_t start = at;

	while (at < text.len && is_digit(text.at[at]))
		at++;
	return at - start;
}

/* [+-] digits [. digits] [e [+-] digits], digits on one side of the point at least. */
static bool is_decimal(struct lb_bytes text)
{
	size_t at = 0, whole, fraction = 0;

	if (at < text.len && (text.at[at] == '+' || text.at[at] == '-'))
		at++;
	whole = digits(text, at);
	at += whole;
	if (at < text.len && text.at[at] == '.') {
		fraction = digits(text, ++at);
		at += fraction;
	}
	if (whole + fraction == 0)
		return false;
	if (at < text.len && (text.at[at] == 'e' || text.at[at] == 'E')) {
		size_t exponent;

		at++;
		if (at < text.len && (text.at[at] == '+' || text.at[at] == '-'))
			at++;
		exponent = digits(text, at);
		if (exponent == 0)
			return false;
		at += exponent;
	}
	return at == text.len;
}

static double read_decimal(struct lb_bytes text)
{
	char copy[DECIMAL_BYTES_MAX + 1];

	if (text.len > DECIMAL_BYTES_MAX)
		return (double)NAN;
	memcpy(copy, text.at, text.len);
	copy[text.len] = 0;
	return strtod(copy, NULL);
}

static int digit_value(unsigned char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* 0xff and 0o17: 32 bits in two's complement, NaN beyond. */
static double read_radix(struct lb_bytes text, int radix)
{
	uint64_t number = 0;

	for (size_t i = 2; i < text.len; i++) {
		int digit = digit_value(text.at[i]);

		if (digit >= radix)
			return (double)NAN;
		number = number * (uint64_t)radix + (uint64_t)digit;
		if (number > UINT32_MAX)
			return (double)NAN;
	}
	return (double)(int32_t)(uint32_t)number;
}

double workflow_parse_number(struct lb_bytes text)
{
	text = workflow_trim(text);
	if (text.len == 0)
		return 0;
	if (is_decimal(text))
		return read_decimal(text);
	if (text.len > 2 && text.at[0] == '0' && text.at[1] == 'x')
		return read_radix(text, 16);
	if (text.len > 2 && text.at[0] == '0' && text.at[1] == 'o')
		return read_radix(text, 8);
	if (lb_bytes_is(text, "Infinity") || lb_bytes_is(text, "+Infinity"))
		return (double)INFINITY;
	if (lb_bytes_is(text, "-Infinity"))
		return -(double)INFINITY;
	return (double)NAN;
}

size_t workflow_number_text(char out[WORKFLOW_NUMBER_SIZE], double number)
{
	int len;

	if (isnan(number))
		len = snprintf(out, WORKFLOW_NUMBER_SIZE, "NaN");
	else if (isinf(number))
		len = snprintf(out, WORKFLOW_NUMBER_SIZE, "%sInfinity", number < 0 ? "-" : "");
	else
		len = snprintf(out, WORKFLOW_NUMBER_SIZE, "%.15G",
		               fpclassify(number) == FP_ZERO ? 0.0 : number);
	assert(len > 0 && len < WORKFLOW_NUMBER_SIZE);
	return (size_t)len;
}
