/* glob.c - see glob.h.
 *
 * The pattern is run as a set of places in it, all at once, so that no text can
 * make it slow: place i is in the set when pattern[0..i) matches what was read.
 */
#include "release/glob.h"

struct places {
	bool in[RELEASE_GLOB_MAX + 1];
};

/* A star may stand for nothing: whoever is before it is behind it too. */
static void pass_stars(struct places *places, struct lb_bytes pattern)
{
	for (size_t i = 0; i < pattern.len; i++) {
		if (places->in[i] && pattern.at[i] == '*')
			places->in[i + 1] = true;
	}
}

/* Whether the star at i is one of a pair, which a slash does not stop. */
static bool is_double(struct lb_bytes pattern, size_t i)
{
	return (i > 0 && pattern.at[i - 1] == '*') ||
	       (i + 1 < pattern.len && pattern.at[i + 1] == '*');
}

static void read_byte(struct places *places, struct lb_bytes pattern, unsigned char c)
{
	struct places next = { 0 };

	for (size_t i = 0; i < pattern.len; i++) {
		if (!places->in[i])
			continue;
		if (pattern.at[i] == '*')
			next.in[i] |= c != '/' || is_double(pattern, i);
		else if (pattern.at[i] == c || (pattern.at[i] == '?' && c != '/'))
			next.in[i + 1] = true;
	}
	*places = next;
	pass_stars(places, pattern);
}

bool release_glob_matches(struct lb_bytes pattern, struct lb_bytes text)
{
	struct places places = { .in = { true } };

	assert(pattern.len <= RELEASE_GLOB_MAX);
	pass_stars(&places, pattern);
	for (size_t i = 0; i < text.len; i++)
		read_byte(&places, pattern, text.at[i]);
	return places.in[pattern.len];
}
