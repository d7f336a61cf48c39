/** A disk moves to another pool through the Disks tab; virsh is the independent witness. */
import assert from "node:assert/strict";
import { bytesIn } from "../testbed/backups.ts";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { asRoot, cookieOf } from "../testbed/people.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { anonymously } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { slowStorage } from "../testbed/slow_storage.ts";
import { until } from "../testbed/wait.ts";
import { fromMenu, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
const isSlowMissing = await requirement("slowStorage") !== null;
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>, ignore = reason !== null) =>
  Deno.test({ name, ignore, fn, sanitizeOps: false, sanitizeResources: false });

const PASSWORD = "moves from here to there";
/** Console message for a refused form: refusals are the subject of the test. */
const REFUSED = /status of 4\d\d/;

/** A VM that is off, with a disk that has content, and a drive. */
async function machine(pool: TestPool) {
  const vm = await testMachine({ purpose: "tab-move", guest: false, disks: [{ pool, size: "96M" }] });
  await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 48M", vm.disks[0]!]);
  await virsh("pool-refresh", pool.name);
  return vm;
}

browserTest("a disk of a stopped VM moves to another pool, with script and without", async (t) => {
  await using from = await testPool("tab-move-from");
  await using to = await testPool("tab-move-to");
  await using vm = await machine(from);
  await using server = await readyServer();
  await using tester = await browser();
  const vmId = vm.uuid, [old] = vm.disks;
  await known(server, vmId);
  await call(server, "attach_disk", { vmId, device: "cdrom" });
  const here = `${server.url}/vms/${vmId}/disks`, row = 'tr[data-disk="vda"]';
  const place = async () => /vda +(\S+)/.exec(await virsh("domblklist", vm.name))?.[1];

  await t.step("what cannot move says why", () =>
    visit(tester, here, async (page) => {
      await page.getByRole("button", { name: /^Actions for drive/ }).click();
      const entry = page.getByRole("menuitem", { name: /^Move to another pool: drive/ });
      await entry.waitFor();
      assert.equal(await entry.getAttribute("aria-disabled"), "true");
      assert.match(await entry.getAttribute("title") ?? "", /^A drive cannot be moved/);
      const drive = /drive (\w+)$/.exec(await entry.getAttribute("aria-label") ?? "")?.[1];
      await page.goto(`${here}?do=move&device=${drive}`);
      await waitForText(page, "form.device-form", "A drive cannot be moved");
      assert.equal(await page.getByRole("button", { name: "Move", exact: true }).isDisabled(), true);
    }));

  await t.step("through the dialog", () =>
    visit(tester, here, async (page) => {
      await waitForText(page, row, `pool ${from.name}`);
      await fromMenu(page, "disk vda", "Move to another pool: disk vda");
      const dialog = page.getByRole("dialog"), pools = dialog.getByLabel("Storage pool");
      await pools.waitFor();
      assert.equal(await pools.locator(`option[value="${from.name}"]`).count(), 0, "the disk's own pool");
      await waitForText(page, "dialog", "The VM cannot be started until then");
      assert.equal(await dialog.getByLabel("Keep the old volume").isChecked(), false);
      await pools.selectOption(to.name);
      await dialog.getByRole("button", { name: "Move", exact: true }).click();
      await waitForText(page, row, `pool ${to.name}`);
      await dialog.waitFor({ state: "detached" });
      await waitForText(page, ".toast", `Move vda of ${vm.name} to ${to.name}: done`);
    }));
  assert.equal((await place())?.startsWith(`${to.path}/`), true);
  assert.equal(await exists(old!), false);
  assert.equal((await bytesIn((await place())!, "qcow2"))[2 ** 20], 0x5a);

  await t.step("a refusal stands in the form", () =>
    visit(tester, here, async (page) => {
      await fromMenu(page, "disk vda", "Move to another pool: disk vda");
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Storage pool").selectOption(from.name);
      await virsh("pool-destroy", from.name);
      await dialog.getByRole("button", { name: "Move", exact: true }).click();
      await waitForText(page, "dialog", /is not active|not found/);
      await virsh("pool-start", from.name);
    }, { expected: REFUSED }));

  await t.step("without script, to raw, with the old volume kept", () =>
    visit(tester, here, async (page) => {
      await fromMenu(page, "disk vda", "Move to another pool: disk vda");
      await page.getByLabel("Storage pool").selectOption(from.name);
      await page.getByLabel("Format").selectOption("raw");
      await page.getByLabel("Keep the old volume").check();
      await page.getByRole("button", { name: "Move", exact: true }).click();
      await page.waitForURL(/\/disks$|\/tasks\//);
      await page.goto(here);
      await waitForText(page, row, `pool ${from.name} · raw`);
    }, { javaScriptEnabled: false }));
  assert.equal((await place())?.startsWith(`${from.path}/`), true);
  assert.match(await vm.xml(), /<driver name='qemu' type='raw'/);
  assert.match(await virsh("vol-list", to.name), /qcow2/);

  await t.step("who may not delete volumes keeps the old one, and is told why", async () => {
    const grants = [{ role: "operator", on: { kind: "everything" as const } }];
    await asRoot(server, "create_user", { name: "ann", password: PASSWORD, grants });
    const signedIn = await anonymously(`${server.url}/api/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "ann", password: PASSWORD }),
    });
    await signedIn.body?.cancel();
    const [name = "", value = ""] = cookieOf(signedIn).split("=");
    const context = await tester.newContext();
    await context.addCookies([{ name, value, url: server.url }]);
    const page = await context.newPage();
    await page.goto(`${here}?do=move&device=vda`);
    const box = page.getByLabel("Keep the old volume");
    assert.deepEqual([await box.isChecked(), await box.isDisabled()], [true, true]);
    await waitForText(page, "form.device-form", "only administrators may delete it");
    const before = await place();
    await page.getByLabel("Storage pool").selectOption(to.name);
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await waitForText(page, row, `pool ${to.name}`);
    assert.equal(await exists(before!), true);
    await context.close();
  });

  for (const size of [{}, PHONE]) {
    await t.step(
      `the form, ${size === PHONE ? "phone" : "wide"}`,
      () =>
        visit(tester, `${here}?do=move&device=vda`, async (page) => {
          await page.getByLabel("Storage pool").waitFor();
          assert.equal(await overflows(page), false, "wider than its window");
        }, { ...size, accessible: "in both themes" }),
    );
  }
});

browserTest(
  "a move that takes its time stands above the list, and leads to its task",
  async (t) => {
    await using from = await testPool("tab-slow-from");
    await using to = await testPool("tab-slow-to");
    await using _slow = await slowStorage(filesOf(to.name), { path: to.path, writeRate: 2 });
    await using vm = await machine(from);
    await using server = await readyServer();
    await using tester = await browser();
    const vmId = vm.uuid, here = `${server.url}/vms/${vmId}/disks`;
    await known(server, vmId);
    const open = () => call(server, "list_jobs", { open: true });
    const cancel = async () => {
      for (const { id } of await open()) await call(server, "cancel_job", { jobId: id });
      await until("the end of the move", async () => (await open()).length === 0);
    };
    await t.step("with script", () =>
      visit(tester, here, async (page) => {
        await fromMenu(page, "disk vda", "Move to another pool: disk vda");
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel("Storage pool").selectOption(to.name);
        await dialog.getByRole("button", { name: "Move", exact: true }).click();
        await dialog.waitFor({ state: "detached" });
        const move = page.locator("[data-move]");
        await waitForText(page, "[data-move]", `Move vda of ${vm.name} to ${to.name}`);
        await waitForText(page, "[data-move]", /\d %/);
        await page.reload();
        await move.getByRole("link", { name: /^Show task/ }).waitFor();
        assert.equal(await overflows(page), false);
        await cancel();
        await move.waitFor({ state: "detached" });
        await waitForText(page, 'tr[data-disk="vda"]', `pool ${from.name}`);
      }, { ...PHONE, accessible: true }));
    await t.step("without", () =>
      visit(tester, `${here}?do=move&device=vda`, async (page) => {
        await page.getByLabel("Storage pool").selectOption(to.name);
        await page.getByRole("button", { name: "Move", exact: true }).click();
        await page.waitForURL(/\/tasks\/.+/);
        await page.goto(here);
        await page.getByRole("link", { name: /^Show task/ }).click();
        await waitForText(page, "h1", `Move vda of ${vm.name}`);
        await cancel();
      }, { javaScriptEnabled: false }));
    assert.equal((await virsh("vol-list", to.name)).includes(".qcow2"), false);
  },
  reason !== null || isSlowMissing,
);
