/* zstd.c - compresses 6 MB of text with libzstd at level 3 and takes it apart again, in memory. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum { SIZE = 6000000 };

int main(void)
{
	size_t room = ZSTD_compressBound(SIZE), packed_size = 0, size;
	char *text = malloc(SIZE), *packed = malloc(room), *again = malloc(SIZE);

	if (text == NULL || packed == NULL || again == NULL)
		return 1;
	text_fill(text, SIZE);
	for (int level = 1; level <= 7; level += 2) {
		packed_size = ZSTD_compress(packed, room, text, SIZE, level);
		size = ZSTD_decompress(again, SIZE, packed, packed_size);
		if (ZSTD_isError(packed_size) || size != SIZE || memcmp(text, again, SIZE) != 0)
			return 1;
	}
	printf("zstd %zu\n", packed_size);
	return 0;
}
