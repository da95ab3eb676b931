/* cmd_show.c - `validate`, `inspect` and `ops`: what there is to know of modules. */
#include "engine/command/command.h"
#include "engine/form.h"
#include "engine/op.h"

/* ---- validate ---- */

/* All files are looked at, and each failure is a line. */
lb_err engine_cmd_validate(struct lb_cli *cli)
{
	int worst = 0;

	for (int i = 0; i < cli->operand_count; i++) {
		struct engine_module *module;
		lb_err err;
		int status;

		cli->exit_status = -1;
		cli->diag.text[0] = '\0';
		err = engine_command_load(&module, cli, cli->operands[i]);
		engine_module_free(module);
		if (!lb_failed(err))
			continue;
		(void)fprintf(cli->err, "%s\n", lb_diag_text(&cli->diag, err));
		status = cli->exit_status >= 0 ? cli->exit_status : lb_err_exit(err);
		if (status > worst)
			worst = status;
	}
	cli->exit_status = worst;
	return LB_OK;
}

/* ---- inspect ---- */

static void show_types(FILE *to, const engine_type *types, uint32_t count)
{
	(void)fputc('(', to);
	for (uint32_t i = 0; i < count; i++)
		(void)fprintf(to, "%s%s", i > 0 ? " " : "", engine_type_name(types[i]).text);
	(void)fputc(')', to);
}

static void show_limits(FILE *to, const struct engine_limits *limits, const char *unit)
{
	(void)fprintf(to, "%llu", (unsigned long long)limits->min);
	if (limits->has_max)
		(void)fprintf(to, " to %llu", (unsigned long long)limits->max);
	(void)fprintf(to, " %s", unit);
}

static void show_extern_type(FILE *to, const struct engine_extern_type *type)
{
	switch (type->kind) {
	case ENGINE_FUNC:
		show_types(to, type->func.params, type->func.param_count);
		(void)fputs(" -> ", to);
		show_types(to, type->func.results, type->func.result_count);
		break;
	case ENGINE_TABLE:
		show_limits(to, &type->table.limits, engine_type_name(type->table.element).text);
		break;
	case ENGINE_MEMORY: show_limits(to, &type->memory.limits, "pages"); break;
	case ENGINE_TAG: show_types(to, type->func.params, type->func.param_count); break;
	case ENGINE_GLOBAL:
		(void)fprintf(to, "%s%s", type->global.is_mutable ? "mutable " : "",
		              engine_type_name(type->global.content).text);
		break;
	}
	(void)fputc('\n', to);
}

/* Names are anybody's: what is no printable ASCII is shown as the text format writes it. */
static void show_name(FILE *to, struct lb_bytes name)
{
	(void)fputc('"', to);
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = name.at[i];

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			(void)fprintf(to, "\\%02x", c);
		else
			(void)fputc(c, to);
	}
	(void)fputc('"', to);
}

static void show_count(FILE *to, const char *what, uint32_t count, uint32_t imported)
{
	(void)fprintf(to, "%-9s %u", what, count);
	if (imported > 0)
		(void)fprintf(to, ", %u of them imported", imported);
	(void)fputc('\n', to);
}

static void show_sizes(FILE *to, const struct engine_module *m)
{
	uint64_t elements = 0, data_bytes = 0;

	for (uint32_t i = 0; i < m->elem_count; i++)
		elements += m->elems[i].count;
	for (uint32_t i = 0; i < m->data_count; i++)
		data_bytes += m->datas[i].bytes.len;
	show_count(to, "types", m->type_count, 0);
	show_count(to, "functions", m->func_count, m->func_import_count);
	show_count(to, "tables", m->table_count, m->table_import_count);
	show_count(to, "memories", m->memory_count, m->memory_import_count);
	show_count(to, "globals", m->global_count, m->global_import_count);
	show_count(to, "tags", m->tag_count, m->tag_import_count);
	(void)fprintf(to, "elements  %llu in %u segments\n", (unsigned long long)elements,
	              m->elem_count);
	(void)fprintf(to, "data      %llu bytes in %u segments\n", (unsigned long long)data_bytes,
	              m->data_count);
	if (m->start != UINT32_MAX)
		(void)fprintf(to, "start     function %u\n", m->start);
}

static void show_imports(FILE *to, const struct engine_module *module)
{
	for (uint32_t i = 0; i < engine_module_import_count(module); i++) {
		struct engine_import import;

		engine_module_import(&import, module, i);
		(void)fprintf(to, "import    %s ", engine_kind_text(import.type.kind));
		show_name(to, import.module);
		(void)fputc(' ', to);
		show_name(to, import.name);
		(void)fputc(' ', to);
		show_extern_type(to, &import.type);
	}
}

static void show_exports(FILE *to, const struct engine_module *module)
{
	for (uint32_t i = 0; i < engine_module_export_count(module); i++) {
		struct engine_export export;

		engine_module_export(&export, module, i);
		(void)fprintf(to, "export    %s ", engine_kind_text(export.type.kind));
		show_name(to, export.name);
		(void)fputc(' ', to);
		show_extern_type(to, &export.type);
	}
}

lb_err engine_cmd_inspect(struct lb_cli *cli)
{
	struct engine_module *module;

	LB_TRY(engine_command_load(&module, cli, cli->operands[0]));
	show_sizes(cli->out, module);
	show_imports(cli->out, module);
	show_exports(cli->out, module);
	engine_module_free(module);
	return LB_OK;
}

/* ---- ops ---- */

lb_err engine_cmd_ops(struct lb_cli *cli)
{
	for (int i = 0; i < ENGINE_OP_COUNT; i++) {
		const struct engine_op_info *op = &engine_op_table[i];
		uint32_t number = 0;
		uint8_t prefix;

		if (op->text == NULL)
			continue;
		prefix = engine_op_prefix(&number, (uint32_t)i);
		if (prefix == 0)
			(void)fprintf(cli->out, "%02x     %s\n", number, op->text);
		else
			(void)fprintf(cli->out, "%02x %02x  %s\n", prefix, number, op->text);
	}
	return LB_OK;
}
