/* cat.c - standard input to standard output, in pieces of odd sizes. */
#include <stdio.h>

int main(void)
{
	static char piece[40961];
	size_t len;

	while ((len = fread(piece, 1, sizeof piece, stdin)) > 0) {
		if (fwrite(piece, 1, len, stdout) != len)
			return 1;
	}
	return ferror(stdin) || fflush(stdout) != 0;
}
