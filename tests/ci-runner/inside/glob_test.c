/* glob_test.c - files found by the patterns of `path:` inputs. */
#include "base/io/file.h"
#include "base/platform/plat.h"
#include "ci-runner/inside/glob.h"
#include "tests/harness/test.h"

TEST(patterns_match_as_on_github)
{
	static const struct {
		const char *pattern, *path;
		bool want;
	} cases[] = {
		{ "/a/b", "/a/b", true },          { "/a/b", "/a", false },
		{ "/a/b", "/a/b/c", false },       { "/a/*", "/a/b", true },
		{ "/a/*", "/a/b/c", false },       { "/a/*", "/a", false },
		{ "/a/*.c", "/a/x.c", true },      { "/a/*.c", "/a/x.h", false },
		{ "/a/**", "/a", true },           { "/a/**", "/a/b/c", true },
		{ "/a/**/c", "/a/c", true },       { "/a/**/c", "/a/x/y/c", true },
		{ "/a/**/c", "/a/x/y/d", false },  { "/**/x/*.o", "/x/a.o", true },
		{ "/**/x/*.o", "/q/x/a.o", true }, { "/a/?", "/a/b", true },
		{ "/a/[bc]", "/a/c", true },       { "/a/[bc]", "/a/d", false },
		{ "/a/.*", "/a/.x", true },        { "/a/*", "/a/.x", true },
		{ "/a/**/**/b", "/a/b", true },    { "/ab", "/a", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (runner_glob_match(cases[i].pattern, cases[i].path) != cases[i].want) {
			t->failures++;
			printf("# %s on %s: not %s\n", cases[i].pattern, cases[i].path,
			       cases[i].want ? "true" : "false");
		}
	}
}

static const char *const tree[] = { "dist/a.txt",    "dist/sub/b.txt", "dist/sub/deep/c.bin",
	                            "dist/.hidden",  "other/a.txt",    "other/old.txt",
	                            ".config/x.txt", "top.txt",        NULL };

static const char *make_tree(struct test *t, struct lb_arena *arena)
{
	const char *root = lb_arena_text(arena, lb_bytes_of(test_folder(t)));

	for (size_t i = 0; tree[i] != NULL; i++) {
		char *path = (char *)(uintptr_t)lb_arena_format(arena, "%s/%s", root, tree[i]).at;
		char *slash = strrchr(path, '/');

		*slash = '\0';
		CHECK_OK(lb_file_make_folders(&plat_host, path, NULL));
		*slash = '/';
		CHECK_OK(lb_file_write(&plat_host, path, LB_B("x"), 0, NULL));
	}
	return root;
}

/* What patterns find, relative to the tree: "TOP: name name". */
static void find(struct test *t, struct lb_buf *out, struct lb_arena *arena, const char *root,
                 const char *patterns, bool hidden, bool descendants)
{
	struct lb_value *list = lb_value_array(arena);
	struct lb_bytes rest = lb_bytes_of(patterns), one;
	struct runner_matches matches = { 0 };
	struct lb_diag diag;
	lb_err err;

	lb_buf_reset(out);
	while (lb_bytes_split(&one, &rest, ' '))
		lb_value_add(arena, list, lb_value_string(arena, one));
	err = runner_glob_find(&matches, arena, t->mem, &plat_host,
	                       &(struct runner_glob){ .root = root,
	                                              .home = root,
	                                              .patterns = list,
	                                              .hidden = hidden,
	                                              .descendants = descendants },
	                       &diag);
	if (lb_failed(err)) {
		lb_buf_addf(out, "!%s", lb_diag_text(&diag, err));
		return;
	}
	lb_buf_addf(out, "%s:", matches.top + strlen(root));
	for (size_t i = 0; i < matches.count; i++)
		lb_buf_addf(out, " %s", matches.at[i].path + strlen(root) + 1);
}

TEST(files_are_found_with_their_common_folder)
{
	static const struct {
		const char *patterns, *want;
	} cases[] = {
		{ "dist", "/dist: dist/a.txt dist/sub/b.txt dist/sub/deep/c.bin" },
		{ "dist/", "/dist: dist/a.txt dist/sub/b.txt dist/sub/deep/c.bin" },
		{ "./dist/*", "/dist: dist/a.txt dist/sub/b.txt dist/sub/deep/c.bin" },
		{ "dist/*.txt", "/dist: dist/a.txt" },
		{ "dist/**/*.txt", "/dist: dist/a.txt dist/sub/b.txt" },
		{ "top.txt", ": top.txt" },
		{ "dist/a.txt", "/dist: dist/a.txt" },
		{ "dist/a.txt other", ": dist/a.txt other/a.txt other/old.txt" },
		{ "dist/sub dist/a.txt", "/dist: dist/a.txt dist/sub/b.txt dist/sub/deep/c.bin" },
		{ "dist !dist/sub", "/dist: dist/a.txt" },
		{ "other !**/old*", "/other: other/a.txt" },
		{ "dist !dist/** dist/a.txt", "/dist: dist/a.txt" },
		{ "~/top.txt", ": top.txt" },
		{ "nothing*", ":" },
		{ "not/there", "/not/there:" },
		{ ".config/x.txt", "/.config: .config/x.txt" },
		{ "dist/../top.txt", "!path 'dist/../top.txt': '..' is not allowed here" },
	};
	struct lb_arena arena;
	struct lb_buf out;
	const char *root;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&out, t->mem, 65536);
	root = make_tree(t, &arena);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		find(t, &out, &arena, root, cases[i].patterns, false, true);
		CHECK_BYTES(lb_buf_bytes(&out), cases[i].want);
	}
	find(t, &out, &arena, root, "dist/*", true, true);
	CHECK_BYTES(lb_buf_bytes(&out),
	            "/dist: dist/.hidden dist/a.txt dist/sub/b.txt dist/sub/deep/c.bin");
	find(t, &out, &arena, root, "dist/* other", true, false);
	CHECK_BYTES(lb_buf_bytes(&out), ": dist/.hidden dist/a.txt dist/sub other");
	lb_buf_release(&out);
	lb_arena_release(&arena);
}

TEST(finding_survives_every_oom)
{
	struct lb_arena kept;
	struct lb_value *list;
	const char *root;

	lb_arena_init(&kept, &lb_mem_host);
	root = make_tree(t, &kept);
	list = lb_value_array(&kept);
	lb_value_add(&kept, list, lb_value_text(&kept, "dist/**/*.txt"));
	lb_value_add(&kept, list, lb_value_text(&kept, "!**/b.txt"));
	EACH_OOM (t) {
		struct runner_matches matches;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = runner_glob_find(&matches, &arena, t->mem, &plat_host,
		                       &(struct runner_glob){ .root = root,
		                                              .home = root,
		                                              .patterns = list,
		                                              .descendants = true },
		                       NULL);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(lb_failed(err) ? lb_code_of(err) == LB_E_NOMEM : matches.count == 1);
		lb_arena_release(&arena);
	}
	lb_arena_release(&kept);
}
