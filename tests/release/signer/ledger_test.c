/* ledger_test.c - the journal, the ledger of used tokens and the audit log: what a crash or a full
 * disk leaves, and what was tampered with. */
#include "base/io/file.h"
#include "release/signer/audit.h"
#include "release/signer/journal.h"
#include "release/signer/ledger.h"
#include "tests/harness/test.h"

static const char *path_of(struct test *t, const char *name)
{
	static char path[1024];

	(void)snprintf(path, sizeof path, "%s/%s", test_folder(t), name);
	return path;
}

static void put(struct test *t, const char *path, const char *content)
{
	CHECK_OK(lb_file_write(&plat_host, path, lb_bytes_of(content), PLAT_PRIVATE, NULL));
}

static lb_err collect(void *ctx, struct lb_bytes line, uint64_t number)
{
	lb_buf_addf(ctx, "%llu:%.*s;", (unsigned long long)number, LB_FMT(line));
	return lb_buf_check(ctx);
}

/* What the lines of the file are, as one text. */
static const char *lines_of(struct test *t, struct lb_buf *text, const char *path)
{
	struct release_journal journal;

	lb_buf_reset(text);
	CHECK_OK(release_journal_open(&journal, t->mem, &plat_host, path, collect, text, NULL));
	release_journal_close(&journal);
	return lb_buf_text(text);
}

TEST(a_journal_gives_back_its_lines_and_drops_a_torn_one)
{
	const char *path = path_of(t, "journal");
	struct release_journal journal;
	struct plat_info info;
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 4096);
	CHECK_TEXT(lines_of(t, &text, path), "");
	lb_buf_reset(&text);
	CHECK_OK(release_journal_open(&journal, t->mem, &plat_host, path, collect, &text, NULL));
	CHECK_OK(release_journal_add(&journal, LB_B("one")));
	CHECK_OK(release_journal_add(&journal, LB_B("two")));
	release_journal_close(&journal);
	CHECK_TEXT(lines_of(t, &text, path), "1:one;2:two;");
	put(t, path, "one\ntwo\nthr");
	CHECK_TEXT(lines_of(t, &text, path), "1:one;2:two;");
	CHECK_OK(plat_host.ops->info(&info, &plat_host, path));
	CHECK(info.size == 8);
	lb_buf_release(&text);
}

TEST(a_journal_on_a_full_disk_has_what_it_had_before)
{
	const char *path = path_of(t, "journal");
	struct release_journal journal;
	struct plat_sim sim;
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 4096);
	for (uint64_t fail_at = 1; fail_at <= 2; fail_at++) {
		put(t, path, "one\n");
		plat_sim_init(&sim, 1);
		sim.fault = LB_E_NOSPACE;
		lb_buf_reset(&text);
		CHECK_OK(release_journal_open(&journal, t->mem, &sim.plat, path, collect, &text,
		                              NULL));
		sim.fail_at = sim.calls + fail_at;
		CHECK(lb_code_of(release_journal_add(&journal, LB_B("two"))) == LB_E_NOSPACE);
		CHECK_OK(release_journal_add(&journal, LB_B("three")));
		release_journal_close(&journal);
		CHECK_TEXT(lines_of(t, &text, path), "1:one;2:three;");
	}
	lb_buf_release(&text);
}

static struct release_ledger *open_ledger(struct test *t, const char *path, uint64_t now_s)
{
	struct release_ledger *ledger = NULL;

	CHECK_OK(release_ledger_open(&ledger, t->mem, &plat_host, path, now_s, NULL));
	return ledger;
}

static enum lb_code use(struct release_ledger *ledger, const char *issuer, const char *jti)
{
	return lb_code_of(
		release_ledger_use(ledger, lb_bytes_of(issuer), lb_bytes_of(jti), 1000, 500, NULL));
}

TEST(a_token_is_used_once_also_after_opening_again)
{
	const char *path = path_of(t, "used");
	struct release_ledger *ledger = open_ledger(t, path, 500);

	CHECK(use(ledger, "a", "1") == LB_E_NONE);
	CHECK(use(ledger, "a", "1") == LB_E_DENIED);
	CHECK(use(ledger, "b", "1") == LB_E_NONE); /* another issuer's */
	CHECK(use(ledger, "a", "2\n999 x") == LB_E_NONE);
	release_ledger_close(ledger);
	ledger = open_ledger(t, path, 500);
	CHECK(use(ledger, "a", "1") == LB_E_DENIED);
	CHECK(use(ledger, "b", "1") == LB_E_DENIED);
	CHECK(use(ledger, "a", "2\n999 x") == LB_E_DENIED);
	release_ledger_close(ledger);
	ledger = open_ledger(t, path, 1001); /* their time is over: exp refuses them now */
	CHECK(use(ledger, "a", "1") == LB_E_NONE);
	release_ledger_close(ledger);
}

TEST(expired_uses_are_forgotten_and_the_others_kept)
{
	const char *path = path_of(t, "used");
	struct release_ledger *ledger = open_ledger(t, path, 0);
	struct plat_info info;

	for (unsigned i = 0; i < 3000; i++) {
		char jti[32];

		(void)snprintf(jti, sizeof jti, "%u", i);
		/* Each is good for ten seconds, and a second goes by. */
		CHECK_OK(release_ledger_use(ledger, LB_B("a"), lb_bytes_of(jti), i + 10, i, NULL));
	}
	CHECK(lb_code_of(release_ledger_use(ledger, LB_B("a"), LB_B("2999"), 3009, 2999, NULL)) ==
	      LB_E_DENIED);
	release_ledger_close(ledger);
	CHECK_OK(plat_host.ops->info(&info, &plat_host, path));
	CHECK(info.size < 1100 * 75);
	ledger = open_ledger(t, path, 2999);
	CHECK(lb_code_of(release_ledger_use(ledger, LB_B("a"), LB_B("2999"), 3009, 2999, NULL)) ==
	      LB_E_DENIED);
	release_ledger_close(ledger);
}

TEST(a_use_that_cannot_be_written_is_no_use)
{
	const char *path = path_of(t, "used");
	struct release_ledger *ledger;
	struct plat_sim sim;

	plat_sim_init(&sim, 1);
	sim.fault = LB_E_NOSPACE;
	CHECK_OK(release_ledger_open(&ledger, t->mem, &sim.plat, path, 0, NULL));
	sim.fail_at = sim.calls + 1;
	CHECK(use(ledger, "a", "1") == LB_E_NOSPACE);
	CHECK(use(ledger, "a", "1") == LB_E_NONE);
	release_ledger_close(ledger);
}

TEST(a_ledger_with_nonsense_is_not_opened)
{
	const char *path = path_of(t, "used");
	struct release_ledger *ledger;
	struct lb_diag diag = { 0 };

	put(t, path, "12 0123456789012345678901234567890123456789012345678901234567890123\nwhat\n");
	CHECK(lb_code_of(release_ledger_open(&ledger, t->mem, &plat_host, path, 0, &diag)) ==
	      LB_E_MALFORMED);
	CHECK(ledger == NULL && strstr(diag.text, "used, line 2: expected a time") != NULL);
}

TEST(ledgers_survive_every_oom)
{
	const char *path = path_of(t, "used");

	EACH_OOM (t) {
		struct release_ledger *ledger;
		lb_err err;

		lb_ignore(plat_host.ops->remove(&plat_host, path));
		err = release_ledger_open(&ledger, t->mem, &plat_host, path, 0, NULL);
		if (!lb_failed(err))
			err = release_ledger_use(ledger, LB_B("a"), LB_B("b"), 1000, 0, NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		release_ledger_close(ledger);
	}
}

static void write_log(struct test *t, const char *path, unsigned lines)
{
	struct release_audit *audit;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(release_audit_open(&audit, t->mem, &plat_host, path, NULL));
	for (unsigned i = 0; i < lines; i++) {
		struct lb_value *fields = lb_value_object(&arena);

		lb_value_set_text(&arena, fields, "reason", "because\nof it");
		CHECK_OK(release_audit_add(audit, "refused", fields, NULL));
	}
	release_audit_close(audit);
	lb_arena_release(&arena);
}

TEST(an_audit_log_goes_on_where_it_ended)
{
	const char *path = path_of(t, "audit");
	struct release_audit *audit;

	lb_ignore(plat_host.ops->remove(&plat_host, path));
	write_log(t, path, 2);
	write_log(t, path, 3);
	CHECK_OK(release_audit_open(&audit, t->mem, &plat_host, path, NULL));
	CHECK(release_audit_count(audit) == 5);
	release_audit_close(audit);
}

/* Each byte of all lines but the last is covered by the line after it. */
TEST(an_audit_log_with_any_changed_byte_is_not_opened)
{
	const char *path = path_of(t, "audit");
	struct release_audit *audit;
	struct lb_buf log;
	size_t last;

	lb_ignore(plat_host.ops->remove(&plat_host, path));
	write_log(t, path, 3);
	lb_buf_init(&log, t->mem, 65536);
	CHECK_OK(lb_file_read(&log, &plat_host, path, NULL));
	last = lb_bytes_rfind_byte(lb_bytes_upto(lb_buf_bytes(&log), log.len - 1), '\n');
	for (size_t i = 0; i < last; i += 3) {
		log.at[i] ^= 1;
		put(t, path, lb_buf_text(&log));
		CHECK(lb_failed(release_audit_open(&audit, t->mem, &plat_host, path, NULL)));
		CHECK(audit == NULL);
		log.at[i] ^= 1;
	}
	put(t, path, lb_buf_text(&log));
	CHECK_OK(release_audit_open(&audit, t->mem, &plat_host, path, NULL));
	release_audit_close(audit);
	lb_buf_release(&log);
}

TEST(an_audit_log_with_a_line_left_out_is_not_opened)
{
	const char *path = path_of(t, "audit");
	struct release_audit *audit;
	struct lb_diag diag = { 0 };
	struct lb_buf log;
	size_t end;

	lb_ignore(plat_host.ops->remove(&plat_host, path));
	write_log(t, path, 3);
	lb_buf_init(&log, t->mem, 65536);
	CHECK_OK(lb_file_read(&log, &plat_host, path, NULL));
	end = lb_bytes_find_byte(lb_buf_bytes(&log), '\n');
	put(t, path, lb_buf_text(&log) + end + 1);
	CHECK(lb_code_of(release_audit_open(&audit, t->mem, &plat_host, path, &diag)) ==
	      LB_E_MALFORMED);
	CHECK(strstr(diag.text, "line 1: the audit log's numbers have a gap") != NULL);
	lb_buf_release(&log);
}
