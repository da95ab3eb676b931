/* archive_priv.h - what packing and unpacking agree on: names, links, messages.
 *
 * Packing refuses what unpacking would refuse, so that what was packed can be
 * unpacked.  libarchive converts names by the locale: lb_archive_enter makes
 * that UTF-8 for this thread, whatever the program's locale is.
 */
#ifndef LB_DATA_ARCHIVE_PRIV_H
#define LB_DATA_ARCHIVE_PRIV_H

#include "base/data/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

enum { LB_ARCHIVE_BLOCK_SIZE = 64 * 1024, LB_ARCHIVE_SHOWN_SIZE = 256 };

locale_t lb_archive_enter(void);
void lb_archive_leave(locale_t before);

/* A name as it may be shown to a person: control characters as '?', cut when long. */
const char *lb_archive_show(char out[LB_ARCHIVE_SHOWN_SIZE], struct lb_bytes name);

/* Relative, without "..", backslashes or control characters, in UTF-8: DENIED or MALFORMED. */
lb_err lb_archive_check_name(struct lb_bytes name, struct lb_diag *diag);

/* A symbolic link `name` that leads to `target` stays inside.  ".." is allowed in front alone:
 * behind a part that is a link itself it would mean another place than it says. */
lb_err lb_archive_check_link(struct lb_bytes name, struct lb_bytes target, struct lb_diag *diag);

/* libarchive's own failure: NOMEM, or `code` with its words behind what stands in `what`. */
lb_err lb_archive_failure(struct archive *archive, enum lb_code code, const char *what,
                          struct lb_diag *diag);

/* A name beside `path` that nothing else uses, in `arena`; NULL (sticky) when memory ran out. */
lb_err lb_archive_temporary(char **out, struct lb_arena *arena, struct plat *plat,
                            const char *folder, const char *name);

#endif
