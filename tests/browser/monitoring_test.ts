/** The graphs of real VMs and the host, over a past that the store of metrics has. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { pastOfHost, pastOfVm, writePast } from "../testbed/metrics_past.ts";
import { asRoot, signedIn } from "../testbed/people.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { looksWell, overflows, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
const DAYS = 3, HOUR = 3600;

/** The canvas of a graph; it is there once uPlot has drawn it. */
const canvas = (page: Page, id: string) => page.locator(`figure[data-graph="${id}"] canvas`);

/** Drags over a part of a graph, from one share of its width to another. */
async function drag(page: Page, id: string, from: number, to: number): Promise<void> {
  const over = page.locator(`figure[data-graph="${id}"] .u-over`);
  await over.scrollIntoViewIfNeeded();
  const box = (await over.boundingBox())!, y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * (from + to) / 2, y, { steps: 4 });
  await page.mouse.move(box.x + box.width * to, y, { steps: 4 });
  await page.mouse.up();
}

/** Pixels of a graph that are of a line's colour: a gap has none of them. @param side share of its width */
function inkIn(page: Page, id: string, from: number, to: number): Promise<number> {
  return canvas(page, id).evaluate((element, [from, to]) => {
    const canvas = element as HTMLCanvasElement, ratio = devicePixelRatio;
    const probe = document.createElement("i");
    probe.dataset.series = "cpu";
    document.body.append(probe);
    const [red, green, blue] = getComputedStyle(probe).color.match(/\d+/g)!.map(Number);
    probe.remove();
    // The area where uPlot draws: next to its axes
    const left = 68 * ratio, width = canvas.width - left - 16 * ratio;
    const { data } = canvas.getContext("2d")!.getImageData(
      left + width * from!,
      0,
      width * (to! - from!),
      canvas.height - 30 * ratio,
    );
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const off = Math.abs(data[at]! - red!) + Math.abs(data[at + 1]! - green!) +
        Math.abs(data[at + 2]! - blue!);
      // The areas are of the same colour, but almost transparent; a line's edge is a little so
      if (data[at + 3]! > 180 && off < 90) count++;
    }
    return count;
  }, [from, to]);
}

Deno.test({
  name:
    "graphs: ranges, zoom, gaps, marks, CSV, PNG and comparison, in both themes, on a phone and without script",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using vm = await testMachine({ purpose: "graphs", start: true, guest: false, disks: [{}] });
    await using other = await testMachine({ purpose: "graphs-off", guest: false });
    await using folder = await testFolder();
    const now = Math.floor(Date.now() / 1000);
    const gap = { from: now - 16 * HOUR, to: now - 12 * HOUR };
    writePast(folder.path, [
      ...pastOfHost(),
      ...pastOfVm(vm.uuid).map((series) => ({
        ...series,
        at: (time: number) => time > gap.from && time < gap.to ? NaN : series.at(time),
      })),
    ], DAYS);
    await using server = await startServer({ dataDir: folder.path });
    await using tester = await browser();
    await server.call("pause_vm", { vmId: vm.uuid });
    await server.call("resume_vm", { vmId: vm.uuid });
    const path = `/vms/${vm.uuid}/monitoring`, page24 = `${server.url}${path}?range=24h`;

    await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
      await t.step("the tab shows the last hour; a link shows a day", async () => {
        await page.getByRole("link", { name: "Monitoring" }).click();
        await page.waitForURL(`**${path}`);
        await canvas(page, "cpu").waitFor();
        await becomes(() => page.locator("nav .segment[aria-current]").textContent(), "1 h");
        await page.getByRole("link", { name: "24 h", exact: true }).click();
        await page.waitForURL(`**${path}?range=24h`);
        await canvas(page, "cpu").waitFor();
        for (const id of ["memory", "disk", "disk-ops", "disk-latency", "network"]) {
          await page.locator(`figure[data-graph="${id}"]`).waitFor();
        }
      });
      await t.step("a gap is a gap", async () => {
        const at = (time: number) => 1 - (now - time) / (24 * HOUR);
        let seen = 0;
        await until("the line is drawn after the gap", async () => {
          seen = await inkIn(page, "cpu", at(gap.to) + 0.02, at(gap.to) + 0.16);
          return seen > 20;
        }, { lastSeen: () => `${seen} pixels of it` });
        assert.equal(await inkIn(page, "cpu", at(gap.from) + 0.02, at(gap.to) - 0.02), 0);
      });
      await t.step("one cursor over all graphs, by mouse and by keys", async () => {
        await page.locator(`figure[data-graph="cpu"] .u-over`).hover();
        await waitForText(page, `figure[data-graph="memory"] .history-about`, /\d\d:\d\d/);
        await page.mouse.move(2, 2);
        await waitForText(page, `figure[data-graph="memory"] .history-about`, /^(?:p95|max) /);
        await page.locator(`figure[data-graph="cpu"] .history-box`).focus();
        await page.keyboard.press("ArrowLeft");
        await waitForText(page, `figure[data-graph="memory"] .history-about`, /\d\d:\d\d/);
      });
      await t.step("what happened is listed, and can be taken from the time line", async () => {
        await waitForText(page, ".activity", "Paused");
        await page.getByRole("button", { name: /^Power/ }).click();
        await waitForText(page, "main", "No events in this range");
      });
      await t.step(
        "a drag shows what was dragged over, and is in the address; a double click goes back",
        async () => {
          await drag(page, "cpu", 0.6, 0.8);
          await page.waitForURL(/[?&]from=/);
          const query = new URL(page.url()).searchParams;
          const from = Date.parse(query.get("from")!) / 1000, to = Date.parse(query.get("to")!) / 1000;
          assert.ok(Math.abs(to - from - 0.2 * 24 * HOUR) < 0.02 * 24 * HOUR, `${from} to ${to}`);
          assert.ok(Math.abs(to - (now - 0.2 * 24 * HOUR)) < 0.02 * 24 * HOUR);
          await page.locator("[data-range]").waitFor();
          await page.reload();
          await page.locator("[data-range]").waitFor();
          await canvas(page, "cpu").waitFor();
          await drag(page, "memory", 0.2, 0.5);
          await until(
            "it is zoomed again",
            () => Promise.resolve(new URL(page.url()).searchParams.get("from") !== query.get("from")),
          );
          await page.locator(`figure[data-graph="cpu"] .u-over`).dblclick();
          await until(
            "it is back",
            () => Promise.resolve(new URL(page.url()).searchParams.get("from") === query.get("from")),
          );
        },
      );
      await t.step("a graph is saved as a picture", async () => {
        const download = page.waitForEvent("download");
        await page.getByRole("button", { name: "Save CPU as PNG" }).click();
        const bytes = await Deno.readFile(await (await download).path());
        assert.deepEqual([...bytes.subarray(1, 4)], [..."PNG"].map((sign) => sign.charCodeAt(0)));
        assert.ok(bytes.length > 3000, "there is something in it");
      });
    });

    await t.step("CSV has all that is known of the range, and is a file", async () => {
      const response = await fetch(`${server.url}${path}/csv?range=24h`);
      assert.match(response.headers.get("content-disposition")!, /^attachment; filename=".+\.csv"/);
      assert.match(response.headers.get("content-type")!, /^text\/csv/);
      const [head, ...rows] = (await response.text()).trimEnd().split("\r\n");
      const columns = head!.split(","), cpu = columns.indexOf("cpu_usage avg [percent]");
      assert.equal(columns[0], "time");
      assert.ok(cpu > 0 && columns.includes("disk_read_bytes vdb max [bytes/s]"), head);
      assert.ok(rows.length > 1400, `${rows.length} minutes`);
      const at = (time: number) =>
        rows.find((row) => row.startsWith(new Date(time * 1000).toISOString().slice(0, 16)))!;
      assert.equal(at(gap.from + HOUR).split(",")[cpu], "", "a gap is empty");
      assert.ok(Number(at(now - 2 * HOUR).split(",")[cpu]) > 0);
      const host = await fetch(`${server.url}/monitoring/csv?range=1h`);
      assert.match(await host.text(), /^time,cpu_usage \[percent\],/);
    });

    await visit(tester, page24, async (page) => {
      await t.step("without script there are figures, pictures and links", async () => {
        await waitForText(page, "table", "CPU · used");
        assert.ok(await page.locator("svg.history-picture path.history-line").count() >= 10);
        assert.match(
          (await page.locator("svg.history-picture path.history-line").first().getAttribute("d"))!,
          /^M[\d.]+ [\d.]+L.*M/,
          "two runs: there is a gap",
        );
        await page.getByRole("link", { name: "7 d", exact: true }).click();
        await page.waitForURL("**?range=7d");
        await waitForText(page, "table", "CPU · used");
      });
    }, { javaScriptEnabled: false });

    await visit(tester, `${server.url}/`, async (page) => {
      await t.step("the host's page is reached from the dashboard", async () => {
        await page.locator("main").getByRole("link", { name: "Monitoring" }).click();
        await waitForText(page, "h1", "Host monitoring");
        for (const id of ["cpu", "memory", "load", "pressure", "disk", "network"]) {
          await page.locator(`figure[data-graph="${id}"]`).waitFor();
        }
        await page.getByRole("link", { name: "virbr0" }).first().click();
        await page.waitForURL(/[?&]nic=virbr0/);
      });
      await t.step("live graphs open with what is stored", async () => {
        await page.getByRole("link", { name: "Live" }).click();
        await page.waitForURL(/range=live/);
        await page.locator(".graph-box canvas").first().waitFor();
      });
    });

    await visit(tester, `${server.url}/vms?q=${vm.name.slice(0, -8)}`, async (page) => {
      await t.step("VMs that are selected in the list are compared; by CPU first", async () => {
        for (const { name } of [vm, other]) await page.getByRole("checkbox", { name }).check();
        await page.getByRole("link", { name: "Compare" }).click();
        await waitForText(page, "h1", "Compare VMs");
        await page.locator(`figure[data-graph="cpu"] canvas`).waitFor();
        assert.deepEqual(await page.locator("tbody tr").count(), 2);
        await page.getByRole("link", { name: "Disk reads" }).click();
        await page.locator(`figure[data-graph="disk-read"] canvas`).waitFor();
        await page.getByRole("link", { name: `Take ${other.name} out` }).click();
        await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
        await page.getByRole("combobox", { name: "VM or host" }).selectOption("host");
        await page.getByRole("button", { name: "Add", exact: true }).click();
        await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 2);
        assert.equal(await page.locator(`tbody a[href="/monitoring"]`).innerText(), Deno.hostname());
      });
    });
    await t.step("who sees one VM sees its graphs, no other's, and not the host's", async () => {
      const password = "correct horse battery";
      const grants = [{ role: "viewer", on: { kind: "vm" as const, vmId: vm.uuid } }];
      await asRoot(server, "create_user", { name: "onlooker", password, grants });
      const person = await signedIn(server, "onlooker", password);
      const read = async (at: string) => {
        const response = await person.fetch(at);
        return [response.status, await response.text()] as const;
      };
      const [status, html] = await read(path);
      assert.equal(status, 200);
      assert.match(html, /CPU · used/);
      assert.equal((await read(`${path}/csv`))[0], 200);
      for (const hidden of [`/vms/${other.uuid}/monitoring`, `/vms/${other.uuid}/monitoring/csv`]) {
        assert.equal((await read(hidden))[0], 404, hidden);
      }
      for (const host of ["/monitoring", "/monitoring/csv"]) assert.equal((await read(host))[0], 403, host);
      const [, overview] = await read(`/vms/${vm.uuid}`);
      assert.match(overview, /"seed":\[\{"at":\d{13},/, "the overview begins with what is stored");
      const [home, dashboard] = await read("/");
      assert.deepEqual(
        [home, /"seed":\[\{/.test(dashboard)],
        [200, false],
        "the host's load is not for this person",
      );
      const [, compared] = await read(`/monitoring/compare?vm=${vm.uuid}&vm=${other.uuid}`);
      assert.match(compared, /1 VM is left out/);
      assert.ok(!compared.includes(other.name));
      const [hostNextToVm, text] = await read(`/monitoring/compare?vm=${vm.uuid}&vm=host`);
      assert.deepEqual([hostNextToVm, /1 VM is left out/.test(text), /value="host"/.test(text)], [
        200,
        true,
        false,
      ]);
    });
    await t.step(
      "more VMs than can be told apart are cut off, and VMs that are gone left out, both said",
      async () => {
        const gone = Array.from({ length: 12 }, () => `vm=${crypto.randomUUID()}`).join("&");
        const html = await (await fetch(`${server.url}/monitoring/compare?vm=${vm.uuid}&${gone}`)).text();
        assert.match(html, /13 VMs are selected\. 12 can be compared at once/);
        assert.match(html, /11 VMs are left out/);
      },
    );
    await t.step(
      "a VM that never ran says so",
      () =>
        visit(tester, `${server.url}/vms/${other.uuid}/monitoring`, async (page) => {
          await waitForText(page, "main", "No data yet");
          await waitForText(page, "main", "This VM is Stopped. Graphs begin when it runs.");
          assert.equal(await overflows(page), false);
        }),
    );

    await looksWell(t, tester, page24, "a VM's page");
    await looksWell(t, tester, `${server.url}/monitoring?range=6h`, "the host's page");
    await looksWell(
      t,
      tester,
      `${server.url}/monitoring/compare?vm=${vm.uuid}&vm=${other.uuid}`,
      "the comparison",
    );
  },
});
