#!/bin/sh
# command.t - lifeboat-engine as people meet it: options, bad files, statuses, messages.
cd "${LB_TOP:-.}" || exit 1
engine=${LB_BUILD:-build}/lifeboat-engine
case $engine in /*) ;; *) engine=$PWD/$engine ;; esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
count=0
failed=0

report() { # status, name
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# out: /' out
		sed 's/^/# err: /' err
		failed=1
	fi
}

# expect NAME STATUS PATTERN WORD...: run it; the pattern is of a whole line in what it printed.
expect() {
	name=$1
	want=$2
	pattern=$3
	shift 3
	"$engine" "$@" >out 2>err </dev/null
	got=$?
	if [ "$got" -ne "$want" ]; then
		echo "# exit status $got, expected $want"
		report 1 "$name"
	else
		cat out err | grep -Eqx -- "$pattern"
		report $? "$name"
	fi
}

bytes() { # file, octal escapes
	# shellcheck disable=SC2059 # the format is the bytes
	printf "$2" >"$1"
}

# (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
#         (func (export "half") (param f64) (result f64) local.get 0 f64.const 0.5 f64.mul)
#         (func (export "pair") (result i64 f32) i64.const -1 f32.const 0.1)
#         (func (export "ref") (param externref)))
bytes calc.wasm '\000asm\001\000\000\000\001\025\004\140\002\177\177\001\177\140\001\174\001\174\140\000\002\176\175\140\001o\000\003\005\004\000\001\002\003\007\033\004\003add\000\000\004half\000\001\004pair\000\002\003ref\000\003\012\045\004\007\000\040\000\040\001j\013\016\000\040\000D\000\000\000\000\000\000\340\077\242\013\011\000B\177C\315\314\314\075\013\002\000\013'
# (module (func (export "_start") (loop br 0)))
bytes loop.wasm '\000asm\001\000\000\000\001\004\001\140\000\000\003\002\001\000\007\012\001\006_start\000\000\012\011\001\007\000\003\100\014\000\013\013'
# (module (import "env" "missing" (func)))
bytes unknown.wasm '\000asm\001\000\000\000\001\004\001\140\000\000\002\017\001\003env\007missing\000\000'
# (module (func (export "_start") i32.add drop))
bytes invalid.wasm '\000asm\001\000\000\000\001\004\001\140\000\000\003\002\001\000\007\012\001\006_start\000\000\012\006\001\004\000\152\032\013'
bytes empty.wasm '\000asm\001\000\000\000'
# (module (memory 1 2) (global (mut i64) (i64.const 0)) (table 3 funcref) (func $f (export "_start") unreachable)
#         (start $f) (data (i32.const 0) "abc") (export "m\"em" (memory 0)) (export "g" (global 0)) (export "t" (table 0)))
bytes start.wasm '\000asm\001\000\000\000\001\004\001\140\000\000\003\002\001\000\004\004\001p\000\003\005\004\001\001\001\002\006\006\001\176\001B\000\013\007\031\004\006_start\000\000\004m\042em\002\000\001g\003\000\001t\001\000\010\001\000\012\005\001\003\000\000\013\013\011\001\000A\000\013\003abc'
: >nothing.wasm
echo '#!/bin/sh' >script
mkdir folder

# ---- the command line ----

expect 'no command shows what there is' 2 'usage: .*|.*lifeboat-engine.*'
expect 'help is there' 0 '.*--max-memory.*' run --help
expect 'an unknown option is named' 2 'lifeboat-engine run: there is no option --tiemout; is it --timeout\?' \
	run --tiemout 5 calc.wasm
expect 'a file is needed' 2 'lifeboat-engine run: operands are missing: .*' run
expect 'a timeout is a number' 2 'lifeboat-engine run: --timeout: "soon" is not a whole number .*' \
	run --timeout soon calc.wasm
expect 'a timeout is not 0' 2 '.*--timeout: "0" is not .*' run --timeout 0 calc.wasm
expect 'a memory of less than a page is none' 2 '.*--max-memory: "65535" is not .*' run --max-memory 65535 calc.wasm
expect 'a folder without a name is refused' 2 '.*--dir ::/x: expected HOST.*' run --dir ::/x calc.wasm
expect 'a port that is none is refused' 2 '.*--listen host:x: expected PORT.*' run --listen host:x calc.wasm
expect 'a host that is none is said' 4 '.*--listen 999.0.0.1:1: .*' run --listen 999.0.0.1:1 calc.wasm
expect 'what is more than WASI is opted into' 0 '3' \
	run --listen 0 --listen localhost:0 --allow-net --allow-host-fs --invoke add calc.wasm 1 2
expect 'a variable without a name is refused' 2 '.*--env =x: expected NAME.*' run --env =x calc.wasm
expect 'options of the program are its own' 2 'lifeboat-engine run: calc.wasm: add takes 2 arguments, 1 were given' \
	run --invoke add calc.wasm --timeout

# ---- files that are none ----

expect 'a missing file is named' 4 'lifeboat-engine run: cannot open no.wasm: .*' run no.wasm
expect 'a folder is no file' 4 'lifeboat-engine run: cannot read folder: Is a directory' run folder
expect 'an empty file is no module' 3 'lifeboat-engine run: nothing.wasm: .* at byte 0x0' run nothing.wasm
expect 'a script is no module' 3 '.*: magic header not detected at byte 0x0' run script
expect 'an invalid module says where' 3 'lifeboat-engine run: invalid.wasm: .*byte 0x23, in function 0.*' run invalid.wasm
expect 'a missing folder is named' 4 'lifeboat-engine run: no/such: there is no such folder' \
	run --dir no/such calc.wasm
expect 'a file is no folder' 4 'lifeboat-engine run: calc.wasm: there is no such folder' \
	run --dir calc.wasm calc.wasm
expect 'an unknown import is named' 3 'lifeboat-engine run: unknown.wasm: unknown import.*missing.*' run unknown.wasm
expect 'a module without an entry says how to call' 3 '.*exports no _start; --invoke NAME calls another function' \
	run calc.wasm
expect 'an unknown export is named' 2 'lifeboat-engine run: calc.wasm: exports no function "nope"' \
	run --invoke nope calc.wasm

# ---- calling ----

expect 'i32 in and out' 0 '5' run --invoke add calc.wasm 7 -2
expect 'hexadecimal, wrapped' 0 '-2147483648' run --invoke add calc.wasm 0x7fffffff 1
expect 'the largest unsigned' 0 '-1' run --invoke add calc.wasm 4294967295 0
expect 'too large for i32' 2 '.*"4294967296" is no i32' run --invoke add calc.wasm 4294967296 0
expect 'too small for i32' 2 '.*"-2147483649" is no i32' run --invoke add calc.wasm -2147483649 0
expect 'letters are no i32' 2 '.*"7x" is no i32' run --invoke add calc.wasm 7x 0
expect 'nor is nothing' 2 '.*"" is no i32' run --invoke add calc.wasm '' 0
expect 'f64 in and out' 0 '0.05' run --invoke half calc.wasm 0.1
expect 'not a number' 0 'nan' run --invoke half calc.wasm nan
expect 'infinity' 0 '-inf' run --invoke half calc.wasm -inf
expect 'letters are no f64' 2 '.*"1.0.0" is no f64' run --invoke half calc.wasm 1.0.0
"$engine" run --invoke pair calc.wasm >out 2>err
test "$(cat out)" = "-1
0.1"
report $? 'each result is a line'
expect 'a reference cannot be typed' 3 '.*: a externref cannot be given on a command line|.*an externref.*' \
	run --invoke ref calc.wasm x
expect 'an endless loop is ended' 124 'lifeboat-engine run: loop.wasm: timed out after 50 ms' run --timeout 50 loop.wasm

expect 'a start function may trap' 134 'lifeboat-engine run: start.wasm: trap: unreachable' run start.wasm

# ---- validate, inspect, ops ----

"$engine" validate calc.wasm loop.wasm empty.wasm unknown.wasm start.wasm >out 2>err && test ! -s out && test ! -s err
report $? 'nothing is said of what is valid'
expect 'the one that is not valid is named' 3 'invalid.wasm: .* byte 0x23, in function 0.*' \
	validate calc.wasm invalid.wasm loop.wasm
"$engine" validate invalid.wasm no.wasm folder nothing.wasm calc.wasm >out 2>err
test $? -eq 4 && test "$(grep -c . err)" -eq 4
report $? 'each failure is a line'
expect 'validate needs a file' 2 '.*operands are missing.*' validate
expect 'inspect shows counts' 0 'functions 1' inspect start.wasm
expect 'inspect shows imports' 0 'import    function "env" "missing" \(\) -> \(\)' inspect unknown.wasm
expect 'inspect shows exports, names made harmless' 0 'export    memory "m\\22em" 1 to 2 pages' inspect start.wasm
expect 'inspect shows signatures' 0 'export    function "pair" \(\) -> \(i64 f32\)' inspect calc.wasm
expect 'inspect takes one file' 2 '.*one operand too many.*' inspect calc.wasm calc.wasm
expect 'ops has a line for an instruction' 0 '6a +i32.add' ops
expect 'ops has those behind a prefix' 0 'fc 0a +memory.copy' ops
"$engine" inspect calc.wasm >/dev/full 2>err
test $? -eq 4
report $? 'output that cannot be written is said'

# ---- text ----

cat >fac.wat <<'EOF'
;; a module's text
(module
  (func $fac (export "fac") (param $n i64) (result i64)
    (if (result i64) (i64.eqz (local.get $n))
      (then (i64.const 1))
      (else (i64.mul (local.get $n) (call $fac (i64.sub (local.get $n) (i64.const 1))))))))
EOF
printf '(module\n  (func\n    (i32.adq)))\n' >wrong.wat
printf '(module (func (result i32)))\n' >invalid.wat
expect 'a text is run as it is' 0 '3628800' run --invoke fac fac.wat 10
"$engine" validate fac.wat >out 2>err && test ! -s out && test ! -s err
report $? 'a text is validated'
expect 'a wrong text says where' 3 'lifeboat-engine run: wrong.wat:3:6: unknown operator i32.adq' run wrong.wat
expect 'validate names the place once' 3 'wrong.wat:3:6: unknown operator i32.adq' validate wrong.wat
expect 'an invalid text is invalid' 3 'invalid.wat: type mismatch.*' validate invalid.wat
"$engine" wat2wasm fac.wat >out 2>err && test ! -s out && "$engine" run --invoke fac fac.wasm 5 >out 2>err &&
	test "$(cat out)" = 120
report $? 'wat2wasm writes beside the text'
"$engine" wasm2wat fac.wasm -o again.wat >out 2>err && "$engine" wat2wasm again.wat -o - >again.wasm 2>err &&
	cmp -s fac.wasm again.wasm && grep -q 'func .fac .*param .n i64' again.wat
report $? 'wasm2wat and back gives the same bytes'
"$engine" wat2wasm --no-names fac.wat -o bare.wasm 2>err && "$engine" wasm2wat bare.wasm >out 2>err &&
	! grep -q 'fac (;' out && grep -q 'call 0' out
report $? 'names can be left out'
expect 'wat2wasm says what is wrong' 3 'lifeboat-engine wat2wasm: wrong.wat:3:6: unknown operator i32.adq' \
	wat2wasm wrong.wat
test ! -e wrong.wasm
report $? 'nothing is written then'
expect 'wasm2wat says what is wrong' 3 'lifeboat-engine wasm2wat: script: magic header not detected at byte 0x0' \
	wasm2wat script

# ---- features ----

printf '(module (func (export "f") (result i32) (i32.extend8_s (i32.const 128))))\n' >sign.wat
expect 'features are listed' 0 'sign-extension=y' features
expect 'some are off' 0 'legacy-exceptions=n' features
expect 'what is on is used' 0 '-128' run --invoke f sign.wat
expect 'a feature can be refused' 3 '.*sign.wat: .*extend8_s.*|.*sign.wat: illegal opcode.*' \
	run -W sign-extension=n --invoke f sign.wat
expect 'the last word counts' 0 '-128' run -W sign-extension=n --wasm=sign-extension=y --invoke f sign.wat
expect 'an unknown feature is named' 2 '.*--wasm time-travel=y: there is no feature "time-travel".*' \
	validate -W time-travel=y sign.wat
expect 'y or n' 2 '.*--wasm simd=maybe: expected FEATURE=y or FEATURE=n' validate -W simd=maybe sign.wat

# ---- scripts ----

cat >good.wast <<'EOF'
(module (func (export "f") (result i32) (i32.const 7)))
(assert_return (invoke "f") (i32.const 7))
(assert_malformed (module quote "(func") "unexpected token")
EOF
sed 's/(i32.const 7))$/(i32.const 8))/' good.wast >bad.wast
expect 'a script that holds' 0 '3 commands, 2 assertions, 0 failed' wast good.wast
expect 'a script that does not' 1 'bad.wast:2: result 0 is i32 0x7' wast bad.wast
expect 'all are counted' 1 '6 commands, 4 assertions, 1 failed' wast good.wast bad.wast
printf '(assert_return (invoke f))' >none.wast
printf '(module (func (try (do (nop)))))' >legacy.wast
expect 'the older exceptions are off' 1 '1 commands, 0 assertions, 1 failed' wast legacy.wast
expect 'until they are asked for' 0 '1 commands, 0 assertions, 0 failed' wast -W legacy-exceptions legacy.wast
expect 'what is no script says where' 3 'none.wast:1:24: unknown operator f' wast none.wast
expect 'the others are run' 3 '3 commands, 2 assertions, 0 failed' wast none.wast good.wast
expect 'a script that is not there' 4 'cannot open no.wast: .*' wast no.wast bad.wast

# ---- a module cut at every byte ----

# Some cuts leave a whole module: behind the header, and behind sections that need no later one.
cut_every_byte() { # file, the lengths that are valid
	size=$(wc -c <"$1")
	len=0
	while [ "$len" -lt "$size" ]; do
		head -c "$len" "$1" >cut.wasm
		"$engine" validate cut.wasm >out 2>err
		got=$?
		case " $2 " in
		*" $len "*) [ $got -eq 0 ] || return 1 ;;
		*)
			[ $got -eq 3 ] || return 1
			grep -Eqx 'cut.wasm: .* at byte 0x[0-9a-f]+(, .*)?' err || return 1
			at=$(sed -E 's/.* at byte (0x[0-9a-f]+).*/\1/' err)
			[ $((at)) -le "$len" ] || return 1
			;;
		esac
		len=$((len + 1))
	done
	return 0
}
cut_every_byte calc.wasm '8 31'
report $? 'functions cut at every byte: status 3 and the offset'
cut_every_byte start.wasm '8 14 75'
report $? 'all kinds of sections cut at every byte: status 3 and the offset'

# ---- streams ----

"$engine" ops 2>err | head -1 >out
test "$(wc -l <out)" -eq 1 && test ! -s err
report $? 'a reader that goes away is no error'

# ---- proposals, traces ----

cat >deep.wat <<'END'
(module
  (func $inner unreachable)
  (func $middle (call $inner))
  (func (export "outer") (call $middle))
  (func (export "tail") (return_call $inner)))
END
expect 'a trap is shown with what was under way' 134 '    at function 1, middle' run --invoke outer deep.wat
expect 'the innermost first' 134 'lifeboat-engine run: deep.wat: trap: unreachable' run --invoke outer deep.wat
[ "$(grep -c '    at function' err)" -eq 3 ]
report $? 'all of them'
expect 'a proposal can be refused' 3 '.*tail.call.*' run -W tail-call=n --invoke outer deep.wat
expect 'and allowed again' 134 '.*trap: unreachable' run -W tail-call=n --wasm tail-call=y --invoke outer deep.wat
expect 'validate knows it too' 3 '.*tail.call.*' validate -W tail-call=n deep.wat
expect 'and inspect' 3 '.*tail.call.*' inspect -W tail-call=n deep.wat
cat >exits.wat <<'END'
(module
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $close (i32.const 77)))
    (drop (call $seek (i32.const 77) (i64.const -1) (i32.const 2) (i32.const 0)))
    (call $exit (i32.const 5))))
END
expect 'fuel runs out' 134 'lifeboat-engine run: loop.wasm: trap: out of fuel' run --fuel 1000 loop.wasm
expect 'or suffices' 0 3 run --fuel 10 --invoke add calc.wasm 1 2
expect 'fuel is a number' 2 '.*--fuel: "much" is not .*' run --fuel much calc.wasm
expect 'calls of WASI are shown' 5 'fd_close\(77\) = BADF' run --trace exits.wat
expect 'with all arguments' 5 'fd_seek\(77, 18446744073709551615, 2, 0\) = BADF' run --trace exits.wat
expect 'to the end' 5 'proc_exit\(5\) = the end' run --trace exits.wat

# ---- wizer ----

cat >start.wat <<'END'
(module
  (import "env" "absent" (func $absent))
  (memory (export "memory") 1 10)
  (global $count (mut i32) (i32.const 1))
  (global $wide (mut i64) (i64.const 0))
  (global $half (mut f64) (f64.const 0))
  (global $func (mut funcref) (ref.null func))
  (global $fixed i32 (i32.const 5))
  (table 2 funcref)
  (elem (i32.const 0) $answer)
  (data $passive "kept")
  (data (i32.const 100) "there")
  (func $started (global.set $count (i32.add (global.get $count) (i32.const 1))))
  (start $started)
  (func $answer (result i32) (i32.const 42))
  (func (export "wizer.initialize")
    (global.set $count (i32.mul (global.get $count) (i32.const 50)))
    (global.set $wide (i64.const -9000000000))
    (global.set $half (f64.const 0.5))
    (global.set $func (ref.func $answer))
    (drop (memory.grow (i32.const 2)))
    (i32.store (i32.const 140000) (i32.const -2))
    (memory.init $passive (i32.const 8) (i32.const 0) (i32.const 4)))
  (func (export "calls") (call $absent))
  (func (export "changes") (table.set (i32.const 1) (ref.func $answer)))
  (func (export "count") (result i32) (global.get $count))
  (func (export "wide") (result i64) (global.get $wide))
  (func (export "half") (result f64) (global.get $half))
  (func (export "pages") (result i32) (memory.size))
  (func (export "far") (result i32) (i32.load (i32.const 140000)))
  (func (export "near") (result i32) (i32.load8_u (i32.const 8)))
  (func (export "there") (result i32) (i32.load8_u (i32.const 104)))
  (func (export "again") (result i32)
    (memory.init $passive (i32.const 9) (i32.const 3) (i32.const 1)) (i32.load8_u (i32.const 9)))
  (func (export "indirect") (result i32) (call_indirect (result i32) (i32.const 0)))
  (func (export "held") (result i32) (table.set (i32.const 1) (global.get $func)) (call_indirect (result i32) (i32.const 1))))
END
"$engine" wizer -o kept.wasm start.wat >out 2>err
report $? 'a start-up is kept'
"$engine" validate kept.wasm >out 2>err
report $? 'as a valid module'
kept() { # EXPORT WANT
	"$engine" run --invoke "$1" kept2.wasm >out 2>err && [ "$(cat out)" = "$2" ]
	report $? "$1 is $2 in it"
}
# shellcheck disable=SC2016 # a dollar of the text format
sed 's/(import "env" "absent" (func $absent))/(func $absent)/' start.wat >whole.wat
"$engine" wizer --output kept2.wasm --rename again=again whole.wat >out 2>err
report $? 'an export can keep its name'
kept count 100
kept wide -9000000000
kept half 0.5
kept pages 3
kept far -2
kept near 107
kept there 101
kept again 116
kept indirect 42
kept held 42
expect 'the start-up is no export any more' 2 '.*exports no function "wizer.initialize"' \
	run --invoke wizer.initialize kept2.wasm
"$engine" wizer -o kept3.wasm --keep-init whole.wat >out 2>err && "$engine" run --invoke wizer.initialize kept3.wasm
report $? 'it can be left'
"$engine" wizer -o kept4.wasm --rename first=count --rename wide=half whole.wat >out 2>err
report $? 'exports are renamed'
expect 'to what was said' 0 100 run --invoke first kept4.wasm
expect 'in the place of another' 0 0.5 run --invoke wide kept4.wasm
expect 'what is not there is not renamed' 4 '.*there is no export "none"' wizer -o no.wasm --rename a=none whole.wat
expect 'a rename has two sides' 2 '.*--rename a: expected NEW=OLD' wizer -o no.wasm --rename a whole.wat
cat >more.wat <<'END'
(module
  (memory $first 1) (memory $second i64 1 4)
  (type $f (func (result i32)))
  (global $vector (mut v128) (v128.const i64x2 0 0))
  (global $typed (mut (ref null $f)) (ref.null $f))
  (global $object (mut anyref) (ref.null any))
  (table 2 (ref null $f) (ref.func $seven))
  (func $seven (type $f) (i32.const 7))
  (func (export "wizer.initialize")
    (global.set $vector (v128.const i32x4 1 2 3 4))
    (global.set $typed (ref.func $seven))
    (i32.store $second (i64.const 65000) (i32.const 77)))
  (func (export "object") (global.set $object (ref.i31 (i32.const 1))))
  (func (export "lane") (result i32) (i32x4.extract_lane 2 (global.get $vector)))
  (func (export "typed") (result i32) (call_ref $f (global.get $typed)))
  (func (export "far") (result i32) (i32.load $second (i64.const 65000))))
END
"$engine" wizer -o kept2.wasm more.wat >out 2>err
report $? 'vectors, typed references and second memories are kept'
kept lane 3
kept typed 7
kept far 77
expect 'an object cannot be kept' 3 '.*a reference in global 2 cannot be kept' wizer -o no.wasm --init object more.wat
expect 'an output is needed' 2 '.*--output FILE is needed' wizer whole.wat
expect 'what is absent cannot be called' 134 '.*start.wat: it called "env" "absent", which.*' \
	wizer -o no.wasm --init calls start.wat
expect 'a table that changed cannot be kept' 3 '.*what was put into table 0 cannot be kept' \
	wizer -o no.wasm --init changes start.wat
expect 'the start-up must be there' 3 '.*exports no function "none".*' wizer -o no.wasm --init none start.wat
expect 'a start-up that never ends is ended' 124 '.*' wizer -o no.wasm --timeout 50 --init _start loop.wasm
[ ! -e no.wasm ]
report $? 'what failed leaves no file'

echo "1..$count"
exit $failed
