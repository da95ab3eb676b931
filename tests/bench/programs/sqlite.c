/* sqlite.c - SQLite's own speed test, in memory, with its arguments given so that no runner need
 * pass any.
 *
 * There is no system below it: no files, and a clock that stands, so that the output is the same
 * wherever it runs.
 */
#include <sqlite3.h>
#include <stddef.h>
#include <string.h>

#undef main /* the compiler was told to rename the other one */
int speedtest1_main(int argc, char **argv);

static int open_nothing(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                        int *out_flags)
{
	(void)vfs, (void)name, (void)flags, (void)out_flags;
	file->pMethods = NULL;
	return SQLITE_CANTOPEN;
}

static int delete_nothing(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs, (void)name, (void)sync;
	return SQLITE_OK;
}

static int access_nothing(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs, (void)name, (void)flags;
	*out = 0;
	return SQLITE_OK;
}

static int full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	return sqlite3_snprintf(size, out, "%s", name) != NULL ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int randomness(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	memset(out, 7, (size_t)size);
	return size;
}

static int sleep_not(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static int standing_clock(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	(void)vfs;
	*out = 210866760000000; /* 1970, in milliseconds as SQLite counts them */
	return SQLITE_OK;
}

static int standing_day(sqlite3_vfs *vfs, double *out)
{
	(void)vfs;
	*out = 2440587.5;
	return SQLITE_OK;
}

int sqlite3_os_init(void)
{
	static sqlite3_vfs vfs = { .iVersion = 2,
		                   .szOsFile = sizeof(sqlite3_file),
		                   .mxPathname = 100,
		                   .zName = "nothing",
		                   .xOpen = open_nothing,
		                   .xDelete = delete_nothing,
		                   .xAccess = access_nothing,
		                   .xFullPathname = full_path,
		                   .xRandomness = randomness,
		                   .xSleep = sleep_not,
		                   .xCurrentTime = standing_day,
		                   .xCurrentTimeInt64 = standing_clock };

	return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void) { return SQLITE_OK; }

int main(void)
{
	char *argv[] = { "speedtest1", "--testset", "main", "--size", "8", "--memdb", NULL };

	return speedtest1_main(6, argv);
}
