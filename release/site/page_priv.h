/* page_priv.h - the site's pages as HTML: no scripts, light and dark, made on the server. */
#ifndef RELEASE_SITE_PAGE_PRIV_H
#define RELEASE_SITE_PAGE_PRIV_H

#include "base/value.h"

extern const char release_page_style[];

void release_page_root(struct lb_buf *out, const struct lb_value *projects); /* of strings */
/* `newest`: the newest release.json of each channel. */
void release_page_project(struct lb_buf *out, struct lb_bytes project,
                          const struct lb_value *newest);
/* `releases`: each release.json, newest first. */
void release_page_channel(struct lb_buf *out, struct lb_bytes project, struct lb_bytes channel,
                          const struct lb_value *releases);
void release_page_release(struct lb_buf *out, const struct lb_value *release);

#endif
