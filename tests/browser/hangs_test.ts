/** A VM whose QEMU hangs, as pages show it: at once, without a reload, with what helps; with and without script. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser, type TestBrowser } from "../testbed/chromium.ts";
import { freeze, thaw } from "../testbed/pid.ts";
import { privateLibvirt, type PrivateMachine } from "../testbed/private_libvirt.ts";
import { call, readyServer, shows } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { looksWell, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");

/** Seconds in which everybody is told. */
const AT_ONCE = 10;
const NOTE = ".hang-note";

/** Stops a machine's QEMU where it stands until disposed of. */
async function hang(machine: PrivateMachine): Promise<AsyncDisposable> {
  const pid = await machine.qemuPid() ?? assert.fail(`${machine.name} has no QEMU`);
  await freeze(pid);
  return { [Symbol.asyncDispose]: () => thaw(pid) };
}

/** Pages that are open at the same time: the VM's, the list and the dashboard. */
async function withPages(
  tester: TestBrowser,
  { url }: TestServer,
  vmId: string,
  look: (vm: Page, list: Page, dashboard: Page) => Promise<void>,
): Promise<void> {
  await visit(
    tester,
    `${url}/vms/${vmId}`,
    (vm) =>
      visit(tester, `${url}/vms`, (list) => visit(tester, url, (dashboard) => look(vm, list, dashboard))),
  );
}

Deno.test({
  name: "a VM that does not respond is told on open pages, and forced off there",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using host = await privateLibvirt("hangs-page");
    const stuck = await host.machine({ start: true }), other = await host.machine({ start: true });
    await using server = await readyServer({ uri: host.uri });
    await using tester = await browser();
    for (const { uuid } of [stuck, other]) await shows(server, uuid, ({ state }) => state === "running");
    const at = `${server.url}/vms/${stuck.uuid}`;

    await t.step(
      "the VM's page, the list and the dashboard say so, and that it is over",
      () =>
        withPages(tester, server, stuck.uuid, async (vm, list, dashboard) => {
          const row = list.locator(`[data-vm="${stuck.uuid}"]`);
          await waitForText(list, `[data-vm="${stuck.uuid}"] .state`, "Running");
          {
            await using _hung = await hang(stuck);
            await Promise.all([
              waitForText(vm, NOTE, "Not responding since", AT_ONCE),
              waitForText(vm, ".page-head .state", "Not responding", AT_ONCE),
              row.getByText("Not responding").waitFor({ timeout: AT_ONCE * 1000 }),
              waitForText(dashboard, ".attention-list", "Not responding since", AT_ONCE),
            ]);
            await waitForText(vm, NOTE, /QEMU (process is stopped|does not answer)/);
            await waitForText(vm, NOTE, "Other VMs are not affected");
            assert.equal(await vm.locator(NOTE).getByRole("button", { name: "Force off" }).isEnabled(), true);
            for (const name of ["Shut down", "Reboot", "Pause"]) {
              const button = vm.getByRole("button", { name, exact: true });
              assert.equal(await button.isDisabled(), true, name);
              assert.match(await button.getAttribute("title") ?? "", /can only be forced off/);
            }
            assert.equal(await row.getByRole("button", { name: /^Shut down/ }).isDisabled(), true);
            const link = dashboard.locator(".attention-list").getByRole("link", { name: stuck.name });
            assert.equal(await link.count(), 1, "once");
          }
          await vm.locator(NOTE).waitFor({ state: "detached" });
          await waitForText(vm, ".page-head .state", "Running");
          await waitForText(list, `[data-vm="${stuck.uuid}"] .state`, "Running");
          await dashboard.locator(".attention-list").getByRole("link", { name: stuck.name })
            .waitFor({ state: "detached" });
        }),
    );

    await t.step("the activity has its beginning and its end", async () => {
      const entries = await call(server, "get_activity", { vmId: stuck.uuid });
      const events = entries.filter(({ action }) =>
        action === "not-responding" || action === "responds-again"
      );
      assert.deepEqual(events.map(({ action }) => action), ["responds-again", "not-responding"]);
    });

    const pid = await stuck.qemuPid() ?? assert.fail("it has no QEMU");
    await using _hung = await hang(stuck);
    await shows(server, stuck.uuid, ({ responsive }) => !responsive, { seconds: AT_ONCE });
    await looksWell(t, tester, at, "the VM's page");
    await looksWell(t, tester, server.url, "the dashboard");
    await t.step("the list fits a phone", () =>
      visit(tester, `${server.url}/vms`, async (page) => {
        await waitForText(page, "[data-vm]", "Not responding");
        assert.equal(await overflows(page), false);
      }, PHONE));

    await t.step("pools, file systems and networks show it where they are, with what helps", async () => {
      await host.virsh("pool-define-as", "archive", "dir", "--target", "/var/lib/libvirt");
      const since = Date.now() - 60_000, remedy = "Check the server behind it.";
      const hangs = [
        { about: "pool", name: "archive", since, call: "virStoragePoolRefresh", remedy },
        { about: "storage", name: "/srv/cold", since, call: "statfs", remedy: "umount -l /srv/cold" },
      ];
      const told = async (page: Page) => {
        await page.route(/list_hangs/, (route) => route.fulfill({ json: hangs }));
        const asked = page.waitForRequest(/list_hangs/);
        await thaw(pid);
        await asked.finally(() => freeze(pid));
        await shows(server, stuck.uuid, ({ responsive }) => !responsive, { seconds: AT_ONCE });
      };
      await visit(tester, `${server.url}/storage`, async (page) => {
        await told(page);
        await waitForText(page, "[data-pool=archive]", /Not responding.*Check the server behind it/s);
        await waitForText(page, ".banner", "File system /srv/cold has not responded since");
        await waitForText(page, ".banner", "umount -l /srv/cold");
      });
      await visit(tester, server.url, async (page) => {
        await told(page);
        await waitForText(page, "[data-hang=pool]", "virStoragePoolRefresh does not return");
        assert.equal(
          await page.getByRole("link", { name: "archive" }).getAttribute("href"),
          "/storage/archive",
        );
      });
    });

    await t.step(
      "without script the same stands there, and the question before it is forced off",
      async () => {
        await visit(tester, at, async (page) => {
          await waitForText(page, NOTE, "Not responding since");
          await page.locator(NOTE).getByRole("button", { name: "Force off" }).click();
          await page.waitForURL(/\/confirm\?action=force_stop/);
          await page.goBack();
        }, { javaScriptEnabled: false });
      },
    );

    await t.step("it is forced off from its page", () =>
      visit(tester, at, async (page) => {
        await page.locator(NOTE).getByRole("button", { name: "Force off" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Force off" }).click();
        // libvirt takes a QEMU that was killed because it cannot answer for one that crashed, where it sees that first
        await waitForText(page, ".page-head .state", /Stopped|Crashed/, 45);
        await page.locator(NOTE).waitFor({ state: "detached" });
      }));
    assert.equal((await call(server, "get_vm", { vmId: other.uuid })).responsive, true);
  },
});
