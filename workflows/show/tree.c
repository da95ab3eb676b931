/* tree.c - what would run as a tree: called workflows and matrices below their jobs, reasons below
 * what does not run. */
#include "workflows/show/show_priv.h"

enum { MATRIX_SHOWN = 5, REASON_BYTES_MAX = 160, INDENT_MAX = 256 };

struct tree {
	struct lb_buf *out;
	const struct workflow_tree_options *options;
	char indent[INDENT_MAX]; /* of what stands below the line */
	size_t indent_len;
};

/* ---- parts of a line ---- */

static const char *const colours[] = { [OUTCOME_RUNS] = "\033[32m",
	                               [OUTCOME_SKIPPED] = "\033[2m",
	                               [OUTCOME_WAITS] = "\033[33m",
	                               [OUTCOME_FAILS] = "\033[31m" };

static void colour(struct tree *t, const char *sequence)
{
	if (t->options->colours)
		lb_buf_add_text(t->out, sequence);
}

/* Texts from files: control characters do not reach a terminal. */
static void add_clean(struct lb_buf *out, struct lb_bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		lb_buf_add_byte(out, text.at[i] < ' ' || text.at[i] == 127 ? ' ' : text.at[i]);
}

static void start_line(struct tree *t, bool last)
{
	lb_buf_add(t->out, (struct lb_bytes){ (const unsigned char *)t->indent, t->indent_len });
	lb_buf_add_text(t->out, last ? "└─ " : "├─ ");
}

static size_t indent(struct tree *t, bool last)
{
	const char *more = last ? "   " : "│  ";
	size_t before = t->indent_len;

	if (before + strlen(more) < sizeof t->indent) {
		memcpy(t->indent + before, more, strlen(more));
		t->indent_len = before + strlen(more);
	}
	return before;
}

static void add_outcome(struct tree *t, enum outcome outcome)
{
	if (outcome == OUTCOME_RUNS)
		return;
	lb_buf_add_text(t->out, ": ");
	colour(t, colours[outcome]);
	lb_buf_add_text(t->out, workflow_shown_outcome_text(outcome));
	colour(t, "\033[0m");
}

static void add_labels(struct tree *t, const struct workflow_instance *instance)
{
	for (uint32_t i = 0; i < instance->label_count; i++) {
		lb_buf_add_text(t->out, i == 0 ? " on " : ", ");
		add_clean(t->out, instance->labels[i]);
	}
	if (instance->environment.len > 0) {
		lb_buf_add_text(t->out, " in environment ");
		add_clean(t->out, instance->environment);
	}
}

/* "main.yml:12:9: if: github.event_name == 'push'", on a line of its own. */
static void add_reason(struct tree *t, const struct workflow_instance *instance, bool last)
{
	size_t before;
	struct lb_bytes why = lb_bytes_upto(instance->why, REASON_BYTES_MAX);

	if (why.len == 0)
		return;
	while (why.len < instance->why.len && why.len > 0 &&
	       (instance->why.at[why.len] & 0xc0) == 0x80)
		why.len--;
	before = indent(t, last);
	lb_buf_add(t->out, (struct lb_bytes){ (const unsigned char *)t->indent, t->indent_len });
	t->indent_len = before;
	colour(t, "\033[2m");
	if (instance->why_line != 0)
		lb_buf_addf(t->out, "  %.*s:%u:%u: ", LB_FMT(instance->file), instance->why_line,
		            instance->why_column);
	else
		lb_buf_add_text(t->out, "  ");
	add_clean(t->out, why);
	lb_buf_add_text(t->out, why.len < instance->why.len ? "…" : "");
	colour(t, "\033[0m");
	lb_buf_add_byte(t->out, '\n');
}

/* ---- jobs ---- */

static void show_group(struct tree *t, const struct group *group);

static void show_inside(struct tree *t, const struct entry *entry, bool last)
{
	size_t before = indent(t, last);

	if (entry->inside != NULL)
		show_group(t, entry->inside);
	t->indent_len = before;
}

static void add_needs(struct tree *t, const struct workflow_job *job)
{
	for (uint32_t i = 0; i < job->need_count; i++) {
		lb_buf_add_text(t->out, i == 0 ? ", needs " : ", ");
		add_clean(t->out, job->needs[i]->id);
	}
}

static void show_single(struct tree *t, const struct box *box, bool last)
{
	const struct workflow_instance *instance = box->first->instance;
	enum outcome outcome = workflow_shown_outcome(instance);
	struct lb_bytes name = workflow_shown_own_name(instance);

	start_line(t, last);
	add_clean(t->out, name);
	if (!lb_bytes_eq(name, box->job->id))
		lb_buf_addf(t->out, " (%.*s)", LB_FMT(box->job->id));
	if (instance->calls)
		lb_buf_addf(t->out, " calls %.*s", LB_FMT(box->job->uses->text));
	add_labels(t, instance);
	add_needs(t, box->job);
	add_outcome(t, outcome);
	lb_buf_add_byte(t->out, '\n');
	if (outcome != OUTCOME_RUNS)
		add_reason(t, instance, last);
	show_inside(t, box->first, last);
}

static void show_instances(struct tree *t, const struct box *box)
{
	bool all = t->options->all || box->count <= MATRIX_SHOWN + 1;
	uint32_t shown = 0;

	for (const struct entry *entry = box->first; entry != NULL; entry = entry->next) {
		if (!all && shown == MATRIX_SHOWN)
			break;
		start_line(t, entry->next == NULL);
		add_clean(t->out, workflow_shown_own_name(entry->instance));
		add_labels(t, entry->instance);
		lb_buf_add_byte(t->out, '\n');
		show_inside(t, entry, entry->next == NULL);
		shown++;
	}
	if (shown < box->count) {
		start_line(t, true);
		lb_buf_addf(t->out, "… and %u more; --all shows them\n", box->count - shown);
	}
}

static void show_matrix(struct tree *t, const struct box *box, bool last)
{
	const struct workflow_instance *first = box->first->instance;
	size_t before;

	start_line(t, last);
	add_clean(t->out, workflow_shown_name(box));
	if (!lb_bytes_eq(workflow_shown_name(box), box->job->id))
		lb_buf_addf(t->out, " (%.*s)", LB_FMT(box->job->id));
	lb_buf_addf(t->out, ", %u %s", box->count, first->calls ? "calls" : "jobs");
	if (first->max_parallel < box->count)
		lb_buf_addf(t->out, ", %u at once", first->max_parallel);
	add_needs(t, box->job);
	lb_buf_add_byte(t->out, '\n');
	before = indent(t, last);
	show_instances(t, box);
	t->indent_len = before;
}

/* Depth is that of the calls. */
static void show_group(struct tree *t, const struct group *group)
{
	for (const struct box *box = group->first; box != NULL; box = box->next) {
		if (box->count == 1)
			show_single(t, box, box->next == NULL);
		else
			show_matrix(t, box, box->next == NULL);
	}
}

/* ---- the head ---- */

static void add_counts(struct tree *t, const uint32_t *jobs)
{
	lb_buf_addf(t->out, "%u %s", jobs[OUTCOME_RUNS],
	            jobs[OUTCOME_RUNS] == 1 ? "job runs" : "jobs run");
	if (jobs[OUTCOME_SKIPPED] > 0)
		lb_buf_addf(t->out, ", %u skipped", jobs[OUTCOME_SKIPPED]);
	if (jobs[OUTCOME_WAITS] > 0)
		lb_buf_addf(t->out, ", %u waiting", jobs[OUTCOME_WAITS]);
	if (jobs[OUTCOME_FAILS] > 0)
		lb_buf_addf(t->out, ", %u failing", jobs[OUTCOME_FAILS]);
}

static void show_concurrency(struct tree *t, const struct workflow_plan *plan)
{
	bool cancels = false, queues = false;
	struct lb_bytes group = workflow_plan_concurrency(plan, &cancels, &queues);

	if (group.len == 0)
		return;
	lb_buf_add_text(t->out, "concurrency group ");
	add_clean(t->out, group);
	lb_buf_add_text(t->out, cancels  ? ", cancels what is in progress\n"
	                        : queues ? ", waits for all before it\n"
	                                 : ", waits for what is in progress\n");
}

static void show_times(struct tree *t, const struct lb_value *times)
{
	for (uint32_t i = 0; times != NULL && i < times->count; i++) {
		struct lb_bytes zone = lb_value_get_string(times->items[i], "timezone");

		lb_buf_add_text(t->out, "at ");
		add_clean(t->out, lb_value_get_string(times->items[i], "cron"));
		if (zone.len > 0) {
			lb_buf_add_byte(t->out, ' ');
			add_clean(t->out, zone);
		}
		lb_buf_addf(t->out, ", next %.*s\n",
		            LB_FMT(lb_value_get_string(times->items[i], "next")));
	}
}

static void show_head(struct tree *t, const struct workflow_shown *shown, const uint32_t *jobs)
{
	const struct workflow *workflow = shown->workflow;

	colour(t, "\033[1m");
	add_clean(t->out, workflow->name.len > 0 ? workflow->name : workflow->file_name);
	colour(t, "\033[0m");
	if (workflow->name.len > 0)
		lb_buf_addf(t->out, " (%.*s)", LB_FMT(workflow->file_name));
	lb_buf_addf(t->out, " on %.*s", LB_FMT(shown->event));
	if (shown->ref.len > 0) {
		lb_buf_add_text(t->out, " of ");
		add_clean(t->out, shown->ref);
	}
	lb_buf_add_text(t->out, ": ");
	if (shown->why_not == NULL) {
		add_counts(t, jobs);
		lb_buf_add_byte(t->out, '\n');
		return;
	}
	colour(t, colours[OUTCOME_SKIPPED]);
	lb_buf_add_text(t->out, "does not run");
	colour(t, "\033[0m");
	lb_buf_addf(t->out, "\n  %.*s:%u:%u: ", LB_FMT(workflow->file_name), shown->why_not->line,
	            shown->why_not->column);
	add_clean(t->out, lb_bytes_of(shown->why_not->diag.text));
	lb_buf_add_byte(t->out, '\n');
}

lb_err workflow_show_tree(struct lb_buf *out, struct lb_mem *mem,
                          const struct workflow_shown *shown,
                          const struct workflow_tree_options *options)
{
	struct tree t = { .out = out, .options = options };
	struct boxes boxes = { 0 };
	struct lb_arena arena;
	lb_err err = LB_OK;

	lb_arena_init(&arena, mem);
	if (shown->plan != NULL)
		err = workflow_shown_boxes(&boxes, &arena, shown->plan);
	if (!lb_failed(err)) {
		show_head(&t, shown, boxes.jobs);
		show_times(&t, shown->times);
		if (shown->plan != NULL) {
			show_concurrency(&t, shown->plan);
			show_group(&t, boxes.root);
		}
		err = lb_buf_check(out);
	}
	lb_arena_release(&arena);
	return err;
}
