#!/bin/sh
# yaml.t - 100,000 YAML texts made at random, as the npm package reads them
LB_DOCUMENTS=100000 exec "${LB_BUILD:-build}/tests/base/data/yaml_differential_test"
