/* policy_fuzz.c - policies: whatever comes in is refused with its place, or can decide. */
#include "release/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len);

static void decide(struct lb_arena *arena, const struct release_policy *policy)
{
	struct release_file file = { .name = LB_LIT("a.tar.gz") };
	struct release_manifest manifest = { .project = LB_LIT("p"),
		                             .channel = LB_LIT("c"),
		                             .version = LB_LIT("1"),
		                             .files = &file,
		                             .count = 1 };
	const struct release_publisher *publisher;
	struct lb_diag diag = { 0 };
	struct lb_value *claims = lb_value_object(arena);
	lb_err err;

	lb_value_set_text(arena, claims, "repository", "o/n");
	lb_value_set_text(arena, claims, "ref", "refs/heads/main");
	lb_value_set_text(arena, claims, "event_name", "push");
	err = release_policy_decide(&publisher, policy, policy->issuers, claims, &manifest, &diag);
	if (lb_failed(err) != (diag.text[0] != '\0') || lb_failed(err) != (publisher == NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len)
{
	const struct release_policy *policy;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, &lb_mem_host);
	err = release_policy_read(&policy, &arena, (struct lb_bytes){ at, len }, &diag);
	if (lb_failed(err) != (policy == NULL) || lb_failed(err) != (diag.text[0] != '\0'))
		abort();
	if (!lb_failed(err))
		decide(&arena, policy);
	lb_arena_release(&arena);
	return 0;
}
