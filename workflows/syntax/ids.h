/* ids.h - ids of jobs and steps within one scope: checked, and made where there are none.
 *
 * For workflows/ alone.
 */
#ifndef WORKFLOWS_SYNTAX_IDS_H
#define WORKFLOWS_SYNTAX_IDS_H

#include "base/value.h"

enum { WORKFLOW_ID_BYTES_MAX = 100 };

struct ids {
	struct lb_arena *arena;
	struct lb_value *taken;    /* object with the ids as keys */
	struct lb_value *attempts; /* object: an id in lower case to the number to try next */
};

void workflow_ids_init(struct ids *ids, struct lb_arena *arena);

/* Take an id that the file gives.  Empty, or what is wrong with it, in the arena. */
struct lb_bytes workflow_ids_take(struct ids *ids, struct lb_bytes id);

/* An id like `wanted` ("__run", "__actions_checkout") that nothing else has, in the arena. */
struct lb_bytes workflow_ids_make(struct ids *ids, struct lb_bytes wanted);

#endif
