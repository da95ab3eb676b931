/* extras.c - what a checkout can have beside its files: part of them, submodules, tags, LFS.
 *
 * By git itself, as actions/checkout does it, in the job's sandbox.  A header goes by the
 * environment, where no list of processes shows it.
 */
#include "ci-runner/inside/inside_priv.h"

#include "base/io/file.h"
#include "base/io/run.h"
#include "base/platform/process.h"

enum { OUTPUT_BYTES_MAX = 16 * 1024 * 1024, TIMEOUT_MS = 3600000, ENV_MAX = 16, WORDS_MAX = 40 };

static lb_err git(struct lb_buf *out, struct runner_inside *in, const char *folder,
                  const char *const *words, struct lb_diag *diag)
{
	const char *header = runner_inside_text(in, "header");
	const char *argv[WORDS_MAX + 4] = { "git", "-C", folder };
	const char *env[ENV_MAX] = { "PATH=/usr/local/bin:/usr/bin:/bin",
		                     "LANG=C.UTF-8",
		                     "GIT_TERMINAL_PROMPT=0",
		                     "GIT_CONFIG_COUNT=3",
		                     "GIT_CONFIG_KEY_0=protocol.file.allow",
		                     "GIT_CONFIG_VALUE_0=always",
		                     "GIT_CONFIG_KEY_1=safe.directory",
		                     "GIT_CONFIG_VALUE_1=*",
		                     "GIT_CONFIG_KEY_2=http.extraHeader" };
	const char *home = plat_getenv("HOME");
	struct lb_buf text;
	lb_err err;

	env[9] = (const char *)lb_arena_format(in->arena, "GIT_CONFIG_VALUE_2=%s",
	                                       header != NULL ? header : "")
	                 .at;
	env[10] = (const char *)lb_arena_format(in->arena, "HOME=%s", home != NULL ? home : "/").at;
	for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
		argv[3 + i] = words[i];
	if (in->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, in->mem, OUTPUT_BYTES_MAX);
	err = lb_run_ok(&(struct lb_run){ .argv = argv, .envp = env, .timeout_ms = TIMEOUT_MS },
	                out != NULL ? out : &text, diag);
	if (out == NULL && text.len > 0)
		(void)fprintf(in->out, "%s", lb_buf_text(&text));
	(void)fflush(in->out);
	lb_buf_release(&text);
	return err;
}

/* ---- part of the files ---- */

static lb_err sparse(struct runner_inside *in, const char *folder, struct lb_diag *diag)
{
	const char *words[WORDS_MAX + 1] = { "sparse-checkout", "set",
		                             lb_value_get_bool(in->request, "cone") ? "--cone"
		                                                                    : "--no-cone" };
	struct lb_bytes rest = lb_value_get_string(in->request, "sparse"), line;
	size_t count = 3;

	if (lb_bytes_trim(rest).len == 0)
		return LB_OK;
	while (lb_bytes_split(&line, &rest, '\n')) {
		line = lb_bytes_trim(line);
		if (line.len == 0)
			continue;
		if (count == WORDS_MAX)
			return lb_fail(diag, LB_E_LIMIT,
			               "sparse-checkout takes at most %d patterns here",
			               WORDS_MAX - 3);
		words[count++] = lb_arena_text(in->arena, line);
	}
	return in->arena->failed ? lb_err_of(LB_E_NOMEM) : git(NULL, in, folder, words, diag);
}

/* ---- submodules ---- */

enum { DEPTH_MAX = 10 };

static lb_err update(struct runner_inside *in, const char *folder, const char *modules,
                     unsigned depth, struct lb_diag *diag);

/* One that the user's checkout has is taken from there: it may be reachable from nowhere else. */
static lb_err use_local(struct runner_inside *in, const char *folder, struct lb_bytes name,
                        const char *modules, struct lb_diag *diag)
{
	const char *path =
		(const char *)lb_arena_format(in->arena, "%s/%.*s", modules, LB_FMT(name)).at;
	const char *key =
		(const char *)lb_arena_format(in->arena, "submodule.%.*s.url", LB_FMT(name)).at;
	const char *const words[] = { "config", "--local", key, path, NULL };

	if (key == NULL || path == NULL)
		return lb_err_of(LB_E_NOMEM);
	return lb_file_exists(in->plat, path) ? git(NULL, in, folder, words, diag) : LB_OK;
}

/* `line` is "submodule.NAME.path PATH"; `into` false: only where it comes from. */
static lb_err one_module(struct runner_inside *in, const char *folder, const char *modules,
                         struct lb_bytes line, bool into, unsigned depth, struct lb_diag *diag)
{
	size_t blank = lb_bytes_find(line, LB_B(".path "));
	struct lb_bytes name = lb_bytes_from(lb_bytes_upto(line, blank), 10);
	const char *path, *inner = NULL;

	if (blank == SIZE_MAX || name.at == NULL || name.len == 0)
		return LB_OK;
	if (!into)
		return modules != NULL ? use_local(in, folder, name, modules, diag) : LB_OK;
	path = (const char *)lb_arena_format(in->arena, "%s/%.*s", folder,
	                                     LB_FMT(lb_bytes_from(line, blank + 6)))
	               .at;
	if (modules != NULL)
		inner = (const char *)lb_arena_format(in->arena, "%s/%.*s/modules", modules,
		                                      LB_FMT(name))
		                .at;
	return path != NULL ? update(in, path, inner, depth + 1, diag) : lb_err_of(LB_E_NOMEM);
}

static lb_err each_module(struct runner_inside *in, const char *folder, const char *modules,
                          bool into, unsigned depth, struct lb_diag *diag)
{
	static const char *const words[] = {
		"config", "-f", ".gitmodules", "--get-regexp", "^submodule\\..*\\.path$", NULL
	};
	struct lb_buf list;
	struct lb_bytes rest, line;
	lb_err err;

	lb_buf_init(&list, in->mem, OUTPUT_BYTES_MAX);
	lb_ignore(git(&list, in, folder, words, NULL)); /* none is a status of 1 */
	rest = lb_buf_bytes(&list);
	err = LB_OK;
	while (!lb_failed(err) && rest.len > 0 && lb_bytes_split(&line, &rest, '\n'))
		err = one_module(in, folder, modules, line, into, depth, diag);
	lb_buf_release(&list);
	return err;
}

static lb_err update(struct runner_inside *in, const char *folder, const char *modules,
                     unsigned depth, struct lb_diag *diag)
{
	static const char *const init[] = { "submodule", "init", NULL };
	static const char *const get[] = { "submodule", "update", "--init", "--force", NULL };

	LB_TRY(git(NULL, in, folder, init, diag));
	LB_TRY(each_module(in, folder, modules, false, depth, diag));
	LB_TRY(git(NULL, in, folder, get, diag));
	if (depth >= DEPTH_MAX ||
	    !lb_bytes_eq_nocase(lb_value_get_string(in->request, "submodules"), LB_B("recursive")))
		return LB_OK;
	return each_module(in, folder, modules, true, depth, diag);
}

static lb_err submodules(struct runner_inside *in, const char *folder, struct lb_diag *diag)
{
	struct lb_bytes how = lb_value_get_string(in->request, "submodules");

	if (!lb_bytes_eq_nocase(how, LB_B("recursive")) && !lb_bytes_eq_nocase(how, LB_B("true")))
		return LB_OK;
	return update(in, folder, runner_inside_text(in, "modules"), 0, diag);
}

/* ---- LFS ---- */

/* Files that are pointers still look like files to a build, which then fails oddly. */
static lb_err warn_of_pointers(struct runner_inside *in, const char *folder)
{
	static const char *const words[] = {
		"grep", "-l", "-I", "-z", "-e", "^version https://git-lfs.github.com/spec/v1$", NULL
	};
	const char *attributes =
		(const char *)lb_arena_format(in->arena, "%s/.gitattributes", folder).at;
	struct lb_buf names;
	struct lb_bytes rest, name, first = { 0 };
	size_t count = 0;

	if (attributes == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!lb_file_exists(in->plat, attributes))
		return LB_OK;
	lb_buf_init(&names, in->mem, OUTPUT_BYTES_MAX);
	lb_ignore(git(&names, in, folder, words, NULL)); /* none is a status of 1 */
	rest = lb_buf_bytes(&names);
	while (rest.len > 0 && lb_bytes_split(&name, &rest, '\0')) {
		if (name.len == 0)
			continue;
		first = count == 0 ? name : first;
		count++;
	}
	if (count > 0)
		(void)fprintf(
			in->out,
			"::warning::%zu file(s) are Git LFS pointers, not what they stand for "
			"(%.*s%s): set 'lfs: true'\n",
			count, LB_FMT(first), count > 1 ? ", ..." : "");
	lb_buf_release(&names);
	return LB_OK;
}

static lb_err lfs(struct runner_inside *in, const char *folder, struct lb_diag *diag)
{
	static const char *const version[] = { "lfs", "version", NULL };
	static const char *const pull[] = { "lfs", "pull", NULL };
	static const char *const install[] = { "lfs", "install", "--local", NULL };

	if (!lb_value_get_bool(in->request, "lfs"))
		return warn_of_pointers(in, folder);
	if (lb_failed(git(NULL, in, folder, version, NULL)))
		return lb_fail(diag, LB_E_UNSUPPORTED, "'lfs: true' needs git-lfs on this machine");
	LB_TRY(git(NULL, in, folder, install, diag));
	return git(NULL, in, folder, pull, diag);
}

static lb_err tags(struct runner_inside *in, const char *folder, struct lb_diag *diag)
{
	const char *url = runner_inside_text(in, "url");
	const char *const words[] = { "fetch", "--quiet", url, "+refs/tags/*:refs/tags/*", NULL };

	if (!lb_value_get_bool(in->request, "tags") || url == NULL)
		return LB_OK;
	return git(NULL, in, folder, words, diag);
}

lb_err runner_inside_extras(struct runner_inside *in, const char *folder, struct lb_diag *diag)
{
	LB_TRY(tags(in, folder, diag));
	LB_TRY(sparse(in, folder, diag));
	LB_TRY(submodules(in, folder, diag));
	return lfs(in, folder, diag);
}
