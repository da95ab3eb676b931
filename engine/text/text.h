/* text.h - the text format: to binary and back.
 *
 * The text of a module becomes the bytes of the binary format, so that decoder
 * and validator stay the only judges of what a module means; what is checked
 * here is the syntax.  Layer: engine.  Threads: any, on different outputs.
 */
#ifndef ENGINE_TEXT_TEXT_H
#define ENGINE_TEXT_TEXT_H

#include "engine/module.h"
#include "engine/text/lexer.h"

struct engine_text_options {
	const char *name; /* of the file, for messages; NULL: none */
	bool no_names;    /* no "name" section from the identifiers */
	/* What the language has got (engine_features_allowed); NULL: the default.  Sizes of
	 * memories and tables end at 32 bits without 64-bit memories. */
	const struct engine_module_options *features;
};

/* The binary form of the one module that `text` is: "(module ...)" or its fields alone, also
 * (module binary "...") and (module quote "...").  Appended to `out`.  On failure `out` is as it
 * was, and the error is MALFORMED (context: offset; the diagnostic has NAME:LINE:COLUMN and the
 * official tests' wording), LIMIT or NOMEM.  `options` and `diag` may be NULL. */
lb_err engine_text_to_binary(struct lb_buf *out, struct lb_mem *mem, struct lb_bytes text,
                             const struct engine_text_options *options, struct lb_diag *diag);

/* The text of a module, appended: flat instructions, a line each, names from its "name" section,
 * branch hints and other custom sections as annotations.  The text's binary form is the same
 * again, where numbers were encoded in their shortest form.  MALFORMED with the byte's offset;
 * `out` is as it was then.  What the text means is not checked. */
lb_err engine_text_of_binary(struct lb_buf *out, struct lb_mem *mem, struct lb_bytes binary,
                             struct lb_diag *diag);

/* Whether these bytes are a text rather than a binary module or anything else: they begin with
 * a parenthesis or a comment. */
bool engine_text_is(struct lb_bytes bytes);

#endif
