/* proc.c - arguments, environment, clocks, chance, the end of the program. */
#include "base/platform/clock.h"
#include "engine/wasi/wasi_priv.h"

#include <sched.h>

/* ---- arguments and environment ---- */

static enum wasi_errno put_sizes(struct wasi_call *call, const struct wasi_strings *strings,
                                 const union engine_value *args)
{
	WASI_TRY(wasi_put_u32(call, args[0].i32, strings->count));
	return wasi_put_u32(call, args[1].i32, strings->size);
}

static enum wasi_errno put_strings(struct wasi_call *call, const struct wasi_strings *strings,
                                   const union engine_value *args)
{
	uint32_t text_at = args[1].i32;
	unsigned char *pointers, *text;

	WASI_TRY(wasi_guest(&pointers, call, args[0].i32, (uint64_t)strings->count * 4));
	WASI_TRY(wasi_guest(&text, call, text_at, strings->size));
	for (uint32_t i = 0; i < strings->count; i++) {
		struct lb_bytes string = strings->at[i];

		wasi_store_u32(pointers + (size_t)i * 4, text_at);
		memcpy(text, string.at, string.len);
		text += string.len;
		text_at += (uint32_t)string.len;
	}
	return WASI_OK;
}

enum wasi_errno wasi_args_sizes_get(struct wasi_call *call, const union engine_value *args)
{
	return put_sizes(call, &call->wasi->args, args);
}

enum wasi_errno wasi_args_get(struct wasi_call *call, const union engine_value *args)
{
	return put_strings(call, &call->wasi->args, args);
}

enum wasi_errno wasi_environ_sizes_get(struct wasi_call *call, const union engine_value *args)
{
	return put_sizes(call, &call->wasi->env, args);
}

enum wasi_errno wasi_environ_get(struct wasi_call *call, const union engine_value *args)
{
	return put_strings(call, &call->wasi->env, args);
}

/* ---- clocks ---- */

uint64_t wasi_clock_now(struct wasi *wasi, uint32_t clock)
{
	switch ((enum wasi_clock_id)clock) {
	case WASI_CLOCK_REALTIME: return wasi->plat->ops->wall_ns(wasi->plat);
	case WASI_CLOCK_MONOTONIC: return wasi->plat->ops->now_ns(wasi->plat);
	case WASI_CLOCK_PROCESS: return plat_clock_process_ns();
	case WASI_CLOCK_THREAD: return plat_clock_thread_ns();
	case WASI_CLOCK_COUNT: break;
	}
	return 0;
}

enum wasi_errno wasi_clock_res_get(struct wasi_call *call, const union engine_value *args)
{
	static const enum plat_clock clocks[WASI_CLOCK_COUNT] = {
		[WASI_CLOCK_REALTIME] = PLAT_CLOCK_WALL,
		[WASI_CLOCK_MONOTONIC] = PLAT_CLOCK_MONOTONIC,
		[WASI_CLOCK_PROCESS] = PLAT_CLOCK_PROCESS,
		[WASI_CLOCK_THREAD] = PLAT_CLOCK_THREAD,
	};

	if (args[0].i32 >= WASI_CLOCK_COUNT)
		return WASI_EINVAL;
	return wasi_put_u64(call, args[1].i32, plat_clock_resolution_ns(clocks[args[0].i32]));
}

enum wasi_errno wasi_clock_time_get(struct wasi_call *call, const union engine_value *args)
{
	if (args[0].i32 >= WASI_CLOCK_COUNT)
		return WASI_EINVAL;
	return wasi_put_u64(call, args[2].i32, wasi_clock_now(call->wasi, args[0].i32));
}

/* ---- the rest ---- */

enum wasi_errno wasi_random_get(struct wasi_call *call, const union engine_value *args)
{
	struct plat *plat = call->wasi->plat;
	unsigned char *to;

	WASI_TRY(wasi_guest(&to, call, args[0].i32, args[1].i32));
	return wasi_errno_of(plat->ops->entropy(to, plat, args[1].i32));
}

enum wasi_errno wasi_sched_yield(struct wasi_call *call, const union engine_value *args)
{
	(void)call;
	(void)args;
	(void)sched_yield(); /* cannot fail */
	return WASI_OK;
}

enum wasi_errno wasi_proc_exit(struct wasi_call *call, const union engine_value *args)
{
	call->end = engine_trap_exit(args[0].i32);
	return WASI_OK;
}

/* There are no signals. */
enum wasi_errno wasi_proc_raise(struct wasi_call *call, const union engine_value *args)
{
	(void)call;
	(void)args;
	return WASI_ENOTSUP;
}
