/* exec.c - `lifeboat-runner exec`: one command in the sandbox of a job. */
#include "ci-runner/command/commands.h"

#include "base/platform/process.h"
#include "ci-runner/sandbox/sandbox.h"
#include "workflows/step/step.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { FOLDERS_MAX = 16 };

/* What a step may write to, on GitHub's machines as on ours; HOME only in a job of ours, where it
 * is the job's own. */
static const char *const variables[] = { "GITHUB_WORKSPACE", "RUNNER_TEMP", "RUNNER_TOOL_CACHE",
	                                 NULL };
static const char *const files[] = { "GITHUB_OUTPUT",       "GITHUB_ENV",   "GITHUB_PATH",
	                             "GITHUB_STEP_SUMMARY", "GITHUB_STATE", NULL };

struct folders {
	struct lb_arena *arena;
	const char **at;
	size_t count;
};

static void add(struct folders *folders, const char *path)
{
	char *real = path != NULL ? LB_ARENA_NEW(folders->arena, char, PATH_MAX) : NULL;

	if (real == NULL || realpath(path, real) == NULL || folders->count >= FOLDERS_MAX ||
	    strcmp(real, "/") == 0)
		return;
	for (size_t i = 0; i < folders->count; i++) {
		if (strcmp(folders->at[i], real) == 0)
			return;
	}
	folders->at[folders->count++] = real;
}

static const char *const *writable(struct lb_cli *cli, bool in_job)
{
	struct folders folders = {
		.arena = &cli->arena,
		.at = LB_ARENA_NEW(&cli->arena, const char *, FOLDERS_MAX + 1),
	};

	if (folders.at == NULL)
		return NULL;
	for (size_t i = 0; variables[i] != NULL; i++)
		add(&folders, plat_getenv(variables[i]));
	for (size_t i = 0; files[i] != NULL; i++)
		add(&folders, plat_getenv(files[i]));
	if (in_job)
		add(&folders, plat_getenv("HOME"));
	add(&folders, ".");
	return folders.at;
}

/* This process's variables, HOME being a folder that is there. */
static const char *const *variables_of(struct lb_cli *cli, bool in_job)
{
	const char **list;
	size_t count = 0, kept = 0;

	while (environ[count] != NULL)
		count++;
	list = LB_ARENA_NEW(&cli->arena, const char *, count + 2);
	if (list == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (in_job || strncmp(environ[i], "HOME=", 5) != 0)
			list[kept++] = environ[i];
	}
	if (!in_job)
		list[kept++] = "HOME=/tmp";
	return list;
}

lb_err runner_command_limit(struct runner_sandbox *sandbox, struct lb_cli *cli)
{
	struct runner_limits limits = runner_limits_usual();
	const char *text;
	int at = 0;

	while ((text = lb_cli_next(cli, "limit", &at)) != NULL)
		LB_TRY(runner_limits_read(&limits, lb_bytes_of(text), &cli->diag));
	return runner_sandbox_limit(sandbox, &limits, &cli->diag);
}

lb_err runner_command_reach(struct runner_reach *out, struct lb_cli *cli)
{
	static const enum runner_network networks[] = {
		[WORKFLOW_NETWORK_FULL] = RUNNER_NETWORK_FULL,
		[WORKFLOW_NETWORK_NONE] = RUNNER_NETWORK_NONE,
		[WORKFLOW_NETWORK_LOOPBACK] = RUNNER_NETWORK_LOOPBACK,
		[WORKFLOW_NETWORK_CACHE] = RUNNER_NETWORK_CACHE,
		[WORKFLOW_NETWORK_HOSTS] = RUNNER_NETWORK_HOSTS,
	};
	const char *text = lb_cli_value(cli, "network");
	enum workflow_network network;
	lb_err err;

	if (text == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "--network is missing: none, full, or hosts (example.org)");
	err = workflow_network_read(&network, &out->hosts, &cli->arena, lb_bytes_of(text),
	                            "--network", &cli->diag);
	if (lb_code_of(err) == LB_E_INVALID)
		return lb_err_of(LB_E_USAGE);
	LB_TRY(err);
	out->network = networks[network];
	if (out->network == RUNNER_NETWORK_CACHE)
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "--network cache: only a job of a coordinator has one");
	return LB_OK;
}

static lb_err execute(struct lb_cli *cli, struct runner_sandbox *sandbox,
                      const struct runner_command *how, struct runner_stop *stop)
{
	struct runner_process process;
	struct runner_end end;

	LB_TRY(runner_process_start(&process, sandbox, how, &cli->diag));
	LB_TRY(runner_process_watch(&end, &process, &(struct runner_watch){ .stop = stop },
	                            &cli->diag));
	cli->exit_status = end.status;
	return LB_OK;
}

static lb_err execute_reaching(struct lb_cli *cli, struct runner_sandbox *sandbox,
                               const struct runner_reach *reach, struct runner_command *how,
                               struct runner_stop *stop)
{
	struct runner_networks *networks;
	lb_err err;

	LB_TRY(runner_networks_new(&networks, cli->mem, NULL, &cli->diag));
	err = runner_networks_enter(&how->net, networks, reach, &cli->diag);
	if (!lb_failed(err))
		err = execute(cli, sandbox, how, stop);
	runner_networks_leave(networks, how->net);
	runner_networks_free(networks);
	return err;
}

lb_err runner_command_exec(struct lb_cli *cli)
{
	static struct runner_stop stop; /* as long as the process: signals raise it */
	bool in_job = access("/run/lifeboat/sandbox", F_OK) == 0;
	struct runner_command how = { .argv = cli->operands,
		                      .env = variables_of(cli, in_job),
		                      .writable = writable(cli, in_job),
		                      .in = 0,
		                      .out = 1,
		                      .err = 2,
		                      .streams = true };
	struct runner_sandbox *sandbox;
	struct runner_reach reach;
	const char *const *exposes;
	char *cwd = LB_ARENA_NEW(&cli->arena, char, PATH_MAX);
	lb_err err;

	if (cli->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(runner_command_reach(&reach, cli));
	LB_TRY(runner_command_list(&exposes, cli, "expose"));
	if (realpath(".", cwd) == NULL)
		return lb_fail(&cli->diag, LB_E_IO, "the current folder is gone");
	how.cwd = cwd;
	LB_TRY(runner_stop_init(&stop));
	LB_TRY(runner_stop_on_signals(&stop, RUNNER_STOP_CANCEL, NULL));
	LB_TRY(runner_sandbox_new(&sandbox, cli->mem, exposes, &cli->diag));
	err = runner_command_limit(sandbox, cli);
	if (!lb_failed(err))
		err = execute_reaching(cli, sandbox, &reach, &how, &stop);
	runner_sandbox_free(sandbox);
	return err;
}
