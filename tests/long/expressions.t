#!/bin/sh
# expressions.t - generated expressions against GitHub's own package, the full number of them.
LB_LONG=1 exec "${LB_BUILD:-build}/tests/workflows/expression/differential_test"
