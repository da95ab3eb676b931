/* checkout.c - see checkout.h. */
#include "ci-runner/local/checkout.h"

#include "base/io/file.h"

/* "https://host/owner/name.git" or "git@host:owner/name" gives "owner/name". */
static struct lb_bytes name_of_url(struct lb_bytes url)
{
	size_t slashes = 0, at = url.len;

	if (lb_bytes_ends(url, LB_B(".git")))
		url.len -= 4;
	for (at = url.len; at > 0; at--) {
		unsigned char byte = url.at[at - 1];

		if ((byte == '/' && ++slashes == 2) || byte == ':')
			break;
	}
	return lb_bytes_from(url, at);
}

struct lb_bytes runner_checkout_name(struct lb_arena *arena, struct lb_repo *repo, const char *top)
{
	struct lb_buf url;
	struct lb_bytes name = { 0 };

	lb_buf_init(&url, arena->under, 4096);
	if (!lb_failed(lb_repo_remote_url(&url, repo, "origin")))
		name = name_of_url(lb_buf_bytes(&url));
	if (!lb_path_is_inside(name) || lb_bytes_find_byte(name, '/') == SIZE_MAX ||
	    lb_bytes_find_byte(name, '/') != lb_bytes_rfind_byte(name, '/'))
		name = lb_arena_format(arena, "local/%.*s", LB_FMT(lb_path_name(lb_bytes_of(top))));
	else
		name = lb_arena_bytes(arena, name);
	lb_buf_release(&url);
	return name;
}
