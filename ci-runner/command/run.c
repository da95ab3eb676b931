/* run.c - `lifeboat-runner run`, and the small commands lint and inside. */
#include "ci-runner/command/commands.h"

#include "base/io/file.h"
#include "base/platform/handle.h"
#include "base/platform/process.h"
#include "base/vec.h"
#include "ci-runner/inside/inside.h"
#include "ci-runner/local/lint.h"
#include "workflows/syntax/reference.h"
#include "ci-runner/local/run.h"

#include <limits.h>
#include <stdlib.h>

enum { PAIRS_MAX = 1000, RUNS_MAX = 64 };

lb_err runner_command_list(const char *const **out, struct lb_cli *cli, const char *option)
{
	size_t count = 0, i = 0;
	const char **list, *value;
	int at = 0;

	while (lb_cli_next(cli, option, &at) != NULL)
		count++;
	list = LB_ARENA_NEW(&cli->arena, const char *, count + 1);
	if (list == NULL)
		return lb_err_of(LB_E_NOMEM);
	at = 0;
	while ((value = lb_cli_next(cli, option, &at)) != NULL)
		list[i++] = value;
	*out = list;
	return LB_OK;
}

/* The values of a repeated KEY=VALUE option. */
static lb_err read_pairs(const struct runner_run_pair **out, size_t *count, struct lb_cli *cli,
                         const char *option)
{
	const char *const *list;
	struct runner_run_pair *pairs;

	LB_TRY(runner_command_list(&list, cli, option));
	pairs = LB_ARENA_NEW(&cli->arena, struct runner_run_pair, PAIRS_MAX);
	if (pairs == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (*count = 0; list[*count] != NULL; (*count)++) {
		struct lb_bytes text = lb_bytes_of(list[*count]);
		size_t equals = lb_bytes_find_byte(text, '=');

		if (*count >= PAIRS_MAX)
			return lb_fail(&cli->diag, LB_E_USAGE, "--%s: more than %d", option,
			               PAIRS_MAX);
		if (equals == SIZE_MAX || equals == 0)
			return lb_fail(&cli->diag, LB_E_USAGE, "--%s %s: expected KEY=VALUE",
			               option, list[*count]);
		pairs[*count] = (struct runner_run_pair){ lb_bytes_upto(text, equals),
			                                  lb_bytes_from(text, equals + 1) };
	}
	*out = pairs;
	return LB_OK;
}

static lb_err run_in(enum workflow_result *conclusion, struct lb_cli *cli,
                     const struct runner_run *run, struct runner_host *host)
{
	const char *const *exposes;
	lb_err err;

	LB_TRY(runner_command_list(&exposes, cli, "expose"));
	LB_TRY(runner_sandbox_new(&host->sandbox, cli->mem, exposes, &cli->diag));
	err = runner_command_limit(host->sandbox, cli);
	if (!lb_failed(err))
		err = runner_sandbox_check(host->sandbox, RUNNER_NETWORK_FULL, &cli->diag);
	if (!lb_failed(err))
		err = runner_run(conclusion, host, run, &cli->diag);
	runner_sandbox_free(host->sandbox);
	return err;
}

/* The same folder from run to run, so that caches whose keys are made of paths are found again; for
 * a run beside another one the next.  Held by `lock`. */
static lb_err take_work(const char **work, int *lock, struct lb_cli *cli)
{
	char *state = LB_ARENA_NEW(&cli->arena, char, LB_PATH_SIZE);
	lb_err err = lb_err_of(LB_E_BUSY);

	if (state == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_path_state(state, LB_PATH_SIZE, &cli->diag));
	LB_TRY(lb_file_make_folders(cli->plat,
	                            (const char *)lb_arena_format(&cli->arena, "%s/run", state).at,
	                            &cli->diag));
	for (unsigned i = 1; i <= RUNS_MAX && lb_code_of(err) == LB_E_BUSY; i++) {
		const char *file =
			(const char *)lb_arena_format(&cli->arena, "%s/run/work%u.lock", state, i)
				.at;

		*work = (const char *)lb_arena_format(&cli->arena, "%s/run/work%u", state, i).at;
		if (file == NULL || *work == NULL)
			return lb_err_of(LB_E_NOMEM);
		err = lb_file_lock(lock, file, &cli->diag);
	}
	return err;
}

lb_err runner_command_run(struct lb_cli *cli)
{
	static struct runner_stop stop; /* as long as the process: signals raise it */
	struct runner_run run = { .checkout = ".",
		                  .workflow = lb_cli_value(cli, "workflow"),
		                  .job = lb_cli_value(cli, "job"),
		                  .event = lb_cli_value(cli, "event"),
		                  .artifacts = lb_cli_value(cli, "artifacts"),
		                  .out = cli->out };
	struct runner_host host = {
		.mem = cli->mem,
		.plat = cli->plat,
		.name = "local",
		.stop = &stop,
		.offline = lb_cli_flag(cli, "offline"),
		.shell = lb_cli_flag(cli, "shell"),
		.step = lb_cli_value(cli, "step"),
	};
	enum workflow_result conclusion = WORKFLOW_RESULT_FAILURE;
	int lock;
	char *self = LB_ARENA_NEW(&cli->arena, char, PATH_MAX);
	lb_err err;

	if (self == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (host.shell && !plat_is_terminal(0))
		return lb_fail(&cli->diag, LB_E_USAGE, "--shell: standard input is no terminal");
	LB_TRY(read_pairs(&run.matrix, &run.matrix_count, cli, "matrix"));
	LB_TRY(read_pairs(&run.inputs, &run.input_count, cli, "input"));
	LB_TRY(runner_command_secrets(&run, cli));
	LB_TRY(runner_command_sources(&host, cli));
	LB_TRY(plat_self_path(self, PATH_MAX));
	LB_TRY(runner_stop_init(&stop));
	LB_TRY(runner_stop_on_signals(&stop, RUNNER_STOP_CANCEL, NULL));
	LB_TRY(take_work(&host.work, &lock, cli));
	host.helper = self;
	err = run_in(&conclusion, cli, &run, &host);
	lb_ignore(lb_file_remove_tree(cli->plat, host.work, NULL));
	lb_file_unlock(lock);
	if (!lb_failed(err))
		cli->exit_status = conclusion == WORKFLOW_RESULT_SUCCESS ||
		                                   conclusion == WORKFLOW_RESULT_SKIPPED
		                           ? 0
		                           : 1;
	return err;
}

lb_err runner_command_inside(struct lb_cli *cli)
{
	bool failed;

	LB_TRY(runner_inside_serve(&failed, cli->mem, cli->plat, cli->out, &cli->diag));
	/* The reason is in the answer: the runner says it once, as the step's error. */
	cli->exit_status = failed ? 1 : 0;
	return LB_OK;
}

/* ---- lint ---- */

enum { REFERENCE_BYTES_MAX = 1 << 20 };

struct linting {
	struct lb_cli *cli;
	struct runner_lint lint;
	size_t files;
};

static lb_err lint_one(void *ctx, const char *path, const struct plat_info *info)
{
	struct linting *l = ctx;
	const char *file;

	if (info->type != PLAT_FILE || (!lb_bytes_ends(lb_bytes_of(path), LB_B(".yml")) &&
	                                !lb_bytes_ends(lb_bytes_of(path), LB_B(".yaml"))))
		return LB_OK;
	file = (const char *)lb_arena_format(&l->cli->arena, ".github/workflows/%s", path).at;
	if (file == NULL)
		return lb_err_of(LB_E_NOMEM);
	l->files++;
	return runner_lint_file(&l->lint, file, &l->cli->diag);
}

static lb_err lint_all(struct linting *l)
{
	struct lb_cli *cli = l->cli;

	for (int i = 0; i < cli->operand_count; i++)
		LB_TRY(runner_lint_file(&l->lint, cli->operands[i], &cli->diag));
	if (cli->operand_count > 0)
		return LB_OK;
	if (lb_file_exists(cli->plat, ".github/workflows"))
		LB_TRY(lb_file_walk(cli->mem, cli->plat, ".github/workflows", lint_one, l,
		                    &cli->diag));
	if (l->files == 0)
		return lb_fail(&cli->diag, LB_E_NOTFOUND,
		               ".github/workflows holds no workflow; name the files");
	return LB_OK;
}

static lb_err print_reference(struct lb_cli *cli)
{
	struct lb_buf page;
	lb_err err;

	lb_buf_init(&page, cli->mem, REFERENCE_BYTES_MAX);
	err = workflow_reference(&page, cli->mem);
	if (!lb_failed(err))
		(void)fwrite(page.at, 1, page.len, cli->out);
	lb_buf_release(&page);
	return err;
}

lb_err runner_command_lint(struct lb_cli *cli)
{
	struct linting l = { .cli = cli };
	const char *name = lb_cli_value(cli, "format");
	enum runner_lint_format format;
	lb_err err;

	if (lb_cli_flag(cli, "reference"))
		return print_reference(cli);
	if (!runner_lint_format_of(&format, name))
		return lb_fail(&cli->diag, LB_E_USAGE, "--format is text, json or sarif, not %s",
		               name);
	runner_lint_init(&l.lint, cli->mem, cli->plat, cli->out, format);
	l.lint.notes = cli->err;
	l.lint.no_scripts = lb_cli_flag(cli, "no-shellcheck");
	err = lint_all(&l);
	if (!lb_failed(err))
		err = runner_lint_end(&l.lint);
	if (l.lint.errors > 0)
		cli->exit_status = 1;
	runner_lint_release(&l.lint);
	return err;
}
