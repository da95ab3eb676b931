/* wast.c - see wast.h. */
#include "tests/engine/spec/wast.h"

#include "base/io/file.h"
#include "base/io/run.h"

#include <stdlib.h>

enum { TEXT_MAX = 64 << 20, FORMS_MAX = 20000, ROUNDS_MAX = 100 };

struct form {
	size_t start, end; /* with its parentheses */
	bool is_module;    /* what follows speaks to it */
	bool stands_alone; /* an assertion with a module of its own */
	bool dropped;
	bool touched; /* in this round: what else is said of it may follow from the first error */
};

struct forms {
	struct form *at, *fields; /* fields: room for those of one module */
	unsigned count;
};

/* The position behind a string, a comment, or one character. */
static size_t skip(struct lb_bytes text, size_t i)
{
	if (text.at[i] == '"') {
		for (i++; i < text.len && text.at[i] != '"'; i++)
			if (text.at[i] == '\\')
				i++;
		return i + 1;
	}
	if (lb_bytes_starts(lb_bytes_from(text, i), LB_B(";;"))) {
		while (i < text.len && text.at[i] != '\n')
			i++;
		return i;
	}
	if (lb_bytes_starts(lb_bytes_from(text, i), LB_B("(;"))) {
		unsigned depth = 0;

		do {
			struct lb_bytes rest = lb_bytes_from(text, i);
			bool opens = lb_bytes_starts(rest, LB_B("(;"));
			bool closes = lb_bytes_starts(rest, LB_B(";)"));

			depth = opens ? depth + 1 : closes ? depth - 1 : depth;
			i += opens || closes ? 2 : 1;
		} while (depth > 0 && i < text.len);
		return i;
	}
	return i + 1;
}

static void add_form(struct forms *forms, struct lb_bytes text, size_t start, size_t end,
                     unsigned count_max)
{
	struct lb_bytes body = lb_bytes_from(text, start);
	struct form *form = &forms->at[forms->count];

	if (forms->count == count_max)
		return;
	forms->count++;
	*form = (struct form){ .start = start, .end = end };
	form->is_module = lb_bytes_starts(body, LB_B("(module"));
	form->stands_alone = lb_bytes_starts(body, LB_B("(assert_invalid")) ||
	                     lb_bytes_starts(body, LB_B("(assert_malformed")) ||
	                     lb_bytes_starts(body, LB_B("(assert_unlinkable"));
}

static void split(struct forms *forms, struct lb_bytes text, unsigned count_max)
{
	size_t depth = 0, start = 0, i = 0;

	while (i < text.len) {
		size_t next = skip(text, i);

		if (next == i + 1 && text.at[i] == '(' && depth++ == 0)
			start = i;
		if (next == i + 1 && text.at[i] == ')' && depth > 0 && --depth == 0)
			add_form(forms, text, start, next, count_max);
		i = next;
	}
}

static size_t line_of(struct lb_bytes text, size_t position)
{
	size_t line = 1;

	for (size_t i = 0; i < position; i++)
		line += text.at[i] == '\n';
	return line;
}

/* Blank a form out, lines kept, so that the numbers in messages stay right. */
static void drop(struct wast *out, struct form *form, unsigned char *text)
{
	if (form->dropped)
		return;
	form->dropped = true;
	out->dropped++;
	if (getenv("SPEC_DROPS") != NULL)
		printf("# left out: %.*s\n",
		       (int)(form->end - form->start < 200 ? form->end - form->start : 200),
		       (const char *)text + form->start);
	for (size_t i = form->start; i < form->end; i++)
		if (text[i] != '\n')
			text[i] = ' ';
}

/* Forms that call what is no longer exported, up to the next module. */
static void drop_callers(struct wast *out, struct forms *forms, unsigned module,
                         struct lb_bytes name, struct lb_buf *text)
{
	char invoke[128];

	(void)snprintf(invoke, sizeof invoke, "\"%.*s\"", LB_FMT(name));
	for (unsigned i = module + 1; i < forms->count && !forms->at[i].is_module; i++) {
		struct form *form = &forms->at[i];
		struct lb_bytes body = { text->at + form->start, form->end - form->start };

		if (!form->stands_alone && lb_bytes_find(body, lb_bytes_of(invoke)) != SIZE_MAX)
			drop(out, form, text->at);
	}
}

/* Only the field of the module that stands at `line`, with the calls of what it exports. */
static bool drop_field(struct wast *out, struct forms *forms, unsigned module, struct lb_buf *text,
                       size_t line)
{
	const struct form *form = &forms->at[module];
	struct lb_bytes inside = { text->at + form->start + 1, form->end - form->start - 2 }, rest;
	struct forms all = { .at = forms->fields };
	size_t at;

	split(&all, inside, FORMS_MAX);
	for (unsigned i = 0; i < all.count; i++) {
		struct form field = all.at[i];

		field.start += form->start + 1;
		field.end += form->start + 1;
		if (line_of(lb_buf_bytes(text), field.start) > line ||
		    line_of(lb_buf_bytes(text), field.end) < line)
			continue;
		rest = (struct lb_bytes){ text->at + field.start, field.end - field.start };
		while ((at = lb_bytes_find(rest, LB_B("(export \""))) != SIZE_MAX) {
			struct lb_bytes name;

			rest = lb_bytes_from(rest, at + 9);
			if (lb_bytes_split(&name, &rest, '"'))
				drop_callers(out, forms, module, name, text);
		}
		drop(out, &field, text->at);
		return true;
	}
	return false;
}

static bool drop_at_line(struct wast *out, struct forms *forms, struct lb_buf *text, size_t line)
{
	bool found = false;

	for (unsigned i = 0; i < forms->count; i++) {
		struct form *form = &forms->at[i];

		if (form->dropped || line_of(lb_buf_bytes(text), form->start) > line ||
		    line_of(lb_buf_bytes(text), form->end) < line)
			continue;
		found = true;
		if (form->touched)
			continue;
		form->touched = true;
		if (form->is_module && drop_field(out, forms, i, text, line))
			continue;
		drop(out, form, text->at);
		for (unsigned k = i + 1; form->is_module && k < forms->count; k++) {
			if (forms->at[k].is_module)
				break;
			if (!forms->at[k].stands_alone)
				drop(out, &forms->at[k], text->at);
		}
	}
	return found;
}

/* Drop what each "path:line:column: error" is about. */
static bool drop_errors(struct wast *out, struct forms *forms, struct lb_buf *text,
                        struct lb_bytes errors)
{
	struct lb_bytes line;
	bool any = false;

	for (unsigned i = 0; i < forms->count; i++)
		forms->at[i].touched = false;
	while (lb_bytes_split(&line, &errors, '\n')) {
		size_t at = lb_bytes_find(line, LB_B(".wast:"));
		uint64_t number = 0;
		struct lb_bytes digits, rest;

		if (at == SIZE_MAX || lb_bytes_find(line, LB_B("error:")) == SIZE_MAX)
			continue;
		rest = lb_bytes_from(line, at + 6);
		if (!lb_bytes_split(&digits, &rest, ':') ||
		    lb_failed(lb_bytes_u64(&number, digits, UINT32_MAX)))
			continue;
		if (out->first_dropped[0] == '\0')
			(void)snprintf(out->first_dropped, sizeof out->first_dropped, "%.*s",
			               LB_FMT(lb_bytes_from(line, at + 6)));
		any = drop_at_line(out, forms, text, number) || any;
	}
	return any;
}

/* One conversion; the converter's messages are appended to `errors`. */
static bool convert(const char *source, const char *json, struct lb_buf *errors)
{
	const char *argv[] = { "wast2json", "--disable-simd", source, "-o", json, NULL };
	struct lb_run how = { .argv = argv, .timeout_ms = 60000 };
	struct plat_exit status = { .number = 1 };

	return !lb_failed(lb_run(&status, &how, errors, errors, NULL)) && !status.signaled &&
	       status.number == 0;
}

static bool convert_with_drops(struct wast *out, struct forms *forms, struct lb_buf *text,
                               const char *folder, unsigned drops_max)
{
	char path[512], json[512];
	struct lb_buf errors;
	bool done = false;

	(void)snprintf(path, sizeof path, "%s/script.wast", folder);
	(void)snprintf(json, sizeof json, "%s/script.json", folder);
	lb_buf_init(&errors, &lb_mem_host, TEXT_MAX);
	for (unsigned round = 0; round < ROUNDS_MAX && !done; round++) {
		lb_buf_reset(&errors);
		if (lb_failed(lb_file_write(&plat_host, path, lb_buf_bytes(text), 0, NULL)))
			break;
		done = convert(path, json, &errors);
		if (!done && !drop_errors(out, forms, text, lb_buf_bytes(&errors)))
			break;
		if (out->dropped > drops_max)
			break;
	}
	lb_buf_release(&errors);
	return done && out->dropped <= drops_max &&
	       !lb_failed(lb_file_read(&out->json, &plat_host, json, NULL));
}

bool wast_convert(struct wast *out, const char *source, const char *folder, unsigned drops_max)
{
	struct forms forms = { 0 };
	struct lb_buf text;
	bool done = false;

	*out = (struct wast){ 0 };
	lb_buf_init(&out->json, &lb_mem_host, TEXT_MAX);
	lb_buf_init(&text, &lb_mem_host, TEXT_MAX);
	forms.at = LB_NEW(&lb_mem_host, struct form, FORMS_MAX);
	forms.fields = LB_NEW(&lb_mem_host, struct form, FORMS_MAX);
	if (forms.at != NULL && forms.fields != NULL &&
	    !lb_failed(lb_file_read(&text, &plat_host, source, NULL))) {
		split(&forms, lb_buf_bytes(&text), FORMS_MAX);
		out->forms = forms.count;
		done = convert_with_drops(out, &forms, &text, folder, drops_max);
	}
	LB_DROP(&lb_mem_host, forms.at, FORMS_MAX);
	LB_DROP(&lb_mem_host, forms.fields, FORMS_MAX);
	lb_buf_release(&text);
	return done;
}

void wast_release(struct wast *wast) { lb_buf_release(&wast->json); }
