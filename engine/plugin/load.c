/* load.c - see load.h. */
#include "engine/plugin/load.h"

#include "base/platform/library.h"
#include "engine/plugin/plugin.h"

enum { FUNCTIONS_MAX = 100000, TYPES_MAX = 32 };

struct binding {
	struct engine_plugin *plugin;
	const struct lifeboat_function *function;
};

struct engine_plugin {
	struct lb_mem *mem;
	void *library;
	const struct lifeboat_plugin *about;
	void *state;
	bool is_open;
	struct binding *bindings;
	struct lb_diag *diag;
};

struct lifeboat_call {
	struct engine_memory *memory; /* NULL: the caller has none */
	struct lb_diag *diag;
	bool failed;
};

static_assert(sizeof(union lifeboat_value) == 8, "the interface's values have 8 bytes");

/* ---- what a plug-in can ask ---- */

static void *host_memory(struct lifeboat_call *call, uint64_t offset, uint64_t len)
{
	return call->memory != NULL ? engine_memory_at(call->memory, offset, len) : NULL;
}

static void host_fail(struct lifeboat_call *call, const char *message)
{
	call->failed = true;
	lb_diag_set(call->diag, "%s", message);
}

static const struct lifeboat_host host = { .size = sizeof host,
	                                   .memory = host_memory,
	                                   .fail = host_fail };

/* ---- its description ---- */

/* Letters of numbers, one colon among them, not too many. */
static bool is_signature(const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	return len > 0 && len <= TYPES_MAX && strspn(text, "iIfF:") == len &&
	       strchr(text, ':') != NULL && strchr(text, ':') == strrchr(text, ':');
}

static lb_err check(const struct lifeboat_plugin *about, const char *path, struct lb_diag *diag)
{
	if (about == NULL)
		return lb_fail(diag, LB_E_INVALID, "%s: it does not say what it is", path);
	if (about->version != LIFEBOAT_PLUGIN_VERSION)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "%s: it is written to version %u of the interface, this is %u", path,
		               about->version, (unsigned)LIFEBOAT_PLUGIN_VERSION);
	if (about->module == NULL || about->function_count > FUNCTIONS_MAX ||
	    (about->function_count > 0 && about->functions == NULL))
		return lb_fail(diag, LB_E_INVALID, "%s: its description is not complete", path);
	for (size_t i = 0; i < about->function_count; i++)
		if (about->functions[i].name == NULL || about->functions[i].call == NULL ||
		    !is_signature(about->functions[i].signature))
			return lb_fail(diag, LB_E_INVALID,
			               "%s: its function %zu has no name, call or signature", path,
			               i);
	return LB_OK;
}

static lb_err open_state(struct engine_plugin *plugin, const char *path, const char *options,
                         struct lb_diag *diag)
{
	const char *error = NULL;

	if (plugin->about->open != NULL)
		plugin->state = plugin->about->open(&host, options, &error);
	if (error != NULL)
		return lb_fail(diag, LB_E_FAILED, "%s: %s", path, error);
	plugin->is_open = true;
	return LB_OK;
}

/* ---- life ---- */

static lb_err load(struct engine_plugin *plugin, const char *path, const char *options,
                   struct lb_diag *diag)
{
	const struct lifeboat_plugin *(*describe)(void);
	plat_function symbol;
	size_t count;

	LB_TRY(plat_library_open(&plugin->library, path, diag));
	symbol = plat_library_function(plugin->library, "lifeboat_plugin");
	if (symbol == NULL)
		return lb_fail(diag, LB_E_NOTFOUND, "%s: it has no function lifeboat_plugin", path);
	describe = (const struct lifeboat_plugin *(*)(void))symbol;
	plugin->about = describe();
	LB_TRY(check(plugin->about, path, diag));
	count = plugin->about->function_count;
	plugin->bindings = LB_NEW(plugin->mem, struct binding, count + 1);
	if (plugin->bindings == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < count; i++)
		plugin->bindings[i] = (struct binding){ plugin, &plugin->about->functions[i] };
	return open_state(plugin, path, options, diag);
}

lb_err engine_plugin_load(struct engine_plugin **out, struct lb_mem *mem, const char *path,
                          const char *options, struct lb_diag *diag)
{
	struct engine_plugin *plugin = LB_NEW(mem, struct engine_plugin, 1);
	lb_err err;

	*out = NULL;
	if (plugin == NULL)
		return lb_err_of(LB_E_NOMEM);
	plugin->mem = mem;
	err = load(plugin, path, options, diag);
	if (lb_failed(err))
		engine_plugin_free(plugin);
	else
		*out = plugin;
	return err;
}

void engine_plugin_free(struct engine_plugin *plugin)
{
	if (plugin == NULL)
		return;
	if (plugin->is_open && plugin->about->close != NULL)
		plugin->about->close(plugin->state);
	if (plugin->bindings != NULL)
		LB_DROP(plugin->mem, plugin->bindings, plugin->about->function_count + 1);
	plat_library_close(plugin->library);
	LB_DROP(plugin->mem, plugin, 1);
}

/* ---- calls ---- */

static void copy_in(union lifeboat_value *to, const union engine_value *from, const char *types)
{
	for (; *types != ':'; types++, to++, from++) {
		*to = (union lifeboat_value){ .i64 = 0 };
		if (*types == 'i' || *types == 'f')
			to->i32 = from->i32;
		else
			to->i64 = from->i64;
	}
}

static void copy_out(union engine_value *to, const union lifeboat_value *from, const char *types)
{
	for (; *types != '\0'; types++, to++, from++) {
		if (*types == 'i' || *types == 'f')
			to->i32 = from->i32;
		else
			to->i64 = from->i64;
	}
}

static lb_err call_function(void *ctx, struct engine_instance *caller,
                            const union engine_value *args, union engine_value *results)
{
	const struct binding *binding = ctx;
	const char *signature = binding->function->signature;
	struct lifeboat_call call = { .diag = binding->plugin->diag };
	union lifeboat_value in[TYPES_MAX], out[TYPES_MAX] = { 0 };

	if (caller != NULL)
		call.memory = engine_instance_find_memory(caller, LB_B("memory"));
	copy_in(in, args, signature);
	binding->function->call(&call, binding->plugin->state, in, out);
	if (call.failed)
		return engine_trap(ENGINE_TRAP_HOST);
	copy_out(results, out, strchr(signature, ':') + 1);
	return LB_OK;
}

lb_err engine_plugin_link(struct engine_plugin *plugin, struct engine_linker *linker,
                          struct lb_diag *diag)
{
	plugin->diag = diag;
	for (size_t i = 0; i < plugin->about->function_count; i++)
		LB_TRY(engine_linker_add_func(linker, lb_bytes_of(plugin->about->module),
		                              lb_bytes_of(plugin->about->functions[i].name),
		                              plugin->about->functions[i].signature, call_function,
		                              &plugin->bindings[i]));
	return LB_OK;
}
