/* poll.c - poll_oneoff: wait for clocks and descriptors.
 *
 * All subscriptions are read before any event is written, since the program
 * may have both in one place.
 */
#include "engine/wasi/wasi_priv.h"

enum { SUBSCRIPTION_SIZE = 48, EVENT_SIZE = 32, SUBSCRIPTIONS_MAX = 4096 };

struct subscription {
	uint64_t userdata;
	enum wasi_event_type type;
	enum wasi_errno failed; /* known at once */
	uint64_t left_ns;       /* clocks: until then */
	uint32_t wait;          /* descriptors: index of what is waited for */
};

struct poll {
	struct wasi_call *call;
	struct subscription *subscriptions;
	uint32_t count;
	struct plat_wait *waits; /* room for `count` */
	uint32_t wait_count;
	uint64_t least_ns; /* of the clocks; UINT64_MAX: there is none */
	bool has_failed;
};

/* ---- reading ---- */

static enum wasi_errno read_clock(struct poll *poll, struct subscription *s,
                                  const unsigned char *from)
{
	uint32_t clock = wasi_load_u32(from + 16);
	uint64_t timeout = wasi_load_u64(from + 24), now;
	uint16_t flags = wasi_load_u16(from + 40);

	/* Processor time does not go on while one waits. */
	if (clock >= WASI_CLOCK_COUNT || (flags & ~(unsigned)WASI_SUBCLOCK_ABSTIME) != 0)
		return WASI_EINVAL;
	if (clock != WASI_CLOCK_REALTIME && clock != WASI_CLOCK_MONOTONIC)
		return WASI_ENOTSUP;
	s->left_ns = timeout;
	if ((flags & WASI_SUBCLOCK_ABSTIME) != 0) {
		now = wasi_clock_now(poll->call->wasi, clock);
		s->left_ns = timeout > now ? timeout - now : 0;
	}
	if (s->left_ns < poll->least_ns)
		poll->least_ns = s->left_ns;
	return WASI_OK;
}

static enum wasi_errno read_fd(struct poll *poll, struct subscription *s, const unsigned char *from)
{
	struct plat_wait *wait = &poll->waits[poll->wait_count];
	struct wasi_fd *fd;

	WASI_TRY(wasi_fd_find(&fd, poll->call, wasi_load_u32(from + 16),
	                      WASI_RIGHT_POLL_FD_READWRITE));
	if (poll->wait_count == PLAT_WAITS_MAX)
		return WASI_ENOBUFS;
	*wait = (struct plat_wait){ .file = fd->host,
		                    .read = s->type == WASI_EVENT_FD_READ,
		                    .write = s->type == WASI_EVENT_FD_WRITE };
	s->wait = poll->wait_count++;
	return WASI_OK;
}

static enum wasi_errno read_subscription(struct poll *poll, struct subscription *s,
                                         const unsigned char *from)
{
	unsigned char type = from[8];

	if (type > WASI_EVENT_FD_WRITE)
		return WASI_EINVAL;
	*s = (struct subscription){ .userdata = wasi_load_u64(from),
		                    .type = (enum wasi_event_type)type };
	s->failed =
		s->type == WASI_EVENT_CLOCK ? read_clock(poll, s, from) : read_fd(poll, s, from);
	if (s->failed != WASI_OK)
		poll->has_failed = true;
	return WASI_OK;
}

/* ---- waiting and writing ---- */

static bool has_happened(const struct poll *poll, const struct subscription *s, uint64_t gone_ns)
{
	if (s->failed != WASI_OK)
		return true;
	return s->type == WASI_EVENT_CLOCK ? s->left_ns <= gone_ns : poll->waits[s->wait].ready;
}

static void write_event(const struct poll *poll, const struct subscription *s, unsigned char *to)
{
	const struct plat_wait *wait = &poll->waits[s->wait];
	enum wasi_errno failed = s->failed;

	memset(to, 0, EVENT_SIZE);
	wasi_store_u64(to, s->userdata);
	to[10] = (unsigned char)s->type;
	if (failed == WASI_OK && s->type != WASI_EVENT_CLOCK) {
		/* What hung up can be read to its end. */
		if (wait->failed && !wait->hung_up)
			failed = WASI_EIO;
		wasi_store_u64(to + 16, wait->bytes);
		wasi_store_u16(to + 24, wait->hung_up ? WASI_EVENT_HANGUP : 0);
	}
	wasi_store_u16(to + 8, (uint16_t)failed);
}

static enum wasi_errno wait_and_answer(struct poll *poll, unsigned char *events, uint32_t *happened)
{
	struct wasi *wasi = poll->call->wasi;
	uint64_t start = wasi_clock_now(wasi, WASI_CLOCK_MONOTONIC), gone;

	*happened = 0;
	WASI_TRY(wasi_errno_of(plat_handle_wait(poll->waits, poll->wait_count,
	                                        poll->has_failed ? 0 : poll->least_ns)));
	gone = wasi_clock_now(wasi, WASI_CLOCK_MONOTONIC) - start;
	for (uint32_t i = 0; i < poll->count; i++)
		if (has_happened(poll, &poll->subscriptions[i], gone))
			write_event(poll, &poll->subscriptions[i],
			            events + (size_t)EVENT_SIZE * (*happened)++);
	return WASI_OK;
}

enum wasi_errno wasi_poll_oneoff(struct wasi_call *call, const union engine_value *args)
{
	struct poll poll = { .call = call, .count = args[2].i32, .least_ns = UINT64_MAX };
	unsigned char *from, *events, *answer;
	enum wasi_errno number = WASI_OK;
	uint32_t happened = 0;

	if (poll.count == 0 || poll.count > SUBSCRIPTIONS_MAX)
		return WASI_EINVAL;
	WASI_TRY(wasi_guest(&from, call, args[0].i32, (uint64_t)poll.count * SUBSCRIPTION_SIZE));
	WASI_TRY(wasi_guest(&events, call, args[1].i32, (uint64_t)poll.count * EVENT_SIZE));
	WASI_TRY(wasi_guest(&answer, call, args[3].i32, 4));
	poll.subscriptions = LB_NEW(call->wasi->mem, struct subscription, poll.count);
	poll.waits = LB_NEW(call->wasi->mem, struct plat_wait, poll.count);
	if (poll.subscriptions == NULL || poll.waits == NULL)
		number = WASI_ENOMEM;
	for (uint32_t i = 0; i < poll.count && number == WASI_OK; i++)
		number = read_subscription(&poll, &poll.subscriptions[i],
		                           from + (size_t)i * SUBSCRIPTION_SIZE);
	if (number == WASI_OK)
		number = wait_and_answer(&poll, events, &happened);
	if (number == WASI_OK)
		wasi_store_u32(answer, happened);
	LB_DROP(call->wasi->mem, poll.waits, poll.count);
	LB_DROP(call->wasi->mem, poll.subscriptions, poll.count);
	return number;
}
