/* yaml_priv.h - blocks of text ("run: |"), decoded from the source.
 *
 * libfyaml 0.7.12 does not see that such a block is empty, drops line breaks of folded ones and
 * adds one to a text that ends without; so only its borders are taken from there, to be compared.
 */
#ifndef LB_DATA_YAML_PRIV_H
#define LB_DATA_YAML_PRIV_H

#include "base/buf.h"

struct lb_yaml_block {
	size_t end;     /* where the first line begins that is not the block's */
	uint32_t lines; /* of text */
};

/* The first line, without its end, cut off; CR alone ends one too.  `ended` (or NULL): it has an
 * end.  False where nothing is left. */
bool lb_yaml_next_line(struct lb_bytes *line, bool *ended, struct lb_bytes *rest);

/* The text of the block whose | or > is at `header` is added to `out`.  `parent`: how many blanks
 * its key or dash is indented by, negative outside of all. */
struct lb_yaml_block lb_yaml_block_text(struct lb_buf *out, struct lb_bytes source, size_t header,
                                        int parent);

#endif
