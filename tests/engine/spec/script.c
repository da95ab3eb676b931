/* script.c - see script.h. */
#include "tests/engine/spec/script.h"

#include "base/io/file.h"
#include "engine/linker.h"

#include <stdarg.h>

enum { MODULES_MAX = 4096, VALUES_MAX = 64 };

struct named {
	struct lb_bytes name; /* "$M", or empty */
	struct engine_instance *instance;
};

struct script {
	struct script_counts *counts;
	const char *folder, *file;
	bool quiet;
	bool failed_now, known_now; /* of the command at hand */
	unsigned line;
	struct engine_store *store;
	struct engine_linker *linker;
	struct engine_module *modules[MODULES_MAX];
	struct named instances[MODULES_MAX];
	unsigned module_count, instance_count;
	struct engine_instance *current;
};

static void fail(struct script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct script *s, const char *format, ...)
{
	va_list args;

	s->failed_now = true;
	if (s->quiet || s->known_now)
		return;
	printf("# %s:%u: ", s->file, s->line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* ---- the host module that the scripts expect ---- */

static lb_err print(void *ctx, struct engine_instance *caller, const union engine_value *args,
                    union engine_value *results)
{
	(void)ctx, (void)caller, (void)args, (void)results;
	return LB_OK;
}

static lb_err add_spectest(struct script *s)
{
	static const struct {
		const char *name, *signature;
	} functions[] = {
		{ "print", ":" },           { "print_i32", "i:" }, { "print_i64", "I:" },
		{ "print_f32", "f:" },      { "print_f64", "F:" }, { "print_i32_f32", "if:" },
		{ "print_f64_f64", "FF:" },
	};
	static const struct {
		const char *name;
		engine_type type;
		union engine_value value;
	} globals[] = {
		{ "global_i32", ENGINE_I32, { .i32 = 666 } },
		{ "global_i64", ENGINE_I64, { .i64 = 666 } },
		{ "global_f32", ENGINE_F32, { .f32 = 666.6f } },
		{ "global_f64", ENGINE_F64, { .f64 = 666.6 } },
	};
	const struct engine_memory_type memory = { { 1, 2, true } };
	const struct engine_table_type table = { ENGINE_FUNCREF, { 10, 20, true } };
	struct engine_extern what = { 0 };

	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
		LB_TRY(engine_linker_add_func(s->linker, LB_B("spectest"),
		                              lb_bytes_of(functions[i].name),
		                              functions[i].signature, print, NULL));
	what.kind = ENGINE_GLOBAL;
	for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++) {
		const struct engine_global_type type = { globals[i].type, false };

		LB_TRY(engine_global_new(&what.global, s->store, &type, globals[i].value));
		LB_TRY(engine_linker_add(s->linker, LB_B("spectest"), lb_bytes_of(globals[i].name),
		                         what));
	}
	what.kind = ENGINE_MEMORY;
	LB_TRY(engine_memory_new(&what.memory, s->store, &memory));
	LB_TRY(engine_linker_add(s->linker, LB_B("spectest"), LB_B("memory"), what));
	what.kind = ENGINE_TABLE;
	LB_TRY(engine_table_new(&what.table, s->store, &table, (union engine_value){ .i64 = 0 }));
	return engine_linker_add(s->linker, LB_B("spectest"), LB_B("table"), what);
}

/* ---- values ---- */

static bool is(const struct lb_value *object, const char *key, const char *text)
{
	return lb_bytes_is(lb_value_get_string(object, key), text);
}

/* A host's reference N is the pointer N + 1, so that 0 is not null. */
static union engine_value value_of(const struct lb_value *json)
{
	struct lb_bytes text = lb_value_get_string(json, "value");
	union engine_value value = { .i64 = 0 };
	uint64_t number = 0;

	if (lb_bytes_is(text, "null"))
		return value;
	lb_ignore(lb_bytes_u64(&number, text, UINT64_MAX));
	if (is(json, "type", "externref"))
		value.foreign = (void *)(uintptr_t)(number + 1);
	else if (is(json, "type", "i32") || is(json, "type", "f32"))
		value.i32 = (uint32_t)number;
	else
		value.i64 = number;
	return value;
}

/* Canonical: the payload is the top bit alone.  Arithmetic: the top bit, and whatever else. */
static bool nan_fits(uint64_t bits, uint64_t exponent, uint64_t top, bool canonical)
{
	uint64_t payload = top * 2 - 1;

	if ((bits & exponent) != exponent || (bits & top) == 0)
		return false;
	return !canonical || (bits & payload) == top;
}

static bool value_fits(union engine_value got, const struct lb_value *want)
{
	struct lb_bytes text = lb_value_get_string(want, "value");
	union engine_value number = value_of(want);
	bool canonical = lb_bytes_is(text, "nan:canonical");

	if (canonical || lb_bytes_is(text, "nan:arithmetic"))
		return is(want, "type", "f32")
		               ? nan_fits(got.f32_bits, 0x7f800000, 0x400000, canonical)
		               : nan_fits(got.f64_bits, UINT64_C(0x7ff) << 52, UINT64_C(1) << 51,
		                          canonical);
	if (is(want, "type", "i32") || is(want, "type", "f32"))
		return got.i32 == number.i32;
	if (is(want, "type", "funcref"))
		return (got.func == NULL) == lb_bytes_is(text, "null");
	if (is(want, "type", "externref"))
		return got.foreign == number.foreign;
	return got.i64 == number.i64;
}

/* ---- modules ---- */

static lb_err load(struct engine_module **out, struct script *s, const struct lb_value *command,
                   struct lb_diag *diag)
{
	struct lb_bytes name = lb_value_get_string(command, "filename"), exact;
	struct lb_buf bytes;
	char path[512];
	lb_err err;

	*out = NULL;
	(void)snprintf(path, sizeof path, "%s/%.*s", s->folder, LB_FMT(name));
	lb_buf_init(&bytes, &lb_mem_host, 64 << 20);
	err = lb_file_read(&bytes, &plat_host, path, diag);
	if (!lb_failed(err)) {
		exact = test_exact(lb_buf_bytes(&bytes));
		err = engine_module_new(out, &lb_mem_host, exact, NULL, diag);
		test_exact_free(exact);
	}
	lb_buf_release(&bytes);
	return err;
}

static lb_err instantiate(struct engine_instance **out, struct script *s,
                          const struct lb_value *command, struct lb_diag *diag)
{
	struct engine_module *module;

	*out = NULL;
	LB_TRY(load(&module, s, command, diag));
	if (s->module_count == MODULES_MAX) {
		engine_module_free(module);
		return lb_fail(diag, LB_E_LIMIT, "more modules than the test has room for");
	}
	s->modules[s->module_count++] = module;
	return engine_linker_instantiate(out, s->linker, module, diag);
}

static struct engine_instance *find(struct script *s, struct lb_bytes name)
{
	if (name.len == 0)
		return s->current;
	for (unsigned i = s->instance_count; i-- > 0;)
		if (lb_bytes_eq(s->instances[i].name, name))
			return s->instances[i].instance;
	return NULL;
}

static void module_command(struct script *s, const struct lb_value *command)
{
	struct lb_diag diag = { 0 };
	lb_err err = instantiate(&s->current, s, command, &diag);

	if (lb_failed(err)) {
		fail(s, "module: %s", lb_diag_text(&diag, err));
		return;
	}
	s->instances[s->instance_count++] =
		(struct named){ lb_value_get_string(command, "name"), s->current };
}

static void register_command(struct script *s, const struct lb_value *command)
{
	struct engine_instance *instance = find(s, lb_value_get_string(command, "name"));

	if (instance == NULL) {
		fail(s, "register: no such module");
		return;
	}
	lb_ignore(engine_linker_add_instance(s->linker, lb_value_get_string(command, "as"),
	                                     instance));
}

/* ---- actions ---- */

struct outcome {
	lb_err err;
	union engine_value values[VALUES_MAX];
	uint32_t count;
};

static bool act(struct outcome *out, struct script *s, const struct lb_value *action)
{
	struct engine_instance *instance = find(s, lb_value_get_string(action, "module"));
	const struct lb_value *args = lb_value_get(action, "args");
	union engine_value values[VALUES_MAX] = { 0 };
	struct engine_func_type type;
	struct engine_extern what;

	*out = (struct outcome){ 0 };
	if (instance == NULL ||
	    !engine_instance_find(&what, instance, lb_value_get_string(action, "field"))) {
		fail(s, "no such export");
		return false;
	}
	if (what.kind == ENGINE_GLOBAL) {
		out->values[0] = engine_global_get(what.global);
		out->count = 1;
		return true;
	}
	type = engine_func_type(what.func);
	if (args == NULL || args->count != type.param_count || type.result_count > VALUES_MAX ||
	    type.param_count > VALUES_MAX) {
		fail(s, "wrong number of arguments");
		return false;
	}
	for (uint32_t i = 0; i < args->count; i++)
		values[i] = value_of(args->items[i]);
	out->count = type.result_count;
	out->err = engine_func_call(what.func, values, args->count, out->values, out->count);
	return true;
}

static void return_command(struct script *s, const struct lb_value *command)
{
	const struct lb_value *expected = lb_value_get(command, "expected");
	struct outcome got;

	if (!act(&got, s, lb_value_get(command, "action")))
		return;
	if (lb_failed(got.err)) {
		fail(s, "%s", engine_trap_text(engine_trap_of(got.err)));
		return;
	}
	if (expected == NULL || expected->count != got.count) {
		fail(s, "wrong number of results");
		return;
	}
	for (uint32_t i = 0; i < got.count; i++)
		if (!value_fits(got.values[i], expected->items[i]))
			fail(s, "result %u is %llx", i, (unsigned long long)got.values[i].i64);
}

/* Official texts are the beginning of ours, or ours of them. */
static bool texts_agree(const char *got, struct lb_bytes want)
{
	return lb_bytes_starts(lb_bytes_of(got), want) ||
	       (got[0] != '\0' && lb_bytes_starts(want, lb_bytes_of(got)));
}

static void trap_command(struct script *s, const struct lb_value *command)
{
	struct lb_bytes want = lb_value_get_string(command, "text");
	struct outcome got;

	if (!act(&got, s, lb_value_get(command, "action")))
		return;
	if (!texts_agree(engine_trap_text(engine_trap_of(got.err)), want))
		fail(s, "wanted the trap \"%.*s\", got \"%s\"", LB_FMT(want),
		     engine_trap_text(engine_trap_of(got.err)));
}

static void refuse_command(struct script *s, const struct lb_value *command, enum lb_code code)
{
	struct lb_bytes want = lb_value_get_string(command, "text");
	struct lb_diag diag = { 0 };
	struct engine_module *module;
	lb_err err = load(&module, s, command, &diag);

	if (lb_code_of(err) != code)
		fail(s, "wanted \"%.*s\", got: %s", LB_FMT(want), lb_diag_text(&diag, err));
	else if (!lb_bytes_starts(lb_bytes_of(diag.text), want))
		fail(s, "wanted \"%.*s\", the text is: %s", LB_FMT(want), diag.text);
	engine_module_free(module);
}

static void link_command(struct script *s, const struct lb_value *command, enum lb_code code)
{
	struct lb_bytes want = lb_value_get_string(command, "text");
	struct engine_instance *instance;
	struct lb_diag diag = { 0 };
	lb_err err = instantiate(&instance, s, command, &diag);

	if (lb_code_of(err) != code || !texts_agree(diag.text, want))
		fail(s, "wanted \"%.*s\", got: %s", LB_FMT(want), lb_diag_text(&diag, err));
}

static void one(struct script *s, const struct lb_value *command)
{
	struct outcome got;

	if (is(command, "type", "module")) {
		module_command(s, command);
		return;
	}
	if (is(command, "type", "register")) {
		register_command(s, command);
		return;
	}
	if (is(command, "type", "action")) {
		if (act(&got, s, lb_value_get(command, "action")) && lb_failed(got.err))
			fail(s, "%s", engine_trap_text(engine_trap_of(got.err)));
		return;
	}
	if (is(command, "module_type", "text")) {
		s->counts->text++;
		return;
	}
	s->counts->assertions++;
	if (is(command, "type", "assert_return"))
		return_command(s, command);
	else if (is(command, "type", "assert_trap") || is(command, "type", "assert_exhaustion"))
		trap_command(s, command);
	else if (is(command, "type", "assert_invalid"))
		refuse_command(s, command, LB_E_INVALID);
	else if (is(command, "type", "assert_malformed"))
		refuse_command(s, command, LB_E_MALFORMED);
	else if (is(command, "type", "assert_unlinkable"))
		link_command(s, command, LB_E_UNLINKABLE);
	else if (is(command, "type", "assert_uninstantiable"))
		link_command(s, command, LB_E_TRAP);
	else
		fail(s, "a command of unknown type");
}

void script_run(struct script_counts *counts, const struct lb_value *json, const char *folder,
                const char *name, const struct script_known *known, bool quiet)
{
	const struct lb_value *commands = lb_value_get(json, "commands");
	struct script *s = LB_NEW(&lb_mem_host, struct script, 1);

	assert(s != NULL && commands != NULL);
	s->counts = counts;
	s->folder = folder;
	s->file = name;
	s->quiet = quiet;
	if (lb_failed(engine_store_new(&s->store, &lb_mem_host, NULL)) ||
	    lb_failed(engine_linker_new(&s->linker, &lb_mem_host, s->store)) ||
	    lb_failed(add_spectest(s)))
		counts->failures++;
	for (uint32_t i = 0; i < commands->count; i++) {
		s->line = (unsigned)lb_value_get_number(commands->items[i], "line");
		s->failed_now = false;
		s->known_now = known != NULL && known->is_known(known->ctx, name, s->line);
		one(s, commands->items[i]);
		if (s->known_now && !s->failed_now)
			printf("# %s:%u passes now: take it off the list\n", name, s->line);
		counts->known += s->known_now && s->failed_now;
		counts->failures += s->known_now != s->failed_now;
	}
	engine_linker_free(s->linker);
	engine_store_free(s->store);
	for (unsigned i = 0; i < s->module_count; i++)
		engine_module_free(s->modules[i]);
	LB_DROP(&lb_mem_host, s, 1);
}
