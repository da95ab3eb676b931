/* official_test.c - every module of the official suite, to text and back: the same bytes again. */
#include "base/io/file.h"
#include "engine/text/script.h"
#include "tests/harness/test.h"

#include <stdlib.h>

enum { BYTES_MAX = 64 << 20 };

struct walk {
	struct test *t;
	const char *folder;
	unsigned modules, scripts;
};

/* What is no module, or refers to what is not there, has no binary to go on with. */
static void there_and_back(struct walk *walk, struct engine_script *script,
                           const struct engine_script_command *command, const char *name)
{
	struct test *t = walk->t;
	struct lb_buf binary, text, again;
	struct lb_diag diag = { 0 };

	lb_buf_init(&binary, &lb_mem_host, BYTES_MAX);
	lb_buf_init(&text, &lb_mem_host, BYTES_MAX);
	lb_buf_init(&again, &lb_mem_host, BYTES_MAX);
	if (!lb_failed(engine_script_module(&binary, script, command, NULL)) &&
	    !lb_failed(engine_text_of_binary(&text, &lb_mem_host, lb_buf_bytes(&binary), &diag))) {
		/* What was written in binary may have been longer than it had to be. */
		lb_buf_reset(&binary);
		if (!CHECK_OK(engine_text_to_binary(&binary, &lb_mem_host, lb_buf_bytes(&text),
		                                    NULL, &diag)))
			printf("# %s:%zu: %s\n", name, command->line, diag.text);
		lb_buf_reset(&text);
		CHECK_OK(engine_text_of_binary(&text, &lb_mem_host, lb_buf_bytes(&binary), &diag));
		CHECK_OK(engine_text_to_binary(&again, &lb_mem_host, lb_buf_bytes(&text), NULL,
		                               &diag));
		CHECK(lb_bytes_eq(lb_buf_bytes(&binary), lb_buf_bytes(&again)));
		if (!lb_bytes_eq(lb_buf_bytes(&binary), lb_buf_bytes(&again)))
			printf("# %s:%zu\n", name, command->line);
		walk->modules++;
	} else if (command->kind == ENGINE_SCRIPT_MODULE) {
		t->failures++;
		printf("# %s:%zu: %s\n", name, command->line, diag.text);
	}
	lb_buf_release(&binary);
	lb_buf_release(&text);
	lb_buf_release(&again);
}

static void each_module(struct walk *walk, struct lb_bytes text, const char *name)
{
	struct test *t = walk->t;
	const struct engine_text_options options = { .name = name };
	struct engine_script_command command;
	struct engine_script *script;
	struct lb_diag diag = { 0 };

	if (!CHECK_OK(engine_script_open(&script, &lb_mem_host, text, &options, &diag)))
		return;
	while (!lb_failed(engine_script_next(&command, script, &diag)))
		if (command.kind == ENGINE_SCRIPT_MODULE ||
		    command.kind == ENGINE_SCRIPT_DEFINITION ||
		    command.kind == ENGINE_SCRIPT_INVALID ||
		    command.kind == ENGINE_SCRIPT_UNLINKABLE ||
		    command.kind == ENGINE_SCRIPT_UNINSTANTIABLE)
			there_and_back(walk, script, &command, name);
	engine_script_close(script);
	walk->scripts++;
}

static lb_err each_file(void *ctx, const char *path, const struct plat_info *info)
{
	struct walk *walk = ctx;
	struct lb_buf text;
	char whole[1024];
	lb_err err;

	(void)info;
	if (!lb_bytes_ends(lb_bytes_of(path), LB_B(".wast")) ||
	    strstr(path, "custom-descriptors") != NULL)
		return LB_OK;
	lb_buf_init(&text, &lb_mem_host, BYTES_MAX);
	(void)snprintf(whole, sizeof whole, "%s/%s", walk->folder, path);
	err = lb_file_read(&text, &plat_host, whole, NULL);
	if (!lb_failed(err))
		each_module(walk, lb_buf_bytes(&text), path);
	lb_buf_release(&text);
	return err;
}

TEST(all_official_modules_there_and_back)
{
	struct walk walk = { .t = t };
	char folder[1024];

	if (test_suites() == NULL)
		SKIP("the official suites are not here (set SUITES)");
	(void)snprintf(folder, sizeof folder, "%s/wasm-spec", test_suites());
	walk.folder = folder;
	CHECK_OK(lb_file_walk(&lb_mem_host, &plat_host, folder, each_file, &walk, NULL));
	CHECK(walk.modules >= 3000);
	printf("# %u modules in %u scripts\n", walk.modules, walk.scripts);
}
