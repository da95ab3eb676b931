/* errno.c - the host's errors as preview 1 numbers them. */
#include "engine/wasi/wasi_priv.h"

#include <errno.h>

static const struct {
	int host;
	enum wasi_errno ours;
} known[] = {
#define ERRNO(name, number) { E##name, WASI_E##name },
#define ERRNO_OWN(name, number)
#include "engine/wasi/errno.def"
#undef ERRNO
};

/* What an error is that carries no errno, or one that programs do not know. */
static enum wasi_errno errno_of_code(enum lb_code code)
{
	static const struct {
		enum lb_code code;
		enum wasi_errno ours;
	} by_code[] = {
		{ LB_E_NOMEM, WASI_ENOMEM },      { LB_E_NOTFOUND, WASI_ENOENT },
		{ LB_E_EXISTS, WASI_EEXIST },     { LB_E_NOSPACE, WASI_ENOSPC },
		{ LB_E_DENIED, WASI_EACCES },     { LB_E_LIMIT, WASI_EMFILE },
		{ LB_E_INVALID, WASI_EINVAL },    { LB_E_UNSUPPORTED, WASI_ENOTSUP },
		{ LB_E_TIMEOUT, WASI_ETIMEDOUT }, { LB_E_CLOSED, WASI_EPIPE },
	};

	for (size_t i = 0; i < sizeof by_code / sizeof by_code[0]; i++)
		if (by_code[i].code == code)
			return by_code[i].ours;
	return WASI_EIO;
}

enum wasi_errno wasi_errno_of(lb_err err)
{
	if (!lb_failed(err))
		return WASI_OK;
	/* base/platform/dir.h: the path led out. */
	if (lb_code_of(err) == LB_E_DENIED && lb_where(err) == EXDEV)
		return WASI_ENOTCAPABLE;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if ((uintptr_t)known[i].host == lb_where(err))
			return known[i].ours;
	return errno_of_code(lb_code_of(err));
}

const char *wasi_errno_name(enum wasi_errno number)
{
	switch (number) {
#define ERRNO(name, number) \
	case WASI_E##name: \
		return #name;
#include "engine/wasi/errno.def"
#undef ERRNO
	case WASI_OK: break;
	}
	return "success";
}
