/* matrix.c - the combinations of a job's matrix, as GitHub builds them.
 *
 * The cross product of the vectors, the last one turning fastest; without what an
 * exclude matches; with what the includes that match add.  An include that matched
 * no combination is a combination of its own, behind the others.
 */
#include "workflows/plan/matrix.h"

#include "base/vec.h"
#include "workflows/expression/text.h"
#include "workflows/plan/plan.h"

struct matrix {
	struct lb_arena *arena;
	struct lb_diag *diag;
	const struct lb_value *source;            /* vectors, include, exclude */
	const struct lb_value *include, *exclude; /* arrays, or NULL */
	struct lb_value *vectors;                 /* object of arrays */
	bool *included;                           /* by include: it matched a combination */
	struct lb_vec combinations;
};

static struct lb_bytes key_of(const struct lb_value *object, uint32_t i)
{
	return object->members[i].key;
}

/* ---- reading ---- */

static lb_err take_filter(const struct lb_value **out, struct matrix *m,
                          const struct lb_value *list, const char *what)
{
	if (list->kind != LB_ARRAY)
		return lb_fail(m->diag, LB_E_INVALID, "Matrix %s must be a sequence", what);
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->items[i]->kind != LB_OBJECT)
			return lb_fail(m->diag, LB_E_INVALID,
			               "Matrix %s: item %u must be a mapping", what, i + 1);
	}
	*out = list;
	return LB_OK;
}

static lb_err take_vector(struct matrix *m, struct lb_bytes name, const struct lb_value *vector)
{
	if (vector->kind != LB_ARRAY)
		return lb_fail(m->diag, LB_E_INVALID, "Matrix vector '%.*s' must be a sequence",
		               LB_FMT(name));
	if (vector->count == 0)
		return lb_fail(m->diag, LB_E_INVALID,
		               "Matrix vector '%.*s' does not contain any values", LB_FMT(name));
	lb_value_set(m->arena, m->vectors, name, workflow_share(vector));
	return LB_OK;
}

static lb_err take_source(struct matrix *m)
{
	if (m->source->kind != LB_OBJECT)
		return lb_fail(m->diag, LB_E_INVALID, "Matrix must be a mapping");
	for (uint32_t i = 0; i < m->source->count; i++) {
		struct lb_bytes key = key_of(m->source, i);
		const struct lb_value *value = m->source->members[i].value;

		if (lb_bytes_eq_nocase(key, LB_B("include")))
			LB_TRY(take_filter(&m->include, m, value, "include"));
		else if (lb_bytes_eq_nocase(key, LB_B("exclude")))
			LB_TRY(take_filter(&m->exclude, m, value, "exclude"));
		else
			LB_TRY(take_vector(m, key, value));
	}
	if (m->vectors->count == 0 && (m->include == NULL || m->include->count == 0))
		return lb_fail(m->diag, LB_E_INVALID, "Matrix must define at least one vector");
	return LB_OK;
}

static lb_err check_exclude(struct matrix *m)
{
	for (uint32_t i = 0; m->exclude != NULL && i < m->exclude->count; i++) {
		const struct lb_value *filter = m->exclude->items[i];

		if (filter->count == 0)
			return lb_fail(m->diag, LB_E_INVALID,
			               "Matrix exclude filter must not be empty");
		for (uint32_t k = 0; k < filter->count; k++) {
			struct lb_bytes key = key_of(filter, k);

			if (workflow_member(m->vectors, key) == NULL)
				return lb_fail(m->diag, LB_E_INVALID,
				               "Matrix exclude key '%.*s' does not match any key "
				               "within the matrix",
				               LB_FMT(key));
		}
	}
	for (uint32_t i = 0; m->include != NULL && i < m->include->count; i++) {
		if (m->include->items[i]->count == 0)
			return lb_fail(m->diag, LB_E_INVALID,
			               "Matrix include mapping does not contain any values");
	}
	return LB_OK;
}

/* ---- matching ---- */

/* Every leaf of the filter equals what stands at the same place; depth is the file's or JSON's. */
static bool covers(const struct lb_value *filter, const struct lb_value *value)
{
	if (workflow_is_primitive(filter))
		return workflow_equal(value, filter);
	for (uint32_t i = 0; i < filter->count; i++) {
		bool object = filter->kind == LB_OBJECT;
		const struct lb_value *leaf = object ? filter->members[i].value : filter->items[i];
		const struct lb_value *found = NULL;

		if (object)
			found = workflow_member(value, key_of(filter, i));
		else if (value != NULL && value->kind == LB_ARRAY && i < value->count)
			found = value->items[i];
		if (!covers(leaf, found))
			return false;
	}
	return true;
}

static bool is_excluded(const struct matrix *m, const struct lb_value *combination)
{
	for (uint32_t i = 0; m->exclude != NULL && i < m->exclude->count; i++) {
		if (covers(m->exclude->items[i], combination))
			return true;
	}
	return false;
}

/* The include's keys that are vectors must match; the others are what it adds. */
static bool is_included(const struct matrix *m, const struct lb_value *include,
                        const struct lb_value *combination)
{
	for (uint32_t i = 0; i < include->count; i++) {
		struct lb_bytes key = key_of(include, i);

		if (workflow_member(m->vectors, key) != NULL &&
		    !covers(include->members[i].value, workflow_member(combination, key)))
			return false;
	}
	return true;
}

static void add_members(const struct matrix *m, struct lb_value *to, const struct lb_value *include,
                        bool vectors)
{
	for (uint32_t i = 0; i < include->count; i++) {
		if ((workflow_member(m->vectors, key_of(include, i)) != NULL) == vectors)
			lb_value_set(m->arena, to, key_of(include, i), include->members[i].value);
	}
}

/* ---- names ---- */

/* All leaves in order, "1, linux"; null and "" are left out. */
static void add_leaves(struct matrix *m, struct lb_buf *out, const struct lb_value *value)
{
	struct lb_bytes text;

	if (!workflow_is_primitive(value)) {
		for (uint32_t i = 0; i < value->count; i++)
			add_leaves(m, out,
			           value->kind == LB_OBJECT ? value->members[i].value
			                                    : value->items[i]);
		return;
	}
	text = workflow_to_text(m->arena, value);
	if (text.len == 0)
		return;
	if (out->len > 0)
		lb_buf_add_text(out, ", ");
	lb_buf_add(out, text);
}

static struct lb_bytes suffix_of(struct matrix *m, const struct lb_value *combination)
{
	enum { SUFFIX_BYTES_MAX = 65536 }; /* names are cut to 100 characters anyway */
	struct lb_buf buf;
	struct lb_bytes suffix;

	lb_buf_init(&buf, m->arena->under, SUFFIX_BYTES_MAX);
	add_leaves(m, &buf, combination);
	if (lb_code_of(lb_buf_check(&buf)) == LB_E_NOMEM)
		m->arena->failed = true;
	suffix = lb_arena_bytes(m->arena, lb_buf_bytes(&buf));
	lb_buf_release(&buf);
	return suffix;
}

/* ---- building ---- */

static lb_err add_combination(struct matrix *m, struct lb_value *matrix, struct lb_bytes suffix)
{
	struct workflow_combination *combination = lb_vec_add(&m->combinations);

	if (combination == NULL) {
		if (lb_code_of(lb_vec_check(&m->combinations)) == LB_E_NOMEM)
			return lb_err_of(LB_E_NOMEM);
		return lb_fail(m->diag, LB_E_LIMIT, "The matrix has more than %d combinations",
		               WORKFLOW_MATRIX_MAX);
	}
	*combination = (struct workflow_combination){ matrix, suffix };
	return LB_OK;
}

/* The product's combination with this number; the first vector turns slowest. */
static struct lb_value *combination_at(struct matrix *m, uint64_t number, uint64_t product)
{
	struct lb_value *combination = lb_value_object(m->arena);

	for (uint32_t i = 0; i < m->vectors->count; i++) {
		const struct lb_value *vector = m->vectors->members[i].value;

		product /= vector->count;
		lb_value_set(m->arena, combination, key_of(m->vectors, i),
		             vector->items[(number / product) % vector->count]);
	}
	return combination;
}

static lb_err cross(struct matrix *m, uint64_t product)
{
	for (uint64_t number = 0; number < product; number++) {
		struct lb_value *combination = combination_at(m, number, product);
		struct lb_bytes suffix;

		if (m->arena->failed)
			return lb_err_of(LB_E_NOMEM);
		if (is_excluded(m, combination))
			continue;
		suffix = suffix_of(m, combination);
		for (uint32_t i = 0; m->include != NULL && i < m->include->count; i++) {
			if (!is_included(m, m->include->items[i], combination))
				continue;
			m->included[i] = true;
			add_members(m, combination, m->include->items[i], false);
		}
		LB_TRY(add_combination(m, combination, suffix));
	}
	return LB_OK;
}

static lb_err add_unmatched(struct matrix *m)
{
	for (uint32_t i = 0; m->include != NULL && i < m->include->count; i++) {
		struct lb_value *combination;

		if (m->included[i])
			continue;
		combination = lb_value_object(m->arena);
		add_members(m, combination, m->include->items[i], true);
		add_members(m, combination, m->include->items[i], false);
		LB_TRY(add_combination(m, combination, suffix_of(m, combination)));
	}
	return LB_OK;
}

/* Excluded combinations cost time too, so the product itself is limited, only not as tightly. */
static lb_err product_of(uint64_t *out, struct matrix *m)
{
	enum { PRODUCT_MAX = 100000 };

	*out = m->vectors->count > 0 ? 1 : 0;
	for (uint32_t i = 0; i < m->vectors->count; i++) {
		*out *= m->vectors->members[i].value->count;
		if (*out > PRODUCT_MAX)
			return lb_fail(m->diag, LB_E_LIMIT,
			               "The product of the matrix's vectors is more than %d",
			               PRODUCT_MAX);
	}
	return LB_OK;
}

static lb_err expand(struct matrix *m)
{
	uint64_t product;

	m->vectors = lb_value_object(m->arena);
	LB_TRY(take_source(m));
	LB_TRY(check_exclude(m));
	LB_TRY(product_of(&product, m));
	m->included = LB_ARENA_NEW(m->arena, bool, m->include != NULL ? m->include->count : 0);
	if (m->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(cross(m, product));
	return add_unmatched(m);
}

lb_err workflow_matrix_expand(const struct workflow_combination **out, uint32_t *count,
                              struct lb_arena *arena, const struct lb_value *matrix,
                              struct lb_diag *diag)
{
	struct matrix m = { .arena = arena, .diag = diag, .source = matrix };
	struct workflow_combination *copy;
	lb_err err;

	*out = NULL;
	*count = 0;
	lb_vec_init(&m.combinations, arena->under, sizeof(struct workflow_combination),
	            WORKFLOW_MATRIX_MAX);
	err = expand(&m);
	if (!lb_failed(err)) {
		copy = LB_ARENA_NEW(arena, struct workflow_combination, m.combinations.count);
		if (copy != NULL && m.combinations.count > 0)
			memcpy(copy, m.combinations.at, m.combinations.count * sizeof *copy);
		*out = copy;
		*count = (uint32_t)m.combinations.count;
	}
	lb_vec_release(&m.combinations);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : err;
}
