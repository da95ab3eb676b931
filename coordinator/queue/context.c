/* context.c - the github context of a run, field by field; see queue_priv.h.
 *
 * Fields that only a runner can know (workspace, action, job, event_path, ...) are
 * added there.  Numbers are texts, as GitHub has them.
 */
#include "coordinator/queue/queue_priv.h"

struct lb_bytes coord_ref_name(struct lb_bytes ref)
{
	static const char *const prefixes[] = { "refs/heads/", "refs/tags/", "refs/pull/" };

	for (unsigned i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (lb_bytes_starts(ref, lb_bytes_of(prefixes[i])))
			return lb_bytes_from(ref, strlen(prefixes[i]));
	return ref;
}

static void set_digits(struct lb_arena *arena, struct lb_value *object, const char *key,
                       uint64_t number)
{
	lb_value_put(arena, object, key,
	             lb_value_string(arena,
	                             lb_arena_format(arena, "%llu", (unsigned long long)number)));
}

static void set_format(struct lb_arena *arena, struct lb_value *object, const char *key,
                       struct lb_bytes text)
{
	lb_value_put(arena, object, key, lb_value_string(arena, text));
}

/* event.pull_request.head.ref and the like. */
static struct lb_bytes branch_of(const struct lb_value *event, const char *side)
{
	return lb_value_get_string(lb_value_get(lb_value_get(event, "pull_request"), side), "ref");
}

static void add_repository(struct lb_arena *arena, struct lb_value *github,
                           const struct coord_queue *queue, const struct coord_repository *of)
{
	const char *server = queue->config.address;
	size_t slash = lb_bytes_find_byte(of->name, '/');

	lb_value_set_string(arena, github, "repository", of->name);
	set_digits(arena, github, "repository_id", of->id);
	lb_value_set_string(arena, github, "repository_owner", lb_bytes_upto(of->name, slash));
	set_digits(arena, github, "repository_owner_id", of->owner_id);
	lb_value_set_text(arena, github, "repository_visibility", "private");
	set_format(arena, github, "repositoryUrl",
	           lb_arena_format(arena, "%s/git/%.*s.git", server, LB_FMT(of->name)));
	lb_value_set_text(arena, github, "server_url", server);
	set_format(arena, github, "api_url", lb_arena_format(arena, "%s/api/v3", server));
	set_format(arena, github, "graphql_url", lb_arena_format(arena, "%s/api/graphql", server));
}

struct lb_value *coord_github_context(struct lb_arena *arena, const struct coord_queue *queue,
                                      const struct coord_run *run, struct lb_bytes actor,
                                      uint64_t actor_id, const struct lb_value *event)
{
	struct lb_value *github = lb_value_object(arena);
	bool is_tag = lb_bytes_starts(run->ref, LB_B("refs/tags/"));

	lb_value_set_string(arena, github, "actor", actor);
	set_digits(arena, github, "actor_id", actor_id);
	lb_value_set_string(arena, github, "triggering_actor", actor);
	lb_value_set_string(arena, github, "base_ref", branch_of(event, "base"));
	lb_value_set_string(arena, github, "head_ref", branch_of(event, "head"));
	lb_value_set_string(arena, github, "event_name", run->event);
	lb_value_put(arena, github, "event", lb_value_copy(arena, event));
	lb_value_set_string(arena, github, "ref", run->ref);
	lb_value_set_string(arena, github, "ref_name", coord_ref_name(run->ref));
	lb_value_set_text(arena, github, "ref_type", is_tag ? "tag" : "branch");
	lb_value_set_bool(arena, github, "ref_protected", false);
	lb_value_set_string(arena, github, "sha", run->sha);
	add_repository(arena, github, queue, &run->repository);
	lb_value_set_text(arena, github, "retention_days", "90");
	set_digits(arena, github, "run_id", run->id);
	set_digits(arena, github, "run_number", run->number);
	set_digits(arena, github, "run_attempt", run->attempt);
	lb_value_set_text(arena, github, "secret_source", run->trusted ? "Actions" : "None");
	lb_value_set_string(arena, github, "workflow", run->workflow);
	set_format(arena, github, "workflow_ref",
	           lb_arena_format(arena, "%.*s/%.*s@%.*s", LB_FMT(run->repository.name),
	                           LB_FMT(run->path), LB_FMT(run->ref)));
	lb_value_set_string(arena, github, "workflow_sha", run->sha);
	return github;
}
