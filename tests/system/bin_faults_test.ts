/**
 * libvirtd and KVM Manager killed in the middle of moves into the bin and out of it: afterwards a VM is there whole, or is
 * in the bin whole, and either way nothing of it is lost.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { BIN_FOLDER } from "../../lib/bin/place.ts";
import { URI, virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { exists, run } from "../testbed/process.ts";
import { call, readyServer } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || await ownLibvirtd("bin-faults") !== null;
/** Kills of each; `KVMM_KILLS` sets how many. */
const KILLS = Number(Deno.env.get("KVMM_KILLS") ?? 8);
const VICTIMS = ["agent", "libvirtd"] as const;

Deno.test({
  name: `a VM is whole or in the bin after ${KILLS} kills of libvirtd or KVM Manager, and comes back`,
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const own = await testName("bin");
    undo.defer(() => releaseName(own));
    undo.defer(() => removeFiles(own));
    const pool = `${filesOf(own)}/images`, dataDir = `${filesOf(own)}/data`;
    for (const folder of [pool, dataDir]) await Deno.mkdir(folder, { recursive: true });
    const host = undo.use(await privateLibvirt("bin"));
    await host.virsh("pool-define-as", "images", "dir", "--target", pool);
    await host.virsh("pool-autostart", "images");
    await host.virsh("pool-start", "images");
    const start = () =>
      readyServer({
        uri: host.uri,
        dataDir,
        env: { KVMM_BIN_DAYS: "7" },
        seconds: 90,
      });
    let server = await start();
    undo.defer(() => server[Symbol.asyncDispose]());
    const { id: vmId } = await call(server, "create_vm", {
      name: "web",
      memoryMb: 128,
      nics: [],
      disks: [{ sizeGb: 1, pool: "images" }, { sizeGb: 1, pool: "images" }],
    });
    const disks = (await call(server, "get_vm", { vmId })).disks.map(({ source }) => source!);
    for (const disk of disks) await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 64k", disk]);
    const before = (await host.virsh("dumpxml", "--inactive", "--security-info", "web")).split("\n").sort();

    const open = (): number => {
      using database = new DatabaseSync(`${dataDir}/kvm-manager.db`, { readOnly: true });
      return Number(database.prepare("SELECT count(*) AS n FROM operations").get()!.n);
    };
    /** Waits until nothing is half done. @returns the entry, where the VM is in the bin */
    const settled = async (about: string): Promise<string | undefined> => {
      await until(
        `the connection ${about}`,
        async () => (await call(server, "get_connection_status")).connected,
        { seconds: 60 },
      );
      await until(`everything to be settled ${about}`, () => Promise.resolve(open() === 0), {
        seconds: 90,
        every: 100,
        lastSeen: () => server.log().slice(-3000),
      });
      const [entry] = await call(server, "list_bin");
      const names = (await host.virsh("list", "--all", "--name")).split("\n").map((line) => line.trim());
      assert.equal(
        names.includes("web"),
        entry === undefined,
        `it is there and in the bin, or nowhere, ${about}`,
      );
      assert.deepEqual(entry?.missing ?? [], [], about);
      for (const disk of disks) assert.equal(await exists(disk), entry === undefined, `${disk} ${about}`);
      if (entry === undefined) assert.equal(await exists(`${pool}/${BIN_FOLDER}`), false, about);
      return entry?.id;
    };
    const whole = async (about: string) => {
      assert.deepEqual(
        (await host.virsh("dumpxml", "--inactive", "--security-info", "web")).split("\n").sort(),
        before,
        about,
      );
      for (const disk of disks) await run(["qemu-io", "-f", "qcow2", "-c", "read -q -P 0x5a 0 64k", disk]);
    };
    const quiet = async (asked: Promise<unknown>) => {
      try {
        await asked;
      } catch (error) {
        if (!(error instanceof CallError) && !(error instanceof TypeError)) throw error; // refused, or cut off
      }
    };
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      const begin = performance.now();
      await work();
      return performance.now() - begin;
    };
    const remove = () => call(server, "delete_vm", { vmId, deleteDisks: true });
    const restore = (entryId: string) => call(server, "restore_bin_entry", { entryId });

    let entryId = "";
    const took = {
      remove: await timed(async () => entryId = (await remove()).bin!.entryId),
      restore: await timed(() => restore(entryId)),
    };
    await whole("before anything is killed");
    for (let n = 0; n < KILLS * 2; n++) {
      const isRemoval = n % 2 === 0, victim = VICTIMS[Math.floor(n / 2) % VICTIMS.length]!;
      const afterMs = (isRemoval ? took.remove : took.restore) * ((n * 0.31 + 0.1) % 1.05);
      const about = `after ${victim} was killed ${Math.round(afterMs)} ms into ${
        isRemoval ? "deleting" : "restoring"
      }`;
      if (!isRemoval && entryId === "") entryId = (await remove()).bin!.entryId;
      const asked = quiet(isRemoval ? remove() : restore(entryId));
      await delay(afterMs);
      if (victim === "agent") {
        await server.kill();
        await asked;
        await server[Symbol.asyncDispose]();
        server = await start();
      } else {
        await host.kill();
        await host.start();
        await asked;
      }
      const found = await settled(about);
      console.log(`  ${about}: ${found === undefined ? "there" : "in the bin"}`);
      entryId = found ?? "";
      if (found === undefined) await whole(about);
      else if (!isRemoval) {
        await restore(found);
        await whole(`${about}, and restored again`);
        entryId = "";
      }
    }
  },
});

Deno.test({
  name:
    "a restore in place that was cut short: the disks it replaced go into the bin once the VM has the new ones",
  ignore,
  fn: async () => {
    await using pool = await testPool("replaced");
    await using vm = await testMachine({ purpose: "replaced", guest: false, disks: [{ pool, size: "8M" }] });
    const own = await testName("replaced"), dataDir = `${filesOf(own)}/data`;
    try {
      await Deno.mkdir(dataDir, { recursive: true });
      const start = () => readyServer({ dataDir, env: { KVMM_BIN_DAYS: "7" } });
      await (await start())[Symbol.asyncDispose]();
      const [disk] = vm.disks, old = `${pool.path}/before.qcow2`;
      await run(["qemu-img", "create", "-q", "-f", "qcow2", old, "8M"]);
      await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 64k", old]);
      await virsh("pool-refresh", pool.name);
      for (const disks of [["/elsewhere.qcow2"], [disk!]]) {
        const step = {
          kind: "state-replaced",
          uuid: vm.uuid,
          name: vm.name,
          disks,
          moves: [],
          gone: [],
          old: [{ pool: pool.name, name: "before.qcow2" }, { pool: pool.name, name: "not-there.qcow2" }],
        };
        const record = {
          id: crypto.randomUUID(),
          command: "restore_backup",
          subject: vm.name,
          vmId: vm.uuid,
          actor: "tester",
          keys: [`vm:${vm.uuid}`],
          host: "local",
          uri: URI,
          startedAt: Date.now(),
          steps: [step],
        };
        {
          using database = new DatabaseSync(`${dataDir}/kvm-manager.db`);
          database.prepare("INSERT INTO operations (id, host, started_at, record) VALUES (?, ?, ?, ?)")
            .run(record.id, record.host, record.startedAt, JSON.stringify(record));
        }
        await using server = await start();
        await until("it is settled", () => {
          using database = new DatabaseSync(`${dataDir}/kvm-manager.db`, { readOnly: true });
          return Promise.resolve(
            Number(database.prepare("SELECT count(*) AS n FROM operations").get()!.n) === 0,
          );
        }, { seconds: 60 });
        assert.equal(await exists(disk!), true);
        const kept = await call(server, "list_bin", {});
        // Without the new disks the VM needs the old ones.
        if (disks[0] !== disk) {
          assert.deepEqual([kept, await exists(old)], [[], true]);
          continue;
        }
        assert.deepEqual([kept.map(({ name }) => name), await exists(old)], [
          [`${pool.name}/before.qcow2`],
          false,
        ]);
        await call(server, "restore_bin_entry", { entryId: kept[0]!.id });
        await run(["qemu-io", "-f", "qcow2", "-c", "read -P 0x5a 0 64k", old]);
      }
    } finally {
      await removeFiles(own);
      await releaseName(own);
    }
  },
});
