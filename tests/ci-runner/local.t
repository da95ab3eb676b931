#!/bin/bash
# local.t - lifeboat-runner run as people use it before a push: one step, a shell, offline, secrets, artifacts.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
runner=$LB_BUILD/lifeboat-runner
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export XDG_STATE_HOME=$tmp/state HOME=$tmp NO_COLOR=1
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
hasnt() { ! grep -qF -- "$1" "$tmp/out"; ok $? "does not say: $1"; }

if ! "$runner" exec --network none -- true >"$tmp/out" 2>&1; then
	echo "1..0 # SKIP $(tail -n 1 "$tmp/out")"
	exit 0
fi

mkdir -p "$tmp/repo/.github/workflows"
cd "$tmp/repo" || exit 1
cat >.github/workflows/ci.yml <<'W'
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    steps:
      - run: echo "first" ran
  job:
    runs-on: ubuntu-latest
    strategy: { matrix: { os: [one, two] } }
    env: { WHERE: "${{ matrix.os }}" }
    steps:
      - uses: actions/checkout@v4
      - run: echo "before" ran
      - name: Look
        id: look
        run: echo "look $WHERE $(cat file) $(cat new)"
      - run: echo "after" ran
  fails:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: exit 5
        env: { MARK: left by the step, LIFEBOAT_NETWORK: none }
      - if: always()
        run: echo "went" on
  net:
    runs-on: ubuntu-latest
    steps:
      - run: |
          if grep -v -e lo: -e '|' /proc/net/dev; then echo "not" alone; else echo "quite" alone; fi
  secrets:
    runs-on: ubuntu-latest
    steps:
      - env: { A: "${{ secrets.A }}", B: "${{ secrets.B }}", C: "${{ secrets.C }}" }
        run: |
          echo "lengths ${#A} ${#B} ${#C}"
          echo "shown $A"
      - run: echo kept > kept
      - uses: actions/upload-artifact@v4
        with: { name: kept, path: kept }
W
echo committed >file
git init -q . && git -c user.name=t -c user.email=t@localhost.invalid add -A &&
	git -c user.name=t -c user.email=t@localhost.invalid commit -qm one >/dev/null
echo changed >file
echo new >new

# ---- one job, one cell, one step, of the tree as it stands
"$runner" run --job job --matrix os=two --step look >"$tmp/out" 2>&1
ok $? "one step of one cell"
has "look two changed new"
hasnt "before ran"
hasnt "after ran"
hasnt "look one"
hasnt "first ran"
"$runner" run --job job --step Look >"$tmp/out" 2>&1
ok $? "a step by its name"
has "look one changed new"
"$runner" run --job job --step other >"$tmp/out" 2>&1
test $? -eq 1 && has "lifeboat-runner run: job 'job' has no step with the id or name 'other'"
"$runner" run --step look >"$tmp/out" 2>&1
test $? -eq 2
ok $? "a step needs its job"

# ---- offline
"$runner" run --job net --offline >"$tmp/out" 2>&1
ok $? "a run offline"
has "quite alone"

# ---- secrets from a file, a list and the keyring; artifacts in a folder
printf 'hunter22\n' >"$tmp/a"
printf '# mine\nB = "quoted value"\n\n' >"$tmp/list"
cat >"$tmp/with-key" <<'P'
# Adds a key to a session keyring of its own and becomes the command.
my ($ring, $kind, $name, $value) = ("lifeboat-test", "user", "lifeboat:C", "from the keyring");
exit 77 if `uname -m` ne "x86_64\n" || syscall(250, 1, $ring) < 0 || syscall(248, $kind, $name, $value, 16, -3) < 0;
exec @ARGV or exit 78;
P
perl "$tmp/with-key" true
if [ $? -eq 77 ]; then
	echo -n 'from the keyring' >"$tmp/c"
	"$runner" run --job secrets --secret "A=$tmp/a" --secrets "$tmp/list" --secret "C=$tmp/c" --artifacts "$tmp/kept" >"$tmp/out" 2>&1
	ok $? "secrets of files # no keyring here"
else
	perl "$tmp/with-key" "$runner" run --job secrets --secret "A=$tmp/a" --secrets "$tmp/list" --secret C --artifacts "$tmp/kept" >"$tmp/out" 2>&1
	ok $? "secrets of a file, a list and the keyring"
fi
has "lengths 8 12 16"
has "shown ***"
hasnt hunter22
test -n "$(find "$tmp/kept" -type f)"
ok $? "the artifact is in the folder"
"$runner" run --job secrets --secret NOWHERE >"$tmp/out" 2>&1
test $? -eq 1 && grep -qF "lifeboat:NOWHERE" "$tmp/out"
ok $? "a secret that is nowhere is named"
echo broken >"$tmp/list"
"$runner" run --job secrets --secrets "$tmp/list" >"$tmp/out" 2>&1
test $? -eq 3 && grep -qF "list: line 1: expected NAME=VALUE" "$tmp/out"
ok $? "a list that is none is said"

# ---- a shell in the place of the step that failed
"$runner" run --job fails --shell </dev/null >"$tmp/out" 2>&1
test $? -eq 2
ok $? "no shell without a terminal"
if command -v script >/dev/null; then
	# shellcheck disable=SC2016 # for the other shell
	printf 'echo "in the shell: $MARK $((6 * 7)) $(cat file) $(basename $PWD)"; grep -vc -e lo: -e "|" /proc/net/dev; exit 0\n' |
		timeout 60 script -qec "$runner run --job fails --shell" /dev/null 2>&1 | tr -d '\r' >"$tmp/out"
	grep -q "^in the shell: left by the step 42 changed" "$tmp/out"
	ok $? "the shell has the step's files and variables"
	grep -qx 0 "$tmp/out"
	ok $? "... and its network"
	has "went on"
	has "=== fails: failure"
else
	count=$((count + 1))
	echo "ok $count - a shell # SKIP script is not installed"
fi

echo "1..$count"
exit $failed
