/* file_limit.h - a file that may not grow further is an error, not the end of the process.
 *
 * Layer: platform.  Threads: call it from main, before there are others.
 */
#ifndef PLAT_FILE_LIMIT_H
#define PLAT_FILE_LIMIT_H

/* From now on a write beyond the process's limit of file sizes (ulimit -f) fails as a write to a
 * full disk does, so that what was begun can be removed again. */
void plat_file_limit_install(void);

#endif
