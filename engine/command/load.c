/* load.c - a module from a file, binary or text. */
#include "base/io/file.h"
#include "engine/command/command.h"
#include "engine/text/text.h"

lb_err engine_command_fail(struct lb_cli *cli, lb_err err, const char *name)
{
	if (cli->diag.text[0] == '\0')
		lb_diag_set(&cli->diag, "%s", lb_err_text(err));
	if (name != NULL)
		lb_diag_prefix(&cli->diag, "%s", name);
	if (lb_err_class(err) == LB_CLASS_NO)
		cli->exit_status = ENGINE_EXIT_ENV;
	return err;
}

lb_err engine_command_read(struct lb_buf *out, struct lb_cli *cli, const char *path)
{
	lb_err err = lb_file_read(out, cli->plat, path, &cli->diag);

	/* Whatever is the matter with it, it is not the module's content. */
	if (lb_failed(err))
		cli->exit_status = ENGINE_EXIT_ENV;
	return err;
}

/* Put the binary form in the place of a text. */
static lb_err assemble(struct lb_buf *bytes, struct lb_cli *cli, const char *path)
{
	struct engine_module_options features;
	const struct engine_text_options options = { .name = path, .features = &features };
	struct lb_buf text = *bytes;
	lb_err err;

	LB_TRY(engine_command_features(&features, cli));
	lb_buf_init(bytes, cli->mem, ENGINE_FILE_BYTES_MAX);
	err = engine_text_to_binary(bytes, cli->mem, lb_buf_bytes(&text), &options, &cli->diag);
	lb_buf_release(&text);
	return lb_failed(err) ? engine_command_fail(cli, err, NULL) : LB_OK;
}

lb_err engine_command_read_module(struct lb_buf *out, struct lb_cli *cli, const char *path)
{
	LB_TRY(engine_command_read(out, cli, path));
	return engine_text_is(lb_buf_bytes(out)) ? assemble(out, cli, path) : LB_OK;
}

lb_err engine_command_load(struct engine_module **out, struct lb_cli *cli, const char *path)
{
	struct engine_module_options options;
	struct lb_buf bytes;
	lb_err err;

	*out = NULL;
	LB_TRY(engine_command_features(&options, cli));
	lb_buf_init(&bytes, cli->mem, ENGINE_FILE_BYTES_MAX);
	err = engine_command_read_module(&bytes, cli, path);
	if (!lb_failed(err)) {
		err = engine_module_new(out, cli->mem, lb_buf_bytes(&bytes), &options, &cli->diag);
		if (lb_failed(err))
			err = engine_command_fail(cli, err, path);
	}
	lb_buf_release(&bytes);
	return err;
}
