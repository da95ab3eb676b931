/* script.c - steps that run a script: which shell, how it is called, what the log shows. */
#include "ci-runner/execute/execution_priv.h"

#include "base/io/file.h"

enum { SHELL_WORDS_MAX = 64 };

static const struct shell {
	const char *name, *call, *suffix, *before, *after;
} shells[] = {
	{ "bash", "bash --noprofile --norc -e -o pipefail {0}", ".sh", "", "" },
	{ "sh", "sh -e {0}", ".sh", "", "" },
	{ "python", "python {0}", ".py", "", "" },
	{ "pwsh", "pwsh -command \". '{0}'\"", ".ps1", "$ErrorActionPreference = 'stop'\n",
	  "\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }" },
	{ "powershell", "powershell -command \". '{0}'\"", ".ps1",
	  "$ErrorActionPreference = 'stop'\n",
	  "\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }" },
	{ "cmd", "cmd /D /E:ON /V:OFF /S /C \"CALL \"{0}\"\"", ".cmd", "@echo off\r\n", "" },
};

/* Debian's python is called python3, and `python` only where a package or a step says so. */
static const char *program_of(struct runner_execution *x, const char *word)
{
	static const char *const usual[] = { "/usr/local/bin/python", "/usr/bin/python" };

	if (strcmp(word, "python") != 0)
		return word;
	for (size_t i = 0; i < 2; i++) {
		if (lb_file_exists(x->host->plat, usual[i]))
			return word;
	}
	for (size_t i = 0; i < x->paths.count; i++) {
		const char *folder = *LB_VEC_AT(&x->paths, const char *, i);
		const char *program = runner_path(x->arena, folder, "python");

		if (program != NULL && lb_file_exists(x->host->plat, program))
			return word;
	}
	return "python3";
}

/* The template's words: blanks part them, quotes keep them together, {0} is the script's file. */
static lb_err split_call(const char *const **out, struct runner_execution *x, struct lb_bytes call,
                         const char *script)
{
	const char **words = LB_ARENA_NEW(x->arena, const char *, SHELL_WORDS_MAX + 1);
	struct lb_buf word;
	size_t count = 0;
	bool inside = false, any = false;
	lb_err err = words == NULL ? lb_err_of(LB_E_NOMEM) : LB_OK;

	lb_buf_init(&word, x->host->mem, RUNNER_LINE_HARD_MAX);
	for (size_t i = 0; !lb_failed(err) && i <= call.len; i++) {
		unsigned char byte = i < call.len ? call.at[i] : ' ';

		if ((byte == ' ' || byte == '\t') && (!inside || i == call.len)) {
			if (any && count < SHELL_WORDS_MAX)
				words[count++] = lb_arena_text(x->arena, lb_buf_bytes(&word));
			lb_buf_reset(&word);
			any = false;
		} else if (byte == '"') {
			inside = !inside;
			any = true;
		} else if (lb_bytes_starts(lb_bytes_from(call, i), LB_B("{0}"))) {
			lb_buf_add_text(&word, script);
			any = true;
			i += 2;
		} else {
			lb_buf_add_byte(&word, byte);
			any = true;
		}
		err = lb_buf_check(&word);
	}
	lb_buf_release(&word);
	if (!lb_failed(err) && x->arena->failed)
		err = lb_err_of(LB_E_NOMEM);
	if (!lb_failed(err) && count > 0)
		words[0] = program_of(x, words[0]);
	*out = words;
	return err;
}

static lb_err find_shell(struct shell *out, struct runner_execution *x, struct lb_bytes name,
                         struct lb_diag *diag)
{
	*out = (struct shell){ "sh", "sh -e {0}", ".sh", "", "" };
	if (name.len == 0) {
		if (lb_file_exists(x->host->plat, "/bin/bash"))
			out->call = "bash -e {0}";
		return LB_OK;
	}
	for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
		if (lb_bytes_eq_nocase(name, lb_bytes_of(shells[i].name))) {
			*out = shells[i];
			return LB_OK;
		}
	}
	if (lb_bytes_find(name, LB_B("{0}")) == SIZE_MAX)
		return lb_fail(diag, LB_E_INVALID,
		               "Invalid shell option. Shell must be a valid built-in (bash, sh, "
		               "cmd, powershell, pwsh) or a format string containing '{0}'; it is "
		               "'%.*s'",
		               LB_FMT(lb_bytes_upto(name, 200)));
	out->call = lb_arena_text(x->arena, name);
	return out->call != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

static void show_lines(struct runner_execution *x, struct lb_bytes script)
{
	struct lb_bytes rest = script, line;

	if (lb_bytes_ends(rest, LB_B("\n")))
		rest.len--;
	while (lb_bytes_split(&line, &rest, '\n'))
		runner_log_line(x->log,
		                lb_arena_format(&x->line, "\x1b[36;1m%.*s\x1b[0m", LB_FMT(line)));
}

static void show(struct runner_execution *x, const struct workflow_step_plan *plan,
                 const char *call)
{
	struct lb_bytes first = lb_bytes_trim(plan->run);

	first = lb_bytes_upto(first, lb_bytes_find_byte(first, '\n'));
	runner_log_line(x->log, lb_arena_format(&x->line, "##[group]Run %.*s", LB_FMT(first)));
	show_lines(x, plan->run);
	runner_log_line(x->log, lb_arena_format(&x->line, "shell: %s", call));
	if (plan->env->count > 0)
		runner_log_line(x->log, LB_B("env:"));
	for (uint32_t i = 0; i < plan->env->count; i++)
		runner_log_line(x->log,
		                lb_arena_format(&x->line, "  %.*s: %.*s",
		                                LB_FMT(plan->env->members[i].key),
		                                LB_FMT(plan->env->members[i].value->string)));
	runner_log_line(x->log, LB_B("##[endgroup]"));
	lb_arena_release(&x->line);
}

static const char *folder_of(struct runner_execution *x, struct lb_bytes folder)
{
	if (folder.len == 0)
		return x->folders.workspace;
	if (folder.at[0] == '/')
		return lb_arena_text(x->arena, folder);
	return (const char *)lb_arena_format(x->arena, "%s/%.*s", x->folders.workspace,
	                                     LB_FMT(folder))
	        .at;
}

lb_err runner_script_run(struct runner_execution *x, struct runner_step_run *run,
                         const struct workflow_step_plan *plan, struct lb_diag *diag)
{
	struct runner_command how;
	struct shell shell;
	struct lb_bytes text;
	const char *script;

	LB_TRY(find_shell(&shell, x, plan->shell, diag));
	show(x, plan, shell.call);
	runner_log_flush(x->log);
	text = lb_arena_format(x->arena, "%s%.*s%s", shell.before, LB_FMT(plan->run), shell.after);
	LB_TRY(runner_files_write(&script, x, x->folders.temp, shell.suffix, text, diag));
	LB_TRY(runner_command_of(&how, x, run, plan->env, diag));
	LB_TRY(split_call(&how.argv, x, lb_bytes_of(shell.call), script));
	how.cwd = folder_of(x, plan->working_directory);
	if (x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	return runner_execute_command(x, run, &how, diag);
}
