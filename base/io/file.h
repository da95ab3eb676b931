/* file.h - files as wholes: read, replace atomically, walk, copy, remove, lock.
 *
 * Layer: base/io, above the platform's calls.  Paths are terminated UTF-8.
 * The diagnostic names the path.  Threads: any, on different paths.
 */
#ifndef LB_IO_FILE_H
#define LB_IO_FILE_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/platform/plat.h"

/* What a path may need; longer ones are LIMIT. */
enum { LB_PATH_SIZE = 3072 };

/* Append the file's content; LIMIT when it is more than the buffer's maximum allows.  On failure
 * nothing is added. */
lb_err lb_file_read(struct lb_buf *out, struct plat *plat, const char *path, struct lb_diag *diag);

/* All or nothing, also through a loss of power: temporary file beside it, written, synced,
 * renamed, folder synced.  `flags`: 0, PLAT_PRIVATE or PLAT_EXECUTABLE.  A link at `path` is
 * replaced.  A failure leaves the old content (or, when only the folder's sync failed, the new
 * one) whole and no temporary file. */
lb_err lb_file_write(struct plat *plat, const char *path, struct lb_bytes content, unsigned flags,
                     struct lb_diag *diag);

/* The folder and its parents; no error when they are there. */
lb_err lb_file_make_folders(struct plat *plat, const char *path, struct lb_diag *diag);

/* The file or folder with all that is in it, as plat_ops.remove_tree says; links are removed, never
 * followed; no error when it is not there. */
lb_err lb_file_remove_tree(struct plat *plat, const char *path, struct lb_diag *diag);

/* Content and permission bits, not synced.  `to` must not exist, and does not after a failure. */
lb_err lb_file_copy(struct plat *plat, const char *to, const char *from, struct lb_diag *diag);

enum { LB_WALK_DEPTH_MAX = 256, LB_WALK_NAMES_MAX = 1000000 };

/* Call `each` for everything below `root`, parents first, names in byte order; `path` is relative
 * to root. Links are reported, not followed (but for root itself).  The first failure of `each`
 * ends the walk, and its prose stands.  LIMIT for a tree that is deeper or larger than the above.
 */
lb_err lb_file_walk(struct lb_mem *mem, struct plat *plat, const char *root,
                    lb_err (*each)(void *ctx, const char *path, const struct plat_info *info),
                    void *ctx, struct lb_diag *diag);

bool lb_file_exists(struct plat *plat, const char *path);

/* An exclusive lock on a file (made when missing), held until lb_file_unlock or the process ends;
 * BUSY when held. */
lb_err lb_file_lock(int *lock, const char *path, struct lb_diag *diag);
void lb_file_unlock(int lock);

/* A path that stays below where it is put: relative, no empty, "." or ".." part, no backslash, no
 * NUL. */
bool lb_path_is_inside(struct lb_bytes path);

/* The part behind the last slash. */
struct lb_bytes lb_path_name(struct lb_bytes path);

/* $XDG_STATE_HOME/lifeboat, else ~/.local/state/lifeboat; NOTFOUND without a home. */
lb_err lb_path_state(char *out, size_t size, struct lb_diag *diag);

#endif
