/** Power from the pages: no button changes under the pointer, a guest that ignores a request is named, many are not stopped by a slip. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { manyMachines } from "../testbed/many_machines.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium") ?? await ownLibvirtd("power");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** The middle of a button, where the pointer rests. */
async function middleOf(button: Locator): Promise<{ x: number; y: number }> {
  const box = await button.boundingBox();
  assert.ok(box);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Button under a place of the page: its action, and whether it is disabled. */
function under(page: Page, { x, y }: { x: number; y: number }) {
  return page.evaluate(([x, y]) => {
    const button = document.elementFromPoint(x, y)?.closest("button") ?? null;
    return button && {
      action: button.value,
      isOff: button.disabled || button.getAttribute("aria-disabled") === "true",
    };
  }, [x, y] as const);
}

browserTest(
  "a second click on Start meets no other action, in the header, in a row and on a card",
  async (t) => {
    await using vm = await testMachine({ purpose: "slots", guest: false });
    await using server = await readyServer();
    await using tester = await browser();
    const places = [
      { path: `/vms/${vm.uuid}`, of: "header.vm-head" },
      { path: `/vms?q=${vm.name}`, of: `tr[data-vm="${vm.uuid}"]` },
      { path: `/vms?view=cards&q=${vm.name}`, of: `.vm-card[data-vm="${vm.uuid}"]` },
    ];
    for (const { path, of } of places) {
      for (const options of [{}, PHONE]) {
        if (options === PHONE && path.startsWith("/vms?q")) continue; // a phone's rows have the menu alone
        await t.step(`${path.replace(vm.uuid, "…")}${options === PHONE ? " phone" : ""}`, async () => {
          await visit(tester, server.url + path, async (page) => {
            const button = page.locator(`${of} button[value=start]`);
            await button.hover();
            const place = await middleOf(button);
            await page.mouse.click(place.x, place.y);
            await waitForText(page, of, "Running");
            const found = await under(page, place);
            assert.ok(found === null || (found.action === "start" && found.isOff), JSON.stringify(found));
            await page.mouse.click(place.x, place.y);
            await page.mouse.click(place.x, place.y);
            assert.equal(await overflows(page), false);
          }, options);
          await vm.waitFor("running");
          await virsh("destroy", vm.name);
          // The next page must not begin with what was.
          await shows(server, vm.uuid, ({ state }) => state === "stopped");
        });
      }
    }
  },
);

browserTest(
  "a place whose action has just changed ignores clicks, and takes them a second later",
  async () => {
    await using vm = await testMachine({ purpose: "steady", guest: false, start: true });
    await using server = await readyServer();
    await using tester = await browser();
    await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
      await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
      // In the page, as fast as can be: the click follows the swap at once.
      const clicked = page.evaluate(() =>
        new Promise<boolean>((resolve) => {
          const find = () => document.querySelector<HTMLButtonElement>("form.actions button[value=resume]");
          const observer = new MutationObserver(() => {
            const button = find();
            if (button === null) return;
            observer.disconnect();
            const isOff = button.getAttribute("aria-disabled") === "true";
            button.click();
            resolve(isOff);
          });
          observer.observe(document.body, { subtree: true, childList: true, attributes: true });
        })
      );
      await virsh("suspend", vm.name);
      assert.equal(await clicked, true, "it is said that it cannot be used yet");
      assert.equal(await vm.state(), "paused");
      // The browser's own click waits until it can be used.
      await page.getByRole("button", { name: "Resume", exact: true }).click();
      await waitForText(page, "header [role=status]", "Running");
      assert.equal(await vm.state(), "running");
    });
  },
);

browserTest("networks and pools: Start and Stop have places of their own", async () => {
  await using network = await testNetwork("slots");
  await using pool = await testPool("slots");
  await using server = await readyServer();
  await using tester = await browser();
  await virsh("net-destroy", network.name);
  await virsh("pool-destroy", pool.name);
  await visit(tester, `${server.url}/networks`, async (page) => {
    const start = page.getByRole("button", { name: `Start ${network.name}` });
    await start.hover();
    const place = await middleOf(start);
    await page.mouse.click(place.x, place.y);
    await waitForText(page, `tr[data-network="${network.name}"]`, /Active/);
    assert.deepEqual(await under(page, place), { action: "start", isOff: true });
  });
  await visit(tester, `${server.url}/storage/${pool.name}`, async (page) => {
    const start = page.getByRole("button", { name: `Start ${pool.name}` });
    const place = await middleOf(start);
    await start.click();
    await page.getByRole("button", { name: `Stop ${pool.name}`, disabled: false }).waitFor();
    assert.notEqual((await under(page, place))?.action, "stop");
  });
});

browserTest("a guest that ignores a request is named, also after a reload, and can be forced", async (t) => {
  await using vm = await testMachine({ purpose: "deaf", guest: false, start: true });
  await using server = await readyServer();
  await using tester = await browser();
  const note = ".power-note";
  await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
    await t.step("shutting down is a state with a clock, also in the list", async () => {
      await page.getByRole("button", { name: "Shut down", exact: true }).click();
      await waitForText(page, "header [role=status]", /Shutting down….*0:0[1-9]/);
      await visit(tester, `${server.url}/vms?q=${vm.name}`, async (list) => {
        await waitForText(list, `tr[data-vm="${vm.uuid}"]`, /Shutting down….*0:[0-9]{2}/);
      });
      await becomes(() => page.locator(note).count(), 0);
    });
    await t.step("after 30 s it is said that it has not responded", async () => {
      await waitForText(page, note, `${vm.name} hasn’t responded`, 60);
    });
    await t.step("a reload keeps it, without script as well", async () => {
      await page.reload();
      await waitForText(page, note, "hasn’t responded");
      await waitForText(page, "header [role=status]", /Shutting down….*0:[3-9]/);
      await visit(tester, `${server.url}/vms/${vm.uuid}`, async (plain) => {
        await waitForText(plain, note, "hasn’t responded");
        await plain.locator(note).getByRole("button", { name: "Force off" }).click();
        await plain.waitForURL("**/confirm?action=force_stop");
      }, { javaScriptEnabled: false });
    });
    await t.step("Keep waiting takes it away for a while", async () => {
      await page.getByRole("button", { name: "Keep waiting" }).click();
      await page.locator(note).waitFor({ state: "detached" });
    });
    await t.step("the next request begins again; Force off asks, and ends it", async () => {
      await page.getByRole("button", { name: "Reboot", exact: true }).click();
      await waitForText(page, "header [role=status]", /Rebooting….*0:0[0-9]/);
      await page.locator("form.actions button[popovertarget]").click();
      await page.getByRole("menuitem", { name: "Force off" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Force off" }).click();
      await waitForText(page, "header [role=status]", "Stopped");
      await server.call("start_vm", { vmId: vm.uuid });
      await waitForText(page, "header [role=status]", /^Running$/);
    });
  });
});

browserTest(
  "saved memory is discarded from the VM's menu, and by Force off, each after a question",
  async (t) => {
    await using vm = await testMachine({ purpose: "saved-page", guest: false });
    await using server = await readyServer();
    await using tester = await browser();
    const vmId = vm.uuid;
    const suspended = async () => {
      await server.call("start_vm", { vmId });
      await server.call("suspend_vm", { vmId });
    };
    await visit(tester, `${server.url}/vms/${vmId}`, async (page) => {
      for (const name of ["Discard saved memory", "Force off"]) {
        await t.step(name, async () => {
          await suspended();
          await waitForText(page, "header [role=status]", "Suspended");
          await page.locator("form.actions button[popovertarget]").click();
          await page.getByRole("menuitem", { name }).click();
          const question = page.getByRole("dialog");
          await question.getByText(/saved memory is discarded|boots at its next start/).waitFor();
          assert.equal(await vm.state(), "shut off");
          await question.getByRole("button", { name }).click();
          await waitForText(page, "header [role=status]", "Stopped");
        });
      }
    });
    await t.step("without script", async () => {
      await suspended();
      await visit(tester, `${server.url}/vms/${vmId}/confirm?action=discard_memory`, async (page) => {
        await page.getByRole("button", { name: "Discard saved memory" }).click();
        await waitForText(page, "header [role=status]", "Stopped");
      }, { javaScriptEnabled: false });
    });
  },
);

browserTest("a guest that does what it was asked for leaves no trace of the request", async () => {
  await using vm = await testMachine({ purpose: "obeys", start: true });
  await using server = await readyServer();
  await using tester = await browser();
  await vm.waitForAgent();
  await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
    // How long the word stands is up to the guest: it is enough that it was there.
    const wasRebooting = page.evaluate(() =>
      new Promise<void>((resolve, reject) => {
        setTimeout(() => reject(new Error("no word of a reboot")), 30_000);
        const badge = document.querySelector("header [role=status]")!;
        new MutationObserver(() => badge.textContent.includes("Rebooting…") && resolve())
          .observe(badge, { subtree: true, childList: true, characterData: true });
      })
    );
    await page.getByRole("button", { name: "Reboot", exact: true }).click();
    await wasRebooting;
    await waitForText(page, "header [role=status]", /^Running$/, 60);
  });
});

/** Waits until so many of the rows that are shown run. */
async function runningRows(page: Page, count: number): Promise<void> {
  const running = page.locator("tr[data-vm]", { hasText: "Running" });
  let seen: number | undefined;
  await until(`${count} rows to run`, async () => (seen = await running.count()) === count, {
    seconds: 30,
    lastSeen: () => `${seen}`,
  });
}

browserTest("more than ten are forced off only after their number was typed", async (t) => {
  await using machines = await manyMachines(12, "typed");
  await using server = await readyServer();
  await using tester = await browser();
  const running = machines.names.slice(0, 11);
  await using _off = {
    [Symbol.asyncDispose]: async () => {
      for (const name of running) await virshUnless(/not running/, "destroy", name);
    },
  };
  for (const name of running) await virsh("start", name);
  for (const options of [{}, { ...PHONE, colorScheme: "dark" as const }]) {
    await visit(tester, `${server.url}/vms?q=kvmm-test-typed`, async (page) => {
      await page.waitForFunction(() => document.querySelectorAll("tr[data-vm]").length >= 12);
      await runningRows(page, 11);
      await page.locator("thead .select-box").click();
      const dialog = page.getByRole("dialog");
      for (const verb of ["Force off", "Shut down"]) {
        await t.step(`${verb} asks for the number`, async () => {
          await page.getByRole("toolbar").getByRole("button", { name: verb }).click();
          await dialog.waitFor();
          const confirm = dialog.getByRole("button", { name: verb });
          await becomes(() => confirm.isDisabled(), true);
          await page.keyboard.press("Enter");
          await dialog.getByLabel("Type 11 to confirm").fill("12");
          await waitForText(page, "dialog .form-error", "Type 11");
          await becomes(() => confirm.isDisabled(), true);
          if (options !== PHONE) await dialog.getByLabel("Type 11 to confirm").fill("");
          await page.keyboard.press("Escape");
          await dialog.waitFor({ state: "hidden" });
        });
      }
    }, options);
  }
  await visit(tester, `${server.url}/vms?q=kvmm-test-typed`, async (page) => {
    await runningRows(page, 11);
    await page.locator("thead .select-box").click();
    await page.getByRole("toolbar").getByRole("button", { name: "Force off" }).click();
    await page.getByLabel("Type 11 to confirm").fill("11");
    await page.getByRole("dialog").getByRole("button", { name: "Force off" }).click();
    await runningRows(page, 0);
  });
});

browserTest("several are deleted with exactly the disks that were ticked", async () => {
  await using a = await testMachine({ purpose: "bulk-a", disks: [{}, {}], guest: false });
  await using b = await testMachine({ purpose: "bulk-b", disks: [{}], guest: false });
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms?q=kvmm-test-bulk`, async (page) => {
    await page.locator("thead .select-box").click();
    await page.getByRole("toolbar").getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog");
    for (const vm of [a, b]) {
      for (const disk of vm.disks) await waitForText(page, "dialog", disk);
    }
    await becomes(() => dialog.locator("input[type=checkbox]:checked").count(), 0);
    await dialog.getByLabel(a.name).locator(`input[value="${a.disks[1]}"]`).check();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.waitForFunction(() => document.querySelectorAll("tr[data-vm]").length === 0);
  });
  const kept = await Promise.all([a.disks[0]!, a.disks[1]!, b.disks[0]!].map(async (path) => {
    try {
      return (await Deno.stat(path)).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }));
  assert.deepEqual(kept, [true, false, true]);
});
