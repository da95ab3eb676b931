/* posix_priv.h - what SQLite wants of POSIX and WASI has not: owners, modes, locks.  Included
 * before all else. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#define F_GETLK 5
#define F_SETLK 6

static inline unsigned posix_user(void) { return 0; }
static inline unsigned posix_umask(unsigned mode) { return mode; }
static inline int posix_owner(int file, unsigned user, unsigned group)
{
	(void)file, (void)user, (void)group;
	return 0;
}
static inline int posix_mode(int file, unsigned mode)
{
	(void)file, (void)mode;
	return 0;
}
static inline int posix_path_mode(const char *path, unsigned mode)
{
	(void)path, (void)mode;
	return 0;
}
/* Nobody else is there to hold a lock. */
static inline int posix_lock(int file, int what, ...)
{
	va_list rest;

	(void)file;
	va_start(rest, what);
	if (what == F_GETLK)
		va_arg(rest, struct flock *)->l_type = F_UNLCK;
	va_end(rest);
	return 0;
}

#define umask posix_umask
#define geteuid posix_user
#define getuid posix_user
#define fchown posix_owner
#define fchmod posix_mode
#define chmod posix_path_mode
#define fcntl posix_lock
