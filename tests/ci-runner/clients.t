#!/bin/bash
# clients.t - GitHub's packages from npm, unchanged, in jobs without any network.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
LB_TOP=$(realpath "${LB_TOP:-.}")
runner=$LB_BUILD/lifeboat-runner
given=$LB_TOP/tests/ci-runner/clients
modules=$(realpath -m "$LB_TOP/build/node/node_modules")
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export XDG_STATE_HOME=$tmp/state HOME=$tmp NO_COLOR=1 LIFEBOAT_ACTIONS_SOURCE=$tmp/none LIFEBOAT_TOOL_CACHE=$tmp/tools
count=0
failed=0

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		tail -n 40 "$tmp/out" | sed 's/^/# /'
		failed=1
	fi
}
has() { grep -qxF -- "$1" "$tmp/out"; ok $? "says: $1"; }

if ! "$runner" exec --network none -- true >"$tmp/out" 2>&1; then
	echo "1..0 # SKIP $(tail -n 1 "$tmp/out")"
	exit 0
fi
if [ ! -d "$modules/@actions/artifact" ] || ! command -v node >/dev/null; then
	echo "1..0 # SKIP the packages are not there (.ci/setup test fetches them)"
	exit 0
fi
arch=$(node -p 'os.arch()')
mkdir -p "$tmp/tools/seeded/2.0.0/$arch" "$tmp/repo/.github/workflows"
touch "$tmp/tools/seeded/2.0.0/$arch.complete"
cp -R "$given/client" "$tmp/repo/client"
sed "s,MODULES,$modules," "$given/clients.yml" >"$tmp/repo/.github/workflows/clients.yml"
git init -q -b main "$tmp/repo" && cd "$tmp/repo" || exit 1
git add -A && git -c user.name=n -c user.email=e commit -qm one

for part in exec tool-cache cache cache-v1 artifact outside; do
	"$runner" run --job clients --matrix "part=$part" --expose "$modules" >"$tmp/out" 2>&1
	ok $? "@actions: $part"
	grep '^good: ' "$tmp/out" | sort | uniq -c | sed 's/^ */# /'
done
"$runner" run --job core --expose "$modules" >"$tmp/out" 2>&1
ok $? "@actions/core and glob"
has "good: an input"
has "this is ***"
has "warning: a warning"
has "output=1 lines=2 path=/tmp/from-core"
has "good: files found by a pattern"
has "same hash: true"

echo "1..$count"
exit "$failed"
