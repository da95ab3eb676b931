/* script_test.c - which scripts are for bash and sh, and what is left of their expressions. */
#include "tests/workflows/support.h"

#include "workflows/lint/script.h"

static void gives(struct test *t, const char *source, const char *want)
{
	const struct workflow_script *scripts;
	struct lb_bytes text = LB_B("");
	struct lb_arena arena;
	struct workflow *w;
	uint32_t count = 0;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(workflow_check(&w, t->mem, lb_bytes_of(source), "a.yml"));
	CHECK_OK(workflow_scripts(&scripts, &count, &arena, w));
	for (uint32_t i = 0; i < count; i++) {
		CHECK(scripts[i].text.len == scripts[i].run->raw.len);
		text = lb_arena_format(&arena, "%.*s%s: %.*s\n", LB_FMT(text), scripts[i].shell,
		                       LB_FMT(scripts[i].text));
	}
	CHECK_TEXT(lb_arena_text(&arena, text), want);
	workflow_free(w);
	lb_arena_release(&arena);
}

#define ON "on: push\njobs:\n  a:\n"

TEST(expressions_become_variables_of_the_same_length)
{
	gives(t, ON "    runs-on: x\n    steps:\n      - run: a ${{ env }} '${{ env['}}'] }}'\n",
	      "bash: a ${_______} '${_____________}'\n");
	gives(t,
	      ON
	      "    runs-on: x\n    steps:\n      - run: |\n          a ${{ env\n            }} c\n",
	      "bash: a _______\n____ c\n\n");
}

TEST(shells_are_those_of_step_job_and_workflow)
{
	gives(t,
	      "on: push\ndefaults: { run: { shell: 'sh -e {0}' } }\njobs:\n  a:\n    runs-on: x\n"
	      "    steps:\n      - { run: a }\n      - { run: b, shell: bash }\n      - { run: c, "
	      "shell: "
	      "python }\n      - { run: d, shell: pwsh }\n"
	      "  b:\n    runs-on: x\n    defaults: { run: { shell: bash } }\n"
	      "    steps: [ { parallel: [ { run: e } ] } ]\n",
	      "sh: a\nbash: b\nbash: e\n");
}

TEST(jobs_that_may_run_on_windows_have_other_shells)
{
	gives(t,
	      ON
	      "    runs-on: windows-latest\n    steps: [ { run: a }, { run: b, shell: bash } ]\n",
	      "bash: b\n");
	gives(t,
	      ON "    strategy: { matrix: { os: [linux, Windows-2025] } }\n    runs-on: ${{ "
	         "matrix.os }}\n"
	         "    steps: [ run: a ]\n"
	         "  b:\n    strategy: { matrix: { os: [linux, mac] } }\n    runs-on: ${{ matrix.os "
	         "}}\n"
	         "    steps: [ run: b ]\n"
	         "  c:\n    runs-on: ${{ inputs.x }}\n    steps: [ run: c ]\n",
	      "bash: b\n");
}

TEST(scripts_survive_every_oom)
{
	EACH_OOM (t) {
		const struct workflow_script *scripts;
		struct workflow *w = NULL;
		struct lb_arena arena;
		uint32_t count;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = workflow_check(&w, t->mem,
		                     LB_B(ON "    runs-on: x\n    steps: [ { run: 'a ${{ env }}' "
		                             "}, { run: c } ]\n"),
		                     "a.yml");
		if (!lb_failed(err))
			err = workflow_scripts(&scripts, &count, &arena, w);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		workflow_free(w);
		lb_arena_release(&arena);
	}
}
