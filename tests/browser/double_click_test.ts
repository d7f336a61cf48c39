/** Every click twice, as fast as a hand can: what is asked for is done once, with script and without. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { CommandName } from "../../lib/contract/mod.ts";
import { browser, hydrated } from "../testbed/chromium.ts";
import { testFolder } from "../testbed/folder.ts";
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
  readonly path: string;
  readonly ready?: (page: Page) => Promise<void>;
  readonly button: string;
  readonly command: CommandName;
}

Deno.test({
  name: "what is clicked twice is done once",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using pool = await testPool("twice");
    await using vm = await testMachine({ purpose: "twice", guest: false, disks: [{ pool }], start: true });
    await using folder = await testFolder();
    await using server = await readyServer();
    await using tester = await browser();
    const vmId = vm.uuid, at = `/vms/${vmId}`;
    await known(server, vmId);
    await knownPool(server, pool.name);
    const { id: backupId } = await call(server, "create_backup", {
      ...{ name: "twice", folder: folder.path, targets: { vmIds: [vmId] } },
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
        ...{
          name: "a snapshot",
          path: `${at}/snapshots`,
          button: "Take a snapshot",
          command: "create_snapshot",
        },
        ready: (page) => page.getByLabel("Name").fill(`twice-${way}`),
      },
      { name: "a backup", path: `/backups/${backupId}`, button: "Run now", command: "run_backup_now" },
      {
        ...{
          name: "a volume",
          path: `/storage/${pool.name}`,
          button: "Create",
          command: "create_volume",
        },
        ready: async (page) => {
          await page.getByRole("link", { name: "Create volume" }).click();
          await page.getByLabel("Name", { exact: true }).fill(`twice-${way}.qcow2`);
        },
      },
    ];
    for (const javaScriptEnabled of [true, false]) {
      const way = javaScriptEnabled ? "with" : "without";
      for (const { name, path, ready, button, command } of clicks(way)) {
        await t.step(`${name}, ${way} script`, () =>
          visit(tester, server.url + path, async (page) => {
            if (javaScriptEnabled) await hydrated(page);
            await ready?.(page);
            const since = Date.now();
            await page.locator("main").getByRole("button", { name: button, exact: true }).first().dblclick();
            await until("it to be done", async () => (await done(command, since)).length > 0);
            await delay(LATER_MS);
            assert.deepEqual(await done(command, since), ["ok"]);
            if (command !== "run_backup_now") return;
            const running = async () => (await call(server, "get_backup", { backupId })).running;
            await until("the run's end", async () => !await running());
          }, { javaScriptEnabled }));
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
