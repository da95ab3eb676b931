/* policy.c - the decision; see policy.h.
 *
 * The demands of a publisher are checked in one order, from who asks to what is
 * published.  The publisher that gets furthest is the closest: its failing demand is
 * what the answer speaks of.
 */
#include "release/policy.h"

#include "release/glob.h"

#include <stdio.h>

struct question {
	const struct release_publisher *publisher;
	const struct release_issuer *issuer;
	const struct lb_value *claims;
	const struct release_manifest *manifest;
};

/* What did not hold, for people. */
struct why {
	const char *claim;
	char was[300], wanted[300];
};

enum { ID_TEXT = 32 };

const struct release_issuer *release_policy_issuer(const struct release_policy *policy,
                                                   struct lb_bytes url)
{
	for (uint32_t i = 0; i < policy->issuer_count; i++) {
		if (lb_bytes_eq(policy->issuers[i].url, url))
			return &policy->issuers[i];
	}
	return NULL;
}

static void say(struct why *why, struct lb_bytes was, struct lb_bytes wanted)
{
	if (was.len == 0)
		(void)snprintf(why->was, sizeof why->was, "nothing");
	else
		(void)snprintf(why->was, sizeof why->was, "\"%.*s\"",
		               LB_FMT(lb_bytes_upto(was, 250)));
	(void)snprintf(why->wanted, sizeof why->wanted, "\"%.*s\"",
	               LB_FMT(lb_bytes_upto(wanted, 250)));
}

static void say_list(struct why *why, struct lb_bytes was, const struct release_list *list)
{
	size_t len = 0;

	say(why, was, list->at[0]);
	for (uint32_t i = 0; i < list->count && len < sizeof why->wanted; i++)
		len += (size_t)snprintf(why->wanted + len, sizeof why->wanted - len, "%s\"%.*s\"",
		                        i == 0 ? "" : " or ", LB_FMT(list->at[i]));
}

/* ---- demands: true where it holds ---- */

static bool same(struct why *why, struct lb_bytes was, struct lb_bytes wanted)
{
	if (lb_bytes_eq(was, wanted))
		return true;
	say(why, was, wanted);
	return false;
}

static bool listed(struct why *why, struct lb_bytes was, const struct release_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (release_glob_matches(list->at[i], was))
			return true;
	}
	say_list(why, was, list);
	return false;
}

/* Numbers come as strings from some issuers and as numbers from others. */
static bool same_id(struct why *why, const struct question *q, const char *claim,
                    struct lb_bytes wanted)
{
	const struct lb_value *value = lb_value_get(q->claims, claim);
	struct lb_bytes was = lb_value_get_string(q->claims, claim);
	char text[ID_TEXT];

	why->claim = claim;
	if (wanted.len == 0)
		return true;
	if (value != NULL && value->kind == LB_NUMBER && value->number >= 0 &&
	    value->number <= 9007199254740992.0) {
		(void)snprintf(text, sizeof text, "%.0f", value->number);
		was = lb_bytes_of(text);
	}
	return same(why, was, wanted);
}

static bool issuer_holds(struct why *why, const struct question *q)
{
	why->claim = "iss";
	return same(why, q->issuer->url, q->publisher->issuer->url);
}

static bool repository_holds(struct why *why, const struct question *q)
{
	why->claim = "repository";
	return same(why, lb_value_get_string(q->claims, "repository"), q->publisher->repository);
}

static bool repository_id_holds(struct why *why, const struct question *q)
{
	return same_id(why, q, "repository_id", q->publisher->repository_id);
}

static bool owner_id_holds(struct why *why, const struct question *q)
{
	return same_id(why, q, "repository_owner_id", q->publisher->repository_owner_id);
}

/* OWNER/NAME/PATH of OWNER/NAME/PATH@REF; the whole where there is no REF. */
static struct lb_bytes without_ref(struct lb_bytes workflow_ref)
{
	return lb_bytes_upto(workflow_ref, lb_bytes_find_byte(workflow_ref, '@'));
}

/* Whether `full` is the path in that repository: OWNER/NAME/PATH. */
static bool is_in(struct lb_bytes full, struct lb_bytes repository, struct lb_bytes path)
{
	return full.len == repository.len + 1 + path.len && lb_bytes_starts(full, repository) &&
	       full.at[repository.len] == '/' && lb_bytes_ends(full, path);
}

static bool workflow_holds(struct why *why, const struct question *q)
{
	const struct release_publisher *p = q->publisher;
	struct lb_bytes was = lb_value_get_string(q->claims, "workflow_ref");

	why->claim = "workflow_ref";
	if (p->workflow.len == 0 || is_in(without_ref(was), p->repository, p->workflow))
		return true;
	say(why, was, p->workflow);
	return false;
}

/* A publisher that names no called workflow wants the job in the calling one: otherwise
 * whoever writes a workflow that is called could publish as well. */
static bool job_workflow_holds(struct why *why, const struct question *q)
{
	const struct release_publisher *p = q->publisher;
	struct lb_bytes was = lb_value_get_string(q->claims, "job_workflow_ref");
	struct lb_bytes path = without_ref(p->job_workflow);
	struct lb_bytes ref = lb_bytes_from(p->job_workflow, path.len + 1);
	struct lb_bytes was_path = without_ref(was);

	why->claim = "job_workflow_ref";
	if (p->job_workflow.len == 0)
		return same(why, was_path,
		            without_ref(lb_value_get_string(q->claims, "workflow_ref")));
	if ((lb_bytes_eq(was_path, path) || is_in(was_path, p->repository, path)) &&
	    (ref.len == 0 || release_glob_matches(ref, lb_bytes_from(was, was_path.len + 1))))
		return true;
	say(why, was, p->job_workflow);
	return false;
}

static bool ref_holds(struct why *why, const struct question *q)
{
	struct lb_bytes was = lb_value_get_string(q->claims, "ref");

	why->claim = "ref";
	if (release_glob_matches(q->publisher->ref, was))
		return true;
	say(why, was, q->publisher->ref);
	return false;
}

static bool event_holds(struct why *why, const struct question *q)
{
	struct lb_bytes was = lb_value_get_string(q->claims, "event_name");

	why->claim = "event_name";
	for (uint32_t i = 0; i < q->publisher->events.count; i++) {
		if (lb_bytes_eq(q->publisher->events.at[i], was))
			return true;
	}
	say_list(why, was, &q->publisher->events);
	return false;
}

static bool environment_holds(struct why *why, const struct question *q)
{
	why->claim = "environment";
	return q->publisher->environment.len == 0 ||
	       same(why, lb_value_get_string(q->claims, "environment"), q->publisher->environment);
}

static bool project_holds(struct why *why, const struct question *q)
{
	why->claim = "project";
	return same(why, q->manifest->project, q->publisher->project);
}

static bool channel_holds(struct why *why, const struct question *q)
{
	why->claim = "channel";
	return listed(why, q->manifest->channel, &q->publisher->channels);
}

static bool files_hold(struct why *why, const struct question *q)
{
	why->claim = "files";
	for (uint32_t i = 0; i < q->manifest->count; i++) {
		if (!listed(why, q->manifest->files[i].name, &q->publisher->files))
			return false;
	}
	return true;
}

static bool (*const demands[])(struct why *why, const struct question *q) = {
	issuer_holds,      repository_holds,   repository_id_holds, owner_id_holds,
	workflow_holds,    job_workflow_holds, ref_holds,           event_holds,
	environment_holds, project_holds,      channel_holds,       files_hold,
};

enum { DEMANDS = sizeof demands / sizeof demands[0] };

/* ---- the decision ---- */

/* How many demands hold before the first that does not. */
static size_t depth_of(struct why *why, const struct question *q)
{
	size_t depth = 0;

	while (depth < DEMANDS && demands[depth](why, q))
		depth++;
	return depth;
}

static lb_err check_event(const struct lb_value *claims, struct lb_diag *diag)
{
	struct lb_bytes event = lb_value_get_string(claims, "event_name");

	if (lb_bytes_is(event, "pull_request_target") || lb_bytes_is(event, "workflow_run"))
		return lb_fail(diag, LB_E_DENIED,
		               "event_name: a run of the event \"%.*s\" may never publish",
		               LB_FMT(event));
	return LB_OK;
}

lb_err release_policy_decide(const struct release_publisher **out,
                             const struct release_policy *policy,
                             const struct release_issuer *issuer, const struct lb_value *claims,
                             const struct release_manifest *manifest, struct lb_diag *diag)
{
	struct question q = { .issuer = issuer, .claims = claims, .manifest = manifest };
	struct why why;
	size_t closest = 0;

	*out = NULL;
	LB_TRY(check_event(claims, diag));
	for (uint32_t i = 0; i < policy->publisher_count; i++) {
		size_t depth;

		q.publisher = &policy->publishers[i];
		depth = depth_of(&why, &q);
		if (depth == DEMANDS) {
			*out = q.publisher;
			return LB_OK;
		}
		if (i > 0 && depth <= closest)
			continue;
		closest = depth;
		lb_diag_set(diag, "%s: it is %s, the policy wants %s (publisher in line %u)",
		            why.claim, why.was, why.wanted, q.publisher->line);
	}
	return lb_err_of(LB_E_DENIED);
}
