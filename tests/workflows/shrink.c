/* shrink.c - see shrink.h. */
#include "tests/workflows/shrink.h"

#include <string.h>

enum { PARTS_MAX = 4096, TEXTS_MAX = 128 };

static bool is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c >= 0x80;
}

/* The length of the part at the front: a line, or a word, a text in quotes, a symbol. */
static size_t part_length(struct lb_bytes text, enum shrink_by by)
{
	size_t len = 1;

	if (by == SHRINK_LINES) {
		len = lb_bytes_find_byte(text, '\n');
		return len == SIZE_MAX ? text.len : len + 1;
	}
	if (text.at[0] == '\'') {
		while (len < text.len && text.at[len] != '\'')
			len++;
		return len < text.len ? len + 1 : len;
	}
	while (is_word(text.at[0]) && len < text.len && is_word(text.at[len]))
		len++;
	return len;
}

static size_t split(struct lb_bytes parts[PARTS_MAX], struct lb_bytes text, enum shrink_by by)
{
	size_t count = 0;

	while (text.len > 0 && count < PARTS_MAX) {
		size_t len = count == PARTS_MAX - 1 ? text.len : part_length(text, by);

		parts[count++] = lb_bytes_upto(text, len);
		text = lb_bytes_from(text, len);
	}
	return count;
}

static struct lb_bytes without(struct lb_arena *arena, const struct lb_bytes *parts, size_t count,
                               size_t from, size_t to)
{
	struct lb_bytes text = { 0 };
	unsigned char *at;

	for (size_t i = 0; i < count; i++)
		text.len += i >= from && i < to ? 0 : parts[i].len;
	text.at = at = LB_ARENA_NEW(arena, unsigned char, text.len);
	for (size_t i = 0; i < count && at != NULL; i++) {
		if (i >= from && i < to)
			continue;
		memcpy(at, parts[i].at, parts[i].len);
		at += parts[i].len;
	}
	return text;
}

/* Leave out `size` parts, anywhere; false where the fault goes away with any. */
static bool leave_out(struct lb_bytes *text, struct lb_arena *arena, const struct lb_bytes *parts,
                      size_t count, size_t size,
                      size_t (*still)(void *self, const struct lb_bytes *texts, size_t count),
                      void *self)
{
	struct lb_bytes texts[TEXTS_MAX];
	size_t from = 0, filled, found;

	while (from < count) {
		for (filled = 0; from < count && filled < TEXTS_MAX; from += size)
			texts[filled++] = without(arena, parts, count, from, from + size);
		found = arena->failed ? SIZE_MAX : still(self, texts, filled);
		if (found != SIZE_MAX) {
			*text = texts[found];
			return true;
		}
	}
	return false;
}

struct lb_bytes shrink(struct lb_arena *arena, struct lb_bytes text, enum shrink_by by,
                       size_t (*still)(void *self, const struct lb_bytes *texts, size_t count),
                       void *self)
{
	struct lb_bytes *parts = LB_ARENA_NEW(arena, struct lb_bytes, PARTS_MAX);
	size_t count = parts != NULL ? split(parts, text, by) : 0;

	for (size_t size = count / 2; size > 0;) {
		if (leave_out(&text, arena, parts, count, size, still, self)) {
			count = split(parts, text, by);
			size = size > count ? count : size;
		} else {
			size /= 2;
		}
	}
	return text;
}
