/* probe.h - what a program tries from inside a sandbox.
 *
 * The test program itself is put into the sandbox and started with LB_PROBE set: before any test
 * runs, it does what the probe says, prints what it reached and ends.
 */
#ifndef LB_TESTS_PROBE_H
#define LB_TESTS_PROBE_H

/* Tries to leave by every kind of socket; prints "loopback" when its own works, and a line for each
 * way out. */
#define PROBE_NETWORK "network"

/* Tries calls that lead around namespaces; prints a line for each that is not refused. */
#define PROBE_CALLS "calls"

#endif
