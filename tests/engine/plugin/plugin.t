#!/bin/sh
# plugin.t - the example of docs/examples/plugin, built and used, and libraries that are no plug-ins.
cd "${LB_TOP:-.}" || exit 1
engine=${LB_BUILD:-build}/lifeboat-engine
case $engine in /*) ;; *) engine=$PWD/$engine ;; esac
example=$PWD/docs/examples/plugin
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/lifeboat"
cp engine/plugin/plugin.h "$work/lifeboat"
cd "$work" || exit 1
count=0
failed=0

report() { # status, name
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' out
		failed=1
	fi
}
build() { # SOURCE LIB
	"${CC:-cc}" -std=c99 -Wall -Wextra -Werror -shared -fPIC -I "$work" -o "$2" "$1" >out 2>&1
}
runs() { # STATUS PATTERN WORD...
	want=$1
	pattern=$2
	shift 2
	"$engine" run "$@" >out 2>&1 </dev/null
	[ $? -eq "$want" ] && grep -Eqx -- "$pattern" out
}

build "$example/shout.c" shout.so
report $? 'the example compiles against the one header, as C99'
runs 0 'HELLO, SAILOR!!' --plugin ./shout.so=2 "$example/hello.wat"
report $? 'a program uses it'
runs 0 'HELLO, SAILOR' --plugin ./shout.so "$example/hello.wat"
report $? 'without options'
runs 3 '.*unknown import.*shout.*upper.*' "$example/hello.wat"
report $? 'and is nothing without it'
sed 's/(i32.const 40)/(i32.const 65530)/' "$example/hello.wat" >outside.wat
runs 134 '.*shout.upper: the text is not inside the memory' --plugin ./shout.so outside.wat
report $? 'what it fails with is a trap that says so'
runs 4 '.*no/such.so.*' --plugin no/such.so "$example/hello.wat"
report $? 'a library that is not there is named'
echo 'int nothing; int nothing;' >none.c && build none.c none.so
runs 4 '.*none.so: it has no function lifeboat_plugin' --plugin ./none.so "$example/hello.wat"
report $? 'a library that is no plug-in is refused'
for fault in 's/LIFEBOAT_PLUGIN_VERSION,/7,/' 's/"iii:i"/"iiz:i"/' 's/.module = "shout"/.module = 0/' \
	's/"iii:i", upper/"iii:i", 0/' 's/return &plugin;/(void)plugin; return 0;/'; do
	sed "$fault; s/static void upper/__attribute__((unused)) static void upper/" "$example/shout.c" >faulty.c
	build faulty.c faulty.so && runs 3 '.*faulty.so: it.*' --plugin ./faulty.so "$example/hello.wat"
	report $? "a description that is wrong is refused ($fault)"
done
sed 's/if (shout == NULL)/if (shout != NULL)/' "$example/shout.c" >closed.c
build closed.c closed.so && runs 4 '.*closed.so: out of memory' --plugin ./closed.so "$example/hello.wat"
report $? 'one that does not open says why'
echo "1..$count"
exit $failed
