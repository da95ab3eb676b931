/* log_test.c - a job's log, end to end: secrets, long scripts, odd bytes, a million lines. */
#include "base/io/file.h"
#include "base/platform/plat.h"
#include "tests/line/line.h"

#include <dirent.h>
#include <sys/stat.h>

#define SECRET "hunter2-Tr0ub4dor&3"

/* How many files below the folder hold the text, those of the names `but` left out. */
static unsigned files_with(struct test *t, const char *folder, const char *text,
                           const char *const *but)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	unsigned count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		const char *const *skip = but;
		char path[1024];
		struct stat info;
		struct lb_buf buf;

		while (*skip != NULL && strcmp(*skip, entry->d_name) != 0)
			skip++;
		if (*skip != NULL || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (lstat(path, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode))
			count += files_with(t, path, text, but);
		if (!S_ISREG(info.st_mode))
			continue;
		lb_buf_init(&buf, &lb_mem_host, 256 << 20);
		if (!lb_failed(lb_file_read(&buf, &plat_host, path, NULL)) &&
		    lb_bytes_find(lb_buf_bytes(&buf), lb_bytes_of(text)) != SIZE_MAX) {
			printf("# %s holds %s\n", path, text);
			count++;
		}
		lb_buf_release(&buf);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return count;
}

TEST(a_secret_is_in_no_file_but_its_own)
{
	static const char workflow[] =
		"on: workflow_dispatch\n"
		"jobs:\n"
		"  job:\n"
		"    runs-on: ubuntu-latest\n"
		"    outputs: { secret: '${{ steps.out.outputs.secret }}' }\n"
		"    env: { HIDDEN: '${{ secrets.SECRET }}' }\n"
		"    steps:\n"
		"      - run: |\n"
		"          echo \"it is $HIDDEN indeed\"\n"
		"          printf '%s' \"$HIDDEN\" | head -c 9; sleep 0.1; printf '%s\\n' "
		"\"$HIDDEN\" | "
		"tail -c +10\n"
		"          echo \"::warning title=$HIDDEN::$HIDDEN\"\n"
		"          echo \"$HIDDEN\" >> \"$GITHUB_STEP_SUMMARY\"\n"
		"          echo \"::add-mask::made-up-later\"; echo \"and made-up-later\"\n"
		"      - id: out\n"
		"        run: echo \"secret=$HIDDEN\" >> \"$GITHUB_OUTPUT\"; exit 1\n"
		"      - { if: failure(), name: 'of ${{ secrets.SECRET }}', run: 'echo \"${{ "
		"secrets.SECRET }}\"' }\n";
	static const char *const but[] = { "secret", "lifeboat.db", "lifeboat.db-wal", NULL };
	static const char *const none[] = { "secret", NULL };
	struct line line;
	const struct lb_value *run = NULL;
	bool good = line_init(&line, t);

	(void)snprintf(line.secret, sizeof line.secret, "%s", SECRET);
	if (good && line_start_coordinator(&line) && line_start_runner(&line, 0))
		run = line_run(&line, workflow, 30);
	CHECK(line_said(&line, run, "job", "it is *** indeed") == 1);
	CHECK(line_said(&line, run, "job", "and ***") == 1);
	line_stop(&line);
	CHECK(files_with(t, line.folder, SECRET, but) == 0);
	CHECK(files_with(t, line.folder, SECRET, none) == 0);
}

TEST(tokens_are_in_no_file_but_their_own)
{
	static const char *const but[] = { "token", "runner-token", NULL };
	char tokens[2][128], path[600];
	struct line line;
	struct lb_buf buf;
	bool good = line_up(&line, t, 1);

	if (good)
		(void)line_run(
			&line,
			"on: workflow_dispatch\n"
			"jobs:\n"
			"  job:\n"
			"    runs-on: ubuntu-latest\n"
			"    steps:\n"
			"      - uses: actions/checkout@v4\n"
			"      - run: echo \"${{ github.token }}\"; env; git config --list\n",
			30);
	(void)snprintf(tokens[0], sizeof tokens[0], "%s", line.token);
	(void)snprintf(path, sizeof path, "%s/state/runner-token", line.folder);
	lb_buf_init(&buf, &lb_mem_host, 4096);
	CHECK_OK(lb_file_read(&buf, &plat_host, path, NULL));
	(void)snprintf(tokens[1], sizeof tokens[1], "%.*s",
	               LB_FMT(lb_bytes_trim(lb_buf_bytes(&buf))));
	lb_buf_release(&buf);
	line_stop(&line);
	for (size_t i = 0; i < 2; i++) {
		CHECK(strlen(tokens[i]) > 20);
		CHECK(files_with(t, line.folder, tokens[i], but) == 0);
	}
	CHECK(files_with(t, line.folder, "lbj_", but) == 0); /* no job's, either */
}

TEST(odd_bytes_and_long_lines_arrive)
{
	struct line line;
	const struct lb_value *run = NULL;
	struct lb_bytes log = { 0 };

	if (line_up(&line, t, 1))
		run = line_run(&line,
		               "on: workflow_dispatch\n"
		               "jobs:\n"
		               "  job:\n"
		               "    runs-on: ubuntu-latest\n"
		               "    steps:\n"
		               "      - run: |\n"
		               "          printf 'nul <\\0> high <\\377\\376> cr <\\r> end\\n'\n"
		               "          head -c 300000 /dev/zero | tr '\\0' x; echo\n"
		               "          printf 'no end of line'\n",
		               30);
	line_check_job(&line, run, "job", "success");
	CHECK(line_log(&line, &log, line_job(run, "job")));
	CHECK(log.len > 300000);
	CHECK(line_count(log, "no end of line") == 1);
	CHECK(lb_bytes_find(log, LB_B("> end")) != SIZE_MAX);
	line_stop(&line);
}

/* A script of 300 KB, far above what one argument of a program may have. */
TEST(a_long_script_runs)
{
	struct line line;
	const struct lb_value *run = NULL;
	struct lb_buf text;
	bool good = line_up(&line, t, 1);

	lb_buf_init(&text, &lb_mem_host, 1 << 20);
	lb_buf_add_text(&text, "on: workflow_dispatch\n"
	                       "jobs:\n"
	                       "  job:\n"
	                       "    runs-on: ubuntu-latest\n"
	                       "    steps:\n"
	                       "      - run: |\n"
	                       "          sum=0\n");
	for (unsigned i = 0; i < 15000; i++)
		lb_buf_add_text(&text, "          : $((sum += 1))\n");
	lb_buf_add_text(&text, "          echo \"sum is\" $sum\n");
	CHECK(text.len > 300000);
	if (good)
		run = line_run(&line, lb_buf_text(&text), 30);
	CHECK(line_said(&line, run, "job", "sum is 15000") == 1);
	lb_buf_release(&text);
	line_stop(&line);
}

/* Each line once and in order, as bytes; the page of such a job answers soon. */
TEST(a_million_lines_are_whole)
{
	enum { LINES = 1000000 };
	struct line line;
	const struct lb_value *run = NULL, *job;
	struct lb_bytes log = { 0 }, part;
	uint64_t next = 1, begin_ns;
	char path[96];
	int status;

	if (line_up(&line, t, 1))
		run = line_run(&line,
		               "on: workflow_dispatch\n"
		               "jobs:\n"
		               "  job:\n"
		               "    runs-on: ubuntu-latest\n"
		               "    steps: [{ run: seq 1000000 }]\n",
		               120);
	job = line_job(run, "job");
	CHECK_BYTES(lb_value_get_string(job, "conclusion"), "success");
	CHECK(line_log(&line, &log, job));
	while (lb_bytes_split(&part, &log, '\n')) {
		size_t blank = lb_bytes_find_byte(part, ' ');
		uint64_t number;

		if (blank != SIZE_MAX &&
		    !lb_failed(lb_bytes_u64(&number, lb_bytes_from(part, blank + 1), LINES)))
			next += number == next;
	}
	CHECK(next == LINES + 1);
	(void)snprintf(path, sizeof path, "/runs/%.0f/jobs/%.0f", lb_value_get_number(run, "id"),
	               lb_value_get_number(job, "id"));
	begin_ns = plat_host.ops->now_ns(&plat_host);
	(void)line_ask(&line, &status, "GET", path, NULL);
	CHECK(status == 200);
	CHECK(plat_host.ops->now_ns(&plat_host) - begin_ns < UINT64_C(2000000000));
	line_stop(&line);
}
