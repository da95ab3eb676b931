/* reference.h - the schema for people: what may stand where, as a page of Markdown.
 *
 * Threads: any.
 */
#ifndef WORKFLOWS_SYNTAX_REFERENCE_H
#define WORKFLOWS_SYNTAX_REFERENCE_H

#include "base/buf.h"

/* Workflow files, actions' manifests, events, permissions, functions.  NOMEM, LIMIT as in `out`. */
lb_err workflow_reference(struct lb_buf *out, struct lb_mem *mem);

/* For the value of an option that takes an event: "NAME", and the words to complete. */
extern const char workflow_event_option[];

#endif
