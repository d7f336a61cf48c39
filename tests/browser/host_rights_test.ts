/** Pages in the browser of somebody who has rights to one of two hosts. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { setLogLevel } from "../../agent/log.ts";
import { browser, hydrated } from "../testbed/chromium.ts";
import { HOST_IDS, type HostId, hostRights, LAB, otherThan, THINGS } from "../testbed/host_rights.ts";
import { requirement } from "../testbed/skip.ts";
import { visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
setLogLevel("error");

/** Resources of the user's own host on each page. */
const PAGES: readonly (readonly [path: string, shows: "vm" | "network" | "pool" | null])[] = [
  ["/", "pool"],
  ["/vms", "vm"],
  ["/networks", "network"],
  ["/networks/topology", "vm"],
  ["/storage", "pool"],
  ["/monitoring", null],
  ["/tasks", null],
  ["/alerts", null],
];

async function requireOwn(page: Page, own: HostId, what: string): Promise<void> {
  const html = await page.content();
  for (const thing of Object.values(THINGS[otherThan(own)])) {
    assert.ok(!html.includes(thing), `${what} of ${own} shows ${thing}`);
  }
}

Deno.test({
  name:
    "the browser of who has rights to one host shows that host alone, and is refused nothing that it asks for",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using world = await hostRights();
    await using tester = await browser();
    for (const own of HOST_IDS) {
      const person = await world.as(`of-${own}`, [{ role: "operator", on: { kind: "host", host: own } }]);
      await using front = person.serve();
      for (const [path, shows] of PAGES) {
        await t.step(`${path} of ${own}`, () =>
          visit(tester, front.url + path, async (page) => {
            const asked: string[] = [];
            page.on("response", (response) => {
              if (response.status() >= 400) asked.push(`${response.status()} ${response.url()}`);
            });
            await page.reload();
            await hydrated(page);
            if (shows !== null) await waitForText(page, "main", THINGS[own][shows]);
            await requireOwn(page, own, path);
            assert.deepEqual(asked, []);
          }));
      }
      await t.step(`links and forms of ${own} stay there`, () =>
        visit(tester, front.url, async (page) => {
          const at = own === LAB ? `/hosts/${LAB}` : "";
          await page.locator("nav").getByRole("link", { name: "Networks" }).click();
          await page.waitForURL(`${front.url}${at}/networks`);
          await page.getByRole("link", { name: THINGS[own].network, exact: true }).first().click();
          await page.waitForURL(`${front.url}${at}/networks/${THINGS[own].network}`);
          await page.goto(`${front.url}${at}/storage/${THINGS[own].pool}`);
          await page.getByRole("button", { name: "Refresh" }).first().click();
          await waitForText(page, "main", THINGS[own].pool);
          await requireOwn(page, own, "the pool");
        }));
    }
    await t.step("who creates VMs on the other host alone is led there", async () => {
      const both = await world.as("of-both", [
        { role: "operator", on: { kind: "host", host: "local" } },
        { role: "administrator", on: { kind: "host", host: LAB } },
      ]);
      await using front = both.serve();
      await visit(tester, `${front.url}/vms`, async (page) => {
        await page.getByRole("link", { name: "Create VM" }).first().click();
        await page.waitForURL(`${front.url}/hosts/${LAB}/vms/new`);
        await waitForText(page, "main", "Create VM");
      });
    });
  },
});
