/* yaml_differential_test.c - real and generated YAML: our nodes are those of the npm package
 * `yaml`, with which GitHub's own reads workflows, or both refuse.
 *
 * yaml_differential.mjs makes the texts (LB_SEED, LB_DOCUMENTS) and says what the package does.
 */
#include "base/data/json.h"
#include "base/data/yaml.h"
#include "tests/harness/test.h"

#include <stdlib.h>

enum { LINE_BYTES_MAX = 16 << 20, SHOWN_MAX = 20, SHOWN_BYTES_MAX = 400 };

static const char modules[] = "build/node/node_modules";

/* How our answer stands to theirs. */
enum relation { SAME, WE_REFUSE, WE_ACCEPT, OTHER_NODES };

struct answer {
	struct lb_bytes text, error; /* theirs; empty: accepted */
	const struct lb_value *nodes;
	enum relation relation;
	struct lb_diag diag; /* ours */
};

/* ---- comparing ---- */

static const char *kind_of(const struct lb_yaml_node *node)
{
	static const char *const styles[] = { "plain", "single", "double", "literal", "folded" };

	return node->kind == LB_YAML_SEQUENCE  ? "seq"
	       : node->kind == LB_YAML_MAPPING ? "map"
	                                       : styles[node->style];
}

static bool is_number(const struct lb_value *value, uint32_t number)
{
	return value->kind == LB_NUMBER && !(value->number < number) && !(value->number > number);
}

/* Theirs are flat: five values a node, what is in a collection behind it. */
static bool same(const struct lb_yaml_node *node, const struct lb_value *nodes, size_t *at)
{
	struct lb_value **theirs = nodes->items + *at;
	bool good;

	if (*at + 5 > nodes->count)
		return false;
	*at += 5;
	good = lb_bytes_is(theirs[0]->string, kind_of(node)) &&
	       lb_bytes_eq(theirs[3]->string, node->tag) &&
	       (is_number(theirs[1], 0) ||
	        (is_number(theirs[1], node->line) && is_number(theirs[2], node->column)));
	if (node->kind == LB_YAML_SCALAR)
		return good && lb_bytes_eq(theirs[4]->string, node->text);
	good = good && is_number(theirs[4], node->count);
	for (uint32_t i = 0; i < node->count && good; i++)
		good = same(node->items[i], nodes, at);
	return good;
}

/* No document at all is to them one with nothing in it. */
static bool is_nothing(const struct lb_value *nodes)
{
	return nodes->count == 0 || (nodes->count == 5 && nodes->items[4]->kind == LB_STRING &&
	                             nodes->items[4]->string.len == 0);
}

static void compare(struct answer *a, struct lb_arena *arena)
{
	struct lb_yaml_node *root;
	lb_err err = lb_yaml_read(&root, arena, a->text, NULL, &a->diag);
	size_t at = 0;

	if (lb_failed(err) || a->error.len > 0)
		a->relation = lb_failed(err) ? a->error.len > 0 ? SAME : WE_REFUSE : WE_ACCEPT;
	else if (root == NULL ? is_nothing(a->nodes)
	                      : same(root, a->nodes, &at) && at == a->nodes->count)
		a->relation = SAME;
	else
		a->relation = OTHER_NODES;
}

/* ---- the differences that are meant ---- */

static bool has(struct lb_bytes text, const char *what)
{
	return lb_bytes_find(text, lb_bytes_of(what)) != SIZE_MAX;
}

static bool has_margin(const struct answer *a)
{
	return (lb_bytes_is(a->error, "MISSING_CHAR") || lb_bytes_is(a->error, "BAD_INDENT")) &&
	       (has(a->text, "'") || has(a->text, "\"") || has(a->text, "[") || has(a->text, "{"));
}

static bool has_tight_comment(const struct answer *a)
{
	return lb_bytes_is(a->error, "MISSING_CHAR") && (has(a->text, "]#") || has(a->text, "}#"));
}

static bool has_tab(const struct answer *a)
{
	return lb_bytes_is(a->error, "TAB_AS_INDENT") && has(a->text, "\t");
}

static bool begins_with_end(const struct answer *a)
{
	return lb_bytes_is(a->error, "MULTIPLE_DOCS") && has(a->text, "...");
}

static bool has_directive_behind_end(const struct answer *a)
{
	return has(a->text, "...") && has(a->text, "\n%");
}

static bool has_open_line(const struct answer *a)
{
	return a->text.len > 0 && a->text.at[a->text.len - 1] != '\n' &&
	       (has(a->text, "|") || has(a->text, ">"));
}

/* |2 or >-1 */
static bool has_given_indentation(const struct answer *a)
{
	for (size_t i = 0; i + 2 < a->text.len; i++) {
		const unsigned char *at = a->text.at + i;
		size_t sign = at[1] == '-' || at[1] == '+';

		if ((at[0] == '|' || at[0] == '>') && at[1 + sign] >= '1' && at[1 + sign] <= '9')
			return true;
	}
	return false;
}

static bool has_escaped_end(const struct answer *a)
{
	return has(a->text, "\\\n") || has(a->text, "\\\r");
}

static bool has_two_quotes(const struct answer *a) { return has(a->text, "''"); }

static bool has_explicit_key(const struct answer *a)
{
	struct lb_bytes rest = a->text, line;

	while (lb_bytes_split(&line, &rest, '\n')) {
		line = lb_bytes_trim(line);
		if (has(line, "? ") || lb_bytes_is(line, "?") || lb_bytes_starts(line, LB_B(":")) ||
		    lb_bytes_ends(line, LB_B(":")) || has(line, " : "))
			return true;
	}
	return false;
}

static bool has_return(const struct answer *a)
{
	for (size_t i = 0; i < a->text.len; i++) {
		if (a->text.at[i] == '\r' && (i + 1 == a->text.len || a->text.at[i + 1] != '\n'))
			return true;
	}
	return false;
}

static bool has_long_key(const struct answer *a)
{
	return has(lb_bytes_of(a->diag.text), "a key of more than one line or");
}

static bool has_control(const struct answer *a)
{
	return has(lb_bytes_of(a->diag.text), "control character");
}

static bool has_surrogate(const struct answer *a)
{
	return has(lb_bytes_of(a->diag.text), "a number that is no character's");
}

static const struct {
	const char *why;
	enum relation relation;
	bool (*applies)(const struct answer *a);
} differences[] = {
	{ "a comment may touch a closing bracket, as GitHub's service has it", WE_ACCEPT,
	  has_tight_comment },
	{ "within quotes and brackets any indentation will do, as GitHub's service has it",
	  WE_ACCEPT, has_margin },
	{ "a tab may stand before a value that no blanks indent", WE_ACCEPT, has_tab },
	{ "... may stand before the document", WE_ACCEPT, begins_with_end },
	{ "behind ... a line with % is a directive", WE_REFUSE, has_directive_behind_end },
	{ "a block of text gets no line end where its last line has none", OTHER_NODES,
	  has_open_line },
	{ "blanks beyond the indentation that a block of text names are text", OTHER_NODES,
	  has_given_indentation },
	{ "each blank line behind an escaped line end is a line end", OTHER_NODES,
	  has_escaped_end },
	{ "'a'' has no end", WE_REFUSE, has_two_quotes },
	{ "a key within brackets that has no question mark is on one line", WE_REFUSE,
	  has_long_key },
	{ "what cannot follow a key with a question mark is not dropped", WE_REFUSE,
	  has_explicit_key },
	{ "a text that is a key with a question mark goes on behind a line of tabs", WE_ACCEPT,
	  has_explicit_key },
	{ "a colon at the begin of a line has a key of its own, or none", OTHER_NODES,
	  has_explicit_key },
	{ "a CR alone ends a line", WE_REFUSE, has_return },
	{ "a CR alone ends a line, and what it ends may be right", WE_ACCEPT, has_return },
	{ "a CR alone ends a line, within a text as well", OTHER_NODES, has_return },
	{ "control characters are refused", WE_REFUSE, has_control },
	{ "half a surrogate pair is no character", WE_REFUSE, has_surrogate },
};

enum { DIFFERENCES = sizeof differences / sizeof differences[0] };

static bool is_meant(size_t seen[DIFFERENCES], const struct answer *a)
{
	for (size_t i = 0; i < DIFFERENCES; i++) {
		if (differences[i].relation == a->relation && differences[i].applies(a)) {
			seen[i]++;
			return true;
		}
	}
	return false;
}

/* ---- the run ---- */

static void show(const struct answer *a)
{
	static const char *const relations[] = { "the same", "we refuse", "we accept",
		                                 "other nodes" };
	struct lb_bytes text = lb_bytes_upto(a->text, SHOWN_BYTES_MAX);

	printf("# %s; theirs: %.*s, ours: %s; the text:\n", relations[a->relation],
	       LB_FMT(a->error), a->diag.text);
	for (size_t i = 0; i < text.len; i++)
		printf(i == 0 || text.at[i - 1] == '\n' ? "#   %c" : "%c", text.at[i]);
	printf("\n");
}

static void check_line(struct test *t, size_t seen[DIFFERENCES], struct lb_bytes line)
{
	struct answer a = { 0 };
	struct lb_value *theirs;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	if (CHECK_OK(lb_json_read(&theirs, &arena, line, NULL))) {
		a.text = lb_value_get_string(theirs, "yaml");
		a.error = lb_value_get_string(theirs, "error");
		a.nodes = lb_value_get(theirs, "nodes");
		compare(&a, &arena);
		if (a.relation != SAME && !is_meant(seen, &a) && t->failures++ < SHOWN_MAX)
			show(&a);
	}
	lb_arena_release(&arena);
}

TEST(yaml_nodes_are_those_of_the_npm_package)
{
	const char *count = getenv("LB_DOCUMENTS");
	size_t seen[DIFFERENCES] = { 0 }, lines = 0;
	char command[1024], *line;
	FILE *from;

	(void)snprintf(command, sizeof command, "test -e %s/yaml", modules);
	if (system(command) != 0)
		SKIP("the npm package is not here");
	/* The same ones each time, unless asked for others. */
	(void)snprintf(command, sizeof command,
	               "node %s/tests/base/data/yaml_differential.mjs %s %s%s %llu %lu", test_top(),
	               modules, test_suites() != NULL ? test_suites() : "-",
	               test_suites() != NULL ? "/workflow-corpus" : "",
	               getenv("LB_SEED") != NULL ? (unsigned long long)t->seed : 1ULL,
	               count != NULL ? strtoul(count, NULL, 10) : 10000UL);
	line = malloc(LINE_BYTES_MAX);
	from = popen(command, "r");
	CHECK(line != NULL && from != NULL);
	for (; fgets(line, LINE_BYTES_MAX, from) != NULL; lines++)
		check_line(t, seen, lb_bytes_of(line));
	CHECK(pclose(from) == 0);
	free(line);
	printf("# %zu texts\n", lines);
	for (size_t i = 0; i < DIFFERENCES; i++) {
		CHECK(seen[i] > 0);           /* else it is none any more */
		CHECK(seen[i] * 100 < lines); /* else it hides more than it says */
		printf("# %zu: %s\n", seen[i], differences[i].why);
	}
}
