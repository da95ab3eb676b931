#!/bin/sh
# setup.t - without apt-get, .ci/setup says what is needed and exits 2; with everything there it is silent.
set -u
top=${LB_TOP:-.}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
count=0
ok() { # ok NAME COMMAND...
	count=$((count + 1))
	name=$1
	shift
	if "$@" >"$folder/said" 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' "$folder/said"
	fi
}

# A system with ordinary tools, but neither Debian's package manager nor our libraries' names.
mkdir "$folder/bin"
for tool in sh grep sed tr cat cut id dirname cmp printf env sudo; do
	path=$(command -v "$tool") && ln -s "$path" "$folder/bin/$tool"
done
PATH=$folder/bin "$top/.ci/setup" build >"$folder/out" 2>"$folder/err"
status=$?
ok "without apt-get the exit status is 2" [ "$status" -eq 2 ]
ok "the list says what is needed" grep -q 'libmicrohttpd-dev.*HTTP server' "$folder/out"
ok "and what to do" grep -q 'install these' "$folder/err"

if command -v apt-get >/dev/null 2>&1; then
	"$top/.ci/setup" build >"$folder/out" 2>&1
	status=$?
	ok "with everything there it succeeds" [ "$status" -eq 0 ]
	ok "and says nothing" [ ! -s "$folder/out" ]
fi
makes_nothing() { test -z "$(make -s -C "$top" BUILD="${LB_BUILD:-build}" all)"; }
ok "a second make does nothing" makes_nothing
echo "1..$count"
