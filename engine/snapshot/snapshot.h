/* snapshot.h - a module that begins where an instance of it stands.
 *
 * Memories become data segments (runs of zeros left out), globals constants,
 * the start function goes; everything else, custom sections too, is copied as
 * it is.  What a module cannot be told to begin with is refused: memories and
 * mutable globals that are imported, tables that were written to or grew,
 * globals that came to hold a reference other than null or to one of the
 * module's functions.
 *
 * Layer: engine.  Threads: as engine/store.h.
 */
#ifndef ENGINE_SNAPSHOT_SNAPSHOT_H
#define ENGINE_SNAPSHOT_SNAPSHOT_H

#include "base/buf.h"
#include "engine/instance.h"

/* An export under another name: `from` must be there; one that is called `to` already goes. */
struct engine_snapshot_rename {
	struct lb_bytes from, to;
};

struct engine_snapshot_options {
	const struct lb_bytes *drop; /* exports to leave out, where they are there */
	size_t drop_count;
	const struct engine_snapshot_rename *renames;
	size_t rename_count;
};

/* Append the module to `out`.  `bytes` are those that `instance`'s module was made from.
 * UNSUPPORTED for what cannot be kept, NOTFOUND for a rename of nothing, both with prose; LIMIT
 * above the buffer's maximum; NOMEM.  `options` and `diag` may be NULL. */
lb_err engine_snapshot_write(struct lb_buf *out, struct lb_bytes bytes,
                             const struct engine_instance *instance,
                             const struct engine_snapshot_options *options, struct lb_diag *diag);

#endif
