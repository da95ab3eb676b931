/* log.h - what a program says about itself: one line an event, key=value fields.
 *
 *   lb_log(log, LB_LOG_INFO, "lease granted", LB_FIELD("runner", name), LB_COUNT("fence", fence));
 *   2026-11-21T07:25:00.123Z info  lease granted runner=r1 fence=7
 *
 * Each line is one write, so lines of threads never mix.  Values that are empty
 * or have blanks, quotes, "=" or more than ASCII in them are quoted, with control
 * characters escaped; a line of over 3000 bytes is cut and ends in [...].  Never
 * fails: what cannot be written is lost.  Threads: any.
 */
#ifndef LB_IO_LOG_H
#define LB_IO_LOG_H

#include "base/bytes.h"
#include "base/platform/plat.h"

enum lb_log_level { LB_LOG_DEBUG, LB_LOG_INFO, LB_LOG_WARN, LB_LOG_ERROR };

struct lb_log {
	struct plat *plat;
	int file; /* descriptor; -1: silent */
	enum lb_log_level least;
};

struct lb_field {
	const char *key; /* NULL ends */
	struct lb_bytes text;
	uint64_t number;
	bool is_number;
};

#define LB_FIELD(key_, text_) ((struct lb_field){ .key = (key_), .text = lb_bytes_of(text_) })
#define LB_FIELD_B(key_, bytes_) ((struct lb_field){ .key = (key_), .text = (bytes_) })
#define LB_COUNT(key_, number_) \
	((struct lb_field){ .key = (key_), .number = (number_), .is_number = true })

void lb_log_write(const struct lb_log *log, enum lb_log_level level, const char *event,
                  const struct lb_field *fields);

#define lb_log(log, level, event, ...) \
	lb_log_write((log), (level), (event), \
	             (const struct lb_field[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

#endif
