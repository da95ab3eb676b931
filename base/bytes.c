/* bytes.c - see bytes.h. */
#include "base/bytes.h"

bool lb_bytes_eq(struct lb_bytes a, struct lb_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool lb_bytes_is(struct lb_bytes a, const char *text) { return lb_bytes_eq(a, lb_bytes_of(text)); }

static unsigned char lower(unsigned char c) { return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c; }

bool lb_bytes_eq_nocase(struct lb_bytes a, struct lb_bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	}
	return true;
}

int lb_bytes_cmp(struct lb_bytes a, struct lb_bytes b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int order = least > 0 ? memcmp(a.at, b.at, least) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool lb_bytes_starts(struct lb_bytes a, struct lb_bytes prefix)
{
	return a.len >= prefix.len && lb_bytes_eq(lb_bytes_upto(a, prefix.len), prefix);
}

bool lb_bytes_ends(struct lb_bytes a, struct lb_bytes suffix)
{
	return a.len >= suffix.len && lb_bytes_eq(lb_bytes_from(a, a.len - suffix.len), suffix);
}

bool lb_bytes_eq_secret(struct lb_bytes a, struct lb_bytes b)
{
	unsigned char differs = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		differs |= a.at[i] ^ b.at[i];
	return differs == 0;
}

size_t lb_bytes_find(struct lb_bytes in, struct lb_bytes what)
{
	size_t at = 0;

	if (what.len == 0)
		return 0;
	while (what.len <= in.len - at) {
		struct lb_bytes rest = { in.at + at, in.len - at - what.len + 1 };
		size_t hit = lb_bytes_find_byte(rest, what.at[0]);

		if (hit == SIZE_MAX)
			return SIZE_MAX;
		if (memcmp(rest.at + hit, what.at, what.len) == 0)
			return at + hit;
		at += hit + 1;
	}
	return SIZE_MAX;
}

size_t lb_bytes_find_byte(struct lb_bytes in, unsigned char what)
{
	const unsigned char *hit = in.len > 0 ? memchr(in.at, what, in.len) : NULL;

	return hit != NULL ? (size_t)(hit - in.at) : SIZE_MAX;
}

size_t lb_bytes_rfind_byte(struct lb_bytes in, unsigned char what)
{
	for (size_t i = in.len; i > 0; i--) {
		if (in.at[i - 1] == what)
			return i - 1;
	}
	return SIZE_MAX;
}

struct lb_bytes lb_bytes_from(struct lb_bytes in, size_t start)
{
	if (start >= in.len)
		return (struct lb_bytes){ in.len > 0 ? in.at + in.len : in.at, 0 };
	return (struct lb_bytes){ in.at + start, in.len - start };
}

struct lb_bytes lb_bytes_upto(struct lb_bytes in, size_t end)
{
	return (struct lb_bytes){ in.at, end < in.len ? end : in.len };
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

struct lb_bytes lb_bytes_trim(struct lb_bytes in)
{
	while (in.len > 0 && is_blank(in.at[0]))
		in = lb_bytes_from(in, 1);
	while (in.len > 0 && is_blank(in.at[in.len - 1]))
		in.len--;
	return in;
}

bool lb_bytes_split(struct lb_bytes *part, struct lb_bytes *rest, unsigned char sep)
{
	static const unsigned char spent[1];
	size_t at;

	if (rest->at == spent)
		return false;
	at = lb_bytes_find_byte(*rest, sep);
	*part = lb_bytes_upto(*rest, at);
	*rest = at == SIZE_MAX ? (struct lb_bytes){ spent, 0 } : lb_bytes_from(*rest, at + 1);
	return true;
}

lb_err lb_bytes_u64(uint64_t *out, struct lb_bytes text, uint64_t max)
{
	uint64_t value = 0;

	*out = 0;
	if (text.len == 0)
		return lb_err_of(LB_E_MALFORMED);
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)text.at[i] - '0';

		if (digit > 9)
			return lb_err_at(LB_E_MALFORMED, i);
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return lb_err_at(LB_E_RANGE, i);
	}
	if (value > max)
		return lb_err_of(LB_E_RANGE);
	*out = value;
	return LB_OK;
}

uint64_t lb_bytes_hash(struct lb_bytes bytes)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ bytes.at[i]) * 0x100000001b3u;
	return hash ^ (hash >> 32);
}
