/* module.h - one module within a larger text, as scripts have them.
 *
 * Layer: engine/text.  Threads: any, on different outputs.
 */
#ifndef ENGINE_TEXT_MODULE_H
#define ENGINE_TEXT_MODULE_H

#include "engine/text/text.h"
#include "engine/text/words.h"

struct engine_text_module {
	struct engine_text_source source;
	const struct engine_token *tokens; /* of all the source */
	const struct engine_words *words;
	bool no_names; /* as in struct engine_text_options */
	const struct engine_module_options *features;
};

/* The module that begins at tokens[*at], with "(module" or with its first field; *at is then
 * behind it, or where it went wrong.  Otherwise as engine_text_to_binary. */
lb_err engine_text_module(struct lb_buf *out, size_t *at, struct lb_mem *mem,
                          const struct engine_text_module *module);

/* engine_text_to_binary with words that were made before. */
lb_err engine_text_to_binary_with(struct lb_buf *out, struct lb_mem *mem, struct lb_bytes text,
                                  const struct engine_text_options *options,
                                  const struct engine_words *words, struct lb_diag *diag);

#endif
