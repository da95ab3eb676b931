/* words.h - the words of the text format: instructions by name, and what else may stand there.
 *
 * Made from op.def.  Layer: engine/text.  Owner: the caller's arena.  Threads: immutable once made.
 */
#ifndef ENGINE_TEXT_WORDS_H
#define ENGINE_TEXT_WORDS_H

#include "base/arena.h"

enum { ENGINE_WORD_SLOTS = 2048 };

struct engine_words {
	uint16_t slots[ENGINE_WORD_SLOTS]; /* index in engine_op_table + 1; 0: free */
};

/* NULL when memory runs out. */
const struct engine_words *engine_words_new(struct lb_arena *arena);

/* The first instruction of that name; false where there is none. */
bool engine_words_find(unsigned *op, const struct engine_words *words, struct lb_bytes name);

/* Whether it means something somewhere, as an instruction or otherwise. */
bool engine_words_know(const struct engine_words *words, struct lb_bytes word);

#endif
