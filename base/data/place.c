/* place.c - see place_priv.h. */
#include "base/data/place_priv.h"

struct lb_place lb_place_of(struct lb_bytes text, size_t offset)
{
	struct lb_place place = { 1, 1 };

	text = lb_bytes_upto(text, offset);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];

		if (c == '\n' && i > 0 && text.at[i - 1] == '\r')
			continue; /* the CR before it has ended the line */
		if (c == '\n' || c == '\r') {
			place.line++;
			place.column = 1;
		} else if ((c & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}
