/** Islands in a real browser, under the Content-Security-Policy the product has: no inline script, no inline style. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { isManifestFresh } from "../../scripts/manifest.ts";
import { app } from "./fixture/main.ts";

const CHROMIUM = Deno.env.get("KVMM_CHROMIUM") ?? "/usr/bin/chromium";
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync"],
];

/** A page of the fixture, and everything the browser complained about meanwhile. */
async function visiting(path: string, test: (page: Page, asked: string[]) => Promise<void>): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.handler());
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    const page = await browser.newPage();
    const complaints: string[] = [], asked: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      dialog.dismiss().catch((error) => complaints.push(String(error)));
    });
    await page.goto(`http://127.0.0.1:${server.addr.port}${path}`, { waitUntil: "networkidle" });
    await test(page, asked);
    assert.deepEqual(complaints, []);
  } finally {
    await browser?.close();
    await server.shutdown();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const hasBrowser = await isThere(CHROMIUM);
const browserTest = (name: string, fn: () => Promise<void>) =>
  Deno.test({
    name: hasBrowser ? name : `${name} [skipped: no ${CHROMIUM}; set KVMM_CHROMIUM or install chromium]`,
    ignore: !hasBrowser,
    fn,
    // playwright-core keeps timers and pipes of the browser's process a moment longer
    sanitizeOps: false,
    sanitizeResources: false,
  });

Deno.test("the fixture's manifest is up to date", async () => {
  assert.equal(await isManifestFresh(fileURLToPath(new URL("./fixture", import.meta.url))), true);
});

browserTest("boot() hydrates islands that share a signal", () =>
  visiting("/", async (page) => {
    assert.equal(await page.title(), "Counting");
    await page.waitForSelector("section[data-live=true]");
    const texts = async () => [
      ...await page.locator("button").allTextContents(),
      await page.locator("output").textContent(),
    ];
    assert.deepEqual(await texts(), ["2", "2", "10", "2"]);
    await page.getByLabel("second").click();
    assert.deepEqual(await texts(), ["3", "3", "10", "3"]);
    await page.getByLabel("inner").click();
    await page.locator("button").first().click();
    assert.deepEqual(await texts(), ["4", "4", "11", "4"]);
  }));

browserTest(
  "boot() keeps a hostile prop text, and the server's ids and addresses",
  () =>
    visiting("/", async (page) => {
      const section = page.locator("section[data-live=true]");
      assert.match(await section.getAttribute("data-asset") ?? "", /^\/app\.css\?__frsh_c=[0-9a-f]{16}$/);
      assert.equal(
        await page.locator("label").first().textContent(),
        "</script><img src=x onerror=alert(1)>",
      );
      assert.equal(await page.locator("img").count(), 0);
      const ids = await page.locator("button").evaluateAll((buttons) => buttons.map(({ id }) => id));
      assert.equal(new Set(ids).size, 3);
    }),
);

browserTest("a page loads the modules of its own islands only, and none without an island", async () => {
  await visiting("/", (_page, asked) => {
    const scripts = asked.filter((path) => path.endsWith(".js")).map((path) => path.split("/").at(-1) ?? "");
    for (const name of ["boot.js", "Counter.js", "Total.js"]) assert.ok(scripts.includes(name), name);
    assert.equal(new Set(scripts).size, scripts.length, "nothing twice");
    return Promise.resolve();
  });
  await visiting("/plain", async (page, asked) => {
    assert.deepEqual(asked, ["/plain", "/app.css"]);
    assert.equal(await page.locator("script").count(), 0);
  });
});
