/* signature_fuzz.c - minisign's signature files: what is read is written back as the same lines,
 * and holds for no key that did not make it. */
#include "release/keys/signature.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len);

static void check_again(const struct release_signature *signature)
{
	struct release_signature again;
	struct lb_buf out;

	lb_buf_init(&out, &lb_mem_host, 1 << 26);
	release_signature_write(&out, signature);
	if (lb_failed(lb_buf_check(&out)) ||
	    lb_failed(release_signature_read(&again, &lb_mem_host, lb_buf_bytes(&out), NULL)) ||
	    !lb_bytes_eq(again.trusted_comment, signature->trusted_comment) ||
	    memcmp(again.bytes, signature->bytes, RELEASE_SIGNATURE_SIZE) != 0 ||
	    memcmp(again.global, signature->global, RELEASE_SIGNATURE_SIZE) != 0)
		abort();
	lb_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len)
{
	/* A point of which nobody knows the secret. */
	static const struct release_public_key key = { .point = { 1, 2, 3 } };
	struct release_signature signature;
	struct lb_diag diag = { 0 };
	struct lb_bytes field;
	lb_err err = release_signature_read(&signature, &lb_mem_host, (struct lb_bytes){ at, len },
	                                    &diag);

	if (lb_failed(err) != (diag.text[0] != '\0'))
		abort();
	if (lb_failed(err))
		return 0;
	check_again(&signature);
	(void)release_comment_field(&field, signature.trusted_comment, "file");
	if (!lb_failed(release_signature_check(&signature, &lb_mem_host, &key,
	                                       (struct lb_bytes){ at, len }, NULL)))
		abort();
	return 0;
}
