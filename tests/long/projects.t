#!/bin/bash
# projects.t - the workflows of real projects in C, unmodified, by `lifeboat run`: jobs that need no machine but this one.
# Their sources come as Debian ships them; what cannot be had is skipped aloud.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
runner=$LB_BUILD/lifeboat-runner
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export XDG_STATE_HOME=$tmp/state HOME=$tmp NO_COLOR=1 LIFEBOAT_ACTIONS_SOURCE=$tmp/none
count=0
failed=0

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		tail -n 60 "$tmp/out" | cut -c1-300 | sed 's/^/# /'
		failed=1
	fi
}

if ! "$runner" exec --network none -- true >"$tmp/out" 2>&1; then
	echo "1..0 # SKIP $(tail -n 1 "$tmp/out")"
	exit 0
fi

# apt-get with a list of sources made of the machine's own, which by default names none.
apt() { apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$tmp/parts" -o Dir::State::lists="$tmp/lists" \
	-o APT::Sandbox::User=root "$@" >>"$tmp/apt.log" 2>&1; }
mkdir -p "$tmp/parts" "$tmp/lists/partial" "$tmp/sources"
for list in /etc/apt/sources.list.d/*.sources; do
	[ ! -e "$list" ] || sed 's/^Types:.*/Types: deb-src/' "$list" >"$tmp/parts/${list##*/}"
done
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	[ ! -e "$list" ] || sed -n 's/^deb /deb-src /p' "$list" >"$tmp/parts/${list##*/}-src.list"
done
if ! command -v apt-get >/dev/null || ! apt update; then
	echo "1..0 # SKIP there are no Debian sources here"
	exit 0
fi

try() { # PACKAGE WORKFLOW NEEDED-PROGRAM OPTIONS...
	local package=$1 workflow=$2 needed=$3 repo=$tmp/$1
	shift 3
	if ! command -v "$needed" >/dev/null; then
		count=$((count + 1))
		echo "ok $count - $package # SKIP $needed is not installed"
		return
	fi
	if [ ! -d "$repo" ] && ! (cd "$tmp/sources" && apt source --download-only "$package"); then
		count=$((count + 1))
		echo "ok $count - $package # SKIP its sources cannot be fetched"
		return
	fi
	if [ ! -d "$repo" ]; then
		mkdir "$repo"
		tar -xf "$tmp/sources/$package"_*.orig.tar.[gxb]z* -C "$repo" --strip-components=1
		git init -q -b master "$repo"
		git -C "$repo" add -A -f && git -C "$repo" -c user.name=n -c user.email=e commit -qm "$package"
	fi
	(cd "$repo" && timeout 900 "$runner" run --event push --workflow ".github/workflows/$workflow" "$@") >"$tmp/out" 2>&1
	ok $? "$package: $workflow $*"
}

try jansson tests.yml cmake --job cmake --matrix os=ubuntu-latest --matrix cc=gcc
try xxhash ci.yml cmake --job ubuntu-cmake-unofficial
try lz4 ci.yml make --job lz4-standard-makefile-variables

echo "1..$count"
exit "$failed"
