/**
 * The files of a replica. `replica.json` says which of them count, and is replaced as a whole once everything that it names is
 * on the disk: whatever is cut short, the folder holds the last increment that was whole. Increments are laid over a disk as
 * files of their own, and merged into it afterwards; merging one again gives the same.
 */
import Type, { type Static } from "typebox";
import { fits } from "typebox/compile";
import { CONSISTENCIES } from "../../lib/backup/manifest.ts";
import type { ReplicatedDisk } from "../../lib/host/replication_protocol.ts";
import { STATE_FILES } from "../../lib/host/migration_protocol.ts";
import { oneOf } from "../../lib/contract/schema.ts";
import { parseJson } from "../../lib/text/json.ts";
import { writeAll } from "../../lib/write_all.ts";
import { FileRefused, isTaken, readRegular, undefinedIfMissing } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import { commitImage } from "../storage/qemu_img.ts";

/** Folder of replicas, below the folder of a storage pool: none of it is a volume. */
export const REPLICAS_FOLDER = ".kvm-manager-replicas";
/** QEMU's user gets through to images that it was given the path of, and sees no names. */
export const FOLDER_MODE = 0o711;
const STATE = "replica.json";
/** Bytes of the largest one. */
const MOST_STATE_BYTES = 32 * 1024 ** 2;

const FileName = Type.String({ pattern: "^[a-z]{2,8}\\.[0-9a-f-]{24}\\.qcow2$" });
const CopyId = Type.String({ pattern: "^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$" });
const Target = Type.String({ pattern: "^[a-z]{2,8}$" });
const Time = Type.Integer({ minimum: 0 });

/** Content of `replica.json`. */
const ReplicaState = Type.Object({
  version: Type.Literal(1),
  replicaId: Type.String(),
  vmId: Type.String(),
  name: Type.String(),
  /** The last increment that is whole; null before the first one. */
  finished: Type.Union([
    Type.Null(),
    Type.Object({ copyId: CopyId, takenAt: Time, receivedAt: Time, consistency: oneOf(CONSISTENCIES) }),
  ]),
  disks: Type.Array(Type.Object({ target: Target, bytes: Type.Integer({ minimum: 1 }), base: FileName })),
  /** Increments that are whole and not merged yet, the oldest first. */
  pending: Type.Array(
    Type.Object({ copyId: CopyId, files: Type.Array(Type.Object({ target: Target, file: FileName })) }),
  ),
  definition: Type.String(),
  /** UEFI variables and files of the TPM, as base64. */
  state: Type.Array(Type.Object({ name: oneOf(STATE_FILES), content: Type.String() })),
});
export type ReplicaState = Static<typeof ReplicaState>;

/** The replica's files are not as they were left. */
export class ReplicaDamaged extends Error {
  override readonly name = "ReplicaDamaged";
}

/** The name of a disk's file of an increment. @param copyId `20261127-184240-0123abcd` */
export const fileOfDisk = (target: string, copyId: string): string => `${target}.${copyId}.qcow2`;

/** Name of what an increment that is not whole yet is in. */
const PART = ".part";

export class ReplicaFolder {
  constructor(readonly path: string) {}

  /** Path of a file in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Path of a disk's file while it comes. */
  partOf(disk: Pick<ReplicatedDisk, "target">, copyId: string): string {
    return this.at(`${fileOfDisk(disk.target, copyId)}${PART}`);
  }

  /** Reads its state. @throws {ReplicaDamaged} */
  async read(): Promise<ReplicaState> {
    let bytes;
    try {
      bytes = await undefinedIfMissing(readRegular(plainPath(this.at(STATE)), MOST_STATE_BYTES));
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error;
      throw new ReplicaDamaged(`${this.at(STATE)}: ${error.message}`, { cause: error });
    }
    if (bytes === undefined) throw new ReplicaDamaged(`${this.at(STATE)} is missing`);
    let state;
    try {
      state = parseJson(new TextDecoder().decode(bytes));
    } catch (error) {
      throw new ReplicaDamaged(`${this.at(STATE)} is no JSON`, { cause: error });
    }
    if (!fits(ReplicaState, state)) {
      throw new ReplicaDamaged(`${this.at(STATE)} is not as this version writes it`);
    }
    return state;
  }

  /** Says from now on what it holds. What is named is on the disk already. */
  async write(state: ReplicaState): Promise<void> {
    const next = this.at(`${STATE}.next`);
    const file = await hostFiles.open(plainPath(next), {
      create: true,
      write: true,
      truncate: true,
      mode: 0o600,
    });
    try {
      await writeAll(file, new TextEncoder().encode(JSON.stringify(state)));
      await file.sync();
    } finally {
      file.close();
    }
    await this.#sync();
    await hostFiles.rename(plainPath(next), plainPath(this.at(STATE)));
    await this.#sync();
  }

  /** Has the names in it on the disk. */
  async #sync(): Promise<void> {
    const folder = await hostFiles.open(plainPath(this.path), { read: true });
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  }

  /** Gives a disk's file that is complete its name. */
  async keep(disk: Pick<ReplicatedDisk, "target">, copyId: string): Promise<string> {
    const name = fileOfDisk(disk.target, copyId);
    if (await isTaken(plainPath(this.at(name)))) throw new ReplicaDamaged(`${this.at(name)} exists already`);
    await hostFiles.rename(plainPath(this.partOf(disk, copyId)), plainPath(this.at(name)));
    return name;
  }

  /** Removes images that do not count: of increments that were cut short, and those that were merged. */
  async sweep({ disks, pending }: ReplicaState): Promise<void> {
    const counted = new Set([
      ...disks.map(({ base }) => base),
      ...pending.flatMap(({ files }) => files.map(({ file }) => file)),
    ]);
    for (const { name, isFile } of await hostFiles.readDir(plainPath(this.path))) {
      if (isFile && /\.qcow2(\.part)?$/.test(name) && !counted.has(name)) {
        await undefinedIfMissing(hostFiles.remove(plainPath(this.at(name))));
      }
    }
  }

  /** Bytes that merging what is pending takes at most: what a disk has already is written over. */
  async mergeBytes({ disks, pending }: ReplicaState): Promise<number> {
    const taken = async (name: string) =>
      ((await hostFiles.lstat(plainPath(this.at(name)))).blocks ?? 0) * 512;
    let sum = 0;
    for (const { target, bytes, base } of disks) {
      const files = pending.flatMap((each) => each.files).filter((each) => each.target === target);
      let increments = 0;
      for (const { file } of files) increments += await taken(file);
      if (increments > 0) sum += Math.min(increments, Math.max(0, bytes - await taken(base)));
    }
    return sum;
  }

  /**
   * Merges the pending increments. If it is interrupted, the same are merged again. @returns the new state
   * @throws {ContractError} @throws {ToolError}
   */
  async merge(state: ReplicaState, signal: AbortSignal): Promise<ReplicaState> {
    for (const { files } of state.pending) {
      for (const { target, file } of files) {
        const base = state.disks.find((disk) => disk.target === target)?.base;
        if (base === undefined) throw new ReplicaDamaged(`${file} is of no disk`);
        const image = { format: "qcow2", type: "file" } as const;
        await commitImage(
          { ...image, path: this.at(file), backing: [{ ...image, path: this.at(base) }] },
          { signal, onShare: () => {} },
        );
        await this.#syncFile(base);
      }
    }
    if (state.pending.length === 0) return state;
    const merged = { ...state, pending: [] };
    await this.write(merged);
    await this.sweep(merged);
    return merged;
  }

  async #syncFile(name: string): Promise<void> {
    const file = await hostFiles.open(plainPath(this.at(name)), { read: true, write: true });
    try {
      await file.sync();
    } finally {
      file.close();
    }
  }
}
