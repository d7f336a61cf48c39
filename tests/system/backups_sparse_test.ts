/** Backups of disks that are large and hold little: as much is read, and as much room is taken, as they hold. */
import assert from "node:assert/strict";
import { backupFolder, done, MIB, runOf, write } from "../testbed/backups.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { virsh } from "../testbed/libvirt.ts";

const ignore = await requirement("qemu") !== null;

const GIB = 1024 * MIB;
/** More than this host has room for, were all of both kept. QEMU takes a second for it, and on a busy host many. */
const SIZE = 256 * GIB;
/** Written ranges: byte, offset, length. */
const WRITTEN = [[1, 0, 4 * MIB], [2, 150 * GIB + 4096, 5 * MIB], [3, SIZE - 65_536, 65_536]] as const;

/** That an image has what was written, and zeros around it. */
async function requireContent(path: string, format: string): Promise<void> {
  const reads = [
    ...WRITTEN.map(([byte, at, length]) => `read -P ${byte} ${at} ${length}`),
    ...WRITTEN.slice(0, 2).map(([, at, length]) => `read -P 0 ${at + length} ${16 * MIB}`),
    `read -P 0 ${150 * GIB - 16 * MIB} ${16 * MIB}`,
  ];
  const said = await run(["qemu-io", "-r", "-f", format, ...reads.flatMap((each) => ["-c", each]), path]);
  assert.doesNotMatch(said, /verification failed|error/i, path);
  assert.equal(said.match(/^read /gm)!.length, reads.length, said);
}

/** Restores the VM of a run, looks at its disks, and removes it. */
async function requireRestored(
  server: TestServer,
  { backupId, runId, vm, pool }: { backupId: string; runId: string; vm: TestMachine; pool: string },
): Promise<void> {
  const name = `${vm.name}-${crypto.randomUUID().slice(0, 6)}`;
  const { vmId } = await call(server, "restore_backup", { backupId, runId, vmId: vm.uuid, name, pool });
  try {
    const { disks } = await call(server, "get_vm", { vmId });
    assert.deepEqual(disks.map(({ format }) => format), ["qcow2", "raw"]);
    for (const { source, format } of disks) {
      await requireContent(source!, format!);
      const { blocks } = await Deno.stat(source!);
      assert.ok(blocks! * 512 < 64 * MIB, `${source} takes ${blocks! * 512} bytes`);
    }
  } finally {
    await virsh("undefine", name);
  }
}

Deno.test({
  name:
    "disks of 256 GiB that hold some MiB are backed up as what they hold, of a VM that runs and of one that is off",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({
      purpose: "backupsparse",
      guest: false,
      disks: [{ size: "256G" }, { size: "256G", format: "raw" }],
      start: true,
    });
    for (const [byte, at, length] of WRITTEN) {
      for (const disk of [0, 1]) await write(vm, `write -P ${byte} ${at} ${length}`, disk);
    }
    await using folder = await backupFolder();
    await using server = await readyServer();
    await known(server, vm.uuid);
    const { id: backupId } = await call(server, "create_backup", {
      name: "sparse",
      folder: folder.path,
      targets: { vmIds: [vm.uuid] },
      keep: 5,
    });
    /** Backs up, and looks whether that is right. */
    const copied = async () => {
      const copy = await runOf(server, backupId, true);
      assert.equal(done(copy).bytes, 2 * SIZE);
      await requireRestored(server, { backupId, runId: copy.id, vm, pool: pool.name });
    };
    await t.step("running", copied);
    await virsh("destroy", vm.name);
    await t.step("off", copied);
  },
});
