/** The form for a new VM on a host where no storage pool runs: it says what to do, and goes on when it was done. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { filesOf } from "../testbed/names.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { requirement } from "../testbed/skip.ts";
import { startServer } from "../testbed/server.ts";
import { becomes } from "../testbed/wait.ts";
import { visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");

Deno.test({
  name: "without a running pool, Create offers to start or create one, and goes on by itself",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using host = await privateLibvirt("create-pool");
    const folder = `${filesOf(host.name)}/pool`;
    await Deno.mkdir(folder);
    await host.virsh("pool-define-as", "off", "dir", "--target", folder);
    await using server = await startServer({ uri: host.uri });
    await using tester = await browser();
    for (const javaScriptEnabled of [false, true]) {
      await visit(tester, `${server.url}/vms/new`, async (page) => {
        await waitForText(page, ".banner", "No storage pool is running");
        const make = page.getByRole("link", { name: "Create storage pool" });
        assert.equal(await make.getAttribute("href"), "/storage?do=create");
        const start = page.getByRole("link", { name: "Start off" });
        assert.equal(await start.getAttribute("href"), "/storage/off");
        if (!javaScriptEnabled) return;
        await page.locator("[name=name]").fill("typed-before");
        await start.click();
        await page.getByText("No storage pool is running").waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Upload", exact: true }).waitFor();
        await waitForText(page, ".create-summary", "in off");
        await becomes(() => page.locator("[name=name]").inputValue(), "typed-before");
        assert.match(await host.virsh("pool-info", "off"), /State:\s+running/);
      }, { javaScriptEnabled, accessible: javaScriptEnabled });
    }
  },
});
