/** The pages on templates: made, used and deleted in a real browser, with script and without. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");

Deno.test({
  name: "a template is made of a VM, VMs are made of it, and it is deleted, on its pages",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using pool = await testPool("tmplpage");
    await using vm = await testMachine({ purpose: "tmplpage", guest: false, disks: [{ pool }] });
    await using undo = new AsyncDisposableStack();
    await using server = await readyServer();
    await using tester = await browser();
    await known(server, vm.uuid);
    for (const javaScriptEnabled of [true, false]) {
      const name = await testName("tmplpage");
      undo.defer(() => releaseName(name));
      for (const number of ["07", "08"]) undo.defer(() => removeDomain(`${name}-${number}`));
      const options = { javaScriptEnabled, expected: /status of 4/ };
      await t.step(javaScriptEnabled ? "with script" : "without script", async () => {
        await visit(tester, `${server.url}/templates`, async (page) => {
          await waitForText(page, "main", "No templates yet");
        }, options);
        await visit(tester, `${server.url}/vms/${vm.uuid}/template`, async (page) => {
          await waitForText(page, "main", "SSH host keys");
          await page.getByLabel("Description").fill("<img src=x onerror=alert(1)>");
          await page.getByLabel("Name", { exact: true }).fill("../no");
          await page.getByRole("button", { name: "Make template" }).click();
          await waitForText(page, ".form-error", "");
          await page.getByLabel("Name", { exact: true }).fill(name);
          await page.getByRole("button", { name: "Make template" }).click();
          await waitForText(page, ".template-card", name);
          await waitForText(page, ".template-card", "<img src=x");
          await waitForText(page, ".template-card", "No VMs yet");
          await page.getByRole("link", { name: "Create VMs" }).click();
          await waitForText(page, "main", `Names: ${name}-1`);
          await page.getByLabel("Name", { exact: true }).first().fill(vm.name);
          await page.getByRole("button", { name: "Create VMs" }).click();
          await waitForText(page, ".form-error", "already exists");
          await page.getByLabel("Name", { exact: true }).first().fill(`${name}-##`);
          await page.getByLabel("How many").fill("2");
          await page.getByLabel("First number").fill("7");
          if (javaScriptEnabled) await waitForText(page, ".template-names", `${name}-07, ${name}-08`);
          await page.getByRole("button", { name: "Create VMs" }).click();
          await waitForText(page, "[data-vm]", `${name}-08`);
          await waitForText(page, "main", "Linked VMs need the template's disks");
        }, options);
      });
      const [template] = await call(server, "list_templates");
      assert.deepEqual(template?.vms.map(({ name: made, linked }) => [made, linked]), [
        [`${name}-07`, true],
        [`${name}-08`, true],
      ]);
      await t.step("it reads well in both themes, wide and on a phone", async () => {
        if (!javaScriptEnabled) return;
        const paths = ["/templates", `/templates/${template.id}`, `/vms/${vm.uuid}/template`];
        for (const size of [{}, PHONE]) {
          for (const path of paths) {
            await visit(tester, `${server.url}${path}`, async (page) => {
              await waitForText(page, "main", name);
              assert.equal(await overflows(page), false);
              if (Deno.env.has("SHOTS")) {
                const part = path.split("/")[1] + path.split("/").length;
                const file = `${part}-${size === PHONE ? "phone" : "wide"}.png`;
                await page.screenshot({ path: `${Deno.env.get("SHOTS")}/tmpl-${file}`, fullPage: true });
              }
            }, { ...size, accessible: "in both themes" });
          }
        }
      });
      await t.step("deleted once no VM needs it", async () => {
        for (const { vmId } of template.vms) await call(server, "delete_vm", { vmId, deleteDisks: true });
        await visit(tester, `${server.url}/templates/${template.id}`, async (page) => {
          await page.locator("summary", { hasText: "Delete template" }).click();
          await page.getByRole("button", { name: /^Delete .* with its disks$/ }).click();
          await waitForText(page, "main", "No templates yet");
        }, options);
        await until(
          "its volumes to be gone",
          async () =>
            (await Array.fromAsync(Deno.readDir(pool.path))).every((file) =>
              !file.name.startsWith("template-")
            ),
        );
      });
    }
  },
});
