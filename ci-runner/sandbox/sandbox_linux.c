/* sandbox_linux.c - see sandbox.h: what bubblewrap is told.
 *
 * All that it is told travels through a memory file (--args), so that no variable of a job shows
 * in a list of processes, and its own environment is empty, so that none (LD_PRELOAD) changes it.
 */
#include "ci-runner/sandbox/sandbox.h"

#include "base/buf.h"
#include "base/platform/plat.h"
#include "ci-runner/sandbox/process_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ARGS_BYTES_MAX = 16 * 1024 * 1024,
	HIDDEN_MAX = 10000, /* files and folders of /etc and /opt that are not for everyone */
	SCAN_DEPTH_MAX = 6,
	INPUT_BYTES_MAX = 64 * 1024,
	FILTER_BYTES_MAX = 64 * 1024,
	TEXT_BYTES_MAX = 4096,
	LIMITS_MAX = 4
};

/* Shown inside, so that a runner in a job knows where it is. */
static const char marker[] = "/run/lifeboat/sandbox";

/* ---- arguments ---- */

static void arg(struct lb_buf *args, const char *text)
{
	lb_buf_add(args, (struct lb_bytes){ (const unsigned char *)text, strlen(text) + 1 });
}

static void arg2(struct lb_buf *args, const char *option, const char *path)
{
	arg(args, option);
	arg(args, path);
}

static void arg3(struct lb_buf *args, const char *option, const char *from, const char *to)
{
	arg(args, option);
	arg(args, from);
	arg(args, to);
}

/* ---- what others may not read ---- */

static void hide(struct lb_buf *args, const char *path, const struct stat *info)
{
	if (S_ISDIR(info->st_mode))
		arg2(args, "--tmpfs", path);
	else
		arg3(args, "--ro-bind", "/dev/null", path);
}

/* Everything below the folder in sandbox->path that this user can read and the world cannot. */
static lb_err scan(struct runner_sandbox *sandbox, unsigned depth, unsigned *hidden)
{
	char *path = sandbox->path;
	size_t len = strlen(path);
	DIR *folder = opendir(path);
	lb_err err = LB_OK;

	if (folder == NULL)
		return LB_OK; /* what cannot be listed is not there, or shut already */
	for (struct dirent *entry; !lb_failed(err) && (entry = readdir(folder)) != NULL;) {
		struct stat info;
		int added = snprintf(path + len, PATH_MAX - len, "/%s", entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    added < 0 || (size_t)added >= PATH_MAX - len || lstat(path, &info) != 0 ||
		    S_ISLNK(info.st_mode))
			continue;
		if ((info.st_mode & S_IROTH) == 0 && access(path, R_OK) == 0) {
			hide(&sandbox->fixed, path, &info);
			if (++*hidden > HIDDEN_MAX)
				err = lb_err_at(LB_E_LIMIT, HIDDEN_MAX);
		} else if (S_ISDIR(info.st_mode) && depth < SCAN_DEPTH_MAX) {
			err = scan(sandbox, depth + 1, hidden);
		}
	}
	path[len] = '\0';
	(void)closedir(folder);
	return err;
}

static lb_err hide_private(struct runner_sandbox *sandbox, struct lb_diag *diag)
{
	static const char *const tops[] = { "/etc", "/opt" };
	unsigned hidden = 0;

	for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
		(void)snprintf(sandbox->path, sizeof sandbox->path, "%s", tops[i]);
		if (lb_failed(scan(sandbox, 0, &hidden)))
			return lb_fail(diag, LB_E_LIMIT,
			               "more than %d files below /etc and /opt are not for "
			               "everyone to read",
			               HIDDEN_MAX);
	}
	return LB_OK;
}

/* ---- the system, the same for every command ---- */

static void show_system_folder(struct lb_buf *args, const char *path)
{
	char target[256];
	ssize_t len = readlink(path, target, sizeof target - 1);

	if (len > 0) {
		target[len] = '\0';
		arg3(args, "--symlink", target, path);
	} else {
		arg3(args, "--ro-bind-try", path, path);
	}
}

/* Where the list of name servers is a link out of /etc, show what it leads to as well. */
static void show_resolver(struct runner_sandbox *sandbox)
{
	const char *target = realpath("/etc/resolv.conf", sandbox->path);

	if (target != NULL && strncmp(target, "/etc/", 5) != 0)
		arg3(&sandbox->fixed, "--ro-bind-try", target, target);
}

/* To the kernel a step of a root's runner is root, without any capability: that is enough to write
 * the machine's settings (kernel.core_pattern names a program that it starts outside). */
static void show_proc(struct lb_buf *args)
{
	static const char *const fixed[] = { "/proc/sys", "/proc/sysrq-trigger",
		                             "/proc/irq", "/proc/bus",
		                             "/proc/fs",  "/proc/scsi",
		                             "/proc/acpi" };
	static const char *const secret[] = { "/proc/kcore",         "/proc/keys",
		                              "/proc/timer_list",    "/proc/sched_debug",
		                              "/proc/latency_stats", "/proc/kallsyms",
		                              "/proc/vmallocinfo",   "/proc/slabinfo" };

	arg2(args, "--proc", "/proc");
	for (size_t i = 0; geteuid() == 0 && i < sizeof fixed / sizeof fixed[0]; i++)
		arg3(args, "--ro-bind-try", fixed[i], fixed[i]);
	for (size_t i = 0; geteuid() == 0 && i < sizeof secret / sizeof secret[0]; i++) {
		if (access(secret[i], F_OK) == 0)
			arg3(args, "--ro-bind", "/dev/null", secret[i]);
	}
}

static lb_err describe_system(struct runner_sandbox *sandbox, struct lb_diag *diag)
{
	static const char *const folders[] = { "/bin",   "/sbin",  "/lib",
		                               "/lib32", "/lib64", "/libx32" };
	static const char *const shown[] = { "/usr", "/etc", "/opt", "/var/lib/dpkg",
		                             "/var/lib/apt" };
	struct lb_buf *args = &sandbox->fixed;

	arg(args, "--unshare-user");
	arg(args, "--unshare-pid");
	arg(args, "--unshare-ipc");
	arg(args, "--unshare-uts");
	arg(args, "--unshare-cgroup-try");
	arg(args, "--die-with-parent");
	arg2(args, "--uid", "1001");
	arg2(args, "--gid", "1001");
	arg2(args, "--cap-drop", "ALL");
	arg(args, "--clearenv");
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
		arg3(args, "--ro-bind-try", shown[i], shown[i]);
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		show_system_folder(args, folders[i]);
	LB_TRY(hide_private(sandbox, diag));
	arg2(args, "--tmpfs", "/run");
	arg2(args, "--dir", marker);
	arg3(args, "--symlink", "/run", "/var/run");
	arg3(args, "--symlink", "/tmp", "/var/tmp");
	show_resolver(sandbox);
	if (sandbox->shared_proc)
		arg3(args, "--ro-bind", "/proc", "/proc");
	else
		show_proc(args);
	arg2(args, "--dev", "/dev");
	return lb_buf_check(args);
}

/* ---- life ---- */

static bool find_in_path(char out[PATH_MAX], const char *program)
{
	const char *path = plat_getenv("PATH");
	struct lb_bytes rest = lb_bytes_of(path != NULL ? path : "/usr/bin:/bin"), folder;

	while (lb_bytes_split(&folder, &rest, ':')) {
		int len = snprintf(out, PATH_MAX, "%.*s/%s", LB_FMT(folder), program);

		if (folder.len > 0 && folder.at[0] == '/' && len > 0 && len < PATH_MAX &&
		    access(out, X_OK) == 0)
			return true;
	}
	return false;
}

lb_err runner_sandbox_refresh(struct runner_sandbox *sandbox, struct lb_diag *diag)
{
	lb_buf_reset(&sandbox->fixed);
	sandbox->disk.counted = false;
	return describe_system(sandbox, diag);
}

/* Whether something is mounted below /proc: then a new one may be refused. */
static bool proc_is_covered(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[1024];
	bool covered = false;

	while (file != NULL && !covered && fgets(line, sizeof line, file) != NULL)
		covered = strstr(line, " /proc/") != NULL;
	if (file != NULL)
		(void)fclose(file);
	return covered;
}

/* In a container that hides parts of /proc the kernel lets nobody mount another.  The one that is
 * there, read-only, does as well: of processes outside it shows names and command lines, and
 * nothing that could be entered, read or written, for they belong to another user namespace. */
static lb_err share_proc(struct runner_sandbox *sandbox, struct lb_diag *diag)
{
	if (!lb_failed(runner_sandbox_check(sandbox, RUNNER_NETWORK_FULL, NULL)))
		return LB_OK;
	sandbox->shared_proc = true;
	return runner_sandbox_refresh(sandbox, diag);
}

static void describe_groups(struct runner_sandbox *sandbox)
{
	const struct runner_limits *limits = &sandbox->limits;
	const struct runner_groups *groups = &sandbox->groups;
	struct lb_buf *text = &sandbox->text;

	if (limits->memory > 0)
		lb_buf_addf(text, "; %llu MiB of memory%s",
		            (unsigned long long)(limits->memory >> 20),
		            groups->memory ? "" : " for each process");
	if (limits->processes > 0 && (groups->processes || geteuid() != 0))
		lb_buf_addf(text, "; %u processes%s", limits->processes,
		            groups->processes ? "" : " of this user");
	if (limits->cpus > 0 && groups->cpus)
		lb_buf_addf(text, "; %.2g processors", limits->cpus);
	if (limits->disk > 0)
		lb_buf_addf(text, "; %llu MiB on the disk",
		            (unsigned long long)(limits->disk >> 20));
	if (groups->version > 0)
		lb_buf_addf(text, "; held by control groups (version %u)", groups->version);
	else if (limits->memory > 0 || limits->processes > 0)
		lb_buf_add_text(text, "; held by resource limits, for no control group can be made "
		                      "here");
	if (limits->processes > 0 && !groups->processes && geteuid() == 0)
		lb_buf_add_text(text, "; processes are not limited, which takes control groups "
		                      "where the runner is root");
}

static lb_err describe(struct runner_sandbox *sandbox)
{
	struct lb_buf *text = &sandbox->text;

	lb_buf_reset(text);
	lb_buf_addf(text, "bubblewrap, seccomp%s%s",
	            sandbox->scoped ? ", Landlock"
	                            : " (no Landlock 6: under the network policy full, abstract "
	                              "sockets of this machine can be reached)",
	            sandbox->shared_proc ? "; no new /proc may be mounted here, so steps see the "
	                                   "names and command lines of processes around them"
	                                 : "");
	describe_groups(sandbox);
	return lb_buf_check(text);
}

const char *runner_sandbox_text(const struct runner_sandbox *sandbox)
{
	return lb_buf_text(&sandbox->text);
}

lb_err runner_sandbox_limit(struct runner_sandbox *sandbox, const struct runner_limits *limits,
                            struct lb_diag *diag)
{
	runner_groups_remove(&sandbox->groups);
	sandbox->limits = *limits;
	LB_TRY(runner_groups_make(&sandbox->groups, sandbox->mem, limits, NULL));
	if (limits->cpus > 0 && !sandbox->groups.cpus)
		return lb_fail(
			diag, LB_E_UNSUPPORTED,
			"processors cannot be limited here: that takes a control group with "
			"the cpu controller that this process may make (run as root, or as a "
			"systemd service with Delegate=yes)");
	return describe(sandbox);
}

lb_err runner_sandbox_new(struct runner_sandbox **out, struct lb_mem *mem,
                          const char *const *exposes, struct lb_diag *diag)
{
	struct runner_sandbox *sandbox = LB_NEW(mem, struct runner_sandbox, 1);
	lb_err err = LB_OK;

	*out = NULL;
	if (sandbox == NULL)
		return lb_err_of(LB_E_NOMEM);
	sandbox->mem = mem;
	sandbox->exposes = exposes;
	sandbox->shared_proc = access(marker, F_OK) == 0;
	sandbox->groups.events = -1;
	(void)pthread_mutex_init(&sandbox->disk.lock, NULL);
	lb_buf_init(&sandbox->text, mem, TEXT_BYTES_MAX);
	sandbox->scoped = plat_can_scope();
	lb_buf_init(&sandbox->fixed, mem, ARGS_BYTES_MAX);
	if (!find_in_path(sandbox->bwrap, "bwrap"))
		err = lb_fail(diag, LB_E_UNSUPPORTED,
		              "bubblewrap (bwrap) is not in PATH: steps cannot be isolated, and "
		              "are never run without that");
	lb_buf_init(&sandbox->filter, mem, FILTER_BYTES_MAX);
	if (!lb_failed(err)) {
		err = runner_seccomp_program(&sandbox->filter);
		if (lb_failed(err))
			lb_diag_set(diag, "no filter of system calls can be made: %s",
			            lb_err_text(err));
	}
	if (!lb_failed(err))
		err = runner_sandbox_refresh(sandbox, diag);
	if (!lb_failed(err) && !sandbox->shared_proc && proc_is_covered())
		err = share_proc(sandbox, diag);
	if (!lb_failed(err))
		err = describe(sandbox);
	if (lb_failed(err)) {
		runner_sandbox_free(sandbox);
		return err;
	}
	*out = sandbox;
	return LB_OK;
}

void runner_sandbox_free(struct runner_sandbox *sandbox)
{
	if (sandbox == NULL)
		return;
	runner_groups_remove(&sandbox->groups);
	(void)pthread_mutex_destroy(&sandbox->disk.lock);
	lb_buf_release(&sandbox->text);
	lb_buf_release(&sandbox->filter);
	lb_buf_release(&sandbox->fixed);
	LB_DROP(sandbox->mem, sandbox, 1);
}

/* ---- one command ---- */

static void show_each(struct lb_buf *args, const char *option, const char *const *paths)
{
	for (; paths != NULL && *paths != NULL; paths++)
		arg3(args, option, *paths, *paths);
}

static void show_elsewhere(struct lb_buf *args, const char *option, const struct runner_show *at)
{
	for (; at != NULL && at->from != NULL; at++)
		arg3(args, option, at->from, at->to);
}

static void set_each(struct lb_buf *args, const char *const *env)
{
	for (; env != NULL && *env != NULL; env++) {
		struct lb_bytes rest = lb_bytes_of(*env), name;

		(void)lb_bytes_split(&name, &rest, '=');
		arg(args, "--setenv");
		lb_buf_add(args, name);
		lb_buf_add_byte(args, '\0');
		arg(args, *env + name.len + 1);
	}
}

/* Memory that looks like a disk, where no group counts it. */
static void show_memory(struct lb_buf *args, const struct runner_sandbox *sandbox, const char *path)
{
	if (sandbox->limits.memory > 0 && !sandbox->groups.memory) {
		arg(args, "--size");
		lb_buf_addf(args, "%llu", (unsigned long long)sandbox->limits.memory);
		lb_buf_add_byte(args, '\0');
	}
	arg2(args, "--tmpfs", path);
}

static void describe_command(struct lb_buf *args, const struct runner_sandbox *sandbox,
                             const struct runner_command *how)
{
	lb_buf_add(args, lb_buf_bytes(&sandbox->fixed));
	if (!how->terminal)
		arg(args, "--new-session"); /* no command pushes input into our terminal */
	if (how->net == NULL && how->network != RUNNER_NETWORK_FULL)
		arg(args, "--unshare-net");
	if (how->net != NULL && how->net->hosts != NULL)
		arg3(args, "--ro-bind", how->net->hosts, "/etc/hosts");
	if (how->tmp != NULL)
		arg3(args, "--bind", how->tmp, "/tmp");
	else
		show_memory(args, sandbox, "/tmp");
	if (sandbox->limits.memory > 0 && !sandbox->groups.memory)
		show_memory(args, sandbox, "/dev/shm");
	if (how->passwd != NULL)
		arg3(args, "--ro-bind", how->passwd, "/etc/passwd");
	if (how->group != NULL)
		arg3(args, "--ro-bind", how->group, "/etc/group");
	if (how->helper != NULL)
		arg3(args, "--ro-bind", how->helper, RUNNER_HELPER_PATH);
	show_each(args, "--ro-bind", sandbox->exposes);
	show_each(args, "--bind", how->writable);
	show_each(args, "--ro-bind", how->readable);
	show_elsewhere(args, "--bind", how->bases);
	show_elsewhere(args, "--ro-bind", how->shown);
	arg2(args, "--remount-ro", "/");
	set_each(args, how->env);
	arg2(args, "--chdir", how->cwd != NULL ? how->cwd : "/");
	arg2(args, "--json-status-fd", "3");
	arg2(args, "--seccomp", "5");
}

/* A file in memory that holds these bytes, at its beginning. */
static lb_err memory_file(int *out, const char *name, struct lb_bytes bytes)
{
	int file = memfd_create(name, MFD_CLOEXEC);

	if (file < 0)
		return lb_err_errno(errno);
	for (size_t done = 0; done < bytes.len;) {
		ssize_t wrote = write(file, bytes.at + done, bytes.len - done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0) {
			lb_err err = lb_err_errno(errno);

			(void)close(file);
			return err;
		}
		done += (size_t)wrote;
	}
	(void)lseek(file, 0, SEEK_SET);
	*out = file;
	return LB_OK;
}

static void close_if(int *file)
{
	if (*file >= 0)
		(void)close(*file);
	*file = -1;
}

/* The descriptors that bubblewrap reads and writes. */
struct papers {
	int args, filter, in, to, status;
};

/* Where no group holds them. */
static size_t list_limits(struct plat_limit out[LIMITS_MAX], const struct runner_sandbox *sandbox)
{
	const struct runner_limits *limits = &sandbox->limits;
	size_t count = 0;

	out[count++] = (struct plat_limit){ PLAT_LIMIT_CORE, 0 };
	if (limits->disk > 0)
		out[count++] = (struct plat_limit){ PLAT_LIMIT_FILE_SIZE, limits->disk };
	if (limits->memory > 0 && !sandbox->groups.memory)
		out[count++] = (struct plat_limit){ PLAT_LIMIT_DATA, limits->memory };
	if (limits->processes > 0 && !sandbox->groups.processes)
		out[count++] = (struct plat_limit){ PLAT_LIMIT_PROCESSES, limits->processes };
	return count;
}

static lb_err spawn(struct runner_process *out, const struct runner_sandbox *sandbox,
                    const struct runner_command *how, const struct papers *papers)
{
	enum { WORDS_MAX = 256 };
	static const char *const no_env[] = { NULL };
	const char *words[WORDS_MAX + 6] = { sandbox->bwrap, "--args", "4", "--" };
	struct plat_fd fds[] = { { papers->status, 3 },
		                 { papers->args, 4 },
		                 { papers->filter, 5 } };
	struct plat_limit limits[LIMITS_MAX];
	size_t count = 4;

	for (size_t i = 0; how->argv[i] != NULL; i++) {
		if (i >= WORDS_MAX)
			return lb_err_at(LB_E_LIMIT, WORDS_MAX);
		words[count++] = how->argv[i];
	}
	words[count] = NULL;
	return plat_spawn(&out->outer,
	                  &(struct plat_spawn){
				  .argv = words,
				  .envp = no_env,
				  .cwd = "/",
				  .in = how->streams ? how->in : papers->in,
				  .out = how->streams ? how->out : papers->to,
				  .err = how->streams ? how->err : papers->to,
				  .fds = fds,
				  .fd_count = 3,
				  .same_group = how->terminal,
				  .die_with_parent = true,
				  .network = how->net != NULL && how->net->network.net >= 0
	                                             ? &how->net->network
	                                             : NULL,
				  .limits = limits,
				  .limit_count = list_limits(limits, sandbox),
				  .groups = sandbox->groups.files,
				  .group_count = sandbox->groups.count,
				  .expendable = true,
				  .scoped = sandbox->scoped,
			  });
}

static lb_err write_papers(struct papers *papers, const struct runner_sandbox *sandbox,
                           const struct runner_command *how)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, sandbox->mem, ARGS_BYTES_MAX);
	describe_command(&text, sandbox, how);
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = memory_file(&papers->args, "sandbox", lb_buf_bytes(&text));
	lb_buf_release(&text);
	LB_TRY(err);
	LB_TRY(memory_file(&papers->filter, "filter", lb_buf_bytes(&sandbox->filter)));
	if (how->streams || how->input.len == 0)
		return LB_OK;
	if (how->input.len > INPUT_BYTES_MAX)
		return lb_err_at(LB_E_LIMIT, INPUT_BYTES_MAX);
	return memory_file(&papers->in, "input", how->input);
}

static lb_err open_ends(struct runner_process *out, struct papers *papers, bool streams)
{
	if (!streams) {
		out->part = LB_NEW(out->mem, unsigned char, RUNNER_PART_BYTES);
		if (out->part == NULL)
			return lb_err_of(LB_E_NOMEM);
		LB_TRY(plat_pipe(&out->output, &papers->to));
	}
	return plat_pipe(&out->status, &papers->status);
}

lb_err runner_process_start(struct runner_process *out, struct runner_sandbox *sandbox,
                            const struct runner_command *how, struct lb_diag *diag)
{
	struct papers papers = { -1, -1, -1, -1, -1 };
	lb_err err;

	*out = (struct runner_process){ .output = -1,
		                        .status = -1,
		                        .inner_fd = -1,
		                        .sandbox = sandbox,
		                        .writable = how->writable,
		                        .tmp = how->tmp,
		                        .kills = runner_groups_kills(&sandbox->groups),
		                        .mem = sandbox->mem };
	err = write_papers(&papers, sandbox, how);
	if (!lb_failed(err))
		err = open_ends(out, &papers, how->streams);
	if (!lb_failed(err))
		err = spawn(out, sandbox, how, &papers);
	if (lb_failed(err)) {
		lb_diag_set(diag, "the sandbox cannot be started: %s", lb_err_text(err));
		close_if(&out->output);
		close_if(&out->status);
		LB_DROP(out->mem, out->part, RUNNER_PART_BYTES);
		out->part = NULL;
	}
	close_if(&papers.args);
	close_if(&papers.filter);
	close_if(&papers.in);
	close_if(&papers.to);
	close_if(&papers.status);
	return err;
}

/* ---- can it be enforced? ---- */

struct words {
	char text[512];
	size_t len;
};

static void keep_words(void *ctx, struct lb_bytes part)
{
	struct words *words = ctx;
	size_t room = sizeof words->text - 1 - words->len;

	if (part.len > room)
		part.len = room;
	memcpy(words->text + words->len, part.at, part.len);
	words->len += part.len;
	words->text[words->len] = '\0';
}

lb_err runner_sandbox_check(struct runner_sandbox *sandbox, enum runner_network network,
                            struct lb_diag *diag)
{
	static const char *const argv[] = { "/bin/true", NULL };
	struct words words = { .len = 0 };
	struct runner_process process;
	struct runner_end end;
	lb_err err;

	words.text[0] = '\0';
	LB_TRY(runner_process_start(&process, sandbox,
	                            &(struct runner_command){ .argv = argv, .network = network },
	                            diag));
	err = runner_process_watch(&end, &process,
	                           &(struct runner_watch){
					   .output = keep_words,
					   .ctx = &words,
					   .deadline_ns = plat_host.ops->now_ns(&plat_host) +
	                                                  UINT64_C(20000000000) },
	                           diag);
	if (!lb_failed(err) && (end.how != RUNNER_EXITED || end.status != 0))
		err = lb_err_of(LB_E_UNSUPPORTED);
	if (lb_code_of(err) == LB_E_UNSUPPORTED)
		lb_diag_set(diag,
		            "steps cannot be isolated on this machine%s, and are never run "
		            "without that: %s",
		            network == RUNNER_NETWORK_NONE ? " without network" : "",
		            words.len > 0 ? words.text : "bubblewrap ended without a word");
	return err;
}
