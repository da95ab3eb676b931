/* vec_test.c - growable arrays: growth, the maximum, memory running out. */
#include "base/vec.h"
#include "tests/harness/test.h"

struct pair {
	uint32_t a, b;
};

TEST(vec_grows_with_zeroed_items)
{
	struct lb_vec vec;

	lb_vec_init(&vec, t->mem, sizeof(struct pair), 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		struct pair *pair = lb_vec_add(&vec);

		CHECK(pair != NULL && pair->a == 0 && pair->b == 0);
		if (pair != NULL)
			*pair = (struct pair){ i, ~i };
	}
	CHECK(vec.count == 1000 && LB_VEC_AT(&vec, struct pair, 777)->a == 777);
	CHECK(!lb_failed(lb_vec_check(&vec)));
	lb_vec_release(&vec);
	CHECK(vec.count == 0 && lb_vec_add(&vec) != NULL); /* usable again */
	lb_vec_release(&vec);
}

TEST(vec_stops_at_its_maximum_and_stays_failed)
{
	struct lb_vec vec;

	lb_vec_init(&vec, t->mem, 1, 3);
	for (int i = 0; i < 3; i++)
		CHECK(lb_vec_add(&vec) != NULL);
	CHECK(lb_vec_add(&vec) == NULL && lb_vec_add(&vec) == NULL && vec.count == 3);
	CHECK(lb_code_of(lb_vec_check(&vec)) == LB_E_LIMIT && lb_where(lb_vec_check(&vec)) == 3);
	lb_vec_release(&vec);
	vec = (struct lb_vec){ 0 };
	lb_vec_release(&vec);
}

TEST(vec_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_vec vec;
		size_t good = 0;

		lb_vec_init(&vec, t->mem, sizeof(struct pair), 100);
		for (int i = 0; i < 100; i++)
			good += lb_vec_add(&vec) != NULL;
		CHECK(good == vec.count && (good == 100) == !t->heap.failed);
		CHECK(lb_code_of(lb_vec_check(&vec)) == (t->heap.failed ? LB_E_NOMEM : LB_E_NONE));
		lb_vec_release(&vec);
	}
}
