/* cmd_job.c - `publish` and `package`: what jobs run. */
#include "release/command/command.h"

#include "base/data/archive.h"
#include "base/data/digest.h"
#include "base/platform/process.h"
#include "release/client/publish.h"

const struct lb_option release_publish_options[] = {
	{ "url", 0, "URL", "the signer ($LIFEBOAT_RELEASE_URL)" },
	{ "project", 0, "NAME", "what is released ($GITHUB_REPOSITORY's name)" },
	{ "channel", 0, "NAME", "where it is released" },
	{ "version", 0, "VERSION", "as what" },
	{ 0 },
};

const struct lb_option release_package_options[] = {
	{ "root", 0, "DIR", "the folder whose content is packed" },
	{ "name", 0, "NAME", "the folder it is in inside the archive" },
	{ "mtime", 0, "SECONDS", "the time of every member ($SOURCE_DATE_EPOCH, else 1980)" },
	{ "output", 'o', "FILE", "the archive, .tar.gz, .tar.zst or .zip" },
	{ 0 },
};

/* ---- publish ---- */

static lb_err find_signer(struct release_publish *how, struct lb_cli *cli)
{
	size_t len;

	how->signer = lb_cli_value(cli, "url");
	if (how->signer == NULL)
		how->signer = plat_getenv("LIFEBOAT_RELEASE_URL");
	if (how->signer == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "where is the signer? Give --url or set LIFEBOAT_RELEASE_URL");
	len = strlen(how->signer);
	while (len > 0 && how->signer[len - 1] == '/')
		len--;
	how->signer = lb_arena_text(&cli->arena,
	                            (struct lb_bytes){ (const unsigned char *)how->signer, len });
	return how->signer != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

static lb_err find_token(struct release_publish *how, struct lb_cli *cli)
{
	how->token_url = plat_getenv("ACTIONS_ID_TOKEN_REQUEST_URL");
	how->token_secret = plat_getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
	if (how->token_url == NULL || how->token_secret == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "%s is not set: the job needs `permissions: id-token: write`",
		               how->token_url == NULL ? "ACTIONS_ID_TOKEN_REQUEST_URL"
		                                      : "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
	return LB_OK;
}

static lb_err find_project(struct release_publish *how, struct lb_cli *cli)
{
	const char *repository = plat_getenv("GITHUB_REPOSITORY");
	const char *slash = repository != NULL ? strrchr(repository, '/') : NULL;

	how->project = lb_cli_value(cli, "project");
	if (how->project == NULL && slash != NULL)
		how->project = slash + 1;
	if (how->project == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "--project is missing, and GITHUB_REPOSITORY is not set");
	return LB_OK;
}

/* A step's outputs: lines of name=value.  Ours hold no line ends: they are names, keys and URLs
 * made of names. */
static lb_err write_outputs(struct lb_cli *cli, const struct lb_value *answer)
{
	const char *path = plat_getenv("GITHUB_OUTPUT");
	const struct lb_value *files = lb_value_get(answer, "files");
	struct lb_bytes tarball = { 0 }, url = lb_value_get_string(answer, "url");
	struct lb_bytes key = lb_value_get_string(answer, "public_key");
	FILE *file;
	bool good;

	if (path == NULL)
		return LB_OK;
	if (files != NULL && files->kind == LB_ARRAY && files->count > 0)
		tarball = lb_value_get_string(files->items[0], "url");
	file = fopen(path, "a");
	if (file == NULL)
		return lb_fail(&cli->diag, LB_E_IO, "%s: cannot be written to", path);
	good = fprintf(file, "tarball=%.*s\npublic-key=%.*s\nurl=%.*s\n", LB_FMT(tarball),
	               LB_FMT(key), LB_FMT(url)) > 0;
	good = fclose(file) == 0 && good;
	return good ? LB_OK : lb_fail(&cli->diag, LB_E_IO, "%s: writing failed", path);
}

static lb_err print_answer(struct lb_cli *cli, const struct lb_value *answer)
{
	const struct lb_value *files = lb_value_get(answer, "files");
	struct lb_bytes url = lb_value_get_string(answer, "url");
	struct lb_bytes key = lb_value_get_string(answer, "public_key");

	if (files == NULL || files->kind != LB_ARRAY || url.len == 0 || key.len == 0)
		return lb_fail(&cli->diag, LB_E_MALFORMED,
		               "the signer's answer lacks url, public_key or files");
	(void)fprintf(cli->out, "Published: %.*s\n", LB_FMT(url));
	for (uint32_t i = 0; i < files->count; i++) {
		struct lb_bytes file = lb_value_get_string(files->items[i], "url");
		struct lb_bytes sha256 = lb_value_get_string(files->items[i], "sha256");

		(void)fprintf(cli->out, "  %.*s  sha256:%.*s\n", LB_FMT(file), LB_FMT(sha256));
	}
	(void)fprintf(cli->out, "Public key: %.*s\n", LB_FMT(key));
	return write_outputs(cli, answer);
}

lb_err release_cmd_publish(struct lb_cli *cli)
{
	struct release_publish how = {
		.files = cli->operands,
		.file_count = (uint32_t)cli->operand_count,
	};
	struct lb_value *answer;

	LB_TRY(find_signer(&how, cli));
	LB_TRY(find_token(&how, cli));
	LB_TRY(find_project(&how, cli));
	LB_TRY(release_need(&how.channel, cli, "channel"));
	LB_TRY(release_need(&how.version, cli, "version"));
	LB_TRY(release_publish(&answer, &cli->arena, cli->mem, cli->plat, &how, &cli->diag));
	return print_answer(cli, answer);
}

/* ---- package ---- */

static lb_err find_format(enum lb_archive_format *out, struct lb_cli *cli, const char *path)
{
	static const struct {
		const char *ending;
		enum lb_archive_format format;
	} formats[] = {
		{ ".tar.gz", LB_ARCHIVE_TAR_GZ },
		{ ".tar.zst", LB_ARCHIVE_TAR_ZST },
		{ ".zip", LB_ARCHIVE_ZIP },
	};

	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (lb_bytes_ends(lb_bytes_of(path), lb_bytes_of(formats[i].ending))) {
			*out = formats[i].format;
			return LB_OK;
		}
	}
	return lb_fail(&cli->diag, LB_E_USAGE,
	               "--output %s: expected a name that ends in .tar.gz, .tar.zst or .zip", path);
}

static lb_err find_mtime(uint64_t *out, struct lb_cli *cli)
{
	const char *epoch = plat_getenv("SOURCE_DATE_EPOCH");

	*out = 0;
	if (lb_cli_value(cli, "mtime") == NULL && epoch != NULL) {
		if (lb_failed(lb_bytes_u64(out, lb_bytes_of(epoch), UINT32_MAX)))
			return lb_fail(&cli->diag, LB_E_USAGE,
			               "SOURCE_DATE_EPOCH=%s: expected seconds since 1970", epoch);
		return LB_OK;
	}
	return lb_cli_number(out, cli, "mtime", 0, 0, UINT32_MAX);
}

lb_err release_cmd_package(struct lb_cli *cli)
{
	struct lb_archive_member member;
	struct lb_pack how = { 0 };
	const char *output;
	char sha256[LB_SHA256_HEX + 1];
	struct plat_info info;
	lb_err err;

	LB_TRY(release_need(&member.path, cli, "root"));
	LB_TRY(release_need(&member.name, cli, "name"));
	LB_TRY(release_need(&output, cli, "output"));
	LB_TRY(find_format(&how.format, cli, output));
	LB_TRY(find_mtime(&how.mtime_s, cli));
	err = cli->plat->ops->info(&info, cli->plat, member.path);
	if (lb_failed(err) || info.type != PLAT_DIRECTORY)
		return lb_fail(&cli->diag, LB_E_NOTFOUND, "--root %s: there is no such folder",
		               member.path);
	LB_TRY(lb_archive_pack(cli->mem, cli->plat, output, &member, 1, &how, &cli->diag));
	LB_TRY(lb_sha256_file(sha256, NULL, cli->plat, output));
	(void)fprintf(cli->out, "%s  %s\n", sha256, output);
	return LB_OK;
}
