/* table.c - tables: references by index. */
#include "engine/runtime/object.h"

static uint64_t elements_max(const struct engine_table *table)
{
	uint64_t most = table->store->options.table_elements_max;

	if (table->type.limits.has_max && table->type.limits.max < most)
		most = table->type.limits.max;
	return table->type.limits.is_64 || most < UINT32_MAX ? most : UINT32_MAX;
}

lb_err engine_table_grow_slots(uint64_t *size_before, struct engine_table *table, uint64_t count,
                               uint64_t fill)
{
	uint64_t most = elements_max(table), size = table->size, capacity;
	uint64_t *fresh;

	if (size > most || count > most - size)
		return lb_err_of(LB_E_LIMIT);
	if (size + count > table->capacity) {
		/* Doubling, so that growing one by one stays cheap. */
		capacity = table->capacity * 2 < most ? table->capacity * 2 : most;
		if (capacity < size + count)
			capacity = size + count;
		fresh = lb_mem_grow(table->store->mem, table->elements, (size_t)table->capacity,
		                    (size_t)capacity, sizeof *fresh);
		if (fresh == NULL)
			return lb_err_of(LB_E_NOMEM);
		table->elements = fresh;
		table->capacity = capacity;
	}
	for (uint64_t i = size; i < size + count; i++)
		table->elements[i] = fill;
	table->size = table->type.limits.min = size + count;
	if (size_before != NULL)
		*size_before = size;
	return LB_OK;
}

lb_err engine_table_init(struct engine_table *table, struct engine_store *store,
                         const struct engine_table_type *type)
{
	*table = (struct engine_table){ .store = store, .type = *type };
	return engine_table_grow_slots(NULL, table, type->limits.min, 0);
}

void engine_table_release(struct engine_table *table)
{
	LB_DROP(table->store->mem, table->elements, (size_t)table->capacity);
	table->elements = NULL;
	table->size = table->capacity = 0;
}

lb_err engine_table_new(struct engine_table **out, struct engine_store *store,
                        const struct engine_table_type *type, union engine_value fill)
{
	struct engine_table *table = LB_NEW(store->mem, struct engine_table, 1);
	lb_err err;

	*out = NULL;
	if (table == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = engine_table_init(table, store, type);
	if (lb_failed(err)) {
		LB_DROP(store->mem, table, 1);
		return err;
	}
	for (uint64_t i = 0; i < table->size; i++)
		engine_slots_of_value(&table->elements[i], fill, type->element);
	table->next = store->tables;
	store->tables = table;
	*out = table;
	return LB_OK;
}

struct engine_table_type engine_table_type(const struct engine_table *table) { return table->type; }

uint64_t engine_table_size(const struct engine_table *table) { return table->size; }

lb_err engine_table_grow(uint64_t *size_before, struct engine_table *table, uint64_t count,
                         union engine_value fill)
{
	uint64_t slot = 0;

	engine_slots_of_value(&slot, fill, table->type.element);
	return engine_table_grow_slots(size_before, table, count, slot);
}

lb_err engine_table_get(union engine_value *out, const struct engine_table *table, uint64_t index)
{
	if (index >= table->size)
		return lb_err_of(LB_E_RANGE);
	*out = engine_value_of_slots(&table->elements[index], table->type.element);
	return LB_OK;
}

lb_err engine_table_set(struct engine_table *table, uint64_t index, union engine_value value)
{
	if (index >= table->size)
		return lb_err_of(LB_E_RANGE);
	engine_slots_of_value(&table->elements[index], value, table->type.element);
	return LB_OK;
}

enum engine_trap engine_table_fill(struct engine_table *table, uint64_t to, uint64_t value,
                                   uint64_t len)
{
	if (!engine_within(to, len, table->size))
		return ENGINE_TRAP_TABLE_BOUNDS;
	for (uint64_t i = 0; i < len; i++)
		table->elements[to + i] = value;
	return ENGINE_TRAP_NONE;
}

enum engine_trap engine_table_copy(struct engine_table *to, struct engine_table *from, uint64_t at,
                                   uint64_t start, uint64_t len)
{
	if (!engine_within(at, len, to->size) || !engine_within(start, len, from->size))
		return ENGINE_TRAP_TABLE_BOUNDS;
	if (len > 0)
		memmove(to->elements + at, from->elements + start,
		        (size_t)len * sizeof *to->elements);
	return ENGINE_TRAP_NONE;
}
