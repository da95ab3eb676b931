/* tree.c - see tree.h. */
#include "release/site/tree.h"

#include "base/data/json.h"
#include "base/io/file.h"
#include "base/vec.h"
#include "release/site/page_priv.h"

#include <stdlib.h>

enum { RECORD_MAX = 16 << 20, PAGE_MAX = 64 << 20, ENTRIES_MAX = 100000 };

/* ---- paths ---- */

/* "" where memory ran out; whoever uses a path asks check_path or the arena first. */
static const char *text_of(struct lb_bytes bytes)
{
	return bytes.at != NULL ? (const char *)bytes.at : "";
}

static lb_err check_path(const char *path)
{
	return path[0] != '\0' ? LB_OK : lb_err_of(LB_E_NOMEM);
}

const char *release_tree_stage(const struct release_tree *tree, struct lb_arena *arena,
                               struct lb_bytes name)
{
	return text_of(lb_arena_format(arena, "%s/.staging/%.*s", tree->root, LB_FMT(name)));
}

static struct lb_bytes release_path(const struct release_manifest *m, struct lb_arena *arena)
{
	return lb_arena_format(arena, "%.*s/%.*s/%.*s", LB_FMT(m->project), LB_FMT(m->channel),
	                       LB_FMT(m->version));
}

struct lb_bytes release_tree_url(const struct release_tree *tree, struct lb_arena *arena,
                                 const struct release_manifest *manifest)
{
	struct lb_bytes path = release_path(manifest, arena);

	return lb_arena_format(arena, "%.*s/%.*s", LB_FMT(tree->url), LB_FMT(path));
}

static const char *below(const struct release_tree *tree, struct lb_arena *arena,
                         struct lb_bytes path, const char *name)
{
	return text_of(lb_arena_format(arena, "%s/%.*s%s%s", tree->root, LB_FMT(path),
	                               path.len > 0 ? "/" : "", name));
}

/* ---- reading ---- */

static lb_err read_record(struct lb_value **out, const struct release_tree *tree,
                          struct lb_arena *arena, const char *path, struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err;

	*out = NULL;
	LB_TRY(check_path(path));
	lb_buf_init(&text, &arena->mem, RECORD_MAX);
	err = lb_file_read(&text, tree->plat, path, diag);
	if (!lb_failed(err))
		err = lb_json_read(out, arena, lb_buf_bytes(&text), diag);
	return err;
}

lb_err release_tree_find(struct lb_value **out, const struct release_tree *tree,
                         struct lb_arena *arena, const struct release_manifest *manifest,
                         struct lb_diag *diag)
{
	const char *path = below(tree, arena, release_path(manifest, arena), "release.json");

	return read_record(out, tree, arena, path, diag);
}

struct names {
	struct lb_arena *arena;
	struct lb_vec list; /* of struct lb_bytes */
};

static lb_err add_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	struct lb_bytes *to;

	if (!release_name_is_good(lb_bytes_of(name)))
		return LB_OK; /* index pages, the style sheet, staging */
	to = lb_vec_add(&names->list);
	if (to == NULL)
		return lb_vec_check(&names->list);
	*to = lb_arena_bytes(names->arena, lb_bytes_of(name));
	return names->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static int by_bytes(const void *a, const void *b)
{
	return lb_bytes_cmp(*(const struct lb_bytes *)a, *(const struct lb_bytes *)b);
}

/* The names in a folder, sorted. */
static lb_err list_names(struct names *out, const struct release_tree *tree, struct lb_arena *arena,
                         const char *path)
{
	*out = (struct names){ .arena = arena };
	LB_TRY(check_path(path));
	lb_vec_init(&out->list, &arena->mem, sizeof(struct lb_bytes), ENTRIES_MAX);
	LB_TRY(tree->plat->ops->list(tree->plat, path, add_name, out));
	if (out->list.count > 0)
		qsort(out->list.at, out->list.count, sizeof(struct lb_bytes), by_bytes);
	return LB_OK;
}

/* ---- index pages ---- */

static lb_err write_page(const struct release_tree *tree, const char *path,
                         const struct lb_buf *page, struct lb_diag *diag)
{
	LB_TRY(check_path(path));
	LB_TRY(lb_buf_check(page));
	return lb_file_write(tree->plat, path, lb_buf_bytes(page), 0, diag);
}

/* Newest first; of one second, the greater version first. */
static int by_time(const void *a, const void *b)
{
	const struct lb_value *x = *(const struct lb_value *const *)a;
	const struct lb_value *y = *(const struct lb_value *const *)b;
	int order = lb_bytes_cmp(lb_value_get_string(y, "published_at"),
	                         lb_value_get_string(x, "published_at"));

	return order != 0 ? order
	                  : lb_bytes_cmp(lb_value_get_string(y, "version"),
	                                 lb_value_get_string(x, "version"));
}

/* The releases of a channel, newest first. */
static lb_err read_channel(struct lb_value **out, const struct release_tree *tree,
                           struct lb_arena *arena, struct lb_bytes path, struct lb_diag *diag)
{
	struct names versions;

	*out = lb_value_array(arena);
	LB_TRY(list_names(&versions, tree, arena, below(tree, arena, path, "")));
	for (size_t i = 0; i < versions.list.count; i++) {
		struct lb_bytes version = *LB_VEC_AT(&versions.list, struct lb_bytes, i);
		struct lb_bytes folder =
			lb_arena_format(arena, "%.*s/%.*s", LB_FMT(path), LB_FMT(version));
		struct lb_value *record;
		lb_err err = read_record(&record, tree, arena,
		                         below(tree, arena, folder, "release.json"), diag);

		if (lb_code_of(err) == LB_E_NOTFOUND)
			continue; /* not a release */
		LB_TRY(err);
		lb_value_add(arena, *out, record);
	}
	if ((*out)->count > 1)
		qsort((*out)->items, (*out)->count, sizeof *(*out)->items, by_time);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err index_channel(struct lb_value **newest, const struct release_tree *tree,
                            struct lb_arena *arena, struct lb_bytes project,
                            struct lb_bytes channel, struct lb_diag *diag)
{
	struct lb_bytes path =
		lb_arena_format(arena, "%.*s/%.*s", LB_FMT(project), LB_FMT(channel));
	struct lb_value *releases;
	struct lb_buf page;

	*newest = NULL;
	LB_TRY(read_channel(&releases, tree, arena, path, diag));
	if (releases->count == 0)
		return LB_OK;
	*newest = releases->items[0];
	lb_buf_init(&page, &arena->mem, PAGE_MAX);
	release_page_channel(&page, project, channel, releases);
	return write_page(tree, below(tree, arena, path, "index.html"), &page, diag);
}

static lb_err index_channels(const struct release_tree *tree, struct lb_arena *arena,
                             struct lb_bytes project, struct lb_diag *diag)
{
	struct lb_value *rows = lb_value_array(arena);
	struct names channels;
	struct lb_buf page;

	LB_TRY(list_names(&channels, tree, arena, below(tree, arena, project, "")));
	for (size_t i = 0; i < channels.list.count; i++) {
		struct lb_bytes channel = *LB_VEC_AT(&channels.list, struct lb_bytes, i);
		struct lb_value *newest;

		LB_TRY(index_channel(&newest, tree, arena, project, channel, diag));
		if (newest != NULL)
			lb_value_add(arena, rows, newest);
	}
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (rows->count == 0)
		return LB_OK;
	lb_buf_init(&page, &arena->mem, PAGE_MAX);
	release_page_project(&page, project, rows);
	return write_page(tree, below(tree, arena, project, "index.html"), &page, diag);
}

/* A project and its pages in memory of its own. */
static lb_err index_project(const struct release_tree *tree, struct lb_bytes project,
                            struct lb_diag *diag)
{
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, tree->mem);
	err = index_channels(tree, &arena, project, diag);
	lb_arena_release(&arena);
	return err;
}

/* The projects that have a page; all of them get theirs anew when `each`. */
static lb_err index_root(const struct release_tree *tree, struct lb_arena *arena, bool each,
                         struct lb_diag *diag)
{
	struct lb_value *rows = lb_value_array(arena);
	struct names projects;
	struct lb_buf page;

	LB_TRY(list_names(&projects, tree, arena, tree->root));
	for (size_t i = 0; i < projects.list.count; i++) {
		struct lb_bytes project = *LB_VEC_AT(&projects.list, struct lb_bytes, i);

		if (each)
			LB_TRY(index_project(tree, project, diag));
		if (lb_file_exists(tree->plat, below(tree, arena, project, "index.html")))
			lb_value_add(arena, rows, lb_value_string(arena, project));
	}
	lb_buf_init(&page, &arena->mem, PAGE_MAX);
	release_page_root(&page, rows);
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	return write_page(tree, below(tree, arena, LB_B(""), "index.html"), &page, diag);
}

/* ---- opening and publishing ---- */

static lb_err open_in(const struct release_tree *tree, struct lb_arena *arena, struct lb_diag *diag)
{
	const char *staging = release_tree_stage(tree, arena, LB_B(""));
	const char *style = below(tree, arena, LB_B(""), "style.css");

	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_file_make_folders(tree->plat, tree->root, diag));
	LB_TRY(lb_file_remove_tree(tree->plat, staging, diag));
	LB_TRY(lb_file_make_folders(tree->plat, staging, diag));
	LB_TRY(tree->plat->ops->set_mode(tree->plat, staging, 0700));
	LB_TRY(lb_file_write(tree->plat, style, lb_bytes_of(release_page_style), 0, diag));
	return index_root(tree, arena, true, diag);
}

lb_err release_tree_open(const struct release_tree *tree, struct lb_diag *diag)
{
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, tree->mem);
	err = open_in(tree, &arena, diag);
	lb_arena_release(&arena);
	return err;
}

struct place {
	const char *project, *channel, *release; /* folders */
};

static lb_err find_place(struct place *out, const struct release_tree *tree, struct lb_arena *arena,
                         const struct release_manifest *m)
{
	struct lb_bytes channel =
		lb_arena_format(arena, "%.*s/%.*s", LB_FMT(m->project), LB_FMT(m->channel));

	out->project = below(tree, arena, m->project, "");
	out->channel = below(tree, arena, channel, "");
	out->release = text_of(lb_arena_format(arena, "%s%.*s", out->channel, LB_FMT(m->version)));
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err flip(bool *published, const struct release_tree *tree, struct lb_arena *arena,
                   const char *stage, const struct release_manifest *m, struct lb_diag *diag)
{
	struct plat *plat = tree->plat;
	struct place place;

	LB_TRY(find_place(&place, tree, arena, m));
	LB_TRY(lb_file_make_folders(plat, place.channel, diag));
	LB_TRY(plat->ops->sync_folder(plat, place.project));
	LB_TRY(plat->ops->sync_folder(plat, tree->root));
	if (lb_file_exists(plat, place.release))
		return lb_fail(diag, LB_E_EXISTS, "%.*s of %.*s/%.*s is published already",
		               LB_FMT(m->version), LB_FMT(m->project), LB_FMT(m->channel));
	LB_TRY(plat->ops->rename(plat, stage, place.release));
	*published = true;
	return plat->ops->sync_folder(plat, place.channel);
}

lb_err release_tree_index(const struct release_tree *tree, struct lb_bytes project,
                          struct lb_diag *diag)
{
	struct lb_arena arena;
	lb_err err;

	LB_TRY(index_project(tree, project, diag));
	lb_arena_init(&arena, tree->mem);
	err = index_root(tree, &arena, false, diag);
	lb_arena_release(&arena);
	return err;
}

lb_err release_tree_publish(bool *published, const struct release_tree *tree, const char *stage,
                            const struct release_manifest *manifest, struct lb_diag *diag)
{
	struct lb_arena arena;
	lb_err err;

	*published = false;
	lb_arena_init(&arena, tree->mem);
	err = flip(published, tree, &arena, stage, manifest, diag);
	lb_arena_release(&arena);
	return lb_failed(err) ? err : release_tree_index(tree, manifest->project, diag);
}
