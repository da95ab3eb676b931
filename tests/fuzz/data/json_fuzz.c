/* json_fuzz.c - JSON: what is read can be written and read again, to the same value. */
#include "base/data/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len);

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

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len)
{
	struct lb_diag diag = { 0 };
	struct lb_value *value;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, &lb_mem_host);
	err = lb_json_read(&value, &arena, (struct lb_bytes){ at, len }, &diag);
	if (lb_failed(err) != (value == NULL) || lb_failed(err) != (diag.text[0] != '\0'))
		abort();
	if (!lb_failed(err))
		check_again(&arena, value);
	lb_arena_release(&arena);
	return 0;
}
