/* replay.c - `lifeboat-runner replay`: what jobs asked GitHub for, listed, and sent when it is
 * back. */
#include "ci-runner/command/commands.h"
#include "ci-runner/github/queue.h"

#include "base/io/file.h"

enum { TOKEN_BYTES_MAX = 4096 };

static lb_err read_token(const char **out, struct lb_cli *cli)
{
	const char *file = lb_cli_value(cli, "token-file");
	struct lb_buf text;
	lb_err err;

	if (file == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE, "--send needs --token-file");
	lb_buf_init(&text, cli->mem, TOKEN_BYTES_MAX);
	err = lb_file_read(&text, cli->plat, file, &cli->diag);
	*out = lb_arena_text(&cli->arena, lb_bytes_trim(lb_buf_bytes(&text)));
	lb_buf_release(&text);
	return !lb_failed(err) && *out == NULL ? lb_err_of(LB_E_NOMEM) : err;
}

lb_err runner_command_replay(struct lb_cli *cli)
{
	struct runner_host host = { .mem = cli->mem, .plat = cli->plat };
	struct runner_queue queue = { .mem = cli->mem, .plat = cli->plat, .out = cli->out };
	const char *api = lb_cli_value(cli, "api");
	size_t left;

	LB_TRY(runner_command_sources(&host, cli));
	queue.file = host.queue;
	if (lb_cli_flag(cli, "send")) {
		LB_TRY(read_token(&queue.token, cli));
		queue.api = api != NULL ? api : "https://api.github.com";
	}
	return runner_queue_replay(&left, &queue, &cli->diag);
}
