/* handle_io.h - what a program does to an open file: reads, writes, times, flags, waiting.
 *
 * Layer: platform.  For those who stand between another program and its files
 * (WASI) and must give it all that the system offers; other code uses plat_ops.
 * Failures are lb_err_errno's codes with the errno as context.  Calls that a
 * signal interrupted are made again.  Threads: any.
 */
#ifndef PLAT_HANDLE_IO_H
#define PLAT_HANDLE_IO_H

#include "base/err.h"

struct plat_span {
	void *at;
	size_t len;
};

enum { PLAT_SPANS_MAX = 1024 }; /* in one call */

enum plat_node {
	PLAT_NODE_UNKNOWN,
	PLAT_NODE_BLOCK_DEVICE,
	PLAT_NODE_CHARACTER_DEVICE,
	PLAT_NODE_FOLDER,
	PLAT_NODE_FILE,
	PLAT_NODE_STREAM_SOCKET,
	PLAT_NODE_DATAGRAM_SOCKET,
	PLAT_NODE_LINK,
	PLAT_NODE_PIPE
};

struct plat_stat {
	uint64_t device, inode, link_count, size; /* size in bytes */
	uint64_t atime_ns, mtime_ns, ctime_ns;    /* since 1970-01-01 UTC */
	enum plat_node node;
};

/* As much as there is, or fits, in one go; 0 is the end.  They stand where the file stands. */
lb_err plat_handle_read(size_t *got, int file, const struct plat_span *to, size_t count);
lb_err plat_handle_write(size_t *put, int file, const struct plat_span *from, size_t count);

/* The same at an offset, which the file's own is not moved by. */
lb_err plat_handle_read_at(size_t *got, int file, const struct plat_span *to, size_t count,
                           uint64_t offset);
lb_err plat_handle_write_at(size_t *put, int file, const struct plat_span *from, size_t count,
                            uint64_t offset);

enum plat_whence { PLAT_FROM_START, PLAT_FROM_HERE, PLAT_FROM_END };
lb_err plat_handle_seek(uint64_t *offset, int file, int64_t by, enum plat_whence whence);

lb_err plat_handle_stat(struct plat_stat *out, int file);
lb_err plat_handle_set_size(int file, uint64_t size);
lb_err plat_handle_allocate(int file, uint64_t offset, uint64_t len);

enum plat_advice {
	PLAT_ADVICE_NORMAL,
	PLAT_ADVICE_SEQUENTIAL,
	PLAT_ADVICE_RANDOM,
	PLAT_ADVICE_WILL_NEED,
	PLAT_ADVICE_DONT_NEED,
	PLAT_ADVICE_NO_REUSE
};
lb_err plat_handle_advise(int file, uint64_t offset, uint64_t len, enum plat_advice advice);

lb_err plat_handle_sync(int file); /* data, size and everything else reach the disk */

enum plat_time_kind { PLAT_TIME_KEEP, PLAT_TIME_NOW, PLAT_TIME_SET };
struct plat_time {
	enum plat_time_kind kind;
	uint64_t ns; /* with PLAT_TIME_SET: since 1970-01-01 UTC */
};
lb_err plat_handle_set_times(int file, struct plat_time accessed, struct plat_time modified);

enum plat_handle_flag {
	PLAT_HANDLE_APPEND = 1,
	PLAT_HANDLE_NONBLOCK = 2,
	PLAT_HANDLE_DATA_SYNC = 4, /* each write waits for the disk: the data ... */
	PLAT_HANDLE_SYNC = 8       /* ... and everything else */
};
lb_err plat_handle_flags(unsigned *out, int file);
/* UNSUPPORTED where that changes the SYNC flags, which hold from opening on. */
lb_err plat_handle_set_flags(int file, unsigned flags);

struct plat_wait {
	int file;
	bool read, write;            /* wait for which */
	bool ready, hung_up, failed; /* what became of it */
	uint64_t bytes;              /* that can be read without waiting, as far as known */
};

/* Until one of them is ready, or timeout_ns (UINT64_MAX: for ever) are over: none is then.
 * At most PLAT_WAITS_MAX. */
enum { PLAT_WAITS_MAX = 256 };
lb_err plat_handle_wait(struct plat_wait *waits, size_t count, uint64_t timeout_ns);

#endif
