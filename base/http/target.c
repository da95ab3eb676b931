/* target.c - see target_priv.h. */
#include "base/http/target_priv.h"

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that the escape at `at` stands for; -1 where it is none, or stands for NUL. */
static int escaped(struct lb_bytes raw, size_t at)
{
	int high, low;

	if (raw.len - at < 3)
		return -1;
	high = hex_digit(raw.at[at + 1]);
	low = hex_digit(raw.at[at + 2]);
	if (high < 0 || low < 0 || (high == 0 && low == 0))
		return -1;
	return high * 16 + low;
}

lb_err lb_http_decode(struct lb_bytes *out, struct lb_arena *arena, struct lb_bytes raw,
                      bool in_query, struct lb_diag *diag)
{
	unsigned char *to = lb_arena_alloc(arena, raw.len + 1, 1);
	size_t len = 0;

	*out = (struct lb_bytes){ 0 };
	if (to == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < raw.len; i++) {
		int byte = raw.at[i];

		if (byte == '%') {
			byte = escaped(raw, i);
			if (byte < 0)
				return lb_fail(diag, LB_E_MALFORMED,
				               "\"%.*s\": %% must be followed by two hexadecimal "
				               "digits, and %%00 is not allowed",
				               LB_FMT(lb_bytes_upto(raw, 200)));
			i += 2;
		} else if (byte < 0x20 || byte == 0x7f) {
			return lb_fail(diag, LB_E_MALFORMED, "a control character in the address");
		} else if (byte == '+' && in_query) {
			byte = ' ';
		}
		to[len++] = (unsigned char)byte;
	}
	*out = (struct lb_bytes){ to, len };
	return LB_OK;
}

static lb_err read_pair(struct lb_http_pair *out, struct lb_arena *arena, struct lb_bytes part,
                        struct lb_diag *diag)
{
	size_t equals = lb_bytes_find_byte(part, '=');

	LB_TRY(lb_http_decode(&out->name, arena, lb_bytes_upto(part, equals), true, diag));
	if (equals == SIZE_MAX) {
		out->value = (struct lb_bytes){ out->name.at + out->name.len, 0 };
		return LB_OK;
	}
	return lb_http_decode(&out->value, arena, lb_bytes_from(part, equals + 1), true, diag);
}

static lb_err read_pairs(struct lb_http_target *out, struct lb_arena *arena, struct lb_diag *diag)
{
	struct lb_bytes rest = out->query, part;
	size_t count = 1;

	if (out->query.len == 0)
		return LB_OK;
	for (size_t i = 0; i < out->query.len; i++)
		count += out->query.at[i] == '&';
	if (count > LB_HTTP_PAIRS_MAX)
		return lb_fail(diag, LB_E_LIMIT, "more than %d parameters in the query",
		               LB_HTTP_PAIRS_MAX);
	out->pairs = LB_ARENA_NEW(arena, struct lb_http_pair, count);
	if (out->pairs == NULL)
		return lb_err_of(LB_E_NOMEM);
	while (lb_bytes_split(&part, &rest, '&')) {
		if (part.len == 0)
			continue;
		LB_TRY(read_pair(&out->pairs[out->pair_count], arena, part, diag));
		out->pair_count++;
	}
	return LB_OK;
}

/* Proxies are spoken to with the whole address; what counts is what follows the host. */
static struct lb_bytes without_host(struct lb_bytes raw)
{
	static const struct lb_bytes schemes[] = { LB_LIT("http://"), LB_LIT("https://") };

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		struct lb_bytes after;
		size_t slash;

		if (!lb_bytes_eq_nocase(lb_bytes_upto(raw, schemes[i].len), schemes[i]))
			continue;
		after = lb_bytes_from(raw, schemes[i].len);
		slash = lb_bytes_find_byte(after, '/');
		return slash == SIZE_MAX ? LB_B("/") : lb_bytes_from(after, slash);
	}
	return raw;
}

lb_err lb_http_target_read(struct lb_http_target *out, struct lb_arena *arena, struct lb_bytes raw,
                           struct lb_diag *diag)
{
	size_t mark;

	*out = (struct lb_http_target){ .path = "" };
	raw = without_host(raw);
	if (raw.len == 0 || raw.at[0] != '/')
		return lb_fail(diag, LB_E_MALFORMED,
		               "the address must begin with a slash, not \"%.*s\"",
		               LB_FMT(lb_bytes_upto(raw, 40)));
	mark = lb_bytes_find_byte(raw, '?');
	out->path = lb_arena_text(arena, lb_bytes_upto(raw, mark));
	if (mark != SIZE_MAX)
		out->query = lb_arena_bytes(arena, lb_bytes_from(raw, mark + 1));
	if (arena->failed) {
		*out = (struct lb_http_target){ .path = "" };
		return lb_err_of(LB_E_NOMEM);
	}
	return read_pairs(out, arena, diag);
}
