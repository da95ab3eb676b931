/* validate_priv.h - the state of checking one function while its code is made.
 *
 * Invariants:
 *
 * 1. operands[i] has its home in the frame slot behind that of operands[i - 1] (or behind the
 *    locals), whether or not the value has been put there yet (enum place).  A v128 takes
 *    two slots, anything else one.
 * 2. The operands that stand for the local in slot x, or for a sum with it, form a list from
 *    alias_heads[x] - 1, newest first; it is empty for every local when the operand stack is.
 * 3. Below alias_floor no operand stands for a local, so that what is there is
 *    the same on every way into a label.
 * 4. Code is emitted only while emitting(v): where no branch can arrive, checking
 *    goes on with nothing made.
 * 5. last is the newest instruction with a single result in `a`, provided
 *    nothing was emitted after it and no label stands behind it.
 * 6. Where a branch can arrive, engine_emit_barrier was called: instructions before and behind
 *    are never made one.
 */
#ifndef ENGINE_VALIDATE_VALIDATE_PRIV_H
#define ENGINE_VALIDATE_VALIDATE_PRIV_H

#include "engine/interpret/helper.h"
#include "engine/validate/validate.h"

enum place {
	PLACE_HOME,  /* in its home slot */
	PLACE_LOCAL, /* the same as a local, until that is written */
	PLACE_SUM,   /* an i32: a local plus a number, to be added where it is used */
	PLACE_CONST  /* a number, not yet in any slot */
};

/* The type of operands made out of nothing in unreachable code; known to be a reference. */
enum { TYPE_ANY = 0, TYPE_ANY_REF = 0x62 };

enum { NONE = UINT32_MAX };

struct operand {
	engine_type type;
	enum place place;
	uint32_t home;
	uint32_t local;      /* PLACE_LOCAL, PLACE_SUM: its slot */
	uint32_t next_alias; /* index + 1 of the next older operand for that local, 0: none */
	uint64_t value;      /* PLACE_CONST, PLACE_SUM */
};

struct control {
	uint16_t
		op; /* BLOCK, LOOP, IF, ELSE, TRY_TABLE, TRY, CATCH, CATCH_ALL; END: the function */
	bool unreachable; /* behind a branch: operands below the height are of any type */
	bool dead;        /* nothing arrives here: checked, but not translated */
	bool live;        /* code was made when it was entered */
	struct engine_func_type type;
	uint32_t height;      /* operands below belong to the blocks around */
	uint32_t base;        /* slot of the first value that a branch to the end brings */
	uint32_t init_height; /* locals set before it */
	uint32_t catches;     /* newest catch of a try: index + 1 */
	uint32_t body_end;    /* of a try: where its body ends, NONE: it goes on */
	uint32_t start;       /* code position, for loops */
	uint32_t forward;     /* newest branch to the end: a chain through the branches' imm */
	uint32_t otherwise;   /* the branch of an if that awaits its else */
	size_t checked_at;    /* the br_table that last checked this label */
};

struct local_run {
	uint32_t end;  /* index behind the run's last local */
	uint32_t slot; /* of its first */
	engine_type type;
};

/* What can be done with the newest instruction. */
enum last_form { LAST_OTHER, LAST_COMPARE, LAST_COMPARE_IMM };

struct engine_validator {
	struct engine_module *module;
	struct lb_mem *mem;
	const void *const *handlers;
	struct engine_reader r; /* of the body */
	size_t op_at;           /* offset of the instruction at hand */
	uint32_t func;          /* NONE: a constant expression */
	size_t code_base;       /* where the function's code begins in the module's */

	/* The newest instruction, where it is all of a constant expression. */
	struct engine_const simple;
	bool is_simple;

	struct operand *operands;
	uint32_t operand_count, operand_capacity;
	uint32_t *refs; /* operands that the collector must see, oldest first */
	uint32_t ref_count, ref_capacity;
	uint32_t slot_top, slot_high; /* behind the newest operand; most at any time */
	uint32_t alias_floor;
	struct control *controls;
	uint32_t control_count, control_capacity;

	struct local_run *runs;
	uint32_t run_count, run_capacity, local_count, local_slots;
	bool has_wide_locals;     /* a local's slot is not its index */
	engine_type *local_types; /* of the first locals; the runs have all */
	uint32_t local_types_count, local_types_capacity;
	uint32_t *alias_heads; /* by slot */
	uint32_t alias_heads_count;

	/* Locals without a default value that were set on the way here, and which those are. */
	uint32_t *inits;
	uint32_t init_count, init_capacity;
	unsigned char *is_set; /* by local */
	uint32_t is_set_count;
	bool has_unset_locals;

	/* What the function at hand has, until it is whole. */
	struct engine_region *regions;
	struct engine_catch *catches;
	struct engine_map *maps;
	uint32_t *map_slots;
	uint32_t region_count, region_capacity, catch_count, catch_capacity;
	uint32_t map_count, map_capacity, map_slot_count, map_slot_capacity;

	uint32_t last, last_code;
	uint32_t last_step; /* newest local = local + number, if no label stands behind it */
	enum last_form last_form;
	bool no_memory, too_many_references; /* sticky */
};

static inline struct control *top(struct engine_validator *v)
{
	return &v->controls[v->control_count - 1];
}

static inline bool emitting(const struct engine_validator *v)
{
	const struct control *c = &v->controls[v->control_count - 1];

	return c->live && !c->dead;
}

/* Whether the operand changes when a local is written. */
static inline bool on_local(const struct operand *o)
{
	return o->place == PLACE_LOCAL || o->place == PLACE_SUM;
}

static inline bool matches(const struct engine_validator *v, engine_type a, engine_type b)
{
	return a == b || engine_types_match(&v->module->types, a, b);
}

static inline bool is_reference(engine_type type)
{
	return type == TYPE_ANY || type == TYPE_ANY_REF || engine_type_is_ref(type);
}

static inline const struct engine_def_type *def_type(const struct engine_validator *v,
                                                     uint32_t index)
{
	return v->module->types.at[index];
}

/* ---- failing (body.c) ---- */

lb_err engine_validate_fail(const struct engine_validator *v, enum lb_code code, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));
lb_err engine_validate_mismatch(const struct engine_validator *v, engine_type want,
                                engine_type got);

/* ---- operands and blocks (operands.c) ---- */

lb_err engine_validate_push(struct engine_validator *v, engine_type type);
lb_err engine_validate_push_local(struct engine_validator *v, engine_type type, uint32_t local);
lb_err engine_validate_push_sum(struct engine_validator *v, uint32_t local, uint32_t value);
lb_err engine_validate_push_const(struct engine_validator *v, engine_type type, uint64_t value);
lb_err engine_validate_push_all(struct engine_validator *v, const engine_type *types,
                                uint32_t count);

/* TYPE_ANY takes any type. */
lb_err engine_validate_pop(struct operand *out, struct engine_validator *v, engine_type want);
lb_err engine_validate_pop_all(struct engine_validator *v, const engine_type *types,
                               uint32_t count);

/* Pop a reference, whatever it points to; TYPE_ANY_REF where that is not known. */
lb_err engine_validate_pop_ref(struct operand *out, struct engine_validator *v);

/* Check the newest operands without taking them. */
lb_err engine_validate_peek_all(struct engine_validator *v, const engine_type *types,
                                uint32_t count);

/* The same, and from now on they are of these types. */
lb_err engine_validate_cast_all(struct engine_validator *v, const engine_type *types,
                                uint32_t count);

/* Room for one more of something, doubling; the elements are moved. */
lb_err engine_validate_reserve(void **at, uint32_t *capacity, uint32_t count, size_t size,
                               struct lb_mem *mem);

lb_err engine_validate_push_control(struct engine_validator *v, uint16_t op,
                                    const struct engine_func_type *type);

/* The rest of the block cannot be reached. */
void engine_validate_unreachable(struct engine_validator *v);

/* Leave one slot free above the operands. */
void engine_validate_open_slot(struct engine_validator *v);

/* Locals that were first set in the block are not known to be set behind it. */
void engine_validate_forget_inits(struct engine_validator *v, const struct control *c);

/* Forget operands above the height. */
void engine_validate_truncate(struct engine_validator *v, uint32_t height);

/* ---- code (emit.c) ---- */

/* The position of the next instruction, from the function's first. */
uint32_t engine_emit_here(const struct engine_validator *v);

/* Append an instruction of two cells (or its head, more cells to follow with emit_cell).
 * With `has_result`, `a` is its only result.  All emit functions do nothing unless emitting. */
uint32_t engine_emit(struct engine_validator *v, unsigned code, union engine_cell operands,
                     bool has_result);
void engine_emit_compare(struct engine_validator *v, unsigned code, union engine_cell operands,
                         bool imm);
void engine_emit_head(struct engine_validator *v, unsigned code); /* of one cell */
void engine_emit_cell(struct engine_validator *v, uint64_t x);

static inline union engine_cell abcd(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	return (union engine_cell){
		.a = (uint16_t)a, .b = (uint16_t)b, .c = (uint16_t)c, .d = (uint16_t)d
	};
}

static inline union engine_cell ab_imm(uint32_t a, uint32_t b, int32_t imm)
{
	return (union engine_cell){ .a = (uint16_t)a, .b = (uint16_t)b, .imm = imm };
}

/* The slot an operand can be read from; a constant is put into its home first. */
uint32_t engine_emit_slot(struct engine_validator *v, const struct operand *o);

/* The newest `count` operands into their homes. */
void engine_emit_home(struct engine_validator *v, uint32_t count);

/* Before a label: no operand stands for a local. */
void engine_emit_unalias(struct engine_validator *v);

/* Before local x is written: operands that stand for it get their own copy. */
void engine_emit_preserve(struct engine_validator *v, uint32_t local);

/* Slot `to` = the operand. */
void engine_emit_move(struct engine_validator *v, uint32_t to, const struct operand *o);

/* A popped condition, taken apart if the instruction just made was its comparison. */
struct condition {
	unsigned code; /* that of the comparison; 0: none, slot `a` itself */
	uint32_t a, b;
	bool has_imm;
	int32_t imm; /* instead of b */
};

/* If the instruction just made is the sum of two slots in the operand's home, take it back. */
bool engine_emit_take_sum(uint32_t *a, uint32_t *b, struct engine_validator *v,
                          const struct operand *o);

/* If the instruction just made is a whole load of that type from memory 0 into the operand's home,
 * take it back. */
bool engine_emit_take_load(uint32_t *address, uint32_t *offset, struct engine_validator *v,
                           const struct operand *o, engine_type type);

/* If the instruction just made is a shift to the right by a number, into the operand's home, take
 * it back. */
bool engine_emit_take_shift(uint32_t *slot, uint32_t *by, struct engine_validator *v,
                            const struct operand *o);

/* The instruction just made, of more than two cells, has its single result in `a` after all. */
void engine_emit_has_result(struct engine_validator *v, uint32_t position, unsigned code);

struct condition engine_emit_take_condition(struct engine_validator *v, const struct operand *o);

/* Branch if the condition holds (or does not); returns the position, to be aimed. */
uint32_t engine_emit_branch_if(struct engine_validator *v, struct condition c, bool holds);
uint32_t engine_emit_branch(struct engine_validator *v);

/* Aim a branch at a block's label, or at the next instruction. */
void engine_emit_aim(struct engine_validator *v, uint32_t branch, struct control *c);
void engine_emit_aim_here(struct engine_validator *v, uint32_t branch);

/* A branch can arrive at the next instruction. */
void engine_emit_barrier(struct engine_validator *v);

/* The end label of a block: all branches to it arrive here. */
void engine_emit_label(struct engine_validator *v, struct control *c);

/* Move the newest operands, `count` of them, to where the label expects them. */
void engine_emit_label_values(struct engine_validator *v, const struct control *c, uint32_t count);

/* Leave the function with the newest operands as its results. */
void engine_emit_return(struct engine_validator *v, uint32_t count);

/* Whether the collector owns what such a value points to. */
bool engine_validate_is_collected(const struct engine_validator *v, engine_type type);

/* Whatever runs at the instruction just made may collect garbage: say where references are.
 * Call it while the operands that the instruction reads are still there, unless it calls. */
void engine_emit_map(struct engine_validator *v);

/* An instruction done by a function (interpret/helper.h) on operands at home, the oldest of
 * `count` being popped by the caller afterwards. */
void engine_emit_helper(struct engine_validator *v, unsigned code, engine_helper *helper,
                        uint32_t count, uint32_t imm, uint64_t x);

/* ---- instructions ---- */

lb_err engine_validate_index(uint32_t *out, struct engine_validator *v, uint32_t count,
                             const char *what);

/* control.c */
lb_err engine_validate_control_op(struct engine_validator *v, uint16_t op);
lb_err engine_validate_read_label(struct control **out, struct engine_validator *v);
const engine_type *engine_validate_label_types(uint32_t *count, const struct control *c);
void engine_emit_exit(struct engine_validator *v, struct control *c, uint32_t count);
/* A branch taken if the condition holds, the newest `count` operands going along. */
void engine_emit_exit_if(struct engine_validator *v, struct condition condition, struct control *c,
                         uint32_t count);
lb_err engine_validate_read_block_type(struct engine_func_type *out, struct engine_validator *v);
lb_err engine_validate_check_results(struct engine_validator *v, const struct control *c);

lb_err engine_validate_end_op(struct engine_validator *v);

/* call.c */
lb_err engine_validate_call_op(struct engine_validator *v, uint16_t op);

/* exception.c */
lb_err engine_validate_exception_op(struct engine_validator *v, uint16_t op);
/* The regions of a block that ends. */
lb_err engine_validate_end_try(struct engine_validator *v, struct control *c);

/* memory.c, table.c */
struct memarg {
	uint32_t memory;
	uint64_t offset;
	engine_type address;
};
lb_err engine_validate_read_memarg(struct memarg *out, struct engine_validator *v,
                                   const struct engine_op_info *info, bool exact);
lb_err engine_validate_load_op(struct engine_validator *v, const struct engine_op_info *info);
lb_err engine_validate_store_op(struct engine_validator *v, const struct engine_op_info *info);
lb_err engine_validate_memory_op(struct engine_validator *v, uint16_t op);
lb_err engine_validate_check_data(const struct engine_validator *v, uint32_t data);
lb_err engine_validate_table_op(struct engine_validator *v, uint16_t op);

/* reference.c, object.c */
lb_err engine_validate_reference_op(struct engine_validator *v, uint16_t op);
lb_err engine_validate_object_op(struct engine_validator *v, uint16_t op);

/* vector.c, atomic.c: by the form of the instruction */
lb_err engine_validate_vector_op(struct engine_validator *v, uint16_t op);
lb_err engine_validate_atomic_op(struct engine_validator *v, uint16_t op);

#endif
