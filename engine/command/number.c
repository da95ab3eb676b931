/* number.c - arguments and results of --invoke: numbers as people write them. */
#include "engine/command/command.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static lb_err not_a_number(struct lb_diag *diag, const char *text, engine_type type)
{
	return lb_fail(diag, LB_E_USAGE, "\"%s\" is no %s", text, engine_type_text(type));
}

/* Decimal or 0x...; signed or unsigned of that many bits. */
static bool read_integer(uint64_t *out, const char *text, unsigned bits)
{
	bool negative = text[0] == '-';
	uint64_t most = negative ? (uint64_t)1 << (bits - 1) : UINT64_MAX >> (64 - bits), value;
	const char *digits = text + negative;
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	char *end;

	/* strtoull takes blanks and signs, which have no place here. */
	if (digits[0] < '0' || digits[0] > '9')
		return false;
	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno != 0 || *end != '\0' || value > most)
		return false;
	*out = negative ? 0 - value : value;
	return true;
}

lb_err engine_command_value(union engine_value *out, const char *text, engine_type type,
                            struct lb_diag *diag)
{
	uint64_t bits = 0;
	bool good = true;
	char *end = NULL;

	*out = (union engine_value){ .i64 = 0 };
	switch (type) {
	case ENGINE_I32:
		good = read_integer(&bits, text, 32);
		out->i32 = (uint32_t)bits;
		break;
	case ENGINE_I64:
		good = read_integer(&bits, text, 64);
		out->i64 = bits;
		break;
	case ENGINE_F32:
		out->f32 = strtof(text, &end);
		good = end != text && *end == '\0';
		break;
	case ENGINE_F64:
		out->f64 = strtod(text, &end);
		good = end != text && *end == '\0';
		break;
	default:
		return lb_fail(diag, LB_E_UNSUPPORTED, "a %s cannot be given on a command line",
		               engine_type_text(type));
	}
	return good ? LB_OK : not_a_number(diag, text, type);
}

/* The shortest that reads back as the same. */
static void show_float(FILE *to, double number, bool is_single)
{
	char text[40];
	int most = is_single ? 9 : 17;

	for (int digits = is_single ? 6 : 15; digits <= most; digits++) {
		double back;

		(void)snprintf(text, sizeof text, "%.*g", digits, number);
		back = is_single ? (double)strtof(text, NULL) : strtod(text, NULL);
		if (memcmp(&back, &number, sizeof back) == 0)
			break;
	}
	(void)fprintf(to, "%s\n", text);
}

void engine_command_show_value(FILE *to, union engine_value value, engine_type type)
{
	switch (type) {
	case ENGINE_I32: (void)fprintf(to, "%" PRId32 "\n", (int32_t)value.i32); break;
	case ENGINE_I64: (void)fprintf(to, "%" PRId64 "\n", (int64_t)value.i64); break;
	case ENGINE_F32: show_float(to, (double)value.f32, true); break;
	case ENGINE_F64: show_float(to, value.f64, false); break;
	case ENGINE_FUNCREF:
		(void)fprintf(to, "%s\n", value.func == NULL ? "null" : "funcref");
		break;
	default: (void)fprintf(to, "%s\n", value.foreign == NULL ? "null" : "externref"); break;
	}
}
