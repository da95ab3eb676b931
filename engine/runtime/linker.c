/* linker.c - see linker.h.  A hash table of names; each name is a block of its own. */
#include "engine/linker.h"

struct entry {
	struct entry *next; /* in its bucket */
	struct engine_extern what;
	size_t module_len, name_len;
	unsigned char text[]; /* module, then name */
};

struct engine_linker {
	struct lb_mem *mem;
	struct engine_store *store;
	struct entry **buckets;
	size_t bucket_count, entry_count;
};

lb_err engine_linker_new(struct engine_linker **out, struct lb_mem *mem, struct engine_store *store)
{
	struct engine_linker *linker = LB_NEW(mem, struct engine_linker, 1);

	*out = linker;
	if (linker == NULL)
		return lb_err_of(LB_E_NOMEM);
	linker->mem = mem;
	linker->store = store;
	return LB_OK;
}

static void drop_entry(struct engine_linker *linker, struct entry *entry)
{
	lb_mem_drop(linker->mem, entry, 1, sizeof *entry + entry->module_len + entry->name_len);
}

void engine_linker_free(struct engine_linker *linker)
{
	if (linker == NULL)
		return;
	for (size_t i = 0; i < linker->bucket_count; i++)
		while (linker->buckets[i] != NULL) {
			struct entry *entry = linker->buckets[i];

			linker->buckets[i] = entry->next;
			drop_entry(linker, entry);
		}
	LB_DROP(linker->mem, linker->buckets, linker->bucket_count);
	LB_DROP(linker->mem, linker, 1);
}

static uint64_t hash(struct lb_bytes module, struct lb_bytes name)
{
	return lb_bytes_hash(module) * 31 + lb_bytes_hash(name);
}

static struct lb_bytes module_of(const struct entry *entry)
{
	return (struct lb_bytes){ entry->text, entry->module_len };
}

static struct lb_bytes name_of(const struct entry *entry)
{
	return (struct lb_bytes){ entry->text + entry->module_len, entry->name_len };
}

static struct entry *find(const struct engine_linker *linker, struct lb_bytes module,
                          struct lb_bytes name)
{
	struct entry *entry;

	if (linker->bucket_count == 0)
		return NULL;
	entry = linker->buckets[hash(module, name) & (linker->bucket_count - 1)];
	while (entry != NULL &&
	       !(lb_bytes_eq(module_of(entry), module) && lb_bytes_eq(name_of(entry), name)))
		entry = entry->next;
	return entry;
}

static lb_err widen(struct engine_linker *linker)
{
	size_t count = linker->bucket_count == 0 ? 64 : linker->bucket_count * 2;
	struct entry **fresh;

	if (linker->entry_count < linker->bucket_count)
		return LB_OK;
	fresh = LB_NEW(linker->mem, struct entry *, count);
	if (fresh == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < linker->bucket_count; i++)
		while (linker->buckets[i] != NULL) {
			struct entry *entry = linker->buckets[i];
			size_t bucket = hash(module_of(entry), name_of(entry)) & (count - 1);

			linker->buckets[i] = entry->next;
			entry->next = fresh[bucket];
			fresh[bucket] = entry;
		}
	LB_DROP(linker->mem, linker->buckets, linker->bucket_count);
	linker->buckets = fresh;
	linker->bucket_count = count;
	return LB_OK;
}

lb_err engine_linker_add(struct engine_linker *linker, struct lb_bytes module, struct lb_bytes name,
                         struct engine_extern what)
{
	struct entry *entry = find(linker, module, name);
	struct entry **bucket;

	if (entry != NULL) {
		entry->what = what;
		return LB_OK;
	}
	LB_TRY(widen(linker));
	entry = lb_mem_new(linker->mem, 1, sizeof *entry + module.len + name.len);
	if (entry == NULL)
		return lb_err_of(LB_E_NOMEM);
	entry->what = what;
	entry->module_len = module.len;
	entry->name_len = name.len;
	if (module.len > 0)
		memcpy(entry->text, module.at, module.len);
	if (name.len > 0)
		memcpy(entry->text + module.len, name.at, name.len);
	bucket = &linker->buckets[hash(module, name) & (linker->bucket_count - 1)];
	entry->next = *bucket;
	*bucket = entry;
	linker->entry_count++;
	return LB_OK;
}

bool engine_linker_find(struct engine_extern *out, const struct engine_linker *linker,
                        struct lb_bytes module, struct lb_bytes name)
{
	const struct entry *entry = find(linker, module, name);

	if (entry != NULL)
		*out = entry->what;
	return entry != NULL;
}

static engine_type type_of_letter(char letter)
{
	switch (letter) {
	case 'i': return ENGINE_I32;
	case 'I': return ENGINE_I64;
	case 'f': return ENGINE_F32;
	case 'F': return ENGINE_F64;
	case 'v': return ENGINE_V128;
	case 'r': return ENGINE_FUNCREF;
	default: assert(letter == 'x'); return ENGINE_EXTERNREF;
	}
}

lb_err engine_linker_add_func(struct engine_linker *linker, struct lb_bytes module,
                              struct lb_bytes name, const char *signature, engine_host_call call,
                              void *ctx)
{
	engine_type types[32];
	struct engine_func_type type = { .params = types };
	struct engine_extern what = { .kind = ENGINE_FUNC };
	uint32_t count = 0, params = 0;

	for (const char *at = signature; *at != '\0'; at++) {
		if (*at == ':') {
			params = count;
			continue;
		}
		assert(count < sizeof types / sizeof types[0]);
		types[count++] = type_of_letter(*at);
	}
	type.param_count = params;
	type.results = types + params;
	type.result_count = count - params;
	LB_TRY(engine_func_new(&what.func, linker->store, &type, call, ctx));
	return engine_linker_add(linker, module, name, what);
}

lb_err engine_linker_add_instance(struct engine_linker *linker, struct lb_bytes module,
                                  const struct engine_instance *instance)
{
	const struct engine_module *m = engine_instance_module(instance);

	for (uint32_t i = 0; i < engine_module_export_count(m); i++) {
		struct engine_extern what = { 0 };
		struct engine_export export;

		engine_module_export(&export, m, i);
		(void)engine_instance_find(&what, instance, export.name);
		LB_TRY(engine_linker_add(linker, module, export.name, what));
	}
	return LB_OK;
}

static lb_err collect(struct engine_extern *externs, const struct engine_linker *linker,
                      const struct engine_module *module, struct lb_diag *diag)
{
	for (uint32_t i = 0; i < engine_module_import_count(module); i++) {
		const struct entry *entry;
		struct engine_import import;

		engine_module_import(&import, module, i);
		entry = find(linker, import.module, import.name);
		if (entry == NULL)
			return lb_fail(diag, LB_E_UNLINKABLE,
			               "unknown import: %s \"%.*s\" \"%.*s\"",
			               engine_kind_text(import.type.kind), LB_FMT(import.module),
			               LB_FMT(import.name));
		externs[i] = entry->what;
	}
	return LB_OK;
}

lb_err engine_linker_instantiate(struct engine_instance **out, struct engine_linker *linker,
                                 const struct engine_module *module, struct lb_diag *diag)
{
	uint32_t count = engine_module_import_count(module);
	struct engine_extern *externs = NULL;
	lb_err err;

	*out = NULL;
	if (count > 0) {
		externs = LB_NEW(linker->mem, struct engine_extern, count);
		if (externs == NULL)
			return lb_err_of(LB_E_NOMEM);
	}
	err = collect(externs, linker, module, diag);
	if (!lb_failed(err))
		err = engine_instance_new(out, linker->store, module, externs, count, diag);
	LB_DROP(linker->mem, externs, count);
	return err;
}
