#!/bin/bash
# up.t - `lifeboat up` as a person meets it: not in a repository, twice, a port that is taken, a newer
# state, Ctrl-C in the middle of a run.
set -u
build=$(cd "${LB_BUILD:-build}" && pwd)
folder=$(mktemp -d)
started=()
count=0
trap end EXIT
end() {
	for pid in ${started[@]+"${started[@]}"}; do kill -INT "$pid" 2>/dev/null && wait "$pid"; done
	rm -rf "$folder"
}

ok() { # ok NAME COMMAND...: the command succeeds
	count=$((count + 1))
	local name=$1
	shift
	if "$@"; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' "$folder/out"
	fi
}
ends() { # ends STATUS COMMAND...: with this status, within a minute; what it says is in $folder/out
	local want=$1
	shift
	timeout 60 "$@" >"$folder/out" 2>&1 </dev/null
	local got=$?
	[ "$got" = "$want" ] || { echo "# ended with $got, not $want"; return 1; }
}
says() { grep -qF -- "$1" "$folder/out"; }
until_true() { # until_true COMMAND...: within ten seconds
	for _ in $(seq 200); do
		"$@" 2>/dev/null && return 0
		sleep 0.05
	done
	return 1
}
in_state() { # in_state STATE WORD...: `lifeboat WORD...` for what is up there
	LIFEBOAT_COORDINATOR=$(cat "$1/address") LIFEBOAT_TOKEN=$(cat "$1/coordinator/token") "$build/lifeboat" "${@:2}"
}
nothing_runs() { ! pgrep -f -- "$state/" >/dev/null; }
listed() { in_state "$state" list >"$folder/out" 2>&1; }
job_runs() { in_state "$state" list | grep -q in_progress; }

mkdir "$folder/r" "$folder/outside"
cd "$folder/outside" || exit 1
ok "outside a repository it ends with 1" ends 1 env GIT_CEILING_DIRECTORIES=/ "$build/lifeboat" up --state "$folder/s0" --port 0
ok "and says so" says "repository"

cd "$folder/r" || exit 1
git init -q -b main . && git config user.name test && git config user.email test@localhost
mkdir -p .github/workflows
cat >.github/workflows/ci.yml <<'END'
on: workflow_dispatch
jobs:
  first:
    runs-on: ubuntu-latest
    steps:
      - run: sleep 1.5
  second:
    needs: first
    runs-on: ubuntu-latest
    steps:
      - run: echo second
END
git add . && git commit -qm "test: a workflow"

state=$folder/state
"$build/lifeboat" up --state "$state" --port 0 >"$folder/up" 2>&1 &
up=$!
started+=("$up")
ok "it comes up" until_true test -s "$state/address"
ok "a second one ends with 4" ends 4 "$build/lifeboat" up --state "$state" --port 0
ok "says that one is up" says "up already"
ok "and where" says "$(cat "$state/address")"

port=$(sed 's/.*://' "$state/address")
ok "with its port taken another takes a free one" ends 0 "$build/lifeboat" up --once --state "$folder/s1" --port "$port"
ok "and says so" says "Port $port is in use"
ok "a coordinator of its own ends with 4" ends 4 "$build/lifeboat-coordinator" serve --state "$folder/s2" --listen "127.0.0.1:$port"
ok "and names the address" says "127.0.0.1:$port"

until_true grep -q "Ctrl-C stops" "$folder/up"
in_state "$state" submit >/dev/null
in_state "$state" submit >/dev/null
ok "a run is under way" until_true job_runs
kill -INT "$up"
wait "$up"
ok "Ctrl-C in the middle of it ends with 0" test $? = 0
cp "$folder/up" "$folder/out"
ok "says what comes next" says "carries on with what was queued"
# shellcheck disable=SC2016 # those are its words
ok "and says nothing else of it" test "$(tail -n 1 "$folder/up")" = 'Stopped. The next `lifeboat up` carries on with what was queued.'
ok "nothing is left running" until_true nothing_runs
ok "the next one ends green" ends 0 "$build/lifeboat" up --once --state "$state" --port 0

"$build/lifeboat" up --state "$state" --port 0 >"$folder/up" 2>&1 &
started=("$!")
until_true grep -q "Ctrl-C stops" "$folder/up"
ok "the history can be read" listed
ok "every run completed, those that were stopped as well" test "$(grep -c success "$folder/out")" = 5
kill -INT "${started[0]}"
wait "${started[0]}"
started=()

echo 999 >"$state/signer/version"
ok "a newer version's state ends it" ends 1 "$build/lifeboat" up --once --state "$state" --port 0
ok "and it says whose" says "the signer ended at its start"
ok "and why" says "newer"
ok "nothing was left running" nothing_runs
echo "1..$count"
