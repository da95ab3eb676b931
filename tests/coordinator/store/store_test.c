/* store_test.c - versions, transactions, the invariants that the database holds, reading. */
#include "coordinator/store/read.h"

#include "base/io/file.h"
#include "base/io/run.h"
#include "tests/harness/test.h"

#include <stdio.h>

struct place {
	char folder[512];
	struct coord_store *store;
	struct lb_arena arena;
};

static bool begin(struct place *p, struct test *t)
{
	static unsigned count;

	*p = (struct place){ 0 };
	(void)snprintf(p->folder, sizeof p->folder, "%s/store-%u", test_folder(t), count++);
	lb_arena_init(&p->arena, t->mem);
	return CHECK_OK(lb_file_make_folders(&plat_host, p->folder, NULL)) &&
	       CHECK_OK(coord_store_open(&p->store, t->mem, &plat_host, p->folder, NULL));
}

static void end(struct place *p)
{
	coord_store_close(p->store);
	lb_arena_release(&p->arena);
}

/* A run of one job; ids of both. */
static void add_run(struct place *p, struct test *t, uint64_t *run_id, uint64_t *job_id)
{
	struct coord_run run = { .path = lb_bytes_of("ci.yml"),
		                 .workflow = lb_bytes_of("CI"),
		                 .event = lb_bytes_of("push"),
		                 .ref = lb_bytes_of("refs/heads/main"),
		                 .sha = lb_bytes_of("abc"),
		                 .trusted = true,
		                 .source = lb_bytes_of("on:"),
		                 .inputs = lb_bytes_of("{}"),
		                 .vars = lb_bytes_of("{}"),
		                 .created_ms = 1000 };
	struct coord_job job = { .key = lb_bytes_of("a"),
		                 .name = lb_bytes_of("a"),
		                 .job = lb_bytes_of("a"),
		                 .file = lb_bytes_of("ci.yml"),
		                 .needs = lb_bytes_of("[]"),
		                 .created_ms = 1000 };
	uint64_t number = 0;

	CHECK_OK(coord_store_repository(&run.repository, p->store, &p->arena, LB_B("acme/demo")));
	CHECK_OK(coord_store_add_run(run_id, &number, p->store, &run));
	job.run_id = *run_id;
	CHECK_OK(coord_store_add_job(job_id, p->store, &job));
	CHECK_OK(coord_store_set_job(p->store, *job_id, COORD_JOB_READY, (struct lb_bytes){ 0 },
	                             LB_B("[\"x\"]"), (struct lb_bytes){ 0 }));
}

static uint64_t add_runner(struct place *p, struct test *t, const char *name)
{
	struct coord_runner runner = { .name = lb_bytes_of(name),
		                       .labels = LB_B("[\"x\"]"),
		                       .version = LB_B(""),
		                       .os = LB_B(""),
		                       .arch = LB_B(""),
		                       .session = lb_bytes_of(name) };
	uint64_t id = 0;

	CHECK_OK(coord_store_set_runner(&id, p->store, &runner, 1000));
	return id;
}

TEST(what_was_committed_is_there_after_a_start_anew)
{
	struct place p;
	uint64_t run_id = 0, job_id = 0, lost_id = 0;
	struct coord_run run;

	if (!begin(&p, t))
		return;
	CHECK_OK(coord_store_begin(p.store));
	add_run(&p, t, &run_id, &job_id);
	CHECK_OK(coord_store_commit(p.store));
	CHECK_OK(coord_store_begin(p.store));
	add_run(&p, t, &lost_id, &job_id);
	coord_store_rollback(p.store);
	coord_store_close(p.store);
	CHECK_OK(coord_store_open(&p.store, t->mem, &plat_host, p.folder, NULL));
	CHECK_OK(coord_store_find_run(&run, p.store, &p.arena, run_id));
	CHECK_BYTES(run.repository.name, "acme/demo");
	CHECK(run.number == 1 && run.trusted && run.created_ms == 1000);
	CHECK(lb_code_of(coord_store_find_run(&run, p.store, &p.arena, lost_id)) == LB_E_NOTFOUND);
	CHECK_OK(coord_store_check(p.store, NULL));
	end(&p);
}

TEST(one_live_lease_a_job_and_a_runner)
{
	struct place p;
	uint64_t run_id = 0, job_id = 0, other_job = 0, fence = 0, later = 0, attempt = 0;
	struct coord_lease_row row = { .started_ms = 1000 };
	struct coord_end over = { .conclusion = "failure",
		                  .annotations = LB_B("[]"),
		                  .summary = LB_B("") };

	if (!begin(&p, t))
		return;
	CHECK_OK(coord_store_begin(p.store));
	add_run(&p, t, &run_id, &job_id);
	add_run(&p, t, &run_id, &other_job);
	row.job_id = job_id;
	row.runner_id = add_runner(&p, t, "r1");
	row.lease = LB_B("one");
	CHECK_OK(coord_store_grant(&fence, &attempt, p.store, &row));
	CHECK(attempt == 1);
	row.lease = LB_B("two");
	row.runner_id = add_runner(&p, t, "r2");
	CHECK(lb_code_of(coord_store_grant(&later, &attempt, p.store, &row)) == LB_E_EXISTS);
	row.job_id = other_job;
	row.runner_id = add_runner(&p, t, "r1");
	CHECK(lb_code_of(coord_store_grant(&later, &attempt, p.store, &row)) == LB_E_EXISTS);
	CHECK_OK(coord_store_end_attempt(p.store, fence, &over, 2000));
	row.job_id = job_id;
	CHECK_OK(coord_store_grant(&later, &attempt, p.store, &row));
	CHECK(later > fence && attempt == 2);
	CHECK_OK(coord_store_commit(p.store));
	end(&p);
}

TEST(changes_come_in_order_and_only_once)
{
	struct place p;
	uint64_t run_id = 0, job_id = 0, last = 0;
	struct lb_value *changes = NULL;
	bool over = true;

	if (!begin(&p, t))
		return;
	CHECK_OK(coord_store_begin(p.store));
	add_run(&p, t, &run_id, &job_id);
	CHECK_OK(coord_store_commit(p.store));
	CHECK_OK(coord_read_changes(&changes, &over, p.store, &p.arena, run_id, 0));
	CHECK(!over && changes->count == 2);
	for (uint32_t i = 0; i < changes->count; i++) {
		CHECK(lb_value_get_number(changes->items[i], "seq") > (double)last);
		last = (uint64_t)lb_value_get_number(changes->items[i], "seq");
	}
	CHECK_OK(coord_read_changes(&changes, &over, p.store, &p.arena, run_id, last));
	CHECK(changes->count == 0);
	CHECK_OK(coord_store_begin(p.store));
	CHECK_OK(coord_store_end_run(p.store, run_id, "success", 3000));
	CHECK_OK(coord_store_commit(p.store));
	CHECK_OK(coord_read_changes(&changes, &over, p.store, &p.arena, run_id, last));
	CHECK(over && changes->count == 1);
	CHECK_BYTES(lb_value_get_string(changes->items[0], "event"), "run");
	end(&p);
}

static struct coord_blob blob(const char *name, const char *sha256)
{
	return (struct coord_blob){ .name = lb_bytes_of(name),
		                    .size = 3,
		                    .sha256 = lb_bytes_of(sha256) };
}

TEST(an_artifacts_name_is_taken_once)
{
	struct place p;
	uint64_t run_id = 0, job_id = 0, id = 0, second = 0;
	struct coord_blob one = blob("a", "1"), two = blob("a", "2"), got;
	struct lb_value *list = NULL;

	if (!begin(&p, t))
		return;
	CHECK_OK(coord_store_begin(p.store));
	add_run(&p, t, &run_id, &job_id);
	CHECK_OK(coord_store_add_artifact(&id, p.store, run_id, 1, &one, false, 1));
	CHECK(lb_code_of(coord_store_add_artifact(&second, p.store, run_id, 1, &two, false, 1)) ==
	      LB_E_EXISTS);
	CHECK_OK(coord_store_add_artifact(&second, p.store, run_id, 1, &two, true, 1));
	CHECK_OK(coord_store_add_artifact(&id, p.store, run_id, 2, &one, false, 1));
	/* What a lost attempt of a job left is the next one's to replace, and nobody else's. */
	one.job_id = 7;
	one.attempt = 1;
	CHECK_OK(coord_store_add_artifact(&id, p.store, run_id, 3, &one, false, 1));
	CHECK(lb_code_of(coord_store_add_artifact(&id, p.store, run_id, 3, &one, false, 1)) ==
	      LB_E_EXISTS);
	one.job_id = 8;
	one.attempt = 2;
	CHECK(lb_code_of(coord_store_add_artifact(&id, p.store, run_id, 3, &one, false, 1)) ==
	      LB_E_EXISTS);
	one.job_id = 7;
	CHECK_OK(coord_store_add_artifact(&id, p.store, run_id, 3, &one, false, 1));
	CHECK_OK(coord_store_commit(p.store));
	CHECK_OK(coord_read_artifacts(&list, p.store, &p.arena, run_id));
	CHECK(list->count == 1);
	CHECK_OK(lb_value_get_u64(&second, list->items[0], "id"));
	CHECK(second == id);
	CHECK_OK(coord_read_artifact_named(&got, p.store, &p.arena, run_id, LB_B("a")));
	CHECK_BYTES(got.sha256, "1");
	CHECK(lb_code_of(coord_read_artifact_named(&got, p.store, &p.arena, run_id, LB_B("b"))) ==
	      LB_E_NOTFOUND);
	end(&p);
}

TEST(a_cache_is_found_exactly_then_by_prefix_then_in_the_next_scope)
{
	static const struct lb_bytes scopes[] = { LB_LIT("refs/heads/topic"),
		                                  LB_LIT("refs/heads/main") };
	static const struct lb_bytes prefixes[] = { LB_LIT("deps-linux-"), LB_LIT("deps-") };
	struct place p;
	struct coord_repository repository;
	struct coord_cache_wish wish = { .scopes = scopes,
		                         .scope_count = 2,
		                         .version = LB_B("v"),
		                         .key = LB_B("deps-linux-3"),
		                         .prefixes = prefixes,
		                         .prefix_count = 2 };
	struct coord_blob got;
	uint64_t id = 0;

	if (!begin(&p, t))
		return;
#define ADD(scope, key, sha) \
	do { \
		struct coord_blob b_ = blob((key), (sha)); \
		CHECK_OK(coord_store_begin(p.store)); \
		CHECK_OK(coord_store_add_cache(&id, p.store, repository.id, (scope), LB_B("v"), \
		                               &b_, 1)); \
		CHECK_OK(coord_store_commit(p.store)); \
	} while (0)
#define EXPECT(sha) \
	do { \
		CHECK_OK(coord_read_cache(&got, p.store, &p.arena, &wish)); \
		CHECK_BYTES(got.sha256, (sha)); \
	} while (0)
	CHECK_OK(coord_store_begin(p.store));
	CHECK_OK(coord_store_repository(&repository, p.store, &p.arena, LB_B("acme/demo")));
	CHECK_OK(coord_store_commit(p.store));
	wish.repository_id = repository.id;
	CHECK(lb_code_of(coord_read_cache(&got, p.store, &p.arena, &wish)) == LB_E_NOTFOUND);
	ADD(scopes[1], "deps-mac-1", "other");
	EXPECT("other");
	ADD(scopes[1], "deps-linux-1", "old");
	EXPECT("old");
	ADD(scopes[1], "deps-linux-2", "new");
	EXPECT("new");
	ADD(scopes[1], "deps-linux-3", "exact");
	EXPECT("exact");
	ADD(scopes[0], "deps-linux-0", "own scope first");
	EXPECT("own scope first");
	wish.version = LB_B("other version");
	CHECK(lb_code_of(coord_read_cache(&got, p.store, &p.arena, &wish)) == LB_E_NOTFOUND);
	wish.scope_count = 1;
	CHECK(lb_code_of(coord_read_cache_entry(&got, p.store, &p.arena, id - 1, &wish)) ==
	      LB_E_NOTFOUND);
	CHECK_OK(coord_read_cache_entry(&got, p.store, &p.arena, id, &wish));
#undef ADD
#undef EXPECT
	end(&p);
}

TEST(a_state_of_a_newer_version_is_refused)
{
	struct place p;
	struct coord_store *store;
	struct lb_diag diag = { 0 };
	char database[600], want[64];
	const char *argv[] = { "sqlite3", database, "INSERT INTO schema VALUES (99)", NULL };
	struct lb_run how = { .argv = argv, .timeout_ms = 10000 };

	if (!begin(&p, t))
		return;
	end(&p);
	(void)snprintf(database, sizeof database, "%s/lifeboat.db", p.folder);
	if (lb_failed(lb_run_ok(&how, NULL, NULL)))
		SKIP("the program sqlite3 is not installed");
	CHECK(lb_code_of(coord_store_open(&store, t->mem, &plat_host, p.folder, &diag)) ==
	      LB_E_NEWER);
	(void)snprintf(want, sizeof want, "versions up to %u", coord_store_version());
	CHECK(strstr(diag.text, "version 99") != NULL && strstr(diag.text, want) != NULL);
}

TEST(what_is_no_database_is_refused_by_name)
{
	struct coord_store *store;
	struct lb_diag diag = { 0 };
	char folder[512], database[600];

	(void)snprintf(folder, sizeof folder, "%s/garbage", test_folder(t));
	(void)snprintf(database, sizeof database, "%s/lifeboat.db", folder);
	CHECK_OK(lb_file_make_folders(&plat_host, folder, NULL));
	CHECK_OK(lb_file_write(&plat_host, database,
	                       LB_B("this is not a database, it is a sentence of some length, "
	                            "longer than the header of one hundred bytes would be"),
	                       0, NULL));
	CHECK(lb_failed(coord_store_open(&store, t->mem, &plat_host, folder, &diag)));
	CHECK(store == NULL && strstr(diag.text, "lifeboat.db") != NULL);
}

TEST(labels_fit_without_regard_to_case)
{
	struct lb_arena arena;
	struct lb_value *has, *wanted;

	lb_arena_init(&arena, t->mem);
	has = lb_value_array(&arena);
	wanted = lb_value_array(&arena);
	CHECK(coord_labels_fit(has, wanted));
	lb_value_add(&arena, wanted, lb_value_text(&arena, "Linux"));
	CHECK(!coord_labels_fit(has, wanted));
	lb_value_add(&arena, has, lb_value_text(&arena, "x64"));
	lb_value_add(&arena, has, lb_value_text(&arena, "linux"));
	CHECK(coord_labels_fit(has, wanted));
	lb_arena_release(&arena);
}

TEST(reading_survives_every_oom)
{
	struct place p;
	uint64_t run_id = 0, job_id = 0;

	if (!begin(&p, t))
		return;
	CHECK_OK(coord_store_begin(p.store));
	add_run(&p, t, &run_id, &job_id);
	CHECK_OK(coord_store_commit(p.store));
	end(&p);
	EACH_OOM (t) {
		struct coord_store *store = NULL;
		struct lb_value *run = NULL;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = coord_store_open(&store, t->mem, &plat_host, p.folder, NULL);
		if (!lb_failed(err))
			err = coord_read_run(&run, store, &arena, run_id);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		coord_store_close(store);
		lb_arena_release(&arena);
	}
}
