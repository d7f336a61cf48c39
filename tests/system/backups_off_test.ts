/** Backups of VMs that are off: their disks are read from where they are, as QEMU would read them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ChunkThreads } from "../../agent/backups/chunk_threads.ts";
import { readChunk } from "../../agent/backups/chunks.ts";
import { storeImage } from "../../agent/backups/increment.ts";
import { Repository } from "../../agent/backups/repository.ts";
import { FolderStore } from "../../agent/backups/store/folder.ts";
import { chunkLength } from "../../lib/backup/chunk_list.ts";
import { CHUNK_BYTES } from "../../lib/backup/manifest.ts";
import { ImageError } from "../../lib/formats/qcow2/qcow2_header.ts";
import { backupFolder, bytesIn, contentOf, MIB, runOf } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, ownServer, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const STORING = { signal: new AbortController().signal, onBytes: () => {} };

/** Writes to an image, one command of qemu-io after the other. */
const io = (path: string, ...commands: string[]) =>
  run(["qemu-io", "-f", "qcow2", ...commands.flatMap((command) => ["-c", command]), path]);

/** Backups in a folder that is gone afterwards. */
async function repository() {
  const folder = await backupFolder();
  const opened = await Repository.make(new FolderStore(folder.path));
  return { folder, opened, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

Deno.test({
  name: "a qcow2 image is read as QEMU reads it, whatever its clusters' size and order",
  ignore,
  fn: async () => {
    await using kept = await repository();
    using threads = new ChunkThreads(undefined);
    const path = `${kept.folder.path}/image.qcow2`;
    for (
      const [cluster, bytes] of [[512, 5 * MIB + 512], [4096, 9 * MIB], [65536, 13 * MIB + 512], [
        2 * MIB,
        8 * MIB,
      ]]
    ) {
      await run([
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-o",
        `cluster_size=${cluster}`,
        path,
        String(bytes),
      ]);
      // Backwards, over borders of clusters and chunks, partly taken back; the end is written to as well.
      await io(
        path,
        "write -P 3 4M 700k",
        "write -P 2 1900k 300k",
        "write -P 1 0 64k",
        "write -P 9 128k 64k",
      );
      await io(
        path,
        "write -z 4200k 128k",
        "write -z -u 1900k 64k",
        "discard 128k 64k",
        `write -P 7 ${bytes! - 512} 512`,
      );
      const { chunks } = await storeImage(kept.opened, path, bytes!, STORING);
      const whole = await bytesIn(path, "qcow2");
      for (const [index, digest] of chunks.entries()) {
        const length = chunkLength(index, bytes!, CHUNK_BYTES),
          wanted = whole.subarray(index * CHUNK_BYTES).subarray(0, length);
        const got = digest === null
          ? new Uint8Array(length)
          : await readChunk(kept.opened, threads, digest, length);
        assert.ok(Buffer.compare(got, wanted) === 0, `chunk ${index} with clusters of ${cluster} bytes`);
      }
    }
  },
});

Deno.test({
  name: "what QEMU alone reads of a qcow2 image is refused: compressed, before anything is kept; cut off",
  ignore,
  fn: async () => {
    await using kept = await repository();
    const path = `${kept.folder.path}/image.qcow2`, compressed = `${kept.folder.path}/compressed.qcow2`;
    const chunks = `${kept.folder.path}/kvm-manager-backups/chunks`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", path, "8M"]);
    await io(path, "write -P 1 0 3M", "write -P 2 6M 1M");
    await run(["qemu-img", "convert", "-c", "-f", "qcow2", "-O", "qcow2", path, compressed]);
    await assert.rejects(storeImage(kept.opened, compressed, 8 * MIB, STORING), ImageError);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(chunks)), []);
    await Deno.truncate(path, (await Deno.stat(path)).size - MIB / 2);
    await assert.rejects(storeImage(kept.opened, path, 8 * MIB, STORING), /ends before its content/);
  },
});

Deno.test({
  name: "a VM that is off comes back with its disks: plain, compressed, an overlay, raw",
  ignore,
  fn: async () => {
    await using pool = await testPool();
    const base = `${pool.path}/base.qcow2`, plain = `${pool.path}/plain.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", base, "16M"]);
    await io(base, "write -P 1 0 5M");
    await virsh("pool-refresh", pool.name); // a base is a volume of a pool
    await run(["qemu-img", "create", "-q", "-f", "qcow2", plain, "16M"]);
    await io(plain, "write -P 2 3M 6M");
    await using vm = await testMachine({
      purpose: "backupoff",
      guest: false,
      disks: [{ size: "16M" }, { size: "16M" }, { backing: base }, { format: "raw", size: "8M" }],
    });
    const [one, two, three, four] = vm.disks;
    await io(one!, "write -P 3 9M 70k", "write -P 4 1M 3M");
    await run(["qemu-img", "convert", "-c", "-f", "qcow2", "-O", "qcow2", plain, two!]);
    await io(three!, "write -P 5 4M 3M");
    await run(["dd", "if=/dev/urandom", `of=${four}`, "bs=1M", "count=3", "conv=notrunc", "status=none"]);
    await using folder = await backupFolder();
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const { id: backupId } = await call(server, "create_backup", {
      name: "off",
      folder: folder.path,
      targets: { vmIds: [vmId] },
    });
    const { id: runId, state, message } = await runOf(server, backupId);
    assert.equal(state, "done", message ?? "");
    const input = { backupId, runId, vmId, name: `${vm.name}-back`, pool: pool.name };
    const restored = await call(server, "restore_backup", input);
    try {
      const { disks } = await call(server, "get_vm", { vmId: restored.vmId });
      for (const [index, path] of vm.disks.entries()) {
        const format = index === 3 ? "raw" : "qcow2";
        assert.equal(await contentOf(disks[index]!.source!, format), await contentOf(path, format), path);
      }
    } finally {
      await call(server, "delete_vm", { vmId: restored.vmId, deleteDisks: true, permanently: true });
    }
  },
});

Deno.test({
  name: "a VM that another program starts or writes to while it is read makes no copy",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "backupoffwrite", guest: false, disks: [{ size: "48M" }] });
    const [disk] = vm.disks;
    await io(disk!, "write -P 1 0 48M");
    await using folder = await backupFolder();
    await using server = await ownServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const { id: backupId } = await call(server, "create_backup", {
      name: "off",
      folder: folder.path,
      targets: { vmIds: [vmId] },
      maxMibPerSecond: 16,
    });
    const disturbed = async (disturb: () => Promise<unknown>) => {
      const ended = runOf(server, backupId);
      await until(
        "it is read",
        async () =>
          (await call(server, "list_jobs", {})).some(({ command, state, progress }) =>
            command === "run_backup_now" && state === "running" && (progress ?? 0) > 0
          ),
        { every: 20 },
      );
      await disturb();
      const { state, message, copies } = await ended;
      assert.equal(state, "failed");
      assert.match(message!, /was started, or disk vda was written to/);
      assert.deepEqual(copies.map((copy) => copy.state), ["failed"]);
    };
    await t.step("written to", () => disturbed(() => io(disk!, "write -P 2 1M 64k")));
    await t.step("started", () => disturbed(() => vm.start()));
  },
});
