/* blobs.c - what is known of artifacts and cache entries; see store.h. */
#include "coordinator/store/store_priv.h"

static struct coord_param number(uint64_t value) { return coord_param_number(value); }
static struct coord_param text(struct lb_bytes value) { return coord_param_text(value); }

lb_err coord_store_add_artifact(uint64_t *id, struct coord_store *store, uint64_t run_id,
                                uint64_t run_attempt, const struct coord_blob *blob, bool replace,
                                uint64_t now_ms)
{
	if (replace)
		LB_TRY(COORD_SQL_RUN(store->writer, ARTIFACT_REMOVE, number(run_id),
		                     number(run_attempt), text(blob->name)));
	LB_TRY(COORD_SQL_RUN(store->writer, ARTIFACT_FORGET, number(run_id), number(run_attempt),
	                     text(blob->name), number(blob->job_id), number(blob->attempt)));
	LB_TRY(COORD_SQL_RUN(store->writer, ARTIFACT_ADD, number(run_id), number(run_attempt),
	                     text(blob->name), number(blob->size), text(blob->sha256),
	                     number(now_ms), number(blob->job_id), number(blob->attempt)));
	*id = coord_sql_last_id(store->writer);
	return LB_OK;
}

lb_err coord_store_add_cache(uint64_t *id, struct coord_store *store, uint64_t repository_id,
                             struct lb_bytes scope, struct lb_bytes version,
                             const struct coord_blob *blob, uint64_t now_ms)
{
	LB_TRY(COORD_SQL_RUN(store->writer, CACHE_ADD, number(repository_id), text(scope),
	                     text(blob->name), text(version), number(blob->size),
	                     text(blob->sha256), number(now_ms)));
	*id = coord_sql_last_id(store->writer);
	return LB_OK;
}
