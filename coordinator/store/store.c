/* store.c - opening the store, its version, transactions; see store.h. */
#include "coordinator/store/store_priv.h"

#include <stdio.h>

static const struct {
	unsigned version;
	const char *script;
} migrations[] = {
#define MIGRATION(version_, script_) { (version_), (script_) },
#include "coordinator/store/migrations.def"
#undef MIGRATION
};

enum { MIGRATIONS = sizeof migrations / sizeof migrations[0] };

unsigned coord_store_version(void) { return migrations[MIGRATIONS - 1].version; }

/* ---- the version ---- */

static lb_err read_version(uint64_t *version, struct coord_store *store, struct lb_diag *diag)
{
	struct coord_query query;

	*version = 0;
	LB_TRY(coord_sql_script(
		store->writer,
		"CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL) STRICT;", diag));
	coord_query_begin(&query, store->writer, COORD_SQL_SCHEMA_GET, NULL, 0);
	if (coord_query_next(&query))
		*version = coord_column_number(&query, 0);
	return coord_query_end(&query);
}

/* One step up, wholly or not at all. */
static lb_err migrate_to(struct coord_store *store, unsigned index, struct lb_diag *diag)
{
	lb_err err = coord_store_begin(store);

	if (lb_failed(err))
		return err;
	err = coord_sql_script(store->writer, migrations[index].script, diag);
	if (!lb_failed(err))
		err = COORD_SQL_RUN(store->writer, SCHEMA_SET,
		                    coord_param_number(migrations[index].version));
	if (!lb_failed(err))
		return coord_store_commit(store);
	coord_store_rollback(store);
	return err;
}

static lb_err migrate(struct coord_store *store, struct lb_diag *diag)
{
	uint64_t version;

	LB_TRY(read_version(&version, store, diag));
	if (version > coord_store_version())
		return lb_fail(diag, LB_E_NEWER,
		               "%s: has version %llu, made by a newer Lifeboat; this one knows "
		               "versions up to %u",
		               store->path, (unsigned long long)version, coord_store_version());
	for (unsigned i = 0; i < MIGRATIONS; i++)
		if (migrations[i].version > version)
			LB_TRY(migrate_to(store, i, diag));
	return LB_OK;
}

static lb_err read_changed(struct coord_store *store)
{
	struct coord_query query;

	coord_query_begin(&query, store->writer, COORD_SQL_CHANGED_MAX, NULL, 0);
	if (coord_query_next(&query))
		store->changed = coord_column_number(&query, 0);
	return coord_query_end(&query);
}

/* ---- life ---- */

lb_err coord_store_open(struct coord_store **out, struct lb_mem *mem, struct plat *plat,
                        const char *folder, struct lb_diag *diag)
{
	struct coord_store *store = LB_NEW(mem, struct coord_store, 1);
	lb_err err = LB_OK;

	*out = NULL;
	if (store == NULL)
		return lb_err_of(LB_E_NOMEM);
	store->mem = mem;
	(void)pthread_mutex_init(&store->writing, NULL);
	(void)pthread_mutex_init(&store->reading, NULL);
	if ((size_t)snprintf(store->path, sizeof store->path, "%s/lifeboat.db", folder) >=
	    sizeof store->path)
		err = lb_fail(diag, LB_E_LIMIT, "%s: the path is too long", folder);
	if (!lb_failed(err))
		err = coord_sql_open(&store->writer, mem, store->path, true, diag);
	if (!lb_failed(err))
		err = migrate(store, diag);
	if (!lb_failed(err))
		err = read_changed(store);
	/* The database's own name must survive a loss of power as well. */
	if (!lb_failed(err))
		err = plat->ops->sync_folder(plat, folder);
	if (lb_failed(err)) {
		coord_store_close(store);
		return err;
	}
	*out = store;
	return LB_OK;
}

void coord_store_close(struct coord_store *store)
{
	if (store == NULL)
		return;
	for (unsigned i = 0; i < store->reader_count; i++)
		coord_sql_close(store->readers[i]);
	coord_sql_close(store->writer);
	(void)pthread_mutex_destroy(&store->reading);
	(void)pthread_mutex_destroy(&store->writing);
	LB_DROP(store->mem, store, 1);
}

lb_err coord_store_check(struct coord_store *store, struct lb_diag *diag)
{
	struct coord_query query;
	lb_err err = LB_OK, end;

	coord_query_begin(&query, store->writer, COORD_SQL_CHECK, NULL, 0);
	if (coord_query_next(&query) && !lb_bytes_is(coord_column_text(&query, 0), "ok"))
		err = lb_fail(diag, LB_E_MALFORMED, "%s: %.*s", store->path,
		              LB_FMT(coord_column_text(&query, 0)));
	end = coord_query_end(&query);
	LB_TRY(lb_failed(err) ? err : end);
	coord_query_begin(&query, store->writer, COORD_SQL_CHECK_KEYS, NULL, 0);
	if (coord_query_next(&query))
		err = lb_fail(diag, LB_E_MALFORMED, "%s: row %llu of table %.*s refers to nothing",
		              store->path, (unsigned long long)coord_column_number(&query, 1),
		              LB_FMT(coord_column_text(&query, 0)));
	end = coord_query_end(&query);
	return lb_failed(err) ? err : end;
}

void coord_store_set_address(struct coord_store *store, const char *address)
{
	(void)snprintf(store->address, sizeof store->address, "%s", address);
}

/* ---- transactions ---- */

lb_err coord_store_begin(struct coord_store *store)
{
	lb_err err;

	(void)pthread_mutex_lock(&store->writing);
	err = coord_sql_run(store->writer, COORD_SQL_BEGIN, NULL, 0);
	if (lb_failed(err))
		(void)pthread_mutex_unlock(&store->writing);
	return err;
}

lb_err coord_store_commit(struct coord_store *store)
{
	lb_err err = coord_sql_run(store->writer, COORD_SQL_COMMIT, NULL, 0);

	if (lb_failed(err))
		coord_store_rollback(store);
	else
		(void)pthread_mutex_unlock(&store->writing);
	return err;
}

void coord_store_rollback(struct coord_store *store)
{
	/* SQLite has rolled back by itself after some failures; then this one has nothing to do. */
	lb_ignore(coord_sql_run(store->writer, COORD_SQL_ROLLBACK, NULL, 0));
	(void)pthread_mutex_unlock(&store->writing);
}

/* ---- readers ---- */

static struct coord_sql *idle_reader(struct coord_store *store)
{
	struct coord_sql *reader = NULL;

	(void)pthread_mutex_lock(&store->reading);
	if (store->reader_count > 0)
		reader = store->readers[--store->reader_count];
	(void)pthread_mutex_unlock(&store->reading);
	return reader;
}

lb_err coord_store_begin_read(struct coord_sql **out, struct coord_store *store)
{
	struct coord_sql *reader = idle_reader(store);
	lb_err err;

	*out = NULL;
	if (reader == NULL)
		LB_TRY(coord_sql_open(&reader, store->mem, store->path, false, NULL));
	err = coord_sql_run(reader, COORD_SQL_SNAPSHOT, NULL, 0);
	if (lb_failed(err)) {
		coord_sql_close(reader);
		return err;
	}
	*out = reader;
	return LB_OK;
}

void coord_store_end_read(struct coord_store *store, struct coord_sql *reader)
{
	lb_ignore(coord_sql_run(reader, COORD_SQL_ROLLBACK, NULL, 0));
	(void)pthread_mutex_lock(&store->reading);
	if (store->reader_count < READERS_MAX) {
		store->readers[store->reader_count++] = reader;
		reader = NULL;
	}
	(void)pthread_mutex_unlock(&store->reading);
	coord_sql_close(reader);
}
