/** The pages on alerts: what fires, live; rules, silences and targets by forms; with and without script. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { call, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { looksWell, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** Seconds until something fires: two checks of five seconds, and some. */
const SOON = 40;

browserTest(
  "alerts: a rule is made by a form, fires live on the page and in the shell, and is acknowledged",
  async (t) => {
    await using server = await readyServer({ args: ["--metrics-interval", "5"] });
    await using tester = await browser();
    for (const { id } of await call(server, "list_alerts")) {
      if (id.startsWith("host-")) await call(server, "enable_alert", { alertId: id, enabled: false });
    }

    await t.step("nothing fires: the page says what to do", async () => {
      await visit(tester, `${server.url}/alerts`, async (page) => {
        await page.getByText("Nothing is firing").waitFor();
        await page.getByRole("link", { name: "Add a target" }).waitFor();
        await page.getByRole("link", { name: "Alerts", exact: true }).first().waitFor();
      }, { accessible: "in both themes" });
    });

    await t.step("an invalid rule is refused next to its field, and the typed values stay", async () => {
      await visit(tester, `${server.url}/alerts/new?watches=host_metric`, async (page) => {
        await page.getByLabel("Name").fill("VMs are <b>counted</b>");
        await page.getByLabel("Metric", { exact: true }).selectOption("vms_running");
        await page.getByLabel("Threshold", { exact: true }).fill("-1");
        await page.getByLabel("Clears at").fill("5");
        await page.getByRole("button", { name: "Create alert" }).click();
        await waitForText(page, ".form-error", "must not be above the threshold");
        await becomes(() => page.getByLabel("Name").inputValue(), "VMs are <b>counted</b>");
        await becomes(() => page.getByLabel("Metric", { exact: true }).inputValue(), "vms_running");
      }, { expected: /400/ });
    });

    await t.step("without script a rule is made", async () => {
      await visit(tester, `${server.url}/alerts/new?watches=host_metric`, async (page) => {
        await page.getByLabel("Name").fill("VMs are <b>counted</b>");
        await page.getByLabel("Severity").selectOption("critical");
        await page.getByLabel("Metric", { exact: true }).selectOption("vms_running");
        await page.getByLabel("Threshold", { exact: true }).fill("-1");
        await page.getByLabel("Checks in a row").fill("1");
        await page.getByLabel("Where").selectOption("One host");
        await page.getByLabel("Host", { exact: true }).selectOption("This host");
        await page.getByRole("button", { name: "Create alert" }).click();
        await page.waitForURL(/\/alerts\/rules/);
        await page.getByRole("row").filter({ hasText: "counted" }).filter({ hasText: "This host" }).waitFor();
        await page.getByRole("link", { name: "VMs are <b>counted</b>" }).waitFor();
      }, { javaScriptEnabled: false });
    });

    await t.step("it fires: the open page and the shell say so without a reload", async () => {
      await visit(tester, `${server.url}/alerts`, async (page) => {
        await waitForText(page, "tr[data-state=firing]", "VMs are <b>counted</b>", SOON);
        await waitForText(page, ".toast[data-tone=bad]", "VMs are <b>counted</b>");
        await page.getByRole("link", { name: "Alerts: 1 firing" }).waitFor({ timeout: 90_000 });
        assert.match(await page.locator("tr[data-state=firing]").innerText(), /VMs running is \d+, above -1/);
      }, { accessible: "in both themes" });
      await visit(tester, `${server.url}/vms`, async (page) => {
        await page.getByRole("link", { name: "Alerts: 1 firing" }).waitFor();
        assert.equal(await overflows(page), false);
      }, PHONE);
    });

    await t.step("it is acknowledged, and the badge is gone", async () => {
      await visit(tester, `${server.url}/alerts`, async (page) => {
        await page.getByRole("button", { name: /^Acknowledge VMs are/ }).click();
        await waitForText(page, "tr[data-state=acknowledged]", "Acknowledged");
        await page.getByRole("link", { name: "Alerts: 1 firing" }).waitFor({ state: "detached" });
      });
    });

    await t.step("it stands on the time line of the host, among the alerts", async () => {
      await visit(tester, `${server.url}/monitoring?range=1h`, async (page) => {
        await waitForText(page, ".activity", /Alert\s*VMs are <b>counted<\/b>: VMs running is \d+, above -1/);
        await page.getByRole("button", { name: /^Alerts/ }).click();
        await becomes(() => page.locator(".activity").filter({ hasText: "counted" }).count(), 0);
      });
    });

    await t.step("silenced, it says so, and is not silenced twice", async () => {
      await visit(tester, `${server.url}/alerts`, async (page) => {
        const row = page.locator("tr[data-state=acknowledged]");
        await row.getByRole("button", { name: /^Silence/ }).click();
        await waitForText(page, "tr[data-state=acknowledged]", "Silenced");
        await becomes(() => row.getByRole("button").count(), 0);
      });
      for (const { id } of await call(server, "list_silences")) {
        await call(server, "end_silence", { silenceId: id });
      }
    });

    await t.step("it is switched off, changed and deleted", async () => {
      await visit(tester, `${server.url}/alerts/rules`, async (page) => {
        const row = page.getByRole("row").filter({ hasText: "counted" });
        await row.getByRole("switch").click();
        await waitForText(page, "[role=status]", "was switched off");
        await page.getByRole("link", { name: "VMs are <b>counted</b>" }).click();
        await page.getByLabel("Name").fill("Renamed");
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByRole("row").filter({ hasText: "Renamed" }).filter({ hasText: "This host" }).waitFor();
        await page.getByRole("link", { name: "Renamed" }).click();
        await page.getByRole("button", { name: "Delete" }).click();
        await page.getByRole("button", { name: "Continue" }).click();
        await page.waitForURL(/\/alerts\/rules/);
        await becomes(() => page.getByRole("link", { name: "Renamed" }).count(), 0);
        await page.getByRole("link", { name: "History" }).click();
        await waitForText(page, "tr[data-state=resolved]", "The rule was changed");
      });
    });

    await t.step("a silence and a target are made; the secret is never shown again", async () => {
      await visit(tester, `${server.url}/alerts/silences`, async (page) => {
        await page.getByLabel("Reason").fill("new disks");
        await page.getByLabel("Starts").fill("2026-01-04T02:00");
        await page.getByLabel("Repeats").selectOption("Weekly");
        await page.getByLabel("Duration").selectOption("2 hours");
        await page.getByRole("button", { name: "Silence", exact: true }).click();
        await waitForText(page, "tr", /02:00.*04:00.*Weekly.*new disks/s);
        await page.getByRole("button", { name: /^End now/ }).click();
        await page.getByText("Nothing is silenced.").waitFor();
      });
      await visit(tester, `${server.url}/settings/alert-targets?channel=gotify`, async (page) => {
        await page.getByLabel("Name").fill("Phone");
        await page.getByLabel("URL").fill("http://127.0.0.1:9/");
        await page.getByLabel("Access token").fill("hidden-token");
        await page.getByRole("button", { name: "Add target" }).click();
        await waitForText(page, "[role=alert]", "127.0.0.1 is a loopback address");
        assert.equal((await page.content()).includes("hidden-token"), false);
        await page.getByLabel("URL").fill("http://127.0.0.1:9/");
        await page.getByLabel("Access token").fill("hidden-token");
        await page.getByLabel("Allow private addresses and this host").check();
        await page.getByRole("button", { name: "Add target" }).click();
        await page.locator("tr[data-target=Phone]").waitFor();
        assert.equal((await page.content()).includes("hidden-token"), false);
        await page.getByRole("button", { name: "Send a test to Phone" }).click();
        await waitForText(page, "[role=alert]", "127.0.0.1");
      }, { expected: /4\d\d|502/ });
    });

    for (
      const path of [
        "/alerts/rules",
        "/alerts/history",
        "/alerts/new",
        "/alerts/silences",
        "/settings/alert-targets",
      ]
    ) {
      await looksWell(t, tester, server.url + path, path);
    }
  },
);
