/* policy_read.c - the policy's YAML as structs; see policy.h. */
#include "release/policy.h"

#include "base/data/yaml.h"
#include "release/glob.h"

#include <stdarg.h>
#include <stdio.h>

enum { PUBLISHERS_MAX = 1000, LIST_MAX = 100, TEXT_MAX = RELEASE_GLOB_MAX };

struct reader {
	struct lb_arena *arena;
	struct lb_diag *diag;
};

enum kind { TEXT, NAME, DIGITS, LIST, EVENTS };

struct field {
	const char *key;
	enum kind kind;
	bool required;
	size_t offset; /* of the struct lb_bytes or struct release_list */
};

static const struct field issuer_fields[] = {
	{ "name", NAME, true, offsetof(struct release_issuer, name) },
	{ "url", TEXT, true, offsetof(struct release_issuer, url) },
	{ "jwks", TEXT, false, offsetof(struct release_issuer, jwks) },
	{ "repositories", TEXT, false, offsetof(struct release_issuer, repositories) },
	{ 0 },
};

#define PUBLISHER(key, kind, required, member) \
	{ \
		key, kind, required, offsetof(struct release_publisher, member) \
	}

static const struct field publisher_fields[] = {
	PUBLISHER("issuer", NAME, true, issuer_name),
	PUBLISHER("repository", TEXT, true, repository),
	PUBLISHER("repository_id", DIGITS, false, repository_id),
	PUBLISHER("repository_owner_id", DIGITS, false, repository_owner_id),
	PUBLISHER("workflow", TEXT, false, workflow),
	PUBLISHER("job_workflow", TEXT, false, job_workflow),
	PUBLISHER("ref", TEXT, true, ref),
	PUBLISHER("events", EVENTS, true, events),
	PUBLISHER("environment", TEXT, false, environment),
	PUBLISHER("project", NAME, true, project),
	PUBLISHER("channels", LIST, true, channels),
	PUBLISHER("files", LIST, true, files),
	{ 0 },
};

static lb_err refuse(const struct reader *r, const struct lb_yaml_node *node, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

static lb_err refuse(const struct reader *r, const struct lb_yaml_node *node, const char *format,
                     ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return lb_fail(r->diag, LB_E_INVALID, "line %u, column %u: %s", node->line, node->column,
	               text);
}

/* ---- values ---- */

static lb_err read_text(struct lb_bytes *out, const struct reader *r, const char *key,
                        const struct lb_yaml_node *node)
{
	if (node->kind != LB_YAML_SCALAR || node->text.len == 0 || node->text.len > TEXT_MAX)
		return refuse(r, node, "%s: expected a text of 1 to %d bytes", key, TEXT_MAX);
	for (size_t i = 0; i < node->text.len; i++) {
		if (node->text.at[i] < 0x20 || node->text.at[i] == 0x7f)
			return refuse(r, node, "%s: a control character has no place here", key);
	}
	*out = node->text;
	return LB_OK;
}

static lb_err read_digits(struct lb_bytes *out, const struct reader *r, const char *key,
                          const struct lb_yaml_node *node)
{
	uint64_t number;

	if (node->kind != LB_YAML_SCALAR ||
	    lb_failed(lb_bytes_u64(&number, node->text, UINT64_MAX)))
		return refuse(r, node, "%s: expected a whole number", key);
	*out = node->text;
	return LB_OK;
}

static lb_err read_list(struct release_list *out, const struct reader *r, const char *key,
                        const struct lb_yaml_node *node)
{
	if (node->kind != LB_YAML_SEQUENCE || node->count == 0 || node->count > LIST_MAX)
		return refuse(r, node, "%s: expected a list of 1 to %d texts", key, LIST_MAX);
	out->at = LB_ARENA_NEW(r->arena, struct lb_bytes, node->count);
	if (out->at == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (; out->count < node->count; out->count++)
		LB_TRY(read_text(&out->at[out->count], r, key, node->items[out->count]));
	return LB_OK;
}

static lb_err check_events(const struct release_list *events, const struct reader *r,
                           const struct lb_yaml_node *node)
{
	for (uint32_t i = 0; i < events->count; i++) {
		if (lb_bytes_is(events->at[i], "pull_request_target") ||
		    lb_bytes_is(events->at[i], "workflow_run"))
			return refuse(r, node->items[i],
			              "events: %.*s is never accepted, as it runs with the "
			              "repository's rights on what strangers sent",
			              LB_FMT(events->at[i]));
	}
	return LB_OK;
}

static lb_err read_value(void *record, const struct reader *r, const struct field *field,
                         const struct lb_yaml_node *node)
{
	struct lb_bytes *text = (struct lb_bytes *)(void *)((char *)record + field->offset);
	struct release_list *list = (struct release_list *)(void *)((char *)record + field->offset);

	switch (field->kind) {
	case TEXT: return read_text(text, r, field->key, node);
	case DIGITS: return read_digits(text, r, field->key, node);
	case LIST: return read_list(list, r, field->key, node);
	case NAME:
		LB_TRY(read_text(text, r, field->key, node));
		return release_name_is_good(*text)
		               ? LB_OK
		               : refuse(r, node, "%s: expected letters, digits and . _ - + only",
		                        field->key);
	case EVENTS:
		LB_TRY(read_list(list, r, field->key, node));
		return check_events(list, r, node);
	}
	return lb_err_of(LB_E_INVALID);
}

/* ---- records ---- */

static const struct field *find_field(const struct field *fields, struct lb_bytes key)
{
	for (const struct field *field = fields; field->key != NULL; field++) {
		if (lb_bytes_is(key, field->key))
			return field;
	}
	return NULL;
}

static lb_err check_required(const struct reader *r, const struct field *fields,
                             const struct lb_yaml_node *node)
{
	for (const struct field *field = fields; field->key != NULL; field++) {
		if (field->required && lb_yaml_find(node, field->key) == NULL)
			return refuse(r, node, "%s is missing here", field->key);
	}
	return LB_OK;
}

static lb_err check_once(const struct reader *r, const struct lb_yaml_node *node, uint32_t at)
{
	for (uint32_t i = 0; i < at; i += 2) {
		if (lb_bytes_eq(node->items[i]->text, node->items[at]->text))
			return refuse(r, node->items[at], "%.*s is there twice",
			              LB_FMT(lb_bytes_upto(node->items[at]->text, 100)));
	}
	return LB_OK;
}

static lb_err read_record(void *record, const struct reader *r, const char *what,
                          const struct field *fields, const struct lb_yaml_node *node)
{
	if (node->kind != LB_YAML_MAPPING)
		return refuse(r, node, "%s is a mapping of keys to values", what);
	for (uint32_t i = 0; i < node->count; i += 2) {
		const struct field *field = find_field(fields, node->items[i]->text);

		if (field == NULL)
			return refuse(r, node->items[i], "unknown key \"%.*s\" in %s",
			              LB_FMT(lb_bytes_upto(node->items[i]->text, 100)), what);
		LB_TRY(check_once(r, node, i));
		LB_TRY(read_value(record, r, field, node->items[i + 1]));
	}
	return check_required(r, fields, node);
}

/* ---- the document ---- */

static lb_err check_url(struct release_issuer *issuer, const struct reader *r,
                        const struct lb_yaml_node *node)
{
	if (!lb_bytes_starts(issuer->url, LB_B("https://")) &&
	    !lb_bytes_starts(issuer->url, LB_B("http://")))
		return refuse(r, lb_yaml_find(node, "url"),
		              "url: expected http:// or https://, the exact `iss` of the tokens");
	if (lb_bytes_ends(issuer->url, LB_B("/")))
		return refuse(r, lb_yaml_find(node, "url"), "url: ends with a slash");
	if (issuer->repositories.len == 0)
		issuer->repositories = lb_arena_format(r->arena, "%.*s/git/", LB_FMT(issuer->url));
	return r->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err read_issuers(struct release_policy *policy, const struct reader *r,
                           const struct lb_yaml_node *node)
{
	policy->issuers = LB_ARENA_NEW(r->arena, struct release_issuer, node->count);
	if (policy->issuers == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < node->count; i++) {
		struct release_issuer *issuer = &policy->issuers[i];

		issuer->line = node->items[i]->line;
		LB_TRY(read_record(issuer, r, "an issuer", issuer_fields, node->items[i]));
		LB_TRY(check_url(issuer, r, node->items[i]));
		for (uint32_t k = 0; k < i; k++) {
			if (lb_bytes_eq(issuer->name, policy->issuers[k].name) ||
			    lb_bytes_eq(issuer->url, policy->issuers[k].url))
				return refuse(r, node->items[i],
				              "this issuer is there already, in line %u",
				              policy->issuers[k].line);
		}
		policy->issuer_count++;
	}
	return LB_OK;
}

static lb_err find_issuer(struct release_publisher *publisher, const struct reader *r,
                          const struct release_policy *policy, const struct lb_yaml_node *node)
{
	for (uint32_t i = 0; i < policy->issuer_count; i++) {
		if (lb_bytes_eq(policy->issuers[i].name, publisher->issuer_name))
			publisher->issuer = &policy->issuers[i];
	}
	if (publisher->issuer == NULL)
		return refuse(r, lb_yaml_find(node, "issuer"),
		              "issuer: \"%.*s\" is none of the issuers above",
		              LB_FMT(publisher->issuer_name));
	return LB_OK;
}

static lb_err check_workflows(const struct release_publisher *publisher, const struct reader *r,
                              const struct lb_yaml_node *node)
{
	size_t slash = lb_bytes_find_byte(publisher->repository, '/');

	if (slash == SIZE_MAX || slash == 0 || slash + 1 == publisher->repository.len)
		return refuse(r, lb_yaml_find(node, "repository"),
		              "repository: expected OWNER/NAME");
	if (publisher->workflow.len == 0 && publisher->job_workflow.len == 0)
		return refuse(r, node, "workflow or job_workflow is missing here");
	return LB_OK;
}

static lb_err read_publishers(struct release_policy *policy, const struct reader *r,
                              const struct lb_yaml_node *node)
{
	policy->publishers = LB_ARENA_NEW(r->arena, struct release_publisher, node->count);
	if (policy->publishers == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < node->count; i++) {
		struct release_publisher *publisher = &policy->publishers[i];

		publisher->line = node->items[i]->line;
		LB_TRY(read_record(publisher, r, "a publisher", publisher_fields, node->items[i]));
		LB_TRY(find_issuer(publisher, r, policy, node->items[i]));
		LB_TRY(check_workflows(publisher, r, node->items[i]));
		policy->publisher_count++;
	}
	return LB_OK;
}

static lb_err find_list(const struct lb_yaml_node **out, const struct reader *r,
                        const struct lb_yaml_node *root, const char *key)
{
	*out = lb_yaml_find(root, key);
	if (*out == NULL)
		return refuse(r, root, "%s is missing", key);
	if ((*out)->kind != LB_YAML_SEQUENCE || (*out)->count == 0 ||
	    (*out)->count > PUBLISHERS_MAX)
		return refuse(r, *out, "%s: expected a list of 1 to %d", key, PUBLISHERS_MAX);
	return LB_OK;
}

static lb_err check_keys(const struct reader *r, const struct lb_yaml_node *root)
{
	static const char *const known[] = { "version", "audience", "issuers", "publishers" };

	for (uint32_t i = 0; i < root->count; i += 2) {
		struct lb_bytes key = root->items[i]->text;
		bool found = false;

		for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
			found |= lb_bytes_is(key, known[k]);
		if (!found)
			return refuse(r, root->items[i], "unknown key \"%.*s\" in the policy",
			              LB_FMT(lb_bytes_upto(key, 100)));
		LB_TRY(check_once(r, root, i));
	}
	return LB_OK;
}

static lb_err read_document(struct release_policy *policy, const struct reader *r,
                            const struct lb_yaml_node *root)
{
	const struct lb_yaml_node *version, *audience, *list;

	if (root->kind != LB_YAML_MAPPING)
		return refuse(r, root, "a policy is a mapping of keys to values");
	LB_TRY(check_keys(r, root));
	version = lb_yaml_find(root, "version");
	if (version == NULL || !lb_bytes_is(version->text, "1"))
		return refuse(r, version != NULL ? version : root, "version: expected 1");
	audience = lb_yaml_find(root, "audience");
	if (audience == NULL)
		return refuse(r, root, "audience is missing");
	LB_TRY(read_text(&policy->audience, r, "audience", audience));
	LB_TRY(find_list(&list, r, root, "issuers"));
	LB_TRY(read_issuers(policy, r, list));
	LB_TRY(find_list(&list, r, root, "publishers"));
	return read_publishers(policy, r, list);
}

lb_err release_policy_read(const struct release_policy **out, struct lb_arena *arena,
                           struct lb_bytes text, struct lb_diag *diag)
{
	struct release_policy *policy = LB_ARENA_NEW(arena, struct release_policy, 1);
	struct reader r = { arena, diag };
	struct lb_yaml_node *root;

	*out = NULL;
	if (policy == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_yaml_read(&root, arena, text, NULL, diag));
	if (root == NULL)
		return lb_fail(diag, LB_E_MALFORMED, "line 1, column 1: the policy is empty");
	LB_TRY(read_document(policy, &r, root));
	*out = policy;
	return LB_OK;
}
