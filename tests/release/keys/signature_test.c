/* signature_test.c - minisign signatures: made, read, checked; damage at every byte; names. */
#include "release/keys/signature.h"
#include "tests/harness/test.h"

struct made {
	struct release_secret_key *key;
	struct release_public_key public_key;
	struct lb_buf text;
	unsigned char prehash[RELEASE_PREHASH_SIZE];
};

static struct lb_bytes digest_of(const struct made *made)
{
	return (struct lb_bytes){ made->prehash, RELEASE_PREHASH_SIZE };
}

static void make(struct made *made, struct test *t, const char *comment)
{
	struct release_signature signature;

	*made = (struct made){ .prehash = "not a digest, but as long as one" };
	lb_buf_init(&made->text, t->mem, RELEASE_SIGNATURE_FILE_MAX);
	CHECK_OK(release_secret_key_generate(&made->key, t->mem));
	made->public_key = release_secret_key_public(made->key);
	CHECK_OK(release_signature_make(&signature, t->mem, made->key, made->prehash,
	                                lb_bytes_of(comment), NULL));
	release_signature_write(&made->text, &signature);
}

static void drop(struct made *made)
{
	release_secret_key_free(made->key);
	lb_buf_release(&made->text);
}

static lb_err check(const struct made *made, struct test *t, struct lb_bytes text,
                    struct lb_diag *diag)
{
	struct release_signature signature;

	LB_TRY(release_signature_read(&signature, t->mem, text, diag));
	return release_signature_check(&signature, t->mem, &made->public_key,
	                               signature.prehashed ? digest_of(made) : LB_B("the message"),
	                               diag);
}

TEST(a_signature_holds_after_writing_and_reading)
{
	struct made made;

	make(&made, t, "timestamp:1\tfile:a\thashed");
	CHECK_OK(check(&made, t, lb_buf_bytes(&made.text), NULL));
	drop(&made);
}

TEST(a_signature_refuses_another_key_or_digest)
{
	struct made made, other;
	struct lb_diag diag = { 0 };

	make(&made, t, "x");
	make(&other, t, "x");
	CHECK(lb_code_of(check(&other, t, lb_buf_bytes(&made.text), &diag)) == LB_E_MISMATCH);
	CHECK(strstr(diag.text, "was made with key") != NULL);
	memcpy(other.public_key.id, made.public_key.id, RELEASE_KEY_ID_SIZE);
	CHECK(lb_code_of(check(&other, t, lb_buf_bytes(&made.text), NULL)) == LB_E_MISMATCH);
	made.prehash[0] ^= 1;
	CHECK(lb_code_of(check(&made, t, lb_buf_bytes(&made.text), NULL)) == LB_E_MISMATCH);
	drop(&made);
	drop(&other);
}

/* Whatever byte is changed, nothing passes but a changed untrusted comment. */
TEST(a_signature_refuses_every_flipped_byte)
{
	struct made made;
	size_t first;

	make(&made, t, "timestamp:1\tfile:a\thashed");
	first = lb_bytes_find_byte(lb_buf_bytes(&made.text), '\n');
	for (size_t i = first; i + 1 < made.text.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			made.text.at[i] ^= (unsigned char)(1u << bit);
			CHECK(lb_failed(check(&made, t, lb_buf_bytes(&made.text), NULL)));
			made.text.at[i] ^= (unsigned char)(1u << bit);
		}
	}
	CHECK_OK(check(&made, t, lb_buf_bytes(&made.text), NULL));
	drop(&made);
}

TEST(a_signature_refuses_every_truncation)
{
	struct made made;

	make(&made, t, "timestamp:1\tfile:a\thashed");
	for (size_t len = 0; len + 1 < made.text.len; len++) {
		struct lb_bytes part = test_exact(lb_bytes_upto(lb_buf_bytes(&made.text), len));
		struct lb_diag diag = { 0 };

		CHECK(lb_failed(check(&made, t, part, &diag)));
		CHECK(diag.text[0] != '\0');
		test_exact_free(part);
	}
	drop(&made);
}

TEST(a_signature_with_something_behind_it_is_refused)
{
	struct made made;

	make(&made, t, "x");
	lb_buf_add_text(&made.text, "\n\r\n");
	CHECK_OK(check(&made, t, lb_buf_bytes(&made.text), NULL));
	lb_buf_add_text(&made.text, "more\n");
	CHECK(lb_code_of(check(&made, t, lb_buf_bytes(&made.text), NULL)) == LB_E_MALFORMED);
	drop(&made);
}

TEST(comments_that_cannot_stand_in_a_line_are_refused)
{
	static const char *const bad[] = { "a\nb", "a\rb", "\x1b[2J", "\xff", "\x7f" };
	struct made made;
	struct release_signature signature;
	struct lb_buf longer;

	make(&made, t, "x");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK(lb_code_of(release_signature_make(&signature, t->mem, made.key, made.prehash,
		                                        lb_bytes_of(bad[i]), NULL)) ==
		      LB_E_INVALID);
	}
	lb_buf_init(&longer, t->mem, 2 * RELEASE_COMMENT_MAX);
	for (int i = 0; i <= RELEASE_COMMENT_MAX; i++)
		lb_buf_add_byte(&longer, 'x');
	CHECK(lb_code_of(release_signature_make(&signature, t->mem, made.key, made.prehash,
	                                        lb_buf_bytes(&longer), NULL)) == LB_E_LIMIT);
	lb_buf_release(&longer);
	drop(&made);
}

TEST(fields_of_a_comment_are_found_by_their_whole_name)
{
	struct lb_bytes value;
	struct lb_bytes comment = LB_LIT("timestamp:1\tprofile:b\tfile:a:b\thashed\tempty:");

	CHECK(release_comment_field(&value, comment, "file") && lb_bytes_is(value, "a:b"));
	CHECK(release_comment_field(&value, comment, "empty") && value.len == 0);
	CHECK(!release_comment_field(&value, comment, "hashed"));
	CHECK(!release_comment_field(&value, comment, "fil"));
	CHECK(!release_comment_field(&value, (struct lb_bytes){ NULL, 0 }, "file"));
}

TEST(signatures_survive_every_oom)
{
	struct made made;
	struct lb_buf *text = &made.text;

	make(&made, t, "timestamp:1\tfile:a\thashed");
	lb_buf_release(text); /* what is made outside of the sweep must not count in it */
	release_secret_key_free(made.key);
	EACH_OOM (t) {
		struct release_signature signature;
		struct release_secret_key *key;
		lb_err err = release_secret_key_generate(&key, t->mem);

		if (!lb_failed(err))
			err = release_signature_make(&signature, t->mem, key, made.prehash,
			                             LB_B("file:a"), NULL);
		if (!lb_failed(err)) {
			release_signature_write(text, &signature);
			err = lb_buf_check(text);
		}
		if (!lb_failed(err))
			err = release_signature_read(&signature, t->mem, lb_buf_bytes(text), NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_buf_release(text);
		release_secret_key_free(key);
	}
}
