/* asset.h - the files that pages refer to, kept in the program. */
#ifndef COORDINATOR_PAGES_ASSET_H
#define COORDINATOR_PAGES_ASSET_H

#include "base/bytes.h"

/* The asset of that name ("style.css") and its media type; false where there is none. */
bool coord_asset_find(struct lb_bytes *content, const char **type, struct lb_bytes name);

#endif
