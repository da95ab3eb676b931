/* plugin.h - a host module that is loaded at run time: what its library exports.
 *
 * A plug-in is a shared library with one function, lifeboat_plugin, that gives
 * a description which lasts as long as the library is loaded.  It is linked
 * with nothing of Lifeboat's: what it needs comes in struct lifeboat_host.
 * Functions are called on the thread that runs the store; a library that is
 * loaded twice is opened twice.  Installed as <lifeboat/plugin.h>; C99, C++.
 */
#ifndef LIFEBOAT_PLUGIN_H
#define LIFEBOAT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this interface.  A plug-in of another version is refused. */
#define LIFEBOAT_PLUGIN_VERSION 1

union lifeboat_value {
	uint32_t i32;
	uint64_t i64;
	float f32;
	double f64;
};

struct lifeboat_call; /* a call under way: good until the function returns */

/* What a plug-in can ask.  More may be added at the end: `size` says how much is there. */
struct lifeboat_host {
	size_t size;
	/* `len` bytes of the caller's memory (the one it exports as "memory") at `offset`: NULL
	 * where they are not all inside.  Good until the function returns. */
	void *(*memory)(struct lifeboat_call *call, uint64_t offset, uint64_t len);
	/* The call ends in a trap with this message, which is copied, once the function returns. */
	void (*fail)(struct lifeboat_call *call, const char *message);
};

struct lifeboat_function {
	const char *name;
	const char *signature; /* "iI:f": parameters, colon, results; i = i32, I = i64, f = f32, F =
	                          f64 */
	void (*call)(struct lifeboat_call *call, void *state, const union lifeboat_value *args,
	             union lifeboat_value *results);
};

struct lifeboat_plugin {
	uint32_t version;   /* LIFEBOAT_PLUGIN_VERSION */
	const char *module; /* the name that programs import it by */
	const struct lifeboat_function *functions;
	size_t function_count;
	/* Before the first call, and after the last.  `options` is what was said behind the
	 * library's name, or "".  On failure *error is set to a text that lasts.  Either may be
	 * NULL. */
	void *(*open)(const struct lifeboat_host *host, const char *options, const char **error);
	void (*close)(void *state);
};

/* The function that the library exports. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const struct lifeboat_plugin *
lifeboat_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
