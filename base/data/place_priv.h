/* place_priv.h - the line and column of a byte offset, for messages about texts. */
#ifndef LB_DATA_PLACE_PRIV_H
#define LB_DATA_PLACE_PRIV_H

#include "base/bytes.h"

struct lb_place {
	uint32_t line, column; /* from 1; columns count code points */
};

/* Lines end with LF, CR LF or CR.  An offset past the end is taken as the end. */
struct lb_place lb_place_of(struct lb_bytes text, size_t offset);

#endif
