#!/bin/bash
# cli.t - keygen, sign, verify, package, publish of the real program, beside the stock minisign.
set -u
build=$(cd "${LB_BUILD:-build}" && pwd)
release=$build/lifeboat-release
folder=$(mktemp -d "${TMPDIR:-/tmp}/release-cli.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

count=0
report() { # STATUS NAME: one line of TAP
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; sed 's/^/# /' out 2>/dev/null; fi
}
passes() { name=$1; shift; "$@" >out 2>&1; report $? "$name"; }
exits() { # STATUS TEXT NAME COMMAND...: that exit status, and TEXT in what it says
	want=$1 text=$2 name=$3; shift 3
	"$@" >out 2>&1 </dev/null
	status=$?
	if [ $status -ne "$want" ]; then echo "# exit $status, expected $want" >>out; report 1 "$name"; return; fi
	grep -qF -e "$text" out; report $? "$name"
}
missing() { for f in "$@"; do [ ! -e "$f" ] || return 1; done; }

start_signer() { # sets pid and url
	"$release" signer --state s --policy policy.yml --tree t --listen 127.0.0.1:0 --ready-file ready --init >started 2>err.log &
	pid=$!
	for _ in $(seq 500); do [ -s ready ] && break; sleep 0.01; done
	url=$(cat ready) && [ -n "$url" ]
}

if ! command -v minisign >/dev/null; then echo "1..0 # SKIP minisign is not installed"; exit 0; fi
printf 'some content\n' >file
head -c 1500000 /dev/zero >big
: >empty

# ---- ours to theirs ----
passes "keygen without a password" "$release" keygen --no-password -s ours.key -p ours.pub
[ "$(stat -c %a ours.key)" = 600 ]; report $? "the secret key is for its owner only"
exits 1 "never overwritten" "keygen overwrites nothing" "$release" keygen --no-password -s ours.key -p new.pub
missing new.pub; report $? "... and leaves no half pair"
exits 2 "a password is expected" "keygen wants a password or to be told" "$release" keygen -s x.key -p x.pub
missing x.key x.pub; report $? "... and leaves nothing"
passes "sign several files" "$release" sign -s ours.key file big empty
for f in file big empty; do passes "minisign verifies our signature of $f" minisign -V -H -p ours.pub -m $f; done
passes "minisign signs with our key" minisign -S -s ours.key -m file -x theirs.sig -t 'timestamp:1	file:file	hashed'
passes "ours verifies it" "$release" verify -p ours.pub --signature theirs.sig file
passes "sign with the same comment" "$release" sign -s ours.key -t 'timestamp:1	file:file	hashed' file
passes "the two signatures are the same bytes" cmp theirs.sig file.minisig

# ---- theirs to ours ----
passes "minisign makes a key" minisign -G -W -s theirs.key -p theirs.pub
passes "ours signs with it" "$release" sign -s theirs.key file
passes "minisign verifies that" minisign -V -H -p theirs.pub -m file
passes "minisign signs" minisign -S -s theirs.key -m big
passes "ours verifies that" "$release" verify -p theirs.pub big
passes "ours verifies with the key as a word" "$release" verify -P "$(tail -1 theirs.pub)" big
passes "minisign signs the old way" minisign -S -l -s theirs.key -m big -x old.sig
passes "ours verifies the old way" "$release" verify -p theirs.pub --signature old.sig big

# ---- passwords; where memory is short minisign makes a key that is cheap to open ----
(ulimit -v 200000; printf 'secret\nsecret\n' | minisign -G -s pass.key -p pass.pub) >out 2>&1
report $? "minisign makes a key with a password"
printf 'secret\n' | "$release" sign -s pass.key file >out 2>&1; report $? "ours opens it"
passes "minisign verifies" minisign -V -H -p pass.pub -m file
printf 'wrong\n' | "$release" sign -s pass.key empty >out 2>&1
[ $? -eq 1 ] && grep -q 'wrong password' out; report $? "a wrong password is refused"
printf 'our secret\n' | "$release" keygen -s ourpass.key -p ourpass.pub >out 2>&1
report $? "ours makes a key with a password, at minisign's own cost"
printf 'our secret\n' | minisign -S -s ourpass.key -m file >out 2>&1; report $? "minisign opens it"
passes "ours verifies" "$release" verify -p ourpass.pub file

# ---- refusals ----
"$release" sign -s ours.key file big >/dev/null
exits 1 "was made with key" "another key" "$release" verify -p theirs.pub file
printf 'other content\n' >changed; cp file.minisig changed.minisig
exits 1 "does not hold" "changed content" "$release" verify -p ours.pub changed
cp file renamed; cp file.minisig renamed.minisig
exits 1 'a file named "file"' "a swapped name" "$release" verify -p ours.pub renamed
sed 's/hashed$/hashes/' file.minisig >comment.sig
exits 1 "trusted comment" "a changed trusted comment" "$release" verify -p ours.pub --signature comment.sig file
exits 1 "file.none" "a signature that is not there" "$release" verify -p ours.pub --signature file.none file
head -2 file.minisig >short.sig
exits 3 "ends too early" "a cut signature" "$release" verify -p ours.pub --signature short.sig file
exits 3 "42 bytes" "a key that is none" "$release" verify -P RWQfoo file
exits 1 "not all files are good" "one bad among several" "$release" verify -p ours.pub big changed file
grep -q '^file: good' out; report $? "... and the others are still looked at"
cp empty empty2
exits 3 "one line" "a line end in a comment" "$release" sign -s ours.key -t 'a
b' empty2
missing empty2.minisig; report $? "... and no signature is left"
exits 1 "nothere" "a file that is not there" "$release" sign -s ours.key nothere
missing nothere.minisig; report $? "... and no signature is left either"
exits 2 "operands are missing" "no file" "$release" verify
(ulimit -f 0; "$release" sign -s ours.key empty2 2>&1) | cat >err; missing empty2.minisig && grep -q "empty2.minisig" err
report $? "a full disk leaves no part of a signature"
left=$(find . -name '*.minisig?*' -o -name '.*' ! -name .); [ -z "$left" ]; report $? "no temporary files are left"

# ---- package ----
mkdir -p one/bin two/bin
for d in one two; do printf 'a\n' >$d/bin/a; printf 'b\n' >$d/b; chmod 755 $d/bin/a; done
touch -d @1000000000 one/b; touch -d @1100000000 two/b
passes "package" "$release" package --root one --name thing-1 --mtime 900000000 -o one.tar.gz
grep -q "^$(sha256sum one.tar.gz | cut -d' ' -f1)  one.tar.gz" out; report $? "... prints the digest"
SOURCE_DATE_EPOCH=900000000 "$release" package --root two --name thing-1 -o two.tar.gz >out 2>&1
cmp one.tar.gz two.tar.gz >>out 2>&1; report $? "the same content gives the same bytes"
passes "tar reads it" tar -xzf one.tar.gz
passes "... with what was packed" cmp one/bin/a thing-1/bin/a
exits 2 "expected a name that ends in" "an archive of another kind" "$release" package --root one --name x -o x.rar
exits 1 "no such folder" "a folder that is not there" "$release" package --root none --name x -o x.tar.gz
missing x.rar x.tar.gz; report $? "... and no archive is left"

# ---- publish, without a signer ----
unset LIFEBOAT_RELEASE_URL ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN GITHUB_OUTPUT
exits 2 "LIFEBOAT_RELEASE_URL" "no signer is named" "$release" publish --channel c --version 1 file
exits 2 "id-token: write" "no token to be had" "$release" publish --url http://127.0.0.1:1 --channel c --version 1 file

# ---- serving ----
exits 2 "ADDRESS:PORT" "an address that is none" "$release" host --tree . --listen here
exits 1 "no such folder" "a tree that is not there" "$release" host --tree none --listen 127.0.0.1:0
cat >policy.yml <<'END'
version: 1
audience: a
issuers: [{ name: here, url: "http://127.0.0.1:1" }]
publishers:
  - { issuer: here, repository: o/n, workflow: w, ref: r, events: [push], project: p, channels: [c], files: ["*"] }
END
exits 3 "file: line 1" "a policy that is none" "$release" signer --state s --policy file --tree t --listen 127.0.0.1:0
exits 1 "--init" "a state that is none" "$release" signer --state s --policy policy.yml --tree t --listen 127.0.0.1:0
passes "a signer starts" start_signer
grep -q '^Max core file size *0 *0 ' "/proc/$pid/limits"; report $? "it can leave no core file"
exits 4 "in use" "a port that is taken" "$release" host --tree t --listen "${url#http://}"
exits 4 "" "a state that is taken" "$release" signer --state s --policy policy.yml --tree t2 --listen 127.0.0.1:0
[ "$(stat -c %a s/minisign.key) $(stat -c %a t/.staging)" = "600 700" ]; report $? "key and staging are the signer's only"
curl -s "$url/v1/public-key" | cmp -s - s/minisign.pub; report $? "it tells its public key"
[ "$(curl -s -o out -w '%{http_code}' -H 'Authorization: Bearer x.y.z' -d '{}' "$url/v1/releases")" = 403 ]; report $? "a token that is none gets 403"
kill -TERM "$pid"; wait "$pid"; report $? "asked to stop, it ends well"
secret=$(tail -1 s/minisign.key | cut -c90-130)
! grep -rqF -e "$secret" t s/audit.log s/used-tokens s/minisign.pub started err.log; report $? "the secret key is nowhere but in its file"
echo "1..$count"
