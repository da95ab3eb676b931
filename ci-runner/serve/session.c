/* session.c - see session.h. */
#include "ci-runner/serve/session.h"

#include "base/data/json.h"
#include "ci-runner/serve/uplink.h"

#include <stdio.h>
#include <sys/utsname.h>

enum {
	LEASE_BYTES_MAX = 64 * 1024 * 1024,
	PAUSE_MS_FIRST = 25,
	PAUSE_MS_MAX = 2000,
	POLL_MS_SPARE = 10000, /* for an answer beyond the time it may take */
	REQUEST_MS = 10000,
	REFRESH_S = 60 /* between looks at the system's private files, in idle time */
};

struct session {
	const struct runner_host *host;
	const struct runner_serve *how;
	struct lb_http_client *client;
	struct runner_uplink *uplink;
	char authorization[512];
	char id[128]; /* empty: none */
	uint64_t lease_ms, poll_ms;
	uint64_t pause_ms, refreshed_ns;
	bool away; /* the coordinator did not answer: said once */
};

static bool stopping(const struct session *s) { return *s->how->stopping; }

static void pause_longer(struct session *s)
{
	uint64_t most = s->how->pause_ms_max != 0 ? s->how->pause_ms_max : PAUSE_MS_MAX;
	struct plat *plat = s->host->plat;

	for (uint64_t waited = 0; waited < s->pause_ms && !stopping(s); waited += 25)
		plat->ops->sleep_ns(plat, UINT64_C(25000000));
	s->pause_ms = s->pause_ms * 2 < most ? s->pause_ms * 2 : most;
}

/* POST with an object; *status 0: no answer. */
static lb_err post(int *status, struct lb_value **answer, struct session *s, struct lb_arena *arena,
                   const char *path, const struct lb_value *body, uint64_t timeout_ms,
                   struct lb_diag *diag)
{
	char url[2048];
	const char *const headers[] = { s->authorization, "Content-Type: application/json", NULL };
	struct lb_http_answer reply = { .status = 0 };
	struct lb_buf text;
	lb_err err;

	*status = 0;
	*answer = NULL;
	(void)snprintf(url, sizeof url, "%s%s", s->how->coordinator, path);
	lb_buf_init(&text, s->host->mem, 1024 * 1024);
	lb_value_write(&text, body, false);
	lb_buf_init(&reply.body, s->host->mem, LEASE_BYTES_MAX);
	lb_buf_init(&reply.headers, s->host->mem, 65536);
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_http_ask(s->client,
		                  &(struct lb_http_ask){ .method = "POST",
		                                         .url = url,
		                                         .headers = headers,
		                                         .body = lb_buf_bytes(&text),
		                                         .timeout_ms = timeout_ms,
		                                         .connect_ms = 2000,
		                                         .cancel = s->how->stopping },
		                  &reply, diag);
	if (!lb_failed(err)) {
		*status = reply.status;
		if (reply.body.len > 0 && reply.status != 204)
			err = lb_json_read(answer, arena, lb_buf_bytes(&reply.body), diag);
	}
	lb_buf_release(&reply.headers);
	lb_buf_release(&reply.body);
	lb_buf_release(&text);
	return err;
}

/* ---- the session ---- */

static void say_away(struct session *s, int status, const struct lb_diag *diag)
{
	if (!s->away && !stopping(s))
		lb_log(s->how->log, LB_LOG_WARN, "the coordinator does not answer, trying on",
		       LB_FIELD("coordinator", s->how->coordinator),
		       LB_COUNT("status", (uint64_t)status), LB_FIELD("why", diag->text));
	s->away = true;
}

static struct lb_value *describe(struct session *s, struct lb_arena *arena)
{
	struct lb_value *body = lb_value_object(arena), *labels = lb_value_array(arena);
	struct utsname system = { .machine = "" };

	(void)uname(&system);
	for (const char *const *label = s->how->labels; *label != NULL; label++)
		lb_value_add(arena, labels, lb_value_text(arena, *label));
	lb_value_set_text(arena, body, "name", s->host->name);
	lb_value_put(arena, body, "labels", labels);
	lb_value_set_text(arena, body, "version", LB_VERSION);
	lb_value_set_text(arena, body, "os", system.sysname);
	lb_value_set_text(arena, body, "arch", system.machine);
	return body;
}

static lb_err open_session(struct session *s, struct lb_diag *diag)
{
	struct lb_arena arena;
	struct lb_value *answer;
	int status;
	lb_err err;

	lb_arena_init(&arena, s->host->mem);
	diag->text[0] = '\0';
	err = post(&status, &answer, s, &arena, "/api/v1/runner/session", describe(s, &arena),
	           REQUEST_MS, diag);
	if (status == 401 || status == 403) {
		err = lb_fail(diag, LB_E_DENIED, "%s does not accept this runner's token: %.*s",
		              s->how->coordinator, LB_FMT(lb_value_get_string(answer, "message")));
	} else if (lb_failed(err) || status != 200) {
		err = lb_code_of(err) == LB_E_NOMEM ? err : LB_OK;
		say_away(s, status, diag);
		pause_longer(s);
	} else {
		struct lb_bytes id = lb_value_get_string(answer, "session");

		(void)snprintf(s->id, sizeof s->id, "%.*s", LB_FMT(id));
		s->lease_ms = (uint64_t)lb_value_get_number(answer, "lease_ms");
		s->poll_ms = (uint64_t)lb_value_get_number(answer, "poll_ms");
		s->pause_ms = PAUSE_MS_FIRST;
		s->away = false;
		lb_log(s->how->log, LB_LOG_INFO, "session open",
		       LB_FIELD("coordinator", s->how->coordinator),
		       LB_FIELD("name", s->host->name), LB_FIELD("session", s->id));
	}
	lb_arena_release(&arena);
	return err;
}

/* ---- a job ---- */

static lb_err read_lease(struct runner_lease *out, struct session *s, struct lb_arena *arena,
                         const struct lb_value *message, struct lb_diag *diag)
{
	struct lb_bytes id = lb_value_get_string(message, "lease");
	struct lb_bytes token = lb_value_get_string(message, "token");

	out->lease_ms = s->lease_ms;
	lb_ignore(lb_value_get_u64(&out->lease_ms, message, "lease_ms"));
	if (id.len == 0 || token.len == 0 || out->lease_ms == 0 ||
	    lb_failed(lb_value_get_u64(&out->fence, message, "fence")))
		return lb_fail(diag, LB_E_MALFORMED,
		               "the coordinator's lease has no lease, fence, lease_ms or token");
	out->id = lb_arena_text(arena, id);
	out->token = lb_arena_text(arena, token);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* A message that is no job: its lease ends as failed, with the reason where people see it. */
static void refuse(struct runner_result *result, struct lb_arena *arena, const char *why)
{
	struct lb_value *annotation = lb_value_object(arena), *list = lb_value_array(arena);

	lb_value_set_text(arena, annotation, "level", "error");
	lb_value_set_text(arena, annotation, "message", why);
	lb_value_add(arena, list, annotation);
	*result = (struct runner_result){ .conclusion = RUNNER_FAILURE,
		                          .outputs = lb_value_object(arena),
		                          .steps = lb_value_array(arena),
		                          .annotations = list };
}

static lb_err execute(struct session *s, struct lb_arena *arena, const struct lb_value *message,
                      struct lb_diag *diag)
{
	struct runner_result result;
	struct runner_lease lease;
	struct runner_job job;
	lb_err err, told;

	LB_TRY(read_lease(&lease, s, arena, message, diag));
	LB_TRY(runner_uplink_begin(s->uplink, &lease, diag));
	err = runner_job_read(&job, message, diag);
	if (lb_failed(err)) {
		refuse(&result, arena, lb_diag_text(diag, err));
	} else {
		lb_log(s->how->log, LB_LOG_INFO, "job begun", LB_FIELD_B("job", job.name),
		       LB_FIELD("lease", lease.id), LB_COUNT("fence", lease.fence));
		told = runner_job_execute(&result, arena, s->host, &job,
		                          runner_uplink_link(s->uplink), diag);
		if (lb_failed(told))
			refuse(&result, arena, lb_diag_text(diag, told));
	}
	told = runner_uplink_finish(s->uplink, &result, diag);
	lb_log(s->how->log, lb_failed(told) ? LB_LOG_WARN : LB_LOG_INFO, "job ended",
	       LB_FIELD("lease", lease.id),
	       LB_FIELD("conclusion", runner_conclusion_text(result.conclusion)),
	       LB_FIELD("reported", lb_failed(told) ? lb_diag_text(diag, told) : "yes"));
	if (!lb_failed(err)) {
		err = runner_job_clean(s->host, &job, diag);
		if (lb_failed(err))
			lb_log(s->how->log, LB_LOG_WARN, "the job's folders cannot be removed",
			       LB_FIELD("why", lb_diag_text(diag, err)));
	}
	runner_stop_reset(s->host->stop);
	return LB_OK;
}

/* ---- asking ---- */

static void refresh(struct session *s)
{
	uint64_t now = s->host->plat->ops->now_ns(s->host->plat);
	struct lb_diag diag;
	lb_err err = LB_OK;

	if (s->host->sandbox != NULL && now - s->refreshed_ns > REFRESH_S * UINT64_C(1000000000)) {
		err = runner_sandbox_refresh(s->host->sandbox, &diag);
		s->refreshed_ns = now;
	}
	if (lb_failed(err))
		lb_log(s->how->log, LB_LOG_ERROR, "the system cannot be looked at",
		       LB_FIELD("why", lb_diag_text(&diag, err)));
}

static lb_err ask_for_job(bool *worked, struct session *s, struct lb_diag *diag)
{
	struct lb_arena arena;
	struct lb_value *body, *answer;
	int status;
	lb_err err;

	*worked = false;
	lb_arena_init(&arena, s->host->mem);
	body = lb_value_object(&arena);
	lb_value_set_text(&arena, body, "session", s->id);
	diag->text[0] = '\0';
	err = post(&status, &answer, s, &arena, "/api/v1/runner/lease", body,
	           s->poll_ms + POLL_MS_SPARE, diag);
	if (!lb_failed(err) && status == 200) {
		*worked = true;
		s->pause_ms = PAUSE_MS_FIRST;
		err = execute(s, &arena, answer, diag);
		if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM) {
			lb_log(s->how->log, LB_LOG_ERROR, "a lease cannot be executed",
			       LB_FIELD("why", lb_diag_text(diag, err)));
			pause_longer(s);
			err = LB_OK;
		}
	} else if (!lb_failed(err) && status == 204) {
		s->pause_ms = PAUSE_MS_FIRST;
		refresh(s);
	} else if (status >= 400 && status < 500) {
		/* Not our session any more: another one, or the coordinator forgot it. */
		s->id[0] = '\0';
		pause_longer(s);
		err = LB_OK;
	} else {
		say_away(s, status, diag);
		pause_longer(s);
		err = lb_code_of(err) == LB_E_NOMEM ? err : LB_OK;
	}
	lb_arena_release(&arena);
	return err;
}

static lb_err work(struct session *s, struct lb_diag *diag)
{
	bool worked = false;

	while (!stopping(s) && !(worked && s->how->once)) {
		if (s->id[0] == '\0')
			LB_TRY(open_session(s, diag));
		else
			LB_TRY(ask_for_job(&worked, s, diag));
	}
	return LB_OK;
}

lb_err runner_serve(const struct runner_host *host, const struct runner_serve *how,
                    struct lb_diag *diag)
{
	struct session s = { .host = host, .how = how, .pause_ms = PAUSE_MS_FIRST };
	struct lb_arena arena;
	const char *spool;
	lb_err err;

	lb_arena_init(&arena, host->mem);
	spool = runner_path(&arena, host->work, "_spool");
	(void)snprintf(s.authorization, sizeof s.authorization, "Authorization: Bearer %s",
	               how->token);
	err = spool != NULL ? lb_http_client_new(&s.client, host->mem) : lb_err_of(LB_E_NOMEM);
	if (!lb_failed(err))
		err = runner_uplink_new(&s.uplink, host->mem, host->plat,
		                        &(struct runner_uplink_options){
						.coordinator = how->coordinator,
						.spool = spool,
						.stop = host->stop,
						.log = how->log,
						.pause_ms_max = how->pause_ms_max },
		                        diag);
	s.refreshed_ns = host->plat->ops->now_ns(host->plat);
	if (!lb_failed(err))
		err = work(&s, diag);
	runner_uplink_free(s.uplink);
	lb_http_client_free(s.client);
	lb_arena_release(&arena);
	return err;
}
