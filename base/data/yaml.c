/* yaml.c - see yaml.h.
 *
 * libfyaml gives events in order; this builds nodes from them.  Collections
 * that are not finished stand on a stack of frames, the finished nodes that
 * belong to them on a second one, from whose top a collection takes its items
 * when it ends.
 *
 * Invariants:
 *  1. `events` counts what a reader sees who does not know of sharing, so it
 *     bounds every walk over the result.
 *  2. frames.count + height of the node being added <= depth_max, aliased or not.
 *  3. A node is `open` exactly while its frame is on the stack.
 *
 * Where libfyaml 0.7.12 goes wrong over something that can be written otherwise in the same place,
 * it is read again from a copy that is mended so; the nodes are made from the source.
 */
#include "base/data/yaml.h"

#include "base/data/place_priv.h"
#include "base/data/yaml_priv.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"

#include <libfyaml.h>

/* A tag may be longer than the text that names it: its prefix comes from a directive. */
enum { TAG_BYTES_MAX = 4096 };

/* Each is one more reading of the whole text. */
enum { MENDS_MAX = 16 };

struct node {
	struct lb_yaml_node shown; /* first member */
	uint32_t events;           /* of the whole subtree, aliases expanded */
	uint32_t height;           /* 0: a scalar */
	bool open;
};

struct frame {
	struct node *node;
	size_t items_from;    /* in `finished` */
	uint32_t events_from; /* count before its start */
	uint32_t height;      /* of the highest item so far */
	uint32_t column;      /* of its first item, from 1 */
};

struct reader {
	struct lb_arena *arena;
	struct lb_bytes text;
	struct lb_diag *diag;
	struct lb_yaml_limits limits;
	struct fy_diag *said;
	struct lb_diag heard; /* the first thing it said besides */
	struct fy_parser *parser;
	struct lb_vec frames, finished;
	struct lb_buf piece;   /* of one moment: a text that is put together */
	struct lb_map anchors; /* name to struct node */
	struct node *root;
	struct lb_place last; /* where the last token ended */
	size_t last_offset;
	uint32_t events, documents;
	struct lb_buf mended; /* what libfyaml reads in place of the text; empty: the text */
	uint32_t mends;
	bool again; /* has just been mended: read once more */
};

__attribute__((format(printf, 4, 5))) static lb_err fail_at(struct lb_diag *diag, enum lb_code code,
                                                            struct lb_place place,
                                                            const char *format, ...)
{
	struct lb_diag what = { 0 };
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what.text, sizeof what.text, format, args);
	va_end(args);
	lb_diag_set(diag, "line %u, column %u: %s", place.line, place.column, what.text);
	return lb_err_at(code, place.line);
}

static struct lb_place place_of_mark(const struct fy_mark *mark, struct lb_place otherwise)
{
	if (mark == NULL || mark->line < 0 || mark->column < 0)
		return otherwise;
	return (struct lb_place){ (uint32_t)mark->line + 1, (uint32_t)mark->column + 1 };
}

/* What stands in the source, without the quotes. */
static struct lb_bytes source_of(const struct reader *r, struct fy_token *token)
{
	size_t from = fy_token_start_mark(token)->input_pos;
	size_t to = fy_token_end_mark(token)->input_pos;

	return lb_bytes_from(lb_bytes_upto(r->text, to), from);
}

/* What has been put together, as the reader's own. */
static lb_err take_piece(struct lb_bytes *out, struct reader *r)
{
	LB_TRY(lb_buf_check(&r->piece));
	*out = lb_arena_bytes(r->arena, lb_buf_bytes(&r->piece));
	return r->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* Piece by piece: libfyaml 0.7.12 gives a text as a whole in a block of a length that it has
 * counted before, at times wrongly, so that the text is cut or ends in what stood in that memory.
 */
static lb_err token_bytes(struct lb_bytes *out, struct reader *r, struct fy_token *token)
{
	const struct fy_iter_chunk *chunk = NULL;
	struct fy_token_iter *at;
	int failed = 0;

	*out = (struct lb_bytes){ 0 };
	if (token == NULL)
		return LB_OK;
	at = fy_token_iter_create(token);
	if (at == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_reset(&r->piece);
	while ((chunk = fy_token_iter_chunk_next(at, chunk, &failed)) != NULL)
		lb_buf_add(&r->piece,
		           (struct lb_bytes){ (const unsigned char *)chunk->str, chunk->len });
	fy_token_iter_destroy(at);
	/* So it says too of a block of nothing but blanks at the end of the text. */
	if (failed != 0 && lb_bytes_trim(source_of(r, token)).len > 0)
		return fail_at(r->diag, LB_E_MALFORMED,
		               place_of_mark(fy_token_start_mark(token), r->last),
		               "a text that cannot be made out");
	return take_piece(out, r);
}

/* ---- nodes ---- */

static lb_err count_events(struct reader *r, uint32_t more, struct lb_place place)
{
	if (more > r->limits.events_max - r->events)
		return fail_at(r->diag, LB_E_LIMIT, place,
		               "more than %u values, with aliases expanded", r->limits.events_max);
	r->events += more;
	return LB_OK;
}

static lb_err check_depth(struct reader *r, uint32_t height, struct lb_place place)
{
	if (height > r->limits.depth_max || r->frames.count > r->limits.depth_max - height)
		return fail_at(r->diag, LB_E_LIMIT, place, "nested more than %u deep",
		               r->limits.depth_max);
	return LB_OK;
}

/* A finished node goes to the collection it stands in. */
static lb_err deliver(struct reader *r, struct node *node)
{
	struct node **slot;

	if (r->frames.count == 0) {
		r->root = node;
		return LB_OK;
	}
	slot = lb_vec_add(&r->finished);
	if (slot == NULL)
		return lb_err_of(LB_E_NOMEM);
	*slot = node;
	if (node->height > LB_VEC_AT(&r->frames, struct frame, r->frames.count - 1)->height)
		LB_VEC_AT(&r->frames, struct frame, r->frames.count - 1)->height = node->height;
	return LB_OK;
}

static lb_err set_anchor(struct reader *r, struct node *node, struct fy_token *anchor)
{
	struct lb_bytes name;

	if (anchor == NULL)
		return LB_OK;
	LB_TRY(token_bytes(&name, r, anchor));
	return lb_map_put(&r->anchors, name, node);
}

/* The place of a value that is not written: behind its key's colon where that is on the same
 * line, else where the text before it ends. */
static struct lb_place place_of_nothing(const struct reader *r)
{
	struct lb_place place = r->last;

	for (size_t i = r->last_offset; i < r->text.len; i++) {
		place.column++;
		if (r->text.at[i] == ':')
			return place;
		if (strchr(" \t'\"]}", r->text.at[i]) == NULL)
			break;
	}
	return r->last;
}

/* A scalar stands where its anchor or tag does. */
static struct lb_place place_of_properties(struct fy_event *event, struct lb_place otherwise)
{
	struct fy_token *tag = fy_event_get_tag_token(event);
	struct fy_token *anchor = fy_event_get_anchor_token(event);
	const struct fy_mark *named = anchor != NULL ? fy_token_start_mark(anchor) : NULL;
	const struct fy_mark *tagged = tag != NULL ? fy_token_start_mark(tag) : NULL;

	if (named != NULL && (tagged == NULL || named->input_pos < tagged->input_pos)) {
		otherwise = place_of_mark(named, otherwise);
		otherwise.column -= otherwise.column > 1; /* the mark stands behind the & */
		return otherwise;
	}
	return place_of_mark(tagged, otherwise);
}

/* What every node has. */
static lb_err make_node(struct node **out, struct reader *r, struct fy_event *event,
                        enum lb_yaml_kind kind, struct lb_place place)
{
	struct node *node;

	LB_TRY(count_events(r, 1, place));
	node = LB_ARENA_NEW(r->arena, struct node, 1);
	if (node == NULL)
		return lb_err_of(LB_E_NOMEM);
	node->shown.kind = kind;
	node->shown.line = place.line;
	node->shown.column = place.column;
	node->events = 1;
	LB_TRY(token_bytes(&node->shown.tag, r, fy_event_get_tag_token(event)));
	LB_TRY(set_anchor(r, node, fy_event_get_anchor_token(event)));
	*out = node;
	return LB_OK;
}

static enum lb_yaml_style style_of(struct fy_token *token)
{
	switch (token != NULL ? fy_token_scalar_style(token) : FYSS_PLAIN) {
	case FYSS_SINGLE_QUOTED: return LB_YAML_SINGLE_QUOTED;
	case FYSS_DOUBLE_QUOTED: return LB_YAML_DOUBLE_QUOTED;
	case FYSS_LITERAL: return LB_YAML_LITERAL;
	case FYSS_FOLDED: return LB_YAML_FOLDED;
	case FYSS_ANY:
	case FYSS_PLAIN:
	case FYSS_MAX: break;
	}
	return LB_YAML_PLAIN;
}

/* The line break at *at and the blank lines behind it: one break becomes a blank, n of them n - 1
 * breaks.  The blanks around them are dropped. */
static void add_folded(struct lb_buf *out, struct lb_bytes raw, size_t *at)
{
	size_t breaks = 0;

	while (out->len > 0 && (out->at[out->len - 1] == ' ' || out->at[out->len - 1] == '\t'))
		out->len--;
	for (; *at < raw.len; ++*at) {
		unsigned char c = raw.at[*at];

		if (c == '\n' || (c == '\r' && !(*at + 1 < raw.len && raw.at[*at + 1] == '\n')))
			breaks++;
		else if (c != '\r' && c != ' ' && c != '\t')
			break;
	}
	if (breaks == 1)
		lb_buf_add_byte(out, ' ');
	for (; breaks > 1; breaks--)
		lb_buf_add_byte(out, '\n');
}

/* libfyaml 0.7.12 decodes runs of quotes in single-quoted scalars wrongly ('a''''b' becomes a'''b)
 * and leaks while at it, so this is done here, from what stands between the quotes. */
static lb_err single_quoted(struct lb_bytes *out, struct reader *r, struct fy_token *token)
{
	struct lb_bytes raw = source_of(r, token);

	lb_buf_reset(&r->piece);
	for (size_t i = 0; i < raw.len;) {
		unsigned char c = raw.at[i];

		if (c == '\n' || c == '\r') {
			add_folded(&r->piece, raw, &i);
		} else {
			lb_buf_add_byte(&r->piece, c);
			i += c == '\'' ? 2 : 1;
		}
	}
	return take_piece(out, r);
}

/* ---- mending ---- */

/* Blanks over the bytes from..to of what libfyaml reads, `first` over the first; then again. */
static lb_err mend(struct reader *r, size_t from, size_t to, char first)
{
	if (r->mended.len == 0)
		lb_buf_add(&r->mended, r->text);
	LB_TRY(lb_buf_check(&r->mended));
	memset(r->mended.at + from, ' ', to - from);
	r->mended.at[from] = (unsigned char)first;
	r->mends++;
	r->again = true;
	return lb_err_of(LB_E_MALFORMED); /* of no meaning: this reading ends */
}

/* An empty block, whose end libfyaml does not see: it would swallow the keys that come next. */
static lb_err mend_block(struct reader *r, size_t header, struct lb_place place)
{
	size_t end = header + 1;

	if (r->mends == MENDS_MAX)
		return fail_at(r->diag, LB_E_LIMIT, place,
		               "more than %d empty blocks of text; write \"\" for them", MENDS_MAX);
	while (end < r->text.len && strchr("+-0123456789", r->text.at[end]) != NULL)
		end++;
	return mend(r, header, end, '~');
}

/* ---- scalars ---- */

/* Where the | or > of a block is: on the line before its text, behind what came before. */
static size_t header_of(const struct reader *r, struct fy_event *event)
{
	struct fy_token *before[] = { fy_event_get_tag_token(event),
		                      fy_event_get_anchor_token(event) };
	size_t text = fy_token_start_mark(fy_event_get_token(event))->input_pos, from = text;

	if (from > 0 && r->text.at[from - 1] == '\n')
		from--;
	if (from > 0 && r->text.at[from - 1] == '\r')
		from--;
	while (from > 0 && r->text.at[from - 1] != '\n' && r->text.at[from - 1] != '\r')
		from--;
	if (from < r->last_offset)
		from = r->last_offset;
	for (size_t i = 0; i < 2; i++) {
		size_t end = before[i] != NULL ? fy_token_end_mark(before[i])->input_pos : 0;

		if (from < end)
			from = end;
	}
	while (from < text && r->text.at[from] != '|' && r->text.at[from] != '>')
		from++;
	return from;
}

static struct lb_place place_of_header(const struct reader *r, struct fy_token *token,
                                       size_t header)
{
	size_t start = header, text = fy_token_start_mark(token)->input_pos;
	struct lb_place place = place_of_mark(fy_token_start_mark(token), r->last);

	while (start > 0 && r->text.at[start - 1] != '\n' && r->text.at[start - 1] != '\r')
		start--;
	if (text > 0 && (r->text.at[text - 1] == '\n' || r->text.at[text - 1] == '\r'))
		place.line--;
	place.column = lb_place_of(lb_bytes_from(r->text, start), header - start).column;
	return place;
}

/* What the block says, into r->piece. */
static struct lb_yaml_block read_block(struct reader *r, size_t header)
{
	int parent = -1;

	if (r->frames.count > 0)
		parent = (int)LB_VEC_AT(&r->frames, struct frame, r->frames.count - 1)->column - 1;
	lb_buf_reset(&r->piece);
	return lb_yaml_block_text(&r->piece, r->text, header, parent);
}

/* The text of a block, which must end where libfyaml thinks it does, blank lines aside. */
static lb_err block_bytes(struct lb_bytes *out, struct reader *r, size_t header, size_t end,
                          struct lb_place place)
{
	struct lb_yaml_block block = read_block(r, header);
	size_t first = end < block.end ? end : block.end, last = end < block.end ? block.end : end;

	if (lb_bytes_trim(lb_bytes_from(lb_bytes_upto(r->text, last), first)).len == 0)
		return take_piece(out, r);
	if (end > block.end && block.lines == 0)
		return mend_block(r, header, place);
	return fail_at(
		r->diag, LB_E_MALFORMED, place,
		"a block of text that cannot be made out; write its | or > on its key's line");
}

static lb_err on_block(struct reader *r, struct fy_event *event, enum lb_yaml_style style)
{
	struct fy_token *token = fy_event_get_token(event);
	size_t header = header_of(r, event);
	struct lb_place place = place_of_properties(event, place_of_header(r, token, header));
	struct node *node;

	LB_TRY(make_node(&node, r, event, LB_YAML_SCALAR, place));
	node->shown.style = style;
	LB_TRY(block_bytes(&node->shown.text, r, header, fy_token_end_mark(token)->input_pos,
	                   place));
	return deliver(r, node);
}

/* A block that libfyaml has not seen, for it has been mended: the source says otherwise. */
static enum lb_yaml_style style_of_mended(const struct reader *r, struct fy_token *token)
{
	size_t at = token != NULL ? fy_token_start_mark(token)->input_pos : 0;

	if (r->mends == 0 || token == NULL || at >= r->text.len)
		return LB_YAML_PLAIN;
	return r->text.at[at] == '|'   ? LB_YAML_LITERAL
	       : r->text.at[at] == '>' ? LB_YAML_FOLDED
	                               : LB_YAML_PLAIN;
}

static lb_err scalar_bytes(struct lb_bytes *out, struct reader *r, struct fy_token *token,
                           enum lb_yaml_style style)
{
	if (style == LB_YAML_SINGLE_QUOTED)
		return single_quoted(out, r, token);
	if (style == LB_YAML_PLAIN || style == LB_YAML_DOUBLE_QUOTED)
		return token_bytes(out, r, token);
	(void)read_block(r, fy_token_start_mark(token)->input_pos);
	return take_piece(out, r);
}

static lb_err on_scalar(struct reader *r, struct fy_event *event)
{
	struct fy_token *token = fy_event_get_token(event);
	enum lb_yaml_style style = style_of(token);
	bool quoted = style == LB_YAML_SINGLE_QUOTED || style == LB_YAML_DOUBLE_QUOTED;
	struct lb_place place = place_of_mark(fy_event_start_mark(event), place_of_nothing(r));
	struct node *node;

	if (style == LB_YAML_LITERAL || style == LB_YAML_FOLDED)
		return on_block(r, event, style);
	place.column -= quoted; /* the mark stands behind the quote */
	LB_TRY(make_node(&node, r, event, LB_YAML_SCALAR, place_of_properties(event, place)));
	node->shown.style = style == LB_YAML_PLAIN ? style_of_mended(r, token) : style;
	LB_TRY(scalar_bytes(&node->shown.text, r, token, node->shown.style));
	return deliver(r, node);
}

static lb_err on_start(struct reader *r, struct fy_event *event, enum lb_yaml_kind kind)
{
	struct lb_place place = place_of_mark(fy_event_start_mark(event), r->last);
	uint32_t events_from = r->events;
	struct frame *frame;
	struct node *node;

	LB_TRY(make_node(&node, r, event, kind, place));
	LB_TRY(check_depth(r, 1, (struct lb_place){ node->shown.line, node->shown.column }));
	frame = lb_vec_add(&r->frames);
	if (frame == NULL)
		return lb_err_of(LB_E_NOMEM);
	*frame = (struct frame){ node, r->finished.count, events_from, 0, place.column };
	node->open = true;
	return LB_OK;
}

static lb_err on_end(struct reader *r)
{
	struct frame frame = *LB_VEC_AT(&r->frames, struct frame, r->frames.count - 1);
	size_t count = r->finished.count - frame.items_from;
	struct node *node = frame.node;

	r->frames.count--;
	node->open = false;
	node->events = r->events - frame.events_from;
	node->height = frame.height + 1;
	if (count > 0) {
		node->shown.items = LB_ARENA_NEW(r->arena, struct lb_yaml_node *, count);
		if (node->shown.items == NULL)
			return lb_err_of(LB_E_NOMEM);
	}
	for (size_t i = 0; i < count; i++)
		node->shown.items[i] =
			&(*LB_VEC_AT(&r->finished, struct node *, frame.items_from + i))->shown;
	node->shown.count = (uint32_t)count;
	r->finished.count = frame.items_from;
	return deliver(r, node);
}

static lb_err on_alias(struct reader *r, struct fy_event *event)
{
	struct lb_place place = place_of_mark(fy_event_start_mark(event), r->last);
	struct lb_bytes name;
	struct node *target;

	if (place.column > 1)
		place.column--; /* the mark stands behind the asterisk */
	LB_TRY(token_bytes(&name, r, fy_event_get_token(event)));
	target = lb_map_get(&r->anchors, name);
	if (target == NULL)
		return fail_at(r->diag, LB_E_MALFORMED, place, "no anchor &%.*s before this alias",
		               LB_FMT(name));
	if (target->open)
		return fail_at(r->diag, LB_E_MALFORMED, place,
		               "alias *%.*s stands inside of what it stands for", LB_FMT(name));
	LB_TRY(count_events(r, target->events, place));
	LB_TRY(check_depth(r, target->height, place));
	target->shown.aliased = true;
	return deliver(r, target);
}

/* ---- events ---- */

static lb_err on_document(struct reader *r, struct fy_event *event)
{
	if (r->documents++ == 0)
		return LB_OK;
	return fail_at(r->diag, LB_E_MALFORMED, place_of_mark(fy_event_start_mark(event), r->last),
	               "a second document; only one is expected");
}

static lb_err on_event(struct reader *r, struct fy_event *event)
{
	switch (event->type) {
	case FYET_SCALAR: return on_scalar(r, event);
	case FYET_ALIAS: return on_alias(r, event);
	case FYET_SEQUENCE_START: return on_start(r, event, LB_YAML_SEQUENCE);
	case FYET_MAPPING_START: return on_start(r, event, LB_YAML_MAPPING);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END: return on_end(r);
	case FYET_DOCUMENT_START: return on_document(r, event);
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END: break;
	}
	return LB_OK;
}

static void remember_end(struct reader *r, struct fy_event *event)
{
	struct fy_token *token = fy_event_get_token(event);

	if (token == NULL)
		return;
	r->last = place_of_mark(fy_token_end_mark(token), r->last);
	r->last_offset = fy_token_end_mark(token)->input_pos;
}

/* Where in the text the line and column of an error are. */
static size_t offset_of(const struct reader *r, const struct fy_diag_error *error)
{
	struct lb_bytes rest = r->text, line = { 0 };
	int column = 1;
	size_t at;

	for (int i = 0; i < error->line; i++) {
		if (!lb_yaml_next_line(&line, NULL, &rest))
			return r->text.len;
	}
	if (error->line < 1)
		return r->text.len;
	at = (size_t)(line.at - r->text.at);
	for (; column < error->column && at < r->text.len; column++) {
		at++;
		while (at < r->text.len && (r->text.at[at] & 0xc0) == 0x80)
			at++;
	}
	return at;
}

/* Is this where a flow collection ends and a comment begins without a blank between? */
static bool is_tight_comment(const struct reader *r, size_t at)
{
	return at > 0 && at < r->text.len && r->text.at[at] == '#' &&
	       (r->text.at[at - 1] == ']' || r->text.at[at - 1] == '}');
}

/* A comment right behind the end of a flow collection ("[a]# b"), which GitHub reads as one. */
static lb_err mend_comment(struct reader *r, size_t at)
{
	size_t end = at;

	while (end < r->text.len && r->text.at[end] != '\n' && r->text.at[end] != '\r')
		end++;
	return mend(r, at, end, ' ');
}

/* libfyaml stopped: its first complaint names the cause, the later ones follow from it. */
static lb_err parse_error(struct reader *r)
{
	void *at = NULL;
	const struct fy_diag_error *error = fy_diag_errors_iterate(r->said, &at);
	struct lb_place place = r->last;

	if (error == NULL && r->heard.text[0] == '\0')
		return lb_err_of(LB_E_NOMEM); /* it had no memory for a message either */
	if (error == NULL)
		return fail_at(r->diag, LB_E_MALFORMED, place, "%s", r->heard.text);
	if (r->mends < MENDS_MAX && is_tight_comment(r, offset_of(r, error)))
		return mend_comment(r, offset_of(r, error));
	if (error->line > 0 && error->column > 0)
		place = (struct lb_place){ (uint32_t)error->line, (uint32_t)error->column };
	return fail_at(r->diag, LB_E_MALFORMED, place, "%s", error->msg);
}

static lb_err read_events(struct reader *r)
{
	struct fy_event *event = fy_parser_parse(r->parser);

	while (event != NULL) {
		lb_err err = on_event(r, event);

		remember_end(r, event);
		fy_parser_event_free(r->parser, event);
		LB_TRY(err);
		event = fy_parser_parse(r->parser);
	}
	return fy_parser_get_stream_error(r->parser) ? parse_error(r) : LB_OK;
}

/* ---- setting up ---- */

/* What is printable by YAML 1.2, 5.1, below U+0080; libfyaml would take NUL for the end. */
static size_t find_control(struct lb_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
			return i;
	}
	return SIZE_MAX;
}

/* What libfyaml 0.7.12 takes quadratic time for: a megabyte of either would keep it for an hour. */
enum { BLANK_LINES_MAX = 1000, DIRECTIVE_BYTES_MAX = 256 };

/* "? a:<tab>b", behind a byte order mark as well: libfyaml 0.7.12 frees an indentation twice over
 * it. */
static bool is_key_with_tab(struct lb_bytes line)
{
	size_t at = 0;

	while (at < line.len && strchr(" \t-\xef\xbb\xbf", line.at[at]) != NULL)
		at++;
	return at < line.len && line.at[at] == '?' && lb_bytes_find_byte(line, '\t') != SIZE_MAX;
}

static lb_err check_lines(struct lb_bytes text, struct lb_diag *diag)
{
	struct lb_place place = { 0, 1 };
	struct lb_bytes line;
	uint32_t blank = 0;

	while (lb_yaml_next_line(&line, NULL, &text)) {
		place.line++;
		blank = lb_bytes_trim(line).len == 0 ? blank + 1 : 0;
		if (blank > BLANK_LINES_MAX)
			return fail_at(diag, LB_E_LIMIT, place, "more than %d blank lines in a row",
			               BLANK_LINES_MAX);
		if (is_key_with_tab(line))
			return fail_at(diag, LB_E_MALFORMED, place,
			               "a tab in a line that begins with ?");
		if (line.len > DIRECTIVE_BYTES_MAX && line.at[0] == '%')
			return fail_at(diag, LB_E_LIMIT, place, "a directive of more than %d bytes",
			               DIRECTIVE_BYTES_MAX);
	}
	return LB_OK;
}

static lb_err check_text(struct lb_bytes text, const struct lb_yaml_limits *limits,
                         struct lb_diag *diag)
{
	size_t bad;

	if (text.len > limits->bytes_max) {
		lb_diag_set(diag, "%zu bytes of YAML; at most %zu are read", text.len,
		            limits->bytes_max);
		return lb_err_of(LB_E_LIMIT);
	}
	bad = lb_utf8_check(text);
	if (bad != SIZE_MAX)
		return fail_at(diag, LB_E_MALFORMED, lb_place_of(text, bad),
		               "byte 0x%02x is not UTF-8", text.at[bad]);
	bad = find_control(text);
	if (bad != SIZE_MAX)
		return fail_at(diag, LB_E_MALFORMED, lb_place_of(text, bad),
		               "control character 0x%02x", text.at[bad]);
	return check_lines(text, diag);
}

static struct lb_yaml_limits limits_of(const struct lb_yaml_limits *given)
{
	struct lb_yaml_limits limits = given != NULL ? *given : (struct lb_yaml_limits){ 0 };

	if (limits.bytes_max == 0)
		limits.bytes_max = 1 << 20;
	if (limits.depth_max == 0)
		limits.depth_max = 50;
	if (limits.events_max == 0)
		limits.events_max = 1000000;
	return limits;
}

/* Called for what libfyaml does not collect: nothing of it may reach the terminal, but the first
 * line may be all it says about a failure. */
static void listen(struct fy_diag *diag, void *user, const char *text, size_t len)
{
	struct reader *r = user;
	struct lb_bytes line = lb_bytes_trim((struct lb_bytes){ (const unsigned char *)text, len });

	(void)diag;
	if (lb_bytes_starts(line, LB_B("[ERR]: ")))
		line = lb_bytes_from(line, 7);
	if (r->heard.text[0] == '\0')
		lb_diag_set(&r->heard, "%.*s", LB_FMT(line));
}

static lb_err open_parser(struct reader *r, struct lb_bytes text)
{
	struct fy_diag_cfg diag = { 0 };
	const unsigned flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE |
	                       FYPCF_DEFAULT_VERSION_1_2 | FYPCF_SLOPPY_FLOW_INDENTATION;
	struct fy_parse_cfg config = { .flags = (enum fy_parse_cfg_flags)flags };

	fy_diag_cfg_default(&diag);
	diag.fp = NULL;
	diag.output_fn = listen;
	diag.user = r;
	diag.colorize = false;
	r->said = fy_diag_create(&diag);
	if (r->said == NULL)
		return lb_err_of(LB_E_NOMEM);
	fy_diag_set_collect_errors(r->said, true);
	config.diag = r->said;
	r->parser = fy_parser_create(&config);
	if (r->parser == NULL ||
	    fy_parser_set_string(r->parser, (const char *)text.at, text.len) != 0)
		return lb_err_of(LB_E_NOMEM);
	return LB_OK;
}

static void close_parser(struct reader *r)
{
	fy_parser_destroy(r->parser);
	if (r->said != NULL)
		fy_diag_destroy(r->said); /* fy_diag_unref would leak the errors */
	r->parser = NULL;
	r->said = NULL;
	lb_map_release(&r->anchors);
}

static lb_err read_once(struct reader *r)
{
	lb_err err;

	r->frames.count = r->finished.count = 0;
	r->events = r->documents = 0;
	r->root = NULL;
	r->last = (struct lb_place){ 1, 1 };
	r->last_offset = 0;
	r->heard.text[0] = '\0';
	r->again = false;
	lb_map_init(&r->anchors, r->arena->under);
	err = open_parser(r, r->mended.len > 0 ? lb_buf_bytes(&r->mended) : r->text);
	if (!lb_failed(err))
		err = read_events(r);
	if (!lb_failed(err) && r->arena->failed)
		err = lb_err_of(LB_E_NOMEM);
	close_parser(r);
	return err;
}

lb_err lb_yaml_read(struct lb_yaml_node **out, struct lb_arena *arena, struct lb_bytes text,
                    const struct lb_yaml_limits *limits, struct lb_diag *diag)
{
	struct reader r = {
		.arena = arena, .text = text, .diag = diag, .limits = limits_of(limits)
	};
	lb_err err;

	*out = NULL;
	LB_TRY(check_text(text, &r.limits, diag));
	if (text.len == 0)
		return LB_OK;
	lb_vec_init(&r.frames, arena->under, sizeof(struct frame), r.limits.depth_max);
	lb_vec_init(&r.finished, arena->under, sizeof(struct node *), r.limits.events_max);
	lb_buf_init(&r.piece, arena->under, 2 * r.limits.bytes_max + TAG_BYTES_MAX);
	lb_buf_init(&r.mended, arena->under, r.limits.bytes_max);
	do
		err = read_once(&r);
	while (r.again);
	if (!lb_failed(err) && r.root != NULL)
		*out = &r.root->shown;
	lb_vec_release(&r.frames);
	lb_vec_release(&r.finished);
	lb_buf_release(&r.piece);
	lb_buf_release(&r.mended);
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
