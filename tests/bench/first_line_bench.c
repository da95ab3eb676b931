/* first_line_bench.c - from submitting a run to the first line of its first step, beside Buildbot.
 *
 * Ours ends when the line was read back from the coordinator's live log; Buildbot's when its step
 * touched a file, which is earlier in the same chain and so to its advantage.
 */
#include "base/io/file.h"
#include "base/platform/plat.h"
#include "base/platform/port.h"
#include "tests/bench/bench.h"
#include "tests/line/line.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RUNS = 100, PEER_RUNS = 30, BURST_MAX = 100 };

static const char workflow[] = "on: workflow_dispatch\n"
			       "jobs:\n"
			       "  one:\n"
			       "    runs-on: ubuntu-latest\n"
			       "    steps:\n"
			       "      - run: echo first\n";

static uint64_t now(void) { return plat_host.ops->now_ns(&plat_host); }
static void nap_us(uint64_t us) { plat_host.ops->sleep_ns(&plat_host, us * 1000u); }

/* ---- ours ---- */

static lb_err look_for_line(void *ctx, struct lb_bytes part)
{
	bool *found = ctx;

	/* The script is shown in the log too, before it runs: the output is a line of its own. */
	*found = *found || lb_bytes_find(part, LB_B("Z first\\n")) != SIZE_MAX;
	return *found ? lb_err_of(LB_E_END) : LB_OK;
}

static bool follow(struct line *line, uint64_t run)
{
	struct lb_http_answer answer = { 0 };
	struct lb_http_ask ask = { .sink = look_for_line, .timeout_ms = 10000 };
	const struct lb_value *value, *jobs;
	char path[64];
	bool found = false;
	int status;

	(void)snprintf(path, sizeof path, "/api/v1/runs/%" PRIu64, run);
	value = line_ask(line, &status, "GET", path, NULL);
	jobs = lb_value_get(value, "jobs");
	if (jobs == NULL || jobs->count == 0)
		return false;
	ask.ctx = &found;
	ask.url = lb_arena_text(&line->arena,
	                        lb_arena_format(&line->arena, "%s/api/v1/jobs/%.0f/log/live",
	                                        line->url,
	                                        lb_value_get_number(jobs->items[0], "id")));
	lb_buf_init(&answer.body, &lb_mem_host, 1 << 20);
	lb_buf_init(&answer.headers, &lb_mem_host, 1 << 16);
	lb_ignore(lb_http_ask(line->http, &ask, &answer, NULL));
	lb_buf_release(&answer.body);
	lb_buf_release(&answer.headers);
	return found;
}

static void measure_ours(struct test *t, struct line *line, struct bench *bench)
{
	for (unsigned i = 0; i < RUNS + 3 && t->failures == 0; i++) {
		uint64_t begin = now(), run = line_submit(line, NULL);

		CHECK(run != 0 && follow(line, run));
		if (i >= 3) /* the first ones warm up */
			bench_add(bench, now() - begin);
		CHECK(line_wait(line, run, 20) != NULL);
	}
}

/* How cost grows: 1, 10, 100 runs submitted at once, until the last is completed. */
static void measure_bursts(struct test *t, struct line *line)
{
	for (unsigned size = 1; size <= BURST_MAX && t->failures == 0; size *= 10) {
		uint64_t begin = now(), runs[BURST_MAX] = { 0 };

		for (unsigned i = 0; i < size; i++)
			runs[i] = line_submit(line, NULL);
		for (unsigned i = 0; i < size; i++)
			CHECK(line_wait(line, runs[i], 60) != NULL);
		printf("%3u runs at once: %.1f ms a run\n", size,
		       (double)(now() - begin) / 1e6 / size);
	}
}

/* ---- Buildbot ---- */

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (file >= 0 && connect(file, (struct sockaddr *)&address, sizeof address) != 0) {
		(void)close(file);
		file = -1;
	}
	return file;
}

static bool wait_for_file(const char *path, uint64_t seconds)
{
	uint64_t end = now() + seconds * UINT64_C(1000000000);

	while (!lb_file_exists(&plat_host, path)) {
		if (now() > end)
			return false;
		nap_us(200);
	}
	return true;
}

static bool peer_run(const char *folder, uint16_t port, unsigned number, uint64_t seconds)
{
	char path[1024], text[16];
	int file = connect_to(port), len = snprintf(text, sizeof text, "%u\n", number);
	bool sent = file >= 0 && write(file, text, (size_t)len) == len;

	if (file >= 0)
		(void)close(file);
	(void)snprintf(path, sizeof path, "%s/stamp.%u", folder, number);
	return sent && wait_for_file(path, seconds);
}

static void measure_peer(struct test *t, struct bench *bench)
{
	const char *folder = test_folder(t);
	char submit[8], pb[8], script[1024];
	const char *argv[] = { script, folder, submit, pb, NULL };
	struct plat_spawn how = { .argv = argv, .out = -1, .err = -1 };
	struct plat_process process;
	struct plat_exit status;
	uint16_t port, other;
	int read_end, write_end;

	(void)snprintf(script, sizeof script, "%s/tests/bench/buildbot.sh", test_top());
	if (plat_getenv("LB_NO_BUILDBOT") != NULL ||
	    system("command -v buildbot >/dev/null 2>&1") != 0) {
		printf("Buildbot is not installed: no comparison (make bench installs it)\n");
		return;
	}
	CHECK_OK(plat_port_find(&port, 0));
	CHECK_OK(plat_port_find(&other, 0));
	(void)snprintf(submit, sizeof submit, "%u", port);
	(void)snprintf(pb, sizeof pb, "%u", other);
	CHECK_OK(plat_pipe(&read_end, &write_end));
	how.in = read_end;
	CHECK_OK(plat_spawn(&process, &how));
	(void)close(read_end);
	for (unsigned i = 0; i < 1200 && connect_to(port) < 0; i++)
		nap_us(50000);
	if (!peer_run(folder, port, 0, 30)) {
		struct lb_buf text;

		(void)snprintf(script, sizeof script, "%s/master.log", folder);
		lb_buf_init(&text, t->mem, 1 << 20);
		lb_ignore(lb_file_read(&text, &plat_host, script, NULL));
		printf("Buildbot did not start here: no comparison\n%s", lb_buf_text(&text));
		lb_buf_release(&text);
	} else {
		for (unsigned i = 1; i <= PEER_RUNS; i++) {
			uint64_t begin = now();

			if (peer_run(folder, port, i, 30))
				bench_add(bench, now() - begin);
			nap_us(200000); /* it finishes its build's records */
		}
	}
	(void)close(write_end);
	if (lb_failed(plat_process_wait(&status, &process, 20000)))
		plat_process_signal(&process, PLAT_KILL);
}

TEST(submit_to_first_line)
{
	static struct bench ours = { .name = "lifeboat" }, peer = { .name = "buildbot" };
	struct line line;

	if (line_init(&line, t) && line_start_coordinator(&line) && line_push(&line, workflow) &&
	    line_start_runner(&line, 0)) {
		measure_ours(t, &line, &ours);
		measure_bursts(t, &line);
	}
	line_stop(&line);
	measure_peer(t, &peer);
	printf("From submitting a run to the first line of its first step, on loopback:\n");
	bench_print(&peer, NULL);
	bench_print(&ours, &peer);
}
