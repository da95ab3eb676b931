#!/bin/sh
# workflows.t - workflow files, real and spoilt against GitHub's own package, the full number of them.
LB_LONG=1 exec "${LB_BUILD:-build}/tests/workflows/syntax/differential_test"
