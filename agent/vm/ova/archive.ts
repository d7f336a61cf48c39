/** An OVA archive on this host: its files read in place, never unpacked under names that it chose. */
import { createHash } from "node:crypto";
import { ContractError } from "../../../lib/contract/mod.ts";
import { type ImageSource } from "../../../lib/formats/foreign/mod.ts";
import { nameKey } from "../../../lib/formats/ovf/file_names.ts";
import { type Digest, MAX_MANIFEST, readOvfManifest } from "../../../lib/formats/ovf/manifest.ts";
import { OvfError, type OvfVm } from "../../../lib/formats/ovf/model.ts";
import { readOvf } from "../../../lib/formats/ovf/read.ts";
import { MAX_OVF } from "../../../lib/formats/ovf/tree.ts";
import { archiveEntries, type ArchiveEntry, ArchiveError } from "../../../lib/formats/tar/entries.ts";
import { openFile, readAt } from "../../machine/host_file.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";

/** Bytes that are read at a time. */
const PIECE = 1024 * 1024;

/** An archive that is not taken. */
export const ovaRefused = (reason: Sentence, cause?: unknown) =>
  new ContractError("OvaRefused", { reason }, { cause });

/** The checksums of an archive's files. */
export interface Checksums {
  /** By the file's name in the archive. */
  readonly files: ReadonlyMap<string, readonly Digest[]>;
  /** Files that are not in the archive. */
  readonly missing: readonly string[];
  /** Lines of the manifest that are not understood. */
  readonly ignored: readonly string[];
}

/** One that is open; its file must not change meanwhile: it is held. */
export class Archive implements Disposable {
  readonly #file: Deno.FsFile;
  readonly size: number;
  #entries: ReadonlyMap<string, ArchiveEntry> = new Map();

  private constructor(file: Deno.FsFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  /** Opens the one at a path. @throws {ContractError} OvaRefused */
  static async open(path: string): Promise<Archive> {
    const file = await openFile(path);
    try {
      const archive = new Archive(file, (await file.stat()).size);
      const entries = await archiveEntries((offset, length) => archive.#read(offset, length), archive.size);
      archive.#entries = new Map(entries.map((entry) => [entry.name, entry]));
      return archive;
    } catch (error) {
      file.close();
      if (error instanceof ArchiveError) throw ovaRefused(error.message, error);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** Its files in order. */
  get entries(): ArchiveEntry[] {
    return [...this.#entries.values()];
  }

  /** One of its files. @throws {ContractError} OvaRefused when there is none of that name */
  entry(name: string): ArchiveEntry {
    const found = this.#find(name);
    if (found === undefined) {
      throw ovaRefused(message`it has no file ${JSON.stringify(name)}, which it describes`);
    }
    return found;
  }

  /** The file of that name, or the only one whose name is another spelling of it. */
  #find(name: string): ArchiveEntry | undefined {
    const found = this.#entries.get(name);
    if (found !== undefined) return found;
    const key = nameKey(name);
    const alike = this.entries.filter((entry) => nameKey(entry.name) === key);
    return alike.length === 1 ? alike[0] : undefined;
  }

  /** A file's bytes, as they are judged. */
  source({ offset, size }: ArchiveEntry): ImageSource {
    return {
      size,
      read: (at, length) => this.#read(offset + at, Math.max(0, Math.min(length, size - at))),
    };
  }

  /** Reads; one at a time. */
  #read(offset: number, length: number): Promise<Uint8Array> {
    return readAt(this.#file, offset, length);
  }

  async #text(entry: ArchiveEntry, most: number): Promise<string> {
    if (entry.size > most) throw ovaRefused(message`its file ${JSON.stringify(entry.name)} is too long`);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(await this.#read(entry.offset, entry.size));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw ovaRefused(message`its file ${JSON.stringify(entry.name)} is no UTF-8`, error);
    }
  }

  /** The one file with this ending; undefined when there is none. @throws {ContractError} OvaRefused for several */
  #only(ending: string): ArchiveEntry | undefined {
    const found = this.entries.filter(({ name }) => name.toLowerCase().endsWith(ending));
    if (found.length > 1) throw ovaRefused(message`it has more than one file *${ending}`);
    return found[0];
  }

  /**
   * The VM that it describes.
   *
   * @param checksums the description's own is compared: a preview of a damaged one would promise what is not imported
   * @throws {ContractError} OvaRefused, OvaDamaged
   */
  async describe(checksums: Checksums | undefined): Promise<OvfVm> {
    const entry = this.#only(".ovf");
    if (entry === undefined) throw ovaRefused("it has no description (*.ovf): it is no OVA");
    const digests = checksums?.files.get(entry.name);
    if (digests !== undefined && entry.size <= MAX_OVF) await this.verify(entry, digests);
    return await told(async () => readOvf(await this.#text(entry, MAX_OVF)));
  }

  /**
   * The checksums it has; undefined where it has none. What a manifest says of itself is passed over: nothing can hold
   * its own checksum.
   *
   * @throws {ContractError} OvaRefused
   */
  async manifest(): Promise<Checksums | undefined> {
    const own = this.#only(".mf");
    if (own === undefined) return undefined;
    const { files, ignored } = await told(async () => readOvfManifest(await this.#text(own, MAX_MANIFEST)));
    const found = new Map<string, readonly Digest[]>();
    const missing: string[] = [];
    for (const { name, digests } of files) {
      const entry = this.#find(name);
      if (entry === undefined) missing.push(name);
      else if (entry !== own) found.set(entry.name, [...found.get(entry.name) ?? [], ...digests]);
    }
    return { files: found, missing, ignored };
  }

  /** Whether somebody has signed it. */
  get isSigned(): boolean {
    return this.#only(".cert") !== undefined;
  }

  /**
   * Compares a file with its checksums.
   *
   * @param onRead is told of each piece
   * @throws {ContractError} OvaDamaged @throws the signal's reason
   */
  async verify(
    { name, offset, size }: ArchiveEntry,
    digests: readonly Digest[],
    { signal, onRead }: { readonly signal?: AbortSignal; readonly onRead?: (bytes: number) => void } = {},
  ): Promise<void> {
    const hashes = digests.map(({ algorithm, hex }) => ({ algorithm, hex, hash: createHash(algorithm) }));
    for (let at = 0; at < size;) {
      signal?.throwIfAborted();
      const bytes = await this.#read(offset + at, Math.min(PIECE, size - at));
      if (bytes.length === 0) throw ovaRefused("it is cut off");
      for (const { hash } of hashes) hash.update(bytes);
      at += bytes.length;
      onRead?.(bytes.length);
    }
    for (const { algorithm, hex, hash } of hashes) {
      const found = hash.digest("hex");
      if (found === hex) continue;
      const shown = algorithm.toUpperCase().replace("SHA", "SHA-");
      throw new ContractError("OvaDamaged", { file: name, algorithm: shown, found, wanted: hex });
    }
  }
}

/** @throws {ContractError} OvaRefused for what the description's reader refuses */
async function told<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof OvfError) throw ovaRefused(error.message, error);
    throw error;
  }
}
