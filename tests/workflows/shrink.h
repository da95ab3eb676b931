/* shrink.h - makes a text that shows a fault as short as it can be made. */
#ifndef TESTS_WORKFLOWS_SHRINK_H
#define TESTS_WORKFLOWS_SHRINK_H

#include "base/arena.h"

enum shrink_by { SHRINK_LINES, SHRINK_WORDS /* of an expression */ };

/* Leaves out parts while the fault stays.  `still` says which of the texts shows it, SIZE_MAX for
 * none; it is asked with many at once, for asking may be dear.  In the arena. */
struct lb_bytes shrink(struct lb_arena *arena, struct lb_bytes text, enum shrink_by by,
                       size_t (*still)(void *self, const struct lb_bytes *texts, size_t count),
                       void *self);

#endif
