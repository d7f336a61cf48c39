/** The tabs Disks and Network on a real machine in a real browser; virsh is the independent witness. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser, type TestBrowser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { fromMenu, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const verb = (page: Page, name: string | RegExp) => page.getByRole("link", { name }).first();
const dialog = (page: Page) => page.getByRole("dialog");
const disk = (target: string) => `tr[data-disk="${target}"]`;
/** Whether the focus is on the first element that a selector finds. */
const focusIs = (page: Page, selector: string) =>
  page.evaluate((selector) => document.activeElement === document.querySelector(selector), selector);
/** The page answers with these when a form is refused: that is what the test is about. */
const REFUSED = /status of 4\d\d/;

browserTest("the Disks tab adds, resizes, edits and detaches the disks of a running guest", async (t) => {
  await using pool = await testPool("tab-disks");
  await using vm = await testMachine({ purpose: "tab-disks", machine: "pc", start: true });
  await using server = await readyServer();
  await using tester = await browser();
  await known(server, vm.uuid);
  await vm.waitForBoot();
  await visit(tester, `${server.url}/vms/${vm.uuid}/disks`, async (page) => {
    await t.step("an empty page says what it is for", () => waitForText(page, "main", "No disks yet"));
    await t.step("a size that cannot be is told at its field", async () => {
      await verb(page, "Add disk or drive").click();
      await becomes(() => focusIs(page, "dialog .dialog-body :is(input, select)"), true, "the first field");
      await dialog(page).getByLabel("Size").fill("0");
      await dialog(page).getByLabel("Storage pool").selectOption(pool.name);
      // The browser's own check would stop it: the server has the last word.
      await dialog(page).locator("form").evaluate((form: HTMLFormElement) => form.noValidate = true);
      await dialog(page).getByRole("button", { name: "Add" }).click();
      await waitForText(page, ".form-error", "Invalid disk size: 0GB (minimum 1GB)");
      assert.equal(await dialog(page).getByLabel("Size").getAttribute("aria-invalid"), "true");
      await becomes(() => focusIs(page, "dialog [aria-invalid]"), true, "the field with the error");
    });
    await t.step("a new disk is there at once, without a reload", async () => {
      await dialog(page).getByLabel("Size").fill("1");
      await dialog(page).getByRole("button", { name: "Add" }).click();
      await waitForText(page, disk("vda"), "1 GiB");
      assert.match(await virsh("domblklist", vm.name), /vda/);
      assert.match(await virsh("domblklist", vm.name, "--inactive"), /vda/);
      await dialog(page).waitFor({ state: "detached" });
    });
    await t.step("resized, it shows its new size", async () => {
      await fromMenu(page, "disk vda", "Resize disk vda");
      await dialog(page).getByLabel("Size").fill("3");
      await dialog(page).getByRole("button", { name: "Resize" }).click();
      await waitForText(page, disk("vda"), "3 GiB");
    });
    await t.step("what waits for the next start is marked", async () => {
      await verb(page, "Edit disk vda").click();
      await dialog(page).getByLabel("Cache").selectOption("none");
      await dialog(page).getByRole("button", { name: "Save" }).click();
      await waitForText(page, disk("vda"), "Changes at the next start");
      assert.match(await vm.xml("--inactive"), /cache='none'/);
    });
    await t.step("a limit is set in the form, holds at once, and stands in the row", async () => {
      await verb(page, "Edit disk vda").click();
      await dialog(page).getByText("Limits", { exact: true }).click();
      await dialog(page).getByLabel("Total throughput", { exact: true }).fill("50");
      await dialog(page).getByLabel("Total operations", { exact: true }).fill("500");
      await dialog(page).getByLabel("Read throughput", { exact: true }).fill("5");
      await dialog(page).getByRole("button", { name: "Save" }).click();
      await waitForText(page, ".form-error", "exclude each other");
      await dialog(page).getByLabel("Read throughput", { exact: true }).fill("");
      await dialog(page).getByRole("button", { name: "Save" }).click();
      await waitForText(page, disk("vda"), "limit 50 MiB/s, 500 IOPS");
      assert.match(await virsh("blkdeviotune", vm.name, "vda", "--live"), /total_bytes_sec: +52428800/);
      assert.match(await virsh("blkdeviotune", vm.name, "vda", "--config"), /total_iops_sec *: +500/);
      assert.match(await vm.xml("--inactive"), /cache='none'/, "what was changed before stays");
    });
    await t.step("a limit that virsh sets is seen, with what differs at the next start", async () => {
      await virsh("blkdeviotune", vm.name, "vda", "--total-iops-sec", "100", "--live");
      await waitForText(page, disk("vda"), "limit 50 MiB/s, 100 IOPS");
      await waitForText(page, disk("vda"), "Total operations: 100 IOPS → 500 IOPS");
    });
    await t.step("a change made by virsh appears by itself", async () => {
      const path = await pool.createVolume("by-virsh.qcow2", "1G");
      await virsh("attach-disk", vm.name, path, "vdb", "--subdriver", "qcow2", "--live", "--config");
      await waitForText(page, disk("vdb"), "by-virsh.qcow2");
    });
    await t.step("detached with its volume, both are gone", async () => {
      await fromMenu(page, "disk vdb", "Detach disk vdb");
      const box = dialog(page).getByRole("checkbox");
      await becomes(() => box.isChecked(), false, "deleting is a choice");
      await box.check();
      await dialog(page).getByRole("button", { name: "Detach" }).click();
      await page.locator(disk("vdb")).waitFor({ state: "detached", timeout: 90_000 });
      assert.doesNotMatch(await virsh("domblklist", vm.name), /vdb/);
      assert.doesNotMatch(await virsh("vol-list", pool.name), /by-virsh/);
    });
  }, { expected: REFUSED });
});

browserTest("the Network tab pulls a cable, adds, edits and detaches network cards", async (t) => {
  await using network = await testNetwork("tab-nics");
  await using vm = await testMachine({ purpose: "tab-nics", machine: "pc", network, start: true });
  await using server = await readyServer();
  await using tester = await browser();
  await known(server, vm.uuid);
  await vm.waitForBoot();
  const address = await vm.waitForLease();
  const mac = vm.mac!;
  await visit(tester, `${server.url}/vms/${vm.uuid}/network`, async (page) => {
    const row = `tr[data-nic="${mac}"]`;
    await t.step("a card with its network, address and traffic", async () => {
      await waitForText(page, row, network.name);
      await waitForText(page, row, address, 30);
      await waitForText(page, row, /\d B|\d KiB/, 30);
    });
    await t.step("its switch pulls the cable, and plugs it in again", async () => {
      const cable = page.getByRole("switch", { name: `Cable of ${mac}` });
      for (const [checked, word] of [["false", "down"], ["true", "up"]] as const) {
        await cable.click();
        await page.waitForFunction(
          ([at, is]) => document.querySelector(`${at} [role=switch]`)?.getAttribute("aria-checked") === is,
          [row, checked] as const,
        );
        assert.match(await virsh("domif-getlink", vm.name, mac), new RegExp(word));
      }
    });
    await t.step("an address that is taken is told at its field; a free one is chosen", async () => {
      await verb(page, "Add network interface").click();
      await dialog(page).getByLabel("Plugged into").selectOption(`network=${network.name}`);
      await dialog(page).getByLabel("MAC address").fill(mac);
      await dialog(page).getByRole("button", { name: "Add" }).click();
      await waitForText(page, ".form-error", `MAC address is already used by ${vm.name}`);
      await dialog(page).getByLabel("MAC address").fill("");
      await dialog(page).getByRole("button", { name: "Add" }).click();
      await page.waitForFunction(() => document.querySelectorAll("tr[data-nic]").length === 2);
      await until("two cards", async () => (await virsh("domiflist", vm.name)).split("\n").length === 2);
    });
    await t.step("another model waits for the next start", async () => {
      await verb(page, `Edit interface ${mac}`).click();
      await dialog(page).getByLabel("Model").selectOption("e1000e");
      await dialog(page).getByRole("button", { name: "Save" }).click();
      await waitForText(page, row, "Changes at the next start");
      assert.match(await virsh("domiflist", vm.name, "--inactive"), /e1000e/);
    });
    await t.step("detached, it is gone", async () => {
      const other = await page.locator(`tr[data-nic]:not([data-nic="${mac}"])`).getAttribute("data-nic");
      await fromMenu(page, `interface ${other}`, `Detach interface ${other}`);
      await dialog(page).getByRole("button", { name: "Detach" }).click();
      await page.locator(`tr[data-nic="${other}"]`).waitFor({ state: "detached", timeout: 90_000 });
      assert.doesNotMatch(await virsh("domiflist", vm.name), new RegExp(other!));
    });
  }, { expected: REFUSED });
});

/** A machine with a bit of everything, for looking at. */
async function everyKind(tester: TestBrowser, t: Deno.TestContext): Promise<void> {
  await using pool = await testPool("tab-axe");
  await using network = await testNetwork("tab-axe");
  await using vm = await testMachine({
    purpose: "tab-axe",
    guest: false,
    network,
    disks: [{ pool }],
    start: true,
  });
  await using server = await readyServer();
  const vmId = vm.uuid;
  await known(server, vmId);
  await call(server, "attach_disk", { vmId, device: "cdrom" });
  await call(server, "attach_disk", { vmId, create: { pool: pool.name, sizeGb: 1 }, live: false });
  await call(server, "update_disk", { vmId, target: "vda", cache: "none", serial: "A1" });
  await call(server, "update_disk", {
    vmId,
    target: "vda",
    totalBytesSec: 2 ** 20,
    totalBytesSecMax: 2 ** 22,
  });
  await call(server, "attach_nic", { vmId, network: network.name, live: false });
  const paths = ["disks", "disks?do=add", "disks?do=edit&device=vda", "network", "network?do=add"];
  for (const path of paths) {
    for (const size of [{}, PHONE]) {
      await t.step(
        `${path} ${size === PHONE ? "phone" : "wide"}`,
        () =>
          visit(tester, `${server.url}/vms/${vmId}/${path}`, async (page) => {
            await page.locator("tr[data-place]").first().waitFor();
            assert.equal(await overflows(page), false, "wider than its window");
          }, { ...size, accessible: "in both themes" }),
      );
    }
  }
  for (const name of ["Add disk or drive", "Resize disk vda", "Detach disk vda", "Insert drive sda"]) {
    await t.step(
      `the dialog ${name}`,
      () =>
        visit(tester, `${server.url}/vms/${vmId}/disks`, async (page) => {
          const device = /(?:Resize|Detach) (.*)/.exec(name)?.[1];
          if (device === undefined) await verb(page, name).click();
          else await fromMenu(page, device, name);
          await dialog(page).getByRole("button").first().waitFor();
          await page.waitForTimeout(300);
        }, { accessible: true }),
    );
  }
}

browserTest("both tabs and their forms are free of axe-core's violations", async (t) => {
  await using tester = await browser();
  await everyKind(tester, t);
});

browserTest("without JavaScript disks can be added, resized and detached, and a cable pulled", async () => {
  await using pool = await testPool("tab-plain");
  await using network = await testNetwork("tab-plain");
  await using vm = await testMachine({ purpose: "tab-plain", guest: false, network });
  await using server = await readyServer();
  await using tester = await browser();
  await known(server, vm.uuid);
  const here = `${server.url}/vms/${vm.uuid}`;
  await visit(tester, `${here}/disks`, async (page) => {
    await verb(page, "Add disk or drive").click();
    await page.getByRole("spinbutton", { name: "Size" }).fill("1");
    await page.getByLabel("Storage pool").selectOption(pool.name);
    await page.getByRole("button", { name: "Add" }).click();
    await waitForText(page, "main", "Disk added");
    await waitForText(page, disk("vda"), "1 GiB");
    await fromMenu(page, "disk vda", "Resize disk vda");
    await page.getByRole("spinbutton", { name: "Size" }).fill("2");
    await page.getByRole("button", { name: "Resize" }).click();
    await waitForText(page, disk("vda"), "2 GiB");
    await fromMenu(page, "disk vda", "Detach disk vda");
    await page.getByRole("button", { name: "Detach" }).click();
    await waitForText(page, "main", "Disk detached");
    assert.doesNotMatch(await vm.xml(), /<disk /);
    await page.goto(`${here}/network?do=add`);
    await page.getByLabel("MAC address").fill(vm.mac!);
    await page.getByRole("button", { name: "Add" }).click();
    await waitForText(page, ".form-field .form-error", `MAC address is already used by ${vm.name}`);
    await becomes(() => page.getByLabel("MAC address").inputValue(), vm.mac!);
    await page.goto(`${here}/network`);
    await verb(page, `Edit interface ${vm.mac}`).click();
    await page.getByText("Limits", { exact: true }).click();
    await page.getByLabel("Inbound", { exact: true }).fill("100");
    await page.getByRole("button", { name: "Save" }).click();
    await waitForText(page, "main", "Network interface changed: ");
    await waitForText(page, "tr[data-nic]", "limit in 100 Mbit/s");
    assert.match(await virsh("domiftune", vm.name, vm.mac!, "--config"), /inbound\.average *: 12500/);
    await page.goto(`${here}/network`);
    await page.getByRole("switch").click();
    await waitForText(page, "main", "Network interface changed: ");
    assert.match(await virsh("domif-getlink", vm.name, vm.mac!, "--config"), /down/);
  }, { javaScriptEnabled: false, expected: REFUSED });
});

browserTest("hostile names of volumes, pools' images and networks are text", async () => {
  await using pool = await testPool("tab-xss");
  const name = `<img src=x onerror=alert(1)>"'&.iso`;
  await Deno.writeFile(`${pool.path}/${name}`, new Uint8Array(1024 * 1024));
  await virsh("pool-refresh", pool.name);
  await using vm = await testMachine({ purpose: "tab-xss", guest: false });
  await using server = await readyServer();
  await using tester = await browser();
  await known(server, vm.uuid);
  await call(server, "attach_disk", { vmId: vm.uuid, device: "cdrom", path: `${pool.name}/${name}` });
  await visit(tester, `${server.url}/vms/${vm.uuid}/disks`, async (page) => {
    await waitForText(page, "tr[data-disk]", "<img src=x");
    await verb(page, /^Insert drive/).click();
    await dialog(page).getByLabel("Medium").waitFor();
    await becomes(() => page.locator("main img").count(), 0);
  });
});

browserTest("the Disks tab and Add hardware share a folder, with script and without", async (t) => {
  const folder = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "kvmm-test-share-" });
  try {
    await using vm = await testMachine({ purpose: "tab-share", guest: false });
    await using server = await readyServer();
    await using tester = await browser();
    await known(server, vm.uuid);
    const here = `${server.url}/vms/${vm.uuid}`;
    await visit(tester, `${here}/hardware`, async (page) => {
      await t.step("Add hardware has it; what cannot be shared is told at its field", async () => {
        await page.getByRole("link", { name: "Add hardware" }).click();
        await dialog(page).getByRole("link", { name: "Shared folder" }).click();
        await dialog(page).getByLabel("Folder on the host").fill("/etc");
        await dialog(page).getByRole("button", { name: "Add" }).click();
        await waitForText(page, ".form-error", "it is a folder of the host's system");
      });
      await t.step("a folder is added", async () => {
        await dialog(page).getByLabel("Folder on the host").fill(folder);
        await dialog(page).getByLabel("Mount tag").fill("data");
        await dialog(page).getByRole("button", { name: "Add" }).click();
        await waitForText(page, ".toast", "The shared folder was added");
        assert.match(await vm.xml(), /<driver type='virtiofs'[^]*<target dir='data'/);
      });
    }, { expected: REFUSED });
    for (const size of [{}, PHONE]) {
      await t.step(
        `the list, ${size === PHONE ? "phone" : "wide"}`,
        () =>
          visit(tester, `${here}/disks`, async (page) => {
            await page.getByText("Mount in the guest").click();
            await waitForText(page, 'tr[data-share="data"]', "mount -t virtiofs data /mnt/data");
            assert.equal(await overflows(page), false, "wider than its window");
          }, { ...size, accessible: "in both themes" }),
      );
    }
    await t.step("without script", () =>
      visit(tester, `${here}/disks`, async (page) => {
        await fromMenu(page, "shared folder data", "Remove shared folder data");
        await page.getByRole("button", { name: "Remove" }).click();
        await waitForText(page, "main", "Shared folder removed: ");
        assert.doesNotMatch(await vm.xml(), /<filesystem/);
        await verb(page, "Add shared folder").click();
        await page.getByLabel("Folder on the host").fill(folder);
        await page.getByLabel("Mount tag").fill("again");
        await page.getByRole("button", { name: "Add" }).click();
        await waitForText(page, "main", "The shared folder was added to ");
        await waitForText(page, 'tr[data-share="again"]', folder);
      }, { javaScriptEnabled: false }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
