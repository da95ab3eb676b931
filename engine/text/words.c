/* words.c - see words.h. */
#include "engine/text/words.h"

#include "engine/op.h"

static_assert(ENGINE_OP_COUNT < ENGINE_WORD_SLOTS * 3 / 4, "probes must end, and soon");

/* What is there to be found is known, so no key is needed. */
static uint32_t home_of(struct lb_bytes name)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ name.at[i]) * 16777619u;
	return (hash ^ hash >> 16) % ENGINE_WORD_SLOTS;
}

static uint32_t slot_of(const struct engine_words *words, struct lb_bytes name)
{
	uint32_t slot = home_of(name);

	while (words->slots[slot] != 0 &&
	       !lb_bytes_is(name, engine_op_table[words->slots[slot] - 1].text))
		slot = (slot + 1) % ENGINE_WORD_SLOTS;
	return slot;
}

const struct engine_words *engine_words_new(struct lb_arena *arena)
{
	struct engine_words *words = LB_ARENA_NEW(arena, struct engine_words, 1);

	if (words == NULL)
		return NULL;
	for (unsigned op = 0; op < ENGINE_OP_COUNT; op++) {
		uint32_t slot;

		if (engine_op_table[op].text == NULL)
			continue;
		slot = slot_of(words, lb_bytes_of(engine_op_table[op].text));
		if (words->slots[slot] == 0)
			words->slots[slot] = (uint16_t)(op + 1);
	}
	return words;
}

bool engine_words_find(unsigned *op, const struct engine_words *words, struct lb_bytes name)
{
	uint32_t slot = slot_of(words, name);

	*op = words->slots[slot] != 0 ? words->slots[slot] - 1u : 0;
	return words->slots[slot] != 0;
}

bool engine_words_know(const struct engine_words *words, struct lb_bytes word)
{
	static const char *const others[] = { "i32",
		                              "i64",
		                              "f32",
		                              "f64",
		                              "v128",
		                              "i8",
		                              "i16",
		                              "i8x16",
		                              "i16x8",
		                              "i32x4",
		                              "i64x2",
		                              "f32x4",
		                              "f64x2",
		                              "any",
		                              "anyref",
		                              "eq",
		                              "eqref",
		                              "i31",
		                              "i31ref",
		                              "struct",
		                              "structref",
		                              "array",
		                              "arrayref",
		                              "none",
		                              "nullref",
		                              "func",
		                              "funcref",
		                              "nofunc",
		                              "nullfuncref",
		                              "exn",
		                              "exnref",
		                              "noexn",
		                              "nullexnref",
		                              "extern",
		                              "externref",
		                              "noextern",
		                              "nullexternref",
		                              "ref",
		                              "null",
		                              "mut",
		                              "field",
		                              "sub",
		                              "final",
		                              "rec",
		                              "type",
		                              "param",
		                              "result",
		                              "local",
		                              "module",
		                              "binary",
		                              "quote",
		                              "definition",
		                              "instance",
		                              "import",
		                              "export",
		                              "table",
		                              "memory",
		                              "global",
		                              "tag",
		                              "elem",
		                              "data",
		                              "declare",
		                              "offset",
		                              "item",
		                              "start",
		                              "shared",
		                              "pagesize",
		                              "then",
		                              "catch",
		                              "catch_ref",
		                              "catch_all",
		                              "catch_all_ref",
		                              "do",
		                              "delegate",
		                              "register",
		                              "invoke",
		                              "get",
		                              "input",
		                              "output",
		                              "script",
		                              "assert_return",
		                              "assert_trap",
		                              "assert_exhaustion",
		                              "assert_malformed",
		                              "assert_invalid",
		                              "assert_unlinkable",
		                              "assert_exception",
		                              "assert_suspension",
		                              "thread",
		                              "wait",
		                              "either",
		                              "nan:canonical",
		                              "nan:arithmetic" };
	static const char *const settings[] = { "offset=", "align=" };
	unsigned op;

	if (engine_words_find(&op, words, word))
		return true;
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (lb_bytes_starts(word, lb_bytes_of(settings[i])))
			return true;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (lb_bytes_is(word, others[i]))
			return true;
	return false;
}
