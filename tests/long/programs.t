#!/bin/sh
# programs.t - real programs, from Debian's sources, say the same in the engine as natively: bzip2, zstd, Lua,
# SQLite and its shell with a database in a folder.  What cannot be fetched or compiled is skipped aloud.
cd "${LB_TOP:-.}" || exit 1
top=$PWD
build=${LB_BUILD:-build}
case $build in /*) ;; *) build=$PWD/$build ;; esac
engine=$build/lifeboat-engine
out=$build/bench/programs
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0
failed=0

report() { # status, name
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		head -20 "$work/log" | sed 's/^/# /'
		failed=1
	fi
}
skip() { # name, why
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}
# Times, of SQLite's benchmark, are nobody's output.
timeless() { sed 's/[0-9.]*s$//'; }

same() { # NAME ARGUMENT... : of the program in $out
	name=$1
	shift
	"$out/$name.native" "$@" 2>&1 | timeless >"$work/native"
	timeout 600 "$engine" run "$out/$name.wasm" "$@" 2>&1 | timeless >"$work/ours"
	diff "$work/native" "$work/ours" >"$work/log"
}

if ! command -v clang >/dev/null 2>&1; then
	echo "1..0 # SKIP clang is not installed"
	exit 0
fi
tests/bench/programs/build "$out" >"$work/build.log" 2>&1
for name in gemm nussinov bzip2 zstd lua sqlite; do
	if [ -e "$out/$name.wasm" ]; then
		same $name
		report $? "$name"
	else
		skip $name "its sources cannot be had: $(grep "$name" "$work/build.log" | head -1)"
	fi
done

# SQLite's shell, compiled as the folder's posix_priv.h says; both work on a database of their own.
shell_of() { # natively or for WASI: COMPILER ARGUMENT...
	"$@" -O1 -w -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_NOHAVE_SYSTEM \
		-DSQLITE_OMIT_POPEN "$sources/shell.c" "$sources/sqlite3.c" -lm
}
cat >"$work/script.sql" <<'END'
create table t(id integer primary key, name text, value integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
  insert into t select i, printf('row %05d', i), i * 3 from n;
create index by_name on t(name);
begin; update t set value = value * 2 where id % 3 = 0; commit;
begin; delete from t where id < 100; rollback;
select count(*), sum(value), min(name), max(name) from t;
.mode csv
select * from t where name like 'row 0077%' order by value desc;
.schema
pragma integrity_check;
vacuum;
.dump t
END
sources=$out/sources/sqlite3
if [ -e "$sources/sqlite3.c" ] && (cd "$sources" && make shell.c) >>"$work/build.log" 2>&1 && [ -e "$sources/shell.c" ]; then
	shell_of gcc -o "$work/sqlite.native" >"$work/log" 2>&1 &&
		shell_of clang --target=wasm32-wasi -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS \
			-D_WASI_EMULATED_GETPID -D_WASI_EMULATED_MMAN -I "$top/tests/long/programs" -include posix_priv.h \
			-Wl,-z,stack-size=1048576 -lwasi-emulated-signal -lwasi-emulated-process-clocks \
			-lwasi-emulated-getpid -lwasi-emulated-mman -o "$work/sqlite.wasm" >"$work/log" 2>&1
	report $? "SQLite's shell is compiled"
	mkdir "$work/a" "$work/b"
	(cd "$work/a" && "$work/sqlite.native" data.db <"$work/script.sql" >../native 2>/dev/null)
	(cd "$work/b" && timeout 600 "$engine" run --dir . "$work/sqlite.wasm" data.db <"$work/script.sql" >../ours 2>/dev/null)
	diff "$work/native" "$work/ours" >"$work/log"
	report $? "and says the same of its database"
	"$work/sqlite.native" "$work/b/data.db" 'pragma integrity_check; select count(*) from t' >"$work/log" 2>&1
	[ "$(tail -1 "$work/log")" = 20000 ]
	report $? "which the native one can read"
else
	skip "SQLite's shell" "its sources cannot be had, or it needs tclsh"
fi
echo "1..$count"
exit $failed
