/** A machine's cloud-init page in a real browser; virsh and the API are the witnesses. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const ignore = await requirement("qemu", "chromium") !== null;
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore, fn, sanitizeOps: false, sanitizeResources: false });

const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDevMTEDHkmIYu3VVsmi/0NYl4KEhg2ZFtKpPjJNMo6k ann@example.org";
const HOSTILE = `</script><img src=x onerror=alert(1)>"'&`;

browserTest(
  "cloud-init is written as a form, checked at its fields, previewed, saved, changed and removed",
  async (t) => {
    await using network = await testNetwork();
    await using vm = await testMachine({ purpose: "seedpage", network, guest: false });
    await using server = await readyServer();
    await using tester = await browser();
    const vmId = vm.uuid;
    await known(server, vmId);
    await visit(tester, `${server.url}/vms/${vmId}/cloud-init`, async (page) => {
      const button = (name: string) => page.getByRole("button", { name, exact: true });
      let instance: string | undefined;
      /** Waits for what was saved, and for the page to say so. */
      const saved = async () => {
        instance = await until("the next instance", async () => {
          const { instanceId } = await call(server, "get_cloud_init", { vmId });
          return instanceId === instance ? null : instanceId;
        });
        await waitForText(page, "main", instance!);
      };
      await t.step("a field that is wrong says so itself, and has the focus", async () => {
        await waitForText(page, "main", "Nothing is set");
        await page.getByLabel("Login name").fill("Ann");
        await page.getByLabel("Password", { exact: true }).fill("top-secret");
        await button("Save").click();
        await waitForText(page, ".form-error", "must be a login name");
        assert.equal(
          await page.evaluate(() => document.activeElement?.getAttribute("name")),
          "ci.form.users.0.name",
        );
        assert.equal(await page.getByLabel("Login name").getAttribute("aria-invalid"), "true");
      });
      await t.step("the preview shows what the guest would read, without the password", async () => {
        await page.getByLabel("Login name").fill("ann");
        await page.getByLabel("Full name").fill(HOSTILE.replaceAll(/[:,]/g, ""));
        await page.getByLabel("SSH public keys").fill(`${KEY}\n`);
        await button("Add a user").click();
        await page.getByLabel("Login name").nth(1).fill("bob");
        await page.getByLabel("Commands").fill("echo one\necho two");
        await page.getByLabel("As described here").check();
        await page.getByLabel("DHCP (IPv4)").uncheck();
        await page.getByLabel("Addresses").fill("192.0.2.10/24 2001:db8::10/64");
        await button("Preview").click();
        await waitForText(page, "pre", "hashed_passwd");
        const text = await page.getByRole("region", { name: "user-data" }).innerText();
        assert.match(text, /name: bob/);
        assert.doesNotMatch(text, /top-secret|\$6\$/);
        assert.ok(text.includes("<img src=x onerror=alert(1)>"), "as text");
        assert.match(
          await page.getByRole("region", { name: "network-config" }).innerText(),
          /192\.0\.2\.10\/24/,
        );
        assert.deepEqual(
          await call(server, "get_cloud_init", { vmId }),
          { cloudInit: null, warnings: [] },
          "nothing is set by it",
        );
      });
      await t.step("saving puts the CD into the drive", async () => {
        await button("Save").click();
        await saved();
        assert.match(await virsh("domblklist", vm.name), new RegExp(`${vm.name}-[0-9a-f]{8}-seed\\.iso`));
        const { form, network } = (await call(server, "get_cloud_init", { vmId })).cloudInit!;
        assert.deepEqual(form!.users!.map(({ name }) => name), ["ann", "bob"]);
        assert.deepEqual(form!.users![0]!.sshKeys, [KEY]);
        assert.deepEqual(form!.runCommands, ["echo one", "echo two"]);
        assert.deepEqual(network![0]!.addresses, ["192.0.2.10/24", "2001:db8::10/64"]);
      });
      await t.step("a change keeps the password, and a user goes", async () => {
        await page.reload();
        await waitForText(page, "main", "Stays as it is when left empty");
        await button("Remove user 2").click();
        await page.getByLabel("Host name").fill("db");
        await button("Save").click();
        await saved();
        const { form } = (await call(server, "get_cloud_init", { vmId })).cloudInit!;
        assert.deepEqual(form!.users!.map(({ name, passwordHash }) => [name, passwordHash]), [[
          "ann",
          "********",
        ]]);
        assert.equal(form!.hostname, "db");
      });
      await t.step("as YAML it begins with what the form made, and keeps the password too", async () => {
        await page.getByRole("radio", { name: "YAML" }).check();
        const area = page.getByLabel("user-data");
        await area.fill(`${await area.inputValue()}timezone: Europe/Vienna\n`);
        await button("Save").click();
        await saved();
        const { userData } = (await call(server, "get_cloud_init", { vmId })).cloudInit!;
        assert.match(userData!, /hashed_passwd: "\*{8}"/);
        assert.match(userData!, /timezone: Europe\/Vienna/);
        await becomes(() => page.getByRole("radio", { name: "YAML" }).isChecked(), true);
      });
      await t.step("removing asks first", async () => {
        await page.getByText("Remove…").click();
        await button("Remove").click();
        await waitForText(page, "main", "Nothing is set");
        assert.doesNotMatch(await virsh("domblklist", vm.name), /seed\.iso/);
      });
    }, { expected: /status of 400/ });
  },
);

browserTest(
  "cloud-init's page is free of axe-core's violations in both themes, wide and narrow",
  async (t) => {
    await using network = await testNetwork();
    await using vm = await testMachine({ purpose: "seedaxe", network, guest: false });
    await using server = await readyServer();
    await using tester = await browser();
    await known(server, vm.uuid);
    const user = { name: "ann", fullName: HOSTILE.replaceAll(/[:,]/g, ""), sshKeys: [KEY], password: "x" };
    const cloudInit = { form: { users: [user] }, network: [{}], metaData: { role: "web" } };
    await call(server, "set_cloud_init", { vmId: vm.uuid, cloudInit });
    for (const mode of ["Form", "YAML"]) {
      for (const size of [{}, PHONE]) {
        await t.step(
          `${mode} ${size === PHONE ? "phone" : "wide"}`,
          () =>
            visit(tester, `${server.url}/vms/${vm.uuid}/cloud-init`, async (page) => {
              await page.getByRole("radio", { name: mode, exact: true }).check();
              await page.getByRole("button", { name: "Preview" }).click();
              await waitForText(page, "pre", "#cloud-config");
              await page.getByText("Remove…").click();
              await becomes(() => page.locator("main img").count(), 0);
              assert.equal(await overflows(page), false, "wider than its window");
            }, { ...size, accessible: "in both themes" }),
        );
      }
    }
    await call(server, "remove_cloud_init", { vmId: vm.uuid });
  },
);

browserTest(
  "without JavaScript cloud-init is written, refused at its field, previewed, saved and removed",
  async () => {
    await using vm = await testMachine({ purpose: "seedplain", guest: false });
    await using server = await readyServer();
    await using tester = await browser();
    const vmId = vm.uuid;
    await known(server, vmId);
    await visit(tester, `${server.url}/vms/${vmId}/cloud-init`, async (page) => {
      const button = (name: string) => page.getByRole("button", { name, exact: true });
      await page.getByLabel("Login name").fill("ann");
      await page.getByLabel("Host name").fill("not a name");
      await button("Save").click();
      await waitForText(page, ".form-error", "must be a host name");
      await becomes(() => page.getByLabel("Login name").inputValue(), "ann", "what was said is still there");
      await page.getByLabel("Host name").fill("web");
      await button("Preview").click();
      await waitForText(page, "pre", "hostname: web");
      await button("Save").click();
      await waitForText(page, "main", "-seed.iso");
      const { form } = (await call(server, "get_cloud_init", { vmId })).cloudInit!;
      assert.deepEqual([form!.hostname, form!.users!.length], ["web", 1]);
      await page.getByText("Remove…").click();
      await button("Remove").click();
      await waitForText(page, "main", "Nothing is set");
    }, { javaScriptEnabled: false, expected: /status of 400/ });
  },
);
