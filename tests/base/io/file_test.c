/* file_test.c - files as wholes: atomic writing under every fault, trees, walks, locks, paths. */
#include "base/io/file.h"
#include "tests/harness/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct plat *const host = &plat_host;

static const char *in(const char *folder, const char *name)
{
	static char paths[4][4300];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static size_t names_in(const char *folder)
{
	DIR *names = opendir(folder);
	size_t count = 0;

	while (names != NULL && readdir(names) != NULL)
		count++;
	if (names != NULL)
		(void)closedir(names);
	return count - 2; /* . and .. */
}

static void check_content(struct test *t, const char *path, const char *want)
{
	struct lb_buf buf;

	lb_buf_init(&buf, t->mem, 1 << 20);
	CHECK_OK(lb_file_read(&buf, host, path, NULL));
	CHECK_TEXT(lb_buf_text(&buf), want);
	lb_buf_release(&buf);
}

TEST(file_is_read_behind_what_is_there)
{
	const char *path = in(test_folder(t), "file");
	struct lb_buf buf;

	CHECK_OK(lb_file_write(host, path, LB_B("content"), 0, NULL));
	lb_buf_init(&buf, t->mem, 10);
	lb_buf_add_text(&buf, "so ");
	CHECK_OK(lb_file_read(&buf, host, path, NULL)); /* just what fits */
	CHECK_TEXT(lb_buf_text(&buf), "so content");
	lb_buf_release(&buf);
}

TEST(file_reading_stops_at_the_maximum)
{
	const char *path = in(test_folder(t), "file");
	struct lb_diag diag = { 0 };
	struct lb_buf buf;

	CHECK_OK(lb_file_write(host, path, LB_B("content"), 0, NULL));
	lb_buf_init(&buf, t->mem, 6);
	CHECK(lb_code_of(lb_file_read(&buf, host, path, &diag)) == LB_E_LIMIT && buf.len == 0);
	CHECK(strstr(diag.text, path) != NULL && strstr(diag.text, "6 bytes") != NULL);
	/* The same where the size is not known beforehand. */
	CHECK(lb_code_of(lb_file_read(&buf, host, "/proc/self/status", &diag)) == LB_E_LIMIT);
	CHECK(buf.len == 0);
	lb_buf_release(&buf);
	lb_buf_init(&buf, t->mem, 1 << 20);
	CHECK_OK(lb_file_read(&buf, host, "/proc/self/status", NULL));
	CHECK(buf.len > 100);
	lb_buf_release(&buf);
}

TEST(file_errors_name_the_path)
{
	const char *folder = test_folder(t);
	struct lb_diag diag = { 0 };
	static char want[4400];
	struct lb_buf buf;

	lb_buf_init(&buf, t->mem, 100);
	CHECK(lb_code_of(lb_file_read(&buf, host, "/no/such/file", &diag)) == LB_E_NOTFOUND);
	CHECK_TEXT(diag.text, "cannot open /no/such/file: not found");
	CHECK(lb_failed(lb_file_read(&buf, host, folder, &diag)));
	(void)snprintf(want, sizeof want, "cannot read %s: Is a directory", folder);
	CHECK_TEXT(diag.text, want);
	CHECK(lb_code_of(lb_file_write(host, "/no/such/file", LB_B(""), 0, &diag)) ==
	      LB_E_NOTFOUND);
	CHECK_TEXT(diag.text, "cannot write /no/such/file: not found");
	CHECK(lb_failed(lb_file_write(host, folder, LB_B(""), 0, &diag)));
	CHECK(names_in(folder) == 0);
	lb_buf_release(&buf);
}

TEST(file_read_survives_every_oom)
{
	const char *path = in(test_folder(t), "file");
	char text[3000];

	memset(text, 'x', sizeof text);
	CHECK_OK(lb_file_write(host, path, (struct lb_bytes){ (unsigned char *)text, sizeof text },
	                       0, NULL));
	EACH_OOM (t) {
		struct lb_buf buf;
		lb_err err;

		lb_buf_init(&buf, t->mem, 1 << 20);
		err = lb_file_read(&buf, host, path, NULL);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(buf.len == (t->heap.failed ? 0 : 3000));
		lb_buf_release(&buf);
	}
}

TEST(file_write_gives_modes_and_replaces_links)
{
	const char *folder = test_folder(t);
	struct plat_info info;
	mode_t mask = umask(022);

	CHECK_OK(lb_file_write(host, in(folder, "a"), LB_B("1"), 0, NULL));
	CHECK_OK(host->ops->info(&info, host, in(folder, "a")));
	CHECK(info.mode == 0644);
	CHECK_OK(lb_file_write(host, in(folder, "a"), LB_B(""), PLAT_PRIVATE, NULL));
	CHECK_OK(host->ops->info(&info, host, in(folder, "a")));
	CHECK(info.mode == 0600 && info.size == 0);
	CHECK_OK(lb_file_write(host, in(folder, "a"), LB_B("2"), PLAT_EXECUTABLE, NULL));
	CHECK_OK(host->ops->info(&info, host, in(folder, "a")));
	CHECK(info.mode == 0755);
	CHECK_OK(host->ops->make_link(host, "a", in(folder, "link")));
	CHECK_OK(lb_file_write(host, in(folder, "link"), LB_B("3"), 0, NULL));
	check_content(t, in(folder, "a"), "2");
	check_content(t, in(folder, "link"), "3");
	CHECK(names_in(folder) == 2);
	(void)umask(mask);
}

/* Fail each call of a write in turn, once or as a full disk does. */
static void write_with_faults(struct test *t, bool sticky)
{
	const char *folder = test_folder(t), *path = in(folder, "file");
	struct lb_diag diag;
	unsigned faults = 0;
	bool failed = true;

	for (uint64_t n = 1; failed && n < 100; n++) {
		struct plat_sim sim;
		struct lb_buf buf;
		lb_err err;

		CHECK_OK(lb_file_write(host, path, LB_B("the old content"), 0, NULL));
		plat_sim_init(&sim, n);
		sim.fail_at = n;
		sim.sticky = sticky;
		sim.fault = LB_E_NOSPACE;
		diag.text[0] = '\0';
		err = lb_file_write(&sim.plat, path, LB_B("the new one"), 0, &diag);
		failed = sim.failed;
		faults += failed;
		CHECK(lb_failed(err) == failed);
		CHECK(!failed ||
		      (lb_code_of(err) == LB_E_NOSPACE && strstr(diag.text, path) != NULL));
		lb_buf_init(&buf, t->mem, 100);
		CHECK_OK(lb_file_read(&buf, host, path, NULL));
		if (!failed)
			CHECK_TEXT(lb_buf_text(&buf), "the new one");
		else
			CHECK(lb_bytes_is(lb_buf_bytes(&buf), "the old content") ||
			      (n == 6 && lb_bytes_is(lb_buf_bytes(&buf), "the new one")));
		lb_buf_release(&buf);
		CHECK(names_in(folder) == 1);
	}
	CHECK(faults == 6); /* entropy, open, write, sync, rename, sync of the folder */
}

TEST(file_write_is_all_or_nothing) { write_with_faults(t, false); }
TEST(file_write_on_a_full_disk_leaves_the_old_content) { write_with_faults(t, true); }

TEST(file_write_leaves_temporaries_of_others_alone)
{
	const char *folder = test_folder(t);

	CHECK_OK(lb_file_write(host, in(folder, ".lb-0123456789abcdef.tmp"), LB_B("x"), 0, NULL));
	CHECK_OK(lb_file_write(host, in(folder, "file"), LB_B("y"), 0, NULL));
	CHECK(names_in(folder) == 2);
}

TEST(file_write_takes_names_of_any_length)
{
	const char *folder = test_folder(t);
	static char name[256], path[5000];

	memset(name, 'n', 255);
	name[255] = '\0';
	CHECK_OK(lb_file_write(host, in(folder, name), LB_B("x"), 0, NULL));
	check_content(t, in(folder, name), "x");
	memset(path, 'p', sizeof path);
	path[sizeof path - 1] = '\0';
	CHECK(lb_failed(lb_file_write(host, path, LB_B("x"), 0, NULL)));
	for (size_t i = 0; i < sizeof path - 1; i += 2)
		path[i] = '/';
	CHECK(lb_code_of(lb_file_write(host, path, LB_B("x"), 0, NULL)) == LB_E_LIMIT);
	CHECK(lb_failed(lb_file_make_folders(host, path, NULL)));
	CHECK(chdir(folder) == 0);
	CHECK_OK(lb_file_write(host, "here", LB_B("x"), 0, NULL)); /* no folder in the path */
	check_content(t, "here", "x");
}

TEST(file_folders_are_made_with_their_parents)
{
	const char *folder = test_folder(t);
	struct lb_diag diag = { 0 };
	struct plat_info info;

	CHECK_OK(lb_file_make_folders(host, in(folder, "a/b//c/d"), NULL));
	CHECK_OK(lb_file_make_folders(host, in(folder, "a/b//c/d/"), NULL));
	CHECK_OK(lb_file_make_folders(host, in(folder, "e/f/"), NULL));
	CHECK_OK(host->ops->info(&info, host, in(folder, "a/b/c/d")));
	CHECK(info.type == PLAT_DIRECTORY);
	CHECK_OK(host->ops->info(&info, host, in(folder, "e/f")));
	CHECK_OK(lb_file_write(host, in(folder, "file"), LB_B(""), 0, NULL));
	CHECK(lb_code_of(lb_file_make_folders(host, in(folder, "file"), NULL)) == LB_E_EXISTS);
	CHECK(lb_failed(lb_file_make_folders(host, in(folder, "file/x"), &diag)));
	CHECK(strstr(diag.text, "file/x") != NULL);
	CHECK(lb_code_of(lb_file_make_folders(host, "", NULL)) == LB_E_NOTFOUND);
	CHECK_OK(lb_file_make_folders(host, "/", NULL));
	CHECK_OK(host->ops->make_link(host, "a", in(folder, "link")));
	CHECK_OK(lb_file_make_folders(host, in(folder, "link/z"), NULL));
	CHECK(lb_file_exists(host, in(folder, "a/z")));
}

TEST(file_trees_are_removed_without_following_links)
{
	const char *folder = test_folder(t);

	CHECK_OK(lb_file_make_folders(host, in(folder, "keep/sub"), NULL));
	CHECK_OK(lb_file_write(host, in(folder, "keep/file"), LB_B("kept"), 0, NULL));
	CHECK_OK(lb_file_make_folders(host, in(folder, "tree/a/b"), NULL));
	CHECK_OK(lb_file_write(host, in(folder, "tree/a/file"), LB_B("x"), 0, NULL));
	CHECK_OK(host->ops->make_link(host, "../../keep", in(folder, "tree/a/link")));
	CHECK_OK(host->ops->make_link(host, in(folder, "keep"), in(folder, "tree/a/b/link")));
	CHECK_OK(host->ops->make_link(host, "nowhere", in(folder, "tree/dangling")));
	CHECK_OK(lb_file_remove_tree(host, in(folder, "tree"), NULL));
	CHECK(!lb_file_exists(host, in(folder, "tree")));
	check_content(t, in(folder, "keep/file"), "kept");
	CHECK_OK(host->ops->make_link(host, "keep", in(folder, "link")));
	CHECK_OK(lb_file_remove_tree(host, in(folder, "link"), NULL));
	check_content(t, in(folder, "keep/file"), "kept");
	CHECK_OK(lb_file_remove_tree(host, in(folder, "link"), NULL)); /* not there: fine */
	CHECK_OK(lb_file_remove_tree(host, in(folder, "keep/file"), NULL));
	CHECK(names_in(in(folder, "keep")) == 1);
}

/* A tree deeper than a path can say, with a file at its bottom, unreadable folders included. */
static void make_deep(struct test *t, const char *folder, int depth)
{
	int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), made = 0;

	for (; at >= 0 && made < depth; made++) {
		int next = mkdirat(at, "d", 0700) == 0
		                   ? openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
		                   : -1;

		if (made % 3 == 0)
			(void)fchmod(at, 0500);
		(void)close(at);
		at = next;
	}
	CHECK(made == depth && at >= 0);
	CHECK(mkdirat(at, ".deep-0", 0700) == 0 && mkdirat(at, "closed", 0) == 0);
	(void)close(at);
}

TEST(file_trees_are_removed_however_deep)
{
	const char *folder = test_folder(t);

	CHECK_OK(lb_file_make_folders(host, in(folder, "tree/.deep-0/x"), NULL));
	CHECK_OK(lb_file_write(host, in(folder, "tree/.deep-1"), LB_B("x"), 0, NULL));
	make_deep(t, in(folder, "tree"), 3000);
	CHECK_OK(lb_file_remove_tree(host, in(folder, "tree"), NULL));
	CHECK(names_in(folder) == 0);
}

TEST(file_tree_that_cannot_be_removed_is_named)
{
	struct lb_diag diag = { 0 };
	struct plat_sim sim;

	plat_sim_init(&sim, 1);
	sim.fail_at = 1;
	sim.fault = LB_E_DENIED;
	CHECK(lb_code_of(lb_file_remove_tree(&sim.plat, "/no/such/tree", &diag)) == LB_E_DENIED);
	CHECK_TEXT(diag.text, "cannot remove /no/such/tree: permission denied");
}

TEST(file_copies_have_content_and_mode)
{
	enum { LEN = 600000 };
	const char *folder = test_folder(t);
	struct lb_buf one, two;
	struct plat_info info;
	struct lb_diag diag = { 0 };

	lb_buf_init(&one, t->mem, 1 << 20);
	lb_buf_init(&two, t->mem, 1 << 20);
	for (int i = 0; i < LEN; i++)
		lb_buf_add_byte(&one, (unsigned char)(i * 7));
	CHECK_OK(lb_file_write(host, in(folder, "a"), lb_buf_bytes(&one), PLAT_EXECUTABLE, NULL));
	CHECK_OK(host->ops->set_mode(host, in(folder, "a"), 0751));
	CHECK_OK(lb_file_copy(host, in(folder, "b"), in(folder, "a"), NULL));
	CHECK_OK(lb_file_read(&two, host, in(folder, "b"), NULL));
	CHECK(lb_bytes_eq(lb_buf_bytes(&one), lb_buf_bytes(&two)));
	CHECK_OK(host->ops->info(&info, host, in(folder, "b")));
	CHECK(info.mode == 0751);
	CHECK(lb_code_of(lb_file_copy(host, in(folder, "b"), in(folder, "a"), &diag)) ==
	      LB_E_EXISTS);
	CHECK(strstr(diag.text, "cannot make ") != NULL);
	CHECK(lb_code_of(lb_file_copy(host, in(folder, "c"), in(folder, "x"), NULL)) ==
	      LB_E_NOTFOUND);
	CHECK(lb_code_of(lb_file_copy(host, in(folder, "c"), folder, NULL)) == LB_E_INVALID);
	CHECK(names_in(folder) == 2);
	lb_buf_release(&one);
	lb_buf_release(&two);
}

TEST(file_copy_leaves_nothing_after_a_fault)
{
	const char *folder = test_folder(t);
	bool failed = true;

	CHECK_OK(lb_file_write(host, in(folder, "a"), LB_B("content"), 0, NULL));
	for (uint64_t n = 1; failed && n < 100; n++) {
		struct plat_sim sim;
		lb_err err;

		plat_sim_init(&sim, n);
		sim.fail_at = n;
		err = lb_file_copy(&sim.plat, in(folder, "b"), in(folder, "a"), NULL);
		failed = sim.failed;
		CHECK(lb_failed(err) == failed && lb_file_exists(host, in(folder, "b")) == !failed);
	}
	check_content(t, in(folder, "b"), "content");
}

static lb_err note_path(void *ctx, const char *path, const struct plat_info *info)
{
	static const char marks[] = "fdlo";
	struct lb_buf *buf = ctx;

	lb_buf_addf(buf, "%s:%c ", path, marks[info->type]);
	return strcmp(path, "stop") == 0 ? lb_err_of(LB_E_CANCELLED) : LB_OK;
}

TEST(file_walk_is_sorted_and_does_not_follow)
{
	const char *folder = test_folder(t);
	struct lb_buf buf;

	CHECK_OK(lb_file_make_folders(host, in(folder, "a/b"), NULL));
	CHECK_OK(lb_file_make_folders(host, in(folder, "\xc3\xa9"), NULL));
	CHECK_OK(lb_file_write(host, in(folder, "a/b/z"), LB_B(""), 0, NULL));
	CHECK_OK(lb_file_write(host, in(folder, "a/y"), LB_B(""), 0, NULL));
	CHECK_OK(lb_file_write(host, in(folder, "a.b"), LB_B(""), 0, NULL));
	CHECK_OK(lb_file_write(host, in(folder, "Z"), LB_B(""), 0, NULL));
	CHECK_OK(host->ops->make_link(host, "a", in(folder, "link")));
	lb_buf_init(&buf, t->mem, 1000);
	CHECK_OK(lb_file_walk(t->mem, host, folder, note_path, &buf, NULL));
	CHECK_TEXT(lb_buf_text(&buf), "Z:f a:d a/b:d a/b/z:f a/y:f a.b:f link:l \xc3\xa9:d ");
	lb_buf_reset(&buf);
	CHECK_OK(lb_file_walk(t->mem, host, in(folder, "link"), note_path, &buf, NULL));
	CHECK_TEXT(lb_buf_text(&buf), "b:d b/z:f y:f ");
	CHECK_OK(lb_file_write(host, in(folder, "stop"), LB_B(""), 0, NULL));
	lb_buf_reset(&buf);
	CHECK(lb_code_of(lb_file_walk(t->mem, host, folder, note_path, &buf, NULL)) ==
	      LB_E_CANCELLED);
	CHECK(lb_bytes_ends(lb_buf_bytes(&buf), LB_B("link:l stop:f ")));
	lb_buf_release(&buf);
}

static lb_err count_one(void *ctx, const char *path, const struct plat_info *info)
{
	(void)path;
	(void)info;
	*(int *)ctx += 1;
	return LB_OK;
}

TEST(file_walk_is_bounded_and_names_what_failed)
{
	const char *folder = test_folder(t);
	struct lb_diag diag = { 0 };
	int count = 0;

	make_deep(t, folder, LB_WALK_DEPTH_MAX + 1);
	CHECK(lb_code_of(lb_file_walk(t->mem, host, folder, count_one, &count, &diag)) ==
	      LB_E_LIMIT);
	CHECK(count == LB_WALK_DEPTH_MAX && strstr(diag.text, "256 folders deep") != NULL);
	CHECK(lb_code_of(lb_file_walk(t->mem, host, "/no/such/root", count_one, &count, &diag)) ==
	      LB_E_NOTFOUND);
	CHECK_TEXT(diag.text, "cannot list /no/such/root: not found");
	CHECK_OK(lb_file_remove_tree(host, folder, NULL));
}

TEST(file_walk_survives_every_oom)
{
	const char *folder = test_folder(t);

	CHECK_OK(lb_file_make_folders(host, in(folder, "a/b"), NULL));
	CHECK_OK(lb_file_make_folders(host, in(folder, "c"), NULL));
	EACH_OOM (t) {
		int count = 0;
		lb_err err = lb_file_walk(t->mem, host, folder, count_one, &count, NULL);

		CHECK(lb_failed(err) == t->heap.failed && (count == 3 || t->heap.failed));
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
	}
}

TEST(file_locks_say_who_is_in_the_way)
{
	const char *path = in(test_folder(t), "lock");
	struct lb_diag diag = { 0 };
	int one, two;

	CHECK_OK(lb_file_lock(&one, path, &diag));
	CHECK(lb_code_of(lb_file_lock(&two, path, &diag)) == LB_E_BUSY);
	CHECK(strstr(diag.text, "is held by another process") != NULL);
	lb_file_unlock(one);
	CHECK_OK(lb_file_lock(&two, path, &diag));
	lb_file_unlock(two);
	CHECK(lb_failed(lb_file_lock(&one, "/no/such/folder/x", &diag)));
	CHECK_TEXT(diag.text, "cannot lock /no/such/folder/x: not found");
}

TEST(paths_stay_inside)
{
	static const char *const inside[] = { "a", "a/b", "a/..b", "...", "a.b/.c" };
	static const char *const outside[] = { "",     "/a",   "a/",    "a//b", ".",     "..",
		                               "a/..", "../a", "a/./b", "a\\b", "a/../b" };

	for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
		CHECK(lb_path_is_inside(lb_bytes_of(inside[i])));
	for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
		CHECK(!lb_path_is_inside(lb_bytes_of(outside[i])));
	CHECK(!lb_path_is_inside(LB_B("a\0b")));
	CHECK_BYTES(lb_path_name(LB_B("a/b/c")), "c");
	CHECK_BYTES(lb_path_name(LB_B("c")), "c");
	CHECK_BYTES(lb_path_name(LB_B("c/")), "");
}

TEST(paths_of_state_follow_xdg)
{
	struct lb_diag diag = { 0 };
	char path[64], small[8];

	(void)setenv("HOME", "/home/x", 1);
	(void)setenv("XDG_STATE_HOME", "/state", 1);
	CHECK_OK(lb_path_state(path, sizeof path, NULL));
	CHECK_TEXT(path, "/state/lifeboat");
	(void)setenv("XDG_STATE_HOME", "relative", 1);
	CHECK_OK(lb_path_state(path, sizeof path, NULL));
	CHECK_TEXT(path, "/home/x/.local/state/lifeboat");
	CHECK(lb_code_of(lb_path_state(small, sizeof small, &diag)) == LB_E_LIMIT);
	(void)unsetenv("XDG_STATE_HOME");
	(void)unsetenv("HOME");
	CHECK(lb_code_of(lb_path_state(path, sizeof path, &diag)) == LB_E_NOTFOUND);
	CHECK(strstr(diag.text, "HOME") != NULL);
}
