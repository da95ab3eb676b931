/* yaml_flow.c - what is in brackets, and aliases and scalars; YAML 1.2, chapter 7.4 and 7.5.
 *
 * Beyond YAML, as GitHub does, lines within brackets may stand at any indentation.
 */
#include "base/data/yaml_priv.h"

static lb_err read_flow(struct yaml_reader *r, const struct yaml_properties *properties);

static const struct yaml_properties none;

/* ---- what begins with one of its own characters ---- */

static bool begins_plain(const unsigned char *at, bool flow)
{
	static const char indicators[] = ",[]{}#&*!|>'\"%@`";

	if (*at == '-' || *at == '?' || *at == ':')
		return !yaml_is_gap(at[1]) && !(flow && yaml_is_bracket(at[1]));
	return !yaml_is_gap(*at) && strchr(indicators, *at) == NULL;
}

static lb_err refuse_begin(struct yaml_reader *r)
{
	if (*r->at == '\0')
		return YAML_FAIL(r, "expected a value before the end of the text");
	if (*r->at == '-' || *r->at == '?')
		return YAML_FAIL(r, "%c is not expected here; quote it if it is a text", *r->at);
	if (*r->at == ':')
		return YAML_FAIL(r, "a colon without a key before it");
	return YAML_FAIL(r, "%c cannot begin a value; quote the text", *r->at);
}

static lb_err read_text(struct lb_bytes *out, enum lb_yaml_style *style, struct yaml_reader *r,
                        int parent, bool flow)
{
	*style = *r->at == '\''  ? LB_YAML_SINGLE_QUOTED
	         : *r->at == '"' ? LB_YAML_DOUBLE_QUOTED
	                         : LB_YAML_PLAIN;
	if (*style == LB_YAML_SINGLE_QUOTED)
		return lb_yaml_single_quoted(out, r);
	if (*style == LB_YAML_DOUBLE_QUOTED)
		return lb_yaml_double_quoted(out, r);
	if (!begins_plain(r->at, flow))
		return refuse_begin(r);
	return lb_yaml_plain(out, r, parent, flow);
}

lb_err lb_yaml_inline(struct yaml_reader *r, const struct yaml_properties *properties, int parent,
                      bool flow)
{
	struct lb_place place = lb_yaml_place(r, r->at);
	enum lb_yaml_style style;
	struct lb_bytes text;

	if (*r->at == '[' || *r->at == '{')
		return read_flow(r, properties);
	if (*r->at == '*' && properties->at != NULL)
		return YAML_FAIL(r, "an alias cannot have a tag or an anchor of its own");
	if (*r->at == '*')
		return lb_yaml_alias(r);
	LB_TRY(read_text(&text, &style, r, parent, flow));
	return lb_yaml_scalar_new(r, style, text, place, properties);
}

/* ---- within brackets ---- */

/* What is being read: a collection in brackets. */
struct flow {
	struct yaml_reader *r;
	unsigned char open, close;
	struct lb_place start;
};

static lb_err skip(const struct flow *flow)
{
	lb_yaml_skip(flow->r);
	if (!flow->r->fresh || flow->r->indent >= 0)
		return LB_OK;
	return lb_yaml_fail(flow->r, LB_E_MALFORMED, flow->start, "this %c is never closed by a %c",
	                    flow->open, flow->close);
}

static bool at_end(const struct flow *flow)
{
	return *flow->r->at == ',' || *flow->r->at == flow->close;
}

/* Is a colon here that makes what stands before it a key?  Behind quotes and brackets nothing
 * need follow it. */
static bool at_colon(const struct yaml_reader *r, bool tight)
{
	return *r->at == ':' && (tight || yaml_is_gap(r->at[1]) || yaml_is_bracket(r->at[1]));
}

/* Properties and what they belong to, which may be nothing; without any of them only where it is
 * `optional`. */
static lb_err read_value(const struct flow *flow, struct lb_place nothing, bool optional)
{
	struct yaml_properties properties = { 0 };
	struct yaml_reader *r = flow->r;

	LB_TRY(skip(flow));
	while (*r->at == '&' || *r->at == '!') {
		LB_TRY(lb_yaml_properties(&properties, r));
		LB_TRY(skip(flow));
	}
	if (at_colon(r, false) || (at_end(flow) && (optional || properties.at != NULL)))
		return lb_yaml_scalar_new(r, LB_YAML_PLAIN, LB_B(""), nothing, &properties);
	return lb_yaml_inline(r, &properties, -1, true);
}

static bool is_tight(const struct yaml_node *key)
{
	return key->shown.kind != LB_YAML_SCALAR || key->shown.style != LB_YAML_PLAIN;
}

/* The value of the key that was finished last: behind its colon, or nothing. */
static lb_err read_pair_value(const struct flow *flow, struct lb_place nothing)
{
	struct yaml_reader *r = flow->r;

	if (!at_colon(r, is_tight(lb_yaml_last(r))))
		return lb_yaml_scalar_new(r, LB_YAML_PLAIN, LB_B(""), nothing, &none);
	r->at++;
	return read_value(flow, lb_yaml_place(r, r->at), true);
}

/* "a: b", "? a : b", "a" or ": b" in braces. */
static lb_err read_pair(const struct flow *flow)
{
	struct yaml_reader *r = flow->r;
	bool explicit = yaml_is_indicator(r->at, '?');
	struct lb_place nothing;

	if (explicit)
		r->at++;
	LB_TRY(read_value(flow, lb_yaml_place(r, r->at), explicit));
	nothing = lb_yaml_place(r, r->at);
	LB_TRY(skip(flow));
	return read_pair_value(flow, nothing);
}

/* "[? a : b]": a mapping of one pair. */
static lb_err read_single_pair(const struct flow *flow)
{
	struct yaml_reader *r = flow->r;
	struct yaml_frame frame;

	LB_TRY(lb_yaml_begin(&frame, r, LB_YAML_MAPPING, lb_yaml_place(r, r->at), &none, false));
	LB_TRY(read_pair(flow));
	return lb_yaml_end(r, &frame);
}

/* "[a: b]" is the same without the question mark; its key stands on one line. */
static lb_err read_item(const struct flow *flow)
{
	struct yaml_reader *r = flow->r;
	struct lb_place place = lb_yaml_place(r, r->at), nothing;
	const unsigned char *from = r->at;
	struct yaml_frame frame;

	if (yaml_is_indicator(r->at, '?'))
		return read_single_pair(flow);
	LB_TRY(read_value(flow, place, false));
	nothing = lb_yaml_place(r, r->at);
	lb_yaml_skip_blanks(r);
	if (!at_colon(r, is_tight(lb_yaml_last(r))))
		return LB_OK;
	if (r->line != place.line || r->at - from > YAML_KEY_BYTES_MAX)
		return YAML_FAIL(r, "a key of more than one line or %d bytes", YAML_KEY_BYTES_MAX);
	LB_TRY(lb_yaml_begin(&frame, r, LB_YAML_MAPPING, place, &none, true));
	LB_TRY(read_pair_value(flow, nothing));
	return lb_yaml_end(r, &frame);
}

static lb_err read_items(const struct flow *flow)
{
	struct yaml_reader *r = flow->r;

	for (;;) {
		LB_TRY(skip(flow));
		if (*r->at == flow->close)
			return LB_OK;
		LB_TRY(flow->open == '[' ? read_item(flow) : read_pair(flow));
		LB_TRY(skip(flow));
		if (!at_end(flow))
			return YAML_FAIL(r,
			                 "expected , or the %c that closes the %c of line %u, "
			                 "column %u",
			                 flow->close, flow->open, flow->start.line,
			                 flow->start.column);
		if (*r->at == ',')
			r->at++;
	}
}

static lb_err read_flow(struct yaml_reader *r, const struct yaml_properties *properties)
{
	struct flow flow = { .r = r, .open = *r->at, .start = lb_yaml_place(r, r->at) };
	bool sequence = flow.open == '[';
	struct yaml_frame frame;

	flow.close = sequence ? ']' : '}';
	LB_TRY(lb_yaml_begin(&frame, r, sequence ? LB_YAML_SEQUENCE : LB_YAML_MAPPING, flow.start,
	                     properties, false));
	r->at++;
	LB_TRY(read_items(&flow));
	r->at++;
	return lb_yaml_end(r, &frame);
}
