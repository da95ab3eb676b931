/* convert.c - truth, numbers, texts and order of values, by GitHub's coercions.
 *
 * They follow JavaScript's abstract comparison, except that texts are compared without regard to
 * case and that arrays and objects are never converted.
 */
#include "workflows/expression/expr_priv.h"

#include <math.h>

const struct lb_value workflow_null = { .kind = LB_NULL };
const struct lb_value workflow_true = { .kind = LB_BOOL, .boolean = true };
const struct lb_value workflow_false = { .kind = LB_BOOL, .boolean = false };

bool workflow_truthy(const struct lb_value *value)
{
	if (value == NULL)
		return false;
	switch (value->kind) {
	case LB_NULL: return false;
	case LB_BOOL: return value->boolean;
	case LB_NUMBER: return fpclassify(value->number) != FP_ZERO && !isnan(value->number);
	case LB_STRING: return value->string.len > 0;
	case LB_ARRAY:
	case LB_OBJECT: return true;
	}
	return false;
}

double workflow_to_number(const struct lb_value *value)
{
	if (value == NULL)
		return 0;
	switch (value->kind) {
	case LB_NULL: return 0;
	case LB_BOOL: return value->boolean ? 1 : 0;
	case LB_NUMBER: return value->number;
	case LB_STRING: return workflow_parse_number(value->string);
	case LB_ARRAY:
	case LB_OBJECT: return (double)NAN;
	}
	return (double)NAN;
}

struct lb_bytes workflow_to_text(struct lb_arena *arena, const struct lb_value *value)
{
	char number[WORKFLOW_NUMBER_SIZE];
	size_t len;

	if (value == NULL)
		return LB_B("");
	switch (value->kind) {
	case LB_NULL: return LB_B("");
	case LB_BOOL: return value->boolean ? LB_B("true") : LB_B("false");
	case LB_NUMBER:
		len = workflow_number_text(number, value->number);
		return lb_arena_bytes(arena, (struct lb_bytes){ (unsigned char *)number, len });
	case LB_STRING: return value->string;
	case LB_ARRAY: return LB_B("Array");
	case LB_OBJECT: return LB_B("Object");
	}
	return LB_B("");
}

static enum workflow_order order_of(double a, double b)
{
	if (isnan(a) || isnan(b))
		return WORKFLOW_UNORDERED;
	if (a < b)
		return WORKFLOW_LESS;
	return a > b ? WORKFLOW_GREATER : WORKFLOW_SAME;
}

enum workflow_order workflow_compare(const struct lb_value *a, const struct lb_value *b)
{
	if (a->kind == LB_NULL && b->kind == LB_NULL)
		return WORKFLOW_SAME;
	if (a->kind == LB_STRING && b->kind == LB_STRING) {
		int order = workflow_compare_fold(a->string, b->string);

		if (order == 0)
			return WORKFLOW_SAME;
		return order < 0 ? WORKFLOW_LESS : WORKFLOW_GREATER;
	}
	if (!workflow_is_primitive(a) || !workflow_is_primitive(b))
		return a == b ? WORKFLOW_SAME : WORKFLOW_UNORDERED;
	return order_of(workflow_to_number(a), workflow_to_number(b));
}

bool workflow_equal(const struct lb_value *a, const struct lb_value *b)
{
	return workflow_compare(a != NULL ? a : &workflow_null, b != NULL ? b : &workflow_null) ==
	       WORKFLOW_SAME;
}

const struct lb_value *workflow_member(const struct lb_value *object, struct lb_bytes key)
{
	const struct lb_value *found = lb_value_find_nocase(object, key);
	bool ascii = true;

	for (size_t i = 0; i < key.len && ascii; i++)
		ascii = key.at[i] < 0x80;
	if (found != NULL || ascii || object == NULL || object->kind != LB_OBJECT)
		return found;
	for (uint32_t i = 0; i < object->count; i++) {
		if (workflow_compare_fold(object->members[i].key, key) == 0)
			return object->members[i].value;
	}
	return NULL;
}
