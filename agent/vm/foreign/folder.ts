/**
 * A folder of this host that VMs are imported from. Whoever wrote it is not trusted: files are reached by plain names in it
 * alone, links are refused, and each file is held open from the look at it until its content was read, so that none can be put
 * in its place.
 */
import { basename } from "node:path";
import { ContractError } from "../../../lib/contract/mod.ts";
import { isPlainName } from "../../../lib/formats/foreign/vm/model.ts";
import type { ImageSource } from "../../../lib/formats/foreign/mod.ts";
import { closedReason } from "../../../lib/vm/shared_folders.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { isNameable, readAt, realPathOf, statFile } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { resolvedPath } from "../../machine/resolved_path.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { pause } from "../../within.ts";
import { foreignRefused } from "./model.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";

/** Names of a folder that are looked at. */
const MOST_NAMES = 10_000;

/** Folders of the kernel, whose files are no files. */
const KERNELS = ["/proc", "/sys", "/dev", "/run", "/var/run"].map((path) => ({
  path,
  what: "a folder of the host's system",
}));

const refused = (path: string, reason: Sentence) => new ContractError("PathRefused", { path, reason });

/** A file of the folder, held open. */
export interface HeldFile {
  readonly name: string;
  /** Its path without links: what locks and messages go by. */
  readonly path: string;
  /** A path by which this process and its children open this very file, whatever becomes of its name. */
  readonly heldPath: string;
  readonly size: number;
  readonly source: ImageSource;
  /**
   * That nothing was written into it since it was opened: whoever may write it could have put another head there once it was
   * judged, which names a file of the host.
   *
   * @throws {ContractError} ForeignVmRefused
   */
  readonly requireUnchanged: () => Promise<void>;
}

/** State of a file: differs after each write, even where the time of change was set back. */
const stateOf = ({ size, mtime, ctime }: Deno.FileInfo): string =>
  JSON.stringify([size, mtime?.getTime(), ctime?.getTime()]);

const changing = (name: string) =>
  foreignRefused(message`${name} was changed while it was read. Import it once nothing writes to it`);

/** Milliseconds that a time of change stands for: whole seconds are known of it. And how long its end is waited for. */
const CHANGED_MS = 1000, MOST_WAIT_MS = 1500;

/** State of a file, once its last change has aged enough. @throws {ContractError} while it is being written */
async function settledState(name: string, path: string): Promise<Deno.FileInfo> {
  const info = await statFile(path), changedAt = info.ctime?.getTime() ?? 0;
  const left = changedAt + CHANGED_MS + 50 - Date.now();
  // A clock that is ahead, as that of another machine, is not waited for.
  if (left <= 0 || left > MOST_WAIT_MS) return info;
  await pause(left);
  const later = await statFile(path);
  if (stateOf(later) !== stateOf(info)) throw changing(name);
  return later;
}

export class SourceFolder {
  private constructor(
    /** Without links. */
    readonly path: string,
    private readonly files: ReadonlySet<string>,
    private readonly links: ReadonlySet<string>,
  ) {}

  /**
   * Opens a folder.
   *
   * @throws {ContractError} PathRefused, FileNotFound, StorageNotResponding
   */
  static async open({ closedPlaces, machine }: LibvirtHost, given: string): Promise<SourceFolder> {
    if (!given.startsWith("/")) throw refused(given, "it must be an absolute path on the host");
    if (given.split("/").includes("..")) throw refused(given, "it leads upwards (..)");
    if (!isNameable(given)) throw refused(given, "its name is no UTF-8");
    const path = await undefinedIfMissing(realPathOf(given));
    if (path === undefined) throw new ContractError("FileNotFound", { path: given });
    const { own, backups } = closedPlaces();
    const named = [...KERNELS, ...own, ...backups];
    const real = await Promise.all(
      named.map(async (each) => ({ ...each, path: await resolvedPath(machine, each.path) })),
    );
    // Files of the folder itself are read, and none in folders below it.
    const closed = [...named, ...real].filter((each) => !each.path.startsWith(`${path}/`));
    const reason = closedReason(path, closed);
    if (reason !== undefined) throw new ContractError("PathRefused", { path: given, reason });
    if (!(await statFile(path)).isDirectory) throw refused(given, "it is no folder");
    const entries = await readable(given, hostFiles.readDir(path));
    if (entries.length > MOST_NAMES) throw refused(given, message`it has more than ${MOST_NAMES} files`);
    const plain = entries.filter(({ name }) => isPlainName(name));
    return new SourceFolder(
      path,
      new Set(plain.filter(({ isFile }) => isFile).map(({ name }) => name)),
      new Set(plain.filter(({ isSymlink }) => isSymlink).map(({ name }) => name)),
    );
  }

  /** Its files' names, sorted. */
  get names(): string[] {
    return [...this.files].sort();
  }

  /** The first of these names that is there, in any case of its letters where only one fits. */
  find(names: readonly string[]): string | undefined {
    for (const name of names) {
      if (this.files.has(name)) return name;
      const alike = this.names.filter((each) => each.toLowerCase() === name.toLowerCase());
      if (alike.length === 1) return alike[0];
    }
    return undefined;
  }

  /**
   * Opens a file.
   *
   * @param held closes it
   * @throws {ContractError} DiskNotFound, PathRefused
   */
  async file(name: string, held: DisposableStack): Promise<HeldFile> {
    const path = `${this.path}/${name}`;
    if (!isPlainName(name)) throw refused(path, "it is no file in the folder");
    if (this.links.has(name)) throw refused(path, "it is a link. Put the file itself into the folder");
    if (!this.files.has(name)) throw new ContractError("DiskNotFound", { path });
    const handle = held.use(await readable(path, hostFiles.holdFile(path)));
    // What is held is looked at, not what has its name by now.
    const [real, info] = await Promise.all([realPathOf(handle.path), settledState(name, handle.path)]);
    if (real !== path || !info.isFile) throw refused(path, "it is a link, or no file");
    const file = held.adopt(await readable(path, hostFiles.open(handle.path)), (each) => each.close());
    // One read at a time: each goes to a place in the file first.
    let last: Promise<unknown> = Promise.resolve();
    const read = (offset: number, length: number): Promise<Uint8Array> => {
      const next = last.then(() => readAt(file, offset, Math.max(0, Math.min(length, info.size - offset))));
      last = next.catch(() => {/* thrown where it is awaited */});
      return next;
    };
    const requireUnchanged = async () => {
      if (stateOf(await statFile(handle.path)) === stateOf(info)) return;
      throw changing(name);
    };
    const source = { size: info.size, read };
    return { name, path, heldPath: handle.path, size: info.size, source, requireUnchanged };
  }

  /** All bytes of a small file. @throws {ContractError} PathRefused where it is larger */
  async content(name: string, most: number): Promise<Uint8Array> {
    using held = new DisposableStack();
    const { path, size, source } = await this.file(name, held);
    if (size > most) throw refused(path, message`it is larger than ${most} bytes`);
    return await source.read(0, size);
  }

  /** Last part of the folder's path. */
  get name(): string {
    return basename(this.path);
  }
}

/** @throws {ContractError} PathRefused where KVM Manager may not read it, FileNotFound */
async function readable<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) throw refused(path, "KVM Manager may not read it");
    if (error instanceof Deno.errors.NotFound) throw new ContractError("FileNotFound", { path });
    throw error;
  }
}
