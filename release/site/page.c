/* page.c - see page_priv.h. */
#include "release/site/page_priv.h"

#include "base/text.h"

#include <stdarg.h>

const char release_page_style[] =
	":root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--quiet:#57606a;--line:#d0d7de;"
	"--link:#0550ae;--code:#f3f5f7}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--quiet:#9aa4af;"
	"--line:#30363d;--link:#79b8ff;--code:#161b22}}\n"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
	"max-width:70rem;margin:0 auto;padding:1.5rem}\n"
	"a{color:var(--link)}a:focus-visible{outline:3px solid var(--link);outline-offset:2px}\n"
	"nav ol{list-style:none;display:flex;flex-wrap:wrap;gap:.5rem;padding:0;margin:0}\n"
	"nav li+li::before{content:\"/\";color:var(--quiet);margin-right:.5rem}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;width:100%}caption{text-align:left;color:var(--quiet);"
	"padding:.25rem 0}\n"
	"th,td{text-align:left;padding:.4rem .8rem .4rem 0;border-bottom:1px solid var(--line);"
	"vertical-align:top}td.number{text-align:right;white-space:nowrap}\n"
	"code,pre{font:14px/1.5 ui-monospace,monospace}td code{overflow-wrap:anywhere}\n"
	"pre{background:var(--code);padding:.8rem;white-space:pre-wrap;overflow-wrap:anywhere;"
	"border:1px solid var(--line)}\n"
	"dt{color:var(--quiet)}dd{margin:0 0 .5rem;overflow-wrap:anywhere}\n";

/* Each $ in the template is one struct lb_bytes, escaped for HTML. */
static void add(struct lb_buf *out, const char *template, ...)
{
	va_list args;

	va_start(args, template);
	for (const char *at = template; *at != '\0'; at++) {
		if (*at == '$')
			lb_html_add(out, va_arg(args, struct lb_bytes));
		else
			lb_buf_add_byte(out, (unsigned char)*at);
	}
	va_end(args);
}

static struct lb_bytes get(const struct lb_value *object, const char *member)
{
	return lb_value_get_string(object, member);
}

/* `up` leads from the page to the tree's root: "../../". */
static void begin(struct lb_buf *out, const char *up, struct lb_bytes title)
{
	add(out,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<title>$</title>\n<link rel=\"stylesheet\" href=\"$style.css\">\n</head>\n<body>\n",
	    title, lb_bytes_of(up));
}

static void end(struct lb_buf *out) { lb_buf_add_text(out, "</main>\n</body>\n</html>\n"); }

/* The way here: names[0] is the nearest folder above. */
static void trail(struct lb_buf *out, const struct lb_bytes *names, size_t count)
{
	lb_buf_add_text(out, "<nav aria-label=\"Breadcrumb\"><ol>\n<li><a href=\"");
	for (size_t i = 0; i < count; i++)
		lb_buf_add_text(out, "../");
	lb_buf_add_text(out, count == 0 ? "./\">Releases</a></li>\n" : "\">Releases</a></li>\n");
	for (size_t i = 0; i < count; i++) {
		lb_buf_add_text(out, "<li><a href=\"");
		for (size_t k = i + 1; k < count; k++)
			lb_buf_add_text(out, "../");
		add(out,
		    i + 1 == count ? "./\" aria-current=\"page\">$</a></li>\n" : "\">$</a></li>\n",
		    names[i]);
	}
	lb_buf_add_text(out, "</ol></nav>\n<main>\n");
}

void release_page_root(struct lb_buf *out, const struct lb_value *projects)
{
	begin(out, "", LB_B("Releases"));
	lb_buf_add_text(out, "<main>\n<h1>Releases</h1>\n");
	if (projects->count == 0)
		lb_buf_add_text(out, "<p>Nothing has been published yet.</p>\n");
	lb_buf_add_text(out, "<ul>\n");
	for (uint32_t i = 0; i < projects->count; i++)
		add(out, "<li><a href=\"$/\">$</a></li>\n", projects->items[i]->string,
		    projects->items[i]->string);
	lb_buf_add_text(out, "</ul>\n");
	end(out);
}

void release_page_project(struct lb_buf *out, struct lb_bytes project,
                          const struct lb_value *newest)
{
	begin(out, "../", project);
	trail(out, &project, 1);
	add(out,
	    "<h1>$</h1>\n<div class=\"wide\"><table>\n<caption>Channels</caption>\n<thead><tr>"
	    "<th scope=\"col\">Channel</th><th scope=\"col\">Newest</th>"
	    "<th scope=\"col\">Published</th></tr></thead>\n<tbody>\n",
	    project);
	for (uint32_t i = 0; i < newest->count; i++) {
		const struct lb_value *r = newest->items[i];

		add(out,
		    "<tr><th scope=\"row\"><a href=\"$/\">$</a></th>"
		    "<td><a href=\"$/$/\">$</a></td><td>$</td></tr>\n",
		    get(r, "channel"), get(r, "channel"), get(r, "channel"), get(r, "version"),
		    get(r, "version"), get(r, "published_at"));
	}
	lb_buf_add_text(out, "</tbody></table></div>\n");
	end(out);
}

void release_page_channel(struct lb_buf *out, struct lb_bytes project, struct lb_bytes channel,
                          const struct lb_value *releases)
{
	struct lb_bytes names[2] = { project, channel };

	begin(out, "../../", channel);
	trail(out, names, 2);
	add(out,
	    "<h1>$: $</h1>\n<div class=\"wide\"><table>\n"
	    "<caption>Versions, newest first</caption>\n<thead><tr>"
	    "<th scope=\"col\">Version</th><th scope=\"col\">Published</th>"
	    "<th scope=\"col\">Commit</th></tr></thead>\n<tbody>\n",
	    project, channel);
	for (uint32_t i = 0; i < releases->count; i++) {
		const struct lb_value *r = releases->items[i];

		add(out,
		    "<tr><th scope=\"row\"><a href=\"$/\">$</a></th><td>$</td>"
		    "<td><code>$</code></td></tr>\n",
		    get(r, "version"), get(r, "version"), get(r, "published_at"),
		    get(lb_value_get(r, "source"), "sha"));
	}
	lb_buf_add_text(out, "</tbody></table></div>\n");
	end(out);
}

/* "12.3 MiB" */
static void add_size(struct lb_buf *out, double size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB" };
	size_t unit = 0;

	while (size >= 1024 && unit < 3) {
		size /= 1024;
		unit++;
	}
	lb_buf_addf(out, unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
}

static void add_files(struct lb_buf *out, const struct lb_value *files)
{
	lb_buf_add_text(out, "<h2>Files</h2>\n<div class=\"wide\"><table>\n"
	                     "<caption>Downloads, each with its signature</caption>\n<thead><tr>"
	                     "<th scope=\"col\">File</th><th scope=\"col\">Size</th>"
	                     "<th scope=\"col\">SHA-256</th><th scope=\"col\">Signature</th>"
	                     "</tr></thead>\n<tbody>\n");
	for (uint32_t i = 0; i < files->count; i++) {
		struct lb_bytes name = get(files->items[i], "name");

		add(out, "<tr><th scope=\"row\"><a href=\"$\">$</a></th><td class=\"number\">",
		    name, name);
		add_size(out, lb_value_get_number(files->items[i], "size"));
		add(out,
		    "</td><td><code>$</code></td><td><a href=\"$.minisig\">$.minisig</a></td>"
		    "</tr>\n",
		    get(files->items[i], "sha256"), name, name);
	}
	lb_buf_add_text(out, "</tbody></table></div>\n"
	                     "<p>For all of them: <a href=\"SHA256SUMS\">SHA256SUMS</a> "
	                     "(<a href=\"SHA256SUMS.minisig\">signature</a>), "
	                     "<a href=\"provenance.json\">provenance</a> "
	                     "(<a href=\"provenance.json.minisig\">signature</a>), "
	                     "<a href=\"release.json\">this page as JSON</a> "
	                     "(<a href=\"release.json.minisig\">signature</a>).</p>\n");
}

static void add_verify(struct lb_buf *out, const struct lb_value *release)
{
	const struct lb_value *files = lb_value_get(release, "files");
	struct lb_bytes key = get(release, "public_key");

	add(out,
	    "<h2>Verify</h2>\n<p>The public key is <code>$</code>. Compare it with one you got "
	    "another way. Then, with the file and its signature in one folder:</p>\n<pre>",
	    key);
	for (uint32_t i = 0; i < files->count; i++)
		add(out, "minisign -Vm $ -P $\n", get(files->items[i], "name"), key);
	lb_buf_add_text(out, "</pre>\n<p>The trusted comment that it prints names the file, the "
	                     "project, the version and the channel: they must be the ones you "
	                     "wanted.</p>\n");
}

static void add_source(struct lb_buf *out, const struct lb_value *source)
{
	static const char *const members[][2] = {
		{ "repository", "Repository" }, { "ref", "Ref" },    { "sha", "Commit" },
		{ "workflow_ref", "Workflow" }, { "run_id", "Run" }, { "issuer", "Built under" },
	};

	lb_buf_add_text(out, "<h2>Source</h2>\n<dl>\n");
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		struct lb_bytes value = get(source, members[i][0]);

		if (value.len > 0)
			add(out, "<dt>$</dt><dd><code>$</code></dd>\n", lb_bytes_of(members[i][1]),
			    value);
	}
	lb_buf_add_text(out, "</dl>\n");
}

void release_page_release(struct lb_buf *out, const struct lb_value *release)
{
	struct lb_bytes names[3] = { get(release, "project"), get(release, "channel"),
		                     get(release, "version") };

	begin(out, "../../../", names[2]);
	trail(out, names, 3);
	add(out, "<h1>$ $</h1>\n<p>Channel $, published $.</p>\n", names[0], names[2], names[1],
	    get(release, "published_at"));
	add_files(out, lb_value_get(release, "files"));
	add_verify(out, release);
	add_source(out, lb_value_get(release, "source"));
	end(out);
}
