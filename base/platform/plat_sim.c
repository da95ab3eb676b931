/* plat_sim.c - see plat.h: the real disk, with a clock and faults of its own. */
#include "base/platform/plat.h"

enum { READING_TAKES_NS = 1000 };
static const uint64_t wall_start_ns = 1767225600000000000; /* 2026-01-01 */

static struct plat_sim *sim_of(struct plat *self)
{
	return (struct plat_sim *)self; /* plat is its first member */
}

static uint64_t next(struct plat_sim *sim)
{
	uint64_t z = sim->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Is this call to fail?  `grows`: it needs room on the disk. */
static bool fault(struct plat_sim *sim, bool grows)
{
	bool now = ++sim->calls == sim->fail_at ||
	           (sim->fault_in != 0 && next(sim) % sim->fault_in == 0);

	if (now)
		sim->failed = true;
	return now || (grows && sim->sticky && sim->failed);
}

/* The body of an operation: fail, or let the host do it. */
#define PASS(self, grows, op, ...) \
	(fault(sim_of(self), (grows)) ? lb_err_of(sim_of(self)->fault) \
	                              : plat_host.ops->op(__VA_ARGS__))

static uint64_t sim_now_ns(struct plat *self) { return sim_of(self)->now += READING_TAKES_NS; }

static uint64_t sim_wall_ns(struct plat *self) { return wall_start_ns + sim_now_ns(self); }

static void sim_sleep_ns(struct plat *self, uint64_t ns) { sim_of(self)->now += ns; }

static lb_err sim_entropy(void *out, struct plat *self, size_t len)
{
	if (fault(sim_of(self), false))
		return lb_err_of(sim_of(self)->fault);
	for (size_t i = 0; i < len; i++)
		((unsigned char *)out)[i] = (unsigned char)next(sim_of(self));
	return LB_OK;
}

static lb_err sim_open(int *file, struct plat *self, const char *path, unsigned flags)
{
	*file = -1;
	return PASS(self, (flags & PLAT_CREATE) != 0, open, file, &plat_host, path, flags);
}

static void sim_close(struct plat *self, int file)
{
	(void)self;
	plat_host.ops->close(&plat_host, file);
}

static lb_err sim_read_at(size_t *got, struct plat *self, int file, void *to, size_t len,
                          uint64_t offset)
{
	*got = 0;
	return PASS(self, false, read_at, got, &plat_host, file, to, len, offset);
}

static lb_err sim_write_at(struct plat *self, int file, const void *from, size_t len,
                           uint64_t offset)
{
	if (!fault(sim_of(self), true))
		return plat_host.ops->write_at(&plat_host, file, from, len, offset);
	lb_ignore(plat_host.ops->write_at(&plat_host, file, from, len / 2, offset));
	return lb_err_of(sim_of(self)->fault);
}

static lb_err sim_sync(struct plat *self, int file)
{
	return PASS(self, true, sync, &plat_host, file);
}

static lb_err sim_truncate(struct plat *self, int file, uint64_t size)
{
	return PASS(self, true, truncate, &plat_host, file, size);
}

static lb_err sim_info(struct plat_info *out, struct plat *self, const char *path)
{
	*out = (struct plat_info){ 0 };
	return PASS(self, false, info, out, &plat_host, path);
}

static lb_err sim_file_info(struct plat_info *out, struct plat *self, int file)
{
	*out = (struct plat_info){ 0 };
	return PASS(self, false, file_info, out, &plat_host, file);
}

static lb_err sim_rename(struct plat *self, const char *from, const char *to)
{
	return PASS(self, true, rename, &plat_host, from, to);
}

static lb_err sim_link(struct plat *self, const char *from, const char *to)
{
	return PASS(self, true, link, &plat_host, from, to);
}

static lb_err sim_remove(struct plat *self, const char *path)
{
	return PASS(self, false, remove, &plat_host, path);
}

static lb_err sim_remove_tree(struct plat *self, const char *path)
{
	return PASS(self, false, remove_tree, &plat_host, path);
}

static lb_err sim_make_folder(struct plat *self, const char *path)
{
	return PASS(self, true, make_folder, &plat_host, path);
}

static lb_err sim_sync_folder(struct plat *self, const char *path)
{
	return PASS(self, true, sync_folder, &plat_host, path);
}

static lb_err sim_list(struct plat *self, const char *path,
                       lb_err (*each)(void *ctx, const char *name), void *ctx)
{
	return PASS(self, false, list, &plat_host, path, each, ctx);
}

static lb_err sim_set_mode(struct plat *self, const char *path, uint32_t mode)
{
	return PASS(self, false, set_mode, &plat_host, path, mode);
}

static lb_err sim_make_link(struct plat *self, const char *target, const char *path)
{
	return PASS(self, true, make_link, &plat_host, target, path);
}

static lb_err sim_read_link(size_t *len, struct plat *self, const char *path, char *to, size_t size)
{
	*len = 0;
	return PASS(self, false, read_link, len, &plat_host, path, to, size);
}

static const struct plat_ops sim_ops = {
	.name = "sim",
	.now_ns = sim_now_ns,
	.wall_ns = sim_wall_ns,
	.sleep_ns = sim_sleep_ns,
	.entropy = sim_entropy,
	.open = sim_open,
	.close = sim_close,
	.read_at = sim_read_at,
	.write_at = sim_write_at,
	.sync = sim_sync,
	.truncate = sim_truncate,
	.info = sim_info,
	.file_info = sim_file_info,
	.rename = sim_rename,
	.link = sim_link,
	.remove = sim_remove,
	.remove_tree = sim_remove_tree,
	.make_folder = sim_make_folder,
	.sync_folder = sim_sync_folder,
	.list = sim_list,
	.set_mode = sim_set_mode,
	.make_link = sim_make_link,
	.read_link = sim_read_link,
};

void plat_sim_init(struct plat_sim *sim, uint64_t seed)
{
	*sim = (struct plat_sim){ .plat = { &sim_ops }, .state = seed, .fault = LB_E_IO };
}
