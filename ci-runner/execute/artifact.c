/* artifact.c - actions/upload-artifact and actions/download-artifact. */
#include "ci-runner/execute/builtin_priv.h"

#include "base/data/digest.h"
#include "ci-runner/text/pairs.h"

#include <fnmatch.h>

/* ---- what built-in actions share ---- */

lb_err runner_inside_workspace(const char **out, struct runner_execution *x, struct lb_bytes path,
                               struct lb_diag *diag)
{
	struct lb_bytes rest = path, part;
	const char *under = x->folders.workspace;

	while (lb_bytes_split(&part, &rest, '/')) {
		if (lb_bytes_is(part, ".."))
			return lb_fail(diag, LB_E_INVALID,
			               "path '%.*s' leads upwards, expected one without '..'",
			               LB_FMT(path));
	}
	if (lb_bytes_is(path, "~") || lb_bytes_starts(path, LB_B("~/"))) {
		under = x->folders.home;
		path = lb_bytes_from(path, 2);
	}
	if (path.len == 0 || lb_bytes_is(path, "."))
		*out = under;
	else if (path.at[0] == '/')
		*out = lb_arena_text(x->arena, path);
	else
		*out = (const char *)lb_arena_format(x->arena, "%s/%.*s", under, LB_FMT(path)).at;
	return *out != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

lb_err runner_input_flag(bool *out, const struct workflow_step_plan *plan, const char *name,
                         bool otherwise, struct lb_diag *diag)
{
	struct lb_bytes text = lb_bytes_trim(lb_value_get_string(plan->with, name));

	*out = otherwise;
	if (text.len == 0)
		return LB_OK;
	*out = lb_bytes_eq_nocase(text, LB_B("true"));
	if (!*out && !lb_bytes_eq_nocase(text, LB_B("false")))
		return lb_fail(diag, LB_E_INVALID, "input '%s' is '%.*s', expected true or false",
		               name, LB_FMT(text));
	return LB_OK;
}

struct lb_value *runner_input_lines(struct runner_execution *x, struct lb_bytes text)
{
	struct lb_value *list = lb_value_array(x->arena);
	struct lb_bytes line;

	while (runner_next_line(&line, &text)) {
		line = lb_bytes_trim(line);
		if (line.len > 0)
			lb_value_add(x->arena, list, lb_value_string(x->arena, line));
	}
	return list;
}

lb_err runner_check_file(uint64_t *size, struct runner_execution *x, const char *path,
                         struct lb_diag *diag)
{
	struct plat_info info;
	lb_err err = x->host->plat->ops->info(&info, x->host->plat, path);

	if (lb_failed(err) || info.type != PLAT_FILE)
		return lb_fail(diag, LB_E_IO, "%s was not made", path);
	*size = info.size;
	return LB_OK;
}

/* ---- upload ---- */

static lb_err check_name(struct lb_bytes name, struct lb_diag *diag)
{
	static const char refused[] = "\":<>|*?\r\n\\/";

	for (size_t i = 0; i < name.len; i++) {
		if (memchr(refused, name.at[i], sizeof refused) != NULL)
			return lb_fail(diag, LB_E_INVALID,
			               "the artifact name is not valid: %.*s. Contains one of the "
			               "characters \" : < > | * ? \\ / or a line end",
			               LB_FMT(lb_bytes_upto(name, 200)));
	}
	return LB_OK;
}

/* Nothing matched: what now is said by if-no-files-found. */
static lb_err no_files(struct runner_execution *x, const struct workflow_step_plan *plan,
                       struct lb_diag *diag)
{
	struct lb_bytes how = lb_value_get_string(plan->with, "if-no-files-found");
	struct lb_bytes path = lb_bytes_trim(lb_value_get_string(plan->with, "path"));

	if (lb_bytes_is(how, "error"))
		return lb_fail(diag, LB_E_NOTFOUND,
		               "No files were found with the provided path: %.*s. No artifacts "
		               "will be uploaded.",
		               LB_FMT(path));
	if (how.len == 0 || lb_bytes_is(how, "warn")) {
		struct lb_bytes text = lb_arena_format(
			x->arena,
			"No files were found with the provided path: %.*s. No artifacts will be "
			"uploaded.",
			LB_FMT(path));

		runner_log_line(x->log, lb_arena_format(x->arena, "##[warning]%.*s", LB_FMT(text)));
		runner_annotate(x, "warning", text, NULL);
		return LB_OK;
	}
	if (lb_bytes_is(how, "ignore"))
		return LB_OK;
	return lb_fail(diag, LB_E_INVALID,
	               "input 'if-no-files-found' is '%.*s', expected warn, error or ignore",
	               LB_FMT(how));
}

static lb_err ship(struct runner_execution *x, struct runner_step_run *run, const char *name,
                   const char *path, bool overwrite, struct lb_diag *diag)
{
	struct runner_found found = { 0 };
	char digest[LB_SHA256_HEX + 1];
	uint64_t size;
	lb_err err;

	LB_TRY(runner_check_file(&size, x, path, diag));
	LB_TRY(lb_sha256_file(digest, &size, x->host->plat, path));
	(void)pthread_mutex_lock(&x->link_lock);
	err = x->link->ops->artifact_put(&found, x->link, x->arena, name, path, overwrite, diag);
	(void)pthread_mutex_unlock(&x->link_lock);
	if (lb_code_of(err) == LB_E_EXISTS)
		return lb_fail(diag, LB_E_EXISTS,
		               "Failed to upload: an artifact with the name '%s' already exists in "
		               "this run; set overwrite: true to replace it",
		               name);
	LB_TRY(err);
	lb_value_set_string(x->arena, run->outputs, "artifact-id", found.id);
	lb_value_set_text(x->arena, run->outputs, "artifact-digest", digest);
	runner_log_linef(x->log,
	                 "Artifact %s has been successfully uploaded! Size: %llu bytes, "
	                 "sha256: %s",
	                 name, (unsigned long long)size, digest);
	return LB_OK;
}

lb_err runner_upload_run(struct runner_execution *x, struct runner_step_run *run,
                         const struct workflow_step_plan *plan, struct lb_diag *diag)
{
	struct lb_value *request = lb_value_object(x->arena), *answer;
	struct lb_bytes name = lb_value_get_string(plan->with, "name");
	const char *to = runner_exchange(x, "artifact.zip"), *text;
	bool overwrite, hidden;
	lb_err err;

	if (lb_bytes_trim(lb_value_get_string(plan->with, "path")).len == 0)
		return lb_fail(diag, LB_E_INVALID, "input 'path' is required and was not given");
	text = name.len > 0 ? lb_arena_text(x->arena, name) : "artifact";
	LB_TRY(check_name(name, diag));
	LB_TRY(runner_input_flag(&overwrite, plan, "overwrite", false, diag));
	LB_TRY(runner_input_flag(&hidden, plan, "include-hidden-files", false, diag));
	lb_value_set_text(x->arena, request, "do", "pack");
	lb_value_set_text(x->arena, request, "root", x->folders.workspace);
	lb_value_set_text(x->arena, request, "home", x->folders.home);
	lb_value_set_text(x->arena, request, "to", to);
	lb_value_set_bool(x->arena, request, "hidden", hidden);
	lb_value_put(x->arena, request, "paths",
	             runner_input_lines(x, lb_value_get_string(plan->with, "path")));
	if (x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(runner_helper(&answer, x, run, request, false, NULL, diag));
	if (!(lb_value_get_number(answer, "count") > 0))
		return no_files(x, plan, diag);
	err = ship(x, run, text, to, overwrite, diag);
	lb_ignore(x->host->plat->ops->remove(x->host->plat, to));
	return err;
}

/* ---- download ---- */

/* What is wanted, and of which run. */
struct wanted {
	struct lb_bytes run;  /* empty: the job's own */
	struct lb_bytes name; /* empty: by the others */
	const char *pattern;  /* NULL: any */
	struct lb_bytes ids;  /* "1,2"; empty: any */
	const char *into;
	bool merge;
};

/* By the number where the run is another one, else by the name. */
static lb_err get_file(struct runner_execution *x, const struct runner_found *artifact, bool other,
                       const char *from, struct lb_diag *diag)
{
	const char *name = lb_arena_text(x->arena, artifact->name);
	const char *what =
		(const char *)lb_arena_format(x->arena, "artifacts/%.*s", LB_FMT(artifact->id)).at;
	lb_err err;

	if (name == NULL || what == NULL)
		return lb_err_of(LB_E_NOMEM);
	(void)pthread_mutex_lock(&x->link_lock);
	err = other ? x->link->ops->fetch(x->link, what, from, diag)
	            : x->link->ops->artifact_get(x->link, name, from, diag);
	(void)pthread_mutex_unlock(&x->link_lock);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return lb_fail(diag, LB_E_NOTFOUND,
		               "Unable to download artifact(s): Artifact not found for name: %s",
		               name);
	return err;
}

static lb_err fetch_one(struct runner_execution *x, struct runner_step_run *run,
                        const struct runner_found *artifact, bool other, const char *into,
                        struct lb_diag *diag)
{
	struct lb_value *request = lb_value_object(x->arena), *answer;
	const char *from = runner_exchange(x, "download.zip");
	lb_err err;

	if (from == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(get_file(x, artifact, other, from, diag));
	lb_value_set_text(x->arena, request, "do", "unpack");
	lb_value_set_text(x->arena, request, "from", from);
	lb_value_set_text(x->arena, request, "into", into);
	err = runner_helper(&answer, x, run, request, false, NULL, diag);
	lb_ignore(x->host->plat->ops->remove(x->host->plat, from));
	if (!lb_failed(err))
		runner_log_linef(x->log, "Artifact %.*s downloaded to %s", LB_FMT(artifact->name),
		                 into);
	else
		lb_diag_prefix(diag, "artifact %.*s", LB_FMT(artifact->name));
	return err;
}

static lb_err list_of_run(struct runner_found **out, size_t *count, struct runner_execution *x,
                          struct lb_bytes run, struct lb_diag *diag)
{
	const char *what =
		(const char *)lb_arena_format(x->arena, "runs/%.*s/artifacts", LB_FMT(run)).at;
	const struct lb_value *list;
	struct lb_value *answer;
	lb_err err;

	if (what == NULL)
		return lb_err_of(LB_E_NOMEM);
	(void)pthread_mutex_lock(&x->link_lock);
	err = x->link->ops->ask(&answer, x->link, x->arena, what, diag);
	(void)pthread_mutex_unlock(&x->link_lock);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return lb_fail(diag, LB_E_NOTFOUND, "there is no run %.*s", LB_FMT(run));
	LB_TRY(err);
	list = lb_value_get(answer, "artifacts");
	*count = list != NULL && list->kind == LB_ARRAY ? list->count : 0;
	*out = LB_ARENA_NEW(x->arena, struct runner_found, *count + 1);
	for (size_t i = 0; *out != NULL && i < *count; i++)
		(*out)[i] = (struct runner_found){
			.id = lb_arena_format(x->arena, "%.0f",
			                      lb_value_get_number(list->items[i], "id")),
			.name = lb_value_get_string(list->items[i], "name")
		};
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err list_all(struct runner_found **out, size_t *count, struct runner_execution *x,
                       const struct wanted *wanted, struct lb_diag *diag)
{
	lb_err err;

	if (wanted->run.len > 0)
		return list_of_run(out, count, x, wanted->run, diag);
	(void)pthread_mutex_lock(&x->link_lock);
	err = x->link->ops->artifact_list(out, count, x->link, x->arena, diag);
	(void)pthread_mutex_unlock(&x->link_lock);
	return err;
}

static bool has_id(struct lb_bytes ids, struct lb_bytes id)
{
	struct lb_bytes one;

	while (lb_bytes_split(&one, &ids, ','))
		if (lb_bytes_eq(lb_bytes_trim(one), id))
			return true;
	return false;
}

static lb_err is_wanted(bool *out, struct runner_execution *x, const struct wanted *wanted,
                        const struct runner_found *artifact)
{
	const char *name = lb_arena_text(x->arena, artifact->name);

	if (name == NULL)
		return lb_err_of(LB_E_NOMEM);
	*out = wanted->name.len > 0 ? lb_bytes_eq(wanted->name, artifact->name)
	       : wanted->ids.len > 0
	               ? has_id(wanted->ids, artifact->id)
	               : wanted->pattern == NULL || fnmatch(wanted->pattern, name, 0) == 0;
	return LB_OK;
}

static lb_err fetch_matching(struct runner_execution *x, struct runner_step_run *run,
                             const struct wanted *wanted, struct lb_diag *diag)
{
	struct runner_found *all;
	size_t count, fetched = 0;

	LB_TRY(list_all(&all, &count, x, wanted, diag));
	for (size_t i = 0; i < count; i++) {
		const char *to = wanted->into;
		bool good;

		LB_TRY(is_wanted(&good, x, wanted, &all[i]));
		if (!good)
			continue;
		if (!wanted->merge && wanted->name.len == 0)
			to = runner_path(x->arena, to, lb_arena_text(x->arena, all[i].name));
		LB_TRY(to != NULL ? fetch_one(x, run, &all[i], wanted->run.len > 0, to, diag)
		                  : lb_err_of(LB_E_NOMEM));
		fetched++;
	}
	if (fetched == 0 && wanted->name.len > 0)
		return lb_fail(diag, LB_E_NOTFOUND,
		               "Unable to download artifact(s): Artifact not found for name: %.*s",
		               LB_FMT(wanted->name));
	runner_log_linef(x->log, "Total of %zu artifact(s) downloaded", fetched);
	return LB_OK;
}

lb_err runner_download_run(struct runner_execution *x, struct runner_step_run *run,
                           const struct workflow_step_plan *plan, struct lb_diag *diag)
{
	struct lb_bytes pattern = lb_value_get_string(plan->with, "pattern");
	struct lb_bytes other = lb_value_get_string(plan->with, "repository");
	struct wanted wanted = { .name = lb_value_get_string(plan->with, "name"),
		                 .ids = lb_value_get_string(plan->with, "artifact-ids"),
		                 .run = lb_value_get_string(plan->with, "run-id") };

	if (other.len > 0 && !lb_bytes_eq_nocase(other, x->job->repository.name))
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "actions/download-artifact: the artifacts of '%.*s' are not here",
		               LB_FMT(other));
	LB_TRY(runner_inside_workspace(&wanted.into, x, lb_value_get_string(plan->with, "path"),
	                               diag));
	LB_TRY(runner_input_flag(&wanted.merge, plan, "merge-multiple", false, diag));
	LB_TRY(check_name(wanted.name, diag));
	if (pattern.len > 0)
		wanted.pattern = lb_arena_text(x->arena, pattern);
	if (x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	lb_value_set_text(x->arena, run->outputs, "download-path", wanted.into);
	if (wanted.name.len > 0 && wanted.run.len == 0)
		return fetch_one(x, run, &(struct runner_found){ .name = wanted.name }, false,
		                 wanted.into, diag);
	return fetch_matching(x, run, &wanted, diag);
}
