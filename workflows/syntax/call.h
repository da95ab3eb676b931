/* call.h - does a job that calls a workflow fit the workflow it calls.  For workflows/ alone. */
#ifndef WORKFLOWS_SYNTAX_CALL_H
#define WORKFLOWS_SYNTAX_CALL_H

#include "workflows/syntax/schema.h"

/* Note what does not fit: no workflow_call trigger, inputs and secrets that are required or unknown
 * or of the wrong type, permissions beyond `most` (what the caller's own chain lets through).
 * `ref` is the called workflow for messages.  Places are the caller's. */
void workflow_call_check(const struct workflow_job *caller, const struct workflow *called,
                         struct lb_bytes ref, const struct workflow_permissions *most,
                         struct problems *problems);

#endif
