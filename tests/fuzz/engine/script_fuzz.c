/* script_fuzz.c - any bytes as a script: all commands are read, and their modules assembled. */
#include "engine/text/script.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 64 << 20, COMMANDS_MAX = 1000 };

static void read_all(struct lb_mem *mem, struct engine_script *script, size_t len)
{
	struct engine_script_command command;
	struct lb_diag diag = { 0 };
	struct lb_buf binary;
	size_t line = 1;

	lb_buf_init(&binary, mem, BYTES_MAX);
	for (int i = 0; i < COMMANDS_MAX; i++) {
		if (lb_failed(engine_script_next(&command, script, &diag)))
			break;
		if (command.line < line || command.line > len + 1)
			abort();
		line = command.line;
		lb_buf_reset(&binary);
		if (command.kind == ENGINE_SCRIPT_MODULE ||
		    command.kind == ENGINE_SCRIPT_DEFINITION ||
		    command.kind >= ENGINE_SCRIPT_MALFORMED)
			lb_ignore(engine_script_module(&binary, script, &command, &diag));
	}
	lb_buf_release(&binary);
}

static void target(struct lb_mem *mem, struct lb_bytes input, bool failing)
{
	struct engine_script *script;
	struct lb_diag diag = { 0 };

	(void)failing;
	if (lb_failed(engine_script_open(&script, mem, input, NULL, &diag)))
		return;
	read_all(mem, script, input.len);
	engine_script_close(script);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_twice(target, data, size);
}
