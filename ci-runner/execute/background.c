/* background.c - steps that run beside the others.
 *
 * Every thread of a job works under `turn`: one at a time, but for the watching of processes, which
 * is where the time goes.  So nothing else of the job needs to know of threads.
 */
#include "ci-runner/execute/execution_priv.h"

#include <time.h>

enum { LOOK_MS = 50, COPY_BYTES = 256 * 1024 };

/* ---- turns ---- */

static void point(struct runner_execution *x, struct runner_step_run *run)
{
	struct runner_background *b = run != NULL ? run->background : NULL;

	x->running = run;
	x->log = b != NULL ? &b->log : &x->own_log;
	x->lines = b != NULL ? &b->lines : &x->own_lines;
}

void runner_turn_take(struct runner_execution *x, struct runner_step_run *run)
{
	(void)pthread_mutex_lock(&x->turn);
	point(x, run);
}

void runner_turn_give(struct runner_execution *x) { (void)pthread_mutex_unlock(&x->turn); }

/* Somebody ended, or a moment is over: the caller looks again. */
static void wait_a_moment(struct runner_execution *x, struct runner_step_run *run)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(&x->changed, &x->turn, &until);
	point(x, run);
}

/* ---- the step's own thread ---- */

static void keep_log(void *ctx, struct lb_bytes lines)
{
	struct runner_background *b = ctx;
	struct plat *plat = b->x->host->plat;

	/* A log that cannot be kept is said where it is taken over. */
	if (!lb_failed(plat->ops->write_at(plat, b->log_file, lines.at, lines.len, b->log_size)))
		b->log_size += lines.len;
	else
		b->diag.text[0] = '\0';
}

static void *work(void *ctx)
{
	struct runner_background *b = ctx;
	struct runner_execution *x = b->x;

	runner_turn_take(x, &b->run);
	while (x->active >= RUNNER_BACKGROUND_MAX &&
	       runner_stop_level(&b->stop) == RUNNER_STOP_NONE)
		wait_a_moment(x, &b->run);
	x->active++;
	if (runner_stop_level(&b->stop) != RUNNER_STOP_NONE)
		b->err = lb_fail(&b->diag, LB_E_CANCELLED, "The operation was canceled.");
	else
		b->err = b->perform(x, &b->run, &b->plan, &b->diag);
	point(x, &b->run);
	runner_log_flush(x->log);
	x->active--;
	b->done = true;
	(void)pthread_cond_broadcast(&x->changed);
	runner_turn_give(x);
	return NULL;
}

/* ---- life ---- */

static lb_err open_log(struct runner_background *b, struct lb_diag *diag)
{
	struct runner_execution *x = b->x;
	struct plat *plat = x->host->plat;
	lb_err err;

	b->log_path = runner_exchange(x, "log");
	if (b->log_path == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = plat->ops->open(&b->log_file, plat, b->log_path,
	                      PLAT_READ | PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE | PLAT_PRIVATE);
	if (lb_failed(err))
		lb_diag_set(diag, "%s: %s", b->log_path, lb_err_text(err));
	runner_log_init(&b->log, x->host->mem, plat, x->mask, keep_log, b);
	runner_lines_init(&b->lines, x->host->mem, runner_output_line, x);
	b->lines.block = runner_output_block;
	return err;
}

lb_err runner_background_start(
	struct runner_background **out, struct runner_execution *x,
	const struct runner_step_run *run, const struct workflow_step_plan *plan,
	lb_err (*perform)(struct runner_execution *x, struct runner_step_run *run,
                          const struct workflow_step_plan *plan, struct lb_diag *diag),
	struct lb_diag *diag)
{
	struct runner_background *b = LB_ARENA_NEW(x->arena, struct runner_background, 1), **slot;

	slot = b != NULL ? lb_vec_add(&x->backgrounds) : NULL;
	if (slot == NULL)
		return lb_err_of(LB_E_NOMEM);
	*slot = *out = b;
	*b = (struct runner_background){ .run = *run,
		                         .plan = *plan,
		                         .x = x,
		                         .perform = perform,
		                         .log_file = -1,
		                         .done = true,
		                         .joined = true };
	b->run.background = b;
	b->run.outer = NULL;
	LB_TRY(runner_stop_init(&b->stop));
	LB_TRY(open_log(b, diag));
	b->done = b->joined = false;
	if (pthread_create(&b->thread, NULL, work, b) != 0) {
		b->done = b->joined = true;
		return lb_fail(diag, LB_E_NOMEM, "no thread can be started for a background step");
	}
	return LB_OK;
}

struct runner_background *runner_background_find(struct runner_execution *x, struct lb_bytes id)
{
	for (size_t i = x->backgrounds.count; i > 0; i--) {
		struct runner_background *b =
			*LB_VEC_AT(&x->backgrounds, struct runner_background *, i - 1);

		if (lb_bytes_eq_nocase(b->run.step->id, id))
			return b;
	}
	return NULL;
}

/* What it said, as a part of the job's log. */
static void take_log(struct runner_execution *x, struct runner_background *b)
{
	struct plat *plat = x->host->plat;
	unsigned char *room = lb_mem_new(x->host->mem, COPY_BYTES, 1);
	uint64_t at = 0;
	size_t got = 1;
	lb_err err = room != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);

	runner_log_flush(&x->own_log);
	while (!lb_failed(err) && got > 0 && at < b->log_size) {
		err = plat->ops->read_at(&got, plat, b->log_file, room, COPY_BYTES, at);
		if (!lb_failed(err) && got > 0)
			x->link->ops->log(x->link, (struct lb_bytes){ room, got });
		at += got;
		x->own_log.size += got;
	}
	if (lb_failed(err))
		runner_log_linef(&x->own_log, "##[warning]the log of '%.*s' was lost: %s",
		                 LB_FMT(b->run.name), lb_err_text(err));
	if (room != NULL)
		lb_mem_drop(x->host->mem, room, COPY_BYTES, 1);
}

void runner_background_join(struct runner_execution *x, struct runner_background *b)
{
	struct runner_step_run *run = x->running;

	if (b->joined)
		return;
	while (!b->done) {
		runner_look(x);
		if (x->cancelled)
			runner_stop_raise(&b->stop, x->obey >= RUNNER_STOP_FORGET
			                                    ? RUNNER_STOP_FORGET
			                                    : RUNNER_STOP_CANCEL);
		wait_a_moment(x, run);
	}
	runner_turn_give(x);
	(void)pthread_join(b->thread, NULL);
	runner_turn_take(x, run);
	b->joined = true;
	take_log(x, b);
}

void runner_background_cancel(struct runner_background *b)
{
	b->cancelled = true;
	runner_stop_raise(&b->stop, RUNNER_STOP_CANCEL);
}

void runner_backgrounds_free(struct runner_execution *x)
{
	for (size_t i = 0; i < x->backgrounds.count; i++) {
		struct runner_background *b =
			*LB_VEC_AT(&x->backgrounds, struct runner_background *, i);

		if (!b->joined) {
			runner_stop_raise(&b->stop, RUNNER_STOP_FORGET);
			runner_background_join(x, b);
		}
		runner_log_release(&b->log);
		runner_lines_release(&b->lines);
		if (b->log_file >= 0)
			x->host->plat->ops->close(x->host->plat, b->log_file);
		runner_stop_release(&b->stop);
	}
	lb_vec_release(&x->backgrounds);
}
