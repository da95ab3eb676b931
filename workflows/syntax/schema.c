/* schema.c - schema.def, events.def and permissions.def as one table. */
#include "workflows/syntax/schema.h"

/* ---- which contexts and functions are where ---- */

#define C(name) WORKFLOW_CONTEXT(name)
#define RUN (C(github) | C(inputs) | C(vars))
#define JOB (RUN | C(needs))
#define IN_A_MATRIX (JOB | C(strategy) | C(matrix))
#define RUNNER (C(steps) | C(job) | C(runner) | C(env))
#define ACTION (C(github) | C(strategy) | C(matrix) | C(job) | C(runner))
#define WHERE(contexts_, calls_) .contexts = (contexts_), .calls = (calls_)

#define NOWHERE WHERE(0, 0)
#define IN_RUN WHERE(RUN, 0)
#define IN_RUN_SECRET WHERE(RUN | C(secrets), 0)
#define IN_CALL_OUTPUT WHERE(RUN | C(jobs), 0)
#define IN_JOB WHERE(JOB, 0)
#define IN_JOB_IF WHERE(JOB, WORKFLOW_CALL_STATUS_OF)
#define IN_MATRIX WHERE(IN_A_MATRIX, 0)
#define IN_MATRIX_SECRET WHERE(IN_A_MATRIX | C(secrets), 0)
#define IN_URL WHERE(IN_A_MATRIX | RUNNER, 0)
#define IN_RUNNER WHERE(IN_A_MATRIX | RUNNER | C(secrets), 0)
#define IN_DEFAULTS WHERE(IN_A_MATRIX | C(env), 0)
#define IN_CREDENTIALS WHERE(RUN | C(secrets) | C(env), 0)
#define IN_STEP WHERE(IN_A_MATRIX | RUNNER | C(secrets), WORKFLOW_CALL_HASH_FILES)
#define IN_STEP_IF WHERE(IN_A_MATRIX | RUNNER, WORKFLOW_CALL_HASH_FILES | WORKFLOW_CALL_STATUS)
#define IN_INPUTS WHERE(C(inputs), 0)
#define IN_ACTION_INPUT WHERE(ACTION, WORKFLOW_CALL_HASH_FILES)
#define IN_ACTION_OUTPUT WHERE(ACTION | C(steps) | C(inputs) | C(env), 0)
#define IN_ACTION_IF \
	WHERE(ACTION | C(inputs) | C(env), WORKFLOW_CALL_HASH_FILES | WORKFLOW_CALL_STATUS)
#define IN_ACTION_STEP WHERE(ACTION | C(steps) | C(inputs) | C(env), WORKFLOW_CALL_HASH_FILES)
#define IN_ACTION_IF_STEP \
	WHERE(ACTION | C(steps) | C(inputs) | C(env), \
	      WORKFLOW_CALL_HASH_FILES | WORKFLOW_CALL_STATUS)

/* ---- entries from other tables ---- */

#define NO_KEY \
	{ \
		.value = SCHEMA_NONE \
	}
#define KEY(name_, id) \
	{ \
		.name = LB_LIT(name_), .value = SCHEMA_##id \
	}
#define MUST(name_, id) \
	{ \
		.name = LB_LIT(name_), .value = SCHEMA_##id, .required = true \
	}
#define SHY(name_, id) \
	{ \
		.name = LB_LIT(name_), .value = SCHEMA_##id, .required = true, .shy = true \
	}

static const char *const event_words[] = {
#define EVENT(name, filters, types, defaults) #name,
#include "workflows/syntax/events.def"
#undef EVENT
	NULL
};

/* The first that fits counts: those with a form of their own come before all. */
static const struct schema_key on_keys[] = {
	KEY("schedule", schedule),
	KEY("workflow_call", workflow_call),
	KEY("workflow_dispatch", workflow_dispatch),
#define EVENT(name, filters, types, defaults) KEY(#name, event_config),
#include "workflows/syntax/events.def"
#undef EVENT
	NO_KEY,
};

static const struct schema_key permission_keys[] = {
#define PERMISSION(id, name, access) KEY(name, access_##access),
#include "workflows/syntax/permissions.def"
#undef PERMISSION
	NO_KEY,
};

/* ---- the table ---- */

#define IDS_1(a) SCHEMA_##a
#define IDS_2(a, ...) SCHEMA_##a, IDS_1(__VA_ARGS__)
#define IDS_3(a, ...) SCHEMA_##a, IDS_2(__VA_ARGS__)
#define IDS_4(a, ...) SCHEMA_##a, IDS_3(__VA_ARGS__)
#define IDS_5(a, ...) SCHEMA_##a, IDS_4(__VA_ARGS__)
#define IDS_6(a, ...) SCHEMA_##a, IDS_5(__VA_ARGS__)
#define IDS_OF(a, b, c, d, e, f, count, ...) IDS_##count
#define IDS(...) IDS_OF(__VA_ARGS__, 6, 5, 4, 3, 2, 1, 0)(__VA_ARGS__)

#define SCALAR(id, where, kind_) [SCHEMA_##id] = { .kind = SCHEMA_##kind_, where },
#define FILLED(id, where) [SCHEMA_##id] = { .kind = SCHEMA_STRING, .filled = true, where },
#define WORDS(id, where, ...) \
	[SCHEMA_##id] = { .kind = SCHEMA_STRING, \
		          where, \
		          .words = (const char *const[]){ __VA_ARGS__, NULL } },
#define ONE_OF(id, where, ...) \
	[SCHEMA_##id] = { .kind = SCHEMA_ONE_OF, \
		          where, \
		          .members = (const enum schema_id[]){ IDS(__VA_ARGS__), SCHEMA_NONE } },
#define LIST(id, where, item) \
	[SCHEMA_##id] = { .kind = SCHEMA_LIST, \
		          where, \
		          .members = (const enum schema_id[]){ SCHEMA_##item, SCHEMA_NONE } },
#define DICTIONARY(id, where, key_, value_) \
	[SCHEMA_##id] = { \
		.kind = SCHEMA_MAPPING, where, .key = SCHEMA_##key_, .value = SCHEMA_##value_ \
	},
#define RECORD(id, where, ...) \
	[SCHEMA_##id] = { .kind = SCHEMA_MAPPING, \
		          where, \
		          .keys = (const struct schema_key[]){ __VA_ARGS__, NO_KEY } },
#define OPEN_RECORD(id, where, ...) \
	[SCHEMA_##id] = { .kind = SCHEMA_MAPPING, \
		          where, \
		          .open = true, \
		          .key = SCHEMA_string, \
		          .value = SCHEMA_any, \
		          .keys = (const struct schema_key[]){ __VA_ARGS__, NO_KEY } },
#define MATRIX(id, where, key_, value_, ...) \
	[SCHEMA_##id] = { .kind = SCHEMA_MAPPING, \
		          where, \
		          .key = SCHEMA_##key_, \
		          .value = SCHEMA_##value_, \
		          .keys = (const struct schema_key[]){ __VA_ARGS__, NO_KEY } },

const struct schema workflow_schema[SCHEMA_COUNT] = {
#include "workflows/syntax/schema.def"
	[SCHEMA_event_name] = { .kind = SCHEMA_STRING, .words = event_words },
	[SCHEMA_on_mapping] = { .kind = SCHEMA_MAPPING, .keys = on_keys },
	[SCHEMA_permissions_mapping] = { .kind = SCHEMA_MAPPING, .keys = permission_keys },
};
