/* link.c - see link.h.
 *
 * A cache is the file CACHES/VERSION/KEY.tar.zst, KEY in hexadecimal so that any text is a name.
 */
#include "ci-runner/local/link.h"

#include "base/data/digest.h"
#include "base/io/file.h"
#include "base/io/progress.h"
#include "base/text.h"
#include "ci-runner/log/log.h"

enum { NAMES_MAX = 10000, KEY_BYTES_MAX = 512 };

static struct runner_local_link *local_of(struct runner_link *link)
{
	return (struct runner_local_link *)link; /* its first member */
}

/* ---- the terminal ---- */

static const struct {
	const char *mark, *colour, *word;
} marks[] = {
	{ "##[group]", "\x1b[1m", "" },
	{ "##[error]", "\x1b[31m", "error: " },
	{ "##[warning]", "\x1b[33m", "warning: " },
	{ "##[notice]", "\x1b[36m", "notice: " },
	{ "##[debug]", "\x1b[35m", "debug: " },
};

/* Without the colours that GitHub's format puts around the lines of a script. */
static void print_plain(FILE *out, struct lb_bytes line)
{
	static const struct lb_bytes before = LB_LIT("\x1b[36;1m"), behind = LB_LIT("\x1b[0m");

	if (lb_bytes_starts(line, before) && lb_bytes_ends(line, behind))
		line = lb_bytes_upto(lb_bytes_from(line, before.len),
		                     line.len - before.len - behind.len);
	(void)fprintf(out, "%.*s\n", LB_FMT(line));
}

static void print_line(const struct runner_local_link *local, struct lb_bytes line)
{
	if (lb_bytes_is(line, "##[endgroup]"))
		return;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		struct lb_bytes mark = lb_bytes_of(marks[i].mark);

		if (!lb_bytes_starts(line, mark))
			continue;
		line = lb_bytes_from(line, mark.len);
		(void)fprintf(local->out, "%s%s%.*s%s\n", local->colour ? marks[i].colour : "",
		              marks[i].word, LB_FMT(line), local->colour ? "\x1b[0m" : "");
		return;
	}
	if (local->colour)
		(void)fprintf(local->out, "%.*s\n", LB_FMT(line));
	else
		print_plain(local->out, line);
}

static void link_log(struct runner_link *link, struct lb_bytes lines)
{
	struct runner_local_link *local = local_of(link);
	struct lb_bytes line;

	while (lines.len > 0 && lb_bytes_split(&line, &lines, '\n'))
		if (line.len >= RUNNER_LOG_TIME_LEN)
			print_line(local, lb_bytes_from(line, RUNNER_LOG_TIME_LEN));
	(void)fflush(local->out);
}

static void link_step(struct runner_link *link, const struct runner_step_state *step)
{
	struct runner_local_link *local = local_of(link);

	if (step->conclusion == RUNNER_PENDING)
		(void)fprintf(local->out, "%s==> %.*s%s\n", local->colour ? "\x1b[1;34m" : "",
		              LB_FMT(step->name), local->colour ? "\x1b[0m" : "");
	else if (step->conclusion != RUNNER_SUCCESS)
		(void)fprintf(local->out, "==> %.*s: %s\n", LB_FMT(step->name),
		              runner_conclusion_text(step->conclusion));
	(void)fflush(local->out);
}

/* ---- artifacts ---- */

static lb_err copy_to(struct runner_local_link *local, struct lb_arena *arena, const char *to,
                      const char *from, struct lb_diag *diag)
{
	const char *beside = (const char *)lb_arena_format(arena, "%s.new", to).at;
	lb_err err;

	if (beside == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_file_remove_tree(local->plat, beside, diag));
	LB_TRY(lb_file_copy(local->plat, beside, from, diag));
	err = local->plat->ops->rename(local->plat, beside, to);
	if (lb_failed(err))
		lb_diag_set(diag, "%s: %s", to, lb_err_text(err));
	return err;
}

/* Digits, as on GitHub: the place among the names seen so far. */
static struct lb_bytes id_of(struct runner_local_link *local, struct lb_arena *arena,
                             struct lb_bytes name)
{
	uint32_t at = 0;

	while (at < local->names->count && !lb_bytes_eq(local->names->items[at]->string, name))
		at++;
	if (at == local->names->count)
		lb_value_add(&local->arena, local->names, lb_value_string(&local->arena, name));
	return lb_arena_format(arena, "%u", (unsigned)at + 1);
}

static lb_err artifact_put(struct runner_found *out, struct runner_link *link,
                           struct lb_arena *arena, const char *name, const char *path,
                           bool overwrite, struct lb_diag *diag)
{
	struct runner_local_link *local = local_of(link);
	const char *to =
		(const char *)lb_arena_format(arena, "%s/%s.zip", local->artifacts, name).at;

	if (to == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!overwrite && lb_file_exists(local->plat, to))
		return lb_fail(diag, LB_E_EXISTS, "%s exists already", to);
	*out = (struct runner_found){ .id = id_of(local, arena, lb_bytes_of(name)),
		                      .name = lb_arena_bytes(arena, lb_bytes_of(name)) };
	if (arena->failed || local->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return copy_to(local, arena, to, path, diag);
}

struct names {
	struct runner_local_link *local;
	struct lb_arena *arena;
	struct runner_found *at;
	size_t count;
};

static lb_err add_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	struct lb_bytes text = lb_bytes_of(name);
	struct plat_info info;
	const char *path;

	if (!lb_bytes_ends(text, LB_B(".zip")))
		return LB_OK;
	if (names->count >= NAMES_MAX)
		return lb_err_at(LB_E_LIMIT, NAMES_MAX);
	path = runner_path(names->arena, names->local->artifacts, name);
	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(names->local->plat->ops->info(&info, names->local->plat, path));
	text = lb_arena_bytes(names->arena, lb_bytes_upto(text, text.len - 4));
	names->at[names->count++] = (struct runner_found){
		.id = id_of(names->local, names->arena, text), .name = text, .size = info.size
	};
	return names->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err artifact_list(struct runner_found **out, size_t *count, struct runner_link *link,
                            struct lb_arena *arena, struct lb_diag *diag)
{
	struct runner_local_link *local = local_of(link);
	struct names names = { .local = local,
		               .arena = arena,
		               .at = LB_ARENA_NEW(arena, struct runner_found, NAMES_MAX) };
	lb_err err;

	if (names.at == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = local->plat->ops->list(local->plat, local->artifacts, add_name, &names);
	if (lb_failed(err))
		lb_diag_set(diag, "%s: %s", local->artifacts, lb_err_text(err));
	*out = names.at;
	*count = names.count;
	return err;
}

static lb_err artifact_get(struct runner_link *link, const char *name, const char *to,
                           struct lb_diag *diag)
{
	struct runner_local_link *local = local_of(link);
	struct lb_arena arena;
	const char *from;
	lb_err err;

	lb_arena_init(&arena, local->mem);
	from = (const char *)lb_arena_format(&arena, "%s/%s.zip", local->artifacts, name).at;
	if (from == NULL)
		err = lb_err_of(LB_E_NOMEM);
	else if (!lb_file_exists(local->plat, from))
		err = lb_err_of(LB_E_NOTFOUND);
	else
		err = lb_file_copy(local->plat, to, from, diag);
	lb_arena_release(&arena);
	return err;
}

/* ---- caches ---- */

static struct lb_bytes key_hex(struct lb_arena *arena, struct lb_bytes key)
{
	struct lb_buf hex;

	lb_buf_init(&hex, &arena->mem, 2 * KEY_BYTES_MAX + 2);
	lb_hex_add(&hex, key);
	return lb_buf_bytes(&hex);
}

struct newest {
	struct lb_arena *arena;
	struct plat *plat;
	const char *folder;
	struct lb_bytes prefix; /* in hexadecimal */
	struct lb_bytes name;   /* found; empty: none */
	uint64_t mtime_ns;
};

static lb_err look_at_cache(void *ctx, const char *name)
{
	struct newest *newest = ctx;
	struct lb_bytes text = lb_bytes_of(name);
	struct plat_info info;
	const char *path;

	if (!lb_bytes_starts(text, newest->prefix) || !lb_bytes_ends(text, LB_B(".tar.zst")))
		return LB_OK;
	path = runner_path(newest->arena, newest->folder, name);
	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(newest->plat->ops->info(&info, newest->plat, path));
	if (newest->name.len > 0 && info.mtime_ns <= newest->mtime_ns)
		return LB_OK;
	newest->mtime_ns = info.mtime_ns;
	newest->name = lb_arena_bytes(newest->arena, lb_bytes_upto(text, text.len - 8));
	return LB_OK;
}

static lb_err take_cache(struct runner_found *out, struct lb_arena *arena, const char *folder,
                         struct lb_bytes hex)
{
	unsigned char key[KEY_BYTES_MAX];

	if (hex.len / 2 > sizeof key)
		return lb_err_of(LB_E_NOTFOUND);
	LB_TRY(lb_hex_read(key, hex.len / 2, hex));
	out->name = lb_arena_bytes(arena, (struct lb_bytes){ key, hex.len / 2 });
	out->id = lb_arena_format(arena, "%s/%.*s.tar.zst", folder, LB_FMT(hex));
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err cache_find(struct runner_found *out, struct runner_link *link, struct lb_arena *arena,
                         const char *key, const char *const *restores, const char *version,
                         struct lb_diag *diag)
{
	struct runner_local_link *local = local_of(link);
	const char *folder = runner_path(arena, local->caches, version);
	struct lb_bytes hex = key_hex(arena, lb_bytes_of(key));
	const char *exact = (const char *)lb_arena_format(arena, "%s/%.*s.tar.zst",
	                                                  folder != NULL ? folder : "", LB_FMT(hex))
	                            .at;

	(void)diag;
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (lb_file_exists(local->plat, exact))
		return take_cache(out, arena, folder, hex);
	for (; *restores != NULL && lb_file_exists(local->plat, folder); restores++) {
		struct newest newest = { .arena = arena,
			                 .plat = local->plat,
			                 .folder = folder,
			                 .prefix = key_hex(arena, lb_bytes_of(*restores)) };

		LB_TRY(local->plat->ops->list(local->plat, folder, look_at_cache, &newest));
		if (newest.name.len > 0)
			return take_cache(out, arena, folder, newest.name);
	}
	return lb_err_of(LB_E_NOTFOUND);
}

static lb_err cache_get(struct runner_link *link, const struct runner_found *entry, const char *to,
                        struct lb_diag *diag)
{
	/* The id is the file's path, terminated as all text of an arena. */
	return lb_file_copy(local_of(link)->plat, to, (const char *)entry->id.at, diag);
}

static lb_err cache_put(struct runner_link *link, const char *key, const char *version,
                        const char *path, struct lb_diag *diag)
{
	struct runner_local_link *local = local_of(link);
	struct lb_arena arena;
	const char *folder, *to;
	lb_err err;

	lb_arena_init(&arena, local->mem);
	folder = runner_path(&arena, local->caches, version);
	to = (const char *)lb_arena_format(&arena, "%s/%.*s.tar.zst", folder != NULL ? folder : "",
	                                   LB_FMT(key_hex(&arena, lb_bytes_of(key))))
	             .at;
	err = arena.failed ? lb_err_of(LB_E_NOMEM)
	                   : lb_file_make_folders(local->plat, folder, diag);
	if (!lb_failed(err) && lb_file_exists(local->plat, to))
		err = lb_err_of(LB_E_EXISTS);
	if (!lb_failed(err))
		err = copy_to(local, &arena, to, path, diag);
	lb_arena_release(&arena);
	return err;
}

/* ---- what a coordinator would know ---- */

static lb_err describe_artifacts(struct lb_value **out, struct runner_link *link,
                                 struct lb_arena *arena, struct lb_diag *diag)
{
	struct runner_local_link *local = local_of(link);
	struct lb_value *body = lb_value_object(arena), *list = lb_value_array(arena);
	struct runner_found *all;
	size_t count;

	LB_TRY(artifact_list(&all, &count, link, arena, diag));
	for (size_t i = 0; i < count; i++) {
		struct lb_value *one = lb_value_object(arena);
		uint64_t id = 0;
		char time[LB_TIME_SIZE];

		lb_ignore(lb_bytes_u64(&id, all[i].id, UINT64_MAX));
		lb_value_set_number(arena, one, "id", (double)id);
		lb_value_set_string(arena, one, "name", all[i].name);
		lb_value_set_number(arena, one, "size", (double)all[i].size);
		lb_value_set_text(arena, one, "created_at",
		                  lb_time_text(time, local->plat->ops->wall_ns(local->plat), 0));
		lb_value_add(arena, list, one);
	}
	lb_value_put(arena, body, "artifacts", list);
	*out = body;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static const struct lb_value *find_job(const struct lb_value *run, struct lb_bytes id)
{
	const struct lb_value *jobs = lb_value_get(run, "jobs");
	uint64_t number;

	if (lb_failed(lb_bytes_u64(&number, id, UINT32_MAX)) || number == 0 || jobs == NULL ||
	    number > jobs->count)
		return NULL;
	return jobs->items[number - 1];
}

static lb_err link_ask(struct lb_value **out, struct runner_link *link, struct lb_arena *arena,
                       const char *what, struct lb_diag *diag)
{
	struct runner_local_link *local = local_of(link);
	struct lb_bytes id = lb_arena_format(arena, "%.0f", lb_value_get_number(local->run, "id"));
	struct lb_value *list = lb_value_array(arena), *body = lb_value_object(arena);
	struct lb_bytes rest = lb_bytes_of(what), kind, which;
	const struct lb_value *job;

	(void)lb_bytes_split(&kind, &rest, '/');
	which = lb_bytes_upto(rest, lb_bytes_find_byte(rest, '/'));
	if (local->run == NULL)
		return lb_err_of(LB_E_NOTFOUND);
	if (lb_bytes_is(kind, "runs") && lb_bytes_eq(which, id)) {
		if (lb_bytes_ends(rest, LB_B("/artifacts")))
			return describe_artifacts(out, link, arena, diag);
		*out = lb_value_copy(arena, local->run);
	} else if (lb_bytes_starts(kind, LB_B("runs?"))) {
		lb_value_add(arena, list, lb_value_copy(arena, local->run));
		lb_value_put(arena, body, "runs", list);
		*out = body;
	} else {
		job = lb_bytes_is(kind, "jobs") ? find_job(local->run, rest) : NULL;
		if (job == NULL)
			return lb_err_of(LB_E_NOTFOUND);
		*out = lb_value_copy(arena, job);
		lb_value_put(arena, *out, "run", lb_value_copy(arena, local->run));
	}
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err link_fetch(struct runner_link *link, const char *what, const char *to,
                         struct lb_diag *diag)
{
	struct runner_local_link *local = local_of(link);
	struct lb_bytes rest = lb_bytes_of(what), kind;
	uint64_t id;

	(void)lb_bytes_split(&kind, &rest, '/');
	if (!lb_bytes_is(kind, "artifacts") || lb_failed(lb_bytes_u64(&id, rest, UINT32_MAX)) ||
	    id == 0 || id > local->names->count)
		return lb_err_of(LB_E_NOTFOUND);
	/* Terminated, as all text of an arena. */
	return artifact_get(link, (const char *)local->names->items[id - 1]->string.at, to, diag);
}

/* ---- life ---- */

static const struct runner_link_ops ops = {
	.log = link_log,
	.step = link_step,
	.artifact_put = artifact_put,
	.artifact_list = artifact_list,
	.artifact_get = artifact_get,
	.cache_find = cache_find,
	.cache_get = cache_get,
	.cache_put = cache_put,
	.ask = link_ask,
	.fetch = link_fetch,
};

void runner_local_link_init(struct runner_local_link *local, struct lb_mem *mem, struct plat *plat,
                            FILE *out, const char *artifacts, const char *caches)
{
	*local = (struct runner_local_link){ .link = { &ops },
		                             .mem = mem,
		                             .plat = plat,
		                             .out = out,
		                             .colour = lb_stream_has_colour(out),
		                             .artifacts = artifacts,
		                             .caches = caches };
	lb_arena_init(&local->arena, mem);
	local->names = lb_value_array(&local->arena);
}

void runner_local_link_release(struct runner_local_link *local) { lb_arena_release(&local->arena); }
