/* decode_fuzz.c - any bytes: decode, validate, instantiate, run what is exported, in bounds. */
#include "engine/instance.h"

#include <signal.h>
#include <sys/time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IMPORTS_MAX = 16, VALUES_MAX = 1000, MEMORY_MAX = 64 << 20 };

/* What runs is ended after this much CPU time: endless loops are no finding. */
enum { RUN_US = 20000 };

static struct engine_store *volatile running;

static void end_run(int signal)
{
	(void)signal;
	if (running != NULL)
		engine_store_interrupt(running);
}

static void watch(struct engine_store *store)
{
	const struct sigaction action = { .sa_handler = end_run, .sa_flags = SA_RESTART };
	const struct itimerval timer = { .it_value = { .tv_usec = RUN_US } }, none = { 0 };

	running = store;
	(void)sigaction(SIGVTALRM, &action, NULL);
	(void)setitimer(ITIMER_VIRTUAL, store != NULL ? &timer : &none, NULL);
}

/* A host function that answers zeros, and ends what calls it too often. */
static lb_err host(void *ctx, struct engine_instance *caller, const union engine_value *args,
                   union engine_value *results)
{
	unsigned *calls = ctx;

	(void)caller, (void)args, (void)results;
	return ++*calls > 100 ? engine_trap(ENGINE_TRAP_HOST) : LB_OK;
}

/* Something that fits each import. */
static lb_err provide(struct engine_extern *out, struct engine_store *store,
                      const struct engine_extern_type *type, unsigned *calls)
{
	const union engine_value zero = { .i64 = 0 };

	out->kind = type->kind;
	switch (type->kind) {
	case ENGINE_FUNC: return engine_func_new(&out->func, store, &type->func, host, calls);
	case ENGINE_TABLE: return engine_table_new(&out->table, store, &type->table, zero);
	case ENGINE_MEMORY: return engine_memory_new(&out->memory, store, &type->memory);
	case ENGINE_GLOBAL: return engine_global_new(&out->global, store, &type->global, zero);
	case ENGINE_TAG: return engine_tag_new(&out->tag, store, &type->func);
	}
	return LB_OK;
}

static lb_err instantiate(struct engine_instance **out, struct engine_store *store,
                          const struct engine_module *module, unsigned *calls)
{
	struct engine_extern imports[IMPORTS_MAX] = { 0 };
	uint32_t count = engine_module_import_count(module);

	if (count > IMPORTS_MAX)
		return lb_err_of(LB_E_LIMIT);
	for (uint32_t i = 0; i < count; i++) {
		struct engine_import import;

		engine_module_import(&import, module, i);
		LB_TRY(provide(&imports[i], store, &import.type, calls));
	}
	return engine_instance_new(out, store, module, imports, count, NULL);
}

static void call_exports(struct engine_instance *instance, const struct engine_module *module)
{
	static const union engine_value args[VALUES_MAX];
	union engine_value results[VALUES_MAX];

	for (uint32_t i = 0; i < engine_module_export_count(module); i++) {
		struct engine_export export;
		struct engine_func *func;

		engine_module_export(&export, module, i);
		func = engine_instance_find_func(instance, export.name);
		if (func != NULL)
			lb_ignore(engine_func_call(func, args, export.type.func.param_count,
			                           results, export.type.func.result_count));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct engine_store_options options = { .call_depth_max = 100,
		                                      .stack_slots_max = 20000,
		                                      .memory_pages_max = 16,
		                                      .table_elements_max = 1000,
		                                      .small_reservations = true };
	struct engine_instance *instance = NULL;
	struct engine_module *module = NULL;
	struct engine_store *store = NULL;
	struct lb_budget budget;
	struct lb_diag diag;
	unsigned calls = 0;

	lb_budget_init(&budget, &lb_mem_host, MEMORY_MAX);
	if (!lb_failed(engine_module_new(&module, &budget.mem, (struct lb_bytes){ data, size },
	                                 NULL, &diag)) &&
	    !lb_failed(engine_store_new(&store, &budget.mem, &options))) {
		watch(store);
		lb_ignore(instantiate(&instance, store, module, &calls));
		if (instance != NULL)
			call_exports(instance, module);
		watch(NULL);
	}
	engine_store_free(store);
	engine_module_free(module);
	assert(budget.bytes_used == 0);
	return 0;
}
