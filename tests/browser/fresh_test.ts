/** Islands in a real browser, under the Content-Security-Policy the product has: no inline script, no inline style. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { isManifestFresh } from "../../scripts/manifest.ts";
import { browser, hydrated, watchPage } from "../testbed/chromium.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import type { IslandIndex } from "../../lib/fresh/server/assets.ts";
import { app } from "./fixture/main.ts";

/** A page of the fixture, and everything the browser complained about meanwhile. */
async function visiting(
  path: string,
  test: (page: Page, asked: string[]) => Promise<void>,
  expected?: RegExp,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.handler());
  try {
    await using tester = await browser();
    const page = await tester.page();
    const watch = watchPage(page), asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`http://127.0.0.1:${server.addr.port}${path}`, { waitUntil: "networkidle" });
    await test(page, asked);
    const complaints = watch.all();
    assert.deepEqual(complaints.filter((text) => !expected?.test(text)), []);
    if (expected !== undefined) assert.ok(complaints.length > 0, "the browser complained of nothing");
  } finally {
    await server.shutdown();
  }
}

/** Index of the fixture's bundled islands. */
const fixtureIslands = async (): Promise<IslandIndex> =>
  JSON.parse(await Deno.readTextFile(new URL("./fixture/dist/islands.json", import.meta.url)));

const reason = await requirement("chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

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
  "boot() keeps what was typed, chosen and ticked before the islands took over, and tells them",
  async () => {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.handler());
    try {
      await using tester = await browser();
      // Its clicks do not wait for the islands, unlike those of the testbed's pages.
      const page = await (await tester.context()).newPage();
      const arrive = Promise.withResolvers<void>();
      await page.route(`**${(await fixtureIslands()).islands.Fields!.entry}`, async (route) => {
        await arrive.promise;
        await route.continue();
      });
      await page.goto(`http://127.0.0.1:${server.addr.port}/fields`, { waitUntil: "domcontentloaded" });
      await page.getByLabel("text").fill("typed");
      await page.getByLabel("note").fill("noted");
      await page.getByLabel("choice").selectOption("b");
      await page.getByLabel("ticked").check();
      await page.getByLabel("two").check();
      await becomes(() => page.locator("output").textContent(), "as rendered||a|false|one", "no island yet");
      arrive.resolve();
      await hydrated(page);
      await becomes(() => page.getByLabel("text").inputValue(), "typed");
      await page.locator("output").filter({ hasText: "typed|noted|b|true|two" }).waitFor();
    } finally {
      await server.shutdown();
    }
  },
);

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
      await becomes(() => page.locator("img").count(), 0);
      const ids = await page.locator("button").evaluateAll((buttons) => buttons.map(({ id }) => id));
      assert.equal(new Set(ids).size, 3);
    }),
);

browserTest(
  "a script of the page itself runs by its nonce, one that came in with text does not",
  async () => {
    await visiting("/inline", async (page) => {
      await page.waitForSelector("html[data-own=ran]");
      await becomes(() => page.locator("html[data-foreign]").count(), 0);
    }, /inline script.*Content Security Policy/s);
  },
);

browserTest("a page loads the modules of its own islands only, and none without an island", async () => {
  const { boot, islands } = await fixtureIslands();
  await visiting("/", (_page, asked) => {
    const scripts = asked.filter((path) => path.endsWith(".js"));
    const chunks = [islands.Counter!, islands.Total!].flatMap(({ entry, imports }) => [entry, ...imports]);
    assert.deepEqual(new Set(scripts), new Set([boot, ...chunks]));
    assert.ok(!scripts.includes(islands.Fields!.entry), "an island of another page");
    assert.equal(new Set(scripts).size, scripts.length, "nothing twice");
    return Promise.resolve();
  });
  await visiting("/plain", async (page, asked) => {
    assert.deepEqual(asked, ["/plain", "/app.css"]);
    await becomes(() => page.locator("script").count(), 0);
  });
});
