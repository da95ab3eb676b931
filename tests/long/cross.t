#!/bin/sh
# cross.t - the engine built for other machines, and its tests run there: aarch64 and riscv64 under qemu.
#
# What a machine's compiler or emulator is missing for is skipped aloud.
cd "${LB_TOP:-.}" || exit 1
top=$PWD
base=${LB_BUILD:-build}
jobs=$(nproc 2>/dev/null || echo 2)
count=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

report() { # status, name
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		tail -20 "$work/log" | sed 's/^/# /'
		failed=1
	fi
}
skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# The tests that need the engine's library and the harness alone.
tests='interpret/call runtime/store runtime/linker validate/hostile binary/reader module op capi/capi snapshot/snapshot'
[ -f tests/engine/interpret/vector_test.c ] && tests="$tests interpret/vector"

build() { # MACHINE COMPILER
	objects=
	for test in $tests; do
		objects="$objects $base/$1/obj/tests/engine/${test}_test.o"
	done
	# shellcheck disable=SC2086 # a list of words
	make -s -j"$jobs" CC="$2" BUILD="$base/$1" "$base/$1/liblifeboat-engine.a" $objects \
		"$base/$1/obj/tests/harness/test.o" "$base/$1/obj/tests/engine/wasm.o" \
		"$base/$1/obj/base/io/file.o" "$base/$1/obj/base/io/log.o" "$base/$1/obj/base/vec.o" >"$work/log" 2>&1
}

run() { # MACHINE COMPILER TEST
	out=$base/$1/obj/tests/engine
	"$2" -static -pthread -o "$work/test" "$out/$3_test.o" "$out/wasm.o" "$base/$1/obj/tests/harness/test.o" \
		"$base/$1/liblifeboat-engine.a" -lm >"$work/log" 2>&1 &&
		LB_TOP=$top timeout 300 "qemu-$1" "$work/test" >"$work/log" 2>&1
}

for machine in aarch64 riscv64; do
	compiler=$machine-linux-gnu-gcc
	if ! command -v "$compiler" >/dev/null 2>&1; then
		skip "$machine" "$compiler is not installed"
		continue
	fi
	build $machine "$compiler"
	report $? "the engine is built for $machine"
	for test in $tests; do
		if command -v "qemu-$machine" >/dev/null 2>&1; then
			run $machine "$compiler" "$test"
			report $? "$machine: $test"
		else
			skip "$machine: $test" "qemu-$machine is not installed"
		fi
	done
done
# For Windows: built, and linked with a program that uses it; there is no Windows to run it on.
compiler=x86_64-w64-mingw32-gcc
if command -v $compiler >/dev/null 2>&1; then
	make -s -j"$jobs" CC=$compiler BUILD="$base/windows" "$base/windows/liblifeboat-engine.a" >"$work/log" 2>&1
	report $? "the engine is built for Windows"
	cat >"$work/program.c" <<'END'
#include "engine/capi/wasm.h"

int main(void)
{
	wasm_engine_t *engine = wasm_engine_new();
	wasm_store_t *store = wasm_store_new(engine);
	wasm_byte_vec_t binary = { 8, (char[]){ 0, 'a', 's', 'm', 1, 0, 0, 0 } };
	wasm_module_t *module = wasm_module_new(store, &binary);
	wasm_instance_t *instance = wasm_instance_new(store, module, NULL, NULL);

	wasm_instance_delete(instance);
	wasm_module_delete(module);
	wasm_store_delete(store);
	wasm_engine_delete(engine);
	return instance == NULL;
}
END
	$compiler -std=gnu11 -I. -static -o "$work/program.exe" "$work/program.c" "$base/windows/liblifeboat-engine.a" \
		-pthread >"$work/log" 2>&1
	report $? "and a program is linked with it"
else
	skip "the engine is built for Windows" "$compiler is not installed"
fi
echo "1..$count"
exit $failed
