/* progress.c - see progress.h.
 *
 * On a terminal the cursor always stands at the start of the line below the `drawn` lines of the
 * last frame.  A frame is made whole in `frame` and goes out in one write, so that it does not
 * flicker.
 */
#include "base/io/progress.h"

#include "base/buf.h"
#include "base/platform/handle.h"
#include "base/platform/process.h"
#include "base/text.h"
#include "base/vec.h"

enum { TASKS_MAX = 100000, TEXT_MAX = 200, FRAME_BYTES_MAX = 1 << 20 };
enum { COLUMNS_IF_UNKNOWN = 80, ROWS_IF_UNKNOWN = 24, COLUMNS_MAX = 500 };

struct task {
	char *name, *note; /* terminated copies in mem; NULL: none */
	size_t name_len, note_len;
	enum lb_task_state state;
	uint64_t start_ns, end_ns; /* 0: not yet */
	bool shown;                /* in the frame being drawn */
};

struct lb_progress {
	struct lb_mem *mem;
	struct plat *plat;
	FILE *stream;
	bool live, coloured;
	struct lb_vec tasks;
	struct lb_buf frame;
	size_t drawn; /* lines of the last frame */
};

static const struct look {
	const char *mark, *word, *colour;
} looks[] = {
	[LB_TASK_WAITING] = { " ", "waiting", "2" },
	[LB_TASK_RUNNING] = { "\xe2\x97\x8f", "running", "33" }, /* ● */
	[LB_TASK_GOOD] = { "\xe2\x9c\x93", "done", "32" },       /* ✓ */
	[LB_TASK_BAD] = { "\xe2\x9c\x97", "failed", "31" },      /* ✗ */
	[LB_TASK_SKIPPED] = { "-", "skipped", "2" },
};

enum { STATES = sizeof looks / sizeof looks[0], WORD_COLUMNS = 7 };

/* ---- the stream ---- */

bool lb_stream_is_terminal(FILE *stream) { return plat_is_terminal(fileno(stream)); }

static bool is_dumb(void)
{
	const char *term = plat_getenv("TERM");

	return term == NULL || strcmp(term, "dumb") == 0;
}

bool lb_stream_has_colour(FILE *stream)
{
	return lb_stream_is_terminal(stream) && plat_getenv("NO_COLOR") == NULL && !is_dumb();
}

static size_t columns_of(const struct lb_progress *progress)
{
	unsigned columns = plat_columns(fileno(progress->stream));

	if (columns == 0)
		columns = COLUMNS_IF_UNKNOWN;
	return columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
}

static size_t rows_of(const struct lb_progress *progress)
{
	unsigned rows = plat_rows(fileno(progress->stream));

	return rows > 0 ? rows : ROWS_IF_UNKNOWN;
}

/* ---- text that is anybody's ---- */

static bool is_control(uint32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

/* The length of a terminal's control sequence at the front (ESC [ ... letter), 0 where there is
 * none. */
static size_t sequence_len(struct lb_bytes text)
{
	if (text.len < 2 || text.at[0] != 0x1b || text.at[1] != '[')
		return 0;
	for (size_t i = 2; i < text.len; i++) {
		if (text.at[i] >= 0x40 && text.at[i] <= 0x7e)
			return i + 1;
		if (text.at[i] < 0x20)
			break;
	}
	return 0;
}

/* Append what may be shown of `text`, at most that many columns; returns how many it took.  One
 * character counts as one column. */
static size_t add_shown(struct lb_buf *out, struct lb_bytes text, size_t columns, bool colours)
{
	size_t used = 0;

	while (text.len > 0 && used < columns) {
		size_t len = sequence_len(text);
		uint32_t c;

		if (len > 0) {
			if (colours && text.at[len - 1] == 'm')
				lb_buf_add(out, lb_bytes_upto(text, len));
			text = lb_bytes_from(text, len);
			continue;
		}
		c = lb_utf8_next(&text);
		if (c == '\t')
			c = ' ';
		if (is_control(c))
			continue;
		lb_utf8_add(out, c);
		used++;
	}
	return used;
}

/* ---- one task ---- */

static struct task *task_at(const struct lb_progress *progress, size_t index)
{
	return LB_VEC_AT(&progress->tasks, struct task, index);
}

static struct lb_bytes name_of(const struct task *task)
{
	return (struct lb_bytes){ (const unsigned char *)task->name, task->name_len };
}

static struct lb_bytes note_of(const struct task *task)
{
	return (struct lb_bytes){ (const unsigned char *)task->note, task->note_len };
}

/* Time gone by; "" before it started. */
static const char *time_of(char out[LB_TIME_SIZE], const struct lb_progress *progress,
                           const struct task *task)
{
	uint64_t end = task->end_ns;

	out[0] = '\0';
	if (task->start_ns == 0)
		return out;
	if (end == 0)
		end = progress->plat->ops->now_ns(progress->plat);
	return lb_duration_text(out, end - task->start_ns);
}

static void put_frame(struct lb_progress *progress, size_t drawn_before)
{
	/* Half a frame would leave the cursor where nobody knows. */
	if (lb_failed(lb_buf_check(&progress->frame))) {
		progress->drawn = drawn_before;
		return;
	}
	(void)fwrite(progress->frame.at, 1, progress->frame.len, progress->stream);
	(void)fflush(progress->stream);
}

static void say_plain(struct lb_progress *progress, const struct task *task)
{
	char time[LB_TIME_SIZE];
	struct lb_buf *out = &progress->frame;

	lb_buf_reset(out);
	(void)add_shown(out, name_of(task), SIZE_MAX, false);
	lb_buf_addf(out, ": %s", looks[task->state].word);
	if (task->state != LB_TASK_RUNNING && time_of(time, progress, task)[0] != '\0')
		lb_buf_addf(out, " after %s", time);
	if (task->note_len > 0) {
		lb_buf_add_text(out, ": ");
		(void)add_shown(out, note_of(task), SIZE_MAX, false);
	}
	lb_buf_add_byte(out, '\n');
	put_frame(progress, 0);
}

/* ---- a frame ---- */

static void add_blanks(struct lb_buf *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		lb_buf_add_byte(out, ' ');
}

/* The part of `columns` that is left, filled as far as it goes. */
static size_t add_cell(struct lb_buf *out, struct lb_bytes text, size_t wide, size_t columns)
{
	size_t most = wide < columns ? wide : columns;
	size_t used = add_shown(out, text, most, false);

	add_blanks(out, most - used);
	return columns - most;
}

static void add_task(struct lb_progress *progress, const struct task *task, size_t name_columns)
{
	enum { TIME_COLUMNS = 8 };
	const struct look *look = &looks[task->state];
	struct lb_buf *out = &progress->frame;
	size_t left = columns_of(progress) - 1; /* the last column may wrap */
	char time[LB_TIME_SIZE];

	if (progress->coloured)
		lb_buf_addf(out, "\x1b[%sm", look->colour);
	left = add_cell(out, lb_bytes_of(look->mark), 2, left);
	left = add_cell(out, name_of(task), name_columns + 2, left);
	left = add_cell(out, lb_bytes_of(look->word), WORD_COLUMNS + 2, left);
	left = add_cell(out, lb_bytes_of(time_of(time, progress, task)), TIME_COLUMNS, left);
	if (task->note_len > 0)
		(void)add_shown(out, note_of(task), left, false);
	while (out->len > 0 && out->at[out->len - 1] == ' ')
		out->len--;
	lb_buf_add_text(out, progress->coloured ? "\x1b[0m\x1b[K\n" : "\x1b[K\n");
}

/* Names get what the longest needs, and never more than half of the line. */
static size_t name_columns(struct lb_progress *progress)
{
	size_t most = columns_of(progress) / 2, longest = 0;

	for (size_t i = 0; i < progress->tasks.count; i++) {
		struct lb_bytes name = name_of(task_at(progress, i));
		size_t columns = 0;

		for (; name.len > 0 && columns < most; columns++)
			(void)lb_utf8_next(&name);
		longest = columns > longest ? columns : longest;
	}
	return longest;
}

/* Mark those that have room, in order of what a person wants to see. */
static void choose(struct lb_progress *progress, size_t room)
{
	static const enum lb_task_state order[] = { LB_TASK_RUNNING, LB_TASK_BAD, LB_TASK_WAITING,
		                                    LB_TASK_GOOD, LB_TASK_SKIPPED };

	for (size_t i = 0; i < progress->tasks.count; i++)
		task_at(progress, i)->shown = false;
	for (size_t k = 0; k < STATES; k++) {
		for (size_t i = 0; i < progress->tasks.count && room > 0; i++) {
			struct task *task = task_at(progress, i);

			if (task->state != order[k])
				continue;
			task->shown = true;
			room--;
		}
	}
}

/* "  of 300: 288 waiting, 12 done" */
static void add_counts(struct lb_progress *progress)
{
	size_t counts[STATES] = { 0 };
	struct lb_buf *out = &progress->frame;
	char text[160];
	int len = snprintf(text, sizeof text, "  of %zu:", progress->tasks.count);

	for (size_t i = 0; i < progress->tasks.count; i++)
		counts[task_at(progress, i)->state]++;
	for (size_t k = 0; k < STATES; k++) {
		if (counts[k] > 0)
			len += snprintf(text + len, sizeof text - (size_t)len, "%s %zu %s",
			                text[len - 1] == ':' ? "" : ",", counts[k], looks[k].word);
	}
	(void)add_shown(out, lb_bytes_of(text), columns_of(progress) - 1, false);
	lb_buf_add_text(out, "\x1b[K\n");
}

/* Put the tasks into the frame, behind what stands there. */
static void add_tasks(struct lb_progress *progress)
{
	size_t rows = rows_of(progress), most = rows > 2 ? rows - 1 : 1;
	bool all = progress->tasks.count <= most;
	size_t columns = name_columns(progress), lines = 0;

	choose(progress, all ? most : most - 1);
	for (size_t i = 0; i < progress->tasks.count; i++) {
		const struct task *task = task_at(progress, i);

		if (!task->shown)
			continue;
		add_task(progress, task, columns);
		lines++;
	}
	if (!all) {
		add_counts(progress);
		lines++;
	}
	if (lines < progress->drawn)
		lb_buf_add_text(&progress->frame, "\x1b[J");
	progress->drawn = lines;
}

/* Start a frame where the last one started. */
static void rewind_frame(struct lb_progress *progress)
{
	lb_buf_reset(&progress->frame);
	if (progress->drawn > 0)
		lb_buf_addf(&progress->frame, "\x1b[%zuA\r", progress->drawn);
}

static void draw(struct lb_progress *progress)
{
	size_t before = progress->drawn;

	if (!progress->live || (progress->tasks.count == 0 && before == 0))
		return;
	rewind_frame(progress);
	add_tasks(progress);
	put_frame(progress, before);
}

/* ---- the interface ---- */

lb_err lb_progress_new(struct lb_progress **out, struct lb_mem *mem, struct plat *plat,
                       FILE *stream)
{
	struct lb_progress *progress = LB_NEW(mem, struct lb_progress, 1);

	*out = progress;
	if (progress == NULL)
		return lb_err_of(LB_E_NOMEM);
	progress->mem = mem;
	progress->plat = plat;
	progress->stream = stream;
	progress->live = lb_stream_is_terminal(stream) && !is_dumb();
	progress->coloured = lb_stream_has_colour(stream);
	lb_vec_init(&progress->tasks, mem, sizeof(struct task), TASKS_MAX);
	lb_buf_init(&progress->frame, mem, FRAME_BYTES_MAX);
	return LB_OK;
}

static void drop_texts(struct lb_progress *progress, const struct task *task)
{
	lb_mem_drop(progress->mem, task->name, task->name_len + 1, 1);
	lb_mem_drop(progress->mem, task->note, task->note_len + 1, 1);
}

void lb_progress_free(struct lb_progress *progress)
{
	if (progress == NULL)
		return;
	draw(progress);
	for (size_t i = 0; i < progress->tasks.count; i++)
		drop_texts(progress, task_at(progress, i));
	lb_vec_release(&progress->tasks);
	lb_buf_release(&progress->frame);
	LB_DROP(progress->mem, progress, 1);
}

static struct task *find(const struct lb_progress *progress, struct lb_bytes name)
{
	for (size_t i = 0; i < progress->tasks.count; i++) {
		struct task *task = task_at(progress, i);

		if (lb_bytes_eq(name_of(task), name))
			return task;
	}
	return NULL;
}

static lb_err copy_text(char **out, struct lb_progress *progress, struct lb_bytes text)
{
	*out = lb_mem_text(progress->mem, (const char *)text.at, text.len);
	return *out != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

static lb_err add(struct task **out, struct lb_progress *progress, struct lb_bytes name)
{
	char *copy;

	LB_TRY(copy_text(&copy, progress, name));
	*out = lb_vec_add(&progress->tasks);
	if (*out == NULL) {
		lb_err err = lb_vec_check(&progress->tasks);

		progress->tasks.failure = LB_OK; /* the next may fit again */
		lb_mem_drop(progress->mem, copy, name.len + 1, 1);
		return err;
	}
	(*out)->name = copy;
	(*out)->name_len = name.len;
	return LB_OK;
}

static void enter(struct lb_progress *progress, struct task *task, enum lb_task_state state)
{
	uint64_t now = progress->plat->ops->now_ns(progress->plat);

	if (state == LB_TASK_RUNNING && task->start_ns == 0)
		task->start_ns = now;
	task->end_ns = state == LB_TASK_WAITING || state == LB_TASK_RUNNING ? 0 : now;
	task->state = state;
}

lb_err lb_progress_set(struct lb_progress *progress, struct lb_bytes name, enum lb_task_state state,
                       struct lb_bytes note)
{
	struct task *task;
	char *copy;

	name = lb_bytes_upto(name, TEXT_MAX);
	note = lb_bytes_upto(note, TEXT_MAX);
	LB_TRY(copy_text(&copy, progress, note));
	task = find(progress, name);
	if (task == NULL) {
		lb_err err = add(&task, progress, name);

		if (lb_failed(err)) {
			lb_mem_drop(progress->mem, copy, note.len + 1, 1);
			return err;
		}
	}
	lb_mem_drop(progress->mem, task->note, task->note_len + 1, 1);
	task->note = copy;
	task->note_len = note.len;
	if (task->state != state) {
		enter(progress, task, state);
		if (!progress->live && state != LB_TASK_WAITING)
			say_plain(progress, task);
	}
	draw(progress);
	return LB_OK;
}

void lb_progress_keep(struct lb_progress *progress,
                      bool (*keep)(const void *ctx, struct lb_bytes task), const void *ctx)
{
	struct lb_vec *tasks = &progress->tasks;
	size_t kept = 0;

	for (size_t i = 0; i < tasks->count; i++) {
		struct task *task = task_at(progress, i);

		if (keep(ctx, name_of(task)))
			*task_at(progress, kept++) = *task;
		else
			drop_texts(progress, task);
	}
	if (kept < tasks->count) {
		tasks->count = kept;
		draw(progress);
	}
}

void lb_progress_say(struct lb_progress *progress, struct lb_bytes line)
{
	struct lb_buf *out = &progress->frame;
	size_t before = progress->drawn;

	rewind_frame(progress);
	if (progress->live)
		lb_buf_add_text(out, "\x1b[J");
	(void)add_shown(out, line, SIZE_MAX, progress->coloured);
	lb_buf_add_text(out, progress->coloured ? "\x1b[0m\n" : "\n");
	if (progress->live) {
		progress->drawn = 0;
		add_tasks(progress);
	}
	put_frame(progress, before);
}

void lb_progress_tick(struct lb_progress *progress) { draw(progress); }
