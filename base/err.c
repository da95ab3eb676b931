/* err.c - see err.h. */
#include "base/err.h"

#include <errno.h>

struct info {
	const char *text;
	enum lb_class class;
};

static const struct info infos[LB_E_COUNT] = {
	[LB_E_NONE] = { "success", LB_CLASS_NONE },
#define ERR(name, class_, text_) [LB_E_##name] = { text_, LB_CLASS_##class_ },
#include "base/err.def"
#undef ERR
};

static const struct info *info_of(lb_err err)
{
	unsigned code = (unsigned)lb_code_of(err);

	return &infos[code < LB_E_COUNT ? code : LB_E_FAILED];
}

const char *lb_err_text(lb_err err) { return info_of(err)->text; }

enum lb_class lb_err_class(lb_err err) { return info_of(err)->class; }

int lb_err_exit(lb_err err) { return (int)lb_err_class(err); }

/* Codes whose HTTP status says more than their class does. */
static int http_of_code(enum lb_code code)
{
	static const struct {
		enum lb_code code;
		int status;
	} special[] = {
		{ LB_E_NOTFOUND, 404 }, { LB_E_DENIED, 403 },  { LB_E_STALE, 409 },
		{ LB_E_EXISTS, 409 },   { LB_E_LIMIT, 413 },   { LB_E_RANGE, 416 },
		{ LB_E_NOSPACE, 507 },  { LB_E_TIMEOUT, 504 }, { LB_E_UNSUPPORTED, 422 },
	};

	for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
		if (special[i].code == code)
			return special[i].status;
	}
	return 0;
}

int lb_err_http(lb_err err)
{
	static const int by_class[] = { 200, 409, 400, 400, 503 };
	int status = http_of_code(lb_code_of(err));

	return status != 0 ? status : by_class[lb_err_class(err)];
}

lb_err lb_err_errno(int number)
{
	static const struct {
		int number;
		enum lb_code code;
	} known[] = {
		{ ENOMEM, LB_E_NOMEM },         { ENOENT, LB_E_NOTFOUND },
		{ ENOTDIR, LB_E_NOTFOUND },     { EEXIST, LB_E_EXISTS },
		{ EACCES, LB_E_DENIED },        { EPERM, LB_E_DENIED },
		{ ENOSPC, LB_E_NOSPACE },       { EADDRINUSE, LB_E_BUSY },
		{ ETIMEDOUT, LB_E_TIMEOUT },    { EPIPE, LB_E_CLOSED },
		{ EBUSY, LB_E_BUSY },           { EINVAL, LB_E_INVALID },
		{ ECONNREFUSED, LB_E_NETWORK }, { ECONNRESET, LB_E_NETWORK },
#ifdef EDQUOT
		{ EDQUOT, LB_E_NOSPACE },
#endif
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (known[i].number == number)
			return lb_err_at(known[i].code, (uintptr_t)number);
	}
	return lb_err_at(LB_E_IO, (uintptr_t)number);
}
