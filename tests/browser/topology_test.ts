/** The picture of the network in a real browser: seen, walked, zoomed, folded, live; and the same as a table. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { startServer } from "../testbed/server.ts";
import { readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { markup } from "../testbed/xml.ts";
import { becomes } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const id = (index: number, kind: string) => `00000000-0000-4000-${kind}-${String(index).padStart(12, "0")}`;

/** A host of libvirt's test driver with so many machines on four networks, as a file. */
async function manyMachines(count: number): Promise<AsyncDisposable & { uri: string }> {
  const path = await Deno.makeTempFile({ prefix: "kvmm-test-topology-", suffix: ".xml" });
  const names = ["prod", "stage", "dev", "storage"];
  const networks = names.map((name, index) =>
    markup`<network><name>${name}</name><uuid>${id(index, "9000")}</uuid><bridge name='kvmmt${
      String(index)
    }'/>
<ip address='10.77.${String(index)}.1' netmask='255.255.255.0'/></network>`
  );
  const machines = Array.from({ length: count }, (_, index) => {
    const nets = index % 40 === 7 ? [names[index % 3]!, "storage"] : [names[index % 4]!];
    const nics = nets.map((name) =>
      markup`<interface type='network'><source network='${name}'/></interface>`
    );
    return markup`<domain type='test'><name>vm-${String(index)}</name><uuid>${id(index, "8000")}</uuid>
<memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>${nics}</devices></domain>`;
  });
  await Deno.writeTextFile(path, String(markup`<node>${networks}${machines}</node>`));
  return { uri: `test://${path}`, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

const PAGE = "/networks/topology";
const focused = (page: Page) =>
  page.evaluate(() => document.activeElement?.getAttribute("data-stop") ?? document.activeElement?.className);
const scaleOf = async (page: Page) => parseInt(await page.locator(".topo-scale").innerText());

browserTest("the picture shows real machines on their networks, live, and opens them", async (t) => {
  await using network = await testNetwork("topo");
  await using vm = await testMachine({ purpose: "topo", network, guest: false });
  await using server = await readyServer();
  await using tester = await browser();
  await visit(tester, server.url + PAGE, async (page) => {
    const card = page.locator(`[data-stop="vm:${vm.uuid}"]`);
    const net = page.locator(`[data-stop="network:${network.name}"]`);
    await card.waitFor();
    assert.match(
      (await card.locator("> title").textContent())!,
      new RegExp(`^${vm.name}, Stopped, ${network.name}$`),
    );
    await t.step("a network that stops is shown so", async () => {
      await virsh("net-destroy", network.name);
      await page.locator(`[data-stop="network:${network.name}"][data-tone="off"]`).waitFor({
        timeout: 60_000,
      });
      await virsh("net-start", network.name);
      await page.locator(`[data-stop="network:${network.name}"][data-tone="ok"]`).waitFor({
        timeout: 60_000,
      });
    });
    await t.step("pointing at a network lights up what hangs on it", async () => {
      await net.hover();
      assert.equal(await card.getAttribute("data-lit"), "");
      await page.mouse.move(0, 0);
      await page.locator(".topo:not([data-lit])").waitFor();
    });
    await t.step("the arrow keys walk from it to its machine, Enter opens that", async () => {
      await net.focus();
      await page.keyboard.press("ArrowRight");
      assert.equal(await focused(page), `vm:${vm.uuid}`);
      await page.keyboard.press("Escape");
      assert.equal(await focused(page), "topo-frame");
      await card.focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(`**/vms/${vm.uuid}`);
    });
    await t.step("a click opens a network", async () => {
      await page.goto(server.url + PAGE);
      await net.click();
      await page.waitForURL(`**/networks/${network.name}`);
    });
    await t.step("the table says the same", async () => {
      await page.goto(server.url + PAGE);
      await page.getByRole("link", { name: "Table", exact: true }).click();
      const row = page.locator("tr", { hasText: vm.name });
      await row.getByRole("link", { name: network.name }).waitFor();
      assert.match(await row.innerText(), new RegExp(vm.mac!));
    });
  });
});

browserTest("200 machines fold into groups that open; the picture is moved and zoomed", async (t) => {
  await using host = await manyMachines(200);
  await using server = await startServer({ uri: host.uri });
  await using tester = await browser();
  await visit(tester, server.url + PAGE, async (page) => {
    await waitForText(page, ".topo-chip", "vm-0");
    const chips = page.locator('[data-kind="chip"]');
    const folded = await chips.count();
    assert.ok(folded < 60, `${folded} machines are shown at once`);
    await t.step("one stop is reached by the tabulator", async () => {
      await page.waitForFunction(() => document.querySelectorAll('[data-stop][tabindex="0"]').length === 1);
    });
    await t.step("a group opens in place, and is open after a reload", async () => {
      await page.locator('[data-kind="fold"]').first().click();
      await page.waitForFunction(
        (before) => document.querySelectorAll('[data-kind="chip"]').length > before,
        folded,
      );
      const open = await chips.count();
      await page.reload();
      await waitForText(page, ".topo-chip", "Show fewer");
      await becomes(() => chips.count(), open);
    });
    await t.step("it is zoomed by buttons and by the wheel, and shown whole", async () => {
      const before = await scaleOf(page);
      await page.getByRole("button", { name: "Zoom in" }).click();
      assert.ok(await scaleOf(page) > before);
      await page.getByRole("button", { name: "Show all" }).click();
      const whole = await scaleOf(page);
      assert.ok(whole < before);
      const frame = (await page.locator(".topo-frame").boundingBox())!;
      await page.mouse.move(frame.x + 200, frame.y + 100);
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, -400);
      await page.keyboard.up("Control");
      await page.waitForFunction(
        (least) => parseInt(document.querySelector(".topo-scale")!.textContent!) > least,
        whole,
      );
    });
    await t.step("it is dragged, and a drag opens nothing", async () => {
      await page.goto(server.url + PAGE);
      const card = (await page.locator('[data-kind="network"]').last().boundingBox())!;
      const frame = (await page.locator(".topo-frame").boundingBox())!;
      const y = Math.min(card.y + 10, frame.y + frame.height - 20);
      await page.mouse.move(card.x + 20, y);
      await page.mouse.down();
      await page.mouse.move(card.x + 10, y - 150, { steps: 5 });
      await page.mouse.up();
      assert.ok(await page.evaluate(() => document.querySelector(".topo-frame")!.scrollTop) > 100);
      assert.equal(new URL(page.url()).pathname, PAGE);
    });
  });
  await t.step("without JavaScript it is there, its links work and groups open", async () => {
    await visit(tester, server.url + PAGE, async (page) => {
      const shown = await page.locator('[data-kind="chip"]').count();
      await page.locator('[data-kind="fold"]').first().click();
      await page.waitForURL("**/topology?open=*");
      assert.ok(await page.locator('[data-kind="chip"]').count() > shown);
      await page.locator('[data-kind="chip"]').first().click();
      await page.waitForURL("**/vms/*");
    }, { javaScriptEnabled: false });
  });
});

browserTest("the topology is free of axe-core's violations in both themes, wide and narrow", async (t) => {
  await using few = await manyMachines(5);
  await using many = await manyMachines(200);
  await using tester = await browser();
  for (const [name, host] of [["5", few], ["200", many]] as const) {
    await using server = await startServer({ uri: host.uri });
    for (const path of [PAGE, `${PAGE}?view=table`]) {
      for (const size of [{}, PHONE]) {
        await t.step(
          `${name} machines ${path} ${size === PHONE ? "phone" : "wide"}`,
          () =>
            visit(tester, server.url + path, async (page) => {
              await page.getByRole("heading", { level: 1 }).waitFor();
              await waitForText(page, "main", "vm-0");
              assert.equal(await overflows(page), false, "wider than its window");
            }, { ...size, accessible: "in both themes" }),
        );
      }
    }
  }
});
