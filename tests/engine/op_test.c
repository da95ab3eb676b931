/* op_test.c - the table of instructions agrees with itself and with the register code. */
#include "engine/op.h"

#include "engine/interpret/code.h"
#include "tests/harness/test.h"

TEST(every_instruction_is_complete)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ENGINE_OP_COUNT; i++) {
		const struct engine_op_info *info = &engine_op_table[i];
		bool simple = info->form > ENGINE_FORM_OP;
		bool touches_memory =
			info->imm == ENGINE_IMM_MEMARG || info->imm == ENGINE_IMM_MEMARG_LANE;

		CHECK((info->text == NULL) == (info->form == ENGINE_FORM_NONE));
		CHECK(info->feature < ENGINE_FEATURE_COUNT && info->code < ENGINE_CODE_COUNT);
		CHECK(!simple || (info->operand != 0 && info->result != 0));
		if (info->form == ENGINE_FORM_LOAD || info->form == ENGINE_FORM_STORE)
			CHECK(touches_memory);
		count += info->text != NULL;
	}
	CHECK(count == 575);
}

TEST(instructions_stand_at_their_bytes)
{
	CHECK_TEXT(engine_op_table[0x6a].text, "i32.add");
	CHECK_TEXT(engine_op_table[ENGINE_OP_TABLE_FILL].text, "table.fill");
	CHECK(ENGINE_OP_TABLE_FILL == ENGINE_OP_FC + 0x11);
	CHECK(engine_op_table[0x2d].align_max == 0 && engine_op_table[0x37].align_max == 3);
	CHECK(engine_op_table[ENGINE_OP_I32_ADD].code == ENGINE_CODE_I32_ADD);
}

TEST(texts_are_unique)
{
	for (unsigned i = 0; i < ENGINE_OP_COUNT; i++)
		for (unsigned k = i + 1; k < ENGINE_OP_COUNT; k++) {
			const char *a = engine_op_table[i].text, *b = engine_op_table[k].text;

			/* Both selects, tests and casts have the same name. */
			if (a != NULL && b != NULL && i != ENGINE_OP_SELECT &&
			    i != ENGINE_OP_REF_TEST && i != ENGINE_OP_REF_CAST)
				CHECK(strcmp(a, b) != 0);
		}
}

TEST(places_and_codes_agree)
{
	for (uint32_t i = 0; i < ENGINE_OP_COUNT; i++) {
		uint32_t number = 0;
		uint8_t prefix = engine_op_prefix(&number, i);

		if (prefix != 0)
			CHECK(engine_op_behind(prefix, number) == i);
		else
			CHECK(number == i && i < 0x100);
	}
	CHECK(engine_op_behind(ENGINE_OP_PREFIX_FD, 0x113) ==
	      ENGINE_OP_I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S);
	CHECK(engine_op_behind(ENGINE_OP_PREFIX_FB, 0x20) == ENGINE_OP_COUNT);
}
