/* tree.h - the folders of a release site, and how a release gets in: all at once.
 *
 *   ROOT/index.html                           projects
 *   ROOT/PROJECT/index.html                   channels
 *   ROOT/PROJECT/CHANNEL/index.html           versions
 *   ROOT/PROJECT/CHANNEL/VERSION/             a release: files, signatures, SHA256SUMS,
 *                                             provenance.json, release.json, index.html
 *   ROOT/.staging/                            what is being prepared; for the signer's eyes only
 *
 *  1. A release's folder appears by one rename of a folder that is complete and on the disk.
 *  2. A release's folder is never changed or replaced afterwards.
 *  3. Index pages are made from the folders alone, so they can be made again at any time.
 *
 * Any web server can serve the tree, if it hides names that begin with a dot.
 * Threads: one at a time may publish or index; reading is free.
 */
#ifndef RELEASE_SITE_TREE_H
#define RELEASE_SITE_TREE_H

#include "base/platform/plat.h"
#include "release/manifest.h"

struct release_tree {
	struct lb_mem *mem;
	struct plat *plat;
	const char *root;
	struct lb_bytes url; /* where it is served, without a slash at its end; empty: not known */
};

/* Make what is missing, remove what was staged by a process that is gone, write the style sheet
 * and all index pages. */
lb_err release_tree_open(const struct release_tree *tree, struct lb_diag *diag);

/* ROOT/.staging/NAME, terminated, in the arena. */
const char *release_tree_stage(const struct release_tree *tree, struct lb_arena *arena,
                               struct lb_bytes name);

/* "URL/PROJECT/CHANNEL/VERSION", without a slash at its end. */
struct lb_bytes release_tree_url(const struct release_tree *tree, struct lb_arena *arena,
                                 const struct release_manifest *manifest);

/* The release.json of a published release of that project, channel and version; NOTFOUND. */
lb_err release_tree_find(struct lb_value **out, const struct release_tree *tree,
                         struct lb_arena *arena, const struct release_manifest *manifest,
                         struct lb_diag *diag);

/* Make the index pages of a project, and of the root, anew. */
lb_err release_tree_index(const struct release_tree *tree, struct lb_bytes project,
                          struct lb_diag *diag);

/* Move a complete, synced stage to its place, and make the index pages above it.  EXISTS when
 * the place is taken.  After any other failure the release is there wholly or not at all;
 * *published says which. */
lb_err release_tree_publish(bool *published, const struct release_tree *tree, const char *stage,
                            const struct release_manifest *manifest, struct lb_diag *diag);

#endif
