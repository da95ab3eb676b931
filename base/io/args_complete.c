/* args_complete.c - the tables of a program as completion scripts for bash, zsh and fish. */
#include "base/io/args_priv.h"

enum { VALUE_SIZE = 256 };

/* Text between single quotes of any of the shells; `special` gets a backslash before it. */
static void show_quoted(FILE *to, const char *text, const char *special)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			(void)fputs("'\\''", to);
		else if (strchr(special, *text) != NULL)
			(void)fprintf(to, "\\%c", *text);
		else
			(void)fputc(*text, to);
	}
}

/* ---- words that a value can be ---- */

static bool is_choice(struct lb_bytes word)
{
	for (size_t i = 0; i < word.len; i++) {
		unsigned char c = word.at[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_')
			return false;
	}
	return word.len > 0;
}

/* The next of them, from *rest; false behind the last. */
static bool next_choice(struct lb_bytes *choice, struct lb_bytes *rest, unsigned char between)
{
	while (lb_bytes_split(choice, rest, between)) {
		if (is_choice(*choice))
			return true;
	}
	return false;
}

/* All of them with blanks between; false where nothing is known. */
static bool show_choices(FILE *to, const struct lb_option *option)
{
	struct lb_bytes rest = lb_bytes_of(option->value), choice;
	size_t hidden = lb_bytes_find_byte(rest, '\n');
	unsigned char between = hidden != SIZE_MAX ? ' ' : '|';
	bool any = false;

	if (hidden != SIZE_MAX)
		rest = lb_bytes_from(rest, hidden + 1);
	else if (lb_bytes_find_byte(rest, '|') == SIZE_MAX)
		return false;
	while (next_choice(&choice, &rest, between)) {
		if (to != NULL)
			(void)fprintf(to, "%s%.*s", any ? " " : "", LB_FMT(choice));
		any = true;
	}
	return any;
}

static bool has_choices(const struct lb_option *option)
{
	return option->value != NULL && show_choices(NULL, option);
}

/* ---- shells ---- */

/* The program's name as part of a function's. */
static void show_identifier(FILE *to, const struct lb_program *program)
{
	(void)fputc('_', to);
	for (const char *at = program->name; *at != '\0'; at++)
		(void)fputc(*at == '-' ? '_' : *at, to);
}

/* After "--option": the words that it can be. */
static void show_bash_values(FILE *to, const struct lb_program *program)
{
	const struct lb_command *command;
	const struct lb_option *option;

	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++) {
		for (size_t k = 0; (option = lb_args_option(command, k)) != NULL; k++) {
			if (!has_choices(option))
				continue;
			(void)fprintf(to, "\t\t'%s --%s'", command->name, option->name);
			if (option->letter != '\0')
				(void)fprintf(to, "|'%s -%c'", command->name, option->letter);
			(void)fputs(") words='", to);
			(void)show_choices(to, option);
			(void)fputs("' ;;\n", to);
		}
	}
}

static void show_bash(FILE *to, const struct lb_program *program)
{
	const struct lb_command *command;
	const struct lb_option *option;

	(void)fprintf(to, "# bash completion for %s\n", program->name);
	show_identifier(to, program);
	(void)fputs("() {\n\tlocal word=${COMP_WORDS[COMP_CWORD]} words=\n"
	            "\tif [[ $COMP_CWORD -eq 1 ]]; then\n\t\twords='--help --version",
	            to);
	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++)
		(void)fprintf(to, " %s", command->name);
	(void)fputs("'\n\telif [[ $word == -* ]]; then\n\t\tcase ${COMP_WORDS[1]} in\n", to);
	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++) {
		(void)fprintf(to, "\t\t%s) words='", command->name);
		for (size_t k = 0; (option = lb_args_option(command, k)) != NULL; k++)
			(void)fprintf(to, "%s--%s", k > 0 ? " " : "", option->name);
		(void)fputs("' ;;\n", to);
	}
	(void)fputs("\t\tesac\n\telse\n"
	            "\t\tcase \"${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}\" in\n",
	            to);
	show_bash_values(to, program);
	(void)fputs("\t\tesac\n\tfi\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
	            "\"$word\")\n}\n"
	            "complete -o default -F ",
	            to);
	show_identifier(to, program);
	(void)fprintf(to, " %s\n", program->name);
}

static void show_zsh_option(FILE *to, const struct lb_option *option)
{
	/* The star: it may be given again. */
	(void)fputs(option->value != NULL ? " \\\n\t\t\t'*'" : " \\\n\t\t\t", to);
	if (option->letter != '\0')
		(void)fprintf(to, "{-%c,--%s}", option->letter, option->name);
	else
		(void)fprintf(to, "--%s", option->name);
	(void)fputs("'[", to);
	show_quoted(to, option->about, "[]:\\");
	(void)fputc(']', to);
	if (option->value != NULL) {
		char name[VALUE_SIZE];

		(void)snprintf(name, sizeof name, "%.*s", LB_FMT(lb_args_value_name(option)));
		(void)fputc(':', to);
		show_quoted(to, name, "[]:\\");
		(void)fputs(has_choices(option) ? ":(" : ":_files", to);
		if (has_choices(option) && show_choices(to, option))
			(void)fputc(')', to);
	}
	(void)fputc('\'', to);
}

static void show_zsh(FILE *to, const struct lb_program *program)
{
	const struct lb_command *command;
	const struct lb_option *option;

	(void)fprintf(to, "#compdef %s\n", program->name);
	show_identifier(to, program);
	(void)fputs("() {\n\tlocal -a commands\n\tcommands=(\n", to);
	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++) {
		(void)fprintf(to, "\t\t'%s:", command->name);
		show_quoted(to, command->about, ":\\");
		(void)fputs("'\n", to);
	}
	(void)fputs("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n"
	            "\t\treturn\n\tfi\n\tshift words\n\t(( CURRENT-- ))\n\tcase $words[1] in\n",
	            to);
	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++) {
		(void)fprintf(to, "\t%s)\n\t\t_arguments", command->name);
		for (size_t k = 0; (option = lb_args_option(command, k)) != NULL; k++)
			show_zsh_option(to, option);
		(void)fputs(" \\\n\t\t\t'*:operand:_files' ;;\n", to);
	}
	(void)fputs("\tesac\n}\n", to);
	show_identifier(to, program);
	(void)fputs(" \"$@\"\n", to);
}

static void show_fish(FILE *to, const struct lb_program *program)
{
	const struct lb_command *command;
	const struct lb_option *option;

	(void)fprintf(to, "# fish completion for %s\n", program->name);
	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++) {
		(void)fprintf(to, "complete -c %s -n __fish_use_subcommand -f -a %s -d '",
		              program->name, command->name);
		show_quoted(to, command->about, "\\");
		(void)fputs("'\n", to);
		for (size_t k = 0; (option = lb_args_option(command, k)) != NULL; k++) {
			(void)fprintf(to, "complete -c %s -n '__fish_seen_subcommand_from %s'",
			              program->name, command->name);
			if (option->letter != '\0')
				(void)fprintf(to, " -s %c", option->letter);
			(void)fprintf(to, " -l %s%s", option->name,
			              option->value == NULL ? ""
			              : has_choices(option) ? " -x -a '"
			                                    : " -r");
			if (has_choices(option) && show_choices(to, option))
				(void)fputc('\'', to);
			(void)fputs(" -d '", to);
			show_quoted(to, option->about, "\\");
			(void)fputs("'\n", to);
		}
	}
}

bool lb_args_show_completion(FILE *to, const struct lb_program *program, const char *shell)
{
	static const struct {
		const char *name;
		void (*show)(FILE *to, const struct lb_program *program);
	} shells[] = { { "bash", show_bash }, { "zsh", show_zsh }, { "fish", show_fish } };

	for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].show(to, program);
			return true;
		}
	}
	return false;
}
