/* progress_test.c - progress: plain lines, frames on a terminal, texts of strangers. */
#include "base/io/progress.h"
#include "tests/harness/test.h"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <unistd.h>

/* What a script writes to a stream, a terminal of that size where rows are given. */
struct screen {
	struct plat_sim sim;
	FILE *stream;
	int other_end;
	char text[1 << 14];
};

static struct screen screen;

static void open_screen(unsigned short rows, unsigned short columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	int ends[2];

	plat_sim_init(&screen.sim, 1);
	if (rows > 0 ? openpty(&ends[0], &ends[1], NULL, NULL, &size) != 0 : pipe(ends) != 0)
		abort();
	screen.other_end = ends[0];
	screen.stream = fdopen(ends[1], "w");
	if (screen.stream == NULL || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
		abort();
}

/* What came since the last time. */
static const char *seen(void)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(screen.other_end, screen.text + len, sizeof screen.text - 1 - len)) > 0)
		len += (size_t)n;
	screen.text[len] = '\0';
	return screen.text;
}

static void close_screen(void)
{
	(void)fclose(screen.stream);
	(void)close(screen.other_end);
}

static void gone(uint64_t ms) { screen.sim.plat.ops->sleep_ns(&screen.sim.plat, ms * 1000000); }

static struct lb_progress *start(struct test *t)
{
	struct lb_progress *progress;

	(void)setenv("TERM", "xterm", 1);
	(void)unsetenv("NO_COLOR");
	CHECK_OK(lb_progress_new(&progress, t->mem, &screen.sim.plat, screen.stream));
	return progress;
}

#define SET(name, state, note) CHECK_OK(lb_progress_set(p, LB_B(name), LB_TASK_##state, LB_B(note)))

TEST(progress_is_plain_where_there_is_no_terminal)
{
	struct lb_progress *p;

	open_screen(0, 0);
	p = start(t);
	CHECK(!lb_stream_is_terminal(screen.stream) && !lb_stream_has_colour(screen.stream));
	SET("build", WAITING, "");
	SET("build", RUNNING, "step 1: make");
	SET("build", RUNNING, "step 2: more");
	gone(63000);
	lb_progress_tick(p);
	lb_progress_say(p, LB_B("a \x1b[31mline\x1b[0m\x07"));
	SET("test (a, \x1b[2J)", SKIPPED, "");
	SET("build", BAD, "exit status 2");
	lb_progress_free(p);
	CHECK_TEXT(seen(), "build: running: step 1: make\na line\ntest (a, ): skipped\n"
	                   "build: failed after 1m 03s: exit status 2\n");
	close_screen();
}

TEST(progress_is_redrawn_in_place_on_a_terminal)
{
	struct lb_progress *p;

	open_screen(10, 60);
	p = start(t);
	CHECK(lb_stream_is_terminal(screen.stream) && lb_stream_has_colour(screen.stream));
	SET("build", RUNNING, "make");
	CHECK_TEXT(seen(), "\x1b[33m\xe2\x97\x8f build  running  0 ms    make\x1b[0m\x1b[K\r\n");
	SET("test", WAITING, "");
	CHECK_TEXT(seen(),
	           "\x1b[1A\r\x1b[33m\xe2\x97\x8f build  running  0 ms    make\x1b[0m\x1b[K\r\n"
	           "\x1b[2m  test   waiting\x1b[0m\x1b[K\r\n");
	gone(4200);
	SET("build", GOOD, "");
	CHECK_TEXT(seen(), "\x1b[2A\r\x1b[32m\xe2\x9c\x93 build  done     4.2 s\x1b[0m\x1b[K\r\n"
	                   "\x1b[2m  test   waiting\x1b[0m\x1b[K\r\n");
	lb_progress_say(p, LB_B("log \x1b[1mline\x1b[5A"));
	CHECK_TEXT(seen(), "\x1b[2A\r\x1b[Jlog \x1b[1mline\x1b[0m\r\n"
	                   "\x1b[32m\xe2\x9c\x93 build  done     4.2 s\x1b[0m\x1b[K\r\n"
	                   "\x1b[2m  test   waiting\x1b[0m\x1b[K\r\n");
	lb_progress_free(p);
	CHECK(strstr(seen(), "\x1b[2A\r") == screen.text);
	close_screen();
}

static bool is_not_two(const void *ctx, struct lb_bytes task)
{
	(void)ctx;
	return !lb_bytes_is(task, "two");
}

TEST(progress_forgets_tasks_that_are_no_more)
{
	struct lb_progress *progress;
	const char *text;

	open_screen(24, 80);
	progress = start(t);
	CHECK_OK(lb_progress_set(progress, LB_B("one"), LB_TASK_RUNNING, LB_B("")));
	CHECK_OK(lb_progress_set(progress, LB_B("two"), LB_TASK_WAITING, LB_B("note")));
	CHECK_OK(lb_progress_set(progress, LB_B("three"), LB_TASK_RUNNING, LB_B("")));
	(void)seen();
	lb_progress_keep(progress, is_not_two, NULL);
	text = seen();
	CHECK(strstr(text, "one") != NULL && strstr(text, "three") != NULL &&
	      strstr(text, "two") == NULL);
	lb_progress_keep(progress, is_not_two, NULL);
	CHECK_TEXT(seen(), ""); /* nothing changed, nothing is drawn */
	lb_progress_free(progress);
	close_screen();
}

TEST(progress_respects_no_color_and_dumb_terminals)
{
	struct lb_progress *p;

	open_screen(10, 60);
	lb_progress_free(start(t));
	(void)setenv("NO_COLOR", "1", 1);
	CHECK_OK(lb_progress_new(&p, t->mem, &screen.sim.plat, screen.stream));
	CHECK(!lb_stream_has_colour(screen.stream));
	SET("build", BAD, "");
	lb_progress_say(p, LB_B("\x1b[31mred"));
	lb_progress_free(p);
	CHECK(strstr(seen(), "\xe2\x9c\x97 build  failed\x1b[K\r\n") == screen.text);
	CHECK(strchr(screen.text, 'm') == NULL);
	(void)unsetenv("NO_COLOR");
	(void)setenv("TERM", "dumb", 1);
	CHECK_OK(lb_progress_new(&p, t->mem, &screen.sim.plat, screen.stream));
	SET("build", RUNNING, "");
	lb_progress_free(p);
	CHECK_TEXT(seen(), "build: running\r\n");
	close_screen();
}

/* The columns of the longest line, control sequences left out. */
static size_t widest(struct lb_bytes text)
{
	size_t columns = 0, most = 0;

	while (text.len > 0) {
		if (text.at[0] == 0x1b) {
			while (text.len > 0 && (text.at[0] == '[' || text.at[0] < '@'))
				text = lb_bytes_from(text, 1);
			text = lb_bytes_from(text, 1);
			continue;
		}
		if (text.at[0] == '\r' || text.at[0] == '\n')
			columns = 0;
		else
			columns += (text.at[0] & 0xc0) != 0x80;
		most = columns > most ? columns : most;
		text = lb_bytes_from(text, 1);
	}
	return most;
}

TEST(progress_lines_fit_the_terminal)
{
	for (unsigned columns = 1; columns < 100; columns += 3) {
		struct lb_progress *p;

		open_screen(5, (unsigned short)columns);
		p = start(t);
		SET("a rather long name \xc3\xa9\xc3\xa9\xc3\xa9 of a task, with \x1b[1;5H\n\xff "
		    "in it",
		    RUNNING,
		    "and a note that is long enough to be cut by most terminals there are");
		SET("short", BAD, "x");
		lb_progress_free(p);
		CHECK(widest(lb_bytes_of(seen())) < (columns > 1 ? columns : 2));
		CHECK(strstr(screen.text, "5H") == NULL);
		close_screen();
	}
}

TEST(progress_never_takes_more_rows_than_there_are)
{
	struct lb_progress *p;
	char name[16];

	open_screen(6, 50);
	p = start(t);
	for (int i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof name, "job %d", i);
		CHECK_OK(lb_progress_set(p, lb_bytes_of(name),
		                         i == 40   ? LB_TASK_RUNNING
		                         : i == 45 ? LB_TASK_BAD
		                                   : LB_TASK_WAITING,
		                         LB_B("")));
		(void)seen();
	}
	lb_progress_tick(p);
	CHECK_TEXT(seen(), "\x1b[5A\r"
	                   "\x1b[2m  job 0   waiting\x1b[0m\x1b[K\r\n"
	                   "\x1b[2m  job 1   waiting\x1b[0m\x1b[K\r\n"
	                   "\x1b[33m\xe2\x97\x8f job 40  running  0 ms\x1b[0m\x1b[K\r\n"
	                   "\x1b[31m\xe2\x9c\x97 job 45  failed\x1b[0m\x1b[K\r\n"
	                   "  of 50: 48 waiting, 1 running, 1 failed\x1b[K\r\n");
	lb_progress_free(p);
	close_screen();
}

TEST(progress_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_progress *p;
		lb_err err;

		open_screen(10, 80);
		(void)setenv("TERM", "xterm", 1);
		err = lb_progress_new(&p, t->mem, &screen.sim.plat, screen.stream);
		CHECK(!lb_failed(err) || (lb_code_of(err) == LB_E_NOMEM && p == NULL));
		for (int i = 0; i < 12 && !lb_failed(err); i++) {
			char name[16];

			(void)snprintf(name, sizeof name, "job %d", i);
			err = lb_progress_set(p, lb_bytes_of(name), LB_TASK_RUNNING, LB_B("note"));
			CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		}
		if (p != NULL)
			lb_progress_say(p, LB_B("line"));
		lb_progress_free(p);
		close_screen();
	}
}
