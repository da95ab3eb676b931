/* policy_test.c - policies: what is read, what is refused where, and what is decided. */
#include "base/data/json.h"
#include "release/glob.h"
#include "release/policy.h"
#include "tests/harness/test.h"

#define HEAD \
	"version: 1\n" \
	"audience: a\n" \
	"issuers:\n" \
	"  - name: here\n" \
	"    url: http://issuer.test\n" \
	"publishers:\n"
#define FIRST \
	"  - issuer: here\n" \
	"    repository: owner/name\n" \
	"    repository_id: 7\n" \
	"    workflow: .github/workflows/ci.yml\n" \
	"    ref: refs/heads/*\n" \
	"    events: [push]\n" \
	"    project: p\n" \
	"    channels: [snapshot, \"rc-*\"]\n" \
	"    files: [\"p-*.tar.gz\"]\n"

static lb_err read_policy(const struct release_policy **out, struct lb_arena *arena,
                          const char *text, struct lb_diag *diag)
{
	struct lb_bytes exact = test_exact(lb_bytes_of(text));
	lb_err err = release_policy_read(out, arena, lb_arena_bytes(arena, exact), diag);

	test_exact_free(exact);
	return err;
}

TEST(globs_match_whole_texts)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "a", "a", true },
		{ "a", "ab", false },
		{ "*", "", true },
		{ "*", "abc", true },
		{ "*", "a/b", false },
		{ "**", "a/b", true },
		{ "a*c", "abbc", true },
		{ "a*c", "abbd", false },
		{ "a?c", "abc", true },
		{ "a?c", "a/c", false },
		{ "a*b*c", "aXbYc", true },
		{ "a*b*c", "acb", false },
		{ "refs/heads/*", "refs/heads/main", true },
		{ "refs/heads/*", "refs/heads/a/b", false },
		{ "refs/heads/**", "refs/heads/a/b", true },
		{ "refs/heads/*", "refs/tags/main", false },
		{ "*.tar.gz", ".tar.gz", true },
		{ "a**", "a", true },
		{ "a*", "b", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool got = release_glob_matches(lb_bytes_of(cases[i].pattern),
		                                lb_bytes_of(cases[i].text));

		if (got != cases[i].matches)
			printf("# %s against %s\n", cases[i].pattern, cases[i].text);
		CHECK(got == cases[i].matches);
	}
}

/* Backtracking would take longer than the universe has. */
TEST(globs_are_quick_on_hostile_patterns)
{
	char pattern[RELEASE_GLOB_MAX + 1], text[3000];

	for (size_t i = 0; i < RELEASE_GLOB_MAX; i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	pattern[RELEASE_GLOB_MAX - 1] = 'b';
	pattern[RELEASE_GLOB_MAX] = '\0';
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	CHECK(!release_glob_matches(lb_bytes_of(pattern), lb_bytes_of(text)));
}

TEST(a_good_policy_is_read)
{
	const struct release_policy *policy;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(read_policy(&policy, &arena, HEAD FIRST, NULL));
	CHECK(policy->issuer_count == 1 && policy->publisher_count == 1);
	CHECK_BYTES(policy->publishers[0].repository_id, "7");
	CHECK_BYTES(policy->issuers[0].repositories, "http://issuer.test/git/");
	CHECK(policy->publishers[0].channels.count == 2);
	CHECK(policy->publishers[0].line == 7);
	CHECK(release_policy_issuer(policy, LB_B("http://issuer.test")) == policy->issuers);
	CHECK(release_policy_issuer(policy, LB_B("http://issuer.test/")) == NULL);
	CHECK(release_policy_issuer(policy, LB_B("http://issuer.test.evil")) == NULL);
	lb_arena_release(&arena);
}

TEST(bad_policies_are_refused_with_their_place)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "line 1" },
		{ "[]", "line 1, column 1" },
		{ "version: 2\n", "line 1, column 10: version: expected 1" },
		{ "audience: a\n", "version: expected 1" },
		{ "version: 1\n", "audience is missing" },
		{ "version: 1\nwho: me\n", "line 2, column 1: unknown key \"who\"" },
		{ "version: 1\nversion: 1\n", "line 2, column 1: version is there twice" },
		{ "version: 1\naudience: a\n", "issuers is missing" },
		{ "version: 1\naudience: a\nissuers: []\n", "line 3" },
		{ "version: 1\naudience: a\nissuers:\n  - name: x\n", "line 4, column 5: url" },
		{ "version: 1\naudience: a\nissuers:\n  - name: x\n    url: ftp://x\n",
		  "line 5, column 10: url: expected http://" },
		{ "version: 1\naudience: a\nissuers:\n  - name: x\n    url: http://x/\n",
		  "ends with a slash" },
		{ HEAD, "publishers" },
		{ HEAD "  - issuer: there\n", "missing here" },
		{ HEAD FIRST "    color: red\n", "line 16, column 5: unknown key \"color\"" },
		{ HEAD FIRST FIRST "    ref: x\n", "ref is there twice" },
		{ HEAD "  - issuer: other\n    repository: o/n\n    workflow: w\n    ref: r\n"
		       "    events: [push]\n    project: p\n    channels: [c]\n    files: [f]\n",
		  "none of the issuers" },
		{ HEAD "  - issuer: here\n    repository: o\n    workflow: w\n    ref: r\n"
		       "    events: [push]\n    project: p\n    channels: [c]\n    files: [f]\n",
		  "expected OWNER/NAME" },
		{ HEAD "  - issuer: here\n    repository: o/n\n    ref: r\n"
		       "    events: [push]\n    project: p\n    channels: [c]\n    files: [f]\n",
		  "workflow or job_workflow is missing" },
		{ HEAD "  - issuer: here\n    repository: o/n\n    workflow: w\n    ref: r\n"
		       "    events: [push, pull_request_target]\n    project: p\n"
		       "    channels: [c]\n    files: [f]\n",
		  "line 11, column 20: events: pull_request_target is never accepted" },
		{ HEAD "  - issuer: here\n    repository: o/n\n    repository_id: seven\n",
		  "repository_id: expected a whole number" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct release_policy *policy;
		struct lb_diag diag = { 0 };
		struct lb_arena arena;

		lb_arena_init(&arena, t->mem);
		CHECK(lb_failed(read_policy(&policy, &arena, cases[i].text, &diag)));
		CHECK(policy == NULL);
		if (strstr(diag.text, cases[i].says) == NULL)
			printf("# case %zu: got \"%s\", want \"%s\"\n", i, diag.text,
			       cases[i].says);
		CHECK(strstr(diag.text, cases[i].says) != NULL);
		lb_arena_release(&arena);
	}
}

TEST(a_policy_cut_at_any_byte_is_refused_or_whole)
{
	static const char whole[] = HEAD FIRST;

	for (size_t len = 0; len < sizeof whole - 1; len++) {
		const struct release_policy *policy;
		struct lb_diag diag = { 0 };
		struct lb_arena arena;
		struct lb_bytes part;

		lb_arena_init(&arena, t->mem);
		part = test_exact((struct lb_bytes){ (const unsigned char *)whole, len });
		/* The last line is a list: only with its end is the policy whole. */
		if (len < sizeof whole - 2)
			CHECK(lb_failed(release_policy_read(&policy, &arena, part, &diag)) &&
			      diag.text[0] != '\0');
		test_exact_free(part);
		lb_arena_release(&arena);
	}
}

/* ---- decisions ---- */

struct asked {
	struct lb_arena arena;
	const struct release_policy *policy;
	struct release_manifest manifest;
	struct lb_diag diag;
};

static const char good_claims[] =
	"{\"repository\":\"owner/name\",\"repository_id\":\"7\","
	"\"workflow_ref\":\"owner/name/.github/workflows/ci.yml@refs/heads/main\","
	"\"job_workflow_ref\":\"owner/name/.github/workflows/ci.yml@refs/heads/main\","
	"\"ref\":\"refs/heads/main\",\"event_name\":\"push\"}";
static const char good_manifest[] =
	"{\"project\":\"p\",\"channel\":\"snapshot\",\"version\":\"1\",\"files\":[{\"name\":"
	"\"p-1.tar.gz\",\"size\":1,\"sha256\":"
	"\"0000000000000000000000000000000000000000000000000000000000000000\"}]}";

/* Decide with one member of the claims or of the manifest replaced. */
static lb_err ask(struct asked *a, struct test *t, const char *policy, const char *name,
                  const char *value)
{
	struct lb_value *claims, *manifest;
	const struct release_publisher *publisher;

	*a = (struct asked){ 0 };
	lb_arena_init(&a->arena, t->mem);
	LB_TRY(read_policy(&a->policy, &a->arena, policy, &a->diag));
	LB_TRY(lb_json_read(&claims, &a->arena, lb_bytes_of(good_claims), NULL));
	LB_TRY(lb_json_read(&manifest, &a->arena, lb_bytes_of(good_manifest), NULL));
	if (name != NULL && lb_value_get(manifest, name) != NULL)
		lb_value_set_text(&a->arena, manifest, name, value);
	else if (name != NULL)
		lb_value_set_text(&a->arena, claims, name, value);
	LB_TRY(release_manifest_read(&a->manifest, &a->arena, manifest, &a->diag));
	return release_policy_decide(&publisher, a->policy, a->policy->issuers, claims,
	                             &a->manifest, &a->diag);
}

TEST(what_the_policy_names_is_accepted)
{
	struct asked a;

	CHECK_OK(ask(&a, t, HEAD FIRST, NULL, NULL));
	lb_arena_release(&a.arena);
	CHECK_OK(ask(&a, t, HEAD FIRST, "channel", "rc-2"));
	lb_arena_release(&a.arena);
	CHECK_OK(ask(&a, t, HEAD FIRST, "ref", "refs/heads/other"));
	lb_arena_release(&a.arena);
}

TEST(what_does_not_match_is_named)
{
	static const struct {
		const char *name, *value, *says;
	} cases[] = {
		{ "repository", "evil/name",
		  "repository: it is \"evil/name\", the policy wants \"owner/name\"" },
		{ "repository", "owner/name2", "repository:" },
		{ "repository", "Owner/name", "repository:" },
		{ "repository_id", "8", "repository_id: it is \"8\", the policy wants \"7\"" },
		{ "repository_id", "", "repository_id: it is nothing" },
		{ "workflow_ref", "owner/name/.github/workflows/evil.yml@refs/heads/main",
		  "workflow_ref:" },
		{ "workflow_ref", "evil/name/.github/workflows/ci.yml@refs/heads/main",
		  "workflow_ref:" },
		{ "workflow_ref", ".github/workflows/ci.yml@refs/heads/main", "workflow_ref:" },
		{ "workflow_ref", "owner/name/x/.github/workflows/ci.yml@r", "workflow_ref:" },
		{ "job_workflow_ref", "evil/x/.github/workflows/w.yml@refs/heads/main",
		  "job_workflow_ref:" },
		{ "job_workflow_ref", "", "job_workflow_ref: it is nothing" },
		{ "ref", "refs/tags/v1",
		  "ref: it is \"refs/tags/v1\", the policy wants \"refs/heads/*\"" },
		{ "ref", "refs/pull/1/merge", "ref:" },
		{ "event_name", "schedule",
		  "event_name: it is \"schedule\", the policy wants \"push\"" },
		{ "event_name", "pull_request_target", "may never publish" },
		{ "event_name", "workflow_run", "may never publish" },
		{ "project", "q", "project: it is \"q\"" },
		{ "channel", "stable",
		  "channel: it is \"stable\", the policy wants \"snapshot\" or \"rc-*\" (publisher "
		  "in line 7)" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct asked a;

		CHECK(lb_code_of(ask(&a, t, HEAD FIRST, cases[i].name, cases[i].value)) ==
		      LB_E_DENIED);
		if (strstr(a.diag.text, cases[i].says) == NULL)
			printf("# got \"%s\", want \"%s\"\n", a.diag.text, cases[i].says);
		CHECK(strstr(a.diag.text, cases[i].says) != NULL);
		lb_arena_release(&a.arena);
	}
}

TEST(the_closest_publisher_gives_the_reason)
{
	static const char policy[] = HEAD "  - issuer: here\n"
					  "    repository: other/thing\n"
					  "    workflow: w\n"
					  "    ref: r\n"
					  "    events: [push]\n"
					  "    project: p\n"
					  "    channels: [c]\n"
					  "    files: [f]\n" FIRST;
	struct asked a;

	CHECK(lb_code_of(ask(&a, t, policy, "channel", "stable")) == LB_E_DENIED);
	CHECK(strstr(a.diag.text, "channel:") != NULL);
	CHECK(strstr(a.diag.text, "line 15") != NULL);
	lb_arena_release(&a.arena);
}

TEST(a_called_workflow_is_matched_with_its_ref)
{
	static const char policy[] =
		HEAD "  - issuer: here\n"
		     "    repository: owner/name\n"
		     "    job_workflow: ci/shared/.github/workflows/r.yml@refs/tags/v*\n"
		     "    ref: refs/heads/*\n"
		     "    events: [push]\n"
		     "    project: p\n"
		     "    channels: [snapshot]\n"
		     "    files: [\"*\"]\n";
	struct asked a;

	CHECK_OK(ask(&a, t, policy, "job_workflow_ref",
	             "ci/shared/.github/workflows/r.yml@refs/tags/v1"));
	lb_arena_release(&a.arena);
	CHECK(lb_code_of(ask(&a, t, policy, "job_workflow_ref",
	                     "ci/shared/.github/workflows/r.yml@refs/heads/evil")) == LB_E_DENIED);
	lb_arena_release(&a.arena);
	CHECK(lb_code_of(ask(&a, t, policy, "job_workflow_ref",
	                     "ci/evil/.github/workflows/r.yml@refs/tags/v1")) == LB_E_DENIED);
	lb_arena_release(&a.arena);
}

TEST(policies_survive_every_oom)
{
	EACH_OOM (t) {
		const struct release_policy *policy;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = release_policy_read(&policy, &arena, lb_bytes_of(HEAD FIRST), NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(lb_failed(err) == (policy == NULL));
		lb_arena_release(&arena);
	}
}
