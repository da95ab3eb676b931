/* commands.c - submit, watch, logs, list, rerun, cancel. */
#include "coordinator/client/commands.h"

#include "base/platform/stop.h"
#include "coordinator/client/client.h"
#include "workflows/syntax/reference.h"

#include <inttypes.h>

const struct lb_option coord_client_options[] = { COORD_CLIENT_OPTIONS, { 0 } };

const struct lb_option coord_submit_options[] = {
	{ "workflow", 'w', "FILE",
	  "the workflow's path in the repository (.github/workflows/ci.yml)" },
	{ "event", 'e', workflow_event_option, "the event it is started by (workflow_dispatch)" },
	{ "input", 'i', "NAME=VALUE", "an input of workflow_dispatch; may be repeated" },
	{ "watch", 0, NULL, "follow the run to its end; the exit status says how it went" },
	COORD_CLIENT_OPTIONS,
	{ 0 },
};

const struct lb_option coord_rerun_options[] = {
	{ "failed", 0, NULL, "only the jobs that failed, and those that need them" },
	COORD_CLIENT_OPTIONS,
	{ 0 },
};

const struct lb_option coord_list_options[] = {
	{ "limit", 'n', "COUNT", "how many runs, newest first (20)" },
	COORD_CLIENT_OPTIONS,
	{ 0 },
};

/* What a command does once there is a client; `run` is its first operand, 0 without one. */
typedef lb_err client_body(struct lb_cli *cli, struct coord_client *client, uint64_t run);

static lb_err read_run(uint64_t *run, const struct lb_cli *cli, struct lb_diag *diag)
{
	*run = 0;
	if (cli->operand_count > 0 &&
	    (lb_failed(lb_bytes_u64(run, lb_bytes_of(cli->operands[0]), UINT64_C(1) << 53)) ||
	     *run == 0))
		return lb_fail(diag, LB_E_USAGE, "%s: expected the number of a run",
		               cli->operands[0]);
	return LB_OK;
}

/* Runs a command's body with an open client. */
static lb_err with_client(struct lb_cli *cli, client_body *body)
{
	struct coord_client client;
	uint64_t run;
	lb_err err;

	LB_TRY(read_run(&run, cli, &cli->diag));
	LB_TRY(plat_stop_install());
	err = coord_client_open(&client, cli);
	if (!lb_failed(err)) {
		err = body(cli, &client, run);
		coord_client_close(&client);
	}
	return err;
}

/* ---- submit ---- */

static lb_err gather_inputs(const char *const **out, struct lb_cli *cli)
{
	const char **inputs = LB_ARENA_NEW(&cli->arena, const char *, (size_t)cli->given_count + 1);
	const char *text;
	size_t count = 0;
	int at = 0;

	if (inputs == NULL)
		return lb_err_of(LB_E_NOMEM);
	while ((text = lb_cli_next(cli, "input", &at)) != NULL) {
		if (strchr(text, '=') == NULL)
			return lb_fail(&cli->diag, LB_E_USAGE, "--input %s: expected NAME=VALUE",
			               text);
		inputs[count++] = text;
	}
	*out = inputs;
	return LB_OK;
}

static lb_err submit(struct lb_cli *cli, struct coord_client *client, uint64_t run)
{
	const char *workflow = lb_cli_value(cli, "workflow");
	struct coord_submit what = { .workflow = workflow != NULL ? workflow
		                                                  : ".github/workflows/ci.yml",
		                     .event = lb_cli_value(cli, "event") };

	LB_TRY(gather_inputs(&what.inputs, cli));
	LB_TRY(coord_submit(&run, client, &what));
	(void)fprintf(cli->out, "run %" PRIu64 ": %s/runs/%" PRIu64 "\n", run, client->url, run);
	return lb_cli_flag(cli, "watch") ? coord_watch(client, cli, run) : LB_OK;
}

lb_err coord_cmd_submit(struct lb_cli *cli) { return with_client(cli, submit); }

/* ---- watch ---- */

static lb_err watch(struct lb_cli *cli, struct coord_client *client, uint64_t run)
{
	if (run == 0)
		LB_TRY(coord_newest_run(&run, client));
	return coord_watch(client, cli, run);
}

lb_err coord_cmd_watch(struct lb_cli *cli) { return with_client(cli, watch); }

/* ---- logs ---- */

static lb_err to_stream(void *ctx, struct lb_bytes part)
{
	return fwrite(part.at, 1, part.len, ctx) == part.len ? LB_OK : lb_err_of(LB_E_IO);
}

static lb_err print_log(struct lb_cli *cli, struct coord_client *client, const struct lb_value *job)
{
	const char *headers[] = { client->auth, NULL };
	struct lb_http_answer answer = { 0 };
	struct lb_http_ask ask = {
		.headers = headers, .sink = to_stream, .ctx = cli->out, .timeout_ms = UINT64_MAX
	};
	uint64_t id;
	lb_err err;

	LB_TRY(lb_value_get_u64(&id, job, "id"));
	ask.url = lb_arena_text(&client->arena,
	                        lb_arena_format(&client->arena, "%s/api/v1/jobs/%" PRIu64 "/log",
	                                        client->url, id));
	(void)fprintf(cli->out, "==> %.*s\n", LB_FMT(lb_value_get_string(job, "name")));
	lb_buf_init(&answer.body, cli->mem, 1 << 16);
	lb_buf_init(&answer.headers, cli->mem, 1 << 16);
	err = lb_http_ask_ok(client->http, &ask, &answer, &cli->diag);
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
	return lb_code_of(err) == LB_E_NOTFOUND ? LB_OK : err; /* a job that never ran has no log */
}

static lb_err logs(struct lb_cli *cli, struct coord_client *client, uint64_t id)
{
	const char *want = cli->operand_count > 1 ? cli->operands[1] : NULL;
	const struct lb_value *run, *jobs;
	char path[64];
	bool any = false;

	(void)snprintf(path, sizeof path, "/api/v1/runs/%" PRIu64, id);
	LB_TRY(coord_client_ask(&run, client, "GET", path, NULL));
	jobs = lb_value_get(run, "jobs");
	for (uint32_t i = 0; jobs != NULL && jobs->kind == LB_ARRAY && i < jobs->count; i++) {
		const struct lb_value *job = jobs->items[i];

		if (want != NULL && !lb_bytes_is(lb_value_get_string(job, "name"), want) &&
		    !lb_bytes_is(lb_value_get_string(job, "key"), want))
			continue;
		any = true;
		LB_TRY(print_log(cli, client, job));
	}
	return any ? LB_OK
	           : lb_fail(&cli->diag, LB_E_NOTFOUND, "run %" PRIu64 " has no job %s", id,
	                     want != NULL ? want : "yet");
}

lb_err coord_cmd_logs(struct lb_cli *cli) { return with_client(cli, logs); }

/* ---- list ---- */

static lb_err list(struct lb_cli *cli, struct coord_client *client, uint64_t none)
{
	const struct lb_value *answer, *runs;
	char path[64];
	uint64_t limit;

	(void)none;
	LB_TRY(lb_cli_number(&limit, cli, "limit", 20, 1, 1000));
	(void)snprintf(path, sizeof path, "/api/v1/runs?limit=%" PRIu64, limit);
	LB_TRY(coord_client_ask(&answer, client, "GET", path, NULL));
	runs = lb_value_get(answer, "runs");
	for (uint32_t i = 0; runs != NULL && runs->kind == LB_ARRAY && i < runs->count; i++) {
		const struct lb_value *run = runs->items[i];
		struct lb_bytes conclusion = lb_value_get_string(run, "conclusion");

		(void)fprintf(cli->out, "%6.0f  %-11.*s  %.12s  %-24.*s %.*s\n",
		              lb_value_get_number(run, "id"),
		              LB_FMT(conclusion.len > 0 ? conclusion
		                                        : lb_value_get_string(run, "status")),
		              (const char *)lb_value_get_string(run, "sha").at,
		              LB_FMT(lb_value_get_string(run, "ref")),
		              LB_FMT(lb_value_get_string(run, "name")));
	}
	return LB_OK;
}

lb_err coord_cmd_list(struct lb_cli *cli) { return with_client(cli, list); }

/* ---- rerun, cancel ---- */

static lb_err post_to_run(struct lb_cli *cli, struct coord_client *client, uint64_t run,
                          const char *verb, const struct lb_value *body)
{
	const struct lb_value *answer;
	char path[64];

	(void)snprintf(path, sizeof path, "/api/v1/runs/%" PRIu64 "/%s", run, verb);
	LB_TRY(coord_client_ask(&answer, client, "POST", path, body));
	(void)fprintf(cli->out, "run %" PRIu64 ": %s/runs/%" PRIu64 "\n", run, client->url, run);
	return LB_OK;
}

static lb_err rerun(struct lb_cli *cli, struct coord_client *client, uint64_t run)
{
	struct lb_value *body = lb_value_object(&client->arena);

	if (lb_cli_flag(cli, "failed"))
		lb_value_set_bool(&client->arena, body, "failed", true);
	return post_to_run(cli, client, run, "rerun", body);
}

lb_err coord_cmd_rerun(struct lb_cli *cli) { return with_client(cli, rerun); }

static lb_err cancel(struct lb_cli *cli, struct coord_client *client, uint64_t run)
{
	return post_to_run(cli, client, run, "cancel", lb_value_object(&client->arena));
}

lb_err coord_cmd_cancel(struct lb_cli *cli) { return with_client(cli, cancel); }
