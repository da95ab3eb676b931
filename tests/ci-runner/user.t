#!/bin/bash
# user.t - the sandbox's own tests once more as an ordinary user, where this one is root.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
	echo "1..0 # SKIP this is an ordinary user already, or setpriv is not installed"
	exit 0
fi
chmod 755 "$tmp"
mkdir -m 755 "$tmp/home" && chown 64124:64124 "$tmp/home"
count=0
failed=0
for name in escape network; do
	count=$((count + 1))
	install -m 755 "$LB_BUILD/tests/ci-runner/sandbox/${name}_test" "$tmp/home/${name}_test"
	if (cd "$tmp/home" && TMPDIR=$tmp/home HOME=$tmp/home LB_BUILD=$tmp/none setpriv --reuid 64124 --regid 64124 --clear-groups \
		"./${name}_test") >"$tmp/out" 2>&1; then
		echo "ok $count - $name as an ordinary user"
	else
		echo "not ok $count - $name as an ordinary user"
		sed 's/^/# /' "$tmp/out"
		failed=1
	fi
	grep '^# .*: leads nowhere outside either' "$tmp/out"
done
echo "1..$count"
exit $failed
