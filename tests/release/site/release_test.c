/* release_test.c - a stage completed and published: what is in it, and memory running out anywhere.
 */
#include "base/io/file.h"
#include "release/site/release.h"
#include "tests/harness/test.h"

#define CONTENT "content"
/* printf content | sha256sum */
#define SHA256 "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"

struct bench {
	struct lb_arena arena; /* outside of the sweep */
	struct release_tree tree;
	struct release_manifest manifest;
	struct release_issuer issuer;
	struct release_origin origin;
	struct release_secret_key *key;
	const char *root, *stage;
};

static void begin(struct bench *b, struct test *t)
{
	struct lb_value *manifest, *file, *files, *claims;

	*b = (struct bench){ .issuer = { .url = LB_LIT("http://issuer.test"),
		                         .repositories = LB_LIT("http://issuer.test/git/") } };
	lb_arena_init(&b->arena, &lb_mem_host);
	b->root = (const char *)lb_arena_format(&b->arena, "%s/tree", test_folder(t)).at;
	b->tree = (struct release_tree){ t->mem, &plat_host, b->root, LB_B("http://host.test") };
	manifest = lb_value_object(&b->arena);
	files = lb_value_array(&b->arena);
	file = lb_value_object(&b->arena);
	lb_value_set_text(&b->arena, file, "name", "a.tar.gz");
	lb_value_set_number(&b->arena, file, "size", strlen(CONTENT));
	lb_value_set_text(&b->arena, file, "sha256", SHA256);
	lb_value_add(&b->arena, files, file);
	lb_value_set_text(&b->arena, manifest, "project", "p");
	lb_value_set_text(&b->arena, manifest, "channel", "c");
	lb_value_set_text(&b->arena, manifest, "version", "1");
	lb_value_put(&b->arena, manifest, "files", files);
	CHECK_OK(release_manifest_read(&b->manifest, &b->arena, manifest, NULL));
	claims = lb_value_object(&b->arena);
	lb_value_set_text(&b->arena, claims, "repository", "o/n");
	lb_value_set_text(&b->arena, claims, "sha", "0123");
	lb_value_set_text(&b->arena, claims, "ref", "refs/heads/main");
	lb_value_set_text(&b->arena, claims, "workflow_ref",
	                  "o/n/.github/workflows/w.yml@refs/heads/main");
	lb_value_set_text(&b->arena, claims, "run_id", "12");
	lb_value_set_text(&b->arena, claims, "run_attempt", "1");
	b->origin = (struct release_origin){ &b->issuer, claims };
	CHECK_OK(release_secret_key_generate(&b->key, &lb_mem_host));
	b->stage = release_tree_stage(&b->tree, &b->arena, LB_B("stage"));
}

static void end(struct bench *b)
{
	release_secret_key_free(b->key);
	lb_arena_release(&b->arena);
}

/* Everything from an empty tree to a published release. */
static lb_err run(struct bench *b, bool *published)
{
	struct lb_bytes path = lb_arena_format(&b->arena, "%s/a.tar.gz", b->stage);

	*published = false;
	LB_TRY(lb_file_remove_tree(&plat_host, b->root, NULL));
	LB_TRY(release_tree_open(&b->tree, NULL));
	LB_TRY(lb_file_make_folders(&plat_host, b->stage, NULL));
	LB_TRY(lb_file_write(&plat_host, (const char *)path.at, LB_B(CONTENT), 0, NULL));
	LB_TRY(release_complete(&b->tree, b->stage, b->key, &b->manifest, &b->origin, NULL));
	return release_tree_publish(published, &b->tree, b->stage, &b->manifest, NULL);
}

static const char *read(struct bench *b, struct test *t, const char *name)
{
	struct lb_buf text;

	lb_buf_init(&text, &b->arena.mem, 1 << 20);
	CHECK_OK(lb_file_read(&text, &plat_host,
	                      (const char *)lb_arena_format(&b->arena, "%s/%s", b->root, name).at,
	                      NULL));
	return lb_buf_text(&text);
}

TEST(provenance_says_where_a_release_comes_from)
{
	static const char *const parts[] = {
		"\"gitCommit\": \"0123\"",
		"\"uri\": \"git+http://issuer.test/git/o/n.git@refs/heads/main\"",
		"\"path\": \".github/workflows/w.yml\"",
		"\"repository\": \"http://issuer.test/git/o/n.git\"",
		"\"id\": \"http://issuer.test\"",
		"\"invocationId\": \"http://issuer.test/o/n/actions/runs/12/attempts/1\"",
		"\"sha256\": \"" SHA256 "\"",
	};
	struct bench b;
	const char *text;
	bool published;

	begin(&b, t);
	CHECK_OK(run(&b, &published));
	CHECK(published);
	text = read(&b, t, "p/c/1/provenance.json");
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (strstr(text, parts[i]) == NULL)
			printf("# not there: %s\n", parts[i]);
		CHECK(strstr(text, parts[i]) != NULL);
	}
	CHECK_TEXT(read(&b, t, "p/c/1/SHA256SUMS"), SHA256 "  a.tar.gz\n");
	end(&b);
}

TEST(a_taken_place_is_left_alone)
{
	struct bench b;
	struct lb_diag diag = { 0 };
	const char *before;
	bool published;

	begin(&b, t);
	CHECK_OK(run(&b, &published));
	before = read(&b, t, "p/c/1/release.json");
	CHECK_OK(lb_file_make_folders(&plat_host, b.stage, NULL));
	CHECK(lb_code_of(release_tree_publish(&published, &b.tree, b.stage, &b.manifest, &diag)) ==
	      LB_E_EXISTS);
	CHECK(!published && strstr(diag.text, "published already") != NULL);
	CHECK_TEXT(read(&b, t, "p/c/1/release.json"), before);
	end(&b);
}

TEST(publishing_survives_every_oom)
{
	struct bench b;

	begin(&b, t);
	EACH_OOM (t) {
		struct lb_value *record;
		struct lb_arena arena;
		bool published;
		lb_err err = run(&b, &published), found;

		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(!lb_failed(err) || t->heap.failed);
		lb_arena_init(&arena, &lb_mem_host);
		b.tree.mem = &lb_mem_host;
		found = release_tree_find(&record, &b.tree, &arena, &b.manifest, NULL);
		b.tree.mem = t->mem;
		CHECK(lb_failed(found) == !published);
		lb_arena_release(&arena);
	}
	end(&b);
}
