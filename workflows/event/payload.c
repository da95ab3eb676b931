/* payload.c - see payload.h. */
#include "workflows/event/payload.h"

static struct lb_bytes text(const struct lb_value *object, const char *key)
{
	return lb_value_get_string(object, key);
}

static const struct lb_value *side_of(const struct lb_value *payload, const char *side)
{
	return lb_value_get(lb_value_get(payload, "pull_request"), side);
}

static bool is_pull_request(struct lb_bytes name)
{
	return lb_bytes_starts(name, LB_B("pull_request"));
}

static struct lb_bytes without(struct lb_bytes name, struct lb_bytes prefix)
{
	return lb_bytes_starts(name, prefix) ? lb_bytes_from(name, prefix.len) : name;
}

static struct lb_bytes branch_of(struct lb_bytes ref) { return without(ref, LB_B("refs/heads/")); }

/* ---- for filters ---- */

static struct lb_bytes filtered_branch(struct lb_bytes name, const struct lb_value *payload)
{
	if (is_pull_request(name))
		return text(side_of(payload, "base"), "ref");
	if (lb_bytes_is(name, "merge_group"))
		return branch_of(text(lb_value_get(payload, "merge_group"), "base_ref"));
	if (lb_bytes_is(name, "workflow_run"))
		return text(lb_value_get(payload, "workflow_run"), "head_branch");
	return (struct lb_bytes){ 0 };
}

struct workflow_event workflow_payload_event(struct lb_bytes name, const struct lb_value *payload,
                                             struct lb_bytes ref)
{
	const struct lb_value *image = lb_value_get(payload, "image_version");

	return (struct workflow_event){
		.name = name,
		.action = text(payload, "action"),
		.ref = ref,
		.base_ref = filtered_branch(name, payload),
		.paths_unknown = true,
		.workflow = text(lb_value_get(payload, "workflow_run"), "name"),
		.schedule = text(payload, "schedule"),
		.image = text(image, "name"),
		.version = text(image, "version"),
	};
}

/* ---- for contexts ---- */

static struct lb_bytes full(struct lb_arena *arena, const char *kind, struct lb_bytes name)
{
	if (name.len == 0 || lb_bytes_starts(name, LB_B("refs/")))
		return name;
	return lb_arena_format(arena, "refs/%s/%.*s", kind, LB_FMT(name));
}

static struct lb_bytes pull_ref(struct lb_arena *arena, const struct lb_value *payload)
{
	uint64_t number;

	if (lb_failed(lb_value_get_u64(&number, payload, "number")) &&
	    lb_failed(lb_value_get_u64(&number, lb_value_get(payload, "pull_request"), "number")))
		return (struct lb_bytes){ 0 };
	return lb_arena_format(arena, "refs/pull/%llu/merge", (unsigned long long)number);
}

struct lb_bytes workflow_payload_ref(struct lb_arena *arena, struct lb_bytes name,
                                     const struct lb_value *payload)
{
	const struct lb_value *repository = lb_value_get(payload, "repository");
	struct lb_bytes ref = text(payload, "ref");

	if (lb_bytes_is(name, "pull_request_target"))
		return full(arena, "heads", text(side_of(payload, "base"), "ref"));
	if (is_pull_request(name) && !lb_bytes_is(name, "pull_request_comment"))
		return pull_ref(arena, payload);
	if (lb_bytes_is(name, "merge_group"))
		return full(arena, "heads", text(lb_value_get(payload, "merge_group"), "head_ref"));
	if (lb_bytes_is(name, "release"))
		return full(arena, "tags", text(lb_value_get(payload, "release"), "tag_name"));
	if (lb_bytes_starts(name, LB_B("deployment")))
		ref = text(lb_value_get(payload, "deployment"), "ref");
	if (lb_bytes_is(name, "create") && lb_bytes_is(text(payload, "ref_type"), "tag"))
		return full(arena, "tags", ref);
	if (ref.len > 0 && !lb_bytes_is(name, "delete"))
		return full(arena, "heads", ref);
	return full(arena, "heads", text(repository, "default_branch"));
}

struct lb_bytes workflow_payload_sha(struct lb_bytes name, const struct lb_value *payload)
{
	const struct lb_value *pull = lb_value_get(payload, "pull_request");

	if (lb_bytes_is(name, "pull_request_target"))
		return text(side_of(payload, "base"), "sha");
	if (is_pull_request(name))
		return text(pull, "merge_commit_sha");
	if (lb_bytes_is(name, "merge_group"))
		return text(lb_value_get(payload, "merge_group"), "head_sha");
	if (lb_bytes_starts(name, LB_B("deployment")))
		return text(lb_value_get(payload, "deployment"), "sha");
	if (lb_bytes_is(name, "status"))
		return text(payload, "sha");
	return text(payload, "after");
}

static void set(struct lb_arena *arena, struct lb_value *github, const char *key,
                struct lb_bytes value)
{
	lb_value_set_string(arena, github, key, value);
}

static void set_ref(struct lb_arena *arena, struct lb_value *github, struct lb_bytes ref)
{
	bool tag = lb_bytes_starts(ref, LB_B("refs/tags/"));
	struct lb_bytes short_name = tag ? without(ref, LB_B("refs/tags/")) : branch_of(ref);

	set(arena, github, "ref", ref);
	set(arena, github, "ref_name", without(short_name, LB_B("refs/pull/")));
	set(arena, github, "ref_type", tag ? LB_B("tag") : LB_B("branch"));
}

struct lb_value *workflow_payload_github(struct lb_arena *arena, struct lb_bytes name,
                                         const struct lb_value *payload, struct lb_bytes ref)
{
	struct lb_value *github = lb_value_object(arena);
	struct lb_bytes repository = text(lb_value_get(payload, "repository"), "full_name");
	size_t slash = lb_bytes_find_byte(repository, '/');

	set(arena, github, "event_name", name);
	lb_value_put(arena, github, "event",
	             payload != NULL ? lb_value_copy(arena, payload) : lb_value_object(arena));
	set_ref(arena, github, ref);
	set(arena, github, "head_ref", text(side_of(payload, "head"), "ref"));
	set(arena, github, "base_ref", text(side_of(payload, "base"), "ref"));
	set(arena, github, "sha", workflow_payload_sha(name, payload));
	set(arena, github, "actor", text(lb_value_get(payload, "sender"), "login"));
	set(arena, github, "repository", repository);
	set(arena, github, "repository_owner", lb_bytes_upto(repository, slash));
	return github;
}
