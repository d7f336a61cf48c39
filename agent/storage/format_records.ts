/**
 * The formats in which VMs have, or had, their images. A guest can write a qcow2 header onto its raw disk, and
 * libvirt's pools tell a format from the content: what an image was once is therefore written down, and is still known
 * when no VM has it any more.
 */
import type { DatabaseSync } from "node:sqlite";
import { statFile } from "../machine/host_file.ts";
import type { VM } from "../../lib/contract/mod.ts";
import type { DiskFormat } from "../../lib/formats/xml/device_disk.ts";
import { log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { UnsavedRows } from "../store/unsaved_rows.ts";
import { mayBeFile, pathOfDisk } from "./disk_path.ts";
import type { LinkCaller } from "./volumes.ts";

/** A file that cannot be mistaken for another one made later under its name. */
interface FileId {
  readonly inode: number;
  /** When it was made, in ms since 1970; 0 where its file system does not tell. */
  readonly born: number;
}

interface FormatRecord extends FileId {
  readonly format: DiskFormat;
}

/**
 * Identity of volumes on another machine: libvirt reports nothing that stays with the file, so the path
 * stands for it.
 */
const BY_PATH: FileId = { inode: 0, born: 0 };

/** Gives the file's identity; undefined for what is no file, for a device has no format of its own. */
async function fileId(path: string): Promise<FileId | undefined> {
  try {
    const { isFile, ino, birthtime } = await statFile(path);
    return isFile ? { inode: ino ?? 0, born: birthtime?.getTime() ?? 0 } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

const keyOf = ({ inode, born }: FileId) => `${inode} ${born}`;

const isFormat = (format: string | undefined): format is DiskFormat => format === "raw" || format === "qcow2";

/** The format in which a VM has a disk: libvirt takes one without a format for raw. */
export const diskFormat = ({ format = "raw" }: { readonly format?: string | undefined }): string => format;

export class FormatRecords {
  readonly #records = new Map<string, FormatRecord>();
  /** The same by the file, where its file system tells its birth: a file that is moved or linked stays what it was. */
  readonly #byFile = new Map<string, DiskFormat>();
  /** Formats seen at VMs that are recorded: format, and path or pool and volume. */
  readonly #seen = new Set<string>();

  /** Those whose record is to be written, by path. */
  readonly #unsaved: UnsavedRows;
  readonly #attached: Disposable;

  readonly #elsewhere: string | undefined;

  /** @param elsewhere id of the host whose images these are, where they are no files of the machine we run on */
  constructor(store: Store, elsewhere?: string) {
    this.#elsewhere = elsewhere;
    this.#unsaved = new UnsavedRows(store, "image formats", (database) => {
      const put = database.prepare(
        "INSERT OR REPLACE INTO image_formats (path, inode, born, format) VALUES (?, ?, ?, ?)",
      );
      // Under its other names it is the same file
      const same = database.prepare("UPDATE image_formats SET format = ? WHERE inode = ? AND born = ?");
      const remove = database.prepare("DELETE FROM image_formats WHERE path = ?");
      return (path) => {
        const record = this.#records.get(path);
        if (record === undefined) return void remove.run(this.#row(path));
        const { inode, born, format } = record;
        put.run(this.#row(path), inode, born, format);
        if (born !== 0) same.run(format, inode, born);
      };
    });
    this.#attached = store.attach((database) => this.#read(database));
  }

  /** How a path stands in the table: one of another machine after its host's id, so that it is none of this machine's. */
  #row(path: string): string {
    return this.#elsewhere === undefined ? path : `${this.#elsewhere}:${path}`;
  }

  async #fileId(path: string): Promise<FileId | undefined> {
    return this.#elsewhere === undefined ? await fileId(path) : BY_PATH;
  }

  /** Forgets what was at a path on another machine: the volume was removed, or is a new one. */
  forget(path: string): void {
    if (this.#elsewhere === undefined || !this.#records.delete(path)) return;
    this.#seen.clear();
    this.#unsaved.add(path);
    this.#unsaved.save();
  }

  /** Reads no database that is opened from now on: its host is no longer served. */
  [Symbol.dispose](): void {
    this.#attached[Symbol.dispose]();
  }

  /** The format on record of the file at a path; undefined when no VM had it as a disk. @throws {Error} from stat */
  async formatAt(path: string): Promise<DiskFormat | undefined> {
    if (this.#records.size === 0) return undefined;
    const id = await this.#fileId(path);
    if (id === undefined) return undefined;
    const known = id.born === 0 ? undefined : this.#byFile.get(keyOf(id));
    if (known !== undefined) return known;
    const record = this.#records.get(path);
    return id.inode === record?.inode && id.born === record.born ? record.format : undefined;
  }

  /** Records the format of the file at a path. @throws {Error} from stat */
  async set(path: string, format: DiskFormat): Promise<void> {
    await this.#note(path, format);
    this.#unsaved.save();
  }

  /** The same, but for writing it down. */
  async #note(path: string, format: DiskFormat): Promise<void> {
    const id = await this.#fileId(path);
    if (id === undefined) return;
    const { inode, born } = id;
    const known = this.#records.get(path), isNew = born !== 0 && this.#byFile.get(keyOf(id)) !== format;
    if (!isNew && known?.inode === inode && known.born === born && known.format === format) return;
    this.#take(path, { inode, born, format });
    this.#unsaved.add(path);
  }

  /**
   * Records what VMs have that others made or changed. What is recorded already costs nothing, unless it is looked at
   * `again`: another file may lie at its path by now.
   */
  async observe(link: LinkCaller, vms: readonly VM[], again = false): Promise<void> {
    try {
      await this.#noteAll(link, vms, again);
    } finally {
      this.#unsaved.save();
    }
  }

  async #noteAll(link: LinkCaller, vms: readonly VM[], again: boolean): Promise<void> {
    for (const { disks } of vms) {
      for (const disk of disks) {
        const { source, type, device } = disk;
        const format = diskFormat(disk);
        if (source === undefined || !mayBeFile(disk) || device !== "disk" || !isFormat(format)) continue;
        const place = `${type} ${source}`, key = `${format} ${place}`;
        if (!again && this.#seen.has(key)) continue;
        try {
          const path = await pathOfDisk(link, disk);
          if (path === undefined) continue;
          await this.#note(path, format);
          this.#seen.delete(`${format === "raw" ? "qcow2" : "raw"} ${place}`);
          this.#seen.add(key);
        } catch (error) {
          log.debug("the format of a disk could not be recorded", { disk: source, error });
        }
      }
    }
  }

  #read(database: DatabaseSync): void {
    for (
      const row of database.prepare("SELECT path, inode, born, format FROM image_formats").all()
    ) {
      const format = String(row.format),
        [, host, path = ""] = /^([^/]*?):?(\/.*)$/s.exec(String(row.path)) ?? [];
      if (!isFormat(format) || host !== (this.#elsewhere ?? "") || this.#unsaved.has(path)) continue;
      this.#take(path, { inode: Number(row.inode), born: Number(row.born), format });
    }
  }

  /** The last word on a file is the one that counts. */
  #take(path: string, record: FormatRecord): void {
    this.#records.set(path, record);
    if (record.born !== 0) this.#byFile.set(keyOf(record), record.format);
  }
}
