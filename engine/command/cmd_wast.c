/* cmd_wast.c - `wast`: runs the official tests' scripts. */
#include "engine/command/command.h"
#include "engine/command/wast.h"

static lb_err run_file(struct engine_wast_counts *counts, struct lb_cli *cli, const char *path)
{
	struct engine_module_options features;
	const struct engine_wast_options options = { .features = &features, .to = cli->out };
	struct lb_buf text;
	lb_err err;

	LB_TRY(engine_command_features(&features, cli));
	lb_buf_init(&text, cli->mem, ENGINE_FILE_BYTES_MAX);
	err = engine_command_read(&text, cli, path);
	if (!lb_failed(err))
		err = engine_wast_run(counts, cli->mem, lb_buf_bytes(&text), path, &options,
		                      &cli->diag);
	lb_buf_release(&text);
	return err;
}

/* All files are run; what is the matter with one is a line. */
lb_err engine_cmd_wast(struct lb_cli *cli)
{
	struct engine_wast_counts counts = { 0 };
	int worst = 0;

	for (int i = 0; i < cli->operand_count; i++) {
		lb_err err;
		int status;

		cli->exit_status = -1;
		cli->diag.text[0] = '\0';
		err = run_file(&counts, cli, cli->operands[i]);
		if (!lb_failed(err))
			continue;
		if (lb_err_class(err) == LB_CLASS_USAGE)
			return err;
		(void)fprintf(cli->err, "%s\n", lb_diag_text(&cli->diag, err));
		status = cli->exit_status >= 0 ? cli->exit_status : lb_err_exit(err);
		worst = status > worst ? status : worst;
	}
	(void)fprintf(cli->out, "%u commands, %u assertions, %u failed\n", counts.commands,
	              counts.assertions, counts.failures);
	cli->exit_status = worst > 0 ? worst : counts.failures > 0;
	return LB_OK;
}
