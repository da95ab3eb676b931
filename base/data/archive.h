/* archive.h - packing folders and unpacking untrusted archives, by libarchive.
 *
 * Packing is reproducible: names sorted by bytes, times clamped to `mtime`,
 * owner and group 0, modes 0755 or 0644, so the same files give the same bytes.
 *
 * Unpacking trusts nothing: only files, folders and symbolic links that stay
 * inside are made; absolute names, "..", links that lead out, hard links to
 * anything not unpacked before, devices, duplicate names and what is over the
 * limits are refused with the entry's name, and nothing of the archive is left.
 * Threads: any, on different targets.
 */
#ifndef LB_DATA_ARCHIVE_H
#define LB_DATA_ARCHIVE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/platform/plat.h"

enum lb_archive_format { LB_ARCHIVE_TAR_GZ, LB_ARCHIVE_TAR_ZST, LB_ARCHIVE_ZIP, LB_ARCHIVE_TAR };

struct lb_archive_member {
	const char *name; /* in the archive, relative */
	const char *path; /* on the disk */
};

struct lb_pack {
	enum lb_archive_format format;
	int level;         /* of the compression; 0: the format's default */
	uint64_t mtime_s;  /* 0: 1980-01-01, the least that zip can say */
	bool follow_links; /* pack what a link leads to instead of the link */
	bool plain_modes;  /* files 0644 whatever they are */
	bool fast;         /* do not insist on the smallest result (level 1) */
};

/* Make the file `to` of these members (folders are packed with what is in them).  On failure `to`
 * is not there. */
lb_err lb_archive_pack(struct lb_mem *mem, struct plat *plat, const char *to,
                       const struct lb_archive_member *members, size_t count,
                       const struct lb_pack *how, struct lb_diag *diag);

struct lb_unpack_limits {     /* zero: the default */
	uint64_t bytes_max;   /* unpacked: 16 GiB */
	uint64_t entries_max; /* 1,000,000 */
	uint32_t ratio_max;   /* unpacked to packed, checked beyond 64 MiB: 1000 */
	uint32_t name_max;    /* bytes: 4096 */
};

/* Unpack any of the formats (told by content) into the folder `into`, which exists.
 * MALFORMED, LIMIT, DENIED (an entry that would leave the folder) or NOSPACE name the entry; then
 * what this call had made is removed again. */
lb_err lb_archive_unpack(struct lb_mem *mem, struct plat *plat, const char *from, const char *into,
                         const struct lb_unpack_limits *limits, struct lb_diag *diag);

#endif
