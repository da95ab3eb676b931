/* submit.c - starting a run of a checkout's HEAD. */
#include "base/git/repo.h"
#include "base/io/file.h"
#include "base/io/run.h"
#include "coordinator/client/client.h"

#include <stdio.h>
#include <unistd.h>

enum { TEXT_MAX = 64 << 10, ENVIRONMENT_MAX = 4096 };

/* "git@host:owner/name.git", "https://host/owner/name" and the like: the last two parts. */
static bool name_of_url(struct lb_buf *out, struct lb_bytes url)
{
	size_t slash, before;
	struct lb_bytes owner;

	url = lb_bytes_trim(url);
	if (lb_bytes_ends(url, LB_B(".git")))
		url.len -= 4;
	slash = lb_bytes_rfind_byte(url, '/');
	if (slash == SIZE_MAX || slash == 0 || slash + 1 == url.len)
		return false;
	owner = lb_bytes_upto(url, slash);
	before = lb_bytes_rfind_byte(owner, '/');
	if (before == SIZE_MAX)
		before = lb_bytes_rfind_byte(owner, ':');
	if (before != SIZE_MAX)
		owner = lb_bytes_from(owner, before + 1);
	if (owner.len == 0)
		return false;
	lb_buf_add(out, owner);
	lb_buf_add_byte(out, '/');
	lb_buf_add(out, lb_bytes_from(url, slash + 1));
	return true;
}

lb_err coord_repository_name(struct lb_buf *out, struct lb_repo *repo)
{
	struct lb_buf url;
	lb_err err;
	bool named;

	lb_buf_init(&url, out->mem, TEXT_MAX);
	err = lb_repo_remote_url(&url, repo, "origin");
	named = !lb_failed(err) && name_of_url(out, lb_buf_bytes(&url));
	lb_buf_release(&url);
	if (!named) {
		lb_buf_add_text(out, "local/");
		lb_buf_add(out, lb_path_name(lb_bytes_of(lb_repo_top(repo))));
	}
	return lb_buf_check(out);
}

/* What is submitted, found out once. */
struct submission {
	char sha[LB_SHA_HEX + 1];
	const char *top, *repository, *ref;
};

static lb_err look(struct submission *out, struct coord_client *client, struct lb_repo *repo)
{
	struct lb_arena *arena = &client->arena;
	struct lb_buf name, ref;
	lb_err err;

	lb_buf_init(&name, arena->under, TEXT_MAX);
	lb_buf_init(&ref, arena->under, TEXT_MAX);
	err = lb_repo_resolve(out->sha, repo, "HEAD", client->diag);
	if (!lb_failed(err))
		err = coord_repository_name(&name, repo);
	if (!lb_failed(err))
		err = lb_repo_head_ref(&ref, repo, client->diag);
	out->top = lb_arena_text(arena, lb_bytes_of(lb_repo_top(repo)));
	out->repository = lb_arena_text(arena, lb_buf_bytes(&name));
	out->ref = ref.len > 0 ? lb_arena_text(arena, lb_buf_bytes(&ref)) : "refs/heads/detached";
	lb_buf_release(&ref);
	lb_buf_release(&name);
	if (!lb_failed(err) && arena->failed)
		err = lb_err_of(LB_E_NOMEM);
	return err;
}

/* The token goes through the environment: arguments are for everyone on the machine to read. */
static lb_err push(struct coord_client *client, const struct submission *what)
{
	struct lb_arena *arena = &client->arena;
	const char *argv[] = { "git",
		               "push",
		               "--quiet",
		               "--force",
		               lb_arena_text(arena, lb_arena_format(arena, "%s/git/%s.git",
		                                                    client->url, what->repository)),
		               lb_arena_text(arena,
		                             lb_arena_format(arena, "%s:%s", what->sha, what->ref)),
		               NULL };
	const char *more[] = { "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.extraHeader",
		               lb_arena_text(arena, lb_arena_format(arena, "GIT_CONFIG_VALUE_0=%s",
		                                                    client->auth)),
		               "GIT_TERMINAL_PROMPT=0" };
	const char **envp = LB_ARENA_NEW(arena, const char *, ENVIRONMENT_MAX + 8);
	struct lb_run how = { .argv = argv, .cwd = what->top, .timeout_ms = 600000 };
	struct lb_buf out;
	size_t count = 0;
	lb_err err;

	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	for (; count < ENVIRONMENT_MAX && environ[count] != NULL; count++)
		envp[count] = environ[count];
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
		envp[count++] = more[i];
	how.envp = envp;
	lb_buf_init(&out, arena->under, TEXT_MAX);
	err = lb_run_ok(&how, &out, client->diag);
	lb_buf_release(&out);
	if (lb_failed(err))
		lb_diag_prefix(client->diag, "pushing %.12s to the coordinator", what->sha);
	return err;
}

static struct lb_value *inputs_of(struct coord_client *client, const char *const *inputs)
{
	struct lb_value *object = lb_value_object(&client->arena);

	for (; inputs != NULL && *inputs != NULL; inputs++) {
		struct lb_bytes name, value = lb_bytes_of(*inputs);

		if (lb_bytes_split(&name, &value, '='))
			lb_value_set(&client->arena, object, name,
			             lb_value_string(&client->arena, value));
	}
	return object;
}

static lb_err ask_for_run(uint64_t *run, bool *unknown, struct coord_client *client,
                          const struct lb_value *body)
{
	const struct lb_value *answer;
	lb_err err = coord_client_ask(&answer, client, "POST", "/api/v1/runs", body);

	*unknown = lb_failed(err) &&
	           lb_bytes_is(lb_value_get_string(answer, "code"), "unknown_commit");
	LB_TRY(err);
	return lb_value_get_u64(run, answer, "id");
}

lb_err coord_submit(uint64_t *run, struct coord_client *client, const struct coord_submit *what)
{
	struct lb_arena *arena = &client->arena;
	struct submission found = { 0 };
	struct lb_value *body;
	struct lb_repo *repo;
	bool unknown;
	lb_err err;

	LB_TRY(lb_repo_open(&repo, arena->under, what->checkout != NULL ? what->checkout : ".",
	                    true, client->diag));
	err = look(&found, client, repo);
	lb_repo_free(repo);
	LB_TRY(err);
	body = lb_value_object(arena);
	lb_value_set_text(arena, body, "repository", found.repository);
	lb_value_set_text(arena, body, "ref", found.ref);
	lb_value_set_text(arena, body, "sha", found.sha);
	lb_value_set_text(arena, body, "workflow", what->workflow);
	lb_value_set_text(arena, body, "event",
	                  what->event != NULL ? what->event : "workflow_dispatch");
	lb_value_put(arena, body, "inputs", inputs_of(client, what->inputs));
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	err = ask_for_run(run, &unknown, client, body);
	if (!unknown)
		return err;
	LB_TRY(push(client, &found));
	return ask_for_run(run, &unknown, client, body);
}
