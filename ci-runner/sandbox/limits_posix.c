/* limits_posix.c - see limits.h. */
#include "ci-runner/sandbox/limits.h"

#include <stdio.h>
#include <unistd.h>

enum { PROCESSES_USUAL = 16384, RESERVED_MIB = 256 };

static uint64_t number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long number = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu", &number) != 1)
		number = 0;
	(void)fclose(file);
	return number;
}

static uint64_t machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

struct runner_limits runner_limits_usual(void)
{
	uint64_t reserved = (uint64_t)RESERVED_MIB << 20, memory = machine_memory();
	uint64_t most = number_in("/proc/sys/kernel/threads-max");
	struct runner_limits limits = { .processes = PROCESSES_USUAL };

	if (memory / 20 > reserved)
		reserved = memory / 20;
	limits.memory = memory > 2 * reserved ? memory - reserved : 0;
	if (most > 0 && most / 2 < limits.processes)
		limits.processes = (uint32_t)(most / 2);
	return limits;
}

/* ---- reading ---- */

/* "1.5" with at most nine digits on either side. */
static bool read_decimal(double *out, struct lb_bytes text)
{
	size_t point = lb_bytes_find_byte(text, '.');
	struct lb_bytes rest = lb_bytes_from(text, point == SIZE_MAX ? SIZE_MAX : point + 1);
	uint64_t whole, part = 0, scale = 1;

	if (lb_failed(lb_bytes_u64(&whole, lb_bytes_upto(text, point), 999999999)) ||
	    (point != SIZE_MAX && lb_failed(lb_bytes_u64(&part, rest, 999999999))))
		return false;
	for (size_t i = 0; i < rest.len; i++)
		scale *= 10;
	*out = (double)whole + (double)part / (double)scale;
	return true;
}

static bool read_size(uint64_t *out, struct lb_bytes text)
{
	static const char units[] = "KMGT";
	unsigned shift = 0;
	double number;

	for (size_t i = 0; text.len > 0 && i < sizeof units - 1; i++) {
		if ((text.at[text.len - 1] & ~0x20) == units[i])
			shift = 10 * (unsigned)(i + 1);
	}
	if (shift > 0)
		text.len--;
	if (!read_decimal(&number, text) || number * (double)(UINT64_C(1) << shift) >= 9e18)
		return false;
	*out = (uint64_t)(number * (double)(UINT64_C(1) << shift));
	return *out > 0;
}

static bool read_one(struct runner_limits *limits, struct lb_bytes name, struct lb_bytes value)
{
	bool none = lb_bytes_is(value, "none");
	uint64_t count = 0;

	if (lb_bytes_is(name, "memory")) {
		limits->memory = 0;
		return none || read_size(&limits->memory, value);
	}
	if (lb_bytes_is(name, "disk")) {
		limits->disk = 0;
		return none || read_size(&limits->disk, value);
	}
	if (lb_bytes_is(name, "cpus")) {
		limits->cpus = 0;
		return none || (read_decimal(&limits->cpus, value) && limits->cpus > 0);
	}
	if (!lb_bytes_is(name, "processes"))
		return false;
	if (!none && (lb_failed(lb_bytes_u64(&count, value, UINT32_MAX)) || count == 0))
		return false;
	limits->processes = (uint32_t)count;
	return true;
}

lb_err runner_limits_read(struct runner_limits *limits, struct lb_bytes text, struct lb_diag *diag)
{
	struct lb_bytes rest = text, one;

	while (rest.len > 0 && lb_bytes_split(&one, &rest, ',')) {
		size_t equals = lb_bytes_find_byte(one, '=');

		if (equals == SIZE_MAX ||
		    !read_one(limits, lb_bytes_trim(lb_bytes_upto(one, equals)),
		              lb_bytes_trim(lb_bytes_from(one, equals + 1))))
			return lb_fail(diag, LB_E_USAGE,
			               "'%.*s' is no limit: expected memory=SIZE, disk=SIZE (4G), "
			               "processes=NUMBER, cpus=NUMBER, or none for a value",
			               LB_FMT(lb_bytes_upto(one, 100)));
	}
	return LB_OK;
}
