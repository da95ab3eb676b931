/* parse_priv.h - the parser's state, as its files share it.
 *
 * The module is passed over three times: for the names and the sizes of the index
 * spaces, for the types, for everything else.  Sections are appended to as their
 * fields come; emit.c puts them together.
 *
 * 1. tokens[at] is no annotation; those between the token before and it stand from `note` on,
 *    until someone takes them.  One that nobody took is in the wrong place.
 * 2. What `names` says of a space is whole before any body is read.
 * 3. Whatever holds memory hangs in the parser and is released with it.
 */
#ifndef ENGINE_TEXT_PARSE_PRIV_H
#define ENGINE_TEXT_PARSE_PRIV_H

#include "base/arena.h"
#include "base/map.h"
#include "engine/op.h"
#include "engine/text/encode_priv.h"
#include "engine/text/lexer.h"
#include "engine/text/text.h"
#include "engine/text/words.h"

/* ORDER: the first five are the kinds of imports and exports, by their numbers in the binary. */
enum space {
	SPACE_FUNC,
	SPACE_TABLE,
	SPACE_MEMORY,
	SPACE_GLOBAL,
	SPACE_TAG,
	SPACE_TYPE,
	SPACE_ELEM,
	SPACE_DATA,
	SPACE_LOCAL,
	SPACE_LABEL,
	SPACE_COUNT
};

/* Identifiers of one index space. */
struct names {
	struct lb_map map; /* to index + 1 as a pointer */
	uint32_t count;    /* of the things, named or not */
	uint32_t import_count;
	struct lb_buf section; /* of the name section: index and name of each that has one */
	uint32_t section_count;
};

/* What is known of a type. */
struct type {
	struct lb_bytes form; /* of a function: the binary form, to be compared; empty: another */
	uint32_t param_count;
	struct lb_map *fields; /* of a structure, to index + 1; NULL: no names in it */
};

/* Parameters and results on their way: encoded value types. */
struct signature {
	struct lb_buf params, results, form;
	uint32_t param_count, result_count;
	bool given; /* there was a clause, even an empty one */
};

/* ORDER: by their numbers in the binary. */
enum section {
	SECTION_CUSTOM,
	SECTION_TYPE,
	SECTION_IMPORT,
	SECTION_FUNC,
	SECTION_TABLE,
	SECTION_MEMORY,
	SECTION_GLOBAL,
	SECTION_EXPORT,
	SECTION_START,
	SECTION_ELEM,
	SECTION_CODE,
	SECTION_DATA,
	SECTION_DATA_COUNT,
	SECTION_TAG,
	SECTION_COUNT
};

/* A custom section from an annotation, and the section it is put before or after. */
struct custom {
	struct lb_bytes name, content;
	unsigned place; /* 2 * rank (see custom.c), 1 more for after */
};

enum { PARSE_LAST = 29 }; /* the place after everything */

/* A block or a folded instruction that is open. */
struct frame {
	struct lb_bytes label; /* empty: none */
	uint32_t shadowed;     /* what the label's name meant before: index + 1 */
	uint32_t pending;      /* where its bytes begin in parser.pending */
	uint16_t op;           /* index in the table */
	uint8_t kind, hint;
};

struct parser {
	struct lb_mem *mem;
	struct engine_text_source source;
	const struct engine_words *words;
	const struct engine_token *tokens;
	size_t at;
	size_t note;      /* the first annotation before tokens[at]; SIZE_MAX: none, or taken */
	size_t misplaced; /* the first that was not taken; SIZE_MAX: none */
	bool strict;      /* the pass that reads everything: annotations must be taken */
	struct lb_arena arena;
	bool with_names;
	const struct engine_module_options *features;

	struct names names[SPACE_COUNT];
	struct lb_vec types;      /* struct type */
	struct lb_map type_forms; /* of plain function types, to index + 1 */
	struct lb_buf sections[SECTION_COUNT];
	uint32_t counts[SECTION_COUNT];
	struct lb_vec customs; /* struct custom */
	struct lb_bytes module_name;
	bool has_start, needs_data_count;
	uint32_t next[SPACE_TAG + 1]; /* the index of the next of each kind */

	struct signature signature;
	struct lb_buf group;    /* the types of one recursive group; limits; a segment's offset */
	struct lb_buf supers;   /* of one type */
	struct lb_buf run_type; /* of the locals that stand together, of a segment's elements */
	struct lb_buf aside;    /* immediates that are needed after what follows them */
	struct lb_buf body, pending, scratch;
	struct lb_vec frames;                   /* struct frame */
	uint32_t depth;                         /* labels open */
	struct lb_buf local_names, label_names; /* of the name section */
	uint32_t local_names_count, label_names_count, field_names_count;
	uint32_t label_count; /* labels that were opened in the function at hand */
	struct lb_buf field_names;
	struct lb_buf hints, body_hints; /* branch hints: of all functions, of the one at hand */
	uint32_t hint_funcs, body_hint_count;
};

/* ---- the cursor (cursor.c) ---- */

static inline const struct engine_token *here(const struct parser *p) { return &p->tokens[p->at]; }
static inline struct lb_bytes text_at(const struct parser *p, size_t at)
{
	return engine_token_text(&p->source, &p->tokens[at]);
}
static inline struct lb_bytes text_here(const struct parser *p) { return text_at(p, p->at); }

lb_err engine_parse_fail(const struct parser *p, size_t token, enum lb_code code,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "unexpected token", or "unknown operator" for a word that means nothing anywhere. */
lb_err engine_parse_unexpected(const struct parser *p);

void engine_parse_begin(struct parser *p, size_t at); /* put the cursor there */
void engine_parse_step(struct parser *p);             /* to the next token that is no annotation */
size_t engine_parse_next(const struct parser *p, size_t at); /* the one behind `at` */
bool engine_parse_take_note(size_t *at, struct parser *p, enum engine_token_kind kind);
bool engine_parse_is_open(const struct parser *p, const char *word); /* "(word" */
bool engine_parse_is_word(const struct parser *p, const char *word);
bool engine_parse_take_word(struct parser *p, const char *word);
lb_err engine_parse_open(struct parser *p, const char *word); /* step over "(word" */
bool engine_parse_take_open(struct parser *p, const char *word);
lb_err engine_parse_close(struct parser *p);
void engine_parse_skip(struct parser *p); /* the whole list or token */

lb_err engine_parse_nat(uint64_t *out, struct parser *p, uint64_t max, const char *too_large);
lb_err engine_parse_string(struct lb_bytes *out, struct parser *p); /* in the arena */
lb_err engine_parse_name(struct lb_bytes *out, struct parser *p); /* a string that must be UTF-8 */
lb_err engine_parse_id(struct lb_bytes *out, struct parser *p);   /* empty where there is none */
lb_err engine_parse_id_text(struct lb_bytes *out, struct parser *p, size_t token);

/* The next thing of a space: its identifier is read where there is one, and its name. */
lb_err engine_parse_bind(uint32_t *index, struct parser *p, enum space space);
/* The content of "(@name ...)" before the cursor, if there is one; empty otherwise. */
lb_err engine_parse_take_name(struct lb_bytes *out, struct parser *p);
/* The same again, for what was bound before. */
lb_err engine_parse_skip_bound(struct parser *p);
/* Put a name into the name section's part for that space. */
void engine_parse_show_name(struct names *names, uint32_t index, struct lb_bytes name);
bool engine_parse_is_index(const struct parser *p);
lb_err engine_parse_index(uint32_t *out, struct parser *p, enum space space);
lb_err engine_parse_find(uint32_t *out, struct parser *p, enum space space, size_t token);

/* ---- types (types.c) ---- */

lb_err engine_parse_type_field(struct parser *p); /* (type ...) or (rec ...) */
lb_err engine_parse_value_type(struct lb_buf *out, struct parser *p);
lb_err engine_parse_ref_type(struct lb_buf *out, struct parser *p);
lb_err engine_parse_heap_type(struct lb_buf *out, struct parser *p);
/* (ref null? heap), its parts apart; abbreviations too. */
lb_err engine_parse_ref_parts(bool *nullable, struct lb_buf *heap, struct parser *p);
bool engine_parse_is_ref_type(const struct parser *p);
lb_err engine_parse_limits(struct lb_buf *out, struct parser *p, bool memory);
lb_err engine_parse_page_size(unsigned *log, struct parser *p); /* what stands behind "(pagesize" */
lb_err engine_parse_table_type(struct lb_buf *out, struct parser *p);
lb_err engine_parse_global_type(struct lb_buf *out, struct parser *p);

/* (type x)? (param ...)* (result ...)*: the index of the type, which is made where there is
 * none.  Parameters' names are passed over, bound as locals, or refused. */
enum type_use { TYPE_USE_PLAIN, TYPE_USE_BIND, TYPE_USE_NAMELESS };
lb_err engine_parse_type_use(uint32_t *out, struct parser *p, enum type_use use);
/* The same for blocks, encoded: empty, one type, or an index. */
lb_err engine_parse_block_type(struct lb_buf *out, struct parser *p);
struct type *engine_parse_type_of(const struct parser *p, uint32_t index); /* NULL: there is none */

/* ---- instructions (instr.c, imm.c) ---- */

/* Instructions up to a parenthesis that closes what is around them, which stays; with `end`. */
lb_err engine_parse_body(struct lb_buf *out, struct parser *p);
/* One folded instruction, or "(offset instr*)" and "(item instr*)" alike, as an expression. */
lb_err engine_parse_expression(struct lb_buf *out, struct parser *p, const char *word);
lb_err engine_parse_folded(struct lb_buf *out, struct parser *p);
/* i8x16 and so on: how a v128 is written. */
struct parse_shape {
	const char *word;
	unsigned lanes, width; /* bits */
	bool is_float;
};
bool engine_parse_shape(struct parse_shape *shape, struct parser *p);

void engine_encode_op(struct lb_buf *out, unsigned op);
lb_err engine_parse_immediates(struct lb_buf *out, struct parser *p,
                               unsigned op); /* with the opcode */
lb_err engine_parse_catches(struct lb_buf *out, struct parser *p);

/* ---- the module (fields.c, custom.c, emit.c) ---- */

lb_err engine_parse_fields(struct parser *p);  /* all, from the cursor to what closes the module */
lb_err engine_parse_customs(struct parser *p); /* (@custom ...) before the cursor */
lb_err engine_parse_check_annotations(
	const struct parser *p); /* MALFORMED where one is misplaced */
lb_err engine_parse_emit(struct lb_buf *out, struct parser *p);

#endif
