/* script.h - runs the commands that wast2json made of a script. */
#ifndef LB_TESTS_ENGINE_SPEC_SCRIPT_H
#define LB_TESTS_ENGINE_SPEC_SCRIPT_H

#include "base/value.h"
#include "tests/harness/test.h"

/* Says of an assertion whether it is known to fail; it must then. */
struct script_known {
	bool (*is_known)(void *ctx, const char *file, unsigned line);
	void *ctx;
};

struct script_counts {
	unsigned assertions, failures;
	unsigned known; /* failed as they were said to */
	unsigned text;  /* assertions about the text format, which is not read yet */
};

/* Run all commands of `json`, the modules being in `folder`; what fails is printed, with `name`,
 * unless `quiet`. */
void script_run(struct script_counts *counts, const struct lb_value *json, const char *folder,
                const char *name, const struct script_known *known, bool quiet);

#endif
