/* cmd_keys.c - `keygen`, `sign`, `verify`: minisign's formats, without the signer. */
#include "release/command/command.h"

#include "base/io/file.h"
#include "base/io/progress.h"
#include "base/platform/secret.h"
#include "release/keys/file.h"

const struct lb_option release_keygen_options[] = {
	{ "secret", 's', "FILE", "where the secret key goes (minisign.key)" },
	{ "public", 'p', "FILE", "where the public key goes (minisign.pub)" },
	{ "no-password", 0, NULL, "do not protect the secret key" },
	{ 0 },
};

const struct lb_option release_sign_options[] = {
	{ "secret", 's', "FILE", "the secret key (minisign.key)" },
	{ "trusted-comment", 't', "TEXT", "signed with the file (time, name, \"hashed\")" },
	{ 0 },
};

const struct lb_option release_verify_options[] = {
	{ "public", 'p', "FILE", "the public key's file (minisign.pub)" },
	{ "key", 'P', "KEY", "the public key itself" },
	{ "signature", 'x', "FILE", "the signature (FILE.minisig); with one FILE only" },
	{ "quiet", 'q', NULL, "say nothing about files that are good" },
	{ 0 },
};

static const char *value_or(struct lb_cli *cli, const char *name, const char *otherwise)
{
	const char *value = lb_cli_value(cli, name);

	return value != NULL ? value : otherwise;
}

/* ---- keygen ---- */

/* From a terminal twice, as nobody sees what is typed. */
static lb_err new_password(struct lb_buf *out, struct lb_cli *cli)
{
	struct lb_buf again;
	lb_err err;

	if (lb_cli_flag(cli, "no-password"))
		return LB_OK;
	LB_TRY(release_read_password(out, cli, "Password"));
	if (out->len == 0)
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "a password is expected on standard input; --no-password makes a "
		               "key without one");
	if (!lb_stream_is_terminal(stdin))
		return LB_OK;
	lb_buf_init(&again, &release_locked_mem, RELEASE_PASSWORD_MAX);
	err = release_read_password(&again, cli, "Password again");
	if (!lb_failed(err) && !lb_bytes_eq_secret(lb_buf_bytes(out), lb_buf_bytes(&again)))
		err = lb_fail(&cli->diag, LB_E_INVALID, "the passwords differ");
	lb_buf_release(&again);
	return err;
}

static lb_err write_secret(struct lb_cli *cli, const char *path,
                           const struct release_secret_key *key)
{
	struct lb_buf password, text;
	lb_err err;

	lb_buf_init(&password, &release_locked_mem, RELEASE_PASSWORD_MAX);
	lb_buf_init(&text, &release_locked_mem, RELEASE_KEY_FILE_MAX);
	err = new_password(&password, cli);
	if (!lb_failed(err)) {
		err = release_secret_key_write(&text, key, lb_buf_bytes(&password),
		                               release_cost_default);
		if (lb_code_of(err) == LB_E_NOMEM)
			lb_diag_set(&cli->diag,
			            "protecting a key with a password takes 1 GiB of memory");
	}
	if (!lb_failed(err))
		err = lb_file_write(cli->plat, path, lb_buf_bytes(&text), PLAT_PRIVATE, &cli->diag);
	lb_buf_release(&text);
	lb_buf_release(&password);
	return err;
}

static lb_err write_public(struct lb_cli *cli, const char *path,
                           const struct release_public_key *key)
{
	struct lb_buf text, line;
	lb_err err;

	lb_buf_init(&text, &cli->arena.mem, RELEASE_KEY_FILE_MAX);
	lb_buf_init(&line, &cli->arena.mem, RELEASE_KEY_BASE64);
	release_public_key_write(&text, key);
	release_public_key_base64(&line, key);
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_file_write(cli->plat, path, lb_buf_bytes(&text), 0, &cli->diag);
	if (!lb_failed(err))
		(void)fprintf(cli->out, "%s\n", lb_buf_text(&line));
	return err;
}

static lb_err refuse_existing(struct lb_cli *cli, const char *path)
{
	if (lb_file_exists(cli->plat, path))
		return lb_fail(&cli->diag, LB_E_EXISTS,
		               "%s is there already; a key is never overwritten", path);
	return LB_OK;
}

lb_err release_cmd_keygen(struct lb_cli *cli)
{
	const char *secret = value_or(cli, "secret", "minisign.key");
	const char *public_path = value_or(cli, "public", "minisign.pub");
	struct release_secret_key *key;
	struct release_public_key public_key;
	lb_err err;

	LB_TRY(plat_secret_process());
	LB_TRY(refuse_existing(cli, secret));
	LB_TRY(refuse_existing(cli, public_path));
	LB_TRY(release_secret_key_generate(&key, cli->mem));
	public_key = release_secret_key_public(key);
	err = write_secret(cli, secret, key);
	release_secret_key_free(key);
	LB_TRY(err);
	err = write_public(cli, public_path, &public_key);
	if (lb_failed(err)) /* half a pair is none */
		lb_ignore(cli->plat->ops->remove(cli->plat, secret));
	return err;
}

/* ---- sign ---- */

lb_err release_cmd_sign(struct lb_cli *cli)
{
	struct release_secret_key *key;
	lb_err err = LB_OK;

	LB_TRY(plat_secret_process());
	LB_TRY(release_load_secret_key(&key, cli, value_or(cli, "secret", "minisign.key")));
	for (int i = 0; i < cli->operand_count && !lb_failed(err); i++)
		err = release_sign_file(cli->mem, cli->plat, key, cli->operands[i],
		                        lb_cli_value(cli, "trusted-comment"), &cli->diag);
	release_secret_key_free(key);
	return err;
}

/* ---- verify ---- */

static lb_err given_key(struct release_public_key *out, struct lb_cli *cli)
{
	const char *key = lb_cli_value(cli, "key");
	lb_err err;

	if (key == NULL)
		return release_load_public_key(out, cli->mem, cli->plat,
		                               value_or(cli, "public", "minisign.pub"), &cli->diag);
	if (lb_cli_value(cli, "public") != NULL)
		return lb_fail(&cli->diag, LB_E_USAGE, "--key and --public say the same twice");
	err = release_public_key_read_base64(out, cli->mem, lb_bytes_of(key), &cli->diag);
	if (lb_failed(err))
		lb_diag_prefix(&cli->diag, "--key");
	return err;
}

/* Check one file and say so.  What is wrong with it is said at once, so that others are checked
 * too. */
static lb_err verify_one(struct lb_cli *cli, const struct release_public_key *key, const char *path)
{
	struct lb_buf comment;
	lb_err err;

	lb_buf_init(&comment, cli->mem, RELEASE_COMMENT_MAX);
	err = release_verify_file(&comment, cli->mem, cli->plat, key, path,
	                          lb_cli_value(cli, "signature"), &cli->diag);
	if (!lb_failed(err) && !lb_cli_flag(cli, "quiet"))
		(void)fprintf(cli->out, "%s: good, trusted comment: %s\n", path,
		              lb_buf_text(&comment));
	lb_buf_release(&comment);
	return err;
}

lb_err release_cmd_verify(struct lb_cli *cli)
{
	struct release_public_key key;
	lb_err worst = LB_OK;

	if (cli->operand_count > 1 && lb_cli_value(cli, "signature") != NULL)
		return lb_fail(&cli->diag, LB_E_USAGE, "--signature is for one FILE");
	LB_TRY(given_key(&key, cli));
	for (int i = 0; i < cli->operand_count; i++) {
		lb_err err = verify_one(cli, &key, cli->operands[i]);

		if (!lb_failed(err))
			continue;
		if (lb_err_class(err) >= lb_err_class(worst))
			worst = err;
		if (cli->operand_count > 1)
			(void)fprintf(cli->err, "%s\n", lb_diag_text(&cli->diag, err));
	}
	if (lb_code_of(worst) == LB_E_MISMATCH)
		cli->exit_status = 1; /* the question was a good one, and the answer is no */
	if (lb_failed(worst) && cli->operand_count > 1)
		lb_diag_set(&cli->diag, "not all files are good");
	return worst;
}
