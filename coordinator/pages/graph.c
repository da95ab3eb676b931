/* graph.c - the jobs of a run and what each needs, as a drawing (SVG).
 *
 * A job stands in the column behind the last of those it needs.  Lines go from the right edge of
 * what is needed to the left edge of what needs it.
 */
#include "coordinator/pages/page_priv.h"

#include <inttypes.h>

enum { JOBS_MAX = 120, WIDTH = 220, HEIGHT = 44, GAP_X = 56, GAP_Y = 14, NAME_MAX_BYTES = 26 };

struct place {
	uint32_t column, row;
};

struct graph {
	const struct lb_value *jobs;
	struct place places[JOBS_MAX];
	uint32_t columns, rows;
};

static uint32_t index_of(const struct lb_value *jobs, struct lb_bytes key)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (lb_bytes_eq(lb_value_get_string(jobs->items[i], "key"), key))
			return i;
	}
	return UINT32_MAX;
}

/* One column further than anything it needs; false when nothing moved. */
static bool settle(struct graph *g)
{
	bool moved = false;

	for (uint32_t i = 0; i < g->jobs->count; i++) {
		const struct lb_value *needs = coord_items(g->jobs->items[i], "needs");

		for (uint32_t k = 0; k < needs->count; k++) {
			uint32_t before = needs->items[k]->kind == LB_STRING
			                          ? index_of(g->jobs, needs->items[k]->string)
			                          : UINT32_MAX;

			if (before != UINT32_MAX && before != i &&
			    g->places[i].column <= g->places[before].column) {
				g->places[i].column = g->places[before].column + 1;
				moved = true;
			}
		}
	}
	return moved;
}

static void arrange(struct graph *g)
{
	uint32_t rows[JOBS_MAX + 1] = { 0 };

	for (uint32_t round = 0; round < g->jobs->count && settle(g); round++)
		continue;
	for (uint32_t i = 0; i < g->jobs->count; i++) {
		struct place *place = &g->places[i];

		place->row = rows[place->column]++;
		if (place->column >= g->columns)
			g->columns = place->column + 1;
		if (place->row >= g->rows)
			g->rows = place->row + 1;
	}
}

static uint32_t left(const struct place *place) { return place->column * (WIDTH + GAP_X) + 1; }
static uint32_t top(const struct place *place) { return place->row * (HEIGHT + GAP_Y) + 1; }

static void add_lines(struct lb_buf *out, const struct graph *g)
{
	for (uint32_t i = 0; i < g->jobs->count; i++) {
		const struct lb_value *needs = coord_items(g->jobs->items[i], "needs");

		for (uint32_t k = 0; k < needs->count; k++) {
			uint32_t before = needs->items[k]->kind == LB_STRING
			                          ? index_of(g->jobs, needs->items[k]->string)
			                          : UINT32_MAX;
			uint32_t x1, y1, x2, y2;

			if (before == UINT32_MAX)
				continue;
			x1 = left(&g->places[before]) + WIDTH;
			y1 = top(&g->places[before]) + HEIGHT / 2;
			x2 = left(&g->places[i]);
			y2 = top(&g->places[i]) + HEIGHT / 2;
			lb_buf_addf(out,
			            "<path class=\"edge\" d=\"M%" PRIu32 " %" PRIu32 "C%" PRIu32
			            " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32
			            "\"/>\n",
			            x1, y1, x1 + GAP_X / 2, y1, x2 - GAP_X / 2, y2, x2, y2);
		}
	}
}

/* As many whole characters as fit a box. */
static struct lb_bytes shortened(struct lb_bytes name, bool *cut)
{
	size_t len = name.len;

	*cut = len > NAME_MAX_BYTES;
	if (!*cut)
		return name;
	len = NAME_MAX_BYTES - 1;
	while (len > 0 && (name.at[len] & 0xc0) == 0x80)
		len--;
	return lb_bytes_upto(name, len);
}

static void add_box(struct lb_buf *out, const struct lb_value *job, const struct place *place)
{
	struct lb_bytes state = coord_html_state(job), name = lb_value_get_string(job, "name");
	bool cut;
	struct lb_bytes fitting = shortened(name, &cut);

	lb_buf_add_text(out, "<a href=\"");
	coord_html_text(out, lb_value_get_string(job, "url"));
	lb_buf_add_text(out, "\" class=\"node ");
	coord_html_text(out, state);
	lb_buf_add_text(out, "\"><title>");
	coord_html_text(out, name);
	lb_buf_add_text(out, ": ");
	coord_html_text(out, state);
	lb_buf_addf(out,
	            "</title><rect x=\"%" PRIu32 "\" y=\"%" PRIu32
	            "\" width=\"%d\" height=\"%d\" rx=\"8\"/>"
	            "<circle cx=\"%" PRIu32 "\" cy=\"%" PRIu32 "\" r=\"6\"/><text x=\"%" PRIu32
	            "\" y=\"%" PRIu32 "\">",
	            left(place), top(place), WIDTH, HEIGHT, left(place) + 18,
	            top(place) + HEIGHT / 2, left(place) + 34, top(place) + HEIGHT / 2 + 5);
	coord_html_text(out, fitting);
	lb_buf_add_text(out, cut ? "…</text></a>\n" : "</text></a>\n");
}

void coord_html_graph(struct lb_buf *out, const struct lb_value *run)
{
	struct graph g = { .jobs = coord_items(run, "jobs") };
	uint32_t width, height;

	if (g.jobs->count == 0 || g.jobs->count > JOBS_MAX)
		return;
	arrange(&g);
	width = g.columns * (WIDTH + GAP_X) - GAP_X + 2;
	height = g.rows * (HEIGHT + GAP_Y) - GAP_Y + 2;
	lb_buf_addf(out,
	            "<div class=\"scroll graph\"><svg role=\"group\" aria-label=\"Jobs and what "
	            "they need\" "
	            "viewBox=\"0 0 %" PRIu32 " %" PRIu32 "\" width=\"%" PRIu32
	            "\" height=\"%" PRIu32 "\">\n",
	            width, height, width, height);
	add_lines(out, &g);
	for (uint32_t i = 0; i < g.jobs->count; i++)
		add_box(out, g.jobs->items[i], &g.places[i]);
	lb_buf_add_text(out, "</svg></div>\n");
}
