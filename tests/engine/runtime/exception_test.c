/* exception_test.c - tags and exceptions of the host's own, references it keeps, without memory. */
#include "engine/text/text.h"
#include "tests/engine/wasm.h"

struct thrower {
	struct engine_store *store;
	struct engine_tag *tag;
};

/* A host function: throws its argument. */
static lb_err throw(void *ctx, struct engine_instance *caller, const union engine_value *args,
                    union engine_value *results)
{
	const struct thrower *thrower = ctx;

	(void)caller, (void)results;
	return engine_store_throw(thrower->store, thrower->tag, args);
}

/* f: what "throw" is given comes back by way of its exception, plus one; g: a new structure. */
static const char text[] =
	"(module (import \"host\" \"tag\" (tag $t (param i32)))"
	" (import \"host\" \"throw\" (func $throw (param i32)))"
	" (type $s (struct (field i32)))"
	" (func (export \"f\") (param i32) (result i32)"
	"  (i32.add (i32.const 1) (block $b (result i32)"
	"   (try_table (catch $t $b) (call $throw (local.get 0))) (i32.const -1))))"
	" (func (export \"g\") (result (ref $s)) (struct.new $s (i32.const 5))))";

static lb_err link_host(struct engine_instance **out, struct thrower *thrower,
                        const struct engine_module *module, struct lb_mem *mem)
{
	static const engine_type i32 = ENGINE_I32;
	const struct engine_func_type type = { .params = &i32, .param_count = 1 };
	struct engine_extern imports[2] = { { .kind = ENGINE_TAG }, { .kind = ENGINE_FUNC } };

	LB_TRY(engine_store_new(&thrower->store, mem,
	                        &(struct engine_store_options){ .collect_always = true,
	                                                        .stack_slots_max = 1000,
	                                                        .call_depth_max = 100 }));
	LB_TRY(engine_tag_new(&imports[0].tag, thrower->store, &type));
	thrower->tag = imports[0].tag;
	LB_TRY(engine_func_new(&imports[1].func, thrower->store, &type, throw, thrower));
	return engine_instance_new(out, thrower->store, module, imports, 2, NULL);
}

static lb_err catch_and_keep(struct test *t, struct engine_instance *instance)
{
	struct engine_func *f = engine_instance_find_func(instance, LB_B("f"));
	struct engine_func *g = engine_instance_find_func(instance, LB_B("g"));
	struct engine_store *store = engine_instance_store(instance);
	union engine_value value = { .i32 = 41 }, ref = { 0 };

	LB_TRY(engine_func_call(f, &value, 1, &value, 1));
	CHECK(value.i32 == 42);
	LB_TRY(engine_func_call(g, NULL, 0, &ref, 1));
	LB_TRY(engine_store_keep(store, ref));
	CHECK(engine_store_collect(store) > 0);
	engine_store_drop(store, ref);
	CHECK(engine_store_collect(store) == 0);
	return LB_OK;
}

TEST(what_hosts_throw_and_keep_survives_every_oom)
{
	struct engine_module *module = NULL;
	struct lb_buf binary;

	lb_buf_init(&binary, &lb_mem_host, 1 << 20);
	CHECK_OK(engine_text_to_binary(&binary, &lb_mem_host, lb_bytes_of(text), NULL, NULL));
	CHECK_OK(engine_module_new(&module, &lb_mem_host, lb_buf_bytes(&binary), NULL, NULL));
	lb_buf_release(&binary);
	EACH_OOM (t) {
		struct thrower thrower = { 0 };
		struct engine_instance *instance = NULL;
		lb_err err = link_host(&instance, &thrower, module, t->mem);

		if (!lb_failed(err))
			err = catch_and_keep(t, instance);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(lb_failed(err) == t->heap.failed);
		engine_store_free(thrower.store);
	}
	engine_module_free(module);
}

TEST(features_are_found_by_their_names)
{
	CHECK(engine_feature_find(LB_B("gc")) == ENGINE_FEATURE_GC);
	CHECK(engine_feature_find(LB_B("gcc")) == ENGINE_FEATURE_COUNT);
	for (int i = 0; i < ENGINE_FEATURE_COUNT; i++)
		CHECK((int)engine_feature_find(
			      lb_bytes_of(engine_feature_text((enum engine_feature)i))) == i);
}
