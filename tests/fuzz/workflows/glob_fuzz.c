/* glob_fuzz.c - any bytes as a pattern and a name: matched in bounded time, and as the plain
 * definition says.  The first line is the pattern, the rest the name. */
#include "workflows/event/match.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLAIN_MAX = 12 }; /* what the plain matcher, which tries everything, can do at once */

/* One unit at the start of the pattern, and whether it matches `c`. */
static size_t unit(bool *matches, struct lb_bytes pattern, unsigned char c)
{
	size_t i = 1;
	bool negated, found = false;

	if (pattern.at[0] == '\\' && pattern.len > 1) {
		*matches = pattern.at[1] == c;
		return 2;
	}
	*matches = pattern.at[0] == c;
	if (pattern.at[0] != '[')
		return 1;
	negated = pattern.len > 1 && (pattern.at[1] == '!' || pattern.at[1] == '^');
	for (i += negated; i < pattern.len && (pattern.at[i] != ']' || i == 1); i++) {
		bool range =
			i + 2 < pattern.len && pattern.at[i + 1] == '-' && pattern.at[i + 2] != ']';

		found = found || (c >= pattern.at[i] && c <= pattern.at[range ? i + 2 : i]);
		i += range ? 2 : 0;
	}
	if (i >= pattern.len)
		return 1;
	*matches = found != negated;
	return i + 1;
}

static bool plain(struct lb_bytes pattern, struct lb_bytes text)
{
	bool matches, two;
	size_t len;

	if (pattern.len == 0)
		return text.len == 0;
	if (pattern.at[0] == '*') {
		two = pattern.len > 1 && pattern.at[1] == '*';
		if (plain(lb_bytes_from(pattern, two ? 2 : 1), text))
			return true;
		if (two && pattern.len > 2 && pattern.at[2] == '/' &&
		    plain(lb_bytes_from(pattern, 3), text))
			return true;
		return text.len > 0 && (two || text.at[0] != '/') &&
		       plain(pattern, lb_bytes_from(text, 1));
	}
	len = unit(&matches, pattern, text.len > 0 ? text.at[0] : 0);
	matches = matches && text.len > 0;
	if (len < pattern.len && pattern.at[len] == '?')
		return plain(lb_bytes_from(pattern, len + 1), text) ||
		       (matches && plain(lb_bytes_from(pattern, len + 1), lb_bytes_from(text, 1)));
	if (len < pattern.len && pattern.at[len] == '+')
		return matches && (plain(lb_bytes_from(pattern, len + 1), lb_bytes_from(text, 1)) ||
		                   plain(pattern, lb_bytes_from(text, 1)));
	return matches && plain(lb_bytes_from(pattern, len), lb_bytes_from(text, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lb_bytes input = { data, size };
	size_t end = lb_bytes_find_byte(input, '\n');
	struct lb_bytes pattern = lb_bytes_upto(input, end), text = { 0 };
	bool matches;

	if (end != SIZE_MAX)
		text = lb_bytes_from(input, end + 1);
	matches = workflow_glob_match(pattern, text);
	if (pattern.len <= PLAIN_MAX && text.len <= PLAIN_MAX && matches != plain(pattern, text))
		abort();
	return 0;
}
