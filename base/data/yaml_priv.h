/* yaml_priv.h - what the parts of the YAML reader share: the text, where it is read, the nodes.
 *
 * The reader descends through the text once, from the first byte to the last.  Its text ends with
 * a NUL that is not counted and there is none before, so that it can look ahead without asking
 * where the end is.
 *
 * 1. at <= end; line_at <= at is where the line begins that `at` is in, and line its number.
 * 2. A node that is finished stands on `finished` until its collection takes it.
 * 3. depth + the height of a node on `finished` <= limits.depth_max, aliased or not.
 * 4. `events` counts what a walk over the result sees, aliases expanded, and so bounds it.
 * 5. Where the functions of yaml.c return, `at` is at what comes next, which has a line of its
 *    own, and indent is its indentation, -1 at the end of the document.
 */
#ifndef LB_DATA_YAML_PRIV_H
#define LB_DATA_YAML_PRIV_H

#include "base/buf.h"
#include "base/data/place_priv.h"
#include "base/data/yaml.h"
#include "base/map.h"
#include "base/vec.h"

/* Of a key before its colon: to see that it is one takes looking ahead. */
enum { YAML_KEY_BYTES_MAX = 1024 };

struct yaml_node {
	struct lb_yaml_node shown; /* first member */
	uint32_t events;           /* of the whole subtree, aliases expanded */
	uint32_t height;           /* 0: a scalar */
	bool open;                 /* a collection that has not ended */
};

/* What may stand before a node: &anchor and !tag. */
struct yaml_properties {
	struct lb_bytes anchor, tag;
	const unsigned char *at; /* the first of them; NULL: none */
	struct lb_place place;   /* of it */
};

struct yaml_reader {
	struct lb_arena *arena;
	struct lb_diag *diag;
	struct lb_yaml_limits limits;
	const unsigned char *at, *end, *line_at;
	uint32_t line;
	bool ascii, has_cr; /* of the whole text */
	const unsigned char
		*column_at; /* what has been counted of the line, where it is not ASCII */
	uint32_t columns;
	bool fresh;  /* nothing but blanks before `at` on its line */
	bool tabbed; /* ... with a tab among them, or between `at` and what came before it */
	int indent;  /* of a fresh line in blanks; -1: the end of the document */
	uint32_t depth, events;
	struct lb_vec finished; /* of struct yaml_node * */
	struct lb_buf piece;    /* of one moment: a text that is put together */
	struct lb_map anchors;  /* name to struct yaml_node */
	struct lb_map handles;  /* "!x!" to its prefix, a struct lb_bytes */
};

/* ---- characters ---- */

static inline bool yaml_is_blank(unsigned char c) { return c == ' ' || c == '\t'; }
static inline bool yaml_is_break(unsigned char c) { return c == '\n' || c == '\r'; }

/* A blank, a line's end, or the end of all. */
static inline bool yaml_is_gap(unsigned char c)
{
	return yaml_is_blank(c) || yaml_is_break(c) || c == '\0';
}

static inline bool yaml_is_bracket(unsigned char c)
{
	return c == ',' || c == '[' || c == ']' || c == '{' || c == '}';
}

static inline struct lb_bytes yaml_between(const unsigned char *from, const unsigned char *to)
{
	return (struct lb_bytes){ from, (size_t)(to - from) };
}

/* Is `c` at `at`, with a blank or an end behind? */
static inline bool yaml_is_indicator(const unsigned char *at, unsigned char c)
{
	return at[0] == c && yaml_is_gap(at[1]);
}

/* ---- yaml_scan.c: lines, places, complaints ---- */

/* Is it UTF-8, printable, not too long?  Sets ascii and has_cr. */
lb_err lb_yaml_check_text(struct yaml_reader *r, struct lb_bytes text);

/* The place of `at`, which is in the reader's line. */
struct lb_place lb_yaml_place(struct yaml_reader *r, const unsigned char *at);

lb_err lb_yaml_fail(struct yaml_reader *r, enum lb_code code, struct lb_place place,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* MALFORMED, at `at`. */
#define YAML_FAIL(r, ...) \
	lb_yaml_fail((r), LB_E_MALFORMED, lb_yaml_place((r), (r)->at), __VA_ARGS__)

lb_err lb_yaml_refuse_tab(struct yaml_reader *r);

/* The line's end before `next` has been passed. */
static inline void yaml_next_line(struct yaml_reader *r, const unsigned char *next)
{
	r->at = r->line_at = r->column_at = next;
	r->columns = 0;
	r->line++;
}

/* Behind the line's end that is at `at`. */
static inline const unsigned char *yaml_behind_break(const unsigned char *at)
{
	return at[0] == '\r' && at[1] == '\n' ? at + 2 : at + 1;
}

/* The end of the line that `at` is in: at its line end, or at the end of all. */
const unsigned char *lb_yaml_line_end(const struct yaml_reader *r, const unsigned char *at);

/* Is this --- or ...?  In the first column it ends a document, whatever it stands in. */
static inline bool yaml_is_marker(const unsigned char *at)
{
	return (at[0] == '-' || at[0] == '.') && at[1] == at[0] && at[2] == at[0] &&
	       yaml_is_gap(at[3]);
}

/* Over blanks, comments and lines to what comes next; sets fresh, tabbed and indent. */
void lb_yaml_skip(struct yaml_reader *r);
void lb_yaml_skip_blanks(struct yaml_reader *r); /* within the line */

/* ---- yaml_node.c ---- */

/* A node without content.  Its anchor is known from now on. */
lb_err lb_yaml_node_new(struct yaml_node **out, struct yaml_reader *r, enum lb_yaml_kind kind,
                        struct lb_place place, const struct yaml_properties *properties);

/* It is finished: a scalar, or what an alias stands for. */
lb_err lb_yaml_deliver(struct yaml_reader *r, struct yaml_node *node);

lb_err lb_yaml_scalar_new(struct yaml_reader *r, enum lb_yaml_style style, struct lb_bytes text,
                          struct lb_place place, const struct yaml_properties *properties);

/* Properties that have been found to belong to a node that is there already. */
lb_err lb_yaml_node_adorn(struct yaml_reader *r, struct yaml_node *node,
                          const struct yaml_properties *properties);

/* The node that was finished last. */
struct yaml_node *lb_yaml_last(const struct yaml_reader *r);

struct yaml_frame {
	struct yaml_node *node;
	size_t items_from; /* in `finished` */
};

/* A collection begins; with the node that was finished last as its first item, or without. */
lb_err lb_yaml_begin(struct yaml_frame *out, struct yaml_reader *r, enum lb_yaml_kind kind,
                     struct lb_place place, const struct yaml_properties *properties,
                     bool has_first);
lb_err lb_yaml_end(struct yaml_reader *r, const struct yaml_frame *frame);

lb_err lb_yaml_alias(struct yaml_reader *r); /* at the asterisk */

/* ---- yaml_tag.c ---- */

/* %YAML and %TAG; true in *any where there was one. */
lb_err lb_yaml_directives(bool *any, struct yaml_reader *r);

/* At & or !: what there is of both on this line is added; each may be there once. */
lb_err lb_yaml_properties(struct yaml_properties *out, struct yaml_reader *r);

/* &a on one line, !b on the next: both are one node's. */
lb_err lb_yaml_properties_join(struct yaml_properties *out, struct yaml_reader *r,
                               const struct yaml_properties *more);

/* The name behind & or *. */
lb_err lb_yaml_anchor_name(struct lb_bytes *out, struct yaml_reader *r);

/* ---- yaml_scalar.c, yaml_block.c, yaml_flow.c ---- */

/* The piece as the reader's own. */
lb_err lb_yaml_take_piece(struct lb_bytes *out, struct yaml_reader *r);

/* At the first character or quote; behind the last when done.  A plain scalar goes on in lines
 * that are indented deeper than `parent`, within brackets (`flow`) in any. */
lb_err lb_yaml_plain(struct lb_bytes *out, struct yaml_reader *r, int parent, bool flow);
lb_err lb_yaml_single_quoted(struct lb_bytes *out, struct yaml_reader *r);
lb_err lb_yaml_double_quoted(struct lb_bytes *out, struct yaml_reader *r);

/* At | or >; at the begin of the line behind it when done. */
lb_err lb_yaml_block(struct lb_bytes *out, struct yaml_reader *r, int parent);

/* An alias, a quoted or plain scalar, or a collection in brackets, and delivers it. */
lb_err lb_yaml_inline(struct yaml_reader *r, const struct yaml_properties *properties, int parent,
                      bool flow);

#endif
