/* line.c - see line.h. */
#include "tests/line/line.h"

#include "base/data/json.h"
#include "base/io/file.h"
#include "base/io/run.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BODY_MAX = 64 << 20, SHOWN = 8000 };

static void nap(uint64_t ms) { plat_host.ops->sleep_ns(&plat_host, ms * 1000000u); }

static const char *program(struct line *line, const char *name)
{
	return lb_arena_text(&line->arena,
	                     lb_arena_format(&line->arena, "%s/%s", test_build(), name));
}

static const char *in_folder(struct line *line, const char *name)
{
	return lb_arena_text(&line->arena,
	                     lb_arena_format(&line->arena, "%s/%s", line->folder, name));
}

bool line_init(struct line *line, struct test *t)
{
	*line = (struct line){ .t = t };
	lb_arena_init(&line->arena, &lb_mem_host);
	(void)snprintf(line->folder, sizeof line->folder, "%s", test_folder(t));
	return CHECK_OK(lb_http_client_new(&line->http, &lb_mem_host));
}

/* Output of the programs goes into FOLDER/NAME.log, printed when the test fails. */
static bool start(struct line *line, struct plat_process *process, const char *name,
                  const char *const *argv)
{
	struct test *t = line->t;
	const char *log = lb_arena_text(&line->arena, lb_arena_format(&line->arena, "%s/%s.log",
	                                                              line->folder, name));
	struct plat_spawn how = { .argv = argv, .in = -1 };
	struct plat_info info = { 0 };
	bool good;
	int file;

	if (!CHECK_OK(plat_host.ops->open(&file, &plat_host, log,
	                                  PLAT_WRITE | PLAT_CREATE | PLAT_APPEND)))
		return false;
	lb_ignore(plat_host.ops->file_info(&info, &plat_host, file));
	how.out = how.err = file;
	good = CHECK_OK(plat_spawn(process, &how));
	plat_host.ops->close(&plat_host, file);
	return good;
}

static bool read_text(struct line *line, char *out, size_t size, const char *path)
{
	struct lb_buf buf;
	bool good;

	(void)line;
	lb_buf_init(&buf, &lb_mem_host, size - 1);
	good = !lb_failed(lb_file_read(&buf, &plat_host, path, NULL)) && buf.len > 0;
	if (good)
		(void)snprintf(out, size, "%.*s", LB_FMT(lb_bytes_trim(lb_buf_bytes(&buf))));
	lb_buf_release(&buf);
	return good;
}

bool line_start_coordinator(struct line *line)
{
	struct test *t = line->t;
	const char *ready = in_folder(line, "ready");
	const char *listen =
		lb_arena_text(&line->arena,
	                      lb_arena_format(&line->arena, "127.0.0.1:%u", (unsigned)line->port));
	const char *secret = in_folder(line, "secret");
	const char *argv[] = { program(line, "lifeboat-coordinator"),
		               "serve",
		               "--state",
		               in_folder(line, "state"),
		               "--listen",
		               listen,
		               "--lease-ms",
		               "3000",
		               "--ready-file",
		               ready,
		               line->secret[0] != '\0' ? "--secret" : NULL,
		               lb_arena_text(&line->arena,
		                             lb_arena_format(&line->arena, "SECRET=%s", secret)),
		               NULL };
	const char *colon;

	if (line->secret[0] != '\0')
		(void)CHECK_OK(lb_file_write(&plat_host, secret, lb_bytes_of(line->secret),
		                             PLAT_PRIVATE, NULL));
	lb_ignore(plat_host.ops->remove(&plat_host, ready));
	if (!start(line, &line->coordinator, "coordinator", argv))
		return false;
	line->coordinator_runs = true;
	for (unsigned i = 0; i < 1000 && !read_text(line, line->url, sizeof line->url, ready); i++)
		nap(10);
	colon = strrchr(line->url, ':');
	CHECK(colon != NULL);
	if (colon != NULL)
		line->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	CHECK(read_text(line, line->token, sizeof line->token, in_folder(line, "state/token")));
	return colon != NULL && line->port != 0;
}

static void end(struct plat_process *process, bool *runs, enum plat_signal signal)
{
	struct plat_exit status;

	if (!*runs)
		return;
	plat_process_signal(process, signal);
	if (lb_failed(plat_process_wait(&status, process, 20000))) {
		plat_process_signal(process, PLAT_KILL);
		lb_ignore(plat_process_wait(&status, process, UINT64_MAX));
	}
	*runs = false;
}

void line_kill_coordinator(struct line *line)
{
	end(&line->coordinator, &line->coordinator_runs, PLAT_KILL);
}

bool line_start_runner(struct line *line, unsigned index)
{
	const char *name =
		lb_arena_text(&line->arena, lb_arena_format(&line->arena, "runner-%u", index));
	const char *argv[] = { program(line, "lifeboat-runner"),
		               "serve",
		               "--coordinator",
		               line->url,
		               "--token-file",
		               in_folder(line, "state/runner-token"),
		               "--name",
		               name,
		               "--labels",
		               "ubuntu-latest",
		               "--work",
		               in_folder(line, name),
		               NULL };

	line->runner_runs[index] = start(line, &line->runners[index], name, argv);
	return line->runner_runs[index];
}

bool line_up(struct line *line, struct test *t, unsigned runners)
{
	bool good = line_init(line, t) && line_start_coordinator(line);

	for (unsigned i = 0; i < runners; i++)
		good = good && line_start_runner(line, i);
	return good;
}

void line_kill_runner(struct line *line, unsigned index)
{
	end(&line->runners[index], &line->runner_runs[index], PLAT_KILL);
}

/* The last of a text, as comments of TAP. */
static void show(struct lb_bytes text)
{
	struct lb_bytes part;

	if (text.len > SHOWN)
		text = lb_bytes_from(text, text.len - SHOWN);
	while (lb_bytes_split(&part, &text, '\n'))
		printf("# %.*s\n", LB_FMT(part));
}

static void show_log(struct line *line, const char *name)
{
	struct lb_buf buf;

	lb_buf_init(&buf, &lb_mem_host, BODY_MAX);
	lb_ignore(
		lb_file_read(&buf, &plat_host,
	                     lb_arena_text(&line->arena, lb_arena_format(&line->arena, "%s/%s.log",
	                                                                 line->folder, name)),
	                     NULL));
	printf("# ---- %s\n", name);
	show(lb_buf_bytes(&buf));
	lb_buf_release(&buf);
}

void line_stop(struct line *line)
{
	for (unsigned i = 0; i < LINE_RUNNERS_MAX; i++)
		end(&line->runners[i], &line->runner_runs[i], PLAT_TERMINATE);
	end(&line->coordinator, &line->coordinator_runs, PLAT_TERMINATE);
	if (line->t->failures > 0) {
		show_log(line, "coordinator");
		show_log(line, "runner-0");
	}
	lb_http_client_free(line->http);
	lb_arena_release(&line->arena);
}

static bool git(struct line *line, const char *const *words)
{
	struct test *t = line->t;
	static const char *const always[] = { "git",
		                              "-c",
		                              "user.name=test",
		                              "-c",
		                              "user.email=test@localhost",
		                              "-c",
		                              "init.defaultBranch=main" };
	const char *argv[24];
	struct lb_run how = { .argv = argv,
		              .cwd = in_folder(line, "repository"),
		              .timeout_ms = 60000 };
	struct lb_diag diag = { 0 };
	struct lb_buf out;
	size_t count = 0;
	bool good;

	for (; count < sizeof always / sizeof always[0]; count++)
		argv[count] = always[count];
	while (*words != NULL)
		argv[count++] = *words++;
	argv[count] = NULL;
	lb_buf_init(&out, &lb_mem_host, 1 << 20);
	good = CHECK_OK(lb_run_ok(&how, &out, &diag));
	if (!good)
		printf("# git: %s\n", diag.text);
	else
		(void)snprintf(line->sha, sizeof line->sha, "%.*s",
		               LB_FMT(lb_bytes_trim(lb_buf_bytes(&out))));
	lb_buf_release(&out);
	return good;
}

#define GIT(...) git(line, (const char *const[]){ __VA_ARGS__, NULL })

bool line_write(struct line *line, const char *path, struct lb_bytes text)
{
	struct test *t = line->t;
	struct lb_bytes whole =
		lb_arena_format(&line->arena, "%s/repository/%s", line->folder, path);
	const char *folder =
		lb_arena_text(&line->arena, lb_bytes_upto(whole, lb_bytes_rfind_byte(whole, '/')));

	return CHECK_OK(lb_file_make_folders(&plat_host, folder, NULL)) &&
	       CHECK_OK(lb_file_write(&plat_host, lb_arena_text(&line->arena, whole), text, 0,
	                              NULL));
}

bool line_push(struct line *line, const char *workflow)
{
	const char *to = lb_arena_text(&line->arena,
	                               lb_arena_format(&line->arena,
	                                               "http://x:%s@127.0.0.1:%u/git/test/line.git",
	                                               line->token, (unsigned)line->port));

	return line_write(line, ".github/workflows/test.yml", lb_bytes_of(workflow)) &&
	       line_write(line, "README", LB_B("a test\n")) && GIT("init", "-q") &&
	       GIT("add", ".") && GIT("commit", "-q", "--allow-empty", "-m", "test: change") &&
	       GIT("push", "-q", "--force", to, "HEAD:refs/heads/main") && GIT("rev-parse", "HEAD");
}

const struct lb_value *line_ask(struct line *line, int *status, const char *method,
                                const char *path, const char *body)
{
	struct lb_arena *arena = &line->arena;
	const char *headers[] = { lb_arena_text(arena,
		                                lb_arena_format(arena, "Authorization: Bearer %s",
		                                                line->token)),
		                  "Content-Type: application/json", NULL };
	struct lb_http_ask ask = {
		.method = method,
		.url = lb_arena_text(arena, lb_arena_format(arena, "%s%s", line->url, path)),
		.headers = headers,
		.body = lb_bytes_of(body),
	};
	struct lb_http_answer answer = { 0 };
	struct lb_value *value = NULL;

	lb_buf_init(&answer.body, &lb_mem_host, BODY_MAX);
	lb_buf_init(&answer.headers, &lb_mem_host, 1 << 16);
	*status = 0;
	if (!lb_failed(lb_http_ask(line->http, &ask, &answer, NULL))) {
		*status = answer.status;
		lb_ignore(lb_json_read(&value, arena, lb_buf_bytes(&answer.body), NULL));
	}
	lb_buf_release(&answer.body);
	lb_buf_release(&answer.headers);
	return value;
}

uint64_t line_submit(struct line *line, struct lb_bytes *message)
{
	const char *body =
		lb_arena_text(&line->arena,
	                      lb_arena_format(&line->arena,
	                                      "{\"repository\": \"test/line\", \"ref\": "
	                                      "\"refs/heads/main\", \"sha\": \"%s\", "
	                                      "\"workflow\": \".github/workflows/test.yml\", "
	                                      "\"event\": \"workflow_dispatch\"}",
	                                      line->sha));
	const struct lb_value *answer;
	uint64_t id = 0;
	int status;

	answer = line_ask(line, &status, "POST", "/api/v1/runs", body);
	if (message != NULL)
		*message = lb_value_get_string(answer, "message");
	if (status != 201 || lb_failed(lb_value_get_u64(&id, answer, "id")))
		return 0;
	return id;
}

const struct lb_value *line_wait(struct line *line, uint64_t run, unsigned timeout_s)
{
	char path[64];
	uint64_t end_ns = plat_host.ops->now_ns(&plat_host) + timeout_s * UINT64_C(1000000000);

	(void)snprintf(path, sizeof path, "/api/v1/runs/%" PRIu64, run);
	while (plat_host.ops->now_ns(&plat_host) < end_ns) {
		int status;
		const struct lb_value *value = line_ask(line, &status, "GET", path, NULL);

		if (status == 200 && lb_bytes_is(lb_value_get_string(value, "status"), "completed"))
			return value;
		nap(20);
	}
	return NULL;
}

const struct lb_value *line_run(struct line *line, const char *workflow, unsigned timeout_s)
{
	struct test *t = line->t;
	const struct lb_value *run = NULL;
	struct lb_bytes message = { 0 };
	uint64_t id = 0;

	if (line_push(line, workflow))
		id = line_submit(line, &message);
	CHECK_BYTES(message, "");
	if (id != 0)
		run = line_wait(line, id, timeout_s);
	CHECK(run != NULL);
	return run;
}

const struct lb_value *line_job(const struct lb_value *run, const char *key)
{
	const struct lb_value *jobs = lb_value_get(run, "jobs");

	for (uint32_t i = 0; jobs != NULL && i < jobs->count; i++) {
		if (lb_bytes_is(lb_value_get_string(jobs->items[i], "key"), key) ||
		    lb_bytes_is(lb_value_get_string(jobs->items[i], "name"), key))
			return jobs->items[i];
	}
	return NULL;
}

void line_check_job(struct line *line, const struct lb_value *run, const char *key,
                    const char *conclusion)
{
	struct test *t = line->t;
	const struct lb_value *job = line_job(run, key);
	unsigned before = t->failures;
	struct lb_bytes log;

	CHECK(job != NULL);
	CHECK_BYTES(lb_value_get_string(job, "conclusion"), conclusion);
	if (t->failures > before && line_log(line, &log, job)) {
		printf("# ---- job %s\n", key);
		show(log);
	}
}

const struct lb_value *line_wait_job(struct line *line, uint64_t run, const char *key,
                                     const char *status, unsigned timeout_s)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/api/v1/runs/%" PRIu64, run);
	for (unsigned i = 0; i < timeout_s * 50; i++) {
		int answered;
		const struct lb_value *job =
			line_job(line_ask(line, &answered, "GET", path, NULL), key);

		if (lb_bytes_is(lb_value_get_string(job, "status"), status))
			return job;
		nap(20);
	}
	return NULL;
}

int line_post(struct line *line, uint64_t run, const char *verb, const char *body)
{
	char path[64];
	int status;

	(void)snprintf(path, sizeof path, "/api/v1/runs/%" PRIu64 "/%s", run, verb);
	(void)line_ask(line, &status, "POST", path, body);
	return status;
}

bool line_log(struct line *line, struct lb_bytes *log, const struct lb_value *job)
{
	struct lb_http_answer answer = { 0 };
	struct lb_http_ask ask = { 0 };
	uint64_t id = 0;
	bool good;

	*log = (struct lb_bytes){ 0 };
	if (lb_failed(lb_value_get_u64(&id, job, "id")))
		return false;
	ask.url = lb_arena_text(&line->arena,
	                        lb_arena_format(&line->arena, "%s/api/v1/jobs/%" PRIu64 "/log",
	                                        line->url, id));
	lb_buf_init(&answer.body, &lb_mem_host, BODY_MAX);
	lb_buf_init(&answer.headers, &lb_mem_host, 1 << 16);
	good = !lb_failed(lb_http_ask_ok(line->http, &ask, &answer, NULL));
	if (good)
		*log = lb_arena_bytes(&line->arena, lb_buf_bytes(&answer.body));
	lb_buf_release(&answer.body);
	lb_buf_release(&answer.headers);
	return good;
}

size_t line_count(struct lb_bytes log, const char *text)
{
	struct lb_bytes part;
	size_t count = 0;

	while (lb_bytes_split(&part, &log, '\n')) {
		size_t blank = lb_bytes_find_byte(part, ' ');

		if (blank != SIZE_MAX && lb_bytes_is(lb_bytes_from(part, blank + 1), text))
			count++;
	}
	return count;
}

size_t line_said(struct line *line, const struct lb_value *run, const char *key, const char *text)
{
	struct lb_bytes log;

	return line_log(line, &log, line_job(run, key)) ? line_count(log, text) : 0;
}
