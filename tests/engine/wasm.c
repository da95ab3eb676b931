/* wasm.c - see wasm.h. */
#include "tests/engine/wasm.h"

enum { BYTES_MAX = 64 << 20 };

void wasm_init(struct wasm *w)
{
	*w = (struct wasm){ 0 };
	for (unsigned i = 0; i < WASM_SECTIONS; i++)
		lb_buf_init(&w->sections[i], &lb_mem_host, BYTES_MAX);
	lb_buf_init(&w->bytes, &lb_mem_host, BYTES_MAX);
}

void wasm_release(struct wasm *w)
{
	for (unsigned i = 0; i < WASM_SECTIONS; i++)
		lb_buf_release(&w->sections[i]);
	lb_buf_release(&w->bytes);
}

void wasm_add(struct wasm *w, unsigned section, struct lb_bytes entry)
{
	lb_buf_add(&w->sections[section], entry);
	w->counts[section]++;
}

void wasm_leb(struct lb_buf *buf, uint64_t value)
{
	while (value >= 0x80) {
		lb_buf_add_byte(buf, (unsigned char)(value | 0x80));
		value >>= 7;
	}
	lb_buf_add_byte(buf, (unsigned char)value);
}

static unsigned char type_byte(char letter)
{
	switch (letter) {
	case 'i': return ENGINE_I32;
	case 'I': return ENGINE_I64;
	case 'f': return ENGINE_F32;
	case 'F': return ENGINE_F64;
	case 'v': return ENGINE_V128;
	case 'r': return ENGINE_FUNCREF;
	default: return ENGINE_EXTERNREF;
	}
}

uint32_t wasm_type(struct wasm *w, const char *signature)
{
	struct lb_buf *buf = &w->sections[WASM_TYPE];
	const char *colon = strchr(signature, ':');

	lb_buf_add_byte(buf, 0x60);
	wasm_leb(buf, (uint64_t)(colon - signature));
	for (const char *at = signature; *at != '\0'; at++) {
		if (at == colon)
			wasm_leb(buf, strlen(colon + 1));
		else
			lb_buf_add_byte(buf, type_byte(*at));
	}
	return w->counts[WASM_TYPE]++;
}

static void add_name(struct lb_buf *buf, const char *name)
{
	wasm_leb(buf, strlen(name));
	lb_buf_add_text(buf, name);
}

void wasm_import_func(struct wasm *w, const char *module, const char *name, uint32_t type)
{
	struct lb_buf *buf = &w->sections[WASM_IMPORT];

	add_name(buf, module);
	add_name(buf, name);
	lb_buf_add_byte(buf, ENGINE_FUNC);
	wasm_leb(buf, type);
	w->counts[WASM_IMPORT]++;
}

static unsigned leb_size(uint64_t value)
{
	unsigned size = 1;

	while (value >= 0x80) {
		value >>= 7;
		size++;
	}
	return size;
}

void wasm_func(struct wasm *w, uint32_t type, uint32_t locals, struct lb_bytes code)
{
	struct lb_buf *buf = &w->sections[WASM_CODE];

	wasm_leb(&w->sections[WASM_FUNCTION], type);
	w->counts[WASM_FUNCTION]++;
	wasm_leb(buf, 2 + leb_size(locals) + code.len + 1);
	lb_buf_add_byte(buf, 1);
	wasm_leb(buf, locals);
	lb_buf_add_byte(buf, ENGINE_I32);
	lb_buf_add(buf, code);
	lb_buf_add_byte(buf, 0x0b);
	w->counts[WASM_CODE]++;
}

void wasm_export(struct wasm *w, const char *name, enum engine_kind kind, uint32_t index)
{
	struct lb_buf *buf = &w->sections[WASM_EXPORT];

	add_name(buf, name);
	lb_buf_add_byte(buf, (unsigned char)kind);
	wasm_leb(buf, index);
	w->counts[WASM_EXPORT]++;
}

struct lb_bytes wasm_bytes(struct wasm *w)
{
	static const unsigned char order[] = { WASM_TYPE,       WASM_IMPORT, WASM_FUNCTION,
		                               WASM_TABLE,      WASM_MEMORY, WASM_GLOBAL,
		                               WASM_EXPORT,     WASM_START,  WASM_ELEMENT,
		                               WASM_DATA_COUNT, WASM_CODE,   WASM_DATA };

	lb_buf_reset(&w->bytes);
	lb_buf_add(&w->bytes, (struct lb_bytes)LB_LIT("\0asm\1\0\0\0"));
	for (size_t i = 0; i < sizeof order; i++) {
		unsigned id = order[i];
		/* Start and data count are a number each, no list. */
		bool counted = id != WASM_START && id != WASM_DATA_COUNT;
		struct lb_bytes body = lb_buf_bytes(&w->sections[id]);

		if (w->counts[id] == 0)
			continue;
		lb_buf_add_byte(&w->bytes, (unsigned char)id);
		wasm_leb(&w->bytes, body.len + (counted ? leb_size(w->counts[id]) : 0));
		if (counted)
			wasm_leb(&w->bytes, w->counts[id]);
		lb_buf_add(&w->bytes, body);
	}
	assert(!lb_failed(lb_buf_check(&w->bytes)));
	return lb_buf_bytes(&w->bytes);
}

lb_err wasm_start(struct wasm_run *run, struct lb_mem *mem, struct lb_bytes bytes,
                  const struct engine_store_options *options)
{
	struct lb_bytes exact = test_exact(bytes);
	lb_err err;

	*run = (struct wasm_run){ 0 };
	err = engine_module_new(&run->module, mem, exact, NULL, NULL);
	test_exact_free(exact);
	if (!lb_failed(err))
		err = engine_store_new(&run->store, mem, options);
	if (!lb_failed(err))
		err = engine_instance_new(&run->instance, run->store, run->module, NULL, 0, NULL);
	if (lb_failed(err))
		wasm_stop(run);
	return err;
}

void wasm_stop(struct wasm_run *run)
{
	engine_store_free(run->store);
	engine_module_free(run->module);
	*run = (struct wasm_run){ 0 };
}

lb_err wasm_call(uint32_t *result, const struct wasm_run *run, const char *name, uint32_t a,
                 uint32_t b)
{
	struct engine_func *func = engine_instance_find_func(run->instance, lb_bytes_of(name));
	const union engine_value args[2] = { { .i64 = a }, { .i64 = b } };
	union engine_value values[8] = { 0 };
	struct engine_func_type type;
	lb_err err;

	if (func == NULL)
		return lb_err_of(LB_E_NOTFOUND);
	type = engine_func_type(func);
	assert(type.param_count <= 2 && type.result_count <= 8);
	err = engine_func_call(func, args, type.param_count, values, type.result_count);
	*result = values[0].i32;
	return err;
}
