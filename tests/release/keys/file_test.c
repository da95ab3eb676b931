/* file_test.c - files signed and checked: names, changes, memory and disk running out. */
#include "base/io/file.h"
#include "release/keys/file.h"
#include "tests/harness/test.h"

struct signed_file {
	struct release_secret_key *key;
	struct release_public_key public_key;
	char path[600], other[600], signature[600];
};

static void begin(struct signed_file *s, struct test *t)
{
	const char *folder = test_folder(t);

	(void)snprintf(s->path, sizeof s->path, "%s/file", folder);
	(void)snprintf(s->other, sizeof s->other, "%s/other", folder);
	(void)snprintf(s->signature, sizeof s->signature, "%s/file.minisig", folder);
	CHECK_OK(lb_file_write(&plat_host, s->path, LB_B("content"), 0, NULL));
	CHECK_OK(lb_file_write(&plat_host, s->other, LB_B("content"), 0, NULL));
	CHECK_OK(release_secret_key_generate(&s->key, &lb_mem_host));
	s->public_key = release_secret_key_public(s->key);
	lb_ignore(plat_host.ops->remove(&plat_host, s->signature));
}

static lb_err verify(struct signed_file *s, struct test *t, const char *path, struct lb_diag *diag)
{
	struct lb_buf comment;
	lb_err err;

	lb_buf_init(&comment, t->mem, RELEASE_COMMENT_MAX);
	err = release_verify_file(&comment, t->mem, &plat_host, &s->public_key, path, s->signature,
	                          diag);
	CHECK(lb_failed(err) || comment.len > 0);
	lb_buf_release(&comment);
	return err;
}

TEST(a_signed_file_holds_under_its_own_name_only)
{
	struct signed_file s;
	struct lb_diag diag = { 0 };

	begin(&s, t);
	CHECK_OK(release_sign_file(t->mem, &plat_host, s.key, s.path, NULL, NULL));
	CHECK_OK(verify(&s, t, s.path, NULL));
	CHECK(lb_code_of(verify(&s, t, s.other, &diag)) == LB_E_MISMATCH);
	CHECK(strstr(diag.text, "a file named \"file\", this one is named \"other\"") != NULL);
	/* A comment without a name makes no demand. */
	CHECK_OK(release_sign_file(t->mem, &plat_host, s.key, s.path, "anything", NULL));
	CHECK_OK(verify(&s, t, s.other, NULL));
	CHECK_OK(lb_file_write(&plat_host, s.path, LB_B("Content"), 0, NULL));
	CHECK(lb_code_of(verify(&s, t, s.path, NULL)) == LB_E_MISMATCH);
	release_secret_key_free(s.key);
}

TEST(hashes_are_of_the_whole_file)
{
	struct release_hashes hashes, again;
	struct signed_file s;
	int file;

	begin(&s, t);
	CHECK_OK(plat_host.ops->open(&file, &plat_host, s.path, PLAT_READ));
	CHECK_OK(release_hash_file(&hashes, t->mem, &plat_host, file, true));
	CHECK_OK(release_hash_file(&again, t->mem, &plat_host, file, true));
	CHECK(hashes.size == 7 && memcmp(&hashes, &again, sizeof hashes) == 0);
	/* SHA-256 of "content" */
	CHECK(hashes.sha256[0] == 0xed && hashes.sha256[1] == 0x70 && hashes.sha256[31] == 0x73);
	plat_host.ops->close(&plat_host, file);
	release_secret_key_free(s.key);
}

TEST(a_disk_that_fails_leaves_no_part_of_a_signature)
{
	struct signed_file s;
	bool went_through = false;

	begin(&s, t);
	for (uint64_t fail_at = 1; !went_through && fail_at < 100; fail_at++) {
		struct plat_sim sim;
		struct lb_diag diag = { 0 };
		lb_err err;

		plat_sim_init(&sim, 1);
		sim.fault = LB_E_NOSPACE;
		sim.fail_at = fail_at;
		lb_ignore(plat_host.ops->remove(&plat_host, s.signature));
		err = release_sign_file(t->mem, &sim.plat, s.key, s.path, NULL, &diag);
		went_through = !sim.failed;
		CHECK(lb_failed(err) == !went_through || lb_file_exists(&plat_host, s.signature));
		CHECK(!lb_failed(err) || strstr(diag.text, "file") != NULL);
		if (lb_file_exists(&plat_host, s.signature))
			CHECK_OK(verify(&s, t, s.path, NULL));
	}
	CHECK(went_through);
	release_secret_key_free(s.key);
}

TEST(files_survive_every_oom)
{
	struct signed_file s;

	begin(&s, t);
	EACH_OOM (t) {
		lb_err err = release_sign_file(t->mem, &plat_host, s.key, s.path, NULL, NULL);
		struct lb_buf comment;

		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_buf_init(&comment, t->mem, RELEASE_COMMENT_MAX);
		if (!lb_failed(err))
			err = release_verify_file(&comment, t->mem, &plat_host, &s.public_key,
			                          s.path, NULL, NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_buf_release(&comment);
	}
	release_secret_key_free(s.key);
}
