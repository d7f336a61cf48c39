/**
 * A folder of backups. Content is kept in chunks named by their SHA-256, so that what did not change between two copies,
 * or is the same on two disks, is there once; no copy depends on another one, and there is no chain to break.
 *
 *     kvm-manager-backups/
 *       repository.json       what it is, and its id: an empty mount point is not taken for it
 *       chunks/ab/ab…         content, compressed (zstd)
 *       copies/ID/            one VM at one moment: manifest.json, domain.xml, nvram, vda.chunks, …
 *       copies/partial-ID/    one that is not whole: it is no backup
 *       spool/ID/             what QEMU is just copying
 *
 * A copy is whole once everything it names is on the disk, and its folder was renamed. Chunks that no copy names go when
 * copies are pruned, and at the first run after one that was cut short.
 */
import Type from "typebox";
import { ContractError } from "../../lib/contract/errors.ts";
import { digestsIn } from "../../lib/backup/chunk_list.ts";
import { isCopyId, type Manifest, ManifestError, readManifest } from "../../lib/backup/manifest.ts";
import { checker } from "../../lib/typebox/compile.ts";
import { FileRefused, isSystemError, isTaken, orMissing, pathFault, readRegular } from "../files.ts";
import { log } from "../log.ts";
import { digestOf } from "./digest.ts";

const FOLDER = "kvm-manager-backups";
const PARTIAL = "partial-";
/** Bytes of a manifest, a definition and a list of chunks that are read at most. */
const MOST = { manifest: 1024 * 1024, text: 256 * 1024 * 1024 } as const;

/** Chunks that are looked for at once. */
const LOOKED_AT_ONCE = 64;

const Description = Type.Object({
  format: Type.Literal("kvm-manager-backup-folder"),
  version: Type.Integer({ minimum: 1 }),
  id: Type.String({ pattern: "^[0-9a-f-]{36}$" }),
});
const isDescription = checker(Description);

const unusable = (folder: string, reason: string, cause?: unknown) =>
  new ContractError("BackupFolderUnusable", { folder, reason }, { cause });

/** Folders in it, and who goes through them: QEMU through the last one. */
const FOLDERS = [["/chunks", 0o700], ["/copies", 0o700], ["/spool", 0o711]] as const;

/** @throws {ContractError} BackupFolderUnusable for what is a link, or what others may write to */
function requireOwn(folder: string, { isDirectory, mode }: Deno.FileInfo): void {
  if (!isDirectory) throw unusable(folder, `${FOLDER} in it is no folder`);
  if (((mode ?? 0) & 0o022) === 0) return;
  throw unusable(
    folder,
    `others may write to ${FOLDER} in it. Take that away: chmod go-w ${folder}/${FOLDER}`,
  );
}

/**
 * Whoever owns a folder, or may rename what is in it, can put a link in its place at any moment: we would follow.
 *
 * @param uid who owns what we make there; on a share that may be somebody else than we are
 * @throws {ContractError} BackupFolderUnusable
 */
async function requireOwner(folder: string, uid: number | null): Promise<void> {
  const inside = ["", ...FOLDERS.map(([name]) => name)].map((name) => `${folder}/${FOLDER}${name}`);
  for (const path of [folder, ...inside]) {
    const info = await orMissing(path === folder ? Deno.stat(path) : Deno.lstat(path));
    if (info === undefined || info.uid === null) continue;
    if (info.uid !== uid && info.uid !== 0) {
      throw unusable(
        folder,
        `${path} belongs to another user (${info.uid}): chown it, or take another folder`,
      );
    }
    // The sticky bit leaves what is in it to its owner, as in /tmp.
    if (((info.mode ?? 0) & 0o1002) !== 0o002) continue;
    throw unusable(folder, `everybody may write to ${path}. Take that away: chmod o-w ${path}`);
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

/** A file of a folder of backups. @throws {ManifestError} for what is no regular file, or too large */
async function bytesIn(path: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readRegular(path, most);
  } catch (error) {
    throw error instanceof FileRefused ? new ManifestError(error.message, { cause: error }) : error;
  }
}

const textIn = async (path: string, most: number): Promise<string> =>
  new TextDecoder().decode(await bytesIn(path, most));

/** A folder in which only KVM Manager writes, made where it is not there. A link to another one is not followed. */
async function ownFolder(path: string, mode: number): Promise<void> {
  const there = await orMissing(Deno.lstat(path));
  if (there === undefined) await Deno.mkdir(path, { mode });
  else if (!there.isDirectory) throw new ManifestError(`${path} is no folder`);
  // Whatever the umask is: QEMU's user goes through some of them, and reads none.
  await Deno.chmod(path, mode);
}

/** A copy that was found. */
export interface FoundCopy {
  readonly id: string;
  readonly path: string;
  /** What its manifest says; undefined where it cannot be read. */
  readonly manifest: Manifest | undefined;
  /** Why it cannot be read. */
  readonly fault?: string;
}

export class Repository {
  readonly #root: string;

  private constructor(readonly folder: string, readonly id: string) {
    this.#root = `${folder}/${FOLDER}`;
  }

  /**
   * Makes a folder ready, or takes up what it has of backups.
   *
   * @throws {ContractError} BackupFolderUnusable
   */
  static async make(folder: string): Promise<Repository> {
    try {
      const info = await Deno.stat(folder);
      if (!info.isDirectory) throw unusable(folder, "it is no folder");
      const root = `${folder}/${FOLDER}`;
      // Before anything is written through it: it may be a link to a folder of the host.
      const there = await orMissing(Deno.lstat(root));
      if (there !== undefined) requireOwn(folder, there);
      const probe = `${there === undefined ? folder : root}/probe-${crypto.randomUUID()}`;
      await Deno.writeTextFile(probe, "", { createNew: true, mode: 0o600 });
      const { uid } = await Deno.lstat(probe);
      await Deno.remove(probe);
      await requireOwner(folder, uid);
      if (await orMissing(Deno.lstat(`${root}/repository.json`)) === undefined) {
        for (const [name, mode] of [["", 0o711], ...FOLDERS] as const) {
          await ownFolder(`${root}${name}`, mode);
        }
        const text = JSON.stringify({
          format: "kvm-manager-backup-folder",
          version: 1,
          id: crypto.randomUUID(),
        });
        const fresh = `${root}/${PARTIAL}${crypto.randomUUID()}`;
        await Deno.writeTextFile(fresh, text, { createNew: true, mode: 0o600 });
        await Deno.rename(fresh, `${root}/repository.json`);
      }
      return await Repository.open(folder);
    } catch (error) {
      if (error instanceof ManifestError) throw unusable(folder, error.message, error);
      if (!isSystemError(error)) throw error;
      throw unusable(folder, reasonOf(error), error);
    }
  }

  /**
   * The backups of a folder.
   *
   * @param id which they must be: another disk may be mounted there
   * @throws {ContractError} BackupFolderUnusable
   */
  static async open(folder: string, id?: string): Promise<Repository> {
    const root = `${folder}/${FOLDER}`;
    try {
      requireOwn(folder, await Deno.lstat(root));
      for (const [name] of FOLDERS) {
        if (!(await Deno.lstat(`${root}${name}`)).isDirectory) {
          throw unusable(folder, `${FOLDER}${name} in it is no folder`);
        }
      }
      const value: unknown = JSON.parse(await textIn(`${root}/repository.json`, MOST.manifest));
      if (!isDescription(value)) throw unusable(folder, "its repository.json is damaged");
      if (value.version > 1) throw unusable(folder, "it was made by a newer KVM Manager");
      if (id !== undefined && value.id !== id) {
        throw unusable(folder, "it holds other backups than before. Is another disk mounted there?");
      }
      // Its file was made by us, whoever has taken the folder over since.
      await requireOwner(folder, (await Deno.lstat(`${root}/repository.json`)).uid);
      return new Repository(folder, value.id);
    } catch (error) {
      if (error instanceof ContractError) throw error;
      if (error instanceof SyntaxError || error instanceof ManifestError) {
        throw unusable(folder, "its repository.json is damaged", error);
      }
      if (error instanceof Deno.errors.NotFound) {
        throw unusable(folder, "its backups are not there. Is its disk or share mounted?", error);
      }
      if (!isSystemError(error)) throw error;
      throw unusable(folder, reasonOf(error), error);
    }
  }

  /** What a failure of writing means for people. @returns a ContractError of it, or the error as it was */
  explain(error: unknown): unknown {
    const isOfKernel = error instanceof Error && "code" in error && /^E[A-Z]+$/.test(String(error.code));
    if (!isOfKernel) return error;
    return unusable(this.folder, reasonOf(error), error);
  }

  /**
   * Works while nobody else has the folder to write to it (`write`), or to delete content (`content`, alone); who reads
   * has it together with others (`content`). The kernel gives it back when the process ends, however that is.
   *
   * @returns whether it was done; false where somebody else has the folder
   */
  async tryLocked(what: "write" | "content", alone: boolean, work: () => Promise<void>): Promise<boolean> {
    const file = await this.#lockFile(`${this.#root}/${what}.lock`, alone);
    if (file === undefined) {
      await work();
      return true;
    }
    // Not `using`: the bundler takes a variable out that is read once, and then nothing is ever given back.
    try {
      if (!await file.tryLock(alone)) return false;
      await work();
      return true;
    } finally {
      file.close();
    }
  }

  /** The file of a lock; undefined where nothing can be written, so that nobody can take what is read. */
  async #lockFile(path: string, alone: boolean): Promise<Deno.FsFile | undefined> {
    try {
      return await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
    } catch (error) {
      const isReadOnly = error instanceof Error && "code" in error && error.code === "EROFS";
      if (!isReadOnly || alone) throw this.explain(error);
      return undefined;
    }
  }

  /** As {@link tryLocked}. @throws {ContractError} BackupFolderBusy where somebody else has the folder */
  async locked(what: "write" | "content", alone: boolean, work: () => Promise<void>): Promise<void> {
    if (await this.tryLocked(what, alone, work)) return;
    throw new ContractError("BackupFolderBusy", { folder: this.folder });
  }

  /** The place of a chunk. */
  chunkPath(digest: string): string {
    return `${this.#root}/chunks/${digest.slice(0, 2)}/${digest}`;
  }

  /** The first of some chunks that is not there; undefined where all are. */
  async firstMissing(digests: Iterable<string | null>): Promise<string | undefined> {
    const unlooked = [...new Set(digests)].filter((digest) => digest !== null);
    for (let at = 0; at < unlooked.length; at += LOOKED_AT_ONCE) {
      const part = unlooked.slice(at, at + LOOKED_AT_ONCE);
      const found = await Promise.all(part.map((digest) => orMissing(Deno.lstat(this.chunkPath(digest)))));
      const index = found.findIndex((info) => !info?.isFile || info.size === 0);
      if (index >= 0) return part[index];
    }
    return undefined;
  }

  /** A new name for a chunk that is being written. */
  partialChunk(digest: string): string {
    return `${this.#root}/chunks/${digest.slice(0, 2)}/${PARTIAL}${crypto.randomUUID()}`;
  }

  /** Makes a folder in which QEMU may make files for a copy. */
  async spool(id: string): Promise<string> {
    const path = `${this.#root}/spool/${id}`;
    await Deno.mkdir(path, { mode: 0o711 });
    await Deno.chmod(path, 0o711);
    return path;
  }

  /** Whether a file lies where QEMU copies to for us. */
  isSpooled(file: string): boolean {
    return file.startsWith(`${this.#root}/spool/`);
  }

  /** Begins a copy. @returns where its files go */
  async begin(id: string): Promise<string> {
    const path = `${this.#root}/copies/${PARTIAL}${id}`;
    await Deno.mkdir(path, { mode: 0o700 });
    return path;
  }

  /** Makes a copy whole: everything reaches the disk before it has its name. */
  async finish(id: string): Promise<void> {
    await this.sync();
    await Deno.rename(`${this.#root}/copies/${PARTIAL}${id}`, `${this.#root}/copies/${id}`);
    await this.sync();
  }

  /** Removes what a copy has left that is not to be. */
  async abandon(id: string): Promise<void> {
    for (const path of [`${this.#root}/copies/${PARTIAL}${id}`, `${this.#root}/spool/${id}`]) {
      await orMissing(Deno.remove(path, { recursive: true }));
    }
  }

  /** Removes what QEMU has copied for a copy, which is in chunks by now. */
  async dropSpool(id: string): Promise<void> {
    await orMissing(Deno.remove(`${this.#root}/spool/${id}`, { recursive: true }));
  }

  /** Has the kernel write everything of this file system. @throws {Error} where it could not */
  async sync(): Promise<void> {
    const { success, stderr } = await new Deno.Command("sync", {
      args: ["--file-system", this.#root],
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr).trim() || "sync failed");
  }

  /** Every whole copy, also those that cannot be read. @throws {ContractError} BackupFolderUnusable */
  async copies(): Promise<FoundCopy[]> {
    const found: FoundCopy[] = [];
    try {
      for await (const { name, isDirectory } of Deno.readDir(`${this.#root}/copies`)) {
        if (isDirectory && isCopyId(name)) found.push(await this.copy(name));
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw unusable(this.folder, reasonOf(error), error);
    }
    return found;
  }

  /** One whole copy. */
  async copy(id: string): Promise<FoundCopy> {
    const path = `${this.#root}/copies/${id}`;
    try {
      const text = await textIn(`${path}/manifest.json`, MOST.manifest);
      const digest = (await textIn(`${path}/manifest.json.sha256`, 200)).trim();
      if (await digestOf(new TextEncoder().encode(text)) !== digest) {
        throw new ManifestError("its manifest is damaged");
      }
      const manifest = readManifest(text);
      if (manifest.id !== id) throw new ManifestError("its manifest is that of another copy");
      return { id, path, manifest };
    } catch (error) {
      if (!isSystemError(error) && !(error instanceof ManifestError)) throw error;
      return { id, path, manifest: undefined, fault: error.message };
    }
  }

  /** A file of a copy, as its manifest has it. @throws {ManifestError} where it is another one @throws {Error} */
  async fileOf(
    { path }: FoundCopy,
    name: string,
    digest: string,
    most: number = MOST.text,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await bytesIn(`${path}/${name}`, most);
    if (await digestOf(bytes) !== digest) throw new ManifestError(`its file ${name} is damaged`);
    return bytes;
  }

  /** Deletes a whole copy: at once it is none any more. Its chunks go with {@link sweep}. */
  async remove(id: string): Promise<void> {
    const gone = `${this.#root}/copies/${PARTIAL}${id}`;
    await Deno.rename(`${this.#root}/copies/${id}`, gone);
    await Deno.remove(gone, { recursive: true });
  }

  /** Whether something was cut short: a copy that is not whole, or what QEMU copied for it. */
  async hasLeftovers(): Promise<boolean> {
    for await (const { name } of Deno.readDir(`${this.#root}/copies`)) {
      if (name.startsWith(PARTIAL)) return true;
    }
    for await (const _ of Deno.readDir(`${this.#root}/spool`)) return true;
    return false;
  }

  /**
   * Removes what is not whole, and chunks that no copy names. Nothing is deleted while a copy cannot be read: what it
   * needs is not known then. To be called by who has the folder to write and its content alone.
   *
   * @returns bytes that are free again
   */
  async sweep(): Promise<number> {
    for (const folder of ["copies", "spool"]) {
      for await (const { name } of Deno.readDir(`${this.#root}/${folder}`)) {
        if (folder === "copies" && !name.startsWith(PARTIAL)) continue;
        await Deno.remove(`${this.#root}/${folder}/${name}`, { recursive: true });
      }
    }
    const needed = new Set<string>();
    for (const copy of await this.copies()) {
      if (copy.manifest === undefined) {
        log.warn("nothing is pruned: a copy cannot be read", { copy: copy.path, reason: copy.fault });
        return 0;
      }
      for (const { target } of copy.manifest.disks) {
        const list = await textIn(`${copy.path}/${target}.chunks`, MOST.text);
        for (const digest of digestsIn(list)) needed.add(digest);
      }
    }
    let freed = 0;
    for await (const { name: part, isDirectory } of Deno.readDir(`${this.#root}/chunks`)) {
      if (!isDirectory || !/^[0-9a-f]{2}$/.test(part)) continue;
      for await (const { name, isFile } of Deno.readDir(`${this.#root}/chunks/${part}`)) {
        if (!isFile || needed.has(name.slice(0, 64))) continue;
        if (!/^[0-9a-f]{64}(\.damaged)?$/.test(name) && !name.startsWith(PARTIAL)) continue;
        const path = `${this.#root}/chunks/${part}/${name}`;
        freed += (await Deno.lstat(path)).size;
        await Deno.remove(path);
      }
    }
    return freed;
  }

  /** Sets damaged chunks aside: the next copy with that content writes them anew, and heals the older ones. */
  async setAside(digests: Iterable<string>): Promise<void> {
    for (const digest of digests) {
      const path = this.chunkPath(digest);
      if (await isTaken(path)) await Deno.rename(path, `${path}.damaged`);
    }
  }
}
