/* atomic.c - atomic instructions, made from op.def; waiting and waking. */
#include "engine/interpret/helper.h"
#include "engine/runtime/object.h"

#include "base/platform/clock.h"

/* The place of an access: in bounds, and aligned to its width. */
static unsigned place(void **out, const struct engine_instance *instance, uint32_t imm,
                      uint64_t address, uint64_t offset, uint64_t len)
{
	const struct engine_memory *memory = instance->memories[imm];

	if (address > UINT64_MAX - offset)
		return ENGINE_TRAP_MEMORY_BOUNDS;
	address += offset;
	if ((address & (len - 1)) != 0)
		return ENGINE_TRAP_UNALIGNED;
	if (!engine_within(address, len, memory->size))
		return ENGINE_TRAP_MEMORY_BOUNDS;
	*out = memory->base + address;
	return ENGINE_TRAP_NONE;
}

#define ATOMIC_FUNC(name, memory_type, ...) \
	static unsigned atomic_##name(struct engine_instance *instance, uint64_t *at, \
	                              uint32_t imm, uint64_t x) \
	{ \
		void *memory = NULL; \
		unsigned trap = place(&memory, instance, imm, at[0], x, sizeof(memory_type)); \
		memory_type *lane = memory; \
		if (trap == ENGINE_TRAP_NONE) { \
			__VA_ARGS__; \
		} \
		return trap; \
	}
#define OPERAND(n, memory_type) ((memory_type)at[n])
#define ATOMIC_LOAD(name, code, text, type, memory_type) \
	ATOMIC_FUNC(name, memory_type, at[0] = __atomic_load_n(lane, __ATOMIC_SEQ_CST))
#define ATOMIC_STORE(name, code, text, type, memory_type) \
	ATOMIC_FUNC(name, memory_type, \
	            __atomic_store_n(lane, OPERAND(1, memory_type), __ATOMIC_SEQ_CST))
/* The comparison is of the whole operand: what does not fit the memory's width is never equal. */
#define ATOMIC_CMPXCHG(name, code, text, type, memory_type) \
	ATOMIC_FUNC(name, memory_type, memory_type seen = OPERAND(1, memory_type); \
	            if (seen != at[1]) seen = __atomic_load_n(lane, __ATOMIC_SEQ_CST); \
	            else(void) __atomic_compare_exchange_n(lane, &seen, OPERAND(2, memory_type), \
	                                                   false, __ATOMIC_SEQ_CST, \
	                                                   __ATOMIC_SEQ_CST); \
	            at[0] = seen)
#define RMW(name, memory_type, how) \
	ATOMIC_FUNC(name, memory_type, at[0] = how(lane, OPERAND(1, memory_type), __ATOMIC_SEQ_CST))
#define ATOMIC_RMW(name, code, text, type, memory_type)
#include "engine/op.def"

#define RMW_ALL(how, NAME) \
	RMW(I32_ATOMIC_RMW_##NAME, uint32_t, how) \
	RMW(I64_ATOMIC_RMW_##NAME, uint64_t, how) \
	RMW(I32_ATOMIC_RMW8_##NAME##_U, uint8_t, how) \
	RMW(I32_ATOMIC_RMW16_##NAME##_U, uint16_t, how) \
	RMW(I64_ATOMIC_RMW8_##NAME##_U, uint8_t, how) \
	RMW(I64_ATOMIC_RMW16_##NAME##_U, uint16_t, how) \
	RMW(I64_ATOMIC_RMW32_##NAME##_U, uint32_t, how)
RMW_ALL(__atomic_fetch_add, ADD)
RMW_ALL(__atomic_fetch_sub, SUB)
RMW_ALL(__atomic_fetch_and, AND)
RMW_ALL(__atomic_fetch_or, OR)
RMW_ALL(__atomic_fetch_xor, XOR)
RMW_ALL(__atomic_exchange_n, XCHG)

/* ---- waiting ----
 *
 * A store runs in one thread and its memories are its own, so nobody can wake
 * who waits: a wait ends with its time, or when the store is interrupted. */

enum { WAIT_DIFFERENT = 1, WAIT_TIMED_OUT = 2, WAIT_STEP_NS = 1000000 };

static bool attended(const struct engine_store *store)
{
	return atomic_load_explicit(&store->attention, memory_order_relaxed) != 0;
}

static unsigned wait_until(struct engine_store *store, int64_t timeout_ns)
{
	uint64_t start = plat_clock_now_ns();

	for (;;) {
		uint64_t gone = plat_clock_now_ns() - start, left = WAIT_STEP_NS;

		if (attended(store)) {
			unsigned trap = engine_store_poll(store);

			if (trap != ENGINE_TRAP_NONE)
				return trap;
		}
		if (timeout_ns >= 0) {
			if (gone >= (uint64_t)timeout_ns)
				return ENGINE_TRAP_NONE;
			if ((uint64_t)timeout_ns - gone < left)
				left = (uint64_t)timeout_ns - gone;
		}
		plat_clock_sleep_ns(left);
	}
}

static unsigned wait_on(struct engine_instance *instance, uint64_t *at, uint32_t imm, uint64_t x,
                        unsigned bytes)
{
	void *memory = NULL;
	unsigned trap = place(&memory, instance, imm, at[0], x, bytes);
	uint64_t seen;

	if (trap != ENGINE_TRAP_NONE)
		return trap;
	if (!instance->memories[imm]->type.limits.is_shared)
		return ENGINE_TRAP_EXPECTED_SHARED;
	seen = bytes == 4 ? __atomic_load_n((uint32_t *)memory, __ATOMIC_SEQ_CST)
	                  : __atomic_load_n((uint64_t *)memory, __ATOMIC_SEQ_CST);
	if (seen != at[1]) {
		at[0] = WAIT_DIFFERENT;
		return ENGINE_TRAP_NONE;
	}
	at[0] = WAIT_TIMED_OUT;
	return wait_until(instance->store, (int64_t)at[2]);
}

ATOMIC_FUNC(MEMORY_ATOMIC_NOTIFY, uint32_t, (void)lane; at[0] = 0)

static unsigned atomic_MEMORY_ATOMIC_WAIT32(struct engine_instance *instance, uint64_t *at,
                                            uint32_t imm, uint64_t x)
{
	return wait_on(instance, at, imm, x, 4);
}

static unsigned atomic_MEMORY_ATOMIC_WAIT64(struct engine_instance *instance, uint64_t *at,
                                            uint32_t imm, uint64_t x)
{
	return wait_on(instance, at, imm, x, 8);
}

static unsigned atomic_ATOMIC_FENCE(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                    uint64_t x)
{
	(void)instance, (void)at, (void)imm, (void)x;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ENGINE_TRAP_NONE;
}

engine_helper *engine_atomic_helper_of(uint32_t op)
{
	static engine_helper *const helpers[ENGINE_OP_FD - ENGINE_OP_FE] = {
#define ATOMIC_ENTRY(name) [ENGINE_OP_##name - ENGINE_OP_FE] = atomic_##name,
#define ATOMIC_LOAD(name, code, text, type, memory_type) ATOMIC_ENTRY(name)
#define ATOMIC_STORE(name, code, text, type, memory_type) ATOMIC_ENTRY(name)
#define ATOMIC_RMW(name, code, text, type, memory_type) ATOMIC_ENTRY(name)
#define ATOMIC_CMPXCHG(name, code, text, type, memory_type) ATOMIC_ENTRY(name)
#include "engine/op.def"
		ATOMIC_ENTRY(MEMORY_ATOMIC_NOTIFY) ATOMIC_ENTRY(MEMORY_ATOMIC_WAIT32)
			ATOMIC_ENTRY(MEMORY_ATOMIC_WAIT64) ATOMIC_ENTRY(ATOMIC_FENCE)
	};

	assert(op >= ENGINE_OP_FE && op < ENGINE_OP_FD);
	return helpers[op - ENGINE_OP_FE];
}
