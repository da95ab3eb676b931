/* services.c - what stands around a job: its networks, and GitHub's services on their loopbacks. */
#include "ci-runner/execute/execution_priv.h"

#include "base/io/file.h"
#include "base/text.h"

enum { GITHUB_PORT = 80 };

/* A job that was given no token has one for the services here, worth nothing elsewhere. */
static lb_err find_token(struct runner_execution *x)
{
	unsigned char random[18];
	struct lb_buf text;

	x->token = x->job->token;
	if (x->token.len > 0)
		return LB_OK;
	LB_TRY(x->host->plat->ops->entropy(random, x->host->plat, sizeof random));
	lb_buf_init(&text, &x->arena->mem, 256);
	lb_buf_add_text(&text, "ghs_");
	lb_hex_add(&text, (struct lb_bytes){ random, sizeof random });
	x->token = lb_buf_bytes(&text);
	LB_TRY(lb_buf_check(&text));
	return runner_mask_add(x->mask, x->token);
}

static lb_err start_github(struct runner_execution *x, struct lb_diag *diag)
{
	const char *folder = runner_path(x->arena, x->folders.exchange, "github");
	const struct runner_github_options options = {
		.link = x->link,
		.lock = &x->link_lock,
		.folder = folder,
		.queue = x->host->queue,
		.github = lb_value_get(x->job->contexts, "github"),
		.token = x->token,
		.repository_url = x->job->repository.url,
		.id_token_url = x->job->id_token_url,
	};

	if (folder == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_file_make_folders(x->host->plat, folder, diag));
	LB_TRY(runner_github_new(&x->github, x->host->mem, x->host->plat, &options, diag));
	return runner_mask_add(x->mask, lb_bytes_of(runner_github_runtime_token(x->github)));
}

/* The machine's network is entered for the whole job: its door keeps the port that it got. */
static void enter_full(struct runner_execution *x)
{
	const struct runner_reach full = { .network = RUNNER_NETWORK_FULL };

	if (lb_failed(runner_networks_enter(&x->full, x->networks, &full, NULL)))
		x->full = NULL;
}

lb_err runner_services_begin(struct runner_execution *x, struct lb_diag *diag)
{
	LB_TRY(find_token(x));
	LB_TRY(start_github(x, diag));
	x->door = (struct runner_door){ .names = RUNNER_GITHUB_NAMES,
		                        .port = GITHUB_PORT,
		                        .visitor = runner_github_visit,
		                        .ctx = x->github };
	LB_TRY(runner_networks_new(&x->networks, x->host->mem,
	                           &(struct runner_networks_options){ .cache = x->host->cache,
	                                                              .doors = &x->door,
	                                                              .door_count = 1 },
	                           diag));
	enter_full(x);
	return LB_OK;
}

uint16_t runner_services_port(const struct runner_net *net)
{
	return net != NULL && net->door_ports[0] != 0 ? net->door_ports[0] : GITHUB_PORT;
}

/* What was put off is said where people look: in the log, and beside it. */
static void list_queued(struct runner_execution *x)
{
	const struct lb_value *queued = runner_github_queued(x->arena, x->github);
	struct lb_bytes text;

	if (queued == NULL || queued->count == 0)
		return;
	for (uint32_t i = 0; i < queued->count; i++)
		runner_log_line(x->log, lb_arena_format(&x->line, "Queued for GitHub: %.*s",
		                                        LB_FMT(queued->items[i]->string)));
	text = lb_arena_format(x->arena, "%u request(s) that only GitHub can do are queued in %s",
	                       (unsigned)queued->count, x->host->queue);
	runner_log_line(x->log, lb_arena_format(&x->line, "##[notice]%.*s", LB_FMT(text)));
	runner_annotate(x, "notice", text, NULL);
}

void runner_services_end(struct runner_execution *x)
{
	if (x->github != NULL)
		list_queued(x);
	if (x->full != NULL)
		runner_networks_leave(x->networks, x->full);
	x->full = NULL;
	runner_networks_free(x->networks);
	x->networks = NULL;
	runner_github_free(x->github);
	x->github = NULL;
}
