/** Checks that the advice of a refusal on a page can be followed on that page. */
import assert from "node:assert/strict";
import { VMWARE } from "../../lib/formats/ovf/testing.ts";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, knownPool, readyServer } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
// playwright-core keeps timers and pipes of the browser's process a moment longer.
const browserTest = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, sanitizeOps: false, sanitizeResources: false, fn });

browserTest(
  "a medium that is no ISO is inserted once the page's box says that it need not be one",
  async () => {
    await using vm = await testMachine({ purpose: "any-medium", guest: false });
    const medium = `${filesOf(vm.name)}/notes.txt`;
    await Deno.writeTextFile(medium, "no CD at all\n".repeat(500));
    await using server = await readyServer();
    await using tester = await browser();
    await known(server, vm.uuid);
    await call(server, "attach_disk", { vmId: vm.uuid, device: "cdrom" });
    await visit(tester, `${server.url}/vms/${vm.uuid}/disks`, async (page) => {
      await page.locator("tr[data-disk]").getByRole("link", { name: /^Insert drive/ }).click();
      const dialog = page.getByRole("dialog");
      await dialog.locator("input[name=path]").fill(medium);
      await dialog.getByRole("button", { name: "Insert", exact: true }).click();
      await waitForText(page, "dialog", "tick that it need not be one");
      await dialog.getByLabel("It need not be an ISO").check();
      await dialog.getByRole("button", { name: "Insert", exact: true }).click();
      await until("the medium to be in the drive", async () => {
        const { disks } = await call(server, "get_vm", { vmId: vm.uuid });
        return disks.some(({ source }) => source === medium);
      });
    }, { expected: /400|409|422/ });
  },
);

browserTest("an archive that loses all its disks is imported once the page's box says so", async () => {
  await using pool = await testPool("page-ova");
  const own = await testName("page-ova"), folder = filesOf(own);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => releaseName(own));
  undo.defer(() => removeFiles(own));
  await Deno.mkdir(folder, { recursive: true });
  const ovf = VMWARE.replace('vmw:value="efi"', 'vmw:value="bios"')
    .replace(/<File [^>]*ovf:href="web\.nvram"[^>]*>/, '<File ovf:href="web-disk2.vmdk" ovf:id="file2"/>')
    .replace('ovf:diskId="vmdisk2"', 'ovf:diskId="vmdisk2" ovf:fileRef="file2"')
    .replaceAll(/<Item>(?:(?!<\/Item>)[^])*Hard disk[^]*?<\/Item>/g, "");
  await Deno.writeTextFile(`${folder}/web.ovf`, ovf);
  const disks = ["web-disk1.vmdk", "web-disk2.vmdk"];
  for (const disk of disks) await run(["qemu-img", "create", "-q", "-f", "vmdk", `${folder}/${disk}`, "8M"]);
  await run(["tar", "--format=ustar", "-cf", `${pool.path}/web.ova`, "-C", folder, "web.ovf", ...disks]);
  await using server = await readyServer();
  await knownPool(server, pool.name);
  await call(server, "refresh_storage_pool", { pool: pool.name });
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/import-ova?pool=${pool.name}&volume=web.ova`, async (page) => {
    await waitForText(page, ".banner", "Tick that it is imported without them");
    await page.getByLabel("Import it without its disks").check();
    await page.getByRole("button", { name: "Go on" }).click();
    await waitForText(page, "h2", "Import");
    assert.match(page.url(), /withoutDisks=yes/);
  }, { javaScriptEnabled: false });
});
