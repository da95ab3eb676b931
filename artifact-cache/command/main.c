/* main.c - lifeboat-cache: looks after a blob store that no coordinator holds. */
#include "artifact-cache/store.h"
#include "base/io/args.h"

#include <inttypes.h>

static lb_err open_store(struct cache_store **out, struct lb_cli *cli)
{
	char marker[1024];
	struct plat_info info;

	*out = NULL;
	(void)snprintf(marker, sizeof marker, "%s/version", cli->operands[0]);
	if (lb_failed(cli->plat->ops->info(&info, cli->plat, marker)))
		return lb_fail(&cli->diag, LB_E_NOTFOUND,
		               "%s: not a blob store (it has no file `version`)", cli->operands[0]);
	return cache_store_open(out, cli->mem, cli->plat, cli->operands[0], &cli->diag);
}

static lb_err print_one(void *ctx, const char *sha256, uint64_t bytes)
{
	return fprintf(ctx, "%s %12" PRIu64 "\n", sha256, bytes) < 0 ? lb_err_of(LB_E_IO) : LB_OK;
}

static lb_err run_ls(struct lb_cli *cli)
{
	struct cache_store *store;
	lb_err err;

	LB_TRY(open_store(&store, cli));
	err = cache_store_list(store, print_one, cli->out);
	cache_store_close(store);
	return err;
}

static void tell_bad(void *ctx, const char *sha256)
{
	(void)fprintf(ctx, "damaged, moved to quarantine: %s\n", sha256);
}

static lb_err run_verify(struct lb_cli *cli)
{
	struct cache_store *store;
	uint64_t checked = 0, bad = 0;
	lb_err err;

	LB_TRY(open_store(&store, cli));
	err = cache_store_verify(&checked, &bad, store, tell_bad, cli->err);
	cache_store_close(store);
	LB_TRY(err);
	(void)fprintf(cli->out, "%" PRIu64 " blobs checked, %" PRIu64 " damaged\n", checked, bad);
	return bad == 0 ? LB_OK
	                : lb_fail(&cli->diag, LB_E_MISMATCH, "%" PRIu64 " blobs were damaged", bad);
}

static const struct lb_command commands[] = {
	{ .name = "ls",
	  .operands = "STORE",
	  .about = "list the blobs: digest and size in bytes",
	  .operands_min = 1,
	  .operands_max = 1,
	  .run = run_ls },
	{ .name = "verify",
	  .operands = "STORE",
	  .about = "hash every blob; move damaged ones to quarantine",
	  .operands_min = 1,
	  .operands_max = 1,
	  .run = run_verify,
	  .details = "Exits 3 when a blob did not hash to its name." },
	{ 0 },
};

static const struct lb_program program = {
	.name = "lifeboat-cache",
	.about = "look after a content-addressed store",
	.commands = commands,
	.details = "STORE is the folder `blobs` of a coordinator's state. The coordinator must not "
		   "be running.",
};

int main(int argc, char **argv) { return lb_main(&program, argc, argv); }
