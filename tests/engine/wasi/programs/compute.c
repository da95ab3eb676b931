/* compute.c - sorting, floats and their text, much allocation: what must come out as natively. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 42;

static uint32_t next(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void sort(void)
{
	enum { COUNT = 100000 };
	static uint32_t values[COUNT];
	uint64_t sum = 0;

	for (int i = 0; i < COUNT; i++)
		values[i] = next();
	qsort(values, COUNT, sizeof values[0], by_value);
	for (int i = 0; i < COUNT; i++)
		sum = sum * 31 + values[i];
	printf("sorted %016llx\n", (unsigned long long)sum);
}

static void floats(void)
{
	for (int i = -20; i < 20; i++) {
		double x = ldexp(1.0 + next() / 4294967296.0, i * 13);

		printf("%.17g %a %e %10.3f %g\n", x, x, x, fabs(x) < 1e9 ? x : 0, sqrt(x));
	}
	printf("%f %f %g %g\n", 1.0 / 3, -0.0, (double)INFINITY, strtod("0x1.8p3", NULL));
	printf("%.9g %d %lld\n", (double)(float)0.1, (int)-2.7, (long long)1e15);
}

static void allocate(void)
{
	enum { SLOTS = 500, ROUNDS = 60000 };
	static unsigned char *blocks[SLOTS];
	static size_t sizes[SLOTS];
	uint64_t sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned slot = next() % SLOTS;
		size_t size = next() % 5000 + 1;

		for (size_t k = 0; k < sizes[slot]; k += 97)
			sum = sum * 7 + blocks[slot][k];
		blocks[slot] = next() % 3 == 0 ? realloc(blocks[slot], size)
		                               : (free(blocks[slot]), malloc(size));
		if (blocks[slot] == NULL)
			abort();
		memset(blocks[slot], (int)(size & 0xff), size);
		sizes[slot] = size;
	}
	printf("allocated %016llx\n", (unsigned long long)sum);
}

int main(void)
{
	sort();
	floats();
	allocate();
	return 0;
}
