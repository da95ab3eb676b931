/* bulk.c - instructions on memories and tables as wholes, and arithmetic of 128 bits. */
#include "engine/interpret/helper.h"
#include "engine/runtime/object.h"

/* What growing gives where it fails: -1 in the width of the addresses. */
static uint64_t failed(const struct engine_limits *limits)
{
	return limits->is_64 ? UINT64_MAX : UINT32_MAX;
}

/* ---- memories ---- */

unsigned engine_help_memory_size(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                 uint64_t x)
{
	(void)x;
	at[0] = instance->memories[imm]->type.limits.min;
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_memory_grow(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                 uint64_t x)
{
	struct engine_memory *memory = instance->memories[imm];
	uint64_t before = 0;

	(void)x;
	at[0] = lb_failed(engine_memory_grow(&before, memory, at[0])) ? failed(&memory->type.limits)
	                                                              : before;
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_memory_fill(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                 uint64_t x)
{
	(void)x;
	return engine_memory_fill(instance->memories[imm], at[0], (uint32_t)at[1], at[2]);
}

unsigned engine_help_memory_copy(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                 uint64_t x)
{
	return engine_memory_copy(instance->memories[imm], instance->memories[x], at[0], at[1],
	                          at[2]);
}

unsigned engine_help_memory_init(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                 uint64_t x)
{
	return engine_instance_data_init(instance, (uint32_t)x, imm, at[0], at[1], at[2]);
}

unsigned engine_help_data_drop(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x)
{
	(void)at, (void)x;
	instance->data_dropped[imm] = true;
	return ENGINE_TRAP_NONE;
}

/* ---- tables ---- */

unsigned engine_help_table_size(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	(void)x;
	at[0] = instance->tables[imm]->size;
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_table_grow(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	struct engine_table *table = instance->tables[imm];
	uint64_t before = 0;

	(void)x;
	at[0] = lb_failed(engine_table_grow_slots(&before, table, at[1], at[0]))
	                ? failed(&table->type.limits)
	                : before;
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_table_fill(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	(void)x;
	return engine_table_fill(instance->tables[imm], at[0], at[1], at[2]);
}

unsigned engine_help_table_copy(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	return engine_table_copy(instance->tables[imm], instance->tables[x], at[0], at[1], at[2]);
}

unsigned engine_help_table_init(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	return engine_instance_elem_init(instance, (uint32_t)x, imm, at[0], at[1], at[2]);
}

unsigned engine_help_elem_drop(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x)
{
	(void)at, (void)x;
	instance->elem_dropped[imm] = true;
	return ENGINE_TRAP_NONE;
}

/* ---- arithmetic of 128 bits ---- */

unsigned engine_help_add128(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                            uint64_t x)
{
	uint64_t low = at[0] + at[2];

	(void)instance, (void)imm, (void)x;
	at[1] = at[1] + at[3] + (low < at[0]);
	at[0] = low;
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_sub128(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                            uint64_t x)
{
	bool borrows = at[0] < at[2];

	(void)instance, (void)imm, (void)x;
	at[0] -= at[2];
	at[1] = at[1] - at[3] - borrows;
	return ENGINE_TRAP_NONE;
}

/* By halves of 32 bits, so that no wider type is needed. */
static void multiply(uint64_t *low, uint64_t *high, uint64_t a, uint64_t b)
{
	uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
	uint64_t p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
	uint64_t middle = (p00 >> 32) + (uint32_t)p01 + (uint32_t)p10;

	*low = middle << 32 | (uint32_t)p00;
	*high = p11 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

unsigned engine_help_mul_wide_u(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	(void)instance, (void)imm, (void)x;
	multiply(&at[0], &at[1], at[0], at[1]);
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_mul_wide_s(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	uint64_t a = at[0], b = at[1];

	(void)instance, (void)imm, (void)x;
	multiply(&at[0], &at[1], a, b);
	/* A negative factor counts 2^64 too much. */
	at[1] -= ((a >> 63) != 0 ? b : 0) + ((b >> 63) != 0 ? a : 0);
	return ENGINE_TRAP_NONE;
}
