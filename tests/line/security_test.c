/* security_test.c - what a workflow, a job or a stranger on this machine may try at the
 * coordinator: markup in every field, paths that climb, other hosts' names, other people's tokens.
 */
#include "base/io/file.h"
#include "base/platform/plat.h"
#include "tests/line/line.h"

struct answer {
	int status;
	struct lb_bytes body, headers;
};

/* Any request; `token` NULL: none, `more` NULL: no other header. */
static struct answer ask(struct line *line, const char *method, const char *path, const char *token,
                         const char *more, const char *body)
{
	struct lb_arena *arena = &line->arena;
	const char *headers[3] = { NULL };
	struct lb_http_ask how = { .method = method,
		                   .headers = headers,
		                   .body = lb_bytes_of(body) };
	struct lb_http_answer got = { 0 };
	struct answer answer = { 0 };
	size_t count = 0;

	if (token != NULL)
		headers[count++] =
			lb_arena_text(arena,
		                      lb_arena_format(arena, "Authorization: Bearer %s", token));
	if (more != NULL)
		headers[count++] = more;
	how.url = lb_arena_text(arena, lb_arena_format(arena, "%s%s", line->url, path));
	lb_buf_init(&got.body, &lb_mem_host, 16 << 20);
	lb_buf_init(&got.headers, &lb_mem_host, 1 << 16);
	if (!lb_failed(lb_http_ask(line->http, &how, &got, NULL))) {
		answer.status = got.status;
		answer.body = lb_arena_bytes(arena, lb_buf_bytes(&got.body));
		answer.headers = lb_arena_bytes(arena, lb_buf_bytes(&got.headers));
	}
	lb_buf_release(&got.body);
	lb_buf_release(&got.headers);
	return answer;
}

static const char *state_line(struct line *line, const char *name)
{
	const char *path = lb_arena_text(&line->arena, lb_arena_format(&line->arena, "%s/state/%s",
	                                                               line->folder, name));
	const char *text = "";
	struct lb_buf buf;

	lb_buf_init(&buf, &lb_mem_host, 4096);
	if (!lb_failed(lb_file_read(&buf, &plat_host, path, NULL)))
		text = lb_arena_text(&line->arena, lb_bytes_trim(lb_buf_bytes(&buf)));
	lb_buf_release(&buf);
	return text;
}

#define MARK "<img src=x onerror=alert(1)>"

TEST(markup_is_text_on_every_page)
{
	static const char workflow[] =
		"name: \"W" MARK "\"\n"
		"run-name: \"R" MARK "\"\n"
		"on: workflow_dispatch\n"
		"concurrency: \"C" MARK "\"\n"
		"jobs:\n"
		"  job:\n"
		"    name: \"J" MARK "\"\n"
		"    strategy: { matrix: { m: [\"M" MARK "\"] } }\n"
		"    runs-on: ubuntu-latest\n"
		"    outputs: { o: \"O" MARK "\" }\n"
		"    steps:\n"
		"      - name: \"S" MARK "\"\n"
		"        run: |\n"
		"          echo 'L" MARK "'\n"
		"          printf '\\033[31m\\033]8;;javascript:alert(1)\\007X" MARK
		"\\033[0m\\n'\n"
		"          echo '::error file=F" MARK ",title=T" MARK "::A" MARK "'\n"
		"          echo '::group::G" MARK "'\n"
		"          echo 'Y" MARK "' >> \"$GITHUB_STEP_SUMMARY\"\n"
		"          mkdir out; touch out/a\n"
		"      - { uses: actions/upload-artifact@v4, with: { name: 'a&b', path: out } }\n"
		"  waits:\n"
		"    runs-on: [\"Q" MARK "\"]\n"
		"    steps: [{ run: 'true' }]\n";
	struct line line;
	const struct lb_value *job = NULL;
	uint64_t id = 0;
	char paths[4][96] = { "/" };

	if (line_up(&line, t, 1) && line_push(&line, workflow))
		id = line_submit(&line, NULL);
	CHECK(id != 0);
	job = line_wait_job(&line, id, "job.0", "completed", 30);
	CHECK_BYTES(lb_value_get_string(job, "conclusion"), "success");
	(void)snprintf(paths[1], sizeof paths[1], "/runs/%u", (unsigned)id);
	(void)snprintf(paths[2], sizeof paths[2], "/runs/%u/jobs/%.0f", (unsigned)id,
	               lb_value_get_number(job, "id"));
	(void)snprintf(paths[3], sizeof paths[3], "/runs/%u/jobs/%.0f/lines", (unsigned)id,
	               lb_value_get_number(job, "id"));
	for (size_t i = 0; i < 4; i++) {
		struct answer page = ask(&line, "GET", paths[i], NULL, "Accept: text/html", "");

		CHECK(page.status == 200);
		CHECK(lb_bytes_find(page.body, LB_B("<img src=x")) == SIZE_MAX);
		CHECK(lb_bytes_find(page.body, LB_B("=\"javascript:")) == SIZE_MAX);
		CHECK(i == 3 || lb_bytes_find(page.body, LB_B("&lt;img src=x")) != SIZE_MAX);
		CHECK(i == 3 ||
		      lb_bytes_find(page.headers, LB_B("default-src 'self'; ")) != SIZE_MAX);
		CHECK(lb_bytes_find(page.headers, LB_B("nosniff")) != SIZE_MAX);
		if (t->failures > 0)
			printf("# of %s\n", paths[i]);
	}
	line_stop(&line);
}

TEST(paths_do_not_climb)
{
	static const char *const paths[] = {
		"/static/../token",
		"/static/..%2ftoken",
		"/static/%2e%2e/%2e%2e/token",
		"/static/..%5ctoken",
		"/static//etc/passwd",
		"/static/%00style.css",
		"/git/test/../../token/info/refs?service=git-upload-pack",
		"/git/..%2f..%2f/x.git/info/refs?service=git-upload-pack",
		"/git/test/%2e%2e%2f%2e%2e.git/info/refs?service=git-upload-pack",
		"/git/.../x.git/info/refs?service=git-upload-pack",
		"/git/test/-line.git/info/refs?service=git-upload-pack",
		"/git/test/line.git/info/refs?service=git-upload-archive",
		"/git/test/line.git/../../token",
		"/git/test/line.git/config",
		"/git/test/line.git/HEAD",
		"/api/v1/artifacts/..%2f..%2ftoken",
		"/api/v1/jobs/1%2f..%2f2/log",
		"/runs/1/jobs/../../../token",
	};
	struct line line;
	bool good = line_up(&line, t, 0) && line_push(&line, "on: push\n");

	for (size_t i = 0; good && i < sizeof paths / sizeof paths[0]; i++) {
		struct answer got = ask(&line, "GET", paths[i], line.token, NULL, "");

		if (got.status < 400 || got.status >= 500)
			printf("# %s: %d\n", paths[i], got.status);
		CHECK(got.status >= 400 && got.status < 500);
		CHECK(lb_bytes_find(got.body, lb_bytes_of(line.token)) == SIZE_MAX);
	}
	CHECK(ask(&line, "GET", "/api/v1/status", NULL, NULL, "").status == 200);
	line_stop(&line);
}

TEST(another_hosts_name_is_refused)
{
	static const char *const hosts[] = { "Host: evil.example", "Host: 127.0.0.1.evil.example",
		                             "Host: localhost.evil.example:80", "Host: 10.0.0.1",
		                             "Host: evil.example:8440" };
	static const char *const good[] = { "Host: localhost:1", "Host: run.localhost",
		                            "Host: [::1]:8440" };
	struct line line;

	if (line_up(&line, t, 0)) {
		for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
			CHECK(ask(&line, "GET", "/", NULL, hosts[i], "").status == 403);
		for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
			CHECK(ask(&line, "GET", "/", NULL, good[i], "").status == 200);
	}
	line_stop(&line);
}

TEST(each_token_opens_its_own_doors_only)
{
	struct line line;
	const char *runner;
	bool good = line_up(&line, t, 0);

	if (good) {
		runner = state_line(&line, "runner-token");
		CHECK(lb_bytes_starts(lb_bytes_of(runner), LB_B("lbr_")));
		/* No token, another one, a runner's, where a person's is wanted. */
		CHECK(ask(&line, "POST", "/api/v1/runs", NULL, NULL, "{}").status == 401);
		CHECK(ask(&line, "POST", "/api/v1/runs", "lbu_0", NULL, "{}").status == 401);
		CHECK(ask(&line, "POST", "/api/v1/runs", runner, NULL, "{}").status == 403);
		CHECK(ask(&line, "POST", "/api/v1/runs/1/cancel", runner, NULL, "{}").status ==
		      403);
		CHECK(ask(&line, "POST", "/api/v1/runs/1/rerun", runner, NULL, "{}").status == 403);
		CHECK(ask(&line, "GET", "/git/test/line.git/info/refs?service=git-receive-pack",
		          runner, NULL, "")
		              .status == 403);
		CHECK(ask(&line, "GET", "/git/test/line.git/info/refs?service=git-upload-pack",
		          NULL, NULL, "")
		              .status == 401);
		/* A person's where a runner's is wanted. */
		CHECK(ask(&line, "POST", "/api/v1/runner/session", line.token, NULL, "{}").status ==
		      403);
		CHECK(ask(&line, "POST", "/api/v1/runner/session", NULL, NULL, "{}").status == 401);
		CHECK(ask(&line, "GET", "/api/v1/id-token?audience=x", line.token, NULL, "")
		              .status >= 400);
	}
	line_stop(&line);
}

/* The token of one job, tried at everything that belongs to another. The test is the runner. */
TEST(a_jobs_token_is_for_its_own_lease)
{
	static const char workflow[] = "on: workflow_dispatch\n"
				       "jobs:\n"
				       "  a:\n"
				       "    runs-on: ubuntu-latest\n"
				       "    steps: [{ run: 'true' }]\n"
				       "  b:\n"
				       "    runs-on: ubuntu-latest\n"
				       "    steps: [{ run: 'true' }]\n";
	static const char *const writes[][2] = { { "POST", "renew" },
		                                 { "PUT", "log?offset=0" },
		                                 { "POST", "steps" },
		                                 { "POST", "complete" },
		                                 { "PUT", "artifacts/x" },
		                                 { "GET", "artifacts" },
		                                 { "GET", "artifacts/x" },
		                                 { "GET", "cache?key=k&version=v" },
		                                 { "PUT", "cache?key=k&version=v" } };
	struct line line;
	const struct lb_value *leases[2] = { NULL };
	const char *tokens[2] = { "", "" };
	bool good =
		line_up(&line, t, 0) && line_push(&line, workflow) && line_submit(&line, NULL) != 0;

	for (size_t i = 0; good && i < 2; i++) {
		char body[200];
		int status;
		const struct lb_value *session;

		(void)snprintf(line.token, sizeof line.token, "%s",
		               state_line(&line, "runner-token"));
		(void)snprintf(body, sizeof body,
		               "{\"name\": \"r%zu\", \"labels\": [\"ubuntu-latest\"], \"version\": "
		               "\"0\", \"os\": \"Linux\", \"arch\": \"x86_64\"}",
		               i);
		session = line_ask(&line, &status, "POST", "/api/v1/runner/session", body);
		(void)snprintf(body, sizeof body, "{\"session\": \"%.*s\"}",
		               LB_FMT(lb_value_get_string(session, "session")));
		leases[i] = line_ask(&line, &status, "POST", "/api/v1/runner/lease", body);
		CHECK(status == 200);
		tokens[i] = lb_arena_text(&line.arena, lb_value_get_string(leases[i], "token"));
	}
	for (size_t i = 0; good && i < sizeof writes / sizeof writes[0]; i++) {
		struct lb_arena *arena = &line.arena;
		const char *path = lb_arena_text(
			arena, lb_arena_format(arena, "/api/v1/leases/%.*s/%s",
		                               LB_FMT(lb_value_get_string(leases[0], "lease")),
		                               writes[i][1]));
		const char *fence =
			lb_arena_text(arena,
		                      lb_arena_format(arena, "Lifeboat-Fence: %.0f",
		                                      lb_value_get_number(leases[0], "fence")));
		struct answer theirs = ask(&line, writes[i][0], path, tokens[1], fence, "{}");
		struct answer nobodys = ask(&line, writes[i][0], path, NULL, fence, "{}");

		if (theirs.status != 403 && theirs.status != 401)
			printf("# %s: %d\n", path, theirs.status);
		CHECK(theirs.status == 403 || theirs.status == 401);
		CHECK(nobodys.status == 401 || nobodys.status == 403);
	}
	if (good) {
		const char *fence = "Lifeboat-Fence: 999999";
		const char *path = lb_arena_text(
			&line.arena,
			lb_arena_format(&line.arena, "/api/v1/leases/%.*s/renew",
		                        LB_FMT(lb_value_get_string(leases[0], "lease"))));

		CHECK(ask(&line, "POST", path, tokens[0], fence, "").status == 409);
		CHECK(ask(&line, "POST", "/api/v1/runs", tokens[0], NULL, "{}").status == 403);
		CHECK(ask(&line, "POST", "/api/v1/runner/session", tokens[0], NULL, "{}").status ==
		      403);
		CHECK(ask(&line, "GET", "/api/v1/id-token?audience=x", tokens[0], NULL, "")
		              .status == 403); /* no permissions: id-token */
		CHECK(ask(&line, "GET", "/git/test/line.git/info/refs?service=git-upload-pack",
		          tokens[0], NULL, "")
		              .status == 200);
		CHECK(ask(&line, "GET", "/git/test/line.git/info/refs?service=git-receive-pack",
		          tokens[0], NULL, "")
		              .status == 403);
		CHECK(ask(&line, "GET", "/git/test/other.git/info/refs?service=git-upload-pack",
		          tokens[0], NULL, "")
		              .status == 403);
	}
	line_stop(&line);
}
