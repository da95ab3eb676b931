/* service_priv.h - what the parts of the service share.
 *
 * `lock` of the options is held while the link is used; `mutex` guards what is marked.  Never both
 * in the other order.
 */
#ifndef RUNNER_GITHUB_SERVICE_PRIV_H
#define RUNNER_GITHUB_SERVICE_PRIV_H

#include "ci-runner/github/service.h"

#include "base/git/repo.h"
#include "base/http/server.h"
#include "base/platform/plat.h"
#include "base/vec.h"

enum {
	RUNNER_GITHUB_FILES_MAX = 100000,
	RUNNER_GITHUB_SECRET_SIZE = 33,
	RUNNER_GITHUB_JSON_BYTES_MAX = 16 * 1024 * 1024
};

enum runner_github_file_kind { RUNNER_GITHUB_ARTIFACT, RUNNER_GITHUB_CACHE, RUNNER_GITHUB_TO_GET };

/* A file on its way: an upload, or a download that was announced. */
struct runner_github_file {
	uint64_t id;
	char secret[RUNNER_GITHUB_SECRET_SIZE]; /* in its address */
	enum runner_github_file_kind kind;
	struct lb_bytes name,
		version; /* artifact; cache key and version; of TO_GET: what to fetch */
	enum runner_github_file_kind of; /* of TO_GET */
	const char *path;                /* where it is gathered */
	bool done;
};

struct runner_github {
	struct lb_mem *mem;
	struct plat *plat;
	struct runner_github_options options;
	struct lb_http_server *server;
	char *runtime_token;
	size_t runtime_token_size;
	struct lb_bytes owner, name; /* of the repository */
	struct lb_arena texts;       /* borrowed by the above */

	pthread_mutex_t mutex;
	/* guarded */
	struct lb_arena arena;
	struct lb_vec files;     /* of struct runner_github_file * */
	struct lb_value *queued; /* array of strings */
	struct lb_repo *repo;    /* the job's own; NULL: not opened so far */
	const char *repo_path;
	uint64_t next_id;
};

/* ---- service.c ---- */
lb_err runner_github_check_token(struct lb_http_exchange *x, void *ctx);
lb_err runner_github_check_open(struct lb_http_exchange *x, void *ctx);
/* The body as JSON, in the exchange's arena; false when it was answered that it is none. */
bool runner_github_body(struct lb_value **out, struct lb_http_exchange *x);
/* {"message": ..., "documentation_url": ""} */
void runner_github_refuse(struct lb_http_exchange *x, int status, const char *message);
/* "http://HOST" as the request said it. */
const char *runner_github_base(struct lb_http_exchange *x);
struct lb_bytes runner_github_context(const struct runner_github *g, const char *name);
/* A name in the service's folder. */
const char *runner_github_path(struct runner_github *g, struct lb_arena *arena, const char *kind);

/* ---- files.c ---- */
lb_err runner_github_file_add(struct runner_github_file **out, struct runner_github *g,
                              enum runner_github_file_kind kind, struct lb_bytes name,
                              struct lb_bytes version);
struct runner_github_file *runner_github_file_find(struct runner_github *g,
                                                   enum runner_github_file_kind kind,
                                                   struct lb_bytes name, struct lb_bytes version);
struct runner_github_file *runner_github_file_at(struct runner_github *g, uint64_t id);
const char *runner_github_file_url(struct lb_http_exchange *x,
                                   const struct runner_github_file *file);
/* A body that is written to a file as it comes; x->state is its. */
lb_err runner_github_receive(struct lb_http_exchange *x, struct runner_github *g, const char *path,
                             uint64_t at, struct lb_bytes part);
void runner_github_send_file(struct lb_http_exchange *x, struct runner_github *g, const char *type,
                             const char *path);

/* ---- results.c ---- */
/* Give an uploaded entry to the link; its file is gone afterwards.  EXISTS. */
lb_err runner_github_keep_cache(struct runner_github *g, struct runner_github_file *file,
                                struct lb_diag *diag);
/* By the first key, then by the others as beginnings.  NOTFOUND. */
lb_err runner_github_find_cache(struct runner_found *out, struct lb_http_exchange *x,
                                struct runner_github *g, const struct lb_value *keys,
                                struct lb_bytes version);
/* An address for what was found. */
lb_err runner_github_offer_cache(const char **url, struct lb_http_exchange *x,
                                 struct runner_github *g, const struct runner_found *found);

/* ---- repository.c ---- */
/* The job's own repository, to be read under `mutex`; NULL with *err where it cannot be had. */
struct lb_repo *runner_github_repo(lb_err *err, struct runner_github *g, struct lb_diag *diag);
/* Does it answer?  `rest` is the path behind /repos/OWNER/NAME/. */
bool runner_github_read_repository(struct lb_http_exchange *x, struct runner_github *g,
                                   struct lb_bytes rest);
struct lb_value *runner_github_repository_value(struct lb_http_exchange *x,
                                                struct runner_github *g);

#define ROUTE(method, path, handler, access) lb_http_handler runner_github_##handler;
#define ALSO(method, path, handler, access)
#define UPLOAD(method, path, handler, access) \
	lb_http_handler runner_github_##handler; \
	lb_http_receiver runner_github_##handler##_receive;
#include "ci-runner/github/routes.def"
#undef ROUTE
#undef ALSO
#undef UPLOAD

#endif
