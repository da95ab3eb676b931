#!/bin/bash
# actions.t - actions of other repositories: Node and composite, from a mirror, pinned by a lock.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
LB_TOP=$(realpath "${LB_TOP:-.}")
runner=$LB_BUILD/lifeboat-runner
given=$LB_TOP/tests/ci-runner/actions
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export XDG_STATE_HOME=$tmp/state HOME=$tmp NO_COLOR=1 LIFEBOAT_ACTIONS_SOURCE=$tmp/published
unset LIFEBOAT_TOOL_CACHE
mkdir "$tmp/t"
export TMPDIR=$tmp/t
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
hasnt() { ! grep -qF -- "$1" "$tmp/out"; ok $? "does not say: $1"; }
part() { grep -qF -- "$1" "$tmp/out"; ok $? "says: ...$1"; }
commit() { git -C "$1" add -A && git -C "$1" -c user.name=n -c user.email=e commit -qm "$2"; }

if ! "$runner" exec --network none -- true >"$tmp/out" 2>&1; then
	echo "1..0 # SKIP $(tail -n 1 "$tmp/out")"
	exit 0
fi
if ! command -v node >/dev/null; then
	echo "1..0 # SKIP there is no Node.js"
	exit 0
fi

them=$tmp/published/them/node
mkdir -p "$tmp/published/them" "$tmp/repo/.github/workflows"
cp -R "$given/published/node" "$them"
git init -q -b main "$them" && commit "$them" one && git -C "$them" tag v1
cp -R "$given/checkout/self" "$tmp/repo/self"
cp "$given/checkout/good.yml" "$tmp/repo/.github/workflows/"
git init -q -b main "$tmp/repo" && commit "$tmp/repo" one
cd "$tmp/repo" || exit 1

# ---- fetched once, recorded
"$runner" run >"$tmp/out" 2>&1
ok $? "actions from a mirror that had to be filled"
has "==> Pre Run them/node@v1"
has "pre who=you"
has "main who=you depth=1 state=pre"
has "repository=them/node ref=v1 path=v1"
has "cwd is the workspace: true, own env: mine"
has "warning: Unexpected input(s) 'bad', valid inputs are ['who greeted', 'fetch-depth', 'token', 'old']"
has "warning: Input 'old' has been deprecated with message: use who greeted"
has "main who=me-1 depth=1 state=pre"
has "main who=me-2 depth=1 state=pre"
has "in comp"
has "got said to you, said to me-1"
has "self at _self/self"
has "warning: actions/stale@v9 is not applicable off GitHub: this step was skipped"
has "==> Run actions/stale@v9: skipped"
has "stale is skipped"
part "error: uses: docker://alpine:3: "
part "error: Can't find 'action.yml' or 'action.yaml' under"
posts=$(grep -E '^(==> Post|post )' "$tmp/out" | tr '\n' '|')
test "$posts" = "==> Post composite|post who=me-2 state=pre,kept|post who=me-1 state=pre,kept|==> Post Run them/node@v1|post who=you state=pre,kept|"
ok $? "what comes after runs in reverse, a composite action's in one step"
grep -q '^them/node@v1 [0-9a-f]* sha256:[0-9a-f]*$' "$tmp/state/lifeboat/actions/recorded.lock"
ok $? "what was fetched is recorded"

mv "$tmp/published" "$tmp/away"
"$runner" run >"$tmp/out" 2>&1
ok $? "the second time nothing is fetched"
hasnt "away"
mv "$tmp/away" "$tmp/published"

# ---- a step that fails, an action that cannot be had
mv .github/workflows/good.yml "$tmp/"
cp "$given/checkout/bad.yml" .github/workflows/
"$runner" run >"$tmp/out" 2>&1
test $? -eq 1
ok $? "an action that fails fails its job"
has "error: Process completed with exit code 3."
has "post who=nobody state=pre,kept"
part "error: Unable to resolve action: nobody/knows-it@v1: "
rm .github/workflows/bad.yml
mv "$tmp/good.yml" .github/workflows/

# ---- the lock
sed -i '/nobody\/knows-it/d; /if: false/d' .github/workflows/good.yml
"$runner" actions lock >"$tmp/out" 2>&1
ok $? "lock"
part "them/node@v1: "
test "$(grep -c '^them/node@' .lifeboat/actions.lock)" = 2
ok $? "both refs are pinned, what is built in is not"
"$runner" actions verify >"$tmp/out" 2>&1
ok $? "verify"
has "them/node@v1: as locked"
"$runner" run >"$tmp/out" 2>&1
ok $? "a run with a lock"

echo "// changed" >>"$them/main.js"
commit "$them" two && git -C "$them" tag -f v1 >"$tmp/out"
"$runner" actions verify >"$tmp/out" 2>&1
test $? -eq 1
ok $? "verify finds a tag that moved"
part "them/node@v1: moved: it names commit "
"$runner" run >"$tmp/out" 2>&1
test $? -eq 1
ok $? "a run refuses it"
part "error: Unable to resolve action: them/node@v1: it moved: v1 names commit "
"$runner" actions update them/node@v1 >"$tmp/out" 2>&1
ok $? "update of one ref"
part " -> "
"$runner" actions verify >"$tmp/out" 2>&1
test $? -eq 1
ok $? "the other ref was not updated"
part "them/node@main: moved: "
"$runner" actions update >"$tmp/out" 2>&1 && "$runner" actions verify --offline >"$tmp/out" 2>&1
ok $? "update of all"
"$runner" run >"$tmp/out" 2>&1
ok $? "and a run"

sed -i '/them\/node@main/d' .lifeboat/actions.lock
"$runner" actions verify --offline >"$tmp/out" 2>&1
test $? -eq 1
ok $? "what is used and not locked is found"
has "them/node@main: is used and not locked"
"$runner" run >"$tmp/out" 2>&1
part "them/node@main is not in .lifeboat/actions.lock"
sed -i 's/^\(them.*sha256:\)./\1x/' .lifeboat/actions.lock
"$runner" run >"$tmp/out" 2>&1
part ".lifeboat/actions.lock:3: expected OWNER/REPO@REF COMMIT sha256:DIGEST"
"$runner" actions nonsense >"$tmp/out" 2>&1
test $? -eq 2
ok $? "an unknown verb is bad usage"
! ls -d "$TMPDIR"/lifeboat-* >"$tmp/out" 2>/dev/null
ok $? "no folder stays behind"

echo "1..$count"
exit "$failed"
