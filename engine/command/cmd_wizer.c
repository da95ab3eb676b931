/* cmd_wizer.c - `lifeboat-engine wizer`: run a module's start-up once, and keep what it came to. */
#include "base/io/file.h"
#include "engine/command/command.h"
#include "engine/snapshot/snapshot.h"

const struct lb_option engine_wizer_options[] = {
	{ "output", 'o', "FILE", "where to write the module" },
	{ "init", 0, "NAME", "the export to call; \"wizer.initialize\" otherwise" },
	{ "keep-init", 0, NULL, "leave that export, and _initialize, in the module" },
	{ "rename", 0, "NEW=OLD",
	  "export OLD as NEW, in the place of what was NEW; again for more" },
	{ "timeout", 0, "MS", "give up after so many milliseconds" },
	{ "wasi", 0, NULL, "let it call WASI and plug-ins while it starts" },
	ENGINE_WORLD_OPTIONS,
	ENGINE_FEATURE_OPTION,
	{ 0 },
};

/* An import that is not there while the module starts. */
struct absent {
	struct lb_cli *cli;
	struct engine_import import;
};

struct job {
	struct lb_cli *cli;
	const char *file, *init;
	struct lb_buf bytes, out;
	struct engine_module *module;
	struct engine_store *store;
	struct engine_linker *linker;
	struct engine_instance *instance;
	struct engine_timeout *timeout;
	struct engine_world world;
};

/* ---- making the instance ---- */

static lb_err call_absent(void *ctx, struct engine_instance *caller, const union engine_value *args,
                          union engine_value *results)
{
	const struct absent *absent = ctx;

	(void)caller;
	(void)args;
	(void)results;
	lb_diag_set(&absent->cli->diag,
	            "it called \"%.*s\" \"%.*s\", which is not there while it starts",
	            LB_FMT(absent->import.module), LB_FMT(absent->import.name));
	return engine_trap(ENGINE_TRAP_HOST);
}

/* Functions that are imported need not be there, as long as they are not called. */
static lb_err stand_in(struct job *job)
{
	uint32_t count = engine_module_import_count(job->module);

	for (uint32_t i = 0; i < count; i++) {
		struct absent *absent = LB_ARENA_NEW(&job->cli->arena, struct absent, 1);
		struct engine_extern what = { .kind = ENGINE_FUNC };

		if (absent == NULL)
			return lb_err_of(LB_E_NOMEM);
		absent->cli = job->cli;
		engine_module_import(&absent->import, job->module, i);
		if (absent->import.type.kind != ENGINE_FUNC ||
		    engine_linker_find(&what, job->linker, absent->import.module,
		                       absent->import.name))
			continue;
		LB_TRY(engine_func_new(&what.func, job->store, &absent->import.type.func,
		                       call_absent, absent));
		LB_TRY(engine_linker_add(job->linker, absent->import.module, absent->import.name,
		                         what));
	}
	return LB_OK;
}

static lb_err start(struct job *job)
{
	struct lb_cli *cli = job->cli;
	uint64_t ms;

	LB_TRY(lb_cli_number(&ms, cli, "timeout", UINT64_MAX, 1, INT32_MAX));
	LB_TRY(engine_store_new(&job->store, cli->mem, NULL));
	LB_TRY(engine_linker_new(&job->linker, cli->mem, job->store));
	if (lb_cli_flag(cli, "wasi")) {
		LB_TRY(engine_world_open(&job->world, cli));
		LB_TRY(engine_world_link(&job->world, job->linker, cli));
	}
	LB_TRY(stand_in(job));
	if (ms != UINT64_MAX)
		LB_TRY(engine_timeout_new(&job->timeout, cli->mem, job->store, ms, job->file));
	return engine_linker_instantiate(&job->instance, job->linker, job->module, &cli->diag);
}

/* ---- running it ---- */

static lb_err call(struct job *job, struct lb_bytes name, bool must_be_there)
{
	struct engine_func *func = engine_instance_find_func(job->instance, name);
	struct engine_func_type type = { 0 };

	if (func == NULL && !must_be_there)
		return LB_OK;
	if (func != NULL)
		type = engine_func_type(func);
	if (func == NULL || type.param_count != 0 || type.result_count != 0)
		return lb_fail(&job->cli->diag, LB_E_INVALID,
		               "exports no function \"%.*s\" without parameters and results",
		               LB_FMT(name));
	return engine_func_call(func, NULL, 0, NULL, 0);
}

static lb_err trapped(struct job *job, lb_err err)
{
	enum engine_trap trap = engine_trap_of(err);

	if (trap == ENGINE_TRAP_NONE)
		return err;
	job->cli->exit_status = ENGINE_EXIT_TRAP;
	if (trap == ENGINE_TRAP_INTERRUPT)
		job->cli->exit_status = ENGINE_EXIT_TIMEOUT;
	if (job->cli->diag.text[0] == '\0')
		lb_diag_set(&job->cli->diag, "trap: %s", engine_trap_text(trap));
	return err;
}

static lb_err run(struct job *job)
{
	lb_err err = start(job);

	if (!lb_failed(err))
		err = call(job, LB_B("_initialize"), false);
	if (!lb_failed(err))
		err = call(job, lb_bytes_of(job->init), true);
	return trapped(job, err);
}

/* ---- keeping it ---- */

static lb_err read_renames(struct engine_snapshot_options *options, struct lb_cli *cli)
{
	struct engine_snapshot_rename *renames;
	const char *text;
	size_t count = 0;
	int at = 0;

	while (lb_cli_next(cli, "rename", &at) != NULL)
		count++;
	renames = LB_ARENA_NEW(&cli->arena, struct engine_snapshot_rename, count);
	if (renames == NULL)
		return lb_err_of(LB_E_NOMEM);
	at = 0;
	for (size_t i = 0; i < count; i++) {
		struct lb_bytes all = { 0 };
		size_t middle;

		text = lb_cli_next(cli, "rename", &at);
		all = lb_bytes_of(text);
		middle = lb_bytes_find_byte(all, '=');
		if (middle == SIZE_MAX)
			return lb_fail(&cli->diag, LB_E_USAGE, "--rename %s: expected NEW=OLD",
			               text);
		renames[i].to = lb_bytes_upto(all, middle);
		renames[i].from = lb_bytes_from(all, middle + 1);
	}
	options->renames = renames;
	options->rename_count = count;
	return LB_OK;
}

static lb_err keep(struct job *job)
{
	const struct lb_bytes start_up[] = { lb_bytes_of(job->init), LB_B("_initialize") };
	struct engine_snapshot_options options = { .drop = start_up, .drop_count = 2 };
	struct lb_cli *cli = job->cli;

	if (lb_cli_flag(cli, "keep-init"))
		options.drop_count = 0;
	LB_TRY(read_renames(&options, cli));
	LB_TRY(engine_snapshot_write(&job->out, lb_buf_bytes(&job->bytes), job->instance, &options,
	                             &cli->diag));
	return lb_file_write(cli->plat, lb_cli_value(cli, "output"), lb_buf_bytes(&job->out), 0,
	                     &cli->diag);
}

static lb_err make(struct job *job)
{
	struct engine_module_options options;
	struct lb_cli *cli = job->cli;
	lb_err err;

	if (lb_cli_value(cli, "output") == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE, "--output FILE is needed");
	LB_TRY(engine_command_features(&options, cli));
	LB_TRY(engine_command_read_module(&job->bytes, cli, job->file));
	err = engine_module_new(&job->module, cli->mem, lb_buf_bytes(&job->bytes), &options,
	                        &cli->diag);
	if (!lb_failed(err))
		err = run(job);
	if (!lb_failed(err))
		err = keep(job);
	if (engine_trap_of(err) != ENGINE_TRAP_NONE)
		lb_diag_prefix(&cli->diag, "%s", job->file);
	else if (lb_failed(err) && lb_err_class(err) != LB_CLASS_USAGE)
		err = engine_command_fail(cli, err, job->file);
	return err;
}

lb_err engine_cmd_wizer(struct lb_cli *cli)
{
	const char *init = lb_cli_value(cli, "init");
	struct job job = { .cli = cli,
		           .file = cli->operands[0],
		           .init = init != NULL ? init : "wizer.initialize" };
	lb_err err;

	lb_buf_init(&job.bytes, cli->mem, ENGINE_FILE_BYTES_MAX);
	lb_buf_init(&job.out, cli->mem, ENGINE_FILE_BYTES_MAX);
	err = make(&job);
	engine_timeout_free(job.timeout);
	engine_linker_free(job.linker);
	engine_store_free(job.store);
	engine_world_close(&job.world, cli);
	engine_module_free(job.module);
	lb_buf_release(&job.bytes);
	lb_buf_release(&job.out);
	return err;
}
