/* folders.h - the folders of a job, laid out as on GitHub's machines.
 *
 *   WORK/OWNER/REPO          RUNNER_WORKSPACE
 *   WORK/OWNER/REPO/REPO     GITHUB_WORKSPACE
 *   WORK/_temp _tool _home   RUNNER_TEMP, RUNNER_TOOL_CACHE, HOME
 *   WORK/_tmp                shown as /tmp
 *   WORK/_commands           the files behind GITHUB_OUTPUT and its like
 *   WORK/_actions            OWNER/REPO/REF: actions of other repositories
 *   WORK/_exchange           between the runner and its helper; steps do not see it
 *
 * All are made fresh for a job and removed after it: nothing that a job wrote is read by another.
 * Owner: the arena.  Threads: one at a time for one WORK.
 */
#ifndef RUNNER_EXECUTE_FOLDERS_H
#define RUNNER_EXECUTE_FOLDERS_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/platform/plat.h"

struct runner_folders {
	const char *work, *owner, *parent, *workspace, *temp, *tools, *home, *tmp, *commands,
		*exchange, *actions;
	const char *passwd, *group; /* with a line for the sandbox's user */
};

/* Names only.  `repository` is "owner/name"; INVALID where it is not. */
lb_err runner_folders_name(struct runner_folders *out, struct lb_arena *arena, const char *work,
                           struct lb_bytes repository, struct lb_diag *diag);

/* WORK itself with its passwd and group files: once when a runner starts.  What a killed runner
 * left is removed; INVALID names what stands in a WORK that no runner used before. */
lb_err runner_folders_prepare(struct lb_mem *mem, struct plat *plat, const char *work,
                              struct lb_diag *diag);

/* Remove what an earlier job left and make them anew. */
lb_err runner_folders_make(struct plat *plat, const struct runner_folders *folders,
                           struct lb_diag *diag);
/* Show what a tool cache has (TOOL/VERSION/ARCH and ARCH.complete) in the job's own, as links. */
lb_err runner_folders_seed(struct lb_arena *arena, struct plat *plat,
                           const struct runner_folders *folders, const char *tools,
                           struct lb_diag *diag);
lb_err runner_folders_remove(struct plat *plat, const struct runner_folders *folders,
                             struct lb_diag *diag);

/* "FOLDER/NAME" in the arena; NULL when memory ran out. */
char *runner_path(struct lb_arena *arena, const char *folder, const char *name);

#endif
