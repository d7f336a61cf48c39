/** Schedules on their pages: made, previewed, run and deleted, with and without script, on a real VM. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { looksWell, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const field = (page: Page, label: string) => page.getByLabel(label, { exact: true });
const HOSTILE = `</script><b>lab</b> & "night" \u{1f600}`;

browserTest("a schedule is made, run and deleted, with and without JavaScript", async (t) => {
  await using vm = await testMachine({ purpose: "page-schedule", guest: false });
  await using server = await readyServer();
  await known(server, vm.uuid);
  await using tester = await browser();
  for (const javaScriptEnabled of [true, false]) {
    await t.step(
      javaScriptEnabled ? "with" : "without",
      () =>
        visit(tester, `${server.url}/schedules`, async (page) => {
          await waitForText(page, "main", "No schedules yet");
          await page.getByRole("link", { name: "Create schedule" }).first().click();
          await waitForText(page, "h1", "Create schedule");
          await field(page, "Name").fill(HOSTILE);
          await becomes(() => field(page, "Shutdown timeout (seconds)").isVisible(), true);
          await field(page, "Action").selectOption("snapshot");
          await becomes(() => field(page, "Snapshots to keep").isVisible(), true);
          await field(page, "Action").selectOption("start");
          await becomes(() => field(page, "Snapshots to keep").isVisible(), false);
          await becomes(() => field(page, "Shutdown timeout (seconds)").isVisible(), false);
          await page.getByLabel(vm.name).check();

          // What is wrong is said at its field, and nothing that was typed is lost.
          await becomes(() => page.locator(".next-runs").isVisible(), true);
          await field(page, "Frequency").selectOption("weekly");
          await becomes(() => page.locator(".next-runs").isVisible(), false); // those were of the frequency before
          await becomes(() => field(page, "Day of the month").isVisible(), false);
          await page.getByRole("button", { name: "Create schedule" }).click();
          await waitForText(page, ".schedule-form", "Is needed for the frequency weekly");
          await becomes(() => field(page, "Name").inputValue(), HOSTILE);
          await becomes(() => page.getByLabel(vm.name).isChecked(), true);

          await field(page, "Frequency").selectOption("cron");
          await page.locator("input[name=cron]").fill("0 0 30 2 *");
          await page.getByRole("button", { name: "Preview" }).click();
          await waitForText(page, ".schedule-preview", "never comes");
          await page.locator("input[name=cron]").fill("30 2 * 3 0#L");
          await field(page, "Time zone").fill("Europe/Berlin");
          await page.getByRole("button", { name: "Preview" }).click();
          // On the last Sunday of March clocks go forward over half past two.
          await waitForText(page, ".schedule-preview", "03:00");
          await becomes(() => page.locator(".next-runs li").count(), 5);
          await becomes(() => page.getByLabel(vm.name).isChecked(), true);
          await page.getByRole("button", { name: "Create schedule" }).click();
          await waitForText(page, "main", "was created.");

          const row = page.locator("tr[data-schedule]");
          await waitForText(page, "tr[data-schedule]", "Cron 30 2 * 3 0#L");
          assert.match(await row.innerText(), /Never ran/);
          assert.equal(await vm.state(), "shut off");
          await row.getByRole("button", { name: "Run now" }).click();
          await until("the schedule has started the VM", async () => await vm.state() === "running");
          if (javaScriptEnabled) await waitForText(page, "tr[data-schedule]", "Done");
          await row.getByRole("switch").click();
          await waitForText(page, "tr[data-schedule]", "Off");

          await row.getByRole("link").click();
          await waitForText(page, "tr[data-run]", "1 done");
          await page.locator(".schedule-vms").getByRole("link", { name: vm.name }).waitFor();
          await waitForText(page, "tr[data-run]", "Manually");
          await page.locator("tr[data-run] summary").click();
          await waitForText(page, "tr[data-run]", `${vm.name}: Done`);
          await page.getByRole("link", { name: "Edit", exact: true }).click();
          await field(page, "Action").selectOption("stop");
          await page.locator("input[name=force]:not([type=hidden])").check();
          await page.getByRole("button", { name: "Save" }).click();
          await waitForText(page, "main", "Shut down, force off after 120 s");
          const [schedule] = await call(server, "list_schedules", {});
          assert.equal(schedule!.enabled, false, "the form keeps what it was");
          assert.deepEqual(schedule!.targets, { vmIds: [vm.uuid], tags: [], groups: [] });

          await page.locator("summary", { hasText: "Delete schedule" }).click();
          await page.getByRole("button", { name: "Delete </script>" }).click();
          await waitForText(page, "main", "was deleted.");
          await call(server, "force_stop_vm", { vmId: vm.uuid });
        }, { javaScriptEnabled, expected: /status of 400/ }),
    );
  }
});

browserTest("the pages of schedules are well in both themes, wide and on a phone", async (t) => {
  await using vm = await testMachine({ purpose: "page-schedule", guest: false });
  await using server = await readyServer();
  await known(server, vm.uuid);
  const { id } = await call(server, "create_schedule", {
    name: `long ${"name ".repeat(18)}`.trim(),
    action: "start",
    targets: { vmIds: [vm.uuid], tags: ["lab", "a-tag-that-is-rather-long-for-a-cell-of-a-table"] },
    frequency: "weekly",
    time: "07:00",
    weekdays: ["mon", "tue", "wed", "thu", "fri"],
    timeZone: "America/Argentina/ComodRivadavia",
  });
  await call(server, "run_schedule_now", { scheduleId: id });
  await until(
    "the run is over",
    async () => !(await call(server, "get_schedule", { scheduleId: id })).running,
  );
  await using tester = await browser();
  for (const path of ["/schedules", "/schedules/new", `/schedules/${id}`, `/schedules/${id}/edit`]) {
    await looksWell(t, tester, server.url + path, path.replace(id, "…"));
  }
  await t.step(
    "without script nothing is wider than a phone",
    () =>
      visit(tester, `${server.url}/schedules`, async (page) => {
        await waitForText(page, "tr[data-schedule]", "Run now");
        assert.equal(await overflows(page), false);
      }, { ...PHONE, javaScriptEnabled: false }),
  );
});
