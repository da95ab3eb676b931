/* service.c - see service.h.
 *
 * The address stands in contexts and tokens, so the server listens before the
 * queue is made; until it is, every request is answered 503.
 */
#include "coordinator/api/service.h"

#include "base/data/json.h"
#include "base/io/file.h"
#include "coordinator/logs/log.h"

#include <stdio.h>

enum {
	LEASE_MS = 15000,
	POLL_MS = 20000,
	THREADS = 4,
	KEY_BYTES_MAX = 65536,
	TOKEN_KEY_BYTES = 32,
	TICKS_A_LEASE = 20,
	TICK_MS_MAX = 250
};

struct coord_service {
	struct coord_api api;
	struct coord_service_config config;
	struct lb_arena arena; /* empty objects for what the configuration lacks */
	int lock;              /* -1: none */
	unsigned char token_key[TOKEN_KEY_BYTES];
	char state[COORD_PATH_SIZE];

	pthread_t clock;
	pthread_mutex_t clock_lock; /* over `stops` */
	pthread_cond_t clock_wake;
	bool clock_runs, stops;
};

/* ---- the state folder ---- */

static lb_err path_of(char out[COORD_PATH_SIZE], const struct coord_service *service,
                      const char *name, struct lb_diag *diag)
{
	if ((size_t)snprintf(out, COORD_PATH_SIZE, "%s/%s", service->state, name) <
	    COORD_PATH_SIZE - 256)
		return LB_OK;
	return lb_fail(diag, LB_E_LIMIT, "%s: the path is too long", service->state);
}

static lb_err make_folder(char out[COORD_PATH_SIZE], const struct coord_service *service,
                          const char *name, struct lb_diag *diag)
{
	LB_TRY(path_of(out, service, name, diag));
	return lb_file_make_folders(service->api.plat, out, diag);
}

static lb_err open_folder(struct coord_service *service, struct lb_diag *diag)
{
	struct coord_api *api = &service->api;
	char path[COORD_PATH_SIZE];
	lb_err err;

	LB_TRY(lb_file_make_folders(api->plat, service->state, diag));
	/* What is in it is for its owner alone. */
	LB_TRY(api->plat->ops->set_mode(api->plat, service->state, 0700));
	LB_TRY(path_of(path, service, "lock", diag));
	err = lb_file_lock(&service->lock, path, diag);
	if (lb_code_of(err) == LB_E_BUSY)
		lb_diag_set(diag, "%s: another coordinator is using this state folder",
		            service->state);
	if (lb_failed(err)) {
		service->lock = -1;
		return err;
	}
	LB_TRY(make_folder(api->logs, service, "logs", diag));
	LB_TRY(make_folder(api->repositories, service, "repositories", diag));
	LB_TRY(path_of(path, service, "temporary", diag));
	LB_TRY(lb_file_remove_tree(api->plat, path, diag)); /* what a killed one left */
	return make_folder(api->temporary, service, "temporary", diag);
}

/* ---- keys ---- */

/* What the file holds; made by `make` when it is not there. */
static lb_err read_secret(struct lb_buf *out, struct coord_service *service, const char *name,
                          lb_err (*make)(struct lb_buf *out, struct coord_service *service),
                          struct lb_diag *diag)
{
	struct plat *plat = service->api.plat;
	char path[COORD_PATH_SIZE];
	lb_err err;

	LB_TRY(path_of(path, service, name, diag));
	err = lb_file_read(out, plat, path, diag);
	if (lb_code_of(err) != LB_E_NOTFOUND)
		return err;
	LB_TRY(make(out, service));
	LB_TRY(lb_buf_check(out));
	return lb_file_write(plat, path, lb_buf_bytes(out), PLAT_PRIVATE, diag);
}

static lb_err make_identity(struct lb_buf *out, struct coord_service *service)
{
	struct lb_token_key *key = NULL;
	lb_err err = lb_token_key_generate(&key, service->api.mem);

	if (!lb_failed(err))
		err = lb_token_key_write(out, key);
	lb_token_key_free(key);
	return err;
}

static lb_err make_token_key(struct lb_buf *out, struct coord_service *service)
{
	unsigned char *to = lb_buf_reserve(out, TOKEN_KEY_BYTES);

	if (to == NULL)
		return lb_buf_check(out);
	LB_TRY(service->api.plat->ops->entropy(to, service->api.plat, TOKEN_KEY_BYTES));
	out->len += TOKEN_KEY_BYTES;
	return LB_OK;
}

static lb_err open_identity(struct coord_service *service, struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, service->api.mem, KEY_BYTES_MAX);
	err = read_secret(&text, service, "identity.jwk", make_identity, diag);
	if (!lb_failed(err))
		err = lb_token_key_read(&service->api.identity, service->api.mem,
		                        lb_buf_bytes(&text), diag);
	if (text.at != NULL)
		explicit_bzero(text.at, text.len);
	lb_buf_release(&text);
	return err;
}

static lb_err open_token_key(struct coord_service *service, struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, service->api.mem, KEY_BYTES_MAX);
	err = read_secret(&text, service, "job-token-key", make_token_key, diag);
	if (!lb_failed(err) && text.len != TOKEN_KEY_BYTES)
		err = lb_fail(diag, LB_E_MALFORMED, "%s/job-token-key: expected %d bytes, got %zu",
		              service->state, TOKEN_KEY_BYTES, text.len);
	if (!lb_failed(err))
		memcpy(service->token_key, text.at, TOKEN_KEY_BYTES);
	if (text.at != NULL)
		explicit_bzero(text.at, text.len);
	lb_buf_release(&text);
	return err;
}

/* ---- the server ---- */

/* "http://ADDRESS:PORT", or as the operator says. */
static lb_err set_address(struct coord_service *service, struct lb_diag *diag)
{
	struct coord_api *api = &service->api;
	const char *host = service->config.address;
	bool six = strchr(host, ':') != NULL;
	int len;

	if (service->config.url != NULL)
		len = snprintf(api->address, sizeof api->address, "%s", service->config.url);
	else
		len = snprintf(api->address, sizeof api->address, "http://%s%s%s:%u",
		               six ? "[" : "", host, six ? "]" : "",
		               (unsigned)lb_http_server_port(api->server));
	if (len < 0 || (size_t)len >= sizeof api->address)
		return lb_fail(diag, LB_E_LIMIT, "the address is longer than %d bytes",
		               COORD_ADDRESS_SIZE - 1);
	while (len > 0 && api->address[len - 1] == '/')
		api->address[--len] = '\0';
	coord_store_set_address(api->store, api->address);
	return LB_OK;
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static lb_err start_server(struct coord_service *service, struct lb_diag *diag)
{
	struct coord_api *api = &service->api;
	struct lb_http_config config = {
		.address = service->config.address,
		.port = service->config.port,
		.routes = coord_api_routes,
		.ctx = api,
		.threads = THREADS,
		.headers = coord_api_headers,
		.log = service->config.log,
	};

	api->loopback = is_loopback(service->config.address);
	LB_TRY(lb_http_server_start(&api->server, api->mem, api->plat, &config, diag));
	return set_address(service, diag);
}

static void wake(void *ctx, uint64_t topic)
{
	struct coord_api *api = ctx;

	if (api->server != NULL)
		lb_http_wake(api->server, topic);
}

static lb_err open_queue(struct coord_service *service, struct lb_diag *diag)
{
	struct coord_api *api = &service->api;
	struct lb_value *empty = lb_value_object(&service->arena);
	struct coord_queue_config config = {
		.plat = api->plat,
		.store = api->store,
		.logs = api->logs,
		.repositories = api->repositories,
		.address = api->address,
		.token_key = { service->token_key, TOKEN_KEY_BYTES },
		.lease_ms = api->lease_ms,
		.poll_ms = api->poll_ms,
		.env = service->config.env != NULL ? service->config.env : empty,
		.secrets = service->config.secrets != NULL ? service->config.secrets : empty,
		.vars = service->config.vars != NULL ? service->config.vars : empty,
		.wake = wake,
		.wake_ctx = api,
		.log = service->config.log,
	};

	if (service->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return coord_queue_new(&api->queue, api->mem, &config, diag);
}

/* ---- the clock ---- */

static bool wait_a_tick(struct coord_service *service, uint64_t ms)
{
	struct timespec until;
	bool stops;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += (time_t)(ms / 1000) + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_mutex_lock(&service->clock_lock);
	if (!service->stops)
		(void)pthread_cond_timedwait(&service->clock_wake, &service->clock_lock, &until);
	stops = service->stops;
	(void)pthread_mutex_unlock(&service->clock_lock);
	return !stops;
}

static void *run_clock(void *ctx)
{
	struct coord_service *service = ctx;
	uint64_t ms = service->api.lease_ms / TICKS_A_LEASE;

	ms = ms < 1 ? 1 : ms > TICK_MS_MAX ? TICK_MS_MAX : ms;
	while (wait_a_tick(service, ms)) {
		lb_err err = coord_queue_tick(service->api.queue);

		/* What could not be done is tried again with the next tick. */
		if (lb_failed(err))
			lb_log(service->config.log, LB_LOG_ERROR, "the clock's work failed",
			       LB_FIELD("why", lb_err_text(err)));
	}
	return NULL;
}

static lb_err start_clock(struct coord_service *service)
{
	if (pthread_create(&service->clock, NULL, run_clock, service) != 0)
		return lb_err_of(LB_E_NOMEM);
	service->clock_runs = true;
	return LB_OK;
}

static void stop_clock(struct coord_service *service)
{
	if (!service->clock_runs)
		return;
	(void)pthread_mutex_lock(&service->clock_lock);
	service->stops = true;
	(void)pthread_cond_signal(&service->clock_wake);
	(void)pthread_mutex_unlock(&service->clock_lock);
	(void)pthread_join(service->clock, NULL);
}

/* ---- life ---- */

static void init_locks(struct coord_service *service)
{
	pthread_condattr_t monotonic;

	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&service->clock_wake, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	(void)pthread_mutex_init(&service->clock_lock, NULL);
	(void)pthread_mutex_init(&service->api.children_lock, NULL);
	(void)pthread_cond_init(&service->api.children_over, NULL);
}

static lb_err start(struct coord_service *service, struct lb_diag *diag)
{
	struct coord_api *api = &service->api;
	char blobs[COORD_PATH_SIZE];

	LB_TRY(open_folder(service, diag));
	LB_TRY(coord_store_open(&api->store, api->mem, api->plat, service->state, diag));
	LB_TRY(path_of(blobs, service, "blobs", diag));
	LB_TRY(cache_store_open(&api->blobs, api->mem, api->plat, blobs, diag));
	LB_TRY(open_identity(service, diag));
	LB_TRY(open_token_key(service, diag));
	LB_TRY(coord_api_load_tokens(api, diag));
	LB_TRY(start_server(service, diag));
	LB_TRY(open_queue(service, diag));
	LB_TRY(start_clock(service));
	atomic_store(&api->ready, true);
	return LB_OK;
}

lb_err coord_service_start(struct coord_service **out, struct lb_mem *mem,
                           const struct coord_service_config *config, struct lb_diag *diag)
{
	struct coord_service *service = LB_NEW(mem, struct coord_service, 1);
	struct coord_api *api;
	lb_err err;

	*out = NULL;
	if (service == NULL)
		return lb_err_of(LB_E_NOMEM);
	service->config = *config;
	service->config.address = config->address != NULL ? config->address : "127.0.0.1";
	service->lock = -1;
	lb_arena_init(&service->arena, mem);
	init_locks(service);
	api = &service->api;
	api->mem = mem;
	api->plat = config->plat;
	api->log = config->log;
	api->state = service->state;
	api->lease_ms = config->lease_ms != 0 ? config->lease_ms : LEASE_MS;
	api->poll_ms = config->poll_ms != 0 ? config->poll_ms : POLL_MS;
	if ((size_t)snprintf(service->state, sizeof service->state, "%s", config->state) >=
	    sizeof service->state)
		err = lb_fail(diag, LB_E_LIMIT, "%s: the path is too long", config->state);
	else
		err = start(service, diag);
	if (lb_failed(err)) {
		coord_service_stop(service);
		return err;
	}
	*out = service;
	return LB_OK;
}

void coord_service_stop(struct coord_service *service)
{
	struct coord_api *api;

	if (service == NULL)
		return;
	api = &service->api;
	stop_clock(service);
	if (api->server != NULL)
		lb_http_server_stop(api->server);
	api->server = NULL;
	coord_api_wait_for_git(api);
	coord_queue_free(api->queue);
	lb_token_key_free(api->identity);
	cache_store_close(api->blobs);
	coord_store_close(api->store);
	if (service->lock >= 0)
		lb_file_unlock(service->lock);
	explicit_bzero(service->token_key, sizeof service->token_key);
	lb_arena_release(&service->arena);
	(void)pthread_mutex_destroy(&service->clock_lock);
	(void)pthread_cond_destroy(&service->clock_wake);
	(void)pthread_mutex_destroy(&api->children_lock);
	(void)pthread_cond_destroy(&api->children_over);
	LB_DROP(api->mem, service, 1);
}

struct coord_api *coord_service_api(struct coord_service *service) { return &service->api; }

const char *coord_service_address(const struct coord_service *service)
{
	return service->api.address;
}
