/* problem.c - problem matchers of a job: added and removed by commands, asked about each line. */
#include "ci-runner/execute/execution_priv.h"

#include "base/data/json.h"
#include "base/io/file.h"

#include <limits.h>
#include <stdlib.h>

enum { CONFIG_BYTES_MAX = 1024 * 1024 };

/* ---- commands ---- */

/* A job's own files and those of its actions and tools, wherever links lead. */
static bool may_read(struct runner_execution *x, const char *real)
{
	const char *const folders[] = { x->folders.work, x->host->tools };

	for (size_t i = 0; i < 2; i++) {
		char *top = folders[i] != NULL ? LB_ARENA_NEW(&x->line, char, PATH_MAX) : NULL;

		if (top != NULL && realpath(folders[i], top) != NULL &&
		    lb_bytes_starts(lb_bytes_of(real), lb_arena_format(&x->line, "%s/", top)))
			return true;
	}
	return false;
}

static lb_err read_config(struct lb_value **out, struct runner_execution *x, struct lb_bytes file,
                          struct lb_diag *diag)
{
	const char *given =
		file.len > 0 && file.at[0] == '/'
			? lb_arena_text(&x->line, file)
			: (const char *)lb_arena_format(&x->line, "%s/%.*s", x->folders.workspace,
	                                                LB_FMT(file))
				  .at;
	char *real = LB_ARENA_NEW(&x->line, char, PATH_MAX);
	struct lb_buf text;
	lb_err err;

	if (given == NULL || real == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (realpath(given, real) == NULL || !may_read(x, real))
		return lb_fail(diag, LB_E_NOTFOUND, "Could not find file '%s'.", given);
	lb_buf_init(&text, x->host->mem, CONFIG_BYTES_MAX);
	err = runner_files_read(&text, x, real, diag);
	if (!lb_failed(err) && lb_failed(lb_json_read(out, &x->line, lb_buf_bytes(&text), NULL)))
		err = lb_fail(diag, LB_E_MALFORMED, "'%s' is no JSON", given);
	lb_buf_release(&text);
	return err;
}

void runner_matchers_command_add(struct runner_execution *x, struct lb_bytes file)
{
	struct lb_value *config;
	struct lb_diag diag;
	lb_err err;

	if (file.len == 0) {
		runner_say(x, "warning", "File path must be specified.");
		return;
	}
	diag.text[0] = '\0';
	err = read_config(&config, x, file, &diag);
	if (!lb_failed(err))
		err = runner_matchers_add(x->matchers, config, &diag);
	if (lb_code_of(err) == LB_E_NOMEM)
		x->failure = err;
	else if (lb_failed(err))
		runner_say_error(x, "Unable to process command '::add-matcher::%.*s': %s",
		                 LB_FMT(lb_bytes_upto(file, 300)), lb_diag_text(&diag, err));
}

void runner_matchers_command_remove(struct runner_execution *x, struct lb_bytes owner,
                                    struct lb_bytes file)
{
	const struct lb_value *list;
	struct lb_value *config;
	struct lb_diag diag;
	lb_err err;

	if ((owner.len > 0) == (file.len > 0)) {
		runner_say(x, "warning",
		           owner.len > 0
		                   ? "Either specify an owner name or a file path in "
		                     "##[remove-matcher] command. Both values cannot be set."
		                   : "Either an owner name or a file path must be specified in "
		                     "##[remove-matcher] command.");
		return;
	}
	if (owner.len > 0) {
		runner_matchers_remove(x->matchers, owner);
		return;
	}
	err = read_config(&config, x, file, &diag);
	if (lb_failed(err)) {
		runner_say_error(x, "Unable to process command '::remove-matcher::%.*s': %s",
		                 LB_FMT(lb_bytes_upto(file, 300)), lb_diag_text(&diag, err));
		return;
	}
	list = lb_value_get(config, "problemMatcher");
	for (uint32_t i = 0; list != NULL && list->kind == LB_ARRAY && i < list->count; i++)
		runner_matchers_remove(x->matchers, lb_value_get_string(list->items[i], "owner"));
}

/* ---- lines ---- */

/* Without "." and ".." parts; false where it leads above the root. */
static bool normalise(struct lb_buf *out, struct lb_bytes path)
{
	struct lb_bytes part;

	while (path.len > 0 && lb_bytes_split(&part, &path, '/')) {
		if (part.len == 0 || lb_bytes_is(part, "."))
			continue;
		if (lb_bytes_is(part, "..")) {
			size_t slash = lb_bytes_rfind_byte(lb_buf_bytes(out), '/');

			if (slash == SIZE_MAX)
				return false;
			out->len = slash;
			continue;
		}
		lb_buf_add_byte(out, '/');
		lb_buf_add(out, part);
	}
	return out->len > 0;
}

/* The path in the repository that the file belongs to; empty where it is in none of the job's. */
static struct lb_bytes path_in_repository(struct runner_execution *x, struct lb_bytes path)
{
	struct lb_bytes top = lb_bytes_of(x->folders.workspace), folder = path;

	while (folder.len >= top.len && lb_bytes_starts(folder, top)) {
		struct lb_bytes git = lb_arena_format(&x->line, "%.*s/.git", LB_FMT(folder));

		if (git.at != NULL && lb_file_exists(x->host->plat, (const char *)git.at))
			return lb_bytes_from(path, folder.len + 1);
		folder = lb_bytes_upto(folder, lb_bytes_rfind_byte(folder, '/'));
	}
	return (struct lb_bytes){ 0 };
}

static struct lb_bytes find_file(struct runner_execution *x, const struct runner_problem *problem)
{
	size_t slash = lb_bytes_rfind_byte(problem->from_path, '/');
	struct lb_bytes file = problem->file, found = { 0 };
	struct lb_buf full;

	if (lb_bytes_trim(file).len == 0)
		return found;
	if (file.at[0] != '/' && slash != SIZE_MAX)
		file = lb_arena_format(&x->line, "%.*s/%.*s",
		                       LB_FMT(lb_bytes_upto(problem->from_path, slash)),
		                       LB_FMT(file));
	if (file.len > 0 && file.at[0] != '/')
		file = lb_arena_format(&x->line, "%s/%.*s", x->folders.workspace, LB_FMT(file));
	lb_buf_init(&full, x->host->mem, LB_PATH_SIZE);
	if (normalise(&full, file) && !lb_failed(lb_buf_check(&full)) &&
	    lb_file_exists(x->host->plat, lb_buf_text(&full)))
		found = lb_arena_bytes(&x->line, path_in_repository(x, lb_buf_bytes(&full)));
	lb_buf_release(&full);
	return found;
}

static const char *level_of(struct lb_bytes level)
{
	return lb_bytes_eq_nocase(level, LB_B("warning"))  ? "warning"
	       : lb_bytes_eq_nocase(level, LB_B("notice")) ? "notice"
	                                                   : "error";
}

bool runner_problem_line(struct runner_execution *x, struct lb_bytes line)
{
	struct lb_bytes plain = runner_without_colours(&x->line, line), file;
	struct lb_value *more = lb_value_object(&x->line);
	struct runner_problem problem;
	bool found = runner_matchers_line(&problem, x->matchers, &x->line, plain);
	const char *level;

	if (problem.removed.len > 0)
		runner_log_line(x->log,
		                lb_arena_format(&x->line,
		                                "##[warning]Removing issue matcher '%.*s'. Matcher "
		                                "failed 3 times. Error: it took too long",
		                                LB_FMT(problem.removed)));
	if (!found)
		return false;
	level = level_of(problem.level);
	file = find_file(x, &problem);
	if (file.len > 0)
		lb_value_set_string(&x->line, more, "file", file);
	if (problem.line > 0)
		lb_value_set_number(&x->line, more, "line", (double)problem.line);
	if (problem.column > 0)
		lb_value_set_number(&x->line, more, "column", (double)problem.column);
	runner_log_line(x->log, lb_arena_format(&x->line, "##[%s]%.*s", level, LB_FMT(plain)));
	runner_annotate(x, level, problem.message, more);
	return true;
}
