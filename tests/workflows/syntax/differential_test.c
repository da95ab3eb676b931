/* differential_test.c - workflow files, real and spoilt: we read what GitHub's own package reads,
 * or refuse it at the same places with the same words.
 *
 * differential.mjs makes the spoilt ones (LB_SEED) and says what the package does.  Quick: a part
 * of the corpus; with LB_LONG all of it and 10,000 spoilt ones.
 */
#include "tests/workflows/shrink.h"
#include "tests/workflows/support.h"

#include "base/data/json.h"
#include "workflows/syntax/schema.h"

#include <stdlib.h>

enum {
	LINE_BYTES_MAX = 1 << 24,
	SHOWN_MAX = 20,
	SHRUNK_MAX = 3,
	MESSAGE_BYTES_MAX = 400,
	ERRORS_MAX = 24,
	TREE_BYTES_MAX = 1 << 24
};

static const char modules[] = "build/node/node_modules";

/* ---- ours ---- */

struct error {
	uint32_t line, column;
	struct lb_bytes message;
};

struct errors {
	size_t count; /* may be more than are kept */
	struct error at[ERRORS_MAX];
};

static void add_error(struct errors *errors, uint32_t line, uint32_t column,
                      struct lb_bytes message)
{
	/* The package leaves it out where it looks at a condition. */
	message = lb_bytes_upto(message, lb_bytes_find(message, LB_B(". Located at position")));
	message = lb_bytes_upto(message, MESSAGE_BYTES_MAX);
	if (lb_bytes_is(message, "Unexpected value ''"))
		column = 0;                           /* as in trees */
	else if (lb_bytes_ends(message, LB_B("\n'"))) /* lacks_line_end, below */
		message.len -= 2;
	else if (lb_bytes_ends(message, LB_B("'")))
		message.len--;
	if (errors->count < ERRORS_MAX)
		errors->at[errors->count] = (struct error){ line, column, message };
	errors->count++;
}

static int by_place(const void *a, const void *b)
{
	const struct error *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return lb_bytes_cmp(x->message, y->message);
}

static void sort(struct errors *errors)
{
	qsort(errors->at, errors->count < ERRORS_MAX ? errors->count : ERRORS_MAX,
	      sizeof errors->at[0], by_place);
}

static bool same(const struct errors *a, const struct errors *b)
{
	for (size_t i = 0; i < a->count && i < ERRORS_MAX && a->count == b->count; i++) {
		if (by_place(&a->at[i], &b->at[i]) != 0)
			return false;
	}
	return a->count == b->count;
}

static bool is_nothing(const struct workflow_token *token)
{
	return token->kind == WORKFLOW_NULL ||
	       (token->kind == WORKFLOW_STRING && token->text.len == 0);
}

/* As differential.mjs writes it: kind, place, value, 0x01.  Where nothing stands
 * is a matter of taste. */
static void write_tree(struct lb_buf *out, const struct workflow_token *token)
{
	static const char kinds[] = "SLMEIBN0";
	uint64_t bits;

	lb_buf_addf(out, "%c%u:%u ", kinds[token->kind], is_nothing(token) ? 0 : token->line,
	            is_nothing(token) ? 0 : token->column);
	switch (token->kind) {
	case WORKFLOW_STRING:
	case WORKFLOW_EXPRESSION: lb_buf_addf(out, "%.*s\1", LB_FMT(token->text)); break;
	case WORKFLOW_BOOLEAN: lb_buf_addf(out, "%s\1", token->boolean ? "true" : "false"); break;
	case WORKFLOW_NUMBER:
		memcpy(&bits, &token->number, sizeof bits);
		lb_buf_addf(out, "%llx\1", (unsigned long long)bits);
		break;
	case WORKFLOW_SEQUENCE:
	case WORKFLOW_MAPPING:
		lb_buf_add_byte(out, token->kind == WORKFLOW_MAPPING ? '{' : '[');
		for (uint32_t i = 0; i < token->count; i++)
			write_tree(out, token->items[i]);
		lb_buf_add_byte(out, token->kind == WORKFLOW_MAPPING ? '}' : ']');
		break;
	case WORKFLOW_NULL:
	case WORKFLOW_INSERT: break;
	}
}

struct ours {
	bool yaml;             /* it is none */
	struct errors read;    /* by the schema, and what GitHub's editor refuses */
	struct errors convert; /* where reading found none */
	struct lb_buf tree;
};

static void read_ours(struct ours *ours, struct test *t, struct lb_arena *arena,
                      struct lb_bytes source, struct workflow **checked)
{
	const struct workflow_problem *list;
	const struct workflow_token *root;
	struct problems problems;
	uint32_t count;

	*ours = (struct ours){ 0 };
	lb_buf_init(&ours->tree, t->mem, TREE_BYTES_MAX);
	workflow_problems_init(&problems, arena);
	CHECK_OK(
		workflow_read_tokens(&root, NULL, arena, source, SCHEMA_workflow, NULL, &problems));
	CHECK_OK(workflow_problems_take(&list, &count, &problems));
	workflow_problems_release(&problems);
	ours->yaml = root == NULL;
	for (uint32_t i = 0; i < count; i++)
		add_error(&ours->read, list[i].line, list[i].column, list[i].message);
	if (root != NULL)
		write_tree(&ours->tree, root);
	CHECK_OK(workflow_check(checked, t->mem, source, "a.yml"));
	for (uint32_t i = 0; *checked != NULL && i < (*checked)->problem_count; i++) {
		const struct workflow_problem *p = &(*checked)->problems[i];

		if (p->warning)
			add_error(&ours->read, p->line, p->column, p->message);
		else if (count == 0)
			add_error(&ours->convert, p->line, p->column, p->message);
	}
	sort(&ours->read);
	sort(&ours->convert);
}

/* ---- theirs ---- */

static const struct errors *errors_of(struct lb_arena *arena, const struct lb_value *list)
{
	struct errors *errors = LB_ARENA_NEW(arena, struct errors, 1);

	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		const struct lb_value *entry = list->items[i];

		add_error(errors, (uint32_t)entry->items[0]->number,
		          (uint32_t)entry->items[1]->number, entry->items[2]->string);
	}
	sort(errors);
	return errors;
}

/* ---- a file ---- */

struct comparison {
	struct lb_bytes source;
	const struct lb_value *theirs;
	struct ours *ours;
	const struct errors *read, *converted; /* theirs */
};

static const char *difference(const struct comparison *c)
{
	bool refused = c->read->count > 0 || lb_value_get(c->theirs, "yaml") != NULL ||
	               lb_value_get(c->theirs, "crash") != NULL;

	if (c->ours->yaml || lb_value_get(c->theirs, "yaml") != NULL)
		return refused == (c->ours->read.count > 0) ? NULL : "one of us takes it for YAML";
	if (refused != (c->ours->read.count > 0))
		return "accepted by one of us";
	if (refused)
		return lb_value_get(c->theirs, "crash") != NULL || same(&c->ours->read, c->read)
		               ? NULL
		               : "other errors";
	if (!lb_bytes_eq(lb_buf_bytes(&c->ours->tree), lb_value_get_string(c->theirs, "tree")))
		return "another tree";
	return same(&c->ours->convert, c->converted) ? NULL : "other errors of converting";
}

/* ---- the differences that are meant ---- */

static bool says(const struct error *error, const char *start)
{
	return lb_bytes_starts(error->message, lb_bytes_of(start));
}

static bool is_proposal(const struct errors *errors, size_t i, bool ours)
{
	(void)ours;
	return says(&errors->at[i], "There's not enough info to determine what you meant.");
}

static bool is_job_env(const struct errors *errors, size_t i, bool ours)
{
	return !ours && says(&errors->at[i], "Unexpected type '");
}

static bool is_uses(const struct errors *errors, size_t i, bool ours)
{
	return ours && says(&errors->at[i], "Expected format {org}/{repo}[/path]@ref.");
}

static bool is_cron(const struct errors *errors, size_t i, bool ours)
{
	return !ours && says(&errors->at[i], "Invalid cron expression.");
}

/* A condition or another expression that nobody understands. */
static bool is_first_wrong(const struct errors *errors, size_t i, bool ours)
{
	(void)ours;
	return says(&errors->at[i], "Unexpected symbol: '") ||
	       says(&errors->at[i], "Unrecognized named-value: '") ||
	       says(&errors->at[i], "Unexpected end of expression");
}

/* "!!str 3" where there must be something else: the value stands where its tag does. */
static bool is_tagged(const struct errors *errors, size_t i, bool ours)
{
	(void)ours;
	return says(&errors->at[i], "Unexpected value '3");
}

/* Expressions below a key of `on` that the editor, which the package is for, refuses already. */
static bool is_below_on(const struct errors *errors, size_t i, bool ours)
{
	const struct error *error = &errors->at[i];

	return ours && i > 0 && says(&errors->at[0], "Unexpected value '") &&
	       (says(error, "Unexpected value '${{") || says(error, "Unrecognized ") ||
	        says(error, "Unexpected symbol") || says(error, "A template expression") ||
	        says(error, "The expression is not closed") ||
	        says(error, "An expression was expected"));
}

/* Errors that one of us finds alone. */
static const struct {
	const char *why;
	bool (*applies)(const struct errors *errors, size_t i, bool ours);
} single[] = {
	{ "the steps of 2026 are not proposed, as in the suite", is_proposal },
	{ "`env` may be an expression, a default of another type; not when the package converts",
	  is_job_env },
	{ "the form of `uses` is looked at", is_uses },
	{ "blanks around a cron expression are let be, as in earthly's", is_cron },
	{ "what the editor does not know in `on` is read nevertheless", is_below_on },
	{ "the first thing wrong in an expression is reported; the package lexes all of it first",
	  is_first_wrong },
	{ "errors stand where a tag does, not behind it", is_tagged },
};

static bool is_tag(const struct comparison *c)
{
	return c->ours->yaml && says(&c->ours->read.at[0], "Unexpected tag '");
}

/* The same values, at whatever places. */
static bool same_but_for_places(struct lb_bytes a, struct lb_bytes b)
{
	size_t i = 0, j = 0;

	while (i < a.len && j < b.len && a.at[i] == b.at[j]) {
		unsigned char c = a.at[i++];

		j++;
		if (strchr("SLMEIBN0", c) == NULL)
			continue;
		while (i < a.len && ((a.at[i] >= '0' && a.at[i] <= '9') || a.at[i] == ':'))
			i++;
		while (j < b.len && ((b.at[j] >= '0' && b.at[j] <= '9') || b.at[j] == ':'))
			j++;
	}
	return i == a.len && j == b.len;
}

static bool has_properties(const struct comparison *c)
{
	return (lb_bytes_find(c->source, LB_B(" &")) != SIZE_MAX ||
	        lb_bytes_find(c->source, LB_B(" !")) != SIZE_MAX) &&
	       c->read->count == 0 && c->ours->read.count == 0 &&
	       same_but_for_places(lb_buf_bytes(&c->ours->tree),
	                           lb_value_get_string(c->theirs, "tree"));
}

/* As in nginx's stale.yaml. */
static bool is_outdented(const struct comparison *c)
{
	struct lb_bytes why = lb_value_get_string(c->theirs, "yaml");

	return (lb_bytes_is(why, "MISSING_CHAR") || lb_bytes_is(why, "BAD_INDENT")) &&
	       !c->ours->yaml;
}

static bool lacks_line_end(const struct comparison *c)
{
	struct lb_bytes ours = lb_buf_bytes(&c->ours->tree);
	struct lb_bytes theirs = lb_value_get_string(c->theirs, "tree");
	size_t at = 0;

	while (at < ours.len && at < theirs.len && ours.at[at] == theirs.at[at])
		at++;
	return !lb_bytes_ends(c->source, LB_B("\n")) && at < theirs.len && theirs.at[at] == '\n' &&
	       lb_bytes_eq(lb_bytes_from(ours, at), lb_bytes_from(theirs, at + 1));
}

/* A block of text that begins with an expression. */
static bool has_block_expression(const struct comparison *c)
{
	struct lb_bytes rest = c->source, line;
	bool header = false, found = false;

	while (lb_bytes_split(&line, &rest, '\n') && !found) {
		line = lb_bytes_trim(line);
		found = header && lb_bytes_starts(line, LB_B("${{"));
		header = lb_bytes_ends(line, LB_B(" >")) || lb_bytes_ends(line, LB_B(" >-")) ||
		         lb_bytes_ends(line, LB_B(" |")) || lb_bytes_ends(line, LB_B(" |-"));
	}
	return found && c->read->count == 0 && c->ours->read.count == 0 &&
	       same_but_for_places(lb_buf_bytes(&c->ours->tree),
	                           lb_value_get_string(c->theirs, "tree"));
}

static const struct {
	const char *why;
	bool (*applies)(const struct comparison *c);
} whole[] = {
	{ "an expression in a block of several lines stands where the block does",
	  has_block_expression },
	{ "tags that nobody knows are refused, as in `if: !cancelled()`", is_tag },
	{ "what stands in quotes or brackets may go on in any column", is_outdented },
	{ "a block at the end of a file that has no line end has none", lacks_line_end },
	{ "a value stands where its tag or anchor does, not behind it", has_properties },
};

enum {
	SINGLE = sizeof single / sizeof single[0],
	WHOLE = sizeof whole / sizeof whole[0],
	DIFFERENCES = SINGLE + WHOLE
};

static const char *why_of(size_t i) { return i < SINGLE ? single[i].why : whole[i - SINGLE].why; }

static bool has(const struct errors *errors, const struct error *wanted)
{
	for (size_t i = 0; i < errors->count && i < ERRORS_MAX; i++) {
		if (by_place(&errors->at[i], wanted) == 0)
			return true;
	}
	return false;
}

/* Is every error that the other one does not find there by a rule?  `mask` says by which. */
static bool is_listed(uint32_t *mask, const struct errors *errors, const struct errors *others,
                      bool ours)
{
	for (size_t i = 0; i < errors->count && i < ERRORS_MAX; i++) {
		size_t rule = 0;

		if (has(others, &errors->at[i]))
			continue;
		while (rule < SINGLE && !single[rule].applies(errors, i, ours))
			rule++;
		if (rule == SINGLE)
			return false;
		*mask |= UINT32_C(1) << rule;
	}
	return true;
}

static bool same_but_for_single(uint32_t *mask, const struct errors *ours,
                                const struct errors *theirs)
{
	return is_listed(mask, ours, theirs, true) && is_listed(mask, theirs, ours, false);
}

static bool is_meant(size_t seen[DIFFERENCES], const struct comparison *c)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < WHOLE; i++) {
		if (whole[i].applies(c)) {
			seen[SINGLE + i]++;
			return true;
		}
	}
	if ((c->read->count > 0) != (c->ours->read.count > 0) ||
	    !same_but_for_single(&mask, &c->ours->read, c->read) ||
	    !same_but_for_single(&mask, &c->ours->convert, c->converted) || mask == 0)
		return false;
	for (size_t i = 0; i < SINGLE; i++)
		seen[i] += mask >> i & 1;
	return true;
}

static void print_errors(const char *whose, const struct errors *errors)
{
	for (size_t i = 0; i < errors->count && i < 6; i++)
		printf("#   %s %u:%u %.*s\n", whose, errors->at[i].line, errors->at[i].column,
		       LB_FMT(errors->at[i].message));
}

static void print_tree(struct lb_bytes ours, struct lb_bytes theirs)
{
	size_t at = 0;

	while (at < ours.len && at < theirs.len && ours.at[at] == theirs.at[at])
		at++;
	at = at > 40 ? at - 40 : 0;
	printf("#   ours   %.*s\n#   theirs %.*s\n",
	       LB_FMT(lb_bytes_upto(lb_bytes_from(ours, at), 100)),
	       LB_FMT(lb_bytes_upto(lb_bytes_from(theirs, at), 100)));
}

static void show(const struct comparison *c, const char *what)
{
	printf("# %.*s: %s %.*s\n", LB_FMT(lb_value_get_string(c->theirs, "name")), what,
	       LB_FMT(lb_value_get_string(c->theirs, "yaml")));
	print_errors("ours", &c->ours->read);
	print_errors("theirs", c->read);
	print_errors("ours, converting", &c->ours->convert);
	print_errors("theirs, converting", c->converted);
	if (strcmp(what, "another tree") == 0)
		print_tree(lb_buf_bytes(&c->ours->tree), lb_value_get_string(c->theirs, "tree"));
}

/* What the package says of a file, in a line of JSON, against what we say.  Is there a difference
 * that is not meant?  `source` (NULL is fine) is set to the file's text. */
static bool differs(struct test *t, size_t seen[DIFFERENCES], struct lb_arena *arena,
                    struct lb_bytes line, bool shown, struct lb_bytes *source)
{
	struct lb_value *theirs;
	struct workflow *checked = NULL;
	struct comparison c;
	const char *what;
	bool found;

	if (lb_failed(lb_json_read(&theirs, arena, line, NULL)))
		return true;
	c = (struct comparison){ .theirs = theirs,
		                 .ours = LB_ARENA_NEW(arena, struct ours, 1),
		                 .read = errors_of(arena, lb_value_get(theirs, "errors")),
		                 .converted = errors_of(arena, lb_value_get(theirs, "converted")) };
	c.source = lb_value_get_string(theirs, "source");
	if (lb_value_get(theirs, "source") == NULL)
		c.source = support_file(arena,
		                        lb_arena_text(arena, lb_value_get_string(theirs, "name")));
	read_ours(c.ours, t, arena, c.source, &checked);
	what = difference(&c);
	found = what != NULL && !is_meant(seen, &c);
	if (found && shown)
		show(&c, what);
	if (source != NULL)
		*source = c.source;
	lb_buf_release(&c.ours->tree);
	workflow_free(checked);
	return found;
}

/* ---- the shortest file with a difference ---- */

static size_t first_that_differs(void *self, const struct lb_bytes *texts, size_t count)
{
	size_t unused[DIFFERENCES], at = 0, found = SIZE_MAX;
	struct test *t = self;
	struct lb_arena arena;
	const char *path;
	char *line = malloc(LINE_BYTES_MAX);
	FILE *from;

	lb_arena_init(&arena, t->mem);
	path = support_texts(&arena, texts, count);
	from = popen(support_path(&arena,
	                          "node %s/tests/workflows/syntax/differential.mjs %s "
	                          "--texts %s",
	                          test_top(), modules, path),
	             "r");
	while (from != NULL && line != NULL && fgets(line, LINE_BYTES_MAX, from) != NULL) {
		if (found == SIZE_MAX && differs(t, unused, &arena, lb_bytes_of(line), false, NULL))
			found = at;
		at++;
	}
	if (from != NULL)
		(void)pclose(from);
	(void)remove(path);
	free(line);
	lb_arena_release(&arena);
	return found;
}

static void print_shortest(struct test *t, struct lb_arena *arena, struct lb_bytes source)
{
	struct lb_bytes line;

	source = shrink(arena, source, SHRINK_LINES, first_that_differs, t);
	printf("# shortest:\n");
	while (lb_bytes_split(&line, &source, '\n'))
		printf("#   | %.*s\n", LB_FMT(line));
}

static void check_line(struct test *t, size_t seen[DIFFERENCES], struct lb_bytes line)
{
	struct lb_bytes source;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	if (differs(t, seen, &arena, line, t->failures < SHOWN_MAX, &source) &&
	    t->failures++ < SHRUNK_MAX)
		print_shortest(t, &arena, source);
	lb_arena_release(&arena);
}

TEST(files_are_read_as_github_s_package_reads_them)
{
	bool all = getenv("LB_LONG") != NULL;
	size_t seen[DIFFERENCES] = { 0 }, lines = 0;
	char command[1024], *line;
	FILE *from;

	(void)snprintf(command, sizeof command, "test -e %s/@actions/workflow-parser", modules);
	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	if (system(command) != 0)
		SKIP("GitHub's package is not here");
	/* The same ones each time, unless asked for others. */
	(void)snprintf(
		command, sizeof command,
		"node %s/tests/workflows/syntax/differential.mjs %s %s/workflow-corpus %llu %d %d",
		test_top(), modules, test_suites(),
		getenv("LB_SEED") != NULL ? (unsigned long long)t->seed : 1ULL, all ? 1 : 10,
		all ? 10000 : 300);
	line = malloc(LINE_BYTES_MAX);
	from = popen(command, "r");
	CHECK(line != NULL && from != NULL);
	while (fgets(line, LINE_BYTES_MAX, from) != NULL) {
		check_line(t, seen, lb_bytes_of(line));
		lines++;
	}
	printf("# %zu files\n", lines);
	CHECK(pclose(from) == 0);
	free(line);
	for (size_t i = 0; i < DIFFERENCES; i++) {
		CHECK(seen[i] > 0); /* else it is none any more */
		printf("# %zu: %s\n", seen[i], why_of(i));
	}
}
