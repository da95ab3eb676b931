#!/bin/bash
# plan.t - lifeboat-runner plan: what would run, why not, as a tree, as JSON, as a drawing.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
runner=$LB_BUILD/lifeboat-runner
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
		tail -n 30 "$tmp/out" | sed 's/^/# /'
		failed=1
	fi
}
has() { grep -qxF -- "$1" "$tmp/out"; ok $? "says: $1"; }
part() { grep -qF -- "$1" "$tmp/out"; ok $? "says: ...$1"; }
plan() { # STATUS ARG...: ends so
	local want=$1
	shift
	"$runner" plan "$@" >"$tmp/out" 2>&1
	[ $? -eq "$want" ]
	ok $? "plan ${*//$tmp/} ends with $want"
}
commit() { git -C "$1" add -A && git -C "$1" -c user.name=n -c user.email=e commit -qm "$2"; }

# ---- a checkout, and a repository whose workflow it calls
them=$tmp/published/them/flows
mkdir -p "$tmp/repo/.github/workflows" "$them/.github/workflows"
cat >"$them/.github/workflows/check.yml" <<'W'
on: { workflow_call: { inputs: { level: { type: string } } } }
jobs:
  check: { runs-on: linux, name: "Check ${{ inputs.level }}", steps: [{ run: 'true' }] }
  deeper: { uses: ./.github/workflows/inner.yml, needs: check }
W
cat >"$them/.github/workflows/inner.yml" <<'W'
on: workflow_call
jobs: { in: { runs-on: linux, steps: [{ run: echo inner }] } }
W
git init -q -b main "$them" && commit "$them" one && git -C "$them" tag v1
cat >"$tmp/repo/.github/workflows/ci.yml" <<'W'
name: CI
on:
  push: { branches: [main, '!wip/**'], paths: ['src/**'] }
  pull_request:
  workflow_dispatch: { inputs: { level: { type: choice, options: [low, high], default: low } } }
  schedule: [{ cron: '30 5 * * 1-5' }]
concurrency: { group: "${{ github.workflow }}-${{ github.ref }}", cancel-in-progress: true }
jobs:
  find:
    name: Find what to test
    runs-on: linux
    outputs: { list: "${{ steps.s.outputs.list }}" }
    steps: [{ run: 'true' }]
  test:
    name: Test ${{ matrix.os }}
    needs: find
    runs-on: ${{ matrix.os }}
    strategy: { matrix: "${{ fromJSON(needs.find.outputs.list) }}" }
    steps: [{ run: 'true' }]
  lint:
    runs-on: linux
    if: github.event_name == 'pull_request'
    steps: [{ run: 'true' }]
  report:
    runs-on: linux
    needs: [test, lint]
    if: failure()
    steps: [{ run: 'true' }]
  them:
    needs: find
    uses: them/flows/.github/workflows/check.yml@v1
    with: { level: "${{ inputs.level || 'none' }}" }
W
cat >"$tmp/repo/.github/workflows/tags.yml" <<'W'
on: { push: { tags: 'v*' } }
jobs: { release: { runs-on: linux, steps: [{ run: 'true' }] } }
W
git init -q -b main "$tmp/repo" && commit "$tmp/repo" one
cd "$tmp/repo" || exit 1
ci=.github/workflows/ci.yml

# ---- the tree
plan 0 --event push $ci
has "CI ($ci) on push of refs/heads/main: 3 jobs run, 1 skipped, 2 waiting"
has "concurrency group CI-refs/heads/main, cancels what is in progress"
has "├─ Find what to test (find) on linux"
has "├─ Test \${{ matrix.os }} (test), needs find: waits"
has "│    $ci:18:25: waits for the outputs of find"
has "├─ lint: skipped"
has "│    $ci:22:9: if: github.event_name == 'pull_request'"
has "├─ report, needs test, lint: waits"
has "└─ them calls them/flows/.github/workflows/check.yml@v1, needs find"
has "   ├─ Check none (check) on linux"
has "   └─ deeper calls ./.github/workflows/inner.yml, needs check"
has "      └─ in on linux"

# ---- with what the first job would say
echo '{"find": {"list": "{\"os\": [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"]}"}}' >"$tmp/outputs"
plan 0 --event push --outputs "$tmp/outputs" $ci
has "├─ test, 7 jobs, needs find"
has "│  ├─ Test a on a"
has "│  └─ … and 2 more; --all shows them"
has "│    $ci:27:9: if: failure()"
plan 0 --event push --outputs "$tmp/outputs" --all $ci
has "│  └─ Test g on g"
plan 0 --event pull_request --outputs "$tmp/outputs" --result test.3=failure $ci
has "├─ lint on linux"
has "├─ report on linux, needs test, lint"

# ---- why not
plan 1 --event push --ref wip/a $ci
has "CI ($ci) on push of refs/heads/wip/a: does not run"
has "  $ci:3:28: branches: 'wip/a' is excluded by '!wip/**'"
plan 1 --event push --changed docs/a --changed b $ci
has "  $ci:3:48: paths: none of 2 changed files matches"
plan 0 --event push --changed docs/a --changed src/b $ci
plan 1 --event pull_request --action labeled $ci
part "$ci:4:3: types: 'labeled' is not among the default activity types"
plan 1 --event release $ci
has "  $ci:3:3: on: 'release' is not among its events"

# ---- all files, payloads, inputs, schedules
plan 0 --event push
part "does not run"
has "  .github/workflows/tags.yml:1:21: tags: 'refs/heads/main' is a branch"
plan 0 --event push --ref refs/tags/v1 .github/workflows/tags.yml
has "└─ release on linux"
echo '{"action": "synchronize", "number": 7, "pull_request": {"base": {"ref": "main"}, "head": {"ref": "x"}}, "repository": {"full_name": "a/b"}}' >"$tmp/payload"
plan 0 --event pull_request --payload "$tmp/payload" $ci
part " on pull_request of refs/pull/7/merge: "
plan 0 --input level=high $ci
has "   ├─ Check high (check) on linux"
plan 3 --input level=top $ci
part "Provided value 'top' for input 'level' not in the list of allowed values"
plan 0 --event workflow_call --input level=x "$them/.github/workflows/check.yml"
has "├─ Check x (check) on linux"
plan 0 --event schedule $ci
grep -qE '^at 30 5 \* \* 1-5, next 20[0-9-]+T05:30Z$' "$tmp/out"
ok $? "the next time of a schedule"

# ---- JSON
plan 0 --event push --format json --outputs "$tmp/outputs" $ci
if command -v python3 >/dev/null; then
	python3 - "$tmp/out" <<'P'
import json, sys
w = json.load(open(sys.argv[1]))["workflows"][0]
jobs = {j["id"]: j for j in w["jobs"]}
assert w["runs"] and w["counts"] == {"runs": 10, "skipped": 2, "waits": 0, "fails": 0}, w["counts"]
assert w["concurrency"] == {"group": "CI-refs/heads/main", "cancel-in-progress": True, "queue": "single"}
assert jobs["test.6"]["name"] == "Test g" and jobs["test.6"]["matrix"] == {"os": "g"}
assert jobs["test.6"]["needs"] == ["find"] and jobs["test.6"]["labels"] == ["g"]
assert jobs["lint"]["why"] == {"text": "if: github.event_name == 'pull_request'", "file": w["file"], "line": 22, "column": 9}
assert jobs["them/deeper/in"]["file"] == "them/flows/.github/workflows/inner.yml@v1"
P
	ok $? "JSON says what the tree says"
fi

# ---- the drawing
plan 0 --event push --format svg --outputs "$tmp/outputs" $ci
has "<desc id=\"desc\">10 jobs run, 2 skipped</desc>"
part "<title id=\"title\">CI on push</title>"
part "7 jobs"
if command -v python3 >/dev/null; then
	python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$tmp/out"
	ok $? "the drawing is XML"
fi

# ---- from elsewhere
cd / && plan 0 --event push "$tmp/repo/$ci" && cd "$tmp/repo" || exit 1
has "   └─ deeper calls ./.github/workflows/inner.yml, needs check"

# ---- wrong words
plan 2 --format xml $ci
part "--format is tree, json or svg, not xml"
plan 2 --input level $ci
part "--input level: expected KEY=VALUE"
plan 2 --result test=odd $ci
part "--result test=odd: expected success, failure or cancelled"
plan 1 nothere.yml
part "nothere.yml"
echo '[]' >"$tmp/list"
plan 3 --payload "$tmp/list" $ci
part "$tmp/list: expected an object"
plan 2 --format svg
part "a drawing is of one workflow: name one of the 2"
mkdir .lifeboat && "$runner" actions lock >"$tmp/out" 2>&1
ok $? "what is called can be locked"
plan 0 --event push $ci
: >.lifeboat/actions.lock
plan 1 --event push $ci
part "them/flows@v1"
rm -r .lifeboat

# ---- and run
if "$runner" exec --network none -- true >/dev/null 2>&1; then
	"$runner" run --workflow $ci --event push --job them >"$tmp/out" 2>&1
	ok $? "jobs of a called repository run"
	has "=== them / Check none: success"
	has "=== them / deeper / in: success"
	has "inner"
fi
sed -i 's/v1$/v9/' $ci
plan 1 --event push $ci
part "$ci (Line: 31, Col: 11): "

echo "1..$count"
exit $failed
