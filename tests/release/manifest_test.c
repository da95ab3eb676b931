/* manifest_test.c - manifests: names that could lead elsewhere, sizes, digests, duplicates. */
#include "base/data/json.h"
#include "release/manifest.h"
#include "tests/harness/test.h"

#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define FILE_OF(name) "{\"name\":\"" name "\",\"size\":1,\"sha256\":\"" ZERO "\"}"
#define MANIFEST(files) \
	"{\"project\":\"p\",\"channel\":\"c\",\"version\":\"1.0+x\",\"files\":[" files "]}"

static lb_err read(struct release_manifest *out, struct lb_arena *arena, const char *json,
                   struct lb_diag *diag)
{
	struct lb_value *value;

	LB_TRY(lb_json_read(&value, arena, lb_bytes_of(json), diag));
	return release_manifest_read(out, arena, value, diag);
}

TEST(names_that_lead_elsewhere_are_refused)
{
	static const char *const bad[] = { "",           ".",          "..",         "../x",
		                           "a/b",        "/a",         "a\\b",       ".hidden",
		                           "-rf",        "a b",        "a\nb",       "a\tb",
		                           "index.html", "INDEX.HTML", "SHA256SUMS", "release.json",
		                           "\xc3\xa4",   "a%2fb",      "a:b" };
	static const char *const good[] = { "a", "1", "lifeboat-0.1.0+dirty_x.tar.gz", "a..b" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(!release_name_is_good(lb_bytes_of(bad[i])));
	CHECK(!release_name_is_good((struct lb_bytes){ (const unsigned char *)"a\0b", 3 }));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK(release_name_is_good(lb_bytes_of(good[i])));
}

TEST(manifests_are_read_sorted_and_compared)
{
	struct release_manifest a, b, copy;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(read(&a, &arena, MANIFEST(FILE_OF("b") "," FILE_OF("a")), NULL));
	CHECK_OK(read(&b, &arena, MANIFEST(FILE_OF("a") "," FILE_OF("b")), NULL));
	CHECK_BYTES(a.files[0].name, "a");
	CHECK(release_manifest_eq(&a, &b));
	CHECK_OK(release_manifest_copy(&copy, &arena, &a));
	CHECK(release_manifest_eq(&copy, &a));
	CHECK(release_manifest_find(&a, LB_B("b")) == &a.files[1]);
	CHECK(release_manifest_find(&a, LB_B("c")) == NULL);
	CHECK_OK(read(&b, &arena, MANIFEST(FILE_OF("a")), NULL));
	CHECK(!release_manifest_eq(&a, &b));
	CHECK_OK(release_manifest_read(&b, &arena, release_manifest_value(&arena, &a), NULL));
	CHECK(release_manifest_eq(&a, &b));
	b.files[0].size++;
	CHECK(!release_manifest_eq(&a, &b));
	lb_arena_release(&arena);
}

TEST(bad_manifests_name_the_member)
{
	static const struct {
		const char *json, *says;
	} cases[] = {
		{ "[]", "expected an object" },
		{ "{}", "project: expected a string" },
		{ "{\"project\":\"..\"}", "project: \"..\" cannot be used" },
		{ MANIFEST(""), "files: expected a list" },
		{ "{\"project\":\"p\",\"channel\":\"c\",\"version\":\"v\"}", "files: expected" },
		{ "{\"project\":\"p\",\"channel\":\"c\",\"version\":1}",
		  "version: expected a string" },
		{ MANIFEST("1"), "files: each is an object" },
		{ MANIFEST(FILE_OF("../x")), "name: \"../x\" cannot be used" },
		{ MANIFEST(FILE_OF("x.minisig")), "signing is the signer's" },
		{ MANIFEST(FILE_OF("a") "," FILE_OF("A")), "is there twice" },
		{ MANIFEST("{\"name\":\"a\",\"size\":-1,\"sha256\":\"" ZERO "\"}"), "size:" },
		{ MANIFEST("{\"name\":\"a\",\"size\":1.5,\"sha256\":\"" ZERO "\"}"), "size:" },
		{ MANIFEST("{\"name\":\"a\",\"size\":1e15,\"sha256\":\"" ZERO "\"}"), "size:" },
		{ MANIFEST("{\"name\":\"a\",\"size\":1,\"sha256\":\"00\"}"), "sha256:" },
		{ MANIFEST("{\"name\":\"a\",\"size\":1}"), "sha256:" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct release_manifest manifest;
		struct lb_diag diag = { 0 };
		struct lb_arena arena;

		lb_arena_init(&arena, t->mem);
		CHECK(lb_failed(read(&manifest, &arena, cases[i].json, &diag)));
		if (strstr(diag.text, cases[i].says) == NULL)
			printf("# got \"%s\", want \"%s\"\n", diag.text, cases[i].says);
		CHECK(strstr(diag.text, cases[i].says) != NULL);
		lb_arena_release(&arena);
	}
}
