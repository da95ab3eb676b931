/* plugin_test.c - loading a plug-in while memory runs out; the rest is in plugin.t. */
#include "engine/plugin/load.h"

#include "base/io/run.h"
#include "tests/harness/test.h"

#include <stdlib.h>

/* The example of docs/examples/plugin, built here; false where there is no compiler. */
static bool build(struct test *t, char *path, size_t size)
{
	const char *script =
		"mkdir -p \"$1/lifeboat\" && cp \"$2/engine/plugin/plugin.h\" \"$1/lifeboat\" && "
		"${CC:-cc} -shared -fPIC -I \"$1\" -o \"$1/shout.so\" "
		"\"$2/docs/examples/plugin/shout.c\"";
	const char *argv[] = { "sh", "-c", script, "sh", test_folder(t), test_top(), NULL };
	struct lb_run how = { .argv = argv };

	(void)snprintf(path, size, "%s/shout.so", test_folder(t));
	return !lb_failed(lb_run_ok(&how, NULL, NULL));
}

TEST(loading_a_plugin_survives_every_oom)
{
	char path[1024];

	if (!build(t, path, sizeof path))
		SKIP("no C compiler, or no sources");
	EACH_OOM (t) {
		struct engine_plugin *plugin = NULL;
		struct engine_linker *linker = NULL;
		struct engine_store *store = NULL;
		lb_err err = engine_plugin_load(&plugin, t->mem, path, "3", NULL);

		CHECK(lb_failed(err) == (plugin == NULL));
		if (!lb_failed(err))
			err = engine_store_new(&store, t->mem,
			                       &(struct engine_store_options){
						       .stack_slots_max = 100,
						       .call_depth_max = 10 });
		if (!lb_failed(err))
			err = engine_linker_new(&linker, t->mem, store);
		if (!lb_failed(err))
			err = engine_plugin_link(plugin, linker, NULL);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		engine_linker_free(linker);
		engine_store_free(store);
		engine_plugin_free(plugin);
	}
}
