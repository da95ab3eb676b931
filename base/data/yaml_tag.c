/* yaml_tag.c - what stands before nodes and documents: tags, anchors, directives; YAML 1.2, 6.8 and
 * 6.9. */
#include "base/data/yaml_priv.h"

#include "base/text.h"

/* A tag may be longer than the text that names it, for its prefix comes from a directive. */
enum { TAG_BYTES_MAX = 4096 };

static bool is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '-';
}

/* ---- anchors ---- */

lb_err lb_yaml_anchor_name(struct lb_bytes *out, struct yaml_reader *r)
{
	const unsigned char *from = r->at + 1, *at = from;

	while (!yaml_is_gap(*at) && !yaml_is_bracket(*at))
		at++;
	if (at == from)
		return YAML_FAIL(r, "%c without the name of an anchor", *r->at);
	*out = yaml_between(from, at);
	r->at = at;
	return LB_OK;
}

/* ---- tags ---- */

/* A handle is !, !! or !word!; its length is found, 0 where there is none. */
static size_t handle_length(const unsigned char *at)
{
	size_t len = 1;

	if (at[0] != '!')
		return 0;
	while (is_word(at[len]))
		len++;
	return at[len] == '!' ? len + 1 : 1;
}

static lb_err find_prefix(struct lb_bytes *out, struct yaml_reader *r, struct lb_bytes handle)
{
	const struct lb_bytes *prefix = lb_map_get(&r->handles, handle);

	if (prefix != NULL)
		*out = *prefix;
	else if (handle.len == 1)
		*out = handle;
	else if (handle.len == 2)
		*out = LB_B("tag:yaml.org,2002:");
	else
		return YAML_FAIL(r, "tag with the handle %.*s, which no %%TAG explains",
		                 LB_FMT(handle));
	return LB_OK;
}

/* %41 is A. */
static lb_err add_decoded(struct yaml_reader *r, struct lb_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = text.at[i];
		struct lb_bytes digits = lb_bytes_upto(lb_bytes_from(text, i + 1), 2);

		if (byte == '%') {
			if (lb_failed(lb_hex_read(&byte, 1, digits)))
				return YAML_FAIL(r, "a tag with a %% that two hexadecimal digits "
				                    "do not follow");
			i += 2;
		}
		lb_buf_add_byte(&r->piece, byte);
	}
	return LB_OK;
}

static lb_err take_tag(struct lb_bytes *out, struct yaml_reader *r, struct lb_bytes prefix,
                       struct lb_bytes suffix)
{
	if (prefix.len + suffix.len > TAG_BYTES_MAX)
		return lb_yaml_fail(r, LB_E_LIMIT, lb_yaml_place(r, r->at),
		                    "a tag of more than %d bytes", TAG_BYTES_MAX);
	lb_buf_reset(&r->piece);
	lb_buf_add(&r->piece, prefix);
	LB_TRY(add_decoded(r, suffix));
	if (lb_utf8_check(lb_buf_bytes(&r->piece)) != SIZE_MAX)
		return YAML_FAIL(r, "a tag whose %% stand for what is not UTF-8");
	return lb_yaml_take_piece(out, r);
}

/* !<tag:...> */
static lb_err read_verbatim(struct lb_bytes *out, struct yaml_reader *r)
{
	const unsigned char *from = r->at + 2, *at = from;

	while (!yaml_is_gap(*at) && *at != '>')
		at++;
	if (*at != '>' || at == from)
		return YAML_FAIL(r, "a tag that begins with !< and does not end with >");
	LB_TRY(take_tag(out, r, yaml_between(from, at), (struct lb_bytes){ 0 }));
	r->at = at + 1;
	return LB_OK;
}

static lb_err read_tag(struct lb_bytes *out, struct yaml_reader *r)
{
	const unsigned char *from = r->at, *at;
	struct lb_bytes prefix = { 0 };

	if (from[1] == '<')
		return read_verbatim(out, r);
	at = from + handle_length(from);
	LB_TRY(find_prefix(&prefix, r, yaml_between(from, at)));
	from = at;
	while (!yaml_is_gap(*at) && !yaml_is_bracket(*at) && *at != '!')
		at++;
	if (*at == '!' || (at == from && from - r->at > 1))
		return YAML_FAIL(r, "a tag that cannot be made out");
	LB_TRY(take_tag(out, r, prefix, yaml_between(from, at)));
	r->at = at;
	return LB_OK;
}

/* ---- properties ---- */

static lb_err refuse_second(struct yaml_reader *r, bool anchor)
{
	return YAML_FAIL(r, "a second %s for one value", anchor ? "anchor" : "tag");
}

static lb_err read_property(struct yaml_properties *out, struct yaml_reader *r)
{
	bool anchor = *r->at == '&';

	if (anchor ? out->anchor.len > 0 : out->tag.len > 0)
		return refuse_second(r, anchor);
	if (out->at == NULL) {
		out->at = r->at;
		out->place = lb_yaml_place(r, r->at);
	}
	if (anchor)
		LB_TRY(lb_yaml_anchor_name(&out->anchor, r));
	else
		LB_TRY(read_tag(&out->tag, r));
	if (!yaml_is_gap(*r->at) && !yaml_is_bracket(*r->at))
		return YAML_FAIL(r, "expected a blank behind a tag or an anchor");
	return LB_OK;
}

lb_err lb_yaml_properties(struct yaml_properties *out, struct yaml_reader *r)
{
	while (*r->at == '&' || *r->at == '!') {
		LB_TRY(read_property(out, r));
		lb_yaml_skip_blanks(r);
	}
	return LB_OK;
}

lb_err lb_yaml_properties_join(struct yaml_properties *out, struct yaml_reader *r,
                               const struct yaml_properties *more)
{
	if (more->at == NULL)
		return LB_OK;
	if (out->at == NULL) {
		*out = *more;
		return LB_OK;
	}
	if (out->anchor.len > 0 && more->anchor.len > 0)
		return refuse_second(r, true);
	if (out->tag.len > 0 && more->tag.len > 0)
		return refuse_second(r, false);
	if (more->anchor.len > 0)
		out->anchor = more->anchor;
	if (more->tag.len > 0)
		out->tag = more->tag;
	return LB_OK;
}

/* ---- directives ---- */

/* The next word of the line. */
static struct lb_bytes next_word(struct yaml_reader *r)
{
	const unsigned char *from;

	lb_yaml_skip_blanks(r);
	from = r->at;
	while (!yaml_is_gap(*r->at) && *from != '#')
		r->at++;
	return yaml_between(from, r->at);
}

static lb_err read_version(struct yaml_reader *r, bool *versioned)
{
	struct lb_bytes version = next_word(r);

	if (*versioned)
		return YAML_FAIL(r, "a second %%YAML");
	*versioned = true;
	if (version.len != 3 || !lb_bytes_starts(version, LB_B("1.")) || version.at[2] < '0' ||
	    version.at[2] > '9')
		return YAML_FAIL(r, "expected %%YAML 1.2");
	return LB_OK;
}

static lb_err read_handle(struct yaml_reader *r)
{
	struct lb_bytes handle = next_word(r);
	struct lb_bytes *prefix = LB_ARENA_NEW(r->arena, struct lb_bytes, 1);

	if (prefix == NULL)
		return lb_err_of(LB_E_NOMEM);
	*prefix = next_word(r);
	if (handle.len == 0 || handle_length(handle.at) != handle.len || prefix->len == 0)
		return YAML_FAIL(r, "expected %%TAG, a handle like !x! and a prefix");
	if (lb_map_get(&r->handles, handle) != NULL)
		return YAML_FAIL(r, "a second %%TAG %.*s", LB_FMT(handle));
	return lb_map_put(&r->handles, handle, prefix);
}

static lb_err read_directive(struct yaml_reader *r, bool *versioned)
{
	struct lb_bytes name;

	r->at++;
	name = next_word(r);
	if (!lb_bytes_is(name, "YAML") && !lb_bytes_is(name, "TAG")) {
		r->at = lb_yaml_line_end(r, r->at); /* reserved: to be ignored */
		return LB_OK;
	}
	if (lb_bytes_is(name, "YAML"))
		LB_TRY(read_version(r, versioned));
	else
		LB_TRY(read_handle(r));
	if (next_word(r).len > 0)
		return YAML_FAIL(r, "text behind a directive");
	return LB_OK;
}

lb_err lb_yaml_directives(bool *any, struct yaml_reader *r)
{
	bool versioned = false;

	*any = false;
	for (lb_yaml_skip(r); *r->at == '%' && r->at == r->line_at; lb_yaml_skip(r)) {
		LB_TRY(read_directive(r, &versioned));
		*any = true;
	}
	return LB_OK;
}
