#!/bin/sh
# examples.t - the C API's published examples compile unchanged and run to their end.
#
# WASM_C_API names a checkout of WebAssembly/wasm-c-api; without it this is skipped.  hostref.wasm there is from
# before reference types were settled (`ref.null` without its type): that byte is put in.
set -u
cd "${LB_TOP:-.}" || exit 1
build=${LB_BUILD:-build}
if [ ! -d "${WASM_C_API:-}/example" ]; then
	echo "1..0 # SKIP WASM_C_API does not name a checkout of wasm-c-api"
	exit 0
fi
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cp "$WASM_C_API"/example/*.wasm "$folder"
perl -0777 -pi -e 's/\x06\x85(\x80\x80\x80\0\x01\x6f\x01\xd0)\x0b/\x06\x86$1\x6f\x0b/' "$folder/hostref.wasm"
count=0
failed=0

runs() { # NAME
	"${CC:-cc}" -std=gnu11 -O1 -I engine/capi -o "$folder/$1" "$WASM_C_API/example/$1.c" \
		"$build/liblifeboat-engine.a" -pthread -lm && (cd "$folder" && timeout 100 "./$1" >"$1.out")
}

for source in "$WASM_C_API"/example/*.c; do
	name=$(basename "$source" .c)
	count=$((count + 1))
	if runs "$name" >"$folder/log" 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' "$folder/log"
		tail -3 "$folder/$name.out" | sed 's/^/# /'
		failed=1
	fi
done
echo "1..$count"
exit $failed
