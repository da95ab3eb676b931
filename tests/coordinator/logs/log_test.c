/* log_test.c - logs: chunks twice, overlapping, with gaps, different; a full disk; a start anew. */
#include "coordinator/logs/log.h"

#include "base/io/file.h"
#include "tests/coordinator/fixture.h"

static const struct coord_log_name name = { 7, 8, 1 };

struct setting {
	struct fixture_world world;
	struct coord_log *log;
	const char *folder;
	char path[COORD_LOG_PATH_SIZE];
};

static bool begin(struct setting *s, struct test *t)
{
	*s = (struct setting){ .folder = test_folder(t) };
	fixture_world_init(&s->world);
	return CHECK_OK(coord_log_path(s->path, s->folder, name)) &&
	       CHECK_OK(lb_file_remove_tree(&plat_host, s->path, NULL)) &&
	       CHECK_OK(coord_log_open(&s->log, t->mem, &s->world.plat, s->folder, name));
}

static enum lb_code append(uint64_t *size, struct setting *s, uint64_t offset, const char *text)
{
	return lb_code_of(coord_log_append(size, s->log, offset, lb_bytes_of(text)));
}

static void check_content(struct test *t, struct setting *s, const char *want)
{
	struct lb_buf content;

	lb_buf_init(&content, t->mem, 1 << 20);
	CHECK_OK(lb_file_read(&content, &plat_host, s->path, NULL));
	CHECK_BYTES(lb_buf_bytes(&content), want);
	lb_buf_release(&content);
}

TEST(a_chunk_may_come_twice_or_overlap)
{
	struct setting s;
	uint64_t size;

	if (!begin(&s, t))
		return;
	CHECK(append(&size, &s, 0, "one\n") == LB_E_NONE && size == 4);
	CHECK(append(&size, &s, 0, "one\n") == LB_E_NONE && size == 4);
	CHECK(append(&size, &s, 2, "e\ntwo\n") == LB_E_NONE && size == 8);
	CHECK(append(&size, &s, 4, "two\n") == LB_E_NONE && size == 8);
	CHECK(append(&size, &s, 8, "") == LB_E_NONE && size == 8);
	check_content(t, &s, "one\ntwo\n");
	coord_log_decref(s.log);
}

TEST(a_gap_is_refused_with_the_size)
{
	struct setting s;
	uint64_t size;

	if (!begin(&s, t))
		return;
	CHECK(append(&size, &s, 1, "x") == LB_E_RANGE && size == 0);
	CHECK(append(&size, &s, 0, "abc") == LB_E_NONE);
	CHECK(append(&size, &s, 4, "x") == LB_E_RANGE && size == 3);
	CHECK(append(&size, &s, UINT64_MAX, "x") == LB_E_RANGE && size == 3);
	check_content(t, &s, "abc");
	coord_log_decref(s.log);
}

TEST(other_bytes_are_refused_and_change_nothing)
{
	struct setting s;
	uint64_t size;
	lb_err err;

	if (!begin(&s, t))
		return;
	CHECK(append(&size, &s, 0, "abcdef") == LB_E_NONE);
	err = coord_log_append(&size, s.log, 2, lb_bytes_of("cdXfgh"));
	CHECK(lb_code_of(err) == LB_E_MISMATCH && lb_where(err) == 4 && size == 6);
	check_content(t, &s, "abcdef");
	coord_log_decref(s.log);
}

TEST(a_full_disk_acknowledges_nothing_and_can_be_tried_again)
{
	struct setting s;
	uint64_t size;

	if (!begin(&s, t))
		return;
	CHECK(append(&size, &s, 0, "abc\n") == LB_E_NONE);
	s.world.disk_full = true;
	CHECK(append(&size, &s, 4, "defghi\n") == LB_E_NOSPACE && size == 4);
	s.world.disk_full = false;
	CHECK(append(&size, &s, 4, "defghi\n") == LB_E_NONE && size == 11);
	check_content(t, &s, "abc\ndefghi\n");
	coord_log_decref(s.log);
}

TEST(a_sealed_log_takes_nothing)
{
	struct setting s;
	uint64_t size;

	if (!begin(&s, t))
		return;
	CHECK(append(&size, &s, 0, "abc") == LB_E_NONE);
	CHECK(coord_log_seal(s.log) == 3);
	CHECK(append(&size, &s, 3, "d") == LB_E_STALE && size == 3);
	CHECK(append(&size, &s, 0, "abc") == LB_E_STALE);
	check_content(t, &s, "abc");
	coord_log_decref(s.log);
}

TEST(a_start_anew_goes_on_where_the_file_ends)
{
	struct setting s;
	uint64_t size;

	if (!begin(&s, t))
		return;
	CHECK(append(&size, &s, 0, "abc") == LB_E_NONE);
	coord_log_decref(s.log);
	CHECK_OK(coord_log_open(&s.log, t->mem, &s.world.plat, s.folder, name));
	CHECK(coord_log_size(s.log) == 3);
	CHECK(append(&size, &s, 1, "bcd") == LB_E_NONE && size == 4);
	check_content(t, &s, "abcd");
	coord_log_decref(s.log);
}

/* What a loss of power can leave: the file is as long as the chunk, its bytes never came. */
TEST(zero_bytes_at_the_end_were_never_acknowledged)
{
	static const unsigned char torn[5000] = "abc\n";
	struct setting s;
	uint64_t size;

	if (!begin(&s, t))
		return;
	CHECK(append(&size, &s, 0, "x") == LB_E_NONE);
	coord_log_decref(s.log);
	CHECK_OK(
		lb_file_write(&plat_host, s.path, (struct lb_bytes){ torn, sizeof torn }, 0, NULL));
	CHECK_OK(coord_log_open(&s.log, t->mem, &s.world.plat, s.folder, name));
	CHECK(coord_log_size(s.log) == 4);
	CHECK(append(&size, &s, 4, "def\n") == LB_E_NONE && size == 8);
	coord_log_decref(s.log);
}

TEST(reading_a_log_that_is_not_there_yet_gives_nothing)
{
	unsigned char byte;
	size_t got = 9;

	CHECK_OK(coord_log_read(&got, &plat_host, "/nowhere/at/all.log", &byte, 1, 0));
	CHECK(got == 0);
}

TEST(a_path_that_is_too_long_is_refused)
{
	static char folder[COORD_LOG_PATH_SIZE];
	char path[COORD_LOG_PATH_SIZE];

	memset(folder, 'x', sizeof folder - 8);
	CHECK(lb_code_of(coord_log_path(path, folder, name)) == LB_E_LIMIT);
}

TEST(opening_survives_every_oom)
{
	EACH_OOM (t) {
		struct coord_log *log;
		lb_err err = coord_log_open(&log, t->mem, &plat_host, test_folder(t), name);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(lb_failed(err) == (log == NULL));
		coord_log_decref(log);
	}
}
