/** The API's reference in a browser: read, filtered, and of a size to be loaded. */
import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { browser } from "../testbed/chromium.ts";
import { readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { looksWell, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** Most characters of a page. */
const MOST = 100_000;

browserTest("every command of the API has a page below 100 KB with lines that name this server", async () => {
  await using server = await readyServer();
  for (const name of Object.keys(COMMANDS)) {
    const response = await fetch(`${server.url}/api/v1/reference?command=${name}`);
    const html = await response.text();
    assert.equal(response.status, 200, name);
    assert.ok(html.length < MOST, `${name}: ${html.length}`);
    assert.ok(html.includes(`${new URL(server.url).host}/api/v1`), name);
  }
  const missing = await fetch(`${server.url}/api/v1/reference?command=nothing`);
  assert.equal(missing.status, 404);
  await missing.body?.cancel();
});

browserTest("the reference is filtered, and its columns hold words, wide and on a phone", async (t) => {
  await using server = await readyServer();
  await using tester = await browser();
  const path = "/api/v1/reference?command=create_vm";
  for (const options of [{}, PHONE]) {
    await t.step(
      options === PHONE ? "phone" : "wide",
      () =>
        visit(tester, server.url + path, async (page) => {
          const narrowest = await page.locator(".reference-command td, .reference-command tbody th")
            .evaluateAll(
              (cells) => Math.min(...cells.map((cell) => cell.getBoundingClientRect().width)),
            );
          assert.ok(narrowest > 90, `${narrowest} px`);
          assert.equal(await overflows(page), false);
          const links = page.locator(".reference-index a");
          const all = await links.count();
          const box = page.getByLabel("Filter commands");
          await box.fill("snapshot nothing");
          await page.waitForFunction(() => document.querySelectorAll(".reference-index a").length === 0);
          await box.press("Escape");
          await page.waitForFunction(
            (all) => document.querySelectorAll(".reference-index a").length === all,
            all,
          );
          await box.fill("force_stop");
          await page.getByRole("link", { name: "force_stop_vm", exact: true }).click();
          await waitForText(page, ".reference-command h2", "force_stop_vm");
        }, options),
    );
  }
  await visit(tester, server.url + path, async (page) => {
    await page.locator(".reference-index").getByRole("link", { name: "stop_vm", exact: true }).click();
    await waitForText(page, ".reference-command h2", "stop_vm");
  }, { javaScriptEnabled: false });
  await looksWell(t, tester, server.url + path, "the reference");
});
