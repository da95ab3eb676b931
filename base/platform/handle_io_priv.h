/* handle_io_priv.h - what handles and directories share on POSIX systems. */
#ifndef PLAT_HANDLE_IO_PRIV_H
#define PLAT_HANDLE_IO_PRIV_H

#include "base/platform/handle_io.h"

#include <sys/stat.h>
#include <time.h>

enum plat_node plat_node_of_mode(mode_t mode);

/* What fstat knows: plat_handle_stat without the kind of a socket. */
lb_err plat_stat_of_file(struct plat_stat *out, int file);

struct timespec plat_timespec_of(struct plat_time time);

/* The O_... of enum plat_handle_flag. */
int plat_bits_of_flags(unsigned flags);

#endif
