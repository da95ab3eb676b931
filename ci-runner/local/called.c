/* called.c - see called.h. */
#include "ci-runner/local/called.h"

#include "base/io/file.h"

void runner_called_release(struct runner_called *called)
{
	runner_actions_free(called->actions);
	called->actions = NULL;
}

static lb_err open_actions(struct runner_called *called, struct lb_diag *diag)
{
	if (called->actions != NULL)
		return LB_OK;
	LB_TRY(lb_file_make_folders(called->plat, called->scratch, diag));
	return runner_actions_new(&called->actions, called->mem, called->plat, &called->options,
	                          diag);
}

lb_err runner_called_read(struct lb_bytes *out, struct runner_called *called,
                          struct lb_arena *arena, const struct workflow_reference *what,
                          struct lb_diag *diag)
{
	char sha[LB_SHA_HEX + 1];
	const char *into, *file;
	struct lb_buf text;
	lb_err err;

	LB_TRY(open_actions(called, diag));
	into = (const char *)lb_arena_format(arena, "%s/%u", called->scratch, called->count++).at;
	file = (const char *)lb_arena_format(arena, "%s/%.*s", into != NULL ? into : "",
	                                     LB_FMT(what->path))
	               .at;
	if (into == NULL || file == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(runner_actions_export(sha, called->actions, what->repository, what->ref, into,
	                             diag));
	if (!lb_file_exists(called->plat, file)) {
		lb_ignore(lb_file_remove_tree(called->plat, into, NULL));
		return lb_fail(diag, LB_E_NOTFOUND, "%.*s has no %.*s at %.*s",
		               LB_FMT(what->repository), LB_FMT(what->path), LB_FMT(what->ref));
	}
	lb_buf_init(&text, called->mem, WORKFLOW_FILE_BYTES_MAX);
	err = lb_file_read(&text, called->plat, file, diag);
	*out = lb_arena_bytes(arena, lb_buf_bytes(&text));
	lb_buf_release(&text);
	lb_ignore(lb_file_remove_tree(called->plat, into, NULL));
	return arena->failed ? lb_err_of(LB_E_NOMEM) : err;
}
