/* types.c - see types.h. */
#include "engine/types.h"

/* As many as an engine_type can name. */
enum { TYPES_MAX = 1 << (32 - ENGINE_TYPE_SHIFT) };

struct engine_types_group {
	struct engine_types_group *next; /* in its bucket */
	uint64_t hash;
	uint32_t first, count;
};

void engine_types_init(struct engine_types *types, struct lb_arena *arena, struct lb_mem *mem)
{
	*types = (struct engine_types){ .arena = arena, .mem = mem };
}

void engine_types_release(struct engine_types *types)
{
	LB_DROP(types->mem, types->at, types->capacity);
	LB_DROP(types->mem, types->buckets, types->bucket_count);
	*types = (struct engine_types){ 0 };
}

/* ---- equality of groups ---- */

/* A type as seen from its group: an index inside becomes its distance from the group's first,
 * marked, so that equal groups look the same wherever they stand. */
static engine_type relative(engine_type type, uint32_t first)
{
	if (!engine_type_has_index(type) || engine_type_index(type) < first)
		return type;
	return engine_type_of_index(engine_type_index(type) - first) | (type & ENGINE_NON_NULL) |
	       0x80; /* a byte that no type has */
}

static uint32_t relative_super(const struct engine_def_type *type, uint32_t first)
{
	if (!type->has_super)
		return UINT32_MAX;
	return relative(engine_type_of_index(type->super), first);
}

static bool same_values(const engine_type *a, uint32_t first_a, const engine_type *b,
                        uint32_t first_b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (relative(a[i], first_a) != relative(b[i], first_b))
			return false;
	return true;
}

static bool same_type(const struct engine_def_type *a, uint32_t first_a,
                      const struct engine_def_type *b, uint32_t first_b)
{
	if (a->kind != b->kind || a->is_open != b->is_open ||
	    relative_super(a, first_a) != relative_super(b, first_b))
		return false;
	if (a->kind == ENGINE_COMPOSITE_FUNC)
		return a->func.param_count == b->func.param_count &&
		       a->func.result_count == b->func.result_count &&
		       same_values(a->func.params, first_a, b->func.params, first_b,
		                   a->func.param_count) &&
		       same_values(a->func.results, first_a, b->func.results, first_b,
		                   a->func.result_count);
	if (a->field_count != b->field_count)
		return false;
	for (uint32_t i = 0; i < a->field_count; i++)
		if (a->fields[i].is_mutable != b->fields[i].is_mutable ||
		    relative(a->fields[i].type, first_a) != relative(b->fields[i].type, first_b))
			return false;
	return true;
}

static uint64_t mix(uint64_t hash, uint64_t x)
{
	hash = (hash ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t hash_type(uint64_t hash, const struct engine_def_type *type, uint32_t first)
{
	hash = mix(hash, (uint64_t)type->kind << 1 | type->is_open);
	hash = mix(hash, relative_super(type, first));
	if (type->kind != ENGINE_COMPOSITE_FUNC) {
		for (uint32_t i = 0; i < type->field_count; i++)
			hash = mix(hash, (uint64_t)relative(type->fields[i].type, first) << 1 |
			                         type->fields[i].is_mutable);
		return mix(hash, type->field_count);
	}
	for (uint32_t i = 0; i < type->func.param_count; i++)
		hash = mix(hash, relative(type->func.params[i], first));
	hash = mix(hash, type->func.param_count);
	for (uint32_t i = 0; i < type->func.result_count; i++)
		hash = mix(hash, relative(type->func.results[i], first));
	return hash;
}

static bool same_group(const struct engine_types *types, const struct engine_types_group *known,
                       const struct engine_def_type *group, uint32_t count)
{
	if (known->count != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!same_type(types->at[known->first + i], known->first, &group[i], types->count))
			return false;
	return true;
}

/* ---- adding ---- */

static lb_err widen_buckets(struct engine_types *types)
{
	uint32_t count = types->bucket_count == 0 ? 64 : types->bucket_count * 2;
	struct engine_types_group **fresh;

	if (types->group_count < types->bucket_count)
		return LB_OK;
	fresh = LB_NEW(types->mem, struct engine_types_group *, count);
	if (fresh == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < types->bucket_count; i++)
		while (types->buckets[i] != NULL) {
			struct engine_types_group *group = types->buckets[i];

			types->buckets[i] = group->next;
			group->next = fresh[group->hash & (count - 1)];
			fresh[group->hash & (count - 1)] = group;
		}
	LB_DROP(types->mem, types->buckets, types->bucket_count);
	types->buckets = fresh;
	types->bucket_count = count;
	return LB_OK;
}

static lb_err widen_table(struct engine_types *types, uint32_t more)
{
	uint64_t wanted = (uint64_t)types->count + more;
	uint64_t capacity = types->capacity == 0 ? 64 : (uint64_t)types->capacity * 2;
	struct engine_def_type **fresh;

	if (wanted > TYPES_MAX)
		return lb_err_of(LB_E_LIMIT);
	if (wanted <= types->capacity)
		return LB_OK;
	if (capacity < wanted)
		capacity = wanted;
	fresh = lb_mem_grow(types->mem, types->at, types->capacity, (size_t)capacity,
	                    sizeof *fresh);
	if (fresh == NULL)
		return lb_err_of(LB_E_NOMEM);
	types->at = fresh;
	types->capacity = (uint32_t)capacity;
	return LB_OK;
}

static const void *copy(struct lb_arena *arena, const void *from, size_t count, size_t size)
{
	void *to = lb_arena_alloc(arena, count, size);

	if (to != NULL && count > 0)
		memcpy(to, from, count * size);
	return to;
}

/* The whole group as blocks that stay; the arena says whether all of it came about. */
static void copy_group(struct engine_types *types, const struct engine_def_type *group,
                       uint32_t count)
{
	struct engine_def_type *to = LB_ARENA_NEW(types->arena, struct engine_def_type, count);

	for (uint32_t i = 0; i < count && !types->arena->failed; i++) {
		to[i] = group[i];
		to[i].group_len = i == 0 ? count : 0;
		types->at[types->count + i] = &to[i];
		if (to[i].kind == ENGINE_COMPOSITE_FUNC) {
			to[i].func.params = copy(types->arena, to[i].func.params,
			                         to[i].func.param_count, sizeof(engine_type));
			to[i].func.results = copy(types->arena, to[i].func.results,
			                          to[i].func.result_count, sizeof(engine_type));
		} else {
			to[i].fields = copy(types->arena, to[i].fields, to[i].field_count,
			                    sizeof(struct engine_field));
		}
	}
}

lb_err engine_types_add(uint32_t *first, struct engine_types *types,
                        const struct engine_def_type *group, uint32_t count)
{
	struct engine_types_group *known, **bucket;
	uint64_t hash = count;

	for (uint32_t i = 0; i < count; i++)
		hash = hash_type(hash, &group[i], types->count);
	LB_TRY(widen_buckets(types));
	bucket = &types->buckets[hash & (types->bucket_count - 1)];
	for (known = *bucket; known != NULL; known = known->next)
		if (known->hash == hash && same_group(types, known, group, count)) {
			*first = known->first;
			return LB_OK;
		}
	LB_TRY(widen_table(types, count));
	known = LB_ARENA_NEW(types->arena, struct engine_types_group, 1);
	if (known != NULL)
		copy_group(types, group, count);
	if (types->arena->failed) {
		types->arena->failed = false; /* the owner goes on; what was lost stays unused */
		return lb_err_of(LB_E_NOMEM);
	}
	*known = (struct engine_types_group){ *bucket, hash, types->count, count };
	*bucket = known;
	types->group_count++;
	*first = types->count;
	types->count += count;
	return LB_OK;
}

uint32_t engine_types_group_len(const struct engine_types *types, uint32_t first)
{
	return types->at[first]->group_len;
}

/* ---- subtyping ---- */

bool engine_types_below(const struct engine_types *types, uint32_t a, uint32_t b)
{
	while (a != b) {
		const struct engine_def_type *type = types->at[a];

		if (!type->has_super || type->depth <= types->at[b]->depth)
			return false;
		a = type->super;
	}
	return true;
}

/* The abstract type directly above all types of that kind. */
static unsigned kind_byte(const struct engine_types *types, engine_type type)
{
	switch (types->at[engine_type_index(type)]->kind) {
	case ENGINE_COMPOSITE_STRUCT: return ENGINE_STRUCTREF;
	case ENGINE_COMPOSITE_ARRAY: return ENGINE_ARRAYREF;
	case ENGINE_COMPOSITE_FUNC: break;
	}
	return ENGINE_FUNCREF;
}

static bool abstract_match(unsigned a, unsigned b)
{
	if (a == b)
		return true;
	switch (a) {
	case ENGINE_NULLEXNREF: return b == ENGINE_EXNREF;
	case ENGINE_NULLFUNCREF: return b == ENGINE_FUNCREF;
	case ENGINE_NULLEXTERNREF: return b == ENGINE_EXTERNREF;
	case ENGINE_NULLREF: return b >= ENGINE_ARRAYREF && b <= ENGINE_ANYREF;
	case ENGINE_EQREF: return b == ENGINE_ANYREF;
	case ENGINE_I31REF:
	case ENGINE_STRUCTREF:
	case ENGINE_ARRAYREF: return b == ENGINE_EQREF || b == ENGINE_ANYREF;
	default: return false;
	}
}

bool engine_types_match(const struct engine_types *types, engine_type a, engine_type b)
{
	unsigned bottom;

	if (a == b)
		return true;
	if (!engine_type_is_ref(a) || !engine_type_is_ref(b) ||
	    (engine_type_is_null(a) && !engine_type_is_null(b)))
		return false;
	if (!engine_type_has_index(b))
		return abstract_match(engine_type_has_index(a) ? kind_byte(types, a) : a & 0xff,
		                      b & 0xff);
	if (engine_type_has_index(a))
		return engine_types_below(types, engine_type_index(a), engine_type_index(b));
	bottom = kind_byte(types, b) == ENGINE_FUNCREF ? ENGINE_NULLFUNCREF : ENGINE_NULLREF;
	return (a & 0xff) == bottom;
}

bool engine_types_match_lists(const struct engine_types *types, const engine_type *a,
                              const engine_type *b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!engine_types_match(types, a[i], b[i]))
			return false;
	return true;
}

static bool field_matches(const struct engine_types *types, const struct engine_field *a,
                          const struct engine_field *b)
{
	if (a->is_mutable != b->is_mutable)
		return false;
	return b->is_mutable ? a->type == b->type : engine_types_match(types, a->type, b->type);
}

bool engine_types_may_extend(const struct engine_types *types, const struct engine_def_type *a,
                             const struct engine_def_type *b)
{
	if (a->kind != b->kind || !b->is_open)
		return false;
	if (a->kind == ENGINE_COMPOSITE_FUNC)
		return a->func.param_count == b->func.param_count &&
		       a->func.result_count == b->func.result_count &&
		       engine_types_match_lists(types, b->func.params, a->func.params,
		                                a->func.param_count) &&
		       engine_types_match_lists(types, a->func.results, b->func.results,
		                                a->func.result_count);
	if (a->field_count < b->field_count)
		return false;
	for (uint32_t i = 0; i < b->field_count; i++)
		if (!field_matches(types, &a->fields[i], &b->fields[i]))
			return false;
	return true;
}
