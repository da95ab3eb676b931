/* store.h - the content-addressed store: blobs named by their SHA-256.
 *
 * Layer: artifact-cache.  A blob is written to a temporary file while it is
 * hashed, synced, then linked under its name (first two digits a folder), and
 * the folder synced: an acknowledged blob survives a loss of power, a partial
 * one is never visible.  Reading verifies: the store never hands out
 * bytes that do not hash to the name they were asked by.
 *
 * Layout: FOLDER/version, FOLDER/lock, FOLDER/blobs/ab/abcd…, FOLDER/temporary/,
 * FOLDER/quarantine/ (what did not verify, kept for a look).
 * Threads: all functions on one store from any thread; a writer by one at a time.
 */
#ifndef ARTIFACT_CACHE_STORE_H
#define ARTIFACT_CACHE_STORE_H

#include "base/data/digest.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/platform/plat.h"

struct cache_store;
struct cache_writer;

/* Open or make the store in `folder` and sweep what unfinished writers of dead processes left.
 * NEWER when a newer version made it; BUSY when another process holds it. */
lb_err cache_store_open(struct cache_store **out, struct lb_mem *mem, struct plat *plat,
                        const char *folder, struct lb_diag *diag);
void cache_store_close(struct cache_store *store);

/* Writing: begin, add any number of times, then end (durable when it returns LB_OK) or abandon.
 * `end` frees the writer whatever it returns; `sha256` gets the name. NOSPACE leaves nothing
 * behind. */
lb_err cache_writer_new(struct cache_writer **out, struct cache_store *store, uint64_t bytes_max);
lb_err cache_writer_add(struct cache_writer *writer, struct lb_bytes part);
lb_err cache_writer_end(char sha256[LB_SHA256_HEX + 1], uint64_t *size,
                        struct cache_writer *writer);
void cache_writer_abandon(struct cache_writer *writer); /* NULL is fine */

/* The path of a blob whose content was just verified against its name, for sendfile; NOTFOUND.
 * A blob that does not verify is moved to quarantine and answered MISMATCH.  Verified once per file
 * state (its size and time remembered), so a hot blob costs no second hash. */
lb_err cache_store_find(char *path, size_t size, uint64_t *bytes, struct cache_store *store,
                        const char *sha256);

/* Check every blob; `each` is told of each one that does not verify (which is quarantined). */
lb_err cache_store_verify(uint64_t *checked, uint64_t *bad, struct cache_store *store,
                          void (*each)(void *ctx, const char *sha256), void *ctx);

/* Every blob, in order of name. */
lb_err cache_store_list(struct cache_store *store,
                        lb_err (*each)(void *ctx, const char *sha256, uint64_t bytes), void *ctx);

/* Remove blobs that `keep` does not want and that are older than min_age_s. */
lb_err cache_store_collect(uint64_t *removed, uint64_t *bytes, struct cache_store *store,
                           bool (*keep)(void *ctx, const char *sha256), void *ctx,
                           uint64_t min_age_s);

#endif
