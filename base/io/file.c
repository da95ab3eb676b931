/* file.c - see file.h. */
#include "base/io/file.h"

#include "base/arena.h"
#include "base/platform/handle.h"
#include "base/platform/pages.h"
#include "base/platform/process.h"
#include "base/text.h"
#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>

/* "cannot VERB PATH: why", the error passed through. */
static lb_err failed(struct lb_diag *diag, lb_err err, const char *verb, const char *path)
{
	const char *why = lb_err_text(err);

	/* An input or output error is the one whose number says more than its code. */
	if (lb_code_of(err) == LB_E_IO && lb_where(err) != 0)
		why = strerror((int)lb_where(err));
	lb_diag_set(diag, "cannot %s %s: %s", verb, path, why);
	return err;
}

/* ---- reading ---- */

/* How much to ask for next: what the file says is left and one byte more, so that its end is seen
 * without growing the buffer; some at a time from files that do not know (pipes, /proc). */
static size_t next_chunk(const struct lb_buf *out, uint64_t size, uint64_t offset)
{
	enum { UNKNOWN = 4096 };
	size_t room = out->bytes_max - out->len;
	uint64_t want = size > 0 && offset <= size ? size - offset + 1 : UNKNOWN;

	return want < room ? (size_t)want : room;
}

static lb_err read_all(struct lb_buf *out, struct plat *plat, int file)
{
	struct plat_info info;
	uint64_t offset = 0;
	size_t got;

	LB_TRY(plat->ops->file_info(&info, plat, file));
	if (info.type == PLAT_FILE && info.size > out->bytes_max - out->len)
		return lb_err_at(LB_E_LIMIT, out->bytes_max);
	if (info.type != PLAT_FILE)
		info.size = 0;
	do {
		size_t len = next_chunk(out, info.size, offset);
		unsigned char spare, *to = &spare;

		if (len > 0)
			to = lb_buf_reserve(out, len);
		if (to == NULL)
			return lb_buf_check(out);
		LB_TRY(plat->ops->read_at(&got, plat, file, to, len > 0 ? len : 1, offset));
		if (got > 0 && len == 0) /* full, and there is more */
			return lb_err_at(LB_E_LIMIT, out->bytes_max);
		out->len += got;
		offset += got;
	} while (got > 0);
	if (out->at != NULL)
		out->at[out->len] = '\0';
	return LB_OK;
}

lb_err lb_file_read(struct lb_buf *out, struct plat *plat, const char *path, struct lb_diag *diag)
{
	size_t before = out->len;
	lb_err err;
	int file;

	LB_TRY(lb_buf_check(out));
	err = plat->ops->open(&file, plat, path, PLAT_READ);
	if (lb_failed(err))
		return failed(diag, err, "open", path);
	err = read_all(out, plat, file);
	plat->ops->close(plat, file);
	if (!lb_failed(err))
		return LB_OK;
	out->len = before;
	if (out->at != NULL)
		out->at[before] = '\0';
	if (lb_code_of(err) == LB_E_LIMIT) {
		lb_diag_set(diag, "cannot read %s: more than the %zu bytes allowed", path,
		            out->bytes_max);
		return err;
	}
	return failed(diag, err, "read", path);
}

/* ---- writing ---- */

struct path {
	char text[LB_PATH_SIZE];
};

/* The folder that a path's last part stands in. */
static struct lb_bytes folder_of(const char *path)
{
	struct lb_bytes text = lb_bytes_of(path);
	size_t slash;

	while (text.len > 1 && text.at[text.len - 1] == '/')
		text.len--;
	slash = lb_bytes_rfind_byte(text, '/');
	if (slash == SIZE_MAX)
		return LB_B(".");
	return lb_bytes_upto(text, slash > 0 ? slash : 1);
}

static lb_err set_path(struct path *out, struct lb_bytes text)
{
	if (text.len >= sizeof out->text)
		return lb_err_at(LB_E_LIMIT, sizeof out->text);
	memcpy(out->text, text.at, text.len);
	out->text[text.len] = '\0';
	return LB_OK;
}

/* A name beside `path` that nobody else chooses, and as short for a long name as for any. */
static lb_err temporary_path(struct path *out, struct plat *plat, const char *path)
{
	struct lb_bytes folder = folder_of(path);
	uint64_t chance;
	int len;

	LB_TRY(plat->ops->entropy(&chance, plat, sizeof chance));
	len = snprintf(out->text, sizeof out->text, "%.*s/.lb-%016llx.tmp", LB_FMT(folder),
	               (unsigned long long)chance);
	return len < (int)sizeof out->text ? LB_OK : lb_err_at(LB_E_LIMIT, sizeof out->text);
}

/* A new file with that content, on the disk; none after a failure. */
static lb_err write_new(struct plat *plat, const char *path, struct lb_bytes content,
                        unsigned flags)
{
	lb_err err;
	int file;

	LB_TRY(plat->ops->open(&file, plat, path,
	                       PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE | flags));
	err = plat->ops->write_at(plat, file, content.at, content.len, 0);
	if (!lb_failed(err))
		err = plat->ops->sync(plat, file);
	plat->ops->close(plat, file);
	if (lb_failed(err))
		lb_ignore(plat->ops->remove(plat, path));
	return err;
}

static lb_err sync_folder_of(struct plat *plat, const char *path)
{
	struct path folder;

	LB_TRY(set_path(&folder, folder_of(path)));
	return plat->ops->sync_folder(plat, folder.text);
}

static lb_err replace(struct plat *plat, const char *path, struct lb_bytes content, unsigned flags)
{
	struct path temporary;
	lb_err err;

	LB_TRY(temporary_path(&temporary, plat, path));
	LB_TRY(write_new(plat, temporary.text, content, flags));
	err = plat->ops->rename(plat, temporary.text, path);
	if (lb_failed(err))
		lb_ignore(plat->ops->remove(plat, temporary.text));
	return err;
}

lb_err lb_file_write(struct plat *plat, const char *path, struct lb_bytes content, unsigned flags,
                     struct lb_diag *diag)
{
	lb_err err;

	assert((flags & ~(unsigned)(PLAT_PRIVATE | PLAT_EXECUTABLE)) == 0);
	err = replace(plat, path, content, flags);
	if (!lb_failed(err))
		err = sync_folder_of(plat, path);
	return lb_failed(err) ? failed(diag, err, "write", path) : LB_OK;
}

/* ---- folders ---- */

/* A folder whose parent is there.  Another may make it at the same time. */
static lb_err make_one(struct plat *plat, const char *path)
{
	struct plat_info info;
	lb_err err = plat->ops->make_folder(plat, path), look;

	if (lb_code_of(err) != LB_E_EXISTS)
		return err;
	look = plat->ops->info(&info, plat, path);
	/* A link to a folder will do: what is put below it will say if it is none. */
	if (lb_failed(look) || info.type == PLAT_DIRECTORY || info.type == PLAT_LINK)
		return look;
	return err;
}

lb_err lb_file_make_folders(struct plat *plat, const char *path, struct lb_diag *diag)
{
	struct path part;
	lb_err err = make_one(plat, path);

	if (lb_code_of(err) != LB_E_NOTFOUND || path[0] == '\0')
		return lb_failed(err) ? failed(diag, err, "make folder", path) : LB_OK;
	err = set_path(&part, lb_bytes_of(path));
	for (char *at = part.text + 1; !lb_failed(err); at++) {
		char end = *at;

		if (end != '/' && end != '\0')
			continue;
		*at = '\0';
		err = make_one(plat, part.text);
		*at = end;
		if (end == '\0')
			break;
	}
	return lb_failed(err) ? failed(diag, err, "make folder", path) : LB_OK;
}

lb_err lb_file_remove_tree(struct plat *plat, const char *path, struct lb_diag *diag)
{
	lb_err err = plat->ops->remove_tree(plat, path);

	if (!lb_failed(err) || lb_code_of(err) == LB_E_NOTFOUND)
		return LB_OK;
	return failed(diag, err, "remove", path);
}

/* ---- copying ---- */

static lb_err copy_content(struct plat *plat, int to, int from)
{
	enum { CHUNK = 1 << 18 };
	uint64_t offset = 0;
	void *chunk;
	size_t got;
	lb_err err;

	LB_TRY(plat_pages_reserve(&chunk, CHUNK));
	err = plat_pages_allow(chunk, CHUNK, PLAT_ACCESS_READ_WRITE);
	while (!lb_failed(err)) {
		err = plat->ops->read_at(&got, plat, from, chunk, CHUNK, offset);
		if (lb_failed(err) || got == 0)
			break;
		err = plat->ops->write_at(plat, to, chunk, got, offset);
		offset += got;
	}
	plat_pages_release(chunk, CHUNK);
	return err;
}

lb_err lb_file_copy(struct plat *plat, const char *to, const char *from, struct lb_diag *diag)
{
	enum { NEW = PLAT_WRITE | PLAT_CREATE | PLAT_EXCLUSIVE | PLAT_PRIVATE };
	struct plat_info info;
	int source, target;
	lb_err err = plat->ops->open(&source, plat, from, PLAT_READ);

	if (lb_failed(err))
		return failed(diag, err, "open", from);
	err = plat->ops->file_info(&info, plat, source);
	if (!lb_failed(err) && info.type == PLAT_DIRECTORY)
		err = lb_err_of(LB_E_INVALID);
	if (lb_failed(err)) {
		plat->ops->close(plat, source);
		return failed(diag, err, "copy", from);
	}
	err = plat->ops->open(&target, plat, to, NEW);
	if (lb_failed(err)) {
		plat->ops->close(plat, source);
		return failed(diag, err, "make", to);
	}
	err = copy_content(plat, target, source);
	plat->ops->close(plat, target);
	plat->ops->close(plat, source);
	if (!lb_failed(err))
		err = plat->ops->set_mode(plat, to, info.mode);
	if (!lb_failed(err))
		return LB_OK;
	lb_ignore(plat->ops->remove(plat, to));
	return failed(diag, err, "write", to);
}

/* ---- walking ---- */

struct walk {
	struct lb_mem *mem;
	struct plat *plat;
	lb_err (*each)(void *ctx, const char *path, const struct plat_info *info);
	void *ctx;
	struct lb_diag *diag;
	struct lb_buf path; /* root, a slash, what is below */
	size_t below;       /* where that starts */
	size_t met;         /* names so far */
};

/* One folder's names while it is walked. */
struct names {
	struct lb_arena arena;
	struct lb_vec list; /* of const char * */
};

static lb_err take_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	const char *copy = lb_arena_text(&names->arena, lb_bytes_of(name));
	const char **item = lb_vec_add(&names->list);

	if (item != NULL)
		*item = copy;
	return names->arena.failed ? lb_err_of(LB_E_NOMEM) : lb_vec_check(&names->list);
}

static int compare_names(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right); /* compares as unsigned bytes */
}

static lb_err walk_folder(struct walk *walk, unsigned depth);

static lb_err walk_name(struct walk *walk, const char *name, unsigned depth)
{
	struct plat_info info;
	lb_err err;

	lb_buf_add_byte(&walk->path, '/');
	lb_buf_add_text(&walk->path, name);
	LB_TRY(lb_buf_check(&walk->path));
	if (++walk->met > LB_WALK_NAMES_MAX)
		return lb_fail(walk->diag, LB_E_LIMIT, "%s: more than %d names below it",
		               lb_buf_text(&walk->path), LB_WALK_NAMES_MAX);
	err = walk->plat->ops->info(&info, walk->plat, lb_buf_text(&walk->path));
	if (lb_failed(err))
		return failed(walk->diag, err, "look at", lb_buf_text(&walk->path));
	LB_TRY(walk->each(walk->ctx, lb_buf_text(&walk->path) + walk->below, &info));
	return info.type == PLAT_DIRECTORY ? walk_folder(walk, depth + 1) : LB_OK;
}

static lb_err walk_names(struct walk *walk, const struct names *names, unsigned depth)
{
	size_t len = walk->path.len;

	if (names->list.count > 1)
		qsort(names->list.at, names->list.count, sizeof(const char *), compare_names);
	for (size_t i = 0; i < names->list.count; i++) {
		LB_TRY(walk_name(walk, *LB_VEC_AT(&names->list, const char *, i), depth));
		walk->path.len = len;
		walk->path.at[len] = '\0';
	}
	return LB_OK;
}

static lb_err walk_folder(struct walk *walk, unsigned depth)
{
	struct names names = { 0 };
	const char *path = lb_buf_text(&walk->path);
	lb_err err;

	if (depth > LB_WALK_DEPTH_MAX)
		return lb_fail(walk->diag, LB_E_LIMIT, "%s: more than %d folders deep", path,
		               LB_WALK_DEPTH_MAX);
	lb_arena_init(&names.arena, walk->mem);
	lb_vec_init(&names.list, walk->mem, sizeof(const char *), LB_WALK_NAMES_MAX);
	err = walk->plat->ops->list(walk->plat, path, take_name, &names);
	if (lb_failed(err))
		lb_ignore(failed(walk->diag, err, "list", path));
	else
		err = walk_names(walk, &names, depth);
	lb_vec_release(&names.list);
	lb_arena_release(&names.arena);
	return err;
}

lb_err lb_file_walk(struct lb_mem *mem, struct plat *plat, const char *root,
                    lb_err (*each)(void *ctx, const char *path, const struct plat_info *info),
                    void *ctx, struct lb_diag *diag)
{
	enum { PATH_BYTES_MAX = 1 << 17 };
	struct walk walk = { .mem = mem, .plat = plat, .each = each, .ctx = ctx, .diag = diag };
	lb_err err;

	lb_buf_init(&walk.path, mem, PATH_BYTES_MAX);
	lb_buf_add_text(&walk.path, root);
	walk.below = walk.path.len + 1;
	err = lb_buf_check(&walk.path);
	if (!lb_failed(err))
		err = walk_folder(&walk, 1);
	lb_buf_release(&walk.path);
	return err;
}

/* ---- the rest ---- */

bool lb_file_exists(struct plat *plat, const char *path)
{
	struct plat_info info;

	return !lb_failed(plat->ops->info(&info, plat, path));
}

lb_err lb_file_lock(int *lock, const char *path, struct lb_diag *diag)
{
	lb_err err = plat_lock(lock, path);

	if (lb_code_of(err) == LB_E_BUSY) {
		lb_diag_set(diag, "%s is held by another process", path);
		return err;
	}
	return lb_failed(err) ? failed(diag, err, "lock", path) : LB_OK;
}

void lb_file_unlock(int lock) { plat_unlock(lock); }

bool lb_path_is_inside(struct lb_bytes path)
{
	struct lb_bytes rest = path, part;

	if (lb_bytes_find_byte(path, '\\') != SIZE_MAX ||
	    lb_bytes_find_byte(path, '\0') != SIZE_MAX)
		return false;
	while (lb_bytes_split(&part, &rest, '/')) {
		if (part.len == 0 || lb_bytes_is(part, ".") || lb_bytes_is(part, ".."))
			return false;
	}
	return true;
}

struct lb_bytes lb_path_name(struct lb_bytes path)
{
	size_t slash = lb_bytes_rfind_byte(path, '/');

	return slash == SIZE_MAX ? path : lb_bytes_from(path, slash + 1);
}

lb_err lb_path_state(char *out, size_t size, struct lb_diag *diag)
{
	const char *state = plat_getenv("XDG_STATE_HOME"), *home = plat_getenv("HOME");
	int len;

	/* A relative one is to be ignored, says the XDG specification. */
	if (state != NULL && state[0] == '/')
		len = snprintf(out, size, "%s/lifeboat", state);
	else if (home != NULL && home[0] == '/')
		len = snprintf(out, size, "%s/.local/state/lifeboat", home);
	else
		return lb_fail(diag, LB_E_NOTFOUND,
		               "no place for state: neither XDG_STATE_HOME nor HOME is set");
	if (len < 0 || (size_t)len >= size)
		return lb_fail(diag, LB_E_LIMIT, "the path of the state folder is too long");
	return LB_OK;
}
