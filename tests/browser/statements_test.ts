/** Checks that statements of pages on a VM are true in each state, by libvirt. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { readyServer } from "../testbed/product.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** A row of facts or of a table by its first words. */
const FACT = ".description-list";

browserTest(
  "a stopped VM's agent and link are off, not broken and up; a suspended one resumes",
  async (t) => {
    await using network = await testNetwork("says");
    await using vm = await testMachine({ purpose: "says", network, vnc: true, guest: false });
    await using server = await readyServer();
    await using tester = await browser();
    const url = `${server.url}/vms/${vm.uuid}`;
    await t.step("stopped", () =>
      visit(tester, url, async (page) => {
        await waitForText(page, FACT, /Guest agent\s*VM is off/);
        const nics = page.getByRole("group", { name: "Network interfaces" });
        assert.match(await nics.textContent() ?? "", /VM is off/);
        assert.doesNotMatch(await page.locator("main").textContent() ?? "", /Does not answer/);
        await waitForText(page, ".thumbnail", "Stopped");
      }));
    await t.step("running without figures yet", async () => {
      await server.call("start_vm", { vmId: vm.uuid });
      // As the server renders it, before any figure can have come by an event.
      const html = await (await fetch(server.url, { headers: testerHeaders(server.url) })).text();
      assert.match(html, /<h2[^>]*>Busiest/);
      assert.doesNotMatch(html, /No (machine|VM) is running/);
    });
    await t.step("suspended to disk", async () => {
      await server.call("suspend_vm", { vmId: vm.uuid });
      await visit(tester, `${url}/console`, async (page) => {
        await waitForText(page, ".console-notice", "The VM is suspended");
        await page.locator(".console-notice").getByRole("button", { name: "Resume from disk" }).waitFor();
      });
      await visit(tester, `${url}/serial`, async (page) => {
        await waitForText(page, ".serial", "The VM is suspended");
      });
      await visit(tester, url, async (page) => {
        await waitForText(page, "header [role=status]", "Suspended");
        await waitForText(page, FACT, /Addresses\s*VM is suspended\s*Guest agent\s*VM is suspended/);
        const nics = page.getByRole("group", { name: "Network interfaces" });
        assert.match(await nics.textContent() ?? "", /VM is suspended/);
        assert.doesNotMatch(await page.locator("main").textContent() ?? "", /VM is off/);
        await waitForText(page, ".thumbnail", "Suspended");
        await page.getByRole("button", { name: "Resume from disk" }).click();
        await waitForText(page, "header [role=status]", "Running");
      });
    });
  },
);
