/* drawing.c - the jobs of a plan and what each needs, as a drawing (SVG).
 *
 * A job stands in the column behind the last of those it needs, rows ordered so that lines cross
 * little.  A need that is also reached through another is not drawn.  What a job calls is drawn
 * inside its box, once for a matrix.  Colours follow the reader's light or dark; no meaning is in
 * the colour alone.
 */
#include "workflows/show/show_priv.h"

enum {
	WIDTH = 240, /* of a box without anything in it */
	HEIGHT = 44, /* and its height */
	TITLE = 34,  /* what stands above the boxes in a box */
	PAD = 14,
	GAP_X = 52,
	GAP_Y = 14,
	HEAD = 64,
	MARGIN = 20,
	NAME_CHARACTERS = 25,
	LANE = 10,
	SWEEPS = 4
};

struct drawing {
	struct lb_arena *arena;
	struct lb_buf *out;
};

/* ---- columns ---- */

static struct box **list_of(struct lb_arena *arena, const struct group *group)
{
	struct box **list = LB_ARENA_NEW(arena, struct box *, group->count);
	uint32_t i = 0;

	for (struct box *box = group->first; box != NULL && list != NULL; box = box->next)
		list[i++] = box;
	return list;
}

/* In a group every job of its file has one box, in the order of the file. */
static struct box *need_of(struct box *const *list, const struct box *box, uint32_t i)
{
	return list[box->job->needs[i]->index];
}

/* A job may need one that stands behind it in the file: as often as the longest way is long. */
static void set_columns(struct box *const *list, uint32_t count)
{
	bool moved = true;

	while (moved) {
		moved = false;
		for (uint32_t i = 0; i < count; i++) {
			for (uint32_t k = 0; k < list[i]->job->need_count; k++) {
				uint32_t least = need_of(list, list[i], k)->column + 1;

				if (list[i]->column < least) {
					list[i]->column = least;
					moved = true;
				}
			}
		}
	}
}

/* ---- needs that others imply ---- */

/* One bit for each box of the group that is before this one. */
struct before {
	uint64_t *bits;
	uint32_t words;
};

static uint64_t *bits_of(const struct before *before, uint32_t i)
{
	return before->bits + (size_t)i * before->words;
}

static bool is_before(const struct before *before, uint32_t earlier, uint32_t later)
{
	return (bits_of(before, later)[earlier / 64] >> (earlier % 64) & 1) != 0;
}

static bool set_before(struct before *out, struct lb_arena *arena, struct box *const *list,
                       uint32_t count)
{
	uint32_t columns = 0;

	out->words = count / 64 + 1;
	out->bits = LB_ARENA_NEW(arena, uint64_t, (size_t)count * out->words);
	if (out->bits == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++)
		columns = list[i]->column >= columns ? list[i]->column + 1 : columns;
	for (uint32_t column = 1; column < columns; column++) {
		for (uint32_t i = 0; i < count; i++) {
			for (uint32_t k = 0;
			     list[i]->column == column && k < list[i]->job->need_count; k++) {
				uint32_t need = need_of(list, list[i], k)->index;

				for (uint32_t w = 0; w < out->words; w++)
					bits_of(out, i)[w] |= bits_of(out, need)[w];
				bits_of(out, i)[need / 64] |= UINT64_C(1) << (need % 64);
			}
		}
	}
	return true;
}

/* Does another need of the box come behind this one? */
static bool is_implied(const struct before *before, struct box *const *list, const struct box *box,
                       const struct box *need)
{
	for (uint32_t k = 0; k < box->job->need_count; k++) {
		if (is_before(before, need->index, need_of(list, box, k)->index))
			return true;
	}
	return false;
}

/* ---- rows ---- */

struct column {
	uint32_t x, width, height;
};

struct layout {
	struct box **list;  /* by index */
	struct box **order; /* by column, then row */
	struct column *columns;
	uint32_t count, lanes;
	struct before before;
	double *place; /* where a box would like to stand */
};

static void place_rows(struct layout *l)
{
	uint32_t row = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		row = i > 0 && l->order[i]->column == l->order[i - 1]->column ? row + 1 : 0;
		l->order[i]->row = row;
	}
}

/* Stable: few boxes a column, and nearly sorted. */
static void sort(struct layout *l)
{
	for (uint32_t i = 1; i < l->count; i++) {
		struct box *box = l->order[i];
		uint32_t at = i;

		for (; at > 0; at--) {
			const struct box *other = l->order[at - 1];

			if (other->column < box->column ||
			    (other->column == box->column &&
			     l->place[other->index] <= l->place[box->index]))
				break;
			l->order[at] = l->order[at - 1];
		}
		l->order[at] = box;
	}
	place_rows(l);
}

/* A box likes to stand in the middle of what it needs, or of what needs it. */
static void like(struct layout *l, bool forward)
{
	for (uint32_t i = 0; i < l->count; i++) {
		const struct box *box = l->list[i];
		uint32_t count = forward ? box->job->need_count : box->job->user_count;
		double sum = 0;

		for (uint32_t k = 0; k < count; k++) {
			uint32_t other =
				forward ? box->job->needs[k]->index : box->job->users[k]->index;

			sum += l->list[other]->row;
		}
		l->place[i] = count > 0 ? sum / count : box->row;
	}
}

static bool lay_out_rows(struct layout *l, struct lb_arena *arena)
{
	l->order = LB_ARENA_NEW(arena, struct box *, l->count);
	l->place = LB_ARENA_NEW(arena, double, l->count);
	if (l->order == NULL || l->place == NULL)
		return false;
	for (uint32_t i = 0; i < l->count; i++) {
		l->order[i] = l->list[i];
		l->place[i] = i;
	}
	sort(l);
	for (unsigned sweep = 0; sweep < SWEEPS; sweep++) {
		like(l, sweep % 2 == 0);
		sort(l);
	}
	return true;
}

/* ---- places ---- */

static lb_err measure(struct drawing *d, const struct group *group, struct layout *l,
                      uint32_t *width, uint32_t *height);

/* A call is as large as what is in it.  Depth is that of the calls. */
static lb_err measure_box(struct drawing *d, struct box *box)
{
	const struct group *inside = box->first->inside;
	struct layout l;

	box->width = WIDTH;
	box->height = HEIGHT;
	if (inside == NULL)
		return LB_OK;
	LB_TRY(measure(d, inside, &l, &box->width, &box->height));
	box->width += 2 * PAD;
	box->height += TITLE + PAD;
	return LB_OK;
}

/* A line over more than one column runs above all boxes; those to one job run together. */
static void set_lanes(struct layout *l)
{
	for (uint32_t i = 0; i < l->count; i++) {
		struct box *box = l->list[i];
		bool far = false;

		for (uint32_t k = 0; k < box->job->need_count && !far; k++) {
			const struct box *need = need_of(l->list, box, k);

			far = need->column + 1 < box->column &&
			      !is_implied(&l->before, l->list, box, need);
		}
		box->lane = far ? l->lanes++ : 0;
	}
}

static void measure_columns(struct layout *l, uint32_t *height)
{
	for (uint32_t i = 0; i < l->count; i++) {
		const struct box *box = l->order[i];
		struct column *column = &l->columns[box->column];

		column->width = box->width > column->width ? box->width : column->width;
		column->height += box->height + (box->row > 0 ? GAP_Y : 0);
		*height = column->height > *height ? column->height : *height;
	}
}

/* Boxes of a group from 0, 0; each column in the middle of the height. */
static void set_places(struct layout *l, uint32_t *width, uint32_t *height)
{
	uint32_t x = 0, y = 0, top = l->lanes > 0 ? l->lanes * LANE + GAP_Y : 0;

	*height = 0;
	measure_columns(l, height);
	for (uint32_t i = 0; i < l->count; i++) {
		struct box *box = l->order[i];
		struct column *column = &l->columns[box->column];

		if (box->row == 0) {
			x += i > 0 ? l->columns[box->column - 1].width + GAP_X : 0;
			y = top + (*height - column->height) / 2;
			column->x = x;
		}
		box->x = x;
		box->y = y;
		y += box->height + GAP_Y;
	}
	*width = l->count > 0 ? x + l->columns[l->order[l->count - 1]->column].width : 0;
	*height += top;
}

static lb_err measure(struct drawing *d, const struct group *group, struct layout *l,
                      uint32_t *width, uint32_t *height)
{
	*l = (struct layout){ .list = list_of(d->arena, group), .count = group->count };
	if (l->list == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < l->count; i++)
		LB_TRY(measure_box(d, l->list[i]));
	set_columns(l->list, l->count);
	l->columns = LB_ARENA_NEW(d->arena, struct column, l->count); /* as many at most */
	if (l->columns == NULL || !lay_out_rows(l, d->arena) ||
	    !set_before(&l->before, d->arena, l->list, l->count))
		return lb_err_of(LB_E_NOMEM);
	set_lanes(l);
	set_places(l, width, height);
	return LB_OK;
}

/* ---- drawing ---- */

/* XML takes no control characters, whatever stands in the file. */
static void add_text(struct drawing *d, struct lb_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];

		if (c == '<')
			lb_buf_add_text(d->out, "&lt;");
		else if (c == '&')
			lb_buf_add_text(d->out, "&amp;");
		else if (c == '>')
			lb_buf_add_text(d->out, "&gt;");
		else
			lb_buf_add_byte(d->out, c < ' ' || c == 127 ? ' ' : c);
	}
}

/* As many whole characters as fit. */
static void add_short(struct drawing *d, struct lb_bytes text, size_t characters)
{
	size_t end = 0, count = 0;

	while (end < text.len && count < characters) {
		end++;
		while (end < text.len && (text.at[end] & 0xc0) == 0x80)
			end++;
		count++;
	}
	add_text(d, lb_bytes_upto(text, end));
	if (end < text.len)
		lb_buf_add_text(d->out, "…");
}

static void curve_to(struct drawing *d, uint32_t x1, uint32_t y1, uint32_t x2, uint32_t y2)
{
	uint32_t bend = (x2 - x1) / 2;

	lb_buf_addf(d->out, "C%u %u %u %u %u %u", x1 + bend, y1, x2 - bend, y2, x2, y2);
}

static void draw_edge(struct drawing *d, const struct layout *l, const struct box *from,
                      const struct box *to, uint32_t x, uint32_t y)
{
	uint32_t x1 = x + from->x + from->width, y1 = y + from->y + HEIGHT / 2;
	uint32_t x2 = x + to->x, y2 = y + to->y + HEIGHT / 2, lane = y + to->lane * LANE + LANE / 2;
	uint32_t up = x + l->columns[from->column + 1].x;
	uint32_t down = x + l->columns[to->column - 1].x + l->columns[to->column - 1].width;

	lb_buf_addf(d->out, "<path class=\"need\" d=\"M%u %u", x1, y1);
	x1 = x + l->columns[from->column].x + l->columns[from->column].width;
	lb_buf_addf(d->out, "H%u", x1);
	if (from->column + 1 < to->column) {
		curve_to(d, x1, y1, up, lane);
		lb_buf_addf(d->out, "H%u", down);
		curve_to(d, down, lane, x2, y2);
	} else {
		curve_to(d, x1, y1, x2, y2);
	}
	lb_buf_add_text(d->out, "\"/>\n");
}

static void draw_edges(struct drawing *d, const struct layout *l, uint32_t x, uint32_t y)
{
	for (uint32_t i = 0; i < l->count; i++) {
		const struct box *box = l->list[i];

		for (uint32_t k = 0; k < box->job->need_count; k++) {
			const struct box *need = need_of(l->list, box, k);

			if (!is_implied(&l->before, l->list, box, need))
				draw_edge(d, l, need, box, x, y);
		}
	}
}

/* "91 jobs", "skipped", "waits": what stands in the second line. */
static void add_second_line(struct drawing *d, const struct box *box)
{
	const struct workflow_instance *first = box->first->instance;

	if (box->outcome != OUTCOME_RUNS)
		lb_buf_addf(d->out, "%s%s", workflow_shown_outcome_text(box->outcome),
		            box->count > 1 || first->label_count > 0 ? " · " : "");
	if (box->count > 1)
		lb_buf_addf(d->out, "%u %s", box->count, first->calls ? "calls" : "jobs");
	else if (first->label_count > 0)
		add_short(d, first->labels[0], NAME_CHARACTERS);
	else if (first->calls && box->outcome == OUTCOME_RUNS)
		lb_buf_add_text(d->out, "called workflow");
}

/* What a pointer that rests on it, or a screen reader, is told. */
static void add_tip(struct drawing *d, const struct box *box)
{
	const struct workflow_instance *first = box->first->instance;

	lb_buf_add_text(d->out, "<title>");
	add_text(d, workflow_shown_name(box));
	if (box->count > 1)
		lb_buf_addf(d->out, ", %u jobs", box->count);
	lb_buf_addf(d->out, ": %s", workflow_shown_outcome_text(box->outcome));
	if (box->outcome != OUTCOME_RUNS && first->why.len > 0) {
		lb_buf_add_text(d->out, " (");
		add_text(d, first->why);
		lb_buf_add_text(d->out, ")");
	}
	lb_buf_add_text(d->out, "</title>");
}

/* Filled: runs; a ring: waits; a line: skipped; a cross: fails. */
static void draw_mark(struct drawing *d, enum outcome outcome, uint32_t x, uint32_t y)
{
	switch (outcome) {
	case OUTCOME_RUNS:
		lb_buf_addf(d->out, "<circle class=\"mark\" cx=\"%u\" cy=\"%u\" r=\"5\"/>", x, y);
		break;
	case OUTCOME_WAITS:
		lb_buf_addf(d->out, "<circle class=\"ring\" cx=\"%u\" cy=\"%u\" r=\"5\"/>", x, y);
		break;
	case OUTCOME_SKIPPED:
		lb_buf_addf(d->out, "<path class=\"ring\" d=\"M%u %uh10\"/>", x - 5, y);
		break;
	case OUTCOME_FAILS:
		lb_buf_addf(d->out, "<path class=\"ring\" d=\"M%u %ul10 10m0 -10l-10 10\"/>", x - 5,
		            y - 5);
		break;
	case OUTCOMES: break;
	}
}

static void draw_sheets(struct drawing *d, const struct box *box, uint32_t x, uint32_t y)
{
	for (uint32_t shift = 6; box->count > 1 && shift > 0; shift -= 3)
		lb_buf_addf(d->out,
		            "<rect class=\"sheet\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" "
		            "rx=\"8\"/>",
		            x + shift, y + shift, box->width, box->height);
}

static lb_err draw_group(struct drawing *d, const struct group *group, uint32_t x, uint32_t y);

static lb_err draw_box(struct drawing *d, const struct box *box, uint32_t x, uint32_t y)
{
	const struct group *inside = box->first->inside;
	size_t characters = NAME_CHARACTERS;

	x += box->x;
	y += box->y;
	lb_buf_addf(d->out, "<g class=\"%s\">", workflow_shown_outcome_text(box->outcome));
	add_tip(d, box);
	draw_sheets(d, box, x, y);
	lb_buf_addf(d->out,
	            "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"8\"/>",
	            inside != NULL ? "call" : "job", x, y, box->width, box->height);
	draw_mark(d, box->outcome, x + 17, y + (inside != NULL ? 17 : HEIGHT / 2));
	if (inside != NULL)
		characters += (box->width - WIDTH) / 8;
	lb_buf_addf(d->out, "<text x=\"%u\" y=\"%u\">", x + 32, y + (inside != NULL ? 22 : 19));
	add_short(d, workflow_shown_name(box), characters);
	if (inside != NULL) {
		lb_buf_add_text(d->out, "<tspan class=\"second\" dx=\"8\">");
		add_second_line(d, box);
		lb_buf_add_text(d->out, "</tspan></text></g>\n");
		return draw_group(d, inside, x + PAD, y + TITLE);
	}
	lb_buf_addf(d->out, "</text><text class=\"second\" x=\"%u\" y=\"%u\">", x + 32, y + 35);
	add_second_line(d, box);
	lb_buf_add_text(d->out, "</text></g>\n");
	return LB_OK;
}

/* Lines first, so that boxes lie over them.  Depth is that of the calls. */
static lb_err draw_group(struct drawing *d, const struct group *group, uint32_t x, uint32_t y)
{
	uint32_t width, height;
	struct layout l;

	LB_TRY(measure(d, group, &l, &width, &height));
	draw_edges(d, &l, x, y);
	for (const struct box *box = group->first; box != NULL; box = box->next)
		LB_TRY(draw_box(d, box, x, y));
	return LB_OK;
}

/* ---- the whole ---- */

static const char style[] =
	"<style>\n"
	"svg{--back:#fff;--box:#f6f8fa;--edge:#d0d7de;--text:#1f2328;--soft:#59636e;--line:#818b98;"
	"--runs:#1a7f37;--waits:#9a6700;--fails:#cf222e;--skipped:#6e7781}\n"
	"@media(prefers-color-scheme:dark){svg{--back:#0d1117;--box:#161b22;--edge:#3d444d;"
	"--text:#f0f6fc;--soft:#9198a1;--line:#656c76;--runs:#3fb950;--waits:#d29922;"
	"--fails:#f85149;--skipped:#8b949e}}\n"
	".back{fill:var(--back)}\n"
	"text{fill:var(--text);font:13px system-ui,sans-serif}\n"
	".head{font-size:17px;font-weight:600}\n"
	".second{fill:var(--soft);font-size:11px}\n"
	".need{fill:none;stroke:var(--line);stroke-width:1.5}\n"
	".job,.sheet{fill:var(--box);stroke:var(--edge)}\n"
	".call{fill:none;stroke:var(--line);stroke-dasharray:2 3}\n"
	".mark{fill:var(--runs)}\n"
	".ring{fill:none;stroke-width:2}\n"
	".waits .job{stroke:var(--waits);stroke-dasharray:5 4}\n"
	".waits .ring{stroke:var(--waits)}\n"
	".fails .job{stroke:var(--fails)}\n"
	".fails .ring{stroke:var(--fails)}\n"
	".skipped .ring{stroke:var(--skipped)}\n"
	".skipped .job{stroke-dasharray:1 3}\n"
	".skipped text{fill:var(--soft)}\n"
	"</style>\n";

static void add_name(struct drawing *d, const struct workflow_shown *shown)
{
	const struct workflow *workflow = shown->workflow;

	add_text(d, workflow->name.len > 0 ? workflow->name : workflow->file_name);
	lb_buf_add_text(d->out, " on ");
	add_text(d, shown->event);
}

static void add_summary(struct drawing *d, const struct workflow_shown *shown, const uint32_t *jobs)
{
	if (shown->why_not != NULL) {
		lb_buf_add_text(d->out, "does not run: ");
		add_text(d, lb_bytes_of(shown->why_not->diag.text));
		return;
	}
	lb_buf_addf(d->out, "%u %s", jobs[OUTCOME_RUNS],
	            jobs[OUTCOME_RUNS] == 1 ? "job runs" : "jobs run");
	for (size_t i = OUTCOME_SKIPPED; i < OUTCOMES; i++) {
		if (jobs[i] > 0)
			lb_buf_addf(d->out, ", %u %s", jobs[i],
			            i == OUTCOME_SKIPPED ? "skipped"
			            : i == OUTCOME_WAITS ? "waiting"
			                                 : "failing");
	}
}

static void draw_head(struct drawing *d, const struct workflow_shown *shown, const uint32_t *jobs,
                      uint32_t width, uint32_t height)
{
	lb_buf_addf(d->out,
	            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
	            "aria-labelledby=\"title desc\" viewBox=\"0 0 %u %u\" width=\"%u\" "
	            "height=\"%u\">\n<title id=\"title\">",
	            width, height, width, height);
	add_name(d, shown);
	lb_buf_add_text(d->out, "</title>\n<desc id=\"desc\">");
	add_summary(d, shown, jobs);
	lb_buf_addf(d->out, "</desc>\n%s", style);
	lb_buf_addf(d->out, "<rect class=\"back\" width=\"%u\" height=\"%u\"/>\n", width, height);
	lb_buf_addf(d->out, "<text class=\"head\" x=\"%d\" y=\"%d\">", MARGIN, MARGIN + 14);
	add_name(d, shown);
	lb_buf_addf(d->out, "</text>\n<text class=\"second\" x=\"%d\" y=\"%d\">", MARGIN,
	            MARGIN + 32);
	add_summary(d, shown, jobs);
	lb_buf_add_text(d->out, "</text>\n");
}

static lb_err draw(struct drawing *d, const struct workflow_shown *shown, struct lb_diag *diag)
{
	struct boxes boxes = { 0 };
	uint32_t width = 0, height = 0;
	struct layout l;

	if (shown->plan != NULL) {
		LB_TRY(workflow_shown_boxes(&boxes, d->arena, shown->plan));
		if (boxes.box_count > WORKFLOW_DRAWING_BOXES_MAX)
			return lb_fail(diag, LB_E_LIMIT,
			               "%u jobs are too many to draw: more than %d",
			               boxes.box_count, WORKFLOW_DRAWING_BOXES_MAX);
		LB_TRY(measure(d, boxes.root, &l, &width, &height));
	}
	width = width < 2 * WIDTH ? 2 * WIDTH : width;
	draw_head(d, shown, boxes.jobs, width + 2 * MARGIN + 6, height + HEAD + MARGIN + 6);
	if (shown->plan != NULL)
		LB_TRY(draw_group(d, boxes.root, MARGIN, HEAD));
	lb_buf_add_text(d->out, "</svg>\n");
	return lb_buf_check(d->out);
}

lb_err workflow_show_drawing(struct lb_buf *out, struct lb_mem *mem,
                             const struct workflow_shown *shown, struct lb_diag *diag)
{
	struct lb_arena arena;
	struct drawing d = { .arena = &arena, .out = out };
	lb_err err;

	lb_arena_init(&arena, mem);
	err = draw(&d, shown, diag);
	lb_arena_release(&arena);
	return err;
}
