/* message.c - what a runner is told with a lease: docs/protocol.md has its shape. */
#include "coordinator/queue/queue_priv.h"

/* The text of the file that the job stands in. */
static struct lb_bytes source_of(const struct live_run *run,
                                 const struct workflow_instance *instance)
{
	return instance->workflow == run->workflow ? run->row.source
	                                           : workflow_plan_source(run->plan, instance);
}

static lb_err add_contexts(struct lb_value *message, struct lb_arena *arena,
                           const struct coord_queue *queue, const struct live_run *run,
                           const struct workflow_instance *instance, const struct live_lease *lease,
                           struct lb_diag *diag)
{
	/* Copied whole: the message is written when the plan may be gone. */
	struct lb_value *contexts =
		lb_value_copy(arena, workflow_plan_contexts(arena, run->plan, instance));
	struct lb_value *github = lb_value_copy(arena, run->github), *all;
	const struct lb_value *secrets;

	lb_value_set_text(arena, github, "token", lease->token);
	lb_value_set_string(arena, github, "job", instance->job);
	lb_value_put(arena, contexts, "github", github);
	all = run->row.trusted ? lb_value_copy(arena, queue->config.secrets)
	                       : lb_value_object(arena);
	lb_value_set_text(arena, all, "GITHUB_TOKEN", lease->token);
	LB_TRY(workflow_plan_secrets(&secrets, arena, run->plan, instance, all, diag));
	lb_value_put(arena, contexts, "secrets", lb_value_copy(arena, secrets));
	lb_value_put(arena, message, "contexts", contexts);
	return LB_OK;
}

static void add_services(struct lb_value *message, struct lb_arena *arena,
                         const struct coord_queue *queue, const struct live_run *run,
                         const struct workflow_instance *instance)
{
	struct lb_value *repository = lb_value_object(arena), *services = lb_value_object(arena);
	const char *server = queue->config.address;
	bool identity =
		run->row.trusted &&
		instance->permissions.of[WORKFLOW_PERMISSION_ID_TOKEN] == WORKFLOW_ACCESS_WRITE;

	lb_value_set_string(arena, repository, "name", run->row.repository.name);
	lb_value_set_string(arena, repository, "url",
	                    lb_arena_format(arena, "%s/git/%.*s.git", server,
	                                    LB_FMT(run->row.repository.name)));
	lb_value_set_string(arena, repository, "sha", run->row.sha);
	lb_value_set_string(arena, repository, "ref", run->row.ref);
	lb_value_put(arena, message, "repository", repository);
	lb_value_set_text(arena, services, "api", server);
	lb_value_put(arena, services, "id_token_url",
	             identity ? lb_value_string(arena,
	                                        lb_arena_format(arena,
	                                                        "%s/api/v1/id-token?api-version=1",
	                                                        server))
	                      : lb_value_null(arena));
	lb_value_put(arena, message, "services", services);
	lb_value_put(arena, message, "env", lb_value_copy(arena, queue->config.env));
}

static void add_job(struct lb_value *message, struct lb_arena *arena, const struct live_run *run,
                    const struct coord_job *job, const struct workflow_instance *instance,
                    const struct live_lease *lease)
{
	struct lb_value *about_run = lb_value_object(arena), *about_job = lb_value_object(arena);

	lb_value_set_number(arena, about_run, "id", (double)run->id);
	lb_value_set_number(arena, about_run, "number", (double)run->row.number);
	lb_value_set_number(arena, about_run, "attempt", (double)run->row.attempt);
	lb_value_put(arena, message, "run", about_run);
	lb_value_set_number(arena, about_job, "id", (double)job->id);
	lb_value_set_string(arena, about_job, "key", job->key);
	lb_value_set_string(arena, about_job, "name", instance->name);
	lb_value_set_number(arena, about_job, "attempt", (double)lease->attempt);
	lb_value_set_number(arena, about_job, "timeout_minutes", instance->timeout_minutes);
	lb_value_set_number(arena, about_job, "cancel_timeout_minutes",
	                    instance->cancel_timeout_minutes);
	lb_value_set_bool(arena, about_job, "continue_on_error", instance->continue_on_error);
	lb_value_put(arena, message, "job", about_job);
}

/* What pins the actions of other repositories, where the project has it. */
static lb_err add_lock(struct lb_value *message, struct lb_arena *arena, struct live_run *run,
                       struct lb_diag *diag)
{
	struct lb_bytes lock;
	lb_err err = coord_live_run_read(&lock, run, arena, LB_B(".lifeboat/actions.lock"), diag);

	if (lb_code_of(err) == LB_E_NOTFOUND)
		return LB_OK;
	LB_TRY(err);
	lb_value_set_string(arena, message, "actions_lock", lock);
	return LB_OK;
}

lb_err coord_lease_message(struct lb_value **out, struct change *change, struct lb_arena *arena,
                           struct live_lease *lease, struct lb_diag *diag)
{
	const struct coord_queue *queue = change->queue;
	struct lb_value *message = lb_value_object(arena), *workflow = lb_value_object(arena);
	const struct workflow_instance *instance;
	struct lb_bytes source;
	struct live_run *run;
	struct coord_job job;

	LB_TRY(coord_lease_instance(&instance, &run, &job, change, lease->run_id, lease->job_id,
	                            diag));
	lb_value_set_text(arena, message, "lease", lease->id);
	lb_value_set_number(arena, message, "fence", (double)lease->fence);
	lb_value_set_number(arena, message, "lease_ms", (double)queue->config.lease_ms);
	lb_value_set_text(arena, message, "token", lease->token);
	add_job(message, arena, run, &job, instance, lease);
	source = source_of(run, instance);
	lb_value_set_string(arena, workflow, "path", instance->file);
	lb_value_set_string(arena, workflow, "source", source);
	lb_value_set_string(arena, workflow, "job", instance->job);
	lb_value_put(arena, message, "workflow", workflow);
	LB_TRY(add_contexts(message, arena, queue, run, instance, lease, diag));
	add_services(message, arena, queue, run, instance);
	LB_TRY(add_lock(message, arena, run, diag));
	*out = message;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}
