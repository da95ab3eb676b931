/* client.h - speaking to a coordinator as a person: where it is, and what is asked of it.
 *
 * Layer: coordinator.  Answers live in the client's arena until it is closed.
 * Threads: one at a time.
 */
#ifndef COORDINATOR_CLIENT_CLIENT_H
#define COORDINATOR_CLIENT_CLIENT_H

#include "base/http/client.h"
#include "base/io/args.h"
#include "base/value.h"

struct coord_client {
	struct lb_arena arena;
	struct lb_http_client *http;
	struct lb_diag *diag; /* the command's */
	struct plat *plat;
	const char *url;  /* without a slash at the end */
	const char *auth; /* "Authorization: Bearer ..." */
};

/* By --coordinator and --token-file, else $LIFEBOAT_COORDINATOR and $LIFEBOAT_TOKEN, else what
 * `lifeboat up` left in the state folder.  NOTFOUND says how to start one. */
lb_err coord_client_open(struct coord_client *client, struct lb_cli *cli);

/* The same for a known address and token. */
lb_err coord_client_init(struct coord_client *client, struct lb_cli *cli, const char *url,
                         const char *token);
void coord_client_close(struct coord_client *client);

/* Ask for JSON.  Errors as lb_http_ask_ok has them, but INVALID for 400; *out may be NULL on an
 * error without a JSON body, and is the error's body otherwise. */
lb_err coord_client_ask(const struct lb_value **out, struct coord_client *client,
                        const char *method, const char *path, const struct lb_value *body);

/* The options that find the coordinator, for the commands' tables. */
#define COORD_CLIENT_OPTIONS \
	{ "coordinator", 'c', "URL", "where the coordinator is ($LIFEBOAT_COORDINATOR)" }, \
	{ \
		"token-file", 0, "FILE", \
			"a person's token ($LIFEBOAT_TOKEN holds the token itself)" \
	}

/* ---- what several commands do ---- */

struct coord_submit {
	const char *checkout;      /* a path in it; NULL: here */
	const char *workflow;      /* its path in the repository */
	const char *event;         /* NULL: workflow_dispatch */
	const char *const *inputs; /* "name=value", ends with NULL; may be NULL */
};

/* Start a run of the checkout's HEAD, pushing the commit to the coordinator when it lacks it. */
lb_err coord_submit(uint64_t *run, struct coord_client *client, const struct coord_submit *what);

/* OWNER/NAME of a checkout: of the remote `origin`, else local/FOLDER. */
struct lb_repo;
lb_err coord_repository_name(struct lb_buf *out, struct lb_repo *repo);

/* Follow the run with progress until it is completed; success, or FAILED / CANCELLED by its
 * conclusion. Survives a coordinator that is away for a while.  Ends early with CANCELLED when the
 * process is asked to stop. */
lb_err coord_watch(struct coord_client *client, struct lb_cli *cli, uint64_t run);

/* The newest run's id; NOTFOUND when there is none. */
lb_err coord_newest_run(uint64_t *run, struct coord_client *client);

#endif
