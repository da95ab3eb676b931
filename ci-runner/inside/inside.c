/* inside.c - see inside.h. */
#include "ci-runner/inside/inside.h"

#include "base/data/json.h"
#include "base/io/file.h"
#include "ci-runner/inside/inside_priv.h"

#include <errno.h>
#include <unistd.h>

enum { REQUEST_BYTES_MAX = 1024 * 1024 };

const char *runner_inside_text(struct runner_inside *in, const char *name)
{
	const struct lb_value *value = lb_value_get(in->request, name);

	if (value == NULL || value->kind != LB_STRING)
		return NULL;
	return lb_arena_text(in->arena, value->string);
}

lb_err runner_inside_need(const char **out, struct runner_inside *in, const char *name,
                          struct lb_diag *diag)
{
	*out = runner_inside_text(in, name);
	if (*out == NULL)
		return lb_fail(diag, LB_E_INVALID, "the request has no '%s', expected a string",
		               name);
	return LB_OK;
}

static const struct {
	const char *name;
	lb_err (*run)(struct runner_inside *in, struct lb_diag *diag);
} requests[] = {
	{ "hash", runner_inside_hash },       { "pack", runner_inside_pack },
	{ "unpack", runner_inside_unpack },   { "save", runner_inside_save },
	{ "restore", runner_inside_restore }, { "checkout", runner_inside_checkout },
};

lb_err runner_inside_do(struct runner_inside *in, struct lb_diag *diag)
{
	struct lb_bytes what = lb_value_get_string(in->request, "do");

	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		if (lb_bytes_is(what, requests[i].name))
			return requests[i].run(in, diag);
	}
	return lb_fail(diag, LB_E_INVALID, "the request asks to '%.*s', which is not known",
	               LB_FMT(lb_bytes_upto(what, 100)));
}

static lb_err read_request(struct lb_value **out, struct lb_arena *arena, struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err = LB_OK;

	lb_buf_init(&text, &arena->mem, REQUEST_BYTES_MAX);
	for (;;) {
		unsigned char *to = lb_buf_reserve(&text, 65536);
		ssize_t got = to != NULL ? read(0, to, 65536) : 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		text.len += (size_t)got;
	}
	err = lb_buf_check(&text);
	return lb_failed(err) ? err : lb_json_read(out, arena, lb_buf_bytes(&text), diag);
}

static lb_err write_answer(struct runner_inside *in, const char *path, struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, in->mem, REQUEST_BYTES_MAX);
	lb_value_write(&text, in->answer, false);
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_file_write(in->plat, path, lb_buf_bytes(&text), 0, diag);
	lb_buf_release(&text);
	return err;
}

static lb_err serve(bool *failed, struct runner_inside *in, struct lb_diag *diag)
{
	struct lb_value *request;
	const char *path;
	lb_err err;

	LB_TRY(read_request(&request, in->arena, diag));
	in->request = request;
	in->answer = lb_value_object(in->arena);
	LB_TRY(runner_inside_need(&path, in, "answer", diag));
	err = runner_inside_do(in, diag);
	if (lb_failed(err))
		lb_value_set_text(in->arena, in->answer, "error", lb_diag_text(diag, err));
	*failed = lb_failed(err);
	return write_answer(in, path, diag);
}

lb_err runner_inside_serve(bool *failed, struct lb_mem *mem, struct plat *plat, FILE *out,
                           struct lb_diag *diag)
{
	struct lb_arena arena;
	struct runner_inside in = { .arena = &arena, .mem = mem, .plat = plat, .out = out };
	lb_err err;

	lb_arena_init(&arena, mem);
	*failed = false;
	err = serve(failed, &in, diag);
	lb_arena_release(&arena);
	return err;
}
