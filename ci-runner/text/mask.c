/* mask.c - see mask.h.
 *
 * Invariants:
 *  1. patterns are sorted by first byte; starts[b] is the index of the first one with byte b;
 *  2. pairs has a bit for the first two bytes of each pattern, and for all pairs that begin with
 *     the byte of a pattern of one byte: a position whose bit is not set starts no pattern;
 *  3. no pattern is empty or holds a line end.
 */
#include "ci-runner/text/mask.h"

#include "base/text.h"
#include "base/vec.h"

enum { BASE64_LEN_MIN = 4 }; /* a shorter piece of base64 says too little and hides too much */

struct runner_mask {
	struct lb_mem *mem;
	struct lb_vec patterns; /* of struct lb_bytes, owned */
	size_t starts[257];
	unsigned char pairs[65536 / 8];
};

static struct lb_bytes pattern_at(const struct runner_mask *mask, size_t i)
{
	return *LB_VEC_AT(&mask->patterns, struct lb_bytes, i);
}

lb_err runner_mask_new(struct runner_mask **out, struct lb_mem *mem)
{
	struct runner_mask *mask = LB_NEW(mem, struct runner_mask, 1);

	*out = mask;
	if (mask == NULL)
		return lb_err_of(LB_E_NOMEM);
	mask->mem = mem;
	lb_vec_init(&mask->patterns, mem, sizeof(struct lb_bytes), RUNNER_PATTERNS_MAX);
	return LB_OK;
}

static void drop_text(struct runner_mask *mask, struct lb_bytes text)
{
	/* Ours: made writable by lb_mem_text, const only in passing. */
	lb_mem_drop(mask->mem, (void *)(uintptr_t)text.at, text.len + 1, 1);
}

void runner_mask_free(struct runner_mask *mask)
{
	if (mask == NULL)
		return;
	for (size_t i = 0; i < mask->patterns.count; i++)
		drop_text(mask, pattern_at(mask, i));
	lb_vec_release(&mask->patterns);
	LB_DROP(mask->mem, mask, 1);
}

/* ---- adding ---- */

static void index_patterns(struct runner_mask *mask)
{
	size_t at = 0;

	memset(mask->pairs, 0, sizeof mask->pairs);
	for (size_t byte = 0; byte <= 256; byte++) {
		while (at < mask->patterns.count && pattern_at(mask, at).at[0] < byte)
			at++;
		mask->starts[byte] = at;
	}
	for (size_t i = 0; i < mask->patterns.count; i++) {
		struct lb_bytes p = pattern_at(mask, i);
		size_t pair = (size_t)p.at[0] << 8;

		if (p.len == 1)
			memset(mask->pairs + pair / 8, 0xff, 32);
		else
			mask->pairs[(pair | p.at[1]) / 8] |= (unsigned char)(1u << (p.at[1] & 7));
	}
}

static lb_err add_pattern(struct runner_mask *mask, struct lb_bytes text)
{
	struct lb_bytes *slot;
	char *copy;
	size_t at;

	if (text.len == 0)
		return LB_OK;
	for (size_t i = 0; i < mask->patterns.count; i++) {
		if (lb_bytes_eq(pattern_at(mask, i), text))
			return LB_OK;
	}
	copy = lb_mem_text(mask->mem, (const char *)text.at, text.len);
	if (copy == NULL)
		return lb_err_of(LB_E_NOMEM);
	slot = lb_vec_add(&mask->patterns);
	if (slot == NULL) {
		lb_mem_drop(mask->mem, copy, text.len + 1, 1);
		return lb_vec_check(&mask->patterns);
	}
	/* Keep them sorted by first byte: move what is behind the place up by one. */
	for (at = mask->patterns.count - 1; at > 0 && pattern_at(mask, at - 1).at[0] > text.at[0];
	     at--)
		*LB_VEC_AT(&mask->patterns, struct lb_bytes, at) = pattern_at(mask, at - 1);
	*LB_VEC_AT(&mask->patterns, struct lb_bytes, at) =
		(struct lb_bytes){ (const unsigned char *)copy, text.len };
	return LB_OK;
}

static lb_err add_buffer(struct runner_mask *mask, const struct lb_buf *buf, size_t skip,
                         size_t end)
{
	LB_TRY(lb_buf_check(buf));
	return add_pattern(mask, lb_bytes_from(lb_bytes_upto(lb_buf_bytes(buf), end), skip));
}

/* In base64 that begins `shift` bytes before the secret, these characters are the secret's alone.
 */
static lb_err add_base64(struct runner_mask *mask, struct lb_buf *scratch, struct lb_bytes secret,
                         size_t shift)
{
	static const unsigned char before[2] = { 0 };
	static const size_t skips[] = { 0, 2, 3 };
	struct lb_buf plain;
	lb_err err;
	size_t end = (shift + secret.len) * 8 / 6;

	if (end < skips[shift] + BASE64_LEN_MIN)
		return LB_OK;
	lb_buf_init(&plain, mask->mem, RUNNER_SECRET_BYTES_MAX + 2);
	lb_buf_add(&plain, (struct lb_bytes){ before, shift });
	lb_buf_add(&plain, secret);
	err = lb_buf_check(&plain);
	if (!lb_failed(err)) {
		lb_buf_reset(scratch);
		lb_base64_add(scratch, lb_buf_bytes(&plain));
		err = add_buffer(mask, scratch, skips[shift], end);
	}
	/* The secret alone, with its end: nothing of its last byte may show either. */
	if (!lb_failed(err) && shift == 0)
		err = add_buffer(mask, scratch, 0, SIZE_MAX);
	lb_buf_release(&plain);
	return err;
}

static lb_err add_forms(struct runner_mask *mask, struct lb_bytes secret)
{
	struct lb_buf scratch;
	lb_err err = add_pattern(mask, secret);

	lb_buf_init(&scratch, mask->mem, RUNNER_SECRET_BYTES_MAX * 8);
	for (size_t shift = 0; shift < 3 && !lb_failed(err); shift++)
		err = add_base64(mask, &scratch, secret, shift);
	if (!lb_failed(err)) {
		lb_buf_reset(&scratch);
		lb_url_add(&scratch, secret, "");
		err = add_buffer(mask, &scratch, 0, SIZE_MAX);
	}
	if (!lb_failed(err)) {
		lb_buf_reset(&scratch);
		lb_json_string_add(&scratch, secret);
		err = add_buffer(mask, &scratch, 1, scratch.len > 0 ? scratch.len - 1 : 0);
	}
	lb_buf_release(&scratch);
	return err;
}

lb_err runner_mask_add(struct runner_mask *mask, struct lb_bytes secret)
{
	struct lb_bytes rest = secret;
	lb_err err = LB_OK;

	if (secret.len > RUNNER_SECRET_BYTES_MAX)
		return lb_err_at(LB_E_LIMIT, RUNNER_SECRET_BYTES_MAX);
	while (rest.len > 0 && !lb_failed(err)) {
		size_t end = 0;
		struct lb_bytes line;

		while (end < rest.len && rest.at[end] != '\n' && rest.at[end] != '\r')
			end++;
		line = lb_bytes_upto(rest, end);
		rest = lb_bytes_from(rest, end + 1);
		if (lb_bytes_trim(line).len > 0)
			err = add_forms(mask, line);
	}
	/* Of several lines the whole shows in base64 or JSON on one. */
	if (!lb_failed(err) && lb_bytes_trim(secret).len > 0 &&
	    (lb_bytes_find_byte(secret, '\n') != SIZE_MAX ||
	     lb_bytes_find_byte(secret, '\r') != SIZE_MAX)) {
		struct lb_buf scratch;

		lb_buf_init(&scratch, mask->mem, RUNNER_SECRET_BYTES_MAX * 8);
		for (size_t shift = 0; shift < 3 && !lb_failed(err); shift++)
			err = add_base64(mask, &scratch, secret, shift);
		lb_buf_release(&scratch);
	}
	index_patterns(mask);
	return err;
}

/* ---- hiding ---- */

static bool may_start(const struct runner_mask *mask, struct lb_bytes in, size_t at)
{
	size_t pair = (size_t)in.at[at] << 8;

	if (at + 1 >= in.len)
		return mask->starts[in.at[at]] < mask->starts[in.at[at] + 1];
	pair |= in.at[at + 1];
	return (mask->pairs[pair / 8] & (1u << (pair & 7))) != 0;
}

/* The longest pattern that stands at `at` (0: none), and whether a longer one might, if more came.
 */
static size_t match_at(const struct runner_mask *mask, struct lb_bytes in, size_t at, bool *open)
{
	struct lb_bytes here = lb_bytes_from(in, at);
	size_t longest = 0;

	for (size_t i = mask->starts[here.at[0]]; i < mask->starts[here.at[0] + 1]; i++) {
		struct lb_bytes p = pattern_at(mask, i);

		if (p.len <= here.len) {
			if (p.len > longest && memcmp(here.at, p.at, p.len) == 0)
				longest = p.len;
		} else if (memcmp(here.at, p.at, here.len) == 0) {
			*open = true;
		}
	}
	return longest;
}

size_t runner_mask_apply(const struct runner_mask *mask, struct lb_buf *out, size_t *covered,
                         struct lb_bytes in, bool final)
{
	size_t plain = *covered, end = *covered, at = 0; /* end: of the hidden range seen last */

	for (; at < in.len; at++) {
		bool open = false;
		size_t len;

		if (!may_start(mask, in, at))
			continue;
		len = match_at(mask, in, at, &open);
		if (open && !final)
			break;
		if (len == 0 || at + len <= end)
			continue;
		if (at >= end) {
			if (at > plain)
				lb_buf_add(out, (struct lb_bytes){ in.at + plain, at - plain });
			lb_buf_add_text(out, "***");
		}
		plain = end = at + len;
	}
	if (at > plain)
		lb_buf_add(out, (struct lb_bytes){ in.at + plain, at - plain });
	*covered = end > at ? end - at : 0;
	return at;
}
