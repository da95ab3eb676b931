/* cache.c - actions/cache, actions/cache/restore and actions/cache/save. */
#include "ci-runner/execute/builtin_priv.h"

#include "base/data/digest.h"

enum { KEY_BYTES_MAX = 512, RESTORE_KEYS_MAX = 10 };

struct request {
	const char *key;
	const char *restores[RESTORE_KEYS_MAX + 1];
	struct lb_value *paths;
	char version[LB_SHA256_HEX + 1]; /* of the paths: other paths, another cache */
};

static lb_err check_key(struct lb_bytes key, struct lb_diag *diag)
{
	if (key.len == 0)
		return lb_fail(diag, LB_E_INVALID, "input 'key' is required and was not given");
	if (key.len > KEY_BYTES_MAX || lb_bytes_find_byte(key, ',') != SIZE_MAX)
		return lb_fail(diag, LB_E_INVALID,
		               "Key Validation Error: %.*s cannot be larger than %d characters and "
		               "cannot contain commas",
		               LB_FMT(lb_bytes_upto(key, 100)), KEY_BYTES_MAX);
	return LB_OK;
}

static lb_err read_version(struct request *out, struct runner_execution *x)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, x->host->mem, RUNNER_FILE_COMMAND_BYTES_MAX);
	lb_value_write(&text, out->paths, false);
	lb_buf_add_text(&text, "tar.zst 1");
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_sha256_hex(out->version, lb_buf_bytes(&text));
	lb_buf_release(&text);
	return err;
}

static lb_err read_request(struct request *out, struct runner_execution *x,
                           const struct workflow_step_plan *plan, struct lb_diag *diag)
{
	struct lb_bytes key = lb_value_get_string(plan->with, "key");
	struct lb_value *restores =
		runner_input_lines(x, lb_value_get_string(plan->with, "restore-keys"));

	LB_TRY(check_key(key, diag));
	out->key = lb_arena_text(x->arena, key);
	out->paths = runner_input_lines(x, lb_value_get_string(plan->with, "path"));
	if (out->paths->count == 0)
		return lb_fail(diag, LB_E_INVALID, "input 'path' is required and was not given");
	if (restores->count + 1 > RESTORE_KEYS_MAX)
		return lb_fail(diag, LB_E_LIMIT,
		               "Key Validation Error: Keys are limited to a maximum of %d.",
		               RESTORE_KEYS_MAX);
	for (uint32_t i = 0; i < restores->count; i++) {
		LB_TRY(check_key(restores->items[i]->string, diag));
		out->restores[i] = lb_arena_text(x->arena, restores->items[i]->string);
	}
	if (x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	return read_version(out, x);
}

/* ---- restore ---- */

static lb_err unpack(struct runner_execution *x, struct runner_step_run *run,
                     const struct runner_found *found, struct lb_diag *diag)
{
	struct lb_value *request = lb_value_object(x->arena), *answer;
	const char *from = runner_exchange(x, "cache.tar.zst");
	lb_err err;

	if (from == NULL)
		return lb_err_of(LB_E_NOMEM);
	(void)pthread_mutex_lock(&x->link_lock);
	err = x->link->ops->cache_get(x->link, found, from, diag);
	(void)pthread_mutex_unlock(&x->link_lock);
	LB_TRY(err);
	lb_value_set_text(x->arena, request, "do", "restore");
	lb_value_set_text(x->arena, request, "from", from);
	lb_value_set_text(x->arena, request, "root", x->folders.workspace);
	lb_value_set_text(x->arena, request, "home", x->folders.home);
	lb_value_set_text(x->arena, request, "scratch",
	                  runner_path(x->arena, x->folders.parent, ".restore"));
	err = runner_helper(&answer, x, run, request, false, NULL, diag);
	lb_ignore(x->host->plat->ops->remove(x->host->plat, from));
	return err;
}

static lb_err restore(bool *exact, struct runner_execution *x, struct runner_step_run *run,
                      const struct workflow_step_plan *plan, const struct request *request,
                      struct lb_diag *diag)
{
	struct runner_found found = { 0 };
	bool must, only;
	lb_err err;

	*exact = false;
	LB_TRY(runner_input_flag(&must, plan, "fail-on-cache-miss", false, diag));
	LB_TRY(runner_input_flag(&only, plan, "lookup-only", false, diag));
	lb_value_set_text(x->arena, run->outputs, "cache-primary-key", request->key);
	(void)pthread_mutex_lock(&x->link_lock);
	err = x->link->ops->cache_find(&found, x->link, x->arena, request->key, request->restores,
	                               request->version, diag);
	(void)pthread_mutex_unlock(&x->link_lock);
	if (lb_code_of(err) == LB_E_NOTFOUND) {
		if (must)
			return lb_fail(diag, LB_E_NOTFOUND,
			               "Failed to restore cache entry. Exiting as "
			               "fail-on-cache-miss is set. Input key: %s",
			               request->key);
		runner_log_linef(x->log, "Cache not found for input keys: %s", request->key);
		return LB_OK;
	}
	if (!lb_failed(err) && !only)
		err = unpack(x, run, &found, diag);
	/* A cache that cannot be had is a miss, not a failure. */
	if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM && lb_code_of(err) != LB_E_CANCELLED) {
		runner_log_linef(x->log, "##[warning]Failed to restore: %s",
		                 lb_diag_text(diag, err));
		return LB_OK;
	}
	LB_TRY(err);
	*exact = lb_bytes_is(found.name, request->key);
	lb_value_set_text(x->arena, run->outputs, "cache-hit", *exact ? "true" : "false");
	lb_value_set_string(x->arena, run->outputs, "cache-matched-key", found.name);
	runner_log_linef(x->log, "Cache %s from key: %.*s", only ? "found" : "restored",
	                 LB_FMT(found.name));
	return LB_OK;
}

/* ---- save ---- */

static lb_err save(struct runner_execution *x, struct runner_step_run *run,
                   const struct request *request, struct lb_diag *diag)
{
	struct lb_value *ask = lb_value_object(x->arena), *answer;
	const char *to = runner_exchange(x, "cache.tar.zst");
	uint64_t size;
	lb_err err;

	lb_value_set_text(x->arena, ask, "do", "save");
	lb_value_set_text(x->arena, ask, "root", x->folders.workspace);
	lb_value_set_text(x->arena, ask, "home", x->folders.home);
	lb_value_set_text(x->arena, ask, "to", to);
	lb_value_put(x->arena, ask, "paths", request->paths);
	if (x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(runner_helper(&answer, x, run, ask, false, NULL, diag));
	if (!(lb_value_get_number(answer, "count") > 0)) {
		runner_log_line(x->log,
		                LB_B("##[warning]Path Validation Error: Path(s) specified in "
		                     "the action for caching do(es) not exist, hence no "
		                     "cache is being saved."));
		return LB_OK;
	}
	LB_TRY(runner_check_file(&size, x, to, diag));
	(void)pthread_mutex_lock(&x->link_lock);
	err = x->link->ops->cache_put(x->link, request->key, request->version, to, diag);
	(void)pthread_mutex_unlock(&x->link_lock);
	lb_ignore(x->host->plat->ops->remove(x->host->plat, to));
	if (lb_code_of(err) == LB_E_EXISTS) {
		runner_log_linef(x->log, "Cache with key %s exists already, not saved.",
		                 request->key);
		return LB_OK;
	}
	if (!lb_failed(err))
		runner_log_linef(x->log, "Cache saved with key: %s", request->key);
	return err;
}

/* ---- the three actions ---- */

/* A cache that cannot be kept does not decide about the job. */
static lb_err save_afterwards(struct runner_execution *x, struct runner_step_run *run, void *ctx,
                              struct lb_diag *diag)
{
	lb_err err;

	if (x->cancelled || x->frame.status != WORKFLOW_STATUS_SUCCESS) {
		runner_log_line(x->log, LB_B("The job did not succeed: the cache is not saved."));
		return LB_OK;
	}
	err = save(x, run, ctx, diag);
	if (!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM || lb_code_of(err) == LB_E_CANCELLED)
		return err;
	runner_log_linef(x->log, "##[warning]Failed to save: %s", lb_diag_text(diag, err));
	return LB_OK;
}

lb_err runner_cache_run(struct runner_execution *x, struct runner_step_run *run,
                        const struct workflow_step_plan *plan, struct lb_diag *diag)
{
	struct request *request = LB_ARENA_NEW(x->arena, struct request, 1);
	bool exact, only;

	if (request == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(read_request(request, x, plan, diag));
	LB_TRY(restore(&exact, x, run, plan, request, diag));
	LB_TRY(runner_input_flag(&only, plan, "lookup-only", false, diag));
	if (exact || only)
		return LB_OK;
	return runner_post_add(x, run, NULL, save_afterwards, request);
}

lb_err runner_cache_restore_run(struct runner_execution *x, struct runner_step_run *run,
                                const struct workflow_step_plan *plan, struct lb_diag *diag)
{
	struct request request = { 0 };
	bool exact;

	LB_TRY(read_request(&request, x, plan, diag));
	return restore(&exact, x, run, plan, &request, diag);
}

lb_err runner_cache_save_run(struct runner_execution *x, struct runner_step_run *run,
                             const struct workflow_step_plan *plan, struct lb_diag *diag)
{
	struct request request = { 0 };

	LB_TRY(read_request(&request, x, plan, diag));
	return save(x, run, &request, diag);
}
