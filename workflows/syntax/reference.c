/* reference.c - see reference.h. */
#include "workflows/syntax/reference.h"

#include "base/arena.h"
#include "workflows/syntax/events.h"
#include "workflows/syntax/schema.h"

enum { DEPTH_MAX = 32 };

const char workflow_event_option[] = "NAME\n"
#define EVENT(name, filters, types, defaults) #name " "
#include "workflows/syntax/events.def"
#undef EVENT
	;

/* What is printed already, and where, so that it is told once. */
struct told {
	struct lb_bytes path; /* empty: not yet */
	struct workflow_allow allow;
};

struct page {
	struct lb_buf *out;
	struct lb_arena arena;
	struct told told[SCHEMA_COUNT];
	unsigned depth;
};

static const char *const context_names[] = {
#define CONTEXT(name) #name,
#include "workflows/expression/contexts.def"
#undef CONTEXT
};

/* ---- one value ---- */

static void add_words(struct lb_buf *out, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++)
		lb_buf_addf(out, "%s`%s`", i > 0 ? ", " : "", words[i]);
}

static void add_kind(struct lb_buf *out, enum schema_id id);

static void add_alternatives(struct lb_buf *out, const enum schema_id *members)
{
	for (size_t i = 0; members[i] != SCHEMA_NONE; i++) {
		bool same = i > 0 && workflow_schema[members[i]].kind == SCHEMA_MAPPING &&
		            workflow_schema[members[i - 1]].kind == SCHEMA_MAPPING;

		if (same) /* a mapping of one form or another */
			continue;
		if (i > 0)
			lb_buf_add_text(out, " or ");
		add_kind(out, members[i]);
	}
}

/* In words: "text or list of text". */
static void add_kind(struct lb_buf *out, enum schema_id id)
{
	const struct schema *schema = &workflow_schema[id];

	if (id == SCHEMA_any) {
		lb_buf_add_text(out, "anything");
		return;
	}
	switch (schema->kind) {
	case SCHEMA_NULL: lb_buf_add_text(out, "nothing"); break;
	case SCHEMA_BOOLEAN: lb_buf_add_text(out, "`true`, `false`"); break;
	case SCHEMA_NUMBER: lb_buf_add_text(out, "number"); break;
	case SCHEMA_STRING:
		if (id == SCHEMA_event_name)
			lb_buf_add_text(out, "an event");
		else if (schema->words != NULL)
			add_words(out, schema->words);
		else
			lb_buf_add_text(out, schema->filled ? "text, not empty" : "text");
		break;
	case SCHEMA_LIST:
		lb_buf_add_text(out, "list of ");
		add_kind(out, schema->members[0]);
		break;
	case SCHEMA_MAPPING: lb_buf_add_text(out, "mapping"); break;
	case SCHEMA_ONE_OF: add_alternatives(out, schema->members); break;
	}
}

static void add_contexts(struct lb_buf *out, const struct workflow_allow *allow)
{
	bool any = false;

	for (uint32_t i = 0; i < WORKFLOW_CONTEXT_COUNT; i++) {
		if ((allow->contexts & UINT32_C(1) << i) == 0)
			continue;
		lb_buf_addf(out, "%s%s", any ? ", " : "", context_names[i]);
		any = true;
	}
	lb_buf_add_text(out, any ? " | " : "no expressions | ");
	if ((allow->calls & WORKFLOW_CALL_HASH_FILES) != 0)
		lb_buf_add_text(out, "hashFiles ");
	if ((allow->calls & WORKFLOW_CALL_STATUS) != 0)
		lb_buf_add_text(out, "status");
	if ((allow->calls & WORKFLOW_CALL_STATUS_OF) != 0)
		lb_buf_add_text(out, "status, of jobs");
}

/* ---- the tree ---- */

static void add_below(struct page *p, struct lb_bytes path, enum schema_id id,
                      struct workflow_allow allow);

static bool is_told(struct page *p, struct lb_bytes path, enum schema_id id,
                    const struct workflow_allow *allow)
{
	struct told *told = &p->told[id];

	if (told->path.len > 0)
		return told->allow.contexts == allow->contexts && told->allow.calls == allow->calls;
	*told = (struct told){ path, *allow };
	return false;
}

static void add_row(struct page *p, struct lb_bytes path, const struct schema_key *key,
                    enum schema_id id, struct workflow_allow allow)
{
	allow.contexts |= workflow_schema[id].contexts;
	allow.calls |= workflow_schema[id].calls;
	lb_buf_addf(p->out, "| `%.*s`%s | ", LB_FMT(path),
	            key != NULL && key->required && !key->shy ? " (required)" : "");
	add_kind(p->out, id);
	lb_buf_add_text(p->out, " | ");
	add_contexts(p->out, &allow);
	lb_buf_add_text(p->out, " |\n");
	add_below(p, path, id, allow);
}

/* Events without a form of their own have one row together; a key of several forms has one. */
static bool is_repeated(const struct schema *schema, const struct schema_key *key)
{
	for (const struct schema_key *other = schema->keys; other != key; other++) {
		if (lb_bytes_eq(other->name, key->name) ||
		    (key->value == SCHEMA_event_config && other->value == SCHEMA_event_config))
			return true;
	}
	return false;
}

static void add_mapping(struct page *p, struct lb_bytes path, const struct schema *schema,
                        const struct workflow_allow *allow)
{
	const char *dot = path.len > 0 ? "." : "";

	for (const struct schema_key *key = schema->keys; key != NULL && key->name.at != NULL;
	     key++) {
		struct lb_bytes name =
			key->value == SCHEMA_event_config ? LB_B("EVENT") : key->name;

		if (!is_repeated(schema, key))
			add_row(p,
			        lb_arena_format(&p->arena, "%.*s%s%.*s", LB_FMT(path), dot,
			                        LB_FMT(name)),
			        key, key->value, *allow);
	}
	if (schema->value != SCHEMA_NONE && schema->value != SCHEMA_any)
		add_row(p, lb_arena_format(&p->arena, "%.*s%sNAME", LB_FMT(path), dot), NULL,
		        schema->value, *allow);
}

static unsigned count_forms(const struct schema *schema)
{
	unsigned count = 0;

	for (const enum schema_id *member = schema->members; *member != SCHEMA_NONE; member++)
		count += workflow_schema[*member].kind == SCHEMA_MAPPING;
	return count;
}

/* What may be one mapping or another has a line before each. */
static void add_forms(struct page *p, struct lb_bytes path, const struct schema *schema,
                      const struct workflow_allow *allow)
{
	unsigned count = count_forms(schema), form = 0;

	for (const enum schema_id *member = schema->members; *member != SCHEMA_NONE; member++) {
		bool several = count > 1 && workflow_schema[*member].kind == SCHEMA_MAPPING;

		if (several && p->told[*member].path.len > 0) {
			add_below(p, path, *member, *allow); /* a line for all of them */
			return;
		}
		if (several)
			lb_buf_addf(p->out, "| *`%.*s`, form %u of %u* | | | |\n", LB_FMT(path),
			            ++form, count);
		add_below(p, path, *member, *allow);
	}
}

static void add_below(struct page *p, struct lb_bytes path, enum schema_id id,
                      struct workflow_allow allow)
{
	const struct schema *schema = &workflow_schema[id];

	if (p->arena.failed || p->depth == DEPTH_MAX || id == SCHEMA_any)
		return;
	allow.contexts |= schema->contexts;
	allow.calls |= schema->calls;
	p->depth++;
	if (schema->kind == SCHEMA_ONE_OF) {
		add_forms(p, path, schema, &allow);
	} else if (schema->kind == SCHEMA_LIST) {
		add_below(p, lb_arena_format(&p->arena, "%.*s[]", LB_FMT(path)), schema->members[0],
		          allow);
	} else if (schema->kind == SCHEMA_MAPPING) {
		if (is_told(p, path, id, &allow))
			lb_buf_addf(p->out, "| `%.*s.…` | as `%.*s` | | |\n", LB_FMT(path),
			            LB_FMT(p->told[id].path));
		else
			add_mapping(p, path, schema, &allow);
	}
	p->depth--;
}

static void add_tree(struct page *p, const char *title, enum schema_id root)
{
	struct workflow_allow nothing = { 0 };

	lb_buf_addf(p->out,
	            "\n## %s\n\n| key | value | contexts | functions |\n|---|---|---|---|\n",
	            title);
	add_below(p, (struct lb_bytes){ 0 }, root, nothing);
}

/* ---- the other tables ---- */

static void add_filters(struct lb_buf *out, unsigned filters)
{
	static const struct {
		unsigned filter;
		const char *keys;
	} names[] = {
		{ FILTER_BRANCHES, "branches, branches-ignore " },
		{ FILTER_TAGS, "tags, tags-ignore " },
		{ FILTER_PATHS, "paths, paths-ignore " },
		{ FILTER_WORKFLOWS, "workflows " },
		{ FILTER_NAMES, "names, versions " },
		{ FILTER_OWN, "a form of its own" },
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if ((filters & names[i].filter) != 0)
			lb_buf_add_text(out, names[i].keys);
	}
}

static void add_events(struct lb_buf *out)
{
	lb_buf_add_text(out,
	                "\n## Events\n\n| event | filters | types | types where none are named "
	                "|\n|---|---|---|---|\n");
	for (const struct workflow_event_info *event = workflow_events; event->name != NULL;
	     event++) {
		lb_buf_addf(out, "| `%s` | ", event->name);
		add_filters(out, event->filters);
		lb_buf_addf(out, " | %s | %s |\n",
		            strcmp(event->types, "*") == 0 ? "any" : event->types,
		            event->types[0] != '\0' && event->defaults[0] == '\0'
		                    ? "all"
		                    : event->defaults);
	}
}

static void add_functions(struct lb_buf *out)
{
	static const struct {
		const char *name;
		unsigned least, most;
		uint32_t call;
	} functions[] = {
#define FUNCTION(name, least, most, call, run) { name, least, most, call },
#include "workflows/expression/functions.def"
#undef FUNCTION
	};

	lb_buf_add_text(out, "\n## Functions\n\n| function | arguments | where |\n|---|---|---|\n");
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		const char *where = "everywhere";

		if (functions[i].call == WORKFLOW_CALL_HASH_FILES)
			where = "where `hashFiles` is named above";
		else if (functions[i].call != 0)
			where = "where `status` is named above";
		lb_buf_addf(out, "| `%s` | %u", functions[i].name, functions[i].least);
		if (functions[i].most != functions[i].least)
			lb_buf_addf(out, " to %u", functions[i].most);
		lb_buf_addf(out, " | %s |\n", where);
	}
}

lb_err workflow_reference(struct lb_buf *out, struct lb_mem *mem)
{
	struct page *p = LB_NEW(mem, struct page, 1);
	bool failed;

	if (p == NULL)
		return lb_err_of(LB_E_NOMEM);
	p->out = out;
	lb_arena_init(&p->arena, mem);
	lb_buf_add_text(
		out,
		"# What may stand in a workflow\n\n"
		"Printed by `lifeboat lint --reference` from the tables that files are checked by "
		"(`workflows/syntax/schema.def`, `events.def`, `permissions.def`, "
		"`workflows/expression/functions.def`). NAME is any name, `[]` each item of a "
		"list. "
		"Where contexts are named, an expression (`${{ }}`) of these may stand for the "
		"value; "
		"functions are those beyond the general ones.\n");
	add_tree(p, "Workflow files", SCHEMA_workflow);
	add_tree(p, "Actions' manifests", SCHEMA_action);
	add_events(out);
	add_functions(out);
	failed = p->arena.failed;
	lb_arena_release(&p->arena);
	LB_DROP(mem, p, 1);
	return failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(out);
}
