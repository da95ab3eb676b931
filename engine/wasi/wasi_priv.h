/* wasi_priv.h - what the parts of WASI share: the world of one program, a call, its memory.
 *
 * Numbers in the program's memory are little-endian and need not be aligned.
 */
#ifndef WASI_WASI_PRIV_H
#define WASI_WASI_PRIV_H

#include "base/arena.h"
#include "base/platform/handle_io.h"
#include "base/vec.h"
#include "engine/wasi/abi_priv.h"
#include "engine/wasi/wasi.h"

enum { WASI_PATH_SIZE = 4096 }; /* with the terminator */

/* A descriptor of the program's.  All-zero: a free number. */
struct wasi_fd {
	bool in_use;
	bool owned;     /* host is closed with it */
	bool read_only; /* nothing below it may change */
	bool free;      /* paths may lead out of it */
	int host;
	enum wasi_filetype type;
	uint64_t rights, inheriting;
	struct lb_bytes granted_as; /* of a granted folder; in wasi->arena */
};

struct wasi_strings {
	struct lb_bytes *at; /* each with its terminator */
	uint32_t count, size;
};

struct wasi_call;

struct wasi_func {
	const char *name, *signature;
	enum wasi_errno (*run)(struct wasi_call *call, const union engine_value *args);
};

struct wasi_binding {
	struct wasi *wasi;
	const struct wasi_func *func;
};

struct wasi {
	struct lb_mem *mem;
	struct plat *plat;
	struct lb_arena arena;
	struct wasi_strings args, env;
	struct lb_vec fds; /* struct wasi_fd */
	struct wasi_binding *bindings;
	bool allow_net;
	void (*trace)(void *ctx, const char *name, const char *signature,
	              const union engine_value *args, const char *answer);
	void *trace_ctx;
	char paths[2][WASI_PATH_SIZE]; /* the paths of the call under way */
};

struct wasi_call {
	struct wasi *wasi;
	struct engine_memory *memory; /* NULL: the caller has none */
	lb_err end;                   /* proc_exit: how the run ends */
};

#define FUNC(name, signature) \
	enum wasi_errno wasi_##name(struct wasi_call *call, const union engine_value *args);
#include "engine/wasi/func.def"
#undef FUNC
#define NET(name, signature) \
	enum wasi_errno wasi_net_##name(struct wasi_call *call, const union engine_value *args);
#include "engine/wasi/net.def"
#undef NET

/* ---- errors ---- */

enum wasi_errno wasi_errno_of(lb_err err);
const char *wasi_errno_name(enum wasi_errno number); /* "NOENT"; "success" */

#define WASI_TRY(expr) \
	do { \
		enum wasi_errno wasi_try_ = (expr); \
		if (wasi_try_ != WASI_OK) \
			return wasi_try_; \
	} while (0)

/* ---- the program's memory ---- */

/* The pieces that a program reads into or writes from: as many as go into one call of the system.
 */
enum { WASI_PIECES_AT_ONCE = 64 };

struct wasi_pieces {
	struct plat_span at[WASI_PIECES_AT_ONCE];
	size_t count;
};

enum wasi_errno wasi_pieces(struct wasi_pieces *out, const struct wasi_call *call, uint32_t list_at,
                            uint32_t count);

/* FAULT where not all of it is inside.  Good until the run goes on. */
enum wasi_errno wasi_guest(unsigned char **out, const struct wasi_call *call, uint32_t at,
                           uint64_t len);

enum wasi_errno wasi_put_u32(const struct wasi_call *call, uint32_t at, uint32_t value);
enum wasi_errno wasi_put_u64(const struct wasi_call *call, uint32_t at, uint64_t value);

void wasi_store_u16(unsigned char *to, uint16_t value);
void wasi_store_u32(unsigned char *to, uint32_t value);
void wasi_store_u64(unsigned char *to, uint64_t value);
uint16_t wasi_load_u16(const unsigned char *from);
uint32_t wasi_load_u32(const unsigned char *from);
uint64_t wasi_load_u64(const unsigned char *from);

/* A terminated copy of a path in wasi->paths[which]: ILSEQ for what is no UTF-8, INVAL for a NUL
 * within, NAMETOOLONG. */
enum wasi_errno wasi_path(const char **out, const struct wasi_call *call, unsigned which,
                          uint32_t at, uint32_t len);

/* ---- descriptors ---- */

/* BADF where it is not open, NOTCAPABLE where it lacks one of the rights. */
enum wasi_errno wasi_fd_find(struct wasi_fd **out, const struct wasi_call *call, uint32_t number,
                             uint64_t rights);

/* The same for a folder: NOTDIR for anything else. */
enum wasi_errno wasi_fd_find_folder(struct wasi_fd **out, const struct wasi_call *call,
                                    uint32_t number, uint64_t rights);

/* The same for changing something: ROFS where it is read-only. */
enum wasi_errno wasi_fd_find_changeable(struct wasi_fd **out, const struct wasi_call *call,
                                        uint32_t number, uint64_t rights);

/* The folder as base/platform/dir.h wants it. */
int wasi_dir(const struct wasi_fd *fd);

/* Give it the lowest free number.  It is closed where that fails. */
lb_err wasi_fd_add(uint32_t *number, struct wasi *wasi, const struct wasi_fd *fd);
void wasi_fd_close_host(struct wasi *wasi, struct wasi_fd *fd); /* and free the number */

enum wasi_filetype wasi_filetype_of(enum plat_node node);
uint64_t wasi_rights_of(enum wasi_filetype type);

enum { WASI_FILESTAT_SIZE = 64 };
void wasi_store_filestat(unsigned char *to, const struct plat_stat *stat);

/* How fst_flags and the two times are meant; INVAL where they contradict each other. */
enum wasi_errno wasi_times(struct plat_time *accessed, struct plat_time *modified,
                           uint64_t accessed_ns, uint64_t modified_ns, uint32_t flags);

/* Between fdflags and enum plat_handle_flag. */
unsigned wasi_handle_flags(uint32_t fdflags);
uint16_t wasi_fdflags(unsigned handle_flags);

/* Time on one of wasi_clock_id's clocks. */
uint64_t wasi_clock_now(struct wasi *wasi, uint32_t clock);

#endif
