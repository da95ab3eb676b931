/* escape.c - every way out of the granted folder that C has; prints those that worked.
 *
 * The folder has links that lead out: up -> .., root -> /, etc -> /etc/passwd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int worked, tried;

static void note(const char *what, const char *path, int result)
{
	tried++;
	if (result >= 0) {
		printf("%s %s worked\n", what, path);
		worked++;
	}
}

int main(void)
{
	static const char *const paths[] = {
		"/box/../secret",    "/box/up/secret",  "/box/root/etc/passwd",
		"/box/etc",          "/etc/passwd",     "/secret",
		"../secret",         "secret",          "/box/sub/../../secret",
		"/box/up/../secret", "/box//../secret", "/box/./../secret",
	};
	struct stat info;

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		const char *path = paths[i];
		char below[128];

		snprintf(below, sizeof below, "%s/x", path);
		note("open", path, open(path, O_RDONLY));
		note("create", path, open(path, O_WRONLY | O_CREAT, 0666));
		note("stat", path, stat(path, &info));
		note("mkdir", below, mkdir(below, 0777));
		note("unlink", below, unlink(below));
		note("rename out", path, rename("/box/file", path[5] == 'e' ? below : path));
		note("rename in", path, path[5] == 'e' ? -1 : rename(path, "/box/stolen"));
		note("link", path, path[5] == 'e' ? -1 : link(path, "/box/stolen"));
	}
	note("absolute link", "/etc", symlink("/etc", "/box/absolute"));
	/* A link that leads out may be made, and must not be followed. */
	if (symlink("../secret", "/box/fresh") == 0)
		note("open", "/box/fresh", open("/box/fresh", O_RDONLY));
	printf("%d of %d worked\n", worked, tried);
	return worked != 0;
}
