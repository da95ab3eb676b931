/* feature.c - `-W FEATURE=y|n`: what of the language is allowed. */
#include "engine/command/command.h"

const struct lb_option engine_feature_options[] = { ENGINE_FEATURE_OPTION, { 0 } };

static lb_err read_one(struct engine_module_options *out, struct lb_cli *cli, const char *text)
{
	struct lb_bytes rest = lb_bytes_of(text), name;
	enum engine_feature feature;
	bool on;

	(void)lb_bytes_split(&name, &rest, '=');
	on = rest.len == 0 || lb_bytes_is(rest, "y") || lb_bytes_is(rest, "yes");
	if (!on && !lb_bytes_is(rest, "n") && !lb_bytes_is(rest, "no"))
		return lb_fail(&cli->diag, LB_E_USAGE, "--wasm %s: expected FEATURE=y or FEATURE=n",
		               text);
	feature = engine_feature_find(name);
	if (feature == ENGINE_FEATURE_COUNT)
		return lb_fail(&cli->diag, LB_E_USAGE,
		               "--wasm %s: there is no feature \"%.*s\"; "
		               "`features` lists them",
		               text, LB_FMT(name));
	out->features_on &= ~ENGINE_FEATURE_BIT(feature);
	out->features_off &= ~ENGINE_FEATURE_BIT(feature);
	*(on ? &out->features_on : &out->features_off) |= ENGINE_FEATURE_BIT(feature);
	return LB_OK;
}

lb_err engine_command_features(struct engine_module_options *out, struct lb_cli *cli)
{
	const char *text;
	int at = 0;

	*out = (struct engine_module_options){ 0 };
	while ((text = lb_cli_next(cli, "wasm", &at)) != NULL)
		LB_TRY(read_one(out, cli, text));
	return LB_OK;
}

lb_err engine_cmd_features(struct lb_cli *cli)
{
	uint64_t on = engine_features_allowed(NULL);

	for (int i = 0; i < ENGINE_FEATURE_COUNT; i++)
		(void)fprintf(cli->out, "%s=%c\n", engine_feature_text((enum engine_feature)i),
		              (on & ENGINE_FEATURE_BIT(i)) != 0 ? 'y' : 'n');
	return LB_OK;
}
