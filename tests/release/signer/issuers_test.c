/* issuers_test.c - the keys of issuers: fetched, kept, asked for again, and lost. */
#include "base/http/server.h"
#include "release/signer/issuers.h"
#include "tests/release/world.h"

#define SECOND_NS UINT64_C(1000000000)

struct issuer {
	struct world w;
	struct lb_http_server *server;
	struct plat_sim sim;
	const struct release_policy *policy;
	struct release_issuers *issuers;
	unsigned fetched;
	bool broken; /* answers what is no key set */
	char url[64];
};

static void get_jwks(struct lb_http_exchange *x, void *ctx)
{
	struct issuer *i = ctx;
	struct lb_buf jwks;

	i->fetched++;
	lb_buf_init(&jwks, &x->arena.mem, 65536);
	if (i->broken)
		lb_buf_add_text(&jwks, "<html>down for maintenance</html>");
	else
		lb_ignore(lb_token_key_write_public(&jwks, i->w.key));
	lb_http_answer(x, 200, "application/json", lb_buf_bytes(&jwks));
}

static const struct lb_http_route routes[] = {
	{ "GET", "/.well-known/jwks", get_jwks, 0, NULL, NULL },
	{ 0 },
};

static void begin(struct issuer *i, struct test *t)
{
	struct lb_http_config config = { .routes = routes, .ctx = i, .threads = 1 };
	struct lb_bytes text;

	*i = (struct issuer){ 0 };
	world_begin(&i->w, t);
	CHECK_OK(lb_http_server_start(&i->server, &lb_mem_host, &plat_host, &config, NULL));
	(void)snprintf(i->url, sizeof i->url, "http://127.0.0.1:%u",
	               (unsigned)lb_http_server_port(i->server));
	text = lb_arena_format(
		&i->w.arena,
		"{version: 1, audience: " WORLD_AUDIENCE
		", issuers: [{name: here, url: \"%s\"}], publishers: [{issuer: here, "
		"repository: o/n, workflow: w, ref: r, events: [push], project: p, "
		"channels: [c], files: [f]}]}",
		i->url);
	CHECK_OK(release_policy_read(&i->policy, &i->w.arena, text, NULL));
	plat_sim_init(&i->sim, 1);
	CHECK_OK(release_issuers_new(&i->issuers, &lb_mem_host, &i->sim.plat, i->policy, "."));
}

static void end(struct issuer *i)
{
	release_issuers_free(i->issuers);
	if (i->server != NULL)
		lb_http_server_stop(i->server);
	world_end(&i->w);
}

/* A fresh token, verified. */
static enum lb_code verify(struct issuer *i, struct lb_diag *diag)
{
	struct claim claim = { "iss", i->url };
	const struct release_issuer *issuer;
	struct lb_value *claims;

	i->w.now_s = i->sim.plat.ops->wall_ns(&i->sim.plat) / SECOND_NS;
	return lb_code_of(release_issuers_verify(&claims, &issuer, i->issuers, &i->w.arena,
	                                         lb_bytes_of(world_token(&i->w, &claim, 1)), diag));
}

TEST(keys_are_fetched_once_and_kept)
{
	struct issuer i;

	begin(&i, t);
	for (unsigned n = 0; n < 5; n++)
		CHECK(verify(&i, NULL) == LB_E_NONE);
	CHECK(i.fetched == 1);
	end(&i);
}

TEST(a_new_key_is_asked_for_but_not_at_every_bad_token)
{
	struct lb_token_key *old;
	struct issuer i;

	begin(&i, t);
	CHECK(verify(&i, NULL) == LB_E_NONE);
	old = i.w.key;
	CHECK_OK(lb_token_key_generate(&i.w.key, &lb_mem_host));
	for (unsigned n = 0; n < 5; n++)
		CHECK(verify(&i, NULL) == LB_E_DENIED);
	CHECK(i.fetched == 1);
	i.sim.now += 11 * SECOND_NS;
	CHECK(verify(&i, NULL) == LB_E_NONE);
	CHECK(i.fetched == 2);
	lb_token_key_free(old);
	end(&i);
}

TEST(keys_outlive_their_issuer_by_an_hour)
{
	struct lb_diag diag = { 0 };
	struct issuer i;

	begin(&i, t);
	CHECK(verify(&i, NULL) == LB_E_NONE);
	lb_http_server_stop(i.server);
	i.server = NULL;
	i.sim.now += 3500 * SECOND_NS;
	CHECK(verify(&i, NULL) == LB_E_NONE);
	i.sim.now += 200 * SECOND_NS;
	CHECK(verify(&i, &diag) == LB_E_NETWORK);
	CHECK(strstr(diag.text, "the keys of the issuer http://127.0.0.1") != NULL);
	end(&i);
}

TEST(what_is_no_key_set_is_not_taken)
{
	struct lb_diag diag = { 0 };
	struct issuer i;

	begin(&i, t);
	i.broken = true;
	CHECK(verify(&i, &diag) == LB_E_NETWORK);
	CHECK(strstr(diag.text, "cannot be had") != NULL);
	i.broken = false;
	CHECK(verify(&i, NULL) == LB_E_NONE);
	end(&i);
}
