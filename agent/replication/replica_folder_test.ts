import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { MigrationNonsense } from "../../lib/host/migration_protocol.ts";
import type { Piece } from "../../lib/host/replication_protocol.ts";
import { DiskWriter } from "./disk_writer.ts";
import { fileOfDisk, ReplicaDamaged, ReplicaFolder, type ReplicaState } from "./replica_folder.ts";

const MIB = 1024 ** 2, CLUSTER = 65_536;
const FIRST = "20261127-184240-00000001",
  SECOND = "20261127-184340-00000002",
  THIRD = "20261127-184440-00000003";

const run = async (...args: string[]) => {
  const { success, stdout, stderr } = await new Deno.Command(args[0]!, { args: args.slice(1) }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
};

const pieceOf = (cluster: number, byte: number, kind: Piece["kind"] = "plain"): Piece => {
  const content = new Uint8Array(CLUSTER).fill(byte);
  const payload = kind === "zstd"
    ? zstdCompressSync(content)
    : kind === "zeros"
    ? new Uint8Array(0)
    : content;
  return { disk: 0, kind, offset: cluster * CLUSTER, length: CLUSTER, payload };
};

/** Brings an increment of one disk into a folder. */
async function increment(folder: ReplicaFolder, copyId: string, pieces: readonly Piece[]): Promise<string> {
  using writer = await DiskWriter.make(folder.partOf({ target: "vda" }, copyId), 4 * MIB);
  for (const piece of pieces) await writer.take(piece);
  await writer.end();
  return await folder.keep({ target: "vda" }, copyId);
}

/** The first byte of some clusters of a disk. */
async function bytesOf(path: string, clusters: readonly number[]): Promise<number[]> {
  const raw = `${path}.raw`;
  await run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", path, raw);
  const content = await Deno.readFile(raw);
  await Deno.remove(raw);
  return clusters.map((cluster) => content[cluster * CLUSTER]!);
}

const stateOf = (state: Partial<ReplicaState>): ReplicaState => ({
  version: 1,
  replicaId: "r",
  vmId: "v",
  name: "web1",
  finished: null,
  disks: [],
  pending: [],
  definition: "<domain/>",
  state: [],
  ...state,
});

async function testFolder(): Promise<ReplicaFolder & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return Object.assign(new ReplicaFolder(path), {
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  });
}

Deno.test("ReplicaFolder: increments are merged in order, zeros too, and merged again give the same", async () => {
  await using folder = await testFolder();
  const base = await increment(folder, FIRST, [pieceOf(0, 1), pieceOf(1, 2, "zstd"), pieceOf(9, 3)]);
  const disks = [{ target: "vda", bytes: 4 * MIB, base }];
  const second = await increment(folder, SECOND, [pieceOf(1, 4), pieceOf(9, 0, "zeros")]);
  const third = await increment(folder, THIRD, [pieceOf(1, 5), pieceOf(20, 6)]);
  const state = stateOf({
    disks,
    pending: [
      { copyId: SECOND, files: [{ target: "vda", file: second }] },
      { copyId: THIRD, files: [{ target: "vda", file: third }] },
    ],
  });
  await folder.write(state);
  const { signal } = new AbortController();
  // As one that was cut short: the first is in the disk already
  await folder.merge({ ...state, pending: state.pending.slice(0, 1) }, signal);
  await Deno.remove(folder.at(third)).catch(() => {});
  const again = await increment(folder, THIRD, [pieceOf(1, 5), pieceOf(20, 6)]);
  await increment(folder, SECOND, [pieceOf(1, 4), pieceOf(9, 0, "zeros")]);
  assert.equal(again, third);
  const merged = await folder.merge(state, signal);
  assert.deepEqual([merged.pending, (await folder.read()).pending], [[], []]);
  assert.deepEqual(await bytesOf(folder.at(base), [0, 1, 2, 9, 20]), [1, 5, 0, 0, 6]);
  // What was merged is gone
  const names = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).toSorted();
  assert.deepEqual(names, ["replica.json", base]);
});

Deno.test("ReplicaFolder: what is not named in its state is removed, and nothing is written over", async () => {
  await using folder = await testFolder();
  const base = await increment(folder, FIRST, [pieceOf(0, 1)]);
  const state = stateOf({ disks: [{ target: "vda", bytes: 4 * MIB, base }] });
  await folder.write(state);
  await increment(folder, SECOND, [pieceOf(0, 2)]);
  (await DiskWriter.make(folder.partOf({ target: "vda" }, THIRD), MIB))[Symbol.dispose]();
  await folder.sweep(state);
  const names = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).toSorted();
  assert.deepEqual(names, ["replica.json", base]);
  await Deno.writeFile(folder.partOf({ target: "vda" }, FIRST), new Uint8Array(1));
  await assert.rejects(folder.keep({ target: "vda" }, FIRST), ReplicaDamaged);
});

Deno.test("ReplicaFolder: a state that names files elsewhere, or is none, is refused", async () => {
  await using folder = await testFolder();
  await assert.rejects(folder.read(), ReplicaDamaged);
  for (const base of ["../../etc/shadow", "vda.qcow2", `${fileOfDisk("vda", FIRST)}/..`]) {
    await folder.write(stateOf({ disks: [{ target: "vda", bytes: 4 * MIB, base }] }));
    await assert.rejects(folder.read(), ReplicaDamaged);
  }
  await Deno.writeTextFile(folder.at("replica.json"), "{");
  await assert.rejects(folder.read(), ReplicaDamaged);
});

Deno.test("DiskWriter takes pieces in order, and none that is not what it says", async () => {
  await using folder = await testFolder();
  using writer = await DiskWriter.make(folder.at("x"), 4 * MIB);
  await writer.take(pieceOf(3, 1));
  await assert.rejects(writer.take(pieceOf(3, 1)), MigrationNonsense);
  await assert.rejects(writer.take({ ...pieceOf(4, 1), kind: "zstd" }), MigrationNonsense);
  // More than it says: a bomb
  const bomb = zstdCompressSync(new Uint8Array(64 * MIB));
  await assert.rejects(writer.take({ ...pieceOf(5, 1), kind: "zstd", payload: bomb }), MigrationNonsense);
});
