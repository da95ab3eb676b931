/* plan.c - `lifeboat-runner plan`: what would run for an event, and why not. */
#include "ci-runner/local/plan.h"

#include "base/data/json.h"
#include "base/io/file.h"
#include "base/io/progress.h"
#include "base/platform/process.h"
#include "ci-runner/command/commands.h"

#include <stdlib.h>

enum { JSON_BYTES_MAX = 64 << 20 };

static bool read_format(enum runner_plan_format *out, const char *name)
{
	static const char *const names[] = {
		[RUNNER_PLAN_TREE] = "tree", [RUNNER_PLAN_JSON] = "json", [RUNNER_PLAN_SVG] = "svg"
	};

	*out = RUNNER_PLAN_TREE;
	for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum runner_plan_format)i;
			return true;
		}
	}
	return name == NULL;
}

/* An object in a file; NULL where the option is not given. */
static lb_err read_object(const struct lb_value **out, struct lb_cli *cli, const char *option)
{
	const char *path = lb_cli_value(cli, option);
	struct lb_value *value = NULL;
	struct lb_buf text;
	lb_err err;

	*out = NULL;
	if (path == NULL)
		return LB_OK;
	lb_buf_init(&text, cli->mem, JSON_BYTES_MAX);
	err = lb_file_read(&text, cli->plat, path, &cli->diag);
	if (!lb_failed(err)) {
		err = lb_json_read(&value, &cli->arena, lb_buf_bytes(&text), &cli->diag);
		if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM)
			lb_diag_prefix(&cli->diag, "%s", path);
	}
	lb_buf_release(&text);
	if (!lb_failed(err) && value->kind != LB_OBJECT)
		return lb_fail(&cli->diag, LB_E_MALFORMED, "%s: expected an object", path);
	*out = value;
	return err;
}

/* A repeated KEY=VALUE as an object; NULL where there is none. */
static lb_err read_pairs(const struct lb_value **out, struct lb_cli *cli, const char *option)
{
	struct lb_value *object = NULL;
	const char *text;
	int at = 0;

	while ((text = lb_cli_next(cli, option, &at)) != NULL) {
		struct lb_bytes value = lb_bytes_of(text), key;

		if (text[0] == '=' || strchr(text, '=') == NULL)
			return lb_fail(&cli->diag, LB_E_USAGE, "--%s %s: expected KEY=VALUE",
			               option, text);
		(void)lb_bytes_split(&key, &value, '=');
		if (object == NULL)
			object = lb_value_object(&cli->arena);
		lb_value_set(&cli->arena, object, key, lb_value_string(&cli->arena, value));
	}
	*out = object;
	return cli->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err read_changed(struct runner_planning *p, struct lb_cli *cli)
{
	const char *const *list;
	struct lb_bytes *changed;
	size_t count = 0;

	LB_TRY(runner_command_list(&list, cli, "changed"));
	while (list[count] != NULL)
		count++;
	changed = LB_ARENA_NEW(&cli->arena, struct lb_bytes, count);
	if (changed == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < count; i++)
		changed[i] = lb_bytes_of(list[i]);
	p->changed = count > 0 ? changed : NULL;
	p->changed_count = count;
	return LB_OK;
}

/* Results by KEY=VALUE must be results, said before anything is planned. */
static lb_err check_results(struct lb_cli *cli, const struct lb_value *results)
{
	enum workflow_result result;

	for (uint32_t i = 0; results != NULL && i < results->count; i++) {
		struct lb_bytes text = results->members[i].value->string;

		if (!workflow_result_read(&result, text) || result == WORKFLOW_RESULT_SKIPPED)
			return lb_fail(&cli->diag, LB_E_USAGE,
			               "--result %.*s=%.*s: expected success, failure or cancelled",
			               LB_FMT(results->members[i].key), LB_FMT(text));
	}
	return LB_OK;
}

static lb_err gather(struct runner_planning *p, struct lb_cli *cli)
{
	if (!read_format(&p->format, lb_cli_value(cli, "format")))
		return lb_fail(&cli->diag, LB_E_USAGE, "--format is tree, json or svg, not %s",
		               lb_cli_value(cli, "format"));
	LB_TRY(read_object(&p->payload, cli, "payload"));
	LB_TRY(read_object(&p->outputs, cli, "outputs"));
	LB_TRY(read_pairs(&p->inputs, cli, "input"));
	LB_TRY(read_pairs(&p->vars, cli, "var"));
	LB_TRY(read_pairs(&p->results, cli, "result"));
	LB_TRY(check_results(cli, p->results));
	return read_changed(p, cli);
}

/* Where called workflows come from: as actions do. */
static lb_err find_sources(struct runner_planning *p, struct lb_cli *cli)
{
	struct runner_host host = { 0 };

	p->called = (struct runner_called){ .mem = cli->mem, .plat = cli->plat };
	LB_TRY(runner_command_sources(&host, cli));
	p->called.options.mirrors = host.mirrors;
	p->called.options.source = host.source;
	p->called.options.offline = lb_cli_flag(cli, "offline");
	return LB_OK;
}

static lb_err plan_in(struct runner_planning *p, struct lb_cli *cli, char *scratch)
{
	bool runs = false;
	lb_err err;

	if (mkdtemp(scratch) == NULL)
		return lb_fail(&cli->diag, LB_E_IO, "%s: no folder can be made there", scratch);
	p->called.scratch = scratch;
	err = runner_plan(&runs, p, &cli->diag);
	runner_called_release(&p->called);
	lb_ignore(lb_file_remove_tree(cli->plat, scratch, NULL));
	if (!lb_failed(err))
		cli->exit_status = runs ? 0 : 1;
	return err;
}

lb_err runner_command_plan(struct lb_cli *cli)
{
	const char *tmp = plat_getenv("TMPDIR");
	struct runner_planning planning = {
		.mem = cli->mem,
		.plat = cli->plat,
		.arena = &cli->arena,
		.checkout = ".",
		.file = cli->operand_count > 0 ? cli->operands[0] : NULL,
		.event = lb_cli_value(cli, "event"),
		.action = lb_cli_value(cli, "action"),
		.ref = lb_cli_value(cli, "ref"),
		.base = lb_cli_value(cli, "base"),
		.repository = lb_cli_value(cli, "repository"),
		.colours = lb_stream_is_terminal(cli->out) && plat_getenv("NO_COLOR") == NULL,
		.all = lb_cli_flag(cli, "all"),
		.out = cli->out,
	};
	char *scratch = (char *)(uintptr_t)lb_arena_format(&cli->arena, "%s/lifeboat-plan-XXXXXX",
	                                                   tmp != NULL ? tmp : "/tmp")
	                        .at;

	if (scratch == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(gather(&planning, cli));
	LB_TRY(find_sources(&planning, cli));
	return plan_in(&planning, cli, scratch);
}
