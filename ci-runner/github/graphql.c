/* graphql.c - the little GraphQL that `gh` asks of a repository: fields of objects we know.
 *
 * A query's selections are walked over values of ours: what is not there is null.  Mutations are
 * refused: only GitHub can do them, and what they would answer is not known.
 */
#include "ci-runner/github/service_priv.h"

enum { DEPTH_MAX = 32 };

struct reader {
	struct lb_http_exchange *x;
	struct runner_github *g;
	struct lb_bytes rest;
	const struct lb_value *variables;
	unsigned depth;
	bool bad;
};

/* ---- words ---- */

static void skip_blanks(struct reader *r)
{
	while (r->rest.len > 0) {
		unsigned char byte = r->rest.at[0];

		if (byte == '#')
			r->rest = lb_bytes_from(r->rest, lb_bytes_find_byte(r->rest, '\n'));
		else if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == ',')
			r->rest = lb_bytes_from(r->rest, 1);
		else
			return;
	}
}

static bool next_is(struct reader *r, unsigned char byte)
{
	skip_blanks(r);
	if (r->rest.len == 0 || r->rest.at[0] != byte)
		return false;
	r->rest = lb_bytes_from(r->rest, 1);
	return true;
}

static struct lb_bytes word(struct reader *r)
{
	size_t len = 0;
	struct lb_bytes out;

	skip_blanks(r);
	while (len < r->rest.len) {
		unsigned char byte = r->rest.at[len];

		if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') &&
		    !(byte >= '0' && byte <= '9') && byte != '_')
			break;
		len++;
	}
	out = lb_bytes_upto(r->rest, len);
	r->rest = lb_bytes_from(r->rest, len);
	if (len == 0)
		r->bad = true;
	return out;
}

/* Skip over "(...)", strings within it included; a variable or number of `name` is kept. */
static struct lb_bytes arguments(struct reader *r, const char *name)
{
	struct lb_bytes wanted = { 0 };
	unsigned depth = 1;

	if (!next_is(r, '('))
		return wanted;
	while (depth > 0 && !r->bad) {
		skip_blanks(r);
		if (r->rest.len == 0) {
			r->bad = true;
		} else if (next_is(r, '(') || next_is(r, '{') || next_is(r, '[')) {
			depth++;
		} else if (next_is(r, ')') || next_is(r, '}') || next_is(r, ']')) {
			depth--;
		} else if (next_is(r, '"')) {
			size_t end = lb_bytes_find_byte(r->rest, '"');

			r->rest = lb_bytes_from(r->rest, end == SIZE_MAX ? end : end + 1);
		} else if (next_is(r, ':') || next_is(r, '$') || next_is(r, '!') ||
		           next_is(r, '=') || next_is(r, '-') || next_is(r, '.')) {
			continue;
		} else {
			struct lb_bytes key = word(r);

			if (depth == 1 && lb_bytes_is(key, name) && next_is(r, ':')) {
				bool variable = next_is(r, '$');
				struct lb_bytes value = word(r);

				wanted = value;
				if (variable) {
					const struct lb_value *given =
						lb_value_find(r->variables, value);

					wanted = given != NULL && given->kind == LB_NUMBER
					                 ? lb_arena_format(&r->x->arena, "%.0f",
					                                   given->number)
					         : given != NULL && given->kind == LB_STRING
					                 ? given->string
					                 : (struct lb_bytes){ 0 };
				}
			}
		}
	}
	return wanted;
}

/* ---- values ---- */

static struct lb_value *pull_value(struct reader *r)
{
	static const struct {
		const char *name, *as;
	} same[] = {
		{ "number", "number" }, { "title", "title" },         { "body", "body" },
		{ "url", "html_url" },  { "isDraft", "draft" },       { "createdAt", "created_at" },
		{ "id", "node_id" },    { "mergeable", "mergeable" },
	};
	struct lb_arena *arena = &r->x->arena;
	const struct lb_value *pull =
		lb_value_get(lb_value_get(r->g->options.github, "event"), "pull_request");
	const struct lb_value *base = lb_value_get(pull, "base"),
			      *head = lb_value_get(pull, "head");
	const struct lb_value *labels = lb_value_get(pull, "labels");
	struct lb_value *out, *list;

	if (pull == NULL)
		return NULL;
	out = lb_value_object(arena);
	list = lb_value_object(arena);
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		const struct lb_value *value = lb_value_get(pull, same[i].as);

		if (value != NULL)
			lb_value_put(arena, out, same[i].name, lb_value_copy(arena, value));
	}
	lb_value_set_string(arena, out, "baseRefName", lb_value_get_string(base, "ref"));
	lb_value_set_string(arena, out, "headRefName", lb_value_get_string(head, "ref"));
	lb_value_set_string(arena, out, "baseRefOid", lb_value_get_string(base, "sha"));
	lb_value_set_string(arena, out, "headRefOid", lb_value_get_string(head, "sha"));
	lb_value_set_text(arena, out, "state",
	                  lb_bytes_is(lb_value_get_string(pull, "state"), "closed") ? "CLOSED"
	                                                                            : "OPEN");
	if (labels != NULL)
		lb_value_put(arena, list, "nodes", lb_value_copy(arena, labels));
	lb_value_put(arena, out, "labels", list);
	if (lb_value_get(pull, "user") != NULL)
		lb_value_put(arena, out, "author",
		             lb_value_copy(arena, lb_value_get(pull, "user")));
	return out;
}

static struct lb_value *repository_value(struct reader *r)
{
	struct lb_arena *arena = &r->x->arena;
	struct lb_value *rest = runner_github_repository_value(r->x, r->g);
	struct lb_value *out = lb_value_object(arena), *branch = lb_value_object(arena);
	struct lb_value *pulls = lb_value_object(arena), *nodes = lb_value_array(arena);
	struct lb_value *pull = pull_value(r);

	lb_value_set_string(arena, out, "id", runner_github_context(r->g, "repository_id"));
	lb_value_set_string(arena, out, "name", r->g->name);
	lb_value_set_string(arena, out, "nameWithOwner", runner_github_context(r->g, "repository"));
	lb_value_put(arena, out, "owner", lb_value_copy(arena, lb_value_get(rest, "owner")));
	lb_value_set_string(arena, out, "url", lb_value_get_string(rest, "html_url"));
	lb_value_set_string(arena, branch, "name", lb_value_get_string(rest, "default_branch"));
	lb_value_put(arena, out, "defaultBranchRef", branch);
	if (pull != NULL) {
		lb_value_add(arena, nodes, pull);
		lb_value_put(arena, out, "pullRequest", pull);
	}
	lb_value_set_number(arena, pulls, "totalCount", nodes->count);
	lb_value_put(arena, pulls, "nodes", nodes);
	lb_value_put(arena, out, "pullRequests", pulls);
	return out;
}

static struct lb_value *root_value(struct reader *r)
{
	struct lb_arena *arena = &r->x->arena;
	struct lb_value *out = lb_value_object(arena), *viewer = lb_value_object(arena);

	lb_value_set_string(arena, viewer, "login", runner_github_context(r->g, "actor"));
	lb_value_put(arena, out, "viewer", viewer);
	lb_value_put(arena, out, "repository", repository_value(r));
	return out;
}

/* ---- selections ---- */

static struct lb_value *select_fields(struct reader *r, const struct lb_value *from);

static struct lb_value *select_value(struct reader *r, const struct lb_value *value)
{
	struct lb_value *out;
	struct lb_bytes again = r->rest;

	if (value == NULL || value->kind == LB_NULL) {
		(void)select_fields(r, NULL);
		return lb_value_null(&r->x->arena);
	}
	if (value->kind != LB_ARRAY)
		return select_fields(r, value);
	out = lb_value_array(&r->x->arena);
	(void)select_fields(r, NULL);
	for (uint32_t i = 0; i < value->count && !r->bad; i++) {
		r->rest = again;
		lb_value_add(&r->x->arena, out, select_fields(r, value->items[i]));
	}
	return out;
}

static void select_field(struct reader *r, struct lb_value *out, const struct lb_value *from)
{
	struct lb_bytes name = word(r), alias = name, number;
	const struct lb_value *value;
	struct lb_bytes look;

	if (next_is(r, ':'))
		name = word(r);
	number = arguments(r, "number");
	value = lb_value_find(from, name);
	if (lb_bytes_is(name, "pullRequest") && number.len > 0 &&
	    !lb_bytes_eq(number, lb_arena_format(&r->x->arena, "%.0f",
	                                         lb_value_get_number(value, "number"))))
		value = NULL;
	while (next_is(r, '@')) {
		(void)word(r);
		(void)arguments(r, "");
	}
	skip_blanks(r);
	look = lb_bytes_upto(r->rest, 1);
	if (lb_bytes_is(look, "{"))
		lb_value_set(&r->x->arena, out, alias, select_value(r, value));
	else
		lb_value_set(&r->x->arena, out, alias,
		             value != NULL ? lb_value_copy(&r->x->arena, value)
		                           : lb_value_null(&r->x->arena));
}

/* "...on TYPE {": its fields are taken as the object's own; "...NAME" is one defined elsewhere. */
static void select_fragment(struct reader *r, struct lb_value *out, const struct lb_value *from);

static struct lb_value *select_fields(struct reader *r, const struct lb_value *from)
{
	struct lb_value *out = lb_value_object(&r->x->arena);

	if (++r->depth > DEPTH_MAX || !next_is(r, '{'))
		r->bad = true;
	while (!r->bad && !next_is(r, '}')) {
		if (next_is(r, '.'))
			select_fragment(r, out, from);
		else
			select_field(r, out, from);
	}
	r->depth--;
	return out;
}

static void select_fragment(struct reader *r, struct lb_value *out, const struct lb_value *from)
{
	struct lb_bytes name, again;
	struct lb_value *fields;

	r->bad = !next_is(r, '.') || !next_is(r, '.');
	name = word(r);
	again = r->rest;
	if (lb_bytes_is(name, "on")) {
		(void)word(r);
		again = (struct lb_bytes){ 0 };
	} else {
		struct lb_bytes head =
			lb_arena_format(&r->x->arena, "fragment %.*s ", LB_FMT(name));
		size_t at = lb_bytes_find(r->rest, head);

		if (at == SIZE_MAX) {
			r->bad = true;
			return;
		}
		r->rest = lb_bytes_from(r->rest, at + head.len);
		(void)word(r); /* on */
		(void)word(r);
	}
	fields = select_fields(r, from);
	for (uint32_t i = 0; i < fields->count; i++)
		lb_value_set(&r->x->arena, out, fields->members[i].key, fields->members[i].value);
	if (again.at != NULL)
		r->rest = again;
}

void runner_github_graphql(struct lb_http_exchange *x, void *ctx)
{
	struct lb_value *body, *answer = lb_value_object(&x->arena);
	struct reader r = { .x = x, .g = ctx };

	if (!runner_github_body(&body, x))
		return;
	r.rest = lb_value_get_string(body, "query");
	r.variables = lb_value_get(body, "variables");
	skip_blanks(&r);
	if (lb_bytes_starts(r.rest, LB_B("mutation"))) {
		runner_github_refuse(x, 501, "mutations can only be done on GitHub");
		return;
	}
	if (lb_bytes_starts(r.rest, LB_B("query"))) {
		(void)word(&r);
		skip_blanks(&r);
		if (r.rest.len > 0 && r.rest.at[0] != '{' && r.rest.at[0] != '(')
			(void)word(&r);
		(void)arguments(&r, "");
	}
	lb_value_put(&x->arena, answer, "data", select_fields(&r, root_value(&r)));
	if (r.bad)
		runner_github_refuse(x, 400, "Problems parsing the query");
	else
		lb_http_answer_json(x, 200, answer);
}
