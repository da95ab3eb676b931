/* object.c - structures, arrays and small integers of the garbage-collected heap. */
#include "engine/validate/validate_priv.h"

static bool is_packed(engine_type type) { return type == ENGINE_I8 || type == ENGINE_I16; }

/* What a field's value is on the operand stack. */
static engine_type unpacked(engine_type type) { return is_packed(type) ? ENGINE_I32 : type; }

static lb_err read_def(uint32_t *index, const struct engine_def_type **type,
                       struct engine_validator *v, enum engine_composite kind)
{
	LB_TRY(engine_read_type_index(index, &v->r, v->module));
	*type = def_type(v, *index);
	if ((*type)->kind != kind)
		return engine_validate_fail(v, LB_E_INVALID, "type mismatch: %s type expected",
		                            kind == ENGINE_COMPOSITE_STRUCT ? "a structure"
		                                                            : "an array");
	return LB_OK;
}

static engine_type ref_to(uint32_t index) { return engine_type_of_index(index) | ENGINE_NON_NULL; }

/* Operands for a helper that makes something, whose reference is the result. */
static lb_err make(struct engine_validator *v, engine_helper *helper, const engine_type *types,
                   uint32_t count, uint32_t index, uint64_t x)
{
	LB_TRY(engine_validate_peek_all(v, types, count));
	engine_emit_helper(v, ENGINE_CODE_HELPER_COLLECTS, helper, count, index, x);
	LB_TRY(engine_validate_pop_all(v, types, count));
	return engine_validate_push(v, ref_to(index));
}

/* Operands for any other helper; result 0: none. */
static lb_err use(struct engine_validator *v, engine_helper *helper, const engine_type *types,
                  uint32_t count, engine_type result, uint32_t imm, uint64_t x)
{
	LB_TRY(engine_validate_peek_all(v, types, count));
	engine_emit_helper(v, ENGINE_CODE_HELPER, helper, count, imm, x);
	LB_TRY(engine_validate_pop_all(v, types, count));
	return result != 0 ? engine_validate_push(v, result) : LB_OK;
}

/* ---- structures ---- */

static lb_err struct_new_op(struct engine_validator *v)
{
	const struct engine_def_type *type;
	uint32_t index = 0, slots = 0;

	LB_TRY(read_def(&index, &type, v, ENGINE_COMPOSITE_STRUCT));
	for (uint32_t i = 0; i < type->field_count; i++)
		slots += engine_type_slots(type->fields[i].type);
	/* As peek_all and pop_all, for fields. */
	for (uint32_t i = 0; emitting(v) && i < type->field_count; i++) {
		engine_type want = unpacked(type->fields[type->field_count - 1 - i].type);

		if (v->operand_count - top(v)->height <= i)
			return engine_validate_mismatch(v, want, TYPE_ANY);
	}
	engine_emit_helper(v, ENGINE_CODE_HELPER_COLLECTS, engine_help_struct_new,
	                   type->field_count, index, slots);
	for (uint32_t i = type->field_count; i-- > 0;) {
		struct operand o;

		LB_TRY(engine_validate_pop(&o, v, unpacked(type->fields[i].type)));
	}
	return engine_validate_push(v, ref_to(index));
}

static lb_err struct_new_default_op(struct engine_validator *v)
{
	const struct engine_def_type *type;
	uint32_t index = 0;

	LB_TRY(read_def(&index, &type, v, ENGINE_COMPOSITE_STRUCT));
	for (uint32_t i = 0; i < type->field_count; i++)
		if (!engine_type_has_default(type->fields[i].type))
			return engine_validate_fail(v, LB_E_INVALID,
			                            "type mismatch: field %u has no default", i);
	return make(v, engine_help_struct_new_default, NULL, 0, index, 0);
}

/* The field, and where it stands: its slot, its type from bit 32 on. */
static lb_err read_field(uint32_t *index, const struct engine_field **field, uint64_t *x,
                         struct engine_validator *v)
{
	const struct engine_def_type *type;
	uint32_t number = 0, slot = 0;

	LB_TRY(read_def(index, &type, v, ENGINE_COMPOSITE_STRUCT));
	LB_TRY(engine_validate_index(&number, v, type->field_count, "field"));
	for (uint32_t i = 0; i < number; i++)
		slot += engine_type_slots(type->fields[i].type);
	*field = &type->fields[number];
	*x = slot | (uint64_t)((*field)->type & 0xff) << 32;
	return LB_OK;
}

static lb_err struct_get_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_field *field;
	uint32_t index = 0;
	engine_type type;
	uint64_t x = 0;

	LB_TRY(read_field(&index, &field, &x, v));
	if (is_packed(field->type) != (op != ENGINE_OP_STRUCT_GET))
		return engine_validate_fail(v, LB_E_INVALID, "field is %s",
		                            is_packed(field->type) ? "packed" : "unpacked");
	type = engine_type_of_index(index);
	return use(v,
	           op == ENGINE_OP_STRUCT_GET_S ? engine_help_struct_get_s : engine_help_struct_get,
	           &type, 1, unpacked(field->type), index, x);
}

static lb_err struct_set_op(struct engine_validator *v)
{
	const struct engine_field *field;
	uint32_t index = 0;
	uint64_t x = 0;

	LB_TRY(read_field(&index, &field, &x, v));
	if (!field->is_mutable)
		return engine_validate_fail(v, LB_E_INVALID, "immutable field");
	return use(v, engine_help_struct_set,
	           (const engine_type[]){ engine_type_of_index(index), unpacked(field->type) }, 2,
	           0, index, x);
}

/* ---- arrays ---- */

static lb_err read_array(uint32_t *index, const struct engine_field **element,
                         struct engine_validator *v)
{
	const struct engine_def_type *type = NULL;

	LB_TRY(read_def(index, &type, v, ENGINE_COMPOSITE_ARRAY));
	*element = type->fields;
	return LB_OK;
}

static lb_err array_new_fixed_op(struct engine_validator *v)
{
	const struct engine_field *element;
	uint32_t index = 0, count = 0;
	engine_type type;
	struct operand o;

	LB_TRY(read_array(&index, &element, v));
	LB_TRY(engine_read_u32(&count, &v->r));
	if (count > ENGINE_ARRAY_NEW_MAX)
		return engine_validate_fail(v, LB_E_LIMIT, "too many operands of array.new_fixed");
	type = unpacked(element->type);
	for (uint32_t i = 0; emitting(v) && i < count; i++)
		if (v->operand_count - top(v)->height <= i)
			return engine_validate_mismatch(v, type, TYPE_ANY);
	engine_emit_helper(v, ENGINE_CODE_HELPER_COLLECTS, engine_help_array_new_fixed, count,
	                   index, count);
	for (uint32_t i = 0; i < count; i++)
		LB_TRY(engine_validate_pop(&o, v, type));
	return engine_validate_push(v, ref_to(index));
}

/* Only what is made of bytes can come from a data segment. */
static lb_err read_data(uint32_t *data, struct engine_validator *v,
                        const struct engine_field *element)
{
	LB_TRY(engine_read_u32(data, &v->r));
	if (engine_type_is_ref(element->type))
		return engine_validate_fail(v, LB_E_INVALID, "array type is not numeric or vector");
	return engine_validate_check_data(v, *data);
}

static lb_err read_elem(uint32_t *elem, struct engine_validator *v,
                        const struct engine_field *element)
{
	LB_TRY(engine_validate_index(elem, v, v->module->elem_count, "elem segment"));
	if (!matches(v, v->module->elems[*elem].type, element->type))
		return engine_validate_mismatch(v, element->type, v->module->elems[*elem].type);
	return LB_OK;
}

static lb_err array_make_op(struct engine_validator *v, uint16_t op)
{
	const engine_type two[2] = { ENGINE_I32, ENGINE_I32 };
	const struct engine_field *element;
	uint32_t index = 0, segment = 0;

	LB_TRY(read_array(&index, &element, v));
	switch (op) {
	case ENGINE_OP_ARRAY_NEW:
		return make(v, engine_help_array_new,
		            (const engine_type[]){ unpacked(element->type), ENGINE_I32 }, 2, index,
		            0);
	case ENGINE_OP_ARRAY_NEW_DEFAULT:
		if (!engine_type_has_default(element->type))
			return engine_validate_fail(v, LB_E_INVALID,
			                            "type mismatch: the element has no default");
		return make(v, engine_help_array_new_default, two, 1, index, 0);
	case ENGINE_OP_ARRAY_NEW_DATA:
		LB_TRY(read_data(&segment, v, element));
		return make(v, engine_help_array_new_data, two, 2, index, segment);
	default:
		LB_TRY(read_elem(&segment, v, element));
		return make(v, engine_help_array_new_elem, two, 2, index, segment);
	}
}

static lb_err array_get_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_field *element;
	uint32_t index = 0;

	LB_TRY(read_array(&index, &element, v));
	if (is_packed(element->type) != (op != ENGINE_OP_ARRAY_GET))
		return engine_validate_fail(v, LB_E_INVALID, "array is %s",
		                            is_packed(element->type) ? "packed" : "unpacked");
	return use(v, op == ENGINE_OP_ARRAY_GET_S ? engine_help_array_get_s : engine_help_array_get,
	           (const engine_type[]){ engine_type_of_index(index), ENGINE_I32 }, 2,
	           unpacked(element->type), element->type & 0xff, 0);
}

static lb_err require_mutable(const struct engine_validator *v, const struct engine_field *element)
{
	if (!element->is_mutable)
		return engine_validate_fail(v, LB_E_INVALID, "immutable array");
	return LB_OK;
}

static lb_err array_write_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_field *element;
	uint32_t index = 0, segment = 0;
	engine_type type, ref;

	LB_TRY(read_array(&index, &element, v));
	LB_TRY(require_mutable(v, element));
	type = unpacked(element->type);
	ref = engine_type_of_index(index);
	switch (op) {
	case ENGINE_OP_ARRAY_SET:
		return use(v, engine_help_array_set, (const engine_type[]){ ref, ENGINE_I32, type },
		           3, 0, element->type & 0xff, 0);
	case ENGINE_OP_ARRAY_FILL:
		return use(v, engine_help_array_fill,
		           (const engine_type[]){ ref, ENGINE_I32, type, ENGINE_I32 }, 4, 0,
		           element->type & 0xff, 0);
	case ENGINE_OP_ARRAY_INIT_DATA:
		LB_TRY(read_data(&segment, v, element));
		return use(v, engine_help_array_init_data,
		           (const engine_type[]){ ref, ENGINE_I32, ENGINE_I32, ENGINE_I32 }, 4, 0,
		           index, segment);
	default:
		LB_TRY(read_elem(&segment, v, element));
		return use(v, engine_help_array_init_elem,
		           (const engine_type[]){ ref, ENGINE_I32, ENGINE_I32, ENGINE_I32 }, 4, 0,
		           index, segment);
	}
}

static lb_err array_copy_op(struct engine_validator *v)
{
	const struct engine_field *to, *from;
	uint32_t index_to = 0, index_from = 0;

	LB_TRY(read_array(&index_to, &to, v));
	LB_TRY(read_array(&index_from, &from, v));
	LB_TRY(require_mutable(v, to));
	if (!matches(v, from->type, to->type))
		return engine_validate_fail(v, LB_E_INVALID, "array types do not match");
	return use(v, engine_help_array_copy,
	           (const engine_type[]){ engine_type_of_index(index_to), ENGINE_I32,
	                                  engine_type_of_index(index_from), ENGINE_I32,
	                                  ENGINE_I32 },
	           5, 0, to->type & 0xff, 0);
}

/* ---- small integers and foreign references ---- */

static lb_err convert_op(struct engine_validator *v, engine_type from, engine_type to)
{
	struct operand o;

	LB_TRY(engine_validate_peek_all(v, &from, 1));
	engine_emit_helper(v, ENGINE_CODE_HELPER, engine_help_convert, 1, 0, 0);
	LB_TRY(engine_validate_pop(&o, v, from));
	if (engine_type_is_ref(o.type) && !engine_type_is_null(o.type))
		to |= ENGINE_NON_NULL;
	return engine_validate_push(v, to);
}

lb_err engine_validate_object_op(struct engine_validator *v, uint16_t op)
{
	static const engine_type i32 = ENGINE_I32, i31 = ENGINE_I31REF, array = ENGINE_ARRAYREF;

	switch (op) {
	case ENGINE_OP_STRUCT_NEW: return struct_new_op(v);
	case ENGINE_OP_STRUCT_NEW_DEFAULT: return struct_new_default_op(v);
	case ENGINE_OP_STRUCT_GET:
	case ENGINE_OP_STRUCT_GET_S:
	case ENGINE_OP_STRUCT_GET_U: return struct_get_op(v, op);
	case ENGINE_OP_STRUCT_SET: return struct_set_op(v);
	case ENGINE_OP_ARRAY_NEW:
	case ENGINE_OP_ARRAY_NEW_DEFAULT:
	case ENGINE_OP_ARRAY_NEW_DATA:
	case ENGINE_OP_ARRAY_NEW_ELEM: return array_make_op(v, op);
	case ENGINE_OP_ARRAY_NEW_FIXED: return array_new_fixed_op(v);
	case ENGINE_OP_ARRAY_GET:
	case ENGINE_OP_ARRAY_GET_S:
	case ENGINE_OP_ARRAY_GET_U: return array_get_op(v, op);
	case ENGINE_OP_ARRAY_SET:
	case ENGINE_OP_ARRAY_FILL:
	case ENGINE_OP_ARRAY_INIT_DATA:
	case ENGINE_OP_ARRAY_INIT_ELEM: return array_write_op(v, op);
	case ENGINE_OP_ARRAY_LEN: return use(v, engine_help_array_len, &array, 1, i32, 0, 0);
	case ENGINE_OP_ARRAY_COPY: return array_copy_op(v);
	case ENGINE_OP_ANY_CONVERT_EXTERN: return convert_op(v, ENGINE_EXTERNREF, ENGINE_ANYREF);
	case ENGINE_OP_EXTERN_CONVERT_ANY: return convert_op(v, ENGINE_ANYREF, ENGINE_EXTERNREF);
	case ENGINE_OP_REF_I31:
		return use(v, engine_help_ref_i31, &i32, 1, ENGINE_I31REF | ENGINE_NON_NULL, 0, 0);
	case ENGINE_OP_I31_GET_S: return use(v, engine_help_i31_get_s, &i31, 1, i32, 0, 0);
	default: return use(v, engine_help_i31_get_u, &i31, 1, i32, 0, 0);
	}
}
