/** The page of a VM's snapshots: taken, gone back to and deleted in a real browser, with script and without. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

browserTest("a VM's snapshots are taken, gone back to and deleted on its page", async (t) => {
  await using vm = await testMachine({ purpose: "snappage", guest: false, disks: [{}], start: true });
  await using server = await readyServer();
  await using tester = await browser();
  const vmId = vm.uuid, path = `${server.url}/vms/${vmId}/snapshots`;
  await known(server, vmId);
  const names = async () => (await virsh("snapshot-list", vm.name, "--name")).trim().split(/\s+/);
  for (const javaScriptEnabled of [true, false]) {
    await t.step(
      javaScriptEnabled ? "with script" : "without script",
      () =>
        visit(tester, path, async (page) => {
          await waitForText(page, "main", "No snapshots yet");
          await page.getByLabel("Name").fill("../no");
          await page.getByRole("button", { name: "Take a snapshot" }).click();
          await waitForText(page, "[role=alert]", "name");
          await becomes(() => page.getByLabel("Name").inputValue(), "../no", "what was typed is still there");
          await page.getByLabel("Name").fill("before");
          await page.getByLabel("Description").fill("<img src=x onerror=alert(1)>");
          await page.getByRole("button", { name: "Take a snapshot" }).click();
          await waitForText(page, ".snapshot", "before");
          await waitForText(page, ".snapshot", "Current");
          await waitForText(page, ".snapshot", "<img src=x");
          await page.getByLabel("Name").fill("after");
          await page.getByRole("button", { name: "Take a snapshot" }).click();
          await waitForText(page, ".snapshot:has-text('before') + .snapshot", "after");
          await waitForText(page, ".snapshot:has-text('after') + .snapshot[data-now]", "Now");
          await page.getByRole("link", { name: "Revert to before" }).click();
          await waitForText(page, "main", "is lost, unless another snapshot has it");
          await page.getByRole("button", { name: "Revert" }).click();
          await waitForText(page, "[role=status]", "Reverted to a snapshot");
          await waitForText(page, ".snapshot[data-current=true]", "before");
          await page.getByRole("link", { name: "Delete before" }).click();
          await page.getByLabel("With the snapshot that came from it").check();
          await page.getByRole("button", { name: "Delete" }).click();
          await waitForText(page, "main", "No snapshots yet");
          assert.deepEqual(await names(), [""]);
        }, { javaScriptEnabled, expected: /status of 400/ }),
    );
  }
  await t.step("it reads well in both themes, wide and on a phone, in a long chain, too", async () => {
    for (let count = 0; count < 10; count++) {
      await call(server, "create_snapshot", { vmId, name: `level ${count}`, description: "x".repeat(100) });
      if (count === 5) await call(server, "revert_snapshot", { vmId, name: "level 2" });
    }
    for (const size of [{}, PHONE]) {
      for (const at of [path, `${path}?revert=level+3`, `${path}?delete=level+3`]) {
        await visit(tester, at, async (page) => {
          await waitForText(page, "main", "level 9");
          assert.equal(await overflows(page), false);
        }, { ...size, accessible: "in both themes" });
      }
    }
  });
});

browserTest(
  "external snapshots say what they are, what a revert deletes, and which images there are",
  async () => {
    await using pool = await testPool("snappage");
    await using vm = await testMachine({
      purpose: "snapexternal",
      guest: false,
      disks: [{ format: "raw", pool }],
      start: true,
    });
    await using server = await readyServer();
    await using tester = await browser();
    const vmId = vm.uuid, path = `${server.url}/vms/${vmId}/snapshots`;
    await known(server, vmId);
    await visit(tester, path, async (page) => {
      await waitForText(page, "main", "It will be external, because disk vda is raw");
      await page.getByLabel("Name").fill("before");
      await page.getByRole("button", { name: "Take a snapshot" }).click();
      await waitForText(page, ".snapshot", "in images of their own (external)");
      await waitForText(page, ".snapshot-images", "Snapshot before");
      await page.getByRole("link", { name: "Revert to before" }).click();
      await waitForText(page, "main", "This image is deleted:");
      await waitForText(page, "main", "The VM is stopped first and will be off");
      await page.getByRole("button", { name: "Revert" }).click();
      await waitForText(page, "[role=status]", "Reverted to a snapshot");
      await page.getByRole("link", { name: "Delete before" }).click();
      await waitForText(page, "main", "Its images are merged");
      await page.getByRole("button", { name: "Delete" }).click();
      await waitForText(page, "main", "No snapshots yet");
      await becomes(() => page.locator(".snapshot-images").count(), 0);
    });
    await call(server, "create_snapshot", { vmId, name: "wide and long ".repeat(4).trim() });
    for (const size of [{}, PHONE]) {
      for (const at of [path, `${path}?revert=${encodeURIComponent("wide and long ".repeat(4).trim())}`]) {
        await visit(tester, at, async (page) => {
          await waitForText(page, "main", "Images of the disks");
          assert.equal(await overflows(page), false);
        }, { ...size, accessible: "in both themes" });
      }
    }
  },
);
