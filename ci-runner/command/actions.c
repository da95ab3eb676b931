/* actions.c - `lifeboat-runner actions`: what the project's lock pins, written and checked. */
#include "ci-runner/command/commands.h"

#include "base/git/repo.h"
#include "base/io/file.h"
#include "base/platform/process.h"
#include "ci-runner/actions/pin.h"

#include <stdlib.h>

/* Set and not empty. */
static const char *variable(const char *name)
{
	const char *value = plat_getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

lb_err runner_command_sources(struct runner_host *host, struct lb_cli *cli)
{
	char *state = LB_ARENA_NEW(&cli->arena, char, LB_PATH_SIZE);

	if (state == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_path_state(state, LB_PATH_SIZE, &cli->diag));
	host->mirrors = (const char *)lb_arena_format(&cli->arena, "%s/actions", state).at;
	host->queue = (const char *)lb_arena_format(&cli->arena, "%s/replay.jsonl", state).at;
	host->source = variable("LIFEBOAT_ACTIONS_SOURCE");
	host->hook_started = variable("ACTIONS_RUNNER_HOOK_JOB_STARTED");
	host->hook_completed = variable("ACTIONS_RUNNER_HOOK_JOB_COMPLETED");
	host->tools = variable("LIFEBOAT_TOOL_CACHE");
	return !cli->arena.failed ? LB_OK : lb_err_of(LB_E_NOMEM);
}

/* ---- lock, update, verify ---- */

static lb_err pin(struct lb_cli *cli, const struct runner_pinning *how)
{
	const char *verb = cli->operands[0];
	const char *const *names = (const char *const *)cli->operands + 1;
	size_t count = (size_t)cli->operand_count - 1, faults;

	if (strcmp(verb, "update") == 0)
		return runner_pin_update(how, names, count, &cli->diag);
	if (count > 0)
		return lb_fail(&cli->diag, LB_E_USAGE, "actions %s takes no names", verb);
	if (strcmp(verb, "lock") == 0)
		return runner_pin_lock(how, &cli->diag);
	if (strcmp(verb, "verify") != 0)
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "actions %s: expected lock, update or verify", verb);
	LB_TRY(runner_pin_verify(&faults, how, &cli->diag));
	cli->exit_status = faults > 0 ? 1 : 0;
	return LB_OK;
}

lb_err runner_command_actions(struct lb_cli *cli)
{
	const char *tmp = variable("TMPDIR");
	char *scratch =
		(char *)(uintptr_t)lb_arena_format(&cli->arena, "%s/lifeboat-actions-XXXXXX",
	                                           tmp != NULL ? tmp : "/tmp")
			.at;
	struct runner_host host = { .mem = cli->mem, .plat = cli->plat };
	struct runner_pinning how = { .mem = cli->mem,
		                      .plat = cli->plat,
		                      .is_builtin = runner_uses_is_builtin,
		                      .offline = lb_cli_flag(cli, "offline"),
		                      .out = cli->out };
	struct lb_repo *repo;
	lb_err err;

	if (scratch == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(runner_command_sources(&host, cli));
	how.mirrors = host.mirrors;
	how.source = host.source;
	LB_TRY(lb_repo_open(&repo, cli->mem, ".", true, &cli->diag));
	how.checkout = lb_arena_text(&cli->arena, lb_bytes_of(lb_repo_top(repo)));
	lb_repo_free(repo);
	if (how.checkout == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (mkdtemp(scratch) == NULL)
		return lb_fail(&cli->diag, LB_E_IO, "%s: no folder can be made there", scratch);
	how.scratch = scratch;
	err = pin(cli, &how);
	lb_ignore(lb_file_remove_tree(cli->plat, scratch, NULL));
	return err;
}
