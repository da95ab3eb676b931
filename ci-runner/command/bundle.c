/* bundle.c - `lifeboat-runner bundle` and `lifeboat-runner test`. */
#include "ci-runner/command/commands.h"

#include "base/data/archive.h"
#include "base/io/file.h"
#include "ci-runner/bundle/make.h"
#include "ci-runner/bundle/test.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { SOURCES_MAX = 10000, JOBS_MAX = 1024, RETRIES_MAX = 100, TIMEOUT_S = 300 };

/* ---- bundle ---- */

static lb_err read_sources(struct runner_bundle_make *how, struct lb_cli *cli)
{
	static const struct {
		const char *option;
		enum runner_source_kind kind;
	} known[] = {
		{ "ctest", RUNNER_FROM_CTEST },     { "cargo", RUNNER_FROM_CARGO },
		{ "gtest", RUNNER_FROM_GTEST },     { "cmocka", RUNNER_FROM_CMOCKA },
		{ "tap", RUNNER_FROM_TAP },         { "junit", RUNNER_FROM_JUNIT },
		{ "program", RUNNER_FROM_PROGRAM },
	};
	struct runner_source *sources =
		LB_ARENA_NEW(&cli->arena, struct runner_source, SOURCES_MAX);

	if (sources == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		const char *path;
		int at = 0;

		while ((path = lb_cli_next(cli, known[i].option, &at)) != NULL) {
			if (how->source_count >= SOURCES_MAX)
				return lb_fail(&cli->diag, LB_E_USAGE, "more than %d sources",
				               SOURCES_MAX);
			sources[how->source_count++] =
				(struct runner_source){ known[i].kind, path };
		}
	}
	how->sources = sources;
	if (how->source_count == 0)
		return lb_fail(
			&cli->diag, LB_E_USAGE,
			"of which tests? --ctest DIR, --cargo DIR, --gtest, --cmocka, --tap, "
			"--junit or --program FILE");
	return LB_OK;
}

lb_err runner_command_bundle(struct lb_cli *cli)
{
	static const char usual[] = ".lifeboat/quarantine";
	struct runner_bundle_make how = { .out = lb_cli_value(cli, "output"),
		                          .quarantine = lb_cli_value(cli, "quarantine") };
	size_t tests;

	LB_TRY(read_sources(&how, cli));
	LB_TRY(runner_command_list(&how.data, cli, "data"));
	LB_TRY(runner_command_list(&how.networks, cli, "network"));
	if (how.out == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE, "--output FILE is missing");
	if (how.quarantine == NULL && lb_file_exists(cli->plat, usual))
		how.quarantine = usual;
	LB_TRY(runner_bundle_make(&tests, cli->mem, cli->plat, &how, &cli->diag));
	(void)fprintf(cli->out, "%s: %zu tests\n", how.out, tests);
	return LB_OK;
}

/* ---- test ---- */

static lb_err read_shard(struct runner_test_run *run, struct lb_cli *cli)
{
	const char *text = lb_cli_value(cli, "shard");
	struct lb_bytes all = lb_bytes_of(text != NULL ? text : "1/1");
	size_t slash = lb_bytes_find_byte(all, '/');
	uint64_t shard = 0, shards = 0;

	if (slash == SIZE_MAX ||
	    lb_failed(lb_bytes_u64(&shard, lb_bytes_upto(all, slash), 10000)) ||
	    lb_failed(lb_bytes_u64(&shards, lb_bytes_from(all, slash + 1), 10000)) || shard == 0 ||
	    shard > shards)
		return lb_fail(&cli->diag, LB_E_USAGE, "--shard %s: expected K/N, K from 1 to N",
		               text);
	run->shard = (uint32_t)shard;
	run->shards = (uint32_t)shards;
	return LB_OK;
}

static lb_err read_numbers(struct runner_test_run *run, struct lb_cli *cli)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t jobs, retries, timeout;

	LB_TRY(lb_cli_number(&jobs, cli, "jobs", processors > 0 ? (uint64_t)processors : 1, 1,
	                     JOBS_MAX));
	LB_TRY(lb_cli_number(&retries, cli, "retries", 2, 0, RETRIES_MAX));
	LB_TRY(lb_cli_number(&timeout, cli, "timeout", TIMEOUT_S, 1, 86400));
	run->jobs = (uint32_t)jobs;
	run->retries = (uint32_t)retries;
	run->timeout_s = (double)timeout;
	return LB_OK;
}

static lb_err read_names(const char *const **out, struct lb_cli *cli, const char *path)
{
	struct lb_bytes rest, line;
	const char **list;
	struct lb_buf text;
	size_t count = 0;
	lb_err err;

	*out = NULL;
	if (path == NULL)
		return LB_OK;
	lb_buf_init(&text, cli->mem, 1 << 20);
	err = lb_file_read(&text, cli->plat, path, &cli->diag);
	list = LB_ARENA_NEW(&cli->arena, const char *, text.len + 1);
	rest = lb_buf_bytes(&text);
	while (!lb_failed(err) && list != NULL && rest.len > 0 &&
	       lb_bytes_split(&line, &rest, '\n')) {
		line = lb_bytes_trim(lb_bytes_upto(line, lb_bytes_find_byte(line, '#')));
		if (line.len > 0)
			list[count++] = lb_arena_text(&cli->arena, line);
	}
	lb_buf_release(&text);
	*out = list;
	return cli->arena.failed ? lb_err_of(LB_E_NOMEM) : err;
}

static lb_err list_tests(struct lb_cli *cli, const struct runner_test_run *run)
{
	const size_t *chosen;
	size_t count;

	LB_TRY(runner_tests_choose(&chosen, &count, &cli->arena, run, &cli->diag));
	for (size_t i = 0; i < count; i++)
		(void)fprintf(cli->out, "%s\n", run->bundle->tests[chosen[i]].name);
	return LB_OK;
}

static lb_err run_tests(struct lb_cli *cli, struct runner_test_run *run)
{
	struct runner_test_counts counts;
	lb_err err;

	LB_TRY(runner_sandbox_new(&run->sandbox, cli->mem, NULL, &cli->diag));
	err = runner_command_limit(run->sandbox, cli);
	if (!lb_failed(err))
		err = runner_sandbox_check(run->sandbox, run->reach.network, &cli->diag);
	if (!lb_failed(err))
		err = runner_tests_run(&counts, run, &cli->diag);
	runner_sandbox_free(run->sandbox);
	LB_TRY(err);
	(void)fprintf(cli->out,
	              "%zu passed, %zu broken, %zu broken in quarantine, %zu flaky, %zu skipped\n",
	              counts.passed, counts.failed, counts.quarantined, counts.flaky,
	              counts.skipped);
	cli->exit_status = counts.failed > 0 ? 1 : 0;
	return LB_OK;
}

/* A bundle that is a folder is used where it stands, an archive below `work`. */
static lb_err open_bundle(struct runner_bundle *out, struct lb_cli *cli, const char *work)
{
	const char *folder = (const char *)lb_arena_format(&cli->arena, "%s/bundle", work).at;
	char *real = LB_ARENA_NEW(&cli->arena, char, PATH_MAX);
	const char *given = cli->operands[0];
	struct plat_info info;

	if (folder == NULL || real == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (realpath(given, real) == NULL)
		return lb_fail(&cli->diag, LB_E_NOTFOUND, "%s is not there", given);
	if (lb_failed(cli->plat->ops->info(&info, cli->plat, real)) ||
	    info.type != PLAT_DIRECTORY) {
		LB_TRY(lb_file_make_folders(cli->plat, folder, &cli->diag));
		LB_TRY(lb_archive_unpack(cli->mem, cli->plat, real, folder, NULL, &cli->diag));
	} else {
		folder = real;
	}
	return runner_bundle_read(out, &cli->arena, cli->plat, folder, &cli->diag);
}

static lb_err test_in(struct lb_cli *cli, struct runner_test_run *run, const char *work)
{
	struct runner_bundle bundle;

	LB_TRY(open_bundle(&bundle, cli, work));
	run->bundle = &bundle;
	run->work = (const char *)lb_arena_format(&cli->arena, "%s/tests", work).at;
	if (run->work == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_file_make_folders(cli->plat, run->work, &cli->diag));
	return lb_cli_flag(cli, "list") ? list_tests(cli, run) : run_tests(cli, run);
}

lb_err runner_command_test(struct lb_cli *cli)
{
	static struct runner_stop stop; /* as long as the process: signals raise it */
	const char *tmp = plat_getenv("TMPDIR");
	struct runner_test_run run = { .mem = cli->mem,
		                       .plat = cli->plat,
		                       .stop = &stop,
		                       .timings = lb_cli_value(cli, "timings"),
		                       .junit = lb_cli_value(cli, "junit"),
		                       .summary = plat_getenv("GITHUB_STEP_SUMMARY"),
		                       .out = cli->out };
	char *work;
	lb_err err;

	LB_TRY(read_shard(&run, cli));
	LB_TRY(read_numbers(&run, cli));
	LB_TRY(runner_command_list(&run.filters, cli, "only"));
	LB_TRY(read_names(&run.quarantine, cli, lb_cli_value(cli, "quarantine")));
	run.reach.network = RUNNER_NETWORK_NONE;
	if (lb_cli_value(cli, "network") != NULL)
		LB_TRY(runner_command_reach(&run.reach, cli));
	work = (char *)(uintptr_t)lb_arena_format(&cli->arena, "%s/lifeboat-test-XXXXXX",
	                                          tmp != NULL ? tmp : "/tmp")
	               .at;
	if (work == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(runner_stop_init(&stop));
	LB_TRY(runner_stop_on_signals(&stop, RUNNER_STOP_CANCEL, NULL));
	if (mkdtemp(work) == NULL)
		return lb_fail(&cli->diag, LB_E_IO, "%s: no folder can be made there", work);
	err = test_in(cli, &run, work);
	lb_ignore(lb_file_remove_tree(cli->plat, work, NULL));
	return err;
}
