/* functions.c - what the functions of functions.def do. */
#include "workflows/expression/expr_priv.h"

#include "base/data/json.h"
#include "base/vec.h"

/* What a text may grow to before the evaluation's own limit stops it. */
enum { TEXT_BYTES_MAX = 1 << 28 };

static lb_err argument(struct result *out, struct evaluation *ev,
                       const struct workflow_expr_node *call, uint32_t index)
{
	return workflow_evaluate_node(out, ev, call->items[index]);
}

static lb_err text_argument(struct lb_bytes *out, struct evaluation *ev,
                            const struct workflow_expr_node *call, uint32_t index)
{
	struct result result;

	LB_TRY(argument(&result, ev, call, index));
	*out = workflow_to_text(ev->arena, result.value);
	return LB_OK;
}

static lb_err give_text(struct result *out, struct evaluation *ev, struct lb_bytes text)
{
	LB_TRY(workflow_evaluation_made(ev, text.len * 2));
	out->value = lb_value_string(ev->arena, text);
	return LB_OK;
}

/* The buffer's text as the result; releases the buffer. */
static lb_err give_buffer(struct result *out, struct evaluation *ev, struct lb_buf *buf)
{
	lb_err err = lb_buf_check(buf);

	if (!lb_failed(err))
		err = give_text(out, ev, lb_buf_bytes(buf));
	lb_buf_release(buf);
	return err;
}

static void give_boolean(struct result *out, bool boolean)
{
	out->value = boolean ? &workflow_true : &workflow_false;
}

/* ---- text ---- */

/* Both arguments as texts; false where one is an array or an object. */
static lb_err two_texts(bool *both, struct lb_bytes out[2], struct evaluation *ev,
                        const struct workflow_expr_node *call)
{
	struct result results[2];

	for (uint32_t i = 0; i < 2; i++) {
		LB_TRY(argument(&results[i], ev, call, i));
		out[i] = workflow_to_text(ev->arena, results[i].value);
	}
	*both = workflow_is_primitive(results[0].value) && workflow_is_primitive(results[1].value);
	return workflow_evaluation_looks(ev, out[0].len + out[1].len);
}

static lb_err has_item(bool *found, struct evaluation *ev, const struct lb_value *array,
                       const struct lb_value *wanted)
{
	for (uint32_t i = 0; i < array->count && !*found; i++) {
		const struct lb_value *item = array->items[i];

		LB_TRY(workflow_evaluation_looks(ev, 1 + (item->kind == LB_STRING ? item->string.len
		                                                                  : 0)));
		*found = workflow_equal(wanted, item);
	}
	return LB_OK;
}

static lb_err has_text(bool *found, struct evaluation *ev, struct lb_bytes in, struct lb_bytes what)
{
	LB_TRY(workflow_evaluation_looks(ev, in.len + what.len));
	return workflow_contains_fold(found, ev->arena->under, in, what);
}

static lb_err run_contains(struct result *out, struct evaluation *ev,
                           const struct workflow_expr_node *call)
{
	struct result in, what;
	bool found = false;

	LB_TRY(argument(&in, ev, call, 0));
	LB_TRY(argument(&what, ev, call, 1));
	if (in.value->kind == LB_ARRAY)
		LB_TRY(has_item(&found, ev, in.value, what.value));
	else if (workflow_is_primitive(in.value) && workflow_is_primitive(what.value))
		LB_TRY(has_text(&found, ev, workflow_to_text(ev->arena, in.value),
		                workflow_to_text(ev->arena, what.value)));
	give_boolean(out, found);
	return LB_OK;
}

static lb_err run_starts_with(struct result *out, struct evaluation *ev,
                              const struct workflow_expr_node *call)
{
	struct lb_bytes texts[2];
	bool both;

	LB_TRY(two_texts(&both, texts, ev, call));
	give_boolean(out, both && workflow_starts_fold(texts[0], texts[1]));
	return LB_OK;
}

static lb_err run_ends_with(struct result *out, struct evaluation *ev,
                            const struct workflow_expr_node *call)
{
	struct lb_bytes texts[2];
	bool both;

	LB_TRY(two_texts(&both, texts, ev, call));
	give_boolean(out, both && workflow_ends_fold(texts[0], texts[1]));
	return LB_OK;
}

static lb_err run_join(struct result *out, struct evaluation *ev,
                       const struct workflow_expr_node *call)
{
	struct lb_bytes separator = LB_LIT(",");
	struct result items, between;
	struct lb_buf buf;

	LB_TRY(argument(&items, ev, call, 0));
	if (items.value->kind == LB_OBJECT)
		return give_text(out, ev, LB_B(""));
	if (items.value->kind != LB_ARRAY)
		return give_text(out, ev, workflow_to_text(ev->arena, items.value));
	if (call->count > 1) {
		LB_TRY(argument(&between, ev, call, 1));
		if (workflow_is_primitive(between.value))
			separator = workflow_to_text(ev->arena, between.value);
	}
	lb_buf_init(&buf, ev->arena->under, TEXT_BYTES_MAX);
	for (uint32_t i = 0; i < items.value->count; i++) {
		if (i > 0)
			lb_buf_add(&buf, separator);
		lb_buf_add(&buf, workflow_to_text(ev->arena, items.value->items[i]));
	}
	return give_buffer(out, ev, &buf);
}

/* ---- format ---- */

static lb_err bad_format(struct evaluation *ev, const char *what, struct lb_bytes format)
{
	return lb_fail(ev->diag, LB_E_INVALID, "The following format string %s: %.*s", what,
	               LB_FMT(format));
}

/* "{12}" at the front of `rest`: the number, and what is cut off; false for anything else. */
static bool read_placeholder(uint32_t *index, struct lb_bytes *rest)
{
	size_t close = lb_bytes_find_byte(*rest, '}');
	uint64_t number;

	if (close == SIZE_MAX)
		return false;
	if (lb_failed(lb_bytes_u64(&number, lb_bytes_upto(lb_bytes_from(*rest, 1), close - 1),
	                           UINT8_MAX)))
		return false;
	*index = (uint32_t)number;
	*rest = lb_bytes_from(*rest, close + 1);
	return true;
}

/* The argument as text, evaluated when it is used first. */
static lb_err add_argument(struct lb_buf *buf, struct evaluation *ev,
                           const struct workflow_expr_node *call, struct lb_bytes *cache,
                           uint32_t index)
{
	if (cache[index].at == NULL) {
		LB_TRY(text_argument(&cache[index], ev, call, index + 1));
		if (cache[index].at == NULL)
			cache[index] = LB_B("");
	}
	LB_TRY(workflow_evaluation_made(ev, cache[index].len * 2));
	lb_buf_add(buf, cache[index]);
	return LB_OK;
}

static size_t plain_length(struct lb_bytes text)
{
	size_t len = 0;

	while (len < text.len && text.at[len] != '{' && text.at[len] != '}')
		len++;
	return len;
}

static lb_err fill(struct lb_buf *buf, struct evaluation *ev, const struct workflow_expr_node *call,
                   struct lb_bytes format, struct lb_bytes *cache)
{
	struct lb_bytes rest = format;
	uint32_t index;

	while (rest.len > 0) {
		size_t plain = plain_length(rest);

		lb_buf_add(buf, lb_bytes_upto(rest, plain));
		rest = lb_bytes_from(rest, plain);
		if (rest.len == 0)
			break;
		if (rest.len > 1 && rest.at[1] == rest.at[0]) { /* {{ or }} */
			lb_buf_add_byte(buf, rest.at[0]);
			rest = lb_bytes_from(rest, 2);
			continue;
		}
		if (rest.at[0] == '}' || !read_placeholder(&index, &rest))
			return bad_format(ev, "is invalid", format);
		if (index + 1 >= call->count)
			return bad_format(ev, "references more arguments than were supplied",
			                  format);
		LB_TRY(add_argument(buf, ev, call, cache, index));
	}
	return LB_OK;
}

static lb_err run_format(struct result *out, struct evaluation *ev,
                         const struct workflow_expr_node *call)
{
	struct lb_bytes *cache = LB_ARENA_NEW(ev->arena, struct lb_bytes, call->count);
	struct lb_bytes format;
	struct lb_buf buf;
	lb_err err;

	if (cache == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(text_argument(&format, ev, call, 0));
	lb_buf_init(&buf, ev->arena->under, TEXT_BYTES_MAX);
	err = fill(&buf, ev, call, format, cache);
	if (!lb_failed(err))
		return give_buffer(out, ev, &buf);
	lb_buf_release(&buf);
	return err;
}

/* ---- JSON ---- */

static lb_err run_to_json(struct result *out, struct evaluation *ev,
                          const struct workflow_expr_node *call)
{
	struct result value;
	struct lb_buf buf;

	LB_TRY(argument(&value, ev, call, 0));
	lb_buf_init(&buf, ev->arena->under, TEXT_BYTES_MAX);
	lb_value_write(&buf, value.value, true);
	return give_buffer(out, ev, &buf);
}

static lb_err run_from_json(struct result *out, struct evaluation *ev,
                            const struct workflow_expr_node *call)
{
	struct lb_diag why = { 0 };
	struct lb_value *value;
	struct lb_bytes json;
	lb_err err;

	LB_TRY(text_argument(&json, ev, call, 0));
	LB_TRY(workflow_evaluation_made(ev, json.len * 2));
	err = lb_json_read(&value, ev->arena, json, &why);
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (lb_failed(err))
		return lb_fail(ev->diag, LB_E_INVALID, "Error parsing fromJson: %s",
		               lb_diag_text(&why, err));
	out->value = value;
	return ev->scope->parsed != NULL ? ev->scope->parsed(ev->scope->self, json, value) : LB_OK;
}

/* ---- choice ---- */

static lb_err run_case(struct result *out, struct evaluation *ev,
                       const struct workflow_expr_node *call)
{
	struct result predicate;

	for (uint32_t i = 0; i + 1 < call->count; i += 2) {
		LB_TRY(argument(&predicate, ev, call, i));
		if (predicate.value->kind != LB_BOOL)
			return lb_fail(ev->diag, LB_E_INVALID,
			               "case predicate must evaluate to a boolean value");
		if (predicate.value->boolean)
			return argument(out, ev, call, i + 1);
	}
	return argument(out, ev, call, call->count - 1);
}

/* ---- what the caller supplies ---- */

static lb_err all_texts(struct lb_bytes **out, struct evaluation *ev,
                        const struct workflow_expr_node *call)
{
	*out = LB_ARENA_NEW(ev->arena, struct lb_bytes, call->count);
	if (*out == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < call->count; i++)
		LB_TRY(text_argument(&(*out)[i], ev, call, i));
	return LB_OK;
}

static lb_err run_hash_files(struct result *out, struct evaluation *ev,
                             const struct workflow_expr_node *call)
{
	const struct workflow_scope *scope = ev->scope;
	struct lb_bytes *patterns, hash = { 0 };

	if (scope->hash_files == NULL)
		return lb_fail(ev->diag, LB_E_INVALID, "hashFiles cannot be evaluated here");
	LB_TRY(all_texts(&patterns, ev, call));
	LB_TRY(scope->hash_files(&hash, scope->self, ev->arena, patterns, call->count, ev->diag));
	return give_text(out, ev, hash);
}

static lb_err run_status(struct result *out, struct evaluation *ev,
                         const struct workflow_expr_node *call, bool success)
{
	const struct workflow_scope *scope = ev->scope;
	struct lb_bytes *jobs;
	bool holds;

	if (scope->status_of != NULL) {
		LB_TRY(all_texts(&jobs, ev, call));
		LB_TRY(scope->status_of(&holds, scope->self, success, jobs, call->count));
	} else {
		holds = scope->status ==
		        (success ? WORKFLOW_STATUS_SUCCESS : WORKFLOW_STATUS_FAILURE);
	}
	give_boolean(out, holds);
	return LB_OK;
}

static lb_err run_success(struct result *out, struct evaluation *ev,
                          const struct workflow_expr_node *call)
{
	return run_status(out, ev, call, true);
}

static lb_err run_failure(struct result *out, struct evaluation *ev,
                          const struct workflow_expr_node *call)
{
	return run_status(out, ev, call, false);
}

static lb_err run_always(struct result *out, struct evaluation *ev,
                         const struct workflow_expr_node *call)
{
	(void)ev;
	(void)call;
	give_boolean(out, true);
	return LB_OK;
}

static lb_err run_cancelled(struct result *out, struct evaluation *ev,
                            const struct workflow_expr_node *call)
{
	(void)call;
	give_boolean(out, ev->scope->status == WORKFLOW_STATUS_CANCELLED);
	return LB_OK;
}

/* ---- the table ---- */

static const struct workflow_function functions[] = {
#define FUNCTION(name_, min_, max_, call_, run_) \
	{ .name = (name_), \
	  .arguments_min = (min_), \
	  .arguments_max = (max_), \
	  .call = (call_), \
	  .run = (run_) },
#include "workflows/expression/functions.def"
#undef FUNCTION
};

const struct workflow_function *workflow_function_find(struct lb_bytes name)
{
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		if (lb_bytes_eq_nocase(name, lb_bytes_of(functions[i].name)))
			return &functions[i];
	}
	return NULL;
}
