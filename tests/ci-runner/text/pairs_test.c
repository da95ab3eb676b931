/* pairs_test.c - the files behind GITHUB_OUTPUT and its like. */
#include "ci-runner/text/pairs.h"
#include "tests/harness/test.h"

/* All pairs as "name|value;", then the error's prose where there is one. */
static void read_all(struct lb_buf *out, const char *text)
{
	struct lb_bytes exact = test_exact(lb_bytes_of(text)), name, value;
	struct runner_pairs pairs;
	struct lb_diag diag;
	lb_err err;

	lb_buf_reset(out);
	runner_pairs_begin(&pairs, exact);
	for (;;) {
		err = runner_pairs_next(&name, &value, &pairs, &diag);
		if (lb_failed(err))
			break;
		lb_buf_addf(out, "%.*s|%.*s;", LB_FMT(name), LB_FMT(value));
	}
	if (lb_code_of(err) != LB_E_END)
		lb_buf_addf(out, "!%s", diag.text);
	test_exact_free(exact);
}

TEST(pairs_are_read_as_github_does)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "a=1\nb=2", "a|1;b|2;" },
		{ "a=1\r\nb=\r\n", "a|1;b|;" },
		{ "\xef\xbb\xbf"
		  "a=x=y<<z\n",
		  "a|x=y<<z;" },
		{ "a<<END\none\ntwo\nEND\nb=3\n", "a|one\ntwo;b|3;" },
		{ "a<<END\nEND\n", "a|;" },
		{ "a<<END\n\n\nEND", "a|\n;" },
		{ "a<<E=F\nx\nE=F\n", "a|x;" },
		{ "a<<END\r\nx\r\ny\r\nEND\r\n", "a|x\r\ny;" },
		{ "a<<END\n ENDING\nEND\n", "a| ENDING;" },
		{ "x=1\na<<END\none\n", "x|1;!Invalid value. Matching delimiter not found 'END'" },
		{ "plain\n", "!Invalid format 'plain'" },
		{ "x=1\n\n=2\n", "x|1;!Invalid format '=2'" },
		{ "<<E\nx\nE\n", "!Invalid format '<<E'" },
		{ "a<<\nx\n", "!Invalid format 'a<<'. Name must not be empty and delimiter "
		              "must not be empty" },
	};
	struct lb_buf out;

	lb_buf_init(&out, t->mem, 65536);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		read_all(&out, cases[i].text);
		CHECK_BYTES(lb_buf_bytes(&out), cases[i].want);
	}
	lb_buf_release(&out);
}

TEST(pairs_stand_any_truncation)
{
	static const char whole[] = "a=1\nb<<E\nx\ny\nE\r\nc=3\n";
	struct lb_buf out;

	lb_buf_init(&out, t->mem, 65536);
	for (size_t len = 0; len < sizeof whole; len++) {
		char part[sizeof whole];

		memcpy(part, whole, len);
		part[len] = '\0';
		read_all(&out, part);
		CHECK(!lb_failed(lb_buf_check(&out)));
	}
	CHECK_BYTES(lb_buf_bytes(&out), "a|1;b|x\ny;c|3;");
	lb_buf_release(&out);
}
