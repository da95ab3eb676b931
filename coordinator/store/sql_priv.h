/* sql_priv.h - a connection to SQLite with the statements of statements.def.
 *
 * Layer: coordinator/store; the one module that sees SQLite.  A statement is
 * prepared when it is first used and kept.  Owner: who opened it closes it.
 * Threads: one at a time per connection.  Failures: NOSPACE for a full disk,
 * EXISTS for a broken uniqueness, BUSY, NOMEM, else IO with SQLite's number.
 */
#ifndef COORDINATOR_STORE_SQL_PRIV_H
#define COORDINATOR_STORE_SQL_PRIV_H

#include "base/arena.h"
#include "base/diag.h"

struct coord_sql;
struct sqlite3_stmt;

enum coord_statement {
#define STATEMENT(name, text) COORD_SQL_##name,
#include "coordinator/store/statements.def"
#undef STATEMENT
	COORD_STATEMENT_COUNT
};

enum coord_param_kind { COORD_PARAM_NULL, COORD_PARAM_NUMBER, COORD_PARAM_TEXT };

struct coord_param {
	enum coord_param_kind kind;
	uint64_t number;      /* below 2^63 */
	struct lb_bytes text; /* borrowed for the call */
};

static inline struct coord_param coord_param_number(uint64_t number)
{
	return (struct coord_param){ .kind = COORD_PARAM_NUMBER, .number = number };
}

/* Empty text is stored as empty text, no text (at NULL) as NULL. */
static inline struct coord_param coord_param_text(struct lb_bytes text)
{
	return (struct coord_param){ .kind = text.at != NULL ? COORD_PARAM_TEXT : COORD_PARAM_NULL,
		                     .text = text };
}

/* 0 is stored as NULL: for times and references that are not there yet. */
static inline struct coord_param coord_param_optional(uint64_t number)
{
	return (struct coord_param){ .kind = number != 0 ? COORD_PARAM_NUMBER : COORD_PARAM_NULL,
		                     .number = number };
}

lb_err coord_sql_open(struct coord_sql **out, struct lb_mem *mem, const char *path, bool writer,
                      struct lb_diag *diag);
void coord_sql_close(struct coord_sql *sql);

/* Text with any number of statements that return nothing: the schema. */
lb_err coord_sql_script(struct coord_sql *sql, const char *text, struct lb_diag *diag);

/* A statement that returns nothing of interest. */
lb_err coord_sql_run(struct coord_sql *sql, enum coord_statement statement,
                     const struct coord_param *params, size_t count);
#define COORD_SQL_RUN(sql, name, ...) \
	coord_sql_run((sql), COORD_SQL_##name, (const struct coord_param[]){ __VA_ARGS__ }, \
	              sizeof((const struct coord_param[]){ __VA_ARGS__ }) / \
	                      sizeof(struct coord_param))

uint64_t coord_sql_last_id(const struct coord_sql *sql); /* of the last insert */
uint64_t coord_sql_changed(const struct coord_sql *sql); /* rows, by the last statement */

/* Rows: begin, then columns after each true `next`, then end, which says what went wrong. */
struct coord_query {
	struct coord_sql *sql;
	struct sqlite3_stmt *handle;
	lb_err failure;
};

void coord_query_begin(struct coord_query *query, struct coord_sql *sql,
                       enum coord_statement statement, const struct coord_param *params,
                       size_t count);
#define COORD_QUERY(query, sql, name, ...) \
	coord_query_begin( \
		(query), (sql), COORD_SQL_##name, (const struct coord_param[]){ __VA_ARGS__ }, \
		sizeof((const struct coord_param[]){ __VA_ARGS__ }) / sizeof(struct coord_param))
bool coord_query_next(struct coord_query *query);
lb_err coord_query_end(struct coord_query *query);

uint64_t coord_column_number(const struct coord_query *query, int column); /* NULL: 0 */
bool coord_column_null(const struct coord_query *query, int column);
/* Borrowed until the next step; NULL: no bytes. */
struct lb_bytes coord_column_text(const struct coord_query *query, int column);
/* A copy in the arena. */
struct lb_bytes coord_column_copy(const struct coord_query *query, int column,
                                  struct lb_arena *arena);

#endif
