/* folders.c - see folders.h. */
#include "ci-runner/execute/folders.h"

#include "base/buf.h"
#include "base/io/file.h"
#include "base/io/run.h"

enum { ACCOUNTS_BYTES_MAX = 1024 * 1024 };

char *runner_path(struct lb_arena *arena, const char *folder, const char *name)
{
	return (char *)(uintptr_t)lb_arena_format(arena, "%s/%s", folder, name).at;
}

lb_err runner_folders_name(struct runner_folders *out, struct lb_arena *arena, const char *work,
                           struct lb_bytes repository, struct lb_diag *diag)
{
	size_t slash = lb_bytes_find_byte(repository, '/');
	const char *owner = lb_arena_text(arena, lb_bytes_upto(repository, slash));
	const char *name =
		lb_arena_text(arena,
	                      lb_bytes_from(repository, slash == SIZE_MAX ? SIZE_MAX : slash + 1));

	if (slash == SIZE_MAX || !lb_path_is_inside(repository) || repository.at[0] == '_' ||
	    name == NULL || lb_bytes_find_byte(lb_bytes_of(name), '/') != SIZE_MAX)
		return lb_fail(diag, LB_E_INVALID,
		               "the repository is called '%.*s', expected OWNER/NAME",
		               LB_FMT(repository));
	out->work = work;
	out->owner = runner_path(arena, work, owner);
	out->parent = runner_path(arena, out->owner, name);
	out->workspace = runner_path(arena, out->parent, name);
	out->temp = runner_path(arena, work, "_temp");
	out->tools = runner_path(arena, work, "_tool");
	out->home = runner_path(arena, work, "_home");
	out->tmp = runner_path(arena, work, "_tmp");
	out->commands = runner_path(arena, work, "_commands");
	out->exchange = runner_path(arena, work, "_exchange");
	out->actions = runner_path(arena, work, "_actions");
	out->passwd = runner_path(arena, work, "_passwd");
	out->group = runner_path(arena, work, "_group");
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* The system's accounts without number 1001, and with `line`, which is the sandbox's. */
static lb_err write_accounts(struct lb_mem *mem, struct plat *plat, const char *to,
                             const char *from, const char *line, struct lb_diag *diag)
{
	struct lb_buf text, kept;
	struct lb_bytes rest, one;
	lb_err err;

	lb_buf_init(&text, mem, ACCOUNTS_BYTES_MAX);
	lb_buf_init(&kept, mem, ACCOUNTS_BYTES_MAX + 256);
	err = lb_file_read(&text, plat, from, diag);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		err = LB_OK;
	rest = lb_buf_bytes(&text);
	while (rest.len > 0 && lb_bytes_split(&one, &rest, '\n')) {
		if (one.len == 0 || lb_bytes_find(one, LB_B(":1001:")) != SIZE_MAX)
			continue;
		lb_buf_add(&kept, one);
		lb_buf_add_byte(&kept, '\n');
	}
	lb_buf_add_text(&kept, line);
	if (!lb_failed(err))
		err = lb_buf_check(&kept);
	if (!lb_failed(err))
		err = lb_file_write(plat, to, lb_buf_bytes(&kept), 0, diag);
	lb_buf_release(&kept);
	lb_buf_release(&text);
	return err;
}

/* ---- WORK ---- */

/* The only names that stay in WORK between jobs. */
static bool stays(const char *name)
{
	return strcmp(name, "_lock") == 0 || strcmp(name, "_passwd") == 0 ||
	       strcmp(name, "_group") == 0;
}

struct sweep {
	struct lb_arena *arena;
	struct plat *plat;
	const char *work;
	bool ours; /* a runner prepared it before */
	struct lb_diag *diag;
};

static lb_err remove_one(struct plat *plat, const char *path, struct lb_diag *diag);

/* What a runner that was killed left there.  In a folder that is not ours nothing is removed. */
static lb_err sweep_one(void *ctx, const char *name)
{
	struct sweep *sweep = ctx;
	const char *path;

	if (stays(name))
		return LB_OK;
	if (!sweep->ours)
		return lb_fail(sweep->diag, LB_E_INVALID,
		               "%s holds '%s', which no runner made: a work folder is emptied "
		               "between jobs, so it has to be empty at first",
		               sweep->work, name);
	path = runner_path(sweep->arena, sweep->work, name);
	return path != NULL ? remove_one(sweep->plat, path, sweep->diag) : lb_err_of(LB_E_NOMEM);
}

lb_err runner_folders_prepare(struct lb_mem *mem, struct plat *plat, const char *work,
                              struct lb_diag *diag)
{
	struct lb_arena arena;
	const char *passwd, *group, *line;
	lb_err err = lb_file_make_folders(plat, work, diag);

	lb_arena_init(&arena, mem);
	passwd = runner_path(&arena, work, "_passwd");
	group = runner_path(&arena, work, "_group");
	line = lb_arena_text(
		&arena, lb_arena_format(&arena, "runner:x:1001:1001::%s/_home:/bin/bash\n", work));
	if (!lb_failed(err) && arena.failed)
		err = lb_err_of(LB_E_NOMEM);
	if (!lb_failed(err)) {
		struct sweep sweep = { &arena, plat, work, lb_file_exists(plat, passwd), diag };

		err = plat->ops->list(plat, work, sweep_one, &sweep);
	}
	if (!lb_failed(err))
		err = plat->ops->set_mode(plat, work, 0700);
	if (!lb_failed(err))
		err = write_accounts(mem, plat, passwd, "/etc/passwd", line, diag);
	if (!lb_failed(err))
		err = write_accounts(mem, plat, group, "/etc/group", "runner:x:1001:\n", diag);
	lb_arena_release(&arena);
	return err;
}

/* A job may have taken all permissions from its folders; only root can remove them then. */
static lb_err remove_one(struct plat *plat, const char *path, struct lb_diag *diag)
{
	const char *const argv[] = { "chmod", "-R", "u+rwX", "--", path, NULL };
	lb_err err = lb_file_remove_tree(plat, path, diag);

	if (lb_code_of(err) != LB_E_DENIED)
		return err;
	LB_TRY(lb_run_ok(&(struct lb_run){ .argv = argv, .timeout_ms = 600000 }, NULL, diag));
	return lb_file_remove_tree(plat, path, diag);
}

lb_err runner_folders_remove(struct plat *plat, const struct runner_folders *folders,
                             struct lb_diag *diag)
{
	const char *const all[] = { folders->owner,    folders->temp,   folders->tools,
		                    folders->home,     folders->tmp,    folders->commands,
		                    folders->exchange, folders->actions };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		LB_TRY(remove_one(plat, all[i], diag));
	return LB_OK;
}

static lb_err make(struct plat *plat, const char *path, struct lb_diag *diag)
{
	lb_err err = plat->ops->make_folder(plat, path);

	if (lb_failed(err))
		lb_diag_set(diag, "%s: %s", path, lb_err_text(err));
	return err;
}

lb_err runner_folders_make(struct plat *plat, const struct runner_folders *folders,
                           struct lb_diag *diag)
{
	const char *const all[] = { folders->owner,  folders->parent,   folders->workspace,
		                    folders->temp,   folders->tools,    folders->home,
		                    folders->tmp,    folders->commands, folders->exchange,
		                    folders->actions };

	LB_TRY(runner_folders_remove(plat, folders, diag));
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		LB_TRY(make(plat, all[i], diag));
	/* As /tmp is everywhere; nobody else can reach it, WORK is private. */
	return plat->ops->set_mode(plat, folders->tmp, 01777);
}

/* ---- a tool cache that others filled ---- */

struct seeding {
	struct lb_arena *arena;
	struct plat *plat;
	const char *from, *to;
	unsigned depth; /* of TOOL/VERSION/ARCH */
};

static lb_err seed_one(void *ctx, const char *name)
{
	const struct seeding *outer = ctx;
	struct seeding s = *outer;
	lb_err err;

	s.from = runner_path(s.arena, outer->from, name);
	s.to = runner_path(s.arena, outer->to, name);
	if (s.from == NULL || s.to == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (s.depth == 2)
		return s.plat->ops->make_link(s.plat, s.from, s.to);
	err = s.plat->ops->make_folder(s.plat, s.to);
	s.depth++;
	/* A file beside the folders is nobody's tool. */
	if (!lb_failed(err) &&
	    lb_code_of(s.plat->ops->list(s.plat, s.from, seed_one, &s)) == LB_E_NOMEM)
		err = lb_err_of(LB_E_NOMEM);
	return err;
}

lb_err runner_folders_seed(struct lb_arena *arena, struct plat *plat,
                           const struct runner_folders *folders, const char *tools,
                           struct lb_diag *diag)
{
	struct seeding s = { arena, plat, tools, folders->tools, 0 };
	lb_err err = plat->ops->list(plat, tools, seed_one, &s);

	if (lb_failed(err))
		lb_diag_set(diag, "the tool cache %s: %s", tools, lb_err_text(err));
	return err;
}
