/* identity.c - what an identity token says about a job: GitHub's claims; see queue.h. */
#include "coordinator/queue/queue_priv.h"

static void copy_text(struct lb_arena *arena, struct lb_value *claims,
                      const struct lb_value *github, const char *name)
{
	lb_value_set_string(arena, claims, name, lb_value_get_string(github, name));
}

/* "repo:owner/name:ref:refs/heads/main", or the environment, or that it is a pull request. */
static struct lb_bytes subject_of(struct lb_arena *arena, const struct live_run *run,
                                  const struct workflow_instance *instance)
{
	struct lb_bytes repository = run->row.repository.name;

	if (instance->environment.len > 0)
		return lb_arena_format(arena, "repo:%.*s:environment:%.*s", LB_FMT(repository),
		                       LB_FMT(instance->environment));
	if (lb_bytes_is(run->row.event, "pull_request"))
		return lb_arena_format(arena, "repo:%.*s:pull_request", LB_FMT(repository));
	return lb_arena_format(arena, "repo:%.*s:ref:%.*s", LB_FMT(repository),
	                       LB_FMT(run->row.ref));
}

/* A file of another repository is named with repository and ref already. */
static struct lb_bytes workflow_ref_of(struct lb_arena *arena, const struct live_run *run,
                                       const struct workflow_instance *instance)
{
	if (lb_value_find(run->called, instance->file) != NULL)
		return instance->file;
	return lb_arena_format(arena, "%.*s/%.*s@%.*s", LB_FMT(run->row.repository.name),
	                       LB_FMT(instance->file), LB_FMT(run->row.ref));
}

static struct lb_value *claims_of(struct lb_arena *arena, const struct live_run *run,
                                  const struct workflow_instance *instance)
{
	static const char *const same[] = {
#define CLAIM(name) #name,
#include "coordinator/queue/claims.def"
#undef CLAIM
	};
	struct lb_value *claims = lb_value_object(arena);

	lb_value_put(arena, claims, "sub",
	             lb_value_string(arena, subject_of(arena, run, instance)));
	for (unsigned i = 0; i < sizeof same / sizeof same[0]; i++)
		copy_text(arena, claims, run->github, same[i]);
	lb_value_put(arena, claims, "job_workflow_ref",
	             lb_value_string(arena, workflow_ref_of(arena, run, instance)));
	lb_value_set_string(arena, claims, "job_workflow_sha", coord_called_sha(run, instance));
	lb_value_set_text(arena, claims, "runner_environment", "self-hosted");
	if (instance->environment.len > 0)
		lb_value_set_string(arena, claims, "environment", instance->environment);
	return claims;
}

static lb_err make_claims(struct lb_value **claims, struct change *change, struct lb_arena *arena,
                          struct lb_bytes token, struct lb_diag *diag)
{
	const struct live_lease *lease = coord_lease_of_token(change->queue, token);
	const struct workflow_instance *instance;
	struct live_run *run;
	struct coord_job job;

	if (lease == NULL)
		return lb_fail(diag, LB_E_DENIED, "this token belongs to no running job");
	LB_TRY(coord_lease_instance(&instance, &run, &job, change, lease->run_id, lease->job_id,
	                            diag));
	if (instance->permissions.of[WORKFLOW_PERMISSION_ID_TOKEN] != WORKFLOW_ACCESS_WRITE)
		return lb_fail(diag, LB_E_DENIED,
		               "job %.*s has no permission 'id-token: write' in %.*s",
		               LB_FMT(instance->name), LB_FMT(instance->file));
	if (!run->row.trusted)
		return lb_fail(diag, LB_E_DENIED,
		               "a run of a fork's pull request gets no identity token");
	*claims = claims_of(arena, run, instance);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err coord_queue_identity(struct lb_value **claims, struct coord_queue *queue,
                            struct lb_arena *arena, struct lb_bytes token, struct lb_diag *diag)
{
	struct change change;

	*claims = NULL;
	LB_TRY(coord_change_begin(&change, queue));
	return coord_change_end(&change, make_claims(claims, &change, arena, token, diag));
}
