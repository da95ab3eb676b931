/* git.c - repositories over git's smart HTTP, by `git http-backend`.  See routes.h.
 *
 * The request's body and the answer pass through files without a name, so a slow
 * client or a large pack never holds a thread of the server: the exchange is
 * parked while git works, and a thread of its own waits for git.
 */
#include "base/git/repo.h"
#include "base/io/file.h"
#include "base/platform/process.h"
#include "coordinator/api/routes.h"

#include <pthread.h>
#include <stdio.h>

#define REQUEST_BYTES_MAX (UINT64_C(8) << 30)

enum { CHILDREN_MAX = 32, HEAD_BYTES_MAX = 8192, TIMEOUT_MS = 30 * 60 * 1000, ENV_MAX = 32 };

/* One request.  Shared by the exchange and the waiting thread; the last one frees it. */
struct git_call {
	struct coord_api *api;
	int in, out; /* files; -1: none */
	uint64_t in_size;
	uint64_t topic;
	struct plat_process process;
	pthread_mutex_t lock; /* over the three below */
	bool running, abandoned, done;
	struct plat_exit exit;
	unsigned references; /* under the lock */
	uint64_t body_at;    /* where the answer's body begins in `out` */
};

/* ---- life ---- */

static void free_call(struct git_call *call)
{
	struct plat *plat = call->api->plat;

	if (call->in >= 0)
		plat->ops->close(plat, call->in);
	if (call->out >= 0)
		plat->ops->close(plat, call->out);
	(void)pthread_mutex_destroy(&call->lock);
	LB_DROP(call->api->mem, call, 1);
}

static void decref(struct git_call *call)
{
	unsigned left;

	(void)pthread_mutex_lock(&call->lock);
	left = --call->references;
	(void)pthread_mutex_unlock(&call->lock);
	if (left == 0)
		free_call(call);
}

/* The exchange is over; a git that still works has nobody to answer. */
static void end_call(void *state)
{
	struct git_call *call = state;

	if (call == NULL)
		return;
	(void)pthread_mutex_lock(&call->lock);
	call->abandoned = true;
	if (call->running && !call->done)
		plat_process_signal(&call->process, PLAT_KILL);
	(void)pthread_mutex_unlock(&call->lock);
	decref(call);
}

/* A file that has no name any more: it is gone with the last who has it open. */
static lb_err open_nameless(int *out, struct coord_api *api, const char *kind)
{
	static _Atomic unsigned count;
	char path[COORD_PATH_SIZE + 64];

	(void)snprintf(path, sizeof path, "%s/git-%s-%u", api->temporary, kind,
	               atomic_fetch_add(&count, 1));
	LB_TRY(api->plat->ops->open(out, api->plat, path,
	                            PLAT_READ | PLAT_WRITE | PLAT_CREATE | PLAT_TRUNCATE |
	                                    PLAT_PRIVATE | PLAT_NOFOLLOW));
	return api->plat->ops->remove(api->plat, path);
}

static lb_err call_of(struct git_call **out, struct lb_http_exchange *x, struct coord_api *api)
{
	static _Atomic uint64_t topics;
	struct git_call *call = x->state;

	*out = call;
	if (call != NULL)
		return LB_OK;
	call = LB_NEW(api->mem, struct git_call, 1);
	if (call == NULL)
		return lb_err_of(LB_E_NOMEM);
	call->api = api;
	call->in = call->out = -1;
	call->references = 1;
	call->topic = coord_topic(COORD_TOPIC_GIT, atomic_fetch_add(&topics, 1));
	(void)pthread_mutex_init(&call->lock, NULL);
	x->state = call;
	x->ended = end_call;
	*out = call;
	LB_TRY(open_nameless(&call->in, api, "in"));
	return open_nameless(&call->out, api, "out");
}

/* ---- receiving ---- */

lb_err coord_api_git_receive(struct lb_http_exchange *x, void *ctx, struct lb_bytes part)
{
	struct coord_api *api = ctx;
	struct git_call *call;

	LB_TRY(call_of(&call, x, api));
	if (part.len > REQUEST_BYTES_MAX - call->in_size)
		return lb_fail(&x->diag, LB_E_LIMIT, "the request is larger than %llu bytes",
		               (unsigned long long)REQUEST_BYTES_MAX);
	LB_TRY(api->plat->ops->write_at(api->plat, call->in, part.at, part.len, call->in_size));
	call->in_size += part.len;
	return LB_OK;
}

/* ---- the child ---- */

static void *wait_for_git(void *ctx)
{
	struct git_call *call = ctx;
	struct coord_api *api = call->api;
	struct plat_exit status = { 0 };

	if (lb_failed(plat_process_wait(&status, &call->process, TIMEOUT_MS))) {
		plat_process_signal(&call->process, PLAT_KILL);
		lb_ignore(plat_process_wait(&status, &call->process, UINT64_MAX));
		status.signaled = true;
	}
	(void)pthread_mutex_lock(&call->lock);
	call->exit = status;
	call->done = true;
	/* Under the lock: an exchange that is over may have taken its server with it. */
	if (!call->abandoned)
		lb_http_wake(api->server, call->topic);
	(void)pthread_mutex_unlock(&call->lock);
	decref(call);
	(void)pthread_mutex_lock(&api->children_lock);
	api->children--;
	(void)pthread_cond_broadcast(&api->children_over);
	(void)pthread_mutex_unlock(&api->children_lock);
	return NULL;
}

static bool take_child(struct coord_api *api)
{
	bool taken;

	(void)pthread_mutex_lock(&api->children_lock);
	taken = api->children < CHILDREN_MAX;
	if (taken)
		api->children++;
	(void)pthread_mutex_unlock(&api->children_lock);
	return taken;
}

static void give_child_back(struct coord_api *api)
{
	(void)pthread_mutex_lock(&api->children_lock);
	api->children--;
	(void)pthread_mutex_unlock(&api->children_lock);
}

void coord_api_wait_for_git(struct coord_api *api)
{
	(void)pthread_mutex_lock(&api->children_lock);
	while (api->children > 0)
		(void)pthread_cond_wait(&api->children_over, &api->children_lock);
	(void)pthread_mutex_unlock(&api->children_lock);
}

struct environment {
	struct lb_arena *arena;
	const char *at[ENV_MAX + 1];
	unsigned count;
};

static void set(struct environment *env, const char *name, struct lb_bytes value)
{
	struct lb_bytes line = lb_arena_format(env->arena, "%s=%.*s", name, LB_FMT(value));

	assert(env->count < ENV_MAX);
	if (line.at != NULL)
		env->at[env->count++] = (const char *)line.at;
}

static void set_header(struct environment *env, const char *name, const struct lb_http_exchange *x,
                       const char *header)
{
	struct lb_bytes value = lb_http_request_header(x, header);

	if (value.len > 0)
		set(env, name, value);
}

/* RFC 3875.  Any commit of a mirror may be fetched by its name, and what git stores reaches the
 * disk before it answers. */
static void make_environment(struct environment *env, struct lb_http_exchange *x,
                             const struct coord_api *api, const struct git_call *call)
{
	static const char *const settings[][2] = {
		{ "uploadpack.allowAnySHA1InWant", "true" },
		{ "core.fsync", "all" },
		{ "receive.autogc", "false" },
	};
	const char *search = plat_getenv("PATH");

	set(env, "PATH", lb_bytes_of(search != NULL ? search : "/usr/bin:/bin"));
	set(env, "HOME", lb_bytes_of(api->state));
	set(env, "GIT_CONFIG_NOSYSTEM", LB_B("1"));
	set(env, "GIT_CONFIG_GLOBAL", LB_B("/dev/null"));
	set(env, "GIT_PROJECT_ROOT", lb_bytes_of(api->repositories));
	set(env, "GIT_HTTP_EXPORT_ALL", LB_B("1"));
	set(env, "REMOTE_USER", LB_B("lifeboat"));
	set(env, "REMOTE_ADDR", LB_B("127.0.0.1"));
	set(env, "REQUEST_METHOD", lb_bytes_of(x->method));
	set(env, "PATH_INFO", lb_bytes_from(lb_bytes_of(x->path), strlen("/git")));
	set(env, "QUERY_STRING", lb_http_query_string(x));
	set(env, "CONTENT_LENGTH",
	    lb_arena_format(env->arena, "%llu", (unsigned long long)call->in_size));
	set_header(env, "CONTENT_TYPE", x, "Content-Type");
	set_header(env, "HTTP_CONTENT_ENCODING", x, "Content-Encoding");
	set_header(env, "GIT_PROTOCOL", x, "Git-Protocol");
	set(env, "GIT_CONFIG_COUNT", LB_B("3"));
	for (unsigned i = 0; i < 3; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "GIT_CONFIG_KEY_%u", i);
		set(env, name, lb_bytes_of(settings[i][0]));
		(void)snprintf(name, sizeof name, "GIT_CONFIG_VALUE_%u", i);
		set(env, name, lb_bytes_of(settings[i][1]));
	}
	env->at[env->count] = NULL;
}

static lb_err start_thread(struct git_call *call)
{
	pthread_attr_t attr;
	pthread_t thread;
	int status;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	call->references++;
	call->running = true;
	status = pthread_create(&thread, &attr, wait_for_git, call);
	(void)pthread_attr_destroy(&attr);
	if (status == 0)
		return LB_OK;
	call->references--;
	call->running = false;
	plat_process_signal(&call->process, PLAT_KILL);
	lb_ignore(plat_process_wait(&call->exit, &call->process, UINT64_MAX));
	return lb_err_of(LB_E_NOMEM);
}

static lb_err start_git(struct lb_http_exchange *x, struct coord_api *api, struct git_call *call)
{
	static const char *const argv[] = { "git", "http-backend", NULL };
	struct environment env = { .arena = &x->arena };
	struct plat_spawn how = { .argv = argv, .envp = env.at, .err = -1 };
	lb_err err;

	make_environment(&env, x, api, call);
	if (x->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	how.in = call->in;
	how.out = call->out;
	if (!take_child(api))
		return lb_fail(&x->diag, LB_E_BUSY, "%d git requests are being served already",
		               CHILDREN_MAX);
	err = plat_spawn(&call->process, &how);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		lb_diag_set(&x->diag, "the program git is not installed");
	if (!lb_failed(err))
		err = start_thread(call);
	if (lb_failed(err))
		give_child_back(api);
	return err;
}

/* ---- the answer ---- */

static lb_err pull_answer(size_t *got, void *ctx, unsigned char *to, size_t size)
{
	struct git_call *call = ctx;
	struct plat *plat = call->api->plat;

	LB_TRY(plat->ops->read_at(got, plat, call->out, to, size, call->body_at));
	call->body_at += *got;
	return *got > 0 ? LB_OK : lb_err_of(LB_E_END);
}

static void pass_header(struct lb_http_exchange *x, struct lb_bytes line, int *status,
                        const char **type)
{
	struct lb_bytes name = lb_bytes_upto(line, lb_bytes_find_byte(line, ':'));
	struct lb_bytes value = lb_bytes_trim(lb_bytes_from(line, name.len + 1));
	char *text = lb_arena_text(&x->arena, value);
	uint64_t number;

	if (text == NULL)
		return;
	if (lb_bytes_eq_nocase(name, LB_B("status"))) {
		if (!lb_failed(lb_bytes_u64(&number, lb_bytes_upto(value, 3), 599)) &&
		    number >= 200)
			*status = (int)number;
	} else if (lb_bytes_eq_nocase(name, LB_B("content-type"))) {
		*type = text;
	} else if (lb_bytes_eq_nocase(name, LB_B("cache-control")) ||
	           lb_bytes_eq_nocase(name, LB_B("expires")) ||
	           lb_bytes_eq_nocase(name, LB_B("pragma"))) {
		lb_http_add_header(x, lb_arena_text(&x->arena, name), text);
	}
}

/* Lines up to an empty one, then the body. */
static lb_err answer_cgi(struct lb_http_exchange *x, struct coord_api *api, struct git_call *call)
{
	unsigned char *head = lb_arena_alloc(&x->arena, 1, HEAD_BYTES_MAX);
	struct lb_bytes rest, line;
	const char *type = NULL;
	size_t len = 0;
	int status = 200;

	if (head == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(api->plat->ops->read_at(&len, api->plat, call->out, head, HEAD_BYTES_MAX, 0));
	rest = (struct lb_bytes){ head, len };
	while (lb_bytes_split(&line, &rest, '\n')) {
		line = lb_bytes_trim(line);
		if (line.len == 0)
			break;
		pass_header(x, line, &status, &type);
	}
	if (type == NULL && status >= 400 && status < 500)
		return lb_fail(&x->diag, LB_E_DENIED, "git does not serve this (%d)", status);
	if (type == NULL || rest.at == NULL)
		return lb_fail(&x->diag, LB_E_IO, "git http-backend gave no answer");
	call->body_at = (uint64_t)(rest.at - head);
	lb_http_answer_stream(x, status, type, pull_answer, call, call->topic, 1000);
	return LB_OK;
}

/* ---- mirrors ---- */

static bool resolves(struct lb_repo *repo, const char *ref)
{
	char sha[LB_SHA_HEX + 1];

	return !lb_failed(lb_repo_resolve(sha, repo, ref, NULL));
}

/* The default branch is what HEAD names; a new mirror's names one that may never come. */
static lb_err settle_head(struct coord_api *api, struct lb_repo *repo, const char *path)
{
	static const char *const usual[] = { "refs/heads/main", "refs/heads/master" };
	char file[COORD_PATH_SIZE + 8], line[64];

	if (resolves(repo, "HEAD"))
		return LB_OK;
	for (unsigned i = 0; i < 2; i++) {
		if (!resolves(repo, usual[i]))
			continue;
		(void)snprintf(file, sizeof file, "%s/HEAD", path);
		(void)snprintf(line, sizeof line, "ref: %s\n", usual[i]);
		return lb_file_write(api->plat, file, lb_bytes_of(line), 0, NULL);
	}
	return LB_OK;
}

/* The mirror is there before the first push, and has a HEAD after it. */
static lb_err prepare_mirror(struct lb_http_exchange *x, struct coord_api *api, bool pushes)
{
	struct lb_bytes repository = lb_http_param(x, "name"), name;
	struct lb_repo *repo = NULL;
	char path[COORD_PATH_SIZE];
	lb_err err;

	name = lb_arena_format(&x->arena, "%.*s/%.*s", LB_FMT(lb_http_param(x, "owner")),
	                       LB_FMT(lb_bytes_upto(repository, repository.len - 4)));
	LB_TRY(coord_repository_path(path, sizeof path, api->repositories, name));
	if (!pushes) {
		err = lb_repo_open(&repo, api->mem, path, false, NULL);
		lb_repo_free(repo);
		return lb_failed(err) ? lb_fail(&x->diag, LB_E_NOTFOUND,
		                                "there is no repository %.*s here", LB_FMT(name))
		                      : LB_OK;
	}
	LB_TRY(lb_file_make_folders(
		api->plat,
		lb_arena_text(&x->arena,
	                      lb_bytes_upto(lb_bytes_of(path),
	                                    lb_bytes_rfind_byte(lb_bytes_of(path), '/'))),
		&x->diag));
	LB_TRY(lb_repo_open_bare(&repo, api->mem, path, &x->diag));
	err = settle_head(api, repo, path);
	lb_repo_free(repo);
	return err;
}

static bool is_push(const struct lb_http_exchange *x)
{
	return lb_bytes_is(lb_http_query(x, "service"), "git-receive-pack") ||
	       lb_bytes_ends(lb_bytes_of(x->path), LB_B("/git-receive-pack"));
}

static bool is_done(struct git_call *call)
{
	bool done;

	(void)pthread_mutex_lock(&call->lock);
	done = call->done;
	(void)pthread_mutex_unlock(&call->lock);
	return done;
}

void coord_api_git(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct git_call *call;
	uint64_t ticket;
	lb_err err = call_of(&call, x, api);

	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	ticket = lb_http_ticket(api->server, call->topic);
	if (!call->running) {
		err = prepare_mirror(x, api, is_push(x));
		if (!lb_failed(err))
			err = start_git(x, api, call);
	} else if (is_done(call)) {
		if (is_push(x))
			lb_ignore(prepare_mirror(x, api, true)); /* the push itself is done */
		err = answer_cgi(x, api, call);
		if (!lb_failed(err))
			return;
	}
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_park(x, call->topic, ticket, TIMEOUT_MS);
}
