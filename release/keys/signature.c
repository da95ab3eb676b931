/* signature.c - see signature.h. */
#include "release/keys/signature.h"

#include "base/text.h"
#include "release/keys/lines_priv.h"

enum { FIRST_SIZE = 2 + RELEASE_KEY_ID_SIZE + RELEASE_SIGNATURE_SIZE };
static_assert(FIRST_SIZE == 74, "minisign's format");

static lb_err read_first(struct release_signature *out, struct lb_buf *bytes, struct lb_bytes line,
                         struct lb_diag *diag)
{
	LB_TRY(release_base64_exact(bytes, line, FIRST_SIZE, "second line of the signature", diag));
	out->prehashed = memcmp(bytes->at, "ED", 2) == 0;
	if (!out->prehashed && memcmp(bytes->at, "Ed", 2) != 0)
		return lb_fail(diag, LB_E_UNSUPPORTED, "the signature is not an Ed25519 one");
	memcpy(out->key_id, bytes->at + 2, RELEASE_KEY_ID_SIZE);
	memcpy(out->bytes, bytes->at + 2 + RELEASE_KEY_ID_SIZE, RELEASE_SIGNATURE_SIZE);
	return LB_OK;
}

static lb_err read_lines(struct release_signature *out, struct lb_buf *bytes, struct lb_bytes text,
                         struct lb_diag *diag)
{
	struct lb_bytes line;

	LB_TRY(release_comment_line(&out->untrusted_comment, &text, RELEASE_UNTRUSTED, "signature",
	                            diag));
	LB_TRY(release_line(&line, &text, "signature", diag));
	LB_TRY(read_first(out, bytes, line, diag));
	LB_TRY(release_comment_line(&out->trusted_comment, &text, RELEASE_TRUSTED, "signature",
	                            diag));
	LB_TRY(release_line(&line, &text, "signature", diag));
	lb_buf_reset(bytes);
	LB_TRY(release_base64_exact(bytes, line, RELEASE_SIGNATURE_SIZE,
	                            "fourth line of the signature", diag));
	memcpy(out->global, bytes->at, RELEASE_SIGNATURE_SIZE);
	return release_no_more_lines(text, "signature", diag);
}

lb_err release_signature_read(struct release_signature *out, struct lb_mem *mem,
                              struct lb_bytes text, struct lb_diag *diag)
{
	struct lb_buf bytes;
	lb_err err;

	*out = (struct release_signature){ 0 };
	lb_buf_init(&bytes, mem, FIRST_SIZE + RELEASE_BASE64_SLACK);
	err = read_lines(out, &bytes, text, diag);
	if (!lb_failed(err) && lb_failed(release_comment_check(out->trusted_comment, diag)))
		err = lb_err_of(LB_E_MALFORMED);
	lb_buf_release(&bytes);
	return err;
}

void release_signature_write(struct lb_buf *out, const struct release_signature *signature)
{
	unsigned char first[FIRST_SIZE];

	memcpy(first, signature->prehashed ? "ED" : "Ed", 2);
	memcpy(first + 2, signature->key_id, RELEASE_KEY_ID_SIZE);
	memcpy(first + 2 + RELEASE_KEY_ID_SIZE, signature->bytes, RELEASE_SIGNATURE_SIZE);
	lb_buf_add_text(out, RELEASE_UNTRUSTED);
	lb_buf_add(out, signature->untrusted_comment);
	lb_buf_add_byte(out, '\n');
	lb_base64_add(out, (struct lb_bytes){ first, sizeof first });
	lb_buf_add_text(out, "\n" RELEASE_TRUSTED);
	lb_buf_add(out, signature->trusted_comment);
	lb_buf_add_byte(out, '\n');
	lb_base64_add(out, (struct lb_bytes){ signature->global, RELEASE_SIGNATURE_SIZE });
	lb_buf_add_byte(out, '\n');
}

/* What the global signature is over. */
static lb_err global_message(struct lb_buf *out, const struct release_signature *signature)
{
	lb_buf_add(out, (struct lb_bytes){ signature->bytes, RELEASE_SIGNATURE_SIZE });
	lb_buf_add(out, signature->trusted_comment);
	return lb_buf_check(out);
}

lb_err release_signature_make(struct release_signature *out, struct lb_mem *mem,
                              const struct release_secret_key *key,
                              const unsigned char prehash[RELEASE_PREHASH_SIZE],
                              struct lb_bytes trusted_comment, struct lb_diag *diag)
{
	struct release_public_key public_key = release_secret_key_public(key);
	struct lb_bytes digest = { prehash, RELEASE_PREHASH_SIZE };
	struct lb_buf message;
	lb_err err;

	*out = (struct release_signature){
		.prehashed = true,
		.untrusted_comment = LB_LIT("signature from minisign secret key"),
		.trusted_comment = trusted_comment,
	};
	memcpy(out->key_id, public_key.id, RELEASE_KEY_ID_SIZE);
	LB_TRY(release_comment_check(trusted_comment, diag));
	LB_TRY(release_secret_key_sign(out->bytes, key, digest));
	lb_buf_init(&message, mem, RELEASE_SIGNATURE_SIZE + RELEASE_COMMENT_MAX);
	err = global_message(&message, out);
	if (!lb_failed(err))
		err = release_secret_key_sign(out->global, key, lb_buf_bytes(&message));
	lb_buf_release(&message);
	LB_TRY(err);
	return release_signature_check(out, mem, &public_key, digest, diag);
}

lb_err release_signature_check(const struct release_signature *signature, struct lb_mem *mem,
                               const struct release_public_key *key, struct lb_bytes signed_bytes,
                               struct lb_diag *diag)
{
	char made_by[RELEASE_KEY_ID_TEXT], given[RELEASE_KEY_ID_TEXT];
	struct lb_buf message;
	lb_err err;

	if (memcmp(signature->key_id, key->id, RELEASE_KEY_ID_SIZE) != 0)
		return lb_fail(diag, LB_E_MISMATCH,
		               "the signature was made with key %s, the given key is %s",
		               release_key_id_text(made_by, signature->key_id),
		               release_key_id_text(given, key->id));
	if (!release_ed25519_holds(signature->bytes, signed_bytes, key->point))
		return lb_fail(diag, LB_E_MISMATCH, "the signature does not hold");
	lb_buf_init(&message, mem, RELEASE_SIGNATURE_SIZE + RELEASE_COMMENT_MAX);
	err = global_message(&message, signature);
	if (!lb_failed(err) &&
	    !release_ed25519_holds(signature->global, lb_buf_bytes(&message), key->point))
		err = lb_fail(diag, LB_E_MISMATCH,
		              "the signature over the trusted comment does not hold");
	lb_buf_release(&message);
	return err;
}

bool release_comment_field(struct lb_bytes *value, struct lb_bytes comment, const char *name)
{
	struct lb_bytes part, want = lb_bytes_of(name);

	while (lb_bytes_split(&part, &comment, '\t')) {
		if (part.len > want.len && part.at[want.len] == ':' &&
		    lb_bytes_starts(part, want)) {
			*value = lb_bytes_from(part, want.len + 1);
			return true;
		}
	}
	return false;
}
