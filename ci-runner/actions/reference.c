/* reference.c - see reference.h. */
#include "ci-runner/actions/reference.h"

static bool is_name(struct lb_bytes part)
{
	for (size_t i = 0; i < part.len; i++) {
		unsigned char byte = part.at[i];

		if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') &&
		    !(byte >= '0' && byte <= '9') && byte != '-' && byte != '_' && byte != '.')
			return false;
	}
	return part.len > 0 && !lb_bytes_is(part, ".") && !lb_bytes_is(part, "..");
}

/* No part may lead upwards or be a name that a disk takes for something else. */
static bool is_path(struct lb_bytes path)
{
	struct lb_bytes rest = path, part;

	while (rest.len > 0 && lb_bytes_split(&part, &rest, '/')) {
		if (lb_bytes_is(part, "..") || lb_bytes_find_byte(part, '\0') != SIZE_MAX)
			return false;
	}
	return true;
}

static bool is_ref(struct lb_bytes ref)
{
	for (size_t i = 0; i < ref.len; i++) {
		if (ref.at[i] <= ' ' || ref.at[i] == 0x7f || strchr("~^:?*[\\", ref.at[i]) != NULL)
			return false;
	}
	return ref.len > 0 && ref.at[0] != '-' && lb_bytes_find(ref, LB_B("..")) == SIZE_MAX;
}

static lb_err read_remote(struct runner_reference *out, struct lb_bytes uses, struct lb_diag *diag)
{
	size_t at = lb_bytes_rfind_byte(uses, '@');
	struct lb_bytes rest = lb_bytes_upto(uses, at), owner, name;
	bool good = at != SIZE_MAX && lb_bytes_split(&owner, &rest, '/') && is_name(owner) &&
	            rest.at != NULL && lb_bytes_split(&name, &rest, '/') && is_name(name) &&
	            is_path(rest) && is_ref(lb_bytes_from(uses, at + 1));

	if (!good)
		return lb_fail(diag, LB_E_INVALID,
		               "uses: %.*s: expected owner/repo@ref, owner/repo/path@ref, ./path, "
		               "$/path or docker://image",
		               LB_FMT(lb_bytes_upto(uses, 200)));
	out->kind = RUNNER_REFERENCE_REMOTE;
	out->repository = lb_bytes_upto(uses, owner.len + 1 + name.len);
	out->path = rest;
	out->ref = lb_bytes_from(uses, at + 1);
	return LB_OK;
}

lb_err runner_reference_read(struct runner_reference *out, struct lb_bytes uses,
                             struct lb_diag *diag)
{
	*out = (struct runner_reference){ .kind = RUNNER_REFERENCE_LOCAL };
	if (uses.len > RUNNER_REFERENCE_BYTES_MAX)
		return lb_fail(diag, LB_E_INVALID, "uses: %.*s...: longer than %d bytes",
		               LB_FMT(lb_bytes_upto(uses, 60)), RUNNER_REFERENCE_BYTES_MAX);
	if (lb_bytes_starts(uses, LB_B("docker://"))) {
		out->kind = RUNNER_REFERENCE_DOCKER;
		out->path = lb_bytes_from(uses, 9);
		return LB_OK;
	}
	if (lb_bytes_starts(uses, LB_B("./")) || lb_bytes_is(uses, ".")) {
		out->path = lb_bytes_from(uses, 2);
		return LB_OK;
	}
	if (lb_bytes_starts(uses, LB_B("$/"))) {
		out->kind = RUNNER_REFERENCE_SELF;
		out->path = lb_bytes_from(uses, 2);
		if (is_path(out->path))
			return LB_OK;
	}
	return read_remote(out, uses, diag);
}
