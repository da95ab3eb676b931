/* collect_test.c - the official tests of garbage collection and exceptions, collecting at every
 * allocation: what is reachable must be found wherever it is. */
#include "base/io/file.h"
#include "engine/command/wast.h"
#include "engine/store.h"
#include "tests/harness/test.h"

static const char *const files[] = {
	"array",           "array_copy",
	"array_fill",      "array_init_data",
	"array_init_elem", "array_new_data",
	"array_new_elem",  "br_on_cast",
	"br_on_cast_fail", "br_on_non_null",
	"br_on_null",      "call_ref",
	"extern",          "i31",
	"ref_cast",        "ref_eq",
	"ref_test",        "struct",
	"table_fill",      "table_grow",
	"throw",           "throw_ref",
	"try_table",       "type-subtyping",
	"linking",         "return_call_ref",
	"select",          "local_init",
	"ref_null",        "global",
	"instance",        "elem",
};

TEST(everything_reachable_survives_collection)
{
	const struct engine_store_options limits = { .collect_always = true };
	const struct engine_wast_options options = { .limits = &limits,
		                                     .to = stdout,
		                                     .prefix = "# " };
	struct engine_wast_counts counts = { 0 };
	struct lb_buf text;
	char path[1024];

	if (test_suites() == NULL)
		SKIP("the official suites are not here (set SUITES)");
	lb_buf_init(&text, &lb_mem_host, 64 << 20);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		lb_buf_reset(&text);
		(void)snprintf(path, sizeof path, "%s/wasm-spec/%s.wast", test_suites(), files[i]);
		if (CHECK_OK(lb_file_read(&text, &plat_host, path, NULL)))
			CHECK_OK(engine_wast_run(&counts, t->mem, lb_buf_bytes(&text), files[i],
			                         &options, NULL));
	}
	printf("# %u assertions\n", counts.assertions);
	CHECK(counts.failures == 0 && counts.assertions >= 1000);
	lb_buf_release(&text);
}
