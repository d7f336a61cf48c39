/** Storage pools and volumes from the pages, with and without script. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { exists } from "../testbed/process.ts";
import { removeFiles, removePool } from "../testbed/removal.ts";
import { readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { fromMenu, looksWell, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** A name for a pool that the page makes. */
async function newPool() {
  const name = await testName("storagepage");
  await Deno.mkdir(filesOf(name), { recursive: true });
  return {
    name,
    path: `${filesOf(name)}/pool`,
    [Symbol.asyncDispose]: async () => {
      await removePool(name);
      await removeFiles(name);
    },
  };
}

for (const javaScriptEnabled of [true, false]) {
  browserTest(`storage pages ${javaScriptEnabled ? "with" : "without"} script`, async (t) => {
    await using pool = await newPool();
    await using server = await readyServer();
    await using tester = await browser();
    const here = `${server.url}/storage/${pool.name}`;
    const options = { javaScriptEnabled };

    await t.step(
      "a pool is created; what is refused is said, and what was typed stays",
      () =>
        visit(tester, `${server.url}/storage`, async (page) => {
          await page.getByRole("link", { name: "Create storage pool" }).click();
          await page.getByLabel("Name", { exact: true }).fill(pool.name);
          await page.getByLabel("Folder").fill("/etc/pool");
          await page.getByRole("button", { name: "Create", exact: true }).click();
          await waitForText(page, "[role=alert]", "belongs to the system");
          await becomes(() => page.getByLabel("Name", { exact: true }).inputValue(), pool.name);
          await page.getByLabel("Folder").fill(pool.path);
          await page.getByRole("button", { name: "Create", exact: true }).click();
          await waitForText(page, "main", `The storage pool ${pool.name} was created`);
          await waitForText(page, "h1", pool.name);
          assert.match(await virsh("pool-info", pool.name), /State:\s+running/);
        }, { ...options, expected: /status of 400/ }),
    );
    await t.step(
      "what this host lacks is named, with the package",
      () =>
        visit(tester, `${server.url}/storage?do=create&type=zfs`, async (page) => {
          const text = await page.locator(".form-error").allTextContents();
          if (text.length > 0) {
            assert.match(text.join(), /install (libvirt-daemon-driver-storage-zfs|zfsutils-linux)/);
          }
        }, options),
    );
    await t.step(
      "a volume is created, resized, copied and deleted",
      () =>
        visit(tester, here, async (page) => {
          await page.getByRole("link", { name: "Create volume" }).click();
          await page.getByLabel("Name", { exact: true }).fill("disk.qcow2");
          await page.getByLabel("Size", { exact: true }).fill("1");
          await page.getByRole("button", { name: "Create", exact: true }).click();
          await waitForText(page, "main", "The volume disk.qcow2 was created");
          await waitForText(page, "[data-volume='disk.qcow2']", "1 GiB");
          await fromMenu(page, "disk.qcow2", "Resize");
          await page.getByLabel("Size", { exact: true }).fill("0.5");
          await page.getByRole("button", { name: "Resize", exact: true }).click();
          await waitForText(page, "[role=alert]", "new capacity must be larger");
          await page.getByLabel("Size", { exact: true }).fill("2");
          await page.getByRole("button", { name: "Resize", exact: true }).click();
          await waitForText(page, "main", "The volume disk.qcow2 was resized");
          await waitForText(page, "[data-volume='disk.qcow2']", "2 GiB");
          await fromMenu(page, "disk.qcow2", "Clone");
          await page.getByLabel("Name of the copy").fill("copy.qcow2");
          await page.getByRole("button", { name: "Clone", exact: true }).click();
          await becomes(
            () => page.getByText(/The copy copy.qcow2 was made|Copy a volume: started/).count(),
            1,
          );
          await fromMenu(page, "disk.qcow2", "Delete");
          await page.getByRole("button", { name: "Delete", exact: true }).click();
          await waitForText(page, "main", "The volume disk.qcow2 was deleted");
          await becomes(() => page.locator("[data-volume='disk.qcow2']").count(), 0);
          assert.match(await virsh("vol-list", pool.name), /copy\.qcow2/);
        }, { ...options, expected: /status of 400/ }),
    );
    if (javaScriptEnabled) {
      await t.step("what others do appears by itself", () =>
        visit(tester, here, async (page) => {
          await page.locator("[data-volume='copy.qcow2']").waitFor();
          await virsh("pool-destroy", pool.name);
          await waitForText(page, "header [role=status]", "Stopped");
          await virsh("pool-start", pool.name);
          await waitForText(page, "header [role=status]", "Running");
          await page.locator("[data-volume='copy.qcow2']").waitFor();
        }, options));
      for (
        const path of [
          "/storage",
          "/storage?do=create&type=fs",
          `/storage/${pool.name}`,
          `/storage/${pool.name}?do=create_volume`,
          `/storage/${pool.name}?do=delete`,
        ]
      ) {
        await looksWell(t, tester, server.url + path, path.replace(pool.name, "…"));
      }
    }
    await t.step(
      "the pool is stopped, started and deleted with what is in it",
      () =>
        visit(tester, here, async (page) => {
          await page.getByRole("button", { name: "Stop" }).click();
          await waitForText(page, "main", `The storage pool ${pool.name} was stopped`);
          assert.match(await virsh("pool-info", pool.name), /State:\s+inactive/);
          await page.getByRole("button", { name: /^Start kvmm/ }).click();
          await waitForText(page, "main", `The storage pool ${pool.name} was started`);
          await fromMenu(page, pool.name, "Delete");
          await page.getByLabel("Delete everything in it, too").check();
          await page.getByRole("button", { name: "Delete", exact: true }).click();
          await waitForText(page, "main", `The storage pool ${pool.name} was deleted`);
          assert.equal(await exists(pool.path), false);
        }, options),
    );
  });
}
