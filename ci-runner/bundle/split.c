/* split.c - see test.h: shards of about the same length, by what tests took before.
 *
 * The longest goes to the shard that has least to do so far.  All shards come to the same result
 * from the same manifest and times, so every test is in exactly one.
 */
#include "ci-runner/bundle/test.h"

#include "base/data/json.h"
#include "base/io/file.h"

#include <stdlib.h>

enum { TIMINGS_BYTES_MAX = 64 * 1024 * 1024 };

struct weighed {
	size_t index;
	double seconds;
};

/* No file yet is no times. */
lb_err runner_timings_read(struct lb_value **out, struct lb_arena *arena, struct plat *plat,
                           const char *path, struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err;

	*out = lb_value_object(arena);
	if (path == NULL || !lb_file_exists(plat, path))
		return LB_OK;
	lb_buf_init(&text, arena->under, TIMINGS_BYTES_MAX);
	err = lb_file_read(&text, plat, path, diag);
	if (!lb_failed(err))
		err = lb_json_read(out, arena, lb_buf_bytes(&text), diag);
	lb_buf_release(&text);
	if (!lb_failed(err) && (*out)->kind != LB_OBJECT)
		err = lb_fail(diag, LB_E_MALFORMED, "%s: expected an object of seconds", path);
	return err;
}

lb_err runner_timings_write(struct lb_mem *mem, struct plat *plat, const char *path,
                            const struct runner_bundle *bundle, const size_t *chosen,
                            const struct runner_test_end *ends, size_t count, struct lb_diag *diag)
{
	struct lb_value *times;
	struct lb_arena arena;
	struct lb_buf text;
	lb_err err;

	lb_arena_init(&arena, mem);
	lb_buf_init(&text, mem, TIMINGS_BYTES_MAX);
	err = runner_timings_read(&times, &arena, plat, path, diag);
	for (size_t i = 0; !lb_failed(err) && i < count; i++) {
		if (ends[i].ran)
			lb_value_set_number(&arena, times, bundle->tests[chosen[i]].name,
			                    (double)(uint64_t)(ends[i].seconds * 1e4) / 1e4);
	}
	lb_value_write(&text, times, true);
	lb_buf_add_byte(&text, '\n');
	if (!lb_failed(err))
		err = arena.failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_file_write(plat, path, lb_buf_bytes(&text), 0, diag);
	lb_buf_release(&text);
	lb_arena_release(&arena);
	return err;
}

static int by_seconds(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;

	if (x->seconds < y->seconds || x->seconds > y->seconds)
		return x->seconds < y->seconds ? 1 : -1;
	return x->index > y->index ? 1 : x->index < y->index ? -1 : 0;
}

static int by_index(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x > *y ? 1 : *x < *y ? -1 : 0;
}

/* What is not known is taken to last as long as the middle of what is. */
static void weigh(struct weighed *list, size_t count, const struct runner_bundle *bundle,
                  const struct lb_value *times)
{
	double middle = 1;
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		const struct lb_value *time =
			lb_value_get(times, bundle->tests[list[i].index].name);

		list[i].seconds = time != NULL && time->kind == LB_NUMBER ? time->number : -1;
		known += list[i].seconds >= 0 ? 1 : 0;
	}
	qsort(list, count, sizeof *list, by_seconds);
	if (known > 0)
		middle = list[known / 2].seconds;
	for (size_t i = 0; i < count; i++) {
		if (list[i].seconds < 0)
			list[i].seconds = middle;
	}
	qsort(list, count, sizeof *list, by_seconds);
}

static size_t least_of(const double *loads, size_t count)
{
	size_t least = 0;

	for (size_t i = 1; i < count; i++) {
		if (loads[i] < loads[least])
			least = i;
	}
	return least;
}

static lb_err take_shard(size_t *kept, size_t *kept_count, struct lb_arena *arena,
                         struct weighed *list, size_t count, const struct runner_test_run *run)
{
	double *loads = LB_ARENA_NEW(arena, double, (size_t)run->shards);

	if (loads == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < count; i++) {
		size_t shard = least_of(loads, run->shards);

		/* Even what takes no time counts a little: empty programs are spread too. */
		loads[shard] += list[i].seconds + 0.001;
		if (shard + 1 == run->shard)
			kept[(*kept_count)++] = list[i].index;
	}
	qsort(kept, *kept_count, sizeof *kept, by_index);
	return LB_OK;
}

static bool is_meant(const struct runner_test_run *run, const char *name)
{
	const char *const *filter = run->filters;

	if (filter == NULL || *filter == NULL)
		return true;
	while (*filter != NULL && !runner_name_matches(*filter, name))
		filter++;
	return *filter != NULL;
}

lb_err runner_tests_choose(const size_t **out, size_t *count, struct lb_arena *arena,
                           const struct runner_test_run *run, struct lb_diag *diag)
{
	const struct runner_bundle *bundle = run->bundle;
	struct weighed *list = LB_ARENA_NEW(arena, struct weighed, bundle->count + 1);
	size_t *kept = LB_ARENA_NEW(arena, size_t, bundle->count + 1);
	struct lb_value *times;
	size_t meant = 0;

	*count = 0;
	*out = kept;
	if (list == NULL || kept == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < bundle->count; i++) {
		if (is_meant(run, bundle->tests[i].name))
			list[meant++].index = i;
	}
	if (meant == 0)
		return lb_fail(diag, LB_E_NOTFOUND, "no test of the bundle is meant (of %zu)",
		               bundle->count);
	LB_TRY(runner_timings_read(&times, arena, run->plat, run->timings, diag));
	if (run->shards > 1) {
		weigh(list, meant, bundle, times);
		return take_shard(kept, count, arena, list, meant, run);
	}
	for (; *count < meant; (*count)++)
		kept[*count] = list[*count].index;
	return LB_OK;
}
