/* host.c - see host.h. */
#include "release/site/host.h"

#include "base/http/server.h"
#include "base/io/file.h"

struct release_host {
	struct lb_mem *mem;
	struct plat *plat;
	const char *tree;
	struct lb_http_server *server;
};

static const struct {
	const char *ending, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".minisig", "text/plain; charset=utf-8" },
	{ ".pub", "text/plain; charset=utf-8" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ "SHA256SUMS", "text/plain; charset=utf-8" },
	{ ".gz", "application/gzip" },
	{ ".xz", "application/x-xz" },
	{ ".zst", "application/zstd" },
	{ ".zip", "application/zip" },
	{ ".tar", "application/x-tar" },
	{ ".wasm", "application/wasm" },
};

static const char *type_of(struct lb_bytes name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (lb_bytes_ends(name, lb_bytes_of(types[i].ending)))
			return types[i].type;
	}
	return "application/octet-stream";
}

/* Whether each part of the path is plain: there, no link, no name with a dot in front. */
static bool is_plain(struct plat_info *info, const struct release_host *host,
                     struct lb_arena *arena, struct lb_bytes path)
{
	struct lb_bytes rest = path, part;

	if (!lb_path_is_inside(path))
		return false;
	while (lb_bytes_split(&part, &rest, '/')) {
		size_t upto = (size_t)(part.at + part.len - path.at);
		struct lb_bytes here = lb_arena_format(arena, "%s/%.*s", host->tree,
		                                       LB_FMT(lb_bytes_upto(path, upto)));

		if (part.at[0] == '.' || here.at == NULL ||
		    lb_failed(host->plat->ops->info(info, host->plat, (const char *)here.at)) ||
		    (info->type != PLAT_FILE && info->type != PLAT_DIRECTORY))
			return false;
	}
	return true;
}

static void answer_nothing(struct lb_http_exchange *x)
{
	lb_http_answer(x, 404, "text/html; charset=utf-8",
	               LB_B("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	                    "<title>Not found</title><link rel=\"stylesheet\" href=\"/style.css\">"
	                    "</head><body><main><h1>Not found</h1><p>There is nothing here. "
	                    "<a href=\"/\">All releases</a></p></main></body></html>\n"));
}

static void answer_path(struct lb_http_exchange *x, const struct release_host *host,
                        struct lb_bytes path, const struct plat_info *info)
{
	struct lb_bytes full = lb_arena_format(&x->arena, "%s/%.*s", host->tree, LB_FMT(path));
	struct lb_bytes etag =
		lb_arena_format(&x->arena, "\"%llx-%llx\"", (unsigned long long)info->size,
	                        (unsigned long long)info->mtime_ns);

	if (x->arena.failed) {
		lb_http_answer_error(x, lb_err_of(LB_E_NOMEM));
		return;
	}
	lb_http_answer_file(x, type_of(lb_path_name(path)), (const char *)full.at,
	                    (const char *)etag.at);
}

static void redirect(struct lb_http_exchange *x, struct lb_bytes path)
{
	/* Only the last name: a path from the root could begin with two slashes, another host. */
	struct lb_bytes to = lb_arena_format(&x->arena, "./%.*s/", LB_FMT(lb_path_name(path)));

	if (x->arena.failed) {
		lb_http_answer_error(x, lb_err_of(LB_E_NOMEM));
		return;
	}
	lb_http_add_header(x, "Location", (const char *)to.at);
	lb_http_answer(x, 301, "text/plain; charset=utf-8", LB_B("This is a folder.\n"));
}

static void get(struct lb_http_exchange *x, void *ctx)
{
	const struct release_host *host = ctx;
	struct lb_bytes path = lb_http_param(x, "*");
	bool is_folder = path.len == 0 || path.at[path.len - 1] == '/';
	struct plat_info info;
	bool plain;

	if (is_folder)
		path = lb_arena_format(&x->arena, "%.*sindex.html",
		                       path.len > 0 ? (int)path.len : 0,
		                       path.len > 0 ? (const char *)path.at : "");
	plain = is_plain(&info, host, &x->arena, path);
	if (x->arena.failed)
		lb_http_answer_error(x, lb_err_of(LB_E_NOMEM));
	else if (!plain)
		answer_nothing(x);
	else if (info.type == PLAT_DIRECTORY)
		redirect(x, path);
	else
		answer_path(x, host, path, &info);
}

static const struct lb_http_route routes[] = {
	{ "GET", "/", get, 0, NULL, NULL },
	{ "GET", "/*", get, 0, NULL, NULL },
	{ 0 },
};

static const char *const headers[] = {
	"Content-Security-Policy: default-src 'none'; style-src 'self'; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options: nosniff",
	"Referrer-Policy: no-referrer",
	NULL,
};

lb_err release_host_start(struct release_host **out, struct lb_mem *mem, struct plat *plat,
                          const struct release_host_config *config, struct lb_diag *diag)
{
	struct release_host *host = LB_NEW(mem, struct release_host, 1);
	struct lb_http_config http = {
		.address = config->address,
		.port = config->port,
		.routes = routes,
		.ctx = host,
		.headers = headers,
		.log = config->log,
	};
	lb_err err;

	*out = NULL;
	if (host == NULL)
		return lb_err_of(LB_E_NOMEM);
	*host = (struct release_host){ .mem = mem, .plat = plat, .tree = config->tree };
	err = lb_http_server_start(&host->server, mem, plat, &http, diag);
	if (lb_failed(err))
		LB_DROP(mem, host, 1);
	else
		*out = host;
	return err;
}

void release_host_stop(struct release_host *host)
{
	if (host == NULL)
		return;
	lb_http_server_stop(host->server);
	LB_DROP(host->mem, host, 1);
}

uint16_t release_host_port(const struct release_host *host)
{
	return lb_http_server_port(host->server);
}
