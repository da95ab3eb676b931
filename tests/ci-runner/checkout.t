#!/bin/bash
# checkout.t - the built-in actions/checkout: refs, paths, part of the files, submodules, LFS pointers, other repositories.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
runner=$LB_BUILD/lifeboat-runner
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export XDG_STATE_HOME=$tmp/state HOME=$tmp NO_COLOR=1 LIFEBOAT_ACTIONS_SOURCE=$tmp/published
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=protocol.file.allow GIT_CONFIG_VALUE_0=always
count=0
failed=0

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		tail -n 40 "$tmp/out" | sed 's/^/# /'
		failed=1
	fi
}
has() { grep -qxF -- "$1" "$tmp/out"; ok $? "says: $1"; }
commit() { git -C "$1" add -A && git -C "$1" -c user.name=n -c user.email=e commit -qm "$2"; }

if ! "$runner" exec --network none -- true >"$tmp/out" 2>&1; then
	echo "1..0 # SKIP $(tail -n 1 "$tmp/out")"
	exit 0
fi

# A submodule of a submodule, a repository of somebody else, and a checkout with both, tags and a branch.
for name in deep sub; do
	git init -q -b main "$tmp/$name" && echo "in $name" >"$tmp/$name/file" && commit "$tmp/$name" one
done
git -C "$tmp/sub" submodule --quiet add "$tmp/deep" inner && commit "$tmp/sub" inner
mkdir -p "$tmp/published/them"
git init -q -b trunk "$tmp/published/them/other" && echo "of others" >"$tmp/published/them/other/file"
commit "$tmp/published/them/other" one
repo=$tmp/repo
mkdir -p "$repo/.github/workflows" "$repo/a/b" "$repo/c"
git init -q -b main "$repo" && cd "$repo" || exit 1
echo one >file && echo ab >a/b/f && echo c >c/f && commit . one && git tag v1
printf '*.bin filter=lfs\n' >.gitattributes
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 3\n' 0 >data.bin
git -c filter.lfs.clean=cat -c filter.lfs.required=false submodule --quiet add "$tmp/sub" sub
git submodule --quiet update --init --recursive
echo two >file
cat >.github/workflows/ci.yml <<'Y'
on: push
jobs:
  plain:
    runs-on: x
    steps:
      - { id: c, uses: actions/checkout@v4 }
      - run: |
          echo "file $(cat file), sub is empty: $(ls sub | wc -l), on $(git branch --show-current), commit ${{ steps.c.outputs.commit == github.sha }}"
      - run: touch left
      - { uses: actions/checkout@v4, with: { clean: false } }
      - run: test -e left && echo "not cleaned"
      - uses: actions/checkout@v4
      - run: test -e left || echo "cleaned"
  ref:
    runs-on: x
    steps:
      - { uses: actions/checkout@v4, with: { ref: v1, path: old, fetch-tags: true } }
      - run: |
          cd old; echo "old file $(cat file), tag $(git describe --tags)"
  modules:
    runs-on: x
    steps:
      - { uses: actions/checkout@v4, with: { submodules: recursive } }
      - run: |
          echo "$(cat sub/file), $(cat sub/inner/file)"
      - { uses: actions/checkout@v4, with: { submodules: true, path: flat } }
      - run: |
          echo "$(cat flat/sub/file), then nothing: $(ls flat/sub/inner | wc -l)"
  sparse:
    runs-on: x
    steps:
      - { uses: actions/checkout@v4, with: { sparse-checkout: a } }
      - run: |
          echo "sparse: $(cat a/b/f), c is there: $(test -e c && echo yes || echo no)"
  other:
    runs-on: x
    steps:
      - { uses: actions/checkout@v4, with: { repository: them/other, path: other } }
      - run: cat other/file
      - { uses: actions/checkout@v4, with: { repository: them/none }, continue-on-error: true }
      - { uses: actions/checkout@v4, with: { ref: nothing }, continue-on-error: true }
      - { uses: actions/checkout@v4, with: { lfs: true }, continue-on-error: true }
Y
git -c filter.lfs.clean=cat -c filter.lfs.required=false add -A
git -c user.name=n -c user.email=e commit -qm two

"$runner" run >"$tmp/out" 2>&1
ok $? "all of it"
has "file two, sub is empty: 0, on main, commit true"
has "not cleaned"
has "cleaned"
has "warning: 1 file(s) are Git LFS pointers, not what they stand for (data.bin): set 'lfs: true'"
has "old file one, tag v1"
has "in sub, in deep"
has "in sub, then nothing: 0"
has "sparse: ab, c is there: no"
has "of others"
grep -q "error: .*them/none" "$tmp/out"
ok $? "a repository that is not there is named"
grep -q "error: .*nothing" "$tmp/out"
ok $? "a ref that is not there is named"
command -v git-lfs >/dev/null || has "error: 'lfs: true' needs git-lfs on this machine"

echo "1..$count"
exit "$failed"
