/* world.h - a program that does nothing but call WASI for a test. */
#ifndef LB_TESTS_ENGINE_WASI_WORLD_H
#define LB_TESTS_ENGINE_WASI_WORLD_H

#include "engine/wasi/abi_priv.h"
#include "engine/wasi/wasi.h"
#include "tests/engine/wasm.h"

enum { WORLD_MEMORY = 2 * ENGINE_PAGE_SIZE };

/* Where tests keep things in the program's memory. */
enum { AT_ANSWER = 64, AT_PIECES = 128, AT_PATH = 4096, AT_PATH_2 = 12288, AT_DATA = 65536 };

/* The granted folders. */
enum { FD_FOLDER = 3, FD_READ_ONLY = 4 };

struct world {
	struct test *t;
	struct engine_module *module;
	struct engine_store *store;
	struct engine_linker *linker;
	struct engine_instance *instance;
	struct wasi *wasi;
	const char *folder; /* what is granted: as "/box" and, read-only, as "/locked" */
	lb_err err;         /* of the last call: what it trapped with */
	struct engine_module *extra[32]; /* that a test put into the store */
	size_t extra_count;
};

/* A world with the test's folder in it, whatever `options` (NULL is fine) adds. */
lb_err world_start(struct world *w, struct test *t, const struct wasi_options *options);
void world_stop(struct world *w);

/* Call a function of preview 1 with these arguments; its errno. */
#define CALL(w, name, ...) \
	world_call((w), #name, (const uint64_t[]){ 0 __VA_OPT__(, ) __VA_ARGS__ } + 1)
enum wasi_errno world_call(struct world *w, const char *name, const uint64_t *args);

/* The program's memory. */
unsigned char *world_at(struct world *w, uint32_t at);
uint32_t world_u32(struct world *w, uint32_t at);
uint64_t world_u64(struct world *w, uint32_t at);
void world_set_u32(struct world *w, uint32_t at, uint32_t value);
void world_set_u64(struct world *w, uint32_t at, uint64_t value);

/* Text there; its address and length as two arguments of a call. */
uint32_t world_text(struct world *w, uint32_t at, const char *text);
#define PATH(w, text) AT_PATH, world_text((w), AT_PATH, (text))
#define PATH_2(w, text) AT_PATH_2, world_text((w), AT_PATH_2, (text))

/* path_open below a folder; its errno, the number at AT_ANSWER. */
enum wasi_errno world_open(struct world *w, uint32_t folder, const char *path, uint32_t oflags,
                           uint64_t rights, uint32_t fdflags);
/* The same where it must succeed: the number. */
uint32_t world_opened(struct world *w, uint32_t folder, const char *path, uint32_t oflags,
                      uint64_t rights);

/* One piece at AT_PIECES: AT_DATA and `len`. */
void world_piece(struct world *w, uint32_t len);

/* Run a script of the shell in the folder. */
void world_sh(struct world *w, const char *script);

#endif
