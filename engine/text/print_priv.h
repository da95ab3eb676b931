/* print_priv.h - the printer's state, as its files share it. */
#ifndef ENGINE_TEXT_PRINT_PRIV_H
#define ENGINE_TEXT_PRINT_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "engine/binary/reader.h"
#include "engine/op.h"

/* ORDER: the first five are the kinds of imports and exports, by their numbers in the binary. */
enum print_space {
	PRINT_FUNC,
	PRINT_TABLE,
	PRINT_MEMORY,
	PRINT_GLOBAL,
	PRINT_TAG,
	PRINT_TYPE,
	PRINT_ELEM,
	PRINT_DATA,
	PRINT_SPACES
};

/* A name and the identifier made of it, which no other of its space has. */
struct print_name {
	struct lb_bytes name, id; /* at NULL: none */
};

/* Of a local or a field. */
struct print_inner {
	uint32_t outer, inner;
	struct print_name name;
};

/* A type of the type section, where its parts are in the binary. */
struct print_type {
	uint8_t form;                /* 0x60 function, 0x5f structure, 0x5e array */
	struct engine_reader params; /* at the count of parameters */
	uint32_t param_count;
};

struct printer {
	struct lb_mem *mem;
	struct lb_buf *out;
	struct lb_arena arena;
	struct engine_reader r; /* what is read now */

	struct print_name *names[PRINT_SPACES];
	uint32_t counts[PRINT_SPACES], import_counts[PRINT_SPACES];
	uint32_t next[PRINT_SPACES]; /* the next that is printed */
	struct lb_bytes module_name;
	struct lb_vec locals, labels, fields; /* struct print_inner, in rising order */
	struct lb_vec types;                  /* struct print_type */
	struct engine_reader functions; /* the function section: types of the bodies to come */
	struct engine_reader hints; /* the section of branch hints, from the next function's on */
	uint32_t hint_funcs;        /* left in it */
	struct engine_reader body_hints;
	uint32_t body_hint_count;

	uint32_t func;             /* whose body is printed */
	const unsigned char *body; /* its first byte */
	unsigned indent;
	uint32_t depth;       /* blocks that are open in it */
	uint32_t label_count; /* blocks so far */
	struct lb_vec opened; /* struct lb_bytes: the names of those that are open */
};

void engine_print_line(struct printer *p); /* a new line, indented */
void engine_print_text(struct printer *p, const char *text);
void engine_print_string(struct printer *p, struct lb_bytes bytes); /* quoted */
#define print_fmt(p, ...) lb_buf_addf((p)->out, __VA_ARGS__)

/* ---- names (print_names.c) ---- */

/* Read the content of a name section; what is wrong in it ends it there. */
lb_err engine_print_read_names(struct printer *p, struct engine_reader section);
bool engine_print_has_names(const struct lb_vec *names, uint32_t outer);
bool engine_print_is_named(const struct lb_vec *names, uint32_t outer, uint32_t inner);
void engine_print_index(struct printer *p, enum print_space space,
                        uint32_t index); /* " $x" or " 3" */
void engine_print_binding(struct printer *p, enum print_space space, uint32_t index);
void engine_print_inner_binding(struct printer *p, const struct lb_vec *names, uint32_t outer,
                                uint32_t inner);
struct lb_bytes engine_print_label_name(const struct printer *p, uint32_t label);
void engine_print_id(struct printer *p, struct lb_bytes id);
void engine_print_inner_index(struct printer *p, const struct lb_vec *names, uint32_t outer,
                              uint32_t inner);

/* ---- types (print_types.c) ---- */

lb_err engine_print_value_type(struct printer *p); /* " i32", from p->r */
lb_err engine_print_mutable(struct printer *p);    /* " (mut i32)" */
lb_err engine_print_skip_value_types(struct printer *p, uint32_t count);
lb_err engine_print_heap_type(struct printer *p);
lb_err engine_print_ref(struct printer *p, bool nullable); /* " (ref null x)" of a heap type */
enum { PRINT_LIMITS_MAX = 1, PRINT_LIMITS_SHARED = 2, PRINT_LIMITS_64 = 4, PRINT_LIMITS_PAGE = 8 };
lb_err engine_print_limits(struct printer *p, bool memory);
lb_err engine_print_types(struct printer *p, uint32_t count); /* value types, in one clause */
/* " (type 0) (param ...) (result ...)", parameters with the names of the function's locals
 * where `bind`. */
lb_err engine_print_type_use(struct printer *p, uint32_t type, bool bind);
lb_err engine_print_type_section(struct printer *p);
lb_err engine_print_read_types(struct printer *p); /* the section before anything is printed */

/* ---- instructions (print_instr.c) ---- */

lb_err engine_print_body(struct printer *p); /* up to the end of p->r, a line each */
/* Up to its end: "(i32.const 0)" for one instruction, else all flat, in "(WORD ...)" where
 * there is a word. */
lb_err engine_print_expression(struct printer *p, const char *word);

#endif
