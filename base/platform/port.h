/* port.h - TCP ports of the loopback address.
 *
 * Layer: platform.  Threads: any.
 */
#ifndef PLAT_PORT_H
#define PLAT_PORT_H

#include "base/err.h"

/* `wanted` when nothing listens there, else any free one; `wanted` 0: any free one.  The port is
 * free when this returns and nobody else is kept from taking it: whoever uses it must still bear
 * BUSY. */
lb_err plat_port_find(uint16_t *out, uint16_t wanted);

#endif
