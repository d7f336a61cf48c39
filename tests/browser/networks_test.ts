/** The pages of networks, on the real libvirt, in a real browser; virsh is the independent witness. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { removeFiles, removeNetwork } from "../testbed/removal.ts";
import { readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { fromMenu, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const row = (name: string) => `tr[data-network="${name}"]`;

browserTest("a network is made, stopped, started and deleted, with and without JavaScript", async (t) => {
  await using server = await readyServer();
  await using tester = await browser();
  for (const javaScriptEnabled of [true, false]) {
    await t.step(javaScriptEnabled ? "with" : "without", async () => {
      const name = await testName("page");
      try {
        await visit(tester, `${server.url}/networks/new?mode=isolated`, async (page) => {
          await page.getByLabel("Name", { exact: true }).fill(name);
          if (javaScriptEnabled) await waitForText(page, "form [role=status]", "Nothing stands in the way");
          await page.getByRole("button", { name: "Create" }).click();
          await waitForText(page, "main", `The network ${name} was created`);
          assert.match(await virsh("net-info", name), /Active:\s+yes/);
          await page.goto(`${server.url}/networks`);
          await fromMenu(page, name, `Stop ${name}`);
          await waitForText(page, javaScriptEnabled ? row(name) : "main", "Inactive");
          assert.match(await virsh("net-info", name), /Active:\s+no/);
          await page.goto(`${server.url}/networks`);
          await page.getByRole("button", { name: `Start ${name}` }).click();
          await waitForText(page, javaScriptEnabled ? row(name) : "main", "Active");
          await page.goto(`${server.url}/networks`);
          await fromMenu(page, name, `Delete ${name}`);
          await page.getByRole("button", { name: "Delete" }).click();
          await waitForText(page, "main", `The network ${name} was deleted`);
          assert.doesNotMatch(await virsh("net-list", "--all", "--name"), new RegExp(name));
        }, { javaScriptEnabled });
      } finally {
        await removeNetwork(name);
        await removeFiles(name);
      }
    });
  }
});

browserTest("the form says at the field what does not fit, while one types", async () => {
  await using network = await testNetwork("form");
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/networks/new`, async (page) => {
    await page.getByLabel("Name", { exact: true }).fill(network.name);
    await waitForText(page, ".form-error", `Network name already exists: ${network.name}`);
    await page.locator('[name="ipv4.address"]').fill(`${network.subnet}.1/24`);
    await waitForText(page, ".form-error", `the network ${network.name} uses`);
    await page.locator('[name="ipv4.end"]').fill("10.1.2.3");
    await waitForText(page, ".form-error", "it reaches beyond the subnet");
  }, { expected: /status of 4/ });
});

browserTest("a network's page shows leases and users live, and keeps static leases", async (t) => {
  await using network = await testNetwork("detail");
  await using vm = await testMachine({ purpose: "detail", network, agent: false, start: true });
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/networks/${network.name}`, async (page) => {
    await waitForText(page, "main", vm.name);
    await t.step("the lease appears by itself, and one click makes it static", async () => {
      const address = await vm.waitForLease({ seconds: 150 });
      await page.getByRole("button", { name: `Make static: ${address}` }).click({ timeout: 90_000 });
      await page.locator(`tr[data-static="${address}"]`).waitFor();
      assert.match(
        await virsh("net-dumpxml", network.name),
        new RegExp(`<host mac='${vm.mac}' ip='${address}'/>`),
      );
    });
    await t.step("a static lease is added and removed", async () => {
      const ip = `${network.subnet}.7`;
      await page.getByText("Add static lease…").click();
      await page.getByLabel("Address", { exact: true }).fill(ip);
      await page.getByLabel("MAC address", { exact: true }).fill("52:54:00:11:22:33");
      await page.getByRole("button", { name: "Add static lease" }).click();
      await page.getByRole("button", { name: `Remove the static lease ${ip}` }).click();
      await page.locator(`tr[data-static="${ip}"]`).waitFor({ state: "detached" });
      assert.doesNotMatch(await virsh("net-dumpxml", network.name), /52:54:00:11:22:33/);
    });
    await t.step("a range is added and removed, at once and for good", async () => {
      const [start, end] = [`${network.subnet}.3`, `${network.subnet}.5`];
      await page.getByText("Add range…").click();
      await page.getByLabel("DHCP from").fill(start);
      await page.getByLabel("DHCP to").fill(end);
      await page.getByRole("button", { name: "Add range" }).click();
      const remove = page.getByRole("button", { name: `Remove the range ${start} – ${end}` });
      await remove.waitFor();
      for (const how of ["--inactive", ""]) {
        const xml = await virsh("net-dumpxml", network.name, ...how === "" ? [] : [how]);
        assert.match(xml, new RegExp(`<range start='${start}' end='${end}'`));
      }
      await remove.click();
      await page.locator(`tr[data-range="${start}"]`).waitFor({ state: "detached" });
      assert.doesNotMatch(await virsh("net-dumpxml", network.name), new RegExp(`<range start='${start}'`));
    });
    await t.step("deleting names who uses it", async () => {
      await fromMenu(page, network.name, `Delete ${network.name}`);
      await waitForText(page, "main", vm.name);
      await page.getByRole("link", { name: "Cancel" }).click();
      assert.match(await virsh("net-list", "--all", "--name"), new RegExp(network.name));
    });
  });
});

browserTest("a network is edited: what is at once, what waits, what is wrong at its field", async () => {
  await using network = await testNetwork("edit");
  await using server = await readyServer();
  await using tester = await browser();
  for (const javaScriptEnabled of [true, false]) {
    const mtu = javaScriptEnabled ? "1300" : "1250";
    await visit(tester, `${server.url}/networks/${network.name}`, async (page) => {
      await page.getByRole("link", { name: `Edit ${network.name}` }).click();
      await page.getByLabel("DNS entries").fill(`${network.subnet}.300 printer`);
      await page.getByRole("button", { name: "Save" }).click();
      await waitForText(page, ".form-error", `${network.subnet}.300 is not an IP address`);
      await page.getByLabel("DNS entries").fill(`${network.subnet}.9 printer-${mtu}`);
      await page.getByLabel("MTU").fill(mtu);
      await page.getByRole("button", { name: "Save" }).click();
      await waitForText(page, "main", `The network ${network.name} was changed`);
      await waitForText(page, "dl", `printer-${mtu}`);
      await waitForText(page, "dl", "From the next start on");
      assert.match(await virsh("net-dumpxml", network.name), new RegExp(`printer-${mtu}`));
      assert.match(
        await virsh("net-dumpxml", network.name, "--inactive"),
        new RegExp(`<mtu size='${mtu}'/>`),
      );
    }, { javaScriptEnabled, expected: /status of 400/ });
  }
});

browserTest(
  "the pages of networks are free of axe-core's violations in both themes, wide and narrow",
  async (t) => {
    await using network = await testNetwork("axe");
    await using _vm = await testMachine({ purpose: "axe-net", network, guest: false });
    await using server = await readyServer();
    await using tester = await browser();
    const add = [{ mac: "52:54:00:11:22:33", ip: `${network.subnet}.7` }];
    await server.call("update_network_dhcp", { name: network.name, add });
    const here = `/networks/${network.name}`;
    const pages = [
      "/networks",
      here,
      `${here}/confirm?action=delete`,
      `${here}/edit`,
      ...["nat", "bridge", "macvtap", "openvswitch"].map((mode) => `/networks/new?mode=${mode}`),
    ];
    for (const path of pages) {
      for (const size of [{}, PHONE]) {
        await t.step(
          `${path.replace(network.name, "NAME")} ${size === PHONE ? "phone" : "wide"}`,
          () =>
            visit(tester, server.url + path, async (page) => {
              await page.getByRole("heading", { level: 1 }).waitFor();
              assert.equal(await overflows(page), false, "wider than its window");
            }, { reducedMotion: "reduce", ...size, accessible: "in both themes" }),
        );
      }
    }
  },
);
