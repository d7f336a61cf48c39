/** Importing and exporting archives on their pages, in a real browser, with script and without. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { browser } from "../testbed/chromium.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { exists } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

browserTest("a VM is exported on its page, uploaded as an archive, looked at and imported", async (t) => {
  await using pool = await testPool("ovapage");
  await using server = await readyServer();
  await using tester = await browser();
  await using original = await claimedVm("ovapage");
  const { id } = await call(server, "create_vm", {
    name: original.name,
    memoryMb: 128,
    nics: [],
    disks: [{ pool: pool.name, sizeGb: 1 }],
  });
  await known(server, id);
  const here = `${server.url}/vms/import-ova`;
  const file = `${filesOf(original.name)}/away.ova`;

  for (const javaScriptEnabled of [true, false]) {
    await t.step(
      `exported and downloaded, ${javaScriptEnabled ? "with" : "without"} script`,
      () =>
        visit(tester, `${server.url}/vms/${id}/export-ova`, async (page) => {
          await page.getByLabel("Storage pool for the archive").selectOption(pool.name);
          await page.getByLabel("File name").fill("../x");
          await page.getByRole("button", { name: "Export" }).click();
          await waitForText(page, "[role=alert]", "volume");
          assert.equal(
            await page.getByLabel("File name").inputValue(),
            "../x",
            "what was typed is still there",
          );
          await page.getByLabel("File name").fill(`page-${javaScriptEnabled}.ova`);
          await page.getByRole("button", { name: "Export" }).click();
          await waitForText(page, "[role=status]", `page-${javaScriptEnabled}.ova was written`);
          const download = page.waitForEvent("download");
          await page.getByRole("link", { name: "Download" }).click();
          await (await download).saveAs(file);
          assert.equal(
            (await Deno.stat(file)).size,
            (await Deno.stat(`${pool.path}/page-${javaScriptEnabled}.ova`)).size,
          );
        }, { javaScriptEnabled, expected: /status of 400/ }),
    );
  }

  await t.step("uploaded, its preview is shown", () =>
    visit(tester, here, async (page) => {
      await page.getByLabel("Storage pool", { exact: true }).selectOption(pool.name);
      await page.getByLabel("File", { exact: true }).setInputFiles(file);
      await until("the file's name", async () =>
        await page.getByLabel("Name of the volume").inputValue() === "away.ova");
      await page.getByRole("button", { name: "Upload and preview" }).click();
      await waitForText(page, "h2", `Import ${original.name}`);
      await becomes(() =>
        page.getByLabel("Name", { exact: true }).inputValue(), `${original.name}-2`);
      await waitForText(page, "main", `${original.name}-disk1.vmdk`);
    }));

  for (const javaScriptEnabled of [true, false]) {
    await t.step(`chosen and imported, ${javaScriptEnabled ? "with" : "without"} script`, async () => {
      await using copy = await claimedVm("ovapage");
      await visit(tester, here, async (page) => {
        await page.getByRole("link", { name: "Preview away.ova" }).click();
        await page.getByLabel("Name", { exact: true }).fill(original.name);
        await page.getByRole("button", { name: "Import" }).click();
        await waitForText(page, ".form-error", "already exists");
        await page.getByLabel("Name", { exact: true }).fill(copy.name);
        await page.getByLabel("Memory").fill("256");
        await page.getByRole("button", { name: "Import" }).click();
        await waitForText(page, "main", `Imported ${copy.name}`);
        await waitForText(page, "h1", copy.name);
      }, { javaScriptEnabled, expected: /status of 4/ });
      const vm = (await call(server, "get_vms")).find(({ name }) => name === copy.name);
      assert.equal(vm?.memoryMb, 256);
      await call(server, "delete_vm", { vmId: vm!.id, deleteDisks: true });
      assert.equal(await exists(`${pool.path}/${copy.name}-disk1.qcow2`), false);
    });
  }

  await t.step("it reads well in both themes, wide and on a phone; what is no archive is said", async () => {
    await Deno.writeTextFile(`${pool.path}/bad.ova`, "x".repeat(5000));
    await call(server, "refresh_storage_pool", { pool: pool.name });
    const preview = `${here}?${new URLSearchParams({ pool: pool.name, volume: "away.ova" })}`;
    for (const size of [{}, PHONE]) {
      for (const at of [here, preview, `${server.url}/vms/${id}/export-ova`, `${server.url}/vms`]) {
        await visit(tester, at, async (page) => assert.equal(await overflows(page), false, at), size);
      }
    }
    await visit(tester, preview.replace("away", "bad"), async (page) => {
      await waitForText(page, "[role=alert]", "no tar file");
    });
  });
});
