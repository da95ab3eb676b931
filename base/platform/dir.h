/* dir.h - names below a folder that is open, and nowhere else.
 *
 * Layer: platform.  Every path is resolved beneath the folder `dir`: one that
 * is absolute, that leads out by "..", or that meets a symbolic link which does
 * either, is DENIED with EXDEV as context, whatever others rename meanwhile.
 * Links that stay beneath are followed; `follow` says whether one at the last
 * name is.  With PLAT_DIR_FREE added to `dir` none of that holds and paths lead
 * where the system takes them.  Other failures are lb_err_errno's codes with the errno as context.
 * Paths are terminated.  Threads: any.
 */
#ifndef PLAT_DIR_H
#define PLAT_DIR_H

#include "base/platform/handle_io.h"

enum { PLAT_DIR_FREE = 1 << 30 };

/* A folder to start from, by an ordinary path, without these rules.  UNSUPPORTED where the system
 * cannot hold to them. */
lb_err plat_dir_open_root(int *out, const char *path);

enum plat_dir_open {
	PLAT_DIR_WRITE = 1, /* alone: not to be read */
	PLAT_DIR_READ = 2,
	PLAT_DIR_CREATE = 4, /* a file, when it is not there; as the process's umask has it */
	PLAT_DIR_EXCLUSIVE = 8,
	PLAT_DIR_TRUNCATE = 16,
	PLAT_DIR_FOLDER = 32, /* a folder or nothing */
	PLAT_DIR_FOLLOW = 64
};

/* `how`: enum plat_dir_open; neither READ nor WRITE opens to be read.  `flags`: enum
 * plat_handle_flag. */
lb_err plat_dir_open(int *out, int dir, const char *path, unsigned how, unsigned flags);

lb_err plat_dir_stat(struct plat_stat *out, int dir, const char *path, bool follow);
lb_err plat_dir_set_times(int dir, const char *path, bool follow, struct plat_time accessed,
                          struct plat_time modified);
/* As many bytes of a link's target as fit, unterminated. */
lb_err plat_dir_read_link(size_t *len, int dir, const char *path, char *to, size_t size);

lb_err plat_dir_make_folder(int dir, const char *path);
lb_err plat_dir_remove_folder(int dir, const char *path);
lb_err plat_dir_unlink(int dir, const char *path); /* anything but a folder */
lb_err plat_dir_rename(int from_dir, const char *from, int to_dir, const char *to);
lb_err plat_dir_link(int from_dir, const char *from, int to_dir, const char *to);
lb_err plat_dir_make_link(const char *target, int dir, const char *path); /* symbolic */

struct plat_dir_entry {
	const char *name;
	uint64_t inode;
	uint64_t next; /* where the entry behind this one is read from */
	enum plat_node node;
};

/* Call `each` for the names in the folder, . and .. too, from where `next` of an entry said (0:
 * the first), until it fails: END is no failure. */
lb_err plat_dir_list(int dir, uint64_t from,
                     lb_err (*each)(void *ctx, const struct plat_dir_entry *entry), void *ctx);

#endif
