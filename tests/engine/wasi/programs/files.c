/* files.c - a file's life below the folder that is the first argument. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[4][512];

static const char *in(int which, const char *folder, const char *name)
{
	snprintf(path[which], sizeof path[which], "%s/%s", folder, name);
	return path[which];
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static void list(const char *folder)
{
	static char names[100][256];
	struct dirent *entry;
	DIR *dir = opendir(folder);
	int count = 0;

	if (dir == NULL) {
		printf("cannot list: %s\n", strerror(errno));
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
	closedir(dir);
	qsort(names, (size_t)count, sizeof names[0], by_text);
	for (int i = 0; i < count; i++)
		printf("%s%c", names[i], i + 1 < count ? ' ' : '\n');
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : ".";
	struct stat info;
	char text[64];
	FILE *file;

	if (mkdir(in(0, folder, "sub"), 0777) != 0)
		printf("mkdir: %s\n", strerror(errno));
	file = fopen(in(0, folder, "sub/a.txt"), "w+");
	if (file == NULL) {
		printf("fopen: %s\n", strerror(errno));
		return 1;
	}
	for (int i = 0; i < 1000; i++)
		fprintf(file, "line %d\n", i);
	printf("stands at %ld\n", ftell(file));
	fseek(file, 7, SEEK_SET);
	printf("read \"%.*s\"\n", 6, fgets(text, sizeof text, file));
	fclose(file);
	file = fopen(in(0, folder, "sub/a.txt"), "a");
	fputs("end\n", file);
	fclose(file);
	if (stat(in(0, folder, "sub/a.txt"), &info) == 0)
		printf("size %lld, %s\n", (long long)info.st_size,
		       S_ISREG(info.st_mode) ? "a file" : "no file");
	if (truncate(in(0, folder, "sub/a.txt"), 5) == 0 &&
	    stat(in(0, folder, "sub/a.txt"), &info) == 0)
		printf("size %lld\n", (long long)info.st_size);
	printf("rename %d\n", rename(in(0, folder, "sub/a.txt"), in(1, folder, "b.txt")));
	printf("symlink %d\n", symlink("b.txt", in(0, folder, "link")));
	if (lstat(in(0, folder, "link"), &info) == 0)
		printf("lstat %d\n", S_ISLNK(info.st_mode));
	printf("link %d\n", link(in(0, folder, "b.txt"), in(1, folder, "c.txt")));
	list(folder);
	printf("rmdir %d\n", rmdir(in(0, folder, "sub")));
	if (rmdir(in(0, folder, "sub")) != 0)
		printf("rmdir again: %s\n", errno == ENOENT ? "gone" : "still there");
	printf("unlink %d %d %d\n", unlink(in(0, folder, "b.txt")), unlink(in(1, folder, "c.txt")),
	       unlink(in(2, folder, "link")));
	list(folder);
	return 0;
}
