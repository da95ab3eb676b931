/* json_fuzz.c - JSON: what is read can be written and read again, to the same value. */
#include "base/data/json.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct lb_arena *arena, const struct lb_value *value)
{
	struct lb_value *again;
	struct lb_buf out;

	lb_buf_init(&out, &lb_mem_host, 1 << 26);
	lb_value_write(&out, value, false);
	if (lb_failed(lb_buf_check(&out)) ||
	    lb_failed(lb_json_read(&again, arena, lb_buf_bytes(&out), NULL)) ||
	    !lb_value_eq(value, again))
		abort();
	lb_buf_release(&out);
}

static void target(struct lb_mem *mem, struct lb_bytes input, bool failing)
{
	struct lb_diag diag = { 0 };
	struct lb_value *value;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, mem);
	err = lb_json_read(&value, &arena, input, &diag);
	if (lb_failed(err) != (value == NULL))
		abort();
	if (lb_code_of(err) != LB_E_NOMEM && lb_failed(err) != (diag.text[0] != '\0'))
		abort();
	if (!lb_failed(err) && !failing)
		check_again(&arena, value);
	lb_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_twice(target, data, size);
}
