/* payload.h - what an event's payload, as GitHub sends it, says to a workflow.
 *
 * Owner: texts are borrowed from the payload or live in the arena.  Threads: pure functions.
 */
#ifndef WORKFLOWS_EVENT_PAYLOAD_H
#define WORKFLOWS_EVENT_PAYLOAD_H

#include "workflows/event/match.h"

/* What filters ask: the activity type, the branch or tag, the workflow that ended.  `ref` is
 * github.ref (see workflow_payload_ref).  Changed files are not in it: they are unknown. */
struct workflow_event workflow_payload_event(struct lb_bytes name, const struct lb_value *payload,
                                             struct lb_bytes ref);

/* github.ref and github.sha of the event: of a pull request refs/pull/7/merge, of a release its
 * tag, of most others the default branch.  Empty where the payload does not say. */
struct lb_bytes workflow_payload_ref(struct lb_arena *arena, struct lb_bytes name,
                                     const struct lb_value *payload);
struct lb_bytes workflow_payload_sha(struct lb_bytes name, const struct lb_value *payload);

/* The parts of the github context that follow from name, payload and ref: event, event_name,
 * ref, ref_name, ref_type, head_ref, base_ref, sha, actor, repository, repository_owner.  Memory:
 * see arena->failed. */
struct lb_value *workflow_payload_github(struct lb_arena *arena, struct lb_bytes name,
                                         const struct lb_value *payload, struct lb_bytes ref);

#endif
