/* tree_posix.c - removing a tree that somebody else may be changing.
 *
 * Names are only ever used relative to a folder that is open, and folders are opened without
 * following links, so whatever is swapped for a link meanwhile, nothing outside is touched.
 * At most DEPTH_MAX folders are open at once: what stands deeper is first moved up to the top of
 * the tree, where a later pass meets it.
 */
#include "base/platform/plat_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 32, HOIST_TRIES_MAX = 1000 };

struct sweep {
	int top;
	dev_t device;
	unsigned hoisted; /* names given so far */
};

/* Open a folder, made readable and writable for its owner where it is not. */
static int open_folder(int parent, const char *name)
{
	enum { HOW = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
	struct stat info;
	int folder = openat(parent, name, HOW);

	if (folder < 0 && errno == EACCES && fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		folder = openat(parent, name, HOW);
	if (folder >= 0 && fstat(folder, &info) == 0 && (info.st_mode & 0700) != 0700)
		(void)fchmod(folder, 0700); /* where this fails, removing will say so */
	return folder;
}

/* Move a folder up to the top of the tree under a name that is free there. */
static int hoist(struct sweep *sweep, int parent, const char *name)
{
	char fresh[32];

	for (int i = 0; i < HOIST_TRIES_MAX; i++) {
		(void)snprintf(fresh, sizeof fresh, ".deep-%u", sweep->hoisted++);
		if (renameat(parent, name, sweep->top, fresh) == 0)
			return 0;
		/* Taken by something that cannot be replaced by a folder. */
		if (errno != ENOTDIR && errno != ENOTEMPTY && errno != EEXIST)
			return errno;
	}
	return EEXIST;
}

static int empty_folder(struct sweep *sweep, int folder, unsigned depth);

static int remove_folder(struct sweep *sweep, int parent, const char *name, unsigned depth)
{
	struct stat info;
	int folder = open_folder(parent, name), failed = 0;

	if (folder < 0)
		return errno;
	if (fstat(folder, &info) != 0)
		failed = errno;
	else if (info.st_dev != sweep->device)
		failed = EXDEV;
	else if (depth >= DEPTH_MAX)
		failed = hoist(sweep, parent, name);
	if (failed != 0 || depth >= DEPTH_MAX) {
		(void)close(folder);
		return failed;
	}
	failed = empty_folder(sweep, folder, depth);
	if (failed == 0 && unlinkat(parent, name, AT_REMOVEDIR) != 0)
		failed = errno;
	return failed;
}

static int remove_name(struct sweep *sweep, int parent, const char *name, unsigned depth)
{
	int number;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	number = errno;
	/* What unlinkat says of a folder differs between systems. */
	if (number != EISDIR && number != EPERM)
		return number;
	number = remove_folder(sweep, parent, name, depth + 1);
	return number == ENOENT ? 0 : number;
}

/* The next name but . and .., NULL at the end or with *failed set. */
static const char *next_name(DIR *names, int *failed)
{
	const struct dirent *entry;

	do {
		errno = 0; /* the only way to tell the end from a failure */
		entry = readdir(names);
	} while (entry != NULL &&
	         (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	if (entry == NULL && errno != 0)
		*failed = errno;
	return entry != NULL ? entry->d_name : NULL;
}

/* Remove what is in an open folder, which this closes.  Passes go on until one meets nothing:
 * names may be added meanwhile, by hoisting or by others. */
static int empty_folder(struct sweep *sweep, int folder, unsigned depth)
{
	DIR *names = fdopendir(folder);
	int failed = 0, met = 1;

	if (names == NULL) {
		failed = errno;
		(void)close(folder);
		return failed;
	}
	while (met > 0 && failed == 0) {
		const char *name;

		met = 0;
		rewinddir(names);
		for (name = next_name(names, &failed); name != NULL;
		     name = next_name(names, &failed)) {
			int number = remove_name(sweep, dirfd(names), name, depth);

			met++;
			if (number != 0 && failed == 0)
				failed = number;
		}
	}
	(void)closedir(names);
	return failed;
}

lb_err plat_tree_remove(const char *path)
{
	struct sweep sweep = { .top = -1 };
	struct stat info;
	int number;

	if (unlink(path) == 0)
		return LB_OK;
	if (errno != EISDIR && errno != EPERM)
		return lb_err_errno(errno);
	number = errno;
	sweep.top = open_folder(AT_FDCWD, path);
	if (sweep.top < 0)
		return lb_err_errno(errno == ENOTDIR ? number : errno);
	if (fstat(sweep.top, &info) != 0) {
		number = errno;
		(void)close(sweep.top);
		return lb_err_errno(number);
	}
	sweep.device = info.st_dev;
	number = empty_folder(&sweep, sweep.top, 0);
	if (number == 0 && rmdir(path) != 0)
		number = errno;
	return number == 0 ? LB_OK : lb_err_errno(number);
}
