/* process.c - one process of a job in its sandbox: its time, its output, its end. */
#include "ci-runner/execute/execution_priv.h"

#include "base/platform/handle.h"

void runner_look(struct runner_execution *x)
{
	enum runner_stop_level level = runner_stop_level(x->host->stop);
	uint64_t now = x->host->plat->ops->now_ns(x->host->plat);

	if (level > x->obey) {
		x->obey = level;
		x->cancelled = true;
		/* What still runs (always(), cancelled()) gets this long. */
		x->deadline_ns =
			now + (level == RUNNER_STOP_DRAIN ? RUNNER_DRAIN_MS * UINT64_C(1000000)
		                                          : x->cancel_ns);
	} else if (!x->cancelled && x->deadline_ns != 0 && now >= x->deadline_ns) {
		x->cancelled = x->timed_out = true;
		x->deadline_ns = now + x->cancel_ns;
		runner_say_error(x,
		                 "The job running on runner %s has exceeded the maximum "
		                 "execution time of %.6g minutes.",
		                 x->host->name, x->timeout_minutes);
	}
	if (x->cancelled) {
		for (struct runner_frame *f = x->running != NULL ? x->running->frame : &x->frame;
		     f != NULL; f = f->outer)
			f->status = WORKFLOW_STATUS_CANCELLED;
		x->frame.status = WORKFLOW_STATUS_CANCELLED;
	}
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a | b;
	return a < b ? a : b;
}

/* The turn is taken for each part of what a process prints. */
struct listener {
	struct runner_execution *x;
	struct runner_step_run *run;
};

static void hear(void *ctx, struct lb_bytes part)
{
	struct listener *l = ctx;

	runner_turn_take(l->x, l->run);
	runner_output_part(l->x, part);
	runner_turn_give(l->x);
}

static lb_err execute(struct runner_execution *x, struct runner_step_run *run,
                      const struct runner_command *how, struct lb_diag *diag)
{
	struct runner_background *b = run != NULL ? run->background : NULL;
	struct listener listener = { x, x->running };
	struct runner_process process;
	struct runner_end end;
	struct runner_watch watch = { .output = hear,
		                      .ctx = &listener,
		                      .stop = b != NULL ? &b->stop : x->host->stop,
		                      .obey = b != NULL ? RUNNER_STOP_NONE : x->obey,
		                      .deadline_ns = sooner(x->deadline_ns,
		                                            run != NULL ? run->deadline_ns : 0) };
	lb_err err;

	runner_log_flush(x->log);
	LB_TRY(runner_process_start(&process, x->host->sandbox, how, diag));
	runner_turn_give(x);
	err = runner_process_watch(&end, &process, &watch, diag);
	runner_turn_take(x, listener.run);
	runner_output_end(x);
	LB_TRY(err);
	LB_TRY(x->failure);
	if (end.how == RUNNER_STOPPED)
		return lb_fail(diag, LB_E_CANCELLED, "The operation was canceled.");
	if (end.how == RUNNER_TIMED_OUT)
		return lb_fail(diag, LB_E_TIMEOUT, "The operation took too long.");
	if (end.status != 0)
		return lb_fail(diag, LB_E_FAILED, "Process completed with exit code %d.",
		               end.status);
	return LB_OK;
}

/* What the step saw, with its folder, variables and network.  What is typed is no part of the log.
 */
static void open_shell(struct runner_execution *x, const struct runner_command *failed,
                       const char *why)
{
	static const char *const argv[] = { "bash", "--norc", "-i", NULL };
	struct runner_command how = *failed;
	struct runner_process process;
	struct runner_end end;
	struct lb_diag diag = { 0 };
	lb_err err;

	runner_log_linef(x->log, "%s A shell in the step's place; `exit` goes on.", why);
	runner_log_flush(x->log);
	how.argv = argv;
	how.input = (struct lb_bytes){ 0 };
	how.in = 0;
	how.out = 1;
	how.err = 2;
	how.streams = how.terminal = true;
	err = runner_process_start(&process, x->host->sandbox, &how, &diag);
	if (!lb_failed(err))
		err = runner_process_watch(
			&end, &process,
			&(struct runner_watch){ .stop = x->host->stop, .obey = x->obey }, &diag);
	plat_terminal_take();
	if (lb_failed(err))
		runner_log_linef(x->log, "##[warning]%s", lb_diag_text(&diag, err));
}

lb_err runner_execute_command(struct runner_execution *x, struct runner_step_run *run,
                              const struct runner_command *how, struct lb_diag *diag)
{
	const struct runner_reach reach = { how->network, how->hosts };
	struct runner_command inside = *how;
	lb_err err;

	if (how->helper != NULL)
		return execute(x, run, how, diag);
	LB_TRY(runner_networks_enter(&inside.net, x->networks, &reach, diag));
	err = runner_environment(&inside.env, x, run, inside.net);
	if (!lb_failed(err))
		err = execute(x, run, &inside, diag);
	if (lb_code_of(err) == LB_E_FAILED && x->host->shell && run != NULL &&
	    run->background == NULL)
		open_shell(x, &inside, lb_diag_text(diag, err));
	runner_networks_leave(x->networks, inside.net);
	return err;
}

lb_err runner_command_of(struct runner_command *out, struct runner_execution *x,
                         struct runner_step_run *run, const struct lb_value *env,
                         struct lb_diag *diag)
{
	const char **readable = LB_ARENA_NEW(x->arena, const char *, 2);
	static const enum runner_network networks[] = {
		[WORKFLOW_NETWORK_FULL] = RUNNER_NETWORK_FULL,
		[WORKFLOW_NETWORK_NONE] = RUNNER_NETWORK_NONE,
		[WORKFLOW_NETWORK_LOOPBACK] = RUNNER_NETWORK_LOOPBACK,
		[WORKFLOW_NETWORK_CACHE] = RUNNER_NETWORK_CACHE,
		[WORKFLOW_NETWORK_HOSTS] = RUNNER_NETWORK_HOSTS,
	};
	enum workflow_network network;
	const char *const *hosts;

	if (readable == NULL)
		return lb_err_of(LB_E_NOMEM);
	readable[0] = x->host->tools;
	LB_TRY(workflow_network_of(&network, &hosts, x->arena, env, diag));
	if (x->host->offline && network != WORKFLOW_NETWORK_NONE)
		network = WORKFLOW_NETWORK_LOOPBACK;
	*out = (struct runner_command){ .cwd = x->folders.workspace,
		                        .writable = runner_writable(x, false),
		                        .readable = readable,
		                        .tmp = x->folders.tmp,
		                        .passwd = x->folders.passwd,
		                        .group = x->folders.group,
		                        .network = networks[network],
		                        .hosts = hosts };
	run->env = env;
	return LB_OK;
}

const char *const *runner_writable(struct runner_execution *x, bool with_exchange)
{
	const struct runner_folders *f = &x->folders;
	const char **list = LB_ARENA_NEW(x->arena, const char *, 8);
	size_t count = 0;

	if (list == NULL)
		return NULL;
	list[count++] = f->parent;
	list[count++] = f->temp;
	list[count++] = f->tools;
	list[count++] = f->home;
	list[count++] = f->commands;
	list[count++] = f->actions;
	if (with_exchange)
		list[count++] = f->exchange;
	return list;
}
