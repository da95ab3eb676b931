/* page_priv.h - the frame of a page and its small pieces. */
#ifndef COORDINATOR_PAGES_PAGE_PRIV_H
#define COORDINATOR_PAGES_PAGE_PRIV_H

#include "coordinator/pages/page.h"

/* `live` is what app.js listens to ("/api/v1/runs/7/events"), NULL: nothing. */
void coord_html_begin(struct lb_buf *out, const char *title, const char *live);
void coord_html_end(struct lb_buf *out);

void coord_html_text(struct lb_buf *out, struct lb_bytes text); /* escaped */

/* "success", "failure", "cancelled", "skipped", "in_progress" or "queued": one word for class and
 * label. */
struct lb_bytes coord_html_state(const struct lb_value *thing);

/* A mark with the state's colour, sign and name. */
void coord_html_badge(struct lb_buf *out, struct lb_bytes state);

/* How long it took, or takes until now. Nothing when it has not begun. */
void coord_html_duration(struct lb_buf *out, const struct lb_value *thing, uint64_t now_ns);

/* "3m 05s ago" with the time itself as title. */
void coord_html_ago(struct lb_buf *out, struct lb_bytes time, uint64_t now_ns);

/* "12.3 MB". */
void coord_html_size(struct lb_buf *out, double bytes);

/* The jobs of a run and what each needs, as a drawing; nothing when there are too many for one. */
void coord_html_graph(struct lb_buf *out, const struct lb_value *run);

const struct lb_value *coord_items(const struct lb_value *object,
                                   const char *key); /* an array, or an empty one */

#endif
