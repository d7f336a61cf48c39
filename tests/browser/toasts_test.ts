/** Messages in the corner cover no bar of the page: its buttons can be clicked while they are shown, narrow and wide. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser, hydrated } from "../testbed/chromium.ts";
import { call } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { PHONE, visit, waitForText } from "./visit.ts";

const ignore = await requirement("chromium") !== null;
const SIZES = {
  narrow: PHONE,
  "narrow and low": { viewport: { width: 390, height: 600 }, hasTouch: true },
  wide: { viewport: { width: 1440, height: 900 } },
} as const;

const bar = (page: Page) => page.getByRole("region", { name: "Unsaved changes" });
const field = (page: Page, name: string) => page.locator(`[name="${name}"]`);

/** Has notices stay, however slow the machine is: how long they are shown is not what this is about. */
function keepNotices(): void {
  const own = globalThis.setTimeout;
  globalThis.setTimeout =
    ((work: () => void, ms?: number) => own(work, ms === 5000 ? 3_600_000 : ms)) as typeof own;
}

/** Asserts that nothing is in front of a button, at its middle and at its corners. */
async function isFree(page: Page, name: string): Promise<void> {
  const button = bar(page).getByRole("button", { name, exact: true });
  const covered = await button.evaluate((element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect(), inset = 4;
    const points = [left + inset, (left + right) / 2, right - inset].flatMap((x) =>
      [top + inset, (top + bottom) / 2, bottom - inset].map((y) => [x, y] as const)
    );
    return points.map(([x, y]) => document.elementFromPoint(x, y)).filter((found) =>
      found === null || !element.contains(found)
    ).map((found) => found?.closest("[class]")?.className ?? "outside the window");
  });
  assert.deepEqual(covered, [], `${name} is covered`);
}

for (const [size, options] of Object.entries(SIZES)) {
  Deno.test({
    name: `Discard and Save of a form's bar can be clicked while notices are shown, ${size}`,
    ignore,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using server = await startServer({ uri: "test:///default", logLevel: "error" });
      await using tester = await browser();
      const vmId = (await call(server, "get_vms"))[0]!.id;
      await visit(tester, `${server.url}/vms/${vmId}/hardware`, async (page) => {
        await page.addInitScript(keepNotices);
        await page.reload();
        await hydrated(page);
        const change = async (title: string) => {
          await field(page, "title").fill(title);
          await bar(page).getByRole("button", { name: "Save", exact: true }).waitFor();
        };
        const saved = async (title: string, notices: number) => {
          await change(title);
          for (const name of ["Discard", "Save"]) await isFree(page, name);
          await bar(page).getByRole("button", { name: "Save", exact: true }).click();
          await waitForText(page, ".toast", "Saved.");
          await becomes(() => bar(page).getByRole("button").count(), 0, "the bar goes with the changes");
          assert.ok(await page.locator(".toast").count() >= notices, "the notices are shown still");
        };
        // The bar comes while notices are shown, one and more of them
        for (const [number, title] of ["one", "two", "three"].entries()) {
          await saved(title, Math.min(number + 1, 2));
        }
        await change("four");
        for (const name of ["Discard", "Save"]) await isFree(page, name);
        assert.ok(await page.locator(".toast").count() > 0);
        await bar(page).getByRole("button", { name: "Discard", exact: true }).click();
        await becomes(() => field(page, "title").inputValue(), "three", "it is discarded");
      }, options);
    },
  });
}
