/* log.c - see log.h.
 *
 * Invariants, under the log's lock:
 *  1. `size` bytes of the file are on the disk; what may stand behind them was never acknowledged.
 *  2. A byte below `size` never changes.
 *  3. Once sealed, `size` never changes.
 */
#include "coordinator/logs/log.h"

#include "base/io/file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { COMPARE_BYTES = 2048 };

struct coord_log {
	struct lb_mem *mem;
	struct plat *plat;
	atomic_uint references;
	pthread_mutex_t lock;
	uint64_t size;
	int file; /* -1: not open yet */
	bool sealed;
	char path[COORD_LOG_PATH_SIZE], folder[COORD_LOG_PATH_SIZE];
};

lb_err coord_log_path(char out[COORD_LOG_PATH_SIZE], const char *folder, struct coord_log_name name)
{
	int len = snprintf(out, COORD_LOG_PATH_SIZE, "%s/%llu/%llu-%llu.log", folder,
	                   (unsigned long long)name.run_id, (unsigned long long)name.job_id,
	                   (unsigned long long)name.attempt);

	return len > 0 && len < COORD_LOG_PATH_SIZE ? LB_OK : lb_err_of(LB_E_LIMIT);
}

/* ---- life ---- */

/* The size without the zero bytes at the end. */
static lb_err written_size(struct coord_log *log)
{
	struct plat *plat = log->plat;
	struct plat_info info;

	LB_TRY(plat->ops->file_info(&info, plat, log->file));
	log->size = info.size;
	while (log->size > 0) {
		unsigned char block[COMPARE_BYTES];
		size_t len = log->size < sizeof block ? (size_t)log->size : sizeof block;
		size_t got = 0;

		LB_TRY(plat->ops->read_at(&got, plat, log->file, block, len, log->size - len));
		if (got != len)
			return lb_err_of(LB_E_IO);
		while (len > 0 && block[len - 1] == 0)
			len--;
		log->size -= got - len;
		if (len > 0)
			break;
	}
	return LB_OK;
}

static lb_err open_existing(struct coord_log *log)
{
	lb_err err = log->plat->ops->open(&log->file, log->plat, log->path,
	                                  PLAT_READ | PLAT_WRITE | PLAT_NOFOLLOW);

	if (lb_code_of(err) == LB_E_NOTFOUND) {
		log->file = -1;
		return LB_OK;
	}
	LB_TRY(err);
	return written_size(log);
}

lb_err coord_log_open(struct coord_log **out, struct lb_mem *mem, struct plat *plat,
                      const char *folder, struct coord_log_name name)
{
	struct coord_log *log = LB_NEW(mem, struct coord_log, 1);
	lb_err err;

	*out = NULL;
	if (log == NULL)
		return lb_err_of(LB_E_NOMEM);
	log->mem = mem;
	log->plat = plat;
	log->file = -1;
	atomic_init(&log->references, 1);
	(void)pthread_mutex_init(&log->lock, NULL);
	err = coord_log_path(log->path, folder, name);
	if (!lb_failed(err)) {
		size_t folder_len = lb_bytes_rfind_byte(lb_bytes_of(log->path), '/');

		memcpy(log->folder, log->path, folder_len);
		err = open_existing(log);
	}
	if (lb_failed(err)) {
		coord_log_decref(log);
		return err;
	}
	*out = log;
	return LB_OK;
}

struct coord_log *coord_log_incref(struct coord_log *log)
{
	(void)atomic_fetch_add(&log->references, 1);
	return log;
}

void coord_log_decref(struct coord_log *log)
{
	if (log == NULL || atomic_fetch_sub(&log->references, 1) > 1)
		return;
	if (log->file >= 0)
		log->plat->ops->close(log->plat, log->file);
	(void)pthread_mutex_destroy(&log->lock);
	LB_DROP(log->mem, log, 1);
}

/* ---- appending ---- */

/* The names of file and folder reach the disk before the first chunk is acknowledged. */
static lb_err make_file(struct coord_log *log)
{
	struct plat *plat = log->plat;
	char root[COORD_LOG_PATH_SIZE] = "";

	memcpy(root, log->folder, lb_bytes_rfind_byte(lb_bytes_of(log->folder), '/'));
	LB_TRY(lb_file_make_folders(plat, log->folder, NULL));
	LB_TRY(plat->ops->sync_folder(plat, root));
	LB_TRY(plat->ops->open(&log->file, plat, log->path,
	                       PLAT_READ | PLAT_WRITE | PLAT_CREATE | PLAT_NOFOLLOW));
	return plat->ops->sync_folder(plat, log->folder);
}

/* Are the bytes from `offset` on those that are stored? */
static lb_err compare(const struct coord_log *log, uint64_t offset, struct lb_bytes bytes)
{
	unsigned char block[COMPARE_BYTES];

	for (size_t done = 0; done < bytes.len;) {
		size_t len = bytes.len - done < sizeof block ? bytes.len - done : sizeof block;
		size_t got = 0, same = 0;

		LB_TRY(log->plat->ops->read_at(&got, log->plat, log->file, block, len,
		                               offset + done));
		while (same < got && block[same] == bytes.at[done + same])
			same++;
		if (same < len)
			return lb_err_at(got == len ? LB_E_MISMATCH : LB_E_IO,
			                 (uintptr_t)(offset + done + same));
		done += len;
	}
	return LB_OK;
}

static lb_err append(struct coord_log *log, uint64_t offset, struct lb_bytes bytes)
{
	struct lb_bytes known, fresh;

	if (log->sealed)
		return lb_err_of(LB_E_STALE);
	if (offset > log->size)
		return lb_err_at(LB_E_RANGE, (uintptr_t)log->size);
	if (bytes.len > COORD_LOG_BYTES_MAX - offset)
		return lb_err_of(LB_E_LIMIT);
	known = lb_bytes_upto(bytes, (size_t)(log->size - offset < bytes.len ? log->size - offset
	                                                                     : bytes.len));
	fresh = lb_bytes_from(bytes, known.len);
	LB_TRY(compare(log, offset, known));
	if (fresh.len == 0)
		return LB_OK;
	if (log->file < 0)
		LB_TRY(make_file(log));
	LB_TRY(log->plat->ops->write_at(log->plat, log->file, fresh.at, fresh.len, log->size));
	LB_TRY(log->plat->ops->sync(log->plat, log->file));
	log->size += fresh.len;
	return LB_OK;
}

lb_err coord_log_append(uint64_t *size, struct coord_log *log, uint64_t offset,
                        struct lb_bytes bytes)
{
	lb_err err;

	(void)pthread_mutex_lock(&log->lock);
	err = append(log, offset, bytes);
	*size = log->size;
	(void)pthread_mutex_unlock(&log->lock);
	return err;
}

uint64_t coord_log_size(struct coord_log *log)
{
	uint64_t size;

	(void)pthread_mutex_lock(&log->lock);
	size = log->size;
	(void)pthread_mutex_unlock(&log->lock);
	return size;
}

uint64_t coord_log_seal(struct coord_log *log)
{
	uint64_t size;

	(void)pthread_mutex_lock(&log->lock);
	log->sealed = true;
	size = log->size;
	(void)pthread_mutex_unlock(&log->lock);
	return size;
}

/* ---- reading ---- */

lb_err coord_log_read(size_t *got, struct plat *plat, const char *path, void *to, size_t len,
                      uint64_t offset)
{
	int file = -1;
	lb_err err = plat->ops->open(&file, plat, path, PLAT_READ | PLAT_NOFOLLOW);

	*got = 0;
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return LB_OK;
	LB_TRY(err);
	err = plat->ops->read_at(got, plat, file, to, len, offset);
	plat->ops->close(plat, file);
	return err;
}
