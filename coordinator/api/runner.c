/* runner.c - what runners ask: sessions, leases, and the writes under a lease.  See routes.h. */
#include "coordinator/api/routes.h"

/* ---- sessions and leases ---- */

void coord_api_session(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	char session[COORD_SESSION_SIZE];
	struct lb_value *body = NULL, *answer = lb_value_object(&x->arena);
	lb_err err = coord_body_object(&body, x);

	if (!lb_failed(err)) {
		struct coord_greeting greeting = {
			.name = lb_value_get_string(body, "name"),
			.version = lb_value_get_string(body, "version"),
			.os = lb_value_get_string(body, "os"),
			.arch = lb_value_get_string(body, "arch"),
			.labels = lb_value_get(body, "labels"),
		};

		err = coord_queue_session(session, api->queue, &greeting, &x->diag);
	}
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_value_set_text(&x->arena, answer, "session", session);
	lb_value_set_number(&x->arena, answer, "lease_ms", (double)api->lease_ms);
	lb_value_set_number(&x->arena, answer, "poll_ms", (double)api->poll_ms);
	lb_http_answer_json(x, 200, answer);
}

/* How much of the poll is left; the first call starts it. */
static uint64_t poll_left_ms(struct lb_http_exchange *x, const struct coord_api *api)
{
	uint64_t now_ns = api->plat->ops->now_ns(api->plat), *end_ns = x->state;

	if (end_ns == NULL) {
		end_ns = LB_ARENA_NEW(&x->arena, uint64_t, 1);
		if (end_ns == NULL)
			return 0;
		*end_ns = now_ns + api->poll_ms * 1000000u;
		x->state = end_ns;
	}
	return now_ns < *end_ns ? (*end_ns - now_ns) / 1000000u : 0;
}

void coord_api_lease(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	uint64_t topic = coord_topic(COORD_TOPIC_READY, 0);
	uint64_t ticket = lb_http_ticket(api->server, topic), left_ms = poll_left_ms(x, api);
	struct lb_value *body, *message = NULL;
	lb_err err = coord_body_object(&body, x);

	if (!lb_failed(err))
		err = coord_queue_lease(&message, api->queue, &x->arena,
		                        lb_value_get_string(body, "session"), &x->diag);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else if (message != NULL)
		lb_http_answer_json(x, 200, message);
	else if (x->timed_out || left_ms == 0)
		lb_http_answer(x, 204, NULL, (struct lb_bytes){ 0 });
	else
		lb_http_park(x, topic, ticket, left_ms);
}

/* ---- under a lease ---- */

void coord_api_renew(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *answer = lb_value_object(&x->arena);
	struct coord_claim claim;
	bool cancel = false;
	lb_err err = coord_claim_of(&claim, x);

	if (!lb_failed(err))
		err = coord_queue_renew(&cancel, api->queue, &claim, &x->diag);
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_value_set_number(&x->arena, answer, "lease_ms", (double)api->lease_ms);
	lb_value_set_bool(&x->arena, answer, "cancel", cancel);
	lb_http_answer_json(x, 200, answer);
}

static void answer_append(struct lb_http_exchange *x, lb_err err, uint64_t size, bool cancel)
{
	struct lb_value *answer = lb_value_object(&x->arena);

	if (lb_code_of(err) == LB_E_RANGE) {
		coord_answer_number(x, 416, "the offset is beyond what is stored", "size", size);
	} else if (lb_code_of(err) == LB_E_MISMATCH) {
		coord_answer_number(x, 409, "other bytes are stored at this offset", "size", size);
	} else if (lb_failed(err)) {
		lb_http_answer_error(x, err);
	} else {
		lb_value_set_number(&x->arena, answer, "size", (double)size);
		lb_value_set_bool(&x->arena, answer, "cancel", cancel);
		lb_http_answer_json(x, 200, answer);
	}
}

void coord_api_append_log(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct coord_held held = { 0 };
	struct coord_claim claim;
	uint64_t offset = 0, size = 0;
	lb_err err = coord_claim_of(&claim, x);

	if (!lb_failed(err) && !lb_http_has_query(x, "offset"))
		err = lb_fail(&x->diag, LB_E_INVALID, "offset: expected ?offset=BYTES");
	if (!lb_failed(err))
		err = coord_query_number(&offset, x, "offset", 0);
	if (!lb_failed(err))
		err = coord_queue_check(&held, api->queue, &x->arena, &claim, &x->diag);
	if (!lb_failed(err))
		err = coord_log_append(&size, held.log, offset, x->body);
	coord_log_decref(held.log);
	answer_append(x, err, size, held.cancel);
	if (!lb_failed(err))
		lb_http_wake(api->server, coord_topic(COORD_TOPIC_LOG, held.fence));
}

void coord_api_steps(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct coord_claim claim;
	struct lb_value *body;
	lb_err err = coord_claim_of(&claim, x);

	if (!lb_failed(err))
		err = coord_body_object(&body, x);
	if (!lb_failed(err))
		err = coord_queue_steps(api->queue, &claim, lb_value_get(body, "steps"), &x->diag);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer_json(x, 200, lb_value_object(&x->arena));
}

void coord_api_complete(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct coord_claim claim;
	struct lb_value *body;
	uint64_t size = 0;
	lb_err err = coord_claim_of(&claim, x);

	if (!lb_failed(err))
		err = coord_body_object(&body, x);
	if (!lb_failed(err))
		err = coord_queue_complete(&size, api->queue, &claim, body, x->body, &x->diag);
	if (lb_code_of(err) == LB_E_RANGE)
		coord_answer_number(x, 409, lb_diag_text(&x->diag, err), "size", size);
	else if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer_json(x, 200, lb_value_object(&x->arena));
}
