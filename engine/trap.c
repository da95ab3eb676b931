/* trap.c - see trap.h. */
#include "engine/trap.h"

const char *engine_trap_text(enum engine_trap trap)
{
	static const char *const texts[ENGINE_TRAP_COUNT] = {
		[ENGINE_TRAP_NONE] = "",
#define TRAP(name, text) [ENGINE_TRAP_##name] = (text),
#include "engine/trap.def"
#undef TRAP
	};

	return trap < ENGINE_TRAP_COUNT ? texts[trap] : "unknown trap";
}
