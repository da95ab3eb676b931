#!/bin/sh
# portable.t - the interpreter's loop as a switch, for compilers without labels as values.
#
# Only that one file is compiled anew, with the flags of the build at hand, and linked before
# the library, whose own loop is then not taken.
cd "${LB_TOP:-.}" || exit 1
build=${LB_BUILD:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
flags=$(cat "$build/flags")
libs=$(pkg-config --libs libmicrohttpd libcurl libgit2 sqlite3 libarchive libzstd libcrypto \
	libsodium cjose jansson libseccomp)
count=0
failed=0

report() { # status, name
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=1
	fi
}

link() { # name, test object, helper objects
	# shellcheck disable=SC2034 # eval uses it
	name=$1
	shift
	eval "$flags" -o '"$work/$name"' '"$work/loop.o"' '"$@"' '"$build/obj/tests/harness/test.o"' \
		'"$build/obj/tests/engine/wasm.o"' '"$build/libengine.a"' '"$build/libbase.a"' "$libs" -lm
}

tests=$build/obj/tests/engine
eval "$flags" -DENGINE_PORTABLE_LOOP -c -o '"$work/loop.o"' engine/interpret/loop.c
report $? "it compiles"
for test in interpret/call runtime/store runtime/linker; do
	link "$(basename $test)" "$tests/${test}_test.o" && "$work/$(basename $test)" | sed 's/^/# /'
	"$work/$(basename $test)" >/dev/null
	report $? "$test"
done
link spec "$tests/spec/spec_test.o"
"$work/spec" >"$work/out" 2>&1
report $? "the official suite"
grep '^#' "$work/out"
echo "1..$count"
exit $failed
