/* bench.c - see bench.h. */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

void bench_add(struct bench *bench, uint64_t ns)
{
	if (bench->count < BENCH_SAMPLES_MAX)
		bench->ns[bench->count++] = ns;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t bench_median(struct bench *bench)
{
	if (bench->count == 0)
		return 0;
	qsort(bench->ns, bench->count, sizeof bench->ns[0], compare);
	return bench->ns[bench->count / 2];
}

static double ms(uint64_t ns) { return (double)ns / 1e6; }

void bench_print(struct bench *bench, struct bench *base)
{
	uint64_t median = bench_median(bench);

	if (bench->count == 0) {
		printf("%-28s no samples\n", bench->name);
		return;
	}
	printf("%-28s n %3zu  min %8.2f  median %8.2f  p95 %8.2f  max %8.2f ms", bench->name,
	       bench->count, ms(bench->ns[0]), ms(median), ms(bench->ns[bench->count * 95 / 100]),
	       ms(bench->ns[bench->count - 1]));
	if (base != NULL && base->count > 0)
		printf("   %.2f of %s", (double)median / (double)bench_median(base), base->name);
	printf("\n");
}
