/** The hardware page of the real product on real machines, in a real browser; virsh is the independent witness. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** The form of a part of the page. */
const form = (page: Page, section: string) => page.locator(`form[action$="form=${section}"]`);
const field = (page: Page, section: string, name: string) => form(page, section).locator(`[name="${name}"]`);
const bar = (page: Page) => page.getByRole("region", { name: "Unsaved changes" });
const button = (page: Page, name: string) => bar(page).getByRole("button", { name, exact: true });
const dialog = (page: Page) => page.getByRole("dialog");
const addHardware = (page: Page) => page.getByRole("link", { name: "Add hardware" }).click();
/** The page answers with these when a form is refused: that is what the tests are about. */
const REFUSED = /status of 4\d\d/;

/** Saves what is changed, and waits for what is said of it. */
async function save(page: Page, said = "Saved."): Promise<void> {
  await button(page, "Save").click();
  await waitForText(page, ".toast", said);
  await becomes(() => bar(page).getByRole("button").count(), 0, "the bar goes with the changes");
}

browserTest("hardware: changes of all parts are saved at once, what needs a restart is marked", async (t) => {
  await using vm = await testMachine({ purpose: "hw", guest: false, vcpus: 4, vnc: true, disks: [{}] });
  await virsh("setvcpus", vm.name, "1", "--config");
  await vm.start();
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
    await page.getByRole("link", { name: "Hardware" }).click();
    await page.waitForURL("**/hardware");
    await page.waitForLoadState("load");
    await t.step("three changes are counted, and saved by one button", async () => {
      await becomes(() => bar(page).getByRole("button").count(), 0, "nothing is changed yet");
      await field(page, "cpu", "count").fill("2");
      await field(page, "memory", "maxMb").fill("512");
      await field(page, "general", "title").fill("<b>Title</b>");
      await waitForText(page, ".unsaved-bar", "3 changes");
      await waitForText(page, ".unsaved-bar", "1 needs a restart");
      await save(page, "Saved. 1 change waits for the next boot.");
      assert.equal(await virsh("vcpucount", vm.name, "--live", "--current"), "2");
      assert.equal(await virsh("desc", vm.name, "--title", "--live"), "<b>Title</b>");
      const stored = await vm.xml("--inactive");
      assert.match(stored, /<memory unit='KiB'>524288</);
      assert.match(stored, /<vcpu placement='static' current='2'>4</);
      assert.match(await vm.xml(), /<memory unit='KiB'>262144</, "the running one keeps its memory");
      await waitForText(
        page,
        'form[action$="form=memory"] .when',
        "Now 256 MiB; from the next boot on 512 MiB",
      );
      await waitForText(page, ".notes", "1 change waits for the next boot");
    });
    await t.step(
      "one that is refused is told at its field; nothing is saved, and all that was typed stays",
      async () => {
        const before = await vm.xml("--inactive");
        await field(page, "cpu", "count").fill("5");
        await field(page, "devices", "rng").check();
        await field(page, "general", "description").fill("Kept");
        await button(page, "Save").click();
        await waitForText(page, ".form-error", "CPU count (5) is above the VM's maximum (4)");
        await waitForText(page, ".unsaved-bar", "Nothing was saved.");
        assert.equal(await field(page, "cpu", "count").getAttribute("aria-invalid"), "true");
        await becomes(
          () => field(page, "cpu", "count").evaluate((each) => each === document.activeElement),
          true,
        );
        assert.equal(await field(page, "cpu", "count").inputValue(), "5");
        assert.equal(await field(page, "devices", "rng").isChecked(), true);
        assert.equal(await field(page, "general", "description").inputValue(), "Kept");
        assert.equal(await vm.xml("--inactive"), before);
        assert.equal(await virsh("vcpucount", vm.name, "--live", "--current"), "2");
        await field(page, "cpu", "count").fill("3");
        await becomes(() => page.locator(".form-error").count(), 0, "no error where it is put right");
        await waitForText(page, ".unsaved-bar", "3 changes");
        await save(page, "Saved. 1 change waits");
        assert.equal(await virsh("vcpucount", vm.name, "--live", "--current"), "3");
        assert.match(await vm.xml("--inactive"), /<description>Kept<[^]*<rng model='virtio'>/);
      },
    );
    await t.step("what the browser refuses is told at its field, and nothing is sent", async () => {
      await field(page, "memory", "currentMb").fill("");
      await waitForText(page, ".unsaved-bar", "1 change");
      await button(page, "Save").click();
      await waitForText(page, 'form[action$="form=memory"] .form-error', /./);
      await button(page, "Discard").click();
    });
    await t.step("what a running VM cannot take is marked at its field", async () => {
      const mark = form(page, "cpu").locator(".form-field").first().locator(".when");
      await becomes(() => mark.count(), 0, "vCPUs within the maximum apply at once");
      await waitForText(page, "section:has(> form[action$='form=boot'])", "Needs a restart");
      await field(page, "cpu", "max").fill("8");
      await field(page, "cpu", "count").fill("6");
      await becomes(() => mark.innerText(), "Needs a restart");
      await waitForText(page, ".unsaved-bar", "2 need a restart");
    });
    await t.step("discarded, the fields are as they are stored, and nothing was changed", async () => {
      await button(page, "Discard").click();
      await becomes(() => field(page, "cpu", "count").inputValue(), "3");
      assert.equal(await field(page, "cpu", "max").inputValue(), "4");
      await becomes(() => bar(page).getByRole("button").count(), 0);
      assert.equal(await virsh("vcpucount", vm.name, "--config", "--maximum"), "4");
    });
    await t.step("what others change meanwhile is not changed back", async () => {
      await field(page, "general", "description").fill("Mine");
      await virsh("setmaxmem", vm.name, "768M", "--config");
      await virsh("desc", vm.name, "--title", "Theirs", "--live", "--config");
      await becomes(() => field(page, "memory", "maxMb").inputValue(), "768");
      assert.equal(await field(page, "general", "description").inputValue(), "Mine");
      await waitForText(page, ".unsaved-bar", "1 change");
      await save(page);
      assert.equal(await virsh("desc", vm.name, "--title", "--config"), "Theirs");
      assert.equal(await virsh("desc", vm.name, "--config"), "Mine");
      await becomes(() => field(page, "general", "title").inputValue(), "Theirs");
    });
    await t.step("at the next boot only: the running VM stays as it is", async () => {
      await field(page, "memory", "currentMb").fill("200");
      await bar(page).getByLabel("Apply at next boot only").check();
      await waitForText(page, ".unsaved-bar", "1 needs a restart");
      await save(page, "1 change waits");
      assert.match(await vm.xml("--inactive"), /<currentMemory unit='KiB'>204800</);
      assert.match(await vm.xml(), /<currentMemory unit='KiB'>262144</);
    });
    await t.step("pinning is in the advanced part, and Enter saves", async () => {
      await field(page, "cpu", "pinning").waitFor({ state: "hidden" });
      await form(page, "cpu").locator("summary").click();
      await field(page, "cpu", "sockets").fill("2");
      await field(page, "cpu", "cores").fill("2");
      await field(page, "cpu", "cores").press("Enter");
      // The message of the change before may still be there
      const topology = "<topology sockets='2' dies='1' cores='2' threads='1'/>";
      await until("the topology", async () => (await vm.xml("--inactive")).includes(topology));
    });
    await t.step("one area is taken back, then all", async () => {
      await page.getByRole("button", { name: "Discard: Processor" }).click();
      await waitForText(page, ".hardware", "Discarded.");
      assert.doesNotMatch(await vm.xml("--inactive"), /<topology/);
      await page.getByRole("button", { name: "Discard changes" }).click();
      await form(page, "pending").waitFor({ state: "detached" });
      assert.match(await vm.xml("--inactive"), /<memory unit='KiB'>262144</);
    });
  }, { expected: REFUSED });
});

browserTest("hardware: who leaves with unsaved changes is asked first", async () => {
  await using vm = await testMachine({ purpose: "hwleave", guest: false });
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/${vm.uuid}/hardware`, async (page) => {
    await field(page, "general", "title").fill("Half");
    await waitForText(page, ".unsaved-bar", "1 change");
    const asked = page.waitForEvent("dialog");
    await page.getByRole("link", { name: "Guest", exact: true }).click({ noWaitAfter: true });
    assert.equal((await asked).type(), "beforeunload");
    await becomes(() => field(page, "general", "title").inputValue(), "Half", "the page stays");
    await button(page, "Discard").click();
    await page.getByRole("link", { name: "Guest", exact: true }).click();
    await page.waitForURL("**/guest");
  }, { expected: /^dialogs: beforeunload/ });
});

browserTest("hardware: what can be added is chosen in one dialog", async (t) => {
  await using pool = await testPool("hwadd");
  await using vm = await testMachine({ purpose: "hwadd", guest: false, disks: [{ pool }] });
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/${vm.uuid}/hardware`, async (page) => {
    await t.step("what this page has a field for becomes one of its changes", async () => {
      for (const [name, at] of [["Watchdog", "watchdog"], ["Random number generator", "rng"]] as const) {
        await addHardware(page);
        await dialog(page).getByRole("link", { name }).click();
        await dialog(page).waitFor({ state: "detached" });
        await becomes(
          () => field(page, "devices", at).evaluate((each) => each === document.activeElement),
          true,
          `${name} has the focus`,
        );
      }
      await waitForText(page, ".unsaved-bar", "2 changes");
    });
    await t.step("a disk is added by its own form, and the changes stay", async () => {
      await addHardware(page);
      await dialog(page).getByRole("link", { name: "Disk" }).click();
      await dialog(page).getByLabel("Storage pool").selectOption(pool.name);
      await dialog(page).getByLabel("Size").fill("1");
      await dialog(page).getByRole("button", { name: "Add" }).click();
      await waitForText(page, ".toast", "Disk added");
      assert.match(await virsh("domblklist", vm.name), /vdb/);
      await field(page, "boot", "place disk:vdb").waitFor();
      await waitForText(page, ".unsaved-bar", "2 changes");
      await save(page);
      assert.match(await vm.xml(), /<watchdog model='i6300esb' action='reset'>[^]*<rng model='virtio'>/);
    });
    await t.step("a drive is proposed where a drive was chosen", async () => {
      await addHardware(page);
      await dialog(page).getByRole("link", { name: "CD-ROM drive" }).click();
      await becomes(() => dialog(page).getByLabel("CD-ROM drive").isChecked(), true);
      await dialog(page).getByRole("button", { name: "Cancel" }).click();
    });
    await t.step("what is there already says so, and cannot be chosen", async () => {
      await addHardware(page);
      const watchdog = dialog(page).getByRole("listitem").filter({ hasText: "Watchdog" });
      await waitForText(page, ".add-hardware li", "Already there");
      assert.equal(await watchdog.getByRole("link").getAttribute("aria-disabled"), "true");
    });
  });
});

browserTest(
  "hardware: the page is free of axe-core's violations in both themes, wide and narrow",
  async (t) => {
    await using vm = await testMachine({
      purpose: "hwaxe",
      guest: false,
      vnc: true,
      disks: [{}],
      title: "<i>&",
    });
    await vm.start();
    await virsh("setvcpus", vm.name, "4", "--config", "--maximum");
    await virsh("setmaxmem", vm.name, "512M", "--config");
    await using server = await readyServer();
    await using tester = await browser();
    const looks: Record<string, (page: Page) => Promise<void>> = {
      "as it is": (page) => waitForText(page, 'form[action$="form=pending"]', "512 MiB"),
      "with a change that was refused": async (page) => {
        await form(page, "cpu").locator("summary").click();
        await field(page, "cpu", "count").fill("5");
        await field(page, "general", "title").fill("Other");
        await button(page, "Save").click();
        await waitForText(page, ".unsaved-bar", "Nothing was saved.");
      },
      "with what can be added": async (page) => {
        await addHardware(page);
        await dialog(page).getByRole("link", { name: "Disk" }).waitFor();
      },
    };
    for (const size of [{}, PHONE]) {
      for (const [name, look] of Object.entries(looks)) {
        await t.step(
          `${name}, ${size === PHONE ? "phone" : "wide"}`,
          () =>
            visit(tester, `${server.url}/vms/${vm.uuid}/hardware`, async (page) => {
              await look(page);
              assert.equal(await overflows(page), false, "wider than its window");
            }, { ...size, accessible: "in both themes", expected: REFUSED }),
        );
      }
    }
  },
);

browserTest("hardware: without JavaScript it is read, changed and taken back by plain forms", async () => {
  await using vm = await testMachine({ purpose: "hwplain", guest: false, disks: [{}] });
  await vm.start();
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/${vm.uuid}/hardware`, async (page) => {
    const send = (section: string) =>
      form(page, section).getByRole("button", { name: "Save", exact: true }).click();
    await field(page, "memory", "maxMb").fill("1024");
    await send("memory");
    await waitForText(page, 'form[action$="form=memory"] [role=status]', "1 change waits for the next boot");
    assert.match(await virsh("dumpxml", vm.name, "--inactive"), /<memory unit='KiB'>1048576</);
    await field(page, "boot", "by").selectOption("order");
    await field(page, "boot", "place disk:vda").selectOption("1");
    await send("boot");
    await waitForText(page, 'form[action$="form=boot"] [role=status]', "wait");
    assert.match(await virsh("dumpxml", vm.name, "--inactive"), /<boot order='1'\/>/);
    await form(page, "cpu").locator("summary").click();
    await field(page, "cpu", "pinning").fill("everywhere");
    await field(page, "cpu", "max").fill("3");
    await send("cpu");
    await waitForText(page, ".form-error", "one vCPU a line");
    assert.equal(await field(page, "cpu", "pinning").inputValue(), "everywhere");
    assert.equal(await field(page, "cpu", "pinning").isVisible(), true, "what is wrong is unfolded");
    assert.equal(await field(page, "cpu", "max").inputValue(), "3", "what was typed stays");
    await page.getByRole("button", { name: "Discard changes" }).click();
    await waitForText(page, ".hardware", "Discarded.");
    assert.doesNotMatch(await virsh("dumpxml", vm.name, "--inactive"), /<boot order|1048576/);
    await addHardware(page);
    await page.getByRole("link", { name: "Watchdog" }).click();
    await page.waitForURL("**/hardware#hardware-devices");
    await page.goto(`${server.url}/vms/${vm.uuid}/hardware?do=add`);
    await page.getByRole("link", { name: "CD-ROM drive" }).click();
    await page.waitForURL("**/disks?do=add&device=cdrom");
    assert.equal(await page.getByLabel("CD-ROM drive").isChecked(), true);
  }, { javaScriptEnabled: false, expected: REFUSED });
});
