/* outcome_fuzz.c - any bytes as what a test program says of itself: as TAP, and as JUnit. */
#include "ci-runner/bundle/outcome.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef lb_err reader(struct lb_vec *cases, struct lb_arena *arena, struct lb_bytes text,
                      struct lb_diag *diag);

/* What was read is there, and can be shown. */
static void show(struct lb_mem *mem, const struct lb_vec *cases)
{
	struct lb_buf text;

	lb_buf_init(&text, mem, 1 << 20);
	for (size_t i = 0; i < cases->count; i++) {
		const struct runner_case *one = LB_VEC_AT(cases, struct runner_case, i);

		if (one->verdict > RUNNER_FAILED_TEST)
			abort();
		runner_xml_add(&text, one->name);
		runner_xml_add(&text, one->why);
	}
	lb_buf_release(&text);
}

static void read_by(reader *read, struct lb_mem *mem, struct lb_bytes input)
{
	struct lb_diag diag = { 0 };
	struct lb_arena arena;
	struct lb_vec cases;
	lb_err err;

	lb_arena_init(&arena, mem);
	lb_vec_init(&cases, mem, sizeof(struct runner_case), RUNNER_CASES_MAX);
	err = read(&cases, &arena, input, &diag);
	if (lb_code_of(err) == LB_E_MALFORMED && diag.text[0] == '\0')
		abort();
	if (!lb_failed(err))
		show(mem, &cases);
	lb_vec_release(&cases);
	lb_arena_release(&arena);
}

static void target(struct lb_mem *mem, struct lb_bytes input, bool failing)
{
	(void)failing;
	read_by(runner_tap_read, mem, input);
	read_by(runner_junit_read, mem, input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_twice(target, data, size);
}
