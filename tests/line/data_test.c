/* data_test.c - what jobs hand to one another, through the real programs: outputs, conditions,
 * artifacts, caches, the checkout, reusable workflows. */
#include "tests/line/line.h"

TEST(outputs_and_results_decide_what_comes_next)
{
	static const char workflow[] =
		"on: workflow_dispatch\n"
		"jobs:\n"
		"  make:\n"
		"    runs-on: ubuntu-latest\n"
		"    outputs:\n"
		"      list: ${{ steps.list.outputs.list }}\n"
		"      lines: ${{ steps.list.outputs.lines }}\n"
		"    steps:\n"
		"      - id: list\n"
		"        run: |\n"
		"          echo 'list=[\"x\",\"y z\"]' >> \"$GITHUB_OUTPUT\"\n"
		"          { echo 'lines<<END'; echo one; echo 'two = 2'; echo END; } >> "
		"\"$GITHUB_OUTPUT\"\n"
		"  bad:\n"
		"    runs-on: ubuntu-latest\n"
		"    steps: [{ run: exit 3 }]\n"
		"  each:\n"
		"    needs: make\n"
		"    strategy: { matrix: { of: '${{ fromJSON(needs.make.outputs.list) }}' } }\n"
		"    runs-on: ubuntu-latest\n"
		"    env: { LINES_OF: '${{ needs.make.outputs.lines }}' }\n"
		"    steps:\n"
		"      - run: printf 'of <%s>\\n' '${{ matrix.of }}'; echo \"$LINES_OF\" | sed "
		"'s/^/- /'\n"
		"  always:\n"
		"    needs: [make, bad]\n"
		"    if: always() && needs.bad.result == 'failure' && needs.make.result == "
		"'success'\n"
		"    runs-on: ubuntu-latest\n"
		"    steps: [{ run: 'echo \"after\" all' }]\n"
		"  mourns:\n"
		"    needs: bad\n"
		"    if: failure()\n"
		"    runs-on: ubuntu-latest\n"
		"    steps: [{ run: 'true' }]\n"
		"  never:\n"
		"    needs: [make, bad]\n"
		"    runs-on: ubuntu-latest\n"
		"    steps: [{ run: 'true' }]\n";
	struct line line;
	const struct lb_value *run = NULL;

	if (line_up(&line, t, 2))
		run = line_run(&line, workflow, 40);
	line_check_job(&line, run, "each.0", "success");
	CHECK(line_said(&line, run, "each.0", "of <x>") == 1);
	CHECK(line_said(&line, run, "each.1", "of <y z>") == 1);
	CHECK(line_said(&line, run, "each.1", "- two = 2") == 1);
	CHECK(line_said(&line, run, "always", "after all") == 1);
	line_check_job(&line, run, "mourns", "success");
	line_check_job(&line, run, "never", "skipped");
	CHECK_BYTES(lb_value_get_string(run, "conclusion"), "failure");
	line_stop(&line);
}

TEST(artifacts_go_from_job_to_job)
{
	static const char workflow[] =
		"on: workflow_dispatch\n"
		"jobs:\n"
		"  up:\n"
		"    strategy: { matrix: { n: [1, 2] } }\n"
		"    runs-on: ubuntu-latest\n"
		"    steps:\n"
		"      - run: |\n"
		"          mkdir -p out/deep; echo \"text ${{ matrix.n }}\" > out/deep/a.txt\n"
		"          head -c 3000000 /dev/urandom > out/noise; : > out/empty; echo x > "
		"out/left.log\n"
		"          sha256sum < out/noise > sum-${{ matrix.n }}\n"
		"      - uses: actions/upload-artifact@v4\n"
		"        with:\n"
		"          name: part-${{ matrix.n }}\n"
		"          path: |\n"
		"            out\n"
		"            sum-${{ matrix.n }}\n"
		"            !out/*.log\n"
		"      - { uses: actions/upload-artifact@v4, with: { name: none, path: nothing, "
		"if-no-files-found: ignore } }\n"
		"      - { id: again, continue-on-error: true, uses: actions/upload-artifact@v4, "
		"with: "
		"{ name: 'part-${{ matrix.n }}', path: out } }\n"
		"      - run: echo \"second is\" ${{ steps.again.outcome }}\n"
		"  down:\n"
		"    needs: up\n"
		"    runs-on: ubuntu-latest\n"
		"    steps:\n"
		"      - { uses: actions/download-artifact@v4, with: { name: part-1, path: one } "
		"}\n"
		"      - { uses: actions/download-artifact@v4, with: { pattern: 'part-*', path: "
		"all } }\n"
		"      - run: |\n"
		"          set -x; test \"$(cat one/out/deep/a.txt)\" = 'text 1'\n"
		"          test -e one/out/empty; test ! -e one/out/left.log\n"
		"          for n in 1 2; do test \"$(sha256sum < all/part-$n/out/noise)\" = "
		"\"$(cat "
		"all/part-$n/sum-$n)\"; done\n"
		"      - { id: none, continue-on-error: true, uses: actions/download-artifact@v4, "
		"with: "
		"{ name: nothing-of-it } }\n"
		"      - run: echo \"missing is\" ${{ steps.none.outcome }}\n";
	struct line line;
	const struct lb_value *run = NULL, *list;
	char path[64];
	int status;

	if (line_up(&line, t, 2))
		run = line_run(&line, workflow, 40);
	line_check_job(&line, run, "up.0", "success");
	line_check_job(&line, run, "down", "success");
	CHECK(line_said(&line, run, "up.1", "second is failure") == 1);
	CHECK(line_said(&line, run, "down", "missing is failure") == 1);
	(void)snprintf(path, sizeof path, "/api/v1/runs/%.0f/artifacts",
	               lb_value_get_number(run, "id"));
	list = lb_value_get(line_ask(&line, &status, "GET", path, NULL), "artifacts");
	CHECK(list != NULL && list->count == 2);
	line_stop(&line);
}

TEST(a_cache_goes_from_run_to_run)
{
	static const char workflow[] =
		"on: workflow_dispatch\n"
		"jobs:\n"
		"  job:\n"
		"    runs-on: ubuntu-latest\n"
		"    steps:\n"
		"      - uses: actions/checkout@v4\n"
		"      - id: cache\n"
		"        uses: actions/cache@v4\n"
		"        with: { path: kept, key: 'k-${{ hashFiles(''lock'') }}', restore-keys: k- "
		"}\n"
		"      - run: |\n"
		"          echo \"hit <${{ steps.cache.outputs.cache-hit }}>\" \"$(cat kept/when "
		"2>/dev/null)\"\n"
		"          mkdir -p kept; echo \"of $(cat lock)\" > kept/when\n";
	struct line line;
	const struct lb_value *run = NULL;
	bool good = line_up(&line, t, 1);

	good = good && line_write(&line, "lock", LB_B("one"));
	run = good ? line_run(&line, workflow, 30) : NULL;
	CHECK(line_said(&line, run, "job", "hit <> ") == 1 ||
	      line_said(&line, run, "job", "hit <false> ") == 1);
	run = good ? line_run(&line, workflow, 30) : NULL;
	CHECK(line_said(&line, run, "job", "hit <true> of one") == 1);
	good = good && line_write(&line, "lock", LB_B("two"));
	run = good ? line_run(&line, workflow, 30) : NULL; /* by the restore key */
	CHECK(line_said(&line, run, "job", "hit <false> of one") == 1);
	run = good ? line_run(&line, workflow, 30) : NULL;
	CHECK(line_said(&line, run, "job", "hit <true> of two") == 1);
	line_stop(&line);
}

TEST(a_checkout_has_the_commit)
{
	static const char workflow[] =
		"on: workflow_dispatch\n"
		"jobs:\n"
		"  job:\n"
		"    runs-on: ubuntu-latest\n"
		"    steps:\n"
		"      - run: test -z \"$(ls -A)\"\n"
		"      - uses: actions/checkout@v4\n"
		"      - run: |\n"
		"          set -x; test \"$(git rev-parse HEAD)\" = \"$GITHUB_SHA\"\n"
		"          test -z \"$(git status "
		"--porcelain)\"\n"
		"          test \"$(cat 'with blank/ünïcode')\" = text; sh ./script\n"
		"          touch left-over\n"
		"      - { uses: actions/checkout@v4, with: { path: all, fetch-depth: 0 } }\n"
		"      - run: test \"$(git -C all rev-list --count HEAD)\" -ge 2; git -C all log "
		"-1 "
		"--format=%s\n"
		"      - uses: actions/checkout@v4\n"
		"      - run: test ! -e left-over\n"
		"      - { uses: actions/checkout@v4, with: { ref: refs/heads/main, path: by-ref } "
		"}\n"
		"      - { id: none, continue-on-error: true, uses: actions/checkout@v4, with: { "
		"ref: "
		"nothing-of-it, path: x } }\n"
		"      - run: test ${{ steps.none.outcome }} = failure\n";
	struct line line;
	const struct lb_value *run = NULL;

	if (line_up(&line, t, 1) && line_write(&line, "with blank/ünïcode", LB_B("text\n")) &&
	    line_write(&line, "script", LB_B("#!/bin/sh\nexit 0\n")) && line_push(&line, workflow))
		run = line_run(&line, workflow, 30);
	line_check_job(&line, run, "job", "success");
	CHECK(line_said(&line, run, "job", "test: change") == 1);
	line_stop(&line);
}

TEST(a_reusable_workflow_answers_its_caller)
{
	static const char called[] =
		"on:\n"
		"  workflow_call:\n"
		"    inputs: { word: { type: string, required: true }, more: { type: number, "
		"default: 7 } }\n"
		"    outputs: { said: { value: '${{ jobs.inner.outputs.said }}' } }\n"
		"    secrets: { HIDDEN: { required: true } }\n"
		"jobs:\n"
		"  inner:\n"
		"    runs-on: ubuntu-latest\n"
		"    outputs: { said: '${{ steps.say.outputs.said }}' }\n"
		"    steps:\n"
		"      - id: say\n"
		"        env: { HIDDEN: '${{ secrets.HIDDEN }}' }\n"
		"        run: |\n"
		"          echo \"said=${{ inputs.word }}-${{ inputs.more }}-${#HIDDEN}\" >> "
		"\"$GITHUB_OUTPUT\"\n";
	static const char workflow[] =
		"on: workflow_dispatch\n"
		"jobs:\n"
		"  call:\n"
		"    strategy: { matrix: { word: [hello] } }\n"
		"    uses: ./.github/workflows/called.yml\n"
		"    with: { word: '${{ matrix.word }}' }\n"
		"    secrets: { HIDDEN: '${{ secrets.SECRET }}' }\n"
		"  after:\n"
		"    needs: call\n"
		"    runs-on: ubuntu-latest\n"
		"    steps: [{ run: 'echo \"it said\" ${{ needs.call.outputs.said }}' }]\n";
	struct line line;
	const struct lb_value *run = NULL;
	bool good = line_init(&line, t);

	(void)snprintf(line.secret, sizeof line.secret, "%s", "eleven-char");
	if (good && line_start_coordinator(&line) && line_start_runner(&line, 0) &&
	    line_write(&line, ".github/workflows/called.yml", lb_bytes_of(called)))
		run = line_run(&line, workflow, 30);
	line_check_job(&line, run, "after", "success");
	CHECK(line_said(&line, run, "after", "it said hello-7-11") == 1);
	line_stop(&line);
}
