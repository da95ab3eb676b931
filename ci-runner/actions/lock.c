/* lock.c - see lock.h. */
#include "ci-runner/actions/lock.h"

#include "base/text.h"

static struct runner_lock_entry *entry_at(const struct runner_lock *lock, size_t i)
{
	return LB_VEC_AT(&lock->entries, struct runner_lock_entry, i);
}

static bool is_entry(const struct runner_lock_entry *entry, struct lb_bytes repository,
                     struct lb_bytes ref)
{
	size_t at = lb_bytes_rfind_byte(entry->uses, '@');

	return lb_bytes_eq_nocase(lb_bytes_upto(entry->uses, at), repository) &&
	       lb_bytes_eq(lb_bytes_from(entry->uses, at + 1), ref);
}

const struct runner_lock_entry *runner_lock_find(const struct runner_lock *lock,
                                                 struct lb_bytes repository, struct lb_bytes ref)
{
	for (size_t i = 0; i < lock->entries.count; i++) {
		if (is_entry(entry_at(lock, i), repository, ref))
			return entry_at(lock, i);
	}
	return NULL;
}

/* A new place among the sorted ones; what is behind it moves up by one. */
static struct runner_lock_entry *make_place(struct runner_lock *lock, struct lb_bytes uses)
{
	size_t at;

	if (lb_vec_add(&lock->entries) == NULL)
		return NULL;
	for (at = lock->entries.count - 1;
	     at > 0 && lb_bytes_cmp(entry_at(lock, at - 1)->uses, uses) > 0; at--)
		*entry_at(lock, at) = *entry_at(lock, at - 1);
	return entry_at(lock, at);
}

lb_err runner_lock_put(struct runner_lock *lock, struct lb_bytes repository, struct lb_bytes ref,
                       const char *sha, const char *digest)
{
	struct runner_lock_entry *entry =
		(struct runner_lock_entry *)(uintptr_t)runner_lock_find(lock, repository, ref);
	struct lb_bytes uses;

	if (entry == NULL) {
		uses = lb_arena_format(&lock->arena, "%.*s@%.*s", LB_FMT(repository), LB_FMT(ref));
		if (lock->arena.failed)
			return lb_err_of(LB_E_NOMEM);
		entry = make_place(lock, uses);
		if (entry == NULL)
			return lb_vec_check(&lock->entries);
		entry->uses = uses;
	}
	memcpy(entry->sha, sha, sizeof entry->sha);
	memcpy(entry->digest, digest, sizeof entry->digest);
	return LB_OK;
}

static lb_err read_line(struct runner_lock *lock, struct lb_bytes line, const char *name,
                        unsigned number, struct lb_diag *diag)
{
	struct lb_bytes rest = line, uses, sha = { 0 }, digest = { 0 };
	char sha_text[LB_SHA_HEX + 1], digest_text[LB_SHA256_HEX + 1];
	size_t at;

	(void)lb_bytes_split(&uses, &rest, ' ');
	if (rest.at != NULL)
		(void)lb_bytes_split(&sha, &rest, ' ');
	digest = rest;
	at = lb_bytes_rfind_byte(uses, '@');
	if (at == SIZE_MAX || at == 0 || at + 1 == uses.len || !lb_hex_is(sha, LB_SHA_HEX) ||
	    !lb_bytes_starts(digest, LB_B("sha256:")) ||
	    !lb_hex_is(lb_bytes_from(digest, 7), LB_SHA256_HEX))
		return lb_fail(diag, LB_E_MALFORMED,
		               "%s:%u: expected OWNER/REPO@REF COMMIT sha256:DIGEST", name, number);
	memcpy(sha_text, sha.at, LB_SHA_HEX);
	sha_text[LB_SHA_HEX] = '\0';
	memcpy(digest_text, digest.at + 7, LB_SHA256_HEX);
	digest_text[LB_SHA256_HEX] = '\0';
	if (runner_lock_find(lock, lb_bytes_upto(uses, at), lb_bytes_from(uses, at + 1)) != NULL)
		return lb_fail(diag, LB_E_MALFORMED, "%s:%u: %.*s stands there twice", name, number,
		               LB_FMT(uses));
	return runner_lock_put(lock, lb_bytes_upto(uses, at), lb_bytes_from(uses, at + 1), sha_text,
	                       digest_text);
}

lb_err runner_lock_read(struct runner_lock *out, struct lb_mem *mem, struct lb_bytes text,
                        const char *name, struct lb_diag *diag)
{
	struct lb_bytes rest = text, line;
	unsigned number = 0;
	lb_err err = LB_OK;

	lb_arena_init(&out->arena, mem);
	lb_vec_init(&out->entries, mem, sizeof(struct runner_lock_entry), RUNNER_LOCK_ENTRIES_MAX);
	while (!lb_failed(err) && rest.len > 0 && lb_bytes_split(&line, &rest, '\n')) {
		number++;
		line = lb_bytes_trim(line);
		if (line.len > 0 && line.at[0] != '#')
			err = read_line(out, line, name, number, diag);
	}
	if (lb_failed(err))
		runner_lock_release(out);
	return err;
}

void runner_lock_release(struct runner_lock *lock)
{
	lb_vec_release(&lock->entries);
	lb_arena_release(&lock->arena);
}

void runner_lock_write(struct lb_buf *out, const struct runner_lock *lock)
{
	lb_buf_add_text(out,
	                "# Actions of other repositories, pinned: REF COMMIT DIGEST-OF-FILES.\n"
	                "# `lifeboat actions lock` writes this file, `update` moves refs on, "
	                "`verify` checks it.\n");
	for (size_t i = 0; i < lock->entries.count; i++)
		lb_buf_addf(out, "%.*s %s sha256:%s\n", LB_FMT(entry_at(lock, i)->uses),
		            entry_at(lock, i)->sha, entry_at(lock, i)->digest);
}
