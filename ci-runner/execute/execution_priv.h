/* execution_priv.h - what the files that execute a job share.
 *
 * A frame is a list of steps with contexts of its own: the job's, or a composite action's.
 * Everything of a job lives in one arena, which ends with it.
 */
#ifndef RUNNER_EXECUTE_EXECUTION_PRIV_H
#define RUNNER_EXECUTE_EXECUTION_PRIV_H

#include "base/vec.h"
#include "ci-runner/actions/source.h"
#include "ci-runner/execute/job.h"
#include "ci-runner/github/service.h"
#include "ci-runner/log/log.h"
#include "ci-runner/text/lines.h"
#include "ci-runner/text/matcher.h"
#include "workflows/step/action.h"
#include "workflows/step/step.h"

enum {
	RUNNER_NESTING_MAX = 10, /* composite actions within each other, as on GitHub */
	RUNNER_STEPS_MAX = 10000,
	RUNNER_POSTS_MAX = 1000,
	RUNNER_MANIFESTS_MAX = 10000,
	RUNNER_PATHS_MAX = 1000,
	RUNNER_SUMMARY_BYTES_MAX = 1024 * 1024, /* of one step */
	RUNNER_SUMMARIES_BYTES_MAX = 16 * 1024 * 1024,
	RUNNER_FILE_COMMAND_BYTES_MAX = 64 * 1024 * 1024,
	RUNNER_ANNOTATIONS_MAX = 10 /* of a level and step, as on GitHub */
};

struct runner_frame {
	struct runner_frame *outer; /* NULL: the job's own steps */
	struct lb_value *contexts;  /* object */
	const struct lb_value
		*env;           /* the job's env, or what the steps around an action added to it */
	struct lb_value *steps; /* the steps context */
	enum workflow_status status; /* what success() and its like go by */
	const char *action_path;     /* of a composite action; NULL otherwise */
	const char *self; /* the files of the repository that `$/` means; NULL: the job's own */
	struct lb_bytes repository, ref;  /* that repository, where it is not the job's own */
	const struct runner_intra *intra; /* of the step that uses the action; NULL: the job's */
	unsigned depth;
};

/* What an action's pre, main and post share. */
struct runner_intra {
	const struct runner_intra *outer;
	const struct workflow_step *step;
	struct lb_value *state; /* object of strings: save-state */
	bool posted;            /* its post will run */
};

/* An action that a step uses, found and read. */
struct runner_action {
	const struct workflow_action *manifest;
	const char *folder, *root;       /* its own, and its repository's */
	struct lb_bytes repository, ref; /* of one from elsewhere; empty otherwise */
	bool remote;
};

/* A step under way. */
struct runner_step_run {
	const struct workflow_step *step;
	struct lb_bytes name; /* as people see it */
	struct runner_frame *frame;
	struct lb_value *outputs;            /* object of strings */
	struct lb_value *state;              /* save-state, for the step's own post */
	struct runner_intra *intra;          /* NULL: it does not use an action */
	const struct runner_step_run *outer; /* that uses the action it stands in; NULL: none */
	const struct lb_value *env;  /* what its process sees, but for what the runner adds */
	bool runtime;                /* ... and it is an action: with the runtime's services */
	const struct lb_value *more; /* variables beside the step's env; NULL: none */
	unsigned number;             /* of the record that it belongs to */
	const char *stop_token;      /* after ::stop-commands::; NULL: commands are obeyed */
	bool echo;
	struct runner_background *background; /* that it belongs to; NULL: none */
	bool skipped;                         /* it turned out to be nothing for this place */
	const char *output_file, *env_file, *path_file, *state_file, *summary_file;
	uint64_t deadline_ns; /* 0: none */
	unsigned annotations[3];
};

struct runner_execution;

/* Runs what a step with `uses` names: uses.c, given to those below it by the job. */
typedef lb_err runner_uses_fn(struct runner_execution *x, struct runner_frame *frame,
                              struct runner_step_run *run, const struct workflow_step_plan *plan,
                              struct lb_diag *diag);

/* A step that runs beside the others, in a thread of its own.  Its log is gathered in a file, and
 * becomes part of the job's when it is waited for, as do its outputs and what it exported. */
struct runner_background {
	struct runner_step_run run;
	struct workflow_step_plan plan;
	size_t record_at; /* among the records */
	pthread_t thread;
	struct runner_stop stop;
	struct runner_execution *x;
	lb_err (*perform)(struct runner_execution *x, struct runner_step_run *run,
	                  const struct workflow_step_plan *plan, struct lb_diag *diag);
	struct runner_log log;
	struct runner_lines lines;
	const char *log_path;
	int log_file;
	uint64_t log_size;
	lb_err err;
	struct lb_diag diag;
	enum runner_conclusion conclusion; /* once it was waited for */
	bool done, joined, cancelled;      /* cancelled: by a step, which is no failure */
};

/* What an action does after the job's steps. */
struct runner_post {
	struct lb_bytes name; /* "Post Run actions/cache@v4" */
	struct runner_frame *frame;
	const struct workflow_step *step;
	const struct workflow_step *top;        /* of the job, which it belongs to */
	const struct workflow_token *condition; /* NULL: always() */
	struct runner_intra *intra;
	lb_err (*run)(struct runner_execution *x, struct runner_step_run *run, void *ctx,
	              struct lb_diag *diag);
	void *ctx;
};

struct runner_execution {
	struct lb_arena *arena;
	struct lb_arena line; /* lives for one line of output */
	const struct runner_host *host;
	const struct runner_job *job;
	struct runner_link *link;
	runner_uses_fn *uses;
	struct runner_folders folders;
	struct workflow *workflow;
	const struct workflow_job *definition;
	struct runner_mask *mask;
	struct runner_log own_log, *log; /* log, lines: of what is running */
	struct runner_lines own_lines, *lines;
	struct runner_matchers *matchers;
	struct runner_frame frame; /* the job's */
	struct runner_networks *networks;
	const struct runner_net
		*full;           /* the machine's, entered for the whole job; NULL: it is not */
	struct runner_door door; /* of github.localhost */
	struct runner_github *github;
	pthread_mutex_t
		link_lock;     /* over the link's artifacts and caches: steps ask for them too */
	struct lb_bytes token; /* GITHUB_TOKEN */

	struct lb_value *exported;        /* what steps put into GITHUB_ENV: object of strings */
	struct lb_vec paths;              /* of const char *: put before PATH, the last one first */
	struct lb_vec records;            /* of struct runner_step_state */
	size_t next_record;               /* of the job's steps */
	struct lb_vec posts;              /* of struct runner_post */
	struct lb_vec intras;             /* of struct runner_intra * */
	struct lb_vec manifests, missing; /* see find.c */
	struct runner_actions *actions;   /* NULL: until one of another repository is used */
	const char *self; /* the job's repository for `$/`; NULL: not needed so far */
	struct lb_value *annotations;
	struct lb_buf summary;
	unsigned files; /* of scripts and commands so far: numbers in their names */

	struct runner_step_run *running; /* whose output is being read */
	bool debug;

	/* Held by whichever thread works on the job: the job's own, or a background step's.  It is
	 * given away while a process is watched and while background steps are waited for. */
	pthread_mutex_t turn;
	pthread_cond_t changed;    /* a background step ended, or may begin */
	struct lb_vec backgrounds; /* of struct runner_background * */
	unsigned active;           /* background steps under way */

	uint64_t deadline_ns; /* of the job */
	uint64_t cancel_ns;   /* what a cancelled job may still take */
	double timeout_minutes;
	bool cancelled, timed_out;
	enum runner_stop_level obey; /* stop wishes that were answered already */
	lb_err failure;              /* of memory; ends the job */
};

/* ---- output.c: what a step prints ---- */
void runner_output_part(void *ctx, struct lb_bytes part); /* ctx: the execution */
void runner_output_block(void *ctx, struct lb_bytes lines);
size_t runner_output_line(void *ctx, struct lb_bytes text, bool ended);
void runner_output_end(struct runner_execution *x);

/* One line of a level, "warning", and an annotation. */
void runner_say(struct runner_execution *x, const char *level, const char *text);
void runner_say_error(struct runner_execution *x, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A copy in the job's arena without secrets, for what leaves the job beside its log. */
struct lb_bytes runner_hidden(struct runner_execution *x, struct lb_bytes text);
void runner_annotate(struct runner_execution *x, const char *level, struct lb_bytes message,
                     const struct lb_value *more);

/* ---- problem.c ---- */
void runner_matchers_command_add(struct runner_execution *x, struct lb_bytes file);
void runner_matchers_command_remove(struct runner_execution *x, struct lb_bytes owner,
                                    struct lb_bytes file);
/* Was it a problem, and so said? */
bool runner_problem_line(struct runner_execution *x, struct lb_bytes line);

/* ---- files.c: file commands ---- */
lb_err runner_files_make(struct runner_execution *x, struct runner_step_run *run,
                         struct lb_diag *diag);
lb_err runner_files_take(struct runner_execution *x, struct runner_step_run *run,
                         struct lb_diag *diag);
/* A new file of a random name with this content; its path is in the arena. */
lb_err runner_files_write(const char **path, struct runner_execution *x, const char *folder,
                          const char *suffix, struct lb_bytes content, struct lb_diag *diag);
/* A new name in the exchange folder. */
const char *runner_exchange(struct runner_execution *x, const char *name);
/* A regular file that a step may have put another thing in the place of. */
lb_err runner_files_read(struct lb_buf *out, struct runner_execution *x, const char *path,
                         struct lb_diag *diag);
void runner_export(struct runner_execution *x, struct lb_bytes name, struct lb_bytes value);

/* ---- environment.c ---- */
/* What the process of a step sees: "NAME=value", ends with NULL. */
lb_err runner_environment(const char *const **out, struct runner_execution *x,
                          const struct runner_step_run *run, const struct runner_net *net);
lb_err runner_contexts(struct lb_value **out, struct runner_execution *x);

/* ---- evaluate.c ---- */
void runner_scope(struct workflow_scope *out, struct runner_execution *x,
                  const struct runner_frame *frame);
/* The environment of a step: left as the frame's `env` context. */
lb_err runner_step_env(struct runner_execution *x, struct runner_frame *frame,
                       const struct workflow_step *step, struct lb_diag *diag);
/* NULL: always(). */
lb_err runner_condition(bool *out, struct runner_execution *x, struct runner_frame *frame,
                        const struct workflow_token *condition, struct lb_diag *diag);
lb_err runner_plan_step(struct workflow_step_plan *out, struct runner_execution *x,
                        const struct runner_frame *frame, const struct workflow_step *step,
                        struct lb_diag *diag);

/* ---- process.c ---- */
/* Look whether the job was cancelled or its time is over, and remember. */
void runner_look(struct runner_execution *x);

/* Run in the sandbox until it ends, its output through output.c; FAILED with prose for a status
 * other than 0, CANCELLED, TIMEOUT.  In the job's network for its policy, unless it is
 * the runner's own helper. */
lb_err runner_execute_command(struct runner_execution *x, struct runner_step_run *run,
                              const struct runner_command *how, struct lb_diag *diag);
/* How a step's process is started, but for its words: in the workspace, with this environment. */
lb_err runner_command_of(struct runner_command *out, struct runner_execution *x,
                         struct runner_step_run *run, const struct lb_value *env,
                         struct lb_diag *diag);
const char *const *runner_writable(struct runner_execution *x, bool with_exchange);

/* ---- record.c ---- */
struct runner_step_state *runner_record_add(struct runner_execution *x,
                                            struct lb_bytes name); /* NULL: see x->records */
void runner_record_begin(struct runner_execution *x, struct runner_step_state *record);
void runner_record_end(struct runner_execution *x, struct runner_step_state *record,
                       enum runner_conclusion outcome, enum runner_conclusion conclusion);

/* ---- checkout.c ---- */
/* The job's own repository at its commit into this folder. */
lb_err runner_checkout_own(struct runner_execution *x, const char *folder, struct lb_diag *diag);

/* ---- find.c ---- */
/* The action that `uses` names in this frame, its files being there.  UNSUPPORTED, NOTFOUND, DENIED
 * with prose. */
lb_err runner_action_find(struct runner_action *out, struct runner_execution *x,
                          const struct runner_frame *frame, struct lb_bytes uses,
                          struct lb_diag *diag);
void runner_actions_begin(struct runner_execution *x);
void runner_actions_forget(struct runner_execution *x);
/* Made when it is not there; NULL: no memory. */
struct runner_intra *runner_intra_of(struct runner_execution *x, const struct runner_frame *frame,
                                     const struct workflow_step *step);

/* ---- post.c ---- */
lb_err runner_post_add(struct runner_execution *x, struct runner_step_run *run,
                       const struct workflow_token *condition,
                       lb_err (*act)(struct runner_execution *x, struct runner_step_run *run,
                                     void *ctx, struct lb_diag *diag),
                       void *ctx);
lb_err runner_posts_run(struct runner_execution *x);
/* Run what an action does before or after as a step of its own; *outcome as for a step. */
lb_err runner_stage_run(enum runner_conclusion *outcome, struct runner_execution *x,
                        const struct runner_post *stage, const struct runner_step_run *outer);

/* ---- services.c ---- */
lb_err runner_services_begin(struct runner_execution *x, struct lb_diag *diag);
void runner_services_end(struct runner_execution *x);
/* Where github.localhost listens in this network. */
uint16_t runner_services_port(const struct runner_net *net);

/* ---- step.c ---- */
struct lb_bytes runner_step_title(struct runner_execution *x, const struct runner_frame *frame,
                                  const struct workflow_step *step);
/* Steps of a frame in order.  A job's have records, in the same order. */
lb_err runner_steps(struct runner_execution *x, struct runner_frame *frame,
                    const struct workflow_step *steps, uint32_t count);
/* Wait for the background steps that no step waited for. */
lb_err runner_steps_end(struct runner_execution *x);

/* ---- background.c ---- */
enum { RUNNER_BACKGROUND_MAX = 10 }; /* at once, as on GitHub; others wait */
/* Take and give the turn; whose output is read, and where to, goes with it. */
void runner_turn_take(struct runner_execution *x, struct runner_step_run *run);
void runner_turn_give(struct runner_execution *x);
/* Begin; `run` and `plan` are taken over. */
lb_err runner_background_start(
	struct runner_background **out, struct runner_execution *x,
	const struct runner_step_run *run, const struct workflow_step_plan *plan,
	lb_err (*perform)(struct runner_execution *x, struct runner_step_run *run,
                          const struct workflow_step_plan *plan, struct lb_diag *diag),
	struct lb_diag *diag);
struct runner_background *runner_background_find(struct runner_execution *x, struct lb_bytes id);
/* Wait until it ended (with the job, if that is cancelled), and take its log over. */
void runner_background_join(struct runner_execution *x, struct runner_background *background);
void runner_background_cancel(struct runner_background *background);
void runner_backgrounds_free(struct runner_execution *x); /* all have been joined */

/* ---- script.c ---- */
lb_err runner_script_run(struct runner_execution *x, struct runner_step_run *run,
                         const struct workflow_step_plan *plan, struct lb_diag *diag);

/* ---- composite.c, node.c, docker.c: the kinds of actions ---- */
typedef lb_err runner_kind_fn(struct runner_execution *x, struct runner_frame *frame,
                              struct runner_step_run *run, const struct workflow_step_plan *plan,
                              const struct runner_action *action, struct lb_diag *diag);
runner_kind_fn runner_composite_run, runner_node_run;
/* A frame for the steps of a composite action, in the arena. */
lb_err runner_composite_frame(struct runner_frame **out, struct runner_execution *x,
                              struct runner_frame *outer, struct runner_intra *intra,
                              const struct workflow_step_plan *plan,
                              const struct runner_action *action, struct lb_diag *diag);
/* The inputs of an action: what is given over what it says itself. */
lb_err runner_action_inputs(const struct lb_value **out, struct runner_execution *x,
                            const struct runner_frame *frame, const struct workflow_step_plan *plan,
                            const struct runner_action *action, struct lb_diag *diag);
/* The `pre` of a Node action, as a stage. */
lb_err runner_node_pre(struct runner_post *out, struct runner_execution *x,
                       struct runner_frame *frame, struct runner_intra *intra,
                       const struct workflow_step_plan *plan, const struct runner_action *action,
                       struct lb_diag *diag);

/* ---- helper.c: file work for built-in actions, done inside the sandbox ---- */
/* Send a request to `lifeboat-runner inside`; `network` only for what talks to the coordinator.
 * The answer is what it left in the exchange folder's file "answer". */
lb_err runner_helper(struct lb_value **answer, struct runner_execution *x,
                     struct runner_step_run *run, struct lb_value *request, bool network,
                     const char *readable, struct lb_diag *diag);

/* ---- uses.c ---- */
runner_uses_fn runner_uses_run;

/* ---- hook.c ---- */
/* A hook's script as a step of its own; a path of NULL: there is none. */
lb_err runner_hook_run(struct runner_execution *x, const char *path, const char *name);

/* ---- prepare.c ---- */
/* Fetch the actions of other repositories that the job's steps use, so that it is said early. */
lb_err runner_fetch_actions(struct runner_execution *x);
/* Run the `pre` of those that have one. */
lb_err runner_run_pres(struct runner_execution *x);

#endif
