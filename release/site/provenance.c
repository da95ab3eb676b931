/* provenance.c - see provenance.h. */
#include "release/site/provenance.h"

#include "base/text.h"

static struct lb_bytes claim(const struct release_origin *origin, const char *name)
{
	return lb_value_get_string(origin->claims, name);
}

static struct lb_value *subjects(struct lb_arena *arena, const struct release_manifest *manifest)
{
	struct lb_value *list = lb_value_array(arena);

	for (uint32_t i = 0; i < manifest->count; i++) {
		struct lb_value *subject = lb_value_object(arena), *digest = lb_value_object(arena);
		struct lb_buf hex;

		lb_buf_init(&hex, &arena->mem, LB_SHA256_HEX);
		lb_hex_add(&hex, (struct lb_bytes){ manifest->files[i].sha256, LB_SHA256_SIZE });
		lb_value_set_string(arena, digest, "sha256", lb_buf_bytes(&hex));
		lb_value_set_string(arena, subject, "name", manifest->files[i].name);
		lb_value_put(arena, subject, "digest", digest);
		lb_value_add(arena, list, subject);
	}
	return list;
}

static struct lb_bytes repository_url(struct lb_arena *arena, const struct release_origin *origin)
{
	struct lb_bytes repository = claim(origin, "repository");

	return lb_arena_format(arena, "%.*s%.*s.git", LB_FMT(origin->issuer->repositories),
	                       LB_FMT(repository));
}

/* PATH of OWNER/NAME/PATH@REF */
static struct lb_bytes workflow_path(const struct release_origin *origin)
{
	struct lb_bytes full = claim(origin, "workflow_ref");

	full = lb_bytes_from(full, claim(origin, "repository").len + 1);
	return lb_bytes_upto(full, lb_bytes_find_byte(full, '@'));
}

static struct lb_value *external_parameters(struct lb_arena *arena,
                                            const struct release_origin *origin)
{
	struct lb_value *parameters = lb_value_object(arena), *workflow = lb_value_object(arena);

	lb_value_set_string(arena, workflow, "ref", claim(origin, "ref"));
	lb_value_set_string(arena, workflow, "repository", repository_url(arena, origin));
	lb_value_set_string(arena, workflow, "path", workflow_path(origin));
	lb_value_put(arena, parameters, "workflow", workflow);
	return parameters;
}

static struct lb_value *internal_parameters(struct lb_arena *arena,
                                            const struct release_origin *origin)
{
	static const char *const names[] = {
		"event_name",   "repository_id", "repository_owner_id", "runner_environment",
		"workflow_ref", "workflow_sha",  "job_workflow_ref",    "job_workflow_sha",
		"environment",  "run_id",        "run_number",          "run_attempt",
		"actor",        "actor_id",
	};
	struct lb_value *parameters = lb_value_object(arena), *github = lb_value_object(arena);

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct lb_value *value = lb_value_get(origin->claims, names[i]);

		if (value != NULL)
			lb_value_put(arena, github, names[i], lb_value_copy(arena, value));
	}
	lb_value_put(arena, parameters, "github", github);
	return parameters;
}

static struct lb_value *dependencies(struct lb_arena *arena, const struct release_origin *origin)
{
	struct lb_value *list = lb_value_array(arena), *source = lb_value_object(arena);
	struct lb_value *digest = lb_value_object(arena);
	struct lb_bytes url = repository_url(arena, origin), ref = claim(origin, "ref");

	lb_value_set_string(arena, digest, "gitCommit", claim(origin, "sha"));
	lb_value_set_string(arena, source, "uri",
	                    lb_arena_format(arena, "git+%.*s@%.*s", LB_FMT(url), LB_FMT(ref)));
	lb_value_put(arena, source, "digest", digest);
	lb_value_add(arena, list, source);
	return list;
}

static struct lb_value *run_details(struct lb_arena *arena, const struct release_origin *origin)
{
	struct lb_value *details = lb_value_object(arena), *builder = lb_value_object(arena);
	struct lb_value *metadata = lb_value_object(arena);
	struct lb_bytes repository = claim(origin, "repository"), run = claim(origin, "run_id");
	struct lb_bytes attempt = claim(origin, "run_attempt");

	lb_value_set_string(arena, builder, "id", origin->issuer->url);
	lb_value_set_string(arena, metadata, "invocationId",
	                    lb_arena_format(arena, "%.*s/%.*s/actions/runs/%.*s/attempts/%.*s",
	                                    LB_FMT(origin->issuer->url), LB_FMT(repository),
	                                    LB_FMT(run), LB_FMT(attempt)));
	lb_value_put(arena, details, "builder", builder);
	lb_value_put(arena, details, "metadata", metadata);
	return details;
}

struct lb_value *release_provenance(struct lb_arena *arena, const struct release_manifest *manifest,
                                    const struct release_origin *origin)
{
	struct lb_value *statement = lb_value_object(arena), *predicate = lb_value_object(arena);
	struct lb_value *definition = lb_value_object(arena);

	lb_value_set_text(arena, definition, "buildType",
	                  "https://actions.github.io/buildtypes/workflow/v1");
	lb_value_put(arena, definition, "externalParameters", external_parameters(arena, origin));
	lb_value_put(arena, definition, "internalParameters", internal_parameters(arena, origin));
	lb_value_put(arena, definition, "resolvedDependencies", dependencies(arena, origin));
	lb_value_put(arena, predicate, "buildDefinition", definition);
	lb_value_put(arena, predicate, "runDetails", run_details(arena, origin));
	lb_value_set_text(arena, statement, "_type", "https://in-toto.io/Statement/v1");
	lb_value_put(arena, statement, "subject", subjects(arena, manifest));
	lb_value_set_text(arena, statement, "predicateType", "https://slsa.dev/provenance/v1");
	lb_value_put(arena, statement, "predicate", predicate);
	return statement;
}
