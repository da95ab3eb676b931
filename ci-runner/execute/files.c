/* files.c - the files through which a step speaks: GITHUB_OUTPUT, _ENV, _PATH, _STATE,
 * _STEP_SUMMARY. */
#include "ci-runner/execute/execution_priv.h"

#include "base/io/file.h"
#include "base/text.h"
#include "ci-runner/text/pairs.h"

#include <stdio.h>

lb_err runner_files_write(const char **path, struct runner_execution *x, const char *folder,
                          const char *suffix, struct lb_bytes content, struct lb_diag *diag)
{
	struct plat *plat = x->host->plat;
	unsigned char random[8];
	struct lb_bytes name;
	int file = -1;
	lb_err err;

	/* A name that no step can foresee, and never through a link that one left there. */
	LB_TRY(plat->ops->entropy(random, plat, sizeof random));
	name = lb_arena_format(x->arena, "%s/%02x%02x%02x%02x%02x%02x%02x%02x_%u%s", folder,
	                       (unsigned)random[0], (unsigned)random[1], (unsigned)random[2],
	                       (unsigned)random[3], (unsigned)random[4], (unsigned)random[5],
	                       (unsigned)random[6], (unsigned)random[7], ++x->files, suffix);
	if (x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	*path = (const char *)name.at;
	err = plat->ops->open(&file, plat, *path, PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE);
	if (!lb_failed(err) && content.len > 0)
		err = plat->ops->write_at(plat, file, content.at, content.len, 0);
	if (file >= 0)
		plat->ops->close(plat, file);
	if (lb_failed(err))
		lb_diag_set(diag, "%s: %s", *path, lb_err_text(err));
	return err;
}

const char *runner_exchange(struct runner_execution *x, const char *name)
{
	return (const char *)lb_arena_format(x->arena, "%s/%u-%s", x->folders.exchange, ++x->files,
	                                     name)
	        .at;
}

lb_err runner_files_read(struct lb_buf *out, struct runner_execution *x, const char *path,
                         struct lb_diag *diag)
{
	struct plat_info info;
	lb_err err = x->host->plat->ops->info(&info, x->host->plat, path);

	if (lb_code_of(err) == LB_E_NOTFOUND)
		return LB_OK; /* the step removed it: nothing was said */
	if (!lb_failed(err) && info.type != PLAT_FILE)
		return lb_fail(diag, LB_E_INVALID, "%s is no longer a regular file", path);
	if (!lb_failed(err))
		err = lb_file_read(out, x->host->plat, path, diag);
	return err;
}

lb_err runner_files_make(struct runner_execution *x, struct runner_step_run *run,
                         struct lb_diag *diag)
{
	const struct {
		const char **path, *suffix;
	} all[] = {
		{ &run->output_file, "_set_output" },    { &run->env_file, "_set_env" },
		{ &run->path_file, "_add_path" },        { &run->state_file, "_save_state" },
		{ &run->summary_file, "_step_summary" },
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		LB_TRY(runner_files_write(all[i].path, x, x->folders.commands, all[i].suffix,
		                          (struct lb_bytes){ 0 }, diag));
	return LB_OK;
}

void runner_export(struct runner_execution *x, struct lb_bytes name, struct lb_bytes value)
{
	lb_value_set(x->arena, x->exported, name, lb_value_string(x->arena, value));
}

/* GITHUB_ENV may not change what belongs to the runner, nor what would run code in its actions. */
static bool may_export(struct lb_bytes name)
{
	return !lb_bytes_is(name, "NODE_OPTIONS") && !lb_bytes_starts(name, LB_B("GITHUB_")) &&
	       !lb_bytes_starts(name, LB_B("RUNNER_")) && !lb_bytes_is(name, "CI") &&
	       !lb_bytes_starts(name, LB_B("ACTIONS_ID_TOKEN_"));
}

static void take_env(struct runner_execution *x, struct runner_step_run *run, struct lb_bytes name,
                     struct lb_bytes value)
{
	(void)run;
	if (may_export(name))
		runner_export(x, name, value);
	else
		runner_say_error(x,
		                 "Can't store %.*s output parameter using '$GITHUB_ENV' command.",
		                 LB_FMT(name));
}

static void take_output(struct runner_execution *x, struct runner_step_run *run,
                        struct lb_bytes name, struct lb_bytes value)
{
	lb_value_set(x->arena, run->outputs, name, lb_value_string(x->arena, value));
}

static void take_state(struct runner_execution *x, struct runner_step_run *run,
                       struct lb_bytes name, struct lb_bytes value)
{
	lb_value_set(x->arena, run->state, name, lb_value_string(x->arena, value));
}

static lb_err take_pairs(struct runner_execution *x, struct runner_step_run *run, const char *path,
                         const char *what,
                         void (*take)(struct runner_execution *x, struct runner_step_run *run,
                                      struct lb_bytes name, struct lb_bytes value),
                         struct lb_diag *diag)
{
	struct runner_pairs pairs;
	struct lb_bytes name, value;
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, x->host->mem, RUNNER_FILE_COMMAND_BYTES_MAX);
	err = runner_files_read(&text, x, path, diag);
	runner_pairs_begin(&pairs, lb_buf_bytes(&text));
	while (!lb_failed(err)) {
		err = runner_pairs_next(&name, &value, &pairs, diag);
		if (!lb_failed(err))
			take(x, run, name, value);
	}
	lb_buf_release(&text);
	if (lb_code_of(err) == LB_E_END)
		return LB_OK;
	runner_say_error(x, "Unable to process file command '%s' successfully.", what);
	return err;
}

static lb_err take_paths(struct runner_execution *x, const char *path, struct lb_diag *diag)
{
	struct lb_buf text;
	struct lb_bytes rest, line;
	lb_err err;

	lb_buf_init(&text, x->host->mem, RUNNER_FILE_COMMAND_BYTES_MAX);
	err = runner_files_read(&text, x, path, diag);
	rest = lb_buf_bytes(&text);
	while (!lb_failed(err) && runner_next_line(&line, &rest)) {
		const char *copy = lb_arena_text(x->arena, line);
		const char **slot = line.len > 0 && copy != NULL ? lb_vec_add(&x->paths) : NULL;

		if (slot != NULL)
			*slot = copy;
		err = lb_vec_check(&x->paths);
	}
	lb_buf_release(&text);
	return err;
}

static lb_err take_summary(struct runner_execution *x, const char *path, struct lb_diag *diag)
{
	struct lb_buf text, hidden;
	size_t covered = 0;
	lb_err err;

	lb_buf_init(&text, x->host->mem, RUNNER_SUMMARY_BYTES_MAX);
	lb_buf_init(&hidden, x->host->mem, RUNNER_SUMMARIES_BYTES_MAX);
	err = runner_files_read(&text, x, path, diag);
	if (lb_code_of(err) == LB_E_LIMIT)
		err = lb_fail(diag, LB_E_LIMIT,
		              "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size "
		              "of 1024k");
	if (!lb_failed(err) && text.len > 0) {
		(void)runner_mask_apply(x->mask, &hidden, &covered, lb_buf_bytes(&text), true);
		lb_buf_add(&x->summary, lb_buf_bytes(&hidden));
		if (!lb_bytes_ends(lb_buf_bytes(&hidden), LB_B("\n")))
			lb_buf_add_byte(&x->summary, '\n');
		err = lb_buf_check(&x->summary);
	}
	lb_buf_release(&hidden);
	lb_buf_release(&text);
	return err;
}

/* All are read even where one is bad: the first failure is the step's. */
lb_err runner_files_take(struct runner_execution *x, struct runner_step_run *run,
                         struct lb_diag *diag)
{
	struct lb_diag other;
	lb_err errs[5] = { take_pairs(x, run, run->env_file, "env", take_env, diag) };

	errs[1] = take_paths(x, run->path_file, lb_failed(errs[0]) ? &other : diag);
	errs[2] = take_pairs(x, run, run->output_file, "output", take_output,
	                     lb_failed(errs[0]) || lb_failed(errs[1]) ? &other : diag);
	errs[3] = take_pairs(x, run, run->state_file, "save-state", take_state, &other);
	errs[4] = take_summary(x, run->summary_file, &other);
	if (lb_failed(errs[4]))
		runner_say_error(x, "%s", lb_diag_text(&other, errs[4]));
	for (size_t i = 0; i < 4; i++)
		LB_TRY(errs[i]);
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}
