/* reader.c - a YAML file into tokens, checked by the schema.
 *
 * Follows GitHub's own reader: the same problems, at the same places, in the same order.
 * What is not allowed is left out of the result.
 */
#include "workflows/syntax/scalar.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { CANDIDATES_MAX = 8, YAML_DEPTH_MAX = 1000, RESULT_BYTES_MAX = 10 << 20 };

struct reader {
	struct lb_arena *arena;
	struct problems *problems;
	uint32_t depth, depth_max;
	size_t result_bytes, result_bytes_max; /* what has been made, by GitHub's measure */
	bool stop;                             /* nothing more can be read */
};

/* A place in the schema, and what expressions may use there. */
struct place {
	enum schema_id id;
	struct workflow_allow allow;
};

static struct place place_in(const struct place *parent, enum schema_id id)
{
	const struct schema *schema = &workflow_schema[id];

	return (struct place){ id,
		               { .contexts = parent->allow.contexts | schema->contexts,
		                 .calls = parent->allow.calls | schema->calls } };
}

static bool allows_expressions(const struct place *place)
{
	return place->allow.contexts != 0 || place->allow.calls != 0;
}

/* ---- the schema ---- */

/* Is there an alternative at this place that `fits`? */
static bool any_alternative(enum schema_id id, bool (*fits)(const struct schema *, const void *),
                            const void *what)
{
	const struct schema *schema = &workflow_schema[id];

	if (schema->kind != SCHEMA_ONE_OF)
		return fits(schema, what);
	for (const enum schema_id *member = schema->members; *member != SCHEMA_NONE; member++) {
		if (any_alternative(*member, fits, what))
			return true;
	}
	return false;
}

static bool is_word(const struct schema *schema, struct lb_bytes text)
{
	for (const char *const *word = schema->words; *word != NULL; word++) {
		if (lb_bytes_is(text, *word))
			return true;
	}
	return false;
}

static bool fits_text(const struct schema *schema, const void *what)
{
	const struct workflow_token *token = what;

	if (schema->kind != SCHEMA_STRING)
		return false;
	if (schema->words != NULL)
		return is_word(schema, token->text);
	return !schema->filled || token->text.len > 0;
}

static bool fits_scalar(const struct schema *schema, const void *what)
{
	const struct workflow_token *token = what;

	switch (token->kind) {
	case WORKFLOW_NULL: return schema->kind == SCHEMA_NULL;
	case WORKFLOW_BOOLEAN: return schema->kind == SCHEMA_BOOLEAN;
	case WORKFLOW_NUMBER: return schema->kind == SCHEMA_NUMBER;
	case WORKFLOW_STRING: return fits_text(schema, what);
	case WORKFLOW_SEQUENCE:
	case WORKFLOW_MAPPING:
	case WORKFLOW_EXPRESSION:
	case WORKFLOW_INSERT: break;
	}
	return false;
}

/* Alternatives of one kind at this place. */
static size_t alternatives(const struct schema *out[CANDIDATES_MAX], enum schema_id id,
                           enum schema_kind kind)
{
	const struct schema *schema = &workflow_schema[id];
	size_t count = 0;

	if (schema->kind == kind)
		out[count++] = schema;
	if (schema->kind != SCHEMA_ONE_OF)
		return count;
	for (const enum schema_id *member = schema->members; *member != SCHEMA_NONE; member++) {
		if (workflow_schema[*member].kind == kind && count < CANDIDATES_MAX)
			out[count++] = &workflow_schema[*member];
	}
	return count;
}

static const struct schema_key *find_key(const struct schema *schema, struct lb_bytes name)
{
	for (const struct schema_key *key = schema->keys; key != NULL && key->name.at != NULL;
	     key++) {
		if (lb_bytes_eq(name, key->name))
			return key;
	}
	return NULL;
}

/* ---- limits ---- */

static bool stop(struct reader *r, const char *why)
{
	if (!r->stop)
		workflow_problem(r->problems, NULL, "%s", why);
	r->stop = true;
	return false;
}

/* GitHub counts 24 bytes an object, 26 a string and 2 a character. */
static bool count_result(struct reader *r, const struct workflow_token *token)
{
	size_t bytes = 24;

	if (token->kind == WORKFLOW_STRING || token->kind == WORKFLOW_EXPRESSION)
		bytes += 26 + 2 * token->text.len;
	r->result_bytes += bytes;
	return r->result_bytes <= r->result_bytes_max || stop(r, "Maximum object size exceeded");
}

static bool enter(struct reader *r)
{
	if (r->depth >= r->depth_max)
		return stop(r, "Maximum object depth exceeded");
	r->depth++;
	return true;
}

/* ---- scalars ---- */

static struct workflow_token *token_new(struct reader *r, const struct lb_yaml_node *node,
                                        enum workflow_token_kind kind)
{
	struct workflow_token *token = LB_ARENA_NEW(r->arena, struct workflow_token, 1);

	if (token == NULL) {
		r->stop = true;
		return NULL;
	}
	token->kind = kind;
	token->line = node->line;
	token->column = node->column;
	return token;
}

static struct workflow_token *read_scalar(struct reader *r, const struct lb_yaml_node *node,
                                          const struct place *place)
{
	struct workflow_token *token = token_new(r, node, WORKFLOW_STRING);

	if (token == NULL)
		return NULL;
	if (!workflow_scalar_literal(token, r->arena, node, r->problems)) {
		r->stop = true;
		return NULL;
	}
	workflow_scalar_expression(token, r->arena, &place->allow, r->problems);
	return token;
}

static void check_scalar(struct reader *r, struct workflow_token *token, const struct place *place)
{
	if (token->kind == WORKFLOW_EXPRESSION) {
		if (!allows_expressions(place))
			workflow_problem(r->problems, token,
			                 "A template expression is not allowed in this context");
		return;
	}
	if (any_alternative(place->id, fits_scalar, token))
		return;
	if (token->kind != WORKFLOW_STRING && token->kind != WORKFLOW_INSERT &&
	    any_alternative(place->id, fits_text, token)) {
		token->kind = WORKFLOW_STRING;
		return;
	}
	workflow_problem(r->problems, token, "Unexpected value '%.*s'", LB_FMT(token->text));
}

/* ---- collections ---- */

static const struct workflow_token *read_value(struct reader *r, const struct lb_yaml_node *node,
                                               const struct place *place);

static void read_sequence(struct reader *r, struct workflow_token *token,
                          const struct lb_yaml_node *node, const struct place *place)
{
	const struct schema *lists[CANDIDATES_MAX];
	struct place item;

	if (alternatives(lists, place->id, SCHEMA_LIST) == 0) {
		workflow_problem(r->problems, token, "A sequence was not expected");
		return;
	}
	item = place_in(place, lists[0]->members[0]);
	token->items = LB_ARENA_NEW(r->arena, const struct workflow_token *, node->count);
	for (uint32_t i = 0; i < node->count && token->items != NULL && !r->stop; i++) {
		const struct workflow_token *value = read_value(r, node->items[i], &item);

		if (value != NULL)
			token->items[token->count++] = value;
	}
}

/* ---- mappings ---- */

struct mapping {
	struct workflow_token *token;
	const struct place *place;
	const struct schema *candidates[CANDIDATES_MAX];
	size_t candidate_count;
	struct lb_value *keys; /* all that came so far, once they are many */
	bool has_expression;
};

static void add_pair(struct reader *r, struct mapping *m, const struct workflow_token *key,
                     const struct workflow_token *value)
{
	if (value == NULL || !count_result(r, key))
		return;
	m->token->items[m->token->count++] = key;
	m->token->items[m->token->count++] = value;
}

/* Keys already there, whether or not their values were accepted. */
static bool is_duplicate(struct reader *r, struct mapping *m, struct lb_bytes key)
{
	if (lb_value_find_nocase(m->keys, key) != NULL)
		return true;
	lb_value_set(r->arena, m->keys, key, workflow_share(&workflow_true));
	return false;
}

/* The key among the alternatives that are left; those without it drop out. */
static const struct schema_key *match_key(struct mapping *m, struct lb_bytes name)
{
	const struct schema_key *found = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < m->candidate_count && found == NULL; i++)
		found = find_key(m->candidates[i], name);
	for (size_t i = 0; i < m->candidate_count && found != NULL; i++) {
		if (find_key(m->candidates[i], name) != NULL)
			m->candidates[kept++] = m->candidates[i];
	}
	if (found != NULL)
		m->candidate_count = kept;
	return found;
}

static void read_expression_pair(struct reader *r, struct mapping *m, struct workflow_token *key,
                                 const struct lb_yaml_node *value)
{
	const struct schema *first = m->candidates[0];
	bool plain = m->candidate_count == 1 && first->keys == NULL;
	struct place place = place_in(m->place, plain ? first->value : SCHEMA_any);

	m->has_expression = true;
	if (!allows_expressions(m->place)) {
		workflow_problem(r->problems, key,
		                 "A template expression is not allowed in this context");
		return;
	}
	add_pair(r, m, key, read_value(r, value, &place));
}

static void read_pair(struct reader *r, struct mapping *m, const struct lb_yaml_node *key_node,
                      const struct lb_yaml_node *value)
{
	const struct schema *first = m->candidates[0];
	const struct schema_key *known;
	struct workflow_token *key;
	struct place place;

	if (key_node->kind != LB_YAML_SCALAR) {
		key = token_new(r, key_node, WORKFLOW_STRING);
		workflow_problem(r->problems, key, "A %s was not expected",
		                 key_node->kind == LB_YAML_MAPPING ? "mapping" : "sequence");
		return;
	}
	key = read_scalar(r, key_node, m->place);
	if (key == NULL)
		return;
	if (key->kind == WORKFLOW_EXPRESSION || key->kind == WORKFLOW_INSERT) {
		read_expression_pair(r, m, key, value);
		return;
	}
	key->kind = WORKFLOW_STRING;
	if (is_duplicate(r, m, key->text)) {
		workflow_problem(r->problems, key, "'%.*s' is already defined", LB_FMT(key->text));
		return;
	}
	known = match_key(m, key->text);
	if (known != NULL) {
		place = place_in(m->place, known->value);
		add_pair(r, m, key, read_value(r, value, &place));
		return;
	}
	if (first->value == SCHEMA_NONE) {
		workflow_problem(r->problems, key, "Unexpected value '%.*s'", LB_FMT(key->text));
		return;
	}
	place = place_in(m->place, first->key);
	check_scalar(r, key, &place);
	place = place_in(m->place, first->value);
	add_pair(r, m, key, read_value(r, value, &place));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Several alternatives are left: name the keys that would tell them apart. */
static void report_ambiguous(struct reader *r, const struct mapping *m)
{
	enum { NAMES_MAX = 64 };
	const char *names[NAMES_MAX];
	size_t count = 0;
	char list[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < m->candidate_count; i++) {
		for (const struct schema_key *key = m->candidates[i]->keys; key->name.at != NULL;
		     key++) {
			bool unique = !key->shy;

			for (size_t j = 0; j < m->candidate_count && unique; j++)
				unique = j == i || find_key(m->candidates[j], key->name) == NULL;
			if (unique && count < NAMES_MAX)
				names[count++] = (const char *)key->name.at;
		}
	}
	qsort(names, count, sizeof *names, by_name);
	for (size_t i = 0; i < count && len < sizeof list; i++)
		len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i > 0 ? ", " : "",
		                        names[i]);
	workflow_problem(r->problems, m->token,
	                 "There's not enough info to determine what you meant. Add one of these "
	                 "properties: %s",
	                 list);
}

static void report_missing(struct reader *r, const struct mapping *m)
{
	for (const struct schema_key *key = m->candidates[0]->keys;
	     key != NULL && key->name.at != NULL; key++) {
		if (key->required && lb_value_find_nocase(m->keys, key->name) == NULL)
			workflow_problem(r->problems, m->token, "Required property is missing: %s",
			                 (const char *)key->name.at);
	}
}

static void read_mapping(struct reader *r, struct workflow_token *token,
                         const struct lb_yaml_node *node, const struct place *place)
{
	struct mapping m = { .token = token, .place = place };

	m.candidate_count = alternatives(m.candidates, place->id, SCHEMA_MAPPING);
	if (m.candidate_count == 0) {
		workflow_problem(r->problems, token, "A mapping was not expected");
		return;
	}
	m.keys = lb_value_object(r->arena);
	token->items = LB_ARENA_NEW(r->arena, const struct workflow_token *, node->count);
	for (uint32_t i = 0; i < node->count && !r->arena->failed && !r->stop; i += 2)
		read_pair(r, &m, node->items[i], node->items[i + 1]);
	if (r->stop || r->arena->failed)
		return;
	if (m.candidate_count > 1)
		report_ambiguous(r, &m);
	else if (!m.has_expression)
		report_missing(r, &m);
}

/* NULL where nothing can be made of it. */
static const struct workflow_token *read_value(struct reader *r, const struct lb_yaml_node *node,
                                               const struct place *place)
{
	struct workflow_token *token;

	if (node->kind == LB_YAML_SCALAR) {
		token = read_scalar(r, node, place);
		if (token == NULL)
			return NULL;
		check_scalar(r, token, place);
		return count_result(r, token) ? token : NULL;
	}
	if (!enter(r))
		return NULL;
	token = token_new(r, node,
	                  node->kind == LB_YAML_SEQUENCE ? WORKFLOW_SEQUENCE : WORKFLOW_MAPPING);
	if (token == NULL || !count_result(r, token))
		return NULL;
	if (token->kind == WORKFLOW_SEQUENCE)
		read_sequence(r, token, node, place);
	else
		read_mapping(r, token, node, place);
	r->depth--;
	return token;
}

/* ---- the file ---- */

/* "line 3, column 5: text" as a problem at that place. */
static void report_yaml(struct problems *problems, const struct lb_diag *diag)
{
	struct workflow_token at = { 0 };
	const char *text = diag->text;
	int behind = 0;

	if (sscanf(text, "line %u, column %u: %n", &at.line, &at.column, &behind) == 2 &&
	    behind > 0)
		text += behind;
	workflow_problem(problems, &at, "%s", text);
}

lb_err workflow_read_tokens(const struct workflow_token **out, size_t *result_bytes,
                            struct lb_arena *arena, struct lb_bytes source, enum schema_id root,
                            const struct reader_limits *limits, struct problems *problems)
{
	static const struct lb_yaml_node nothing = { .kind = LB_YAML_SCALAR,
		                                     .line = 1,
		                                     .column = 1 };
	static const struct reader_limits defaults = { WORKFLOW_FILE_BYTES_MAX, WORKFLOW_DEPTH_MAX,
		                                       RESULT_BYTES_MAX };
	const struct reader_limits *l = limits != NULL ? limits : &defaults;
	struct reader r = { .arena = arena,
		            .problems = problems,
		            .depth_max = l->depth_max,
		            .result_bytes_max = l->result_bytes_max };
	struct lb_yaml_limits yaml_limits = { .bytes_max = l->bytes_max,
		                              .depth_max = YAML_DEPTH_MAX };
	struct place nowhere = { .id = SCHEMA_NONE }, place = place_in(&nowhere, root);
	struct lb_yaml_node *node;
	struct lb_diag diag = { 0 };
	lb_err err;

	*out = NULL;
	if (source.len > l->bytes_max) {
		workflow_problem(problems, NULL,
		                 "The maximum file size of %zu characters has been exceeded",
		                 l->bytes_max);
		return LB_OK;
	}
	err = lb_yaml_read(&node, arena, source, &yaml_limits, &diag);
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (lb_failed(err))
		report_yaml(problems, &diag);
	else
		*out = read_value(&r, node != NULL ? node : &nothing, &place);
	if (r.stop)
		*out = NULL;
	if (result_bytes != NULL)
		*result_bytes = r.result_bytes;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}
