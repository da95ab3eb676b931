/* cmd_run.c - `lifeboat-engine run`: a module, the world it is given, and how it ended. */
#include "engine/command/command.h"

const struct lb_option engine_run_options[] = {
	ENGINE_WORLD_OPTIONS,
	{ "invoke", 0, "NAME", "call this export with ARG... as its arguments" },
	{ "timeout", 0, "MS", "end it after so many milliseconds" },
	{ "fuel", 0, "N",
	  "trap after so many calls and turns of loops, the same on every machine" },
	{ "max-memory", 0, "BYTES", "let a memory grow to this and no further" },
	ENGINE_FEATURE_OPTION,
	{ 0 },
};

/* Everything of one run, freed together. */
struct run {
	struct lb_cli *cli;
	const char *file;
	struct engine_module *module;
	struct engine_store *store;
	struct engine_linker *linker;
	struct engine_instance *instance;
	struct engine_timeout *timeout;
	struct engine_world world;
	uint64_t timeout_ms, memory_bytes, fuel; /* UINT64_MAX: not given */
};

/* ---- running ---- */

static lb_err make_instance(struct run *run)
{
	struct engine_store_options options = { 0 };
	struct lb_cli *cli = run->cli;

	/* Pages that fit wholly; a limit of none at all would mean the default. */
	if (run->memory_bytes != UINT64_MAX)
		options.memory_pages_max = run->memory_bytes / ENGINE_PAGE_SIZE;
	LB_TRY(engine_store_new(&run->store, cli->mem, &options));
	if (run->fuel != UINT64_MAX)
		engine_store_set_fuel(run->store, run->fuel, NULL, NULL);
	LB_TRY(engine_linker_new(&run->linker, cli->mem, run->store));
	LB_TRY(engine_world_link(&run->world, run->linker, cli));
	if (run->timeout_ms != UINT64_MAX)
		LB_TRY(engine_timeout_new(&run->timeout, cli->mem, run->store, run->timeout_ms,
		                          run->file));
	return engine_linker_instantiate(&run->instance, run->linker, run->module, &cli->diag);
}

static lb_err invoke(struct run *run, struct engine_func *func, const char *name)
{
	struct engine_func_type type = engine_func_type(func);
	struct lb_cli *cli = run->cli;
	uint32_t given = (uint32_t)cli->operand_count - 1;
	union engine_value *args, *results;

	if (given != type.param_count)
		return lb_fail(&cli->diag, LB_E_USAGE, "%s takes %u arguments, %u were given", name,
		               type.param_count, given);
	args = LB_ARENA_NEW(&cli->arena, union engine_value, type.param_count);
	results = LB_ARENA_NEW(&cli->arena, union engine_value, type.result_count);
	if (cli->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < given; i++)
		LB_TRY(engine_command_value(&args[i], cli->operands[i + 1], type.params[i],
		                            &cli->diag));
	LB_TRY(engine_func_call(func, args, type.param_count, results, type.result_count));
	for (uint32_t i = 0; i < type.result_count; i++)
		engine_command_show_value(cli->out, results[i], type.results[i]);
	return LB_OK;
}

/* An export that is called without arguments, where there is one. */
static lb_err call_if_there(struct run *run, struct lb_bytes name, bool *was_there)
{
	struct engine_func *func = engine_instance_find_func(run->instance, name);
	struct engine_func_type type = { 0 };

	*was_there = func != NULL;
	if (func == NULL)
		return LB_OK;
	type = engine_func_type(func);
	if (type.param_count != 0 || type.result_count != 0)
		return lb_fail(&run->cli->diag, LB_E_INVALID,
		               "%.*s is no entry: it has parameters or results", LB_FMT(name));
	return engine_func_call(func, NULL, 0, NULL, 0);
}

static lb_err run_instance(struct run *run)
{
	const char *name = lb_cli_value(run->cli, "invoke");
	struct engine_func *func;
	bool was_there;

	if (name == NULL) {
		LB_TRY(call_if_there(run, LB_B("_start"), &was_there));
		if (!was_there)
			return lb_fail(&run->cli->diag, LB_E_INVALID,
			               "exports no _start; --invoke NAME calls another function");
		return LB_OK;
	}
	func = engine_instance_find_func(run->instance, lb_bytes_of(name));
	if (func == NULL)
		return lb_fail(&run->cli->diag, LB_E_USAGE, "exports no function \"%s\"", name);
	LB_TRY(call_if_there(run, LB_B("_initialize"), &was_there));
	return invoke(run, func, name);
}

/* ---- the end ---- */

/* The functions that were under way, a line each behind the message; as many as there is room for.
 */
static void show_trace(struct run *run)
{
	struct lb_diag *diag = &run->cli->diag;
	uint32_t count = engine_store_trace_count(run->store);

	for (uint32_t i = 0; i < count; i++) {
		struct engine_trace_frame frame;
		size_t len = strlen(diag->text);
		int more;

		engine_store_trace(&frame, run->store, i);
		more = frame.name.len > 0 ? snprintf(diag->text + len, sizeof diag->text - len,
		                                     "\n    at function %u, %.*s", frame.func,
		                                     LB_FMT(frame.name))
		                          : snprintf(diag->text + len, sizeof diag->text - len,
		                                     "\n    at function %u", frame.func);
		if (more < 0 || (size_t)more >= sizeof diag->text - len) {
			diag->text[len] = '\0'; /* a whole line or none */
			return;
		}
	}
}

static lb_err report(struct run *run, lb_err err)
{
	struct lb_cli *cli = run->cli;
	enum engine_trap trap = engine_trap_of(err);

	if (trap == ENGINE_TRAP_NONE)
		return lb_failed(err) ? engine_command_fail(cli, err, run->file) : LB_OK;
	if (trap == ENGINE_TRAP_EXIT) {
		cli->exit_status = (int)(engine_trap_status(err) & 0xff);
		return LB_OK;
	}
	if (trap == ENGINE_TRAP_INTERRUPT) {
		cli->exit_status = ENGINE_EXIT_TIMEOUT;
		return lb_fail(&cli->diag, LB_E_TRAP, "%s: timed out after %llu ms", run->file,
		               (unsigned long long)run->timeout_ms);
	}
	cli->exit_status = ENGINE_EXIT_TRAP;
	/* A host function may have said what was the matter. */
	if (trap == ENGINE_TRAP_HOST && cli->diag.text[0] != '\0') {
		lb_diag_prefix(&cli->diag, "%s: trap", run->file);
		show_trace(run);
		return err;
	}
	lb_diag_set(&cli->diag, "%s: trap: %s", run->file, engine_trap_text(trap));
	show_trace(run);
	return err;
}

static lb_err prepare_and_run(struct run *run)
{
	struct lb_cli *cli = run->cli;
	lb_err err;

	LB_TRY(lb_cli_number(&run->timeout_ms, cli, "timeout", UINT64_MAX, 1, INT32_MAX));
	LB_TRY(lb_cli_number(&run->fuel, cli, "fuel", UINT64_MAX, 0, UINT64_MAX - 1));
	LB_TRY(lb_cli_number(&run->memory_bytes, cli, "max-memory", UINT64_MAX, ENGINE_PAGE_SIZE,
	                     (uint64_t)1 << 32));
	err = engine_world_open(&run->world, cli);
	if (lb_failed(err))
		return lb_err_class(err) == LB_CLASS_USAGE ? err
		                                           : engine_command_fail(cli, err, NULL);
	LB_TRY(engine_command_load(&run->module, cli, run->file));
	err = make_instance(run);
	if (!lb_failed(err))
		err = run_instance(run);
	return report(run, err);
}

lb_err engine_cmd_run(struct lb_cli *cli)
{
	struct run run = { .cli = cli, .file = cli->operands[0] };
	lb_err err = prepare_and_run(&run);

	engine_timeout_free(run.timeout);
	engine_linker_free(run.linker);
	engine_store_free(run.store);
	engine_world_close(&run.world, cli);
	engine_module_free(run.module);
	return err;
}
