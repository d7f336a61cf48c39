/** A volume is copied to another host through its page. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { call } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");

Deno.test({
  name: "a volume is copied to another host through its page, with script and without",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    await randomImage(from, "disk.qcow2", 8);
    await call(from.server, "refresh_storage_pool", { pool: "images" });
    await call(from.server, "create_volume", {
      pool: "images",
      name: "top.qcow2",
      backing: "images/disk.qcow2",
    });
    await using tester = await browser();
    const pool = `${from.server.url}/storage/images`;

    await t.step(
      "from its menu: which host, and which pool there",
      () =>
        visit(tester, pool, async (page) => {
          const row = page.locator('[data-volume="disk.qcow2"]');
          await row.getByRole("button", { name: /disk\.qcow2/ }).click();
          await row.getByRole("menuitem", { name: "Copy to another host…" }).click();
          await waitForText(page, "form", "there");
          await page.getByRole("button", { name: "Next", exact: true }).click();
          await page.getByLabel("Name of the copy").fill("copied.qcow2");
          await page.getByRole("button", { name: "Copy", exact: true }).click();
          await waitForText(page, "main", "disk.qcow2");
          await until("the copy", async () => (await to.volumes()).includes("copied.qcow2"));
        }),
    );

    await t.step(
      "on a phone",
      () =>
        visit(tester, `${pool}/copy?volume=disk.qcow2&toHost=there`, async (page) => {
          await waitForText(page, "form", "To there");
          assert.equal(await overflows(page), false);
        }, { ...PHONE, accessible: "in both themes" }),
    );

    await t.step(
      "without script; a name that is taken is told in the form, which keeps what was typed",
      () =>
        visit(tester, `${pool}/copy?volume=disk.qcow2&toHost=there`, async (page) => {
          await page.getByLabel("Name of the copy").fill("copied.qcow2");
          await page.getByRole("button", { name: "Copy", exact: true }).click();
          await waitForText(page, "form", "copied.qcow2");
          assert.equal(await page.getByLabel("Name of the copy").inputValue(), "copied.qcow2");
          await page.getByLabel("Name of the copy").fill("second.qcow2");
          await page.getByRole("button", { name: "Copy", exact: true }).click();
          await until("the copy", async () => (await to.volumes()).includes("second.qcow2"));
        }, { javaScriptEnabled: false, expected: /409/ }),
    );

    await t.step(
      "one that is built on another says what to do",
      () =>
        visit(tester, `${pool}/copy?volume=top.qcow2`, async (page) => {
          await waitForText(page, "form", "Clone it first");
          assert.equal(await page.getByRole("button", { name: "Next", exact: true }).count(), 0);
        }),
    );
  },
});
