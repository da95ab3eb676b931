/* serve.c - `serve`: a coordinator until it is asked to end. */
#include "base/io/file.h"
#include "base/platform/stop.h"
#include "coordinator/api/service.h"
#include "coordinator/command/commands.h"

#include <stdio.h>

enum { SECRET_BYTES_MAX = 65536, LEASE_MS_MIN = 100, LEASE_MS_MAX = 3600000 };

const struct lb_option coord_serve_options[] = {
	{ "state", 0, "DIR", "where everything is kept ($XDG_STATE_HOME/lifeboat/coordinator)" },
	{ "listen", 0, "ADDR:PORT", "where to listen (127.0.0.1:8440); port 0: any free one" },
	{ "url", 0, "URL", "how others reach it (http://ADDR:PORT)" },
	{ "env", 0, "NAME=VALUE", "an environment variable of every job; may be repeated" },
	{ "secret", 0, "NAME=FILE", "a secret of trusted runs: what FILE holds; may be repeated" },
	{ "var", 0, "NAME=VALUE", "a configuration variable (vars.NAME); may be repeated" },
	{ "lease-ms", 0, "MS", "how long a runner may be silent (15000)" },
	{ "poll-ms", 0, "MS", "how long a runner's question for work is held (20000)" },
	{ "ready-file", 0, "PATH", "gets the address, once it answers" },
	{ "verbose", 'v', NULL, "log every request" },
	{ 0 },
};

const char coord_serve_details[] =
	"The first start makes the keys and tokens: STATE/token for people, STATE/runner-token for "
	"runners, both readable by their owner alone.\n\n"
	"On a loopback address reading needs no token. Ctrl-C ends it; what was queued goes on "
	"with "
	"the next start.";

/* ---- NAME=VALUE ---- */

static lb_err split(struct lb_bytes *name, struct lb_bytes *value, struct lb_cli *cli,
                    const char *option, const char *given)
{
	struct lb_bytes text = lb_bytes_of(given);
	size_t equals = lb_bytes_find_byte(text, '=');

	*name = lb_bytes_upto(text, equals);
	if (equals == SIZE_MAX || name->len == 0)
		return lb_fail(&cli->diag, LB_E_USAGE, "--%s: expected NAME=VALUE, got '%.*s'",
		               option, LB_FMT(*name));
	*value = lb_bytes_from(text, equals + 1);
	return LB_OK;
}

static lb_err pairs(struct lb_value **out, struct lb_cli *cli, const char *option)
{
	const char *given;
	int at = 0;

	*out = lb_value_object(&cli->arena);
	while ((given = lb_cli_next(cli, option, &at)) != NULL) {
		struct lb_bytes name, value;

		LB_TRY(split(&name, &value, cli, option, given));
		lb_value_set(&cli->arena, *out, name, lb_value_string(&cli->arena, value));
	}
	return cli->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* A secret is never on a command line, where everybody on the machine could read it. */
static lb_err read_secret(struct lb_value *secrets, struct lb_cli *cli, const char *given)
{
	struct lb_bytes name, file, text;
	struct lb_buf content;
	char *path;

	LB_TRY(split(&name, &file, cli, "secret", given));
	path = lb_arena_text(&cli->arena, file);
	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&content, &cli->arena.mem, SECRET_BYTES_MAX);
	LB_TRY(lb_file_read(&content, cli->plat, path, &cli->diag));
	LB_TRY(lb_buf_check(&content));
	text = lb_buf_bytes(&content);
	if (lb_bytes_ends(text, LB_B("\n")))
		text.len--;
	lb_value_set(&cli->arena, secrets, name, lb_value_string(&cli->arena, text));
	return LB_OK;
}

static lb_err secrets_of(struct lb_value **out, struct lb_cli *cli)
{
	const char *given;
	int at = 0;

	*out = lb_value_object(&cli->arena);
	while ((given = lb_cli_next(cli, "secret", &at)) != NULL)
		LB_TRY(read_secret(*out, cli, given));
	return cli->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* ---- the rest of the command line ---- */

static lb_err listen_at(struct coord_service_config *config, struct lb_cli *cli)
{
	const char *given = lb_cli_value(cli, "listen");
	struct lb_bytes text = lb_bytes_of(given != NULL ? given : "127.0.0.1:8440");
	size_t colon = lb_bytes_rfind_byte(text, ':');
	struct lb_bytes address = lb_bytes_upto(text, colon);
	uint64_t port;

	if (colon == SIZE_MAX || address.len == 0 ||
	    lb_failed(lb_bytes_u64(&port, lb_bytes_from(text, colon + 1), UINT16_MAX)))
		return lb_fail(&cli->diag, LB_E_USAGE, "--listen: expected ADDR:PORT, got '%.*s'",
		               LB_FMT(text));
	if (address.at[0] == '[' && address.at[address.len - 1] == ']')
		address = lb_bytes_upto(lb_bytes_from(address, 1), address.len - 2);
	config->port = (uint16_t)port;
	config->address = lb_arena_text(&cli->arena, address);
	return config->address != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

lb_err coord_find_state(const char **out, struct lb_cli *cli)
{
	char folder[COORD_PATH_SIZE];

	*out = lb_cli_value(cli, "state");
	if (*out != NULL)
		return LB_OK;
	LB_TRY(lb_path_state(folder, sizeof folder, &cli->diag));
	*out = lb_arena_text(&cli->arena, lb_arena_format(&cli->arena, "%s/coordinator", folder));
	return *out != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

static lb_err configure(struct coord_service_config *config, struct lb_cli *cli)
{
	struct lb_value *env, *vars, *secrets;

	config->plat = cli->plat;
	config->url = lb_cli_value(cli, "url");
	LB_TRY(coord_find_state(&config->state, cli));
	LB_TRY(listen_at(config, cli));
	LB_TRY(lb_cli_number(&config->lease_ms, cli, "lease-ms", 15000, LEASE_MS_MIN,
	                     LEASE_MS_MAX));
	LB_TRY(lb_cli_number(&config->poll_ms, cli, "poll-ms", 20000, 1, LEASE_MS_MAX));
	LB_TRY(pairs(&env, cli, "env"));
	LB_TRY(pairs(&vars, cli, "var"));
	LB_TRY(secrets_of(&secrets, cli));
	config->env = env;
	config->vars = vars;
	config->secrets = secrets;
	return LB_OK;
}

/* ---- running ---- */

static lb_err say_ready(struct lb_cli *cli, const char *address)
{
	const char *path = lb_cli_value(cli, "ready-file");
	struct lb_bytes line = lb_arena_format(&cli->arena, "%s\n", address);

	if (path == NULL)
		return LB_OK;
	if (line.at == NULL)
		return lb_err_of(LB_E_NOMEM);
	return lb_file_write(cli->plat, path, line, 0, &cli->diag);
}

lb_err coord_cmd_serve(struct lb_cli *cli)
{
	struct lb_log log = { .plat = cli->plat,
		              .file = fileno(cli->err),
		              .least = lb_cli_flag(cli, "verbose") ? LB_LOG_DEBUG : LB_LOG_INFO };
	struct coord_service_config config = { .log = &log };
	struct coord_service *service;
	lb_err err;

	LB_TRY(configure(&config, cli));
	LB_TRY(plat_stop_install());
	LB_TRY(coord_service_start(&service, cli->mem, &config, &cli->diag));
	lb_log(&log, LB_LOG_INFO, "coordinator answers",
	       LB_FIELD("address", coord_service_address(service)),
	       LB_FIELD("state", config.state));
	err = say_ready(cli, coord_service_address(service));
	if (!lb_failed(err)) {
		(void)plat_stop_wait(UINT64_MAX);
		lb_log(&log, LB_LOG_INFO, "coordinator ends",
		       LB_FIELD("address", coord_service_address(service)));
	}
	coord_service_stop(service);
	return err;
}
