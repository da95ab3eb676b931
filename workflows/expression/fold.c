/* fold.c - white space, and comparing text without regard to case, as GitHub does.
 *
 * GitHub compares UTF-16 code units after mapping each character to upper case by itself (no
 * language, no expansion).  Here the same order is had from code points.
 */
#include "workflows/expression/expr_priv.h"

#include "base/text.h"

struct upper_range {
	uint32_t first, last, step;
	int32_t distance;
};

/* Sorted by `first`; ranges do not overlap. */
static const struct upper_range upper_ranges[] = {
#define UPPER(first, last, step, distance) { first, last, step, distance },
#include "workflows/expression/upper.def"
#undef UPPER
};

enum { UPPER_RANGES = sizeof upper_ranges / sizeof upper_ranges[0] };

static uint32_t upper(uint32_t c)
{
	size_t low = 0, high = UPPER_RANGES;

	if (c < 0x80)
		return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c > upper_ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < UPPER_RANGES) {
		const struct upper_range *range = &upper_ranges[low];

		if (c >= range->first && (c - range->first) % range->step == 0)
			return (uint32_t)((int32_t)c + range->distance);
	}
	return c;
}

/* Surrogates sort below U+E000..U+FFFF. */
static uint32_t utf16_rank(uint32_t c) { return c >= 0xe000 && c < 0x10000 ? c + 0x110000 : c; }

static uint32_t next_folded(struct lb_bytes *text)
{
	unsigned char byte = text->at[0];

	if (byte < 0x80) {
		*text = lb_bytes_from(*text, 1);
		return upper(byte);
	}
	return upper(lb_utf8_next(text));
}

bool workflow_is_space(uint32_t c)
{
	return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

struct lb_bytes workflow_trim(struct lb_bytes text)
{
	size_t end = 0;
	struct lb_bytes rest;

	while (text.len > 0) {
		rest = text;
		if (!workflow_is_space(lb_utf8_next(&rest)))
			break;
		text = rest;
	}
	rest = text;
	while (rest.len > 0) {
		bool space = workflow_is_space(lb_utf8_next(&rest));

		if (!space)
			end = text.len - rest.len;
	}
	return lb_bytes_upto(text, end);
}

size_t workflow_utf16_length(struct lb_bytes text)
{
	size_t units = 0;

	while (text.len > 0)
		units += lb_utf8_next(&text) >= 0x10000 ? 2 : 1;
	return units;
}

int workflow_compare_fold(struct lb_bytes a, struct lb_bytes b)
{
	while (a.len > 0 && b.len > 0) {
		uint32_t x = next_folded(&a), y = next_folded(&b);

		if (x != y)
			return utf16_rank(x) < utf16_rank(y) ? -1 : 1;
	}
	return (a.len > 0) - (b.len > 0);
}

bool workflow_starts_fold(struct lb_bytes text, struct lb_bytes prefix)
{
	while (prefix.len > 0) {
		if (text.len == 0 || next_folded(&text) != next_folded(&prefix))
			return false;
	}
	return true;
}

/* Start at every character: the same letter may have another length in its other case. */
size_t workflow_find_fold(struct lb_bytes in, struct lb_bytes what)
{
	struct lb_bytes rest = in;

	for (;;) {
		if (workflow_starts_fold(rest, what))
			return in.len - rest.len;
		if (rest.len == 0)
			return SIZE_MAX;
		(void)lb_utf8_next(&rest);
	}
}

/* The Knuth-Morris-Pratt search.  back[i]: how many of the first letters stand again at the end of
 * the first i. */
static bool search(const uint32_t *letters, uint32_t *back, uint32_t count, struct lb_bytes in)
{
	uint32_t met = 0;

	for (uint32_t i = 1; i < count; i++) {
		while (met > 0 && letters[i] != letters[met])
			met = back[met];
		met += letters[i] == letters[met];
		back[i + 1] = met;
	}
	met = 0;
	while (in.len > 0) {
		uint32_t letter = next_folded(&in);

		while (met > 0 && letter != letters[met])
			met = back[met];
		met += letter == letters[met];
		if (met == count)
			return true;
	}
	return false;
}

lb_err workflow_contains_fold(bool *out, struct lb_mem *mem, struct lb_bytes in,
                              struct lb_bytes what)
{
	enum { SMALL = 1 << 16 }; /* not worth an allocation */
	uint32_t *letters, count = 0;
	size_t size = what.len + 1;

	if (what.len == 0 || what.len < SMALL / (in.len + 1)) {
		*out = workflow_find_fold(in, what) != SIZE_MAX;
		return LB_OK;
	}
	letters = LB_NEW(mem, uint32_t, 2 * size);
	if (letters == NULL)
		return lb_err_of(LB_E_NOMEM);
	while (what.len > 0)
		letters[count++] = next_folded(&what);
	*out = search(letters, letters + size, count, in);
	LB_DROP(mem, letters, 2 * size);
	return LB_OK;
}

bool workflow_ends_fold(struct lb_bytes text, struct lb_bytes suffix)
{
	size_t want = workflow_utf16_length(suffix);
	size_t have = workflow_utf16_length(text);

	while (have > want)
		have -= lb_utf8_next(&text) >= 0x10000 ? 2 : 1;
	return have == want && workflow_compare_fold(text, suffix) == 0;
}
