/** A host is linked in the browser, used from there, and said to be away when it is. */
import assert from "node:assert/strict";
import { browser, hydrated } from "../testbed/chromium.ts";
import { PASSWORD } from "../testbed/sign_in.ts";
import { startServer } from "../testbed/server.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { requirement } from "../testbed/skip.ts";
import { startTlsServer } from "../testbed/tls.ts";
import { until } from "../testbed/wait.ts";
import { PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium", "guest");

/** Pages of a linked host, below its address. */
const PAGES = [
  "",
  "vms",
  "vms/new",
  "networks",
  "networks/new",
  "networks/topology",
  "storage",
  "images",
  "templates",
  "bin",
  ...["monitoring", "alerts", "alerts/rules", "alerts/history", "backups", "schedules", "insights"],
];
/** … of a VM there. */
const OF_A_VM = [
  "",
  "disks",
  "network",
  "hardware",
  "snapshots",
  "backups",
  "monitoring",
  "guest",
  "xml",
  "serial",
];

Deno.test({
  name: "a host is linked by an invitation, its pages are those of its own, and it is away when it is",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using libvirt = await privateLibvirt("linked-page");
    const machine = await libvirt.machine({ start: true });
    await using near = await startServer({ uri: "test:///default" });
    await using far = await startTlsServer({ uri: libvirt.uri });
    await using tester = await browser();
    const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);

    await step("an invitation is made on one page, and entered on another", async () => {
      let invitation = "";
      await visit(tester, `${far.server.url}/settings/hosts`, async (page) => {
        const form = page.locator("form:has(input[name=minutes])");
        await form.locator("input[name=address]").fill(far.url);
        await form.locator("input[type=password]").fill(PASSWORD);
        await form.locator("button[type=submit]").click();
        invitation = (await page.locator("[data-invitation] code").textContent()) ?? "";
      });
      assert.match(invitation, /^https:\/\/127\.0\.0\.1:\d+#join\//);
      await visit(tester, `${near.url}/settings/hosts`, async (page) => {
        const form = page.locator("form:has(input[name=invitation])");
        await form.locator("input[name=name]").fill("kvm2");
        await form.locator("input[name=label]").fill("Attic");
        await form.locator("input[name=invitation]").fill(`${invitation}x`);
        await form.locator("button[type=submit]").click();
        await waitForText(page, "main", "This is no invitation");
        assert.equal(await form.locator("input[name=label]").inputValue(), "Attic", "what was typed is kept");
        await form.locator("input[name=invitation]").fill(invitation);
        // Users there can use this host: that needs one's password, which is left out
        await form.locator("input[name=both]").check();
        await form.locator("button[type=submit]").click();
        await page.locator("input[type=password]").fill(PASSWORD);
        await page.getByRole("button", { name: "Continue" }).click();
        await waitForText(page, "main", "it has no TLS");
        assert.equal(await form.locator("input[name=invitation]").inputValue(), invitation);
        await form.locator("input[name=both]").uncheck();
        await form.locator("button[type=submit]").click();
        await waitForText(page, "[data-host-row=kvm2]", "Connected");
      }, { expected: /40[039] \((?:Bad Request|Forbidden|Conflict)\)/ });
      await visit(
        tester,
        `${far.server.url}/settings/hosts`,
        (page) => waitForText(page, "main", "administrator"),
      );
    });

    await step("every page of it opens, on a phone as well", async () => {
      const paths = [
        ...PAGES.map((path) => `/hosts/kvm2/${path}`),
        ...OF_A_VM.map((tab) => `/vms/${machine.uuid}/${tab}`),
      ];
      for (const path of paths) {
        await visit(tester, near.url + path, async (page) => {
          await hydrated(page);
          assert.equal(await page.locator(".error-page").count(), 0, path);
          await waitForText(page, ".side-hosts [aria-current]", "Attic");
        });
      }
      await visit(tester, `${near.url}/hosts/kvm2/`, (page) => waitForText(page, "main", "Running"), PHONE);
    });

    await step("its VM is paused on the page, which shows it as soon as it is", async () => {
      await visit(tester, `${near.url}/vms/${machine.uuid}`, async (page) => {
        await hydrated(page);
        await page.getByRole("button", { name: "Pause" }).click();
        await waitForText(page, "main", "Paused");
        assert.equal(await machine.state(), "paused");
        await libvirt.virsh("resume", machine.name);
        await waitForText(page, "main", "Running");
      });
    });

    await step("while it is away, its own pages say so, and nothing else is held up", async () => {
      await visit(tester, `${near.url}/hosts/kvm2/networks`, async (page) => {
        await hydrated(page);
        await far.server.kill();
        await waitForText(page, ".banners", "The host has been away since");
        await waitForText(page, ".side-hosts [aria-current]", "Not connected");
        const lines = await page.locator(".side-hosts [aria-current]").getAttribute("title");
        assert.match(
          lines!,
          /^Attic\nNot connected since [^]*KVM Manager there cannot be reached[^]*\nKVM Manager \d/,
        );
        await page.reload();
        await waitForText(page, "main", "The host is away");
      }, { expected: /50[23]/ });
      await visit(tester, `${near.url}/vms`, (page) => waitForText(page, "main", machine.name));
      await visit(tester, `${near.url}/`, async (page) => {
        await waitForText(page, ".attention-list", "Host Attic");
        await waitForText(page, ".attention-list", "Not connected since");
        await waitForText(page, "main", "KVM Manager there cannot be reached");
        await until(
          "nothing else is away",
          async () => (await page.locator(".banners").textContent())?.trim() === "",
        );
      });
    });
  },
});
