/** Importing a VM of another hypervisor on its page, in a real browser, with script and without. */
import assert from "node:assert/strict";
import { VMX_ESXI } from "../../lib/formats/foreign/vm/testing.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { browser } from "../testbed/chromium.ts";
import { ESXI_LOGIN, furnish, standInEsxi } from "../testbed/esxi.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { looksWell, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

browserTest("a VM of VMware is found, compared with its result, changed and imported", async (t) => {
  await using pool = await testPool("frompage");
  await using server = await readyServer();
  await using tester = await browser();
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-frompage-" });
  await using undo = new AsyncDisposableStack();
  undo.defer(() => Deno.remove(folder, { recursive: true }));
  const definition = VMX_ESXI.replace('vtpm.present = "TRUE"', "");
  await Deno.writeTextFile(`${folder}/web.vmx`, definition);
  for (const disk of ["web", "data"]) {
    await run(["qemu-img", "create", "-q", "-f", "vmdk", `${folder}/${disk}.vmdk`, "8M"]);
  }
  const here = `${server.url}/vms/import-from`;
  const query = new URLSearchParams({ kind: "vmx", origin: folder });
  await looksWell(t, tester, here, "where VMs come from");
  await looksWell(t, tester, `${here}?${query}`, "what a VM becomes");

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? "with" : "without";
    await t.step(`imported ${how} script`, async () => {
      await using vm = await claimedVm("frompage");
      await visit(tester, `${server.url}/vms`, async (page) => {
        await page.getByRole("link", { name: "Import from…" }).first().click();
        await page.getByLabel("Source", { exact: true }).selectOption("vmx");
        await page.getByLabel("Folder", { exact: true }).fill(`${folder}/none`);
        await page.getByRole("button", { name: "Continue" }).click();
        await waitForText(page, "[role=alert]", "not found");
        assert.equal(await page.getByLabel("Folder", { exact: true }).inputValue(), `${folder}/none`);
        await page.getByLabel("Folder", { exact: true }).fill(folder);
        await page.getByRole("button", { name: "Continue" }).click();
        await waitForText(page, "h2", 'Import web "one"');
        await waitForText(page, "main", "vmxnet3, 00:50:56:9a:00:01");
        await page.getByLabel("Name", { exact: true }).fill(vm.name);
        await page.getByLabel("CPUs").fill("1");
        await page.getByLabel("Memory (MiB)").fill("160");
        await page.getByLabel("Firmware").selectOption("bios");
        await page.getByLabel("Storage pool").selectOption(pool.name);
        await page.getByLabel("Bus of web.vmdk").selectOption("virtio");
        await page.getByLabel("Bus of data.vmdk").selectOption("none");
        await page.getByLabel("Network of interface 1").selectOption("none");
        await page.getByLabel("Network of interface 2").selectOption("none");
        await page.getByRole("button", { name: "Import", exact: true }).click();
        await waitForText(page, "main", vm.name);
        // Its task, where the host is busy
        await page.waitForURL(/\/(?:vms|tasks)\/[0-9a-f-]{36}/);
      }, { javaScriptEnabled, expected: /status of 404/ });
      const found = await until(
        "the VM",
        async () => (await call(server, "get_vms", {})).find(({ name }) => name === vm.name),
        { seconds: 60 },
      );
      const made = await known(server, found.id);
      assert.deepEqual(
        [
          made.cpuCount,
          made.memoryMb,
          made.firmware,
          made.disks.map(({ bus }) => bus),
          made.networkInterfaces.length,
        ],
        [1, 160, "bios", ["virtio"], 0],
      );
    });
  }

  await using esxi = await standInEsxi();
  const store = await Deno.makeTempDir({ prefix: "kvmm-test-frompage-" });
  undo.defer(() => Deno.remove(store, { recursive: true }));
  await furnish(esxi, store);
  await t.step(
    "a VM of an ESXi host is found once its certificate was compared, and imported without script",
    async () => {
      await using vm = await claimedVm("frompage");
      await visit(tester, here, async (page) => {
        const signIn = async () => {
          await page.getByLabel("Server", { exact: true }).fill(esxi.origin);
          await page.getByLabel("Password", { exact: true }).fill(ESXI_LOGIN.password);
          const compared = page.getByLabel("I have compared the certificate's fingerprint");
          if (await compared.count() > 0) await compared.check();
          await page.getByRole("button", { name: "Sign in and list its VMs" }).click();
        };
        await signIn();
        await waitForText(page, "[role=alert]", "is not known yet");
        assert.equal(
          await page.getByLabel("Password", { exact: true }).inputValue(),
          "",
          "it is not given back",
        );
        await signIn();
        await page.getByRole("link", { name: "Continue with web & co" }).click();
        await waitForText(page, "h2", "Import web & co");
        assert.ok(!page.url().includes("password") && !(await page.content()).includes(ESXI_LOGIN.password));
        await page.getByLabel("Name", { exact: true }).fill(vm.name);
        await page.getByLabel("Storage pool").selectOption(pool.name);
        await page.getByLabel("Bus of data.vmdk").selectOption("none");
        await page.getByLabel("Network of interface 1").selectOption("none");
        await page.getByRole("button", { name: "Import", exact: true }).click();
        await page.waitForURL(/\/vms\/[0-9a-f-]{36}|\/tasks|\/jobs/);
      }, { javaScriptEnabled: false, expected: /status of 409/ });
      await until(
        "the VM",
        async () => (await call(server, "get_vms", {})).some(({ name }) => name === vm.name),
        { seconds: 60 },
      );
    },
  );
  const ofEsxi = new URLSearchParams({ kind: "esxi", origin: esxi.origin, username: "root" });
  await looksWell(t, tester, `${here}?${ofEsxi}`, "the VMs of an ESXi host");
  ofEsxi.set("vm", "web & co");
  await looksWell(t, tester, `${here}?${ofEsxi}`, "what a VM of ESXi becomes");

  await t.step("a definition is sent from the browser's computer, for disks that lie here", async () => {
    await Deno.rename(`${folder}/web.vmx`, `${folder}/sent`);
    await visit(tester, here, async (page) => {
      await page.getByLabel("Folder", { exact: true }).fill(folder);
      await page.getByLabel("Definition from your computer").setInputFiles(`${folder}/sent`);
      await page.getByRole("button", { name: "Continue" }).click();
      await waitForText(page, "h2", 'Import web "one"');
      await page.getByLabel("Name", { exact: true }).fill("..");
      await page.getByRole("button", { name: "Import", exact: true }).click();
      await waitForText(page, "[role=alert]", "name");
      assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "..");
    }, { expected: /status of 400/ });
  });

  await t.step("a folder with several VMs asks which", async () => {
    for (const name of ["a", "b"]) await Deno.writeTextFile(`${folder}/${name}.vmx`, definition);
    await visit(tester, `${here}?${query}`, async (page) => {
      await page.getByRole("link", { name: "Continue with b.vmx" }).click();
      await waitForText(page, "h2", 'Import web "one"');
    });
  });
});
