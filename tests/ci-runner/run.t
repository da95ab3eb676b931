#!/bin/bash
# run.t - lifeboat-runner run, exec and lint, from a checkout made here.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
LB_TOP=$(realpath "${LB_TOP:-.}")
runner=$LB_BUILD/lifeboat-runner
cases=$LB_TOP/tests/ci-runner/cases
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export XDG_STATE_HOME=$tmp/state HOME=$tmp NO_COLOR=1 LIFEBOAT_ACTIONS_SOURCE=$tmp/published
count=0
failed=0

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		tail -n 25 "$tmp/out" | sed 's/^/# /'
		failed=1
	fi
}
has() { grep -qxF -- "$1" "$tmp/out"; ok $? "says: $1"; }
hasnt() { ! grep -qxF -- "$1" "$tmp/out"; ok $? "does not say: $1"; }

if ! "$runner" exec --network none -- true >"$tmp/out" 2>&1; then
	echo "1..0 # SKIP $(tail -n 1 "$tmp/out")"
	exit 0
fi

# ---- a checkout
repo=$tmp/repo
mkdir -p "$repo/.github/workflows" "$repo/sub" "$repo/greet/inner"
cp "$cases"/*.yml "$repo/.github/workflows/"
echo committed >"$repo/sub/file"
cat >"$repo/greet/action.yml" <<'A'
name: greet
description: greets
inputs:
  who: { default: world, description: whom }
outputs:
  said: { value: "${{ steps.say.outputs.said }}", description: what }
  nested: { value: "${{ steps.in.outputs.word }}", description: what }
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      run: echo "said=hello ${{ inputs.who }} from $(basename "$GITHUB_ACTION_PATH")" >> "$GITHUB_OUTPUT"
    - id: in
      uses: ./greet/inner
A
cat >"$repo/greet/inner/action.yml" <<'A'
name: inner
description: nested
outputs:
  word: { value: "${{ steps.w.outputs.word }}", description: word }
runs:
  using: composite
  steps:
    - id: w
      shell: sh
      run: echo "word=deep" >> "$GITHUB_OUTPUT"
A
git init -q -b main "$repo"
cd "$repo" || exit 1
git -c user.name=n -c user.email=e add . && git -c user.name=n -c user.email=e commit -qm first
echo changed >sub/file
echo secret >sub/secret.txt
printf 'swordfish\n' >"$tmp/secret"

# ---- run
"$runner" run --workflow .github/workflows/steps.yml --input who=tester --secret DEEP="$tmp/secret" \
	--artifacts "$tmp/artifacts" >"$tmp/out" 2>&1
ok $? "a good workflow exits 0"
has "env=step job,w,true,true,first,Linux"
has "secret is *** and ***"
! grep -q swordfish "$tmp/out"
ok $? "no secret shows"
has "this is a ***"
has "::error::not an error"
has "tool ran"
has "later=exported"
has "lines=42"
has "2"
has "fails=failure/success"
hasnt "must not run"
has "python=42"
has "sub=sub changed"
has "+ echo traced"
has "said=hello tester from greet nested=deep"
has "n=1 answer=42 secret=[]"
has "n=2 answer=42 secret=[]"
has "./files/greet/action.yml ./files/sub/file "
hasnt "a survivor"
hasnt "reached"
has "no network"
has "=== second (2): success"
test -s "$tmp/artifacts/files.zip"
ok $? "the artifact is kept"
! ls -d "$tmp"/state/lifeboat/run/*/local >"$tmp/out" 2>/dev/null
ok $? "no folder stays behind"

"$runner" run --workflow .github/workflows/steps.yml --job second --matrix n=2 >"$tmp/out" 2>&1
ok $? "one job of a matrix, and what it needs"
has "=== first: success"
has "=== second (2): success"
hasnt "=== second (1)"

"$runner" run --workflow .github/workflows/fails.yml >"$tmp/out" 2>&1
test $? -eq 1
ok $? "a workflow that fails exits 1"
has "error: Process completed with exit code 5."
has "always runs, failure"
has "=== bad: failure"
has "=== after: skipped"
hasnt "must not run"
grep -q "error: Unable to resolve action: someone/else@v1: " "$tmp/out"
ok $? "an action that cannot be run is named"
grep -q "error: The action 'Run sleep 20' has timed out" "$tmp/out"
ok $? "a step's time is limited"

# ---- a job that puts links in the way of the runner
outside=$tmp/outside
mkdir -p "$outside/action"
echo "top-secret=1" >"$outside/secret"
echo "top-secret" >"$outside/action/action.yml"
sed -i "s,OUTSIDE,$outside,g" .github/workflows/links.yml
"$runner" run --workflow .github/workflows/links.yml --artifacts "$tmp/leaks" >"$tmp/out" 2>&1
ok $? "a job with links in odd places ends"
! grep -q top-secret "$tmp/out"
ok $? "nothing from outside is shown"
test "$(grep -c 'is no longer a regular file' "$tmp/out")" -ge 2
ok $? "files that were replaced are refused"
has "cannot be moved"
! grep -rq top-secret "$tmp/leaks"
ok $? "nothing from outside is in an artifact"
test "$(cd "$outside" && find . -type f | sort | tr '\n' ' ')" = "./action/action.yml ./secret "
ok $? "nothing was written outside"
has "hash=[]"
! ls -d "$tmp"/state/lifeboat/run/*/local >"$tmp/out" 2>/dev/null
ok $? "folders without permissions are removed too"

"$runner" run --workflow .github/workflows/steps.yml --job nothing >"$tmp/out" 2>&1
test $? -eq 1
ok $? "an unknown job is refused"
grep -q "has no job 'nothing'" "$tmp/out"
ok $? "... with its name"
"$runner" run >"$tmp/out" 2>&1
test $? -eq 2
ok $? "several workflows: which one?"

cat >.github/workflows/parts.yml <<'END'
on: workflow_dispatch
jobs:
  a:
    runs-on: x
    steps:
      - run: echo "user is ${{ fromJSON(secrets.J).user }}, key is $KEY, port is ${{ fromJSON(secrets.J).port }}"
        env: { KEY: "${{ fromJSON(env.J).keys[0] }}" }
    env: { J: "${{ secrets.J }}" }
END
printf '{"user": "marlin", "keys": ["barracuda"], "port": "80"}' >"$tmp/json"
"$runner" run --workflow .github/workflows/parts.yml --secret J="$tmp/json" >"$tmp/out" 2>&1
has "user is ***, key is ***, port is 80"
! grep -qE 'marlin|barracuda' "$tmp/out"
ok $? "the parts of a secret are secrets"
rm .github/workflows/parts.yml

# ---- lint
"$runner" lint .github/workflows/steps.yml .github/workflows/fails.yml >"$tmp/out" 2>&1
ok $? "good files have no problems"
"$runner" lint >"$tmp/out" 2>&1
test $? -eq 1
ok $? "a bad file exits 1"
grep -q '^.github/workflows/broken.yml:8:9: ' "$tmp/out" && grep -qx '            \^' "$tmp/out"
ok $? "a problem is shown where it stands"
cat >"$tmp/doubtful.yml" <<'END'
on: issues
jobs:
  a:
    runs-on: x
    steps:
      - uses: actions/checkout@v4
      - run: echo "${{ github.event.issue.title }}"
END
"$runner" lint "$tmp/doubtful.yml" >"$tmp/out" 2>&1
ok $? "what is doubtful alone exits 0"
has "$tmp/doubtful.yml:6:15: warning: actions/checkout@v4 can change; name a commit by its full SHA [unpinned-action]"
has "$tmp/doubtful.yml:7:20: warning: strangers can write github.event.issue.title, and it becomes part of the script; pass it through \`env\` [script-injection]"
"$runner" lint --format json "$tmp/doubtful.yml" .github/workflows/broken.yml >"$tmp/out" 2>&1
test $? -eq 1
ok $? "errors exit 1 in every format"
json() { # TEXT NAME: the output, read as JSON, without its line ends
	tr -d '\n' <"$tmp/out" | tr -s ' ' | grep -qF -- "$1"
	ok $? "$2"
}
json "{ \"file\": \"$tmp/doubtful.yml\", \"line\": 6, \"column\": 15, \"severity\": \"warning\", \"rule\": \"unpinned-action\"," "JSON has the warnings"
json '"file": ".github/workflows/broken.yml", "line": 8, "column": 9, "severity": "error", "rule": "syntax",' "JSON has the errors"
"$runner" lint --format sarif "$tmp/doubtful.yml" >"$tmp/out" 2>&1
ok $? "SARIF is written"
json '"ruleId": "script-injection", "level": "warning", "message": { "text": "strangers can write' "SARIF has the results"
json '"region": { "startLine": 7, "startColumn": 20 }' "SARIF has their places"
"$runner" lint --format xml "$tmp/doubtful.yml" >"$tmp/out" 2>&1
test $? -eq 2 && grep -q -- '--format is text, json or sarif, not xml' "$tmp/out"
ok $? "another format is a usage error"

cat >"$tmp/script.yml" <<'END'
on: push
jobs:
  a:
    runs-on: x
    steps:
      - run: |
          cd "${{ github.workspace }}"
          x=$(ls) # é
          [ "${{ vars.yyy }}" = a ] || exit -1
END
"$runner" lint --reference | cmp - "$LB_TOP/docs/workflow-syntax.md"
ok $? "the reference is the one in docs/"
mkdir -p "$tmp/action"
printf 'name: a\ninputs: { b: { requird: true } }\nruns: { using: node20, main: m.js, pots: x }\n' >"$tmp/action/action.yml"
"$runner" lint "$tmp/action/action.yml" >"$tmp/out" 2>&1
test $? -eq 1
ok $? "an action's manifest is checked as one"
has "$tmp/action/action.yml:3:36: Unexpected value 'pots'"
PATH=/nowhere "$runner" lint "$tmp/doubtful.yml" "$tmp/script.yml" .github/workflows/steps.yml >"$tmp/out" 2>&1
test $? -eq 0 && test "$(grep -c 'shellcheck is not installed' "$tmp/out")" -eq 1
ok $? "that shellcheck is missing is said once"
PATH=/nowhere "$runner" lint --no-shellcheck "$tmp/script.yml" >"$tmp/out" 2>&1
test $? -eq 0 && test ! -s "$tmp/out"
ok $? "and not when it is not wanted"
if command -v shellcheck >/dev/null 2>&1; then
	"$runner" lint "$tmp/script.yml" >"$tmp/out" 2>&1
	ok $? "what shellcheck says is a warning"
	has "$tmp/script.yml:8:11: warning: SC2034: x appears unused. Verify use (or export if used externally). [shellcheck]"
	has "$tmp/script.yml:9:45: warning: SC2242: Can only exit with status 0-255. Other data should be written to stdout/stderr. [shellcheck]"
	test "$(grep -c warning "$tmp/out")" -eq 2
	ok $? "and of expressions it says nothing"
else
	ok 0 "shellcheck # SKIP it is not installed"
fi

# ---- exec
"$runner" exec --network none -- sh -c 'exit 7' >"$tmp/out" 2>&1
test $? -eq 7
ok $? "exec passes the exit status on"
echo in | "$runner" exec --network none -- sh -c 'cat; pwd; touch here; touch /usr/here 2>/dev/null || echo ro' >"$tmp/out" 2>&1
test "$(cat "$tmp/out")" = "in
$repo
ro" && test -e here
ok $? "exec sees the current folder, and writes nowhere else"
"$runner" exec --network some -- true >"$tmp/out" 2>&1
test $? -eq 2
ok $? "an unknown network is a usage error"
"$runner" exec --network full -- no-such-program >"$tmp/out" 2>&1
test $? -ne 0 && grep -q "no-such-program" "$tmp/out"
ok $? "a program that is not there is named"

# ---- a sandbox within a sandbox, as `lifeboat exec` in a step makes it
mkdir -p "$tmp/expose" && cp "$runner" "$tmp/expose/"
"$runner" exec --network full --expose "$tmp/expose" -- \
	"$tmp/expose/lifeboat-runner" exec --network none -- sh -c 'cat /proc/net/dev | grep -vc -e "|" -e lo:; echo nested' >"$tmp/out" 2>&1
test "$(cat "$tmp/out")" = "0
nested"
ok $? "exec works within exec"

# ---- the runner killed: its sandbox goes with it
"$runner" exec --network none -- sh -c 'echo up; sleep 876543' >"$tmp/out" 2>&1 &
pid=$!
for _ in $(seq 1 100); do grep -q up "$tmp/out" && break; sleep 0.05; done
{ kill -9 "$pid" && wait "$pid"; } 2>/dev/null
gone=1
for _ in $(seq 1 40); do
	if ! pgrep -f 'sleep 876543' >/dev/null; then gone=0; break; fi
	sleep 0.05
done
ok $gone "kill -9 of the runner ends its sandbox"

# ---- serve refuses a folder that holds other things
mkdir -p "$tmp/home/precious" && echo lbr_x >"$tmp/token"
"$runner" serve --coordinator http://127.0.0.1:9 --token-file "$tmp/token" --work "$tmp/home" >"$tmp/out" 2>&1
test $? -eq 3 && test -d "$tmp/home/precious" && grep -q "holds 'precious', which no runner made" "$tmp/out"
ok $? "serve never empties a folder that is not its own"
echo lbu_x >"$tmp/token"
"$runner" serve --coordinator http://127.0.0.1:9 --token-file "$tmp/token" --work "$tmp/work" >"$tmp/out" 2>&1
test $? -eq 3 && grep -q "expected one that begins with lbr_" "$tmp/out"
ok $? "serve says which token it wants"

# ---- asked to end
"$runner" run --workflow .github/workflows/slow.yml >"$tmp/out" 2>&1 &
pid=$!
for _ in $(seq 1 100); do grep -qx begun "$tmp/out" && break; sleep 0.05; done
kill -INT "$pid"
wait "$pid"
test $? -eq 1
ok $? "a run that is interrupted exits 1"
has "interrupted"
has "error: The operation was canceled."
has "cleaned up"
has "=== slow: cancelled"
has "even so"

# ---- as an ordinary user
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mkdir -p "$tmp/user" && chown 64123:64123 "$tmp/user" && chmod 755 "$tmp"
	cp "$runner" "$tmp/user/runner" && chmod 755 "$tmp/user/runner"
	(cd "$tmp/user" && HOME=$tmp/user setpriv --reuid 64123 --regid 64123 --clear-groups \
		"$tmp/user/runner" exec --network none -- \
		sh -c 'id -u; touch mine && echo wrote; cat /etc/shadow 2>/dev/null; ls /root 2>/dev/null; grep -vc -e "|" -e lo: /proc/net/dev') >"$tmp/out" 2>&1
	test "$(cat "$tmp/out")" = "1001
wrote
0"
	ok $? "it works as an ordinary user"
	cp -r "$repo" "$tmp/user/repo" && chown -R 64123:64123 "$tmp/user/repo"
	(cd "$tmp/user/repo" && XDG_STATE_HOME=$tmp/user/state HOME=$tmp/user TMPDIR=$tmp/user setpriv --reuid 64123 \
		--regid 64123 --clear-groups "$tmp/user/runner" run --workflow .github/workflows/steps.yml) >"$tmp/out" 2>&1
	ok $? "a whole run as an ordinary user"
	has "=== second (2): success"
	(cd "$tmp/user/repo" && XDG_STATE_HOME=$tmp/user/state HOME=$tmp/user TMPDIR=$tmp/user setpriv --reuid 64123 \
		--regid 64123 --clear-groups "$tmp/user/runner" run --workflow .github/workflows/links.yml) >"$tmp/out" 2>&1
	ok $? "links as an ordinary user"
	ls -d "$tmp"/user/state/lifeboat/run/work1 >"$tmp/out" 2>/dev/null
	test ! -s "$tmp/out"
	ok $? "... whose folders are removed too"
fi

echo "1..$count"
exit $failed
