/* support.c - see support.h. */
#include "tests/workflows/support.h"

#include "base/data/json.h"
#include "base/text.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>

struct lb_bytes support_file(struct lb_arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct lb_bytes bytes = { 0 };
	long size;

	if (file == NULL)
		return bytes;
	if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0) {
		unsigned char *at = LB_ARENA_NEW(arena, unsigned char, (size_t)size + 1);

		rewind(file);
		if (at != NULL && fread(at, 1, (size_t)size, file) == (size_t)size)
			bytes = (struct lb_bytes){ at, (size_t)size };
	}
	(void)fclose(file);
	return bytes;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **support_list(size_t *count, struct lb_arena *arena, const char *folder,
                          const char *ending)
{
	enum { FILES_MAX = 4096 };
	const char **names = LB_ARENA_NEW(arena, const char *, FILES_MAX);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	*count = 0;
	if (dir == NULL || names == NULL) {
		if (dir != NULL)
			(void)closedir(dir);
		return names;
	}
	while ((entry = readdir(dir)) != NULL && *count < FILES_MAX) {
		struct lb_bytes name = lb_bytes_of(entry->d_name);

		if (entry->d_name[0] != '.' && lb_bytes_ends(name, lb_bytes_of(ending)))
			names[(*count)++] = lb_arena_text(arena, name);
	}
	(void)closedir(dir);
	qsort(names, *count, sizeof *names, by_text);
	return names;
}

const char *support_path(struct lb_arena *arena, const char *format, ...)
{
	char path[2048];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(path, sizeof path, format, args);
	va_end(args);
	return lb_arena_text(arena, lb_bytes_of(path));
}

const struct lb_value *support_json(struct lb_arena *arena, const char *json)
{
	char *copy = lb_arena_text(arena, lb_bytes_of(json));
	struct lb_value *value = NULL;

	if (copy == NULL)
		return NULL;
	for (char *c = copy; *c != 0; c++) {
		if (*c == '\'')
			*c = '"';
	}
	if (lb_code_of(lb_json_read(&value, arena, lb_bytes_of(copy), NULL)) == LB_E_NOMEM)
		arena->failed = true;
	return value;
}

const char *support_text(struct lb_arena *arena, const struct lb_value *value)
{
	struct lb_buf buf;
	const char *text;

	lb_buf_init(&buf, arena->under, 1 << 24);
	lb_value_write(&buf, value, false);
	text = lb_arena_text(arena, lb_buf_bytes(&buf));
	lb_buf_release(&buf);
	return text;
}

const char *support_texts(struct lb_arena *arena, const struct lb_bytes *texts, size_t count)
{
	const char *folder = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
	char *path = (char *)(uintptr_t)support_path(arena, "%s/lifeboat-texts-XXXXXX", folder);
	int handle = path != NULL ? mkstemp(path) : -1;
	FILE *file = handle >= 0 ? fdopen(handle, "w") : NULL;
	struct lb_buf buf;

	lb_buf_init(&buf, arena->under, 1 << 26);
	for (size_t i = 0; i < count; i++) {
		lb_json_string_add(&buf, texts[i]);
		lb_buf_add_byte(&buf, '\n');
	}
	if (file != NULL) {
		(void)fwrite(buf.at, 1, buf.len, file);
		(void)fclose(file);
	}
	lb_buf_release(&buf);
	return file != NULL ? path : NULL;
}
