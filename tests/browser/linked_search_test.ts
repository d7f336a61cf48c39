/** Lists of all hosts in the browser: tasks and the audit log with what is missing, clocks that differ, VMs that are not understood. */
import assert from "node:assert/strict";
import { DAY_MS } from "../../lib/duration.ts";
import type { Job } from "../../lib/contract/mod.ts";
import { browser } from "../testbed/chromium.ts";
import { hostileLink } from "../testbed/hostile_link.ts";
import { call } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
const STALE = "dddddddd-0000-4000-8000-000000000001";

const job = (id: string, startedAt: number): Job => ({
  id,
  command: "clone_vm",
  title: `Clone ${id}`,
  actor: "ann",
  state: "done",
  progress: null,
  doneBytes: null,
  totalBytes: null,
  startedAt,
  endedAt: startedAt + 1,
  secondsLeft: null,
  error: null,
  cancellable: false,
  cancelling: false,
});

Deno.test({
  name: "tasks, the audit log, hosts and VMs of linked hosts say what is missing and how old they are",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using server = await startServer({ uri: "test:///default" });
    const status = await call(server, "get_connection_status"), [local] = await call(server, "get_vms");
    await using far = await hostileLink(status);
    await using hung = await hostileLink(status);
    far.clock.aheadMs = DAY_MS;
    const there = Date.now() + DAY_MS;
    far.said.vms = [{ ...local!, id: STALE, name: "newer" }];
    far.said.jobs = Array.from({ length: 60 }, (_, n) => job(`web-${n}`, there - n * 60_000));
    far.said.answers.get_audit_log = Array.from({ length: 3 }, (_, n) => ({
      id: 9 - n,
      timestamp: there - n * 60_000,
      actor: "ann@kvm1",
      door: "api",
      host: null,
      address: null,
      action: "set_tags",
      vmId: STALE,
      vmName: "newer",
      result: "ok",
      message: null,
      input: '{"tags":["one"]}',
      tookMs: 3,
    }));
    await call(server, "join_host", { name: "far", label: "Second floor", invitation: far.invitation });
    await call(server, "join_host", { name: "hung", invitation: hung.invitation });
    hung.hanging.add("get_audit_log").add("list_jobs");
    await until(
      "both to be read",
      async () => (await call(server, "list_hosts")).every(({ isKnown }) => isKnown),
    );
    far.said.answers.get_vm = { ...local!, id: STALE, name: "newer", state: "hibernating" };
    far.tell("vm-updated", { vm: far.said.answers.get_vm });
    await until(
      "its VM to be marked",
      async () =>
        (await call(server, "get_vms")).some(({ notUnderstoodSince }) => notUnderstoodSince !== undefined),
    );
    await using tester = await browser();
    for (
      const [name, options] of [["1440", { viewport: { width: 1440, height: 900 } }], ["390", PHONE]] as const
    ) {
      const look = (
        path: string,
        text: string,
        more: (page: Parameters<Parameters<typeof visit>[2]>[0]) => Promise<void>,
      ) =>
        visit(tester, server.url + path, async (page) => {
          await waitForText(page, "main", text);
          await more(page);
          assert.equal(await overflows(page), false, "it is no wider than the screen");
          const shots = Deno.env.get("KVMM_TEST_SHOTS");
          if (shots) {
            await page.screenshot({
              path: `${shots}/${path.replace(/\W+/g, "_")}-${name}.png`,
              fullPage: true,
            });
          }
        }, { ...options, accessible: path !== "/settings/hosts" });
      await t.step(`${name}: tasks`, async () => {
        await look("/tasks", "Clone web-0", async (page) => {
          await waitForText(page, "[data-missing-host=hung]", "It has not answered within 2 s.");
          await waitForText(page, "[data-clock-of=far]", "differs by 1 d 0 h");
          await waitForText(page, "main", "on far");
        });
        await look("/tasks?text=web&host=far", "Clone web-0", async (page) => {
          assert.equal(await page.locator("[data-missing-host]").count(), 0, "the other one was not asked");
          await page.getByRole("link", { name: "Older" }).click();
          await waitForText(page, "main", "Clone web-59");
          await page.getByRole("link", { name: "Show all" }).waitFor();
        });
        await look("/tasks?text=nothing-has-this", "Nothing matches.", () => Promise.resolve());
      });
      await t.step(`${name}: the audit log`, async () => {
        await look("/settings/audit", "Second floor", async (page) => {
          await waitForText(page, "[data-missing-host=hung]", "Not all of hung is here");
          await waitForText(page, "main", "newer");
        });
        await look("/settings/audit?host=far", "Second floor", async (page) => {
          await page.getByRole("link", { name: "Remove the filter Host: far" }).waitFor();
        });
      });
      await t.step(`${name}: hosts, and VMs`, async () => {
        await look("/settings/hosts", "Second floor", async (page) => {
          await waitForText(page, "[data-clock]", "Its clock is 1 d 0 h ahead of this host's.");
        });
        await look("/vms", "newer", async (page) => {
          await waitForText(page, `[data-vm="${STALE}"]`, "not understood, update KVM Manager here");
        });
      });
    }
    const exported = await fetch(`${server.url}/settings/audit?format=csv`);
    assert.match(await exported.text(), /far,/);
    assert.equal(exported.headers.get("x-missing-hosts"), "hung");
  },
});
