/* cmd_run.c - `lifeboat-engine run`: a module, the world it is given, and how it ended. */
#include "base/platform/process.h"
#include "base/platform/socket.h"
#include "engine/command/command.h"
#include "engine/wasi/wasi.h"

const struct lb_option engine_run_options[] = {
	{ "dir", 0, "HOST[::GUEST][:ro]", "give the program a folder; again for more" },
	{ "listen", 0, "[HOST:]PORT", "give it a socket that listens there; again for more" },
	{ "allow-host-fs", 0, NULL, "give it every file of this machine" },
	{ "allow-net", 0, NULL, "let it make connections of its own (\"lifeboat_net\")" },
	{ "env", 0, "NAME[=VALUE]", "give it a variable; without VALUE, the one that is set here" },
	{ "invoke", 0, "NAME", "call this export with ARG... as its arguments" },
	{ "timeout", 0, "MS", "end it after so many milliseconds" },
	{ "max-memory", 0, "BYTES", "let a memory grow to this and no further" },
	{ "argv0", 0, "NAME", "what the program is told its name is; FILE otherwise" },
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
	struct wasi *wasi;
	int *sockets;
	size_t socket_count;
	uint64_t timeout_ms, memory_bytes; /* UINT64_MAX: not given */
};

/* ---- what the program is given ---- */

static size_t count_of(const struct lb_cli *cli, const char *option)
{
	size_t count = 0;
	int at = 0;

	while (lb_cli_next(cli, option, &at) != NULL)
		count++;
	return count;
}

/* HOST[::GUEST][:ro] */
static lb_err read_grant(struct wasi_grant *out, struct lb_cli *cli, const char *text)
{
	struct lb_bytes host = lb_bytes_of(text), guest;
	size_t middle;

	out->read_only = lb_bytes_ends(host, LB_B(":ro"));
	if (out->read_only)
		host.len -= 3;
	middle = lb_bytes_find(host, LB_B("::"));
	guest = middle != SIZE_MAX ? lb_bytes_from(host, middle + 2) : host;
	host = lb_bytes_upto(host, middle);
	if (host.len == 0 || guest.len == 0)
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "--dir %s: expected HOST, HOST::GUEST, and :ro behind them or not",
		               text);
	out->host = lb_arena_text(&cli->arena, host);
	out->guest = lb_arena_text(&cli->arena, guest);
	return cli->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err read_grants(struct wasi_options *options, struct lb_cli *cli)
{
	size_t count = count_of(cli, "dir");
	struct wasi_grant *grants = LB_ARENA_NEW(&cli->arena, struct wasi_grant, count);
	int at = 0;

	if (grants == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < count; i++)
		LB_TRY(read_grant(&grants[i], cli, lb_cli_next(cli, "dir", &at)));
	options->grants = grants;
	options->grant_count = count;
	return LB_OK;
}

/* [HOST:]PORT; the loopback address where no host is said. */
static lb_err open_socket(int *out, struct lb_cli *cli, const char *text)
{
	struct lb_bytes all = lb_bytes_of(text);
	size_t colon = lb_bytes_rfind_byte(all, ':');
	struct lb_bytes port = colon == SIZE_MAX ? all : lb_bytes_from(all, colon + 1);
	const char *host = "127.0.0.1";
	uint64_t number;
	lb_err err;

	if (colon != SIZE_MAX)
		host = lb_arena_text(&cli->arena, lb_bytes_upto(all, colon));
	if (host == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (host[0] == '\0' || lb_failed(lb_bytes_u64(&number, port, UINT16_MAX)))
		return lb_fail(&cli->diag, LB_E_USAGE, "--listen %s: expected PORT or HOST:PORT",
		               text);
	err = plat_socket_listen(out, host, (uint16_t)number);
	if (lb_failed(err))
		lb_diag_set(&cli->diag, "--listen %s: %s", text, lb_err_text(err));
	return err;
}

static lb_err open_sockets(struct run *run, struct wasi_options *options)
{
	struct lb_cli *cli = run->cli;
	size_t count = count_of(cli, "listen");
	int at = 0;

	run->sockets = LB_ARENA_NEW(&cli->arena, int, count);
	if (run->sockets == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (; run->socket_count < count; run->socket_count++)
		LB_TRY(open_socket(&run->sockets[run->socket_count], cli,
		                   lb_cli_next(cli, "listen", &at)));
	options->sockets = run->sockets;
	options->socket_count = count;
	return LB_OK;
}

/* NAME=VALUE, or NAME as it is set here; one that is not set is left out. */
static lb_err read_env(struct wasi_options *options, struct lb_cli *cli)
{
	size_t given = count_of(cli, "env");
	const char **env = LB_ARENA_NEW(&cli->arena, const char *, given);
	int at = 0;

	if (env == NULL)
		return lb_err_of(LB_E_NOMEM);
	options->env = env;
	for (size_t i = 0; i < given; i++) {
		const char *text = lb_cli_next(cli, "env", &at), *value;
		struct lb_bytes whole = { (const unsigned char *)text, strlen(text) };

		if (text[0] == '\0' || text[0] == '=')
			return lb_fail(&cli->diag, LB_E_USAGE,
			               "--env %s: expected NAME=VALUE or NAME", text);
		if (strchr(text, '=') == NULL) {
			value = plat_getenv(text);
			if (value == NULL)
				continue;
			whole = lb_arena_format(&cli->arena, "%s=%s", text, value);
		}
		if (cli->arena.failed)
			return lb_err_of(LB_E_NOMEM);
		env[options->env_count++] = (const char *)whole.at;
	}
	return LB_OK;
}

static lb_err read_args(struct wasi_options *options, struct lb_cli *cli)
{
	const char *name = lb_cli_value(cli, "argv0");
	size_t count = (size_t)cli->operand_count;
	const char **args = LB_ARENA_NEW(&cli->arena, const char *, count);

	if (args == NULL)
		return lb_err_of(LB_E_NOMEM);
	memcpy(args, cli->operands, count * sizeof *args);
	if (name != NULL)
		args[0] = name;
	options->args = args;
	options->arg_count = count;
	return LB_OK;
}

static lb_err make_world(struct run *run)
{
	struct wasi_options options = { 0 };
	struct lb_cli *cli = run->cli;

	LB_TRY(read_args(&options, cli));
	LB_TRY(read_env(&options, cli));
	LB_TRY(read_grants(&options, cli));
	LB_TRY(open_sockets(run, &options));
	options.allow_host_fs = lb_cli_flag(cli, "allow-host-fs");
	options.allow_net = lb_cli_flag(cli, "allow-net");
	return wasi_new(&run->wasi, cli->mem, cli->plat, &options, &cli->diag);
}

/* ---- running ---- */

static lb_err make_instance(struct run *run)
{
	struct engine_store_options options = { 0 };
	struct lb_cli *cli = run->cli;

	/* Pages that fit wholly; a limit of none at all would mean the default. */
	if (run->memory_bytes != UINT64_MAX)
		options.memory_pages_max = run->memory_bytes / ENGINE_PAGE_SIZE;
	LB_TRY(engine_store_new(&run->store, cli->mem, &options));
	LB_TRY(engine_linker_new(&run->linker, cli->mem, run->store));
	LB_TRY(wasi_link(run->wasi, run->linker));
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
	return lb_fail(&cli->diag, LB_E_TRAP, "%s: trap: %s", run->file, engine_trap_text(trap));
}

static lb_err prepare_and_run(struct run *run)
{
	struct lb_cli *cli = run->cli;
	lb_err err;

	LB_TRY(lb_cli_number(&run->timeout_ms, cli, "timeout", UINT64_MAX, 1, INT32_MAX));
	LB_TRY(lb_cli_number(&run->memory_bytes, cli, "max-memory", UINT64_MAX, ENGINE_PAGE_SIZE,
	                     (uint64_t)1 << 32));
	err = make_world(run);
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
	wasi_free(run.wasi);
	for (size_t i = 0; i < run.socket_count; i++)
		cli->plat->ops->close(cli->plat, run.sockets[i]);
	engine_module_free(run.module);
	return err;
}
