/* world.c - what a program is given of this machine, by the options of the command line. */
#include "base/platform/process.h"
#include "base/platform/socket.h"
#include "engine/command/command.h"

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

static lb_err open_sockets(struct engine_world *world, struct lb_cli *cli,
                           struct wasi_options *options)
{
	size_t count = count_of(cli, "listen");
	int at = 0;

	world->sockets = LB_ARENA_NEW(&cli->arena, int, count);
	if (world->sockets == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (; world->socket_count < count; world->socket_count++)
		LB_TRY(open_socket(&world->sockets[world->socket_count], cli,
		                   lb_cli_next(cli, "listen", &at)));
	options->sockets = world->sockets;
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

/* LIB[=OPTIONS] */
static lb_err load_plugin(struct engine_plugin **out, struct lb_cli *cli, const char *text)
{
	struct lb_bytes all = lb_bytes_of(text);
	size_t middle = lb_bytes_find_byte(all, '=');
	const char *options = middle == SIZE_MAX ? "" : text + middle + 1;
	const char *path = lb_arena_text(&cli->arena, lb_bytes_upto(all, middle));

	return path == NULL ? lb_err_of(LB_E_NOMEM)
	                    : engine_plugin_load(out, cli->mem, path, options, &cli->diag);
}

static lb_err load_plugins(struct engine_world *world, struct lb_cli *cli)
{
	size_t count = count_of(cli, "plugin");
	int at = 0;

	world->plugins = LB_ARENA_NEW(&cli->arena, struct engine_plugin *, count);
	if (world->plugins == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (; world->plugin_count < count; world->plugin_count++)
		LB_TRY(load_plugin(&world->plugins[world->plugin_count], cli,
		                   lb_cli_next(cli, "plugin", &at)));
	return LB_OK;
}

/* "path_open(3, 0, 4096, 5, 0, 2, 0, 0, 64) = NOENT" */
static void show_call(void *ctx, const char *name, const char *signature,
                      const union engine_value *args, const char *answer)
{
	FILE *to = ctx;
	const char *before = "";

	(void)fprintf(to, "%s(", name);
	for (; *signature != ':'; signature++, args++, before = ", ")
		if (*signature == 'I')
			(void)fprintf(to, "%s%llu", before, (unsigned long long)args->i64);
		else
			(void)fprintf(to, "%s%u", before, args->i32);
	(void)fprintf(to, ") = %s\n", answer);
}

lb_err engine_world_open(struct engine_world *world, struct lb_cli *cli)
{
	struct wasi_options options = { 0 };

	LB_TRY(read_args(&options, cli));
	LB_TRY(read_env(&options, cli));
	LB_TRY(read_grants(&options, cli));
	LB_TRY(load_plugins(world, cli));
	LB_TRY(open_sockets(world, cli, &options));
	options.allow_host_fs = lb_cli_flag(cli, "allow-host-fs");
	options.allow_net = lb_cli_flag(cli, "allow-net");
	if (lb_cli_flag(cli, "trace")) {
		options.trace = show_call;
		options.trace_ctx = cli->err;
	}
	return wasi_new(&world->wasi, cli->mem, cli->plat, &options, &cli->diag);
}

lb_err engine_world_link(struct engine_world *world, struct engine_linker *linker,
                         struct lb_cli *cli)
{
	LB_TRY(wasi_link(world->wasi, linker));
	for (size_t i = 0; i < world->plugin_count; i++)
		LB_TRY(engine_plugin_link(world->plugins[i], linker, &cli->diag));
	return LB_OK;
}

void engine_world_close(struct engine_world *world, struct lb_cli *cli)
{
	wasi_free(world->wasi);
	for (size_t i = 0; i < world->plugin_count; i++)
		engine_plugin_free(world->plugins[i]);
	for (size_t i = 0; i < world->socket_count; i++)
		cli->plat->ops->close(cli->plat, world->sockets[i]);
}
