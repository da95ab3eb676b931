/* events.h - events.def as a table.  For workflows/ alone. */
#ifndef WORKFLOWS_SYNTAX_EVENTS_H
#define WORKFLOWS_SYNTAX_EVENTS_H

#include "base/bytes.h"

enum {
	FILTER_BRANCHES = 1,
	FILTER_TAGS = 2,
	FILTER_PATHS = 4,
	FILTER_WORKFLOWS = 8,
	FILTER_NAMES = 16,
	FILTER_OWN = 32 /* its configuration has a form of its own */
};

struct workflow_event_info {
	const char *name; /* NULL ends the table */
	unsigned filters;
	const char *types, *defaults; /* words */
};

extern const struct workflow_event_info workflow_events[];

const struct workflow_event_info *workflow_event_find(struct lb_bytes name); /* NULL: none */
bool workflow_word_in(const char *words, struct lb_bytes word);

#endif
