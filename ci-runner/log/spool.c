/* spool.c - see spool.h. */
#include "ci-runner/log/spool.h"

enum { REFILL_BYTES = 1024 * 1024 };

void runner_spool_init(struct runner_spool *spool, struct lb_mem *mem, struct plat *plat,
                       const char *path, size_t memory_max)
{
	*spool = (struct runner_spool){
		.plat = plat,
		.path = path,
		.file = -1,
		.memory_max = memory_max != 0 ? memory_max : RUNNER_SPOOL_BYTES_MAX,
	};
	lb_buf_init(&spool->memory, mem, spool->memory_max);
}

static void drop_file(struct runner_spool *spool)
{
	if (spool->file < 0)
		return;
	spool->plat->ops->close(spool->plat, spool->file);
	lb_ignore(spool->plat->ops->remove(spool->plat, spool->path));
	spool->file = -1;
	spool->file_from = spool->file_size = 0;
}

void runner_spool_release(struct runner_spool *spool)
{
	drop_file(spool);
	lb_buf_release(&spool->memory);
}

static lb_err add_to_file(struct runner_spool *spool, struct lb_bytes bytes)
{
	struct plat *plat = spool->plat;

	if (spool->file < 0)
		LB_TRY(plat->ops->open(&spool->file, plat, spool->path,
		                       PLAT_READ | PLAT_WRITE | PLAT_CREATE | PLAT_TRUNCATE |
		                               PLAT_PRIVATE | PLAT_NOFOLLOW));
	/* A write that failed in part is written over by the next. */
	LB_TRY(plat->ops->write_at(plat, spool->file, bytes.at, bytes.len, spool->file_size));
	spool->file_size += bytes.len;
	spool->total += bytes.len;
	return LB_OK;
}

lb_err runner_spool_add(struct runner_spool *spool, struct lb_bytes bytes)
{
	unsigned char *to;

	if (bytes.len == 0)
		return LB_OK;
	if (spool->file >= 0 || spool->memory.len + bytes.len > spool->memory_max)
		return add_to_file(spool, bytes);
	to = lb_buf_reserve(&spool->memory, bytes.len);
	if (to == NULL) {
		spool->memory.failure = LB_OK; /* nothing was written: it can be tried again */
		return add_to_file(spool, bytes);
	}
	memcpy(to, bytes.at, bytes.len);
	spool->memory.len += bytes.len;
	spool->total += bytes.len;
	return LB_OK;
}

/* Take back from the file what has room in the empty memory. */
static lb_err refill(struct runner_spool *spool)
{
	uint64_t left = spool->file_size - spool->file_from;
	size_t want = left < REFILL_BYTES ? (size_t)left : REFILL_BYTES, got = 0;
	unsigned char *to;

	if (want > spool->memory_max)
		want = spool->memory_max;
	to = lb_buf_reserve(&spool->memory, want);
	if (to == NULL) {
		lb_err err = lb_buf_check(&spool->memory);

		spool->memory.failure = LB_OK;
		return err;
	}
	LB_TRY(spool->plat->ops->read_at(&got, spool->plat, spool->file, to, want,
	                                 spool->file_from));
	if (got == 0)
		return lb_err_of(LB_E_IO);
	spool->memory.len += got;
	spool->file_from += got;
	if (spool->file_from == spool->file_size)
		drop_file(spool);
	return LB_OK;
}

lb_err runner_spool_peek(struct lb_buf *out, struct runner_spool *spool, size_t max)
{
	if (spool->memory.len == 0 && spool->file >= 0)
		LB_TRY(refill(spool));
	lb_buf_add(out, lb_bytes_upto(lb_buf_bytes(&spool->memory), max));
	return lb_buf_check(out);
}

lb_err runner_spool_acknowledge(struct runner_spool *spool, uint64_t offset)
{
	if (offset < spool->acknowledged || offset > spool->total)
		return lb_err_of(LB_E_RANGE);
	while (spool->acknowledged < offset) {
		uint64_t step = offset - spool->acknowledged;

		if (spool->memory.len == 0)
			LB_TRY(refill(spool));
		if (step > spool->memory.len)
			step = spool->memory.len;
		lb_buf_consume(&spool->memory, (size_t)step);
		spool->acknowledged += step;
	}
	return LB_OK;
}
