/* store_priv.h - the store's inside: one writing connection, a few for reading. */
#ifndef COORDINATOR_STORE_STORE_PRIV_H
#define COORDINATOR_STORE_STORE_PRIV_H

#include "coordinator/store/read.h"
#include "coordinator/store/sql_priv.h"
#include "coordinator/store/store.h"

#include <pthread.h>

enum { READERS_MAX = 8, ADDRESS_SIZE = 256 };

struct coord_store {
	struct lb_mem *mem;
	struct coord_sql *writer;
	pthread_mutex_t writing; /* held from begin to commit or rollback */
	uint64_t changed;        /* the last number given out; under `writing` */

	pthread_mutex_t reading;                /* over the two below */
	struct coord_sql *readers[READERS_MAX]; /* idle ones */
	unsigned reader_count;

	char path[4096];
	char address[ADDRESS_SIZE];
};

/* The next number of the sequence by which followers see what is new.  A transaction that is
 * rolled back leaves a hole, which nobody minds. */
static inline struct coord_param coord_store_next_change(struct coord_store *store)
{
	return coord_param_number(++store->changed);
}

/* A reading connection in a snapshot of its own; given back by coord_store_end_read. */
lb_err coord_store_begin_read(struct coord_sql **out, struct coord_store *store);
void coord_store_end_read(struct coord_store *store, struct coord_sql *reader);

enum coord_job_state coord_job_state_read(struct lb_bytes text);

#endif
