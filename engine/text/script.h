/* script.h - the official tests' script language: modules, actions, assertions, one by one.
 *
 * Layer: engine, shared by its folders.  Owner: the caller of engine_script_open, who calls
 * engine_script_close; the text must outlive the script.  Threads: one at a time.
 */
#ifndef ENGINE_TEXT_SCRIPT_H
#define ENGINE_TEXT_SCRIPT_H

#include "base/arena.h"
#include "engine/text/text.h"

enum engine_script_kind {
	ENGINE_SCRIPT_MODULE,     /* (module $name? ...): to be instantiated */
	ENGINE_SCRIPT_DEFINITION, /* (module definition $name? ...): not yet */
	ENGINE_SCRIPT_INSTANCE,   /* (module instance $name? $of?) */
	ENGINE_SCRIPT_REGISTER,   /* (register "text" $of?) */
	ENGINE_SCRIPT_UNKNOWN,    /* (text ...): what this knows nothing of */
	ENGINE_SCRIPT_ACTION,
	ENGINE_SCRIPT_RETURN,        /* (assert_return ACTION VALUE*) */
	ENGINE_SCRIPT_TRAP,          /* (assert_trap ACTION "text") */
	ENGINE_SCRIPT_EXHAUSTION,    /* (assert_exhaustion ACTION "text") */
	ENGINE_SCRIPT_EXCEPTION,     /* (assert_exception ACTION) */
	ENGINE_SCRIPT_MALFORMED,     /* (assert_malformed MODULE "text"), also of custom sections */
	ENGINE_SCRIPT_INVALID,       /* (assert_invalid MODULE "text"), also of custom sections */
	ENGINE_SCRIPT_UNLINKABLE,    /* (assert_unlinkable MODULE "text") */
	ENGINE_SCRIPT_UNINSTANTIABLE /* (assert_trap MODULE "text") */
};

enum engine_script_value_kind {
	ENGINE_SCRIPT_I32,
	ENGINE_SCRIPT_I64,
	ENGINE_SCRIPT_F32,
	ENGINE_SCRIPT_F64,
	ENGINE_SCRIPT_V128,
	ENGINE_SCRIPT_NULL,   /* (ref.null heap?): any null reference */
	ENGINE_SCRIPT_EXTERN, /* (ref.extern n): the embedder's own; without n, any */
	ENGINE_SCRIPT_HOST,   /* (ref.host n): the same as a reference of the any hierarchy */
	ENGINE_SCRIPT_REF,    /* (ref.func), (ref.struct) ...: heap says of which kind */
	ENGINE_SCRIPT_EITHER  /* (either VALUE+) */
};

enum engine_script_pattern {
	ENGINE_SCRIPT_EXACT,
	ENGINE_SCRIPT_CANONICAL,
	ENGINE_SCRIPT_ARITHMETIC
};

/* A number, or the NaNs that a pattern allows. */
struct engine_script_lane {
	uint64_t bits;
	enum engine_script_pattern pattern;
};

enum { ENGINE_SCRIPT_LANES_MAX = 16 };

struct engine_script_value {
	enum engine_script_value_kind kind;
	uint8_t lane_count, lane_bits;
	bool has_number;      /* of ENGINE_SCRIPT_EXTERN, ENGINE_SCRIPT_HOST */
	struct lb_bytes heap; /* "func", "struct" ...; empty: any */
	struct engine_script_lane lanes[ENGINE_SCRIPT_LANES_MAX]; /* of numbers, the first */
	const struct engine_script_value *choices;                /* ENGINE_SCRIPT_EITHER */
	uint32_t choice_count;
};

struct engine_script_action {
	bool is_get; /* (get ...): a global; else (invoke ...) */
	struct lb_bytes of, field;
	const struct engine_script_value *args;
	uint32_t arg_count;
};

/* Everything in it is the script's, and good until the next command is asked for. */
struct engine_script_command {
	enum engine_script_kind kind;
	size_t line;
	struct lb_bytes name, of; /* identifiers without their $; empty: none */
	struct lb_bytes text;     /* what is expected, the name to register, the unknown word */
	bool is_custom;           /* assertions: about custom sections, malformed or invalid */
	struct engine_script_action action;
	const struct engine_script_value *results;
	uint32_t result_count;
	size_t module; /* where the module is, for engine_script_module */
};

struct engine_script;

/* The options are those of its modules; their name is the script's, borrowed.  MALFORMED where the
 * text is no list of tokens. */
lb_err engine_script_open(struct engine_script **out, struct lb_mem *mem, struct lb_bytes text,
                          const struct engine_text_options *options, struct lb_diag *diag);
void engine_script_close(struct engine_script *script); /* NULL is fine */

/* The next command; END behind the last. A script that is a module's fields alone is one module. */
lb_err engine_script_next(struct engine_script_command *out, struct engine_script *script,
                          struct lb_diag *diag);

/* The bytes of a command's module, appended. */
lb_err engine_script_module(struct lb_buf *out, struct engine_script *script,
                            const struct engine_script_command *command, struct lb_diag *diag);

#endif
