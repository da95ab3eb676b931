/* source_test.c - references, locks, and actions taken from mirrors. */
#include "base/io/file.h"
#include "base/io/run.h"
#include "base/text.h"
#include "ci-runner/actions/source.h"
#include "tests/harness/test.h"

#include <stdio.h>

enum { PATH_SIZE = 300 };

static void shell(struct test *t, const char *folder, const char *line)
{
	static const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin",
		                           "GIT_CONFIG_NOSYSTEM=1",
		                           "HOME=/nonexistent",
		                           "GIT_AUTHOR_NAME=Ann",
		                           "GIT_AUTHOR_EMAIL=ann@example.org",
		                           "GIT_COMMITTER_NAME=Ann",
		                           "GIT_COMMITTER_EMAIL=ann@example.org",
		                           NULL };
	const char *const argv[] = { "/bin/sh", "-ec", line, NULL };
	struct lb_run how = { .argv = argv, .envp = env, .cwd = folder, .timeout_ms = 20000 };
	struct lb_diag diag = { 0 };

	if (!CHECK_OK(lb_run_ok(&how, NULL, &diag)))
		printf("# %s: %s\n", line, diag.text);
}

/* ---- references ---- */

TEST(what_uses_names_is_told_apart)
{
	static const struct {
		const char *uses;
		enum runner_reference_kind kind;
		const char *repository, *path, *ref;
	} good[] = {
		{ "actions/checkout@v4", RUNNER_REFERENCE_REMOTE, "actions/checkout", "", "v4" },
		{ "actions/cache/restore@v4", RUNNER_REFERENCE_REMOTE, "actions/cache", "restore",
		  "v4" },
		{ "o/r/a/b@feature/x", RUNNER_REFERENCE_REMOTE, "o/r", "a/b", "feature/x" },
		{ "./", RUNNER_REFERENCE_LOCAL, "", "", "" },
		{ "./.github/actions/x", RUNNER_REFERENCE_LOCAL, "", ".github/actions/x", "" },
		{ "$/actions/x", RUNNER_REFERENCE_SELF, "", "actions/x", "" },
		{ "docker://alpine:3", RUNNER_REFERENCE_DOCKER, "", "alpine:3", "" },
	};
	static const char *const bad[] = {
		"checkout@v4", "actions/checkout", "actions/@v1", "a/b/../c@v1",
		"../x",        "$/../x",           "a/b@",        "a/b@-x",
		"a/b@x..y",    "a b/c@v1",         "../../a@v1",  ""
	};
	struct runner_reference got;
	struct lb_diag diag = { 0 };

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		CHECK_OK(runner_reference_read(&got, lb_bytes_of(good[i].uses), &diag));
		CHECK(got.kind == good[i].kind);
		CHECK_BYTES(got.repository, good[i].repository);
		CHECK_BYTES(got.path, good[i].path);
		CHECK_BYTES(got.ref, good[i].ref);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (!lb_failed(runner_reference_read(&got, lb_bytes_of(bad[i]), &diag))) {
			t->failures++;
			printf("# accepted: %s\n", bad[i]);
		}
	}
}

/* ---- locks ---- */

#define SHA_A "11bd71901bbe5b1630ceea73d27597364c9af683"
#define SHA_B "22bd71901bbe5b1630ceea73d27597364c9af683"
#define SUM_A "4a4f1111111111111111111111111111111111111111111111111111111111aa"

TEST(lock_is_read_changed_and_written)
{
	static const char text[] = "# a comment\n\no/r@v2 " SHA_A " sha256:" SUM_A
				   "\na/b@x@y " SHA_A " sha256:" SUM_A "\n";
	struct runner_lock lock;
	struct lb_diag diag = { 0 };
	struct lb_buf out;

	EACH_OOM (t) {
		lb_err err = runner_lock_read(&lock, t->mem, lb_bytes_of(text), "lock", &diag);

		if (lb_failed(err))
			continue;
		lb_buf_init(&out, t->mem, 65536);
		err = runner_lock_put(&lock, LB_B("O/R"), LB_B("v2"), SHA_B, SUM_A);
		if (!lb_failed(err))
			err = runner_lock_put(&lock, LB_B("a/a"), LB_B("v1"), SHA_B, SUM_A);
		runner_lock_write(&out, &lock);
		if (!lb_failed(err) && !lb_failed(lb_buf_check(&out))) {
			struct lb_bytes all = lb_buf_bytes(&out);

			CHECK(lock.entries.count == 3);
			CHECK(runner_lock_find(&lock, LB_B("A/B@x"), LB_B("y")) != NULL);
			CHECK(runner_lock_find(&lock, LB_B("o/r"), LB_B("V2")) == NULL);
			CHECK_BYTES(lb_bytes_from(all, lb_bytes_find(all, LB_B("a/a@v1"))),
			            "a/a@v1 " SHA_B " sha256:" SUM_A "\na/b@x@y " SHA_A
			            " sha256:" SUM_A "\no/r@v2 " SHA_B " sha256:" SUM_A "\n");
		}
		lb_buf_release(&out);
		runner_lock_release(&lock);
	}
}

TEST(lock_that_is_none_says_the_line)
{
	static const char *const bad[] = { "o/r@v2 " SHA_A "\n", "o/r " SHA_A " sha256:" SUM_A,
		                           "o/r@v1 1234 sha256:" SUM_A,
		                           "o/r@v1 " SHA_A " md5:" SUM_A,
		                           "a/b@v1 " SHA_A " sha256:" SUM_A "\nA/B@v1 " SHA_B
		                           " sha256:" SUM_A };
	struct runner_lock lock;
	struct lb_diag diag = { 0 };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK(lb_code_of(runner_lock_read(&lock, t->mem, lb_bytes_of(bad[i]), "lock",
		                                  &diag)) == LB_E_MALFORMED);
		CHECK(strncmp(diag.text, i == 4 ? "lock:2: " : "lock:1: ", 8) == 0);
	}
}

/* ---- sources ---- */

struct places {
	char top[PATH_SIZE], published[PATH_SIZE], mirrors[PATH_SIZE], out[PATH_SIZE];
	struct runner_actions *actions;
	struct lb_diag diag;
};

static void make(struct test *t, struct places *p)
{
	*p = (struct places){ 0 };
	(void)snprintf(p->top, sizeof p->top, "%.200s", test_folder(t));
	(void)snprintf(p->published, sizeof p->published, "%.200s/published", p->top);
	(void)snprintf(p->mirrors, sizeof p->mirrors, "%.200s/mirrors", p->top);
	(void)snprintf(p->out, sizeof p->out, "%.200s/out", p->top);
	shell(t, p->top,
	      "mkdir -p published/o; git init -q -b main published/o/r; cd published/o/r;"
	      "echo 'name: x' >action.yml; ln -s action.yml link; echo run >run; chmod +x run;"
	      "git add -A; git commit -qm one; git tag v1");
}

static lb_err begin(struct test *t, struct places *p, const char *lock, bool offline)
{
	struct runner_actions_options options = { .mirrors = p->mirrors,
		                                  .source = p->published,
		                                  .lock = lb_bytes_of(lock),
		                                  .locked = lock != NULL,
		                                  .offline = offline };

	runner_actions_free(p->actions);
	return runner_actions_new(&p->actions, t->mem, &plat_host, &options, &p->diag);
}

static lb_err get(struct places *p, const char *ref)
{
	char sha[LB_SHA_HEX + 1];

	p->diag.text[0] = '\0';
	lb_ignore(lb_file_remove_tree(&plat_host, p->out, NULL));
	return runner_actions_export(sha, p->actions, LB_B("o/r"), lb_bytes_of(ref), p->out,
	                             &p->diag);
}

static bool says(const struct places *p, const char *what)
{
	if (strstr(p->diag.text, what) != NULL)
		return true;
	printf("# says: %s\n", p->diag.text);
	return false;
}

static bool is_out(const struct places *p) { return lb_file_exists(&plat_host, p->out); }

TEST(first_fetch_is_recorded_and_offline_is_enough_afterwards)
{
	struct places p;

	make(t, &p);
	CHECK_OK(begin(t, &p, NULL, true));
	CHECK(lb_code_of(get(&p, "v1")) == LB_E_NOTFOUND);
	CHECK(says(&p, "o/r@v1: it is not in the mirror") && says(&p, "offline"));
	CHECK_OK(begin(t, &p, NULL, false));
	CHECK_OK(get(&p, "v1"));
	CHECK(lb_code_of(get(&p, "v9")) == LB_E_NOTFOUND);
	CHECK(says(&p, "o/r@v9: there is no branch, tag or commit v9"));
	shell(t, p.top,
	      "grep -q '^o/r@v1 [0-9a-f]* sha256:' mirrors/recorded.lock;"
	      "test \"$(readlink out/link)\" = action.yml || test ! -e out; rm -rf published");
	CHECK_OK(begin(t, &p, NULL, true));
	CHECK_OK(get(&p, "v1"));
	shell(t, p.top, "test -x out/run && test ! -x out/action.yml && test ! -e out/.git");
	runner_actions_free(p.actions);
	EACH_OOM (t) {
		lb_err err;

		p.actions = NULL;
		err = begin(t, &p, NULL, true);
		if (!lb_failed(err))
			err = get(&p, "v1");
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(!lb_failed(err) || !is_out(&p));
		runner_actions_free(p.actions);
		lb_ignore(lb_file_remove_tree(&plat_host, p.out, NULL));
	}
}

TEST(a_tag_that_moved_is_refused_by_name)
{
	struct places p;
	char sha[LB_SHA_HEX + 1], digest[LB_SHA256_HEX + 1];

	make(t, &p);
	CHECK_OK(begin(t, &p, NULL, false));
	CHECK_OK(get(&p, "v1"));
	shell(t, p.top,
	      "cd published/o/r; echo 'name: y' >action.yml; git commit -qam two; git tag -f v1");
	CHECK_OK(get(&p, "v1")); /* nobody looked: what was recorded */
	lb_ignore(lb_file_remove_tree(&plat_host, p.out, NULL));
	CHECK_OK(runner_actions_look_up(sha, digest, p.actions, LB_B("o/r"), LB_B("v1"), p.out,
	                                &p.diag));
	CHECK(is_out(&p));
	CHECK(lb_code_of(get(&p, "v1")) == LB_E_DENIED);
	CHECK(says(&p, "o/r@v1: it moved: v1 names commit ") && says(&p, sha));
	CHECK(!is_out(&p));
	runner_actions_free(p.actions);
}

TEST(with_a_lock_only_what_stands_in_it_is_given)
{
	struct places p;
	char sha[LB_SHA_HEX + 1], digest[LB_SHA256_HEX + 1], lock[300];

	make(t, &p);
	CHECK_OK(begin(t, &p, NULL, false));
	CHECK_OK(runner_actions_look_up(sha, digest, p.actions, LB_B("o/r"), LB_B("v1"), p.out,
	                                &p.diag));
	(void)snprintf(lock, sizeof lock, "o/r@v1 %s sha256:%s\n", sha, digest);
	CHECK_OK(begin(t, &p, lock, true));
	CHECK_OK(get(&p, "v1"));
	CHECK(lb_code_of(get(&p, "main")) == LB_E_DENIED);
	CHECK(says(&p, "o/r@main is not in .lifeboat/actions.lock"));
	lock[strlen(lock) - 3] = lock[strlen(lock) - 3] == 'a' ? 'b' : 'a';
	CHECK_OK(begin(t, &p, lock, true));
	CHECK(lb_code_of(get(&p, "v1")) == LB_E_DENIED);
	CHECK(says(&p, "has files with the digest sha256:") && !is_out(&p));
	CHECK(lb_code_of(begin(t, &p, "nonsense", true)) == LB_E_MALFORMED);
	p.actions = NULL;
}

TEST(a_commit_is_given_by_its_name)
{
	struct places p;
	char sha[LB_SHA_HEX + 1], digest[LB_SHA256_HEX + 1], again[LB_SHA256_HEX + 1];

	make(t, &p);
	CHECK_OK(begin(t, &p, NULL, false));
	CHECK_OK(runner_actions_look_up(sha, digest, p.actions, LB_B("o/r"), LB_B("main"), p.out,
	                                &p.diag));
	CHECK_OK(get(&p, sha));
	lb_ignore(lb_file_remove_tree(&plat_host, p.out, NULL));
	CHECK_OK(runner_actions_digest_of(again, p.actions, LB_B("o/r"), sha, p.out, &p.diag));
	CHECK_TEXT(again, digest);
	runner_actions_free(p.actions);
}
