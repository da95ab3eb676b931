/* number.h - the text format's literals: which words are numbers, and which numbers.
 *
 * Floats are rounded once, to nearest with ties to even, whatever the number of digits
 * and the locale.  Layer: engine, shared by its folders.  Threads: pure functions.
 */
#ifndef ENGINE_TEXT_NUMBER_H
#define ENGINE_TEXT_NUMBER_H

#include "base/buf.h"

enum engine_number_kind {
	ENGINE_NUMBER_NONE,
	ENGINE_NUMBER_NAT,
	ENGINE_NUMBER_INT, /* with a sign */
	ENGINE_NUMBER_FLOAT
};

enum engine_number_kind engine_number_kind(struct lb_bytes word);

/* The values of words of these kinds.  False where the value is out of range: of a natural
 * number above `max`, of an integer outside -2^(bits-1) to 2^bits - 1, of a float too large
 * for its width (32 or 64).  Results are the low bits, zero-extended. */
bool engine_number_nat(uint64_t *out, struct lb_bytes word, uint64_t max);
bool engine_number_int(uint64_t *out, struct lb_bytes word, unsigned bits);
bool engine_number_float(uint64_t *out, struct lb_bytes word, unsigned width);

/* Append the shortest decimal that reads back as the same bits, or inf, nan, nan:0x... */
void engine_number_add_float(struct lb_buf *out, uint64_t bits, unsigned width);

#endif
