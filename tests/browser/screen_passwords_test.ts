/** An open screen on its VM's page and on the dashboard: seen, and closed by one click, with script and without. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, known, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");

Deno.test({
  name: "An open screen needs attention, and is closed by one click",
  ignore: reason !== null,
  sanitizeOps: false, // playwright-core keeps timers and pipes of the browser's process a moment longer
  sanitizeResources: false,
  fn: async (t) => {
    await using server = await readyServer();
    await using tester = await browser();
    const open = (start: boolean) => testMachine({ purpose: "open", guest: false, vnc: true, start });
    const button = "Give it a password";

    await t.step("the dashboard names it", async () => {
      await using vm = await open(false);
      await known(server, vm.uuid);
      await visit(tester, server.url, async (page) => {
        await waitForText(page, ".attention-list li", vm.name);
        await waitForText(page, ".attention-list li", "Its screen has no password");
      });
    });
    await t.step("with script", async () => {
      await using vm = await open(false);
      await known(server, vm.uuid);
      await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
        await waitForText(page, ".banner", "Its screen has no password");
        await page.getByRole("button", { name: button }).click();
        await page.getByRole("button", { name: button }).waitFor({ state: "detached" });
        await page.locator(".banner", { hasText: "Its screen has no password" }).waitFor({
          state: "detached",
        });
      }, { accessible: true });
      assert.equal((await call(server, "get_vm", { vmId: vm.uuid })).openScreen, undefined);
    });
    await t.step("without script, of a running VM: it is told what is left to do", async () => {
      await using vm = await open(true);
      await shows(server, vm.uuid, ({ state }) => state === "running");
      await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
        await page.getByRole("button", { name: button }).click();
        await waitForText(page, ".banner", `The screen of ${vm.name} has a password from the next start on`);
        await waitForText(page, ".banner", "until QEMU is started again");
        await becomes(() => page.getByRole("button", { name: button }).count(), 0);
      }, { javaScriptEnabled: false });
    });
  },
});
