#!/bin/bash
# features.t - a workflow for each feature of the language, run by `lifeboat run`; what it has to say stands at its top:
#   # expect: a line of the log       # hasnt: a text that is not in it       # status: the exit status, 0 where not said
#   # run: options                    # hooks: with a script before and after  # only: what is no workflow to be run
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
LB_TOP=$(realpath "${LB_TOP:-.}")
runner=$LB_BUILD/lifeboat-runner
given=$LB_TOP/tests/ci-runner/features
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export XDG_STATE_HOME=$tmp/state HOME=$tmp NO_COLOR=1 LIFEBOAT_ACTIONS_SOURCE=$tmp/none
unset LIFEBOAT_TOOL_CACHE ACTIONS_RUNNER_HOOK_JOB_STARTED ACTIONS_RUNNER_HOOK_JOB_COMPLETED
count=0
failed=0

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=1
	fi
}

if ! "$runner" exec --network none -- true >"$tmp/out" 2>&1; then
	echo "1..0 # SKIP $(tail -n 1 "$tmp/out")"
	exit 0
fi
if ! command -v node >/dev/null; then
	echo "1..0 # SKIP there is no Node.js"
	exit 0
fi

repo=$tmp/repo
mkdir -p "$repo/.github/workflows" "$repo/src"
cp -R "$given"/repo/. "$repo/"
long=$(head -c 300000 /dev/zero | tr '\0' x)
for file in "$given"/*.yml; do
	text=$(<"$file")
	printf '%s\n' "${text//LONG/$long}" >"$repo/.github/workflows/${file##*/}"
done
printf 'sword fish & "chips" <now>\n' >"$tmp/secret"
# shellcheck disable=SC2016 # the hooks expand them
printf 'echo "hook before, in a job: $GITHUB_ACTIONS"; echo FROM_HOOK=from-hook >>"$GITHUB_ENV"\n' >"$tmp/before"
# shellcheck disable=SC2016
printf 'echo "hook after ${FROM_HOOK:+success}"\n' >"$tmp/after"
git init -q -b main "$repo" && cd "$repo" || exit 1
git add -A && git -c user.name=n -c user.email=e commit -qm one

for file in "$given"/*.yml; do
	name=${file##*/}
	grep -q '^# only:' "$file" && continue
	read -ra options < <(sed -n "s,SECRET,$tmp/secret,; s/^# run: //p" "$file") || options=()
	status=$(sed -n 's/^# status: //p' "$file")
	if grep -q '^# hooks' "$file"; then
		export ACTIONS_RUNNER_HOOK_JOB_STARTED=$tmp/before ACTIONS_RUNNER_HOOK_JOB_COMPLETED=$tmp/after
	fi
	"$runner" run --workflow ".github/workflows/$name" "${options[@]}" >"$tmp/out" 2>&1
	test $? -eq "${status:-0}"
	ok $? "$name ends with ${status:-0}"
	unset ACTIONS_RUNNER_HOOK_JOB_STARTED ACTIONS_RUNNER_HOOK_JOB_COMPLETED
	before=$failed
	while IFS= read -r line; do
		line=${line//WORKSPACE/$tmp/state/lifeboat/run/work1/local/repo/repo}
		line=${line//NONE/$tmp/none}
		grep -qxF -- "$line" "$tmp/out"
		ok $? "$name says: $line"
	done < <(sed -n 's/^# expect: //p' "$file")
	while IFS= read -r line; do
		! grep -qF -- "$line" "$tmp/out"
		ok $? "$name does not say: $line"
	done < <(sed -n 's/^# hasnt: //p' "$file")
	[ "$before" = "$failed" ] || cut -c1-300 "$tmp/out" | sed 's/^/# /'
done

echo "1..$count"
exit "$failed"
