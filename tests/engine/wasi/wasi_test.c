/* wasi_test.c - preview 1 function by function: what it answers, and each errno it can give. */
#include "base/platform/socket.h"
#include "tests/engine/wasi/world.h"

#include <signal.h>
#include <unistd.h>

enum {
	READ = WASI_RIGHT_FD_READ | WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_TELL |
	       WASI_RIGHT_FD_FILESTAT_GET | WASI_RIGHT_POLL_FD_READWRITE,
	WRITE = WASI_RIGHTS_FILE & ~WASI_RIGHT_FD_READ,
	BOTH = WASI_RIGHTS_FILE
};

/* ---- arguments, environment, clocks, chance ---- */

static const char *const args[] = { "program", "", "two words" };
static const char *const env[] = { "A=1", "EMPTY=" };
static const struct wasi_options with_strings = {
	.args = args, .arg_count = 3, .env = env, .env_count = 2
};

TEST(arguments_and_environment_arrive)
{
	struct world w;

	CHECK_OK(world_start(&w, t, &with_strings));
	CHECK(CALL(&w, args_sizes_get, 0, 4) == WASI_OK);
	CHECK(world_u32(&w, 0) == 3 && world_u32(&w, 4) == 8 + 1 + 10);
	CHECK(CALL(&w, args_get, 16, 100) == WASI_OK);
	CHECK(world_u32(&w, 16) == 100 && world_u32(&w, 20) == 108 && world_u32(&w, 24) == 109);
	CHECK(memcmp(world_at(&w, 100), "program\0\0two words", 19) == 0);
	CHECK(CALL(&w, environ_sizes_get, 0, 4) == WASI_OK);
	CHECK(world_u32(&w, 0) == 2 && world_u32(&w, 4) == 4 + 7);
	CHECK(CALL(&w, environ_get, 16, 100) == WASI_OK);
	CHECK(memcmp(world_at(&w, 100), "A=1\0EMPTY=", 11) == 0);
	world_stop(&w);
}

TEST(strings_are_written_inside_the_memory_only)
{
	struct world w;

	CHECK_OK(world_start(&w, t, &with_strings));
	CHECK(CALL(&w, args_sizes_get, WORLD_MEMORY - 3, 0) == WASI_EFAULT);
	CHECK(CALL(&w, args_sizes_get, 0, UINT32_MAX) == WASI_EFAULT);
	CHECK(CALL(&w, args_get, WORLD_MEMORY - 12, 0) == WASI_OK);
	CHECK(CALL(&w, args_get, WORLD_MEMORY - 11, 0) == WASI_EFAULT);
	CHECK(CALL(&w, args_get, 0, WORLD_MEMORY - 18) == WASI_EFAULT);
	CHECK(CALL(&w, args_get, 0, UINT32_MAX) == WASI_EFAULT);
	CHECK(CALL(&w, environ_get, UINT32_MAX - 1, 0) == WASI_EFAULT);
	world_stop(&w);
}

TEST(clocks_tell_time)
{
	struct world w;

	CHECK_OK(world_start(&w, t, NULL));
	for (uint32_t clock = 0; clock < WASI_CLOCK_COUNT; clock++) {
		uint64_t first;

		CHECK(CALL(&w, clock_res_get, clock, 0) == WASI_OK && world_u64(&w, 0) > 0);
		CHECK(CALL(&w, clock_time_get, clock, 1, 8) == WASI_OK);
		first = world_u64(&w, 8);
		CHECK(CALL(&w, clock_time_get, clock, 1, 8) == WASI_OK);
		CHECK(world_u64(&w, 8) >= first);
		CHECK(CALL(&w, clock_time_get, clock, 1, WORLD_MEMORY - 7) == WASI_EFAULT);
	}
	CHECK(CALL(&w, clock_time_get, WASI_CLOCK_REALTIME, 1, 8) == WASI_OK);
	CHECK(world_u64(&w, 8) > UINT64_C(1700000000000000000));
	CHECK(CALL(&w, clock_time_get, WASI_CLOCK_COUNT, 1, 8) == WASI_EINVAL);
	CHECK(CALL(&w, clock_res_get, UINT32_MAX, 8) == WASI_EINVAL);
	world_stop(&w);
}

TEST(random_fills_what_was_asked_and_no_more)
{
	struct world w;
	unsigned zeros = 0;

	CHECK_OK(world_start(&w, t, NULL));
	memset(world_at(&w, 0), 0, 2000);
	CHECK(CALL(&w, random_get, 0, 1000) == WASI_OK);
	for (uint32_t i = 0; i < 1000; i++)
		zeros += *world_at(&w, i) == 0;
	CHECK(zeros < 40);
	for (uint32_t i = 1000; i < 2000; i++)
		CHECK(*world_at(&w, i) == 0);
	CHECK(CALL(&w, random_get, WORLD_MEMORY, 0) == WASI_OK);
	CHECK(CALL(&w, random_get, WORLD_MEMORY, 1) == WASI_EFAULT);
	CHECK(CALL(&w, random_get, 1, UINT32_MAX) == WASI_EFAULT);
	world_stop(&w);
}

TEST(exit_ends_the_run_with_its_status)
{
	struct world w;

	CHECK_OK(world_start(&w, t, NULL));
	(void)CALL(&w, proc_exit, 77);
	CHECK(engine_trap_of(w.err) == ENGINE_TRAP_EXIT && engine_trap_status(w.err) == 77);
	(void)CALL(&w, proc_exit, 0);
	CHECK(engine_trap_of(w.err) == ENGINE_TRAP_EXIT && engine_trap_status(w.err) == 0);
	CHECK(CALL(&w, sched_yield) == WASI_OK && !lb_failed(w.err));
	CHECK(CALL(&w, proc_raise, 6) == WASI_ENOTSUP);
	world_stop(&w);
}

/* ---- sockets ---- */

TEST(what_is_no_socket_is_refused)
{
	struct world w;

	CHECK_OK(world_start(&w, t, NULL));
	CHECK(CALL(&w, sock_accept, FD_FOLDER, 0, 0) == WASI_ENOTSOCK);
	CHECK(CALL(&w, sock_recv, FD_FOLDER, 0, 0, 0, 0, 0) == WASI_ENOTSOCK);
	CHECK(CALL(&w, sock_send, FD_FOLDER, 0, 0, 0, 0) == WASI_ENOTSOCK);
	CHECK(CALL(&w, sock_shutdown, 99, 0) == WASI_EBADF);
	world_stop(&w);
}

enum { FD_LISTENER = 3 };

/* A program with a listening socket, and the other end of a connection to it. */
static bool served(struct world *w, struct test *t, int *listener, int *client)
{
	struct wasi_options options = { .sockets = listener, .socket_count = 1 };
	uint16_t port = 0;

	CHECK_OK(plat_socket_listen(listener, "127.0.0.1", 0));
	CHECK_OK(plat_socket_port(&port, *listener));
	CHECK_OK(plat_socket_connect(client, "127.0.0.1", port));
	CHECK_OK(world_start(w, t, &options));
	CHECK(CALL(w, sock_accept, FD_LISTENER, 0, AT_ANSWER) == WASI_OK);
	return *listener >= 0 && *client >= 0;
}

static void unserve(struct world *w, int listener, int client)
{
	world_stop(w);
	(void)close(listener);
	(void)close(client);
}

TEST(sockets_that_are_given_accept_receive_and_send)
{
	struct world w;
	int listener = -1, client = -1;
	uint32_t fd;
	char answer[8] = { 0 };

	if (!served(&w, t, &listener, &client))
		return;
	fd = world_u32(&w, AT_ANSWER);
	CHECK(write(client, "hello", 5) == 5);
	world_piece(&w, 100);
	CHECK(CALL(&w, sock_recv, fd, AT_PIECES, 1, WASI_RIFLAG_PEEK, AT_ANSWER, AT_ANSWER + 4) ==
	      WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 5 && memcmp(world_at(&w, AT_DATA), "hello", 5) == 0);
	world_piece(&w, 5);
	CHECK(CALL(&w, sock_recv, fd, AT_PIECES, 1, WASI_RIFLAG_WAITALL, AT_ANSWER,
	           AT_ANSWER + 4) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 5);
	CHECK(CALL(&w, sock_send, fd, AT_PIECES, 1, 0, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 5 && read(client, answer, 5) == 5);
	CHECK_TEXT(answer, "hello");
	CHECK(CALL(&w, fd_write, fd, AT_PIECES, 1, AT_ANSWER) == WASI_OK);
	CHECK(CALL(&w, sock_shutdown, fd, WASI_SHUT_WRITE) == WASI_OK);
	CHECK(read(client, answer, 8) == 5 && read(client, answer, 8) == 0);
	CHECK(CALL(&w, sock_send, fd, AT_PIECES, 1, 0, AT_ANSWER) == WASI_EPIPE);
	CHECK(CALL(&w, fd_write, fd, AT_PIECES, 1, AT_ANSWER) == WASI_EPIPE);
	CHECK(CALL(&w, fd_close, fd) == WASI_OK);
	unserve(&w, listener, client);
}

TEST(calls_of_sockets_refuse_what_is_wrong)
{
	struct world w;
	int listener = -1, client = -1;
	uint32_t fd;

	if (!served(&w, t, &listener, &client))
		return;
	fd = world_u32(&w, AT_ANSWER);
	world_piece(&w, 5);
	CHECK(CALL(&w, sock_recv, fd, AT_PIECES, 1, 4, AT_ANSWER, AT_ANSWER) == WASI_EINVAL);
	CHECK(CALL(&w, sock_recv, fd, AT_PIECES, 1, 0, WORLD_MEMORY - 3, 0) == WASI_EFAULT);
	CHECK(CALL(&w, sock_recv, fd, AT_PIECES, 1, 0, 0, WORLD_MEMORY - 1) == WASI_EFAULT);
	CHECK(CALL(&w, sock_recv, fd, WORLD_MEMORY - 7, 1, 0, 0, 4) == WASI_EFAULT);
	CHECK(CALL(&w, sock_recv, FD_LISTENER, AT_PIECES, 1, 0, 0, 4) == WASI_ENOTCONN);
	CHECK(CALL(&w, sock_send, fd, AT_PIECES, 1, 1, AT_ANSWER) == WASI_EINVAL);
	CHECK(CALL(&w, sock_send, fd, AT_PIECES, 1, 0, WORLD_MEMORY - 3) == WASI_EFAULT);
	CHECK(CALL(&w, sock_send, fd, WORLD_MEMORY - 7, 1, 0, 0) == WASI_EFAULT);
	CHECK(CALL(&w, sock_shutdown, fd, 0) == WASI_EINVAL);
	CHECK(CALL(&w, sock_shutdown, fd, 4) == WASI_EINVAL);
	CHECK(CALL(&w, sock_accept, FD_LISTENER, WASI_FDFLAG_APPEND, 0) == WASI_EINVAL);
	CHECK(CALL(&w, sock_accept, FD_LISTENER, 0, WORLD_MEMORY - 3) == WASI_EFAULT);
	CHECK(CALL(&w, sock_accept, fd, 0, 0) == WASI_EINVAL); /* it does not listen */
	CHECK(CALL(&w, fd_fdstat_set_flags, FD_LISTENER, WASI_FDFLAG_NONBLOCK) == WASI_OK);
	CHECK(CALL(&w, sock_accept, FD_LISTENER, 0, 0) == WASI_EAGAIN);
	CHECK(CALL(&w, fd_fdstat_set_rights, fd, WASI_RIGHT_FD_FILESTAT_GET, 0) == WASI_OK);
	CHECK(CALL(&w, sock_recv, fd, AT_PIECES, 1, 0, 0, 4) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, sock_send, fd, AT_PIECES, 1, 0, 0) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, sock_shutdown, fd, 1) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, sock_accept, fd, 0, 0) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, fd_fdstat_get, FD_LISTENER, AT_ANSWER) == WASI_OK);
	CHECK(*world_at(&w, AT_ANSWER) == WASI_FILETYPE_SOCKET_STREAM);
	unserve(&w, listener, client);
}

/* A function of "lifeboat_net", called as the instance of `w` would. */
static enum wasi_errno net(struct world *w, const char *name, const uint32_t *given, size_t count)
{
	struct wasm module;
	struct engine_module *m = NULL;
	struct engine_instance *instance = NULL;
	union engine_value values[4], result = { .i32 = 0 };
	unsigned char code[16];
	size_t len = 0;

	wasm_init(&module);
	wasm_add(&module, WASM_IMPORT,
	         LB_B("\x03"
	              "box\x06memory\x02\x00\x01"));
	wasm_import_func(&module, "lifeboat_net", name,
	                 wasm_type(&module, count == 4 ? "iiii:i" : "ii:i"));
	for (size_t i = 0; i < count; i++) {
		values[i] = (union engine_value){ .i32 = given[i] };
		code[len++] = 0x20;
		code[len++] = (unsigned char)i;
	}
	code[len++] = 0x10;
	code[len++] = 0;
	wasm_func(&module, 0, 0, (struct lb_bytes){ code, len });
	wasm_export(&module, "f", ENGINE_FUNC, 1);
	wasm_export(&module, "memory", ENGINE_MEMORY, 0);
	w->err = engine_module_new(&m, &lb_mem_host, wasm_bytes(&module), NULL, NULL);
	wasm_release(&module);
	if (!lb_failed(w->err))
		w->err = engine_linker_add_instance(w->linker, LB_B("box"), w->instance);
	if (!lb_failed(w->err))
		w->err = engine_linker_instantiate(&instance, w->linker, m, NULL);
	if (!lb_failed(w->err))
		w->err = engine_func_call(engine_instance_find_func(instance, LB_B("f")), values,
		                          (uint32_t)count, &result, 1);
	w->extra[w->extra_count++] = m; /* must outlive the store */
	return lb_failed(w->err) ? WASI_ENOSYS : (enum wasi_errno)result.i32;
}
#define NET(w, name, ...) \
	net((w), #name, (const uint32_t[]){ __VA_ARGS__ }, \
	    sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

TEST(the_network_is_there_where_it_is_allowed)
{
	static const struct wasi_options allowed = { .allow_net = true };
	struct world w;
	uint32_t listener, port, client;

	CHECK_OK(world_start(&w, t, NULL));
	CHECK(NET(&w, listen, PATH(&w, "127.0.0.1"), 0, AT_ANSWER) == WASI_ENOSYS);
	CHECK(lb_code_of(w.err) == LB_E_UNLINKABLE);
	world_stop(&w);
	CHECK_OK(world_start(&w, t, &allowed));
	CHECK(NET(&w, listen, PATH(&w, "127.0.0.1"), 0, AT_ANSWER) == WASI_OK);
	listener = world_u32(&w, AT_ANSWER);
	CHECK(NET(&w, port, listener, AT_ANSWER) == WASI_OK);
	port = world_u32(&w, AT_ANSWER);
	CHECK(NET(&w, connect, PATH(&w, "127.0.0.1"), port, AT_ANSWER) == WASI_OK);
	client = world_u32(&w, AT_ANSWER);
	CHECK(CALL(&w, sock_accept, listener, 0, AT_ANSWER) == WASI_OK);
	world_piece(&w, 3);
	memcpy(world_at(&w, AT_DATA), "abc", 3);
	CHECK(CALL(&w, sock_send, client, AT_PIECES, 1, 0, AT_ANSWER + 8) == WASI_OK);
	memset(world_at(&w, AT_DATA), 0, 3);
	CHECK(CALL(&w, sock_recv, world_u32(&w, AT_ANSWER), AT_PIECES, 1, 0, AT_ANSWER + 8,
	           AT_ANSWER + 12) == WASI_OK);
	CHECK(memcmp(world_at(&w, AT_DATA), "abc", 3) == 0);
	CHECK(NET(&w, port, FD_FOLDER, AT_ANSWER) == WASI_ENOTSOCK);
	CHECK(NET(&w, port, listener, WORLD_MEMORY - 3) == WASI_EFAULT);
	CHECK(NET(&w, listen, PATH(&w, "127.0.0.1"), port, AT_ANSWER) == WASI_EADDRINUSE);
	CHECK(NET(&w, listen, PATH(&w, "127.0.0.1"), 65536, AT_ANSWER) == WASI_EINVAL);
	CHECK(NET(&w, listen, PATH(&w, "127.0.0.1"), 0, WORLD_MEMORY - 3) == WASI_EFAULT);
	CHECK(CALL(&w, fd_close, listener) == WASI_OK);
	CHECK(NET(&w, connect, PATH(&w, "127.0.0.1"), port, AT_ANSWER) == WASI_ECONNREFUSED);
	CHECK(NET(&w, connect, PATH(&w, "no such host"), 1, AT_ANSWER) == WASI_ENOENT);
	world_stop(&w);
}

/* ---- content ---- */

TEST(files_are_written_read_and_sought)
{
	struct world w;
	uint32_t fd;

	CHECK_OK(world_start(&w, t, NULL));
	fd = world_opened(&w, FD_FOLDER, "file", WASI_OFLAG_CREAT, BOTH);
	CHECK(fd == 5);
	(void)world_text(&w, AT_DATA, "hello world");
	world_piece(&w, 11);
	CHECK(CALL(&w, fd_write, fd, AT_PIECES, 1, 0) == WASI_OK && world_u32(&w, 0) == 11);
	CHECK(CALL(&w, fd_tell, fd, 0) == WASI_OK && world_u64(&w, 0) == 11);
	CHECK(CALL(&w, fd_seek, fd, (uint64_t)-5, 2, 0) == WASI_OK && world_u64(&w, 0) == 6);
	world_piece(&w, 100);
	CHECK(CALL(&w, fd_read, fd, AT_PIECES, 1, 0) == WASI_OK && world_u32(&w, 0) == 5);
	CHECK(memcmp(world_at(&w, AT_DATA), "world", 5) == 0);
	CHECK(CALL(&w, fd_read, fd, AT_PIECES, 1, 0) == WASI_OK && world_u32(&w, 0) == 0);
	CHECK(CALL(&w, fd_pread, fd, AT_PIECES, 1, 1, 0) == WASI_OK && world_u32(&w, 0) == 10);
	CHECK(memcmp(world_at(&w, AT_DATA), "ello world", 10) == 0);
	world_piece(&w, 4);
	CHECK(CALL(&w, fd_pwrite, fd, AT_PIECES, 1, 20, 0) == WASI_OK && world_u32(&w, 0) == 4);
	CHECK(CALL(&w, fd_tell, fd, 0) == WASI_OK && world_u64(&w, 0) == 11);
	CHECK(CALL(&w, fd_filestat_get, fd, 0) == WASI_OK && world_u64(&w, 32) == 24);
	CHECK(*world_at(&w, 16) == WASI_FILETYPE_REGULAR_FILE && world_u64(&w, 24) == 1);
	CHECK(CALL(&w, fd_filestat_set_size, fd, 3) == WASI_OK);
	CHECK(CALL(&w, fd_filestat_get, fd, 0) == WASI_OK && world_u64(&w, 32) == 3);
	CHECK(CALL(&w, fd_allocate, fd, 0, 100) == WASI_OK);
	CHECK(CALL(&w, fd_filestat_get, fd, 0) == WASI_OK && world_u64(&w, 32) == 100);
	CHECK(CALL(&w, fd_sync, fd) == WASI_OK && CALL(&w, fd_datasync, fd) == WASI_OK);
	CHECK(CALL(&w, fd_advise, fd, 0, 0, 3) == WASI_OK);
	CHECK(CALL(&w, fd_close, fd) == WASI_OK && CALL(&w, fd_close, fd) == WASI_EBADF);
	world_stop(&w);
}

TEST(content_calls_refuse_what_is_wrong)
{
	struct world w;
	uint32_t fd;

	CHECK_OK(world_start(&w, t, NULL));
	fd = world_opened(&w, FD_FOLDER, "file", WASI_OFLAG_CREAT, BOTH);
	world_piece(&w, 4);
	CHECK(CALL(&w, fd_read, 99, AT_PIECES, 1, 0) == WASI_EBADF);
	CHECK(CALL(&w, fd_write, UINT32_MAX, AT_PIECES, 1, 0) == WASI_EBADF);
	CHECK(CALL(&w, fd_read, FD_FOLDER, AT_PIECES, 1, 0) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, fd_seek, fd, 0, 3, 0) == WASI_EINVAL);
	CHECK(CALL(&w, fd_seek, fd, (uint64_t)-1, 0, 0) == WASI_EINVAL);
	CHECK(CALL(&w, fd_seek, FD_FOLDER, 0, 0, 0) == WASI_EBADF);
	CHECK(CALL(&w, fd_tell, FD_FOLDER, 0) == WASI_EBADF);
	CHECK(CALL(&w, fd_pread, fd, AT_PIECES, 1, UINT64_MAX, 0) == WASI_EINVAL);
	CHECK(CALL(&w, fd_pwrite, fd, AT_PIECES, 1, UINT64_MAX, 0) == WASI_EINVAL);
	CHECK(CALL(&w, fd_filestat_set_size, fd, UINT64_MAX) == WASI_EINVAL);
	CHECK(CALL(&w, fd_allocate, fd, 0, 0) == WASI_EINVAL);
	CHECK(CALL(&w, fd_allocate, fd, UINT64_MAX, 2) == WASI_EINVAL);
	CHECK(CALL(&w, fd_advise, fd, 0, 0, 6) == WASI_EINVAL);
	CHECK(CALL(&w, fd_advise, FD_FOLDER, 0, 0, 0) == WASI_EBADF);
	CHECK(CALL(&w, fd_filestat_set_times, fd, 0, 0, WASI_FST_ATIM | WASI_FST_ATIM_NOW) ==
	      WASI_EINVAL);
	CHECK(CALL(&w, fd_filestat_set_times, fd, 0, 0, 16) == WASI_EINVAL);
	world_stop(&w);
}

TEST(pieces_are_checked_before_anything_is_done)
{
	struct world w;
	uint32_t fd;

	CHECK_OK(world_start(&w, t, NULL));
	fd = world_opened(&w, FD_FOLDER, "file", WASI_OFLAG_CREAT, BOTH);
	world_piece(&w, WORLD_MEMORY - AT_DATA);
	CHECK(CALL(&w, fd_write, fd, AT_PIECES, 1, 0) == WASI_OK);
	world_piece(&w, WORLD_MEMORY - AT_DATA + 1);
	CHECK(CALL(&w, fd_write, fd, AT_PIECES, 1, 0) == WASI_EFAULT);
	world_piece(&w, UINT32_MAX);
	CHECK(CALL(&w, fd_read, fd, AT_PIECES, 1, 0) == WASI_EFAULT);
	world_piece(&w, 4);
	CHECK(CALL(&w, fd_write, fd, AT_PIECES, 1, WORLD_MEMORY - 3) == WASI_EFAULT);
	CHECK(CALL(&w, fd_write, fd, WORLD_MEMORY - 7, 1, 0) == WASI_EFAULT);
	CHECK(CALL(&w, fd_write, fd, AT_PIECES, UINT32_MAX, 0) == WASI_EINVAL);
	CHECK(CALL(&w, fd_write, fd, WORLD_MEMORY - 8, 1024, 0) == WASI_EFAULT);
	CHECK(CALL(&w, fd_filestat_get, fd, 0) == WASI_OK);
	CHECK(world_u64(&w, 32) == WORLD_MEMORY - AT_DATA);
	world_stop(&w);
}

TEST(many_pieces_are_moved_in_parts_and_empty_ones_are_no_end)
{
	enum { COUNT = 200 };
	struct world w;
	uint32_t fd;

	CHECK_OK(world_start(&w, t, NULL));
	fd = world_opened(&w, FD_FOLDER, "file", WASI_OFLAG_CREAT, BOTH);
	for (uint32_t i = 0; i < COUNT; i++) {
		world_set_u32(&w, AT_DATA + i * 8, AT_PATH + i);
		world_set_u32(&w, AT_DATA + i * 8 + 4, i < COUNT / 2 ? 0 : 1);
		*world_at(&w, AT_PATH + i) = (unsigned char)i;
	}
	CHECK(CALL(&w, fd_write, fd, AT_DATA, COUNT, 0) == WASI_OK && world_u32(&w, 0) == 64);
	CHECK(CALL(&w, fd_seek, fd, 0, 0, 8) == WASI_OK);
	memset(world_at(&w, AT_PATH), 0, COUNT);
	CHECK(CALL(&w, fd_read, fd, AT_DATA, COUNT, 0) == WASI_OK && world_u32(&w, 0) == 64);
	CHECK(*world_at(&w, AT_PATH + 100) == 100 && *world_at(&w, AT_PATH + 163) == 163);
	CHECK(CALL(&w, fd_write, fd, AT_DATA, 0, 0) == WASI_OK && world_u32(&w, 0) == 0);
	world_stop(&w);
}

/* ---- descriptors ---- */

TEST(granted_folders_say_their_names)
{
	struct world w;

	CHECK_OK(world_start(&w, t, NULL));
	CHECK(CALL(&w, fd_prestat_get, FD_FOLDER, 0) == WASI_OK);
	CHECK(*world_at(&w, 0) == 0 && world_u32(&w, 4) == 4);
	CHECK(CALL(&w, fd_prestat_dir_name, FD_FOLDER, 8, 4) == WASI_OK);
	CHECK(memcmp(world_at(&w, 8), "/box", 4) == 0);
	CHECK(CALL(&w, fd_prestat_dir_name, FD_FOLDER, 8, 3) == WASI_ENAMETOOLONG);
	CHECK(CALL(&w, fd_prestat_dir_name, FD_FOLDER, WORLD_MEMORY - 3, 4) == WASI_EFAULT);
	CHECK(CALL(&w, fd_prestat_get, 1, 0) == WASI_EBADF);
	CHECK(CALL(&w, fd_prestat_get, 5, 0) == WASI_EBADF);
	world_stop(&w);
}

TEST(numbers_are_lowest_first_and_can_be_moved)
{
	struct world w;
	uint32_t a, b;

	CHECK_OK(world_start(&w, t, NULL));
	a = world_opened(&w, FD_FOLDER, "a", WASI_OFLAG_CREAT, BOTH);
	b = world_opened(&w, FD_FOLDER, "b", WASI_OFLAG_CREAT, BOTH);
	CHECK(a == 5 && b == 6 && CALL(&w, fd_close, a) == WASI_OK);
	CHECK(world_opened(&w, FD_FOLDER, "a", 0, BOTH) == a);
	CHECK(CALL(&w, fd_renumber, a, b) == WASI_OK);
	CHECK(CALL(&w, fd_filestat_get, a, 0) == WASI_EBADF);
	CHECK(CALL(&w, fd_filestat_get, b, 0) == WASI_OK);
	CHECK(CALL(&w, fd_renumber, b, b) == WASI_OK);
	CHECK(CALL(&w, fd_renumber, b, 50) == WASI_EBADF);
	CHECK(CALL(&w, fd_renumber, 50, b) == WASI_EBADF);
	world_stop(&w);
}

TEST(the_program_cannot_close_what_it_was_lent)
{
	int ends[2], streams[3] = { -1, -1, -1 };
	struct wasi_options options = { .streams = streams };
	struct world w;
	char got = 0;

	CHECK(pipe(ends) == 0);
	streams[1] = ends[1];
	CHECK_OK(world_start(&w, t, &options));
	CHECK(CALL(&w, fd_close, 0) == WASI_EBADF);
	CHECK(CALL(&w, fd_close, 1) == WASI_OK && CALL(&w, fd_close, 1) == WASI_EBADF);
	world_stop(&w);
	CHECK(write(ends[1], "x", 1) == 1 && read(ends[0], &got, 1) == 1 && got == 'x');
	(void)close(ends[0]);
	(void)close(ends[1]);
}

TEST(a_closed_pipe_is_an_errno)
{
	int ends[2], streams[3] = { -1, -1, -1 };
	struct wasi_options options = { .streams = streams };
	struct world w;

	(void)signal(SIGPIPE, SIG_IGN);
	CHECK(pipe(ends) == 0);
	(void)close(ends[0]);
	streams[1] = ends[1];
	CHECK_OK(world_start(&w, t, &options));
	world_piece(&w, 4);
	CHECK(CALL(&w, fd_write, 1, AT_PIECES, 1, 0) == WASI_EPIPE);
	CHECK(CALL(&w, fd_seek, 1, 0, 0, 0) == WASI_ESPIPE);
	world_stop(&w);
	(void)close(ends[1]);
}

TEST(rights_only_shrink)
{
	struct world w;
	uint32_t fd;
	uint64_t less = BOTH & ~(uint64_t)WASI_RIGHT_FD_WRITE;

	CHECK_OK(world_start(&w, t, NULL));
	fd = world_opened(&w, FD_FOLDER, "file", WASI_OFLAG_CREAT, BOTH);
	CHECK(CALL(&w, fd_fdstat_get, fd, 0) == WASI_OK && world_u64(&w, 8) == BOTH);
	CHECK(CALL(&w, fd_fdstat_set_rights, fd, less, 0) == WASI_OK);
	CHECK(CALL(&w, fd_fdstat_get, fd, 0) == WASI_OK && world_u64(&w, 8) == less);
	world_piece(&w, 1);
	CHECK(CALL(&w, fd_write, fd, AT_PIECES, 1, 0) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, fd_fdstat_set_rights, fd, BOTH, 0) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, fd_fdstat_set_rights, fd, less, 1) == WASI_ENOTCAPABLE);
	/* What a folder does not hand on, nothing in it has. */
	CHECK(CALL(&w, fd_fdstat_get, FD_FOLDER, 0) == WASI_OK);
	CHECK(CALL(&w, fd_fdstat_set_rights, FD_FOLDER, world_u64(&w, 8), less) == WASI_OK);
	CHECK(world_open(&w, FD_FOLDER, "file", 0, WASI_RIGHT_FD_WRITE, 0) == WASI_ENOTCAPABLE);
	CHECK(world_open(&w, FD_FOLDER, "file", 0, WASI_RIGHT_FD_READ, 0) == WASI_OK);
	CHECK(CALL(&w, fd_fdstat_set_rights, FD_FOLDER, 0, 0) == WASI_OK);
	CHECK(world_open(&w, FD_FOLDER, "file", 0, 0, 0) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, path_unlink_file, FD_FOLDER, PATH(&w, "file")) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, fd_readdir, FD_FOLDER, 0, 100, 0, 200) == WASI_ENOTCAPABLE);
	world_stop(&w);
}

TEST(flags_are_those_of_the_file)
{
	struct world w;
	uint32_t fd;

	CHECK_OK(world_start(&w, t, NULL));
	CHECK(world_open(&w, FD_FOLDER, "log", WASI_OFLAG_CREAT, BOTH, WASI_FDFLAG_APPEND) ==
	      WASI_OK);
	fd = world_u32(&w, AT_ANSWER);
	CHECK(CALL(&w, fd_fdstat_get, fd, 0) == WASI_OK && *world_at(&w, 2) == WASI_FDFLAG_APPEND);
	CHECK(*world_at(&w, 0) == WASI_FILETYPE_REGULAR_FILE);
	CHECK(CALL(&w, fd_fdstat_set_flags, fd, WASI_FDFLAG_NONBLOCK) == WASI_OK);
	CHECK(CALL(&w, fd_fdstat_get, fd, 0) == WASI_OK &&
	      *world_at(&w, 2) == WASI_FDFLAG_NONBLOCK);
	CHECK(CALL(&w, fd_fdstat_set_flags, fd, WASI_FDFLAG_SYNC) == WASI_ENOTSUP);
	CHECK(CALL(&w, fd_fdstat_set_flags, fd, 32) == WASI_EINVAL);
	CHECK(world_open(&w, FD_FOLDER, "log", 0, BOTH, WASI_FDFLAG_SYNC) == WASI_OK);
	CHECK(CALL(&w, fd_fdstat_get, world_u32(&w, AT_ANSWER), 0) == WASI_OK);
	CHECK((*world_at(&w, 2) & WASI_FDFLAG_SYNC) != 0);
	world_stop(&w);
}

/* ---- names ---- */

TEST(names_are_made_moved_and_removed)
{
	struct world w;

	CHECK_OK(world_start(&w, t, NULL));
	CHECK(CALL(&w, path_create_directory, FD_FOLDER, PATH(&w, "d")) == WASI_OK);
	CHECK(CALL(&w, path_create_directory, FD_FOLDER, PATH(&w, "d")) == WASI_EEXIST);
	CHECK(CALL(&w, path_create_directory, FD_FOLDER, PATH(&w, "no/d")) == WASI_ENOENT);
	(void)world_opened(&w, FD_FOLDER, "d/file", WASI_OFLAG_CREAT | WASI_OFLAG_EXCL, BOTH);
	CHECK(world_open(&w, FD_FOLDER, "d/file", WASI_OFLAG_CREAT | WASI_OFLAG_EXCL, BOTH, 0) ==
	      WASI_EEXIST);
	CHECK(world_open(&w, FD_FOLDER, "d/file", WASI_OFLAG_DIRECTORY, 0, 0) == WASI_ENOTDIR);
	CHECK(world_open(&w, FD_FOLDER, "d/file/x", 0, 0, 0) == WASI_ENOTDIR);
	CHECK(world_open(&w, FD_FOLDER, "d", 0, WASI_RIGHT_FD_WRITE, 0) == WASI_EISDIR);
	CHECK(CALL(&w, path_rename, FD_FOLDER, PATH(&w, "d/file"), FD_FOLDER, PATH_2(&w, "f2")) ==
	      WASI_OK);
	CHECK(CALL(&w, path_rename, FD_FOLDER, PATH(&w, "d/file"), FD_FOLDER, PATH_2(&w, "f3")) ==
	      WASI_ENOENT);
	CHECK(CALL(&w, path_link, FD_FOLDER, 0, PATH(&w, "f2"), FD_FOLDER, PATH_2(&w, "d/two")) ==
	      WASI_OK);
	CHECK(CALL(&w, path_link, FD_FOLDER, 0, PATH(&w, "f2"), FD_FOLDER, PATH_2(&w, "d/two")) ==
	      WASI_EEXIST);
	CHECK(CALL(&w, path_link, FD_FOLDER, 1, PATH(&w, "f2"), FD_FOLDER, PATH_2(&w, "l")) ==
	      WASI_EINVAL);
	CHECK(CALL(&w, path_filestat_get, FD_FOLDER, 0, PATH(&w, "d/two"), 0) == WASI_OK);
	CHECK(world_u64(&w, 24) == 2);
	CHECK(CALL(&w, path_remove_directory, FD_FOLDER, PATH(&w, "d")) == WASI_ENOTEMPTY);
	CHECK(CALL(&w, path_remove_directory, FD_FOLDER, PATH(&w, "f2")) == WASI_ENOTDIR);
	CHECK(CALL(&w, path_unlink_file, FD_FOLDER, PATH(&w, "d")) == WASI_EISDIR);
	CHECK(CALL(&w, path_unlink_file, FD_FOLDER, PATH(&w, "d/two")) == WASI_OK);
	CHECK(CALL(&w, path_remove_directory, FD_FOLDER, PATH(&w, "d")) == WASI_OK);
	CHECK(CALL(&w, path_unlink_file, FD_FOLDER, PATH(&w, "d/two")) == WASI_ENOENT);
	world_stop(&w);
}

TEST(paths_are_checked)
{
	static const char *const bad_utf8 = "a\xff";
	struct world w;

	CHECK_OK(world_start(&w, t, NULL));
	CHECK(world_open(&w, FD_FOLDER, "", 0, 0, 0) == WASI_ENOENT);
	CHECK(world_open(&w, FD_FOLDER, bad_utf8, WASI_OFLAG_CREAT, 0, 0) == WASI_EILSEQ);
	memcpy(world_at(&w, AT_PATH), "a\0b", 3);
	CHECK(CALL(&w, path_open, FD_FOLDER, 0, AT_PATH, 3, WASI_OFLAG_CREAT, 0, 0, 0, AT_ANSWER) ==
	      WASI_EINVAL);
	memset(world_at(&w, AT_PATH), 'x', 8192);
	CHECK(CALL(&w, path_open, FD_FOLDER, 0, AT_PATH, 256, 0, 0, 0, 0, AT_ANSWER) ==
	      WASI_ENAMETOOLONG);
	CHECK(CALL(&w, path_create_directory, FD_FOLDER, AT_PATH, 256) == WASI_ENAMETOOLONG);
	CHECK(CALL(&w, path_create_directory, FD_FOLDER, AT_PATH, 8000) == WASI_ENAMETOOLONG);
	CHECK(CALL(&w, path_create_directory, FD_FOLDER, WORLD_MEMORY - 1, 2) == WASI_EFAULT);
	CHECK(CALL(&w, path_create_directory, FD_FOLDER, 8, UINT32_MAX) == WASI_EFAULT);
	CHECK(CALL(&w, path_create_directory, 1, PATH(&w, "d")) == WASI_ENOTDIR);
	CHECK(CALL(&w, path_create_directory, 9, PATH(&w, "d")) == WASI_EBADF);
	CHECK(CALL(&w, path_open, FD_FOLDER, 2, PATH(&w, "f"), 0, 0, 0, 0, AT_ANSWER) ==
	      WASI_EINVAL);
	CHECK(CALL(&w, path_open, FD_FOLDER, 0, PATH(&w, "f"), 16, 0, 0, 0, AT_ANSWER) ==
	      WASI_EINVAL);
	CHECK(CALL(&w, path_open, FD_FOLDER, 0, PATH(&w, "f"),
	           WASI_OFLAG_CREAT | WASI_OFLAG_DIRECTORY, 0, 0, 0, AT_ANSWER) == WASI_EINVAL);
	CHECK(CALL(&w, path_open, FD_FOLDER, 0, PATH(&w, "f"), WASI_OFLAG_CREAT, BOTH, 0, 0,
	           WORLD_MEMORY - 3) == WASI_EFAULT);
	CHECK(CALL(&w, path_filestat_get, FD_FOLDER, 0, PATH(&w, "f"), 0) == WASI_ENOENT);
	CHECK(CALL(&w, path_filestat_get, FD_FOLDER, 2, PATH(&w, "."), 0) == WASI_EINVAL);
	world_stop(&w);
}

TEST(links_are_read_and_followed_below)
{
	struct world w;

	CHECK_OK(world_start(&w, t, NULL));
	(void)world_opened(&w, FD_FOLDER, "file", WASI_OFLAG_CREAT, BOTH);
	CHECK(CALL(&w, path_symlink, PATH(&w, "file"), FD_FOLDER, PATH_2(&w, "link")) == WASI_OK);
	CHECK(CALL(&w, path_readlink, FD_FOLDER, PATH(&w, "link"), 0, 64, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 4 && memcmp(world_at(&w, 0), "file", 4) == 0);
	CHECK(CALL(&w, path_readlink, FD_FOLDER, PATH(&w, "link"), 0, 2, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 2);
	CHECK(CALL(&w, path_readlink, FD_FOLDER, PATH(&w, "file"), 0, 64, AT_ANSWER) ==
	      WASI_EINVAL);
	CHECK(CALL(&w, path_filestat_get, FD_FOLDER, 0, PATH(&w, "link"), 0) == WASI_OK);
	CHECK(*world_at(&w, 16) == WASI_FILETYPE_SYMBOLIC_LINK);
	CHECK(CALL(&w, path_filestat_get, FD_FOLDER, 1, PATH(&w, "link"), 0) == WASI_OK);
	CHECK(*world_at(&w, 16) == WASI_FILETYPE_REGULAR_FILE);
	CHECK(world_open(&w, FD_FOLDER, "link", 0, READ, 0) == WASI_OK);
	CHECK(CALL(&w, path_open, FD_FOLDER, 0, PATH(&w, "link"), 0, READ, 0, 0, AT_ANSWER) ==
	      WASI_ELOOP);
	CHECK(CALL(&w, path_symlink, PATH(&w, "loop"), FD_FOLDER, PATH_2(&w, "loop")) == WASI_OK);
	CHECK(world_open(&w, FD_FOLDER, "loop", 0, READ, 0) == WASI_ELOOP);
	CHECK(CALL(&w, path_symlink, PATH(&w, "/etc/passwd"), FD_FOLDER, PATH_2(&w, "abs")) ==
	      WASI_ENOTCAPABLE);
	world_stop(&w);
}

TEST(nothing_outside_is_reached)
{
	static const char *const ways_out[] = {
		"..",           "../x",        "/",       "/etc/passwd", "d/../../x",
		"up/x",         "root/passwd", "d/out/x", "chain/x",     "d/../../../etc/passwd",
		"/proc/self/fd"
	};
	struct world w;

	CHECK_OK(world_start(&w, t, NULL));
	world_sh(&w, "mkdir d; ln -s .. up; ln -s /etc root; ln -s ../.. d/out; ln -s d/out chain;"
	             "ln -s /etc/passwd passwd; touch file");
	for (size_t i = 0; i < sizeof ways_out / sizeof ways_out[0]; i++) {
		const char *way = ways_out[i];
		char below[64];

		(void)snprintf(below, sizeof below, "%s/x", way);
		CHECK(world_open(&w, FD_FOLDER, way, 0, READ, 0) == WASI_ENOTCAPABLE);
		CHECK(world_open(&w, FD_FOLDER, way, WASI_OFLAG_CREAT, BOTH, 0) ==
		      WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_filestat_get, FD_FOLDER, 1, PATH(&w, way), 0) ==
		      WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_create_directory, FD_FOLDER, PATH(&w, below)) ==
		      WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_unlink_file, FD_FOLDER, PATH(&w, below)) == WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_remove_directory, FD_FOLDER, PATH(&w, below)) ==
		      WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_readlink, FD_FOLDER, PATH(&w, below), 0, 64, AT_ANSWER) ==
		      WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_filestat_set_times, FD_FOLDER, 1, PATH(&w, way), 0, 0,
		           WASI_FST_MTIM) == WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_rename, FD_FOLDER, PATH(&w, "file"), FD_FOLDER,
		           PATH_2(&w, below)) == WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_rename, FD_FOLDER, PATH(&w, below), FD_FOLDER,
		           PATH_2(&w, "got")) == WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_link, FD_FOLDER, 0, PATH(&w, below), FD_FOLDER,
		           PATH_2(&w, "got")) == WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_link, FD_FOLDER, 0, PATH(&w, "file"), FD_FOLDER,
		           PATH_2(&w, below)) == WASI_ENOTCAPABLE);
		CHECK(CALL(&w, path_symlink, PATH(&w, "file"), FD_FOLDER, PATH_2(&w, below)) ==
		      WASI_ENOTCAPABLE);
	}
	/* A link that leads out at the last name: followed never, but it can be asked about. */
	CHECK(world_open(&w, FD_FOLDER, "passwd", 0, READ, 0) == WASI_ENOTCAPABLE);
	CHECK(CALL(&w, path_filestat_get, FD_FOLDER, 0, PATH(&w, "passwd"), 0) == WASI_OK);
	/* Nor from a folder below. */
	CHECK(world_opened(&w, FD_FOLDER, "d", WASI_OFLAG_DIRECTORY, WASI_RIGHTS_DIRECTORY) == 5);
	CHECK(world_open(&w, 5, "../file", 0, READ, 0) == WASI_ENOTCAPABLE);
	CHECK(world_open(&w, FD_FOLDER, "d/../file", 0, READ, 0) == WASI_OK);
	CHECK(world_open(&w, FD_FOLDER, "d/../d/.././file", 0, READ, 0) == WASI_OK);
	world_stop(&w);
}

TEST(the_whole_file_system_is_there_where_it_is_allowed)
{
	static const struct wasi_options allowed = { .allow_host_fs = true };
	enum { FD_ROOT = 5, FD_HERE = 6 };
	struct world w;
	uint32_t fd;

	CHECK_OK(world_start(&w, t, &allowed));
	world_sh(&w, "echo content >file; mkdir -p sub; ln -s \"$PWD/file\" sub/absolute; ln -s "
	             "../file sub/up");
	CHECK(world_open(&w, FD_FOLDER, "sub/absolute", 0, READ, 0) == WASI_ENOTCAPABLE);
	fd = world_opened(&w, FD_ROOT, w.folder + 1, WASI_OFLAG_DIRECTORY, WASI_RIGHTS_DIRECTORY);
	CHECK(world_open(&w, fd, "sub/absolute", 0, 0, 0) == WASI_OK);
	CHECK(world_open(&w, fd, "sub/up", 0, 0, 0) == WASI_OK);
	CHECK(world_open(&w, fd, w.folder, WASI_OFLAG_DIRECTORY, 0, 0) == WASI_OK);
	CHECK(world_open(&w, FD_HERE, "..", WASI_OFLAG_DIRECTORY, 0, 0) == WASI_OK);
	CHECK(CALL(&w, path_symlink, PATH(&w, "/etc"), fd, PATH_2(&w, "absolute")) == WASI_OK);
	CHECK(CALL(&w, path_create_directory, fd, PATH(&w, "sub/../made/")) == WASI_OK);
	CHECK(CALL(&w, path_remove_directory, FD_FOLDER, PATH(&w, "made")) == WASI_OK);
	world_stop(&w);
}

TEST(a_read_only_folder_cannot_be_changed)
{
	struct world w;
	uint32_t d;

	CHECK_OK(world_start(&w, t, NULL));
	world_sh(&w, "mkdir d; echo text > d/file");
	d = world_opened(&w, FD_READ_ONLY, "d", WASI_OFLAG_DIRECTORY, WASI_RIGHTS_DIRECTORY);
	CHECK(world_open(&w, FD_READ_ONLY, "d/file", 0, READ, 0) == WASI_OK);
	CHECK(world_open(&w, FD_READ_ONLY, "d/file", WASI_OFLAG_CREAT, READ, 0) == WASI_OK);
	CHECK(world_open(&w, FD_READ_ONLY, "d/new", WASI_OFLAG_CREAT, READ, 0) == WASI_EROFS);
	CHECK(world_open(&w, FD_READ_ONLY, "d/file", 0, BOTH, 0) == WASI_EROFS);
	CHECK(world_open(&w, FD_READ_ONLY, "d/file", 0, WRITE, 0) == WASI_EROFS);
	CHECK(world_open(&w, FD_READ_ONLY, "d/file", WASI_OFLAG_TRUNC, READ, 0) == WASI_EROFS);
	CHECK(CALL(&w, fd_filestat_set_times, FD_READ_ONLY, 0, 0, WASI_FST_MTIM) == WASI_EROFS);
	CHECK(CALL(&w, path_filestat_set_times, FD_READ_ONLY, 0, PATH(&w, "d"), 0, 0,
	           WASI_FST_MTIM) == WASI_EROFS);
	CHECK(CALL(&w, path_create_directory, FD_READ_ONLY, PATH(&w, "e")) == WASI_EROFS);
	CHECK(CALL(&w, path_remove_directory, FD_READ_ONLY, PATH(&w, "d")) == WASI_EROFS);
	CHECK(CALL(&w, path_unlink_file, FD_READ_ONLY, PATH(&w, "d/file")) == WASI_EROFS);
	CHECK(CALL(&w, path_symlink, PATH(&w, "d"), FD_READ_ONLY, PATH_2(&w, "l")) == WASI_EROFS);
	/* Nor be a way to write through a folder that can. */
	CHECK(CALL(&w, path_link, FD_READ_ONLY, 0, PATH(&w, "d/file"), FD_FOLDER,
	           PATH_2(&w, "l")) == WASI_EROFS);
	CHECK(CALL(&w, path_rename, FD_READ_ONLY, PATH(&w, "d/file"), FD_FOLDER, PATH_2(&w, "l")) ==
	      WASI_EROFS);
	CHECK(CALL(&w, path_rename, FD_FOLDER, PATH(&w, "d/file"), FD_READ_ONLY, PATH_2(&w, "l")) ==
	      WASI_EROFS);
	/* Nor from a folder that was opened in it. */
	CHECK(CALL(&w, path_unlink_file, d, PATH(&w, "file")) == WASI_EROFS);
	CHECK(CALL(&w, path_filestat_get, FD_READ_ONLY, 0, PATH(&w, "d/file"), 0) == WASI_OK);
	CHECK(world_u64(&w, 32) == 5);
	world_stop(&w);
}

/* ---- times ---- */

TEST(times_are_set_as_told)
{
	struct world w;
	uint32_t fd;

	CHECK_OK(world_start(&w, t, NULL));
	fd = world_opened(&w, FD_FOLDER, "file", WASI_OFLAG_CREAT, BOTH);
	CHECK(CALL(&w, fd_filestat_set_times, fd, 1000000007, 2000000009,
	           WASI_FST_ATIM | WASI_FST_MTIM) == WASI_OK);
	CHECK(CALL(&w, fd_filestat_get, fd, 0) == WASI_OK);
	CHECK(world_u64(&w, 40) == 1000000007 && world_u64(&w, 48) == 2000000009);
	CHECK(CALL(&w, path_filestat_set_times, FD_FOLDER, 1, PATH(&w, "file"), 5, 6,
	           WASI_FST_MTIM) == WASI_OK);
	CHECK(CALL(&w, path_filestat_get, FD_FOLDER, 1, PATH(&w, "file"), 0) == WASI_OK);
	CHECK(world_u64(&w, 40) == 1000000007 && world_u64(&w, 48) == 6);
	CHECK(CALL(&w, path_filestat_set_times, FD_FOLDER, 1, PATH(&w, "file"), 0, 0,
	           WASI_FST_ATIM_NOW) == WASI_OK);
	CHECK(CALL(&w, path_filestat_get, FD_FOLDER, 1, PATH(&w, "file"), 0) == WASI_OK);
	CHECK(world_u64(&w, 40) > UINT64_C(1700000000000000000) && world_u64(&w, 48) == 6);
	world_stop(&w);
}

/* ---- folders ---- */

/* List a folder with a buffer of that size; how many entries. */
static unsigned list(struct world *w, uint32_t fd, uint32_t size, unsigned *rounds)
{
	struct test *t = w->t;
	uint64_t cookie = 0;
	unsigned count = 0;

	for (*rounds = 0; *rounds < 2000; ++*rounds) {
		uint32_t used, at = 0;

		CHECK(CALL(w, fd_readdir, fd, AT_DATA, size, cookie, AT_ANSWER) == WASI_OK);
		used = world_u32(w, AT_ANSWER);
		while (used - at >= 24 && used - at - 24 >= world_u32(w, AT_DATA + at + 16)) {
			cookie = world_u64(w, AT_DATA + at);
			at += 24 + world_u32(w, AT_DATA + at + 16);
			count++;
		}
		if (used < size)
			break;
	}
	return count;
}

TEST(folders_are_listed_whole_whatever_the_buffer)
{
	struct world w;
	unsigned rounds;
	uint32_t fd;

	CHECK_OK(world_start(&w, t, NULL));
	world_sh(&w, "i=0; while [ $i -lt 300 ]; do : > a-long-file-name-$i; i=$((i + 1)); done");
	fd = world_opened(&w, FD_FOLDER, ".", WASI_OFLAG_DIRECTORY, WASI_RIGHTS_DIRECTORY);
	CHECK(list(&w, fd, 60000, &rounds) == 302 && rounds == 0);
	CHECK(list(&w, fd, 4096, &rounds) == 302 && rounds > 1);
	CHECK(list(&w, fd, 64, &rounds) == 302 && rounds > 100);
	CHECK(CALL(&w, fd_readdir, fd, AT_DATA, 0, 0, AT_ANSWER) == WASI_OK &&
	      world_u32(&w, AT_ANSWER) == 0);
	CHECK(CALL(&w, fd_readdir, fd, WORLD_MEMORY - 10, 11, 0, AT_ANSWER) == WASI_EFAULT);
	CHECK(CALL(&w, fd_readdir, fd, AT_DATA, 100, 0, WORLD_MEMORY - 3) == WASI_EFAULT);
	CHECK(CALL(&w, fd_readdir, 1, AT_DATA, 100, 0, AT_ANSWER) == WASI_ENOTDIR);
	world_stop(&w);
}

/* ---- poll ---- */

static void subscribe_clock(struct world *w, uint32_t index, uint32_t clock, uint64_t timeout_ns,
                            uint32_t flags)
{
	uint32_t at = AT_DATA + index * 48;

	memset(world_at(w, at), 0, 48);
	world_set_u64(w, at, 1000 + index);
	world_set_u32(w, at + 16, clock);
	world_set_u64(w, at + 24, timeout_ns);
	world_set_u32(w, at + 40, flags);
}

static void subscribe_fd(struct world *w, uint32_t index, unsigned char type, uint32_t fd)
{
	uint32_t at = AT_DATA + index * 48;

	memset(world_at(w, at), 0, 48);
	world_set_u64(w, at, 1000 + index);
	*world_at(w, at + 8) = type;
	world_set_u32(w, at + 16, fd);
}

TEST(polling_waits_for_clocks)
{
	struct world w;
	uint64_t start = plat_host.ops->now_ns(&plat_host), now;

	CHECK_OK(world_start(&w, t, NULL));
	subscribe_clock(&w, 0, WASI_CLOCK_MONOTONIC, 20000000, 0);
	subscribe_clock(&w, 1, WASI_CLOCK_REALTIME, 60000000000, 0);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 2, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 1 && world_u64(&w, AT_PATH) == 1000);
	CHECK(*world_at(&w, AT_PATH + 10) == WASI_EVENT_CLOCK);
	now = plat_host.ops->now_ns(&plat_host);
	CHECK(now - start >= 20000000 && now - start < 10000000000);
	/* A moment that is over is over. */
	subscribe_clock(&w, 0, WASI_CLOCK_REALTIME, 5, WASI_SUBCLOCK_ABSTIME);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 1, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 1);
	subscribe_clock(&w, 0, WASI_CLOCK_PROCESS, 5, 0);
	subscribe_clock(&w, 1, 77, 5, 0);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 2, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 2);
	CHECK(*world_at(&w, AT_PATH + 8) == WASI_ENOTSUP);
	CHECK(*world_at(&w, AT_PATH + 32 + 8) == WASI_EINVAL);
	world_stop(&w);
}

TEST(polling_waits_for_descriptors)
{
	int ends[2], streams[3];
	struct wasi_options options = { .streams = streams };
	struct world w;

	CHECK(pipe(ends) == 0);
	streams[0] = ends[0];
	streams[1] = ends[1];
	streams[2] = -1;
	CHECK_OK(world_start(&w, t, &options));
	subscribe_fd(&w, 0, WASI_EVENT_FD_READ, 0);
	subscribe_clock(&w, 1, WASI_CLOCK_MONOTONIC, 1000000, 0);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 2, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 1 && world_u64(&w, AT_PATH) == 1001);
	CHECK(write(ends[1], "abc", 3) == 3);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 1, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 1 && world_u64(&w, AT_PATH) == 1000);
	CHECK(world_u64(&w, AT_PATH + 16) == 3 && *world_at(&w, AT_PATH + 24) == 0);
	subscribe_fd(&w, 0, WASI_EVENT_FD_WRITE, 1);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 1, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 1 && *world_at(&w, AT_PATH + 10) == WASI_EVENT_FD_WRITE);
	subscribe_fd(&w, 0, WASI_EVENT_FD_READ, 2);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 1, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == 1 && *world_at(&w, AT_PATH + 8) == WASI_EBADF);
	(void)close(ends[1]);
	subscribe_fd(&w, 0, WASI_EVENT_FD_READ, 0);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 1, AT_ANSWER) == WASI_OK);
	CHECK(*world_at(&w, AT_PATH + 24) == WASI_EVENT_HANGUP);
	world_stop(&w);
	(void)close(ends[0]);
}

TEST(polling_waits_for_many_but_not_for_any_number)
{
	enum { MOST = 256, COUNT = 300 };
	struct world w;
	uint32_t fd;

	CHECK_OK(world_start(&w, t, NULL));
	fd = world_opened(&w, FD_FOLDER, "file", WASI_OFLAG_CREAT, BOTH);
	for (uint32_t i = 0; i < COUNT; i++)
		subscribe_fd(&w, i, WASI_EVENT_FD_WRITE, fd);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, COUNT, AT_ANSWER) == WASI_OK);
	CHECK(world_u32(&w, AT_ANSWER) == COUNT);
	CHECK(*world_at(&w, AT_PATH + (MOST - 1) * 32 + 8) == WASI_OK);
	CHECK(*world_at(&w, AT_PATH + MOST * 32 + 8) == WASI_ENOBUFS);
	world_stop(&w);
}

TEST(polling_refuses_what_is_wrong)
{
	struct world w;

	CHECK_OK(world_start(&w, t, NULL));
	subscribe_clock(&w, 0, WASI_CLOCK_MONOTONIC, 0, 0);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 0, AT_ANSWER) == WASI_EINVAL);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, UINT32_MAX, AT_ANSWER) == WASI_EINVAL);
	CHECK(CALL(&w, poll_oneoff, WORLD_MEMORY - 47, AT_PATH, 1, AT_ANSWER) == WASI_EFAULT);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, WORLD_MEMORY - 31, 1, AT_ANSWER) == WASI_EFAULT);
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 1, WORLD_MEMORY - 3) == WASI_EFAULT);
	*world_at(&w, AT_DATA + 8) = 3;
	CHECK(CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 1, AT_ANSWER) == WASI_EINVAL);
	world_stop(&w);
}

/* ---- anything at all ---- */

/* Numbers that are near some limit, or nothing special. */
static uint64_t any_number(struct test *t)
{
	static const uint64_t near[] = { 0,         1,          2,          3,
		                         8,         AT_ANSWER,  AT_PATH,    AT_PIECES,
		                         AT_DATA,   64,         0x40000,    WORLD_MEMORY,
		                         INT32_MAX, UINT32_MAX, 0x80000000, (uint64_t)1 << 32,
		                         INT64_MAX, UINT64_MAX, 4096,       WASI_RIGHTS_ALL };
	uint64_t choice = test_random(t);

	if (choice % 8 == 0)
		return test_random(t) >> (choice >> 8) % 64;
	if (choice % 3 == 0)
		return choice >> 8 & 7;
	return near[(choice >> 8) % (sizeof near / sizeof near[0])] - (choice >> 16 & 3) % 2;
}

static void fill_memory(struct world *w)
{
	static const char *const paths[] = { "d/../file", "..", "/etc", "d", "link/x", "file" };
	struct test *t = w->t;

	for (uint32_t at = 0; at < WORLD_MEMORY; at += 4)
		world_set_u32(w, at, (uint32_t)any_number(t));
	(void)world_text(w, AT_PATH, paths[test_random(t) % 6]);
	(void)world_text(w, AT_PATH_2, paths[test_random(t) % 6]);
}

TEST(whatever_is_called_nothing_breaks)
{
	static const char *const names[] = {
#define FUNC(name, signature) #name,
#include "engine/wasi/func.def"
#undef FUNC
	};
	/* What would wait for long, or fill the disk. */
	static const char left_out[] = " poll_oneoff fd_allocate fd_sync fd_datasync ";
	const int streams[] = { -1, -1, -1 };
	struct wasi_options options = { .streams = streams };
	struct world w;

	for (int i = 0; i < 30000; i++) {
		const char *name = names[test_random(t) % (sizeof names / sizeof names[0])];
		char word[64];
		uint64_t values[16];

		(void)snprintf(word, sizeof word, " %s ", name);
		/* Before long a program like this has closed all that it had. */
		if (i % 500 == 0) {
			if (i > 0)
				world_stop(&w);
			CHECK_OK(world_start(&w, t, &options));
			world_sh(&w, "mkdir d; ln -s d link; : > file");
			fill_memory(&w);
		}
		if (strstr(left_out, word) != NULL)
			continue;
		for (size_t k = 0; k < 16; k++)
			values[k] = any_number(t);
		CHECK(world_call(&w, name, values) <= WASI_ENOTCAPABLE);
		CHECK(!lb_failed(w.err) || engine_trap_of(w.err) == ENGINE_TRAP_EXIT);
	}
	world_stop(&w);
}

/* ---- memory ---- */

TEST(setting_up_survives_every_oom)
{
	EACH_OOM (t) {
		struct world w;
		lb_err err = world_start(&w, t, &with_strings);

		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(lb_failed(err) == t->heap.failed);
		world_stop(&w);
	}
}

TEST(calls_survive_every_oom)
{
	EACH_OOM (t) {
		struct world w;
		lb_err err = world_start(&w, t, NULL);

		if (!lb_failed(err)) {
			enum wasi_errno number = WASI_OK;

			/* More than the table holds at first. */
			for (int i = 0; i < 40 && number == WASI_OK; i++)
				number = world_open(&w, FD_FOLDER, ".", 0, 0, 0);
			CHECK(number == WASI_OK || number == WASI_ENOMEM);
			subscribe_clock(&w, 0, WASI_CLOCK_MONOTONIC, 0, 0);
			number = CALL(&w, poll_oneoff, AT_DATA, AT_PATH, 1, AT_ANSWER);
			CHECK(number == WASI_OK || number == WASI_ENOMEM);
			CHECK(CALL(&w, fd_filestat_get, FD_FOLDER, 0) == WASI_OK);
		}
		world_stop(&w);
	}
}

TEST(a_folder_that_is_not_there_is_named)
{
	struct wasi_grant grant = { "/no/such/folder", "/", false };
	struct wasi_options options = { .grants = &grant, .grant_count = 1 };
	struct lb_diag diag = { "" };
	struct wasi *wasi;

	CHECK(lb_code_of(wasi_new(&wasi, t->mem, &plat_host, &options, &diag)) == LB_E_NOTFOUND);
	CHECK(wasi == NULL);
	CHECK_TEXT(diag.text, "/no/such/folder: there is no such folder");
}
