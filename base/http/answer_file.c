/* answer_file.c - answering with a file from disk: ranges and entity tags (RFC 9110). */
#include "base/http/server_priv.h"

/* "bytes=N-M", "bytes=N-" or "bytes=-N", the only forms that are not ignored. */
enum lb_http_range lb_http_range_read(uint64_t *offset, uint64_t *len, struct lb_bytes text,
                                      uint64_t size)
{
	struct lb_bytes unit = LB_LIT("bytes="), first, last;
	uint64_t from = 0, to = UINT64_MAX;
	size_t dash;

	*offset = 0;
	*len = size;
	if (!lb_bytes_eq_nocase(lb_bytes_upto(text, unit.len), unit))
		return LB_HTTP_RANGE_ALL;
	text = lb_bytes_trim(lb_bytes_from(text, unit.len));
	dash = lb_bytes_find_byte(text, '-');
	if (dash == SIZE_MAX || text.len == 1)
		return LB_HTTP_RANGE_ALL;
	first = lb_bytes_upto(text, dash);
	last = lb_bytes_from(text, dash + 1);
	if ((first.len > 0 && lb_failed(lb_bytes_u64(&from, first, UINT64_MAX))) ||
	    (last.len > 0 && lb_failed(lb_bytes_u64(&to, last, UINT64_MAX))))
		return LB_HTTP_RANGE_ALL;
	if (first.len == 0) {
		from = to < size ? size - to : 0;
		if (to == 0)
			return LB_HTTP_RANGE_BAD;
		to = UINT64_MAX;
	}
	if (from > to)
		return LB_HTTP_RANGE_ALL;
	if (from >= size)
		return LB_HTTP_RANGE_BAD;
	*offset = from;
	*len = (to < size - 1 ? to : size - 1) - from + 1;
	return LB_HTTP_RANGE_PART;
}

bool lb_http_etag_matches(struct lb_bytes header, struct lb_bytes etag)
{
	struct lb_bytes part;

	if (etag.len == 0 || header.len == 0)
		return false;
	if (lb_bytes_is(lb_bytes_trim(header), "*"))
		return true;
	while (lb_bytes_split(&part, &header, ',')) {
		part = lb_bytes_trim(part);
		if (lb_bytes_starts(part, LB_B("W/")))
			part = lb_bytes_from(part, 2);
		if (lb_bytes_eq(part, etag))
			return true;
	}
	return false;
}

static enum lb_http_range wanted_range(uint64_t *offset, uint64_t *len,
                                       const struct lb_http_exchange *x, struct lb_bytes etag,
                                       uint64_t size)
{
	struct lb_bytes only_if = lb_http_request_header(x, "If-Range");

	*offset = 0;
	*len = size;
	if (only_if.len > 0 && !lb_bytes_eq(lb_bytes_trim(only_if), etag))
		return LB_HTTP_RANGE_ALL;
	return lb_http_range_read(offset, len, lb_http_request_header(x, "Range"), size);
}

static void add_range_header(struct lb_http_exchange *x, enum lb_http_range range, uint64_t offset,
                             uint64_t len, uint64_t size)
{
	struct lb_bytes text = { 0 };

	if (range == LB_HTTP_RANGE_PART)
		text = lb_arena_format(&x->arena, "bytes %llu-%llu/%llu",
		                       (unsigned long long)offset,
		                       (unsigned long long)(offset + len - 1),
		                       (unsigned long long)size);
	else if (range == LB_HTTP_RANGE_BAD)
		text = lb_arena_format(&x->arena, "bytes */%llu", (unsigned long long)size);
	if (text.len > 0)
		lb_http_add_header(x, "Content-Range", (const char *)text.at);
}

/* The file is closed with the response, or here when there is none. */
static void answer_open_file(struct lb_http_exchange *x, const char *content_type, int file,
                             uint64_t size, struct lb_bytes etag)
{
	struct plat *plat = x->server->plat;
	struct MHD_Response *response;
	uint64_t offset, len;
	enum lb_http_range range = wanted_range(&offset, &len, x, etag, size);

	lb_http_add_header(x, "Accept-Ranges", "bytes");
	add_range_header(x, range, offset, len, size);
	if (range == LB_HTTP_RANGE_BAD) {
		plat->ops->close(plat, file);
		lb_http_answer_message(x->inner, 416, "the range is not within the file");
		return;
	}
	response = MHD_create_response_from_fd_at_offset64(len, file, offset);
	if (response == NULL)
		plat->ops->close(plat, file);
	lb_http_answer_with(x->inner, range == LB_HTTP_RANGE_PART ? 206 : 200, content_type,
	                    response);
}

static lb_err open_file(int *file, uint64_t *size, struct plat *plat, const char *path)
{
	struct plat_info info;
	lb_err err;

	LB_TRY(plat->ops->open(file, plat, path, PLAT_READ));
	err = plat->ops->file_info(&info, plat, *file);
	if (!lb_failed(err) && info.type != PLAT_FILE)
		err = lb_err_of(LB_E_NOTFOUND);
	if (lb_failed(err))
		plat->ops->close(plat, *file);
	else
		*size = info.size;
	return err;
}

/* The tag in the form that headers have: in quotes. */
static struct lb_bytes quoted(struct lb_arena *arena, const char *etag)
{
	if (etag == NULL || etag[0] == '\0')
		return (struct lb_bytes){ 0 };
	return etag[0] == '"' ? lb_bytes_of(etag) : lb_arena_format(arena, "\"%s\"", etag);
}

void lb_http_answer_file(struct lb_http_exchange *x, const char *content_type, const char *path,
                         const char *etag)
{
	struct plat *plat = x->server->plat;
	struct lb_bytes tag = quoted(&x->arena, etag);
	uint64_t size = 0;
	int file = -1;
	lb_err err = open_file(&file, &size, plat, path);

	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	if (tag.len > 0)
		lb_http_add_header(x, "ETag", (const char *)tag.at);
	if (lb_http_etag_matches(lb_http_request_header(x, "If-None-Match"), tag)) {
		plat->ops->close(plat, file);
		lb_http_answer(x, 304, NULL, (struct lb_bytes){ 0 });
		return;
	}
	answer_open_file(x, content_type, file, size, tag);
}
