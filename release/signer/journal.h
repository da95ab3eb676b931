/* journal.h - an append-only file of lines, each on the disk before it counts.
 *
 * A line that a crash left without its end is cut off when the file is opened: it was
 * never acknowledged.  Threads: one at a time.
 */
#ifndef RELEASE_SIGNER_JOURNAL_H
#define RELEASE_SIGNER_JOURNAL_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/platform/plat.h"

enum { RELEASE_LINE_MAX = 1 << 20 };

struct release_journal {
	struct lb_mem *mem;
	struct plat *plat;
	int file;
	uint64_t size; /* bytes of whole lines */
};

/* Open or make it (mode 0600), calling `each` with every line (without its end) and its number
 * from 1.  The first failure of `each` is the result. */
lb_err release_journal_open(struct release_journal *out, struct lb_mem *mem, struct plat *plat,
                            const char *path,
                            lb_err (*each)(void *ctx, struct lb_bytes line, uint64_t number),
                            void *ctx, struct lb_diag *diag);
void release_journal_close(struct release_journal *journal); /* all-zero is not open */

/* Append `line` and its end, and wait until it is on the disk.  After a failure the file has
 * what it had before.  pre: no line end in it. */
lb_err release_journal_add(struct release_journal *journal, struct lb_bytes line);

#endif
