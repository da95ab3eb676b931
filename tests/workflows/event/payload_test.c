/* payload_test.c - what payloads say: refs, commits, branches for filters, by event. */
#include "tests/workflows/support.h"

#include "workflows/event/payload.h"

#define REPOSITORY "'repository': {'full_name': 'o/r', 'default_branch': 'main'}"
#define PULL \
	"{'action': 'opened', 'number': 7, 'pull_request': {'base': {'ref': 'dev', 'sha': 'b'}, " \
	"'head': {'ref': 'topic', 'sha': 'h'}, 'merge_commit_sha': 'm'}, 'sender': {'login': " \
	"'u'}, " REPOSITORY "}"

static const struct {
	const char *event, *payload, *ref, *sha, *branch;
} cases[] = {
	{ "push", "{'ref': 'refs/tags/v1', 'after': 'a', " REPOSITORY "}", "refs/tags/v1", "a",
	  "" },
	{ "pull_request", PULL, "refs/pull/7/merge", "m", "dev" },
	{ "pull_request_review", PULL, "refs/pull/7/merge", "m", "dev" },
	{ "pull_request_target", PULL, "refs/heads/dev", "b", "dev" },
	{ "merge_group",
	  "{'action': 'checks_requested', 'merge_group': {'head_ref': "
	  "'refs/heads/gh-readonly-queue/main/pr-1', 'head_sha': 's', 'base_ref': "
	  "'refs/heads/main'}, " REPOSITORY "}",
	  "refs/heads/gh-readonly-queue/main/pr-1", "s", "main" },
	{ "workflow_run",
	  "{'action': 'completed', 'workflow_run': {'name': 'CI', 'head_branch': "
	  "'topic'}, " REPOSITORY "}",
	  "refs/heads/main", "", "topic" },
	{ "release", "{'action': 'published', 'release': {'tag_name': 'v2'}, " REPOSITORY "}",
	  "refs/tags/v2", "", "" },
	{ "create", "{'ref': 'v3', 'ref_type': 'tag', " REPOSITORY "}", "refs/tags/v3", "", "" },
	{ "create", "{'ref': 'b', 'ref_type': 'branch', " REPOSITORY "}", "refs/heads/b", "", "" },
	{ "delete", "{'ref': 'b', 'ref_type': 'branch', " REPOSITORY "}", "refs/heads/main", "",
	  "" },
	{ "deployment", "{'deployment': {'ref': 'live', 'sha': 'd'}, " REPOSITORY "}",
	  "refs/heads/live", "d", "" },
	{ "issue_comment", "{'action': 'created', 'issue': {'number': 7}, " REPOSITORY "}",
	  "refs/heads/main", "", "" },
	{ "workflow_dispatch", "{'ref': 'refs/heads/topic', 'inputs': {}, " REPOSITORY "}",
	  "refs/heads/topic", "", "" },
	{ "schedule", "{'schedule': '0 0 * * *', " REPOSITORY "}", "refs/heads/main", "", "" },
	{ "status", "{'sha': 's', 'state': 'success', " REPOSITORY "}", "refs/heads/main", "s",
	  "" },
	{ "push", "{}", "", "", "" },
};

TEST(payloads_give_ref_commit_and_branch)
{
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct lb_value *payload = support_json(&arena, cases[i].payload);
		struct lb_bytes event = lb_bytes_of(cases[i].event);
		struct lb_bytes ref = workflow_payload_ref(&arena, event, payload);

		CHECK(payload != NULL);
		CHECK_BYTES(ref, cases[i].ref);
		CHECK_BYTES(workflow_payload_sha(event, payload), cases[i].sha);
		CHECK_BYTES(workflow_payload_event(event, payload, ref).base_ref, cases[i].branch);
	}
	lb_arena_release(&arena);
}

TEST(a_payload_makes_the_github_context)
{
	struct lb_arena arena;
	struct lb_value *github;
	struct workflow_event event;

	lb_arena_init(&arena, t->mem);
	github = workflow_payload_github(&arena, LB_B("pull_request"), support_json(&arena, PULL),
	                                 LB_B("refs/pull/7/merge"));
	CHECK_BYTES(lb_value_get_string(github, "event_name"), "pull_request");
	CHECK_BYTES(lb_value_get_string(github, "ref_name"), "7/merge");
	CHECK_BYTES(lb_value_get_string(github, "ref_type"), "branch");
	CHECK_BYTES(lb_value_get_string(github, "head_ref"), "topic");
	CHECK_BYTES(lb_value_get_string(github, "base_ref"), "dev");
	CHECK_BYTES(lb_value_get_string(github, "actor"), "u");
	CHECK_BYTES(lb_value_get_string(github, "repository_owner"), "o");
	CHECK(lb_value_get_number(lb_value_get(github, "event"), "number") > 6.5);
	event = workflow_payload_event(LB_B("pull_request"), support_json(&arena, PULL),
	                               LB_B("refs/pull/7/merge"));
	CHECK_BYTES(event.action, "opened");
	CHECK(event.paths_unknown);
	lb_arena_release(&arena);
}

TEST(contexts_survive_every_oom)
{
	struct lb_arena values;
	const struct lb_value *payload;

	lb_arena_init(&values, &lb_mem_host);
	payload = support_json(&values, PULL);
	EACH_OOM (t) {
		struct lb_arena arena;

		lb_arena_init(&arena, t->mem);
		(void)workflow_payload_ref(&arena, LB_B("pull_request"), payload);
		(void)workflow_payload_github(&arena, LB_B("pull_request"), payload,
		                              LB_B("refs/x"));
		CHECK(arena.failed == t->heap.failed);
		lb_arena_release(&arena);
	}
	lb_arena_release(&values);
}
