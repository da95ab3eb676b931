#!/usr/bin/env node
// pages_browser.mjs - the pages in Chromium: live, without JavaScript, on a phone, for a screen reader.
// SHOTS=DIR keeps pictures of them.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { Line, until } from "./line.mjs";

const modules = resolve("build/node/node_modules");
const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (!existsSync(join(modules, "playwright-core")) || !browserPath) {
	console.log("1..0 # SKIP Chromium or Playwright's core is not there (.ci/setup test)");
	process.exit(0);
}
const { chromium } = createRequire(join(modules, "x.js"))("playwright-core");
const axe = readFileSync(join(modules, "axe-core/axe.min.js"), "utf8");

const workflow = `
name: Pages
run-name: A run of <em>pages</em>
on: workflow_dispatch
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - name: Print slowly
        run: |
          for i in $(seq 1 60); do echo "slow line $i"; sleep 0.1; done
          printf '\\033[32mgreen\\033[0m <script>document.title = "taken"</script>\\n'
          echo '::warning file=a.c,line=3::look at <b>this</b>'
  test:
    needs: build
    strategy:
      matrix:
        shard: [1, 2, 3]
    runs-on: ubuntu-latest
    steps:
      - run: echo shard \${{ matrix.shard }}
  last:
    needs: test
    runs-on: ubuntu-latest
    steps:
      - run: echo "summary of it" >> "$GITHUB_STEP_SUMMARY"
      - name: Goes wrong
        run: |
          echo about to fail
          exit 3
`;

let count = 0;
let failed = 0;
function ok(good, name, detail) {
	count++;
	if (!good) failed++;
	console.log(`${good ? "" : "not "}ok ${count} - ${name}`);
	if (!good && detail) console.log(String(detail).replace(/^/gm, "# "));
}

const line = new Line();
const browser = await chromium.launch({
	executablePath: browserPath,
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync"],
});

async function serious(page) {
	await page.evaluate(axe);
	const { violations } = await page.evaluate(() => axe.run());
	return violations.filter((v) => ["serious", "critical"].includes(v.impact)).map((v) => `${v.id}: ${v.nodes[0].html}`);
}

async function shot(page, name) {
	if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true });
}

try {
	await line.coordinator();
	line.push(workflow);
	const errors = [];
	const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, bypassCSP: true });
	page.on("pageerror", (error) => errors.push(error.message));
	page.on("console", (message) => message.type() === "error" && errors.push(message.text()));

	await page.goto(line.url);
	ok(await page.getByText("No runs yet").isVisible(), "an empty list says how to begin");

	const id = await line.submit();
	await page.goto(`${line.url}/runs/${id}`);
	ok(await page.getByText(/waiting for a runner/i).first().isVisible(), "a job without a runner says what it waits for");
	ok((await page.title()).includes("A run of <em>pages</em>"), "a title with markup is text");

	line.runner();
	await page.locator(".node.in_progress").first().waitFor({ timeout: 15000 });
	ok(true, "the graph shows by itself that a job began");
	await page.locator("table a", { hasText: "build" }).first().click();
	await page.getByText("slow line 3", { exact: true }).waitFor({ timeout: 15000 });
	const early = await page.locator("ol.log > li").count();
	await page.getByText("slow line 12", { exact: true }).waitFor({ timeout: 15000 });
	ok(early < await page.locator("ol.log > li").count(), "the log grows while the step runs");
	await page.locator("h1 .state.success").waitFor({ timeout: 20000 });
	ok(true, "the job's state follows");
	await page.locator("summary", { hasText: "Print slowly" }).click();
	const slow = await page.locator("ol.log > li > span").allTextContents();
	ok(JSON.stringify(slow.filter((text) => /^slow line \d+$/.test(text))) ===
		JSON.stringify(Array.from({ length: 60 }, (_, i) => `slow line ${i + 1}`)), "each line is there once and in order", slow.join("\n"));
	ok(await page.locator(".c32", { hasText: "green" }).count() === 1, "colours are shown");
	ok((await page.title()) !== "taken", "markup in a log is text");
	await shot(page, "job");
	ok((await serious(page)).length === 0, "the job's page has no serious accessibility finding", (await serious(page)).join("\n"));

	await until("the run", 60, async () => (await line.run(id)).status === "completed");
	await page.goto(`${line.url}/runs/${id}`);
	ok(await page.locator("h1 .state.failure").isVisible(), "the run ended with failure");
	ok(await page.locator("svg .node").count() === 5 && await page.locator("svg .edge").count() === 6, "the graph has its jobs and needs");
	ok(await page.getByText("look at <b>this</b>").isVisible(), "an annotation is shown as text");
	ok(await page.getByText("summary of it").isVisible(), "so is a step's summary");
	await shot(page, "run");
	ok((await serious(page)).length === 0, "the run's page has no serious accessibility finding", (await serious(page)).join("\n"));
	await page.goto(line.url);
	await shot(page, "runs");
	ok((await serious(page)).length === 0, "the list has no serious accessibility finding", (await serious(page)).join("\n"));
	ok(errors.length === 0, "nothing went wrong in the browser", errors.join("\n"));

	const plain = await (await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 800 } })).newPage();
	await plain.goto(line.url);
	await plain.getByRole("link", { name: /A run of/ }).click();
	await shot(plain, "run-phone");
	const jobs = (await line.run(id)).jobs;
	await plain.goto(line.url + new URL(jobs.find((job) => job.name === "last").url, line.url).pathname);
	ok(await plain.getByText("about to fail", { exact: true }).isVisible(), "without JavaScript the failed step stands open");
	await shot(plain, "job-phone");
	ok(await plain.evaluate("document.documentElement.scrollWidth") <= 390, "nothing sticks out on a phone");
	const dark = await (await browser.newContext({ colorScheme: "dark", bypassCSP: true })).newPage();
	await dark.goto(`${line.url}/runs/${id}`);
	ok((await serious(dark)).length === 0, "nor in dark colours", (await serious(dark)).join("\n"));
	await shot(dark, "run-dark");
	const missing = await fetch(`${line.url}/runs/999999`, { headers: { Accept: "text/html" } });
	ok(missing.status === 404 && (await missing.text()).includes("<h1>"), "a run that is not there is a page with 404");
} catch (error) {
	ok(false, "the test ran to its end", error.stack);
	for (const name of ["coordinator", "runner"]) {
		const log = join(line.folder, `${name}.log`);
		if (existsSync(log)) console.log(readFileSync(log, "utf8").split("\n").slice(-30).join("\n").replace(/^/gm, `# ${name}: `));
	}
} finally {
	await browser.close();
	await line.stop();
}
console.log(`1..${count}`);
process.exitCode = failed ? 1 : 0;
