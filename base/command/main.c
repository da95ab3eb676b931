/* main.c - lifeboat: the front door, which starts the other programs as git does. */
#include "base/io/args.h"
#include "base/platform/process.h"

#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 2048 };

static const struct verb {
	const char *name, *program;
} verbs[] = {
#define VERB(name_, program_, operands_, about_) { #name_, program_ },
#include "base/command/verb.def"
#undef VERB
};

static const struct verb *find_verb(const char *word)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(verbs[i].name, word) == 0)
			return &verbs[i];
	}
	return NULL;
}

/* Beside this program first, so that a build folder or an unpacked archive is whole in itself; then
 * PATH. */
static void start(const char *name, char **argv)
{
	char path[PATH_SIZE];
	char *slash;

	if (!lb_failed(plat_self_path(path, sizeof path))) {
		slash = strrchr(path, '/');
		if (slash != NULL && (size_t)(slash - path) + strlen(name) + 2 < sizeof path) {
			memcpy(slash + 1, name, strlen(name) + 1);
			(void)execv(path, argv);
		}
	}
	(void)execvp(name, argv);
}

/* Becomes the program that knows argv[1]: `lifeboat up X` is `lifeboat-coordinator up X`, `lifeboat
 * cache X` is `lifeboat-cache X`.  Returns only when that cannot be. */
static int become(char **argv)
{
	const char *word = argv[1];
	const struct verb *verb = find_verb(word);
	char name[256];

	(void)snprintf(name, sizeof name, "%s%s", verb != NULL ? "" : "lifeboat-",
	               verb != NULL ? verb->program : word);
	if (verb == NULL)
		argv++;
	argv[0] = name;
	if (strchr(word, '/') == NULL && strlen(word) < 64)
		start(name, argv);
	(void)fprintf(stderr, "lifeboat: %s: no such command\nsee lifeboat --help\n", word);
	return 2;
}

/* Reached only through `lifeboat help VERB`-like detours: main hands verbs over before. */
static lb_err run_verb(struct lb_cli *cli)
{
	return lb_fail(&cli->diag, LB_E_NOTFOUND, "%s belongs to another program",
	               cli->command->name);
}

static const struct lb_command commands[] = {
#define VERB(name_, program_, operands_, about_) \
	{ .name = #name_, \
	  .operands = (operands_), \
	  .about = (about_), \
	  .operands_max = -1, \
	  .run = run_verb },
#include "base/command/verb.def"
#undef VERB
	{ 0 },
};

static const struct lb_program program = {
	.name = "lifeboat",
	.about = "a WebAssembly engine that carries its own CI and release line",
	.commands = commands,
	.details = "`lifeboat SUB ...` runs `lifeboat-SUB ...`: engine, cache, release, runner, "
		   "coordinator.\n\n"
		   "`lifeboat VERB --help` says more about a verb.",
};

/* Words that the tables answer; everything else is for another program. */
static bool is_own(const char *word)
{
	static const char *const own[] = { "help", "completion", "manual", NULL };

	for (size_t i = 0; own[i] != NULL; i++) {
		if (strcmp(word, own[i]) == 0)
			return true;
	}
	return word[0] == '-';
}

int main(int argc, char **argv)
{
	char asked[] = "--help";

	/* `help VERB` is a question to the program that knows the verb. */
	if (argc == 3 && strcmp(argv[1], "help") == 0 && find_verb(argv[2]) != NULL) {
		argv[1] = argv[2];
		argv[2] = asked;
	}
	if (argc > 1 && !is_own(argv[1]))
		return become(argv);
	return lb_main(&program, argc, argv);
}
