/* progress.h - what a person sees while something takes longer than a second.
 *
 * On a terminal: one line a task with state and time gone by, redrawn in place,
 * coloured unless NO_COLOR is set; where there are more tasks than the screen
 * has rows, the running and failed ones and a line that counts the others.
 * Elsewhere, and where TERM is dumb: one plain line when a task starts or ends.
 * Names, notes and lines may be anybody's: control characters in them are never
 * passed on, but colours in a line are.  Threads: one at a time.
 */
#ifndef LB_IO_PROGRESS_H
#define LB_IO_PROGRESS_H

#include "base/bytes.h"
#include "base/mem.h"
#include "base/platform/plat.h"

#include <stdio.h>

enum lb_task_state { LB_TASK_WAITING, LB_TASK_RUNNING, LB_TASK_GOOD, LB_TASK_BAD, LB_TASK_SKIPPED };

struct lb_progress;

lb_err lb_progress_new(struct lb_progress **out, struct lb_mem *mem, struct plat *plat,
                       FILE *stream);
void lb_progress_free(struct lb_progress *progress); /* leaves the last state on the screen */

/* Tasks are known by name; `note` is shown behind the state ("step 3: make").  Time runs from the
 * first RUNNING to the last of the states that end it.  NOMEM leaves the task as it was; what
 * cannot be drawn for want of memory is drawn another time. */
lb_err lb_progress_set(struct lb_progress *progress, struct lb_bytes task, enum lb_task_state state,
                       struct lb_bytes note);

/* Take away the tasks that `keep` does not want. */
void lb_progress_keep(struct lb_progress *progress,
                      bool (*keep)(const void *ctx, struct lb_bytes task), const void *ctx);

/* A line above the tasks (plain: just a line), without its newline. */
void lb_progress_say(struct lb_progress *progress, struct lb_bytes line);

/* Redraw the times; call a few times a second.  Nothing to do on a plain stream. */
void lb_progress_tick(struct lb_progress *progress);

bool lb_stream_is_terminal(FILE *stream);
bool lb_stream_has_colour(FILE *stream);

#endif
