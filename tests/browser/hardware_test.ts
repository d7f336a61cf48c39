/** The hardware page of the real product on real machines, in a real browser; virsh is the independent witness. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** The form of a part of the page. */
const form = (page: Page, section: string) => page.locator(`form[action$="form=${section}"]`);
const save = (page: Page, section: string) =>
  form(page, section).getByRole("button", { name: "Save", exact: true }).click();

browserTest(
  "hardware: a running machine is changed at once where it can be, the rest waits and is taken back",
  async (t) => {
    await using vm = await testMachine({ purpose: "hw", guest: false, vcpus: 4, vnc: true, disks: [{}] });
    await virsh("setvcpus", vm.name, "1", "--config");
    await vm.start();
    await using server = await readyServer();
    await using tester = await browser();
    const expected = /status of 4\d\d/;
    await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
      await page.getByRole("link", { name: "Hardware" }).click();
      await page.waitForURL("**/hardware");
      await page.waitForLoadState("load");
      await t.step("a vCPU within the maximum is plugged in", async () => {
        await form(page, "cpu").locator("[name=count]").fill("2");
        await save(page, "cpu");
        await waitForText(page, 'form[action$="form=cpu"] [role=status]', "Saved.");
        assert.equal(await virsh("vcpucount", vm.name, "--live", "--current"), "2");
      });
      await t.step("what does not fit is said at its field", async () => {
        await form(page, "cpu").locator("[name=count]").fill("5");
        await save(page, "cpu");
        await waitForText(page, ".form-error", "CPU count (5) is above the VM's maximum (4)");
        assert.equal(await form(page, "cpu").locator("[name=count]").getAttribute("aria-invalid"), "true");
        await form(page, "cpu").locator("[name=count]").fill("2");
      });
      await t.step("a higher maximum waits, and is marked in the header and at the field", async () => {
        await form(page, "cpu").locator("[name=max]").fill("6");
        await save(page, "cpu");
        await waitForText(page, 'form[action$="form=cpu"] [role=status]', "1 change waits for the next boot");
        await waitForText(page, ".notes", "1 change waits for the next boot");
        await waitForText(page, 'form[action$="form=cpu"] .when', "Now 4; from the next boot on 6");
        assert.equal(await virsh("vcpucount", vm.name, "--config", "--maximum"), "6");
      });
      await t.step("what virsh changes appears by itself", async () => {
        await virsh("setmaxmem", vm.name, "512M", "--config");
        await waitForText(page, 'form[action$="form=pending"]', "512 MiB", 5);
        await becomes(() => form(page, "memory").locator("[name=maxMb]").inputValue(), "512");
      });
      await t.step("one area is taken back, then all", async () => {
        await page.getByRole("button", { name: "Discard: Processor" }).click();
        await waitForText(page, ".hardware", "Discarded.");
        assert.equal(await virsh("vcpucount", vm.name, "--config", "--maximum"), "4");
        await page.getByRole("button", { name: "Discard changes" }).click();
        await form(page, "pending").waitFor({ state: "detached" });
        assert.match(await virsh("dumpxml", vm.name, "--inactive"), /<memory unit='KiB'>262144</);
      });
      await t.step("devices and texts are stored", async () => {
        await form(page, "devices").locator("[name=rng]").check();
        await save(page, "devices");
        await waitForText(page, 'form[action$="form=devices"] [role=status]', "waits for the next boot");
        await form(page, "general").locator("[name=title]").fill("<b>Title</b>");
        await save(page, "general");
        await waitForText(page, 'form[action$="form=general"] [role=status]', "Saved.");
        assert.equal(await virsh("desc", vm.name, "--title", "--live"), "<b>Title</b>");
        assert.match(await virsh("dumpxml", vm.name, "--inactive"), /<rng model='virtio'>/);
      });
    }, { expected });
  },
);

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
    for (const size of [{}, PHONE]) {
      await t.step(
        size === PHONE ? "phone" : "wide",
        () =>
          visit(tester, `${server.url}/vms/${vm.uuid}/hardware`, async (page) => {
            await waitForText(page, 'form[action$="form=pending"]', "512 MiB");
            assert.equal(await overflows(page), false, "wider than its window");
          }, { ...size, accessible: "in both themes" }),
      );
    }
  },
);

browserTest("hardware: without JavaScript it is read, changed and taken back by plain forms", async () => {
  await using vm = await testMachine({ purpose: "hwplain", guest: false, disks: [{}] });
  await vm.start();
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/${vm.uuid}/hardware`, async (page) => {
    await form(page, "memory").locator("[name=maxMb]").fill("1024");
    await save(page, "memory");
    await waitForText(page, 'form[action$="form=memory"] [role=status]', "1 change waits for the next boot");
    assert.match(await virsh("dumpxml", vm.name, "--inactive"), /<memory unit='KiB'>1048576</);
    await form(page, "boot").locator("[name=by]").selectOption("order");
    await form(page, "boot").locator('[name="place disk:vda"]').selectOption("1");
    await save(page, "boot");
    await waitForText(page, 'form[action$="form=boot"] [role=status]', "wait");
    assert.match(await virsh("dumpxml", vm.name, "--inactive"), /<boot order='1'\/>/);
    await form(page, "cpu").locator("[name=pinning]").fill("everywhere");
    await save(page, "cpu");
    await waitForText(page, ".form-error", "one vCPU a line");
    await page.getByRole("button", { name: "Discard changes" }).click();
    await waitForText(page, ".hardware", "Discarded.");
    assert.doesNotMatch(await virsh("dumpxml", vm.name, "--inactive"), /<boot order|1048576/);
  }, { javaScriptEnabled: false, expected: /status of 4\d\d/ });
});
