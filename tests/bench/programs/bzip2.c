/* bzip2.c - compresses 2 MB of text with libbz2 and takes it apart again, in memory. */
#include "text.h"

#include <bzlib.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 2000000, ROOM = SIZE + SIZE / 100 + 600 };

int main(void)
{
	char *text = malloc(SIZE), *packed = malloc(ROOM), *again = malloc(SIZE);
	unsigned packed_size = ROOM, size = SIZE;

	if (text == NULL || packed == NULL || again == NULL)
		return 1;
	text_fill(text, SIZE);
	if (BZ2_bzBuffToBuffCompress(packed, &packed_size, text, SIZE, 9, 0, 0) != BZ_OK ||
	    BZ2_bzBuffToBuffDecompress(again, &size, packed, packed_size, 0, 0) != BZ_OK ||
	    size != SIZE || memcmp(text, again, SIZE) != 0)
		return 1;
	printf("bzip2 %u\n", packed_size);
	return 0;
}

void bz_internal_error(int code)
{
	(void)code;
	abort();
}
