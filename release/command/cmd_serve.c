/* cmd_serve.c - `signer` and `host`: the two processes of a release line. */
#include "release/command/command.h"

#include "base/platform/secret.h"
#include "base/platform/stop.h"
#include "release/signer/signer.h"
#include "release/site/host.h"

const struct lb_option release_signer_options[] = {
	{ "state", 0, "DIR", "the signer's own folder: key, used tokens, audit log" },
	{ "policy", 0, "FILE", "who may publish what" },
	{ "tree", 0, "DIR", "the folder that the release host serves" },
	{ "listen", 0, "ADDRESS:PORT", "where to listen; port 0: any free one" },
	{ "host-url", 0, "URL", "where the tree is served, for the addresses in answers" },
	{ "ready-file", 0, "FILE", "written with the address once requests are taken" },
	{ "init", 0, NULL, "make the state folder and a key where they are missing" },
	{ "ask-password", 0, NULL, "the key has a password; read it from standard input" },
	{ 0 },
};

const struct lb_option release_host_options[] = {
	{ "tree", 0, "DIR", "the folder to serve" },
	{ "listen", 0, "ADDRESS:PORT", "where to listen; port 0: any free one" },
	{ "ready-file", 0, "FILE", "written with the address once requests are taken" },
	{ 0 },
};

static struct lb_log log_of(struct lb_cli *cli)
{
	return (struct lb_log){ cli->plat, fileno(cli->err), LB_LOG_INFO };
}

static lb_err check_host_url(struct lb_cli *cli, const char *url)
{
	if (url == NULL)
		return LB_OK;
	if ((!lb_bytes_starts(lb_bytes_of(url), LB_B("http://")) &&
	     !lb_bytes_starts(lb_bytes_of(url), LB_B("https://"))) ||
	    lb_bytes_ends(lb_bytes_of(url), LB_B("/")))
		return lb_fail(
			&cli->diag, LB_E_USAGE,
			"--host-url %s: expected http:// or https:// and no slash at the end", url);
	return LB_OK;
}

static lb_err run_signer(struct lb_cli *cli, struct release_signer_config *config,
                         struct lb_buf *password)
{
	struct release_signer *signer;
	lb_err err;

	if (lb_cli_flag(cli, "ask-password"))
		LB_TRY(release_read_password(password, cli, "Password"));
	config->password = lb_buf_bytes(password);
	err = release_signer_start(&signer, cli->mem, cli->plat, config, &cli->diag);
	lb_buf_release(password); /* not needed any more, so it shall not be there */
	LB_TRY(err);
	err = release_serve(cli, "The signer", config->address, release_signer_port(signer));
	release_signer_stop(signer);
	return err;
}

lb_err release_cmd_signer(struct lb_cli *cli)
{
	struct lb_log log = log_of(cli);
	struct release_signer_config config = {
		.url = lb_cli_value(cli, "host-url"),
		.init = lb_cli_flag(cli, "init"),
		.log = &log,
	};
	struct lb_buf password;
	lb_err err;

	LB_TRY(plat_secret_process()); /* before anything is read */
	LB_TRY(plat_stop_install());
	LB_TRY(release_need(&config.state, cli, "state"));
	LB_TRY(release_need(&config.policy, cli, "policy"));
	LB_TRY(release_need(&config.tree, cli, "tree"));
	LB_TRY(release_listen(&config.address, &config.port, cli));
	LB_TRY(check_host_url(cli, config.url));
	lb_buf_init(&password, &release_locked_mem, RELEASE_PASSWORD_MAX);
	err = run_signer(cli, &config, &password);
	lb_buf_release(&password);
	return err;
}

lb_err release_cmd_host(struct lb_cli *cli)
{
	struct lb_log log = log_of(cli);
	struct release_host_config config = { .log = &log };
	struct release_host *host;
	struct plat_info info;
	lb_err err;

	LB_TRY(plat_stop_install());
	LB_TRY(release_need(&config.tree, cli, "tree"));
	LB_TRY(release_listen(&config.address, &config.port, cli));
	err = cli->plat->ops->info(&info, cli->plat, config.tree);
	if (lb_failed(err) || info.type != PLAT_DIRECTORY)
		return lb_fail(&cli->diag, LB_E_NOTFOUND, "%s: there is no such folder",
		               config.tree);
	LB_TRY(release_host_start(&host, cli->mem, cli->plat, &config, &cli->diag));
	err = release_serve(cli, "The release host", config.address, release_host_port(host));
	release_host_stop(host);
	return err;
}
