/* client.c - see client.h. */
#include "coordinator/client/client.h"

#include "base/data/json.h"
#include "base/io/file.h"
#include "base/platform/process.h"

enum { ANSWER_MAX = 64 << 20, HEADERS_MAX = 64 << 10, PATH_SIZE = 1024 };

lb_err coord_client_init(struct coord_client *client, struct lb_cli *cli, const char *url,
                         const char *token)
{
	struct lb_bytes address = lb_bytes_of(url);

	*client = (struct coord_client){ .diag = &cli->diag, .plat = cli->plat };
	while (lb_bytes_ends(address, LB_B("/")))
		address.len--;
	lb_arena_init(&client->arena, cli->mem);
	client->url = lb_arena_text(&client->arena, address);
	client->auth =
		lb_arena_text(&client->arena,
	                      lb_arena_format(&client->arena, "Authorization: Bearer %s", token));
	if (client->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return lb_http_client_new(&client->http, cli->mem);
}

/* A one-line file's text, in the command's arena; NULL when it cannot be read. */
static const char *read_line(struct lb_cli *cli, const char *path)
{
	struct lb_buf text;
	const char *line = NULL;

	lb_buf_init(&text, cli->mem, 4096);
	if (!lb_failed(lb_file_read(&text, cli->plat, path, NULL)))
		line = lb_arena_text(&cli->arena, lb_bytes_trim(lb_buf_bytes(&text)));
	lb_buf_release(&text);
	return line;
}

static const char *state_line(struct lb_cli *cli, const char *name)
{
	char folder[PATH_SIZE];

	if (lb_failed(lb_path_state(folder, sizeof folder, NULL)))
		return NULL;
	return read_line(cli, lb_arena_text(&cli->arena,
	                                    lb_arena_format(&cli->arena, "%s/%s", folder, name)));
}

lb_err coord_client_open(struct coord_client *client, struct lb_cli *cli)
{
	const char *url = lb_cli_value(cli, "coordinator"), *file = lb_cli_value(cli, "token-file");
	const char *token;

	*client = (struct coord_client){ 0 };
	if (url == NULL)
		url = plat_getenv("LIFEBOAT_COORDINATOR");
	if (url == NULL)
		url = state_line(cli, "address");
	if (url == NULL)
		return lb_fail(&cli->diag, LB_E_NOTFOUND,
		               "no coordinator is known: start one with `lifeboat up`, or name one "
		               "with --coordinator URL");
	token = file != NULL ? read_line(cli, file) : plat_getenv("LIFEBOAT_TOKEN");
	if (file != NULL && token == NULL)
		return lb_fail(&cli->diag, LB_E_NOTFOUND, "%s: cannot be read", file);
	if (token == NULL)
		token = state_line(cli, "coordinator/token");
	if (token == NULL)
		return lb_fail(&cli->diag, LB_E_DENIED,
		               "no token for %s: name its file with --token-file FILE, or set "
		               "LIFEBOAT_TOKEN",
		               url);
	return coord_client_init(client, cli, url, token);
}

void coord_client_close(struct coord_client *client)
{
	if (client->http != NULL)
		lb_http_client_free(client->http);
	lb_arena_release(&client->arena);
	client->http = NULL;
}

lb_err coord_client_ask(const struct lb_value **out, struct coord_client *client,
                        const char *method, const char *path, const struct lb_value *body)
{
	struct lb_arena *arena = &client->arena;
	const char *headers[] = { client->auth, "Content-Type: application/json",
		                  "Accept: application/json", NULL };
	struct lb_http_ask ask = { .method = method, .headers = headers };
	struct lb_http_answer answer = { 0 };
	struct lb_value *value = NULL;
	struct lb_buf sent;
	lb_err err;

	*out = NULL;
	lb_buf_init(&sent, arena->under, ANSWER_MAX);
	lb_buf_init(&answer.body, arena->under, ANSWER_MAX);
	lb_buf_init(&answer.headers, arena->under, HEADERS_MAX);
	if (body != NULL)
		lb_value_write(&sent, body, false);
	ask.body = lb_buf_bytes(&sent);
	ask.url = lb_arena_text(arena, lb_arena_format(arena, "%s%s", client->url, path));
	err = arena->failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(&sent);
	if (!lb_failed(err))
		err = lb_http_ask_ok(client->http, &ask, &answer, client->diag);
	/* The coordinator looked at what was sent and found it faulty: the input is bad, not the
	 * line. */
	if (lb_code_of(err) == LB_E_HTTP && lb_where(err) == 400)
		err = lb_err_at(LB_E_INVALID, 400);
	if (answer.body.len > 0 &&
	    !lb_failed(lb_json_read(&value, arena, lb_buf_bytes(&answer.body), NULL)))
		*out = value;
	if (!lb_failed(err) && *out == NULL && answer.body.len > 0)
		err = lb_fail(client->diag, LB_E_MALFORMED, "%s: the answer is not JSON", ask.url);
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
	lb_buf_release(&sent);
	return err;
}

lb_err coord_newest_run(uint64_t *run, struct coord_client *client)
{
	const struct lb_value *answer, *runs;

	LB_TRY(coord_client_ask(&answer, client, "GET", "/api/v1/runs?limit=1", NULL));
	runs = lb_value_get(answer, "runs");
	if (runs == NULL || runs->kind != LB_ARRAY || runs->count == 0)
		return lb_fail(client->diag, LB_E_NOTFOUND,
		               "there are no runs yet: start one with `lifeboat submit`");
	return lb_value_get_u64(run, runs->items[0], "id");
}
