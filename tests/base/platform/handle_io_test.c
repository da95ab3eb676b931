/* handle_io_test.c - open files as other programs use them: pieces, flags, waiting; clocks. */
#include "base/platform/handle_io.h"
#include "base/platform/clock.h"
#include "base/platform/dir.h"
#include "base/platform/plat.h"
#include "tests/harness/test.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int new_file(struct test *t, unsigned flags)
{
	int root = -1, file = -1;

	CHECK_OK(plat_dir_open_root(&root, test_folder(t)));
	CHECK_OK(plat_dir_open(&file, root, "file",
	                       PLAT_DIR_READ | PLAT_DIR_WRITE | PLAT_DIR_CREATE, flags));
	(void)close(root);
	return file;
}

TEST(handles_move_pieces)
{
	char a[3] = "abc", b[5] = "defgh", back[8] = { 0 };
	struct plat_span out[] = { { a, 3 }, { b, 5 } }, in[] = { { back, 2 }, { back + 2, 6 } };
	int file = new_file(t, 0);
	uint64_t offset;
	size_t done;

	CHECK_OK(plat_handle_write(&done, file, out, 2));
	CHECK(done == 8);
	CHECK_OK(plat_handle_seek(&offset, file, -4, PLAT_FROM_END));
	CHECK(offset == 4);
	CHECK_OK(plat_handle_read(&done, file, in, 2));
	CHECK(done == 4 && memcmp(back, "efgh", 4) == 0);
	CHECK_OK(plat_handle_read(&done, file, in, 2));
	CHECK(done == 0);
	CHECK_OK(plat_handle_read_at(&done, file, in, 2, 1));
	CHECK(done == 7 && memcmp(back, "bcdefgh", 7) == 0);
	CHECK_OK(plat_handle_write_at(&done, file, out, 1, 6));
	CHECK(done == 3);
	CHECK_OK(plat_handle_seek(&offset, file, 0, PLAT_FROM_HERE));
	CHECK(offset == 8);
	CHECK(lb_where(plat_handle_seek(&offset, file, -1, PLAT_FROM_START)) == EINVAL);
	CHECK(lb_where(plat_handle_read(&done, -1, in, 2)) == EBADF && done == 0);
	(void)close(file);
}

TEST(handles_know_their_files)
{
	int file = new_file(t, 0), ends[2];
	struct plat_stat stat;

	CHECK_OK(plat_handle_set_size(file, 1000));
	CHECK_OK(plat_handle_allocate(file, 900, 300));
	CHECK_OK(plat_handle_advise(file, 0, 0, PLAT_ADVICE_SEQUENTIAL));
	CHECK_OK(plat_handle_sync(file));
	CHECK_OK(plat_handle_set_times(file, (struct plat_time){ PLAT_TIME_SET, 5 },
	                               (struct plat_time){ PLAT_TIME_NOW, 0 }));
	CHECK_OK(plat_handle_stat(&stat, file));
	CHECK(stat.size == 1200 && stat.node == PLAT_NODE_FILE && stat.link_count == 1);
	CHECK(stat.atime_ns == 5 && stat.mtime_ns > 1000000000 && stat.inode != 0);
	CHECK(lb_where(plat_handle_stat(&stat, -1)) == EBADF);
	(void)close(file);
	CHECK(pipe(ends) == 0);
	CHECK_OK(plat_handle_stat(&stat, ends[0]));
	CHECK(stat.node == PLAT_NODE_PIPE);
	(void)close(ends[0]);
	(void)close(ends[1]);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	CHECK_OK(plat_handle_stat(&stat, ends[0]));
	CHECK(stat.node == PLAT_NODE_DATAGRAM_SOCKET);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

TEST(handles_have_flags)
{
	int file = new_file(t, PLAT_HANDLE_DATA_SYNC);
	unsigned flags;

	CHECK_OK(plat_handle_flags(&flags, file));
	CHECK(flags == PLAT_HANDLE_DATA_SYNC);
	CHECK_OK(plat_handle_set_flags(file, PLAT_HANDLE_DATA_SYNC | PLAT_HANDLE_APPEND));
	CHECK_OK(plat_handle_flags(&flags, file));
	CHECK(flags == (PLAT_HANDLE_DATA_SYNC | PLAT_HANDLE_APPEND));
	CHECK(lb_code_of(plat_handle_set_flags(file, 0)) == LB_E_UNSUPPORTED);
	CHECK(lb_where(plat_handle_set_flags(-1, 0)) == EBADF);
	(void)close(file);
}

TEST(handles_are_waited_for)
{
	struct plat_wait wait = { .read = true };
	uint64_t start = plat_host.ops->now_ns(&plat_host);
	int ends[2];

	CHECK(pipe(ends) == 0);
	wait.file = ends[0];
	CHECK_OK(plat_handle_wait(&wait, 1, 10000000));
	CHECK(!wait.ready && plat_host.ops->now_ns(&plat_host) - start >= 10000000);
	CHECK(write(ends[1], "ab", 2) == 2);
	CHECK_OK(plat_handle_wait(&wait, 1, UINT64_MAX));
	CHECK(wait.ready && wait.bytes == 2 && !wait.hung_up && !wait.failed);
	(void)close(ends[1]);
	CHECK_OK(plat_handle_wait(&wait, 1, UINT64_MAX));
	CHECK(wait.ready && wait.hung_up);
	(void)close(ends[0]);
	CHECK_OK(plat_handle_wait(&wait, 1, UINT64_MAX));
	CHECK(wait.ready && wait.failed);
	CHECK_OK(plat_handle_wait(NULL, 0, 1000000));
}

TEST(processor_time_goes_on)
{
	uint64_t process = plat_clock_process_ns(), thread = plat_clock_thread_ns();
	volatile unsigned work = 0;

	while (work < 10000000)
		work = work + 1;
	CHECK(plat_clock_process_ns() > process && plat_clock_thread_ns() > thread);
	for (int clock = PLAT_CLOCK_WALL; clock <= PLAT_CLOCK_THREAD; clock++)
		CHECK(plat_clock_resolution_ns((enum plat_clock)clock) >= 1);
}
