/* handle_io_posix.c - see handle_io.h. */
#include "base/platform/handle_io.h"

#include "base/platform/handle_io_priv.h"
#include "base/platform/plat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const uint64_t ns_per_s = 1000000000;

/* Once more for as long as a signal came between.  `expr` is -1 on failure. */
#define AGAIN(result, expr) \
	do { \
		(result) = (expr); \
	} while ((result) < 0 && errno == EINTR)

static lb_err result_of(int result) { return result < 0 ? lb_err_errno(errno) : LB_OK; }

static lb_err count_of(size_t *out, ssize_t n)
{
	*out = n < 0 ? 0 : (size_t)n;
	return n < 0 ? lb_err_errno(errno) : LB_OK;
}

/* ---- reading and writing ---- */

static_assert(sizeof(struct plat_span) == sizeof(struct iovec) &&
                      offsetof(struct plat_span, at) == offsetof(struct iovec, iov_base) &&
                      offsetof(struct plat_span, len) == offsetof(struct iovec, iov_len),
              "a span is passed as an iovec");

static const struct iovec *iovecs(const struct plat_span *spans, size_t count)
{
	assert(count <= PLAT_SPANS_MAX);
	return (const struct iovec *)(const void *)spans;
}

lb_err plat_handle_read(size_t *got, int file, const struct plat_span *to, size_t count)
{
	ssize_t n;

	AGAIN(n, readv(file, iovecs(to, count), (int)count));
	return count_of(got, n);
}

lb_err plat_handle_write(size_t *put, int file, const struct plat_span *from, size_t count)
{
	ssize_t n;

	AGAIN(n, writev(file, iovecs(from, count), (int)count));
	return count_of(put, n);
}

lb_err plat_handle_read_at(size_t *got, int file, const struct plat_span *to, size_t count,
                           uint64_t offset)
{
	ssize_t n;

	AGAIN(n, preadv(file, iovecs(to, count), (int)count, (off_t)offset));
	return count_of(got, n);
}

lb_err plat_handle_write_at(size_t *put, int file, const struct plat_span *from, size_t count,
                            uint64_t offset)
{
	ssize_t n;

	AGAIN(n, pwritev(file, iovecs(from, count), (int)count, (off_t)offset));
	return count_of(put, n);
}

lb_err plat_handle_seek(uint64_t *offset, int file, int64_t by, enum plat_whence whence)
{
	static const int whences[] = { [PLAT_FROM_START] = SEEK_SET,
		                       [PLAT_FROM_HERE] = SEEK_CUR,
		                       [PLAT_FROM_END] = SEEK_END };
	off_t at = lseek(file, (off_t)by, whences[whence]);

	*offset = at < 0 ? 0 : (uint64_t)at;
	return at < 0 ? lb_err_errno(errno) : LB_OK;
}

/* ---- what is known of a file ---- */

static uint64_t ns_of(struct timespec time)
{
	return time.tv_sec < 0 ? 0 : (uint64_t)time.tv_sec * ns_per_s + (uint64_t)time.tv_nsec;
}

enum plat_node plat_node_of_mode(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return PLAT_NODE_FILE;
	case S_IFDIR: return PLAT_NODE_FOLDER;
	case S_IFLNK: return PLAT_NODE_LINK;
	case S_IFCHR: return PLAT_NODE_CHARACTER_DEVICE;
	case S_IFBLK: return PLAT_NODE_BLOCK_DEVICE;
	case S_IFIFO: return PLAT_NODE_PIPE;
	case S_IFSOCK: return PLAT_NODE_STREAM_SOCKET;
	default: return PLAT_NODE_UNKNOWN;
	}
}

lb_err plat_stat_of_file(struct plat_stat *out, int file)
{
	struct stat info;

	*out = (struct plat_stat){ 0 };
	if (fstat(file, &info) != 0)
		return lb_err_errno(errno);
	*out = (struct plat_stat){ .device = info.st_dev,
		                   .inode = info.st_ino,
		                   .link_count = info.st_nlink,
		                   .size = (uint64_t)info.st_size,
		                   .atime_ns = ns_of(info.st_atim),
		                   .mtime_ns = ns_of(info.st_mtim),
		                   .ctime_ns = ns_of(info.st_ctim),
		                   .node = plat_node_of_mode(info.st_mode) };
	return LB_OK;
}

lb_err plat_handle_stat(struct plat_stat *out, int file)
{
	int type = SOCK_STREAM;
	socklen_t size = sizeof type;

	LB_TRY(plat_stat_of_file(out, file));
	if (out->node == PLAT_NODE_STREAM_SOCKET &&
	    getsockopt(file, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM)
		out->node = PLAT_NODE_DATAGRAM_SOCKET;
	return LB_OK;
}

/* ---- changing it ---- */

lb_err plat_handle_set_size(int file, uint64_t size)
{
	int result;

	AGAIN(result, ftruncate(file, (off_t)size));
	return result_of(result);
}

lb_err plat_handle_allocate(int file, uint64_t offset, uint64_t len)
{
	int number;

	do {
		number = posix_fallocate(file, (off_t)offset, (off_t)len);
	} while (number == EINTR);
	return number != 0 ? lb_err_errno(number) : LB_OK;
}

lb_err plat_handle_advise(int file, uint64_t offset, uint64_t len, enum plat_advice advice)
{
	static const int advices[] = {
		[PLAT_ADVICE_NORMAL] = POSIX_FADV_NORMAL,
		[PLAT_ADVICE_SEQUENTIAL] = POSIX_FADV_SEQUENTIAL,
		[PLAT_ADVICE_RANDOM] = POSIX_FADV_RANDOM,
		[PLAT_ADVICE_WILL_NEED] = POSIX_FADV_WILLNEED,
		[PLAT_ADVICE_DONT_NEED] = POSIX_FADV_DONTNEED,
		[PLAT_ADVICE_NO_REUSE] = POSIX_FADV_NOREUSE,
	};
	int number = posix_fadvise(file, (off_t)offset, (off_t)len, advices[advice]);

	return number != 0 ? lb_err_errno(number) : LB_OK;
}

lb_err plat_handle_sync(int file)
{
	int result;

	AGAIN(result, fsync(file));
	return result_of(result);
}

struct timespec plat_timespec_of(struct plat_time time)
{
	switch (time.kind) {
	case PLAT_TIME_KEEP: return (struct timespec){ .tv_nsec = UTIME_OMIT };
	case PLAT_TIME_NOW: return (struct timespec){ .tv_nsec = UTIME_NOW };
	case PLAT_TIME_SET: break;
	}
	return (struct timespec){ .tv_sec = (time_t)(time.ns / ns_per_s),
		                  .tv_nsec = (long)(time.ns % ns_per_s) };
}

lb_err plat_handle_set_times(int file, struct plat_time accessed, struct plat_time modified)
{
	struct timespec times[2] = { plat_timespec_of(accessed), plat_timespec_of(modified) };

	return result_of(futimens(file, times));
}

/* ---- flags ---- */

static const struct {
	unsigned flag;
	int bits;
} flag_bits[] = {
	{ PLAT_HANDLE_APPEND, O_APPEND },
	{ PLAT_HANDLE_NONBLOCK, O_NONBLOCK },
	{ PLAT_HANDLE_DATA_SYNC, O_DSYNC },
	{ PLAT_HANDLE_SYNC, O_SYNC },
};

int plat_bits_of_flags(unsigned flags)
{
	int bits = 0;

	for (size_t i = 0; i < sizeof flag_bits / sizeof flag_bits[0]; i++)
		if ((flags & flag_bits[i].flag) != 0)
			bits |= flag_bits[i].bits;
	return bits;
}

lb_err plat_handle_flags(unsigned *out, int file)
{
	int bits = fcntl(file, F_GETFL);

	*out = 0;
	if (bits < 0)
		return lb_err_errno(errno);
	for (size_t i = 0; i < sizeof flag_bits / sizeof flag_bits[0]; i++)
		if ((bits & flag_bits[i].bits) == flag_bits[i].bits)
			*out |= flag_bits[i].flag;
	return LB_OK;
}

lb_err plat_handle_set_flags(int file, unsigned flags)
{
	enum { FIXED = PLAT_HANDLE_DATA_SYNC | PLAT_HANDLE_SYNC };
	int bits = fcntl(file, F_GETFL);
	unsigned now;

	if (bits < 0)
		return lb_err_errno(errno);
	LB_TRY(plat_handle_flags(&now, file));
	if ((now & FIXED) != (flags & FIXED))
		return lb_err_at(LB_E_UNSUPPORTED, ENOTSUP);
	bits &= ~(O_APPEND | O_NONBLOCK);
	bits |= plat_bits_of_flags(flags & ~(unsigned)FIXED);
	return result_of(fcntl(file, F_SETFL, bits));
}

/* ---- waiting ---- */

static void take_events(struct plat_wait *wait, short events)
{
	int bytes = 0;

	wait->failed = (events & (POLLERR | POLLNVAL)) != 0;
	wait->hung_up = (events & POLLHUP) != 0;
	wait->ready = events != 0;
	if (wait->read && wait->ready && ioctl(wait->file, FIONREAD, &bytes) == 0 && bytes > 0)
		wait->bytes = (uint64_t)bytes;
}

lb_err plat_handle_wait(struct plat_wait *waits, size_t count, uint64_t timeout_ns)
{
	struct pollfd polls[PLAT_WAITS_MAX];
	uint64_t start = plat_host.ops->now_ns(&plat_host);
	int ready;

	assert(count <= PLAT_WAITS_MAX);
	for (size_t i = 0; i < count; i++)
		polls[i] = (struct pollfd){ .fd = waits[i].file,
			                    .events = (short)((waits[i].read ? POLLIN : 0) |
			                                      (waits[i].write ? POLLOUT : 0)) };
	for (;;) {
		uint64_t gone = plat_host.ops->now_ns(&plat_host) - start;
		uint64_t left = gone < timeout_ns ? timeout_ns - gone : 0;
		struct timespec most = { .tv_sec = (time_t)(left / ns_per_s),
			                 .tv_nsec = (long)(left % ns_per_s) };

		ready = ppoll(polls, count, timeout_ns == UINT64_MAX ? NULL : &most, NULL);
		if (ready >= 0)
			break;
		if (errno != EINTR)
			return lb_err_errno(errno);
	}
	for (size_t i = 0; i < count; i++)
		take_events(&waits[i], polls[i].revents);
	return LB_OK;
}
