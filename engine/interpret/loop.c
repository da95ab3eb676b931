/* loop.c - the interpreter: one C function, in which every register instruction is a label.
 *
 * Dispatch is direct-threaded where the compiler has labels as values: the
 * first cell of an instruction is the address of its code here.  Elsewhere
 * (and with ENGINE_PORTABLE_LOOP, which the tests build) it is a switch.
 *
 * Calls from WebAssembly to WebAssembly push a frame on the store's own stack
 * and stay in the loop; only host functions nest in C.
 *
 * What the loop keeps in variables: pc, fp, the instance, and the base and
 * size of its memory 0.  The last two are read again after whatever can
 * change them: growing, host functions, and the way into another instance.
 */
#include "engine/interpret/interpret.h"

#include "engine/interpret/numeric.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "memory is read and written in the host's order, which must be WebAssembly's");

#if defined(__GNUC__) && !defined(ENGINE_PORTABLE_LOOP)
#define THREADED 1
#else
#define THREADED 0
#endif

/* ---- parts that are not worth being inlined ---- */

static bool interrupted(const struct engine_store *store)
{
	return atomic_load_explicit(&store->interrupt, memory_order_relaxed);
}

/* The function behind an element, checked; NULL and the trap where it cannot be called. */
static struct engine_func *indirect(const struct engine_instance *instance, uint32_t table,
                                    uint32_t element, uint64_t type, enum engine_trap *trap)
{
	const struct engine_table *t = instance->tables[table];
	struct engine_func *func;

	*trap = ENGINE_TRAP_UNDEFINED_ELEMENT;
	if (element >= t->size)
		return NULL;
	*trap = ENGINE_TRAP_UNINITIALIZED;
	func = (struct engine_func *)(uintptr_t)t->elements[element];
	if (func == NULL)
		return NULL;
	*trap = ENGINE_TRAP_INDIRECT_TYPE;
	return func->type == instance->types[type] ? func : NULL;
}

/* Pages before, or -1 where it cannot grow. */
static uint32_t grow_memory(struct engine_memory *memory, uint32_t pages)
{
	uint64_t before = 0;

	return lb_failed(engine_memory_grow(&before, memory, pages)) ? UINT32_MAX
	                                                             : (uint32_t)before;
}

static uint32_t grow_table(struct engine_table *table, uint64_t fill, uint32_t count)
{
	uint64_t before = 0;

	return lb_failed(engine_table_grow_slots(&before, table, count, fill)) ? UINT32_MAX
	                                                                       : (uint32_t)before;
}

static enum engine_trap fill_memory(const struct engine_instance *instance, const uint64_t *fp,
                                    union engine_cell o)
{
	return engine_memory_fill(instance->memories[0], (uint32_t)fp[o.a], (uint32_t)fp[o.b],
	                          (uint32_t)fp[o.c]);
}

static enum engine_trap copy_memory(const struct engine_instance *instance, const uint64_t *fp,
                                    union engine_cell o)
{
	return engine_memory_copy(instance->memories[0], instance->memories[0], (uint32_t)fp[o.a],
	                          (uint32_t)fp[o.b], (uint32_t)fp[o.c]);
}

static enum engine_trap table_op(struct engine_instance *instance, const uint64_t *fp,
                                 enum engine_code code, const union engine_cell *pc)
{
	union engine_cell o = pc[1];
	uint32_t to = (uint32_t)pc[2].x, from = (uint32_t)(pc[2].x >> 32);
	uint32_t a = (uint32_t)fp[o.a], b = (uint32_t)fp[o.b], c = (uint32_t)fp[o.c];

	if (code == ENGINE_CODE_TABLE_FILL)
		return engine_table_fill(instance->tables[to], a, fp[o.b], c);
	if (code == ENGINE_CODE_TABLE_COPY)
		return engine_table_copy(instance->tables[to], instance->tables[from], a, b, c);
	return engine_instance_elem_init(instance, from, to, a, b, c);
}

/* ---- the loop ---- */

#if THREADED
#define CASE(name) L_##name:
#define DISPATCH() goto * pc->handler
#else
#define CASE(name) case ENGINE_CODE_##name:
#define DISPATCH() goto dispatch
#endif

#define NEXT(cells) \
	do { \
		pc += (cells); \
		DISPATCH(); \
	} while (0)

#define TRAP_WITH(code) \
	do { \
		trap = (code); \
		goto trapped; \
	} while (0)

/* Every loop goes through here with a negative distance. */
#define JUMP(distance) \
	do { \
		int32_t distance_ = (distance); \
		if (distance_ < 0 && interrupted(store)) \
			TRAP_WITH(ENGINE_TRAP_INTERRUPT); \
		NEXT(distance_); \
	} while (0)

#define RELOAD_MEMORY() \
	do { \
		const struct engine_memory *memory_ = instance->memories[0]; \
		memory = memory_ != NULL ? memory_->base : NULL; \
		memory_size = memory_ != NULL ? memory_->size : 0; \
	} while (0)

/* Slots as values of a type, and back. */
#define GET_I32(slot) ((uint32_t)fp[slot])
#define GET_I64(slot) (fp[slot])
#define GET_F32(slot) num_F32_of_bits((uint32_t)fp[slot])
#define GET_F64(slot) num_F64_of_bits(fp[slot])
#define PUT_I32(slot, value) (fp[slot] = (uint32_t)(value))
#define PUT_I64(slot, value) (fp[slot] = (uint64_t)(value))
#define PUT_F32(slot, value) (fp[slot] = num_bits_of_F32(value))
#define PUT_F64(slot, value) (fp[slot] = num_bits_of_F64(value))
/* What was loaded: signed if its C type is. */
#define PUT_I32_BITS(slot, value) \
	do { \
		uint32_t wide_ = (uint32_t)(value); \
		fp[slot] = wide_; \
	} while (0)
#define PUT_I64_BITS PUT_I64
#define PUT_F32_BITS PUT_I64
#define PUT_F64_BITS PUT_I64
#define IMM_I32(number) ((uint32_t)(number))
#define IMM_I64(number) ((uint64_t)(int64_t)(number))

static lb_err run(struct engine_func *func, uint64_t *base, const void *const **handlers)
{
#if THREADED
	static const void *const labels[ENGINE_CODE_COUNT] = {
#define LABEL(name) [ENGINE_CODE_##name] = &&L_##name,
#define CODE(name, cells, operands) LABEL(name)
#include "engine/interpret/code.def"
#undef CODE
#define UNARY(name, code, text, result, operand, feature) LABEL(name)
#define BINARY(name, code, text, type) LABEL(name)
#define BINARY_IMM(name, code, text, type) LABEL(name) LABEL(name##_IMM)
#define COMPARE(name, code, text, type) LABEL(name) LABEL(BR_##name) LABEL(BRN_##name)
#define COMPARE_IMM(name, code, text, type) \
	COMPARE(name, code, text, type) \
	LABEL(name##_IMM) LABEL(BR_##name##_IMM) LABEL(BRN_##name##_IMM)
#define LOAD(name, code, text, type, memory_type) \
	LABEL(name) LABEL(name##_SUM) LABEL(name##_INDEXED)
#define STORE(name, code, text, type, memory_type) LABEL(name) LABEL(name##_SUM)
#include "engine/op.def"
#undef LABEL
	};
	static const void *const *const table = labels;
#else
	static const void *const *const table = NULL;
#endif
	union engine_cell exit_code;
	struct engine_store *store;
	struct engine_instance *instance, *caller;
	struct engine_frame *frame, *entry;
	const union engine_cell *pc;
	const struct engine_body *body;
	struct engine_func *callee;
	unsigned char *memory;
	uint64_t memory_size, *fp, *callee_fp;
	enum engine_trap trap;
	lb_err err;

	if (handlers != NULL) {
		*handlers = table;
		return LB_OK;
	}
	store = func->store;
	instance = func->instance;
	frame = entry = store->frame;
	exit_code = engine_code_cell(table, ENGINE_CODE_EXIT);
	pc = &exit_code;
	fp = base;
	callee = func;
	callee_fp = base;
	memory = NULL;
	memory_size = 0;
	goto call;

#if !THREADED
dispatch:
	switch ((enum engine_code)pc->code) {
	case ENGINE_CODE_COUNT: assert(!"no such instruction");
#endif

		/* ---- moves and branches ---- */

		CASE(COPY)
		{
			fp[pc[1].a] = fp[pc[1].b];
			NEXT(2);
		}
		CASE(COPY_RANGE)
		{
			memmove(&fp[pc[1].a], &fp[pc[1].b], pc[1].index * sizeof *fp);
			NEXT(2);
		}
		CASE(CONST32)
		{
			fp[pc[1].a] = pc[1].index;
			NEXT(2);
		}
		CASE(CONST64)
		{
			fp[pc[1].a] = pc[2].x;
			NEXT(3);
		}
		CASE(BR) { JUMP(pc[1].imm); }
		CASE(BR_IF)
		{
			if ((uint32_t)fp[pc[1].a] != 0)
				JUMP(pc[1].imm);
			NEXT(2);
		}
		CASE(BR_UNLESS)
		{
			if ((uint32_t)fp[pc[1].a] == 0)
				JUMP(pc[1].imm);
			NEXT(2);
		}
		CASE(BR_TABLE)
		{
			uint32_t index = (uint32_t)fp[pc[1].a], most = pc[1].index;

			pc += 2 + 2 * (size_t)(index < most ? index : most);
			JUMP(pc[1].imm);
		}
		CASE(SELECT)
		{
			fp[pc[1].a] = (uint32_t)fp[pc[1].d] != 0 ? fp[pc[1].b] : fp[pc[1].c];
			NEXT(2);
		}
		CASE(UNREACHABLE) { TRAP_WITH(ENGINE_TRAP_UNREACHABLE); }

		/* ---- calls ---- */

		CASE(CALL)
		{
			body = pc[2].body;
			callee_fp = fp + pc[1].a;
			pc += 3;
			goto enter_body;
		}
		CASE(CALL_FUNC)
		{
			callee = instance->funcs[pc[1].index];
			callee_fp = fp + pc[1].a;
			pc += 2;
			goto call;
		}
		CASE(CALL_INDIRECT)
		{
			callee = indirect(instance, pc[1].index, (uint32_t)fp[pc[1].b], pc[2].x,
			                  &trap);
			if (callee == NULL)
				goto trapped;
			callee_fp = fp + pc[1].a;
			pc += 3;
			goto call;
		}
		CASE(RETURN_SLOT)
		{
			fp[0] = fp[pc[1].a];
			goto leave;
		}
		CASE(RETURN) { goto leave; }
		CASE(EXIT)
		{
			store->frame = entry;
			return LB_OK;
		}

		/* ---- variables ---- */

		CASE(GLOBAL_GET)
		{
			fp[pc[1].a] = instance->globals[pc[1].index]->value;
			NEXT(2);
		}
		CASE(GLOBAL_SET)
		{
			instance->globals[pc[1].index]->value = fp[pc[1].a];
			NEXT(2);
		}
		CASE(REF_FUNC)
		{
			fp[pc[1].a] = (uintptr_t)instance->funcs[pc[1].index];
			NEXT(2);
		}

		/* ---- memory ---- */

		CASE(MEMORY_SIZE)
		{
			fp[pc[1].a] = memory_size / ENGINE_PAGE_SIZE;
			NEXT(2);
		}
		CASE(MEMORY_GROW)
		{
			fp[pc[1].a] = grow_memory(instance->memories[0], (uint32_t)fp[pc[1].b]);
			RELOAD_MEMORY();
			NEXT(2);
		}
		CASE(MEMORY_FILL)
		{
			trap = fill_memory(instance, fp, pc[1]);
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			NEXT(2);
		}
		CASE(MEMORY_COPY)
		{
			trap = copy_memory(instance, fp, pc[1]);
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			NEXT(2);
		}
		CASE(MEMORY_INIT)
		{
			trap = engine_instance_data_init(instance, (uint32_t)pc[2].x, 0,
			                                 (uint32_t)fp[pc[1].a],
			                                 (uint32_t)fp[pc[1].b],
			                                 (uint32_t)fp[pc[1].c]);
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			NEXT(3);
		}
		CASE(DATA_DROP)
		{
			instance->data_dropped[pc[1].index] = true;
			NEXT(2);
		}

		/* ---- tables ---- */

		CASE(TABLE_GET)
		{
			const struct engine_table *t = instance->tables[pc[1].index];
			uint32_t index = (uint32_t)fp[pc[1].b];

			if (index >= t->size)
				TRAP_WITH(ENGINE_TRAP_TABLE_BOUNDS);
			fp[pc[1].a] = t->elements[index];
			NEXT(2);
		}
		CASE(TABLE_SET)
		{
			const struct engine_table *t = instance->tables[pc[1].index];
			uint32_t index = (uint32_t)fp[pc[1].a];

			if (index >= t->size)
				TRAP_WITH(ENGINE_TRAP_TABLE_BOUNDS);
			t->elements[index] = fp[pc[1].b];
			NEXT(2);
		}
		CASE(TABLE_SIZE)
		{
			fp[pc[1].a] = instance->tables[pc[1].index]->size;
			NEXT(2);
		}
		CASE(TABLE_GROW)
		{
			fp[pc[1].a] = grow_table(instance->tables[pc[2].x], fp[pc[1].b],
			                         (uint32_t)fp[pc[1].c]);
			NEXT(3);
		}
		CASE(TABLE_FILL)
		{
			trap = table_op(instance, fp, ENGINE_CODE_TABLE_FILL, pc);
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			NEXT(3);
		}
		CASE(TABLE_COPY)
		{
			trap = table_op(instance, fp, ENGINE_CODE_TABLE_COPY, pc);
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			NEXT(3);
		}
		CASE(TABLE_INIT)
		{
			trap = table_op(instance, fp, ENGINE_CODE_TABLE_INIT, pc);
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			NEXT(3);
		}
		CASE(ELEM_DROP)
		{
			instance->elem_dropped[pc[1].index] = true;
			NEXT(2);
		}

		/* ---- the simple instructions ---- */

#define UNARY(name, code, text, result, operand, feature) \
	CASE(name) \
	{ \
		PUT_##result(pc[1].a, num_##name(GET_##operand(pc[1].b))); \
		NEXT(2); \
	}
#define TRAPPING_UNARY(name, code, text, result, operand, feature) \
	CASE(name) \
	{ \
		num_##operand a = GET_##operand(pc[1].b); \
		trap = trap_##name(a); \
		if (trap != ENGINE_TRAP_NONE) \
			goto trapped; \
		PUT_##result(pc[1].a, num_##name(a)); \
		NEXT(2); \
	}
#define BINARY(name, code, text, type) \
	CASE(name) \
	{ \
		PUT_##type(pc[1].a, num_##name(GET_##type(pc[1].b), GET_##type(pc[1].c))); \
		NEXT(2); \
	}
#define TRAPPING(name, code, text, type) \
	CASE(name) \
	{ \
		num_##type a = GET_##type(pc[1].b), b = GET_##type(pc[1].c); \
		trap = trap_##name(a, b); \
		if (trap != ENGINE_TRAP_NONE) \
			goto trapped; \
		PUT_##type(pc[1].a, num_##name(a, b)); \
		NEXT(2); \
	}
#define BINARY_IMM(name, code, text, type) \
	BINARY(name, code, text, type) \
	CASE(name##_IMM) \
	{ \
		PUT_##type(pc[1].a, num_##name(GET_##type(pc[1].b), IMM_##type(pc[1].imm))); \
		NEXT(2); \
	}
#define COMPARE(name, code, text, type) \
	CASE(name) \
	{ \
		fp[pc[1].a] = num_##name(GET_##type(pc[1].b), GET_##type(pc[1].c)); \
		NEXT(2); \
	} \
	CASE(BR_##name) \
	{ \
		if (num_##name(GET_##type(pc[1].a), GET_##type(pc[1].b))) \
			JUMP(pc[1].imm); \
		NEXT(2); \
	} \
	CASE(BRN_##name) \
	{ \
		if (!num_##name(GET_##type(pc[1].a), GET_##type(pc[1].b))) \
			JUMP(pc[1].imm); \
		NEXT(2); \
	}
#define COMPARE_IMM(name, code, text, type) \
	COMPARE(name, code, text, type) \
	CASE(name##_IMM) \
	{ \
		fp[pc[1].a] = num_##name(GET_##type(pc[1].b), IMM_##type(pc[1].imm)); \
		NEXT(2); \
	} \
	CASE(BR_##name##_IMM) \
	{ \
		if (num_##name(GET_##type(pc[1].a), (num_##type)pc[2].x)) \
			JUMP(pc[1].imm); \
		NEXT(3); \
	} \
	CASE(BRN_##name##_IMM) \
	{ \
		if (!num_##name(GET_##type(pc[1].a), (num_##type)pc[2].x)) \
			JUMP(pc[1].imm); \
		NEXT(3); \
	}
/* The sum of two 32-bit numbers cannot overflow 64 bits. */
#define LOAD_AT(address, memory_type, type) \
	do { \
		uint64_t at_ = (address); \
		memory_type value_; \
		if (at_ + sizeof value_ > memory_size) \
			TRAP_WITH(ENGINE_TRAP_MEMORY_BOUNDS); \
		memcpy(&value_, memory + at_, sizeof value_); \
		PUT_##type##_BITS(pc[1].a, value_); \
		NEXT(2); \
	} while (0)
#define STORE_AT(address, memory_type) \
	do { \
		uint64_t at_ = (address); \
		memory_type value_ = (memory_type)fp[pc[1].b]; \
		if (at_ + sizeof value_ > memory_size) \
			TRAP_WITH(ENGINE_TRAP_MEMORY_BOUNDS); \
		memcpy(memory + at_, &value_, sizeof value_); \
		NEXT(2); \
	} while (0)
#define LOAD(name, code, text, type, memory_type) \
	CASE(name) { LOAD_AT((uint64_t)GET_I32(pc[1].b) + pc[1].index, memory_type, type); } \
	CASE(name##_SUM) \
	{ \
		LOAD_AT((uint32_t)(GET_I32(pc[1].b) + pc[1].index), memory_type, type); \
	} \
	CASE(name##_INDEXED) \
	{ \
		LOAD_AT((uint64_t)(uint32_t)(GET_I32(pc[1].b) + GET_I32(pc[1].c)) + pc[1].d, \
		        memory_type, type); \
	}
#define STORE(name, code, text, type, memory_type) \
	CASE(name) { STORE_AT((uint64_t)GET_I32(pc[1].a) + pc[1].index, memory_type); } \
	CASE(name##_SUM) { STORE_AT((uint32_t)(GET_I32(pc[1].a) + pc[1].index), memory_type); }
#include "engine/op.def"
#if !THREADED
	}
#endif

	/* ---- into a function, and out ---- */

call: /* callee, callee_fp; pc is where to go on */
	if (callee->instance == NULL) {
		store->frame = frame;
		err = engine_func_call_host(callee, instance, callee_fp);
		if (lb_failed(err))
			goto unwind;
		RELOAD_MEMORY();
		DISPATCH();
	}
	body = callee->body;
	caller = instance;
	if (callee->instance != instance || frame == entry) {
		instance = callee->instance;
		RELOAD_MEMORY();
	}
	goto enter;
enter_body:
	caller = instance;
enter:
	if (frame == store->frames_end ||
	    (size_t)(store->slots_end - callee_fp) < body->frame_slots)
		TRAP_WITH(ENGINE_TRAP_STACK);
	if (interrupted(store))
		TRAP_WITH(ENGINE_TRAP_INTERRUPT);
	*frame++ = (struct engine_frame){ pc, fp, caller };
	fp = callee_fp;
	pc = body->start;
	for (uint32_t i = body->param_count; i < body->local_count; i++)
		fp[i] = 0;
	DISPATCH();

leave:
	frame--;
	pc = frame->pc;
	fp = frame->fp;
	if (frame->instance != instance) {
		instance = frame->instance;
		RELOAD_MEMORY();
	}
	DISPATCH();

trapped:
	err = engine_trap(trap);
unwind:
	store->frame = entry;
	return err;
}

const void *const *engine_code_handlers(void)
{
	const void *const *handlers = NULL;

	lb_ignore(run(NULL, NULL, &handlers));
	return handlers;
}

lb_err engine_interpret(struct engine_func *func, uint64_t *base) { return run(func, base, NULL); }
