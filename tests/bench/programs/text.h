/* text.h - text that compresses as prose does, from a seed: for the compressors' programs. */
#ifndef BENCH_TEXT_H
#define BENCH_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static void text_fill(char *out, size_t size)
{
	static const char *const words[] = { "the ",     "module ",   "of ",    "memory ",
		                             "a ",       "function ", "and ",   "table ",
		                             "in ",      "which ",    "value ", "is ",
		                             "stored\n", "by ",       "index, " };
	uint32_t state = 12345;
	size_t at = 0;

	while (at < size) {
		const char *word;
		size_t len;

		state = state * 1664525u + 1013904223u;
		word = words[(state >> 16) % (sizeof words / sizeof *words)];
		len = strlen(word);
		if (len > size - at)
			len = size - at;
		memcpy(out + at, word, len);
		at += len;
		if (state >> 28 == 0 && at < size) /* now and then a number */
			out[at++] = (char)('0' + (state >> 20) % 10);
	}
}

#endif
