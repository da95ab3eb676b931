/* signer.c - the signer's life; see signer.h. */
#include "release/signer/signer_priv.h"

#include "base/io/file.h"
#include "base/text.h"

enum { POLICY_MAX = 1 << 20, STATE_VERSION = 1, SIGNER_THREADS = 4 };

static const char *path_in(struct release_signer *signer, const char *folder, const char *name)
{
	struct lb_bytes path = lb_arena_format(&signer->arena, "%s/%s", folder, name);

	return path.at != NULL ? (const char *)path.at : "";
}

/* ---- state ---- */

static lb_err write_key(struct release_signer *signer, const char *path, struct lb_diag *diag)
{
	struct release_secret_key *key;
	struct lb_buf text;
	lb_err err;

	LB_TRY(release_secret_key_generate(&key, signer->mem));
	lb_buf_init(&text, &release_locked_mem, RELEASE_KEY_FILE_MAX);
	err = release_secret_key_write(&text, key, LB_B(""), release_cost_default);
	if (!lb_failed(err))
		err = lb_file_write(signer->plat, path, lb_buf_bytes(&text), PLAT_PRIVATE, diag);
	lb_buf_release(&text);
	release_secret_key_free(key);
	return err;
}

static lb_err make_state(struct release_signer *signer, const char *state, struct lb_diag *diag)
{
	const char *version = path_in(signer, state, "version");
	const char *key = path_in(signer, state, "minisign.key");

	LB_TRY(lb_file_make_folders(signer->plat, state, diag));
	LB_TRY(signer->plat->ops->set_mode(signer->plat, state, 0700));
	if (!lb_file_exists(signer->plat, version))
		LB_TRY(lb_file_write(signer->plat, version, LB_B("1\n"), 0, diag));
	if (!lb_file_exists(signer->plat, key))
		LB_TRY(write_key(signer, key, diag));
	return LB_OK;
}

static lb_err check_version(struct release_signer *signer, const char *state, struct lb_diag *diag)
{
	const char *path = path_in(signer, state, "version");
	uint64_t version = 0;
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, &signer->arena.mem, 64);
	err = lb_file_read(&text, signer->plat, path, diag);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return lb_fail(diag, LB_E_NOTFOUND,
		               "%s is not a signer's state folder; --init makes one", state);
	LB_TRY(err);
	if (lb_failed(lb_bytes_u64(&version, lb_bytes_trim(lb_buf_bytes(&text)), UINT32_MAX)) ||
	    version == 0)
		return lb_fail(diag, LB_E_MALFORMED, "%s: expected a version number", path);
	if (version > STATE_VERSION)
		return lb_fail(diag, LB_E_NEWER,
		               "%s was made by a newer version (its format is %llu, this program "
		               "knows %d)",
		               state, (unsigned long long)version, STATE_VERSION);
	return LB_OK;
}

static lb_err check_mode(struct release_signer *signer, const char *path, struct lb_diag *diag)
{
	struct plat_info info;

	LB_TRY(signer->plat->ops->info(&info, signer->plat, path));
	if ((info.mode & 077) != 0)
		return lb_fail(diag, LB_E_DENIED,
		               "%s can be read by others (mode %04o); chmod 600 it", path,
		               (unsigned)info.mode & 07777);
	return LB_OK;
}

static lb_err read_key(struct release_signer *signer, const char *path, struct lb_bytes password,
                       struct lb_diag *diag)
{
	struct lb_diag why = { 0 };
	struct lb_buf text;
	bool needs_password;
	lb_err err;

	lb_buf_init(&text, &release_locked_mem, RELEASE_KEY_FILE_MAX);
	err = lb_file_read(&text, signer->plat, path, diag);
	if (!lb_failed(err))
		err = check_mode(signer, path, diag);
	if (!lb_failed(err)) {
		err = release_secret_key_read(&signer->key, signer->mem, lb_buf_bytes(&text),
		                              password, &needs_password, &why);
		if (lb_failed(err))
			lb_diag_set(diag, "%s: %s", path, lb_diag_text(&why, err));
	}
	lb_buf_release(&text);
	return err;
}

/* The public key, as a file beside the secret one and in the tree. */
static lb_err show_key(struct release_signer *signer, const char *state, struct lb_diag *diag)
{
	struct release_public_key key = release_secret_key_public(signer->key);
	struct lb_buf line, file;

	lb_buf_init(&line, &signer->arena.mem, RELEASE_KEY_BASE64);
	lb_buf_init(&file, &signer->arena.mem, RELEASE_KEY_FILE_MAX);
	release_public_key_base64(&line, &key);
	release_public_key_write(&file, &key);
	LB_TRY(lb_buf_check(&line));
	LB_TRY(lb_buf_check(&file));
	signer->public_key = lb_buf_bytes(&line);
	signer->public_key_file = lb_buf_bytes(&file);
	LB_TRY(lb_file_write(signer->plat, path_in(signer, state, "minisign.pub"),
	                     signer->public_key_file, 0, diag));
	return lb_file_write(signer->plat, path_in(signer, signer->tree.root, "minisign.pub"),
	                     signer->public_key_file, 0, diag);
}

static lb_err read_policy(struct release_signer *signer, const char *path, struct lb_diag *diag)
{
	struct lb_diag why = { 0 };
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, &signer->arena.mem, POLICY_MAX);
	LB_TRY(lb_file_read(&text, signer->plat, path, diag));
	err = release_policy_read(&signer->policy, &signer->arena, lb_buf_bytes(&text), &why);
	if (lb_failed(err))
		lb_diag_set(diag, "%s: %s", path, lb_diag_text(&why, err));
	return err;
}

static const char *folder_of(struct release_signer *signer, const char *path)
{
	size_t slash = lb_bytes_rfind_byte(lb_bytes_of(path), '/');

	if (slash == SIZE_MAX)
		return ".";
	return lb_arena_text(&signer->arena,
	                     lb_bytes_upto(lb_bytes_of(path), slash == 0 ? 1 : slash));
}

/* ---- life ---- */

static lb_err open_state(struct release_signer *signer, const struct release_signer_config *config,
                         struct lb_diag *diag)
{
	uint64_t now_s = signer->plat->ops->wall_ns(signer->plat) / 1000000000;
	const char *state = config->state;

	if (config->init)
		LB_TRY(make_state(signer, state, diag));
	LB_TRY(check_version(signer, state, diag));
	LB_TRY(lb_file_lock(&signer->lock, path_in(signer, state, "lock"), diag));
	LB_TRY(read_key(signer, path_in(signer, state, "minisign.key"), config->password, diag));
	LB_TRY(release_ledger_open(&signer->ledger, signer->mem, signer->plat,
	                           path_in(signer, state, "used-tokens"), now_s, diag));
	return release_audit_open(&signer->audit, signer->mem, signer->plat,
	                          path_in(signer, state, "audit.log"), diag);
}

static lb_err open_all(struct release_signer *signer, const struct release_signer_config *config,
                       struct lb_diag *diag)
{
	struct lb_http_config http = {
		.address = config->address,
		.port = config->port,
		.routes = release_signer_routes,
		.ctx = signer,
		.threads = SIGNER_THREADS,
		.log = config->log,
	};
	const char *folder;

	LB_TRY(read_policy(signer, config->policy, diag));
	LB_TRY(open_state(signer, config, diag));
	LB_TRY(release_tree_open(&signer->tree, diag));
	LB_TRY(show_key(signer, config->state, diag));
	folder = folder_of(signer, config->policy);
	if (signer->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(release_issuers_new(&signer->issuers, signer->mem, signer->plat, signer->policy,
	                           folder));
	LB_TRY(release_uploads_new(&signer->uploads, signer->mem, signer->plat, &signer->tree));
	return lb_http_server_start(&signer->server, signer->mem, signer->plat, &http, diag);
}

lb_err release_signer_start(struct release_signer **out, struct lb_mem *mem, struct plat *plat,
                            const struct release_signer_config *config, struct lb_diag *diag)
{
	struct release_signer *signer = LB_NEW(mem, struct release_signer, 1);
	lb_err err;

	*out = NULL;
	if (signer == NULL)
		return lb_err_of(LB_E_NOMEM);
	signer->mem = mem;
	signer->plat = plat;
	signer->log = config->log;
	signer->lock = -1;
	signer->tree = (struct release_tree){ mem, plat, config->tree, lb_bytes_of(config->url) };
	pthread_mutex_init(&signer->publishing, NULL);
	lb_arena_init(&signer->arena, mem);
	err = open_all(signer, config, diag);
	if (lb_failed(err) && signer->arena.failed)
		err = lb_err_of(LB_E_NOMEM); /* what failed after it had a path that was cut */
	if (lb_failed(err))
		release_signer_stop(signer);
	else
		*out = signer;
	return err;
}

void release_signer_stop(struct release_signer *signer)
{
	if (signer == NULL)
		return;
	if (signer->server != NULL)
		lb_http_server_stop(signer->server);
	release_uploads_free(signer->uploads);
	release_issuers_free(signer->issuers);
	release_audit_close(signer->audit);
	release_ledger_close(signer->ledger);
	release_secret_key_free(signer->key);
	if (signer->lock >= 0)
		lb_file_unlock(signer->lock);
	pthread_mutex_destroy(&signer->publishing);
	lb_arena_release(&signer->arena);
	LB_DROP(signer->mem, signer, 1);
}

uint16_t release_signer_port(const struct release_signer *signer)
{
	return lb_http_server_port(signer->server);
}

struct release_public_key release_signer_public_key(const struct release_signer *signer)
{
	return release_secret_key_public(signer->key);
}
