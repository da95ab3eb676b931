/* world.h - a signer of a test's own, with an issuer whose tokens the test mints.
 *
 *   struct world w;
 *   world_begin(&w, t);
 *   world_token(&w, &(struct claim){ "ref", "refs/heads/evil" }, 1)
 *   world_post(&w, "/v1/releases", token, body)   status in w.status, body in w.answer
 *   world_end(&w);
 */
#ifndef LB_TESTS_RELEASE_WORLD_H
#define LB_TESTS_RELEASE_WORLD_H

#include "base/data/token.h"
#include "base/http/client.h"
#include "release/signer/signer.h"
#include "tests/harness/test.h"

struct claim {
	const char *name;
	const char *value; /* NULL: the claim is left out */
};

struct world {
	struct test *t;
	struct lb_arena arena;
	const char *folder, *tree, *state, *policy;
	struct lb_token_key *key;
	struct release_signer *signer;
	struct lb_http_client *client;
	char url[64];
	uint64_t now_s;
	unsigned minted;
	int status;
	struct lb_value *answer; /* of the last request; NULL: not JSON */
	struct lb_diag diag;
};

#define WORLD_ISSUER "http://issuer.test"
#define WORLD_AUDIENCE "lifeboat-release"

/* A policy, a JWKS and a key pair in a fresh folder; world_start starts a signer in them. */
void world_begin(struct world *w, struct test *t);
void world_start(struct world *w, struct plat *plat);
void world_stop(struct world *w);
void world_end(struct world *w);

/* A path below the world's folder. */
const char *world_path(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Claims that the policy accepts, some replaced. */
struct lb_value *world_claims(struct world *w, const struct claim *claims, size_t count);
const char *world_sign(struct world *w, const struct lb_value *claims);
const char *world_token(struct world *w, const struct claim *claims, size_t count);

/* A manifest of one file (in channel "snapshot" of project "lifeboat"). */
const char *world_manifest(struct world *w, const char *version, const char *name,
                           const char *content);

void world_ask(struct world *w, const char *method, const char *path, const char *token,
               struct lb_bytes body);
const char *world_message(const struct world *w);

/* The three calls for one file; the status of the last that was made. */
int world_publish(struct world *w, const char *version, const char *name, const char *content);

/* All names in tree and staging with their sizes, as one text: equal before and after what must
 * leave nothing behind. */
const char *world_listing(struct world *w);

/* Run a program to its end; its exit status, and what it printed in w->arena. */
int world_run(struct world *w, const char **printed, const char *const *argv);

#endif
