/* archive.h - packing folders and unpacking untrusted archives, by libarchive.
 *
 * Packing is reproducible: names sorted by bytes, one time for all, owner and
 * group 0 without names, modes 0755 (folders, and files that somebody may execute)
 * or 0644, so the same files give the same bytes, whatever the machine's locale, time
 * zone and order of folders.  Tar is GNU's format.  Zip always says 1980-01-01: its
 * times are local ones.  What unpacking would refuse is refused at packing, with
 * the same words.
 *
 * Unpacking trusts nothing: only files, folders and symbolic links that stay
 * inside are made; absolute names, "..", backslashes, control characters, names
 * that are not UTF-8, links that lead out (or that have ".." behind another part),
 * hard links to anything but a file unpacked before, devices, files with holes, duplicate
 * names (a folder may come again) and what is over the limits are refused with
 * the entry's name, and nothing of the archive is left.  Modes become 0755 or
 * 0644, times are not restored.  Files that were there are replaced, folders
 * joined; a file where a folder belongs, or the reverse, is EXISTS.
 * Threads: any, on different targets.
 */
#ifndef LB_DATA_ARCHIVE_H
#define LB_DATA_ARCHIVE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/platform/plat.h"

enum lb_archive_format { LB_ARCHIVE_TAR_GZ, LB_ARCHIVE_TAR_ZST, LB_ARCHIVE_ZIP, LB_ARCHIVE_TAR };

struct lb_archive_member {
	const char *name; /* in the archive, relative; "": what is in the folder goes to the top */
	const char *path; /* on the disk */
};

struct lb_pack {
	enum lb_archive_format format;
	int level;         /* of the compression; 0: the format's default */
	uint64_t mtime_s;  /* of all entries; 0: 1980-01-01, the least that zip can say */
	bool follow_links; /* pack what a link leads to instead of the link */
	bool plain_modes;  /* files 0644 whatever they are */
	bool fast;         /* do not insist on the smallest result (level 1) */
};

/* Make the file `to` of these members (folders are packed with what is in them), replacing what was
 * there once the archive is whole and on the disk.  INVALID for a name that comes twice or a level
 * that the format does not have; UNSUPPORTED for a device or a pipe; FAILED for a file that changes
 * meanwhile; what the platform says.  On failure nothing is made. */
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
 * MALFORMED, LIMIT, UNSUPPORTED, DENIED (an entry that would leave the folder, or a device), EXISTS
 * or NOSPACE name the entry; then what this call had made is removed again.  Nothing is synced:
 * that is for whoever says that it is there. */
lb_err lb_archive_unpack(struct lb_mem *mem, struct plat *plat, const char *from, const char *into,
                         const struct lb_unpack_limits *limits, struct lb_diag *diag);

#endif
