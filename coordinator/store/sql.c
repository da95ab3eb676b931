/* sql.c - see sql_priv.h. */
#include "coordinator/store/sql_priv.h"

#include <sqlite3.h>

enum { BUSY_WAIT_MS = 5000 };

struct coord_sql {
	struct lb_mem *mem;
	struct sqlite3 *handle;
	struct sqlite3_stmt *prepared[COORD_STATEMENT_COUNT];
};

static const char *const texts[COORD_STATEMENT_COUNT] = {
#define STATEMENT(name, text) [COORD_SQL_##name] = (text),
#include "coordinator/store/statements.def"
#undef STATEMENT
};

static lb_err from_sqlite(const struct coord_sql *sql, int status)
{
	/* Extended codes keep the primary one in the low byte. */
	switch (status & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return LB_OK;
	case SQLITE_NOMEM: return lb_err_of(LB_E_NOMEM);
	case SQLITE_FULL: return lb_err_of(LB_E_NOSPACE);
	case SQLITE_CONSTRAINT: return lb_err_of(LB_E_EXISTS);
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return lb_err_of(LB_E_BUSY);
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT: return lb_err_at(LB_E_MALFORMED, (unsigned)status);
	default: break;
	}
	if (sql->handle != NULL && sqlite3_system_errno(sql->handle) == 28 /* ENOSPC */)
		return lb_err_of(LB_E_NOSPACE);
	return lb_err_at(LB_E_IO, (unsigned)status);
}

/* Keep SQLite's own words: they name the table or the file. */
static lb_err fail(const struct coord_sql *sql, int status, struct lb_diag *diag)
{
	lb_err err = from_sqlite(sql, status);

	if (sql->handle != NULL)
		lb_diag_set(diag, "the database: %s", sqlite3_errmsg(sql->handle));
	return err;
}

lb_err coord_sql_script(struct coord_sql *sql, const char *text, struct lb_diag *diag)
{
	int status = sqlite3_exec(sql->handle, text, NULL, NULL, NULL);

	return status == SQLITE_OK ? LB_OK : fail(sql, status, diag);
}

/* A commit reaches the disk before it returns (FULL); readers go on beside the writer (WAL). */
static lb_err prepare_connection(struct coord_sql *sql, bool writer, struct lb_diag *diag)
{
	(void)sqlite3_extended_result_codes(sql->handle, 1);
	(void)sqlite3_busy_timeout(sql->handle, BUSY_WAIT_MS);
	LB_TRY(coord_sql_script(sql,
	                        "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
	                        "PRAGMA trusted_schema = OFF;",
	                        diag));
	if (!writer)
		return coord_sql_script(sql, "PRAGMA query_only = ON;", diag);
	return coord_sql_script(sql,
	                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	                        "PRAGMA journal_size_limit = 67108864;",
	                        diag);
}

lb_err coord_sql_open(struct coord_sql **out, struct lb_mem *mem, const char *path, bool writer,
                      struct lb_diag *diag)
{
	struct coord_sql *sql = LB_NEW(mem, struct coord_sql, 1);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_CREATE : 0);
	lb_err err = LB_OK;
	int status = 0;

	*out = NULL;
	if (sql == NULL)
		return lb_err_of(LB_E_NOMEM);
	sql->mem = mem;
	status = sqlite3_open_v2(path, &sql->handle, flags, NULL);
	if (status != SQLITE_OK)
		err = fail(sql, status, diag);
	if (!lb_failed(err))
		err = prepare_connection(sql, writer, diag);
	if (lb_failed(err)) {
		lb_diag_prefix(diag, "%s", path);
		coord_sql_close(sql);
		return err;
	}
	*out = sql;
	return LB_OK;
}

void coord_sql_close(struct coord_sql *sql)
{
	if (sql == NULL)
		return;
	for (unsigned i = 0; i < COORD_STATEMENT_COUNT; i++)
		(void)sqlite3_finalize(sql->prepared[i]);
	(void)sqlite3_close(sql->handle);
	LB_DROP(sql->mem, sql, 1);
}

/* ---- statements ---- */

static int bind(struct sqlite3_stmt *handle, int index, const struct coord_param *param)
{
	switch (param->kind) {
	case COORD_PARAM_NULL: return sqlite3_bind_null(handle, index);
	case COORD_PARAM_NUMBER:
		assert(param->number <= INT64_MAX);
		return sqlite3_bind_int64(handle, index, (sqlite3_int64)param->number);
	case COORD_PARAM_TEXT: break;
	}
	/* The bytes outlive the statement's run: every run is over before its caller returns. */
	return sqlite3_bind_text64(handle, index, (const char *)param->text.at, param->text.len,
	                           SQLITE_STATIC, SQLITE_UTF8);
}

void coord_query_begin(struct coord_query *query, struct coord_sql *sql,
                       enum coord_statement statement, const struct coord_param *params,
                       size_t count)
{
	int status = SQLITE_OK;

	*query = (struct coord_query){ .sql = sql };
	if (sql->prepared[statement] == NULL)
		status = sqlite3_prepare_v3(sql->handle, texts[statement], -1,
		                            SQLITE_PREPARE_PERSISTENT, &sql->prepared[statement],
		                            NULL);
	for (size_t i = 0; i < count && status == SQLITE_OK; i++)
		status = bind(sql->prepared[statement], (int)i + 1, &params[i]);
	if (status != SQLITE_OK)
		query->failure = from_sqlite(sql, status);
	else
		query->handle = sql->prepared[statement];
}

bool coord_query_next(struct coord_query *query)
{
	int status;

	if (query->handle == NULL || lb_failed(query->failure))
		return false;
	status = sqlite3_step(query->handle);
	if (status == SQLITE_ROW)
		return true;
	query->failure = from_sqlite(query->sql, status);
	return false;
}

lb_err coord_query_end(struct coord_query *query)
{
	if (query->handle != NULL) {
		(void)sqlite3_reset(query->handle);
		(void)sqlite3_clear_bindings(query->handle);
		query->handle = NULL;
	}
	return query->failure;
}

lb_err coord_sql_run(struct coord_sql *sql, enum coord_statement statement,
                     const struct coord_param *params, size_t count)
{
	struct coord_query query;

	coord_query_begin(&query, sql, statement, params, count);
	while (coord_query_next(&query)) {}
	return coord_query_end(&query);
}

uint64_t coord_sql_last_id(const struct coord_sql *sql)
{
	return (uint64_t)sqlite3_last_insert_rowid(sql->handle);
}

uint64_t coord_sql_changed(const struct coord_sql *sql)
{
	return (uint64_t)sqlite3_changes64(sql->handle);
}

/* ---- columns ---- */

uint64_t coord_column_number(const struct coord_query *query, int column)
{
	return (uint64_t)sqlite3_column_int64(query->handle, column);
}

bool coord_column_null(const struct coord_query *query, int column)
{
	return sqlite3_column_type(query->handle, column) == SQLITE_NULL;
}

struct lb_bytes coord_column_text(const struct coord_query *query, int column)
{
	const unsigned char *at = sqlite3_column_text(query->handle, column);

	return (struct lb_bytes){ at, at != NULL
		                              ? (size_t)sqlite3_column_bytes(query->handle, column)
		                              : 0 };
}

struct lb_bytes coord_column_copy(const struct coord_query *query, int column,
                                  struct lb_arena *arena)
{
	struct lb_bytes text = coord_column_text(query, column);

	return text.at != NULL ? lb_arena_bytes(arena, text) : text;
}
