/* hello.c - arguments and environment. */
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

int main(int argc, char **argv)
{
	printf("hello, %d arguments\n", argc - 1);
	for (int i = 1; i < argc; i++)
		printf("%d: \"%s\"\n", i, argv[i]);
	for (char **variable = environ; *variable != NULL; variable++)
		printf("env %s\n", *variable);
	fprintf(stderr, "said on stderr\n");
	return argc > 1 && argv[1][0] >= '0' && argv[1][0] <= '9' ? atoi(argv[1]) : 0;
}
