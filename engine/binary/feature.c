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
