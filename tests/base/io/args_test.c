/* args_test.c - command lines: what is taken, what is refused and how, help, manual, completion.
 *
 * What is shown is compared with tests/base/io/cases/NAME.txt, byte for byte; with LB_WRITE_CASES
 * in the environment those files are written, to be read before they are committed.
 */
#include "base/io/args.h"
#include "base/io/file.h"
#include "base/io/run.h"
#include "tests/harness/test.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- a program to try it on ---- */

static lb_err show(struct lb_cli *cli)
{
	const char *input;
	uint64_t jobs;
	int at = 0;

	LB_TRY(lb_cli_number(&jobs, cli, "jobs", 2, 1, 64));
	(void)fprintf(cli->out, "%s jobs=%d", cli->command->name, (int)jobs);
	if (lb_cli_flag(cli, "verbose"))
		(void)fputs(" verbose", cli->out);
	if (lb_cli_value(cli, "output") != NULL)
		(void)fprintf(cli->out, " output=%s", lb_cli_value(cli, "output"));
	while ((input = lb_cli_next(cli, "input", &at)) != NULL)
		(void)fprintf(cli->out, " input=%s", input);
	for (int i = 0; i < cli->operand_count; i++)
		(void)fprintf(cli->out, " <%s>", cli->operands[i]);
	(void)fputc('\n', cli->out);
	return cli->operands[cli->operand_count] == NULL ? LB_OK : lb_err_of(LB_E_INVALID);
}

static lb_err fail(struct lb_cli *cli)
{
	if (strcmp(cli->operands[0], "quiet") == 0)
		return lb_err_of(LB_E_NOTFOUND);
	if (strcmp(cli->operands[0], "own") == 0)
		cli->exit_status = 77;
	if (strcmp(cli->operands[0], "data") == 0)
		return lb_fail(&cli->diag, LB_E_MALFORMED, "x.yml:3:1: expected a list");
	if (strcmp(cli->operands[0], "memory") == 0)
		return lb_err_of(LB_E_NOMEM);
	return LB_OK;
}

static const struct lb_option options[] = {
	{ "output", 'o', "FILE", "where the result goes" },
	{ "input", 0, "NAME=VALUE", "an input of the run; may be given more than once" },
	{ "jobs", 'j', "COUNT", "how many at once" },
	{ "kind", 0, "big|blue|OTHER", "of what kind it is" },
	{ "mode", 'm', "MODE\nslow fast", "how it is done" },
	{ "verbose", 'v', NULL, "say what is done; \"it's\" [more] than: enough" },
	{ "a-name-that-is-rather-long", 0, "WITH-A-VALUE",
	  "an option whose label has no room beside" },
	{ 0 }
};

static const struct lb_command commands[] = {
	{ .name = "submit",
	  .operands = "FILE [NAME...]",
	  .about = "submit a run",
	  .options = options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .run = show,
	  .details = "Submits it, and says so.  This paragraph is long enough to be broken into "
	             "lines where "
	             "a terminal's width asks for it, between words.\n\n  as it is: a\\b\n  'and' "
	             "again\n\n"
	             ".Not a request" },
	{ .name = "status",
	  .operands = "",
	  .about = "how it goes",
	  .options = options,
	  .run = show },
	{ .name = "exec",
	  .operands = "PROGRAM [ARG...]",
	  .about = "run a program",
	  .options = options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .stop_at_operand = true,
	  .run = show },
	{ .name = "fail",
	  .operands = "HOW [TWO]",
	  .about = "end badly",
	  .operands_min = 1,
	  .operands_max = 2,
	  .run = fail },
	{ 0 }
};

static const struct lb_program program = {
	.name = "lb-tool",
	.about = "a tool for tests",
	.commands = commands,
	.details = "It does nothing of use.",
};

static lb_err elsewhere(struct lb_cli *cli, int argc, char **argv)
{
	if (strcmp(argv[0], "engine") != 0)
		return lb_err_of(LB_E_NOTFOUND);
	(void)fprintf(cli->out, "elsewhere:");
	for (int i = 0; i < argc; i++)
		(void)fprintf(cli->out, " %s", argv[i]);
	(void)fputc('\n', cli->out);
	cli->exit_status = argc;
	return LB_OK;
}

static const struct lb_program front = {
	.name = "lb-front",
	.about = "a front door",
	.commands = commands,
	.otherwise = elsewhere,
};

/* ---- running it ---- */

struct outcome {
	int status;
	char *out, *err; /* from open_memstream */
};

/* Run with the words of `line`, which single blanks part. */
static struct outcome run(const struct lb_program *of, struct lb_mem *mem, const char *line)
{
	struct outcome outcome = { 0 };
	char words[512], *argv[20];
	size_t out_size, err_size;
	FILE *out = open_memstream(&outcome.out, &out_size);
	FILE *err = open_memstream(&outcome.err, &err_size);
	struct plat_sim sim;
	int argc = 0;

	if (out == NULL || err == NULL)
		abort();
	plat_sim_init(&sim, 1);
	(void)snprintf(words, sizeof words, "%s", line);
	for (char *at = words; at != NULL && argc < 19;) {
		char *blank = strchr(at, ' ');

		if (blank != NULL)
			*blank++ = '\0';
		argv[argc++] = at;
		at = blank;
	}
	argv[argc] = NULL;
	outcome.status = lb_main_with(of, mem, &sim.plat, out, err, argc, argv);
	(void)fclose(out);
	(void)fclose(err);
	return outcome;
}

static void release(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->err);
}

struct outcome_case {
	const char *line;
	int status;
	const char *out, *err;
};

static void check_cases(struct test *t, const struct lb_program *of,
                        const struct outcome_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct outcome got = run(of, t->mem, cases[i].line);
		unsigned before = t->failures;

		CHECK(got.status == cases[i].status);
		CHECK_TEXT(got.out, cases[i].out);
		CHECK_TEXT(got.err, cases[i].err);
		if (t->failures > before)
			printf("# by: %s (%d)\n", cases[i].line, got.status);
		release(&got);
	}
}

#define CASES(of, ...) \
	do { \
		static const struct outcome_case cases_[] = { __VA_ARGS__ }; \
		check_cases(t, (of), cases_, sizeof cases_ / sizeof cases_[0]); \
	} while (0)

TEST(args_take_options_and_operands)
{
	CASES(&program, { "t submit a", 0, "submit jobs=2 <a>\n", "" },
	      { "t submit a b --verbose c", 0, "submit jobs=2 verbose <a> <b> <c>\n", "" },
	      { "t submit --output x a", 0, "submit jobs=2 output=x <a>\n", "" },
	      { "t submit --output=x=y a", 0, "submit jobs=2 output=x=y <a>\n", "" },
	      { "t submit --output= a", 0, "submit jobs=2 output= <a>\n", "" },
	      { "t submit -o x -v a", 0, "submit jobs=2 verbose output=x <a>\n", "" },
	      { "t submit -o x -o y a", 0, "submit jobs=2 output=y <a>\n", "" },
	      { "t submit --output --verbose a", 0, "submit jobs=2 output=--verbose <a>\n", "" },
	      { "t submit --input a=1 x --input b=2", 0, "submit jobs=2 input=a=1 input=b=2 <x>\n",
	        "" },
	      { "t submit -- --verbose --", 0, "submit jobs=2 <--verbose> <-->\n", "" },
	      { "t submit -", 0, "submit jobs=2 <->\n", "" },
	      { "t submit -j 64 a", 0, "submit jobs=64 <a>\n", "" },
	      { "t exec -v a --verbose -- -x", 0, "exec jobs=2 verbose <a> <--verbose> <--> <-x>\n",
	        "" },
	      { "t exec -- -x --verbose", 0, "exec jobs=2 <-x> <--verbose>\n", "" },
	      { "t status", 0, "status jobs=2\n", "" },
	      { "t --version", 0, "lb-tool " LB_VERSION "\n", "" });
}

#define SEE(command) "see lb-tool " command " --help\n"

TEST(args_refuse_with_the_name_and_the_nearest)
{
	CASES(&program,
	      { "t submit --verbos a", 2, "",
	        "lb-tool submit: there is no option --verbos; is it --verbose?\n" SEE("submit") },
	      { "t submit --uotput=x a", 2, "",
	        "lb-tool submit: there is no option --uotput; is it --output?\n" SEE("submit") },
	      { "t submit --zzz a", 2, "",
	        "lb-tool submit: there is no option --zzz\n" SEE("submit") },
	      { "t submit -z a", 2, "", "lb-tool submit: there is no option -z\n" SEE("submit") },
	      { "t submit -vj a", 2, "", "lb-tool submit: there is no option -vj\n" SEE("submit") },
	      { "t submit a --output", 2, "",
	        "lb-tool submit: --output needs a value: FILE\n" SEE("submit") },
	      { "t submit a -o", 2, "", "lb-tool submit: -o needs a value: FILE\n" SEE("submit") },
	      { "t submit a --verbose=yes", 2, "",
	        "lb-tool submit: --verbose takes no value\n" SEE("submit") },
	      { "t submit", 2, "",
	        "lb-tool submit: operands are missing: FILE [NAME...]\n" SEE("submit") },
	      { "t status x", 2, "",
	        "lb-tool status: takes no operands, but \"x\" was given\n" SEE("status") },
	      { "t fail a b c", 2, "", "lb-tool fail: one operand too many: \"c\"\n" SEE("fail") },
	      { "t fail a --x", 2, "", "lb-tool fail: there is no option --x\n" SEE("fail") },
	      { "t submit -j 65 a", 2, "",
	        "lb-tool submit: --jobs: \"65\" is not a whole number from 1 to 64\n" SEE(
			"submit") },
	      { "t submit -j 0 a", 2, "",
	        "lb-tool submit: --jobs: \"0\" is not a whole number from 1 to 64\n" SEE(
			"submit") },
	      { "t submit -j x a", 2, "",
	        "lb-tool submit: --jobs: \"x\" is not a whole number from 1 to 64\n" SEE(
			"submit") },
	      { "t submti", 2, "",
	        "lb-tool: there is no command \"submti\"; is it \"submit\"?\nsee lb-tool "
	        "--help\n" },
	      { "t sub", 2, "",
	        "lb-tool: there is no command \"sub\"; is it \"submit\"?\nsee lb-tool --help\n" },
	      { "t quite-another", 2, "",
	        "lb-tool: there is no command \"quite-another\"\nsee lb-tool --help\n" },
	      { "t ", 2, "", "lb-tool: there is no command \"\"\nsee lb-tool --help\n" },
	      { "t --verbose", 2, "",
	        "lb-tool: there is no option --verbose\nsee lb-tool --help\n" },
	      { "t help nothing", 2, "",
	        "lb-tool help: there is no command \"nothing\"\n" SEE("help") },
	      { "t completion csh", 2, "",
	        "lb-tool completion: no completion for \"csh\": it is for bash, zsh or fish\n" SEE(
			"completion") }, );
}

TEST(args_exit_status_follows_the_error)
{
	CASES(&program, { "t fail quiet", 1, "", "lb-tool fail: not found\n" },
	      { "t fail data", 3, "", "lb-tool fail: x.yml:3:1: expected a list\n" },
	      { "t fail memory", 4, "", "lb-tool fail: out of memory\n" },
	      { "t fail own", 77, "", "" });
}

TEST(args_pass_on_what_is_no_command)
{
	CASES(&front, { "t engine run --x", 3, "elsewhere: engine run --x\n", "" },
	      { "t help engine", 2, "elsewhere: engine --help\n", "" },
	      { "t status", 0, "status jobs=2\n", "" },
	      { "t engin", 2, "",
	        "lb-front: there is no command \"engin\"\nsee lb-front --help\n" },
	      { "t stats", 2, "",
	        "lb-front: there is no command \"stats\"; is it \"status\"?\nsee lb-front "
	        "--help\n" },
	      { "t help stats", 2, "",
	        "lb-front help: there is no command \"stats\"; is it \"status\"?\nsee lb-front "
	        "help "
	        "--help\n" },
	      { "t --engine", 2, "",
	        "lb-front: there is no option --engine\nsee lb-front --help\n" });
}

/* ---- what is shown ---- */

static void check_shown(struct test *t, const char *line, const char *name)
{
	struct outcome got = run(&program, t->mem, line);
	char path[512];
	struct lb_buf want;

	(void)snprintf(path, sizeof path, "%s/tests/base/io/cases/%s.txt", test_top(), name);
	lb_buf_init(&want, t->mem, 1 << 16);
	if (getenv("LB_WRITE_CASES") != NULL)
		CHECK_OK(lb_file_write(&plat_host, path, lb_bytes_of(got.out), 0, NULL));
	CHECK_OK(lb_file_read(&want, &plat_host, path, NULL));
	CHECK(got.status == 0);
	CHECK_TEXT(got.out, lb_buf_text(&want));
	CHECK_TEXT(got.err, "");
	lb_buf_release(&want);
	release(&got);
}

TEST(args_show_help)
{
	struct outcome bare;

	check_shown(t, "t --help", "help");
	check_shown(t, "t help", "help");
	check_shown(t, "t -h", "help");
	check_shown(t, "t submit --help", "help-submit");
	check_shown(t, "t submit --verbose -h", "help-submit"); /* also without its operands */
	check_shown(t, "t help submit", "help-submit");
	check_shown(t, "t help completion", "help-completion");
	bare = run(&program, t->mem, "t");
	CHECK(bare.status == 2 && bare.out[0] == '\0' &&
	      strstr(bare.err, "usage: lb-tool") != NULL);
	release(&bare);
}

TEST(args_show_manual_and_completion)
{
	CHECK(setenv("SOURCE_DATE_EPOCH", "1795245900", 1) == 0);
	check_shown(t, "t manual", "manual");
	CHECK(setenv("SOURCE_DATE_EPOCH", "soon", 1) == 0);
	CASES(&program, { "t manual", 3, "",
	                  "lb-tool manual: SOURCE_DATE_EPOCH is no count of seconds: soon\n" });
	CHECK(unsetenv("SOURCE_DATE_EPOCH") == 0);
	check_shown(t, "t completion bash", "completion-bash");
	check_shown(t, "t completion zsh", "completion-zsh");
	check_shown(t, "t completion fish", "completion-fish");
}

/* Feed what a command line shows to another program; its output, or NULL where it is not there. */
static const char *fed_to(struct test *t, const char *line, const char *tail,
                          const char *const *argv, struct lb_buf *out)
{
	struct outcome got = run(&program, t->mem, line);
	struct lb_diag diag = { 0 };
	struct lb_buf in;
	lb_err err;

	lb_buf_init(&in, t->mem, 1 << 16);
	lb_buf_add_text(&in, got.out);
	lb_buf_add_text(&in, tail);
	err = lb_run_ok(&(struct lb_run){ .argv = argv, .input = lb_buf_bytes(&in) }, out, &diag);
	if (lb_failed(err) && lb_code_of(err) != LB_E_NOTFOUND)
		printf("# %s\n", diag.text);
	CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOTFOUND);
	lb_buf_release(&in);
	release(&got);
	return lb_failed(err) ? NULL : lb_buf_text(out);
}

TEST(args_manual_has_no_warnings)
{
	static const char *const groff[] = { "sh", "-c",
		                             "command -v groff >/dev/null || exit 0; "
		                             "groff -mdoc -ww -z -Tutf8 2>&1",
		                             NULL };
	static const char *const mandoc[] = { "mandoc", "-Tlint", "-Wwarning", NULL };
	struct lb_buf out;

	lb_buf_init(&out, t->mem, 1 << 16);
	CHECK(fed_to(t, "t manual", "", groff, &out) != NULL);
	(void)fed_to(t, "t manual", "", mandoc, &out);
	CHECK_TEXT(lb_buf_text(&out), "");
	lb_buf_release(&out);
}

TEST(args_completion_works_in_bash)
{
	static const char *const bash[] = { "bash", "--norc", NULL };
	struct lb_buf out;

	lb_buf_init(&out, t->mem, 1 << 16);
	if (fed_to(t, "t completion bash",
	           "COMP_WORDS=(lb-tool s) COMP_CWORD=1; _lb_tool; echo ${COMPREPLY[*]}\n"
	           "COMP_WORDS=(lb-tool submit --o) COMP_CWORD=2; _lb_tool; echo ${COMPREPLY[*]}\n"
	           "COMP_WORDS=(lb-tool submit x) COMP_CWORD=2; _lb_tool; echo ${#COMPREPLY[*]}\n"
	           "COMP_WORDS=(lb-tool submit --kind b) COMP_CWORD=3; _lb_tool; echo "
	           "${COMPREPLY[*]}\n"
	           "COMP_WORDS=(lb-tool submit -m '') COMP_CWORD=3; _lb_tool; echo "
	           "${COMPREPLY[*]}\n",
	           bash, &out) == NULL) {
		lb_buf_release(&out);
		SKIP("bash is not installed");
	}
	CHECK_TEXT(lb_buf_text(&out), "submit status\n--output\n0\nbig blue\nslow fast\n");
	lb_buf_release(&out);
}

TEST(args_completion_is_well_formed_in_zsh_and_fish)
{
	static const char *const zsh[] = { "zsh", "-fn", NULL }, *const fish[] = { "fish", "-n",
		                                                                   NULL };
	struct lb_buf out;
	bool any;

	lb_buf_init(&out, t->mem, 1 << 16);
	any = fed_to(t, "t completion zsh", "", zsh, &out) != NULL;
	any = fed_to(t, "t completion fish", "", fish, &out) != NULL || any;
	lb_buf_release(&out);
	if (!any)
		SKIP("neither zsh nor fish is installed");
}

TEST(args_survive_every_oom)
{
	EACH_OOM (t) {
		struct outcome got = run(&program, t->mem, "t submit --verbos a");

		CHECK(got.status == (t->heap.failed ? 4 : 2));
		release(&got);
		if (!t->heap.failed) { /* the heap counts on where it has not failed yet */
			got = run(&program, t->mem, "t help submit");
			CHECK(got.status == (t->heap.failed ? 4 : 0));
			release(&got);
		}
	}
}

TEST(args_say_when_the_output_cannot_be_written)
{
	FILE *full = fopen("/dev/full", "w");
	char *argv[] = { (char[]){ "t" }, (char[]){ "status" }, NULL };
	char *err = NULL;
	size_t size;
	FILE *err_stream = open_memstream(&err, &size);

	if (full == NULL || err_stream == NULL)
		SKIP("no /dev/full here");
	CHECK(lb_main_with(&program, t->mem, &plat_host, full, err_stream, 2, argv) == 4);
	(void)fclose(full);
	(void)fclose(err_stream);
	CHECK_TEXT(err, "lb-tool status: cannot write the output\n");
	free(err);
}
