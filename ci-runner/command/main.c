/* main.c - lifeboat-runner: executes jobs of a coordinator, or straight from a checkout. */
#include "ci-runner/command/commands.h"

#include "workflows/syntax/reference.h"

static const struct lb_option serve_options[] = {
	{ "coordinator", 0, "URL", "where jobs come from" },
	{ "token-file", 0, "FILE", "holds the runner's token (lbr_...)" },
	{ "name", 0, "NAME", "what this runner is called; the machine's name where not given" },
	{ "labels", 0, "LABEL,...", "what runs-on may ask for; self-hosted,linux where not given" },
	{ "work", 0, "DIR", "the jobs' folder; nothing else may be in it" },
	{ "expose", 0, "DIR", "show this folder to jobs, read-only; may be repeated" },
	{ "once", 0, NULL, "end after one job" },
	{ "limit", 0, "NAME=VALUE,...",
	  "memory=SIZE, disk=SIZE, processes=NUMBER, cpus=NUMBER; VALUE none: no limit" },
	{ NULL, 0, NULL, NULL },
};

static const struct lb_option run_options[] = {
	{ "workflow", 0, "FILE",
	  "the workflow; the only one in .github/workflows where not given" },
	{ "job", 0, "ID", "this job and what it needs, not all" },
	{ "matrix", 0, "KEY=VALUE", "only jobs of a matrix with this value; may be repeated" },
	{ "event", 0, workflow_event_option,
	  "the event; workflow_dispatch where the workflow has it, else push" },
	{ "input", 0, "KEY=VALUE", "an input of workflow_dispatch; may be repeated" },
	{ "step", 0, "ID", "with --job: of its steps only this, by id or name, and checkouts" },
	{ "shell", 0, NULL, "a shell in the place of a step that fails" },
	{ "offline", 0, NULL, "fetch nothing; steps reach their own loopback at most" },
	{ "secret", 0, "NAME[=FILE]",
	  "a secret, its value in a file or in the keyring; may be repeated" },
	{ "secrets", 0, "FILE", "secrets, NAME=VALUE on each line; may be repeated" },
	{ "artifacts", 0, "DIR", "keep the artifacts there, as zip files" },
	{ "expose", 0, "DIR", "show this folder to jobs, read-only; may be repeated" },
	{ "limit", 0, "NAME=VALUE,...",
	  "memory=SIZE, disk=SIZE, processes=NUMBER, cpus=NUMBER; VALUE none: no limit" },
	{ NULL, 0, NULL, NULL },
};

static const struct lb_option exec_options[] = {
	{ "network", 0, "none|full|HOST,...",
	  "none: nothing but the command's own loopback; HOST or HOST:PORT: these too" },
	{ "expose", 0, "DIR", "show this folder too, read-only; may be repeated" },
	{ "limit", 0, "NAME=VALUE,...",
	  "memory=SIZE, disk=SIZE, processes=NUMBER, cpus=NUMBER; VALUE none: no limit" },
	{ NULL, 0, NULL, NULL },
};

static const struct lb_option bundle_options[] = {
	{ "output", 'o', "FILE", "the bundle: .tar.zst, .tar.gz, .tar or .zip" },
	{ "ctest", 0, "DIR",
	  "tests of a CMake build folder, by CTest; may be repeated, as all below" },
	{ "cargo", 0, "DIR", "tests of a Cargo package or workspace, each by itself" },
	{ "gtest", 0, "FILE", "a program with Google Test, each of its tests by itself" },
	{ "cmocka", 0, "FILE", "a program with cmocka" },
	{ "tap", 0, "FILE", "a program that prints TAP" },
	{ "junit", 0, "FILE", "a program that writes JUnit to $LIFEBOAT_JUNIT" },
	{ "program", 0, "FILE", "a program that says it by its exit status" },
	{ "data", 0, "PATH", "a file or folder that tests read" },
	{ "network", 0, "TEST=loopback|HOST,...",
	  "what this test may reach; * for any characters" },
	{ "quarantine", 0, "FILE",
	  "tests that may fail, one a line; .lifeboat/quarantine where it is there" },
	{ NULL, 0, NULL, NULL },
};

static const struct lb_option test_options[] = {
	{ "shard", 0, "K/N", "the K-th of N parts of about the same length" },
	{ "network", 0, "none|full|HOST,...",
	  "for tests that the bundle grants nothing else; none where not given" },
	{ "only", 0, "PATTERN", "tests of this name, * for any characters; may be repeated" },
	{ "list", 0, NULL, "print which tests would run" },
	{ "jobs", 'j', "NUMBER", "at once; as many as processors where not given" },
	{ "retries", 0, "NUMBER", "how often a failure is run again; 2 where not given" },
	{ "timeout", 0, "SECONDS", "for a test that says none; 300 where not given" },
	{ "timings", 0, "FILE",
	  "how long tests took: read to make the parts, and brought up to date" },
	{ "quarantine", 0, "FILE", "tests that may fail, beside the bundle's own" },
	{ "junit", 0, "FILE", "write a report there" },
	{ "limit", 0, "NAME=VALUE,...",
	  "memory=SIZE, disk=SIZE, processes=NUMBER, cpus=NUMBER; VALUE none: no limit" },
	{ NULL, 0, NULL, NULL },
};

static const struct lb_option lint_options[] = {
	{ "format", 0, "text|json|sarif",
	  "text: with the lines and carets; sarif: for code scanning" },
	{ "reference", 0, NULL, "print what may stand in a workflow, as Markdown, and end" },
	{ "no-shellcheck", 0, NULL, "do not look into scripts" },
	{ NULL, 0, NULL, NULL },
};

static const struct lb_option actions_options[] = {
	{ "offline", 0, NULL, "use what the mirrors have; nothing is fetched" },
	{ NULL, 0, NULL, NULL },
};

static const struct lb_option plan_options[] = {
	{ "event", 'e', workflow_event_option,
	  "the event; workflow_dispatch where the workflow has it, else push" },
	{ "payload", 0, "FILE", "what GitHub sends with the event, as JSON" },
	{ "action", 0, "TYPE", "the activity type, where there is no payload (opened)" },
	{ "ref", 0, "REF", "the branch or tag; what is checked out where not given" },
	{ "repository", 0, "OWNER/NAME", "whose it is; by the remote origin where not given" },
	{ "base", 0, "BRANCH", "where a pull request or merge goes, without a payload (main)" },
	{ "changed", 0, "PATH", "a changed file, for filters on paths; may be repeated" },
	{ "input", 'i', "KEY=VALUE",
	  "an input of workflow_dispatch or workflow_call; may be repeated" },
	{ "var", 0, "KEY=VALUE", "a variable of the repository (vars.KEY); may be repeated" },
	{ "outputs", 0, "FILE", "what jobs would say, as JSON: job to outputs" },
	{ "result", 0, "JOB=RESULT",
	  "how a job would end: success, failure, cancelled; may be repeated" },
	{ "format", 0, "tree|json|svg", "svg: a drawing of the jobs and what they need" },
	{ "all", 0, NULL, "every job of a matrix in the tree, however many" },
	{ "offline", 0, NULL, "fetch nothing; called workflows come from the mirrors" },
	{ NULL, 0, NULL, NULL },
};

static const struct lb_option replay_options[] = {
	{ "send", 0, NULL, "send them, in order, and take them off the list" },
	{ "token-file", 0, "FILE", "holds a token of somebody who may do all of it" },
	{ "api", 0, "URL", "where to; https://api.github.com where not given" },
	{ NULL, 0, NULL, NULL },
};

static const struct lb_command commands[] = {
	{ .name = "serve",
	  .operands = "",
	  .about = "execute the jobs of a coordinator, one at a time",
	  .options = serve_options,
	  .run = runner_command_serve,
	  .details =
	          "Takes jobs from the coordinator until it is asked to end (SIGINT, SIGTERM): "
	          "then "
	          "the job under way is ended as cancelled. A coordinator that is away is waited "
	          "for; a job goes on meanwhile, and its log is shipped when it is back." },
	{ .name = "run",
	  .operands = "",
	  .about = "run a workflow of this checkout, without a coordinator",
	  .options = run_options,
	  .run = runner_command_run,
	  .details =
	          "Jobs run one after the other in the order of their needs. They see the commit "
	          "that is checked out, with what is not committed laid over it. The exit status "
	          "is "
	          "0 when all jobs succeeded, 1 otherwise." },
	{ .name = "exec",
	  .operands = "COMMAND [ARG...]",
	  .about = "run a command in a job's sandbox",
	  .options = exec_options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .stop_at_operand = true,
	  .run = runner_command_exec,
	  .details = "The command sees the system read-only, the current folder, and in a job the "
	             "folders of that job. The exit status is the command's." },
	{ .name = "bundle",
	  .operands = "",
	  .about = "pack tests that were built here, to run them elsewhere",
	  .options = bundle_options,
	  .run = runner_command_bundle,
	  .details = "The bundle holds the test programs, the shared libraries that are not the C "
	             "library's, files that are named, and a manifest. Everything stands at the "
	             "path again that it had when it was built." },
	{ .name = "test",
	  .operands = "BUNDLE",
	  .about = "run the tests of a bundle, a shard of them, in sandboxes",
	  .options = test_options,
	  .operands_min = 1,
	  .operands_max = 1,
	  .run = runner_command_test,
	  .details = "Each test is a process in a sandbox of its own, without network unless the "
	             "manifest grants it a loopback or a named host. What fails is run again: "
	             "once good makes it flaky, never makes it broken. The exit status is 1 when "
	             "a test is broken that is not in quarantine. In a job the step's summary "
	             "names what was flaky or broken." },
	{ .name = "lint",
	  .operands = "[FILE...]",
	  .about = "show all errors of workflow files, and what is doubtful in them",
	  .options = lint_options,
	  .operands_min = 0,
	  .operands_max = -1,
	  .run = runner_command_lint,
	  .details =
	          "Without FILE: those of .github/workflows. A FILE named action.yml is checked as "
	          "an "
	          "action's manifest. Warnings are for outputs, needs, "
	          "steps "
	          "and inputs that do not exist, jobs that never run, scripts that strangers can "
	          "write into or that print old commands, actions that are not pinned by a SHA, "
	          "and what shellcheck, where it is installed, says of scripts for bash and sh. "
	          "The exit status is 1 when there is any error; warnings are none." },
	{ .name = "actions",
	  .operands = "lock|update|verify [OWNER/REPO[@REF]...]",
	  .about = "pin the actions of other repositories that the workflows here use",
	  .options = actions_options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .run = runner_command_actions,
	  .details =
	          "The pins stand in .lifeboat/actions.lock: a ref, its commit, a digest of its "
	          "files. lock adds what is missing and drops what is not used; update pins again "
	          "what is named, or all; verify says what moved, has other files or is not "
	          "pinned, and exits 1 then. Repositories are mirrored below the state folder, "
	          "from $LIFEBOAT_ACTIONS_SOURCE where that is set." },
	{ .name = "plan",
	  .operands = "[FILE]",
	  .about = "show what a workflow would run for an event, and why not",
	  .options = plan_options,
	  .operands_min = 0,
	  .operands_max = 1,
	  .run = runner_command_plan,
	  .details =
	          "Without FILE: all of .github/workflows. Nothing is run: every job is taken to "
	          "succeed, or to end as --result says. What goes by outputs that --outputs does "
	          "not give waits, and says for whose. Without --changed, filters on paths let "
	          "everything through.\n\n"
	          "The exit status is 1 when nothing would run." },
	{ .name = "replay",
	  .operands = "",
	  .about = "list what jobs asked of GitHub while it was away, or send it",
	  .options = replay_options,
	  .run = runner_command_replay,
	  .details = "Comments, labels, statuses and the like, as jobs on this machine asked for "
	             "them. What is accepted, or refused for good, leaves the list; at the first "
	             "request that may succeed later sending ends." },
	{ .name = "inside",
	  .operands = "",
	  .about = "what the runner starts in a job's sandbox; not for people",
	  .run = runner_command_inside },
	{ .name = NULL },
};

static const struct lb_program program = {
	.name = "lifeboat-runner",
	.about = "executes GitHub Actions jobs, for a coordinator or straight from a checkout",
	.commands = commands,
};

int main(int argc, char **argv) { return lb_main(&program, argc, argv); }
