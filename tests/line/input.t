#!/bin/bash
# input.t - faulty input at the command line, at `lint`, at `submit` and at the API: each is told what is
# wrong and where, ends with the status that docs/errors.md has, and leaves no run behind.
set -u
build=$(cd "${LB_BUILD:-build}" && pwd)
folder=$(mktemp -d)
count=0
server=
trap 'test -n "$server" && kill "$server" && wait "$server"; rm -rf "$folder"' EXIT

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
refused() { # refused STATUS TEXT WORD...: `lifeboat WORD...` ends with this status and says this
	local want=$1 text=$2 got
	shift 2
	timeout 20 "$build/lifeboat" "$@" >"$folder/out" 2>&1 </dev/null
	got=$?
	count=$((count + 1))
	if [ "$got" = "$want" ] && grep -qF -- "$text" "$folder/out"; then
		echo "ok $count - lifeboat $*: $text"
	else
		echo "not ok $count - lifeboat $*"
		echo "# ended with $got, not $want; wanted: $text"
		sed 's/^/# /' "$folder/out"
	fi
}
asked() { # asked STATUS TEXT CURL-WORD...: the API answers with this status and says this
	local want=$1 text=$2 got
	shift 2
	got=$(curl -s -m 20 -o "$folder/out" -w '%{http_code}' -H "Authorization: Bearer $LIFEBOAT_TOKEN" "$@")
	count=$((count + 1))
	if [ "$got" = "$want" ] && grep -qF -- "$text" "$folder/out"; then
		echo "ok $count - $want: $text"
	else
		echo "not ok $count - ${*: -1}"
		echo "# answered $got, not $want; wanted: $text"
		sed 's/^/# /' "$folder/out"
	fi
}
no_runs() { test "$(curl -s "$LIFEBOAT_COORDINATOR/api/v1/runs")" = '{"runs":[]}'; }

verb_help() { "$build/lifeboat" help up | grep -q -- --once; }
ok "the help of a verb is its program's" verb_help

# ---- the command line: 2, and nothing is asked of anyone ----

unset LIFEBOAT_COORDINATOR LIFEBOAT_TOKEN
export XDG_STATE_HOME=$folder/xdg
refused 2 "usage: lifeboat COMMAND"
refused 2 "bogus: no such command" bogus
refused 2 "there is no option --bogus" --bogus
for verb in up run submit watch logs list rerun cancel lint plan exec; do
	refused 2 "there is no option --bogus" $verb --bogus
done
for verb in logs rerun cancel; do
	refused 2 "operands are missing: RUN" $verb
done
for verb in watch logs rerun cancel; do
	refused 2 "x: expected the number of a run" $verb x
	refused 2 "0: expected the number of a run" $verb 0
done
refused 2 "one operand too many" logs 1 2 3
refused 2 "takes no operands" up here
refused 2 "--failed takes no value" rerun --failed=1 1
refused 2 "--port needs a value" up --port
refused 2 "is not a whole number from 0 to 65533" up --state "$folder/s" --port 99999
refused 2 "--network is 'bogus'; it can be" exec --network bogus -- true
refused 2 "operands are missing" exec
refused 1 "start one with \`lifeboat up\`" list
refused 1 "start one with \`lifeboat up\`" submit
refused 4 "Connection refused" list --coordinator http://127.0.0.1:9 --token-file /etc/hostname
refused 1 "$folder/none: cannot be read" list --coordinator http://127.0.0.1:9 --token-file "$folder/none"

# ---- workflow files ----

mkdir -p "$folder/r/.github/workflows"
cd "$folder/r" || exit 1
git init -q -b main . && git config user.name test && git config user.email test@localhost
in_workflows() { cat >".github/workflows/$1.yml"; }
job='    runs-on: ubuntu-latest
    steps: [{ run: "true" }]'
printf 'on: workflow_dispatch\njobs:\n  a:\n%s\n' "$job" | in_workflows good
printf 'on: workflow_dispatch\njobs:\n  a:\n    steps:\n      - run: "unclosed\n' | in_workflows malformed
printf 'on: workflow_dispatch\njobs:\n\ta: 1\n' | in_workflows tab
printf 'on: workflow_dispatch\njobs:\n  a:\n%s\n  b:\n    needs: [a, c]\n%s\n  c:\n    needs: b\n%s\n' "$job" "$job" "$job" |
	in_workflows cycle
printf 'on: workflow_dispatch\njobs:\n  a:\n%s\n    stepz: 3\n' "$job" | in_workflows key
printf 'on: workflow_dispatch\njobs:\n  a:\n%s\n  a:\n%s\n' "$job" "$job" | in_workflows twice
printf 'on: workflow_dispatch\njobs:\n  a:\n%s\n  b:\n    needs: nobody\n%s\n' "$job" "$job" | in_workflows needs
# shellcheck disable=SC2016 # it is GitHub's expression
printf 'on: workflow_dispatch\njobs:\n  a:\n    if: ${{ fromJSON( }}\n%s\n' "$job" | in_workflows expression
printf 'on: whenever\njobs:\n  a:\n%s\n' "$job" | in_workflows event
printf 'a: &a [x,x]\nb: &b [*a,*a]\non: *b\n' | in_workflows aliases
: | in_workflows empty
head -c 200 /dev/urandom | in_workflows noise
git add . && git commit -qm "test: workflows"

"$build/lifeboat-coordinator" serve --state "$folder/state" --listen 127.0.0.1:0 --ready-file "$folder/ready" >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 200); do test -s "$folder/ready" || sleep 0.05; done
LIFEBOAT_COORDINATOR=$(cat "$folder/ready")
LIFEBOAT_TOKEN=$(cat "$folder/state/token")
export LIFEBOAT_COORDINATOR LIFEBOAT_TOKEN

ok "a good file passes" "$build/lifeboat" lint .github/workflows/good.yml
faulty() { # faulty NAME LINE COLUMN TEXT: lint and submit say it and where
	local at=.github/workflows/$1.yml
	refused 1 "$at:$2:$3: $4" lint "$at"
	refused 3 "$at (Line: $2, Col: $3): $4" submit -w "$at"
}
faulty malformed 5 14 "this \" is never closed by another"
faulty tab 3 2 "a tab where only blanks can indent"
faulty cycle 7 16 "Job 'b' depends on job 'c' which creates a cycle"
faulty key 6 5 "Unexpected value 'stepz'"
faulty twice 6 3 "'a' is already defined"
faulty needs 7 12 "Job 'b' depends on unknown job 'nobody'"
faulty expression 4 9 ""
faulty event 1 5 "Unexpected value 'whenever'"
refused 1 ".github/workflows/empty.yml" lint .github/workflows/empty.yml
refused 3 ".github/workflows/empty.yml" submit -w .github/workflows/empty.yml
refused 1 ".github/workflows/noise.yml:" lint .github/workflows/noise.yml
refused 3 ".github/workflows/noise.yml" submit -w .github/workflows/noise.yml
refused 1 "cannot open nothere.yml" lint nothere.yml
refused 1 "has no such file; its workflows are: aliases.yml, cycle.yml" submit -w nothere.yml
refused 3 "does not run on push" submit -w good.yml -e push
refused 3 'Unexpected inputs provided: ["colour"]' submit -w good.yml -i colour=red
refused 2 "--input colour: expected NAME=VALUE" submit -w good.yml -i colour
LIFEBOAT_TOKEN=lbu_wrong refused 1 "expected a person's token" submit -w good.yml

# ---- the API ----

runs=$LIFEBOAT_COORDINATOR/api/v1/runs
asked 400 "line 1, column" "$runs" -d '{"repository":'
asked 400 "repository" "$runs" -d '{}'
asked 400 "expected OWNER/NAME" "$runs" -d '{"repository":"../x","workflow":"good.yml","ref":"main"}'
asked 404 "no repository local/nothere here yet" "$runs" -d '{"repository":"local/nothere","workflow":"good.yml","ref":"main"}'
asked 404 'no commit, branch or tag \"refs/heads/nothere\"' "$runs" \
	-d '{"repository":"local/r","workflow":"good.yml","ref":"nothere"}'
asked 400 "expected a path inside the repository" "$runs" -d '{"repository":"local/r","workflow":"../../../../etc/passwd","ref":"main"}'
asked 404 "no run 7" "$runs/7"
asked 404 "" "$runs/x"
asked 404 "" "$LIFEBOAT_COORDINATOR/api/v1/nothing"
asked 405 "" -X DELETE "$runs"
asked 400 "limit" "$runs?limit=x"
ok "no run was made by any of this" no_runs
refused 0 "/runs/1" submit -w good.yml
echo "1..$count"
