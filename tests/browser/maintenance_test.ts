/** A host is emptied and filled again through its page, several VMs move from the list, and rules are made; virsh is the witness. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { migrationHosts } from "../testbed/migration_hosts.ts";
import { call, known } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
const SLOW = { seconds: 90 };

Deno.test({
  name: "maintenance, moves of several VMs and rules of placement through the pages",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    const [one, two] = [
      await from.libvirt.machine({ start: true }),
      await from.libvirt.machine({ start: true }),
    ];
    for (const { uuid } of [one, two]) await known(from.server, uuid);
    await using tester = await browser();
    const { url } = from.server;

    await t.step(
      "a rule is made, and shows where it does not hold",
      () =>
        visit(tester, `${url}/settings/placement`, async (page) => {
          await waitForText(page, "main", "No rules yet");
          await page.getByLabel("Name", { exact: true }).fill("apart");
          await page.getByLabel("VMs", { exact: true }).fill(`${one.name} ${two.name}`);
          await page.getByRole("button", { name: "Create", exact: true }).click();
          await waitForText(page, "[data-rule=apart]", "not apart from the others of “apart”");
          await waitForText(page, "[data-advice]", "By apart it belongs there.");
        }),
    );

    await t.step("its page on a phone", () =>
      visit(tester, `${url}/settings/placement`, async (page) => {
        await waitForText(page, "[data-rule=apart]", "Apart from each other");
        assert.equal(await overflows(page), false);
      }, { ...PHONE, accessible: "in both themes" }));

    await t.step("deleted", () =>
      visit(tester, `${url}/settings/placement`, async (page) => {
        await page.getByRole("button", { name: "Delete the rule apart" }).click();
        await waitForText(page, "main", "No rules yet");
      }, { javaScriptEnabled: false }));

    await t.step("two VMs of the list move by one action", () =>
      visit(tester, `${url}/vms`, async (page) => {
        for (const { name } of [one, two]) {
          await page.getByRole("checkbox", { name: `Select ${name}` }).click();
        }
        await page.getByRole("link", { name: "Move…" }).click();
        await waitForText(page, "form", "Move 2 VMs to another host");
        await page.getByRole("button", { name: "Check", exact: true }).click();
        await waitForText(page, `[data-moved="${one.name}"]`, "It can move");
        await page.getByRole("button", { name: "Move", exact: true }).click();
        await until(
          "both to be there",
          async () => (await to.vms()).length === 2 && (await from.vms()).length === 0,
          SLOW,
        );
      }));

    await t.step("the plan on a phone", () =>
      visit(tester, `${to.server.url}/maintenance`, async (page) => {
        await waitForText(page, `[data-planned="${one.name}"]`, "Move to there");
        assert.equal(await overflows(page), false);
      }, { ...PHONE, accessible: "in both themes" }));

    await t.step(
      "the host is emptied but for what is left, and says that it is in maintenance",
      () =>
        visit(tester, `${to.server.url}/maintenance`, async (page) => {
          await page.getByLabel(`What happens with ${two.name}`).selectOption("leave");
          await page.getByLabel("Reason").fill("new fans");
          await page.getByRole("button", { name: "Start maintenance" }).click();
          await until("one to have left", async () => (await from.vms()).includes(one.name), SLOW);
          await waitForText(page, `[data-drained="${one.name}"]`, "Done");
          await waitForText(page, `[data-drained="${two.name}"]`, "Left here");
          assert.deepEqual(await to.vms(), [two.name]);
          await page.goto(`${to.server.url}/settings/hosts`);
          await waitForText(page, "[data-host-row=local] [data-maintenance]", "Maintenance: new fans");
          await page.goto(`${to.server.url}/`);
          await waitForText(page, "main", "The host is in maintenance (new fans)");
          await until("the other one to know", async () =>
            (await call(from.server, "list_hosts")).some(({ maintenance }) =>
              maintenance?.note === "new fans" && maintenance.state === "on"
            ), SLOW);
          await page.goto(`${url}/`);
          await waitForText(page, ".side-hosts [data-maintenance]", "Maintenance: new fans");
        }),
    );

    await t.step(
      "back to normal by one click, without script",
      () =>
        visit(tester, `${to.server.url}/maintenance`, async (page) => {
          await page.getByRole("button", { name: "Back to normal" }).click();
          await until(
            "it to be back",
            async () => (await to.vms()).length === 2 && (await from.vms()).length === 0,
            SLOW,
          );
        }, { javaScriptEnabled: false }),
    );
  },
});
