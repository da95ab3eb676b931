/* lot_test.c - parking: tickets, deadlines in any order, waking from many threads. */
#include "base/http/lot_priv.h"
#include "tests/base/http/raw.h"

#include <unistd.h>

enum { SPOTS = 500, TOPICS = 5, NOBODY_MS = 60000 };

/* A spot that counts how often it was suspended and resumed. */
struct car {
	struct lb_http_spot spot; /* first member */
	_Atomic int suspended, resumed;
	uint64_t resumed_us;
};

static struct car *car_of(struct lb_http_spot *spot) { return (struct car *)(void *)spot; }

static void suspend(struct lb_http_spot *spot) { atomic_fetch_add(&car_of(spot)->suspended, 1); }

static void resume(struct lb_http_spot *spot)
{
	car_of(spot)->resumed_us = raw_now_us();
	atomic_fetch_add(&car_of(spot)->resumed, 1);
}

static const struct lb_http_lot_ops ops = { suspend, resume };

TEST(spot_is_woken_by_its_topic_alone)
{
	struct lb_http_lot *lot;
	struct car a = { 0 }, b = { 0 };

	CHECK_OK(lb_http_lot_new(&lot, t->mem, &plat_host, 2, &ops));
	CHECK(lb_http_lot_park(lot, &a.spot, 1, lb_http_lot_ticket(lot, 1), UINT64_MAX) ==
	      LB_HTTP_PARKED);
	CHECK(lb_http_lot_park(lot, &b.spot, 2, lb_http_lot_ticket(lot, 2), NOBODY_MS) ==
	      LB_HTTP_PARKED);
	lb_http_lot_wake(lot, 3);
	CHECK(a.resumed == 0 && b.resumed == 0 && lb_http_lot_count(lot) == 2);
	lb_http_lot_wake(lot, 2);
	CHECK(a.resumed == 0 && b.resumed == 1 && !b.spot.timed_out);
	lb_http_lot_wake(lot, 1);
	lb_http_lot_wake(lot, 1);
	CHECK(a.resumed == 1 && lb_http_lot_count(lot) == 0);
	lb_http_lot_free(lot);
	lb_http_lot_free(NULL);
}

TEST(ticket_older_than_a_wake_is_turned_away)
{
	struct lb_http_lot *lot;
	struct car car = { 0 };
	uint64_t ticket;

	CHECK_OK(lb_http_lot_new(&lot, t->mem, &plat_host, 1, &ops));
	ticket = lb_http_lot_ticket(lot, 7);
	lb_http_lot_wake(lot, 7);
	CHECK(lb_http_lot_park(lot, &car.spot, 7, ticket, NOBODY_MS) == LB_HTTP_WOKEN_BEFORE);
	CHECK(car.suspended == 0);
	ticket = lb_http_lot_ticket(lot, 7);
	CHECK(lb_http_lot_park(lot, &car.spot, 7, ticket, NOBODY_MS) == LB_HTTP_PARKED);
	CHECK(!lb_http_lot_is_closed(lot));
	lb_http_lot_close(lot);
	CHECK(car.resumed == 1 && lb_http_lot_is_closed(lot));
	CHECK(lb_http_lot_park(lot, &car.spot, 7, lb_http_lot_ticket(lot, 7), NOBODY_MS) ==
	      LB_HTTP_LOT_CLOSED);
	lb_http_lot_free(lot);
}

TEST(spots_time_out_in_order_of_their_deadlines)
{
	static struct car cars[SPOTS];
	struct lb_http_lot *lot;
	uint64_t ms[SPOTS], begun;

	CHECK_OK(lb_http_lot_new(&lot, t->mem, &plat_host, SPOTS, &ops));
	begun = raw_now_us();
	for (int i = 0; i < SPOTS; i++) {
		uint64_t topic = (uint64_t)(i % TOPICS);

		cars[i] = (struct car){ 0 };
		ms[i] = test_random(t) % 200;
		CHECK(lb_http_lot_park(lot, &cars[i].spot, topic, lb_http_lot_ticket(lot, topic),
		                       ms[i]) == LB_HTTP_PARKED);
	}
	lb_http_lot_wake(lot, 3); /* takes them out of the middle of the heap */
	for (int i = 0; i < SPOTS; i++) {
		CHECK(raw_wait_for(&cars[i].resumed, 1));
		CHECK(cars[i].spot.timed_out || i % TOPICS == 3);
		if (cars[i].spot.timed_out) {
			uint64_t took = cars[i].resumed_us - begun;

			CHECK(took >= ms[i] * 1000 && took < ms[i] * 1000 + 200000);
		}
		CHECK(cars[i].resumed == 1 && cars[i].suspended == 1);
	}
	CHECK(lb_http_lot_count(lot) == 0);
	lb_http_lot_free(lot);
}

/* One parks again and again, others wake: every change must be seen. */
struct race {
	struct lb_http_lot *lot;
	_Atomic uint64_t value;
	pthread_t thread;
};

static void *change_often(void *ctx)
{
	struct race *race = ctx;

	for (int i = 0; i < 20000; i++) {
		atomic_fetch_add(&race->value, 1);
		lb_http_lot_wake(race->lot, 9);
	}
	return NULL;
}

TEST(no_wake_is_lost_between_looking_and_parking)
{
	struct race race = { 0 };
	struct car car = { 0 };
	uint64_t seen = 0;
	bool lost = false;

	CHECK_OK(lb_http_lot_new(&race.lot, t->mem, &plat_host, 1, &ops));
	CHECK(pthread_create(&race.thread, NULL, change_often, &race) == 0);
	while (seen < 20000 && !lost) {
		uint64_t ticket = lb_http_lot_ticket(race.lot, 9);
		uint64_t now = atomic_load(&race.value);

		if (now != seen) {
			seen = now;
			continue;
		}
		car.resumed = 0;
		if (lb_http_lot_park(race.lot, &car.spot, 9, ticket, NOBODY_MS) == LB_HTTP_PARKED)
			lost = !raw_wait_for(&car.resumed, 1);
	}
	CHECK(!lost);
	CHECK(pthread_join(race.thread, NULL) == 0);
	lb_http_lot_close(race.lot);
	lb_http_lot_free(race.lot);
}

TEST(lot_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_http_lot *lot;
		lb_err err = lb_http_lot_new(&lot, t->mem, &plat_host, 10, &ops);

		CHECK(lb_failed(err) == t->heap.failed && lb_failed(err) == (lot == NULL));
		lb_http_lot_free(lot);
	}
}
