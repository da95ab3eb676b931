/* disk_posix.c - how much of the disk a sandbox's commands have taken.
 *
 * No quota is at hand for an ordinary user, so it is looked at while a command runs.  What the file
 * system has lost since the last count is an upper bound that costs one system call; only when
 * that passes the limit are the files counted.  What is open but has no name any more cannot be
 * counted: for that there is a reserve, which no command may take.
 */
#include "ci-runner/sandbox/process_priv.h"

#include <fts.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { BLOCK_BYTES = 512, RESERVE_PART = 50 };

static bool look(const char *folder, uint64_t *left, uint64_t *whole)
{
	struct statvfs info;

	if (statvfs(folder, &info) != 0)
		return false;
	*left = (uint64_t)info.f_bavail * info.f_frsize;
	*whole = (uint64_t)info.f_blocks * info.f_frsize;
	return true;
}

/* Links are not followed, other file systems not entered. */
static uint64_t count_below(const char *path)
{
	char *paths[] = { (char *)(uintptr_t)path, NULL }; /* fts changes none */
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	const FTSENT *entry;
	uint64_t blocks = 0;

	while (walk != NULL && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_info != FTS_DP && entry->fts_info != FTS_NS &&
		    entry->fts_info != FTS_ERR)
			blocks += (uint64_t)entry->fts_statp->st_blocks;
	}
	if (walk != NULL)
		(void)fts_close(walk);
	return blocks * BLOCK_BYTES;
}

static uint64_t count(const struct runner_process *process)
{
	uint64_t sum = process->tmp != NULL ? count_below(process->tmp) : 0;

	for (const char *const *path = process->writable; path != NULL && *path != NULL; path++)
		sum += count_below(*path);
	return sum;
}

/* The lock is held. */
static lb_err check(const struct runner_process *process, struct lb_diag *diag)
{
	struct runner_sandbox *sandbox = process->sandbox;
	struct runner_disk *disk = &sandbox->disk;
	uint64_t left, whole, most = sandbox->limits.disk;

	if (most == 0 || process->writable == NULL || process->writable[0] == NULL ||
	    !look(process->writable[0], &left, &whole))
		return LB_OK;
	if (!disk->counted || disk->used > most ||
	    (disk->left > left && disk->used + (disk->left - left) > most)) {
		disk->used = count(process);
		disk->left = left;
		disk->counted = true;
	}
	if (disk->used > most)
		return lb_fail(diag, LB_E_LIMIT,
		               "ended: the job has %llu MiB on the disk, more than its limit of "
		               "%llu MiB (--limit disk=)",
		               (unsigned long long)(disk->used >> 20),
		               (unsigned long long)(most >> 20));
	if (left < whole / RESERVE_PART)
		return lb_fail(diag, LB_E_LIMIT, "ended: the disk of %s has only %llu MiB left",
		               process->writable[0], (unsigned long long)(left >> 20));
	return LB_OK;
}

lb_err runner_disk_check(const struct runner_process *process, struct lb_diag *diag)
{
	struct runner_disk *disk = &process->sandbox->disk;
	lb_err err;

	(void)pthread_mutex_lock(&disk->lock);
	err = check(process, diag);
	(void)pthread_mutex_unlock(&disk->lock);
	return err;
}
