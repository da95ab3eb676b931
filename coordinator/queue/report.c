/* report.c - what a runner reports of its job: steps as they go, and the end.  See queue.h. */
#include "base/data/digest.h"
#include "coordinator/queue/queue_priv.h"

enum { STEPS_MAX = 10000, REPORT_BYTES_MAX = 4 << 20 };

/* ---- steps ---- */

static lb_err set_steps(struct change *change, const struct live_lease *lease,
                        const struct lb_value *steps, struct lb_diag *diag)
{
	if (steps == NULL)
		return LB_OK;
	if (steps->kind != LB_ARRAY || steps->count > STEPS_MAX)
		return lb_fail(diag, LB_E_INVALID, "steps: expected a list of at most %d objects",
		               STEPS_MAX);
	for (uint32_t i = 0; i < steps->count; i++) {
		struct lb_buf text;
		uint64_t number;

		if (lb_failed(lb_value_get_u64(&number, steps->items[i], "number")))
			return lb_fail(diag, LB_E_INVALID,
			               "steps[%u].number: expected a whole number", i);
		lb_buf_init(&text, &change->arena.mem, REPORT_BYTES_MAX);
		lb_value_write(&text, steps->items[i], false);
		LB_TRY(lb_buf_check(&text));
		LB_TRY(coord_store_set_step(change->queue->config.store, lease->fence, number,
		                            lb_buf_bytes(&text)));
	}
	return LB_OK;
}

lb_err coord_queue_steps(struct coord_queue *queue, const struct coord_claim *claim,
                         const struct lb_value *steps, struct lb_diag *diag)
{
	struct live_lease *lease;
	struct change change;
	lb_err err;

	LB_TRY(coord_lease_begin(&change, &lease, queue, claim, diag));
	err = set_steps(&change, lease, steps, diag);
	if (!lb_failed(err))
		err = coord_store_touch_job(queue->config.store, lease->job_id);
	coord_queue_touch(queue, lease->run_id);
	return coord_change_end(&change, err);
}

/* ---- the end by report ---- */

static lb_err read_conclusion(enum workflow_result *out, const struct lb_value *report,
                              struct lb_diag *diag)
{
	struct lb_bytes text = lb_value_get_string(report, "conclusion");

	if (workflow_result_read(out, text) && *out != WORKFLOW_RESULT_NONE)
		return LB_OK;
	return lb_fail(diag, LB_E_INVALID,
	               "conclusion: expected success, failure, cancelled or skipped, got '%.*s'",
	               LB_FMT(text));
}

static lb_err json_or(struct lb_bytes *out, struct change *change, const struct lb_value *value,
                      const char *otherwise)
{
	struct lb_buf text;

	*out = lb_bytes_of(otherwise);
	if (value == NULL)
		return LB_OK;
	lb_buf_init(&text, &change->arena.mem, REPORT_BYTES_MAX);
	lb_value_write(&text, value, false);
	*out = lb_buf_bytes(&text);
	return lb_buf_check(&text);
}

static lb_err check_log(uint64_t *log_size, struct live_lease *lease, const struct lb_value *report,
                        struct lb_diag *diag)
{
	uint64_t claimed;

	*log_size = coord_log_size(lease->log);
	if (lb_failed(lb_value_get_u64(&claimed, report, "log_size")))
		return lb_fail(diag, LB_E_INVALID, "log_size: expected a whole number");
	if (claimed == *log_size)
		return LB_OK;
	return lb_fail(diag, LB_E_RANGE,
	               "the log is not whole: %llu bytes are stored, the report says %llu",
	               (unsigned long long)*log_size, (unsigned long long)claimed);
}

static lb_err check_outputs(const struct lb_value *outputs, struct lb_diag *diag)
{
	if (outputs == NULL)
		return LB_OK;
	if (outputs->kind != LB_OBJECT)
		return lb_fail(diag, LB_E_INVALID, "outputs: expected an object of texts");
	for (uint32_t i = 0; i < outputs->count; i++)
		if (outputs->members[i].value->kind != LB_STRING)
			return lb_fail(diag, LB_E_INVALID, "outputs.%.*s: expected a text",
			               LB_FMT(outputs->members[i].key));
	return LB_OK;
}

static lb_err end_by_report(uint64_t *log_size, struct change *change, struct live_lease *lease,
                            const struct lb_value *report, struct lb_bytes hash,
                            struct lb_diag *diag)
{
	struct coord_store *store = change->queue->config.store;
	const struct lb_value *outputs = lb_value_get(report, "outputs");
	struct coord_end end = { .report_hash = hash,
		                 .summary = lb_value_get_string(report, "summary") };
	enum workflow_result result;

	LB_TRY(read_conclusion(&result, report, diag));
	LB_TRY(check_outputs(outputs, diag));
	LB_TRY(check_log(log_size, lease, report, diag));
	LB_TRY(set_steps(change, lease, lb_value_get(report, "steps"), diag));
	end.conclusion = workflow_result_text(result);
	end.log_size = *log_size;
	if (end.summary.at == NULL)
		end.summary = lb_bytes_of("");
	LB_TRY(json_or(&end.annotations, change, lb_value_get(report, "annotations"), "[]"));
	LB_TRY(coord_store_end_attempt(store, lease->fence, &end, change->now_ms));
	return coord_run_finish_job(change, lease->run_id, lease->job_id, result, outputs,
	                            (struct lb_bytes){ 0 }, diag);
}

/* The same report once more: its answer was lost. */
static lb_err known_report(struct coord_queue *queue, const struct coord_claim *claim,
                           struct lb_bytes hash, struct lb_diag *diag)
{
	char known[LB_SHA256_HEX + 1], token[COORD_TOKEN_SIZE];

	LB_TRY(coord_lease_token(token, queue, claim->lease, claim->fence));
	if (!lb_bytes_eq_secret(lb_bytes_of(token), claim->token))
		return lb_err_of(LB_E_STALE);
	if (!lb_failed(
		    coord_store_report(known, queue->config.store, claim->lease, claim->fence)) &&
	    lb_bytes_is(hash, known))
		return LB_OK;
	return lb_fail(diag, LB_E_STALE, "lease %.*s ended already", LB_FMT(claim->lease));
}

lb_err coord_queue_complete(uint64_t *log_size, struct coord_queue *queue,
                            const struct coord_claim *claim, const struct lb_value *report,
                            struct lb_bytes raw, struct lb_diag *diag)
{
	char hash[LB_SHA256_HEX + 1];
	struct live_lease *lease;
	struct change change;
	lb_err err;

	*log_size = 0;
	LB_TRY(lb_sha256_hex(hash, raw));
	LB_TRY(coord_change_begin(&change, queue));
	err = coord_lease_claimed(&lease, queue, claim, diag);
	if (lb_code_of(err) == LB_E_STALE) {
		if (!lb_failed(known_report(queue, claim, lb_bytes_of(hash), diag)))
			err = LB_OK;
		return coord_change_end(&change, err);
	}
	if (!lb_failed(err))
		err = end_by_report(log_size, &change, lease, report, lb_bytes_of(hash), diag);
	err = coord_change_commit(&change, err);
	if (!lb_failed(err)) {
		coord_runner_seen(queue, lease->runner_id);
		coord_lease_drop(queue, lease);
	}
	coord_change_release(&change);
	return err;
}
