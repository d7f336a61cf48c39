/** Backups on their pages: made, run, verified, restored and deleted, with and without script, on a real VM. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { backupFolder, done, runOf } from "../testbed/backups.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { looksWell, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const field = (page: Page, label: string) => page.getByLabel(label, { exact: true });

browserTest("a VM is backed up, verified and restored, with and without JavaScript", async (t) => {
  await using pool = await testPool();
  await using vm = await testMachine({ purpose: "page-backup", guest: false, disks: [{ pool, size: "8M" }] });
  await using server = await readyServer();
  await known(server, vm.uuid);
  await using tester = await browser();
  const path = await Deno.makeTempDir({ dir: "/var/lib/libvirt", prefix: "kvmm-test-backup-" });
  await Deno.chmod(path, 0o711);
  try {
    for (const javaScriptEnabled of [true, false]) {
      const restored = `${vm.name}-${javaScriptEnabled ? "js" : "plain"}`;
      await t.step(
        javaScriptEnabled ? "with" : "without",
        () =>
          visit(tester, `${server.url}/backups`, async (page) => {
            await waitForText(page, "main", "No backup jobs yet");
            await page.getByRole("link", { name: "Create backup job" }).first().click();
            await waitForText(page, "h1", "Create backup job");
            await field(page, "Name").fill("<b>nightly</b>");
            await field(page, "Folder").fill("/no/such/folder");
            await page.locator("main").getByRole("button", { name: "Create backup job" }).click();
            await waitForText(page, "main", "cannot be used");
            await becomes(() => field(page, "Name").inputValue(), "<b>nightly</b>");
            await field(page, "Folder").fill(path);
            await page.getByLabel("All VMs").uncheck();
            await page.getByLabel(vm.name).check();
            await field(page, "Frequency").selectOption("by-hand");
            await becomes(() => field(page, "Time").isVisible(), false);
            await page.locator("main").getByRole("button", { name: "Create backup job" }).click();
            await waitForText(page, "main", "Nothing has been backed up yet.");
            await waitForText(page, "tr[data-backup]", "Never ran");
            await page.locator("tr[data-backup]").getByRole("button", { name: "Run now" }).click();
            await waitForText(page, "main", "is running.");
            await until("the run's end", async () => {
              const [backup] = await call(server, "list_backups");
              return backup!.lastRun?.state === "done";
            });
            // With script the list follows the run by itself.
            if (!javaScriptEnabled) await page.goto(`${server.url}/backups`);
            await waitForText(page, "tr[data-backup]", "Never verified");
            await page.locator("tr[data-backup]").getByRole("link").click();
            await waitForText(page, "main", "VM was off");
            await page.getByRole("button", { name: "Verify" }).first().click();
            await waitForText(page, "main", "Intact");
            await waitForText(page, ".backup-calendar [data-verified]", "Done, backups: Intact");
            await page.getByRole("link", { name: `Restore ${vm.name}` }).first().click();
            await waitForText(page, "h1", `Restore ${vm.name}`);
            await field(page, "Name of the new VM").fill(restored);
            await page.getByLabel("Storage pool").first().selectOption(pool.name);
            await page.getByRole("button", { name: "Restore as a new VM" }).click();
            await page.waitForURL(/\/tasks\//);
            // Without script a page does not follow the task.
            await until("the restore's end", async () => {
              if (!javaScriptEnabled) await page.reload();
              return (await page.locator(".job").innerText()).includes("Done");
            });
            assert.match(await page.locator(".job-log").innerText(), /Restoring vda to /);
            await page.getByRole("link", { name: "Show the VM" }).click();
            await waitForText(page, "h1", restored);
            assert.match(await virsh("list", "--all", "--name"), new RegExp(restored));
            await page.goto(`${server.url}/backups`);
            await page.locator("tr[data-backup]").getByRole("link").click();
            await page.getByRole("link", { name: "Edit", exact: true }).click();
            await field(page, "Newest backups to keep").fill("3");
            await page.getByRole("button", { name: "Save" }).click();
            await waitForText(page, "main", "the newest 3 backups of each VM");
            await page.locator("details.edit summary").click();
            await page.getByRole("button", { name: /^Delete <b>/ }).click();
            await waitForText(page, "main", "No backup jobs yet");
          }, { javaScriptEnabled, expected: /status of 4/ }),
      );
      await virsh("undefine", restored);
    }
    await t.step(
      "a VM's tab backs up now: the form of a new job is for that VM alone; then it runs",
      async () => {
        for (const javaScriptEnabled of [true, false]) {
          await visit(tester, `${server.url}/vms/${vm.uuid}/backups`, async (page) => {
            await page.getByRole("link", { name: "Back up now" }).click();
            await becomes(() => page.getByLabel("All VMs").isChecked(), false);
            assert.equal(await page.getByLabel(vm.name).isChecked(), true);
            assert.equal(await field(page, "Name").inputValue(), vm.name);
            await field(page, "Folder").fill(path);
            await page.locator("main").getByRole("button", { name: "Create backup job" }).click();
            await waitForText(
              page,
              "main",
              `The backup job ${vm.name} was created. Nothing has been backed up yet.`,
            );
            await page.reload();
            await waitForText(page, "tr[data-backup]", vm.name);
            await becomes(() => page.getByText("was created").count(), 0);
            await page.getByRole("button", { name: "Back up now" }).click();
            await waitForText(page, "main", `The backup job ${vm.name} is running.`);
            const [made] = await call(server, "list_backups");
            await until(
              "the run's end",
              async () => !(await call(server, "get_backup", { backupId: made!.id })).running,
            );
            await call(server, "delete_backup", { backupId: made!.id });
          }, { javaScriptEnabled });
        }
      },
    );
    await t.step("a VM is added to a job that does not include it", async () => {
      const { id } = await call(server, "create_backup", {
        name: "other",
        folder: path,
        targets: { tags: ["x"] },
      });
      await visit(tester, `${server.url}/vms/${vm.uuid}/backups`, async (page) => {
        await page.getByLabel("Add to a job").selectOption({ label: "other" });
        await page.getByRole("button", { name: "Add", exact: true }).click();
        await waitForText(page, "main", `${vm.name} was added to the backup job other.`);
        await becomes(() => page.getByLabel("Add to a job").count(), 0);
      });
      const { targets } = await call(server, "get_backup", { backupId: id });
      assert.deepEqual([targets.vmIds, targets.tags], [[vm.uuid], ["x"]]);
      await call(server, "delete_backup", { backupId: id });
    });
    const { id } = await call(server, "create_backup", {
      name: "looks",
      folder: path,
      targets: { vmIds: [vm.uuid] },
      frequency: "daily",
      time: "02:00",
    });
    await t.step(
      "a VM's tab has its backups and copies, and follows a run",
      () =>
        visit(tester, `${server.url}/vms/${vm.uuid}/backups`, async (page) => {
          await waitForText(page, "tr[data-backup]", "looks");
          await waitForText(page, "tr[data-copy]", "VM was off");
          const rows = await page.locator("tr[data-copy]").count();
          await call(server, "run_backup_now", { backupId: id });
          await until("the new copy", async () => await page.locator("tr[data-copy]").count() === rows + 1);
          await waitForText(page, "tr[data-backup]", "Never verified");
          await page.locator("tr[data-backup]").getByRole("button", { name: "Run now" }).click();
          await waitForText(page, "main", "is running.");
          await until("the run's end", async () => {
            const { running } = await call(server, "get_backup", { backupId: id });
            return !running;
          });
          await page.getByRole("link", { name: `Restore ${vm.name}` }).first().click();
          await waitForText(page, "h1", `Restore ${vm.name}`);
        }),
    );
    const vault = `${path}/vault`;
    await Deno.mkdir(vault);
    await t.step(
      "a target is made, and a backup goes to it, and back to its folder, with one choice",
      async () => {
        await visit(tester, `${server.url}/settings/backup-targets`, async (page) => {
          await waitForText(page, "main", "No backup targets yet");
          const form = page.locator("form", { has: page.getByLabel("Passphrase again") });
          const type = async (again: string) => {
            await form.getByLabel("Name").fill("vault");
            await form.getByLabel("Folder").fill(vault);
            await form.getByLabel("Passphrase", { exact: true }).fill("correct horse battery");
            await form.getByLabel("Passphrase again").fill(again);
            await form.getByRole("button", { name: "Create backup target" }).click();
          };
          await type("another");
          await waitForText(page, "main", "is not the same passphrase");
          await type("correct horse battery");
          await waitForText(page, "tr[data-target=vault]", "Encrypted");
          await page.getByRole("button", { name: "Test connection: vault" }).click();
          await waitForText(page, "main", "The connection to");
        }, { expected: /status of 4/ });
        const goesTo = async (choice: string, folder: string | undefined) =>
          await visit(tester, `${server.url}/backups/${id}/edit`, async (page) => {
            await field(page, "Target").selectOption({ label: choice });
            await becomes(() => field(page, "Folder").isVisible(), folder !== undefined);
            if (folder !== undefined) await field(page, "Folder").fill(folder);
            await page.getByRole("button", { name: "Save" }).click();
            await waitForText(page, "main", "was saved.");
            return await waitForText(page, "main", folder ?? "vault");
          });
        await goesTo("vault (encrypted)", undefined);
        const { target, encrypted } = await call(server, "get_backup", { backupId: id });
        assert.deepEqual([target?.name, encrypted], ["vault", true]);
        await goesTo("A folder of this host", path);
        assert.equal((await call(server, "get_backup", { backupId: id })).target, null);
      },
    );
    for (const kind of ["folder", "pool", "s3", "sftp"]) {
      const place = `/settings/backup-targets?kind=${kind}`;
      await looksWell(t, tester, `${server.url}${place}`, place);
    }
    const run = (await call(server, "list_backup_runs", { backupId: id })).at(-1);
    assert.equal(run!.found, true, "the copies of a deleted backup are there");
    const query = new URLSearchParams({ run: run!.id, vm: vm.uuid });
    const places = ["", "/new", `/${id}`, `/${id}/edit`, `/${id}/restore?${query}`];
    for (const place of places) {
      await looksWell(
        t,
        tester,
        `${server.url}/backups${place}`,
        `/backups${place.replace(id, "…").split("?")[0]}`,
      );
    }
    await looksWell(t, tester, `${server.url}/vms/${vm.uuid}/backups`, "/vms/…/backups");
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});

browserTest("each of many runs is reached from the page of its backup, and its copy restored", async (t) => {
  await using pool = await testPool();
  await using vm = await testMachine({ purpose: "page-runs", guest: false, disks: [{ pool, size: "1M" }] });
  await using folder = await backupFolder();
  await using server = await readyServer();
  await known(server, vm.uuid);
  const { id } = await call(server, "create_backup", {
    name: "often",
    folder: folder.path,
    targets: { vmIds: [vm.uuid] },
    keep: 100,
  });
  const runIds: string[] = [];
  for (let count = 0; count < 52; count++) {
    const run = await runOf(server, id);
    done(run);
    runIds.push(run.id);
  }
  const [oldest = ""] = runIds, [day] = await call(server, "list_backup_days", { backupId: id });
  assert.equal(day!.runId, runIds.at(-1));
  await using tester = await browser();
  for (const javaScriptEnabled of [true, false]) {
    await t.step(
      javaScriptEnabled ? "with script" : "without script",
      () =>
        visit(tester, `${server.url}/backups/${id}`, async (page) => {
          await becomes(() => page.locator("article[id^=run-]").count(), 50);
          assert.equal(await page.locator(`#run-${oldest}`).count(), 0);
          await page.getByRole("link", { name: "Older runs" }).click();
          await becomes(() => page.locator("article[id^=run-]").count(), 2);
          // The calendar leads to today's newest run, which is on the other page.
          await page.locator(".backup-calendar a").last().click();
          await becomes(() => page.locator(`#run-${runIds.at(-1)}`).count(), 1);
          await page.goBack();
          await page.locator(`#run-${oldest}`).getByRole("link", { name: "Restore" }).click();
          await waitForText(page, "h1", `Restore ${vm.name}`);
        }, { javaScriptEnabled }),
    );
  }
});
