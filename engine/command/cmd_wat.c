/* cmd_wat.c - `wat2wasm` and `wasm2wat`: the text of a module to its binary and back. */
#include "base/io/file.h"
#include "engine/command/command.h"
#include "engine/text/text.h"

const struct lb_option engine_wat2wasm_options[] = {
	{ "output", 'o', "FILE", "where to; FILE.wasm beside a FILE.wat otherwise, - for output" },
	{ "no-names", 0, NULL, "leave out the names: no \"name\" section" },
	{ 0 },
};

const struct lb_option engine_wasm2wat_options[] = {
	{ "output", 'o', "FILE", "where to; to the output otherwise" },
	{ 0 },
};

static lb_err write_out(struct lb_cli *cli, const char *path, struct lb_bytes content)
{
	if (strcmp(path, "-") != 0)
		return lb_file_write(cli->plat, path, content, 0, &cli->diag);
	if (fwrite(content.at, 1, content.len, cli->out) != content.len)
		return lb_err_of(LB_E_IO);
	return LB_OK;
}

/* `path` with its ending taken off, where it has that, and the other put on. */
static const char *with_ending(struct lb_cli *cli, const char *path, struct lb_bytes from,
                               const char *to)
{
	struct lb_bytes stem = lb_bytes_of(path);

	if (lb_bytes_ends(stem, from))
		stem.len -= from.len;
	return (const char *)lb_arena_format(&cli->arena, "%.*s%s", LB_FMT(stem), to).at;
}

lb_err engine_cmd_wat2wasm(struct lb_cli *cli)
{
	const char *path = cli->operands[0], *to = lb_cli_value(cli, "output");
	const struct engine_text_options options = { .name = path,
		                                     .no_names = lb_cli_flag(cli, "no-names") };
	struct lb_buf text, binary;
	lb_err err;

	if (to == NULL)
		to = with_ending(cli, path, LB_B(".wat"), ".wasm");
	if (to == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, cli->mem, ENGINE_FILE_BYTES_MAX);
	lb_buf_init(&binary, cli->mem, ENGINE_FILE_BYTES_MAX);
	err = engine_command_read(&text, cli, path);
	if (!lb_failed(err))
		err = engine_text_to_binary(&binary, cli->mem, lb_buf_bytes(&text), &options,
		                            &cli->diag);
	if (!lb_failed(err))
		err = write_out(cli, to, lb_buf_bytes(&binary));
	lb_buf_release(&text);
	lb_buf_release(&binary);
	return err;
}

lb_err engine_cmd_wasm2wat(struct lb_cli *cli)
{
	const char *to = lb_cli_value(cli, "output");
	struct lb_buf binary, text;
	lb_err err;

	lb_buf_init(&text, cli->mem, ENGINE_FILE_BYTES_MAX);
	lb_buf_init(&binary, cli->mem, ENGINE_FILE_BYTES_MAX);
	err = engine_command_read_module(&binary, cli, cli->operands[0]);
	if (!lb_failed(err)) {
		err = engine_text_of_binary(&text, cli->mem, lb_buf_bytes(&binary), &cli->diag);
		if (lb_failed(err))
			err = engine_command_fail(cli, err, cli->operands[0]);
	}
	if (!lb_failed(err))
		err = write_out(cli, to != NULL ? to : "-", lb_buf_bytes(&text));
	lb_buf_release(&text);
	lb_buf_release(&binary);
	return err;
}
