#!/bin/sh
# modules.t - random modules against V8, the full number of them.
LB_LONG=1 exec "${LB_BUILD:-build}/tests/engine/differential/differential_test"
