/* target_fuzz.c - request targets, routes, ranges and tags: pure functions that strangers feed. */
#include "base/http/route_priv.h"
#include "base/http/server_priv.h"
#include "base/http/target_priv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len);

static void nothing(struct lb_http_exchange *x, void *ctx)
{
	(void)x;
	(void)ctx;
}

static const struct lb_http_route table[] = {
	{ .method = "GET", .path = "/", .handle = nothing },
	{ .method = "GET", .path = "/a/:x", .handle = nothing },
	{ .method = "PUT", .path = "/a/b/:y/c", .handle = nothing },
	{ .method = "GET", .path = "/a/:x/:y/:z", .handle = nothing },
	{ .method = "GET", .path = "/a/*", .handle = nothing },
	{ 0 }
};

/* A parameter is a part of the path. */
static void check_match(const struct lb_http_match *match, struct lb_bytes path)
{
	for (size_t i = 0; i < match->param_count; i++) {
		const unsigned char *from = match->params[i].at;

		if (from < path.at || from + match->params[i].len > path.at + path.len)
			abort();
	}
}

static void check_target(struct lb_arena *arena, struct lb_bytes input,
                         const struct lb_http_routes *routes)
{
	struct lb_http_target target;
	struct lb_http_match match;
	struct lb_diag diag = { 0 };
	struct lb_bytes path, decoded;
	lb_err err = lb_http_target_read(&target, arena, input, &diag);

	if (lb_failed(err) && diag.text[0] == '\0')
		abort();
	if (lb_failed(err))
		return;
	path = lb_bytes_of(target.path);
	if (!lb_failed(lb_http_routes_find(&match, routes, "GET", path)))
		check_match(&match, path);
	err = lb_http_decode(&decoded, arena, path, false, &diag);
	if (!lb_failed(err) && lb_bytes_find_byte(decoded, '\0') != SIZE_MAX)
		abort();
}

/* A range that is granted lies within the file. */
static void check_range(struct lb_bytes input)
{
	static const uint64_t sizes[] = { 0, 1, 10, 1u << 20, UINT64_MAX / 2 };

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		uint64_t offset, len;
		enum lb_http_range range = lb_http_range_read(&offset, &len, input, sizes[i]);

		if (range == LB_HTTP_RANGE_PART &&
		    (len == 0 || offset >= sizes[i] || len > sizes[i] - offset))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len)
{
	struct lb_bytes input = { at, len };
	struct lb_http_routes *routes;
	struct lb_arena arena;

	if (lb_failed(lb_http_routes_new(&routes, &lb_mem_host, table, NULL)))
		return 0;
	lb_arena_init(&arena, &lb_mem_host);
	check_target(&arena, input, routes);
	check_range(input);
	(void)lb_http_etag_matches(input, LB_B("\"tag\""));
	lb_arena_release(&arena);
	lb_http_routes_free(routes);
	return 0;
}
