/* route_test.c - the compiled table of routes: what is preferred, what is refused. */
#include "base/http/route_priv.h"
#include "tests/harness/test.h"

static void nothing(struct lb_http_exchange *x, void *ctx)
{
	(void)x;
	(void)ctx;
}

#define ROUTE(method_, path_) \
	{ \
		.method = (method_), .path = (path_), .handle = nothing \
	}

static const struct lb_http_route table[] = { ROUTE("GET", "/"),
	                                      ROUTE("GET", "/a"),
	                                      ROUTE("POST", "/a"),
	                                      ROUTE("GET", "/a/:x"),
	                                      ROUTE("DELETE", "/a/:y"),
	                                      ROUTE("GET", "/a/b"),
	                                      ROUTE("GET", "/a/:x/end"),
	                                      ROUTE("GET", "/a/b/c/:z"),
	                                      ROUTE("GET", "/f/*"),
	                                      ROUTE("GET", "/f/g/:h/*"),
	                                      ROUTE("HEAD", "/h"),
	                                      ROUTE("GET", "/h"),
	                                      { 0 } };

TEST(routes_prefer_literals_to_names_and_names_to_the_rest)
{
	static const struct {
		const char *method, *path, *route, *first, *second;
	} cases[] = {
		{ "GET", "/", "/", "", "" },
		{ "GET", "/a", "/a", "", "" },
		{ "HEAD", "/a", "/a", "", "" },
		{ "GET", "/a/b", "/a/b", "", "" },
		{ "GET", "/a/bb", "/a/:x", "bb", "" },
		{ "DELETE", "/a/c", "/a/:y", "c", "" },
		{ "GET", "/a/b/end", "/a/:x/end", "b", "" }, /* back from the literal */
		{ "GET", "/a/b/c/d", "/a/b/c/:z", "d", "" },
		{ "GET", "/f/", "/f/*", "", "" },
		{ "GET", "/f/x/y//z", "/f/*", "x/y//z", "" },
		{ "GET", "/f/g", "/f/*", "g", "" },
		{ "GET", "/f/g/h", "/f/*", "g/h", "" }, /* back from the longer one */
		{ "GET", "/f/g/h/i/j", "/f/g/:h/*", "h", "i/j" },
	};
	struct lb_http_routes *routes;
	struct lb_http_match match;

	CHECK_OK(lb_http_routes_new(&routes, t->mem, table, NULL));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK_OK(lb_http_routes_find(&match, routes, cases[i].method,
		                             lb_bytes_of(cases[i].path)));
		CHECK(match.route != NULL);
		if (match.route == NULL)
			continue;
		CHECK_TEXT(match.route->path, cases[i].route);
		CHECK_BYTES(match.params[0], cases[i].first);
		CHECK_BYTES(match.params[1], cases[i].second);
	}
	lb_http_routes_free(routes);
}

TEST(routes_that_do_not_match_say_how)
{
	static const char *const none[] = { "/b", "/a/", "/a/b/",  "/a/x/other",
		                            "/f", "//",  "/a//end" };
	struct lb_http_routes *routes;
	struct lb_http_match match;

	CHECK_OK(lb_http_routes_new(&routes, t->mem, table, NULL));
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		CHECK(lb_code_of(lb_http_routes_find(&match, routes, "GET",
		                                     lb_bytes_of(none[i]))) == LB_E_NOTFOUND);
	CHECK(lb_code_of(lb_http_routes_find(&match, routes, "PUT", LB_B("/a"))) ==
	      LB_E_UNSUPPORTED);
	CHECK_TEXT(match.allow, "GET, HEAD, POST");
	CHECK(lb_code_of(lb_http_routes_find(&match, routes, "get", LB_B("/a/7"))) ==
	      LB_E_UNSUPPORTED);
	CHECK_TEXT(match.allow, "GET, HEAD, DELETE");
	CHECK(lb_code_of(lb_http_routes_find(&match, routes, "PUT", LB_B("/h"))) ==
	      LB_E_UNSUPPORTED);
	CHECK_TEXT(match.allow, "HEAD, GET");
	lb_http_routes_free(routes);
	lb_http_routes_free(NULL);
}

TEST(routes_know_their_names)
{
	static const struct lb_http_route route = ROUTE("GET", "/a/:one/b/:two/*");

	CHECK(lb_http_route_param(&route, "one") == 0);
	CHECK(lb_http_route_param(&route, "two") == 1);
	CHECK(lb_http_route_param(&route, "*") == 2);
	CHECK(lb_http_route_param(&route, "a") == SIZE_MAX);
	CHECK(lb_http_route_param(&route, "") == SIZE_MAX);
}

TEST(routes_that_are_malformed_are_refused)
{
	static const struct {
		struct lb_http_route routes[3];
		const char *text;
	} cases[] = {
		{ { ROUTE("GET", "a"), { 0 } }, "route GET a: the path must begin with a slash" },
		{ { ROUTE("GET", "/:"), { 0 } }, "route GET /:: a name must follow \":\"" },
		{ { ROUTE("GET", "/*/a"), { 0 } }, "route GET /*/a: \"*\" must be the last part" },
		{ { ROUTE("GET", "/:a"), ROUTE("GET", "/:b"), { 0 } },
		  "route GET /:b: is there twice" },
		{ { ROUTE("GET", "/:a/:b/:c/:d/:e/:f/:g/:h/:i"), { 0 } },
		  "route GET /:a/:b/:c/:d/:e/:f/:g/:h/:i: too many parts" },
	};
	struct lb_http_routes *routes;
	struct lb_diag diag = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK(lb_code_of(lb_http_routes_new(&routes, t->mem, cases[i].routes, &diag)) ==
		      LB_E_INVALID);
		CHECK_TEXT(diag.text, cases[i].text);
		CHECK(routes == NULL);
	}
}

TEST(routes_survive_every_oom)
{
	EACH_OOM (t) {
		struct lb_http_routes *routes;
		lb_err err = lb_http_routes_new(&routes, t->mem, table, NULL);

		CHECK(lb_failed(err) == t->heap.failed && lb_failed(err) == (routes == NULL));
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_http_routes_free(routes);
	}
}
