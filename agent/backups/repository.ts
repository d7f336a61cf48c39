/**
 * Backups in a store. Content is kept in chunks named by their SHA-256, so that what did not change between two copies,
 * or is the same on two disks, is there once; no copy depends on another one, and there is no chain to break.
 *
 *     kvm-manager-backups/
 *       repository.json       what it is, and its id: an empty mount point is not taken for it
 *       chunks/ab/ab…         content, compressed (zstd)
 *       copies/ID/            one VM at one moment: manifest.json, domain.xml, nvram, tpm2-00.permall, vda.chunks, …
 *       copies/partial-ID/    one that is not whole: it is no backup
 *
 * A copy is whole once everything it names is in the store, and it got its name. Chunks that no copy names go when
 * copies are pruned, and at the first run after one that was cut short; until then no new copy relies on them unread.
 */
import { ContractError } from "../../lib/contract/errors.ts";
import { digestsIn } from "../../lib/backup/chunk_list.ts";
import { type BackupManifest, ManifestError, readManifest } from "../../lib/backup/manifest.ts";
import { type Description, readDescription, REPOSITORY_VERSION } from "../../lib/backup/description.ts";
import { Mutex } from "../../lib/mutex.ts";
import { FileRefused, isSystemError } from "../machine/files.ts";
import { log } from "../log.ts";
import { plainCodec, type StoreCodec } from "./codec.ts";
import { digestOf } from "./digest.ts";
import {
  type BackupStore,
  COPIES,
  type GroupFiles,
  LAST_FILE,
  type LockName,
  PARTIAL,
  type StoreLock,
} from "./store/store.ts";
import type { Sentence } from "../../lib/i18n/message.ts";

/** Name of a store's description of itself. */
const DESCRIPTION = "repository.json";
/** Bytes of a manifest, a definition and a list of chunks that are read at most. */
const MOST = { manifest: 1024 * 1024, text: 256 * 1024 * 1024 } as const;
/** Chunks that are looked for at once. */
const LOOKED_AT_ONCE = 64;
/** Chunks of a store that are kept in mind: 100 TiB of content. */
const MOST_KNOWN = 50_000_000;

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A copy that was found. */
export interface FoundCopy {
  readonly id: string;
  /** Its manifest; undefined if it cannot be read. */
  readonly manifest: BackupManifest | undefined;
  /** Why it cannot be read. */
  readonly fault?: string;
}

/** Gives what the content of a store is read with. @throws {ContractError} BackupPassphraseNeeded, BackupPassphraseWrong, … */
export type Unlock = (description: Description) => StoreCodec | Promise<StoreCodec>;

/** Without a key: what is encrypted stays closed. */
const plainOnly = (store: BackupStore): Unlock => ({ encryption }) => {
  if (encryption === undefined) return plainCodec;
  throw new ContractError("BackupPassphraseNeeded", { target: store.label });
};

export class Repository {
  /** Chunks that are there, in a store that takes long to answer: asked for once. */
  #known: Promise<Set<string>> | undefined;
  /** Chunks that were written since it was opened: they are sound, whoever has found another content there before. */
  readonly #written = new Set<string>();
  /** Chunks that are known to be sound; undefined while all that are there are taken for it. */
  #sound: Set<string> | undefined;
  /** Chunks that were set aside since, and not written again. */
  readonly #aside = new Set<string>();
  /** Locks on the store. */
  readonly #locks = new Set<StoreLock>();
  /** Chunks are set aside one after the other: two copies that are made at once may find the same one damaged. */
  readonly #settingAside = new Mutex();

  private constructor(
    readonly store: BackupStore,
    readonly description: Description,
    readonly codec: StoreCodec,
  ) {}

  /** Stays the same wherever it is moved to. */
  get id(): string {
    return this.description.id;
  }

  /** Place of the store, for people. */
  get folder(): string {
    return this.store.label;
  }

  /**
   * Makes a store ready, or opens the backups that it has.
   *
   * @param fresh description for a store without backups
   * @throws {ContractError} BackupFolderUnusable, BackupTargetUnusable, and errors of `unlock`
   */
  static async make(
    store: BackupStore,
    fresh: () => Description | Promise<Description> = () => ({
      format: "kvm-manager-backup-folder",
      version: REPOSITORY_VERSION.plain,
      id: crypto.randomUUID(),
    }),
    unlock: Unlock = plainOnly(store),
  ): Promise<Repository> {
    await store.make();
    if (await store.sizeOf(DESCRIPTION) === undefined) {
      await store.write(DESCRIPTION, encode(JSON.stringify(await fresh())));
    }
    return await Repository.open(store, undefined, unlock);
  }

  /**
   * The backups of a store.
   *
   * @param id the id that the store must have: another disk may be mounted there
   * @throws {ContractError} BackupFolderUnusable, BackupTargetUnusable, and errors of `unlock`
   */
  static async open(
    store: BackupStore,
    id?: string,
    unlock: Unlock = plainOnly(store),
  ): Promise<Repository> {
    await store.open();
    const unusable = (reason: Sentence, cause?: unknown) =>
      new ContractError("BackupFolderUnusable", { folder: store.label, reason }, { cause });
    let description: Description;
    try {
      description = readDescription(decode(await store.read(DESCRIPTION, MOST.manifest)));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        throw unusable("its backups are not there. Is its disk or share mounted?", error);
      }
      if (error instanceof ManifestError) throw unusable(error.message, error);
      if (error instanceof FileRefused) throw unusable("its repository.json is damaged", error);
      throw error;
    }
    if (id !== undefined && description.id !== id) {
      throw unusable("it holds other backups than before. Is another disk mounted there?");
    }
    return new Repository(store, description, await unlock(description));
  }

  /**
   * Works while no other session has the store to write to it (`write`), or to delete content (`content`, alone); who reads
   * has it together with others (`content`).
   *
   * @returns whether it was done; false where somebody else has the store
   */
  async tryLocked(what: LockName, alone: boolean, work: () => Promise<void>): Promise<boolean> {
    const lock = await this.store.lock(what, alone);
    if (lock === undefined) return false;
    this.#locks.add(lock);
    // Not `using`: the bundler takes a variable out that is read once, and then nothing is ever given back.
    try {
      await work();
      return true;
    } finally {
      this.#locks.delete(lock);
      await lock.release();
    }
  }

  /** As {@link tryLocked}. @throws {ContractError} BackupFolderBusy where somebody else has the store */
  async locked(what: LockName, alone: boolean, work: () => Promise<void>): Promise<void> {
    if (await this.tryLocked(what, alone, work)) return;
    throw new ContractError("BackupFolderBusy", { folder: this.folder });
  }

  /** @throws {ContractError} BackupFailed where somebody else may have, or have had, what this one took of the store */
  #requireLocks(): void {
    if ([...this.#locks].every((lock) => lock.isHeld())) return;
    const error = "its lock on the target could not be renewed in time, and another host may have taken it";
    throw new ContractError("BackupFailed", { error });
  }

  /** The chunks of a store that takes long to answer. */
  #knownChunks(): Promise<Set<string>> {
    return this.#known ??= (async () => {
      const found = new Set<string>();
      for await (const { name, bytes } of this.store.list("chunks")) {
        const digest = name.slice(-64);
        if (bytes > 0 && name === chunkPlace(digest)) found.add(digest);
        if (found.size > MOST_KNOWN) {
          throw new ContractError("BackupTargetUnusable", {
            target: this.folder,
            reason: "it holds more than KVM Manager can keep in mind",
          });
        }
      }
      return found;
    })();
  }

  /** Whether a chunk is there. */
  async hasChunk(digest: string): Promise<boolean> {
    if (this.store.isRemote) return (await this.#knownChunks()).has(digest);
    return (await this.store.sizeOf(chunkPlace(digest)) ?? 0) > 0;
  }

  /**
   * Takes from now on only those chunks for sound that a whole copy names. To be called where something was cut short, and
   * could not be swept: a power failure may have torn what it wrote last.
   */
  async doubtUnnamed(): Promise<void> {
    this.#sound = (await this.#named()).digests;
  }

  /** Whether a chunk that is there has to be read, and found right, before a new copy relies on it. */
  isDoubted(digest: string): boolean {
    return this.#sound !== undefined && !this.#sound.has(digest) && !this.#written.has(digest);
  }

  /** Notes that a chunk was read, and is what it was. */
  foundSound(digest: string): void {
    this.#sound?.add(digest);
  }

  /** Writes a chunk. @param packed its content, compressed @returns bytes that were written */
  async putChunk(digest: string, packed: Uint8Array<ArrayBuffer>): Promise<number> {
    const place = chunkPlace(digest);
    this.#written.add(digest);
    const sealed = await this.codec.seal(place, packed);
    await this.store.write(place, sealed);
    this.#aside.delete(digest);
    if (this.store.isRemote) (await this.#knownChunks()).add(digest);
    return sealed.length;
  }

  /**
   * A chunk's content in the store, compressed.
   *
   * @param most limit of its size in bytes
   * @throws {Deno.errors.NotFound} @throws {FileRefused} @throws {ManifestError} for content that was put in
   *   its place
   */
  async chunk(digest: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
    const place = chunkPlace(digest);
    return await this.codec.unseal(place, await this.store.read(place, most + this.codec.overhead));
  }

  /** The first of some chunks that is not there; undefined where all are. */
  async firstMissing(digests: Iterable<string>): Promise<string | undefined> {
    const unlooked = [...new Set(digests)];
    for (let at = 0; at < unlooked.length; at += LOOKED_AT_ONCE) {
      const part = unlooked.slice(at, at + LOOKED_AT_ONCE);
      const found = await Promise.all(part.map((digest) => this.hasChunk(digest)));
      const index = found.indexOf(false);
      if (index >= 0) return part[index];
    }
    return undefined;
  }

  /**
   * Begins a copy: what it leaves is found, whatever happens.
   *
   * @throws {ContractError} BackupFailed where the store is no longer held: the copy could not be finished
   */
  async begin(id: string): Promise<void> {
    this.#requireLocks();
    await this.store.beginGroup(id);
  }

  /**
   * Makes a copy whole.
   *
   * @param files the other files of it
   * @returns once everything is in the store
   * @throws {ContractError} BackupFailed where the store was not held all the time: somebody else may have deleted chunks
   */
  async finish(id: string, files: GroupFiles, manifest: BackupManifest): Promise<void> {
    const text = encode(JSON.stringify(manifest, null, 1));
    const digest = encode(`${await digestOf(text)}\n`);
    const sealed: (readonly [string, Uint8Array<ArrayBuffer>])[] = [];
    for (
      const [name, bytes] of [...files, [`${LAST_FILE}.sha256`, digest] as const, [LAST_FILE, text] as const]
    ) {
      const stored = this.#fileName(id, name);
      sealed.push([stored, await this.codec.seal(`${COPIES}/${id}/${stored}`, bytes)]);
    }
    this.#requireLocks();
    await this.store.finishGroup(id, sealed);
  }

  /** The last file has its own name in every store: a copy is whole with it. */
  #fileName(id: string, name: string): string {
    return name === LAST_FILE ? name : this.codec.fileName(id, name);
  }

  /** Removes what a copy has left that is not to be. */
  async abandon(id: string): Promise<void> {
    await this.store.abandonGroup(id);
  }

  /** Every whole copy, also those that cannot be read. */
  async copies(): Promise<FoundCopy[]> {
    const { whole } = await this.store.groups();
    const found: FoundCopy[] = [];
    const atOnce = this.store.isRemote ? 8 : 1;
    for (let at = 0; at < whole.length; at += atOnce) {
      found.push(...await Promise.all(whole.slice(at, at + atOnce).map((id) => this.copy(id))));
    }
    return found;
  }

  /** A file of a copy. @throws {ManifestError} @throws {Deno.errors.NotFound} */
  async #file(id: string, name: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
    const place = `${COPIES}/${id}/${this.#fileName(id, name)}`;
    try {
      return await this.codec.unseal(place, await this.store.read(place, most + this.codec.overhead));
    } catch (error) {
      throw error instanceof FileRefused ? new ManifestError(error.message, { cause: error }) : error;
    }
  }

  /** One whole copy. */
  async copy(id: string): Promise<FoundCopy> {
    try {
      const bytes = await this.#file(id, LAST_FILE, MOST.manifest);
      const digest = decode(await this.#file(id, `${LAST_FILE}.sha256`, 200)).trim();
      if (await digestOf(bytes) !== digest) throw new ManifestError("its manifest is damaged");
      const manifest = readManifest(decode(bytes));
      if (manifest.id !== id) throw new ManifestError("its manifest is that of another copy");
      return { id, manifest };
    } catch (error) {
      const isOfStore = error instanceof ManifestError || error instanceof ContractError ||
        isSystemError(error);
      if (!isOfStore) throw error;
      return { id, manifest: undefined, fault: error.message };
    }
  }

  /**
   * A file of a copy, checked against its manifest. @throws {ManifestError} if it is another one @throws
   * {Error}
   */
  async fileOf(
    { id }: Pick<FoundCopy, "id">,
    name: string,
    digest: string,
    most: number = MOST.text,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#file(id, name, most);
    if (await digestOf(bytes) !== digest) throw new ManifestError(`its file ${name} is damaged`);
    return bytes;
  }

  /**
   * Deletes a whole copy: at once it is none any more. Its chunks go with {@link sweep}.
   *
   * @throws {ContractError} BackupFailed where the store is no longer held
   */
  async remove(id: string): Promise<void> {
    this.#requireLocks();
    await this.store.removeGroup(id);
  }

  /** Whether something was cut short: a copy that is not whole, whose chunks were not all swept since. */
  async hasLeftovers(): Promise<boolean> {
    return (await this.store.groups()).partial.length > 0;
  }

  /** The chunks that whole copies name, and the first of these copies that cannot be read. */
  async #named(): Promise<
    { readonly digests: Set<string>; readonly unreadable?: Omit<FoundCopy, "manifest"> }
  > {
    const digests = new Set<string>();
    let unreadable: Omit<FoundCopy, "manifest"> | undefined;
    for (const { id, manifest, fault = "" } of await this.copies()) {
      if (manifest === undefined) unreadable ??= { id, fault };
      for (const { target, chunks } of manifest?.disks ?? []) {
        try {
          const list = decode(await this.fileOf({ id }, `${target}.chunks`, chunks));
          for (const digest of digestsIn(list)) digests.add(digest);
        } catch (error) {
          if (!(error instanceof ManifestError || error instanceof Deno.errors.NotFound)) throw error;
          unreadable ??= { id, fault: error.message };
        }
      }
    }
    return { digests, ...(unreadable && { unreadable }) };
  }

  /**
   * Removes chunks that no copy names, and what is not whole. Nothing is deleted while a copy cannot be read: what it
   * needs is not known then. What is not whole goes last, so that a sweep that did not get to its end is made again. To be
   * called by who has the store to write and its content alone.
   *
   * @returns bytes that are free again; undefined where nothing was deleted, for a copy cannot be read
   * @throws {ContractError} BackupFailed where the store is no longer held: somebody else may be writing to it
   */
  async sweep(): Promise<number | undefined> {
    const { partial } = await this.store.groups();
    const { digests: needed, unreadable } = await this.#named();
    if (unreadable !== undefined) {
      const { id: copy, fault: reason } = unreadable;
      log.warn("nothing is pruned: a copy cannot be read", { target: this.folder, copy, reason });
      return undefined;
    }
    let freed = 0;
    for await (const { name, bytes } of this.store.list("chunks")) {
      const [, part = "", file = ""] = name.split("/");
      if (!/^[0-9a-f]{2}$/.test(part) || needed.has(file.slice(0, 64))) continue;
      if (!/^[0-9a-f]{64}(\.damaged)?$/.test(file) && !file.startsWith(PARTIAL)) continue;
      this.#requireLocks();
      await this.store.remove(name);
      freed += bytes;
    }
    this.#known = undefined;
    this.#requireLocks();
    for (const id of partial) await this.store.abandonGroup(id);
    return freed;
  }

  /** Sets damaged chunks aside: the next copy with that content writes them again, and heals the older ones. */
  async setAside(digests: Iterable<string>): Promise<void> {
    await this.#settingAside.run(async () => {
      for (const digest of digests) await this.#setAside(digest);
    });
  }

  async #setAside(digest: string): Promise<void> {
    if (this.#written.has(digest) || this.#aside.has(digest)) return;
    const place = chunkPlace(digest);
    this.#aside.add(digest);
    if (await this.store.sizeOf(place) !== undefined) await this.store.move(place, `${place}.damaged`);
    if (this.store.isRemote) (await this.#knownChunks()).delete(digest);
  }

  /** Whether a chunk was set aside, and not written again, after a copy that is being made has found it to be there. */
  lacks(digests: Iterable<string>): boolean {
    if (this.#aside.size === 0) return false;
    for (const digest of digests) if (this.#aside.has(digest)) return true;
    return false;
  }
}

/** Works with backups, and ends the connections of their store then. */
export async function closing<T>({ store }: Repository, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await store.close();
  }
}

/** The place of a chunk. */
export const chunkPlace = (digest: string): string => `chunks/${digest.slice(0, 2)}/${digest}`;
