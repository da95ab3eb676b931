/* wasi.h - WASI preview 1 as a host module: "wasi_snapshot_preview1".
 *
 * What a program may touch is what it is given here: arguments, environment,
 * three streams, sockets, and folders of the host under names of their own.  Nothing
 * above or beside a granted folder can be reached (base/platform/dir.h), and
 * nothing in a read-only one be changed.  Whatever a program asks, it gets an
 * errno; only proc_exit ends the run (engine_trap_exit).
 *
 * A program that writes to a pipe nobody reads raises SIGPIPE in the embedder's
 * process, as writing there itself would; with that signal ignored it gets an errno.
 *
 * Owner: the caller of wasi_new, who frees it after the store it was linked to.
 * Threads: one at a time.  Out of memory: wasi_new and wasi_link fail; a program
 * gets its errno.
 */
#ifndef WASI_WASI_H
#define WASI_WASI_H

#include "base/platform/plat.h"
#include "engine/linker.h"

struct wasi;

struct wasi_grant {
	const char *host;  /* a folder of this machine */
	const char *guest; /* what the program knows it as */
	bool read_only;
};

struct wasi_options {
	const char *const *args; /* the program's name first */
	size_t arg_count;
	const char *const *env; /* "NAME=VALUE" */
	size_t env_count;
	const struct wasi_grant *grants;
	size_t grant_count;
	/* Sockets that are open, borrowed as the streams are; the program has them from 3 on, in
	 * front of the folders. */
	const int *sockets;
	size_t socket_count;
	/* More than the interface permits, for tools that are trusted with it: every file of this
	 * machine, as "/" and ".", and the network, by the functions of engine/wasi/net.def. */
	bool allow_host_fs, allow_net;
	/* Told of each call when it is over: its name, its signature (func.def), as many arguments
	 * as that has, and how it went ("success", "NOENT"; of proc_exit "the end"). */
	void (*trace)(void *ctx, const char *name, const char *signature,
	              const union engine_value *args, const char *answer);
	void *trace_ctx;
	/* What the program has as 0, 1 and 2, borrowed: it cannot close them.  -1: not there. NULL:
	 * this process's own three. */
	const int *streams;
};

/* Descriptors at once, granted folders and streams included. */
enum { WASI_FDS_MAX = 65536 };

/* Everything in `options` (NULL: nothing is given but the streams) is copied.  NOTFOUND, DENIED
 * where a folder cannot be opened and UNSUPPORTED where the system cannot keep a program in one,
 * with prose; NOMEM; LIMIT. */
lb_err wasi_new(struct wasi **out, struct lb_mem *mem, struct plat *plat,
                const struct wasi_options *options, struct lb_diag *diag);
void wasi_free(struct wasi *wasi); /* NULL is fine */

/* Name all functions of preview 1 (with allow_net, those of "lifeboat_net" too) in the linker,
 * whose store must be freed before `wasi`. */
lb_err wasi_link(struct wasi *wasi, struct engine_linker *linker);

#endif
