/* outcome_test.c - TAP and JUnit as programs write them, manifests, patterns. */
#include "ci-runner/bundle/outcome.h"

#include "base/io/file.h"
#include "base/platform/plat.h"
#include "ci-runner/bundle/bundle.h"
#include "tests/harness/test.h"

struct reading {
	struct lb_arena arena;
	struct lb_vec cases;
	struct lb_diag diag;
};

static void begin(struct reading *r, struct lb_mem *mem)
{
	*r = (struct reading){ .diag = { "" } };
	lb_arena_init(&r->arena, mem);
	lb_vec_init(&r->cases, mem, sizeof(struct runner_case), RUNNER_CASES_MAX);
}

static void end(struct reading *r)
{
	lb_vec_release(&r->cases);
	lb_arena_release(&r->arena);
}

/* "pass a\nfail b\n" of what was read. */
static void check_cases(struct test *t, struct reading *r, const char *want)
{
	static const char *const words[] = { "pass", "skip", "fail" };
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 1 << 16);
	for (size_t i = 0; i < r->cases.count; i++) {
		const struct runner_case *one = LB_VEC_AT(&r->cases, struct runner_case, i);

		lb_buf_addf(&text, "%s %.*s|%.*s\n", words[one->verdict], LB_FMT(one->name),
		            LB_FMT(one->why));
	}
	CHECK_BYTES(lb_buf_bytes(&text), want);
	lb_buf_release(&text);
}

static lb_err read_exact(struct reading *r, const char *text,
                         lb_err (*read)(struct lb_vec *, struct lb_arena *, struct lb_bytes,
                                        struct lb_diag *))
{
	struct lb_bytes bytes = test_exact(lb_bytes_of(text));
	lb_err err = read(&r->cases, &r->arena, bytes, &r->diag);

	test_exact_free(bytes);
	return err;
}

TEST(tap_in_its_forms)
{
	struct reading r;

	begin(&r, t->mem);
	CHECK_OK(read_exact(
		&r,
		"TAP version 14\r\n# a comment\nok 1 - one\r\nnot ok 2 two # with #hash\n"
		"    ok 1 - of a subtest\nok 3 - s # SKIP no net\nnot ok 4 # TO"
		"DO later\n"
		"ok\nnoise\nnot ok\n  ---\n  a: b\n  ...\n1..6\n",
		runner_tap_read));
	check_cases(t, &r,
	            "pass one|\nfail two|with #hash\nskip s|SKIP no net\nskip 4|TO"
	            "DO later\n"
	            "pass 5|\nfail 6|\n");
	end(&r);
}

TEST(tap_that_is_no_whole_report)
{
	static const struct {
		const char *text, *said;
	} wrong[] = {
		{ "", "its TAP has no plan (1..N)" },
		{ "ok 1\n", "its TAP has no plan (1..N)" },
		{ "1..2\nok 1\n", "its TAP has 1 results, planned were 2" },
		{ "1..1\nok 1\nok 2\n", "its TAP has 2 results, planned were 1" },
		{ "1..1\nok 1\nBail out! disk", "Bail out! disk" },
		{ "1..99999999999\n", "its TAP has no plan (1..N)" },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct reading r;

		begin(&r, t->mem);
		CHECK(lb_code_of(read_exact(&r, wrong[i].text, runner_tap_read)) == LB_E_MALFORMED);
		CHECK_TEXT(r.diag.text, wrong[i].said);
		end(&r);
	}
}

TEST(junit_in_its_forms)
{
	struct reading r;

	begin(&r, t->mem);
	CHECK_OK(read_exact(
		&r,
		"<?xml version=\"1.0\"?>\n<!-- <testcase name=\"no\"> -->\n<testsuites>"
		"<testsuite name='s' tests=\"5\"><properties><property name=\"a\" value=\"b>c\"/>"
		"</properties>\n<testcase name=\"plain\" time=\"1.5\"/>"
		"<testcase classname='pkg.C' name='q &quot;x&quot; &#x41;&#66;'><failure "
		"message=\"a &lt; b\">trace</failure></testcase>"
		"<testcase name=\"err\"><error/></testcase>"
		"<testcase name=\"sk\"><skipped message='why'/></testcase>"
		"<testcase name=\"out\"><system-out><![CDATA[<failure/>]]></system-out></testcase>"
		"</testsuite></testsuites>",
		runner_junit_read));
	check_cases(
		t, &r,
		"pass plain|\nfail pkg.C.q \"x\" AB|a < b\nfail err|\nskip sk|why\npass out|\n");
	CHECK(LB_VEC_AT(&r.cases, struct runner_case, 0)->seconds > 1.49);
	end(&r);
}

TEST(junit_that_is_none)
{
	static const char *const wrong[] = { "",
		                             "<testsuite/>",
		                             "<testcase name=\"x\"",
		                             "<testcase name=\"x\">",
		                             "<testcase name=\"a>b",
		                             "<!-- <testcase/>",
		                             "<![CDATA[",
		                             "</>",
		                             "<testcase name=\"x\"/><" };

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct reading r;

		begin(&r, t->mem);
		CHECK(lb_code_of(read_exact(&r, wrong[i], runner_junit_read)) == LB_E_MALFORMED);
		end(&r);
	}
}

TEST(xml_holds_any_text)
{
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 1000);
	runner_xml_add(&text, LB_B("a<b>&\"'\x01\x1b[31m\xff \xc3\xa9\t"));
	CHECK_BYTES(
		lb_buf_bytes(&text),
		"a&lt;b&gt;&amp;&quot;&#39;\xef\xbf\xbd\xef\xbf\xbd[31m\xef\xbf\xbd \xc3\xa9\t");
	lb_buf_release(&text);
}

TEST(patterns_match_whole_names)
{
	CHECK(runner_name_matches("a", "a") && !runner_name_matches("a", "ab"));
	CHECK(runner_name_matches("*", "") && runner_name_matches("a*c*", "abcbc"));
	CHECK(runner_name_matches("*b", "abab") && !runner_name_matches("*b", "aba"));
	CHECK(runner_name_matches("**x**", "x") && !runner_name_matches("", "x"));
}

static lb_err read_manifest(struct test *t, struct reading *r, const char *text)
{
	const char *folder = test_folder(t);
	struct runner_bundle bundle;
	char path[600];

	(void)snprintf(path, sizeof path, "%s/manifest.json", folder);
	CHECK_OK(lb_file_write(&plat_host, path, lb_bytes_of(text), 0, NULL));
	return runner_bundle_read(&bundle, &r->arena, &plat_host, folder, &r->diag);
}

TEST(manifests_that_are_odd_are_refused)
{
	static const char *const wrong[] = {
		"[]",
		"{\"version\":2,\"tests\":[]}",
		"{\"version\":1}",
		"{\"version\":1,\"tests\":[{}]}",
		"{\"version\":1,\"tests\":[{\"name\":\"x\",\"kind\":\"exit\"}]}",
		"{\"version\":1,\"tests\":[{\"name\":\"x\",\"kind\":\"odd\",\"argv\":[\"a\"]}]}",
		"{\"version\":1,\"tests\":[{\"name\":\"x\",\"kind\":\"exit\",\"argv\":[1]}]}",
		("{\"version\":1,\"tests\":[{\"name\":\"x\",\"kind\":\"exit\",\"argv\":[\"a\"],"
		 "\"cwd\":\"b\"}]}"),
		"{\"version\":1,\"files\":[\"/a/../b\"],\"tests\":[]}",
		"{\"version\":1,\"files\":[\"a\"],\"tests\":[]}",
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct reading r;

		begin(&r, t->mem);
		CHECK(lb_code_of(read_manifest(t, &r, wrong[i])) == LB_E_MALFORMED);
		end(&r);
	}
}

TEST(reading_is_swept_for_memory)
{
	EACH_OOM (t) {
		struct reading r;
		lb_err err;

		begin(&r, t->mem);
		err = runner_tap_read(&r.cases, &r.arena, LB_B("1..1\nok 1 - a # SKIP b\n"), NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		err = runner_junit_read(&r.cases, &r.arena,
		                        LB_B("<testcase name=\"a&lt;\" time=\"1\"><error "
		                             "message=\"x\"/></testcase>"),
		                        NULL);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		end(&r);
	}
}
