/* environment.c - what steps see: the contexts of expressions, the variables of processes. */
#include "ci-runner/execute/execution_priv.h"

#include <sys/utsname.h>

/* Members of the github context that become GITHUB_ variables, as GitHub's runner has them. */
static const char *const github_names[] = { "action",
	                                    "action_path",
	                                    "action_ref",
	                                    "action_repository",
	                                    "actor",
	                                    "actor_id",
	                                    "api_url",
	                                    "base_ref",
	                                    "env",
	                                    "event_name",
	                                    "event_path",
	                                    "graphql_url",
	                                    "head_ref",
	                                    "job",
	                                    "output",
	                                    "path",
	                                    "ref",
	                                    "ref_name",
	                                    "ref_protected",
	                                    "ref_type",
	                                    "repository",
	                                    "repository_id",
	                                    "repository_owner",
	                                    "repository_owner_id",
	                                    "retention_days",
	                                    "run_attempt",
	                                    "run_id",
	                                    "run_number",
	                                    "server_url",
	                                    "sha",
	                                    "state",
	                                    "step_summary",
	                                    "triggering_actor",
	                                    "workflow",
	                                    "workflow_ref",
	                                    "workflow_sha",
	                                    "workspace",
	                                    NULL };

static const char *const runner_names[] = { "os",        "arch",       "name",
	                                    "temp",      "tool_cache", "environment",
	                                    "workspace", "debug",      NULL };

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* ---- contexts ---- */

static const char *arch_name(const struct utsname *system)
{
	if (strcmp(system->machine, "x86_64") == 0)
		return "X64";
	if (strcmp(system->machine, "aarch64") == 0)
		return "ARM64";
	return system->machine;
}

static struct lb_value *runner_context(struct runner_execution *x)
{
	struct lb_value *runner = lb_value_object(x->arena);
	struct utsname system = { .machine = "" };

	(void)uname(&system);
	lb_value_set_text(x->arena, runner, "os",
	                  strcmp(system.sysname, "Darwin") == 0 ? "macOS" : system.sysname);
	lb_value_set_text(x->arena, runner, "arch", arch_name(&system));
	lb_value_set_text(x->arena, runner, "name", x->host->name);
	lb_value_set_text(x->arena, runner, "environment", "self-hosted");
	lb_value_set_text(x->arena, runner, "temp", x->folders.temp);
	lb_value_set_text(x->arena, runner, "tool_cache", x->folders.tools);
	lb_value_set_text(x->arena, runner, "workspace", x->folders.parent);
	if (x->debug)
		lb_value_set_text(x->arena, runner, "debug", "1");
	return runner;
}

/* Expressions are told of the job's own network; a step of another policy has its own variables. */
static void put_addresses(struct runner_execution *x, struct lb_value *github)
{
	static const char *const names[][2] = { { "server_url", "GITHUB_SERVER_URL" },
		                                { "api_url", "GITHUB_API_URL" },
		                                { "graphql_url", "GITHUB_GRAPHQL_URL" } };
	const struct lb_value *all =
		runner_github_variables(x->arena, x->github, runner_services_port(x->full));

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		lb_value_set_string(x->arena, github, names[i][0],
		                    lb_value_get_string(all, names[i][1]));
}

static lb_err github_context(struct lb_value **out, struct runner_execution *x)
{
	const struct lb_value *given = lb_value_get(x->job->contexts, "github");
	struct lb_value *github = given != NULL && given->kind == LB_OBJECT
	                                  ? lb_value_copy(x->arena, given)
	                                  : lb_value_object(x->arena);
	const struct lb_value *event = lb_value_get(github, "event");
	struct lb_buf text;
	const char *path = NULL;
	lb_err err;

	lb_buf_init(&text, x->host->mem, RUNNER_FILE_COMMAND_BYTES_MAX);
	lb_value_write(&text, event != NULL ? event : lb_value_object(x->arena), true);
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = runner_files_write(&path, x, x->folders.temp, ".json", lb_buf_bytes(&text),
		                         NULL);
	lb_buf_release(&text);
	LB_TRY(err);
	lb_value_set_text(x->arena, github, "event_path", path);
	lb_value_set_text(x->arena, github, "workspace", x->folders.workspace);
	lb_value_set_string(x->arena, github, "job", x->job->workflow.job);
	lb_value_set_string(x->arena, github, "token", x->token);
	put_addresses(x, github);
	*out = github;
	return LB_OK;
}

lb_err runner_contexts(struct lb_value **out, struct runner_execution *x)
{
	struct lb_arena *arena = x->arena;
	struct lb_value *all = lb_value_object(arena), *github, *job = lb_value_object(arena);
	struct lb_value *secrets;

	for (uint32_t i = 0; x->job->contexts != NULL && i < x->job->contexts->count; i++) {
		const struct lb_member *member = &x->job->contexts->members[i];

		lb_value_set(arena, all, member->key, lb_value_copy(arena, member->value));
	}
	LB_TRY(github_context(&github, x));
	lb_value_put(arena, all, "github", github);
	lb_value_put(arena, all, "runner", runner_context(x));
	lb_value_set_text(arena, job, "status", "success");
	lb_value_put(arena, all, "job", job);
	lb_value_put(arena, all, "steps", lb_value_object(arena));
	secrets = lb_value_get(all, "secrets") != NULL
	                  ? lb_value_copy(arena, lb_value_get(all, "secrets"))
	                  : lb_value_object(arena);
	lb_value_set_string(arena, secrets, "GITHUB_TOKEN", x->token);
	lb_value_put(arena, all, "secrets", secrets);
	*out = all;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* ---- variables ---- */

struct variables {
	struct runner_execution *x;
	struct lb_value *all; /* object of strings */
};

static void put(struct variables *v, const char *name, struct lb_bytes value)
{
	lb_value_set_string(v->x->arena, v->all, name, value);
}

static void put_object(struct variables *v, const struct lb_value *env)
{
	for (uint32_t i = 0; env != NULL && env->kind == LB_OBJECT && i < env->count; i++)
		lb_value_set(v->x->arena, v->all, env->members[i].key,
		             lb_value_string(v->x->arena,
		                             workflow_to_text(v->x->arena, env->members[i].value)));
}

static void put_context(struct variables *v, const struct lb_value *context, const char *prefix,
                        const char *const *names)
{
	for (; *names != NULL; names++) {
		const struct lb_value *value = lb_value_get(context, *names);
		char name[64];
		size_t len = 0;

		if (value == NULL || value->kind == LB_NULL)
			continue;
		for (const char *p = prefix; *p != '\0'; p++)
			name[len++] = *p;
		for (const char *p = *names; *p != '\0'; p++)
			name[len++] = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		name[len] = '\0';
		put(v, name, workflow_to_text(v->x->arena, value));
	}
}

static void put_path(struct variables *v)
{
	struct lb_bytes under = lb_value_get_string(v->all, "PATH");
	struct lb_arena *arena = v->x->arena;

	if (under.len == 0)
		under = LB_B(default_path);
	for (size_t i = 0; i < v->x->paths.count; i++)
		under = lb_arena_format(arena, "%s:%.*s", *LB_VEC_AT(&v->x->paths, const char *, i),
		                        LB_FMT(under));
	put(v, "PATH", under);
}

static void put_files(struct variables *v, const struct runner_step_run *run)
{
	put(v, "GITHUB_OUTPUT", lb_bytes_of(run->output_file));
	put(v, "GITHUB_ENV", lb_bytes_of(run->env_file));
	put(v, "GITHUB_PATH", lb_bytes_of(run->path_file));
	put(v, "GITHUB_STATE", lb_bytes_of(run->state_file));
	put(v, "GITHUB_STEP_SUMMARY", lb_bytes_of(run->summary_file));
}

static lb_err list(const char *const **out, struct variables *v)
{
	const char **lines = LB_ARENA_NEW(v->x->arena, const char *, (size_t)v->all->count + 1);

	if (lines == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0, count = 0; i < v->all->count; i++) {
		const struct lb_member *member = &v->all->members[i];

		/* What no environment can carry is left out: a name with '=', a NUL. */
		if (member->key.len == 0 || lb_bytes_find_byte(member->key, '=') != SIZE_MAX ||
		    lb_bytes_find_byte(member->key, '\0') != SIZE_MAX)
			continue;
		lines[count++] =
			(const char *)lb_arena_format(v->x->arena, "%.*s=%.*s", LB_FMT(member->key),
		                                      LB_FMT(member->value->string))
				.at;
	}
	*out = lines;
	return v->x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err runner_environment(const char *const **out, struct runner_execution *x,
                          const struct runner_step_run *run, const struct runner_net *net)
{
	struct variables v = { .x = x, .all = lb_value_object(x->arena) };
	const struct runner_frame *frame = run->frame;
	uint16_t port = runner_services_port(net);

	put(&v, "HOME", lb_bytes_of(x->folders.home));
	put(&v, "USER", LB_B("runner"));
	put(&v, "LOGNAME", LB_B("runner"));
	put(&v, "SHELL", LB_B("/bin/bash"));
	put(&v, "LANG", LB_B("C.UTF-8"));
	put_object(&v, x->job->env);
	put_object(&v, run->env);
	put(&v, "CI", LB_B("true"));
	put(&v, "GITHUB_ACTIONS", LB_B("true"));
	put_context(&v, lb_value_get(frame->contexts, "github"), "GITHUB_", github_names);
	put_context(&v, lb_value_get(frame->contexts, "runner"), "RUNNER_", runner_names);
	if (frame->action_path != NULL)
		put(&v, "GITHUB_ACTION_PATH", lb_bytes_of(frame->action_path));
	put(&v, "GITHUB_ACTION", run->step->id);
	put_files(&v, run);
	put_object(&v, runner_github_variables(x->arena, x->github, port));
	if (run->runtime)
		put_object(&v, runner_github_action_variables(x->arena, x->github, port));
	put_object(&v, run->more);
	put_path(&v);
	return list(out, &v);
}
