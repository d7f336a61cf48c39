/** A VM moves to another host through its page; virsh of both hosts is the independent witness. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { markup } from "../testbed/xml.ts";
import { known } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");

/** An isolated network. */
const networkXml = (name: string) => String(markup`<network><name>${name}</name></network>`);

Deno.test({
  name: "a VM moves to another host through its page, with script and without",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    const network = async (host: typeof from, name: string) => {
      const file = `${host.dataDir}/${name}.xml`;
      await Deno.writeTextFile(file, networkXml(name));
      await host.libvirt.virsh("net-define", file);
      await host.libvirt.virsh("net-start", name);
    };
    await network(from, "lan");
    await network(to, "other");
    const path = await randomImage(from, "disk.qcow2", 8);
    const vm = await from.libvirt.machine({
      start: true,
      disks: [{ path, format: "qcow2", bus: "virtio" }],
      network: { name: "lan", mac: "52:54:00:12:34:56" },
    });
    await known(from.server, vm.uuid);
    await using tester = await browser();
    const here = `/vms/${vm.uuid}`;

    await t.step(
      "which host, what is in the way, and where its parts go",
      () =>
        visit(tester, `${from.server.url}${here}`, async (page) => {
          await page.locator("form.actions button[popovertarget]").click();
          await page.getByRole("menuitem", { name: "Move to another host…" }).click();
          await waitForText(page, "form", "there");
          await page.getByRole("button", { name: "Check", exact: true }).click();
          await waitForText(page, "form", "there has no network lan");
        }),
    );

    await t.step(
      "on a phone",
      () =>
        visit(tester, `${from.server.url}${here}/migrate?toHost=there`, async (page) => {
          await waitForText(page, "form", "there has no network lan");
          await page.getByText("Downtime, connections, compression").click();
          await page.getByLabel("Longest downtime").fill("400");
          assert.equal(await overflows(page), false);
          const shots = Deno.env.get("KVMM_SHOTS");
          if (shots !== undefined) await page.screenshot({ path: `${shots}/phone.png`, fullPage: true });
        }, { ...PHONE, accessible: "in both themes" }),
    );

    await t.step(
      "it moves",
      () =>
        visit(tester, `${from.server.url}${here}/migrate?toHost=there`, async (page) => {
          await page.getByLabel("Network lan is there").selectOption("other");
          await page.getByRole("button", { name: "Move", exact: true }).click();
          await until("the VM to run there", async () => (await to.vms()).includes(vm.name), { seconds: 40 });
          await until("the VM to be gone here", async () => (await from.vms()).length === 0, { seconds: 40 });
          assert.match(await to.libvirt.virsh("domiflist", vm.name), / other /);
          // Its page goes on, as that of the other host
          await page.goto(`${from.server.url}${here}`);
          await waitForText(page, "main", vm.name);
        }),
    );

    await t.step(
      "back, without script, through the same page: its own host moves it",
      () =>
        visit(tester, `${from.server.url}${here}/migrate?toHost=local`, async (page) => {
          await page.getByLabel("Network other is there").selectOption("lan");
          await page.getByText("Downtime, connections, compression").click();
          await page.getByLabel("Connections").fill("2");
          const shots = Deno.env.get("KVMM_SHOTS");
          if (shots !== undefined) await page.screenshot({ path: `${shots}/desk.png`, fullPage: true });
          await page.getByRole("button", { name: "Move", exact: true }).click();
          await until("the VM to run here again", async () => (await from.vms()).includes(vm.name), {
            seconds: 40,
          });
        }, { javaScriptEnabled: false }),
    );
  },
});
