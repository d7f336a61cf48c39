/** The overview of a VM: its parts stand without a hole between them, and its disks say how full they are. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { overflows, PHONE, visit } from "./visit.ts";

const reason = await requirement("qemu", "chromium");

Deno.test({
  name: "a VM's overview has no hole, wide or on a phone",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using vm = await testMachine({
      guest: false,
      description: "Notes of it",
      disks: [{ size: "16M" }],
    });
    await using server = await readyServer();
    await using tester = await browser();
    const url = `${server.url}/vms/${vm.uuid}`;
    await t.step(
      "what happened lately stands right below the network, in both themes",
      () =>
        visit(tester, url, async (page) => {
          const boxOf = async (name: string) =>
            (await page.getByRole("region", { name, exact: true }).boundingBox())!;
          const nics = await boxOf("Network interfaces"), activity = await boxOf("Recent activity");
          assert.equal(activity.x, nics.x);
          const gap = activity.y - (nics.y + nics.height);
          assert.ok(gap > 0 && gap < 40, `${gap} pixels`);
          await page.getByText("Notes of it").waitFor();
          assert.match(await page.locator(".disk-fill").getAttribute("title") ?? "", /^\d.* % of its size$/);
        }, { viewport: { width: 1440, height: 900 }, accessible: "in both themes" }),
    );
    await t.step("on a phone", () =>
      visit(tester, url, async (page) => {
        await page.getByRole("region", { name: "Recent activity" }).waitFor();
        assert.equal(await overflows(page), false);
      }, { ...PHONE, accessible: "in both themes" }));
  },
});
