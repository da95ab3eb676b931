/* key_test.c - minisign keys: both ways, passwords, damage at every byte, memory running out. */
#include "release/keys/key.h"
#include "tests/harness/test.h"

/* The least that libsodium takes, so that the test is quick. */
static const struct release_cost cheap = { 32768, 16777216 };

/* Made by minisign 0.11. */
static const char stock_public[] = "untrusted comment: minisign public key E7620F1842B4E81F\n"
				   "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n";

static lb_err read_secret(struct release_secret_key **out, struct test *t, const char *text,
                          const char *password, bool *needs)
{
	struct lb_bytes exact = test_exact(lb_bytes_of(text));
	lb_err err =
		release_secret_key_read(out, t->mem, exact, lb_bytes_of(password), needs, NULL);

	test_exact_free(exact);
	return err;
}

TEST(public_key_of_minisign_is_read_and_written_back)
{
	struct release_public_key key, again;
	struct lb_buf out;
	char id[RELEASE_KEY_ID_TEXT];

	lb_buf_init(&out, t->mem, RELEASE_KEY_FILE_MAX);
	CHECK_OK(release_public_key_read(&key, t->mem, lb_bytes_of(stock_public), NULL));
	CHECK_TEXT(release_key_id_text(id, key.id), "E7620F1842B4E81F");
	release_public_key_write(&out, &key);
	CHECK_TEXT(lb_buf_text(&out), stock_public);
	lb_buf_reset(&out);
	release_public_key_base64(&out, &key);
	CHECK(out.len == RELEASE_KEY_BASE64 - 1);
	CHECK_OK(release_public_key_read_base64(&again, t->mem, lb_buf_bytes(&out), NULL));
	CHECK(memcmp(&key, &again, sizeof key) == 0);
	lb_buf_release(&out);
}

TEST(public_key_refuses_every_truncation_and_what_follows)
{
	struct release_public_key key;

	/* The last byte is the line's end, which may be missing. */
	for (size_t len = 0; len + 2 < sizeof stock_public; len++) {
		struct lb_bytes part =
			test_exact((struct lb_bytes){ (const unsigned char *)stock_public, len });
		struct lb_diag diag = { 0 };

		CHECK(lb_code_of(release_public_key_read(&key, t->mem, part, &diag)) ==
		      LB_E_MALFORMED);
		CHECK(diag.text[0] != '\0');
		test_exact_free(part);
	}
	CHECK(lb_failed(release_public_key_read(
		&key, t->mem,
		LB_B("untrusted comment: "
	             "x\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\nmore\n"),
		NULL)));
	CHECK(!lb_failed(release_public_key_read(
		&key, t->mem,
		LB_B("untrusted comment: "
	             "x\r\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\r\n"),
		NULL)));
	CHECK(lb_failed(release_public_key_read_base64(
		&key, t->mem, LB_B("RWXf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"),
		NULL)));
}

/* A key, its file, and the same key from the file. */
static void round_trip(struct test *t, const char *password)
{
	struct release_secret_key *key, *again = NULL;
	struct release_public_key a, b;
	struct lb_buf out;
	bool needs = false;

	lb_buf_init(&out, &release_locked_mem, RELEASE_KEY_FILE_MAX);
	CHECK_OK(release_secret_key_generate(&key, t->mem));
	CHECK_OK(release_secret_key_write(&out, key, lb_bytes_of(password), cheap));
	CHECK_OK(read_secret(&again, t, lb_buf_text(&out), password, &needs));
	CHECK(needs == (password[0] != '\0'));
	if (again != NULL) {
		a = release_secret_key_public(key);
		b = release_secret_key_public(again);
		CHECK(memcmp(&a, &b, sizeof a) == 0);
	}
	release_secret_key_free(again);
	if (needs) {
		CHECK(lb_code_of(read_secret(&again, t, lb_buf_text(&out), "wrong", &needs)) ==
		      LB_E_DENIED);
		CHECK(again == NULL);
		CHECK(lb_code_of(read_secret(&again, t, lb_buf_text(&out), "", &needs)) ==
		      LB_E_DENIED);
		CHECK(needs);
	}
	release_secret_key_free(key);
	lb_buf_release(&out);
}

TEST(secret_key_survives_a_file_without_password) { round_trip(t, ""); }
TEST(secret_key_survives_a_file_with_password) { round_trip(t, "correct horse"); }

TEST(secret_key_refuses_every_truncation_and_flipped_half)
{
	struct release_secret_key *key, *again;
	struct lb_buf out;
	bool needs;

	lb_buf_init(&out, &release_locked_mem, RELEASE_KEY_FILE_MAX);
	CHECK_OK(release_secret_key_generate(&key, t->mem));
	CHECK_OK(release_secret_key_write(&out, key, LB_B(""), cheap));
	for (size_t len = 0; len + 1 < out.len; len++) {
		struct lb_bytes part = test_exact(lb_bytes_upto(lb_buf_bytes(&out), len));

		CHECK(lb_code_of(release_secret_key_read(&again, t->mem, part, LB_B(""), &needs,
		                                         NULL)) == LB_E_MALFORMED);
		CHECK(again == NULL);
		test_exact_free(part);
	}
	/* A letter inside the secret half: 62 bytes precede it, 83 letters. */
	out.at[lb_bytes_find_byte(lb_buf_bytes(&out), '\n') + 1 + 100] ^= 1;
	CHECK(lb_failed(release_secret_key_read(&again, t->mem, lb_buf_bytes(&out), LB_B(""),
	                                        &needs, NULL)));
	release_secret_key_free(key);
	lb_buf_release(&out);
}

TEST(a_key_file_cannot_ask_for_the_whole_machine)
{
	struct release_secret_key *key, *again;
	struct release_cost greedy = { 1, (uint64_t)1 << 50 };
	struct lb_buf out;

	lb_buf_init(&out, &release_locked_mem, RELEASE_KEY_FILE_MAX);
	CHECK_OK(release_secret_key_generate(&key, t->mem));
	CHECK(lb_code_of(release_secret_key_write(&out, key, LB_B("x"), greedy)) == LB_E_LIMIT);
	greedy = (struct release_cost){ 1, 1 };
	CHECK(lb_code_of(release_secret_key_write(&out, key, LB_B("x"), greedy)) == LB_E_INVALID);
	CHECK(out.len == 0);
	(void)again;
	release_secret_key_free(key);
	lb_buf_release(&out);
}

TEST(keys_survive_every_oom)
{
	EACH_OOM (t) {
		struct release_secret_key *key;
		struct release_public_key public_key;
		lb_err err = release_secret_key_generate(&key, t->mem);

		CHECK(lb_failed(err) == (key == NULL));
		if (!lb_failed(err))
			err = release_public_key_read(&public_key, t->mem,
			                              lb_bytes_of(stock_public), NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		release_secret_key_free(key);
	}
}
