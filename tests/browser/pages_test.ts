/** The pages of the real product, on real machines, in a real browser; virsh is the independent witness. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser, hydrated, type TestBrowser } from "../testbed/chromium.ts";
import { URI, virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { manyMachines } from "../testbed/many_machines.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { testNetwork } from "../testbed/network.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium") ?? await ownLibvirtd("pages");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const HOSTILE = `</script><img src=x onerror=alert(1)>"'&\u202e😀${"long ".repeat(400)}`;

/** A row of the list by the machine's id. */
const row = (id: string) => `tr[data-vm="${id}"]`;

async function dialogFree(
  tester: TestBrowser,
  server: TestServer,
  path: string,
  look: (page: Page) => Promise<void>,
) {
  await visit(tester, server.url + path, look);
}

browserTest("the list and a machine's page follow a real guest through its life", async (t) => {
  await using network = await testNetwork();
  await using vm = await testMachine({ purpose: "life", network, vnc: true, disks: [{}] });
  await using server = await readyServer();
  await using tester = await browser();
  const other = await tester.page();
  await other.goto(`${server.url}/vms?q=${vm.name}`);

  await visit(tester, `${server.url}/vms?q=${vm.name}`, async (page) => {
    await t.step("the list shows it stopped", () => waitForText(page, row(vm.uuid), "Stopped"));
    await t.step("a click on Start starts it, and every open page shows it", async () => {
      await page.locator(row(vm.uuid)).hover();
      await page.getByRole("button", { name: `Start ${vm.name}` }).click();
      await waitForText(page, row(vm.uuid), "Running");
      await waitForText(other, row(vm.uuid), "Running");
      assert.equal(await vm.state(), "running");
    });
    await t.step("a change made by virsh appears by itself", async () => {
      await virsh("suspend", vm.name);
      await waitForText(page, row(vm.uuid), "Paused", 3);
      await virsh("resume", vm.name);
      await waitForText(page, row(vm.uuid), "Running", 3);
    });
    await t.step("its address and load appear by themselves", async () => {
      await vm.waitForBoot();
      const address = await vm.waitForLease();
      await waitForText(page, row(vm.uuid), address, 30);
      await waitForText(page, row(vm.uuid), "%", 30);
    });
    await t.step("Enter opens its page", async () => {
      await page.getByRole("link", { name: vm.name }).click();
      await page.waitForURL(`**/vms/${vm.uuid}`);
      await waitForText(page, "main", "Guest agent");
    });
    await t.step("pause and resume from its page", async () => {
      await page.getByRole("button", { name: "Pause", exact: true }).click();
      await waitForText(page, "header [role=status]", "Paused");
      assert.equal(await vm.state(), "paused");
      await page.getByRole("button", { name: "Resume", exact: true }).click();
      await waitForText(page, "header [role=status]", "Running");
    });
    await t.step("shut down from its page stops the guest", async () => {
      await vm.waitForAgent();
      await page.getByRole("button", { name: "Shut down", exact: true }).click();
      await waitForText(page, "header [role=status]", "Stopped", 30);
      assert.equal(await vm.state(), "shut off");
      await waitForText(other, row(vm.uuid), "Stopped");
    });
    await t.step("what happened to it stands under recent activity", async () => {
      await waitForText(page, "main", "Shut");
    });
  });
});

browserTest("danger asks once, names the machine, and leaves its disks alone unless ticked", async () => {
  await using vm = await testMachine({ purpose: "danger", disks: [{}], guest: false });
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
    await waitForText(page, "header [role=status]", "Stopped");
    await page.locator("form.actions button[popovertarget]").click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    assert.match(await dialog.textContent() ?? "", new RegExp(vm.name));
    const box = dialog.getByRole("checkbox");
    await becomes(() => box.isChecked(), false);
    await page.keyboard.press("Escape");
    assert.match(await virsh("list", "--all", "--name"), new RegExp(vm.name), "Escape deletes nothing");
    await page.locator("form.actions button[popovertarget]").click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.waitForURL("**/vms");
    assert.doesNotMatch(await virsh("list", "--all", "--name"), new RegExp(vm.name));
    assert.equal((await Deno.stat(vm.disks[0]!)).isFile, true);
  });
});

browserTest("every page is free of axe-core's violations in both themes, wide and narrow", async (t) => {
  await using vm = await testMachine({ purpose: "axe", start: true, vnc: true, disks: [{}], guest: false });
  await using _off = await testMachine({ purpose: "axe-off", title: "off" });
  await using server = await readyServer();
  await known(server, vm.uuid);
  await using tester = await browser();
  await server.call("set_tags", { vmId: vm.uuid, tags: ["prod", "web"] });
  const pages = [
    "/",
    "/vms",
    "/vms?view=cards",
    `/vms/${vm.uuid}`,
    `/vms/${vm.uuid}/xml`,
    "/api/v1/reference",
    "/nothing",
  ];
  for (const path of pages) {
    for (const size of [{}, PHONE]) {
      await t.step(
        `${path} ${size === PHONE ? "phone" : "wide"}`,
        () =>
          visit(tester, server.url + path, async (page) => {
            await page.waitForLoadState("networkidle").catch(() => {/* the event stream never ends */});
            assert.equal(await overflows(page), false, "wider than its window");
          }, { ...size, accessible: "in both themes", expected: /status of 404/ }),
      );
    }
  }
});

browserTest("hostile names, titles and descriptions are text on every page", async () => {
  await using vm = await testMachine({
    purpose: "xss",
    guest: false,
    title: HOSTILE.replaceAll("\n", " "),
    description: `${HOSTILE}\n${"x".repeat(64 * 1024)}`,
  });
  await using server = await readyServer();
  await known(server, vm.uuid);
  await using tester = await browser();
  await server.call("set_tags", { vmId: vm.uuid, tags: ["<b>", "'\"&"] });
  await server.call("set_group", { vmId: vm.uuid, group: "</script><script>alert(1)</script>" });
  for (const path of ["/", "/vms", "/vms?view=cards&by=group", `/vms/${vm.uuid}`, `/vms/${vm.uuid}/xml`]) {
    await dialogFree(tester, server, path, async (page) => {
      await becomes(() => page.locator("main img").count(), 0);
      assert.equal(await overflows(page), false, `${path} is wider than its window`);
    });
  }
});

browserTest("without JavaScript the list and a machine can be read and started", async () => {
  await using vm = await testMachine({ purpose: "plain", guest: false });
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms?q=${vm.name}`, async (page) => {
    await waitForText(page, row(vm.uuid), "Stopped");
    await page.getByRole("link", { name: vm.name }).click();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await waitForText(page, "main", "Running");
    assert.equal(await vm.state(), "running");
    await page.goto(`${server.url}/vms/${vm.uuid}/xml`);
    await waitForText(page, "main", "<domain");
  }, { javaScriptEnabled: false });
});

browserTest("1,005 machines: all rows are there at once, few in the document, and they scroll", async () => {
  await using machines = await manyMachines(1005, "crowd");
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms?q=kvmm-test-crowd`, async (page) => {
    const grid = page.locator("table[aria-rowcount]");
    await page.waitForFunction(
      () => Number(document.querySelector("table[aria-rowcount]")?.getAttribute("aria-rowcount")) > 1005,
      undefined,
      { timeout: 90_000 },
    );
    assert.ok(await grid.locator("tbody tr[data-vm]").count() < 200, "only what is seen is in the document");
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.waitForFunction(
      () => {
        const rows = [...document.querySelectorAll("tr[aria-rowindex]")];
        return rows.some((each) => Number(each.getAttribute("aria-rowindex")) > 1000);
      },
      undefined,
      { timeout: 90_000 },
    );
    await page.keyboard.press("/");
    await page.keyboard.press("Control+a");
    await page.keyboard.type(machines.names[999]!);
    await page.waitForFunction(() => document.querySelectorAll("tr[data-vm]").length === 1, undefined, {
      timeout: 90_000,
    });
    await page.setViewportSize({ width: 390, height: 844 });
    for (const by of ["none", "state"]) {
      await page.goto(`${server.url}/vms?q=kvmm-test-crowd&by=${by}`);
      await hydrated(page);
      const name = (await grid.locator("tr[data-vm] .col-name").first().boundingBox())!;
      assert.ok(name.width > 120, `a name has ${name.width} px: rows out of sight must not narrow it`);
    }
  });
});

browserTest("Escape in a search empties the box and shows the whole list", async () => {
  await using machines = await manyMachines(3, "escape");
  await using pool = await testPool("escape");
  await pool.createVolume("one.qcow2", "1M");
  await pool.createVolume("two.qcow2", "1M");
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms`, async (page) => {
    const rows = (count: number) =>
      page.waitForFunction(
        ({ names, count }) => {
          const rows = [...document.querySelectorAll("tr[data-vm]")].map((row) => row.textContent ?? "");
          return rows.filter((text) => names.some((name) => text.includes(name))).length === count;
        },
        { names: machines.names, count },
      );
    const box = page.locator("[name=q]");
    await rows(3);
    await until("the list takes keys", async () => {
      await page.locator("h1").click();
      await page.keyboard.press("/");
      return await box.evaluate((element) => element === document.activeElement);
    });
    await page.keyboard.type(machines.names[1]!);
    await rows(1);
    await page.keyboard.press("Escape");
    await rows(3);
    await becomes(() => box.inputValue(), "");
    assert.equal(new URL(page.url()).search, "");
  });
  await visit(tester, `${server.url}/storage/${pool.name}?q=one`, async (page) => {
    const box = page.locator("[name=q]");
    await waitForText(page, "main", "one.qcow2");
    await box.fill("typed");
    await box.press("Escape");
    await becomes(() => box.inputValue(), "one", "what the list shows");
    await box.press("Escape");
    await waitForText(page, "main", "two.qcow2");
    await becomes(() => box.inputValue(), "");
  });
});

browserTest("Back finds a long list where it was left, filtered as it was", async () => {
  await using _machines = await manyMachines(400, "back");
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms?q=kvmm-test-back`, async (page) => {
    await page.waitForFunction(() => document.documentElement.scrollHeight > 12_000);
    await page.evaluate(() => scrollTo(0, 9_000));
    await page.waitForFunction(() => {
      const rows = [...document.querySelectorAll("tr[aria-rowindex]")];
      return scrollY > 8_000 && rows.some((row) => Number(row.getAttribute("aria-rowindex")) > 230);
    });
    const before = await page.evaluate(() => scrollY);
    const row = await page.evaluate(() =>
      document.elementFromPoint(600, 400)?.closest<HTMLElement>("tr[data-vm]")?.dataset.vm
    );
    assert.ok(row);
    await page.locator(`tr[data-vm="${row}"] .vm-link`).click();
    await page.waitForURL(`**/vms/${row}`);
    await page.goBack();
    // Clicking may have moved it by a line.
    await page.waitForFunction((before) => Math.abs(scrollY - before) < 72, before);
    await page.locator(`tr[data-vm="${row}"]`).waitFor();
    assert.match(page.url(), /q=kvmm-test-back/);
  });
});

browserTest("the command palette finds a machine and starts it from the keyboard", async () => {
  await using vm = await testMachine({ purpose: "palette", guest: false });
  await using server = await readyServer();
  await known(server, vm.uuid);
  await using tester = await browser();
  await visit(tester, `${server.url}/`, async (page) => {
    await waitForText(page, "main", "Host");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search or run a command" }).waitFor();
    await page.keyboard.type(`start ${vm.name}`);
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("Enter");
    await vm.waitFor("running");
  });
});

browserTest("the command palette finds networks, settings, and the way out", async () => {
  await using network = await testNetwork("palette");
  await using server = await readyServer();
  await using tester = await browser();
  const open = async (page: Page, typed: string) => {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search or run a command" }).fill(typed);
  };
  await visit(tester, `${server.url}/`, async (page) => {
    await waitForText(page, "main", "Host");
    await open(page, network.name);
    await page.getByRole("option", { name: network.name }).filter({ hasText: "Network" }).click();
    await page.waitForURL(`${server.url}/networks/${network.name}`);
    await hydrated(page);
    await open(page, "health");
    await page.getByRole("option", { name: "Health" }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(`${server.url}/settings/health`);
    await hydrated(page);
    await open(page, "sign out");
    await page.getByRole("option", { name: "Sign out" }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(`${server.url}/sign-in`);
  });
});

browserTest(
  "without libvirt every page says what to do, and shows the machines once it appears",
  async () => {
    await using vm = await testMachine({ purpose: "heal", guest: false });
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const socket = `${folder}/libvirt-sock`;
    try {
      await using server = await startServer({ uri: `qemu+unix:///system?socket=${socket}` });
      await using tester = await browser();
      const away = "Libvirtd is not running. Please start the service.";
      const options = { expected: /status of 503/, accessible: true };
      const dashboard = await tester.page();
      await dashboard.goto(`${server.url}/`);
      await waitForText(dashboard, "body", away);
      await visit(tester, `${server.url}/`, (page) => waitForText(page, "body", away), options);
      await visit(tester, `${server.url}/vms?q=${vm.name}`, async (page) => {
        await waitForText(page, "body", away);
        await Deno.symlink(new URL(URI).searchParams.get("socket")!, socket);
        await waitForText(page, row(vm.uuid), "Stopped");
      }, options);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

browserTest("the theme is right from the first paint, and stays", async () => {
  await using server = await startServer({ uri: "test:///default", args: [] });
  await using tester = await browser();
  const context = await tester.context({ colorScheme: "light" });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.getByRole("button", { name: "Dark theme" }).or(page.getByRole("radio", { name: "Dark theme" }))
    .first().click();
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  const response = await page.goto(`${server.url}/vms`);
  assert.match(await response!.text(), /<html[^>]*data-theme="dark"/);
  await context.close();
});
