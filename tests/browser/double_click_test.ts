/** Every click twice, as fast as a hand can: what is asked for is done once, with script and without. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { CommandName } from "../../lib/contract/mod.ts";
import { backupFolder } from "../testbed/backups.ts";
import { browser, hydrated } from "../testbed/chromium.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { asRoot } from "../testbed/people.ts";
import { call, known, knownPool, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";
import { visit } from "./visit.ts";

// Times are counted: other tests' would be, too.
const reason = await requirement("guest", "chromium") ?? await ownLibvirtd("double-click");

/** Milliseconds in which a second deed would have begun. */
const LATER_MS = 1500;

/** A button, and what it does. */
interface Click {
  readonly name: string;
  readonly path: string | (() => Promise<string>);
  readonly ready?: (page: Page) => Promise<void>;
  readonly button: string;
  readonly command: CommandName;
}

/** Seconds that the longest of them takes: a boot test looks at its VM for a while. */
const LONG = { seconds: 120 } as const;

Deno.test({
  name: "what is clicked twice is done once",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using pool = await testPool("twice");
    await using vm = await testMachine({ purpose: "twice", guest: false, disks: [{ pool }], start: true });
    await using folder = await backupFolder();
    await using stack = new AsyncDisposableStack();
    const claim = async () => stack.use(await claimedVm("twice")).name;
    const names = Object.fromEntries(
      await Promise.all(
        ["with", "without"].map(async (way) =>
          [way, { clone: await claim(), restored: await claim() }] as const
        ),
      ),
    );
    await using server = await readyServer();
    await using tester = await browser();
    const vmId = vm.uuid, at = `/vms/${vmId}`;
    await known(server, vmId);
    await knownPool(server, pool.name);
    const { id: backupId } = await call(server, "create_backup", {
      name: "twice",
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    /** How often a command was carried out since a moment, and refused. */
    const done = async (command: CommandName, since: number) =>
      (await asRoot(server, "get_activity", { limit: 200 })).filter((entry) =>
        entry.action === command && entry.timestamp >= since
      ).map(({ result }) => result);
    const clicks = (way: string): readonly Click[] => [
      { name: "Pause", path: at, button: "Pause", command: "pause_vm" },
      { name: "Resume", path: at, button: "Resume", command: "resume_vm" },
      {
        name: "a snapshot",
        path: `${at}/snapshots`,
        button: "Take a snapshot",
        command: "create_snapshot",
        ready: (page) => page.getByLabel("Name").fill(`twice-${way}`),
      },
      { name: "a backup", path: `/backups/${backupId}`, button: "Run now", command: "run_backup_now" },
      {
        name: "a volume",
        path: `/storage/${pool.name}`,
        button: "Create",
        command: "create_volume",
        ready: async (page) => {
          await page.getByRole("link", { name: "Create volume" }).click();
          await page.getByLabel("Name", { exact: true }).fill(`twice-${way}.qcow2`);
        },
      },
      { name: "a verification", path: `/backups/${backupId}`, button: "Verify", command: "verify_backup" },
      { name: "a boot test", path: `/backups/${backupId}`, button: "Boot test", command: "verify_backup" },
      {
        name: "a restore",
        path: `/backups/${backupId}`,
        button: "Restore as a new VM",
        command: "restore_backup",
        ready: async (page) => {
          await page.getByRole("link", { name: `Restore ${vm.name}` }).first().click();
          await page.waitForURL(/restore/);
          if (way === "with") await hydrated(page);
          await page.getByLabel("Name of the new VM").fill(names[way]!.restored);
          await page.getByLabel("Storage pool").first().selectOption(pool.name);
        },
      },
      {
        name: "a clone",
        path: `${at}/clone`,
        button: "Clone",
        command: "clone_vm",
        ready: (page) => page.getByLabel("Name").fill(names[way]!.clone),
      },
      {
        name: "a deletion",
        button: "Delete",
        command: "delete_vm",
        path: async () => {
          const name = names[way]!.clone,
            found = (await call(server, "get_vms")).find((each) => each.name === name);
          return `/vms/${found!.id}/confirm?action=delete`;
        },
      },
    ];
    for (const javaScriptEnabled of [true, false]) {
      const way = javaScriptEnabled ? "with" : "without", began = Date.now(), all = clicks(way);
      for (const { name, path, ready, button, command } of all) {
        await t.step(
          `${name}, ${way} script`,
          async () =>
            visit(tester, server.url + (typeof path === "string" ? path : await path()), async (page) => {
              if (javaScriptEnabled) await hydrated(page);
              await ready?.(page);
              const since = Date.now();
              await page.locator("main").getByRole("button", { name: button, exact: true }).first()
                .dblclick();
              await until("it to be done", async () => (await done(command, since)).length > 0, LONG);
              if (command !== "run_backup_now") return;
              const running = async () => (await call(server, "get_backup", { backupId })).running;
              await until("the run's end", async () => !await running());
            }, { javaScriptEnabled }),
        );
      }
      await delay(LATER_MS);
      for (const [command, wanted = []] of Map.groupBy(all, (click) => click.command)) {
        assert.deepEqual(await done(command, began), wanted.map(() => "ok"), `${command}, ${way} script`);
      }
      await shows(server, vmId, ({ state }) => state === "running");
      assert.equal(
        (await virsh("snapshot-list", vm.name, "--name")).trim().split(/\s+/).length,
        javaScriptEnabled ? 1 : 2,
      );
      assert.equal((await call(server, "list_backup_runs", { backupId })).length, javaScriptEnabled ? 1 : 2);
    }
  },
});
