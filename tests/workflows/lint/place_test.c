/* place_test.c - characters of a scalar's text are found in the file, however it is written. */
#include "tests/workflows/support.h"

#include "workflows/lint/place.h"

static uint32_t characters_before(struct lb_bytes line, unsigned char c)
{
	uint32_t count = 0;

	for (size_t i = 0; i < line.len && line.at[i] != c; i++)
		count += (line.at[i] & 0xc0) != 0x80;
	return count;
}

/* Where "@" stands in the text of the step's script must be where it stands in the file. */
static void finds(struct test *t, const char *source)
{
	struct lb_bytes file = lb_bytes_of(source), rest = file, line = { 0 };
	const struct workflow_token *run;
	struct workflow_place place;
	struct workflow *w;
	size_t at;
	uint32_t row = 0;

	CHECK_OK(workflow_check(&w, t->mem, file, "a.yml"));
	run = w->job_count == 1 && w->jobs[0].step_count == 1 ? w->jobs[0].steps[0].run : NULL;
	CHECK(run != NULL);
	at = run != NULL ? lb_bytes_find_byte(run->raw, '@') : SIZE_MAX;
	CHECK(at != SIZE_MAX);
	while (lb_bytes_split(&line, &rest, '\n') && lb_bytes_find_byte(line, '@') == SIZE_MAX)
		row++;
	if (at != SIZE_MAX) {
		workflow_place_init(&place, file, run);
		workflow_place_go(&place, at);
		CHECK(!place.lost && place.line == row + 1);
		CHECK(place.source.at[place.at] == '@');
		CHECK(place.column == characters_before(line, '@') + 1);
	}
	workflow_free(w);
}

#define JOB "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"

TEST(characters_are_found_however_text_is_written)
{
	finds(t, JOB "      - run: echo a @b\n");
	finds(t, JOB "      - run: '@ it''s'\n");
	finds(t, JOB "      - run: 'it''s  @ it'\n");
	finds(t, JOB "      - run: \"a \\\" \\n \\\\ @\"\n");
	finds(t, JOB "      - run: a\n          b\n\n          c @\n");
	finds(t, JOB "      - run: 'a\n          b\n\n          c @'\n");
	finds(t, JOB "      - run: |\n          a\n\n            b @\n");
	finds(t, JOB "      - run: |2-\n            a\n           @\n");
	finds(t, JOB "      - run: >-\n          a\n          b\n\n          c @ d\n");
	finds(t, JOB "      - run: &x !!str \"a @\"\n");
	finds(t, JOB "      - { name: \xc3\xa9, run: '\xc3\xa9 @' }\n");
	finds(t, "\xef\xbb\xbf" JOB "      - run: |\r\n          a\r\n          b @\r\n");
}

TEST(what_is_not_there_keeps_the_last_place)
{
	static const char source[] = JOB "      - run: \"ab \\x41 @\"\n";
	struct workflow_place place;
	struct workflow *w;

	CHECK_OK(workflow_check(&w, t->mem, lb_bytes_of(source), "a.yml"));
	workflow_place_init(&place, lb_bytes_of(source), w->jobs[0].steps[0].run);
	workflow_place_go(&place, 6);
	CHECK(place.lost && place.line == 6 && place.column > 14 && place.column < 22);
	/* another file altogether */
	workflow_place_init(&place, LB_B("a: b\n"), w->jobs[0].steps[0].run);
	workflow_place_go(&place, 6);
	CHECK(place.lost && place.line == 6 && place.column == 14);
	workflow_free(w);
}
