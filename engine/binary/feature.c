/* feature.c - the features of the language by name. */
#include "engine/module.h"

const char *engine_feature_text(enum engine_feature feature)
{
	static const char *const texts[ENGINE_FEATURE_COUNT] = {
#define FEATURE(name, text, on) [ENGINE_FEATURE_##name] = (text),
#include "engine/feature.def"
#undef FEATURE
	};

	return feature < ENGINE_FEATURE_COUNT ? texts[feature] : "";
}

enum engine_feature engine_feature_find(struct lb_bytes name)
{
	for (int i = 0; i < ENGINE_FEATURE_COUNT; i++)
		if (lb_bytes_is(name, engine_feature_text((enum engine_feature)i)))
			return (enum engine_feature)i;
	return ENGINE_FEATURE_COUNT;
}

uint64_t engine_features_allowed(const struct engine_module_options *options)
{
	static const bool on[ENGINE_FEATURE_COUNT] = {
#define FEATURE(name, text, on) [ENGINE_FEATURE_##name] = (on),
#include "engine/feature.def"
#undef FEATURE
	};
	uint64_t features = 0;

	for (unsigned i = 0; i < ENGINE_FEATURE_COUNT; i++)
		if (on[i])
			features |= ENGINE_FEATURE_BIT(i);
	if (options != NULL)
		features = (features & ~options->features_off) | options->features_on;
	return features | ENGINE_FEATURE_BIT(ENGINE_FEATURE_MVP);
}
