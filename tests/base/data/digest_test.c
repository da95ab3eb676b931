/* digest_test.c - digests against published vectors, files, memory running out. */
#include "base/data/digest.h"
#include "base/platform/plat.h"
#include "base/text.h"
#include "tests/harness/test.h"

static void check_digest(struct test *t, enum lb_digest_kind kind, const char *text,
                         const char *want)
{
	unsigned char out[LB_DIGEST_SIZE_MAX];
	struct lb_digest *digest;
	struct lb_buf hex;
	size_t len = 0;

	CHECK_OK(lb_digest_new(&digest, t->mem, kind));
	lb_buf_init(&hex, t->mem, 1000);
	for (int round = 0; round < 2; round++) { /* the object starts over */
		for (size_t i = 0; text[i] != '\0'; i++)
			lb_digest_add(digest,
			              (struct lb_bytes){ (const unsigned char *)text + i, 1 });
		lb_digest_add(digest, (struct lb_bytes){ 0 });
		lb_digest_end(digest, out, &len);
		lb_buf_reset(&hex);
		lb_hex_add(&hex, (struct lb_bytes){ out, len });
		CHECK_TEXT(lb_buf_text(&hex), want);
	}
	lb_buf_release(&hex);
	lb_digest_free(digest);
}

TEST(digests_match_the_published_vectors)
{
	check_digest(t, LB_SHA256, "abc",
	             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_digest(t, LB_SHA256, "",
	             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_digest(t, LB_SHA512, "abc",
	             "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	             "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	check_digest(t, LB_BLAKE2B_512, "abc",
	             "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
	             "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
	check_digest(t, LB_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(sha256_in_one_call)
{
	char hex[LB_SHA256_HEX + 1];

	CHECK_OK(lb_sha256_hex(hex, LB_B("abc")));
	CHECK_TEXT(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_OK(lb_sha256_hex(hex, (struct lb_bytes){ 0 }));
	CHECK_TEXT(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void check_hmac(struct test *t, struct lb_bytes key, struct lb_bytes bytes, const char *want)
{
	unsigned char out[LB_SHA256_SIZE];
	struct lb_buf hex;

	lb_buf_init(&hex, t->mem, 1000);
	CHECK_OK(lb_hmac_sha256(out, key, bytes));
	lb_hex_add(&hex, (struct lb_bytes){ out, sizeof out });
	CHECK_TEXT(lb_buf_text(&hex), want);
	lb_buf_release(&hex);
}

/* RFC 4231, cases 2 and 6 (a key longer than a block), and empty everything. */
TEST(hmac_matches_the_published_vectors)
{
	unsigned char long_key[131];

	memset(long_key, 0xaa, sizeof long_key);
	check_hmac(t, LB_B("Jefe"), LB_B("what do ya want for nothing?"),
	           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	check_hmac(t, (struct lb_bytes){ long_key, sizeof long_key },
	           LB_B("Test Using Larger Than Block-Size Key - Hash Key First"),
	           "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	check_hmac(t, (struct lb_bytes){ 0 }, (struct lb_bytes){ 0 },
	           "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(digest_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_digest *digest;
		lb_err err = lb_digest_new(&digest, t->mem, LB_SHA256);

		CHECK(lb_failed(err) == t->heap.failed && (digest == NULL) == t->heap.failed);
		lb_digest_free(digest);
	}
}

static void write_file(struct test *t, const char *path, size_t size)
{
	FILE *file = fopen(path, "wb");

	CHECK(file != NULL);
	if (file == NULL)
		return;
	for (size_t i = 0; i < size; i++)
		(void)fputc('a', file);
	CHECK(fclose(file) == 0);
}

TEST(sha256_of_a_file)
{
	char path[512], hex[LB_SHA256_HEX + 1];
	uint64_t size = 0;

	(void)snprintf(path, sizeof path, "%s/million", test_folder(t));
	write_file(t, path, 1000000);
	CHECK_OK(lb_sha256_file(hex, &size, &plat_host, path));
	CHECK(size == 1000000);
	CHECK_TEXT(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	write_file(t, path, 0);
	CHECK_OK(lb_sha256_file(hex, NULL, &plat_host, path));
	CHECK_TEXT(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(sha256_of_a_file_fails_as_the_platform_does)
{
	char path[512], hex[LB_SHA256_HEX + 1];
	struct plat_sim sim;
	uint64_t size = 0;
	lb_err err;

	(void)snprintf(path, sizeof path, "%s/file", test_folder(t));
	CHECK(lb_code_of(lb_sha256_file(hex, &size, &plat_host, path)) == LB_E_NOTFOUND);
	CHECK_TEXT(hex, "");
	write_file(t, path, 100000);
	plat_sim_init(&sim, 1);
	sim.fault = LB_E_IO;
	do {
		sim.fail_at++;
		sim.calls = 0;
		sim.failed = false;
		err = lb_sha256_file(hex, &size, &sim.plat, path);
		CHECK(lb_failed(err) == sim.failed && (hex[0] == '\0') == sim.failed);
	} while (sim.failed);
	CHECK(sim.fail_at > 3);
}
