/* wasmtime.c - see wasmtime.h. */
#include "tests/workflows/wasmtime.h"

#include "tests/workflows/support.h"

/* ---- the tests: platforms, each in so many parts ---- */

enum { CRATES_IN_PART = 97, PULL_PLATFORMS = 1 };

static const struct platform {
	const char *name, *os, *target, *qemu;
	unsigned parts;
} platforms[] = {
	{ "Linux x86_64", "ubuntu-24.04", NULL, NULL, 8 },
	{ "Linux x86_64 MSRV", "ubuntu-24.04", NULL, NULL, 8 },
	{ "Linux i686", "ubuntu-24.04", "i686-unknown-linux-gnu", NULL, 8 },
	{ "Linux x86_64 ASAN", "ubuntu-24.04", NULL, NULL, 1 },
	{ "Linux x86_64 MPK", "ubuntu-24.04", NULL, NULL, 1 },
	{ "Linux x86_64 SDE", "ubuntu-24.04", NULL, NULL, 1 },
	{ "Linux s390x", "ubuntu-24.04", "s390x-unknown-linux-gnu", "qemu-s390x", 8 },
	{ "Linux riscv64", "ubuntu-24.04", "riscv64gc-unknown-linux-gnu", "qemu-riscv64", 8 },
	{ "Linux armv7", "ubuntu-24.04", "armv7-unknown-linux-gnueabihf", "qemu-arm", 8 },
	{ "Linux arm64", "ubuntu-24.04-arm", NULL, NULL, 8 },
	{ "macOS x86_64", "macos-15", "x86_64-apple-darwin", NULL, 8 },
	{ "macOS arm64", "macos-15", NULL, NULL, 8 },
	{ "Windows MSVC x86_64", "windows-2025", NULL, NULL, 8 },
	{ "Windows MinGW x86_64", "windows-2025", "x86_64-pc-windows-gnu", NULL, 8 },
};

static void add_test(struct lb_buf *out, const struct platform *platform, unsigned part)
{
	lb_buf_addf(out, "%s{\"os\":\"%s\",\"name\":\"Test %s (%u/%u)\",\"rust\":\"default\",",
	            out->len > 0 ? "," : "", platform->os, platform->name, part + 1,
	            platform->parts);
	if (platform->target != NULL)
		lb_buf_addf(out, "\"target\":\"%s\",", platform->target);
	if (platform->qemu != NULL)
		lb_buf_addf(out, "\"qemu\":\"%s -L /usr\",\"gcc\":\"%s-gcc\",", platform->qemu,
		            platform->target);
	lb_buf_add_text(out, "\"bucket\":\"");
	for (unsigned i = 0; i < CRATES_IN_PART; i++)
		lb_buf_addf(out, "--package wasmtime-internal-%03u ", part * CRATES_IN_PART + i);
	lb_buf_add_text(out, "\"}");
}

static void add_builds(struct lb_buf *out)
{
	for (unsigned i = 0; i < WASMTIME_BUILDS; i++)
		lb_buf_addf(out,
		            "%s{\"build\":\"arch%u-linux%s\",\"os\":\"ubuntu-24.04\","
		            "\"target\":\"arch%u-unknown-linux-gnu\",\"rust\":\"%s\"}",
		            i > 0 ? "," : "", i / 2, i % 2 != 0 ? "-min" : "", i / 2,
		            i % 2 != 0 ? "nightly" : "default");
}

/* ---- the outputs ---- */

static void set_matrix(struct lb_arena *arena, struct lb_value *outputs, const char *name,
                       struct lb_buf *entries)
{
	lb_value_set_string(arena, outputs, name,
	                    lb_arena_format(arena, "{\"include\":[%s]}", lb_buf_text(entries)));
	lb_buf_release(entries);
}

const struct lb_value *wasmtime_outputs(struct lb_arena *arena, bool full)
{
	static const char *const flags[] = { "run-full",  "test-capi",       "test-nightly",
		                             "test-miri", "test-gc-zeal",    "audit",
		                             "run-dwarf", "platform-checks", "preview1-adapter" };
	struct lb_value *outputs = lb_value_object(arena);
	size_t count = full ? sizeof platforms / sizeof platforms[0] : PULL_PLATFORMS;
	struct lb_buf tests, builds;

	lb_buf_init(&tests, arena->under, 1 << 20);
	lb_buf_init(&builds, arena->under, 1 << 20);
	for (size_t i = 0; i < count; i++) {
		for (unsigned part = 0; part < platforms[i].parts; part++)
			add_test(&tests, &platforms[i], part);
	}
	add_builds(&builds);
	set_matrix(arena, outputs, "test-matrix", &tests);
	set_matrix(arena, outputs, "build-matrix", &builds);
	for (size_t i = 0; full && i < sizeof flags / sizeof flags[0]; i++)
		lb_value_set_text(arena, outputs, flags[i], "true");
	return outputs;
}

struct lb_bytes wasmtime_source(struct lb_arena *arena)
{
	struct lb_bytes none = { 0 };

	if (test_suites() == NULL)
		return none;
	return support_file(arena, support_path(arena,
	                                        "%s/workflow-corpus/bytecodealliance__wasmtime/"
	                                        ".github/workflows/main.yml",
	                                        test_suites()));
}
