/** A folder of this host as a store: a disk, or a share that is mounted. */
import { isCopyId, ManifestError } from "../../../lib/backup/manifest.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import {
  FileRefused,
  isSystemError,
  pathFault,
  readRegular,
  undefinedIfMissing,
} from "../../machine/files.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { isNotResponding, mountGate } from "../../machine/mount_gate.ts";
import { ProgramLate, runProgram } from "../../machine/programs.ts";
import { PeriodicSync } from "../periodic_sync.ts";
import {
  type BackupStore,
  COPIES,
  type GroupFiles,
  type Groups,
  type LockName,
  PARTIAL,
  type StoredFile,
  type StoreLock,
} from "./store.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";

const FOLDER = "kvm-manager-backups";
/** Folder of a backup's copies, in the folder that its user chose. */
export const copiesIn = (folder: string): string => `${folder}/${FOLDER}`;

/** Folders in it. */
const FOLDERS = ["chunks", COPIES] as const;
/** Folder that QEMU copied to in earlier versions. */
const OLD_SPOOL = "spool";
/** Milliseconds that the kernel may take to write down what a backup has written. */
const SYNC_MS = 30 * 60_000;
/** Folders below one another that are looked into: `chunks/ab`. */
const DEEPEST = 3;

const unusable = (folder: string, reason: Sentence, cause?: unknown) =>
  new ContractError("BackupFolderUnusable", { folder, reason }, { cause });

/** @throws {ContractError} BackupFolderUnusable for what is a link, or what others may write to */
function requireOwn(folder: string, { isDirectory, mode }: Deno.FileInfo): void {
  if (!isDirectory) throw unusable(folder, message`${FOLDER} in it is no folder`);
  if (((mode ?? 0) & 0o022) === 0) return;
  throw unusable(
    folder,
    message`others may write to ${FOLDER} in it. Take that away: chmod go-w ${folder}/${FOLDER}`,
  );
}

/**
 * Requires that only we may write to the folder: its owner, and users who may rename its content, can replace
 * it by a link at any moment, which we would follow.
 *
 * @param uid owner of files that we make there; on a share that may be another user
 * @throws {ContractError} BackupFolderUnusable
 */
async function requireOwner(folder: string, uid: number | null): Promise<void> {
  const inside = ["", ...FOLDERS.map((name) => `/${name}`), `/${OLD_SPOOL}`]
    .map((name) => `${folder}/${FOLDER}${name}`);
  for (const path of [folder, ...inside]) {
    const info = await undefinedIfMissing(path === folder ? hostFiles.stat(path) : hostFiles.lstat(path));
    if (info === undefined || info.uid === null) continue;
    if (info.uid !== uid && info.uid !== 0) {
      throw unusable(
        folder,
        message`${path} belongs to another user (${info.uid}): chown it, or take another folder`,
      );
    }
    // The sticky bit leaves what is in it to its owner, as in /tmp.
    if (((info.mode ?? 0) & 0o1002) !== 0o002) continue;
    throw unusable(folder, message`everybody may write to ${path}. Take that away: chmod o-w ${path}`);
  }
}

/** Why a folder cannot be worked with, for people. */
function reasonOf(error: Error): string {
  const fault = pathFault(error);
  if (fault !== undefined) return fault;
  if (error instanceof Deno.errors.NotFound) return "it is not there. Is its disk or share mounted?";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "KVM Manager may not write there. ReadWritePaths= of its unit allows it, see docs/backups.md";
  }
  const code = "code" in error ? String(error.code) : "";
  if (code === "EROFS") {
    return "it is read-only here. If it is not mounted so, ReadWritePaths= of the unit allows it, see docs/backups.md";
  }
  if (code === "ENOSPC" || code === "EDQUOT") return "it is full";
  return error.message;
}

/** A folder in which only KVM Manager writes, made where it is not there. A link to another one is not followed. */
async function ownFolder(path: string): Promise<void> {
  const there = await undefinedIfMissing(hostFiles.lstat(path));
  if (there === undefined) await hostFiles.mkdir(path, { mode: 0o700 });
  else if (!there.isDirectory) throw new ManifestError(`${path} is no folder`);
  // Whatever the umask is, and whatever an earlier version has let QEMU into.
  await hostFiles.chmod(path, 0o700);
}

export class FolderStore implements BackupStore {
  readonly isRemote = false;
  readonly label: string;
  readonly #root: string;
  readonly #steady = new PeriodicSync(() => this.#sync());

  /** @param syncProgram another one than coreutils' sync(1), which takes the same arguments */
  constructor(readonly folder: string, private readonly syncProgram = "sync") {
    this.label = folder;
    this.#root = `${folder}/${FOLDER}`;
  }

  /** Works in the folder, and says what a failure means for people. What is not there, is told as it is. */
  async #do<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isNotResponding(error)) throw unusable(this.folder, error.message, error);
      if (error instanceof ContractError || error instanceof FileRefused) throw error;
      if (error instanceof Deno.errors.NotFound) throw error;
      if (error instanceof ManifestError) throw unusable(this.folder, error.message, error);
      if (!isSystemError(error)) throw error;
      throw unusable(this.folder, reasonOf(error), error);
    }
  }

  async make(): Promise<void> {
    try {
      await this.#do(async () => {
        const info = await hostFiles.stat(this.folder);
        if (!info.isDirectory) throw unusable(this.folder, "it is no folder");
        // Before anything is written through it: it may be a link to a folder of the host.
        const there = await undefinedIfMissing(hostFiles.lstat(this.#root));
        if (there !== undefined) requireOwn(this.folder, there);
        const probe = `${there === undefined ? this.folder : this.#root}/probe-${crypto.randomUUID()}`;
        await hostFiles.writeTextFile(probe, "", { createNew: true, mode: 0o600 });
        const { uid } = await hostFiles.lstat(probe);
        await hostFiles.remove(probe);
        await requireOwner(this.folder, uid);
        if (await undefinedIfMissing(hostFiles.lstat(`${this.#root}/repository.json`)) !== undefined) return;
        await ownFolder(this.#root);
        for (const name of FOLDERS) await ownFolder(`${this.#root}/${name}`);
      });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw unusable(this.folder, reasonOf(error), error);
    }
  }

  async open(): Promise<void> {
    try {
      await this.#do(async () => {
        requireOwn(this.folder, await hostFiles.lstat(this.#root));
        for (const name of FOLDERS) {
          if (!(await hostFiles.lstat(`${this.#root}/${name}`)).isDirectory) {
            throw unusable(this.folder, message`${FOLDER}/${name} in it is no folder`);
          }
        }
        // Its file was made by us, whoever has taken the folder over since.
        await requireOwner(this.folder, (await hostFiles.lstat(`${this.#root}/repository.json`)).uid);
      });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw unusable(this.folder, "its backups are not there. Is its disk or share mounted?", error);
    }
  }

  #at(name: string): string {
    return `${this.#root}/${name}`;
  }

  async *list(folder: string): AsyncGenerator<StoredFile> {
    yield* this.#below(folder, DEEPEST);
  }

  async *#below(folder: string, depth: number): AsyncGenerator<StoredFile> {
    const entries = await this.#do(() => undefinedIfMissing(hostFiles.readDir(this.#at(folder))));
    for (const { name, isFile, isDirectory } of entries ?? []) {
      const path = `${folder}/${name}`;
      if (isDirectory && depth > 1) yield* this.#below(path, depth - 1);
      const info = isFile
        ? await this.#do(() => undefinedIfMissing(hostFiles.lstat(this.#at(path))))
        : undefined;
      if (info?.isFile) yield { name: path, bytes: info.size };
    }
  }

  async sizeOf(name: string): Promise<number | undefined> {
    const info = await this.#do(() => undefinedIfMissing(hostFiles.lstat(this.#at(name))));
    return info?.isFile ? info.size : undefined;
  }

  async read(name: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#do(() => readRegular(this.#at(name), most));
  }

  async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const path = this.#at(name), folder = path.slice(0, path.lastIndexOf("/"));
    const partial = `${folder}/${PARTIAL}${crypto.randomUUID()}`;
    const put = () => hostFiles.writeFile(partial, bytes, { createNew: true, mode: 0o600 });
    await this.#do(async () => {
      try {
        if (await undefinedIfMissing(put().then(() => true)) === undefined) {
          await hostFiles.mkdir(folder, { recursive: true, mode: 0o700 });
          await put();
        }
        await hostFiles.rename(partial, path);
      } catch (error) {
        await undefinedIfMissing(hostFiles.remove(partial));
        throw error;
      }
    });
    this.#steady.wrote(bytes.length);
  }

  async move(from: string, to: string): Promise<void> {
    await this.#do(() => undefinedIfMissing(hostFiles.rename(this.#at(from), this.#at(to))));
  }

  async remove(name: string): Promise<void> {
    await this.#do(() => undefinedIfMissing(hostFiles.remove(this.#at(name))));
  }

  async groups(): Promise<Groups> {
    const whole: string[] = [], partial: string[] = [];
    try {
      await this.#do(async () => {
        for (const { name, isDirectory } of await hostFiles.readDir(this.#at(COPIES))) {
          if (name.startsWith(PARTIAL)) partial.push(name.slice(PARTIAL.length));
          else if (isDirectory && isCopyId(name)) whole.push(name);
        }
        for (const { name } of await hostFiles.readDir(this.#at(OLD_SPOOL))) partial.push(name);
      });
    } catch (error) {
      const isSpool = error instanceof Deno.errors.NotFound &&
        await undefinedIfMissing(hostFiles.lstat(this.#at(COPIES))) !== undefined;
      if (isSpool) return { whole, partial };
      if (!isSystemError(error)) throw error;
      throw unusable(this.folder, reasonOf(error), error);
    }
    return { whole, partial };
  }

  async beginGroup(id: string): Promise<void> {
    await this.#do(() => hostFiles.mkdir(this.#at(`${COPIES}/${PARTIAL}${id}`), { mode: 0o700 }));
  }

  async finishGroup(id: string, files: GroupFiles): Promise<void> {
    const partial = this.#at(`${COPIES}/${PARTIAL}${id}`);
    await this.#do(async () => {
      for (const [name, bytes] of files) {
        await hostFiles.writeFile(`${partial}/${name}`, bytes, { createNew: true, mode: 0o600 });
      }
      await this.#steady.end();
      await hostFiles.rename(partial, this.#at(`${COPIES}/${id}`));
      await this.#steady.end();
    });
  }

  async removeGroup(id: string): Promise<void> {
    await this.#do(() =>
      hostFiles.rename(this.#at(`${COPIES}/${id}`), this.#at(`${COPIES}/${PARTIAL}${id}`))
    );
    await this.#drop(id);
  }

  /**
   * Once what was written for it lasts: its chunks are there still, and a power failure later on must not damage
   * chunks that are taken for whole.
   */
  async abandonGroup(id: string): Promise<void> {
    const isBegun =
      await this.#do(() => undefinedIfMissing(hostFiles.lstat(this.#at(`${COPIES}/${PARTIAL}${id}`)))) !==
        undefined;
    if (isBegun) await this.#do(() => this.#steady.end());
    await this.#drop(id);
  }

  async #drop(id: string): Promise<void> {
    for (const path of [`${COPIES}/${PARTIAL}${id}`, `${OLD_SPOOL}/${id}`]) {
      await this.#do(() => undefinedIfMissing(hostFiles.remove(this.#at(path), { recursive: true })));
    }
  }

  async freeBytes(): Promise<number | undefined> {
    return await this.#do(async () => {
      const { bavail, bsize } = await hostFiles.statfs(this.folder);
      return bavail * bsize;
    });
  }

  /** Has the kernel write everything of this file system. @throws {ContractError} BackupFolderUnusable where it could not */
  async #sync(): Promise<void> {
    try {
      const { success, stderr } = await mountGate.access(
        this.#root,
        () => runProgram(this.syncProgram, ["--file-system", this.#root], { limitMs: SYNC_MS }),
        { kind: "work" },
      );
      if (!success) throw unusable(this.folder, stderr.trim() || "sync failed");
    } catch (error) {
      if (isNotResponding(error) || error instanceof ProgramLate) {
        throw unusable(this.folder, error.message, error);
      }
      throw error;
    }
  }

  /** The kernel gives the lock back when the process ends, however that is. */
  async lock(what: LockName, alone: boolean): Promise<StoreLock | undefined> {
    const file = await this.#lockFile(this.#at(`${what}.lock`), alone);
    // Where nothing can be written, what is read cannot be replaced.
    if (file === undefined) return { isHeld: () => true, release: () => Promise.resolve() };
    let isTaken = false;
    try {
      isTaken = await file.tryLock(alone);
    } finally {
      if (!isTaken) file.close();
    }
    return isTaken ? { isHeld: () => true, release: () => Promise.resolve(file.close()) } : undefined;
  }

  async #lockFile(path: string, alone: boolean): Promise<Deno.FsFile | undefined> {
    try {
      return await hostFiles.open(path, { read: true, write: true, create: true, mode: 0o600 });
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const isReadOnly = "code" in error && error.code === "EROFS";
      if (!isReadOnly || alone) throw unusable(this.folder, reasonOf(error), error);
      return undefined;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
