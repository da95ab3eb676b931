/* fixture.c - see fixture.h. */
#include "tests/coordinator/fixture.h"

#include "base/data/json.h"
#include "base/io/file.h"
#include "base/io/run.h"

/* ---- the world ---- */

static struct fixture_world *world_of(struct plat *plat)
{
	return (struct fixture_world *)(void *)plat;
}

static uint64_t now_ns(struct plat *plat)
{
	return plat_host.ops->now_ns(&plat_host) + world_of(plat)->ahead_ns;
}

static uint64_t wall_ns(struct plat *plat)
{
	return plat_host.ops->wall_ns(&plat_host) + world_of(plat)->ahead_ns;
}

static lb_err write_at(struct plat *plat, int file, const void *from, size_t len, uint64_t offset)
{
	if (!world_of(plat)->disk_full)
		return plat_host.ops->write_at(&plat_host, file, from, len, offset);
	/* As a disk does: the first half still fitted. */
	lb_ignore(plat_host.ops->write_at(&plat_host, file, from, len / 2, offset));
	return lb_err_of(LB_E_NOSPACE);
}

void fixture_world_init(struct fixture_world *world)
{
	*world = (struct fixture_world){ .ops = *plat_host.ops };
	world->ops.now_ns = now_ns;
	world->ops.wall_ns = wall_ns;
	world->ops.write_at = write_at;
	world->plat.ops = &world->ops;
}

void fixture_advance(struct fixture *f, uint64_t ms)
{
	struct test *t = f->t;

	f->world.ahead_ns += ms * 1000000u;
	CHECK_OK(coord_queue_tick(f->queue));
}

/* ---- opening ---- */

static void count_wake(void *ctx, uint64_t topic)
{
	(void)topic;
	((struct fixture *)ctx)->wakes++;
}

static bool open_queue(struct fixture *f)
{
	static const unsigned char key[] = "0123456789abcdef0123456789abcdef";
	struct test *t = f->t;
	struct lb_value *empty = lb_value_object(&f->arena), *secrets = lb_value_object(&f->arena);
	struct coord_queue_config config = {
		.plat = &f->world.plat,
		.logs = f->logs,
		.repositories = f->repositories,
		.address = "http://127.0.0.1:1",
		.token_key = { key, 32 },
		.lease_ms = 1000,
		.poll_ms = 2000,
		.env = empty,
		.secrets = secrets,
		.vars = empty,
		.wake = count_wake,
		.wake_ctx = f,
	};
	struct lb_diag diag = { 0 };
	lb_err err;

	lb_value_set_text(&f->arena, secrets, "PASSWORD", "hunter2");
	err = coord_store_open(&f->store, t->mem, &plat_host, f->state, &diag);
	if (!lb_failed(err)) {
		coord_store_set_address(f->store, config.address);
		config.store = f->store;
		err = coord_queue_new(&f->queue, t->mem, &config, &diag);
	}
	if (lb_failed(err))
		printf("# %s\n", lb_diag_text(&diag, err));
	return CHECK_OK(err);
}

bool fixture_open(struct fixture *f, struct test *t)
{
	static unsigned count;

	*f = (struct fixture){ .t = t };
	fixture_world_init(&f->world);
	lb_arena_init(&f->arena, t->mem);
	(void)snprintf(f->state, sizeof f->state, "%s/state-%u", test_folder(t), count++);
	(void)snprintf(f->logs, sizeof f->logs, "%s/logs", f->state);
	(void)snprintf(f->repositories, sizeof f->repositories, "%s/repositories", f->state);
	return CHECK_OK(lb_file_make_folders(&plat_host, f->state, NULL)) && open_queue(f);
}

static void close_queue(struct fixture *f)
{
	coord_queue_free(f->queue);
	coord_store_close(f->store);
	f->queue = NULL;
	f->store = NULL;
}

bool fixture_reopen(struct fixture *f)
{
	close_queue(f);
	return open_queue(f);
}

void fixture_close(struct fixture *f)
{
	close_queue(f);
	lb_arena_release(&f->arena);
}

/* ---- commits ---- */

static lb_err git(const char *const *argv, const char *cwd, struct lb_bytes input,
                  struct lb_buf *out, struct lb_diag *diag)
{
	struct lb_run how = { .argv = argv, .cwd = cwd, .input = input, .timeout_ms = 20000 };

	return lb_run_ok(&how, out, diag);
}

bool fixture_commit_in(char sha[41], struct test *t, const char *repositories, const char *path,
                       const char *content)
{
	static const char *const init[] = {
		"git", "init", "-q", "--bare", "-b", "main", ".", NULL
	};
	static const char *const import[] = { "git", "fast-import", "--quiet", "--force", NULL };
	static const char *const show[] = { "git", "rev-parse", "refs/heads/main", NULL };
	char folder[700], head[740];
	bool has_parent;
	struct lb_diag diag = { 0 };
	struct lb_buf stream, out;
	lb_err err;

	(void)snprintf(folder, sizeof folder, "%s/acme/demo.git", repositories);
	(void)snprintf(head, sizeof head, "%s/refs/heads/main", folder);
	has_parent = lb_file_exists(&plat_host, head);
	lb_buf_init(&stream, t->mem, 1 << 20);
	lb_buf_init(&out, t->mem, 1 << 16);
	lb_buf_addf(&stream,
	            "commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\n"
	            "data 11\nA subject.\n\n%sM 100644 inline %s\ndata %zu\n%s\n",
	            has_parent ? "from refs/heads/main^0\n" : "", path, strlen(content), content);
	err = lb_file_make_folders(&plat_host, folder, &diag);
	if (!lb_failed(err))
		err = git(init, folder, (struct lb_bytes){ 0 }, NULL, &diag);
	if (!lb_failed(err))
		err = git(import, folder, lb_buf_bytes(&stream), NULL, &diag);
	if (!lb_failed(err))
		err = git(show, folder, (struct lb_bytes){ 0 }, &out, &diag);
	if (lb_failed(err))
		printf("# %s\n", lb_diag_text(&diag, err));
	if (out.len >= 40) {
		memcpy(sha, out.at, 40);
		sha[40] = '\0';
	}
	lb_buf_release(&stream);
	lb_buf_release(&out);
	return CHECK_OK(err);
}

bool fixture_commit(struct fixture *f, const char *path, const char *content)
{
	return fixture_commit_in(f->sha, f->t, f->repositories, path, content);
}

/* ---- short forms ---- */

uint64_t fixture_submit(struct fixture *f)
{
	struct test *t = f->t;
	struct coord_submission what = { .repository = lb_bytes_of("acme/demo"),
		                         .ref = lb_bytes_of("refs/heads/main"),
		                         .sha = lb_bytes_of(f->sha),
		                         .workflow = lb_bytes_of("ci.yml"),
		                         .actor = lb_bytes_of("tester") };
	struct lb_diag diag = { 0 };
	uint64_t id = 0, number = 0;
	bool unknown = false;
	lb_err err = coord_queue_submit(&id, &number, &unknown, f->queue, &what, &diag);

	if (lb_failed(err))
		printf("# %s\n", lb_diag_text(&diag, err));
	return CHECK_OK(err) ? id : 0;
}

struct lb_bytes fixture_session(struct fixture *f, const char *name, const char *labels)
{
	struct test *t = f->t;
	struct lb_value *list = NULL;
	char session[COORD_SESSION_SIZE] = "";
	struct coord_greeting greeting = { .name = lb_bytes_of(name) };

	CHECK_OK(lb_json_read(&list, &f->arena, lb_bytes_of(labels), NULL));
	greeting.labels = list;
	CHECK_OK(coord_queue_session(session, f->queue, &greeting, NULL));
	return lb_arena_bytes(&f->arena, lb_bytes_of(session));
}

struct fixture_lease fixture_lease(struct fixture *f, struct lb_bytes session)
{
	struct test *t = f->t;
	struct fixture_lease lease = { 0 };
	struct lb_diag diag = { 0 };
	const struct lb_value *job;
	lb_err err = coord_queue_lease(&lease.message, f->queue, &f->arena, session, &diag);

	if (lb_failed(err))
		printf("# %s\n", lb_diag_text(&diag, err));
	if (!CHECK_OK(err) || lease.message == NULL)
		return lease;
	job = lb_value_get(lease.message, "job");
	lease.claim.lease = lb_value_get_string(lease.message, "lease");
	lease.claim.token = lb_value_get_string(lease.message, "token");
	CHECK_OK(lb_value_get_u64(&lease.claim.fence, lease.message, "fence"));
	CHECK_OK(lb_value_get_u64(&lease.job_id, job, "id"));
	CHECK_OK(lb_value_get_u64(&lease.attempt, job, "attempt"));
	CHECK_OK(lb_value_get_u64(&lease.run_id, lb_value_get(lease.message, "run"), "id"));
	lease.key = lb_value_get_string(job, "key");
	return lease;
}

lb_err fixture_log(struct fixture *f, const struct fixture_lease *lease, uint64_t offset,
                   const char *text)
{
	struct coord_held held;
	uint64_t size;
	lb_err err = coord_queue_check(&held, f->queue, &f->arena, &lease->claim, NULL);

	if (!lb_failed(err))
		err = coord_log_append(&size, held.log, offset, lb_bytes_of(text));
	coord_log_decref(held.log);
	return err;
}

lb_err fixture_complete(struct fixture *f, const struct fixture_lease *lease,
                        const char *conclusion, const char *outputs, uint64_t log_size)
{
	struct lb_bytes text = lb_arena_format(
		&f->arena, "{\"conclusion\":\"%s\",\"outputs\":%s,\"log_size\":%llu,\"steps\":[]}",
		conclusion, outputs, (unsigned long long)log_size);
	struct lb_value *report;
	uint64_t size;

	LB_TRY(lb_json_read(&report, &f->arena, text, NULL));
	return coord_queue_complete(&size, f->queue, &lease->claim, report, text, NULL);
}

struct lb_value *fixture_run(struct fixture *f, uint64_t run_id)
{
	struct test *t = f->t;
	struct lb_value *run = NULL;

	CHECK_OK(coord_read_run(&run, f->store, &f->arena, run_id));
	return run;
}

const struct lb_value *fixture_job(const struct lb_value *run, const char *key)
{
	const struct lb_value *jobs = lb_value_get(run, "jobs");

	for (uint32_t i = 0; jobs != NULL && i < jobs->count; i++)
		if (lb_bytes_is(lb_value_get_string(jobs->items[i], "key"), key))
			return jobs->items[i];
	return NULL;
}
