/* uses.c - what `uses` runs: the built-in actions, and the kinds of all others. */
#include "ci-runner/execute/builtin_priv.h"

static const struct builtin {
	const char *name; /* "actions/checkout" */
	lb_err (*run)(struct runner_execution *x, struct runner_step_run *run,
	              const struct workflow_step_plan *plan, struct lb_diag *diag);
	const char *inputs; /* "ref path ...": others get a warning */
} builtins[] = {
	{ "actions/checkout", runner_checkout_run,
	  "repository ref path token fetch-depth fetch-tags persist-credentials clean "
	  "show-progress "
	  "set-safe-directory" },
	{ "actions/upload-artifact", runner_upload_run,
	  "name path if-no-files-found overwrite include-hidden-files retention-days "
	  "compression-level" },
	{ "actions/download-artifact", runner_download_run, "name path pattern merge-multiple" },
	{ "actions/cache", runner_cache_run,
	  "path key restore-keys fail-on-cache-miss lookup-only save-always" },
	{ "actions/cache/restore", runner_cache_restore_run,
	  "path key restore-keys fail-on-cache-miss lookup-only" },
	{ "actions/cache/save", runner_cache_save_run, "path key" },
};

static const struct builtin *find_builtin(struct lb_bytes uses)
{
	struct lb_bytes name = lb_bytes_upto(uses, lb_bytes_find_byte(uses, '@'));

	for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++) {
		if (lb_bytes_eq_nocase(name, lb_bytes_of(builtins[i].name)))
			return &builtins[i];
	}
	return NULL;
}

static bool has_word(const char *words, struct lb_bytes word)
{
	struct lb_bytes rest = lb_bytes_of(words), one;

	while (lb_bytes_split(&one, &rest, ' ')) {
		if (lb_bytes_eq_nocase(one, word))
			return true;
	}
	return false;
}

static lb_err run_builtin(struct runner_execution *x, const struct builtin *builtin,
                          struct runner_step_run *run, const struct workflow_step_plan *plan,
                          struct lb_diag *diag)
{
	runner_log_line(&x->log,
	                lb_arena_format(x->arena, "##[group]Run %.*s", LB_FMT(plan->uses)));
	if (plan->with->count > 0)
		runner_log_line(&x->log, LB_B("with:"));
	for (uint32_t i = 0; i < plan->with->count; i++)
		runner_log_line(&x->log,
		                lb_arena_format(x->arena, "  %.*s: %.*s",
		                                LB_FMT(plan->with->members[i].key),
		                                LB_FMT(plan->with->members[i].value->string)));
	runner_log_line(&x->log, LB_B("##[endgroup]"));
	for (uint32_t i = 0; i < plan->with->count; i++) {
		if (!has_word(builtin->inputs, plan->with->members[i].key))
			runner_log_linef(&x->log,
			                 "##[warning]%s: the input '%.*s' is not known here and is "
			                 "ignored; known are: %s",
			                 builtin->name, LB_FMT(plan->with->members[i].key),
			                 builtin->inputs);
	}
	return builtin->run(x, run, plan, diag);
}

lb_err runner_uses_run(struct runner_execution *x, struct runner_frame *frame,
                       struct runner_step_run *run, const struct workflow_step_plan *plan,
                       struct lb_diag *diag)
{
	const struct builtin *builtin;

	if (lb_bytes_starts(plan->uses, LB_B("./")) || lb_bytes_is(plan->uses, "."))
		return runner_composite_run(x, frame, run, plan, diag);
	builtin = find_builtin(plan->uses);
	if (builtin != NULL)
		return run_builtin(x, builtin, run, plan, diag);
	return lb_fail(diag, LB_E_UNSUPPORTED,
	               "uses: %.*s cannot be run here. What can: actions in this repository "
	               "(./path) that are composite, and actions/checkout, upload-artifact, "
	               "download-artifact, cache, cache/restore and cache/save of any version",
	               LB_FMT(plan->uses));
}
