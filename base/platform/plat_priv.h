/* plat_priv.h - what the parts of one system's plat_host share. */
#ifndef PLAT_PLAT_PRIV_H
#define PLAT_PLAT_PRIV_H

#include "base/err.h"

/* tree_posix.c: the operation of plat_ops. */
lb_err plat_tree_remove(const char *path);

/* plat_linux.c, ...: data and size of a file reach the disk itself. */
lb_err plat_file_sync(int file);

#endif
