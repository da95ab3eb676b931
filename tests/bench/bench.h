/* bench.h - what benchmarks share: samples, medians, a table. */
#ifndef LB_TESTS_BENCH_H
#define LB_TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>

enum { BENCH_SAMPLES_MAX = 4096 };

struct bench {
	const char *name;
	uint64_t ns[BENCH_SAMPLES_MAX];
	size_t count;
};

void bench_add(struct bench *bench, uint64_t ns);
uint64_t bench_median(struct bench *bench); /* sorts */

/* "name   n  min  median  p95  max", in milliseconds; then the ratio of medians to `base` when
 * given. */
void bench_print(struct bench *bench, struct bench *base);

#endif
