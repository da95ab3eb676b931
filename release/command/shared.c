/* shared.c - see command.h. */
#include "release/command/command.h"

#include "base/io/file.h"
#include "base/io/progress.h"
#include "base/platform/secret.h"
#include "base/platform/stop.h"

/* Byte by byte and without the stream's own buffer, which nobody would wipe. */
static lb_err read_line(struct lb_buf *out, struct lb_cli *cli)
{
	int c;

	(void)setvbuf(stdin, NULL, _IONBF, 0);
	for (c = getc(stdin); c != EOF && c != '\n'; c = getc(stdin))
		lb_buf_add_byte(out, (unsigned char)c);
	if (out->len > 0 && out->at[out->len - 1] == '\r')
		out->len--;
	if (lb_code_of(lb_buf_check(out)) == LB_E_LIMIT)
		return lb_fail(&cli->diag, LB_E_LIMIT, "a password has at most %d bytes",
		               RELEASE_PASSWORD_MAX);
	return lb_buf_check(out);
}

lb_err release_read_password(struct lb_buf *out, struct lb_cli *cli, const char *prompt)
{
	bool terminal = lb_stream_is_terminal(stdin);
	lb_err err;

	if (terminal) {
		(void)fprintf(cli->err, "%s: ", prompt);
		(void)fflush(cli->err);
		plat_secret_echo(false);
	}
	err = read_line(out, cli);
	if (terminal) {
		plat_secret_echo(true);
		(void)fputc('\n', cli->err);
	}
	return err;
}

static lb_err read_with_password(struct release_secret_key **out, struct lb_cli *cli,
                                 const char *path, struct lb_bytes text)
{
	struct lb_diag why = { 0 };
	struct lb_buf password;
	bool needs_password;
	lb_err err = release_secret_key_read(out, cli->mem, text, LB_B(""), &needs_password, &why);

	if (lb_failed(err) && needs_password) {
		lb_buf_init(&password, &release_locked_mem, RELEASE_PASSWORD_MAX);
		err = release_read_password(&password, cli, "Password");
		if (!lb_failed(err))
			err = release_secret_key_read(out, cli->mem, text, lb_buf_bytes(&password),
			                              &needs_password, &why);
		lb_buf_release(&password);
	}
	if (lb_failed(err) && cli->diag.text[0] == '\0')
		lb_diag_set(&cli->diag, "%s: %s", path, lb_diag_text(&why, err));
	return err;
}

lb_err release_load_secret_key(struct release_secret_key **out, struct lb_cli *cli,
                               const char *path)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, &release_locked_mem, RELEASE_KEY_FILE_MAX);
	err = lb_file_read(&text, cli->plat, path, &cli->diag);
	if (!lb_failed(err))
		err = read_with_password(out, cli, path, lb_buf_bytes(&text));
	lb_buf_release(&text);
	return err;
}

lb_err release_need(const char **out, struct lb_cli *cli, const char *option)
{
	*out = lb_cli_value(cli, option);
	if (*out == NULL || **out == '\0')
		return lb_fail(&cli->diag, LB_E_USAGE, "--%s is missing", option);
	return LB_OK;
}

lb_err release_listen(const char **address, uint16_t *port, struct lb_cli *cli)
{
	const char *given;
	struct lb_bytes text, host;
	size_t colon;
	uint64_t number;

	LB_TRY(release_need(&given, cli, "listen"));
	text = lb_bytes_of(given);
	colon = lb_bytes_rfind_byte(text, ':');
	if (colon == SIZE_MAX ||
	    lb_failed(lb_bytes_u64(&number, lb_bytes_from(text, colon + 1), UINT16_MAX)))
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "--listen %s: expected ADDRESS:PORT, as in 127.0.0.1:8442", given);
	host = lb_bytes_upto(text, colon);
	if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
		host = lb_bytes_upto(lb_bytes_from(host, 1), host.len - 2);
	*address = lb_arena_text(&cli->arena, host);
	*port = (uint16_t)number;
	return *address != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

lb_err release_serve(struct lb_cli *cli, const char *what, const char *address, uint16_t port)
{
	const char *ready = lb_cli_value(cli, "ready-file");
	bool is_v6 = strchr(address, ':') != NULL;
	struct lb_bytes url = lb_arena_format(&cli->arena, "http://%s%s%s:%u\n", is_v6 ? "[" : "",
	                                      address, is_v6 ? "]" : "", (unsigned)port);

	if (cli->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	(void)fprintf(cli->out, "%s listens on %.*s", what, LB_FMT(url));
	(void)fflush(cli->out);
	if (ready != NULL)
		LB_TRY(lb_file_write(cli->plat, ready, url, 0, &cli->diag));
	while (!plat_stop_wait(UINT64_MAX))
		;
	return LB_OK;
}
