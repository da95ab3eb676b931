/* wast.c - see wast.h. */
#include "engine/command/wast.h"

#include "base/buf.h"
#include "base/vec.h"
#include "engine/command/wast_priv.h"
#include "engine/linker.h"
#include "engine/text/script.h"

#include <stdarg.h>
#include <stdio.h>

enum { MODULES_MAX = 1000000, MODULE_BYTES_MAX = 1 << 30, VALUES_MAX = 1000 };

struct named_module {
	struct lb_bytes name; /* in the arena; empty: none */
	struct engine_module *module;
};

struct named_instance {
	struct lb_bytes name;
	struct engine_instance *instance;
};

struct run {
	struct lb_mem *mem;
	const struct engine_wast_options *options;
	struct engine_wast_counts *counts;
	const char *name;
	struct lb_arena arena; /* names */
	struct engine_script *script;
	struct engine_store *store;
	struct engine_linker *linker;
	struct lb_vec modules, instances;
	struct engine_instance *current;
	struct lb_buf bytes; /* of the module at hand */

	const struct engine_script_command *command;
	bool failed, known; /* the command at hand */
	struct lb_diag diag;
};

static void fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct run *run, const char *format, ...)
{
	va_list args;

	run->failed = true;
	if (run->known || run->options->to == NULL)
		return;
	(void)fprintf(run->options->to,
	              "%s%s:%zu: ", run->options->prefix != NULL ? run->options->prefix : "",
	              run->name, run->command->line);
	va_start(args, format);
	(void)vfprintf(run->options->to, format, args);
	va_end(args);
	(void)fputc('\n', run->options->to);
}

/* ---- modules ---- */

static lb_err compile(struct engine_module **out, struct run *run)
{
	*out = NULL;
	run->diag.text[0] = '\0';
	lb_buf_reset(&run->bytes);
	LB_TRY(engine_script_module(&run->bytes, run->script, run->command, &run->diag));
	return engine_module_new(out, run->mem, lb_buf_bytes(&run->bytes), run->options->features,
	                         &run->diag);
}

/* A module that was compiled stays until the end, since instances may hold it. */
static lb_err keep_module(struct run *run, struct engine_module *module)
{
	struct named_module *named = lb_vec_add(&run->modules);

	if (named == NULL) {
		engine_module_free(module);
		return lb_vec_check(&run->modules);
	}
	named->module = module;
	named->name = lb_arena_bytes(&run->arena, run->command->name);
	return run->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err compile_and_keep(struct engine_module **out, struct run *run)
{
	LB_TRY(compile(out, run));
	return keep_module(run, *out);
}

static lb_err keep_instance(struct run *run, struct engine_instance *instance)
{
	struct named_instance *named = lb_vec_add(&run->instances);

	run->current = instance;
	if (named == NULL)
		return lb_vec_check(&run->instances);
	named->instance = instance;
	named->name = lb_arena_bytes(&run->arena, run->command->name);
	return run->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static struct engine_module *find_module(const struct run *run, struct lb_bytes name)
{
	for (size_t i = run->modules.count; i-- > 0;) {
		const struct named_module *named = LB_VEC_AT(&run->modules, struct named_module, i);

		if (name.len == 0 || lb_bytes_eq(named->name, name))
			return named->module;
	}
	return NULL;
}

static struct engine_instance *find_instance(const struct run *run, struct lb_bytes name)
{
	if (name.len == 0)
		return run->current;
	for (size_t i = run->instances.count; i-- > 0;) {
		const struct named_instance *named =
			LB_VEC_AT(&run->instances, struct named_instance, i);

		if (lb_bytes_eq(named->name, name))
			return named->instance;
	}
	return NULL;
}

/* Memory is the runner's own matter, everything else the command's. */
static lb_err failed(struct run *run, lb_err err, const char *what)
{
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (engine_trap_of(err) != ENGINE_TRAP_NONE && run->diag.text[0] == '\0')
		fail(run, "%s: %s", what, engine_trap_text(engine_trap_of(err)));
	else if (lb_failed(err))
		fail(run, "%s: %s", what, lb_diag_text(&run->diag, err));
	return LB_OK;
}

static lb_err instantiate(struct run *run, const struct engine_module *module)
{
	struct engine_instance *instance;

	LB_TRY(engine_linker_instantiate(&instance, run->linker, module, &run->diag));
	return keep_instance(run, instance);
}

static lb_err run_module(struct run *run)
{
	struct engine_module *module;
	lb_err err = compile_and_keep(&module, run);

	if (!lb_failed(err))
		err = instantiate(run, module);
	return failed(run, err, "module");
}

static lb_err run_definition(struct run *run)
{
	struct engine_module *module;

	return failed(run, compile_and_keep(&module, run), "module definition");
}

static lb_err run_instance(struct run *run)
{
	const struct engine_module *module = find_module(run, run->command->of);

	if (module == NULL) {
		fail(run, "module instance: there is no such definition");
		return LB_OK;
	}
	return failed(run, instantiate(run, module), "module instance");
}

static lb_err run_register(struct run *run)
{
	const struct engine_instance *instance = find_instance(run, run->command->of);

	if (instance == NULL) {
		fail(run, "register: there is no such instance");
		return LB_OK;
	}
	return engine_linker_add_instance(run->linker, run->command->text, instance);
}

/* ---- actions ---- */

struct outcome {
	lb_err err; /* of what was done */
	union engine_value *values;
	engine_type *types;
	uint32_t count;
};

static lb_err read_args(struct run *run, union engine_value *out,
                        const struct engine_func_type *type)
{
	const struct engine_script_action *action = &run->command->action;

	for (uint32_t i = 0; i < action->arg_count; i++)
		engine_wast_value(&out[i], run->store, &action->args[i], type->params[i]);
	return LB_OK;
}

static lb_err call(struct outcome *out, struct run *run, struct engine_func *func)
{
	struct engine_func_type type = engine_func_type(func);
	union engine_value *args = LB_ARENA_NEW(&run->arena, union engine_value, type.param_count);

	out->count = type.result_count;
	out->types = LB_ARENA_NEW(&run->arena, engine_type, type.result_count);
	out->values = LB_ARENA_NEW(&run->arena, union engine_value, type.result_count);
	if (run->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	memcpy(out->types, type.results, type.result_count * sizeof *type.results);
	LB_TRY(read_args(run, args, &type));
	out->err = engine_func_call(func, args, type.param_count, out->values, type.result_count);
	return lb_code_of(out->err) == LB_E_NOMEM ? out->err : LB_OK;
}

static lb_err get(struct outcome *out, struct run *run, const struct engine_global *global)
{
	out->count = 1;
	out->types = LB_ARENA_NEW(&run->arena, engine_type, 1);
	out->values = LB_ARENA_NEW(&run->arena, union engine_value, 1);
	if (run->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	out->types[0] = engine_global_type(global).content;
	out->values[0] = engine_global_get(global);
	return LB_OK;
}

/* *did is false, and the command failed, where there is nothing to act on. */
static lb_err act(bool *did, struct outcome *out, struct run *run)
{
	const struct engine_script_action *action = &run->command->action;
	const struct engine_instance *instance = find_instance(run, action->of);
	struct engine_extern what;

	*out = (struct outcome){ 0 };
	*did = false;
	if (instance == NULL || !engine_instance_find(&what, instance, action->field)) {
		fail(run, "there is no export \"%.*s\"", LB_FMT(action->field));
	} else if (action->is_get ? what.kind != ENGINE_GLOBAL : what.kind != ENGINE_FUNC) {
		fail(run, "\"%.*s\" is something else", LB_FMT(action->field));
	} else if (action->is_get) {
		*did = true;
		return get(out, run, what.global);
	} else if (engine_func_type(what.func).param_count != action->arg_count) {
		fail(run, "\"%.*s\" takes %u arguments, not %u", LB_FMT(action->field),
		     engine_func_type(what.func).param_count, action->arg_count);
	} else {
		*did = true;
		return call(out, run, what.func);
	}
	return LB_OK;
}

/* ---- assertions about actions ---- */

static void check_results(struct run *run, const struct outcome *got)
{
	const struct engine_script_command *command = run->command;

	if (got->count != command->result_count) {
		fail(run, "%u results, not %u", got->count, command->result_count);
		return;
	}
	for (uint32_t i = 0; i < got->count; i++) {
		char text[ENGINE_WAST_VALUE_SIZE];

		if (engine_wast_fits(got->values[i], got->types[i], &command->results[i]))
			continue;
		engine_wast_show(text, got->values[i], got->types[i]);
		fail(run, "result %u is %s", i, text);
	}
}

static const char *text_of(lb_err err)
{
	enum engine_trap trap = engine_trap_of(err);

	return trap != ENGINE_TRAP_NONE ? engine_trap_text(trap)
	       : lb_failed(err)         ? lb_err_text(err)
	                                : "no trap";
}

static lb_err run_return(struct run *run)
{
	struct outcome got;
	bool did;

	LB_TRY(act(&did, &got, run));
	if (!did)
		return LB_OK;
	if (lb_failed(got.err))
		fail(run, "%s", text_of(got.err));
	else if (run->command->kind == ENGINE_SCRIPT_RETURN)
		check_results(run, &got);
	return LB_OK;
}

/* What is expected is the beginning of what is said, or some more of it; what stands behind a
 * colon in it is how one implementation goes on. */
static bool agree(const char *said, struct lb_bytes expected)
{
	if (!lb_bytes_starts(expected, LB_B("@")))
		expected = lb_bytes_upto(expected, lb_bytes_find(expected, LB_B(": ")));
	return lb_bytes_find(lb_bytes_of(said), expected) != SIZE_MAX ||
	       (said[0] != '\0' && lb_bytes_starts(expected, lb_bytes_of(said)));
}

static lb_err run_trap(struct run *run)
{
	struct outcome got;
	bool did;

	LB_TRY(act(&did, &got, run));
	if (did && (engine_trap_of(got.err) == ENGINE_TRAP_NONE ||
	            !agree(text_of(got.err), run->command->text)))
		fail(run, "wanted the trap \"%.*s\", got: %s", LB_FMT(run->command->text),
		     text_of(got.err));
	return LB_OK;
}

static lb_err run_exception(struct run *run)
{
	struct outcome got;
	bool did;

	LB_TRY(act(&did, &got, run));
	if (did && !engine_wast_is_exception(got.err))
		fail(run, "wanted an exception, got: %s", text_of(got.err));
	return LB_OK;
}

/* ---- assertions about modules ---- */

/* What is wrong with a custom section may be called either. */
static bool is_refusal(const struct run *run, lb_err err, enum lb_code code)
{
	if (run->command->is_custom)
		return lb_code_of(err) == LB_E_MALFORMED || lb_code_of(err) == LB_E_INVALID;
	return lb_code_of(err) == code;
}

static lb_err run_refusal(struct run *run, enum lb_code code)
{
	struct engine_module *module;
	lb_err err = compile(&module, run);

	engine_module_free(module);
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (!lb_failed(err))
		fail(run, "wanted \"%.*s\", but it is accepted", LB_FMT(run->command->text));
	else if (!is_refusal(run, err, code) || !agree(run->diag.text, run->command->text))
		fail(run, "wanted \"%.*s\", got: %s", LB_FMT(run->command->text),
		     lb_diag_text(&run->diag, err));
	return LB_OK;
}

static lb_err run_link(struct run *run, enum lb_code code)
{
	struct engine_instance *instance;
	struct engine_module *module;
	lb_err err = compile_and_keep(&module, run);
	const char *text;

	if (!lb_failed(err)) {
		run->diag.text[0] = '\0';
		err = engine_linker_instantiate(&instance, run->linker, module, &run->diag);
	}
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	text = run->diag.text[0] != '\0' ? run->diag.text : text_of(err);
	if (lb_code_of(err) != code || !agree(text, run->command->text))
		fail(run, "wanted \"%.*s\", got: %s", LB_FMT(run->command->text), text);
	return LB_OK;
}

/* ---- the script ---- */

static lb_err run_command(struct run *run)
{
	switch (run->command->kind) {
	case ENGINE_SCRIPT_MODULE: return run_module(run);
	case ENGINE_SCRIPT_DEFINITION: return run_definition(run);
	case ENGINE_SCRIPT_INSTANCE: return run_instance(run);
	case ENGINE_SCRIPT_REGISTER: return run_register(run);
	case ENGINE_SCRIPT_UNKNOWN:
		fail(run, "%.*s is no command that is known",
		     LB_FMT(lb_bytes_upto(run->command->text, 60)));
		return LB_OK;
	case ENGINE_SCRIPT_ACTION:
	case ENGINE_SCRIPT_RETURN: return run_return(run);
	case ENGINE_SCRIPT_TRAP:
	case ENGINE_SCRIPT_EXHAUSTION: return run_trap(run);
	case ENGINE_SCRIPT_EXCEPTION: return run_exception(run);
	case ENGINE_SCRIPT_MALFORMED: return run_refusal(run, LB_E_MALFORMED);
	case ENGINE_SCRIPT_INVALID: return run_refusal(run, LB_E_INVALID);
	case ENGINE_SCRIPT_UNLINKABLE: return run_link(run, LB_E_UNLINKABLE);
	case ENGINE_SCRIPT_UNINSTANTIABLE: return run_link(run, LB_E_TRAP);
	}
	return LB_OK;
}

static void count(struct run *run)
{
	run->counts->commands++;
	run->counts->assertions += run->command->kind >= ENGINE_SCRIPT_RETURN;
	run->counts->known += run->known && run->failed;
	run->counts->failures += run->known != run->failed;
	if (run->known && !run->failed) {
		run->known = false;
		fail(run, "passes, but is known to fail");
	}
}

static lb_err run_all(struct run *run)
{
	struct engine_script_command command;
	lb_err err;

	for (;;) {
		err = engine_script_next(&command, run->script, &run->diag);
		if (lb_failed(err))
			break;
		run->command = &command;
		run->failed = false;
		run->known = run->options->is_known != NULL &&
		             run->options->is_known(run->options->ctx, command.line);
		LB_TRY(run_command(run));
		count(run);
	}
	return lb_code_of(err) == LB_E_END ? LB_OK : err;
}

static lb_err run_script(struct run *run, struct lb_bytes text)
{
	const struct engine_text_options options = { .name = run->name,
		                                     .features = run->options->features };

	LB_TRY(engine_script_open(&run->script, run->mem, text, &options, &run->diag));
	LB_TRY(engine_store_new(&run->store, run->mem, run->options->limits));
	LB_TRY(engine_linker_new(&run->linker, run->mem, run->store));
	LB_TRY(engine_wast_add_spectest(run->linker, run->store));
	return run_all(run);
}

static void release(struct run *run)
{
	engine_linker_free(run->linker);
	engine_store_free(run->store);
	for (size_t i = 0; i < run->modules.count; i++)
		engine_module_free(LB_VEC_AT(&run->modules, struct named_module, i)->module);
	lb_vec_release(&run->modules);
	lb_vec_release(&run->instances);
	engine_script_close(run->script);
	lb_buf_release(&run->bytes);
	lb_arena_release(&run->arena);
}

lb_err engine_wast_run(struct engine_wast_counts *counts, struct lb_mem *mem, struct lb_bytes text,
                       const char *name, const struct engine_wast_options *options,
                       struct lb_diag *diag)
{
	static const struct engine_wast_options none;
	struct run run = { .mem = mem,
		           .options = options != NULL ? options : &none,
		           .counts = counts,
		           .name = name };
	lb_err err;

	lb_arena_init(&run.arena, mem);
	lb_buf_init(&run.bytes, mem, MODULE_BYTES_MAX);
	lb_vec_init(&run.modules, mem, sizeof(struct named_module), MODULES_MAX);
	lb_vec_init(&run.instances, mem, sizeof(struct named_instance), MODULES_MAX);
	err = run_script(&run, text);
	if (lb_failed(err) && diag != NULL)
		*diag = run.diag;
	release(&run);
	return err;
}
