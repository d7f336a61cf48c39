/** Backups and restores of a VM that is off, compared with qemu-img's copy of the same disk, restic and borg; increments. */
import { backupFolder, done, MIB, runOf, write } from "../testbed/backups.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer } from "../testbed/product.ts";
import { virsh } from "../testbed/libvirt.ts";
import type { TestServer } from "../testbed/server.ts";
import type { Bench, Context } from "./bench.ts";
import { type ToolName, ToolRun } from "./backup_tools.ts";
import { change, fillImage } from "./disk_content.ts";
import { inTurn, timed } from "./measure.ts";
import { alone, comparison, type Row } from "./row.ts";

/** 80 % of its speed. */
const MOST_RATIO = 1.25;
/**
 * MiB that the guest changes between two copies, and the most that may be read: bitmaps note 64 KiB at least, chunks
 * are larger.
 */
const CHANGED_MIB = 64, MOST_READ_MIB = 80;
/** MiB that change on a disk before its second backup. */
const SMALL_MIB = 16;

/** MiB of the disk that is copied whole. */
const sizeOf = ({ quick }: Context) => quick ? 256 : 2048;

/** Each takes seconds, and the first round does not count. */
const roundsIn = ({ quick }: Context) => quick ? 2 : 4;

/** Makes a backup of the VM into a folder of its own, where nothing is known of its content yet. */
async function backedUp(server: TestServer, vmId: string, folder: string): Promise<string> {
  const { id } = await call(server, "create_backup", {
    name: `bench-${crypto.randomUUID().slice(0, 8)}`,
    folder,
    targets: { vmIds: [vmId] },
  });
  return id;
}

/** qemu-img's copy of a disk, which lies on the disk at its end as ours does. */
async function copied(from: string, to: string): Promise<number> {
  return await timed(async () => {
    await run(["qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", from, to]);
    await run(["sync", to]);
  });
}

/** A whole copy of a VM that is off, and back. */
async function whole(context: Context): Promise<Row[]> {
  const mib = sizeOf(context), what = `of a ${mib} MiB disk, three quarters full`;
  await using pool = await testPool("benchback");
  await using vm = await testMachine({ purpose: "benchback", guest: false, disks: [{ size: `${mib}M` }] });
  await using server = await readyServer(context.server);
  const [disk] = vm.disks;
  await fillImage(disk!, mib);
  const rounds = roundsIn(context);
  const out = await inTurn(rounds, {
    ours: async () => {
      await using folder = await backupFolder();
      const backupId = await backedUp(server, vm.uuid, folder.path);
      const ended = await runOf(server, backupId);
      done(ended);
      return ended.endedAt! - ended.startedAt;
    },
    theirs: async () => {
      await using folder = await backupFolder();
      return await copied(disk!, `${folder.path}/copy.qcow2`);
    },
  });
  await using folder = await backupFolder();
  const backupId = await backedUp(server, vm.uuid, folder.path),
    { id: runId } = await runOf(server, backupId);
  const copy = `${folder.path}/copy.qcow2`;
  await copied(disk!, copy);
  const back = await inTurn(rounds, {
    ours: async () => {
      const name = `${vm.name}-${crypto.randomUUID().slice(0, 6)}`;
      const input = { backupId, runId, vmId: vm.uuid, name, pool: pool.name };
      const began = performance.now(), { vmId } = await call(server, "restore_backup", input);
      const took = performance.now() - began;
      await call(server, "delete_vm", { vmId, deleteDisks: true, permanently: true });
      return took;
    },
    theirs: async () => {
      const to = `${pool.path}/theirs.qcow2`, took = await copied(copy, to);
      await Deno.remove(to);
      return took;
    },
  });
  const peer = "qemu-img convert", aim = { ratio: MOST_RATIO };
  return [
    comparison({ what: `backup ${what}`, ...out, peer, aim }),
    comparison({ what: `restore ${what}`, ...back, peer, aim }),
  ];
}

/** Costs of two backups, in rounds: milliseconds, and MiB that their folder grew by. */
interface Taken {
  readonly first: number[];
  readonly second: number[];
  readonly firstMib: number[];
  readonly secondMib: number[];
}

/** Rows of the comparison. */
const TWO_ROWS: Readonly<Record<keyof Taken, { readonly what: string; readonly unit: "ms" | "MB" }>> = {
  first: { what: "first backup", unit: "ms" },
  second: { what: "second backup", unit: "ms" },
  firstMib: { what: "stored by the first backup", unit: "MB" },
  secondMib: { what: "stored by the second backup", unit: "MB" },
};

/** MiB of all files in a folder. */
const mibIn = async (folder: string) => Number((await run(["du", "-sb", folder])).split("\t")[0]) / MIB;

/** A first backup of a VM that is off, and a second one after a small change, compared with the usual backup programs. */
async function two(context: Context): Promise<Row[]> {
  const mib = sizeOf(context);
  await using vm = await testMachine({ purpose: "benchtwo", guest: false, disks: [{ size: `${mib}M` }] });
  await using server = await readyServer(context.server);
  const disk = vm.disks[0]!;
  await fillImage(disk, mib);

  /** Two backups into a new folder. @param begin gives what makes one, in milliseconds */
  const twice = (begin: (folder: string) => Promise<() => Promise<number>>) => {
    const taken: Taken = { first: [], second: [], firstMib: [], secondMib: [] };
    const contestant = async () => {
      await using folder = await backupFolder();
      const backup = await begin(folder.path), empty = await mibIn(folder.path);
      const first = await backup(), after = await mibIn(folder.path);
      await change(disk, SMALL_MIB, mib / 4);
      const second = await backup();
      taken.first.push(first);
      taken.second.push(second);
      taken.firstMib.push(after - empty);
      taken.secondMib.push(await mibIn(folder.path) - after);
      return first;
    };
    return { taken, contestant };
  };
  const tool = (name: ToolName) =>
    twice(async (folder) => {
      const started = await ToolRun.begin(name, folder);
      return () => timed(() => started.backup(disk));
    });
  const contestants = {
    ours: twice(async (folder) => {
      const backupId = await backedUp(server, vm.uuid, folder);
      return async () => {
        const ended = await runOf(server, backupId);
        done(ended);
        return ended.endedAt! - ended.startedAt;
      };
    }),
    restic: tool("restic"),
    borg: tool("borg"),
  };
  await inTurn(roundsIn(context), {
    ours: contestants.ours.contestant,
    restic: contestants.restic.contestant,
    borg: contestants.borg.contestant,
  });
  // The first round does not count
  const figures = ({ taken }: { readonly taken: Taken }, figure: keyof Taken) => taken[figure].slice(1);
  const of = `of ${mib} MiB, ${SMALL_MIB} MiB changed between`;
  return (Object.keys(TWO_ROWS) as (keyof Taken)[]).flatMap((figure) =>
    (["restic", "borg"] as const).map((peer) =>
      comparison({
        what: `${TWO_ROWS[figure].what} ${of}`,
        ours: figures(contestants.ours, figure),
        theirs: figures(contestants[peer], figure),
        peer,
        unit: TWO_ROWS[figure].unit,
      })
    )
  );
}

/** Bytes that the second copy of a running VM reads and writes. */
async function increment(context: Context): Promise<Row[]> {
  await using vm = await testMachine({ purpose: "benchinc", guest: false, disks: [{ size: "512M" }] });
  await using folder = await backupFolder();
  await fillImage(vm.disks[0]!, 512);
  await vm.start();
  await using server = await readyServer(context.server);
  const backupId = await backedUp(server, vm.uuid, folder.path);
  done(await runOf(server, backupId));
  for (let at = 0; at < CHANGED_MIB; at += 8) await write(vm, `write -P ${at + 1} ${at * 4}M 8M`);
  const { readBytes, storedBytes } = done(await runOf(server, backupId));
  await virsh("destroy", vm.name);
  const what = `an increment after ${CHANGED_MIB} MiB of changes:`;
  return [
    alone({ what: `${what} read`, ours: [readBytes! / MIB], unit: "MB", aim: { most: MOST_READ_MIB } }),
    alone({ what: `${what} written`, ours: [storedBytes! / MIB], unit: "MB", aim: { most: MOST_READ_MIB } }),
  ];
}

/** Whole copies and increments. */
export const backups: Bench = async function* (context) {
  yield* await whole(context);
  yield* await two(context);
  yield* await increment(context);
};
