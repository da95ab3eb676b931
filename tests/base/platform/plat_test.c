/* plat_test.c - the host's and the simulated world: clocks, files, names, faults. */
#include "base/platform/handle.h"
#include "base/platform/pages.h"
#include "base/platform/plat.h"
#include "tests/harness/test.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static struct plat *const host = &plat_host;

/* A path in this test's folder; a few at a time. */
static const char *in(const char *folder, const char *name)
{
	static char paths[4][4300];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static void make_file(struct test *t, const char *path, const char *text)
{
	int file;

	CHECK_OK(host->ops->open(&file, host, path, PLAT_WRITE | PLAT_CREATE | PLAT_TRUNCATE));
	CHECK_OK(host->ops->write_at(host, file, text, strlen(text), 0));
	host->ops->close(host, file);
}

TEST(host_clocks_run)
{
	uint64_t first = host->ops->now_ns(host);

	host->ops->sleep_ns(host, 2000000);
	CHECK(host->ops->now_ns(host) - first >= 2000000);
	CHECK(host->ops->wall_ns(host) / 1000000000 > 1700000000);
}

TEST(host_entropy_fills_wholly)
{
	unsigned char bytes[1000] = { 0 };
	size_t zeros = 0;

	CHECK_OK(host->ops->entropy(bytes, host, sizeof bytes));
	for (size_t i = 0; i < sizeof bytes; i++)
		zeros += bytes[i] == 0;
	CHECK(zeros < 30 && bytes[0] + bytes[999] + bytes[500] != 0);
}

TEST(host_files_are_written_and_read_at_offsets)
{
	const char *path = in(test_folder(t), "file");
	struct plat_info info;
	char text[16] = { 0 };
	size_t got;
	int file;

	CHECK(lb_code_of(host->ops->open(&file, host, path, PLAT_READ)) == LB_E_NOTFOUND);
	CHECK(file == -1);
	CHECK_OK(host->ops->open(&file, host, path,
	                         PLAT_READ | PLAT_WRITE | PLAT_CREATE | PLAT_PRIVATE));
	CHECK_OK(host->ops->write_at(host, file, "world", 5, 6));
	CHECK_OK(host->ops->write_at(host, file, "hello ", 6, 0));
	CHECK_OK(host->ops->sync(host, file));
	CHECK_OK(host->ops->read_at(&got, host, file, text, 8, 3));
	CHECK(got == 8 && memcmp(text, "lo world", 8) == 0);
	CHECK_OK(host->ops->read_at(&got, host, file, text, 8, 11));
	CHECK(got == 0);
	CHECK_OK(host->ops->truncate(host, file, 5));
	CHECK_OK(host->ops->file_info(&info, host, file));
	CHECK(info.size == 5 && info.type == PLAT_FILE && info.mode == 0600);
	host->ops->close(host, file);
	CHECK(lb_code_of(host->ops->open(&file, host, path,
	                                 PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE)) ==
	      LB_E_EXISTS);
	CHECK_OK(host->ops->open(&file, host, path, PLAT_READ));
	CHECK(lb_failed(host->ops->write_at(host, file, "x", 1, 0)));
	host->ops->close(host, file);
	CHECK_OK(host->ops->set_mode(host, path, 0751));
	CHECK_OK(host->ops->info(&info, host, path));
	CHECK(info.mode == 0751 && info.mtime_ns / 1000000000 > 1700000000);
}

TEST(host_pipes_are_read_and_written_on)
{
	char text[8];
	int ends[2];
	size_t got;

	CHECK(pipe(ends) == 0);
	CHECK_OK(host->ops->write_at(host, ends[1], "abcd", 4, 77));
	CHECK_OK(host->ops->read_at(&got, host, ends[0], text, 3, 0));
	CHECK(got == 3);
	CHECK_OK(host->ops->read_at(&got, host, ends[0], text, 3, 3));
	CHECK(got == 1 && text[0] == 'd');
	(void)close(ends[0]);
	(void)close(ends[1]);
}

TEST(host_links_are_seen_and_not_followed_on_request)
{
	const char *folder = test_folder(t);
	struct plat_info info;
	char target[8], small[4];
	size_t len;
	int file;

	make_file(t, in(folder, "a"), "x");
	CHECK_OK(host->ops->make_link(host, "a", in(folder, "link")));
	CHECK_OK(host->ops->info(&info, host, in(folder, "link")));
	CHECK(info.type == PLAT_LINK);
	CHECK_OK(host->ops->read_link(&len, host, in(folder, "link"), target, sizeof target));
	CHECK(len == 1);
	CHECK_TEXT(target, "a");
	CHECK_OK(host->ops->make_link(host, "abcd", in(folder, "long")));
	CHECK(lb_code_of(host->ops->read_link(&len, host, in(folder, "long"), small, 4)) ==
	      LB_E_LIMIT);
	CHECK_OK(host->ops->open(&file, host, in(folder, "link"), PLAT_READ));
	host->ops->close(host, file);
	CHECK(lb_code_of(host->ops->open(&file, host, in(folder, "link"),
	                                 PLAT_READ | PLAT_NOFOLLOW)) == LB_E_DENIED);
	CHECK_OK(host->ops->link(host, in(folder, "a"), in(folder, "b")));
	CHECK(lb_code_of(host->ops->link(host, in(folder, "a"), in(folder, "b"))) == LB_E_EXISTS);
	CHECK_OK(host->ops->rename(host, in(folder, "b"), in(folder, "link")));
	CHECK_OK(host->ops->info(&info, host, in(folder, "link")));
	CHECK(info.type == PLAT_FILE);
}

static lb_err count_name(void *ctx, const char *name)
{
	int *count = ctx;

	*count += 1;
	return strcmp(name, "stop") == 0 ? lb_err_of(LB_E_CANCELLED) : LB_OK;
}

TEST(host_folders_are_made_listed_removed)
{
	const char *folder = test_folder(t);
	int count = 0;

	CHECK_OK(host->ops->make_folder(host, in(folder, "d")));
	CHECK(lb_code_of(host->ops->make_folder(host, in(folder, "d"))) == LB_E_EXISTS);
	make_file(t, in(folder, "d/one"), "");
	make_file(t, in(folder, "d/two"), "");
	CHECK_OK(host->ops->list(host, in(folder, "d"), count_name, &count));
	CHECK(count == 2);
	CHECK_OK(host->ops->sync_folder(host, in(folder, "d")));
	CHECK(lb_failed(host->ops->remove(host, in(folder, "d"))));
	CHECK_OK(host->ops->remove(host, in(folder, "d/one")));
	CHECK_OK(host->ops->rename(host, in(folder, "d/two"), in(folder, "d/stop")));
	CHECK(lb_code_of(host->ops->list(host, in(folder, "d"), count_name, &count)) ==
	      LB_E_CANCELLED);
	CHECK_OK(host->ops->remove(host, in(folder, "d/stop")));
	CHECK_OK(host->ops->remove(host, in(folder, "d")));
	CHECK(lb_code_of(host->ops->remove(host, in(folder, "d"))) == LB_E_NOTFOUND);
	CHECK(lb_code_of(host->ops->list(host, in(folder, "d"), count_name, &count)) ==
	      LB_E_NOTFOUND);
	CHECK(lb_code_of(host->ops->sync_folder(host, in(folder, "d"))) == LB_E_NOTFOUND);
}

TEST(host_locks_exclude)
{
	const char *path = in(test_folder(t), "lock");
	int one, two;

	CHECK_OK(plat_lock(&one, path));
	CHECK(lb_code_of(plat_lock(&two, path)) == LB_E_BUSY && two == -1);
	plat_unlock(two);
	plat_unlock(one);
	CHECK_OK(plat_lock(&two, path));
	plat_unlock(two);
	CHECK(lb_code_of(plat_lock(&one, "/no/such/folder/lock")) == LB_E_NOTFOUND);
	CHECK(!plat_is_terminal(-1));
}

TEST(sim_time_moves_only_when_looked_at)
{
	struct plat_sim a, b;

	plat_sim_init(&a, 7);
	plat_sim_init(&b, 7);
	for (int i = 0; i < 3; i++) {
		uint64_t one, two;

		CHECK_OK(a.plat.ops->entropy(&one, &a.plat, sizeof one));
		CHECK_OK(b.plat.ops->entropy(&two, &b.plat, sizeof two));
		CHECK(one == two); /* the same seed, the same world */
		CHECK(a.plat.ops->now_ns(&a.plat) == b.plat.ops->now_ns(&b.plat));
	}
	a.plat.ops->sleep_ns(&a.plat, 3600 * (uint64_t)1000000000);
	CHECK(a.plat.ops->now_ns(&a.plat) - b.plat.ops->now_ns(&b.plat) ==
	      3600 * (uint64_t)1000000000);
	CHECK(a.plat.ops->wall_ns(&a.plat) > a.plat.ops->now_ns(&a.plat));
}

TEST(sim_fails_the_call_it_was_told_to)
{
	const char *path = in(test_folder(t), "file");
	struct plat_sim sim;
	struct plat_info info;
	int file;

	plat_sim_init(&sim, 1);
	sim.fail_at = 2;
	sim.fault = LB_E_NOSPACE;
	CHECK_OK(sim.plat.ops->open(&file, &sim.plat, path, PLAT_WRITE | PLAT_CREATE));
	CHECK(lb_code_of(sim.plat.ops->write_at(&sim.plat, file, "abcdef", 6, 0)) == LB_E_NOSPACE);
	CHECK_OK(sim.plat.ops->file_info(&info, &sim.plat, file));
	CHECK(info.size == 3); /* the first half was written */
	CHECK_OK(sim.plat.ops->write_at(&sim.plat, file, "abcdef", 6, 0));
	CHECK(sim.calls == 4 && sim.failed);
	sim.plat.ops->close(&sim.plat, file);
}

TEST(sim_full_disks_stay_full)
{
	const char *folder = test_folder(t);
	struct plat_sim sim;
	struct plat *plat = &sim.plat;
	char text[4];
	size_t got;
	int file, other;

	plat_sim_init(&sim, 1);
	sim.sticky = true;
	sim.fault = LB_E_NOSPACE;
	CHECK_OK(plat->ops->open(&file, plat, in(folder, "f"),
	                         PLAT_READ | PLAT_WRITE | PLAT_CREATE));
	sim.fail_at = sim.calls + 1;
	CHECK(lb_failed(plat->ops->write_at(plat, file, "ab", 2, 0)));
	CHECK(lb_failed(plat->ops->write_at(plat, file, "ab", 2, 0)));
	CHECK(lb_failed(plat->ops->sync(plat, file)));
	CHECK(lb_failed(plat->ops->make_folder(plat, in(folder, "d"))));
	CHECK(lb_failed(plat->ops->open(&other, plat, in(folder, "g"), PLAT_WRITE | PLAT_CREATE)));
	CHECK(other == -1);
	CHECK_OK(plat->ops->read_at(&got, plat, file, text, 4, 0));
	CHECK(got == 1);
	plat->ops->close(plat, file);
	CHECK_OK(plat->ops->remove(plat, in(folder, "f")));
}

TEST(sim_fails_one_call_in_so_many)
{
	struct plat_sim sim;
	struct plat_info info;
	unsigned failed = 0;

	plat_sim_init(&sim, 3);
	sim.fault_in = 10;
	for (int i = 0; i < 10000; i++)
		failed += lb_failed(sim.plat.ops->info(&info, &sim.plat, "/"));
	CHECK(failed > 800 && failed < 1200);
}

TEST(pages_are_zeroed_and_protected)
{
	size_t page = plat_page_size();
	void *at;
	unsigned char *bytes;

	CHECK_OK(plat_pages_reserve(&at, 16 * page));
	CHECK_OK(plat_pages_allow(at, 2 * page, PLAT_ACCESS_READ_WRITE));
	bytes = at;
	CHECK(bytes[0] == 0 && bytes[2 * page - 1] == 0);
	memset(bytes, 1, 2 * page);
	CHECK_OK(plat_pages_zero(bytes + page, page));
	CHECK(bytes[page - 1] == 1 && bytes[page] == 0);
	CHECK_OK(plat_pages_allow(at, page, PLAT_ACCESS_READ));
	CHECK(bytes[0] == 1);
	plat_pages_release(at, 16 * page);
	plat_pages_release(NULL, page);
}
