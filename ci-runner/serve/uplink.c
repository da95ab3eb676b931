/* uplink.c - see uplink.h.
 *
 * One mutex guards everything that both threads touch; no request is made while it is held.  What
 * comes first when several things are to be said: the renewal when it is due, the log, the steps,
 * the result.
 */
#include "ci-runner/serve/uplink.h"

#include "base/data/json.h"
#include "base/vec.h"
#include "ci-runner/log/spool.h"
#include "ci-runner/serve/remote_priv.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum {
	CHUNK_BYTES = 1024 * 1024,
	ANSWER_BYTES_MAX = 64 * 1024,
	RESULT_BYTES_MAX = 64 * 1024 * 1024,
	STEPS_MAX = 20000,
	PAUSE_MS_FIRST = 25,
	REQUEST_MS = 10000
};

struct step {
	struct runner_step_state state; /* its name is owned */
	bool told;
};

struct runner_uplink {
	struct runner_remote remote; /* first member: the link */
	struct lb_mem *mem;
	struct plat *plat;
	struct runner_uplink_options options;
	struct lb_http_client *client; /* the thread's own */
	struct runner_lease lease;
	struct lb_buf chunk;

	pthread_mutex_t lock;
	pthread_cond_t wake; /* something is to be said, or the spool has room again */
	pthread_t thread;
	bool runs;

	/* guarded */
	struct runner_spool spool;
	struct lb_vec steps; /* of struct step, by number - 1 */
	uint64_t renew_ns;
	struct lb_buf result;
	bool finishing, finished, lost;
	_Atomic bool give_up; /* ends a request under way */
};

static uint64_t now_ns(const struct runner_uplink *u) { return u->plat->ops->now_ns(u->plat); }

static void wait_until(struct runner_uplink *u, uint64_t until_ns)
{
	struct timespec until = { .tv_sec = (time_t)(until_ns / UINT64_C(1000000000)),
		                  .tv_nsec = (long)(until_ns % UINT64_C(1000000000)) };

	(void)pthread_cond_timedwait(&u->wake, &u->lock, &until);
}

/* ---- requests, made by the thread ---- */

enum told { TOLD, TOLD_NOT, TOLD_STALE };

struct reply {
	int status;
	uint64_t size; /* the answer's; UINT64_MAX: it has none */
	bool cancel;
};

static void read_reply(struct runner_uplink *u, struct reply *reply, struct lb_bytes body)
{
	struct lb_arena arena;
	struct lb_value *value;

	lb_arena_init(&arena, u->mem);
	if (!lb_failed(lb_json_read(&value, &arena, body, NULL))) {
		if (lb_failed(lb_value_get_u64(&reply->size, value, "size")))
			reply->size = UINT64_MAX;
		reply->cancel = lb_value_get_bool(value, "cancel");
	}
	lb_arena_release(&arena);
}

/* A status of 0: no answer came. */
static void request(struct runner_uplink *u, struct reply *reply, const char *method,
                    const char *what, const char *type, struct lb_bytes body)
{
	struct lb_http_answer answer = { .status = 0 };
	struct runner_remote_head head;
	struct lb_diag diag;
	lb_err err;

	*reply = (struct reply){ .size = UINT64_MAX };
	lb_buf_init(&answer.body, u->mem, ANSWER_BYTES_MAX);
	lb_buf_init(&answer.headers, u->mem, ANSWER_BYTES_MAX);
	err = runner_remote_head(&head, &u->remote, what, type);
	if (!lb_failed(err))
		err = lb_http_ask(u->client,
		                  &(struct lb_http_ask){ .method = method,
		                                         .url = head.url,
		                                         .headers = head.headers,
		                                         .body = body,
		                                         .timeout_ms = REQUEST_MS,
		                                         .connect_ms = 2000,
		                                         .cancel = &u->give_up },
		                  &answer, &diag);
	if (!lb_failed(err)) {
		reply->status = answer.status;
		read_reply(u, reply, lb_buf_bytes(&answer.body));
	}
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
	if (reply->cancel)
		runner_stop_raise(u->options.stop, RUNNER_STOP_CANCEL);
}

/* What most answers mean. */
static enum told judge(struct runner_uplink *u, const struct reply *reply, const char *what)
{
	if (reply->status >= 200 && reply->status < 300)
		return TOLD;
	if (reply->status == 409 || reply->status == 401 || reply->status == 403 ||
	    reply->status == 404)
		return TOLD_STALE;
	if (reply->status >= 400 && reply->status < 500)
		lb_log(u->options.log, LB_LOG_WARN, "the coordinator refused a write",
		       LB_FIELD("what", what), LB_COUNT("status", (uint64_t)reply->status));
	return TOLD_NOT;
}

static enum told renew(struct runner_uplink *u)
{
	struct reply reply;
	enum told told;

	request(u, &reply, "POST", "renew", NULL, (struct lb_bytes){ 0 });
	told = judge(u, &reply, "renew");
	(void)pthread_mutex_lock(&u->lock);
	/* While it cannot be said, it is tried again with everything else. */
	if (told == TOLD)
		u->renew_ns = now_ns(u) + u->lease.lease_ms * UINT64_C(1000000) / 3;
	(void)pthread_mutex_unlock(&u->lock);
	return told;
}

/* The coordinator says what it has: that much is safe. */
static enum told agree(struct runner_uplink *u, uint64_t size)
{
	lb_err err;

	(void)pthread_mutex_lock(&u->lock);
	err = runner_spool_acknowledge(&u->spool, size);
	(void)pthread_cond_broadcast(&u->wake);
	(void)pthread_mutex_unlock(&u->lock);
	if (lb_failed(err)) {
		lb_log(u->options.log, LB_LOG_ERROR, "the coordinator has another log of this job",
		       LB_COUNT("size", size));
		return TOLD_STALE;
	}
	return TOLD;
}

static enum told ship_log(struct runner_uplink *u)
{
	char what[64];
	struct reply reply;
	lb_err err;

	lb_buf_reset(&u->chunk);
	(void)pthread_mutex_lock(&u->lock);
	err = runner_spool_peek(&u->chunk, &u->spool, CHUNK_BYTES);
	(void)snprintf(what, sizeof what, "log?offset=%llu",
	               (unsigned long long)u->spool.acknowledged);
	(void)pthread_mutex_unlock(&u->lock);
	if (lb_failed(err))
		return TOLD_NOT;
	request(u, &reply, "PUT", what, "text/plain", lb_buf_bytes(&u->chunk));
	if ((reply.status == 200 || reply.status == 416) && reply.size != UINT64_MAX)
		return agree(u, reply.size);
	return judge(u, &reply, "log");
}

static lb_err write_steps(struct lb_buf *out, struct runner_uplink *u)
{
	struct lb_arena arena;
	struct lb_value *body, *list;
	lb_err err;

	lb_arena_init(&arena, u->mem);
	body = lb_value_object(&arena);
	list = lb_value_array(&arena);
	(void)pthread_mutex_lock(&u->lock);
	for (size_t i = 0; i < u->steps.count; i++) {
		struct step *step = LB_VEC_AT(&u->steps, struct step, i);

		if (!step->told && step->state.number != 0)
			lb_value_add(&arena, list, runner_step_value(&arena, &step->state));
		step->told = true;
	}
	(void)pthread_mutex_unlock(&u->lock);
	lb_value_put(&arena, body, "steps", list);
	err = arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
	lb_value_write(out, body, false);
	lb_arena_release(&arena);
	return lb_failed(err) ? err : lb_buf_check(out);
}

static enum told ship_steps(struct runner_uplink *u)
{
	struct reply reply = { .status = 0 };
	enum told told = TOLD_NOT;
	struct lb_buf body;

	lb_buf_init(&body, u->mem, RESULT_BYTES_MAX);
	if (!lb_failed(write_steps(&body, u))) {
		request(u, &reply, "POST", "steps", "application/json", lb_buf_bytes(&body));
		told = judge(u, &reply, "steps");
	}
	lb_buf_release(&body);
	/* What was not heard is said again, what was refused is part of the result. */
	if (told == TOLD_NOT && (reply.status < 400 || reply.status >= 500)) {
		(void)pthread_mutex_lock(&u->lock);
		for (size_t i = 0; i < u->steps.count; i++)
			LB_VEC_AT(&u->steps, struct step, i)->told = false;
		(void)pthread_mutex_unlock(&u->lock);
		return TOLD_NOT;
	}
	return told == TOLD_STALE ? TOLD_STALE : TOLD;
}

static enum told ship_result(struct runner_uplink *u)
{
	struct reply reply;
	enum told told;

	/* Written before `finishing` was set, and not after it. */
	request(u, &reply, "POST", "complete", "application/json", lb_buf_bytes(&u->result));
	if (reply.status == 409 && reply.size != UINT64_MAX)
		return agree(u, reply.size);
	told = judge(u, &reply, "complete");
	if (told == TOLD) {
		(void)pthread_mutex_lock(&u->lock);
		u->finished = true;
		(void)pthread_cond_broadcast(&u->wake);
		(void)pthread_mutex_unlock(&u->lock);
	}
	return told;
}

/* ---- the thread ---- */

static bool steps_to_tell(const struct runner_uplink *u)
{
	for (size_t i = 0; i < u->steps.count; i++) {
		if (!LB_VEC_AT(&u->steps, struct step, i)->told)
			return true;
	}
	return false;
}

/* What to do next, with the lock held; NULL: wait. */
static enum told (*next_work(const struct runner_uplink *u))(struct runner_uplink *u)
{
	if (now_ns(u) >= u->renew_ns)
		return renew;
	if (runner_spool_left(&u->spool) > 0)
		return ship_log;
	if (steps_to_tell(u))
		return ship_steps;
	return u->finishing && !u->finished ? ship_result : NULL;
}

static void pause_for(struct runner_uplink *u, uint64_t ms)
{
	uint64_t until = now_ns(u) + ms * UINT64_C(1000000);

	while (!u->give_up && now_ns(u) < until)
		wait_until(u, until);
}

static void lose(struct runner_uplink *u)
{
	u->lost = true;
	u->give_up = true;
	(void)pthread_cond_broadcast(&u->wake);
	runner_stop_raise(u->options.stop, RUNNER_STOP_FORGET);
}

static void *work(void *ctx)
{
	struct runner_uplink *u = ctx;
	uint64_t pause_ms = PAUSE_MS_FIRST;

	(void)pthread_mutex_lock(&u->lock);
	while (!u->lost && !u->finished && !u->give_up) {
		enum told (*say)(struct runner_uplink * u) = next_work(u);
		enum told told;

		if (say == NULL) {
			wait_until(u, u->renew_ns);
			continue;
		}
		(void)pthread_mutex_unlock(&u->lock);
		told = say(u);
		(void)pthread_mutex_lock(&u->lock);
		if (told == TOLD_STALE) {
			lose(u);
		} else if (told == TOLD_NOT) {
			pause_for(u, pause_ms);
			pause_ms = pause_ms * 2 < u->options.pause_ms_max ? pause_ms * 2
			                                                  : u->options.pause_ms_max;
		} else {
			pause_ms = PAUSE_MS_FIRST;
		}
	}
	(void)pthread_mutex_unlock(&u->lock);
	return NULL;
}

/* ---- the link ---- */

static struct runner_uplink *uplink_of(struct runner_link *link)
{
	return (struct runner_uplink *)link; /* remote is its first member, the link remote's */
}

static void link_log(struct runner_link *link, struct lb_bytes lines)
{
	struct runner_uplink *u = uplink_of(link);

	(void)pthread_mutex_lock(&u->lock);
	/* Memory and disk are full: the job waits until the coordinator took some. */
	while (!u->lost && !u->give_up && lb_failed(runner_spool_add(&u->spool, lines)))
		wait_until(u, now_ns(u) + UINT64_C(200000000));
	(void)pthread_cond_broadcast(&u->wake);
	(void)pthread_mutex_unlock(&u->lock);
}

static void drop_step(struct runner_uplink *u, struct step *step)
{
	/* Ours: copied by lb_mem_text. */
	lb_mem_drop(u->mem, (void *)(uintptr_t)step->state.name.at,
	            step->state.name.at != NULL ? step->state.name.len + 1 : 0, 1);
	step->state.name = (struct lb_bytes){ 0 };
}

static void keep_step(struct runner_uplink *u, const struct runner_step_state *state)
{
	struct step *step;
	char *name;

	while (u->steps.count < state->number) {
		step = lb_vec_add(&u->steps);
		if (step == NULL) {
			u->steps.failure = LB_OK;
			return; /* the result says it again */
		}
		step->told = true;
	}
	step = LB_VEC_AT(&u->steps, struct step, state->number - 1);
	name = lb_mem_text(u->mem, (const char *)state->name.at, state->name.len);
	if (name == NULL)
		return;
	drop_step(u, step);
	step->state = *state;
	step->state.name = (struct lb_bytes){ (unsigned char *)name, state->name.len };
	step->told = false;
}

static void link_step(struct runner_link *link, const struct runner_step_state *state)
{
	struct runner_uplink *u = uplink_of(link);

	(void)pthread_mutex_lock(&u->lock);
	keep_step(u, state);
	(void)pthread_cond_broadcast(&u->wake);
	(void)pthread_mutex_unlock(&u->lock);
}

struct runner_link *runner_uplink_link(struct runner_uplink *uplink)
{
	return &uplink->remote.link;
}

/* ---- life ---- */

static const struct runner_link_ops ops = {
	.log = link_log,
	.step = link_step,
	.artifact_put = runner_remote_artifact_put,
	.artifact_list = runner_remote_artifact_list,
	.artifact_get = runner_remote_artifact_get,
	.cache_find = runner_remote_cache_find,
	.cache_get = runner_remote_cache_get,
	.cache_put = runner_remote_cache_put,
	.ask = runner_remote_ask,
	.fetch = runner_remote_fetch,
};

lb_err runner_uplink_new(struct runner_uplink **out, struct lb_mem *mem, struct plat *plat,
                         const struct runner_uplink_options *options, struct lb_diag *diag)
{
	struct runner_uplink *u = LB_NEW(mem, struct runner_uplink, 1);
	pthread_condattr_t monotonic;
	lb_err err;

	*out = NULL;
	if (u == NULL)
		return lb_err_of(LB_E_NOMEM);
	u->mem = mem;
	u->plat = plat;
	u->options = *options;
	if (u->options.pause_ms_max == 0)
		u->options.pause_ms_max = 2000;
	u->remote = (struct runner_remote){ .link = { &ops },
		                            .mem = mem,
		                            .plat = plat,
		                            .coordinator = options->coordinator,
		                            .stop = options->stop,
		                            .give_up = &u->give_up };
	(void)pthread_mutex_init(&u->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&u->wake, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	lb_buf_init(&u->chunk, mem, CHUNK_BYTES);
	err = lb_http_client_new(&u->client, mem);
	if (!lb_failed(err))
		err = lb_http_client_new(&u->remote.client, mem);
	if (lb_failed(err)) {
		lb_diag_set(diag, "no HTTP client: %s", lb_err_text(err));
		runner_uplink_free(u);
		return err;
	}
	*out = u;
	return LB_OK;
}

void runner_uplink_free(struct runner_uplink *uplink)
{
	if (uplink == NULL)
		return;
	lb_http_client_free(uplink->remote.client);
	lb_http_client_free(uplink->client);
	lb_buf_release(&uplink->chunk);
	(void)pthread_cond_destroy(&uplink->wake);
	(void)pthread_mutex_destroy(&uplink->lock);
	LB_DROP(uplink->mem, uplink, 1);
}

lb_err runner_uplink_begin(struct runner_uplink *u, const struct runner_lease *lease,
                           struct lb_diag *diag)
{
	u->lease = *lease;
	u->remote.lease = *lease;
	u->finishing = u->finished = u->lost = false;
	u->give_up = false;
	runner_spool_init(&u->spool, u->mem, u->plat, u->options.spool, 0);
	lb_vec_init(&u->steps, u->mem, sizeof(struct step), STEPS_MAX);
	lb_buf_init(&u->result, u->mem, RESULT_BYTES_MAX);
	u->renew_ns = now_ns(u) + lease->lease_ms * UINT64_C(1000000) / 3;
	if (pthread_create(&u->thread, NULL, work, u) != 0)
		return lb_fail(diag, LB_E_NOMEM, "no thread can be started");
	u->runs = true;
	return LB_OK;
}

static lb_err write_result(struct runner_uplink *u, const struct runner_result *result)
{
	struct lb_arena arena;
	struct lb_value *body;
	lb_err err;

	lb_arena_init(&arena, u->mem);
	body = lb_value_object(&arena);
	lb_value_set_text(&arena, body, "conclusion", runner_conclusion_text(result->conclusion));
	lb_value_put(&arena, body, "outputs", lb_value_copy(&arena, result->outputs));
	lb_value_set_number(&arena, body, "log_size", (double)result->log_size);
	lb_value_put(&arena, body, "steps", lb_value_copy(&arena, result->steps));
	lb_value_put(&arena, body, "annotations", lb_value_copy(&arena, result->annotations));
	lb_value_set_string(&arena, body, "summary", result->summary);
	lb_value_write(&u->result, body, false);
	err = arena.failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(&u->result);
	lb_arena_release(&arena);
	return err;
}

/* Wait for the thread, unless the process is told a second time to end. */
static void wait_finished(struct runner_uplink *u)
{
	(void)pthread_mutex_lock(&u->lock);
	u->finishing = true;
	(void)pthread_cond_broadcast(&u->wake);
	while (!u->finished && !u->lost) {
		if (runner_stop_level(u->options.stop) == RUNNER_STOP_FORGET) {
			u->give_up = true;
			break;
		}
		wait_until(u, now_ns(u) + UINT64_C(200000000));
	}
	(void)pthread_cond_broadcast(&u->wake);
	(void)pthread_mutex_unlock(&u->lock);
}

lb_err runner_uplink_finish(struct runner_uplink *u, const struct runner_result *result,
                            struct lb_diag *diag)
{
	lb_err err = LB_OK;

	if (u->runs) {
		err = write_result(u, result);
		if (lb_failed(err)) {
			/* Nobody will hear of this attempt: the lease runs out. */
			lb_diag_set(diag, "the result cannot be written: %s", lb_err_text(err));
			u->give_up = true;
		}
		wait_finished(u);
		(void)pthread_join(u->thread, NULL);
		u->runs = false;
	}
	if (!lb_failed(err) && u->lost)
		err = lb_fail(diag, LB_E_STALE, "the lease is no longer held");
	else if (!lb_failed(err) && !u->finished)
		err = lb_fail(diag, LB_E_CANCELLED, "given up before the coordinator heard of it");
	runner_spool_release(&u->spool);
	for (size_t i = 0; i < u->steps.count; i++)
		drop_step(u, LB_VEC_AT(&u->steps, struct step, i));
	lb_vec_release(&u->steps);
	lb_buf_release(&u->result);
	return err;
}
