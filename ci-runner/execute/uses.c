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
	  "show-progress set-safe-directory submodules lfs sparse-checkout "
	  "sparse-checkout-cone-mode filter github-server-url ssh-strict ssh-user" },
	{ "actions/upload-artifact", runner_upload_run,
	  "name path if-no-files-found overwrite include-hidden-files retention-days "
	  "compression-level" },
	{ "actions/download-artifact", runner_download_run,
	  "name path pattern merge-multiple artifact-ids run-id repository github-token "
	  "skip-decompress "
	  "digest-mismatch" },
	{ "actions/cache", runner_cache_run,
	  "path key restore-keys fail-on-cache-miss lookup-only save-always upload-chunk-size "
	  "enableCrossOsArchive" },
	{ "actions/cache/restore", runner_cache_restore_run,
	  "path key restore-keys fail-on-cache-miss lookup-only enableCrossOsArchive" },
	{ "actions/cache/save", runner_cache_save_run,
	  "path key upload-chunk-size enableCrossOsArchive" },
};

/* What makes sense on GitHub alone; a name that ends with a slash stands for all below it. */
static const char *const elsewhere[] = {
	"actions/attest",
	"actions/attest-build-provenance",
	"actions/attest-sbom",
	"actions/configure-pages",
	"actions/delete-package-versions",
	"actions/dependency-review-action",
	"actions/deploy-pages",
	"actions/stale",
	"dependabot/fetch-metadata",
	"github/codeql-action/",
	"ossf/scorecard-action",
};

static bool is_elsewhere(struct lb_bytes uses)
{
	struct lb_bytes name = lb_bytes_upto(uses, lb_bytes_find_byte(uses, '@'));

	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
		struct lb_bytes known = lb_bytes_of(elsewhere[i]);
		struct lb_bytes begin =
			lb_bytes_ends(known, LB_B("/")) ? lb_bytes_upto(name, known.len) : name;

		if (lb_bytes_eq_nocase(begin, known))
			return true;
	}
	return false;
}

static const struct {
	enum workflow_action_kind kind;
	runner_kind_fn *run;
} kinds[] = {
	{ WORKFLOW_ACTION_COMPOSITE, runner_composite_run },
	{ WORKFLOW_ACTION_NODE, runner_node_run },
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

bool runner_uses_is_builtin(struct lb_bytes uses)
{
	return find_builtin(uses) != NULL || is_elsewhere(uses);
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

static void show(struct runner_execution *x, const struct workflow_step_plan *plan)
{
	runner_log_line(x->log, lb_arena_format(x->arena, "##[group]Run %.*s", LB_FMT(plan->uses)));
	if (plan->with->count > 0)
		runner_log_line(x->log, LB_B("with:"));
	for (uint32_t i = 0; i < plan->with->count; i++)
		runner_log_line(x->log,
		                lb_arena_format(x->arena, "  %.*s: %.*s",
		                                LB_FMT(plan->with->members[i].key),
		                                LB_FMT(plan->with->members[i].value->string)));
	if (plan->env->count > 0)
		runner_log_line(x->log, LB_B("env:"));
	for (uint32_t i = 0; i < plan->env->count; i++)
		runner_log_line(x->log,
		                lb_arena_format(x->arena, "  %.*s: %.*s",
		                                LB_FMT(plan->env->members[i].key),
		                                LB_FMT(plan->env->members[i].value->string)));
	runner_log_line(x->log, LB_B("##[endgroup]"));
}

static lb_err run_builtin(struct runner_execution *x, const struct builtin *builtin,
                          struct runner_step_run *run, const struct workflow_step_plan *plan,
                          struct lb_diag *diag)
{
	for (uint32_t i = 0; i < plan->with->count; i++) {
		if (!has_word(builtin->inputs, plan->with->members[i].key))
			runner_log_linef(x->log,
			                 "##[warning]%s: the input '%.*s' is not known here and is "
			                 "ignored; known are: %s",
			                 builtin->name, LB_FMT(plan->with->members[i].key),
			                 builtin->inputs);
	}
	return builtin->run(x, run, plan, diag);
}

/* Not a success that nobody earned: the step is skipped, and says why where people look. */
static lb_err skip_elsewhere(struct runner_execution *x, struct runner_step_run *run,
                             const struct workflow_step_plan *plan)
{
	struct lb_bytes text =
		lb_arena_format(x->arena,
	                        "%.*s is not applicable off GitHub: this step was skipped",
	                        LB_FMT(plan->uses));

	runner_log_line(x->log, lb_arena_format(x->arena, "##[warning]%.*s", LB_FMT(text)));
	runner_annotate(x, "warning", text, NULL);
	run->skipped = true;
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static bool has_input(const struct workflow_action *manifest, struct lb_bytes name)
{
	for (uint32_t i = 0; i < manifest->input_count; i++) {
		if (lb_bytes_eq_nocase(manifest->inputs[i].name, name))
			return true;
	}
	return manifest->kind == WORKFLOW_ACTION_DOCKER &&
	       (lb_bytes_eq_nocase(name, LB_B("args")) ||
	        lb_bytes_eq_nocase(name, LB_B("entrypoint")));
}

static void warn_inputs(struct runner_execution *x, const struct workflow_step_plan *plan,
                        const struct workflow_action *manifest)
{
	struct lb_bytes wrong = { 0 }, right = { 0 };

	for (uint32_t i = 0; i < plan->with->count; i++) {
		struct lb_bytes name = plan->with->members[i].key;

		if (!has_input(manifest, name))
			wrong = lb_arena_format(x->arena, "%.*s%s'%.*s'", LB_FMT(wrong),
			                        wrong.len > 0 ? ", " : "", LB_FMT(name));
	}
	for (uint32_t i = 0; wrong.len > 0 && i < manifest->input_count; i++)
		right = lb_arena_format(x->arena, "%.*s%s'%.*s'", LB_FMT(right),
		                        right.len > 0 ? ", " : "",
		                        LB_FMT(manifest->inputs[i].name));
	if (wrong.len > 0)
		runner_log_line(x->log, lb_arena_format(x->arena,
		                                        "##[warning]Unexpected input(s) %.*s, "
		                                        "valid inputs are [%.*s]",
		                                        LB_FMT(wrong), LB_FMT(right)));
	for (uint32_t i = 0; i < manifest->input_count; i++) {
		const struct workflow_action_input *input = &manifest->inputs[i];

		if (input->deprecation.len > 0 &&
		    lb_value_find_nocase(plan->with, input->name) != NULL)
			runner_log_line(x->log, lb_arena_format(x->arena,
			                                        "##[warning]Input '%.*s' has been "
			                                        "deprecated with message: %.*s",
			                                        LB_FMT(input->name),
			                                        LB_FMT(input->deprecation)));
	}
}

static lb_err run_action(struct runner_execution *x, struct runner_frame *frame,
                         struct runner_step_run *run, const struct workflow_step_plan *plan,
                         struct lb_diag *diag)
{
	struct runner_action action;

	LB_TRY(runner_action_find(&action, x, frame, plan->uses, diag));
	warn_inputs(x, plan, action.manifest);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (kinds[i].kind == action.manifest->kind)
			return kinds[i].run(x, frame, run, plan, &action, diag);
	}
	return lb_fail(diag, LB_E_UNSUPPORTED,
	               "uses: %.*s is an action that runs by '%.*s', which this runner does not do",
	               LB_FMT(plan->uses), LB_FMT(action.manifest->using));
}

lb_err runner_uses_run(struct runner_execution *x, struct runner_frame *frame,
                       struct runner_step_run *run, const struct workflow_step_plan *plan,
                       struct lb_diag *diag)
{
	const struct builtin *builtin = find_builtin(plan->uses);

	show(x, plan);
	if (builtin != NULL)
		return run_builtin(x, builtin, run, plan, diag);
	if (is_elsewhere(plan->uses))
		return skip_elsewhere(x, run, plan);
	return run_action(x, frame, run, plan, diag);
}
