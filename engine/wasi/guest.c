/* guest.c - the program's memory: what is read from it and written to it. */
#include "base/text.h"
#include "engine/wasi/wasi_priv.h"

enum wasi_errno wasi_guest(unsigned char **out, const struct wasi_call *call, uint32_t at,
                           uint64_t len)
{
	*out = call->memory != NULL ? engine_memory_at(call->memory, at, len) : NULL;
	return *out != NULL ? WASI_OK : WASI_EFAULT;
}

/* ---- numbers ---- */

void wasi_store_u16(unsigned char *to, uint16_t value)
{
	to[0] = (unsigned char)value;
	to[1] = (unsigned char)(value >> 8);
}

void wasi_store_u32(unsigned char *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

void wasi_store_u64(unsigned char *to, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

uint16_t wasi_load_u16(const unsigned char *from) { return (uint16_t)(from[0] | from[1] << 8); }

uint32_t wasi_load_u32(const unsigned char *from)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 4; i++)
		value |= (uint32_t)from[i] << 8 * i;
	return value;
}

uint64_t wasi_load_u64(const unsigned char *from)
{
	return wasi_load_u32(from) | (uint64_t)wasi_load_u32(from + 4) << 32;
}

enum wasi_errno wasi_put_u32(const struct wasi_call *call, uint32_t at, uint32_t value)
{
	unsigned char *to;

	WASI_TRY(wasi_guest(&to, call, at, 4));
	wasi_store_u32(to, value);
	return WASI_OK;
}

enum wasi_errno wasi_put_u64(const struct wasi_call *call, uint32_t at, uint64_t value)
{
	unsigned char *to;

	WASI_TRY(wasi_guest(&to, call, at, 8));
	wasi_store_u64(to, value);
	return WASI_OK;
}

/* ---- pieces ---- */

enum { PIECE_SIZE = 8 };

static_assert((int)WASI_PIECES_AT_ONCE <= (int)PLAT_SPANS_MAX,
              "what is gathered is passed on in one call");

/* All of them must be inside the memory, also those that do not fit and are left for the program's
 * next call.  Empty ones are left out, so that nothing read means the end. */
enum wasi_errno wasi_pieces(struct wasi_pieces *out, const struct wasi_call *call, uint32_t list_at,
                            uint32_t count)
{
	unsigned char *list, *piece;
	uint64_t size = 0;

	out->count = 0;
	if (count > PLAT_SPANS_MAX)
		return WASI_EINVAL;
	WASI_TRY(wasi_guest(&list, call, list_at, (uint64_t)count * PIECE_SIZE));
	for (uint32_t i = 0; i < count; i++, list += PIECE_SIZE) {
		uint32_t len = wasi_load_u32(list + 4);

		WASI_TRY(wasi_guest(&piece, call, wasi_load_u32(list), len));
		size += len;
		if (len > 0 && out->count < WASI_PIECES_AT_ONCE)
			out->at[out->count++] = (struct plat_span){ piece, len };
	}
	/* More cannot be answered, as the count has 32 bits. */
	return size <= INT32_MAX ? WASI_OK : WASI_EINVAL;
}

/* ---- paths ---- */

enum wasi_errno wasi_path(const char **out, const struct wasi_call *call, unsigned which,
                          uint32_t at, uint32_t len)
{
	char *to = call->wasi->paths[which];
	struct lb_bytes path;
	unsigned char *from;

	*out = to;
	WASI_TRY(wasi_guest(&from, call, at, len));
	path = (struct lb_bytes){ from, len };
	if (len >= WASI_PATH_SIZE)
		return WASI_ENAMETOOLONG;
	if (lb_bytes_find_byte(path, '\0') != SIZE_MAX)
		return WASI_EINVAL;
	if (lb_utf8_check(path) != SIZE_MAX)
		return WASI_EILSEQ;
	memcpy(to, from, len);
	to[len] = '\0';
	return WASI_OK;
}
