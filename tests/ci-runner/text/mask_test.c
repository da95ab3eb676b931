/* mask_test.c - no secret shows, whatever it is and however the stream was cut. */
#include "base/text.h"
#include "ci-runner/text/mask.h"
#include "tests/harness/test.h"

static void hide(struct lb_buf *out, struct runner_mask *mask, const char *text)
{
	size_t covered = 0;
	struct lb_bytes exact = test_exact(lb_bytes_of(text));

	lb_buf_reset(out);
	(void)runner_mask_apply(mask, out, &covered, exact, true);
	test_exact_free(exact);
}

struct masking {
	struct runner_mask *mask;
	struct lb_buf out;
};

static bool begin(struct test *t, struct masking *m)
{
	lb_buf_init(&m->out, t->mem, 1 << 20);
	return CHECK_OK(runner_mask_new(&m->mask, t->mem));
}

static void end(struct masking *m)
{
	runner_mask_free(m->mask);
	lb_buf_release(&m->out);
}

#define CHECK_HIDDEN(text, want) \
	do { \
		hide(&m.out, m.mask, (text)); \
		CHECK_BYTES(lb_buf_bytes(&m.out), (want)); \
	} while (0)

TEST(a_secret_is_hidden_in_all_its_forms)
{
	struct masking m;

	if (begin(t, &m)) {
		CHECK_OK(runner_mask_add(m.mask, LB_B("p@ss \"word\"")));
		CHECK_HIDDEN("", "");
		CHECK_HIDDEN("nothing", "nothing");
		CHECK_HIDDEN("p@ss \"word\"", "***");
		CHECK_HIDDEN("ap@ss \"word\"b", "a***b");
		CHECK_HIDDEN("q=p%40ss%20%22word%22&", "q=***&");
		CHECK_HIDDEN("{\"a\":\"p@ss \\\"word\\\"\"}", "{\"a\":\"***\"}");
		/* printf 'p@ss "word"' | base64 */
		CHECK_HIDDEN("cEBzcyAid29yZCI=", "***");
	}
	end(&m);
}

TEST(base64_of_a_text_around_a_secret_is_hidden)
{
	static const char secret[] = "correct-horse-battery";
	struct masking m;

	if (begin(t, &m)) {
		CHECK_OK(runner_mask_add(m.mask, lb_bytes_of(secret)));
		for (size_t before = 0; before < 7; before++) {
			struct lb_buf plain, coded;
			size_t covered = 0;

			lb_buf_init(&plain, t->mem, 4096);
			lb_buf_init(&coded, t->mem, 4096);
			lb_buf_addf(&plain, "%.*s%s and more", (int)before, "user:xy", secret);
			lb_base64_add(&coded, lb_buf_bytes(&plain));
			lb_buf_reset(&m.out);
			(void)runner_mask_apply(m.mask, &m.out, &covered, lb_buf_bytes(&coded),
			                        true);
			CHECK(lb_bytes_find(lb_buf_bytes(&m.out), LB_B("***")) != SIZE_MAX);
			/* What is left of the code is what stood around, and two mixed characters.
			 */
			CHECK(m.out.len <= coded.len - (sizeof secret - 1) * 4 / 3 + 5);
			lb_buf_release(&coded);
			lb_buf_release(&plain);
		}
	}
	end(&m);
}

TEST(lines_of_a_secret_are_secrets)
{
	struct masking m;

	if (begin(t, &m)) {
		CHECK_OK(runner_mask_add(m.mask,
		                         LB_B("-----BEGIN KEY-----\r\nabcdef\n\n  \nghijkl\n")));
		CHECK_HIDDEN("x abcdef y ghijkl z", "x *** y *** z");
		CHECK_HIDDEN("-----BEGIN KEY-----", "***");
		CHECK_HIDDEN("a  b", "a  b");
	}
	end(&m);
}

TEST(overlapping_secrets_are_one)
{
	struct masking m;

	if (begin(t, &m)) {
		CHECK_OK(runner_mask_add(m.mask, LB_B("abcd")));
		CHECK_OK(runner_mask_add(m.mask, LB_B("cdef")));
		CHECK_OK(runner_mask_add(m.mask, LB_B("abcdefgh")));
		CHECK_HIDDEN("abcdef", "***");
		CHECK_HIDDEN("xabcdefy", "x***y");
		CHECK_HIDDEN("abcdefgh", "***");
		CHECK_HIDDEN("abcdabcd", "******");
		CHECK_OK(runner_mask_add(m.mask, LB_B("zz")));
		CHECK_HIDDEN("zzz zzzz", "*** ***");
		CHECK_OK(runner_mask_add(m.mask, LB_B("Q")));
		CHECK_HIDDEN("Q1Q", "***1***");
	}
	end(&m);
}

TEST(blank_secrets_hide_nothing)
{
	struct masking m;

	if (begin(t, &m)) {
		CHECK_OK(runner_mask_add(m.mask, LB_B("")));
		CHECK_OK(runner_mask_add(m.mask, LB_B(" \n\t\n")));
		CHECK_HIDDEN("a b\tc", "a b\tc");
	}
	end(&m);
}

TEST(a_secret_has_a_greatest_length)
{
	static unsigned char large[RUNNER_SECRET_BYTES_MAX + 1];
	struct masking m;

	memset(large, 'x', sizeof large);
	if (begin(t, &m)) {
		CHECK(lb_code_of(runner_mask_add(
			      m.mask, (struct lb_bytes){ large, sizeof large })) == LB_E_LIMIT);
		CHECK_OK(runner_mask_add(m.mask, (struct lb_bytes){ large, sizeof large - 1 }));
	}
	end(&m);
}

static size_t random_text(struct test *t, char *to, size_t max, const char *alphabet)
{
	size_t len = 1 + test_random(t) % max;

	for (size_t i = 0; i < len; i++)
		to[i] = alphabet[test_random(t) % strlen(alphabet)];
	to[len] = '\0';
	return len;
}

/* Random secrets of few letters (so that they overlap), random text, cut at random places: what
 * comes out is the same as uncut, and holds no secret. */
TEST(cutting_changes_nothing)
{
	for (unsigned round = 0; round < 400; round++) {
		char secrets[5][16], text[400];
		size_t count = 1 + test_random(t) % 5, len, at = 0, covered = 0;
		struct lb_buf cut, kept;
		struct masking m;

		if (!begin(t, &m)) {
			end(&m);
			return;
		}
		for (size_t i = 0; i < count; i++) {
			(void)random_text(t, secrets[i], 14, "abc");
			CHECK_OK(runner_mask_add(m.mask, lb_bytes_of(secrets[i])));
		}
		len = random_text(t, text, 390, test_random(t) % 2 ? "abcx" : "ab");
		hide(&m.out, m.mask, text);

		lb_buf_init(&cut, t->mem, 1 << 16);
		lb_buf_init(&kept, t->mem, 1 << 16);
		while (at < len) {
			size_t part = 1 + test_random(t) % 20, took;

			if (part > len - at)
				part = len - at;
			lb_buf_add(&kept, (struct lb_bytes){ (unsigned char *)text + at, part });
			at += part;
			took = runner_mask_apply(m.mask, &cut, &covered, lb_buf_bytes(&kept),
			                         false);
			lb_buf_consume(&kept, took);
		}
		(void)runner_mask_apply(m.mask, &cut, &covered, lb_buf_bytes(&kept), true);
		CHECK_BYTES(lb_buf_bytes(&cut), lb_buf_text(&m.out));
		for (size_t i = 0; i < count; i++)
			CHECK(lb_bytes_find(lb_buf_bytes(&cut), lb_bytes_of(secrets[i])) ==
			      SIZE_MAX);
		lb_buf_release(&kept);
		lb_buf_release(&cut);
		end(&m);
	}
}

TEST(masks_survive_every_oom)
{
	EACH_OOM (t) {
		struct runner_mask *mask;
		lb_err err = runner_mask_new(&mask, t->mem);

		if (!lb_failed(err)) {
			err = runner_mask_add(mask, LB_B("first secret"));
			if (!lb_failed(err))
				err = runner_mask_add(mask, LB_B("second\nsecret"));
		}
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		runner_mask_free(mask);
	}
}
