/* args_show.c - the tables of a program as help and as a manual page. */
#include "base/io/args_priv.h"

#include "base/text.h"

enum { WIDTH = 80, LABEL_MAX = 26 };

struct lb_bytes lb_args_value_name(const struct lb_option *option)
{
	struct lb_bytes value = lb_bytes_of(option->value);

	return lb_bytes_upto(value, lb_bytes_find_byte(value, '\n'));
}

/* ---- help ---- */

static void pad(FILE *to, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		(void)fputc(' ', to);
}

/* Words in lines of at most WIDTH columns, the first of which has `used` filled already. */
static void wrap(FILE *to, struct lb_bytes text, size_t indent, size_t used)
{
	struct lb_bytes word;
	bool first = true;

	while (lb_bytes_split(&word, &text, ' ')) {
		if (word.len == 0)
			continue;
		if (!first && used + 1 + word.len > WIDTH) {
			(void)fputc('\n', to);
			pad(to, indent);
			used = indent;
			first = true;
		}
		(void)fprintf(to, "%s%.*s", first ? "" : " ", LB_FMT(word));
		used += word.len + !first;
		first = false;
	}
	(void)fputc('\n', to);
}

/* "  LABEL   about", the about in its own column; on the next line where the label is long. */
static void show_row(FILE *to, const char *label, const char *about, size_t column)
{
	size_t used = 2 + strlen(label);

	(void)fprintf(to, "  %s", label);
	if (used + 2 > column) {
		(void)fputc('\n', to);
		used = 0;
	}
	pad(to, column - used);
	wrap(to, lb_bytes_of(about), column, column);
}

/* Paragraphs: lines that start with a blank as they are, the others filled. */
static void show_details(FILE *to, const char *details)
{
	struct lb_bytes rest = lb_bytes_of(details), line;

	if (details == NULL)
		return;
	(void)fputc('\n', to);
	while (lb_bytes_split(&line, &rest, '\n')) {
		if (line.len > 0 && line.at[0] == ' ')
			(void)fprintf(to, "%.*s\n", LB_FMT(line));
		else
			wrap(to, line, 0, 0);
	}
}

static void command_label(char *out, size_t size, const struct lb_command *command)
{
	(void)snprintf(out, size, "%s%s%s", command->name, command->operands[0] != '\0' ? " " : "",
	               command->operands);
}

static void option_label(char *out, size_t size, const struct lb_option *option)
{
	char letter[8] = "    ";
	struct lb_bytes value = { 0 };

	if (option->letter != '\0')
		(void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
	if (option->value != NULL)
		value = lb_args_value_name(option);
	(void)snprintf(out, size, "%s--%s%s%.*s", letter, option->name, value.len > 0 ? " " : "",
	               LB_FMT(value));
}

enum { LABEL_SIZE = 128 };

void lb_args_show_program(FILE *to, const struct lb_program *program)
{
	const struct lb_command *command;
	char label[LABEL_SIZE];
	size_t column = 0;

	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++) {
		command_label(label, sizeof label, command);
		if (strlen(label) <= LABEL_MAX && strlen(label) + 4 > column)
			column = strlen(label) + 4;
	}
	(void)fprintf(to, "%s - %s\n\nusage: %s COMMAND [OPTION...] [OPERAND...]\n\ncommands:\n",
	              program->name, program->about, program->name);
	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++) {
		command_label(label, sizeof label, command);
		show_row(to, label, command->about, column);
	}
	show_details(to, program->details);
	(void)fprintf(to, "\n%s COMMAND --help says more about a command.\n", program->name);
}

void lb_args_show_command(FILE *to, const struct lb_program *program,
                          const struct lb_command *command)
{
	const struct lb_option *option;
	char label[LABEL_SIZE];
	size_t column = 0;

	for (size_t i = 0; (option = lb_args_option(command, i)) != NULL; i++) {
		option_label(label, sizeof label, option);
		if (strlen(label) <= LABEL_MAX && strlen(label) + 4 > column)
			column = strlen(label) + 4;
	}
	command_label(label, sizeof label, command);
	(void)fprintf(to, "%s %s - %s\n\nusage: %s %s [OPTION...]%s%s\n\noptions:\n", program->name,
	              command->name, command->about, program->name, command->name,
	              command->operands[0] != '\0' ? " " : "", command->operands);
	for (size_t i = 0; (option = lb_args_option(command, i)) != NULL; i++) {
		option_label(label, sizeof label, option);
		show_row(to, label, option->about, column);
	}
	show_details(to, command->details);
}

/* ---- the manual page ---- */

/* Text as roff: nothing in it is a request or an escape. */
static void show_roff(FILE *to, struct lb_bytes text)
{
	if (text.len > 0 && (text.at[0] == '.' || text.at[0] == '\''))
		(void)fputs("\\&", to);
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\\')
			(void)fputs("\\e", to);
		else if (text.at[i] == '"')
			(void)fputs("\\(dq", to);
		else
			(void)fputc(text.at[i], to);
	}
}

/* The same as one argument of a macro. */
static void show_argument(FILE *to, struct lb_bytes text)
{
	(void)fputs(" \"", to);
	show_roff(to, text);
	(void)fputc('"', to);
}

static void show_sentence(FILE *to, const char *text)
{
	show_roff(to, lb_bytes_of(text));
	(void)fputs(".\n", to);
}

/* Words in lines of at most WIDTH columns, and a line's end after each sentence, as roff wants. */
static void show_filled(FILE *to, struct lb_bytes text)
{
	struct lb_bytes word;
	size_t used = 0;

	while (lb_bytes_split(&word, &text, ' ')) {
		bool ends = lb_bytes_ends(word, LB_B(".")) || lb_bytes_ends(word, LB_B("?")) ||
		            lb_bytes_ends(word, LB_B("!"));

		if (word.len == 0)
			continue;
		if (used > 0 && used + 1 + word.len > WIDTH) {
			(void)fputc('\n', to);
			used = 0;
		}
		if (used > 0)
			(void)fputc(' ', to);
		show_roff(to, word);
		used += word.len + 1;
		if (ends) {
			(void)fputc('\n', to);
			used = 0;
		}
	}
	if (used > 0)
		(void)fputc('\n', to);
}

static bool is_verbatim(struct lb_bytes line) { return line.len > 0 && line.at[0] == ' '; }

/* Paragraphs as in help: what starts with a blank becomes a display.  `gap`: text stands before
 * them. */
static void show_paragraphs(FILE *to, const char *details, bool gap)
{
	struct lb_bytes rest = lb_bytes_of(details), line;
	bool display = false;

	while (lb_bytes_split(&line, &rest, '\n')) {
		if (line.len == 0) {
			gap = true;
			continue;
		}
		if (display && !is_verbatim(line))
			(void)fputs(".Ed\n", to);
		else if (!display && is_verbatim(line))
			(void)fputs(".Bd -literal -offset indent\n", to);
		if (gap && !is_verbatim(line))
			(void)fputs(".Pp\n", to);
		display = is_verbatim(line);
		gap = false;
		if (display) {
			show_roff(to, lb_bytes_trim(line));
			(void)fputc('\n', to);
		} else {
			show_filled(to, line);
		}
	}
	if (display)
		(void)fputs(".Ed\n", to);
}

static void show_manual_option(FILE *to, const struct lb_option *option)
{
	(void)fputs(".It", to);
	if (option->letter != '\0')
		(void)fprintf(to, " Fl %c ,", option->letter);
	(void)fprintf(to, " Fl -%s", option->name);
	if (option->value != NULL) {
		(void)fputs(" Ar", to);
		show_argument(to, lb_args_value_name(option));
	}
	(void)fputc('\n', to);
	show_sentence(to, option->about);
}

static void show_manual_command(FILE *to, const struct lb_program *program,
                                const struct lb_command *command)
{
	const struct lb_option *option;

	(void)fprintf(to, ".It Nm %s Cm %s", program->name, command->name);
	if (command->options != NULL)
		(void)fputs(" Oo Ar option ... Oc", to);
	if (command->operands[0] != '\0') {
		(void)fputs(" Ar", to);
		show_argument(to, lb_bytes_of(command->operands));
	}
	(void)fputc('\n', to);
	show_sentence(to, command->about);
	if (command->details != NULL)
		show_paragraphs(to, command->details, true);
	if (command->options == NULL)
		return;
	(void)fputs(".Bl -tag -width Ds\n", to);
	for (size_t i = 0; (option = lb_args_option(command, i)) != NULL; i++)
		show_manual_option(to, option);
	(void)fputs(".El\n", to);
}

/* "November 21, 2026", as .Dd wants it. */
static void show_date(FILE *to, uint64_t wall_ns)
{
	static const char *const months[] = { "January",   "February", "March",    "April",
		                              "May",       "June",     "July",     "August",
		                              "September", "October",  "November", "December" };
	char time[LB_TIME_SIZE];
	struct lb_bytes rest = lb_bytes_of(lb_time_text(time, wall_ns, 0)), year, month, day;
	uint64_t month_number, day_number;

	(void)lb_bytes_split(&year, &rest, '-');
	(void)lb_bytes_split(&month, &rest, '-');
	(void)lb_bytes_split(&day, &rest, 'T');
	if (lb_failed(lb_bytes_u64(&month_number, month, 12)) || month_number == 0 ||
	    lb_failed(lb_bytes_u64(&day_number, day, 31)))
		return; /* not for any time that lb_time_text writes */
	(void)fprintf(to, ".Dd %s %u, %.*s\n", months[month_number - 1], (unsigned)day_number,
	              LB_FMT(year));
}

static void show_title(FILE *to, const char *name)
{
	(void)fputs(".Dt ", to);
	for (; *name != '\0'; name++)
		(void)fputc(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, to);
	(void)fputs(" 1\n.Os\n", to);
}

void lb_args_show_manual(FILE *to, const struct lb_program *program, uint64_t wall_ns)
{
	static const char exits[] =
		".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n"
		".It 0\nSuccess.\n"
		".It 1\nThe answer is no: not found, refused, failed.\n"
		".It 2\nThe command line was wrong.\n"
		".It 3\nThe input was bad.\n"
		".It 4\nMemory, disk or network: it may work another time.\n.El\n";
	const struct lb_command *command;

	show_date(to, wall_ns);
	show_title(to, program->name);
	(void)fprintf(to, ".Sh NAME\n.Nm %s\n.Nd ", program->name);
	show_roff(to, lb_bytes_of(program->about));
	(void)fputs("\n.Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar option ...\n.Op Ar operand ...\n"
	            ".Sh DESCRIPTION\n",
	            to);
	if (program->details != NULL) {
		show_paragraphs(to, program->details, false);
		(void)fputs(".Pp\n", to);
	}
	(void)fputs("The commands are:\n.Bl -tag -width Ds\n", to);
	for (size_t i = 0; (command = lb_args_command(program, i)) != NULL; i++)
		show_manual_command(to, program, command);
	(void)fputs(".El\n", to);
	(void)fputs(exits, to);
}
