/* shout.c - a plug-in: the host module "shout" with two functions, written to <lifeboat/plugin.h>.
 *
 *   cc -shared -fPIC $(pkg-config --cflags lifeboat-engine) -o shout.so shout.c
 *   lifeboat-engine run --plugin ./shout.so=2 hello.wat
 */
#include <lifeboat/plugin.h>

#include <stdlib.h>

/* What it keeps between calls: options and a count. */
struct shout {
	const struct lifeboat_host *host;
	long marks;
	uint32_t calls;
};

static void *open_shout(const struct lifeboat_host *host, const char *options, const char **error)
{
	struct shout *shout = calloc(1, sizeof *shout);

	if (shout == NULL) {
		*error = "out of memory";
		return NULL;
	}
	shout->host = host;
	shout->marks = strtol(options, NULL, 10);
	return shout;
}

static void close_shout(void *state) { free(state); }

/* shout.upper(at, len, room) -> len: letters made capitals in place, marks put behind them. */
static void upper(struct lifeboat_call *call, void *state, const union lifeboat_value *args,
                  union lifeboat_value *results)
{
	struct shout *shout = state;
	uint32_t len = args[1].i32, room = args[2].i32;
	char *text = shout->host->memory(call, args[0].i32, room);

	if (text == NULL || len > room) {
		shout->host->fail(call, "shout.upper: the text is not inside the memory");
		return;
	}
	shout->calls++;
	for (uint32_t i = 0; i < len; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] = (char)(text[i] - 'a' + 'A');
	for (long i = 0; i < shout->marks && len < room; i++)
		text[len++] = '!';
	results[0].i32 = len;
}

/* shout.calls() -> how often. */
static void calls(struct lifeboat_call *call, void *state, const union lifeboat_value *args,
                  union lifeboat_value *results)
{
	const struct shout *shout = state;

	(void)call;
	(void)args;
	results[0].i32 = shout->calls;
}

static const struct lifeboat_function functions[] = {
	{ "upper", "iii:i", upper },
	{ "calls", ":i", calls },
};

const struct lifeboat_plugin *lifeboat_plugin(void)
{
	static const struct lifeboat_plugin plugin = {
		.version = LIFEBOAT_PLUGIN_VERSION,
		.module = "shout",
		.functions = functions,
		.function_count = sizeof functions / sizeof functions[0],
		.open = open_shout,
		.close = close_shout,
	};

	return &plugin;
}
