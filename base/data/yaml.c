/* yaml.c - see yaml.h.
 *
 * Here is what YAML 1.2 has in chapters 8.2 and 9: collections by indentation, and the document
 * around them.  yaml_flow.c has those in brackets, yaml_scalar.c and yaml_block.c the texts.
 */
#include "base/data/yaml_priv.h"

/* Where a node is read: behind a dash, a question mark, a colon, or at the begin of all. */
struct position {
	int parent;              /* the indentation of what it belongs to; -1: the document */
	bool compact;            /* a collection may begin on the same line: "- a: b" */
	bool level;              /* a sequence need not be deeper than the parent */
	bool tabbed;             /* a tab stands where a collection would be indented */
	struct lb_place nothing; /* of a value that is not there */
};

static lb_err read_node(struct yaml_reader *r, struct position where);

static const struct yaml_properties none;

static lb_err add_nothing(struct yaml_reader *r, struct lb_place place,
                          const struct yaml_properties *properties)
{
	return lb_yaml_scalar_new(r, LB_YAML_PLAIN, LB_B(""), place, properties);
}

/* Behind the indicator that is at the reader's place. */
static struct position behind_indicator(struct yaml_reader *r, int parent, bool compact, bool level)
{
	r->at++;
	return (struct position){ .parent = parent,
		                  .compact = compact,
		                  .level = level,
		                  .nothing = lb_yaml_place(r, r->at) };
}

/* A value has ended: on to what comes next, which must have a line of its own. */
static lb_err end_line(struct yaml_reader *r)
{
	lb_yaml_skip(r);
	if (!r->fresh && *r->at == ':')
		return YAML_FAIL(r, "a colon that does not belong here; quote the text around it");
	if (!r->fresh)
		return YAML_FAIL(r, "text behind the end of a value");
	return r->tabbed ? lb_yaml_refuse_tab(r) : LB_OK;
}

/* ---- sequences ---- */

/* At the first dash.  `level`: stands where the key does that it belongs to. */
static lb_err read_sequence(struct yaml_reader *r, const struct yaml_properties *properties,
                            bool level)
{
	int indent = (int)(r->at - r->line_at);
	struct yaml_frame frame;

	LB_TRY(lb_yaml_begin(&frame, r, LB_YAML_SEQUENCE, lb_yaml_place(r, r->at), properties,
	                     false));
	do
		LB_TRY(read_node(r, behind_indicator(r, indent, true, false)));
	while (r->indent == indent && yaml_is_indicator(r->at, '-'));
	if (r->indent > indent || (r->indent == indent && !level))
		return YAML_FAIL(r, "expected - in column %d, or less indentation", indent + 1);
	return lb_yaml_end(r, &frame);
}

/* ---- mappings ---- */

/* A key that stands before its colon began at `from` in line `line`. */
static lb_err check_key(struct yaml_reader *r, const unsigned char *from, uint32_t line)
{
	if (r->line != line)
		return YAML_FAIL(r, "a key of more than one line; is the indentation right?");
	if (r->at - from > YAML_KEY_BYTES_MAX)
		return YAML_FAIL(r, "a key of more than %d bytes", YAML_KEY_BYTES_MAX);
	return LB_OK;
}

/* "a" of "a: b", to the colon. */
static lb_err read_key(struct yaml_reader *r, int indent)
{
	const unsigned char *from = r->at;
	struct yaml_properties properties = { 0 };
	uint32_t line = r->line;

	LB_TRY(lb_yaml_properties(&properties, r));
	if (yaml_is_indicator(r->at, ':'))
		return add_nothing(r, lb_yaml_place(r, r->at), &properties);
	if (yaml_is_indicator(r->at, '-'))
		return YAML_FAIL(r, "an item of a sequence among the keys of a mapping");
	LB_TRY(lb_yaml_inline(r, &properties, indent, false));
	lb_yaml_skip_blanks(r);
	if (!yaml_is_indicator(r->at, ':'))
		return YAML_FAIL(r, "expected a colon behind the key");
	return check_key(r, from, line);
}

/* "? a", and ": b" on a line of its own. */
static lb_err read_explicit_pair(struct yaml_reader *r, int indent)
{
	struct position where = behind_indicator(r, indent, true, true);

	LB_TRY(read_node(r, where));
	if (r->indent == indent && yaml_is_indicator(r->at, ':'))
		return read_node(r, behind_indicator(r, indent, true, true));
	return add_nothing(r, where.nothing, &none);
}

/* At the first key; or at its colon, where the key has been read. */
static lb_err read_mapping(struct yaml_reader *r, int indent, struct lb_place place,
                           const struct yaml_properties *properties, bool has_key)
{
	struct yaml_frame frame;

	LB_TRY(lb_yaml_begin(&frame, r, LB_YAML_MAPPING, place, properties, has_key));
	do {
		if (!has_key && yaml_is_indicator(r->at, '?')) {
			LB_TRY(read_explicit_pair(r, indent));
			continue;
		}
		if (!has_key)
			LB_TRY(read_key(r, indent));
		has_key = false;
		LB_TRY(read_node(r, behind_indicator(r, indent, false, true)));
	} while (r->indent == indent);
	if (r->indent > indent)
		return YAML_FAIL(r, "expected a key in column %d, or less indentation", indent + 1);
	return lb_yaml_end(r, &frame);
}

/* ---- any node ---- */

/* Does what is in the reader's line, a fresh one, belong to the node that is to be read? */
static bool belongs(const struct yaml_reader *r, const struct position *where)
{
	return r->indent > where->parent ||
	       (where->level && r->indent == where->parent && yaml_is_indicator(r->at, '-'));
}

static lb_err check_collection(struct yaml_reader *r, const struct position *where)
{
	if (where->tabbed)
		return lb_yaml_refuse_tab(r);
	if (!where->compact)
		return YAML_FAIL(r, "a %s cannot begin on this line; quote it if it is a text",
		                 *r->at == '-' ? "sequence" : "mapping");
	return LB_OK;
}

static lb_err read_block(struct yaml_reader *r, int parent,
                         const struct yaml_properties *properties)
{
	enum lb_yaml_style style = *r->at == '|' ? LB_YAML_LITERAL : LB_YAML_FOLDED;
	struct lb_place place = lb_yaml_place(r, r->at);
	struct lb_bytes text;

	LB_TRY(lb_yaml_block(&text, r, parent));
	LB_TRY(lb_yaml_scalar_new(r, style, text, place, properties));
	return end_line(r);
}

/* A scalar, an alias or brackets; if a colon comes then, it is the first key of a mapping, which
 * the properties `outer` of the lines before belong to. */
static lb_err read_inline(struct yaml_reader *r, const struct position *where,
                          const struct yaml_properties *outer, struct yaml_properties *own)
{
	const unsigned char *from = own->at != NULL ? own->at : r->at;
	struct lb_place place = own->at != NULL ? own->place : lb_yaml_place(r, from);
	int indent = (int)(from - r->line_at);
	bool alias = *r->at == '*';

	if (yaml_is_indicator(r->at, ':'))
		LB_TRY(add_nothing(r, place, own));
	else
		LB_TRY(lb_yaml_inline(r, own, where->parent, false));
	lb_yaml_skip_blanks(r);
	if (yaml_is_indicator(r->at, ':')) {
		LB_TRY(check_key(r, from, place.line));
		LB_TRY(check_collection(r, where));
		return read_mapping(r, indent, place, outer, true);
	}
	if (outer->at != NULL && alias)
		return YAML_FAIL(r, "an alias cannot have a tag or an anchor of its own");
	LB_TRY(lb_yaml_properties_join(own, r, outer));
	if (outer->at != NULL)
		LB_TRY(lb_yaml_node_adorn(r, lb_yaml_last(r), outer));
	return end_line(r);
}

/* The first character of what is to be read is at the reader's place. */
static lb_err read_content(struct yaml_reader *r, struct position *where,
                           struct yaml_properties *outer, struct yaml_properties *own)
{
	bool sequence = yaml_is_indicator(r->at, '-');

	if (*r->at == '|' || *r->at == '>') {
		LB_TRY(lb_yaml_properties_join(outer, r, own));
		return read_block(r, where->parent, outer);
	}
	if (!sequence && !yaml_is_indicator(r->at, '?'))
		return read_inline(r, where, outer, own);
	where->compact = where->compact && own->at == NULL;
	LB_TRY(check_collection(r, where));
	if (sequence)
		return read_sequence(r, outer, where->level && r->indent == where->parent);
	return read_mapping(r, (int)(r->at - r->line_at), lb_yaml_place(r, r->at), outer, false);
}

static lb_err read_node(struct yaml_reader *r, struct position where)
{
	struct yaml_properties outer = { 0 }, own = { 0 };

	for (;;) {
		lb_yaml_skip(r);
		if (r->fresh) {
			LB_TRY(lb_yaml_properties_join(&outer, r, &own));
			own = none;
			where.compact = true;
			if (r->tabbed && r->indent <= where.parent)
				return lb_yaml_refuse_tab(r);
			if (!belongs(r, &where))
				return add_nothing(r, where.nothing, &outer);
		}
		if (own.at == NULL)
			where.tabbed = r->tabbed;
		if (*r->at != '&' && *r->at != '!')
			return read_content(r, &where, &outer, &own);
		LB_TRY(lb_yaml_properties(&own, r));
	}
}

/* ---- documents ---- */

/* "..." may stand before a document as well, and any number of times. */
static lb_err pass_ends(struct yaml_reader *r)
{
	lb_yaml_skip(r);
	while (r->indent < 0 && *r->at == '.') {
		r->at += 3;
		LB_TRY(end_line(r));
	}
	return LB_OK;
}

/* At the end of all, or at "---" or "...": nothing may come behind. */
static lb_err end_document(struct yaml_reader *r)
{
	LB_TRY(pass_ends(r));
	if (*r->at == '\0')
		return LB_OK;
	return YAML_FAIL(r, "a second document; only one is expected");
}

/* The root goes to `finished`, unless there is none. */
static lb_err read_document(struct yaml_reader *r)
{
	struct position where = { .parent = -1 };
	bool directives;

	if (r->at[0] == 0xef && r->at[1] == 0xbb && r->at[2] == 0xbf) /* a byte order mark */
		r->at = r->line_at = r->column_at = r->at + 3;
	LB_TRY(pass_ends(r));
	LB_TRY(lb_yaml_directives(&directives, r));
	if (r->indent < 0 && *r->at == '-')
		r->at += 3;
	else if (directives)
		return YAML_FAIL(r, "expected --- behind the directives");
	else if (r->indent < 0)
		return end_document(r);
	else
		r->at = r->line_at;
	where.nothing = lb_yaml_place(r, r->at);
	LB_TRY(read_node(r, where));
	if (r->indent >= 0)
		return YAML_FAIL(r, "text behind the end of the document's value");
	return end_document(r);
}

static struct lb_yaml_limits limits_of(const struct lb_yaml_limits *given)
{
	struct lb_yaml_limits limits = given != NULL ? *given : (struct lb_yaml_limits){ 0 };

	if (limits.bytes_max == 0)
		limits.bytes_max = 1 << 20;
	if (limits.bytes_max > LB_YAML_BYTES_MAX)
		limits.bytes_max = LB_YAML_BYTES_MAX;
	if (limits.depth_max == 0)
		limits.depth_max = 50;
	if (limits.depth_max > LB_YAML_DEPTH_MAX)
		limits.depth_max = LB_YAML_DEPTH_MAX;
	if (limits.events_max == 0)
		limits.events_max = 1000000;
	return limits;
}

/* Tags may be longer than what they are made of, and so may escapes. */
static size_t piece_bytes_max(const struct lb_yaml_limits *limits)
{
	return 2 * limits->bytes_max + 8192;
}

static lb_err read_copy(struct yaml_reader *r, struct lb_bytes text)
{
	struct lb_bytes copy = lb_arena_bytes(r->arena, text);

	if (copy.at == NULL)
		return lb_err_of(LB_E_NOMEM);
	r->at = r->line_at = r->column_at = copy.at;
	r->end = copy.at + copy.len;
	r->line = 1;
	return read_document(r);
}

lb_err lb_yaml_read(struct lb_yaml_node **out, struct lb_arena *arena, struct lb_bytes text,
                    const struct lb_yaml_limits *limits, struct lb_diag *diag)
{
	struct yaml_reader r = { .arena = arena, .diag = diag, .limits = limits_of(limits) };
	lb_err err;

	*out = NULL;
	LB_TRY(lb_yaml_check_text(&r, text));
	lb_vec_init(&r.finished, arena->under, sizeof(struct yaml_node *), r.limits.events_max);
	lb_buf_init(&r.piece, arena->under, piece_bytes_max(&r.limits));
	lb_map_init(&r.anchors, arena->under);
	lb_map_init(&r.handles, arena->under);
	err = read_copy(&r, text);
	if (!lb_failed(err) && r.finished.count > 0)
		*out = &lb_yaml_last(&r)->shown;
	lb_vec_release(&r.finished);
	lb_buf_release(&r.piece);
	lb_map_release(&r.anchors);
	lb_map_release(&r.handles);
	return err;
}

const struct lb_yaml_node *lb_yaml_find(const struct lb_yaml_node *mapping, const char *key)
{
	if (mapping == NULL || mapping->kind != LB_YAML_MAPPING)
		return NULL;
	for (uint32_t i = 0; i + 1 < mapping->count; i += 2) {
		const struct lb_yaml_node *name = mapping->items[i];

		if (name->kind == LB_YAML_SCALAR && lb_bytes_is(name->text, key))
			return mapping->items[i + 1];
	}
	return NULL;
}
