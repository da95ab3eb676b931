/* secrets_test.c - random secrets, in every form, cut anywhere, are in no log. */
#include "base/platform/plat.h"
#include "base/text.h"
#include "ci-runner/log/log.h"
#include "ci-runner/text/lines.h"
#include "tests/harness/test.h"

enum { ROUNDS = 300, SECRETS_MAX = 6, SECRET_MAX = 90 };

struct piping {
	struct runner_log log;
	struct runner_lines lines;
	struct lb_buf out;
};

static void keep(void *ctx, struct lb_bytes lines) { lb_buf_add(ctx, lines); }

static size_t on_line(void *ctx, struct lb_bytes text, bool ended)
{
	struct piping *p = ctx;

	if (!ended)
		return runner_log_piece(&p->log, text);
	runner_log_line(&p->log, text);
	return text.len;
}

/* A secret is of all that can be typed; some have several lines. */
static size_t make_secret(struct test *t, unsigned char *to)
{
	size_t len = 6 + test_random(t) % (SECRET_MAX - 6);
	bool lines = test_random(t) % 4 == 0;

	for (size_t i = 0; i < len; i++) {
		to[i] = (unsigned char)(' ' + test_random(t) % 95);
		if (lines && test_random(t) % 12 == 0)
			to[i] = '\n';
	}
	to[0] = 'A'; /* blanks at its ends would be no part of what shows */
	to[len - 1] = 'Z';
	return len;
}

static void as_is(struct lb_buf *out, struct lb_bytes secret) { lb_buf_add(out, secret); }
static void in_base64(struct lb_buf *out, struct lb_bytes secret) { lb_base64_add(out, secret); }
static void in_url(struct lb_buf *out, struct lb_bytes secret) { lb_url_add(out, secret, ""); }
static void in_html(struct lb_buf *out, struct lb_bytes secret) { lb_html_add(out, secret); }
static void in_json(struct lb_buf *out, struct lb_bytes secret) { lb_json_string_add(out, secret); }

/* Behind others, as "user:SECRET", at each of the three places. */
static void in_base64_behind(struct lb_buf *out, struct lb_bytes secret)
{
	struct lb_buf plain;

	lb_buf_init(&plain, out->mem, 65536);
	lb_buf_addf(&plain, "%.*s", (int)(out->len % 3), "ab");
	lb_buf_add(&plain, secret);
	lb_buf_add_text(&plain, "and more");
	lb_base64_add(out, lb_buf_bytes(&plain));
	lb_buf_release(&plain);
}

static void in_xml(struct lb_buf *out, struct lb_bytes secret)
{
	for (size_t i = 0; i < secret.len; i++) {
		switch (secret.at[i]) {
		case '<': lb_buf_add_text(out, "&lt;"); break;
		case '>': lb_buf_add_text(out, "&gt;"); break;
		case '&': lb_buf_add_text(out, "&amp;"); break;
		case '"': lb_buf_add_text(out, "&quot;"); break;
		case '\'': lb_buf_add_text(out, "&apos;"); break;
		default: lb_buf_add_byte(out, secret.at[i]);
		}
	}
}

static void (*const forms[])(struct lb_buf *out, struct lb_bytes secret) = {
	as_is, in_base64, in_base64_behind, in_url, in_html, in_json, in_xml,
};

enum { FORMS = sizeof forms / sizeof forms[0] };

static bool begin(struct test *t, struct piping *p)
{
	*p = (struct piping){ 0 };
	lb_buf_init(&p->out, t->mem, 1 << 24);
	runner_log_init(&p->log, t->mem, &plat_host, NULL, keep, &p->out);
	runner_lines_init(&p->lines, t->mem, on_line, p);
	return CHECK_OK(runner_mask_new(&p->log.mask, t->mem));
}

static void end(struct piping *p)
{
	runner_mask_free(p->log.mask);
	runner_lines_release(&p->lines);
	runner_log_release(&p->log);
	lb_buf_release(&p->out);
}

/* In parts of random sizes, some larger than a line may be. */
static void feed(struct test *t, struct piping *p, struct lb_bytes text)
{
	size_t most = test_random(t) % 3 == 0 ? 7 : 5000;

	while (text.len > 0) {
		size_t part = 1 + test_random(t) % most;

		if (part > text.len)
			part = text.len;
		CHECK_OK(runner_lines_add(&p->lines, lb_bytes_upto(text, part)));
		text = lb_bytes_from(text, part);
	}
	runner_lines_end(&p->lines);
	runner_log_flush(&p->log);
}

static bool shows(struct test *t, const struct piping *p, struct lb_bytes secret)
{
	struct lb_bytes rest = secret, line;
	bool any = false;

	while (lb_bytes_split(&line, &rest, '\n'))
		any = any || (lb_bytes_trim(line).len >= 4 &&
		              lb_bytes_find(lb_buf_bytes(&p->out), line) != SIZE_MAX);
	for (size_t f = 1; f < FORMS && !any; f++) {
		struct lb_buf form;

		if (f == 2 || lb_bytes_find_byte(secret, '\n') != SIZE_MAX)
			continue;
		lb_buf_init(&form, t->mem, 65536);
		forms[f](&form, secret);
		any = lb_bytes_find(lb_buf_bytes(&p->out), lb_buf_bytes(&form)) != SIZE_MAX;
		lb_buf_release(&form);
	}
	return any;
}

TEST(random_secrets_in_random_forms_cut_at_random_never_show)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned char secrets[SECRETS_MAX][SECRET_MAX];
		size_t lens[SECRETS_MAX], count = 1 + test_random(t) % SECRETS_MAX;
		struct lb_buf text;
		struct piping p;

		if (!begin(t, &p)) {
			end(&p);
			return;
		}
		lb_buf_init(&text, t->mem, 1 << 22);
		for (size_t i = 0; i < count; i++) {
			lens[i] = make_secret(t, secrets[i]);
			CHECK_OK(runner_mask_add(p.log.mask,
			                         (struct lb_bytes){ secrets[i], lens[i] }));
		}
		for (unsigned word = 0; word < 60; word++) {
			size_t i = test_random(t) % count;
			static const char *const between[] = { " ", "\n", "=", ": ", "\r\n", "" };

			lb_buf_add_text(&text, between[test_random(t) % 6]);
			if (test_random(t) % 3 == 0)
				lb_buf_add_text(&text, "some text between them");
			else
				forms[test_random(t) % FORMS](&text, (struct lb_bytes){ secrets[i],
				                                                        lens[i] });
			if (round % 50 == 0)
				for (unsigned n = 0; n < 700; n++)
					lb_buf_add_byte(&text, '.');
		}
		feed(t, &p, lb_buf_bytes(&text));
		for (size_t i = 0; i < count; i++)
			CHECK(!shows(t, &p, (struct lb_bytes){ secrets[i], lens[i] }));
		lb_buf_release(&text);
		end(&p);
	}
}

TEST(base64_broken_into_lines_does_not_show)
{
	static const char secret[] =
		"a long secret, as of a key that is more than one line of base64 long: "
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const size_t columns[] = { 64, 76 };

	for (size_t c = 0; c < 2; c++) {
		struct lb_buf code;
		struct lb_bytes rest;
		struct piping p;

		if (begin(t, &p)) {
			lb_buf_init(&code, t->mem, 65536);
			CHECK_OK(runner_mask_add(p.log.mask, lb_bytes_of(secret)));
			lb_base64_add(&code, lb_bytes_of(secret));
			for (rest = lb_buf_bytes(&code); rest.len > 0;
			     rest = lb_bytes_from(rest, columns[c])) {
				struct lb_bytes line = lb_bytes_upto(rest, columns[c]);

				runner_log_line(&p.log, line);
				runner_log_flush(&p.log);
				CHECK(lb_bytes_find(lb_buf_bytes(&p.out), line) == SIZE_MAX);
			}
			lb_buf_release(&code);
		}
		end(&p);
	}
}
