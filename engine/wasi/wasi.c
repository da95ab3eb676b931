/* wasi.c - see wasi.h: what a program is given, and how its calls arrive. */
#include "base/platform/dir.h"
#include "engine/wasi/wasi_priv.h"

static const struct wasi_func funcs[] = {
#define FUNC(name_, signature_) { #name_, signature_, wasi_##name_ },
#include "engine/wasi/func.def"
#undef FUNC
};

static const struct wasi_func net_funcs[] = {
#define NET(name_, signature_) { #name_, signature_, wasi_net_##name_ },
#include "engine/wasi/net.def"
#undef NET
};

enum {
	FUNC_COUNT = sizeof funcs / sizeof funcs[0],
	NET_COUNT = sizeof net_funcs / sizeof net_funcs[0]
};

/* ---- what the program is given ---- */

static lb_err copy_strings(struct wasi_strings *out, struct lb_arena *arena,
                           const char *const *strings, size_t count)
{
	uint64_t size = 0;

	out->at = LB_ARENA_NEW(arena, struct lb_bytes, count);
	if (out->at == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < count; i++) {
		out->at[i] = lb_arena_bytes(arena, lb_bytes_of(strings[i]));
		if (arena->failed)
			return lb_err_of(LB_E_NOMEM);
		out->at[i].len++; /* the terminator, which is there */
		size += out->at[i].len;
	}
	if (count > UINT32_MAX / 4 || size > UINT32_MAX)
		return lb_err_at(LB_E_LIMIT, UINT32_MAX);
	out->count = (uint32_t)count;
	out->size = (uint32_t)size;
	return LB_OK;
}

static lb_err add_stream(struct wasi *wasi, uint32_t number, int host)
{
	static const uint64_t others = ~(uint64_t)(WASI_RIGHT_FD_READ | WASI_RIGHT_FD_WRITE);
	struct wasi_fd *fd = lb_vec_add(&wasi->fds);
	struct plat_stat stat;

	if (fd == NULL)
		return lb_vec_check(&wasi->fds);
	/* A number that is not open on the host is not open here. */
	if (host < 0 || lb_failed(plat_handle_stat(&stat, host)))
		return LB_OK;
	*fd = (struct wasi_fd){ .in_use = true, .host = host, .type = wasi_filetype_of(stat.node) };
	fd->rights = wasi_rights_of(fd->type) &
	             (others | (number == 0 ? WASI_RIGHT_FD_READ : WASI_RIGHT_FD_WRITE));
	return LB_OK;
}

static lb_err add_socket(struct wasi *wasi, int host)
{
	struct wasi_fd *fd = lb_vec_add(&wasi->fds);
	struct plat_stat stat;

	if (fd == NULL)
		return lb_vec_check(&wasi->fds);
	LB_TRY(plat_handle_stat(&stat, host));
	*fd = (struct wasi_fd){ .in_use = true, .host = host, .type = wasi_filetype_of(stat.node) };
	fd->rights = wasi_rights_of(fd->type);
	return LB_OK;
}

static lb_err add_streams(struct wasi *wasi, const int *streams)
{
	for (uint32_t i = 0; i < 3; i++)
		LB_TRY(add_stream(wasi, i, streams != NULL ? streams[i] : (int)i));
	return LB_OK;
}

static const char *why_not_granted(lb_err err)
{
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return "there is no such folder";
	if (lb_code_of(err) == LB_E_UNSUPPORTED)
		return "this system cannot keep a program inside a folder (it lacks openat2)";
	return lb_err_text(err);
}

/* Behind the streams, also where one of those is not there: from 3 on is where programs look. */
static lb_err add_grant(struct wasi *wasi, const struct wasi_grant *grant, bool is_free,
                        struct lb_diag *diag)
{
	struct wasi_fd *fd = lb_vec_add(&wasi->fds);
	struct lb_bytes name = lb_arena_bytes(&wasi->arena, lb_bytes_of(grant->guest));
	lb_err err;
	int host;

	if (fd == NULL)
		return lb_vec_check(&wasi->fds);
	if (wasi->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	err = plat_dir_open_root(&host, grant->host);
	if (lb_failed(err)) {
		lb_diag_set(diag, "%s: %s", grant->host, why_not_granted(err));
		return err;
	}
	*fd = (struct wasi_fd){ .in_use = true,
		                .owned = true,
		                .read_only = grant->read_only,
		                .free = is_free,
		                .host = host,
		                .type = WASI_FILETYPE_DIRECTORY,
		                .rights = WASI_RIGHTS_DIRECTORY,
		                .inheriting = WASI_RIGHTS_ALL,
		                .granted_as = name };
	return LB_OK;
}

static const struct wasi_grant everything[] = { { "/", "/", false }, { ".", ".", false } };

static lb_err set_up(struct wasi *wasi, const struct wasi_options *options, struct lb_diag *diag)
{
	LB_TRY(copy_strings(&wasi->args, &wasi->arena, options->args, options->arg_count));
	LB_TRY(copy_strings(&wasi->env, &wasi->arena, options->env, options->env_count));
	LB_TRY(add_streams(wasi, options->streams));
	for (size_t i = 0; i < options->socket_count; i++)
		LB_TRY(add_socket(wasi, options->sockets[i]));
	for (size_t i = 0; i < options->grant_count; i++)
		LB_TRY(add_grant(wasi, &options->grants[i], false, diag));
	for (size_t i = 0; i < 2 && options->allow_host_fs; i++)
		LB_TRY(add_grant(wasi, &everything[i], true, diag));
	wasi->allow_net = options->allow_net;
	wasi->trace = options->trace;
	wasi->trace_ctx = options->trace_ctx;
	wasi->bindings = LB_ARENA_NEW(&wasi->arena, struct wasi_binding, FUNC_COUNT + NET_COUNT);
	if (wasi->bindings == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < FUNC_COUNT; i++)
		wasi->bindings[i] = (struct wasi_binding){ wasi, &funcs[i] };
	for (size_t i = 0; i < NET_COUNT; i++)
		wasi->bindings[FUNC_COUNT + i] = (struct wasi_binding){ wasi, &net_funcs[i] };
	return LB_OK;
}

lb_err wasi_new(struct wasi **out, struct lb_mem *mem, struct plat *plat,
                const struct wasi_options *options, struct lb_diag *diag)
{
	static const struct wasi_options nothing = { 0 };
	struct wasi *wasi = LB_NEW(mem, struct wasi, 1);
	lb_err err;

	*out = NULL;
	if (wasi == NULL)
		return lb_err_of(LB_E_NOMEM);
	wasi->mem = mem;
	wasi->plat = plat;
	lb_arena_init(&wasi->arena, mem);
	lb_vec_init(&wasi->fds, mem, sizeof(struct wasi_fd), WASI_FDS_MAX);
	err = set_up(wasi, options != NULL ? options : &nothing, diag);
	if (lb_failed(err))
		wasi_free(wasi);
	else
		*out = wasi;
	return err;
}

void wasi_free(struct wasi *wasi)
{
	if (wasi == NULL)
		return;
	for (size_t i = 0; i < wasi->fds.count; i++)
		wasi_fd_close_host(wasi, LB_VEC_AT(&wasi->fds, struct wasi_fd, i));
	lb_vec_release(&wasi->fds);
	lb_arena_release(&wasi->arena);
	LB_DROP(wasi->mem, wasi, 1);
}

/* ---- calls ---- */

static lb_err call_func(void *ctx, struct engine_instance *caller, const union engine_value *args,
                        union engine_value *results)
{
	const struct wasi_binding *binding = ctx;
	struct wasi_call call = { .wasi = binding->wasi };
	enum wasi_errno number;

	if (caller != NULL)
		call.memory = engine_instance_find_memory(caller, LB_B("memory"));
	number = binding->func->run(&call, args);
	if (call.wasi->trace != NULL)
		call.wasi->trace(call.wasi->trace_ctx, binding->func->name,
		                 binding->func->signature, args,
		                 lb_failed(call.end) ? "the end" : wasi_errno_name(number));
	if (lb_failed(call.end)) /* proc_exit, the one without a result */
		return call.end;
	results[0].i32 = (uint32_t)number;
	return LB_OK;
}

lb_err wasi_link(struct wasi *wasi, struct engine_linker *linker)
{
	for (size_t i = 0; i < FUNC_COUNT; i++)
		LB_TRY(engine_linker_add_func(linker, LB_B("wasi_snapshot_preview1"),
		                              lb_bytes_of(funcs[i].name), funcs[i].signature,
		                              call_func, &wasi->bindings[i]));
	for (size_t i = 0; i < NET_COUNT && wasi->allow_net; i++)
		LB_TRY(engine_linker_add_func(linker, LB_B("lifeboat_net"),
		                              lb_bytes_of(net_funcs[i].name),
		                              net_funcs[i].signature, call_func,
		                              &wasi->bindings[FUNC_COUNT + i]));
	return LB_OK;
}
