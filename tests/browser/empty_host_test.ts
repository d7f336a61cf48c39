/** A host on which nothing is set up yet: each page says what is missing, and offers the step. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { requirement } from "../testbed/skip.ts";
import { startServer } from "../testbed/server.ts";
import { call } from "../testbed/product.ts";
import { until } from "../testbed/wait.ts";
import { PHONE, visit, waitForText } from "./visit.ts";
import { localMachine } from "../../agent/machine/machine.ts";
import { hasOwnBridge } from "../../lib/host/ready.ts";

const reason = await requirement("chromium");
const CREATE_POOL = "Create pool default in /var/lib/libvirt/images";

/** Bridges of tests that run meanwhile are networks to plug VMs into: this host has none without them. */
const untilNoBridge = () =>
  until(
    "no bridge of another test",
    async () => !hasOwnBridge(await localMachine("qemu:///system")!.bridges()),
  );

for (const javaScriptEnabled of [false, true]) {
  Deno.test({
    name: `an empty host is set up by one click each, ${javaScriptEnabled ? "with" : "without"} script`,
    ignore: reason !== null,
    // playwright-core keeps timers and pipes of the browser's process a moment longer.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using host = await privateLibvirt("empty-host");
      const virsh = (...args: string[]) => host.virsh(...args);
      await using server = await startServer({ uri: host.uri });
      await using tester = await browser();
      const options = { javaScriptEnabled, accessible: javaScriptEnabled };
      const look = (path: string, run: Parameters<typeof visit>[2], more = {}) =>
        visit(tester, server.url + path, run, { ...options, ...more });

      for (const path of ["/images", "/images/catalog", "/images/new", "/storage"]) {
        await look(path, async (page) => {
          await page.getByRole("button", { name: CREATE_POOL }).waitFor();
          if (path === "/images") await page.getByRole("link", { name: "Upload" }).first().waitFor();
        });
      }
      await look("/storage?do=create", async (page) => {
        assert.equal(await page.locator("[name=name]").inputValue(), "default");
        assert.equal(await page.locator("[name=path]").inputValue(), "/var/lib/libvirt/images");
      });
      await untilNoBridge();
      await look("/vms/new", async (page) => {
        await waitForText(page, ".banner", "No storage pool is running");
        await waitForText(page, ".banner", "There is no network");
      });
      await look(
        "/networks",
        (page) => page.getByRole("button", { name: "Create NAT network default" }).waitFor(),
      );
      await look("/", (page) => page.getByRole("button", { name: CREATE_POOL }).waitFor(), PHONE);
      await untilNoBridge();
      await look("/", async (page) => {
        await waitForText(page, ".attention-list", "There is no storage pool");
        await waitForText(page, ".attention-list", "There is no network");
        await page.getByRole("button", { name: CREATE_POOL }).click();
        await page.locator("[data-lack=pool]").waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Create NAT network default" }).click();
        await page.locator("[data-lack=network]").waitFor({ state: "detached" });
      }, { accessible: false });
      assert.match(await virsh("pool-info", "default"), /Autostart:\s+yes/);
      assert.match(await virsh("net-info", "default"), /Active:\s+yes/);

      await virsh("pool-destroy", "default");
      await virsh("net-destroy", "default");
      await untilNoBridge();
      await look("/", async (page) => {
        await page.getByRole("button", { name: "Start pool default" }).click();
        await page.locator("[data-lack=pool]").waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Start network default" }).click();
        await page.locator("[data-lack=network]").waitFor({ state: "detached" });
      }, { accessible: false });
      await call(server, "set_storage_pool_autostart", { pool: "default", autostart: false });
      await look("/storage", async (page) => {
        await page.getByRole("button", { name: "Start pool default with the host" }).click();
        await page.locator(".banner").filter({ hasText: "starts with the host" }).waitFor({
          state: "detached",
        });
      }, { accessible: false });
      assert.match(await virsh("pool-info", "default"), /Autostart:\s+yes/);
    },
  });
}

Deno.test({
  name: "Create VM goes on by itself once its pool and its network were created there",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using host = await privateLibvirt("empty-create");
    await using server = await startServer({ uri: host.uri });
    await using tester = await browser();
    await untilNoBridge();
    await visit(tester, `${server.url}/vms/new`, async (page) => {
      await page.getByRole("link", { name: CREATE_POOL }).click();
      await page.getByText("No storage pool is running").waitFor({ state: "detached" });
      await page.getByRole("link", { name: "Create NAT network default" }).click();
      await page.getByText("There is no network").waitFor({ state: "detached" });
      await waitForText(page, ".create-summary", "default · virtio");
    });
  },
});
