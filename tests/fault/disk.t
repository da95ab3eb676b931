#!/bin/bash
# disk.t - the coordinator's disk is full while an artifact and while a log is written: each is told, nothing
# partial is listed, nothing acknowledged is lost, and once there is space the run ends green.
#
# The state folder is a small tmpfs in a mount namespace of this script's own.
set -u
if [ -z "${LB_DISK_INSIDE:-}" ]; then
	for way in "-m" "-Urm"; do
		unshare "$way" true 2>/dev/null && LB_DISK_INSIDE=1 exec unshare "$way" "$0"
	done
	echo "1..0 # SKIP no mount namespace can be made here"
	exit 0
fi
build=$(cd "${LB_BUILD:-build}" && pwd)
folder=$(mktemp -d)
state=$folder/state
count=0
mkdir "$state"
mount -t tmpfs -o size=40m none "$state" || { echo "1..0 # SKIP no tmpfs can be mounted here"; exit 0; }
runner=""
coordinator=""
end() {
	[ -z "$runner" ] || kill -KILL "$runner"
	[ -z "$coordinator" ] || kill "$coordinator"
	wait
	umount "$state"
	rm -rf "$folder"
}
trap end EXIT

ok() { # ok NAME COMMAND...: the command succeeds
	count=$((count + 1))
	local name=$1
	shift
	if "$@"; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		tail -n 20 "$folder/out" "$folder/runner.log" "$folder/coordinator.log" | sed 's/^/# /'
	fi
}
lifeboat() { timeout "$1" "$build/lifeboat" "${@:2}" >"$folder/out" 2>&1; } # lifeboat SECONDS WORD...
says() { grep -qF -- "$1" "$folder/out"; }
has_no_artifacts() { [ "$(curl -s "$LIFEBOAT_COORDINATOR/api/v1/runs/1/artifacts")" = '{"artifacts":[]}' ]; }
answers() { curl -sf -m 5 -o /dev/null "$LIFEBOAT_COORDINATOR/$1"; }
has_all_lines() { grep -o ' line-[0-9]*$' "$folder/out" | cut -d- -f2 | cmp -s - <(seq 300000); }
is_full() { [ "$(df --output=avail "$state" | tail -n 1)" -lt 100 ]; }
until_true() { # until_true COMMAND...: within twenty seconds
	for _ in $(seq 200); do
		"$@" 2>/dev/null && return 0
		sleep 0.1
	done
	return 1
}

"$build/lifeboat-coordinator" serve --state "$state" --listen 127.0.0.1:0 --ready-file "$folder/ready" >"$folder/coordinator.log" 2>&1 &
coordinator=$!
until_true test -s "$folder/ready"
LIFEBOAT_COORDINATOR=$(cat "$folder/ready")
LIFEBOAT_TOKEN=$(cat "$state/token")
export LIFEBOAT_COORDINATOR LIFEBOAT_TOKEN
"$build/lifeboat-runner" serve --coordinator "$LIFEBOAT_COORDINATOR" --token-file "$state/runner-token" --labels ubuntu-latest \
	--name runner --work "$folder/work" >"$folder/runner.log" 2>&1 &
runner=$!

mkdir -p "$folder/r/.github/workflows"
cd "$folder/r" || exit 1
git init -q -b main . && git config user.name test && git config user.email test@localhost
cat >.github/workflows/artifact.yml <<'END'
on: workflow_dispatch
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - run: head -c 60000000 /dev/urandom > noise
      - uses: actions/upload-artifact@v4
        with: { name: noise, path: noise }
END
cat >.github/workflows/log.yml <<'END'
on: workflow_dispatch
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - run: seq 300000 | sed 's/^/line-/'
END
git add . && git commit -qm "test: workflows"

ok "a run whose artifact does not fit fails" eval "lifeboat 200 submit --watch -w artifact.yml; [ \$? = 1 ]"
lifeboat 10 logs 1
ok "its step says why" says "##[error]the coordinator cannot store it: no space left on the disk"
ok "no artifact is listed" has_no_artifacts
ok "nothing of it is left" test -z "$(ls "$state/temporary")"

head -c 32M /dev/zero >"$state/filler"
lifeboat 10 submit -w log.yml
ok "a log fills the disk" until_true is_full
sleep 2
ok "the coordinator still answers" answers api/v1/status
ok "and shows pages" answers runs/2
rm "$state/filler"
ok "with space the run ends green" lifeboat 60 watch 2
lifeboat 20 logs 2
ok "with every line once and in order" has_all_lines
ok "a new run is green" lifeboat 60 submit --watch -w log.yml
kill "$runner" && wait "$runner"
runner=
kill "$coordinator" && wait "$coordinator"
coordinator=
ok "the state is whole" "$build/lifeboat-coordinator" check --state "$state"
echo "1..$count"
