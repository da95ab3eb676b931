/* need.c - see make_priv.h: programs, their libraries, and files that are named. */
#include "ci-runner/bundle/make_priv.h"

#include "base/io/file.h"

#include <limits.h>
#include <stdlib.h>

/* What every machine has, and what must fit its kernel and its dynamic linker. */
static const char *const system_folders[] = { "/usr/", "/bin/", "/sbin/", "/lib",  "/etc/",
	                                      "/opt/", "/dev/", "/proc/", "/sys/", "/run/" };
static const char *const c_library[] = { "libc.so",    "libm.so",  "libpthread.so", "libdl.so",
	                                 "librt.so",   "ld-linux", "linux-vdso",    "libresolv.so",
	                                 "libutil.so", "ld-musl" };

static bool starts_with_one(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (lb_bytes_starts(lb_bytes_of(text), lb_bytes_of(list[i])))
			return true;
	}
	return false;
}

static bool is_system(const char *path)
{
	return starts_with_one(path, system_folders,
	                       sizeof system_folders / sizeof system_folders[0]);
}

static bool is_in(const struct lb_vec *list, const char *path)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *there = *LB_VEC_AT(list, const char *, i);
		size_t len = strlen(there);

		/* A folder that is there brings what is in it. */
		if (strncmp(there, path, len) == 0 && (path[len] == '\0' || path[len] == '/'))
			return true;
	}
	return false;
}

static lb_err add_to(struct lb_vec *list, const char *path)
{
	const char **item;

	if (is_in(list, path))
		return LB_OK;
	item = lb_vec_add(list);
	if (item == NULL)
		return lb_vec_check(list);
	*item = path;
	return LB_OK;
}

lb_err runner_need_file(struct runner_making *m, const char *path)
{
	char *real = LB_ARENA_NEW(&m->arena, char, PATH_MAX);

	if (real == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (realpath(path, real) == NULL)
		return lb_fail(m->diag, LB_E_NOTFOUND, "%s is not there", path);
	if (is_system(real))
		return LB_OK;
	/* At the path it was asked for as well as where it really is. */
	LB_TRY(add_to(&m->files, real));
	return path[0] == '/' && strcmp(path, real) != 0
	               ? add_to(&m->files, lb_arena_text(&m->arena, lb_bytes_of(path)))
	               : LB_OK;
}

lb_err runner_output_of(struct lb_buf *out, struct runner_making *m, const char *const *argv,
                        const char *const *env, const char *cwd)
{
	lb_buf_reset(out);
	return lb_run_ok(&(struct lb_run){ .argv = argv, .envp = env, .cwd = cwd }, out, m->diag);
}

/* "libx.so.1 => /path/libx.so.1 (0x...)". */
static lb_err take_library(struct runner_making *m, struct lb_bytes line)
{
	size_t arrow = lb_bytes_find(line, LB_B(" => "));
	struct lb_bytes name = lb_bytes_trim(lb_bytes_upto(line, arrow)), path;
	const char *text;

	if (arrow == SIZE_MAX)
		return LB_OK;
	path = lb_bytes_trim(lb_bytes_from(line, arrow + 4));
	if (lb_bytes_starts(path, LB_B("not found")))
		return lb_fail(m->diag, LB_E_NOTFOUND, "the shared library %.*s is not found",
		               LB_FMT(name));
	path = lb_bytes_upto(path, lb_bytes_find(path, LB_B(" (")));
	text = lb_arena_text(&m->arena, name);
	if (text == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (starts_with_one(text, c_library, sizeof c_library / sizeof c_library[0]) ||
	    path.len == 0 || path.at[0] != '/')
		return LB_OK;
	text = lb_arena_text(&m->arena, path);
	return text != NULL ? add_to(&m->libraries, text) : lb_err_of(LB_E_NOMEM);
}

/* A script, or a program without shared libraries, has none. */
static lb_err need_libraries(struct runner_making *m, const char *program)
{
	const char *const argv[] = { "ldd", program, NULL };
	struct lb_bytes rest, line;
	struct plat_exit status;
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, m->mem, 1 << 20);
	err = lb_run(&status, &(struct lb_run){ .argv = argv }, &text, NULL, m->diag);
	rest = lb_buf_bytes(&text);
	while (!lb_failed(err) && rest.len > 0 && lb_bytes_split(&line, &rest, '\n'))
		err = take_library(m, line);
	lb_buf_release(&text);
	return err;
}

lb_err runner_need_command(struct runner_making *m, const char *const *argv)
{
	if (argv[0][0] == '/' && !is_system(argv[0])) {
		bool known = is_in(&m->files, argv[0]);

		LB_TRY(runner_need_file(m, argv[0]));
		if (!known)
			LB_TRY(need_libraries(m, argv[0]));
	}
	for (size_t i = 1; argv[i] != NULL; i++) {
		if (argv[i][0] == '/' && lb_file_exists(m->plat, argv[i]))
			LB_TRY(runner_need_file(m, argv[i]));
	}
	return LB_OK;
}
