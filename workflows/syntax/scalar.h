/* scalar.h - what a YAML scalar means.  For workflows/ alone. */
#ifndef WORKFLOWS_SYNTAX_SCALAR_H
#define WORKFLOWS_SYNTAX_SCALAR_H

#include "workflows/syntax/schema.h"

/* Null, boolean, number or string by YAML 1.2's core schema; false after a problem that ends the
 * reading of the file (a tag that does not fit).  Sets kind, text, raw and the value. */
bool workflow_scalar_literal(struct workflow_token *out, struct lb_arena *arena,
                             const struct lb_yaml_node *node, struct problems *problems);

/* Where a string has ${{ }} in it, make the token an expression; one that cannot be parsed leaves
 * it a string and notes the problem. */
void workflow_scalar_expression(struct workflow_token *token, struct lb_arena *arena,
                                const struct workflow_allow *allow, struct problems *problems);

/* The expressions of a text one after the other: zero at first; false behind the last. */
struct workflow_segment {
	size_t start, end;      /* in the text: from "${{" to behind "}}" */
	struct lb_bytes inside; /* without them */
};

bool workflow_scalar_segment(struct workflow_segment *segment, struct lb_bytes text);

#endif
