/* archive_test.c - packing: the same bytes each time; unpacking: nothing gets out, nothing is left.
 */
#include "base/data/archive.h"
#include "base/data/digest.h"
#include "base/io/file.h"
#include "tests/harness/test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- folders to look at ---- */

struct tree {
	struct test *t;
	const char *folder;
	struct lb_buf out;
};

static void check_ok(struct test *t, lb_err err) { CHECK_OK(err); }

static lb_err show(void *ctx, const char *path, const struct plat_info *info)
{
	struct tree *tree = ctx;
	char full[1024], target[256] = "";
	size_t len = 0;

	(void)snprintf(full, sizeof full, "%s/%s", tree->folder, path);
	if (info->type == PLAT_DIRECTORY) {
		lb_buf_addf(&tree->out, "%s/ ", path);
	} else if (info->type == PLAT_LINK) {
		check_ok(tree->t, plat_host.ops->read_link(&len, &plat_host, full, target,
		                                           sizeof target - 1));
		lb_buf_addf(&tree->out, "%s->%.*s ", path, (int)len, target);
	} else {
		lb_buf_addf(&tree->out, "%s%s=", path, (info->mode & 0111) != 0 ? "*" : "");
		check_ok(tree->t, lb_file_read(&tree->out, &plat_host, full, NULL));
		lb_buf_add_text(&tree->out, " ");
	}
	return LB_OK;
}

/* All that is in a folder, on one line: "a/ a/run*=content a/link->run". */
static void check_tree(struct test *t, const char *folder, const char *want)
{
	struct tree tree = { t, folder, { 0 } };

	lb_buf_init(&tree.out, t->mem, 1 << 20);
	CHECK_OK(lb_file_walk(t->mem, &plat_host, folder, show, &tree, NULL));
	CHECK_BYTES(lb_bytes_trim(lb_buf_bytes(&tree.out)), want);
	lb_buf_release(&tree.out);
}

static const char *in(char path[512], const char *folder, const char *name)
{
	if (snprintf(path, 512, "%s/%s", folder, name) >= 512)
		abort();
	return path;
}

static void new_folder(struct test *t, char path[512])
{
	if (snprintf(path, 512, "%s", test_folder(t)) >= 512)
		abort();
}

static void put(struct test *t, const char *folder, const char *name, const char *content,
                unsigned flags)
{
	char path[512];

	CHECK_OK(lb_file_write(&plat_host, in(path, folder, name), lb_bytes_of(content), flags,
	                       NULL));
}

static void make(struct test *t, const char *folder, const char *name)
{
	char path[512];

	CHECK(mkdir(in(path, folder, name), 0755) == 0);
}

/* A folder as projects have it. */
static const char *sample(struct test *t, char path[512])
{
	new_folder(t, path);
	make(t, path, "bin");
	make(t, path, "empty");
	put(t, path, "bin/run", "#!/bin/sh\n", PLAT_EXECUTABLE);
	put(t, path, "b", "two", 0);
	put(t, path, "a-b", "", 0);
	put(t, path, "\xc3\xa9t\xc3\xa9", "summer", 0);
	make(t, path, "a");
	put(t, path, "a/x", "one", 0);
	{
		char link[512];

		CHECK(symlink("../bin/run", in(link, path, "a/link")) == 0);
	}
	return path;
}

static const char sample_tree[] = "a/ a/link->../bin/run a/x=one a-b= b=two bin/ "
				  "bin/run*=#!/bin/sh\n empty/ \xc3\xa9t\xc3\xa9=summer";

static const struct {
	enum lb_archive_format format;
	const char *name;
} formats[] = {
	{ LB_ARCHIVE_TAR, "x.tar" },
	{ LB_ARCHIVE_TAR_GZ, "x.tar.gz" },
	{ LB_ARCHIVE_TAR_ZST, "x.tar.zst" },
	{ LB_ARCHIVE_ZIP, "x.zip" },
};

enum { FORMATS = sizeof formats / sizeof formats[0] };

/* ---- packing ---- */

TEST(archives_give_back_what_was_packed)
{
	char from[512], to[512], folder[512];

	(void)sample(t, from);
	for (size_t i = 0; i < FORMATS; i++) {
		struct lb_archive_member members[] = { { "", from } };
		struct lb_pack how = { .format = formats[i].format };
		struct lb_diag diag = { 0 };

		new_folder(t, folder);
		(void)in(to, folder, formats[i].name);
		CHECK_OK(lb_archive_pack(t->mem, &plat_host, to, members, 1, &how, &diag));
		make(t, folder, "out");
		CHECK_OK(lb_archive_unpack(t->mem, &plat_host, to, strcat(folder, "/out"), NULL,
		                           &diag));
		CHECK_TEXT(diag.text, "");
		check_tree(t, folder, sample_tree);
	}
}

/* Digests that must never change: another machine packs the same bytes. */
TEST(archives_are_the_same_bytes_each_time)
{
	static const char *const tar =
		"867587753ac78b8f1788ae984343c4fccdcba3fff4b9524699808432fce33aa6";
	char from[512], again[512], to[512], first[LB_SHA256_HEX + 1], second[LB_SHA256_HEX + 1];
	char folder[512];
	uint64_t size;

	(void)sample(t, from);
	(void)sample(t, again);
	new_folder(t, folder);
	for (size_t i = 0; i < FORMATS; i++) {
		struct lb_archive_member member = { "top", from };
		struct lb_pack how = { .format = formats[i].format, .mtime_s = 1700000000 };

		(void)in(to, folder, formats[i].name);
		CHECK_OK(lb_archive_pack(t->mem, &plat_host, to, &member, 1, &how, NULL));
		CHECK_OK(lb_sha256_file(first, &size, &plat_host, to));
		member.path = again;
		CHECK(setenv("TZ", "Asia/Tokyo", 1) == 0);
		CHECK_OK(lb_archive_pack(t->mem, &plat_host, to, &member, 1, &how, NULL));
		CHECK(unsetenv("TZ") == 0);
		CHECK_OK(lb_sha256_file(second, &size, &plat_host, to));
		CHECK_TEXT(first, second);
		if (formats[i].format == LB_ARCHIVE_TAR)
			CHECK_TEXT(first, tar);
	}
}

static void check_not_packed(struct test *t, const struct lb_archive_member *members, size_t count,
                             const struct lb_pack *how, enum lb_code code, const char *prose)
{
	struct lb_diag diag = { 0 };
	char to[512], folder[512];

	new_folder(t, folder);
	CHECK(lb_code_of(lb_archive_pack(t->mem, &plat_host, in(to, folder, "x.tar"), members,
	                                 count, how, &diag)) == code);
	if (strstr(diag.text, prose) == NULL)
		CHECK_TEXT(diag.text, prose);
	check_tree(t, folder, "");
}

TEST(packing_refuses_what_unpacking_would)
{
	struct lb_pack how = { .format = LB_ARCHIVE_TAR };
	char from[512], path[512];
	struct lb_archive_member members[] = { { "top", from }, { "top/b", from } };

	(void)sample(t, from);
	check_not_packed(t, members, 2, &how, LB_E_INVALID, "top/b would be packed twice: ");
	members[0].name = "../x";
	check_not_packed(t, members, 1, &how, LB_E_DENIED,
	                 "../x: the name is not a relative path that stays inside");
	members[0].name = "x\ny";
	check_not_packed(t, members, 1, &how, LB_E_MALFORMED, "x?y: control character 0x0a");
	members[0] = (struct lb_archive_member){ "", in(path, from, "b") };
	check_not_packed(t, members, 1, &how, LB_E_INVALID, "only a folder can go without a name");
	members[0].path = in(path, from, "missing");
	check_not_packed(t, members, 1, &how, LB_E_NOTFOUND, "missing: not found");
	members[0] = (struct lb_archive_member){ "top", from };
	how.level = 99;
	how.format = LB_ARCHIVE_TAR_GZ;
	check_not_packed(t, members, 1, &how, LB_E_INVALID, "x.tar");
	how.format = LB_ARCHIVE_TAR;
	CHECK(mkfifo(in(path, from, "pipe"), 0600) == 0);
	check_not_packed(t, members, 1, &how, LB_E_UNSUPPORTED,
	                 "pipe is neither a file, a folder nor a link");
	CHECK(unlink(path) == 0 && symlink("/etc/passwd", path) == 0);
	check_not_packed(t, members, 1, &how, LB_E_DENIED,
	                 "top/pipe: the link to /etc/passwd leads out of the folder");
}

TEST(packing_follows_links_and_flattens_modes_on_request)
{
	struct lb_pack how = { .format = LB_ARCHIVE_ZIP,
		               .follow_links = true,
		               .plain_modes = true };
	struct lb_archive_member members[1];
	char from[512], link[512], folder[512], to[512];

	(void)sample(t, from);
	members[0] = (struct lb_archive_member){ "", from };
	CHECK(symlink("a", in(link, from, "c")) == 0);
	new_folder(t, folder);
	make(t, folder, "out");
	CHECK_OK(lb_archive_pack(t->mem, &plat_host, in(to, folder, "x"), members, 1, &how, NULL));
	CHECK_OK(lb_archive_unpack(t->mem, &plat_host, to, strcat(folder, "/out"), NULL, NULL));
	check_tree(t, folder,
	           "a/ a/link=#!/bin/sh\n a/x=one a-b= b=two bin/ bin/run=#!/bin/sh\n "
	           "c/ c/link=#!/bin/sh\n c/x=one empty/ \xc3\xa9t\xc3\xa9=summer");
	CHECK(symlink("loop", in(link, from, "loop")) == 0);
	check_not_packed(t, members, 1, &how, LB_E_INVALID, "too many links in a row");
}

/* ---- hostile archives, made by hand ---- */

static void add_tar(struct lb_buf *out, char type, const char *name, const char *link,
                    struct lb_bytes data)
{
	static const unsigned char zeros[512];
	char head[513] = { 0 };
	unsigned sum = 0;

	(void)snprintf(head, 100, "%s", name);
	(void)snprintf(head + 100, 8, "0000644");
	(void)snprintf(head + 108, 8, "0000000");
	(void)snprintf(head + 116, 8, "0000000");
	(void)snprintf(head + 124, 12, "%011zo", data.len);
	(void)snprintf(head + 136, 12, "00000000000");
	memset(head + 148, ' ', 8);
	head[156] = type;
	(void)snprintf(head + 157, 100, "%s", link);
	memcpy(head + 257,
	       "ustar\0"
	       "00",
	       8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)head[i];
	(void)snprintf(head + 148, 8, "%06o", sum);
	lb_buf_add(out, (struct lb_bytes){ (unsigned char *)head, 512 });
	lb_buf_add(out, data);
	lb_buf_add(out, (struct lb_bytes){ zeros, (512 - data.len % 512) % 512 });
}

static void end_tar(struct lb_buf *out)
{
	static const unsigned char zeros[1024];

	lb_buf_add(out, (struct lb_bytes){ zeros, sizeof zeros });
}

static uint32_t crc32(struct lb_bytes bytes)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= bytes.at[i];
		for (int k = 0; k < 8; k++)
			crc = (crc >> 1) ^ (0xedb88320 & (0 - (crc & 1)));
	}
	return ~crc;
}

static void add_le(struct lb_buf *out, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++, value >>= 8)
		lb_buf_add_byte(out, (unsigned char)value);
}

/* A zip file of one stored entry with a Unix mode. */
static void make_zip(struct lb_buf *out, const char *name, unsigned mode, struct lb_bytes data)
{
	uint32_t name_len = (uint32_t)strlen(name), size = (uint32_t)data.len, central = 0;

	add_le(out, 0x04034b50, 4);
	for (int central_too = 0; central_too < 2; central_too++) {
		if (central_too) {
			central = (uint32_t)out->len;
			add_le(out, 0x02014b50, 4);
			add_le(out, 0x031e, 2); /* made on Unix */
		}
		add_le(out, 20, 2);
		add_le(out, 0, 4); /* flags, stored */
		add_le(out, 0x00210000, 4);
		add_le(out, crc32(data), 4);
		add_le(out, size, 4);
		add_le(out, size, 4);
		add_le(out, name_len, 2);
		add_le(out, 0, 2);
		if (!central_too) {
			lb_buf_add_text(out, name);
			lb_buf_add(out, data);
		}
	}
	add_le(out, 0, 6); /* comment, disk, internal attributes */
	add_le(out, mode << 16, 4);
	add_le(out, 0, 4);
	lb_buf_add_text(out, name);
	add_le(out, 0x06054b50, 4);
	add_le(out, 0, 4);
	add_le(out, 1, 2);
	add_le(out, 1, 2);
	add_le(out, 46 + name_len, 4);
	add_le(out, central, 4);
	add_le(out, 0, 2);
}

static const char kept[] = "mine/ mine/file=untouched";

/* Refused with these words, and the folder is as it was; so is the one around it. */
static void check_refused_with(struct test *t, struct lb_bytes archive,
                               const struct lb_unpack_limits *limits, enum lb_code code,
                               const char *prose)
{
	struct lb_diag diag = { 0 };
	char top[512], into[512], from[512];
	lb_err err;

	new_folder(t, top);
	make(t, top, "into");
	(void)in(into, top, "into");
	make(t, into, "mine");
	put(t, into, "mine/file", "untouched", 0);
	(void)in(from, test_folder(t), "archive");
	CHECK_OK(lb_file_write(&plat_host, from, archive, 0, NULL));
	err = lb_archive_unpack(t->mem, &plat_host, from, into, limits, &diag);
	if (lb_code_of(err) != code) {
		t->failures++;
		printf("# %s, expected %s (%s)\n", lb_err_text(err), lb_err_text(lb_err_of(code)),
		       prose);
	}
	if (strstr(diag.text, prose) == NULL)
		CHECK_TEXT(diag.text, prose);
	check_tree(t, into, kept);
	check_tree(t, top, "into/ into/mine/ into/mine/file=untouched");
	CHECK(lb_code_of(lb_archive_unpack(t->mem, &plat_host, from, into, limits, NULL)) == code);
}

/* One entry that is fine, then the bad one. */
static void check_tar_refused(struct test *t, char type, const char *name, const char *link,
                              enum lb_code code, const char *prose)
{
	struct lb_buf tar;

	lb_buf_init(&tar, t->mem, 1 << 20);
	add_tar(&tar, '0', "good", "", LB_B("good"));
	add_tar(&tar, '5', "folder", "", (struct lb_bytes){ 0 });
	add_tar(&tar, '2', "link", "folder", (struct lb_bytes){ 0 });
	add_tar(&tar, type, name, link, type == '0' ? LB_B("bad") : (struct lb_bytes){ 0 });
	end_tar(&tar);
	check_refused_with(t, lb_buf_bytes(&tar), NULL, code, prose);
	lb_buf_release(&tar);
}

TEST(unpacking_refuses_names_that_leave)
{
	static const char inside[] = ": the name is not a relative path that stays inside";
	static const char *const names[] = { "/etc/evil", "../evil",     "a/../../evil", "a/..",
		                             "..",        "a\\..\\evil", "a//b",         "a/./b" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char prose[128];

		(void)snprintf(prose, sizeof prose, "%s%s", names[i], inside);
		check_tar_refused(t, '0', names[i], "", LB_E_DENIED, prose);
		check_tar_refused(t, '2', names[i], "good", LB_E_DENIED, prose);
	}
	check_tar_refused(t, '5', "/", "", LB_E_DENIED, inside);
}

TEST(unpacking_refuses_names_that_lie)
{
	check_tar_refused(t, '0', "a\nb", "", LB_E_MALFORMED, "a?b: control character 0x0a");
	check_tar_refused(t, '0', "a\x1b[2Jb", "", LB_E_MALFORMED, "control character 0x1b");
	check_tar_refused(t, '0', "a\x7f", "", LB_E_MALFORMED, "control character 0x7f");
	check_tar_refused(t, '0',
	                  "a\xff"
	                  "b",
	                  "", LB_E_MALFORMED, "not UTF-8");
	check_tar_refused(t, '0', "good", "", LB_E_MALFORMED, "good: the name comes twice");
	check_tar_refused(t, '0', "./good", "", LB_E_MALFORMED, "good: the name comes twice");
	check_tar_refused(t, '5', "good", "", LB_E_MALFORMED, "good: the name comes twice");
	check_tar_refused(t, '2', "good", "folder", LB_E_MALFORMED, "good: the name comes twice");
	check_tar_refused(t, '0', "folder", "", LB_E_MALFORMED, "folder: the name comes twice");
	check_tar_refused(t, '0', "link", "", LB_E_MALFORMED, "link: the name comes twice");
	check_tar_refused(t, '1', "folder", "good", LB_E_MALFORMED, "folder: the name comes twice");
}

TEST(unpacking_never_writes_through_links)
{
	static const char not_folder[] = "what it stands in is not a folder";

	check_tar_refused(t, '0', "link/evil", "", LB_E_DENIED, not_folder);
	check_tar_refused(t, '5', "link/evil", "", LB_E_DENIED, not_folder);
	check_tar_refused(t, '0', "link/a/b/evil", "", LB_E_DENIED, not_folder);
	check_tar_refused(t, '2', "link/evil", "x", LB_E_DENIED, not_folder);
	check_tar_refused(t, '1', "link/evil", "good", LB_E_DENIED, not_folder);
	check_tar_refused(t, '0', "good/evil", "", LB_E_DENIED, not_folder);
}

TEST(unpacking_refuses_links_that_lead_out)
{
	static const char *const targets[] = { "/etc/passwd",    "..",        "../x",
		                               "a/../../x",      "x/..",      "./../../x",
		                               "folder\\..\\..", "link/../.." };

	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		char prose[128];

		(void)snprintf(prose, sizeof prose, "evil: the link to %s leads out of the folder",
		               targets[i]);
		check_tar_refused(t, '2', "evil", targets[i], LB_E_DENIED, prose);
	}
	check_tar_refused(t, '2', "folder/evil", "../../x", LB_E_DENIED, "leads out");
	check_tar_refused(t, '2', "evil", "a\nb", LB_E_MALFORMED, "control character");
}

TEST(unpacking_refuses_hard_links_to_what_it_did_not_make)
{
	static const char prose[] = "evil: a hard link to what is no file unpacked before";

	check_tar_refused(t, '1', "evil", "/etc/passwd", LB_E_DENIED, prose);
	check_tar_refused(t, '1', "evil", "../x", LB_E_DENIED, prose);
	check_tar_refused(t, '1', "evil", "mine/file", LB_E_DENIED, prose);
	check_tar_refused(t, '1', "evil", "link", LB_E_DENIED, prose);
	check_tar_refused(t, '1', "evil", "folder", LB_E_DENIED, prose);
	check_tar_refused(t, '1', "evil", "later", LB_E_DENIED, prose);
}

TEST(unpacking_refuses_devices_and_pipes)
{
	check_tar_refused(t, '3', "null", "", LB_E_DENIED,
	                  "null: neither a file, a folder nor a link");
	check_tar_refused(t, '4', "disk", "", LB_E_DENIED,
	                  "disk: neither a file, a folder nor a link");
	check_tar_refused(t, '6', "pipe", "", LB_E_DENIED,
	                  "pipe: neither a file, a folder nor a link");
}

TEST(unpacking_refuses_hostile_zips)
{
	static const struct {
		const char *name, *content, *prose;
		unsigned mode;
	} cases[] = {
		{ "../evil", "x", "../evil: the name is not a relative", 0100644 },
		{ "/etc/evil", "x", "/etc/evil: the name is not a relative", 0100644 },
		{ "evil", "/etc/passwd", "evil: the link to /etc/passwd leads out", 0120777 },
		{ "null", "", "null: neither a file", 0020644 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lb_buf zip;

		lb_buf_init(&zip, t->mem, 1 << 20);
		make_zip(&zip, cases[i].name, cases[i].mode, lb_bytes_of(cases[i].content));
		check_refused_with(t, lb_buf_bytes(&zip), NULL, LB_E_DENIED, cases[i].prose);
		lb_buf_release(&zip);
	}
}

TEST(unpacking_holds_its_limits)
{
	static const struct lb_unpack_limits few = { .entries_max = 2 };
	static const struct lb_unpack_limits small = { .bytes_max = 5 };
	static const struct lb_unpack_limits tiny = { .bytes_max = 3 };
	static const struct lb_unpack_limits brief = { .name_max = 4 };
	struct lb_buf tar;

	lb_buf_init(&tar, t->mem, 1 << 20);
	add_tar(&tar, '0', "one", "", LB_B("1234"));
	add_tar(&tar, '0', "two", "", LB_B("5678"));
	add_tar(&tar, '0', "three", "", LB_B(""));
	end_tar(&tar);
	check_refused_with(t, lb_buf_bytes(&tar), &few, LB_E_LIMIT,
	                   "three: too many entries before it");
	check_refused_with(t, lb_buf_bytes(&tar), &small, LB_E_LIMIT,
	                   "two: with it, the archive unpacks to too many bytes");
	check_refused_with(t, lb_buf_bytes(&tar), &tiny, LB_E_LIMIT, "one: the file is too large");
	check_refused_with(t, lb_buf_bytes(&tar), &brief, LB_E_LIMIT,
	                   "three: the name is too long");
	lb_buf_release(&tar);
}

/* 80 MiB of zeros: beyond where the ratio begins to count. */
TEST(unpacking_refuses_bombs)
{
	enum { SIZE = 80 << 20 };
	char folder[512], from[512], to[512];
	struct lb_archive_member member = { "zeros", from };
	int file;

	new_folder(t, folder);
	file = open(in(from, folder, "zeros"), O_CREAT | O_WRONLY, 0600);
	CHECK(file >= 0 && ftruncate(file, SIZE) == 0 && close(file) == 0);
	for (size_t i = 1; i < FORMATS; i++) {
		struct lb_pack how = { .format = formats[i].format, .fast = true };
		struct lb_unpack_limits limits = { .ratio_max = 20 };
		struct lb_buf archive;

		CHECK_OK(lb_archive_pack(t->mem, &plat_host, in(to, folder, "bomb"), &member, 1,
		                         &how, NULL));
		lb_buf_init(&archive, t->mem, 10 << 20);
		CHECK_OK(lb_file_read(&archive, &plat_host, to, NULL));
		check_refused_with(t, lb_buf_bytes(&archive), &limits, LB_E_LIMIT,
		                   "unpacks to more than 20 times its size");
		lb_buf_release(&archive);
	}
}

TEST(unpacking_refuses_what_is_no_archive)
{
	check_refused_with(t, LB_B(""), NULL, LB_E_MALFORMED, "archive: ");
	check_refused_with(t, LB_B("hello, world\n"), NULL, LB_E_MALFORMED, "archive: ");
	check_refused_with(t, LB_B("\x1f\x8b"), NULL, LB_E_MALFORMED, "archive: ");
	check_refused_with(t, LB_B("PK\x03\x04"), NULL, LB_E_MALFORMED, "archive: ");
	CHECK(lb_code_of(lb_archive_unpack(t->mem, &plat_host, "/nowhere/x", "/tmp", NULL, NULL)) ==
	      LB_E_NOTFOUND);
}

/* Without the syncing of lb_file_write, which would take most of the time here. */
static void write_fast(struct test *t, const char *path, struct lb_bytes content)
{
	FILE *file = fopen(path, "wb");

	CHECK(file != NULL);
	if (file == NULL)
		return;
	CHECK(fwrite(content.at, 1, content.len, file) == content.len);
	CHECK(fclose(file) == 0);
}

static bool is_empty(struct test *t, const char *folder)
{
	struct tree tree = { t, folder, { 0 } };
	bool empty;

	lb_buf_init(&tree.out, t->mem, 1 << 20);
	CHECK_OK(lb_file_walk(t->mem, &plat_host, folder, show, &tree, NULL));
	empty = tree.out.len == 0;
	lb_buf_release(&tree.out);
	return empty;
}

TEST(unpacking_refuses_every_truncation)
{
	char from[512], to[512], folder[512], out[512], cut[512];

	new_folder(t, from);
	make(t, from, "a");
	put(t, from, "a/x", "one", 0);
	put(t, from, "b", "two", 0);
	new_folder(t, folder);
	make(t, folder, "out");
	(void)in(out, folder, "out");
	for (size_t i = 0; i < FORMATS; i++) {
		struct lb_archive_member member = { "", from };
		struct lb_pack how = { .format = formats[i].format };
		struct lb_buf archive;
		size_t whole;

		CHECK_OK(lb_archive_pack(t->mem, &plat_host, in(to, folder, "x"), &member, 1, &how,
		                         NULL));
		lb_buf_init(&archive, t->mem, 1 << 20);
		CHECK_OK(lb_file_read(&archive, &plat_host, to, NULL));
		/* Of plain tar's padding the first block of zeros is what counts. */
		whole = how.format == LB_ARCHIVE_TAR ? 5 * 512 + 512 : archive.len;
		(void)in(cut, folder, "cut");
		for (size_t len = 0; len < whole; len++) {
			lb_err err;

			write_fast(t, cut, lb_bytes_upto(lb_buf_bytes(&archive), len));
			err = lb_archive_unpack(t->mem, &plat_host, cut, out, NULL, NULL);
			if (lb_code_of(err) != LB_E_MALFORMED || !is_empty(t, out)) {
				t->failures++;
				printf("# %s cut to %zu of %zu bytes: %s\n", formats[i].name, len,
				       archive.len, lb_err_text(err));
			}
		}
		lb_buf_release(&archive);
	}
}

/* ---- what unpacking does ---- */

static void unpack_tar(struct test *t, struct lb_buf *tar, const char *into, enum lb_code code,
                       const char *prose)
{
	struct lb_diag diag = { 0 };
	char from[512];

	end_tar(tar);
	(void)in(from, test_folder(t), "archive");
	CHECK_OK(lb_file_write(&plat_host, from, lb_buf_bytes(tar), 0, NULL));
	CHECK(lb_code_of(lb_archive_unpack(t->mem, &plat_host, from, into, NULL, &diag)) == code);
	CHECK_TEXT(diag.text, prose);
	lb_buf_release(tar);
}

TEST(unpacking_makes_links_and_parents)
{
	char into[512];
	struct lb_buf tar;

	new_folder(t, into);
	lb_buf_init(&tar, t->mem, 1 << 20);
	add_tar(&tar, '5', "./", "", (struct lb_bytes){ 0 });
	add_tar(&tar, '0', "./a/b/c", "", LB_B("deep"));
	add_tar(&tar, '5', "./a/", "", (struct lb_bytes){ 0 });
	add_tar(&tar, '1', "hard", "./a/b/c", (struct lb_bytes){ 0 });
	add_tar(&tar, '2', "a/b/up", "../../hard", (struct lb_bytes){ 0 });
	add_tar(&tar, '2', "a/top", "..", (struct lb_bytes){ 0 });
	add_tar(&tar, '2', "dangling", "nowhere/./at/all/", (struct lb_bytes){ 0 });
	unpack_tar(t, &tar, into, LB_E_NONE, "");
	check_tree(t, into,
	           "a/ a/b/ a/b/c=deep a/b/up->../../hard a/top->.. dangling->nowhere/./at/all/ "
	           "hard=deep");
}

TEST(unpacking_replaces_files_and_joins_folders)
{
	char into[512], path[512];
	struct lb_buf tar;

	new_folder(t, into);
	make(t, into, "a");
	put(t, into, "a/old", "old", 0);
	put(t, into, "a/both", "old", 0);
	CHECK(symlink("/etc/passwd", in(path, into, "link")) == 0);
	lb_buf_init(&tar, t->mem, 1 << 20);
	add_tar(&tar, '0', "a/both", "", LB_B("new"));
	add_tar(&tar, '0', "a/new/file", "", LB_B("new"));
	add_tar(&tar, '0', "link", "", LB_B("new"));
	unpack_tar(t, &tar, into, LB_E_NONE, "");
	check_tree(t, into, "a/ a/both=new a/new/ a/new/file=new a/old=old link=new");
}

TEST(unpacking_does_not_follow_links_that_were_there)
{
	char into[512], other[512], path[512];
	struct lb_buf tar;

	new_folder(t, other);
	new_folder(t, into);
	CHECK(symlink(other, in(path, into, "a")) == 0);
	make(t, into, "b");
	lb_buf_init(&tar, t->mem, 1 << 20);
	add_tar(&tar, '0', "0", "", LB_B("new"));
	add_tar(&tar, '0', "a/x", "", LB_B("new"));
	unpack_tar(t, &tar, into, LB_E_EXISTS, "a: what is there is not a folder");
	lb_buf_init(&tar, t->mem, 1 << 20);
	add_tar(&tar, '0', "b", "", LB_B("new"));
	unpack_tar(t, &tar, into, LB_E_EXISTS, "b: a folder of that name is there");
	CHECK(unlink(path) == 0);
	check_tree(t, into, "b/");
	check_tree(t, other, "");
}

/* ---- memory and disks that run out ---- */

TEST(archives_survive_every_oom)
{
	char from[512], to[512], folder[512], out[512];
	struct lb_archive_member member = { "top", from };

	(void)sample(t, from);
	new_folder(t, folder);
	(void)in(to, folder, "x");
	(void)in(out, folder, "out");
	make(t, folder, "out");
	EACH_OOM (t) {
		struct lb_pack how = { .format = LB_ARCHIVE_TAR_ZST };
		lb_err err = lb_archive_pack(t->mem, &plat_host, to, &member, 1, &how, NULL);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(lb_file_exists(&plat_host, to) == !lb_failed(err));
		lb_ignore(plat_host.ops->remove(&plat_host, to));
	}
	CHECK_OK(lb_archive_pack(t->mem, &plat_host, to, &member, 1, &(struct lb_pack){ 0 }, NULL));
	EACH_OOM (t) {
		lb_err err = lb_archive_unpack(t->mem, &plat_host, to, out, NULL, NULL);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(rmdir(out) == (lb_failed(err) ? 0 : -1));
		lb_ignore(lb_file_remove_tree(&plat_host, out, NULL));
		make(t, folder, "out");
	}
}

/* Every call of the platform fails once, then all that need room: nothing may be left behind. */
static void sweep_faults(struct test *t, bool sticky)
{
	char from[512], to[512], folder[512], out[512];
	struct lb_archive_member member = { "top", from };
	struct lb_pack how = { .format = LB_ARCHIVE_TAR_GZ };
	struct plat_sim sim;
	lb_err err;

	(void)sample(t, from);
	new_folder(t, folder);
	make(t, folder, "out");
	(void)in(to, folder, "x");
	(void)in(out, folder, "out");
	plat_sim_init(&sim, 1);
	sim.fault = LB_E_NOSPACE;
	sim.sticky = sticky;
	do {
		sim.fail_at++;
		sim.calls = 0;
		sim.failed = false;
		err = lb_archive_pack(t->mem, &sim.plat, to, &member, 1, &how, NULL);
		CHECK(lb_code_of(err) == (sim.failed ? LB_E_NOSPACE : LB_E_NONE));
		if (lb_failed(err))
			check_tree(t, folder, "out/");
	} while (sim.failed);
	CHECK(sim.fail_at > 30);
	sim.fail_at = 0;
	do { /* the last call, which removes what is empty by then, may fail unnoticed */
		sim.fail_at++;
		sim.calls = 0;
		sim.failed = false;
		err = lb_archive_unpack(t->mem, &sim.plat, to, out, NULL, NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOSPACE);
		CHECK(lb_failed(err) == is_empty(t, out));
	} while (lb_failed(err));
	CHECK(sim.fail_at > 20);
}

TEST(archives_leave_nothing_behind_when_a_call_fails) { sweep_faults(t, false); }

TEST(archives_leave_nothing_behind_on_a_full_disk) { sweep_faults(t, true); }

/* In a mount namespace of its own; 0: as it should be. */
static int unpack_on_small_disk(const char *from, const char *into)
{
	struct lb_diag diag = { 0 };
	struct stat info;
	lb_err err;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", into, "tmpfs", 0, "size=256k") != 0)
		return 77;
	err = lb_archive_unpack(&lb_mem_host, &plat_host, from, into, NULL, &diag);
	if (lb_code_of(err) != LB_E_NOSPACE || strstr(diag.text, "cannot write zeros") == NULL)
		return 1;
	return stat(into, &info) == 0 && info.st_nlink == 2 ? 0 : 2;
}

TEST(unpacking_onto_a_disk_that_is_really_full)
{
	char folder[512], from[512], to[512], into[512];
	struct lb_archive_member member = { "zeros", from };
	struct lb_pack how = { .format = LB_ARCHIVE_TAR_ZST };
	int file, status = 0;
	pid_t child;

	new_folder(t, folder);
	file = open(in(from, folder, "zeros"), O_CREAT | O_WRONLY, 0600);
	CHECK(file >= 0 && ftruncate(file, 1 << 20) == 0 && close(file) == 0);
	CHECK_OK(lb_archive_pack(t->mem, &plat_host, in(to, folder, "x"), &member, 1, &how, NULL));
	make(t, folder, "into");
	(void)in(into, folder, "into");
	child = fork();
	if (child == 0)
		_exit(unpack_on_small_disk(to, into));
	CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		SKIP("may not mount a file system of its own");
	CHECK(WEXITSTATUS(status) == 0);
}
