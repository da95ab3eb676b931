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

/* Whether somebody wants the run to stop, or counts it. */
static bool attended(const struct engine_store *store)
{
	return atomic_load_explicit(&store->attention, memory_order_relaxed) != 0;
}

/* The function behind an element, checked; NULL and the trap where it cannot be called. */
static struct engine_func *indirect(const struct engine_instance *instance, uint32_t table,
                                    uint64_t element, uint64_t type, unsigned *trap)
{
	const struct engine_table *t = instance->tables[table];
	struct engine_func *func;
	uint32_t wanted;

	*trap = ENGINE_TRAP_UNDEFINED_ELEMENT;
	if (element >= t->size)
		return NULL;
	*trap = ENGINE_TRAP_UNINITIALIZED;
	func = (struct engine_func *)(uintptr_t)t->elements[element];
	if (func == NULL)
		return NULL;
	*trap = ENGINE_TRAP_INDIRECT_TYPE;
	wanted = instance->types[type];
	if (func->type_index == wanted ||
	    engine_types_below(&instance->store->types, func->type_index, wanted))
		return func;
	return NULL;
}

/* ---- exceptions ---- */

static unsigned make_exception(struct engine_instance *instance, const uint64_t *values,
                               uint32_t tag_index)
{
	const struct engine_tag *tag = instance->tags[tag_index];
	uint32_t slots = engine_types_slots(tag->type->params, tag->type->param_count);
	struct engine_object *exception = NULL;
	unsigned trap = engine_object_new(&exception, instance->store, ENGINE_OBJECT_EXCEPTION,
	                                  tag->type_index, 8 * (1 + (uint64_t)slots));

	if (trap != ENGINE_TRAP_NONE)
		return trap;
	exception->slots[0] = (uintptr_t)tag;
	memcpy(exception->slots + 1, values, slots * sizeof *values);
	instance->store->exception = exception;
	return ENGINE_TRAP_NONE;
}

/* What catches the store's exception when it is thrown before `position`; NULL: nothing. */
static const struct engine_catch *find_catch(const struct engine_instance *instance,
                                             const struct engine_body *body, uint32_t position)
{
	uintptr_t tag = (uintptr_t)instance->store->exception->slots[0];
	uint32_t depth_max = UINT32_MAX;

	for (uint32_t i = 0; i < body->region_count; i++) {
		const struct engine_region *region = &body->regions[i];

		if (position <= region->start || position > region->end ||
		    region->depth > depth_max)
			continue;
		for (uint32_t k = 0; k < region->catch_count; k++) {
			const struct engine_catch *catch = &body->catches[region->catches + k];

			if (catch->kind == ENGINE_CATCH_ALL ||
			    (catch->kind == ENGINE_CATCH_TAG &&
			     (uintptr_t)instance->tags[catch->tag] == tag))
				return catch;
			if (catch->kind == ENGINE_CATCH_DELEGATE)
				depth_max = catch->tag;
		}
	}
	return NULL;
}

/* The exception's values to where the catch wants them; it is the store's no longer. */
static void land(struct engine_store *store, const struct engine_catch *catch, uint64_t *fp)
{
	const struct engine_object *exception = store->exception;
	const struct engine_tag *tag = (const struct engine_tag *)(uintptr_t)exception->slots[0];

	if (catch->kind == ENGINE_CATCH_TAG)
		memcpy(fp + catch->slot, exception->slots + 1,
		       engine_types_slots(tag->type->params, tag->type->param_count) * sizeof *fp);
	if (catch->has_ref)
		fp[catch->ref_slot] = (uintptr_t)exception;
	store->exception = NULL;
}

/* ---- what was under way ---- */

static void add_trace(struct engine_store *store, const struct engine_instance *instance,
                      const union engine_cell *pc)
{
	const struct engine_body *body = engine_form_body_at(instance->module, pc);

	if (body != NULL && store->trace_count < ENGINE_TRACE_MAX)
		store->trace[store->trace_count++] =
			(struct engine_trace_frame){ .instance = instance, .func = body->func };
}

static void write_trace(struct engine_store *store, const struct engine_instance *instance,
                        const union engine_cell *pc, const struct engine_frame *frame)
{
	store->trace_count = 0;
	add_trace(store, instance, pc);
	while (frame > store->frames && store->trace_count < ENGINE_TRACE_MAX) {
		frame--;
		add_trace(store, frame->instance, frame->pc);
	}
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

#define POLL() \
	do { \
		trap = engine_store_poll(store); \
		if (trap != ENGINE_TRAP_NONE) \
			goto trapped; \
	} while (0)

/* Every loop goes through here with a negative distance, or none: it can be one instruction. */
#define JUMP(distance) \
	do { \
		int32_t distance_ = (distance); \
		if (distance_ <= 0 && attended(store)) \
			POLL(); \
		NEXT(distance_); \
	} while (0)

#define RELOAD_MEMORY() \
	do { \
		const struct engine_memory *memory_ = instance->memories[0]; \
		memory = memory_ != NULL ? memory_->base : NULL; \
		memory_size = memory_ != NULL ? memory_->size : 0; \
	} while (0)

/* Run the function of a HELPER. */
#define HELP() pc[2].helper(instance, fp + pc[1].a, pc[1].index, pc[3].x)

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
#define BINARY(name, code, text, type) LABEL(name) LABEL(name##_LOAD)
#define TRAPPING(name, code, text, type) LABEL(name)
#define BINARY_IMM(name, code, text, type) LABEL(name) LABEL(name##_IMM) LABEL(name##_IMM_LOAD)
#define COMPARE(name, code, text, type) LABEL(name) LABEL(BR_##name) LABEL(BRN_##name)
#define COMPARE_IMM(name, code, text, type) \
	COMPARE(name, code, text, type) \
	LABEL(name##_IMM) LABEL(BR_##name##_IMM) LABEL(BRN_##name##_IMM)
#define LOAD(name, code, text, type, memory_type) \
	LABEL(name) LABEL(name##_SUM) LABEL(name##_INDEXED) LABEL(name##_FAR)
#define STORE(name, code, text, type, memory_type) LABEL(name) LABEL(name##_SUM) LABEL(name##_FAR)
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
	const struct engine_catch *catch;
	unsigned trap;
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
		CASE(COPY2)
		{
			memmove(&fp[pc[1].a], &fp[pc[1].b], 2 * sizeof *fp);
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
		CASE(CONST128)
		{
			fp[pc[1].a] = pc[2].x;
			fp[pc[1].a + 1] = pc[3].x;
			NEXT(4);
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
		CASE(EXTRACT)
		{
			fp[pc[1].a] = (uint32_t)fp[pc[1].b] >> pc[2].x & pc[1].index;
			NEXT(3);
		}
		CASE(LOOP_NE)
		{
			uint32_t next = (uint32_t)fp[pc[1].a] + (uint32_t)pc[2].x;

			fp[pc[1].a] = next;
			if (next != (uint32_t)fp[pc[1].b])
				JUMP(pc[1].imm);
			NEXT(3);
		}
		CASE(LOOP_NE_IMM)
		{
			uint32_t next = (uint32_t)fp[pc[1].a] + (uint32_t)pc[2].x;

			fp[pc[1].a] = next;
			if (next != (uint32_t)(pc[2].x >> 32))
				JUMP(pc[1].imm);
			NEXT(3);
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
		CASE(SELECT2)
		{
			memmove(&fp[pc[1].a],
			        (uint32_t)fp[pc[1].d] != 0 ? &fp[pc[1].b] : &fp[pc[1].c],
			        2 * sizeof *fp);
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
			callee = indirect(instance, pc[1].index, fp[pc[1].b], pc[2].x, &trap);
			if (callee == NULL)
				goto trapped;
			callee_fp = fp + pc[1].a;
			pc += 3;
			goto call;
		}
		CASE(CALL_REF)
		{
			callee = (struct engine_func *)(uintptr_t)fp[pc[1].b];
			if (callee == NULL)
				TRAP_WITH(ENGINE_TRAP_NULL_FUNC);
			callee_fp = fp + pc[1].a;
			pc += 2;
			goto call;
		}
		CASE(TAIL_CALL)
		{
			memmove(fp, fp + pc[1].a, pc[1].index * sizeof *fp);
			body = pc[2].body;
			goto replace;
		}
		CASE(TAIL_CALL_FUNC)
		{
			callee = instance->funcs[pc[1].index];
			memmove(fp, fp + pc[1].a, (size_t)pc[2].x * sizeof *fp);
			goto tail_call;
		}
		CASE(TAIL_CALL_INDIRECT)
		{
			callee = indirect(instance, pc[1].index, fp[pc[1].b], pc[2].x, &trap);
			if (callee == NULL)
				goto trapped;
			memmove(fp, fp + pc[1].a, (size_t)pc[3].x * sizeof *fp);
			goto tail_call;
		}
		CASE(TAIL_CALL_REF)
		{
			callee = (struct engine_func *)(uintptr_t)fp[pc[1].b];
			if (callee == NULL)
				TRAP_WITH(ENGINE_TRAP_NULL_FUNC);
			memmove(fp, fp + pc[1].a, (size_t)pc[2].x * sizeof *fp);
			goto tail_call;
		}
		CASE(THROW)
		{
			store->frame = frame;
			store->pc = pc + 2;
			store->fp = fp;
			store->instance = instance;
			trap = make_exception(instance, fp + pc[1].a, pc[1].index);
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			pc++; /* inside of what throws, as a return address is behind what calls */
			goto raise;
		}
		CASE(THROW_REF)
		{
			store->exception = (struct engine_object *)(uintptr_t)fp[pc[1].a];
			if (store->exception == NULL)
				TRAP_WITH(ENGINE_TRAP_NULL_EXCEPTION);
			pc++;
			goto raise;
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
			fp[pc[1].a] = instance->globals[pc[1].index]->value[0];
			NEXT(2);
		}
		CASE(GLOBAL_SET)
		{
			instance->globals[pc[1].index]->value[0] = fp[pc[1].a];
			NEXT(2);
		}
		CASE(GLOBAL_GET2)
		{
			memcpy(&fp[pc[1].a], instance->globals[pc[1].index]->value, 2 * sizeof *fp);
			NEXT(2);
		}
		CASE(GLOBAL_SET2)
		{
			memcpy(instance->globals[pc[1].index]->value, &fp[pc[1].a], 2 * sizeof *fp);
			NEXT(2);
		}
		CASE(REF_FUNC)
		{
			fp[pc[1].a] = (uintptr_t)instance->funcs[pc[1].index];
			NEXT(2);
		}

		/* ---- memories, tables, and what functions do ---- */

		CASE(MEMORY_SIZE)
		{
			fp[pc[1].a] = instance->memories[0]->type.limits.min;
			NEXT(2);
		}
		CASE(TABLE_GET)
		{
			const struct engine_table *t = instance->tables[pc[1].index];
			uint64_t index = fp[pc[1].b];

			if (index >= t->size)
				TRAP_WITH(ENGINE_TRAP_TABLE_BOUNDS);
			fp[pc[1].a] = t->elements[index];
			NEXT(2);
		}
		CASE(TABLE_SET)
		{
			const struct engine_table *t = instance->tables[pc[1].index];
			uint64_t index = fp[pc[1].a];

			if (index >= t->size)
				TRAP_WITH(ENGINE_TRAP_TABLE_BOUNDS);
			t->elements[index] = fp[pc[1].b];
			NEXT(2);
		}
		CASE(HELPER)
		{
			trap = HELP();
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			NEXT(4);
		}
		CASE(HELPER_GROWS)
		{
			trap = HELP();
			RELOAD_MEMORY();
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			NEXT(4);
		}
		CASE(HELPER_COLLECTS)
		{
			store->frame = frame;
			store->pc = pc + 4;
			store->fp = fp;
			store->instance = instance;
			trap = HELP();
			if (trap != ENGINE_TRAP_NONE)
				goto trapped;
			NEXT(4);
		}
		CASE(VECTOR)
		{
			pc[2].vector_helper(fp, pc[1]);
			NEXT(3);
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
#define PLAIN(name, type) \
	CASE(name) \
	{ \
		PUT_##type(pc[1].a, num_##name(GET_##type(pc[1].b), GET_##type(pc[1].c))); \
		NEXT(2); \
	}
/* The right operand comes from memory 0. */
#define WITH_LOAD(name, label, type) \
	CASE(label) \
	{ \
		uint64_t at_ = (uint64_t)GET_I32(pc[1].c) + pc[2].x; \
		num_##type right_; \
		if (at_ + sizeof right_ > memory_size) \
			TRAP_WITH(ENGINE_TRAP_MEMORY_BOUNDS); \
		memcpy(&right_, memory + at_, sizeof right_); \
		PUT_##type(pc[1].a, num_##name(GET_##type(pc[1].b), right_)); \
		NEXT(3); \
	}
#define BINARY(name, code, text, type) \
	PLAIN(name, type) \
	WITH_LOAD(name, name##_LOAD, type)
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
	PLAIN(name, type) \
	WITH_LOAD(name, name##_IMM_LOAD, type) \
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
/* An address in any memory: 64 bits plus 64 bits. */
#define FAR_BOUNDS(address, len) \
	const struct engine_memory *far = instance->memories[pc[1].index]; \
	uint64_t far_at = (address); \
	if (far_at > UINT64_MAX - pc[2].x) \
		TRAP_WITH(ENGINE_TRAP_MEMORY_BOUNDS); \
	far_at += pc[2].x; \
	if (!engine_within(far_at, len, far->size)) \
	TRAP_WITH(ENGINE_TRAP_MEMORY_BOUNDS)
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
	} \
	CASE(name##_FAR) \
	{ \
		memory_type value; \
		FAR_BOUNDS(fp[pc[1].b], sizeof value); \
		memcpy(&value, far->base + far_at, sizeof value); \
		PUT_##type##_BITS(pc[1].a, value); \
		NEXT(3); \
	}
#define STORE(name, code, text, type, memory_type) \
	CASE(name) { STORE_AT((uint64_t)GET_I32(pc[1].a) + pc[1].index, memory_type); } \
	CASE(name##_SUM) { STORE_AT((uint32_t)(GET_I32(pc[1].a) + pc[1].index), memory_type); } \
	CASE(name##_FAR) \
	{ \
		memory_type value = (memory_type)fp[pc[1].b]; \
		FAR_BOUNDS(fp[pc[1].a], sizeof value); \
		memcpy(far->base + far_at, &value, sizeof value); \
		NEXT(3); \
	}
#include "engine/op.def"
#if !THREADED
	}
#endif

	/* ---- into a function, and out ---- */

call: /* callee, callee_fp; pc is where to go on */
	if (callee->instance == NULL) {
		if (frame == store->frames_end)
			TRAP_WITH(ENGINE_TRAP_STACK);
		*frame++ = (struct engine_frame){ pc, fp, instance };
		store->frame = frame;
		err = engine_func_call_host(callee, instance, callee_fp);
		store->frame = --frame;
		if (lb_failed(err))
			goto host_failed;
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
	if (attended(store))
		POLL();
	*frame++ = (struct engine_frame){ pc, fp, caller };
	fp = callee_fp;
	pc = body->start;
	for (uint32_t i = body->param_slots; i < body->local_slots; i++)
		fp[i] = 0;
	DISPATCH();

tail_call: /* callee, whose arguments stand where the caller's did */
	if (callee->instance == NULL) {
		callee_fp = fp;
		if (frame == store->frames_end)
			TRAP_WITH(ENGINE_TRAP_STACK);
		*frame++ = (struct engine_frame){ pc + 1, fp, NULL };
		store->frame = frame;
		err = engine_func_call_host(callee, instance, callee_fp);
		store->frame = --frame;
		if (lb_failed(err)) {
			/* The caller is gone: what its caller does not catch, it does not either.
			 */
			fp = callee_fp;
			goto host_tail_failed;
		}
		goto leave;
	}
	body = callee->body;
	if (callee->instance != instance) {
		instance = callee->instance;
		RELOAD_MEMORY();
	}
replace:
	if ((size_t)(store->slots_end - fp) < body->frame_slots)
		TRAP_WITH(ENGINE_TRAP_STACK);
	if (attended(store))
		POLL();
	pc = body->start;
	for (uint32_t i = body->param_slots; i < body->local_slots; i++)
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

	/* ---- exceptions: store->exception is on its way from before pc ---- */

host_failed:
	if (engine_trap_of(err) == ENGINE_TRAP_EXCEPTION && store->exception != NULL)
		goto raise;
	write_trace(store, instance, pc, frame);
	goto unwind;
host_tail_failed:
	if (engine_trap_of(err) == ENGINE_TRAP_EXCEPTION && store->exception != NULL)
		goto raise_above;
	goto unwind;
raise:
	for (;;) {
		body = engine_form_body_at(instance->module, pc);
		catch = body == NULL ? NULL
		                     : find_catch(instance, body, (uint32_t)(pc - body->start));
		if (catch != NULL)
			break;
	raise_above:
		frame--;
		if (frame == entry) {
			store->frame = entry;
			return engine_trap(ENGINE_TRAP_EXCEPTION);
		}
		pc = frame->pc;
		fp = frame->fp;
		instance = frame->instance;
	}
	land(store, catch, fp);
	pc = body->start + catch->target;
	RELOAD_MEMORY();
	DISPATCH();

trapped:
	err = trap == ENGINE_TRAP_NOMEM ? lb_err_of(LB_E_NOMEM)
	                                : engine_trap((enum engine_trap)trap);
	write_trace(store, instance, pc + 1, frame);
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
