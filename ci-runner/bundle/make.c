/* make.c - see make.h: the manifest and the archive. */
#include "ci-runner/bundle/make_priv.h"

#include "base/data/archive.h"
#include "base/io/file.h"
#include "workflows/step/step.h"

#include <limits.h>
#include <stdlib.h>

enum { FILES_MAX = 100000, LIBRARIES_MAX = 10000, TEXT_BYTES_MAX = 256 * 1024 * 1024 };

/* ---- networks and quarantine ---- */

/* "PATTERN=loopback" for tests whose names it matches: at least one. */
static lb_err grant(struct runner_making *m, const char *text)
{
	struct lb_bytes all = lb_bytes_of(text);
	size_t equals = lb_bytes_find_byte(all, '=');
	const char *pattern = lb_arena_text(&m->arena, lb_bytes_upto(all, equals));
	const char *policy =
		lb_arena_text(&m->arena,
	                      lb_bytes_from(all, equals == SIZE_MAX ? SIZE_MAX : equals + 1));
	const char *const *hosts;
	enum workflow_network network;
	size_t matched = 0;

	if (pattern == NULL || policy == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (equals == SIZE_MAX)
		return lb_fail(m->diag, LB_E_USAGE,
		               "--network %s: expected TEST=loopback or TEST=HOST", text);
	LB_TRY(workflow_network_read(&network, &hosts, &m->arena, lb_bytes_of(policy), pattern,
	                             m->diag));
	if (network != WORKFLOW_NETWORK_LOOPBACK && network != WORKFLOW_NETWORK_HOSTS)
		return lb_fail(m->diag, LB_E_USAGE,
		               "--network %s: a test may have 'loopback' or hosts, nothing more",
		               text);
	for (size_t i = 0; i < m->tests.count; i++) {
		struct runner_test *test = LB_VEC_AT(&m->tests, struct runner_test, i);

		if (runner_name_matches(pattern, test->name)) {
			test->network = policy;
			matched++;
		}
	}
	return matched > 0 ? LB_OK
	                   : lb_fail(m->diag, LB_E_NOTFOUND, "--network %s: no test is called so",
	                             text);
}

static lb_err read_quarantine(struct lb_value *list, struct runner_making *m)
{
	struct lb_bytes rest, line;
	struct lb_buf text;
	lb_err err;

	if (m->how->quarantine == NULL)
		return LB_OK;
	lb_buf_init(&text, m->mem, 1 << 20);
	err = lb_file_read(&text, m->plat, m->how->quarantine, m->diag);
	rest = lb_buf_bytes(&text);
	while (!lb_failed(err) && rest.len > 0 && lb_bytes_split(&line, &rest, '\n')) {
		line = lb_bytes_trim(lb_bytes_upto(line, lb_bytes_find_byte(line, '#')));
		if (line.len > 0)
			lb_value_add(&m->arena, list, lb_value_string(&m->arena, line));
	}
	lb_buf_release(&text);
	return err;
}

/* ---- the archive ---- */

static lb_err write_manifest(struct runner_making *m, const char *path)
{
	struct lb_value *manifest = lb_value_object(&m->arena), *tests = lb_value_array(&m->arena);
	struct lb_value *files = lb_value_array(&m->arena), *quarantine = lb_value_array(&m->arena);
	struct lb_buf text;
	lb_err err;

	LB_TRY(read_quarantine(quarantine, m));
	for (size_t i = 0; i < m->tests.count; i++)
		lb_value_add(&m->arena, tests,
		             runner_test_value(&m->arena,
		                               LB_VEC_AT(&m->tests, struct runner_test, i)));
	for (size_t i = 0; i < m->files.count; i++)
		lb_value_add(&m->arena, files,
		             lb_value_text(&m->arena, *LB_VEC_AT(&m->files, const char *, i)));
	lb_value_set_number(&m->arena, manifest, "version", RUNNER_BUNDLE_VERSION);
	lb_value_put(&m->arena, manifest, "files", files);
	lb_value_put(&m->arena, manifest, "quarantine", quarantine);
	lb_value_put(&m->arena, manifest, "tests", tests);
	lb_buf_init(&text, m->mem, TEXT_BYTES_MAX);
	lb_value_write(&text, manifest, true);
	lb_buf_add_byte(&text, '\n');
	err = m->arena.failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_file_write(m->plat, path, lb_buf_bytes(&text), 0, m->diag);
	lb_buf_release(&text);
	return err;
}

/* Folders that came after something in them: that is packed with them. */
static bool is_covered(const struct lb_vec *files, size_t index)
{
	const char *path = *LB_VEC_AT(files, const char *, index);

	for (size_t i = 0; i < files->count; i++) {
		const char *other = *LB_VEC_AT(files, const char *, i);
		size_t len = strlen(other);

		if (i != index && strncmp(other, path, len) == 0 && path[len] == '/')
			return true;
	}
	return false;
}

static void drop_covered(struct lb_vec *files)
{
	size_t kept = 0;

	for (size_t i = 0; i < files->count; i++) {
		if (!is_covered(files, i))
			*LB_VEC_AT(files, const char *, kept++) =
				*LB_VEC_AT(files, const char *, i);
		/* What was moved down stands twice until the end: equal paths cover none. */
	}
	files->count = kept;
}

static bool same_name(struct runner_making *m, size_t index)
{
	const char *path = *LB_VEC_AT(&m->libraries, const char *, index);

	for (size_t i = 0; i < index; i++) {
		const char *other = *LB_VEC_AT(&m->libraries, const char *, i);

		if (strcmp(strrchr(other, '/'), strrchr(path, '/')) == 0)
			return true; /* as the dynamic linker takes the first */
	}
	return false;
}

static lb_err format_of(enum lb_archive_format *out, const char *path, struct lb_diag *diag)
{
	static const struct {
		const char *end;
		enum lb_archive_format format;
	} known[] = { { ".tar.zst", LB_ARCHIVE_TAR_ZST },
		      { ".tar.gz", LB_ARCHIVE_TAR_GZ },
		      { ".tgz", LB_ARCHIVE_TAR_GZ },
		      { ".tar", LB_ARCHIVE_TAR },
		      { ".zip", LB_ARCHIVE_ZIP } };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (lb_bytes_ends(lb_bytes_of(path), lb_bytes_of(known[i].end))) {
			*out = known[i].format;
			return LB_OK;
		}
	}
	return lb_fail(diag, LB_E_USAGE, "%s: expected .tar.zst, .tar.gz, .tar or .zip", path);
}

static lb_err pack(struct runner_making *m, const char *manifest)
{
	struct lb_pack how = { .follow_links = true, .fast = true };
	struct lb_archive_member *members = LB_ARENA_NEW(&m->arena, struct lb_archive_member,
	                                                 m->files.count + m->libraries.count + 1);
	size_t count = 0;

	if (members == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(format_of(&how.format, m->how->out, m->diag));
	members[count++] = (struct lb_archive_member){ "manifest.json", manifest };
	for (size_t i = 0; i < m->files.count; i++) {
		const char *path = *LB_VEC_AT(&m->files, const char *, i);

		members[count++] = (struct lb_archive_member){
			(const char *)lb_arena_format(&m->arena, "root%s", path).at, path
		};
	}
	for (size_t i = 0; i < m->libraries.count; i++) {
		const char *path = *LB_VEC_AT(&m->libraries, const char *, i);

		if (!same_name(m, i))
			members[count++] = (struct lb_archive_member){
				(const char *)lb_arena_format(&m->arena, "lib%s",
				                              strrchr(path, '/'))
					.at,
				path
			};
	}
	if (m->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return lb_archive_pack(m->mem, m->plat, m->how->out, members, count, &how, m->diag);
}

static lb_err gather(struct runner_making *m)
{
	for (const char *const *path = m->how->data; path != NULL && *path != NULL; path++) {
		char *whole = LB_ARENA_NEW(&m->arena, char, PATH_MAX);

		if (whole == NULL)
			return lb_err_of(LB_E_NOMEM);
		if (realpath(*path, whole) == NULL)
			return lb_fail(m->diag, LB_E_NOTFOUND, "%s is not there", *path);
		LB_TRY(runner_need_file(m, whole));
	}
	for (size_t i = 0; i < m->how->source_count; i++)
		LB_TRY(runner_discover(m, &m->how->sources[i]));
	if (m->tests.count == 0)
		return lb_fail(m->diag, LB_E_NOTFOUND, "no tests were found");
	for (const char *const *text = m->how->networks; text != NULL && *text != NULL; text++)
		LB_TRY(grant(m, *text));
	drop_covered(&m->files);
	return LB_OK;
}

static lb_err write_all(struct runner_making *m)
{
	const char *manifest =
		(const char *)lb_arena_format(&m->arena, "%s.manifest", m->how->out).at;
	lb_err err;

	if (manifest == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = write_manifest(m, manifest);
	if (!lb_failed(err))
		err = pack(m, manifest);
	lb_ignore(m->plat->ops->remove(m->plat, manifest));
	return err;
}

lb_err runner_bundle_make(size_t *tests, struct lb_mem *mem, struct plat *plat,
                          const struct runner_bundle_make *how, struct lb_diag *diag)
{
	struct runner_making m = { .mem = mem, .plat = plat, .how = how, .diag = diag };
	lb_err err;

	lb_arena_init(&m.arena, mem);
	lb_vec_init(&m.tests, mem, sizeof(struct runner_test), RUNNER_TESTS_MAX);
	lb_vec_init(&m.files, mem, sizeof(const char *), FILES_MAX);
	lb_vec_init(&m.libraries, mem, sizeof(const char *), LIBRARIES_MAX);
	err = gather(&m);
	if (!lb_failed(err))
		err = write_all(&m);
	*tests = m.tests.count;
	lb_vec_release(&m.libraries);
	lb_vec_release(&m.files);
	lb_vec_release(&m.tests);
	lb_arena_release(&m.arena);
	return err;
}
