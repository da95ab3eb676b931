/* helper.c - file work for built-in actions, done by this program inside the sandbox.
 *
 * A job's files may be links to anywhere.  Looked at from inside they lead nowhere that the job's
 * own steps could not go, so all walking, packing, unpacking and checking out is done there.
 */
#include "ci-runner/execute/execution_priv.h"

#include "base/data/json.h"
#include "base/io/file.h"

enum { ANSWER_BYTES_MAX = 16 * 1024 * 1024 };

static lb_err read_answer(struct lb_value **out, struct runner_execution *x, const char *path,
                          struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, x->host->mem, ANSWER_BYTES_MAX);
	err = runner_files_read(&text, x, path, diag);
	if (!lb_failed(err))
		err = lb_json_read(out, x->arena, lb_buf_bytes(&text), diag);
	lb_buf_release(&text);
	return err;
}

lb_err runner_helper(struct lb_value **answer, struct runner_execution *x,
                     struct runner_step_run *run, struct lb_value *request, bool network,
                     const char *readable, struct lb_diag *diag)
{
	const char *const argv[] = { RUNNER_HELPER_PATH, "inside", NULL };
	const char *const readables[] = { readable, NULL };
	const char *env[] = { "PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL, NULL };
	const char *path = runner_exchange(x, "answer");
	struct runner_command how = { .argv = argv,
		                      .env = env,
		                      .cwd = x->folders.workspace,
		                      .writable = runner_writable(x, true),
		                      .readable = readables,
		                      .helper = x->host->helper,
		                      .tmp = x->folders.tmp,
		                      .passwd = x->folders.passwd,
		                      .group = x->folders.group,
		                      .network =
		                              network ? RUNNER_NETWORK_FULL : RUNNER_NETWORK_NONE };
	struct lb_buf text;
	struct lb_diag about;
	lb_err err, told;

	env[2] = (const char *)lb_arena_format(x->arena, "HOME=%s", x->folders.home).at;
	lb_value_set_text(x->arena, request, "answer", path);
	if (x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_file_remove_tree(x->host->plat, path, diag));
	lb_buf_init(&text, x->host->mem, RUNNER_PART_BYTES);
	lb_value_write(&text, request, false);
	how.input = lb_buf_bytes(&text);
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = runner_execute_command(x, run, &how, diag);
	lb_buf_release(&text);
	if (lb_failed(err) && lb_code_of(err) != LB_E_FAILED)
		return err;
	told = read_answer(answer, x, path, &about);
	lb_ignore(x->host->plat->ops->remove(x->host->plat, path));
	if (lb_failed(told))
		return lb_failed(err) ? err : told;
	if (lb_failed(err))
		lb_diag_set(diag, "%.*s", LB_FMT(lb_value_get_string(*answer, "error")));
	return err;
}
