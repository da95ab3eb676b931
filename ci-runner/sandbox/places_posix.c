/* places_posix.c - see network_priv.h. */
#include "ci-runner/sandbox/network_priv.h"

#include <arpa/inet.h>
#include <string.h>

enum { NAME_BYTES_MAX = 253, NAMES_OF_A_BLOCK = 254 };

struct reading {
	struct runner_place *out;
	size_t count, names;
	struct lb_arena *arena;
	struct lb_buf *lines;
};

/* "host", "host:port", "[v6]:port"; port 0: not said. */
static bool split(struct lb_bytes *host, uint64_t *port, struct lb_bytes text)
{
	size_t colon = lb_bytes_rfind_byte(text, ':');
	bool bracket = text.len > 0 && text.at[0] == '[';
	size_t end = bracket ? lb_bytes_find_byte(text, ']') : colon;

	*port = 0;
	if (bracket && (end == SIZE_MAX || (end + 1 < text.len && text.at[end + 1] != ':')))
		return false;
	*host = bracket ? lb_bytes_from(lb_bytes_upto(text, end), 1) : lb_bytes_upto(text, end);
	if (bracket)
		colon = end + 1 < text.len ? end + 1 : SIZE_MAX;
	return colon == SIZE_MAX ||
	       (!lb_failed(lb_bytes_u64(port, lb_bytes_from(text, colon + 1), UINT16_MAX)) &&
	        *port > 0);
}

static bool is_name(struct lb_bytes host)
{
	if (host.len == 0 || host.len > NAME_BYTES_MAX || host.at[0] == '-' || host.at[0] == '.')
		return false;
	for (size_t i = 0; i < host.len; i++) {
		unsigned char byte = host.at[i];

		if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') &&
		    !(byte >= '0' && byte <= '9') && byte != '-' && byte != '.' && byte != '_')
			return false;
	}
	return true;
}

/* The address that this name was given before, or the next free one: 127.64.0.1 and on. */
static void stand(struct plat_listen *listen, struct reading *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->out[i].host, name) == 0) {
			*listen = r->out[i].listen;
			return;
		}
	}
	if (strcmp(name, "localhost") == 0) {
		*listen = (struct plat_listen){ .address = { 127, 0, 0, 1 } };
		return;
	}
	*listen = (struct plat_listen){
		.address = { 127, 64, (unsigned char)(r->names / NAMES_OF_A_BLOCK),
		             (unsigned char)(r->names % NAMES_OF_A_BLOCK + 1) }
	};
	r->names++;
	lb_buf_addf(r->lines, "127.64.%u.%u %s\n", listen->address[2], listen->address[3], name);
}

static bool locate(struct plat_listen *listen, struct reading *r, const char *host)
{
	*listen = (struct plat_listen){ .six = false };
	if (inet_pton(AF_INET, host, listen->address) == 1)
		return true;
	listen->six = inet_pton(AF_INET6, host, listen->address) == 1;
	if (listen->six)
		return true;
	if (!is_name(lb_bytes_of(host)))
		return false;
	stand(listen, r, host);
	return true;
}

static void add(struct reading *r, const struct plat_listen *listen, const char *host,
                uint16_t port)
{
	struct runner_place place = { .listen = *listen, .host = host, .port = port };

	place.listen.port = port;
	place.listen.socket = -1;
	for (size_t i = 0; i < r->count; i++) {
		if (r->out[i].port == port && r->out[i].listen.six == listen->six &&
		    memcmp(r->out[i].listen.address, listen->address, 16) == 0)
			return; /* named twice */
	}
	r->out[r->count++] = place;
}

static lb_err read_one(struct reading *r, const char *text, struct lb_diag *diag)
{
	struct lb_bytes part;
	struct plat_listen listen;
	uint64_t port;
	const char *host;

	if (!split(&part, &port, lb_bytes_of(text)))
		return lb_fail(
			diag, LB_E_INVALID,
			"the host '%s' cannot be read, expected NAME, NAME:PORT, ADDRESS:PORT "
			"or [IPV6]:PORT",
			text);
	host = lb_arena_text(r->arena, part);
	if (host == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (r->count + 2 > RUNNER_PLACES_MAX)
		return lb_fail(diag, LB_E_LIMIT, "more than %d hosts", RUNNER_HOSTS_MAX);
	if (!locate(&listen, r, host))
		return lb_fail(diag, LB_E_INVALID,
		               "'%s' is no host: a name has letters, digits, '-' and '.', and one "
		               "stands for itself alone (no '*')",
		               text);
	if (port > 0) {
		add(r, &listen, host, (uint16_t)port);
	} else {
		add(r, &listen, host, 443);
		add(r, &listen, host, 80);
	}
	return LB_OK;
}

lb_err runner_places_read(struct runner_place *out, size_t *count, struct lb_arena *arena,
                          struct lb_buf *lines, const char *const *hosts, struct lb_diag *diag)
{
	struct reading r = { .out = out, .arena = arena, .lines = lines };

	for (; hosts != NULL && *hosts != NULL; hosts++)
		LB_TRY(read_one(&r, *hosts, diag));
	*count = r.count;
	return lb_buf_check(lines);
}
