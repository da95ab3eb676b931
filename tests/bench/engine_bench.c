/* engine_bench.c - CPU time of whole programs: natively, in this engine, in peers, in one run.
 *
 * The programs are made by tests/bench/programs/build.  A number is user and system time of the
 * process (load, compile, run), the median of RUNS.  Peers are those of LB_PEERS and those found in
 * PATH; each must print what the native program prints, else its cell says so.
 *
 *   LB_PEERS="NAME=COMMAND;NAME=COMMAND"   the module's path is put behind the command
 *   LB_PROGRAMS=gemm,lua                   only these
 */
#include "tests/bench/bench.h"
#include "tests/harness/test.h"

#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS = 3, RUNNERS_MAX = 16, WORDS_MAX = 16, CPU_SECONDS_MAX = 120, OUTPUT_MAX = 1 << 16 };

struct program {
	const char *name;
	const char *only; /* compare only lines that begin so; NULL: all */
};

static const struct program programs[] = {
	{ "coremark", "[0]crc" },
	{ "gemm", NULL },
	{ "two_mm", NULL },
	{ "cholesky", NULL },
	{ "floyd_warshall", NULL },
	{ "nussinov", NULL },
	{ "jacobi_2d", NULL },
	{ "gramschmidt", NULL },
	{ "bzip2", NULL },
	{ "zstd", NULL },
	{ "lua", NULL },
	{ "sqlite", NULL },
};

enum { PROGRAMS = sizeof programs / sizeof programs[0] };

struct runner {
	const char *name;
	char *words[WORDS_MAX + 2]; /* the command, with room for the module */
	double log_sum;             /* of the ratios to native */
	unsigned count;
};

static struct runner runners[RUNNERS_MAX];
static unsigned runner_count;
static char folder[1000], output_path[1200];

/* ---- runners ---- */

/* `command` is cut into words and kept. */
static void add_runner(const char *name, char *command)
{
	struct runner *r = &runners[runner_count];
	unsigned words = 0;

	if (runner_count == RUNNERS_MAX)
		return;
	for (char *word = strtok_r(command, " ", &command); word != NULL && words < WORDS_MAX;
	     word = strtok_r(NULL, " ", &command))
		r->words[words++] = word;
	r->name = name;
	runner_count += words > 0;
}

static void add_given_peers(void)
{
	const char *given = getenv("LB_PEERS");
	char *rest = given != NULL ? strdup(given) : NULL;

	while (rest != NULL && *rest != '\0') {
		char *entry = strtok_r(rest, ";", &rest);
		char *command = entry != NULL ? strchr(entry, '=') : NULL;

		if (command != NULL) {
			*command = '\0';
			add_runner(entry, command + 1);
		}
	}
}

static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH");
	char *rest = path != NULL ? strdup(path) : NULL, *all = rest;
	bool found = false;
	char file[2048];

	while (rest != NULL && !found) {
		char *part = strtok_r(rest, ":", &rest);

		if (part == NULL)
			break;
		(void)snprintf(file, sizeof file, "%s/%s", part, program);
		found = access(file, X_OK) == 0;
	}
	free(all);
	return found;
}

static void add_found_peers(void)
{
	static const struct {
		const char *name, *program, *command;
	} known[] = { { "wasm3", "wasm3", "wasm3" },
		      { "wamr", "iwasm", "iwasm" },
		      { "wasmi", "wasmi", "wasmi run" },
		      { "wasmtime", "wasmtime", "wasmtime run" } };

	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
		bool given = false;

		for (unsigned k = 0; k < runner_count; k++)
			given = given || strcmp(runners[k].name, known[i].name) == 0;
		if (!given && is_in_path(known[i].program))
			add_runner(known[i].name, strdup(known[i].command));
	}
}

/* ---- running ---- */

static void child(char *const argv[])
{
	struct rlimit limit = { CPU_SECONDS_MAX, CPU_SECONDS_MAX };
	int out = open(output_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	(void)setrlimit(RLIMIT_CPU, &limit);
	if (out < 0 || dup2(out, 1) < 0 || dup2(open("/dev/null", O_WRONLY), 2) < 0)
		_exit(126);
	(void)execvp(argv[0], argv);
	_exit(127);
}

/* User and system time of the process; false where it did not exit with 0. */
static bool run_once(char *const argv[], uint64_t *cpu_ns)
{
	struct rusage use;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		child(argv);
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid)
		return false;
	*cpu_ns = (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000u +
	          (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000u;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What was printed, as far as it is compared. */
static size_t read_output(char *out, const char *only)
{
	FILE *file = fopen(output_path, "r");
	char line[1024];
	size_t len = 0;

	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		size_t more = strlen(line);

		if (only != NULL && strncmp(line, only, strlen(only)) != 0)
			continue;
		if (more > OUTPUT_MAX - len)
			break;
		memcpy(out + len, line, more);
		len += more;
	}
	if (file != NULL)
		(void)fclose(file);
	return len;
}

struct cell {
	struct bench time;
	char output[OUTPUT_MAX];
	size_t output_len;
	bool failed;
};

static void measure(struct cell *cell, char *const argv[], const char *only)
{
	uint64_t ns = 0;

	*cell = (struct cell){ 0 };
	for (unsigned i = 0; i < RUNS && !cell->failed; i++) {
		cell->failed = !run_once(argv, &ns);
		bench_add(&cell->time, ns);
	}
	cell->output_len = read_output(cell->output, only);
}

/* One cell of the table: how many times native, or why there is no number. */
static void show(struct runner *runner, struct cell *cell, struct cell *native)
{
	double ratio = (double)bench_median(&cell->time) / (double)bench_median(&native->time);

	if (cell->failed) {
		printf(" %10s", "failed");
	} else if (cell->output_len != native->output_len ||
	           memcmp(cell->output, native->output, cell->output_len) != 0) {
		printf(" %10s", "differs");
	} else {
		printf(" %10.2f", ratio);
		runner->log_sum += log(ratio);
		runner->count++;
	}
	(void)fflush(stdout);
}

static void measure_program(const struct program *program)
{
	static struct cell native, cell;
	char path[1200];
	char *argv[] = { path, NULL };

	(void)snprintf(path, sizeof path, "%s/%s.native", folder, program->name);
	if (access(path, X_OK) != 0) {
		printf("%-16s is not there\n", program->name);
		return;
	}
	measure(&native, argv, program->only);
	printf("%-16s %7.3f s", program->name, (double)bench_median(&native.time) / 1e9);
	(void)snprintf(path, sizeof path, "%s/%s.wasm", folder, program->name);
	for (unsigned i = 0; i < runner_count; i++) {
		unsigned words = 0;

		while (runners[i].words[words] != NULL)
			words++;
		runners[i].words[words] = path;
		measure(&cell, runners[i].words, program->only);
		runners[i].words[words] = NULL;
		show(&runners[i], &cell, &native);
	}
	printf("\n");
}

/* The means, and ours beside the best of the peers that ran as many programs. */
static void show_means(void)
{
	double ours = exp(runners[0].log_sum / runners[0].count), best = 0;
	const char *name = NULL;

	printf("%-16s %9s", "geometric mean", "");
	for (unsigned i = 0; i < runner_count; i++) {
		double mean = exp(runners[i].log_sum / runners[i].count);

		printf(" %10.2f", mean);
		if (i > 0 && runners[i].count == runners[0].count &&
		    (name == NULL || mean < best)) {
			best = mean;
			name = runners[i].name;
		}
	}
	printf("\n");
	if (name != NULL)
		printf("this engine takes %.2f of the time of the fastest peer, %s\n", ours / best,
		       name);
	else
		printf("no peer ran them all: LB_PEERS=\"NAME=COMMAND;...\" names some\n");
}

static bool is_wanted(const char *name)
{
	const char *wanted = getenv("LB_PROGRAMS"), *at;
	size_t len = strlen(name);

	if (wanted == NULL)
		return true;
	for (at = strstr(wanted, name); at != NULL; at = strstr(at + 1, name))
		if ((at == wanted || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

TEST(engine_beside_peers)
{
	const char *build = getenv("LB_BUILD");
	static char command[1200], engine[1200];

	if (build == NULL)
		build = "build";
	(void)snprintf(folder, sizeof folder, "%s/bench/programs", build);
	(void)snprintf(output_path, sizeof output_path, "%s/output", folder);
	(void)snprintf(command, sizeof command, "tests/bench/programs/build %s", folder);
	printf("building the programs:\n");
	(void)fflush(stdout);
	CHECK(system(command) == 0);
	(void)snprintf(engine, sizeof engine, "%s/lifeboat-engine run", build);
	add_runner("lifeboat", engine);
	add_given_peers();
	add_found_peers();
	printf("times native (gcc -O2), CPU time, median of %d\n%-16s %9s", RUNS, "", "native");
	for (unsigned i = 0; i < runner_count; i++)
		printf(" %10s", runners[i].name);
	printf("\n");
	for (unsigned i = 0; i < PROGRAMS; i++)
		if (is_wanted(programs[i].name))
			measure_program(&programs[i]);
	show_means();
}
