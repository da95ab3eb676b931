/* files.c - requests about files: hash, pack and unpack (artifacts), save and restore (caches). */
#include "ci-runner/inside/inside_priv.h"

#include "base/data/archive.h"
#include "base/data/digest.h"
#include "base/io/file.h"
#include "base/text.h"
#include "ci-runner/inside/glob.h"

#include <errno.h>

static lb_err find(struct runner_matches *out, struct runner_inside *in, const char *patterns,
                   bool hidden, bool descendants, struct lb_diag *diag)
{
	struct runner_glob glob = { .hidden = hidden,
		                    .descendants = descendants,
		                    .patterns = lb_value_get(in->request, patterns) };

	LB_TRY(runner_inside_need(&glob.root, in, "root", diag));
	glob.home = runner_inside_text(in, "home");
	if (glob.home == NULL)
		glob.home = glob.root;
	if (glob.patterns == NULL || glob.patterns->kind != LB_ARRAY)
		return lb_fail(diag, LB_E_INVALID, "the request has no '%s', expected a list",
		               patterns);
	return runner_glob_find(out, in->arena, in->mem, in->plat, &glob, diag);
}

/* ---- hashFiles ---- */

/* GitHub's: SHA-256 of the SHA-256s of the files, in order; nothing where none matches. */
lb_err runner_inside_hash(struct runner_inside *in, struct lb_diag *diag)
{
	unsigned char sum[LB_DIGEST_SIZE_MAX];
	struct runner_matches matches;
	struct lb_digest *digest;
	size_t len;
	lb_err err = LB_OK;

	LB_TRY(find(&matches, in, "patterns", true, true, diag));
	lb_value_set_text(in->arena, in->answer, "hash", "");
	if (matches.count == 0)
		return LB_OK;
	LB_TRY(lb_digest_new(&digest, in->mem, LB_SHA256));
	for (size_t i = 0; i < matches.count && !lb_failed(err); i++) {
		char hex[LB_SHA256_HEX + 1];
		unsigned char one[LB_SHA256_SIZE];
		uint64_t size;

		if (matches.at[i].folder)
			continue;
		err = lb_sha256_file(hex, &size, in->plat, matches.at[i].path);
		if (lb_failed(err)) {
			lb_diag_set(diag, "hashFiles: %s: %s", matches.at[i].path,
			            lb_err_text(err));
			break;
		}
		err = lb_hex_read(one, sizeof one, lb_bytes_of(hex));
		lb_digest_add(digest, (struct lb_bytes){ one, sizeof one });
	}
	lb_digest_end(digest, sum, &len);
	lb_digest_free(digest);
	if (!lb_failed(err)) {
		struct lb_buf hex;

		lb_buf_init(&hex, in->mem, 4 * LB_DIGEST_SIZE_MAX);
		lb_hex_add(&hex, (struct lb_bytes){ sum, len });
		err = lb_buf_check(&hex);
		lb_value_set_string(in->arena, in->answer, "hash", lb_buf_bytes(&hex));
		lb_buf_release(&hex);
	}
	return err;
}

/* ---- artifacts ---- */

lb_err runner_inside_pack(struct runner_inside *in, struct lb_diag *diag)
{
	const struct lb_pack how = {
		.format = LB_ARCHIVE_ZIP, .follow_links = true, .plain_modes = true, .fast = true
	};
	struct lb_archive_member *members;
	struct runner_matches matches;
	const char *to;

	LB_TRY(runner_inside_need(&to, in, "to", diag));
	LB_TRY(find(&matches, in, "paths", lb_value_get_bool(in->request, "hidden"), true, diag));
	lb_value_set_number(in->arena, in->answer, "count", (double)matches.count);
	if (matches.count == 0)
		return LB_OK;
	members = LB_ARENA_NEW(in->arena, struct lb_archive_member, matches.count);
	if (members == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < matches.count; i++)
		members[i] = (struct lb_archive_member){
			.name = matches.at[i].path + strlen(matches.top) + 1,
			.path = matches.at[i].path,
		};
	(void)fprintf(in->out, "With the provided path, there will be %zu file%s uploaded\n",
	              matches.count, matches.count == 1 ? "" : "s");
	return lb_archive_pack(in->mem, in->plat, to, members, matches.count, &how, diag);
}

lb_err runner_inside_unpack(struct runner_inside *in, struct lb_diag *diag)
{
	const char *from, *into;

	LB_TRY(runner_inside_need(&from, in, "from", diag));
	LB_TRY(runner_inside_need(&into, in, "into", diag));
	LB_TRY(lb_file_make_folders(in->plat, into, diag));
	return lb_archive_unpack(in->mem, in->plat, from, into, NULL, diag);
}

/* ---- caches ---- */

/* "w/..." below the workspace, "h/..." below the home: what can be put back elsewhere too. */
static lb_err cache_name(const char **out, struct runner_inside *in, const char *path,
                         struct lb_diag *diag)
{
	static const struct {
		const char *member, *prefix;
	} roots[] = { { "root", "w" }, { "home", "h" } };

	for (size_t i = 0; i < 2; i++) {
		struct lb_bytes root = lb_value_get_string(in->request, roots[i].member);

		if (!lb_bytes_starts(lb_bytes_of(path), root) ||
		    (path[root.len] != '/' && path[root.len] != '\0'))
			continue;
		*out = (const char *)lb_arena_format(in->arena, "%s%s", roots[i].prefix,
		                                     path + root.len)
		               .at;
		return *out != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
	}
	return lb_fail(diag, LB_E_UNSUPPORTED,
	               "%s cannot be cached: it is neither below the workspace nor below the home",
	               path);
}

lb_err runner_inside_save(struct runner_inside *in, struct lb_diag *diag)
{
	const struct lb_pack how = { .format = LB_ARCHIVE_TAR_ZST, .fast = true };
	struct lb_archive_member *members;
	struct runner_matches matches;
	size_t count = 0;
	const char *to;

	LB_TRY(runner_inside_need(&to, in, "to", diag));
	LB_TRY(find(&matches, in, "paths", true, false, diag));
	members = LB_ARENA_NEW(in->arena, struct lb_archive_member, matches.count + 1);
	if (members == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < matches.count; i++) {
		const char *before = count > 0 ? members[count - 1].path : NULL;
		size_t len = before != NULL ? strlen(before) : 0;

		/* A folder is packed with what is in it: not again what matches below it. */
		if (before != NULL && strncmp(matches.at[i].path, before, len) == 0 &&
		    matches.at[i].path[len] == '/')
			continue;
		members[count].path = matches.at[i].path;
		LB_TRY(cache_name(&members[count].name, in, matches.at[i].path, diag));
		count++;
	}
	lb_value_set_number(in->arena, in->answer, "count", (double)count);
	return count > 0 ? lb_archive_pack(in->mem, in->plat, to, members, count, &how, diag)
	                 : LB_OK;
}

struct merge {
	struct runner_inside *in;
	const char *from, *to;
	struct lb_diag *diag;
};

/* The workspace and the home are mounts of their own: between them only copying works. */
static lb_err place_file(struct merge *m, const char *from, const char *to,
                         const struct plat_info *info)
{
	struct plat *plat = m->in->plat;
	lb_err err;

	lb_ignore(plat->ops->remove(plat, to));
	err = plat->ops->rename(plat, from, to);
	if (!lb_failed(err) || lb_where(err) != EXDEV)
		return err;
	if (info->type == PLAT_LINK) {
		char target[4096 / 4];
		size_t len;

		LB_TRY(plat->ops->read_link(&len, plat, from, target, sizeof target - 1));
		target[len] = '\0';
		return plat->ops->make_link(plat, target, to);
	}
	return lb_file_copy(plat, to, from, m->diag);
}

static lb_err place(void *ctx, const char *path, const struct plat_info *info)
{
	struct merge *m = ctx;
	const char *from = (const char *)lb_arena_format(m->in->arena, "%s/%s", m->from, path).at;
	const char *to = (const char *)lb_arena_format(m->in->arena, "%s/%s", m->to, path).at;

	if (from == NULL || to == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (info->type == PLAT_DIRECTORY)
		return lb_file_make_folders(m->in->plat, to, m->diag);
	return place_file(m, from, to, info);
}

static lb_err merge(struct runner_inside *in, const char *scratch, const char *prefix,
                    const char *member, struct lb_diag *diag)
{
	struct merge m = { .in = in, .diag = diag };
	lb_err err;

	m.from = (const char *)lb_arena_format(in->arena, "%s/%s", scratch, prefix).at;
	LB_TRY(runner_inside_need(&m.to, in, member, diag));
	if (m.from == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!lb_file_exists(in->plat, m.from))
		return LB_OK;
	err = lb_file_walk(in->mem, in->plat, m.from, place, &m, diag);
	if (lb_failed(err))
		lb_diag_prefix(diag, "restoring into %s", m.to);
	return err;
}

lb_err runner_inside_restore(struct runner_inside *in, struct lb_diag *diag)
{
	const char *from, *scratch;
	lb_err err;

	LB_TRY(runner_inside_need(&from, in, "from", diag));
	LB_TRY(runner_inside_need(&scratch, in, "scratch", diag));
	LB_TRY(lb_file_remove_tree(in->plat, scratch, diag));
	LB_TRY(lb_file_make_folders(in->plat, scratch, diag));
	err = lb_archive_unpack(in->mem, in->plat, from, scratch, NULL, diag);
	if (!lb_failed(err))
		err = merge(in, scratch, "w", "root", diag);
	if (!lb_failed(err))
		err = merge(in, scratch, "h", "home", diag);
	lb_ignore(lb_file_remove_tree(in->plat, scratch, NULL));
	return err;
}
