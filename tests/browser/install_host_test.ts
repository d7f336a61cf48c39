/**
 * From one host to two, in the browser: KVM Manager is installed by SSH on a host that has nothing of it. What has to be
 * clicked is counted; a connection that is cut in the middle is told, and the same form goes on.
 */
import assert from "node:assert/strict";
import { bareHost, NO_VMS, PASSWORDS } from "../testbed/bare_host.ts";
import { browser, hydrated } from "../testbed/chromium.ts";
import { call } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { testFolder } from "../testbed/folder.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { countClicks } from "./clicks.ts";
import { PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium", "qemu", "ssh", "sudo");

/** From the dashboard to the VMs of the second host: Settings, Hosts, Install, compare the key, Install, the host. */
const MOST_CLICKS = 6;

Deno.test({
  name: `a second host from nothing, by SSH: at most ${MOST_CLICKS} clicks from the dashboard to its VMs`,
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
    await using far = await bareHost();
    await using folder = await testFolder();
    await Deno.writeTextFile(`${folder.path}/node.xml`, NO_VMS);
    const uri = `test://${folder.path}/node.xml`;
    await using server = await startServer({ uri });
    await using tester = await browser();
    const form = "form#install";

    await step("a cut in the middle is told on the task's page, which leads back to the form", async () => {
      // It keeps the key that is confirmed
      await using another = await startServer({ uri });
      await far.cutIn("install");
      await visit(tester, `${another.url}/settings/hosts`, async (page) => {
        await page.locator(`${form} input[name=name]`).fill("kvm2");
        await page.locator(`${form} input[name=destination]`).fill(`root@${far.address}`);
        await page.locator(`${form} input[name=password]`).fill(PASSWORDS.root);
        await page.locator(`${form} button[type=submit]`).click();
        await page.locator(`${form} input[name=hostKey]`).check();
        await page.locator(`${form} input[name=password]`).fill(PASSWORDS.root);
        await page.locator(`${form} button[type=submit]`).click();
        await waitForText(page, "main", "What this call did on the host was undone", 60);
        assert.deepEqual(await far.traces(), []);
        await page.getByRole("link", { name: "Back to the form" }).click();
        await page.waitForURL(/\/settings\/hosts#install/);
      }, { expected: /40[39] \((?:Conflict|Forbidden)\)|50[023] / });
    });

    await step("from the dashboard to its VMs", async () => {
      const page = await tester.page();
      const clicks = await countClicks(page);
      await page.goto(server.url);
      await hydrated(page);
      await page.getByRole("link", { name: "Settings", exact: true }).first().click();
      await page.waitForURL(/\/settings/);
      await page.getByRole("link", { name: "Hosts", exact: true }).last().click();
      await page.waitForURL(/\/settings\/hosts/);
      await hydrated(page);
      await page.locator(`${form} input[name=name]`).fill("kvm2");
      await page.locator(`${form} input[name=destination]`).fill(`root@${far.address}`);
      await page.locator(`${form} input[name=password]`).fill(PASSWORDS.root);
      await page.keyboard.press("Enter");
      const key = page.locator(`${form} input[name=hostKey]`);
      await key.waitFor();
      assert.ok(
        (await page.locator(form).textContent())!.includes(far.hostKey),
        "the key is there to be compared",
      );
      await hydrated(page);
      await key.check();
      const again = page.locator(`${form} input[name=password]`);
      assert.equal(await again.inputValue(), "", "a password does not come back");
      await again.fill(PASSWORDS.root);
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/tasks\//);
      await waitForText(page, "main", "Done", 60);
      await page.getByRole("link", { name: "Show the host" }).click();
      await page.waitForURL(/\/hosts\/kvm2\//);
      await waitForText(page, "main", "Running");
      console.log(`      ${clicks().length} clicks: ${clicks().join(" → ")}`);
      assert.ok(clicks().length <= MOST_CLICKS, `${clicks().length} clicks: ${clicks().join(" → ")}`);
      await page.context().close();
    });

    await step("its VMs are in the list, and act", async () => {
      await until("its VM", async () => (await call(server, "get_vms")).some(({ host }) => host === "kvm2"));
      const vm = (await call(server, "get_vms")).find(({ host }) => host === "kvm2")!;
      await visit(tester, `${server.url}/vms/${vm.id}`, async (page) => {
        await page.getByRole("button", { name: "Pause" }).click();
        await waitForText(page, "main", "Paused");
      }, PHONE);
    });
  },
});
