/* helper.h - instructions that are done by functions, not in the interpreter's loop.
 *
 * Each is an engine_helper: its operands stand in the slots from `at` on in the
 * order in which they were pushed, its results go to the same place.  What imm
 * and x are is said here.  Layer: engine, shared by its folders.
 */
#ifndef ENGINE_INTERPRET_HELPER_H
#define ENGINE_INTERPRET_HELPER_H

#include "engine/interpret/code.h"
#include "engine/op.h"

/* bulk.c; imm: memory, or the one that is written to */
engine_helper engine_help_memory_size, engine_help_memory_grow, engine_help_memory_fill;
engine_helper engine_help_memory_copy; /* x: the memory that is read */
engine_helper engine_help_memory_init; /* x: segment */
engine_helper engine_help_data_drop;   /* imm: segment */

/* ... imm: table */
engine_helper engine_help_table_size, engine_help_table_grow, engine_help_table_fill;
engine_helper engine_help_table_copy; /* x: the table that is read */
engine_helper engine_help_table_init; /* x: segment */
engine_helper engine_help_elem_drop;  /* imm: segment */

engine_helper engine_help_add128, engine_help_sub128, engine_help_mul_wide_s,
	engine_help_mul_wide_u;

/* vector.c: by instruction; NULL for those that touch memory.  Lanes are operand c or d. */
engine_vector_helper *engine_vector_helper_of(uint32_t op);

/* ... imm: memory, and the lane from bit 16 on; x: offset; NULL for others */
engine_helper *engine_vector_memory_helper_of(uint32_t op);

/* atomic.c: imm: memory, x: offset; NULL where there is none for the instruction */
engine_helper *engine_atomic_helper_of(uint32_t op);

/* object.c; imm: the type.  Those that make something may collect garbage before. */
engine_helper engine_help_struct_new, engine_help_struct_new_default;
engine_helper engine_help_struct_get, engine_help_struct_get_s,
	engine_help_struct_set; /* x: field */
engine_helper engine_help_array_new, engine_help_array_new_default;
engine_helper engine_help_array_new_fixed;                            /* x: count */
engine_helper engine_help_array_new_data, engine_help_array_new_elem; /* x: segment */
engine_helper engine_help_array_get, engine_help_array_get_s, engine_help_array_set;
engine_helper engine_help_array_len, engine_help_array_fill;
engine_helper engine_help_array_copy;                                   /* x: type of the source */
engine_helper engine_help_array_init_data, engine_help_array_init_elem; /* x: segment */
engine_helper engine_help_ref_i31, engine_help_i31_get_s, engine_help_i31_get_u;
engine_helper engine_help_ref_as_non_null, engine_help_convert;

/* imm: the type that is wanted, as an engine_type.  ref_match leaves the reference and puts the
 * answer behind it. */
engine_helper engine_help_ref_test, engine_help_ref_cast, engine_help_ref_match;

#endif
