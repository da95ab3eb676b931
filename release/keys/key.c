/* key.c - see key.h. */
#include "release/keys/key.h"

#include "base/text.h"
#include "release/keys/lines_priv.h"

#include <stdio.h>

/* Where things stand in the bytes of a secret key file. */
enum {
	AT_SALT = 6,
	AT_OPERATIONS = AT_SALT + RELEASE_SALT_SIZE,
	AT_MEMORY = AT_OPERATIONS + 8,
	AT_ID = AT_MEMORY + 8,
	AT_SECRET = AT_ID + RELEASE_KEY_ID_SIZE,
	AT_CHECK = AT_SECRET + RELEASE_SECRET_SIZE,
	SECRET_FILE_SIZE = AT_CHECK + RELEASE_CHECK_SIZE,
	PROTECTED_SIZE = SECRET_FILE_SIZE - AT_ID,
	PUBLIC_FILE_SIZE = 2 + RELEASE_KEY_ID_SIZE + RELEASE_PUBLIC_SIZE
};
static_assert(SECRET_FILE_SIZE == 158 && PUBLIC_FILE_SIZE == 42, "minisign's formats");

struct release_secret_key {
	struct lb_mem *mem;
	struct release_public_key public_key;
	unsigned char *secret; /* RELEASE_SECRET_SIZE in release_locked_mem */
};

static uint64_t get_u64(const unsigned char *at)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static void put_u64(unsigned char *at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

const char *release_key_id_text(char out[RELEASE_KEY_ID_TEXT],
                                const unsigned char id[RELEASE_KEY_ID_SIZE])
{
	(void)snprintf(out, RELEASE_KEY_ID_TEXT, "%016llX", (unsigned long long)get_u64(id));
	return out;
}

/* ---- public keys ---- */

lb_err release_public_key_read_base64(struct release_public_key *out, struct lb_mem *mem,
                                      struct lb_bytes line, struct lb_diag *diag)
{
	struct lb_buf bytes;
	lb_err err;

	*out = (struct release_public_key){ 0 };
	lb_buf_init(&bytes, mem, PUBLIC_FILE_SIZE + RELEASE_BASE64_SLACK);
	err = release_base64_exact(&bytes, line, PUBLIC_FILE_SIZE, "public key", diag);
	if (!lb_failed(err) && memcmp(bytes.at, "Ed", 2) != 0)
		err = lb_fail(diag, LB_E_MALFORMED, "this is not an Ed25519 public key");
	if (!lb_failed(err)) {
		memcpy(out->id, bytes.at + 2, sizeof out->id);
		memcpy(out->point, bytes.at + 2 + sizeof out->id, sizeof out->point);
	}
	lb_buf_release(&bytes);
	return err;
}

lb_err release_public_key_read(struct release_public_key *out, struct lb_mem *mem,
                               struct lb_bytes text, struct lb_diag *diag)
{
	struct lb_bytes comment, line;

	*out = (struct release_public_key){ 0 };
	LB_TRY(release_comment_line(&comment, &text, RELEASE_UNTRUSTED, "public key", diag));
	LB_TRY(release_line(&line, &text, "public key", diag));
	LB_TRY(release_no_more_lines(text, "public key", diag));
	return release_public_key_read_base64(out, mem, line, diag);
}

void release_public_key_base64(struct lb_buf *out, const struct release_public_key *key)
{
	unsigned char bytes[PUBLIC_FILE_SIZE] = "Ed";

	memcpy(bytes + 2, key->id, sizeof key->id);
	memcpy(bytes + 2 + sizeof key->id, key->point, sizeof key->point);
	lb_base64_add(out, (struct lb_bytes){ bytes, sizeof bytes });
}

void release_public_key_write(struct lb_buf *out, const struct release_public_key *key)
{
	char id[RELEASE_KEY_ID_TEXT];

	lb_buf_addf(out, RELEASE_UNTRUSTED "minisign public key %s\n",
	            release_key_id_text(id, key->id));
	release_public_key_base64(out, key);
	lb_buf_add_byte(out, '\n');
}

/* ---- secret keys ---- */

static lb_err make(struct release_secret_key **out, struct lb_mem *mem)
{
	struct release_secret_key *key = LB_NEW(mem, struct release_secret_key, 1);

	*out = NULL;
	if (key == NULL)
		return lb_err_of(LB_E_NOMEM);
	key->mem = mem;
	key->secret = lb_mem_new(&release_locked_mem, RELEASE_SECRET_SIZE, 1);
	if (key->secret == NULL) {
		release_secret_key_free(key);
		return lb_err_of(LB_E_NOMEM);
	}
	*out = key;
	return LB_OK;
}

void release_secret_key_free(struct release_secret_key *key)
{
	if (key == NULL)
		return;
	lb_mem_drop(&release_locked_mem, key->secret, RELEASE_SECRET_SIZE, 1);
	LB_DROP(key->mem, key, 1);
}

lb_err release_secret_key_generate(struct release_secret_key **out, struct lb_mem *mem)
{
	struct release_secret_key *key;
	lb_err err;

	LB_TRY(make(out, mem));
	key = *out;
	err = release_random(key->public_key.id, sizeof key->public_key.id);
	if (!lb_failed(err))
		err = release_ed25519_generate(key->public_key.point, key->secret);
	if (lb_failed(err)) {
		release_secret_key_free(key);
		*out = NULL;
	}
	return err;
}

/* The check over algorithm, id and secret key. */
static lb_err checksum(unsigned char out[RELEASE_CHECK_SIZE], const unsigned char *file)
{
	return release_blake2b_256(out, (struct lb_bytes){ file, 2 },
	                           (struct lb_bytes){ file + AT_ID,
	                                              RELEASE_KEY_ID_SIZE + RELEASE_SECRET_SIZE });
}

/* Turn protected bytes into plain ones and back: both are an exclusive or with the same stream. */
static lb_err apply_password(unsigned char *file, struct lb_bytes password)
{
	unsigned char *stream = lb_mem_new(&release_locked_mem, PROTECTED_SIZE, 1);
	struct release_cost cost = { get_u64(file + AT_OPERATIONS), get_u64(file + AT_MEMORY) };
	lb_err err;

	if (stream == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = release_scrypt(stream, PROTECTED_SIZE, password, file + AT_SALT, cost);
	if (!lb_failed(err)) {
		for (size_t i = 0; i < PROTECTED_SIZE; i++)
			file[AT_ID + i] ^= stream[i];
	}
	lb_mem_drop(&release_locked_mem, stream, PROTECTED_SIZE, 1);
	return err;
}

static lb_err unprotect(unsigned char *file, struct lb_bytes password, struct lb_diag *diag)
{
	unsigned char check[RELEASE_CHECK_SIZE];
	lb_err err;

	if (password.len == 0)
		return lb_fail(diag, LB_E_DENIED, "the secret key is protected by a password");
	err = apply_password(file, password);
	if (lb_code_of(err) == LB_E_NOMEM)
		lb_diag_set(diag, "opening this secret key takes %llu MiB of memory",
		            (unsigned long long)(get_u64(file + AT_MEMORY) >> 20));
	else if (lb_code_of(err) == LB_E_LIMIT || lb_code_of(err) == LB_E_INVALID)
		lb_diag_set(diag,
		            "the secret key asks for %llu operations and %llu bytes to open "
		            "it, which no key needs",
		            (unsigned long long)get_u64(file + AT_OPERATIONS),
		            (unsigned long long)get_u64(file + AT_MEMORY));
	LB_TRY(err);
	LB_TRY(checksum(check, file));
	if (!lb_bytes_eq_secret((struct lb_bytes){ check, sizeof check },
	                        (struct lb_bytes){ file + AT_CHECK, sizeof check }))
		return lb_fail(diag, LB_E_DENIED, "wrong password for the secret key");
	return LB_OK;
}

static lb_err check_algorithms(const unsigned char *file, bool *needs_password,
                               struct lb_diag *diag)
{
	static const unsigned char none[2] = { 0, 0 };

	if (memcmp(file, "Ed", 2) != 0)
		return lb_fail(diag, LB_E_MALFORMED, "this is not an Ed25519 secret key");
	*needs_password = memcmp(file + 2, "Sc", 2) == 0;
	if (!*needs_password && memcmp(file + 2, none, 2) != 0)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "the secret key is protected by something that is not scrypt");
	if (memcmp(file + 4, "B2", 2) != 0)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "the secret key has a checksum that is not BLAKE2b");
	return LB_OK;
}

/* `file` is writable: the password is applied in place. */
static lb_err take(struct release_secret_key **out, struct lb_mem *mem, unsigned char *file,
                   struct lb_bytes password, bool *needs_password, struct lb_diag *diag)
{
	struct release_secret_key *key;

	LB_TRY(check_algorithms(file, needs_password, diag));
	if (*needs_password)
		LB_TRY(unprotect(file, password, diag));
	/* minisign leaves the check of an unprotected key zero, so the halves are compared. */
	if (!release_ed25519_is_whole(file + AT_SECRET))
		return lb_fail(diag, LB_E_INVALID,
		               "the secret key is damaged: its public half is not its own");
	LB_TRY(make(&key, mem));
	memcpy(key->secret, file + AT_SECRET, RELEASE_SECRET_SIZE);
	memcpy(key->public_key.id, file + AT_ID, RELEASE_KEY_ID_SIZE);
	memcpy(key->public_key.point, file + AT_SECRET + RELEASE_SECRET_SIZE - RELEASE_PUBLIC_SIZE,
	       RELEASE_PUBLIC_SIZE);
	*out = key;
	return LB_OK;
}

lb_err release_secret_key_read(struct release_secret_key **out, struct lb_mem *mem,
                               struct lb_bytes text, struct lb_bytes password, bool *needs_password,
                               struct lb_diag *diag)
{
	struct lb_bytes comment, line;
	struct lb_buf bytes;
	lb_err err;

	*out = NULL;
	*needs_password = false;
	LB_TRY(release_comment_line(&comment, &text, RELEASE_UNTRUSTED, "secret key", diag));
	LB_TRY(release_line(&line, &text, "secret key", diag));
	LB_TRY(release_no_more_lines(text, "secret key", diag));
	lb_buf_init(&bytes, &release_locked_mem, SECRET_FILE_SIZE + RELEASE_BASE64_SLACK);
	err = release_base64_exact(&bytes, line, SECRET_FILE_SIZE, "secret key", diag);
	if (!lb_failed(err))
		err = take(out, mem, bytes.at, password, needs_password, diag);
	lb_buf_release(&bytes);
	return err;
}

static lb_err fill(unsigned char *file, const struct release_secret_key *key,
                   struct lb_bytes password, struct release_cost cost)
{
	memcpy(file, "Ed\0\0B2", 6);
	memcpy(file + AT_ID, key->public_key.id, RELEASE_KEY_ID_SIZE);
	memcpy(file + AT_SECRET, key->secret, RELEASE_SECRET_SIZE);
	if (password.len == 0)
		return LB_OK;
	memcpy(file + 2, "Sc", 2);
	LB_TRY(release_random(file + AT_SALT, RELEASE_SALT_SIZE));
	put_u64(file + AT_OPERATIONS, cost.operations);
	put_u64(file + AT_MEMORY, cost.bytes);
	LB_TRY(checksum(file + AT_CHECK, file));
	return apply_password(file, password);
}

lb_err release_secret_key_write(struct lb_buf *out, const struct release_secret_key *key,
                                struct lb_bytes password, struct release_cost cost)
{
	unsigned char *file = lb_mem_new(&release_locked_mem, SECRET_FILE_SIZE, 1);
	lb_err err;

	assert(out->mem == &release_locked_mem);
	if (file == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = fill(file, key, password, cost);
	if (!lb_failed(err)) {
		lb_buf_add_text(out, RELEASE_UNTRUSTED "minisign encrypted secret key\n");
		lb_base64_add(out, (struct lb_bytes){ file, SECRET_FILE_SIZE });
		lb_buf_add_byte(out, '\n');
		err = lb_buf_check(out);
	}
	lb_mem_drop(&release_locked_mem, file, SECRET_FILE_SIZE, 1);
	return err;
}

struct release_public_key release_secret_key_public(const struct release_secret_key *key)
{
	return key->public_key;
}

lb_err release_secret_key_sign(unsigned char out[RELEASE_SIGNATURE_SIZE],
                               const struct release_secret_key *key, struct lb_bytes message)
{
	return release_ed25519_sign(out, message, key->secret);
}
