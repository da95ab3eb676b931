/* route.c - see route_priv.h. */
#include "base/http/route_priv.h"

/* The routes of one path: one for each method, in the order of the table. */
struct method {
	const struct lb_http_route *route;
	struct method *next;
};

struct node {
	struct lb_bytes segment;
	struct node *literals, *next; /* first child, sibling */
	struct node *param, *rest;    /* the child for ":name", for "*" */
	struct method *methods;
	const char *allow;
};

struct lb_http_routes {
	struct lb_mem *mem;
	struct lb_arena arena;
	struct node root;
};

static bool is_param(struct lb_bytes part) { return part.len > 1 && part.at[0] == ':'; }

static struct node **literal_at(struct node *parent, struct lb_bytes segment)
{
	struct node **at = &parent->literals;

	while (*at != NULL && !lb_bytes_eq((*at)->segment, segment))
		at = &(*at)->next;
	return at;
}

/* The child for one part of a pattern, made when it is not there. */
static struct node *child(struct lb_http_routes *routes, struct node *parent, struct lb_bytes part)
{
	struct node **at = is_param(part)           ? &parent->param
	                   : lb_bytes_is(part, "*") ? &parent->rest
	                                            : literal_at(parent, part);

	if (*at == NULL) {
		*at = LB_ARENA_NEW(&routes->arena, struct node, 1);
		if (*at != NULL)
			(*at)->segment = part;
	}
	return *at;
}

static lb_err bad_route(struct lb_diag *diag, const struct lb_http_route *route, const char *why)
{
	return lb_fail(diag, LB_E_INVALID, "route %s %s: %s", route->method, route->path, why);
}

static lb_err add_method(struct lb_http_routes *routes, struct node *node,
                         const struct lb_http_route *route, struct lb_diag *diag)
{
	struct method **at = &node->methods;

	while (*at != NULL) {
		if (strcmp((*at)->route->method, route->method) == 0)
			return bad_route(diag, route, "is there twice");
		at = &(*at)->next;
	}
	*at = LB_ARENA_NEW(&routes->arena, struct method, 1);
	if (*at == NULL)
		return lb_err_of(LB_E_NOMEM);
	(*at)->route = route;
	return LB_OK;
}

static lb_err add_route(struct lb_http_routes *routes, const struct lb_http_route *route,
                        struct lb_diag *diag)
{
	struct lb_bytes rest = lb_bytes_of(route->path), part;
	struct node *node = &routes->root;
	size_t parts = 0, params = 0;
	bool ended = false;

	if (rest.len == 0 || rest.at[0] != '/')
		return bad_route(diag, route, "the path must begin with a slash");
	rest = lb_bytes_from(rest, 1);
	while (lb_bytes_split(&part, &rest, '/')) {
		if (ended)
			return bad_route(diag, route, "\"*\" must be the last part");
		if (lb_bytes_is(part, ":"))
			return bad_route(diag, route, "a name must follow \":\"");
		ended = lb_bytes_is(part, "*");
		params += ended || is_param(part);
		if (++parts > LB_HTTP_PARTS_MAX || params > LB_HTTP_PARAMS_MAX)
			return bad_route(diag, route, "too many parts");
		node = child(routes, node, part);
		if (node == NULL)
			return lb_err_of(LB_E_NOMEM);
	}
	return add_method(routes, node, route, diag);
}

static const struct lb_http_route *of_method(const struct node *node, const char *method)
{
	for (const struct method *m = node->methods; m != NULL; m = m->next) {
		if (strcmp(m->route->method, method) == 0)
			return m->route;
	}
	return NULL;
}

/* The Allow header of every path that has one, written when the table is compiled. */
static void write_allow(struct lb_http_routes *routes, struct node *node)
{
	struct lb_bytes text = { 0 };

	for (const struct method *m = node->methods; m != NULL; m = m->next) {
		bool heads =
			strcmp(m->route->method, "GET") == 0 && of_method(node, "HEAD") == NULL;

		text = lb_arena_format(&routes->arena, "%.*s%s%s%s", LB_FMT(text),
		                       text.len > 0 ? ", " : "", m->route->method,
		                       heads ? ", HEAD" : "");
	}
	node->allow = (const char *)text.at;
	for (struct node *c = node->literals; c != NULL; c = c->next)
		write_allow(routes, c);
	if (node->param != NULL)
		write_allow(routes, node->param);
	if (node->rest != NULL)
		write_allow(routes, node->rest);
}

lb_err lb_http_routes_new(struct lb_http_routes **out, struct lb_mem *mem,
                          const struct lb_http_route *table, struct lb_diag *diag)
{
	struct lb_http_routes *routes = LB_NEW(mem, struct lb_http_routes, 1);
	lb_err err = LB_OK;

	*out = NULL;
	if (routes == NULL)
		return lb_err_of(LB_E_NOMEM);
	routes->mem = mem;
	lb_arena_init(&routes->arena, mem);
	for (; table->method != NULL && !lb_failed(err); table++)
		err = add_route(routes, table, diag);
	if (!lb_failed(err)) {
		write_allow(routes, &routes->root);
		err = routes->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
	}
	if (lb_failed(err)) {
		lb_http_routes_free(routes);
		return err;
	}
	*out = routes;
	return LB_OK;
}

void lb_http_routes_free(struct lb_http_routes *routes)
{
	if (routes == NULL)
		return;
	lb_arena_release(&routes->arena);
	LB_DROP(routes->mem, routes, 1);
}

/* The node of a path with at least one method.  Recursion is as deep as the deepest route; `path`
 * is what stands behind a slash. */
static const struct node *find(struct lb_http_match *match, const struct node *node,
                               struct lb_bytes path)
{
	size_t slash = lb_bytes_find_byte(path, '/'), params = match->param_count;
	struct lb_bytes segment = lb_bytes_upto(path, slash);
	struct lb_bytes rest = lb_bytes_from(path, slash == SIZE_MAX ? path.len : slash + 1);
	const struct node *tries[2] = { NULL, segment.len > 0 ? node->param : NULL };

	for (tries[0] = node->literals; tries[0] != NULL; tries[0] = tries[0]->next) {
		if (lb_bytes_eq(tries[0]->segment, segment))
			break;
	}
	for (size_t i = 0; i < 2; i++) {
		const struct node *hit = tries[i];

		match->param_count = params;
		if (hit == NULL)
			continue;
		if (i == 1)
			match->params[match->param_count++] = segment;
		if (slash != SIZE_MAX)
			hit = find(match, hit, rest);
		if (hit != NULL && hit->methods != NULL)
			return hit;
	}
	match->param_count = params;
	if (node->rest != NULL)
		match->params[match->param_count++] = path;
	return node->rest;
}

lb_err lb_http_routes_find(struct lb_http_match *out, const struct lb_http_routes *routes,
                           const char *method, struct lb_bytes path)
{
	const struct node *node;

	*out = (struct lb_http_match){ 0 };
	node = find(out, &routes->root, lb_bytes_from(path, 1));
	if (node == NULL)
		return lb_err_of(LB_E_NOTFOUND);
	out->allow = node->allow;
	out->route = of_method(node, method);
	if (out->route == NULL && strcmp(method, "HEAD") == 0)
		out->route = of_method(node, "GET");
	return out->route != NULL ? LB_OK : lb_err_of(LB_E_UNSUPPORTED);
}

size_t lb_http_route_param(const struct lb_http_route *route, const char *name)
{
	struct lb_bytes rest = lb_bytes_from(lb_bytes_of(route->path), 1), part;
	size_t index = 0;

	while (lb_bytes_split(&part, &rest, '/')) {
		bool all = lb_bytes_is(part, "*");

		if (!all && !is_param(part))
			continue;
		if (lb_bytes_is(all ? part : lb_bytes_from(part, 1), name))
			return index;
		index++;
	}
	return SIZE_MAX;
}
