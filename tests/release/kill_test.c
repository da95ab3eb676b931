/* kill_test.c - kill -9 of the real signer at random moments of a publication.
 *
 * From outside there is the old set or the new, never a mix, and a repeat finishes the job.
 */
#include "base/io/file.h"
#include "base/platform/process.h"
#include "tests/release/world.h"

#include <pthread.h>

enum { KILLS = 20, SIZE = 300000, DELAY_US_MAX = 12000 };

struct signer {
	struct world *w;
	struct plat_process process;
};

static bool start(struct signer *s, struct world *w)
{
	struct test *t = w->t;
	const char *ready = world_path(w, "ready");
	const char *program =
		(const char *)lb_arena_format(&w->arena, "%s/lifeboat-release", test_build()).at;
	const char *argv[] = { program,   "signer",       "--state", w->state,   "--policy",
		               w->policy, "--tree",       w->tree,   "--listen", "127.0.0.1:0",
		               "--init",  "--ready-file", ready,     NULL };
	struct plat_spawn how = { .argv = argv, .in = -1, .out = -1, .err = -1 };
	struct lb_buf url;

	*s = (struct signer){ .w = w };
	lb_ignore(plat_host.ops->remove(&plat_host, ready));
	if (lb_failed(plat_spawn(&s->process, &how)))
		return false;
	for (unsigned i = 0; i < 2000 && !lb_file_exists(&plat_host, ready); i++)
		plat_host.ops->sleep_ns(&plat_host, 5000000);
	lb_buf_init(&url, &w->arena.mem, 256);
	CHECK_OK(lb_file_read(&url, &plat_host, ready, NULL));
	(void)snprintf(w->url, sizeof w->url, "%.*s", LB_FMT(lb_bytes_trim(lb_buf_bytes(&url))));
	return true;
}

static void end(struct signer *s)
{
	struct plat_exit status;

	plat_process_signal(&s->process, PLAT_KILL);
	lb_ignore(plat_process_wait(&status, &s->process, UINT64_MAX));
}

/* Kills the signer after a while, from a thread of its own. */
struct killer {
	struct signer *signer;
	uint64_t delay_us;
	pthread_t thread;
};

static void *kill_later(void *ctx)
{
	struct killer *killer = ctx;

	plat_host.ops->sleep_ns(&plat_host, killer->delay_us * 1000);
	plat_process_signal(&killer->signer->process, PLAT_KILL);
	return NULL;
}

/* Every file of a visible release verifies, and all that belongs to it is there. */
static bool is_whole(struct world *w, const char *version)
{
	const char *folder = world_path(w, "tree/lifeboat/snapshot/%s", version);
	const char *argv[] = {
		"sh",
		"-c",
		"cd \"$0\" && sha256sum -c --quiet --strict SHA256SUMS && "
		"for f in lifeboat-*.gz SHA256SUMS provenance.json release.json; do "
		"minisign -V -H -q -p \"$1\" -m \"$f\" || exit 1; done && test -s index.html",
		folder,
		world_path(w, "state/minisign.pub"),
		NULL
	};
	const char *printed;
	int status = world_run(w, &printed, argv);

	if (status != 0)
		printf("# version %s: %s\n", version, printed);
	return status == 0;
}

TEST(a_signer_killed_at_any_moment_leaves_the_old_or_the_new)
{
	char *content = lb_mem_new(&lb_mem_host, SIZE + 1, 1);
	unsigned interrupted = 0, visible = 0;
	struct signer signer;
	struct world w;

	world_begin(&w, t);
	if (!lb_file_exists(&plat_host, (const char *)lb_arena_format(
						&w.arena, "%s/lifeboat-release", test_build())
	                                        .at)) {
		world_end(&w);
		lb_mem_drop(&lb_mem_host, content, SIZE + 1, 1);
		SKIP("lifeboat-release is not built");
	}
	memset(content, 'x', SIZE);
	CHECK(start(&signer, &w));
	CHECK(world_publish(&w, "old", "lifeboat-old.tar.gz", content) == 200);
	for (unsigned i = 0; i < KILLS; i++) {
		struct killer killer = { &signer, test_random(t) % DELAY_US_MAX, 0 };
		char version[32], name[64];
		int status;

		(void)snprintf(version, sizeof version, "new-%u", i);
		(void)snprintf(name, sizeof name, "lifeboat-%u.tar.gz", i);
		CHECK(pthread_create(&killer.thread, NULL, kill_later, &killer) == 0);
		status = world_publish(&w, version, name, content);
		pthread_join(killer.thread, NULL);
		end(&signer);
		interrupted += status != 200;
		CHECK(is_whole(&w, "old"));
		if (lb_file_exists(&plat_host,
		                   world_path(&w, "tree/lifeboat/snapshot/%s", version))) {
			visible += status != 200;
			CHECK(is_whole(&w, version));
		} else {
			CHECK(status != 200); /* what was acknowledged is there */
		}
		CHECK(start(&signer, &w));
		CHECK(world_publish(&w, version, name, content) == 200);
		CHECK(is_whole(&w, version));
	}
	printf("# %u of %d interrupted, %u of them with the new one visible\n", interrupted, KILLS,
	       visible);
	CHECK(interrupted > 0);
	end(&signer);
	world_end(&w);
	lb_mem_drop(&lb_mem_host, content, SIZE + 1, 1);
}
