/* args.c - see args.h: finding the command, taking its options, reporting how it went. */
#include "base/io/args.h"

#include "base/platform/file_limit.h"

#include "base/io/args_priv.h"
#include "base/platform/process.h"

static const char builtin_details[] =
	"bash: add the output to ~/.bash_completion, or put it into a file below "
	"/usr/share/bash-completion/completions.\n\n"
	"zsh: put it into a file whose name is the program's with an underscore before it, in a "
	"folder "
	"of $fpath.\n\n"
	"fish: put it into a file below ~/.config/fish/completions.";

/* ---- what every program has ---- */

static lb_err unknown_command(struct lb_cli *cli, const char *name);

static lb_err run_help(struct lb_cli *cli)
{
	const char *name = cli->operands[0];
	const struct lb_command *command;
	char *argv[3] = { NULL };
	lb_err err;

	if (name == NULL) {
		lb_args_show_program(cli->out, cli->program);
		return LB_OK;
	}
	command = lb_args_find(cli->program, name);
	if (command != NULL) {
		lb_args_show_command(cli->out, cli->program, command);
		return LB_OK;
	}
	if (cli->program->otherwise == NULL)
		return unknown_command(cli, name);
	argv[0] = lb_arena_text(&cli->arena, lb_bytes_of(name));
	argv[1] = lb_arena_text(&cli->arena, LB_B("--help"));
	if (cli->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	err = cli->program->otherwise(cli, 2, argv);
	if (lb_code_of(err) == LB_E_NOTFOUND && cli->diag.text[0] == '\0')
		return unknown_command(cli, name);
	return err;
}

static lb_err run_completion(struct lb_cli *cli)
{
	if (lb_args_show_completion(cli->out, cli->program, cli->operands[0]))
		return LB_OK;
	return lb_fail(&cli->diag, LB_E_USAGE,
	               "no completion for \"%s\": it is for bash, zsh or fish", cli->operands[0]);
}

static lb_err run_manual(struct lb_cli *cli)
{
	static const uint64_t ns_per_s = 1000000000;
	const char *epoch = plat_getenv("SOURCE_DATE_EPOCH");
	uint64_t wall_ns = cli->plat->ops->wall_ns(cli->plat), seconds;

	/* So that a package built again tomorrow is the same. */
	if (epoch != NULL) {
		if (lb_failed(lb_bytes_u64(&seconds, lb_bytes_of(epoch), UINT64_MAX / ns_per_s)))
			return lb_fail(&cli->diag, LB_E_INVALID,
			               "SOURCE_DATE_EPOCH is no count of seconds: %s", epoch);
		wall_ns = seconds * ns_per_s;
	}
	lb_args_show_manual(cli->out, cli->program, wall_ns);
	return LB_OK;
}

static const struct lb_command builtins[] = {
	{ .name = "help",
	  .operands = "[COMMAND]",
	  .about = "show what there is, or more about a command",
	  .operands_max = 1,
	  .run = run_help },
	{ .name = "completion",
	  .operands = "bash|zsh|fish",
	  .about = "print a script that completes command lines",
	  .operands_min = 1,
	  .operands_max = 1,
	  .run = run_completion,
	  .details = builtin_details },
	{ .name = "manual", .operands = "", .about = "print the manual page", .run = run_manual },
};

const struct lb_command *lb_args_command(const struct lb_program *program, size_t index)
{
	const struct lb_command *own = program->commands;

	for (; own->name != NULL; own++) {
		if (index-- == 0)
			return own;
	}
	return index < sizeof builtins / sizeof builtins[0] ? &builtins[index] : NULL;
}

const struct lb_command *lb_args_find(const struct lb_program *program, const char *name)
{
	const struct lb_command *command;

	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++) {
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}

static const struct lb_option help_option = { .name = "help", .about = "show this" };

const struct lb_option *lb_args_option(const struct lb_command *command, size_t index)
{
	const struct lb_option *own = command->options;

	for (; own != NULL && own->name != NULL; own++) {
		if (index-- == 0)
			return own;
	}
	return index == 0 ? &help_option : NULL;
}

/* ---- what was probably meant ---- */

enum { NAME_MAX_COMPARED = 32 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* How many letters must be changed, added or taken away to make one word of the other. */
static size_t distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b), row[NAME_MAX_COMPARED + 1];

	if (a_len > NAME_MAX_COMPARED || b_len > NAME_MAX_COMPARED)
		return SIZE_MAX;
	for (size_t k = 0; k <= b_len; k++)
		row[k] = k;
	for (size_t i = 1; i <= a_len; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t k = 1; k <= b_len; k++) {
			size_t change = corner + (a[i - 1] != b[k - 1]);

			corner = row[k];
			row[k] = least(change, least(row[k - 1], row[k]) + 1);
		}
	}
	return row[b_len];
}

/* Is `name` near enough to what was given, and nearer than the nearest so far? */
static void consider(const char **nearest, size_t *nearest_by, const char *given, const char *name)
{
	bool starts = given[0] != '\0' && strncmp(name, given, strlen(given)) == 0;
	size_t by = starts ? 1 : distance(given, name), most = strlen(name) / 3 + 1;

	if (by <= most && by < *nearest_by) {
		*nearest = name;
		*nearest_by = by;
	}
}

static lb_err unknown_command(struct lb_cli *cli, const char *name)
{
	const struct lb_command *command;
	const char *nearest = NULL;
	size_t by = SIZE_MAX;

	for (size_t i = 0; (command = lb_args_command(cli->program, i)) != NULL; i++)
		consider(&nearest, &by, name, command->name);
	if (nearest == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE, "there is no command \"%s\"", name);
	return lb_fail(&cli->diag, LB_E_USAGE, "there is no command \"%s\"; is it \"%s\"?", name,
	               nearest);
}

static lb_err unknown_option(struct lb_cli *cli, struct lb_bytes given)
{
	const struct lb_option *option;
	const char *nearest = NULL, *name;
	size_t by = SIZE_MAX;

	name = lb_arena_text(&cli->arena, given);
	if (name == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (cli->command != NULL && given.len > 2 && given.at[1] == '-') {
		for (size_t i = 0; (option = lb_args_option(cli->command, i)) != NULL; i++)
			consider(&nearest, &by, name + 2, option->name);
	}
	if (nearest == NULL)
		return lb_fail(&cli->diag, LB_E_USAGE, "there is no option %s", name);
	return lb_fail(&cli->diag, LB_E_USAGE, "there is no option %s; is it --%s?", name, nearest);
}

/* ---- taking options and operands ---- */

struct words {
	char **argv;
	int argc, at;
};

/* The option a word names, NULL where it is none; *value is what stands behind its "=". */
static const struct lb_option *option_of(const struct lb_command *command, const char *word,
                                         const char **value)
{
	const struct lb_option *option;
	struct lb_bytes name = lb_bytes_of(word);
	size_t equals = lb_bytes_find_byte(name, '=');
	bool is_long = word[1] == '-';

	*value = is_long && equals != SIZE_MAX ? word + equals + 1 : NULL;
	name = lb_bytes_from(lb_bytes_upto(name, is_long ? equals : SIZE_MAX), is_long ? 2 : 1);
	for (size_t i = 0; (option = lb_args_option(command, i)) != NULL; i++) {
		if (is_long ? lb_bytes_is(name, option->name)
		            : name.len == 1 && option->letter == word[1])
			return option;
	}
	/* Who types -h wants help, unless the command means something by it. */
	return strcmp(word, "-h") == 0 ? &help_option : NULL;
}

static lb_err take_option(struct lb_cli *cli, struct words *words)
{
	const char *word = words->argv[words->at++], *value;
	const struct lb_option *option = option_of(cli->command, word, &value);
	struct lb_bytes shown = lb_bytes_of(word);

	if (word[1] == '-')
		shown = lb_bytes_upto(shown, lb_bytes_find_byte(shown, '='));
	if (option == NULL)
		return unknown_option(cli, shown);
	if (option->value == NULL && value != NULL)
		return lb_fail(&cli->diag, LB_E_USAGE, "%.*s takes no value", LB_FMT(shown));
	if (option->value != NULL && value == NULL) {
		if (words->at == words->argc)
			return lb_fail(&cli->diag, LB_E_USAGE, "%.*s needs a value: %.*s",
			               LB_FMT(shown), LB_FMT(lb_args_value_name(option)));
		value = words->argv[words->at++];
	}
	cli->given[cli->given_count++] = (struct lb_cli_given){ option, value };
	return LB_OK;
}

static lb_err take_words(struct lb_cli *cli, struct words *words)
{
	bool operands_only = false;

	while (words->at < words->argc) {
		const char *word = words->argv[words->at];

		if (!operands_only && strcmp(word, "--") == 0) {
			operands_only = true;
			words->at++;
		} else if (!operands_only && word[0] == '-' && word[1] != '\0') {
			LB_TRY(take_option(cli, words));
		} else {
			cli->operands[cli->operand_count++] = word;
			words->at++;
			operands_only = operands_only || cli->command->stop_at_operand;
		}
	}
	return LB_OK;
}

static lb_err check_operands(struct lb_cli *cli)
{
	const struct lb_command *command = cli->command;

	if (cli->operand_count < command->operands_min)
		return lb_fail(&cli->diag, LB_E_USAGE, "operands are missing: %s",
		               command->operands);
	if (command->operands_max < 0 || cli->operand_count <= command->operands_max)
		return LB_OK;
	if (command->operands_max == 0)
		return lb_fail(&cli->diag, LB_E_USAGE, "takes no operands, but \"%s\" was given",
		               cli->operands[0]);
	return lb_fail(&cli->diag, LB_E_USAGE, "one operand too many: \"%s\"",
	               cli->operands[command->operands_max]);
}

static bool was_given(const struct lb_cli *cli, const struct lb_option *option)
{
	for (int i = 0; i < cli->given_count; i++) {
		if (cli->given[i].option == option)
			return true;
	}
	return false;
}

static lb_err run_command(struct lb_cli *cli, int argc, char **argv)
{
	struct words words = { .argv = argv, .argc = argc };
	size_t room = (size_t)argc + 1;

	cli->operands = LB_ARENA_NEW(&cli->arena, const char *, room);
	cli->given = LB_ARENA_NEW(&cli->arena, struct lb_cli_given, room);
	if (cli->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(take_words(cli, &words));
	if (was_given(cli, &help_option)) {
		lb_args_show_command(cli->out, cli->program, cli->command);
		return LB_OK;
	}
	LB_TRY(check_operands(cli));
	return cli->command->run(cli);
}

/* ---- main ---- */

static lb_err run_otherwise(struct lb_cli *cli, int argc, char **argv)
{
	lb_err err = lb_err_of(LB_E_NOTFOUND);

	if (argv[0][0] == '-')
		return unknown_option(cli, lb_bytes_of(argv[0]));
	if (cli->program->otherwise != NULL)
		err = cli->program->otherwise(cli, argc, argv);
	if (lb_code_of(err) == LB_E_NOTFOUND && cli->diag.text[0] == '\0')
		return unknown_command(cli, argv[0]);
	return err;
}

static lb_err run_words(struct lb_cli *cli, int argc, char **argv)
{
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
		lb_args_show_program(cli->out, cli->program);
		return LB_OK;
	}
	if (strcmp(argv[0], "--version") == 0) {
		(void)fprintf(cli->out, "%s %s\n", cli->program->name, LB_VERSION);
		return LB_OK;
	}
	cli->command = lb_args_find(cli->program, argv[0]);
	return cli->command != NULL ? run_command(cli, argc - 1, argv + 1)
	                            : run_otherwise(cli, argc, argv);
}

static void report(const struct lb_cli *cli, lb_err err)
{
	const char *space = cli->command != NULL ? " " : "";
	const char *command = cli->command != NULL ? cli->command->name : "";

	(void)fprintf(cli->err, "%s%s%s: %s\n", cli->program->name, space, command,
	              lb_diag_text(&cli->diag, err));
	if (lb_err_class(err) == LB_CLASS_USAGE)
		(void)fprintf(cli->err, "see %s%s%s --help\n", cli->program->name, space, command);
}

int lb_main_with(const struct lb_program *program, struct lb_mem *mem, struct plat *plat, FILE *out,
                 FILE *err_out, int argc, char **argv)
{
	struct lb_cli cli = { .program = program,
		              .mem = mem,
		              .plat = plat,
		              .out = out,
		              .err = err_out,
		              .exit_status = -1 };
	lb_err err;

	if (argc < 2) {
		lb_args_show_program(err_out, program);
		return (int)LB_CLASS_USAGE;
	}
	lb_arena_init(&cli.arena, mem);
	err = run_words(&cli, argc - 1, argv + 1);
	/* What was answered is worth nothing where it did not arrive. */
	if ((fflush(out) != 0 || ferror(out) != 0) && !lb_failed(err)) {
		err = lb_fail(&cli.diag, LB_E_IO, "cannot write the output");
		cli.exit_status = -1;
	}
	if (lb_failed(err))
		report(&cli, err);
	lb_arena_release(&cli.arena);
	return cli.exit_status >= 0 ? cli.exit_status : lb_err_exit(err);
}

int lb_main(const struct lb_program *program, int argc, char **argv)
{
	plat_file_limit_install();
	return lb_main_with(program, &lb_mem_host, &plat_host, stdout, stderr, argc, argv);
}

/* ---- what a command asks ---- */

const char *lb_cli_next(const struct lb_cli *cli, const char *name, int *at)
{
	for (; *at < cli->given_count; *at += 1) {
		const struct lb_cli_given *given = &cli->given[*at];

		if (strcmp(given->option->name, name) == 0) {
			*at += 1;
			return given->value;
		}
	}
	return NULL;
}

bool lb_cli_flag(const struct lb_cli *cli, const char *name)
{
	for (int i = 0; i < cli->given_count; i++) {
		if (strcmp(cli->given[i].option->name, name) == 0)
			return true;
	}
	return false;
}

const char *lb_cli_value(const struct lb_cli *cli, const char *name)
{
	const char *last = NULL, *value;
	int at = 0;

	while ((value = lb_cli_next(cli, name, &at)) != NULL)
		last = value;
	return last;
}

lb_err lb_cli_number(uint64_t *out, struct lb_cli *cli, const char *name, uint64_t otherwise,
                     uint64_t min, uint64_t max)
{
	const char *value = lb_cli_value(cli, name);

	*out = otherwise;
	if (value == NULL)
		return LB_OK;
	if (!lb_failed(lb_bytes_u64(out, lb_bytes_of(value), max)) && *out >= min)
		return LB_OK;
	*out = otherwise;
	return lb_fail(&cli->diag, LB_E_USAGE,
	               "--%s: \"%s\" is not a whole number from %llu to %llu", name, value,
	               (unsigned long long)min, (unsigned long long)max);
}
