/* text_fuzz.c - any bytes as a module's text: what can be assembled is printed and assembled again
 * to the same bytes; and any bytes as a binary: what can be printed can be assembled. */
#include "engine/text/text.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 64 << 20 };

/* To text and back. */
static void print(struct lb_mem *mem, struct lb_bytes binary, bool failing, bool must)
{
	struct lb_buf text, again;
	struct lb_diag diag = { 0 };
	lb_err err;

	lb_buf_init(&text, mem, BYTES_MAX);
	lb_buf_init(&again, mem, BYTES_MAX);
	err = engine_text_of_binary(&text, mem, binary, &diag);
	if (lb_failed(err)) {
		if (!failing && (must || diag.text[0] == '\0'))
			abort();
	} else {
		err = engine_text_to_binary(&again, mem, lb_buf_bytes(&text), NULL, &diag);
		if (!failing && must &&
		    (lb_failed(err) || !lb_bytes_eq(binary, lb_buf_bytes(&again))))
			abort();
	}
	lb_buf_release(&text);
	lb_buf_release(&again);
}

/* Sections written as bytes may be anything, and what they say of names may be lost. */
static bool has_bytes(struct lb_bytes input)
{
	return lb_bytes_find(input, LB_B("binary")) != SIZE_MAX ||
	       lb_bytes_find(input, LB_B("custom")) != SIZE_MAX;
}

static void target(struct lb_mem *mem, struct lb_bytes input, bool failing)
{
	struct lb_diag diag = { 0 };
	struct lb_buf binary;
	lb_err err;

	if (!engine_text_is(input)) {
		print(mem, input, failing, false);
		return;
	}
	lb_buf_init(&binary, mem, BYTES_MAX);
	err = engine_text_to_binary(&binary, mem, input, NULL, &diag);
	if (lb_failed(err)) {
		if (lb_code_of(err) != LB_E_NOMEM && diag.text[0] == '\0')
			abort(); /* whatever is refused is told why */
	} else {
		print(mem, lb_buf_bytes(&binary), failing, !has_bytes(input));
	}
	lb_buf_release(&binary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_twice(target, data, size);
}
