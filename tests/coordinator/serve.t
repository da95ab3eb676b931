#!/bin/sh
# serve.t - the program: what it says and how it ends when something is in its way.
set -u
program=${LB_BUILD:-build}/lifeboat-coordinator
folder=$(mktemp -d) || exit 1
pid=
trap 'test -n "$pid" && kill "$pid" 2>/dev/null; rm -rf "$folder"' EXIT
count=0

# ok NAME STATUS: one test, good when the status is 0.
ok() {
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then echo "ok $count - $1"; else echo "not ok $count - $1"; fi
}

# start STATE LISTEN: a coordinator in the background; its address in $address.
start() {
	rm -f "$folder/ready"
	"$program" serve --state "$1" --listen "$2" --ready-file "$folder/ready" 2>"$folder/log" &
	pid=$!
	tries=0
	while [ ! -s "$folder/ready" ] && [ $tries -lt 100 ] && kill -0 "$pid" 2>/dev/null; do
		sleep 0.1
		tries=$((tries + 1))
	done
	address=$(cat "$folder/ready" 2>/dev/null)
}

# refused STATUS TEXT ARG...: `serve ARG...` ends with STATUS and says TEXT.
refused() {
	want=$1 text=$2
	shift 2
	timeout 20 "$program" serve "$@" >"$folder/out" 2>&1
	got=$?
	if [ $got -eq "$want" ] && grep -q -- "$text" "$folder/out"; then return 0; fi
	sed "s/^/# $got: /" "$folder/out"
	return 1
}

start "$folder/state" 127.0.0.1:0
test -n "$address"
ok "writes its address into the ready file" $?
test "$(stat -c %a "$folder/state/token" "$folder/state/runner-token" "$folder/state/identity.jwk" | sort -u)" = 600
ok "keys and tokens are for their owner alone" $?
refused 4 "another coordinator is using" --state "$folder/state" --listen 127.0.0.1:0
ok "a second coordinator on one state folder is refused" $?
refused 4 "${address#http://} is in use" --state "$folder/other" --listen "${address#http://}"
ok "a port in use is named" $?
timeout 20 "$program" check --state "$folder/state" >"$folder/out" 2>&1
test $? -eq 4 && grep -q "a coordinator is using" "$folder/out"
ok "check leaves a folder in use alone" $?
grep -c -e "$(cat "$folder/state/token")" "$folder/log" | grep -qx 0
ok "the log holds no token" $?
kill -TERM "$pid"
wait "$pid"
ok "ends well when asked to" $?
pid=

timeout 20 "$program" check --state "$folder/state" >"$folder/out" 2>&1
ok "check finds the folder whole" $?
start "$folder/state" "${address#http://}"
first=$(cat "$folder/state/token")
kill -9 "$pid"
wait "$pid" 2>/dev/null
start "$folder/state" 127.0.0.1:0
test -n "$address" && test "$(cat "$folder/state/token")" = "$first"
ok "starts anew after a kill -9 with the same token" $?
kill -INT "$pid"
wait "$pid"
ok "ends well at Ctrl-C" $?
pid=

if command -v sqlite3 >/dev/null; then
	sqlite3 "$folder/state/lifeboat.db" "INSERT INTO schema VALUES (99)"
	refused 4 "has version 99, made by a newer Lifeboat" --state "$folder/state" --listen 127.0.0.1:0
	ok "a state folder of a newer version is refused" $?
else
	count=$((count + 1))
	echo "ok $count # SKIP sqlite3 is not installed"
fi
refused 2 "expected ADDR:PORT" --state "$folder/x" --listen nonsense
ok "--listen without a port is a usage error" $?
refused 2 "expected NAME=VALUE" --state "$folder/x" --var nonsense
ok "--var without a value is a usage error" $?
refused 1 "no-such-file" --state "$folder/x" --secret "KEY=$folder/no-such-file"
ok "a secret that cannot be read is named" $?
refused 3 "is not an IP address" --state "$folder/x" --listen example.org:1
ok "a name to listen at is refused" $?
timeout 20 "$program" check --state "$folder/nowhere" >"$folder/out" 2>&1
test $? -eq 1 && grep -q "no coordinator's state" "$folder/out" && test ! -e "$folder/nowhere"
ok "check makes nothing where nothing is" $?
echo "1..$count"
