/* asset.c - see asset.h.  The files are read by the assembler; the makefile knows that this depends
 * on them. */
#include "coordinator/pages/asset.h"

#define ASSET(symbol, file) \
	__asm__(".pushsection .rodata\n" \
	        "coord_asset_" #symbol ": .incbin \"coordinator/pages/" file "\"\n" \
	        "coord_asset_" #symbol "_end:\n" \
	        ".popsection\n"); \
	extern const unsigned char coord_asset_##symbol[], coord_asset_##symbol##_end[];
ASSET(style, "style.css")
ASSET(app, "app.js")
ASSET(icon, "icon.svg")
#undef ASSET

bool coord_asset_find(struct lb_bytes *content, const char **type, struct lb_bytes name)
{
	static const struct {
		const char *name, *type;
		const unsigned char *begin, *end;
	} assets[] = {
		{ "style.css", "text/css; charset=utf-8", coord_asset_style,
		  coord_asset_style_end },
		{ "app.js", "text/javascript; charset=utf-8", coord_asset_app,
		  coord_asset_app_end },
		{ "icon.svg", "image/svg+xml", coord_asset_icon, coord_asset_icon_end },
	};

	for (size_t i = 0; i < sizeof assets / sizeof assets[0]; i++) {
		if (!lb_bytes_is(name, assets[i].name))
			continue;
		*content = (struct lb_bytes){ assets[i].begin,
			                      (size_t)(assets[i].end - assets[i].begin) };
		*type = assets[i].type;
		return true;
	}
	return false;
}
