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

		CHECK((info->text == NULL) == (info->form == ENGINE_FORM_NONE));
		CHECK(info->feature < ENGINE_FEATURE_COUNT && info->code < ENGINE_CODE_COUNT);
		CHECK(simple == (info->operand != 0) && simple == (info->result != 0));
		CHECK((info->form == ENGINE_FORM_LOAD || info->form == ENGINE_FORM_STORE) ==
		      (info->imm == ENGINE_IMM_MEMARG));
		count += info->text != NULL;
	}
	CHECK(count == 201);
}

TEST(instructions_stand_at_their_bytes)
{
	CHECK_TEXT(engine_op_table[0x6a].text, "i32.add");
	CHECK_TEXT(engine_op_table[ENGINE_OP_TABLE_FILL].text, "table.fill");
	CHECK(ENGINE_OP_TABLE_FILL == 0x111);
	CHECK(engine_op_table[0x2d].align_max == 0 && engine_op_table[0x37].align_max == 3);
	CHECK(engine_op_table[ENGINE_OP_I32_ADD].code == ENGINE_CODE_I32_ADD);
}

TEST(texts_are_unique)
{
	for (unsigned i = 0; i < ENGINE_OP_COUNT; i++)
		for (unsigned k = i + 1; k < ENGINE_OP_COUNT; k++) {
			const char *a = engine_op_table[i].text, *b = engine_op_table[k].text;

			/* Both selects have the same name. */
			if (a != NULL && b != NULL && i != ENGINE_OP_SELECT)
				CHECK(strcmp(a, b) != 0);
		}
}
