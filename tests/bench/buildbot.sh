#!/bin/sh
# buildbot.sh - makes and runs Buildbot for a benchmark: buildbot.sh FOLDER SUBMIT-PORT PB-PORT
#
# Stays in the foreground until its standard input ends, then ends both processes it started.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1 submit=$2 pb=$3
cd "$folder"
buildbot create-master -r master >master.log 2>&1
sed "s,@SUBMIT@,$submit,; s,@PB@,$pb,; s,@FOLDER@,$folder," "$here/buildbot.cfg.in" >master/master.cfg
buildbot-worker create-worker worker "127.0.0.1:$pb" w w >worker.log 2>&1
buildbot start --nodaemon master >>master.log 2>&1 &
master=$!
buildbot-worker start --nodaemon worker >>worker.log 2>&1 &
worker=$!
cat >/dev/null
kill "$worker" "$master" 2>/dev/null || :
wait
