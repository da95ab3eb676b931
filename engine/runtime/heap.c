/* heap.c - the garbage-collected heap of a store: mark and sweep, precise, objects never move.
 *
 * Invariants:
 * 1. objects has every object; heap_bytes is what they take, headers included.
 * 2. Outside of a collection no object is `reached`.
 * 3. Marking needs no memory and no stack: objects still to be looked at are
 *    linked through themselves.
 * 4. What runs is found through the store's frames: each says where it goes on, and the code
 *    before that says which of its slots hold references (struct engine_map).
 */
#include "engine/runtime/object.h"

enum { HEAP_FIRST = 1 << 20 }; /* bytes that are there before the first collection */

uint32_t engine_storage_bytes(engine_type type)
{
	switch (type & 0xff) {
	case ENGINE_I8: return 1;
	case ENGINE_I16: return 2;
	case ENGINE_I32:
	case ENGINE_F32: return 4;
	case ENGINE_V128: return 16;
	default: return 8;
	}
}

/* ---- marking ---- */

struct marker {
	const struct engine_store *store;
	struct engine_object *gray;
};

static void mark_object(struct marker *m, struct engine_object *object)
{
	if (object == NULL || object->reached)
		return;
	object->reached = true;
	object->gray = m->gray;
	m->gray = object;
}

static struct engine_object *object_of(uint64_t ref)
{
	if ((ref & ENGINE_REF_OTHER) != 0 || (ref & 1) != 0)
		return NULL;
	return (struct engine_object *)(uintptr_t)ref;
}

static void mark_slot(struct marker *m, uint64_t ref, bool is_extern)
{
	if (ref == 0)
		return;
	mark_object(m, object_of(is_extern ? ref ^ ENGINE_REF_OTHER : ref));
}

/* Whether the collector owns what values of the type, one of the store's, point to. */
static bool is_collected(const struct engine_store *store, engine_type type)
{
	if (!engine_type_is_ref(type) || engine_type_is_abstract_func(type))
		return false;
	return !engine_type_has_index(type) ||
	       store->types.at[engine_type_index(type)]->kind != ENGINE_COMPOSITE_FUNC;
}

static void mark_typed(struct marker *m, const uint64_t *slots, engine_type type, uint64_t count)
{
	if (!is_collected(m->store, type))
		return;
	for (uint64_t i = 0; i < count; i++)
		mark_slot(m, slots[i], engine_type_is_extern(type));
}

static void mark_list(struct marker *m, const uint64_t *slots, const engine_type *types,
                      uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		mark_typed(m, slots, types[i], 1);
		slots += engine_type_slots(types[i]);
	}
}

static void mark_inside(struct marker *m, const struct engine_object *object)
{
	const struct engine_def_type *type = m->store->types.at[object->type];
	const uint64_t *slots = object->slots;

	switch ((enum engine_object_kind)object->kind) {
	case ENGINE_OBJECT_STRUCT:
		for (uint32_t i = 0; i < type->field_count; i++) {
			mark_typed(m, slots, type->fields[i].type, 1);
			slots += engine_type_slots(type->fields[i].type);
		}
		break;
	case ENGINE_OBJECT_ARRAY: mark_typed(m, slots, type->fields[0].type, object->length); break;
	case ENGINE_OBJECT_EXCEPTION:
		mark_list(m, slots + 1, type->func.params, type->func.param_count);
		break;
	}
}

/* ---- roots ---- */

static const struct engine_map *find_map(const struct engine_body *body, uint32_t position)
{
	uint32_t low = 0, high = body->map_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (body->maps[middle].position < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low < body->map_count && body->maps[low].position == position ? &body->maps[low]
	                                                                     : NULL;
}

static void mark_frame(struct marker *m, const struct engine_instance *instance,
                       const union engine_cell *pc, const uint64_t *fp)
{
	const struct engine_body *body =
		instance == NULL ? NULL : engine_form_body_at(instance->module, pc);
	const struct engine_map *map;

	if (body == NULL) /* the way back to C */
		return;
	for (uint32_t i = 0; i < body->ref_local_count; i++)
		for (uint32_t k = 0; k < body->ref_locals[i].count; k++)
			mark_slot(m, fp[body->ref_locals[i].slot + k],
			          body->ref_locals[i].is_extern);
	map = find_map(body, (uint32_t)(pc - body->start));
	for (uint32_t i = 0; map != NULL && i < map->count; i++) {
		uint32_t slot = body->map_slots[map->first + i];

		mark_slot(m, fp[slot & ~ENGINE_MAP_EXTERN], (slot & ENGINE_MAP_EXTERN) != 0);
	}
}

static void mark_stack(struct marker *m)
{
	const struct engine_store *store = m->store;

	for (const struct engine_frame *f = store->frames; f < store->frame; f++)
		mark_frame(m, f->instance, f->pc, f->fp);
	if (store->pc != NULL)
		mark_frame(m, store->instance, store->pc, store->fp);
	for (const struct engine_host_frame *f = store->host_frame; f != NULL; f = f->outer)
		mark_list(m, f->slots, f->type->params, f->type->param_count);
}

static void mark_instance(struct marker *m, const struct engine_instance *instance)
{
	const struct engine_module *module = instance->module;

	for (uint32_t i = 0; i < module->global_count - module->global_import_count; i++)
		mark_typed(m, instance->own_globals[i].value, instance->own_globals[i].type.content,
		           1);
	for (uint32_t i = 0; i < instance->own_table_count; i++)
		mark_typed(m, instance->own_tables[i].elements,
		           instance->own_tables[i].type.element, instance->own_tables[i].size);
	for (uint32_t i = 0; i < module->elem_count; i++)
		if (instance->elems[i] != NULL && !instance->elem_dropped[i])
			mark_typed(m, instance->elems[i],
			           engine_instance_type(instance, module->elems[i].type),
			           module->elems[i].count);
}

static void mark_roots(struct marker *m)
{
	const struct engine_store *store = m->store;

	mark_stack(m);
	mark_object(m, store->exception);
	for (uint32_t i = 0; i < store->kept_count; i++)
		mark_object(m, object_of(store->kept[i].ref));
	for (const struct engine_instance *i = store->instances; i != NULL; i = i->next)
		mark_instance(m, i);
	for (const struct engine_global *g = store->globals; g != NULL; g = g->next)
		mark_typed(m, g->value, g->type.content, 1);
	for (const struct engine_table *t = store->tables; t != NULL; t = t->next)
		mark_typed(m, t->elements, t->type.element, t->size);
}

/* ---- sweeping ---- */

static uint64_t object_bytes(const struct engine_store *store, const struct engine_object *object)
{
	const struct engine_def_type *type = store->types.at[object->type];
	uint64_t bytes = 0;

	switch ((enum engine_object_kind)object->kind) {
	case ENGINE_OBJECT_ARRAY:
		bytes = (uint64_t)object->length * engine_storage_bytes(type->fields[0].type);
		break;
	case ENGINE_OBJECT_STRUCT:
		for (uint32_t i = 0; i < type->field_count; i++)
			bytes += 8 * engine_type_slots(type->fields[i].type);
		break;
	case ENGINE_OBJECT_EXCEPTION:
		bytes = 8 * (1 + (uint64_t)engine_types_slots(type->func.params,
		                                              type->func.param_count));
		break;
	}
	return sizeof *object + bytes;
}

static void sweep(struct engine_store *store)
{
	struct engine_object **at = &store->objects;

	while (*at != NULL) {
		struct engine_object *object = *at;
		uint64_t bytes;

		if (object->reached) {
			object->reached = false;
			at = &object->next;
			continue;
		}
		*at = object->next;
		bytes = object_bytes(store, object);
		store->heap_bytes -= bytes;
		lb_mem_drop(store->mem, object, 1, (size_t)bytes);
	}
}

void engine_store_collect_all(struct engine_store *store)
{
	struct marker m = { .store = store };

	mark_roots(&m);
	while (m.gray != NULL) {
		struct engine_object *object = m.gray;

		m.gray = object->gray;
		mark_inside(&m, object);
	}
	sweep(store);
	/* Half of the heap may be garbage before it is worth looking again. */
	store->heap_bytes_next =
		store->heap_bytes * 2 > HEAP_FIRST ? store->heap_bytes * 2 : HEAP_FIRST;
}

uint64_t engine_store_collect(struct engine_store *store)
{
	const union engine_cell *pc = store->pc;

	store->pc = NULL; /* of a helper that has ended; what runs has frames */
	engine_store_collect_all(store);
	store->pc = pc;
	return store->heap_bytes;
}

void engine_heap_release(struct engine_store *store)
{
	while (store->objects != NULL) {
		struct engine_object *object = store->objects;

		store->objects = object->next;
		lb_mem_drop(store->mem, object, 1, (size_t)object_bytes(store, object));
	}
	LB_DROP(store->mem, store->kept, store->kept_capacity);
}

/* ---- making ---- */

unsigned engine_object_new(struct engine_object **out, struct engine_store *store,
                           enum engine_object_kind kind, uint32_t type, uint64_t bytes)
{
	/* A sixteenth stays free, or collecting would be all that is done. */
	uint64_t most = store->options.heap_bytes_max - store->options.heap_bytes_max / 16;
	struct engine_object *object;

	bytes += sizeof *object;
	if (store->options.collect_always || store->heap_bytes + bytes > store->heap_bytes_next ||
	    store->heap_bytes + bytes > most)
		engine_store_collect_all(store);
	if (bytes > most || store->heap_bytes > most - bytes || bytes > SIZE_MAX)
		return ENGINE_TRAP_HEAP;
	object = lb_mem_new(store->mem, 1, (size_t)bytes);
	if (object == NULL)
		return ENGINE_TRAP_NOMEM;
	object->kind = (uint8_t)kind;
	object->type = type;
	object->next = store->objects;
	store->objects = object;
	store->heap_bytes += bytes;
	*out = object;
	return ENGINE_TRAP_NONE;
}

/* ---- references ---- */

bool engine_ref_matches(const struct engine_store *store, uint64_t ref, engine_type type)
{
	engine_type actual;

	if (ref == 0)
		return engine_type_is_null(type);
	type &= ~(engine_type)ENGINE_NON_NULL;
	if (type == ENGINE_EXTERNREF || type == ENGINE_FUNCREF || type == ENGINE_ANYREF ||
	    type == ENGINE_EXNREF)
		return true;
	if (type == ENGINE_NULLFUNCREF || type == ENGINE_NULLEXTERNREF || type == ENGINE_NULLEXNREF)
		return false;
	if (engine_type_has_index(type) &&
	    store->types.at[engine_type_index(type)]->kind == ENGINE_COMPOSITE_FUNC)
		return engine_types_below(&store->types,
		                          ((struct engine_func *)(uintptr_t)ref)->type_index,
		                          engine_type_index(type));
	if ((ref & ENGINE_REF_OTHER) != 0)
		return false;
	actual = (ref & 1) != 0
	                 ? ENGINE_I31REF
	                 : engine_type_of_index(((struct engine_object *)(uintptr_t)ref)->type);
	return engine_types_match(&store->types, actual, type);
}

enum engine_ref_kind engine_value_ref_kind(union engine_value value)
{
	if (value.ref == 0)
		return ENGINE_REF_NULL;
	if ((value.ref & ENGINE_REF_OTHER) != 0)
		return ENGINE_REF_FOREIGN;
	if ((value.ref & 1) != 0)
		return ENGINE_REF_I31;
	return ((struct engine_object *)(uintptr_t)value.ref)->kind == ENGINE_OBJECT_STRUCT
	               ? ENGINE_REF_STRUCT
	               : ENGINE_REF_ARRAY;
}

/* An externref made of an object counts as the object. */
static uint64_t kept_ref(union engine_value value) { return value.ref & ~ENGINE_REF_OTHER; }

static struct engine_kept *find_kept(struct engine_store *store, uint64_t ref)
{
	for (uint32_t i = 0; i < store->kept_count; i++)
		if (store->kept[i].ref == ref)
			return &store->kept[i];
	return NULL;
}

static bool is_object(const struct engine_store *store, uint64_t ref)
{
	for (const struct engine_object *o = store->objects; o != NULL; o = o->next)
		if ((uintptr_t)o == ref)
			return true;
	return false;
}

lb_err engine_store_keep(struct engine_store *store, union engine_value value)
{
	struct engine_kept *kept = find_kept(store, kept_ref(value)), *fresh;

	if (kept != NULL) {
		kept->count++;
		return LB_OK;
	}
	if (!is_object(store, kept_ref(value)))
		return LB_OK;
	if (store->kept_count == store->kept_capacity) {
		uint32_t more = store->kept_capacity == 0 ? 16 : store->kept_capacity * 2;

		fresh = lb_mem_grow(store->mem, store->kept, store->kept_capacity, more,
		                    sizeof *fresh);
		if (fresh == NULL)
			return lb_err_of(LB_E_NOMEM);
		store->kept = fresh;
		store->kept_capacity = more;
	}
	store->kept[store->kept_count++] = (struct engine_kept){ kept_ref(value), 1 };
	return LB_OK;
}

void engine_store_drop(struct engine_store *store, union engine_value value)
{
	struct engine_kept *kept = find_kept(store, kept_ref(value));

	if (kept != NULL && --kept->count == 0)
		*kept = store->kept[--store->kept_count];
}
