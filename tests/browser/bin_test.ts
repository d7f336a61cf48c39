/** The bin on its page: a VM is deleted, seen there and restored, with and without script. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import type { Page } from "playwright-core";
import type { IslandIndex } from "../../lib/fresh/server/assets.ts";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { exists } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { PROJECT } from "../testbed/product_binary.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { looksWell, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium") ?? await ownLibvirtd("bin");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** The name of the file that an island's script is in: its folder is that of a language where it has texts. */
async function scriptOf(island: string): Promise<string> {
  const { islands } = JSON.parse(await Deno.readTextFile(`${PROJECT}/dist/islands.json`)) as IslandIndex;
  return basename(islands[island]!.entry);
}

const main = (page: Page) => page.locator("main");

browserTest("a VM that is deleted is in the bin, and is restored from there", async (t) => {
  await using server = await readyServer({ env: { KVMM_BIN_DAYS: "7" } });
  await using pool = await testPool("bin");
  await using vm = await testMachine({ purpose: "bin", guest: false, disks: [{ pool }] });
  await known(server, vm.uuid);
  await using tester = await browser();
  const [disk] = vm.disks as [string];

  await t.step(
    "the question says that it stays, and with which disks",
    () =>
      visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
        await page.locator("form.actions button[popovertarget]").click();
        await page.getByRole("menuitem", { name: "Delete" }).click();
        await waitForText(page, "dialog[open]", "stays in the bin for 7 days");
        await page.locator("dialog[open]").getByLabel(disk).check();
        await becomes(() => page.locator("dialog[open]").getByLabel("Delete permanently").isChecked(), false);
        await page.locator("dialog[open]").getByRole("button", { name: "Delete", exact: true }).click();
        await page.waitForURL(/\/vms$/);
        await waitForText(page, "main", `Deleted ${vm.name} and 1 disk.`);
        await page.getByRole("button", { name: "Undo" }).click();
        await waitForText(page, "main", `${vm.name} was restored from the bin.`);
        assert.equal(await exists(disk), true);
        await page.reload();
        await becomes(() => page.getByText("was restored from the bin").count(), 0);
        await known(server, vm.uuid);
        await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
        assert.equal(await exists(disk), false);
      }),
  );
  await t.step(
    "it is on the page of the bin, and comes back",
    () =>
      visit(tester, `${server.url}/bin`, async (page) => {
        await waitForText(page, "tr[data-entry]", vm.name);
        await waitForText(page, "main", "in all");
        await page.getByRole("button", { name: `Restore ${vm.name}` }).click();
        await waitForText(page, "main", "was restored from the bin.");
        await waitForText(page, "main", "The bin is empty");
        assert.equal(await exists(disk), true);
      }, { accessible: "in both themes" }),
  );
  await t.step("without script: a name that was taken is told, and another one is given", async () => {
    await known(server, vm.uuid);
    await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
    const other = await call(server, "create_vm", { name: vm.name, memoryMb: 128, nics: [], disks: [] });
    await visit(tester, `${server.url}/bin`, async (page) => {
      await page.getByRole("button", { name: `Restore ${vm.name}` }).click();
      await waitForText(page, "main", `${vm.name}-restored`);
      await page.getByLabel("New name").fill(`${vm.name}-again`);
      await main(page).getByRole("button", { name: "Restore", exact: true }).click();
      await waitForText(page, "main", "was restored from the bin.");
    }, { javaScriptEnabled: false, expected: /status of 4/ });
    await call(server, "rename_vm", { vmId: other.id, name: `${vm.name}-other` });
    await call(server, "rename_vm", { vmId: vm.uuid, name: vm.name });
    await call(server, "delete_vm", { vmId: other.id, permanently: true });
  });
  await t.step(
    "one is deleted for good, and the list follows by itself",
    () =>
      visit(tester, `${server.url}/bin`, async (page) => {
        await waitForText(page, "main", "The bin is empty");
        await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
        await waitForText(page, "tr[data-entry]", vm.name);
        await page.getByRole("button", { name: `Delete permanently: ${vm.name}` }).click();
        await waitForText(page, "main", "This cannot be undone");
        await main(page).locator("button.danger").click();
        await waitForText(page, "main", "was deleted permanently.");
        await page.getByLabel("Days to keep").fill("14");
        await page.getByRole("button", { name: "Save" }).click();
        await waitForText(page, "main", "stay here for 14 days");
      }, PHONE),
  );
  await t.step(
    "what changes before the list's script has come is in the list, too",
    () =>
      visit(tester, `${server.url}/`, async (page) => {
        const devtools = await page.context().newCDPSession(page);
        await devtools.send("Network.enable");
        const listens = new Promise<void>((resolve) =>
          devtools.on("Network.responseReceived", ({ type }) => {
            if (type === "EventSource") resolve();
          })
        );
        const heard = new Promise<void>((resolve) =>
          devtools.on("Network.eventSourceMessageReceived", ({ eventName }) => {
            if (eventName === "bin-changed") resolve();
          })
        );
        const asked = Promise.withResolvers<void>();
        await page.route(`**/${await scriptOf("BinList")}*`, async (route) => {
          asked.resolve();
          await heard;
          await route.continue();
        });
        await page.goto(`${server.url}/bin`, { waitUntil: "commit" });
        // An event before that would be heard by nothing here
        await Promise.all([asked.promise, listens]);
        await call(server, "create_volume", { pool: pool.name, name: "old.qcow2", capacityBytes: 2 ** 20 });
        await call(server, "delete_volume", { pool: pool.name, volume: "old.qcow2" });
        await waitForText(page, "tr[data-entry]", "old.qcow2");
      }),
  );
  await looksWell(t, tester, `${server.url}/bin`, "/bin");
});
