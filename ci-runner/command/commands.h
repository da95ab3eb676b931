/* commands.h - the commands of lifeboat-runner.
 *
 * Threads: each is the whole of the process's work.
 */
#ifndef RUNNER_COMMAND_COMMANDS_H
#define RUNNER_COMMAND_COMMANDS_H

#include "base/io/args.h"
#include "ci-runner/execute/job.h"
#include "ci-runner/sandbox/sandbox.h"

lb_err runner_command_serve(struct lb_cli *cli);
lb_err runner_command_run(struct lb_cli *cli);
lb_err runner_command_exec(struct lb_cli *cli);
lb_err runner_command_lint(struct lb_cli *cli);
lb_err runner_command_bundle(struct lb_cli *cli);
lb_err runner_command_test(struct lb_cli *cli);
lb_err runner_command_plan(struct lb_cli *cli);
lb_err runner_command_inside(struct lb_cli *cli);
lb_err runner_command_actions(struct lb_cli *cli);
lb_err runner_command_replay(struct lb_cli *cli);

/* Where a host's actions come from: mirrors below the state folder, filled from
 * $LIFEBOAT_ACTIONS_SOURCE; its tool cache is $LIFEBOAT_TOOL_CACHE. */
lb_err runner_command_sources(struct runner_host *host, struct lb_cli *cli);

/* What --network says; USAGE where it is missing or cannot be read. */
lb_err runner_command_reach(struct runner_reach *out, struct lb_cli *cli);

/* The usual limits with --limit laid over them, set for the sandbox. */
lb_err runner_command_limit(struct runner_sandbox *sandbox, struct lb_cli *cli);

/* Of --secret and --secrets, so that none shows in a list of processes: from files, or from the
 * keyring under "lifeboat:NAME".  NOTFOUND names one that is nowhere. */
struct runner_run;
lb_err runner_command_secrets(struct runner_run *run, struct lb_cli *cli);

/* Values of a repeated option as a list that ends with NULL, in the command's arena. */
lb_err runner_command_list(const char *const **out, struct lb_cli *cli, const char *option);

#endif
