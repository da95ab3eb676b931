/* journal.c - see journal.h. */
#include "release/signer/journal.h"

enum { PART_SIZE = 256 * 1024 };

struct reading {
	lb_err (*each)(void *ctx, struct lb_bytes line, uint64_t number);
	void *ctx;
	uint64_t lines;
};

/* Give out the whole lines that are in the buffer. */
static lb_err give_lines(struct release_journal *journal, struct reading *reading,
                         struct lb_buf *buf)
{
	struct lb_bytes rest = lb_buf_bytes(buf);
	size_t end, taken = 0;

	for (;;) {
		end = lb_bytes_find_byte(rest, '\n');
		if (end == SIZE_MAX)
			break;
		LB_TRY(reading->each(reading->ctx, lb_bytes_upto(rest, end), ++reading->lines));
		rest = lb_bytes_from(rest, end + 1);
		taken += end + 1;
	}
	journal->size += taken;
	lb_buf_consume(buf, taken);
	return LB_OK;
}

static lb_err read_lines(struct release_journal *journal, struct reading *reading,
                         struct lb_buf *buf)
{
	struct plat *plat = journal->plat;

	for (;;) {
		unsigned char *to = lb_buf_reserve(buf, PART_SIZE);
		size_t got;

		if (to == NULL)
			return lb_buf_check(buf);
		LB_TRY(plat->ops->read_at(&got, plat, journal->file, to, PART_SIZE,
		                          journal->size + buf->len));
		if (got == 0)
			return LB_OK;
		buf->len += got;
		LB_TRY(give_lines(journal, reading, buf));
	}
}

static lb_err read_all(struct release_journal *journal, struct reading *reading)
{
	struct plat *plat = journal->plat;
	struct lb_buf buf;
	lb_err err;

	lb_buf_init(&buf, journal->mem, RELEASE_LINE_MAX + PART_SIZE);
	err = read_lines(journal, reading, &buf);
	if (!lb_failed(err) && buf.len > 0)
		err = plat->ops->truncate(plat, journal->file, journal->size);
	lb_buf_release(&buf);
	return err;
}

lb_err release_journal_open(struct release_journal *out, struct lb_mem *mem, struct plat *plat,
                            const char *path,
                            lb_err (*each)(void *ctx, struct lb_bytes line, uint64_t number),
                            void *ctx, struct lb_diag *diag)
{
	struct reading reading = { each, ctx, 0 };
	lb_err err;

	*out = (struct release_journal){ .mem = mem, .plat = plat, .file = -1 };
	err = plat->ops->open(&out->file, plat, path,
	                      PLAT_READ | PLAT_WRITE | PLAT_CREATE | PLAT_PRIVATE | PLAT_NOFOLLOW);
	if (lb_failed(err)) {
		out->file = -1;
		lb_diag_set(diag, "%s: %s", path, lb_err_text(err));
		return err;
	}
	err = read_all(out, &reading);
	if (lb_failed(err)) {
		if (diag != NULL && diag->text[0] == '\0')
			lb_diag_set(diag, "%s", lb_err_text(err));
		lb_diag_prefix(diag, "%s, line %llu", path, (unsigned long long)reading.lines);
		release_journal_close(out);
	}
	return err;
}

void release_journal_close(struct release_journal *journal)
{
	if (journal->plat != NULL && journal->file >= 0)
		journal->plat->ops->close(journal->plat, journal->file);
	*journal = (struct release_journal){ .file = -1 };
}

lb_err release_journal_add(struct release_journal *journal, struct lb_bytes line)
{
	struct plat *plat = journal->plat;
	struct lb_buf buf;
	lb_err err;

	assert(lb_bytes_find_byte(line, '\n') == SIZE_MAX);
	lb_buf_init(&buf, journal->mem, RELEASE_LINE_MAX);
	lb_buf_add(&buf, line);
	lb_buf_add_byte(&buf, '\n');
	err = lb_buf_check(&buf);
	if (!lb_failed(err))
		err = plat->ops->write_at(plat, journal->file, buf.at, buf.len, journal->size);
	if (!lb_failed(err))
		err = plat->ops->sync(plat, journal->file);
	if (lb_failed(err))
		lb_ignore(plat->ops->truncate(plat, journal->file, journal->size));
	else
		journal->size += buf.len;
	lb_buf_release(&buf);
	return err;
}
