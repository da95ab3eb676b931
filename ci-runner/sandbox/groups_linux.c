/* groups_linux.c - see groups_priv.h.
 *
 * Version 2 has one tree.  A group there may hand controllers to groups below it only while no
 * process is in it, so this process goes into a leaf of its own first, which it may where nobody
 * else is in its group (a systemd unit with Delegate=).  Version 1 has a tree for each
 * controller, where nothing is in the way but permission.
 */
#include "ci-runner/sandbox/groups_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_BYTES = 32768, CPU_PERIOD_US = 100000, REMOVE_TRIES = 50 };

struct making {
	struct runner_groups *out;
	const struct runner_limits *limits;
	const char *root;
	char own[TEXT_BYTES], mounts[TEXT_BYTES]; /* /proc/self/cgroup, mountinfo */
};

/* ---- files ---- */

static size_t read_text(char *to, size_t size, const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got = 0;

	while (file >= 0 && len + 1 < size && (got = read(file, to + len, size - 1 - len)) > 0)
		len += (size_t)got;
	to[len] = '\0';
	if (file >= 0)
		(void)close(file);
	return len;
}

/* The kernel makes the file with its folder; O_CREAT lets a plain folder stand for one. */
static int open_in(const char *folder, const char *name, int how)
{
	char path[RUNNER_GROUP_PATH_BYTES + 64];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return open(path, how | O_CLOEXEC | O_CREAT, 0600);
}

static bool put(const char *folder, const char *name, const char *text)
{
	int file = open_in(folder, name, O_WRONLY);
	bool done = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	if (file >= 0)
		(void)close(file);
	return done;
}

static bool put_number(const char *folder, const char *name, uint64_t number)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	return put(folder, name, text);
}

/* ---- where groups are ---- */

static bool has_word(struct lb_bytes list, const char *word, unsigned char sep)
{
	struct lb_bytes one;

	while (lb_bytes_split(&one, &list, sep)) {
		if (lb_bytes_is(lb_bytes_trim(one), word))
			return true;
	}
	return false;
}

/* The path behind "N:controllers:" of /proc/self/cgroup; NULL controller: that of version 2. */
static struct lb_bytes own_path(const struct making *m, const char *controller)
{
	struct lb_bytes rest = lb_bytes_of(m->own), line;

	while (lb_bytes_split(&line, &rest, '\n')) {
		struct lb_bytes number, list;

		if (!lb_bytes_split(&number, &line, ':') || !lb_bytes_split(&list, &line, ':'))
			continue;
		if (controller == NULL ? list.len == 0 && lb_bytes_is(number, "0")
		                       : has_word(list, controller, ','))
			return line;
	}
	return (struct lb_bytes){ 0 };
}

/* The n-th blank-parted word. */
static struct lb_bytes word_at(struct lb_bytes line, size_t n)
{
	struct lb_bytes word = { 0 };

	for (size_t i = 0; i <= n; i++) {
		if (!lb_bytes_split(&word, &line, ' '))
			return (struct lb_bytes){ 0 };
	}
	return word;
}

/* The folder of this process's own group: where the tree is mounted, and the path in it less
 * what the mount leaves out. */
static bool own_folder(char out[RUNNER_GROUP_PATH_BYTES], const struct making *m,
                       const char *controller)
{
	struct lb_bytes path = own_path(m, controller), rest = lb_bytes_of(m->mounts), line;

	while (path.len > 0 && lb_bytes_split(&line, &rest, '\n')) {
		size_t dash = lb_bytes_find(line, LB_B(" - "));
		struct lb_bytes kind = lb_bytes_from(line, dash == SIZE_MAX ? SIZE_MAX : dash + 3);
		struct lb_bytes top = word_at(line, 3), at = word_at(line, 4);
		int len;

		if (!lb_bytes_is(word_at(kind, 0), controller == NULL ? "cgroup2" : "cgroup") ||
		    (controller != NULL && !has_word(word_at(kind, 2), controller, ',')))
			continue;
		if (!lb_bytes_is(top, "/") && lb_bytes_starts(path, top))
			path = lb_bytes_from(path, top.len);
		if (lb_bytes_is(path, "/"))
			path.len = 0;
		len = snprintf(out, RUNNER_GROUP_PATH_BYTES, "%s%.*s%.*s", m->root, LB_FMT(at),
		               LB_FMT(path));
		return len > 0 && len < RUNNER_GROUP_PATH_BYTES - 64;
	}
	return false;
}

/* ---- making ---- */

/* What a runner that was killed left: groups named after processes that are gone. */
static void sweep(const char *parent)
{
	DIR *folder = opendir(parent);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		int pid;

		if (sscanf(entry->d_name, "lifeboat-%d-", &pid) == 1 && kill(pid, 0) != 0 &&
		    errno == ESRCH)
			(void)unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
	}
	if (folder != NULL)
		(void)closedir(folder);
}

/* A group of ours below `parent`, the next in line. */
static char *make_below(struct runner_groups *out, const char *parent)
{
	static _Atomic unsigned number;
	char *folder = out->folders[out->count];
	int len;

	sweep(parent);
	len = snprintf(folder, RUNNER_GROUP_PATH_BYTES, "%s/lifeboat-%d-%u", parent, (int)getpid(),
	               number++);
	if (len >= RUNNER_GROUP_PATH_BYTES || mkdir(folder, 0755) != 0)
		return NULL;
	return folder;
}

static bool keep(struct runner_groups *out)
{
	int file = open_in(out->folders[out->count], "cgroup.procs", O_WRONLY);

	if (file < 0) {
		(void)rmdir(out->folders[out->count]);
		return false;
	}
	out->files[out->count++] = file;
	return true;
}

/* ---- version 2 ---- */

static bool hand_down(const char *folder, const char *controller)
{
	char text[32];

	(void)snprintf(text, sizeof text, "+%s", controller);
	return put(folder, "cgroup.subtree_control", text);
}

/* Into a leaf, if nobody else is in the group. */
static bool step_aside(const char *folder)
{
	char path[RUNNER_GROUP_PATH_BYTES + 64], text[256], number[32];

	(void)snprintf(path, sizeof path, "%s/cgroup.procs", folder);
	(void)read_text(text, sizeof text, path);
	(void)snprintf(number, sizeof number, "%d", (int)getpid());
	if (!lb_bytes_is(lb_bytes_trim(lb_bytes_of(text)), number))
		return false;
	(void)snprintf(path, sizeof path, "%s/lifeboat-runner", folder);
	return (mkdir(path, 0755) == 0 || errno == EEXIST) && put(path, "cgroup.procs", number);
}

static void limit_two(struct making *m, const char *folder)
{
	const struct runner_limits *limits = m->limits;
	char text[64];

	if (limits->memory > 0 && put_number(folder, "memory.max", limits->memory)) {
		m->out->memory = true;
		(void)put(folder, "memory.swap.max", "0");
		m->out->events = open_in(folder, "memory.events", O_RDONLY);
	}
	if (limits->processes > 0)
		m->out->processes = put_number(folder, "pids.max", limits->processes);
	if (limits->cpus > 0) {
		(void)snprintf(text, sizeof text, "%llu %d",
		               (unsigned long long)(limits->cpus * CPU_PERIOD_US), CPU_PERIOD_US);
		m->out->cpus = put(folder, "cpu.max", text);
	}
}

static bool offers(const char *folder, const char *controller)
{
	char path[RUNNER_GROUP_PATH_BYTES + 64], text[512];

	(void)snprintf(path, sizeof path, "%s/cgroup.controllers", folder);
	(void)read_text(text, sizeof text, path);
	return has_word(lb_bytes_trim(lb_bytes_of(text)), controller, ' ');
}

static void make_two(struct making *m)
{
	static const char *const controllers[] = { "memory", "pids", "cpu" };
	char parent[RUNNER_GROUP_PATH_BYTES];
	const char *folder;

	if (!own_folder(parent, m, NULL) || !offers(parent, "memory") || !offers(parent, "pids"))
		return;
	for (size_t i = 0; i < 3; i++) {
		if (!hand_down(parent, controllers[i]) &&
		    (!step_aside(parent) || !hand_down(parent, controllers[i])) && i < 2)
			return;
	}
	folder = make_below(m->out, parent);
	if (folder == NULL)
		return;
	limit_two(m, folder);
	if (keep(m->out))
		m->out->version = 2;
}

/* ---- version 1 ---- */

static bool limit_one(struct making *m, const char *controller, const char *folder)
{
	const struct runner_limits *limits = m->limits;

	if (strcmp(controller, "memory") == 0) {
		/* With swap, where that is counted; it may not be below memory alone. */
		if (!put_number(folder, "memory.limit_in_bytes", limits->memory))
			return false;
		(void)put_number(folder, "memory.memsw.limit_in_bytes", limits->memory);
		m->out->events = open_in(folder, "memory.oom_control", O_RDONLY);
		return m->out->memory = true;
	}
	if (strcmp(controller, "pids") == 0)
		return m->out->processes = put_number(folder, "pids.max", limits->processes);
	return m->out->cpus = put_number(folder, "cpu.cfs_period_us", CPU_PERIOD_US) &&
	                      put_number(folder, "cpu.cfs_quota_us",
	                                 (uint64_t)(limits->cpus * CPU_PERIOD_US));
}

static void make_one(struct making *m, const char *controller)
{
	char parent[RUNNER_GROUP_PATH_BYTES];
	const char *folder;

	if (!own_folder(parent, m, controller))
		return;
	folder = make_below(m->out, parent);
	if (folder == NULL)
		return;
	if (!limit_one(m, controller, folder))
		(void)rmdir(folder);
	else if (keep(m->out))
		m->out->version = 1;
}

static void make_all(struct making *m)
{
	char path[RUNNER_GROUP_PATH_BYTES];

	(void)snprintf(path, sizeof path, "%s/proc/self/cgroup", m->root);
	(void)read_text(m->own, sizeof m->own, path);
	(void)snprintf(path, sizeof path, "%s/proc/self/mountinfo", m->root);
	(void)read_text(m->mounts, sizeof m->mounts, path);
	make_two(m);
	if (m->out->version == 2)
		return;
	if (m->limits->memory > 0)
		make_one(m, "memory");
	if (m->limits->processes > 0)
		make_one(m, "pids");
	if (m->limits->cpus > 0)
		make_one(m, "cpu");
}

lb_err runner_groups_make(struct runner_groups *out, struct lb_mem *mem,
                          const struct runner_limits *limits, const char *root)
{
	struct making *m = LB_NEW(mem, struct making, 1);

	*out = (struct runner_groups){ .events = -1 };
	if (m == NULL)
		return lb_err_of(LB_E_NOMEM);
	m->out = out;
	m->limits = limits;
	m->root = root != NULL ? root : "";
	make_all(m);
	LB_DROP(mem, m, 1);
	return LB_OK;
}

/* ---- later ---- */

uint64_t runner_groups_kills(const struct runner_groups *groups)
{
	char text[1024];
	ssize_t len = groups->events < 0 ? -1 : pread(groups->events, text, sizeof text - 1, 0);
	struct lb_bytes rest = { (const unsigned char *)text, len > 0 ? (size_t)len : 0 }, line;
	uint64_t count = 0;

	while (rest.len > 0 && lb_bytes_split(&line, &rest, '\n')) {
		if (lb_bytes_starts(line, LB_B("oom_kill ")))
			lb_ignore(lb_bytes_u64(&count, lb_bytes_from(line, 9), UINT64_MAX));
	}
	return count;
}

/* Busy until the last process in it has been reaped. */
static void remove_group(const char *folder)
{
	(void)put(folder, "cgroup.kill", "1");
	for (int i = 0; i < REMOVE_TRIES && rmdir(folder) != 0 && errno == EBUSY; i++)
		(void)usleep(2000);
}

void runner_groups_remove(struct runner_groups *groups)
{
	if (groups->events >= 0)
		(void)close(groups->events);
	for (size_t i = 0; i < groups->count; i++) {
		(void)close(groups->files[i]);
		remove_group(groups->folders[i]);
	}
	*groups = (struct runner_groups){ .events = -1 };
}
