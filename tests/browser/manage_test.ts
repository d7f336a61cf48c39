/** Renaming, cloning, importing and deleting from the pages, with and without script. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { exists } from "../testbed/process.ts";
import { known, readyServer, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** A name that the product gives something; whatever has it in the end is removed. */
async function newName(purpose: string): Promise<{ name: string } & AsyncDisposable> {
  const name = await testName(purpose);
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeDomain(name);
      await releaseName(name);
    },
  };
}

for (const javaScriptEnabled of [true, false]) {
  browserTest(`rename, clone and import ${javaScriptEnabled ? "with" : "without"} script`, async (t) => {
    await using pool = await testPool("managepage");
    await using vm = await testMachine({ purpose: "managepage", guest: false, disks: [{ pool }] });
    await using other = await testMachine({ purpose: "managepage", guest: false });
    await using renamed = await newName("managepage");
    await using cloned = await newName("managepage");
    await using imported = await newName("managepage");
    await using server = await readyServer();
    await using tester = await browser();
    await known(server, vm.uuid);
    await known(server, other.uuid);
    const at = `${server.url}/vms/${vm.uuid}`;
    const options = { javaScriptEnabled, expected: /status of (400|409)/ };

    await t.step(
      "a name that is taken is said at the field, a free one is taken",
      () =>
        visit(tester, `${at}/rename`, async (page) => {
          const field = page.getByLabel("Name");
          await becomes(() => field.inputValue(), vm.name);
          await field.fill(other.name);
          await page.getByRole("button", { name: "Rename" }).click();
          await waitForText(page, ".form-error", `VM name already exists: ${other.name}`);
          await becomes(() => field.inputValue(), other.name, "what was typed is still there");
          await field.fill(renamed.name);
          await page.getByRole("button", { name: "Rename" }).click();
          await waitForText(page, "main", `Renamed to ${renamed.name}`);
          await waitForText(page, "h1", renamed.name);
          assert.equal(await virsh("domname", vm.uuid), renamed.name);
        }, options),
    );
    await t.step("a copy is made, and its page opens", () =>
      visit(tester, `${at}/clone`, async (page) => {
        await becomes(() => page.getByLabel("Name").inputValue(), `${renamed.name}-copy`);
        await page.getByLabel("Name").fill(cloned.name);
        await page.getByLabel("Linked").check();
        await page.getByRole("button", { name: "Clone" }).click();
        await waitForText(page, "main", `The clone ${cloned.name} was created`);
        await waitForText(page, "h1", cloned.name);
        assert.match(page.url(), new RegExp(await virsh("domuuid", cloned.name)));
        assert.match(await virsh("dumpxml", cloned.name), new RegExp(`${cloned.name}-vda\\.qcow2`));
      }, options));
    await t.step("an exported file is imported; what is in the way is said", async () => {
      const response = await fetch(`${server.url}/vms/${other.uuid}/export`);
      assert.match(response.headers.get("content-disposition") ?? "", new RegExp(`"${other.name}\\.xml"`));
      const buffer = Buffer.from(await response.arrayBuffer());
      await visit(tester, `${server.url}/vms/import`, async (page) => {
        const choose = () =>
          page.getByLabel("XML file").setInputFiles({
            name: "x.xml",
            mimeType: "application/xml",
            buffer,
          });
        await choose();
        await page.getByLabel("Name, if not").fill(imported.name);
        await page.getByRole("button", { name: "Import" }).click();
        await waitForText(page, ".banner", "A VM with this UUID exists already");
        if (!javaScriptEnabled) await choose();
        await page.getByLabel("New UUID").check();
        await page.getByRole("button", { name: "Import" }).click();
        await waitForText(page, "main", `Imported ${imported.name}`);
        await waitForText(page, "h1", imported.name);
        assert.notEqual(await virsh("domuuid", imported.name), other.uuid);
      }, options);
    });
  });
}

for (const javaScriptEnabled of [true, false]) {
  browserTest(
    `delete names exactly what goes, ${javaScriptEnabled ? "with" : "without"} script`,
    async () => {
      await using pool = await testPool("deletepage");
      await using vm = await testMachine({ purpose: "deletepage", guest: false, disks: [{ pool }, {}, {}] });
      const [gone, stays, shared] = vm.disks as [string, string, string];
      await using other = await testMachine({ purpose: "deletepage", guest: false });
      await virsh("attach-disk", other.name, shared, "vdb", "--config", "--subdriver", "qcow2");
      await using server = await readyServer();
      await using tester = await browser();
      await shows(server, other.uuid, ({ disks }) => disks.length === 1);
      await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
        if (javaScriptEnabled) {
          await page.locator("form.actions button[popovertarget]").click();
          await page.getByRole("menuitem", { name: "Delete" }).click();
        } else await page.goto(`${server.url}/vms/${vm.uuid}/confirm?action=delete`);
        const question = page.locator(javaScriptEnabled ? "dialog[open] form" : "form.panel");
        await question.getByRole("checkbox").first().waitFor();
        const boxes = await question.getByRole("checkbox").all();
        assert.deepEqual(await Promise.all(boxes.map((box) => box.getAttribute("value"))), [gone, stays]);
        assert.deepEqual(await Promise.all(boxes.map((box) => box.isChecked())), [false, false]);
        const text = await question.innerText();
        assert.match(text, new RegExp(`stays: it is also used by ${other.name}`));
        assert.match(text, new RegExp(`pool ${pool.name}`));
        await boxes[0]!.check();
        await question.getByRole("button", { name: "Delete" }).click();
        await waitForText(page, "main", `Deleted ${vm.name}`);
        assert.doesNotMatch(await virsh("list", "--all", "--name"), new RegExp(vm.name));
        assert.deepEqual(await Promise.all([gone, stays, shared].map(exists)), [false, true, true]);
      }, { javaScriptEnabled });
    },
  );
}

browserTest("the pages that manage machines are free of axe-core's violations", async (t) => {
  await using vm = await testMachine({ purpose: "manageaxe", guest: false, disks: [{}] });
  await using server = await readyServer();
  await using tester = await browser();
  await known(server, vm.uuid);
  const at = `/vms/${vm.uuid}`;
  for (const path of [`${at}/rename`, `${at}/clone`, "/vms/import", `${at}/confirm?action=delete`]) {
    for (const size of [{}, PHONE]) {
      await t.step(
        `${path} ${size === PHONE ? "phone" : "wide"}`,
        () =>
          visit(tester, server.url + path, async (page) => {
            await page.locator("main form").waitFor();
            assert.equal(await overflows(page), false, "wider than its window");
          }, { ...size, accessible: "in both themes" }),
      );
    }
  }
  await t.step("the dialog before a deletion", () =>
    visit(tester, server.url + at, async (page) => {
      await page.locator("form.actions button[popovertarget]").click();
      await page.getByRole("menuitem", { name: "Delete" }).click();
      await page.getByRole("dialog").getByRole("checkbox").waitFor();
    }, { accessible: true }));
});
