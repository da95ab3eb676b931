/* dir_test.c - names below a folder: nothing else is reached, not even by racing. */
#include "base/platform/dir.h"
#include "base/io/run.h"
#include "tests/harness/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int open_root(struct test *t, const char *folder, const char *script)
{
	int root = -1;

	CHECK_OK(lb_run_ok(&(struct lb_run){ .argv = (const char *const[]){ "sh", "-euc", script,
	                                                                    NULL },
	                                     .cwd = folder },
	                   NULL, NULL));
	CHECK_OK(plat_dir_open_root(&root, folder));
	return root;
}

static bool leads_out(lb_err err)
{
	return lb_code_of(err) == LB_E_DENIED && lb_where(err) == EXDEV;
}

/* Opens it to be read, following links; its number as the error, which closes it at once. */
static lb_err try_open(int root, const char *path, unsigned how)
{
	int file = -1;
	lb_err err = plat_dir_open(&file, root, path, how, 0);

	if (file >= 0)
		(void)close(file);
	return err;
}

TEST(dir_resolves_what_stays_below)
{
	static const char *const below[] = {
		"file",
		"./file",
		"d/../file",
		"d//e/./f",
		"d/e/../../d/e/f",
		"to-file",
		"d/to-above",
		"to-d/e/f",
		"chain/f",
		"d/e/../../chain/../e/f",
		"d/to-self/f",
		"to-d/../file",
		"d/e/up/e/up/e/f",
		".",
		"d/",
	};
	int root = open_root(t, test_folder(t),
	                     "mkdir -p d/e; : > file; : > d/e/f; ln -s file to-file; ln -s "
	                     "../file d/to-above; ln -s d to-d; ln -s to-d/e chain; ln -s ./e "
	                     "d/to-self; ln -s .. d/e/up");

	for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
		CHECK_OK(try_open(root, below[i], PLAT_DIR_READ | PLAT_DIR_FOLLOW));
	(void)close(root);
}

TEST(dir_refuses_what_leads_out)
{
	static const char *const out[] = {
		"..",        "../x",   "/",      "/etc",     "d/../..",   "d/../../etc",
		"up",        "up/etc", "root",   "root/etc", "d/up2/etc", "chain",
		"chain/etc", "d/back", "../box", "file/..",  "to-proc",   "d/e/../../../x",
	};
	int root = open_root(t, test_folder(t),
	                     "mkdir -p d/e; : > file; ln -s .. up; ln -s / root; ln -s ../.. "
	                     "d/up2; ln -s d/up2 chain; ln -s \"$PWD/d\" d/back; ln -s "
	                     "/proc/self/root to-proc");
	struct plat_stat stat;

	for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
		lb_err err = try_open(root, out[i], PLAT_DIR_READ | PLAT_DIR_FOLLOW);

		/* A file is no folder, whatever is said behind it. */
		CHECK(leads_out(err) || lb_where(err) == ENOTDIR);
		err = plat_dir_stat(&stat, root, out[i], true);
		CHECK(leads_out(err) || lb_where(err) == ENOTDIR);
	}
	(void)close(root);
}

TEST(dir_does_not_follow_the_last_name_unless_told)
{
	int root = open_root(t, test_folder(t), ": > file; ln -s file link; ln -s gone dangling");
	struct plat_time keep = { .kind = PLAT_TIME_KEEP }, set = { PLAT_TIME_SET, 77 };
	struct plat_stat stat;
	char text[16];
	size_t len;

	CHECK(lb_where(try_open(root, "link", PLAT_DIR_READ)) == ELOOP);
	CHECK_OK(plat_dir_stat(&stat, root, "link", false));
	CHECK(stat.node == PLAT_NODE_LINK);
	CHECK_OK(plat_dir_stat(&stat, root, "link", true));
	CHECK(stat.node == PLAT_NODE_FILE);
	CHECK(lb_code_of(plat_dir_stat(&stat, root, "dangling", true)) == LB_E_NOTFOUND);
	CHECK_OK(plat_dir_read_link(&len, root, "dangling", text, sizeof text));
	CHECK(len == 4 && memcmp(text, "gone", 4) == 0);
	CHECK(lb_where(plat_dir_read_link(&len, root, "file", text, sizeof text)) == EINVAL);
	CHECK_OK(plat_dir_set_times(root, "link", false, keep, set));
	CHECK_OK(plat_dir_stat(&stat, root, "link", false));
	CHECK(stat.mtime_ns == 77);
	CHECK_OK(plat_dir_stat(&stat, root, "file", false));
	CHECK(stat.mtime_ns != 77);
	CHECK_OK(plat_dir_set_times(root, "link", true, keep, set));
	CHECK_OK(plat_dir_stat(&stat, root, "file", false));
	CHECK(stat.mtime_ns == 77);
	/* What removes takes the link, not what it points to. */
	CHECK_OK(plat_dir_unlink(root, "link"));
	CHECK_OK(plat_dir_stat(&stat, root, "file", false));
	(void)close(root);
}

TEST(dir_changes_names)
{
	int root = open_root(t, test_folder(t), "mkdir a b; : > a/file");
	struct plat_stat stat;
	int sub;

	CHECK_OK(plat_dir_open(&sub, root, "b", PLAT_DIR_FOLDER, 0));
	CHECK_OK(plat_dir_link(root, "a/file", sub, "two"));
	CHECK_OK(plat_dir_stat(&stat, sub, "two", false));
	CHECK(stat.link_count == 2);
	CHECK(lb_where(plat_dir_link(root, "a/file/", sub, "three")) == ENOTDIR);
	CHECK_OK(plat_dir_rename(sub, "two", root, "a/moved"));
	CHECK(lb_code_of(plat_dir_rename(sub, "two", root, "x")) == LB_E_NOTFOUND);
	CHECK_OK(plat_dir_make_folder(root, "c/"));
	CHECK(lb_code_of(plat_dir_make_folder(root, "c")) == LB_E_EXISTS);
	CHECK(lb_code_of(plat_dir_make_folder(root, ".")) == LB_E_EXISTS);
	CHECK_OK(plat_dir_remove_folder(root, "c///"));
	CHECK(lb_failed(plat_dir_remove_folder(root, ".")));
	CHECK(lb_failed(plat_dir_remove_folder(sub, "..")));
	CHECK_OK(plat_dir_make_link("a", root, "l"));
	CHECK(lb_code_of(plat_dir_make_link("a", root, "l")) == LB_E_EXISTS);
	CHECK(lb_where(plat_dir_make_link("a", root, "a/file/")) == ENOTDIR);
	CHECK(lb_where(plat_dir_unlink(root, "a")) == EISDIR);
	CHECK(lb_where(plat_dir_unlink(root, "a/file/")) == ENOTDIR);
	CHECK(lb_where(plat_dir_unlink(root, "")) == ENOENT);
	(void)close(sub);
	(void)close(root);
}

TEST(dir_refuses_names_that_are_too_long)
{
	static char path[8192];
	int root = open_root(t, test_folder(t), ":");

	memset(path, 'x', 256);
	CHECK(lb_where(plat_dir_make_folder(root, path)) == ENAMETOOLONG);
	path[255] = '\0';
	CHECK_OK(plat_dir_make_folder(root, path));
	memset(path, '/', sizeof path - 1);
	path[0] = '.';
	CHECK(lb_where(plat_dir_make_folder(root, path)) != 0);
	for (size_t i = 0; i < sizeof path - 2; i += 2)
		path[i] = '.';
	path[sizeof path - 2] = 'x';
	CHECK(lb_where(plat_dir_make_folder(root, path)) == ENAMETOOLONG);
	(void)close(root);
}

/* ---- races ---- */

struct swapper {
	int root;
	_Atomic bool stop;
};

/* "way" is a folder with the file at one moment, and a link out of the tree at the next. */
static void *swap(void *ctx)
{
	struct swapper *swapper = ctx;

	while (!swapper->stop) {
		(void)renameat(swapper->root, "way", swapper->root, "folder");
		(void)renameat(swapper->root, "link", swapper->root, "way");
		(void)renameat(swapper->root, "way", swapper->root, "link");
		(void)renameat(swapper->root, "folder", swapper->root, "way");
	}
	return NULL;
}

TEST(dir_cannot_be_raced)
{
	char folder[1024], top[1100];
	struct swapper swapper = { .root = -1 };
	unsigned inside = 0, outside = 0;
	pthread_t thread;

	(void)snprintf(folder, sizeof folder, "%s", test_folder(t));
	(void)snprintf(top, sizeof top, "%s/box", folder);
	(void)close(open_root(t, folder,
	                      "mkdir -p box/way secret; printf in > box/way/file; printf out "
	                      "> secret/file; ln -s ../secret box/link"));
	CHECK_OK(plat_dir_open_root(&swapper.root, top));
	CHECK(pthread_create(&thread, NULL, swap, &swapper) == 0);
	for (int i = 0; i < 20000; i++) {
		char text[4] = { 0 };
		int file;

		if (lb_failed(plat_dir_open(&file, swapper.root, "way/file",
		                            PLAT_DIR_READ | PLAT_DIR_FOLLOW, 0)))
			continue;
		CHECK(read(file, text, 3) > 0);
		inside += strcmp(text, "in") == 0;
		outside += strcmp(text, "out") == 0;
		(void)close(file);
		lb_ignore(plat_dir_unlink(swapper.root, "way/gone"));
		if (!lb_failed(plat_dir_make_folder(swapper.root, "way/made")))
			lb_ignore(plat_dir_remove_folder(swapper.root, "way/made"));
	}
	swapper.stop = true;
	(void)pthread_join(thread, NULL);
	CHECK(inside > 0 && outside == 0);
	(void)close(swapper.root);
	CHECK_OK(lb_run_ok(&(struct lb_run){ .argv = (const char *const[]){ "test", "!", "-e",
	                                                                    "secret/made", NULL },
	                                     .cwd = folder },
	                   NULL, NULL));
}

/* ---- listing ---- */

struct names {
	unsigned count, most;
	uint64_t next;
};

static lb_err count_name(void *ctx, const struct plat_dir_entry *entry)
{
	struct names *names = ctx;

	names->count++;
	names->next = entry->next;
	return names->count == names->most ? lb_err_of(LB_E_END) : LB_OK;
}

static lb_err fail_at_once(void *ctx, const struct plat_dir_entry *entry)
{
	(void)ctx;
	(void)entry;
	return lb_err_of(LB_E_NOMEM);
}

TEST(dir_lists_from_where_it_was_left)
{
	struct names names = { .most = 1 };
	unsigned total = 0;
	int root = open_root(t, test_folder(t),
	                     "i=0; while [ $i -lt 100 ]; do : > name-$i; i=$((i + 1)); done");

	do {
		names.count = 0;
		CHECK_OK(plat_dir_list(root, names.next, count_name, &names));
		total += names.count;
	} while (names.count > 0 && total < 1000);
	CHECK(total == 102);
	names = (struct names){ 0 };
	CHECK_OK(plat_dir_list(root, 0, count_name, &names));
	CHECK(names.count == 102);
	CHECK(lb_code_of(plat_dir_list(root, 0, fail_at_once, NULL)) == LB_E_NOMEM);
	(void)close(root);
}
