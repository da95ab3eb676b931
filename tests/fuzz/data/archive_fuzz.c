/* archive_fuzz.c - unpacking anything: nothing gets out of the folder, nothing is left of a
 * failure. */
#include "base/data/archive.h"
#include "base/io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len);

static char top[64], file[80], into[80];

static void remove_top(void) { lb_ignore(lb_file_remove_tree(&plat_host, top, NULL)); }

static void make_top(void)
{
	(void)snprintf(top, sizeof top, "/tmp/lifeboat-fuzz-XXXXXX");
	if (mkdtemp(top) == NULL)
		abort();
	(void)snprintf(file, sizeof file, "%s/archive", top);
	(void)snprintf(into, sizeof into, "%s/into", top);
	(void)atexit(remove_top);
}

static void write_input(const unsigned char *at, size_t len)
{
	FILE *out = fopen(file, "wb");

	if (out == NULL || fwrite(at, 1, len, out) != len || fclose(out) != 0)
		abort();
}

static lb_err count_name(void *ctx, const char *name)
{
	(void)name;
	++*(int *)ctx;
	return LB_OK;
}

static int names_in(const char *folder)
{
	int count = 0;

	if (lb_failed(plat_host.ops->list(&plat_host, folder, count_name, &count)))
		abort();
	return count;
}

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len)
{
	static const struct lb_unpack_limits limits = { .bytes_max = 1 << 20, .entries_max = 50 };
	struct lb_diag diag = { 0 };
	lb_err err;

	if (top[0] == '\0')
		make_top();
	write_input(at, len);
	if (lb_failed(plat_host.ops->make_folder(&plat_host, into)))
		abort();
	err = lb_archive_unpack(&lb_mem_host, &plat_host, file, into, &limits, &diag);
	if (lb_failed(err) && (names_in(into) != 0 || diag.text[0] == '\0'))
		abort();
	if (names_in(top) != 2) /* the archive and the folder */
		abort();
	lb_ignore(lb_file_remove_tree(&plat_host, into, NULL));
	return 0;
}
