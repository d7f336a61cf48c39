/** The documentation in the product: found from a page, searched, read on a phone, without script as well. */
import assert from "node:assert/strict";
import { CHAPTERS } from "../../lib/help/chapters.ts";
import { browser } from "../testbed/chromium.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");

Deno.test({
  name: "the documentation is read and searched in the product, offline",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using server = await startServer({ uri: "test:///default" });
    await using tester = await browser();
    const { url } = server;

    await t.step("a page leads to its chapter", () =>
      visit(tester, `${url}/backups`, async (page) => {
        await page.locator("#sidebar").getByRole("link", { name: "Help" }).click();
        await page.waitForURL(`${url}/help/backups`);
        await waitForText(page, "main h1", "Backups");
        // A chapter's links lead to other chapters, and to headings
        await page.locator(".help-contents").getByRole("link", { name: "Reading what changed" }).click();
        await page.waitForURL(`${url}/help/backups#reading-what-changed`);
        await page.locator("nav.crumbs, header").getByRole("link", { name: "Help" }).first().click();
        await page.waitForURL(`${url}/help`);
        assert.equal(await page.locator(".help-chapters a").count(), CHAPTERS.length);
      }, { accessible: "in both themes" }));

    await t.step("it is searched, without script", () =>
      visit(tester, `${url}/help`, async (page) => {
        await page.getByRole("searchbox").last().fill("bitmap checkpoint");
        await page.getByRole("button", { name: "Search", exact: true }).click();
        await page.waitForURL(`${url}/help?q=bitmap+checkpoint`);
        await waitForText(page, "main", "sections found");
        await page.locator(".help-found a").first().click();
        await page.locator(".help-text").waitFor();
        await page.goto(`${url}/help?q=${encodeURIComponent('"><b>nowhere')}`);
        await waitForText(page, "main", "No section has all of these words");
      }, { javaScriptEnabled: false }));

    await t.step("each chapter fits a phone", () =>
      visit(tester, `${url}/help`, async (page) => {
        for (const chapter of CHAPTERS) {
          await page.goto(`${url}/help/${chapter}`);
          assert.equal(await overflows(page), false, chapter);
        }
      }, { ...PHONE, accessible: "in both themes" }));

    await t.step("there is no other chapter", async () => {
      for (const name of ["nothing", "..%2FREADME", "%2e%2e%2fREADME"]) {
        const answer = await fetch(`${url}/help/${name}`);
        await answer.body?.cancel();
        assert.equal(answer.status, 404, name);
      }
    });
  },
});
