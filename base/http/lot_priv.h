/* lot_priv.h - where exchanges are parked until a topic is woken or their time is over.
 *
 * Internal to base/http; knows nothing of HTTP.  A spot is part of the thing
 * that parks.  Each topic has a counter that every wake raises; who wants to
 * park takes a ticket (the counter) before it looks whether there is anything
 * to do, and is turned away when the counter has moved since: so a wake that
 * comes between the look and the parking is never lost.  Topics share a fixed
 * table of counters; two that meet there cost a needless look, nothing else.
 *
 * One thread wakes those whose time is over; it sleeps until the next deadline.
 * Memory is taken once, at the start, for `spots_max` spots.  Threads: any.
 */
#ifndef LB_HTTP_LOT_PRIV_H
#define LB_HTTP_LOT_PRIV_H

#include "base/mem.h"
#include "base/platform/plat.h"

struct lb_http_lot;

struct lb_http_spot {
	uint64_t topic, deadline_ns;
	size_t heap_index;
	struct lb_http_spot *next, **at; /* in the list of those whose topics share a counter */
	bool timed_out;                  /* woken because the time was over */
};

enum lb_http_parked { LB_HTTP_PARKED, LB_HTTP_WOKEN_BEFORE, LB_HTTP_LOT_CLOSED };

/* Both are called with the lot locked: `suspend` by the thread that parks, `resume` by the one that
 * wakes. */
struct lb_http_lot_ops {
	void (*suspend)(struct lb_http_spot *spot);
	void (*resume)(struct lb_http_spot *spot);
};

lb_err lb_http_lot_new(struct lb_http_lot **out, struct lb_mem *mem, struct plat *plat,
                       size_t spots_max, const struct lb_http_lot_ops *ops);
void lb_http_lot_free(struct lb_http_lot *lot); /* pre: nothing is parked */

uint64_t lb_http_lot_ticket(struct lb_http_lot *lot, uint64_t topic);

/* timeout_ms UINT64_MAX: none. */
enum lb_http_parked lb_http_lot_park(struct lb_http_lot *lot, struct lb_http_spot *spot,
                                     uint64_t topic, uint64_t ticket, uint64_t timeout_ms);
void lb_http_lot_wake(struct lb_http_lot *lot, uint64_t topic);

/* Wake all; nothing can be parked from now on. */
void lb_http_lot_close(struct lb_http_lot *lot);
bool lb_http_lot_is_closed(struct lb_http_lot *lot);
size_t lb_http_lot_count(struct lb_http_lot *lot);

#endif
