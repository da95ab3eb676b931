/* fault.c - ends as the first argument says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each call has its place on the program's own stack, which is in its memory ... */
static int deeper(volatile int *at)
{
	volatile int here = *at + 1;

	return deeper(&here) + here;
}

/* ... or on the engine's. */
__attribute__((noinline)) static unsigned count(unsigned n)
{
	return n == 0 ? 0 : count(n - 1) * 3 + n;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	volatile int zero = 0;

	printf("before\n");
	fflush(stdout);
	if (strcmp(how, "deep") == 0)
		return deeper(&zero);
	if (strcmp(how, "calls") == 0)
		return (int)count(10000000U + (unsigned)zero);
	if (strcmp(how, "bounds") == 0)
		return *(volatile int *)(size_t)(0xfffffff0U + (unsigned)zero);
	if (strcmp(how, "divide") == 0)
		return (int)((unsigned)argc * 100 / (unsigned)zero);
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "loop") == 0)
		for (;;)
			zero = 0;
	if (strcmp(how, "sleep") == 0)
		sleep(1000);
	if (strcmp(how, "memory") == 0) {
		void *volatile block;
		size_t got = 0;

		while ((block = malloc(65536)) != NULL)
			got += 65536;
		printf("got %s\n", got < 5000000 ? "less" : "more");
		return 0;
	}
	return atoi(how);
}
