/* plat.h - everything the world can do to us: time, chance, files, pages.
 *
 * Code that wants time, chance or the disk asks the `struct plat *` it was
 * given.  plat_host is the real world, one file per system (plat_linux.c, ...);
 * plat_sim.c is another instance, driven by a seed, in which calls fail on
 * demand.  No other folder may test _WIN32, __linux__ or __APPLE__.
 *
 * Pages and processes are plain functions (base/platform/pages.h, process.h):
 * they are hot or cannot be simulated.  Threads: all functions of plat_host
 * may be called from any thread.
 */
#ifndef PLAT_PLAT_H
#define PLAT_PLAT_H

#include "base/bytes.h"
#include "base/err.h"

struct plat {
	const struct plat_ops *ops;
}; /* first member of every world */

enum plat_open {
	PLAT_READ = 1,      /* an existing file, to read */
	PLAT_WRITE = 2,     /* to write; with PLAT_READ, both */
	PLAT_CREATE = 4,    /* make it when it is not there, mode 0644 */
	PLAT_EXCLUSIVE = 8, /* with CREATE: EXISTS when it is there */
	PLAT_TRUNCATE = 16,
	PLAT_PRIVATE = 32,     /* with CREATE: mode 0600 */
	PLAT_NOFOLLOW = 64,    /* a symbolic link at the last name is DENIED */
	PLAT_EXECUTABLE = 128, /* with CREATE: mode 0755 */
	PLAT_APPEND =
		256 /* for a descriptor that is handed to another program: writes go to the end */
};

enum plat_type { PLAT_FILE, PLAT_DIRECTORY, PLAT_LINK, PLAT_OTHER };

struct plat_info {
	enum plat_type type;
	uint64_t size;     /* bytes */
	uint64_t mtime_ns; /* since 1970-01-01 UTC */
	uint32_t mode;     /* permission bits */
};

struct plat_ops {
	const char *name;

	/* Monotonic; never fails, never goes back. */
	uint64_t (*now_ns)(struct plat *self);

	/* Since 1970-01-01 UTC; may jump. */
	uint64_t (*wall_ns)(struct plat *self);

	void (*sleep_ns)(struct plat *self, uint64_t ns);

	/* Fill `out` wholly or fail. */
	lb_err (*entropy)(void *out, struct plat *self, size_t len);

	/* Files.  Paths are terminated UTF-8.  A file is a number, -1 for none.
	 * Failures are lb_err_errno's codes with the errno as context. */
	lb_err (*open)(int *file, struct plat *self, const char *path, unsigned flags);
	void (*close)(struct plat *self, int file);
	/* Up to `len` bytes at `offset`; *got is 0 at the end.  A pipe or terminal has no
	 * offsets: it is read (and written) on from where it stands. */
	lb_err (*read_at)(size_t *got, struct plat *self, int file, void *to, size_t len,
	                  uint64_t offset);
	/* All of `len` bytes at `offset`, or an error with part of them written. */
	lb_err (*write_at)(struct plat *self, int file, const void *from, size_t len,
	                   uint64_t offset);
	/* Data and size reach the disk (fdatasync); a new file's name needs sync_folder too. */
	lb_err (*sync)(struct plat *self, int file);
	lb_err (*truncate)(struct plat *self, int file, uint64_t size);
	lb_err (*info)(struct plat_info *out, struct plat *self,
	               const char *path); /* links not followed */
	lb_err (*file_info)(struct plat_info *out, struct plat *self, int file);
	lb_err (*rename)(struct plat *self, const char *from, const char *to); /* replaces */
	lb_err (*link)(struct plat *self, const char *from, const char *to);   /* hard; EXISTS */
	lb_err (*remove)(struct plat *self, const char *path); /* file, link or empty folder */
	/* What is there with all that is in it, however deep, without following a link or entering
	 * another file system; folders are made writable where they are not.  What can be removed
	 * is; the first failure is returned. */
	lb_err (*remove_tree)(struct plat *self, const char *path);
	lb_err (*make_folder)(struct plat *self, const char *path); /* mode 0755; EXISTS */
	lb_err (*sync_folder)(struct plat *self, const char *path); /* names in it reach the disk */
	/* Call `each` for every name in the folder but . and .., in no order; stops at its first
	 * failure. */
	lb_err (*list)(struct plat *self, const char *path,
	               lb_err (*each)(void *ctx, const char *name), void *ctx);
	lb_err (*set_mode)(struct plat *self, const char *path, uint32_t mode); /* links followed */
	lb_err (*make_link)(struct plat *self, const char *target, const char *path); /* symbolic */
	/* Terminated; LIMIT when it needs more than `size` bytes with the terminator. */
	lb_err (*read_link)(size_t *len, struct plat *self, const char *path, char *to,
	                    size_t size);
};

extern struct plat plat_host;

/* The simulated world over the real disk: a clock that moves when read, chance from a seed, and
 * calls that fail with `fault` on demand: the N-th, or one in `fault_in`.  Every call that
 * returns an error can fail; a write that does has written the first half.  When `sticky`, each
 * later call that needs room on the disk fails too, as on a full one.  Threads: one at a time. */
struct plat_sim {
	struct plat plat;
	uint64_t state, now;
	uint32_t fault_in;  /* 0: never */
	uint64_t fail_at;   /* the N-th fallible call fails; 0: none */
	uint64_t calls;     /* fallible calls so far */
	enum lb_code fault; /* IO unless set */
	bool sticky, failed;
};

void plat_sim_init(struct plat_sim *sim, uint64_t seed);

#endif
