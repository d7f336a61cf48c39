/** From nothing to a booting guest, as a person does it; virsh is the independent witness. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { browser, hydrated } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, delay } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

// Changes of other tests' pools and VMs would have the form checked again.
const reason = await requirement("guest", "chromium") ?? await ownLibvirtd("create");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

browserTest("a machine is made from a CD in a few clicks, and runs", async (t) => {
  await using pool = await testPool("wizard");
  await using network = await testNetwork("wizard");
  await using claim = await claimedVm("wizard-made");
  await Deno.writeFile(`${pool.path}/debian-12.5.0-amd64-netinst.iso`, new Uint8Array(65_536));
  await virsh("pool-refresh", pool.name);
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms`, async (page) => {
    await page.getByRole("link", { name: "Create VM" }).first().click();
    await t.step("an image's name tells its system, and that the name and the size", async () => {
      const iso = page.locator("[name=isoPath]");
      const option = iso.locator("option", { hasText: pool.name });
      await iso.selectOption(await option.getAttribute("value"));
      await waitForText(page, ".create-facts", "Debian");
      assert.match(await page.locator("[name=name]").inputValue(), /^debian12/);
    });
    await t.step(
      "what is wrong is said at its field, in the contract's words, before anything is made",
      async () => {
        await page.locator("[name=name]").fill("9 lives");
        await waitForText(
          page,
          ".form-error",
          "Invalid VM name: must be 1-64 characters, alphanumeric with dash/underscore only",
        );
        await page.locator("[name=cpuCount]").fill("300");
        await waitForText(page, ".form-error", "Invalid CPU count: 300 (must be 1-256)");
        await page.locator("[name=memoryMb]").fill("64");
        await waitForText(page, ".form-error", "Invalid memory size: 64MB (minimum 128MB)");
        await page.getByRole("button", { name: "Create", exact: true }).click();
        assert.match(page.url(), /\/vms\/new$/);
        await becomes(() => page.getByRole("alert").filter({ hasText: "was not created" }).count(), 0);
      },
    );
    await t.step("what is beyond the host is a warning", async () => {
      await page.locator("[name=cpuCount]").fill("64");
      await waitForText(page, ".findings[data-tone=warn]", "CPU count exceeds host capacity (requested: 64");
      await page.locator("[name=cpuCount]").fill("1");
    });
    await t.step("what was filled in is there again after a reload, and after coming back", async () => {
      await page.locator("[name=name]").fill("kept-1");
      await page.reload();
      await hydrated(page);
      await becomes(() => page.locator("[name=name]").inputValue(), "kept-1");
      assert.equal(await page.locator("[name=cpuCount]").inputValue(), "1");
      await page.getByRole("link", { name: "Cancel" }).click();
      await page.waitForURL(`${server.url}/vms`);
      await page.goBack();
      await hydrated(page);
      await becomes(() => page.locator("[name=name]").inputValue(), "kept-1");
      await becomes(
        async () => (await page.locator("[name=isoPath]").inputValue()).startsWith(pool.path),
        true,
      );
    });
    await t.step("Create makes it, starts it and opens it", async () => {
      await page.locator("[name=name]").fill(claim.name);
      await page.locator("[name=memoryMb]").fill("256");
      await page.locator("[name=diskSizeGb]").fill("1");
      await page.locator("[name=pool]").selectOption(pool.name);
      await page.locator("[name=network]").selectOption(network.name);
      await page.waitForFunction(() => document.querySelector(".form-error") === null);
      const asked: string[] = [];
      page.on("request", (request) => asked.push(/commands\/(\w+)/.exec(request.url())?.[1] ?? ""));
      // What was typed is checked after a pause, which a busy machine makes longer
      const checks = () => asked.filter((command) => command === "check_vm_config").length;
      for (let last = -1; last !== checks(); await delay(2000)) last = checks();
      asked.length = 0;
      await page.getByRole("button", { name: "Create", exact: true }).click();
      await page.waitForURL(/\/vms\/[0-9a-f-]{36}/);
      assert.ok(asked.includes("create_vm"), "the request is seen");
      assert.ok(!asked.includes("check_vm_config"), "it is decided once");
      assert.equal(await virsh("domstate", claim.name), "running");
      const xml = await virsh("dumpxml", claim.name);
      assert.match(xml, new RegExp(`${pool.path}/debian-12\\.5\\.0`));
      assert.match(xml, new RegExp(`<source network='${network.name}'`));
      assert.match(await virsh("vol-list", pool.name), new RegExp(`${claim.name}\\.qcow2`));
    });
  });
});

browserTest("the form begins from the image it is asked to, with and without script", async () => {
  await using pool = await testPool("begin");
  await pool.createVolume("debian-12-generic-amd64.qcow2", "64M");
  await Deno.writeFile(`${pool.path}/fedora-40.iso`, new Uint8Array(65_536));
  await virsh("pool-refresh", pool.name);
  await using server = await readyServer();
  await using tester = await browser();
  for (const javaScriptEnabled of [true, false]) {
    const at = (query: string) => `${server.url}/vms/new?${query}=${encodeURIComponent(pool.name)}%2F`;
    await visit(tester, `${at("disk")}debian-12-generic-amd64.qcow2`, async (page) => {
      await becomes(() => page.locator("[name=source][value=image]").isChecked(), true);
      const path = await page.locator("[name=imagePath]:checked").inputValue();
      assert.equal(path, `${pool.name}/debian-12-generic-amd64.qcow2`);
      assert.match(await page.locator("[name=name]").inputValue(), /^debian12/);
      await waitForText(page, ".create-facts", "Debian");
      // Other machines may begin from it, too.
      await becomes(() => page.locator("[name=imageCopy]").inputValue(), "qcow2");
      await waitForText(page, ".create-facts", `copy of ${pool.path}/debian-12-generic-amd64.qcow2`);
      await becomes(() => page.locator(".form-error").count(), 0);
      await using claim = await claimedVm("wizard-copy");
      await page.locator("[name=name]").fill(claim.name);
      await page.locator("[name=imageSizeGb]").fill("1");
      await page.locator("[name=imagePool]").selectOption(pool.name);
      await page.locator("[name=network]").selectOption({ label: "None" });
      await page.getByLabel("Start after creation").uncheck();
      await page.getByRole("button", { name: "Create", exact: true }).click();
      await page.waitForURL(/\/vms\/[0-9a-f-]{36}/);
      assert.match(await virsh("vol-info", `${claim.name}.qcow2`, pool.name), /Capacity: +1\.00 GiB/);
    }, { javaScriptEnabled });
    await visit(tester, `${at("iso")}fedora-40.iso`, async (page) => {
      await becomes(() => page.locator("[name=source][value=iso]").isChecked(), true);
      await becomes(() => page.locator("[name=isoPath]").inputValue(), `${pool.path}/fedora-40.iso`);
    }, { javaScriptEnabled });
  }
});

browserTest(
  "an image is searched for and copied, unless it is to be used directly; nothing is missed",
  async (t) => {
    await using pool = await testPool("picker");
    await using claim = await claimedVm("wizard-picked");
    await pool.createVolume("debian-12-generic-amd64.qcow2", "64M");
    await pool.createVolume("data.qcow2", "64M");
    await virsh("pool-refresh", pool.name);
    await using server = await readyServer();
    await using tester = await browser();
    await visit(tester, `${server.url}/vms/new`, async (page) => {
      const cards = page.locator(".choice-card");
      await t.step("the first card is Cloud image; nothing is wrong before anything was typed", async () => {
        assert.match(await cards.first().textContent() ?? "", /^Cloud image/);
        await page.locator("[name=source][value=image]").check({ force: true });
        await page.waitForFunction(() => document.querySelector(".create-facts") !== null);
        await becomes(() => page.locator(".form-error, .findings[data-tone=bad]").count(), 0);
      });
      await t.step("without an image, or without an ISO, it is said what is missing", async () => {
        const create = page.getByRole("button", { name: "Create", exact: true });
        await create.click();
        await waitForText(page, ".form-error", "Choose an image.");
        await waitForText(page, ".create-summary .findings", "Choose an image.");
        await page.locator("[name=source][value=iso]").check({ force: true });
        await waitForText(page, ".form-error", "Start without one");
        assert.match(page.url(), /\/vms\/new$/);
        await page.getByLabel("Start without one").check();
        await becomes(() => page.locator(".form-error").count(), 0);
      });
      await t.step("what is missing on this host can be fetched from here", async () => {
        await becomes(() => page.getByRole("button", { name: "Download from the catalogue" }).count(), 0);
        for (const name of ["Download by URL", "Upload"]) {
          await becomes(() => page.getByRole("button", { name, exact: true }).count(), 1);
        }
        await pool.createVolume("later.qcow2", "64M");
        await virsh("pool-refresh", pool.name);
        await page.locator("[name=source][value=image]").check({ force: true });
        await waitForText(page, ".image-list", "later.qcow2");
      });
      await t.step("a cloud image opens cloud-init", async () => {
        await page.locator("[name=source][value=cloud]").check({ force: true });
        await becomes(() => page.locator("[name=useCloudInit]").isChecked(), true);
        await page.locator("[name=useCloudInit]").uncheck();
      });
      await t.step("the search narrows the list; the default is a copy", async () => {
        const search = page.getByLabel("Search images");
        await search.fill("nothing is called so");
        await page.locator(".image-list li.text-muted").waitFor();
        await search.press("Escape");
        await becomes(() => search.inputValue(), "");
        await page.locator(".image-list li input").first().waitFor();
        await search.fill(`${pool.name} deb`);
        await becomes(() => page.locator(".image-list li").count(), 1);
        await page.locator(".image-list").getByText("debian-12-generic").click();
        await becomes(() => page.locator("[name=imageCopy]").inputValue(), "qcow2");
        await waitForText(page, ".create-facts", "copy of");
      });
      await t.step("a name with dots is a name; a bad number is said in words", async () => {
        await page.locator("[name=memoryMb]").fill("67108865");
        await waitForText(page, ".form-error", "Must be at most 67,108,864 MiB.");
        await page.locator("[name=memoryMb]").fill("256");
        await page.locator("[name=name]").fill(`${claim.name}.example.org`);
        await page.waitForFunction(() => document.querySelector(".form-error") === null);
        await page.locator("[name=name]").fill(claim.name);
      });
      await t.step("it is made from a copy", async () => {
        await page.locator("[name=imagePool]").selectOption(pool.name);
        await page.locator("[name=network]").selectOption({ label: "None" });
        await page.getByLabel("Start after creation").uncheck();
        await page.getByRole("button", { name: "Create", exact: true }).click();
        await page.waitForURL(/\/vms\/[0-9a-f-]{36}/);
        assert.match(await virsh("domblklist", claim.name), new RegExp(`${claim.name}\\.qcow2`));
      });
    });
  },
);

browserTest("without script a VM is not made without what it starts from", async () => {
  await using pool = await testPool("unscripted");
  await pool.createVolume("one.qcow2", "64M");
  await virsh("pool-refresh", pool.name);
  await using server = await readyServer();
  await using tester = await browser();
  const page = await tester.page({ javaScriptEnabled: false });
  await page.goto(`${server.url}/vms/new`);
  assert.equal(await page.getByRole("link", { name: "Download by URL" }).getAttribute("href"), "/images/new");
  for (const [source, says] of [["iso", "Start without one"], ["image", "Choose an image"]] as const) {
    await page.locator(`[name=source][value=${source}]`).check({ force: true });
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await waitForText(page, ".banner", says);
  }
  await becomes(() => page.locator("[name=imageCopy]").inputValue(), "qcow2");
  await page.context().close();
});

browserTest("the same form works without script, and keeps what was typed when it is refused", async () => {
  await using pool = await testPool("plain");
  await using claim = await claimedVm("wizard-plain");
  await using server = await readyServer();
  await using tester = await browser();
  const page = await tester.page({ javaScriptEnabled: false });
  await page.goto(`${server.url}/vms/new`);
  await page.getByLabel("Empty VM").check({ force: true });
  await page.locator("[name=name]").fill("not a name");
  await page.locator("[name=diskSizeGb]").fill("1");
  await page.locator("[name=pool]").selectOption(pool.name);
  await page.locator("[name=network]").selectOption({ label: "None" });
  await page.getByLabel("Start after creation").uncheck();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await waitForText(page, ".banner", "Invalid VM name");
  await becomes(() => page.locator("[name=name]").inputValue(), "not a name");
  await page.locator("[name=name]").fill(claim.name);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.waitForURL(/\/vms\/[0-9a-f-]{36}/);
  assert.equal(await virsh("domstate", claim.name), "shut off");
  await page.context().close();
});

browserTest("the form is free of axe-core's violations, and fits a phone", async () => {
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/new`, async (page) => {
    for (const part of await page.locator("details.folded > summary").all()) await part.click();
    await page.getByRole("button", { name: "Add a disk" }).click();
    await page.getByRole("button", { name: "Add an existing image" }).click();
    await waitForText(page, ".form-row legend", "Disk 3");
  }, { accessible: "in both themes" });
  await visit(tester, `${server.url}/vms/new`, async (page) => {
    await page.locator(".create-summary").waitFor();
    assert.equal(await overflows(page), false);
  }, PHONE);
});
