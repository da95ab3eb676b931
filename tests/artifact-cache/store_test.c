/* store_test.c - the blob store: names are digests, acknowledged is durable, nothing partial is
 * seen. */
#include "artifact-cache/store.h"
#include "base/io/file.h"
#include "tests/harness/test.h"

#include <stdlib.h>
#include <string.h>

static lb_err put(char sha256[LB_SHA256_HEX + 1], struct cache_store *store,
                  struct lb_bytes content)
{
	struct cache_writer *writer;
	uint64_t size;
	lb_err err;

	LB_TRY(cache_writer_new(&writer, store, 1 << 20));
	err = cache_writer_add(writer, lb_bytes_upto(content, content.len / 2));
	if (!lb_failed(err))
		err = cache_writer_add(writer, lb_bytes_from(content, content.len / 2));
	if (lb_failed(err)) {
		cache_writer_abandon(writer);
		return err;
	}
	return cache_writer_end(sha256, &size, writer);
}

static lb_err count_one(void *ctx, const char *sha256, uint64_t bytes)
{
	(void)sha256;
	(void)bytes;
	++*(size_t *)ctx;
	return LB_OK;
}

static size_t count(struct cache_store *store)
{
	size_t blobs = 0;

	lb_ignore(cache_store_list(store, count_one, &blobs));
	return blobs;
}

static const char hello_sha256[] =
	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

TEST(store_names_a_blob_by_its_digest)
{
	struct cache_store *store;
	char sha256[LB_SHA256_HEX + 1], path[1024];
	struct lb_buf content;
	uint64_t bytes;

	CHECK_OK(cache_store_open(&store, t->mem, &plat_host, test_folder(t), NULL));
	CHECK_OK(put(sha256, store, LB_B("hello")));
	CHECK_TEXT(sha256, hello_sha256);
	CHECK_OK(cache_store_find(path, sizeof path, &bytes, store, sha256));
	CHECK(bytes == 5);
	lb_buf_init(&content, t->mem, 100);
	CHECK_OK(lb_file_read(&content, &plat_host, path, NULL));
	CHECK_TEXT(lb_buf_text(&content), "hello");
	lb_buf_release(&content);
	CHECK_OK(put(sha256, store, LB_B("hello")));
	CHECK(count(store) == 1);
	CHECK(lb_code_of(cache_store_find(path, sizeof path, &bytes, store, "../../etc/passwd")) ==
	      LB_E_NOTFOUND);
	cache_store_close(store);
}

TEST(store_never_hands_out_a_damaged_blob)
{
	struct cache_store *store;
	const char *folder = test_folder(t);
	char sha256[LB_SHA256_HEX + 1], path[1024];
	uint64_t bytes, checked, bad;
	int file;

	CHECK_OK(cache_store_open(&store, t->mem, &plat_host, folder, NULL));
	CHECK_OK(put(sha256, store, LB_B("hello")));
	CHECK_OK(cache_store_find(path, sizeof path, &bytes, store, sha256));
	CHECK_OK(plat_host.ops->open(&file, &plat_host, path, PLAT_WRITE));
	CHECK_OK(plat_host.ops->write_at(&plat_host, file, "j", 1, 0));
	plat_host.ops->close(&plat_host, file);
	CHECK(lb_code_of(cache_store_find(path, sizeof path, &bytes, store, sha256)) ==
	      LB_E_MISMATCH);
	CHECK(lb_code_of(cache_store_find(path, sizeof path, &bytes, store, sha256)) ==
	      LB_E_NOTFOUND);
	CHECK_OK(put(sha256, store, LB_B("hello"))); /* heals */
	CHECK_OK(cache_store_find(path, sizeof path, &bytes, store, sha256));
	CHECK_OK(plat_host.ops->open(&file, &plat_host, path, PLAT_WRITE));
	CHECK_OK(plat_host.ops->write_at(&plat_host, file, "j", 1, 0));
	plat_host.ops->close(&plat_host, file);
	CHECK_OK(cache_store_verify(&checked, &bad, store, NULL, NULL));
	CHECK(checked == 1 && bad == 1 && count(store) == 0);
	cache_store_close(store);
}

TEST(store_refuses_a_second_process_and_a_newer_version)
{
	struct cache_store *store, *other;
	const char *folder = test_folder(t);
	char path[1024];
	struct lb_diag diag = { 0 };

	CHECK_OK(cache_store_open(&store, t->mem, &plat_host, folder, NULL));
	CHECK(lb_code_of(cache_store_open(&other, t->mem, &plat_host, folder, &diag)) == LB_E_BUSY);
	CHECK(other == NULL);
	cache_store_close(store);
	(void)snprintf(path, sizeof path, "%s/version", folder);
	CHECK_OK(lb_file_write(&plat_host, path, LB_B("2\n"), 0, NULL));
	CHECK(lb_code_of(cache_store_open(&store, t->mem, &plat_host, folder, &diag)) ==
	      LB_E_NEWER);
	CHECK(strstr(diag.text, "version 2") != NULL);
}

TEST(store_refuses_more_than_a_writer_may_write)
{
	struct cache_store *store;
	struct cache_writer *writer;

	CHECK_OK(cache_store_open(&store, t->mem, &plat_host, test_folder(t), NULL));
	CHECK_OK(cache_writer_new(&writer, store, 4));
	CHECK(lb_code_of(cache_writer_add(writer, LB_B("hello"))) == LB_E_LIMIT);
	cache_writer_abandon(writer);
	CHECK(count(store) == 0);
	cache_store_close(store);
}

/* Every call that can fail fails once, for good and for a moment: what was acknowledged is there
 * afterwards, what was not is there whole or not at all, and the next put works. */
TEST(store_survives_every_disk_fault)
{
	static const enum lb_code faults[] = { LB_E_NOSPACE, LB_E_IO };

	for (unsigned round = 0; round < 4; round++) {
		for (uint64_t n = 1;; n++) {
			struct plat_sim sim;
			struct cache_store *store;
			const char *folder = test_folder(t);
			char sha256[LB_SHA256_HEX + 1], path[1024];
			uint64_t bytes;
			lb_err err;
			bool delivered;

			plat_sim_init(&sim, 1);
			sim.fault = faults[round % 2];
			sim.sticky = round >= 2;
			CHECK_OK(cache_store_open(&store, t->mem, &sim.plat, folder, NULL));
			if (store == NULL)
				return;
			sim.fail_at = sim.calls + n;
			err = put(sha256, store, LB_B("hello"));
			delivered = sim.calls >= sim.fail_at;
			cache_store_close(store);
			CHECK_OK(cache_store_open(&store, t->mem, &plat_host, folder, NULL));
			if (!lb_failed(err))
				CHECK_OK(cache_store_find(path, sizeof path, &bytes, store,
				                          hello_sha256));
			CHECK(count(store) <= 1);
			CHECK_OK(put(sha256, store, LB_B("hello")));
			CHECK_OK(cache_store_find(path, sizeof path, &bytes, store, hello_sha256));
			cache_store_close(store);
			if (!delivered)
				break;
		}
	}
}

TEST(store_survives_every_oom)
{
	EACH_OOM (t) {
		struct cache_store *store;
		char sha256[LB_SHA256_HEX + 1], path[1024];
		uint64_t bytes;
		lb_err err = cache_store_open(&store, t->mem, &plat_host, test_folder(t), NULL);

		CHECK(lb_failed(err) == (store == NULL));
		if (lb_failed(err)) {
			CHECK(lb_code_of(err) == LB_E_NOMEM);
			continue;
		}
		err = put(sha256, store, LB_B("hello"));
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		if (!lb_failed(err)) {
			err = cache_store_find(path, sizeof path, &bytes, store, sha256);
			CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		}
		cache_store_close(store);
	}
}

static bool keep_hello(void *ctx, const char *sha256)
{
	(void)ctx;
	return strcmp(sha256, hello_sha256) == 0;
}

TEST(store_collects_what_nobody_keeps)
{
	struct cache_store *store;
	char sha256[LB_SHA256_HEX + 1];
	uint64_t removed, bytes;

	CHECK_OK(cache_store_open(&store, t->mem, &plat_host, test_folder(t), NULL));
	CHECK_OK(put(sha256, store, LB_B("hello")));
	CHECK_OK(put(sha256, store, LB_B("other!")));
	CHECK_OK(cache_store_collect(&removed, &bytes, store, keep_hello, NULL, 3600));
	CHECK(removed == 0);
	CHECK_OK(cache_store_collect(&removed, &bytes, store, keep_hello, NULL, 0));
	CHECK(removed == 1 && bytes == 6 && count(store) == 1);
	cache_store_close(store);
}
