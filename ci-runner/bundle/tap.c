/* tap.c - see outcome.h: TAP. */
#include "ci-runner/bundle/outcome.h"

struct tap {
	struct lb_vec *cases;
	struct lb_arena *arena;
	uint64_t planned, seen;
	bool has_plan, skips_all;
	struct lb_bytes bail;
};

static bool take(struct lb_bytes *rest, const char *word)
{
	if (!lb_bytes_starts(*rest, lb_bytes_of(word)))
		return false;
	*rest = lb_bytes_from(*rest, strlen(word));
	return true;
}

static struct lb_bytes digits(struct lb_bytes *rest)
{
	size_t len = 0;
	struct lb_bytes number;

	while (len < rest->len && rest->at[len] >= '0' && rest->at[len] <= '9')
		len++;
	number = lb_bytes_upto(*rest, len);
	*rest = lb_bytes_from(*rest, len);
	return number;
}

static bool has_directive(struct lb_bytes text, const char *word)
{
	return lb_bytes_eq_nocase(lb_bytes_upto(text, strlen(word)), lb_bytes_of(word));
}

/* "1 - name # SKIP why" behind "ok " or "not ok ". */
static lb_err add_result(struct tap *tap, bool good, struct lb_bytes rest)
{
	struct runner_case *one = lb_vec_add(tap->cases);
	struct lb_bytes name, why = { 0 };
	size_t mark;

	if (one == NULL)
		return lb_vec_check(tap->cases);
	tap->seen++;
	rest = lb_bytes_trim(rest);
	(void)digits(&rest);
	rest = lb_bytes_trim(rest);
	if (take(&rest, "- "))
		rest = lb_bytes_trim(rest);
	mark = lb_bytes_starts(rest, LB_B("#")) ? 0 : lb_bytes_find(rest, LB_B(" #"));
	name = lb_bytes_trim(lb_bytes_upto(rest, mark));
	if (mark != SIZE_MAX)
		why = lb_bytes_trim(lb_bytes_from(rest, mark + (mark == 0 ? 1 : 2)));
	one->verdict = good ? RUNNER_PASSED : RUNNER_FAILED_TEST;
	if (has_directive(why, "skip") || (!good && has_directive(why, "todo")))
		one->verdict = RUNNER_SKIPPED_TEST;
	one->name = name.len > 0
	                    ? lb_arena_bytes(tap->arena, name)
	                    : lb_arena_format(tap->arena, "%llu", (unsigned long long)tap->seen);
	one->why = lb_arena_bytes(tap->arena, why);
	return tap->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err read_line(struct tap *tap, struct lb_bytes line)
{
	struct lb_bytes rest = line;

	if (lb_bytes_ends(rest, LB_B("\r")))
		rest.len--;
	if (lb_bytes_is(rest, "ok") || take(&rest, "ok "))
		return add_result(tap, true, lb_bytes_is(rest, "ok") ? LB_B("") : rest);
	if (lb_bytes_is(rest, "not ok") || take(&rest, "not ok "))
		return add_result(tap, false, lb_bytes_is(rest, "not ok") ? LB_B("") : rest);
	if (take(&rest, "1..") && !tap->has_plan) {
		tap->has_plan = !lb_failed(lb_bytes_u64(&tap->planned, digits(&rest), UINT32_MAX));
		tap->skips_all = tap->has_plan && tap->planned == 0;
	} else if (take(&rest, "Bail out!")) {
		tap->bail = line;
	}
	return LB_OK;
}

lb_err runner_tap_read(struct lb_vec *cases, struct lb_arena *arena, struct lb_bytes text,
                       struct lb_diag *diag)
{
	struct tap tap = { .cases = cases, .arena = arena };
	struct lb_bytes rest = text, line;

	while (rest.len > 0 && lb_bytes_split(&line, &rest, '\n'))
		LB_TRY(read_line(&tap, line));
	if (tap.bail.len > 0)
		return lb_fail(diag, LB_E_MALFORMED, "%.*s", LB_FMT(lb_bytes_upto(tap.bail, 200)));
	if (!tap.has_plan)
		return lb_fail(diag, LB_E_MALFORMED, "its TAP has no plan (1..N)");
	if (tap.seen != tap.planned)
		return lb_fail(diag, LB_E_MALFORMED, "its TAP has %llu results, planned were %llu",
		               (unsigned long long)tap.seen, (unsigned long long)tap.planned);
	return LB_OK;
}
