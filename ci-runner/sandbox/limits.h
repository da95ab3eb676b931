/* limits.h - how much the commands of a sandbox may use together, and by what that is held. */
#ifndef RUNNER_SANDBOX_LIMITS_H
#define RUNNER_SANDBOX_LIMITS_H

#include "base/bytes.h"
#include "base/diag.h"

struct runner_limits {      /* 0: none */
	uint64_t memory;    /* bytes */
	uint64_t disk;      /* bytes below the folders they may write to */
	uint32_t processes; /* threads count too */
	double cpus;
};

/* What leaves this machine usable: all memory but a twentieth (at least 256 MiB), half of the
 * processes it can have. */
struct runner_limits runner_limits_usual(void);

/* "memory=4G,processes=500,cpus=1.5,disk=20G" laid over what `limits` has; K, M, G, T are powers
 * of 1024, and "none" takes a limit away.  USAGE says what cannot be read. */
lb_err runner_limits_read(struct runner_limits *limits, struct lb_bytes text, struct lb_diag *diag);

#endif
