/* secrets.c - the secrets of `lifeboat-runner run`: from files, lists, or the keyring. */
#include "ci-runner/command/commands.h"

#include "base/io/file.h"
#include "base/io/run.h"
#include "base/platform/secret.h"
#include "ci-runner/local/run.h"

enum { SECRETS_MAX = 1000, SECRET_BYTES_MAX = 65536, LIST_BYTES_MAX = 1 << 20 };

struct taking {
	struct lb_cli *cli;
	struct runner_run_pair *pairs;
	size_t count;
};

static lb_err add(struct taking *t, struct lb_bytes name, struct lb_bytes value)
{
	if (t->count >= SECRETS_MAX)
		return lb_fail(&t->cli->diag, LB_E_USAGE, "more than %d secrets", SECRETS_MAX);
	t->pairs[t->count++] = (struct runner_run_pair){
		lb_arena_bytes(&t->cli->arena, name),
		lb_arena_bytes(&t->cli->arena, value),
	};
	return t->cli->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err from_file(struct taking *t, struct lb_bytes name, const char *path)
{
	struct lb_bytes value;
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, t->cli->mem, SECRET_BYTES_MAX);
	err = lb_file_read(&text, t->cli->plat, path, &t->cli->diag);
	value = lb_buf_bytes(&text);
	if (lb_bytes_ends(value, LB_B("\n")))
		value.len--;
	if (!lb_failed(err))
		err = add(t, name, value);
	lb_buf_release(&text);
	return err;
}

/* The desktop's, where the kernel's has none. */
static lb_err from_service(struct taking *t, const char *name)
{
	const char *const argv[] = { "secret-tool", "lookup", "lifeboat", name, NULL };
	struct plat_exit status = { .number = 1 };
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, t->cli->mem, SECRET_BYTES_MAX);
	err = lb_run(&status, &(struct lb_run){ .argv = argv }, &text, NULL, NULL);
	if (lb_failed(err) || status.signaled || status.number != 0 || text.len == 0)
		err = lb_fail(&t->cli->diag, LB_E_NOTFOUND,
		              "--secret %s: neither the kernel's keyring has a key 'lifeboat:%s' "
		              "(keyctl padd user lifeboat:%s @u), nor the Secret Service one with "
		              "lifeboat=%s (secret-tool store)",
		              name, name, name, name);
	else
		err = add(t, lb_bytes_of(name), lb_buf_bytes(&text));
	lb_buf_release(&text);
	return err;
}

static lb_err from_keyring(struct taking *t, const char *name)
{
	const char *key = (const char *)lb_arena_format(&t->cli->arena, "lifeboat:%s", name).at;
	unsigned char *value = LB_ARENA_NEW(&t->cli->arena, unsigned char, SECRET_BYTES_MAX);
	size_t len;

	if (key == NULL || value == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (lb_failed(plat_secret_find(value, &len, SECRET_BYTES_MAX, key)))
		return from_service(t, name);
	return add(t, lb_bytes_of(name), (struct lb_bytes){ value, len });
}

/* NAME=VALUE on each line; # begins a comment, quotes around a value are not part of it. */
static lb_err from_line(struct taking *t, struct lb_bytes line, const char *path, unsigned number)
{
	size_t equals = lb_bytes_find_byte(line, '=');
	struct lb_bytes name = lb_bytes_trim(lb_bytes_upto(line, equals)), value;

	line = lb_bytes_trim(line);
	if (line.len == 0 || line.at[0] == '#')
		return LB_OK;
	if (equals == SIZE_MAX || name.len == 0)
		return lb_fail(&t->cli->diag, LB_E_MALFORMED, "%s: line %u: expected NAME=VALUE",
		               path, number);
	value = lb_bytes_trim(lb_bytes_from(line, lb_bytes_find_byte(line, '=') + 1));
	if (value.len >= 2 && (value.at[0] == '"' || value.at[0] == '\'') &&
	    value.at[value.len - 1] == value.at[0])
		value = lb_bytes_from(lb_bytes_upto(value, value.len - 1), 1);
	return add(t, name, value);
}

static lb_err from_list(struct taking *t, const char *path)
{
	struct lb_bytes rest, line;
	unsigned number = 0;
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, t->cli->mem, LIST_BYTES_MAX);
	err = lb_file_read(&text, t->cli->plat, path, &t->cli->diag);
	rest = lb_buf_bytes(&text);
	while (!lb_failed(err) && rest.len > 0 && lb_bytes_split(&line, &rest, '\n'))
		err = from_line(t, line, path, ++number);
	lb_buf_release(&text);
	return err;
}

lb_err runner_command_secrets(struct runner_run *run, struct lb_cli *cli)
{
	struct taking t = {
		.cli = cli, .pairs = LB_ARENA_NEW(&cli->arena, struct runner_run_pair, SECRETS_MAX)
	};
	const char *text;
	int at = 0;

	if (t.pairs == NULL)
		return lb_err_of(LB_E_NOMEM);
	while ((text = lb_cli_next(cli, "secrets", &at)) != NULL)
		LB_TRY(from_list(&t, text));
	for (at = 0; (text = lb_cli_next(cli, "secret", &at)) != NULL;) {
		struct lb_bytes name = lb_bytes_of(text);
		size_t equals = lb_bytes_find_byte(name, '=');

		if (equals == 0 || name.len == 0)
			return lb_fail(&cli->diag, LB_E_USAGE,
			               "--secret %s: expected NAME or NAME=FILE", text);
		LB_TRY(equals == SIZE_MAX
		               ? from_keyring(&t, text)
		               : from_file(&t, lb_bytes_upto(name, equals), text + equals + 1));
	}
	run->secrets = t.pairs;
	run->secret_count = t.count;
	return LB_OK;
}
