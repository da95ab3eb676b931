/* mask.c - see mask.h.
 *
 * Invariants:
 *  1. patterns are sorted by bytes, each there once, none empty, none with a line end;
 *  2. unless stale: of those of two bytes and more, the ones that begin with the bytes b and c
 * stand from starts[b << 8 | c] up to starts[(b << 8 | c) + 1]; pairs has a bit for each such b, c,
 *     and for all pairs that begin with the byte of a pattern of one byte (single): a place whose
 *     bit is not set begins no pattern.
 */
#include "ci-runner/text/mask.h"

#include "base/text.h"
#include "base/vec.h"

enum {
	BASE64_LEN_MIN = 4, /* a shorter piece of base64 says too little and hides too much */
	PAIRS = 65536
};

struct runner_mask {
	struct lb_mem *mem;
	struct lb_vec patterns; /* of struct lb_bytes, owned */
	bool stale;             /* patterns were added since the index was made */
	bool single[256];
	unsigned char pairs[PAIRS / 8];
	uint32_t starts[PAIRS + 1];
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

static size_t pair_of(struct lb_bytes p) { return (size_t)p.at[0] << 8 | p.at[1]; }

static void index_patterns(struct runner_mask *mask)
{
	size_t at = 0;

	if (!mask->stale)
		return;
	memset(mask->pairs, 0, sizeof mask->pairs);
	for (size_t pair = 0; pair <= PAIRS; pair++) {
		while (at < mask->patterns.count) {
			struct lb_bytes p = pattern_at(mask, at);

			/* One of a single byte sorts before all that begin with it. */
			if ((p.len == 1 ? (size_t)p.at[0] << 8 : pair_of(p)) >= pair)
				break;
			at++;
		}
		mask->starts[pair] = (uint32_t)at;
	}
	for (size_t i = 0; i < mask->patterns.count; i++) {
		struct lb_bytes p = pattern_at(mask, i);

		if (p.len > 1) {
			mask->pairs[pair_of(p) / 8] |= (unsigned char)(1u << (p.at[1] & 7));
			continue;
		}
		mask->single[p.at[0]] = true;
		memset(mask->pairs + ((size_t)p.at[0] << 8) / 8, 0xff, 32);
	}
	mask->stale = false;
}

/* The first place whose pattern is not less. */
static size_t place_of(const struct runner_mask *mask, struct lb_bytes text)
{
	size_t low = 0, high = mask->patterns.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lb_bytes_cmp(pattern_at(mask, middle), text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static lb_err add_pattern(struct runner_mask *mask, struct lb_bytes text)
{
	size_t at = place_of(mask, text);
	struct lb_bytes *all;
	char *copy;

	if (text.len == 0 || (at < mask->patterns.count && lb_bytes_eq(pattern_at(mask, at), text)))
		return LB_OK;
	copy = lb_mem_text(mask->mem, (const char *)text.at, text.len);
	if (copy == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (lb_vec_add(&mask->patterns) == NULL) {
		lb_mem_drop(mask->mem, copy, text.len + 1, 1);
		return lb_vec_check(&mask->patterns);
	}
	all = mask->patterns.at;
	memmove(all + at + 1, all + at, (mask->patterns.count - 1 - at) * sizeof *all);
	all[at] = (struct lb_bytes){ (const unsigned char *)copy, text.len };
	mask->stale = true;
	return LB_OK;
}

static lb_err add_buffer(struct runner_mask *mask, const struct lb_buf *buf, size_t skip,
                         size_t end)
{
	LB_TRY(lb_buf_check(buf));
	return add_pattern(mask, lb_bytes_from(lb_bytes_upto(lb_buf_bytes(buf), end), skip));
}

/* base64's own lines: a long secret is broken where its code is. */
static lb_err add_base64_lines(struct runner_mask *mask, struct lb_bytes code)
{
	static const size_t columns[] = { 64, 76 };
	lb_err err = LB_OK;

	for (size_t c = 0; c < 2; c++) {
		for (size_t at = 0; at < code.len && code.len > columns[c] && !lb_failed(err);
		     at += columns[c]) {
			struct lb_bytes line = lb_bytes_upto(lb_bytes_from(code, at), columns[c]);

			if (line.len >= 2 * (size_t)BASE64_LEN_MIN)
				err = add_pattern(mask, line);
		}
	}
	return err;
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
	if (!lb_failed(err) && shift == 0)
		err = add_base64_lines(mask, lb_buf_bytes(scratch));
	lb_buf_release(&plain);
	return err;
}

/* ---- forms: what programs make of a text that they put into another one ---- */

struct replacement {
	unsigned char byte;
	const char *by;
};

static void replace(struct lb_buf *out, struct lb_bytes text, const struct replacement *table)
{
	for (size_t i = 0; i < text.len; i++) {
		const struct replacement *r = table;

		while (r->by != NULL && r->byte != text.at[i])
			r++;
		if (r->by != NULL)
			lb_buf_add_text(out, r->by);
		else
			lb_buf_add_byte(out, text.at[i]);
	}
}

static void as_command_line(struct lb_buf *out, struct lb_bytes secret)
{
	static const struct replacement table[] = { { '"', "\\\"" }, { 0, NULL } };

	replace(out, secret, table);
}

static void as_expression(struct lb_buf *out, struct lb_bytes secret)
{
	static const struct replacement table[] = { { '\'', "''" }, { 0, NULL } };

	replace(out, secret, table);
}

static void as_xml(struct lb_buf *out, struct lb_bytes secret)
{
	static const struct replacement table[] = {
		{ '<', "&lt;" },    { '>', "&gt;" },  { '"', "&quot;" },
		{ '\'', "&apos;" }, { '&', "&amp;" }, { 0, NULL },
	};

	replace(out, secret, table);
}

static void as_xml_text(struct lb_buf *out, struct lb_bytes secret)
{
	static const struct replacement table[] = {
		{ '<', "&lt;" }, { '>', "&gt;" }, { '&', "&amp;" }, { 0, NULL }
	};

	replace(out, secret, table);
}

static void as_html(struct lb_buf *out, struct lb_bytes secret) { lb_html_add(out, secret); }
static void as_url(struct lb_buf *out, struct lb_bytes secret) { lb_url_add(out, secret, ""); }
static void as_path(struct lb_buf *out, struct lb_bytes secret) { lb_url_add(out, secret, "/"); }

static void as_form(struct lb_buf *out, struct lb_bytes secret)
{
	size_t begin = out->len;

	lb_url_add(out, secret, " ");
	for (size_t i = begin; i < out->len; i++)
		if (out->at[i] == ' ')
			out->at[i] = '+';
}

static void as_json(struct lb_buf *out, struct lb_bytes secret)
{
	lb_json_string_add(out, secret);
	lb_buf_consume(out, 1); /* its quotes */
	if (out->len > 0)
		out->len--;
}

/* As those write it that think of web pages. */
static void as_json_for_html(struct lb_buf *out, struct lb_bytes secret)
{
	static const struct replacement table[] = { { '<', "\\u003c" }, { '>', "\\u003e" },
		                                    { '&', "\\u0026" }, { '\'', "\\u0027" },
		                                    { '"', "\\\"" },    { '\\', "\\\\" },
		                                    { 0, NULL } };

	replace(out, secret, table);
}

static void without_quotes(struct lb_buf *out, struct lb_bytes secret)
{
	if (secret.len > 8 && secret.at[0] == '"' && secret.at[secret.len - 1] == '"')
		lb_buf_add(out, lb_bytes_upto(lb_bytes_from(secret, 1), secret.len - 2));
}

/* PowerShell breaks what it shows of a command at an ampersand, with a colour between. */
static void before_ampersand(struct lb_buf *out, struct lb_bytes secret)
{
	size_t plus = lb_bytes_find(secret, LB_B("&+"));
	size_t last = lb_bytes_rfind_byte(secret, '&');
	size_t end = plus != SIZE_MAX ? plus + 2 : last != SIZE_MAX ? last + 1 : 0;

	if (end >= 6)
		lb_buf_add(out, lb_bytes_upto(secret, end));
}

static void behind_ampersand(struct lb_buf *out, struct lb_bytes secret)
{
	size_t plus = lb_bytes_find(secret, LB_B("&+"));
	size_t last = lb_bytes_rfind_byte(secret, '&');
	struct lb_bytes rest = lb_bytes_from(secret, plus != SIZE_MAX   ? plus + 3
	                                             : last != SIZE_MAX ? last + 1
	                                                                : SIZE_MAX);

	if (rest.len >= 6)
		lb_buf_add(out, rest);
}

static lb_err add_forms(struct runner_mask *mask, struct lb_bytes secret)
{
	static void (*const forms[])(struct lb_buf * out, struct lb_bytes secret) = {
		as_command_line, as_expression,    as_xml,           as_xml_text, as_html,
		as_url,          as_path,          as_form,          as_json,     as_json_for_html,
		without_quotes,  before_ampersand, behind_ampersand,
	};
	struct lb_buf scratch;
	lb_err err = add_pattern(mask, secret);

	lb_buf_init(&scratch, mask->mem, RUNNER_SECRET_BYTES_MAX * 8);
	for (size_t shift = 0; shift < 3 && !lb_failed(err); shift++)
		err = add_base64(mask, &scratch, secret, shift);
	for (size_t i = 0; i < sizeof forms / sizeof forms[0] && !lb_failed(err); i++) {
		lb_buf_reset(&scratch);
		forms[i](&scratch, secret);
		err = add_buffer(mask, &scratch, 0, SIZE_MAX);
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
	return err;
}

/* ---- hiding ---- */

/* The longest pattern that stands at the front of `here` (0: none), and whether a longer one might,
 * if more came. */
static size_t match(const struct runner_mask *mask, struct lb_bytes here, bool *open)
{
	size_t first = (size_t)here.at[0] << 8;
	size_t begin = here.len > 1 ? pair_of(here) : first;
	size_t end = here.len > 1 ? begin + 1 : first + 256;
	size_t longest = mask->single[here.at[0]] ? 1 : 0;

	for (size_t i = mask->starts[begin]; i < mask->starts[end]; i++) {
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

/* The next place from `at` that may begin a pattern; in.len where there is none. */
static size_t next_start(const struct runner_mask *mask, struct lb_bytes in, size_t at)
{
	const unsigned char *pairs = mask->pairs, *p = in.at;

	for (; at + 1 < in.len; at++) {
		size_t pair = (size_t)p[at] << 8 | p[at + 1];

		if ((pairs[pair / 8] & (1u << (pair & 7))) != 0)
			return at;
	}
	return at;
}

size_t runner_mask_find(struct runner_mask *mask, struct lb_bytes in, size_t from)
{
	bool open = false;

	index_patterns(mask);
	for (size_t at = next_start(mask, in, from); at < in.len;
	     at = next_start(mask, in, at + 1)) {
		if (match(mask, lb_bytes_from(in, at), &open) > 0)
			return at;
	}
	return SIZE_MAX;
}

size_t runner_mask_apply(struct runner_mask *mask, struct lb_buf *out, size_t *covered,
                         struct lb_bytes in, bool final)
{
	size_t plain = *covered, end = *covered, at; /* end: of the hidden range seen last */

	index_patterns(mask);
	for (at = next_start(mask, in, 0); at < in.len; at = next_start(mask, in, at + 1)) {
		bool open = false;
		size_t len = match(mask, lb_bytes_from(in, at), &open);

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
