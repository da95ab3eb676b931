/* key_fuzz.c - minisign's key files: what is read is written back as the same key.
 *
 * No password is given, as opening one key would take seconds.
 */
#include "release/keys/key.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len);

static void check_public(struct lb_bytes text)
{
	struct release_public_key key, again;
	struct lb_diag diag = { 0 };
	struct lb_buf out;
	lb_err err = release_public_key_read(&key, &lb_mem_host, text, &diag);

	if (lb_failed(err) != (diag.text[0] != '\0'))
		abort();
	if (lb_failed(err))
		return;
	lb_buf_init(&out, &lb_mem_host, RELEASE_KEY_FILE_MAX);
	release_public_key_write(&out, &key);
	if (lb_failed(lb_buf_check(&out)) ||
	    lb_failed(release_public_key_read(&again, &lb_mem_host, lb_buf_bytes(&out), NULL)) ||
	    memcmp(&key, &again, sizeof key) != 0)
		abort();
	lb_buf_release(&out);
}

static void check_secret(struct lb_bytes text)
{
	struct release_secret_key *key;
	struct lb_diag diag = { 0 };
	bool needs_password;
	lb_err err = release_secret_key_read(&key, &lb_mem_host, text, (struct lb_bytes){ 0 },
	                                     &needs_password, &diag);

	if (lb_failed(err) != (key == NULL) || lb_failed(err) != (diag.text[0] != '\0') ||
	    (!lb_failed(err) && needs_password))
		abort();
	release_secret_key_free(key);
}

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len)
{
	check_public((struct lb_bytes){ at, len });
	check_secret((struct lb_bytes){ at, len });
	return 0;
}
