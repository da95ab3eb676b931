/* ledger.c - see ledger.h.
 *
 * A line is "UNTIL DIGEST": seconds since 1970, and SHA-256 of issuer and jti, so
 * that whatever an issuer puts into a jti makes no line of its own.
 */
#include "release/signer/ledger.h"

#include "base/arena.h"
#include "base/data/digest.h"
#include "base/io/file.h"
#include "base/map.h"
#include "release/signer/journal.h"

#include <pthread.h>
#include <stdio.h>

enum { COMPACT_FROM = 1024, LEDGER_MAX = 256 << 20 };

struct entry {
	uint64_t until_s;
	char digest[LB_SHA256_HEX + 1];
};

struct release_ledger {
	struct lb_mem *mem;
	struct plat *plat;
	char *path;
	size_t path_size;
	pthread_mutex_t lock;
	struct release_journal journal;
	struct lb_map entries; /* digest to struct entry, owned here */
	size_t compact_at;     /* entries at which the expired ones are dropped */
};

static struct lb_bytes digest_of(const struct entry *entry)
{
	return (struct lb_bytes){ (const unsigned char *)entry->digest, LB_SHA256_HEX };
}

static lb_err remember(struct release_ledger *ledger, struct lb_bytes digest, uint64_t until_s)
{
	struct entry *entry = LB_NEW(ledger->mem, struct entry, 1);
	lb_err err;

	if (entry == NULL)
		return lb_err_of(LB_E_NOMEM);
	entry->until_s = until_s;
	memcpy(entry->digest, digest.at, LB_SHA256_HEX);
	err = lb_map_put(&ledger->entries, digest_of(entry), entry);
	if (lb_failed(err))
		LB_DROP(ledger->mem, entry, 1);
	return err;
}

static void forget(struct release_ledger *ledger, struct entry *entry)
{
	lb_map_remove(&ledger->entries, digest_of(entry));
	LB_DROP(ledger->mem, entry, 1);
}

/* ---- the file ---- */

struct loading {
	struct release_ledger *ledger;
	uint64_t now_s;
	struct lb_diag *diag;
};

static lb_err load_line(void *ctx, struct lb_bytes line, uint64_t number)
{
	struct loading *loading = ctx;
	size_t blank = lb_bytes_find_byte(line, ' ');
	struct lb_bytes digest = lb_bytes_from(line, blank == SIZE_MAX ? line.len : blank + 1);
	uint64_t until_s;

	(void)number;
	if (lb_failed(lb_bytes_u64(&until_s, lb_bytes_upto(line, blank), UINT64_MAX)) ||
	    digest.len != LB_SHA256_HEX)
		return lb_fail(loading->diag, LB_E_MALFORMED,
		               "expected a time and a SHA-256 digest");
	if (until_s < loading->now_s || lb_map_get(&loading->ledger->entries, digest) != NULL)
		return LB_OK;
	return remember(loading->ledger, digest, until_s);
}

static lb_err open_journal(struct release_ledger *ledger, uint64_t now_s, struct lb_diag *diag)
{
	struct loading loading = { ledger, now_s, diag };

	return release_journal_open(&ledger->journal, ledger->mem, ledger->plat, ledger->path,
	                            load_line, &loading, diag);
}

/* Write the file anew with what still counts. */
static lb_err rewrite(struct release_ledger *ledger, uint64_t now_s)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, ledger->mem, LEDGER_MAX);
	for (size_t i = 0; i < ledger->entries.count; i++) {
		const struct entry *entry = ledger->entries.entries[i].value;

		lb_buf_addf(&text, "%llu %s\n", (unsigned long long)entry->until_s, entry->digest);
	}
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_file_write(ledger->plat, ledger->path, lb_buf_bytes(&text), PLAT_PRIVATE,
		                    NULL);
	lb_buf_release(&text);
	LB_TRY(err);
	release_journal_close(&ledger->journal);
	return open_journal(ledger, now_s, NULL);
}

static lb_err compact(struct release_ledger *ledger, uint64_t now_s)
{
	for (size_t i = ledger->entries.count; i > 0; i--) {
		struct entry *entry = ledger->entries.entries[i - 1].value;

		if (entry->until_s < now_s)
			forget(ledger, entry);
	}
	ledger->compact_at = ledger->entries.count * 2;
	if (ledger->compact_at < COMPACT_FROM)
		ledger->compact_at = COMPACT_FROM;
	return rewrite(ledger, now_s);
}

/* ---- life ---- */

lb_err release_ledger_open(struct release_ledger **out, struct lb_mem *mem, struct plat *plat,
                           const char *path, uint64_t now_s, struct lb_diag *diag)
{
	struct release_ledger *ledger = LB_NEW(mem, struct release_ledger, 1);
	lb_err err;

	*out = NULL;
	if (ledger == NULL)
		return lb_err_of(LB_E_NOMEM);
	ledger->mem = mem;
	ledger->plat = plat;
	ledger->journal.file = -1;
	ledger->compact_at = COMPACT_FROM;
	pthread_mutex_init(&ledger->lock, NULL);
	lb_map_init(&ledger->entries, mem);
	ledger->path_size = strlen(path) + 1;
	ledger->path = lb_mem_text(mem, path, ledger->path_size - 1);
	err = ledger->path != NULL ? open_journal(ledger, now_s, diag) : lb_err_of(LB_E_NOMEM);
	if (lb_failed(err))
		release_ledger_close(ledger);
	else
		*out = ledger;
	return err;
}

void release_ledger_close(struct release_ledger *ledger)
{
	if (ledger == NULL)
		return;
	release_journal_close(&ledger->journal);
	while (ledger->entries.count > 0)
		forget(ledger, ledger->entries.entries[ledger->entries.count - 1].value);
	lb_map_release(&ledger->entries);
	pthread_mutex_destroy(&ledger->lock);
	lb_mem_drop(ledger->mem, ledger->path, ledger->path_size, 1);
	LB_DROP(ledger->mem, ledger, 1);
}

/* ---- use ---- */

static lb_err digest_pair(char out[LB_SHA256_HEX + 1], struct lb_mem *mem, struct lb_bytes issuer,
                          struct lb_bytes jti)
{
	struct lb_buf pair;
	lb_err err;

	lb_buf_init(&pair, mem, issuer.len + jti.len + 1);
	lb_buf_add(&pair, issuer);
	lb_buf_add_byte(&pair, '\n');
	lb_buf_add(&pair, jti);
	err = lb_buf_check(&pair);
	if (!lb_failed(err))
		err = lb_sha256_hex(out, lb_buf_bytes(&pair));
	lb_buf_release(&pair);
	return err;
}

static lb_err use(struct release_ledger *ledger, struct lb_bytes digest, uint64_t until_s,
                  uint64_t now_s, struct lb_diag *diag)
{
	char line[LB_SHA256_HEX + 32];
	lb_err err;

	if (lb_map_get(&ledger->entries, digest) != NULL)
		return lb_fail(diag, LB_E_DENIED,
		               "jti: this token was used already; each publishes once");
	if (ledger->entries.count >= ledger->compact_at)
		LB_TRY(compact(ledger, now_s));
	if (ledger->journal.file < 0) /* a rewrite that could not open its result again */
		LB_TRY(open_journal(ledger, now_s, diag));
	LB_TRY(remember(ledger, digest, until_s));
	(void)snprintf(line, sizeof line, "%llu %.*s", (unsigned long long)until_s, LB_FMT(digest));
	err = release_journal_add(&ledger->journal, lb_bytes_of(line));
	if (lb_failed(err)) {
		lb_diag_set(diag, "the use of the token could not be written down: %s",
		            lb_err_text(err));
		forget(ledger, lb_map_get(&ledger->entries, digest));
	}
	return err;
}

lb_err release_ledger_use(struct release_ledger *ledger, struct lb_bytes issuer,
                          struct lb_bytes jti, uint64_t until_s, uint64_t now_s,
                          struct lb_diag *diag)
{
	char digest[LB_SHA256_HEX + 1];
	lb_err err;

	LB_TRY(digest_pair(digest, ledger->mem, issuer, jti));
	pthread_mutex_lock(&ledger->lock);
	err = use(ledger, lb_bytes_of(digest), until_s, now_s, diag);
	pthread_mutex_unlock(&ledger->lock);
	return err;
}
