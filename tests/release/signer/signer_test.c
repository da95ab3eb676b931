/* signer_test.c - publishing through the signer: what is accepted, what is refused and why, and
 * that what is refused leaves nothing behind. */
#include "base/data/digest.h"
#include "base/data/json.h"
#include "base/io/file.h"
#include "base/text.h"
#include "tests/release/world.h"

#include <pthread.h>

#define NAME "lifeboat-1.tar.gz"
#define CONTENT "not really an archive"

/* ---- the way it should go ---- */

static void check_stock_minisign(struct world *w, const char *folder)
{
	static const char *const names[] = { NAME, "SHA256SUMS", "provenance.json",
		                             "release.json" };
	struct test *t = w->t;
	const char *key = world_path(w, "state/minisign.pub");

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *path = world_path(w, "%s/%s", folder, names[i]);
		const char *argv[] = { "minisign", "-V", "-H", "-p", key, "-m", path, NULL };
		const char *printed;
		int status = world_run(w, &printed, argv);

		CHECK(status == 0);
		CHECK(strstr(printed, names[i]) != NULL);
		CHECK(strstr(printed, "project:lifeboat\tversion:1\tchannel:snapshot\thashed") !=
		      NULL);
		if (status != 0)
			printf("# %s\n", printed);
	}
}

static struct lb_value *read_json(struct world *w, const char *name)
{
	struct test *t = w->t;
	struct lb_buf text;
	struct lb_value *value;

	lb_buf_init(&text, &w->arena.mem, 1 << 20);
	CHECK_OK(lb_file_read(&text, &plat_host, world_path(w, "%s", name), NULL));
	CHECK_OK(lb_json_read(&value, &w->arena, lb_buf_bytes(&text), NULL));
	return value;
}

TEST(a_release_is_published_and_holds_for_minisign_and_sha256sum)
{
	static const char folder[] = "tree/lifeboat/snapshot/1";
	struct world w;
	struct lb_value *statement;
	const char *const *argv;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	CHECK(world_publish(&w, "1", NAME, CONTENT) == 200);
	CHECK_BYTES(lb_value_get_string(w.answer, "url"), "http://host.test/lifeboat/snapshot/1");
	CHECK(lb_value_get_string(w.answer, "public_key").len == RELEASE_KEY_BASE64 - 1);
	check_stock_minisign(&w, folder);
	argv = (const char *const[]){ "sh", "-c", "cd \"$0\" && sha256sum -c --strict SHA256SUMS",
		                      world_path(&w, "%s", folder), NULL };
	CHECK(world_run(&w, NULL, argv) == 0);
	CHECK(lb_file_exists(&plat_host, world_path(&w, "%s/index.html", folder)));
	CHECK(lb_file_exists(&plat_host, world_path(&w, "tree/lifeboat/snapshot/index.html")));
	CHECK(lb_file_exists(&plat_host, world_path(&w, "tree/lifeboat/index.html")));
	statement = read_json(&w, "tree/lifeboat/snapshot/1/provenance.json");
	CHECK_BYTES(lb_value_get_string(statement, "_type"), "https://in-toto.io/Statement/v1");
	CHECK_BYTES(lb_value_get_string(statement, "predicateType"),
	            "https://slsa.dev/provenance/v1");
	statement = read_json(&w, "tree/lifeboat/snapshot/1/release.json");
	CHECK_BYTES(lb_value_get_string(lb_value_get(statement, "source"), "repository"),
	            "owner/name");
	world_end(&w);
}

TEST(the_same_again_is_fine_and_other_content_is_refused)
{
	struct world w;
	const char *before;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	CHECK(world_publish(&w, "1", NAME, CONTENT) == 200);
	before = world_listing(&w);
	CHECK(world_publish(&w, "1", NAME, CONTENT) == 200);
	CHECK(lb_value_get_bool(w.answer, "published"));
	CHECK(world_publish(&w, "1", NAME, "something else") == 409);
	CHECK(strstr(world_message(&w), "never replaced") != NULL);
	CHECK_TEXT(world_listing(&w), before);
	CHECK(world_publish(&w, "2", NAME, "something else") == 200);
	world_end(&w);
}

TEST(small_questions_are_answered)
{
	struct world w;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	world_ask(&w, "GET", "/v1/audience", NULL, LB_B(""));
	CHECK_BYTES(lb_value_get_string(w.answer, "audience"), WORLD_AUDIENCE);
	world_ask(&w, "GET", "/v1/public-key", NULL, LB_B(""));
	CHECK(w.status == 200);
	world_ask(&w, "POST", "/v1/releases", NULL, LB_B("{}"));
	CHECK(w.status == 401);
	world_end(&w);
}

/* ---- refusals ---- */

/* Ask with a token; it must be refused, say why, and leave no trace in tree and staging. */
static void refused(struct world *w, const char *token, const char *manifest, int status,
                    const char *says)
{
	struct test *t = w->t;
	const char *before = world_listing(w);

	world_ask(w, "POST", "/v1/releases", token, lb_bytes_of(manifest));
	if (w->status != status || strstr(world_message(w), says) == NULL)
		printf("# got %d \"%s\", want %d \"%s\"\n", w->status, world_message(w), status,
		       says);
	CHECK(w->status == status);
	CHECK(strstr(world_message(w), says) != NULL);
	CHECK_TEXT(world_listing(w), before);
}

TEST(a_claim_that_the_policy_does_not_name_is_refused_by_name)
{
	static const struct {
		struct claim claim;
		const char *says;
	} cases[] = {
		{ { "repository", "evil/name" },
		  "repository: it is \"evil/name\", the policy wants" },
		{ { "repository", NULL }, "repository: it is nothing" },
		{ { "repository_id", "8" }, "repository_id: it is \"8\"" },
		{ { "workflow_ref", "owner/name/.github/workflows/x.yml@refs/heads/main" },
		  "workflow_ref:" },
		{ { "job_workflow_ref", "evil/x/.github/workflows/release.yml@refs/heads/main" },
		  "job_workflow_ref:" },
		{ { "ref", "refs/tags/v1" }, "ref: it is \"refs/tags/v1\"" },
		{ { "event_name", "schedule" }, "event_name:" },
		{ { "event_name", "pull_request_target" }, "event_name:" },
		{ { "event_name", "workflow_run" }, "event_name:" },
		{ { "environment", "other" }, "environment:" },
		{ { "environment", NULL }, "environment: it is nothing" },
	};
	struct world w;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		refused(&w, world_token(&w, &cases[i].claim, 1),
		        world_manifest(&w, "1", NAME, CONTENT), 403, cases[i].says);
	refused(&w, world_token(&w, NULL, 0), world_manifest(&w, "1", "evil.tar.gz", CONTENT), 403,
	        "files: it is \"evil.tar.gz\"");
	refused(&w, world_token(&w, NULL, 0),
	        "{\"project\":\"lifeboat\",\"channel\":\"stable\",\"version\":\"1\",\"files\":["
	        "{\"name\":\"lifeboat-1.tar.gz\",\"size\":0,\"sha256\":"
	        "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]}",
	        403, "channel: it is \"stable\"");
	refused(&w, world_token(&w, NULL, 0), world_manifest(&w, "1", "../../x", CONTENT), 400,
	        "name:");
	refused(&w, world_token(&w, NULL, 0), world_manifest(&w, "..", NAME, CONTENT), 400,
	        "version:");
	refused(&w, world_token(&w, NULL, 0), "{", 400, "manifest");
	world_end(&w);
}

TEST(a_token_that_does_not_hold_is_refused_by_its_claim)
{
	static const struct {
		struct claim claim;
		const char *says;
	} cases[] = {
		{ { "exp", "1000000000" }, "exp" },
		{ { "exp", NULL }, "exp" },
		{ { "nbf", "9000000000" }, "nbf" },
		{ { "iat", "9000000000" }, "iat" },
		{ { "aud", "someone-else" }, "aud" },
		{ { "aud", NULL }, "aud" },
		{ { "iss", "http://issuer.test.evil" }, "iss" },
		{ { "iss", "http://issuer.test/" }, "iss" },
		{ { "iss", NULL }, "iss" },
		{ { "jti", NULL }, "jti" },
	};
	struct world w;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		refused(&w, world_token(&w, &cases[i].claim, 1),
		        world_manifest(&w, "1", NAME, CONTENT), 403, cases[i].says);
	world_end(&w);
}

static const char *encoded(struct world *w, const char *text)
{
	struct lb_buf out;

	lb_buf_init(&out, &w->arena.mem, 65536);
	lb_base64url_add(&out, lb_bytes_of(text));
	return lb_buf_text(&out);
}

/* The claims of a good token under another header, with a signature of our own making. */
static const char *forged(struct world *w, const char *header, struct lb_bytes hmac_key)
{
	unsigned char mac[LB_SHA256_SIZE];
	struct lb_buf claims, mac_text;
	struct lb_bytes message;

	lb_buf_init(&claims, &w->arena.mem, 65536);
	lb_buf_init(&mac_text, &w->arena.mem, 256);
	lb_value_write(&claims, world_claims(w, NULL, 0), false);
	message = lb_arena_format(&w->arena, "%s.%s", encoded(w, header),
	                          encoded(w, lb_buf_text(&claims)));
	if (hmac_key.len > 0) {
		lb_ignore(lb_hmac_sha256(mac, hmac_key, message));
		lb_base64url_add(&mac_text, (struct lb_bytes){ mac, sizeof mac });
	}
	return (const char *)lb_arena_format(&w->arena, "%.*s.%s", LB_FMT(message),
	                                     lb_buf_text(&mac_text))
	        .at;
}

TEST(forged_tokens_are_refused)
{
	struct world w;
	const char *manifest, *good, *altered;
	struct lb_token_key *real, *other;
	struct lb_buf jwks;
	char *copy;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	manifest = world_manifest(&w, "1", NAME, CONTENT);
	lb_buf_init(&jwks, &w.arena.mem, 65536);
	CHECK_OK(lb_file_read(&jwks, &plat_host, world_path(&w, "issuer.jwks"), NULL));
	refused(&w, forged(&w, "{\"alg\":\"none\",\"typ\":\"JWT\"}", LB_B("")), manifest, 403, "");
	refused(&w, forged(&w, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", lb_buf_bytes(&jwks)),
	        manifest, 403, "");
	refused(&w, "not-a-token", manifest, 403, "token");
	refused(&w, "a.b.c", manifest, 403, "token");
	good = world_token(&w, NULL, 0);
	/* One letter of the claims, then one of the signature. */
	for (int part = 1; part <= 2; part++) {
		const char *dot = strchr(good, '.');

		if (part == 2)
			dot = strchr(dot + 1, '.');
		copy = lb_arena_text(&w.arena, lb_bytes_of(good));
		copy[dot - good + 20] = copy[dot - good + 20] == 'A' ? 'B' : 'A';
		altered = copy;
		refused(&w, altered, manifest, 403, "");
	}
	/* Somebody else's key. */
	CHECK_OK(lb_token_key_generate(&other, &lb_mem_host));
	real = w.key;
	w.key = other;
	refused(&w, world_token(&w, NULL, 0), manifest, 403, "");
	w.key = real;
	lb_token_key_free(other);
	world_end(&w);
}

TEST(a_token_publishes_once)
{
	struct world w;
	const char *token, *manifest;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	token = world_token(&w, NULL, 0);
	manifest = world_manifest(&w, "1", NAME, CONTENT);
	world_ask(&w, "POST", "/v1/releases", token, lb_bytes_of(manifest));
	CHECK(w.status == 201);
	refused(&w, token, manifest, 403, "jti: this token was used already");
	/* Also after a restart. */
	world_stop(&w);
	world_start(&w, &plat_host);
	refused(&w, token, manifest, 403, "jti: this token was used already");
	world_end(&w);
}

struct replayer {
	struct world *w;
	const char *token, *manifest;
	pthread_t thread;
	int status;
};

static void *replay(void *ctx)
{
	struct replayer *r = ctx;
	struct world own = *r->w;

	lb_arena_init(&own.arena, &lb_mem_host);
	if (!lb_failed(lb_http_client_new(&own.client, &lb_mem_host))) {
		world_ask(&own, "POST", "/v1/releases", r->token, lb_bytes_of(r->manifest));
		r->status = own.status;
		lb_http_client_free(own.client);
	}
	lb_arena_release(&own.arena);
	return NULL;
}

TEST(fifty_replays_at_once_give_one_success)
{
	enum { REPLAYS = 50 };
	struct replayer replayers[REPLAYS];
	unsigned granted = 0, refusals = 0;
	struct world w;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	replayers[0] = (struct replayer){ .w = &w,
		                          .token = world_token(&w, NULL, 0),
		                          .manifest = world_manifest(&w, "1", NAME, CONTENT) };
	for (size_t i = 0; i < REPLAYS; i++) {
		replayers[i] = replayers[0];
		CHECK(pthread_create(&replayers[i].thread, NULL, replay, &replayers[i]) == 0);
	}
	for (size_t i = 0; i < REPLAYS; i++) {
		pthread_join(replayers[i].thread, NULL);
		granted += replayers[i].status == 201;
		refusals += replayers[i].status == 403;
	}
	CHECK(granted == 1);
	CHECK(refusals == REPLAYS - 1);
	world_end(&w);
}

/* ---- uploads ---- */

static const char *begin(struct world *w)
{
	struct test *t = w->t;

	world_ask(w, "POST", "/v1/releases", world_token(w, NULL, 0),
	          lb_bytes_of(world_manifest(w, "1", NAME, CONTENT)));
	CHECK(w->status == 201);
	return lb_arena_text(&w->arena, lb_value_get_string(w->answer, "upload"));
}

static void put(struct world *w, const char *upload, const char *name, const char *content,
                int status, const char *says)
{
	struct test *t = w->t;
	struct lb_bytes path = lb_arena_format(&w->arena, "/v1/releases/%s/files/%s", upload, name);

	world_ask(w, "PUT", (const char *)path.at, NULL, lb_bytes_of(content));
	if (w->status != status || strstr(world_message(w), says) == NULL)
		printf("# got %d \"%s\", want %d \"%s\"\n", w->status, world_message(w), status,
		       says);
	CHECK(w->status == status);
	CHECK(strstr(world_message(w), says) != NULL);
}

static void finish(struct world *w, const char *upload, int status, const char *says)
{
	struct test *t = w->t;
	struct lb_bytes path = lb_arena_format(&w->arena, "/v1/releases/%s/publish", upload);

	world_ask(w, "POST", (const char *)path.at, NULL, LB_B(""));
	CHECK(w->status == status);
	CHECK(strstr(world_message(w), says) != NULL);
}

TEST(files_that_are_not_the_manifests_are_refused_and_removed)
{
	struct world w;
	const char *upload, *before;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	upload = begin(&w);
	before = world_listing(&w);
	put(&w, upload, NAME, "Not really an archive", 400, "SHA-256");
	put(&w, upload, NAME, "too short", 400, "the manifest says 21");
	put(&w, upload, NAME, "much longer than what was announced", 400, "has more than the 21");
	put(&w, upload, NAME, "", 400, "has 0 bytes");
	put(&w, upload, "lifeboat-2.tar.gz", CONTENT, 404, "not in this release's manifest");
	put(&w, upload, "..%2f..%2fevil", CONTENT, 404, "");
	put(&w, upload, "%2e%2e", CONTENT, 404, "");
	put(&w, "0000", NAME, CONTENT, 404, "no such upload");
	CHECK_TEXT(world_listing(&w), before);
	finish(&w, upload, 400, "has not been uploaded");
	put(&w, upload, NAME, CONTENT, 200, "");
	put(&w, upload, NAME, CONTENT, 200, ""); /* twice is fine */
	finish(&w, upload, 200, "");
	finish(&w, upload, 404, "no such upload");
	put(&w, upload, NAME, CONTENT, 404, "no such upload");
	world_end(&w);
}

/* A body that ends before what was announced: the connection is cut. */
static lb_err read_and_fail(size_t *got, void *ctx, void *to, size_t size, uint64_t at)
{
	(void)ctx;
	if (at > 0 || size < 5)
		return lb_err_of(LB_E_CANCELLED);
	memcpy(to, CONTENT, 5);
	*got = 5;
	return LB_OK;
}

TEST(an_upload_that_is_cut_leaves_nothing)
{
	struct lb_http_answer answer = { 0 };
	struct lb_http_ask ask = { .method = "PUT", .read = read_and_fail };
	struct world w;
	const char *upload, *before;
	unsigned tries = 0;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	upload = begin(&w);
	before = world_listing(&w);
	ask.read_size = strlen(CONTENT);
	ask.url = (const char *)lb_arena_format(&w.arena, "%s/v1/releases/%s/files/" NAME, w.url,
	                                        upload)
	                  .at;
	lb_buf_init(&answer.body, &w.arena.mem, 65536);
	lb_buf_init(&answer.headers, &w.arena.mem, 65536);
	CHECK(lb_failed(lb_http_ask(w.client, &ask, &answer, NULL)));
	/* The server learns of it a moment later. */
	while (strcmp(world_listing(&w), before) != 0 && tries++ < 500)
		plat_host.ops->sleep_ns(&plat_host, 10000000);
	CHECK_TEXT(world_listing(&w), before);
	finish(&w, upload, 400, "has not been uploaded");
	put(&w, upload, NAME, CONTENT, 200, "");
	finish(&w, upload, 200, "");
	world_end(&w);
}

TEST(an_upload_ends_after_an_hour)
{
	struct plat_sim sim;
	struct world w;
	const char *upload;

	plat_sim_init(&sim, 1);
	world_begin(&w, t);
	world_start(&w, &sim.plat);
	w.now_s = sim.plat.ops->wall_ns(&sim.plat) / 1000000000;
	upload = begin(&w);
	put(&w, upload, NAME, CONTENT, 200, "");
	sim.now += UINT64_C(3601) * 1000000000;
	put(&w, upload, NAME, CONTENT, 404, "no such upload");
	finish(&w, upload, 404, "no such upload");
	CHECK(lb_file_exists(&plat_host, world_path(&w, "tree/.staging/%s", upload)));
	w.now_s += 3601;
	(void)begin(&w); /* the next one sweeps it */
	CHECK(!lb_file_exists(&plat_host, world_path(&w, "tree/.staging/%s", upload)));
	world_end(&w);
}

TEST(what_claims_say_is_text_on_pages)
{
	struct claim claim = { "ref", "refs/heads/<script>&\"" };
	struct lb_bytes path;
	struct lb_buf page;
	struct world w;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	world_ask(&w, "POST", "/v1/releases", world_token(&w, &claim, 1),
	          lb_bytes_of(world_manifest(&w, "1", NAME, CONTENT)));
	CHECK(w.status == 201);
	path = lb_value_get_string(w.answer, "upload");
	put(&w, (const char *)path.at, NAME, CONTENT, 200, "");
	finish(&w, (const char *)path.at, 200, "");
	lb_buf_init(&page, &w.arena.mem, 1 << 20);
	CHECK_OK(lb_file_read(&page, &plat_host,
	                      world_path(&w, "tree/lifeboat/snapshot/1/index.html"), NULL));
	CHECK(strstr(lb_buf_text(&page), "refs/heads/&lt;script&gt;&amp;&quot;") != NULL);
	CHECK(strstr(lb_buf_text(&page), "<script") == NULL);
	world_end(&w);
}

TEST(a_file_changed_between_upload_and_signature_is_not_signed)
{
	struct world w;
	const char *upload;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	upload = begin(&w);
	put(&w, upload, NAME, CONTENT, 200, "");
	CHECK_OK(lb_file_write(&plat_host, world_path(&w, "tree/.staging/%s/" NAME, upload),
	                       LB_B("Not really an archive"), 0, NULL));
	finish(&w, upload, 400, "changed after it was uploaded");
	CHECK(!lb_file_exists(&plat_host, world_path(&w, "tree/lifeboat/snapshot/1")));
	CHECK(!lb_file_exists(&plat_host, world_path(&w, "tree/.staging/%s", upload)));
	world_end(&w);
}

TEST(what_a_dead_signer_staged_is_swept)
{
	struct world w;
	const char *upload;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	upload = begin(&w);
	put(&w, upload, NAME, CONTENT, 200, "");
	world_stop(&w);
	CHECK_OK(lb_file_make_folders(&plat_host, world_path(&w, "tree/.staging/left/over"), NULL));
	world_start(&w, &plat_host);
	CHECK(!lb_file_exists(&plat_host, world_path(&w, "tree/.staging/left")));
	finish(&w, upload, 404, "begin anew");
	CHECK(world_publish(&w, "1", NAME, CONTENT) == 200);
	world_end(&w);
}

/* ---- starting ---- */

static void starts_not(struct world *w, enum lb_code code, const char *says)
{
	struct test *t = w->t;
	struct release_signer_config config = { .state = w->state,
		                                .policy = w->policy,
		                                .tree = w->tree };
	struct release_signer *signer;
	struct lb_diag diag = { 0 };
	lb_err err = release_signer_start(&signer, &lb_mem_host, &plat_host, &config, &diag);

	CHECK(lb_code_of(err) == code && signer == NULL);
	if (lb_code_of(err) != code || strstr(diag.text, says) == NULL)
		printf("# got %s \"%s\", want \"%s\"\n", lb_err_text(err), diag.text, says);
	CHECK(strstr(diag.text, says) != NULL);
	release_signer_stop(signer);
}

TEST(a_signer_that_cannot_be_trusted_does_not_start)
{
	struct world w;
	struct plat_info info;

	world_begin(&w, t);
	starts_not(&w, LB_E_NOTFOUND, "--init");
	world_start(&w, &plat_host);
	CHECK_OK(plat_host.ops->info(&info, &plat_host, world_path(&w, "state/minisign.key")));
	CHECK(info.mode == 0600);
	starts_not(&w, LB_E_BUSY, "");
	CHECK(world_publish(&w, "1", NAME, CONTENT) == 200);
	world_stop(&w);
	CHECK_OK(plat_host.ops->set_mode(&plat_host, world_path(&w, "state/minisign.key"), 0644));
	starts_not(&w, LB_E_DENIED, "can be read by others");
	CHECK_OK(plat_host.ops->set_mode(&plat_host, world_path(&w, "state/minisign.key"), 0600));
	CHECK_OK(lb_file_write(&plat_host, world_path(&w, "state/version"), LB_B("2\n"), 0, NULL));
	starts_not(&w, LB_E_NEWER, "newer version");
	CHECK_OK(lb_file_write(&plat_host, world_path(&w, "state/version"), LB_B("1\n"), 0, NULL));
	CHECK_OK(lb_file_write(&plat_host, w.policy, LB_B("version: 1\nwho: x\n"), 0, NULL));
	starts_not(&w, LB_E_INVALID, "policy.yml: line 2, column 1: unknown key");
	world_end(&w);
}

TEST(every_decision_is_in_the_audit_log_and_a_changed_one_shows)
{
	struct claim evil = { "ref", "refs/heads/x/evil" };
	struct lb_buf log;
	struct world w;
	size_t at;

	world_begin(&w, t);
	world_start(&w, &plat_host);
	CHECK(world_publish(&w, "1", NAME, CONTENT) == 200);
	refused(&w, world_token(&w, &evil, 1), world_manifest(&w, "2", NAME, CONTENT), 403, "ref:");
	world_stop(&w);
	lb_buf_init(&log, &w.arena.mem, 1 << 20);
	CHECK_OK(lb_file_read(&log, &plat_host, world_path(&w, "state/audit.log"), NULL));
	CHECK(strstr(lb_buf_text(&log), "\"event\":\"accepted\"") != NULL);
	CHECK(strstr(lb_buf_text(&log), "\"event\":\"published\"") != NULL);
	CHECK(strstr(lb_buf_text(&log), "\"event\":\"refused\"") != NULL);
	CHECK(strstr(lb_buf_text(&log), "refs/heads/x/evil") != NULL);
	at = lb_bytes_find(lb_buf_bytes(&log), LB_B("accepted"));
	log.at[at] = 'A';
	CHECK_OK(lb_file_write(&plat_host, world_path(&w, "state/audit.log"), lb_buf_bytes(&log),
	                       PLAT_PRIVATE, NULL));
	starts_not(&w, LB_E_MALFORMED, "chain is broken");
	world_end(&w);
}

/* ---- a disk that fails at any call ---- */

/* From outside: not there, or whole. */
static void check_old_or_new(struct world *w)
{
	struct test *t = w->t;
	const char *folder = world_path(w, "tree/lifeboat/snapshot/1");

	if (!lb_file_exists(&plat_host, folder))
		return;
	check_stock_minisign(w, "tree/lifeboat/snapshot/1");
	CHECK(lb_file_exists(&plat_host, world_path(w, "tree/lifeboat/snapshot/1/index.html")));
}

/* The pages above the release know of it. */
static void check_pages(struct world *w)
{
	struct test *t = w->t;
	struct lb_buf page;

	lb_buf_init(&page, &w->arena.mem, 1 << 20);
	CHECK_OK(lb_file_read(&page, &plat_host, world_path(w, "tree/lifeboat/snapshot/index.html"),
	                      NULL));
	CHECK(strstr(lb_buf_text(&page), "<a href=\"1/\">1</a>") != NULL);
	lb_buf_reset(&page);
	CHECK_OK(lb_file_read(&page, &plat_host, world_path(w, "tree/index.html"), NULL));
	CHECK(strstr(lb_buf_text(&page), "lifeboat/") != NULL);
}

/* Whatever call fails, as on a full disk: the release is whole or not there, and when there is
 * room again the same process publishes it. */
TEST(a_disk_full_from_any_call_on_leaves_whole_or_nothing)
{
	unsigned refusals = 0;
	bool went_through = false;

	/* Every seventh call, so that the sweep is short. */
	for (uint64_t fail_at = 1; !went_through && fail_at < 2000; fail_at += 7) {
		struct plat_sim sim;
		struct world w;

		plat_sim_init(&sim, 1);
		sim.fault = LB_E_NOSPACE;
		world_begin(&w, t);
		world_start(&w, &sim.plat);
		w.now_s = sim.plat.ops->wall_ns(&sim.plat) / 1000000000;
		sim.sticky = true;
		sim.fail_at = sim.calls + fail_at;
		went_through = world_publish(&w, "1", NAME, CONTENT) == 200 && !sim.failed;
		refusals += !went_through;
		check_old_or_new(&w);
		sim.fail_at = 0;
		sim.failed = false;
		CHECK(world_publish(&w, "1", NAME, CONTENT) == 200);
		check_old_or_new(&w);
		check_pages(&w);
		world_end(&w);
	}
	CHECK(went_through);
	CHECK(refusals > 10);
}
