/* archive.c - see archive_priv.h. */
#include "base/data/archive_priv.h"

#include "base/io/file.h"
#include "base/text.h"

#include <errno.h>
#include <pthread.h>

static locale_t utf8;

static void make_locale(void)
{
	static const char *const names[] = { "C.UTF-8", "en_US.UTF-8" };

	for (size_t i = 0; i < sizeof names / sizeof names[0] && utf8 == NULL; i++)
		utf8 = newlocale(LC_CTYPE_MASK, names[i], NULL);
}

/* Where the system has no such locale, libarchive refuses names beyond ASCII by itself. */
locale_t lb_archive_enter(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make_locale);
	return uselocale(utf8);
}

void lb_archive_leave(locale_t before) { (void)uselocale(before); }

static bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

const char *lb_archive_show(char out[LB_ARCHIVE_SHOWN_SIZE], struct lb_bytes name)
{
	size_t len = name.len < LB_ARCHIVE_SHOWN_SIZE - 4 ? name.len : LB_ARCHIVE_SHOWN_SIZE - 4;

	for (size_t i = 0; i < len; i++)
		out[i] = (char)(is_control(name.at[i]) ? '?' : name.at[i]);
	if (len < name.len)
		memcpy(out + len, "...", 4);
	else
		out[len] = '\0';
	return out;
}

static lb_err check_characters(struct lb_bytes name, const char *shown, struct lb_diag *diag)
{
	if (lb_utf8_check(name) != SIZE_MAX)
		return lb_fail(diag, LB_E_MALFORMED, "%s: the name is not UTF-8", shown);
	for (size_t i = 0; i < name.len; i++) {
		if (is_control(name.at[i]))
			return lb_fail(diag, LB_E_MALFORMED,
			               "%s: control character 0x%02x in the name", shown,
			               name.at[i]);
	}
	return LB_OK;
}

lb_err lb_archive_check_name(struct lb_bytes name, struct lb_diag *diag)
{
	char shown[LB_ARCHIVE_SHOWN_SIZE];

	(void)lb_archive_show(shown, name);
	LB_TRY(check_characters(name, shown, diag));
	if (!lb_path_is_inside(name))
		return lb_fail(diag, LB_E_DENIED,
		               "%s: the name is not a relative path that stays inside", shown);
	return LB_OK;
}

static size_t count_slashes(struct lb_bytes name)
{
	size_t count = 0;

	for (size_t i = 0; i < name.len; i++)
		count += name.at[i] == '/';
	return count;
}

static bool stays_inside(struct lb_bytes name, struct lb_bytes target)
{
	size_t left = count_slashes(name); /* folders above the link */
	bool descended = false;
	struct lb_bytes part;

	if (target.len == 0 || target.at[0] == '/' || lb_bytes_find_byte(target, '\\') != SIZE_MAX)
		return false;
	while (lb_bytes_split(&part, &target, '/')) {
		if (part.len == 0 || lb_bytes_is(part, "."))
			continue;
		if (!lb_bytes_is(part, ".."))
			descended = true;
		else if (descended || left-- == 0)
			return false;
	}
	return true;
}

lb_err lb_archive_check_link(struct lb_bytes name, struct lb_bytes target, struct lb_diag *diag)
{
	char shown[LB_ARCHIVE_SHOWN_SIZE], shown_target[LB_ARCHIVE_SHOWN_SIZE];

	(void)lb_archive_show(shown, name);
	LB_TRY(check_characters(target, shown, diag));
	if (!stays_inside(name, target))
		return lb_fail(diag, LB_E_DENIED, "%s: the link to %s leads out of the folder",
		               shown, lb_archive_show(shown_target, target));
	return LB_OK;
}

lb_err lb_archive_failure(struct archive *archive, enum lb_code code, const char *what,
                          struct lb_diag *diag)
{
	const char *why = archive != NULL ? archive_error_string(archive) : NULL;

	if (archive == NULL || archive_errno(archive) == ENOMEM)
		return lb_err_of(LB_E_NOMEM);
	return lb_fail(diag, code, "%s: %s", what, why != NULL ? why : "not a valid archive");
}

lb_err lb_archive_temporary(char **out, struct lb_arena *arena, struct plat *plat,
                            const char *folder, const char *name)
{
	unsigned char chance[8];
	struct lb_bytes path;
	uint64_t number;

	*out = NULL;
	LB_TRY(plat->ops->entropy(chance, plat, sizeof chance));
	memcpy(&number, chance, sizeof number);
	path = lb_arena_format(arena, "%s%s%016llx.tmp", folder, name, (unsigned long long)number);
	if (path.at == NULL)
		return lb_err_of(LB_E_NOMEM);
	*out = (char *)(uintptr_t)path.at;
	return LB_OK;
}
