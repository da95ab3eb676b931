/* check.c - `check`: is a state folder whole?  Reads the database and every blob. */
#include "artifact-cache/store.h"
#include "base/io/file.h"
#include "coordinator/command/commands.h"
#include "coordinator/store/read.h"

#include <inttypes.h>
#include <stdio.h>

const struct lb_option coord_check_options[] = {
	{ "state", 0, "DIR", "the folder ($XDG_STATE_HOME/lifeboat/coordinator)" },
	{ 0 },
};

const char coord_check_details[] =
	"Checks the database's own structure and that every blob hashes to its name. Blobs that do "
	"not are moved to quarantine. Exits 3 when something was wrong.";

static void tell_bad(void *ctx, const char *sha256)
{
	(void)fprintf(ctx, "damaged, moved to quarantine: %s\n", sha256);
}

static lb_err check_blobs(struct lb_cli *cli, const char *state)
{
	struct cache_store *blobs;
	uint64_t checked = 0, bad = 0;
	char path[1024];
	lb_err err;

	(void)snprintf(path, sizeof path, "%s/blobs", state);
	LB_TRY(cache_store_open(&blobs, cli->mem, cli->plat, path, &cli->diag));
	err = cache_store_verify(&checked, &bad, blobs, tell_bad, cli->err);
	cache_store_close(blobs);
	LB_TRY(err);
	(void)fprintf(cli->out, "blobs: %" PRIu64 " checked, %" PRIu64 " damaged\n", checked, bad);
	return bad == 0 ? LB_OK
	                : lb_fail(&cli->diag, LB_E_MISMATCH, "%" PRIu64 " blobs are damaged", bad);
}

static lb_err check_database(struct lb_cli *cli, const char *state)
{
	struct coord_store *store;
	lb_err err;

	LB_TRY(coord_store_open(&store, cli->mem, cli->plat, state, &cli->diag));
	err = coord_store_check(store, &cli->diag);
	coord_store_close(store);
	if (!lb_failed(err))
		(void)fprintf(cli->out, "database: whole, version %u\n", coord_store_version());
	return err;
}

lb_err coord_cmd_check(struct lb_cli *cli)
{
	char path[1024];
	const char *state;
	int lock = -1;
	lb_err err;

	LB_TRY(coord_find_state(&state, cli));
	if ((size_t)snprintf(path, sizeof path, "%s/lifeboat.db", state) >= sizeof path ||
	    !lb_file_exists(cli->plat, path))
		return lb_fail(&cli->diag, LB_E_NOTFOUND, "%s: no coordinator's state is there",
		               state);
	(void)snprintf(path, sizeof path, "%s/lock", state);
	err = lb_file_lock(&lock, path, &cli->diag);
	if (lb_code_of(err) == LB_E_BUSY)
		lb_diag_set(&cli->diag, "%s: a coordinator is using this state folder", state);
	LB_TRY(err);
	err = check_database(cli, state);
	if (!lb_failed(err))
		err = check_blobs(cli, state);
	lb_file_unlock(lock);
	return err;
}
