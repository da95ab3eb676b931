#!/bin/sh
# install.t - `make install` puts everything in place, and a program that embeds the engine compiles with
# pkg-config alone and runs.
set -u
top=${LB_TOP:-.}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
count=0
ok() { # ok NAME COMMAND...: the command succeeds
	count=$((count + 1))
	name=$1
	shift
	if "$@" >"$folder/out" 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' "$folder/out"
	fi
}

says_version() { "$1" --version | grep -q "$(cat "$top/VERSION")"; }
embedded_runs() { LD_LIBRARY_PATH=$root/lib "$folder/embed" | grep -qx '1 exports'; }
standard_runs() { LD_LIBRARY_PATH=$root/lib "$folder/standard"; }
shows_only_its_interface() { ! nm -D --defined-only "$root/lib/liblifeboat-engine.so.0" | grep -vE ' (engine_|wasm_|lb_|wasi_(new|free|link)$|plat_host$|plat_clock_now_ns$)'; }
needs_only_libc() { ! ldd "$root/lib/liblifeboat-engine.so.0" | grep -vE 'linux-vdso|libc\.so|libm\.so|ld-linux'; }

ok "make install" make -s -C "$top" BUILD="${LB_BUILD:-build}" install DESTDIR="$folder/root" PREFIX=/usr
root=$folder/root/usr
for program in lifeboat lifeboat-engine lifeboat-cache lifeboat-release lifeboat-runner lifeboat-coordinator; do
	ok "$program says its version" says_version "$root/bin/$program"
	ok "$program has a manual page" grep -q '^\.Sh NAME' "$root/share/man/man1/$program.1"
	ok "$program completes in bash" bash -n "$root/share/bash-completion/completions/$program"
done
if command -v mandoc >/dev/null 2>&1; then
	for page in "$root"/share/man/man1/*.1; do
		ok "mandoc finds nothing wrong with $(basename "$page")" mandoc -T lint -W error "$page"
	done
fi
ok "systemd units name the programs" grep -q '^ExecStart=/usr/bin/lifeboat-coordinator' \
	"$root/lib/systemd/system/lifeboat-coordinator.service"

# (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
cat >"$folder/embed.c" <<'END'
#include <lifeboat/engine.h>

#include <stdio.h>

static const unsigned char wasm[] = {
	0, 'a', 's', 'm', 1, 0, 0, 0, 1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 3, 2, 1, 0, 7, 7, 1, 3, 'a', 'd', 'd', 0, 0,
	10, 9, 1, 7, 0, 0x20, 0, 0x20, 1, 0x6a, 0x0b
};

int main(void)
{
	struct engine_module *module = NULL;
	struct lb_diag diag = { 0 };
	lb_err err = engine_module_new(&module, &lb_mem_host, (struct lb_bytes){ wasm, sizeof wasm }, NULL, &diag);

	if (lb_failed(err)) {
		printf("%s\n", lb_diag_text(&diag, err));
		return 1;
	}
	printf("%u exports\n", engine_module_export_count(module));
	engine_module_free(module);
	return 0;
}
END
export PKG_CONFIG_PATH="$root/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$folder/root"
# shellcheck disable=SC2046 # flags are words
ok "a program that embeds the engine compiles" "${CC:-cc}" -std=c2x -Wall -Wextra -Werror -o "$folder/embed" "$folder/embed.c" \
	$(pkg-config --cflags --libs lifeboat-engine)
ok "and runs" embedded_runs
cat >"$folder/standard.c" <<'END'
#include <wasm.h>

#include <lifeboat/engine.h>

int main(void)
{
	wasm_engine_t *engine = wasm_engine_new();
	wasm_store_t *store = wasm_store_new(engine);
	wasm_byte_vec_t binary = { 8, (char[]){ 0, 'a', 's', 'm', 1, 0, 0, 0 } };
	bool good = wasm_module_validate(store, &binary) && engine_capi_store(store) != NULL;

	wasm_store_delete(store);
	wasm_engine_delete(engine);
	return good ? 0 : 1;
}
END
# shellcheck disable=SC2046 # flags are words
ok "a program written for the standard C API compiles" "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -o "$folder/standard" \
	"$folder/standard.c" $(pkg-config --cflags --libs lifeboat-engine)
ok "and runs" standard_runs
if command -v "${CXX:-c++}" >/dev/null 2>&1; then
	ok "its header is C++ too" "${CXX:-c++}" -Wall -Wextra -Werror -fsyntax-only -x c++ "$root/include/wasm.h"
fi
ok "the library shows nothing but its interface" shows_only_its_interface
ok "the library needs nothing but the C library" needs_only_libc
echo "1..$count"
