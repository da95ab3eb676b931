/* up.c - a whole line on this machine: signer, release host, coordinator, runner, and a run of this
 * checkout.
 *
 * The programs are started with files and ports below one state folder, minded while they run, and
 * ended in the order in which they depend on one another.  What they say goes into
 * STATE/log/NAME.log.
 */
#include "base/git/repo.h"
#include "base/io/file.h"
#include "base/platform/port.h"
#include "base/platform/process.h"
#include "base/platform/stop.h"
#include "coordinator/client/client.h"
#include "coordinator/client/commands.h"

#include <inttypes.h>

const struct lb_option coord_up_options[] = {
	{ "once", 0, NULL, "end with the run; the exit status says how it went" },
	{ "workflow", 'w', "FILE",
	  "the workflow's path in the repository (.github/workflows/ci.yml)" },
	{ "state", 0, "DIR", "where everything is kept ($XDG_STATE_HOME/lifeboat)" },
	{ "port", 0, "PORT", "the coordinator's, or any free one when it is taken (8440); 0: any" },
	{ 0 },
};

enum {
	PORT = 8440,
	READY_MS = 20000,
	STOP_MS = 15000,
	TEXT_MAX = 64 << 10,
	WORDS_MAX = 24,
	RESTARTS_MAX = 5
};

enum { SIGNER, HOST, COORDINATOR, RUNNER, CHILDREN };

struct child {
	const char *name;
	const char *argv[WORDS_MAX];
	const char *ready; /* a file it writes when it answers; NULL: none */
	bool abrupt;       /* it is ended without a chance to wind up */
	struct plat_process process;
	bool runs;
	unsigned restarts;
};

struct up {
	struct lb_cli *cli;
	struct lb_arena *arena;
	struct plat *plat;
	const char *state, *bin, *repository, *project;
	const char *url, *signer_url, *host_url;
	struct child children[CHILDREN];
	int lock;
};

#define FORMAT(up, ...) lb_arena_text((up)->arena, lb_arena_format((up)->arena, __VA_ARGS__))

static lb_err out_of(const struct up *up)
{
	return up->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* ---- what it stands on ---- */

static lb_err find_state(struct up *up)
{
	const char *given = lb_cli_value(up->cli, "state");
	char folder[1024];

	if (given == NULL)
		LB_TRY(lb_path_state(folder, sizeof folder, &up->cli->diag));
	up->state = FORMAT(up, "%s", given != NULL ? given : folder);
	LB_TRY(out_of(up));
	return lb_file_make_folders(up->plat, FORMAT(up, "%s/log", up->state), &up->cli->diag);
}

static lb_err take_lock(struct up *up)
{
	lb_err err = lb_file_lock(&up->lock, FORMAT(up, "%s/up.lock", up->state), &up->cli->diag);
	struct lb_buf address;

	if (lb_code_of(err) != LB_E_BUSY)
		return err;
	lb_buf_init(&address, up->cli->mem, 4096);
	lb_ignore(lb_file_read(&address, up->plat, FORMAT(up, "%s/address", up->state), NULL));
	lb_diag_set(&up->cli->diag, "it is up already: %.*s (state in %s)",
	            LB_FMT(lb_bytes_trim(lb_buf_bytes(&address))), up->state);
	lb_buf_release(&address);
	return err;
}

static lb_err find_programs(struct up *up)
{
	char self[1024];
	struct lb_bytes path;

	LB_TRY(plat_self_path(self, sizeof self));
	path = lb_bytes_of(self);
	up->bin = FORMAT(up, "%.*s", LB_FMT(lb_bytes_upto(path, lb_bytes_rfind_byte(path, '/'))));
	return out_of(up);
}

static lb_err look_at_checkout(struct up *up)
{
	struct lb_repo *repo;
	struct lb_buf name;
	bool dirty = false;
	lb_err err;

	LB_TRY(lb_repo_open(&repo, up->cli->mem, ".", true, &up->cli->diag));
	lb_buf_init(&name, up->cli->mem, TEXT_MAX);
	err = coord_repository_name(&name, repo);
	if (!lb_failed(err))
		err = lb_repo_is_dirty(&dirty, repo, &up->cli->diag);
	up->repository = FORMAT(up, "%s", lb_buf_text(&name));
	up->project = FORMAT(up, "%.*s", LB_FMT(lb_path_name(lb_buf_bytes(&name))));
	lb_buf_release(&name);
	lb_repo_free(repo);
	LB_TRY(err);
	if (dirty)
		(void)fprintf(up->cli->err,
		              "The run is of HEAD: uncommitted changes are not part of it.\n");
	return out_of(up);
}

static lb_err find_ports(struct up *up)
{
	uint64_t wanted;
	uint16_t port, signer, host;

	LB_TRY(lb_cli_number(&wanted, up->cli, "port", PORT, 0, 65533));
	LB_TRY(plat_port_find(&port, (uint16_t)wanted));
	LB_TRY(plat_port_find(&signer, wanted == 0 ? 0 : (uint16_t)(wanted + 1)));
	LB_TRY(plat_port_find(&host, wanted == 0 ? 0 : (uint16_t)(wanted + 2)));
	if (wanted != 0 && port != wanted)
		(void)fprintf(up->cli->err,
		              "Port %" PRIu64 " is in use: the coordinator takes %u.\n", wanted,
		              (unsigned)port);
	up->url = FORMAT(up, "http://127.0.0.1:%u", (unsigned)port);
	up->signer_url = FORMAT(up, "http://127.0.0.1:%u", (unsigned)signer);
	up->host_url = FORMAT(up, "http://127.0.0.1:%u", (unsigned)host);
	return out_of(up);
}

/* This machine's own policy: only this checkout's workflow, only snapshots, only tokens of its own
 * coordinator. */
static lb_err write_policy(struct up *up, const char *path)
{
	struct lb_bytes text = lb_arena_format(
		up->arena,
		"# Written by `lifeboat up` at each start: who may publish on this machine.\n"
		"version: 1\n"
		"audience: lifeboat-release\n"
		"issuers:\n"
		"  - name: here\n"
		"    url: %s\n"
		"publishers:\n"
		"  - issuer: here\n"
		"    repository: %s\n"
		"    workflow: .github/workflows/ci.yml\n"
		"    job_workflow: .github/workflows/release.yml\n"
		"    ref: refs/heads/**\n"
		"    events: [workflow_dispatch]\n"
		"    project: lifeboat\n"
		"    channels: [snapshot]\n"
		"    files: [\"lifeboat-*.tar.gz\"]\n",
		up->url, up->repository);

	LB_TRY(out_of(up));
	return lb_file_write(up->plat, path, text, 0, &up->cli->diag);
}

/* ---- the programs ---- */

static struct child *prepare(struct up *up, int which, const char *name, const char *program,
                             const char *command)
{
	struct child *child = &up->children[which];

	child->name = name;
	child->argv[0] = FORMAT(up, "%s/%s", up->bin, program);
	child->argv[1] = command;
	return child;
}

static void add(struct child *child, const char *option, const char *value)
{
	size_t at = 0;

	while (child->argv[at] != NULL)
		at++;
	assert(at + 2 < WORDS_MAX);
	child->argv[at] = option;
	child->argv[at + 1] = value;
}

static const char *listen_of(const char *url) { return strstr(url, "://") + 3; }

static lb_err prepare_all(struct up *up)
{
	const char *tree = FORMAT(up, "%s/releases", up->state);
	const char *policy = FORMAT(up, "%s/publishers.yml", up->state);
	struct child *child;

	LB_TRY(write_policy(up, policy));
	child = prepare(up, SIGNER, "signer", "lifeboat-release", "signer");
	child->ready = FORMAT(up, "%s/signer.ready", up->state);
	add(child, "--state", FORMAT(up, "%s/signer", up->state));
	add(child, "--policy", policy);
	add(child, "--tree", tree);
	add(child, "--host-url", up->host_url);
	add(child, "--listen", listen_of(up->signer_url));
	add(child, "--ready-file", child->ready);
	add(child, "--init", NULL);

	child = prepare(up, HOST, "host", "lifeboat-release", "host");
	child->ready = FORMAT(up, "%s/host.ready", up->state);
	add(child, "--tree", tree);
	add(child, "--listen", listen_of(up->host_url));
	add(child, "--ready-file", child->ready);

	child = prepare(up, COORDINATOR, "coordinator", "lifeboat-coordinator", "serve");
	child->ready = FORMAT(up, "%s/coordinator.ready", up->state);
	add(child, "--state", FORMAT(up, "%s/coordinator", up->state));
	add(child, "--listen", listen_of(up->url));
	add(child, "--var", FORMAT(up, "LIFEBOAT_RELEASE_URL=%s", up->signer_url));
	add(child, "--ready-file", child->ready);

	child = prepare(up, RUNNER, "runner", "lifeboat-runner", "serve");
	add(child, "--coordinator", up->url);
	add(child, "--token-file", FORMAT(up, "%s/coordinator/runner-token", up->state));
	add(child, "--name", "here");
	add(child, "--labels",
	    "self-hosted,linux,x64,ubuntu-latest,ubuntu-24.04,ubuntu-22.04,ubuntu-slim");
	add(child, "--work", FORMAT(up, "%s/work", up->state));
	/* Asked to end it would end its job as cancelled, and the run with it. A runner that is
	 * lost costs an attempt: the job is queued again when the next one comes. */
	child->abrupt = true;
	return out_of(up);
}

static const char *log_of(struct up *up, const struct child *child)
{
	return FORMAT(up, "%s/log/%s.log", up->state, child->name);
}

/* A line's last words, for the person who has to find out why. */
static lb_err fail_with_log(struct up *up, const struct child *child, const char *what)
{
	struct lb_buf text;
	struct lb_bytes last;
	size_t end;

	lb_buf_init(&text, up->cli->mem, 16 << 20);
	lb_ignore(lb_file_read(&text, up->plat, log_of(up, child), NULL));
	last = lb_bytes_trim(lb_buf_bytes(&text));
	end = lb_bytes_rfind_byte(last, '\n');
	if (end != SIZE_MAX)
		last = lb_bytes_from(last, end + 1);
	lb_diag_set(&up->cli->diag, "the %s %s: %.*s (all of it in %s)", child->name, what,
	            LB_FMT(lb_bytes_upto(last, 400)), log_of(up, child));
	lb_buf_release(&text);
	return lb_err_of(LB_E_FAILED);
}

static lb_err launch(struct up *up, struct child *child)
{
	struct plat_spawn how = { .argv = child->argv, .in = -1 };
	int file;
	lb_err err;

	if (child->ready != NULL)
		lb_ignore(up->plat->ops->remove(up->plat, child->ready));
	LB_TRY(up->plat->ops->open(&file, up->plat, log_of(up, child),
	                           PLAT_WRITE | PLAT_CREATE | PLAT_APPEND));
	how.out = how.err = file;
	err = plat_spawn(&child->process, &how);
	up->plat->ops->close(up->plat, file);
	child->runs = !lb_failed(err);
	if (lb_failed(err))
		lb_diag_set(&up->cli->diag, "%s: cannot be started", child->argv[0]);
	return err;
}

static bool has_ended(struct child *child)
{
	struct plat_exit status;

	if (child->runs && !lb_failed(plat_process_wait(&status, &child->process, 0)))
		child->runs = false;
	return !child->runs;
}

static lb_err wait_ready(struct up *up, struct child *child)
{
	uint64_t end_ns = up->plat->ops->now_ns(up->plat) + READY_MS * UINT64_C(1000000);

	while (child->ready != NULL && !lb_file_exists(up->plat, child->ready)) {
		if (has_ended(child))
			return fail_with_log(up, child, "ended at its start");
		if (plat_stop_wait(5))
			return lb_err_of(LB_E_CANCELLED);
		if (up->plat->ops->now_ns(up->plat) > end_ns)
			return fail_with_log(up, child, "does not answer");
	}
	return LB_OK;
}

static lb_err launch_all(struct up *up)
{
	for (size_t i = 0; i < CHILDREN; i++) {
		LB_TRY(launch(up, &up->children[i]));
		LB_TRY(wait_ready(up, &up->children[i]));
	}
	return lb_file_write(up->plat, FORMAT(up, "%s/address", up->state), lb_bytes_of(up->url), 0,
	                     &up->cli->diag);
}

/* Kindly where it may, then not. */
static void stop_child(struct child *child)
{
	struct plat_exit status;

	if (has_ended(child))
		return;
	if (!child->abrupt)
		plat_process_signal(&child->process, PLAT_TERMINATE);
	if (child->abrupt || lb_failed(plat_process_wait(&status, &child->process, STOP_MS))) {
		plat_process_signal(&child->process, PLAT_KILL);
		lb_ignore(plat_process_wait(&status, &child->process, UINT64_MAX));
	}
	child->runs = false;
}

static void stop_all(struct up *up)
{
	for (size_t i = CHILDREN; i > 0; i--) {
		if (up->children[i - 1].name != NULL)
			stop_child(&up->children[i - 1]);
	}
	lb_ignore(up->plat->ops->remove(up->plat, FORMAT(up, "%s/address", up->state)));
}

/* Until it is asked to stop, what ends is started again, within reason. */
static lb_err mind(struct up *up)
{
	while (!plat_stop_wait(500)) {
		for (size_t i = 0; i < CHILDREN; i++) {
			struct child *child = &up->children[i];

			if (!has_ended(child))
				continue;
			if (++child->restarts > RESTARTS_MAX)
				return fail_with_log(up, child, "keeps ending");
			(void)fprintf(up->cli->err, "The %s ended; it is started again.\n",
			              child->name);
			LB_TRY(launch(up, child));
		}
	}
	return LB_OK;
}

/* ---- the run ---- */

/* What the jobs had to tell, as GitHub shows notices on a run's page. */
static void print_notices(struct up *up, struct coord_client *client, uint64_t id)
{
	const struct lb_value *run, *jobs;
	char path[64];

	(void)snprintf(path, sizeof path, "/api/v1/runs/%" PRIu64, id);
	if (lb_failed(coord_client_ask(&run, client, "GET", path, NULL)))
		return;
	jobs = lb_value_get(run, "jobs");
	for (uint32_t i = 0; jobs != NULL && jobs->kind == LB_ARRAY && i < jobs->count; i++) {
		const struct lb_value *notes = lb_value_get(jobs->items[i], "annotations");

		for (uint32_t k = 0; notes != NULL && notes->kind == LB_ARRAY && k < notes->count;
		     k++) {
			struct lb_bytes title = lb_value_get_string(notes->items[k], "title");

			(void)fprintf(up->cli->out, "%.*s%s%.*s\n", LB_FMT(title),
			              title.len > 0 ? ": " : "",
			              LB_FMT(lb_value_get_string(notes->items[k], "message")));
		}
	}
}

static lb_err run_once(struct up *up)
{
	const char *workflow = lb_cli_value(up->cli, "workflow");
	struct coord_submit what = { .workflow = workflow != NULL ? workflow
		                                                  : ".github/workflows/ci.yml" };
	struct coord_client client = { 0 };
	struct lb_buf token;
	uint64_t run = 0;
	lb_err err;

	lb_buf_init(&token, up->cli->mem, 4096);
	err = lb_file_read(&token, up->plat, FORMAT(up, "%s/coordinator/token", up->state),
	                   &up->cli->diag);
	if (!lb_failed(err))
		err = coord_client_init(&client, up->cli, up->url,
		                        FORMAT(up, "%.*s",
		                               LB_FMT(lb_bytes_trim(lb_buf_bytes(&token)))));
	lb_buf_release(&token);
	if (!lb_failed(err))
		err = coord_submit(&run, &client, &what);
	if (!lb_failed(err)) {
		(void)fprintf(up->cli->out, "Run %" PRIu64 " of %s: %s/runs/%" PRIu64 "\n", run,
		              up->repository, up->url, run);
		(void)fflush(up->cli->out);
		err = coord_watch(&client, up->cli, run);
	}
	if (run != 0 && plat_stop_asked() == 0) {
		print_notices(up, &client, run);
		if (!lb_failed(err))
			(void)fprintf(up->cli->out, "What was released here: %s/releases\n",
			              up->state);
	}
	if (client.http != NULL)
		coord_client_close(&client);
	return err;
}

static lb_err work(struct up *up)
{
	lb_err err;

	LB_TRY(prepare_all(up));
	LB_TRY(launch_all(up));
	err = run_once(up);
	if (lb_cli_flag(up->cli, "once") || plat_stop_asked() > 0)
		return err;
	if (lb_failed(err))
		(void)fprintf(up->cli->err, "lifeboat up: %s\n", lb_diag_text(&up->cli->diag, err));
	(void)fprintf(up->cli->out, "\nPages: %s   Releases: %s   Ctrl-C stops.\n", up->url,
	              up->host_url);
	(void)fflush(up->cli->out);
	return mind(up);
}

lb_err coord_cmd_up(struct lb_cli *cli)
{
	struct up up = { .cli = cli, .arena = &cli->arena, .plat = cli->plat, .lock = -1 };
	lb_err err;

	LB_TRY(plat_stop_install());
	LB_TRY(find_state(&up));
	LB_TRY(take_lock(&up));
	err = find_programs(&up);
	if (!lb_failed(err))
		err = look_at_checkout(&up);
	if (!lb_failed(err))
		err = find_ports(&up);
	if (!lb_failed(err))
		err = work(&up);
	stop_all(&up);
	lb_file_unlock(up.lock);
	if (plat_stop_asked() > 0 && (!lb_failed(err) || lb_code_of(err) == LB_E_CANCELLED)) {
		bool once = lb_cli_flag(cli, "once");

		(void)fprintf(cli->out,
		              "\nStopped. The next `lifeboat up` carries on with what was "
		              "queued.\n");
		cli->exit_status = once && lb_failed(err) ? 130 : 0;
		err = LB_OK;
	}
	return err;
}
