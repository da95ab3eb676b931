/* replay.c - runs a fuzz target over its kept corpus, as a test: x/y_replay reads
 * tests/fuzz/x/y_corpus. */
#include "base/mem.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_SIZE = 1024, INPUT_BYTES_MAX = 1 << 20 };

/* In a block of exactly its size, so that the address sanitizer sees an over-read. */
static bool run(const char *path)
{
	unsigned char *input = NULL, *whole = malloc(INPUT_BYTES_MAX);
	FILE *file = fopen(path, "rb");
	size_t size = 0;
	bool good = file != NULL && whole != NULL;

	if (good)
		size = fread(whole, 1, INPUT_BYTES_MAX, file);
	if (good)
		input = malloc(size);
	if (input != NULL)
		memcpy(input, whole, size);
	good = good && (input != NULL || size == 0);
	if (good)
		(void)LLVMFuzzerTestOneInput(input, size);
	if (file != NULL)
		(void)fclose(file);
	free(input);
	free(whole);
	return good;
}

/* ".../tests/fuzz/x/y_replay" to "TOP/tests/fuzz/x/y_corpus". */
static bool corpus_of(char out[PATH_SIZE], const char *program)
{
	const char *top = getenv("LB_TOP") != NULL ? getenv("LB_TOP") : ".";
	const char *name = strstr(program, "tests/fuzz/"), *end = NULL;

	if (name != NULL)
		end = strstr(name, "_replay");
	if (end == NULL)
		return false;
	(void)snprintf(out, PATH_SIZE, "%s/%.*s_corpus", top, (int)(end - name), name);
	return true;
}

int main(int argc, char **argv)
{
	char folder[PATH_SIZE], path[PATH_SIZE + 300];
	unsigned count = 0, failed = 0;
	struct dirent *entry;
	DIR *dir = NULL;

	if (argc > 0 && corpus_of(folder, argv[0]))
		dir = opendir(folder);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		bool good;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		good = run(path);
		failed += !good;
		printf("%sok %u - %s\n", good ? "" : "not ", ++count, entry->d_name);
	}
	if (dir != NULL)
		(void)closedir(dir);
	printf("1..%u\n", count);
	return failed > 0 || count == 0;
}
