/* log_test.c - log lines: fields, quoting, cutting, one write each. */
#include "base/io/log.h"
#include "tests/harness/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

/* What a script of lb_log calls writes, behind the time. */
static const char *written(struct test *t, void (*script)(const struct lb_log *log))
{
	static char text[8192];
	struct plat_sim sim;
	int ends[2];
	ssize_t n;

	plat_sim_init(&sim, 1);
	text[0] = '\0';
	if (pipe(ends) != 0)
		return text;
	script(&(struct lb_log){ .plat = &sim.plat, .file = ends[1], .least = LB_LOG_INFO });
	(void)close(ends[1]);
	n = read(ends[0], text, sizeof text - 1);
	(void)close(ends[0]);
	CHECK(n >= 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void plain(const struct lb_log *log)
{
	lb_log(log, LB_LOG_DEBUG, "not shown");
	lb_log(log, LB_LOG_INFO, "lease granted", LB_FIELD("runner", "r1"), LB_COUNT("fence", 7));
	lb_log(log, LB_LOG_ERROR, "done");
}

static void quoted(const struct lb_log *log)
{
	lb_log(log, LB_LOG_WARN, "odd\nevent", LB_FIELD("empty", ""), LB_FIELD("blank", "a b"),
	       LB_FIELD("quote", "say \"x\"\\"), LB_FIELD("lines", "1\n2\r\t\x1b[31m"),
	       LB_FIELD("eq", "a=b"), LB_FIELD("word", "\xc3\xa9"), LB_FIELD("bad", "x\xff"),
	       LB_FIELD_B("nul", LB_B("a\0b")), LB_FIELD("c1", "\xc2\x9b"));
}

static void cut(const struct lb_log *log)
{
	static char text[5001];

	memset(text, 'x', sizeof text - 1);
	lb_log(log, LB_LOG_INFO, "long", LB_FIELD("text", text), LB_FIELD("more", "y"));
	for (size_t i = 0; i < sizeof text - 1; i++)
		text[i] = i % 2 == 0 ? '\xc3' : '\xa9';
	lb_log(log, LB_LOG_INFO, "long", LB_FIELD("text", text));
}

TEST(log_lines_have_time_level_event_fields)
{
	CHECK_TEXT(written(t, plain),
	           "2026-01-01T00:00:00.000Z info  lease granted runner=r1 fence=7\n"
	           "2026-01-01T00:00:00.000Z error done\n");
}

TEST(log_values_cannot_break_the_line)
{
	CHECK_TEXT(written(t, quoted),
	           "2026-01-01T00:00:00.000Z warn  odd\\nevent empty=\"\" blank=\"a b\" "
	           "quote=\"say \\\"x\\\"\\\\\" lines=\"1\\n2\\r\\t\\u001b[31m\" eq=\"a=b\" "
	           "word=\"\xc3\xa9\" bad=\"x\xef\xbf\xbd\" nul=\"a\\u0000b\" c1=\"\\u009b\"\n");
}

TEST(log_lines_are_cut_at_whole_characters)
{
	struct lb_bytes rest = lb_bytes_of(written(t, cut)), line;

	CHECK(lb_bytes_split(&line, &rest, '\n') && line.len < 3072 && line.len > 3000);
	CHECK(lb_bytes_ends(line, LB_B("xx[...]")));
	CHECK(lb_bytes_split(&line, &rest, '\n') && line.len < 3072 && line.len > 3000);
	CHECK(lb_bytes_ends(line, LB_B("\xc3\xa9[...]")) && rest.len == 0);
}

enum { THREADS = 4, LINES = 500 };

static void *write_many(void *ctx)
{
	for (int i = 0; i < LINES; i++)
		lb_log(ctx, LB_LOG_INFO, "line", LB_FIELD("a", "some longer text here"),
		       LB_COUNT("i", (uint64_t)i));
	return NULL;
}

TEST(log_lines_of_threads_do_not_mix)
{
	static char path[4200];
	pthread_t threads[THREADS];
	struct lb_log log = { .plat = &plat_host };
	size_t count = 0;
	struct lb_buf buf;
	unsigned char *to;
	struct lb_bytes rest, line;

	(void)snprintf(path, sizeof path, "%s/log", test_folder(t));
	log.file = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
	CHECK(log.file >= 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, write_many, &log) == 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	lb_buf_init(&buf, t->mem, 1 << 20);
	to = lb_buf_reserve(&buf, 1 << 19);
	CHECK(to != NULL);
	buf.len = (size_t)pread(log.file, to, 1 << 19, 0);
	for (rest = lb_buf_bytes(&buf); lb_bytes_split(&line, &rest, '\n') && line.len > 0; count++)
		CHECK(lb_bytes_find(line, LB_B("info  line a=\"some longer text here\" i=")) == 25);
	CHECK(count == THREADS * LINES);
	lb_buf_release(&buf);
	(void)close(log.file);
}

TEST(log_without_a_file_is_silent)
{
	struct lb_log silent = { .plat = &plat_host, .file = -1 };
	const struct lb_log *none = NULL;

	lb_log(&silent, LB_LOG_ERROR, "nothing");
	lb_log(none, LB_LOG_ERROR, "nothing");
	CHECK(silent.file == -1); /* and no crash */
}
