/* audit.c - see audit.h. */
#include "release/signer/audit.h"

#include "base/data/digest.h"
#include "base/data/json.h"
#include "base/text.h"
#include "release/signer/journal.h"

#include <pthread.h>

struct release_audit {
	struct lb_mem *mem;
	struct plat *plat;
	pthread_mutex_t lock;
	struct release_journal journal;
	uint64_t count;
	char previous[LB_SHA256_HEX + 1];
};

struct checking {
	struct release_audit *audit;
	struct lb_diag *diag;
};

static lb_err check_link(struct checking *checking, struct lb_arena *arena, struct lb_bytes line,
                         uint64_t number)
{
	struct lb_value *value;
	uint64_t sequence;

	LB_TRY(lb_json_read(&value, arena, line, checking->diag));
	if (lb_failed(lb_value_get_u64(&sequence, value, "sequence")) || sequence != number)
		return lb_fail(checking->diag, LB_E_MALFORMED,
		               "the audit log's numbers have a gap here");
	if (!lb_bytes_is(lb_value_get_string(value, "previous"), checking->audit->previous))
		return lb_fail(checking->diag, LB_E_MALFORMED,
		               "the audit log's chain is broken: the line before was changed");
	return lb_sha256_hex(checking->audit->previous, line);
}

static lb_err check_line(void *ctx, struct lb_bytes line, uint64_t number)
{
	struct checking *checking = ctx;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, checking->audit->mem);
	err = check_link(checking, &arena, line, number);
	lb_arena_release(&arena);
	if (!lb_failed(err))
		checking->audit->count = number;
	return err;
}

lb_err release_audit_open(struct release_audit **out, struct lb_mem *mem, struct plat *plat,
                          const char *path, struct lb_diag *diag)
{
	struct release_audit *audit = LB_NEW(mem, struct release_audit, 1);
	struct checking checking = { audit, diag };
	lb_err err;

	*out = NULL;
	if (audit == NULL)
		return lb_err_of(LB_E_NOMEM);
	audit->mem = mem;
	audit->plat = plat;
	audit->journal.file = -1;
	memset(audit->previous, '0', LB_SHA256_HEX);
	pthread_mutex_init(&audit->lock, NULL);
	err = release_journal_open(&audit->journal, mem, plat, path, check_line, &checking, diag);
	if (lb_failed(err))
		release_audit_close(audit);
	else
		*out = audit;
	return err;
}

void release_audit_close(struct release_audit *audit)
{
	if (audit == NULL)
		return;
	release_journal_close(&audit->journal);
	pthread_mutex_destroy(&audit->lock);
	LB_DROP(audit->mem, audit, 1);
}

uint64_t release_audit_count(struct release_audit *audit)
{
	uint64_t count;

	pthread_mutex_lock(&audit->lock);
	count = audit->count;
	pthread_mutex_unlock(&audit->lock);
	return count;
}

static lb_err add_line(struct release_audit *audit, struct lb_arena *arena, const char *event,
                       const struct lb_value *fields)
{
	struct lb_value *line = lb_value_object(arena);
	char time[LB_TIME_SIZE];
	struct lb_buf text;

	lb_value_set_number(arena, line, "sequence", (double)(audit->count + 1));
	lb_value_set_text(arena, line, "time",
	                  lb_time_text(time, audit->plat->ops->wall_ns(audit->plat), 3));
	lb_value_set_text(arena, line, "event", event);
	lb_value_set_text(arena, line, "previous", audit->previous);
	for (uint32_t i = 0; i < fields->count; i++)
		lb_value_set(arena, line, fields->members[i].key,
		             lb_value_copy(arena, fields->members[i].value));
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, &arena->mem, RELEASE_LINE_MAX - 1);
	lb_value_write(&text, line, false);
	LB_TRY(lb_buf_check(&text));
	LB_TRY(release_journal_add(&audit->journal, lb_buf_bytes(&text)));
	audit->count++;
	return lb_sha256_hex(audit->previous, lb_buf_bytes(&text));
}

lb_err release_audit_add(struct release_audit *audit, const char *event,
                         const struct lb_value *fields, struct lb_diag *diag)
{
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, audit->mem);
	pthread_mutex_lock(&audit->lock);
	err = add_line(audit, &arena, event, fields);
	pthread_mutex_unlock(&audit->lock);
	lb_arena_release(&arena);
	if (lb_failed(err))
		lb_diag_set(diag, "the decision could not be written to the audit log: %s",
		            lb_err_text(err));
	return err;
}
