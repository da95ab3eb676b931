/* glob.c - see glob.h. */
#include "ci-runner/inside/glob.h"

#include "base/io/file.h"
#include "base/vec.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MATCHES_MAX = 1000000, NAME_BYTES_MAX = 4096 };

struct pattern {
	const char *text; /* absolute, no slash at the end */
	const char *top;  /* what stands before the first part with a wildcard */
	bool excludes;
};

struct search {
	struct lb_arena *arena;
	const struct runner_glob *glob;
	struct pattern *patterns;
	size_t pattern_count;
	const char *top; /* of the walk under way */
	struct lb_vec found;
};

static bool has_wildcard(struct lb_bytes part)
{
	return lb_bytes_find_byte(part, '*') != SIZE_MAX ||
	       lb_bytes_find_byte(part, '?') != SIZE_MAX ||
	       lb_bytes_find_byte(part, '[') != SIZE_MAX;
}

/* ---- matching ---- */

static bool name_matches(struct lb_bytes pattern, struct lb_bytes name)
{
	char p[NAME_BYTES_MAX / 4], n[NAME_BYTES_MAX / 4];

	if (!has_wildcard(pattern))
		return lb_bytes_eq(pattern, name);
	if (pattern.len >= sizeof p || name.len >= sizeof n)
		return false;
	memcpy(p, pattern.at, pattern.len);
	memcpy(n, name.at, name.len);
	p[pattern.len] = n[name.len] = '\0';
	return fnmatch(p, n, 0) == 0;
}

/* Both stand before the slash of a part, or at their end. */
static const char *part_end(const char *at) { return at + 1 + strcspn(at + 1, "/"); }

static struct lb_bytes part_of(const char *at)
{
	return (struct lb_bytes){ (const unsigned char *)at + 1, strcspn(at + 1, "/") };
}

bool runner_glob_match(const char *pattern, const char *path)
{
	for (; *pattern == '/'; pattern = part_end(pattern)) {
		if (lb_bytes_is(part_of(pattern), "**")) {
			const char *rest = part_end(pattern);

			if (*rest == '\0')
				return true;
			for (;; path = part_end(path)) {
				if (runner_glob_match(rest, path))
					return true;
				if (*path == '\0')
					return false;
			}
		}
		if (*path != '/' || !name_matches(part_of(pattern), part_of(path)))
			return false;
		path = part_end(path);
	}
	return *path == '\0';
}

/* The path itself or a folder above it. */
static bool matches_or_above(struct lb_arena *arena, const char *pattern, const char *path,
                             const char *top)
{
	char *copy = lb_arena_text(arena, lb_bytes_of(path));
	size_t least = strlen(top);

	while (copy != NULL && strlen(copy) >= least) {
		char *slash = strrchr(copy, '/');

		if (runner_glob_match(pattern, copy))
			return true;
		if (slash == NULL || slash == copy)
			break;
		*slash = '\0';
	}
	return false;
}

/* ---- patterns ---- */

static lb_err read_pattern(struct pattern *out, struct lb_arena *arena,
                           const struct runner_glob *glob, struct lb_bytes text,
                           struct lb_diag *diag)
{
	struct lb_bytes rest, part, whole = text;
	struct lb_buf path, top;
	bool plain = true;
	lb_err err;

	*out = (struct pattern){ .excludes = lb_bytes_starts(text, LB_B("!")) };
	if (out->excludes)
		text = lb_bytes_trim(lb_bytes_from(text, 1));
	lb_buf_init(&path, &arena->mem, NAME_BYTES_MAX);
	lb_buf_init(&top, &arena->mem, NAME_BYTES_MAX);
	if (lb_bytes_is(text, "~") || lb_bytes_starts(text, LB_B("~/"))) {
		lb_buf_add_text(&path, glob->home);
		text = lb_bytes_from(text, 1);
	} else if (text.len == 0 || text.at[0] != '/') {
		lb_buf_add_text(&path, glob->root);
	}
	lb_buf_add(&top, lb_buf_bytes(&path));
	rest = text;
	while (lb_bytes_split(&part, &rest, '/')) {
		if (part.len == 0 || lb_bytes_is(part, "."))
			continue;
		if (lb_bytes_is(part, ".."))
			return lb_fail(diag, LB_E_INVALID, "path '%.*s': '..' is not allowed here",
			               LB_FMT(whole));
		plain = plain && !has_wildcard(part);
		lb_buf_addf(&path, "/%.*s", LB_FMT(part));
		if (plain)
			lb_buf_addf(&top, "/%.*s", LB_FMT(part));
	}
	err = lb_buf_check(&path);
	out->text = lb_buf_text(&path);
	out->top = lb_buf_text(&top);
	return lb_failed(err) ? err : lb_buf_check(&top);
}

/* ---- searching ---- */

static bool wanted(struct search *s, const char *path)
{
	bool found = false;

	for (size_t i = 0; i < s->pattern_count; i++) {
		const struct pattern *p = &s->patterns[i];

		if (found != p->excludes)
			continue;
		if (p->excludes)
			found = !matches_or_above(s->arena, p->text, path, "/");
		else
			found = s->glob->descendants
			                ? matches_or_above(s->arena, p->text, path, p->top)
			                : runner_glob_match(p->text, path);
	}
	return found;
}

static bool is_hidden(const char *below) { return below[0] == '.' || strstr(below, "/.") != NULL; }

static lb_err keep(struct search *s, const char *path, enum plat_type type)
{
	bool folder = type == PLAT_DIRECTORY;
	struct runner_match *match;
	struct stat target;

	if ((folder && s->glob->descendants) || type == PLAT_OTHER || !wanted(s, path))
		return LB_OK;
	/* Of a link counts what it leads to; one that leads nowhere is no file. */
	if (type == PLAT_LINK && s->glob->descendants) {
		if (stat(path, &target) != 0)
			return LB_OK;
		folder = S_ISDIR(target.st_mode);
		if (!folder && !S_ISREG(target.st_mode))
			return LB_OK;
	}
	match = lb_vec_add(&s->found);
	if (match == NULL)
		return lb_vec_check(&s->found);
	match->path = lb_arena_text(s->arena, lb_bytes_of(path));
	match->folder = folder;
	return s->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err visit(void *ctx, const char *path, const struct plat_info *info)
{
	struct search *s = ctx;
	const char *whole;

	if (!s->glob->hidden && is_hidden(path))
		return LB_OK;
	whole = (const char *)lb_arena_format(s->arena, "%s/%s", s->top, path).at;
	return whole != NULL ? keep(s, whole, info->type) : lb_err_of(LB_E_NOMEM);
}

static lb_err search_top(struct search *s, struct lb_mem *mem, struct plat *plat, const char *top,
                         struct lb_diag *diag)
{
	struct plat_info info;
	lb_err err = plat->ops->info(&info, plat, top);

	if (lb_code_of(err) == LB_E_NOTFOUND)
		return LB_OK;
	LB_TRY(err);
	LB_TRY(keep(s, top, info.type));
	if (info.type != PLAT_DIRECTORY)
		return LB_OK;
	s->top = top;
	return lb_file_walk(mem, plat, top, visit, s, diag);
}

/* Is the folder of this pattern's search inside one that is searched anyway? */
static bool covered(const struct search *s, size_t index)
{
	const char *top = s->patterns[index].top;

	for (size_t i = 0; i < s->pattern_count; i++) {
		const char *other = s->patterns[i].top;
		size_t len = strlen(other);

		if (i == index || s->patterns[i].excludes || strncmp(top, other, len) != 0)
			continue;
		if (top[len] == '/' || (top[len] == '\0' && i < index))
			return true;
	}
	return false;
}

/* The deepest folder that holds both. */
static void shorten_to_common(char *top, const char *other)
{
	size_t common = 0;

	for (size_t i = 0;; i++) {
		bool end = top[i] == '\0' || other[i] == '\0';

		if ((top[i] == '\0' || top[i] == '/') && (other[i] == '\0' || other[i] == '/'))
			common = i;
		if (end || top[i] != other[i])
			break;
	}
	top[common] = '\0';
}

/* A single file is at home in its folder. */
static lb_err find_top(struct runner_matches *out, struct search *s)
{
	char *top = NULL;

	for (size_t i = 0; i < s->pattern_count; i++) {
		if (s->patterns[i].excludes)
			continue;
		if (top == NULL)
			top = lb_arena_text(s->arena, lb_bytes_of(s->patterns[i].top));
		else
			shorten_to_common(top, s->patterns[i].top);
		if (top == NULL)
			return lb_err_of(LB_E_NOMEM);
	}
	if (top != NULL && out->count == 1 && strcmp(out->at[0].path, top) == 0 &&
	    strrchr(top, '/') != NULL)
		*strrchr(top, '/') = '\0';
	out->top = top != NULL ? top : s->glob->root;
	return LB_OK;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct runner_match *)a)->path,
	              ((const struct runner_match *)b)->path);
}

static lb_err take_found(struct runner_matches *out, struct search *s)
{
	out->at = LB_ARENA_NEW(s->arena, struct runner_match, s->found.count + 1);
	if (out->at == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (s->found.count > 0)
		memcpy(out->at, s->found.at, s->found.count * sizeof *out->at);
	qsort(out->at, s->found.count, sizeof *out->at, by_path);
	out->count = s->found.count;
	return find_top(out, s);
}

lb_err runner_glob_find(struct runner_matches *out, struct lb_arena *arena, struct lb_mem *mem,
                        struct plat *plat, const struct runner_glob *glob, struct lb_diag *diag)
{
	struct search s = { .arena = arena, .glob = glob };
	lb_err err = LB_OK;

	*out = (struct runner_matches){ 0 };
	s.pattern_count = glob->patterns->count;
	s.patterns = LB_ARENA_NEW(arena, struct pattern, s.pattern_count + 1);
	if (s.patterns == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < s.pattern_count; i++)
		LB_TRY(read_pattern(&s.patterns[i], arena, glob, glob->patterns->items[i]->string,
		                    diag));
	lb_vec_init(&s.found, mem, sizeof(struct runner_match), MATCHES_MAX);
	for (size_t i = 0; i < s.pattern_count && !lb_failed(err); i++) {
		if (!s.patterns[i].excludes && !covered(&s, i))
			err = search_top(&s, mem, plat, s.patterns[i].top, diag);
	}
	if (!lb_failed(err))
		err = take_found(out, &s);
	lb_vec_release(&s.found);
	return err;
}
