/* policy.h - who may publish what: issuers of identity tokens, and publishers.
 *
 * A policy is a YAML file (docs/release.md describes it).  A publisher is a list of
 * demands on the claims of a verified token and on what is to be published; a request
 * is accepted when one publisher's demands all hold.  What runs code of strangers with
 * the rights of the repository (pull_request_target, workflow_run) is never accepted.
 * Threads: immutable once read.
 */
#ifndef RELEASE_POLICY_H
#define RELEASE_POLICY_H

#include "release/manifest.h"

struct release_list {
	struct lb_bytes *at;
	uint32_t count;
};

struct release_issuer {
	struct lb_bytes name, url;    /* url: the exact `iss`, without a slash at its end */
	struct lb_bytes jwks;         /* a file beside the policy; empty: fetched from url */
	struct lb_bytes repositories; /* repository R is at this + R + ".git" */
	uint32_t line;
};

struct release_publisher { /* empty: not demanded */
	const struct release_issuer *issuer;
	struct lb_bytes issuer_name;
	struct lb_bytes repository, repository_id, repository_owner_id;
	struct lb_bytes workflow;     /* the caller's path; in the repository itself */
	struct lb_bytes job_workflow; /* the called one's: PATH or OWNER/NAME/PATH, maybe @REF */
	struct lb_bytes ref, environment, project;
	struct release_list events, channels, files;
	uint32_t line;
};

struct release_policy {
	struct lb_bytes audience;
	struct release_issuer *issuers;
	struct release_publisher *publishers;
	uint32_t issuer_count, publisher_count;
};

/* All in `arena`.  MALFORMED or INVALID with "line L, column C: ..." ; NOMEM. */
lb_err release_policy_read(const struct release_policy **out, struct lb_arena *arena,
                           struct lb_bytes text, struct lb_diag *diag);

/* The issuer whose url is exactly this; NULL where there is none. */
const struct release_issuer *release_policy_issuer(const struct release_policy *policy,
                                                   struct lb_bytes url);

/* The publisher whose demands hold.  DENIED otherwise: the diagnostic has the claim at which
 * the publisher that came closest failed, what it is and what the policy wants. */
lb_err release_policy_decide(const struct release_publisher **out,
                             const struct release_policy *policy,
                             const struct release_issuer *issuer, const struct lb_value *claims,
                             const struct release_manifest *manifest, struct lb_diag *diag);

#endif
