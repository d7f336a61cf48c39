/** Backups that read only what changed: as good as whole ones, whatever was written, killed, reverted or lost in between. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { BackupRun } from "../../lib/contract/mod.ts";
import {
  backupFolder,
  checkpoints,
  chunksOf,
  done,
  logOf,
  MIB,
  restored,
  runOf,
  write,
} from "../testbed/backups.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name: "of a VM that was made here, changes alone are read, too",
  ignore,
  fn: async () => {
    await using pool = await testPool();
    await using claim = await claimedVm("backupmade");
    await using folder = await backupFolder();
    await using server = await readyServer();
    const { id: vmId } = await call(server, "create_vm", {
      name: claim.name,
      cpuCount: 1,
      memoryMb: 128,
      virtType: "qemu",
      nics: [],
      start: true,
      disks: [{ sizeGb: 1, pool: pool.name }],
    });
    const { id: backupId } = await call(server, "create_backup", {
      name: "made",
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    const whole = await runOf(server, backupId), copied = done(whole);
    assert.match(await logOf(server, whole), /read in full/);
    assert.equal(copied.bytes, 1024 * MIB);
    assert.ok(copied.readBytes! <= 16 * MIB, `${copied.readBytes} were read of a disk that is empty`);
    assert.ok(done(await runOf(server, backupId)).readBytes! <= MIB);
  },
});

Deno.test({
  name:
    "increments are read of what changed alone, are one moment of a guest that writes, and equal a whole read",
  ignore,
  fn: async (t) => {
    await using pool = await testPool();
    await using vm = await testMachine({
      purpose: "backupinc",
      guest: false,
      disks: [{ size: "96M" }, { size: "4M", format: "raw" }],
    });
    await using folder = await backupFolder();
    const [vda] = vm.disks;
    const random = await Deno.makeTempFile();
    await run(["dd", "if=/dev/urandom", `of=${random}`, "bs=1M", "count=24"]);
    await run(["qemu-img", "convert", "-n", "-f", "raw", "-O", "qcow2", random, vda!]).finally(() =>
      Deno.remove(random)
    );
    await vm.start();
    await using server = await readyServer();
    await known(server, vm.uuid);
    const { id: backupId } = await call(server, "create_backup", {
      name: "inc",
      folder: folder.path,
      targets: { vmIds: [vm.uuid] },
      keep: 20,
    });
    const content = (runId: string) => restored(server, { backupId, runId, vm, pool: pool.name });
    /** The disk as it must be: every write is done to it as well. */
    let expected: Uint8Array;

    await t.step("the first one reads everything, and says why", async () => {
      const first = await runOf(server, backupId);
      const { readBytes, bytes } = done(first);
      assert.ok(bytes === 100 * MIB && readBytes! > MIB && readBytes! <= bytes, `${readBytes} of ${bytes}`);
      assert.match(await logOf(server, first), /read in full: nothing was noted since an earlier copy/);
      assert.equal((await checkpoints(vm)).length, 1);
      expected = await content(first.id);
    });
    await t.step("three more read what was written since, also zeros and parts of clusters", async () => {
      const writes = [
        [[0x11, 0, 65_536], [0x12, 5 * MIB + 512, 1024], [0x13, 60 * MIB, 3 * MIB]],
        [[0x21, 5 * MIB + 4096, 100_352], [0, 20 * MIB, 2 * MIB]],
        [[0x31, 96 * MIB - 512, 512], [0, 60 * MIB, 65_536]],
      ] as const;
      for (const round of writes) {
        for (const [value, at, length] of round) {
          await write(vm, value === 0 ? `write -z ${at} ${length}` : `write -P ${value} ${at} ${length}`);
          expected.fill(value, at, at + length);
        }
        const copy = await runOf(server, backupId), { readBytes, storedBytes } = done(copy);
        const changed = round.reduce((sum, [, , length]) => sum + length, 0);
        assert.ok(readBytes! <= changed + 4 * MIB + 4 * 65_536, `${readBytes} for ${changed}`);
        assert.ok(storedBytes < changed + 8 * MIB, `${storedBytes} for ${changed}`);
        assert.match(await logOf(server, copy), /were read: what changed since/);
        assert.deepEqual(Buffer.compare(await content(copy.id), expected), 0);
        assert.equal((await checkpoints(vm)).length, 1, "the one before is not needed any more");
      }
    });
    await t.step("a whole read gives the very same chunks", async () => {
      const before = await chunksOf(folder.path), whole = await runOf(server, backupId, true);
      assert.match(await logOf(server, whole), /read in full/);
      assert.equal(await chunksOf(folder.path), before);
      assert.equal((await call(server, "verify_backup", { backupId, runId: whole.id })).ok, true);
    });
    await t.step("a copy of a guest that writes has all writes up to one, and none after it", async () => {
      const BLOCKS = 8;
      let written = 0, stop = false;
      const writing = (async () => {
        for (; !stop; written++) {
          await write(vm, `write -P ${1 + written % 250} ${(written % BLOCKS) * 6 * MIB} 4k`);
        }
      })();
      const runs: BackupRun[] = [];
      for (let round = 0; round < 3; round++) {
        const before = written;
        await until("some writes", () => Promise.resolve(written > before + 3));
        runs.push(await runOf(server, backupId));
      }
      stop = true;
      await writing;
      for (const each of runs) {
        done(each);
        const found = await content(each.id);
        const seen = Array.from({ length: BLOCKS }, (_, block) => found[block * 6 * MIB]!);
        const fits = (count: number) =>
          seen.every((value, block) => {
            const last = Math.floor((count - 1 - block) / BLOCKS) * BLOCKS + block;
            return last < 0 ? value === expected[block * 6 * MIB] : value === 1 + last % 250;
          });
        assert.ok(Array.from({ length: written + 1 }, (_, n) => n).some(fits), `${seen} of ${written}`);
      }
      const last = await runOf(server, backupId), increment = await chunksOf(folder.path);
      assert.ok(done(last).readBytes! < 20 * MIB);
      await runOf(server, backupId, true);
      assert.equal(await chunksOf(folder.path), increment);
    });
  },
});
