/**
 * Checks remedies for a VM that does not start: QEMU's log, and booting once from other media; with and without script.
 */
import assert from "node:assert/strict";
import { speakingCd } from "../testbed/boot_media.ts";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { call, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { fromMenu, looksWell, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");

for (const javaScriptEnabled of [true, false]) {
  Deno.test({
    name: `a VM is booted once, and QEMU's log is read, ${javaScriptEnabled ? "with" : "without"} script`,
    ignore: reason !== null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async (t) => {
      await using vm = await testMachine({
        purpose: "troublepage",
        guest: false,
        agent: false,
        disks: [{}],
        vnc: { password: "kept-1" },
      });
      const cd = `${filesOf(vm.name)}/cd.iso`, vmId = vm.uuid;
      await Deno.writeFile(cd, speakingCd("CD"));
      await virsh("attach-disk", vm.name, cd, "sda", "--config", "--type", "cdrom", "--targetbus", "sata");
      await using server = await readyServer();
      await using tester = await browser();
      await shows(server, vmId, ({ disks }) => disks.length === 2);
      const at = `${server.url}/vms/${vmId}`;
      const options = { javaScriptEnabled, expected: /status of (404|409|502)/ };

      await t.step(
        "before the first start there is no log, and the page says so",
        () => visit(tester, `${at}/log`, (page) => waitForText(page, ".banner", "No QEMU log yet"), options),
      );
      await t.step(
        "the menu leads to the choices; what is not possible says why",
        () =>
          visit(tester, at, async (page) => {
            await fromMenu(page, vm.name, "Boot once from…");
            await page.waitForURL(/\/boot$/);
            assert.equal(await page.getByRole("radio", { name: /Network/ }).isDisabled(), true);
            await waitForText(page, "label", "The VM has no network interface.");
            assert.equal(await page.getByRole("radio", { name: /CD-ROM/ }).isChecked(), true);
            if (!javaScriptEnabled) return;
            await page.getByRole("button", { name: "Start and open console" }).click();
            await waitForText(page, "main", "from the CD-ROM, this once");
          }, options),
      );
      await t.step("without the console the VM's page says from where it was started", async () => {
        if (javaScriptEnabled) await call(server, "force_stop_vm", { vmId });
        await visit(tester, `${at}/boot`, async (page) => {
          await page.getByRole("radio", { name: /Boot menu/ }).check();
          await page.getByRole("button", { name: "Start", exact: true }).click();
          await waitForText(page, ".banner", `Started ${vm.name} with the boot menu`);
        }, options);
        assert.match(await virsh("dumpxml", vm.name), /<bootmenu enable='yes' timeout='30000'\/>/);
        await call(server, "force_stop_vm", { vmId });
      });
      await t.step("the log's newest lines are in view, also on a phone", async () => {
        for (const device of [{}, PHONE]) {
          await visit(tester, `${at}/log`, async (page) => {
            await waitForText(page, ".code", "shutting down, reason=destroyed");
            const isAtEnd = await page.locator(".code").evaluate((
              { scrollTop, scrollHeight, clientHeight },
            ) => scrollHeight > clientHeight && Math.abs(scrollTop) < 2);
            assert.equal(isAtEnd, true);
            assert.equal(await overflows(page), false);
            assert.equal(await page.getByRole("link", { name: "Refresh" }).isVisible(), true);
            if (!javaScriptEnabled) return;
            assert.equal(await page.getByRole("button", { name: "Copy" }).isVisible(), true);
          }, { ...options, ...device });
        }
      });
      await t.step("a start that fails leads to the log", async () => {
        await Deno.rename(cd, `${cd}.gone`);
        await visit(tester, at, async (page) => {
          await page.getByRole("button", { name: "Start" }).click();
          const link = page.getByRole("link", { name: "QEMU's log" }).first();
          await link.waitFor();
          await link.click();
          await page.waitForURL(new RegExp(`/vms/${vmId}/log$`));
        }, options);
        await Deno.rename(`${cd}.gone`, cd);
      });
      if (!javaScriptEnabled) return;
      await looksWell(t, tester, `${at}/log`, "QEMU's log");
      await looksWell(t, tester, `${at}/boot`, "booting once");
    },
  });
}
