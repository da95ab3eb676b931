#!/bin/bash
# unmodified.t - GitHub's own actions, unmodified, in jobs without any network.  ACTIONS_MIRROR=DIR holds them as
# OWNER/NAME.git, OWNER/NAME or OWNER+NAME/repo; of each the newest tag whose files are all there is taken.
set -u
LB_BUILD=$(realpath "${LB_BUILD:-build}")
runner=$LB_BUILD/lifeboat-runner
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export XDG_STATE_HOME=$tmp/state HOME=$tmp NO_COLOR=1 LIFEBOAT_ACTIONS_SOURCE=$tmp/published LIFEBOAT_TOOL_CACHE=$tmp/tools
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
skip() { # NAME WHY
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}
part() { grep -qF -- "$1" "$tmp/out"; ok $? "says: ...$1"; }
commit() { git -C "$1" add -A -f && git -C "$1" -c user.name=n -c user.email=e commit -qm "$2"; }

if [ -z "${ACTIONS_MIRROR:-}" ]; then
	echo "1..0 # SKIP set ACTIONS_MIRROR to a folder with the actions' repositories"
	exit 0
fi
if ! "$runner" exec --network none -- true >"$tmp/out" 2>&1; then
	echo "1..0 # SKIP $(tail -n 1 "$tmp/out")"
	exit 0
fi

# Publish OWNER/NAME as them/NAME@v, so that what is built in is not taken: its files at the newest tag that is whole.
publish() { # OWNER NAME [TEXT-IN-IT]
	local from tag to=$tmp/published/them/$2
	for from in "$ACTIONS_MIRROR/$1/$2.git" "$ACTIONS_MIRROR/$1/$2" "$ACTIONS_MIRROR/$1+$2/repo"; do
		[ -d "$from" ] || continue
		for tag in $(git -C "$from" tag --sort=-v:refname); do
			rm -rf "$to" && mkdir -p "$to"
			git -C "$from" archive "$tag" 2>/dev/null | tar x -C "$to" 2>/dev/null || continue
			main=$(tr -d '\r' <"$to/action.yml" 2>/dev/null | sed -n 's/^ *main: *["'\'']\{0,1\}\([^"'\'' ]*\).*/\1/p' | head -n 1)
			[ -f "$to/$main" ] || continue
			grep -q 'using: *["'\'']\{0,1\}node\(20\|24\)' "$to/action.yml" || continue
			[ -s "$to/$main" ] || continue
			grep -q -- "${3:-.}" "$to/$main" || continue
			git init -q -b main "$to" && commit "$to" "$tag" && git -C "$to" tag v
			echo "# $1/$2@$tag"
			return 0
		done
	done
	return 1
}

arch=$(node -p 'os.arch()')
repo=$tmp/repo
mkdir -p "$repo/.github/workflows" "$tmp/tools/node/20.19.0/$arch/bin" "$tmp/tools/Python/3.11.2/$arch/bin"
ln -s "$(command -v node)" "$tmp/tools/node/20.19.0/$arch/bin/node"
ln -s "$(command -v python3)" "$tmp/tools/Python/3.11.2/$arch/bin/python3"
ln -s "$(command -v python3)" "$tmp/tools/Python/3.11.2/$arch/bin/python"
touch "$tmp/tools/node/20.19.0/$arch.complete" "$tmp/tools/Python/3.11.2/$arch.complete"
echo hello >"$repo/file"
git init -q -b main "$repo" && commit "$repo" one && echo more >>"$repo/file" && commit "$repo" two
cd "$repo" || exit 1

run() { # NAME STEPS...
	printf 'on: push\nenv: { LIFEBOAT_NETWORK: none }\njobs:\n  a:\n    runs-on: x\n    steps:\n' >.github/workflows/ci.yml
	cat >>.github/workflows/ci.yml
	git add -A -f && git -c user.name=n -c user.email=e commit -q --allow-empty -m "$1"
	"$runner" run >"$tmp/out" 2>&1
	ok $? "$1"
}

if publish actions checkout; then
	run actions/checkout <<'Y'
      - uses: them/checkout@v
        with: { fetch-depth: 2, path: here }
      - run: |
          cd here; echo "commits=$(git log --oneline | wc -l) file=$(tail -n 1 file)"
Y
	part "commits=2 file=more"
else skip actions/checkout "the mirror has no whole version"; fi

if publish actions cache; then
	for time in first second; do
		run "actions/cache, the $time time" <<'Y'
      - uses: them/cache@v
        id: c
        with: { path: kept, key: "k-${{ github.job }}" }
      - run: |
          echo "hit=${{ steps.c.outputs.cache-hit }} $(cat kept/f || true)"; mkdir -p kept; echo is-back >kept/f
Y
	done
	part "hit=true is-back"
else skip actions/cache "the mirror has no whole version"; fi

if publish actions upload-artifact ArtifactService; then
	run actions/upload-artifact <<'Y'
      - run: echo artifact >f
      - uses: them/upload-artifact@v
        with: { name: mine, path: f }
      - uses: actions/download-artifact@v4
        with: { name: mine, path: back }
      - run: cat back/f
Y
else skip actions/upload-artifact "the mirror has no whole version"; fi

if publish actions download-artifact ArtifactService; then
	run actions/download-artifact <<'Y'
      - run: echo artifact >f
      - uses: actions/upload-artifact@v4
        with: { name: mine, path: f }
      - uses: them/download-artifact@v
        with: { name: mine, path: back }
      - run: cat back/f
      - uses: them/download-artifact@v
        with: { name: mine, path: again, run-id: "${{ github.run_id }}", github-token: "${{ github.token }}" }
      - run: cat again/f
Y
else skip actions/download-artifact "the mirror has no whole version"; fi

if publish actions setup-node; then
	run actions/setup-node <<'Y'
      - uses: them/setup-node@v
        with: { node-version: 20, package-manager-cache: false }
      - run: |
          case $(command -v node) in */_tool/node/20.19.0/*) echo "node from the tool cache" ;; esac
Y
	part "node from the tool cache"
else skip actions/setup-node "the mirror has no whole version"; fi

if publish actions setup-python; then
	run actions/setup-python <<'Y'
      - uses: them/setup-python@v
        with: { python-version: "3.11" }
      - run: |
          case $(command -v python) in */_tool/Python/3.11.2/*) echo "python from the tool cache" ;; esac
Y
	part "python from the tool cache"
else skip actions/setup-python "the mirror has no whole version"; fi

if publish actions github-script; then
	run actions/github-script <<'Y'
      - uses: them/github-script@v
        id: s
        with:
          script: |
            const run = await github.rest.actions.getWorkflowRun({ ...context.repo, run_id: context.runId });
            const jobs = await github.rest.actions.listJobsForWorkflowRun({ ...context.repo, run_id: context.runId });
            const file = await github.rest.repos.getContent({ ...context.repo, path: 'file' });
            const commit = await github.rest.repos.getCommit({ ...context.repo, ref: context.sha });
            await github.rest.issues.createComment({ ...context.repo, issue_number: 3, body: 'hello' });
            await github.rest.issues.addLabels({ ...context.repo, issue_number: 3, labels: ['x'] });
            await github.rest.repos.createCommitStatus({ ...context.repo, sha: context.sha, state: 'success' });
            const query = 'query($o: String!, $n: String!) { repository(owner: $o, name: $n) { nameWithOwner pullRequest(number: 3) { title } } }';
            const graph = await github.graphql(query, { o: context.repo.owner, n: context.repo.repo });
            return [run.data.status, jobs.data.jobs[0].name, Buffer.from(file.data.content, 'base64').toString().trim(),
              commit.data.commit.message.trim(), graph.repository.nameWithOwner, graph.repository.pullRequest].join('|');
      - run: |
          echo '${{ steps.s.outputs.result }}'
Y
	part '"in_progress|a|hello\nmore|actions/github-script|local/repo|"'
	part "Queued for GitHub: POST /repos/local/repo/issues/3/comments"
	part "Queued for GitHub: POST /repos/local/repo/issues/3/labels"
	part "3 request(s) that only GitHub can do are queued in $tmp/state/lifeboat/replay.jsonl"
	test "$(grep -c '"method":"POST"' "$tmp/state/lifeboat/replay.jsonl")" = 3
	ok $? "what is queued is kept"
else skip actions/github-script "the mirror has no whole version"; fi

# A stand-in for the compiler: the action asks it for its version and its packages, and keeps folders.
if publish Swatinem rust-cache; then
	for time in first second; do
		run "Swatinem/rust-cache, the $time time" <<'Y'
      - run: |
          mkdir -p bin ~/.cargo/registry/index target/debug; echo "$PWD/bin" >>"$GITHUB_PATH"
          printf '#!/bin/sh\necho "rustc 1.80.0 (x 2024-01-01)\nrelease: 1.80.0\nhost: x86_64-unknown-linux-gnu\ncommit-hash: x"\n' >bin/rustc
          printf '#!/bin/sh\necho "{\\"packages\\":[],\\"target_directory\\":\\"%s/target\\"}"\n' "$PWD" >bin/cargo
          chmod +x bin/*; printf '[package]\nname = "x"\nversion = "1.0.0"\n' >Cargo.toml; echo 'version = 3' >Cargo.lock
      - uses: them/rust-cache@v
        id: c
      - run: |
          echo "hit=${{ steps.c.outputs.cache-hit }}"; mkdir -p target/debug/build; echo x >target/debug/build/x
Y
	done
	part "hit=true"
else skip Swatinem/rust-cache "the mirror has no whole version"; fi

echo "1..$count"
exit "$failed"
