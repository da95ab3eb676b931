/* bytes.c - see bytes.h. */
#include "base/bytes.h"

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

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

/* SipHash-1-3, keyed by where this process was loaded: input cannot be made so that its keys
 * collide, which would turn every table of them quadratic. */
struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t turned(uint64_t x, unsigned bits) { return x << bits | x >> (64 - bits); }

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = turned(s->v1, 13) ^ s->v0;
	s->v3 = turned(s->v3, 16) ^ s->v2;
	s->v0 = turned(s->v0, 32) + s->v3;
	s->v2 += s->v1;
	s->v1 = turned(s->v1, 17) ^ s->v2;
	s->v3 = turned(s->v3, 21) ^ s->v0;
	s->v2 = turned(s->v2, 32);
}

static inline void sip_add(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

/* All capital ASCII letters of eight bytes made small, the others left as they are. */
static uint64_t lower_word(uint64_t word)
{
	uint64_t ones = 0x0101010101010101u, low7 = word & (ones * 0x7f);
	uint64_t from_a = low7 + ones * (0x80 - 'A'), past_z = low7 + ones * (0x7f - 'Z');

	return word | (((from_a ^ past_z) & ~word & (ones * 0x80)) >> 2);
}

static inline uint64_t hash_of(struct lb_bytes bytes, bool nocase)
{
	static const char here[1];
	uint64_t key = (uintptr_t)here, word;
	struct sip s = { key ^ 0x736f6d6570736575u, ~key ^ 0x646f72616e646f6du,
		         key ^ 0x6c7967656e657261u, ~key ^ 0x7465646279746573u };
	size_t at = 0;

	for (; bytes.len - at >= sizeof word; at += sizeof word) {
		memcpy(&word, bytes.at + at, sizeof word);
		sip_add(&s, nocase ? lower_word(word) : word);
	}
	word = 0;
	if (at < bytes.len)
		memcpy(&word, bytes.at + at, bytes.len - at);
	sip_add(&s, nocase ? lower_word(word) : word);
	sip_add(&s, bytes.len);
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t lb_bytes_hash(struct lb_bytes bytes) { return hash_of(bytes, false); }

uint64_t lb_bytes_hash_nocase(struct lb_bytes bytes) { return hash_of(bytes, true); }
