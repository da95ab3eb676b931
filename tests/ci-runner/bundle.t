#!/bin/bash
# bundle.t - tests packed in one place and run in another: CTest, Google Test, cmocka, Cargo, TAP, JUnit, plain programs.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
runner=$LB_BUILD/lifeboat-runner
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT
export TMPDIR=$tmp
count=0
failed=0

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		tail -n 25 "$tmp/out" | sed 's/^/# /'
		failed=1
	fi
}
skip() { # NAME WHY
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}
# A line of the report: its word and the test's name.
says() { grep -qE "^$1 +[0-9]+ ms  $2(:.*)?\$" "$tmp/out"; ok $? "$1 $2"; }
counts() { grep -qxF -- "$1" "$tmp/out"; ok $? "counts: $1"; }
run() { "$runner" "$@" >"$tmp/out" 2>&1; }
# Packs, then takes away what was packed: nothing may be needed of it.
bundle() { # FOLDER NAME OPTION...
	local folder=$1 name=$2
	shift 2
	(cd "$folder" && run bundle -o "$tmp/$name.tar.zst" "$@")
	ok $? "$name is packed"
	mv "$folder" "$tmp/gone"
	rm -rf "$tmp/gone"
}

if ! run exec --network none -- true; then
	echo "1..0 # SKIP $(tail -n 1 "$tmp/out")"
	exit 0
fi

# ---- programs: TAP, JUnit, plain; flaky, broken, in quarantine; shards
mkdir -p "$tmp/plain/.lifeboat" "$tmp/plain/data"
cd "$tmp/plain" || exit 1
echo 'known*	# an old bug' >.lifeboat/quarantine
echo fact >data/file
script() { # NAME: standard input is the script
	{ echo "#!/bin/bash"; cat; } >"$1"
	chmod +x "$1"
}
script good <<'S'
test "$(cat "${0%/*}/data/file")" = fact && echo x > made && test -w "$TMPDIR" && test ! -e /root/.profile
S
script flaky <<'S'
test "$LIFEBOAT_TRY" -gt 1
S
script bad <<'S'
echo "why it <fails> & how"; exit 3
S
script known <<'S'
exit 1
S
script slow <<'S'
sleep 100
S
script says-tap <<'S'
echo 1..3; echo 'ok 1 - first'; echo 'ok 2 - second # SKIP not here'; echo 'not ok 3 - third # TO''DO later'
S
script cut-short <<'S'
echo 1..3; echo 'ok 1 - first'
S
script says-junit <<'S'
cat >"$LIFEBOAT_JUNIT" <<X
<testsuite><testcase classname="a.B" name="x &amp; y" time="0.5"/><testcase name="z"><failure message="no &lt;good&gt;"/></testcase></testsuite>
X
S
bundle "$tmp/plain" plain --program good --program flaky --program bad --program known --program slow \
	--tap says-tap --tap cut-short --junit says-junit --data data
cd "$tmp" || exit 1

run test plain.tar.zst --junit report.xml --timings times.json --retries 1 --timeout 2 --jobs 4
[ $? -eq 1 ]; ok $? "what is broken fails the run"
says ok good
says FLAKY flaky
says FAIL bad
says quarantine known
says FAIL slow
says ok says-tap
says FAIL cut-short
says FAIL says-junit
counts "3 passed, 4 broken, 1 broken in quarantine, 1 flaky, 0 skipped"
grep -qF 'slow: not done after 2 s' out; ok $? "a test that hangs is ended"
grep -qF 'cut-short: its TAP has 1 results, planned were 3' out; ok $? "TAP that ends early is said"
grep -qF 'says-junit: 1 of 2 cases failed' out; ok $? "cases of JUnit are counted"
grep -qF '<failure message="exit status 3">why it &lt;fails&gt; &amp; how' report.xml; ok $? "the report has the output"
grep -qF 'name="a.B.x &amp; y"' report.xml; ok $? "the report has cases of JUnit"
grep -qF '<testcase classname="says-tap" name="second" time="0.0000"><skipped' report.xml; ok $? "the report has cases of TAP"
grep -qF '<flakyFailure' report.xml; ok $? "the report tells flaky from broken"

GITHUB_STEP_SUMMARY=$tmp/summary run test plain.tar.zst --only flaky --only known
ok $? "flaky and quarantine do not fail a run"
grep -qF "| \`flaky\` | flaky |" summary && grep -qF "| \`known\` | broken, in quarantine |" summary
ok $? "the step's summary names them"
run test plain.tar.zst --only 'nothing*'
[ $? -eq 1 ]; ok $? "a pattern that no test matches is said"

for shard in 1 2 3; do run test plain.tar.zst --list --shard $shard/3 --timings times.json; cp out "list$shard"; done
cat list1 list2 list3 | sort | tr '\n' ' ' >all
[ "$(cat all)" = "bad cut-short flaky good known says-junit says-tap slow " ]; ok $? "each test is in one shard"
for list in list1 list2 list3; do grep -qx slow $list && wc -l <$list >alone; done
[ "$(cat alone)" -eq 1 ]; ok $? "the longest test is alone in its shard"
run test plain.tar.zst --shard 4/3
[ $? -eq 2 ]; ok $? "a shard that is none is refused"

# ---- networks: what the manifest grants, and nothing more
mkdir "$tmp/net"
cd "$tmp/net" || exit 1
perl -MIO::Socket::INET -e '
	$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 9) or die;
	open F, ">", "port.new"; print F $s->sockport; close F; rename "port.new", "port";
	while ($c = $s->accept) { print $c "hello\n"; close $c }' &
server=$!
while [ ! -e port ]; do kill -0 $server || exit 1; sleep 0.05; done
port=$(cat port)
script granted <<S
test "\$(cat </dev/tcp/127.0.0.1/$port)" = hello
S
cp granted not-granted
script loopback <<'S'
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die;
	IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport) or die' &&
	test "$(cat /proc/net/dev | grep -c :)" -eq 1
S
script routeless <<'S'
! (: </dev/tcp/192.0.2.1/80) 2>/dev/null
S
run bundle -o x.tar --program granted --network 'granted=full'
[ $? -eq 2 ] && grep -qF "a test may have 'loopback' or hosts, nothing more" "$tmp/out"; ok $? "a test is not granted full"
bundle "$tmp/net" net --program granted --program not-granted --program loopback --program routeless \
	--network "granted=127.0.0.1:$port" --network loopback=loopback
cd "$tmp" || exit 1
run test net.tar.zst --network none --retries 0
says ok granted
says FAIL not-granted
says ok loopback
says ok routeless
mkdir tampered && tar -C tampered --zstd -xf net.tar.zst && sed -i 's/"127.0.0.1:[0-9]*"/"full"/' tampered/manifest.json
run test tampered --only granted --retries 0
grep -qF "asks for the network 'full'" out; ok $? "nor by a manifest that was changed"

# ---- CTest with Google Test, a shared library, a file, an environment
if command -v ctest >/dev/null && [ -e /usr/include/gtest/gtest.h ] && [ -e /usr/include/cmocka.h ]; then
	mkdir "$tmp/ct"
	cd "$tmp/ct" || exit 1
	cat >CMakeLists.txt <<'S'
cmake_minimum_required(VERSION 3.20)
project(p C CXX)
enable_testing()
add_library(part SHARED part.c)
add_executable(unit unit.cpp)
target_link_libraries(unit part gtest gtest_main pthread)
add_executable(mocked mocked.c)
target_link_libraries(mocked cmocka)
add_executable(reads reads.c)
add_test(NAME unit COMMAND unit)
add_test(NAME reads COMMAND reads ${CMAKE_SOURCE_DIR}/file.txt)
add_test(NAME fails COMMAND reads /nowhere)
set_tests_properties(fails PROPERTIES WILL_FAIL TRUE)
add_test(NAME skips COMMAND reads skip)
set_tests_properties(skips PROPERTIES SKIP_RETURN_CODE 77 ENVIRONMENT "SKIP_ME=a b")
add_test(NAME off COMMAND reads /nowhere)
set_tests_properties(off PROPERTIES DISABLED TRUE)
S
	echo 'int part(void) { return 42; }' >part.c
	echo text >file.txt
	cat >unit.cpp <<'S'
#include <gtest/gtest.h>
extern "C" int part(void);
TEST(Part, IsThere) { EXPECT_EQ(part(), 42); }
TEST(Part, DISABLED_NotYet) { FAIL(); }
TEST(Part, Skips) { GTEST_SKIP(); }
class Numbers : public testing::TestWithParam<int> {};
TEST_P(Numbers, AreSmall) { EXPECT_LT(GetParam(), 3); }
INSTANTIATE_TEST_SUITE_P(All, Numbers, testing::Values(1, 2, 3));
S
	cat >mocked.c <<'S'
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
static void good(void **s) { (void)s; assert_true(1); }
static void bad(void **s) { (void)s; assert_int_equal(1, 2); }
int main(void) { const struct CMUnitTest t[] = { cmocka_unit_test(good), cmocka_unit_test(bad) }; return cmocka_run_group_tests(t, NULL, NULL); }
S
	cat >reads.c <<'S'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	char line[16] = "";
	FILE *in, *out;
	if (argc > 1 && strcmp(argv[1], "skip") == 0)
		return getenv("SKIP_ME") != NULL && strcmp(getenv("SKIP_ME"), "a b") == 0 ? 77 : 1;
	in = fopen(argv[1], "r");
	out = fopen("written", "w");
	return in != NULL && out != NULL && fgets(line, sizeof line, in) != NULL && strcmp(line, "text\n") == 0 ? 0 : 1;
}
S
	cmake -B build -S . >"$tmp/out" 2>&1 && cmake --build build >>"$tmp/out" 2>&1
	ok $? "a CMake project is built"
	bundle "$tmp/ct" ct --ctest build --gtest build/unit --cmocka build/mocked
	cd "$tmp" || exit 1
	run test ct.tar.zst --retries 0
	says FAIL unit
	says ok reads
	says ok fails
	says skip skips
	says skip off
	says ok unit/Part.IsThere
	says skip unit/Part.DISABLED_NotYet
	says skip unit/Part.Skips
	says ok unit/All/Numbers.AreSmall/0
	says FAIL unit/All/Numbers.AreSmall/2
	grep -qF 'mocked: 1 of 2 cases failed' out; ok $? "cmocka says which of its cases failed"
else
	skip "CTest, Google Test and cmocka" "cmake, libgtest-dev or libcmocka-dev is not installed"
fi

# ---- Cargo
if command -v cargo >/dev/null && cargo --version >/dev/null 2>&1; then
	mkdir -p "$tmp/crate/src" "$tmp/crate/tests"
	cd "$tmp/crate" || exit 1
	printf '[package]\nname = "crate-under-test"\nversion = "0.1.0"\nedition = "2018"\n' >Cargo.toml
	echo fixture >fixture.txt
	cat >src/lib.rs <<'S'
#[cfg(test)]
mod tests {
    #[test]
    fn adds() { assert_eq!(1 + 1, 2); }
    #[test]
    fn breaks() { assert_eq!(1 + 1, 3); }
    #[test]
    #[ignore]
    fn ignored() { panic!(); }
}
S
	cat >tests/outside.rs <<'S'
#[test]
fn reads_a_file() { assert_eq!(std::fs::read_to_string("fixture.txt").unwrap(), "fixture\n"); }
S
	CARGO_NET_OFFLINE=true
	export CARGO_NET_OFFLINE
	bundle "$tmp/crate" crate --cargo . --data fixture.txt
	cd "$tmp" || exit 1
	run test crate.tar.zst --retries 0
	says ok crate_under_test::tests::adds
	says FAIL crate_under_test::tests::breaks
	says skip crate_under_test::tests::ignored
	says ok outside::reads_a_file
else
	skip "Cargo" "cargo is not installed"
fi

echo "1..$count"
exit $failed
