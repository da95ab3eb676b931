/* uploads.h - releases that were granted and are being uploaded.
 *
 * An upload has a folder below the tree's staging, which becomes the release's folder. Its name
 * is 256 bits of chance and is all that a job needs to fill it: it was given to a job
 * whose token was accepted, and to nobody else.  Uploads live in memory; after a restart
 * the staging is empty and jobs begin anew.
 *
 *  1. A file is in the folder under its name only if its bytes were the manifest's.
 *  2. While an upload is being published, nothing is put into its folder.
 *
 * Threads: any.
 */
#ifndef RELEASE_SIGNER_UPLOADS_H
#define RELEASE_SIGNER_UPLOADS_H

#include "release/site/provenance.h"
#include "release/site/tree.h"

enum { RELEASE_UPLOAD_ID = 65, RELEASE_UPLOADS_MAX = 64, RELEASE_UPLOAD_S = 3600 };

struct release_upload {
	struct lb_arena arena;
	char id[RELEASE_UPLOAD_ID];
	const char *stage;
	struct release_manifest manifest;
	struct release_origin origin; /* claims are copied into the arena */
	bool *received;               /* for each file */
	uint64_t expires_ns;          /* by the monotonic clock */
	uint64_t parts;               /* names for files on their way */
	unsigned users;               /* exchanges that hold it */
	bool publishing;
	struct release_upload *next;
};

struct release_uploads;

lb_err release_uploads_new(struct release_uploads **out, struct lb_mem *mem, struct plat *plat,
                           const struct release_tree *tree);
void release_uploads_free(struct release_uploads *uploads);

/* A new upload with an empty folder.  BUSY when there are too many. */
lb_err release_uploads_begin(char id[RELEASE_UPLOAD_ID], struct release_uploads *uploads,
                             const struct release_manifest *manifest,
                             const struct release_origin *origin, struct lb_diag *diag);

/* A file on its way in: hashed while it is received. */
struct release_receipt;

lb_err release_receive_begin(struct release_receipt **out, struct release_uploads *uploads,
                             struct lb_bytes id, struct lb_bytes name, struct lb_diag *diag);
/* MISMATCH as soon as there are more bytes than the manifest says. */
lb_err release_receive_part(struct release_receipt *receipt, struct lb_bytes part,
                            struct lb_diag *diag);
/* MISMATCH when size or digest is not the manifest's. */
lb_err release_receive_end(struct release_receipt *receipt, struct lb_diag *diag);
void release_receive_free(struct release_receipt *receipt); /* what is not ended is removed */

/* Take an upload out for publishing: INVALID when files are missing, STALE when it is being
 * published already. */
lb_err release_uploads_take(struct release_upload **out, struct release_uploads *uploads,
                            struct lb_bytes id, struct lb_diag *diag);

/* End an upload that was taken, and remove what is left of its folder. */
void release_uploads_end(struct release_uploads *uploads, struct release_upload *upload);

#endif
