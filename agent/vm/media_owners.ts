/**
 * Who owned a medium before VMs had it. libvirt gives a file to QEMU's user when it is opened for a VM, and gives back
 * only what one VM alone may write: images that are read only or shared, as every ISO, it leaves with QEMU's user for
 * ever (`virSecurityDACRestoreImageLabelSingle`, libvirt 9.0). What was seen before is put back here.
 */
import type { DatabaseSync } from "node:sqlite";
import type { VM } from "../../lib/contract/mod.ts";
import type { QemuUser } from "../../lib/formats/xml/capabilities.ts";
import type { Clock } from "../clock.ts";
import { isSystemError } from "../files.ts";
import { log } from "../log.ts";
import type { Migration } from "../store/migrations.ts";
import type { Store } from "../store/store.ts";

export const MEDIA_OWNER_MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE media_owners (
     path  TEXT PRIMARY KEY,   -- without links
     inode TEXT NOT NULL,      -- device and number of the file that it was
     uid   INTEGER NOT NULL,
     gid   INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
];

/** Milliseconds for which a file must be QEMU's and in no running VM: a VM that starts has it before libvirt says so. */
const UNUSED_MS = 5000;

interface Owner {
  readonly path: string;
  readonly inode: string;
  readonly uid: number;
  readonly gid: number;
}

const inodeOf = ({ dev, ino }: Deno.FileInfo) => `${dev}:${ino ?? 0}`;

/** The file at a path; undefined where there is none. @throws system errors but that one */
function fileAt(path: string): Promise<Deno.FileInfo | undefined> {
  return Deno.lstat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  });
}

/** What is asked of the host. */
export interface MediaHost {
  /** Undefined while it is not known which there are. */
  readonly vms: () => Iterable<Pick<VM, "state" | "disks">> | undefined;
  /** Who QEMU runs as; undefined where libvirt does not say. */
  readonly qemuUser: () => Promise<QemuUser | undefined>;
}

export class MediaOwners {
  readonly #owners = new Map<string, Owner>();
  /** Path → since when it has been QEMU's without a VM that runs; monotonic milliseconds. */
  readonly #unused = new Map<string, number>();

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly host: MediaHost,
  ) {
    store.attach((database) => this.#read(database));
  }

  /** Remembers who owns a file, before a VM gets it. What cannot be seen is passed over. @param path of a medium */
  async remember(path: string): Promise<void> {
    try {
      const real = await Deno.realPath(path), info = await fileAt(real), user = await this.host.qemuUser();
      if (
        info === undefined || !info.isFile || info.uid === null || info.gid === null || user === undefined
      ) return;
      const known = this.#owners.get(real), inode = inodeOf(info);
      // One that is QEMU's already had its owner seen before, or never.
      if (
        info.uid === user.uid || (known?.inode === inode && known.uid === info.uid && known.gid === info.gid)
      ) return;
      this.#keep({ path: real, inode, uid: info.uid, gid: info.gid });
    } catch (error) {
      if (!isSystemError(error)) throw error;
      log.debug("the owner of a medium cannot be seen", { path, error });
    }
  }

  /** Remembers the owners of what a VM has in its drives and may only read. */
  async rememberAll({ disks }: Pick<VM, "disks">): Promise<void> {
    for (const { type, device, source, readOnly, shareable } of disks) {
      const stays = device === "cdrom" || readOnly === true || shareable === true;
      if (type === "file" && source !== undefined && stays) await this.remember(source);
    }
  }

  /** Puts back what no VM that runs has any more. Files that are gone or replaced are forgotten. */
  async putBack(): Promise<void> {
    const vms = this.#owners.size === 0 ? undefined : this.host.vms();
    if (vms === undefined) return;
    const user = await this.host.qemuUser();
    if (user === undefined) return;
    const used = new Set<string>(), named = new Set<string>();
    for (const { state, disks } of vms) {
      for (const { source } of disks) {
        if (source === undefined) continue;
        const real = await Deno.realPath(source).catch(() => source);
        named.add(real);
        if (state !== "stopped" && state !== "crashed") used.add(real);
      }
    }
    for (const owner of [...this.#owners.values()]) {
      if (used.has(owner.path)) this.#unused.delete(owner.path);
      else await this.#putBackOne(owner, user, named.has(owner.path));
    }
  }

  async #putBackOne(owner: Owner, user: QemuUser, isNamed: boolean): Promise<void> {
    const { path, inode, uid, gid } = owner;
    try {
      const info = await fileAt(path);
      if (info === undefined || inodeOf(info) !== inode) return this.#forget(path);
      if (info.uid === user.uid) {
        const now = this.clock.monotonic(), since = this.#unused.get(path) ?? now;
        this.#unused.set(path, since);
        if (now - since < UNUSED_MS) return;
        await Deno.chown(path, uid, gid);
        log.info("a medium was given back to its owner", { path, uid, gid });
      }
      this.#unused.delete(path);
      if (!isNamed) this.#forget(path);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      log.warn("a medium cannot be given back to its owner", { path, uid, gid, error });
      this.#forget(path);
    }
  }

  #keep(owner: Owner): void {
    this.#owners.set(owner.path, owner);
    const { path, inode, uid, gid } = owner;
    this.store.keep(`owner of ${path}`, () => {
      this.store.database!.prepare(
        "INSERT OR REPLACE INTO media_owners (path, inode, uid, gid) VALUES (?, ?, ?, ?)",
      )
        .run(path, inode, uid, gid);
    });
  }

  #forget(path: string): void {
    this.#owners.delete(path);
    this.#unused.delete(path);
    this.store.keep(`owner of ${path}`, () => {
      this.store.database!.prepare("DELETE FROM media_owners WHERE path = ?").run(path);
    });
  }

  #read(database: DatabaseSync): void {
    for (const { path, inode, uid, gid } of database.prepare("SELECT * FROM media_owners").all()) {
      const owner = { path: String(path), inode: String(inode), uid: Number(uid), gid: Number(gid) };
      if (!this.#owners.has(owner.path)) this.#owners.set(owner.path, owner);
    }
  }
}
