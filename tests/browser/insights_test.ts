/** The Insights page: findings in words, filters as links, a change behind a fold, with script and without. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { storeIn, writeDay } from "../testbed/metrics.ts";
import { becomes } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");

Deno.test({
  name: "the Insights page tells what was found, filters it by links, and applies and undoes a change",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using vm = await testMachine({
      purpose: "insights",
      guest: false,
      agent: false,
      vcpus: 4,
      memoryMiB: 1024,
    });
    await using folder = await testFolder();
    {
      using store = storeIn(folder.path);
      await writeDay(store, { [vm.uuid]: { cpu_usage: 5 } });
    }
    await using server = await startServer({ logLevel: "info", dataDir: folder.path });
    const path = `${server.url}/insights?window=24h&vm=${vm.uuid}`;
    await using tester = await browser();
    for (const size of [{}, PHONE]) {
      await visit(tester, path, async (page) => {
        await waitForText(page, "h1", "Insights");
        await waitForText(page, ".insight-list", "More CPU than needed");
        await waitForText(page, ".insight-list", "No guest agent channel");
        await waitForText(page, ".insight-graph", /CPU usage: 5\.?\d* % on average, 5\.?\d* % at most/);
        const apply = page.locator(".insight-apply").first();
        await becomes(() => apply.locator("button").isVisible(), false);
        await apply.locator("summary").click();
        await waitForText(page, ".insight-apply[open]", "vCPUs: 4 → 1");
        assert.equal(await overflows(page), false);
      }, { ...size, accessible: "in both themes" });
    }
    for (const javaScriptEnabled of [true, false]) {
      await visit(tester, path, async (page) => {
        await page.locator(".chips a", { hasText: "Guest" }).click();
        await page.waitForURL(/category=guest/);
        await becomes(() => page.locator(".insight-list > li").count(), 1);
        await page.locator(".chips a", { hasText: "Guest" }).click();
        await page.waitForURL((url) => !url.search.includes("category"));
        await page.locator(".insight-apply summary").first().click();
        await page.locator(".insight-apply[open] button").click();
        await waitForText(page, ".banner", `${vm.name} was changed.`);
        await becomes(() => page.getByText("More CPU than needed").count(), 0);
        await page.getByRole("button", { name: "Undo: back to 4 vCPUs" }).click();
        await waitForText(page, ".insight-list", "More CPU than needed");
      }, { javaScriptEnabled });
    }
    await visit(tester, `${server.url}/insights?severity=critical&vm=${vm.uuid}`, async (page) => {
      await waitForText(page, ".empty", "Nothing found");
      await waitForText(page, ".empty", "Show all");
    }, { accessible: "in both themes" });
  },
});
