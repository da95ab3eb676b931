/* serve.c - `lifeboat-runner serve`. */
#include "ci-runner/command/commands.h"

#include "base/io/file.h"
#include "base/platform/process.h"
#include "ci-runner/serve/session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TOKEN_BYTES_MAX = 256, LABELS_MAX = 64, LOCK_WAIT_NS = 2000000000 };

static lb_err need(const char **out, struct lb_cli *cli, const char *option)
{
	*out = lb_cli_value(cli, option);
	if (*out == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE, "--%s is missing", option);
	return LB_OK;
}

static lb_err read_token(const char **out, struct lb_cli *cli)
{
	const char *file;
	struct lb_buf text;
	lb_err err;

	LB_TRY(need(&file, cli, "token-file"));
	lb_buf_init(&text, cli->mem, TOKEN_BYTES_MAX);
	err = lb_file_read(&text, cli->plat, file, &cli->diag);
	*out = lb_arena_text(&cli->arena, lb_bytes_trim(lb_buf_bytes(&text)));
	lb_buf_release(&text);
	LB_TRY(err);
	if (*out == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!lb_bytes_starts(lb_bytes_of(*out), LB_B("lbr_")))
		return lb_fail(&cli->diag, LB_E_INVALID,
		               "%s holds no runner's token, expected one that begins with lbr_",
		               file);
	return LB_OK;
}

static lb_err read_labels(const char *const **out, struct lb_cli *cli)
{
	const char *text = lb_cli_value(cli, "labels");
	struct lb_bytes rest = lb_bytes_of(text != NULL ? text : "self-hosted,linux"), label;
	const char **labels = LB_ARENA_NEW(&cli->arena, const char *, LABELS_MAX + 1);
	size_t count = 0;

	if (labels == NULL)
		return lb_err_of(LB_E_NOMEM);
	while (lb_bytes_split(&label, &rest, ',')) {
		label = lb_bytes_trim(label);
		if (label.len == 0)
			continue;
		if (count >= LABELS_MAX)
			return lb_fail(&cli->diag, LB_E_USAGE, "--labels: more than %d",
			               LABELS_MAX);
		labels[count++] = lb_arena_text(&cli->arena, label);
	}
	*out = labels;
	return cli->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err read_name(const char **out, struct lb_cli *cli)
{
	char *host = LB_ARENA_NEW(&cli->arena, char, 256);

	if (host == NULL)
		return lb_err_of(LB_E_NOMEM);
	*out = lb_cli_value(cli, "name");
	if (*out == NULL && gethostname(host, 255) == 0)
		*out = host;
	return LB_OK;
}

static lb_err read_coordinator(const char **out, struct lb_cli *cli)
{
	struct lb_bytes url;

	LB_TRY(need(out, cli, "coordinator"));
	url = lb_bytes_of(*out);
	if (!lb_bytes_starts(url, LB_B("http://")) && !lb_bytes_starts(url, LB_B("https://")))
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "--coordinator %s: expected http://... or https://...", *out);
	while (lb_bytes_ends(url, LB_B("/")))
		url.len--;
	*out = lb_arena_text(&cli->arena, url);
	return *out != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

/* What the policy `cache` reaches: the coordinator, as HOST:PORT. */
static lb_err read_cache(const char *const **out, struct lb_cli *cli, const char *coordinator)
{
	struct lb_bytes url = lb_bytes_of(coordinator), rest;
	bool plain = lb_bytes_starts(url, LB_B("http://"));
	const char **list = LB_ARENA_NEW(&cli->arena, const char *, 2);
	size_t end, colon;

	rest = lb_bytes_from(url, lb_bytes_find(url, LB_B("://")) + 3);
	rest = lb_bytes_upto(rest, lb_bytes_find_byte(rest, '/'));
	rest = lb_bytes_from(rest, lb_bytes_rfind_byte(rest, '@') + 1);
	end = rest.len > 0 && rest.at[0] == '[' ? lb_bytes_find_byte(rest, ']') : 0;
	colon = lb_bytes_find_byte(lb_bytes_from(rest, end), ':');
	if (list == NULL)
		return lb_err_of(LB_E_NOMEM);
	list[0] = (const char *)lb_arena_format(&cli->arena, "%.*s%s", LB_FMT(rest),
	                                        colon != SIZE_MAX ? ""
	                                        : plain           ? ":80"
	                                                          : ":443")
	                  .at;
	*out = list;
	return list[0] != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

/* A child of a runner that was killed may hold the lock until it has become its program. */
static lb_err lock_work(int *lock, const char *file, struct lb_cli *cli)
{
	const struct plat_ops *ops = cli->plat->ops;
	uint64_t until = ops->now_ns(cli->plat) + LOCK_WAIT_NS;
	lb_err err = lb_file_lock(lock, file, &cli->diag);

	while (lb_code_of(err) == LB_E_BUSY && ops->now_ns(cli->plat) < until) {
		ops->sleep_ns(cli->plat, LOCK_WAIT_NS / 100);
		err = lb_file_lock(lock, file, &cli->diag);
	}
	return err;
}

/* WORK as an absolute path, for this runner alone. */
static lb_err prepare_work(const char **out, int *lock, struct lb_cli *cli)
{
	const char *given, *file;
	char *real = LB_ARENA_NEW(&cli->arena, char, PATH_MAX);

	if (real == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(need(&given, cli, "work"));
	LB_TRY(lb_file_make_folders(cli->plat, given, &cli->diag));
	if (realpath(given, real) == NULL)
		return lb_fail(&cli->diag, LB_E_IO, "%s cannot be reached", given);
	*out = real;
	file = runner_path(&cli->arena, real, "_lock");
	if (file == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lock_work(lock, file, cli));
	return runner_folders_prepare(cli->mem, cli->plat, real, &cli->diag);
}

/* Where steps cannot be isolated, jobs are refused one by one, with the reason in their logs. */
static void check_sandbox(struct runner_host *host, const struct lb_log *log)
{
	static struct lb_diag why; /* as long as the process: the host keeps its text */
	lb_err err = runner_sandbox_check(host->sandbox, RUNNER_NETWORK_FULL, &why);

	if (!lb_failed(err))
		err = runner_sandbox_check(host->sandbox, RUNNER_NETWORK_NONE, &why);
	if (!lb_failed(err))
		return;
	host->refusal = lb_diag_text(&why, err);
	lb_log(log, LB_LOG_ERROR, "every job will be refused", LB_FIELD("why", host->refusal));
}

static lb_err serve(struct lb_cli *cli, struct runner_host *host, struct runner_serve *how)
{
	const char *const *exposes;
	int lock = -1;
	lb_err err;

	LB_TRY(runner_command_list(&exposes, cli, "expose"));
	LB_TRY(prepare_work(&host->work, &lock, cli));
	err = runner_sandbox_new(&host->sandbox, cli->mem, exposes, &cli->diag);
	if (lb_code_of(err) == LB_E_UNSUPPORTED) {
		lb_log(how->log, LB_LOG_ERROR, "every job will be refused",
		       LB_FIELD("why", cli->diag.text));
		host->refusal = lb_arena_text(&cli->arena, lb_bytes_of(cli->diag.text));
		err = host->refusal != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
	} else if (!lb_failed(err)) {
		err = runner_command_limit(host->sandbox, cli);
		if (!lb_failed(err))
			check_sandbox(host, how->log);
	}
	if (!lb_failed(err))
		err = runner_serve(host, how, &cli->diag);
	runner_sandbox_free(host->sandbox);
	lb_file_unlock(lock);
	return err;
}

lb_err runner_command_serve(struct lb_cli *cli)
{
	static struct runner_stop stop; /* as long as the process: signals raise it */
	static _Atomic bool stopping;
	const struct lb_log log = { .plat = cli->plat, .file = 2, .least = LB_LOG_INFO };
	struct runner_host host = { .mem = cli->mem, .plat = cli->plat, .stop = &stop };
	struct runner_serve how = { .stopping = &stopping,
		                    .once = lb_cli_flag(cli, "once"),
		                    .log = &log };
	char *self = LB_ARENA_NEW(&cli->arena, char, PATH_MAX);

	if (self == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(read_coordinator(&how.coordinator, cli));
	LB_TRY(read_cache(&host.cache, cli, how.coordinator));
	LB_TRY(read_token(&how.token, cli));
	LB_TRY(read_labels(&how.labels, cli));
	LB_TRY(read_name(&host.name, cli));
	LB_TRY(plat_self_path(self, PATH_MAX));
	host.helper = self;
	LB_TRY(runner_command_sources(&host, cli));
	LB_TRY(runner_stop_init(&stop));
	LB_TRY(runner_stop_on_signals(&stop, RUNNER_STOP_DRAIN, &stopping));
	return serve(cli, &host, &how);
}
