/* text_bench.c - text to binary and back: how it grows with the module, and beside wabt.
 *
 * CPU time of whole processes, since that is what a peer can be asked for.
 */
#include "base/io/file.h"
#include "tests/bench/bench.h"
#include "tests/harness/test.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS = 7, TEXT_MAX = 256 << 20 };

static struct lb_buf text;
static char folder[900];

/* Functions as compilers write them: locals, memory, branches, calls, constants of all kinds. */
static void write_text(unsigned functions)
{
	lb_buf_reset(&text);
	lb_buf_add_text(&text, "(module\n  (memory 1)\n  (global $g (mut i32) (i32.const 0))\n");
	for (unsigned i = 0; i < functions; i++)
		lb_buf_addf(&text,
		            "  (func $function_%u (param $a i32) (param $b f64) (result i32)\n"
		            "    (local $sum i32)\n"
		            "    block $out\n"
		            "      loop $again\n"
		            "        local.get $a\n        i32.eqz\n        br_if $out\n"
		            "        local.get $sum\n        local.get $a\n"
		            "        i32.load offset=%u align=2\n        i32.add\n"
		            "        local.set $sum\n"
		            "        local.get $a\n        i32.const -%u\n        i32.add\n"
		            "        local.set $a\n        br $again\n"
		            "      end\n    end\n"
		            "    (global.set $g (i32.add (global.get $g) (local.get $sum)))\n"
		            "    (drop (f64.mul (local.get $b) (f64.const %u.%03ue-3)))\n"
		            "    (call $function_%u (local.get $sum) (f64.const 0x1.8p+1)))\n",
		            i, i % 4096, i + 1, i, i % 1000, i / 2);
	lb_buf_add_text(&text, ")\n");
}

static uint64_t cpu_ns(const char *command)
{
	struct rusage use;
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid || status != 0)
		return 0;
	return (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000u +
	       (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000u;
}

/* No samples where the command fails. */
static void measure(struct bench *bench, const char *name, const char *command)
{
	*bench = (struct bench){ .name = name };
	for (unsigned i = 0; i < RUNS; i++) {
		uint64_t ns = cpu_ns(command);

		if (ns > 0)
			bench_add(bench, ns);
	}
}

static void measure_size(struct test *t, const char *engine, unsigned functions)
{
	static struct bench ours, theirs;
	static char path[1024], command[4096];

	write_text(functions);
	(void)snprintf(path, sizeof path, "%s/module.wat", folder);
	CHECK_OK(lb_file_write(&plat_host, path, lb_buf_bytes(&text), 0, NULL));
	printf("%u functions, %.2f MB of text\n", functions, (double)text.len / 1e6);
	(void)snprintf(command, sizeof command, "wat2wasm --debug-names %s -o %s/wabt.wasm 2>&1",
	               path, folder);
	measure(&theirs, "wabt wat2wasm", command);
	(void)snprintf(command, sizeof command, "exec %s wat2wasm %s -o %s/module.wasm", engine,
	               path, folder);
	measure(&ours, "lifeboat-engine wat2wasm", command);
	bench_print(&theirs, NULL);
	bench_print(&ours, &theirs);
	(void)snprintf(command, sizeof command, "wasm2wat %s/module.wasm -o %s/wabt.wat 2>&1",
	               folder, folder);
	measure(&theirs, "wabt wasm2wat", command);
	(void)snprintf(command, sizeof command, "exec %s wasm2wat %s/module.wasm -o %s/back.wat",
	               engine, folder, folder);
	measure(&ours, "lifeboat-engine wasm2wat", command);
	bench_print(&theirs, NULL);
	bench_print(&ours, &theirs);
}

TEST(text_beside_wabt)
{
	char engine[1024];

	lb_buf_init(&text, &lb_mem_host, TEXT_MAX);
	(void)snprintf(folder, sizeof folder, "%s", test_folder(t));
	(void)snprintf(engine, sizeof engine, "%s/lifeboat-engine", test_build());
	for (unsigned functions = 1; functions <= 10000; functions *= 10)
		measure_size(t, engine, functions);
	lb_buf_release(&text);
}
